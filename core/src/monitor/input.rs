//! What a bed is told.

use core::fmt;

use serde::{Deserialize, Serialize};

pub use crate::monitor::action::{
    Action, Checklist, CloseReason, Command, CommandRefusal, Label, Named, OffReason, Opening, Route, Side,
    StandbyReason,
};
use crate::sample::Sample;

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
    /// No station is present, or nobody subscribes to an alarm (R10.1).
    Station,
    /// Another box claims this bed (R10.4).
    BedClaimed,
    /// The journal cannot be written.
    Disk,
}

impl BoxFault {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Broker, Self::Station, Self::BedClaimed, Self::Disk];
}
