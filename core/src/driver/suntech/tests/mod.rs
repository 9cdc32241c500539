//! The driver against a module that behaves as the sheet says, on simulated time.

mod a_determination;
mod a_result;
mod the_line;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::packet::{
    Requests, acknowledge, checksum, cuff_pressure, error_of, failure, parse_reply, reply, result, versions,
};
use super::*;
use crate::driver::AnyDriver;
use crate::driver::bench::{self, Monitor, OPENING, STEP};
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::{BloodPressure, PulseRate};

/// As long as a determination takes, the cuff holds 180 mmHg at first and loses 4 mmHg a second.
const FULL: u16 = 180;

/// A module: what it does with a start, and what it is doing.
struct Module {
    /// What it holds as its last result.
    last: Determination,
    /// When the determination under way began.
    running: Option<Time>,
    /// How a determination ends, and how long it takes.
    outcome: Determination,
    takes: Span,
    /// What remains in the cuff when nothing is under way, mmHg.
    residue: Option<u16>,
    /// What it is told while it measures, or while nothing is: in this letter it answers instead.
    says_instead: Vec<(HostRequest, Letter)>,
    /// What it does not answer, though it does it.
    mute: Vec<HostRequest>,
    /// It does nothing and says nothing.
    deaf_and_dumb: bool,
}

impl Monitor for Module {
    type Request = HostRequest;
    const POLLED: bool = true;
    /// A module has no button.
    const ORIGIN: Option<CuffOrigin> = Some(CuffOrigin::Schedule);
    const TURNS: usize = 10;

    fn read(bytes: &[u8]) -> Option<HostRequest> {
        let mut requests = Requests::default();
        bytes.iter().find_map(|byte| requests.push(*byte))
    }

    fn pass(&mut self, now: Time) -> Vec<u8> {
        if self.running.is_some_and(|began| now >= began + self.takes) {
            (self.running, self.last) = (None, self.outcome);
            return if self.deaf_and_dumb { Vec::new() } else { acknowledge(Letter::Executed) };
        }
        Vec::new()
    }

    fn answer(&mut self, request: HostRequest, now: Time) -> Vec<u8> {
        if self.deaf_and_dumb {
            return Vec::new();
        }
        if let Some((_, letter)) = self.says_instead.iter().find(|(instead, _)| *instead == request) {
            return acknowledge(*letter);
        }
        let answer = match request {
            HostRequest::Start => {
                self.running = Some(now);
                acknowledge(Letter::Received)
            }
            HostRequest::Abort => {
                self.running = None;
                [acknowledge(Letter::Aborted), acknowledge(Letter::Executed)].concat()
            }
            HostRequest::CuffPressure => cuff_pressure(match self.running {
                Some(began) => Some(FULL.saturating_sub(4 * u16::try_from(now.since(began).as_secs()).unwrap())),
                None => self.residue,
            }),
            HostRequest::Result => result(&self.last),
            HostRequest::Versions => versions("SB 1.07"),
        };
        if self.mute.contains(&request) { Vec::new() } else { answer }
    }
}

type Bench = bench::Bench<Suntech, Module>;

/// Somebody else's, who had the module before.
const OLD: Determination = of(190, 110, 140, 99);

const fn of(systolic: u16, diastolic: u16, mean: u16, pulse: u8) -> Determination {
    Determination { systolic, diastolic, mean, beats: 22, status: 1, test_codes: [0; 8], pulse, error: 0 }
}

impl Bench {
    /// The port is open; the module holds a result of before.
    fn new() -> Self {
        Self::of(Module {
            last: OLD,
            running: None,
            outcome: of(128, 82, 99, 72),
            takes: Span::secs(30),
            residue: Some(2),
            says_instead: Vec::new(),
            mute: Vec::new(),
            deaf_and_dumb: false,
        })
    }

    /// A second after the opening, a start was sent and taken; then a while passed.
    fn measuring(span: Span) -> Self {
        let mut bench = Self::new();
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(span);
        bench
    }

    /// Why the only one failed.
    fn failure(&self) -> CuffFailure {
        self.result().pressure.unwrap_err()
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}
