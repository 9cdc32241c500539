//! Where the samples of a replay come from: straight from the rows, or over a simulated line.

use std::sync::Arc;

use vitalsd_core::driver::{AnyDriver, Driver, Request};
use vitalsd_core::monitor::input::{DeviceIndex, Input, Link};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, Measured, PerfusionIndex, PulseRate, Spo2};

use super::content::{Beat, Content, has_numbers};
use crate::port::health::Health;
use crate::recording::Row;
use crate::simulator::device::{Device, Model};
use crate::simulator::scene::Scene;

/// The full scale of a recorded waveform, which is in arbitrary units.
pub(super) const FULL_SCALE: u16 = 255;
/// A line answers at once here; this many turns of asking and answering are one moment.
const TURNS: usize = 16;

/// One device of the bed.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// An oximeter, from the rows.
    Numbers(Numbers<'a>),
    /// A cuff, from the rows that hold a pressure.
    Pressures(&'a [Row]),
    /// A device on a line.
    Line(Box<Line>),
}

impl<'a> Source<'a> {
    pub(super) const fn numbers(rows: &'a [Row], content: &'a Content) -> Self {
        Self::Numbers(Numbers { rows, content, beat: Beat::of(content) })
    }

    pub(super) fn pressures(rows: &'a [Row]) -> Self {
        Self::Pressures(from_pressure(rows))
    }

    pub(super) fn line(model: Model, scene: &Arc<Scene>) -> Self {
        Self::Line(Box::new(Line::new(model, scene)))
    }

    /// The way to it at the start: what stands in a recording was once understood.
    pub(super) const fn link(&self) -> Link {
        match self {
            Self::Numbers(_) | Self::Pressures(_) => Link::Up,
            Self::Line(_) => Link::Opened,
        }
    }

    /// When it next has something to say; `None`: never again.
    pub(super) fn due(&self) -> Option<Time> {
        match self {
            Self::Numbers(Numbers { rows, .. }) | Self::Pressures(rows) => rows.first().map(time),
            Self::Line(line) => line.due(),
        }
    }

    /// Says everything that is due up to `now`.
    pub(super) fn advance(&mut self, device: DeviceIndex, now: Time, say: &mut impl FnMut(Input)) {
        match self {
            Self::Numbers(numbers) => numbers.advance(now, &mut |sample| say(Input::Sample { device, sample })),
            Self::Pressures(rows) => {
                while let Some((row, rest)) = rows.split_first().filter(|(row, _)| time(row) <= now) {
                    say(Input::Sample { device, sample: Sample::CuffResult(determination(row)) });
                    *rows = from_pressure(rest);
                }
            }
            Self::Line(line) => line.advance(device, now, say),
        }
    }
}

const fn time(row: &Row) -> Time {
    Time::from_millis(row.time_ms)
}

/// The rows from the next one with a pressure on.
fn from_pressure(rows: &[Row]) -> &[Row] {
    let next = rows.iter().position(Row::has_pressure).unwrap_or(rows.len());
    rows.get(next..).unwrap_or_default()
}

fn determination(row: &Row) -> CuffResult {
    CuffResult {
        at: time(row),
        measured_at: time(row),
        origin: CuffOrigin::Bedside,
        pressure: row.pressure().ok_or(CuffFailure::OutOfRange),
        pulse: Measured::Absent(Absent::NotMeasured),
    }
}

/// The oximeter of the rows.
#[derive(Debug)]
pub(super) struct Numbers<'a> {
    rows: &'a [Row],
    content: &'a Content,
    beat: Beat,
}

impl Numbers<'_> {
    fn advance(&mut self, now: Time, say: &mut impl FnMut(Sample)) {
        while let Some((row, rest)) = self.rows.split_first().filter(|(row, _)| time(row) <= now) {
            self.rows = rest;
            let at = time(row);
            if let Some(value) = row.pleth.and_then(|point| self.scaled(point)) {
                say(Sample::Pleth { at, value });
            }
            if self.beat.falls_on(row) {
                say(Sample::Oximetry(self.oximetry(row)));
            }
        }
    }

    /// Recordings do not say why nothing was measured. A row without any number counts as a sensor that is
    /// off, which is also what the simulator plays; one number without the other as a weak signal.
    fn oximetry(&self, row: &Row) -> Oximetry {
        let blank = if has_numbers(row) { Absent::InadequateSignal } else { Absent::SensorOff };
        Oximetry {
            at: time(row),
            spo2: measured(row.spo2_tenths, Spo2::tenths, self.content.spo2, blank),
            pulse: measured(row.pulse_bpm, PulseRate::bpm, self.content.pulse, blank),
            perfusion_index: measured(
                row.perfusion_index_hundredths,
                PerfusionIndex::hundredths,
                self.content.perfusion_index,
                blank,
            ),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of FULL_SCALE")]
    fn scaled(&self, point: f32) -> Option<u16> {
        let (low, high) = self.content.pleth?;
        let share = (point - low) / (high - low).max(f32::MIN_POSITIVE);
        Some((share.clamp(0.0, 1.0) * f32::from(FULL_SCALE)).round() as u16)
    }
}

fn measured<T: Copy>(raw: Option<u16>, gate: fn(u16) -> Option<T>, expected: bool, blank: Absent) -> Measured<T> {
    match raw {
        Some(raw) => Measured::in_range(gate(raw)),
        None => Measured::Absent(if expected { blank } else { Absent::NotMeasured }),
    }
}

/// A simulated device at a bedside, and the driver that reads it.
#[derive(Debug)]
pub(super) struct Line {
    device: Device,
    driver: Option<AnyDriver>,
    /// When the driver wants to be asked again.
    poll: Option<Time>,
    health: Health,
    bytes: Vec<u8>,
    samples: Vec<Sample>,
}

impl Line {
    pub(super) fn new(model: Model, scene: &Arc<Scene>) -> Self {
        let mut driver = AnyDriver::new(model.name());
        if let Some(driver) = &mut driver {
            driver.opened(Time::ZERO);
        }
        let mut health = Health::new(model.protocol());
        health.opened(Time::ZERO, 0);
        let device = Device::new(model, scene);
        Self { device, driver, poll: Some(Time::ZERO), health, bytes: Vec::new(), samples: Vec::new() }
    }

    pub(super) fn due(&self) -> Option<Time> {
        [self.device.due(), self.poll].into_iter().flatten().min()
    }

    /// Asks the device for something. One that cannot do it now is asked again by the bed (R8.2).
    pub(super) fn request(&mut self, request: Request, now: Time) {
        if self.driver.as_mut().is_some_and(|driver| driver.request(request, now).is_ok()) {
            self.poll = Some(now);
        }
    }

    pub(super) fn advance(&mut self, device: DeviceIndex, now: Time, say: &mut impl FnMut(Input)) {
        let Self { driver: Some(driver), bytes, samples, .. } = self else { return };
        bytes.clear();
        self.device.advance(now, bytes);
        let mut heard = 0;
        for _ in 0..TURNS {
            heard += bytes.len();
            driver.decode(bytes, now, &mut |sample| samples.push(sample));
            bytes.clear();
            let poll = driver.poll(now, &mut |sample| samples.push(sample));
            self.poll = poll.next.map(|next| next.max(now + Span::millis(1)));
            let Some(send) = poll.send else { break };
            self.device.receive(&send, now, bytes);
        }
        if let Some(link) = self.health.heard(now, heard, driver.stats().good_frames) {
            say(Input::Link { device, link });
        }
        for sample in samples.drain(..) {
            say(Input::Sample { device, sample });
        }
    }
}
