//! HBP-9030: USB output format 5.

use alloc::format;
use alloc::vec::Vec;

use super::{CADENCE, CUFF, Layout, Omron, Reading, columns};
use crate::driver::text::{decimal, has_form};
use crate::driver::{Certainty, Integrity, Kind, LineSettings, OwnAlarm, Protocol, Quantity, Reject};
use crate::sample::CuffFailure;
use crate::vitals::{BloodPressure, Pressure, PulseRate};

/// The protocol, for the registry.
pub static HBP9030: Protocol = Protocol {
    name: "omron-hbp9030",
    devices: "Omron HBP-9030, HBP-9031C set to output format 5",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Push,
    cadence: CADENCE,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::None,
    cuff: Some(CUFF),
    probe_request: None,
};

/// The driver of [`HBP9030`].
pub type Hbp9030 = Omron<Format5>;

/// Its layout.
#[derive(Debug, Default)]
pub struct Format5;

impl Layout for Format5 {
    const PROTOCOL: &'static Protocol = &HBP9030;

    fn parse(line: &[u8]) -> Result<Reading, Reject> {
        let [year, month, day, hour, minute, _subject, error, systolic, diastolic, pulse, _movements] =
            columns(line, [4, 2, 2, 2, 2, 20, 1, 3, 3, 3, 1])?;
        if !has_form(year, b"0000") || ![month, day, hour, minute].iter().all(|text| has_form(text, b"00")) {
            return Err(Reject::Content);
        }
        let number = |text| decimal(text).ok_or(Reject::Content);
        match error {
            b"0" => {
                let pressure = BloodPressure::full(number(systolic)?, number(diastolic)?, None);
                Ok(Reading::measured(pressure, number(pulse)?))
            }
            [code @ b'1'..=b'9'] => Ok(Reading::failed(CuffFailure::Unknown(code & 0x0f))),
            _ => Err(Reject::Content),
        }
    }
}

/// The line as a monitor sends it of nobody in particular, its clock at `yyyy,mm,dd,hh,mm`. A failure
/// without a number of its own has the number 1.
#[must_use]
pub fn hbp9030_line(clock: &str, reading: &Reading) -> Vec<u8> {
    let (subject, movements) = ("", 0);
    let three = |number: Option<u16>| number.map_or_else(|| "   ".into(), |number| format!("{number:03}"));
    let (error, pressure, pulse) = match reading.pressure {
        Ok(pressure) => (0, Some(pressure), reading.pulse.good().map(PulseRate::as_bpm).or(Some(0))),
        Err(CuffFailure::Unknown(code @ 1..=9)) => (code, None, None),
        Err(_) => (1, None, None),
    };
    let [systolic, diastolic] = [BloodPressure::systolic, BloodPressure::diastolic]
        .map(|of| three(pressure.and_then(of).map(Pressure::as_mmhg)));
    let pulse = three(pulse);
    format!("{clock},{subject:20},{error},{systolic},{diastolic},{pulse},{movements}\r\n").into_bytes()
}
