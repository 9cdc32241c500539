//! How a determination begins and ends.

use super::*;

#[test]
fn that_we_start_is_followed_in_the_cuff_and_told_once_with_its_pulse() {
    let bench = Bench::measuring(Span::secs(300));
    let result = bench.result();
    assert_eq!(result.pressure, Ok(bp(128, 82, 99)));
    assert_eq!(result.pulse, Measured::Good(PulseRate::bpm(72).unwrap()));
    assert_eq!(result.measured_at, OPENING + Span::secs(31));
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    assert_eq!(bench.cuff().len(), 30, "once a second");
    assert!(bench.cuff().is_sorted_by(|a, b| a >= b), "and nothing of a cuff at rest: {:?}", bench.cuff());
    assert_eq!(bench.sent(HostRequest::Start), [OPENING + Span::secs(1)]);
    assert_eq!((bench.sent(HostRequest::Result).len(), bench.sent(HostRequest::Abort).len()), (1, 0));
    let inflating = Sample::CuffState { at: OPENING + Span::secs(1), state: CuffState::Inflating };
    assert!(bench.samples.contains(&inflating), "from the moment at which it took the start");
}

#[test]
fn that_fails_tells_the_modules_reason() {
    let mut bench = Bench::new();
    bench.monitor.outcome = Determination { error: 0x57, ..Determination::default() };
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), CuffFailure::PumpTimeout);
    assert_eq!(bench.result().pulse, Measured::Absent(Absent::NotMeasured));
}

#[test]
fn cannot_be_started_before_the_module_has_answered_or_while_one_is_under_way() {
    let mut bench = Bench::new();
    assert_eq!(Suntech::default().request(Request::StartCuff, NOW), Err(Refusal::NotReady));
    assert_eq!(bench.start(), Err(Refusal::NotReady));
    bench.run(Span::secs(1));
    bench.start().unwrap();
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(10));
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(60));
    bench.driver.opened(bench.now);
    assert_eq!(bench.start(), Err(Refusal::NotReady));
    bench.run(STEP);
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn waits_until_the_cuff_is_empty_and_the_one_before_is_5_s_past() {
    let mut bench = Bench::measuring(Span::secs(32));
    bench.monitor.residue = Some(15);
    let ended = bench.result().at;
    bench.start().unwrap();
    bench.run(Span::secs(10));
    assert_eq!(bench.sent(HostRequest::Start).len(), 1, "15 mmHg are too much");
    bench.monitor.residue = Some(14);
    bench.run(Span::secs(60));
    assert_eq!(bench.sent(HostRequest::Start).len(), 2);
    assert_eq!(bench.results().len(), 2);
    // Empty at once: the rest alone decides.
    let mut bench = Bench::measuring(Span::secs(31));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.sent(HostRequest::Start)[1], ended + Span::secs(5));
}

#[test]
fn into_a_cuff_that_holds_its_air_or_whose_pressure_is_not_known_is_not_started_and_told() {
    for residue in [Some(60), None] {
        let mut bench = Bench::new();
        bench.monitor.residue = residue;
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(60));
        assert_eq!(bench.failure(), CuffFailure::Blocked);
        assert_eq!(bench.result().at, OPENING + Span::secs(31));
        assert_eq!(bench.sent(HostRequest::Start), []);
    }
}

#[test]
fn of_a_busy_module_is_started_later() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.monitor.says_instead.push((HostRequest::Start, Letter::Busy));
    bench.start().unwrap();
    bench.run(Span::secs(5));
    let starts = bench.sent(HostRequest::Start);
    assert!(starts.windows(2).all(|pair| pair[1].since(pair[0]) >= BUSY_AGAIN) && starts.len() >= 4, "{starts:?}");
    bench.monitor.says_instead.clear();
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn of_a_module_that_stays_busy_is_given_up_after_30_s() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.monitor.says_instead.push((HostRequest::Start, Letter::Busy));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.result().at), (CuffFailure::Failed, OPENING + Span::secs(31)));
    assert_eq!(bench.states(), [CuffState::Idle]);
}

#[test]
fn that_is_refused_is_told_as_refused_and_as_failed() {
    for letter in [Letter::Error, Letter::Undefined, Letter::Unrecognised, Letter::Asleep, Letter::TimedOut] {
        let mut bench = Bench::new();
        bench.monitor.says_instead.push((HostRequest::Start, letter));
        bench.run(Span::secs(1));
        bench.start().unwrap();
        bench.run(Span::secs(20));
        assert_eq!((bench.refusals(), bench.failure()), (1, CuffFailure::Failed));
        assert_eq!(bench.states(), [CuffState::Idle]);
        assert_eq!(bench.start(), Ok(()));
    }
}

#[test]
fn whose_start_is_not_answered_for_2_s_is_aborted_and_told_as_no_answer() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.monitor.mute.push(HostRequest::Start);
    bench.start().unwrap();
    bench.run(Span::secs(200));
    assert_eq!((bench.failure(), bench.result().at), (CuffFailure::NoAnswer, OPENING + Span::secs(3)));
    assert_eq!(bench.sent(HostRequest::Start).len(), 1, "a start is never repeated by itself");
    assert_eq!(bench.sent(HostRequest::Abort), [OPENING + Span::secs(3)], "it may have been taken");
}

#[test]
fn of_a_module_that_falls_silent_is_told_once_after_2_s_and_aborted() {
    let mut bench = Bench::measuring(Span::millis(10_500));
    bench.monitor.deaf_and_dumb = true;
    let last = *bench.sent(HostRequest::CuffPressure).last().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), CuffFailure::NoAnswer);
    // The next question is due after a second.
    assert_eq!(bench.result().at, last + Span::secs(1) + Span::secs(2));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 3);
    assert_eq!(bench.states().last(), Some(&CuffState::Idle));
    assert_eq!(bench.start(), Err(Refusal::NotReady));
}

#[test]
fn survives_one_answer_that_is_lost_or_garbled() {
    let mut bench = Bench::measuring(Span::millis(10_500));
    bench.monitor.mute.push(HostRequest::CuffPressure);
    bench.run(Span::secs(1));
    bench.monitor.mute.clear();
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn that_does_not_end_within_180_s_is_aborted_and_told_as_no_answer() {
    let mut bench = Bench::new();
    bench.monitor.takes = Span::mins(30);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    // It holds its pressure: an empty cuff would be noticed sooner.
    for _ in 0..179 {
        bench.monitor.running = Some(bench.now);
        bench.run(Span::secs(1));
    }
    assert_eq!((bench.results(), bench.sent(HostRequest::Abort)), (vec![], vec![]));
    bench.monitor.running = Some(bench.now);
    bench.run(Span::secs(20));
    assert_eq!((bench.failure(), bench.result().at), (CuffFailure::NoAnswer, OPENING + Span::secs(181)));
    assert_eq!(bench.sent(HostRequest::Abort), [OPENING + Span::secs(181)]);
    bench.start().unwrap();
}

#[test]
fn in_which_the_cuff_stays_empty_is_over_after_10_s_though_no_k_comes() {
    let mut bench = Bench::measuring(Span::secs(20));
    // The K is lost.
    (bench.monitor.running, bench.monitor.last) = (None, bench.monitor.outcome);
    bench.run(Span::secs(12));
    assert_eq!(bench.failure(), CuffFailure::NoAnswer);
    assert_eq!(bench.sent(HostRequest::Abort).len(), 1);
    assert_eq!(bench.sent(HostRequest::Result).len(), 0);
}

#[test]
fn that_we_stop_ends_once_as_cancelled() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.stop();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), CuffFailure::Cancelled);
    assert_eq!(bench.sent(HostRequest::Abort), [OPENING + Span::secs(11)]);
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    assert_eq!(bench.sent(HostRequest::Result), [], "the K of the abort is not that of a determination");
}

#[test]
fn stopped_before_it_was_sent_is_never_sent() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.stop();
    bench.run(Span::secs(20));
    assert_eq!(bench.failure(), CuffFailure::Cancelled);
    assert_eq!(bench.sent(HostRequest::Start), []);
}

#[test]
fn whose_abort_meets_a_busy_module_is_aborted_again() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.says_instead.push((HostRequest::Abort, Letter::Busy));
    bench.stop();
    bench.run(Span::millis(1_500));
    bench.monitor.says_instead.clear();
    bench.run(Span::secs(10));
    assert_eq!(bench.failure(), CuffFailure::Cancelled);
    assert_eq!(bench.sent(HostRequest::Abort).len(), 3);
}

#[test]
fn whose_abort_is_not_answered_is_aborted_three_times_and_told_as_no_answer() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.deaf_and_dumb = true;
    bench.stop();
    bench.run(Span::secs(20));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 3);
    assert_eq!(bench.failure(), CuffFailure::NoAnswer);
}

#[test]
fn whose_abort_is_refused_goes_on() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.says_instead.push((HostRequest::Abort, Letter::Unrecognised));
    bench.stop();
    bench.run(Span::secs(60));
    assert_eq!((bench.refusals(), bench.result().pressure), (1, Ok(bp(128, 82, 99))));
}

#[test]
fn that_the_module_aborts_by_itself_is_cancelled() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.running = None;
    bench.hear(&acknowledge(Letter::Aborted));
    bench.hear(&acknowledge(Letter::Executed));
    bench.run(Span::secs(20));
    assert_eq!(bench.failure(), CuffFailure::Cancelled);
}

#[test]
fn that_does_not_exist_can_be_stopped_without_a_result() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.stop();
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 1);
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
    assert_eq!(bench.sent(HostRequest::Start)[0].since(bench.sent(HostRequest::Abort)[0]), REST);
}

#[test]
fn goes_on_while_the_port_is_opened_anew() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.driver.opened(bench.now);
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn survives_two_bytes_of_noise_that_look_like_the_beginning_of_a_long_reply() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(10));
    bench.hear(&[0x3e, 0x43]);
    bench.run(Span::secs(60));
    assert_eq!(bench.results().len(), 1);
    assert!(bench.results()[0].pressure.is_ok(), "{:?}", bench.results());
}
