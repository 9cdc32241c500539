//! What a replay came to, in figures: `vitalsd replay --summary --json`.

use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::output::{Condition, Priority};

use super::number::Decimal;

/// What a replay came to. All times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The length of the recording.
    pub length_s: Decimal,
    /// Every alarm condition that became active, in order of its first time.
    pub alarms: Vec<Count>,
    /// How often something was announced with sound.
    pub audible: u32,
    /// The same for each hour.
    pub audible_per_hour: Decimal,
    /// What the plain rule would have done.
    pub plain: Plain,
    /// Every excursion of the saturation.
    pub excursions: Vec<Excursion>,
}

/// One condition at one priority.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Which condition.
    pub condition: Condition,
    /// How grave: the highest that the episodes reached.
    pub priority: Priority,
    /// How often it became active.
    pub episodes: u32,
    /// How often it was announced with sound: not while it stood under a graver one, and again when it rose.
    pub audible: u32,
    /// When it first became active.
    pub first_s: Decimal,
    /// For how long it was active in all.
    pub active_s: Decimal,
}

/// The plain rule: SpO2 below a limit is an alarm at once, and back at it the alarm is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plain {
    /// Its limit: SpO2 `<` this.
    pub spo2_below_pct: Decimal,
    /// How often it would have begun.
    pub onsets: u32,
    /// The same for each hour.
    pub onsets_per_hour: Decimal,
    /// For how long SpO2 was below its limit.
    pub violation_s: Decimal,
}

/// One excursion of the saturation below the limit of the plain rule. It begins with the first value
/// that stays below for 10 s, and ends when 90 s have passed at or above.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excursion {
    /// When it began.
    pub start_s: Decimal,
    /// From then to the last value below.
    pub lasted_s: Decimal,
    /// The lowest value in it.
    pub lowest_spo2_pct: Decimal,
    /// From its start to the first alarm about it of any priority; negative: that much before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_alarm_s: Option<Decimal>,
    /// The same, to the first of MEDIUM or HIGH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_audible_s: Option<Decimal>,
    /// The same, to the first HIGH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_high_s: Option<Decimal>,
}
