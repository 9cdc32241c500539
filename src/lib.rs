//! vitalsd: gpsd for vital signs, with an alarm system that a nurse would not switch off.
//!
//! A *secondary notification system*: the bedside devices' own alarms stay on and primary.
//!
//! This crate is the shell around [`vitalsd_core`], which decides everything and touches nothing.
//! In the order a byte walks:
//!
//! * [`port`]: serial ports, opened by a stable name, watched, reopened.
//! * [`capture`]: what went over a serial line, byte for byte.
//! * [`recording`]: recordings of vital signs, row by row.
//! * [`simulator`]: patients and devices on pseudo-terminals.
//! * [`replay`]: a recording through drivers and bed in simulated time.
//! * [`wire`]: the public contract; nothing else shapes JSON.
//! * [`mqtt`]: the way to the broker.
//! * [`journal`]: what must outlive this run, in SQLite.
//! * [`cli`]: one file per subcommand.
//! * [`config`]: a file becomes checked settings; every error names file, line and remedy.

pub mod bedside;
pub mod capture;
pub mod cli;
pub mod config;
pub mod journal;
pub mod mqtt;
pub mod port;
pub mod recording;
pub mod replay;
pub mod simulator;
pub mod wire;
