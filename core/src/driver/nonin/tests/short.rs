//! DF1 and DF8.

use proptest::prelude::*;

use super::{absent, any_packet, doubted, good, hex, meant, notices, numbers, patient};
use crate::driver::laws::{self, Within, decoded};
use crate::driver::nonin::{Df1, Df8, Flags, df1_frame, df8_frame};
use crate::driver::{Driver, Reject};
use crate::sample::Notice;
use crate::vitals::{Absent, Doubt};

#[test]
fn df1_reads_as_the_sheet_says() {
    assert_eq!(numbers(&decoded(&mut Df1::default(), &hex("80 48 61"))), [good(97, 72)]);
    assert_eq!(numbers(&decoded(&mut Df1::default(), &hex("E3 7F 7F"))), [absent(Absent::SensorFault)]);
}

#[test]
fn df8_reads_as_the_sheet_says() {
    assert_eq!(numbers(&decoded(&mut Df8::default(), &hex("80 48 61 00"))), [good(97, 72)]);
    assert_eq!(numbers(&decoded(&mut Df8::default(), &hex("A3 7F 7F 08"))), [absent(Absent::SensorOff)]);
    let samples = decoded(&mut Df8::default(), &hex("81 16 5D 01"));
    assert_eq!((numbers(&samples), notices(&samples)), ([good(93, 150)].into(), [Notice::BatteryLow].into()));
}

#[test]
fn flags_make_a_value_questionable_or_say_why_there_is_none() {
    for (frame, expected) in [
        ("90 48 61", doubted(97, 72, Doubt::LowPerfusion)),
        ("88 48 61", good(97, 72)),
        ("84 48 61", doubted(97, 72, Doubt::Artefact)),
        ("A0 48 61", doubted(97, 72, Doubt::Artefact)),
        ("A3 7F 7F", absent(Absent::NoPulse)),
        ("83 7F 7F", absent(Absent::Searching)),
        ("80 13 65", absent(Absent::OutOfRange)),
    ] {
        assert_eq!(numbers(&decoded(&mut Df1::default(), &hex(frame))), [expected], "{frame}");
    }
}

#[test]
fn a_stream_joined_in_the_middle_of_a_frame_is_read_from_the_next_one() {
    let mut driver = Df1::default();
    assert_eq!(numbers(&decoded(&mut driver, &hex("48 61 80 48 61"))), [good(97, 72)]);
    assert_eq!((driver.stats().rejects(), driver.stats().bytes_skipped), (0, 2));
}

#[test]
fn a_frame_of_another_length_is_rejected_and_the_next_must_prove_its_length() {
    let mut driver = Df1::default();
    assert_eq!(numbers(&decoded(&mut driver, &hex("80 48 61"))), [good(97, 72)]);
    assert_eq!(numbers(&decoded(&mut driver, &hex("80 48  80 48 61"))), [], "cut short, and nothing proved yet");
    assert_eq!((driver.stats().rejected(Reject::Length), driver.lock().locked), (1, false));
    assert_eq!(numbers(&decoded(&mut driver, &hex("80 48 60"))), [good(96, 72)]);
    assert!(driver.lock().locked);
    assert_eq!(driver.stats().good_frames, 3);
}

#[test]
fn df1_and_df8_are_told_apart_by_the_count_of_bytes() {
    let df8 = df8_frame(&patient(97, 72)).repeat(10);
    let mut driver = Df1::default();
    assert!(numbers(&decoded(&mut driver, &df8)).len() <= 1, "that it is too long shows with its fourth byte");
    assert!(!driver.lock().locked);
    let df1 = df1_frame(&patient(97, 72)).repeat(10);
    let mut driver = Df8::default();
    assert_eq!(numbers(&decoded(&mut driver, &df1)), []);
    assert!(!driver.lock().locked);
}

#[test]
fn control_replies_between_frames_cost_no_frame() {
    let stream = hex("81 16 5D 01  06  81 16 5D 01  02 F2 06 26 11 22 03 01 02 03  81 16 5D 01  15 15  81 16 5D 01");
    let mut driver = Df8::default();
    let samples = decoded(&mut driver, &stream);
    assert_eq!(numbers(&samples), [good(93, 150); 4]);
    assert_eq!(notices(&samples), [Notice::BatteryLow], "on its rising edge alone");
    assert_eq!((driver.stats().good_frames, driver.stats().rejects(), driver.stats().bytes_skipped), (4, 0, 0));
}

#[test]
fn a_frame_that_proved_too_long_counts_as_skipped() {
    let mut driver = Df1::default();
    decoded(&mut driver, &hex("80 48 61 00  80 48 61 00"));
    assert_eq!((driver.stats().good_frames, driver.stats().bytes_skipped), (1, 1 + 4));
}

#[test]
fn a_stray_02_is_not_waited_on_as_if_it_were_a_control_reply() {
    let mut driver = Df8::default();
    decoded(&mut driver, &hex("81 16 5D 00  02  81 08 5D 00"));
    assert_eq!(driver.stats().rejected(Reject::Length), 1);
    assert_eq!(numbers(&decoded(&mut driver, &hex("81 16 5D 00"))), [good(93, 150)]);
}

#[test]
fn they_keep_the_laws() {
    let df1 = [df1_frame(&patient(97, 72)), df1_frame(&patient(96, 140))].concat().repeat(5);
    laws::splits_do_not_matter(Df1::default, &[&df1[..], &[0x06], &df1[..]].concat());
    laws::never_panics(Df1::default, &df1);
    laws::recovers(Df1::default, &df1, &df1, Within { frame: 6, values: 6 });

    let df8 = [df8_frame(&patient(97, 72)), df8_frame(&patient(96, 140))].concat().repeat(5);
    laws::splits_do_not_matter(Df8::default, &[&df8[..], &[0x15], &df8[..]].concat());
    laws::never_panics(Df8::default, &df8);
    laws::recovers(Df8::default, &df8, &df8, Within { frame: 8, values: 8 });
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in any_packet()) {
        let Flags { sensor_fault, sensor_off, .. } = packet.flags;
        let unusable = Flags { sensor_fault: sensor_fault || sensor_off, ..packet.flags };
        let samples = decoded(&mut Df1::default(), &df1_frame(&packet));
        prop_assert_eq!(numbers(&samples), [meant(&packet, unusable)]);

        let samples = decoded(&mut Df8::default(), &df8_frame(&packet));
        prop_assert_eq!(numbers(&samples), [meant(&packet, packet.flags)]);
        prop_assert_eq!(notices(&samples).len(), usize::from(packet.flags.battery_low));
    }
}
