//! What a device says about its signal, and what that makes of its values.

use crate::sample::Oximetry;
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PulseRate, Spo2};

/// No pulse rate.
const HR_NONE: u16 = 511;
/// No saturation.
const SPO2_NONE: u8 = 127;

/// The flags of a packet or frame; in a packet, those that were set in any of its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// SNSD: the sensor is disconnected or unusable.
    pub sensor_fault: bool,
    /// SNSA: the finger is out. DF1 has no bit for it.
    pub sensor_off: bool,
    /// OOT: no run of good pulses.
    pub out_of_track: bool,
    /// ARTF: an artefact on a pulse.
    pub artefact: bool,
    /// Low ("red") perfusion.
    pub low_perfusion: bool,
    /// The battery is low. DF1 has no bit for it.
    pub battery_low: bool,
}

impl Flags {
    /// Those set in either.
    pub(super) const fn or(self, other: Self) -> Self {
        Self {
            sensor_fault: self.sensor_fault || other.sensor_fault,
            sensor_off: self.sensor_off || other.sensor_off,
            out_of_track: self.out_of_track || other.out_of_track,
            artefact: self.artefact || other.artefact,
            low_perfusion: self.low_perfusion || other.low_perfusion,
            battery_low: self.battery_low || other.battery_low,
        }
    }

    /// What is left of a value: `None` if the device sent none, `Some(None)` if one out of range.
    /// While the sensor is off or faulty every value is stale, whatever the device still holds.
    pub(super) fn judge<T: Copy>(self, value: Option<Option<T>>) -> Measured<T> {
        let measured = match value {
            _ if self.sensor_fault => return Measured::Absent(Absent::SensorFault),
            _ if self.sensor_off => return Measured::Absent(Absent::SensorOff),
            None if self.out_of_track => return Measured::Absent(Absent::NoPulse),
            None => return Measured::Absent(Absent::Searching),
            Some(value) => Measured::in_range(value),
        };
        if self.out_of_track || self.artefact {
            measured.doubted(Doubt::Artefact)
        } else if self.low_perfusion {
            measured.doubted(Doubt::LowPerfusion)
        } else {
            measured
        }
    }

    /// The sample made of the fields HR (9 bits) and SpO2 (7 bits) as they stand on the wire.
    pub(super) fn oximetry(self, hr: u16, spo2: u8, at: Time) -> Oximetry {
        Oximetry {
            at,
            spo2: self.judge((spo2 != SPO2_NONE).then(|| Spo2::percent(u16::from(spo2)))),
            pulse: self.judge((hr != HR_NONE).then(|| PulseRate::bpm(hr))),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }
    }
}

/// The field HR of its two bytes.
pub(super) fn hr(msb: u8, lsb: u8) -> u16 {
    u16::from(msb & 0x03) << 7 | u16::from(lsb & 0x7F)
}

/// The two bytes of the field HR.
pub(super) fn hr_bytes(pulse: Option<u16>) -> [u8; 2] {
    let [high, low] = (pulse.map_or(HR_NONE, |bpm| bpm.min(HR_NONE - 1)) << 1).to_be_bytes();
    [high, low >> 1]
}

/// The field SpO2.
pub(super) fn spo2_byte(percent: Option<u16>) -> u8 {
    percent.map_or(SPO2_NONE, |percent| u8::try_from(percent).unwrap_or(u8::MAX).min(SPO2_NONE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Flags = Flags {
        sensor_fault: false,
        sensor_off: false,
        out_of_track: false,
        artefact: false,
        low_perfusion: false,
        battery_low: false,
    };

    #[test]
    fn a_value_is_stale_while_the_sensor_is_off_or_faulty() {
        let off = Flags { sensor_off: true, ..OFF };
        assert_eq!(off.judge(Some(Some(97))), Measured::Absent(Absent::SensorOff));
        let fault = Flags { sensor_fault: true, sensor_off: true, ..OFF };
        assert_eq!(fault.judge(Some(Some(97))), Measured::Absent(Absent::SensorFault));
    }

    #[test]
    fn no_value_is_searching_until_the_device_is_out_of_track() {
        assert_eq!(OFF.judge::<u8>(None), Measured::Absent(Absent::Searching));
        assert_eq!(Flags { out_of_track: true, ..OFF }.judge::<u8>(None), Measured::Absent(Absent::NoPulse));
    }

    #[test]
    fn a_flagged_value_is_questionable_and_a_value_out_of_range_is_none() {
        for flags in [Flags { out_of_track: true, ..OFF }, Flags { artefact: true, low_perfusion: true, ..OFF }] {
            assert_eq!(flags.judge(Some(Some(97))), Measured::Questionable(97, Doubt::Artefact));
        }
        let weak = Flags { low_perfusion: true, ..OFF };
        assert_eq!(weak.judge(Some(Some(97))), Measured::Questionable(97, Doubt::LowPerfusion));
        assert_eq!(weak.judge::<u8>(Some(None)), Measured::Absent(Absent::OutOfRange));
        assert_eq!(Flags { battery_low: true, ..OFF }.judge(Some(Some(97))), Measured::Good(97));
    }

    #[test]
    fn a_saturation_above_100_or_a_pulse_no_heart_has_is_out_of_range() {
        for (hr, spo2) in [(19, 101), (301, 126), (510, 0), (0, 120)] {
            let oximetry = OFF.oximetry(hr, spo2, Time::ZERO);
            assert_eq!(oximetry.spo2, Measured::Absent(Absent::OutOfRange), "SpO2 {spo2}");
            assert_eq!(oximetry.pulse, Measured::Absent(Absent::OutOfRange), "HR {hr}");
        }
    }

    #[test]
    fn the_ninth_bit_of_the_pulse_rate_sits_above_the_seven_of_the_low_byte() {
        assert_eq!(hr(0x01, 0x0C), 140); // the sheet's DF2 vector
        assert_eq!(hr(0x03, 0x7F), 511);
        assert_eq!(hr_bytes(Some(140)), [0x01, 0x0C]);
        assert_eq!(hr_bytes(None), [0x03, 0x7F]);
        assert_eq!(hr_bytes(Some(u16::MAX)), [0x03, 0x7E], "a value never reads as none");
        assert_eq!((spo2_byte(None), spo2_byte(Some(300))), (0x7F, 0x7E));
    }
}
