//! What a bed is told.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::monitor::output::{Condition, Priority};
use crate::sample::Sample;
use crate::time::Span;
use crate::vitals::BloodPressure;

/// Which of the bed's devices, counted in the order of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceIndex(pub u8);

/// What a bed is told. Commands, which are answered, go through `Bed::command`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A device said something.
    Sample {
        /// Which device.
        device: DeviceIndex,
        /// What it said.
        sample: Sample,
    },
    /// The way to a device changed.
    Link {
        /// Which device.
        device: DeviceIndex,
        /// Its state now.
        link: Link,
    },
    /// Something is wrong with the box, or no longer so.
    Fault {
        /// What.
        fault: BoxFault,
        /// Whether it is present.
        present: bool,
    },
    /// Time has passed.
    Tick,
}

/// The way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum Link {
    /// The port is open; nothing understood yet.
    Opened,
    /// The device speaks its protocol.
    Up,
    /// It is gone, for a typed reason.
    Lost(LossReason),
}

/// Why the way to a device is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// There is no such port.
    NotFound,
    /// The port was there and hung up.
    Unplugged,
    /// Another program holds the port.
    Busy,
    /// The port may not be opened by this user.
    PermissionDenied,
    /// What is at that path is not a serial port.
    NotASerialPort,
    /// The port is open and nothing comes.
    Silent,
    /// Bytes come, but no frame passes its checks.
    ChecksumStorm,
    /// The operating system reports an error of another kind.
    Io,
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such port",
            Self::Unplugged => "unplugged",
            Self::Busy => "port held by another program",
            Self::PermissionDenied => "no permission to open the port",
            Self::NotASerialPort => "not a serial port",
            Self::Silent => "silent",
            Self::ChecksumStorm => "unreadable data",
            Self::Io => "port error",
        })
    }
}

/// Something that is wrong with the box or with what it depends on (R10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxFault {
    /// The broker cannot be reached, or does not confirm.
    Broker,
}

/// What a person asks of a bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who: a person or a station, an opaque id.
    pub actor: String,
    /// What.
    pub action: Action,
}

/// The actions of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Open a session (R5.2). A new one never joins an open one.
    Open {
        /// How the dose will be given.
        route: Route,
        /// How long the infusion is planned to run, IV only.
        #[serde(default)]
        infusion: Option<Span>,
        /// Whether the person is older than 65 (row 12).
        #[serde(default)]
        over_65: bool,
    },
    /// The dose was given (R5.3).
    Dose {
        /// How long ago; 120 min at the most.
        #[serde(default)]
        ago: Span,
    },
    /// Close the session.
    Close,
    /// Accept an alarm and mute this episode of it (R4.1).
    Acknowledge {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
        /// The priority that was seen.
        priority: Priority,
    },
    /// A latched alarm has been seen (R2.6).
    Seen {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
    },
    /// A pressure measured by hand (R8.3).
    Pressure {
        /// The pressure.
        pressure: BloodPressure,
        /// How long ago it was measured.
        #[serde(default)]
        ago: Span,
    },
    /// Measure the blood pressure now.
    StartCuff,
    /// Stop the determination under way.
    StopCuff,
}

impl Action {
    /// Its name in the contract and in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Dose { .. } => "dose",
            Self::Close => "close",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Seen { .. } => "seen",
            Self::Pressure { .. } => "pressure",
            Self::StartCuff => "start_cuff",
            Self::StopCuff => "stop_cuff",
        }
    }
}

/// How a dose is given (R5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Intravenous.
    Iv,
    /// Intramuscular.
    Im,
    /// Intranasal.
    Intranasal,
    /// Oral or sublingual.
    Oral,
}

/// Why a command was not carried out, with what is so now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum CommandRefusal {
    /// A session is open already.
    SessionOpen,
    /// There is no open session.
    NoSession,
    /// The dose was already recorded.
    AlreadyDosed,
    /// Back-dated further than allowed, or to before the session.
    TooLongAgo {
        /// The furthest that is allowed.
        limit: Span,
    },
    /// The alarm is not in the state that the command names.
    AlarmChanged {
        /// Its episode now.
        episode: u32,
        /// Its priority now; `None`: not present.
        priority: Option<Priority>,
    },
    /// The bed has no cuff that can be started.
    NoCuff,
    /// The cuff is measuring already.
    CuffBusy,
    /// The cuff is not connected.
    CuffLost,
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionOpen => f.write_str("a session is open already: close it first"),
            Self::NoSession => f.write_str("no session is open: open one first"),
            Self::AlreadyDosed => f.write_str("the dose is recorded already"),
            Self::TooLongAgo { limit } => write!(f, "too long ago: {limit} at the most"),
            Self::AlarmChanged { episode, priority: Some(priority) } => {
                write!(f, "the alarm has changed: it is now episode {episode}, {priority}")
            }
            Self::AlarmChanged { episode, priority: None } => {
                write!(f, "the alarm has ended: its last episode was {episode}")
            }
            Self::NoCuff => f.write_str("this bed has no cuff that can be started"),
            Self::CuffBusy => f.write_str("the cuff is measuring already"),
            Self::CuffLost => f.write_str("the cuff monitor is not connected"),
        }
    }
}
