//! A Berry probe: five bytes, a hundred times a second, flags as Berry means them.

use vitalsd_core::driver::five_bytes::Frame;
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{PulseRate, Spo2};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Frames a second at 115200 baud.
const HZ: u64 = 100;

#[derive(Debug)]
pub(super) struct Bci {
    pace: Pace,
    waveform: Waveform,
}

impl Default for Bci {
    fn default() -> Self {
        Self { pace: Pace::new(HZ), waveform: Waveform::default() }
    }
}

impl Instrument for Bci {
    fn next(&self) -> Option<Time> {
        Some(self.pace.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        self.pace.done();
        let reading = scene.reading(now);
        let point = self.waveform.at(scene, &reading, now);
        let on = reading.contact != Contact::Off;
        let frame = Frame {
            strength: strength(&reading),
            no_signal: matches!(reading.contact, Contact::Off | Contact::NoPulse),
            unplugged_or_low: false,
            beat: point.beat,
            // 0 is "none".
            pleth: if on { byte(point.scaled(100)).max(1) } else { 0 },
            bar: if on { byte(point.scaled(15)).max(1) } else { 0 },
            no_finger: !on,
            searching: matches!(reading.contact, Contact::Searching | Contact::NoPulse),
            pulse: reading.pulse.map_or(0xff, |pulse| byte(PulseRate::as_bpm(pulse)).min(0xfe)),
            spo2: reading.spo2.map_or(0x7f, |spo2| byte((Spo2::as_tenths(spo2) + 5) / 10)),
        };
        out.extend(frame.encode());
    }
}

fn strength(reading: &Reading) -> u8 {
    match (reading.contact, reading.perfusion) {
        (Contact::Off | Contact::NoPulse, _) => 0,
        (_, Perfusion::Low) => 1,
        (_, Perfusion::Marginal) => 4,
        (_, Perfusion::Good) => 8,
    }
}

fn byte(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
