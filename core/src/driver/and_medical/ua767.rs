//! A&D UA-767PC: an upper-arm monitor that tells what somebody has measured with it.
//!
//! ```text
//! Devices    UA-767PC (RS-232, with a USB adapter too)
//! Line       9600 8N1, no flow control here
//! Speaks     when a determination has ended that somebody started at its button; nothing is sent
//! Integrity  none: ten hexadecimal characters, then silence
//!
//! Message    ss dd ll pp mm     s status, 80 valid      d systolic less diastolic, mmHg
//!                               l diastolic, mmHg       p pulse, bpm       m mean, mmHg
//!
//! Certain    the first eight characters: three sources
//! One source the mean, in the text of the Bluetooth model; 00 is taken for none (?)
//! Inferred   that it has no alarm of its own: it is a home monitor for single readings (?)
//! Unknown    what other states mean (81, 82, 83 are named); whether something follows the ten
//!            characters: none is mentioned. CR and LF are stepped over, and XON and XOFF, which the one
//!            host that opens its port with flow control would never have seen
//! Not used   the handshake by which a host opens and closes it: not needed to receive. The UA-767PBT,
//!            which has 60 bytes before the same ten characters, and the UA-651 are not this protocol
//! Recording  tests/recordings/: and-ua767 (none of it captured)
//! ```
//!
//! With no end and no check to a message, silence is its end: it is whole when 200 ms have passed after
//! exactly ten characters. What is shorter or longer by then is dropped and counted.

use super::CADENCE;
use crate::driver::buffer::Buffer;
use crate::driver::text::hexadecimal;
use crate::driver::{
    Certainty, CuffTerms, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol,
    Quantity, Reject,
};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "and-ua767",
    devices: "A&D UA-767PC",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Push,
    cadence: CADENCE,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::None,
    cuff: Some(CuffTerms { starts: false, rest: Span::ZERO }),
    probe_request: None,
};

/// Characters of a message.
const LENGTH: usize = 10;
/// The silence that ends one.
const QUIET: Span = Span::millis(200);
/// The status of a good reading.
pub const VALID: u8 = 0x80;

/// A message as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// [`VALID`], or why not.
    pub status: u8,
    /// Systolic less diastolic pressure, mmHg.
    pub difference: u8,
    /// Diastolic pressure, mmHg.
    pub diastolic: u8,
    /// Beats a minute; 0: none.
    pub pulse: u8,
    /// Mean pressure, mmHg; 0: none.
    pub mean: u8,
}

impl Message {
    /// Understands ten characters; `None`: they are not hexadecimal.
    #[must_use]
    pub fn parse(text: &[u8; LENGTH]) -> Option<Self> {
        let mut bytes = [0; 5];
        for (byte, characters) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::try_from(hexadecimal(characters)?).ok()?;
        }
        let [status, difference, diastolic, pulse, mean] = bytes;
        Some(Self { status, difference, diastolic, pulse, mean })
    }

    /// As a monitor sends it.
    #[must_use]
    pub fn text(&self) -> [u8; LENGTH] {
        let Self { status, difference, diastolic, pulse, mean } = *self;
        let mut text = [0; LENGTH];
        for (to, byte) in text.chunks_exact_mut(2).zip([status, difference, diastolic, pulse, mean]) {
            let digit = |half: u8| b"0123456789ABCDEF".get(usize::from(half)).copied().unwrap_or(b'?');
            to.copy_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
        }
        text
    }

    fn pressure(&self) -> Result<BloodPressure, CuffFailure> {
        let diastolic = u16::from(self.diastolic);
        let systolic = diastolic.saturating_add(self.difference.into());
        match (self.status, self.mean) {
            (VALID, mean) => {
                let mean = (mean != 0).then_some(u16::from(mean));
                BloodPressure::full(systolic, diastolic, mean).ok_or(CuffFailure::OutOfRange)
            }
            (status, _) => Err(CuffFailure::Unknown(status)),
        }
    }

    /// The determination that ended `at` that moment.
    fn result(&self, at: Time) -> CuffResult {
        let pressure = self.pressure();
        let pulse = match self.pulse {
            bpm @ 1.. if pressure.is_ok() => Measured::in_range(PulseRate::bpm(bpm.into())),
            _ => Measured::Absent(Absent::NotMeasured),
        };
        CuffResult { at, measured_at: at, origin: CuffOrigin::Bedside, pressure, pulse }
    }
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Ua767 {
    message: Buffer<LENGTH>,
    /// Characters that found no room.
    overlong: usize,
    /// When the last character came.
    last: Time,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Ua767 {
    /// When the message that has begun ends, if nothing more comes.
    fn ends(&self) -> Option<Time> {
        (!self.message.bytes().is_empty()).then_some(self.last + QUIET)
    }

    /// Takes what came before the silence, if it has lasted.
    fn settle(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if self.ends().is_none_or(|end| now < end) {
            return;
        }
        match self.understood() {
            Ok(message) => {
                self.stats.good();
                self.in_a_row = self.in_a_row.saturating_add(1);
                out(Sample::CuffResult(message.result(self.last)));
            }
            Err(reason) => {
                self.stats.reject(reason);
                self.stats.skip(self.message.bytes().len().saturating_add(self.overlong));
                self.in_a_row = 0;
            }
        }
        self.forget();
    }

    fn understood(&self) -> Result<Message, Reject> {
        let text: &[u8; LENGTH] = self.message.bytes().try_into().map_err(|_| Reject::Length)?;
        if self.overlong > 0 {
            return Err(Reject::Length);
        }
        Message::parse(text).ok_or(Reject::Framing)
    }

    fn forget(&mut self) {
        self.message.clear();
        self.overlong = 0;
    }
}

impl Driver for Ua767 {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _now: Time) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    /// What came before this read may have ended: a box that looks late must not join two messages.
    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        self.settle(now, out);
        for byte in bytes {
            match byte {
                b'\r' | b'\n' | 0x11 | 0x13 => {
                    self.stats.skip(1);
                    continue;
                }
                _ if self.message.is_full() => self.overlong = self.overlong.saturating_add(1),
                _ => self.message.push(*byte),
            }
            self.last = now;
        }
    }

    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
        self.settle(now, out);
        Poll { send: None, next: self.ends() }
    }

    /// A message has no check, but one is all that a determination gives.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
