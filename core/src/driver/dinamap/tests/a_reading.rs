//! Which reading is new, and what it says.

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
    // The monitor's second is 1.003 of ours: 16 s in its 5,400.
    let mut bench = Bench::new(None);
    bench.run(Span::secs(1));
    for s in 0..5_390 {
        bench.now = OPENING + Span::millis(10_000 + s * 1_003);
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
fn with_a_garbled_pulse_is_told_a_second_later_without_it() {
    let mut bench = Bench::new(None);
    bench.monitor.pulse = b" RC3072\"I\r".to_vec();
    bench.run(Span::secs(1));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert_eq!(bench.result().pulse, Measured::Absent(Absent::NotMeasured));
    assert_eq!((bench.driver.stats().checksum, bench.sent(HostRequest::ReadPulse).len()), (1, 1));
}

#[test]
fn that_waits_for_its_pulse_is_not_lost_to_the_next_one() {
    let mut bench = Bench::new(None);
    bench.run(Span::secs(60));
    bench.hear(&reply_line(b" NA1100023128082099"));
    bench.hear(&reply_line(b" NA1100003131084101"));
    bench.run(Span::secs(2));
    let told: Vec<_> = bench.results().iter().map(|result| result.pressure).collect();
    assert_eq!(told, [Ok(bp(128, 82, 99)), Ok(bp(131, 84, 101))]);
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
