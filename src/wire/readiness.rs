//! The measured items before a patient leaves (R9). They never say that somebody may go: a clinician decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::readiness::{self, Missing as Core};
use vitalsd_core::vitals::Pressure;

use super::clock::{Clock, WallTime};
use super::number::Decimal;

/// The six measured items, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// All of them are met. It is not "ready to leave": beside them stands what only a person can see.
    pub vitals_ready: bool,
    /// How many are met.
    pub met_count: u8,
    /// When they were all met, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met_at: Option<WallTime>,
    /// How it is to be said: `measured items met 6/6, clinician decides`.
    pub words: String,
    /// Each of them, in the order of the rule book.
    pub items: Vec<Item>,
}

/// One measured item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Which of them.
    pub item: Name,
    /// Whether it is met.
    pub met: bool,
    /// What is missing to it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

/// The six items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ItemName")]
pub enum Name {
    /// Time since the dose.
    Time,
    /// Blood pressure.
    Pressure,
    /// It does not rise.
    PressureTrend,
    /// Saturation.
    Spo2,
    /// Pulse rate.
    Pulse,
    /// No alarm that counts.
    Alarms,
}

/// In the order of the rule book.
const NAMES: [Name; 6] = [Name::Time, Name::Pressure, Name::PressureTrend, Name::Spo2, Name::Pulse, Name::Alarms];

/// What is missing to an item.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "missing", rename_all = "snake_case")]
pub enum Missing {
    /// No dose was recorded.
    Dose,
    /// The infusion has not ended.
    InfusionRunning,
    /// Too soon after the dose.
    AfterDose {
        /// The first moment that is late enough.
        until: WallTime,
    },
    /// Too soon after the end of the infusion.
    AfterInfusion {
        /// The first moment that is late enough.
        until: WallTime,
    },
    /// Too soon after a sedative or an antihypertensive.
    AfterMedicine {
        /// The first moment that is late enough.
        until: WallTime,
    },
    /// No determination in the last hour.
    NoPressure,
    /// The newest determination is too old.
    PressureOld {
        /// When it was.
        measured_at: WallTime,
    },
    /// No other determination long enough before the newest.
    SecondPressure {
        /// The first moment at which another is late enough.
        from: WallTime,
    },
    /// A determination is outside its limits.
    PressureOutside {
        /// When it was.
        measured_at: WallTime,
        /// Systolic, mmHg.
        #[serde(skip_serializing_if = "Option::is_none")]
        systolic_mmhg: Option<u16>,
        /// Diastolic, mmHg.
        #[serde(skip_serializing_if = "Option::is_none")]
        diastolic_mmhg: Option<u16>,
        /// The highest systolic that passes.
        systolic_at_most_mmhg: u16,
        /// The highest diastolic that passes.
        diastolic_at_most_mmhg: u16,
    },
    /// A determination of the mean alone, which cannot pass.
    PressureMeanOnly {
        /// When it was.
        measured_at: WallTime,
    },
    /// The systolic pressure rises.
    PressureRising {
        /// The older, mmHg.
        from_mmhg: u16,
        /// The newer, mmHg.
        to_mmhg: u16,
    },
    /// Oxygen is given.
    Oxygen,
    /// Too little good data.
    Spo2Thin {
        /// The share there is, %.
        good_pct: u8,
    },
    /// The median is too low.
    Spo2Low {
        /// The median, %.
        median_pct: Decimal,
        /// The lowest that passes, %.
        at_least_pct: Decimal,
    },
    /// It was low for a while too short a time ago.
    Spo2LowRun {
        /// The last moment of it.
        ended: WallTime,
    },
    /// No pulse to judge by.
    NoPulse,
    /// The median pulse is outside.
    PulseOutside {
        /// The median, beats a minute.
        median_bpm: u16,
    },
    /// A MEDIUM or HIGH is active.
    Alarm,
    /// A latched alarm was not seen.
    Unseen,
    /// A HIGH was active too short a while ago.
    High {
        /// When it was last active.
        ended: WallTime,
    },
}

impl Missing {
    fn new(missing: Core, clock: Clock) -> Self {
        let at = |time| clock.at(time);
        match missing {
            Core::Dose => Self::Dose,
            Core::InfusionRunning => Self::InfusionRunning,
            Core::AfterDose { until } => Self::AfterDose { until: at(until) },
            Core::AfterInfusion { until } => Self::AfterInfusion { until: at(until) },
            Core::AfterMedicine { until } => Self::AfterMedicine { until: at(until) },
            Core::Pressure => Self::NoPressure,
            Core::PressureOld { measured_at } => Self::PressureOld { measured_at: at(measured_at) },
            Core::SecondPressure { from } => Self::SecondPressure { from: at(from) },
            Core::PressureOutside { measured_at, pressure, systolic_at_most, diastolic_at_most } => {
                Self::PressureOutside {
                    measured_at: at(measured_at),
                    systolic_mmhg: pressure.systolic().map(Pressure::as_mmhg),
                    diastolic_mmhg: pressure.diastolic().map(Pressure::as_mmhg),
                    systolic_at_most_mmhg: systolic_at_most,
                    diastolic_at_most_mmhg: diastolic_at_most,
                }
            }
            Core::PressureMeanOnly { measured_at } => Self::PressureMeanOnly { measured_at: at(measured_at) },
            Core::PressureRising { from, to } => Self::PressureRising { from_mmhg: from, to_mmhg: to },
            Core::Oxygen => Self::Oxygen,
            Core::Spo2Thin { good_pct } => Self::Spo2Thin { good_pct },
            Core::Spo2Low { median, at_least } => Self::Spo2Low {
                median_pct: Decimal::tenths(median.as_tenths()),
                at_least_pct: Decimal::tenths(at_least),
            },
            Core::Spo2LowRun { at: ended } => Self::Spo2LowRun { ended: at(ended) },
            Core::Pulse => Self::NoPulse,
            Core::PulseOutside { median } => Self::PulseOutside { median_bpm: median.as_bpm() },
            Core::Alarm => Self::Alarm,
            Core::Unseen => Self::Unseen,
            Core::High { at: ended } => Self::High { ended: at(ended) },
        }
    }
}

impl Readiness {
    /// The items with their times on the wall clock.
    #[must_use]
    pub fn new(readiness: &readiness::Readiness, clock: Clock) -> Self {
        let missing = |item| match item {
            readiness::Item::Met => None,
            readiness::Item::Missing(missing) => Some(Missing::new(missing, clock)),
        };
        let items = NAMES.iter().zip(readiness.items);
        let items = items.map(|(name, item)| (*name, missing(item)));
        Self {
            vitals_ready: readiness.vitals_ready,
            met_count: readiness.met().try_into().unwrap_or(u8::MAX),
            met_at: readiness.met_at.map(|met| clock.at(met)),
            words: format!("measured items met {}/{}, clinician decides", readiness.met(), NAMES.len()),
            items: items.map(|(item, missing)| Item { item, met: missing.is_none(), missing }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};
    use vitalsd_core::time::{Span, Time};
    use vitalsd_core::vitals::{BloodPressure, Spo2};

    #[test]
    fn r9_each_item_is_met_or_says_what_is_missing_and_the_words_leave_the_decision_to_a_clinician() {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let missing = readiness::Item::Missing;
        let min = |min| Time::ZERO + Span::mins(min);
        let core = readiness::Readiness {
            items: [
                missing(Core::AfterDose { until: min(97) }),
                missing(Core::PressureOutside {
                    measured_at: min(20),
                    pressure: BloodPressure::full(151, 90, None).unwrap(),
                    systolic_at_most: 140,
                    diastolic_at_most: 90,
                }),
                missing(Core::PressureRising { from: 138, to: 151 }),
                missing(Core::Spo2Low { median: Spo2::tenths(935).unwrap(), at_least: 940 }),
                readiness::Item::Met,
                missing(Core::Unseen),
            ],
            vitals_ready: false,
            met_at: None,
        };
        let told = Readiness::new(&core, clock);
        let json = to_value(&told).unwrap();
        assert_eq!(
            json,
            json!({
                "vitals_ready": false, "met_count": 1, "words": "measured items met 1/6, clinician decides",
                "items": [
                    { "item": "time", "met": false, "missing": "after_dose", "until": "2026-11-22T11:07:00.000Z" },
                    {
                        "item": "pressure", "met": false, "missing": "pressure_outside",
                        "measured_at": "2026-11-22T09:50:00.000Z", "systolic_mmhg": 151, "diastolic_mmhg": 90,
                        "systolic_at_most_mmhg": 140, "diastolic_at_most_mmhg": 90
                    },
                    {
                        "item": "pressure_trend", "met": false, "missing": "pressure_rising", "from_mmhg": 138,
                        "to_mmhg": 151
                    },
                    { "item": "spo2", "met": false, "missing": "spo2_low", "median_pct": 93.5, "at_least_pct": 94 },
                    { "item": "pulse", "met": true },
                    { "item": "alarms", "met": false, "missing": "unseen" }
                ]
            })
        );
        assert_eq!(from_value::<Readiness>(json).unwrap(), told);
    }

    #[test]
    fn r9_six_of_six_has_the_time_at_which_they_were_met() {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let core = readiness::Readiness {
            items: [readiness::Item::Met; 6],
            vitals_ready: true,
            met_at: Some(Time::ZERO + Span::mins(5)),
        };
        let json = to_value(Readiness::new(&core, clock)).unwrap();
        assert_eq!(json["words"], "measured items met 6/6, clinician decides");
        assert_eq!((&json["vitals_ready"], &json["met_at"]), (&json!(true), &json!("2026-11-22T09:35:00.000Z")));
    }
}
