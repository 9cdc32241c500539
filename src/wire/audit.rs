//! The audit log: what was asked of the box, what became of it, and what happened to the box itself.
//!
//! It stays on the box, sealed entry by entry; `vitalsd audit` reads it.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::clock::WallTime;
use super::command::Outcome;
use super::envelope::BootId;
use super::topic::Id;

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// When.
    pub at: WallTime,
    /// In which life of the box.
    pub boot_id: BootId,
    /// What.
    #[serde(flatten)]
    pub what: Audited,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Audited {
    /// The box started.
    Started {
        /// The version of vitalsd.
        version: String,
        /// The name of the alarm preset in force.
        preset: String,
        /// What its file hashes to.
        preset_hash: String,
        /// The life before this one, if the journal knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<BootId>,
        /// How many lives in a row have crashed shortly before this one.
        crashes: u32,
    },
    /// The box was told to stop.
    Stopped,
    /// Somebody asked a bed for something.
    Asked {
        /// The bed.
        bed: Id,
        /// Who signed it; absent: nobody did, or it was refused for its signature, and the actor is a mere claim.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        station: Option<Id>,
        /// Who says so.
        actor: Id,
        /// The key of the command.
        key: String,
        /// The action as it was asked, without the text of a note.
        asked: Action,
        /// What became of it.
        reply: Outcome,
    },
    /// What came as a command could not be read.
    Unreadable {
        /// The bed.
        bed: Id,
        /// What became of it.
        reply: Outcome,
    },
    /// A file of the journal could not be used; it has another name now.
    SetAside {
        /// Its name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Readings were never written: there was no room for them.
    Unwritten {
        /// How many since the box started.
        readings: u64,
    },
}
