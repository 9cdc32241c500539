//! The drivers against monitors that behave as the sheet says, on simulated time, and its vectors.

mod frame;
mod tm2655;
mod ua767;

use crate::sample::{CuffResult, Sample};
use crate::vitals::{BloodPressure, Measured, PulseRate};

fn result(sample: &Sample) -> Option<CuffResult> {
    match sample {
        Sample::CuffResult(result) => Some(*result),
        _ => None,
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}

fn pulse(bpm: u16) -> Measured<PulseRate> {
    Measured::Good(PulseRate::bpm(bpm).unwrap())
}
