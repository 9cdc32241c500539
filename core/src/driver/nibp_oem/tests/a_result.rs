//! Which result is new, and what it says.

use super::*;

fn told(outcome: Status) -> CuffResult {
    let mut bench = Bench::new();
    bench.monitor.outcome = outcome;
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    bench.result()
}

#[test]
fn of_before_is_never_told_however_often_the_status_is() {
    let mut bench = Bench::new();
    // As after power-up.
    bench.hear(&status_line(&OLD));
    bench.run(Span::secs(600));
    bench.hear(&finished_line());
    bench.hear(&status_line(&OLD));
    bench.driver.opened(bench.now);
    bench.run(Span::secs(60));
    assert_eq!(bench.results(), []);
}

#[test]
fn of_a_board_that_starts_anew_is_not_that_of_the_determination_under_way() {
    let mut bench = Bench::measuring(Span::secs(10));
    (bench.monitor.running, bench.monitor.last) = (None, OLD);
    bench.hear(&status_line(&OLD));
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (CuffOrigin::Schedule, CuffFailure::NoAnswer));
}

#[test]
fn that_was_not_asked_for_after_999_is_not_looked_at() {
    let mut bench = Bench::measuring(Span::millis(30_300));
    assert_eq!(bench.states().last(), Some(&CuffState::Idle), "999 has come");
    bench.hear(&status_line(&OLD));
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pressure, Ok(bp(128, 82, 99)));
}

#[test]
fn of_which_the_cuff_never_had_the_pressure_is_the_one_before_again() {
    let mut bench = Bench::new();
    bench.monitor.deaf_to.push(HostRequest::Start);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(1));
    bench.hear(&cuff_line(139));
    bench.hear(&finished_line());
    bench.run(Span::secs(60));
    // The board still holds 190/110, mean 140.
    assert_eq!(bench.failure(), (CuffOrigin::Schedule, CuffFailure::Repeated));
}

#[test]
fn is_not_asked_for_after_a_999_without_a_determination() {
    let mut bench = Bench::new();
    bench.monitor.deaf_to.push(HostRequest::Start);
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(1));
    bench.hear(&finished_line());
    bench.run(Span::secs(60));
    assert_eq!(bench.failure(), (CuffOrigin::Schedule, CuffFailure::NoAnswer));
}

#[test]
fn whose_line_is_lost_is_asked_for_again_and_told_once() {
    let mut bench = Bench::measuring(Span::secs(29));
    bench.monitor.deaf_to.push(HostRequest::Status);
    bench.run(Span::millis(3_300));
    bench.monitor.deaf_to.clear();
    bench.run(Span::secs(60));
    let told = bench.result();
    assert_eq!((told.pressure, told.measured_at), (Ok(bp(128, 82, 99)), OPENING + Span::secs(31)));
}

#[test]
fn that_does_not_come_at_all_is_no_answer_once() {
    let mut bench = Bench::measuring(Span::secs(29));
    bench.monitor.deaf_to.push(HostRequest::Status);
    bench.run(Span::secs(120));
    assert_eq!(bench.failure(), (CuffOrigin::Schedule, CuffFailure::NoAnswer));
    assert_eq!(bench.result().at, OPENING + Span::secs(31) + SETTLE + Span::secs(3));
}

#[test]
fn that_is_implausible_is_a_failure_not_a_number() {
    // The last but one is the published example.
    let readings = [(300, 82, 99), (128, 82, 140), (0, 0, 0), (0, 0, 99), (135, 345, 234), (128, 130, 129)];
    for (systolic, diastolic, mean) in readings {
        let result = told(of(systolic, diastolic, mean, 87));
        assert_eq!(result.pressure, Err(CuffFailure::OutOfRange), "{systolic}/{diastolic}");
        assert_eq!(result.pulse, Measured::Absent(Absent::NotMeasured));
    }
}

#[test]
fn measured_as_on_a_neonate_or_with_a_cuff_that_does_not_fit_is_refused() {
    assert_eq!(told(Status { patient: 1, ..of(128, 82, 99, 72) }).pressure, Err(CuffFailure::DeviceFault));
    for misfit in [b"120C1S3", b"120C2S3"] {
        let mut bench = Bench::measuring(Span::secs(10));
        bench.hear(&line(misfit));
        bench.run(Span::secs(60));
        assert_eq!(bench.failure(), (CuffOrigin::Schedule, CuffFailure::DeviceFault));
    }
}

#[test]
fn with_a_message_has_no_pressure_whatever_its_numbers_say() {
    assert_eq!(told(Status { message: 11, ..of(128, 82, 99, 72) }).pressure, Err(CuffFailure::Motion));
}

#[test]
fn without_numbers_or_a_message_was_interrupted_by_somebody() {
    assert_eq!(told(Status { reading: None, pulse: None, ..OLD }).pressure, Err(CuffFailure::Cancelled));
}

#[test]
fn without_a_mean_is_a_result_and_without_a_believable_pulse_has_none() {
    assert_eq!(told(of(128, 82, 0, 72)).pressure, Ok(BloodPressure::full(128, 82, None).unwrap()));
    assert_eq!(told(Status { pulse: None, ..OLD }).pulse, Measured::Absent(Absent::NotMeasured));
    for bpm in [0, 19, 301] {
        let result = told(of(128, 82, 99, bpm));
        assert_eq!((result.pressure, result.pulse), (Ok(bp(128, 82, 99)), Measured::Absent(Absent::OutOfRange)));
    }
}

#[test]
fn names_the_boards_reason() {
    let codes = [
        (2, CuffFailure::DeviceFault),
        (5, CuffFailure::Failed),
        (6, CuffFailure::PumpTimeout),
        (7, CuffFailure::PumpTimeout),
        (8, CuffFailure::PumpTimeout),
        (9, CuffFailure::NoPulse),
        (10, CuffFailure::OutOfRange),
        (11, CuffFailure::Motion),
        (12, CuffFailure::Overpressure),
        (13, CuffFailure::Motion),
        (15, CuffFailure::DeviceFault),
        (14, CuffFailure::Unknown(14)),
    ];
    for (code, reason) in codes {
        assert_eq!(failure(code), reason, "{code}");
        assert_eq!(failure(message_of(reason)), reason, "as a simulated board says it");
    }
}

#[test]
fn heard_while_only_listening_is_told_as_somebody_elses() {
    let mut driver = NibpOem::default();
    driver.opened(NOW);
    let stream = [cuff_line(160), cuff_line(80), finished_line(), status_line(&of(128, 82, 99, 72))].concat();
    let results =
        |samples: Vec<Sample>| samples.iter().filter(|sample| matches!(sample, Sample::CuffResult(_))).count();
    assert_eq!(results(decoded(&mut driver, &status_line(&OLD))), 0);
    assert_eq!(results(decoded(&mut driver, &stream)), 1);
    assert_eq!(results(decoded(&mut driver, &status_line(&of(128, 82, 99, 72)))), 0);
}
