//! DF2: a constant start byte, 8 bits of plethysmogram.

use super::packet::{FRAMES, Frame, Packet, Status};
use super::stream::{FRAME, Format, Stream};
use crate::driver::{Certainty, Integrity, Kind, LineSettings, OwnAlarm, Pleth, Protocol, Quantity, Reject};
use crate::time::Span;

/// Nonin DF2.
pub static DF2: Protocol = Protocol {
    name: "nonin-df2",
    devices: "Nonin Xpod 3011, 3012, 3012LP, iPod, OEM III; 9560 and 3150 set to DF2",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::millis(334),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(Pleth { full_scale: 255, hz: 75 }),
    integrity: Integrity::Checksum,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// The driver of [`DF2`].
pub type Df2 = Stream<Format2>;

/// How DF2 differs from DF7.
#[derive(Debug, Default)]
pub struct Format2;

/// The constant first byte.
const START: u8 = 0x01;

impl Format for Format2 {
    const PROTOCOL: &'static Protocol = &DF2;
    const LOCK: usize = 1;
    const KEEPS_LOCK: bool = true;

    fn frame([start, status, pleth, slot, check]: [u8; FRAME]) -> Result<Frame, Reject> {
        let status = Status(status);
        if start != START || !status.is_valid() {
            return Err(Reject::Framing);
        }
        if check != checksum(status, pleth, slot) {
            return Err(Reject::Checksum);
        }
        Ok(Frame { status, pleth: u16::from(pleth), slot })
    }
}

fn checksum(status: Status, pleth: u8, slot: u8) -> u8 {
    START.wrapping_add(status.0).wrapping_add(pleth).wrapping_add(slot)
}

/// The packet as a device would send it in 1/3 s.
#[must_use]
pub fn df2_packet(packet: &Packet) -> [u8; FRAME * FRAMES] {
    let mut bytes = [0; FRAME * FRAMES];
    for (to, Frame { status, pleth, slot }) in bytes.chunks_exact_mut(FRAME).zip(packet.frames()) {
        let pleth = u8::try_from(pleth).unwrap_or(u8::MAX);
        to.copy_from_slice(&[START, status.0, pleth, slot, checksum(status, pleth, slot)]);
    }
    bytes
}
