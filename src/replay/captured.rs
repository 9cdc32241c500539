//! A raw capture through its driver to a bed.

use std::io::BufRead;

use thiserror::Error;
use vitalsd_core::driver::{AnyDriver, Protocol, Quantity};
use vitalsd_core::monitor::Device;
use vitalsd_core::monitor::input::{DeviceIndex, Input, Link, LossReason};
use vitalsd_core::monitor::output::{Event, Output};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};

use super::play::Play;
use super::{ReplayError, Terms};
use crate::capture::{CaptureError, Playback, Reader, Told};
use crate::config::{SOURCED, can_source};
use crate::port::health::Health;
use crate::simulator::script::Role;

/// The one device of the bed.
const DEVICE: DeviceIndex = DeviceIndex(0);
/// How often a silent line is looked at, as at the bedside.
const LOOK: Span = Span::secs(1);

/// Why a capture cannot be played.
#[derive(Debug, Error)]
pub enum CapturedError {
    /// It cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It cannot be played as asked.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No driver of that name is built in.
    #[error("the driver `{0}` is not built in. `vitalsd drivers` lists those that are")]
    Driver(&'static str),
}

/// What a device of that protocol is at the bed.
#[must_use]
pub fn role(protocol: &Protocol) -> Role {
    if protocol.measures(Quantity::Spo2) { Role::Oximeter } else { Role::Cuff }
}

/// Plays a capture of a device that speaks `protocol`, and tells everything that its bed says. Of `terms` the
/// drivers do not matter. The times are those of the capture.
///
/// # Errors
/// The capture cannot be read to its end; what was before is told.
pub fn play(
    reader: Reader<impl BufRead>,
    protocol: &'static Protocol,
    terms: &Terms,
    out: &mut impl FnMut(Output),
) -> Result<(), CapturedError> {
    let driver = AnyDriver::new(protocol.name).ok_or(CapturedError::Driver(protocol.name))?;
    let mut playback = Playback::new(reader, driver, Time::ZERO)?;
    let mut line = Line::new(protocol);
    let mut play = Play::open(terms, vec![device(protocol, terms)], &[Link::Opened], out)?;
    let out = &mut |output| {
        if !Play::is_its_own(&output) {
            out(output);
        }
    };
    let (mut end, mut look) = (Time::ZERO, Time::ZERO + LOOK);
    while let Some(due) = playback.due() {
        end = [Some(due), Some(look), play.due()].into_iter().flatten().min().unwrap_or(due);
        play.dose(end, out)?;
        let mut samples = Vec::new();
        let told = if due <= end { playback.step(&mut |sample| samples.push(sample))? } else { None };
        let link = match told {
            Some((_, told)) => line.told(told, end, &playback),
            None => line.look(end),
        };
        if look <= end {
            look = end + LOOK;
        }
        for input in inputs(link, samples) {
            play.bed.input(&input, end, out);
        }
        play.answer(end, out)?;
    }
    play.bed.input(&Input::Tick, end, out);
    Ok(())
}

/// Plays it, for its events alone.
///
/// # Errors
/// As [`play`].
pub fn events(
    reader: Reader<impl BufRead>,
    protocol: &'static Protocol,
    terms: &Terms,
) -> Result<Vec<Event>, CapturedError> {
    let mut events = Vec::new();
    play(reader, protocol, terms, &mut |output| {
        if let Output::Event(event) = output {
            events.push(event);
        }
    })?;
    Ok(events)
}

/// The link before the samples, as at the bedside.
fn inputs(link: Option<Link>, samples: Vec<Sample>) -> impl Iterator<Item = Input> {
    let link = link.map(|link| Input::Link { device: DEVICE, link });
    link.into_iter().chain(samples.into_iter().map(|sample| Input::Sample { device: DEVICE, sample }))
}

/// The device as its bed sees it. A cuff cannot be started: its results are those of the capture.
fn device(protocol: &Protocol, terms: &Terms) -> Device {
    let primary: Vec<_> =
        SOURCED.into_iter().map(|(quantity, _)| quantity).filter(|quantity| can_source(protocol, *quantity)).collect();
    let mut device = Device::of(protocol, &primary);
    device.starts_cuff = false;
    device.cadence = terms.cadence.unwrap_or(device.cadence);
    device
}

/// The health of the line, as the daemon keeps it.
struct Line {
    health: Health,
    open: bool,
}

impl Line {
    fn new(protocol: &Protocol) -> Self {
        let mut health = Health::new(protocol);
        health.opened(Time::ZERO, 0);
        Self { health, open: true }
    }

    /// The new state of the link, if that has changed it.
    fn told(&mut self, told: Told, now: Time, playback: &Playback<impl BufRead>) -> Option<Link> {
        let good_frames = playback.stats().good_frames;
        match told {
            Told::Opened => {
                self.open = true;
                self.health.opened(now, good_frames);
                Some(Link::Opened)
            }
            Told::Heard(bytes) => self.health.heard(now, bytes, good_frames),
            Told::Lost => {
                self.open = false;
                Some(Link::Lost(LossReason::Unplugged))
            }
            Told::Nothing => self.look(now),
        }
    }

    /// Time has passed.
    fn look(&mut self, now: Time) -> Option<Link> {
        if self.open { self.health.tick(now) } else { None }
    }
}
