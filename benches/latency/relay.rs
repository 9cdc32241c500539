//! The floor: a thread that reads a packet and writes one ready-made message, and nothing else.

use std::fs::File;
use std::io::Read;
use std::thread;

use vitalsd::port::pty::Pty;

use crate::bedside::PACKET_LEN;
use crate::wire::{Connection, publish};

/// Where it publishes.
pub const TOPIC: &str = "vitals/v1/bench/relay/-/alarm/pulse-very-high";

/// The relay's own device.
pub struct Relay(Pty);

impl Relay {
    /// Relays every packet that is `wanted` to the broker on `port`, as a message of that `payload`, retained and
    /// confirmed as an alarm is, so that the broker has the same work with both.
    pub fn start(port: u16, wanted: [u8; PACKET_LEN], payload: &[u8]) -> Self {
        let device = Pty::open().expect("a pseudo-terminal");
        let mut line = File::open(device.path()).expect("the other end");
        let message = publish(TOPIC, payload, true);
        let mut broker = Connection::open(port, "bench-relay").expect("the broker");
        thread::spawn(move || {
            let mut packet = [0; PACKET_LEN];
            while line.read_exact(&mut packet).is_ok() {
                if packet == wanted {
                    broker.write(&message).expect("the broker");
                    broker.packet().expect("its confirmation");
                }
            }
        });
        Self(device)
    }

    /// Its device says something.
    pub fn say(&self, bytes: &[u8]) {
        assert_eq!(self.0.try_write(bytes).ok(), Some(bytes.len()), "the relay reads its port");
    }
}
