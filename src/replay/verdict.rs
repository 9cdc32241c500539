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
        let mut verdict = Self {
            condition,
            delay,
            violation: course.violation,
            hidden: 0,
            missed: 0,
            after_due: Vec::new(),
        };
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
    let oximetry = preset.oximetry.iter().filter_map(|row| {
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
