//! DF7.

use proptest::prelude::*;

use super::{any_packet, firmware, good, hex, meant, notices, numbers, patient, pleth};
use crate::driver::laws::{self, Within, decoded};
use crate::driver::nonin::{Df7, Packet, df7_packet};
use crate::driver::{Driver, Reject};
use crate::sample::Notice;

/// Computed: a packet with 0x8000 + 16 a frame as its waveform.
const COMPUTED: &str = "
    81 80 00 00 01  80 80 10 48 58  80 80 20 61 81  80 80 30 23 53  80 80 40 00 40
    80 80 50 00 50  80 80 60 17 77  80 80 70 21 91  80 80 80 61 E1  80 80 90 62 F2
    80 80 A0 60 00  80 80 B0 00 B0  80 80 C0 00 C0  80 80 D0 00 D0  80 80 E0 49 29
    80 80 F0 61 51  80 81 00 61 62  80 81 10 00 11  80 81 20 00 21  80 81 30 00 31
    80 81 40 48 89  80 81 50 00 51  80 81 60 49 AA  80 81 70 00 71  80 81 80 00 81";

#[test]
fn the_computed_packet_reads_as_the_sheet_says_once_the_next_has_begun() {
    let mut driver = Df7::default();
    assert_eq!(decoded(&mut driver, &hex(COMPUTED)), [], "one SYNC alone proves nothing");
    // The first frame of the next: `83 81 23 00 27`, SYNC and green.
    let samples = decoded(&mut driver, &hex("83 81 23 00 27"));
    assert_eq!(numbers(&samples), [good(97, 72)]);
    assert_eq!(firmware(&samples), ["0x23"]);
    assert_eq!(notices(&samples), [Notice::BatteryLow]);
    let waveform = pleth(&samples);
    assert!(waveform.iter().take(25).copied().eq((0x8000..).step_by(16).take(25)));
    assert_eq!(waveform.get(25), Some(&0x8123));
    assert_eq!((driver.stats().good_frames, driver.stats().rejects(), driver.stats().bytes_skipped), (26, 0, 0));
}

#[test]
fn a_locked_stream_gives_its_values_with_the_last_byte_of_the_packet() {
    let mut driver = Df7::default();
    decoded(&mut driver, &[hex(COMPUTED), hex(COMPUTED)].concat()[..249]);
    assert_eq!(numbers(&decoded(&mut driver, &[0x81])), [good(97, 72)]);
    // Yellow, and a waveform near its end of scale.
    decoded(&mut driver, &hex("83 81 23 00 27"));
    assert_eq!(pleth(&decoded(&mut driver, &hex("86 FF FE 61 E4"))), [65_534]);
}

#[test]
fn an_idle_stream_read_at_offset_4_makes_no_lock() {
    let idle = hex("80 00 00 00 80").repeat(200);
    for offset in 0..5 {
        let mut driver = Df7::default();
        assert_eq!(decoded(&mut driver, &idle[offset..]), [], "offset {offset}");
        assert!(!driver.lock().locked);
    }
    // Nor does it hold up the lock on the stream that follows.
    let stream = [&idle[4..], &df7_packet(&patient(97, 72)).repeat(3)].concat();
    assert_eq!(numbers(&decoded(&mut Df7::default(), &stream)), [good(97, 72); 3]);
}

#[test]
fn a_quiet_device_joined_at_offset_4_is_read_at_its_true_offset() {
    // All slots and the waveform 0, so that offset 4 passes every checksum but that of SYNC.
    let quiet = hex(&["81 00 00 00 81", &"80 00 00 00 80".repeat(24)].concat()).repeat(4);
    let mut driver = Df7::default();
    let samples = decoded(&mut driver, &quiet[29..]);
    assert_eq!(pleth(&samples).len(), 75, "three packets: the first whole one begins the lock");
    assert!(driver.lock().locked);
}

#[test]
fn the_first_failure_ends_the_lock() {
    let packet = df7_packet(&patient(97, 72));
    let mut driver = Df7::default();
    decoded(&mut driver, &packet.repeat(2));
    assert!(driver.lock().locked);
    let mut bad = packet;
    bad[4] ^= 0x01;
    decoded(&mut driver, &bad);
    assert!(!driver.lock().locked);
    assert_eq!(decoded(&mut driver, &packet), []);
    assert_eq!(numbers(&decoded(&mut driver, &packet)), [good(97, 72); 2]);
    assert!(driver.stats().rejected(Reject::Checksum) > 0);
}

#[test]
fn a_sync_out_of_its_turn_ends_the_lock() {
    let packet = df7_packet(&patient(97, 72));
    for torn in [&packet[..120], &[&packet[..], &packet[5..10]].concat()] {
        let mut driver = Df7::default();
        decoded(&mut driver, &packet.repeat(2));
        assert_eq!(numbers(&decoded(&mut driver, torn)).len(), torn.len() / 125);
        let before = driver.stats().rejected(Reject::Sequence);
        assert_eq!(numbers(&decoded(&mut driver, &packet)), []);
        assert!(driver.stats().rejected(Reject::Sequence) + before > 0);
        assert_eq!(numbers(&decoded(&mut driver, &packet)), [good(97, 72); 2]);
    }
}

#[test]
fn control_replies_cost_no_frame_even_while_the_lock_is_sought() {
    let packet = df7_packet(&patient(97, 72));
    let (head, tail) = packet.split_at(75);
    let clock = [0x02, 0xF2, 0x06, 0x26, 0x11, 0x22, 0x03, 0x01, 0x02, 0x03];
    let stream = [head, &clock, tail, &[0x15], &packet[..], head, &[0x06], tail, &clock, &packet[..]].concat();
    let mut driver = Df7::default();
    assert_eq!(numbers(&decoded(&mut driver, &stream)), [good(97, 72); 4]);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects(), driver.stats().bytes_skipped), (100, 0, 0));
}

#[test]
fn a_status_without_its_constant_bit_is_no_frame() {
    let mut driver = Df7::default();
    decoded(&mut driver, &df7_packet(&patient(97, 72)).repeat(2));
    assert_eq!(decoded(&mut driver, &hex("01 80 00 00 81")), []);
    assert_eq!(driver.stats().rejected(Reject::Framing), 1);
}

#[test]
fn a_flood_of_control_replies_does_not_end_the_search() {
    let packet = df7_packet(&patient(97, 72));
    let stream = [&packet[..5], &[0x06; 1_000], &packet.repeat(3)].concat();
    assert_eq!(numbers(&decoded(&mut Df7::default(), &stream)), [good(97, 72); 3]);
}

#[test]
fn it_keeps_the_laws() {
    let clean = df7_packet(&patient(97, 72)).repeat(3);
    let with_replies = [&clean[..], &[0x06], &clean[..60], &[0x15], &clean[60..]].concat();
    laws::splits_do_not_matter(Df7::default, &with_replies);
    laws::never_panics(Df7::default, &with_replies);

    // Lock and values with the SYNC after the first whole packet: 26 frames, 51 at the worst (0.68 s).
    let after = df7_packet(&patient(97, 72)).repeat(5);
    let within = Within { frame: 255, values: 255 };
    laws::recovers(Df7::default, &clean, &after, within);
    laws::recovers(Df7::default, &[], &after, within);
    let mid_packet = &clean[..clean.len() - 62];
    laws::recovers(Df7::default, mid_packet, &[&after[63..], &after[..]].concat(), within);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in any_packet()) {
        let stream = [df7_packet(&packet), df7_packet(&Packet::default())].concat();
        let samples = decoded(&mut Df7::default(), &stream);
        prop_assert_eq!(numbers(&samples)[0], meant(&packet, packet.flags));
        prop_assert_eq!(&pleth(&samples)[..25], &packet.pleth);
    }
}
