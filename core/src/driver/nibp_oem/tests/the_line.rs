//! What goes over the line, the vectors of the sheet (none is captured), and the laws of every driver.

use super::*;

#[test]
fn is_asked_every_5_s_and_once_more_when_a_reply_is_lost() {
    let mut bench = Bench::new();
    bench.run(Span::secs(20));
    let at = |s| OPENING + Span::secs(s);
    assert_eq!(bench.sent(HostRequest::Status), [0, 5, 10, 15].map(at));
    bench.monitor.dumb = true;
    bench.run(Span::secs(30));
    assert_eq!(bench.sent(HostRequest::Status).len(), 10);
    assert_eq!((bench.start(), bench.results()), (Err(Refusal::NotReady), vec![]));
}

#[test]
fn makes_requests_as_on_the_wire() {
    assert_eq!(HostRequest::Start.bytes(), [0x02, 0x30, 0x31, 0x3b, 0x3b, 0x44, 0x37, 0x03]);
    assert_eq!(HostRequest::Status.bytes(), [0x02, 0x31, 0x38, 0x3b, 0x3b, 0x44, 0x46, 0x03]);
    assert_eq!(HostRequest::Abort.bytes(), [0x58]);
    assert_eq!(PROTOCOL.probe_request, Some(HostRequest::Status.bytes()));
    let stream = [&b"\x02X\x0201;;D7\x03"[..], b"\r\x0218;;DF\x03X"].concat();
    let mut requests = Requests::default();
    let found: Vec<_> = stream.iter().filter_map(|byte| requests.push(*byte)).collect();
    let expected = [HostRequest::Abort, HostRequest::Start, HostRequest::Status, HostRequest::Abort];
    assert_eq!(found, expected, "whatever stood before");
    // The other constants of the sheet.
    for text in [b"03;;D9", b"14;;DB", b"17;;DE", b"19;;E0", b"20;;D8", b"23;;DB", b"24;;DC", b"25;;DD"] {
        assert_eq!(check_digits(&text[..4]), text[4..]);
    }
}

#[test]
fn reads_the_vectors_of_the_sheet() {
    let only = |bytes: &[u8]| {
        let mut lines = Lines::default();
        let heard: Vec<_> =
            bytes.iter().map(|byte| lines.push(*byte)).filter(|heard| *heard != Heard::Nothing).collect();
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard[0]
    };
    assert_eq!(only(b"\x02142C0S3\x03\r"), Heard::Line(Line::Cuff { mmhg: 142, misfit: 0, state: MEASURING }));
    assert_eq!(cuff_line(142), b"\x02142C0S3\x03\r");
    assert_eq!(only(b"\x02999\x03\r"), Heard::Line(Line::Finished));
    assert_eq!(finished_line(), b"\x02999\x03\r");
    let text = b"\x02S1;A0;C00;M00;P118078091;R072;T0025;;46\x03\r";
    let good = of(118, 78, 91, 72);
    assert_eq!((only(text), status_line(&good)), (Heard::Line(Line::Status(good)), text.to_vec()));
    assert_eq!((good.pressure(), good.pulse().good()), (Ok(bp(118, 78, 91)), PulseRate::bpm(72)));
    let text = b"\x02S1;A0;C00;M06;P---------;R---;T----;;E9\x03\r";
    let loose = Status { message: 6, reading: None, pulse: None, time: None, ..good };
    assert_eq!((only(text), status_line(&loose)), (Heard::Line(Line::Status(loose)), text.to_vec()));
    assert_eq!((loose.pressure(), loose.pulse().good()), (Err(CuffFailure::PumpTimeout), None));
    // Published; its check digits contradict the rule of the requests, and its numbers cannot be.
    let published = b"\x02S1;A0;C00;M00;P135345234;R087;T6890;;D9\x03\r";
    let Heard::Line(Line::Status(read)) = only(published) else { panic!("a status") };
    assert_eq!(read.reading, Some((135, 345, 234)));
    assert_eq!(read.pressure(), Err(CuffFailure::OutOfRange));
    assert_ne!(check_digits(b"S1;A0;C00;M00;P135345234;R087;T6890;;"), *b"D9");
}

#[test]
fn rejects_by_reason() {
    let good = b"S1;A0;C00;M00;P118078091;R072;T0025;;46";
    for at in [0, 2, 3, 5, 9, 13, 14, 24, 25, 29, 30, 35, 36] {
        let mut broken = *good;
        broken[at] = b'?';
        assert_eq!(parse(&broken), Err(Reject::Framing), "byte {at}");
    }
    for at in [1, 4, 7, 8, 11, 12, 15, 19, 23, 26, 31] {
        let mut broken = *good;
        broken[at] = b'-';
        assert_eq!(parse(&broken), Err(Reject::Content), "byte {at}");
    }
    for at in [37, 38] {
        let mut other = *good;
        other[at] = b'?';
        assert_eq!(parse(&other), parse(good), "the check digits are not looked at");
    }
    assert_eq!(parse(&good[..38]), Err(Reject::Length));
    assert_eq!(parse(b"998"), Err(Reject::UnknownType));
    assert_eq!(parse(b"142C0X3"), Err(Reject::Framing));
    assert_eq!(parse(b"1 2C0S3"), Err(Reject::Content));
    assert_eq!(parse(b"401C0S3"), Err(Reject::Content), "no cuff holds 401 mmHg");
    assert_eq!(parse(b""), Err(Reject::Length));
}

#[test]
fn with_garbage_between_gives_the_same_lines() {
    let mut bench = Bench::measuring(Span::secs(10));
    let told = bench.cuff().len();
    // No line; one that is cut off; one that is too long; one that is not text.
    bench.hear(&[b"ab", &b"\x0214"[..], b"\x02", &[b'1'; 40], b"\x02\xff", b"\n"].concat());
    bench.hear(&cuff_line(117));
    assert_eq!((bench.cuff().len(), bench.cuff().last()), (told + 1, Some(&117)));
    let stats = bench.driver.stats();
    assert_eq!((stats.framing, stats.length, stats.bytes_skipped), (2, 1, 2 + 3 + 41 + 2));
}

#[test]
fn of_a_service_mode_is_no_determination() {
    let mut bench = Bench::new();
    bench.run(Span::secs(1));
    for state in [b"160C0S4", b"160C0S5", b"160C0S7"] {
        bench.hear(&line(state));
    }
    bench.hear(&finished_line());
    bench.run(Span::secs(60));
    assert_eq!((bench.cuff(), bench.results(), bench.states()), (vec![], vec![], vec![CuffState::Idle]));
}

/// A driver whose determination runs.
fn measuring() -> NibpOem {
    Bench::measuring(Span::secs(10)).driver
}

#[test]
fn keeps_the_laws_of_every_driver() {
    let stream = [cuff_line(160), status_line(&OLD), cuff_line(64), line(b"160C0S4")].concat().repeat(6);
    laws::splits_do_not_matter(measuring, &stream);
    laws::never_panics(measuring, &stream);
    laws::recovers(measuring, &stream, &stream, Within { frame: 10, values: 10 });
    assert!(decoded(&mut measuring(), &stream).len() >= 12);
    // Nor does how reads split the end of a determination.
    let ends = [cuff_line(160), finished_line(), status_line(&OLD)].concat();
    laws::splits_do_not_matter(NibpOem::default, &ends);
    laws::never_panics(NibpOem::default, &ends);
}

#[test]
fn is_found_by_name() {
    assert_eq!(AnyDriver::new("nibp-oem").expect("registered").protocol().name, "nibp-oem");
}

proptest! {
    #[test]
    fn gives_back_what_was_put_on_it(
        mmhg in 0..=400_u16, (state, patient, message) in (0..=9_u8, 0..=9_u8, 0..=99_u8),
        reading in proptest::option::of((0..1_000_u16, 0..1_000_u16, 0..1_000_u16)),
        pulse in proptest::option::of(0..1_000_u16), time in proptest::option::of(0..10_000_u16),
    ) {
        let text = |line: Vec<u8>| line.strip_prefix(b"\x02").unwrap().strip_suffix(b"\x03\r").unwrap().to_vec();
        let cuff = Line::Cuff { mmhg, misfit: 0, state: MEASURING };
        prop_assert_eq!(parse(&text(cuff_line(mmhg))), Ok(cuff));
        let status = Status { state, patient, message, reading, pulse, time };
        prop_assert_eq!(parse(&text(status_line(&status))), Ok(Line::Status(status)));
    }

    #[test]
    fn leaves_no_start_without_exactly_one_result_whatever_the_board_says(
        said in proptest::collection::vec((0..6_usize, 1..150_u64, 0..4_u8), 1..200),
    ) {
        let mut bench = Bench::new();
        bench.monitor.deaf_to = HostRequest::ALL.to_vec();
        let mut starts = 0;
        for (what, pause, wish) in said {
            let bytes = match what {
                0 => cuff_line(170),
                1 => finished_line(),
                2 => status_line(&Status { state: MEASURING, ..OLD }),
                3 => line(b"160C1S4"),
                _ => status_line(&OLD),
            };
            bench.hear(&bytes);
            starts += usize::from(wish == 0 && bench.start().is_ok());
            if wish == 1 && what == 0 {
                bench.stop();
            }
            bench.run(Span::millis(pause * 20));
        }
        bench.run(Span::secs(250));
        let ours = bench.results().iter().filter(|result| result.origin == CuffOrigin::Schedule).count();
        prop_assert_eq!(ours, starts);
    }
}
