//! Proves the whole way of a byte with real parts: simulated devices on pseudo-terminals, `vitalsd run` as a
//! process, a real broker, a subscriber. Nothing on the way is replaced.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libtest_mimic::{Arguments, Trial};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::bedside::{BED, Bedside, Nurse, STATUS, Tapped, opening};
use support::{Broker, Ear, Heard};
use tokio::time::sleep_until;
use vitalsd::port::serial;
use vitalsd::recording::Row;
use vitalsd::replay::{Replay, Terms};
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd::wire::{Clock, Event, Id};
use vitalsd_core::driver::contec::v7;
use vitalsd_core::monitor::output;
use vitalsd_core::time::{Span, Time};

const OXIMETER: (&str, Model) = ("oximeter", Model::NoninDf2);
const CUFF: (&str, Model) = ("cuff", Model::Dinamap);
/// A Nonin tells its numbers three times a second.
const PACKET: Duration = Duration::from_millis(334);
/// What a busy machine may take on top of what is promised.
const BUSY: Duration = Duration::from_millis(700);

/// Runs the tests at once, each with a broker and a daemon of its own: they wait much and compute little.
fn main() -> ExitCode {
    macro_rules! trials {
        ($($test:ident)+) => {
            vec![$(Trial::test(stringify!($test), || {
                let threads = &mut tokio::runtime::Builder::new_multi_thread();
                threads.worker_threads(2).enable_all().build().expect("a runtime").block_on($test());
                Ok(())
            })),+]
        };
    }
    let trials = trials! {
        a_desaturation_is_a_retained_alarm_then_its_event_and_ends_with_off_and_nothing
        a_command_is_carried_out_once_and_answered_and_never_when_retained_or_from_another_life
        the_cuff_is_started_when_the_session_opens_and_a_bedside_reading_comes_once
        a_pulled_cable_is_told_and_alarmed_and_values_are_back_within_a_second_of_the_port
        what_is_missing_at_the_start_is_told_with_a_remedy_and_works_once_it_is_there
        a_broker_that_comes_back_empty_gets_every_slot_again_and_the_alarm_that_it_missed
        garbage_on_the_line_is_counted_and_skipped_and_values_go_on
        a_stop_says_stopped_a_kill_leaves_lost_and_each_life_has_a_higher_id
        an_oximeter_that_must_be_started_is_started_and_kept_alive
        what_happens_live_is_what_the_bed_decides_of_the_same_rows_in_simulated_time
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(trials.len());
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn s(seconds: u64) -> Time {
    Time::ZERO + Span::secs(seconds)
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
}

/// From one moment of the wall clock to a later one.
fn between(from: &Value, to: &Value) -> Duration {
    let length = moment(to).duration_since(moment(from));
    length.try_into().unwrap_or_else(|_| panic!("{from} is later than {to}"))
}

#[track_caller]
fn assert_about(found: Duration, expected: Duration, slack: Duration) {
    assert!(found.abs_diff(expected) <= slack, "{found:?}, expected {expected:?} +- {slack:?}");
}

/// Falls slowly enough to be believed (R1.4), below 85 % for 7 s and more; row 1b is active after 5 s.
fn desaturation(start: Time) -> Script {
    let effect = Effect::Desaturation { to_pct: 82.0, ramp: Span::secs(8) };
    Script::quiet().with(effect, start, Span::secs(10))
}

fn is_reading(heard: &Heard) -> bool {
    heard.on("/oximetry") && heard.json()["spo2_pct"].is_number()
}

fn is_event(heard: &Heard, event: &str, condition: &str) -> bool {
    heard.on("/event") && heard.says("event", event) && heard.says("condition", condition)
}

fn is_link(heard: &Heard, device: &str, connection: &str) -> bool {
    heard.on(&format!("/device/{device}")) && heard.says("connection", connection)
}

async fn a_desaturation_is_a_retained_alarm_then_its_event_and_ends_with_off_and_nothing() {
    const ALARM: &str = "/alarm/spo2-very-low";
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    let _line = bedside.plug_in("oximeter", desaturation(s(5)), Instant::now());
    nurse.opens().await;

    let story = ear.all_until("the alarm's event", |heard| is_event(heard, "raised", "spo2-very-low")).await;
    let (slot, event) = (story.iter().find(|heard| heard.on(ALARM)).expect("the slot first"), story.last().unwrap());
    let alarm = slot.json();
    let told = json!({
        "condition": "spo2-very-low", "row": "1b", "kind": "physiological", "priority": "high", "presence": "on",
        "activation": "on", "episode": 1, "announced": true, "sounds": true, "delay_ms": 5_000,
        "limit": { "spo2_below_pct": 85 }, "phase": "baseline", "stale": false,
        "box": "box-3", "stream": "bed/room-1/alarm/spo2-very-low", "seq": 1,
        "reason": format!("SpO2 {} %, below 85 % for 5 s, at baseline", alarm["value"]["spo2_pct"])
    });
    for (field, value) in told.as_object().unwrap() {
        assert_eq!(&alarm[field], value, "{field} of {alarm}");
        assert!(["stream", "seq"].contains(&field.as_str()) || &event.json()[field] == value, "{field} of the event");
    }
    let violation = |heard: &&Heard| is_reading(heard) && heard.json()["spo2_pct"].as_f64() < Some(85.0);
    let violation = story.iter().find(violation).expect("a value below the limit");
    assert_about(between(&violation.json()["at"], &alarm["since"]), Duration::from_secs(5), PACKET);
    assert_about(slot.at.duration_since(violation.at), Duration::from_secs(5), PACKET + BUSY);
    let late = Ear::on(broker.port, &format!("{BED}{ALARM}")).next().await;
    assert!(late.retained && late.says("presence", "on"));

    let seen = json!({ "action": "acknowledge", "condition": "spo2-very-low", "episode": 1, "priority": "high" });
    nurse.does(seen).await;
    ear.until("the acknowledgement", |heard| heard.on(ALARM) && heard.json()["ack"]["actor"] == "nurse-2").await;
    let end = ear.until("the end", |heard| heard.on(ALARM)).await;
    assert!(end.says("presence", "off"), "{}", end.json());
    let nothing = ear.until("the empty message", |heard| heard.on(ALARM)).await;
    assert!(nothing.payload.is_empty());
    let late = Ear::on(broker.port, &format!("{BED}/#")).all_until("a live event", |heard| !heard.retained).await;
    assert!(!late.iter().any(|heard| heard.on(ALARM)), "a late joiner finds no alarm");
}

async fn a_command_is_carried_out_once_and_answered_and_never_when_retained_or_from_another_life() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    let _line = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    let refusal = |reply: Heard| (reply.json()["outcome"].clone(), reply.json()["refused"].clone());
    let refused = |why: &str| (json!("refused"), json!(why));

    let mut other_life = nurse.command(opening()).await;
    other_life["boot_id"] = json!("000000-abcdef");
    assert_eq!(refusal(nurse.say(&other_life, false).await), refused("other_boot"));
    let open = nurse.command(opening()).await;
    assert_eq!(refusal(nurse.say(&open, true).await), refused("retained"));

    let first = nurse.say(&open, false).await.json();
    assert_eq!(first, json!({ "key": open["key"], "outcome": "done" }));
    assert_eq!(nurse.say(&open, false).await.json(), first, "sent again, answered again");
    let another = nurse.command(opening()).await;
    assert_eq!(refusal(nurse.say(&another, false).await), refused("session_open"));
    nurse.doses().await;

    let dosed = |heard: &Heard| heard.on("/session") && heard.says("phase", "onset");
    let mut story = ear.all_until("the session after the dose", dosed).await;
    story.extend(ear.all_until("the dose", |heard| heard.on("/event") && heard.says("action", "dose")).await);
    let opened = story.iter().filter(|heard| heard.on("/event") && heard.says("action", "open"));
    assert_eq!(opened.count(), 1);
    let late = Ear::on(broker.port, &format!("{BED}/session")).next().await.json();
    assert_eq!((&late["phase"], &late["route"]), (&json!("onset"), &json!("iv")));
    assert!(late["dosed_at"].is_string());
}

async fn the_cuff_is_started_when_the_session_opens_and_a_bedside_reading_comes_once() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[CUFF]);
    let (mut ear, mut nurse) = (Ear::on(broker.port, "vitals/v1/north/#"), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    let pressed = Script::quiet().with(Effect::BedsideReading, s(15), Span::ZERO);
    let script = Script { determination: Some(Span::secs(2)), ..pressed };
    let _line = bedside.plug_in("cuff", script, Instant::now());
    ear.until("the monitor", |heard| is_link(heard, "cuff", "up")).await;
    nurse.opens().await;

    let scheduled = ear.until("a pressure", |heard| heard.on("/pressure")).await.json();
    assert_eq!((&scheduled["origin"], &scheduled["seq"]), (&json!("schedule"), &json!(1)), "{scheduled}");
    // At rest the patient has 122/76.
    let about = |field: &str, mmhg: f64| (scheduled[field].as_f64().unwrap() - mmhg).abs() < 8.0;
    assert!(about("systolic_mmhg", 122.0) && about("diastolic_mmhg", 76.0), "{scheduled}");
    let bedside = ear.until("the bedside reading", |heard| heard.on("/pressure")).await.json();
    assert_eq!((&bedside["origin"], &bedside["seq"]), (&json!("bedside"), &json!(2)), "{bedside}");
    // The monitor goes on showing it at every poll.
    for _ in 0..6 {
        let beat = ear.until("a heartbeat", |heard| heard.on("/heartbeat")).await.json();
        assert_eq!(beat["last_seq"]["bed/room-1/pressure"], 2, "told once");
    }
}

async fn a_pulled_cable_is_told_and_alarmed_and_values_are_back_within_a_second_of_the_port() {
    const ALARM: &str = "/alarm/spo2-unavailable";
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let mut daemon = bedside.daemon();
    let line = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    nurse.opens().await;
    nurse.doses().await;
    ear.forget();
    ear.until("a value", is_reading).await;

    line.unplug();
    let lost = ear.until("the loss", |heard| is_link(heard, "oximeter", "lost")).await.json();
    assert_eq!(lost["reason"], "unplugged");
    daemon.logs(&["hung up", "Plug the device in again"]).await;
    let alarm = ear.until("the alarm", |heard| heard.on(ALARM) && heard.says("presence", "on")).await.json();
    assert_eq!((&alarm["priority"], &alarm["value"]["absent"]), (&json!("medium"), &json!("link_lost")), "{alarm}");
    assert_eq!(alarm["reason"], "no SpO2 or no pulse rate: port or cable lost for 10 s, in the onset");
    assert_about(between(&lost["at"], &alarm["since"]), Duration::from_secs(10), PACKET);

    line.replug();
    while !bedside.port("oximeter").exists() {
        tokio::task::yield_now().await;
    }
    let back = Instant::now();
    let value = ear.until("a value", is_reading).await;
    assert!(value.at.duration_since(back) <= Duration::from_secs(1), "{:?}", value.at.duration_since(back));
    let end = ear.until("the end", |heard| heard.on(ALARM) && heard.says("presence", "off")).await.json();
    assert_about(between(&value.json()["at"], &end["ended"]), Duration::from_secs(10), PACKET);
    assert!(daemon.runs());
}

async fn what_is_missing_at_the_start_is_told_with_a_remedy_and_works_once_it_is_there() {
    let mut broker = Broker::start();
    broker.kill();
    let bedside = Bedside::new(broker.port, &[OXIMETER, CUFF]);
    let script = Script { determination: Some(Span::secs(2)), ..Script::quiet() };
    let _cuff = bedside.plug_in("cuff", script, Instant::now());
    let holder = serial::open(&bedside.port("cuff"), Model::Dinamap.protocol().lines[0]).expect("a port for us alone");
    let mut daemon = bedside.daemon();
    daemon.logs(&["oximeter: no such port", "Plug the device in"]).await;
    daemon.logs(&["cuff: held by", &format!("process {}", std::process::id()), "Stop that program"]).await;
    daemon.logs(&["no broker", "is it running, and is its address right?"]).await;
    assert!(!daemon.log().contains("attempt_id"), "nothing is told twice, by us and by the MQTT client");
    assert!(daemon.runs());

    broker.restart();
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let mut reasons = Vec::new();
    while reasons.len() < 2 {
        let slot = ear.until("a device", |heard| heard.on("/device/oximeter") || heard.on("/device/cuff")).await.json();
        assert_eq!(slot["connection"], "lost");
        reasons.push((slot["device"].clone(), slot["reason"].clone()));
        reasons.sort_by_key(|(device, _)| device.to_string());
        reasons.dedup();
    }
    assert_eq!(reasons, [(json!("cuff"), json!("busy")), (json!("oximeter"), json!("not_found"))]);

    drop(holder);
    let _oximeter = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    ear.until("a value", is_reading).await;
    ear.until("the monitor", |heard| is_link(heard, "cuff", "up")).await;
    nurse.opens().await;
    ear.until("a pressure", |heard| heard.on("/pressure") && heard.says("origin", "schedule")).await;
    assert!(daemon.runs());
}

async fn a_broker_that_comes_back_empty_gets_every_slot_again_and_the_alarm_that_it_missed() {
    let mut broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let mut nurse = Nurse::at(broker.port);
    let mut daemon = bedside.daemon();
    let start = Instant::now();
    // Row 1b is active about 16 s after the start.
    let _line = bedside.plug_in("oximeter", desaturation(s(5)), start);
    nurse.opens().await;
    broker.kill();
    let killed = Timestamp::now();
    daemon.logs(&["no broker", "alarms wait for it"]).await;
    sleep_until((start + Duration::from_secs(21)).into()).await;
    assert!(daemon.runs());

    // Held still until somebody listens: what is sent to nobody cannot be proved.
    daemon.signal(Signal::STOP);
    broker.restart();
    let restarted = Timestamp::now();
    let mut ear = Ear::on(broker.port, "vitals/v1/north/#");
    daemon.signal(Signal::CONT);
    let story = ear.all_until("the alarm's event", |heard| is_event(heard, "raised", "spo2-very-low")).await;
    let place = |wanted: &dyn Fn(&Heard) -> bool| story.iter().position(wanted);
    let slot = place(&|heard| heard.on("/alarm/spo2-very-low")).expect("the slot");
    let log = place(&|heard| heard.says("replayed", true)).expect("a replayed log");
    assert!(slot < log, "every slot before any log");
    let alarm = story[slot].json();
    let since = moment(&alarm["since"]);
    assert!(alarm["presence"] == "on" && killed < since && since < restarted, "raised while it was away: {alarm}");
    assert_eq!(alarm.get("replayed"), None);
    assert!(story.last().unwrap().says("replayed", true), "the event is late");

    let gone = |heard: &Heard| heard.on("/alarm/broker-lost") && heard.payload.is_empty();
    let rest = if story.iter().any(gone) { Vec::new() } else { ear.all_until("the end of broker-lost", gone).await };
    let all: Vec<_> = story.iter().chain(&rest).collect();
    assert!(all.iter().any(|heard| heard.on("/alarm/broker-lost") && heard.says("presence", "off")));
    assert!(rest.iter().chain(&story).any(|heard| is_event(heard, "raised", "broker-lost")), "it is in the story");
    for slot in ["/status", "/session", "/device/oximeter", "/state", "/alarm/spo2-very-low"] {
        let filter = if slot == "/status" { STATUS.to_owned() } else { format!("{BED}{slot}") };
        assert!(Ear::on(broker.port, &filter).next().await.retained, "{slot} is retained again");
    }
    assert!(daemon.runs());
}

async fn garbage_on_the_line_is_counted_and_skipped_and_values_go_on() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let mut ear = Ear::on(broker.port, &format!("{BED}/#"));
    let mut daemon = bedside.daemon();
    let line = Tapped::start(OXIMETER.1, &bedside.port("oximeter"));
    ear.until("a value", is_reading).await;
    line.disturb((0..600_u32).map(|n| u8::try_from(n * 7919 % 251).unwrap()).collect());

    let counted = |heard: &Heard| heard.on("/device/oximeter") && heard.json()["decoded"]["bytes_skipped"] != 0;
    let story = ear.all_until("the count", counted).await;
    let slot = story.last().unwrap().json();
    assert_eq!(slot["connection"], "up");
    assert!(slot["decoded"]["bytes_skipped"].as_u64() >= Some(500), "{slot}");
    let values =
        ear.all_until("more values", |heard| is_reading(heard) && heard.json()["seq"].as_u64() > Some(12)).await;
    let values = story.iter().chain(&values).filter(|heard| is_reading(heard)).map(Heard::json);
    for value in values {
        assert!((97.0..=98.0).contains(&value["spo2_pct"].as_f64().unwrap()), "nothing is made of garbage: {value}");
    }
    assert!(daemon.runs());
}

async fn a_stop_says_stopped_a_kill_leaves_lost_and_each_life_has_a_higher_id() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    let _line = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    let mut ear = Ear::on(broker.port, STATUS);
    let mut lives = Vec::new();
    for (signal, last_word) in [(Signal::TERM, "stopped"), (Signal::KILL, "lost"), (Signal::TERM, "stopped")] {
        let mut daemon = bedside.daemon();
        let birth = ear.until("the birth", |heard| heard.says("state", "online")).await.json();
        assert_eq!(birth["beds"], json!(["room-1"]));
        let told = Instant::now();
        daemon.signal(signal);
        let status = daemon.ended().await;
        assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
        assert_eq!(status.code(), (signal == Signal::TERM).then_some(0));
        let word = ear.until("the last word", |heard| !heard.says("state", "online")).await.json();
        assert_eq!((&word["state"], &word["boot_id"]), (&json!(last_word), &birth["boot_id"]));
        lives.push(birth["boot_id"].as_str().unwrap().to_owned());
    }
    assert!(lives.is_sorted_by(|earlier, later| earlier < later), "{lives:?}");
}

async fn an_oximeter_that_must_be_started_is_started_and_kept_alive() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[("oximeter", Model::ContecV7)]);
    let mut ear = Ear::on(broker.port, &format!("{BED}/#"));
    let _daemon = bedside.daemon();
    let mut line = Tapped::start(Model::ContecV7, &bedside.port("oximeter"));
    let (started, command) = line.asked().await;
    assert_eq!(v7::parse_command(&command), Some(v7::START), "{command:02x?}");
    ear.until("a value", is_reading).await;
    let (kept, command) = line.asked().await;
    assert_eq!(v7::parse_command(&command), Some(v7::KEEP_ALIVE), "{command:02x?}");
    assert_about(kept.duration_since(started), Duration::from_secs(5), BUSY);
}

/// What happened to which alarm, and when.
#[derive(Clone, Debug, PartialEq)]
struct AlarmEvent {
    at: Duration,
    event: String,
    condition: String,
    priority: String,
}

fn alarm_event(at: Duration, event: &Value) -> Option<AlarmEvent> {
    let text = |field: &str| event[field].as_str().map(str::to_owned);
    Some(AlarmEvent { at, event: text("event")?, condition: text("condition")?, priority: text("priority")? })
}

async fn what_happens_live_is_what_the_bed_decides_of_the_same_rows_in_simulated_time() {
    // One row a second: a fall to 85 % over 4 s, 14 s there, and back.
    let percent = |second: u64| match second {
        0..8 | 29.. => 97,
        8 | 28 => 94,
        9 | 27 => 91,
        10 | 26 => 88,
        _ => 85,
    };
    let row = |second| Row {
        time_ms: second * 1_000,
        spo2_tenths: Some(percent(second) * 10),
        pulse_bpm: Some(60),
        ..Row::default()
    };
    let rows: Vec<_> = (0..52).map(row).collect();
    let undosed = Terms { dose_at: s(3_600), ..Terms::default() };
    let replayed = Replay::new(rows.clone(), undosed).unwrap().events().unwrap();
    let in_time = |event: &output::Event| {
        let told = Event::new(event, Clock::new(Timestamp::UNIX_EPOCH), |_| Id::new(OXIMETER.0).unwrap());
        alarm_event(Duration::from_millis(event.at.as_millis()), &serde_json::to_value(told).unwrap())
    };
    let expected: Vec<_> = replayed.iter().filter_map(in_time).collect();
    let words: Vec<_> = expected.iter().map(|told| format!("{} {}", told.event, told.condition)).collect();
    assert_eq!(words, ["raised spo2-low", "noted spo2-reduced", "latched spo2-low", "cleared spo2-reduced"]);

    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[OXIMETER]);
    // Alarms and all: one that nobody subscribes to is an alarm of its own (R10.1).
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    nurse.command(json!({})).await;
    let scene = Scene::recording(rows, Script::quiet(), 1).shared();
    let (start, zero) = (Instant::now(), Timestamp::now());
    let _line = bedside.plug_in_scene("oximeter", Device::new(OXIMETER.1, &scene), start);
    nurse.opens().await;
    let last = |heard: &Heard| is_event(heard, "cleared", "spo2-reduced");
    let heard = ear.all_until("the last event", last).await;
    let zero = json!(zero.to_string());
    let in_time = |event: Value| alarm_event(between(&zero, &event["at"]), &event);
    let alarms =
        heard.iter().filter(|heard| heard.on("/event")).map(Heard::json).filter(|event| event["condition"].is_string());
    let live: Vec<_> = alarms.filter_map(in_time).collect();
    assert_eq!(live.len(), expected.len(), "{live:?}");
    for (live, expected) in live.iter().zip(&expected) {
        assert_about(live.at, expected.at, PACKET + Duration::from_secs(1));
        assert_eq!(AlarmEvent { at: expected.at, ..live.clone() }, *expected);
    }
}
