//! What was measured: oximetry, blood pressure, waveform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::output::Determination;
use vitalsd_core::sample::{self, CuffFailure, CuffOrigin};
use vitalsd_core::vitals::{self, Absent, BloodPressure, Doubt, Measured, PulseRate};

use super::clock::{Clock, WallTime};
use super::number::Decimal;
use super::schema::Word;

/// How far a value is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// To act on.
    Good,
    /// To be doubted, for the reason given beside it.
    Questionable,
}

/// A value in the four keys that it takes: itself, its quality, its doubt, or why it is absent.
pub(super) struct Keys<T> {
    pub(super) value: Option<T>,
    pub(super) quality: Option<Quality>,
    pub(super) doubt: Option<Doubt>,
    pub(super) absent: Option<Absent>,
}

impl<T> Keys<T> {
    pub(super) fn of<V>(measured: Measured<V>, number: impl FnOnce(V) -> T) -> Self {
        let none = Self { value: None, quality: None, doubt: None, absent: None };
        match measured {
            Measured::Good(value) => Self { value: Some(number(value)), quality: Some(Quality::Good), ..none },
            Measured::Questionable(value, doubt) => {
                Self { value: Some(number(value)), quality: Some(Quality::Questionable), doubt: Some(doubt), ..none }
            }
            Measured::Absent(reason) => Self { absent: Some(reason), ..none },
        }
    }
}

/// `bed/{bed}/oximetry`: on every change and at least once a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Oximetry {
    /// Oxygen saturation by pulse oximetry, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_pct: Option<Decimal>,
    /// How far it is to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_quality: Option<Quality>,
    /// Why it is questionable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Doubt>>")]
    pub spo2_doubt: Option<Doubt>,
    /// Why there is no value; then the other keys of this quantity are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Absent>>")]
    pub spo2_absent: Option<Absent>,
    /// Pulse rate, beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_bpm: Option<u16>,
    /// How far it is to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_quality: Option<Quality>,
    /// Why it is questionable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Doubt>>")]
    pub pulse_doubt: Option<Doubt>,
    /// Why there is no value; then the other keys of this quantity are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Absent>>")]
    pub pulse_absent: Option<Absent>,
    /// Perfusion index, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perfusion_index_pct: Option<Decimal>,
    /// How far it is to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perfusion_index_quality: Option<Quality>,
    /// Why it is questionable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Doubt>>")]
    pub perfusion_index_doubt: Option<Doubt>,
    /// Why there is no value; then the other keys of this quantity are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Absent>>")]
    pub perfusion_index_absent: Option<Absent>,
}

impl From<&sample::Oximetry> for Oximetry {
    fn from(oximetry: &sample::Oximetry) -> Self {
        let spo2 = Keys::of(oximetry.spo2, |v| Decimal::tenths(v.as_tenths()));
        let pulse = Keys::of(oximetry.pulse, PulseRate::as_bpm);
        let perfusion = Keys::of(oximetry.perfusion_index, |v| Decimal::hundredths(v.as_hundredths()));
        Self {
            spo2_pct: spo2.value,
            spo2_quality: spo2.quality,
            spo2_doubt: spo2.doubt,
            spo2_absent: spo2.absent,
            pulse_bpm: pulse.value,
            pulse_quality: pulse.quality,
            pulse_doubt: pulse.doubt,
            pulse_absent: pulse.absent,
            perfusion_index_pct: perfusion.value,
            perfusion_index_quality: perfusion.quality,
            perfusion_index_doubt: perfusion.doubt,
            perfusion_index_absent: perfusion.absent,
        }
    }
}

/// `bed/{bed}/pressure`: one determination, or why there was none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pressure {
    /// Who started it.
    #[schemars(with = "Word<CuffOrigin>")]
    pub origin: CuffOrigin,
    /// When it was measured.
    pub measured_at: WallTime,
    /// Systolic, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_mmhg: Option<u16>,
    /// Diastolic, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_mmhg: Option<u16>,
    /// Mean as the device measured it, mmHg; never estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_mmhg: Option<u16>,
    /// Why there is no pressure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The device's own code, where the reason is `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<u8>,
    /// Pulse rate as the cuff counted it, beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_bpm: Option<u16>,
    /// How far it is to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_quality: Option<Quality>,
    /// Why it is questionable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Doubt>>")]
    pub pulse_doubt: Option<Doubt>,
    /// Why there is no value; then the other keys of this quantity are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Absent>>")]
    pub pulse_absent: Option<Absent>,
}

/// Why a determination gave no pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The device gives no closer reason.
    Failed,
    /// Pump-up took too long.
    PumpTimeout,
    /// The whole determination took too long.
    TotalTimeout,
    /// Too long at one pressure.
    PressureTimeout,
    /// Overpressure, or excess air in the cuff.
    Overpressure,
    /// It was cancelled.
    Cancelled,
    /// The device did not answer, or did not end in time.
    NoAnswer,
    /// Numbers outside the range or out of order.
    OutOfRange,
    /// No pulse was found, or one too weak to measure.
    NoPulse,
    /// The patient moved, or the signal was erratic.
    Motion,
    /// Air does not get through.
    Blocked,
    /// The monitor has a fault of its own.
    DeviceFault,
    /// The numbers of the determination before, sooner than any cuff can measure.
    Repeated,
    /// A code that is not documented.
    Unknown,
}

impl From<CuffFailure> for Failure {
    fn from(failure: CuffFailure) -> Self {
        match failure {
            CuffFailure::Failed => Self::Failed,
            CuffFailure::PumpTimeout => Self::PumpTimeout,
            CuffFailure::TotalTimeout => Self::TotalTimeout,
            CuffFailure::PressureTimeout => Self::PressureTimeout,
            CuffFailure::Overpressure => Self::Overpressure,
            CuffFailure::Cancelled => Self::Cancelled,
            CuffFailure::NoAnswer => Self::NoAnswer,
            CuffFailure::OutOfRange => Self::OutOfRange,
            CuffFailure::NoPulse => Self::NoPulse,
            CuffFailure::Motion => Self::Motion,
            CuffFailure::Blocked => Self::Blocked,
            CuffFailure::DeviceFault => Self::DeviceFault,
            CuffFailure::Repeated => Self::Repeated,
            CuffFailure::Unknown(_) => Self::Unknown,
        }
    }
}

/// The three pressures of a determination, as far as they were measured, mmHg.
#[must_use]
pub(super) fn mmhg(bp: BloodPressure) -> [Option<u16>; 3] {
    [bp.systolic(), bp.diastolic(), bp.measured_mean()].map(|p| p.map(vitals::Pressure::as_mmhg))
}

impl Pressure {
    /// One determination, with its times on the wall clock.
    #[must_use]
    pub fn new(determination: &Determination, clock: Clock) -> Self {
        let [systolic_mmhg, diastolic_mmhg, mean_mmhg] = determination.pressure.map_or([None; 3], mmhg);
        let failure = determination.pressure.err();
        let pulse = Keys::of(determination.pulse, PulseRate::as_bpm);
        Self {
            origin: determination.origin,
            measured_at: clock.at(determination.measured_at),
            systolic_mmhg,
            diastolic_mmhg,
            mean_mmhg,
            failure: failure.map(Failure::from),
            failure_code: match failure {
                Some(CuffFailure::Unknown(code)) => Some(code),
                _ => None,
            },
            pulse_bpm: pulse.value,
            pulse_quality: pulse.quality,
            pulse_doubt: pulse.doubt,
            pulse_absent: pulse.absent,
        }
    }
}

/// `bed/{bed}/pleth`: a piece of the waveform, about 200 ms long, in the device's own units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pleth {
    /// Points a second.
    pub hz: u16,
    /// The highest value it can take.
    pub full_scale: u16,
    /// The points; the last was received at the envelope's `at`.
    pub values: Vec<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};
    use vitalsd_core::time::Time;
    use vitalsd_core::vitals::{PerfusionIndex, Spo2};

    #[test]
    fn a_missing_value_is_an_absent_key_with_a_typed_reason() {
        let said = sample::Oximetry {
            at: Time::ZERO,
            spo2: Measured::Absent(Absent::SensorOff),
            pulse: Measured::Absent(Absent::SensorOff),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        };
        assert_eq!(
            to_value(Oximetry::from(&said)).unwrap(),
            json!({ "spo2_absent": "sensor_off", "pulse_absent": "sensor_off", "perfusion_index_absent": "not_measured" })
        );
    }

    #[test]
    fn values_carry_their_unit_their_quality_and_their_doubt() {
        let said = sample::Oximetry {
            at: Time::ZERO,
            spo2: Measured::in_range(Spo2::tenths(974)),
            pulse: Measured::in_range(PulseRate::bpm(72)).doubted(Doubt::Motion),
            perfusion_index: Measured::in_range(PerfusionIndex::hundredths(205)),
        };
        let json = to_value(Oximetry::from(&said)).unwrap();
        assert_eq!(
            json,
            json!({
                "spo2_pct": 97.4, "spo2_quality": "good",
                "pulse_bpm": 72, "pulse_quality": "questionable", "pulse_doubt": "motion",
                "perfusion_index_pct": 2.05, "perfusion_index_quality": "good"
            })
        );
        assert_eq!(serde_json::from_value::<Oximetry>(json).unwrap(), Oximetry::from(&said));
    }

    fn determination(pressure: Result<BloodPressure, CuffFailure>) -> serde_json::Value {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let determination = Determination {
            at: Time::from_millis(40_000),
            measured_at: Time::from_millis(30_000),
            origin: CuffOrigin::Schedule,
            pressure,
            pulse: Measured::Absent(Absent::NotMeasured),
        };
        to_value(Pressure::new(&determination, clock)).unwrap()
    }

    #[test]
    fn a_pressure_names_only_what_was_measured() {
        let full = BloodPressure::full(128, 82, None).unwrap();
        assert_eq!(
            determination(Ok(full)),
            json!({
                "origin": "schedule", "measured_at": "2026-11-22T09:30:30.000Z",
                "systolic_mmhg": 128, "diastolic_mmhg": 82, "pulse_absent": "not_measured"
            })
        );
    }

    #[test]
    fn a_failed_determination_says_why_and_has_no_number() {
        assert_eq!(
            determination(Err(CuffFailure::Unknown(17))),
            json!({
                "origin": "schedule", "measured_at": "2026-11-22T09:30:30.000Z",
                "failure": "unknown", "failure_code": 17, "pulse_absent": "not_measured"
            })
        );
    }
}
