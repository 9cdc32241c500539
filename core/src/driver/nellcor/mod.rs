//! The real-time printout of Nellcor, Puritan Bennett and Covidien oximeters.
//!
//! ```text
//! Devices    N-560, N-595 (NPB-595), N-600, N-600x, N-395, NPB-195, NPB-290, NPB-295. Not the N-200.
//!            PM100N and PM1000N are expected to follow, but no text was found
//! Line       9600 8N1; RS-232 on pins 2, 3, 5 of the data port (15 pins). No USB id of its own. The
//!            instrument stops at XOFF until XON or power-off: flow control stays off here. An NPB-290
//!            says nothing while it runs on its battery
//! Speaks     by itself. NOTHING IS EVER SENT: 03 03 would stop the printout and open a menu
//! Rate       one line every 2 s
//! Integrity  the words of a line
//!
//! Header     before the first line, after every 25, and when one of its values changes; two or three lines:
//!            N-560    VERSION 1.61.00    CRC:XXXX  SpO2 Limit: 95-100%    PR Limit: 59-148BPM
//!                                         ADULT           25SAT-S
//!            TIME                 %SpO2   BPM     PA     Status
//!
//! Line       columns 0-17   DD-Mon-YY HH:MM:SS, month in any case
//!                   20-24   SpO2, %, digits at 21-23, then * while it is outside the device's limit
//!                   28-32   pulse rate, bpm, digits at 29-31, the same
//!                   36-40   pulse amplitude, digits at 37-39, no unit, the same (not used)
//!                   44, 49, 54, 59   up to four status codes
//!            Read as words, since two of the quoted lines have their blanks collapsed
//!
//! ---, 0     none
//! SD         sensor disconnected             SO  sensor off the patient (N-595 and later)
//! LP         loss of pulse                   LM  the same, with motion or interference (N-595)
//! PS         pulse search                    MO  motion (the manual), interference (another source)
//! AO         audible alarms off              AS  alarm silenced
//! LB         low battery                     PH PL SH SL  above or below a limit of the device (not used)
//!
//! Certain    line settings, rate, columns (an N-560 captured, an N-600 read so), codes: two sources and more
//! One source SO and LM; XON/XOFF; the NPB-290 on battery
//! Inferred   SD, SO, LP and LM leave no value; MO and PS leave a doubtful one; 0 is none (the display
//!            flashes zeros while the pulse is lost); none without a reason: searching, the strictest
//!            that does not claim a stopped pulse. Trend printouts, whose header has TREND in place of
//!            CRC, are stepped over up to "Output Complete" or the next header with CRC
//! Unknown    what models without SO print with the sensor off the patient; whether another baud rate can
//!            be set; how a trend looks to a port that is opened in its middle (as live lines, perhaps);
//!            the clock is set by users (not used)
//! Not used   the limits in the header; trends; the menu
//! Recording  tests/recordings/: nellcor (one line of it captured)
//! ```

mod line;
#[cfg(test)]
mod tests;

pub use line::{Field, Line, header, print};

use super::text::{Lines, Tally, split_at_word};
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol, Quantity,
};
use crate::sample::{Notice, Sample};
use crate::time::{Span, Time};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "nellcor",
    devices: "Nellcor, Puritan Bennett, Covidien N-560, N-595, N-600, N-600x, N-395, NPB-195, NPB-290, NPB-295",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Stream,
    cadence: Span::secs(2),
    measures: &[Quantity::Spo2, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Reported,
    cuff: None,
    probe_request: None,
};

/// The longest line kept. A line of values has 61 characters, a header about 90; how long the line
/// can get in which an N-595 tells about itself is not known.
const LONGEST: usize = 256;

/// The driver.
#[derive(Debug, Default)]
pub struct Nellcor {
    lines: Lines<LONGEST>,
    tally: Tally,
    /// What is printed is a trend: values of the past.
    trend: bool,
    battery_low: bool,
    /// Whether the device's own alarm was last told to be off.
    muted: bool,
}

impl Nellcor {
    fn publish(&mut self, line: &Line, at: Time, out: &mut impl FnMut(Sample)) {
        out(Sample::Oximetry(line.oximetry(at)));
        let battery_low = line.has(*b"LB");
        if battery_low && !self.battery_low {
            out(Sample::Notice { at, notice: Notice::BatteryLow });
        }
        self.battery_low = battery_low;
        let muted = line.has(*b"AO") || line.has(*b"AS");
        if muted != self.muted {
            self.muted = muted;
            out(Sample::Notice { at, notice: if muted { Notice::OwnAlarmOff } else { Notice::OwnAlarmOn } });
        }
    }
}

/// Whether a trend begins or ends with this line; `None`: neither.
fn trend(line: &[u8]) -> Option<bool> {
    let has = |word| split_at_word(line, word).is_some();
    if has(b"Output Complete") {
        return Some(false);
    }
    let heads_trend = has(b" TREND");
    (has(b" VERSION ") && (heads_trend || has(b" CRC:"))).then_some(heads_trend)
}

impl Driver for Nellcor {
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
            let text = line.text();
            self.trend = text.ok().and_then(trend).unwrap_or(self.trend);
            let read = text.and_then(Line::parse).map(|line| line.filter(|_| !self.trend));
            if let Some(line) = self.tally.count(line.len, read) {
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
