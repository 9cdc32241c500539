//! One bed: the pieces of the monitor, joined.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::driver::{Kind, Protocol, Quantity};
use crate::monitor::announce::{Board, Cause};
use crate::monitor::condition::Life;
use crate::monitor::cuff::Cuff;
use crate::monitor::input::{BoxFault, Command, CommandRefusal, DeviceIndex, Input, Link, LossReason};
use crate::monitor::output::{Alarm, AlarmKind, Condition, Determination, Event, EventKind, Output, Phase, Priority};
use crate::monitor::oximeter::Oximeter;
use crate::monitor::preset::Preset;
use crate::monitor::pressure::Rows;
use crate::monitor::rows::applies;
use crate::monitor::session::{Room, Session};
use crate::monitor::technical::{BROKER_LOST_AFTER, CUFF_LOST_AFTER};
use crate::monitor::unavailable::Unavailable;
use crate::sample::Sample;
use crate::time::{Span, Time};
use crate::vitals::Absent;

/// A device as its bed sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The pause between two of its values (R1.2).
    pub cadence: Span,
    /// What it is the primary source of (R1.6).
    pub primary: Vec<Quantity>,
    /// Whether it can be told to measure the blood pressure.
    pub starts_cuff: bool,
    /// The full scale of its waveform, if it sends one.
    pub pleth_full_scale: Option<u16>,
}

impl Device {
    /// A device that speaks `protocol` and is the primary source of `primary`.
    #[must_use]
    pub fn of(protocol: &Protocol, primary: &[Quantity]) -> Self {
        Self {
            cadence: protocol.cadence,
            primary: primary.iter().copied().filter(|quantity| protocol.measures(*quantity)).collect(),
            starts_cuff: protocol.kind == Kind::Poll && protocol.measures(Quantity::BloodPressure),
            pleth_full_scale: protocol.pleth.map(|pleth| pleth.full_scale),
        }
    }
}

/// One bed.
#[derive(Clone, Debug)]
pub struct Bed {
    pub(super) preset: Preset,
    pub(super) devices: Vec<Device>,
    pub(super) state: Snapshot,
    /// When something is due by the passing of time alone.
    next: Option<Time>,
}

/// Everything a bed remembers: taken anywhere and restored, it decides the same as before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) now: Time,
    pub(super) session: Session,
    pub(super) room: Room,
    pub(super) oximeter: Oximeter,
    pub(super) lives: Vec<Life>,
    pub(super) pressure: Rows,
    pub(super) newest_pressure: Option<Determination>,
    pub(super) unavailable: Unavailable,
    pub(super) cuff: Cuff,
    pub(super) links: Vec<Way>,
    pub(super) broker_lost: Option<Time>,
    pub(super) board: Board,
}

/// The way to one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) link: Option<Link>,
    pub(super) lost_since: Option<Time>,
}

impl Bed {
    /// A bed with these devices, without a session.
    #[must_use]
    pub fn new(preset: Preset, devices: Vec<Device>, now: Time) -> Self {
        let source = |quantity| {
            let primary = devices.iter().position(|device| device.primary.contains(&quantity))?;
            let index = DeviceIndex(u8::try_from(primary).ok()?);
            devices.get(primary).map(|device| (index, device))
        };
        let timed = |quantity| source(quantity).map(|(index, device)| (index, device.cadence));
        let pleth = source(Quantity::Spo2).and_then(|(_, device)| device.pleth_full_scale);
        let cuff = source(Quantity::BloodPressure);
        let state = Snapshot {
            now,
            session: Session::default(),
            room: Room::default(),
            oximeter: Oximeter::new(timed(Quantity::Spo2), timed(Quantity::Pulse), pleth),
            lives: preset.oximetry.iter().map(|_| Life::default()).collect(),
            pressure: Rows::new(&preset),
            newest_pressure: None,
            unavailable: Unavailable::default(),
            cuff: Cuff::new(cuff.map(|(index, _)| index), cuff.is_some_and(|(_, device)| device.starts_cuff)),
            links: devices.iter().map(|_| Way { link: None, lost_since: None }).collect(),
            broker_lost: None,
            board: Board::default(),
        };
        let mut bed = Self { preset, devices, state, next: None };
        bed.next = bed.earliest();
        bed
    }

    /// Takes one input at `now`. What was due before it is decided first.
    pub fn input(&mut self, input: &Input, now: Time, out: &mut impl FnMut(Output)) {
        self.run_until(now, out);
        match *input {
            Input::Sample { device, ref sample } => self.take_sample(device, sample, out),
            Input::Link { device, link } => self.take_link(device, link, out),
            Input::Fault { fault: BoxFault::Broker, present } => {
                self.state.broker_lost = present.then(|| self.state.broker_lost.unwrap_or(self.state.now));
            }
            Input::Fault { .. } | Input::Tick => {}
        }
        self.settle(out);
        self.next = self.earliest();
    }

    /// Carries out a command at `now`.
    ///
    /// # Errors
    /// A typed reason why it was not carried out; nothing has changed then.
    pub fn command(
        &mut self,
        command: &Command,
        now: Time,
        out: &mut impl FnMut(Output),
    ) -> Result<(), CommandRefusal> {
        self.run_until(now, out);
        let done = self.act(command, out);
        self.settle(out);
        self.next = self.earliest();
        done
    }

    /// When to call [`Self::input`] with a tick at the latest.
    #[must_use]
    pub const fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// Everything it remembers.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.state
    }

    /// A bed that goes on from `snapshot`, with the same preset and devices as before.
    #[must_use]
    pub fn restore(snapshot: Snapshot, preset: Preset, devices: Vec<Device>) -> Self {
        let mut bed = Self { preset, devices, state: snapshot, next: None };
        bed.next = bed.earliest();
        bed
    }

    /// The preset in force.
    #[must_use]
    pub const fn preset(&self) -> &Preset {
        &self.preset
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.state.session
    }

    /// The oximetry as it stands.
    #[must_use]
    pub const fn oximeter(&self) -> &Oximeter {
        &self.state.oximeter
    }

    /// The newest determination that gave a pressure.
    #[must_use]
    pub const fn newest_pressure(&self) -> Option<&Determination> {
        self.state.newest_pressure.as_ref()
    }

    /// The cuff.
    #[must_use]
    pub const fn cuff(&self) -> &Cuff {
        &self.state.cuff
    }

    /// Every alarm that is active or latched.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.state.board.present()
    }

    /// One alarm condition as it stands.
    #[must_use]
    pub fn alarm(&self, condition: Condition) -> Option<&Alarm> {
        self.state.board.get(condition)
    }

    /// Whether a room without a session is watched (R5.1).
    #[must_use]
    pub const fn armed(&self) -> bool {
        self.state.room.armed()
    }

    // Time.

    fn run_until(&mut self, now: Time, out: &mut impl FnMut(Output)) {
        while let Some(due) = self.next.filter(|due| *due <= now) {
            self.advance(due);
            self.settle(out);
            self.next = self.earliest();
        }
        self.advance(now);
    }

    fn advance(&mut self, now: Time) {
        let state = &mut self.state;
        let span = now.since(state.now);
        state.now = state.now.max(now);
        if span == Span::ZERO {
            return;
        }
        let (phase, armed) = (state.session.phase(), state.room.armed());
        for (row, life) in self.preset.oximetry.iter().zip(&mut state.lives) {
            // Time in which a row is off is no time in violation.
            if life.active() || applies(row.condition, phase, armed) && row.priority.at(phase).is_some() {
                life.advance(span);
            }
        }
        if phase != Phase::NoSession || armed {
            state.unavailable.advance(span);
        }
    }

    /// The earliest thing that is due, always in the future.
    fn earliest(&self) -> Option<Time> {
        let state = &self.state;
        let now = state.now;
        let stirring = self.rows().filter(|(_, life)| !life.at_rest());
        let in_use = stirring.filter(|(row, life)| life.active() || self.row_priority(row).is_some());
        let lives = in_use.filter_map(|(row, life)| life.deadline(&self.terms(row))).min().map(|wait| now + wait);
        let watched = state.session.phase() != Phase::NoSession || state.room.armed();
        let unavailable = state.unavailable.deadline(
            state.session.phase(),
            self.spo2_absence(),
            self.third_baseline(),
            &self.preset.unavailable,
            now,
        );
        let broker = state.broker_lost.map(|since| since + BROKER_LOST_AFTER);
        let cuff_lost = self.cuff_way().and_then(|way| way.lost_since).map(|since| since + CUFF_LOST_AFTER);
        let room = if state.session.phase() == Phase::NoSession { state.room.deadline(now) } else { None };
        [
            lives,
            state.oximeter.deadline(),
            unavailable.filter(|_| watched).map(|wait| now + wait),
            state.session.deadline(&self.preset.routes),
            state.cuff.deadline(state.session.phase(), now, &self.preset.cuff),
            state.board.deadline(),
            broker.filter(|at| *at > now),
            cuff_lost.filter(|at| *at > now),
            room,
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| at.max(now + Span::millis(1)))
    }

    // Inputs.

    fn take_sample(&mut self, device: DeviceIndex, sample: &Sample, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        match sample {
            Sample::Oximetry(oximetry) => {
                self.state.oximeter.take(device, oximetry, now);
                self.state.oximeter.refresh(now);
                self.judge_oximetry();
            }
            Sample::Pleth { value, .. } => self.state.oximeter.take_pleth(device, *value, now),
            Sample::CuffState { state, .. } if self.is_cuff(device) => self.state.cuff.take_state(*state, now),
            Sample::CuffResult(result) if self.is_cuff(device) => self.take_determination(result, out),
            Sample::CuffState { .. } | Sample::CuffResult(_) | Sample::Identity { .. } | Sample::Notice { .. } => {}
        }
    }

    fn take_link(&mut self, device: DeviceIndex, link: Link, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        let Some(way) = self.state.links.get_mut(usize::from(device.0)) else { return };
        if way.link == Some(link) {
            return;
        }
        way.link = Some(link);
        out(Output::Event(Event { at: now, kind: EventKind::Device { device, link } }));
        match link {
            Link::Lost(reason) => {
                way.lost_since.get_or_insert(now);
                self.state.oximeter.lose(device, absence(reason));
                if self.is_cuff(device) {
                    self.state.cuff.lost(now);
                }
                self.judge_oximetry();
            }
            // An open port is not a device: only what speaks its protocol ends a loss.
            Link::Opened => {}
            Link::Up => way.lost_since = None,
        }
    }

    // Consequences.

    /// Draws every consequence of what has arrived and of the time that has passed, and tells it.
    fn settle(&mut self, out: &mut impl FnMut(Output)) {
        self.settle_values();
        self.settle_phase(out);
        self.settle_room();
        self.settle_oximetry();
        self.settle_technical();
        self.settle_cuff(out);
        let now = self.state.now;
        if let Some(reading) = self.state.oximeter.tell(now) {
            out(Output::Oximetry(reading));
        }
        self.state.board.tell(now, out);
    }

    fn settle_values(&mut self) {
        let held = |oximeter: &Oximeter| (oximeter.spo2().held(), oximeter.pulse().held());
        let before = held(&self.state.oximeter);
        self.state.oximeter.refresh(self.state.now);
        if held(&self.state.oximeter) != before {
            self.judge_oximetry();
        }
    }

    fn settle_phase(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        let Some(from) = self.state.session.refresh(now, &self.preset.routes) else { return };
        let to = self.state.session.phase();
        self.state.cuff.change_phase(to, &self.preset.cuff);
        for row in &self.preset.oximetry {
            // R5.5: a change of phase never loosens what is in alarm.
            let alarm = self.state.board.get(row.condition);
            let present = alarm.filter(|_| self.state.board.is_on(row.condition)).map(|alarm| alarm.priority);
            if let (Some(present), Some(new)) = (present, row.priority.at(to)) {
                self.state.board.set_priority(row.condition, present.max(new), to);
            }
        }
        out(Output::Session);
        out(Output::Event(Event { at: now, kind: EventKind::Phase { from, to } }));
    }

    fn settle_room(&mut self) {
        let state = &mut self.state;
        if state.session.phase() != Phase::NoSession {
            state.room = Room::default();
            state.board.end(Condition::NoSession, state.now);
            return;
        }
        let pulse = state.oximeter.pulse().held().value().is_some();
        let was_armed = state.room.armed();
        // Only being seen, or a person who opens a session, lets go of an alarm about a patient.
        let alarmed = state.board.present().any(|alarm| alarm.kind() == AlarmKind::Physiological);
        state.room.refresh(pulse, alarmed, state.now);
        if was_armed && !state.room.armed() {
            self.close();
            return;
        }
        if state.room.asks(state.now) && !state.board.is_on(Condition::NoSession) {
            let cause = Cause {
                priority: Priority::Low,
                value: None,
                limit: None,
                baseline: None,
                delay: Span::ZERO,
                phase: Phase::NoSession,
            };
            state.board.raise(Condition::NoSession, &cause, state.now);
        }
    }
}

/// What a lost way means for the values that came by it.
const fn absence(reason: LossReason) -> Absent {
    match reason {
        LossReason::Silent | LossReason::ChecksumStorm => Absent::DeviceLost,
        _ => Absent::LinkLost,
    }
}
