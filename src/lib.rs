//! vitalsd: gpsd for vital signs, with an alarm system that a nurse would not switch off.
//!
//! A *secondary notification system*: the bedside devices' own alarms stay on and primary.
//!
//! This crate is the shell around [`vitalsd_core`], which decides everything and touches nothing.
//! In the order a byte walks:
//!
//! * [`wire`]: the public contract; nothing else shapes JSON.
//! * [`mqtt`]: the way to the broker.
//! * [`cli`]: one file per subcommand.

pub mod cli;
pub mod mqtt;
pub mod wire;
