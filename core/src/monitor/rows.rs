//! The rows of the oximeter: each judges every sample, and lives by the sum of time (R2, rows 1a to 11, 25).

use crate::monitor::announce::Cause;
use crate::monitor::bed::Bed;
use crate::monitor::condition::{Change, Life, Side, Terms, Verdict};
use crate::monitor::limits;
use crate::monitor::output::{Condition, Limit, Phase, Priority, Value};
use crate::monitor::preset::OximetryRow;
use crate::monitor::session::watches_empty_room;
use crate::vitals::{Absent, BloodPressure, Doubt, Measured};

impl Bed {
    pub(super) fn rows(&self) -> impl Iterator<Item = (&OximetryRow, &Life)> {
        self.preset.oximetry.iter().zip(&self.state.lives)
    }

    /// The priority of a row now; `None`: it is off.
    pub(super) fn row_priority(&self, row: &OximetryRow) -> Option<Priority> {
        let phase = self.state.session.phase();
        applies(row.condition, phase, self.state.room.armed()).then(|| row.priority.at(phase)).flatten()
    }

    pub(super) fn terms(&self, row: &OximetryRow) -> Terms {
        Terms {
            delay: row.delay,
            clear: row.clear,
            starts_when_doubted: matches!(row.condition, Condition::Spo2Critical | Condition::Spo2VeryLow),
            motion_doubles: !matches!(
                row.condition,
                Condition::Spo2Critical | Condition::Spo2VeryLow | Condition::Spo2Low | Condition::NoPulse
            ),
            latched: self.state.board.is_latched(row.condition),
        }
    }

    pub(super) fn judge_oximetry(&mut self) {
        let state = &mut self.state;
        let spo2 = state.oximeter.spo2();
        let pulse = state.oximeter.pulse();
        for (row, life) in self.preset.oximetry.iter().zip(&mut state.lives) {
            let verdict = match row.limit {
                Limit::Spo2Below(_) | Limit::Spo2AtMost(_) if spo2.raises_alarms() => {
                    verdict(spo2.held(), |value| limits::spo2(row.limit, row.hysteresis, value))
                }
                Limit::PulseAbove(_) | Limit::PulseBelow(_) | Limit::PulseAtMost(_) if pulse.raises_alarms() => {
                    verdict(pulse.held(), |value| limits::pulse(row.limit, row.hysteresis, value))
                }
                Limit::NoPulse if pulse.raises_alarms() => match pulse.held() {
                    Measured::Absent(Absent::NoPulse) => Verdict::Good(Side::Violation),
                    Measured::Good(_) => Verdict::Good(Side::Beyond),
                    Measured::Questionable(..) | Measured::Absent(_) => Verdict::Blank,
                },
                _ => Verdict::Blank,
            };
            life.judge(verdict);
            if !life.active() {
                continue;
            }
            let value = match row.limit {
                Limit::Spo2Below(_) | Limit::Spo2AtMost(_) => spo2.held().value().map(Value::Spo2),
                Limit::NoPulse if pulse.held() == Measured::Absent(Absent::NoPulse) => {
                    Some(Value::Absent(Absent::NoPulse))
                }
                _ => pulse.held().value().map(Value::Pulse),
            };
            state.board.observe(row.condition, value, |new, worst| worse(row.limit, new, worst));
        }
        // A pulse that is not counted beside a good saturation is missing too: silence is never "all well".
        let counted = !pulse.expected() || pulse.held().value().is_some();
        let good = (!spo2.expected() || spo2.held().good().is_some()) && counted;
        state.unavailable.judge(good, state.now);
    }

    /// Why there is no good SpO2, or no pulse beside it.
    pub(super) fn spo2_absence(&self) -> Absent {
        let (spo2, pulse) = (self.state.oximeter.spo2(), self.state.oximeter.pulse());
        match (spo2.held(), pulse.held()) {
            (Measured::Absent(reason), _) if spo2.expected() => reason,
            (Measured::Good(_), Measured::Absent(reason)) if pulse.expected() => reason,
            _ => Absent::InadequateSignal,
        }
    }

    pub(super) fn third_baseline(&self) -> bool {
        self.state.session.baseline().count() >= 3
    }

    pub(super) fn settle_oximetry(&mut self) {
        let phase = self.state.session.phase();
        let now = self.state.now;
        for index in 0..self.preset.oximetry.len() {
            if self.state.lives.get(index).is_none_or(Life::at_rest) {
                continue;
            }
            let Some(row) = self.preset.oximetry.get(index).copied() else { continue };
            let (terms, priority) = (self.terms(&row), self.row_priority(&row));
            let Some(life) = self.state.lives.get_mut(index) else { continue };
            if priority.is_none() && !life.active() {
                life.reset();
                continue;
            }
            match life.settle(&terms) {
                Some(Change::Activated) => {
                    let oximeter = &self.state.oximeter;
                    let value = match row.limit {
                        Limit::NoPulse => Some(Value::Absent(Absent::NoPulse)),
                        Limit::Spo2Below(_) | Limit::Spo2AtMost(_) => oximeter.spo2().held().value().map(Value::Spo2),
                        _ => oximeter.pulse().held().value().map(Value::Pulse),
                    };
                    let priority = priority.unwrap_or(Priority::Low);
                    let cause =
                        Cause { priority, value, limit: Some(row.limit), baseline: None, delay: row.delay, phase };
                    self.state.board.raise(row.condition, &cause, now);
                }
                Some(Change::Ended) => self.state.board.end(row.condition, now),
                None => {}
            }
        }
    }
}

/// Whether a row is judged at all: in a session, or in a room without one that is watched (R5.1).
pub(super) const fn applies(condition: Condition, phase: Phase, armed: bool) -> bool {
    match phase {
        Phase::NoSession => armed && watches_empty_room(condition),
        _ => !matches!(condition, Condition::Spo2BelowBaseline),
    }
}

fn verdict<T: Copy>(value: Measured<T>, side: impl Fn(T) -> Option<Side>) -> Verdict {
    match value {
        Measured::Good(value) => side(value).map_or(Verdict::Blank, Verdict::Good),
        Measured::Questionable(value, Doubt::ImplausibleFall) => side(value).map_or(Verdict::Blank, Verdict::Suspected),
        Measured::Questionable(value, doubt) => {
            side(value).map_or(Verdict::Blank, |side| Verdict::Doubted { side, motion: matches!(doubt, Doubt::Motion) })
        }
        Measured::Absent(_) => Verdict::Blank,
    }
}

/// Whether `new` is further on the wrong side of `limit` than `worst`.
pub(super) fn worse(limit: Limit, new: Value, worst: Value) -> bool {
    let high = matches!(limit, Limit::PulseAbove(_) | Limit::PressureAbove { .. } | Limit::PressureAtLeast { .. });
    let further = |new: u16, worst: u16| if high { new > worst } else { new < worst };
    match (new, worst) {
        (Value::Spo2(new), Value::Spo2(worst)) => further(new.as_tenths(), worst.as_tenths()),
        (Value::Pulse(new), Value::Pulse(worst)) => further(new.as_bpm(), worst.as_bpm()),
        (Value::Pressure(new), Value::Pressure(worst)) => {
            let leading = |bp: BloodPressure| bp.systolic().unwrap_or(bp.mean()).as_mmhg();
            further(leading(new), leading(worst))
        }
        _ => false,
    }
}
