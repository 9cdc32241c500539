//! The driver against a board that behaves as the sheet says, on simulated time.

mod a_determination;
mod a_result;
mod the_line;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::line::{Requests, check_digits, cuff_line, failure, finished_line, line, message_of, parse, status_line};
use super::*;
use crate::driver::bench::{self, Monitor, OPENING, STEP};
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

impl Monitor for Board {
    type Request = HostRequest;
    const POLLED: bool = true;
    const TURNS: usize = 10;

    fn read(bytes: &[u8]) -> Option<HostRequest> {
        let mut requests = Requests::default();
        bytes.iter().find_map(|byte| requests.push(*byte))
    }

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

type Bench = bench::Bench<NibpOem, Board>;

/// Somebody else's, who had the board before.
const OLD: Status = of(190, 110, 140, 99);

const fn of(systolic: u16, diastolic: u16, mean: u16, pulse: u16) -> Status {
    let reading = Some((systolic, diastolic, mean));
    Status { state: 1, patient: 0, message: 0, reading, pulse: Some(pulse), time: Some(25) }
}

impl Bench {
    /// The port is open; the board holds a result of before.
    fn new() -> Self {
        Self::of(Board {
            last: OLD,
            running: None,
            outcome: of(128, 82, 99, 72),
            takes: Span::secs(30),
            beat: Time::ZERO,
            no_end: false,
            deaf_to: Vec::new(),
            dumb: false,
        })
    }

    /// A second after the opening, a start was sent; then a while passed.
    fn measuring(span: Span) -> Self {
        let mut bench = Self::new();
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(span);
        bench
    }

    /// Somebody makes the board measure, and it is not us.
    fn begin(&mut self) {
        (self.monitor.running, self.monitor.beat) = (Some(self.now), self.now + BEAT);
    }

    /// Who started the only one, and why it failed.
    fn failure(&self) -> (CuffOrigin, CuffFailure) {
        (self.result().origin, self.result().pressure.unwrap_err())
    }
}

fn bp(systolic: u16, diastolic: u16, mean: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, Some(mean)).unwrap()
}
