//! What goes over the line, the vectors of the sheet, and the laws of every driver.

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
fn checksum_takes_fffh_from_a_sum_above_it() {
    // 60 x 95 = 5,700; less 4,095: 1,605 = 25 x 64 + 5.
    assert_eq!(checksum(&[b'~'; 60]), [0x20 + 25, 0x20 + 5]);
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
