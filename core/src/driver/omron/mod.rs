//! Omron HBP professional blood-pressure monitors: one line of text for each determination.
//!
//! ```text
//! Devices    HBP-9030, HBP-9031C with USB output format 5 (function item 32, as from the factory);
//!            HBP-9020 with output mode 5 / F3
//! Line       HBP-9030: USB CDC ACM, where the rate means nothing. HBP-9020: RS-232, 9600 8N1
//! Speaks     when a determination has ended that somebody started at its button; nothing is sent
//! Integrity  the widths of the columns: no checksum. The end of a line is CR LF
//!
//! HBP-9030   yyyy,mm,dd,hh,mm,(subject id, 20),e,sss,ddd,ppp,m                          53 characters
//! HBP-9020   bp,(subject id, 20),yyyy/mm/dd,hh:mm,sss,nnn,ddd,ppp,x                     58 characters
//!            e error, 0 none    s systolic, d diastolic, n mean, mmHg    p pulse, bpm
//!            m movements, x unknown. With an error s, d and p are three spaces each
//!
//! Certain    the columns of the HBP-9030: its manual by way of one source, and two other readers
//! One source the HBP-9020: one reader and one captured line, a second reader with the same columns
//! Inferred   which column of the HBP-9020 is the mean: by its place between the other two in the
//!            captured line; that neither alarms by itself: they are made for single readings (?)
//! Unknown    what the error numbers mean; how an HBP-9020 tells a determination that failed: a line
//!            without numbers is counted as rejected; formats 1 to 4 of the HBP-9030; whether a subject
//!            id can hold other characters than printable ASCII: such a line is rejected
//! Not used   its clock, which nobody keeps; movements; the ranges of the HBP-9030 (60-260, 30-215,
//!            40-180), inside those that every value must keep. HBP-1300 and 1320 are not spoken
//! Recording  tests/recordings/: omron-hbp9030 (none of it captured), omron-hbp9020 (one line of it captured)
//! ```
//!
//! The subject id may name the patient: it is stepped over by its width, is in no sample and no error,
//! and the line that held it is wiped when it has ended. It may hold commas: columns are found by their
//! place. A capture, and the flight recorder where that is switched on, keep lines as they came, id and all. Half a line is dropped after a second of silence and never joined to what comes then.

mod hbp9020;
mod hbp9030;
#[cfg(test)]
mod tests;

use core::fmt;
use core::marker::PhantomData;

pub use hbp9020::{HBP9020, Hbp9020, Mode5, hbp9020_line};
pub use hbp9030::{Format5, HBP9030, Hbp9030, hbp9030_line};

use super::text::Lines;
use super::{CuffTerms, DecodeStats, Driver, Evidence, Poll, Protocol, Reject};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// There is no regular pause between two results; this is the longest that the schedule plans (R8.1).
const CADENCE: Span = Span::mins(15);
/// It cannot be started.
const CUFF: CuffTerms = CuffTerms { starts: false, rest: Span::ZERO };
/// The longest line kept.
const LONGEST: usize = 64;
/// What has begun and not ended after this silence will not end.
const SILENCE: Span = Span::secs(1);

/// What a line says of a determination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The pressure, or why there is none.
    pub pressure: Result<BloodPressure, CuffFailure>,
    /// The pulse rate.
    pub pulse: Measured<PulseRate>,
}

impl Reading {
    /// Numbers, of which those of the pressure may be none that can be (`None`): then the line is not to be believed
    /// in its pulse either.
    fn measured(pressure: Option<BloodPressure>, pulse: u16) -> Self {
        pressure.map_or_else(
            || Self::failed(CuffFailure::OutOfRange),
            |pressure| Self { pressure: Ok(pressure), pulse: Measured::in_range(PulseRate::bpm(pulse)) },
        )
    }

    /// No numbers.
    const fn failed(failure: CuffFailure) -> Self {
        Self { pressure: Err(failure), pulse: Measured::Absent(Absent::NotMeasured) }
    }
}

/// How the lines of one monitor are laid out.
pub trait Layout {
    /// The protocol.
    const PROTOCOL: &'static Protocol;

    /// Understands a line.
    ///
    /// # Errors
    /// What is wrong with it; never its text.
    fn parse(line: &[u8]) -> Result<Reading, Reject>;
}

/// The driver of either.
pub struct Omron<L> {
    lines: Lines<LONGEST>,
    /// When something was last heard.
    last: Time,
    in_a_row: u32,
    stats: DecodeStats,
    layout: PhantomData<L>,
}

impl<L> Default for Omron<L> {
    fn default() -> Self {
        Self {
            lines: Lines::default(),
            last: Time::ZERO,
            in_a_row: 0,
            stats: DecodeStats::default(),
            layout: PhantomData,
        }
    }
}

/// Without the line: it may name the patient.
impl<L> fmt::Debug for Omron<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Omron").field("in_a_row", &self.in_a_row).field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl<L: Layout> Omron<L> {
    fn take(&mut self, byte: u8, now: Time, out: &mut impl FnMut(Sample)) {
        let Some(line) = self.lines.push(byte) else { return };
        let len = line.len;
        match line.text().and_then(L::parse) {
            Ok(Reading { pressure, pulse }) => {
                self.stats.good();
                self.in_a_row = self.in_a_row.saturating_add(1);
                let origin = CuffOrigin::Bedside;
                out(Sample::CuffResult(CuffResult { at: now, measured_at: now, origin, pressure, pulse }));
            }
            Err(reason) => self.reject(reason, len),
        }
        self.lines.clear();
    }

    /// When the line that has begun is given up, if nothing more comes.
    fn given_up(&self) -> Option<Time> {
        (!self.lines.is_empty()).then_some(self.last + SILENCE)
    }

    fn settle(&mut self, now: Time) {
        if self.given_up().is_some_and(|until| now >= until) {
            self.reject(Reject::Length, self.lines.len());
            self.lines.clear();
        }
    }

    fn reject(&mut self, reason: Reject, bytes: usize) {
        self.stats.reject(reason);
        self.stats.skip(bytes);
        self.in_a_row = 0;
    }
}

impl<L: Layout> Driver for Omron<L> {
    fn protocol(&self) -> &'static Protocol {
        L::PROTOCOL
    }

    fn opened(&mut self, _now: Time) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    /// A box that looks late must not join what the silence has parted.
    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        self.settle(now);
        if !bytes.is_empty() {
            self.last = now;
        }
        for byte in bytes {
            self.take(*byte, now, out);
        }
    }

    fn poll(&mut self, now: Time, _out: &mut impl FnMut(Sample)) -> Poll {
        self.settle(now);
        Poll { send: None, next: self.given_up() }
    }

    /// One line says enough: its length and ten separators in their places.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

/// The columns of a line, a comma between two.
fn columns<const N: usize>(line: &[u8], widths: [usize; N]) -> Result<[&[u8]; N], Reject> {
    let separators = N.saturating_sub(1);
    if line.len() != widths.iter().fold(separators, |sum, width| sum.saturating_add(*width)) {
        return Err(Reject::Length);
    }
    let (mut columns, mut rest) = ([&[][..]; N], line);
    for (column, width) in columns.iter_mut().zip(widths) {
        let (text, more) = rest.split_at_checked(width).ok_or(Reject::Length)?;
        *column = text;
        rest = match more.split_first() {
            Some((b',', rest)) => rest,
            Some(_) => return Err(Reject::Content),
            None => more,
        };
    }
    Ok(columns)
}
