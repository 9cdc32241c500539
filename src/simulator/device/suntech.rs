//! SunTech OEM module: answers its host, measures when told to by it and by nobody else.

use vitalsd_core::driver::suntech::packet::{
    Determination, HostRequest, Letter, Requests, acknowledge, cuff_pressure, error_of, result, versions,
};
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use super::Instrument;
use super::arm::Arm;
use crate::simulator::scene::Scene;

#[derive(Debug)]
pub(super) struct Suntech {
    requests: Requests,
    arm: Arm,
    last: Determination,
}

impl Instrument for Suntech {
    fn next(&self) -> Option<Time> {
        self.arm.next()
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        if let Some(ended) = self.arm.advance(scene, now) {
            self.last = match ended.result {
                Ok((pressure, pulse)) => determination(pressure, pulse),
                Err(failure) => failed(failure),
            };
            out.extend(acknowledge(Letter::Executed));
        }
    }

    fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        for byte in bytes {
            match self.requests.push(*byte) {
                Some(HostRequest::Start) => {
                    let began = self.arm.begin(scene, now);
                    out.extend(acknowledge(if began { Letter::Received } else { Letter::Busy }));
                }
                Some(HostRequest::Abort) => {
                    if self.arm.cancel(scene, now) {
                        self.last = failed(CuffFailure::Cancelled);
                    }
                    out.extend(acknowledge(Letter::Aborted));
                    out.extend(acknowledge(Letter::Executed));
                }
                Some(HostRequest::CuffPressure) => out.extend(cuff_pressure(Some(self.arm.cuff(now)))),
                Some(HostRequest::Result) => out.extend(result(&self.last)),
                Some(HostRequest::Versions) => out.extend(versions("SB simulated")),
                None => {}
            }
        }
    }
}

impl Suntech {
    pub(super) fn new() -> Self {
        Self { requests: Requests::default(), arm: Arm::without_button(), last: Determination::default() }
    }
}

fn failed(failure: CuffFailure) -> Determination {
    Determination { error: error_of(failure), ..Determination::default() }
}

fn determination(pressure: BloodPressure, pulse: Option<PulseRate>) -> Determination {
    let mmhg = |pressure: Option<Pressure>| pressure.map_or(0, Pressure::as_mmhg);
    let pulse = pulse.map_or(0, PulseRate::as_bpm);
    Determination {
        systolic: mmhg(pressure.systolic()),
        diastolic: mmhg(pressure.diastolic()),
        mean: mmhg(pressure.measured_mean()),
        // Of a third of a minute.
        beats: u8::try_from(pulse / 3).unwrap_or(u8::MAX),
        pulse: u8::try_from(pulse).unwrap_or_default(),
        ..Determination::default()
    }
}
