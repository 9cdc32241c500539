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

impl Module {
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

/// A driver and its module, joined by a line on which nothing takes time.
struct Bench {
    driver: Suntech,
    module: Module,
    now: Time,
    samples: Vec<Sample>,
    sent: Vec<(Time, HostRequest)>,
}

const STEP: Span = Span::millis(100);
const OPENING: Time = Time::from_millis(100_000);

/// Somebody else's, who had the module before.
const OLD: Determination = of(190, 110, 140, 99);

const fn of(systolic: u16, diastolic: u16, mean: u16, pulse: u8) -> Determination {
    Determination { systolic, diastolic, mean, beats: 22, status: 1, test_codes: [0; 8], pulse, error: 0 }
}

impl Bench {
    /// The port is open; the module holds a result of before.
    fn new() -> Self {
        let mut driver = Suntech::default();
        driver.opened(OPENING);
        let module = Module {
            last: OLD,
            running: None,
            outcome: of(128, 82, 99, 72),
            takes: Span::secs(30),
            residue: Some(2),
            says_instead: Vec::new(),
            mute: Vec::new(),
            deaf_and_dumb: false,
        };
        Self { driver, module, now: OPENING, samples: Vec::new(), sent: Vec::new() }
    }

    /// A second after the opening, a start was sent and taken; then a while passed.
    fn measuring(span: Span) -> Self {
        let mut bench = Self::new();
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(span);
        bench
    }

    fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            let said = self.module.pass(self.now);
            self.hear(&said);
            self.converse();
            self.now = self.now + STEP;
        }
    }

    fn converse(&mut self) {
        for _ in 0..10 {
            let samples = &mut self.samples;
            let poll = self.driver.poll(self.now, &mut |sample| samples.push(sample));
            let Some(bytes) = poll.send else {
                assert!(poll.next.is_some(), "never asked again");
                return;
            };
            let mut requests = Requests::default();
            let request = bytes.iter().find_map(|byte| requests.push(*byte)).expect("a request");
            self.sent.push((self.now, request));
            let answer = self.module.answer(request, self.now);
            self.hear(&answer);
        }
        panic!("the driver sends without end: {:?}", self.sent);
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.driver.decode(bytes, self.now, &mut |sample| self.samples.push(sample));
    }

    fn start(&mut self) -> Result<(), Refusal> {
        self.driver.request(Request::StartCuff, self.now)
    }

    fn stop(&mut self) {
        self.driver.request(Request::StopCuff, self.now).expect("can be stopped");
    }

    fn results(&self) -> Vec<CuffResult> {
        let result = |sample: &Sample| match sample {
            Sample::CuffResult(result) => Some(*result),
            _ => None,
        };
        self.samples.iter().filter_map(result).collect()
    }

    /// The only result.
    fn result(&self) -> CuffResult {
        let results = self.results();
        assert_eq!(results.len(), 1, "{results:?}");
        assert_eq!(results[0].origin, CuffOrigin::Schedule);
        results[0]
    }

    /// Why the only one failed.
    fn failure(&self) -> CuffFailure {
        self.result().pressure.unwrap_err()
    }

    fn states(&self) -> Vec<CuffState> {
        let state = |sample: &Sample| match sample {
            Sample::CuffState { state, .. } => Some(*state),
            _ => None,
        };
        self.samples.iter().filter_map(state).collect()
    }

    fn cuff(&self) -> Vec<u16> {
        let mmhg = |sample: &Sample| match sample {
            Sample::CuffPressure { mmhg, .. } => Some(*mmhg),
            _ => None,
        };
        self.samples.iter().filter_map(mmhg).collect()
    }

    fn refusals(&self) -> usize {
        let refused = |sample: &&Sample| matches!(sample, Sample::Notice { notice: Notice::Refused, .. });
        self.samples.iter().filter(refused).count()
    }

    fn sent(&self, request: HostRequest) -> Vec<Time> {
        self.sent.iter().filter(|(_, sent)| *sent == request).map(|(at, _)| *at).collect()
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}
