//! How a determination begins and ends.

use super::*;

const OURS: CuffOrigin = CuffOrigin::Schedule;

#[test]
fn that_we_start_is_followed_in_the_cuff_and_told_once_with_its_pulse() {
    let bench = Bench::measuring(Span::secs(300));
    let result = bench.result();
    assert_eq!((result.origin, result.pressure), (OURS, Ok(bp(128, 82, 99))));
    assert_eq!(result.pulse, Measured::Good(PulseRate::bpm(72).unwrap()));
    assert_eq!(result.measured_at, OPENING + Span::secs(31));
    assert_eq!(result.at, OPENING + Span::secs(32), "a board is left in peace for a second after its 999");
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    assert_eq!(bench.cuff().len(), 59, "every line of half a second");
    assert_eq!(bench.sent(HostRequest::Start), [OPENING + Span::secs(1)]);
    assert_eq!(bench.sent(HostRequest::Abort), []);
}

#[test]
fn is_not_disturbed_by_questions() {
    let bench = Bench::measuring(Span::secs(29));
    assert_eq!(bench.sent(HostRequest::Status), [OPENING]);
}

#[test]
fn that_fails_tells_the_boards_reason() {
    let mut bench = Bench::new();
    bench.monitor.outcome = Status { message: 6, reading: None, pulse: None, ..OLD };
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (OURS, CuffFailure::PumpTimeout));
}

#[test]
fn started_by_somebody_else_is_found_by_its_cuff_lines_and_told_once() {
    let mut bench = Bench::new();
    bench.run(Span::secs(12));
    bench.begin();
    bench.run(Span::secs(10));
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(600));
    let result = bench.result();
    assert_eq!((result.origin, result.pressure), (CuffOrigin::Bedside, Ok(bp(128, 82, 99))));
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
}

#[test]
fn started_by_somebody_else_is_not_stopped_however_long_it_takes() {
    let mut bench = Bench::new();
    bench.monitor.takes = Span::mins(4);
    bench.run(Span::secs(12));
    bench.begin();
    bench.run(Span::mins(5));
    assert_eq!((bench.result().origin, bench.sent(HostRequest::Abort)), (CuffOrigin::Bedside, vec![]));
}

#[test]
fn cannot_be_started_before_the_board_has_answered_or_while_one_is_under_way() {
    let mut bench = Bench::new();
    assert_eq!(NibpOem::default().request(Request::StartCuff, NOW), Err(Refusal::NotReady));
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
fn of_which_nothing_is_heard_for_8_s_did_not_happen() {
    let mut bench = Bench::new();
    bench.monitor.deaf_to.push(HostRequest::Start);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.result().at), ((OURS, CuffFailure::NoAnswer), OPENING + Span::secs(9)));
    assert_eq!(bench.sent(HostRequest::Start).len(), 1, "a start is never repeated by itself");
    assert_eq!(bench.sent(HostRequest::Abort), [OPENING + Span::secs(9)]);
}

#[test]
fn of_a_board_that_falls_silent_is_told_once_and_aborted() {
    let mut bench = Bench::measuring(Span::millis(10_100));
    bench.monitor.dumb = true;
    let heard = OPENING + Span::secs(11);
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.result().at), ((OURS, CuffFailure::NoAnswer), heard + QUIET));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 3);
    assert_eq!(bench.states().last(), Some(&CuffState::Idle));
    assert_eq!(bench.start(), Err(Refusal::NotReady));
}

#[test]
fn that_does_not_end_within_180_s_is_aborted_and_told_as_no_answer() {
    let mut bench = Bench::new();
    bench.monitor.takes = Span::mins(30);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(180));
    assert_eq!((bench.results(), bench.sent(HostRequest::Abort)), (vec![], vec![]));
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (OURS, CuffFailure::NoAnswer));
    // Counted from the first line, half a second after the start.
    assert_eq!(bench.result().at, OPENING + Span::millis(181_500));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 1);
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    bench.start().unwrap();
}

#[test]
fn that_was_given_up_is_not_taken_for_somebody_elses_while_it_is_being_stopped() {
    let mut bench = Bench::new();
    (bench.monitor.takes, bench.monitor.deaf_to) = (Span::mins(30), vec![HostRequest::Abort]);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(183));
    assert_eq!(bench.failure(), (OURS, CuffFailure::NoAnswer));
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
    // Three times in vain: it measures all the same, and that is to be seen.
    bench.run(Span::secs(10));
    assert_eq!((bench.sent(HostRequest::Abort).len(), bench.states().len()), (3, 4));
}

#[test]
fn started_by_somebody_else_that_falls_silent_is_told_and_not_stopped() {
    let mut bench = Bench::new();
    bench.run(Span::secs(12));
    bench.begin();
    bench.run(Span::secs(10));
    bench.monitor.dumb = true;
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (CuffOrigin::Bedside, CuffFailure::NoAnswer));
    assert_eq!(bench.sent(HostRequest::Abort), []);
}

#[test]
fn whose_999_is_lost_is_over_when_the_lines_end() {
    let mut bench = Bench::new();
    bench.monitor.no_end = true;
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (OURS, CuffFailure::NoAnswer));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 1, "and the status then says that it measures no more");
}

#[test]
fn that_we_stop_ends_once_as_cancelled() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.stop();
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (OURS, CuffFailure::Cancelled));
    assert_eq!(bench.sent(HostRequest::Abort), [OPENING + Span::secs(11)]);
    assert_eq!(bench.states(), [CuffState::Idle, CuffState::Inflating, CuffState::Idle]);
}

#[test]
fn that_is_stopped_without_a_word_is_cancelled_by_what_the_status_says() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.no_end = true;
    bench.stop();
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.result().at), ((OURS, CuffFailure::Cancelled), OPENING + Span::secs(12)));
    assert_eq!(bench.sent(HostRequest::Abort).len(), 1);
}

#[test]
fn that_goes_on_after_x_is_stopped_again_three_times_in_all() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.deaf_to.push(HostRequest::Abort);
    bench.stop();
    bench.run(Span::secs(10));
    assert_eq!((bench.failure(), bench.sent(HostRequest::Abort).len()), ((OURS, CuffFailure::NoAnswer), 3));
    // It is seen to measure on, as what it now is: not ours.
    bench.run(Span::secs(60));
    assert_eq!(bench.results().last().unwrap().origin, CuffOrigin::Bedside);
}

#[test]
fn whose_x_nobody_answers_is_told_as_no_answer_and_not_as_cancelled() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.monitor.dumb = true;
    bench.stop();
    bench.run(Span::secs(30));
    assert_eq!((bench.failure(), bench.sent(HostRequest::Abort).len()), ((OURS, CuffFailure::NoAnswer), 3));
}

#[test]
fn stopped_before_it_was_sent_is_never_sent() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.stop();
    bench.run(Span::secs(20));
    assert_eq!(bench.failure(), (OURS, CuffFailure::Cancelled));
    assert_eq!(bench.sent(HostRequest::Start), []);
}

#[test]
fn that_does_not_exist_can_be_stopped_without_a_result() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.stop();
    assert_eq!(bench.start(), Err(Refusal::Busy));
    bench.run(Span::secs(10));
    assert_eq!((bench.sent(HostRequest::Abort).len(), bench.results()), (1, vec![]));
    assert_eq!(bench.start(), Ok(()));
}

#[test]
fn goes_on_while_the_port_is_opened_anew() {
    let mut bench = Bench::measuring(Span::secs(10));
    // For longer than a board that measures is silent.
    bench.now = bench.now + QUIET + STEP;
    bench.driver.opened(bench.now);
    bench.monitor.beat = bench.now + BEAT;
    bench.run(Span::secs(60));
    assert_eq!((bench.result().origin, bench.result().pressure), (OURS, Ok(bp(128, 82, 99))));
}

#[test]
fn that_could_not_be_sent_in_time_is_not_sent_later() {
    let mut bench = Bench::new();
    // The question that is out keeps the start waiting, and then the port is gone.
    bench.monitor.deaf_to.push(HostRequest::Status);
    bench.hear(&status_line(&OLD));
    bench.converse();
    bench.start().unwrap();
    bench.now = bench.now + Span::mins(10);
    bench.driver.opened(bench.now);
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.sent(HostRequest::Start)), ((OURS, CuffFailure::NoAnswer), vec![]));
    assert_eq!(bench.sent(HostRequest::Abort), [], "nothing has begun that could be stopped");
}

#[test]
fn whose_result_nobody_asks_for_on_a_line_that_is_only_listened_to_does_not_hide_the_next() {
    let mut bench = Bench::new();
    let mut determination = |minute: u64, status: Option<Status>| {
        bench.now = OPENING + Span::mins(minute);
        bench.hear(&cuff_line(160));
        bench.now = bench.now + Span::secs(30);
        bench.hear(&finished_line());
        bench.now = bench.now + Span::secs(1);
        if let Some(status) = status {
            bench.hear(&status_line(&status));
        }
        bench.results()
    };
    assert_eq!(determination(1, None), []);
    let results = determination(20, Some(of(128, 82, 99, 72)));
    let told: Vec<_> = results.iter().map(|result| (result.pressure, result.measured_at)).collect();
    let (first, second) = (OPENING + Span::mins(20), OPENING + Span::mins(20) + Span::secs(30));
    assert_eq!(told, [(Err(CuffFailure::NoAnswer), first), (Ok(bp(128, 82, 99)), second)]);
}
