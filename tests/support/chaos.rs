//! What every test of chaos has: a box that reaches its broker by a way that can be cut, a receiver that writes down
//! everything, and the verdict afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use rusqlite::Connection;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use vitalsd::journal::ledger::Ledger;
use vitalsd::simulator::device::Model;
use vitalsd::simulator::line::Line;
use vitalsd::simulator::script::{Effect, Event as Happening, Script};
use vitalsd_core::time::{Span, Time};

use super::bedside::{Bedside, Daemon, Nurse};
use super::proxy::Proxy;
use super::{Broker, Heard, PATIENCE};

/// How often each kind of chaos is tried: 5, or what `VITALSD_CHAOS_ROUNDS` says.
pub fn rounds() -> u32 {
    std::env::var("VITALSD_CHAOS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

/// Chance that can be had again: `VITALSD_CHAOS_SEED`.
pub fn chance(of: &str) -> fastrand::Rng {
    let seed = std::env::var("VITALSD_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("{of}: VITALSD_CHAOS_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// A patient without oxygen to speak of, from 6 s on and for good: whoever says that this is over is wrong.
pub fn falling() -> Script {
    let fall = Effect::Desaturation { to_pct: 70.0, ramp: Span::secs(1) };
    Script {
        events: vec![Happening { start: Time::from_millis(6_000), length: Span::mins(600), effect: fall }],
        ..Script::quiet()
    }
}

/// One room, one box, one broker, one receiver.
pub struct Clinic {
    pub broker: Broker,
    pub proxy: Proxy,
    pub bedside: Bedside,
    pub receiver: Receiver,
    oximeter: Option<Line>,
    start: Instant,
    daemon: Option<Daemon>,
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    pub kilobytes: u64,
    pub descriptors: usize,
}

impl Clinic {
    /// The session is open, the dose is given, the alarm is on.
    pub async fn alarmed() -> Self {
        Self::alarmed_at(Broker::start()).await
    }

    /// The same at that broker.
    pub async fn alarmed_at(broker: Broker) -> Self {
        let proxy = Proxy::to(broker.port);
        let mut bedside = Bedside::new(proxy.port, &[("oximeter", Model::NoninDf2)]);
        bedside.own_root = true;
        let marks = bedside.root().join("run/systemd/timesync");
        std::fs::create_dir_all(&marks).expect("a directory");
        std::fs::write(marks.join("synchronized"), "").expect("a file");
        let (shim, weather) = (shim(bedside.root()), bedside.root().join("weather"));
        bedside.env = vec![("LD_PRELOAD", shim), ("VITALSD_WEATHER", weather)];
        let receiver = Receiver::at(broker.port);
        receiver.listens().await;
        let start = Instant::now();
        let oximeter = bedside.plug_in("oximeter", falling(), start);
        let daemon = bedside.daemon();
        let mut nurse = Nurse::at(broker.port);
        let clinic = Self { broker, proxy, bedside, receiver, oximeter: Some(oximeter), start, daemon: Some(daemon) };
        clinic
            .receiver
            .until("the monitor", |heard| heard.on("/device/oximeter") && heard.says("connection", "up"))
            .await;
        nurse.opens().await;
        nurse.doses().await;
        clinic.receiver.until("the alarm", |heard| raised(heard) && heard.says("condition", "spo2-critical")).await;
        clinic
    }

    /// The box dies without a warning.
    pub fn kill_box(&mut self) {
        self.daemon = None;
    }

    /// It is started again.
    pub fn start_box(&mut self) {
        self.daemon = Some(self.bedside.daemon());
    }

    /// The daemon, while it runs.
    pub fn daemon(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("the box runs")
    }

    /// What disk and clock do from now on: `full`, `stall MS`, `clock S`, or `fair`.
    pub fn weather(&self, weather: &str) {
        // In one step, for the daemon reads it all the time.
        let (new, file) = (self.bedside.root().join("weather.new"), self.bedside.root().join("weather"));
        std::fs::write(&new, weather).expect("a file");
        std::fs::rename(new, file).expect("a file");
    }

    /// The lives of the box so far are long ago, so that the next one is no fourth crash in a minute.
    pub fn forget_crashes(&self) {
        self.journal("state.db").execute("UPDATE boot SET started_ms = started_ms - 3600000", []).expect("the journal");
    }

    /// Pulls the cable of the oximeter.
    pub fn unplug(&mut self) {
        self.oximeter = None;
    }

    /// Plugs it in again: the patient is the same, and no better.
    pub fn plug_in(&mut self) {
        self.oximeter = Some(self.bedside.plug_in("oximeter", falling(), self.start));
    }

    /// The journal.
    pub fn journal(&self, file: &str) -> Connection {
        let connection = Connection::open(self.bedside.root().join("state").join(file)).expect("the journal");
        connection.busy_timeout(Duration::from_secs(5)).expect("a setting");
        connection
    }

    /// Waits until the broker has confirmed everything that was said more than 2 s ago.
    pub async fn settles(&self, what: &str) {
        let until = Instant::now() + 2 * PATIENCE;
        loop {
            let open = self.unsettled(Duration::from_secs(2));
            if open == 0 {
                return;
            }
            assert!(Instant::now() < until, "{what}: {open} messages are not confirmed");
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn unsettled(&self, older_than: Duration) -> u64 {
        let now =
            jiff::Timestamp::now().as_millisecond() - i64::try_from(older_than.as_millis()).expect("a short time");
        let count = |file: &str, table: &str| {
            let sql = format!("SELECT count(*) FROM {table} WHERE settled = 0 AND at_ms < ?1");
            self.journal(file).query_row(&sql, [now], |row| row.get::<_, u64>(0)).expect("a count")
        };
        count("state.db", "story") + count("history.db", "reading")
    }

    /// What the daemon holds.
    pub fn holds(&mut self) -> Holds {
        let process = Path::new("/proc").join(self.daemon().id().to_string());
        let status = std::fs::read_to_string(process.join("status")).expect("a process of ours");
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let kilobytes = rss.trim().trim_end_matches(" kB").parse().expect("a number");
        Holds { kilobytes, descriptors: std::fs::read_dir(process.join("fd")).expect("its descriptors").count() }
    }

    /// Waits until the daemon holds as many descriptors as before, and no more than 8 MB more memory.
    pub async fn holds_as_before(&mut self, before: Holds, what: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let after = self.holds();
            if after.descriptors == before.descriptors && after.kilobytes < before.kilobytes + 8_192 {
                println!("{what}: {before:?} before, {after:?} after");
                return;
            }
            assert!(Instant::now() < until, "{what}: {before:?} before, {after:?} after");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Pulls the cable and plugs it in again: what is opened for that the first time is open from then on.
    pub async fn replug(&mut self) {
        let from = self.receiver.count();
        self.unplug();
        let lost = |heard: &Heard| heard.on("/device/oximeter") && heard.says("connection", "lost");
        let lost = self.receiver.after(from, "the lost cable", lost).await;
        self.plug_in();
        let up = |heard: &Heard| heard.on("/device/oximeter") && heard.says("connection", "up");
        self.receiver.after(lost, "the device again", up).await;
    }

    /// Stops the box and tells how it all came out. `broker_died`: what it had taken and not passed on is the journal's
    /// to prove.
    pub async fn ends(mut self, broker_died: bool) -> Verdict {
        self.daemon().signal(rustix::process::Signal::TERM);
        let _ = self.daemon().ended().await;
        self.receiver.until("the goodbye", |heard| heard.on("/status") && heard.says("state", "stopped")).await;
        let heard = self.receiver.heard();
        let mut ledger = Ledger::of_all_time();
        let line = |heard: &Heard| [heard.topic.as_bytes(), b" ", &heard.payload].concat();
        // What was retained is a copy of what was said before.
        heard.iter().filter(|heard| !heard.retained).for_each(|heard| ledger.hear(&line(heard)));
        let mut said = 0;
        for (file, table) in [("state.db", "story"), ("history.db", "reading")] {
            let journal = self.journal(file);
            let mut query = journal.prepare(&format!("SELECT payload FROM {table} ORDER BY id")).expect("a table");
            let rows = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
            for payload in rows {
                let payload = payload.expect("a row");
                ledger.say(&payload);
                if broker_died {
                    ledger.prove(&payload);
                }
                said += 1;
            }
        }
        let unsettled = self.unsettled(Duration::ZERO);
        Verdict { ledger, said, unsettled, heard }
    }
}

/// How it all came out.
pub struct Verdict {
    ledger: Ledger,
    said: u64,
    unsettled: u64,
    heard: Vec<Heard>,
}

impl Verdict {
    /// Nothing is lost in the sense of the design, no order is broken, nobody said that the alarm is over.
    pub fn is_good(&self, what: &str) {
        let accounts = self.ledger.accounts();
        let sum = |of: &dyn Fn(&vitalsd::wire::account::Account) -> u64| accounts.iter().map(of).sum::<u64>();
        let length = |spans: &[vitalsd::wire::account::Span]| spans.iter().map(|span| span.len()).sum::<u64>();
        let lives = accounts.iter().map(|account| account.boot_id).collect::<std::collections::BTreeSet<_>>().len();
        println!(
            "{what}: {} lives, {} messages of logs in the journal, {} heard, {} replayed, {} twice, {} told as gaps, {} missing",
            lives,
            self.said,
            sum(&|account| account.heard),
            sum(&|account| account.replayed),
            sum(&|account| account.doubled),
            sum(&|account| length(&account.told)),
            sum(&|account| length(&account.missing)),
        );
        for account in &accounts {
            assert!(account.is_whole(), "{what}: {account:?}");
        }
        assert_eq!(self.unsettled, 0, "{what}: the broker has everything in the end");
        let over = |heard: &&Heard| {
            let says = |presence: &str| heard.on("/alarm/spo2-critical") && heard.says("presence", presence);
            let event = |event: &str| {
                heard.on("/event") && heard.says("event", event) && heard.says("condition", "spo2-critical")
            };
            says("off") || says("latched") || event("cleared") || event("latched")
        };
        let false_end = self.heard.iter().find(over).map(Heard::json);
        assert_eq!(false_end, None, "{what}: nobody gave this patient any oxygen");
    }
}

/// What stands between the daemon and its C library, built by the compiler that builds SQLite.
fn shim(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/weather.c");
    let shim = dir.join("weather.so");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
    assert!(built.is_ok_and(|status| status.success()), "cc builds tests/support/weather.c");
    shim
}

fn raised(heard: &Heard) -> bool {
    heard.on("/event") && heard.says("event", "raised")
}

/// Somebody who writes down everything that the broker passes on, and comes back whenever the broker does.
pub struct Receiver {
    heard: Arc<Mutex<Vec<Heard>>>,
    listening: Arc<Mutex<bool>>,
}

impl Receiver {
    /// At a broker, with a session that outlives its connections.
    pub fn at(port: u16) -> Self {
        let (heard, listening) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
        let (all, listens) = (Arc::clone(&heard), Arc::clone(&listening));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let name = format!("receiver-{:08x}", fastrand::u32(..));
                while Arc::strong_count(&all) > 1 {
                    let mut options = MqttOptions::new(name.clone(), ("127.0.0.1", port));
                    options.set_keep_alive(30).set_max_packet_size(Some(1 << 20)).set_clean_start(false);
                    options.set_session_expiry_interval(Some(600));
                    let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
                    let _ = client.try_subscribe("vitals/v1/north/#", QoS::AtLeastOnce);
                    while let Ok(Ok(event)) = timeout(Duration::from_secs(60), events.poll()).await {
                        match event {
                            Event::Incoming(Packet::SubAck(_)) => *listens.lock().expect("a lock") = true,
                            Event::Incoming(Packet::Publish(publish)) => all.lock().expect("a lock").push(Heard {
                                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                                payload: publish.payload.to_vec(),
                                retained: publish.retain,
                                response_topic: None,
                                correlation: None,
                                at: Instant::now(),
                            }),
                            _ => {}
                        }
                    }
                    *listens.lock().expect("a lock") = false;
                    sleep(Duration::from_millis(20)).await;
                }
            });
        });
        Self { heard, listening }
    }

    /// Waits until it is there.
    pub async fn listens(&self) {
        let until = Instant::now() + PATIENCE;
        while !*self.listening.lock().expect("a lock") {
            assert!(Instant::now() < until, "the receiver does not get in");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// How much it has heard.
    pub fn count(&self) -> usize {
        self.heard.lock().expect("a lock").len()
    }

    /// Everything so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("a lock").clone()
    }

    /// Waits for a message, from the first on.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Value {
        self.find(0, what, wanted).await.1
    }

    /// Waits for a message after the first `from`; how many there are up to it.
    pub async fn after(&self, from: usize, what: &str, wanted: impl Fn(&Heard) -> bool) -> usize {
        self.find(from, what, wanted).await.0
    }

    async fn find(&self, from: usize, what: &str, wanted: impl Fn(&Heard) -> bool) -> (usize, Value) {
        let until = Instant::now() + 2 * PATIENCE;
        let mut at = from;
        loop {
            while let Some(heard) = self.heard.lock().expect("a lock").get(at).cloned() {
                at += 1;
                if wanted(&heard) {
                    return (at, heard.json());
                }
            }
            assert!(Instant::now() < until, "{what}: not heard");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
