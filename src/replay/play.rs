//! A bed in a replay, and the person who opens its session and gives the dose.

use vitalsd_core::monitor::input::{Action, Command, DeviceIndex, Input, Link, Opening};
use vitalsd_core::monitor::output::{Condition, Event, EventKind, Output, Presence};
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::time::{Span, Time};

use super::{ReplayError, Terms};

/// Who opens the session and gives the dose.
const ACTOR: &str = "replay";

/// A bed with an open session.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) bed: Bed,
    /// When the dose is to be given, until it has been.
    dose: Option<Time>,
}

impl Play {
    /// Opens a session at 0, at a bed of these devices; each has its link.
    pub(super) fn open(
        terms: &Terms,
        devices: Vec<Device>,
        links: &[Link],
        out: &mut impl FnMut(Output),
    ) -> Result<Self, ReplayError> {
        let bed = Bed::new(terms.preset.clone(), devices, Time::ZERO);
        let mut play = Self { bed, dose: Some(terms.dose_at) };
        for (device, link) in (0..).map(DeviceIndex).zip(links) {
            play.bed.input(&Input::Link { device, link: *link }, Time::ZERO, out);
        }
        play.does(Action::Open(Opening::by(terms.route)), Time::ZERO, out)?;
        Ok(play)
    }

    /// When the person does something next.
    pub(super) const fn due(&self) -> Option<Time> {
        self.dose
    }

    /// Gives the dose, if it is time.
    pub(super) fn dose(&mut self, now: Time, out: &mut impl FnMut(Output)) -> Result<(), ReplayError> {
        match self.dose.take_if(|dose| *dose <= now) {
            Some(_) => self.does(Action::Dose { ago: Span::ZERO }, now, out),
            None => Ok(()),
        }
    }

    /// When the dose is given is known: the question after a forgotten one (R5.4) is answered ...
    pub(super) fn answer(&mut self, now: Time, out: &mut impl FnMut(Output)) -> Result<(), ReplayError> {
        let asked = self.bed.alarm(Condition::DoseForgotten).is_some_and(|alarm| alarm.presence == Presence::On);
        if asked { self.does(Action::NotYet, now, out) } else { Ok(()) }
    }

    /// ... and not told.
    pub(super) fn is_its_own(output: &Output) -> bool {
        use EventKind as E;
        let alarm = match output {
            Output::Alarm(alarm) => alarm,
            Output::Event(Event { kind: E::Raised(alarm) | E::Escalated(alarm) | E::Cleared(alarm), .. }) => alarm,
            _ => return false,
        };
        alarm.condition == Condition::DoseForgotten
    }

    fn does(&mut self, action: Action, now: Time, out: &mut impl FnMut(Output)) -> Result<(), ReplayError> {
        command(&mut self.bed, action, now, out)
    }
}

/// A person does something at a bed.
pub(super) fn command(
    bed: &mut Bed,
    action: Action,
    now: Time,
    out: &mut impl FnMut(Output),
) -> Result<(), ReplayError> {
    bed.command(&Command { actor: ACTOR.into(), action }, now, out).map_err(ReplayError::Refused)
}
