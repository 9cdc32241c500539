//! The sustained excursions that a row of the preset must find, worked out from what was so.
//!
//! Written a second time and apart from the monitor, offline and with the whole course in hand: what the
//! monitor missed could not be known from the monitor.

use vitalsd_core::monitor::output::{Condition, Limit, Phase, Priority};
use vitalsd_core::monitor::preset::{OximetryRow, Preset, PressureRow};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate, Spo2};

use super::track::{Sight, Stretch};

/// R2.2: values beyond the hysteresis for this long, and what was pending is forgotten.
const FORGET_BEYOND: Span = Span::secs(3);
/// R2.2: no value for this long, and what was pending is forgotten.
const FORGET_BLIND: Span = Span::secs(30);

/// One time that a limit was broken for as long as the row waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excursion {
    /// When the limit was first broken.
    pub(super) start: Time,
    /// When the row must have found it: its delay has passed in time that a sensor saw. `None`: no sensor saw
    /// enough of it.
    pub(super) due: Option<Time>,
    /// When the limit was last broken.
    pub(super) end: Time,
}

/// What a row was up against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// For how long its limit was broken.
    pub(super) violation: Span,
    /// The sustained excursions.
    pub(super) excursions: Vec<Excursion>,
}

/// Which side of a limit (R2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Broken,
    Between,
    Beyond,
}

/// The course of a row of the oximeter; `priority` is that of the row at a time, `None` while it is off.
/// `None`: it is not judged by a single value, or not by a fixed limit.
pub(super) fn of_oximetry(
    row: &OximetryRow,
    track: &[Stretch],
    priority: impl Fn(Time) -> Option<Priority>,
) -> Option<Course> {
    // Row 5 is the patient's own, and row 4 stands beside it.
    if row.condition == Condition::Spo2BelowBaseline {
        return None;
    }
    let mut course = Course::default();
    let mut open = Open::default();
    for (stretch, gap) in track.iter().zip(gaps(track)) {
        open.blind(gap);
        if priority(stretch.from).is_none() {
            course.excursions.extend(open.close(row.delay));
            continue;
        }
        let length = stretch.length();
        match side(row, stretch) {
            Some(Side::Broken) => {
                course.violation = course.violation + length;
                // A pulse that is not there is seen as such, and nothing else is.
                let clear = row.limit == Limit::NoPulse;
                let sight = match () {
                    () if stretch.shadow && !stays_live(row.condition) => Sight::Blind,
                    () if clear => Sight::Clear,
                    () => stretch.sight,
                };
                open.broken(stretch, sight, row.delay);
            }
            Some(Side::Beyond) => {
                open.beyond = open.beyond + length;
                // What is active ends later; until then it stands for what comes.
                let over = if open.due.is_some() { row.clear } else { FORGET_BEYOND };
                if open.beyond >= over {
                    course.excursions.extend(open.close(row.delay));
                }
            }
            Some(Side::Between) => open.beyond = Span::ZERO,
            None if !judges(row.limit) => return None,
            None => open.blind(length),
        }
    }
    course.excursions.extend(open.close(row.delay));
    Some(course)
}

/// The time between each stretch and the one before it.
fn gaps(track: &[Stretch]) -> impl Iterator<Item = Span> {
    let ends = track.iter().map(|stretch| stretch.until);
    let starts = track.iter().skip(1).map(|stretch| stretch.from);
    [Span::ZERO].into_iter().chain(ends.zip(starts).map(|(end, start)| start.since(end)))
}

/// An excursion that may not be over.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    start: Option<Time>,
    end: Time,
    due: Option<Time>,
    /// Time in violation, seen or not.
    broken: Span,
    /// Time in violation that a sensor saw (R2.2).
    accrued: Span,
    beyond: Span,
    blind: Span,
}

impl Open {
    fn broken(&mut self, stretch: &Stretch, sight: Sight, delay: Span) {
        let length = stretch.length();
        self.start.get_or_insert(stretch.from);
        self.end = stretch.until;
        self.beyond = Span::ZERO;
        self.broken = self.broken + length;
        match sight {
            Sight::Clear => {
                let missing = delay.minus(self.accrued);
                self.blind = Span::ZERO;
                self.accrued = self.accrued + length;
                if self.due.is_none() && self.accrued >= delay {
                    self.due = Some(stretch.from + missing);
                }
            }
            Sight::Doubted => self.blind = Span::ZERO,
            Sight::Blind => self.blind(length),
        }
    }

    fn blind(&mut self, span: Span) {
        if span > Span::ZERO {
            self.blind = self.blind + span;
            if self.blind >= FORGET_BLIND && self.due.is_none() {
                self.accrued = Span::ZERO;
            }
        }
    }

    fn close(&mut self, delay: Span) -> Option<Excursion> {
        let open = std::mem::take(self);
        let sustained = open.broken >= delay;
        open.start.filter(|_| sustained).map(|start| Excursion { start, due: open.due, end: open.end })
    }
}

/// R6.4: under the cuff rows 1a to 2 stay live.
const fn stays_live(condition: Condition) -> bool {
    matches!(condition, Condition::Spo2Critical | Condition::Spo2VeryLow | Condition::Spo2Low)
}

const fn judges(limit: Limit) -> bool {
    matches!(
        limit,
        Limit::Spo2Below(_)
            | Limit::Spo2AtMost(_)
            | Limit::PulseAbove(_)
            | Limit::PulseBelow(_)
            | Limit::PulseAtMost(_)
            | Limit::NoPulse
    )
}

fn side(row: &OximetryRow, stretch: &Stretch) -> Option<Side> {
    let h = i32::from(row.hysteresis);
    let spo2 = stretch.truth.spo2.map(Spo2::as_tenths).map(i32::from);
    let pulse = stretch.truth.pulse.map(PulseRate::as_bpm).map(i32::from);
    let tenths = |limit: Spo2| i32::from(limit.as_tenths());
    let sided = |broken: bool, beyond: bool| match (broken, beyond) {
        (true, _) => Side::Broken,
        (false, true) => Side::Beyond,
        (false, false) => Side::Between,
    };
    match row.limit {
        Limit::Spo2Below(l) => spo2.map(|v| sided(v < tenths(l), v >= tenths(l) + h)),
        Limit::Spo2AtMost(l) => spo2.map(|v| sided(v <= tenths(l), v >= tenths(l) + h)),
        Limit::PulseAbove(l) => pulse.map(|v| sided(v > i32::from(l), v <= i32::from(l) - h)),
        Limit::PulseBelow(l) => pulse.map(|v| sided(v < i32::from(l), v >= i32::from(l) + h)),
        Limit::PulseAtMost(l) => pulse.map(|v| sided(v <= i32::from(l), v >= i32::from(l) + h)),
        Limit::NoPulse if stretch.pulseless => Some(Side::Broken),
        Limit::NoPulse => pulse.map(|_| Side::Beyond),
        _ => None,
    }
}

/// The course of a row of the blood pressure, which has no delay (R2.7): it is due with the determination. From
/// the dose on; before it some rows judge the baseline. `None`: it is not judged by a fixed limit.
pub(super) fn of_pressure(
    row: &PressureRow,
    preset: &Preset,
    pressures: &[(Time, BloodPressure)],
    phase: impl Fn(Time) -> Phase,
    end: Time,
) -> Option<Course> {
    let terms = &preset.pressure_terms;
    let limit = if row.condition == Condition::PressureVeryLow { terms.very_low_repeated } else { row.limit };
    let mut course = Course::default();
    let mut open: Option<Excursion> = None;
    let mut beyond = 0;
    let nexts = pressures.iter().skip(1).map(|(at, _)| *at).chain([end]);
    for (index, ((at, pressure), next)) in pressures.iter().zip(nexts).enumerate() {
        let phase = phase(*at);
        if matches!(phase, Phase::NoSession | Phase::Baseline) || row.priority.at(phase).is_none() {
            course.excursions.extend(open.take());
            continue;
        }
        let mut side = side_of(limit, row, *pressure)?;
        if row.condition == Condition::PressureSevereConfirmed && side == Side::Broken {
            // Row 15: any two of the last three, at least a minute apart and not too long.
            let within = terms.confirm_within.max(preset.cuff.dosed.scaled(3, 2));
            let two_before = pressures.get(index.saturating_sub(2)..index).unwrap_or_default();
            let severe = two_before.iter().filter(|(_, bp)| side_of(limit, row, *bp) == Some(Side::Broken));
            let confirms = |age: Span| age >= terms.confirm_apart && age <= within;
            if !severe.map(|(before, _)| at.since(*before)).any(confirms) {
                side = Side::Between;
            }
        }
        match side {
            Side::Broken => {
                course.violation = course.violation + next.since(*at);
                let excursion = open.get_or_insert(Excursion { start: *at, due: Some(*at), end: *at });
                excursion.end = next;
                beyond = 0;
            }
            Side::Between => beyond = 0,
            Side::Beyond => {
                beyond += 1;
                if beyond >= row.clear_readings {
                    course.excursions.extend(open.take());
                }
            }
        }
    }
    course.excursions.extend(open);
    Some(course)
}

fn side_of(limit: Limit, row: &PressureRow, pressure: BloodPressure) -> Option<Side> {
    let mmhg = |part: Option<Pressure>| part.map(|part| i32::from(part.as_mmhg()));
    let (systolic, diastolic) = (mmhg(pressure.systolic()), mmhg(pressure.diastolic()));
    let mean = mmhg(Some(pressure.mean()));
    // How far beyond its limit each part is, and how far it must come back.
    let h = i32::from(row.hysteresis);
    let above = |v: Option<i32>, limit: u16| v.map(|v| (v - i32::from(limit), h));
    let below = |v: Option<i32>, limit: Option<u16>, h: u16| {
        v.zip(limit).map(|(v, limit)| (i32::from(limit) - v, i32::from(h)))
    };
    let (parts, broken_from) = match limit {
        Limit::PressureAtLeast { systolic: s, diastolic: d } => ([above(systolic, s), above(diastolic, d)], 0),
        Limit::PressureAbove { systolic: s, diastolic: d } => ([above(systolic, s), above(diastolic, d)], 1),
        Limit::PressureBelow { systolic: s, mean: m } => {
            ([below(systolic, s, row.hysteresis), below(mean, m, row.mean_hysteresis)], 1)
        }
        _ => return None,
    };
    let mut parts = parts.into_iter().flatten().peekable();
    let (mut broken, mut beyond) = (false, parts.peek().is_some());
    for (by, h) in parts {
        broken |= by >= broken_from;
        beyond &= by <= -h;
    }
    Some(match (broken, beyond) {
        (true, _) => Side::Broken,
        (false, true) => Side::Beyond,
        (false, false) => Side::Between,
    })
}

#[cfg(test)]
mod tests {
    use super::super::track::Numbers;
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    /// These values of SpO2 for so many seconds each, with that sight of them.
    fn track(values: &[(u16, u64, Sight)]) -> Vec<Stretch> {
        let seconds = values.iter().flat_map(|(spo2, n, sight)| (0..*n).map(move |_| (*spo2, *sight)));
        let stretch = |(t, (spo2, sight))| {
            let truth = Numbers { spo2: Spo2::percent(spo2), pulse: PulseRate::bpm(72) };
            Stretch { from: s(t), until: s(t + 1), truth, shown: truth, sight, pulseless: false, shadow: false }
        };
        (0..).zip(seconds).map(stretch).collect()
    }

    fn due_in_row(condition: Condition, values: &[(u16, u64, Sight)]) -> Vec<Option<u64>> {
        let preset = Preset::kat_default_1();
        let row = preset.oximetry.iter().find(|row| row.condition == condition).unwrap();
        let course = of_oximetry(row, &track(values), |_| Some(Priority::High)).unwrap();
        course.excursions.iter().map(|e| e.due.map(|due| due.as_millis() / 1_000)).collect()
    }

    use Sight::{Blind, Clear, Doubted};

    #[test]
    fn r2_2_the_worked_examples_of_row_2_are_due_when_the_sheet_says() {
        let due = |values: &[(u16, u64, Sight)]| due_in_row(Condition::Spo2Low, values);
        assert_eq!(due(&[(87, 60, Clear)]), [Some(10)]);
        assert_eq!(due(&[(87, 9, Clear), (97, 60, Clear)]), []);
        assert_eq!(due(&[(87, 7, Clear), (88, 1, Clear), (87, 60, Clear)]), [Some(11)]);
        assert_eq!(due(&[(87, 5, Clear), (87, 4, Blind), (87, 60, Clear)]), [Some(14)]);
        assert_eq!(due(&[(87, 7, Clear), (95, 4, Clear), (87, 60, Clear)]), [Some(21)]);
        assert_eq!(due(&[(86, 9, Clear), (86, 6, Blind), (86, 9, Clear)]), [Some(16)]);
        let alternating: Vec<_> = (0..30).map(|n| (87 + n % 2, 1, Clear)).collect();
        assert_eq!(due(&alternating), [Some(19)]);
    }

    #[test]
    fn an_excursion_that_no_sensor_sees_enough_of_is_sustained_and_not_due() {
        let due = |values: &[(u16, u64, Sight)]| due_in_row(Condition::Spo2Low, values);
        assert_eq!(due(&[(97, 5, Clear), (87, 20, Doubted), (97, 20, Clear)]), [None]);
        assert_eq!(due(&[(87, 8, Clear), (87, 30, Blind), (87, 9, Clear), (97, 20, Clear)]), [None]);
        assert_eq!(due(&[(87, 8, Clear), (87, 30, Blind), (87, 10, Clear), (97, 20, Clear)]), [Some(48)]);
    }

    #[test]
    fn what_is_due_stands_for_what_follows_until_its_row_has_ended() {
        let values = [(87, 20, Clear), (95, 14, Clear), (87, 20, Clear), (95, 15, Clear), (87, 20, Clear)];
        assert_eq!(due_in_row(Condition::Spo2Low, &values), [Some(10), Some(79)]);
    }

    fn pressures_due(condition: Condition, readings: &[(u64, u16, u16)]) -> Vec<u64> {
        let preset = Preset::kat_default_1();
        let row = preset.pressure.iter().find(|row| row.condition == condition).unwrap();
        let reading = |(at, systolic, diastolic): &(u64, u16, u16)| {
            (s(*at), BloodPressure::full(*systolic, *diastolic, None).unwrap())
        };
        let readings: Vec<_> = readings.iter().map(reading).collect();
        let course = of_pressure(row, &preset, &readings, |_| Phase::Window, s(3_600)).unwrap();
        course.excursions.iter().filter_map(|e| e.due).map(|due| due.as_millis() / 1_000).collect()
    }

    #[test]
    fn r7_the_pressures_of_the_ramp_are_due_at_172_and_184_and_confirmed_at_186() {
        let readings = [(0, 128, 80), (300, 150, 88), (600, 172, 96), (900, 184, 104), (1_200, 186, 106)];
        assert_eq!(pressures_due(Condition::PressureHigh, &readings), [600]);
        assert_eq!(pressures_due(Condition::PressureSevere, &readings), [900]);
        assert_eq!(pressures_due(Condition::PressureSevereConfirmed, &readings), [1_200]);
        assert_eq!(pressures_due(Condition::PressureExtreme, &readings), [0; 0]);
    }

    #[test]
    fn r2_1_a_pressure_is_over_by_its_hysteresis_and_low_by_either_part() {
        let readings = [(0, 182, 90), (300, 176, 90), (600, 181, 90), (900, 175, 90), (1_200, 170, 110)];
        assert_eq!(pressures_due(Condition::PressureSevere, &readings), [0, 1_200]);
        assert_eq!(pressures_due(Condition::SystolicLow, &[(0, 90, 60), (300, 89, 60)]), [300]);
        assert_eq!(pressures_due(Condition::MeanLow, &[(0, 95, 50), (300, 92, 50)]), [300]);
    }

    #[test]
    fn r6_4_under_the_cuff_only_rows_1a_to_2_are_due() {
        let preset = Preset::kat_default_1();
        let due = |condition: Condition| {
            let row = preset.oximetry.iter().find(|row| row.condition == condition).unwrap();
            let mut track = track(&[(78, 40, Clear)]);
            track.iter_mut().take(20).for_each(|stretch| stretch.shadow = true);
            let course = of_oximetry(row, &track, |_| Some(Priority::High)).unwrap();
            course.excursions.first().and_then(|excursion| excursion.due)
        };
        assert_eq!(due(Condition::Spo2Critical), Some(s(2)));
        assert_eq!(due(Condition::Spo2Low), Some(s(10)));
        assert_eq!(due(Condition::Spo2Reduced), Some(s(35)), "15 s after the shadow");
    }
}
