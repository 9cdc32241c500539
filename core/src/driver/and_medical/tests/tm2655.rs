//! The TM-2655: who starts, what comes of it, and the laws of every driver.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::frame::{CAPTURED, CAPTURED_TOO, MOVED};
use super::{bp, pulse};
use crate::driver::and_medical::frame::{Command, Report, answer, parse_command, rb_frame};
use crate::driver::and_medical::tm2655::*;
use crate::driver::bench::{self, Monitor, OPENING, STEP};
use crate::driver::laws::{self, Within, decoded};
use crate::driver::{AnyDriver, Driver, Kind, LineSettings, Refusal, Request};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, IdentityPart, Sample, Text};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured};

const GOOD: Report = Report { error: 0, systolic: Some(128), mean: Some(99), diastolic: Some(82), pulse: Some(72) };

const fn failed(error: u8) -> Report {
    Report { error, systolic: None, mean: None, diastolic: None, pulse: None }
}

/// A monitor: what it does with a command, and what it is doing.
struct ArmIn {
    /// When the determination under way ends.
    running: Option<Time>,
    /// How one ends, and how long it takes.
    outcome: Report,
    takes: Span,
    /// What it answers; `None`: nothing.
    start: Option<bool>,
    stop: Option<bool>,
    /// What it sends once it has stopped.
    echo: Option<Report>,
}

impl ArmIn {
    fn begin(&mut self, now: Time) {
        self.running = Some(now + self.takes);
    }
}

impl Monitor for ArmIn {
    type Request = Command;
    const POLLED: bool = false;
    const TURNS: usize = 4;

    fn read(bytes: &[u8]) -> Option<Command> {
        parse_command(bytes)
    }

    fn pass(&mut self, now: Time) -> Vec<u8> {
        match self.running {
            Some(end) if now >= end => {
                self.running = None;
                rb_frame("2611220905", &self.outcome)
            }
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, command: Command, now: Time) -> Vec<u8> {
        let (answers, echo) = match command {
            Command::Start => {
                if self.start == Some(true) {
                    self.begin(now);
                }
                (self.start, None)
            }
            Command::Stop => {
                let stops = self.stop == Some(true) && self.running.take().is_some();
                (self.stop, self.echo.filter(|_| stops))
            }
            Command::ReadResult | Command::ReadPulses => panic!("an old result could come as a new one"),
        };
        let mut said: Vec<u8> = answers.map(answer).into_iter().flatten().collect();
        said.extend(echo.into_iter().flat_map(|report| rb_frame("2611220905", &report)));
        said
    }
}

type Bench = bench::Bench<Tm2655, ArmIn>;

fn at(seconds: u64) -> Time {
    OPENING + Span::secs(seconds)
}

impl Bench {
    fn new() -> Self {
        let takes = Span::secs(30);
        Self::of(ArmIn { running: None, outcome: GOOD, takes, start: Some(true), stop: Some(true), echo: None })
    }
}

// What the bedside starts.

#[test]
fn a_result_that_comes_by_itself_is_of_the_bedside_and_measured_when_it_comes() {
    for (captured, pressure, rate) in [(CAPTURED, bp(102, 62, 87), 83), (CAPTURED_TOO, bp(107, 59, 85), 88)] {
        let mut bench = Bench::new();
        bench.run(Span::mins(60));
        assert_eq!((bench.samples.len(), bench.sent.len()), (0, 0), "nothing is said, nothing is asked");
        bench.hear(captured);
        let expected = CuffResult {
            at: at(3_600),
            measured_at: at(3_600),
            origin: CuffOrigin::Bedside,
            pressure: Ok(pressure),
            pulse: pulse(rate),
        };
        assert_eq!(bench.result(), expected);
        bench.run(Span::mins(60));
        assert_eq!((bench.results().len(), bench.sent.len()), (1, 0));
    }
}

#[test]
fn a_failure_that_comes_by_itself_is_told_with_its_reason() {
    let mut bench = Bench::new();
    bench.hear(MOVED);
    assert_eq!(bench.failures(), [(CuffOrigin::Bedside, CuffFailure::Motion)]);
    assert_eq!(bench.result().pulse, Measured::Absent(Absent::NotMeasured));
}

#[test]
fn two_results_with_the_same_numbers_are_two() {
    let mut bench = Bench::new();
    bench.hear(CAPTURED);
    bench.run(Span::mins(2));
    bench.hear(CAPTURED);
    let measured: Vec<_> = bench.results().iter().map(|result| result.measured_at).collect();
    assert_eq!(measured, [at(0), at(120)]);
}

#[test]
fn the_model_is_told_once_after_each_opening() {
    let mut bench = Bench::new();
    let models = |bench: &Bench| {
        let model = |sample: &Sample| match sample {
            Sample::Identity { part: IdentityPart::Model, text, .. } => Some(*text),
            _ => None,
        };
        bench.samples.iter().filter_map(model).collect::<Vec<_>>()
    };
    bench.hear(CAPTURED);
    bench.hear(CAPTURED_TOO);
    assert_eq!(models(&bench).iter().map(Text::as_str).collect::<Vec<_>>(), ["TM2655"]);
    bench.driver.opened(bench.now);
    bench.hear(CAPTURED);
    assert_eq!(models(&bench).len(), 2);
}

// What we start.

#[test]
fn a_determination_that_we_start_inflates_from_the_ack_and_ends_with_its_result() {
    let mut bench = Bench::new();
    bench.run(Span::secs(3));
    bench.start().unwrap();
    bench.run(Span::mins(10));
    let result = bench.result();
    assert_eq!((result.origin, result.pressure, result.pulse), (CuffOrigin::Schedule, Ok(bp(128, 82, 99)), pulse(72)));
    assert_eq!(result.measured_at, at(33));
    assert_eq!(bench.sent, [(at(3), Command::Start)]);
    assert_eq!(bench.states_at(), [(at(3), CuffState::Inflating), (at(33), CuffState::Idle)]);
    // The next one is somebody else's again.
    bench.hear(CAPTURED);
    assert_eq!(bench.results()[1].origin, CuffOrigin::Bedside);
}

#[test]
fn a_determination_that_we_start_and_that_fails_is_told_with_its_reason() {
    let mut bench = Bench::new();
    bench.monitor.outcome = failed(12);
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::PumpTimeout)]);
    assert_eq!(bench.states_at().last(), Some(&(at(30), CuffState::Idle)));
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn a_result_that_crosses_our_start_is_of_the_bedside_and_ours_is_told_too() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    let poll = bench.driver.poll(bench.now, &mut |_| ());
    assert_eq!(parse_command(&poll.send.unwrap()), Some(Command::Start));
    bench.hear(CAPTURED);
    bench.hear(&answer(true));
    bench.monitor.begin(bench.now);
    bench.run(Span::secs(60));
    let told: Vec<_> = bench.results().iter().map(|result| (result.origin, result.pressure)).collect();
    let expected = [(CuffOrigin::Bedside, Ok(bp(102, 62, 87))), (CuffOrigin::Schedule, Ok(bp(128, 82, 99)))];
    assert_eq!(told, expected);
}

#[test]
fn a_start_that_is_refused_is_told_as_refused_and_as_failed() {
    let mut bench = Bench::new();
    bench.monitor.start = Some(false);
    bench.start().unwrap();
    bench.run(Span::secs(20));
    assert_eq!(bench.refusals(), 1);
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Failed)]);
    assert_eq!((bench.states_at(), bench.sent.len()), (vec![], 1));
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn a_start_that_is_not_answered_did_not_happen_and_is_not_repeated() {
    let mut bench = Bench::new();
    (bench.monitor.start, bench.monitor.stop) = (None, None);
    bench.start().unwrap();
    bench.run(Span::secs(9));
    assert_eq!(bench.results(), []);
    bench.run(Span::secs(30));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
    assert_eq!((bench.result().at, bench.states_at()), (at(10), vec![]));
    assert_eq!(bench.sent(Command::Start), [at(0)]);
    assert_eq!(bench.sent(Command::Stop), [at(10), at(11), at(12)], "it may have been the answer that was lost");
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn an_answer_that_is_late_still_counts() {
    for takes in [true, false] {
        let mut bench = Bench::new();
        bench.monitor.start = None;
        bench.start().unwrap();
        bench.run(Span::secs(5));
        bench.hear(&answer(takes));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(60));
        assert_eq!(bench.results()[0].pressure, if takes { Ok(bp(128, 82, 99)) } else { Err(CuffFailure::Failed) });
        assert_eq!(bench.results()[0].origin, CuffOrigin::Schedule);
    }
}

#[test]
fn a_determination_that_does_not_end_within_180_s_is_stopped_and_told_as_no_answer() {
    let mut bench = Bench::new();
    bench.monitor.takes = Span::mins(30);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(179));
    assert_eq!((bench.results(), bench.sent(Command::Stop)), (vec![], vec![]));
    bench.run(Span::secs(60));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
    assert_eq!(bench.sent(Command::Stop), [at(181)]);
    assert_eq!(bench.states_at().last(), Some(&(at(181), CuffState::Idle)));
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn it_cannot_be_started_before_the_port_is_open_or_while_ours_is_under_way() {
    assert_eq!(Tm2655::default().request(Request::StartCuff, OPENING), Err(Refusal::NotReady));
    assert_eq!(Tm2655::default().request(Request::StopCuff, OPENING), Err(Refusal::NotReady));
    assert_eq!(Tm2655::default().poll(OPENING, &mut |_| ()).send, None);
    let mut bench = Bench::new();
    bench.start().unwrap();
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(10));
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(30));
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn a_determination_goes_on_while_the_port_is_opened_again() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    bench.run(Span::secs(10));
    bench.hear(&CAPTURED[..30]);
    bench.driver.opened(bench.now);
    bench.hear(&CAPTURED[30..]);
    assert_eq!(bench.results(), [], "half a result is none");
    bench.run(Span::secs(60));
    let result = bench.result();
    assert_eq!((result.origin, result.pressure), (CuffOrigin::Schedule, Ok(bp(128, 82, 99))));
}

// What we stop.

#[test]
fn a_determination_that_we_stop_ends_once_as_cancelled() {
    // Whether a monitor sends a result of what it was told to stop is not known.
    for echo in [None, Some(failed(24))] {
        let mut bench = Bench::new();
        bench.monitor.echo = echo;
        bench.start().unwrap();
        bench.run(Span::secs(10));
        bench.stop();
        bench.run(Span::secs(60));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
        assert_eq!(bench.sent(Command::Stop), [at(10)]);
        assert_eq!(bench.states_at(), [(at(0), CuffState::Inflating), (at(10), CuffState::Idle)]);
    }
}

#[test]
fn a_failure_after_a_stop_is_the_end_of_what_was_stopped_and_a_pressure_is_a_pressure() {
    let stopped = |wait: Span, heard: &[u8]| {
        let mut bench = Bench::new();
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(10));
        bench.stop();
        bench.run(wait);
        bench.hear(heard);
        bench.results().iter().map(|result| (result.origin, result.pressure)).collect::<Vec<_>>()
    };
    assert_eq!(stopped(Span::secs(9), MOVED), [], "somebody stopped what somebody had started");
    assert_eq!(stopped(Span::secs(11), MOVED), [(CuffOrigin::Bedside, Err(CuffFailure::Motion))]);
    assert_eq!(stopped(Span::secs(1), CAPTURED), [(CuffOrigin::Bedside, Ok(bp(102, 62, 87)))]);
}

#[test]
fn a_failure_of_ours_that_overtakes_the_answer_to_its_stop_is_cancelled() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    bench.run(Span::secs(10));
    bench.monitor.stop = None;
    bench.stop();
    bench.converse();
    bench.hear(MOVED);
    bench.hear(&answer(true));
    bench.monitor.running = None;
    bench.run(Span::secs(60));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
}

#[test]
fn a_failure_of_the_next_determination_is_not_taken_for_the_end_of_the_one_that_was_stopped() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    bench.run(Span::secs(1));
    bench.stop();
    bench.run(Span::secs(1));
    (bench.monitor.outcome, bench.monitor.takes) = (failed(13), Span::secs(5));
    bench.start().unwrap();
    bench.run(Span::secs(20));
    let ours = |failure| (CuffOrigin::Schedule, failure);
    assert_eq!(bench.failures(), [ours(CuffFailure::Cancelled), ours(CuffFailure::Blocked)]);
}

#[test]
fn a_determination_stopped_before_it_was_sent_is_never_sent() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    bench.stop();
    bench.run(Span::secs(20));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
    assert_eq!((bench.sent(Command::Start), bench.sent(Command::Stop).len()), (vec![], 1));
}

#[test]
fn a_stop_that_is_not_answered_is_sent_three_times_and_told_as_no_answer() {
    let mut bench = Bench::new();
    bench.start().unwrap();
    bench.run(Span::secs(10));
    bench.monitor.stop = None;
    bench.stop();
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(15));
    assert_eq!(bench.sent(Command::Stop), [at(10), at(11), at(12)]);
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
    assert_eq!((bench.result().at, bench.states_at().len()), (at(13), 1), "whether it still inflates is not known");
}

#[test]
fn a_stop_that_is_refused_leaves_the_determination_to_end() {
    let mut bench = Bench::new();
    bench.monitor.stop = Some(false);
    bench.start().unwrap();
    bench.run(Span::secs(10));
    bench.stop();
    bench.run(Span::secs(60));
    assert_eq!((bench.refusals(), bench.sent(Command::Stop).len()), (1, 1));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn what_does_not_exist_can_be_stopped_without_a_result() {
    let mut bench = Bench::new();
    bench.stop();
    bench.run(Span::secs(10));
    assert_eq!((bench.sent(Command::Stop).len(), bench.samples.len()), (1, 0));
}

#[test]
fn a_stop_waits_for_the_answer_to_the_start_for_a_second_and_no_longer() {
    let mut bench = Bench::new();
    bench.monitor.start = None;
    bench.start().unwrap();
    bench.run(STEP);
    bench.stop();
    bench.run(Span::secs(5));
    assert_eq!(bench.sent, [(at(0), Command::Start), (at(1), Command::Stop)]);
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
}

#[test]
fn an_answer_to_nothing_means_nothing() {
    let mut bench = Bench::new();
    bench.hear(&[answer(true), answer(false)].concat());
    assert_eq!((bench.samples.len(), bench.driver.stats().good_frames), (0, 2));
}

// What every driver keeps.

fn opened() -> Tm2655 {
    let mut driver = Tm2655::default();
    driver.opened(laws::NOW);
    driver
}

#[test]
fn keeps_the_laws_of_every_driver() {
    let with_check = rb_frame("2611220905", &GOOD);
    let stream = [CAPTURED, &answer(true), MOVED, &with_check, &answer(false), CAPTURED_TOO].concat().repeat(2);
    laws::splits_do_not_matter(opened, &stream);
    laws::never_panics(opened, &stream);
    // Whatever came before, the first frame is whole.
    laws::recovers(opened, &stream, &stream, Within { frame: CAPTURED.len(), values: CAPTURED.len() });
    assert_eq!(decoded(&mut opened(), &stream).len(), 1 + 8);
}

#[test]
fn says_what_it_is() {
    assert_eq!(PROTOCOL.lines, [LineSettings::n1(2_400), LineSettings::n1(9_600)]);
    assert_eq!((PROTOCOL.kind, PROTOCOL.probe_request), (Kind::Push, None));
    let terms = PROTOCOL.cuff.unwrap();
    assert_eq!((terms.starts, terms.rest), (true, Span::secs(30)));
    assert_eq!(AnyDriver::new("and-tm2655").expect("registered").protocol().name, "and-tm2655");
}

proptest! {
    #[test]
    fn leaves_no_start_without_a_result_whatever_the_monitor_says(
        turns in proptest::collection::vec((0..6_u8, 1..20_u64, any::<bool>(), any::<bool>()), 1..80),
    ) {
        let mut bench = Bench::new();
        (bench.monitor.start, bench.monitor.stop) = (None, None);
        let mut starts = 0;
        for (says, pause, start, stop) in turns {
            match says {
                0 => bench.hear(&answer(true)),
                1 => bench.hear(&answer(false)),
                2 => bench.hear(CAPTURED),
                3 => bench.hear(MOVED),
                4 => bench.driver.opened(bench.now),
                _ => {}
            }
            starts += usize::from(start && bench.start().is_ok());
            if stop {
                bench.stop();
            }
            bench.run(Span::secs(pause));
        }
        bench.run(Span::secs(200));
        let ours = bench.results().iter().filter(|result| result.origin == CuffOrigin::Schedule).count();
        prop_assert_eq!(ours, starts, "one each");
    }
}
