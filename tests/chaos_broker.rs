//! Proves that nothing is lost, and no alarm said to be over, whatever the broker does: killed, refusing, held up by
//! somebody else; and that another box on the same bed changes nothing of it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use support::bedside::Bedside;
use support::chaos::{Clinic, chance, rounds};
use support::{Broker, Heard};
use tokio::time::sleep;
use vitalsd::simulator::device::Model;

fn is_on(condition: &'static str) -> impl Fn(&Heard) -> bool {
    move |heard| heard.on(&format!("/alarm/{condition}")) && heard.says("presence", "on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_again_and_again_costs_nothing() {
    let mut chance = chance("broker");
    let mut clinic = Clinic::alarmed().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    for _ in 0..rounds() {
        sleep(Duration::from_millis(chance.u64(0..2_000))).await;
        let from = clinic.receiver.count();
        clinic.broker.kill();
        sleep(Duration::from_millis(chance.u64(0..2_000))).await;
        clinic.broker.restart();
        // What the broker retained is gone: the box says it again.
        clinic.receiver.after(from, "the alarm again", is_on("spo2-critical")).await;
    }
    clinic.settles("broker").await;
    clinic.holds_as_before(before, "broker").await;
    clinic.ends(true).await.is_good("broker");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_that_the_access_list_refuses_are_told_as_gaps_and_alarms_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("acl");
    std::fs::write(&list, "topic readwrite #\ntopic deny vitals/v1/north/bed/room-1/oximetry\n").unwrap();
    // With a queue without bounds Mosquitto 2.0 would end the connection of whoever it refuses a message.
    let extra = format!("max_queued_messages 20000\nacl_file {}", list.display());
    let mut clinic = Clinic::alarmed_at(Broker::start_with(Box::leak(extra.into_boxed_str()))).await;
    clinic.daemon().logs(&["the broker refused a message", "oximetry", "not authorised"]).await;
    let gap = |heard: &Heard| heard.says("event", "gap") && heard.says("reason", "refused");
    clinic.receiver.until("the gap", gap).await;
    clinic.broker.restart_with("");
    clinic.receiver.until("a reading", |heard| heard.on("/oximetry")).await;
    clinic.settles("refused").await;
    clinic.ends(true).await.is_good("refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_for_the_broker_waits_for_a_larger_one() {
    let mut clinic = Clinic::alarmed().await;
    // Readings are smaller than that, an alarm's event with its reason is not.
    clinic.broker.restart_with("max_packet_size 600");
    clinic.unplug();
    clinic.daemon().logs(&["the broker refused a message", "and the broker takes 600"]).await;
    let from = clinic.receiver.count();
    clinic.broker.restart_with("");
    clinic.receiver.after(from, "the alarm again", is_on("spo2-critical")).await;
    clinic.plug_in();
    clinic.settles("packet").await;
    clinic.ends(true).await.is_good("packet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_hears_nothing_of_what_it_asked_for_holds_nobody_up() {
    let clinic = Clinic::alarmed().await;
    let mut stuck = TcpStream::connect(("127.0.0.1", clinic.broker.port)).unwrap();
    // MQTT 5: CONNECT as "stuck" for good, SUBSCRIBE to everything; and it never reads again.
    stuck.write_all(b"\x10\x12\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x05stuck").unwrap();
    stuck.write_all(b"\x82\x07\x00\x01\x00\x00\x01#\x01").unwrap();
    let from = clinic.receiver.count();
    let mut at = from;
    for _ in 0..5 {
        at = clinic.receiver.after(at, "a heartbeat", |heard| heard.on("/heartbeat")).await;
    }
    let heard = clinic.receiver.heard();
    let late = heard[from..].iter().filter(|heard| heard.says("replayed", true)).count();
    assert_eq!(late, 0);
    clinic.settles("stuck").await;
    clinic.ends(false).await.is_good("stuck");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_4_another_box_that_claims_the_bed_takes_no_alarm_away() {
    let clinic = Clinic::alarmed().await;
    let mut other = Bedside::new(clinic.broker.port, &[("oximeter", Model::NoninDf2)]);
    other.host = "box-9";
    let from = clinic.receiver.count();
    let intruder = other.daemon();
    let claimed = clinic.receiver.after(from, "the claim", is_on("bed-claimed-twice")).await;
    drop(intruder);
    let over = |heard: &Heard| heard.on("/alarm/bed-claimed-twice") && heard.says("presence", "off");
    clinic.receiver.after(claimed, "the end of the claim", over).await;
    clinic.settles("claimed").await;
    clinic.ends(false).await.is_good("claimed");
}
