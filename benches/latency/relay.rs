//! The floor: a process that reads a packet and writes one ready-made message, and nothing else.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command};

use tempfile::TempDir;
use vitalsd::port::pty::Pty;

use crate::bedside::PACKET_LEN;
use crate::wire::{Connection, publish};

/// Where it publishes.
pub const TOPIC: &str = "vitals/v1/bench/relay/-/alarm/pulse-very-high";

/// The relay and its device. A process of its own, as the daemon is.
pub struct Relay {
    device: Pty,
    child: Child,
    _dir: TempDir,
}

impl Relay {
    /// Relays every packet that is `wanted` to the broker on `port`, as a message of that `payload`, retained and
    /// confirmed as an alarm is, so that the broker has the same work with both.
    pub fn start(port: u16, wanted: &[u8], payload: &[u8]) -> Self {
        let dir = TempDir::new().expect("a directory");
        let device = Pty::open().expect("a pseudo-terminal");
        let (packet, message) = (dir.path().join("packet"), dir.path().join("message"));
        fs::write(&packet, wanted).expect("a file");
        fs::write(&message, publish(TOPIC, payload, true)).expect("a file");
        let this = std::env::current_exe().expect("this program");
        let mut relay = Command::new(this);
        relay.arg("--relay").args([device.path(), &packet, &message]).arg(port.to_string());
        Self { device, child: relay.spawn().expect("a second process of this program"), _dir: dir }
    }

    /// Its device says something.
    pub fn say(&self, bytes: &[u8]) {
        assert_eq!(self.device.try_write(bytes).ok(), Some(bytes.len()), "the relay reads its port");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The relay itself: its port, the packet that it waits for, the message, and the broker's port.
pub fn run(port: &str, packet: &str, message: &str, broker: &str) {
    let file = |path: &str| fs::read(Path::new(path)).expect("a file");
    let (wanted, message) = (file(packet), file(message));
    let mut line = File::open(port).expect("a port");
    let mut broker = Connection::open(broker.parse().expect("a number"), "bench-relay").expect("the broker");
    let mut packet = [0; PACKET_LEN];
    while line.read_exact(&mut packet).is_ok() {
        if packet == wanted[..] {
            broker.write(&message).expect("the broker");
            broker.packet().expect("its confirmation");
        }
    }
}
