//! Proves, with the real program and a real broker, that `vitalsd session` does what it says or says
//! why not. The box is played by the test, on the contract alone.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Broker, Ear, Heard, PATIENCE};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{interval, timeout};

const TREE: &str = "vitals/v1/north";
const BOOT: &str = "000042-9f3a1c";
const AT: &str = "2026-11-22T09:30:00.000Z";

/// A box with one bed, room-1, and nothing behind it.
struct FakeBox {
    broker: Broker,
    ear: Ear,
    uptime_ms: u64,
}

/// What the box does with a command: the answer, and the session that results.
type Answer = fn(&Value) -> Option<(Value, Option<Value>)>;

fn done(_: &Value) -> Option<(Value, Option<Value>)> {
    Some((json!({ "outcome": "done" }), None))
}

fn silent(_: &Value) -> Option<(Value, Option<Value>)> {
    None
}

fn envelope(stream: &str, message: &Value) -> Value {
    let mut payload = json!({ "box": "box-3", "boot_id": BOOT, "stream": stream, "seq": 1, "at": AT });
    payload.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    payload
}

fn state(alarms: &[Value]) -> Value {
    json!({
        "rev": 7, "phase": "window",
        "oximetry": {
            "age_ms": 400, "spo2_pct": 86, "spo2_quality": "good",
            "pulse_bpm": 72, "pulse_quality": "questionable", "pulse_doubt": "motion",
            "perfusion_index_absent": "not_measured"
        },
        "pressure": {
            "age_ms": 300_000, "origin": "schedule", "measured_at": "2026-11-22T09:25:00.000Z",
            "systolic_mmhg": 128, "diastolic_mmhg": 82, "mean_mmhg": 99, "pulse_absent": "not_measured"
        },
        "alarms": alarms,
        "devices": [
            { "device": "oximeter", "connection": "up" },
            { "device": "cuff", "connection": "lost", "reason": "unplugged" }
        ],
        "next_cuff_at": "2026-11-22T09:35:00.000Z"
    })
}

fn session() -> Value {
    json!({
        "rev": 3, "phase": "window", "opened_at": "2026-11-22T08:50:00.000Z", "route": "iv",
        "dosed_at": "2026-11-22T09:07:00.000Z", "phase_since": "2026-11-22T09:09:00.000Z",
        "phase_until": "2026-11-22T09:52:00.000Z",
        "baseline": { "provisional": false, "systolic_mmhg": 122, "diastolic_mmhg": 78 },
        "preset": "kat-default", "preset_hash": "0"
    })
}

fn alarm(condition: &str, priority: &str, episode: u32) -> Value {
    json!({
        "condition": condition, "row": "2", "kind": "physiological", "priority": priority, "presence": "on",
        "activation": "on", "episode": episode, "announced": true, "sounds": true, "bedside": false,
        "since": "2026-11-22T09:29:50.000Z", "delay_ms": 10_000, "stale": false, "phase": "window",
        "reason": "SpO2 86 %, below 88 % for 20 s, in the window"
    })
}

fn with(mut value: Value, key: &str, to: Value) -> Value {
    value[key] = to;
    value
}

impl FakeBox {
    fn with_alarms(alarms: &[Value]) -> Self {
        let broker = Broker::start();
        let ear = Ear::on(broker.port, "vitals/v1/north/bed/room-1/command");
        let fake = Self { broker, ear, uptime_ms: 60_000 };
        fake.say("box/box-3/status", &json!({ "state": "online", "version": "0.1.0", "beds": ["room-1"] }), true);
        fake.say("bed/room-1/state", &state(alarms), true);
        fake.say("bed/room-1/session", &session(), true);
        fake
    }

    fn say(&self, stream: &str, message: &Value, retain: bool) {
        self.ear.say(&format!("{TREE}/{stream}"), envelope(stream, message).to_string().as_bytes(), retain, None);
    }

    fn beat(&mut self) {
        self.uptime_ms += 1_000;
        let beat = json!({
            "counter": 1, "uptime_ms": self.uptime_ms, "clock_trusted": true, "queued": 0, "last_seq": {}
        });
        self.say("box/box-3/heartbeat", &beat, false);
    }

    fn answer(&self, asked: &Heard, answer: Answer) -> Value {
        let command = asked.json();
        if let Some((mut reply, session)) = answer(&command) {
            reply["key"] = command["key"].clone();
            if let Some(session) = session {
                self.say("bed/room-1/session", &session, true);
            }
            let (topic, data) = (asked.response_topic.as_deref().unwrap(), asked.correlation.as_deref().unwrap());
            self.ear.say(topic, reply.to_string().as_bytes(), false, Some((topic, data)));
        }
        command
    }

    /// The options that lead here.
    fn at(&self) -> [String; 4] {
        ["--broker".into(), format!("127.0.0.1:{}", self.broker.port), "--site".into(), "north".into()]
    }

    /// Runs the program while the box beats and answers; what it wrote, and what it asked.
    async fn serve(&mut self, args: &[&str], answer: Answer) -> (Output, Vec<Value>) {
        let at = self.at();
        self.serve_this(program(args).args(at), answer).await
    }

    async fn serve_this(&mut self, program: &mut Command, answer: Answer) -> (Output, Vec<Value>) {
        let mut program = program.spawn().unwrap();
        let mut beats = interval(Duration::from_millis(100));
        let mut asked = Vec::new();
        let serve = async {
            loop {
                tokio::select! {
                    status = program.wait() => return status.unwrap(),
                    _ = beats.tick() => self.beat(),
                    heard = self.ear.next() => asked.push(self.answer(&heard, answer)),
                }
            }
        };
        timeout(PATIENCE, serve).await.expect("the program does not end");
        (program.wait_with_output().await.unwrap(), asked)
    }
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitalsd"));
    command.args(args).env("TZ", "UTC").env("USER", "Nurse.2").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

fn out(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// Asserts that it failed without a word on standard output, and gives the reason.
fn failed(output: &Output) -> &str {
    assert_eq!((output.status.code(), out(output)), (Some(1), ""), "{}", err(output));
    err(output)
}

#[tokio::test]
async fn a_dose_is_recorded_and_the_phase_that_it_starts_is_told() {
    let onset = |_: &Value| {
        let session = with(session(), "phase", json!("onset"));
        Some((json!({ "outcome": "done" }), Some(with(session, "phase_until", json!("2026-11-22T09:35:00.000Z")))))
    };
    let mut fake = FakeBox::with_alarms(&[]);
    fake.say("bed/room-1/session", &json!({ "rev": 2, "phase": "baseline", "preset": "p", "preset_hash": "0" }), true);
    let (output, asked) = fake.serve(&["session", "dose", "--ago", "23", "--bed", "room-1"], onset).await;
    assert_eq!(out(&output), "room-1: dose recorded at 09:07, onset until 09:35\n", "{}", err(&output));
    assert_eq!(output.status.code(), Some(0));
    let [command] = asked.as_slice() else { panic!("asked once: {asked:?}") };
    assert_eq!((&command["action"], &command["ago_ms"]), (&json!("dose"), &json!(23 * 60_000)));
    assert_eq!((&command["boot_id"], &command["actor"]), (&json!(BOOT), &json!("nurse-2")));
    assert!(command["uptime_ms"].as_u64().is_some_and(|ms| ms > 60_000), "of a heartbeat: {command}");
    assert_eq!(command["key"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn times_are_those_of_the_clock_on_the_wall() {
    let mut fake = FakeBox::with_alarms(&[]);
    let mut bp = program(&["session", "bp", "124/80", "--ago", "5", "--bed", "room-1"]);
    // POSIX counts westwards: two hours ahead of UTC.
    let (output, asked) = fake.serve_this(bp.args(fake.at()).env("TZ", "CLINIC-2"), done).await;
    assert_eq!(out(&output), "room-1: BP 124/80 mmHg recorded, measured at 11:25\n", "{}", err(&output));
    let command = &asked[0];
    assert_eq!((&command["systolic_mmhg"], &command["ago_ms"]), (&json!(124), &json!(300_000)));
    assert_eq!(command.get("mean_mmhg"), None, "what was not measured is not sent");
}

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
async fn a_refusal_is_told_with_its_reason_and_ends_with_1() {
    let refused = |_: &Value| {
        let reason = "no session is open: open one first";
        Some((json!({ "outcome": "refused", "refused": "no_session", "reason": reason }), None))
    };
    let mut fake = FakeBox::with_alarms(&[]);
    let (output, _) = fake.serve(&["session", "close", "--bed", "room-1"], refused).await;
    assert_eq!(failed(&output), "vitalsd: room-1: refused: no session is open: open one first\n");
    let (output, asked) = fake.serve(&["session", "close", "--bed", "room-1", "--json"], refused).await;
    assert_eq!(output.status.code(), Some(1));
    let reply: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!((&reply["outcome"], &reply["refused"]), (&json!("refused"), &json!("no_session")));
    assert_eq!(reply["key"], asked[0]["key"]);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_told_as_not_known() {
    let mut fake = FakeBox::with_alarms(&[]);
    let (output, asked) = fake.serve(&["session", "start-cuff", "--bed", "room-1"], silent).await;
    assert_eq!(asked.len(), 1);
    let reason = failed(&output);
    assert!(reason.contains("box-3 has not answered within 5 s"), "{reason}");
    assert!(reason.contains("is not known"), "{reason}");
}

#[tokio::test]
async fn the_answer_to_another_command_is_not_taken_for_ours() {
    let mut fake = FakeBox::with_alarms(&[]);
    let mut close = program(&["session", "close", "--bed", "room-1"]).args(fake.at()).spawn().unwrap();
    let mut beats = interval(Duration::from_millis(100));
    let heard = loop {
        tokio::select! {
            _ = beats.tick() => fake.beat(),
            heard = fake.ear.next() => break heard,
        }
    };
    fake.answer(&Heard { correlation: Some(b"of another".to_vec()), ..heard.clone() }, done);
    fake.answer(&heard, |_| Some((json!({ "outcome": "refused", "refused": "no_session", "reason": "ours" }), None)));
    assert!(close.wait().await.is_ok());
    assert!(failed(&close.wait_with_output().await.unwrap()).ends_with("refused: ours\n"));
}

#[tokio::test]
async fn ack_without_a_name_accepts_the_alarm_that_is_announced_as_it_was_seen() {
    let noted = with(alarm("pulse-high", "medium", 1), "announced", json!(false));
    let accepted = with(alarm("bp-high", "medium", 3), "ack", json!({ "actor": "nurse-7", "at": AT }));
    let mut fake = FakeBox::with_alarms(&[noted, accepted, alarm("spo2-low", "high", 2)]);
    let (output, asked) = fake.serve(&["session", "ack", "--bed", "room-1"], done).await;
    assert_eq!(
        out(&output),
        "room-1: accepted: SpO2 low, HIGH; muted until it comes again or gets worse\n",
        "{}",
        err(&output)
    );
    let command = &asked[0];
    assert_eq!(
        (&command["condition"], &command["episode"], &command["priority"]),
        (&json!("spo2-low"), &json!(2), &json!("high"))
    );
}

#[tokio::test]
async fn of_several_alarms_none_is_accepted_unseen() {
    let mut fake = FakeBox::with_alarms(&[alarm("spo2-low", "high", 2), alarm("bp-high", "medium", 1)]);
    let (output, asked) = fake.serve(&["session", "ack", "--bed", "room-1"], done).await;
    let reason = failed(&output);
    assert!(reason.contains("\n  !!! spo2-low: SpO2 86 %") && reason.contains("\n  !!  bp-high: "), "{reason}");
    let (output, more) = fake.serve(&["session", "ack", "no-pulse", "--bed", "room-1"], done).await;
    assert!(failed(&output).contains("room-1 has no alarm no-pulse now"));
    let (output, still_more) = fake.serve(&["session", "seen", "--bed", "room-1"], done).await;
    assert!(failed(&output).contains("room-1 has no alarm that is kept to be seen"));
    assert!(asked.is_empty() && more.is_empty() && still_more.is_empty());
}

#[tokio::test]
async fn the_state_of_an_earlier_life_of_the_box_is_not_believed() {
    let mut fake = FakeBox::with_alarms(&[]);
    let before = with(envelope("bed/room-1/state", &state(&[])), "boot_id", json!("000041-9f3a1c"));
    fake.ear.say(&format!("{TREE}/bed/room-1/state"), before.to_string().as_bytes(), true, None);
    let (output, asked) = fake.serve(&["session", "close", "--bed", "room-1"], done).await;
    assert!(failed(&output).contains("box-3 is there, but has said nothing about room-1"), "{}", err(&output));
    assert!(asked.is_empty());
}

#[tokio::test]
async fn a_bed_that_nobody_watches_is_told_apart_from_one_that_is_not_known() {
    let mut fake = FakeBox::with_alarms(&[]);
    let (output, _) = fake.serve(&["session", "status", "--bed", "room-9"], done).await;
    assert!(failed(&output).contains("no box at site north has a bed room-9: box-3 has room-1"), "{}", err(&output));
    for (state, words) in [("lost", "the broker has lost box-3"), ("stopped", "box-3, the box of room-1, was stopped")]
    {
        fake.say("box/box-3/status", &json!({ "state": state, "version": "0.1.0", "beds": ["room-1"] }), true);
        let output = program(&["session", "status", "--bed", "room-1"]).args(fake.at()).output().await.unwrap();
        assert!(failed(&output).contains(words), "{}", err(&output));
    }
}

#[tokio::test]
async fn without_a_box_the_reason_names_site_and_broker() {
    let broker = Broker::start();
    let at = format!("127.0.0.1:{}", broker.port);
    let args = ["session", "status", "--bed", "room-1", "--broker", &at, "--site", "north"];
    let output = program(&args).output().await.unwrap();
    let reason = failed(&output);
    assert!(reason.contains("no box is to be found at site north") && reason.contains(&at), "{reason}");
}

#[tokio::test]
async fn a_broker_that_is_not_there_or_does_not_answer_is_given_up_within_5_s() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let args = ["session", "close", "--bed", "room-1", "--broker", &at, "--site", "north"];
    let started = Instant::now();
    let output = program(&args).output().await.unwrap();
    assert!(failed(&output).contains("the broker does not answer the connect"), "{}", err(&output));
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(listener);
    let output = program(&args).output().await.unwrap();
    let reason = failed(&output);
    assert!(reason.contains(&at) && reason.contains("is it running, and is its address right?"), "{reason}");
}

#[tokio::test]
async fn the_configuration_of_the_daemon_names_broker_site_and_bed() {
    let mut fake = FakeBox::with_alarms(&[]);
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("vitalsd.toml");
    let root = env!("CARGO_MANIFEST_DIR");
    let config = format!(
        "site = \"north\"\nbox = \"box-3\"\npreset = \"{root}/config/presets/kat-default-1.toml\"\n\
         [broker]\nport = {}\n[[bed]]\nid = \"room-1\"\n[[bed.device]]\nid = \"oximeter\"\n\
         protocol = \"nonin-df2\"\nport = \"/dev/vitals/oximeter\"\n",
        fake.broker.port
    );
    std::fs::write(&file, config).unwrap();
    let (output, _) = fake.serve_this(program(&["session", "close", "--config"]).arg(&file), done).await;
    assert_eq!(out(&output), "room-1: session closed\n", "{}", err(&output));
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

#[tokio::test]
async fn r5_2_a_session_is_not_opened_without_the_limbs() {
    let output = program(&["session", "open", "--route", "iv"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    for asked in ["--cuff-arm", "--probe-hand", "--iv-arm"] {
        assert!(err(&output).contains(asked), "{}", err(&output));
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
async fn status_shows_the_bed_like_a_small_monitor() {
    let latched = json!({
        "presence": "latched", "ended": "2026-11-22T09:20:30.000Z", "since": "2026-11-22T09:20:00.000Z",
        "reason": "pulse 141 bpm, above 130 bpm for 30 s, in the window; ended"
    });
    let mut pulse = alarm("pulse-high", "medium", 1);
    pulse.as_object_mut().unwrap().extend(latched.as_object().unwrap().clone());
    let overdue = with(alarm("bp-overdue", "low", 1), "ack", json!({ "actor": "nurse-7", "at": AT }));
    let mut fake = FakeBox::with_alarms(&[
        with(overdue, "reason", json!("BP overdue for 1 min, in the window")),
        pulse,
        alarm("spo2-low", "high", 2),
    ]);
    let (output, asked) = fake.serve(&["session", "status", "--bed", "room-1"], done).await;
    assert_eq!(
        out(&output),
        "\
room-1: window until 09:52; dose 23 min ago (09:07, IV)
box-3 at 09:30:00, alarm limits UNSIGNED

  SpO2    86 %          good, just now
  pulse   72 bpm        questionable: motion, just now
  BP      128/82 (99)   mmHg, measured by the cuff 5 min ago
                        baseline 122/78
                        next cuff in 5 min (09:35)

  !!! SpO2 86 %, below 88 % for 20 s, in the window
      spo2-low, HIGH since 09:29, nobody has it
  !   BP overdue for 1 min, in the window
      bp-overdue, LOW since 09:29, nurse-7 has it since 09:30
  !!  pulse 141 bpm, above 130 bpm for 30 s, in the window; ended
      pulse-high, MEDIUM since 09:20, ended 09:20, not seen yet

  oximeter  up
  cuff      lost: unplugged
",
        "{}",
        err(&output)
    );
    assert!(asked.is_empty());
    // To look, nobody needs a name.
    let mut nameless = program(&["session", "status", "--bed", "room-1", "--json"]);
    let (output, _) = fake.serve_this(nameless.args(fake.at()).env_remove("USER"), done).await;
    let look: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!((&look["state"]["phase"], &look["session"]["route"]), (&json!("window"), &json!("iv")));
    assert_eq!(look["heartbeat"]["boot_id"], BOOT);
}

#[tokio::test]
async fn a_bed_without_values_shows_none() {
    let mut fake = FakeBox::with_alarms(&[]);
    fake.say(
        "bed/room-1/session",
        &json!({ "rev": 1, "phase": "no_session", "preset": "p", "preset_hash": "0" }),
        true,
    );
    let oximetry = json!({
        "age_ms": 25_000, "spo2_absent": "sensor_off", "pulse_bpm": 72, "pulse_quality": "good",
        "perfusion_index_absent": "not_measured"
    });
    fake.say(
        "bed/room-1/state",
        &json!({ "rev": 8, "phase": "no_session", "oximetry": oximetry, "alarms": [], "devices": [] }),
        true,
    );
    let (output, _) = fake.serve(&["session", "status", "--bed", "room-1"], done).await;
    assert_eq!(
        out(&output),
        "\
room-1: no session
box-3 at 09:30:00, alarm limits UNSIGNED

  SpO2    --            sensor off, last heard 25 s ago
  pulse   --            nothing new, last heard 25 s ago
  BP      --            not measured yet

  no alarm

",
        "{}",
        err(&output)
    );
}

#[tokio::test]
async fn latency_shows_every_stage_and_tells_the_three_delays_apart() {
    let mut fake = FakeBox::with_alarms(&[]);
    let took =
        |p50: u64| json!({ "count": 750, "p50_us": p50, "p99_us": 2 * p50, "p999_us": 3 * p50, "max_us": 12_000 });
    let none = json!({ "count": 0, "p50_us": 0, "p99_us": 0, "p999_us": 0, "max_us": 0 });
    let told = json!({ "decode": took(3), "decide": took(1), "send": took(40), "confirm": none });
    // Retained, so that the test need not meet the moment; a box does not retain it.
    fake.say("box/box-3/latency", &told, true);
    let (output, _) = fake.serve(&["latency"], done).await;
    let page = out(&output);
    let rows = "count        p50        p99      p99.9        max
decode          750       3 us       6 us       9 us      12 ms  a read has returned -> samples
decide          750       1 us       2 us       3 us      12 ms  samples -> alarms and events
send            750      40 us      80 us     120 us      12 ms  events -> bytes handed to the socket
confirm           0          -          -          -          -  events -> the broker has them
";
    assert!(page.contains(rows), "{page}{}", err(&output));
    for delay in ["condition delay", "signal generation delay", "fault detection delay"] {
        assert_eq!(page.matches(delay).count(), 1, "{page}");
    }
    let (output, _) = fake.serve(&["latency", "--json", "--box", "box-3"], done).await;
    let told: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!((&told["box"], &told["send"]["p50_us"]), (&json!("box-3"), &json!(40)));
}
