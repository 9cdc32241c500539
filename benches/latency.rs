//! From the last byte of a packet to `alarm/{condition}` at a subscriber, through Mosquitto and the real daemon,
//! beside a bare relay of the same packet in the same run (DESIGN 9).
//!
//! `cargo bench --bench latency [-- --quick] [--stress] [--real-time=true|false]`. Needs Mosquitto.
//!
//! With `--stress` every core is busy meanwhile, and the daemon is measured in turn without and with real-time
//! scheduling and locked memory. Without it `--real-time` says which; else it is as shipped.
//!
//! Open loop: each oximeter speaks at its own pace, on a schedule fixed in advance, whatever has come of its
//! packets before. Relay and daemon get the same packets in turn, and one subscriber listens to both: whatever the
//! machine does to one of them it does to the other. Their alarms are about 90 ms apart, so that neither finds the
//! broker warm from the other. A latency begins just before the
//! write of the last frame of a packet, and ends when the read of the subscriber returns.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a bench that cannot go on has failed")]

#[path = "latency/bedside.rs"]
mod bedside;
#[path = "support/machine.rs"]
mod machine;
#[path = "../tests/support/mosquitto.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod mosquitto;
#[path = "support/nurse.rs"]
mod nurse;
#[path = "latency/relay.rs"]
mod relay;
#[path = "latency/table.rs"]
mod table;
#[path = "support/wire.rs"]
mod wire;

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use bedside::{BEDS, Bedside, CONDITION, HEAD_LEN, PACKET_LEN};
use machine::{Busy, load};
use mosquitto::Broker;
use nurse::SITE;
use relay::Relay;
use table::{HEAD, Side, median};
use wire::{Connection, Heard};

/// A DF2 oximeter completes a packet so often.
const PACKET: Duration = Duration::from_micros(333_333);
/// Every so many packets one raises the alarm: 6 s, in which it ends again (5 s, the shortest that a preset allows).
const CYCLE: usize = 18;
/// The relay is so many packets ahead in the schedule: half of what lies between two alarms of the beds.
const RELAY_AHEAD: usize = 9;
/// What is not heard within this is lost.
const LOST: Duration = Duration::from_secs(5);
/// Pulse rates, bpm: below and above the limit of the alarm.
const CALM: u16 = 72;
const HIGH: u16 = 160;

/// How much is measured.
struct Plan {
    runs: usize,
    alarms: usize,
    /// Readings that wait for the broker.
    backlog: usize,
}

/// Who raised an alarm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Bed(usize),
    Relay,
}

struct Sent {
    who: Who,
    at: Instant,
}

/// The bench: the daemon, the relay, and what both are fed.
struct Bench {
    bedside: Bedside,
    relay: Option<Relay>,
    ear: Receiver<Heard>,
    /// Packets of the schedule so far.
    beat: usize,
    calm: [u8; PACKET_LEN],
    high: [u8; PACKET_LEN],
    /// The newest `queued` of the heartbeat, and the newest `latency`.
    queued: Option<u64>,
    stages: Option<Value>,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, mode, port, packet, message, broker] = args.as_slice()
        && mode == "--relay"
    {
        return relay::run(port, packet, message, broker);
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let plan = if quick {
        Plan { runs: 3, alarms: 40, backlog: 4_000 }
    } else {
        Plan { runs: 5, alarms: 320, backlog: 22_000 }
    };
    if !Broker::is_mosquitto() {
        eprintln!("nothing measured: this bench needs Mosquitto");
        return;
    }
    println!("{BEDS} beds; load of the machine {}", load());
    if args.iter().any(|arg| arg == "--stress") {
        under_stress(&plan);
        println!("load of the machine {}", load());
        return;
    }
    let real_time = args.iter().find_map(|arg| arg.strip_prefix("--real-time=")?.parse().ok());
    let broker = Broker::start();
    let mut bench = Bench::start(broker.port, real_time);
    let idle_p99 = bench.idle(&plan);
    bench.tell_stages();
    bench.behind_a_backlog(&plan, &broker, idle_p99);
    println!("load of the machine {}", load());
}

/// Measures with every core busy, without and with real-time scheduling in turn, each time with a box and a broker of
/// its own.
fn under_stress(plan: &Plan) {
    let _busy = Busy::start();
    let mut all = [false, true].map(|real_time| (real_time, [Side::new(), Side::new()]));
    let name = |real_time: bool| if real_time { "vitalsd, real-time" } else { "vitalsd, ordinary" };
    println!("\n{HEAD}");
    for run in 1..=plan.runs {
        for (real_time, sides) in &mut all {
            let broker = Broker::start();
            let mut bench = Bench::start(broker.port, Some(*real_time));
            let measured = bench.measure(plan.alarms / 2);
            for ((side, more), name) in sides.iter_mut().zip(&measured).zip([name(*real_time), "bare relay"]) {
                println!("{}", more.row(&format!("{run}: {name}")));
                side.add(more);
            }
            println!("  {}; load of the machine {}", bench.bedside.usage(), load());
        }
    }
    println!("\nall runs together\n{HEAD}");
    for (real_time, [ours, relay]) in &all {
        println!("{}\n{}", ours.row(name(*real_time)), relay.row("bare relay, beside it"));
    }
}

impl Bench {
    /// Starts everything, opens the sessions, and lets each bed raise its alarm once.
    fn start(port: u16, real_time: Option<bool>) -> Self {
        let ear = listen(port);
        let bedside = Bedside::start(port, real_time);
        let (calm, high) = (bedside::packet(CALM), bedside::packet(HIGH));
        let mut bench = Self { bedside, relay: None, ear, beat: 0, calm, high, queued: None, stages: None };
        bench.begin_packets();
        bench.run(PACKET * 6);
        nurse::dose(port, BEDS);
        bench.run(PACKET * 18);
        let payload = bench.drain().into_iter().find(is_alarm).expect("every bed raised its alarm").payload;
        let relay = Relay::start(port, &high, &payload);
        relay.say(&bench.packet(bench.beat + RELAY_AHEAD)[..HEAD_LEN]);
        bench.relay = Some(relay);
        bench.run(PACKET * 18);
        bench.drain();
        bench
    }

    /// Every bed says all but the last frame of its next packet.
    fn begin_packets(&self) {
        for beat in self.beat..self.beat + BEDS {
            self.bedside.say(beat % BEDS, &self.packet(beat)[..HEAD_LEN]);
        }
    }

    /// Runs without a backlog; the median of our p99, in microseconds.
    fn idle(&mut self, plan: &Plan) -> f64 {
        println!("\n{HEAD}");
        let (mut ratios, mut p99s) = (Vec::new(), Vec::new());
        for run in 1..=plan.runs {
            let [ours, relay] = self.measure(plan.alarms);
            println!("{}\n{}", ours.row(&format!("run {run}: vitalsd")), relay.row(&format!("run {run}: bare relay")));
            ratios.push([0.5, 0.99].map(|q| ours.us(q) / relay.us(q)));
            p99s.push(ours.us(0.99));
        }
        let of = |n: usize| ratios.iter().map(|ratio| ratio[n]).collect::<Vec<_>>();
        for (n, name, goal) in [(0, "p50", 1.3), (1, "p99", 1.5)] {
            let all: Vec<_> = of(n).iter().map(|ratio| format!("{ratio:.2}")).collect();
            println!("{name}: median {:.2} x the relay (goal {goal}), runs {}", median(of(n)), all.join(" "));
        }
        median(p99s)
    }

    /// The same while the broker is sent what it has missed.
    fn behind_a_backlog(&mut self, plan: &Plan, broker: &Broker, idle_p99: f64) {
        broker.freeze();
        self.fill(plan.backlog);
        broker.thaw();
        self.queued = None;
        while self.queued.is_none() {
            self.run(PACKET);
            self.drain();
        }
        let before = self.queued.unwrap_or_default();
        let [ours, relay] = self.measure(plan.alarms);
        println!(
            "\nbehind a backlog of {before} messages, {} of them left at the end\n{HEAD}",
            self.queued.unwrap_or_default()
        );
        println!("{}\n{}", ours.row("vitalsd"), relay.row("bare relay"));
        println!("p99: {:.2} x idle (goal 2)", ours.us(0.99) / idle_p99);
        println!("daemon: {}", self.bedside.usage());
    }

    /// What the box itself says about its stages, since its start.
    fn tell_stages(&mut self) {
        self.stages = None;
        while self.stages.is_none() {
            self.run(PACKET);
            self.drain();
        }
        println!("\nstages, as the box tells them, microseconds");
        for stage in ["decode", "decide", "send", "confirm"] {
            let of = &self.stages.as_ref().expect("waited for")[stage];
            let figure = |name: &str| of[name].as_u64().unwrap_or_default();
            println!(
                "| {stage:<8} | {:6} | p50 {:5} | p99 {:5} | p99.9 {:5} | max {:6} |",
                figure("count"),
                figure("p50_us"),
                figure("p99_us"),
                figure("p999_us"),
                figure("max_us")
            );
        }
    }

    /// Goes on with the schedule until `alarms` have been raised by each side; the latencies of both.
    fn measure(&mut self, alarms: usize) -> [Side; 2] {
        self.drain();
        let mut sent = Vec::new();
        let (start, first) = (Instant::now(), self.beat);
        while sent.len() < 2 * alarms {
            sent.extend(self.say_next(start, first));
        }
        let mut heard = Vec::new();
        let until = Instant::now() + LOST;
        let mut sides = [Side::new(), Side::new()];
        for Sent { who, at } in sent {
            let mut is_answer = |(from, when): &(Who, Instant)| *from == who && *when >= at && *when < at + LOST;
            let found = loop {
                if let Some(found) = heard.iter().position(&mut is_answer) {
                    break heard.swap_remove(found);
                }
                match self.hear(until) {
                    Some(alarm) => heard.extend(raised(&alarm).map(|who| (who, alarm.at))),
                    None => panic!("an alarm was lost"),
                }
            };
            sides[usize::from(who == Who::Relay)].record(found.1.duration_since(at));
        }
        sides
    }

    /// Goes on with the schedule for that long.
    fn run(&mut self, span: Duration) {
        let (start, first) = (Instant::now(), self.beat);
        while start.elapsed() < span {
            let _ = self.say_next(start, first);
        }
    }

    /// The next packet of the schedule is completed, at a bed and half a step later at the relay; the alarms that it
    /// raises. The frames of a packet before its last one are there by then, as at 75 Hz.
    fn say_next(&mut self, start: Instant, first: usize) -> impl Iterator<Item = Sent> + use<> {
        let step = PACKET / u32::try_from(BEDS).unwrap_or(1);
        let due = start + step * u32::try_from(self.beat - first).unwrap_or(u32::MAX);
        let (beat, ahead) = (self.beat, self.beat + RELAY_AHEAD);
        self.beat += 1;
        let bed = beat % BEDS;
        sleep_until(due);
        let ours = Sent { who: Who::Bed(bed), at: Instant::now() };
        self.bedside.say(bed, &self.packet(beat)[HEAD_LEN..]);
        let mut relays = None;
        if let Some(relay) = &self.relay {
            sleep_until(due + step / 2);
            relays = Some(Sent { who: Who::Relay, at: Instant::now() });
            relay.say(&self.packet(ahead)[HEAD_LEN..]);
        }
        sleep_until(due + step * 3 / 4);
        self.bedside.say(bed, &self.packet(beat + BEDS)[..HEAD_LEN]);
        if let Some(relay) = &self.relay {
            relay.say(&self.packet(ahead + 1)[..HEAD_LEN]);
        }
        let relays = relays.filter(|_| is_high(ahead));
        [Some(ours).filter(|_| is_high(beat)), relays].into_iter().flatten()
    }

    /// The packet of the schedule with that number.
    fn packet(&self, beat: usize) -> [u8; PACKET_LEN] {
        if is_high(beat) { self.high } else { self.calm }
    }

    /// Lets the beds say `packets` packets, each with a new value, as fast as they are read.
    fn fill(&mut self, packets: usize) {
        let start = Instant::now();
        for n in 0..packets {
            sleep_until(start + Duration::from_micros(500) * u32::try_from(n).unwrap_or(u32::MAX));
            let bpm = 70 + u16::try_from(n / BEDS % 20).unwrap_or_default();
            // The frames of the packet that had begun are dropped with the first SYNC.
            self.bedside.say(n % BEDS, &bedside::packet(bpm));
        }
        self.begin_packets();
    }

    /// The next message that is heard, and not about the box itself.
    fn hear(&mut self, until: Instant) -> Option<Heard> {
        loop {
            let heard = match self.ear.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => panic!("the subscriber lost the broker"),
            };
            if !heard.topic.contains("/box/") {
                return Some(heard);
            }
            let json: Value = serde_json::from_slice(&heard.payload).unwrap_or_default();
            if heard.topic.ends_with("latency") {
                self.stages = Some(json);
            } else {
                self.queued = json["queued"].as_u64();
            }
        }
    }

    fn drain(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.hear(Instant::now())).collect()
    }
}

/// One subscriber for both, on a thread that does nothing else.
fn listen(port: u16) -> Receiver<Heard> {
    let mut broker = Connection::open(port, "bench-ear").expect("the broker");
    let alarms = format!("{SITE}/bed/+/alarm/{CONDITION}");
    let (beats, stages) = (format!("{SITE}/box/+/heartbeat"), format!("{SITE}/box/+/latency"));
    broker.subscribe(&[&alarms, relay::TOPIC, &beats, &stages]).expect("a subscription");
    let (tx, rx) = channel();
    thread::spawn(move || while broker.next().is_ok_and(|heard| tx.send(heard).is_ok()) {});
    rx
}

fn is_alarm(heard: &Heard) -> bool {
    raised(heard).is_some()
}

/// Who raised the alarm that this message tells of; `None`: it tells of the end of one.
fn raised(heard: &Heard) -> Option<Who> {
    if heard.topic == relay::TOPIC {
        return Some(Who::Relay);
    }
    let present = heard.payload.windows(15).any(|part| part == br#""presence":"on""#);
    let bed = heard.topic.strip_prefix(SITE)?.strip_prefix("/bed/bed-")?.get(..2)?.parse().ok()?;
    present.then_some(Who::Bed(bed))
}

/// Whether that packet of the schedule raises the alarm. 7 and 18 have no common factor: the alarms of the beds are
/// spread over the cycle.
fn is_high(beat: usize) -> bool {
    let (bed, number) = (beat % BEDS, beat / BEDS);
    number % CYCLE == bed * 7 % CYCLE
}

fn sleep_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}
