//! A driver and its blood-pressure monitor, joined by a line on which nothing takes time, on simulated time: what the
//! tests of every monitor share that vitalsd starts.

use core::fmt::Debug;
use std::vec::Vec;

use super::{Driver, Refusal, Request};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Notice, Sample};
use crate::time::{Span, Time};

/// How often the two are looked at.
pub const STEP: Span = Span::millis(100);
/// The driver's clock at the first opening of the port.
pub const OPENING: Time = Time::from_millis(100_000);

/// A monitor that behaves as its sheet says.
pub trait Monitor {
    /// What it can be asked.
    type Request: Copy + PartialEq + Debug;
    /// Whether its driver always asks again.
    const POLLED: bool;
    /// Who starts every determination, if only one can.
    const ORIGIN: Option<CuffOrigin> = None;
    /// How often its driver may ask at one moment.
    const TURNS: usize;

    /// The request in what the driver sends.
    fn read(bytes: &[u8]) -> Option<Self::Request>;

    /// What it says by itself.
    fn pass(&mut self, now: Time) -> Vec<u8>;

    /// What it answers.
    fn answer(&mut self, request: Self::Request, now: Time) -> Vec<u8>;
}

/// The driver, its monitor and what came of them.
pub struct Bench<D, M: Monitor> {
    pub driver: D,
    pub monitor: M,
    pub now: Time,
    pub samples: Vec<Sample>,
    pub sent: Vec<(Time, M::Request)>,
}

impl<D: Driver + Default, M: Monitor> Bench<D, M> {
    /// The port has just been opened.
    pub fn of(monitor: M) -> Self {
        let mut driver = D::default();
        driver.opened(OPENING);
        Self { driver, monitor, now: OPENING, samples: Vec::new(), sent: Vec::new() }
    }

    pub fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            let said = self.monitor.pass(self.now);
            self.hear(&said);
            self.converse();
            self.now = self.now + STEP;
        }
    }

    pub fn converse(&mut self) {
        for _ in 0..M::TURNS {
            let poll = self.driver.poll(self.now, &mut |sample| self.samples.push(sample));
            assert!(poll.next.is_none_or(|next| next > self.now), "it would be asked for ever: {poll:?}");
            let Some(bytes) = poll.send else {
                assert!(poll.next.is_some() || !M::POLLED, "never asked again");
                return;
            };
            let request = M::read(&bytes).expect("a request");
            self.sent.push((self.now, request));
            let answer = self.monitor.answer(request, self.now);
            self.hear(&answer);
        }
        panic!("the driver sends without end: {:?}", self.sent);
    }

    pub fn hear(&mut self, bytes: &[u8]) {
        self.driver.decode(bytes, self.now, &mut |sample| self.samples.push(sample));
    }

    pub fn start(&mut self) -> Result<(), Refusal> {
        self.driver.request(Request::StartCuff, self.now)
    }

    pub fn stop(&mut self) {
        self.driver.request(Request::StopCuff, self.now).expect("can be stopped");
    }

    pub fn reopen(&mut self) {
        self.driver.opened(self.now);
    }

    pub fn results(&self) -> Vec<CuffResult> {
        let result = |sample: &Sample| match sample {
            Sample::CuffResult(result) => Some(*result),
            _ => None,
        };
        self.samples.iter().filter_map(result).collect()
    }

    /// The only result.
    pub fn result(&self) -> CuffResult {
        let results = self.results();
        assert_eq!(results.len(), 1, "{results:?}");
        assert!(M::ORIGIN.is_none_or(|origin| results[0].origin == origin), "{results:?}");
        results[0]
    }

    /// Who started it and why it failed, of each.
    pub fn failures(&self) -> Vec<(CuffOrigin, CuffFailure)> {
        self.results().iter().filter_map(|result| Some((result.origin, result.pressure.err()?))).collect()
    }

    /// The states that were told, and when.
    pub fn states_at(&self) -> Vec<(Time, CuffState)> {
        let state = |sample: &Sample| match sample {
            Sample::CuffState { at, state } => Some((*at, *state)),
            _ => None,
        };
        self.samples.iter().filter_map(state).collect()
    }

    pub fn states(&self) -> Vec<CuffState> {
        self.states_at().into_iter().map(|(_, state)| state).collect()
    }

    /// The pressures in the cuff, mmHg.
    pub fn cuff(&self) -> Vec<u16> {
        let mmhg = |sample: &Sample| match sample {
            Sample::CuffPressure { mmhg, .. } => Some(*mmhg),
            _ => None,
        };
        self.samples.iter().filter_map(mmhg).collect()
    }

    pub fn refusals(&self) -> usize {
        let refused = |sample: &&Sample| matches!(sample, Sample::Notice { notice: Notice::Refused, .. });
        self.samples.iter().filter(refused).count()
    }

    /// When a request was sent.
    pub fn sent(&self, request: M::Request) -> Vec<Time> {
        self.sent.iter().filter(|(_, sent)| *sent == request).map(|(at, _)| *at).collect()
    }
}
