//! The `AA 55` frames of Creative Medical's finger oximeters, sold by Lepu, Viatom and Wellue as well.
//!
//! ```text
//! Devices    PC-60FW, PC-60NW, OxySmart and relatives
//! Line       115200 8N1 (?). A cable was never seen: all that is known came over Bluetooth. Creative's
//!            cable models are believed to frame alike (?)
//! Speaks     by itself, as far as captures show; nothing is sent
//! Rate       numbers once a second, waveform 10 frames of 5 points a second
//! Integrity  CRC-8/MAXIM-DOW over everything before it: polynomial 31 reflected (8C), from 0, no final
//!            xor. Locked after 2 good frames
//!
//! Frame      AA 55 token length type data.. crc     length counts type, data and crc
//!
//! Token type data
//! 0F    01   SpO2 %, pulse bpm (2 bytes, little endian), PI 0.1 %, status, battery   once a second
//! 0F    02   5 points: bit 7 beat, bits 0..6 the waveform 0..127                     10 a second
//! 0F    21   mode (01 spot check, 02 continuous), step, SpO2, pulse (?)              once a second
//! F0    03   battery 0..3                                                            once a second
//!
//! Status     bit 1 probe off (?), bit 2 searching (?)
//!
//! Certain    frame and CRC: more than 20,000 captured frames; SpO2, pulse and PI: captures and several
//!            decoders; "none": SpO2 0 and pulse 0, captured; the rates: captured
//! One source the two bits of the status byte, in a write-up that counts other offsets wrongly. In some
//!            12,500 captured frames the byte was 0, also when there were no numbers
//! Inferred   PI 0 is "none": captured beside a first saturation and pulse
//! Unknown    whether any cable speaks this, and at which rate; what else may stand in the status byte
//! Beware     captured: after the finger has gone, the last numbers were sent on for some seconds with a
//!            status of 0, and only the waveform, 0 throughout, showed it. Nothing is made of that here: 0
//!            may be a point, and a waveform that stands still is found by R1.7
//! Not used   0F 21, whose result of a spot check is no live value; bits 6 and 7 of the battery byte of
//!            type 01, of which F0 03 says as much; the beat
//! Recording  tests/recordings/: creative (in part captured)
//! ```

use super::frames::{Found, Frames};
use super::none;
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Pleth, Poll, Protocol, Quantity,
    Reject,
};
use crate::sample::{Notice, Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured, PerfusionIndex, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "creative",
    devices: "Creative PC-60FW, PC-60NW, OxySmart; Lepu, Viatom and Wellue relatives (a cable was never seen)",
    lines: &[LineSettings::n1(115_200)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::PerfusionIndex, Quantity::Pleth],
    pleth: Some(Pleth { full_scale: 127, hz: 50 }),
    integrity: Integrity::Checksum,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

const START: [u8; 2] = [0xaa, 0x55];
/// Start, token and length.
const HEADER: usize = 4;
/// A type and the CRC.
const SHORTEST: u8 = 2;
/// Twice the longest known. A false start must not keep good frames waiting.
const LONGEST: u8 = 16;
/// The longest frame.
const ROOM: usize = HEADER + LONGEST as usize;
/// Good frames in a row before anything is told. After that a bad frame costs only itself.
const LOCK: u32 = 2;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The numbers.
    Numbers(Numbers),
    /// Points of the waveform.
    Wave([Point; 5]),
    /// Mode, step and the result of a spot check.
    Mode([u8; 4]),
    /// The battery, 0 (empty) to 3.
    Battery(u8),
}

/// The numbers, raw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Saturation, %; 0: none.
    pub spo2: u8,
    /// Pulse rate, bpm; 0: none.
    pub pulse: u16,
    /// Perfusion index in tenths of a percent; 0: none.
    pub perfusion_index: u8,
    /// Bit 1: probe off.
    pub probe_off: bool,
    /// Bit 2: searching for a pulse.
    pub searching: bool,
    /// The battery in bits 6 and 7.
    pub battery: u8,
}

/// A point of the waveform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// 0..=127.
    pub value: u8,
    /// A beat.
    pub beat: bool,
}

const PROBE_OFF: u8 = 0x02;
const SEARCHING: u8 = 0x04;
const BEAT: u8 = 0x80;

impl Content {
    /// # Errors
    /// `UnknownType`, or `Length` where a known type is longer or shorter than it is.
    fn decode(token: u8, data: &[u8]) -> Result<Self, Reject> {
        match (token, data) {
            (0x0f, [0x01, spo2, low, high, perfusion_index, status, battery]) => Ok(Self::Numbers(Numbers {
                spo2: *spo2,
                pulse: u16::from_le_bytes([*low, *high]),
                perfusion_index: *perfusion_index,
                probe_off: status & PROBE_OFF != 0,
                searching: status & SEARCHING != 0,
                battery: *battery,
            })),
            (0x0f, [0x02, a, b, c, d, e]) => Ok(Self::Wave([a, b, c, d, e].map(|byte| Point::decode(*byte)))),
            (0x0f, [0x21, a, b, c, d]) => Ok(Self::Mode([*a, *b, *c, *d])),
            (0xf0, [0x03, level]) => Ok(Self::Battery(*level)),
            (0x0f, [0x01 | 0x02 | 0x21, ..]) | (0xf0, [0x03, ..]) => Err(Reject::Length),
            _ => Err(Reject::UnknownType),
        }
    }

    /// Tells the bytes of the frame that carries it, as a device sends them.
    pub fn encode(&self, out: &mut impl FnMut(u8)) {
        match self {
            Self::Numbers(numbers) => {
                let flag = |set: bool, bit: u8| if set { bit } else { 0 };
                let [low, high] = numbers.pulse.to_le_bytes();
                let status = flag(numbers.probe_off, PROBE_OFF) | flag(numbers.searching, SEARCHING);
                frame(0x0f, &[0x01, numbers.spo2, low, high, numbers.perfusion_index, status, numbers.battery], out);
            }
            Self::Wave(points) => {
                let [a, b, c, d, e] = points.map(Point::encode);
                frame(0x0f, &[0x02, a, b, c, d, e], out);
            }
            Self::Mode([a, b, c, d]) => frame(0x0f, &[0x21, *a, *b, *c, *d], out),
            Self::Battery(level) => frame(0xf0, &[0x03, *level], out),
        }
    }
}

impl Point {
    const fn decode(byte: u8) -> Self {
        Self { value: byte & !BEAT, beat: byte & BEAT != 0 }
    }

    const fn encode(self) -> u8 {
        self.value & !BEAT | if self.beat { BEAT } else { 0 }
    }
}

impl Numbers {
    fn oximetry(&self, at: Time) -> Oximetry {
        let unmeasured = match self {
            Self { probe_off: true, .. } => Some(Absent::SensorOff),
            Self { searching: true, .. } => Some(Absent::Searching),
            _ => None,
        };
        if let Some(why) = unmeasured {
            let (spo2, pulse) = (Measured::Absent(why), Measured::Absent(why));
            return Oximetry { at, spo2, pulse, perfusion_index: Measured::Absent(why) };
        }
        let pulse = match self.pulse {
            0 => Measured::Absent(Absent::InadequateSignal),
            bpm => Measured::in_range(PulseRate::bpm(bpm)),
        };
        let perfusion_index = match self.perfusion_index {
            0 => Measured::Absent(Absent::InadequateSignal),
            tenths => Measured::in_range(PerfusionIndex::hundredths(u16::from(tenths).saturating_mul(10))),
        };
        Oximetry { at, spo2: none::spo2(self.spo2), pulse, perfusion_index }
    }
}

/// Start, token, length, type and data, CRC.
fn frame(token: u8, data: &[u8], out: &mut impl FnMut(u8)) {
    let [start, start2] = START;
    let length = u8::try_from(data.len()).unwrap_or(LONGEST).saturating_add(1);
    let header = [start, start2, token, length];
    for byte in header.iter().chain(data) {
        out(*byte);
    }
    out(crc(crc(0, &header), data));
}

/// CRC-8/MAXIM-DOW.
fn crc(before: u8, bytes: &[u8]) -> u8 {
    const REFLECTED: u8 = 0x8c;
    bytes.iter().fold(before, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ REFLECTED })
    })
}

fn at_start_of(bytes: &[u8]) -> Found<Content> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        let begins = bytes.iter().zip(START).all(|(byte, start)| *byte == start);
        return if begins { Found::Partial } else { Found::Nothing(None) };
    };
    let [start, start2, token, length] = *header;
    if [start, start2] != START {
        return Found::Nothing(None);
    }
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Found::Nothing(Some(Reject::Length));
    }
    match rest.get(..usize::from(length)) {
        None => Found::Partial,
        Some([data @ .., sum]) if crc(crc(0, header), data) == *sum => {
            let length = HEADER.saturating_add(length.into());
            Found::Frame { length, content: Content::decode(token, data) }
        }
        Some(_) => Found::Nothing(Some(Reject::Checksum)),
    }
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Creative {
    frames: Frames<ROOM, LOCK>,
    battery_low: bool,
}

fn tell(content: Content, battery_low: &mut bool, at: Time, out: &mut impl FnMut(Sample)) {
    match content {
        Content::Numbers(numbers) => out(Sample::Oximetry(numbers.oximetry(at))),
        Content::Wave(points) => {
            for point in points {
                out(Sample::Pleth { at, value: point.value.into() });
            }
        }
        Content::Battery(level) => {
            let low = level == 0;
            if low && !*battery_low {
                out(Sample::Notice { at, notice: Notice::BatteryLow });
            }
            *battery_low = low;
        }
        Content::Mode(_) => {}
    }
}

impl Driver for Creative {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        *self = Self { frames: self.frames.reopened(), ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.frames.push(*byte, at_start_of, |content| tell(content, &mut self.battery_low, now, out));
        }
    }

    fn poll(&mut self, _: Time, _: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        self.frames.lock()
    }

    fn stats(&self) -> &DecodeStats {
        self.frames.stats()
    }
}

#[cfg(test)]
mod tests;
