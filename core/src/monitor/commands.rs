//! What a person asks of a bed, carried out or refused with a reason (R4.1, R5.2, R5.3, R8.3).

use crate::monitor::bed::Bed;
use crate::monitor::condition::Life;
use crate::monitor::input::{Action, Command, CommandRefusal, Named, Opening};
use crate::monitor::output::{Ack, Event, EventKind, Group, Output, Phase};
use crate::monitor::session::Room;
use crate::monitor::unavailable::Unavailable;

impl Bed {
    pub(super) fn act(&mut self, command: &Command, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        let actor = || command.actor.clone();
        let did = || EventKind::Did { actor: actor(), action: command.action.clone() };
        match command.action {
            Action::Open(Opening { route, infusion, over_65, .. }) => {
                self.state.session.open(route, infusion, over_65, now)?;
                if !self.state.room.armed() {
                    self.state.unavailable = Unavailable::default();
                }
                let pressures = |group| matches!(group, Group::PressureHigh | Group::PressureLow);
                if !self.state.board.present().any(|alarm| pressures(alarm.condition.group())) {
                    self.state.pressure.reset();
                    self.state.newest_pressure = None;
                }
                self.state.cuff.open(now);
                self.judge_oximetry();
                out(Output::Session);
                out(Output::Event(Event { at: now, kind: did() }));
                let phase = EventKind::Phase { from: Phase::NoSession, to: Phase::Baseline };
                out(Output::Event(Event { at: now, kind: phase }));
            }
            Action::Dose { ago } => {
                self.state.session.dosed(ago, now)?;
                out(Output::Event(Event { at: now, kind: did() }));
            }
            Action::Close { .. } => {
                let from = self.state.session.phase();
                self.state.session.close()?;
                self.close();
                out(Output::Session);
                out(Output::Event(Event { at: now, kind: did() }));
                out(Output::Event(Event { at: now, kind: EventKind::Phase { from, to: Phase::NoSession } }));
            }
            Action::Acknowledge(Named { condition, episode, priority }) => {
                let ack = Ack { actor: actor(), at: now };
                self.state.board.acknowledge(condition, episode, priority, ack)?;
            }
            Action::Seen { condition, episode } => self.state.board.seen(condition, episode)?,
            Action::Pressure { pressure, ago } => self.take_manual(pressure, ago, out)?,
            Action::StartCuff => self.ask_cuff(out)?,
            Action::StopCuff => self.stop_cuff(out)?,
            _ => return Err(CommandRefusal::NotAsked),
        }
        Ok(())
    }

    /// The patient leaves, and everything that was about this patient with it.
    pub(super) fn close(&mut self) {
        let state = &mut self.state;
        state.board.drop_all(state.now);
        state.lives.iter_mut().for_each(Life::reset);
        state.pressure.reset();
        state.newest_pressure = None;
        state.unavailable = Unavailable::default();
        state.cuff.close();
        state.room = Room::default();
    }
}
