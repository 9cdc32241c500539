//! How one log came out when what was said is held against what was heard: `vitalsd audit --against --json`.

use serde::{Deserialize, Serialize};

use super::envelope::BootId;
use super::topic::{Id, Topic};

/// One log of one life of a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The box.
    pub r#box: Id,
    /// Its life.
    pub boot_id: BootId,
    /// The log.
    pub stream: Topic,
    /// The first number that the receiver could have heard.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many it has heard.
    pub heard: u64,
    /// What it has not heard, and nobody told it why.
    pub missing: Vec<Span>,
    /// What it has not heard because the box had to drop it, and said so.
    pub told: Vec<Span>,
    /// Heard more than once.
    pub doubled: u64,
    /// Heard after a later one, where the log keeps its order.
    pub out_of_order: u64,
    /// Heard late, and marked so.
    pub replayed: u64,
}

/// Numbers in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl Account {
    /// Whether nothing is missing and nothing out of order.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.out_of_order == 0
    }
}

impl Span {
    /// How many.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.to - self.from + 1
    }

    /// Never: a span has a number at least.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }
}
