//! The lines of the OEM boards: framing, what a line says; and beside it the other direction, requests as
//! a board understands them and lines as it sends them.

use alloc::vec::Vec;

use crate::driver::buffer::Buffer;
use crate::driver::text::decimal;
use crate::driver::{Outgoing, Reject};
use crate::sample::CuffFailure;
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const CR: u8 = b'\r';
/// The longest line, between STX and ETX.
const LONGEST: usize = 39;
/// No cuff holds more than this, mmHg; the highest of any overpressure limit is 330.
const HIGHEST: u16 = 400;
/// The state of a board that measures.
pub const MEASURING: u8 = 3;

/// What vitalsd asks of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// `01`: start one determination.
    Start,
    /// `X`: abort it.
    Abort,
    /// `18`: the status and the last result.
    Status,
}

impl HostRequest {
    /// Every request.
    pub const ALL: [Self; 3] = [Self::Start, Self::Abort, Self::Status];

    /// The request as it is sent.
    #[must_use]
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Start => b"\x0201;;D7\x03",
            Self::Abort => b"X",
            Self::Status => b"\x0218;;DF\x03",
        }
    }

    /// The request, for a driver to send.
    #[must_use]
    pub fn outgoing(self) -> Outgoing {
        Outgoing::new(self.bytes())
    }
}

/// The check digits of a request: the sum of what stands before them.
#[must_use]
pub fn check_digits(text: &[u8]) -> [u8; 2] {
    let sum = text.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    [sum >> 4, sum & 0x0f].map(|digit| match digit {
        0..=9 => b'0'.saturating_add(digit),
        letter => b'A'.saturating_add(letter.saturating_sub(10)),
    })
}

/// Finds the requests in what a board hears.
#[derive(Clone, Debug, Default)]
pub struct Requests(Buffer<8>);

impl Requests {
    /// Takes one byte; the request that it completes.
    pub fn push(&mut self, byte: u8) -> Option<HostRequest> {
        let found = self.0.complete(byte, &HostRequest::ALL.map(HostRequest::bytes))?;
        HostRequest::ALL.get(found).copied()
    }
}

/// The status line as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What the board does, one digit.
    pub state: u8,
    /// Whom it measures on: 0 an adult, 1 a neonate.
    pub patient: u8,
    /// How the last determination ended, two digits; 0: nothing to tell.
    pub message: u8,
    /// Systolic, diastolic, mean, mmHg.
    pub reading: Option<(u16, u16, u16)>,
    /// bpm.
    pub pulse: Option<u16>,
    /// Not explained, four digits.
    pub time: Option<u16>,
}

impl Status {
    /// The pressure, or why there is none.
    ///
    /// # Errors
    /// The board's reason; `DeviceFault` if it measured as on a neonate; or `OutOfRange`.
    pub fn pressure(&self) -> Result<BloodPressure, CuffFailure> {
        match (self.message, self.reading) {
            (0, None) => Err(CuffFailure::Cancelled),
            (0, Some(_)) if self.patient != 0 => Err(CuffFailure::DeviceFault),
            (0, Some((systolic, diastolic, mean))) => {
                BloodPressure::full(systolic, diastolic, (mean != 0).then_some(mean)).ok_or(CuffFailure::OutOfRange)
            }
            (message, _) => Err(failure(message)),
        }
    }

    /// The pulse rate, if one was counted.
    #[must_use]
    pub fn pulse(&self) -> Measured<PulseRate> {
        self.pulse.map_or(Measured::Absent(Absent::NotMeasured), |bpm| Measured::in_range(PulseRate::bpm(bpm)))
    }
}

/// What the message codes stand for.
#[must_use]
pub const fn failure(message: u8) -> CuffFailure {
    match message {
        // Interrupted, it is not said by whom: to be tried again.
        5 => CuffFailure::Failed,
        // Too loose, leakage, loss of pressure.
        6..=8 => CuffFailure::PumpTimeout,
        9 => CuffFailure::NoPulse,
        10 => CuffFailure::OutOfRange,
        11 | 13 => CuffFailure::Motion,
        12 => CuffFailure::Overpressure,
        2 | 15 => CuffFailure::DeviceFault,
        code => CuffFailure::Unknown(code),
    }
}

/// The message code of a failure; for what a board has no code, that of an interruption.
#[must_use]
pub const fn message_of(failure: CuffFailure) -> u8 {
    match failure {
        CuffFailure::PumpTimeout => 7,
        CuffFailure::NoPulse => 9,
        CuffFailure::OutOfRange => 10,
        CuffFailure::Motion | CuffFailure::PressureTimeout => 11,
        CuffFailure::Overpressure => 12,
        CuffFailure::DeviceFault => 15,
        CuffFailure::Cancelled => 0,
        CuffFailure::Unknown(code) => code,
        CuffFailure::Failed
        | CuffFailure::TotalTimeout
        | CuffFailure::Blocked
        | CuffFailure::NoAnswer
        | CuffFailure::Repeated => 5,
    }
}

/// What a board says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// What is in the cuff.
    Cuff {
        /// mmHg.
        mmhg: u16,
        /// 0, or the cuff does not fit the patient mode.
        misfit: u8,
        /// What the board does.
        state: u8,
    },
    /// `999`: the determination has ended.
    Finished,
    /// Status and last result.
    Status(Status),
}

/// Understands what stands between STX and ETX. Its kind is known by its length.
///
/// # Errors
/// `Length`, `UnknownType`, `Framing` (a separator is not where it must be) or `Content`.
pub fn parse(text: &[u8]) -> Result<Line, Reject> {
    match *text {
        [b'9', b'9', b'9'] => Ok(Line::Finished),
        [_, _, _] => Err(Reject::UnknownType),
        [p0, p1, p2, b'C', misfit, b'S', state] => Ok(Line::Cuff {
            mmhg: number(&[p0, p1, p2]).ok().filter(|mmhg| *mmhg <= HIGHEST).ok_or(Reject::Content)?,
            misfit: digits(&[misfit])?,
            state: digits(&[state])?,
        }),
        [_, _, _, _, _, _, _] => Err(Reject::Framing),
        #[rustfmt::skip]
        [b'S', state, b';', b'A', patient, b';', b'C', c0, c1, b';', b'M', m0, m1, b';',
         b'P', s0, s1, s2, d0, d1, d2, p0, p1, p2, b';', b'R', r0, r1, r2, b';', b'T', t0, t1, t2, t3, b';', b';', _, _] => {
            // The cycle mode is read for its form only.
            digits(&[c0, c1])?;
            let reading = match [s0, s1, s2, d0, d1, d2, p0, p1, p2] {
                [b'-', b'-', b'-', b'-', b'-', b'-', b'-', b'-', b'-'] => None,
                _ => Some((number(&[s0, s1, s2])?, number(&[d0, d1, d2])?, number(&[p0, p1, p2])?)),
            };
            Ok(Line::Status(Status {
                state: digits(&[state])?,
                patient: digits(&[patient])?,
                message: digits(&[m0, m1])?,
                reading,
                pulse: number_or_dashes(&[r0, r1, r2])?,
                time: number_or_dashes(&[t0, t1, t2, t3])?,
            }))
        }
        _ if text.len() == LONGEST => Err(Reject::Framing),
        _ => Err(Reject::Length),
    }
}

fn number(text: &[u8]) -> Result<u16, Reject> {
    decimal(text).ok_or(Reject::Content)
}

fn number_or_dashes(text: &[u8]) -> Result<Option<u16>, Reject> {
    if text.iter().all(|byte| *byte == b'-') { Ok(None) } else { number(text).map(Some) }
}

/// One digit or two.
fn digits(text: &[u8]) -> Result<u8, Reject> {
    number(text)?.try_into().map_err(|_| Reject::Content)
}

/// What a byte of the stream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Part of a line, or of what stands between two.
    Nothing,
    /// It ended a line.
    Line(Line),
    /// So many bytes belong to no line. `None`: they never looked like one.
    Skipped(usize, Option<Reject>),
}

/// Finds the lines in a stream of bytes.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    text: Buffer<LONGEST>,
    /// STX has come.
    begun: bool,
}

impl Lines {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Heard {
        let length = self.text.bytes().len();
        match byte {
            STX => {
                self.text.clear();
                if core::mem::replace(&mut self.begun, true) {
                    return Heard::Skipped(length.saturating_add(1), Some(Reject::Framing));
                }
            }
            CR | b'\n' if !self.begun => {}
            _ if !self.begun => return Heard::Skipped(1, None),
            ETX => {
                self.begun = false;
                return match parse(self.text.bytes()) {
                    Ok(line) => Heard::Line(line),
                    Err(reason) => Heard::Skipped(length.saturating_add(2), Some(reason)),
                };
            }
            b' '..=b'~' if !self.text.is_full() => self.text.push(byte),
            _ => {
                self.begun = false;
                let reason = if self.text.is_full() { Reject::Length } else { Reject::Framing };
                return Heard::Skipped(length.saturating_add(2), Some(reason));
            }
        }
        Heard::Nothing
    }
}

/// `text` as a board sends it.
#[must_use]
pub fn line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len().saturating_add(3));
    line.push(STX);
    line.extend_from_slice(text);
    line.extend_from_slice(&[ETX, CR]);
    line
}

/// What is in the cuff of a board that measures, mmHg.
#[must_use]
pub fn cuff_line(mmhg: u16) -> Vec<u8> {
    line(alloc::format!("{mmhg:03}C0S{MEASURING}").as_bytes())
}

/// The end of a determination.
#[must_use]
pub fn finished_line() -> Vec<u8> {
    line(b"999")
}

/// The status in manual mode, with check digits by the rule of the requests.
#[must_use]
pub fn status_line(status: &Status) -> Vec<u8> {
    let Status { state, patient, message, reading, pulse, time } = status;
    let mut text = alloc::format!("S{state};A{patient};C00;M{message:02};").into_bytes();
    match reading {
        Some((systolic, diastolic, mean)) => {
            text.extend(alloc::format!("P{systolic:03}{diastolic:03}{mean:03};").into_bytes());
        }
        None => text.extend(b"P---------;"),
    }
    text.extend(pulse.map_or_else(|| b"R---;".to_vec(), |bpm| alloc::format!("R{bpm:03};").into_bytes()));
    text.extend(time.map_or_else(|| b"T----;;".to_vec(), |time| alloc::format!("T{time:04};;").into_bytes()));
    let check = check_digits(&text);
    text.extend(check);
    line(&text)
}
