//! One line of ASCII 1: what it says, and beside it the other direction, as a device prints it.

use alloc::format;
use alloc::string::String;

use crate::driver::Reject;
use crate::driver::text::{clock, decimal, has_form, hexadecimal, split_at_word};
use crate::sample::Oximetry;
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PerfusionIndex, PulseRate, Spo2};

/// The bits of EXC.
pub mod exception {
    /// No sensor is plugged in.
    pub const NO_SENSOR: u32 = 0x001;
    /// The sensor is defective.
    pub const DEFECTIVE_SENSOR: u32 = 0x002;
    /// The perfusion is low.
    pub const LOW_PERFUSION: u32 = 0x004;
    /// It is looking for a pulse.
    pub const PULSE_SEARCH: u32 = 0x008;
    /// Something interferes.
    pub const INTERFERENCE: u32 = 0x010;
    /// The sensor is off the patient.
    pub const SENSOR_OFF: u32 = 0x020;
    /// Too much light from elsewhere.
    pub const AMBIENT_LIGHT: u32 = 0x040;
    /// A sensor that it does not know.
    pub const UNKNOWN_SENSOR: u32 = 0x080;
    /// The quality of the signal ("signal IQ") is low.
    pub const LOW_SIGNAL_IQ: u32 = 0x400;
    /// Full SET mode: no fault.
    pub const SET_MODE: u32 = 0x800;

    /// There is no sensor to measure with.
    pub(super) const SENSOR_FAULT: u32 = NO_SENSOR | DEFECTIVE_SENSOR | UNKNOWN_SENSOR;
    /// The signal is disturbed.
    pub(super) const DISTURBED: u32 = INTERFERENCE | AMBIENT_LIGHT | LOW_SIGNAL_IQ;
}

/// The bits of ALARM.
pub mod alarm {
    /// The saturation is above the device's limit.
    pub const SPO2_HIGH: u32 = 0x01;
    /// The saturation is below the device's limit.
    pub const SPO2_LOW: u32 = 0x02;
    /// The pulse is above the device's limit.
    pub const PULSE_HIGH: u32 = 0x04;
    /// The pulse is below the device's limit.
    pub const PULSE_LOW: u32 = 0x08;
    /// It sounds and flashes.
    pub const ACTIVE: u32 = 0x10;
    /// Somebody has muted it.
    pub const MUTED: u32 = 0x20;
}

/// What a line says: numbers as printed, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The digits of the serial number.
    pub serial: Option<[u8; 10]>,
    /// Percent.
    pub spo2: Option<u16>,
    /// Beats a minute.
    pub pulse: Option<u16>,
    /// Hundredths of a percent.
    pub perfusion_index: Option<u16>,
    /// See [`alarm`]; `None`: the line has none.
    pub alarm: Option<u32>,
    /// EXC, see [`exception`].
    pub exceptions: u32,
}

impl Line {
    /// A line of values; `None` for any other text.
    pub(super) fn parse(line: &[u8]) -> Result<Option<Self>, Reject> {
        if split_at_word(line, b" SPO2=").is_none() {
            return Ok(None);
        }
        let (stamp, items) = line.split_at_checked(STAMP.len()).ok_or(Reject::Content)?;
        if !has_form(stamp, STAMP) {
            return Err(Reject::Content);
        }
        let bits = |text| hexadecimal(text).ok_or(Reject::Content);
        Ok(Some(Self {
            serial: item(items, b"SN=")?.and_then(serial),
            spo2: number(item(items, b"SPO2=")?.ok_or(Reject::Content)?)?,
            pulse: number(item(items, b"BPM=")?.ok_or(Reject::Content)?)?,
            perfusion_index: item(items, b"PI=")?.map_or(Ok(None), hundredths)?,
            alarm: item(items, b"ALARM=")?.map(bits).transpose()?,
            exceptions: bits(item(items, b"EXC=")?.ok_or(Reject::Content)?)?,
        }))
    }

    pub(super) fn oximetry(&self, at: Time) -> Oximetry {
        let perfusion_index = self.perfusion_index.map(|index| match index {
            0 => Measured::Absent(Absent::InadequateSignal),
            index => Measured::in_range(PerfusionIndex::hundredths(index)),
        });
        Oximetry {
            at,
            spo2: self.judge(self.spo2.map(|percent| Measured::in_range(Spo2::percent(percent)))),
            pulse: self.judge(self.pulse.map(|bpm| Measured::in_range(PulseRate::bpm(bpm)))),
            perfusion_index: self.judge(perfusion_index),
        }
    }

    /// What EXC leaves of a value. A number beside "sensor off" or "pulse search" is an old one.
    fn judge<T: Copy>(&self, value: Option<Measured<T>>) -> Measured<T> {
        let any = |bits: u32| self.exceptions & bits != 0;
        match value {
            _ if any(exception::SENSOR_FAULT) => Measured::Absent(Absent::SensorFault),
            _ if any(exception::SENSOR_OFF) => Measured::Absent(Absent::SensorOff),
            _ if any(exception::PULSE_SEARCH) => Measured::Absent(Absent::Searching),
            None if any(exception::DISTURBED | exception::LOW_PERFUSION) => Measured::Absent(Absent::InadequateSignal),
            None => Measured::Absent(Absent::Searching),
            Some(value) if any(exception::DISTURBED) => value.doubted(Doubt::Artefact),
            Some(value) if any(exception::LOW_PERFUSION) => value.doubted(Doubt::LowPerfusion),
            Some(value) => value,
        }
    }
}

/// Date and time, before everything else.
const STAMP: &[u8] = b"00/00/00 00:00:00 ";

/// What stands after `key`. Twice the same key are two lines of which the ends were lost.
fn item<'a>(items: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, Reject> {
    let mut found = items.split(|byte| *byte == b' ').filter_map(|item| item.strip_prefix(key));
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        _ => Err(Reject::Content),
    }
}

/// Ten digits; dashes, or a form that no sheet has, are none.
fn serial(text: &[u8]) -> Option<[u8; 10]> {
    text.try_into().ok().filter(|digits: &[u8; 10]| digits.iter().all(u8::is_ascii_digit))
}

/// `098%` or `097`: always three wide, or it has lost a digit.
fn number(text: &[u8]) -> Result<Option<u16>, Reject> {
    match *text.strip_suffix(b"%").unwrap_or(text) {
        [hundreds, tens, ones] => digits(&[hundreds, tens, ones]),
        _ => Err(Reject::Content),
    }
}

/// `03.60%` or `03.60`, in hundredths.
fn hundredths(text: &[u8]) -> Result<Option<u16>, Reject> {
    match *text.strip_suffix(b"%").unwrap_or(text) {
        [tens, ones, b'.', tenths, hundredths] => digits(&[tens, ones, tenths, hundredths]),
        _ => Err(Reject::Content),
    }
}

/// A number; with a dash anywhere in it, none.
fn digits(text: &[u8]) -> Result<Option<u16>, Reject> {
    if !text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-')) {
        return Err(Reject::Content);
    }
    Ok(decimal(text))
}

/// A variant of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Rad-8.
    Rad8,
    /// The older Radical-7.
    Radical7Blue,
    /// The Radical-7 with a colour screen.
    Radical7Colour,
}

/// The line as a device of that form prints it, `at` since midnight of its first day.
#[must_use]
pub fn print(line: &Line, form: Form, at: Time) -> String {
    let digits = |value: Option<u16>| value.map_or_else(|| "---".into(), |value| format!("{:03}", value.min(999)));
    let serial = line.serial.as_ref().and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or("----------");
    let index = line.perfusion_index.map(|index| index.min(9_999));
    let index = index.map_or_else(|| "--.--".into(), |index| format!("{:02}.{:02}", index / 100, index % 100));
    let (spo2, pulse, alarm, exceptions) =
        (digits(line.spo2), digits(line.pulse), line.alarm.unwrap_or(0), line.exceptions);
    let head = format!("01/01/24 {} SN={serial} SPO2={spo2}% BPM={pulse} PI={index}", clock(at));
    match form {
        Form::Rad8 => {
            format!("{head}% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM={alarm:04X} EXC={exceptions:06X}\r\n")
        }
        Form::Radical7Blue => format!(
            "{head}% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- PVI=--- ALARM={alarm:04X} EXC={exceptions:06X}\r\n"
        ),
        Form::Radical7Colour => format!(
            "{head} SPCO=--% SPMET=--.-% SPHB=--.- SPOC=-- RESVD=--- DESAT=-- PIDELTA=+-- PVI=--- \
             ALARM={alarm:06X} EXC={exceptions:07X} EXC1=00000000\r\n"
        ),
    }
}
