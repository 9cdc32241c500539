//! Vectors from the sheet, none of them captured; the others are computed by hand.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::{PulseRate, Spo2};

/// The sheet's vector.
const GOOD_97_72: [u8; 8] = [0x55, 0xaa, 0x06, 0x04, 0x00, 0x61, 0x48, 0x4c];
const GOOD_93_150: [u8; 8] = [0x55, 0xaa, 0x06, 0x04, 0x00, 0x5d, 0x96, 0x02];
const STATUS_1_97_72: [u8; 8] = [0x55, 0xaa, 0x06, 0x04, 0x01, 0x61, 0x48, 0x4b];
const STATUS_80_97_72: [u8; 8] = [0x55, 0xaa, 0x06, 0x04, 0x80, 0x61, 0x48, 0xcc];
const NONE: [u8; 8] = [0x55, 0xaa, 0x06, 0x04, 0x00, 0x7f, 0xff, 0x77];
const POINT_51: [u8; 6] = [0x55, 0xaa, 0x04, 0xfe, 0x33, 0xca];

/// A driver in step.
fn locked() -> BerryBoard {
    let mut driver = BerryBoard::default();
    driver.opened(NOW);
    decoded(&mut driver, &GOOD_97_72.repeat(2));
    assert!(driver.lock().locked);
    driver
}

fn says(bytes: &[u8]) -> Vec<Sample> {
    decoded(&mut locked(), bytes)
}

fn wire(content: Content) -> Vec<u8> {
    let mut wire = Vec::new();
    content.encode(&mut |byte| wire.push(byte));
    wire
}

/// Start, `rest` of which the first byte is N, and the checksum as the sheet has it.
fn framed(rest: &[u8]) -> Vec<u8> {
    let sum: u32 = rest.iter().map(|byte| u32::from(*byte)).sum();
    let [low, ..] = sum.to_le_bytes();
    [&[0x55, 0xaa], rest, &[255 - low]].concat()
}

fn oximetry(spo2: Measured<Spo2>, pulse: Measured<PulseRate>) -> Sample {
    Sample::Oximetry(Oximetry { at: NOW, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) })
}

const fn percent(percent: u16) -> Measured<Spo2> {
    Measured::in_range(Spo2::percent(percent))
}

const fn bpm(bpm: u16) -> Measured<PulseRate> {
    Measured::in_range(PulseRate::bpm(bpm))
}

fn no_value() -> Sample {
    oximetry(Measured::Absent(Absent::InadequateSignal), Measured::Absent(Absent::InadequateSignal))
}

#[test]
fn numbers_come_from_their_bytes() {
    assert_eq!(says(&GOOD_97_72), [oximetry(percent(97), bpm(72))]);
    assert_eq!(says(&GOOD_93_150), [oximetry(percent(93), bpm(150))]);
}

#[test]
fn a_status_that_is_not_0_takes_away_the_numbers_that_the_board_still_sends() {
    assert_eq!(says(&STATUS_1_97_72), [no_value()]);
    assert_eq!(says(&STATUS_80_97_72), [no_value()]);
    for status in 1..=255 {
        let numbers = Numbers { status, spo2: 97, pulse: 72 };
        assert_eq!(says(&wire(Content::Numbers(numbers))), [no_value()], "{numbers:?}");
    }
}

#[test]
fn the_numbers_for_none_are_absent_beside_one_that_is_there() {
    assert_eq!(says(&NONE), [no_value()]);
    let none = Absent::InadequateSignal;
    for spo2 in [0, 101, 127, 255] {
        let wire = wire(Content::Numbers(Numbers { status: 0, spo2, pulse: 72 }));
        assert_eq!(says(&wire), [oximetry(Measured::Absent(none), bpm(72))], "{spo2}");
    }
    for (pulse, why) in [(0, none), (255, none), (19, Absent::OutOfRange)] {
        let wire = wire(Content::Numbers(Numbers { status: 0, spo2: 97, pulse }));
        assert_eq!(says(&wire), [oximetry(percent(97), Measured::Absent(why))], "{pulse}");
    }
}

#[test]
fn a_frame_of_the_waveform_is_one_point() {
    assert_eq!(says(&POINT_51), [Sample::Pleth { at: NOW, value: 51 }]);
    assert_eq!(says(&framed(&[0x04, 0xfe, 0xff])), [Sample::Pleth { at: NOW, value: 255 }]);
}

#[test]
fn ecg_cuff_and_temperature_are_good_frames_that_tell_nothing() {
    let others = [
        &[0x55, 0xaa, 0x04, 0x01, 0x80, 0x7a][..],
        &[0x55, 0xaa, 0x06, 0x02, 0x00, 0x48, 0x10, 0x9f],
        &[0x55, 0xaa, 0x08, 0x03, 0x00, 0x00, 0x78, 0x5d, 0x50, 0xcf],
        &[0x55, 0xaa, 0x06, 0x05, 0x00, 0x24, 0x06, 0xca],
        &[0x55, 0xaa, 0x03, 0x30, 0xcc],
        &[0x55, 0xaa, 0x03, 0x31, 0xcb],
        // The sheet's vector of the question after the firmware has the frame of an answer.
        &[0x55, 0xaa, 0x04, 0xfc, 0x00, 0xff],
        &[0x55, 0xaa, 0x04, 0xfd, 0x00, 0xfe],
        &[0x55, 0xaa, 0x04, 0xff, 0x20, 0xdc],
    ];
    let mut driver = locked();
    assert_eq!(decoded(&mut driver, &others.concat()), []);
    let DecodeStats { good_frames, bytes_skipped, .. } = *driver.stats();
    assert_eq!((good_frames, driver.stats().rejects(), bytes_skipped), (2 + 9, 0, 0));
}

#[test]
fn the_checksum_is_that_of_the_sheets_command_for_the_waveform() {
    assert_eq!(wire(Content::Wave(1)), [0x55, 0xaa, 0x04, 0xfe, 0x01, 0xfc]);
}

#[test]
fn unknown_types_and_known_ones_of_another_length_are_counted_and_told_nobody() {
    for (rest, reason) in [
        (&[0x06, 0x06, 0x00, 0x61, 0x48][..], Reject::UnknownType),
        (&[0x03, 0x00], Reject::UnknownType),
        (&[0x05, 0x04, 0x00, 0x61], Reject::Length),
        (&[0x07, 0x04, 0x00, 0x61, 0x48, 0x00], Reject::Length),
        (&[0x03, 0xfe], Reject::Length),
        (&[0x05, 0xfe, 0x10, 0x20], Reject::Length),
    ] {
        let mut driver = locked();
        assert_eq!(decoded(&mut driver, &framed(rest)), []);
        assert_eq!((driver.stats().rejected(reason), driver.stats().rejects()), (1, 1), "{rest:02x?}");
        assert_eq!((driver.stats().bytes_skipped, driver.lock().good_in_a_row), (0, 2));
    }
}

#[test]
fn nothing_is_told_before_2_good_frames_in_a_row() {
    let mut driver = BerryBoard::default();
    let stream = [&GOOD_97_72[2..], &GOOD_97_72, &[0x00], &GOOD_97_72].concat();
    assert_eq!(decoded(&mut driver, &stream), []);
    assert_eq!((driver.stats().good_frames, driver.stats().bytes_skipped), (2, 7));
    assert_eq!(decoded(&mut driver, &GOOD_93_150), [oximetry(percent(93), bpm(150))]);
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &GOOD_97_72), [], "nor after the port was opened again");
}

#[test]
fn a_wrong_checksum_costs_only_its_frame() {
    let mut driver = locked();
    let mut bad = GOOD_97_72;
    bad[5] ^= 1;
    assert_eq!(decoded(&mut driver, &bad), []);
    assert_eq!((driver.stats().checksum, driver.stats().rejects(), driver.stats().bytes_skipped), (1, 1, 8));
    assert_eq!(decoded(&mut driver, &GOOD_93_150), [oximetry(percent(93), bpm(150))]);
}

#[test]
fn a_good_frame_within_what_looked_like_another_is_found() {
    // A false start that claims 16 bytes, and two good frames after it.
    let stream = [&[0x55, 0xaa, 0x10][..], &GOOD_93_150, &GOOD_93_150].concat();
    assert_eq!(says(&stream), [oximetry(percent(93), bpm(150)); 2]);
    // Claims that no frame makes keep nothing waiting.
    for length in [0x00, 0x02, 0x11, 0xff] {
        let mut driver = locked();
        let stream = [&[0x55, 0xaa, length][..], &GOOD_93_150].concat();
        assert_eq!(decoded(&mut driver, &stream), [oximetry(percent(93), bpm(150))]);
        assert_eq!((driver.stats().length, driver.stats().bytes_skipped), (1, 3));
    }
    assert_eq!(says(&[&[0x55][..], &GOOD_93_150].concat()), [oximetry(percent(93), bpm(150))]);
}

#[test]
fn it_sends_nothing() {
    assert_eq!(locked().poll(NOW, &mut |_| ()), Poll::default());
}

#[test]
fn it_keeps_the_laws_of_every_driver() {
    let part = [&GOOD_97_72[..], &POINT_51, &STATUS_1_97_72, &POINT_51, &GOOD_93_150, &NONE].concat();
    let stream = part.repeat(3);
    laws::splits_do_not_matter(BerryBoard::default, &stream);
    laws::never_panics(BerryBoard::default, &stream);
    // A false start that claims 16 bytes holds up one or two frames, and one that fits by chance eats them.
    laws::recovers(BerryBoard::default, &stream, &stream, Within { frame: 26, values: 60 });
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(status: u8, spo2: u8, pulse: u8, point: u8) {
        for content in [Content::Numbers(Numbers { status, spo2, pulse }), Content::Wave(point)] {
            let wire = wire(content);
            prop_assert_eq!(at_start_of(&wire), Found::Frame { length: wire.len(), content: Ok(Some(content)) });
        }
    }
}
