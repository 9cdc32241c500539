//! Commands to a bed, and the replies: `bed/{bed}/command`, answered at the response topic.

use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::{self, CommandRefusal, Route};
use vitalsd_core::monitor::output::{Condition, Priority};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::BloodPressure;

use super::envelope::BootId;

/// What a person asks of a bed. Never honoured when retained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The life of the box that the sender believes to speak to.
    pub boot_id: BootId,
    /// `uptime_ms` of the newest heartbeat seen: how fresh the sender's picture is.
    pub uptime_ms: u64,
    /// The same key twice is the same command, carried out once.
    pub key: String,
    /// A person or a station, an opaque id.
    pub actor: String,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// The actions of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Open a session.
    Open {
        /// How the dose will be given.
        route: Route,
        /// How long the infusion is planned to run, IV only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        infusion_ms: Option<u64>,
        /// Whether the person is older than 65.
        #[serde(default)]
        over_65: bool,
    },
    /// The dose was given.
    Dose {
        /// How long ago.
        #[serde(default)]
        ago_ms: u64,
    },
    /// Close the session.
    Close,
    /// Accept an alarm and mute this episode of it.
    Acknowledge {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
        /// The priority that was seen.
        priority: Priority,
    },
    /// A latched alarm has been seen.
    Seen {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
    },
    /// A pressure measured by hand.
    Pressure {
        /// mmHg.
        systolic_mmhg: u16,
        /// mmHg.
        diastolic_mmhg: u16,
        /// mmHg, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean_mmhg: Option<u16>,
        /// How long ago it was measured.
        #[serde(default)]
        ago_ms: u64,
    },
    /// Measure the blood pressure now.
    StartCuff,
    /// Stop the determination under way.
    StopCuff,
}

impl Action {
    /// As the core takes it; `None`: the numbers are no blood pressure.
    #[must_use]
    pub fn to_core(self) -> Option<input::Action> {
        Some(match self {
            Self::Open { route, infusion_ms, over_65 } => {
                input::Action::Open { route, infusion: infusion_ms.map(Span::millis), over_65 }
            }
            Self::Dose { ago_ms } => input::Action::Dose { ago: Span::millis(ago_ms) },
            Self::Close => input::Action::Close,
            Self::Acknowledge { condition, episode, priority } => {
                input::Action::Acknowledge { condition, episode, priority }
            }
            Self::Seen { condition, episode } => input::Action::Seen { condition, episode },
            Self::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg, ago_ms } => input::Action::Pressure {
                pressure: BloodPressure::full(systolic_mmhg, diastolic_mmhg, mean_mmhg)?,
                ago: Span::millis(ago_ms),
            },
            Self::StartCuff => input::Action::StartCuff,
            Self::StopCuff => input::Action::StopCuff,
        })
    }
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The key of the command; absent: it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was not.
    Refused {
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
        /// Why, in words, with what to do about it.
        reason: String,
    },
}

/// Why a command was not carried out, with what is so now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum Refusal {
    /// A session is open already.
    SessionOpen,
    /// There is no open session.
    NoSession,
    /// The dose was already recorded.
    AlreadyDosed,
    /// Back-dated further than allowed.
    TooLongAgo {
        /// The furthest that is allowed.
        limit_ms: u64,
    },
    /// The alarm is not in the state that the command names.
    AlarmChanged {
        /// Its episode now.
        episode: u32,
        /// Its priority now; absent: not present.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
    },
    /// The bed has no cuff that can be started.
    NoCuff,
    /// The cuff is measuring already.
    CuffBusy,
    /// The cuff is not connected.
    CuffLost,
    /// The payload is no command of this version, or its numbers cannot be.
    Unreadable,
    /// It was retained: a command is for now only.
    Retained,
    /// The box has been restarted since the sender looked.
    OtherBoot,
    /// The sender's picture of the bed is too old.
    TooOld,
    /// The sender may not do this.
    NotAllowed,
}

impl From<CommandRefusal> for Refusal {
    fn from(refusal: CommandRefusal) -> Self {
        match refusal {
            CommandRefusal::SessionOpen => Self::SessionOpen,
            CommandRefusal::NoSession => Self::NoSession,
            CommandRefusal::AlreadyDosed => Self::AlreadyDosed,
            CommandRefusal::TooLongAgo { limit } => Self::TooLongAgo { limit_ms: limit.as_millis() },
            CommandRefusal::AlarmChanged { episode, priority } => Self::AlarmChanged { episode, priority },
            CommandRefusal::NoCuff => Self::NoCuff,
            CommandRefusal::CuffBusy => Self::CuffBusy,
            CommandRefusal::CuffLost => Self::CuffLost,
        }
    }
}

impl Reply {
    /// The bed's own answer.
    #[must_use]
    pub fn from_core(key: String, result: Result<(), CommandRefusal>) -> Self {
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(refusal) => Outcome::Refused { refusal: refusal.into(), reason: refusal.to_string() },
        };
        Self { key: Some(key), outcome }
    }

    /// An answer from before the bed was asked.
    #[must_use]
    pub fn refused(key: Option<String>, refusal: Refusal, reason: impl Into<String>) -> Self {
        Self { key, outcome: Outcome::Refused { refusal, reason: reason.into() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn a_command_names_what_its_sender_has_seen() {
        let command: Command = from_value(json!({
            "boot_id": "000042-9f3a1c", "uptime_ms": 12_003, "key": "k1", "actor": "nurse-2",
            "action": "acknowledge", "condition": "spo2-low", "episode": 2, "priority": "high"
        }))
        .unwrap();
        let seen = Action::Acknowledge { condition: Condition::Spo2Low, episode: 2, priority: Priority::High };
        assert_eq!((command.boot_id, command.action), (BootId::new(42, 0x9f_3a1c), seen));
        assert_eq!(from_value::<Command>(to_value(&command).unwrap()).unwrap(), command);
    }

    #[test]
    fn numbers_that_are_no_blood_pressure_do_not_reach_the_bed() {
        let pressure = |systolic_mmhg, diastolic_mmhg| {
            Action::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg: None, ago_ms: 0 }.to_core()
        };
        assert!(pressure(128, 82).is_some());
        assert_eq!(pressure(82, 128), None);
    }

    #[test]
    fn a_refusal_says_what_is_so_now_and_what_to_do() {
        let refusal = CommandRefusal::AlarmChanged { episode: 3, priority: Some(Priority::High) };
        assert_eq!(
            to_value(Reply::from_core("k1".into(), Err(refusal))).unwrap(),
            json!({
                "key": "k1", "outcome": "refused", "refused": "alarm_changed", "episode": 3, "priority": "high",
                "reason": "the alarm has changed: it is now episode 3, HIGH"
            })
        );
        assert_eq!(to_value(Reply::from_core("k1".into(), Ok(()))).unwrap(), json!({ "key": "k1", "outcome": "done" }));
    }
}
