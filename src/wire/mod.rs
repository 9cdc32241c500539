//! The public contract (version 1): message types, topics, the envelope around every payload.
//!
//! Nothing else in vitalsd shapes JSON. An integrator needs only what stands here: a value carries its
//! unit in its name, a missing value is an absent key beside a typed reason, never `null` and never 0,
//! and no name, serial number, port, address, drug or free text is in any topic or payload.

pub mod account;
pub mod action;
pub mod alarm;
pub mod audit;
pub mod bed;
pub mod clock;
pub mod command;
pub mod driver;
pub mod envelope;
pub mod event;
pub mod host;
pub mod number;
pub mod port;
pub mod readiness;
pub mod reading;
pub mod sample;
pub mod schema;
pub mod session;
pub mod signature;
pub mod summary;
pub mod timed;
pub mod topic;
pub mod vitals;
pub mod words;

pub use action::Action;
pub use alarm::Alarm;
pub use audit::Audit;
pub use bed::{Device, State};
pub use clock::{Clock, WallTime};
pub use command::{Command, Reply};
pub use driver::Driver;
pub use envelope::{BootId, Envelope, Slot};
pub use event::Event;
pub use host::{Heartbeat, Latency, Status};
pub use sample::Sample;
pub use session::Session;
pub use summary::Summary;
pub use timed::Timed;
pub use topic::{BedTopic, BoxTopic, Id, Root, Topic};
pub use vitals::{Oximetry, Pleth, Pressure};
