//! One bed, decided: samples, links, commands and time in; readings, alarms and events out.
//!
//! The rules are those of the clinical rule book; their ids (R2.2, row 14 ...) stand where each lives:
//!
//! * [`input`], [`action`], [`observation`]: what a bed is told, by devices and by persons.
//! * [`output`], [`alarm`]: what it says; the table of the conditions.
//! * [`preset`]: the figures that a clinician signs.
//! * [`oximeter`]: the newest values, how good and how fresh they are (R1).
//! * [`limits`], [`in_force`]: on which side of a limit a value is (R2.1), and which limit holds for this person.
//! * [`condition`]: when a violation has lasted, and when it is over (R2).
//! * `rows`, `trend_rows`: the rows of the oximeter, those that judge now and those that look back;
//!   [`trend`], [`burden`], [`desaturation`], [`recent`] and [`bins`] are what they remember.
//! * [`pressure`], `determination`: the rows of the blood pressure, which count determinations (R2.7).
//! * [`unavailable`], [`contact`], [`shadow`]: no good data, for whatever reason (R6).
//! * [`session`], [`infusion`], [`baseline`], [`room`]: phases, the values before the dose, a room without a session (R5).
//! * `commands`: what a person asks, carried out or refused.
//! * `identity`: who a device is, and whether it is another than before (R1.6).
//! * `prompts`: what the bed asks of a person (R5.4 to R5.8, R5.12).
//! * [`cuff`], [`rates`]: when to measure, overdue, failed, and whose pulse it was (R8, rows 27 and 28).
//! * `technical`: the equipment (R1.7, R3.3, R10).
//! * [`announce`], [`attention`]: what of all this is announced and latched (R2.5, R3), accepted, paused, escalated (R4).
//! * [`readiness`], `items`: the measured items before the patient leaves (R9).
//! * `restart`: what goes on in the next life of the box (R4.5, R5.8).
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
mod identity;
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
