//! DF1 and DF8: one short frame a second, held together by bit 7 alone.

use super::control::{self, Reply};
use super::flags::{Flags, hr, hr_bytes, spo2_byte};
use super::packet::Packet;
use crate::driver::buffer::Buffer;
use crate::driver::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity, Reject,
};
use crate::sample::{Notice, Sample};
use crate::time::{Span, Time};

/// Nonin DF1.
pub static DF1: Protocol = Protocol {
    name: "nonin-df1",
    devices: "Nonin 3150 WristOx2 or OEM III set to DF1",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Framing,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// Nonin DF8.
pub static DF8: Protocol = Protocol {
    name: "nonin-df8",
    devices: "Nonin 9560 Onyx II, 3150 WristOx2 or OEM III set to DF8",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Framing,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// The driver of [`DF1`].
pub type Df1 = Short<3>;
/// The driver of [`DF8`].
pub type Df8 = Short<4>;

/// Marks the first byte of a frame.
const START: u8 = 0x80;
const SNSD: u8 = 0x40;
const OOT: u8 = 0x20;
const LPRF: u8 = 0x10;
const ARTF: u8 = 0x04;
/// The last byte of DF8.
const SNSA: u8 = 0x08;
const BATTERY_LOW: u8 = 0x01;
/// More than the longest control reply (14 bytes) and the longest frame.
const ROOM: usize = 16;

/// The driver of frames of `N` bytes.
#[derive(Debug, Default)]
pub struct Short<const N: usize> {
    buffer: Buffer<ROOM>,
    trust: Trust,
    good_in_a_row: u32,
    battery_low: bool,
    stats: DecodeStats,
}

/// Whether a frame is believed as soon as its last byte is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trust {
    /// Nothing speaks against it.
    #[default]
    Believed,
    /// There were bytes that fit no frame.
    Doubted,
    /// After that, a frame is there: if the next begins where it ends, all is well.
    Confirming,
}

/// What stands at the start of the buffered bytes.
enum Element<const N: usize> {
    Frame([u8; N]),
    Control(usize),
    /// The next frame begins after that many bytes, too early.
    TooShort(usize),
    /// A byte that continues nothing.
    Stray,
    Partial,
}

impl<const N: usize> Short<N> {
    fn element(&self) -> Element<N> {
        let bytes = self.buffer.bytes();
        match control::reply(bytes) {
            Reply::Whole(length) => return Element::Control(length),
            Reply::Partial => return Element::Partial,
            Reply::None => {}
        }
        let starts = |byte: &u8| byte & START != 0;
        match bytes.split_first() {
            None => Element::Partial,
            Some((first, _)) if !starts(first) => Element::Stray,
            Some((_, rest)) => match (bytes.first_chunk(), rest.iter().take(N.saturating_sub(1)).position(starts)) {
                (_, Some(before)) => Element::TooShort(before.saturating_add(1)),
                (Some(frame), None) => Element::Frame(*frame),
                (None, None) => Element::Partial,
            },
        }
    }

    fn turn(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        // That the next frame begins where the one before has ended proves the length of both.
        if self.trust == Trust::Confirming && self.buffer.bytes().first().is_some_and(|first| first & START != 0) {
            self.trust = Trust::Believed;
            self.good();
        }
        loop {
            match self.element() {
                Element::Partial => return,
                Element::Control(length) => self.buffer.consume(length),
                Element::TooShort(length) => self.too_short(length),
                Element::Stray => self.stray(),
                Element::Frame(frame) => {
                    self.buffer.consume(N);
                    if self.trust == Trust::Believed {
                        self.good();
                        self.publish(frame, now, out);
                    } else {
                        self.trust = Trust::Confirming;
                    }
                }
            }
        }
    }

    fn good(&mut self) {
        self.stats.good();
        self.good_in_a_row = self.good_in_a_row.saturating_add(1);
    }

    /// A frame that ended too early.
    fn too_short(&mut self, length: usize) {
        self.doubt();
        self.skip(length);
    }

    /// A byte that continues nothing: the frame before it was too long. Before the very first frame
    /// it is only a stream joined in its middle; more of them after one is no other frame.
    fn stray(&mut self) {
        match self.trust {
            Trust::Believed if self.good_in_a_row > 0 => self.doubt(),
            Trust::Confirming => {
                self.doubt();
                self.stats.skip(N);
            }
            Trust::Believed | Trust::Doubted => {}
        }
        self.skip(1);
    }

    fn doubt(&mut self) {
        self.stats.reject(Reject::Length);
        self.trust = Trust::Doubted;
        self.good_in_a_row = 0;
    }

    fn skip(&mut self, length: usize) {
        self.stats.skip(length);
        self.buffer.consume(length);
    }

    fn publish(&mut self, frame: [u8; N], at: Time, out: &mut impl FnMut(Sample)) {
        let [first, hr_lsb, spo2, ref stat2 @ ..] = *frame.as_slice() else { return };
        let stat2 = stat2.first().copied().unwrap_or(0);
        let flags = Flags {
            sensor_fault: first & SNSD != 0,
            sensor_off: stat2 & SNSA != 0,
            out_of_track: first & OOT != 0,
            artefact: first & ARTF != 0,
            low_perfusion: first & LPRF != 0,
            battery_low: stat2 & BATTERY_LOW != 0,
        };
        out(Sample::Oximetry(flags.oximetry(hr(first, hr_lsb), spo2, at)));
        if flags.battery_low && !self.battery_low {
            out(Sample::Notice { at, notice: Notice::BatteryLow });
        }
        self.battery_low = flags.battery_low;
    }
}

impl<const N: usize> Driver for Short<N> {
    fn protocol(&self) -> &'static Protocol {
        if N == 3 { &DF1 } else { &DF8 }
    }

    fn opened(&mut self, _now: Time) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.buffer.push(*byte);
            self.turn(now, out);
        }
    }

    fn poll(&mut self, _now: Time, _out: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.good_in_a_row, locked: self.good_in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

/// The values as a device would send them in DF1. It has no bit for a missing finger: that is shown
/// as an unusable sensor.
#[must_use]
pub fn df1_frame(packet: &Packet) -> [u8; 3] {
    let Flags { sensor_fault, sensor_off, .. } = packet.flags;
    head(packet, sensor_fault || sensor_off)
}

/// The values as a device would send them in DF8.
#[must_use]
pub fn df8_frame(packet: &Packet) -> [u8; 4] {
    let Flags { sensor_fault, sensor_off, battery_low, .. } = packet.flags;
    let [first, hr_lsb, spo2] = head(packet, sensor_fault);
    [first, hr_lsb, spo2, bits(&[(sensor_off, SNSA), (battery_low, BATTERY_LOW)])]
}

/// The three bytes that both formats begin with.
fn head(packet: &Packet, unusable: bool) -> [u8; 3] {
    let Flags { sensor_off, out_of_track, artefact, low_perfusion, .. } = packet.flags;
    let [hr_msb, hr_lsb] = hr_bytes(packet.pulse);
    let flags =
        [(true, START), (unusable, SNSD), (out_of_track || sensor_off, OOT), (low_perfusion, LPRF), (artefact, ARTF)];
    [bits(&flags) | hr_msb, hr_lsb, spo2_byte(packet.spo2)]
}

/// Those bits that are set.
fn bits(flags: &[(bool, u8)]) -> u8 {
    flags.iter().fold(0, |bits, (set, bit)| if *set { bits | bit } else { bits })
}
