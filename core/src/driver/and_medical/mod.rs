//! Blood-pressure monitors of A&D Medical that speak when they have a result.
//!
//! Two unrelated protocols. The arm-in monitors TM-2655P and TM-2657P ([`tm2655`]) send a frame when a
//! determination has ended, and can be started and stopped. The upper-arm monitor UA-767PC ([`ua767`])
//! only tells what somebody has measured.
//!
//! Neither tells how old a reading is on a clock that the box could trust, and neither is ever asked for
//! the reading before: what comes has just been measured.

pub mod frame;
pub mod tm2655;
pub mod ua767;

#[cfg(test)]
mod tests;

pub use tm2655::{PROTOCOL as TM2655_PROTOCOL, Tm2655};
pub use ua767::{PROTOCOL as UA767_PROTOCOL, Ua767};

use crate::time::Span;

/// There is no regular pause between two results; this is the longest that the schedule plans (R8.1).
const CADENCE: Span = Span::mins(15);
