//! The session: its phases and their clocks, and what changes its rules (R5.2 to R5.8, R5.10).

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::monitor::baseline::Baseline;
use crate::monitor::infusion::Infusion;
use crate::monitor::input::{Checklist, CommandRefusal, Opening, Route, StandbyReason};
use crate::monitor::output::Phase;
use crate::monitor::preset::Routes;
use crate::time::{Span, Time};

/// R5.3: a dose may be back-dated by this much.
const BACK_DATED_AT_MOST: Span = Span::mins(120);
/// R5.3: a dose may be taken back for this long.
const UNDO_WITHIN: Span = Span::secs(60);
/// R5.3: window rules hold for this long after the treatment was broken off ...
const ABORT_WINDOW: Span = Span::mins(60);
/// ... and R5.10: after a sedative or an opioid.
const SEDATIVE_WINDOW: Span = Span::mins(60);
/// The window may be prolonged by this much at a time.
const PROLONG_AT_MOST: Span = Span::mins(120);
/// R5.6: how long a standby lasts.
const STANDBY: Span = Span::mins(10);

/// A session, open or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    phase: Phase,
    /// When the present phase began.
    since: Option<Time>,
    /// Window rules are added to those of the phase.
    stricter: bool,
    open: Option<Open>,
    baseline: Baseline,
}

/// What is known of an open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// When it was opened.
    pub at: Time,
    /// Who signed the screening checklist then (R5.2).
    pub by: String,
    /// What was said of it.
    pub opening: Opening,
    /// The effective time of the dose; of the last, if there was more than one.
    pub dose: Option<Time>,
    /// The infusion, IV only.
    pub infusion: Option<Infusion>,
    /// The dose that was recorded last can be taken back.
    undo: Option<Undo>,
    /// The window lasts until then at least.
    prolonged: Option<Time>,
    /// When the treatment was broken off.
    pub aborted: Option<Time>,
    /// When the last sedative or opioid was given (R5.10).
    pub sedated: Option<Time>,
    /// When the last antihypertensive was given (R5.10).
    pub treated: Option<Time>,
    /// Since when the person has been on oxygen, as far as this session goes.
    pub oxygen: Option<Time>,
    /// The cuff is on the arm of the probe (R6.4).
    pub probe_on_cuff_arm: bool,
    /// A pulse below 50 is normal for this person (row 10).
    pub slow_pulse: bool,
    /// The patient is disconnected for a while.
    pub standby: Option<Standby>,
    /// The dose press may have been forgotten (R5.4).
    pub forgotten: Forgotten,
    /// A restart interrupted it, and nobody has said that it goes on (R5.8).
    pub interrupted: bool,
    /// How long ago the dose was is not certain: no phase that is looser begins by the clock (R5.8).
    pub uncertain: bool,
    /// When the last check round was made.
    pub checked: Option<Time>,
    /// The checklist before the patient leaves, signed.
    pub checklist: Option<Signed>,
    /// How many notes there are.
    pub notes: u32,
}

/// What a dose changed, to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Undo {
    until: Time,
    dose: Option<Time>,
    infusion: Option<Infusion>,
    prolonged: Option<Time>,
    forgotten: Forgotten,
}

/// A standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// Why.
    pub reason: StandbyReason,
    /// Since when.
    pub since: Time,
    /// Until when.
    pub until: Time,
}

/// The question after a dose that may have been given (R5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Not to be asked before then.
    pub snoozed: Option<Time>,
    /// Since when it has been asked.
    pub asked: Option<Time>,
    /// Nobody answered: the window is assumed.
    pub assumed: bool,
}

/// A signed checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What.
    pub checklist: Checklist,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Time,
}

impl Session {
    /// The present phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// A phase whose rows hold beside those of the present one, the graver of the two: the window, where window
    /// rules are added (R5.3 abort, R5.8, R5.10); else the present one.
    #[must_use]
    pub const fn also(&self) -> Phase {
        if self.stricter { Phase::Window } else { self.phase }
    }

    /// The phase whose technical rules and cuff cadence hold: that of [`Self::also`], or the assumed window
    /// (R5.4); in recovery with a sedative on board the window too (R6.2).
    #[must_use]
    pub fn watched_as(&self) -> Phase {
        let window = self
            .open
            .as_ref()
            .is_some_and(|open| open.forgotten.assumed || self.phase == Phase::Recovery && open.opening.sedative);
        if window { Phase::Window } else { self.also() }
    }

    /// When the present phase began; `None`: no session is open.
    #[must_use]
    pub const fn since(&self) -> Option<Time> {
        self.since
    }

    /// The open session.
    #[must_use]
    pub const fn opened(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    pub(super) const fn opened_mut(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// When the dose took effect.
    #[must_use]
    pub fn dose(&self) -> Option<Time> {
        self.open.as_ref().and_then(|open| open.dose)
    }

    /// What the values were before the dose; after an interruption they are not used (R5.8).
    #[must_use]
    pub const fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    pub(super) const fn baseline_mut(&mut self) -> &mut Baseline {
        &mut self.baseline
    }

    /// Opens a session. A new one never joins an open one (R5.2).
    ///
    /// # Errors
    /// If one is open, or if the cuff would be on the arm of the cannula.
    pub fn open(&mut self, opening: &Opening, actor: &str, now: Time) -> Result<(), CommandRefusal> {
        if self.open.is_some() {
            return Err(CommandRefusal::SessionOpen);
        }
        if opening.cuff_arm.is_same_arm(opening.iv_arm) {
            return Err(CommandRefusal::CuffOnIvArm);
        }
        self.open = Some(Open {
            at: now,
            by: actor.into(),
            opening: opening.clone(),
            dose: None,
            infusion: None,
            undo: None,
            prolonged: None,
            aborted: None,
            sedated: None,
            treated: None,
            oxygen: opening.oxygen.then_some(now),
            probe_on_cuff_arm: opening.cuff_arm.is_same_arm(opening.probe_hand),
            slow_pulse: false,
            standby: None,
            forgotten: Forgotten::default(),
            interrupted: false,
            uncertain: false,
            checked: None,
            checklist: None,
            notes: 0,
        });
        self.baseline = Baseline::default();
        self.phase = Phase::Baseline;
        self.since = Some(now);
        self.stricter = false;
        Ok(())
    }

    /// The open session.
    ///
    /// # Errors
    /// If none is open.
    pub fn expect(&mut self) -> Result<&mut Open, CommandRefusal> {
        self.open.as_mut().ok_or(CommandRefusal::NoSession)
    }

    /// The open session in one of these phases.
    ///
    /// # Errors
    /// If none is open, or if it is in another phase.
    pub fn expect_in(&mut self, phases: &[Phase]) -> Result<&mut Open, CommandRefusal> {
        let phase = self.phase;
        let open = self.open.as_mut().ok_or(CommandRefusal::NoSession)?;
        if phases.contains(&phase) { Ok(open) } else { Err(CommandRefusal::WrongPhase { phase }) }
    }

    /// Records the dose as given `ago` before now (R5.3), or another one, and returns its effective time. The
    /// phase follows with [`Self::refresh`], the baseline stays with the first.
    ///
    /// # Errors
    /// If no session is open, if it is recorded already (or, for another one, not yet), or if it is back-dated
    /// too far.
    pub fn dosed(&mut self, ago: Span, again: bool, now: Time) -> Result<Time, CommandRefusal> {
        let open = self.open.as_mut().ok_or(CommandRefusal::NoSession)?;
        match (open.dose, again) {
            (Some(_), false) => return Err(CommandRefusal::AlreadyDosed),
            (None, true) => return Err(CommandRefusal::NotDosed),
            _ => {}
        }
        let dose = back_dated(ago, now)?;
        if open.dose.is_some_and(|before| dose < before) {
            return Err(CommandRefusal::TooLongAgo { limit: now.since(open.dose.unwrap_or(now)) });
        }
        open.undo = Some(Undo {
            until: now + UNDO_WITHIN,
            dose: open.dose,
            infusion: open.infusion,
            prolonged: open.prolonged,
            forgotten: open.forgotten,
        });
        open.dose = Some(dose);
        open.infusion = open
            .opening
            .infusion
            .filter(|_| open.opening.route == Route::Iv)
            .map(|planned| Infusion::new(dose, planned));
        open.prolonged = None;
        open.forgotten = Forgotten::default();
        Ok(dose)
    }

    /// Takes the dose back that was recorded last; `true`: there is none now.
    ///
    /// # Errors
    /// If none was recorded within the last minute.
    pub fn undo_dose(&mut self, now: Time) -> Result<bool, CommandRefusal> {
        let open = self.open.as_mut().ok_or(CommandRefusal::NoSession)?;
        let undo = open.undo.take().ok_or(CommandRefusal::NotAsked)?;
        if undo.until < now {
            return Err(CommandRefusal::TooLongAgo { limit: UNDO_WITHIN });
        }
        (open.dose, open.infusion, open.prolonged) = (undo.dose, undo.infusion, undo.prolonged);
        open.forgotten = undo.forgotten;
        Ok(open.dose.is_none())
    }

    /// The window lasts `by` longer than it would; in recovery it begins again.
    ///
    /// # Errors
    /// If there was no dose, or if that is too long.
    pub fn prolong(&mut self, by: Span, now: Time, routes: &Routes) -> Result<(), CommandRefusal> {
        let end = self.limits(routes).and_then(|(_, end)| end);
        let open = self.expect_in(&[Phase::Onset, Phase::Window, Phase::Recovery])?;
        if by > PROLONG_AT_MOST || by == Span::ZERO {
            return Err(CommandRefusal::TooLong { limit: PROLONG_AT_MOST });
        }
        open.prolonged = Some(end.unwrap_or(now).max(now) + by);
        Ok(())
    }

    /// The treatment is broken off: the infusion ends, window rules hold for 60 min.
    ///
    /// # Errors
    /// If there was no dose.
    pub fn abort(&mut self, now: Time) -> Result<(), CommandRefusal> {
        let open = self.expect_in(&[Phase::Onset, Phase::Window, Phase::Recovery])?;
        if let Some(infusion) = &mut open.infusion {
            infusion.end(now);
        }
        open.aborted = Some(now);
        open.prolonged = Some(open.prolonged.unwrap_or(now).max(now + ABORT_WINDOW));
        Ok(())
    }

    /// The patient is disconnected for a while (R5.6).
    ///
    /// # Errors
    /// If an infusion runs, or if there is a standby already.
    pub fn stand_by(&mut self, reason: StandbyReason, now: Time) -> Result<(), CommandRefusal> {
        let open = self.expect()?;
        if open.infusion.is_some_and(|infusion| infusion.ended().is_none()) {
            return Err(CommandRefusal::InfusionRunning);
        }
        if open.standby.is_some() {
            return Err(CommandRefusal::Standby);
        }
        open.standby = Some(Standby { reason, since: now, until: now + STANDBY });
        Ok(())
    }

    /// Nobody watched for `outage`: a window that would have ended meanwhile lasts as much longer (R5.8).
    pub fn hold_window(&mut self, outage: Span, now: Time, routes: &Routes) {
        let ends = self.limits(routes).and_then(|(_, recovery)| recovery).filter(|recovery| *recovery <= now);
        let held = matches!(self.phase, Phase::Onset | Phase::Window);
        if let (Some(open), Some(ends), true) = (&mut self.open, ends, held) {
            open.prolonged = Some(ends + outage);
        }
    }

    /// Closes the session.
    ///
    /// # Errors
    /// If none is open.
    pub fn close(&mut self) -> Result<(), CommandRefusal> {
        self.open.take().ok_or(CommandRefusal::NoSession)?;
        *self = Self::default();
        Ok(())
    }

    /// Lets the clock of the phases turn; returns the phase before if it changed.
    pub fn refresh(&mut self, now: Time, routes: &Routes) -> Option<Phase> {
        let before = self.phase;
        self.phase = match (&self.open, self.limits(routes)) {
            (None, _) => Phase::NoSession,
            (Some(_), None) => Phase::Baseline,
            (Some(_), Some((window, _))) if now < window => Phase::Onset,
            (Some(_), Some((_, recovery))) if recovery.is_none_or(|recovery| now < recovery) => Phase::Window,
            (Some(_), Some(_)) => Phase::Recovery,
        };
        self.stricter = self.open.as_ref().is_some_and(|open| {
            let sedated = open.sedated.is_some_and(|at| now < at + SEDATIVE_WINDOW);
            sedated || open.interrupted
        });
        let changed = self.phase != before;
        if changed {
            let began = |(window, recovery): (Time, Option<Time>)| match self.phase {
                Phase::Window => Some(window.min(now)),
                Phase::Recovery => recovery,
                _ => self.dose(),
            };
            let opened = self.open.as_ref().map(|open| open.at);
            self.since = self.limits(routes).and_then(began).or(opened);
        }
        changed.then_some(before)
    }

    /// When the next phase begins by the clock.
    #[must_use]
    pub fn until(&self, routes: &Routes) -> Option<Time> {
        let (window, recovery) = self.limits(routes)?;
        match self.phase {
            Phase::Onset => Some(window),
            Phase::Window => recovery,
            Phase::NoSession | Phase::Baseline | Phase::Recovery => None,
        }
    }

    /// When its rules change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self, now: Time, routes: &Routes) -> Option<Time> {
        let open = self.open.as_ref()?;
        let sedated = open.sedated.map(|at| at + SEDATIVE_WINDOW);
        let standby = open.standby.map(|standby| standby.until);
        let infusion = open.infusion.and_then(|infusion| infusion.due());
        let marks = [self.until(routes), sedated, standby, infusion];
        marks.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// When window and recovery begin (R5.3). IV: not before the end of the infusion + 20 min, and nobody but a
    /// person ends an infusion. `None` for recovery: not by the clock.
    fn limits(&self, routes: &Routes) -> Option<(Time, Option<Time>)> {
        let open = self.open.as_ref()?;
        let dose = open.dose?;
        let phases = routes.of(open.opening.route);
        let by_route = dose + phases.recovery;
        let by_infusion = match open.infusion.map(|infusion| infusion.ended()) {
            None => Some(by_route),
            Some(ended) => ended.map(|ended| by_route.max(ended + routes.after_infusion)),
        };
        let recovery = by_infusion.map(|at| open.prolonged.map_or(at, |prolonged| at.max(prolonged)));
        Some((dose + phases.window, recovery.filter(|_| !open.uncertain)))
    }
}

/// A moment `ago` before now, if a person may say so.
///
/// # Errors
/// If that is too long ago.
pub(super) fn back_dated(ago: Span, now: Time) -> Result<Time, CommandRefusal> {
    let limit = BACK_DATED_AT_MOST.min(now.since(Time::ZERO));
    if ago > limit { Err(CommandRefusal::TooLongAgo { limit }) } else { Ok(now - ago) }
}

#[cfg(test)]
mod tests;
