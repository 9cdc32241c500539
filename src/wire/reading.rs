//! The values and limits of alarms, in numbers with units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::LossReason;
use vitalsd_core::monitor::observation::Responsiveness;
use vitalsd_core::monitor::output::{self, Value};
use vitalsd_core::vitals::{Absent, BloodPressure, Spo2};

use super::clock::{Clock, WallTime};
use super::number::Decimal;
use super::schema::Word;
use super::vitals::{Failure, mmhg};

/// Row 29: so many falls below the limit within a minute are enough, whatever their burden.
const FALLS: u8 = 3;

/// What an alarm is about: the keys of one quantity, or of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Oxygen saturation, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_pct: Option<Decimal>,
    /// Pulse rate, beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_bpm: Option<u16>,
    /// Systolic pressure, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_mmhg: Option<u16>,
    /// Diastolic pressure, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_mmhg: Option<u16>,
    /// Mean pressure as measured, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_mmhg: Option<u16>,
    /// The pressure is severe, and was not measured again in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_remeasured: Option<bool>,
    /// Trend of the saturation, % a minute; negative: it falls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_slope_pct_per_min: Option<Decimal>,
    /// Trend of the pulse rate, beats a minute, a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_slope_bpm_per_min: Option<Decimal>,
    /// Trend of the systolic pressure, mmHg a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_slope_mmhg_per_min: Option<Decimal>,
    /// Percent below the limit times seconds (row 29).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burden_pct_s: Option<u32>,
    /// Falls below the limit within a minute (row 29: its safety net).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub falls_count: Option<u8>,
    /// Desaturations within the time of the limit (row 30).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desaturations_count: Option<u8>,
    /// Pulse rate / systolic pressure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shock_index: Option<Decimal>,
    /// Pulse rate as the cuff counted it, beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuff_pulse_bpm: Option<u16>,
    /// To what the person responded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Responsiveness>>")]
    pub responds: Option<Responsiveness>,
    /// Breaths a minute, counted at the check round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaths_per_min: Option<u8>,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<Absent>>")]
    pub absent: Option<Absent>,
    /// Since when it has been due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_since: Option<WallTime>,
    /// Why a device is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word<LossReason>>")]
    pub lost: Option<LossReason>,
    /// Why the cuff gave no pressure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Reading {
    /// The value, with its times on the wall clock.
    #[must_use]
    pub fn new(value: Value, clock: Clock) -> Self {
        let none = Self::default();
        match value {
            Value::Spo2(spo2) => Self { spo2_pct: Some(Decimal::tenths(spo2.as_tenths())), ..none },
            Value::Pulse(pulse) => Self { pulse_bpm: Some(pulse.as_bpm()), ..none },
            Value::Pressure(bp) => Self::pressure(bp),
            Value::NotRemeasured(bp) => Self { not_remeasured: Some(true), ..Self::pressure(bp) },
            Value::Spo2Trend(spo2, slope) => Self {
                spo2_slope_pct_per_min: Some(Decimal::signed_hundredths(slope)),
                ..Self::new(Value::Spo2(spo2), clock)
            },
            Value::PulseTrend(pulse, slope) => Self {
                pulse_slope_bpm_per_min: Some(Decimal::signed_hundredths(slope)),
                ..Self::new(Value::Pulse(pulse), clock)
            },
            Value::PressureTrend(bp, slope) => {
                Self { systolic_slope_mmhg_per_min: Some(Decimal::signed_hundredths(slope)), ..Self::pressure(bp) }
            }
            Value::Burden(Some(burden)) => Self { burden_pct_s: Some(burden), ..none },
            Value::Burden(None) => Self { falls_count: Some(FALLS), ..none },
            Value::Desaturations(count) => Self { desaturations_count: Some(count), ..none },
            Value::ShockIndex(index) => Self { shock_index: Some(Decimal::hundredths(index)), ..none },
            Value::Rates(oximeter, cuff) => {
                Self { pulse_bpm: Some(oximeter.as_bpm()), cuff_pulse_bpm: Some(cuff.as_bpm()), ..none }
            }
            Value::Spo2AndPulse(spo2, pulse) => {
                Self { pulse_bpm: Some(pulse.as_bpm()), ..Self::new(Value::Spo2(spo2), clock) }
            }
            Value::PressureAndPulse(bp, pulse) => Self { pulse_bpm: Some(pulse.as_bpm()), ..Self::pressure(bp) },
            Value::Responsiveness(responds) => Self { responds: Some(responds), ..none },
            Value::Breaths(breaths) => Self { breaths_per_min: Some(breaths), ..none },
            Value::Absent(reason) => Self { absent: Some(reason), ..none },
            Value::Since(due) => Self { due_since: Some(clock.at(due)), ..none },
            Value::Lost(reason) => Self { lost: Some(reason), ..none },
            Value::CuffFailure(reason) => Self { failure: Some(reason.into()), ..none },
        }
    }

    fn pressure(bp: BloodPressure) -> Self {
        let [systolic_mmhg, diastolic_mmhg, mean_mmhg] = mmhg(bp);
        Self { systolic_mmhg, diastolic_mmhg, mean_mmhg, ..Self::default() }
    }
}

/// The limit of a condition. Of two pressures one is enough; where the keys name two quantities, or a trend and
/// a quantity, both must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// SpO2 `<` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_below_pct: Option<Decimal>,
    /// SpO2 `<=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_at_most_pct: Option<Decimal>,
    /// Pulse `>` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_above_bpm: Option<u16>,
    /// Pulse `<` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_below_bpm: Option<u16>,
    /// Pulse `<=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_at_most_bpm: Option<u16>,
    /// Pulse `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_at_least_bpm: Option<u16>,
    /// Systolic `>` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_above_mmhg: Option<u16>,
    /// Diastolic `>` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_above_mmhg: Option<u16>,
    /// Systolic `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_at_least_mmhg: Option<u16>,
    /// Diastolic `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_at_least_mmhg: Option<u16>,
    /// Systolic `<` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_below_mmhg: Option<u16>,
    /// Mean `<` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_below_mmhg: Option<u16>,
    /// Systolic `>=` the baseline and this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_rise_mmhg: Option<u16>,
    /// Diastolic `>=` the baseline and this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_rise_mmhg: Option<u16>,
    /// Mean `>=` this part of the baseline, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_of_baseline_pct: Option<u16>,
    /// Mean `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_at_least_mmhg: Option<Decimal>,
    /// SpO2 falls by this or more, % a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_falls_pct_per_min: Option<Decimal>,
    /// Pulse climbs by this or more, beats a minute, a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_climbs_bpm_per_min: Option<Decimal>,
    /// Systolic climbs by this or more, mmHg a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_climbs_mmhg_per_min: Option<Decimal>,
    /// Percent below the limit of SpO2 times seconds `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burden_pct_s: Option<u32>,
    /// So many desaturations ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desaturations_count: Option<u8>,
    /// ... within this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
    /// Pulse rate / systolic pressure `>=` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shock_index_at_least: Option<Decimal>,
    /// Pulse falls by more than this within two minutes, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_falls_pct: Option<u16>,
    /// Breaths a minute `<` this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaths_below_per_min: Option<u8>,
}

impl From<output::Limit> for Limit {
    fn from(limit: output::Limit) -> Self {
        use output::Limit as Core;
        let none = Self::default();
        let pct = |spo2: Spo2| Some(Decimal::tenths(spo2.as_tenths()));
        let per_min = |hundredths| Some(Decimal::hundredths(hundredths));
        match limit {
            Core::Spo2Below(v) => Self { spo2_below_pct: pct(v), ..none },
            Core::Spo2AtMost(v) => Self { spo2_at_most_pct: pct(v), ..none },
            Core::PulseAbove(v) => Self { pulse_above_bpm: Some(v), ..none },
            Core::PulseBelow(v) => Self { pulse_below_bpm: Some(v), ..none },
            Core::PulseAtMost(v) => Self { pulse_at_most_bpm: Some(v), ..none },
            // The condition itself says it; there is no number.
            Core::NoPulse => none,
            Core::PressureAbove { systolic, diastolic } => {
                Self { systolic_above_mmhg: Some(systolic), diastolic_above_mmhg: Some(diastolic), ..none }
            }
            Core::PressureAtLeast { systolic, diastolic } => {
                Self { systolic_at_least_mmhg: Some(systolic), diastolic_at_least_mmhg: Some(diastolic), ..none }
            }
            Core::PressureRise { systolic, diastolic } => {
                Self { systolic_rise_mmhg: Some(systolic), diastolic_rise_mmhg: Some(diastolic), ..none }
            }
            Core::MeanRise(pct) => Self { mean_of_baseline_pct: Some(pct), ..none },
            Core::MeanAtLeast(tenths) => Self { mean_at_least_mmhg: Some(Decimal::tenths(tenths)), ..none },
            Core::PressureBelow { systolic, mean } => {
                Self { systolic_below_mmhg: systolic, mean_below_mmhg: mean, ..none }
            }
            Core::Spo2Falling { per_min: slope, at_most } => {
                Self { spo2_falls_pct_per_min: per_min(slope), spo2_at_most_pct: pct(at_most), ..none }
            }
            Core::PulseClimbing { per_min: slope, above } => {
                Self { pulse_climbs_bpm_per_min: per_min(slope), pulse_above_bpm: Some(above), ..none }
            }
            Core::PressureClimbing { per_min: slope, systolic } => {
                Self { systolic_climbs_mmhg_per_min: per_min(slope), systolic_at_least_mmhg: Some(systolic), ..none }
            }
            Core::Burden { below, points } => Self { spo2_below_pct: pct(below), burden_pct_s: Some(points), ..none },
            Core::Desaturations { count, within } => {
                Self { desaturations_count: Some(count), within_ms: Some(within.as_millis()), ..none }
            }
            Core::ShockIndexAtLeast(index) => Self { shock_index_at_least: Some(Decimal::hundredths(index)), ..none },
            Core::PulseFall(pct) => Self { pulse_falls_pct: Some(pct), ..none },
            Core::Spo2AndPulse { at_most, at_least } => {
                Self { spo2_at_most_pct: pct(at_most), pulse_at_least_bpm: Some(at_least), ..none }
            }
            Core::PressureAndPulse { systolic, at_most } => {
                Self { systolic_at_least_mmhg: Some(systolic), pulse_at_most_bpm: Some(at_most), ..none }
            }
            Core::BreathsBelow(breaths) => Self { breaths_below_per_min: Some(breaths), ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};
    use vitalsd_core::time::Span;
    use vitalsd_core::vitals::PulseRate;

    fn clock() -> Clock {
        Clock::new("2026-11-22T09:30:00Z".parse().unwrap())
    }

    #[test]
    fn each_new_value_has_its_unit_in_its_key() {
        let told = |value| to_value(Reading::new(value, clock())).unwrap();
        let (spo2, pulse) = (Spo2::tenths(925).unwrap(), PulseRate::bpm(112).unwrap());
        let bp = BloodPressure::full(172, 96, Some(121)).unwrap();
        let cases = [
            (
                Value::NotRemeasured(bp),
                json!({ "systolic_mmhg": 172, "diastolic_mmhg": 96, "mean_mmhg": 121, "not_remeasured": true }),
            ),
            (Value::Spo2Trend(spo2, -140), json!({ "spo2_pct": 92.5, "spo2_slope_pct_per_min": -1.4 })),
            (Value::PulseTrend(pulse, 1_250), json!({ "pulse_bpm": 112, "pulse_slope_bpm_per_min": 12.5 })),
            (
                Value::PressureTrend(BloodPressure::full(172, 96, None).unwrap(), 440),
                json!({ "systolic_mmhg": 172, "diastolic_mmhg": 96, "systolic_slope_mmhg_per_min": 4.4 }),
            ),
            (Value::Burden(Some(62)), json!({ "burden_pct_s": 62 })),
            (Value::Burden(None), json!({ "falls_count": 3 })),
            (Value::Desaturations(4), json!({ "desaturations_count": 4 })),
            (Value::ShockIndex(112), json!({ "shock_index": 1.12 })),
            (Value::Rates(pulse, PulseRate::bpm(88).unwrap()), json!({ "pulse_bpm": 112, "cuff_pulse_bpm": 88 })),
            (Value::Spo2AndPulse(spo2, pulse), json!({ "spo2_pct": 92.5, "pulse_bpm": 112 })),
            (
                Value::PressureAndPulse(BloodPressure::mean_only(121).unwrap(), pulse),
                json!({ "mean_mmhg": 121, "pulse_bpm": 112 }),
            ),
            (Value::Responsiveness(Responsiveness::Unresponsive), json!({ "responds": "unresponsive" })),
            (Value::Breaths(6), json!({ "breaths_per_min": 6 })),
        ];
        for (value, expected) in cases {
            assert_eq!(told(value), expected);
            assert_eq!(serde_json::from_value::<Reading>(expected).unwrap(), Reading::new(value, clock()));
        }
    }

    #[test]
    fn each_new_limit_has_its_unit_in_its_key() {
        use output::Limit as Core;
        let spo2 = |pct| Spo2::percent(pct).unwrap();
        let cases = [
            (
                Core::PressureRise { systolic: 40, diastolic: 25 },
                json!({ "systolic_rise_mmhg": 40, "diastolic_rise_mmhg": 25 }),
            ),
            (Core::MeanRise(130), json!({ "mean_of_baseline_pct": 130 })),
            (Core::MeanAtLeast(1_222), json!({ "mean_at_least_mmhg": 122.2 })),
            (
                Core::Spo2Falling { per_min: 100, at_most: spo2(95) },
                json!({ "spo2_falls_pct_per_min": 1, "spo2_at_most_pct": 95 }),
            ),
            (
                Core::PulseClimbing { per_min: 1_000, above: 100 },
                json!({ "pulse_climbs_bpm_per_min": 10, "pulse_above_bpm": 100 }),
            ),
            (
                Core::PressureClimbing { per_min: 300, systolic: 150 },
                json!({ "systolic_climbs_mmhg_per_min": 3, "systolic_at_least_mmhg": 150 }),
            ),
            (Core::Burden { below: spo2(90), points: 50 }, json!({ "spo2_below_pct": 90, "burden_pct_s": 50 })),
            (
                Core::Desaturations { count: 3, within: Span::mins(15) },
                json!({ "desaturations_count": 3, "within_ms": 900_000 }),
            ),
            (Core::ShockIndexAtLeast(100), json!({ "shock_index_at_least": 1 })),
            (Core::PulseFall(20), json!({ "pulse_falls_pct": 20 })),
            (
                Core::Spo2AndPulse { at_most: spo2(91), at_least: 130 },
                json!({ "spo2_at_most_pct": 91, "pulse_at_least_bpm": 130 }),
            ),
            (
                Core::PressureAndPulse { systolic: 180, at_most: 50 },
                json!({ "systolic_at_least_mmhg": 180, "pulse_at_most_bpm": 50 }),
            ),
            (Core::BreathsBelow(8), json!({ "breaths_below_per_min": 8 })),
        ];
        for (limit, expected) in cases {
            assert_eq!(to_value(Limit::from(limit)).unwrap(), expected);
        }
    }
}
