//! What the rows of the preset found of what they had to find.

use vitalsd_core::monitor::output::{Condition, Phase};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::BloodPressure;

use super::excursion::{self, Course};
use super::story::{Episode, Story};
use super::track::Stretch;
use crate::wire::number::Decimal;
use crate::wire::summary::Row;

/// How much later than due is late.
const TOLERANCE: Span = Span::secs(1);

/// One row, held against what was so in one session or several.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    condition: Condition,
    delay: Span,
    violation: Span,
    hidden: u32,
    missed: u32,
    /// For each that was found: how many milliseconds after it was due, negative if before.
    after_due: Vec<i64>,
}

impl Verdict {
    fn of(condition: Condition, delay: Span, course: Course, episodes: &[Episode]) -> Self {
        let mut verdict =
            Self { condition, delay, violation: course.violation, hidden: 0, missed: 0, after_due: Vec::new() };
        for excursion in &course.excursions {
            let Some(due) = excursion.due else {
                verdict.hidden += 1;
                continue;
            };
            let last = due.max(excursion.end) + TOLERANCE;
            let in_time = |episode: &&Episode| episode.end >= due && episode.start <= last;
            match episodes.iter().filter(|episode| episode.condition == condition).find(in_time) {
                Some(episode) => verdict.after_due.push(millis(episode.start) - millis(due)),
                None => verdict.missed += 1,
            }
        }
        verdict
    }

    /// Which condition.
    pub(super) const fn condition(&self) -> Condition {
        self.condition
    }

    /// Takes in the same row of another session.
    pub(super) fn add(&mut self, other: Self) {
        self.violation = self.violation + other.violation;
        self.hidden += other.hidden;
        self.missed += other.missed;
        self.after_due.extend(other.after_due);
    }

    /// In figures.
    pub(super) fn row(mut self) -> Row {
        self.after_due.sort_unstable();
        let found = u32::try_from(self.after_due.len()).unwrap_or(u32::MAX);
        let late = self.after_due.iter().filter(|after| **after > millis(Time::ZERO + TOLERANCE)).count();
        Row {
            condition: self.condition,
            row: self.condition.row().into(),
            delay_s: Decimal::seconds(self.delay),
            violation_s: Decimal::seconds(self.violation),
            sustained: found + self.missed,
            found,
            late: u32::try_from(late).unwrap_or(u32::MAX),
            median_s: self.after_due.get(self.after_due.len() / 2).copied().map(signed_seconds),
            worst_s: self.after_due.last().copied().map(signed_seconds),
            hidden: self.hidden,
        }
    }
}

/// Every row of the preset whose limit was broken.
pub(super) fn of(
    preset: &Preset,
    track: &[Stretch],
    pressures: &[(Time, BloodPressure)],
    story: &Story,
    episodes: &[Episode],
) -> Vec<Verdict> {
    let phases = story.phases();
    let phase = |time| {
        let begun = phases.partition_point(|(from, _)| *from <= time);
        begun.checked_sub(1).and_then(|newest| phases.get(newest)).map_or(Phase::NoSession, |(_, phase)| *phase)
    };
    // The limit of row 5 is made from a baseline, which the recording alone does not tell.
    let absolute = preset.oximetry.iter().filter(|row| row.condition != Condition::Spo2BelowBaseline);
    let oximetry = absolute.filter_map(|row| {
        let course = excursion::of_oximetry(row, track, |time| row.priority.at(phase(time)))?;
        Some(Verdict::of(row.condition, row.delay, course, episodes))
    });
    let pressure = preset.pressure.iter().filter_map(|row| {
        let course = excursion::of_pressure(row, preset, pressures, phase, story.end())?;
        Some(Verdict::of(row.condition, Span::ZERO, course, episodes))
    });
    oximetry.chain(pressure).filter(|verdict| verdict.violation > Span::ZERO).collect()
}

fn millis(time: Time) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a session has fewer milliseconds than a float has digits")]
fn signed_seconds(millis: i64) -> Decimal {
    Decimal(millis as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::super::excursion::Excursion;
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    /// Row 2 up against one excursion, 100 to 160 s, due at 110 s, with these times at which it was active.
    fn judged(active: &[(u64, u64)]) -> Row {
        let excursions = vec![Excursion { start: s(100), due: Some(s(110)), end: s(160) }];
        let episodes: Vec<_> =
            active.iter().map(|(start, end)| Episode::for_test(Condition::Spo2Low, s(*start), s(*end))).collect();
        let course = Course { violation: Span::secs(60), excursions };
        Verdict::of(Condition::Spo2Low, Span::secs(10), course, &episodes).row()
    }

    #[test]
    fn what_is_found_a_second_after_it_is_due_is_in_time_and_later_is_late() {
        let of = |active: &[(u64, u64)]| {
            let row = judged(active);
            (row.sustained, row.found, row.late, row.worst_s.map(|worst| worst.0))
        };
        assert_eq!(of(&[(110, 175)]), (1, 1, 0, Some(0.0)));
        assert_eq!(of(&[(111, 175)]), (1, 1, 0, Some(1.0)));
        assert_eq!(of(&[(112, 175)]), (1, 1, 1, Some(2.0)));
        assert_eq!(of(&[(105, 175)]), (1, 1, 0, Some(-5.0)), "a latched row comes back earlier (R2.6)");
    }

    #[test]
    fn what_ended_before_it_was_due_or_began_when_all_was_over_has_missed_it() {
        for active in [&[][..], &[(60, 109)], &[(162, 180)]] {
            let row = judged(active);
            assert_eq!((row.sustained, row.found, row.worst_s), (1, 0, None), "{active:?}");
        }
        assert_eq!(judged(&[(60, 105), (110, 175)]).found, 1);
    }
}
