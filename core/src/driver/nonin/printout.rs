//! The ASCII printout of bench and handheld models: one line a second.

use super::flags::Flags;
use super::packet::Packet;
use crate::driver::text::{Lines, Tally, decimal, has_form, split_at_word};
use crate::driver::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity, Reject,
};
use crate::sample::{Notice, Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured, PulseRate, Spo2};

/// The printout of Nonin bench and handheld models.
pub static PRINTOUT: Protocol = Protocol {
    name: "nonin-printout",
    devices: "Nonin 2500, 7500, 8500, 8600V, 9847, Avant 9600, 4000, 4100; Respironics 920, 920M",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unreported,
    cuff: None,
    probe_request: None,
};

/// The longest line kept; `14:30:05 SPO2=097 HR=072 F*B` has 28 characters.
const LONGEST: usize = 64;

/// The driver of [`PRINTOUT`].
#[derive(Debug, Default)]
pub struct Printout {
    lines: Lines<LONGEST>,
    tally: Tally,
}

/// A line of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    /// Percent.
    spo2: Option<u16>,
    /// Beats a minute.
    pulse: Option<u16>,
    /// Somebody pressed the event button.
    event: bool,
}

impl Line {
    /// A line of values; `None` for the header, or any other text.
    fn parse(line: &[u8]) -> Result<Option<Self>, Reject> {
        let Some((time, values)) = split_at_word(line, b"SPO2=") else { return Ok(None) };
        let (spo2, rest) = split_at_word(values, b" HR=").ok_or(Reject::Content)?;
        let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b' ' | b'-');
        let width = rest.iter().take(3).take_while(|byte| is_of_number(byte)).count();
        let (pulse, marks) = rest.split_at_checked(width).ok_or(Reject::Content)?;
        if !(time.is_empty() || has_form(time, b"00:00:00 "))
            || !marks.iter().all(|mark| matches!(mark, b' ' | b'F' | b'*' | b'B'))
        {
            return Err(Reject::Content);
        }
        Ok(Some(Self { spo2: number(spo2)?, pulse: number(pulse)?, event: marks.contains(&b'*') }))
    }

    fn publish(self, at: Time, out: &mut impl FnMut(Sample)) {
        // `---` gives no reason. Searching is the strictest that does not claim a stopped pulse (R6.2).
        let flags = Flags::default();
        out(Sample::Oximetry(Oximetry {
            at,
            spo2: flags.judge(self.spo2.map(Spo2::percent)),
            pulse: flags.judge(self.pulse.map(PulseRate::bpm)),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }));
        if self.event {
            out(Sample::Notice { at, notice: Notice::EventMarker });
        }
    }
}

/// A field: digits, or dashes for no value. One that is padded is three wide, or it has lost a digit.
fn number(field: &[u8]) -> Result<Option<u16>, Reject> {
    let text = field.trim_ascii();
    let padded = matches!(field.first(), Some(b' ' | b'0'));
    if text.is_empty() || field.len() > 3 || (padded && field.len() < 3) {
        return Err(Reject::Content);
    }
    if text.iter().all(|byte| *byte == b'-') {
        return Ok(None);
    }
    decimal(text).map(Some).ok_or(Reject::Content)
}

impl Driver for Printout {
    fn protocol(&self) -> &'static Protocol {
        &PRINTOUT
    }

    fn opened(&mut self, _now: Time) {
        *self = Self { tally: self.tally.reopened(), ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            let Some(line) = self.lines.push(*byte) else { continue };
            if let Some(values) = self.tally.count(line.len, line.text().and_then(Line::parse)) {
                values.publish(now, out);
            }
        }
    }

    fn poll(&mut self, _now: Time, _out: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        self.tally.lock()
    }

    fn stats(&self) -> &DecodeStats {
        self.tally.stats()
    }
}

/// The values as a device would print them, without the time: `SPO2=097 HR=072` and CR LF. The line
/// has no flags, so a sensor that is off or faulty shows as no value.
#[must_use]
pub fn printout_line(packet: &Packet) -> [u8; 17] {
    let Flags { sensor_fault, sensor_off, .. } = packet.flags;
    let digit = |digit: u16| (b'0'..=b'9').nth(usize::from(digit)).unwrap_or(b'-');
    let field = |value: Option<u16>| match value {
        Some(value) if !(sensor_fault || sensor_off) => {
            let value = value.min(999);
            [value / 100, value / 10 % 10, value % 10].map(digit)
        }
        _ => *b"---",
    };
    let ([s0, s1, s2], [p0, p1, p2]) = (field(packet.spo2), field(packet.pulse));
    [b'S', b'P', b'O', b'2', b'=', s0, s1, s2, b' ', b'H', b'R', b'=', p0, p1, p2, b'\r', b'\n']
}
