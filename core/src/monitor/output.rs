//! What a bed says: readings, alarms, events, and what it asks of its devices.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::driver::Request;
use crate::monitor::action::Action;
pub use crate::monitor::alarm::{
    Ack, Activation, Alarm, AlarmKind, Condition, Group, Limit, Presence, Priority, Value,
};
use crate::monitor::input::{DeviceIndex, Link};
use crate::sample::{CuffFailure, CuffOrigin, Oximetry};
use crate::time::Time;
use crate::vitals::{BloodPressure, Measured, PulseRate};

/// One thing a bed says, in the order in which it is to be sent: an alarm before its event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The newest oximetry: on every change and at least once a second.
    Oximetry(Oximetry),
    /// A determination of the blood pressure, or its failure.
    Pressure(Determination),
    /// The present state of an alarm condition. Presence `Off` ends it.
    Alarm(Alarm),
    /// The session changed; ask `Bed::session` for it.
    Session,
    /// The story.
    Event(Event),
    /// The bed asks something of a device.
    Request {
        /// Which device.
        device: DeviceIndex,
        /// What.
        request: Request,
    },
}

/// One determination as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determination {
    /// When it was decided or received.
    pub at: Time,
    /// When it was measured.
    pub measured_at: Time,
    /// Who started it.
    pub origin: CuffOrigin,
    /// The pressure, or why there is none.
    pub pressure: Result<BloodPressure, CuffFailure>,
    /// Pulse rate as the cuff counted it.
    pub pulse: Measured<PulseRate>,
}

/// Something that happened, for the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was so, exact to the millisecond however late the box looked.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An alarm condition became active and is announced.
    Raised(Alarm),
    /// An alarm condition became active under a higher one of its group: recorded, not announced (R3.2).
    Noted(Alarm),
    /// An active condition that stood under a higher one is now the highest of its group.
    Announced(Alarm),
    /// An active condition rose in priority.
    Worsened(Alarm),
    /// An active condition fell in priority.
    Eased(Alarm),
    /// Nobody took it in time, or whoever took it passed it on: every station is told (R4.1, R4.3).
    Escalated(Alarm),
    /// It was accepted and is still there after a while: it is announced again (R4.2).
    Reannounced(Alarm),
    /// Somebody accepted it.
    Acknowledged(Alarm),
    /// It ended and stays visible until it has been seen (R2.5).
    Latched(Alarm),
    /// It ended.
    Cleared(Alarm),
    /// The sound of the bed is on again, by itself or because something new happened (R4.4).
    AudioResumed,
    /// So many conditions are switched off: told again and again while there are any (R4.4).
    Reminder {
        /// How many.
        off: u8,
    },
    /// The phase of the session changed.
    Phase {
        /// The phase before.
        from: Phase,
        /// The phase now.
        to: Phase,
    },
    /// A person did something.
    Did {
        /// Who.
        actor: String,
        /// What.
        action: Action,
    },
    /// A person wrote a note. The text stays in the journal of the box; only its number leaves it.
    Note {
        /// Who.
        actor: String,
        /// Counts up in a session.
        number: u32,
        /// At most 80 characters.
        text: String,
    },
    /// The box was restarted, and the session goes on (R5.8).
    Resumed {
        /// Pauses and switched-off conditions that are no more (R4.5).
        lifted: u8,
        /// Whether the time since the dose is certain.
        certain: bool,
    },
    /// The way to a device changed.
    Device {
        /// Which device.
        device: DeviceIndex,
        /// Its state now.
        link: Link,
    },
}

/// The phase of a session (R5.1, R5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No session is open.
    #[default]
    NoSession,
    /// P0: session open, no dose yet.
    Baseline,
    /// P1.
    Onset,
    /// P2: the dissociative window.
    Window,
    /// P3: until a person closes the session.
    Recovery,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSession => "no session",
            Self::Baseline => "baseline",
            Self::Onset => "onset",
            Self::Window => "window",
            Self::Recovery => "recovery",
        })
    }
}
