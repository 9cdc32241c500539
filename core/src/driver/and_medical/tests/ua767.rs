//! The UA-767PC: the vectors of the sheet, and what silence makes of them.

use std::vec::Vec;

use proptest::prelude::*;

use super::{bp, pulse, result};
use crate::driver::and_medical::ua767::*;
use crate::driver::laws;
use crate::driver::{AnyDriver, Driver, Refusal, Request};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured};

/// A sample of an author's device: 152/76, pulse 73, mean 96.
const SAMPLE: &[u8] = b"804C4C4960";
/// Computed: 122/82, pulse 72, mean 96.
const ANOTHER: &[u8] = b"8028524860";
/// Computed: no valid reading.
const INVALID: &[u8] = b"8100000000";

/// The driver's clock when the port is opened.
const OPENING: Time = Time::from_millis(100_000);

/// A driver, and what it has said.
struct Bench {
    driver: Ua767,
    now: Time,
    results: Vec<CuffResult>,
}

impl Bench {
    fn new() -> Self {
        let mut driver = Ua767::default();
        driver.opened(OPENING);
        Self { driver, now: OPENING, results: Vec::new() }
    }

    fn hear(&mut self, bytes: &[u8]) -> &mut Self {
        let results = &mut self.results;
        self.driver.decode(bytes, self.now, &mut |sample| results.extend(result(&sample)));
        self
    }

    /// Time passes, with a poll whenever the driver wants one.
    fn wait(&mut self, span: Span) -> &mut Self {
        let end = self.now + span;
        loop {
            let results = &mut self.results;
            let poll = self.driver.poll(self.now, &mut |sample| results.extend(result(&sample)));
            assert_eq!(poll.send, None, "nothing is ever sent");
            match poll.next.filter(|next| *next <= end) {
                Some(next) => {
                    assert!(next > self.now, "it would be asked for ever");
                    self.now = next;
                }
                None => break,
            }
        }
        self.now = end;
        self
    }

    /// Time passes, and nobody looks.
    fn sleep(&mut self, span: Span) -> &mut Self {
        self.now = self.now + span;
        self
    }

    fn told(&mut self) -> Vec<Result<BloodPressure, CuffFailure>> {
        self.wait(Span::secs(1));
        self.results.iter().map(|result| result.pressure).collect()
    }
}

#[test]
fn the_vectors_of_the_sheet_are_told_200_ms_after_their_last_character() {
    for (text, pressure, rate) in [(SAMPLE, bp(152, 76, 96), 73), (ANOTHER, bp(122, 82, 96), 72)] {
        let mut bench = Bench::new();
        bench.hear(text).wait(Span::millis(199));
        assert_eq!(bench.results, []);
        bench.wait(Span::millis(1));
        let expected = CuffResult {
            at: OPENING,
            measured_at: OPENING,
            origin: CuffOrigin::Bedside,
            pressure: Ok(pressure),
            pulse: pulse(rate),
        };
        assert_eq!(bench.results, [expected]);
        assert_eq!(bench.wait(Span::mins(60)).results.len(), 1, "once");
    }
}

#[test]
fn another_status_is_a_failure_with_its_number_whatever_stands_behind_it() {
    assert_eq!(Bench::new().hear(INVALID).told(), [Err(CuffFailure::Unknown(0x81))]);
    assert_eq!(Bench::new().hear(b"824C4C4960").told(), [Err(CuffFailure::Unknown(0x82))]);
    assert_eq!(Bench::new().hear(b"004C4C4960").told(), [Err(CuffFailure::Unknown(0))]);
    let mut bench = Bench::new();
    bench.hear(b"834C4C4960").told();
    assert_eq!(bench.results[0].pulse, Measured::Absent(Absent::NotMeasured), "no number of it is used");
}

#[test]
fn numbers_that_cannot_be_are_a_failure_and_no_numbers() {
    // No diastolic; 301; the mean below the diastolic; no difference.
    for text in [b"804C004960", b"80AF7E4990", b"804C4C494B", b"80004C4960"] {
        assert_eq!(Bench::new().hear(text).told(), [Err(CuffFailure::OutOfRange)], "{text:?}");
    }
    // Neither a mean of 0 nor a pulse of 0 is one.
    let mut bench = Bench::new();
    assert_eq!(bench.hear(b"804C4C0000").told(), [Ok(BloodPressure::full(152, 76, None).unwrap())]);
    assert_eq!(bench.results[0].pulse, Measured::Absent(Absent::NotMeasured));
}

#[test]
fn what_is_shorter_longer_or_no_number_is_dropped_and_counted() {
    for text in [&b"8"[..], b"804C4C496", b"804C4C4960A", b"804C4C4960804C4C4960", b"804C4C49 0", b"804C4C496\xff"] {
        let mut bench = Bench::new();
        assert_eq!(bench.hear(text).told(), [], "{text:?}");
        let stats = *bench.driver.stats();
        assert_eq!((stats.rejects(), stats.bytes_skipped, stats.good_frames), (1, text.len() as u64, 0));
        // The next one is whole again.
        assert_eq!(bench.hear(SAMPLE).told(), [Ok(bp(152, 76, 96))]);
    }
}

#[test]
fn a_pause_within_a_message_is_not_its_end_before_200_ms() {
    let mut bench = Bench::new();
    for character in SAMPLE {
        bench.hear(&[*character]).wait(Span::millis(199));
    }
    assert_eq!(bench.told(), [Ok(bp(152, 76, 96))]);
    // One that stops for longer is two halves.
    let mut bench = Bench::new();
    bench.hear(&SAMPLE[..6]).wait(Span::millis(200)).hear(&SAMPLE[6..]);
    assert_eq!((bench.told(), bench.driver.stats().length), (Vec::new(), 2));
}

#[test]
fn a_box_that_looks_late_tells_each_of_two_messages_with_its_own_time() {
    let mut bench = Bench::new();
    bench.hear(SAMPLE).sleep(Span::secs(40)).hear(ANOTHER);
    assert_eq!(bench.told(), [Ok(bp(152, 76, 96)), Ok(bp(122, 82, 96))]);
    let measured: Vec<_> = bench.results.iter().map(|result| result.measured_at).collect();
    assert_eq!(measured, [OPENING, OPENING + Span::secs(40)]);
}

#[test]
fn line_ends_and_flow_control_are_stepped_over() {
    assert_eq!(Bench::new().hear(b"\x11804C4C4960\r\n\x13").told(), [Ok(bp(152, 76, 96))]);
    assert_eq!(Bench::new().hear(b"\r\n\x11").told(), []);
}

#[test]
fn a_message_that_the_opening_of_the_port_cuts_is_forgotten() {
    let mut bench = Bench::new();
    bench.hear(&SAMPLE[..5]);
    bench.driver.opened(bench.now);
    assert_eq!(bench.hear(&SAMPLE[5..]).told(), []);
    bench.hear(SAMPLE).told();
    assert!(bench.driver.lock().locked);
    bench.driver.opened(bench.now);
    assert!(!bench.driver.lock().locked, "a port just opened has proved nothing");
}

#[test]
fn it_can_be_asked_for_nothing() {
    let mut bench = Bench::new();
    for request in [Request::StartCuff, Request::StopCuff] {
        assert_eq!(bench.driver.request(request, bench.now), Err(Refusal::NotSupported));
    }
    assert!(!PROTOCOL.cuff.unwrap().starts);
    assert_eq!(AnyDriver::new("and-ua767").expect("registered").protocol().name, "and-ua767");
}

fn opened() -> Ua767 {
    let mut driver = Ua767::default();
    driver.opened(laws::NOW);
    driver
}

#[test]
fn keeps_the_laws_of_every_driver() {
    let stream = [SAMPLE, ANOTHER, INVALID].concat();
    laws::splits_do_not_matter(opened, &stream);
    laws::never_panics(opened, &stream);
}

proptest! {
    /// The law of recovery, for a protocol in which only time tells.
    #[test]
    fn after_any_bytes_and_silence_the_next_message_is_told(garbage in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut bench = Bench::new();
        bench.hear(&garbage).told();
        bench.results.clear();
        prop_assert_eq!(bench.hear(SAMPLE).told(), [Ok(bp(152, 76, 96))]);
        prop_assert!(bench.driver.lock().locked);
    }

    /// The law of splits, over time: reads within one silence are one message.
    #[test]
    fn how_reads_split_a_message_makes_no_difference(
        cuts in proptest::collection::vec((1..6_usize, 0..200_u64), 1..10),
    ) {
        let mut bench = Bench::new();
        let (mut rest, mut last) = (SAMPLE, OPENING);
        for (length, pause) in cuts.iter().cycle() {
            let (read, later) = rest.split_at((*length).min(rest.len()));
            bench.wait(Span::millis(*pause)).hear(read);
            (rest, last) = (later, bench.now);
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(bench.told(), [Ok(bp(152, 76, 96))]);
        prop_assert_eq!(bench.results[0].measured_at, last);
    }

    #[test]
    fn gives_back_what_was_put_on_it(bytes: [u8; 5]) {
        let [status, difference, diastolic, pulse, mean] = bytes;
        let message = Message { status, difference, diastolic, pulse, mean };
        prop_assert_eq!(Message::parse(&message.text()), Some(message));
    }

    #[test]
    fn nothing_but_a_whole_message_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
        let mut bench = Bench::new();
        let told = bench.hear(&bytes).told().len();
        let characters = bytes.iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0x11 | 0x13));
        let hexadecimal = characters.clone().all(u8::is_ascii_hexdigit);
        prop_assert_eq!(told == 1, hexadecimal && characters.count() == 10);
    }
}

#[test]
fn is_made_as_in_the_sample() {
    let message = Message { status: VALID, difference: 76, diastolic: 76, pulse: 73, mean: 96 };
    assert_eq!(message.text(), SAMPLE);
    assert_eq!(Message::parse(b"804c4c4960"), Some(message), "small letters are numbers too");
}
