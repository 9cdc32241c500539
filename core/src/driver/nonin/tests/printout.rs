//! The printout.

use std::format;

use proptest::prelude::*;

use super::{absent, any_packet, good, meant, notices, numbers, patient};
use crate::driver::laws::{self, Within, decoded};
use crate::driver::nonin::{Flags, Printout, printout_line};
use crate::driver::{Driver, Reject};
use crate::sample::Notice;
use crate::vitals::Absent;

#[test]
fn lines_read_as_the_sheet_says() {
    for (line, expected, marked) in [
        ("SPO2=097 HR=072", good(97, 72), false),
        ("14:30:05 SPO2=--- HR=---", absent(Absent::Searching), false),
        ("SPO2=096 HR=110*", good(96, 110), true),
        // Suffixes and widths that no manual states, but each allows.
        ("SPO2=096 HR=110 F", good(96, 110), false),
        ("14:30:05 SPO2=096 HR=110 F*B", good(96, 110), true),
        ("SPO2= 97 HR= 72", good(97, 72), false),
        ("SPO2=97  HR=72  F", good(97, 72), false),
        ("SPO2=97 HR=72", good(97, 72), false),
        ("SPO2=101 HR=010", absent(Absent::OutOfRange), false),
    ] {
        let samples = decoded(&mut Printout::default(), format!("{line}\r\n").as_bytes());
        assert_eq!(numbers(&samples), [expected], "{line}");
        assert_eq!(notices(&samples).contains(&Notice::EventMarker), marked, "{line}");
    }
}

#[test]
fn a_header_is_no_value_and_no_fault() {
    let mut driver = Printout::default();
    let samples = decoded(&mut driver, b"NONIN 8500 22-NOV-26 14:30:00\r\n\r\nSPO2=097 HR=072\r\n");
    assert_eq!(numbers(&samples), [good(97, 72)]);
    assert_eq!((driver.stats().good_frames, driver.stats().rejects(), driver.stats().bytes_skipped), (1, 0, 29));
}

#[test]
fn a_line_that_has_lost_or_gained_a_character_is_rejected_and_counted() {
    for (line, reason) in [
        ("SPO2=09 HR=072", Reject::Content),
        ("SPO2=097 HR=07", Reject::Content),
        ("SPO2= 7 HR= 72", Reject::Content),
        ("SPO2=097 HR=", Reject::Content),
        ("SPO2=097HR=072", Reject::Content),
        ("SPO2=0970 HR=072", Reject::Content),
        ("SPO2=097 HR=0720", Reject::Content),
        ("SPO2=0-7 HR=072", Reject::Content),
        ("SPO2=097", Reject::Content),
        ("SPO2=097 SPO2=097 HR=072", Reject::Content),
        ("0:05 SPO2=097 HR=072", Reject::Content),
        ("SPO2=097 H\u{1b}R=072", Reject::Framing),
        ("SPO2=097 HR=072                                                 .", Reject::Length),
    ] {
        let mut driver = Printout::default();
        assert_eq!(decoded(&mut driver, format!("{line}\r\n").as_bytes()), [], "{line}");
        assert_eq!((driver.stats().rejects(), driver.stats().rejected(reason)), (1, 1), "{line}");
        assert_eq!(driver.stats().bytes_skipped, line.len() as u64, "{line}");
    }
}

#[test]
fn it_keeps_the_laws() {
    let lines = b"14:30:05 SPO2=097 HR=072\r\nSPO2=--- HR=--- F\r\nSPO2=096 HR=110*\r\n";
    laws::splits_do_not_matter(Printout::default, lines);
    laws::never_panics(Printout::default, lines);
    let after = printout_line(&patient(97, 72)).repeat(4);
    // The line that garbage runs into, and the next.
    laws::recovers(Printout::default, lines, &after, Within { frame: 34, values: 34 });
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in any_packet()) {
        let Flags { sensor_fault, sensor_off, .. } = packet.flags;
        let blank = if sensor_fault || sensor_off { (None, None) } else { (packet.spo2, packet.pulse) };
        let shown = crate::driver::nonin::Packet { spo2: blank.0, pulse: blank.1, ..packet };
        let samples = decoded(&mut Printout::default(), &printout_line(&packet));
        prop_assert_eq!(numbers(&samples), [meant(&shown, Flags::default())]);
    }
}
