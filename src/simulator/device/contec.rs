//! Contec CMS50: the old protocol streams by itself, V7.0 when told to.

use vitalsd_core::driver::contec::v7;
use vitalsd_core::driver::five_bytes;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{PerfusionIndex, PulseRate, Spo2};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Frames a second, both protocols.
const HZ: u64 = 60;
/// V7.0 falls silent this long after it has last heard of the host (one author's device).
const PATIENCE: Span = Span::secs(30);
/// A beep is set in two frames a beat.
const BEEP: u8 = 2;

#[derive(Debug)]
pub(super) struct Contec {
    v7: Option<V7>,
    pace: Pace,
    waveform: Waveform,
    beep: u8,
}

/// What a device of V7.0 knows of its host.
#[derive(Debug, Default)]
struct V7 {
    /// Live data are sent until then.
    until: Option<Time>,
    /// A command under way.
    command: Vec<u8>,
}

impl Contec {
    pub(super) fn old() -> Self {
        Self { v7: None, pace: Pace::new(HZ), waveform: Waveform::default(), beep: 0 }
    }

    pub(super) fn v7() -> Self {
        Self { v7: Some(V7::default()), ..Self::old() }
    }
}

impl Instrument for Contec {
    fn next(&self) -> Option<Time> {
        let next = self.pace.next();
        match &self.v7 {
            Some(v7) => v7.until.filter(|until| next < *until).map(|_| next),
            None => Some(next),
        }
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        self.pace.done();
        let reading = scene.reading(now);
        let point = self.waveform.at(scene, &reading, now);
        self.beep = if point.beat { BEEP } else { self.beep.saturating_sub(1) };
        let (pleth, bar) = (byte(point.scaled(127)), byte(point.scaled(15)));
        let spo2 = reading.spo2_pct().map_or(0x7f, byte);
        let pulse = reading.pulse.map_or(0xff, |pulse| byte(PulseRate::as_bpm(pulse)));
        if self.v7.is_some() {
            out.extend(v7::realtime(&v7::Frame {
                strength: strength(&reading),
                searching_too_long: reading.contact == Contact::NoPulse,
                low_spo2: low(&reading),
                beat: self.beep > 0,
                probe_error: reading.contact == Contact::Off,
                // The text gives 40 hex for a probe error.
                pleth: if reading.contact == Contact::Off { 0x40 } else { pleth },
                searching: matches!(reading.contact, Contact::Searching | Contact::NoPulse),
                bar,
                pulse,
                spo2,
                perfusion_index: reading.perfusion_index.map(PerfusionIndex::as_hundredths),
            }));
        } else {
            let frame = five_bytes::Frame {
                strength: strength(&reading),
                no_signal: matches!(reading.contact, Contact::Off | Contact::NoPulse),
                unplugged_or_low: low(&reading),
                beat: self.beep > 0,
                pleth,
                bar,
                no_finger: reading.contact == Contact::Off,
                searching: matches!(reading.contact, Contact::Searching | Contact::NoPulse),
                pulse,
                spo2,
            };
            out.extend(frame.encode());
        }
    }

    fn receive(&mut self, _scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        let Some(v7) = &mut self.v7 else { return };
        for byte in bytes {
            // Only the first byte of a command has bit 7 clear.
            if byte & 0x80 == 0 {
                v7.command.clear();
            }
            v7.command.push(*byte);
            if let Some(code) = v7::parse_command(&v7.command) {
                v7.command.clear();
                match code {
                    v7::START => {
                        self.pace.skip_to(now);
                        v7.until = Some(now + PATIENCE);
                    }
                    v7::STOP => {
                        v7.until = None;
                        out.extend([0x0c, 0x80]);
                    }
                    v7::KEEP_ALIVE => v7.until = v7.until.filter(|until| now < *until).map(|_| now + PATIENCE),
                    // Captured answers: version, and the model "50D(A)" in two packages.
                    0xa0 => out.extend([0x06, 0x80, 0x80, 0x87]),
                    0xa8 => {
                        out.extend([0x02, 0x80, 0x80, 0xb5, 0xb0, 0xc4, 0xa8, 0xc1, 0xa9]);
                        out.extend([0x02, 0x80, 0x81, 0xa0, 0xa0, 0xa0, 0xa0, 0xa0, 0xa0]);
                    }
                    // The perfusion index is in the live data.
                    0xac => out.extend([0x0e, 0x80, 0x80]),
                    _ => {}
                }
            } else if v7.command.len() >= 9 {
                v7.command.clear();
            }
        }
    }
}

fn strength(reading: &Reading) -> u8 {
    match (reading.contact, reading.perfusion) {
        (Contact::Off | Contact::NoPulse, _) => 0,
        (_, Perfusion::Low) => 1,
        (_, Perfusion::Marginal) => 3,
        (_, Perfusion::Good) => 6,
    }
}

/// The device's own low alarm, 85 % from the factory.
fn low(reading: &Reading) -> bool {
    reading.spo2.is_some_and(|spo2| Spo2::percent(85).is_some_and(|limit| spo2 < limit))
}

fn byte(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(0xfe)
}
