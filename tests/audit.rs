//! Proves that what was asked of a box is on record, sealed, and that a receiver can prove loss or its absence: the
//! real program beside a running daemon, and what `mosquitto_sub` wrote down.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};
use support::bedside::{BED, Bedside, Nurse};
use support::fake_box::{err, out, program};
use support::{Broker, Ear, Heard};
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::Script;

/// The state directory of a box that was asked for a few things, and what was heard of it meanwhile, as
/// `mosquitto_sub -v` writes it.
async fn asked() -> (Bedside, PathBuf, Vec<String>) {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    let mut ear = Ear::on(broker.port, "vitals/v1/north/#");
    let mut nurse = Nurse::at(broker.port);
    let mut daemon = bedside.daemon();
    let _oximeter = bedside.plug_in("oximeter", Script::quiet(), Instant::now());
    let mut all = ear.all_until("values", |heard| heard.on("/oximetry") && heard.json()["spo2_pct"].is_number()).await;
    nurse.opens().await;
    nurse.does(json!({ "action": "note", "text": "asked for her sister" })).await;
    let again = nurse.command(support::bedside::opening()).await;
    assert_eq!(nurse.say(&again, false).await.json()["refused"], "session_open");
    let old = nurse.command(json!({ "action": "dose" })).await;
    assert_eq!(nurse.say(&old, true).await.json()["refused"], "retained");
    let ear_of = |heard: &Heard| heard.on("/event") && heard.says("event", "note");
    all.extend(ear.all_until("the note", ear_of).await);
    daemon.signal(rustix::process::Signal::TERM);
    daemon.ended().await;
    all.extend(ear.all_until("the goodbye", |heard| heard.on("/status") && heard.says("state", "stopped")).await);
    let lines = all.iter().map(|heard| format!("{} {}", heard.topic, String::from_utf8_lossy(&heard.payload)));
    let state = bedside.root().join("state");
    let lines = lines.collect();
    (bedside, state, lines)
}

/// Runs `vitalsd audit` on a state directory; what it says, or why it fails.
async fn audit(state: &PathBuf, args: &[&str]) -> Result<String, String> {
    let output = program(&["audit", "--state-dir"]).arg(state).args(args).output().await.unwrap();
    if output.status.success() { Ok(out(&output).to_owned()) } else { Err(format!("{}{}", out(&output), err(&output))) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_what_is_on_record_with_what_became_of_it_and_a_change_is_found() {
    let (_bedside, state, _) = asked().await;
    let log = audit(&state, &[]).await.unwrap();
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let brief: Vec<_> = entries
        .iter()
        .map(|entry| {
            (entry["what"].as_str().unwrap(), entry["asked"]["action"].as_str(), entry["reply"]["refused"].as_str())
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("started", None, None),
            ("asked", Some("open"), None),
            ("asked", Some("note"), None),
            ("asked", Some("open"), Some("session_open")),
            ("asked", Some("dose"), Some("retained")),
            ("stopped", None, None),
        ]
    );
    assert!(entries[1..5].iter().all(|entry| entry["actor"] == "nurse-2" && entry["bed"] == "room-1"));
    assert!(!log.contains("sister"), "the text of a note stands with the notes alone");

    let whole = audit(&state, &["--verify"]).await.unwrap();
    assert!(whole.starts_with("6 entries, unbroken."), "{whole}");
    let seal = whole.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert!(audit(&state, &["--verify", "--seal", &seal]).await.is_ok());

    let journal = Connection::open(state.join("state.db")).unwrap();
    let note: String = journal.query_row("SELECT text FROM note", [], |row| row.get(0)).unwrap();
    assert_eq!(note, "asked for her sister");
    journal
        .execute("UPDATE audit SET entry = replace(CAST(entry AS TEXT), 'nurse-2', 'nurse-3') WHERE number = 2", [])
        .unwrap_err();
    journal
        .execute("UPDATE audit SET entry = CAST(replace(CAST(entry AS TEXT), 'nurse-2', 'nurse-3') AS BLOB) WHERE number = 2", [])
        .unwrap();
    let broken = audit(&state, &["--verify"]).await.unwrap_err();
    assert!(broken.contains("BROKEN") && broken.contains("entry 2 does not fit its seal"), "{broken}");
    journal.execute("DELETE FROM audit", []).unwrap();
    let broken = audit(&state, &["--verify", "--seal", &seal]).await.unwrap_err();
    assert!(broken.contains("the seal that was noted is not in it"), "{broken}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_heard_everything_can_prove_it_and_one_that_lacks_something_knows_what() {
    let (bedside, state, lines) = asked().await;
    let heard = bedside.root().join("heard.txt");
    let against = |lines: &[&String]| {
        fs::write(&heard, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        heard.to_str().unwrap().to_owned()
    };
    let all: Vec<_> = lines.iter().collect();
    let whole = audit(&state, &["--against", &against(&all), "--all"]).await.unwrap();
    assert!(whole.contains("bed/room-1/event") && whole.contains("bed/room-1/oximetry"), "{whole}");

    // One event in the middle was never heard.
    let event = format!("{BED}/event ");
    let place = lines.iter().rposition(|line| line.starts_with(&event)).unwrap();
    let lost: Value = serde_json::from_str(lines[place].strip_prefix(&event).unwrap()).unwrap();
    let mut some = all.clone();
    some.remove(place);
    let lacks = audit(&state, &["--against", &against(&some), "--json"]).await.unwrap_err();
    let accounts = lacks.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let account = accounts.into_iter().find(|account| account["stream"] == "bed/room-1/event").unwrap();
    assert_eq!(account["missing"], json!([{ "from": lost["seq"], "to": lost["seq"] }]));
    assert!(lacks.contains("NOT WHOLE: 1 missing, 0 out of order"), "{lacks}");

    // Nothing at all is told as such.
    let nothing = audit(&state, &["--against", &against(&[])]).await.unwrap_err();
    assert!(nothing.contains("no message of a log in it: expected lines"), "{nothing}");
}
