//! A&D: the TM-2655 measures when told to by the host or by somebody at the bedside, the UA-767PC only by
//! its own button. Both tell the result by themselves.

use vitalsd_core::driver::and_medical::frame::{Command, Report, answer, error_of, parse_command, rb_frame};
use vitalsd_core::driver::and_medical::ua767::{Message, VALID};
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use super::arm::{Arm, Ended};
use super::{Instrument, clock};
use crate::simulator::scene::Scene;

/// The bytes of a command.
const COMMAND: usize = 10;

#[derive(Debug)]
pub(super) struct Tm2655 {
    arm: Arm,
    /// The newest bytes of the host, as many as a command has.
    heard: Vec<u8>,
    /// The last result, as it was sent.
    last: Vec<u8>,
}

impl Tm2655 {
    pub(super) fn new(scene: &Scene) -> Self {
        Self { arm: Arm::new(scene), heard: Vec::new(), last: Vec::new() }
    }

    /// What answers a command. It refuses a start while it measures; what a monitor sends once it has been
    /// stopped is not known: this one says nothing more.
    fn obey(&mut self, scene: &Scene, command: Command, now: Time, out: &mut Vec<u8>) {
        match command {
            Command::Start => out.extend(answer(self.arm.begin(scene, now))),
            Command::Stop => {
                self.arm.cancel(scene, now);
                out.extend(answer(true));
            }
            Command::ReadResult if !self.last.is_empty() => out.extend(&self.last),
            Command::ReadResult | Command::ReadPulses => out.extend(answer(false)),
        }
    }
}

impl Instrument for Tm2655 {
    fn next(&self) -> Option<Time> {
        self.arm.next()
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        let Some(Ended { at, result }) = self.arm.advance(scene, now) else { return };
        let report = match result {
            Ok((pressure, pulse)) => Report {
                error: 0,
                systolic: pressure.systolic().map(Pressure::as_mmhg),
                mean: Some(pressure.mean().as_mmhg()),
                diastolic: pressure.diastolic().map(Pressure::as_mmhg),
                pulse: pulse.map(PulseRate::as_bpm),
            },
            Err(failure) => Report { error: error_of(failure), ..Report::default() },
        };
        self.last = rb_frame(&clock::shown(at, "%y%m%d%H%M"), &report);
        out.extend(&self.last);
    }

    fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        for byte in bytes {
            if self.heard.len() == COMMAND {
                self.heard.remove(0);
            }
            self.heard.push(*byte);
            if let Some(command) = parse_command(&self.heard) {
                self.obey(scene, command, now, out);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Ua767 {
    arm: Arm,
}

impl Ua767 {
    pub(super) fn new(scene: &Scene) -> Self {
        Self { arm: Arm::new(scene) }
    }
}

impl Instrument for Ua767 {
    fn next(&self) -> Option<Time> {
        self.arm.next()
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        let Some(Ended { result, .. }) = self.arm.advance(scene, now) else { return };
        out.extend(message(result).text());
    }
}

/// What the states other than "valid" mean is not known: a failure is one that is named.
fn message(result: Result<(BloodPressure, Option<PulseRate>), CuffFailure>) -> Message {
    let (status, pressure, pulse) = match result {
        Ok((pressure, pulse)) => (VALID, Some(pressure), pulse),
        Err(CuffFailure::Unknown(status)) if status != VALID => (status, None, None),
        Err(_) => (0x81, None, None),
    };
    let byte = |value: Option<u16>| value.map_or(0, |value| u8::try_from(value).unwrap_or(u8::MAX));
    let [systolic, diastolic] =
        [BloodPressure::systolic, BloodPressure::diastolic].map(|of| pressure.and_then(of).map(Pressure::as_mmhg));
    Message {
        status,
        difference: byte(systolic.zip(diastolic).map(|(systolic, diastolic)| systolic.saturating_sub(diastolic))),
        diastolic: byte(diastolic),
        pulse: byte(pulse.map(PulseRate::as_bpm)),
        mean: byte(pressure.map(|pressure| pressure.mean().as_mmhg())),
    }
}
