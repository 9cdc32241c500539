//! One line of values: what it says, and beside it the other direction, as a device prints it.

use alloc::format;
use alloc::string::String;

use crate::driver::Reject;
use crate::driver::text::{clock, decimal, has_form};
use crate::sample::Oximetry;
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PulseRate, Spo2};

/// A number as it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// `None`: dashes.
    pub value: Option<u16>,
    /// It has a `*`: it is outside the device's limit.
    pub alarms: bool,
}

/// What a line says: numbers as printed, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Percent.
    pub spo2: Field,
    /// Beats a minute.
    pub pulse: Field,
    /// Pulse amplitude, no unit.
    pub amplitude: Field,
    /// Status codes: four places, any of them empty.
    pub status: [Option<[u8; 2]>; 4],
}

impl Line {
    /// A line of values; `None` for a header or any other text, which do not begin with date and time.
    pub(super) fn parse(line: &[u8]) -> Result<Option<Self>, Reject> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let date = words.next().is_some_and(|word| has_form(word, b"00-AAA-00") || has_form(word, b"0-AAA-00"));
        if !(date && words.next().is_some_and(|word| has_form(word, b"00:00:00"))) {
            return Ok(None);
        }
        let mut field = || words.next().ok_or(Reject::Content).and_then(Field::parse);
        let (spo2, pulse, amplitude) = (field()?, field()?, field()?);
        let mut status = [None; 4];
        for place in &mut status {
            *place = words.next().map(code).transpose()?;
        }
        if words.next().is_some() {
            return Err(Reject::Content);
        }
        Ok(Some(Self { spo2, pulse, amplitude, status }))
    }

    /// Whether it has that status code.
    pub(super) fn has(&self, code: [u8; 2]) -> bool {
        self.status.contains(&Some(code))
    }

    pub(super) fn oximetry(&self, at: Time) -> Oximetry {
        Oximetry {
            at,
            spo2: self.judge(self.spo2, Spo2::percent),
            pulse: self.judge(self.pulse, PulseRate::bpm),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }
    }

    /// What the status codes leave of a number.
    fn judge<T: Copy>(&self, field: Field, in_range: impl Fn(u16) -> Option<T>) -> Measured<T> {
        match field.value.filter(|value| *value != 0) {
            _ if self.has(*b"SD") => Measured::Absent(Absent::SensorFault),
            _ if self.has(*b"SO") => Measured::Absent(Absent::SensorOff),
            _ if self.has(*b"LP") || self.has(*b"LM") => Measured::Absent(Absent::NoPulse),
            None if self.has(*b"MO") && !self.has(*b"PS") => Measured::Absent(Absent::InadequateSignal),
            None => Measured::Absent(Absent::Searching),
            Some(value) if self.has(*b"MO") => Measured::in_range(in_range(value)).doubted(Doubt::Motion),
            Some(value) if self.has(*b"PS") => Measured::in_range(in_range(value)).doubted(Doubt::Artefact),
            Some(value) => Measured::in_range(in_range(value)),
        }
    }
}

impl Field {
    /// `97`, `131*`, `---`.
    fn parse(text: &[u8]) -> Result<Self, Reject> {
        let digits = text.strip_suffix(b"*");
        let (alarms, digits) = (digits.is_some(), digits.unwrap_or(text));
        let dashes = digits.iter().all(|byte| *byte == b'-');
        match digits.len() {
            1..=3 if dashes => Ok(Self { value: None, alarms }),
            1..=3 => Ok(Self { value: Some(decimal(digits).ok_or(Reject::Content)?), alarms }),
            _ => Err(Reject::Content),
        }
    }

    /// Three characters, and the fourth for the `*`.
    fn print(self) -> String {
        let digits = self.value.map_or_else(|| "---".into(), |value| format!("{:>3}", value.min(999)));
        format!("{digits}{}", if self.alarms { '*' } else { ' ' })
    }
}

/// Two capital letters; one that no sheet knows is a code too.
fn code(word: &[u8]) -> Result<[u8; 2], Reject> {
    word.try_into().ok().filter(|code: &[u8; 2]| code.iter().all(u8::is_ascii_uppercase)).ok_or(Reject::Content)
}

/// The line as a device prints it, `at` since midnight of its first day.
#[must_use]
pub fn print(line: &Line, at: Time) -> String {
    let [spo2, pulse, amplitude] = [line.spo2, line.pulse, line.amplitude].map(Field::print);
    let [a, b, c, d] = &line.status.map(|code| code.unwrap_or(*b"  "));
    let [a, b, c, d] = [a, b, c, d].map(|code| core::str::from_utf8(code).unwrap_or("  "));
    let line = format!("01-Jan-24 {}   {spo2}    {pulse}    {amplitude}   {a}   {b}   {c}   {d}", clock(at));
    format!("{}\r\n", line.trim_end())
}

/// The three lines that an N-595 prints before the first line of values and after every 25, with its
/// limits for SpO2 and pulse (low, high).
#[must_use]
pub fn header(spo2: (u16, u16), pulse: (u16, u16)) -> String {
    format!(
        "N-595    VERSION 2.0.0.0    CRC:1A2B  SpO2 Limit: {}-{}%    PR Limit: {}-{}BPM\r\n\
         {:29}ADULT           0SAT-S  SPO2 RESP MODE: NORMAL\r\n\
         TIME                 %SpO2   BPM     PA     Status\r\n",
        spo2.0, spo2.1, pulse.0, pulse.1, ""
    )
}
