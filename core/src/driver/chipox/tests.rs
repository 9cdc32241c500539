//! Vectors from the sheet, computed from its rules; none was captured.

use std::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::driver::AnyDriver;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::Spo2;

const SPO2_97: [u8; 7] = [0xa8, 0x7f, 0x01, 0x61, 0x01, 0xe1, 0xa8];
const PULSE_72: [u8; 8] = [0xa8, 0x7f, 0x02, 0x00, 0x48, 0x85, 0xc9, 0xa8];
const PULSE_150: [u8; 8] = [0xa8, 0x7f, 0x02, 0x00, 0x96, 0x86, 0x17, 0xa8];
const FINGER_OUT_AND_SEARCHING: [u8; 8] = [0xa8, 0x7f, 0x08, 0x00, 0x0a, 0xb1, 0x91, 0xa8];
const WAVE_LOW_AND_MOTION: [u8; 8] = [0xa8, 0x7f, 0x08, 0x02, 0x24, 0xa3, 0xad, 0xa8];

fn wire(content: Content<'_>) -> Vec<u8> {
    let mut wire = Vec::new();
    content.encode(&mut |byte| wire.push(byte));
    wire
}

fn status(bits: u16) -> Vec<u8> {
    wire(Content::Status(Status(bits)))
}

/// A driver in step that has heard that all is well, and 97 % and 72 bpm.
fn measuring() -> Chipox {
    let mut driver = Chipox::default();
    driver.opened(NOW);
    decoded(&mut driver, &[&status(0)[..], &SPO2_97, &PULSE_72].concat());
    assert!(driver.lock().locked);
    driver
}

fn says(bytes: &[u8]) -> Vec<Sample> {
    decoded(&mut measuring(), bytes)
}

fn says_at(driver: &mut Chipox, bytes: &[u8], ms: u64) -> Vec<Sample> {
    let mut samples = Vec::new();
    driver.decode(bytes, NOW + Span::millis(ms), &mut |sample| samples.push(sample));
    samples
}

fn oximetry(ms: u64, spo2: Measured<Spo2>, pulse: Measured<PulseRate>) -> Sample {
    let at = NOW + Span::millis(ms);
    Sample::Oximetry(Oximetry { at, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) })
}

const fn percent(percent: u16) -> Measured<Spo2> {
    Measured::in_range(Spo2::percent(percent))
}

const fn bpm(bpm: u16) -> Measured<PulseRate> {
    Measured::in_range(PulseRate::bpm(bpm))
}

fn none(why: Absent) -> Sample {
    oximetry(0, Measured::Absent(why), Measured::Absent(why))
}

fn points(values: &[u16]) -> Vec<Sample> {
    values.iter().map(|value| Sample::Pleth { at: NOW, value: *value }).collect()
}

#[test]
fn saturation_and_pulse_come_from_frames_of_their_own() {
    assert_eq!(says(&SPO2_97), [oximetry(0, percent(97), bpm(72))]);
    assert_eq!(says(&PULSE_72), [oximetry(0, percent(97), bpm(72))]);
    assert_eq!(says(&PULSE_150), [oximetry(0, percent(97), bpm(150))]);
}

#[test]
fn a_status_that_says_not_measuring_takes_both_values_away_at_once() {
    assert_eq!(says(&FINGER_OUT_AND_SEARCHING), [none(Absent::SensorOff)]);
    // And a value that the module still sends is not shown.
    assert_eq!(says(&[&FINGER_OUT_AND_SEARCHING[..], &SPO2_97].concat())[1], none(Absent::SensorOff));
}

#[test]
fn a_status_that_doubts_makes_both_values_questionable() {
    let doubted = |doubt| oximetry(0, percent(97).doubted(doubt), bpm(72).doubted(doubt));
    assert_eq!(says(&WAVE_LOW_AND_MOTION), [doubted(Doubt::Motion)]);
    for (bit, doubt) in [
        (5, Doubt::LowPerfusion),
        (6, Doubt::LowPerfusion),
        (7, Doubt::Artefact),
        (8, Doubt::Artefact),
        (9, Doubt::Motion),
    ] {
        assert_eq!(says(&status(1 << bit)), [doubted(doubt)], "bit {bit}");
    }
}

#[test]
fn each_bit_of_the_sheets_table_that_means_no_value_has_its_reason_and_the_others_change_nothing() {
    for (bit, why) in [
        (0, Absent::SensorFault),
        (1, Absent::SensorOff),
        (3, Absent::Searching),
        (4, Absent::NoPulse),
        (10, Absent::SensorFault),
        (13, Absent::SensorFault),
        (14, Absent::OutOfRange),
    ] {
        assert_eq!(says(&status(1 << bit)), [none(why)], "bit {bit}");
        let with_doubt = 1 << bit | Status::MOTION | Status::LOW_SIGNAL;
        assert_eq!(says(&status(with_doubt)), [none(why)], "bit {bit}: absent rather than doubted");
    }
    for bit in [2, 11, 12, 15] {
        assert_eq!(says(&status(1 << bit)), [oximetry(0, percent(97), bpm(72))], "bit {bit}");
    }
    // A finger that is out is no patient without a pulse (row 25), however long the search.
    let out = Status::FINGER_OUT | Status::SEARCHING | Status::SEARCHING_LONG;
    assert_eq!(says(&status(out)), [none(Absent::SensorOff)]);
    assert_eq!(says(&status(Status::SEARCHING | Status::SEARCHING_LONG)), [none(Absent::NoPulse)]);
}

#[test]
fn without_a_status_word_there_is_no_value() {
    let mut driver = Chipox::default();
    let said = decoded(&mut driver, &[&SPO2_97[..], &PULSE_72, &SPO2_97].concat());
    assert_eq!(said, [none(Absent::NeverReceived)]);
    assert_eq!(decoded(&mut driver, &status(0)), [oximetry(0, percent(97), bpm(72))]);
}

#[test]
fn what_no_longer_comes_is_stale_and_not_told_again() {
    let mut driver = measuring();
    let regular = [status(0), SPO2_97.to_vec()].concat();
    assert_eq!(says_at(&mut driver, &regular, 2_000)[1], oximetry(2_000, percent(97), bpm(72)));
    assert_eq!(says_at(&mut driver, &regular, 3_000)[1], oximetry(3_000, percent(97), bpm(72)));
    let stale = Measured::Absent(Absent::Stale);
    assert_eq!(says_at(&mut driver, &regular, 3_001)[1], oximetry(3_001, percent(97), stale), "the pulse");
    let driver = &mut measuring();
    says_at(driver, &status(0), 2_000);
    assert_eq!(says_at(driver, &PULSE_72, 3_001), [oximetry(3_001, Measured::Absent(Absent::Stale), bpm(72))]);
    let driver = &mut measuring();
    let values = [&SPO2_97[..], &PULSE_72].concat();
    let expected = oximetry(3_001, Measured::Absent(Absent::Stale), Measured::Absent(Absent::Stale));
    assert_eq!(says_at(driver, &values, 3_001), [expected, expected], "the status word");
    // What a reason explains is told with that reason.
    let driver = &mut measuring();
    let expected = oximetry(9_000, Measured::Absent(Absent::SensorOff), Measured::Absent(Absent::SensorOff));
    assert_eq!(says_at(driver, &FINGER_OUT_AND_SEARCHING, 9_000), [expected]);
}

#[test]
fn what_came_before_the_finger_was_out_is_not_told_of_the_finger_that_is_back() {
    let mut driver = measuring();
    says_at(&mut driver, &FINGER_OUT_AND_SEARCHING, 500);
    let (none, stale) = (Measured::Absent(Absent::Stale), Measured::Absent(Absent::Stale));
    assert_eq!(says_at(&mut driver, &status(0), 1_000), [oximetry(1_000, none, stale)]);
    assert_eq!(says_at(&mut driver, &SPO2_97, 1_500), [oximetry(1_500, percent(97), stale)]);
}

#[test]
fn a_port_that_was_opened_again_knows_nothing_of_before() {
    let mut driver = measuring();
    driver.opened(NOW);
    let said = decoded(&mut driver, &[status(0), status(0), status(0)].concat());
    assert_eq!(said, [none(Absent::NeverReceived)]);
}

#[test]
fn numbers_that_mean_none_or_cannot_be_are_absent() {
    for raw in [0, 101, 127, 255] {
        let expected = oximetry(0, Measured::Absent(Absent::InadequateSignal), bpm(72));
        assert_eq!(says(&wire(Content::Spo2(raw))), [expected], "SpO2 {raw}");
    }
    let none = Absent::InadequateSignal;
    for (raw, why) in [(0, none), (301, none), (0xffff, none), (19, Absent::OutOfRange)] {
        let expected = oximetry(0, percent(97), Measured::Absent(why));
        assert_eq!(says(&wire(Content::Pulse(raw))), [expected], "pulse {raw}");
    }
}

#[test]
fn points_of_the_waveform_come_one_by_one_or_ten_at_a_time() {
    assert_eq!(says(&[0xa8, 0x7f, 0x04, 0xa9, 0x88, 0x0b, 0x2b, 0xa8]), points(&[0xa8]), "stuffed");
    assert_eq!(says(&[0xa8, 0x7f, 0x04, 0xa9, 0x89, 0x0d, 0x2c, 0xa8]), points(&[0xa9]), "stuffed");
    let ten = [0xa8, 0x7f, 0x51, 0x40, 0x42, 0x45, 0x49, 0x4e, 0x52, 0x55, 0x56, 0x55, 0x53, 0xe3, 0xd3, 0xa8];
    assert_eq!(says(&ten), points(&[0x40, 0x42, 0x45, 0x49, 0x4e, 0x52, 0x55, 0x56, 0x55, 0x53]));
}

#[test]
fn frames_are_encoded_as_in_the_sheet() {
    assert_eq!(wire(Content::Spo2(97)), SPO2_97);
    assert_eq!(wire(Content::Pulse(150)), PULSE_150);
    assert_eq!(status(Status::FINGER_OUT | Status::SEARCHING), FINGER_OUT_AND_SEARCHING);
    assert_eq!(status(Status::BEAT | Status::LOW_PULSATION | Status::MOTION), WAVE_LOW_AND_MOTION);
    assert_eq!(wire(Content::Point(0xa8)), [0xa8, 0x7f, 0x04, 0xa9, 0x88, 0x0b, 0x2b, 0xa8]);
}

#[test]
fn one_flag_between_two_frames_is_enough() {
    let shared = [&SPO2_97[..6], &PULSE_150].concat();
    assert_eq!(says(&shared), [oximetry(0, percent(97), bpm(72)), oximetry(0, percent(97), bpm(150))]);
}

#[test]
fn a_frame_that_arrives_damaged_is_counted_and_costs_only_itself() {
    let damaged: [(&[u8], Reject); 5] = [
        (&[0xa8, 0x7f, 0x01, 0x61, 0x01, 0xe2, 0xa8], Reject::Checksum), // the sheet's
        (&[0xa8, 0x7f, 0x01, 0x61, 0xa8], Reject::Length),
        (&[0xa8, 0x7f, 0x01, 0x61, 0x01, 0xe1, 0xa9, 0xa8], Reject::Framing),
        (&[&[0xa8][..], &[0x11; 60], &[0xa8]].concat(), Reject::Length),
        // Two bytes of payload in a frame of one, its checksum right.
        (&[0xa8, 0x7f, 0x01, 0x61, 0x61, 0x25, 0x42, 0xa8], Reject::Length),
    ];
    for (bytes, reason) in damaged {
        let mut driver = measuring();
        assert_eq!(decoded(&mut driver, bytes), [], "{bytes:02x?}");
        assert_eq!((driver.stats().rejected(reason), driver.stats().rejects()), (1, 1), "{bytes:02x?}");
        assert_eq!((driver.lock().good_in_a_row, driver.lock().locked), (0, true));
        let inside = bytes.iter().filter(|byte| **byte != 0xa8).count();
        assert_eq!(driver.stats().bytes_skipped, inside as u64);
        assert_eq!(decoded(&mut driver, &PULSE_150).len(), 1);
    }
}

#[test]
fn other_channels_and_identifiers_are_counted_and_told_nobody() {
    // Checksums by the rule of the sheet: lo is the sum, hi adds up (lo xor byte) and the carries.
    for unknown in [[0xa8, 0x7e, 0x01, 0x61, 0xff, 0xe0, 0xa8], [0xa8, 0x7f, 0x03, 0x61, 0x03, 0xe3, 0xa8]] {
        let mut driver = measuring();
        assert_eq!(decoded(&mut driver, &unknown), []);
        assert_eq!((driver.stats().unknown_type, driver.stats().rejects()), (1, 1), "{unknown:02x?}");
        assert_eq!((driver.stats().bytes_skipped, driver.lock().good_in_a_row), (0, 3));
    }
}

#[test]
fn nothing_is_told_before_3_good_frames_in_a_row() {
    let mut driver = Chipox::default();
    let bad = [0xa8, 0x7f, 0x01, 0x61, 0x01, 0xe2, 0xa8];
    let stream = [&[0x61, 0x01][..], &status(0), &SPO2_97, &bad, &SPO2_97, &PULSE_72].concat();
    assert_eq!(decoded(&mut driver, &stream), []);
    assert_eq!(driver.stats().bytes_skipped, 2 + 5);
    assert_eq!(decoded(&mut driver, &SPO2_97), [oximetry(0, percent(97), bpm(72))]);
}

#[test]
fn it_sends_nothing() {
    let poll = measuring().poll(NOW, &mut |_| ());
    assert_eq!((poll.send, poll.next), (None, None));
}

fn stream() -> Vec<u8> {
    let group = |n: u8| {
        [
            status(Status::BEAT),
            wire(Content::Spo2(97)),
            wire(Content::Pulse(172)),
            wire(Content::Wave(&[0xa0 + n, 0xa1 + n, 0xa2, 0xa8, 0xa9, 7, 8, 9, 10, 11])),
        ]
        .concat()
    };
    (0..6).flat_map(group).collect()
}

#[test]
fn it_keeps_the_laws_of_every_driver() {
    laws::splits_do_not_matter(Chipox::default, &stream());
    laws::never_panics(Chipox::default, &stream());
    laws::recovers(Chipox::default, &stream(), &stream(), Within { frame: 8, values: 50 });
}

#[test]
fn it_is_found_by_name() {
    assert_eq!(AnyDriver::new("chipox").expect("registered").protocol().name, "chipox");
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(
        spo2: u8, pulse: u16, point: u8, bits: u16, wave in vec(any::<u8>(), 1..=30),
    ) {
        let contents = [
            Content::Spo2(spo2), Content::Pulse(pulse), Content::Point(point), Content::Status(Status(bits)),
            Content::Wave(&wave),
        ];
        for content in contents {
            let wire = wire(content);
            let (first, rest) = wire.split_first().unwrap();
            let (last, inside) = rest.split_last().unwrap();
            prop_assert!(*first == 0xa8 && *last == 0xa8 && !inside.contains(&0xa8));
            let mut between = Between::default();
            inside.iter().for_each(|byte| between.push(*byte));
            prop_assert_eq!(between.content(), Ok(content));
        }
    }
}
