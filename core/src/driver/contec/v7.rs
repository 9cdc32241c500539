//! Contec "communication protocol of pulse oximeter V7.0".
//!
//! ```text
//! Devices    CMS50D+ firmware 4.6, later CMS50E, CMS50F 3.7, CMS50EW/FW/IW/H/I, CMS60C/DW, Pulox PO-250
//! Line       115200 8N1, no flow control
//! Speaks     when told to: A1 starts the live data, AF every 5 s keeps them coming
//! Rate       60 packages a second (60 +/- 2)
//! Integrity  framing only: the first byte of a package has bit 7 clear, all others have it set
//!
//! Package    0ttttttt 1hhhhhhh 1ddddddd 1ddddddd ...
//!            t  type, which fixes the length
//!            h  "high byte": its bit k is bit 7 of data byte k (k = 0..6); who forgets it shows a
//!               pulse of 150 as 22
//!            d  bits 0..6 of the data bytes
//!
//! Type  bytes                                       Type  bytes
//! 01    9  live data                                0B    4  answer to a command (command, reason)
//! 02    9  model (part, 6 characters), two of them  0C    2  idle, answer to a stop
//! 03    9  vendor (7 characters)                    0D    3  disconnect notice (reason)
//! 04    9  device id (7 characters)                 0E    3  PI in live data? 00 yes, 01 no
//! 05    9  user                                     0F    8  stored data, 3 x (SpO2, pulse)
//! 06    4  version                                  10    3  number of users
//! 07    8  date of a stored record                  11    9  has stored data?
//! 08    8  length of a stored record                12    8  time of a stored record
//! 09    6  stored data with PI                      13 14 9  answers to B3
//! 0A    4  number of stored records                 15    9  names of stored records
//! Reason: 00 done, 01 shutting down, 02 user changed, 03 recording, 04 not deleted, 05 not supported
//!
//! Live data, after the high byte has been put back; n = byte of the package
//!   2  pbls ssss   p probe error or finger out, b beat, l SpO2 low, s (bit 4) searching too long,
//!                  ssss signal strength 0..8
//!   3  fwww wwww   f searching for a pulse, w waveform 0..127
//!   4  000i gggg   i PI is invalid, g bar graph 0..15
//!   5  pulse, bpm, 1..254; none: FF by the text, 00 in captures
//!   6  SpO2, %, 1..100; none: 7F by the text, 00 in captures
//!   7  PI x 100, low byte, 8 high byte; 1..2200; none: FFFF
//!
//! Command    7D 81 cc 80 80 80 80 80 80; 81 because cc has bit 7 set
//!            A1 start, A2 stop, AF keep-alive. AE erases the memory: never sent.
//!
//! Certain    package form, lengths, live layout, start, rate: two sources and more, captures
//! Disputed   the value for "none" (both are taken); whether AF is needed: the text asks for it every
//!            5 s, one device stopped 30 s after A1 without, one author sends A1 anew every 54 s
//! One source types 02, 03, 06, 13, 14 (captures, not in the text)
//! Inferred   A1 anew when no live data have come for 2 s
//! Unknown    whether bits 5..7 of byte 4 are 0 in every clone (not checked, therefore); what signal
//!            strength makes the numbers doubtful (none is, therefore)
//! Recording  tests/recordings/: contec-v7 (captured) and contec-v7-computed
//! ```

use super::{CADENCE, LineSettings, PLETH, Quantity, Span, Time};
use crate::driver::none;
use crate::driver::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, Outgoing, OwnAlarm, Poll, Protocol, Reject,
};
use crate::sample::{IdentityPart, Notice, Oximetry, Sample, Text};
use crate::vitals::{Absent, Measured, PerfusionIndex};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "contec-v7",
    devices: "Contec CMS50D+ (firmware 4.6), CMS50E, CMS50F, CMS50EW/FW/IW/H/I, CMS60C; Pulox PO-250",
    lines: &[LineSettings::n1(115_200)],
    kind: Kind::Start,
    cadence: CADENCE,
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::PerfusionIndex, Quantity::Pleth],
    pleth: Some(PLETH),
    integrity: Integrity::Framing,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Unreported,
    cuff: None,
    probe_request: Some(&command(START)),
};

/// Command: send live data.
pub const START: u8 = 0xa1;
/// Command: stop sending live data.
pub const STOP: u8 = 0xa2;
/// Command: the host is still there.
pub const KEEP_ALIVE: u8 = 0xaf;

const KEEP_ALIVE_EVERY: Span = Span::secs(5);
const RESTART_AFTER: Span = Span::secs(2);
/// One package can be chance; a second one straight after it is not.
const LOCK: u32 = 2;

/// The bytes of a package of that type.
const fn length(kind: u8) -> Option<usize> {
    match kind {
        0x01..=0x05 | 0x11 | 0x13..=0x15 => Some(9),
        0x07 | 0x08 | 0x0f | 0x12 => Some(8),
        0x09 => Some(6),
        0x06 | 0x0a | 0x0b => Some(4),
        0x0d | 0x0e | 0x10 => Some(3),
        0x0c => Some(2),
        _ => None,
    }
}

/// Live data as they stand in a package: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Signal strength, 0..=8.
    pub strength: u8,
    /// No pulse found for long.
    pub searching_too_long: bool,
    /// The device's own low saturation mark.
    pub low_spo2: bool,
    /// Set in two packages a beat.
    pub beat: bool,
    /// Probe error, or no finger in it.
    pub probe_error: bool,
    /// The waveform, 0..=127.
    pub pleth: u8,
    /// Searching for a pulse.
    pub searching: bool,
    /// Bar graph, 0..=15.
    pub bar: u8,
    /// Pulse rate, bpm; 0 and 255: none.
    pub pulse: u8,
    /// Saturation, %; 0 and above 100: none.
    pub spo2: u8,
    /// Perfusion index in hundredths of a percent; `None`: marked as invalid.
    pub perfusion_index: Option<u16>,
}

impl Frame {
    pub(super) const fn unpack(data: [u8; 7]) -> Self {
        let [flags, wave, bar, pulse, spo2, pi_low, pi_high] = data;
        Self {
            strength: flags & 0x0f,
            searching_too_long: flags & 0x10 != 0,
            low_spo2: flags & 0x20 != 0,
            beat: flags & 0x40 != 0,
            probe_error: flags & 0x80 != 0,
            pleth: wave & 0x7f,
            searching: wave & 0x80 != 0,
            bar: bar & 0x0f,
            pulse,
            spo2,
            perfusion_index: if bar & 0x10 == 0 { Some(u16::from_le_bytes([pi_low, pi_high])) } else { None },
        }
    }

    /// Why there are no numbers, if the flags say so. "Searching too long" is more than "searching":
    /// the probe is on, and the device has given up (row 25).
    const fn unmeasured(&self) -> Option<Absent> {
        match self {
            Self { probe_error: true, .. } => Some(Absent::SensorOff),
            Self { searching_too_long: true, .. } => Some(Absent::NoPulse),
            Self { searching: true, .. } => Some(Absent::Searching),
            _ => None,
        }
    }

    fn oximetry(&self, at: Time) -> Oximetry {
        let perfusion_index = match self.perfusion_index {
            None | Some(u16::MAX) => Measured::Absent(Absent::NotMeasured),
            Some(0) => Measured::Absent(Absent::InadequateSignal),
            Some(pi) => Measured::in_range(PerfusionIndex::hundredths(pi)),
        };
        match self.unmeasured() {
            None => Oximetry { at, spo2: none::spo2(self.spo2), pulse: none::pulse(self.pulse), perfusion_index },
            Some(why) => Oximetry {
                at,
                spo2: Measured::Absent(why),
                pulse: Measured::Absent(why),
                perfusion_index: match perfusion_index {
                    Measured::Absent(Absent::NotMeasured) => perfusion_index,
                    _ => Measured::Absent(why),
                },
            },
        }
    }
}

/// A package of live data, as a device sends it.
#[must_use]
pub fn realtime(frame: &Frame) -> [u8; 9] {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let [pi_low, pi_high] = frame.perfusion_index.unwrap_or(u16::MAX).to_le_bytes();
    pack(
        0x01,
        [
            frame.strength & 0x0f
                | flag(frame.searching_too_long, 0x10)
                | flag(frame.low_spo2, 0x20)
                | flag(frame.beat, 0x40)
                | flag(frame.probe_error, 0x80),
            frame.pleth & 0x7f | flag(frame.searching, 0x80),
            frame.bar & 0x0f | flag(frame.perfusion_index.is_none(), 0x10),
            frame.pulse,
            frame.spo2,
            pi_low,
            pi_high,
        ],
    )
}

/// A command, as the host sends it.
#[must_use]
pub const fn command(code: u8) -> [u8; 9] {
    [0x7d, 0x80 | code >> 7, code | 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]
}

/// The code of the command in a package of nine bytes, as a device understands it.
#[must_use]
pub fn parse_command(package: &[u8]) -> Option<u8> {
    let wire: &[u8; 9] = package.try_into().ok()?;
    let [kind, rest @ ..] = wire;
    let [code, ..] = unpack(wire);
    (*kind == 0x7d && rest.iter().all(|byte| byte & 0x80 != 0)).then_some(code)
}

/// Puts bit 7 of the seven data bytes into the high byte.
fn pack(kind: u8, data: [u8; 7]) -> [u8; 9] {
    let high = data.iter().rev().fold(0, |high, byte| high << 1 | byte >> 7);
    let [a, b, c, d, e, f, g] = data.map(|byte| byte | 0x80);
    [kind, high | 0x80, a, b, c, d, e, f, g]
}

/// Gives the data bytes their bit 7 back. Data that a short package has not are 0 on the wire.
pub(super) const fn unpack(wire: &[u8; 9]) -> [u8; 7] {
    const fn whole(byte: u8, high: u8) -> u8 {
        byte & 0x7f | high << 7
    }
    let [_, h, a, b, c, d, e, f, g] = *wire;
    [
        whole(a, h),
        whole(b, h >> 1),
        whole(c, h >> 2),
        whole(d, h >> 3),
        whole(e, h >> 4),
        whole(f, h >> 5),
        whole(g, h >> 6),
    ]
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct V7 {
    /// The package under way; what has not come yet is 0.
    package: [u8; 9],
    /// How many of its bytes are there.
    have: usize,
    /// How many it will have.
    want: usize,
    /// The model's name so far: it comes in two packages.
    model: [u8; 12],
    /// When live data are to be asked for; `None`: the port was never opened.
    start: Option<Time>,
    /// When the next keep-alive is due.
    keep_alive: Time,
    in_a_row: u32,
    stats: DecodeStats,
}

impl V7 {
    fn take(&mut self, byte: u8, now: Time, out: &mut impl FnMut(Sample)) {
        if byte & 0x80 == 0 {
            self.abandon();
            self.begin(byte);
        } else if self.have == 0 {
            self.stats.skip(1);
            self.in_a_row = 0;
        } else if let Some(to) = self.package.get_mut(self.have) {
            *to = byte;
            self.have = self.have.saturating_add(1);
        }
        if self.have > 0 && self.have == self.want {
            self.have = 0;
            self.stats.good();
            self.in_a_row = self.in_a_row.saturating_add(1);
            self.package_complete(now, out);
        }
    }

    /// A byte with bit 7 clear is the type of a package.
    fn begin(&mut self, kind: u8) {
        if let Some(want) = length(kind) {
            self.package = [kind, 0, 0, 0, 0, 0, 0, 0, 0];
            (self.have, self.want) = (1, want);
        } else {
            self.stats.reject(Reject::UnknownType);
            self.stats.skip(1);
            self.in_a_row = 0;
        }
    }

    /// Another package begins before this one is whole.
    fn abandon(&mut self) {
        if self.have > 0 {
            self.stats.reject(Reject::Framing);
            self.stats.skip(self.have);
            (self.have, self.in_a_row) = (0, 0);
        }
    }

    fn package_complete(&mut self, at: Time, out: &mut impl FnMut(Sample)) {
        let [kind, ..] = self.package;
        let data = unpack(&self.package);
        if kind == 0x01 {
            // A start that is due is sent all the same: the stream may be the rest of an older one.
            self.start = self.start.map(|start| if at < start { at + RESTART_AFTER } else { start });
        }
        if !self.lock().locked {
            return;
        }
        match (kind, data) {
            (0x01, data) => {
                let frame = Frame::unpack(data);
                out(Sample::Oximetry(frame.oximetry(at)));
                out(Sample::Pleth { at, value: frame.pleth.into() });
            }
            (0x02, [part, text @ ..]) => self.model(part, text, at, out),
            (0x03, text) => identity(IdentityPart::Vendor, &text, at, out),
            (0x04, text) => identity(IdentityPart::DeviceId, &text, at, out),
            (0x0b, [_, 0x00, ..]) => {}
            (0x0b, [_, 0x01, ..]) | (0x0d, _) => out(Sample::Notice { at, notice: Notice::ShuttingDown }),
            (0x0b, _) => out(Sample::Notice { at, notice: Notice::Refused }),
            // Nobody asked for what is stored, and the rest says nothing about the patient.
            _ => {}
        }
    }

    /// Part 0 is the first half of the name, any other the second; each is told, the second with
    /// what went before. Without the first it would be another name.
    fn model(&mut self, part: u8, text: [u8; 6], at: Time, out: &mut impl FnMut(Sample)) {
        let (first, second) = self.model.split_at_mut(6);
        if part == 0 {
            first.copy_from_slice(&text);
            second.fill(0);
        } else if *first == [0; 6] {
            return;
        } else {
            second.copy_from_slice(&text);
        }
        identity(IdentityPart::Model, &self.model, at, out);
    }
}

fn identity(part: IdentityPart, text: &[u8], at: Time, out: &mut impl FnMut(Sample)) {
    out(Sample::Identity { at, part, text: Text::from_device(text) });
}

impl Driver for V7 {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, now: Time) {
        (self.have, self.in_a_row) = (0, 0);
        self.model = [0; 12];
        self.start = Some(now);
        self.keep_alive = now + KEEP_ALIVE_EVERY;
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.take(*byte, now, out);
        }
    }

    fn poll(&mut self, now: Time, _: &mut impl FnMut(Sample)) -> Poll {
        let Some(start) = self.start else { return Poll::default() };
        let mut send = None;
        if now >= start {
            self.start = Some(now + RESTART_AFTER);
            send = Some(START);
        } else if now >= self.keep_alive {
            self.keep_alive = now + KEEP_ALIVE_EVERY;
            send = Some(KEEP_ALIVE);
        }
        Poll {
            send: send.map(|code| Outgoing::new(&command(code))),
            next: self.start.map(|start| start.min(self.keep_alive)),
        }
    }

    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row >= LOCK }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
