//! What goes over the line, the vectors of the sheet (none is captured), and the laws of every driver.

use super::*;

#[test]
fn is_asked_every_5_s_and_every_second_while_a_determination_runs() {
    let mut bench = Bench::new();
    bench.run(Span::secs(20));
    let at = |s| OPENING + Span::secs(s);
    assert_eq!(bench.sent(HostRequest::CuffPressure), [0, 5, 10, 15].map(at));
    bench.start().unwrap();
    bench.sent.clear();
    bench.run(Span::secs(5));
    assert_eq!(bench.sent(HostRequest::CuffPressure).len(), 5);
}

#[test]
fn has_one_request_out_at_a_time_and_100_ms_between_two() {
    let mut bench = Bench::measuring(Span::secs(15));
    bench.stop();
    bench.run(Span::secs(60));
    bench.start().unwrap();
    bench.run(Span::secs(60));
    assert!(bench.sent.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= SPACING), "{:?}", bench.sent);
    // A question that is out keeps even an abort waiting.
    bench.monitor.deaf_and_dumb = true;
    bench.sent.clear();
    bench.run(Span::millis(5_100));
    let asked = bench.sent[0].0;
    bench.stop();
    bench.run(Span::secs(2));
    assert!(bench.sent(HostRequest::Abort)[0] >= asked + REPLY, "{:?}", bench.sent);
}

#[test]
fn of_a_silent_module_is_asked_on_and_says_nothing() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    bench.monitor.deaf_and_dumb = true;
    bench.run(Span::secs(30));
    assert_eq!(bench.sent(HostRequest::CuffPressure).len(), 7);
    assert_eq!((bench.start(), bench.results()), (Err(Refusal::NotReady), vec![]));
}

#[test]
fn carries_nothing_that_does_more_than_one_determination_on_an_adult() {
    let mut bench = Bench::measuring(Span::secs(60));
    bench.stop();
    bench.run(Span::secs(60));
    let known = [HostRequest::Start, HostRequest::Abort, HostRequest::CuffPressure, HostRequest::Result];
    assert!(bench.sent.iter().all(|(_, request)| known.contains(request)));
    assert!(known.iter().all(|request| bench.sent.iter().any(|(_, sent)| sent == request)));
}

#[test]
fn makes_requests_as_on_the_wire() {
    assert_eq!(HostRequest::Start.packet(), [0x3a, 0x20, 0xa6]);
    assert_eq!(HostRequest::Abort.packet(), [0x3a, 0x79, 0x01, 0x00, 0x4c]);
    assert_eq!(HostRequest::CuffPressure.packet(), [0x3a, 0x79, 0x05, 0x00, 0x48]);
    assert_eq!(HostRequest::Result.packet(), [0x3a, 0x79, 0x03, 0x00, 0x4a]);
    assert_eq!(PROTOCOL.probe_request, Some(&[0x3a, 0x79, 0x02, 0x40, 0x0b][..]));
    for request in HostRequest::ALL {
        assert_eq!(checksum(request.packet()), 0);
        let mut requests = Requests::default();
        let stream = [&[0x3a, 0x79, 0x3a, 0x20][..], request.packet(), request.packet()].concat();
        let found: Vec<_> = stream.iter().filter_map(|byte| requests.push(*byte)).collect();
        assert_eq!(found, [request, request]);
    }
    // The other constants of the sheet.
    for constant in [&[0x3a, 0x87, 0x3f][..], &[0x3a, 0x28, 0x9e], &[0x3a, 0x17, 0xa0, 0x00, 0x0f], &[0x3a, 0x00, 0xc6]]
    {
        assert_eq!(checksum(constant), 0);
    }
}

#[test]
fn reads_the_vectors_of_the_sheet() {
    assert_eq!(parse_reply(&[0x3e, 0x05, 0x02, 0x01, 0xba]), Ok(Reply::CuffPressure(Some(258))));
    assert_eq!(parse_reply(&[0x3e, 0x04, 0x4b, 0x73]), Ok(Reply::Acknowledge(Letter::Executed)));
    assert_eq!(parse_reply(&[0x3e, 0x05, 0x02, 0x01, 0xb1]), Err(Reject::Checksum));
    let example = [
        0x3e, 0x18, 0x73, 0x00, 0x4a, 0x00, 0x1e, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x31, 0x07, 0x55, 0x00,
        0x58, 0x00, 0x00, 0x00, 0x00, 0xe9,
    ];
    let expected = Determination {
        systolic: 115,
        diastolic: 74,
        mean: 88,
        beats: 30,
        status: 1,
        test_codes: [0, 0, 0, 0, 0, 0, 0x31, 0x07],
        pulse: 85,
        error: 0,
    };
    assert_eq!(parse_reply(&example), Ok(Reply::Result(expected)));
    assert_eq!((result(&expected), expected.pressure()), (example.to_vec(), Ok(bp(115, 74, 88))));
    let computed = [
        0x3e, 0x18, 0x8e, 0x00, 0x58, 0x00, 0x16, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0x00,
        0x6a, 0x00, 0x00, 0x00, 0x00, 0x05,
    ];
    let Ok(Reply::Result(read)) = parse_reply(&computed) else { panic!("a result") };
    assert_eq!((read.pressure(), read.pulse().good()), (Ok(bp(142, 88, 106)), PulseRate::bpm(63)));
    let mut failed = [0; 24];
    (failed[0], failed[1], failed[20], failed[23]) = (0x3e, 0x18, 0x57, 0x53);
    let Ok(Reply::Result(read)) = parse_reply(&failed) else { panic!("a result") };
    assert_eq!((read.pressure(), read.pulse().good()), (Err(CuffFailure::PumpTimeout), None));
    assert_eq!(acknowledge(Letter::Received), [0x3e, 0x04, 0x4f, 0x6f]);
    assert_eq!(acknowledge(Letter::Aborted), [0x3e, 0x04, 0x41, 0x7d]);
    assert_eq!(acknowledge(Letter::Busy), [0x3e, 0x04, 0x42, 0x7c]);
    assert_eq!(cuff_pressure(Some(187)), [0x3e, 0x05, 0xbb, 0x00, 0x02]);
}

#[test]
fn rejects_by_reason() {
    assert_eq!(parse_reply(&[]), Err(Reject::Length));
    assert_eq!(parse_reply(&reply(b"?")), Err(Reject::Content), "a letter that nobody knows");
    assert_eq!(parse_reply(&reply(&[0xff, 0xff])), Ok(Reply::CuffPressure(None)));
    assert_eq!(parse_reply(&reply(&[0x90, 0x01])), Ok(Reply::CuffPressure(Some(400))));
    assert_eq!(parse_reply(&reply(&[0x91, 0x01])), Err(Reject::Content), "no cuff holds 401 mmHg");
    assert_eq!(parse_reply(&reply(&[1, 2, 3])), Ok(Reply::ReturnCode(3)));
    assert_eq!(parse_reply(&reply(&[0; 4])), Err(Reject::Length));
}

#[test]
fn with_garbage_between_gives_the_same_replies() {
    let mut bench = Bench::measuring(Span::secs(10));
    let told = bench.cuff().len();
    bench.hear(&[0x00, 0x3e, 0xff, 0x3e, 0x3e, 0x05, 0x02, 0x01, 0xb1]);
    bench.hear(&cuff_pressure(Some(117)));
    assert_eq!((bench.cuff().len(), bench.cuff().last()), (told + 1, Some(&117)));
    let stats = bench.driver.stats();
    assert_eq!((stats.length, stats.checksum, stats.bytes_skipped), (2, 1, 9));
}

#[test]
fn a_pressure_that_is_not_available_is_a_sign_of_life_and_no_zero() {
    let mut bench = Bench::measuring(Span::secs(10));
    let told = bench.cuff();
    bench.hear(&cuff_pressure(None));
    assert_eq!((bench.cuff(), bench.driver.cuff), (told.clone(), told.last().copied()));
}

#[test]
fn the_version_strings_tell_the_firmware_and_lock() {
    let mut driver = Suntech::default();
    driver.opened(NOW);
    let Sample::Identity { part, text, .. } = decoded(&mut driver, &versions("SB 1.07"))[0] else { panic!("identity") };
    assert_eq!((part, text.as_str()), (IdentityPart::Firmware, "SB 1.07"));
    assert!(driver.lock().locked);
}

/// A driver whose determination runs, and that waits for nothing.
fn measuring() -> Suntech {
    Bench::measuring(Span::secs(10)).driver
}

#[test]
fn keeps_the_laws_of_every_driver() {
    let stream = [cuff_pressure(Some(160)), acknowledge(Letter::Received), cuff_pressure(None), result(&OLD)].concat();
    let stream = [stream, cuff_pressure(Some(64))].concat().repeat(12);
    laws::splits_do_not_matter(measuring, &stream);
    laws::never_panics(measuring, &stream);
    // A length of 67 in garbage holds up to 66 bytes of what follows, until they do not fit.
    laws::recovers(measuring, &stream, &stream, Within { frame: 110, values: 140 });
    assert!(decoded(&mut measuring(), &stream).len() > 20);
    // Nor does how reads split the end of a determination.
    let ends = [cuff_pressure(Some(20)), acknowledge(Letter::Executed), acknowledge(Letter::Aborted)].concat();
    laws::splits_do_not_matter(measuring, &ends);
    laws::never_panics(measuring, &ends);
}

#[test]
fn is_found_by_name() {
    assert_eq!(AnyDriver::new("suntech").expect("registered").protocol().name, "suntech");
}

proptest! {
    #[test]
    fn gives_back_what_was_put_on_it(
        mmhg in proptest::option::of(0..=400_u16), numbers in any::<(u16, u16, u16)>(), more in any::<[u8; 12]>(),
        letter in 0..Letter::ALL.len(),
    ) {
        prop_assert_eq!(parse_reply(&cuff_pressure(mmhg)), Ok(Reply::CuffPressure(mmhg)));
        let (systolic, diastolic, mean) = numbers;
        let [beats, status, pulse, error, test_codes @ ..] = more;
        let told = Determination { systolic, diastolic, mean, beats, status, test_codes, pulse, error };
        prop_assert_eq!(parse_reply(&result(&told)), Ok(Reply::Result(told)));
        let letter = Letter::ALL[letter];
        prop_assert_eq!(parse_reply(&acknowledge(letter)), Ok(Reply::Acknowledge(letter)));
    }

    #[test]
    fn leaves_no_start_without_exactly_one_result_whatever_the_module_says(
        said in proptest::collection::vec((0..14_usize, 1..150_u64, 0..4_u8), 1..200),
    ) {
        let mut bench = Bench::new();
        let mut starts = 0;
        bench.monitor.deaf_and_dumb = true;
        for (what, pause, wish) in said {
            let bytes = match what {
                9 | 10 => cuff_pressure(Some(3)),
                11 | 12 => cuff_pressure(Some(170)),
                13 => result(&OLD),
                letter => acknowledge(Letter::ALL[letter]),
            };
            bench.hear(&bytes);
            starts += usize::from(wish == 0 && bench.start().is_ok());
            if wish == 1 && what == 0 {
                bench.stop();
            }
            bench.run(Span::millis(pause * 20));
        }
        bench.run(Span::secs(250));
        prop_assert_eq!(bench.results().len(), starts);
    }
}
