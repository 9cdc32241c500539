//! One bed, decided: samples, links, commands and time in; readings, alarms and events out.
//!
//! The rules are those of the clinical rule book; their ids (R2.2, row 14 ...) stand where each lives:
//!
//! * [`input`], [`output`]: what a bed is told, what it says.
//! * [`preset`]: the figures that a clinician signs.
//! * [`oximeter`]: the newest values, how good and how fresh they are (R1).
//! * [`limits`]: on which side of a limit a value is (R2.1).
//! * [`condition`]: when a violation has lasted, and when it is over (R2).
//! * `rows`: the rows of the oximeter; [`pressure`]: the rows of the blood pressure, which count determinations (R2.7).
//! * [`unavailable`]: no good SpO2 data (R6).
//! * [`session`]: phases, baseline, a room without a session (R5).
//! * `commands`: what a person asks.
//! * [`cuff`]: when to measure, overdue, failed (R8, row 27). `determination`: what a reading is worth, and what it raises.
//! * `technical`: the equipment (R1.7, R3.3, R10.1).
//! * [`announce`]: what of all this is announced (R3), accepted (R4.1) and latched (R2.5).
//!
//! Time only moves forward, from deadline to deadline: whatever is due before an input is decided first,
//! and is stamped with the moment it was due. So how late the box looks changes nothing, and a
//! recording replays to the same events as it did live.

pub mod action;
pub mod alarm;
pub mod announce;
pub mod attention;
pub mod baseline;
mod bed;
pub mod bins;
pub mod burden;
mod commands;
pub mod condition;
pub mod contact;
pub mod cuff;
pub mod desaturation;
mod determination;
pub mod in_force;
pub mod infusion;
pub mod input;
mod items;
pub mod limits;
pub mod observation;
pub mod output;
pub mod oximeter;
pub mod preset;
pub mod pressure;
mod prompts;
mod rates;
pub mod readiness;
pub mod recent;
mod restart;
pub mod room;
mod rows;
pub mod session;
pub mod shadow;
mod technical;
pub mod trend;
mod trend_rows;
pub mod unavailable;

pub use bed::{Bed, Device, Snapshot};
