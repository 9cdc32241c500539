//! What a replay came to, in figures: `vitalsd replay --summary --json`.

use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::output::{Condition, Priority};

use super::number::Decimal;

/// What the replay of a recording came to. All times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The length of the recording.
    pub length_s: Decimal,
    /// Every alarm condition that became active, in order of its first time.
    pub alarms: Vec<Count>,
    /// How often a sound began or became graver.
    pub audible: u32,
    /// The same for each hour.
    pub audible_per_hour: Decimal,
    /// Every row whose limit was broken, held against the values of the recording.
    pub rows: Vec<Row>,
    /// What the plain rules would have done.
    pub plain: Vec<Plain>,
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
    /// How often it made a sound begin or become graver: not while a sound as grave went on in its group.
    pub audible: u32,
    /// When it first became active.
    pub first_s: Decimal,
    /// For how long it was active in all.
    pub active_s: Decimal,
}

/// One row of the preset, held against what was so. An excursion is sustained if the limit was broken for the
/// delay of the row, as R2.2 counts it; it is due at the end of that delay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which condition.
    pub condition: Condition,
    /// Its row in R7.
    pub row: String,
    /// Its delay.
    pub delay_s: Decimal,
    /// For how long its limit was broken.
    pub violation_s: Decimal,
    /// How many excursions were sustained.
    pub sustained: u32,
    /// How many of them were found.
    pub found: u32,
    /// How many of them were found more than a second after they were due.
    pub late: u32,
    /// From due to found, in the middle of them; negative: before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_s: Option<Decimal>,
    /// The same, for the latest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_s: Option<Decimal>,
    /// How many more would have been sustained, but no sensor saw enough of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hidden: u32,
}

/// A plain rule: beyond its limit is an alarm at once, and back at it, or without a value, the alarm is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plain {
    /// Its limit.
    pub rule: String,
    /// How often it would have begun: each time with sound.
    pub onsets: u32,
    /// The same for each hour.
    pub onsets_per_hour: Decimal,
    /// For how long its limit was broken.
    pub violation_s: Decimal,
    /// How many of them lasted 10 s or longer.
    pub lasting: u32,
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

/// What a set of simulated sessions came to, of which the truth is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which set.
    pub set: String,
    /// How many sessions.
    pub sessions: u32,
    /// How long they were together.
    pub hours: Decimal,
    /// How many things happened to the patients.
    pub events: u32,
    /// How many things happened to probe and cuff.
    pub artefacts: u32,
    /// How often a sound began or became graver.
    pub audible: u32,
    /// The same for each hour.
    pub audible_per_hour: Decimal,
    /// How often with nothing to do about it.
    pub needless: u32,
    /// How many of these were about a vital sign; the others were about the equipment.
    pub needless_physiological: u32,
    /// All of them, for each session.
    pub needless_per_session: Decimal,
    /// How often a plain rule would have begun.
    pub plain_audible: u32,
    /// The same for each hour.
    pub plain_per_hour: Decimal,
    /// How often with nothing to do about it.
    pub plain_needless: u32,
    /// How many percent fewer sounds than by the plain rules; nothing if they made none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fewer_pct: Option<Decimal>,
    /// What made a sound begin or become graver.
    pub sounds: Vec<Sound>,
    /// Every row whose limit was broken, held against the truth.
    pub rows: Vec<Row>,
    /// The plain rules.
    pub plain: Vec<Plain>,
}

/// What one condition made to be heard at one priority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Which condition.
    pub condition: Condition,
    /// Its row in R7, or its rule.
    pub row: String,
    /// How grave.
    pub priority: Priority,
    /// How often.
    pub audible: u32,
    /// How often with nothing to do about it.
    pub needless: u32,
    /// What was going on at the needless ones.
    pub causes: Vec<Cause>,
}

/// What was going on at needless sounds, and where one of them is to be found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What.
    pub during: String,
    /// How many of them.
    pub needless: u32,
    /// The seed of a session with one.
    pub seed: u64,
    /// When it began to sound.
    pub at_s: Decimal,
    /// How long after what was going on had begun.
    pub after_s: Decimal,
    /// How long that lasted.
    pub lasted_s: Decimal,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
