//! An alarm condition as it stands: the retained slot `bed/{bed}/alarm/{condition}`. Sound follows it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::LossReason;
use vitalsd_core::monitor::output::{self, AlarmKind, Condition, Phase, Presence, Priority, Value};
use vitalsd_core::vitals::Absent;

use super::clock::{Clock, WallTime};
use super::number::Decimal;
use super::vitals::{Failure, mmhg};
use super::words;

/// An alarm condition as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Which.
    pub condition: Condition,
    /// Its row or rule in the rule book.
    pub row: Cow<'static, str>,
    /// Patient or equipment.
    pub kind: AlarmKind,
    /// How grave, in the present phase.
    pub priority: Priority,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether it is listened to.
    pub activation: Activation,
    /// Counts up each time it becomes active.
    pub episode: u32,
    /// Whether it is announced, or stands under a higher one of its group.
    pub announced: bool,
    /// Whether it is to be heard now.
    pub sounds: bool,
    /// Who accepted this episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// When it became active.
    pub since: WallTime,
    /// How much of the time before `since` was delay by design.
    pub delay_ms: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<WallTime>,
    /// The value that keeps it up, or the newest one of its quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Reading>,
    /// The worst value of this episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<Reading>,
    /// The limit that it is judged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// There is no fresh value: what is shown is the last one.
    pub stale: bool,
    /// The phase at the last change.
    pub phase: Phase,
    /// All of it in words.
    pub reason: String,
}

/// Whether a condition is listened to (IEEE 11073 SDC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// It is.
    On,
    /// Its sound is paused.
    Paused,
    /// It is switched off.
    Off,
}

/// An acceptance of one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// A person or a station, an opaque id.
    pub actor: String,
    /// When.
    pub at: WallTime,
}

/// What an alarm is about: the keys of one quantity, or of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
    /// Since when it has been due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_since: Option<WallTime>,
    /// Why a device is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
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
            Value::Pressure(bp) => {
                let [systolic_mmhg, diastolic_mmhg, mean_mmhg] = mmhg(bp);
                Self { systolic_mmhg, diastolic_mmhg, mean_mmhg, ..none }
            }
            Value::Absent(reason) => Self { absent: Some(reason), ..none },
            Value::Since(due) => Self { due_since: Some(clock.at(due)), ..none },
            Value::Lost(reason) => Self { lost: Some(reason), ..none },
            Value::CuffFailure(reason) => Self { failure: Some(reason.into()), ..none },
        }
    }
}

/// The limit of a condition: any one of the keys that are there is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
}

impl From<output::Limit> for Limit {
    fn from(limit: output::Limit) -> Self {
        let none = Self::default();
        match limit {
            output::Limit::Spo2Below(v) => Self { spo2_below_pct: Some(Decimal::tenths(v.as_tenths())), ..none },
            output::Limit::Spo2AtMost(v) => Self { spo2_at_most_pct: Some(Decimal::tenths(v.as_tenths())), ..none },
            output::Limit::PulseAbove(v) => Self { pulse_above_bpm: Some(v), ..none },
            output::Limit::PulseBelow(v) => Self { pulse_below_bpm: Some(v), ..none },
            output::Limit::PulseAtMost(v) => Self { pulse_at_most_bpm: Some(v), ..none },
            // The condition itself says it; there is no number.
            output::Limit::NoPulse => none,
            output::Limit::PressureAbove { systolic, diastolic } => {
                Self { systolic_above_mmhg: Some(systolic), diastolic_above_mmhg: Some(diastolic), ..none }
            }
            output::Limit::PressureAtLeast { systolic, diastolic } => {
                Self { systolic_at_least_mmhg: Some(systolic), diastolic_at_least_mmhg: Some(diastolic), ..none }
            }
            output::Limit::PressureBelow { systolic, mean } => {
                Self { systolic_below_mmhg: systolic, mean_below_mmhg: mean, ..none }
            }
        }
    }
}

impl Alarm {
    /// The alarm with its times on the wall clock, and in words.
    #[must_use]
    pub fn new(alarm: &output::Alarm, clock: Clock) -> Self {
        Self {
            condition: alarm.condition,
            row: Cow::Borrowed(alarm.condition.row()),
            kind: alarm.kind(),
            priority: alarm.priority,
            presence: alarm.presence,
            activation: Activation::On,
            episode: alarm.episode,
            announced: alarm.announced,
            sounds: alarm.sounds,
            ack: alarm.ack.as_ref().map(|ack| Ack { actor: ack.actor.clone(), at: clock.at(ack.at) }),
            since: clock.at(alarm.since),
            delay_ms: alarm.delay.as_millis(),
            ended: alarm.ended.map(|ended| clock.at(ended)),
            value: alarm.value.map(|value| Reading::new(value, clock)),
            worst: alarm.worst.map(|worst| Reading::new(worst, clock)),
            limit: alarm.limit.map(Limit::from),
            stale: alarm.stale,
            phase: alarm.phase,
            reason: words::reason(alarm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::words::tests::spo2_low;
    use serde_json::{json, to_value};
    use vitalsd_core::time::Time;
    use vitalsd_core::vitals::BloodPressure;

    fn clock() -> Clock {
        Clock::new("2026-11-22T09:30:00Z".parse().unwrap())
    }

    #[test]
    fn an_alarm_is_told_in_numbers_with_units_and_in_words() {
        let acked = output::Alarm {
            ack: Some(output::Ack { actor: "nurse-2".into(), at: Time::from_millis(111_000) }),
            ..spo2_low()
        };
        let json = to_value(Alarm::new(&acked, clock())).unwrap();
        assert_eq!(
            json,
            json!({
                "condition": "spo2-low", "row": "2", "kind": "physiological", "priority": "high",
                "presence": "on", "activation": "on", "episode": 1, "announced": true, "sounds": true,
                "ack": { "actor": "nurse-2", "at": "2026-11-22T09:31:51.000Z" },
                "since": "2026-11-22T09:31:50.000Z", "delay_ms": 10_000,
                "value": { "spo2_pct": 86 }, "worst": { "spo2_pct": 85 }, "limit": { "spo2_below_pct": 88 },
                "stale": false, "phase": "window",
                "reason": "SpO2 86 %, below 88 % for 12 s, in the window"
            })
        );
        assert_eq!(serde_json::from_value::<Alarm>(json).unwrap(), Alarm::new(&acked, clock()));
    }

    #[test]
    fn a_pressure_alarm_names_each_number() {
        let high = output::Alarm {
            value: BloodPressure::full(184, 104, None).map(Value::Pressure),
            worst: None,
            limit: Some(output::Limit::PressureAtLeast { systolic: 180, diastolic: 110 }),
            ..spo2_low()
        };
        let json = to_value(Alarm::new(&high, clock())).unwrap();
        assert_eq!(json["value"], json!({ "systolic_mmhg": 184, "diastolic_mmhg": 104 }));
        assert_eq!(json["limit"], json!({ "systolic_at_least_mmhg": 180, "diastolic_at_least_mmhg": 110 }));
        assert!(json.get("worst").is_none() && json.get("ack").is_none() && json.get("ended").is_none());
    }
}
