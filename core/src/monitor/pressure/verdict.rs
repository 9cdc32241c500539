//! On which side of its row a determination is, where the row asks for more than its limit.

use super::{Circumstances, Reading};
use crate::monitor::condition::Side;
use crate::monitor::limits;
use crate::monitor::output::{Condition, Limit, Phase, Priority, Value};
use crate::monitor::preset::{PressureRow, PressureTerms};
use crate::time::{Span, Time};
use crate::vitals::{BloodPressure, Pressure};

/// What a determination says about a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) side: Side,
    /// The limit that it was judged by.
    pub(super) limit: Limit,
    /// Where it differs from that of the phase.
    pub(super) priority: Option<Priority>,
    pub(super) value: Value,
}

impl Verdict {
    /// With the priority of the phase.
    pub(super) const fn of(side: Side, limit: Limit, value: Value) -> Self {
        Self { side, limit, priority: None, value }
    }
}

/// A row and everything it may look at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) row: &'a PressureRow,
    /// The limit of the row now.
    pub(super) limit: Limit,
    /// The last determinations, oldest first, the one that is judged among them.
    pub(super) past: &'a [Reading],
    pub(super) circumstances: &'a Circumstances,
    pub(super) terms: &'a PressureTerms,
}

impl Look<'_> {
    /// `None`: the row has nothing to judge by.
    pub(super) fn verdict(&self, reading: Reading) -> Option<Verdict> {
        let value = Value::Pressure(reading.pressure);
        match (self.row.condition, self.limit) {
            (_, Limit::ShockIndexAtLeast(limit)) => self.shock_index(limit),
            (_, Limit::PressureClimbing { per_min, systolic }) => {
                Some(self.climbing(per_min, systolic, reading.pressure))
            }
            (_, Limit::PressureAndPulse { .. }) => Some(slow_pulse(self.row, reading)),
            (Condition::PressureSevereConfirmed, limit) => {
                let side = self.side(limit, reading.pressure)?;
                let side = if side == Side::Violation && !self.confirmed() { Side::Band } else { side };
                Some(Verdict::of(side, limit, value))
            }
            (Condition::PressureVeryLow, limit) => self.very_low(limit, reading.pressure),
            (Condition::PressureHigh | Condition::PressureRise | Condition::MeanRise, limit) => {
                let side = self.side(limit, reading.pressure)?;
                let priority = (side == Side::Violation && self.late()).then_some(Priority::Medium);
                Some(Verdict { priority, ..Verdict::of(side, limit, value) })
            }
            (_, limit) => Some(Verdict::of(self.side(limit, reading.pressure)?, limit, value)),
        }
    }

    fn side(&self, limit: Limit, pressure: BloodPressure) -> Option<Side> {
        limits::pressure(limit, self.row.hysteresis, self.row.mean_hysteresis, pressure)
    }

    fn violates(&self, reading: &Reading) -> bool {
        self.side(self.limit, reading.pressure) == Some(Side::Violation)
    }

    /// Whether the newest violates, and another at least `apart` and at most `within` before it, of the last `of`.
    fn twice(&self, apart: Span, within: Span, of: usize) -> bool {
        let mut back = self.past.iter().rev().take(of).filter(|reading| self.violates(reading));
        let newest = self.past.last().filter(|newest| self.violates(newest));
        newest.is_some_and(|newest| {
            back.any(|reading| (apart..=within).contains(&newest.measured_at.since(reading.measured_at)))
        })
    }

    /// Row 15: any two of the last three at least a minute apart, within 10 min or 1.5 intervals.
    fn confirmed(&self) -> bool {
        let within = self.terms.confirm_within.max(self.circumstances.interval.scaled(3, 2));
        self.twice(self.terms.confirm_apart, within, 3)
    }

    /// Rows 13, 17 and 18 in P3: from 90 min after the dose on two readings at least 10 min apart. Two of them within
    /// two intervals: what was expected in the window does not count against the recovery.
    fn late(&self) -> bool {
        let Circumstances { phase, dose, interval, .. } = *self.circumstances;
        let since = self.past.last().zip(dose).map(|(newest, dose)| newest.measured_at.since(dose));
        phase == Phase::Recovery
            && since.is_some_and(|since| since >= self.terms.high_late_after)
            && self.twice(self.terms.high_late_apart, interval.scaled(2, 1), self.past.len())
    }

    /// Row 21: HIGH at once below 70 / 55; below 80 / 60 MEDIUM, and HIGH on the second in a row.
    fn very_low(&self, limit: Limit, pressure: BloodPressure) -> Option<Verdict> {
        let value = Value::Pressure(pressure);
        let repeated = self.terms.very_low_repeated;
        let below = |reading: &&Reading| self.side(repeated, reading.pressure) == Some(Side::Violation);
        let in_a_row = self.past.iter().rev().take_while(below).count();
        match (self.side(limit, pressure)?, in_a_row) {
            (Side::Violation, _) => Some(Verdict::of(Side::Violation, limit, value)),
            (_, 2..) => Some(Verdict::of(Side::Violation, repeated, value)),
            (_, 1) => {
                Some(Verdict { priority: Some(Priority::Medium), ..Verdict::of(Side::Violation, repeated, value) })
            }
            // A reading that violates nothing makes nothing graver.
            _ => self
                .side(repeated, pressure)
                .map(|side| Verdict { priority: Some(Priority::Medium), ..Verdict::of(side, repeated, value) }),
        }
    }

    /// Row 22: the pulse of one determination over its systolic pressure, on two in a row.
    fn shock_index(&self, limit: u16) -> Option<Verdict> {
        let parts = |reading: &Reading| Some((reading.pulse?.as_bpm(), reading.pressure.systolic()?.as_mmhg()));
        let over = |(pulse, systolic): (u16, u16), limit: u16| {
            u32::from(pulse).saturating_mul(100).cmp(&u32::from(systolic).saturating_mul(u32::from(limit)))
        };
        let newest = self.past.last().and_then(parts)?;
        let before = self.past.iter().rev().skip(1).find_map(parts);
        let twice = before.is_some_and(|parts| over(parts, limit).is_ge());
        let side = match (over(newest, limit).is_ge(), over(newest, limit.saturating_sub(self.row.hysteresis)).is_le())
        {
            (true, _) if twice => Side::Violation,
            (false, true) => Side::Beyond,
            _ => Side::Band,
        };
        let (pulse, systolic) = newest;
        let index = u32::from(pulse).saturating_mul(100).checked_div(u32::from(systolic))?;
        Some(Verdict::of(side, self.limit, Value::ShockIndex(u16::try_from(index).ok()?)))
    }

    /// Row 31: the median of the slopes between the last three readings, all of which must climb. It ends with the
    /// next reading that does not.
    fn climbing(&self, per_min: u16, systolic: u16, pressure: BloodPressure) -> Verdict {
        let Some(slope) = self.slope() else { return Verdict::of(Side::Beyond, self.limit, Value::Pressure(pressure)) };
        let high = pressure.systolic().is_some_and(|now| now.as_mmhg() >= systolic);
        let side = if high && slope >= i32::from(per_min) { Side::Violation } else { Side::Beyond };
        Verdict::of(side, self.limit, Value::PressureTrend(pressure, slope))
    }

    /// Hundredths of mmHg a minute over the last three readings since the dose (Theil and Sen: the median of the
    /// pair slopes). `None`: fewer than three, a gap of more than 2.5 intervals, or less than four fifths of the
    /// pairs go the same way, which is all of three.
    fn slope(&self) -> Option<i32> {
        let Circumstances { dose, interval, .. } = *self.circumstances;
        let mut last = self.past.iter().rev().filter(|reading| dose.is_none_or(|dose| reading.measured_at >= dose));
        let mut point = || last.next().and_then(|reading| Some((reading.measured_at, reading.pressure.systolic()?)));
        let (c, b, a) = (point()?, point()?, point()?);
        let gap = interval.scaled(5, 2);
        if b.0.since(a.0) > gap || c.0.since(b.0) > gap {
            return None;
        }
        let mut slopes = [pair_slope(a, b)?, pair_slope(b, c)?, pair_slope(a, c)?];
        slopes.sort_unstable();
        let [least, median, most] = slopes;
        (least > 0 || most < 0).then_some(median)
    }
}

/// Hundredths of mmHg a minute from one reading to a later one.
fn pair_slope((from, low): (Time, Pressure), (to, high): (Time, Pressure)) -> Option<i32> {
    let rise = i64::from(high.as_mmhg()).saturating_sub(i64::from(low.as_mmhg()));
    let millis = i64::try_from(to.since(from).as_millis()).ok()?;
    i32::try_from(rise.saturating_mul(100 * 60_000).checked_div(millis)?).ok()
}

/// Row 35: a severe systolic pressure and a slow pulse together.
pub(super) fn slow_pulse(row: &PressureRow, reading: Reading) -> Verdict {
    let Reading { pressure, pulse, .. } = reading;
    let value = pulse.map_or(Value::Pressure(pressure), |pulse| Value::PressureAndPulse(pressure, pulse));
    let side = match (row.limit, pressure.systolic().map(Pressure::as_mmhg)) {
        (Limit::PressureAndPulse { systolic, at_most }, Some(now)) => {
            if now >= systolic && pulse.is_some_and(|pulse| pulse.as_bpm() <= at_most) {
                Side::Violation
            } else if now <= systolic.saturating_sub(row.hysteresis) {
                Side::Beyond
            } else {
                Side::Band
            }
        }
        _ => Side::Band,
    };
    Verdict::of(side, row.limit, value)
}

/// Whether `new` is further on the wrong side of `limit` than `worst`.
pub(crate) fn worse(limit: Limit, new: Value, worst: Value) -> bool {
    let falls = matches!(limit, Limit::PressureBelow { .. });
    let by_mean = matches!(limit, Limit::MeanAtLeast(_) | Limit::PressureBelow { systolic: None, .. });
    let further = |new: i32, worst: i32| if falls { new < worst } else { new > worst };
    let leading = |bp: BloodPressure| {
        let systolic = bp.systolic().filter(|_| !by_mean).map(|systolic| systolic.as_mmhg().saturating_mul(10));
        i32::from(systolic.unwrap_or_else(|| bp.mean_tenths()))
    };
    match (new, worst) {
        (Value::Pressure(new) | Value::NotRemeasured(new), Value::Pressure(worst) | Value::NotRemeasured(worst)) => {
            further(leading(new), leading(worst))
        }
        (Value::ShockIndex(new), Value::ShockIndex(worst)) => new > worst,
        (Value::PressureTrend(_, new), Value::PressureTrend(_, worst)) => new > worst,
        (Value::PressureAndPulse(_, new), Value::PressureAndPulse(_, worst)) => new < worst,
        _ => false,
    }
}
