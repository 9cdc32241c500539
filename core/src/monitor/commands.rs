//! What a person asks, carried out or refused with a reason (R4.1, R4.4, R5, R8.3, R11).

use alloc::string::String;

use crate::monitor::alarm::{Ack, Condition, Group, Limit, Priority, Value};
use crate::monitor::announce::Cause;
use crate::monitor::attention::Off;
use crate::monitor::bed::Bed;
use crate::monitor::condition::Life;
use crate::monitor::contact::Contact;
use crate::monitor::infusion::Infusion;
use crate::monitor::input::{Action, CloseReason, Command, CommandRefusal, Opening, Route};
use crate::monitor::observation::{Observation, Responsiveness};
use crate::monitor::output::{Event, EventKind, Output, Phase};
use crate::monitor::readiness::Readiness;
use crate::monitor::room::Room;
use crate::monitor::session::{Signed, back_dated};
use crate::monitor::shadow::Shadow;
use crate::monitor::trend_rows::Trends;
use crate::monitor::unavailable::Unavailable;
use crate::time::Span;

/// R5.4: "not yet" is asked again after this.
const SNOOZE: Span = Span::mins(10);
/// R5.10: the longest note, characters.
const NOTE_AT_MOST: usize = 80;
/// R5.12: nobody breathes more often, a minute.
const BREATHS_AT_MOST: u8 = 80;

impl Bed {
    pub(super) fn act(&mut self, command: &Command, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let Command { actor, action } = command;
        let (now, before) = (self.state.now, self.state.session.phase());
        self.carry_out(actor, action, out)?;
        match action {
            // These tell of themselves.
            Action::Acknowledge(_) | Action::Note { .. } => {}
            _ => {
                let kind = EventKind::Did { actor: actor.clone(), action: action.clone() };
                out(Output::Event(Event { at: now, kind }));
            }
        }
        // The clock tells of the phases it begins; opening and closing are not its.
        let after = self.state.session.phase();
        if before != after && (before == Phase::NoSession || after == Phase::NoSession) {
            out(Output::Event(Event { at: now, kind: EventKind::Phase { from: before, to: after } }));
        }
        if changes_session(action) {
            out(Output::Session);
        }
        Ok(())
    }

    fn carry_out(&mut self, actor: &str, action: &Action, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        let routes = self.preset.routes;
        let (state, attention) = (&mut self.state, &self.preset.attention);
        match action {
            Action::Open(opening) => self.open(opening, actor)?,
            Action::Dose { ago } => self.dose(*ago, false, out)?,
            Action::DoseAgain { ago } => self.dose(*ago, true, out)?,
            Action::UndoDose => {
                if state.session.undo_dose(now)? {
                    state.session.baseline_mut().thaw();
                }
            }
            Action::NotYet => {
                let forgotten = &mut state.session.expect()?.forgotten;
                forgotten.asked.take().ok_or(CommandRefusal::NotAsked)?;
                forgotten.snoozed = Some(now + SNOOZE);
                forgotten.assumed = false;
            }
            Action::InfusionPause => self.infusion(|infusion| infusion.pause(now))?,
            Action::InfusionResume => self.infusion(|infusion| infusion.resume(now))?,
            Action::InfusionEnd { ago } => {
                let at = back_dated(*ago, now)?;
                self.infusion(|infusion| infusion.end(at))?;
            }
            Action::Prolong { by } => state.session.prolong(*by, now, &routes)?,
            Action::Abort => state.session.abort(now)?,
            Action::Cancel => {
                state.session.expect_in(&[Phase::Baseline])?;
                self.end_session()?;
            }
            Action::Close { reason } => self.close_session(*reason)?,
            Action::Standby { reason } => {
                state.session.stand_by(*reason, now)?;
                state.cuff.suspend(now);
            }
            Action::EndStandby => {
                state.session.expect()?.standby.ok_or(CommandRefusal::Standby)?;
                self.end_standby(out);
            }
            Action::Continue { dosed } => self.go_on_with(*dosed)?,
            Action::RetakeBaseline => {
                state.session.expect_in(&[Phase::Baseline])?;
                state.session.baseline_mut().retake();
                state.cuff.retake_baseline(now);
            }
            Action::ConfirmSlowPulse => {
                let slow = state.session.baseline().pulse().is_some_and(|pulse| pulse.as_bpm() < SLOW_PULSE);
                if !slow {
                    return Err(CommandRefusal::NoSlowPulse);
                }
                state.session.expect()?.slow_pulse = true;
                self.judge_oximetry();
            }
            Action::Acknowledge(named) => {
                state.board.acknowledge(*named, &Ack { actor: actor.into(), at: now })?;
                self.answered(named.condition);
            }
            Action::Withdraw(named) => state.board.withdraw(*named)?,
            Action::Decline(named) => state.board.decline(*named, now)?,
            Action::Seen { condition, episode } => state.board.seen(*condition, *episode)?,
            Action::PauseAudio => state.board.pause(now, attention),
            Action::ResumeAudio => state.board.resume_audio()?,
            Action::SwitchOff { condition, reason } => {
                state.session.expect()?;
                let off = Off { actor: actor.into(), reason: *reason, since: now };
                state.board.switch_off(*condition, off, state.session.watched_as())?;
            }
            Action::SwitchOn { condition } => state.board.switch_on(*condition)?,
            Action::Observe(observation) => self.observe(*observation)?,
            Action::Note { text } => self.note(actor, text, out)?,
            Action::Check { responds, breaths } => self.check(*responds, *breaths)?,
            Action::Help => self.call(Condition::Help, None, None),
            Action::HelpOver => {
                if !state.board.is_on(Condition::Help) {
                    return Err(CommandRefusal::NotAsked);
                }
                // Whoever says so has seen it.
                state.board.settle_for(Condition::Help, &Ack { actor: actor.into(), at: now });
                state.board.end(Condition::Help, now);
            }
            Action::Checklist(checklist) => {
                let signed = Signed { checklist: *checklist, actor: actor.into(), at: now };
                state.session.expect()?.checklist = Some(signed);
            }
            Action::Label { condition, episode, .. } => {
                let known = state.board.get(*condition).map_or(0, |alarm| alarm.episode);
                if *episode == 0 || *episode > known {
                    return Err(CommandRefusal::AlarmChanged { episode: known, priority: None });
                }
            }
            Action::Pressure { pressure, ago } => self.take_manual(*pressure, *ago, out)?,
            Action::StartCuff => self.ask_cuff(out)?,
            Action::StartStat => self.ask_stat()?,
            Action::StopCuff => self.stop_cuff(out)?,
            Action::ProbeOnCuffArm => {
                state.session.expect()?.probe_on_cuff_arm = true;
                state.shadow.answered();
            }
        }
        Ok(())
    }

    fn open(&mut self, opening: &Opening, actor: &str) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        let state = &mut self.state;
        state.session.open(opening, actor, now)?;
        if !state.room.armed() {
            state.unavailable = Unavailable::default();
        }
        let pressures = |group| matches!(group, Group::PressureHigh | Group::PressureLow);
        if !state.board.present().any(|alarm| pressures(alarm.condition.group())) {
            state.pressure.reset();
            state.newest_pressure = None;
        }
        state.pressures.clear();
        state.cuff.open(now);
        state.trends.open(now);
        state.contact = Contact::begin(now);
        // Whoever opens the session looks at what stands at the bed.
        self.accept_devices();
        self.judge_oximetry();
        Ok(())
    }

    /// R5.3: the dose freezes the baseline; another one keeps it.
    fn dose(&mut self, ago: Span, again: bool, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        let dose = self.state.session.dosed(ago, again, now)?;
        if self.standby_until().is_some() {
            // Whoever is given a dose is here (R5.6).
            self.end_standby(out);
        }
        if !again {
            let (spo2, pulse) = self.state.trends.recent.baseline_at(dose);
            self.state.session.baseline_mut().freeze(dose, spo2, pulse);
        }
        if self.state.session.opened().is_some_and(|open| open.opening.route == Route::Intranasal) {
            self.state.cuff.extra_at(dose + self.preset.cuff.intranasal_extra);
        }
        self.state.trends.restart();
        self.judge_oximetry();
        Ok(())
    }

    fn infusion(&mut self, change: impl FnOnce(&mut Infusion) -> bool) -> Result<(), CommandRefusal> {
        let infusion = self.state.session.expect()?.infusion.as_mut().ok_or(CommandRefusal::NoInfusion)?;
        if change(infusion) { Ok(()) } else { Err(CommandRefusal::NoInfusion) }
    }

    /// R5.7.
    fn close_session(&mut self, reason: Option<CloseReason>) -> Result<(), CommandRefusal> {
        let open = self.state.session.expect()?;
        if open.dose.is_none() && !open.interrupted {
            return Err(CommandRefusal::NotDosed);
        }
        let latched = self.state.board.latched();
        if latched > 0 {
            return Err(CommandRefusal::NotSeen { latched: u8::try_from(latched).unwrap_or(u8::MAX) });
        }
        let readiness = self.readiness();
        let met = readiness.as_ref().map_or(0, Readiness::met);
        let met = u8::try_from(met).unwrap_or_default();
        if reason.is_none() && !readiness.is_some_and(|readiness| readiness.vitals_ready) {
            return Err(CommandRefusal::ReasonNeeded { met });
        }
        self.end_session()
    }

    fn end_session(&mut self) -> Result<(), CommandRefusal> {
        self.state.session.close()?;
        self.close();
        Ok(())
    }

    /// The patient leaves, and everything that was about this patient with it.
    pub(super) fn close(&mut self) {
        let state = &mut self.state;
        state.board.drop_all(state.now);
        state.lives.iter_mut().for_each(Life::reset);
        state.pressure.reset();
        state.newest_pressure = None;
        state.pressures.clear();
        state.unavailable = Unavailable::default();
        state.cuff.close();
        state.trends = Trends::default();
        state.exchanged = false;
        state.shadow = Shadow::default();
        state.room = Room::default();
    }

    /// R5.8: a person says that the interrupted session goes on, and perhaps when the dose was.
    fn go_on_with(&mut self, dosed: Option<Span>) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        let at = dosed.map(|ago| back_dated(ago, now)).transpose()?;
        let open = self.state.session.expect()?;
        if !open.interrupted && !open.uncertain {
            return Err(CommandRefusal::NotAsked);
        }
        open.interrupted = false;
        if let Some(at) = at.filter(|_| open.dose.is_some()) {
            open.dose = Some(at);
            open.uncertain = false;
        }
        self.judge_oximetry();
        Ok(())
    }

    /// A prompt that is accepted is answered.
    fn answered(&mut self, condition: Condition) {
        match condition {
            Condition::SamePatient => self.state.exchanged = false,
            Condition::AnotherDevice => self.accept_devices(),
            Condition::ProbeOnCuffArm => self.state.shadow.answered(),
            Condition::Restarted => self.state.board.end(condition, self.state.now),
            _ => {}
        }
    }

    /// R5.10: what was seen and given, and what that changes.
    fn observe(&mut self, observation: Observation) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        if !observation.is_sound() {
            return Err(CommandRefusal::OutOfRange);
        }
        let open = self.state.session.expect()?;
        match observation {
            Observation::GaveBenzodiazepine | Observation::GaveOpioid => {
                open.sedated = Some(now);
                self.state.cuff.sedated(now);
            }
            Observation::GaveAntihypertensive => {
                open.treated = Some(now);
                self.state.cuff.treated(now);
            }
            Observation::GaveOxygen => {
                open.oxygen.get_or_insert(now);
                self.judge_oximetry();
            }
            Observation::StoppedOxygen => {
                open.oxygen = None;
                self.judge_oximetry();
            }
            Observation::Sedation { responds } => self.responded(responds, None),
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, actor: &str, text: &str, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let text: String = text.trim().into();
        if text.is_empty() || text.chars().count() > NOTE_AT_MOST || text.chars().any(char::is_control) {
            return Err(CommandRefusal::OutOfRange);
        }
        let now = self.state.now;
        let open = self.state.session.expect()?;
        open.notes = open.notes.saturating_add(1);
        let kind = EventKind::Note { actor: actor.into(), number: open.notes, text };
        out(Output::Event(Event { at: now, kind }));
        Ok(())
    }

    /// R5.12: a check round.
    fn check(&mut self, responds: Responsiveness, breaths: Option<u8>) -> Result<(), CommandRefusal> {
        if breaths.is_some_and(|breaths| breaths > BREATHS_AT_MOST) {
            return Err(CommandRefusal::OutOfRange);
        }
        let now = self.state.now;
        self.state.session.expect()?.checked = Some(now);
        self.responded(responds, breaths);
        Ok(())
    }

    fn responded(&mut self, responds: Responsiveness, breaths: Option<u8>) {
        let below = self.preset.check_round.map_or(0, |terms| terms.breaths_below);
        let hardly = breaths.filter(|breaths| *breaths < below);
        let value = match (responds, hardly) {
            (Responsiveness::Unresponsive, _) => Some(Value::Responsiveness(responds)),
            (_, Some(breaths)) => Some(Value::Breaths(breaths)),
            _ => None,
        };
        match value {
            Some(value) => self.call(Condition::Unresponsive, Some(value), hardly.map(|_| Limit::BreathsBelow(below))),
            None => {
                // Breaths that were counted are ended by breaths that are.
                let counted = self.state.board.get(Condition::Unresponsive).and_then(|alarm| alarm.value);
                if breaths.is_some() || !matches!(counted, Some(Value::Breaths(_))) {
                    self.state.board.end(Condition::Unresponsive, self.state.now);
                }
            }
        }
    }

    /// A person calls: HIGH at once.
    fn call(&mut self, condition: Condition, value: Option<Value>, limit: Option<Limit>) {
        let (now, phase) = (self.state.now, self.state.session.phase());
        let board = &mut self.state.board;
        if board.is_on(condition) {
            // Whoever accepted it has not helped yet.
            board.observe(condition, value, |_, _| false);
            board.reannounce(condition, now);
        } else {
            board.raise(condition, &Cause { value, limit, ..Cause::bare(Priority::High, phase) }, now);
        }
    }

    /// The absence of data counts anew: the patient is back.
    pub(super) fn resume_watch(&mut self) {
        self.state.unavailable = Unavailable::default();
        self.judge_oximetry();
    }
}

/// Row 10: a pulse before the dose below this can be confirmed to be normal, bpm.
const SLOW_PULSE: u16 = 50;

/// Whether it changes what the session slot says.
const fn changes_session(action: &Action) -> bool {
    !matches!(
        action,
        Action::Acknowledge(_)
            | Action::Withdraw(_)
            | Action::Decline(_)
            | Action::Seen { .. }
            | Action::Note { .. }
            | Action::Label { .. }
            | Action::Pressure { .. }
            | Action::StartCuff
            | Action::StartStat
            | Action::StopCuff
    )
}
