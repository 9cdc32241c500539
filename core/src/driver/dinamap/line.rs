//! The lines of the DINAMAP protocol: framing, checksum, what a reply says; and beside it the other
//! direction, requests as a monitor understands them and replies as it sends them.

use alloc::vec::Vec;

use crate::driver::{Outgoing, Reject};
use crate::time::Span;
use crate::vitals::BloodPressure;

/// The unit identifier that starts every line, both ways.
const UNIT: u8 = b' ';
const CR: u8 = b'\r';

/// The two checksum characters of a line from its unit identifier to its last data character.
#[must_use]
pub fn checksum(line: &[u8]) -> [u8; 2] {
    let sum = line.iter().fold(0_u16, |sum, byte| {
        let sum = sum.saturating_add(u16::from(byte.saturating_sub(b' '))).saturating_add(1);
        if sum > 0xfff { sum.saturating_sub(0xfff) } else { sum }
    });
    let [_, low] = (sum & 0x3f).to_be_bytes();
    let [_, high] = (sum >> 6).to_be_bytes();
    [b' '.saturating_add(high), b' '.saturating_add(low)]
}

/// What a host asks of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRequest {
    /// `NC0`: start one determination.
    Start,
    /// `ND`: cancel the one that is under way.
    Cancel,
    /// `NA`: the state of the cuff and the last reading.
    ReadPressure,
    /// `RC`: the pulse rate as the cuff counted it.
    ReadPulse,
    /// `OA`: the saturation. vitalsd does not ask for it.
    ReadSpo2,
}

impl HostRequest {
    const ALL: [Self; 5] = [Self::Start, Self::Cancel, Self::ReadPressure, Self::ReadPulse, Self::ReadSpo2];

    /// The request with its checksum, without a line end.
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Start => b" NC0!E",
            Self::Cancel => b" ND!5",
            Self::ReadPressure => b" NA!2",
            Self::ReadPulse => b" RC!8",
            Self::ReadSpo2 => b" OA!3",
        }
    }

    /// The request as it is sent: the CR before it flushes what the monitor may have half read.
    #[must_use]
    pub fn line(self) -> Outgoing {
        let mut line = [CR; 16];
        let text = self.text();
        for (to, from) in line.iter_mut().skip(1).zip(text) {
            *to = *from;
        }
        Outgoing::new(line.get(..text.len().saturating_add(2)).unwrap_or_default())
    }
}

/// The request in a line without its CR; `None`: none of these, or the checksum does not fit.
#[must_use]
pub fn parse_request(line: &[u8]) -> Option<HostRequest> {
    HostRequest::ALL.into_iter().find(|request| request.text() == line)
}

/// The status of an NA reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0: a determination is under way; the pressures are those of the one before.
    Busy,
    /// 1: the last determination ended well.
    Done,
    /// 2: not used by any known monitor.
    Unused,
    /// 3..=9: the last determination ended without a pressure.
    Failed(u8),
}

/// What an NA reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NibpReply {
    /// What the cuff does, or how it ended.
    pub status: Status,
    /// Time since the last determination; `None`: no recent one.
    pub age: Option<Span>,
    /// mmHg; 0: none.
    pub systolic: u16,
    /// mmHg; 0: none.
    pub diastolic: u16,
    /// mmHg; 0: none.
    pub mean: u16,
}

/// From this age on a reply is taken to have no recent reading: the count ends here, and a count that
/// stood still would make the same reading ever newer.
const OLDEST: u64 = 5_400;

impl NibpReply {
    /// The pressures, if in range and in order; a missing mean or a mean alone is no fault.
    #[must_use]
    pub fn pressure(&self) -> Option<BloodPressure> {
        match (self.systolic, self.diastolic, self.mean) {
            (0, 0, mean) => BloodPressure::mean_only(mean),
            (systolic, diastolic, mean) => BloodPressure::full(systolic, diastolic, (mean != 0).then_some(mean)),
        }
    }
}

/// One reply, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// ` NC`: the start was taken.
    Started,
    /// ` ND`: the cancel was taken.
    Cancelled,
    /// ` NA`: the cuff.
    Pressure(NibpReply),
    /// ` RC`: a rate. `None`: no data, or not from the cuff.
    Pulse(Option<u16>),
}

/// Understands a line without its CR.
///
/// What follows ` NC` and ` ND` is not documented: those are taken without looking further. All
/// others must have their checksum right.
pub fn parse_reply(line: &[u8]) -> Result<Reply, Reject> {
    match line {
        [UNIT, b'N', b'C', ..] => return Ok(Reply::Started),
        [UNIT, b'N', b'D', ..] => return Ok(Reply::Cancelled),
        _ => {}
    }
    let Some((body, sum)) = line.split_last_chunk::<2>() else { return Err(Reject::Length) };
    if checksum(body) != *sum {
        return Err(Reject::Checksum);
    }
    match body {
        [UNIT, b'N', b'A', data @ ..] => nibp(data).map(Reply::Pressure),
        [UNIT, b'R', b'C', data @ ..] => rate(data).map(Reply::Pulse),
        _ => Err(Reject::UnknownType),
    }
}

/// `a b c dddd eee fff ggg`: status, patient, type, age, systolic, diastolic, mean.
fn nibp(data: &[u8]) -> Result<NibpReply, Reject> {
    let data: &[u8; 16] = data.try_into().map_err(|_| Reject::Length)?;
    let [status, _patient, _kind, d0, d1, d2, d3, s0, s1, s2, p0, p1, p2, m0, m1, m2] = *data;
    let status = match status {
        b'0' => Status::Busy,
        b'1' => Status::Done,
        b'2' => Status::Unused,
        code @ b'3'..=b'9' => Status::Failed(code & 0x0f),
        _ => return Err(Reject::Content),
    };
    let age = u64::from(number(&[d0, d1, d2, d3])?);
    Ok(NibpReply {
        status,
        age: (age < OLDEST).then_some(Span::secs(age)),
        systolic: number_or_none(&[s0, s1, s2])?,
        diastolic: number_or_none(&[p0, p1, p2])?,
        mean: number_or_none(&[m0, m1, m2])?,
    })
}

/// `a bbb`: source (2 oximeter, 3 cuff), rate. What another source counted is not the cuff's.
fn rate(data: &[u8]) -> Result<Option<u16>, Reject> {
    let data: &[u8; 4] = data.try_into().map_err(|_| Reject::Length)?;
    let [source, b0, b1, b2] = *data;
    let rate = number_or_none(&[b0, b1, b2])?;
    Ok((source == b'3' && rate != 0).then_some(rate))
}

/// Decimal digits; at most four, so that nothing can overflow.
fn number(digits: &[u8]) -> Result<u16, Reject> {
    digits.iter().try_fold(0_u16, |number, digit| match digit {
        b'0'..=b'9' => Ok(number.saturating_mul(10).saturating_add(u16::from(digit & 0x0f))),
        _ => Err(Reject::Content),
    })
}

/// As [`number`], with `-99` for "no data", which is 0 here.
fn number_or_none(digits: &[u8; 3]) -> Result<u16, Reject> {
    if digits == b"-99" { Ok(0) } else { number(digits) }
}

/// Collects bytes to lines. CR ends a line; LF and empty lines are nothing.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    line: [u8; 32],
    /// Bytes since the last CR, more than fit included.
    have: usize,
}

/// Bytes up to a CR.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    bytes: [u8; 32],
    /// How many there were, more than fit included.
    pub len: usize,
}

impl Line {
    /// The line; `None`: longer than any of this protocol.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }
}

impl Lines {
    /// Forgets the line under way.
    pub fn clear(&mut self) {
        self.have = 0;
    }

    /// Takes one byte; the line that it ends, if it ends one.
    pub fn push(&mut self, byte: u8) -> Option<Line> {
        match byte {
            CR => {
                let line = Line { bytes: self.line, len: self.have };
                self.have = 0;
                (line.len > 0).then_some(line)
            }
            b'\n' => None,
            byte => {
                if let Some(to) = self.line.get_mut(self.have) {
                    *to = byte;
                }
                self.have = self.have.saturating_add(1);
                None
            }
        }
    }
}

/// A line of `body` as a monitor sends it: with its checksum and a CR.
#[must_use]
pub fn reply_line(body: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(body.len().saturating_add(3));
    line.extend_from_slice(body);
    line.extend_from_slice(&checksum(body));
    line.push(CR);
    line
}

/// The NA reply of an adult's normal determination.
#[must_use]
pub fn na_reply(reply: &NibpReply) -> Vec<u8> {
    let status = match reply.status {
        Status::Busy => 0,
        Status::Done => 1,
        Status::Unused => 2,
        Status::Failed(code) => code,
    };
    let age = reply.age.map_or(9_999, Span::as_secs);
    let NibpReply { systolic, diastolic, mean, .. } = reply;
    reply_line(alloc::format!(" NA{status}10{age:04}{systolic:03}{diastolic:03}{mean:03}").as_bytes())
}

/// The RC reply of a cuff; `None`: no data.
#[must_use]
pub fn rc_reply(bpm: Option<u16>) -> Vec<u8> {
    reply_line(alloc::format!(" RC3{:03}", bpm.unwrap_or_default()).as_bytes())
}

/// The OA reply, signal strength 5, averaged over 12 s; `None`: the sensor is off.
#[must_use]
pub fn oa_reply(percent: Option<u16>) -> Vec<u8> {
    let (status, percent, signal) = percent.map_or((3, 0, 0), |percent| (1, percent, 5));
    reply_line(alloc::format!(" OA{status}{percent:03}{signal}12").as_bytes())
}

/// What answers NC0 and ND: the command's two letters. What real monitors add is not known.
#[must_use]
pub fn accepted(request: HostRequest) -> Vec<u8> {
    reply_line(request.text().get(..3).unwrap_or_default())
}
