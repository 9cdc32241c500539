//! The `55 AA` frames of BerryMed's parameter boards and of some of its USB probes: the SpO2 part of them.
//!
//! ```text
//! Devices    PM6750 monitor board; USB oximeter probes that do not send the five bytes of `bci`. The maker's
//!            own program can be switched between the two, so a probe may speak either
//! Line       115200 8N1 (RS-232, virtual COM port)
//! Speaks     by itself (?); nothing is sent
//! Rate       not stated; numbers taken to come once a second (?)
//! Integrity  one checksum byte: not (N + type + data), modulo 256. Locked after 2 good frames
//!
//! Frame      55 AA N type data.. sum    N counts itself, type, data and sum
//!
//! Type data
//! 04   status, SpO2 %, pulse bpm          the numbers
//! FE   1 byte                             a point of the SpO2 waveform, if it is switched on
//!
//! Status     0                            measuring (?)
//!            any other                    no value, "inadequate signal" (?), whatever the numbers are
//!
//! Certain    the line: two sources. Nothing was captured
//! One source frame, sum, types and what stands in type 04: the sheet of the board and a program of the maker,
//!            which is no second one
//! Disputed   nothing
//! Inferred   status 0 (?). If it is not, no value is ever shown, and that is heard: row 26.
//!            "None" (?): SpO2 0 and above 100 (127 expected), pulse 0 and 255.
//!            The once a second (?): if it is slower than every 3 s, every value is stale before the next, and
//!            that is heard as well.
//!            That no frame is longer than 18 bytes (?): the longest known has 10
//! Unknown    the bits of the status: why there is no value, whether the finger is in, motion, low perfusion;
//!            what stands in the frames of a probe that is off (above all: whether the status says so, or the
//!            last numbers are sent on with a status of 0, which nothing here would show unless FE comes);
//!            full scale and rate of the waveform, so that its points are told but belong to no scale: they
//!            show a hung board (R1.7) and are drawn nowhere; whether the board has an alarm; whether it sends
//!            type 04 without being told to (03 xx switches SpO2 on or off)
//! Not used   well-formed frames that tell nothing here: 01 ECG wave, 02 ECG numbers, 03 NIBP, 05 temperature,
//!            30 ECG peak, 31 SpO2 peak, FC firmware, FD hardware, FF respiration wave
//! Recording  tests/recordings/: berry-board (none of it captured)
//! ```

use super::frames::{Found, Frames};
use super::none;
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity, Reject,
};
use crate::sample::{Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "berry-board",
    devices: "BerryMed PM6750 board (its SpO2 alone) and USB probes that send 55 AA frames (never seen: what its status means is not known)",
    lines: &[LineSettings::n1(115_200)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    // The points come without a known scale or rate, if at all.
    pleth: None,
    integrity: Integrity::Checksum,
    certainty: Certainty::OneSource,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

const START: [u8; 2] = [0x55, 0xaa];
/// N of a type without data: N itself, type and sum.
const SHORTEST: u8 = 3;
/// Twice the longest known. A false start must not keep good frames waiting.
const LONGEST: u8 = 16;
/// The longest frame, with its start.
const ROOM: usize = START.len() + LONGEST as usize;
/// Good frames in a row before anything is told: one checksum byte lets chance through once in 256 times. After that
/// a bad frame costs only itself.
const LOCK: u32 = 2;

const NUMBERS: u8 = 0x04;
const WAVE: u8 = 0xfe;

/// What is told of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The numbers.
    Numbers(Numbers),
    /// A point of the SpO2 waveform.
    Wave(u8),
}

/// The numbers as they stand on the wire, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// 0: measuring; the meaning of its bits is not known.
    pub status: u8,
    /// Saturation, %; 0 and above 100: none.
    pub spo2: u8,
    /// Pulse rate, bpm; 0 and 255: none.
    pub pulse: u8,
}

impl Content {
    /// `None`: a frame that tells nothing here.
    ///
    /// # Errors
    /// `UnknownType`, or `Length` where a type that is told is longer or shorter than it is.
    const fn decode(kind: u8, data: &[u8]) -> Result<Option<Self>, Reject> {
        match (kind, data) {
            (NUMBERS, &[status, spo2, pulse]) => Ok(Some(Self::Numbers(Numbers { status, spo2, pulse }))),
            (WAVE, &[point]) => Ok(Some(Self::Wave(point))),
            (NUMBERS | WAVE, _) => Err(Reject::Length),
            // ECG, NIBP, temperature, peaks, firmware and hardware, respiration.
            (0x01..=0x03 | 0x05 | 0x30 | 0x31 | 0xfc | 0xfd | 0xff, _) => Ok(None),
            _ => Err(Reject::UnknownType),
        }
    }

    /// Tells the bytes of the frame that carries it, as a device sends them.
    pub fn encode(self, out: &mut impl FnMut(u8)) {
        match self {
            Self::Numbers(Numbers { status, spo2, pulse }) => frame(&[0x06, NUMBERS, status, spo2, pulse], out),
            Self::Wave(point) => frame(&[0x04, WAVE, point], out),
        }
    }
}

/// Start, N and content, sum.
fn frame(rest: &[u8], out: &mut impl FnMut(u8)) {
    for byte in START.iter().chain(rest) {
        out(*byte);
    }
    out(checksum(rest));
}

/// Over N, type and data.
fn checksum(bytes: &[u8]) -> u8 {
    !bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
}

impl Numbers {
    fn oximetry(self, at: Time) -> Oximetry {
        let (spo2, pulse) = match self.status {
            0 => (none::spo2(self.spo2), none::pulse(self.pulse)),
            _ => (Measured::Absent(Absent::InadequateSignal), Measured::Absent(Absent::InadequateSignal)),
        };
        Oximetry { at, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) }
    }
}

/// `None`: a frame that tells nothing here.
fn at_start_of(bytes: &[u8]) -> Found<Option<Content>> {
    let Some(rest) = bytes.strip_prefix(&START) else {
        return if START.starts_with(bytes) { Found::Partial } else { Found::Nothing(None) };
    };
    let Some(length) = rest.first().copied() else { return Found::Partial };
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Found::Nothing(Some(Reject::Length));
    }
    match rest.get(..usize::from(length)) {
        None => Found::Partial,
        Some([summed @ .., sum]) if checksum(summed) == *sum => {
            let [_, kind, data @ ..] = summed else { return Found::Nothing(Some(Reject::Length)) };
            let length = START.len().saturating_add(length.into());
            Found::Frame { length, content: Content::decode(*kind, data) }
        }
        Some(_) => Found::Nothing(Some(Reject::Checksum)),
    }
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct BerryBoard {
    frames: Frames<ROOM, LOCK>,
}

fn tell(content: Option<Content>, at: Time, out: &mut impl FnMut(Sample)) {
    match content {
        Some(Content::Numbers(numbers)) => out(Sample::Oximetry(numbers.oximetry(at))),
        Some(Content::Wave(point)) => out(Sample::Pleth { at, value: point.into() }),
        None => {}
    }
}

impl Driver for BerryBoard {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        self.frames = self.frames.reopened();
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.frames.push(*byte, at_start_of, |content| tell(content, now, out));
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
