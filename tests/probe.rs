//! Proves: `vitalsd ports --probe` tells what speaks on each port by what is said there, writes nothing where it
//! was not asked to, leaves a port alone that is in use, and tells two devices of one make apart.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use vitalsd::port::name::DeviceRoot;
use vitalsd::port::pty::Pty;
use vitalsd::port::serial;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::Script;
use vitalsd_core::driver::LineSettings;

/// A device tree of its own.
struct Bench {
    directory: TempDir,
    lines: Vec<Line>,
}

impl Bench {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), lines: Vec::new() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        DeviceRoot::at(self.directory.path()).resolve(Path::new(name))
    }

    /// Plugs in a simulated device, as `/dev/serial/by-id/{id}`.
    fn plug_in(&mut self, model: Model, id: &str) {
        let device = Device::new(model, &Scene::patient(Script::quiet(), 1).shared());
        let link = self.path(&format!("/dev/serial/by-id/{id}"));
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        self.lines.push(Line::start(device, link, Instant::now().into()).unwrap());
    }

    /// Gives the port of `id` the name of a socket too.
    fn socket(&self, id: &str, socket: &str) {
        let link = self.path(&format!("/dev/serial/by-path/{socket}"));
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        let target = std::fs::canonicalize(self.path(&format!("/dev/serial/by-id/{id}"))).unwrap();
        std::os::unix::fs::symlink(target, link).unwrap();
    }

    /// Runs the command beside the devices.
    async fn ports(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitalsd"));
        command.arg("ports").arg("--root").arg(self.directory.path()).args(arguments);
        let ran = spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let told = self.ports(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }
}

fn by_id(id: &str) -> String {
    format!("/dev/serial/by-id/{id}")
}

fn of<'a>(found: &'a Value, id: &str) -> &'a Value {
    let is = |port: &&Value| port["port"] == json!(by_id(id)) || port["also"][0] == json!(by_id(id));
    found.as_array().unwrap().iter().find(is).unwrap_or_else(|| panic!("{id} in {found}"))
}

/// A device that only listens, and notes whether it was ever spoken to.
fn mute(at: &Path) -> Arc<AtomicBool> {
    let pty = Pty::open().unwrap();
    pty.plug_in_at(at).unwrap();
    let spoken_to = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&spoken_to);
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while Arc::strong_count(&told) > 1 {
            if pty.try_read(&mut buffer).is_ok() {
                told.store(true, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    spoken_to
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_port_is_told_by_what_is_said_on_it_and_nothing_is_written() {
    let mut bench = Bench::new();
    for (model, id) in [
        (Model::NoninDf2, "left"),
        (Model::NoninDf2, "right"),
        (Model::NoninPrintout, "printer"),
        (Model::Bci, "finger"),
        (Model::ContecV7, "wrist"),
        (Model::Dinamap, "cuff"),
    ] {
        bench.plug_in(model, id);
    }
    bench.socket("left", "pci-0:1");
    bench.socket("right", "pci-0:2");
    let spoken_to = mute(&bench.path(&by_id("mute")));
    let held = bench.path(&by_id("held"));
    let pty = Pty::open().unwrap();
    pty.plug_in_at(&held).unwrap();
    let holder = spawn_blocking(move || serial::open(&held, LineSettings::n1(9_600)).unwrap()).await.unwrap();

    let found = bench.json(&["--probe"]).await;
    for (id, protocol, line) in [
        ("left", "nonin-df2", "9600 8N1"),
        ("right", "nonin-df2", "9600 8N1"),
        ("printer", "nonin-printout", "9600 8N1"),
        ("finger", "bci", "115200 8N1"),
    ] {
        let port = of(&found, id);
        assert_eq!(
            (&port["heard"], &port["clear"], &port["asked"]),
            (&json!("understood"), &json!(true), &json!(false))
        );
        assert_eq!(port["claims"][0]["protocol"], protocol, "{port}");
        // A pty has no line settings: that no other ones are taken for these stands in the tests of the hunt.
        assert_eq!(port["line"], line, "{port}");
        assert_eq!(port["claims"][0]["rejected"], 0, "{port}");
    }
    assert_eq!(of(&found, "left")["socket"], "/dev/serial/by-path/pci-0:1");
    assert_eq!(of(&found, "right")["socket"], "/dev/serial/by-path/pci-0:2");
    for id in ["wrist", "cuff", "mute"] {
        assert_eq!(of(&found, id)["heard"], "silence", "who waits to be asked is not asked: {found}");
    }
    assert!(!spoken_to.load(Ordering::Relaxed), "not a byte is written");
    let busy = of(&found, "held");
    assert_eq!(busy["heard"], "in_use");
    assert!(busy["why"].as_str().unwrap().contains(&format!("process {}", std::process::id())), "{busy}");
    drop(holder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_may_be_written_to_is_asked_and_no_other_is() {
    let mut bench = Bench::new();
    bench.plug_in(Model::ContecV7, "wrist");
    bench.plug_in(Model::Dinamap, "cuff");
    bench.plug_in(Model::Dinamap, "other");
    let found = bench.json(&["--write", &by_id("wrist"), "--write", &by_id("cuff"), "--probe", &by_id("other")]).await;
    for (id, protocol, line) in [("wrist", "contec-v7", "115200 8N1"), ("cuff", "dinamap", "9600 8N1")] {
        let port = of(&found, id);
        assert_eq!((&port["heard"], &port["asked"]), (&json!("understood"), &json!(true)), "{port}");
        assert_eq!((&port["claims"][0]["protocol"], &port["line"]), (&json!(protocol), &json!(line)), "{port}");
    }
    assert_eq!(of(&found, "other")["heard"], "silence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_in_words_with_what_to_do() {
    let mut bench = Bench::new();
    bench.plug_in(Model::NoninDf2, "left");
    bench.socket("left", "pci-0:1");
    let _spoken_to = mute(&bench.path(&by_id("mute")));
    let told = bench.ports(&["--probe"]).await;
    for words in [
        "/dev/serial/by-id/left\n  plugged in at /dev/serial/by-path/pci-0:1\n  nonin-df2 at 9600 8N1\n",
        "/dev/serial/by-id/mute\n  silent: switched off, not connected, or a device that waits to be asked\n",
        "--write",
    ] {
        assert!(told.contains(words), "{words:?} in:\n{told}");
    }
    assert!(
        bench.json(&["--probe", "/dev/serial/by-id/nothing"]).await[0]["why"]
            .as_str()
            .unwrap()
            .contains("no such port")
    );
}
