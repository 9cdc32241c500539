//! The story of a bed: `bed/{bed}/event`. One flat object with a word that says what happened.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::{DeviceIndex, Link};
use vitalsd_core::monitor::output::{self, EventKind, Phase};

use super::action::Action;
use super::alarm::Alarm;
use super::bed::Connection;
use super::clock::Clock;
use super::envelope::BootId;
use super::schema::Word;
use super::topic::{Id, Topic};

/// Something that happened. When, says the envelope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alarm condition became active and is announced.
    Raised(Alarm),
    /// It became active under a higher one of its group: recorded, not announced.
    Noted(Alarm),
    /// It stood under a higher one and is now the highest of its group.
    Announced(Alarm),
    /// It rose in priority.
    Worsened(Alarm),
    /// It fell in priority.
    Eased(Alarm),
    /// Nobody took it in time, or whoever took it passed it on: every station is told.
    Escalated(Alarm),
    /// It was accepted and is still there: it is announced again.
    Reannounced(Alarm),
    /// Somebody accepted it.
    Acknowledged(Alarm),
    /// It ended and stays visible until it has been seen.
    Latched(Alarm),
    /// It ended.
    Cleared(Alarm),
    /// The phase of the session changed.
    Phase {
        /// The phase before.
        #[schemars(with = "Word<Phase>")]
        from: Phase,
        /// The phase now.
        #[schemars(with = "Word<Phase>")]
        to: Phase,
    },
    /// A person did something: the action as it was asked, without the text of a note.
    Did {
        /// Who, an opaque id.
        actor: String,
        /// What.
        #[serde(flatten)]
        action: Action,
    },
    /// A person wrote a note. Its text stays in the journal of the box.
    Note {
        /// Who, an opaque id.
        actor: String,
        /// Its number in the session.
        note_id: u32,
    },
    /// The sound of the bed is on again.
    AudioResumed,
    /// Conditions are switched off: told again and again while there are any.
    Reminder {
        /// How many are switched off.
        off_count: u8,
    },
    /// The box was restarted, and the session goes on.
    Resumed {
        /// How many pauses and switched-off conditions are no more.
        lifted_count: u8,
        /// Whether the time since the dose is certain.
        dose_time_certain: bool,
    },
    /// The way to a device changed.
    Device {
        /// Which device.
        device: Id,
        /// Its state now.
        #[serde(flatten)]
        connection: Connection,
    },
    /// The box started anew. What it said last before, as far as its journal knows: what a receiver lacks up to these
    /// numbers comes later, marked as replayed, or is named as a gap.
    Boot {
        /// The life before this one; absent: none is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<BootId>,
        /// The newest number of each log of this bed in that life.
        last_seq: BTreeMap<Topic, u64>,
    },
    /// Messages of a log were dropped and will not come.
    Gap(Gap),
}

/// A hole in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The stream that it is in; the envelope has its own.
    pub gap_stream: Topic,
    /// The life of the box that said them; absent: the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_boot_id: Option<BootId>,
    /// The first `seq` that is missing.
    pub from: u64,
    /// The last `seq` that is missing.
    pub to: u64,
    /// Why.
    pub reason: GapReason,
}

/// Why messages were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The queue was full while the broker was away or slow.
    Overflow,
    /// The broker refused it again and again.
    Refused,
    /// It had waited for the broker for too long.
    Expired,
}

impl Event {
    /// The event with its times on the wall clock; `name` gives the id of a device.
    #[must_use]
    pub fn new(event: &output::Event, clock: Clock, name: impl Fn(DeviceIndex) -> Id) -> Self {
        let told = |alarm| Alarm::new(alarm, clock);
        match &event.kind {
            EventKind::Raised(alarm) => Self::Raised(told(alarm)),
            EventKind::Noted(alarm) => Self::Noted(told(alarm)),
            EventKind::Announced(alarm) => Self::Announced(told(alarm)),
            EventKind::Worsened(alarm) => Self::Worsened(told(alarm)),
            EventKind::Eased(alarm) => Self::Eased(told(alarm)),
            EventKind::Escalated(alarm) => Self::Escalated(told(alarm)),
            EventKind::Reannounced(alarm) => Self::Reannounced(told(alarm)),
            EventKind::Acknowledged(alarm) => Self::Acknowledged(told(alarm)),
            EventKind::Latched(alarm) => Self::Latched(told(alarm)),
            EventKind::Cleared(alarm) => Self::Cleared(told(alarm)),
            EventKind::Phase { from, to } => Self::Phase { from: *from, to: *to },
            EventKind::Did { actor, action } => Self::Did { actor: actor.clone(), action: action.into() },
            EventKind::Note { actor, number, .. } => Self::Note { actor: actor.clone(), note_id: *number },
            EventKind::AudioResumed => Self::AudioResumed,
            EventKind::Reminder { off } => Self::Reminder { off_count: *off },
            EventKind::Resumed { lifted, certain } => {
                Self::Resumed { lifted_count: *lifted, dose_time_certain: *certain }
            }
            EventKind::Device { device, link } => Self::Device { device: name(*device), connection: link.into() },
        }
    }
}

impl From<&Link> for Connection {
    fn from(link: &Link) -> Self {
        match link {
            Link::Opened => Self::Opened,
            Link::Up => Self::Up,
            Link::Lost(reason) => Self::Lost { reason: *reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::topic::BedTopic;
    use crate::wire::words::tests::spo2_low;
    use serde_json::{json, to_value};
    use vitalsd_core::monitor::input::{self, LossReason, OffReason};
    use vitalsd_core::monitor::observation::{Observation, Responsiveness};
    use vitalsd_core::monitor::output::Condition;
    use vitalsd_core::time::{Span, Time};

    fn told(kind: EventKind) -> serde_json::Value {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let event = Event::new(&output::Event { at: Time::ZERO, kind }, clock, |_| Id::new("oximeter").unwrap());
        let json = to_value(&event).unwrap();
        assert_eq!(serde_json::from_value::<Event>(json.clone()).unwrap(), event);
        json
    }

    #[test]
    fn an_alarm_event_carries_the_alarm_flat() {
        let raised = told(EventKind::Raised(spo2_low()));
        assert_eq!((&raised["event"], &raised["condition"]), (&json!("raised"), &json!("spo2-low")));
        assert_eq!(raised["reason"], "SpO2 86 %, below 88 % for 12 s, in the window");
    }

    #[test]
    fn the_other_events_are_flat_too() {
        assert_eq!(
            told(EventKind::Phase { from: Phase::Onset, to: Phase::Window }),
            json!({ "event": "phase", "from": "onset", "to": "window" })
        );
        assert_eq!(told(EventKind::AudioResumed), json!({ "event": "audio_resumed" }));
        assert_eq!(told(EventKind::Reminder { off: 2 }), json!({ "event": "reminder", "off_count": 2 }));
        assert_eq!(
            told(EventKind::Resumed { lifted: 1, certain: false }),
            json!({ "event": "resumed", "lifted_count": 1, "dose_time_certain": false })
        );
        assert_eq!(
            told(EventKind::Device { device: DeviceIndex(0), link: Link::Lost(LossReason::Unplugged) }),
            json!({ "event": "device", "device": "oximeter", "connection": "lost", "reason": "unplugged" })
        );
        assert_eq!(
            told(EventKind::Device { device: DeviceIndex(0), link: Link::Up }),
            json!({ "event": "device", "device": "oximeter", "connection": "up" })
        );
    }

    #[test]
    fn what_a_person_did_is_told_with_its_fields() {
        let did = |action| told(EventKind::Did { actor: "nurse-2".into(), action });
        assert_eq!(
            did(input::Action::Dose { ago: Span::mins(2) }),
            json!({ "event": "did", "actor": "nurse-2", "action": "dose", "ago_ms": 120_000 })
        );
        assert_eq!(
            did(input::Action::Observe(Observation::Sedation { responds: Responsiveness::Voice })),
            json!({ "event": "did", "actor": "nurse-2", "action": "observe", "code": "sedation", "responds": "voice" })
        );
        let reason = OffReason::Artefact;
        assert_eq!(
            did(input::Action::SwitchOff { condition: Condition::PulseRaised, reason }),
            json!({
                "event": "did", "actor": "nurse-2", "action": "switch_off", "condition": "pulse-raised",
                "reason": "artefact"
            })
        );
    }

    #[test]
    fn r5_10_the_text_of_a_note_never_leaves_the_box() {
        let text = || "told of her sister".to_owned();
        let note = told(EventKind::Note { actor: "nurse-2".into(), number: 3, text: text() });
        assert_eq!(note, json!({ "event": "note", "actor": "nurse-2", "note_id": 3 }));
        let did = told(EventKind::Did { actor: "nurse-2".into(), action: input::Action::Note { text: text() } });
        assert_eq!(did, json!({ "event": "did", "actor": "nurse-2", "action": "note" }));
    }

    #[test]
    fn a_gap_names_the_stream_and_the_numbers_that_will_not_come() {
        let stream = Topic::Bed(Id::new("room-1").unwrap(), BedTopic::Oximetry);
        let gap =
            Event::Gap(Gap { gap_stream: stream, gap_boot_id: None, from: 3, to: 9, reason: GapReason::Overflow });
        assert_eq!(
            to_value(gap).unwrap(),
            json!({ "event": "gap", "gap_stream": "bed/room-1/oximetry", "from": 3, "to": 9, "reason": "overflow" })
        );
    }
}
