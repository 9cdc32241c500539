//! GE DINAMAP: answers requests, measures when told to by the host or by somebody at the bedside.

use vitalsd_core::driver::dinamap::line::{
    HostRequest, Lines, NibpReply, Status, na_reply, oa_reply, parse_request, rc_reply, reply_line,
};
use vitalsd_core::driver::dinamap::status_of;
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use super::Instrument;
use super::arm::{Arm, Ended};
use crate::simulator::scene::Scene;

#[derive(Debug)]
pub(super) struct Dinamap {
    lines: Lines,
    arm: Arm,
    last: Option<Last>,
}

/// How the last determination ended.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Time,
    status: Status,
    pressure: Option<BloodPressure>,
    pulse: Option<PulseRate>,
}

impl Instrument for Dinamap {
    fn next(&self) -> Option<Time> {
        self.arm.next()
    }

    fn advance(&mut self, scene: &Scene, now: Time, _out: &mut Vec<u8>) {
        let Some(Ended { at, result }) = self.arm.advance(scene, now) else { return };
        self.last = match result {
            Ok((pressure, pulse)) => Some(Last { at, status: Status::Done, pressure: Some(pressure), pulse }),
            // Stopped by its own button it has nothing new to tell (a guess: not documented).
            Err(CuffFailure::Cancelled) => self.last,
            Err(failure) => Some(Last { at, status: Status::Failed(status_of(failure)), pressure: None, pulse: None }),
        };
    }

    fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        for byte in bytes {
            let Some(line) = self.lines.push(*byte) else { continue };
            // How a monitor refuses a line is not known: it says nothing.
            match line.bytes().and_then(parse_request) {
                Some(HostRequest::Start) => {
                    self.arm.begin(scene, now);
                    out.extend(reply_line(b" NC"));
                }
                Some(HostRequest::Cancel) => {
                    self.cancel(scene, now);
                    out.extend(reply_line(b" ND"));
                }
                Some(HostRequest::ReadPressure) => out.extend(na_reply(&self.reply(now))),
                Some(HostRequest::ReadPulse) => {
                    out.extend(rc_reply(self.last.and_then(|last| last.pulse).map(PulseRate::as_bpm)));
                }
                // This monitor has no sensor of its own in use.
                Some(HostRequest::ReadSpo2) => out.extend(oa_reply(None)),
                None => {}
            }
        }
    }
}

impl Dinamap {
    pub(super) fn new(scene: &Scene) -> Self {
        Self { lines: Lines::default(), arm: Arm::new(scene), last: None }
    }

    /// What a monitor reports after a cancel is not documented; this one says that it failed.
    fn cancel(&mut self, scene: &Scene, now: Time) {
        if self.arm.cancel(scene, now) {
            self.last = Some(Last { at: now, status: Status::Failed(3), pressure: None, pulse: None });
        }
    }

    /// While busy, the pressures and their age are those of the determination before.
    fn reply(&self, now: Time) -> NibpReply {
        let status = match (self.arm.measures(), self.last) {
            (true, _) => Status::Busy,
            (false, Some(last)) => last.status,
            // As the sheet's vector of a monitor without any recent result has it.
            (false, None) => Status::Failed(3),
        };
        let pressure = self.last.and_then(|last| last.pressure);
        let mmhg = |pressure: Option<Pressure>| pressure.map_or(0, Pressure::as_mmhg);
        NibpReply {
            status,
            // The count ends at 5400 s.
            age: self.last.map(|last| now.since(last.at)).filter(|age| *age <= Span::secs(5_400)),
            systolic: mmhg(pressure.and_then(BloodPressure::systolic)),
            diastolic: mmhg(pressure.and_then(BloodPressure::diastolic)),
            mean: mmhg(pressure.and_then(BloodPressure::measured_mean)),
        }
    }
}
