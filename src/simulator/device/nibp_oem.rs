//! OEM board that speaks 01;;D7: tells by itself what is in the cuff while it measures, and the rest when asked. What it
//! sits in may start and stop it as well.

use vitalsd_core::driver::nibp_oem::line::{
    HostRequest, MEASURING, Requests, Status, cuff_line, finished_line, message_of, status_line,
};
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use super::Instrument;
use super::arm::Arm;
use crate::simulator::scene::Scene;

/// Between two cuff lines; the real pace is not known.
const PACE: Span = Span::millis(500);
/// The state of a board that does not measure.
const IDLE: u8 = 1;

#[derive(Debug)]
pub(super) struct NibpOem {
    requests: Requests,
    arm: Arm,
    last: Status,
    /// When it next says something by itself: its status after power-up, then the pressures in the cuff.
    speaks: Option<Time>,
}

impl Instrument for NibpOem {
    fn next(&self) -> Option<Time> {
        [self.arm.next(), self.speaks].into_iter().flatten().min()
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        if let Some(ended) = self.arm.advance(scene, now) {
            self.last = match ended.result {
                Ok((pressure, pulse)) => measured(pressure, pulse),
                Err(failure) => failed(failure),
            };
            out.extend(finished_line());
        }
        let speaks = self.speaks.is_none_or(|at| at <= now);
        if self.arm.measures() {
            if speaks {
                out.extend(cuff_line(self.arm.cuff(now)));
                self.speaks = Some(now + PACE);
            }
        } else if self.speaks.take().is_some_and(|at| at == Time::ZERO) {
            out.extend(status_line(&self.last));
        }
    }

    fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        for byte in bytes {
            match self.requests.push(*byte) {
                Some(HostRequest::Start) => self.start(scene, now),
                Some(HostRequest::Abort) => self.abort(scene, now, out),
                Some(HostRequest::Status) => {
                    let state = if self.arm.measures() { MEASURING } else { IDLE };
                    out.extend(status_line(&Status { state, ..self.last }));
                }
                None => {}
            }
        }
    }
}

impl NibpOem {
    pub(super) fn new(scene: &Scene) -> Self {
        let last = Status { state: IDLE, ..Status::default() };
        Self { requests: Requests::default(), arm: Arm::new(scene), last, speaks: Some(Time::ZERO) }
    }

    /// Nothing answers a start, nor an X that has nothing to stop.
    fn start(&mut self, scene: &Scene, now: Time) {
        if self.arm.begin(scene, now) {
            self.speaks = Some(now + PACE);
        }
    }

    fn abort(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        if self.arm.cancel(scene, now) {
            (self.last, self.speaks) = (failed(CuffFailure::Cancelled), None);
            out.extend(finished_line());
        }
    }
}

fn failed(failure: CuffFailure) -> Status {
    Status { state: IDLE, message: message_of(failure), ..Status::default() }
}

fn measured(pressure: BloodPressure, pulse: Option<PulseRate>) -> Status {
    let mmhg = |pressure: Option<Pressure>| pressure.map_or(0, Pressure::as_mmhg);
    let reading = (mmhg(pressure.systolic()), mmhg(pressure.diastolic()), mmhg(pressure.measured_mean()));
    Status { state: IDLE, reading: Some(reading), pulse: pulse.map(PulseRate::as_bpm), ..Status::default() }
}
