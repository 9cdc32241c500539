//! Masimo serial output, mode "ASCII 1".
//!
//! ```text
//! Devices    Rad-8, Rad-87, Radical-7 (older "blue" and colour screen). Rad-97 and Root are said to have
//!            the mode too, but no line of theirs was found
//! Line       9600 8N1, no flow control; RS-232 on a female DB-9, pins 2, 3, 5. No USB id of its own
//! Speaks     by itself; nothing is sent. A Rad-8 leaves the factory in ASCII 2, in which it says nothing
//!            unasked: staff have to set "SEr" to AS1 in menu level 3
//! Rate       one line a second
//! Integrity  the words of a line, and the width of its numbers
//!
//! Line       MM/DD/YY HH:MM:SS SN=dddddddddd SPO2=ddd% BPM=ddd PI=dd.dd% ... ALARM=hhhh EXC=hhhhhh
//!            CR LF; empty lines between are normal. Read by key, in any order
//!
//! Rad-8            SN SPO2 BPM PI SPCO SPMET DESAT PIDELTA ALARM(4) EXC(6)
//! Radical-7 blue   SN SPO2 BPM PI SPCO SPMET DESAT PIDELTA PVI ALARM(4) EXC(6)
//! Radical-7 colour SN SPO2 BPM PI SPCO SPMET SPHB SPOC RESVD DESAT PIDELTA PVI ALARM(6) EXC(7) EXC1(8)
//!
//! SN         serial number, ten digits; dashes: none
//! SPO2       %, three digits; a dash in a number: none, here and below
//! BPM        pulse rate, three digits; one quoted line has a % after it
//! PI         %, dd.dd; no % after it on the colour Radical-7
//! EXC        bits   001 no sensor          002 defective sensor   004 low perfusion
//!                   008 pulse search       010 interference       020 sensor off the patient
//!                   040 ambient light      080 unknown sensor     400 low signal IQ
//!                   800 full SET mode: that is normal             100, 200 reserved
//!            It gates the numbers: they go on being printed with the sensor off (captured)
//! ALARM      bits   01 SpO2 high   02 SpO2 low   04 pulse high   08 pulse low
//!                   10 sounding and flashing     20 muted
//!
//! Certain    line settings, rate, keys, EXC bits: two sources and more, captures
//! One source ALARM bits, worked out from a device and borne out by two captures; only "muted" is used.
//!            The colour Radical-7: one captured line. The blue one: a line in its service manual
//! Disputed   two projects read ALARM otherwise, against what was observed
//! Inferred   dashes without a reason: searching, the strictest that does not claim a stopped pulse; with
//!            a bad signal: inadequate signal. A number of another width than above has lost a digit.
//!            A missing PI is one of dashes, a missing ALARM or SN says nothing
//! Unknown    EXC1; how the indices (DESAT, PIDELTA, PVI, RESVD) look when there are any; the clock is the
//!            instrument's own and often wrong (not used)
//! Not used   SPCO, SPMET, SPHB, SPOC; what ALARM says about limits: vitalsd has its own; ASCII 2, trend
//!            files (they write SpO2=, and 000 for none), the binary IAP of Root
//! Recording  tests/recordings/: masimo-ascii1 (captured) and masimo-ascii1-computed
//! ```

mod line;
#[cfg(test)]
mod tests;

pub use line::{Form, Line, alarm, exception, print};

use super::text::{Lines, Tally};
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity,
};
use crate::sample::{IdentityPart, Notice, Sample, Text};
use crate::time::{Span, Time};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "masimo-ascii1",
    devices: "Masimo Rad-8, Rad-87, Radical-7, set to ASCII 1",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(1),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::PerfusionIndex],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Reported,
    cuff: None,
    probe_request: None,
};

/// The longest line kept; that of a colour Radical-7 has 175 characters.
const LONGEST: usize = 256;

/// The driver.
#[derive(Debug, Default)]
pub struct Masimo {
    lines: Lines<LONGEST>,
    tally: Tally,
    /// The serial number that was told since the port was opened.
    serial: Option<Text>,
    /// That of the line before: another one counts when it stands there twice, or one bit would make another
    /// device (R1.6).
    serial_before: Option<Text>,
    /// Whether the device's own alarm was last told to be off.
    muted: bool,
}

impl Masimo {
    fn publish(&mut self, line: &Line, at: Time, out: &mut impl FnMut(Sample)) {
        let serial = line.serial.map(|digits| Text::from_device(&digits));
        let sure = self.serial.is_none() || serial == self.serial_before;
        self.serial_before = serial;
        if let Some(text) = serial
            && self.serial != serial
            && sure
        {
            self.serial = serial;
            out(Sample::Identity { at, part: IdentityPart::Serial, text });
        }
        out(Sample::Oximetry(line.oximetry(at)));
        if let Some(alarm) = line.alarm {
            let muted = alarm & alarm::MUTED != 0;
            if muted != self.muted {
                self.muted = muted;
                out(Sample::Notice { at, notice: if muted { Notice::OwnAlarmOff } else { Notice::OwnAlarmOn } });
            }
        }
    }
}

impl Driver for Masimo {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What was told of its alarm still stands there, until a line says otherwise.
    fn opened(&mut self, _now: Time) {
        *self = Self { tally: self.tally.reopened(), muted: self.muted, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            let Some(line) = self.lines.push(*byte) else { continue };
            if let Some(line) = self.tally.count(line.len, line.text().and_then(Line::parse)) {
                self.publish(&line, now, out);
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
