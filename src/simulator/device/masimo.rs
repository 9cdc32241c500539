//! Masimo Rad-8, set to ASCII 1: one line a second.

use vitalsd_core::driver::masimo::{Form, Line, alarm, exception, print};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{PerfusionIndex, PulseRate};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};

/// The device's own limits: SpO2 below which, and pulses outside which, it alarms.
const SPO2_LIMIT: u16 = 90;
const PULSE_LIMITS: (u16, u16) = (50, 120);

#[derive(Debug)]
pub(super) struct Masimo {
    pace: Pace,
}

impl Masimo {
    pub(super) const fn new() -> Self {
        Self { pace: Pace::new(1) }
    }
}

impl Instrument for Masimo {
    fn next(&self) -> Option<Time> {
        Some(self.pace.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        let reading = scene.reading(now);
        let line = Line {
            serial: Some(*b"0000012345"),
            spo2: reading.spo2_pct(),
            pulse: reading.pulse.map(PulseRate::as_bpm),
            perfusion_index: reading.perfusion_index.map(PerfusionIndex::as_hundredths),
            alarm: Some(alarms(&reading)),
            exceptions: exceptions(&reading),
        };
        out.extend(print(&line, Form::Rad8, now).bytes());
        self.pace.done();
    }
}

/// It has one mark for a pulse that it looks for and one that it has given up finding.
fn exceptions(reading: &Reading) -> u32 {
    let contact = match reading.contact {
        Contact::On => 0,
        Contact::Searching | Contact::NoPulse => exception::PULSE_SEARCH,
        Contact::Off => exception::SENSOR_OFF,
    };
    let weak = reading.contact == Contact::On && reading.perfusion == Perfusion::Low;
    let bit = |set: bool, bit| if set { bit } else { 0 };
    exception::SET_MODE
        | contact
        | bit(weak, exception::LOW_PERFUSION)
        | bit(reading.artefact, exception::LOW_SIGNAL_IQ)
}

fn alarms(reading: &Reading) -> u32 {
    let bit = |set: bool, bit| if set { bit } else { 0 };
    let (low, high) = PULSE_LIMITS;
    let pulse = reading.pulse.map(PulseRate::as_bpm);
    let passed = bit(reading.spo2_pct().is_some_and(|spo2| spo2 < SPO2_LIMIT), alarm::SPO2_LOW)
        | bit(pulse.is_some_and(|pulse| pulse < low), alarm::PULSE_LOW)
        | bit(pulse.is_some_and(|pulse| pulse > high), alarm::PULSE_HIGH);
    passed | bit(passed != 0 || reading.contact == Contact::Off, alarm::ACTIVE)
}
