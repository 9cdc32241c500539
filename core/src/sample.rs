//! What a device said: the values between a driver and the monitor.
//!
//! A sample is what one frame (or packet, or reply) carries, with the moment its last byte was read.
//! Which device it came from is the caller's knowledge, not the driver's.

use core::fmt;
use core::str;

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::vitals::{BloodPressure, Measured, PerfusionIndex, PulseRate, Spo2};

/// One thing a device said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// Saturation, pulse rate and what goes with them.
    Oximetry(Oximetry),
    /// One point of the plethysmogram, in the device's own units (see `Protocol::pleth`).
    Pleth {
        /// Receive time.
        at: Time,
        /// 0 up to the full scale that the protocol declares.
        value: u16,
    },
    /// What the cuff is doing.
    CuffState {
        /// Receive time.
        at: Time,
        /// Its state.
        state: CuffState,
    },
    /// The pressure in the cuff while it measures; not the patient's.
    CuffPressure {
        /// Receive time.
        at: Time,
        /// In the cuff, mmHg.
        mmhg: u16,
    },
    /// A determination has ended, with a pressure or without.
    CuffResult(CuffResult),
    /// Who the device says it is.
    Identity {
        /// Receive time.
        at: Time,
        /// Which part of its identity.
        part: IdentityPart,
        /// What it says, printable ASCII.
        text: Text,
    },
    /// Something about the device itself.
    Notice {
        /// Receive time.
        at: Time,
        /// What.
        notice: Notice,
    },
}

impl Sample {
    /// When its last byte was read.
    #[must_use]
    pub const fn at(&self) -> Time {
        match self {
            Self::Oximetry(Oximetry { at, .. })
            | Self::Pleth { at, .. }
            | Self::CuffState { at, .. }
            | Self::CuffPressure { at, .. }
            | Self::CuffResult(CuffResult { at, .. })
            | Self::Identity { at, .. }
            | Self::Notice { at, .. } => *at,
        }
    }
}

/// The numbers of a pulse oximeter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oximetry {
    /// Receive time.
    pub at: Time,
    /// Oxygen saturation.
    pub spo2: Measured<Spo2>,
    /// Pulse rate.
    pub pulse: Measured<PulseRate>,
    /// Perfusion index.
    pub perfusion_index: Measured<PerfusionIndex>,
}

/// What a cuff is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CuffState {
    /// Deflated, nothing under way.
    Idle,
    /// A determination is under way.
    Inflating,
}

/// The end of one determination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CuffResult {
    /// Receive time.
    pub at: Time,
    /// When the device measured it, on the box's clock: receive time less the age the device states.
    pub measured_at: Time,
    /// Who started it.
    pub origin: CuffOrigin,
    /// The pressure, or why there is none.
    pub pressure: Result<BloodPressure, CuffFailure>,
    /// Pulse rate as the cuff counted it.
    pub pulse: Measured<PulseRate>,
}

/// Who started a determination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CuffOrigin {
    /// vitalsd asked for it.
    Schedule,
    /// A person at the bedside pressed the monitor's own button.
    Bedside,
    /// A person measured by hand and typed it in (R8.3).
    Manual,
}

/// Why a determination gave no pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CuffFailure {
    /// The device gives no closer reason.
    Failed,
    /// Pump-up took too long: a leak, or a loose cuff.
    PumpTimeout,
    /// The whole determination took too long.
    TotalTimeout,
    /// Too long at one pressure: motion or an irregular pulse.
    PressureTimeout,
    /// Overpressure, or excess air in the cuff.
    Overpressure,
    /// It was cancelled.
    Cancelled,
    /// The device did not answer, or did not end in time.
    NoAnswer,
    /// Numbers outside the range or out of order: not shown (R1.4).
    OutOfRange,
    /// No pulse was found, or one too weak to measure.
    NoPulse,
    /// The patient moved, or the signal was erratic.
    Motion,
    /// Air does not get through: a kinked or blocked hose.
    Blocked,
    /// The monitor has a fault of its own, or failed its self-test.
    DeviceFault,
    /// The numbers of the determination before, sooner than any cuff can measure.
    Repeated,
    /// A code that the sheet does not explain.
    Unknown(u8),
}

/// Which part of its identity a device states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityPart {
    /// Model name.
    Model,
    /// Maker.
    Vendor,
    /// An id that a user can set.
    DeviceId,
    /// Firmware revision.
    Firmware,
    /// Serial number.
    Serial,
    /// The serial number of the adapter that it hangs on: told by the box, not by the device.
    Adapter,
    /// The protocol that was found on its line, where it is not fixed: told by the box.
    Protocol,
}

/// Something a device says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Its battery is low.
    BatteryLow,
    /// It is about to switch itself off.
    ShuttingDown,
    /// It refused a command.
    Refused,
    /// A person marked this moment on the device.
    EventMarker,
    /// Its own alarm is off or muted (R10.5).
    OwnAlarmOff,
    /// Its own alarm is on.
    OwnAlarmOn,
}

/// Up to 16 bytes of printable ASCII; what is not printable becomes `?`, what is longer is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    bytes: [u8; Self::LONGEST],
    len: u8,
}

impl Text {
    /// So many bytes at the most.
    pub const LONGEST: usize = 16;

    /// From device bytes, with spaces and NULs at both ends dropped.
    #[must_use]
    pub fn from_device(raw: &[u8]) -> Self {
        let mut text = Self::default();
        let blank = |byte: &u8| matches!(byte, b' ' | 0);
        let start = raw.iter().position(|b| !blank(b)).unwrap_or(raw.len());
        let end = raw.iter().rposition(|b| !blank(b)).map_or(start, |last| last.saturating_add(1));
        for (to, from) in text.bytes.iter_mut().zip(raw.get(start..end).unwrap_or_default()) {
            *to = if matches!(from, b' '..=b'~') { *from } else { b'?' };
            text.len = text.len.saturating_add(1);
        }
        text
    }

    /// As a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_device_is_always_printable_and_bounded() {
        assert_eq!(Text::from_device(b"  50D(A)  \0").as_str(), "50D(A)");
        assert_eq!(Text::from_device(b"a\x1b[2Jb").as_str(), "a?[2Jb");
        assert_eq!(Text::from_device(b"0123456789abcdefXYZ").as_str(), "0123456789abcdef");
        assert_eq!(Text::from_device(b"   ").as_str(), "");
        assert_eq!(Text::from_device(&[0xff, 0xfe]).as_str(), "??");
    }
}
