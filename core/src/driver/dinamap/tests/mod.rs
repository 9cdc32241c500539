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
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::BloodPressure;

/// mmHg: systolic, diastolic, mean.
type Reading = (u16, u16, u16);

/// A monitor: what it does with a start, and what it is doing.
struct Monitor {
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

impl Monitor {
    fn begin(&mut self, now: Time) {
        self.status = Status::Busy;
        self.running = Some((now + self.takes, self.outcome));
    }

    fn pass(&mut self, now: Time) {
        if let Some((end, outcome)) = self.running
            && now >= end
        {
            self.running = None;
            match outcome {
                Ok(reading) => (self.status, self.last) = (Status::Done, Some((end, reading))),
                Err(code) => self.status = Status::Failed(code),
            }
        }
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

/// A driver and its monitor, joined by a line on which nothing takes time.
struct Bench {
    driver: Dinamap,
    monitor: Monitor,
    now: Time,
    samples: Vec<Sample>,
    sent: Vec<(Time, HostRequest)>,
}

const STEP: Span = Span::millis(100);
/// The driver's clock at the first opening of the port.
const OPENING: Time = Time::from_millis(100_000);

impl Bench {
    /// The port is open; the monitor has no reading unless the test says so.
    fn new(last: Option<(Time, Reading)>) -> Self {
        let mut driver = Dinamap::default();
        driver.opened(OPENING);
        let monitor = Monitor {
            status: if last.is_some() { Status::Done } else { Status::Unused },
            last,
            running: None,
            outcome: Ok((128, 82, 99)),
            takes: Span::secs(30),
            pulse: rc_reply(Some(72)),
            mute: Vec::new(),
            refuses: Vec::new(),
            deaf_and_dumb: false,
        };
        Self { driver, monitor, now: OPENING, samples: Vec::new(), sent: Vec::new() }
    }

    fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.monitor.pass(self.now);
            self.converse();
            self.now = self.now + STEP;
        }
    }

    fn converse(&mut self) {
        for _ in 0..4 {
            let poll = self.driver.poll(self.now, &mut |sample| self.samples.push(sample));
            let Some(bytes) = poll.send else {
                assert!(poll.next.is_some_and(|next| next > self.now), "it would be asked for ever");
                return;
            };
            let request = bytes.split(|byte| *byte == b'\r').find_map(parse_request).expect("a request");
            self.sent.push((self.now, request));
            let reply = self.monitor.answer(request, self.now);
            self.hear(&reply);
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

    fn reopen(&mut self) {
        self.driver.opened(self.now);
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
        results[0]
    }

    /// Who started it and why it failed, of each.
    fn failures(&self) -> Vec<(CuffOrigin, CuffFailure)> {
        self.results().iter().filter_map(|result| Some((result.origin, result.pressure.err()?))).collect()
    }

    fn states(&self) -> Vec<CuffState> {
        let state = |sample: &Sample| match sample {
            Sample::CuffState { state, .. } => Some(*state),
            _ => None,
        };
        self.samples.iter().filter_map(state).collect()
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
