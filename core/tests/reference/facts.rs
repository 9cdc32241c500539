//! What happened in a stay, as the reference wants to know it, and the story that it tells of it.

use vitalsd_core::monitor::input::{Link, Route};
use vitalsd_core::monitor::output::{Condition, Priority};
use vitalsd_core::vitals::{BloodPressure, Measured, PulseRate, Spo2};

/// A fact and its millisecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub ms: u64,
    pub what: What,
}

/// What a device said or a person did. Lengths of time are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Numbers {
        spo2: Measured<Spo2>,
        pulse: Measured<PulseRate>,
    },
    Pressure {
        pressure: BloodPressure,
        measured: u64,
    },
    PressureByHand {
        pressure: BloodPressure,
        ago: u64,
    },
    Oximeter(Link),
    Cuff(Link),
    Open {
        route: Route,
        infused: bool,
    },
    Dose {
        ago: u64,
    },
    Close,
    Accept {
        condition: Condition,
        episode: u32,
        priority: Priority,
    },
    /// R4.2: a determination is overdue since then, by the passing of time or by what was said then.
    Overdue {
        by_time: bool,
    },
    Seen {
        condition: Condition,
        episode: u32,
    },
}

/// A line of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub ms: u64,
    pub condition: Condition,
    pub did: Did,
}

/// What a condition did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Did {
    /// It became active.
    Begin(Priority),
    /// It rose to this.
    Worsen(Priority),
    /// It fell to this.
    Ease(Priority),
    /// Somebody accepted it.
    Accepted,
    /// It ended and waits to be seen.
    Latch,
    /// It is over.
    Clear,
    /// At the end of the millisecond it is announced, or no longer.
    Told(bool),
    /// At the end of the millisecond it is to be heard, or no longer.
    Heard(bool),
}
