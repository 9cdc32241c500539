//! A bed in a room, fed by the second: what the tests of the monitor share.
#![allow(dead_code, reason = "each test file uses its own part of the room")]
#![allow(clippy::expect_used, reason = "a helper of tests fails as a test does")]

use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{Action, Command, CommandRefusal, DeviceIndex, Input, Link, Named, Opening, Route};
use vitalsd_core::monitor::observation::Responsiveness;
use vitalsd_core::monitor::output::{Alarm, Condition, Event, EventKind, Output, Presence, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::{CuffOrigin, CuffResult, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Measured, PulseRate, Spo2};

pub const OXIMETER: DeviceIndex = DeviceIndex(0);
pub const CUFF: DeviceIndex = DeviceIndex(1);

/// What happened to a condition, as a test wants to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Raised(Priority),
    Noted(Priority),
    Announced(Priority),
    Worsened(Priority),
    Eased(Priority),
    Escalated(Priority),
    Reannounced(Priority),
    Acknowledged,
    Latched,
    Cleared,
}

pub struct Room {
    pub bed: Bed,
    pub now: Time,
    pub out: Vec<Output>,
}

pub fn devices(oximeter_cadence: Span, with_cuff: bool) -> Vec<Device> {
    let oximeter = Device {
        cadence: oximeter_cadence,
        primary: vec![Quantity::Spo2, Quantity::Pulse],
        starts_cuff: false,
        cuff_rest: Span::secs(30),
        pleth_full_scale: Some(127),
    };
    let cuff = Device {
        cadence: Span::secs(5),
        primary: vec![Quantity::BloodPressure],
        starts_cuff: false,
        cuff_rest: Span::secs(30),
        pleth_full_scale: None,
    };
    if with_cuff { vec![oximeter, cuff] } else { vec![oximeter] }
}

impl Room {
    /// An oximeter at 1 Hz, and no cuff.
    pub fn empty() -> Self {
        Self::with(devices(Span::secs(1), false))
    }

    pub fn with(devices: Vec<Device>) -> Self {
        let bed = Bed::new(Preset::kat_default_1(), devices, Time::ZERO);
        Self { bed, now: Time::ZERO, out: Vec::new() }
    }

    /// A session that was dosed `minutes` ago, its oximetry steady at 97 % and 72 bpm.
    pub fn dosed(route: Route) -> Self {
        let mut room = Self::empty();
        room.link(OXIMETER, Link::Up);
        room.open(route);
        room.dose(Span::ZERO);
        room.steady(5);
        room.out.clear();
        room
    }

    pub fn input(&mut self, input: Input) {
        self.bed.input(&input, self.now, &mut |output| self.out.push(output));
    }

    pub fn command(&mut self, action: Action) -> Result<(), CommandRefusal> {
        let command = Command { actor: "nurse-1".into(), action };
        self.bed.command(&command, self.now, &mut |output| self.out.push(output))
    }

    pub fn open(&mut self, route: Route) {
        self.command(Action::Open(Opening::by(route))).expect("opens");
    }

    pub fn dose(&mut self, ago: Span) {
        self.command(Action::Dose { ago }).expect("doses");
    }

    pub fn link(&mut self, device: DeviceIndex, link: Link) {
        self.input(Input::Link { device, link });
    }

    /// Lets time pass, the box looking only at the deadlines that the bed names.
    pub fn pass(&mut self, span: Span) {
        self.now = self.now + span;
    }

    pub fn tick(&mut self) {
        self.input(Input::Tick);
    }

    /// One second of these numbers.
    pub fn second(&mut self, spo2: Measured<Spo2>, pulse: Measured<PulseRate>) {
        let perfusion_index = Measured::Absent(Absent::NotMeasured);
        let oximetry = Oximetry { at: self.now, spo2, pulse, perfusion_index };
        self.input(Input::Sample { device: OXIMETER, sample: Sample::Oximetry(oximetry) });
        self.pass(Span::secs(1));
    }

    pub fn spo2(&mut self, value: u16) {
        self.second(percent(value), bpm(72));
    }

    pub fn pulse(&mut self, value: u16) {
        self.second(percent(97), bpm(value));
    }

    pub fn steady(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.spo2(97);
        }
    }

    pub fn absent(&mut self, reason: Absent, seconds: u64) {
        for _ in 0..seconds {
            self.second(Measured::Absent(reason), Measured::Absent(reason));
        }
    }

    pub fn pressure(&mut self, systolic: u16, diastolic: u16) {
        let pressure = BloodPressure::full(systolic, diastolic, None).expect("in order");
        let result = CuffResult {
            at: self.now,
            measured_at: self.now,
            origin: CuffOrigin::Bedside,
            pressure: Ok(pressure),
            pulse: Measured::Absent(Absent::NotMeasured),
        };
        self.input(Input::Sample { device: CUFF, sample: Sample::CuffResult(result) });
    }

    pub fn alarm(&self, condition: Condition) -> &Alarm {
        self.bed.alarm(condition).expect("every condition stands on the board")
    }

    /// The alarm as a person sees it now.
    pub fn named(&self, condition: Condition) -> Named {
        let Alarm { episode, priority, .. } = *self.alarm(condition);
        Named { condition, episode, priority }
    }

    /// What is heard now.
    pub fn sounding(&self) -> Vec<Condition> {
        self.bed.alarms().filter(|alarm| alarm.sounds).map(|alarm| alarm.condition).collect()
    }

    /// Everything that is there, latched or not.
    pub fn present(&self) -> Vec<Condition> {
        self.bed.alarms().map(|alarm| alarm.condition).collect()
    }

    pub fn is_on(&self, condition: Condition) -> bool {
        self.alarm(condition).presence == Presence::On
    }

    /// The whole seconds since the start.
    pub fn sec(&self) -> u64 {
        self.now.as_millis() / 1_000
    }

    /// Steady values for so many minutes.
    pub fn minutes(&mut self, minutes: u64) {
        self.steady(minutes * 60);
    }

    /// A nurse goes the check round every quarter of an hour, so that it is never overdue.
    pub fn minutes_with_rounds(&mut self, minutes: u64) {
        for minute in 0..minutes {
            if minute % 10 == 0 {
                let check = Action::Check { responds: Responsiveness::Awake, breaths: Some(14) };
                self.command(check).expect("a session is open");
            }
            self.minutes(1);
        }
    }

    pub fn acknowledge(&mut self, condition: Condition) -> Result<(), CommandRefusal> {
        self.command(Action::Acknowledge(self.named(condition)))
    }

    /// What happened to alarms so far, with the second it was decided for, and forgets it.
    pub fn story(&mut self) -> Vec<(u64, Condition, Did)> {
        let events = self.out.drain(..).filter_map(|output| match output {
            Output::Event(event) => did(&event).map(|(condition, did)| (event.at.as_millis() / 1_000, condition, did)),
            _ => None,
        });
        events.collect()
    }

    /// The story of one condition.
    pub fn story_of(&mut self, condition: Condition) -> Vec<(u64, Did)> {
        self.story().into_iter().filter(|(_, c, _)| *c == condition).map(|(at, _, did)| (at, did)).collect()
    }
}

pub fn did(event: &Event) -> Option<(Condition, Did)> {
    let (alarm, did) = match &event.kind {
        EventKind::Raised(alarm) => (alarm, Did::Raised(alarm.priority)),
        EventKind::Noted(alarm) => (alarm, Did::Noted(alarm.priority)),
        EventKind::Announced(alarm) => (alarm, Did::Announced(alarm.priority)),
        EventKind::Worsened(alarm) => (alarm, Did::Worsened(alarm.priority)),
        EventKind::Eased(alarm) => (alarm, Did::Eased(alarm.priority)),
        EventKind::Escalated(alarm) => (alarm, Did::Escalated(alarm.priority)),
        EventKind::Reannounced(alarm) => (alarm, Did::Reannounced(alarm.priority)),
        EventKind::Acknowledged(alarm) => (alarm, Did::Acknowledged),
        EventKind::Latched(alarm) => (alarm, Did::Latched),
        EventKind::Cleared(alarm) => (alarm, Did::Cleared),
        _ => return None,
    };
    Some((alarm.condition, did))
}

pub fn percent(value: u16) -> Measured<Spo2> {
    Measured::in_range(Spo2::percent(value))
}

pub fn bpm(value: u16) -> Measured<PulseRate> {
    Measured::in_range(PulseRate::bpm(value))
}
