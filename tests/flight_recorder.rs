//! Proves with a real daemon that an alarm saves the bytes that made it, for the owner alone; that they make it
//! again; and that nothing is saved where nobody asked for it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;
use support::bedside::{BED, Bedside, Nurse};
use support::{Broker, Ear, Heard};
use tempfile::TempDir;
use vitalsd::capture::Reader;
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd_core::time::{Span, Time};

const DEVICES: [(&str, Model); 2] = [("oximeter", Model::NoninDf2), ("cuff", Model::Dinamap)];

/// Below 85 % for 7 s and more; row 1b is active after 5 s.
fn desaturation() -> Script {
    let fall = Effect::Desaturation { to_pct: 82.0, ramp: Span::secs(8) };
    Script::quiet().with(fall, Time::ZERO + Span::secs(5), Span::secs(10))
}

fn is_raised(heard: &Heard) -> bool {
    heard.on("/event") && heard.says("event", "raised") && heard.says("condition", "spo2-very-low")
}

/// Every file in a directory, if it is there.
fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
}

/// The alarms that a capture raises, each with what it says.
fn raised(file: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitalsd"));
    // Live it was before the dose.
    let done = command.arg("replay").arg(file).args(["--dose-at", "3600"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let events = done.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    events.filter(|event| event["event"] == "raised").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_saves_its_bytes_and_they_raise_it_again() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let flights = dir.path().join("flights");
    let mut bedside = Bedside::new(broker.port, &DEVICES);
    bedside.flights = Some(flights.clone());
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let mut daemon = bedside.daemon();
    let start = Instant::now();
    let _lines = DEVICES.map(|(device, _)| bedside.plug_in(device, desaturation(), start));
    nurse.opens().await;
    let live = ear.until("the alarm", is_raised).await.json();
    daemon.logs(&["the flight recorder saved an alarm", "room-1_oximeter_"]).await;

    let saved = files(&flights);
    let of = |condition: &str| {
        saved.iter().find(|file| fs::read_to_string(file).unwrap().contains(&format!("note: {condition} (high)")))
    };
    let file = of("spo2-very-low").unwrap_or_else(|| panic!("no file of it among {saved:?}"));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("room-1_oximeter_2") && name.ends_with("Z.capture"), "{name}");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&flights).unwrap().permissions().mode() & 0o777, 0o700);
    let reader = Reader::open(file).unwrap();
    assert_eq!(reader.header().driver.as_deref(), Some("nonin-df2"));

    let again = raised(file);
    let again = again.iter().find(|event| event["condition"] == "spo2-very-low").expect("the alarm again");
    for field in ["priority", "value", "limit", "delay_ms", "reason", "phase"] {
        assert_eq!(again[field], live[field], "{field}");
    }
    let note = reader.header().note.clone().unwrap();
    let began: f64 = note.split(" began at ").nth(1).unwrap().parse().unwrap();
    let at = again["time_s"].as_f64().unwrap();
    assert!((at - began).abs() < 0.5, "raised at {at}, {note}");
    assert!(daemon.runs());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_just_before_the_end_of_the_daemon_is_saved_and_nothing_is_where_nobody_asked_for_it() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    for flights in [Some(dir.path().join("flights")), None] {
        let asked = flights.is_some();
        let mut bedside = Bedside::new(broker.port, &DEVICES[..1]);
        bedside.flights = flights;
        let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/event")), Nurse::at(broker.port));
        let mut daemon = bedside.daemon();
        let _line = bedside.plug_in("oximeter", desaturation(), Instant::now());
        nurse.opens().await;
        ear.until("the alarm", is_raised).await;
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.ended().await.code(), Some(0));
        let saved = files(&dir.path().join("flights"));
        if asked {
            assert!(!saved.is_empty(), "{}", daemon.log());
            fs::remove_dir_all(dir.path().join("flights")).unwrap();
        } else {
            assert!(saved.is_empty() && !daemon.log().contains("flight recorder"), "{saved:?}");
        }
    }
}
