//! Creative: numbers, mode and battery once a second, five points of the waveform ten times a second.

use vitalsd_core::driver::creative::{Content, Numbers, Point};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{PerfusionIndex, PulseRate, Spo2};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Points a second.
const HZ: u64 = 50;
/// A full battery, as type 01 has it.
const FULL: u8 = 0xc0;

#[derive(Debug)]
pub(super) struct Creative {
    points: Pace,
    numbers: Pace,
    waveform: Waveform,
    /// Points of the next frame, of which that many are there.
    wave: [Point; 5],
    have: usize,
}

impl Default for Creative {
    fn default() -> Self {
        Self {
            points: Pace::new(HZ),
            numbers: Pace::new(1),
            waveform: Waveform::default(),
            wave: [Point::default(); 5],
            have: 0,
        }
    }
}

impl Instrument for Creative {
    fn next(&self) -> Option<Time> {
        Some(self.points.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        self.points.done();
        let mut say = |content: Content| content.encode(&mut |byte| out.push(byte));
        let reading = scene.reading(now);
        if self.numbers.next() <= now {
            self.numbers.done();
            // In this order in the captures: numbers, battery, mode (02 is continuous).
            say(Content::Numbers(numbers(&reading)));
            say(Content::Battery(3));
            say(Content::Mode([0x02, 0, 0, 0]));
        }
        let point = self.waveform.at(scene, &reading, now);
        if let Some(next) = self.wave.get_mut(self.have) {
            *next = Point { value: byte(point.scaled(127)), beat: point.beat };
            self.have += 1;
        }
        if self.have == self.wave.len() {
            say(Content::Wave(self.wave));
            self.have = 0;
        }
    }
}

fn numbers(reading: &Reading) -> Numbers {
    Numbers {
        spo2: reading.spo2.map_or(0, |spo2| byte((Spo2::as_tenths(spo2) + 5) / 10)),
        pulse: reading.pulse.map_or(0, PulseRate::as_bpm),
        // Tenths of a percent; 0 would be "none".
        perfusion_index: reading
            .perfusion_index
            .map_or(0, |pi| byte((PerfusionIndex::as_hundredths(pi) + 5) / 10).max(1)),
        probe_off: reading.contact == Contact::Off,
        searching: matches!(reading.contact, Contact::Searching | Contact::NoPulse),
        battery: FULL,
    }
}

fn byte(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
