//! Proves that the documents of the contract are true: they are made from the types as they are now, they have every
//! topic, and everything that is said in a session of real parts is as they say, by validators that others wrote.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::bedside::Bedside;
use support::contract::{Said, Validators, asyncapi, channel_of, docs};
use support::fake_box::{err, out, program};
use support::{Broker, Ear, Heard, PATIENCE};
use tokio::process::Command;
use tokio::time::timeout;
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd::wire::{BedTopic, BoxTopic, Id, Root, Topic};
use vitalsd_core::monitor::output::Condition;
use vitalsd_core::time::{Span, Time};

/// What a session of one bed cannot bring about: nothing publishes the waveform yet.
const NOT_SAID: &str = "pleth";

/// Every document below a directory, by its path.
fn documents(directory: &Path) -> BTreeMap<String, String> {
    let is_json = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    let files = [directory.to_owned(), directory.join("schemas")].into_iter().flat_map(|directory| {
        fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
    });
    files
        .map(|file| file.unwrap().path())
        .filter(|path| is_json(path))
        .map(|path| (path.strip_prefix(directory).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn the_committed_documents_are_what_the_types_are_now() {
    let made = tempfile::tempdir().unwrap();
    let output = program(&["schema", "--output", made.path().to_str().unwrap()]).output().await.unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let (made, committed) = (documents(made.path()), documents(&docs()));
    let differ: BTreeSet<_> =
        made.keys().chain(committed.keys()).filter(|path| made.get(*path) != committed.get(*path)).collect();
    assert!(
        differ.is_empty(),
        "{differ:?} in docs/contract are not what the types say: renew them with \
         `rm -r docs/contract/*.json docs/contract/schemas && cargo run -- schema --output docs/contract` \
         and read what has changed, for within a version of the contract keys are only added"
    );
}

#[tokio::test]
async fn without_a_directory_the_asyncapi_document_is_printed() {
    let output = program(&["schema"]).output().await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(out(&output)).unwrap(), asyncapi());
}

/// One of each topic; of the alarms, all. One that is not here does not compile.
fn topics() -> Vec<Topic> {
    let id = |text| Id::new(text).unwrap();
    let box_topics = [BoxTopic::Status, BoxTopic::Heartbeat, BoxTopic::Latency];
    let bed_topics = [
        BedTopic::Oximetry,
        BedTopic::Pressure,
        BedTopic::Event,
        BedTopic::Pleth,
        BedTopic::State,
        BedTopic::Session,
        BedTopic::Device(id("oximeter")),
        BedTopic::Command,
        BedTopic::Receipt,
    ];
    let alarms = Condition::ALL.iter().copied().map(BedTopic::Alarm);
    let box_topics = box_topics.into_iter().map(|topic| match topic {
        BoxTopic::Status | BoxTopic::Heartbeat | BoxTopic::Latency => Topic::Box(id("box-3"), topic),
    });
    let bed_topics = bed_topics.into_iter().chain(alarms).map(|topic| match topic {
        BedTopic::Oximetry | BedTopic::Pressure | BedTopic::Event | BedTopic::Pleth => topic,
        BedTopic::State | BedTopic::Session | BedTopic::Alarm(_) | BedTopic::Device(_) => topic,
        BedTopic::Command | BedTopic::Receipt => topic,
    });
    let all = box_topics.chain(bed_topics.map(|topic| Topic::Bed(id("room-1"), topic)));
    all.chain([Topic::StationPresence(id("desk"))])
        .map(|topic| match topic {
            Topic::Box(..) | Topic::Bed(..) | Topic::StationPresence(_) => topic,
        })
        .collect()
}

#[test]
fn every_topic_stands_in_the_asyncapi_document() {
    let (document, root) = (asyncapi(), Root::new(Id::new("north").unwrap()));
    let mut met = BTreeSet::new();
    for topic in topics() {
        let (channel, _) =
            channel_of(&document, &root.topic(&topic)).unwrap_or_else(|| panic!("{topic} has no channel"));
        let name = topic.to_string();
        let kind = name.split('/').nth(2).unwrap();
        assert_eq!(channel, kind, "{topic}");
        met.insert(channel.to_owned());
    }
    let channels = document["channels"].as_object().unwrap().keys().filter(|name| *name != "reply").cloned();
    assert_eq!(met, channels.collect(), "no channel is there without a topic");
}

#[test]
fn the_page_for_integrators_has_every_topic_with_its_terms() {
    let (document, page) = (asyncapi(), fs::read_to_string(docs().join("README.md")).unwrap());
    for operation in document["operations"].as_object().unwrap().values() {
        let channel =
            document.pointer(operation["channel"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
        let address = channel["address"].as_str().unwrap().strip_prefix("vitals/v1/{site}/").unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{address}` |")));
        let row: Vec<_> = row.unwrap_or_else(|| panic!("no row of {address}")).split('|').map(str::trim).collect();
        let mqtt = &operation["bindings"]["mqtt"];
        let kind = if mqtt["retain"] == true { "slot" } else { channel["x-kind"].as_str().unwrap() };
        let expiry = mqtt["messageExpiryInterval"].as_u64().map_or(String::new(), |seconds| format!("{seconds} s"));
        let terms = [kind.replace("ephemeral", "for now"), mqtt["qos"].to_string(), expiry];
        assert_eq!(row[2..5], terms, "{address}");
    }
}

/// Somebody at a terminal of the clinic.
struct Terminal(u16);

impl Terminal {
    /// Types a verb that is carried out.
    async fn does(&self, line: &str) {
        let output = self.types(line).await;
        assert!(output.status.success(), "{line}: {}", err(&output));
    }

    /// Types one that is refused, with these words.
    async fn is_refused(&self, line: &str, words: &str) {
        let output = self.types(line).await;
        assert!(!output.status.success() && err(&output).contains(words), "{line}: {}", err(&output));
    }

    async fn types(&self, line: &str) -> std::process::Output {
        let broker = format!("127.0.0.1:{}", self.0);
        let mut args = vec!["session"];
        args.extend(line.split_whitespace());
        args.extend(["--broker", &broker, "--site", "north", "--bed", "room-1"]);
        program(&args).output().await.unwrap()
    }
}

fn is_event(heard: &Heard, event: &str, condition: &str) -> bool {
    heard.on("/event") && heard.says("event", event) && heard.says("condition", condition)
}

/// The reply to the command on the page for integrators, given as it stands there, but for the place of the broker.
async fn example_of_the_page(port: u16) -> Value {
    let page = fs::read_to_string(docs().join("README.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let example = example.replace("1883", &port.to_string()).replace("vitals/v1/demo", "vitals/v1/north");
    let output = Command::new("sh").args(["-ec", &example]).kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.expect("the example does not end").unwrap();
    serde_json::from_str(out(&output)).unwrap_or_else(|_| panic!("{}{}", out(&output), err(&output)))
}

/// A whole session, with everything that was said on the broker.
async fn session() -> Vec<Heard> {
    assert!(Broker::is_mosquitto(), "this is about a real broker: install Mosquitto");
    let broker = Broker::start();
    let mut ear = Ear::on(broker.port, "#");
    let bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2), ("cuff", Model::Dinamap)]);
    let falls = Effect::Desaturation { to_pct: 82.0, ramp: Span::secs(8) };
    let script = || {
        let quick = Script { determination: Some(Span::secs(2)), ..Script::quiet() };
        quick.with(falls, Time::ZERO + Span::secs(5), Span::secs(20))
    };
    let mut daemon = bedside.daemon();
    let _oximeter = bedside.plug_in("oximeter", script(), Instant::now());
    let cuff = bedside.plug_in("cuff", script(), Instant::now());
    let is_up = |heard: &Heard| heard.on("/device/cuff") && heard.says("connection", "up");
    let mut all = ear.all_until("the monitor", is_up).await;
    let nurse = Terminal(broker.port);

    nurse.is_refused("dose", "no session is open").await;
    nurse.does("open --route iv --cuff-arm right --probe-hand right --iv-arm left --infusion 40 --screened").await;
    nurse.does("dose").await;
    nurse.is_refused("cancel", "not in this phase").await;
    let reading = |heard: &Heard| heard.on("/pressure") && heard.json()["systolic_mmhg"].is_number();
    all.extend(ear.all_until("a reading of the cuff", reading).await);
    all.extend(ear.all_until("the fall", |heard| is_event(heard, "raised", "spo2-very-low")).await);
    nurse.does("ack spo2-very-low").await;
    nurse.does("infusion end").await;
    nurse.does("observe dissociation --score 7").await;
    nurse.does("observe sedation --responds voice").await;
    nurse.does("gave antiemetic").await;
    nurse.does("note thirsty").await;
    nurse.does("check voice --breaths 14").await;
    nurse.does("bp 124/80").await;
    nurse.does("off pulse-raised --reason expected").await;
    nurse.does("pause").await;
    assert_eq!(example_of_the_page(broker.port).await, json!({ "key": "0001", "outcome": "done" }));
    nurse.is_refused("off help --reason artefact", "never switched off").await;
    nurse.does("ack help").await;
    nurse.does("cant-go help").await;
    nurse.does("help-over").await;
    all.extend(ear.all_until("the end of the help", |heard| is_event(heard, "cleared", "help")).await);
    drop(cuff);
    let is_gone = |heard: &Heard| heard.on("/device/cuff") && heard.says("connection", "lost");
    all.extend(ear.all_until("the cable", is_gone).await);
    nurse.does("checklist --all").await;
    all.extend(ear.all_until("the latency of the stages", |heard| heard.on("/latency")).await);
    nurse.does("close --reason test").await;
    daemon.signal(Signal::TERM);
    let is_stopped = |heard: &Heard| heard.on("/status") && heard.says("state", "stopped");
    all.extend(ear.all_until("the end", is_stopped).await);
    daemon.ended().await;
    all
}

/// Each message with the name of its schema. What ends an alarm slot is empty, and comes after its end was told.
fn named(heard: &[Heard]) -> Vec<Said> {
    let document = asyncapi();
    let response_topics: BTreeSet<_> = heard.iter().filter_map(|heard| heard.response_topic.as_deref()).collect();
    let mut presence = BTreeMap::new();
    let mut named = Vec::new();
    for Heard { topic, payload, .. } in heard {
        let channel = channel_of(&document, topic).map(|(name, _)| name);
        let message = match channel {
            Some(name) => name,
            None if response_topics.contains(topic.as_str()) => "reply",
            None => panic!("no channel of the contract: {topic}"),
        };
        if payload.is_empty() {
            assert_eq!((message, presence.get(topic)), ("alarm", Some(&json!("off"))), "{topic} is emptied");
            continue;
        }
        let payload: Value = serde_json::from_slice(payload).unwrap_or_else(|error| panic!("{topic}: {error}"));
        presence.insert(topic, payload["presence"].clone());
        named.push(Said { topic: topic.clone(), message: message.to_owned(), payload });
    }
    named
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_said_in_a_session_is_as_the_contract_says() {
    let validators = Validators::new();
    let said = named(&session().await);

    for (validator, verdict) in validators.validate(&said) {
        let told = verdict.unwrap_or_else(|told| panic!("{validator}:\n{told}"));
        assert!(told.starts_with(&format!("{} messages", said.len())), "{validator}: {told}");
    }

    // It was a session, and not a quiet hour.
    let messages: BTreeSet<&str> = said.iter().map(|said| said.message.as_str()).collect();
    let document = asyncapi();
    let with_payload = document["components"]["messages"].as_object().unwrap().iter();
    let with_payload =
        with_payload.filter(|(_, message)| message.get("payload").is_some()).map(|(name, _)| name.as_str());
    assert_eq!(messages, with_payload.filter(|name| *name != NOT_SAID).collect(), "a message of each kind");
    let events: BTreeSet<&str> = said.iter().filter_map(|said| said.payload["event"].as_str()).collect();
    for event in ["raised", "acknowledged", "cleared", "phase", "did", "note", "device"] {
        assert!(events.contains(event), "{event} is not among {events:?}");
    }
    assert!(said.iter().any(|said| said.payload["outcome"] == "refused"), "something was refused");
    assert!(said.iter().all(|said| !said.payload.to_string().contains("null")), "what is missing is absent");

    // The validators are awake: one key too many is refused, in each kind of message and at any depth.
    let spoilt = one_of_each_spoilt(&said);
    for (validator, verdict) in validators.validate(&spoilt) {
        let told = verdict.expect_err(validator);
        for Said { topic, message, .. } in &spoilt {
            let refused = told.lines().any(|line| line.starts_with(&format!("{topic}: ")));
            assert!(refused, "{validator} takes a {message} with a key that nobody knows:\n{told}");
        }
    }
}

/// A message of each kind with a key that nobody knows: one of them in the innermost object.
fn one_of_each_spoilt(said: &[Said]) -> Vec<Said> {
    let kinds: BTreeMap<_, _> = said.iter().map(|said| (said.message.as_str(), said)).collect();
    let spoilt = kinds.into_values().cloned().map(|mut said| {
        innermost(&mut said.payload).insert("made_up".into(), json!(1));
        said
    });
    spoilt.collect()
}

fn innermost(value: &mut Value) -> &mut serde_json::Map<String, Value> {
    let deeper = value.as_object().unwrap().iter().find(|(_, inner)| inner.is_object()).map(|(key, _)| key.clone());
    match deeper {
        Some(key) => innermost(&mut value[key]),
        None => value.as_object_mut().unwrap(),
    }
}
