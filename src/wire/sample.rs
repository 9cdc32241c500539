//! What a device said, as `vitalsd decode` prints it. Stays on the machine: it may name the device.

use serde::{Deserialize, Serialize};
use vitalsd_core::sample::{self, CuffFailure, CuffOrigin, CuffResult, CuffState, IdentityPart, Notice};
use vitalsd_core::vitals::{Absent, Doubt, PulseRate};

use super::vitals::{Failure, Keys, Oximetry, Quality, mmhg};

/// One thing a device said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "sample", rename_all = "snake_case")]
pub enum Sample {
    /// The numbers of an oximeter.
    Oximetry(Oximetry),
    /// One point of the waveform.
    Pleth {
        /// In the device's own units.
        value: u16,
    },
    /// What the cuff is doing.
    CuffState {
        /// Its state.
        state: CuffState,
    },
    /// The pressure in the cuff while it measures; not the patient's.
    CuffPressure {
        /// In the cuff, mmHg.
        cuff_mmhg: u16,
    },
    /// A determination has ended.
    CuffResult(Determination),
    /// Who the device says it is.
    Identity {
        /// Which part of its identity.
        part: IdentityPart,
        /// What it says.
        text: String,
    },
    /// Something about the device itself.
    Notice {
        /// What.
        notice: Notice,
    },
}

/// The end of one determination of the blood pressure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Determination {
    /// Who started it.
    pub origin: CuffOrigin,
    /// How old it was when it arrived, ms.
    pub age_ms: u64,
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
    /// The device's own code, where the reason is [`Failure::Unknown`].
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
    pub pulse_doubt: Option<Doubt>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_absent: Option<Absent>,
}

impl From<&sample::Sample> for Sample {
    fn from(said: &sample::Sample) -> Self {
        match said {
            sample::Sample::Oximetry(oximetry) => Self::Oximetry(oximetry.into()),
            sample::Sample::Pleth { value, .. } => Self::Pleth { value: *value },
            sample::Sample::CuffState { state, .. } => Self::CuffState { state: *state },
            sample::Sample::CuffPressure { mmhg, .. } => Self::CuffPressure { cuff_mmhg: *mmhg },
            sample::Sample::CuffResult(result) => Self::CuffResult(result.into()),
            sample::Sample::Identity { part, text, .. } => Self::Identity { part: *part, text: text.to_string() },
            sample::Sample::Notice { notice, .. } => Self::Notice { notice: *notice },
        }
    }
}

impl From<&CuffResult> for Determination {
    fn from(result: &CuffResult) -> Self {
        let [systolic_mmhg, diastolic_mmhg, mean_mmhg] = result.pressure.map_or([None; 3], mmhg);
        let failure = result.pressure.err();
        let pulse = Keys::of(result.pulse, PulseRate::as_bpm);
        Self {
            origin: result.origin,
            age_ms: result.at.since(result.measured_at).as_millis(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};
    use vitalsd_core::sample::{self as core, Text};
    use vitalsd_core::time::{Span, Time};
    use vitalsd_core::vitals::{BloodPressure, Measured, Spo2};

    fn told(said: &core::Sample) -> serde_json::Value {
        let json = to_value(Sample::from(said)).unwrap();
        assert_eq!(serde_json::from_value::<Sample>(json.clone()).unwrap(), Sample::from(said));
        json
    }

    const AT: Time = Time::from_millis(9_000);

    #[test]
    fn a_missing_number_is_an_absent_key_with_its_reason() {
        let oximetry = core::Oximetry {
            at: AT,
            spo2: Measured::in_range(Spo2::percent(97)),
            pulse: Measured::Absent(Absent::Searching),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        };
        assert_eq!(
            told(&core::Sample::Oximetry(oximetry)),
            json!({
                "sample": "oximetry", "spo2_pct": 97, "spo2_quality": "good", "pulse_absent": "searching",
                "perfusion_index_absent": "not_measured"
            })
        );
    }

    #[test]
    fn a_determination_tells_its_age_and_a_failure_has_no_number() {
        let result = |pressure| {
            told(&core::Sample::CuffResult(CuffResult {
                at: AT,
                measured_at: AT - Span::secs(4),
                origin: CuffOrigin::Bedside,
                pressure,
                pulse: Measured::Absent(Absent::NotMeasured),
            }))
        };
        assert_eq!(
            result(Ok(BloodPressure::full(128, 82, None).unwrap())),
            json!({
                "sample": "cuff_result", "origin": "bedside", "age_ms": 4_000, "systolic_mmhg": 128,
                "diastolic_mmhg": 82, "pulse_absent": "not_measured"
            })
        );
        assert_eq!(
            result(Err(CuffFailure::Unknown(17))),
            json!({
                "sample": "cuff_result", "origin": "bedside", "age_ms": 4_000, "failure": "unknown",
                "failure_code": 17, "pulse_absent": "not_measured"
            })
        );
    }

    #[test]
    fn everything_else_is_flat_too() {
        let text = Text::from_device(b"50D(A)");
        assert_eq!(
            told(&core::Sample::Identity { at: AT, part: IdentityPart::Model, text }),
            json!({ "sample": "identity", "part": "model", "text": "50D(A)" })
        );
        assert_eq!(told(&core::Sample::Pleth { at: AT, value: 64 }), json!({ "sample": "pleth", "value": 64 }));
        assert_eq!(
            told(&core::Sample::CuffState { at: AT, state: CuffState::Inflating }),
            json!({ "sample": "cuff_state", "state": "inflating" })
        );
        assert_eq!(
            told(&core::Sample::Notice { at: AT, notice: Notice::BatteryLow }),
            json!({ "sample": "notice", "notice": "battery_low" })
        );
    }
}
