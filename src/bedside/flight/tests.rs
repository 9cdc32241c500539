//! Which alarms are saved, of which line, and how often.

use std::fs;
use std::path::Path;

use vitalsd_core::driver::PROTOCOLS;
use vitalsd_core::monitor::output::{Activation, AlarmKind, Phase, Presence};

use super::*;

fn s(s: u64) -> Time {
    Time::ZERO + Span::secs(s)
}

/// A bed with an oximeter and a cuff.
fn recorder(directory: &Path) -> FlightRecorder {
    let device = |id: &str, protocol: &str, primary: &[Quantity]| config::Device {
        id: id.into(),
        protocols: PROTOCOLS.iter().copied().filter(|known| known.name == protocol).collect(),
        port: format!("/dev/{id}").into(),
        primary: primary.to_vec(),
        listen_only: false,
    };
    let devices = vec![
        device("oximeter", "nonin-df2", &[Quantity::Spo2, Quantity::Pulse]),
        device("cuff", "dinamap", &[Quantity::BloodPressure]),
    ];
    let settings = config::FlightRecorder {
        minutes: 1,
        directory: directory.to_owned(),
        bytes_per_port: 10_000,
        files: 10,
        bytes: 1_000_000,
    };
    FlightRecorder::start(&settings, &[config::Bed { id: "room-1".into(), devices }])
}

fn alarm(condition: Condition, priority: Priority, episode: u32, at: Time) -> Alarm {
    Alarm {
        condition,
        priority,
        presence: Presence::On,
        activation: Activation::On,
        episode,
        announced: true,
        sounds: true,
        bedside: false,
        escalated: None,
        ack: None,
        since: at,
        ended: None,
        value: None,
        worst: None,
        limit: None,
        baseline: None,
        delay: Span::ZERO,
        stale: false,
        phase: Phase::Onset,
        at,
    }
}

fn raised(condition: Condition, priority: Priority, episode: u32, at: Time) -> Output {
    Output::Event(Event { at, kind: EventKind::Raised(alarm(condition, priority, episode, at)) })
}

fn worsened(condition: Condition, priority: Priority, episode: u32, at: Time) -> Output {
    Output::Event(Event { at, kind: EventKind::Worsened(alarm(condition, priority, episode, at)) })
}

const OXIMETER: DeviceKey = DeviceKey { bed: 0, device: DeviceIndex(0) };
const CUFF: DeviceKey = DeviceKey { bed: 0, device: DeviceIndex(1) };

/// The devices and the notes of what comes of these, each told at its own time and saved when it is due.
fn saved(said: &[Output]) -> Vec<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    let clock = Clock::new("2026-11-25T09:30:00Z".parse().unwrap());
    let files = || fs::read_dir(dir.path()).unwrap().count();
    for output in said {
        let Output::Event(Event { at, .. }) = output else { continue };
        while recorder.due().is_some_and(|due| due <= *at) {
            let before = files();
            recorder.save(*at, clock);
            // The other thread has a place for the next one when it has written this one.
            let written = (0..2_000).any(|_| {
                thread::sleep(Duration::from_millis(5));
                files() > before
            });
            assert!(written, "never saved");
        }
        recorder.take(OXIMETER, *at, What::Heard(&[1]));
        recorder.take(CUFF, *at, What::Heard(&[2]));
        recorder.hear(0, output);
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(recorder.finish(s(600), clock));
    let mut saved: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    saved.sort_by_key(|path| path.file_name().unwrap().to_str().unwrap().split('_').next_back().unwrap().to_owned());
    let told = |path: &std::path::PathBuf| {
        let device = path.file_name().unwrap().to_str().unwrap().split('_').nth(1).unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let note = text.lines().find_map(|line| line.strip_prefix("note: ")).unwrap();
        (device, note.split(" began").next().unwrap().to_owned())
    };
    saved.iter().map(told).collect()
}

fn told(device: &str, note: &str) -> (String, String) {
    (device.into(), note.into())
}

use Condition as C;
use Priority::{High, Low, Medium};

#[test]
fn an_alarm_saves_the_line_of_what_it_is_about() {
    let said = [
        raised(C::Spo2Low, High, 1, s(10)),
        raised(C::PulseHigh, Medium, 1, s(20)),
        raised(C::PressureHigh, Medium, 1, s(30)),
        raised(C::HighPressureSlowPulse, High, 1, s(40)),
        raised(C::CuffLost, Medium, 1, s(50)),
        raised(C::Spo2Unavailable, Medium, 1, s(60)),
        raised(C::Help, High, 1, s(70)),
    ];
    let expected = [
        told("oximeter", "spo2-low (high)"),
        told("oximeter", "pulse-high (medium)"),
        told("cuff", "bp-high (medium)"),
        told("cuff", "high-bp-slow-pulse (high)"),
        told("cuff", "cuff-lost (medium)"),
        told("oximeter", "spo2-unavailable (medium)"),
        told("oximeter", "help (high)"),
    ];
    assert_eq!(saved(&said), expected);
}

#[test]
fn what_no_byte_of_a_device_tells_of_is_not_saved_nor_what_is_low() {
    assert_eq!(saved(&[raised(C::Spo2Drift, Low, 1, s(10))]), []);
    let box_alone = |condition: &&Condition| quantity(**condition).is_none();
    for condition in Condition::ALL.iter().filter(box_alone) {
        assert!(condition.kind() == AlarmKind::Technical, "{condition:?} is about a patient");
    }
    assert_eq!(saved(&[raised(C::BrokerLost, High, 1, s(10)), raised(C::NoStation, High, 1, s(20))]), []);
}

#[test]
fn an_alarm_is_saved_once_and_its_next_episode_anew() {
    let said = [
        raised(C::Spo2Reduced, Low, 1, s(10)),
        worsened(C::Spo2Reduced, Medium, 1, s(20)),
        worsened(C::Spo2Reduced, High, 1, s(30)),
        raised(C::Spo2Reduced, Medium, 2, s(40)),
    ];
    let expected = [told("oximeter", "spo2-reduced (medium)"), told("oximeter", "spo2-reduced (medium)")];
    assert_eq!(saved(&said), expected);
}

#[test]
fn alarms_of_one_line_that_begin_together_are_one_file() {
    let said = [
        raised(C::Spo2Low, High, 1, s(10)),
        raised(C::Spo2VeryLow, High, 1, s(11)),
        raised(C::PressureHigh, Medium, 1, s(11)),
        raised(C::Spo2Critical, High, 1, s(13)),
    ];
    let files = saved(&said);
    assert_eq!(files.iter().filter(|(device, _)| device == "oximeter").count(), 2, "{files:?}");
    assert_eq!(files.iter().filter(|(device, _)| device == "cuff").count(), 1, "{files:?}");
}

#[test]
fn an_alarm_that_finds_the_disk_slow_is_saved_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    let clock = Clock::new("2026-11-25T09:30:00Z".parse().unwrap());
    // A thread that takes nothing, and a full queue before it.
    let (jobs, flights) = sync_channel(0);
    let running = std::mem::replace(&mut recorder.jobs, jobs);
    recorder.take(OXIMETER, s(9), What::Heard(&[1]));
    recorder.hear(0, &raised(C::Spo2Low, High, 1, s(10)));
    assert_eq!(recorder.due(), Some(s(12)));
    recorder.save(s(12), clock);
    assert_eq!(recorder.due(), Some(s(12) + AGAIN));
    recorder.jobs = running;
    recorder.save(s(13), clock);
    assert_eq!(recorder.due(), None);
    drop(flights);
}
