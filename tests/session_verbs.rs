//! Proves that every verb of `vitalsd session` asks a bed for what it says, and says what was done.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::fake_box::{FakeBox, alarm, done, err, failed, out, program, with};

#[tokio::test]
async fn each_verb_asks_for_what_it_says() {
    let mut fake = FakeBox::with_alarms(&[with(alarm("spo2-low", "high", 2), "presence", json!("latched"))]);
    let named = |action| json!({ "action": action, "condition": "spo2-low", "episode": 2, "priority": "high" });
    let verbs: [(&str, Value, &str); 42] = [
        (
            "open --route iv --infusion 40 --patient p-17 --over-65 --cuff-arm left --probe-hand right --iv-arm none \
             --screened",
            json!({
                "action": "open", "route": "iv", "infusion_ms": 2_400_000, "patient": "p-17", "over_65": true,
                "cuff_arm": "left", "probe_hand": "right", "iv_arm": "neither", "oxygen": false, "sedative": false,
                "apnoea": false, "hypercapnia": false, "screened": true, "escort": false
            }),
            "session open (IV), baseline until the dose is recorded; no escort named",
        ),
        ("undo-dose", json!({ "action": "undo_dose" }), "the dose is taken back: baseline again"),
        ("not-yet", json!({ "action": "not_yet" }), "not yet dosed; the bed will ask again"),
        ("infusion pause", json!({ "action": "infusion_pause" }), "infusion paused"),
        ("infusion resume", json!({ "action": "infusion_resume" }), "the infusion goes on"),
        ("infusion end --ago 3", json!({ "action": "infusion_end", "ago_ms": 180_000 }), "infusion ended at 09:27"),
        ("prolong 20", json!({ "action": "prolong", "by_ms": 1_200_000 }), "the window is longer by 20 min"),
        ("abort", json!({ "action": "abort" }), "treatment broken off: the rules of the window hold for 60 min"),
        ("cancel", json!({ "action": "cancel" }), "session cancelled, no dose was given"),
        ("close", json!({ "action": "close" }), "session closed"),
        (
            "close --reason clinician-decision",
            json!({ "action": "close", "reason": "clinician_decision" }),
            "session closed: a clinician's decision",
        ),
        (
            "standby toilet",
            json!({ "action": "standby", "reason": "toilet" }),
            "standby (toilet): say `back` when the patient is back",
        ),
        ("back", json!({ "action": "end_standby" }), "the patient is back: watching again"),
        (
            "continue --dosed 25",
            json!({ "action": "continue", "dosed_ago_ms": 1_500_000 }),
            "the session goes on, dose at 09:05",
        ),
        ("continue", json!({ "action": "continue" }), "the session goes on"),
        ("retake-baseline", json!({ "action": "retake_baseline" }), "the baseline is measured anew"),
        ("confirm-slow-pulse", json!({ "action": "confirm_slow_pulse" }), "this person's slow pulse is confirmed"),
        ("ack spo2-low", named("acknowledge"), "accepted: SpO2 low, HIGH; muted until it comes again or gets worse"),
        ("withdraw spo2-low", named("withdraw"), "acceptance taken back: SpO2 low; nobody has it now"),
        ("cant-go spo2-low", named("decline"), "passed on: SpO2 low; every station is told"),
        ("seen", json!({ "action": "seen", "condition": "spo2-low", "episode": 2 }), "seen: SpO2 low"),
        ("pause", json!({ "action": "pause_audio" }), "sound paused; a new MEDIUM or HIGH ends the pause"),
        ("resume-sound", json!({ "action": "resume_audio" }), "sound on"),
        (
            "off pulse-raised --reason expected",
            json!({ "action": "switch_off", "condition": "pulse-raised", "reason": "expected" }),
            "OFF until the session ends: pulse raised (expected with this patient)",
        ),
        ("on pulse-raised", json!({ "action": "switch_on", "condition": "pulse-raised" }), "on again: pulse raised"),
        ("observe nausea", json!({ "action": "observe", "code": "nausea" }), "recorded: nausea"),
        (
            "observe dissociation --score 7",
            json!({ "action": "observe", "code": "dissociation", "score": 7 }),
            "recorded: dissociation 7 of 10",
        ),
        (
            "observe sedation --responds voice",
            json!({ "action": "observe", "code": "sedation", "responds": "voice" }),
            "recorded: sedation: responds to voice",
        ),
        (
            "observe chest-pain",
            json!({ "action": "observe", "code": "chest_pain" }),
            "recorded: chest pain. Do you need help? `vitalsd session help-call`",
        ),
        (
            "gave benzodiazepine",
            json!({ "action": "observe", "code": "gave_benzodiazepine" }),
            "recorded: benzodiazepine given",
        ),
        ("gave oxygen-off", json!({ "action": "observe", "code": "stopped_oxygen" }), "recorded: oxygen stopped"),
        ("note thirsty", json!({ "action": "note", "text": "thirsty" }), "note written; its text stays on the box"),
        (
            "check voice --breaths 14",
            json!({ "action": "check", "responds": "voice", "breaths_per_min": 14 }),
            "check round recorded: responds to voice, 14 breaths a minute",
        ),
        ("help-call", json!({ "action": "help" }), "HELP called"),
        ("help-over", json!({ "action": "help_over" }), "help is over"),
        (
            "checklist --alert --oriented",
            json!({
                "action": "checklist", "alert": true, "oriented": true, "no_dissociation": false,
                "walks_steadily": false, "nausea_controlled": false, "no_severe_pain": false, "cannula_out": false,
                "instructions": false, "escort": false, "no_driving": false
            }),
            "checklist signed: 2 of 10 are so",
        ),
        (
            "checklist --all",
            json!({
                "action": "checklist", "alert": true, "oriented": true, "no_dissociation": true,
                "walks_steadily": true, "nausea_controlled": true, "no_severe_pain": true, "cannula_out": true,
                "instructions": true, "escort": true, "no_driving": true
            }),
            "checklist signed: all of it is so",
        ),
        (
            "label spo2-low probe",
            json!({ "action": "label", "condition": "spo2-low", "episode": 2, "label": "probe" }),
            "SpO2 low, episode 2: it was the probe",
        ),
        ("start-cuff", json!({ "action": "start_cuff" }), "the cuff has been started"),
        ("stat", json!({ "action": "start_stat" }), "the cuff measures again and again, for five minutes at the most"),
        ("stop-cuff", json!({ "action": "stop_cuff" }), "the cuff has been told to stop"),
        (
            "probe-on-cuff-arm",
            json!({ "action": "probe_on_cuff_arm" }),
            "the probe is on the cuff arm: SpO2 is missed while the cuff is inflated",
        ),
    ];
    for (verb, wanted, words) in verbs {
        let verb: Vec<_> = verb.split_whitespace().collect();
        let args = [&["session", "--bed", "room-1", "--actor", "nurse-7"][..], &verb].concat();
        let (output, asked) = fake.serve(&args, done).await;
        assert_eq!(out(&output), format!("room-1: {words}\n"), "{}", err(&output));
        let mut command = asked.into_iter().next().unwrap();
        for about in ["boot_id", "uptime_ms", "key"] {
            assert!(command.as_object_mut().unwrap().remove(about).is_some(), "{verb:?} has no {about}");
        }
        assert_eq!(command, with(wanted, "actor", json!("nurse-7")));
    }
}

#[tokio::test]
async fn every_verb_has_an_example() {
    let help = program(&["session", "--help"]).output().await.unwrap();
    let verbs: Vec<_> = out(&help).lines().skip_while(|line| *line != "Commands:").skip(1).collect();
    let verbs = verbs.iter().take_while(|line| line.starts_with("  ")).filter_map(|line| {
        let verb = line.strip_prefix("  ")?.split(' ').next()?;
        (!verb.is_empty() && verb != "help").then_some(verb)
    });
    let mut seen = 0;
    for verb in verbs {
        let help = program(&["session", verb, "--help"]).output().await.unwrap();
        let example = format!("\n  vitalsd session {verb}");
        assert!(out(&help).contains("Example") && out(&help).contains(&example), "{verb}: {}", out(&help));
        seen += 1;
    }
    assert!(seen > 30, "{seen} verbs");
}

#[tokio::test]
async fn r5_2_a_session_is_not_opened_without_the_limbs() {
    let output = program(&["session", "open", "--route", "iv"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    for asked in ["--cuff-arm", "--probe-hand", "--iv-arm"] {
        assert!(err(&output).contains(asked), "{}", err(&output));
    }
}

#[tokio::test]
async fn options_that_do_not_belong_together_are_told_before_anybody_is_asked() {
    for (args, words) in [
        (&["session", "close", "--bed", "b", "--broker", "127.0.0.1:1"][..], "--broker needs --site"),
        (&["session", "close", "--broker", "127.0.0.1:1", "--site", "s"], "which bed?"),
        (
            &[
                "session",
                "open",
                "--route",
                "im",
                "--infusion",
                "40",
                "--cuff-arm",
                "left",
                "--probe-hand",
                "right",
                "--iv-arm",
                "right",
                "--bed",
                "b",
                "--broker",
                "h",
                "--site",
                "s",
            ],
            "--infusion belongs to --route iv",
        ),
        (&["session", "observe", "dissociation", "--bed", "b", "--broker", "h", "--site", "s"], "--score 0 to 10"),
        (
            &["session", "observe", "nausea", "--score", "3", "--bed", "b", "--broker", "h", "--site", "s"],
            "--score belongs to dissociation",
        ),
    ] {
        let output = program(args).output().await.unwrap();
        assert!(failed(&output).contains(words), "{}", err(&output));
    }
    let output = program(&["session", "bp", "80/124"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cannot be a blood pressure"), "{}", err(&output));
}
