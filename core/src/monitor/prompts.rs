//! What a bed asks of persons: questions that a person answers, and things that a person has to do
//! (R5.4 to R5.8, R5.12, R6.4).

use crate::monitor::alarm::{Condition, Priority, Value};
use crate::monitor::bed::Bed;
use crate::monitor::contact::Back;
use crate::monitor::output::{Output, Phase};
use crate::time::{Span, Time};

/// R5.1: with nobody else to tell, the room itself asks.
const ASKS: Priority = Priority::Low;
/// R5.4: a dose press may be forgotten this long after the third baseline reading ...
const FORGOTTEN_AFTER_BASELINE: Span = Span::mins(15);
/// ... or this long after the opening.
const FORGOTTEN_AFTER_OPENING: Span = Span::mins(20);
/// R5.4: unanswered for this long, the window is assumed.
const ASSUMED_AFTER: Span = Span::mins(5);
/// R5.6: values that had been away for longer may be of somebody else.
const SAME_PATIENT_AFTER: Span = Span::mins(10);
/// R5.7: without any data for this long in recovery the session may have been forgotten.
const CLOSE_AFTER: Span = Span::mins(15);

impl Bed {
    pub(super) fn settle_prompts(&mut self) {
        let now = self.state.now;
        let phase = self.state.session.phase();
        let asks = phase == Phase::NoSession && self.state.room.asks(now);
        self.ask(Condition::NoSession, asks.then_some(ASKS), None);
        let Some(open) = self.state.session.opened() else {
            for condition in OF_A_SESSION {
                self.state.board.end(condition, now);
            }
            return;
        };
        let infusion = open.infusion.and_then(|infusion| infusion.due()).filter(|due| *due <= now);
        let standby = open.standby.filter(|standby| standby.until <= now).map(|standby| standby.until);
        let (interrupted, uncertain) = (open.interrupted, open.uncertain);
        let suspicious = self.state.shadow.is_suspicious() && !open.probe_on_cuff_arm;
        let check = self.next_check().filter(|due| *due <= now);
        let close = self.asks_to_close().filter(|at| *at <= now);
        self.ask(Condition::InfusionEnded, infusion.map(|_| Priority::Low), infusion);
        self.ask(Condition::StandbyOver, standby.map(|_| Priority::Medium), standby);
        self.ask(Condition::SamePatient, self.state.exchanged.then_some(Priority::Low), None);
        self.ask(Condition::AnotherDevice, self.another_device(), None);
        self.ask(Condition::CloseSession, close.map(|_| Priority::Low), close);
        self.ask(Condition::SessionInterrupted, interrupted.then_some(Priority::Medium), None);
        self.ask(Condition::DoseTimeUncertain, uncertain.then_some(Priority::Low), None);
        self.ask(Condition::ProbeOnCuffArm, suspicious.then_some(Priority::Low), None);
        self.ask(Condition::CheckOverdue, check.map(|_| Priority::Low), check);
    }

    /// When the next check round is due (R5.12); `None`: none is asked for.
    #[must_use]
    pub fn next_check(&self) -> Option<Time> {
        let terms = self.preset.check_round?;
        let open = self.state.session.opened()?;
        let interval = match self.state.session.watched_as() {
            Phase::NoSession | Phase::Baseline => return None,
            Phase::Onset | Phase::Window => terms.dosed,
            Phase::Recovery => terms.recovery,
        };
        // In an assumed window nobody has said when the dose was.
        let from = open.dose.or(open.forgotten.asked)?;
        // Nobody could go a round before the session was opened, however long ago the dose was.
        let from = from.max(open.at);
        let due = open.checked.map_or(from, |checked| checked.max(from)) + interval;
        // On standby somebody is with the patient.
        Some(open.standby.map_or(due, |standby| due.max(standby.until)))
    }

    /// When something is asked by the passing of time alone.
    pub(super) fn prompts_deadline(&self) -> Option<Time> {
        let marks = [self.forgotten_deadline(), self.asks_to_close(), self.next_check()];
        marks.into_iter().flatten().filter(|at| *at > self.state.now).min()
    }

    fn ask(&mut self, condition: Condition, priority: Option<Priority>, since: Option<Time>) {
        let value = since.map(Value::Since);
        self.hold(condition, priority, value, Span::ZERO);
    }

    /// R5.6: values that are back end a standby; after a long time they may be of somebody else.
    pub(super) fn settle_contact(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        if !self.on_standby() && self.state.cuff.suspended() {
            // It has run out, or is over.
            self.state.cuff.resume(now);
            self.state.pressure.resume(now);
        }
        self.state.board.count_pressures_by_time(!self.state.cuff.planned());
        let Some(Back { lost, since, away }) = self.state.contact.settle(now) else { return };
        let Some(open) = self.state.session.opened_mut() else { return };
        self.state.exchanged |= away > SAME_PATIENT_AFTER && lost > open.at;
        if open.standby.is_some_and(|standby| standby.since <= since) {
            self.end_standby(out);
        }
    }

    /// The patient is back: what was suspended goes on.
    pub(super) fn end_standby(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        if let Some(open) = self.state.session.opened_mut() {
            open.standby = None;
        }
        self.resume_watch();
        self.state.cuff.resume(now);
        self.state.pressure.resume(now);
        out(Output::Session);
    }

    /// R5.4: a dose press that may have been forgotten.
    pub(super) fn settle_forgotten(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        let due = self.forgotten_due().is_some_and(|at| at <= now);
        let pulse = self.state.oximeter.pulse().held().value().is_some();
        let waits = self.state.session.phase() == Phase::Baseline;
        if let Some(open) = self.state.session.opened_mut() {
            let forgotten = &mut open.forgotten;
            if !waits {
                forgotten.asked = None;
                forgotten.assumed = false;
            } else if due && pulse && forgotten.asked.is_none() {
                forgotten.asked = Some(now);
            }
            let assumed = forgotten.asked.is_some_and(|asked| asked + ASSUMED_AFTER <= now);
            if assumed && !forgotten.assumed {
                forgotten.assumed = true;
                self.state.board.switch_on_for(Phase::Window);
                out(Output::Session);
            }
        }
        let asked = self.state.session.opened().and_then(|open| open.forgotten.asked);
        self.ask(Condition::DoseForgotten, asked.map(|_| Priority::Medium), asked);
    }

    /// From when on it may be asked whether the dose was given.
    fn forgotten_due(&self) -> Option<Time> {
        let open = self.state.session.opened().filter(|open| open.dose.is_none())?;
        let baseline = self.state.session.baseline().third_at().map(|at| at + FORGOTTEN_AFTER_BASELINE);
        let by_opening = open.at + FORGOTTEN_AFTER_OPENING;
        let due = baseline.map_or(by_opening, |at| at.min(by_opening));
        Some(open.forgotten.snoozed.map_or(due, |snoozed| snoozed.max(due)))
    }

    fn forgotten_deadline(&self) -> Option<Time> {
        let open = self.state.session.opened()?;
        match open.forgotten.asked {
            None => self.forgotten_due(),
            Some(asked) if !open.forgotten.assumed => Some(asked + ASSUMED_AFTER),
            Some(_) => None,
        }
    }

    /// R5.7: when it is asked whether to close a session that gives no values.
    fn asks_to_close(&self) -> Option<Time> {
        if self.state.session.phase() != Phase::Recovery || self.on_standby() {
            return None;
        }
        let lost = self.state.contact.lost_since()?;
        let pressure = self.state.newest_pressure.map(|newest| newest.measured_at);
        Some(pressure.map_or(lost, |at| lost.max(at)) + CLOSE_AFTER)
    }
}

/// What is asked in a session only.
const OF_A_SESSION: [Condition; 10] = [
    Condition::InfusionEnded,
    Condition::StandbyOver,
    Condition::SamePatient,
    Condition::AnotherDevice,
    Condition::CloseSession,
    Condition::SessionInterrupted,
    Condition::DoseTimeUncertain,
    Condition::ProbeOnCuffArm,
    Condition::CheckOverdue,
    Condition::Restarted,
];
