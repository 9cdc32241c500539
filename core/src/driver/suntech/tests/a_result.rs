//! Which result is new, and what it says.

use super::*;

fn told(outcome: Determination) -> CuffResult {
    let mut bench = Bench::new();
    bench.monitor.outcome = outcome;
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    bench.result()
}

#[test]
fn of_before_is_never_asked_for_and_never_told() {
    let mut bench = Bench::new();
    bench.run(Span::secs(600));
    bench.hear(&result(&OLD));
    bench.hear(&acknowledge(Letter::Executed));
    bench.hear(&result(&OLD));
    bench.driver.opened(bench.now);
    bench.run(Span::secs(60));
    assert_eq!((bench.results(), bench.sent(HostRequest::Result)), (vec![], vec![]));
}

#[test]
fn that_comes_while_a_determination_runs_is_not_its_own() {
    let mut bench = Bench::measuring(Span::secs(10));
    bench.hear(&result(&OLD));
    assert_eq!(bench.results(), []);
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn that_comes_before_it_is_asked_for_is_not_looked_at() {
    let mut bench = Bench::measuring(Span::secs(10));
    (bench.monitor.running, bench.monitor.last) = (None, bench.monitor.outcome);
    bench.hear(&acknowledge(Letter::Executed));
    bench.hear(&result(&OLD));
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn of_which_the_cuff_never_had_the_pressure_is_the_one_before_again() {
    let mut bench = Bench::measuring(Span::ZERO);
    bench.converse();
    // It took the start and pumps no further than 98 mmHg: the mean of what it gives is 99.
    (bench.monitor.running, bench.monitor.residue) = (None, Some(98));
    bench.monitor.last = bench.monitor.outcome;
    bench.run(Span::secs(5));
    bench.hear(&acknowledge(Letter::Executed));
    bench.run(Span::secs(60));
    assert_eq!((bench.failure(), bench.result().pulse), (CuffFailure::Repeated, Measured::Absent(Absent::NotMeasured)));
}

#[test]
fn is_not_asked_for_because_the_start_itself_is_answered_with_k() {
    let mut bench = Bench::new();
    bench.monitor.mute.push(HostRequest::Start);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(STEP);
    bench.hear(&acknowledge(Letter::Executed));
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn whose_reply_is_lost_is_asked_for_again_and_told_once() {
    let mut bench = Bench::measuring(Span::secs(29));
    bench.monitor.mute.push(HostRequest::Result);
    bench.run(Span::millis(2_300));
    bench.monitor.mute.clear();
    bench.run(Span::secs(60));
    assert_eq!(bench.sent(HostRequest::Result).len(), 3);
    let told = bench.result();
    assert_eq!((told.pressure, told.measured_at), (Ok(bp(128, 82, 99)), OPENING + Span::secs(31)));
}

#[test]
fn that_does_not_come_at_all_is_no_answer_once() {
    let mut bench = Bench::new();
    bench.monitor.mute.push(HostRequest::Result);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(120));
    assert_eq!((bench.failure(), bench.sent(HostRequest::Result).len()), (CuffFailure::NoAnswer, 3));
    bench.hear(&result(&bench.monitor.last.clone()));
    bench.result();
}

#[test]
fn out_of_range_or_out_of_order_is_a_failure_not_a_number() {
    let none = Determination::default();
    for outcome in [of(300, 82, 99, 72), of(128, 130, 129, 72), of(128, 82, 140, 72), of(0, 0, 99, 72), none] {
        let result = told(outcome);
        assert_eq!(result.pressure, Err(CuffFailure::OutOfRange), "{outcome:?}");
        assert_eq!(result.pulse, Measured::Absent(Absent::NotMeasured));
    }
}

#[test]
fn without_a_mean_or_a_pulse_is_a_result() {
    assert_eq!(told(of(128, 82, 0, 72)).pressure, Ok(BloodPressure::full(128, 82, None).unwrap()));
    let result = told(of(128, 82, 99, 0));
    assert_eq!((result.pressure, result.pulse), (Ok(bp(128, 82, 99)), Measured::Absent(Absent::NotMeasured)));
    assert_eq!(told(of(128, 82, 99, 19)).pulse, Measured::Absent(Absent::OutOfRange));
}

#[test]
fn with_an_error_has_no_pressure_whatever_its_numbers_say() {
    let result = told(Determination { error: 0x02, ..of(128, 82, 99, 72) });
    assert_eq!((result.pressure, result.pulse), (Err(CuffFailure::Motion), Measured::Absent(Absent::NotMeasured)));
}

#[test]
fn names_the_same_error_by_either_form_of_its_code() {
    let codes = [
        (0x55, CuffFailure::Blocked),
        (0x57, CuffFailure::PumpTimeout),
        (0x58, CuffFailure::TotalTimeout),
        (0x59, CuffFailure::Overpressure),
        (0x5a, CuffFailure::DeviceFault),
        (0x5b, CuffFailure::DeviceFault),
        (0x61, CuffFailure::DeviceFault),
        (0x63, CuffFailure::DeviceFault),
    ];
    let as_decimal = [0x85, 0x87, 0x88, 0x89, 0x90, 0x91, 0x97, 0x99];
    for ((code, reason), decimal) in codes.into_iter().zip(as_decimal) {
        assert_eq!((failure(code), failure(decimal)), (Some(reason), Some(reason)), "{code:x}");
        assert_eq!(decimal >> 4, code / 10, "{decimal:x} are the decimal digits of {code}");
    }
    let other = [
        (0x01, CuffFailure::NoPulse),
        (0x02, CuffFailure::Motion),
        (0x03, CuffFailure::OutOfRange),
        (0x04, CuffFailure::TotalTimeout),
        (0x56, CuffFailure::Cancelled),
        (0x77, CuffFailure::Unknown(0x77)),
    ];
    for (code, reason) in other {
        assert_eq!(failure(code), Some(reason), "{code:x}");
    }
    assert_eq!(failure(0), None);
    for (_, reason) in codes.into_iter().chain(other) {
        assert_eq!(failure(error_of(reason)), Some(reason), "as a simulated module says it");
    }
}
