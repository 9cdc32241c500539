//! The pure middle of vitalsd.
//!
//! Bytes and a time go in, samples come out ([`driver`]); samples and a time go in, alarm events and
//! the present state come out ([`monitor`]). Nothing here reads a clock, a file, a socket or a log:
//! the crate is `no_std`, so the compiler holds that line.
//!
//! In the order a byte walks:
//!
//! 1. [`time`]: milliseconds on the box's monotonic clock, always a parameter (R1.1).
//! 2. [`vitals`]: the quantities, their units and ranges, quality and typed absence.
//! 3. [`sample`]: what a device said.
//! 4. [`driver`]: bytes to samples, one file per wire protocol.
//! 5. [`monitor`]: one bed, decided.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod driver;
pub mod monitor;
pub mod sample;
pub mod time;
pub mod vitals;
