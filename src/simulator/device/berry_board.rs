//! A BerryMed board that sends `55 AA` frames: numbers once a second and a hundred points of the waveform a second.
//! Both rates are ours: the sheet states none.

use vitalsd_core::driver::berry_board::{Content, Numbers};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{PulseRate, Spo2};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Points a second.
const HZ: u64 = 100;
/// Any status that is not 0: which bit says what is not known.
const NOT_MEASURING: u8 = 0x01;
/// No saturation, and no pulse.
const NONE: (u8, u8) = (127, 255);

#[derive(Debug)]
pub(super) struct BerryBoard {
    points: Pace,
    numbers: Pace,
    waveform: Waveform,
}

impl Default for BerryBoard {
    fn default() -> Self {
        Self { points: Pace::new(HZ), numbers: Pace::new(1), waveform: Waveform::default() }
    }
}

impl Instrument for BerryBoard {
    fn next(&self) -> Option<Time> {
        Some(self.points.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        self.points.done();
        let mut say = |content: Content| content.encode(&mut |byte| out.push(byte));
        let reading = scene.reading(now);
        if self.numbers.next() <= now {
            self.numbers.done();
            say(Content::Numbers(numbers(&reading)));
        }
        say(Content::Wave(byte(self.waveform.at(scene, &reading, now).scaled(255))));
    }
}

fn numbers(reading: &Reading) -> Numbers {
    let (no_spo2, no_pulse) = NONE;
    Numbers {
        status: if reading.contact == Contact::On { 0 } else { NOT_MEASURING },
        spo2: reading.spo2.map_or(no_spo2, |spo2| byte((Spo2::as_tenths(spo2) + 5) / 10)),
        pulse: reading.pulse.map_or(no_pulse, |pulse| byte(PulseRate::as_bpm(pulse)).min(no_pulse - 1)),
    }
}

fn byte(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
