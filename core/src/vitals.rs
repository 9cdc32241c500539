//! The quantities: units, ranges, quality, typed absence.
//!
//! A value of these types is always in its range (R1.4: outside is invalid, never clamped), and a
//! missing one is a [`Absent`] reason, never 0 and never the last value.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Oxygen saturation by pulse oximetry, in tenths of a percent. Range 1.0..=100.0 %.
/// IEEE 11073 `MDC_PULS_OXIM_SAT_O2` (150456), LOINC 2708-6, UCUM `%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spo2(u16);

/// Pulse rate in beats a minute, from an oximeter or a cuff, never from an ECG. Range 20..=300.
/// `MDC_PULS_OXIM_PULS_RATE` (149530) or `MDC_PULS_RATE_NON_INV` (149546), UCUM `/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PulseRate(u16);

/// Perfusion index in hundredths of a percent. Range 0.01..=20.00 %; 0 means that nothing was found.
/// `MDC_PULS_OXIM_PERF_REL` (150448), LOINC 61006-3, UCUM `%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerfusionIndex(u16);

/// A blood pressure in mmHg, as one determination of a non-invasive monitor gave it.
/// `MDC_PRESS_BLD_NONINV_SYS`, `_DIA`, `_MEAN` (150021..=150023), UCUM `mm[Hg]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pressure(u16);

impl Spo2 {
    /// From whole percent, if within range.
    #[must_use]
    pub const fn percent(value: u16) -> Option<Self> {
        Self::tenths(value.saturating_mul(10))
    }

    /// From tenths of a percent, if within range.
    #[must_use]
    pub const fn tenths(value: u16) -> Option<Self> {
        if value >= 10 && value <= 1_000 { Some(Self(value)) } else { None }
    }

    /// In tenths of a percent.
    #[must_use]
    pub const fn as_tenths(self) -> u16 {
        self.0
    }
}

impl PulseRate {
    /// From beats a minute, if within range.
    #[must_use]
    pub const fn bpm(value: u16) -> Option<Self> {
        if value >= 20 && value <= 300 { Some(Self(value)) } else { None }
    }

    /// In beats a minute.
    #[must_use]
    pub const fn as_bpm(self) -> u16 {
        self.0
    }
}

impl PerfusionIndex {
    /// From hundredths of a percent, if within range.
    #[must_use]
    pub const fn hundredths(value: u16) -> Option<Self> {
        if value >= 1 && value <= 2_000 { Some(Self(value)) } else { None }
    }

    /// In hundredths of a percent.
    #[must_use]
    pub const fn as_hundredths(self) -> u16 {
        self.0
    }
}

impl Pressure {
    /// From mmHg, if a cuff can have measured it at all: 20..=280.
    #[must_use]
    pub const fn mmhg(value: u16) -> Option<Self> {
        if value >= 20 && value <= 280 { Some(Self(value)) } else { None }
    }

    /// In mmHg.
    #[must_use]
    pub const fn as_mmhg(self) -> u16 {
        self.0
    }
}

/// One determination of the blood pressure. Monitors report all three, or only the mean when the
/// signal allows no more; the shape leaves no room for "none of them".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BloodPressure {
    /// Systolic and diastolic; the mean if the monitor gave one.
    Full {
        /// 40..=280 mmHg.
        systolic: Pressure,
        /// 20..=220 mmHg, below the systolic.
        diastolic: Pressure,
        /// Between the two. `None`: the monitor does not report it.
        mean: Option<Pressure>,
    },
    /// The mean alone.
    MeanOnly {
        /// 20..=280 mmHg.
        mean: Pressure,
    },
}

impl BloodPressure {
    /// A full determination, if the three are in range and in order
    /// (trend-algorithms 1: SBP 40..=280, DBP 20..=220, DBP < MAP < SBP).
    #[must_use]
    pub const fn full(systolic: u16, diastolic: u16, mean: Option<u16>) -> Option<Self> {
        if systolic < 40 || diastolic > 220 || diastolic >= systolic {
            return None;
        }
        let mean = match mean {
            None => None,
            Some(mean) if diastolic < mean && mean < systolic => Pressure::mmhg(mean),
            Some(_) => return None,
        };
        match (Pressure::mmhg(systolic), Pressure::mmhg(diastolic)) {
            (Some(systolic), Some(diastolic)) => Some(Self::Full { systolic, diastolic, mean }),
            _ => None,
        }
    }

    /// A determination of the mean alone, if in range.
    #[must_use]
    pub const fn mean_only(mean: u16) -> Option<Self> {
        match Pressure::mmhg(mean) {
            Some(mean) => Some(Self::MeanOnly { mean }),
            None => None,
        }
    }

    /// Systolic pressure, if measured.
    #[must_use]
    pub const fn systolic(self) -> Option<Pressure> {
        match self {
            Self::Full { systolic, .. } => Some(systolic),
            Self::MeanOnly { .. } => None,
        }
    }

    /// Diastolic pressure, if measured.
    #[must_use]
    pub const fn diastolic(self) -> Option<Pressure> {
        match self {
            Self::Full { diastolic, .. } => Some(diastolic),
            Self::MeanOnly { .. } => None,
        }
    }

    /// Mean pressure as the monitor measured it.
    #[must_use]
    pub const fn measured_mean(self) -> Option<Pressure> {
        match self {
            Self::Full { mean, .. } => mean,
            Self::MeanOnly { mean } => Some(mean),
        }
    }

    /// Mean pressure, estimated as DIA + (SYS - DIA) / 3 where the monitor gives none
    /// (trend-algorithms 7).
    #[must_use]
    pub const fn mean(self) -> Pressure {
        match self {
            Self::MeanOnly { mean } | Self::Full { mean: Some(mean), .. } => mean,
            Self::Full { systolic, diastolic, mean: None } => {
                let pulse_pressure = systolic.0.saturating_sub(diastolic.0);
                Pressure(diastolic.0.saturating_add((pulse_pressure + 1) / 3))
            }
        }
    }

    /// The same in tenths of mmHg, for limits that are a share of the patient's own mean (row 18).
    #[must_use]
    pub const fn mean_tenths(self) -> u16 {
        match self {
            Self::MeanOnly { mean } | Self::Full { mean: Some(mean), .. } => mean.0.saturating_mul(10),
            Self::Full { systolic, diastolic, mean: None } => {
                let pulse_pressure = systolic.0.saturating_sub(diastolic.0);
                diastolic.0.saturating_mul(10).saturating_add((pulse_pressure.saturating_mul(10) + 1) / 3)
            }
        }
    }
}

/// Why a value is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// The device does not measure this quantity, or does not send it in this protocol.
    NotMeasured,
    /// Nothing has been received since the start.
    NeverReceived,
    /// The sensor is off the patient.
    SensorOff,
    /// The sensor is unplugged from the device, or defective.
    SensorFault,
    /// The sensor is on and the device is looking for a pulse.
    Searching,
    /// The sensor is on, and the device has given up finding a pulse (row 25).
    NoPulse,
    /// A signal too weak or too disturbed to measure from.
    InadequateSignal,
    /// A value outside the range of the quantity: not clamped, not shown.
    OutOfRange,
    /// Nothing new for longer than the device's cadence allows (R1.2).
    Stale,
    /// The port or the cable is gone.
    LinkLost,
    /// The device itself does not answer.
    DeviceLost,
}

/// Why a value is there but not to be trusted (R1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The device reports motion.
    Motion,
    /// The device flags an artefact on the present pulse.
    Artefact,
    /// The device reports low perfusion.
    LowPerfusion,
    /// A fall of more than 4 % in one second, which blood does not do.
    ImplausibleFall,
    /// The waveform stands still while the numbers go on (R1.7).
    StuckSource,
}

/// A value with its quality, or the reason why there is none (R1.4: Good, Questionable, Invalid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured<T> {
    /// A value to act on.
    Good(T),
    /// A value that may start only the gravest alarms, and may clear none (R1.5).
    Questionable(T, Doubt),
    /// No value.
    Absent(Absent),
}

impl<T: Copy> Measured<T> {
    /// The value, good or questionable.
    #[must_use]
    pub const fn value(self) -> Option<T> {
        match self {
            Self::Good(value) | Self::Questionable(value, _) => Some(value),
            Self::Absent(_) => None,
        }
    }

    /// The value, if it is good.
    #[must_use]
    pub const fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Questionable(..) | Self::Absent(_) => None,
        }
    }

    /// The same value, doubted; an absent or already questionable one stays as it is.
    #[must_use]
    pub const fn doubted(self, doubt: Doubt) -> Self {
        match self {
            Self::Good(value) => Self::Questionable(value, doubt),
            other => other,
        }
    }

    /// `value` if it passed its range gate, else absent for that reason.
    #[must_use]
    pub const fn in_range(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Good(value),
            None => Self::Absent(Absent::OutOfRange),
        }
    }
}

impl fmt::Display for Spo2 {
    /// `97`, or `97.4` where the device resolves tenths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenth => write!(f, "{}.{tenth}", self.0 / 10),
        }
    }
}

impl fmt::Display for PulseRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for PerfusionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Display for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for BloodPressure {
    /// `128/82`, or `mean 99` where there is no more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { systolic, diastolic, .. } => write!(f, "{systolic}/{diastolic}"),
            Self::MeanOnly { mean } => write!(f, "mean {mean}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn r1_4_a_value_outside_its_range_is_invalid_and_never_clamped() {
        assert_eq!(Spo2::percent(0), None);
        assert!(Spo2::percent(1).is_some() && Spo2::percent(100).is_some());
        assert_eq!(Spo2::percent(101), None);
        assert_eq!(Spo2::tenths(1_001), None);
        assert_eq!(Spo2::percent(u16::MAX), None);
        assert_eq!((PulseRate::bpm(19), PulseRate::bpm(301)), (None, None));
        assert!(PulseRate::bpm(20).is_some() && PulseRate::bpm(300).is_some());
        assert_eq!((PerfusionIndex::hundredths(0), PerfusionIndex::hundredths(2_001)), (None, None));
        assert_eq!(BloodPressure::full(281, 100, None), None);
        assert_eq!(BloodPressure::full(39, 25, None), None);
        assert_eq!(BloodPressure::full(240, 221, None), None);
        assert_eq!(BloodPressure::full(120, 19, None), None);
    }

    #[test]
    fn pressures_out_of_order_are_no_determination() {
        assert_eq!(BloodPressure::full(80, 80, None), None);
        assert_eq!(BloodPressure::full(120, 80, Some(80)), None);
        assert_eq!(BloodPressure::full(120, 80, Some(120)), None);
        assert!(BloodPressure::full(120, 80, Some(93)).is_some());
    }

    #[test]
    fn a_mean_that_was_not_measured_is_estimated_from_the_other_two() {
        // trend-algorithms 7: 120/80 -> 93.3; 165/100 -> 121.7; 180/110 -> 133.3; 90/60 -> 70.0
        for (systolic, diastolic, mean) in [(120, 80, 93), (165, 100, 122), (180, 110, 133), (90, 60, 70)] {
            let bp = BloodPressure::full(systolic, diastolic, None).expect("in range");
            assert_eq!(bp.mean().as_mmhg(), mean, "{bp}");
            assert_eq!(bp.measured_mean(), None);
        }
    }

    #[test]
    fn a_questionable_value_is_a_value_but_not_a_good_one() {
        let spo2 = Spo2::percent(93).expect("in range");
        let doubted = Measured::Good(spo2).doubted(Doubt::Motion);
        assert_eq!(doubted.value(), Some(spo2));
        assert_eq!(doubted.good(), None);
        assert_eq!(doubted.doubted(Doubt::Artefact), doubted, "the first doubt is kept");
        assert_eq!(
            Measured::<Spo2>::Absent(Absent::SensorOff).doubted(Doubt::Motion),
            Measured::Absent(Absent::SensorOff)
        );
    }

    #[test]
    fn values_read_as_on_the_device() {
        assert_eq!(Spo2::tenths(974).map(|v| v.to_string()), Some("97.4".into()));
        assert_eq!(Spo2::percent(100).map(|v| v.to_string()), Some("100".into()));
        assert_eq!(PerfusionIndex::hundredths(205).map(|v| v.to_string()), Some("2.05".into()));
        assert_eq!(BloodPressure::full(128, 82, Some(99)).map(|v| v.to_string()), Some("128/82".into()));
        assert_eq!(BloodPressure::mean_only(99).map(|v| v.to_string()), Some("mean 99".into()));
    }
}
