//! The story of a bed: `bed/{bed}/event`. One flat object with a word that says what happened.

use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::{DeviceIndex, Link, Route};
use vitalsd_core::monitor::output::{self, EventKind, Phase};

use super::alarm::Alarm;
use super::bed::Connection;
use super::clock::{Clock, WallTime};
use super::topic::{Id, Topic};

/// Something that happened. When, says the envelope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alarm condition became active and is announced.
    Raised(Alarm),
    /// It became active under a higher one of its group: recorded, not announced.
    Noted(Alarm),
    /// It stood under a higher one and is now the highest of its group.
    Announced(Alarm),
    /// It rose in priority.
    Escalated(Alarm),
    /// It fell in priority.
    Eased(Alarm),
    /// Somebody accepted it.
    Acknowledged(Alarm),
    /// It ended and stays visible until it has been seen.
    Latched(Alarm),
    /// It ended.
    Cleared(Alarm),
    /// The phase of the session changed.
    Phase {
        /// The phase before.
        from: Phase,
        /// The phase now.
        to: Phase,
    },
    /// A session was opened.
    SessionOpened {
        /// Who opened it.
        actor: String,
        /// How the dose will be given.
        route: Route,
    },
    /// The dose was recorded.
    Dosed {
        /// Who recorded it.
        actor: String,
        /// The effective time of the dose.
        dosed_at: WallTime,
    },
    /// The session was closed.
    SessionClosed {
        /// Who closed it.
        actor: String,
    },
    /// The way to a device changed.
    Device {
        /// Which device.
        device: Id,
        /// Its state now.
        #[serde(flatten)]
        connection: Connection,
    },
    /// Messages of a log were dropped and will not come.
    Gap(Gap),
}

/// A hole in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The stream that it is in; the envelope has its own.
    pub gap_stream: Topic,
    /// The first `seq` that is missing.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// Why.
    pub reason: GapReason,
}

/// Why messages were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The queue was full while the broker was away or slow.
    Overflow,
    /// The broker refused it again and again.
    Refused,
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
            EventKind::Escalated(alarm) => Self::Escalated(told(alarm)),
            EventKind::Eased(alarm) => Self::Eased(told(alarm)),
            EventKind::Acknowledged(alarm) => Self::Acknowledged(told(alarm)),
            EventKind::Latched(alarm) => Self::Latched(told(alarm)),
            EventKind::Cleared(alarm) => Self::Cleared(told(alarm)),
            EventKind::Phase { from, to } => Self::Phase { from: *from, to: *to },
            EventKind::SessionOpened { actor, route } => Self::SessionOpened { actor: actor.clone(), route: *route },
            EventKind::Dosed { actor, at } => Self::Dosed { actor: actor.clone(), dosed_at: clock.at(*at) },
            EventKind::SessionClosed { actor } => Self::SessionClosed { actor: actor.clone() },
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
    use vitalsd_core::monitor::input::LossReason;
    use vitalsd_core::time::Time;

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
        assert_eq!(
            told(EventKind::Dosed { actor: "nurse-2".into(), at: Time::from_millis(1_500) }),
            json!({ "event": "dosed", "actor": "nurse-2", "dosed_at": "2026-11-22T09:30:01.500Z" })
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
    fn a_gap_names_the_stream_and_the_numbers_that_will_not_come() {
        let stream = Topic::Bed(Id::new("room-1").unwrap(), BedTopic::Oximetry);
        let gap = Event::Gap(Gap { gap_stream: stream, from: 3, to: 9, reason: GapReason::Overflow });
        assert_eq!(
            to_value(gap).unwrap(),
            json!({ "event": "gap", "gap_stream": "bed/room-1/oximetry", "from": 3, "to": 9, "reason": "overflow" })
        );
    }
}
