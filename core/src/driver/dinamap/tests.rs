//! The driver against a monitor that behaves as the sheet says, on simulated time; then the vectors
//! of the sheet and the laws of every driver.

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

mod a_determination {
    use super::*;

    #[test]
    fn that_we_start_is_busy_then_done_and_told_once_with_its_pulse() {
        let mut bench = Bench::new(Some((OPENING - Span::secs(34), (190, 110, 140))));
        bench.run(Span::secs(3));
        bench.start().unwrap();
        bench.run(Span::secs(300));
        let result = bench.result();
        assert_eq!(result.origin, CuffOrigin::Schedule);
        assert_eq!(result.pressure, Ok(bp(128, 82, 99)));
        assert_eq!(result.pulse, Measured::Good(PulseRate::bpm(72).unwrap()));
        let ended = OPENING + Span::secs(33);
        assert!(result.measured_at >= ended && result.measured_at < ended + SAME, "{result:?}");
        assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
        assert_eq!(bench.sent(HostRequest::Start), [OPENING + Span::secs(3)]);
        assert_eq!(bench.sent(HostRequest::Cancel), []);
    }

    #[test]
    fn started_at_the_bedside_is_found_and_told_once() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(12));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(600));
        let result = bench.result();
        assert_eq!((result.origin, result.pressure), (CuffOrigin::Bedside, Ok(bp(128, 82, 99))));
        assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    }

    #[test]
    fn shorter_than_the_pause_between_two_questions_is_found_by_its_age() {
        let mut bench = Bench::new(None);
        bench.monitor.takes = Span::secs(3);
        bench.run(Span::millis(10_500));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(60));
        assert_eq!(bench.result().origin, CuffOrigin::Bedside);
        assert_eq!(bench.states(), [CuffState::Idle], "it was never seen busy");
    }

    #[test]
    fn follows_another_and_both_are_told() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(60));
        bench.monitor.outcome = Ok((131, 84, 101));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(60));
        let told: Vec<_> = bench.results().iter().map(|result| (result.origin, result.pressure)).collect();
        let expected = [(CuffOrigin::Schedule, Ok(bp(128, 82, 99))), (CuffOrigin::Bedside, Ok(bp(131, 84, 101)))];
        assert_eq!(told, expected);
    }

    #[test]
    fn whose_age_counts_from_its_beginning_is_told_once_all_the_same() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(12));
        let began = bench.now;
        bench.monitor.begin(began);
        bench.run(Span::secs(30));
        bench.monitor.running = None;
        (bench.monitor.status, bench.monitor.last) = (Status::Done, Some((began, (128, 82, 99))));
        bench.run(Span::secs(120));
        assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    }

    #[test]
    fn that_fails_tells_the_monitors_reason() {
        let reasons = [
            (3, CuffFailure::Failed),
            (4, CuffFailure::PumpTimeout),
            (5, CuffFailure::Unknown(5)),
            (6, CuffFailure::TotalTimeout),
            (7, CuffFailure::PressureTimeout),
            (8, CuffFailure::Overpressure),
            (9, CuffFailure::Unknown(9)),
        ];
        for (code, reason) in reasons {
            let mut bench = Bench::new(None);
            bench.monitor.outcome = Err(code);
            bench.run(Span::secs(1));
            bench.start().unwrap();
            bench.run(Span::secs(60));
            bench.monitor.begin(bench.now);
            bench.run(Span::secs(60));
            assert_eq!(bench.failures(), [(CuffOrigin::Schedule, reason), (CuffOrigin::Bedside, reason)]);
        }
    }

    #[test]
    fn too_short_to_be_seen_busy_tells_its_failure_by_the_change_of_status() {
        let mut bench = Bench::new(None);
        (bench.monitor.outcome, bench.monitor.takes) = (Err(8), Span::millis(500));
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(5));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Overpressure)]);
        // The second time the status is the same as before: only time tells.
        bench.start().unwrap();
        bench.run(Span::secs(9));
        assert_eq!(bench.results().len(), 1);
        bench.run(Span::secs(3));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Overpressure); 2]);
    }

    #[test]
    fn after_a_failed_one_is_not_judged_by_the_status_of_the_failed_one() {
        let mut bench = Bench::new(None);
        bench.monitor.status = Status::Failed(3);
        bench.run(Span::secs(6));
        assert_eq!(bench.results(), [], "the failure is older than the opening of the port");
        bench.start().unwrap();
        bench.converse();
        // The monitor takes the start at once and its pump three seconds.
        let under_way = bench.monitor.running.take();
        bench.monitor.status = Status::Failed(3);
        bench.run(Span::secs(3));
        (bench.monitor.status, bench.monitor.running) = (Status::Busy, under_way);
        bench.run(Span::secs(60));
        assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    }

    #[test]
    fn that_does_not_end_within_180_s_is_cancelled_and_told_as_no_answer() {
        let mut bench = Bench::new(None);
        bench.monitor.takes = Span::mins(30);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(179));
        assert_eq!((bench.results(), bench.sent(HostRequest::Cancel)), (vec![], vec![]));
        bench.run(Span::secs(60));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
        assert_eq!(bench.sent(HostRequest::Cancel), [OPENING + Span::secs(181)]);
        assert_eq!(bench.states().last(), Some(&CuffState::Idle));
        bench.start().unwrap();
    }

    #[test]
    fn of_which_nothing_is_seen_within_10_s_of_an_unanswered_start_did_not_happen() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.monitor.deaf_and_dumb = true;
        bench.start().unwrap();
        bench.run(Span::secs(30));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
        assert_eq!(bench.sent(HostRequest::Start).len(), 1, "a start is never repeated by itself");
        assert_eq!(bench.sent(HostRequest::Cancel).len(), 3);
    }

    #[test]
    fn whose_start_was_taken_but_the_answer_lost_is_ours() {
        let mut bench = Bench::new(None);
        bench.monitor.mute.push(HostRequest::Start);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(60));
        let result = bench.result();
        assert_eq!((result.origin, result.pressure), (CuffOrigin::Schedule, Ok(bp(128, 82, 99))));
    }

    #[test]
    fn that_is_refused_is_told_as_refused_and_as_failed() {
        let mut bench = Bench::new(None);
        bench.monitor.refuses.push(HostRequest::Start);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(20));
        assert_eq!(bench.refusals(), 1);
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Failed)]);
        assert_eq!(bench.states(), [CuffState::Idle]);
        assert_eq!(bench.start(), Ok(()));
    }

    #[test]
    fn that_we_cancel_ends_once_as_cancelled() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(10));
        bench.stop();
        bench.run(Span::secs(60));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
        assert_eq!(bench.sent(HostRequest::Cancel), [OPENING + Span::secs(11)]);
        assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    }

    #[test]
    fn cancelled_before_it_was_sent_is_never_sent() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.stop();
        bench.run(Span::secs(20));
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
        assert_eq!(bench.sent(HostRequest::Start), []);
    }

    #[test]
    fn whose_cancel_is_not_answered_is_cancelled_three_times_and_told_as_no_answer() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(10));
        bench.monitor.deaf_and_dumb = true;
        bench.stop();
        bench.run(Span::secs(20));
        assert_eq!(bench.sent(HostRequest::Cancel).len(), 3);
        assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::NoAnswer)]);
    }

    #[test]
    fn whose_cancel_is_refused_goes_on() {
        let mut bench = Bench::new(None);
        bench.monitor.refuses.push(HostRequest::Cancel);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(10));
        bench.stop();
        bench.run(Span::secs(60));
        assert_eq!(bench.refusals(), 1);
        assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    }

    #[test]
    fn stopped_at_the_bedside_ends_as_cancelled() {
        let mut bench = Bench::new(Some((OPENING - Span::secs(34), (120, 80, 93))));
        bench.run(Span::secs(6));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(10));
        (bench.monitor.running, bench.monitor.status) = (None, Status::Done);
        bench.run(Span::secs(60));
        assert_eq!(bench.failures(), [(CuffOrigin::Bedside, CuffFailure::Cancelled)]);
    }

    #[test]
    fn cannot_be_started_before_the_monitor_has_answered_or_while_one_is_under_way() {
        let mut bench = Bench::new(None);
        assert_eq!(Dinamap::default().request(Request::StartCuff, NOW), Err(Refusal::NotReady));
        assert_eq!(bench.start(), Err(Refusal::NotReady));
        bench.run(Span::secs(1));
        bench.start().unwrap();
        assert_eq!(bench.start(), Err(Refusal::Busy));
        bench.run(Span::secs(10));
        assert_eq!(bench.start(), Err(Refusal::Busy));
        bench.run(Span::secs(60));
        bench.monitor.begin(bench.now);
        bench.run(Span::secs(6));
        assert_eq!(bench.start(), Err(Refusal::Busy), "a nurse's counts too");
        bench.monitor.deaf_and_dumb = true;
        bench.run(Span::secs(6));
        bench.reopen();
        assert_eq!(bench.start(), Err(Refusal::NotReady));
    }
}

mod a_reading {
    use super::*;

    fn told_after_a_start(outcome: Reading) -> CuffResult {
        let mut bench = Bench::new(None);
        bench.monitor.outcome = Ok(outcome);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(60));
        bench.result()
    }

    #[test]
    fn from_before_the_port_was_first_opened_is_never_told_however_young() {
        for age in [0, 1, 34, 5_399] {
            let mut bench = Bench::new(Some((OPENING - Span::secs(age), (190, 110, 140))));
            bench.run(Span::secs(60));
            bench.reopen();
            bench.run(Span::secs(6_000));
            assert_eq!(bench.results(), [], "{age} s old at the opening");
        }
    }

    #[test]
    fn made_while_the_port_was_closed_is_told_after_it_is_open_again() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(20));
        let measured = bench.now + Span::secs(100);
        bench.now = bench.now + Span::secs(300);
        (bench.monitor.status, bench.monitor.last) = (Status::Done, Some((measured, (128, 82, 99))));
        bench.reopen();
        bench.run(Span::secs(60));
        let result = bench.result();
        assert_eq!((result.origin, result.pressure), (CuffOrigin::Bedside, Ok(bp(128, 82, 99))));
        assert!(result.measured_at >= measured && result.measured_at < measured + SAME);
        bench.reopen();
        bench.run(Span::secs(60));
        assert_eq!(bench.results().len(), 1, "and only once");
    }

    #[test]
    fn stays_the_same_when_the_two_clocks_drift_apart() {
        // The monitor's second is 1.001 of ours: 5 s in its 5,400.
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        for s in 0..5_390 {
            bench.now = OPENING + Span::millis(10_000 + s * 1_001);
            let age = Some(Span::secs(s));
            bench.hear(&na_reply(&NibpReply { status: Status::Done, age, systolic: 128, diastolic: 82, mean: 99 }));
            bench.converse();
        }
        bench.run(Span::secs(2));
        assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    }

    #[test]
    fn whose_age_stands_still_at_its_limit_never_becomes_new() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(6_000));
        for _ in 0..100 {
            bench.now = bench.now + Span::secs(5);
            // 5,400 s ago, as before, and before.
            bench.hear(&reply_line(b" NA1105400128082099"));
        }
        assert_eq!(bench.results(), []);
    }

    #[test]
    fn of_a_busy_monitor_is_never_told() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(30));
        bench.hear(&reply_line(b" NA0100003128082099"));
        bench.run(Span::millis(900));
        assert_eq!(bench.results(), []);
    }

    #[test]
    fn without_a_pulse_in_time_is_told_a_second_later_without_it() {
        let mut bench = Bench::new(None);
        bench.monitor.mute.push(HostRequest::ReadPulse);
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(60));
        let result = bench.result();
        assert_eq!(result.pulse, Measured::Absent(Absent::NotMeasured));
        assert_eq!(result.at, bench.sent(HostRequest::ReadPulse)[0] + REPLY);
        assert_eq!(bench.sent(HostRequest::ReadPulse).len(), 1);
    }

    #[test]
    fn takes_no_pulse_that_the_oximeter_counted_nor_one_that_is_none() {
        for pulse in [" RC2072", " RC3000", " RC3-99"] {
            let mut bench = Bench::new(None);
            bench.monitor.pulse = reply_line(pulse.as_bytes());
            bench.run(Span::secs(1));
            bench.start().unwrap();
            bench.run(Span::secs(60));
            assert_eq!(bench.result().pulse, Measured::Absent(Absent::NotMeasured), "{pulse}");
        }
    }

    #[test]
    fn without_a_mean_or_of_the_mean_alone_is_a_reading() {
        assert_eq!(told_after_a_start((128, 82, 0)).pressure, Ok(BloodPressure::full(128, 82, None).unwrap()));
        assert_eq!(told_after_a_start((0, 0, 99)).pressure, Ok(BloodPressure::mean_only(99).unwrap()));
    }

    #[test]
    fn out_of_range_or_out_of_order_is_a_failure_not_a_number() {
        for reading in [(300, 82, 99), (128, 130, 129), (128, 82, 140), (128, 0, 99), (0, 0, 0)] {
            assert_eq!(told_after_a_start(reading).pressure, Err(CuffFailure::OutOfRange), "{reading:?}");
        }
    }

    #[test]
    fn with_a_bad_checksum_is_counted_rejected_and_asked_for_again() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(30));
        bench.monitor.deaf_and_dumb = true;
        bench.run(Span::millis(200));
        assert_eq!(bench.sent.last(), Some(&(OPENING + Span::secs(30), HostRequest::ReadPressure)));
        bench.hear(b" NA1100003128082098&2\r");
        bench.monitor.deaf_and_dumb = false;
        bench.run(Span::secs(2));
        assert_eq!((bench.driver.stats().checksum, bench.results()), (1, vec![]));
        assert_eq!(bench.sent.last(), Some(&(OPENING + Span::secs(31), HostRequest::ReadPressure)));
    }

    #[test]
    fn heard_while_only_listening_is_told_without_asking_for_its_pulse() {
        let mut driver = Dinamap::default();
        driver.opened(OPENING);
        let mut results = 0;
        for s in [40, 41, 42] {
            let line = na_reply(&NibpReply {
                status: Status::Done,
                age: Some(Span::secs(s - 20)),
                systolic: 128,
                diastolic: 82,
                mean: 99,
            });
            driver.decode(&line, OPENING + Span::secs(s), &mut |sample| {
                results += usize::from(matches!(sample, Sample::CuffResult(_)));
            });
        }
        assert_eq!(results, 1);
    }
}

mod the_line {
    use super::*;

    #[test]
    fn is_asked_every_5_s_and_every_second_while_a_determination_runs() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(20));
        let at = |s| OPENING + Span::secs(s);
        assert_eq!(bench.sent(HostRequest::ReadPressure), [0, 5, 10, 15].map(at));
        bench.start().unwrap();
        bench.sent.clear();
        bench.run(Span::secs(5));
        assert_eq!(bench.sent(HostRequest::ReadPressure), [21, 22, 23, 24].map(at));
    }

    #[test]
    fn of_a_silent_monitor_is_asked_on_with_one_request_out_at_a_time() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(1));
        bench.monitor.deaf_and_dumb = true;
        bench.run(Span::secs(30));
        assert_eq!(bench.sent(HostRequest::ReadPressure).len(), 7);
        assert_eq!(bench.start(), Err(Refusal::NotReady));
        assert_eq!(bench.results(), []);
        // A start cannot overtake a question that is out.
        bench.monitor.deaf_and_dumb = false;
        bench.run(Span::secs(5));
        bench.monitor.mute.push(HostRequest::ReadPressure);
        bench.run(Span::millis(4_100));
        let asked = bench.sent.last().unwrap().0;
        bench.start().unwrap();
        bench.run(Span::secs(2));
        assert_eq!(bench.sent(HostRequest::Start), [asked + REPLY]);
    }

    #[test]
    fn with_garbage_between_and_line_feeds_gives_the_same_replies() {
        let mut bench = Bench::new(None);
        bench.run(Span::secs(30));
        bench.hear(b"\xff\x00 NA11\x80garbage without an end, longer than any line there is\r\n\r\n");
        bench.hear(&[b"\n", reply_line(b" NA1100003128082099").as_slice(), b"\n"].concat());
        assert_eq!(bench.driver.stats().length, 1);
        bench.run(Span::secs(2));
        assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    }

    #[test]
    fn makes_requests_as_on_the_wire() {
        assert_eq!(&*HostRequest::Start.line(), b"\r\x20\x4e\x43\x30\x21\x45\r");
        assert_eq!(&*HostRequest::Cancel.line(), b"\r ND!5\r");
        assert_eq!(&*HostRequest::ReadPulse.line(), b"\r RC!8\r");
        assert_eq!(PROTOCOL.probe_request, Some(&*HostRequest::ReadPressure.line()));
        for request in HostRequest::ALL {
            let line = request.line();
            let text = line.strip_prefix(b"\r").unwrap().strip_suffix(b"\r").unwrap();
            let (body, sum) = text.split_last_chunk::<2>().unwrap();
            assert_eq!((parse_request(text), checksum(body)), (Some(request), *sum));
        }
        assert_eq!(parse_request(b" NA!3"), None);
        // The other constants of the sheet.
        for text in [b" NF!7", b" RA!6", b" TC!:", b" TD!;"] {
            assert_eq!(checksum(&text[..3]), text[3..]);
        }
    }

    fn understood(line: &[u8]) -> Result<Reply, Reject> {
        parse_reply(line)
    }

    fn nibp(status: Status, age: Option<u64>, (systolic, diastolic, mean): Reading) -> NibpReply {
        NibpReply { status, age: age.map(Span::secs), systolic, diastolic, mean }
    }

    #[test]
    fn reads_the_vectors_of_the_sheet() {
        let done = nibp(Status::Done, Some(34), (128, 82, 99));
        assert_eq!(understood(b" NA1100034128082099&2"), Ok(Reply::Pressure(done)));
        assert_eq!(na_reply(&done), b" NA1100034128082099&2\r");
        let busy = nibp(Status::Busy, Some(0), (0, 0, 0));
        assert_eq!(understood(b" NA0100000000000000%C"), Ok(Reply::Pressure(busy)));
        let failed = nibp(Status::Failed(3), None, (0, 0, 0));
        assert_eq!(understood(b" NA3109999000000000&*"), Ok(Reply::Pressure(failed)));
        assert_eq!(na_reply(&failed), b" NA3109999000000000&*\r");
        assert_eq!(understood(b" RC3072\"H"), Ok(Reply::Pulse(Some(72))));
        assert_eq!(rc_reply(Some(72)), b" RC3072\"H\r");
        assert_eq!(oa_reply(Some(98)), b" OA1098512#D\r");
        // Not asked for, therefore unknown, and with a checksum that fits.
        assert_eq!(understood(b" RA2068\"J"), Err(Reject::UnknownType));
        assert_eq!(understood(b" OA1098512#D"), Err(Reject::UnknownType));
    }

    #[test]
    fn checksum_fits_the_captured_reply() {
        // Captured, V100: done, adult, 1762 s ago, 127/73, mean 78.
        assert_eq!(checksum(b" NF1101762127073078"), *b"&<");
    }

    #[test]
    fn rejects_by_reason() {
        assert_eq!(understood(b" "), Err(Reject::Length));
        assert_eq!(understood(b" NA1100034128082099&3"), Err(Reject::Checksum));
        let with_sum = |body: &[u8]| understood(reply_line(body).strip_suffix(b"\r").unwrap());
        assert_eq!(with_sum(b" NA110003412808209"), Err(Reject::Length));
        assert_eq!(with_sum(b" NA11000341280820999"), Err(Reject::Length));
        assert_eq!(with_sum(b" NA1100034128x82099"), Err(Reject::Content));
        assert_eq!(with_sum(b" NA?100034128082099"), Err(Reject::Content));
        assert_eq!(with_sum(b" RC30x2"), Err(Reject::Content));
        assert_eq!(with_sum(b" QQ"), Err(Reject::UnknownType));
        assert_eq!(with_sum(b"?NA1100034128082099"), Err(Reject::UnknownType));
        assert_eq!(understood(b" NC"), Ok(Reply::Started));
        assert_eq!(understood(b" ND anything"), Ok(Reply::Cancelled));
    }

    #[test]
    fn ends_at_a_carriage_return_only() {
        let mut lines = Lines::default();
        let ended: Vec<usize> = b"\r\r\nab\n\rc\r".iter().filter_map(|byte| lines.push(*byte)).map(|l| l.len).collect();
        assert_eq!(ended, [2, 1]);
    }

    /// A driver that has asked.
    fn asking() -> Dinamap {
        let mut driver = Dinamap::default();
        driver.opened(NOW);
        driver.poll(NOW, &mut |_| ());
        driver
    }

    #[test]
    fn keeps_the_laws_of_every_driver() {
        let reply = |status| na_reply(&nibp(status, None, (0, 0, 0)));
        let stream = [reply(Status::Busy), reply(Status::Failed(4)), rc_reply(Some(72))].concat().repeat(4);
        laws::splits_do_not_matter(asking, &stream);
        laws::never_panics(asking, &stream);
        laws::recovers(asking, &stream, &stream, Within { frame: 44, values: 54 });
        assert!(decoded(&mut asking(), &stream).len() > 4);
        // One reply is enough to know the protocol, an unchecked one is not.
        let mut driver = asking();
        decoded(&mut driver, b" NC\r");
        assert!(!driver.lock().locked);
        decoded(&mut driver, &reply(Status::Busy));
        assert!(driver.lock().locked);
    }

    #[test]
    fn is_found_by_name() {
        assert_eq!(AnyDriver::new("dinamap").expect("registered").protocol().name, "dinamap");
    }

    proptest! {
        #[test]
        fn gives_back_what_was_put_on_it(
            code in 0..=9_u8, age in proptest::option::of(0..5_400_u64), reading in (0..1_000_u16, 0..1_000_u16, 0..1_000_u16),
        ) {
            let status = match code {
                0 => Status::Busy,
                1 => Status::Done,
                2 => Status::Unused,
                code => Status::Failed(code),
            };
            let reply = nibp(status, age, reading);
            let line = na_reply(&reply);
            prop_assert_eq!(parse_reply(line.strip_suffix(b"\r").unwrap()), Ok(Reply::Pressure(reply)));
            let bpm = (reading.0 != 0).then_some(reading.0);
            let line = rc_reply(bpm);
            prop_assert_eq!(parse_reply(line.strip_suffix(b"\r").unwrap()), Ok(Reply::Pulse(bpm)));
        }

        #[test]
        fn leaves_no_start_without_a_result_whatever_the_monitor_says(
            lines in proptest::collection::vec((0..=9_u8, 0..400_u64, 1..20_u64, any::<bool>()), 1..80),
        ) {
            let mut bench = Bench::new(None);
            let mut starts = 0;
            for (code, age, pause, start) in lines {
                let text = std::format!(" NA{code}10{age:04}128082099");
                bench.monitor.deaf_and_dumb = true;
                bench.hear(&reply_line(text.as_bytes()));
                starts += usize::from(start && bench.start().is_ok());
                bench.run(Span::secs(pause));
            }
            bench.run(Span::secs(200));
            let ours = bench.results().iter().filter(|result| result.origin == CuffOrigin::Schedule).count();
            prop_assert!(ours >= starts, "{ours} results for {starts} starts");
        }
    }
}
