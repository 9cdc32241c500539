//! DF2.

use std::vec::Vec;

use proptest::prelude::*;

use super::{absent, any_packet, doubted, firmware, good, hex, meant, notices, numbers, patient, pleth};
use crate::driver::laws::{self, Within, decoded};
use crate::driver::nonin::{Df2, Flags, Packet, df2_packet};
use crate::driver::{Driver, Reject};
use crate::sample::Notice;
use crate::time::Time;
use crate::vitals::{Absent, Doubt};

/// Captured: one packet of a Nonin 9560, and the first frame of the next.
const CAPTURED: &str = "
    01814300C5 0180434A0E 0180436024 0180439458 01804300C4 01804100C2 01803E17D6 01803C04C1 018039601A
    0180366017 0180356016 01803400B5 01803400B5 01803400B5 0180354A00 0180366017 0180376018 01803A00BB
    01804000C1 01804A00CB 0180574A22 01806900EA 01807C4A47 0180900011 0180A10022
    0181AF0031";

/// What a device answers when asked for its clock.
const CLOCK: [u8; 10] = [0x02, 0xF2, 0x06, 0x26, 0x11, 0x22, 0x03, 0x01, 0x02, 0x03];

/// A packet that begins with `frames`, the rest of it as quiet as they are.
fn packet_of(frames: &str, status: u8) -> Vec<u8> {
    let mut bytes = hex(frames);
    while bytes.len() < 125 {
        bytes.extend([0x01, status, 0x00, 0x00, 0x01_u8.wrapping_add(status)]);
    }
    bytes
}

#[test]
fn the_captured_packet_reads_as_the_device_meant_it() {
    let mut driver = Df2::default();
    let samples = decoded(&mut driver, &hex(CAPTURED));
    assert_eq!(numbers(&samples), [good(96, 74)]);
    assert_eq!(firmware(&samples), ["0x94"]);
    assert_eq!(notices(&samples), []);
    let waveform =
        [67, 67, 67, 67, 67, 65, 62, 60, 57, 54, 53, 52, 52, 52, 53, 54, 55, 58, 64, 74, 87, 105, 124, 144, 161, 175];
    assert_eq!(pleth(&samples), waveform);
    assert_eq!(driver.stats().good_frames, 26);
    assert_eq!((driver.stats().rejects(), driver.stats().bytes_skipped), (0, 0));
    assert!(driver.lock().locked);
}

#[test]
fn the_values_are_out_with_the_last_byte_of_the_packet() {
    let mut driver = Df2::default();
    let (most, last) = (&hex(CAPTURED)[..124], &hex(CAPTURED)[124..125]);
    assert_eq!(numbers(&decoded(&mut driver, most)), []);
    assert_eq!(numbers(&decoded(&mut driver, last)), [good(96, 74)]);
}

#[test]
fn a_captured_frame_without_sync_does_not_make_the_first_lock() {
    // Captured: Xpod 3012LP USB, no finger.
    let frame = hex("01 98 63 00 FC");
    let mut driver = Df2::default();
    assert_eq!(decoded(&mut driver, &frame), []);
    assert!(!driver.lock().locked);

    decoded(&mut driver, &df2_packet(&patient(97, 72)));
    assert_eq!(pleth(&decoded(&mut driver, &hex("01 99 63 00 FD 01 98 63 00 FC"))), [99, 99]);
}

#[test]
fn a_pulse_above_127_takes_its_ninth_bit_from_the_high_byte() {
    let packet = packet_of("01 81 30 01 B3  01 80 31 0C BE  01 80 32 62 15", 0x80);
    assert_eq!(numbers(&decoded(&mut Df2::default(), &packet)), [good(98, 140)]);
}

#[test]
fn without_a_finger_there_is_no_value() {
    let packet = packet_of("01 99 00 03 9D  01 98 00 7F 18  01 98 00 7F 18", 0x98);
    assert_eq!(numbers(&decoded(&mut Df2::default(), &packet)), [absent(Absent::SensorOff)]);
}

#[test]
fn a_sensor_alarm_in_any_frame_makes_the_whole_packet_stale() {
    let mut stream = df2_packet(&patient(97, 72));
    (stream[121], stream[124]) = (stream[121] | 0x08, stream[124].wrapping_add(0x08));
    assert_eq!(numbers(&decoded(&mut Df2::default(), &stream)), [absent(Absent::SensorOff)]);
    (stream[121], stream[124]) = (stream[121] | 0x40, stream[124].wrapping_add(0x40));
    assert_eq!(numbers(&decoded(&mut Df2::default(), &stream)), [absent(Absent::SensorFault)]);
}

#[test]
fn the_display_values_which_hold_for_ten_seconds_are_never_used_r1_2() {
    // No value in the 4-beat slots, SpO2-D 97 in frame 9, HR-D 72 in frames 20 and 21.
    let mut stream = df2_packet(&Packet::default());
    for (frame, slot) in [(9, 97), (20, 0), (21, 72)] {
        let bytes = &mut stream[(frame - 1) * 5..frame * 5];
        bytes[3] = slot;
        bytes[4] = bytes[..4].iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    }
    assert_eq!(numbers(&decoded(&mut Df2::default(), &stream)), [absent(Absent::Searching)]);
}

#[test]
fn yellow_perfusion_is_good_and_red_is_doubted() {
    for (bits, expected) in [
        (0x06, good(97, 72)),
        (0x02, good(97, 72)),
        (0x04, doubted(97, 72, Doubt::LowPerfusion)),
        (0x20, doubted(97, 72, Doubt::Artefact)),
        (0x10, doubted(97, 72, Doubt::Artefact)),
    ] {
        let mut stream = df2_packet(&patient(97, 72));
        (stream[51], stream[54]) = (stream[51] | bits, stream[54].wrapping_add(bits));
        assert_eq!(numbers(&decoded(&mut Df2::default(), &stream)), [expected], "status bits {bits:02x}");
    }
}

#[test]
fn a_frame_with_a_bad_checksum_is_rejected_and_counted_and_its_packet_is_dropped() {
    let mut driver = Df2::default();
    decoded(&mut driver, &hex("01 80 01 48 CB"));
    assert_eq!((driver.stats().rejected(Reject::Checksum), driver.stats().good_frames), (1, 0));

    let mut stream = df2_packet(&patient(97, 72)).to_vec();
    stream[54] ^= 0xFF;
    stream.extend(df2_packet(&patient(96, 71)));
    let mut driver = Df2::default();
    let samples = decoded(&mut driver, &stream);
    assert_eq!(numbers(&samples), [good(96, 71)]);
    assert_eq!(pleth(&samples).len(), 49, "the frames around the bad one are good frames still");
    assert_eq!((driver.stats().rejected(Reject::Checksum), driver.stats().bytes_skipped), (1, 5));
}

#[test]
fn a_packet_with_a_lost_frame_is_dropped_and_counted() {
    let whole = df2_packet(&patient(97, 72));
    for lost in [0, 1, 24] {
        let mut stream = whole.to_vec();
        let mut torn = whole.to_vec();
        torn.drain(lost * 5..(lost + 1) * 5);
        stream.extend(torn);
        stream.extend(df2_packet(&patient(95, 80)));
        let mut driver = Df2::default();
        assert_eq!(numbers(&decoded(&mut driver, &stream)), [good(97, 72), good(95, 80)], "frame {} lost", lost + 1);
        assert_eq!((driver.stats().rejects(), driver.stats().rejected(Reject::Sequence)), (1, 1));
    }
}

#[test]
fn control_replies_between_frames_cost_no_frame() {
    let packet = df2_packet(&patient(97, 72));
    let (head, tail) = packet.split_at(50);
    let serial = b"\x02\xF4\x0A\x02500123456\x03";
    let stream = [&packet[..], &[0x06], head, &CLOCK, tail, &[0x15], head, &serial[..], &[0x06, 0x06], tail].concat();
    let mut driver = Df2::default();
    let samples = decoded(&mut driver, &stream);
    assert_eq!(numbers(&samples), [good(97, 72); 3]);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects(), driver.stats().bytes_skipped), (75, 0, 0));
}

#[test]
fn a_low_battery_is_told_when_it_becomes_low_and_the_firmware_when_it_changes() {
    let full = patient(97, 72);
    let low = Packet { flags: Flags { battery_low: true, ..Flags::default() }, ..full };
    let stream = [full, low, low, full, low].map(|packet| df2_packet(&packet)).concat();
    let mut driver = Df2::default();
    let samples = decoded(&mut driver, &stream);
    assert_eq!(notices(&samples), [Notice::BatteryLow; 2]);
    assert_eq!(firmware(&samples), ["0x23"]);
    driver.opened(Time::ZERO);
    assert_eq!(firmware(&decoded(&mut driver, &stream)), ["0x23"], "told again to whoever opened the port again");
}

#[test]
fn a_reopened_port_forgets_the_half_frame_before_it() {
    let packet = df2_packet(&patient(97, 72));
    let mut driver = Df2::default();
    decoded(&mut driver, &packet[..63]);
    driver.opened(Time::ZERO);
    assert_eq!(numbers(&decoded(&mut driver, &packet[63..])), []);
    assert_eq!(numbers(&decoded(&mut driver, &packet)), [good(97, 72)]);
}

#[test]
fn bit_7_of_a_value_is_no_part_of_it() {
    let mut stream = df2_packet(&patient(97, 72));
    (stream[13], stream[14]) = (stream[13] | 0x80, stream[14].wrapping_add(0x80));
    assert_eq!(numbers(&decoded(&mut Df2::default(), &stream)), [good(97, 72)]);
}

#[test]
fn a_status_without_its_constant_bit_is_no_frame() {
    let mut driver = Df2::default();
    decoded(&mut driver, &df2_packet(&patient(97, 72)));
    assert_eq!(decoded(&mut driver, &hex("01 01 43 00 45")), []);
    assert_eq!(driver.stats().rejected(Reject::Framing), 1);
}

#[test]
fn a_simulated_device_without_a_finger_sends_what_a_real_one_does() {
    let no_finger = Packet { flags: Flags { sensor_off: true, ..Flags::default() }, ..Packet::default() };
    assert_eq!(df2_packet(&no_finger)[..15], hex("01 99 00 03 9D  01 98 00 7F 18  01 98 00 7F 18"));
}

#[test]
fn it_keeps_the_laws() {
    let clean = df2_packet(&patient(97, 72)).repeat(3);
    let with_replies = [&clean[..], &CLOCK, &clean[..], &[0x06], &clean[..60], &[0x15], &clean[60..]].concat();
    laws::splits_do_not_matter(Df2::default, &with_replies);
    laws::never_panics(Df2::default, &with_replies);

    // Two frames, then values with the second packet at the latest: 2/3 s.
    let after = df2_packet(&patient(97, 72)).repeat(5);
    laws::recovers(Df2::default, &clean, &after, Within { frame: 10, values: 250 });
    // Before the first lock: the next frame with SYNC.
    laws::recovers(Df2::default, &[], &after, Within { frame: 130, values: 250 });
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in any_packet()) {
        let samples = decoded(&mut Df2::default(), &df2_packet(&packet));
        prop_assert_eq!(numbers(&samples), [meant(&packet, packet.flags)]);
        prop_assert_eq!(pleth(&samples), packet.pleth.map(|point| point.min(255)));
        prop_assert_eq!(notices(&samples).len(), usize::from(packet.flags.battery_low));
    }
}
