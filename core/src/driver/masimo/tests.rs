//! Vectors from the sheet: *captured* lines came from devices. And the laws of every driver.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Form, Line, Masimo, alarm, exception, print};
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::driver::{AnyDriver, Driver, OwnAlarm, Reject};
use crate::sample::{IdentityPart, Notice, Oximetry, Sample};
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PerfusionIndex, PulseRate, Spo2};

/// Captured, Rad-8.
const RAD_8: &str = "02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=097 PI=03.60% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=000800";
/// Captured, Rad-8, four seconds later.
const RAD_8_LATER: &str = "02/22/16 22:47:49 SN=0000056661 SPO2=098% BPM=097 PI=02.41% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=000800";
/// Captured, Rad-8: the sensor is off, the numbers are still there.
const RAD_8_OFF: &str = "05/20/21 14:06:02 SN=0000182948 SPO2=098% BPM=101 PI=--.--% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0010 EXC=000824";
/// Captured, Rad-8: muted.
const RAD_8_MUTED: &str = "03/06/05 21:11:30 SN=0000066575 SPO2=098% BPM=057 PI=07.02% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0038 EXC=000800";
/// Captured, Radical-7 with a colour screen.
const COLOUR: &str = "03/17/16 19:19:36 SN=---------- SPO2=098% BPM=123 PI=00.55 SPCO=--% SPMET=--.-% SPHB=--.- SPOC=-- RESVD=--- DESAT=-- PIDELTA=+-- PVI=--- ALARM=000000 EXC=0000C00 EXC1=00000000";
/// From the service manual of the blue Radical-7.
const BLUE: &str = "05/15/07 08:12:21 SN=0000070986 SPO2=---% BPM=--- PI=--.--% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000";
/// As a user quoted it, Rad-8 without a sensor.
const NO_SENSOR: &str = "03/19/16 13:37:12 SN=0000093112 SPO2=---% BPM=---% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=000001";
/// Computed.
const LOW: &str = "01/02/24 03:04:05 SN=0000000001 SPO2=085% BPM=044 PI=00.42% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=001A EXC=000804";

fn says(lines: &[&str]) -> Vec<Sample> {
    let text = lines.join("\r\n\r\n") + "\r\n";
    decoded(&mut Masimo::default(), text.as_bytes())
}

fn numbers(samples: &[Sample]) -> Vec<Oximetry> {
    let numbers = |sample: &Sample| if let Sample::Oximetry(oximetry) = sample { Some(*oximetry) } else { None };
    samples.iter().filter_map(numbers).collect()
}

fn notices(samples: &[Sample]) -> Vec<Notice> {
    let notice = |sample: &Sample| if let Sample::Notice { notice, .. } = sample { Some(*notice) } else { None };
    samples.iter().filter_map(notice).collect()
}

fn serials(samples: &[Sample]) -> Vec<&str> {
    let text = |sample| match sample {
        &Sample::Identity { part: IdentityPart::Serial, ref text, .. } => Some(text.as_str()),
        _ => None,
    };
    samples.iter().filter_map(text).collect()
}

fn good(percent: u16, bpm: u16, hundredths: u16) -> Oximetry {
    Oximetry {
        at: NOW,
        spo2: Measured::Good(Spo2::percent(percent).unwrap()),
        pulse: Measured::Good(PulseRate::bpm(bpm).unwrap()),
        perfusion_index: Measured::Good(PerfusionIndex::hundredths(hundredths).unwrap()),
    }
}

fn doubted(percent: u16, bpm: u16, hundredths: u16, doubt: Doubt) -> Oximetry {
    let Oximetry { at, spo2, pulse, perfusion_index } = good(percent, bpm, hundredths);
    let perfusion_index = perfusion_index.doubted(doubt);
    Oximetry { at, spo2: spo2.doubted(doubt), pulse: pulse.doubted(doubt), perfusion_index }
}

fn none(why: Absent) -> Oximetry {
    let (spo2, pulse, perfusion_index) = (Measured::Absent(why), Measured::Absent(why), Measured::Absent(why));
    Oximetry { at: NOW, spo2, pulse, perfusion_index }
}

#[test]
fn lines_read_as_on_the_display() {
    for (line, expected) in [
        (RAD_8, good(98, 97, 360)),
        (RAD_8_LATER, good(98, 97, 241)),
        (RAD_8_OFF, none(Absent::SensorOff)),
        (RAD_8_MUTED, good(98, 57, 702)),
        (COLOUR, doubted(98, 123, 55, Doubt::Artefact)),
        (BLUE, none(Absent::Searching)),
        (NO_SENSOR, none(Absent::SensorFault)),
        (LOW, doubted(85, 44, 42, Doubt::LowPerfusion)),
    ] {
        assert_eq!(numbers(&says(&[line])), [expected], "{line}");
    }
}

#[test]
fn keys_may_come_in_any_order_beside_others_that_nobody_knows() {
    let line = "02/22/16 22:47:45 EXC=800 RRA=012 NEW PI=03.60 BPM=097% SPO2=098%";
    assert_eq!(says(&[line]), [Sample::Oximetry(good(98, 97, 360))]);
}

#[test]
fn every_bit_of_exc_does_what_the_sheet_says() {
    use exception::*;
    let with = |exceptions| {
        let line = Line { spo2: Some(98), pulse: Some(97), perfusion_index: Some(360), exceptions, ..Line::default() };
        let blank = Line { exceptions, ..Line::default() };
        let read = |line: &Line| numbers(&decoded(&mut Masimo::default(), print(line, Form::Rad8, NOW).as_bytes()));
        (read(&line)[0], read(&blank)[0])
    };
    let artefact = (doubted(98, 97, 360, Doubt::Artefact), none(Absent::InadequateSignal));
    for (bit, expected) in [
        (NO_SENSOR, (none(Absent::SensorFault), none(Absent::SensorFault))),
        (DEFECTIVE_SENSOR, (none(Absent::SensorFault), none(Absent::SensorFault))),
        (UNKNOWN_SENSOR, (none(Absent::SensorFault), none(Absent::SensorFault))),
        (SENSOR_OFF, (none(Absent::SensorOff), none(Absent::SensorOff))),
        (PULSE_SEARCH, (none(Absent::Searching), none(Absent::Searching))),
        (LOW_PERFUSION, (doubted(98, 97, 360, Doubt::LowPerfusion), none(Absent::InadequateSignal))),
        (INTERFERENCE, artefact),
        (AMBIENT_LIGHT, artefact),
        (LOW_SIGNAL_IQ, artefact),
        (SET_MODE, (good(98, 97, 360), none(Absent::Searching))),
        (0x100, (good(98, 97, 360), none(Absent::Searching))),
        (0x200, (good(98, 97, 360), none(Absent::Searching))),
    ] {
        assert_eq!(with(bit), expected, "{bit:03X}");
        assert_eq!(with(bit | SET_MODE), expected, "{bit:03X} in SET mode");
    }
    // The trend section's 828: the sensor comes first.
    assert_eq!(with(SET_MODE | SENSOR_OFF | PULSE_SEARCH).0, none(Absent::SensorOff));
    assert_eq!(with(LOW_SIGNAL_IQ | LOW_PERFUSION).0, doubted(98, 97, 360, Doubt::Artefact));
}

#[test]
fn numbers_out_of_range_are_absent_and_never_clamped() {
    let line = "01/02/24 03:04:05 SPO2=101% BPM=019 PI=20.01% EXC=000800";
    assert_eq!(numbers(&says(&[line])), [none(Absent::OutOfRange)]);
    let nothing = "01/02/24 03:04:05 SPO2=000% BPM=000 PI=00.00% EXC=000800";
    let expected = Oximetry { perfusion_index: Measured::Absent(Absent::InadequateSignal), ..none(Absent::OutOfRange) };
    assert_eq!(numbers(&says(&[nothing])), [expected]);
}

#[test]
fn a_dash_anywhere_in_a_number_means_none() {
    let line = "01/02/24 03:04:05 SPO2=0-8% BPM=-97 PI=03.6-% EXC=000800";
    assert_eq!(numbers(&says(&[line])), [none(Absent::Searching)]);
}

#[test]
fn r10_5_the_device_s_own_alarm_is_told_when_it_is_muted_and_when_it_is_back() {
    assert_eq!(super::PROTOCOL.own_alarm, OwnAlarm::Reported);
    assert_eq!(notices(&says(&[RAD_8, RAD_8])), [], "it was on all the time");
    assert_eq!(
        notices(&says(&[RAD_8, RAD_8_MUTED, RAD_8_MUTED, NO_SENSOR])),
        [Notice::OwnAlarmOff, Notice::OwnAlarmOn]
    );
    // 3A, with the sensor off, as one project saw it; then a line of which nothing is known.
    let silent = "01/02/24 03:04:06 SPO2=098% BPM=097 EXC=000800";
    let off = "01/02/24 03:04:05 SPO2=098% BPM=097 ALARM=003A EXC=000820";
    assert_eq!(notices(&says(&[off, silent])), [Notice::OwnAlarmOff]);
    // Limits that the device has passed are no business of ours.
    assert_eq!(notices(&says(&[LOW])), []);
}

#[test]
fn a_mute_that_ends_while_the_port_is_closed_is_told_once_it_is_open() {
    let mut driver = Masimo::default();
    decoded(&mut driver, format!("{RAD_8_MUTED}\r\n").as_bytes());
    driver.opened(NOW);
    assert_eq!(notices(&decoded(&mut driver, format!("{RAD_8}\r\n").as_bytes())), [Notice::OwnAlarmOn]);
}

#[test]
fn the_serial_number_is_told_after_opening_and_when_another_stands_there_twice() {
    assert_eq!(
        serials(&says(&[RAD_8, RAD_8_LATER, RAD_8_OFF, RAD_8, COLOUR, RAD_8_OFF, RAD_8_OFF, RAD_8, RAD_8])),
        ["0000056661", "0000182948", "0000056661"]
    );
    let mut driver = Masimo::default();
    decoded(&mut driver, format!("{RAD_8}\r\n").as_bytes());
    driver.opened(NOW);
    assert_eq!(serials(&decoded(&mut driver, format!("{RAD_8}\r\n").as_bytes())), ["0000056661"]);
}

#[test]
fn other_text_is_no_value_and_no_fault() {
    let mut driver = Masimo::default();
    // A line of a trend file, which writes 000 for none; a cut line; the rest of one.
    let trend = "02/22/16 22:47:46 SpO2=000 PR=000 PI=00.00 EXC=820:OffPat";
    let text = format!("Masimo Rad-8\r\n\r\n{trend}\r\nBPM=097 PI=03.60% EXC=000800\r\n{RAD_8}\r\n");
    assert_eq!(numbers(&decoded(&mut driver, text.as_bytes())), [good(98, 97, 360)]);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects()), (1, 0));
    assert_eq!(driver.stats().bytes_skipped, (12 + trend.len() + 28) as u64);
    assert!(driver.lock().locked);
}

#[test]
fn a_line_that_has_lost_or_gained_a_character_is_rejected_and_counted() {
    let long = format!("{COLOUR} {COLOUR}");
    for (line, reason) in [
        ("2/22/16 22:47:45 SPO2=098% BPM=097 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=08% BPM=097 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=0098% BPM=097 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=97 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=0a7 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BM=097 EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 EXC=", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 EXC=0008G0", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 EXC=00080002/22/16", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 PI=3.60% EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 PI=03,60% EXC=000800", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=097 ALARM=00-0 EXC=000800", Reject::Content),
        // Two lines that have lost what stood between them.
        ("02/22/16 22:47:45 SPO2=098% BPM=097 EXC=000800 SPO2=098% BPM=097 EXC=000820", Reject::Content),
        ("02/22/16 22:47:45 SPO2=098% BPM=0\u{1b}7 EXC=000800", Reject::Framing),
        (&long, Reject::Length),
    ] {
        let mut driver = Masimo::default();
        assert_eq!(decoded(&mut driver, format!("{line}\r\n").as_bytes()), [], "{line}");
        assert_eq!((driver.stats().rejects(), driver.stats().rejected(reason)), (1, 1), "{line}");
        assert_eq!(driver.stats().bytes_skipped, line.len() as u64, "{line}");
        assert!(!driver.lock().locked, "{line}");
    }
}

#[test]
fn it_is_a_driver_of_its_name_that_sends_nothing() {
    let mut driver = AnyDriver::new("masimo-ascii1").unwrap();
    driver.opened(Time::ZERO);
    let poll = driver.poll(Time::ZERO, &mut |sample| panic!("{sample:?}"));
    assert_eq!((poll.send, poll.next), (None, None));
}

#[test]
fn a_device_prints_what_was_captured() {
    let printed = |line: &Line, form| {
        let text = print(line, form, Time::ZERO);
        text.strip_prefix("01/01/24 00:00:00").map(String::from).unwrap()
    };
    let after_stamp = |line: &str| format!("{}\r\n", &line[17..]);
    let line = Line {
        serial: Some(*b"0000066575"),
        spo2: Some(98),
        pulse: Some(57),
        perfusion_index: Some(702),
        alarm: Some(alarm::MUTED | alarm::ACTIVE | alarm::PULSE_LOW),
        exceptions: exception::SET_MODE,
    };
    assert_eq!(printed(&line, Form::Rad8), after_stamp(RAD_8_MUTED));
    let exceptions = exception::SET_MODE | exception::LOW_SIGNAL_IQ;
    let colour = Line {
        spo2: Some(98),
        pulse: Some(123),
        perfusion_index: Some(55),
        alarm: Some(0),
        exceptions,
        ..Line::default()
    };
    assert_eq!(printed(&colour, Form::Radical7Colour), after_stamp(COLOUR));
    let blue = Line { serial: Some(*b"0000070986"), ..Line::default() };
    assert_eq!(printed(&blue, Form::Radical7Blue), after_stamp(BLUE));
}

#[test]
fn it_keeps_the_laws() {
    let lines = [RAD_8, RAD_8_OFF, RAD_8_MUTED, COLOUR, NO_SENSOR, LOW].join("\r\n\r\n") + "\r\n\r\n";
    laws::splits_do_not_matter(Masimo::default, lines.as_bytes());
    laws::never_panics(Masimo::default, lines.as_bytes());
    let after = format!("{RAD_8}\r\n\r\n").repeat(5);
    // The line that garbage runs into, and the next; another serial number is told with the one after.
    let line = RAD_8.len() + 4;
    let within = Within { frame: 2 * line, values: 3 * line };
    laws::recovers(Masimo::default, lines.as_bytes(), after.as_bytes(), within);
}

/// Any line that a device might print.
fn any_line() -> impl Strategy<Value = Line> {
    let number = || proptest::option::of(0_u16..=999);
    let serial = proptest::option::of(any::<[u8; 10]>().prop_map(|bytes| bytes.map(|byte| b'0' + byte % 10)));
    (serial, number(), number(), proptest::option::of(0_u16..=9_999), 0_u32..=0xffff, 0_u32..=0xff_ffff).prop_map(
        |(serial, spo2, pulse, perfusion_index, alarm, exceptions)| {
            let alarm = Some(alarm);
            Line { serial, spo2, pulse, perfusion_index, alarm, exceptions }
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_is_read(line in any_line(), at in 0_u64..200_000_000) {
        for form in [Form::Rad8, Form::Radical7Blue, Form::Radical7Colour] {
            let text = print(&line, form, Time::from_millis(at));
            prop_assert_eq!(Line::parse(text.trim_end().as_bytes()), Ok(Some(line)));
        }
    }
}
