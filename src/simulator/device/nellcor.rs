//! Nellcor N-595: the real-time printout, one line every 2 s, with a header now and then.

use vitalsd_core::driver::nellcor::{Field, Line, header, print};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{PerfusionIndex, PulseRate};

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Reading, Scene};

/// The device's own limits, low and high.
const SPO2_LIMITS: (u16, u16) = (90, 100);
const PULSE_LIMITS: (u16, u16) = (50, 120);
/// Lines between two headers.
const PAGE: u32 = 25;

#[derive(Debug)]
pub(super) struct Nellcor {
    pace: Pace,
    /// Lines since the last header.
    printed: u32,
}

impl Nellcor {
    pub(super) const fn new() -> Self {
        Self { pace: Pace::every(2), printed: 0 }
    }
}

impl Instrument for Nellcor {
    fn next(&self) -> Option<Time> {
        Some(self.pace.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        if self.printed.is_multiple_of(PAGE) {
            out.extend(header(SPO2_LIMITS, PULSE_LIMITS).bytes());
        }
        out.extend(print(&line(&scene.reading(now)), now).bytes());
        self.printed += 1;
        self.pace.done();
    }
}

fn line(reading: &Reading) -> Line {
    // Its zeros flash while the pulse is lost.
    let zero = (reading.contact == Contact::NoPulse).then_some(0);
    let (spo2, pulse) = (reading.spo2_pct(), reading.pulse.map(PulseRate::as_bpm));
    // An amplitude has no unit; 23 to 154 have been seen.
    let amplitude = reading.perfusion_index.map(|index| (PerfusionIndex::as_hundredths(index) / 5).clamp(1, 254));
    let below = |value: Option<u16>, (low, _): (u16, u16)| value.is_some_and(|value| value < low);
    let above = |value: Option<u16>, (_, high): (u16, u16)| value.is_some_and(|value| value > high);
    let (spo2_low, pulse_low, pulse_high) =
        (below(spo2, SPO2_LIMITS), below(pulse, PULSE_LIMITS), above(pulse, PULSE_LIMITS));

    // Three at the most: there are no numbers unless the probe is on.
    let codes = [
        (reading.contact == Contact::Off, *b"SO"),
        (reading.contact == Contact::NoPulse, *b"LP"),
        (reading.contact == Contact::Searching, *b"PS"),
        (reading.artefact, *b"MO"),
        (spo2_low, *b"SL"),
        (pulse_low, *b"PL"),
        (pulse_high, *b"PH"),
    ];
    let mut status = [None; 4];
    for (place, (_, code)) in status.iter_mut().zip(codes.into_iter().filter(|(shown, _)| *shown)) {
        *place = Some(code);
    }
    Line {
        spo2: Field { value: spo2.or(zero), alarms: spo2_low },
        pulse: Field { value: pulse.or(zero), alarms: pulse_low || pulse_high },
        amplitude: Field { value: amplitude.or(zero), alarms: false },
        status,
    }
}
