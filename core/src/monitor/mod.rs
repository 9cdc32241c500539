//! One bed, decided: samples, links, commands and time in; readings, alarms and events out.
//!
//! The rules are those of the clinical rule book; their ids (R2.2, row 14 ...) stand where each lives.

pub mod condition;
pub mod input;
pub mod limits;
pub mod output;
pub mod oximeter;
pub mod preset;
pub mod session;
pub mod unavailable;
