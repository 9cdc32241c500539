//! What one turn of the loop does. Everything the loops share is owned here, once.

mod answers;
mod broker;
mod journal;
mod recorder;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::{error, info, warn};
use vitalsd_core::driver::{LineSettings, Outgoing, Poll, Request};
use vitalsd_core::monitor::input::{BoxFault, Input, Link, LossReason};
use vitalsd_core::monitor::output::{self, EventKind, Output};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, IdentityPart, Sample, Text};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, Measured};

use self::answers::Answers;
use self::journal::Disk;
use super::StartError;
use super::boot::Boot;
use super::company::Company;
use super::flight::FlightRecorder;
use super::memory::{self, Keeper};
use super::requests::Requests;
use super::room::{DeviceKey, Room};
use super::stages::{Stage, Stages};
use super::stations::Stations;
use super::voice;
use crate::capture::What;
use crate::config::Settings;
use crate::journal::{Journal, Past, Pen};
use crate::mqtt::{Bounds, Config, Publisher};
use crate::port::find::hunt::News;
use crate::wire::audit::Audited;
use crate::wire::{BootId, BoxTopic, Clock, Heartbeat, Id, Root, Topic, WallTime};

/// The core's time when a box starts that remembers nothing: a day, so that a dose can be back-dated to before the start.
const ORIGIN: Time = Time::from_millis(86_400_000);
/// The box speaks up this often.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A bed tells its whole state this often even if nothing changed: more often than a value goes stale
/// (R1.2: 3 s), so that to a late joiner a fresh value does not look old.
const STATE: Duration = Duration::from_secs(1);
/// How often the latency of the stages and the statistics of the devices are told.
const LATENCY: Duration = Duration::from_secs(10);
/// Who else is there, below the site (R10.1, R10.4).
const LISTEN: [&str; 3] = ["station/+/presence", "box/+/status", "box/+/heartbeat"];
/// The mark of systemd's time service: the wall clock follows a time server.
pub(super) const CLOCK_SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Everything the loops share.
pub struct Hot {
    /// When this life began ...
    start: Instant,
    /// ... and what the core's time was then: that of the life before goes on.
    origin: Time,
    box_id: Id,
    boot_id: BootId,
    root: Root,
    rooms: Vec<Room>,
    publisher: Option<Publisher>,
    requests: Requests,
    stages: Stages,
    /// Outputs of the turn, reused.
    said: Vec<Output>,
    /// Samples of the turn, reused.
    samples: Vec<Sample>,
    /// When the clock's loop means to turn next.
    armed: Instant,
    /// Wakes the clock's loop when something is due earlier.
    earlier: Rc<Notify>,
    beats: u64,
    next_beat: Instant,
    next_latency: Instant,
    clock_trusted: bool,
    /// The mark of a clock that is to be trusted.
    synchronized: PathBuf,
    /// What is to outlive this life.
    journal: Option<Journal>,
    pen: Pen,
    disk: Disk,
    /// What waits for it.
    answers: Answers,
    /// The broker does not confirm what is said.
    broker_lost: bool,
    /// Who else is there.
    company: Company,
    /// The last minutes of every line, if they are to be kept.
    flight: Option<FlightRecorder>,
    /// That nobody listens is in the log already, for this connection.
    nobody_told: bool,
}

impl Hot {
    /// The box of `settings`, in its life `boot`, starting at `start` with what its `journal` has of the past;
    /// `synchronized` is the mark of a clock that is to be trusted.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(
        settings: &Settings,
        boot: &Boot,
        (journal, mut past): (Journal, Past),
        synchronized: PathBuf,
        start: Instant,
    ) -> Result<Self, StartError> {
        let (root, box_id) = (Root::new(Id::new(&settings.site)?), Id::new(&settings.box_id)?);
        let trouble = past.trouble.is_some();
        let clock_trusted = synchronized.exists();
        memory::look_back(&mut past);
        let began = memory::Start { fresh: ORIGIN, wall: WallTime::now(), trusted: clock_trusted };
        let mut told = Vec::with_capacity(settings.beds.len());
        let mut rooms = Vec::with_capacity(settings.beds.len());
        for bed in &settings.beds {
            let kept = past.beds.iter().position(|kept| kept.id.as_str() == bed.id).map(|at| past.beds.swap_remove(at));
            let mut said = Vec::new();
            rooms.push(Room::new(bed, |devices| memory::begin(kept, &settings.preset, devices, began, &mut said))?);
            told.push(said);
        }
        let origin = rooms.iter().map(|room| room.bed.now()).max().unwrap_or(ORIGIN).max(ORIGIN);
        let pen = journal.pen();
        let keeper = Keeper { pen: pen.clone(), boot: boot.id };
        let config = Config {
            broker: settings.broker.open()?,
            root,
            box_id,
            boot_id: boot.id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            beds: rooms.iter().map(|room| room.id).collect(),
            listen: LISTEN.map(str::to_owned).into(),
            read: rooms.iter().map(|room| format!("bed/{}/alarm/+", room.id)).collect(),
            bounds: Bounds {
                bytes: settings.journal.unsent_bytes,
                age: Duration::from_secs(u64::from(settings.journal.unsent_hours) * 3_600),
            },
        };
        let keys = settings.stations.iter().map(|station| Ok((Id::new(&station.id)?, station.open()?)));
        let keys = keys.collect::<Result<Vec<_>, StartError>>()?;
        let publisher = Publisher::keeping(config, Some(Box::new(keeper)));
        let mut hot = Self {
            start,
            origin,
            box_id,
            boot_id: boot.id,
            root,
            rooms,
            publisher: Some(publisher),
            requests: Requests::new(boot.id, Stations::new(keys, &settings.broker.host)),
            stages: Stages::default(),
            said: Vec::with_capacity(64),
            samples: Vec::with_capacity(256),
            armed: start,
            earlier: Rc::new(Notify::new()),
            beats: 0,
            next_beat: start,
            next_latency: start + LATENCY,
            clock_trusted,
            synchronized,
            journal: Some(journal),
            pen,
            disk: Disk::new(trouble),
            answers: Answers::default(),
            broker_lost: true,
            company: Company::new(box_id, settings.expect_station),
            flight: settings.flight_recorder.as_ref().map(|flight| FlightRecorder::start(flight, &settings.beds)),
            nobody_told: false,
        };
        hot.audit(Audited::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            preset: settings.preset.name.clone(),
            preset_hash: settings.preset.hash.clone(),
            before: past.before.map(|before| before.boot),
            crashes: past.crashes,
        });
        past.set_aside.iter().for_each(|aside| hot.set_aside(aside));
        hot.restore(past.unsent);
        let now = hot.time(start);
        for (bed, said) in told.into_iter().enumerate() {
            hot.said.extend(said);
            hot.say(bed, now);
            hot.decide(bed, Input::Fault { fault: BoxFault::Broker, present: true }, now);
            let clock = hot.clock(now);
            if let (Some(room), Some(publisher)) = (hot.rooms.get_mut(bed), hot.publisher.as_mut()) {
                voice::say_session(room, now, clock, publisher);
                for device in 0..room.devices.len() {
                    voice::say_device(room, device, now, clock, publisher);
                }
            }
        }
        hot.keep_beds(start);
        Ok(hot)
    }

    /// The ports of every device: which one, where, and its line settings.
    #[must_use]
    pub fn ports(&self, settings: &Settings) -> Vec<(DeviceKey, PathBuf, LineSettings)> {
        let mut ports = Vec::new();
        for (bed, room) in settings.beds.iter().enumerate() {
            for (index, device) in (0..).zip(&room.devices) {
                let key = DeviceKey { bed, device: vitalsd_core::monitor::input::DeviceIndex(index) };
                ports.push((key, device.port.clone(), self.line_of(key)));
            }
        }
        ports
    }

    // Ports.

    /// One read of a port returned `bytes` at `at`. The way of a byte begins here.
    pub fn heard(&mut self, key: DeviceKey, bytes: &[u8], at: Instant) {
        let now = self.time(at);
        let Some(device) = self.rooms.get_mut(key.bed).and_then(|room| room.device_mut(key.device)) else { return };
        let mut samples = std::mem::take(&mut self.samples);
        let news = device.hunt.heard(bytes, now, &mut |sample| samples.push(sample));
        self.stages.record(Stage::Decode, at.elapsed());
        if let Some(news) = news {
            self.hunted(key, &news, now);
        }
        let link = self.device(key).and_then(|device| {
            let good = if device.hunt.is_over() { device.hunt.stats().good_frames } else { 0 };
            device.health.heard(now, bytes.len(), good)
        });
        self.tell(key, link, &mut samples, now);
        self.samples = samples;
        self.hurry();
        // After everything that is said: it is on its way by now.
        self.record(key, now, What::Heard(bytes));
    }

    /// Tells a bed what a device said, and then that it is there: a cuff that is due would else be started at once
    /// after the determination that brought it up, and not rest (R8.4).
    fn tell(&mut self, key: DeviceKey, link: Option<Link>, samples: &mut Vec<Sample>, now: Time) {
        for sample in samples.drain(..) {
            self.decide(key.bed, Input::Sample { device: key.device, sample }, now);
        }
        if let Some(link) = link {
            self.link(key, link, now);
        }
    }

    /// Bytes were written to a device.
    pub fn sent(&mut self, key: DeviceKey, bytes: &[u8]) {
        self.record(key, self.now(), What::Sent(bytes));
    }

    /// The port of a device was opened.
    pub fn opened(&mut self, key: DeviceKey, adapter: Option<&str>) {
        let now = self.now();
        self.record(key, now, What::Opened);
        if let Some(serial) = adapter {
            // The end of a long number tells more than its beginning.
            let from = serial.len().saturating_sub(Text::LONGEST);
            let text = Text::from_device(serial.as_bytes().get(from..).unwrap_or_default());
            self.identify(key, IdentityPart::Adapter, text, now);
        }
        if self.device(key).is_some_and(|device| device.opened(now)) {
            info!(device = %self.name(key), "port open");
            self.link(key, Link::Opened, now);
        }
        self.hurry();
    }

    /// The port of a device is gone, or cannot be opened.
    pub fn port_lost(&mut self, key: DeviceKey, reason: LossReason, text: &str) {
        let now = self.now();
        warn!(device = %self.name(key), %reason, "{text}");
        self.record(key, now, What::Lost);
        if let Some(device) = self.device(key) {
            device.closed();
        }
        self.link(key, Link::Lost(reason), now);
        self.hurry();
    }

    /// What the driver of a device wants to send now, and when it wants to be asked again.
    pub fn poll_driver(&mut self, key: DeviceKey) -> (Option<Outgoing>, Option<Instant>) {
        let now = self.now();
        let mut samples = std::mem::take(&mut self.samples);
        let mut link = None;
        let mut wants = (Poll::default(), None);
        if let Some(device) = self.device(key) {
            wants = device.poll(now, &mut |sample| samples.push(sample));
            // A message that only silence ends is whole, and proves its device, now.
            if !samples.is_empty() && device.hunt.is_over() {
                link = device.health.heard(now, 0, device.hunt.stats().good_frames);
            }
        }
        let (poll, news) = wants;
        if let Some(news) = news {
            self.hunted(key, &news, now);
        }
        let said = !samples.is_empty();
        self.tell(key, link, &mut samples, now);
        self.samples = samples;
        if said {
            self.hurry();
        }
        (poll.send, poll.next.map(|next| self.instant(next)))
    }

    /// The line settings at which the port of a device is to be open now.
    #[must_use]
    pub fn line_of(&self, key: DeviceKey) -> LineSettings {
        let device = self.rooms.get(key.bed).and_then(|room| room.devices.get(usize::from(key.device.0)));
        device.map_or(LineSettings::n1(9_600), |device| device.hunt.line())
    }

    /// What speaks on the port of a device has been found out, or not quite.
    fn hunted(&mut self, key: DeviceKey, news: &News, now: Time) {
        let device = self.name(key);
        match news {
            News::Doubtful(protocols) => {
                let named = protocols.join(" and ");
                warn!(%device, "{named} understand it alike: name in `protocol` the one that it is");
            }
            News::Found(protocol, line) => {
                info!(%device, %protocol, %line, "found out what it speaks");
                if let Some(flight) = &mut self.flight {
                    flight.found(key, protocol, *line);
                }
                self.identify(key, IdentityPart::Protocol, Text::from_device(protocol.as_bytes()), now);
                let Some(terms) = self.device(key).map(|device| {
                    device.found(now);
                    device.terms()
                }) else {
                    return;
                };
                if let Some(room) = self.rooms.get_mut(key.bed) {
                    let said = &mut self.said;
                    room.bed.equip(key.device, &terms, now, &mut |output| said.push(output));
                }
                self.say(key.bed, now);
                self.say_device(key, now);
            }
        }
    }

    /// A part of the identity of a device that the box knows of itself.
    fn identify(&mut self, key: DeviceKey, part: IdentityPart, text: Text, now: Time) {
        let sample = Sample::Identity { at: now, part, text };
        self.decide(key.bed, Input::Sample { device: key.device, sample }, now);
    }

    fn say_device(&mut self, key: DeviceKey, now: Time) {
        let clock = self.clock(now);
        if let (Some(room), Some(publisher)) = (self.rooms.get_mut(key.bed), self.publisher.as_mut()) {
            voice::say_device(room, usize::from(key.device.0), now, clock, publisher);
        }
    }

    /// What wakes the task of a device's port.
    #[must_use]
    pub fn wake_of(&self, key: DeviceKey) -> Rc<Notify> {
        let device = self.rooms.get(key.bed).and_then(|room| room.devices.get(usize::from(key.device.0)));
        device.map(|device| Rc::clone(&device.wake)).unwrap_or_default()
    }

    /// `bed/device`, for the log.
    #[must_use]
    pub fn name(&self, key: DeviceKey) -> String {
        self.rooms.get(key.bed).map_or_else(String::new, |room| format!("{}/{}", room.id, room.name(key.device)))
    }

    fn device(&mut self, key: DeviceKey) -> Option<&mut super::room::Device> {
        self.rooms.get_mut(key.bed).and_then(|room| room.device_mut(key.device))
    }

    /// A link changed: the bed decides, the slot says it.
    fn link(&mut self, key: DeviceKey, link: Link, now: Time) {
        let lost = matches!(link, Link::Lost(_));
        if self.device(key).filter(|device| lost && device.open).is_some_and(|device| device.hunt_again(now)) {
            info!(device = %self.name(key), "looking for what it speaks");
        }
        if !self.device(key).is_some_and(|device| device.link_changed(link)) {
            return;
        }
        self.decide(key.bed, Input::Link { device: key.device, link }, now);
        self.say_device(key, now);
    }

    // Beds.

    /// One bed takes one input; what it says is on its way before this returns.
    fn decide(&mut self, bed: usize, input: Input, now: Time) {
        let began = Instant::now();
        let Some(room) = self.rooms.get_mut(bed) else { return };
        let said = &mut self.said;
        room.bed.input(&input, now, &mut |output| said.push(output));
        if matches!(input, Input::Sample { .. }) {
            self.stages.record(Stage::Decide, began.elapsed());
        }
        self.say(bed, now);
    }

    /// Says what a bed has decided, in its order, but alarms first: each is written before anything else is
    /// even encoded.
    fn say(&mut self, bed: usize, now: Time) {
        if self.said.is_empty() {
            return;
        }
        let clock = self.clock(now);
        let (Some(room), Some(publisher)) = (self.rooms.get_mut(bed), self.publisher.as_mut()) else { return };
        let mut alarmed = false;
        for alarm in self.said.iter().filter(|output| matches!(output, Output::Alarm(_))) {
            voice::say(room, alarm, clock, publisher);
            alarmed = true;
        }
        if alarmed {
            // Where cores are few, a broker on this box has now something graver to do than we have.
            std::thread::yield_now();
        }
        let mut refused = None;
        let mut notes = Vec::new();
        for output in self.said.drain(..) {
            room.unkept |= !matches!(output, Output::Oximetry(_));
            if let Some(flight) = &mut self.flight {
                flight.hear(bed, &output);
            }
            match output {
                Output::Alarm(_) => {}
                Output::Request { device, request } => {
                    let asked = room.device_mut(device).map(|device| device.request(request, now));
                    if matches!(asked, Some(Err(_))) && request == Request::StartCuff {
                        refused = Some(device);
                    } else if let Some(flight) = &mut self.flight {
                        flight.take(DeviceKey { bed, device }, now, What::Asked(request));
                    }
                }
                Output::Session => voice::say_session(room, now, clock, publisher),
                Output::Event(output::Event { kind: EventKind::Note { ref actor, number, ref text }, .. }) => {
                    notes.push((room.id, actor.clone(), number, text.clone()));
                    voice::say(room, &output, clock, publisher);
                }
                output => voice::say(room, &output, clock, publisher),
            }
        }
        for (bed, actor, number, text) in notes {
            self.keep_note(bed, actor, number, text);
        }
        // A start that the device did not take is a failure: the schedule goes on from it.
        if let Some(device) = refused {
            let failed = CuffResult {
                at: now,
                measured_at: now,
                origin: CuffOrigin::Schedule,
                pressure: Err(CuffFailure::Failed),
                pulse: Measured::Absent(Absent::NotMeasured),
            };
            self.decide(bed, Input::Sample { device, sample: Sample::CuffResult(failed) }, now);
        }
    }

    // Time.

    /// Everything that is due by now; returns when to turn next.
    pub fn tick(&mut self) -> Instant {
        let at = Instant::now();
        let now = self.time(at);
        for bed in 0..self.rooms.len() {
            self.tick_health(bed, now);
            if self.rooms.get(bed).and_then(|room| room.bed.deadline()).is_some_and(|due| due <= now) {
                self.decide(bed, Input::Tick, now);
            }
            self.tell_state(bed, at, now);
        }
        if at >= self.next_beat {
            self.watch_disk(at);
            self.look_for_claims(at, now);
            self.beat(at, now);
        }
        if at >= self.next_latency {
            self.tell_latency(at, now);
        }
        self.answer_overdue(at);
        if let Some(publisher) = self.publisher.as_mut() {
            publisher.flush();
        }
        self.keep_beds(at);
        self.save_flight(now);
        self.armed = self.next_due();
        self.armed
    }

    /// What the clock's loop waits for beside its timer.
    #[must_use]
    pub fn earlier(&self) -> Rc<Notify> {
        Rc::clone(&self.earlier)
    }

    fn tick_health(&mut self, bed: usize, now: Time) {
        let devices = self.rooms.get(bed).map_or(0, |room| room.devices.len());
        for index in 0..devices {
            let Ok(device) = u8::try_from(index) else { continue };
            let key = DeviceKey { bed, device: vitalsd_core::monitor::input::DeviceIndex(device) };
            let open = self.device(key).filter(|device| device.open);
            if let Some(link) = open.and_then(|device| device.health.tick(now)) {
                warn!(device = %self.name(key), ?link, "the device is not understood; check its settings and cable");
                self.link(key, link, now);
            }
        }
    }

    fn tell_state(&mut self, bed: usize, at: Instant, now: Time) {
        let clock = self.clock(now);
        let (Some(room), Some(publisher)) = (self.rooms.get_mut(bed), self.publisher.as_mut()) else { return };
        if room.changed || room.told.is_none_or(|told| at.duration_since(told) >= STATE) {
            room.changed = false;
            room.told = Some(at);
            voice::say_state(room, now, clock, publisher);
        }
    }

    fn beat(&mut self, at: Instant, now: Time) {
        self.next_beat = at + HEARTBEAT;
        self.beats += 1;
        let uptime = self.uptime(now);
        let Some(publisher) = self.publisher.as_mut() else { return };
        let heartbeat = Heartbeat {
            counter: self.beats,
            uptime_ms: uptime.as_millis(),
            clock_trusted: self.clock_trusted,
            queued: publisher.waiting().try_into().unwrap_or(u64::MAX),
            last_seq: publisher.last_seqs(),
        };
        log(publisher.publish(Topic::Box(self.box_id, BoxTopic::Heartbeat), WallTime::now(), &heartbeat));
    }

    fn tell_latency(&mut self, at: Instant, now: Time) {
        self.next_latency = at + LATENCY;
        self.clock_trusted = self.synchronized.exists();
        let clock = self.clock(now);
        let Some(publisher) = self.publisher.as_mut() else { return };
        let topic = Topic::Box(self.box_id, BoxTopic::Latency);
        log(publisher.publish(topic, clock.at(now), &self.stages.latency()));
        for room in &mut self.rooms {
            for device in 0..room.devices.len() {
                voice::say_device(room, device, now, clock, publisher);
            }
        }
    }

    /// When something is due by the passing of time alone.
    fn next_due(&self) -> Instant {
        let beds = self.rooms.iter().filter_map(|room| room.bed.deadline()).map(|due| self.instant(due));
        let flight = self.flight.as_ref().and_then(FlightRecorder::due).map(|due| self.instant(due));
        beds.chain(flight)
            .chain(self.answers.due())
            .chain([self.next_beat, self.next_latency])
            .min()
            .unwrap_or(self.next_beat)
    }

    /// Ends a turn: hands to the socket what was said, and wakes the clock's loop if something is due before
    /// it means to turn, or is to be told.
    fn hurry(&mut self) {
        if let Some(publisher) = self.publisher.as_mut() {
            publisher.flush();
        }
        self.keep_beds(Instant::now());
        if self.rooms.iter().any(|room| room.changed) || self.next_due() < self.armed {
            self.earlier.notify_one();
        }
    }

    // Clocks.

    fn now(&self) -> Time {
        self.time(Instant::now())
    }

    fn time(&self, at: Instant) -> Time {
        let ms = at.saturating_duration_since(self.start).as_millis();
        self.origin + Span::millis(u64::try_from(ms).unwrap_or(u64::MAX))
    }

    /// For how long this life has lasted.
    fn uptime(&self, now: Time) -> Span {
        now.since(self.origin)
    }

    fn instant(&self, at: Time) -> Instant {
        self.start + Duration::from_millis(at.since(self.origin).as_millis())
    }

    /// The wall clock as it is now, for what is told now.
    fn clock(&self, now: Time) -> Clock {
        Clock::at_time(WallTime::now(), now)
    }
}

fn log(said: Result<u64, crate::mqtt::EncodeError>) {
    if let Err(error) = said {
        error!(%error, "a message could not be written");
    }
}
