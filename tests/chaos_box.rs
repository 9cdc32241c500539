//! Proves that nothing is lost, and no alarm said to be over, whatever happens to the box: killed at any moment, its
//! disk full or stalled, its clock set, its cable pulled.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::{Duration, Instant};

use support::Heard;
use support::chaos::{Clinic, chance, rounds};
use tokio::time::sleep;

fn is_on(condition: &'static str) -> impl Fn(&Heard) -> bool {
    move |heard| heard.on(&format!("/alarm/{condition}")) && heard.says("presence", "on")
}

fn is_over(condition: &'static str) -> impl Fn(&Heard) -> bool {
    move |heard| heard.on(&format!("/alarm/{condition}")) && heard.says("presence", "off")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_is_killed_at_any_moment_loses_nothing_and_its_alarm_is_back_at_once() {
    let mut chance = chance("killed");
    let mut clinic = Clinic::alarmed().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds() {
        sleep(Duration::from_millis(chance.u64(0..3_000))).await;
        clinic.kill_box();
        clinic.forget_crashes();
        let from = clinic.receiver.count();
        let started = Instant::now();
        clinic.start_box();
        clinic.receiver.after(from, "the alarm again", is_on("spo2-critical")).await;
        slowest = slowest.max(started.elapsed());
    }
    clinic.settles("killed").await;
    println!("killed: the alarm was back {slowest:?} after exec at the latest");
    clinic.holds_as_before(before, "killed").await;
    clinic.ends(false).await.is_good("killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn box_and_broker_may_die_together() {
    let mut chance = chance("both");
    let mut clinic = Clinic::alarmed().await;
    for _ in 0..rounds() {
        sleep(Duration::from_millis(chance.u64(0..2_000))).await;
        if chance.bool() {
            clinic.broker.kill();
            clinic.kill_box();
        } else {
            clinic.kill_box();
            clinic.broker.kill();
        }
        clinic.forget_crashes();
        let from = clinic.receiver.count();
        if chance.bool() {
            clinic.start_box();
            sleep(Duration::from_millis(chance.u64(0..2_000))).await;
            clinic.broker.restart();
        } else {
            clinic.broker.restart();
            clinic.start_box();
        }
        clinic.receiver.after(from, "the alarm again", is_on("spo2-critical")).await;
    }
    clinic.settles("both").await;
    clinic.ends(true).await.is_good("both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_an_alarm_and_nothing_that_was_said_meanwhile_is_lost() {
    let mut clinic = Clinic::alarmed().await;
    clinic.replug().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    let from = clinic.receiver.count();
    clinic.weather("full");
    let on = clinic.receiver.after(from, "the alarm", is_on("disk-fault")).await;
    clinic.daemon().logs(&["the disk is full"]).await;
    // Monitoring goes on: what happens now is told as ever.
    clinic.unplug();
    let lost = clinic.receiver.after(on, "the lost device", is_on("spo2-unavailable")).await;
    clinic.plug_in();
    clinic
        .receiver
        .after(lost, "the device again", |heard| heard.on("/device/oximeter") && heard.says("connection", "up"))
        .await;
    let from = clinic.receiver.count();
    clinic.weather("fair");
    clinic.receiver.after(from, "the end of the alarm", is_over("disk-fault")).await;
    clinic.settles("full").await;
    clinic.holds_as_before(before, "full").await;
    clinic.ends(false).await.is_good("full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_stalls_is_an_alarm_and_holds_no_other_alarm_up() {
    let mut clinic = Clinic::alarmed().await;
    clinic.settles("before").await;
    let from = clinic.receiver.count();
    clinic.weather("stall 6000");
    let on = clinic.receiver.after(from, "the alarm", is_on("disk-fault")).await;
    clinic.unplug();
    // R6.2: 10 s without data. The disk is in the middle of a sync for all of it.
    clinic.receiver.after(on, "the lost device", is_on("spo2-unavailable")).await;
    clinic.plug_in();
    let from = clinic.receiver.count();
    clinic.weather("fair");
    clinic.receiver.after(from, "the end of the alarm", is_over("disk-fault")).await;
    clinic.settles("stalled").await;
    clinic.ends(false).await.is_good("stalled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_by_an_hour_changes_no_alarm_and_loses_nothing() {
    let mut clinic = Clinic::alarmed().await;
    for step in ["clock 3600", "clock -3600", "fair"] {
        let from = clinic.receiver.count();
        clinic.weather(step);
        let third = |heard: &Heard| heard.on("/heartbeat");
        let mut at = from;
        for _ in 0..3 {
            at = clinic.receiver.after(at, "a heartbeat", third).await;
        }
        let heard = clinic.receiver.heard();
        let ends = ["cleared", "latched", "acknowledged", "phase", "audio_resumed", "resumed"];
        let by_the_clock = |heard: &&Heard| heard.on("/event") && ends.iter().any(|event| heard.says("event", *event));
        let news: Vec<_> = heard[from..].iter().filter(by_the_clock).map(Heard::json).collect();
        assert!(news.is_empty(), "{step}: {news:?}");
    }
    // Killed under a clock that is behind the journal: nobody can say for how long, and the box says so.
    clinic.weather("clock -3600");
    clinic.kill_box();
    let from = clinic.receiver.count();
    clinic.start_box();
    let uncertain = |heard: &Heard| heard.says("event", "resumed") && heard.says("dose_time_certain", false);
    clinic.receiver.after(from, "the uncertainty", uncertain).await;
    clinic.receiver.after(from, "the alarm again", is_on("spo2-critical")).await;
    clinic.weather("fair");
    clinic.settles("clock").await;
    clinic.ends(false).await.is_good("clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cable_that_is_pulled_is_told_and_the_alarm_of_the_patient_stays() {
    let mut clinic = Clinic::alarmed().await;
    clinic.replug().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    for _ in 0..rounds() {
        clinic.replug().await;
    }
    clinic.settles("cable").await;
    clinic.holds_as_before(before, "cable").await;
    clinic.ends(false).await.is_good("cable");
}
