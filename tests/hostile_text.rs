//! Proves that text from outside stays text: whatever a command, a file name, a broker or a box says, it cannot forge a
//! line of the daemon's log, nor send anything to the terminal of whoever reads the log or types `vitalsd session`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;

use rumqttc::PublishProperties;
use serde_json::{Value, json};
use support::bedside::{BED, Bedside, Daemon};
use support::fake_box::{FakeBox, alarm, err, failed, out, with};
use support::{Broker, Ear};
use vitalsd::simulator::device::Model;

/// A line of the log, as somebody would like to have it there, and what a terminal obeys.
const FORGED: &str = "x\n2026-11-25T08:00:00.000000Z ERROR forged\r\u{2028}\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{202e}";

/// Whether a terminal would obey it, or a reader be led astray.
fn steers(text: &str) -> bool {
    text.contains(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}'))
}

/// Every line is one of ours, and nothing in it is more than text.
fn assert_honest(log: &str) {
    for line in log.lines() {
        let (at, rest) = line.split_once(' ').unwrap_or_default();
        let level = rest.split_whitespace().next().unwrap_or_default();
        assert!(
            at.starts_with("20") && at.ends_with('Z') && !line.starts_with("2026-11-25T08:00:00.000000Z"),
            "{line}"
        );
        assert!(["DEBUG", "INFO", "WARN", "ERROR", "TRACE"].contains(&level), "{line}");
    }
    assert!(!steers(log), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_said_to_the_daemon_forges_a_line_of_its_log() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    drop(bedside.daemon());
    // A file may be called whatever its owner likes.
    let port = bedside.port("oximeter").display().to_string();
    let named = serde_json::to_string(&format!("/nowhere/{FORGED}")).unwrap().replace("\\u2028", "\u{2028}");
    let text = fs::read_to_string(bedside.file()).unwrap().replace(&format!("'{port}'"), &named);
    assert!(text.contains("ERROR forged"));
    fs::write(bedside.file(), text.replace('\u{9b}', "\\u009b")).unwrap();
    let mut daemon = Daemon::start(&bedside.file(), bedside.root());
    daemon.logs(&["/nowhere/x", "forged"]).await;

    let beat = Ear::on(broker.port, "vitals/v1/north/box/box-3/heartbeat").next().await.json();
    let mut ear = Ear::on(broker.port, "replies/#");
    let sound = json!({
        "boot_id": beat["boot_id"], "uptime_ms": beat["uptime_ms"], "actor": "nurse-2", "key": "k", "action": "help"
    });
    let mut asked = 0;
    for field in ["boot_id", "actor", "key", "action"] {
        let command = with(sound.clone(), field, json!(FORGED)).to_string();
        ear.say(&format!("{BED}/command"), command.as_bytes(), false, Some(("replies/1", b"1")));
        asked += 1;
    }
    for payload in [FORGED.as_bytes(), b"\xff\x1b[2J\n", b"{\"action\":\"\x1b"] {
        ear.say(&format!("{BED}/command"), payload, false, Some(("replies/1", b"1")));
        asked += 1;
    }
    // An answer wanted where the box speaks itself: refused, and told.
    let wanted = PublishProperties { response_topic: Some(format!("{BED}/state")), ..PublishProperties::default() };
    ear.say_with(&format!("{BED}/command"), sound.to_string().as_bytes(), false, wanted);
    daemon.logs(&["a command was not answered"]).await;
    let mut refused = 0;
    while refused < asked {
        let answer = ear.next().await.json();
        refused += u32::from(answer["outcome"] == "refused" || answer["outcome"] == "done");
    }
    daemon.logs(&["a command was refused"]).await;
    assert_honest(&daemon.log());
}

/// Answers like no box would.
fn hostile(_: &Value) -> Option<(Value, Option<Value>)> {
    Some((json!({ "outcome": "refused", "refused": "standby", "reason": FORGED }), None))
}

#[tokio::test]
async fn a_hostile_box_sends_nothing_to_the_terminal_of_the_nurse() {
    let mut fake = FakeBox::with_alarms(&[with(alarm("spo2-low", "high", 2), "reason", json!(FORGED))]);
    for json in [&[][..], &["--json"]] {
        let shown = fake.serve(&[&["session", "status", "--bed", "room-1"], json].concat(), hostile).await.0;
        assert!(out(&shown).contains("forged") && !steers(out(&shown)), "{:?}", out(&shown));
        assert!(!out(&shown).lines().any(|line| line.starts_with("2026-11-25T08")), "{}", out(&shown));
    }
    let (refused, _) = fake.serve(&["session", "help-call", "--bed", "room-1"], hostile).await;
    assert!(failed(&refused).contains("forged") && !steers(err(&refused)), "{:?}", err(&refused));
    assert_eq!(err(&refused).lines().count(), 1, "{}", err(&refused));
}
