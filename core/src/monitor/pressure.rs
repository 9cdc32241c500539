//! The rows of the blood pressure: each judges every valid determination at once (R2.7, rows 12 to 21).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::condition::{Change, Readings, Side};
use crate::monitor::limits;
use crate::monitor::output::{Condition, Limit, Phase, Priority};
use crate::monitor::preset::{Preset, PressureRow, PressureTerms};
use crate::time::{Span, Time};
use crate::vitals::BloodPressure;

/// Judges determinations by the rows of a preset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// One for each row of the preset, in its order.
    lives: Vec<Readings>,
    /// The last three determinations, oldest first.
    past: Vec<(Time, BloodPressure)>,
}

/// The circumstances a determination is judged in.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The present phase.
    pub phase: Phase,
    /// How long ago the dose was, when it was measured.
    pub since_dose: Option<Span>,
    /// The present interval of the cuff.
    pub interval: Span,
    /// Whether the person is older than 65.
    pub over_65: bool,
    /// The baseline so far.
    pub baseline: Option<BloodPressure>,
}

/// What a determination did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which row.
    pub condition: Condition,
    /// What happened to it, if anything.
    pub change: Option<Change>,
    /// Its priority from now on, if it is active.
    pub priority: Priority,
    /// The limit it was judged by.
    pub limit: Limit,
    /// The pressure it was judged on: the determination, or before the dose the baseline.
    pub value: BloodPressure,
}

impl Rows {
    /// For the rows of `preset`.
    #[must_use]
    pub fn new(preset: &Preset) -> Self {
        Self { lives: preset.pressure.iter().map(|_| Readings::default()).collect(), past: Vec::with_capacity(4) }
    }

    /// Takes a valid determination and tells what it did to each row that it is judged by. `applies`
    /// gives the priority of a row in the present phase, `None` if it is off.
    pub fn judge(
        &mut self,
        pressure: BloodPressure,
        measured_at: Time,
        circumstances: &Circumstances,
        preset: &Preset,
        applies: impl Fn(&PressureRow) -> Option<Priority>,
        mut out: impl FnMut(Judgement),
    ) {
        // A reading that was typed in late takes its place among the others, but does not speak for now.
        let at = self.past.partition_point(|(at, _)| *at <= measured_at);
        self.past.insert(at, (measured_at, pressure));
        let newest = at + 1 == self.past.len();
        if self.past.len() > 3 {
            self.past.remove(0);
        }
        for (row, life) in preset.pressure.iter().zip(&mut self.lives) {
            let before_dose = matches!(row.condition, Condition::PressureElevated)
                || row.condition == Condition::PressureHigh && circumstances.phase == Phase::Baseline;
            // Only row 15 looks back; and only the newest reading ends anything.
            if !newest && (row.condition != Condition::PressureSevereConfirmed || life.active()) {
                continue;
            }
            let value = if before_dose { circumstances.baseline } else { Some(pressure) };
            let Some(value) = value else { continue };
            let limit = limit_of(row, circumstances, &preset.pressure_terms);
            let Some(priority) = applies(row) else {
                // The row is off in this phase: at this determination it ends (R5.5).
                let change = life.active().then_some(Change::Ended);
                life.reset();
                if change.is_some() {
                    out(Judgement { condition: row.condition, change, priority: Priority::Low, limit, value });
                }
                continue;
            };
            let verdict = Verdict::of(row, limit, value, &self.past, circumstances, &preset.pressure_terms);
            let Some(verdict) = verdict else { continue };
            let change = life.judge(verdict.side, row.clear_readings);
            let priority = verdict.priority.unwrap_or(priority);
            out(Judgement { condition: row.condition, change, priority, limit: verdict.limit, value });
        }
    }

    /// Back to normal, whatever it was.
    pub fn reset(&mut self) {
        self.lives.iter_mut().for_each(Readings::reset);
        self.past.clear();
    }
}

/// The side of a determination in one row, where the row says more than its limit.
struct Verdict {
    side: Side,
    limit: Limit,
    /// Where it differs from that of the phase.
    priority: Option<Priority>,
}

impl Verdict {
    fn of(
        row: &PressureRow,
        limit: Limit,
        value: BloodPressure,
        past: &[(Time, BloodPressure)],
        circumstances: &Circumstances,
        terms: &PressureTerms,
    ) -> Option<Self> {
        let side_by = |limit, value| limits::pressure(limit, row.hysteresis, row.mean_hysteresis, value);
        let side = side_by(limit, value)?;
        let violates = |(_, bp): &&(Time, BloodPressure)| side_by(limit, *bp) == Some(Side::Violation);
        match row.condition {
            // Row 13, P3: MEDIUM from 90 min after the dose on two readings at least 10 min apart.
            Condition::PressureHigh if circumstances.phase == Phase::Recovery => {
                let mut high = past.iter().filter(violates).map(|(at, _)| *at);
                let apart = high.next().zip(high.next_back()).is_some_and(|(a, b)| b.since(a) >= terms.high_late_apart);
                let late = circumstances.since_dose.is_some_and(|span| span >= terms.high_late_after);
                Some(Self { side, limit, priority: (late && apart).then_some(Priority::Medium) })
            }
            // Row 15: any two of the last three at least a minute apart, within 10 min or 1.5 intervals.
            Condition::PressureSevereConfirmed => {
                let within = terms.confirm_within.max(circumstances.interval.scaled(3, 2));
                let severe = past.iter().filter(violates).map(|(at, _)| *at);
                let confirmed = side == Side::Violation
                    && past.last().filter(violates).is_some_and(|(newest, _)| {
                        severe.map(|at| newest.since(at)).any(|age| age >= terms.confirm_apart && age <= within)
                    });
                let side = if side == Side::Violation && !confirmed { Side::Band } else { side };
                Some(Self { side, limit, priority: None })
            }
            // Row 21: HIGH at once below 70 / 55; below 80 / 60 MEDIUM, and HIGH on the second in a row.
            Condition::PressureVeryLow => {
                let repeated = terms.very_low_repeated;
                let below = |(_, bp): &(Time, BloodPressure)| side_by(repeated, *bp) == Some(Side::Violation);
                let in_a_row = past.iter().rev().take_while(|reading| below(reading)).count();
                match (side, in_a_row) {
                    (Side::Violation, _) => Some(Self { side, limit, priority: None }),
                    (_, 2..) => Some(Self { side: Side::Violation, limit: repeated, priority: None }),
                    (_, 1) => Some(Self { side: Side::Violation, limit: repeated, priority: Some(Priority::Medium) }),
                    _ => side_by(repeated, value).map(|side| Self { side, limit: repeated, priority: None }),
                }
            }
            _ => Some(Self { side, limit, priority: None }),
        }
    }
}

/// The limit of a row in these circumstances.
fn limit_of(row: &PressureRow, circumstances: &Circumstances, terms: &PressureTerms) -> Limit {
    match (row.condition, row.limit) {
        (Condition::PressureElevated, Limit::PressureAbove { diastolic, .. }) if circumstances.over_65 => {
            Limit::PressureAbove { systolic: terms.elevated_systolic_over_65, diastolic }
        }
        (Condition::SystolicLow, Limit::PressureBelow { mean, .. }) if circumstances.phase == Phase::Baseline => {
            Limit::PressureBelow { systolic: Some(terms.low_systolic_baseline), mean }
        }
        (_, limit) => limit,
    }
}
