//! HBP-9020: output mode 5 / F3.

use alloc::format;
use alloc::vec::Vec;

use super::{CADENCE, CUFF, Layout, Omron, Reading, columns};
use crate::driver::text::{decimal, has_form};
use crate::driver::{Certainty, Integrity, Kind, LineSettings, OwnAlarm, Protocol, Quantity, Reject};
use crate::vitals::{BloodPressure, Pressure, PulseRate};

/// The protocol, for the registry.
pub static HBP9020: Protocol = Protocol {
    name: "omron-hbp9020",
    devices: "Omron HBP-9020 set to output mode 5 / F3",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Push,
    cadence: CADENCE,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::OneSource,
    own_alarm: OwnAlarm::None,
    cuff: Some(CUFF),
    probe_request: None,
};

/// The driver of [`HBP9020`].
pub type Hbp9020 = Omron<Mode5>;

/// Its layout.
#[derive(Debug, Default)]
pub struct Mode5;

impl Layout for Mode5 {
    const PROTOCOL: &'static Protocol = &HBP9020;

    fn parse(line: &[u8]) -> Result<Reading, Reject> {
        let [mark, _subject, day, minute, systolic, mean, diastolic, pulse, _unknown] =
            columns(line, [2, 20, 10, 5, 3, 3, 3, 3, 1])?;
        if mark != b"bp" {
            return Err(Reject::UnknownType);
        }
        if !has_form(day, b"0000/00/00") || !has_form(minute, b"00:00") {
            return Err(Reject::Content);
        }
        let number = |text| decimal(text).ok_or(Reject::Content);
        let pressure = BloodPressure::full(number(systolic)?, number(diastolic)?, Some(number(mean)?));
        Ok(Reading::measured(pressure, number(pulse)?))
    }
}

/// The line as a monitor sends it of nobody in particular, its clock at `yyyy/mm/dd,hh:mm`; `None`: how
/// it tells a failure is not known.
#[must_use]
pub fn hbp9020_line(clock: &str, reading: &Reading) -> Option<Vec<u8>> {
    let pressure = reading.pressure.ok()?;
    let pulse = reading.pulse.good().map_or(0, PulseRate::as_bpm);
    let [systolic, diastolic] =
        [pressure.systolic(), pressure.diastolic()].map(|pressure| pressure.map_or(0, Pressure::as_mmhg));
    let (subject, mean) = ("", pressure.mean().as_mmhg());
    Some(format!("bp,{subject:20},{clock},{systolic:03},{mean:03},{diastolic:03},{pulse:03},0\r\n").into_bytes())
}
