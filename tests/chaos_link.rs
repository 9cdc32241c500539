//! Proves that nothing is lost, and no alarm said to be over, while the way to the broker is cut and frozen.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::Heard;
use support::chaos::{Clinic, chance, rounds};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_at_any_byte_loses_nothing() {
    let mut chance = chance("cut");
    let mut clinic = Clinic::alarmed().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    for _ in 0..rounds() {
        let from = clinic.receiver.count();
        clinic.proxy.cut_after(chance.u64(1..20_000));
        let lost = |heard: &Heard| heard.on("/status") && heard.says("state", "lost");
        let cut = clinic.receiver.after(from, "it was cut", lost).await;
        clinic.receiver.after(cut, "it is back", |heard| heard.on("/heartbeat")).await;
    }
    clinic.settles("cut").await;
    clinic.holds_as_before(before, "cut").await;
    clinic.ends(false).await.is_good("cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_frozen_is_given_up_and_everything_comes_when_it_thaws() {
    let mut clinic = Clinic::alarmed().await;
    clinic.settles("before").await;
    let before = clinic.holds();
    clinic.proxy.freeze();
    clinic.daemon().logs(&["confirms nothing any more"]).await;
    // The patience of the box and of what it meets: connects that are accepted and never answered.
    sleep(Duration::from_secs(if rounds() > 5 { 30 } else { 8 })).await;
    let from = clinic.receiver.count();
    clinic.proxy.thaw();
    clinic.receiver.after(from, "it is back", |heard| heard.on("/heartbeat")).await;
    clinic.settles("frozen").await;
    clinic.holds_as_before(before, "frozen").await;
    clinic.ends(false).await.is_good("frozen");
}
