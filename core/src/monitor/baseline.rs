//! What this patient's values were before the dose (R5.9).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::vitals::{BloodPressure, Pressure, PulseRate, Spo2};

/// The readings that make the baseline may differ by this much, mmHg systolic.
const SPREAD: u16 = 10;
/// So many readings make it: the first is discarded, the others are averaged.
const READINGS: usize = 3;

/// The values before the dose. Frozen by the dose, which may be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    readings: Vec<(Time, BloodPressure)>,
    /// Only what was measured until then counts.
    frozen: Option<Time>,
    /// What the readings come to. Worked out when one comes: every later determination is judged against it.
    pressure: Option<BloodPressure>,
    /// The mean pressure, tenths of mmHg.
    mean: Option<u16>,
    spo2: Option<Spo2>,
    pulse: Option<PulseRate>,
}

impl Baseline {
    /// How many readings there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counted().count()
    }

    /// When the third reading was taken.
    #[must_use]
    pub fn third_at(&self) -> Option<Time> {
        self.counted().nth(READINGS - 1).map(|(at, _)| *at)
    }

    /// The pressure. The first reading is discarded, the next two are averaged; if these lie more than
    /// 10 mmHg apart and there is a fourth, it is the median of all. A single reading is provisional.
    #[must_use]
    pub const fn pressure(&self) -> Option<BloodPressure> {
        self.pressure
    }

    /// The mean pressure in tenths of mmHg: as measured where every reading has one, else estimated.
    #[must_use]
    pub const fn mean(&self) -> Option<u16> {
        self.mean
    }

    /// What is reviewed before the dose (rows 12 and 13): not a single reading.
    #[must_use]
    pub fn to_review(&self) -> Option<BloodPressure> {
        self.pressure.filter(|_| !self.provisional())
    }

    /// Whether it rests on a single reading.
    #[must_use]
    pub fn provisional(&self) -> bool {
        self.count() == 1
    }

    /// The saturation.
    #[must_use]
    pub const fn spo2(&self) -> Option<Spo2> {
        self.spo2
    }

    /// The pulse rate.
    #[must_use]
    pub const fn pulse(&self) -> Option<PulseRate> {
        self.pulse
    }

    /// Whether another reading is wanted soon: there are not three yet, or they lie too far apart.
    #[must_use]
    pub fn wants_another(&self) -> bool {
        let count = self.count();
        count < READINGS || count == READINGS && self.counted_spread() > SPREAD
    }

    /// Takes a reading.
    pub fn take(&mut self, pressure: BloodPressure, measured_at: Time) {
        let at = self.readings.partition_point(|(at, _)| *at <= measured_at);
        self.readings.insert(at, (measured_at, pressure));
        self.work_out();
    }

    /// The dose was given at `dose`: only what was before it counts (R5.3).
    pub fn freeze(&mut self, dose: Time, spo2: Option<Spo2>, pulse: Option<PulseRate>) {
        self.frozen = Some(dose);
        (self.spo2, self.pulse) = (spo2, pulse);
        self.work_out();
    }

    /// The dose was not given after all.
    pub fn thaw(&mut self) {
        self.frozen = None;
        (self.spo2, self.pulse) = (None, None);
        self.work_out();
    }

    /// It is measured anew.
    pub fn retake(&mut self) {
        *self = Self::default();
    }

    fn counted(&self) -> impl Iterator<Item = &(Time, BloodPressure)> {
        let frozen = self.frozen;
        self.readings.iter().filter(move |(at, _)| frozen.is_none_or(|dose| *at <= dose))
    }

    fn counted_spread(&self) -> u16 {
        let systolic = || self.counted().skip(1).filter_map(|(_, bp)| bp.systolic()).map(Pressure::as_mmhg);
        systolic().max().unwrap_or_default().saturating_sub(systolic().min().unwrap_or_default())
    }

    fn work_out(&mut self) {
        let (pressure, mean) = self.worked_out().unzip();
        (self.pressure, self.mean) = (pressure, mean);
    }

    /// The pressure, and its mean in tenths of mmHg.
    fn worked_out(&self) -> Option<(BloodPressure, u16)> {
        let all: Vec<_> = self.counted().map(|(_, bp)| *bp).filter(|bp| bp.systolic().is_some()).collect();
        let used = match all.as_slice() {
            [] => return None,
            [only] => core::slice::from_ref(only),
            [_, one, other, _, ..] if spread(&[*one, *other]) > SPREAD => all.as_slice(),
            [_, rest @ ..] => rest.get(..rest.len().min(READINGS - 1))?,
        };
        let average: fn(Vec<u16>) -> Option<u16> = if used.len() > READINGS - 1 { median } else { average };
        let systolic = average(used.iter().filter_map(|bp| bp.systolic()).map(Pressure::as_mmhg).collect())?;
        let diastolic = average(used.iter().filter_map(|bp| bp.diastolic()).map(Pressure::as_mmhg).collect())?;
        let measured: Option<Vec<u16>> =
            used.iter().map(|bp| bp.measured_mean().map(|mean| mean.as_mmhg().saturating_mul(10))).collect();
        let mean = match measured {
            Some(means) => average(means)?,
            None => {
                diastolic.saturating_mul(10).saturating_add(systolic.saturating_sub(diastolic).saturating_mul(10) / 3)
            }
        };
        Some((BloodPressure::full(systolic, diastolic, None)?, mean))
    }
}

/// How far the systolic pressures lie apart.
fn spread(readings: &[BloodPressure]) -> u16 {
    let systolic = || readings.iter().filter_map(|bp| bp.systolic()).map(Pressure::as_mmhg);
    systolic().max().unwrap_or_default().saturating_sub(systolic().min().unwrap_or_default())
}

fn average(values: Vec<u16>) -> Option<u16> {
    let count = u16::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum = values.iter().fold(0_u16, |sum, value| sum.saturating_add(*value));
    Some((sum + count / 2) / count)
}

fn median(mut values: Vec<u16>) -> Option<u16> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().checked_sub(1)? / 2)?;
    average([*lower, *upper].into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn at(min: u64) -> Time {
        Time::ZERO + Span::mins(min)
    }

    #[test]
    fn r5_9_worked_the_first_reading_is_discarded_and_the_next_two_averaged() {
        let mut baseline = Baseline::default();
        for (min, systolic) in [(0, 138), (2, 128), (4, 124)] {
            baseline.take(BloodPressure::full(systolic, 78, None).unwrap(), at(min));
        }
        assert_eq!(baseline.pressure(), BloodPressure::full(126, 78, None));
        assert_eq!(baseline.mean(), Some(940), "94.0 mmHg, so that row 18 begins at 122.2");
        assert!(!baseline.provisional() && !baseline.wants_another());
    }

    #[test]
    fn r5_9_readings_that_differ_too_much_ask_for_a_fourth_and_are_replaced_by_the_median_of_all() {
        let mut baseline = Baseline::default();
        for (min, systolic) in [(0, 170), (2, 145), (4, 128)] {
            baseline.take(BloodPressure::full(systolic, 80, None).unwrap(), at(min));
        }
        assert!(baseline.wants_another());
        baseline.take(BloodPressure::full(130, 80, None).unwrap(), at(6));
        assert!(!baseline.wants_another());
        // median of 128, 130, 145, 170
        assert_eq!(baseline.pressure(), BloodPressure::full(138, 80, None));
    }

    #[test]
    fn r5_9_a_single_reading_is_a_provisional_baseline_that_is_not_judged_before_the_dose() {
        let mut baseline = Baseline::default();
        assert_eq!(baseline.pressure(), None);
        baseline.take(BloodPressure::full(168, 100, None).unwrap(), at(0));
        assert_eq!(baseline.pressure(), BloodPressure::full(168, 100, None));
        assert!(baseline.provisional());
        assert_eq!(baseline.to_review(), None, "the first reading is discarded");
    }

    #[test]
    fn r5_3_the_baseline_uses_what_was_before_the_dose_and_an_undone_dose_gives_it_back() {
        let mut baseline = Baseline::default();
        for (min, systolic) in [(0, 138), (2, 128), (4, 124), (14, 160)] {
            baseline.take(BloodPressure::full(systolic, 80, None).unwrap(), at(min));
        }
        baseline.freeze(at(2), None, None);
        assert_eq!(baseline.pressure(), BloodPressure::full(128, 80, None));
        baseline.thaw();
        assert_eq!(baseline.pressure(), BloodPressure::full(126, 80, None));
    }

    #[test]
    fn r5_9_a_measured_mean_is_used_where_every_reading_has_one() {
        let mut baseline = Baseline::default();
        for (min, mean) in [(0, 90), (2, 96), (4, 98)] {
            baseline.take(BloodPressure::full(126, 78, Some(mean)).unwrap(), at(min));
        }
        assert_eq!(baseline.mean(), Some(970));
    }

    #[test]
    fn r5_9_a_baseline_taken_anew_forgets_the_old_one() {
        let mut baseline = Baseline::default();
        baseline.take(BloodPressure::full(168, 100, None).unwrap(), at(0));
        baseline.retake();
        assert_eq!((baseline.pressure(), baseline.count()), (None, 0));
    }
}
