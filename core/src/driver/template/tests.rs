//! Vectors from the sheet, *captured* ones marked; here all are computed by hand.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::driver::laws::{self, NOW, Within, decoded};
use crate::vitals::Spo2;

const GOOD_97_72: [u8; 6] = [0xa5, 0x00, 0x61, 0x00, 0x48, 0xb2];
const GOOD_93_150: [u8; 6] = [0xa5, 0x00, 0x5d, 0x00, 0x96, 0x68];
const PROBE_OFF_97_72: [u8; 6] = [0xa5, 0x01, 0x61, 0x00, 0x48, 0xb1];
const SEARCHING: [u8; 6] = [0xa5, 0x02, 0x00, 0x00, 0x00, 0x59];
const MOTION_97_72: [u8; 6] = [0xa5, 0x04, 0x61, 0x00, 0x48, 0xae];
const MUTED_97_72: [u8; 6] = [0xa5, 0x08, 0x61, 0x00, 0x48, 0xaa];

/// A driver in step.
fn locked() -> Template {
    let mut driver = Template::default();
    driver.opened(NOW);
    decoded(&mut driver, &GOOD_97_72.repeat(2));
    assert!(driver.lock().locked);
    driver
}

fn says(bytes: &[u8]) -> Vec<Sample> {
    decoded(&mut locked(), bytes)
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

fn none(why: Absent) -> Sample {
    oximetry(Measured::Absent(why), Measured::Absent(why))
}

#[test]
fn numbers_come_from_their_bytes() {
    assert_eq!(says(&GOOD_97_72), [oximetry(percent(97), bpm(72))]);
    assert_eq!(says(&GOOD_93_150), [oximetry(percent(93), bpm(150))]);
    assert_eq!(says(&[0xa5, 0x00, 0x61, 0x01, 0x10, 0xe9]), [oximetry(percent(97), bpm(272))], "high byte first");
}

#[test]
fn a_flag_takes_away_the_numbers_that_the_device_still_sends() {
    assert_eq!(says(&PROBE_OFF_97_72), [none(Absent::SensorOff)]);
    assert_eq!(says(&SEARCHING), [none(Absent::Searching)]);
    let both = status::MOTION | status::SEARCHING | status::PROBE_OFF;
    assert_eq!(says(&Frame { status: both, spo2: 97, pulse: 72 }.encode()), [none(Absent::SensorOff)]);
}

#[test]
fn motion_makes_the_numbers_questionable() {
    let doubted = oximetry(percent(97).doubted(Doubt::Motion), bpm(72).doubted(Doubt::Motion));
    assert_eq!(says(&MOTION_97_72), [doubted]);
}

#[test]
fn a_number_that_means_none_or_cannot_be_is_absent_beside_one_that_is_there() {
    let none = Absent::InadequateSignal;
    for spo2 in [0, 101, 255] {
        let frame = Frame { status: 0, spo2, pulse: 72 };
        assert_eq!(says(&frame.encode()), [oximetry(Measured::Absent(none), bpm(72))], "{frame:?}");
    }
    for (pulse, why) in [(0, none), (19, Absent::OutOfRange), (301, Absent::OutOfRange)] {
        let frame = Frame { status: 0, spo2: 97, pulse };
        assert_eq!(says(&frame.encode()), [oximetry(percent(97), Measured::Absent(why))], "{frame:?}");
    }
}

#[test]
fn that_its_own_alarm_is_muted_is_told_once_and_so_is_that_it_is_not_any_more() {
    let notices = |driver: &mut Template, bytes: &[u8]| {
        let notice = |sample| if let Sample::Notice { notice, .. } = sample { Some(notice) } else { None };
        decoded(driver, bytes).into_iter().filter_map(notice).collect::<Vec<_>>()
    };
    let mut driver = locked();
    assert_eq!(notices(&mut driver, &MUTED_97_72.repeat(3)), [Notice::OwnAlarmOff]);
    driver.opened(NOW);
    assert_eq!(notices(&mut driver, &GOOD_97_72.repeat(3)), [Notice::OwnAlarmOn], "also if the port was lost between");
}

#[test]
fn nothing_is_told_before_2_good_frames_in_a_row() {
    let mut driver = Template::default();
    let stream = [&GOOD_97_72[2..], &GOOD_97_72, &[0x00], &GOOD_97_72].concat();
    assert_eq!(decoded(&mut driver, &stream), []);
    assert_eq!((driver.stats().good_frames, driver.stats().bytes_skipped), (2, 5));
    assert_eq!(decoded(&mut driver, &GOOD_93_150), [oximetry(percent(93), bpm(150))]);
    driver.opened(NOW);
    assert_eq!(decoded(&mut driver, &GOOD_97_72), [], "nor after the port was opened again");
}

#[test]
fn a_wrong_checksum_costs_only_its_frame() {
    let mut driver = locked();
    let mut bad = GOOD_97_72;
    bad[2] ^= 1;
    assert_eq!(decoded(&mut driver, &bad), []);
    assert_eq!((driver.stats().checksum, driver.stats().rejects(), driver.stats().bytes_skipped), (1, 1, 6));
    assert_eq!(decoded(&mut driver, &GOOD_93_150), [oximetry(percent(93), bpm(150))]);
}

#[test]
fn a_frame_within_what_looked_like_another_is_found() {
    assert_eq!(says(&[&[0xa5, 0x00][..], &GOOD_93_150].concat()), [oximetry(percent(93), bpm(150))]);
}

#[test]
fn it_sends_nothing() {
    assert_eq!(locked().poll(NOW, &mut |_| ()), Poll::default());
}

#[test]
fn it_keeps_the_laws_of_every_driver() {
    let stream = [GOOD_97_72, GOOD_93_150, MOTION_97_72, PROBE_OFF_97_72, GOOD_97_72, SEARCHING].concat();
    laws::splits_do_not_matter(Template::default, &stream);
    laws::never_panics(Template::default, &stream);
    // A false start that fits by chance may cost the first frame.
    laws::recovers(Template::default, &stream, &stream, Within { frame: 6, values: 12 });
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(status: u8, spo2: u8, pulse: u16) {
        let frame = Frame { status, spo2, pulse };
        prop_assert_eq!(Frame::at_start_of(&frame.encode()), Found::Frame { length: LENGTH, content: Ok(frame) });
    }
}
