//! A recording replays to the events that the rules give by hand, to the millisecond; to the same bytes each
//! time; and, sent as the bytes of a device, to the same alarms within one packet of it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use vitalsd::recording::{Reader, Row};
use vitalsd::replay::{Replay, ReplayError, Terms};
use vitalsd::simulator::device::Model;
use vitalsd_core::monitor::input::Route;
use vitalsd_core::monitor::output::{Condition, Event, EventKind, Phase, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};

const HEADER: &str = "time_s,spo2_pct,pulse_bpm,perfusion_index_pct,pleth,nibp_sys_mmhg,nibp_dia_mmhg,nibp_map_mmhg\n";

fn rows(text: &str) -> Vec<Row> {
    Reader::new("bed.csv", text.as_bytes()).unwrap().collect::<Result<_, _>>().unwrap()
}

/// One row a second: each of these values of SpO2 for so many seconds, pulse 72; 0 is a blank row.
fn oximetry(values: &[(u16, usize)]) -> String {
    let seconds = values.iter().flat_map(|(spo2, seconds)| std::iter::repeat_n(*spo2, *seconds));
    let line = |(t, spo2): (usize, u16)| match spo2 {
        0 => format!("{t},,,,,,,\n"),
        spo2 => format!("{t},{spo2},72,,,,,\n"),
    };
    HEADER.to_owned() + &seconds.enumerate().map(line).collect::<String>()
}

fn play(text: &str, terms: Terms) -> Vec<Event> {
    Replay::new(rows(text), terms).unwrap().events().unwrap()
}

/// How an alarm became active, was announced or ended, with the millisecond.
fn alarms(events: &[Event]) -> Vec<(u64, &'static str, Condition, Priority)> {
    let told = |event: &Event| {
        let (did, alarm) = match &event.kind {
            EventKind::Raised(alarm) => ("raised", alarm),
            EventKind::Noted(alarm) => ("noted", alarm),
            EventKind::Announced(alarm) => ("announced", alarm),
            EventKind::Worsened(alarm) => ("worsened", alarm),
            EventKind::Latched(alarm) => ("latched", alarm),
            EventKind::Cleared(alarm) => ("cleared", alarm),
            _ => return None,
        };
        Some((event.at.as_millis(), did, alarm.condition, alarm.priority))
    };
    events.iter().filter_map(told).collect()
}

fn first(events: &[Event], condition: Condition) -> Option<u64> {
    alarms(events).into_iter().find(|(_, _, c, _)| *c == condition).map(|(at, ..)| at)
}

use Condition as C;
use Priority::{High, Low, Medium};

#[test]
fn a_steady_87_from_the_fifth_second_on_is_high_at_the_fifteenth() {
    // Rows 2 (< 88, 10 s), 3 (<= 91, 15 s) and 4 (<= 93, 60 s); row 2 stands above the others (R3.2). Row 29: such a
    // fall is doubted for its first second (R1.4); then each second is 3 points, and the 17th makes them 50.
    let events = play(&oximetry(&[(97, 5), (87, 70)]), Terms::default());
    assert_eq!(
        alarms(&events),
        [
            (15_000, "raised", C::Spo2Low, High),
            (20_000, "noted", C::Spo2Reduced, Medium),
            (23_000, "noted", C::Spo2Burden, Medium),
            (65_000, "noted", C::Spo2Drift, Low)
        ]
    );
}

#[test]
fn the_worked_examples_of_r2_come_out_through_a_recording() {
    let at = |values: &[(u16, usize)], condition| first(&play(&oximetry(values), Terms::default()), condition);
    assert_eq!(at(&[(87, 60)], C::Spo2Low), Some(10_000));
    assert_eq!(at(&[(87, 7), (88, 1), (87, 60)], C::Spo2Low), Some(11_000));
    assert_eq!(at(&[(87, 5), (0, 4), (87, 60)], C::Spo2Low), Some(14_000));
    assert_eq!(at(&[(87, 7), (95, 4), (87, 60)], C::Spo2Low), Some(21_000));
    assert_eq!(at(&[(86, 9), (0, 6), (86, 9), (0, 6)], C::Spo2Low), Some(16_000));
    assert_eq!(at(&[(89, 14), (0, 6), (89, 14), (0, 6)], C::Spo2Reduced), Some(21_000));
}

#[test]
fn the_last_row_holds_for_a_typical_step_and_no_longer() {
    // The tenth second of 87 ends where the recording does.
    assert_eq!(first(&play(&oximetry(&[(87, 10)]), Terms::default()), C::Spo2Low), Some(10_000));
    assert_eq!(first(&play(&oximetry(&[(87, 9)]), Terms::default()), C::Spo2Low), None);
}

#[test]
fn a_blank_row_is_the_lack_of_a_value() {
    // R6.2 in P1: MEDIUM at 10 s, HIGH at 60 s; R6.1: over after 10 s of good data.
    let events = play(&oximetry(&[(97, 20), (0, 70), (97, 30)]), Terms::default());
    let told: Vec<_> = alarms(&events).into_iter().map(|(at, did, condition, _)| (at, did, condition)).collect();
    assert_eq!(
        told,
        [
            (30_000, "raised", C::Spo2Unavailable),
            (80_000, "worsened", C::Spo2Unavailable),
            (100_000, "cleared", C::Spo2Unavailable)
        ]
    );
}

#[test]
fn the_session_opens_at_the_start_and_the_dose_is_given_when_it_is_said() {
    // R5.3, IM: P1 from the dose, P2 5 min after it.
    let terms = Terms { route: Route::Im, dose_at: Time::ZERO + Span::secs(60), ..Terms::default() };
    let phases: Vec<_> = play(&oximetry(&[(97, 400)]), terms)
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Phase { to, .. } => Some((event.at.as_millis(), to)),
            _ => None,
        })
        .collect();
    assert_eq!(phases, [(0, Phase::Baseline), (60_000, Phase::Onset), (360_000, Phase::Window)]);
}

#[test]
fn a_source_slower_than_four_seconds_raises_no_alarm_of_its_own() {
    // R1.2; a value a minute is stale after 150 s, so this one is never missed either.
    let slow: String = (0..20).map(|n| format!("{},82,160,,,,,\n", n * 60)).collect();
    assert_eq!(alarms(&play(&(HEADER.to_owned() + &slow), Terms::default())), []);
    let text = oximetry(&[(82, 60)]);
    assert!(first(&play(&text, Terms::default()), C::Spo2VeryLow).is_some());
    let terms = Terms { cadence: Some(Span::secs(60)), ..Terms::default() };
    assert_eq!(alarms(&play(&text, terms)), []);
}

#[test]
fn what_a_bed_asks_of_persons_does_not_fill_a_replay() {
    // R5.4 and R5.12 ask somebody who is not there: after a dose that the replay knows of, and for check rounds.
    let steady = oximetry(&[(97, 3_600)]);
    for dose_at in [Time::ZERO, Time::ZERO + Span::mins(50), Time::ZERO + Span::mins(90)] {
        let terms = Terms { dose_at, ..Terms::default() };
        assert_eq!(alarms(&play(&steady, terms)), [], "{dose_at:?}");
    }
    // A preset from a file is taken as it is.
    let rounds = Terms { preset: Preset::kat_default_1(), ..Terms::default() };
    assert_eq!(first(&play(&steady, rounds), C::CheckOverdue), Some(15 * 60_000));
}

#[test]
fn pressures_are_bedside_determinations_and_one_that_cannot_be_is_a_failure() {
    // R2.7: row 14 at once, and by hysteresis 5 over at 170/98, measured again within the five minutes of row 15.
    // R8.2: two failures in a row are told.
    let text = format!(
        "{HEADER}0,,,,,128,80,\n300,,,,,184,104,\n540,,,,,170,98,\n700,,,,,65,16,\n800,,,,,65,16,\n900,,,,,128,80,\n"
    );
    let events = play(&text, Terms::default());
    let of = |condition| alarms(&events).into_iter().filter(|(_, _, c, _)| *c == condition).collect::<Vec<_>>();
    assert_eq!(
        of(C::PressureSevere),
        [(300_000, "raised", C::PressureSevere, Medium), (540_000, "latched", C::PressureSevere, Medium)]
    );
    assert_eq!(
        of(C::CuffFailed),
        [(800_000, "raised", C::CuffFailed, Medium), (900_000, "cleared", C::CuffFailed, Medium)]
    );
}

#[test]
fn a_replay_through_a_driver_agrees_with_the_rows_within_one_packet() {
    let text = oximetry(&[(97, 30), (94, 10), (90, 40), (86, 30), (82, 20), (0, 25), (78, 20), (96, 60)]);
    let direct = play(&text, Terms::default());
    assert!(alarms(&direct).len() > 10, "{:?}", alarms(&direct));
    // The rows hold no waveform, so R1.7 has nothing to judge in them.
    let alarms = |events: &[Event]| alarms(events).into_iter().filter(|e| e.2 != C::SourceStuck).collect::<Vec<_>>();
    // A packet of 25 frames at 75 Hz; a frame at 60 or 100 Hz; a frame or a line a second.
    let models = [
        (Model::NoninDf2, 334),
        (Model::NoninDf7, 334),
        (Model::ContecV7, 17),
        (Model::ContecOld, 17),
        (Model::Bci, 17),
        (Model::NoninDf8, 1_000),
        (Model::Creative, 1_000),
    ];
    for (model, packet_ms) in models {
        let lined = play(&text, Terms { drivers: vec![model], ..Terms::default() });
        let missed = |from: &[Event], to: &[Event]| -> Vec<_> {
            let to = alarms(to);
            let near = |at: u64, (other, ..): (u64, &str, C, Priority)| at.abs_diff(other) <= packet_ms;
            let told = |(at, did, c, p)| to.iter().any(|e| (e.1, e.2, e.3) == (did, c, p) && near(at, *e));
            alarms(from).into_iter().filter(|event| !told(*event)).collect()
        };
        assert_eq!(missed(&direct, &lined), [], "{model}: in the rows, not over the line");
        assert_eq!(missed(&lined, &direct), [], "{model}: over the line, not in the rows");
    }
}

#[test]
fn a_pressure_over_a_line_is_found_by_the_driver() {
    let text = format!("{HEADER}60,,,,,128,80,95\n300,,,,,184,104,131\n600,,,,,128,80,95\n");
    let terms = Terms { drivers: vec![Model::Dinamap], ..Terms::default() };
    let events = play(&text, terms);
    let at = first(&events, C::PressureSevere).unwrap();
    assert!((300_000..306_000).contains(&at), "{at} ms: within a poll of the monitor");
}

#[test]
fn the_summary_counts_what_the_rules_and_what_the_plain_rule_would_have_done() {
    // 87 from 100 on: row 2 at 110 (HIGH), row 3 noted at 115; both end 15 s after 130. Row 29 noted at 118: the first
    // second of such a fall is doubted (R1.4), 17 more of 3 points each make 50; it ends after 30 s of 97. Three
    // seconds of 89 are nothing to the rules and a second onset to the plain one, 40 s later and so of the same
    // excursion.
    // Rows 3 and 4 are broken by them as well, and wait longer: only what lasts is due.
    let text = oximetry(&[(97, 100), (87, 30), (97, 40), (89, 3), (97, 57)]);
    let replay = Replay::new(rows(&text), Terms::default()).unwrap();
    let summary = replay.summary(&replay.play().unwrap());
    let row = |condition: &str, row: &str, delay_s: u32, violation_s: u32, sustained: u32| {
        let mut row = json!({
            "condition": condition, "row": row, "delay_s": delay_s, "violation_s": violation_s,
            "sustained": sustained, "found": sustained, "late": 0
        });
        if sustained > 0 {
            row["median_s"] = json!(0);
            row["worst_s"] = json!(0);
        }
        row
    };
    assert_eq!(
        serde_json::to_value(summary).unwrap(),
        json!({
            "length_s": 230,
            "alarms": [
                { "condition": "spo2-low", "priority": "high", "episodes": 1, "audible": 1, "first_s": 110, "active_s": 35 },
                { "condition": "spo2-reduced", "priority": "medium", "episodes": 1, "audible": 0, "first_s": 115, "active_s": 30 },
                { "condition": "spo2-burden", "priority": "medium", "episodes": 1, "audible": 0, "first_s": 118, "active_s": 42 }
            ],
            "audible": 1,
            "audible_per_hour": 15.7,
            "rows": [
                row("spo2-low", "2", 10, 30, 1),
                row("spo2-reduced", "3", 15, 33, 1),
                row("spo2-drift", "4", 60, 33, 0)
            ],
            "plain": [
                { "rule": "SpO2 < 90", "onsets": 2, "onsets_per_hour": 31.3, "violation_s": 33, "lasting": 1 }
            ],
            "excursions": [{
                "start_s": 100, "lasted_s": 73, "lowest_spo2_pct": 87,
                "to_alarm_s": 10, "to_audible_s": 10, "to_high_s": 10
            }]
        })
    );
}

#[test]
fn a_recording_or_a_driver_with_nothing_to_judge_is_refused() {
    let refused = |text: &str, drivers: &[Model]| {
        Replay::new(rows(text), Terms { drivers: drivers.to_vec(), ..Terms::default() }).unwrap_err()
    };
    assert_eq!(refused(HEADER, &[]), ReplayError::Nothing);
    let numbers = oximetry(&[(97, 3)]);
    assert_eq!(refused(&numbers, &[Model::Dinamap]), ReplayError::NothingFor(Model::Dinamap));
    let two = [Model::NoninDf2, Model::ContecV7];
    assert_eq!(refused(&numbers, &two), ReplayError::Twice(two[0], two[1]));
}

// The commands.

fn vitalsd(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn saved(directory: &Path, text: &str) -> PathBuf {
    let file = directory.join("bed.csv");
    fs::write(&file, text).unwrap();
    file
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn two_runs_give_the_same_bytes_one_event_a_line_with_its_time_first() {
    let directory = tempfile::tempdir().unwrap();
    let file = saved(directory.path(), &oximetry(&[(97, 30), (86, 40), (0, 20), (96, 60)]));
    let file = file.to_str().unwrap();
    for extra in [&[][..], &["--driver", "nonin-df2", "--route", "im"], &["--speed", "100000"]] {
        let run = || vitalsd(&[&["replay", file], extra].concat(), b"");
        let (once, again) = (run(), run());
        assert!(once.status.success(), "{}", String::from_utf8_lossy(&once.stderr));
        assert_eq!(once.stdout, again.stdout);
        let said = String::from_utf8(once.stdout).unwrap();
        assert!(said.lines().count() > 5 && said.lines().all(|line| line.starts_with(r#"{"time_s":"#)), "{said}");
        let times: Vec<_> = lines(said.as_bytes()).iter().map(|line| line["time_s"].as_f64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
    let said = lines(&vitalsd(&["replay", file], b"").stdout);
    let raised = said.iter().find(|line| line["event"] == "raised").unwrap();
    assert_eq!((&raised["time_s"], &raised["condition"]), (&json!(40), &json!("spo2-low")));
    assert_eq!(raised["since"], "1970-01-01T00:00:40.000Z");
}

#[test]
fn the_summary_is_a_page_for_people_or_an_object_for_programs() {
    let directory = tempfile::tempdir().unwrap();
    let file = saved(directory.path(), &oximetry(&[(97, 100), (87, 30), (97, 100)]));
    let file = file.to_str().unwrap();
    let page = String::from_utf8(vitalsd(&["replay", file, "--summary"], b"").stdout).unwrap();
    for part in [
        "spo2-low      HIGH      1         1           110",
        "spo2-low      2    10       30        1          1      0     0         0        0",
        "SpO2 < 90             1       15.7     30        1",
        "100             30     87        10 ",
    ] {
        assert!(page.contains(part), "{part:?} in\n{page}");
    }
    let object = vitalsd(&["replay", file, "--summary", "--json"], b"").stdout;
    assert_eq!(lines(&object)[0]["plain"][0]["onsets"], 1);
}

#[test]
fn a_cuff_reading_after_another_is_held_against_the_rows_of_the_blood_pressure() {
    // BP 128/80, 150/88, 172/96, 184/104, 186/106 every 5 min (R12): rows 13, 14, 15 with the readings; the
    // plain rule calls at 172 and goes on.
    let pressures = [(128, 80), (150, 88), (172, 96), (184, 104), (186, 106)];
    let line = |(n, (systolic, diastolic)): (usize, (u16, u16))| format!("{},,,,,{systolic},{diastolic},\n", n * 300);
    let text = HEADER.to_owned() + &pressures.into_iter().enumerate().map(line).collect::<String>();
    let replay = Replay::new(rows(&text), Terms::default()).unwrap();
    let summary = replay.summary(&replay.play().unwrap());
    let found: Vec<_> = summary.rows.iter().map(|row| (row.row.as_str(), row.sustained, row.found, row.late)).collect();
    assert_eq!(found, [("13", 1, 1, 0), ("14", 1, 1, 0), ("15", 1, 1, 0)]);
    let plain: Vec<_> = summary.plain.iter().map(|plain| (plain.rule.as_str(), plain.onsets)).collect();
    assert_eq!(plain, [("BP >= 160/100", 1)]);
}

#[test]
fn a_set_of_simulated_sessions_is_a_page_or_an_object_and_the_same_each_time() {
    let run = |extra: &[&str]| {
        let done =
            vitalsd(&[&["replay", "--synthetic", "artefacts", "--seeds", "1", "--summary"], extra].concat(), b"");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    assert_eq!(run(&["--json"]), run(&["--json"]));
    let trial = &lines(&run(&["--json"]))[0];
    assert_eq!((&trial["set"], &trial["sessions"], &trial["hours"]), (&json!("artefacts"), &json!(1), &json!(3)));
    let page = String::from_utf8(run(&[])).unwrap();
    assert!(page.starts_with("artefacts: 1 sessions, 3 h; 0 events, "), "{page}");
    let refused = vitalsd(&["replay", "--synthetic", "artefacts"], b"");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--summary"), "a set is only ever summed up");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let file = saved(directory.path(), &format!("{HEADER}0,97,72,,,,,\n1,9x,72,,,,,\n"));
    let file = file.to_str().unwrap();
    let says = |arguments: &[&str]| {
        let done = vitalsd(arguments, b"");
        assert!(!done.status.success());
        String::from_utf8(done.stderr).unwrap()
    };
    let error = says(&["replay", file]);
    assert!(error.contains("bed.csv:3: found `9x` as `spo2_pct`, expected a number 0 to 100"), "{error}");
    let error = says(&["replay", file, "--driver", "nonin"]);
    assert!(error.contains("no such device `nonin`; give one of nonin-df1, nonin-df2"), "{error}");
    let error = says(&["decode", "--driver", "nonin"]);
    assert!(error.contains("no such driver `nonin`; give one of nonin-df2, nonin-df7"), "{error}");
    let error = says(&["decode", "--driver", "nonin-df2", "no-such-file"]);
    assert!(error.contains("no-such-file: cannot be read. Give a file"), "{error}");
}

#[test]
fn decode_tells_each_sample_on_a_line_and_what_it_rejected() {
    // DF8 by its sheet: 97 % and 72, sensor off, and a third frame cut short. A byte at 9600 8N1 takes 10/9600 s.
    let bytes = [0x80, 0x48, 0x61, 0x00, 0xa3, 0x7f, 0x7f, 0x08, 0x80, 0x48];
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bytes.bin");
    fs::write(&file, bytes).unwrap();
    let from_file = vitalsd(&["decode", "--driver", "nonin-df8", file.to_str().unwrap()], b"");
    let from_input = vitalsd(&["decode", "--driver", "nonin-df8", "-"], &bytes);
    assert_eq!((&from_file.stdout, &from_file.stderr), (&from_input.stdout, &from_input.stderr));
    assert_eq!(
        lines(&from_file.stdout),
        [
            json!({
                "time_s": 0.004, "sample": "oximetry", "spo2_pct": 97, "spo2_quality": "good", "pulse_bpm": 72,
                "pulse_quality": "good", "perfusion_index_absent": "not_measured"
            }),
            json!({
                "time_s": 0.008, "sample": "oximetry", "spo2_absent": "sensor_off", "pulse_absent": "sensor_off",
                "perfusion_index_absent": "not_measured"
            })
        ]
    );
    assert_eq!(String::from_utf8(from_file.stderr).unwrap(), "10 bytes: 2 good frames, 0 rejected, 0 bytes skipped\n");
}

#[test]
fn decode_takes_the_end_of_a_file_for_silence() {
    // A UA-767PC by its sheet: 152/76, pulse 73, mean 96, and nothing that says so but silence.
    let decoded = vitalsd(&["decode", "--driver", "and-ua767", "-"], b"804C4C4960");
    let told = lines(&decoded.stdout);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["systolic_mmhg"], &told[0]["diastolic_mmhg"]), (&json!(152), &json!(76)), "{told:?}");
    assert_eq!(String::from_utf8(decoded.stderr).unwrap(), "10 bytes: 1 good frames, 0 rejected, 0 bytes skipped\n");
}
