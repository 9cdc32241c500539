//! Proves who may command a bed (DESIGN 6): a station that signs, for this bed, in this life of the box, now, once. Every
//! refusal is answered with its reason and stands in the audit log. The real program and broker.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rumqttc::PublishProperties;
use serde_json::{Value, json};
use support::bedside::{BED, Bedside, Daemon, opening};
use support::fake_box::{err, failed, out, program};
use support::{Broker, Ear, PATIENCE};
use vitalsd::simulator::device::Model;
use vitalsd::wire::signature::Key;

const COMMAND: &str = "vitals/v1/north/bed/room-1/command";

/// User properties of a message.
type Properties = Vec<(&'static str, String)>;

fn key_text(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// A bed that two stations may command, none of its devices plugged in.
fn bedside(broker: &Broker) -> Bedside {
    let mut bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    bedside.own_root = true;
    for (station, digit) in [("desk", '1'), ("hall", '2')] {
        fs::write(bedside.root().join(format!("{station}.key")), key_text(digit) + "\n").unwrap();
        bedside.sections += &format!("[[station]]\nid = '{station}'\nkey_file = '{station}.key'\n");
    }
    bedside
}

/// Somebody who may publish, with whatever keys.
struct Sender {
    hears: Ear,
    beats: Ear,
    answers: String,
    keys: u32,
}

impl Sender {
    fn at(broker: u16) -> Self {
        let answers = format!("vitals-reply/desk/{:08x}", fastrand::u32(..));
        let beats = Ear::on(broker, "vitals/v1/north/box/box-3/heartbeat");
        Self { hears: Ear::on(broker, &answers), beats, answers, keys: 0 }
    }

    /// The uptime and the boot of the box, as it says now.
    async fn beat(&mut self) -> (Value, u64) {
        self.beats.forget();
        let beat = self.beats.next().await.json();
        (beat["boot_id"].clone(), beat["uptime_ms"].as_u64().unwrap())
    }

    /// A command by the newest heartbeat, with a key of its own.
    async fn command(&mut self, action: Value) -> Value {
        let (boot, uptime) = self.beat().await;
        self.keys += 1;
        let mut command =
            json!({ "boot_id": boot, "uptime_ms": uptime, "actor": "nurse-2", "key": format!("k{}", self.keys) });
        command.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        command
    }

    fn say(&self, payload: &str, properties: &[(&str, String)], retain: bool) {
        let properties = PublishProperties {
            response_topic: Some(self.answers.clone()),
            user_properties: properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            ..PublishProperties::default()
        };
        self.hears.say_with(COMMAND, payload.as_bytes(), retain, properties);
    }

    /// Says it and waits for the answer.
    async fn ask(&mut self, payload: &str, properties: &[(&str, String)]) -> Value {
        self.say(payload, properties, false);
        self.hears.next().await.json()
    }
}

/// The user properties of a signed command.
fn signed_for(topic: &str, station: &str, digit: char, payload: &str) -> Properties {
    let key: Key = key_text(digit).parse().unwrap();
    vec![("station", station.to_owned()), ("hmac", key.sign(topic, payload.as_bytes()))]
}

fn signed(station: &str, digit: char, payload: &str) -> Properties {
    signed_for(COMMAND, station, digit, payload)
}

/// The entries of the audit log about commands, oldest first.
fn audited(bedside: &Bedside) -> Vec<Value> {
    let journal = rusqlite::Connection::open(bedside.root().join("state/state.db")).unwrap();
    let mut entries = journal.prepare("SELECT entry FROM audit ORDER BY number").unwrap();
    let entries = entries.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let entries = entries.map(|entry| serde_json::from_slice(&entry.unwrap()).unwrap());
    entries.filter(|entry: &Value| ["asked", "unreadable"].map(Value::from).contains(&entry["what"])).collect()
}

/// The audit log once it has so many entries about commands.
async fn audited_up_to(bedside: &Bedside, count: usize) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let entries = audited(bedside);
        if entries.len() >= count {
            return entries;
        }
        assert!(Instant::now() < until, "{} of {count} in the audit log: {entries:#?}", entries.len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_answered_with_its_reason_and_audited() {
    let broker = Broker::start();
    let bedside = bedside(&broker);
    let _daemon = bedside.daemon();
    let mut sender = Sender::at(broker.port);
    let help = sender.command(json!({ "action": "help" })).await;
    let but = |field: &str, value: Value| {
        let mut command = help.clone();
        command[field] = value;
        command.to_string()
    };
    let sound = help.to_string();
    let elsewhere = |topic: &str| signed_for(topic, "desk", '1', &sound);
    let (future, other_boot) = (but("uptime_ms", json!(3_600_000)), but("boot_id", json!("000041-9f3a1c")));
    let (other_actor, nonsense) = (but("actor", json!("nurse-3")), but("action", json!("explode")));
    let long_key = but("key", json!("k".repeat(65)));
    let cases: [(&str, &str, Properties, &str, &str); 14] = [
        ("unsigned", &sound, vec![], "not_allowed", "signed commands only"),
        ("no station", &sound, signed("desk", '1', &sound)[1..].to_vec(), "not_allowed", "one of them is missing"),
        ("no hmac", &sound, signed("desk", '1', &sound)[..1].to_vec(), "not_allowed", "one of them is missing"),
        ("by an unknown station", &sound, signed("attic", '1', &sound), "not_allowed", "names no station"),
        ("by no id", &sound, signed("Desk 1", '1', &sound), "not_allowed", "names no station"),
        ("under another station's key", &sound, signed("desk", '2', &sound), "not_allowed", "not that of desk"),
        ("for another bed", &sound, elsewhere("vitals/v1/north/bed/room-2/command"), "not_allowed", "not that of desk"),
        (
            "for another site",
            &sound,
            elsewhere("vitals/v1/south/bed/room-1/command"),
            "not_allowed",
            "not that of desk",
        ),
        ("changed since", &other_actor, signed("desk", '1', &sound), "not_allowed", "not that of desk"),
        ("of another life", &other_boot, signed("desk", '1', &other_boot), "other_boot", "started anew"),
        ("by a heartbeat to come", &future, signed("desk", '1', &future), "too_old", "older than 30 s"),
        ("no action", &nonsense, signed("desk", '1', &nonsense), "unreadable", "explode"),
        ("no JSON", "{\"action\":", signed("desk", '1', "{\"action\":"), "unreadable", "cannot be read"),
        ("too long a key", &long_key, signed("desk", '1', &long_key), "unreadable", "1 to 64 bytes"),
    ];
    for (n, (what, payload, properties, refused, words)) in cases.iter().enumerate() {
        let answer = sender.ask(payload, properties).await;
        assert_eq!((&answer["outcome"], &answer["refused"]), (&json!("refused"), &json!(refused)), "{what}: {answer}");
        assert!(answer["reason"].as_str().unwrap().contains(words), "{what}: {answer}");
        let entries = audited_up_to(&bedside, n + 1).await;
        let (entry, reply) = (&entries[n], &entries[n]["reply"]);
        assert_eq!(reply["refused"], json!(refused), "{what}: {entry}");
        if entry["what"] == "asked" {
            assert_eq!(reply["reason"], answer["reason"], "{what}: {entry}");
            // Who could not be proved to have signed has not.
            let signer = if *refused == "not_allowed" { Value::Null } else { json!("desk") };
            assert_eq!((&entry["station"], &entry["actor"].is_string()), (&signer, &true), "{what}: {entry}");
        } else {
            assert_eq!((*refused, reply["reason"].as_str().unwrap().contains("explode")), ("unreadable", false));
        }
    }
    // Retained, it would wait for the next life too: neither now nor then.
    sender.say(&sound, &signed("desk", '1', &sound), true);
    let answer = sender.hears.next().await.json();
    assert_eq!((&answer["refused"], &answer["key"]), (&json!("retained"), &help["key"]));
    let entries = audited_up_to(&bedside, cases.len() + 1).await;
    assert_eq!(entries.last().unwrap()["reply"]["refused"], "retained");
    // The same bytes as they were meant are carried out, once, and whose they were is known.
    let answer = sender.ask(&sound, &signed("desk", '1', &sound)).await;
    assert_eq!(answer, json!({ "key": help["key"], "outcome": "done" }));
    let entries = audited_up_to(&bedside, cases.len() + 2).await;
    let last = entries.last().unwrap();
    assert_eq!(
        (&last["station"], &last["actor"], &last["reply"]["outcome"]),
        (&json!("desk"), &json!("nurse-2"), &json!("done"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_overheard_and_is_sent_again_is_carried_out_by_nobody() {
    let broker = Broker::start();
    let bedside = bedside(&broker);
    let mut ear = Ear::on(broker.port, &format!("{BED}/event"));
    let daemon = bedside.daemon();
    let mut sender = Sender::at(broker.port);
    let open = sender.command(opening()).await;
    let (payload, done) = (open.to_string(), json!({ "key": open["key"], "outcome": "done" }));
    let properties = signed("desk", '1', &payload);
    assert_eq!(sender.ask(&payload, &properties).await, done);
    assert_eq!(sender.ask(&payload, &properties).await, done, "not that a session is open already");
    // Whoever cannot sign learns nothing of it, and does not get at the answers of others by their keys.
    assert_eq!(sender.ask(&payload, &[]).await["refused"], "not_allowed");
    let by_the_hall = sender.ask(&payload, &signed("hall", '2', &payload)).await;
    assert_eq!(by_the_hall["refused"], "session_open", "another station's key is another command");
    // Many commands later.
    for n in 0..80 {
        let mut other = open.clone();
        (other["key"], other["action"]) = (json!(format!("other-{n}")), json!("not_yet"));
        let other = other.to_string();
        assert_eq!(sender.ask(&other, &signed("desk", '1', &other)).await["refused"], "not_asked");
    }
    assert_eq!(sender.ask(&payload, &properties).await, done);
    let entries = audited_up_to(&bedside, 83).await;
    assert_eq!(entries.len(), 83, "the same once more is nothing new");
    let opened =
        entries.iter().filter(|entry| entry["asked"]["action"] == "open" && entry["reply"]["outcome"] == "done");
    assert_eq!(opened.count(), 1);
    // Later, by the clock of the box.
    while sender.beat().await.1 <= open["uptime_ms"].as_u64().unwrap() + 30_000 {}
    assert_eq!(sender.ask(&payload, &properties).await["refused"], "too_old");
    // In its next life.
    drop(daemon);
    let _daemon = bedside.daemon();
    let dead = open["boot_id"].clone();
    while sender.beat().await.0 == dead {}
    assert_eq!(sender.ask(&payload, &properties).await["refused"], "other_boot");
    let opened = ear.rest().into_iter().filter(|heard| heard.says("event", "did") && heard.says("action", "open"));
    assert_eq!(opened.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vitalsd_session_signs_with_the_key_that_it_is_given_or_that_its_configuration_names() {
    let broker = Broker::start();
    let bedside = bedside(&broker);
    let _daemon = bedside.daemon();
    Sender::at(broker.port).beat().await;
    let at = format!("127.0.0.1:{}", broker.port);
    let session = async |arguments: &[&str]| program(&[&["session"], arguments].concat()).output().await.unwrap();
    let visit = ["--broker", &at, "--site", "north", "--bed", "room-1"];
    let with = async |arguments: &[&str]| session(&[arguments, &visit].concat()).await;
    let [desk, hall] = ["desk.key", "hall.key"].map(|file| bedside.root().join(file).display().to_string());
    let signed = with(&["help-call", "--station", "desk", "--station-key", &desk]).await;
    assert_eq!(out(&signed), "room-1: HELP called\n", "{}", err(&signed));
    let unsigned = with(&["help-over"]).await;
    assert!(failed(&unsigned).contains("refused: this box takes signed commands only"), "{}", err(&unsigned));
    let wrong = with(&["help-over", "--station", "desk", "--station-key", &hall]).await;
    assert!(failed(&wrong).contains("the signature is not that of desk"), "{}", err(&wrong));
    let nobody = with(&["help-over", "--station-key", &desk]).await;
    assert!(failed(&nobody).contains("--station-key needs --station"), "{}", err(&nobody));
    let status = with(&["status"]).await;
    assert!(status.status.success(), "looking needs no key: {}", err(&status));
    // On the box.
    let file = bedside.file().display().to_string();
    let several = session(&["help-over", "--config", &file]).await;
    assert!(failed(&several).contains("--station with one of desk, hall"), "{}", err(&several));
    let chosen = session(&["help-over", "--config", &file, "--station", "hall"]).await;
    assert!(chosen.status.success(), "{}", err(&chosen));
    let entries = audited_up_to(&bedside, 4).await;
    let who: Vec<_> = entries.iter().map(|entry| &entry["station"]).collect();
    assert_eq!(who, [&json!("desk"), &Value::Null, &Value::Null, &json!("hall")]);
}

/// The blocks of the page in that language.
fn blocks(language: &str) -> Vec<String> {
    let page = include_str!("../docs/commands.md");
    let begin = format!("```{language}\n");
    let after = page.split(begin.as_str()).skip(1);
    after.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_worked_example_of_the_page_is_right() {
    let page = include_str!("../docs/commands.md");
    let [json] = blocks("json").try_into().unwrap();
    let payload = json.trim_end();
    assert!(page.contains(&format!("the {} bytes", payload.len())));
    let key: Key = key_text('1').parse().unwrap();
    let topic = "vitals/v1/clinic/bed/bed-1/command";
    let signature = key.sign(topic, payload.as_bytes());
    assert!(page.contains(&format!("\n    {signature}\n")), "{signature}");
    let mut python = std::process::Command::new("python3");
    let code = format!("{}\nprint(sign('{}', '{topic}', b'{payload}'))", blocks("python")[0], key_text('1'));
    match python.args(["-c", &code]).output() {
        Ok(output) => assert_eq!(out(&output).trim_end(), signature, "{}", err(&output)),
        Err(_) => eprintln!("not proved here: needs Python"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_of_the_page_commands_a_box() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto");
        return;
    }
    let broker = Broker::start();
    let bedside = bedside(&broker);
    let daemon = bedside.daemon();
    Sender::at(broker.port).beat().await;
    let [shell] = blocks("sh").try_into().unwrap();
    let (settings, commands) = shell.split_once('\n').unwrap();
    let names: Vec<_> = settings.split(' ').map(|setting| setting.split('=').next().unwrap()).collect();
    assert_eq!(names, ["SITE", "BOX", "BED", "STATION", "KEY", "PORT"]);
    let key = bedside.root().join("desk.key").display().to_string();
    let port = broker.port.to_string();
    let here = names.into_iter().zip(["north", "box-3", "room-1", "desk", &key, &port]);
    let output = tokio::process::Command::new("sh").args(["-eu", "-c", commands]).envs(here).output().await.unwrap();
    assert!(out(&output).contains(r#""outcome":"done""#), "{}\n{}\n{}", out(&output), err(&output), daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_shows_who_may_command_and_warns_where_nobody_may() {
    let broker = Broker::start();
    let bedside = bedside(&broker);
    drop(bedside.daemon());
    let text = fs::read_to_string(bedside.file()).unwrap();
    let check = async |text: &str| {
        fs::write(bedside.file(), text).unwrap();
        program(&["check", &bedside.file().display().to_string()]).output().await.unwrap()
    };
    let sound = check(&text).await;
    let fingerprint = |digit| key_text(digit).parse::<Key>().unwrap().fingerprint();
    let (desk, hall) = (fingerprint('1'), fingerprint('2'));
    let shown = format!("signed by desk (key {desk}), hall (key {hall})");
    assert!(out(&sound).contains(&shown) && !out(&sound).contains(&key_text('1')), "{}", out(&sound));
    let without = text.replace(&bedside.sections, "");
    assert!(out(&check(&without).await).contains("unsigned: from whoever may publish to the broker on this box"));
    let afar = without.replace("host = '127.0.0.1'", "host = '192.0.2.1'\nallow_plaintext = true");
    let nobody = check(&afar).await;
    assert!(
        nobody.status.success() && err(&nobody).contains("warning: NOBODY can command these beds"),
        "{}",
        err(&nobody)
    );
    // What is wrong with a section is told with its line.
    let wrong = async |old: &str, new: &str, words: &str| {
        let changed = text.replace(old, new);
        assert_ne!(changed, text);
        let line = changed.lines().position(|line| line == new || line.ends_with(new)).map(|line| line + 1);
        let checked = check(&changed).await;
        let at = format!("vitalsd.toml:{}:", line.unwrap_or_default());
        assert!(!checked.status.success(), "{words}");
        assert!(err(&checked).contains(words) && err(&checked).contains(&at), "{at} {words}\n{}", err(&checked));
    };
    let write = |name: &str, text: &str| fs::write(bedside.root().join(name), text).unwrap();
    write("short.key", &"ab".repeat(16));
    write("text.key", "a secret that somebody could remember, and so could somebody else");
    wrong("key_file = 'hall.key'", "key_file = 'gone.key'", "cannot be found").await;
    wrong("key_file = 'hall.key'", "key_file = 'short.key'", "has 16 bytes").await;
    wrong("key_file = 'hall.key'", "key_file = 'text.key'", "openssl rand -hex 32").await;
    wrong("key_file = 'hall.key'", "key_file = 'desk.key'", "has the same key as the station on line").await;
    wrong("id = 'hall'", "id = 'Hall'", "1 to 32 of the characters").await;
    let twice = check(&text.replace("id = 'hall'", "id = 'desk'")).await;
    assert!(err(&twice).contains("the station \"desk\" is there twice"), "{}", err(&twice));
    let none = check(&text.replace("key_file = 'hall.key'\n", "")).await;
    assert!(err(&none).contains("`key_file` is missing"), "{}", err(&none));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_does_not_start_without_the_keys_of_its_stations() {
    let broker = Broker::start();
    let bedside = bedside(&broker);
    drop(bedside.daemon());
    fs::write(bedside.root().join("hall.key"), "").unwrap();
    let mut daemon = Daemon::start(&bedside.file(), Path::new("/"));
    assert_eq!(daemon.ended().await.code(), Some(78));
    daemon.logs(&["hall.key"]).await;
}
