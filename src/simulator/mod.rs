//! Simulated patients and devices, on pseudo-terminals, at the real rate: for the demo, the tests and
//! the benches.
//!
//! A byte walks: [`script`] (what is to happen) -> [`patient`] (what is so), or a recording ->
//! [`scene`] (what the probe and the cuff meet) -> [`device`] (what goes over the wire). All of that is
//! pure: a time goes in. Only [`mod@line`] knows a clock and a port.

pub mod device;
pub mod labelled;
pub mod line;
mod noise;
pub mod patient;
mod playback;
pub mod scene;
pub mod script;
mod waveform;
