//! Vectors from the sheet: *captured* ones came from devices, the others follow from the layout.

use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::{Old, V7, v7};
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::driver::{AnyDriver, Driver};
use crate::sample::{IdentityPart, Notice, Oximetry, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured, PerfusionIndex, PulseRate, Spo2};

const ABSENT_PI: Measured<PerfusionIndex> = Measured::Absent(Absent::NotMeasured);

fn good(percent: u16, bpm: u16, perfusion_index: Measured<PerfusionIndex>) -> Oximetry {
    Oximetry {
        at: NOW,
        spo2: Measured::Good(Spo2::percent(percent).unwrap()),
        pulse: Measured::Good(PulseRate::bpm(bpm).unwrap()),
        perfusion_index,
    }
}

fn none(why: Absent) -> Oximetry {
    Oximetry { at: NOW, spo2: Measured::Absent(why), pulse: Measured::Absent(why), perfusion_index: ABSENT_PI }
}

fn pi(hundredths: u16) -> Measured<PerfusionIndex> {
    Measured::Good(PerfusionIndex::hundredths(hundredths).unwrap())
}

fn both(oximetry: Oximetry, pleth: u16) -> Vec<Sample> {
    [Sample::Oximetry(oximetry), Sample::Pleth { at: NOW, value: pleth }].into()
}

/// A new-protocol driver in step: one more good package and it is locked.
fn v7_in_step() -> V7 {
    let mut driver = V7::default();
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &[0x0c, 0x80]), []);
    driver
}

fn v7_says(package: &[u8]) -> Vec<Sample> {
    decoded(&mut v7_in_step(), package)
}

/// An old-protocol driver in step: one more clean frame and it is locked.
fn old_in_step() -> Old {
    let mut driver = Old::default();
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &[0x85, 0x33, 0x06, 0x48, 0x61].repeat(19)), []);
    driver
}

fn old_says(frame: [u8; 5]) -> Vec<Sample> {
    decoded(&mut old_in_step(), &frame)
}

mod new_protocol {
    use super::*;

    #[test]
    fn a_captured_package_of_a_cms50d_plus_reads_as_on_its_display() {
        // Captured, CMS50D+, serial log.
        let package = [0x01, 0xe0, 0x85, 0xb3, 0x96, 0xc1, 0xe1, 0xff, 0xff];
        assert_eq!(v7_says(&package), both(good(97, 65, ABSENT_PI), 0x33));
    }

    #[test]
    fn a_captured_package_without_a_finger_has_no_numbers() {
        // Captured, CMS50D+ 4.6: pulse and saturation are 00, not FF and 7F as the vendor's text has it.
        let package = [0x01, 0xe1, 0x84, 0xc0, 0x90, 0x80, 0x80, 0xff, 0xff];
        assert_eq!(v7_says(&package), both(none(Absent::SensorOff), 0x40));
    }

    #[test]
    fn numbers_waveform_and_perfusion_index_come_from_their_bytes() {
        assert_eq!(v7_says(&[0x01, 0xa0, 0x85, 0xb3, 0x86, 0xc8, 0xe1, 0xfa, 0x80]), both(good(97, 72, pi(250)), 51));
    }

    #[test]
    fn a_pulse_above_127_has_its_high_bit() {
        assert_eq!(
            v7_says(&[0x01, 0xa8, 0xc7, 0xd0, 0x8a, 0x96, 0xdd, 0xd2, 0x84]),
            both(good(93, 150, pi(1_234)), 80)
        );
    }

    #[test]
    fn probe_error_and_searching_are_told_apart() {
        assert_eq!(v7_says(&[0x01, 0xe9, 0x80, 0xc0, 0x90, 0xff, 0xff, 0xff, 0xff]), both(none(Absent::SensorOff), 64));
        assert_eq!(v7_says(&[0x01, 0xea, 0x83, 0xa0, 0x92, 0xff, 0xff, 0xff, 0xff]), both(none(Absent::Searching), 32));
    }

    #[test]
    fn searching_too_long_with_the_probe_on_is_no_pulse() {
        let frame = v7::Frame { searching: true, searching_too_long: true, ..v7::Frame::default() };
        assert_eq!(v7_says(&v7::realtime(&frame)), both(none(Absent::NoPulse), 0));
        let frame = v7::Frame { probe_error: true, ..frame };
        assert_eq!(v7_says(&v7::realtime(&frame)), both(none(Absent::SensorOff), 0));
    }

    #[test]
    fn a_number_kept_through_a_search_is_not_shown() {
        let frame =
            v7::Frame { searching: true, spo2: 97, pulse: 72, perfusion_index: Some(250), ..v7::Frame::default() };
        let why = Absent::Searching;
        let expected = Oximetry { perfusion_index: Measured::Absent(why), ..none(why) };
        assert_eq!(v7_says(&v7::realtime(&frame)), both(expected, 0));
    }

    #[test]
    fn the_values_for_none_are_inadequate_signal_when_no_flag_says_more() {
        let ok = v7::Frame { spo2: 97, pulse: 72, ..v7::Frame::default() };
        for pulse in [0, 0xff] {
            let expected = Oximetry { pulse: Measured::Absent(Absent::InadequateSignal), ..good(97, 72, ABSENT_PI) };
            assert_eq!(v7_says(&v7::realtime(&v7::Frame { pulse, ..ok })), both(expected, 0));
        }
        for spo2 in [0, 101, 0x7f, 0xff] {
            let expected = Oximetry { spo2: Measured::Absent(Absent::InadequateSignal), ..good(97, 72, ABSENT_PI) };
            assert_eq!(v7_says(&v7::realtime(&v7::Frame { spo2, ..ok })), both(expected, 0));
        }
    }

    #[test]
    fn numbers_out_of_range_are_absent_and_never_clamped() {
        let frame = v7::Frame { spo2: 97, pulse: 19, perfusion_index: Some(2_001), ..v7::Frame::default() };
        let out = Oximetry {
            pulse: Measured::Absent(Absent::OutOfRange),
            ..good(97, 72, Measured::Absent(Absent::OutOfRange))
        };
        assert_eq!(v7_says(&v7::realtime(&frame)), both(out, 0));
    }

    #[test]
    fn a_perfusion_index_of_none_or_nothing_is_absent() {
        for (raw, why) in [(0, Absent::InadequateSignal), (0xffff, Absent::NotMeasured)] {
            let frame = v7::Frame { spo2: 97, pulse: 72, perfusion_index: Some(raw), ..v7::Frame::default() };
            assert_eq!(v7_says(&v7::realtime(&frame)), both(good(97, 72, Measured::Absent(why)), 0));
        }
    }

    #[test]
    fn captured_replies_are_taken_or_skipped_without_losing_step() {
        let captured: [&[u8]; 5] = [
            &[0x0c, 0x80],
            &[0x06, 0x80, 0x80, 0x87],
            &[0x0e, 0x80, 0x81],
            &[0x11, 0x80, 0x81, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80],
            &[0x04, 0x80, 0xf5, 0xf3, 0xe5, 0xf2, 0xa0, 0xa0, 0xa0],
        ];
        let mut driver = v7_in_step();
        let samples = decoded(&mut driver, &captured.concat());
        assert_eq!(identities(&samples), [(IdentityPart::DeviceId, "user".to_string())]);
        assert_eq!((driver.stats().good_frames, driver.stats().rejects()), (6, 0));
    }

    #[test]
    fn a_model_name_grows_from_its_two_packages() {
        // The first captured.
        let first = [0x02, 0x80, 0x80, 0xb5, 0xb0, 0xc4, 0xa8, 0xc1, 0xa9];
        let second = [0x02, 0x81, 0xff, 0xd7, 0xa0, 0xa0, 0xa0, 0xa0, 0xa0];
        let samples = v7_says(&[first, second].concat());
        let model = |name: &str| (IdentityPart::Model, name.to_string());
        assert_eq!(identities(&samples), [model("50D(A)"), model("50D(A)W")]);
        // Nothing is left of the one before.
        let samples = v7_says(&[first, second, first].concat());
        assert_eq!(identities(&samples)[2], model("50D(A)"));
        let mut driver = v7_in_step();
        decoded(&mut driver, &first);
        driver.opened(NOW);
        // The end of a name is none: it would be taken for another device (R1.6).
        assert_eq!(identities(&decoded(&mut driver, &[second, second].concat())), []);
    }

    #[test]
    fn a_vendor_is_told() {
        let samples = v7_says(&[0x03, 0x80, 0xc3, 0xef, 0xee, 0xf4, 0xe5, 0xe3, 0xa0]);
        assert_eq!(identities(&samples), [(IdentityPart::Vendor, "Contec".to_string())]);
    }

    #[test]
    fn a_refused_command_and_a_coming_shutdown_are_told_and_a_done_one_is_not() {
        let notice = |notice| [Sample::Notice { at: NOW, notice }];
        assert_eq!(v7_says(&[0x0b, 0x81, 0xa1, 0x80]), []);
        assert_eq!(v7_says(&[0x0b, 0x81, 0xa1, 0x85]), notice(Notice::Refused));
        assert_eq!(v7_says(&[0x0b, 0x83, 0xa1, 0xff]), notice(Notice::Refused));
        assert_eq!(v7_says(&[0x0b, 0x81, 0xa1, 0x81]), notice(Notice::ShuttingDown));
        assert_eq!(v7_says(&[0x0d, 0x80, 0x81]), notice(Notice::ShuttingDown));
    }

    #[test]
    fn every_type_of_the_table_has_its_length() {
        let table = [
            (9, &[0x01, 0x02, 0x03, 0x04, 0x05, 0x11, 0x13, 0x14, 0x15][..]),
            (8, &[0x07, 0x08, 0x0f, 0x12]),
            (6, &[0x09]),
            (4, &[0x06, 0x0a, 0x0b]),
            (3, &[0x0d, 0x0e, 0x10]),
            (2, &[0x0c]),
        ];
        let mut driver = v7_in_step();
        for (length, kinds) in table {
            for kind in kinds {
                let mut package = [0x80; 9];
                package[0] = *kind;
                decoded(&mut driver, &package[..length]);
            }
        }
        assert_eq!(driver.stats().good_frames, 1 + 21);
        assert_eq!((driver.stats().rejects(), driver.stats().bytes_skipped), (0, 0));
    }

    #[test]
    fn an_unknown_type_is_counted_and_skipped_to_the_next_package() {
        let mut driver = v7_in_step();
        let package = v7::realtime(&v7::Frame { spo2: 97, pulse: 72, ..v7::Frame::default() });
        decoded(&mut driver, &[0x33, 0x80, 0xff]);
        assert_eq!((driver.stats().unknown_type, driver.stats().bytes_skipped), (1, 3));
        assert!(!driver.lock().locked);
        assert_eq!(decoded(&mut driver, &package), []);
        assert_eq!(decoded(&mut driver, &package), both(good(97, 72, ABSENT_PI), 0));
    }

    #[test]
    fn a_package_cut_short_is_counted_and_the_next_begins_where_it_was_cut() {
        let mut driver = v7_in_step();
        let package = v7::realtime(&v7::Frame { spo2: 97, pulse: 72, ..v7::Frame::default() });
        decoded(&mut driver, &package[..8]);
        decoded(&mut driver, &package);
        assert_eq!((driver.stats().framing, driver.stats().bytes_skipped), (1, 8));
        assert_eq!(driver.stats().good_frames, 2);
    }

    /// The codes of the commands that a driver sends from `from` to `to`, by the second.
    fn commands(driver: &mut V7, from: u64, to: u64, live: bool) -> Vec<(u64, u8)> {
        let mut sent = Vec::new();
        for s in from..to {
            let now = Time::ZERO + Span::secs(s);
            if live {
                driver.decode(&v7::realtime(&v7::Frame::default()), now, &mut |_| ());
            }
            while let Some(bytes) = driver.poll(now, &mut |_| ()).send {
                sent.push((s, v7::parse_command(&bytes).expect("a command")));
            }
        }
        sent
    }

    #[test]
    fn it_starts_the_stream_and_keeps_it_alive_every_5_s() {
        let mut driver = V7::default();
        driver.opened(Time::ZERO);
        let expected = [(0, v7::START), (5, v7::KEEP_ALIVE), (10, v7::KEEP_ALIVE), (15, v7::KEEP_ALIVE)];
        assert_eq!(commands(&mut driver, 0, 18, true), expected);
    }

    #[test]
    fn it_starts_again_when_no_live_data_come_for_2_s() {
        let mut driver = V7::default();
        driver.opened(Time::ZERO);
        commands(&mut driver, 0, 3, true);
        assert_eq!(commands(&mut driver, 3, 5, false), [(4, v7::START)]);
        driver.opened(Time::from_millis(5_500));
        assert_eq!(driver.poll(Time::from_millis(5_500), &mut |_| ()).send.as_deref(), Some(&v7::command(0xa1)[..]));
        assert_eq!(driver.poll(Time::from_millis(5_500), &mut |_| ()).next, Some(Time::from_millis(7_500)));
    }

    #[test]
    fn a_driver_whose_port_was_never_opened_sends_nothing() {
        assert_eq!(V7::default().poll(NOW, &mut |_| ()).send, None);
    }

    #[test]
    fn commands_are_as_on_the_wire_and_understood_again() {
        assert_eq!(v7::command(v7::START), [0x7d, 0x81, 0xa1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
        assert_eq!(v7::command(v7::KEEP_ALIVE), [0x7d, 0x81, 0xaf, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
        assert_eq!(v7::command(v7::STOP), [0x7d, 0x81, 0xa2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
        assert_eq!(v7::parse_command(&v7::command(v7::STOP)), Some(v7::STOP));
        assert_eq!(v7::parse_command(&[0x7d, 0x81, 0xa1, 0x80, 0x80, 0x80, 0x80, 0x80]), None);
        assert_eq!(v7::parse_command(&[0x7d, 0x81, 0xa1, 0x80, 0x80, 0x00, 0x80, 0x80, 0x80]), None);
    }

    fn stream() -> Vec<u8> {
        let frame = v7::Frame { spo2: 97, pulse: 172, perfusion_index: Some(250), ..v7::Frame::default() };
        (0..12).flat_map(|n| v7::realtime(&v7::Frame { pleth: 10 * n, ..frame })).collect()
    }

    #[test]
    fn it_keeps_the_laws_of_every_driver() {
        laws::splits_do_not_matter(V7::default, &stream());
        laws::never_panics(V7::default, &stream());
        laws::recovers(V7::default, &stream(), &stream(), Within { frame: 18, values: 18 });
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(
            strength in 0..=8_u8, flags in any::<[bool; 5]>(), pleth in 0..=127_u8, bar in 0..=15_u8,
            pulse: u8, spo2: u8, perfusion_index: Option<u16>,
        ) {
            let [searching_too_long, low_spo2, beat, probe_error, searching] = flags;
            let frame = v7::Frame {
                strength, searching_too_long, low_spo2, beat, probe_error, pleth, searching, bar, pulse, spo2,
                perfusion_index,
            };
            let wire = v7::realtime(&frame);
            prop_assert!(wire[0] == 1 && wire[1..].iter().all(|byte| byte & 0x80 != 0));
            prop_assert_eq!(v7::Frame::unpack(v7::unpack(&wire)), frame);
        }
    }
}

mod old_protocol {
    use super::*;
    use crate::driver::five_bytes::Frame;

    #[test]
    fn numbers_and_waveform_come_from_their_bytes() {
        assert_eq!(old_says([0x85, 0x33, 0x06, 0x48, 0x61]), both(good(97, 72, ABSENT_PI), 51));
    }

    #[test]
    fn a_pulse_above_127_has_its_high_bit() {
        assert_eq!(old_says([0xc7, 0x50, 0x4a, 0x16, 0x5d]), both(good(93, 150, ABSENT_PI), 80));
    }

    #[test]
    fn searching_has_no_numbers() {
        assert_eq!(old_says([0xb5, 0x40, 0x20, 0x00, 0x00]), both(none(Absent::Searching), 64));
    }

    #[test]
    fn no_finger_is_sensor_off_and_so_is_the_disputed_bit_alone() {
        let frame = Frame { spo2: 97, pulse: 72, ..Frame::default() };
        let no_finger = Frame { no_finger: true, searching: true, ..frame };
        assert_eq!(old_says(no_finger.encode()), both(none(Absent::SensorOff), 0));
        let disputed = Frame { no_signal: true, ..frame };
        assert_eq!(old_says(disputed.encode()), both(none(Absent::SensorOff), 0));
    }

    #[test]
    fn a_falling_saturation_mark_changes_no_number() {
        let frame = Frame { spo2: 89, pulse: 72, unplugged_or_low: true, ..Frame::default() };
        assert_eq!(old_says(frame.encode()), both(good(89, 72, ABSENT_PI), 0));
    }

    #[test]
    fn the_values_for_none_are_inadequate_signal() {
        for (pulse, spo2) in [(0, 0), (255, 127), (255, 101)] {
            let frame = Frame { pulse, spo2, ..Frame::default() };
            assert_eq!(old_says(frame.encode()), both(none(Absent::InadequateSignal), 0));
        }
    }

    #[test]
    fn nothing_is_told_before_20_clean_frames_in_a_row() {
        let frame = [0x85, 0x33, 0x06, 0x48, 0x61];
        let mut driver = old_in_step();
        assert!(!driver.lock().locked);
        // A lost byte starts the count anew.
        decoded(&mut driver, &frame[..4]);
        assert_eq!(decoded(&mut driver, &frame.repeat(19)), []);
        assert_eq!((driver.stats().framing, driver.stats().bytes_skipped), (1, 4));
        assert_eq!(decoded(&mut driver, &frame).len(), 2);
        assert!(driver.lock().locked);
        // So does a byte too many.
        decoded(&mut driver, &[0x11]);
        assert!(!driver.lock().locked);
        assert_eq!(driver.stats().bytes_skipped, 5);
    }

    #[test]
    fn a_captured_download_of_recorded_data_is_never_taken_for_live_data() {
        // Captured (forum): header, length 81 samples, then pulse 68, 67, 72, 84 with SpO2 95.
        let header = [0xf2, 0x80, 0x00, 0xf2, 0x80, 0x00, 0xf2, 0x80, 0x00, 0x80, 0x81, 0x72];
        let seconds = [0xf0, 0xc4, 0x5f, 0xf0, 0xc3, 0x5f, 0xf0, 0xc8, 0x5f, 0xf0, 0xd4, 0x5f].repeat(20);
        let mut driver = old_in_step();
        assert_eq!(decoded(&mut driver, &[&header[..], &seconds].concat()), []);
        assert_eq!(driver.stats().good_frames, 19);
    }

    #[test]
    fn it_sends_nothing() {
        let mut driver = old_in_step();
        let poll = driver.poll(NOW, &mut |_| ());
        assert_eq!((poll.send, poll.next), (None, None));
    }

    fn stream() -> Vec<u8> {
        let frame = Frame { spo2: 97, pulse: 172, ..Frame::default() };
        (0..25).flat_map(|n| Frame { pleth: 5 * n, ..frame }.encode()).collect()
    }

    #[test]
    fn it_keeps_the_laws_of_every_driver() {
        laws::splits_do_not_matter(Old::default, &stream());
        laws::never_panics(Old::default, &stream());
        laws::recovers(Old::default, &stream(), &stream(), Within { frame: 10, values: 100 });
    }
}

#[test]
fn both_are_found_by_name() {
    for name in ["contec-v7", "contec-old"] {
        assert_eq!(AnyDriver::new(name).expect("registered").protocol().name, name);
    }
}

fn identities(samples: &[Sample]) -> Vec<(IdentityPart, String)> {
    let identity = |sample: &Sample| match sample {
        Sample::Identity { part, text, .. } => Some((*part, text.to_string())),
        _ => None,
    };
    samples.iter().filter_map(identity).collect()
}
