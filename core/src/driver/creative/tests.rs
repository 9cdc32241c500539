//! Vectors from the sheet, *captured* ones marked.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::driver::AnyDriver;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::Spo2;

/// Captured, PC-60FW.
const CAPTURED_97: [u8; 12] = [0xaa, 0x55, 0x0f, 0x08, 0x01, 0x61, 0x40, 0x00, 0x51, 0x00, 0xc0, 0x5b];
const BATTERY_3: [u8; 7] = [0xaa, 0x55, 0xf0, 0x03, 0x03, 0x03, 0xf6];

fn wire(content: Content) -> Vec<u8> {
    let mut wire = Vec::new();
    content.encode(&mut |byte| wire.push(byte));
    wire
}

/// A driver in step.
fn locked() -> Creative {
    let mut driver = Creative::default();
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &[BATTERY_3, BATTERY_3].concat()), []);
    assert!(driver.lock().locked);
    driver
}

fn says(bytes: &[u8]) -> Vec<Sample> {
    decoded(&mut locked(), bytes)
}

fn good(percent: u16, bpm: u16, pi_hundredths: u16) -> Sample {
    Sample::Oximetry(Oximetry {
        at: NOW,
        spo2: Measured::in_range(Spo2::percent(percent)),
        pulse: Measured::in_range(PulseRate::bpm(bpm)),
        perfusion_index: match pi_hundredths {
            0 => Measured::Absent(Absent::InadequateSignal),
            pi => Measured::in_range(PerfusionIndex::hundredths(pi)),
        },
    })
}

fn none(why: Absent) -> Sample {
    let (spo2, pulse) = (Measured::Absent(why), Measured::Absent(why));
    Sample::Oximetry(Oximetry { at: NOW, spo2, pulse, perfusion_index: Measured::Absent(why) })
}

fn point((value, beat): (u8, bool)) -> Point {
    Point { value, beat }
}

fn numbers(samples: &[Sample]) -> Vec<Sample> {
    samples.iter().copied().filter(|sample| matches!(sample, Sample::Oximetry(_))).collect()
}

fn points(samples: &[Sample]) -> Vec<u16> {
    let point = |sample: &Sample| if let Sample::Pleth { value, .. } = sample { Some(*value) } else { None };
    samples.iter().filter_map(point).collect()
}

#[test]
fn captured_numbers_read_as_on_the_display() {
    assert_eq!(says(&CAPTURED_97), [good(97, 64, 810)]);
}

#[test]
fn numbers_come_from_their_bytes() {
    let frame = [0xaa, 0x55, 0x0f, 0x08, 0x01, 0x63, 0x58, 0x00, 0x5c, 0x00, 0xc0, 0x67];
    assert_eq!(says(&frame), [good(99, 88, 920)]);
}

#[test]
fn a_captured_frame_without_numbers_has_none() {
    let frame = [0xaa, 0x55, 0x0f, 0x08, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x96];
    assert_eq!(says(&frame), [none(Absent::InadequateSignal)]);
}

#[test]
fn a_frame_of_the_waveform_has_five_points_without_their_beat_bit() {
    let frame = wire(Content::Wave([(0x48, true), (0x45, false), (0x42, false), (0x3f, false), (0, false)].map(point)));
    assert_eq!(frame[..10], [0xaa, 0x55, 0x0f, 0x07, 0x02, 0xc8, 0x45, 0x42, 0x3f, 0x00], "as the sheet lays it out");
    assert_eq!(points(&says(&frame)), [0x48, 0x45, 0x42, 0x3f, 0x00]);
}

#[test]
fn two_seconds_are_read_from_the_pieces_of_twenty_bytes_in_which_bluetooth_cuts_them() {
    let second = |first: u8, numbers: [u8; 12]| {
        let waves = (0..10)
            .flat_map(|frame| wire(Content::Wave([0, 1, 2, 3, 4].map(|at| point((first + frame * 5 + at, false))))));
        [waves.collect::<Vec<_>>(), numbers.to_vec(), BATTERY_3.to_vec(), wire(Content::Mode([2, 0, 0, 0]))].concat()
    };
    let other = [0xaa, 0x55, 0x0f, 0x08, 0x01, 0x63, 0x58, 0x00, 0x5c, 0x00, 0xc0, 0x67];
    let stream = [second(0, CAPTURED_97), second(50, other)].concat();
    let mut driver = Creative::default();
    let samples: Vec<_> = stream.chunks(20).flat_map(|piece| decoded(&mut driver, piece)).collect();
    assert_eq!(numbers(&samples), [good(97, 64, 810), good(99, 88, 920)]);
    // All frames of the waveform but the first, which proves nothing yet.
    assert_eq!(points(&samples), (5..100).collect::<Vec<u16>>());
    let DecodeStats { good_frames, bytes_skipped, .. } = *driver.stats();
    assert_eq!((good_frames, driver.stats().rejects(), bytes_skipped), (26, 0, 0));
}

#[test]
fn probe_off_and_searching_hide_numbers_that_a_device_still_holds() {
    let held = Numbers { spo2: 97, pulse: 72, perfusion_index: 25, battery: 0xc0, ..Numbers::default() };
    for (numbers, why) in [
        (Numbers { probe_off: true, ..held }, Absent::SensorOff),
        (Numbers { searching: true, ..held }, Absent::Searching),
        (Numbers { probe_off: true, searching: true, ..held }, Absent::SensorOff),
    ] {
        assert_eq!(says(&wire(Content::Numbers(numbers))), [none(why)], "{numbers:?}");
    }
    // The bits where the write-up has them, counted from 0.
    let on_the_wire = |numbers| wire(Content::Numbers(numbers))[9];
    assert_eq!(on_the_wire(Numbers { probe_off: true, ..held }), 0b010);
    assert_eq!(on_the_wire(Numbers { searching: true, ..held }), 0b100);
}

#[test]
fn a_number_that_means_none_or_cannot_be_is_absent_beside_one_that_is_there() {
    let ok = Numbers { spo2: 97, pulse: 72, perfusion_index: 25, ..Numbers::default() };
    let read = |numbers| match says(&wire(Content::Numbers(numbers)))[..] {
        [Sample::Oximetry(oximetry)] => oximetry,
        ref other => panic!("{other:?}"),
    };
    let none = Absent::InadequateSignal;
    for spo2 in [0, 101, 127, 255] {
        let oximetry = read(Numbers { spo2, ..ok });
        assert_eq!((oximetry.spo2, oximetry.pulse.good()), (Measured::Absent(none), PulseRate::bpm(72)));
    }
    for (pulse, why) in [(0, none), (19, Absent::OutOfRange), (301, Absent::OutOfRange), (65_535, Absent::OutOfRange)] {
        let oximetry = read(Numbers { pulse, ..ok });
        assert_eq!((oximetry.spo2.good(), oximetry.pulse), (Spo2::percent(97), Measured::Absent(why)));
    }
    for (perfusion_index, why) in [(0, none), (201, Absent::OutOfRange)] {
        assert_eq!(read(Numbers { perfusion_index, ..ok }).perfusion_index, Measured::Absent(why));
    }
    assert_eq!(read(Numbers { pulse: 0x0110, ..ok }).pulse.good(), PulseRate::bpm(272), "two bytes, low one first");
}

#[test]
fn an_empty_battery_is_told_once_and_again_after_it_was_charged() {
    let low = [Sample::Notice { at: NOW, notice: Notice::BatteryLow }];
    let (empty, third) = (wire(Content::Battery(0)), wire(Content::Battery(1)));
    let mut driver = locked();
    assert_eq!(decoded(&mut driver, &third), []);
    assert_eq!(decoded(&mut driver, &empty.repeat(3)), low);
    assert_eq!(decoded(&mut driver, &[&third[..], &empty].concat()), low);
    assert_eq!(wire(Content::Battery(3)), BATTERY_3, "the sheet's vector");
}

#[test]
fn a_mode_is_a_good_frame_and_its_result_of_a_spot_check_no_live_value() {
    let mut driver = locked();
    let continuous = wire(Content::Mode([2, 0, 0, 0]));
    assert_eq!(continuous[..9], [0xaa, 0x55, 0x0f, 0x06, 0x21, 0x02, 0x00, 0x00, 0x00]);
    let result = wire(Content::Mode([0x01, 0x03, 97, 72]));
    assert_eq!(decoded(&mut driver, &[continuous, result].concat()), []);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects()), (4, 0));
}

#[test]
fn a_wrong_crc_is_counted_and_costs_only_its_frame() {
    let mut driver = locked();
    let mut bad = CAPTURED_97;
    bad[5] ^= 1;
    assert_eq!(decoded(&mut driver, &bad), []);
    assert_eq!((driver.stats().checksum, driver.stats().bytes_skipped), (1, 12));
    assert_eq!((driver.lock().good_in_a_row, driver.lock().locked), (0, true));
    assert_eq!(decoded(&mut driver, &CAPTURED_97), [good(97, 64, 810)]);
}

#[test]
fn a_good_frame_within_what_looked_like_another_is_found() {
    // A false start that claims 16 bytes more.
    let stream = [&[0xaa, 0x55, 0x0f, 0x10][..], &CAPTURED_97, &BATTERY_3].concat();
    assert_eq!(says(&stream), [good(97, 64, 810)]);
    // One that claims more than any frame has, or less than a type.
    for length in [0x00, 0x01, 0x11, 0xff] {
        let mut driver = locked();
        let stream = [&[0xaa, 0x55, 0x0f, length][..], &CAPTURED_97].concat();
        assert_eq!(decoded(&mut driver, &stream), [good(97, 64, 810)]);
        assert_eq!((driver.stats().length, driver.stats().bytes_skipped), (1, 4));
    }
}

#[test]
fn unknown_types_and_known_ones_of_another_length_are_counted_and_told_nobody() {
    for (token, data, reason) in [
        (0x0f, &[0x05, 1, 2][..], Reject::UnknownType),
        (0xf1, &[0x01, 97, 72, 0, 25, 0, 0], Reject::UnknownType),
        (0x0f, &[0x01, 97, 72, 0, 25, 0], Reject::Length),
        (0xf0, &[0x03, 0, 0], Reject::Length),
    ] {
        let mut driver = locked();
        let mut stream = Vec::new();
        frame(token, data, &mut |byte| stream.push(byte));
        assert_eq!(decoded(&mut driver, &stream), []);
        assert_eq!((driver.stats().rejected(reason), driver.stats().rejects()), (1, 1));
        assert_eq!((driver.stats().bytes_skipped, driver.lock().good_in_a_row), (0, 2));
    }
}

#[test]
fn nothing_is_told_before_2_good_frames_in_a_row() {
    let mut driver = Creative::default();
    let stream = [&[0x55, 0x0f][..], &CAPTURED_97, &[0x00], &CAPTURED_97].concat();
    assert_eq!(decoded(&mut driver, &stream), []);
    assert_eq!(driver.stats().bytes_skipped, 3);
    assert_eq!(decoded(&mut driver, &CAPTURED_97), [good(97, 64, 810)]);
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &CAPTURED_97), []);
}

#[test]
fn it_sends_nothing() {
    let poll = locked().poll(NOW, &mut |_| ());
    assert_eq!((poll.send, poll.next), (None, None));
}

fn stream() -> Vec<u8> {
    let numbers = Numbers { spo2: 97, pulse: 272, perfusion_index: 25, battery: 0xc0, ..Numbers::default() };
    let wave = |n: u8| Content::Wave([0, 1, 2, 3, 4].map(|k| Point { value: 5 * n + k, beat: k == 0 }));
    (0..8).flat_map(|n| [wave(n), Content::Numbers(numbers), Content::Battery(3)].map(wire).concat()).collect()
}

#[test]
fn it_keeps_the_laws_of_every_driver() {
    laws::splits_do_not_matter(Creative::default, &stream());
    laws::never_panics(Creative::default, &stream());
    laws::recovers(Creative::default, &stream(), &stream(), Within { frame: 24, values: 60 });
}

#[test]
fn it_is_found_by_name() {
    assert_eq!(AnyDriver::new("creative").expect("registered").protocol().name, "creative");
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(
        spo2: u8, pulse: u16, perfusion_index: u8, probe_off: bool, searching: bool, battery: u8,
        wave in any::<[(u8, bool); 5]>(), mode: [u8; 4],
    ) {
        let contents = [
            Content::Numbers(Numbers { spo2, pulse, perfusion_index, probe_off, searching, battery }),
            Content::Wave(wave.map(|(value, beat)| Point { value: value & 0x7f, beat })),
            Content::Mode(mode),
            Content::Battery(battery),
        ];
        for content in contents {
            let wire = wire(content);
            match at_start_of(&wire) {
                Found::Frame { length, content: Ok(read) } => {
                    prop_assert_eq!((length, read), (wire.len(), content));
                }
                _ => prop_assert!(false, "no frame: {:02x?}", wire),
            }
        }
    }
}
