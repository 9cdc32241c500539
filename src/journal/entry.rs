//! What is written, and what was found.

use std::collections::BTreeMap;
use std::sync::Arc;

use vitalsd_core::monitor::Snapshot;

use super::state::State;
use super::store::SetAside;
use crate::wire::{Audit, BedTopic, BootId, Id, Topic, WallTime};

/// By what a message of a log is known, everywhere and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The life of the box that said it.
    pub boot: BootId,
    /// The log.
    pub topic: Topic,
    /// Its number in the log and the life.
    pub seq: u64,
}

impl Key {
    /// Whether it stands in the history, and not in the story.
    #[must_use]
    pub const fn is_reading(&self) -> bool {
        matches!(self.topic, Topic::Bed(_, BedTopic::Oximetry))
    }
}

/// A message of a log, as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// By what it is known.
    pub key: Key,
    /// When it was said.
    pub at: WallTime,
    /// The JSON, with its envelope.
    pub payload: Arc<[u8]>,
}

impl Said {
    /// See [`Key::is_reading`].
    #[must_use]
    pub const fn is_reading(&self) -> bool {
        self.key.is_reading()
    }
}

/// A bed at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Bed {
    /// Which.
    pub id: Id,
    /// When.
    pub at: WallTime,
    /// Whether the wall clock was to be trusted then.
    pub clock_trusted: bool,
    /// Everything it remembers.
    pub snapshot: Snapshot,
}

/// The text of a note (R5.10): it never leaves the box by MQTT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The bed.
    pub bed: Id,
    /// When.
    pub at: WallTime,
    /// Who wrote it.
    pub actor: String,
    /// Its number in the session, as the event names it.
    pub number: u32,
    /// What.
    pub text: String,
}

/// What the lives before this one left.
#[derive(Debug, Default)]
pub struct Past {
    /// The beds as they were last.
    pub beds: Vec<Bed>,
    /// The story that the broker has not confirmed, oldest first.
    pub unsent: Vec<Said>,
    /// The life before this one, if it is known.
    pub before: Option<Before>,
    /// How many lives in a row have ended without being told to, the last of them within a minute.
    pub crashes: u32,
    /// Beds that another version of vitalsd has kept: their sessions cannot go on.
    pub unreadable: Vec<Id>,
    /// What was damaged, and where it is now.
    pub set_aside: Vec<SetAside>,
    /// Why nothing can be kept.
    pub trouble: Option<String>,
}

/// The life before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its id.
    pub boot: BootId,
    /// The newest number of each of its logs that the journal knows.
    pub last_seq: BTreeMap<Topic, u64>,
}

/// The state file, and what was found in it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) state: Option<State>,
    pub(super) past: Past,
}

/// What the hot thread hands over.
#[derive(Debug)]
pub(super) enum Job {
    Say(Said),
    Settle(Key),
    Keep(Box<Bed>),
    Note(Note),
    Audit(Audit),
    /// What was handed over before is to be on the disk before the ticket is given back.
    Promise(u64),
    OpenHistory,
    Finish,
}
