//! Proves, with the daemon as a process and a real broker, that a bed alarms when nobody looks at it, and when
//! two boxes claim it (R10.1, R10.4).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::bedside::{BED, Bedside, Nurse};
use support::{Broker, Ear, Heard};
use tokio::time::{sleep, timeout};
use vitalsd::simulator::device::Model;

const OXIMETER: (&str, Model) = ("oximeter", Model::NoninDf2);
const NO_STATION: &str = "/alarm/no-station";
const CLAIMED: &str = "/alarm/bed-claimed-twice";
/// What a busy machine may take on top of what is promised.
const BUSY: Duration = Duration::from_millis(1_500);

/// A station: says that it looks, as often as the contract has it.
struct Station(Ear);

impl Station {
    fn at(broker: u16) -> Self {
        Self(Ear::on(broker, "vitals/v1/north/station/desk/presence"))
    }

    fn looks(&self, retain: bool) {
        self.0.say("vitals/v1/north/station/desk/presence", b"{}", retain, None);
    }

    async fn looks_for(&self, span: Duration) -> Instant {
        let until = Instant::now() + span;
        loop {
            self.looks(false);
            if Instant::now() >= until {
                return Instant::now();
            }
            sleep(Duration::from_secs(2)).await;
        }
    }
}

#[tokio::test]
async fn r10_1_a_bed_alarms_ten_seconds_after_the_last_station_has_left() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(broker.port, &[OXIMETER]);
    bedside.expects_station = true;
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    let station = Station::at(broker.port);
    nurse.opens().await;
    // Longer than the ten seconds: as long as it says so, it is there.
    let last = station.looks_for(Duration::from_secs(14)).await;
    // A word that the broker has kept is no presence.
    station.looks(true);
    let alarm = ear.until("the alarm", |heard| heard.on(NO_STATION)).await;
    let told = alarm.json();
    assert!(told["presence"] == "on" && told["priority"] == "medium", "{told}");
    assert_eq!(told["reason"], "no station present: nobody is looking, for 10 s, at baseline");
    let after = alarm.at.duration_since(last);
    assert!(after >= Duration::from_secs(9) && after <= Duration::from_secs(10) + BUSY, "{after:?}");
    station.looks(false);
    ear.until("the end", |heard| heard.on(NO_STATION) && heard.says("presence", "off")).await;
}

#[tokio::test]
async fn r10_1_an_alarm_that_nobody_subscribes_to_is_told_at_the_bedside() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto");
        return;
    }
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    // It hears the story, and not the alarms.
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/event")), Nurse::at(broker.port));
    let mut daemon = bedside.daemon();
    nurse.opens().await;
    nurse.does(json!({ "action": "help" })).await;
    daemon.logs(&["nobody subscribes to it"]).await;
    let raised = |heard: &Heard| heard.says("event", "raised") && heard.says("condition", "no-station");
    ear.until("the alarm", raised).await;
    // Whoever subscribes now is heard of with the next alarm.
    let _listener = Ear::on(broker.port, &format!("{BED}/alarm/+"));
    nurse.does(json!({ "action": "help_over" })).await;
    nurse.does(json!({ "action": "help" })).await;
    ear.until("the end", |heard| heard.says("event", "cleared") && heard.says("condition", "no-station")).await;
}

#[tokio::test]
async fn r10_4_a_bed_that_two_boxes_claim_alarms_until_one_of_them_is_gone() {
    let broker = Broker::start();
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let mut daemon = bedside.daemon();
    // What a box that is no more has left at the broker claims nothing.
    let relic = json!({
        "box": "box-9", "boot_id": "000001-abcdef", "stream": "box/box-9/status", "seq": 1,
        "at": "2026-11-22T09:30:00.000Z", "state": "online", "version": "0.1.0", "beds": ["room-1"]
    });
    ear.say("vitals/v1/north/box/box-9/status", relic.to_string().as_bytes(), true, None);
    nurse.opens().await;
    let alarm = timeout(Duration::from_secs(3), ear.until("an alarm", |heard| heard.on(CLAIMED))).await;
    assert!(alarm.is_err(), "{alarm:?}");

    let mut other = Bedside::new(broker.port, &[OXIMETER]);
    other.host = "box-4";
    let second = other.daemon();
    let alarm = ear.until("the alarm", |heard| heard.on(CLAIMED)).await.json();
    assert_eq!((&alarm["box"], &alarm["priority"]), (&json!("box-3"), &json!("medium")), "{alarm}");
    assert!(alarm["reason"].as_str().unwrap().starts_with("two boxes claim this bed"), "{alarm}");
    daemon.logs(&["box-4", "another box claims this bed"]).await;
    drop(second);
    ear.until("the end", |heard| heard.on(CLAIMED) && heard.says("presence", "off")).await;
}
