//! A ChipOx module: status, saturation and pulse every 2 s, a hundred points of the waveform a second. The
//! status comes in between as well, when it changes: a finger that goes out is not kept for 2 s.

use vitalsd_core::driver::chipox::{Content, Status};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{PulseRate, Spo2};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Points a second.
const HZ: u64 = 100;
/// Points in a frame.
const POINTS: usize = 10;
/// Between two values.
const PAUSE: Span = Span::secs(2);

#[derive(Debug)]
pub(super) struct Chipox {
    pace: Pace,
    waveform: Waveform,
    /// Points of the next frame so far.
    points: Vec<u8>,
    /// When the next values are due.
    values: Time,
    status: Status,
}

impl Default for Chipox {
    fn default() -> Self {
        Self {
            pace: Pace::new(HZ),
            waveform: Waveform::default(),
            points: Vec::with_capacity(POINTS),
            values: Time::ZERO,
            status: Status::default(),
        }
    }
}

impl Instrument for Chipox {
    fn next(&self) -> Option<Time> {
        Some(self.pace.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        self.pace.done();
        let mut say = |content: Content<'_>| content.encode(&mut |byte| out.push(byte));
        let reading = scene.reading(now);
        let due = now >= self.values;
        let status = status(&reading);
        if due || status != self.status {
            self.status = status;
            say(Content::Status(status));
        }
        if due {
            self.values = self.values + PAUSE;
            say(Content::Spo2(reading.spo2.map_or(0, |spo2| byte((Spo2::as_tenths(spo2) + 5) / 10))));
            say(Content::Pulse(reading.pulse.map_or(0, PulseRate::as_bpm)));
        }
        self.points.push(byte(self.waveform.at(scene, &reading, now).scaled(255)));
        if self.points.len() >= POINTS {
            say(Content::Wave(&self.points));
            self.points.clear();
        }
    }
}

fn status(reading: &Reading) -> Status {
    let contact = match reading.contact {
        Contact::On => 0,
        Contact::Searching => Status::SEARCHING,
        Contact::NoPulse => Status::SEARCHING | Status::SEARCHING_LONG,
        Contact::Off => Status::FINGER_OUT | Status::SEARCHING,
    };
    let low = reading.contact == Contact::On && reading.perfusion == Perfusion::Low;
    let flag = |set: bool, bit: u16| if set { bit } else { 0 };
    Status(contact | flag(low, Status::LOW_PULSATION) | flag(reading.artefact, Status::MOTION))
}

fn byte(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
