//! The real daemon in a process of its own, with devices on pseudo-terminals and a session at every bed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use vitalsd::port::pty::Pty;
use vitalsd_core::driver::nonin::{Packet, df2_packet};

use crate::nurse::bed_id;

/// As many as one box is made for (DESIGN 9).
pub const BEDS: usize = 32;
/// The condition that the packets raise.
pub const CONDITION: &str = "pulse-very-high";
/// Bytes of a packet.
pub const PACKET_LEN: usize = 125;
/// Bytes of a packet without its last frame.
pub const HEAD_LEN: usize = 120;
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
    /// Starts `vitalsd run` with [`BEDS`] beds and the broker on `port`; `real_time`: as shipped, or that.
    pub fn start(port: u16, real_time: Option<bool>) -> Self {
        let dir = TempDir::new().expect("a directory");
        let devices: Vec<_> = (0..BEDS).map(|_| Pty::open().expect("a pseudo-terminal")).collect();
        fs::write(dir.path().join("preset.toml"), preset()).expect("a file");
        let config = dir.path().join("vitalsd.toml");
        fs::write(&config, settings(port, real_time, dir.path(), &devices)).expect("a file");
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

    /// How the system runs it, and its memory.
    pub fn usage(&self) -> String {
        let proc = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default();
        let status = proc("status");
        let field = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        // Behind the name of the program, which may hold anything, policy is the 39th field: 1 is SCHED_FIFO.
        let policy = proc("stat").rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(38)?.parse::<u8>().ok());
        let policy = if policy == Some(1) { "SCHED_FIFO" } else { "ordinary scheduling" };
        format!("{policy}, {}, {}", field("VmLck"), field("VmRSS")).replace('\t', " ")
    }
}

impl Drop for Bedside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

fn settings(port: u16, real_time: Option<bool>, dir: &Path, devices: &[Pty]) -> String {
    let real_time = real_time.map_or_else(String::new, |asked| format!("real_time = {asked}\n"));
    let beds = devices.iter().enumerate().map(|(bed, device)| {
        format!(
            "[[bed]]\nid = \"{}\"\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"nonin-df2\"\nport = \"{}\"\n",
            bed_id(bed),
            device.path().display()
        )
    });
    let head = format!(
        "site = \"bench\"\nbox = \"box-1\"\nexpect_station = false\npreset = \"preset.toml\"\nstate_dir = \"{}\"\n\
         {real_time}[broker]\nhost = \"127.0.0.1\"\nport = {port}\n",
        dir.join("state").display()
    );
    head + &beds.collect::<String>()
}
