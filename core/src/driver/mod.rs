//! Bytes to samples: one file per wire protocol, its header comment the protocol's data sheet.
//!
//! A driver is a state machine fed by bytes and time. It finds its own frames in a stream that may
//! start anywhere and hold anything, counts what it rejects by reason, and never guesses a value.
//! How reads split the stream makes no difference to the samples.
//!
//! To add one: `docs/adding-a-device.md`. The driver to copy is `template`, which is built for tests only.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use core::fmt;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::sample::Sample;
use crate::time::{Span, Time};

/// What is fixed about a wire protocol: one static for each driver.
#[derive(Debug)]
pub struct Protocol {
    /// The name used in configuration, `[a-z0-9-]`.
    pub name: &'static str,
    /// The devices that speak it, for people.
    pub devices: &'static str,
    /// Line settings in the order in which they should be tried.
    pub lines: &'static [LineSettings],
    /// Who speaks first.
    pub kind: Kind,
    /// The longest regular pause between two values; decides when a value is stale (R1.2).
    /// For a cuff monitor: the pause between two answers.
    pub cadence: Span,
    /// What it can measure.
    pub measures: &'static [Quantity],
    /// The waveform, if the protocol carries one.
    pub pleth: Option<Pleth>,
    /// What proves that a frame arrived as it was sent.
    pub integrity: Integrity,
    /// How its bytes are known.
    pub certainty: Certainty,
    /// Whether a device of this protocol alarms by itself, and says when it does not (R10.5).
    pub own_alarm: OwnAlarm,
    /// What its cuff can be asked for; `None`: it has none.
    pub cuff: Option<CuffTerms>,
    /// A harmless request that a device of this protocol answers; `None`: it speaks by itself, or
    /// asking is not harmless.
    pub probe_request: Option<&'static [u8]>,
}

impl Protocol {
    /// Whether it measures `quantity`.
    #[must_use]
    pub fn measures(&self, quantity: Quantity) -> bool {
        self.measures.contains(&quantity)
    }

    /// Whether nothing is ever sent to a device of it. Its driver may be polled even where one only listens, and has
    /// to be: silence may be what ends its messages.
    #[must_use]
    pub fn only_pushes(&self) -> bool {
        self.kind == Kind::Push && !self.cuff.is_some_and(|cuff| cuff.starts)
    }
}

/// Settings of an asynchronous serial line; always 8 data bits, never flow control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits a second.
    pub baud: u32,
    /// Parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl LineSettings {
    /// 8N1 at `baud`.
    #[must_use]
    pub const fn n1(baud: u32) -> Self {
        Self { baud, parity: Parity::None, stop_bits: 1 }
    }

    /// 8O1 at `baud`.
    #[must_use]
    pub const fn o1(baud: u32) -> Self {
        Self { baud, parity: Parity::Odd, stop_bits: 1 }
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} 8{parity}{}", self.baud, self.stop_bits)
    }
}

/// The parity bit of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even parity.
    Even,
    /// Odd parity.
    Odd,
}

/// Who speaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The device streams by itself.
    Stream,
    /// The device streams once it has been told to.
    Start,
    /// The device answers when asked.
    Poll,
    /// The device speaks when it has a result.
    Push,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Oxygen saturation.
    Spo2,
    /// Pulse rate.
    Pulse,
    /// Perfusion index.
    PerfusionIndex,
    /// The plethysmogram.
    Pleth,
    /// Non-invasive blood pressure.
    BloodPressure,
}

/// The scale of a plethysmogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pleth {
    /// The highest value it can take, arbitrary units.
    pub full_scale: u16,
    /// Points a second.
    pub hz: u16,
}

/// What proves that a frame arrived as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// A checksum over the frame.
    Checksum,
    /// Only the pattern of start and continuation bits.
    Framing,
    /// Only the words of a line of text.
    Text,
}

/// How the bytes of a protocol are known. The header of its driver says which fact rests on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Bytes captured from a device are among its tests.
    Captured,
    /// Two or more independent sources agree; nothing was captured.
    Sources,
    /// One source only.
    OneSource,
}

/// The alarm that a device has itself. It stays on and primary: vitalsd is a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnAlarm {
    /// It alarms, and reports when that is off or muted.
    Reported,
    /// It alarms, and never says whether that is off.
    Unreported,
    /// It has none: vitalsd is the only alarm, and somebody has to know.
    None,
    /// It depends on the model, or the sheet does not say.
    Unknown,
}

/// What a blood-pressure monitor can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CuffTerms {
    /// Whether it measures when it is told to; otherwise a person presses its button (R8.3).
    pub starts: bool,
    /// How long it rests after a determination before it may be started again (R8.4).
    pub rest: Span,
}

/// Bytes and time in, samples out.
pub trait Driver {
    /// The protocol it speaks.
    fn protocol(&self) -> &'static Protocol;

    /// The port was opened, or opened again: forget half-frames, plan the start commands.
    fn opened(&mut self, now: Time);

    /// Takes what one read returned. Never panics, finds back into step by itself.
    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample));

    /// What to send now, and when to ask again at the latest. In listen-only mode called of those alone that
    /// never send ([`Protocol::only_pushes`]).
    /// Whatever ends by the passing of time alone (a reply that never came) is told through `out`.
    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll;

    /// Asks for something to be done. What is to be sent for it comes from the next [`Self::poll`].
    ///
    /// # Errors
    /// A typed reason why it cannot be done, or not now.
    fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        let _ = (request, now);
        Err(Refusal::NotSupported)
    }

    /// How sure it is that the bytes are its protocol.
    fn lock(&self) -> Evidence;

    /// What it has decoded and rejected since it was made.
    fn stats(&self) -> &DecodeStats;
}

/// What a driver wants to happen next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// Bytes to write now.
    pub send: Option<Outgoing>,
    /// When to call `poll` again at the latest; `None`: only after a decode or a request.
    pub next: Option<Time>,
}

/// Up to 16 bytes on their way to a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    bytes: [u8; 16],
    len: usize,
}

impl Outgoing {
    /// A copy of `bytes`, of which there are 16 at the most; what is longer is a mistake in a
    /// driver and would be cut.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= 16, "a command of {} bytes", bytes.len());
        let mut outgoing = Self::default();
        for (to, from) in outgoing.bytes.iter_mut().zip(bytes) {
            *to = *from;
            outgoing.len = outgoing.len.saturating_add(1);
        }
        outgoing
    }
}

impl Deref for Outgoing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What can be asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start one determination of the blood pressure.
    StartCuff,
    /// Stop the one that is under way and deflate.
    StopCuff,
}

/// Why a request was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The device cannot do that.
    NotSupported,
    /// A determination is already under way.
    Busy,
    /// The port is closed, or the device has not yet answered.
    NotReady,
}

/// How sure a driver is that it hears its own protocol. Decided by content, never by a USB id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Frames in a row that passed every check.
    pub good_in_a_row: u32,
    /// Whether that is enough to publish from.
    pub locked: bool,
}

/// Why bytes were not taken as a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// The checksum does not fit.
    Checksum,
    /// Fixed bits are not as they must be.
    Framing,
    /// Shorter or longer than the protocol allows.
    Length,
    /// Frames in the wrong order, or one missing.
    Sequence,
    /// A well-formed frame of a type that the sheet does not know.
    UnknownType,
    /// A well-formed frame whose content cannot be.
    Content,
}

impl Reject {
    /// All reasons, in the order in which [`DecodeStats`] counts them.
    pub const ALL: [Self; 6] =
        [Self::Checksum, Self::Framing, Self::Length, Self::Sequence, Self::UnknownType, Self::Content];
}

/// What a driver has decoded and rejected since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodeStats {
    /// Frames (packets, replies) that passed every check.
    pub good_frames: u64,
    /// Frames rejected for a checksum that does not fit.
    pub checksum: u64,
    /// Frames rejected for their fixed bits.
    pub framing: u64,
    /// Frames rejected for their length.
    pub length: u64,
    /// Frames rejected for their order.
    pub sequence: u64,
    /// Frames of an unknown type.
    pub unknown_type: u64,
    /// Frames whose content cannot be.
    pub content: u64,
    /// Bytes that belonged to no frame.
    pub bytes_skipped: u64,
}

impl DecodeStats {
    /// Counts a good frame.
    pub fn good(&mut self) {
        self.good_frames = self.good_frames.saturating_add(1);
    }

    /// Counts `bytes` that belonged to no frame.
    pub fn skip(&mut self, bytes: usize) {
        self.bytes_skipped = self.bytes_skipped.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts a rejected frame.
    pub fn reject(&mut self, reason: Reject) {
        let count = match reason {
            Reject::Checksum => &mut self.checksum,
            Reject::Framing => &mut self.framing,
            Reject::Length => &mut self.length,
            Reject::Sequence => &mut self.sequence,
            Reject::UnknownType => &mut self.unknown_type,
            Reject::Content => &mut self.content,
        };
        *count = count.saturating_add(1);
    }

    /// How many frames were rejected for `reason`.
    #[must_use]
    pub const fn rejected(&self, reason: Reject) -> u64 {
        match reason {
            Reject::Checksum => self.checksum,
            Reject::Framing => self.framing,
            Reject::Length => self.length,
            Reject::Sequence => self.sequence,
            Reject::UnknownType => self.unknown_type,
            Reject::Content => self.content,
        }
    }

    /// How many frames were rejected for any reason.
    #[must_use]
    pub fn rejects(&self) -> u64 {
        Reject::ALL.iter().fold(0, |sum, reason| sum.saturating_add(self.rejected(*reason)))
    }
}

/// Makes, from one line per driver, the list of protocols and the enum that dispatches to them
/// without a pointer.
macro_rules! registry {
    ($($variant:ident => $driver:ty, $protocol:expr;)+) => {
        /// Every protocol vitalsd speaks, in the order in which they are listed to people.
        pub static PROTOCOLS: &[&Protocol] = &[$(&$protocol),+];

        /// Any of the drivers, dispatched by an enum: the hot path follows no pointer.
        #[derive(Debug)]
        pub enum AnyDriver {
            $(#[doc = concat!("A [`", stringify!($driver), "`].")] $variant($driver)),+
        }

        impl AnyDriver {
            /// A driver for the protocol of that name.
            #[must_use]
            pub fn new(protocol: &str) -> Option<Self> {
                $(if protocol == $protocol.name { return Some(Self::$variant(<$driver>::default())); })+
                None
            }
        }

        impl Driver for AnyDriver {
            fn protocol(&self) -> &'static Protocol {
                match self { $(Self::$variant(driver) => driver.protocol()),+ }
            }
            fn opened(&mut self, now: Time) {
                match self { $(Self::$variant(driver) => driver.opened(now)),+ }
            }
            fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
                match self { $(Self::$variant(driver) => driver.decode(bytes, now, out)),+ }
            }
            fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
                match self { $(Self::$variant(driver) => driver.poll(now, out)),+ }
            }
            fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
                match self { $(Self::$variant(driver) => driver.request(request, now)),+ }
            }
            fn lock(&self) -> Evidence {
                match self { $(Self::$variant(driver) => driver.lock()),+ }
            }
            fn stats(&self) -> &DecodeStats {
                match self { $(Self::$variant(driver) => driver.stats()),+ }
            }
        }
    };
}

pub mod and_medical;
pub mod bci;
pub mod berry_board;
pub mod buffer;
pub mod chipox;
pub mod contec;
pub mod creative;
pub mod dinamap;
pub mod five_bytes;
pub mod frames;
pub mod masimo;
pub mod nellcor;
pub mod nibp_oem;
pub mod none;
pub mod nonin;
pub mod omron;
pub mod suntech;
pub mod text;

registry! {
    // Oximeters.
    NoninDf2 => nonin::Df2, nonin::DF2;
    NoninDf7 => nonin::Df7, nonin::DF7;
    NoninDf1 => nonin::Df1, nonin::DF1;
    NoninDf8 => nonin::Df8, nonin::DF8;
    NoninPrintout => nonin::Printout, nonin::PRINTOUT;
    ContecV7 => contec::V7, contec::V7_PROTOCOL;
    ContecOld => contec::Old, contec::OLD_PROTOCOL;
    Masimo => masimo::Masimo, masimo::PROTOCOL;
    Nellcor => nellcor::Nellcor, nellcor::PROTOCOL;
    Bci => bci::Bci, bci::PROTOCOL;
    BerryBoard => berry_board::BerryBoard, berry_board::PROTOCOL;
    Chipox => chipox::Chipox, chipox::PROTOCOL;
    Creative => creative::Creative, creative::PROTOCOL;
    // Blood-pressure monitors.
    Dinamap => dinamap::Dinamap, dinamap::PROTOCOL;
    Suntech => suntech::Suntech, suntech::PROTOCOL;
    NibpOem => nibp_oem::NibpOem, nibp_oem::PROTOCOL;
    AndTm2655 => and_medical::Tm2655, and_medical::TM2655_PROTOCOL;
    AndUa767 => and_medical::Ua767, and_medical::UA767_PROTOCOL;
    OmronHbp9030 => omron::Hbp9030, omron::HBP9030;
    OmronHbp9020 => omron::Hbp9020, omron::HBP9020;
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod template;
