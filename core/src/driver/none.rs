//! The numbers that stand for "none" in protocols that send a quantity as one byte.

use crate::vitals::{Absent, Measured, PulseRate, Spo2};

/// The saturation in percent: 0 and whatever is above 100 (127 mostly) stand for "none".
pub fn spo2(raw: u8) -> Measured<Spo2> {
    match raw {
        0 | 101.. => Measured::Absent(Absent::InadequateSignal),
        percent => Measured::in_range(Spo2::percent(percent.into())),
    }
}

/// The rate of pulse in beats a minute: 0 and 255 stand for "none".
pub fn pulse(raw: u8) -> Measured<PulseRate> {
    match raw {
        0 | 0xff => Measured::Absent(Absent::InadequateSignal),
        bpm => Measured::in_range(PulseRate::bpm(bpm.into())),
    }
}
