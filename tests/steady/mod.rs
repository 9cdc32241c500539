//! A bed in the middle of a session, and what its devices say, taped: the same bytes at the same
//! moments, as often as they are wanted, and nothing of the simulation between them.
#![allow(dead_code, reason = "the test and the bench use their own part of it")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a helper of tests fails as a test does")]

pub mod allocations;

use std::ops::Range;

use vitalsd::simulator::device::{Device as Simulated, Model};
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Role, Script};
use vitalsd_core::driver::{AnyDriver, Driver, Outgoing, Quantity, Request};
use vitalsd_core::monitor::input::{Action, Command, DeviceIndex, Input, Link, Named, Opening, Route};
use vitalsd_core::monitor::output::{Alarm, Output, Presence};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::BloodPressure;

/// When the tapes begin: a dose can be back-dated only as far as the box's clock reaches.
pub const START: Time = Time::from_millis(3_600_000);
/// By the intramuscular route the window is 5 to 65 min after the dose (R5.3): a tape of up to an
/// hour lies in it as a whole.
const DOSED: Span = Span::mins(5);
/// The baseline before it (R5.9), as measured by hand.
const BASELINE: [(Span, u16, u16); 3] =
    [(Span::mins(14), 131, 82), (Span::mins(11), 124, 79), (Span::mins(8), 122, 78)];

/// The drivers and the monitor of one bed, as the daemon would join them.
pub struct Bedside {
    drivers: Vec<AnyDriver>,
    polls: Vec<Option<Time>>,
    bed: Bed,
}

impl Bedside {
    /// Devices up, a session open and in its window.
    pub fn new(models: &[Model]) -> Self {
        let device = |model: &Model| match model.role() {
            Role::Oximeter => Device::of(model.protocol(), &[Quantity::Spo2, Quantity::Pulse]),
            Role::Cuff => Device::of(model.protocol(), &[Quantity::BloodPressure]),
        };
        let devices = models.iter().map(device).collect();
        let drivers = models.iter().map(|model| driver(*model)).collect();
        // Nobody walks the check rounds on a tape.
        let preset = Preset { check_round: None, ..Preset::kat_default_1() };
        let bed = Bed::new(preset, devices, START);
        let mut bedside = Self { drivers, polls: vec![Some(START); models.len()], bed };
        for index in 0..models.len() {
            let up = Input::Link { device: index_of(index), link: Link::Up };
            bedside.bed.input(&up, START, &mut |_| {});
        }
        bedside.command(Action::Open(Opening::by(Route::Im)), START);
        for (ago, systolic, diastolic) in BASELINE {
            let pressure = BloodPressure::full(systolic, diastolic, None).expect("in order");
            bedside.command(Action::Pressure { pressure, ago }, START);
        }
        bedside.command(Action::Dose { ago: DOSED }, START);
        bedside
    }

    pub const fn bed(&self) -> &Bed {
        &self.bed
    }

    /// Bytes to samples to outputs: the hot path.
    pub fn hear(&mut self, frame: &Frame, bytes: &[u8], out: &mut impl FnMut(Output)) {
        let Self { drivers, bed, .. } = self;
        let device = index_of(frame.device);
        let mut wanted = None;
        let mut out = |output| {
            wanted = asked_for(&output).or(wanted);
            out(output);
        };
        drivers[frame.device].decode(bytes, frame.at, &mut |sample| {
            bed.input(&Input::Sample { device, sample }, frame.at, &mut out);
        });
        self.pass_on(wanted, frame.at);
    }

    /// Polls the drivers whose time has come, and lets the bed look at the time.
    fn turn(&mut self, now: Time, out: &mut impl FnMut(Output), send: &mut impl FnMut(usize, &Outgoing)) {
        let mut wanted = None;
        let mut out = |output| {
            wanted = asked_for(&output).or(wanted);
            out(output);
        };
        for (index, (driver, due)) in self.drivers.iter_mut().zip(&mut self.polls).enumerate() {
            if due.is_none_or(|due| due > now) {
                continue;
            }
            let device = index_of(index);
            let poll = driver.poll(now, &mut |sample| {
                self.bed.input(&Input::Sample { device, sample }, now, &mut out);
            });
            *due = poll.next;
            if let Some(bytes) = poll.send {
                send(index, &bytes);
            }
        }
        if self.bed.deadline().is_some_and(|due| due <= now) {
            self.bed.input(&Input::Tick, now, &mut out);
        }
        self.pass_on(wanted, now);
    }

    /// Hands a request of the bed to the driver of the device, which sends it when next polled.
    fn pass_on(&mut self, wanted: Option<(DeviceIndex, Request)>, now: Time) {
        if let Some((DeviceIndex(index), request)) = wanted {
            // A monitor that has not answered yet refuses; the bed retries (R8.2).
            if self.drivers[usize::from(index)].request(request, now).is_ok() {
                self.polls[usize::from(index)] = Some(now);
            }
        }
    }

    fn due(&self) -> Option<Time> {
        self.polls.iter().copied().chain([self.bed.deadline()]).flatten().min()
    }

    fn command(&mut self, action: Action, now: Time) {
        let command = Command { actor: "nurse-1".into(), action };
        self.bed.command(&command, now, &mut |_| {}).expect("carried out");
    }

    /// Accepts what nobody has accepted yet.
    fn accept_all(&mut self, now: Time) {
        while let Some(Alarm { condition, episode, priority, .. }) = self.not_accepted() {
            self.command(Action::Acknowledge(Named { condition, episode, priority }), now);
        }
    }

    fn not_accepted(&self) -> Option<Alarm> {
        self.bed.alarms().find(|alarm| alarm.presence == Presence::On && alarm.ack.is_none()).cloned()
    }
}

/// What one device sent at once: a frame, a package or a reply.
#[derive(Debug)]
pub struct Frame {
    pub at: Time,
    pub device: usize,
    bytes: Range<usize>,
}

/// What the devices of a bed said.
pub struct Tape {
    models: Vec<Model>,
    frames: Vec<Frame>,
    bytes: Vec<u8>,
}

impl Tape {
    /// Tapes `length` of the course of `script`.
    pub fn of(models: &[Model], script: Script, length: Span) -> Self {
        let scene = Scene::patient(script, 7).shared();
        let mut devices: Vec<_> = models.iter().map(|model| Simulated::new(*model, &scene)).collect();
        let mut bedside = Bedside::new(models);
        let mut tape = Self { models: models.to_vec(), frames: Vec::new(), bytes: Vec::new() };
        let mut now = START;
        while now < START + length {
            let course = Time::ZERO + now.since(START);
            let mut said = Vec::new();
            for (index, device) in devices.iter_mut().enumerate() {
                said.push((index, Vec::new()));
                device.advance(course, &mut said[index].1);
            }
            bedside.turn(now, &mut |_| {}, &mut |index, bytes| {
                devices[index].receive(bytes, course, &mut said[index].1);
            });
            for (device, bytes) in said.iter().filter(|(_, bytes)| !bytes.is_empty()) {
                let start = tape.bytes.len();
                tape.bytes.extend(bytes);
                let frame = Frame { at: now, device: *device, bytes: start..tape.bytes.len() };
                bedside.hear(&frame, bytes, &mut |_| {});
                tape.frames.push(frame);
            }
            let due = devices.iter().filter_map(Simulated::due).map(|due| START + due.since(Time::ZERO));
            let next = due.chain(bedside.due()).min().expect("somebody always has something to do");
            now = next.max(now + Span::millis(1));
        }
        tape
    }

    /// The device that it is mostly about.
    pub fn name(&self) -> &'static str {
        self.models[0].name()
    }

    /// The bed at its beginning.
    pub fn bedside(&self) -> Bedside {
        Bedside::new(&self.models)
    }

    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    pub fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.bytes[frame.bytes.clone()]
    }

    /// A driver for one of its devices, its port open.
    pub fn driver(&self, device: usize) -> AnyDriver {
        driver(self.models[device])
    }

    /// What the driver of one of its devices makes of it, as the monitor gets it.
    pub fn samples(&self, device: usize) -> Vec<(Time, Input)> {
        let mut driver = self.driver(device);
        let mut samples = Vec::new();
        for frame in self.frames.iter().filter(|frame| frame.device == device) {
            driver.decode(self.bytes(frame), frame.at, &mut |sample| {
                samples.push((frame.at, Input::Sample { device: index_of(device), sample }));
            });
        }
        samples
    }

    /// One frame, and what was due before it.
    pub fn step(&self, bedside: &mut Bedside, frame: &Frame, out: &mut impl FnMut(Output)) {
        bedside.turn(frame.at, out, &mut |_, _| {});
        bedside.hear(frame, self.bytes(frame), out);
    }

    /// A bed that has heard `warm_up` of it, and the frames that are left.
    pub fn warm(&self, warm_up: Span) -> (Bedside, &[Frame]) {
        let mut bedside = self.bedside();
        let (heard, left) = self.frames.split_at(self.frames.partition_point(|frame| frame.at < START + warm_up));
        heard.iter().for_each(|frame| self.step(&mut bedside, frame, &mut |_| {}));
        (bedside, left)
    }

    /// Plays it to a bed whose alarms are accepted as they come, and counts what is allocated from
    /// `warm_up` on.
    pub fn tally(&self, warm_up: Span) -> (Tally, Bedside) {
        let mut bedside = self.bedside();
        let mut tally = Tally::default();
        for frame in &self.frames {
            let mut changed = false;
            let before = allocations::count();
            self.step(&mut bedside, frame, &mut |output| {
                changed |= !matches!(output, Output::Oximetry(_) | Output::Pressure(_));
            });
            let allocated = allocations::count() - before;
            if changed {
                bedside.accept_all(frame.at);
            }
            if frame.at >= START + warm_up {
                tally.frames += 1;
                tally.changed += u64::from(changed);
                tally.allocated += if changed { 0 } else { allocated };
            }
        }
        (tally, bedside)
    }
}

/// What came of playing a tape.
#[derive(Debug, Default)]
pub struct Tally {
    pub frames: u64,
    /// How many of them changed an alarm, or made the bed ask for the cuff.
    pub changed: u64,
    /// How often memory was allocated in the others.
    pub allocated: u64,
}

fn driver(model: Model) -> AnyDriver {
    let mut driver = AnyDriver::new(model.name()).expect("every model has a driver");
    driver.opened(START);
    driver
}

fn index_of(device: usize) -> DeviceIndex {
    DeviceIndex(u8::try_from(device).expect("a few devices"))
}

const fn asked_for(output: &Output) -> Option<(DeviceIndex, Request)> {
    match output {
        Output::Request { device, request } => Some((*device, *request)),
        _ => None,
    }
}

/// Whether it carries numbers, not a point of a waveform.
pub const fn is_oximetry(input: &Input) -> bool {
    matches!(input, Input::Sample { sample: Sample::Oximetry(_), .. })
}
