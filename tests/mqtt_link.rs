//! Proves, against a real broker, that what the box says arrives: the birth and the will, slots again
//! after the broker lost them, logs late rather than never, alarms before everything else, and that a
//! link that only looks alive is given up.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Broker, Ear, Heard, PATIENCE};
use tokio::time::timeout;
use vitalsd::mqtt::{Bounds, Config, Lane, Loss, MqttEvent, Publisher, Refusal};
use vitalsd::wire::command::{Outcome, Refusal as CommandRefusal, Reply};
use vitalsd::wire::{BedTopic, BootId, BoxTopic, Id, Root, Topic, WallTime};
use vitalsd_core::monitor::output::Condition;

const ALARM: &str = "vitals/v1/north/bed/room-1/alarm/spo2-low";
const STATUS: &str = "vitals/v1/north/box/box-3/status";

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn bed(topic: BedTopic) -> Topic {
    Topic::Bed(id("room-1"), topic)
}

fn alarm() -> Topic {
    bed(BedTopic::Alarm(Condition::Spo2Low))
}

fn config(port: u16) -> Config {
    Config {
        broker: vitalsd::mqtt::Broker::plain("127.0.0.1", port),
        root: Root::new(id("north")),
        box_id: id("box-3"),
        boot_id: BootId::new(42, 0x9f_3a1c),
        version: "0.1.0".into(),
        beds: vec![id("room-1")],
        listen: vec![],
        read: vec![],
        bounds: Bounds { bytes: 16 << 20, age: Duration::from_secs(3_600) },
    }
}

/// A publisher with shorthand.
struct Voice(Publisher);

impl Voice {
    fn new(port: u16) -> Self {
        Self(Publisher::new(config(port)))
    }

    async fn connected(port: u16) -> Self {
        let mut voice = Self::new(port);
        voice.until(|event| *event == MqttEvent::Connected).await;
        voice
    }

    fn say(&mut self, topic: Topic, message: &Value) {
        self.0.publish(topic, WallTime::now(), message).unwrap();
    }

    /// Runs until an event comes for which `wanted` holds.
    async fn until(&mut self, wanted: impl Fn(&MqttEvent) -> bool) -> MqttEvent {
        let run = async {
            loop {
                let event = self.0.run_once().await;
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, run).await.expect("the event did not come")
    }

    async fn until_confirmed(&mut self, wanted: Topic) {
        self.until(|event| matches!(event, MqttEvent::Confirmed { topic: Some(topic), .. } if *topic == wanted)).await;
    }

    /// Runs while the ear waits for a message.
    async fn hears(&mut self, ear: &mut Ear, wanted: impl Fn(&Heard) -> bool) -> Heard {
        let heard = ear.next_where(wanted);
        tokio::pin!(heard);
        loop {
            tokio::select! {
                heard = &mut heard => return heard,
                _ = self.0.run_once() => {}
            }
        }
    }

    async fn hears_on(&mut self, ear: &mut Ear, topic: &str) -> Value {
        self.hears(ear, |heard| heard.topic == topic).await.json()
    }
}

#[tokio::test]
async fn the_birth_is_seen_and_the_will_when_the_connection_is_cut() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, STATUS);
    let mut voice = Voice::connected(broker.port).await;
    let birth = voice.hears_on(&mut ear, STATUS).await;
    assert_eq!((&birth["state"], &birth["beds"]), (&json!("online"), &json!(["room-1"])));
    drop(voice);
    let will = ear.next().await.json();
    assert_eq!((&will["state"], &will["boot_id"]), (&json!("lost"), &birth["boot_id"]));
    assert!(will["seq"].as_u64() > birth["seq"].as_u64());
    let late = Ear::on(broker.port, STATUS).next().await;
    assert_eq!((late.retained, &late.json()["state"]), (true, &json!("lost")), "a late joiner sees it too");
}

#[tokio::test]
async fn a_clean_stop_says_stopped_and_leaves_no_will() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, STATUS);
    let mut voice = Voice::connected(broker.port).await;
    voice.hears_on(&mut ear, STATUS).await;
    voice.say(bed(BedTopic::Event), &json!({ "event": "x" }));
    assert!(voice.0.stop().await);
    assert_eq!(ear.next().await.json()["state"], "stopped");
    ear.say("after", b"", false, None);
    let late = Ear::on(broker.port, STATUS).next().await;
    assert_eq!(late.json()["state"], "stopped");
    assert!(ear.is_silent(), "the broker has spoken no will");
}

#[tokio::test]
async fn a_box_that_is_found_lost_says_that_it_is_there() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, STATUS);
    let mut voice = Voice::connected(broker.port).await;
    let birth = voice.hears_on(&mut ear, STATUS).await;
    let mut lost = birth.clone();
    lost["state"] = json!("lost");
    ear.say(STATUS, lost.to_string().as_bytes(), true, None);
    let lost = voice.hears_on(&mut ear, STATUS).await;
    assert_eq!(lost["state"], "lost");
    let again = voice.hears_on(&mut ear, STATUS).await;
    assert_eq!(again["state"], "online");
    assert!(again["seq"].as_u64() > birth["seq"].as_u64());
}

#[tokio::test]
async fn slots_are_published_again_after_the_broker_was_killed_and_lost_them() {
    let mut broker = Broker::start();
    let mut voice = Voice::connected(broker.port).await;
    voice.say(alarm(), &json!({ "presence": "on" }));
    voice.until_confirmed(alarm()).await;
    broker.kill();
    voice.until(|event| matches!(event, MqttEvent::Lost { .. })).await;
    broker.restart();
    voice.until_confirmed(alarm()).await;
    let mut late = Ear::on(broker.port, "vitals/v1/north/#");
    let slot = voice.hears(&mut late, |heard| heard.topic == ALARM).await;
    assert!(slot.retained);
    assert_eq!((&slot.json()["presence"], slot.json().get("replayed")), (&json!("on"), None));
}

#[tokio::test]
async fn what_was_said_without_a_broker_comes_later_after_all_slots_and_flagged() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, "vitals/v1/north/#");
    let mut voice = Voice::new(broker.port);
    for n in 0..5 {
        voice.say(bed(BedTopic::Oximetry), &json!({ "spo2_pct": 90 + n }));
        voice.say(bed(BedTopic::Event), &json!({ "event": "x" }));
    }
    voice.say(bed(BedTopic::State), &json!({ "phase": "window" }));
    voice.say(alarm(), &json!({ "presence": "on" }));
    let mut heard = Vec::new();
    for _ in 0..13 {
        heard.push(voice.hears(&mut ear, |_| true).await);
    }
    let slots = [STATUS, ALARM, "vitals/v1/north/bed/room-1/state"];
    assert_eq!(heard.iter().take(3).map(|h| h.topic.as_str()).collect::<Vec<_>>(), slots);
    let (slots, logs) = heard.split_at(3);
    assert!(slots.iter().all(|slot| slot.json().get("replayed").is_none()));
    assert!(logs.iter().all(|log| log.json()["replayed"] == true));
    for stream in ["bed/room-1/event", "bed/room-1/oximetry"] {
        let of_stream = |log: &&Heard| log.json()["stream"] == stream;
        let seqs: Vec<_> = logs.iter().filter(of_stream).map(|log| log.json()["seq"].as_u64()).collect();
        assert_eq!(seqs, [Some(1), Some(2), Some(3), Some(4), Some(5)], "{stream}");
    }
}

#[tokio::test]
async fn an_alarm_is_on_its_way_before_publish_returns() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, ALARM);
    let mut voice = Voice::connected(broker.port).await;
    voice.say(alarm(), &json!({ "presence": "on" }));
    assert_eq!(ear.next().await.json()["presence"], "on", "heard without another turn of the loop");
}

#[tokio::test]
async fn an_alarm_overtakes_a_backlog_of_ten_thousand_readings() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, "vitals/v1/north/bed/#");
    let mut voice = Voice::connected(broker.port).await;
    for _ in 0..10_000 {
        voice.say(bed(BedTopic::Oximetry), &json!({ "spo2_pct": 97 }));
    }
    voice.say(alarm(), &json!({ "presence": "on" }));
    let mut before = 0;
    while voice.hears(&mut ear, |_| true).await.topic != ALARM {
        before += 1;
    }
    assert!(before <= 16, "{before} readings came first: more than one window");
}

#[tokio::test]
async fn an_alarm_ends_with_off_and_a_late_joiner_finds_nothing() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, ALARM);
    let mut voice = Voice::connected(broker.port).await;
    voice.say(alarm(), &json!({ "presence": "on" }));
    voice.0.end(alarm(), WallTime::now(), &json!({ "presence": "off" })).unwrap();
    voice.hears(&mut ear, |heard| heard.json()["presence"] == "off").await;
    let end = voice.hears(&mut ear, |_| true).await;
    assert_eq!(end.payload, b"");
    let mut late = Ear::on(broker.port, "vitals/v1/north/#");
    assert_eq!(late.next().await.topic, STATUS);
    assert!(late.is_silent());
}

#[tokio::test]
async fn an_alarm_that_nobody_has_subscribed_to_is_reported() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto");
        return;
    }
    let broker = Broker::start();
    let mut voice = Voice::connected(broker.port).await;
    voice.say(alarm(), &json!({ "presence": "on" }));
    voice.until(|event| *event == MqttEvent::NobodyListening { topic: alarm() }).await;
    let _ear = Ear::on(broker.port, "vitals/v1/north/#");
    voice.say(alarm(), &json!({ "presence": "on" }));
    let event = voice
        .until(|event| {
            matches!(event, MqttEvent::NobodyListening { .. } | MqttEvent::Confirmed { lane: Lane::Alarm, .. })
        })
        .await;
    assert!(matches!(event, MqttEvent::Confirmed { .. }));
    let next = timeout(Duration::from_millis(100), voice.0.run_once()).await;
    assert!(!matches!(next, Ok(MqttEvent::NobodyListening { .. })));
}

#[tokio::test]
async fn a_frozen_broker_is_given_up_within_three_seconds_and_found_again() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto, the other broker cannot be frozen");
        return;
    }
    let broker = Broker::start();
    let mut voice = Voice::connected(broker.port).await;
    voice.until_confirmed(Topic::Box(id("box-3"), BoxTopic::Status)).await;
    broker.freeze();
    let frozen = Instant::now();
    voice.say(alarm(), &json!({ "presence": "on" }));
    voice.say(bed(BedTopic::Event), &json!({ "event": "x" }));
    voice.until(|event| *event == MqttEvent::Lost { reason: Loss::Silent }).await;
    let noticed = frozen.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&noticed), "{noticed:?}");
    broker.thaw();
    let mut ear = Ear::on(broker.port, "vitals/v1/north/bed/#");
    voice.until(|event| *event == MqttEvent::Connected).await;
    let event = voice.hears(&mut ear, |heard| heard.topic.ends_with("/event")).await;
    assert_eq!(event.json()["replayed"], true);
    let status = Ear::on(broker.port, STATUS).next().await.json();
    assert_eq!(status["state"], "online", "the will of the old connection did not have the last word");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_tried_again_with_a_growing_pause() {
    let mut broker = Broker::start();
    broker.kill();
    let mut voice = Voice::new(broker.port);
    let started = Instant::now();
    for _ in 0..4 {
        let event = voice.until(|event| matches!(event, MqttEvent::Lost { .. })).await;
        assert!(matches!(event, MqttEvent::Lost { reason: Loss::Unreachable(_) }), "{event:?}");
    }
    // Three pauses of at least half of 0.2, 0.4 and 0.8 s.
    assert!(started.elapsed() >= Duration::from_millis(700));
    broker.restart();
    voice.until(|event| *event == MqttEvent::Connected).await;
}

#[tokio::test]
async fn a_request_is_handed_up_and_answered_and_a_retained_one_is_told_apart() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, "answers/#");
    let command = "vitals/v1/north/bed/room-1/command";
    ear.say(command, b"old", true, None);
    ear.say("answers/1", b"", false, None);
    ear.next().await;
    let mut voice = Voice::connected(broker.port).await;
    let incoming = |event: &MqttEvent| matches!(event, MqttEvent::Incoming(_));
    let MqttEvent::Incoming(old) = voice.until(incoming).await else { unreachable!() };
    assert_eq!((old.payload.as_slice(), old.retained), (b"old".as_slice(), true));
    ear.say(command, b"now", false, Some(("answers/2", b"c-7")));
    let MqttEvent::Incoming(now) = voice.until(incoming).await else { unreachable!() };
    assert_eq!((now.topic.as_str(), now.payload.as_slice(), now.retained), (command, b"now".as_slice(), false));
    voice.0.reply(&now, &Reply::refused(None, CommandRefusal::Unreadable, "no command")).unwrap();
    let answer = voice.hears(&mut ear, |heard| heard.topic == "answers/2").await;
    assert_eq!(answer.correlation.as_deref(), Some(b"c-7".as_slice()));
    let reply: Reply = serde_json::from_slice(&answer.payload).unwrap();
    assert!(matches!(reply.outcome, Outcome::Refused { refusal: CommandRefusal::Unreadable, .. }));
    let abuse = vitalsd::mqtt::Incoming { response_topic: Some(ALARM.into()), ..now };
    assert!(voice.0.reply(&abuse, &reply).is_err(), "an answer never speaks in the voice of the box");
}

#[tokio::test]
async fn a_message_over_the_brokers_limit_is_refused_and_does_not_poison_the_rest() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto");
        return;
    }
    let broker = Broker::start_with("max_packet_size 2000");
    let mut ear = Ear::on(broker.port, "vitals/v1/north/bed/#");
    let mut voice = Voice::connected(broker.port).await;
    voice.say(bed(BedTopic::Event), &json!({ "event": "x".repeat(3_000) }));
    voice.say(bed(BedTopic::Event), &json!({ "event": "small" }));
    let refused = voice.until(|event| matches!(event, MqttEvent::Refused { .. })).await;
    assert!(
        matches!(refused, MqttEvent::Refused { reason: Refusal::TooLarge { limit: 2_000, .. }, .. }),
        "{refused:?}"
    );
    assert_eq!(voice.hears(&mut ear, |_| true).await.json()["event"], "small");
    assert!(voice.0.is_connected());
}

#[tokio::test]
async fn readings_that_had_to_be_dropped_are_told_as_a_gap() {
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, "vitals/v1/north/bed/room-1/event");
    let bounds = Bounds { bytes: 20_000, ..config(broker.port).bounds };
    let mut voice = Voice(Publisher::new(Config { bounds, ..config(broker.port) }));
    for _ in 0..1_000 {
        voice.say(bed(BedTopic::Oximetry), &json!({ "spo2_pct": 97 }));
    }
    let kept = u64::try_from(voice.0.waiting()).unwrap();
    assert!((1..200).contains(&kept));
    let gap = voice.hears(&mut ear, |_| true).await.json();
    assert_eq!(
        (&gap["event"], &gap["gap_stream"], &gap["from"], &gap["to"]),
        (&json!("gap"), &json!("bed/room-1/oximetry"), &json!(1), &json!(1_000 - kept))
    );
}
