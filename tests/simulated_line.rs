//! A simulated device is a serial port like any other: it is opened by its link, read at its rate, hangs
//! up when its cable is pulled, and is back at the same link.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use vitalsd::port::serial::{self, SerialPort};
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Role, Script};
use vitalsd_core::driver::{AnyDriver, Driver};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn open(link: &Path, model: Model) -> SerialPort {
    serial::open(link, model.protocol().lines[0]).expect("a simulated port opens")
}

/// Reads and asks as the driver says until it has understood a number.
async fn understand(port: &mut SerialPort, model: Model) {
    let mut driver = AnyDriver::new(model.name()).unwrap();
    let start = Instant::now();
    let now = || Time::from_millis(start.elapsed().as_millis().try_into().unwrap());
    driver.opened(now());
    let mut buffer = [0; 512];
    let mut understood = false;
    while !understood {
        let mut hear = |sample| {
            understood |= matches!(sample, Sample::Oximetry(_) | Sample::CuffState { .. } | Sample::CuffResult(_));
        };
        if let Some(send) = driver.poll(now(), &mut hear).send {
            port.try_write(&send).unwrap();
        }
        let count = timeout(PATIENCE, port.read(&mut buffer)).await.expect("in time").unwrap();
        assert!(count > 0, "{model} hung up");
        driver.decode(&buffer[..count], now(), &mut hear);
    }
}

async fn appears(link: &Path, wanted: bool) {
    let wait = async {
        while fs::symlink_metadata(link).is_ok() != wanted {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the link follows the cable");
}

async fn hangs_up(port: &mut SerialPort) {
    let mut buffer = [0; 512];
    let wait = async { while matches!(port.read(&mut buffer).await, Ok(1..)) {} };
    timeout(PATIENCE, wait).await.expect("an unplugged port hangs up");
}

#[tokio::test]
async fn every_device_is_understood_through_its_port() {
    let directory = tempfile::tempdir().unwrap();
    // Somebody presses the button of the monitors again and again: some say nothing else.
    let measures = Script { determination: Some(Span::millis(500)), ..Script::quiet() };
    let pressed = |script: Script, second: u64| {
        script.with(Effect::BedsideReading, Time::from_millis(second * 1_000), Span::ZERO)
    };
    let scene = Scene::patient((1..300).fold(measures, pressed), 1).shared();
    let start = Instant::now();
    let lines: Vec<_> = Model::ALL
        .iter()
        .copied()
        .map(|model| {
            (model, Line::start(Device::new(model, &scene), directory.path().join(model.name()), start).unwrap())
        })
        .collect();
    for (model, line) in &lines {
        understand(&mut open(line.link(), *model), *model).await;
    }
}

#[tokio::test]
async fn an_unplugged_device_hangs_up_and_is_back_at_the_same_link() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("oximeter");
    let device = Device::new(Model::NoninDf2, &Scene::patient(Script::quiet(), 1).shared());
    let line = Line::start(device, link.clone(), Instant::now()).unwrap();
    let mut port = open(&link, Model::NoninDf2);
    understand(&mut port, Model::NoninDf2).await;
    line.unplug();
    hangs_up(&mut port).await;
    appears(&link, false).await;
    line.replug();
    appears(&link, true).await;
    understand(&mut open(&link, Model::NoninDf2), Model::NoninDf2).await;
    drop(line);
    appears(&link, false).await;
}

#[tokio::test]
async fn a_script_can_pull_the_cable() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("cuff");
    let pulled = Effect::CablePulled(Role::Cuff);
    let script = Script::quiet().with(pulled, Time::from_millis(300), Span::millis(300));
    let device = Device::new(Model::Dinamap, &Scene::patient(script, 1).shared());
    let line = Line::start(device, link.clone(), Instant::now()).unwrap();
    let mut port = open(line.link(), Model::Dinamap);
    hangs_up(&mut port).await;
    appears(&link, true).await;
    understand(&mut open(&link, Model::Dinamap), Model::Dinamap).await;
}

#[test]
fn the_command_says_where_its_ports_are_and_takes_them_away_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let run = |extra: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_vitalsd"))
            .args(["simulate", "--link"])
            .arg(directory.path())
            .args(extra)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let done = run(&["--device", "contec-v7", "--device", "contec-v7", "--device", "dinamap", "--for", "0"]);
    let said = String::from_utf8(done.stdout).unwrap();
    let line = |name: &str, driver: &str| {
        let port = directory.path().join(name);
        format!("[[bed.device]]\nid = \"{name}\"\nprotocol = \"{driver}\"\nport = \"{}\"\n\n", port.display())
    };
    let expected = [line("contec-v7", "contec-v7"), line("contec-v7-2", "contec-v7"), line("dinamap", "dinamap")];
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(said, expected.concat());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "no link is left behind");

    let wrong = run(&["--device", "nonin"]);
    assert_eq!(wrong.status.code(), Some(2));
    let says = String::from_utf8(wrong.stderr).unwrap();
    assert!(says.contains("no such device `nonin`; give one of nonin-df1, nonin-df2"), "{says}");
    let script = directory.path().join("course.toml");
    fs::write(&script, "[[event]]\nkind = 'motion'\nat_s = -1\nfor_s = 3").unwrap();
    let wrong = run(&["--script", script.to_str().unwrap()]);
    let says = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(says.contains("course.toml:3: `at_s` is -1. Give 0 to 86400"), "{says}");
}
