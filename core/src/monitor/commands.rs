//! What a person asks of a bed, carried out or refused with a reason (R4.1, R5.2, R5.3, R8.3).

use crate::driver::Request;
use crate::monitor::bed::Bed;
use crate::monitor::condition::Life;
use crate::monitor::input::{Action, Command, CommandRefusal, DeviceIndex, Link, Named, Opening};
use crate::monitor::output::{Ack, Event, EventKind, Group, Output, Phase};
use crate::monitor::session::Room;
use crate::monitor::unavailable::Unavailable;
use crate::sample::{CuffOrigin, CuffResult};
use crate::time::Span;
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// R8.3: a pressure measured by hand may be typed in this late.
const MANUAL_AT_MOST: Span = Span::mins(15);

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
            Action::StartCuff => {
                self.may_ask_cuff()?;
                if self.state.cuff.under_way() {
                    return Err(CommandRefusal::CuffBusy);
                }
                self.start_cuff(out);
            }
            Action::StopCuff => {
                let device = self.may_ask_cuff()?;
                out(Output::Request { device, request: Request::StopCuff });
            }
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

    fn take_manual(
        &mut self,
        pressure: BloodPressure,
        ago: Span,
        out: &mut impl FnMut(Output),
    ) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        if self.state.session.phase() == Phase::NoSession {
            return Err(CommandRefusal::NoSession);
        }
        if ago > MANUAL_AT_MOST {
            return Err(CommandRefusal::TooLongAgo { limit: MANUAL_AT_MOST });
        }
        let pulse: Measured<PulseRate> = Measured::Absent(Absent::NotMeasured);
        let result =
            CuffResult { at: now, measured_at: now - ago, origin: CuffOrigin::Manual, pressure: Ok(pressure), pulse };
        self.take_determination(&result, out);
        Ok(())
    }

    pub(super) fn may_ask_cuff(&self) -> Result<DeviceIndex, CommandRefusal> {
        let device = self.state.cuff.source().filter(|_| self.state.cuff.starts()).ok_or(CommandRefusal::NoCuff)?;
        match self.cuff_way().and_then(|way| way.link) {
            Some(Link::Up) => Ok(device),
            _ => Err(CommandRefusal::CuffLost),
        }
    }
}
