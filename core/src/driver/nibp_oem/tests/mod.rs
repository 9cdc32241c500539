//! The driver against a board that behaves as the sheet says, on simulated time.

mod a_determination;
mod a_result;
mod the_line;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::line::{Requests, check_digits, cuff_line, failure, finished_line, line, message_of, parse, status_line};
use super::*;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::driver::{AnyDriver, Reject};
use crate::vitals::{BloodPressure, PulseRate};

/// A board: what it does with a start, and what it is doing.
struct Board {
    /// What it holds as its last result.
    last: Status,
    /// When the determination under way began.
    running: Option<Time>,
    /// How a determination ends, and how long it takes.
    outcome: Status,
    takes: Span,
    /// The next cuff line is due then.
    beat: Time,
    /// It ends without a 999.
    no_end: bool,
    /// What it does not do, nor answer.
    deaf_to: Vec<HostRequest>,
    /// It says nothing, though it goes on.
    dumb: bool,
}

/// Between two cuff lines.
const BEAT: Span = Span::millis(500);

impl Board {
    /// What it says by itself.
    fn pass(&mut self, now: Time) -> Vec<u8> {
        let Some(began) = self.running else { return Vec::new() };
        let said = if now >= began + self.takes {
            (self.running, self.last) = (None, self.outcome);
            if self.no_end { Vec::new() } else { finished_line() }
        } else if now >= self.beat {
            self.beat = now + BEAT;
            cuff_line(180_u16.saturating_sub(4 * u16::try_from(now.since(began).as_secs()).unwrap()))
        } else {
            Vec::new()
        };
        if self.dumb { Vec::new() } else { said }
    }

    fn answer(&mut self, request: HostRequest, now: Time) -> Vec<u8> {
        if self.deaf_to.contains(&request) {
            return Vec::new();
        }
        let said = match request {
            HostRequest::Start => {
                (self.running, self.beat) = (Some(now), now + BEAT);
                Vec::new()
            }
            HostRequest::Abort => match self.running.take() {
                Some(_) if !self.no_end => finished_line(),
                _ => Vec::new(),
            },
            HostRequest::Status => {
                let state = if self.running.is_some() { MEASURING } else { 1 };
                status_line(&Status { state, ..self.last })
            }
        };
        if self.dumb { Vec::new() } else { said }
    }
}

/// A driver and its board, joined by a line on which nothing takes time.
struct Bench {
    driver: NibpOem,
    board: Board,
    now: Time,
    samples: Vec<Sample>,
    sent: Vec<(Time, HostRequest)>,
}

const STEP: Span = Span::millis(100);
const OPENING: Time = Time::from_millis(100_000);

/// Somebody else's, who had the board before.
const OLD: Status = of(190, 110, 140, 99);

const fn of(systolic: u16, diastolic: u16, mean: u16, pulse: u16) -> Status {
    let reading = Some((systolic, diastolic, mean));
    Status { state: 1, patient: 0, message: 0, reading, pulse: Some(pulse), time: Some(25) }
}

impl Bench {
    /// The port is open; the board holds a result of before.
    fn new() -> Self {
        let mut driver = NibpOem::default();
        driver.opened(OPENING);
        let board = Board {
            last: OLD,
            running: None,
            outcome: of(128, 82, 99, 72),
            takes: Span::secs(30),
            beat: Time::ZERO,
            no_end: false,
            deaf_to: Vec::new(),
            dumb: false,
        };
        Self { driver, board, now: OPENING, samples: Vec::new(), sent: Vec::new() }
    }

    /// A second after the opening, a start was sent; then a while passed.
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
            let said = self.board.pass(self.now);
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
                assert!(poll.next.is_some_and(|next| next > self.now), "asked never, or for ever: {poll:?}");
                return;
            };
            let mut requests = Requests::default();
            let request = bytes.iter().find_map(|byte| requests.push(*byte)).expect("a request");
            self.sent.push((self.now, request));
            let answer = self.board.answer(request, self.now);
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

    /// Somebody makes the board measure, and it is not us.
    fn begin(&mut self) {
        (self.board.running, self.board.beat) = (Some(self.now), self.now + BEAT);
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

    /// Who started the only one, and why it failed.
    fn failure(&self) -> (CuffOrigin, CuffFailure) {
        (self.result().origin, self.result().pressure.unwrap_err())
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

    fn sent(&self, request: HostRequest) -> Vec<Time> {
        self.sent.iter().filter(|(_, sent)| *sent == request).map(|(at, _)| *at).collect()
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}
