//! One bed: the pieces of the monitor, joined.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::driver::{Protocol, Quantity};
use crate::monitor::alarm::{Alarm, AlarmKind, Condition};
use crate::monitor::announce::Board;
use crate::monitor::attention::Off;
use crate::monitor::baseline::Baseline;
use crate::monitor::condition::Life;
use crate::monitor::contact::Contact;
use crate::monitor::cuff::{Cuff, RESTS};
use crate::monitor::identity::Identity;
use crate::monitor::input::{BoxFault, Command, CommandRefusal, DeviceIndex, Input, Link, LossReason};
use crate::monitor::output::{Determination, Event, EventKind, Output, Phase};
use crate::monitor::oximeter::Oximeter;
use crate::monitor::preset::Preset;
use crate::monitor::pressure::Rows;
use crate::monitor::room::Room;
use crate::monitor::rows::applies;
use crate::monitor::session::Session;
use crate::monitor::shadow::Shadow;
use crate::monitor::trend_rows::Trends;
use crate::monitor::unavailable::Unavailable;
use crate::sample::{Notice, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure};

/// A device as its bed sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The pause between two of its values (R1.2).
    pub cadence: Span,
    /// What it is the primary source of (R1.6).
    pub primary: Vec<Quantity>,
    /// Whether it can be told to measure the blood pressure.
    pub starts_cuff: bool,
    /// How long its cuff rests after a determination before it may be started again (R8.4).
    pub cuff_rest: Span,
    /// The full scale of its waveform, if it sends one.
    pub pleth_full_scale: Option<u16>,
}

impl Device {
    /// A device of which it is not known yet which of `protocols` it speaks: as slow as the slowest of them, and it
    /// cannot be told to measure.
    #[must_use]
    pub fn one_of(protocols: &[&'static Protocol], primary: &[Quantity]) -> Self {
        let cuffs = protocols.iter().filter_map(|protocol| protocol.cuff);
        Self {
            cadence: protocols.iter().map(|protocol| protocol.cadence).max().unwrap_or(Span::ZERO),
            primary: primary.into(),
            starts_cuff: false,
            cuff_rest: cuffs.map(|cuff| cuff.rest).max().unwrap_or(RESTS),
            pleth_full_scale: None,
        }
    }

    /// A device that speaks `protocol` and is the primary source of `primary`.
    #[must_use]
    pub fn of(protocol: &Protocol, primary: &[Quantity]) -> Self {
        Self {
            cadence: protocol.cadence,
            primary: primary.iter().copied().filter(|quantity| protocol.measures(*quantity)).collect(),
            starts_cuff: protocol.cuff.is_some_and(|cuff| cuff.starts),
            cuff_rest: protocol.cuff.map_or(RESTS, |cuff| cuff.rest),
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
    /// The oximetry rows, within a group the gravest first: of what happens at one moment it is told first.
    pub(super) order: Vec<usize>,
    /// When something is due by the passing of time alone.
    next: Option<Time>,
}

/// Everything a bed remembers: taken anywhere and restored, it decides the same as before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The shape of what follows: a snapshot of another shape is not read.
    pub(super) version: u16,
    pub(super) now: Time,
    pub(super) session: Session,
    pub(super) room: Room,
    pub(super) oximeter: Oximeter,
    /// One for each oximetry row of the preset, and one for row 34.
    pub(super) lives: Vec<Life>,
    pub(super) trends: Trends,
    pub(super) contact: Contact,
    /// The question after another patient waits for an answer (R5.6).
    pub(super) exchanged: bool,
    pub(super) shadow: Shadow,
    /// The oximetry was last judged while the cuff cast its shadow on it.
    pub(super) judged_in_shadow: bool,
    pub(super) pressure: Rows,
    pub(super) newest_pressure: Option<Determination>,
    /// The valid readings of the last hour, oldest first.
    pub(super) pressures: Vec<(Time, BloodPressure)>,
    pub(super) unavailable: Unavailable,
    pub(super) cuff: Cuff,
    pub(super) links: Vec<Way>,
    pub(super) identities: Vec<Identity>,
    /// Since when each fault of the box has been present, in the order of [`BoxFault::ALL`].
    pub(super) faults: Vec<Option<Time>>,
    pub(super) board: Board,
}

/// The shape of a [`Snapshot`].
const SNAPSHOT_VERSION: u16 = 3;

impl Snapshot {
    /// Whether this program can read it.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.version == SNAPSHOT_VERSION
    }
}

/// So many readings of an hour are kept: one a minute, and some by hand.
pub(super) const PRESSURES_KEPT: usize = 64;

/// The way to one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) link: Option<Link>,
    pub(super) lost_since: Option<Time>,
    /// The device says that its own alarm is off (R10.5).
    pub(super) own_alarm_off: bool,
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
            version: SNAPSHOT_VERSION,
            now,
            session: Session::default(),
            room: Room::default(),
            oximeter: Oximeter::new(timed(Quantity::Spo2), timed(Quantity::Pulse), pleth),
            lives: preset.oximetry.iter().chain([&preset.combined.fast_pulse]).map(|_| Life::default()).collect(),
            trends: Trends::default(),
            contact: Contact::begin(now),
            exchanged: false,
            shadow: Shadow::default(),
            judged_in_shadow: false,
            pressure: Rows::new(&preset),
            newest_pressure: None,
            pressures: Vec::with_capacity(PRESSURES_KEPT),
            unavailable: Unavailable::default(),
            cuff: Cuff::new(
                cuff.map(|(index, _)| index),
                cuff.is_some_and(|(_, device)| device.starts_cuff),
                cuff.map_or(RESTS, |(_, device)| device.cuff_rest),
            ),
            links: devices.iter().map(|_| Way { link: None, lost_since: None, own_alarm_off: false }).collect(),
            identities: devices.iter().map(|_| Identity::default()).collect(),
            faults: BoxFault::ALL.iter().map(|_| None).collect(),
            board: Board::default(),
        };
        Self::restore(state, preset, devices)
    }

    /// Takes one input at `now`. What was due before it is decided first.
    pub fn input(&mut self, input: &Input, now: Time, out: &mut impl FnMut(Output)) {
        self.run_until(now, out);
        match *input {
            Input::Sample { device, ref sample } => self.take_sample(device, sample, out),
            Input::Link { device, link } => self.take_link(device, link, out),
            Input::Fault { fault, present } => {
                let now = self.state.now;
                if let Some(since) = self.state.faults.get_mut(fault as usize) {
                    *since = present.then(|| since.unwrap_or(now));
                }
            }
            Input::Tick => {}
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

    /// What `device` is has been found out, or it is another one than before: from now on its terms are these. What
    /// it is the source of stays as it was configured (R1.6).
    pub fn equip(&mut self, device: DeviceIndex, terms: &Device, now: Time, out: &mut impl FnMut(Output)) {
        self.run_until(now, out);
        if let Some(known) = self.devices.get_mut(usize::from(device.0)) {
            *known = Device { primary: core::mem::take(&mut known.primary), ..terms.clone() };
            self.state.oximeter.equip(device, terms.cadence, terms.pleth_full_scale);
            if self.is_cuff(device) {
                self.state.cuff.equip(terms.starts_cuff, terms.cuff_rest);
            }
        }
        self.settle(out);
        self.next = self.earliest();
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
        let rows = preset.oximetry.iter().chain([&preset.combined.fast_pulse]);
        let mut order: Vec<_> = rows.map(|row| row.condition).enumerate().collect();
        order.sort_by_key(|(_, condition)| core::cmp::Reverse(*condition));
        let order = order.into_iter().map(|(index, _)| index).collect();
        let mut bed = Self { preset, devices, state: snapshot, order, next: None };
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

    /// Until when the sound of the bed is paused (R4.4).
    #[must_use]
    pub fn audio_paused_until(&self) -> Option<Time> {
        self.state.board.paused_until()
    }

    /// What is switched off, and by whom (R4.4).
    pub fn switched_off(&self) -> impl Iterator<Item = (Condition, &Off)> {
        self.state.board.switched_off()
    }

    /// Until when the patient is on standby (R5.6).
    #[must_use]
    pub fn standby_until(&self) -> Option<Time> {
        self.state.session.opened().and_then(|open| open.standby).map(|standby| standby.until)
    }

    /// The values before the dose, while they may be used: not in a session that was interrupted (R5.8).
    #[must_use]
    pub fn baseline(&self) -> Option<&Baseline> {
        let open = self.state.session.opened()?;
        (!open.interrupted).then(|| self.state.session.baseline())
    }

    /// The rows that are off because something is not known of this patient (R5.9).
    #[must_use]
    pub fn rows_off(&self) -> Vec<Condition> {
        if self.state.session.dose().is_none() {
            return Vec::new();
        }
        let baseline = self.baseline();
        let mut off = Vec::new();
        if baseline.and_then(Baseline::spo2).is_none() {
            off.push(Condition::Spo2BelowBaseline);
        }
        if baseline.and_then(Baseline::pressure).is_none() {
            off.extend([Condition::PressureRise, Condition::MeanRise]);
        }
        if self.person().hypercapnia {
            off.push(Condition::Spo2Drift);
        }
        off
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
        let span = now.since(self.state.now);
        let watched = self.watches_signal();
        self.state.now = self.state.now.max(now);
        if span == Span::ZERO {
            return;
        }
        let (session, armed) = (&self.state.session, self.state.room.armed());
        let (phase, also) = (session.phase(), session.also());
        let rows = self.preset.oximetry.iter().chain([&self.preset.combined.fast_pulse]);
        for (row, life) in rows.zip(&mut self.state.lives) {
            // Time in which a row is off is no time in violation.
            if life.active() || applies(row.condition, phase, armed) && row.priority.at_either(phase, also).is_some() {
                life.advance(span);
            }
        }
        self.state.trends.advance(span);
        if watched {
            self.state.unavailable.advance(span);
        }
    }

    /// The earliest thing that is due, always in the future.
    fn earliest(&self) -> Option<Time> {
        let state = &self.state;
        let now = state.now;
        let stirring = self.rows().filter(|(_, life)| !life.at_rest());
        let in_use = stirring.filter(|(row, life)| life.active() || self.row_priority(row).is_some());
        let lives = in_use.filter_map(|(row, life)| life.deadline(&self.terms(row))).min().map(|wait| now + wait);
        let unavailable = self.watches_signal().then(|| self.unavailable_deadline()).flatten();
        let room = if state.session.phase() == Phase::NoSession { state.room.deadline(now) } else { None };
        [
            lives,
            state.oximeter.deadline(),
            unavailable.map(|wait| now + wait),
            self.trends_deadline(),
            state.session.deadline(now, &self.preset.routes),
            state.shadow.deadline(now),
            state.contact.deadline(),
            self.determination_deadline(),
            state.board.deadline(),
            self.technical_deadline(),
            self.prompts_deadline(),
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
            Sample::CuffState { state, .. } if self.is_cuff(device) => self.take_cuff_state(*state),
            Sample::CuffResult(result) if self.is_cuff(device) => self.take_determination(result, out),
            Sample::Notice { notice: notice @ (Notice::OwnAlarmOff | Notice::OwnAlarmOn), .. } => {
                if let Some(way) = self.state.links.get_mut(usize::from(device.0)) {
                    way.own_alarm_off = *notice == Notice::OwnAlarmOff;
                }
            }
            Sample::Identity { part, text, .. } => self.take_identity(device, *part, *text),
            Sample::CuffState { .. } | Sample::CuffPressure { .. } | Sample::CuffResult(_) | Sample::Notice { .. } => {}
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
                self.state.oximeter.lose(device, absence(reason), now);
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
        self.settle_shadow();
        self.settle_values();
        self.settle_phase(out);
        // What changes the rules comes before what is judged by them.
        self.settle_contact(out);
        self.settle_forgotten(out);
        self.settle_room();
        self.settle_oximetry();
        self.settle_trends();
        self.settle_technical();
        self.settle_cuff(out);
        self.settle_shadow();
        self.settle_prompts();
        let now = self.state.now;
        if let Some(reading) = self.state.oximeter.tell(now) {
            out(Output::Oximetry(reading));
        }
        self.state.board.tell(now, &self.preset.attention, out);
    }

    fn settle_values(&mut self) {
        let held = |oximeter: &Oximeter| (oximeter.spo2().held(), oximeter.pulse().held());
        let before = held(&self.state.oximeter);
        self.state.oximeter.refresh(self.state.now);
        if held(&self.state.oximeter) != before || self.limits_change_now() {
            self.judge_oximetry();
        }
    }

    fn settle_phase(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        let before = self.state.session.also();
        let changed = self.state.session.refresh(now, &self.preset.routes);
        let (to, also) = (self.state.session.phase(), self.state.session.also());
        if changed.is_none() && also == before {
            return;
        }
        self.state.board.switch_on_for(self.state.session.watched_as());
        for row in self.preset.oximetry.iter().chain([&self.preset.combined.fast_pulse]) {
            // R5.5: a change of phase never loosens what is in alarm.
            if let (Some(present), Some(new)) = (self.state.board.base(row.condition), row.priority.at_either(to, also))
            {
                self.state.board.set_priority(row.condition, present.max(new), to);
            }
        }
        out(Output::Session);
        if let Some(from) = changed {
            out(Output::Event(Event { at: now, kind: EventKind::Phase { from, to } }));
        }
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
        // One that somebody has accepted does so for a while: a patient who left cannot end it.
        let left = state.room.has_left(state.now);
        let alarmed = state
            .board
            .present()
            .any(|alarm| alarm.kind() == AlarmKind::Physiological && (alarm.ack.is_none() || !left));
        state.room.refresh(pulse, alarmed, state.now);
        match (was_armed, state.room.armed()) {
            (true, false) => self.close(),
            // What was lost while nobody was watched is no loss of this person's (R6.3).
            (false, true) => self.resume_watch(),
            _ => {}
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
