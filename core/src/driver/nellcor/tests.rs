//! Vectors from the sheet: the *captured* line came from a device. And the laws of every driver.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Field, Line, Nellcor, header, print};
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::driver::{AnyDriver, Driver, OwnAlarm, Reject};
use crate::sample::{Notice, Oximetry, Sample};
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PulseRate, Spo2};

/// Captured, N-560.
const CAPTURED: &str = "07-Jan-04 11:24:54   100     102      36    MO             AO";
/// As a developer quoted it, blanks collapsed.
const QUOTED: &str = "02-Feb-00 13:26:32 100 139 30 MO";
/// From a manual, blanks collapsed.
const MANUAL: &str = "12-NOV-98 14:00:05 100 120 50";
/// Computed, and so are those below.
const LOW: &str = "15-Mar-24 14:30:05    85*    118      41    SL";
const DISCONNECTED: &str = "15-Mar-24 14:30:07   ---     ---     ---    SD        LB";
const THREE_CODES: &str = "15-Mar-24 14:30:09    92     131*     12    PH   MO        AS";
const HEADER: [&str; 3] = [
    "N-595    VERSION 2.0.0.0    CRC:1A2B  SpO2 Limit: 90-100%    PR Limit: 50-120BPM",
    "                             ADULT           0SAT-S  SPO2 RESP MODE: NORMAL",
    "TIME                 %SpO2   BPM     PA     Status",
];
/// The form of a trend's header.
const TREND: &str = "N-560    VERSION 1.61.00    TREND     SpO2 Limit: 95-100%    PR Limit: 59-148BPM";

fn says(lines: &[&str]) -> Vec<Sample> {
    let text = lines.join("\r\n") + "\r\n";
    decoded(&mut Nellcor::default(), text.as_bytes())
}

fn numbers(samples: &[Sample]) -> Vec<(Measured<Spo2>, Measured<PulseRate>)> {
    let numbers = |sample: &Sample| match sample {
        Sample::Oximetry(Oximetry { spo2, pulse, perfusion_index, .. }) => {
            assert_eq!(*perfusion_index, Measured::Absent(Absent::NotMeasured), "the amplitude is no index");
            Some((*spo2, *pulse))
        }
        _ => None,
    };
    samples.iter().filter_map(numbers).collect()
}

fn notices(samples: &[Sample]) -> Vec<Notice> {
    let notice = |sample: &Sample| if let Sample::Notice { notice, .. } = sample { Some(*notice) } else { None };
    samples.iter().filter_map(notice).collect()
}

fn good(percent: u16, bpm: u16) -> (Measured<Spo2>, Measured<PulseRate>) {
    (Measured::Good(Spo2::percent(percent).unwrap()), Measured::Good(PulseRate::bpm(bpm).unwrap()))
}

fn doubted(percent: u16, bpm: u16, doubt: Doubt) -> (Measured<Spo2>, Measured<PulseRate>) {
    let (spo2, pulse) = good(percent, bpm);
    (spo2.doubted(doubt), pulse.doubted(doubt))
}

fn none(why: Absent) -> (Measured<Spo2>, Measured<PulseRate>) {
    (Measured::Absent(why), Measured::Absent(why))
}

#[test]
fn lines_read_as_the_sheet_says() {
    for (line, expected) in [
        (CAPTURED, doubted(100, 102, Doubt::Motion)),
        (QUOTED, doubted(100, 139, Doubt::Motion)),
        (MANUAL, good(100, 120)),
        (LOW, good(85, 118)),
        (DISCONNECTED, none(Absent::SensorFault)),
        (THREE_CODES, doubted(92, 131, Doubt::Motion)),
    ] {
        assert_eq!(numbers(&says(&[line])), [expected], "{line}");
    }
}

#[test]
fn every_status_code_does_what_the_sheet_says() {
    for (codes, with_numbers, without) in [
        ("", good(97, 72), none(Absent::Searching)),
        ("SD", none(Absent::SensorFault), none(Absent::SensorFault)),
        ("SO", none(Absent::SensorOff), none(Absent::SensorOff)),
        ("LP", none(Absent::NoPulse), none(Absent::NoPulse)),
        ("LM", none(Absent::NoPulse), none(Absent::NoPulse)),
        ("PS", doubted(97, 72, Doubt::Artefact), none(Absent::Searching)),
        ("MO", doubted(97, 72, Doubt::Motion), none(Absent::InadequateSignal)),
        ("AO", good(97, 72), none(Absent::Searching)),
        ("AS", good(97, 72), none(Absent::Searching)),
        ("LB", good(97, 72), none(Absent::Searching)),
        ("PH", good(97, 72), none(Absent::Searching)),
        ("PL", good(97, 72), none(Absent::Searching)),
        ("SH", good(97, 72), none(Absent::Searching)),
        ("SL", good(97, 72), none(Absent::Searching)),
        // One that no sheet knows.
        ("ZZ", good(97, 72), none(Absent::Searching)),
        // The gravest of several counts: with the sensor off nothing can be said of a pulse.
        ("LP   SO", none(Absent::SensorOff), none(Absent::SensorOff)),
        ("PS   MO", doubted(97, 72, Doubt::Motion), none(Absent::Searching)),
        ("SL   PL   LB   LP", none(Absent::NoPulse), none(Absent::NoPulse)),
    ] {
        let line = format!("15-Mar-24 14:30:05    97      72      41    {codes}");
        assert_eq!(numbers(&says(&[&line])), [with_numbers], "{line}");
        for blank in ["---", "  0", "---*"] {
            let line = format!("15-Mar-24 14:30:05   {blank}     {blank}     {blank}    {codes}");
            assert_eq!(numbers(&says(&[&line])), [without], "{line}");
        }
    }
}

#[test]
fn numbers_out_of_range_are_absent_and_never_clamped() {
    assert_eq!(numbers(&says(&["15-Mar-24 14:30:05   101     301      41"])), [none(Absent::OutOfRange)]);
    assert_eq!(
        numbers(&says(&["15-Mar-24 14:30:05    97      19      41"])),
        [(good(97, 72).0, none(Absent::OutOfRange).1)]
    );
}

#[test]
fn headers_and_other_text_are_no_values_and_no_fault() {
    let mut driver = Nellcor::default();
    let info = "N-595 VERSION 2.0.0.0 INFO CRC:1A2B SEC:15/03/24";
    // A cut line, a header, an information line, the menu.
    let other = ["4:54   100     102      36", HEADER[0], HEADER[1], HEADER[2], info, "NPB-595   Interactive Mode"];
    let text = format!("{}\r\n{MANUAL}\r\n", other.join("\r\n"));
    assert_eq!(numbers(&decoded(&mut driver, text.as_bytes())), [good(100, 120)]);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects()), (1, 0));
    assert_eq!(driver.stats().bytes_skipped, other.iter().map(|line| line.len() as u64).sum::<u64>());
    assert!(driver.lock().locked);
}

#[test]
fn a_trend_is_the_past_and_not_told() {
    let trend = [TREND, "TIME                 %SpO2   BPM     PA", "15-Mar-24 02:00:00    71      40      12"];
    let numbers_after = |line| numbers(&says(&[&[MANUAL][..], &trend, &[line, MANUAL]].concat()));
    assert_eq!(numbers_after("Output Complete"), [good(100, 120); 2]);
    assert_eq!(numbers_after(HEADER[0]), [good(100, 120); 2], "live again without having said so");
    assert_eq!(numbers_after(HEADER[2]), [good(100, 120)]);
    let mut driver = Nellcor::default();
    decoded(&mut driver, (trend.join("\r\n") + "\r\n").as_bytes());
    assert_eq!((driver.stats().good_frames, driver.stats().rejects()), (0, 0));
    driver.opened(NOW);
    assert_eq!(numbers(&decoded(&mut driver, format!("{MANUAL}\r\n").as_bytes())), [good(100, 120)]);
}

#[test]
fn r10_5_the_device_s_own_alarm_is_told_when_it_is_silenced_and_when_it_is_back() {
    assert_eq!(super::PROTOCOL.own_alarm, OwnAlarm::Reported);
    assert_eq!(notices(&says(&[MANUAL, LOW, MANUAL])), [], "it was on all the time");
    assert_eq!(
        notices(&says(&[CAPTURED, THREE_CODES, MANUAL, HEADER[0], MANUAL])),
        [Notice::OwnAlarmOff, Notice::OwnAlarmOn],
        "off, then silenced: one and the same"
    );
    let mut driver = Nellcor::default();
    decoded(&mut driver, format!("{CAPTURED}\r\n").as_bytes());
    driver.opened(NOW);
    assert_eq!(notices(&decoded(&mut driver, format!("{MANUAL}\r\n").as_bytes())), [Notice::OwnAlarmOn]);
}

#[test]
fn a_low_battery_is_told_when_it_becomes_low() {
    assert_eq!(
        notices(&says(&[DISCONNECTED, DISCONNECTED, MANUAL, DISCONNECTED])),
        [Notice::BatteryLow, Notice::BatteryLow]
    );
}

#[test]
fn a_line_that_is_not_as_it_must_be_is_rejected_and_counted() {
    let long = CAPTURED.repeat(5);
    for (line, reason) in [
        ("15-Mar-24 14:30:05   100     102", Reject::Content),
        ("15-Mar-24 14:30:05   100     MO     36", Reject::Content),
        ("15-Mar-24 14:30:05   100    1102      36", Reject::Content),
        ("15-Mar-24 14:30:05   100     1O2      36", Reject::Content),
        ("15-Mar-24 14:30:05   1-0     102      36", Reject::Content),
        ("15-Mar-24 14:30:05   100     *        36", Reject::Content),
        ("15-Mar-24 14:30:05   100**   102      36", Reject::Content),
        ("15-Mar-24 14:30:05   100     102      36    M", Reject::Content),
        ("15-Mar-24 14:30:05   100     102      36    Mo", Reject::Content),
        ("15-Mar-24 14:30:05   100     102      36    MOO", Reject::Content),
        ("15-Mar-24 14:30:05   100     102      36    MO   SL   PL   AO   LB", Reject::Content),
        ("15-Mar-24 14:30:05   100     102      3615-Mar-24 14:30:07   100     102      36", Reject::Content),
        ("15-Mar-24 14:30:05   100     1\u{7}2      36", Reject::Framing),
        (&long, Reject::Length),
    ] {
        let mut driver = Nellcor::default();
        assert_eq!(decoded(&mut driver, format!("{line}\r\n").as_bytes()), [], "{line}");
        assert_eq!((driver.stats().rejects(), driver.stats().rejected(reason)), (1, 1), "{line}");
        assert_eq!(driver.stats().bytes_skipped, line.len() as u64, "{line}");
        assert!(!driver.lock().locked, "{line}");
    }
}

#[test]
fn it_is_a_driver_of_its_name_that_never_sends_anything() {
    let mut driver = AnyDriver::new("nellcor").unwrap();
    driver.opened(Time::ZERO);
    let poll = driver.poll(Time::from_millis(60_000), &mut |sample| panic!("{sample:?}"));
    assert_eq!((poll.send, poll.next), (None, None));
    assert_eq!(driver.protocol().probe_request, None);
}

#[test]
fn a_device_prints_what_was_captured() {
    let field = |value, alarms| Field { value: Some(value), alarms };
    let captured = Line {
        spo2: field(100, false),
        pulse: field(102, false),
        amplitude: field(36, false),
        status: [Some(*b"MO"), None, None, Some(*b"AO")],
    };
    let three_codes = Line {
        spo2: field(92, false),
        pulse: field(131, true),
        amplitude: field(12, false),
        status: [Some(*b"PH"), Some(*b"MO"), None, Some(*b"AS")],
    };
    let disconnected = Line { status: [Some(*b"SD"), None, Some(*b"LB"), None], ..Line::default() };
    for (line, expected) in [(captured, CAPTURED), (three_codes, THREE_CODES), (disconnected, DISCONNECTED)] {
        let text = print(&line, Time::ZERO);
        assert_eq!(text.strip_prefix("01-Jan-24 00:00:00").map(String::from), Some(format!("{}\r\n", &expected[18..])));
    }
    assert_eq!(header((90, 100), (50, 120)), HEADER.join("\r\n") + "\r\n");
}

#[test]
fn it_keeps_the_laws() {
    let lines = [HEADER[0], HEADER[1], HEADER[2], CAPTURED, LOW, DISCONNECTED, THREE_CODES].join("\r\n") + "\r\n";
    let with_trend = format!("{lines}{TREND}\r\n{MANUAL}\r\nOutput Complete\r\n{lines}");
    laws::splits_do_not_matter(Nellcor::default, with_trend.as_bytes());
    laws::never_panics(Nellcor::default, with_trend.as_bytes());
    let after = format!("{LOW}\r\n").repeat(4);
    // The line that garbage runs into, and the next.
    let two = 2 * (LOW.len() + 2);
    laws::recovers(Nellcor::default, lines.as_bytes(), after.as_bytes(), Within { frame: two, values: two });
}

/// Any line that a device might print.
fn any_line() -> impl Strategy<Value = Line> {
    let field =
        || (proptest::option::of(0_u16..=999), any::<bool>()).prop_map(|(value, alarms)| Field { value, alarms });
    let letters = (b'A'..=b'Z', b'A'..=b'Z').prop_map(|(first, second)| [first, second]);
    let status = proptest::array::uniform4(proptest::option::of(letters));
    (field(), field(), field(), status).prop_map(|(spo2, pulse, amplitude, status)| Line {
        spo2,
        pulse,
        amplitude,
        status,
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read(line in any_line(), at in 0_u64..200_000_000) {
        let text = print(&line, Time::from_millis(at));
        let read = Line::parse(text.trim_end().as_bytes());
        let read = read.unwrap().unwrap();
        prop_assert_eq!((read.spo2, read.pulse, read.amplitude), (line.spo2, line.pulse, line.amplitude));
        // Read as words: which of its places a code stands in is not kept.
        prop_assert!(read.status.iter().flatten().eq(line.status.iter().flatten()));
    }
}
