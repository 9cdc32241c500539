//! Proves, with the real program and a real broker, that `vitalsd session` does what it says or says
//! why not. The box is played by the test, on the contract alone.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::fake_box::{AT, BOOT, FakeBox, TREE, alarm, done, envelope, err, failed, out, program, session, silent};
use support::fake_box::{state, with};
use support::{Broker, Heard};
use tempfile::TempDir;
use tokio::time::interval;

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
                        baseline BP 122/78
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
async fn status_shows_what_is_off_what_is_due_and_what_is_missing_before_leaving() {
    let mut fake = FakeBox::with_alarms(&[]);
    let escalated = with(alarm("spo2-low", "high", 2), "escalated_at", json!("2026-11-22T09:29:59.000Z"));
    let paused = with(escalated, "activation", json!("paused"));
    let mut bed = state(&[paused]);
    let standing = json!({
        "phase": "recovery", "audio_paused_until": "2026-11-22T09:31:40.000Z",
        "standby_until": "2026-11-22T09:37:00.000Z", "next_check_at": "2026-11-22T09:42:30.000Z",
        "switched_off": [{
            "condition": "pulse-raised", "reason": "expected", "actor": "nurse-7", "since": "2026-11-22T09:20:00.000Z"
        }],
        "readiness": {
            "vitals_ready": false, "met_count": 4, "words": "measured items met 4/6, clinician decides",
            "items": [
                { "item": "time", "met": false, "missing": "after_dose", "until": "2026-11-22T11:07:00.000Z" },
                {
                    "item": "pressure", "met": false, "missing": "pressure_outside",
                    "measured_at": "2026-11-22T09:25:00.000Z", "systolic_mmhg": 151, "diastolic_mmhg": 90,
                    "systolic_at_most_mmhg": 140, "diastolic_at_most_mmhg": 90
                },
                { "item": "pressure_trend", "met": true }, { "item": "spo2", "met": true },
                { "item": "pulse", "met": true }, { "item": "alarms", "met": true }
            ]
        }
    });
    bed.as_object_mut().unwrap().extend(standing.as_object().unwrap().clone());
    fake.say("bed/room-1/state", &bed, true);
    let mut about = session();
    let changed = json!({
        "phase": "recovery", "phase_until": null, "oxygen": true, "window_rules": true, "screened": false,
        "baseline": {
            "provisional": true, "spo2_pct": 97, "pulse_bpm": 68, "systolic_mmhg": 122, "diastolic_mmhg": 78
        },
        "rows_off": ["map-rise"], "infusion": { "state": "ended", "ended": "2026-11-22T09:28:00.000Z" },
        "checklist": { "complete": false, "actor": "nurse-7", "signed_at": "2026-11-22T09:29:00.000Z" },
        "preset_signed": true
    });
    about.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    fake.say("bed/room-1/session", &about, true);
    let (output, _) = fake.serve(&["session", "status", "--bed", "room-1"], done).await;
    let shown = out(&output);
    let (_, values) = shown.split_once("5 min ago\n").unwrap_or_else(|| panic!("{shown}{}", err(&output)));
    assert_eq!(
        values,
        "                        baseline SpO2 97 %, pulse 68 bpm, BP 122/78, provisional
                        off for this patient: mean BP far above baseline
                        next cuff in 5 min (09:35)

  sound PAUSED for another 1 min 40 s
  OFF: pulse raised (pulse-raised), expected with this patient; nurse-7 since 09:20
  STANDBY for another 7 min, until 09:37
  rules of the window added
  on oxygen: SpO2 does not show breathing
  screening NOT SIGNED
  infusion ended at 09:28
  next check round in 12 min (09:42)

  measured items met 4/6, clinician decides
    time      too soon after the dose: from 11:07
    BP        151/90 mmHg at 09:25, passes up to 140/90
  checklist signed by nurse-7 at 09:29, not all of it is so

  !!! SpO2 86 %, below 88 % for 20 s, in the window
      spo2-low, HIGH since 09:29, nobody has it, every station told at 09:29, sound paused

  oximeter  up
  cuff      lost: unplugged
"
    );
    assert!(!shown.contains("UNSIGNED"));
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
