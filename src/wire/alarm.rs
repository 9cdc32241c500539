//! An alarm condition as it stands: the retained slot `bed/{bed}/alarm/{condition}`. Sound follows it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::output::{self, Activation, AlarmKind, Condition, Phase, Presence, Priority};

use super::clock::{Clock, WallTime};
use super::reading::{Limit, Reading};
use super::schema::Word;
use super::words;

/// An alarm condition as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Which condition, as in the topic.
    #[schemars(with = "Word<Condition>")]
    pub condition: Condition,
    /// Its row in the alarm preset, or the rule that it follows.
    pub row: Cow<'static, str>,
    /// Patient or equipment.
    #[schemars(with = "Word<AlarmKind>")]
    pub kind: AlarmKind,
    /// How grave, in the present phase.
    #[schemars(with = "Word<Priority>")]
    pub priority: Priority,
    /// Whether it is there.
    #[schemars(with = "Word<Presence>")]
    pub presence: Presence,
    /// Whether it may sound.
    #[schemars(with = "Word<Activation>")]
    pub activation: Activation,
    /// Counts how often the condition became active; an acknowledgement names it.
    pub episode: u32,
    /// Whether it is announced; `false`: it stands under a graver one of its group.
    pub announced: bool,
    /// Whether it is to be heard now, at the stations.
    pub sounds: bool,
    /// Whether the sounder at the bedside is to be heard as well.
    pub bedside: bool,
    /// Since when every station is told, because nobody took it, or whoever took it passed it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<WallTime>,
    /// Who accepted this episode; absent: nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// When it became active: `delay_ms` after the limit was broken.
    pub since: WallTime,
    /// How much of the time before `since` was delay by design.
    pub delay_ms: u64,
    /// When it ended; absent: it has not.
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
    /// The patient's own value before the dose, if the limit was made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Reading>,
    /// There is no fresh value: what is shown is the last one.
    pub stale: bool,
    /// The phase at the last change.
    #[schemars(with = "Word<Phase>")]
    pub phase: Phase,
    /// All of it in words, as a nurse reads it; English.
    pub reason: String,
}

/// An acceptance of one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ack {
    /// A person or a station, an opaque id.
    pub actor: String,
    /// When it was accepted.
    pub at: WallTime,
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
            activation: alarm.activation,
            episode: alarm.episode,
            announced: alarm.announced,
            sounds: alarm.sounds,
            bedside: alarm.bedside,
            escalated_at: alarm.escalated.map(|at| clock.at(at)),
            ack: alarm.ack.as_ref().map(|ack| Ack { actor: ack.actor.clone(), at: clock.at(ack.at) }),
            since: clock.at(alarm.since),
            delay_ms: alarm.delay.as_millis(),
            ended: alarm.ended.map(|ended| clock.at(ended)),
            value: alarm.value.map(|value| Reading::new(value, clock)),
            worst: alarm.worst.map(|worst| Reading::new(worst, clock)),
            limit: alarm.limit.map(Limit::from),
            baseline: alarm.baseline.map(|baseline| Reading::new(baseline, clock)),
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
    use vitalsd_core::monitor::output::Value;
    use vitalsd_core::time::Time;
    use vitalsd_core::vitals::{BloodPressure, Spo2};

    fn clock() -> Clock {
        Clock::new("2026-11-22T09:30:00Z".parse().unwrap())
    }

    #[test]
    fn an_alarm_is_told_in_numbers_with_units_and_in_words() {
        let acked = output::Alarm {
            escalated: Some(Time::from_millis(112_000)),
            ack: Some(output::Ack { actor: "nurse-2".into(), at: Time::from_millis(111_000) }),
            ..spo2_low()
        };
        let json = to_value(Alarm::new(&acked, clock())).unwrap();
        assert_eq!(
            json,
            json!({
                "condition": "spo2-low", "row": "2", "kind": "physiological", "priority": "high",
                "presence": "on", "activation": "on", "episode": 1, "announced": true, "sounds": true,
                "bedside": false, "escalated_at": "2026-11-22T09:31:52.000Z",
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
    fn an_alarm_against_a_baseline_tells_the_baseline_and_whether_it_is_listened_to() {
        let paused = output::Alarm {
            activation: Activation::Paused,
            baseline: Spo2::percent(97).map(Value::Spo2),
            ..spo2_low()
        };
        let json = to_value(Alarm::new(&paused, clock())).unwrap();
        assert_eq!((&json["activation"], &json["baseline"]), (&json!("paused"), &json!({ "spo2_pct": 97 })));
        assert!(json.get("escalated_at").is_none());
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
