//! The packets of the SunTech modules: framing, checksum, what a reply says; and beside it the other
//! direction, requests as a module understands them and replies as it sends them.

use alloc::vec::Vec;

use crate::driver::buffer::Buffer;
use crate::driver::{Outgoing, Reject};
use crate::sample::{CuffFailure, Text};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// Begins a request.
const REQUEST: u8 = 0x3a;
/// Begins a reply.
const REPLY: u8 = 0x3e;
/// The longest reply.
const LONGEST: usize = 0x43;
/// No cuff holds more than this, mmHg; the highest of any overpressure limit is 330.
const HIGHEST: u16 = 400;
/// The cuff pressure of a module that has none to tell.
const NOT_AVAILABLE: u16 = 0xffff;

/// The byte that makes the sum of a packet 0.
#[must_use]
pub fn checksum(packet: &[u8]) -> u8 {
    packet.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte))
}

/// What vitalsd asks of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// `20`: start one determination on an adult.
    Start,
    /// `79 01 00`: abort the one that is under way.
    Abort,
    /// `79 05 00`: the pressure in the cuff.
    CuffPressure,
    /// `79 03 00`: the last result.
    Result,
    /// `79 02 40`: the version strings.
    Versions,
}

impl HostRequest {
    /// Every request.
    pub const ALL: [Self; 5] = [Self::Start, Self::Abort, Self::CuffPressure, Self::Result, Self::Versions];

    /// The request with its checksum.
    #[must_use]
    pub const fn packet(self) -> &'static [u8] {
        match self {
            Self::Start => &[REQUEST, 0x20, 0xa6],
            Self::Abort => &[REQUEST, 0x79, 0x01, 0x00, 0x4c],
            Self::CuffPressure => &[REQUEST, 0x79, 0x05, 0x00, 0x48],
            Self::Result => &[REQUEST, 0x79, 0x03, 0x00, 0x4a],
            Self::Versions => &[REQUEST, 0x79, 0x02, 0x40, 0x0b],
        }
    }

    /// The request as it is sent.
    #[must_use]
    pub fn outgoing(self) -> Outgoing {
        Outgoing::new(self.packet())
    }
}

/// Finds the requests in what a module hears. They carry no length: only whole known ones are found.
#[derive(Clone, Debug, Default)]
pub struct Requests(Buffer<5>);

impl Requests {
    /// Takes one byte; the request that it completes.
    pub fn push(&mut self, byte: u8) -> Option<HostRequest> {
        let found = self.0.complete(byte, &HostRequest::ALL.map(HostRequest::packet))?;
        HostRequest::ALL.get(found).copied()
    }
}

/// The letter of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// `O`: received, and under way.
    Received,
    /// `K`: executed; also told by itself when a determination has ended, well or not.
    Executed,
    /// `A`: aborted.
    Aborted,
    /// `B`: busy.
    Busy,
    /// `E`: an error.
    Error,
    /// `N`: not defined.
    Undefined,
    /// `D`: not recognised.
    Unrecognised,
    /// `S`: the module sleeps.
    Asleep,
    /// `T`: timeout.
    TimedOut,
}

impl Letter {
    /// Every letter.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Executed,
        Self::Aborted,
        Self::Busy,
        Self::Error,
        Self::Undefined,
        Self::Unrecognised,
        Self::Asleep,
        Self::TimedOut,
    ];

    /// As it is sent.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Received => b'O',
            Self::Executed => b'K',
            Self::Aborted => b'A',
            Self::Busy => b'B',
            Self::Error => b'E',
            Self::Undefined => b'N',
            Self::Unrecognised => b'D',
            Self::Asleep => b'S',
            Self::TimedOut => b'T',
        }
    }
}

/// A result as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Determination {
    /// mmHg.
    pub systolic: u16,
    /// mmHg.
    pub diastolic: u16,
    /// mmHg.
    pub mean: u16,
    /// Beats that were counted.
    pub beats: u8,
    /// Not explained.
    pub status: u8,
    /// Not explained.
    pub test_codes: [u8; 8],
    /// bpm; 0: none.
    pub pulse: u8,
    /// Why there is no pressure; 0: there is one.
    pub error: u8,
}

impl Determination {
    /// The pressure, or why there is none.
    ///
    /// # Errors
    /// The module's reason, or `OutOfRange`.
    pub fn pressure(&self) -> Result<BloodPressure, CuffFailure> {
        match failure(self.error) {
            Some(failure) => Err(failure),
            None => BloodPressure::full(self.systolic, self.diastolic, (self.mean != 0).then_some(self.mean))
                .ok_or(CuffFailure::OutOfRange),
        }
    }

    /// The pulse rate, if one was counted.
    #[must_use]
    pub fn pulse(&self) -> Measured<PulseRate> {
        match self.pulse {
            0 => Measured::Absent(Absent::NotMeasured),
            bpm => Measured::in_range(PulseRate::bpm(bpm.into())),
        }
    }
}

/// What an error code stands for; `None`: no error. An older routine of one source writes the codes
/// 85 to 99 as if decimal were hexadecimal: both forms are the same error.
#[must_use]
pub const fn failure(code: u8) -> Option<CuffFailure> {
    Some(match code {
        0x00 => return None,
        0x01 => CuffFailure::NoPulse,
        0x02 => CuffFailure::Motion,
        0x03 => CuffFailure::OutOfRange,
        0x04 | 0x58 | 0x88 => CuffFailure::TotalTimeout,
        0x55 | 0x85 => CuffFailure::Blocked,
        0x56 | 0x86 => CuffFailure::Cancelled,
        0x57 | 0x87 => CuffFailure::PumpTimeout,
        0x59 | 0x89 => CuffFailure::Overpressure,
        0x5a | 0x5b | 0x61 | 0x63 | 0x90 | 0x91 | 0x97 | 0x99 => CuffFailure::DeviceFault,
        code => CuffFailure::Unknown(code),
    })
}

/// The error code of a failure; for what a module has no code, that of a weak signal.
#[must_use]
pub const fn error_of(failure: CuffFailure) -> u8 {
    match failure {
        CuffFailure::Motion | CuffFailure::PressureTimeout => 0x02,
        CuffFailure::OutOfRange => 0x03,
        CuffFailure::TotalTimeout => 0x04,
        CuffFailure::Blocked => 0x55,
        CuffFailure::Cancelled => 0x56,
        CuffFailure::PumpTimeout => 0x57,
        CuffFailure::Overpressure => 0x59,
        CuffFailure::DeviceFault => 0x5a,
        CuffFailure::Unknown(code) => code,
        CuffFailure::NoPulse | CuffFailure::Failed | CuffFailure::NoAnswer | CuffFailure::Repeated => 0x01,
    }
}

/// One reply, understood. Which request it answers it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 4 bytes: a letter.
    Acknowledge(Letter),
    /// 5 bytes: mmHg in the cuff. `None`: not available.
    CuffPressure(Option<u16>),
    /// 6 bytes: how the last action ended. vitalsd does not ask for it.
    ReturnCode(u8),
    /// 24 bytes: the last result.
    Result(Determination),
    /// 67 bytes: the first of the version strings.
    Versions(Text),
}

/// Understands a whole packet.
///
/// # Errors
/// `Checksum`, `Length` or `Content`.
pub fn parse_reply(packet: &[u8]) -> Result<Reply, Reject> {
    if checksum(packet) != 0 {
        return Err(Reject::Checksum);
    }
    match *packet {
        [REPLY, 0x04, letter, _] => {
            let known = Letter::ALL.into_iter().find(|known| known.byte() == letter);
            known.map(Reply::Acknowledge).ok_or(Reject::Content)
        }
        [REPLY, 0x05, low, high, _] => match u16::from_le_bytes([low, high]) {
            NOT_AVAILABLE => Ok(Reply::CuffPressure(None)),
            mmhg if mmhg <= HIGHEST => Ok(Reply::CuffPressure(Some(mmhg))),
            _ => Err(Reject::Content),
        },
        [REPLY, 0x06, _, _, code, _] => Ok(Reply::ReturnCode(code)),
        [
            REPLY,
            0x18,
            s0,
            s1,
            d0,
            d1,
            beats,
            status,
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            t6,
            t7,
            pulse,
            _,
            m0,
            m1,
            error,
            _,
            _,
            _,
        ] => Ok(Reply::Result(Determination {
            systolic: u16::from_le_bytes([s0, s1]),
            diastolic: u16::from_le_bytes([d0, d1]),
            mean: u16::from_le_bytes([m0, m1]),
            beats,
            status,
            test_codes: [t0, t1, t2, t3, t4, t5, t6, t7],
            pulse,
            error,
        })),
        [REPLY, 0x43, ref strings @ .., _] if packet.len() == LONGEST => {
            Ok(Reply::Versions(Text::from_device(strings.split(|byte| *byte == 0).next().unwrap_or_default())))
        }
        _ => Err(Reject::Length),
    }
}

/// What the bytes before a packet, or a packet, come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A reply.
    Reply(Reply),
    /// No reply begins with the first of the bytes. `None`: nor would one; else why not.
    Skipped(Option<Reject>),
}

/// Finds the replies in a stream of bytes.
#[derive(Clone, Debug, Default)]
pub struct Packets(Buffer<LONGEST>);

impl Packets {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// The packet that has begun will not end: its first byte is given up. `false`: none has begun.
    pub fn give_up(&mut self) -> bool {
        let begun = !self.0.bytes().is_empty();
        self.0.consume(1);
        begun
    }

    /// What is next in the bytes taken so far; `None`: that is not known yet. Of a packet that is none only the first
    /// byte is given up: another may begin in it.
    pub fn find(&mut self) -> Option<Found> {
        let (found, used) = match *self.0.bytes() {
            [] | [REPLY] => return None,
            [REPLY, length @ (0x04 | 0x05 | 0x06 | 0x18 | 0x43), ..] => {
                match parse_reply(self.0.bytes().get(..length.into())?) {
                    Ok(reply) => (Found::Reply(reply), length.into()),
                    Err(reason) => (Found::Skipped(Some(reason)), 1),
                }
            }
            [REPLY, ..] => (Found::Skipped(Some(Reject::Length)), 1),
            _ => (Found::Skipped(None), 1),
        };
        self.0.consume(used);
        Some(found)
    }
}

/// A packet of a module with `data` in it.
#[must_use]
pub fn reply(data: &[u8]) -> Vec<u8> {
    let length = data.len().saturating_add(3);
    let mut packet = Vec::with_capacity(length);
    packet.extend_from_slice(&[REPLY, u8::try_from(length).unwrap_or(u8::MAX)]);
    packet.extend_from_slice(data);
    packet.push(checksum(&packet));
    packet
}

/// An acknowledgement.
#[must_use]
pub fn acknowledge(letter: Letter) -> Vec<u8> {
    reply(&[letter.byte()])
}

/// The pressure in the cuff, mmHg; `None`: not available.
#[must_use]
pub fn cuff_pressure(mmhg: Option<u16>) -> Vec<u8> {
    reply(&mmhg.unwrap_or(NOT_AVAILABLE).to_le_bytes())
}

/// The last result.
#[must_use]
pub fn result(result: &Determination) -> Vec<u8> {
    let Determination { systolic, diastolic, mean, beats, status, test_codes, pulse, error } = result;
    let mut data = Vec::with_capacity(21);
    data.extend_from_slice(&systolic.to_le_bytes());
    data.extend_from_slice(&diastolic.to_le_bytes());
    data.extend_from_slice(&[*beats, *status]);
    data.extend_from_slice(test_codes);
    data.extend_from_slice(&[*pulse, 0]);
    data.extend_from_slice(&mean.to_le_bytes());
    data.extend_from_slice(&[*error, 0, 0]);
    reply(&data)
}

/// The version strings, of which only the first is known.
#[must_use]
pub fn versions(first: &str) -> Vec<u8> {
    let mut data = [0; LONGEST - 3];
    for (to, from) in data.iter_mut().zip(first.bytes()) {
        *to = from;
    }
    reply(&data)
}
