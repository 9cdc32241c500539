//! The vectors of the data sheet, and the laws of every driver.

mod df2;
mod df7;
mod printout;
mod short;

use std::vec::Vec;

use proptest::prelude::*;

use super::{Flags, Packet};
use crate::driver::laws::decoded;
use crate::driver::{AnyDriver, Driver, PROTOCOLS};
use crate::sample::{IdentityPart, Notice, Oximetry, Sample};
use crate::time::Time;
use crate::vitals::{Absent, Doubt, Measured, PulseRate, Spo2};

/// Bytes written as hex digits, spaces and line ends between them as you like.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).expect("two digits")).collect()
}

/// SpO2 and pulse of each Oximetry among the samples.
fn numbers(samples: &[Sample]) -> Vec<(Measured<Spo2>, Measured<PulseRate>)> {
    let numbers = |sample: &Sample| match sample {
        Sample::Oximetry(Oximetry { spo2, pulse, perfusion_index, .. }) => {
            assert_eq!(*perfusion_index, Measured::Absent(Absent::NotMeasured));
            Some((*spo2, *pulse))
        }
        _ => None,
    };
    samples.iter().filter_map(numbers).collect()
}

fn pleth(samples: &[Sample]) -> Vec<u16> {
    let point = |sample: &Sample| if let Sample::Pleth { value, .. } = sample { Some(*value) } else { None };
    samples.iter().filter_map(point).collect()
}

fn notices(samples: &[Sample]) -> Vec<Notice> {
    let notice = |sample: &Sample| if let Sample::Notice { notice, .. } = sample { Some(*notice) } else { None };
    samples.iter().filter_map(notice).collect()
}

fn firmware(samples: &[Sample]) -> Vec<&str> {
    let text = |sample| match sample {
        &Sample::Identity { part: IdentityPart::Firmware, ref text, .. } => Some(text.as_str()),
        _ => None,
    };
    samples.iter().filter_map(text).collect()
}

fn good(spo2: u16, pulse: u16) -> (Measured<Spo2>, Measured<PulseRate>) {
    (Measured::in_range(Spo2::percent(spo2)), Measured::in_range(PulseRate::bpm(pulse)))
}

fn doubted(spo2: u16, pulse: u16, doubt: Doubt) -> (Measured<Spo2>, Measured<PulseRate>) {
    let (spo2, pulse) = good(spo2, pulse);
    (spo2.doubted(doubt), pulse.doubted(doubt))
}

fn absent(reason: Absent) -> (Measured<Spo2>, Measured<PulseRate>) {
    (Measured::Absent(reason), Measured::Absent(reason))
}

/// A patient at `spo2` and `pulse`, with a waveform that differs in each point.
fn patient(spo2: u16, pulse: u16) -> Packet {
    let mut packet = Packet { spo2: Some(spo2), pulse: Some(pulse), firmware: 0x23, ..Packet::default() };
    for (point, value) in packet.pleth.iter_mut().zip((20..).step_by(9)) {
        *point = value;
    }
    packet
}

/// Any packet a simulator might fill, its values within what the quantities allow.
fn any_packet() -> impl Strategy<Value = Packet> {
    let values = (proptest::option::of(1_u16..=100), proptest::option::of(20_u16..=300));
    let flags = any::<[bool; 6]>().prop_map(
        |[sensor_fault, sensor_off, out_of_track, artefact, low_perfusion, battery_low]| Flags {
            sensor_fault,
            sensor_off,
            out_of_track,
            artefact,
            low_perfusion,
            battery_low,
        },
    );
    (values, any::<[u16; 25]>(), flags, any::<u8>()).prop_map(|((spo2, pulse), pleth, flags, firmware)| Packet {
        spo2,
        pulse,
        pleth,
        flags,
        firmware,
    })
}

/// What a packet says, were there no wire between.
fn meant(packet: &Packet, flags: Flags) -> (Measured<Spo2>, Measured<PulseRate>) {
    (flags.judge(packet.spo2.map(Spo2::percent)), flags.judge(packet.pulse.map(PulseRate::bpm)))
}

#[test]
fn each_format_is_a_driver_of_its_own_name_that_sends_nothing() {
    for name in ["nonin-df2", "nonin-df7", "nonin-df1", "nonin-df8", "nonin-printout"] {
        let mut driver = AnyDriver::new(name).expect(name);
        assert_eq!(driver.protocol().name, name);
        driver.opened(Time::ZERO);
        let poll = driver.poll(Time::ZERO, &mut |sample| panic!("{sample:?}"));
        assert_eq!((poll.send, poll.next), (None, None));
        assert!(PROTOCOLS.iter().any(|protocol| protocol.name == name));
    }
}

#[test]
fn the_five_byte_streams_are_told_apart_by_their_content() {
    let df2 = super::df2_packet(&patient(97, 72)).repeat(4);
    let df7 = super::df7_packet(&patient(97, 72)).repeat(4);
    assert_eq!(numbers(&decoded(&mut super::Df7::default(), &df2)), []);
    assert_eq!(numbers(&decoded(&mut super::Df2::default(), &df7)), []);
}
