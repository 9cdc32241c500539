//! Contec CMS50 family of finger and wrist oximeters, and what is sold under other names
//! (Pulox PO-250 and others).
//!
//! Two unrelated wire protocols exist, and one model name may speak either: a CMS50D+ up to firmware
//! 4.5, early CMS50E and CMS50F the old one ([`old`]); CMS50D+ 4.6, later CMS50E, CMS50F 3.7, CMS50EW,
//! FW, IW, H and I, CMS60C and Pulox PO-250 the new one ([`v7`]). Only listening tells which.
//!
//! USB is a CP2102 bridge (10C4:EA60) that usually sits inside the cable, so "port open, no data" is
//! normal with the device switched off, and the USB id proves nothing. Flow control stays off: with
//! XON/XOFF the bytes 11 and 13 hex of the old protocol would be swallowed.
//!
//! What the two have in common stands here; the five bytes themselves in [`super::five_bytes`].

pub mod old;
pub mod v7;

#[cfg(test)]
mod tests;

pub use old::{Old, PROTOCOL as OLD_PROTOCOL};
pub use v7::{PROTOCOL as V7_PROTOCOL, V7};

use crate::driver::{LineSettings, Quantity};
use crate::time::{Span, Time};

/// 60 frames a second, both protocols.
const CADENCE: Span = Span::millis(17);

/// Points of the waveform: 0..=127, one a frame.
const PLETH: crate::driver::Pleth = crate::driver::Pleth { full_scale: 127, hz: 60 };
