//! The devices of every bed, fed by a thread of the bench, and the real daemon in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::Instant;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::Script;

use crate::nurse::{SITE, bed_id};
use crate::wire::{Connection, Heard};

/// What stands at every bed.
const DEVICES: [(&str, Model); 2] = [("oximeter", Model::NoninDf2), ("cuff", Model::Dinamap)];
/// The devices of the beds are not switched on at once: within the 13 ms between two frames, each at its own.
const FRAME_MS: usize = 13;

/// The patients with their devices. They speak until it is dropped.
pub struct Devices {
    pub ports: Vec<PathBuf>,
    _dir: TempDir,
    _stop: oneshot::Sender<()>,
}

impl Devices {
    /// Those of so many beds.
    pub fn start(beds: usize) -> Self {
        let dir = TempDir::new().expect("a directory");
        let ports: Vec<_> = (0..beds)
            .flat_map(|bed| DEVICES.map(|(name, _)| dir.path().join(format!("{}-{name}", bed_id(bed)))))
            .collect();
        let links = ports.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let lines: Vec<_> =
                    links.chunks(DEVICES.len()).enumerate().map(|(bed, links)| bedside(bed, links)).collect();
                let _ = ready.send(());
                let _ = stopped.await;
                drop(lines);
            });
        });
        started.recv().expect("pseudo-terminals for every device");
        Self { ports, _dir: dir, _stop: stop }
    }
}

fn bedside(bed: usize, links: &[PathBuf]) -> Vec<Line> {
    let seed = u64::try_from(bed).unwrap_or_default() + 1;
    let scene = Scene::patient(Script::quiet(), seed).shared();
    let start = Instant::now() + Duration::from_millis(seed * 5 % u64::try_from(FRAME_MS).unwrap_or(1));
    let line = |((_, model), link): (&(&str, Model), &PathBuf)| {
        Line::start(Device::new(*model, &scene), link.clone(), start).expect("a pseudo-terminal")
    };
    DEVICES.iter().zip(links).map(line).collect()
}

/// The daemon.
pub struct Daemon {
    child: Child,
    dir: TempDir,
}

impl Daemon {
    /// Starts `vitalsd run` for those ports, and the broker on `port`.
    pub fn start(port: u16, ports: &[PathBuf]) -> Self {
        let dir = TempDir::new().expect("a directory");
        let config = dir.path().join("vitalsd.toml");
        fs::write(dir.path().join("preset.toml"), include_str!("../../config/presets/kat-default-1.toml"))
            .expect("a file");
        fs::write(&config, settings(port, &dir.path().join("state"), ports)).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
            .args(["run", "--config"])
            .arg(&config)
            .env("VITALSD_LOG", std::env::var("VITALSD_LOG").unwrap_or_else(|_| "error".into()))
            .stdout(Stdio::null())
            .spawn()
            .expect("the daemon");
        Self { child, dir }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps its journal.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Tells it to stop and waits for its end.
    pub fn stop(&mut self) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("a process of ours");
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(port: u16, state: &Path, ports: &[PathBuf]) -> String {
    let head = format!(
        "site = \"bench\"\nbox = \"box-1\"\nexpect_station = false\npreset = \"preset.toml\"\nstate_dir = {state:?}\n\
         [broker]\nhost = \"127.0.0.1\"\nport = {port}\n"
    );
    let beds = ports.chunks(DEVICES.len()).enumerate().map(|(bed, ports)| {
        let devices = DEVICES.iter().zip(ports).map(|((name, model), port)| {
            format!("[[bed.device]]\nid = \"{name}\"\nprotocol = \"{model}\"\nport = {port:?}\n")
        });
        format!("[[bed]]\nid = \"{}\"\n{}", bed_id(bed), devices.collect::<String>())
    });
    head + &beds.collect::<String>()
}

/// A subscriber to everything, on a thread that does nothing else.
pub fn listen(port: u16) -> Receiver<Heard> {
    let mut broker = Connection::open(port, "bench-ear").expect("the broker");
    broker.subscribe(&[&format!("{SITE}/#")]).expect("a subscription");
    let (tx, rx) = channel();
    thread::spawn(move || while broker.next().is_ok_and(|heard| tx.send(heard).is_ok()) {});
    rx
}
