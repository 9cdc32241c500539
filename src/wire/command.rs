//! Commands to a bed, and the replies: `bed/{bed}/command`, answered at the response topic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::CommandRefusal;
use vitalsd_core::monitor::output::{Phase, Priority};

pub use super::action::{Action, Opening, Unsound};
use super::envelope::BootId;
use super::schema::Word;
use super::topic::Id;

/// What a person asks of a bed. Never honoured when retained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// `boot_id` of that heartbeat: the life of the box that the sender believes to speak to.
    pub boot_id: BootId,
    /// `uptime_ms` of the newest heartbeat that the sender has heard: how fresh its picture is. Older than 30 s is refused.
    pub uptime_ms: u64,
    /// Of the sender's own choice, new for each command. The same key twice is the same command, carried out once.
    pub key: String,
    /// A person or a station. An id and no name: everyone who sees the broker sees who did it.
    pub actor: Id,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The key of the command; absent: it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was not.
    Refused {
        /// Why, as a word.
        #[serde(flatten)]
        refusal: Refusal,
        /// Why, in words, with what to do about it.
        reason: String,
    },
}

/// Why a command was not carried out, with what is so now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum Refusal {
    /// A session is open already.
    SessionOpen,
    /// There is no open session.
    NoSession,
    /// The dose was already recorded.
    AlreadyDosed,
    /// The dose was not recorded yet.
    NotDosed,
    /// Not in this phase of the session.
    WrongPhase {
        /// The phase now.
        #[schemars(with = "Word<Phase>")]
        phase: Phase,
    },
    /// Back-dated further than allowed.
    TooLongAgo {
        /// The furthest that is allowed.
        limit_ms: u64,
    },
    /// Longer than allowed.
    TooLong {
        /// The most that is allowed.
        limit_ms: u64,
    },
    /// The cuff may not be on the arm of the cannula.
    CuffOnIvArm,
    /// No infusion runs, or it is not in the state that this needs.
    NoInfusion,
    /// The infusion must have ended first.
    InfusionRunning,
    /// The patient is on standby already, or not on standby.
    Standby,
    /// What this answers was not asked.
    NotAsked,
    /// Alarms are latched that nobody has seen.
    NotSeen {
        /// How many.
        latched: u8,
    },
    /// Measured items are not met: a reason is needed.
    ReasonNeeded {
        /// How many of the six are met.
        met: u8,
    },
    /// The alarm is not in the state that the command names.
    AlarmChanged {
        /// Its episode now.
        episode: u32,
        /// Its priority now; absent: not present.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<Word<Priority>>")]
        priority: Option<Priority>,
    },
    /// Somebody else has accepted it.
    Taken,
    /// This condition is never switched off, or not in this phase.
    NeverOff,
    /// The pulse before the dose was not below 50, or there is none.
    NoSlowPulse,
    /// A number or a text is not within its scale.
    OutOfRange,
    /// The bed has no cuff that can be started.
    NoCuff,
    /// The cuff is measuring already.
    CuffBusy,
    /// The cuff must rest first.
    CuffRests {
        /// For how long.
        wait_ms: u64,
    },
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
    /// The sender has given too many commands within the time in which one is valid.
    TooMany,
}

impl From<CommandRefusal> for Refusal {
    fn from(refusal: CommandRefusal) -> Self {
        use CommandRefusal as Core;
        match refusal {
            Core::SessionOpen => Self::SessionOpen,
            Core::NoSession => Self::NoSession,
            Core::AlreadyDosed => Self::AlreadyDosed,
            Core::NotDosed => Self::NotDosed,
            Core::WrongPhase { phase } => Self::WrongPhase { phase },
            Core::TooLongAgo { limit } => Self::TooLongAgo { limit_ms: limit.as_millis() },
            Core::TooLong { limit } => Self::TooLong { limit_ms: limit.as_millis() },
            Core::CuffOnIvArm => Self::CuffOnIvArm,
            Core::NoInfusion => Self::NoInfusion,
            Core::InfusionRunning => Self::InfusionRunning,
            Core::Standby => Self::Standby,
            Core::NotAsked => Self::NotAsked,
            Core::NotSeen { latched } => Self::NotSeen { latched },
            Core::ReasonNeeded { met } => Self::ReasonNeeded { met },
            Core::AlarmChanged { episode, priority } => Self::AlarmChanged { episode, priority },
            Core::Taken => Self::Taken,
            Core::NeverOff => Self::NeverOff,
            Core::NoSlowPulse => Self::NoSlowPulse,
            Core::OutOfRange => Self::OutOfRange,
            Core::NoCuff => Self::NoCuff,
            Core::CuffBusy => Self::CuffBusy,
            Core::CuffRests { wait } => Self::CuffRests { wait_ms: wait.as_millis() },
            Core::CuffLost => Self::CuffLost,
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
    use vitalsd_core::monitor::input::Named;
    use vitalsd_core::monitor::output::Condition;
    use vitalsd_core::time::Span;

    #[test]
    fn a_command_names_what_its_sender_has_seen() {
        let command: Command = from_value(json!({
            "boot_id": "000042-9f3a1c", "uptime_ms": 12_003, "key": "k1", "actor": "nurse-2",
            "action": "acknowledge", "condition": "spo2-low", "episode": 2, "priority": "high"
        }))
        .unwrap();
        let named = Named { condition: Condition::Spo2Low, episode: 2, priority: Priority::High };
        assert_eq!((command.boot_id, &command.action), (BootId::new(42, 0x9f_3a1c), &Action::Acknowledge(named)));
        assert_eq!(from_value::<Command>(to_value(&command).unwrap()).unwrap(), command);
    }

    #[test]
    fn who_asks_is_an_id_and_no_name() {
        let by = |actor: &str| {
            let command = json!({
                "boot_id": "000042-9f3a1c", "uptime_ms": 1, "key": "k1", "actor": actor, "action": "help"
            });
            from_value::<Command>(command).is_ok()
        };
        assert!(by("nurse-2"));
        assert!(!by("Mary Example"));
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
        assert_eq!(
            to_value(Reply::from_core("k1".into(), Err(CommandRefusal::CuffRests { wait: Span::secs(40) }))).unwrap(),
            json!({
                "key": "k1", "outcome": "refused", "refused": "cuff_rests", "wait_ms": 40_000,
                "reason": "the cuff must rest for another 40 s"
            })
        );
        assert_eq!(to_value(Reply::from_core("k1".into(), Ok(()))).unwrap(), json!({ "key": "k1", "outcome": "done" }));
    }
}
