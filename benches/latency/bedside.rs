//! The real daemon in a process of its own, with devices on pseudo-terminals and a session at every bed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use vitalsd::port::pty::Pty;
use vitalsd_core::driver::nonin::{Packet, df2_packet};

use crate::wire::{Connection, publish};

/// As many as one box is made for (DESIGN 9).
pub const BEDS: usize = 32;
/// The condition that the packets raise.
pub const CONDITION: &str = "pulse-very-high";
/// Bytes of a packet.
pub const PACKET_LEN: usize = 125;
/// Bytes of a packet without its last frame.
pub const HEAD_LEN: usize = 120;
/// The topic of the site.
pub const SITE: &str = "vitals/v1/bench";

/// A third of a second of a DF2 oximeter, with a pulse of `bpm`.
pub fn packet(bpm: u16) -> [u8; PACKET_LEN] {
    // A waveform that never stands still: a stuck one would put its values in doubt (R1.7).
    let pleth = std::array::from_fn(|n| 40 + 7 * u16::try_from(n).unwrap_or_default());
    df2_packet(&Packet { spo2: Some(98), pulse: Some(bpm), pleth, ..Packet::default() })
}

/// The daemon and its devices.
pub struct Bedside {
    devices: Vec<Pty>,
    child: Child,
    _dir: TempDir,
}

impl Bedside {
    /// Starts `vitalsd run` with [`BEDS`] beds and the broker on `port`.
    pub fn start(port: u16) -> Self {
        let dir = TempDir::new().expect("a directory");
        let devices: Vec<_> = (0..BEDS).map(|_| Pty::open().expect("a pseudo-terminal")).collect();
        fs::write(dir.path().join("preset.toml"), preset()).expect("a file");
        let config = dir.path().join("vitalsd.toml");
        fs::write(&config, settings(port, dir.path(), &devices)).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
            .args(["run", "--config"])
            .arg(&config)
            .env("VITALSD_LOG", std::env::var("VITALSD_LOG").unwrap_or_else(|_| "error".into()))
            .stdout(Stdio::null())
            .spawn()
            .expect("the daemon");
        Self { devices, child, _dir: dir }
    }

    /// The device of `bed` says something.
    pub fn say(&self, bed: usize, bytes: &[u8]) {
        let taken = self.devices[bed].try_write(bytes).expect("the daemon reads its ports");
        assert_eq!(taken, bytes.len(), "the daemon reads its ports");
    }

    /// Opens a session at every bed and records its dose.
    pub fn dose(&self, port: u16) {
        let mut nurse = Connection::open(port, "bench-nurse").expect("the broker");
        nurse.subscribe(&["vitals/v1/bench/box/+/heartbeat"]).expect("a subscription");
        let beat: Value = serde_json::from_slice(&nurse.next().expect("a heartbeat").payload).expect("JSON");
        nurse.subscribe(&["vitals/v1/bench/bed/+/session"]).expect("a subscription");
        for bed in 0..BEDS {
            for action in ["open", "dose"] {
                let command = json!({
                    "boot_id": beat["boot_id"], "uptime_ms": beat["uptime_ms"], "key": format!("{bed}-{action}"),
                    "actor": "bench", "action": action, "ago_ms": 0, "route": "iv",
                    "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right"
                });
                let topic = format!("{SITE}/bed/{}/command", bed_id(bed));
                nurse.write(&publish(&topic, command.to_string().as_bytes(), false)).expect("the broker");
                nurse_waits(&mut nurse, bed, if action == "open" { "baseline" } else { "onset" });
            }
        }
    }

    /// Its processor time and resident memory, as the system tells them.
    pub fn usage(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default().to_owned()
    }
}

impl Drop for Bedside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nurse_waits(nurse: &mut Connection, bed: usize, phase: &str) {
    let topic = format!("{SITE}/bed/{}/session", bed_id(bed));
    loop {
        let heard = nurse.next().expect("the broker");
        let session: Value = serde_json::from_slice(&heard.payload).unwrap_or_default();
        if heard.topic == topic && session["phase"] == phase {
            return;
        }
    }
}

pub fn bed_id(bed: usize) -> String {
    format!("bed-{bed:02}")
}

/// The shipped preset, but row 6 has no delay and the shortest end that a preset may have.
fn preset() -> String {
    let shipped = include_str!("../../config/presets/kat-default-1.toml");
    let ours: Vec<_> = shipped
        .lines()
        .map(|line| match line.starts_with("6  = { above") {
            true => r#"6 = { above = 150, priority = "H H H H", delay_s = 0, hysteresis = 5, clear_s = 5 }"#,
            false => line,
        })
        .collect();
    ours.join("\n")
}

fn settings(port: u16, dir: &Path, devices: &[Pty]) -> String {
    let beds = devices.iter().enumerate().map(|(bed, device)| {
        format!(
            "[[bed]]\nid = \"{}\"\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"nonin-df2\"\nport = \"{}\"\n",
            bed_id(bed),
            device.path().display()
        )
    });
    let head = format!(
        "site = \"bench\"\nbox = \"box-1\"\nexpect_station = false\npreset = \"preset.toml\"\nstate_dir = \"{}\"\n\
         [broker]\nhost = \"127.0.0.1\"\nport = {port}\n",
        dir.join("state").display()
    );
    head + &beds.collect::<String>()
}
