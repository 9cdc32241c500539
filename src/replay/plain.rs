//! The plain rules that vitalsd is held against: a limit, no delay, no memory.

use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, Spo2};

use super::track::{Numbers, Stretch};

/// The limit of the saturation, tenths of a percent: below it is an alarm, at once.
const SPO2_TENTHS: u16 = 900;
/// An excursion of the saturation begins with a value below the limit that stays there for this long ...
const LASTS: Span = Span::secs(10);
/// ... and ends once this much time has passed at or above it.
const OVER: Span = Span::secs(90);

/// A plain rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Spo2,
    PulseHigh,
    PulseLow,
    PressureHigh,
    PressureLow,
}

impl Rule {
    pub(super) const ALL: [Self; 5] =
        [Self::Spo2, Self::PulseHigh, Self::PulseLow, Self::PressureHigh, Self::PressureLow];

    /// Its limit, for people.
    pub(super) const fn limit(self) -> &'static str {
        match self {
            Self::Spo2 => "SpO2 < 90",
            Self::PulseHigh => "pulse > 120",
            Self::PulseLow => "pulse < 50",
            Self::PressureHigh => "BP >= 160/100",
            Self::PressureLow => "SBP < 90",
        }
    }

    fn is_broken(self, shown: &Numbers) -> bool {
        match self {
            Self::Spo2 => shown.spo2.is_some_and(|spo2| spo2.as_tenths() < SPO2_TENTHS),
            Self::PulseHigh => shown.pulse.is_some_and(|pulse| pulse.as_bpm() > 120),
            Self::PulseLow => shown.pulse.is_some_and(|pulse| pulse.as_bpm() < 50),
            Self::PressureHigh | Self::PressureLow => false,
        }
    }

    fn is_broken_by(self, pressure: BloodPressure) -> bool {
        let is = |part: Option<Pressure>, broken: fn(u16) -> bool| part.is_some_and(|part| broken(part.as_mmhg()));
        match self {
            Self::PressureHigh => is(pressure.systolic(), |s| s >= 160) || is(pressure.diastolic(), |d| d >= 100),
            Self::PressureLow => is(pressure.systolic(), |s| s < 90),
            Self::Spo2 | Self::PulseHigh | Self::PulseLow => false,
        }
    }
}

/// One unbroken time beyond the limit: one alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Onset {
    pub(super) start: Time,
    /// The first moment that is no longer beyond it.
    pub(super) end: Time,
    /// The lowest saturation in it, if there was one.
    pub(super) lowest: Option<Spo2>,
}

impl Onset {
    pub(super) const fn length(&self) -> Span {
        self.end.since(self.start)
    }

    /// Whether it lasts long enough that somebody could have come for it.
    pub(super) fn lasts(&self) -> bool {
        self.length() >= LASTS
    }
}

/// Every onset of a rule. A pressure holds until the next one, the last of them until `end`.
pub(super) fn onsets(rule: Rule, track: &[Stretch], pressures: &[(Time, BloodPressure)], end: Time) -> Vec<Onset> {
    let shown = track.iter().filter(|stretch| rule.is_broken(&stretch.shown));
    let shown = shown.map(|stretch| Onset { start: stretch.from, end: stretch.until, lowest: stretch.shown.spo2 });
    let nexts = pressures.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let measured = pressures.iter().zip(nexts).filter(|((_, pressure), _)| rule.is_broken_by(*pressure));
    let measured = measured.map(|((at, _), next)| Onset { start: *at, end: next, lowest: None });
    let mut onsets: Vec<Onset> = Vec::new();
    for part in shown.chain(measured) {
        match onsets.last_mut() {
            Some(onset) if onset.end == part.start => {
                onset.end = part.end;
                onset.lowest = [onset.lowest, part.lowest].into_iter().flatten().min();
            }
            _ => onsets.push(part),
        }
    }
    onsets
}

/// The excursions of the saturation that its onsets make up, each from its start to its last moment below.
pub(super) fn excursions(dips: &[Onset]) -> Vec<Onset> {
    let mut excursions: Vec<Onset> = Vec::new();
    for dip in dips {
        match excursions.last_mut() {
            Some(excursion) if dip.start.since(excursion.end) < OVER => {
                excursion.end = dip.end;
                excursion.lowest = [excursion.lowest, dip.lowest].into_iter().flatten().min();
            }
            _ if dip.lasts() => excursions.push(*dip),
            _ => {}
        }
    }
    excursions
}

#[cfg(test)]
mod tests {
    use super::super::content::Content;
    use super::super::track::of_rows;
    use super::*;
    use crate::recording::Row;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    fn onset(start: u64, end: u64, lowest: u16) -> Onset {
        Onset { start: s(start), end: s(end), lowest: Spo2::percent(lowest) }
    }

    #[test]
    fn a_dip_lasts_from_its_first_value_below_to_the_first_that_is_not() {
        // One row a second with these values in percent; 0 is a blank.
        let dips_of = |percents: &[u16]| {
            let row = |(n, percent): (u64, &u16)| Row {
                time_ms: n * 1_000,
                spo2_tenths: Some(percent * 10).filter(|tenths| *tenths > 0),
                ..Row::default()
            };
            let rows: Vec<_> = (0..).zip(percents).map(row).collect();
            onsets(Rule::Spo2, &of_rows(&rows, &Content::of(&rows)), &[], s(100))
        };
        assert_eq!(dips_of(&[95, 89, 88, 90, 89, 0, 87]), [onset(1, 3, 88), onset(4, 5, 89), onset(6, 7, 87)]);
        assert_eq!(dips_of(&[90, 90]), []);
    }

    #[test]
    fn a_pressure_holds_until_the_next_one() {
        let measured = [(s(0), 128), (s(300), 164), (s(600), 160), (s(900), 159), (s(1_200), 172)];
        let measured = measured.map(|(at, systolic)| (at, BloodPressure::full(systolic, 80, None).unwrap()));
        let spans: Vec<_> =
            onsets(Rule::PressureHigh, &[], &measured, s(1_500)).iter().map(|onset| (onset.start, onset.end)).collect();
        assert_eq!(spans, [(s(300), s(900)), (s(1_200), s(1_500))]);
    }

    #[test]
    fn an_excursion_begins_with_a_dip_that_lasts_and_takes_in_those_that_follow_soon() {
        let dips =
            [onset(10, 19, 88), onset(30, 40, 89), onset(129, 130, 80), onset(220, 240, 85), onset(330, 331, 89)];
        assert_eq!(excursions(&dips), [onset(30, 130, 80), onset(220, 240, 85)]);
    }
}
