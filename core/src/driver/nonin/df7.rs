//! DF7: no start byte, 16 bits of plethysmogram.

use super::packet::{FRAMES, Frame, Packet, Status};
use super::stream::{FRAME, Format, Stream};
use crate::driver::{Certainty, Integrity, Kind, LineSettings, OwnAlarm, Pleth, Protocol, Quantity, Reject};
use crate::time::Span;

/// Nonin DF7.
pub static DF7: Protocol = Protocol {
    name: "nonin-df7",
    devices: "Nonin 9560 Onyx II, 3150 WristOx2 or OEM III set to DF7",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::millis(334),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(Pleth { full_scale: u16::MAX, hz: 75 }),
    integrity: Integrity::Checksum,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// The driver of [`DF7`].
pub type Df7 = Stream<Format7>;

/// How DF7 differs from DF2.
#[derive(Debug, Default)]
pub struct Format7;

impl Format for Format7 {
    const PROTOCOL: &'static Protocol = &DF7;
    // With no start byte only the distance between two SYNCs proves the offset: an idle stream
    // passes every checksum at offset 4 too.
    const LOCK: usize = FRAMES + 1;
    const KEEPS_LOCK: bool = false;

    fn frame([status, pleth_msb, pleth_lsb, slot, check]: [u8; FRAME]) -> Result<Frame, Reject> {
        let status = Status(status);
        let pleth = [pleth_msb, pleth_lsb];
        if !status.is_valid() {
            return Err(Reject::Framing);
        }
        if check != checksum(status, pleth, slot) {
            return Err(Reject::Checksum);
        }
        Ok(Frame { status, pleth: u16::from_be_bytes(pleth), slot })
    }
}

fn checksum(status: Status, [pleth_msb, pleth_lsb]: [u8; 2], slot: u8) -> u8 {
    status.0.wrapping_add(pleth_msb).wrapping_add(pleth_lsb).wrapping_add(slot)
}

/// The packet as a device would send it in 1/3 s.
#[must_use]
pub fn df7_packet(packet: &Packet) -> [u8; FRAME * FRAMES] {
    let mut bytes = [0; FRAME * FRAMES];
    for (to, Frame { status, pleth, slot }) in bytes.chunks_exact_mut(FRAME).zip(packet.frames()) {
        let pleth = pleth.to_be_bytes();
        let [pleth_msb, pleth_lsb] = pleth;
        to.copy_from_slice(&[status.0, pleth_msb, pleth_lsb, slot, checksum(status, pleth, slot)]);
    }
    bytes
}
