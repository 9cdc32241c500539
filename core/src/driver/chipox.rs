//! ChipOx module (Corscience; EnviteC/Honeywell), inside other monitors and some finger probes.
//!
//! ```text
//! Devices    ChipOx modules, article WM 95135 and relatives
//! Line       9600 8N1, no flow control (the module's default)
//! Speaks     by itself; nothing is sent. Commands set rates and contents; they are not known
//! Rate       not stated. SpO2 and pulse taken to come every 2 s (?), as the source's simulator has it
//! Integrity  two checksum bytes over the unstuffed frame; locked after 3 good frames
//!
//! Frame      A8 channel identifier payload.. hi lo A8
//!            A8       both flags; between frames there are one or two
//!            A9       the byte after it has its bit 5 cleared: A9 88 is A8, A9 89 is A9. The checksum
//!                     is stuffed too
//!            channel  7F measured data; others are ignored
//!            hi lo    both from 0; for each byte d of channel, identifier and payload:
//!                     lo += d, carry;  hi += carry + (lo xor d)   modulo 256, lo being the new one
//!
//! Identifier 01  1 byte    SpO2, %
//!            02  2 bytes   pulse, bpm, big endian
//!            04  1 byte    one point of the waveform
//!            08  2 bytes   status word, big endian
//!            51  n bytes   real-time channel: n points of the waveform (10 by default; configurable)
//!
//! Status     bit                                    taken for
//!             0  sensor off or not connected        sensor fault
//!            10  sensor defective                   sensor fault
//!            13  wrong sensor                       sensor fault
//!             1  finger out                         sensor off
//!             4  pulse search for more than 15 s    no pulse
//!             3  searching for a pulse              searching
//!            14  value outside the measuring range  out of range
//!             9  many motion artefacts              doubt: motion
//!             8  too many disturbances              doubt: artefact
//!             7  too much ambient light             doubt: artefact
//!             5  low pulsation (AC/DC)              doubt: low perfusion
//!             6  low signal (AC and DC)             doubt: low perfusion
//!             2  pulse wave detected                nothing: the beat
//!            11  supply voltage out of tolerance    nothing
//!            12  temperature out of tolerance       nothing
//!            What stands higher in this table goes before what stands lower.
//!
//! One sample made of three frames
//!            SpO2, pulse and status come in frames of their own. Each of the three tells a sample made of
//!            the last of each; what is older than 3 s, one pause of 2 s and half of another, is stale and
//!            not told again. That holds for the status word as well: without one there is no value, since
//!            only the status word knows that the finger is out. A status word that says "not measuring"
//!            thus takes both values away the moment it comes, and what came before it is not told again
//!
//! Certain    nothing: every byte rests on one open implementation, made after another one
//! Inferred   the 2 s (?); that status words come as often as values (?); which bits mean "no value" and
//!            which "doubt" (?); SpO2 0 and above 100, pulse 0 and above 300 are "none" (?); 100 points a
//!            second (?)
//! Unknown    the value for "none"; other identifiers and channels; whether 51 can hold anything else
//! Not used   bits 2, 11 and 12 of the status word
//! Recording  tests/recordings/: chipox (none of it captured)
//! ```

use super::buffer::Buffer;
use super::none;
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Pleth, Poll, Protocol, Quantity,
    Reject,
};
use crate::sample::{Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Doubt, Measured, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "chipox",
    devices: "Corscience/EnviteC ChipOx modules (WM 95135)",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(2),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(Pleth { full_scale: 255, hz: 100 }),
    integrity: Integrity::Checksum,
    certainty: Certainty::OneSource,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// Begins a frame and ends it.
const FLAG: u8 = 0xa8;
/// The byte after it has lost a bit.
const ESCAPE: u8 = 0xa9;
/// The bit that it has lost.
const STUFFED: u8 = 0x20;
/// Measured data.
const CHANNEL: u8 = 0x7f;
/// One more than the longest frame taken: channel, identifier, three times the default payload of the
/// longest, checksum.
const ROOM: usize = 2 + 30 + 2 + 1;
/// Channel, identifier, one byte, checksum.
const SHORTEST: usize = 5;
/// Good frames in a row before anything is told: about one of each kind. After that a bad frame costs only
/// itself: two bytes of checksum do not let chance through.
const LOCK: u32 = 3;
/// How long a frame counts.
const FRESH: Span = Span::secs(3);

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Saturation, %.
    Spo2(u8),
    /// Pulse rate, bpm.
    Pulse(u16),
    /// One point of the waveform.
    Point(u8),
    /// The status word.
    Status(Status),
    /// Points of the waveform.
    Wave(&'a [u8]),
}

impl<'a> Content<'a> {
    /// # Errors
    /// `UnknownType`, or `Length` where the payload is not as long as that type is.
    const fn decode(channel: u8, identifier: u8, payload: &'a [u8]) -> Result<Self, Reject> {
        match (channel, identifier, payload) {
            (CHANNEL, 0x01, [percent]) => Ok(Self::Spo2(*percent)),
            (CHANNEL, 0x02, [high, low]) => Ok(Self::Pulse(u16::from_be_bytes([*high, *low]))),
            (CHANNEL, 0x04, [point]) => Ok(Self::Point(*point)),
            (CHANNEL, 0x08, [high, low]) => Ok(Self::Status(Status(u16::from_be_bytes([*high, *low])))),
            (CHANNEL, 0x51, points) => Ok(Self::Wave(points)),
            (CHANNEL, 0x01 | 0x02 | 0x04 | 0x08, _) => Err(Reject::Length),
            _ => Err(Reject::UnknownType),
        }
    }

    /// Tells the bytes of the frame that carries it, both flags with it, as a module sends them.
    pub fn encode(&self, out: &mut impl FnMut(u8)) {
        match self {
            Self::Spo2(percent) => frame(0x01, &[*percent], out),
            Self::Pulse(bpm) => frame(0x02, &bpm.to_be_bytes(), out),
            Self::Point(point) => frame(0x04, &[*point], out),
            Self::Status(status) => frame(0x08, &status.0.to_be_bytes(), out),
            Self::Wave(points) => frame(0x51, points, out),
        }
    }
}

/// The status word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// The sensor is off, or not connected.
    pub const NO_SENSOR: u16 = 1;
    /// The finger is out.
    pub const FINGER_OUT: u16 = 1 << 1;
    /// A pulse wave was detected.
    pub const BEAT: u16 = 1 << 2;
    /// Searching for a pulse.
    pub const SEARCHING: u16 = 1 << 3;
    /// Searching for more than 15 s.
    pub const SEARCHING_LONG: u16 = 1 << 4;
    /// Low pulsation.
    pub const LOW_PULSATION: u16 = 1 << 5;
    /// Low signal.
    pub const LOW_SIGNAL: u16 = 1 << 6;
    /// Too much ambient light.
    pub const AMBIENT_LIGHT: u16 = 1 << 7;
    /// Too many disturbances.
    pub const DISTURBED: u16 = 1 << 8;
    /// Many motion artefacts.
    pub const MOTION: u16 = 1 << 9;
    /// The sensor is defective.
    pub const SENSOR_DEFECTIVE: u16 = 1 << 10;
    /// A sensor that the module does not know.
    pub const WRONG_SENSOR: u16 = 1 << 13;
    /// The value is outside the measuring range.
    pub const OUT_OF_RANGE: u16 = 1 << 14;

    /// Why there are no numbers.
    fn unmeasured(self) -> Option<Absent> {
        [
            (Self::NO_SENSOR | Self::SENSOR_DEFECTIVE | Self::WRONG_SENSOR, Absent::SensorFault),
            (Self::FINGER_OUT, Absent::SensorOff),
            (Self::SEARCHING_LONG, Absent::NoPulse),
            (Self::SEARCHING, Absent::Searching),
            (Self::OUT_OF_RANGE, Absent::OutOfRange),
        ]
        .into_iter()
        .find_map(|(bits, why)| (self.0 & bits != 0).then_some(why))
    }

    /// Why the numbers are not to be trusted.
    fn doubt(self) -> Option<Doubt> {
        [
            (Self::MOTION, Doubt::Motion),
            (Self::DISTURBED | Self::AMBIENT_LIGHT, Doubt::Artefact),
            (Self::LOW_PULSATION | Self::LOW_SIGNAL, Doubt::LowPerfusion),
        ]
        .into_iter()
        .find_map(|(bits, why)| (self.0 & bits != 0).then_some(why))
    }

    /// What it leaves of a value.
    fn judge<T: Copy>(self, value: Measured<T>) -> Measured<T> {
        match (self.unmeasured(), self.doubt()) {
            (Some(why), _) => Measured::Absent(why),
            (None, Some(doubt)) => value.doubted(doubt),
            (None, None) => value,
        }
    }
}

fn pulse(raw: u16) -> Measured<PulseRate> {
    match raw {
        0 | 301.. => Measured::Absent(Absent::InadequateSignal),
        bpm => Measured::in_range(PulseRate::bpm(bpm)),
    }
}

/// Flag, channel, identifier, payload, checksum, flag.
fn frame(identifier: u8, payload: &[u8], out: &mut impl FnMut(u8)) {
    let mut checksum = Checksum::default();
    out(FLAG);
    for byte in [CHANNEL, identifier].iter().chain(payload) {
        checksum = checksum.add(*byte);
        stuffed(*byte, out);
    }
    stuffed(checksum.high, out);
    stuffed(checksum.low, out);
    out(FLAG);
}

fn stuffed(byte: u8, out: &mut impl FnMut(u8)) {
    if matches!(byte, FLAG | ESCAPE) {
        out(ESCAPE);
        out(byte & !STUFFED);
    } else {
        out(byte);
    }
}

/// The two running bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Checksum {
    high: u8,
    low: u8,
}

impl Checksum {
    fn over(bytes: &[u8]) -> Self {
        bytes.iter().fold(Self::default(), |sum, byte| sum.add(*byte))
    }

    fn add(self, byte: u8) -> Self {
        let (low, carry) = self.low.overflowing_add(byte);
        Self { high: self.high.wrapping_add(carry.into()).wrapping_add(low ^ byte), low }
    }
}

/// What stands between two flags, its stuffing removed.
#[derive(Clone, Debug, Default)]
struct Between {
    bytes: Buffer<ROOM>,
    /// Its length on the wire.
    length: usize,
    escaped: bool,
}

impl Between {
    fn push(&mut self, byte: u8) {
        self.length = self.length.saturating_add(1);
        if core::mem::take(&mut self.escaped) {
            self.bytes.push(byte | STUFFED);
        } else if byte == ESCAPE {
            self.escaped = true;
        } else {
            self.bytes.push(byte);
        }
    }

    fn content(&self) -> Result<Content<'_>, Reject> {
        if self.escaped {
            return Err(Reject::Framing);
        }
        match self.bytes.bytes() {
            bytes if bytes.len() < SHORTEST || self.bytes.is_full() => Err(Reject::Length),
            [body @ .., high, low] if Checksum::over(body) == (Checksum { high: *high, low: *low }) => match body {
                [channel, identifier, payload @ ..] => Content::decode(*channel, *identifier, payload),
                _ => Err(Reject::Length),
            },
            _ => Err(Reject::Checksum),
        }
    }
}

/// What the last frame of a kind says, and when it came; or why that counts no longer.
type Last<T> = Result<(T, Time), Absent>;

/// The last frame of each kind.
#[derive(Clone, Copy, Debug)]
struct Latest {
    spo2: Last<u8>,
    pulse: Last<u16>,
    status: Last<Status>,
}

impl Default for Latest {
    fn default() -> Self {
        let never = Absent::NeverReceived;
        Self { spo2: Err(never), pulse: Err(never), status: Err(never) }
    }
}

impl Latest {
    /// A status word. What was measured before a finger was out is no value of the finger that is back.
    fn status(&mut self, status: Status, at: Time) {
        self.status = Ok((status, at));
        if status.unmeasured().is_some() {
            self.spo2 = self.spo2.and(Err(Absent::Stale));
            self.pulse = self.pulse.and(Err(Absent::Stale));
        }
    }

    fn oximetry(&self, at: Time) -> Oximetry {
        let spo2 = fresh(self.spo2, at).map(none::spo2);
        let pulse = fresh(self.pulse, at).map(pulse);
        Oximetry {
            at,
            spo2: self.judge(spo2, at),
            pulse: self.judge(pulse, at),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }
    }

    /// What the status word leaves of a value; without one there is none.
    fn judge<T: Copy>(&self, value: Result<Measured<T>, Absent>, at: Time) -> Measured<T> {
        match fresh(self.status, at) {
            Ok(status) => status.judge(value.unwrap_or_else(Measured::Absent)),
            Err(why) => Measured::Absent(why),
        }
    }
}

/// What came last, unless it has become stale by `now`.
fn fresh<T>(last: Last<T>, now: Time) -> Result<T, Absent> {
    let (last, at) = last?;
    if now.since(at) > FRESH { Err(Absent::Stale) } else { Ok(last) }
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Chipox {
    /// `None` until the first flag.
    between: Option<Between>,
    latest: Latest,
    in_a_row: u32,
    locked: bool,
    stats: DecodeStats,
}

impl Chipox {
    /// A flag: what went before it has ended, and another frame may begin.
    fn flag(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        let Some(between) = self.between.replace(Between::default()).filter(|between| between.length > 0) else {
            return;
        };
        match between.content() {
            Ok(content) => {
                self.stats.good();
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.locked |= self.in_a_row >= LOCK;
                self.take(content, now, out);
            }
            // A frame all the same.
            Err(Reject::UnknownType) => self.stats.reject(Reject::UnknownType),
            Err(reason) => {
                self.stats.reject(reason);
                self.stats.skip(between.length);
                self.in_a_row = 0;
            }
        }
    }

    fn take(&mut self, content: Content<'_>, at: Time, out: &mut impl FnMut(Sample)) {
        match content {
            Content::Spo2(percent) => self.latest.spo2 = Ok((percent, at)),
            Content::Pulse(bpm) => self.latest.pulse = Ok((bpm, at)),
            Content::Status(status) => self.latest.status(status, at),
            Content::Point(point) => return self.points(&[point], at, out),
            Content::Wave(points) => return self.points(points, at, out),
        }
        if self.locked {
            out(Sample::Oximetry(self.latest.oximetry(at)));
        }
    }

    fn points(&self, points: &[u8], at: Time, out: &mut impl FnMut(Sample)) {
        if self.locked {
            for point in points {
                out(Sample::Pleth { at, value: (*point).into() });
            }
        }
    }
}

impl Driver for Chipox {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            match &mut self.between {
                _ if *byte == FLAG => self.flag(now, out),
                Some(between) => between.push(*byte),
                None => self.stats.skip(1),
            }
        }
    }

    fn poll(&mut self, _: Time, _: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.locked }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

#[cfg(test)]
mod tests;
