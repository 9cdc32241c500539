//! The driver against a monitor that behaves as the sheet says, on simulated time.

mod a_determination;
mod a_reading;
mod the_line;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::line::{
    HostRequest, Lines, NibpReply, Reply, Status, accepted, checksum, na_reply, oa_reply, parse_reply, parse_request,
    rc_reply, reply_line,
};
use super::*;
use crate::driver::AnyDriver;
use crate::driver::bench::{self, Monitor, OPENING, STEP};
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::BloodPressure;

/// mmHg: systolic, diastolic, mean.
type Reading = (u16, u16, u16);

/// A monitor: what it does with a start, and what it is doing.
struct V100 {
    status: Status,
    /// When the last reading was measured, and what it was.
    last: Option<(Time, Reading)>,
    /// When the determination under way ends, and how.
    running: Option<(Time, Result<Reading, u8>)>,
    /// How a determination ends, and how long it takes.
    outcome: Result<Reading, u8>,
    takes: Span,
    pulse: Vec<u8>,
    /// What it does not answer.
    mute: Vec<HostRequest>,
    /// What it answers with a line that nobody knows.
    refuses: Vec<HostRequest>,
    /// What it does without saying so.
    deaf_and_dumb: bool,
}

impl V100 {
    fn begin(&mut self, now: Time) {
        self.status = Status::Busy;
        self.running = Some((now + self.takes, self.outcome));
    }
}

impl Monitor for V100 {
    type Request = HostRequest;
    const POLLED: bool = true;
    const TURNS: usize = 4;

    fn read(bytes: &[u8]) -> Option<HostRequest> {
        bytes.split(|byte| *byte == b'\r').find_map(parse_request)
    }

    fn pass(&mut self, now: Time) -> Vec<u8> {
        if let Some((end, outcome)) = self.running
            && now >= end
        {
            self.running = None;
            match outcome {
                Ok(reading) => (self.status, self.last) = (Status::Done, Some((end, reading))),
                Err(code) => self.status = Status::Failed(code),
            }
        }
        Vec::new()
    }

    fn answer(&mut self, request: HostRequest, now: Time) -> Vec<u8> {
        if self.deaf_and_dumb {
            return Vec::new();
        }
        if self.refuses.contains(&request) {
            return b" ?\r".to_vec();
        }
        let answer = match request {
            HostRequest::Start => {
                self.begin(now);
                accepted(request)
            }
            HostRequest::Cancel => {
                if self.running.take().is_some() {
                    self.status = Status::Failed(9);
                }
                accepted(request)
            }
            HostRequest::ReadPressure => {
                let (systolic, diastolic, mean) = self.last.map_or((0, 0, 0), |(_, reading)| reading);
                let age = self.last.map(|(measured, _)| now.since(measured));
                na_reply(&NibpReply { status: self.status, age, systolic, diastolic, mean })
            }
            HostRequest::ReadPulse => self.pulse.clone(),
            HostRequest::ReadSpo2 => oa_reply(Some(98)),
        };
        if self.mute.contains(&request) { Vec::new() } else { answer }
    }
}

type Bench = bench::Bench<Dinamap, V100>;

impl Bench {
    /// The port is open; the monitor has no reading unless the test says so.
    fn new(last: Option<(Time, Reading)>) -> Self {
        Self::of(V100 {
            status: if last.is_some() { Status::Done } else { Status::Unused },
            last,
            running: None,
            outcome: Ok((128, 82, 99)),
            takes: Span::secs(30),
            pulse: rc_reply(Some(72)),
            mute: Vec::new(),
            refuses: Vec::new(),
            deaf_and_dumb: false,
        })
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}
