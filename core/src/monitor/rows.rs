//! The rows of the oximeter: each judges every sample, and lives by the sum of time (R2, rows 1a to 11, 25, 34).

use crate::monitor::alarm::{Condition, Limit, Priority, Value};
use crate::monitor::announce::Cause;
use crate::monitor::baseline::Baseline;
use crate::monitor::bed::Bed;
use crate::monitor::condition::{Change, Life, Side, Terms, Verdict};
use crate::monitor::in_force::{self, Person};
use crate::monitor::limits;
use crate::monitor::output::Phase;
use crate::monitor::oximeter::Oximeter;
use crate::monitor::preset::OximetryRow;
use crate::monitor::room::watches_empty_room;
use crate::time::{Span, Time};
use crate::vitals::{Absent, Doubt, Measured};

impl Bed {
    pub(super) fn rows(&self) -> impl Iterator<Item = (&OximetryRow, &Life)> {
        self.preset.oximetry.iter().chain([&self.preset.combined.fast_pulse]).zip(&self.state.lives)
    }

    fn row(&self, index: usize) -> Option<&OximetryRow> {
        self.preset
            .oximetry
            .get(index)
            .or_else(|| (index == self.preset.oximetry.len()).then_some(&self.preset.combined.fast_pulse))
    }

    /// The priority of a row now; `None`: it is off.
    pub(super) fn row_priority(&self, row: &OximetryRow) -> Option<Priority> {
        let (phase, also) = (self.state.session.phase(), self.state.session.also());
        let on = applies(row.condition, phase, self.state.room.armed());
        on.then(|| row.priority.at_either(phase, also)).flatten()
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

    /// What of this person changes limits.
    pub(super) fn person(&self) -> Person {
        let Some(open) = self.state.session.opened() else { return Person::default() };
        let grace = self.preset.oximetry_terms.oxygen_grace;
        let baseline = self.baseline();
        Person {
            // Whoever came with oxygen has those limits at once (R5.2).
            oxygen: open.oxygen.is_some_and(|since| since + grace <= self.state.now || since == open.at),
            hypercapnia: open.opening.hypercapnia,
            slow_pulse: open.slow_pulse,
            spo2: baseline.and_then(Baseline::spo2),
            pulse: baseline.and_then(Baseline::pulse),
        }
    }

    /// The cuff begins or lets go: its shadow falls on the oximeter, or is lifted (R6.4).
    pub(super) fn settle_shadow(&mut self) {
        let now = self.state.now;
        // R6.4: no shadow while it is measured again and again.
        let stat = self.state.cuff.inflation().is_some_and(|inflation| inflation.stat);
        let same_limb = !stat && self.state.session.opened().is_some_and(|open| open.probe_on_cuff_arm);
        let oximeter = &self.state.oximeter;
        let (perfusion, pulse) = (oximeter.perfusion_index().good(), oximeter.pulse().held().value().is_some());
        match (self.state.shadow.under_way(), self.state.cuff.under_way()) {
            (false, true) => self.state.shadow.begin(same_limb, perfusion, pulse, now),
            (true, false) => self.state.shadow.end(now),
            _ => {}
        }
        if self.in_shadow() != self.state.judged_in_shadow {
            self.judge_oximetry();
        }
    }

    /// Whether the oximeter is disregarded because the cuff is on its limb (R6.4).
    pub(super) fn in_shadow(&self) -> bool {
        self.state.shadow.holds(self.state.now)
    }

    /// When a limit changes by the passing of time alone: oxygen that was just started (R5.10).
    pub(super) fn limits_deadline(&self) -> Option<Time> {
        let open = self.state.session.opened()?;
        let grace: Span = self.preset.oximetry_terms.oxygen_grace;
        open.oxygen.map(|since| since + grace).filter(|at| *at > self.state.now)
    }

    /// Whether they change at this very moment.
    pub(super) fn limits_change_now(&self) -> bool {
        let grace = self.preset.oximetry_terms.oxygen_grace;
        let oxygen = self.state.session.opened().and_then(|open| open.oxygen);
        oxygen.is_some_and(|since| since + grace == self.state.now)
    }

    pub(super) fn judge_oximetry(&mut self) {
        let (person, shadow) = (self.person(), self.in_shadow());
        self.state.judged_in_shadow = shadow;
        let state = &mut self.state;
        let oximeter = &state.oximeter;
        let strong = state.shadow.is_strong(oximeter.perfusion_index().good());
        let rows = self.preset.oximetry.iter().chain([&self.preset.combined.fast_pulse]);
        for (row, life) in rows.zip(&mut state.lives) {
            let in_force = in_force::limit(row, &person, &self.preset.oximetry_terms);
            // R6.4: under the cuff only rows 1a to 2 stay live, on a strong signal.
            let live = !shadow || is_gravest(row.condition) && strong;
            let verdict = match in_force {
                Some((limit, _)) if live => judged(row, limit, oximeter),
                _ => Verdict::Blank,
            };
            life.judge(verdict);
            if let (true, Some((limit, _))) = (life.active(), in_force) {
                let value = shown(limit, oximeter);
                state.board.observe(row.condition, value, |new, worst| worse(limit, new, worst));
                if let Verdict::Good(side) = verdict {
                    state.board.prove(row.condition, side == Side::Violation, state.now);
                }
            }
        }
        let (spo2, pulse) = (oximeter.spo2(), oximeter.pulse());
        // A pulse that is not counted beside a good saturation is missing too: silence is never "all well".
        let counted = !pulse.expected() || pulse.held().value().is_some();
        let good = (!spo2.expected() || spo2.held().good().is_some()) && counted;
        let inadequate = absence(oximeter) == Absent::InadequateSignal;
        state.unavailable.judge(good, inadequate, shadow, state.now);
        state.contact.judge(good && (spo2.expected() || pulse.expected()), state.now);
        state.shadow.watch(pulse.held().value().is_some(), state.now);
    }

    pub(super) fn settle_oximetry(&mut self) {
        let phase = self.state.session.phase();
        let now = self.state.now;
        for position in 0..self.order.len() {
            let Some(index) = self.order.get(position).copied() else { continue };
            if self.state.lives.get(index).is_none_or(Life::at_rest) {
                continue;
            }
            let Some(row) = self.row(index).copied() else { continue };
            let in_force = in_force::limit(&row, &self.person(), &self.preset.oximetry_terms);
            let (terms, priority) = (self.terms(&row), self.row_priority(&row).filter(|_| in_force.is_some()));
            let Some(life) = self.state.lives.get_mut(index) else { continue };
            if priority.is_none() && !life.active() {
                life.reset();
                continue;
            }
            match life.settle(&terms) {
                Some(Change::Activated) => {
                    let (limit, baseline) = in_force.unwrap_or((row.limit, None));
                    let value = shown(limit, &self.state.oximeter);
                    let priority = priority.unwrap_or(Priority::Low);
                    let cause = Cause { priority, value, limit: Some(limit), baseline, delay: row.delay, phase };
                    self.state.board.raise(row.condition, &cause, now);
                    // It may have become active in the moment in which its last value went stale.
                    self.state.board.observe(row.condition, value, |_, _| false);
                }
                Some(Change::Ended) => self.state.board.end(row.condition, now),
                None => {}
            }
        }
    }
}

/// Why there is no good SpO2, or no pulse beside it.
pub(super) const fn absence(oximeter: &Oximeter) -> Absent {
    let (spo2, pulse) = (oximeter.spo2(), oximeter.pulse());
    match (spo2.held(), pulse.held()) {
        (Measured::Absent(reason), _) => reason,
        (Measured::Good(_), Measured::Absent(reason)) if pulse.expected() => reason,
        _ => Absent::InadequateSignal,
    }
}

/// What the oximeter says about a row.
fn judged(row: &OximetryRow, limit: Limit, oximeter: &Oximeter) -> Verdict {
    let (spo2, pulse) = (oximeter.spo2(), oximeter.pulse());
    let of_spo2 = || verdict(spo2.held(), |value| limits::spo2(limit, row.hysteresis, value));
    let of_pulse = |hysteresis| verdict(pulse.held(), |value| limits::pulse(limit, hysteresis, value));
    match limit {
        Limit::Spo2Below(_) | Limit::Spo2AtMost(_) if spo2.raises_alarms() => of_spo2(),
        Limit::PulseAbove(_) | Limit::PulseBelow(_) | Limit::PulseAtMost(_) if pulse.raises_alarms() => {
            of_pulse(row.hysteresis)
        }
        Limit::Spo2AndPulse { .. } if spo2.raises_alarms() && pulse.raises_alarms() => {
            both(of_spo2(), of_pulse(FAST_PULSE_HYSTERESIS))
        }
        Limit::NoPulse if pulse.raises_alarms() => match pulse.held() {
            Measured::Absent(Absent::NoPulse) => Verdict::Good(Side::Violation),
            Measured::Good(_) => Verdict::Good(Side::Beyond),
            // A doubted pulse ends nothing, but it is no lack of data either (R2.2).
            Measured::Questionable(..) => Verdict::Doubted { side: Side::Beyond, motion: false },
            Measured::Absent(_) => Verdict::Blank,
        },
        _ => Verdict::Blank,
    }
}

/// Row 34: the pulse comes back as far as in row 7, bpm.
const FAST_PULSE_HYSTERESIS: u16 = 5;

/// Both parts must violate; one that is beyond its hysteresis ends both ("with its parts").
const fn both(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Good(Side::Beyond), _) | (_, Verdict::Good(Side::Beyond)) => Verdict::Good(Side::Beyond),
        (Verdict::Good(Side::Violation), other) => other,
        (one, Verdict::Good(Side::Violation)) => one,
        (Verdict::Good(Side::Band), Verdict::Good(Side::Band)) => Verdict::Good(Side::Band),
        _ => Verdict::Blank,
    }
}

/// The newest value of what a limit is about.
fn shown(limit: Limit, oximeter: &Oximeter) -> Option<Value> {
    let (spo2, pulse) = (oximeter.spo2().held(), oximeter.pulse().held());
    match limit {
        Limit::Spo2Below(_) | Limit::Spo2AtMost(_) => spo2.value().map(Value::Spo2),
        Limit::Spo2AndPulse { .. } => spo2.value().zip(pulse.value()).map(|(s, p)| Value::Spo2AndPulse(s, p)),
        Limit::NoPulse if pulse == Measured::Absent(Absent::NoPulse) => Some(Value::Absent(Absent::NoPulse)),
        _ => pulse.value().map(Value::Pulse),
    }
}

/// Rows 1a, 1b and 2.
const fn is_gravest(condition: Condition) -> bool {
    matches!(condition, Condition::Spo2Critical | Condition::Spo2VeryLow | Condition::Spo2Low)
}

/// Whether a row is judged at all: in a session, or in a room without one that is watched (R5.1).
pub(super) const fn applies(condition: Condition, phase: Phase, armed: bool) -> bool {
    match phase {
        Phase::NoSession => armed && watches_empty_room(condition),
        _ => true,
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
fn worse(limit: Limit, new: Value, worst: Value) -> bool {
    let high = matches!(limit, Limit::PulseAbove(_));
    match (new, worst) {
        (Value::Spo2(new), Value::Spo2(worst)) => new < worst,
        (Value::Spo2AndPulse(new, _), Value::Spo2AndPulse(worst, _)) => new < worst,
        (Value::Pulse(new), Value::Pulse(worst)) => {
            if high {
                new > worst
            } else {
                new < worst
            }
        }
        _ => false,
    }
}
