//! How a determination begins and ends.

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
    let inflating = Sample::CuffState { at: OPENING + Span::secs(3), state: CuffState::Inflating };
    assert!(bench.samples.contains(&inflating), "from the moment at which it took the start");
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
fn cancelled_before_it_was_sent_is_never_sent_though_the_cancel_be_refused() {
    let mut bench = Bench::new(None);
    bench.monitor.refuses.push(HostRequest::Cancel);
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
    assert_eq!(bench.result().at, bench.sent(HostRequest::Cancel)[2] + REPLY);
}

#[test]
fn cancelled_is_told_once_though_the_cuff_deflates_for_a_while() {
    let mut bench = Bench::new(None);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::millis(10_300));
    bench.stop();
    bench.run(STEP);
    bench.monitor.status = Status::Busy;
    bench.monitor.running = Some((bench.now + Span::secs(5), Err(3)));
    bench.run(Span::secs(3));
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(30));
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
}

#[test]
fn cancelled_is_over_once_the_monitor_is_idle() {
    let mut bench = Bench::new(None);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::millis(10_300));
    bench.stop();
    bench.run(STEP);
    bench.monitor.status = Status::Done;
    bench.run(Span::secs(10));
    bench.sent.clear();
    bench.run(Span::secs(20));
    assert_eq!(bench.sent.len(), 4, "every 5 s again");
    assert_eq!(bench.failures(), [(CuffOrigin::Schedule, CuffFailure::Cancelled)]);
}

#[test]
fn that_does_not_exist_can_be_stopped_without_a_result() {
    let mut bench = Bench::new(None);
    bench.run(Span::secs(1));
    bench.stop();
    bench.run(Span::secs(10));
    assert_eq!((bench.sent(HostRequest::Cancel).len(), bench.results()), (1, vec![]));
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
