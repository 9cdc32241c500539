//! Both monitors: the vectors of the sheet, what silence parts, and who is never named.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::driver::{AnyDriver, Certainty, Kind, Refusal, Request};

/// Computed: 128/82, pulse 71.
const GOOD: &[u8] = b"2026,11,22,09,05,                    ,0,128,082,071,0\r\n";
/// Computed: device error 2, no values.
const FAILED: &[u8] = b"2026,11,22,09,07,                    ,2,   ,   ,   ,0\r\n";
/// Captured, an HBP-9020: 140/77, mean 98, pulse 68.
const CAPTURED: &[u8] = b"bp,99999999999999999999,2023/04/27,15:06,140,098,077,068,3\r\n";

/// The driver's clock when the port is opened.
const OPENING: Time = Time::from_millis(100_000);

/// A driver, and what it has said.
struct Bench<L> {
    driver: Omron<L>,
    now: Time,
    samples: Vec<Sample>,
}

impl<L: Layout> Bench<L> {
    fn new() -> Self {
        let mut driver = Omron::default();
        driver.opened(OPENING);
        Self { driver, now: OPENING, samples: Vec::new() }
    }

    fn hear(&mut self, bytes: &[u8]) -> &mut Self {
        self.driver.decode(bytes, self.now, &mut |sample| self.samples.push(sample));
        self
    }

    /// Time passes, with a poll whenever the driver wants one.
    fn wait(&mut self, span: Span) -> &mut Self {
        let end = self.now + span;
        loop {
            let poll = self.driver.poll(self.now, &mut |sample| self.samples.push(sample));
            assert_eq!(poll.send, None, "nothing is ever sent");
            let Some(next) = poll.next.filter(|next| *next <= end) else { break };
            assert!(next > self.now, "it would be asked for ever");
            self.now = next;
        }
        self.now = end;
        self
    }

    fn results(&self) -> Vec<CuffResult> {
        let result = |sample: &Sample| match sample {
            Sample::CuffResult(result) => *result,
            other => panic!("only results: {other:?}"),
        };
        self.samples.iter().map(result).collect()
    }

    fn pressures(&self) -> Vec<Result<BloodPressure, CuffFailure>> {
        self.results().iter().map(|result| result.pressure).collect()
    }
}

fn hbp9030() -> Bench<Format5> {
    Bench::new()
}

fn hbp9020() -> Bench<Mode5> {
    Bench::new()
}

fn bp(systolic: u16, diastolic: u16, mean: Option<u16>) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, mean).unwrap()
}

fn pulse(bpm: u16) -> Measured<PulseRate> {
    Measured::Good(PulseRate::bpm(bpm).unwrap())
}

fn reading(pressure: Result<BloodPressure, CuffFailure>, pulse: Measured<PulseRate>) -> Reading {
    Reading { pressure, pulse }
}

const NO_PULSE: Measured<PulseRate> = Measured::Absent(Absent::NotMeasured);

#[test]
fn the_vectors_of_the_hbp_9030_are_read() {
    let mut bench = hbp9030();
    bench.hear(GOOD);
    let expected = CuffResult {
        at: OPENING,
        measured_at: OPENING,
        origin: CuffOrigin::Bedside,
        pressure: Ok(bp(128, 82, None)),
        pulse: pulse(71),
    };
    assert_eq!(bench.results(), [expected]);
    bench.wait(Span::mins(2)).hear(FAILED).wait(Span::mins(60));
    assert_eq!(bench.pressures(), [Ok(bp(128, 82, None)), Err(CuffFailure::Unknown(2))]);
    assert_eq!(bench.results()[1].pulse, NO_PULSE);
    // A field is missing.
    let mut bench = hbp9030();
    bench.hear(b"2026,11,22,09,05,                    ,0,128,082,071\r\n");
    assert_eq!((bench.pressures(), bench.driver.stats().length), (Vec::new(), 1));
}

#[test]
fn the_captured_line_of_the_hbp_9020_is_read() {
    let mut bench = hbp9020();
    bench.hear(CAPTURED);
    assert_eq!((bench.pressures(), bench.results()[0].pulse), (Vec::from([Ok(bp(140, 77, Some(98)))]), pulse(68)));
    assert_eq!(bench.results()[0].origin, CuffOrigin::Bedside);
}

#[test]
fn lines_are_made_as_in_the_vectors() {
    let good = reading(Ok(bp(128, 82, None)), pulse(71));
    assert_eq!(hbp9030_line("2026,11,22,09,05", &good), GOOD);
    assert_eq!(hbp9030_line("2026,11,22,09,07", &reading(Err(CuffFailure::Unknown(2)), NO_PULSE)), FAILED);
    let expected = b"bp,                    ,2023/04/27,15:06,140,098,077,068,0\r\n";
    let good = reading(Ok(bp(140, 77, Some(98))), pulse(68));
    assert_eq!(hbp9020_line("2023/04/27,15:06", &good), Some(expected.to_vec()));
    assert_eq!(hbp9020_line("2023/04/27,15:06", &reading(Err(CuffFailure::Failed), NO_PULSE)), None);
}

/// What becomes of a line of which one part is another.
fn with<L: Layout>(line: &[u8], from: &str, to: &str) -> Result<Reading, Reject> {
    let text = String::from_utf8(line.to_vec()).unwrap();
    assert!(text.contains(from), "{text:?}");
    L::parse(text.trim_end().replacen(from, to, 1).as_bytes())
}

#[test]
fn a_line_of_the_hbp_9030_that_is_none_is_rejected_by_reason() {
    let with = with::<Format5>;
    assert_eq!(with(GOOD, ",128", ",28"), Err(Reject::Length), "a digit is lost");
    assert_eq!(with(GOOD, ",071,", ",071;"), Err(Reject::Content));
    for (from, to) in [("128", "1 8"), ("082", " 82"), ("071", "---"), ("128,082,071", "   ,   ,   ")] {
        assert_eq!(with(GOOD, from, to), Err(Reject::Content), "{from} is {to}");
    }
    for (from, to) in [("2026", "20x6"), (",11,", ",1x,"), (",22,", ", 2,"), (",09,", ",x9,"), (",05,", ",0x,")] {
        assert_eq!(with(GOOD, from, to), Err(Reject::Content), "{from} is {to}");
    }
    for error in [" ", "A", "-"] {
        assert_eq!(with(FAILED, ",2,", &format!(",{error},")), Err(Reject::Content), "{error:?}");
    }
    assert_eq!(Format5::parse(b""), Err(Reject::Length));
    assert_eq!(Format5::parse(CAPTURED.trim_ascii_end()), Err(Reject::Length));
}

#[test]
fn an_error_has_no_numbers_whatever_stands_there() {
    let told = with::<Format5>(FAILED, "   ,   ,   ", "128,082,071");
    assert_eq!(told, Ok(reading(Err(CuffFailure::Unknown(2)), NO_PULSE)));
    for code in 1..=9 {
        let told = with::<Format5>(FAILED, ",2,", &format!(",{code},"));
        assert_eq!(told, Ok(reading(Err(CuffFailure::Unknown(code)), NO_PULSE)));
    }
}

#[test]
fn a_line_of_the_hbp_9020_that_is_none_is_rejected_by_reason() {
    let with = with::<Mode5>;
    assert_eq!(with(CAPTURED, "bp", "bq"), Err(Reject::UnknownType));
    assert_eq!(with(CAPTURED, "140", "40"), Err(Reject::Length));
    for (from, to) in
        [("140", "   "), ("098", "---"), ("077", "0 7"), ("068", "06x"), ("2023/", "2023-"), ("15:", "15.")]
    {
        assert_eq!(with(CAPTURED, from, to), Err(Reject::Content), "{from} is {to}");
    }
    assert_eq!(Mode5::parse(GOOD.trim_ascii_end()), Err(Reject::Length));
    // The last column is not known: it may be anything.
    assert!(with(CAPTURED, "068,3", "068, ").is_ok());
}

#[test]
fn numbers_that_cannot_be_are_a_failure_and_no_numbers_not_even_a_pulse() {
    let none = reading(Err(CuffFailure::OutOfRange), NO_PULSE);
    for numbers in ["300,082,071", "128,130,071", "000,000,071", "128,000,071"] {
        assert_eq!(with::<Format5>(GOOD, "128,082,071", numbers), Ok(none), "{numbers}");
    }
    // The mean is not between the other two.
    assert_eq!(with::<Mode5>(CAPTURED, "098", "150"), Ok(none));
}

#[test]
fn a_pulse_that_cannot_be_leaves_the_pressure() {
    let told = with::<Format5>(GOOD, "071", "000").unwrap();
    assert_eq!(told, reading(Ok(bp(128, 82, None)), Measured::Absent(Absent::OutOfRange)));
}

#[test]
fn half_a_line_is_dropped_after_a_second_and_never_joined_to_what_comes_then() {
    for cut in [1, 20, 46, 53] {
        let (first, second) = GOOD.split_at(cut);
        let mut bench = hbp9030();
        bench.hear(first).wait(Span::millis(999)).hear(second);
        assert_eq!(bench.pressures(), [Ok(bp(128, 82, None))], "cut at {cut}: a pause is not the end");

        let mut bench = hbp9030();
        bench.hear(first).wait(Span::secs(1));
        let stats = *bench.driver.stats();
        assert_eq!((stats.length, stats.bytes_skipped), (1, cut as u64), "cut at {cut}");
        bench.hear(GOOD);
        assert_eq!(bench.pressures(), [Ok(bp(128, 82, None))], "cut at {cut}: the next line is whole");

        // A box that looks late does the same.
        let mut bench = hbp9030();
        bench.hear(first);
        bench.now = bench.now + Span::secs(600);
        bench.hear(GOOD);
        assert_eq!(bench.pressures(), [Ok(bp(128, 82, None))], "cut at {cut}, seen late");
        assert_eq!(bench.driver.stats().length, 1);
    }
    // What was cut off is no line of its own either.
    let mut bench = hbp9030();
    bench.hear(&GOOD[..30]).wait(Span::secs(1)).hear(&GOOD[30..]).wait(Span::secs(5));
    assert_eq!((bench.pressures(), bench.driver.stats().length), (Vec::new(), 2));
}

#[test]
fn half_a_line_is_forgotten_when_the_port_is_opened_again() {
    let mut bench = hbp9030();
    bench.hear(&GOOD[..30]);
    bench.driver.opened(bench.now);
    bench.hear(GOOD);
    assert_eq!(bench.pressures(), [Ok(bp(128, 82, None))]);
}

#[test]
fn a_subject_id_may_be_anything_and_is_nowhere_to_be_found() {
    const NAME: &str = "DOE,JANE,0,300,082,0";
    for (line, blank) in [(GOOD, "                    "), (CAPTURED, "99999999999999999999")] {
        let line = String::from_utf8(line.to_vec()).unwrap().replace(blank, NAME);
        let mut drivers = (hbp9030(), hbp9020());
        drivers.0.hear(line.as_bytes()).hear(&line.as_bytes()[..40]);
        drivers.1.hear(line.as_bytes()).hear(&line.as_bytes()[..40]);
        let samples: Vec<_> = drivers.0.samples.iter().chain(&drivers.1.samples).collect();
        assert_eq!(samples.len(), 1, "read by its own driver alone");
        let said = format!("{samples:?} {:?} {:?} ", drivers.0.driver, drivers.1.driver);
        let bytes = format!("{:?}", NAME.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        assert!(!said.contains("DOE") && !said.contains("JANE") && !said.contains(bytes), "{said}");
    }
}

#[test]
fn keeps_the_laws_of_every_driver() {
    let opened = || {
        let mut driver = Hbp9030::default();
        driver.opened(NOW);
        driver
    };
    let stream = [GOOD, FAILED].concat().repeat(2);
    laws::splits_do_not_matter(opened, &stream);
    laws::never_panics(opened, &stream);
    // A line that has lost its end is joined to the next: within one instant there is no silence.
    laws::recovers(opened, &stream, &stream, Within { frame: 110, values: 110 });
    assert_eq!(decoded(&mut opened(), &stream).len(), 4);

    let opened = || {
        let mut driver = Hbp9020::default();
        driver.opened(NOW);
        driver
    };
    let stream = CAPTURED.repeat(4);
    laws::splits_do_not_matter(opened, &stream);
    laws::never_panics(opened, &stream);
    laws::recovers(opened, &stream, &stream, Within { frame: 120, values: 120 });
}

#[test]
fn say_what_they_are() {
    for (protocol, certainty) in [(&HBP9030, Certainty::Sources), (&HBP9020, Certainty::OneSource)] {
        assert_eq!((protocol.kind, protocol.certainty, protocol.probe_request), (Kind::Push, certainty, None));
        assert_eq!(protocol.cuff, Some(CuffTerms { starts: false, rest: Span::ZERO }));
        let mut driver = AnyDriver::new(protocol.name).expect("registered");
        assert_eq!(driver.protocol().name, protocol.name);
        driver.opened(NOW);
        assert_eq!(driver.request(Request::StartCuff, NOW), Err(Refusal::NotSupported));
    }
}

proptest! {
    #[test]
    fn gives_back_what_was_put_on_it(
        (systolic, diastolic) in (60..=260_u16, 30..=215_u16), mean in 1..100_u16, bpm in 40..=180_u16, code in 0..=9_u8,
    ) {
        prop_assume!(diastolic + 1 < systolic);
        let between = diastolic + 1 + (systolic - diastolic - 2) * mean / 100;
        let with = |mean| reading(Ok(bp(systolic, diastolic, mean)), pulse(bpm));
        let put = match code {
            0 => with(None),
            code => reading(Err(CuffFailure::Unknown(code)), NO_PULSE),
        };
        let line = hbp9030_line("2026,11,22,09,05", &put);
        prop_assert_eq!((line.len(), Format5::parse(line.trim_ascii_end())), (55, Ok(put)));
        let put = with(Some(between));
        let line = hbp9020_line("2026/11/22,09:05", &put).unwrap();
        prop_assert_eq!(Mode5::parse(line.trim_ascii_end()), Ok(put));
    }
}
