//! Proves that a nurse leads a whole session from the command line: the real program, daemon and broker, with
//! simulated devices. What is not possible is refused with its reason.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Instant;

use serde_json::Value;
use support::bedside::{BED, Bedside};
use support::fake_box::{err, out, program};
use support::{Broker, Ear, Heard};
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::Script;
use vitalsd_core::time::Span;

/// Somebody at a terminal of the clinic.
struct Terminal(u16);

impl Terminal {
    /// Types a verb, and reads what it says: on success, or why not.
    async fn types(&self, line: &str) -> Result<String, String> {
        let broker = format!("127.0.0.1:{}", self.0);
        let mut args = vec!["session"];
        args.extend(line.split_whitespace());
        args.extend(["--broker", &broker, "--site", "north", "--bed", "room-1"]);
        let output = program(&args).output().await.unwrap();
        match output.status.code() {
            Some(0) => Ok(out(&output).trim_end().to_owned()),
            _ => Err(err(&output).trim_end().to_owned()),
        }
    }

    async fn does(&self, line: &str, words: &str) {
        assert_eq!(self.types(line).await, Ok(format!("room-1: {words}")), "{line}");
    }

    async fn is_refused(&self, line: &str, words: &str) {
        let refused = self.types(line).await;
        assert!(refused.as_ref().is_err_and(|why| why.contains(words)), "{line}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nurse_leads_a_whole_session_from_the_command_line() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2), ("cuff", Model::Dinamap)]);
    let mut ear = Ear::on(broker.port, &format!("{BED}/#"));
    let script = || Script { determination: Some(Span::secs(2)), ..Script::quiet() };
    let _daemon = bedside.daemon();
    let _oximeter = bedside.plug_in("oximeter", script(), Instant::now());
    let _cuff = bedside.plug_in("cuff", script(), Instant::now());
    ear.until("the monitor", |heard| heard.on("/device/cuff") && heard.says("connection", "up")).await;
    let nurse = Terminal(broker.port);

    // Before the dose.
    nurse.is_refused("dose", "no session is open").await;
    let limbs = "--probe-hand right --iv-arm left --infusion 40 --screened --escort";
    nurse.is_refused(&format!("open --route iv --cuff-arm left {limbs}"), "not be on the arm of the cannula").await;
    let opened = "session open (IV), baseline until the dose is recorded";
    nurse.does(&format!("open --route iv --cuff-arm right {limbs}"), opened).await;
    nurse.is_refused(&format!("open --route im --cuff-arm none {limbs}"), "--infusion belongs to --route iv").await;
    nurse.does("retake-baseline", "the baseline is measured anew").await;
    nurse.is_refused("confirm-slow-pulse", "was not below 50").await;
    nurse.is_refused("not-yet", "has not asked").await;
    nurse.is_refused("close", "not recorded yet").await;

    // The dose, and what follows from it.
    let dosed = nurse.types("dose").await.unwrap();
    assert!(dosed.contains("dose recorded at ") && dosed.contains(", onset until "), "{dosed}");
    nurse.does("undo-dose", "the dose is taken back: baseline again").await;
    nurse.types("dose").await.unwrap();
    nurse.is_refused("cancel", "not in this phase").await;
    nurse.does("infusion pause", "infusion paused").await;
    nurse.does("infusion resume", "the infusion goes on").await;
    nurse.is_refused("standby toilet", "the infusion has not ended").await;
    nurse.types("infusion end").await.unwrap();
    nurse.does("prolong 20", "the window is longer by 20 min").await;
    nurse.does("observe dissociation --score 7", "recorded: dissociation 7 of 10").await;
    nurse.does("gave benzodiazepine", "recorded: benzodiazepine given").await;
    nurse.does("note thirsty", "note written; its text stays on the box").await;
    nurse.does("check voice --breaths 14", "check round recorded: responds to voice, 14 breaths a minute").await;
    nurse.does("probe-on-cuff-arm", "the probe is on the cuff arm: SpO2 is missed while the cuff is inflated").await;
    let bp = nurse.types("bp 124/80").await.unwrap();
    assert!(bp.starts_with("room-1: BP 124/80 mmHg recorded, measured at "), "{bp}");

    // What is not listened to.
    nurse.is_refused("off spo2-critical --reason artefact", "never switched off").await;
    let off = "OFF until the session ends: pulse raised (expected with this patient)";
    nurse.does("off pulse-raised --reason expected", off).await;
    nurse.does("pause", "sound paused; a new MEDIUM or HIGH ends the pause").await;
    let status = nurse.types("status").await.unwrap();
    for shown in [
        "sound PAUSED for another ",
        "OFF: pulse raised (pulse-raised), expected with this patient; nurse-2 since ",
        "rules of the window added",
        "probe on the cuff arm",
        "infusion ended at ",
        "next check round in ",
        "clinician decides",
        "checklist not signed",
        "UNSIGNED",
    ] {
        assert!(status.contains(shown), "{shown} in\n{status}");
    }
    nurse.does("resume-sound", "sound on").await;
    nurse.does("on pulse-raised", "on again: pulse raised").await;

    // HELP, from the call to its end.
    nurse.does("help-call", "HELP called").await;
    nurse.does("ack help", "accepted: HELP called, HIGH; muted until it comes again or gets worse").await;
    nurse.does("withdraw help", "acceptance taken back: HELP called; nobody has it now").await;
    nurse.does("cant-go help", "passed on: HELP called; every station is told").await;
    let status = nurse.types("status").await.unwrap();
    assert!(status.contains("HELP called ") && status.contains("every station told at "), "{status}");
    nurse.does("help-over", "help is over").await;

    // Before the patient leaves.
    nurse.does("standby toilet", "standby (toilet): say `back` when the patient is back").await;
    nurse.does("back", "the patient is back: watching again").await;
    nurse.does("checklist --all", "checklist signed: all of it is so").await;
    nurse.is_refused("continue", "has not asked").await;
    nurse.is_refused("close", "say why").await;
    nurse.does("close --reason test", "session closed: a test").await;

    // All of it is in the story; the text of the note is not.
    let story = ear.all_until("the close", |heard| heard.on("/event") && heard.says("action", "close")).await;
    let did: Vec<Value> = story.iter().filter(|heard| heard.on("/event")).map(Heard::json).collect();
    for action in ["open", "dose", "undo_dose", "infusion_end", "prolong", "observe", "check", "switch_off", "help"] {
        assert!(did.iter().any(|event| event["action"] == action && event["actor"] == "nurse-2"), "{action}");
    }
    assert!(did.iter().any(|event| event["event"] == "note" && event["note_id"] == 1), "the note has its number");
    let by_the_box = |heard: &&Heard| !heard.on("/command");
    let leaked =
        story.iter().filter(by_the_box).any(|heard| String::from_utf8_lossy(&heard.payload).contains("thirsty"));
    assert!(!leaked, "no text leaves the box");
}
