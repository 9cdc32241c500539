//! Proves that real-time scheduling is asked for by the thread of the alarms alone, and that a box to which nothing is
//! granted goes on and says what is to be done.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::process::Command;
use std::time::Instant;

use support::bedside::Bedside;
use support::{Broker, Ear};
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::Script;

/// `SCHED_FIFO`, as `/proc` numbers it.
const FIFO: &str = "1";

/// Name and scheduling policy of every thread of a process.
fn policies(pid: u32) -> Vec<(String, String)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let stat = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("stat")).ok()?;
        // `policy` is field 41; the name in brackets is the second, and may hold anything.
        let (head, fields) = text.rsplit_once(") ")?;
        Some((head.split_once('(')?.1.to_owned(), fields.split(' ').nth(38)?.to_owned()))
    };
    threads.filter_map(stat).collect()
}

/// Whether this user may have what the box asks for.
fn is_granted() -> bool {
    Command::new("chrt").args(["-f", "10", "true"]).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_thread_of_the_alarms_alone_is_real_time_and_a_box_without_goes_on_and_says_why() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    bedside.real_time = true;
    let mut ear = Ear::on(broker.port, "vitals/v1/north/#");
    let mut daemon = bedside.daemon();
    let _oximeter = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    ear.all_until("values", |heard| heard.on("/oximetry") && heard.json()["spo2_pct"].is_number()).await;
    let threads = policies(daemon.id());
    assert!(threads.iter().any(|(name, _)| name == "journal"), "{threads:?}");
    let real_time: Vec<_> =
        threads.iter().filter(|(_, policy)| policy == FIFO).map(|(name, _)| name.as_str()).collect();
    if is_granted() {
        assert_eq!(real_time, ["vitalsd"]);
    } else {
        assert_eq!(real_time, [""; 0]);
        daemon.logs(&["the service needs LimitRTPRIO=10"]).await;
    }
}
