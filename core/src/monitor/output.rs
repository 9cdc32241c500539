//! What a bed says: readings, alarms, events, and what it asks of its devices.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::driver::Request;
use crate::monitor::input::{DeviceIndex, Link, LossReason, Route};
use crate::sample::{CuffFailure, CuffOrigin, Oximetry};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate, Spo2};

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
    Escalated(Alarm),
    /// An active condition fell in priority.
    Eased(Alarm),
    /// Somebody accepted it.
    Acknowledged(Alarm),
    /// It ended and stays visible until it has been seen (R2.5).
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
        at: Time,
    },
    /// The session was closed.
    SessionClosed {
        /// Who closed it.
        actor: String,
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

/// How grave an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Visual only.
    Low,
    /// Prompt response needed.
    Medium,
    /// Immediate response needed.
    High,
}

/// Whether an alarm condition is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    On,
    /// It was there, and has not been seen.
    Latched,
    /// It is not there.
    Off,
}

/// Patient or equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// From a vital sign.
    Physiological,
    /// From the equipment.
    Technical,
}

/// Within a group only the highest active condition is announced (R3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Saturation.
    Spo2,
    /// Pulse rate, high. R3.1 has one group for the pulse; but an accepted fast pulse must not mute a slow one.
    PulseHigh,
    /// Pulse rate, low, and no pulse.
    PulseLow,
    /// Blood pressure, high.
    PressureHigh,
    /// Blood pressure, low.
    PressureLow,
    /// A technical condition is a group of its own.
    Alone,
}

/// Lists the conditions: variant, row of R7 (or rule), name in topics, group, kind, what it says.
/// Within a group a later line is graver.
macro_rules! conditions {
    ($($variant:ident, $row:literal, $slug:literal, $group:ident, $kind:ident, $title:literal;)+) => {
        /// An alarm condition. Its name in topics and files is [`Condition::slug`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Condition {
            $(
                #[doc = concat!("Row or rule ", $row, ": ", $title, ".")]
                #[serde(rename = $slug)]
                $variant
            ),+
        }

        impl Condition {
            /// Every condition, within a group from the least grave to the gravest.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its row in R7, or the rule that it stands in.
            #[must_use]
            pub const fn row(self) -> &'static str {
                match self { $(Self::$variant => $row),+ }
            }

            /// Its name in topics and files, `[a-z0-9-]{1,32}`.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            /// The group it is announced in (R3.1).
            #[must_use]
            pub const fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),+ }
            }

            /// Patient or equipment.
            #[must_use]
            pub const fn kind(self) -> AlarmKind {
                match self { $(Self::$variant => AlarmKind::$kind),+ }
            }

            /// What it is called on a screen.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

conditions! {
    Spo2Drift, "4", "spo2-drift", Spo2, Physiological, "SpO2 drifting down";
    Spo2Reduced, "3", "spo2-reduced", Spo2, Physiological, "SpO2 reduced";
    Spo2Low, "2", "spo2-low", Spo2, Physiological, "SpO2 low";
    Spo2VeryLow, "1b", "spo2-very-low", Spo2, Physiological, "SpO2 very low";
    Spo2Critical, "1a", "spo2-critical", Spo2, Physiological, "SpO2 critical";
    PulseRaised, "9", "pulse-raised", PulseHigh, Physiological, "pulse raised";
    PulseHighSustained, "8", "pulse-high-sustained", PulseHigh, Physiological, "pulse high for long";
    PulseHigh, "7", "pulse-high", PulseHigh, Physiological, "pulse high";
    PulseLow, "10", "pulse-low", PulseLow, Physiological, "pulse low";
    PulseVeryHigh, "6", "pulse-very-high", PulseHigh, Physiological, "pulse very high";
    PulseVeryLow, "11", "pulse-very-low", PulseLow, Physiological, "pulse very low";
    NoPulse, "25", "no-pulse", PulseLow, Physiological, "no pulse found with the sensor on: check the patient";
    PressureElevated, "12", "bp-elevated", PressureHigh, Physiological, "BP elevated: review before dose";
    PressureHigh, "13", "bp-high", PressureHigh, Physiological, "BP high";
    PressureSevere, "14", "bp-severe", PressureHigh, Physiological, "BP severe, one reading";
    PressureSevereConfirmed, "15", "bp-severe-confirmed", PressureHigh, Physiological, "BP severe, confirmed";
    PressureExtreme, "16", "bp-extreme", PressureHigh, Physiological, "BP extreme";
    MeanLow, "20", "map-low", PressureLow, Physiological, "mean BP low";
    SystolicLow, "19", "sbp-low", PressureLow, Physiological, "systolic BP low";
    PressureVeryLow, "21", "bp-very-low", PressureLow, Physiological, "BP very low";
    Spo2Unavailable, "26", "spo2-unavailable", Alone, Technical, "no SpO2 or no pulse rate";
    SourceStuck, "R1.7", "source-stuck", Alone, Technical, "oximeter stands still";
    PressureOverdue, "27", "bp-overdue", Alone, Technical, "BP overdue";
    CuffLost, "R3.3", "cuff-lost", Alone, Technical, "BP monitor not connected";
    CuffFailed, "R8.2", "cuff-failed", Alone, Technical, "cuff failed twice: measure by hand";
    AllLost, "R3.3", "all-lost", Alone, Technical, "all devices lost";
    BrokerLost, "R10.1", "broker-lost", Alone, Technical, "no broker: nobody else can be told";
    NoSession, "R5.1", "no-session", Alone, Technical, "patient in this room, no session";
}

impl Condition {
    /// The condition of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|condition| condition.slug() == slug)
    }
}

/// An alarm condition as it stands: what the retained slot says. Sound follows this, never the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Which.
    pub condition: Condition,
    /// How grave, in the present phase.
    pub priority: Priority,
    /// Whether it is there.
    pub presence: Presence,
    /// Counts up each time it becomes active.
    pub episode: u32,
    /// Whether it is announced; `false`: it stands under a higher one of its group (R3.1).
    pub announced: bool,
    /// Whether it is to be heard now: announced, MEDIUM or HIGH, not acknowledged, present (or a
    /// HIGH that latched less than 30 s ago).
    pub sounds: bool,
    /// Who accepted this episode.
    pub ack: Option<Ack>,
    /// When it became active: the violation plus the delay by design.
    pub since: Time,
    /// When it ended, if it has.
    pub ended: Option<Time>,
    /// The value that keeps it up, or the newest one of its quantity.
    pub value: Option<Value>,
    /// The worst value of this episode.
    pub worst: Option<Value>,
    /// The limit that it is judged by.
    pub limit: Option<Limit>,
    /// How much of the time before `since` was delay by design.
    pub delay: Span,
    /// There is no fresh value: what is shown is the last one.
    pub stale: bool,
    /// The phase at the last change.
    pub phase: Phase,
    /// When this state was taken.
    pub at: Time,
}

/// An acceptance of one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// A person or a station, an opaque id.
    pub actor: String,
    /// When.
    pub at: Time,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Saturation.
    Spo2(Spo2),
    /// Pulse rate.
    Pulse(PulseRate),
    /// Blood pressure.
    Pressure(BloodPressure),
    /// No value, for this reason.
    Absent(Absent),
    /// Overdue since then.
    Since(Time),
    /// A device is lost for this reason.
    Lost(LossReason),
    /// The cuff gave no pressure, for this reason.
    CuffFailure(CuffFailure),
}

/// The limit of a condition, as printed in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `< value`.
    Spo2Below(Spo2),
    /// `<= value`.
    Spo2AtMost(Spo2),
    /// `> value`, bpm.
    PulseAbove(u16),
    /// `< value`, bpm.
    PulseBelow(u16),
    /// `<= value`, bpm.
    PulseAtMost(u16),
    /// The device finds no pulse with the sensor on.
    NoPulse,
    /// Systolic `> value` or diastolic `> value`, mmHg.
    PressureAbove {
        /// Systolic.
        systolic: u16,
        /// Diastolic.
        diastolic: u16,
    },
    /// Systolic `>= value` or diastolic `>= value`, mmHg.
    PressureAtLeast {
        /// Systolic.
        systolic: u16,
        /// Diastolic.
        diastolic: u16,
    },
    /// Systolic `< value` or mean `< value`, mmHg, whichever of the two is set.
    PressureBelow {
        /// Systolic.
        systolic: Option<u16>,
        /// Mean.
        mean: Option<u16>,
    },
}

impl Alarm {
    /// Patient or equipment.
    #[must_use]
    pub const fn kind(&self) -> AlarmKind {
        self.condition.kind()
    }
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

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
