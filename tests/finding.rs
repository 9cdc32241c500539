//! Proves with the real daemon: what is spoken on a port is found out, told and believed again after a loss; while it
//! is not known its absence is alarmed; another device than before is a question; to a device that is only listened
//! to nothing is sent.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::bedside::{BED, Bedside, Nurse, Tapped};
use support::{Broker, Ear, Heard};
use tokio::time::sleep;
use vitalsd::port::pty::Pty;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::Script;
use vitalsd_core::driver::and_medical::frame::{Report, rb_frame};

fn oximeter(model: Model) -> Device {
    Device::new(model, &Scene::patient(Script::quiet(), 1).shared())
}

fn is_reading(heard: &Heard) -> bool {
    heard.on("/oximetry") && heard.json()["spo2_pct"].is_number()
}

fn is_device(heard: &Heard, device: &str, driver: &str) -> bool {
    heard.on(&format!("/device/{device}")) && heard.says("driver", driver)
}

fn is_alarm(heard: &Heard, condition: &str, presence: &str) -> bool {
    heard.on(&format!("/alarm/{condition}")) && heard.says("presence", presence)
}

fn plug(bedside: &Bedside, model: Model) -> Line {
    bedside.plug_in_scene("oximeter", oximeter(model), Instant::now())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spoken_is_found_out_and_another_device_after_it_is_a_question() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(broker.port, &[("oximeter", Model::ContecOld)]);
    bedside.settings.push(("oximeter", "protocol = ['contec-v7', 'contec-old']"));
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let mut daemon = bedside.daemon();
    let line = plug(&bedside, Model::ContecOld);
    let before = ear.until("a hunt", |heard| heard.on("/device/oximeter") && heard.says("connection", "opened")).await;
    assert_eq!((before.json().get("driver"), before.json().get("line")), (None, None), "not known yet");
    let found = ear.until("the protocol", |heard| is_device(heard, "oximeter", "contec-old")).await.json();
    assert_eq!(found["line"], "19200 8O1");
    daemon.logs(&["room-1/oximeter", "found out what it speaks", "contec-old", "19200 8O1"]).await;
    ear.until("a value", is_reading).await;
    nurse.opens().await;

    // The cable comes out and goes back: what was found is believed at once.
    line.unplug();
    ear.until("the loss", |heard| heard.on("/device/oximeter") && heard.says("connection", "lost")).await;
    line.replug();
    let (back, mut told) = (Instant::now(), 0);
    while told == 0 {
        told = usize::from(is_reading(&ear.until("a value", |heard| heard.on("/oximetry")).await));
    }
    assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());

    // Another oximeter in its place, which has to be told to start.
    drop(line);
    ear.until("the loss", |heard| heard.on("/device/oximeter") && heard.says("connection", "lost")).await;
    let _line = plug(&bedside, Model::ContecV7);
    let found = ear.until("the other protocol", |heard| is_device(heard, "oximeter", "contec-v7")).await.json();
    assert_eq!(found["line"], "115200 8N1");
    let story = ear.all_until("a value of the other", is_reading).await;
    let asked = story.iter().find(|heard| is_alarm(heard, "another-device", "on"));
    let asked = match asked {
        Some(asked) => asked.json(),
        None => Ear::on(broker.port, &format!("{BED}/alarm/another-device")).next().await.json(),
    };
    assert_eq!(
        (&asked["priority"], &asked["sounds"], &asked["kind"]),
        (&json!("medium"), &json!(true), &json!("technical"))
    );
    let yes = json!({ "action": "acknowledge", "condition": "another-device", "episode": 1, "priority": "medium" });
    nurse.does(yes).await;
    ear.until("the answer", |heard| is_alarm(heard, "another-device", "off")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_while_nothing_is_found_the_absence_of_spo2_is_alarmed() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    bedside.settings.push(("oximeter", "protocol = 'auto'\nrole = 'oximeter'"));
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    let silent = Pty::open().unwrap();
    silent.plug_in_at(&bedside.port("oximeter")).unwrap();
    nurse.opens().await;
    nurse.doses().await;
    let dosed = Instant::now();
    let alarm = ear.until("the alarm", |heard| is_alarm(heard, "spo2-unavailable", "on")).await;
    assert_eq!(alarm.json()["priority"], "medium");
    assert!(alarm.at.duration_since(dosed) < Duration::from_secs(11), "{:?}", alarm.at.duration_since(dosed));
    let lost = |heard: &Heard| heard.on("/device/oximeter") && heard.says("connection", "lost");
    assert_eq!(ear.until("the loss", lost).await.json()["reason"], "silent");
    // It is switched on.
    silent.unplug();
    let _line = plug(&bedside, Model::NoninDf2);
    ear.until("the protocol", |heard| is_device(heard, "oximeter", "nonin-df2")).await;
    ear.until("a value", is_reading).await;
    ear.until("the end", |heard| is_alarm(heard, "spo2-unavailable", "off")).await;
}

/// What sysfs has of a USB adapter, for the pty that is `node` for now.
fn usb(root: &Path, node: &Path, serial: &str) {
    let tty = root.join("sys/class/tty").join(node.file_name().unwrap());
    let adapter = root.join("sys/devices").join(serial);
    fs::create_dir_all(adapter.join("1-1:1.0/tty")).unwrap();
    fs::write(adapter.join("idVendor"), "0403\n").unwrap();
    fs::write(adapter.join("serial"), format!("{serial}\n")).unwrap();
    fs::create_dir_all(&tty).unwrap();
    let _ = fs::remove_file(tty.join("device"));
    symlink(adapter.join("1-1:1.0/tty"), tty.join("device")).unwrap();
}

/// Plugs in an adapter with that serial number: its port appears when all that is known of it is there.
fn plug_adapter(bedside: &Bedside, serial: &str) -> Tapped {
    let aside = bedside.root().join("aside");
    let tapped = Tapped::start(Model::NoninDf2, &aside);
    let node = fs::canonicalize(&aside).unwrap();
    usb(bedside.root(), &node, serial);
    let port = bedside.port("oximeter");
    symlink(node, port.with_extension("new")).unwrap();
    fs::rename(port.with_extension("new"), &port).unwrap();
    tapped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_adapter_in_the_same_socket_is_a_question_until_the_old_one_is_back() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(broker.port, &[("oximeter", Model::NoninDf2)]);
    bedside.own_root = true;
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let first = plug_adapter(&bedside, "A10K0EXA");
    let _daemon = bedside.daemon();
    ear.until("a value", is_reading).await;
    nurse.opens().await;
    drop(first);
    ear.until("the loss", |heard| heard.on("/device/oximeter") && heard.says("connection", "lost")).await;
    let second = plug_adapter(&bedside, "B77ZZZZZ");
    let story = ear.all_until("the question", |heard| is_alarm(heard, "another-device", "on")).await;
    assert!(story.last().unwrap().json()["reason"].as_str().unwrap().contains("is it this patient's?"));
    ear.until("a value of the other", is_reading).await;
    drop(second);
    ear.until("the loss", |heard| heard.on("/device/oximeter") && heard.says("connection", "lost")).await;
    let _first = plug_adapter(&bedside, "A10K0EXA");
    ear.until("the end", |heard| is_alarm(heard, "another-device", "off")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_a_device_that_is_only_listened_to_nothing_is_sent_and_its_readings_are_taken() {
    let broker = Broker::start();
    let mut bedside = Bedside::new(
        broker.port,
        &[("oximeter", Model::ContecV7), ("finger", Model::NoninDf2), ("cuff", Model::Dinamap)],
    );
    bedside.settings.extend([
        ("oximeter", "protocol = 'contec-v7'\nlisten_only = true\nprimary = ['spo2', 'pulse']"),
        ("finger", "protocol = 'auto'\nrole = 'oximeter'\nlisten_only = true"),
        ("cuff", "protocol = 'dinamap'\nlisten_only = true"),
    ]);
    let mut devices = [("oximeter", Model::ContecV7), ("finger", Model::NoninDf2), ("cuff", Model::Dinamap)]
        .map(|(name, model)| Tapped::start(model, &bedside.port(name)));
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    ear.until("the hunt's end", |heard| is_device(heard, "finger", "nonin-df2")).await;
    nurse.opens().await;
    // The reading is due, and nobody is asked for it but a person.
    let command = nurse.command(json!({ "action": "start_cuff" })).await;
    assert_eq!(nurse.say(&command, false).await.json()["outcome"], "refused");
    let due = ear.until("the state", |heard| heard.on("/state") && heard.json()["next_cuff_at"].is_string()).await;
    assert_eq!(due.json()["phase"], "baseline");
    // A driver that may speak asks every five seconds: one that does has done so by then.
    // Somebody else on the line asks the monitor; its answer is heard: a reading that is 1 s old.
    sleep(Duration::from_secs(6)).await;
    devices[2].disturb(vitalsd_core::driver::dinamap::line::na_reply(&reading()).to_vec());
    let pressure = ear.until("a reading", |heard| heard.on("/pressure")).await.json();
    assert_eq!((&pressure["origin"], &pressure["systolic_mmhg"]), (&json!("bedside"), &json!(128)));
    for (device, name) in devices.iter_mut().zip(["oximeter", "finger", "cuff"]) {
        assert!(!device.was_sent_something(), "{name} was spoken to");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cuff_that_its_first_reading_brings_up_rests_before_it_is_started() {
    let broker = Broker::start();
    let bedside = Bedside::new(broker.port, &[("cuff", Model::AndTm2655)]);
    let mut cuff = Tapped::start(Model::AndTm2655, &bedside.port("cuff"));
    let (mut ear, mut nurse) = (Ear::on(broker.port, &format!("{BED}/#")), Nurse::at(broker.port));
    let _daemon = bedside.daemon();
    nurse.opens().await;
    ear.until("a reading that is due", |heard| heard.on("/state") && heard.json()["next_cuff_at"].is_string()).await;
    let report = Report { error: 0, systolic: Some(128), mean: Some(97), diastolic: Some(82), pulse: Some(72) };
    cuff.disturb(rb_frame("2611250930", &report));
    ear.until("the reading", |heard| heard.on("/pressure")).await;
    ear.until("its device", |heard| heard.on("/device/cuff") && heard.says("connection", "up")).await;
    // The first reading of the baseline was due before this one; it rests for thirty seconds.
    sleep(Duration::from_secs(2)).await;
    assert!(!cuff.was_sent_something(), "started at once");
}

fn reading() -> vitalsd_core::driver::dinamap::line::NibpReply {
    use vitalsd_core::driver::dinamap::line::{NibpReply, Status};
    let age = Some(vitalsd_core::time::Span::secs(1));
    NibpReply { status: Status::Done, age, systolic: 128, diastolic: 82, mean: 97 }
}

/// Two beds with one device between them.
fn two_beds(directory: &Path, ports: [&Path; 2]) -> String {
    let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets/kat-default-1.toml");
    let bed = |n: usize, port: &Path| {
        format!(
            "[[bed]]\nid = \"bed-{n}\"\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"nonin-df2\"\nport = \"{}\"\n",
            port.display()
        )
    };
    format!(
        "site = \"north\"\nbox = \"box-3\"\npreset = \"{}\"\nstate_dir = \"{}\"\n[broker]\nhost = \"127.0.0.1\"\n{}{}",
        preset.display(),
        directory.display(),
        bed(1, ports[0]),
        bed(2, ports[1])
    )
}

#[test]
fn two_beds_with_one_device_are_refused_by_check_and_by_run_with_both_lines() {
    let directory = tempfile::tempdir().unwrap();
    let pty = Pty::open().unwrap();
    // The serial number and the socket: two names of one adapter.
    let (by_id, by_path) = (directory.path().join("by-id"), directory.path().join("by-path"));
    symlink(pty.path(), &by_id).unwrap();
    symlink(pty.path(), &by_path).unwrap();
    let file = directory.path().join("vitalsd.toml");
    for ports in [[by_id.as_path(), by_path.as_path()], [by_id.as_path(), by_id.as_path()]] {
        fs::write(&file, two_beds(directory.path(), ports)).unwrap();
        for command in [vec!["check"], vec!["run", "--config"]] {
            let ran = Command::new(env!("CARGO_BIN_EXE_vitalsd")).args(&command).arg(&file).output().unwrap();
            let told = String::from_utf8(ran.stderr).unwrap();
            assert!(!ran.status.success(), "{command:?}");
            assert!(told.contains("is used twice, first on line 12"), "{command:?}: {told}");
            assert!(told.contains("vitalsd.toml:18:"), "{command:?}: {told}");
        }
        assert_eq!(Value::from(fs::read_to_string(&file).unwrap().lines().count()), json!(18));
    }
}
