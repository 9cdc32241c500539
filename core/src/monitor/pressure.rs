//! The rows of the blood pressure: each judges every valid determination at once (R2.7, rows 12 to 22, 31 and 35).
//!
//! Two things come by time alone: a severe pressure that nobody measures again (row 15), and a pulse that grows
//! slow while a severe pressure is still fresh (row 35). Everything else waits for the next determination.

mod verdict;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::condition::{Change, Readings, Side};
use crate::monitor::output::{Condition, Limit, Phase, Priority, Value};
use crate::monitor::preset::{Preset, PressureRow, PressureTerms};
use crate::monitor::room::watches_empty_room;
use crate::time::{Span, Time};
use crate::vitals::{BloodPressure, PulseRate};

pub(super) use verdict::worse;
use verdict::{Look, Verdict};

/// So many determinations are looked back on: measured one after the other for five minutes (R8.4), they still
/// leave the one before.
const REMEMBERED: usize = 8;
/// Row 35 ends with its parts: its pulse part as row 10 does, so far above the limit, bpm ...
const SLOW_HYSTERESIS: u16 = 3;
/// ... for so long.
const SLOW_CLEAR: Span = Span::secs(15);

/// Judges determinations by the rows of a preset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// One for each row of the preset, in its order.
    lives: Vec<Standing>,
    /// The last determinations, oldest first.
    past: Vec<Reading>,
    /// Since when a severe pressure waits to be measured again (row 15).
    severe: Option<Time>,
    /// Since when the pulse has not been slow any more (row 35).
    quick: Option<Time>,
}

/// How one row stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    life: Readings,
    /// The gravest priority of this episode, where the row keeps it until it ends.
    held: Option<Priority>,
}

/// A valid determination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was measured.
    pub measured_at: Time,
    /// The pressure.
    pub pressure: BloodPressure,
    /// The pulse that went with it: of the oximeter if that was good, else of the cuff (row 22).
    pub pulse: Option<PulseRate>,
}

/// The circumstances a determination is judged in.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Now.
    pub now: Time,
    /// The present phase.
    pub phase: Phase,
    /// The phase whose rows hold beside those of the present one.
    pub also: Phase,
    /// Whether a room without a session is watched (R5.1).
    pub armed: bool,
    /// When the dose took effect.
    pub dose: Option<Time>,
    /// The regular interval of the cuff in this phase.
    pub interval: Span,
    /// Whether the person is older than 65.
    pub over_65: bool,
    /// What is reviewed before the dose (rows 12 and 13).
    pub review: Option<BloodPressure>,
    /// The baseline.
    pub baseline: Option<BloodPressure>,
    /// Its mean pressure, tenths of mmHg.
    pub baseline_mean: Option<u16>,
}

/// What a determination, or time, did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which row.
    pub condition: Condition,
    /// What happened to it, if anything.
    pub change: Option<Change>,
    /// Whether the comparator held.
    pub violates: bool,
    /// Its priority from now on, if it is active.
    pub priority: Priority,
    /// The limit it was judged by.
    pub limit: Limit,
    /// The baseline that the limit was made from.
    pub baseline: Option<Value>,
    /// What it was judged on: the determination, or before the dose the baseline.
    pub value: Value,
}

impl Rows {
    /// For the rows of `preset`.
    #[must_use]
    pub fn new(preset: &Preset) -> Self {
        let lives = preset.pressure.iter().map(|_| Standing::default()).collect();
        Self { lives, past: Vec::with_capacity(REMEMBERED), ..Self::default() }
    }

    /// Takes a valid determination and tells what it did to each row that it is judged by, the gravest row first:
    /// what ends does not accept for what begins (R4.1).
    pub fn judge(
        &mut self,
        reading: Reading,
        circumstances: &Circumstances,
        preset: &Preset,
        mut out: impl FnMut(Judgement),
    ) {
        let terms = &preset.pressure_terms;
        let fresh = reading.is_fresh(circumstances.now, preset);
        let reading = Reading { pulse: reading.pulse.filter(|_| fresh), ..reading };
        let newest = self.remember(reading);
        for index in gravest_first(&preset.pressure) {
            let Some((row, standing)) = preset.pressure.get(index).zip(self.lives.get_mut(index)) else { continue };
            // Only row 15 looks back; and only the newest reading ends anything.
            if !newest && (row.condition != Condition::PressureSevereConfirmed || standing.life.active()) {
                continue;
            }
            let Some((priority, limit)) = circumstances.priority(row).zip(circumstances.limit(row, terms)) else {
                if let Some(ended) = standing.switch_off(row, Value::Pressure(reading.pressure)) {
                    out(ended);
                }
                continue;
            };
            let judged = if circumstances.judges_baseline(row) {
                circumstances.review.map(|pressure| Reading { pressure, ..reading })
            } else {
                Some(reading)
            };
            let look = Look { row, limit, past: &self.past, circumstances, terms };
            let Some(verdict) = judged.and_then(|reading| look.verdict(reading)) else { continue };
            let severe = row.condition == Condition::PressureSevere;
            if severe && newest {
                self.severe = None;
            }
            let judgement = standing.judge(row, &verdict, priority, circumstances);
            if severe && judgement.change == Some(Change::Activated) {
                self.severe = Some(circumstances.now);
            }
            out(judgement);
        }
    }

    /// What comes between two determinations: by time, unless a standby holds it back, and by the good `pulse` of
    /// the oximeter.
    pub fn settle(
        &mut self,
        pulse: Option<PulseRate>,
        standby: bool,
        circumstances: &Circumstances,
        preset: &Preset,
        mut out: impl FnMut(Judgement),
    ) {
        let now = circumstances.now;
        let Some(newest) = self.past.last().copied() else { return };
        let not_remeasured = self.not_remeasured_at(standby, preset).is_some_and(|at| at <= now);
        if not_remeasured {
            self.severe = None;
        }
        for (row, standing) in preset.pressure.iter().zip(&mut self.lives) {
            let verdict = match (row.condition, row.limit) {
                (Condition::PressureSevereConfirmed, _) if not_remeasured && !standing.life.active() => {
                    Verdict::of(Side::Violation, row.limit, Value::NotRemeasured(newest.pressure))
                }
                (_, Limit::PressureAndPulse { at_most, .. }) => {
                    let quick = pulse.is_some_and(|pulse| pulse.as_bpm() >= at_most.saturating_add(SLOW_HYSTERESIS));
                    self.quick = if quick { self.quick.or(Some(now)) } else { None };
                    let reading = Reading { pulse: pulse.filter(|_| newest.is_fresh(now, preset)), ..newest };
                    let verdict = verdict::slow_pulse(row, reading);
                    let over = self.quick.is_some_and(|since| now.since(since) >= SLOW_CLEAR);
                    // Only a determination ends it by its pressure (R2.7).
                    let side = match verdict.side {
                        Side::Violation => Side::Violation,
                        _ if over => Side::Beyond,
                        _ => Side::Band,
                    };
                    Verdict { side, ..verdict }
                }
                _ => continue,
            };
            let judgement = match circumstances.priority(row) {
                Some(priority) => Some(standing.judge(row, &verdict, priority, circumstances)),
                None => standing.switch_off(row, verdict.value),
            };
            if let Some(judgement) = judgement.filter(|it| it.change.is_some() || pulse.is_some()) {
                out(judgement);
            }
        }
    }

    /// When something comes by time alone.
    #[must_use]
    pub fn deadline(&self, standby: bool, preset: &Preset) -> Option<Time> {
        let slow = self.any(preset, |condition| condition == Condition::HighPressureSlowPulse);
        let quick = self.quick.filter(|_| slow).map(|since| since + SLOW_CLEAR);
        [self.not_remeasured_at(standby, preset), quick].into_iter().flatten().min()
    }

    /// Whether one of these conditions is active.
    #[must_use]
    pub fn any(&self, preset: &Preset, conditions: impl Fn(Condition) -> bool) -> bool {
        preset
            .pressure
            .iter()
            .zip(&self.lives)
            .any(|(row, standing)| standing.life.active() && conditions(row.condition))
    }

    /// The patient is back: there is time again to measure what was severe before the standby.
    pub fn resume(&mut self, now: Time) {
        self.severe = self.severe.map(|_| now);
    }

    /// Back to normal, whatever it was.
    pub fn reset(&mut self) {
        self.lives.iter_mut().for_each(|standing| *standing = Standing::default());
        self.past.clear();
        (self.severe, self.quick) = (None, None);
    }

    /// Puts a reading in its place, and tells whether it is the newest: one that was typed in late does not speak
    /// for now.
    fn remember(&mut self, reading: Reading) -> bool {
        let at = self.past.partition_point(|other| other.measured_at <= reading.measured_at);
        self.past.insert(at, reading);
        let newest = at + 1 == self.past.len();
        if self.past.len() > REMEMBERED {
            self.past.remove(0);
        }
        newest
    }

    fn not_remeasured_at(&self, standby: bool, preset: &Preset) -> Option<Time> {
        self.severe.filter(|_| !standby).map(|since| since + preset.pressure_terms.not_remeasured)
    }
}

/// The places of the rows, the gravest condition first.
fn gravest_first(rows: &[PressureRow]) -> impl Iterator<Item = usize> {
    let each = |condition| rows.iter().enumerate().filter(move |(_, row)| row.condition == condition);
    Condition::ALL.iter().rev().flat_map(move |condition| each(*condition)).map(|(place, _)| place)
}

impl Standing {
    fn judge(
        &mut self,
        row: &PressureRow,
        verdict: &Verdict,
        priority: Priority,
        circumstances: &Circumstances,
    ) -> Judgement {
        let change = self.life.judge(verdict.side, row.clear_readings);
        let priority = verdict.priority.unwrap_or(priority);
        // Row 21, and rows 13, 17 and 18 in recovery: a reading between two grave ones does not ease the episode.
        let keeps = row.condition == Condition::PressureVeryLow || circumstances.phase == Phase::Recovery;
        self.held = Some(priority).max(self.held).filter(|_| keeps && self.life.active());
        Judgement {
            condition: row.condition,
            change,
            violates: verdict.side == Side::Violation,
            priority: self.held.unwrap_or(priority),
            limit: verdict.limit,
            baseline: circumstances.baseline_of(row),
            value: verdict.value,
        }
    }

    /// The row is off in this phase, or has no baseline: at this determination it ends (R5.5).
    fn switch_off(&mut self, row: &PressureRow, value: Value) -> Option<Judgement> {
        let Self { life, .. } = core::mem::take(self);
        life.active().then_some(Judgement {
            condition: row.condition,
            change: Some(Change::Ended),
            violates: false,
            priority: Priority::Low,
            limit: row.limit,
            baseline: None,
            value,
        })
    }
}

impl Reading {
    /// Rows 22 and 35: whether it still counts beside a pulse.
    fn is_fresh(&self, now: Time, preset: &Preset) -> bool {
        now.since(self.measured_at) <= preset.pressure_terms.fresh
    }
}

impl Circumstances {
    /// The priority of a row now; `None`: it is off.
    fn priority(&self, row: &PressureRow) -> Option<Priority> {
        let judged = self.phase != Phase::NoSession || self.armed && watches_empty_room(row.condition);
        row.priority.at_either(self.phase, self.also).filter(|_| judged)
    }

    /// The limit of a row now; `None`: it needs a baseline, and there is none.
    fn limit(&self, row: &PressureRow, terms: &PressureTerms) -> Option<Limit> {
        match (row.condition, row.limit) {
            (Condition::PressureElevated, Limit::PressureAbove { diastolic, .. }) if self.over_65 => {
                Some(Limit::PressureAbove { systolic: terms.elevated_systolic_over_65, diastolic })
            }
            (Condition::SystolicLow, Limit::PressureBelow { mean, .. }) if self.phase == Phase::Baseline => {
                Some(Limit::PressureBelow { systolic: Some(terms.low_systolic_baseline), mean })
            }
            (_, Limit::PressureRise { systolic, diastolic }) => {
                let (s, d) = self.baseline.and_then(|bp| bp.systolic().zip(bp.diastolic()))?;
                Some(Limit::PressureAtLeast {
                    systolic: s.as_mmhg().saturating_add(systolic),
                    diastolic: d.as_mmhg().saturating_add(diastolic),
                })
            }
            (_, Limit::MeanRise(percent)) => {
                let limit = u32::from(self.baseline_mean?).saturating_mul(u32::from(percent)).div_ceil(100);
                u16::try_from(limit).ok().map(Limit::MeanAtLeast)
            }
            (_, limit) => Some(limit),
        }
    }

    /// The baseline, if the limit of the row is made from it.
    fn baseline_of(&self, row: &PressureRow) -> Option<Value> {
        let relative = matches!(row.limit, Limit::PressureRise { .. } | Limit::MeanRise(_));
        self.baseline.filter(|_| relative).map(Value::Pressure)
    }

    /// Before the dose rows 12 and 13 judge the baseline: a single reading is a person who has just sat down (R5.9).
    fn judges_baseline(&self, row: &PressureRow) -> bool {
        row.condition == Condition::PressureElevated
            || row.condition == Condition::PressureHigh && self.phase == Phase::Baseline
    }
}
