//! An invented pulse oximeter: the driver to copy. Built for tests only; `docs/adding-a-device.md` leads through it.
//!
//! ```text
//! Devices    none. Here: models as on their type plate, and what has to be set in their menu
//! Line       9600 8N1, no flow control
//! Speaks     by itself; nothing is sent
//! Rate       one frame a second
//! Integrity  one checksum byte: the sum of a frame is 0 modulo 256. Locked after 2 good frames
//!
//! Frame      A5 status spo2 pulse sum     6 bytes
//!            spo2    %; 0 and above 100: none
//!            pulse   bpm, 2 bytes, high one first; 0: none
//!
//! Status     bit                          taken for
//!             0  probe off the finger     sensor off
//!             1  searching for a pulse    searching
//!             2  motion                   doubt: motion
//!             3  its own alarm is muted   a notice (R10.5)
//!            What stands higher in this table goes before what stands lower.
//!
//! Certain    what two independent sources say, or a capture shows beside the display
//! One source what one of them says alone
//! Disputed   what they say differently, and which of it was taken
//! Inferred   what nobody says: that numbers which are still sent in bits 0 and 1 are old ones (?)
//! Unknown    bits 4 to 7; whether it can be asked for anything
//! Not used   what is known and read past
//! Recording  none. Here: tests/recordings/: NAME (captured) and NAME-what
//! ```

use super::frames::{Found, Frames};
use super::none;
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity, Reject,
};
use crate::sample::{Notice, Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Doubt, Measured, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "template",
    devices: "none: an invented oximeter",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Checksum,
    certainty: Certainty::OneSource,
    own_alarm: OwnAlarm::Reported,
    cuff: None,
    probe_request: None,
};

const START: u8 = 0xa5;
const LENGTH: usize = 6;
/// Good frames in a row before anything is told: one checksum byte lets chance through once in 256 times. After that
/// a bad frame costs only itself.
const LOCK: u32 = 2;

/// A frame as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Bits of [`status`].
    pub status: u8,
    /// Saturation, %; 0 and above 100: none.
    pub spo2: u8,
    /// Pulse rate, bpm; 0: none.
    pub pulse: u16,
}

/// The bits of the status byte.
pub mod status {
    /// The probe is off the finger.
    pub const PROBE_OFF: u8 = 1;
    /// Searching for a pulse.
    pub const SEARCHING: u8 = 1 << 1;
    /// The patient moves.
    pub const MOTION: u8 = 1 << 2;
    /// The device's own alarm is muted.
    pub const MUTED: u8 = 1 << 3;
}

impl Frame {
    fn at_start_of(bytes: &[u8]) -> Found<Self> {
        match *bytes {
            [START, status, spo2, high, low, _] if sum(bytes) == 0 => {
                let pulse = u16::from_be_bytes([high, low]);
                Found::Frame { length: LENGTH, content: Ok(Self { status, spo2, pulse }) }
            }
            [START, _, _, _, _, _] => Found::Nothing(Some(Reject::Checksum)),
            [START, ..] | [] => Found::Partial,
            _ => Found::Nothing(None),
        }
    }

    /// The frame, as a device sends it.
    #[must_use]
    pub fn encode(self) -> [u8; LENGTH] {
        let [high, low] = self.pulse.to_be_bytes();
        let Self { status, spo2, .. } = self;
        [START, status, spo2, high, low, 0_u8.wrapping_sub(sum(&[START, status, spo2, high, low]))]
    }

    fn has(self, bit: u8) -> bool {
        self.status & bit != 0
    }

    fn oximetry(self, at: Time) -> Oximetry {
        Oximetry {
            at,
            spo2: self.judge(none::spo2(self.spo2)),
            pulse: self.judge(pulse(self.pulse)),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }
    }

    /// What the flags leave of a number that the device sends.
    fn judge<T: Copy>(self, number: Measured<T>) -> Measured<T> {
        if self.has(status::PROBE_OFF) {
            Measured::Absent(Absent::SensorOff)
        } else if self.has(status::SEARCHING) {
            Measured::Absent(Absent::Searching)
        } else if self.has(status::MOTION) {
            number.doubted(Doubt::Motion)
        } else {
            number
        }
    }
}

fn pulse(raw: u16) -> Measured<PulseRate> {
    match raw {
        0 => Measured::Absent(Absent::InadequateSignal),
        bpm => Measured::in_range(PulseRate::bpm(bpm)),
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Template {
    frames: Frames<LENGTH, LOCK>,
    /// Whether the device's own alarm was last told to be off.
    muted: bool,
}

/// Tells what is in a frame.
fn tell(frame: Frame, muted: &mut bool, at: Time, out: &mut impl FnMut(Sample)) {
    out(Sample::Oximetry(frame.oximetry(at)));
    if frame.has(status::MUTED) != *muted {
        *muted = !*muted;
        out(Sample::Notice { at, notice: if *muted { Notice::OwnAlarmOff } else { Notice::OwnAlarmOn } });
    }
}

impl Driver for Template {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What was told of its alarm still stands there, until a frame says otherwise.
    fn opened(&mut self, _: Time) {
        self.frames = self.frames.reopened();
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.frames.push(*byte, Frame::at_start_of, |frame| tell(frame, &mut self.muted, now, out));
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
