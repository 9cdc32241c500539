//! How many beds one box carries: processor, memory, disk and loss for 1, 4, 16 and 32 of them (DESIGN 9).
//!
//! `cargo bench --bench capacity [-- --quick]`. Needs Mosquitto. A message that is missing fails it.
//!
//! Each bed has a simulated 75 Hz oximeter and a cuff, and a session after its dose. The devices speak on a thread of
//! the bench, and what that costs is not counted; nor is the broker. Each size is measured twice with the same devices
//! still speaking: the daemon, and then the floor, a process that merely reads the same ports.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a bench that cannot go on has failed")]

#[path = "capacity/floor.rs"]
mod floor;
#[path = "support/machine.rs"]
#[allow(dead_code, reason = "the bench of latencies uses the rest")]
mod machine;
#[path = "../tests/support/mosquitto.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod mosquitto;
#[path = "support/nurse.rs"]
mod nurse;
#[path = "capacity/usage.rs"]
mod usage;
#[path = "capacity/ward.rs"]
mod ward;
#[path = "support/wire.rs"]
#[allow(dead_code, reason = "the bench of latencies uses the rest")]
mod wire;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use vitalsd::journal::ledger::Ledger;
use vitalsd::journal::{history_file, state_file};

use floor::Floor;
use machine::load;
use mosquitto::Broker;
use usage::{Usage, an_hour, database, mebibytes};
use ward::{Daemon, Devices, listen};
use wire::Heard;

const SIZES: [usize; 4] = [1, 4, 16, 32];
/// From the last dose to the first figure: what comes of an opening is over.
const SETTLE: Duration = Duration::from_secs(5);
/// So long nothing more has come of a daemon that has ended.
const QUIET: Duration = Duration::from_secs(1);

/// What one size has cost.
struct Cost {
    beds: usize,
    seconds: f64,
    load: [String; 2],
    /// Percent of a core.
    all: f64,
    hot: f64,
    journal: f64,
    floor: f64,
    /// MiB.
    resident: f64,
    peak: f64,
    /// Bytes an hour.
    written: f64,
    state: f64,
    history: f64,
    loss: Loss,
}

/// What was said and what was heard of it, from the start of the daemon to its end.
struct Loss {
    said: u64,
    heard: u64,
    missing: u64,
    out_of_order: u64,
    told: u64,
    /// Of the last heartbeat.
    queued: u64,
    /// All messages heard, by the last part of their topic: slots as well.
    kinds: BTreeMap<String, (u64, usize)>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--floor", ports)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return floor::run(ports);
    }
    if !Broker::is_mosquitto() {
        eprintln!("nothing measured: this bench needs Mosquitto");
        return;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let only = args.iter().find_map(|arg| arg.strip_prefix("--beds=")?.parse::<usize>().ok());
    let span = Duration::from_secs(if quick { 10 } else { 60 });
    let sizes = SIZES.into_iter().filter(|beds| only.is_none_or(|only| only == *beds));
    let costs: Vec<_> = sizes.map(|beds| measure(beds, span)).collect();
    show(&costs);
    if costs.iter().any(|cost| cost.loss.missing + cost.loss.out_of_order > 0) {
        eprintln!("LOST: a message that was said was not heard, or not in its order");
        std::process::exit(1);
    }
}

fn measure(beds: usize, span: Duration) -> Cost {
    let before = load();
    let broker = Broker::start();
    let devices = Devices::start(beds);
    let ear = listen(broker.port);
    let mut daemon = Daemon::start(broker.port, &devices.ports);
    nurse::dose(broker.port, beds);
    thread::sleep(SETTLE);

    let state_dir = daemon.state_dir();
    let files = [state_file(&state_dir), history_file(&state_dir)];
    let sizes = || files.each_ref().map(|file| database(file));
    let (begin, size) = (Usage::of(daemon.pid()), sizes());
    thread::sleep(span);
    let (end, grown) = (Usage::of(daemon.pid()), sizes());
    let (resident, peak) = (mebibytes(daemon.pid(), "VmRSS"), mebibytes(daemon.pid(), "VmHWM"));
    daemon.stop();
    let loss = account(&ear, &files);

    let reader = Floor::start(&devices.ports);
    // What has gathered in the ports meanwhile is none of its work.
    thread::sleep(Duration::from_secs(1));
    let bare = Usage::of(reader.pid());
    thread::sleep(span / 2);
    let floor = Usage::of(reader.pid()).percent(&bare);
    let seconds = end.since(&begin);
    let growth = |file: usize| an_hour(grown[file].saturating_sub(size[file]), seconds);
    let cost = Cost {
        beds,
        seconds,
        load: [before, load()],
        all: end.percent(&begin),
        hot: end.percent_of(&begin, "vitalsd"),
        journal: end.percent_of(&begin, "journal"),
        floor,
        resident,
        peak,
        written: end.written_an_hour(&begin),
        state: growth(0),
        history: growth(1),
        loss,
    };
    println!(
        "{beds} beds for {:.0} s, load of the machine {} before and {} after: {:.2} % of a core, {:.1} MiB, {} missing",
        cost.seconds, cost.load[0], cost.load[1], cost.all, cost.resident, cost.loss.missing
    );
    cost
}

/// Holds everything that was heard against everything that the journal has.
fn account(ear: &Receiver<Heard>, files: &[impl AsRef<Path>; 2]) -> Loss {
    let mut ledger = Ledger::of_all_time();
    let (mut queued, mut kinds) = (0, BTreeMap::<_, (u64, usize)>::new());
    while let Ok(Heard { topic, payload, .. }) = ear.recv_timeout(QUIET) {
        if topic.ends_with("/command") {
            // The nurse's.
            continue;
        }
        ledger.hear(&payload);
        if topic.ends_with("/heartbeat") {
            let beat: Value = serde_json::from_slice(&payload).unwrap_or_default();
            queued = beat["queued"].as_u64().expect("a heartbeat tells what waits");
        }
        // vitals/v1/bench/bed/bed-01/KIND
        let kind = kinds.entry(topic.split('/').nth(5).unwrap_or_default().to_owned()).or_default();
        (kind.0, kind.1) = (kind.0 + 1, kind.1 + payload.len());
    }
    let mut said = 0;
    for (file, table) in files.iter().zip(["story", "reading"]) {
        let journal = Connection::open(file).expect("a database");
        let mut query = journal.prepare(&format!("SELECT payload FROM {table}")).expect("a table of messages");
        let mut rows = query.query([]).expect("messages");
        while let Some(row) = rows.next().expect("a message") {
            ledger.say(&row.get::<_, Vec<u8>>(0).expect("a message"));
            said += 1;
        }
    }
    assert_eq!(ledger.unreadable(), 0, "what was heard are messages of the contract");
    let accounts = ledger.accounts();
    let spans = |spans: &[vitalsd::wire::account::Span]| spans.iter().map(|span| span.len()).sum::<u64>();
    Loss {
        said,
        heard: accounts.iter().map(|account| account.heard).sum(),
        missing: accounts.iter().map(|account| spans(&account.missing)).sum(),
        out_of_order: accounts.iter().map(|account| account.out_of_order).sum(),
        told: accounts.iter().map(|account| spans(&account.told)).sum(),
        queued,
        kinds,
    }
}

fn show(costs: &[Cost]) {
    println!(
        "\nPercent of one core; the floor is a process that epolls and reads the same ports.\n\n\
         | beds | vitalsd | of it hot | journal | floor | times the floor | resident, MiB | peak | load before, after |\n\
         |-----:|--------:|----------:|--------:|------:|----------------:|--------------:|-----:|--------------------|"
    );
    for Cost { beds, load, all, hot, journal, floor, resident, peak, .. } in costs {
        println!(
            "| {beds:4} | {all:7.2} | {hot:9.2} | {journal:7.2} | {floor:5.2} | {:15.1} | {resident:13.1} | {peak:4.1} | {}, {} |",
            all / floor,
            load[0],
            load[1]
        );
    }
    println!(
        "\nMB an hour, extrapolated from the time measured; messages of the logs from the daemon's start to its end.\n\n\
         | beds | seconds | written to disk | history grows | state grows | said | heard | missing | told as gaps | out of order | queued at the end |\n\
         |-----:|--------:|----------------:|--------------:|------------:|-----:|------:|--------:|-------------:|-------------:|------------------:|"
    );
    for Cost { beds, seconds, written, state, history, loss, .. } in costs {
        let [written, state, history] = [written, state, history].map(|bytes| bytes / 1e6);
        let Loss { said, heard, missing, out_of_order, told, queued, .. } = loss;
        println!(
            "| {beds:4} | {seconds:7.0} | {written:15.1} | {history:13.1} | {state:11.2} | {said:4} | {heard:5} | {missing:7} | {told:12} | {out_of_order:12} | {queued:17} |"
        );
    }
    if let Some(Cost { beds, loss, .. }) = costs.last() {
        println!("\nheard of {beds} beds, slots included:");
        for (kind, (count, bytes)) in &loss.kinds {
            println!("  {kind:<12} {count:7} messages, {:6} bytes each", bytes / usize::try_from(*count).unwrap_or(1));
        }
    }
}
