//! The five-byte stream of the BCI family: Berry boards and probes, and many OEM boards without a name.
//!
//! ```text
//! Devices    BerryMed BM1000 and its USB probes; OEM boards of the same frame. The bytes of a genuine
//!            BCI/Smiths board were not found, and that one may have to be told to start
//! Line       115200 8N1 (Berry probes, virtual COM port); 4800 8N1 (OEM boards).
//!            19200 8O1 is contec-old. USB bridge: CP210x, FTDI, CH34x, PL2303 or CDC
//! Speaks     by itself; nothing is sent
//! Rate       100 frames a second at 115200, 60 at 4800, which cannot carry more
//! Integrity  framing only: the first byte of a frame has bit 7 set, the other four have it clear;
//!            therefore locked only after 10 clean frames in a row whose pulse and SpO2 stay within 3 of
//!            the frame before. Once locked, values may jump
//!
//! Frame      1bun ssss   b beat, ssss signal strength 0..8: no perfusion index, whatever samples call it
//!            0www wwww   w waveform 0..100, 0 none; 0..127 with other vendors
//!            0pfx gggg   p bit 7 of the pulse rate, f searching for a pulse, g bar graph 0..15, 0 none
//!            0ppp pppp   pulse rate, bits 0..6, bpm
//!            0sss ssss   SpO2, %
//!
//!            Berry                   Contec and others          taken for
//! u          probe unplugged         SpO2 falling or low        sensor fault if SpO2 is 127, else nothing
//! n          no signal               searching too long         sensor off
//! x          no finger               probe error                sensor off
//! f          searching               searching                  searching
//!
//! Certain    layout; "none" is pulse 255, SpO2 127, waveform 0: vendor's paper and vendor's code
//! One source either line; the rate of either
//! Disputed   u, n, x: they differ by vendor and cannot be told apart on the wire, so u never lowers,
//!            doubts or alarms a saturation that is there
//! Inferred   60 a second at 4800; pulse 0, SpO2 0 and 101..126 are "none" as well
//! Unknown    what a device sends: nothing was captured
//! Not used   strength, bar graph, beat. Newer probes of the same look speak `55 AA`: berry-board
//! Recording  tests/recordings/: bci (none of it captured)
//! ```
//!
//! Contec's V7.0 has bit 7 the other way round and never passes here.

use super::five_bytes::{Frame, Frames};
use super::{
    Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Pleth, Poll, Protocol, Quantity,
};
use crate::sample::Sample;
use crate::time::{Span, Time};
use crate::vitals::Absent;

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "bci",
    devices: "BerryMed BM1000 and USB probes; OEM boards with the five-byte \"BCI\" stream",
    lines: &[LineSettings::n1(115_200), LineSettings::n1(4_800)],
    kind: Kind::Stream,
    // 60 a second: the slower of the two.
    cadence: Span::millis(17),
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(Pleth { full_scale: 127, hz: 100 }),
    integrity: Integrity::Framing,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unknown,
    cuff: None,
    probe_request: None,
};

/// Clean and steady frames in a row before anything is told.
const LOCK: u32 = 10;
/// How far pulse (bpm) and SpO2 (%) may go from one frame to the next before that.
const STEADY: u8 = 3;
/// No saturation, by the vendor's paper.
const SPO2_NONE: u8 = 127;

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Bci {
    frames: Frames,
    last: Frame,
}

impl Bci {
    fn take(&mut self, frame: Frame, locked: bool, at: Time, out: &mut impl FnMut(Sample)) {
        let before = core::mem::replace(&mut self.last, frame);
        if !locked && !steady(&before, &frame) {
            self.frames.count_anew();
        }
        if self.lock().locked {
            out(Sample::Oximetry(frame.oximetry(unmeasured(&frame), at)));
            if frame.pleth > 0 {
                out(Sample::Pleth { at, value: frame.pleth.into() });
            }
        }
    }
}

/// Whether the numbers of two neighbours could be those of one patient, "none" included.
const fn steady(before: &Frame, frame: &Frame) -> bool {
    before.spo2.abs_diff(frame.spo2) <= STEADY && before.pulse.abs_diff(frame.pulse) <= STEADY
}

/// Why there are no numbers, if the flags say so. "Unplugged" means "falling" with other vendors, so it
/// counts only where nothing could fall.
const fn unmeasured(frame: &Frame) -> Option<Absent> {
    match frame.unmeasured() {
        None if frame.unplugged_or_low && frame.spo2 == SPO2_NONE => Some(Absent::SensorFault),
        other => other,
    }
}

impl Driver for Bci {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        self.frames.forget();
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            let locked = self.lock().locked;
            if let Some(frame) = self.frames.push(*byte) {
                self.take(frame, locked, now, out);
            }
        }
    }

    fn poll(&mut self, _: Time, _: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        let good_in_a_row = self.frames.in_a_row();
        Evidence { good_in_a_row, locked: good_in_a_row >= LOCK }
    }

    fn stats(&self) -> &DecodeStats {
        self.frames.stats()
    }
}

#[cfg(test)]
mod tests {
    //! Vectors from the sheet; none was captured.

    use std::vec::Vec;

    use super::*;
    use crate::driver::AnyDriver;
    use crate::driver::contec::v7;
    use crate::driver::laws::{self, NOW, Within, decoded};
    use crate::driver::nonin::{Packet, df2_packet};
    use crate::sample::Oximetry;
    use crate::vitals::{Measured, PulseRate, Spo2};

    const GOOD: [u8; 5] = [0x85, 0x33, 0x06, 0x48, 0x61];

    /// A driver in step.
    fn locked() -> Bci {
        let mut driver = Bci::default();
        driver.opened(NOW);
        decoded(&mut driver, &GOOD.repeat(10));
        assert!(driver.lock().locked);
        driver
    }

    fn says(frame: [u8; 5]) -> Vec<Sample> {
        decoded(&mut locked(), &frame)
    }

    fn oximetry(spo2: Measured<Spo2>, pulse: Measured<PulseRate>) -> Sample {
        Sample::Oximetry(Oximetry { at: NOW, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) })
    }

    fn good(percent: u16, bpm: u16) -> Sample {
        oximetry(Measured::in_range(Spo2::percent(percent)), Measured::in_range(PulseRate::bpm(bpm)))
    }

    fn none(why: Absent) -> Sample {
        oximetry(Measured::Absent(why), Measured::Absent(why))
    }

    const fn pleth(value: u16) -> Sample {
        Sample::Pleth { at: NOW, value }
    }

    #[test]
    fn numbers_and_waveform_come_from_their_bytes_and_the_strength_is_no_perfusion_index() {
        assert_eq!(says(GOOD), [good(97, 72), pleth(51)]);
    }

    #[test]
    fn a_pulse_above_127_has_its_high_bit() {
        assert_eq!(says([0xc8, 0x64, 0x4f, 0x16, 0x5d]), [good(93, 150), pleth(100)]);
    }

    #[test]
    fn no_signal_no_finger_and_no_numbers_is_sensor_off_and_a_waveform_of_none_is_no_point() {
        assert_eq!(says([0x90, 0x00, 0x50, 0x7f, 0x7f]), [none(Absent::SensorOff)]);
    }

    #[test]
    fn an_unplugged_probe_is_a_sensor_fault() {
        assert_eq!(says([0xa0, 0x00, 0x40, 0x7f, 0x7f]), [none(Absent::SensorFault)]);
    }

    #[test]
    fn a_pulse_of_127_while_searching_is_not_shown() {
        assert_eq!(says([0x84, 0x20, 0x23, 0x7f, 0x7f]), [none(Absent::Searching), pleth(32)]);
    }

    #[test]
    fn any_flag_that_means_not_measuring_hides_the_numbers_that_a_device_still_holds() {
        let held = Frame { spo2: 97, pulse: 72, pleth: 51, ..Frame::default() };
        for (frame, why) in [
            (Frame { no_signal: true, ..held }, Absent::SensorOff),
            (Frame { no_finger: true, searching: true, ..held }, Absent::SensorOff),
            (Frame { searching: true, no_signal: true, ..held }, Absent::Searching),
        ] {
            assert_eq!(says(frame.encode()), [none(why), pleth(51)], "{frame:?}");
        }
    }

    #[test]
    fn the_disputed_bit_5_changes_nothing_about_a_saturation_that_is_there() {
        for spo2 in [1, 70, 84, 97, 100] {
            let frame = Frame { spo2, pulse: 72, pleth: 51, unplugged_or_low: true, ..Frame::default() };
            assert_eq!(says(frame.encode()), [good(spo2.into(), 72), pleth(51)]);
        }
    }

    #[test]
    fn the_values_for_none_are_inadequate_signal_when_no_flag_says_more() {
        let no_pulse = Measured::Absent(Absent::InadequateSignal);
        let frame = Frame { spo2: 97, pulse: 72, pleth: 51, ..Frame::default() };
        for spo2 in [0, 101, 126, 127] {
            let expected = oximetry(Measured::Absent(Absent::InadequateSignal), Measured::in_range(PulseRate::bpm(72)));
            assert_eq!(says(Frame { spo2, ..frame }.encode()), [expected, pleth(51)], "SpO2 {spo2}");
        }
        for pulse in [0, 255] {
            let expected = oximetry(Measured::in_range(Spo2::percent(97)), no_pulse);
            assert_eq!(says(Frame { pulse, ..frame }.encode()), [expected, pleth(51)], "pulse {pulse}");
        }
    }

    #[test]
    fn nothing_is_told_before_10_clean_frames_in_a_row() {
        let mut driver = Bci::default();
        assert_eq!(decoded(&mut driver, &GOOD.repeat(9)), []);
        decoded(&mut driver, &[0x85, 0x34]);
        assert_eq!(decoded(&mut driver, &GOOD.repeat(9)), [], "a frame cut short starts the count anew");
        assert_eq!(decoded(&mut driver, &GOOD), [good(97, 72), pleth(51)]);
    }

    #[test]
    fn numbers_that_jump_prove_nothing_until_it_is_locked_and_jump_freely_after() {
        let frame = Frame { spo2: 97, pulse: 72, pleth: 51, ..Frame::default() };
        for jump in [Frame { spo2: 93, ..frame }, Frame { pulse: 76, ..frame }] {
            let mut driver = Bci::default();
            let jumps: Vec<_> = (0..20).flat_map(|_| [frame.encode(), jump.encode()].concat()).collect();
            assert_eq!(decoded(&mut driver, &jumps), []);
            assert_eq!(driver.lock().good_in_a_row, 1);
            assert_eq!(decoded(&mut driver, &jump.encode().repeat(9)).len(), 2, "the tenth that is alike");
            assert_eq!(decoded(&mut driver, &jumps).len(), 80);
        }
        let drift = |n: u8| Frame { spo2: 97 - 3 * n, pulse: 72 + 3 * n, ..frame }.encode();
        assert_eq!(decoded(&mut Bci::default(), &(0..10).flat_map(drift).collect::<Vec<_>>()).len(), 2);
    }

    #[test]
    fn it_never_takes_contec_v7_or_nonin_for_its_own() {
        let contec = v7::realtime(&v7::Frame { spo2: 97, pulse: 72, pleth: 51, ..v7::Frame::default() }).repeat(100);
        let mut packet = Packet { spo2: Some(97), pulse: Some(72), ..Packet::default() };
        for (n, pleth) in (0..).zip(&mut packet.pleth) {
            *pleth = 10 * n;
        }
        let nonin = df2_packet(&packet).repeat(20);
        for stream in [&contec[..], &nonin] {
            let mut driver = Bci::default();
            assert_eq!(decoded(&mut driver, stream), []);
        }
    }

    #[test]
    fn it_sends_nothing() {
        let poll = locked().poll(NOW, &mut |_| ());
        assert_eq!((poll.send, poll.next), (None, None));
    }

    fn stream() -> Vec<u8> {
        let frame = Frame { spo2: 97, pulse: 172, ..Frame::default() };
        (1..25).flat_map(|n| Frame { pleth: 4 * n, ..frame }.encode()).collect()
    }

    #[test]
    fn it_keeps_the_laws_of_every_driver() {
        laws::splits_do_not_matter(Bci::default, &stream());
        laws::never_panics(Bci::default, &stream());
        laws::recovers(Bci::default, &stream(), &stream(), Within { frame: 10, values: 50 });
    }

    #[test]
    fn it_is_found_by_name() {
        assert_eq!(AnyDriver::new("bci").expect("registered").protocol().name, "bci");
    }
}
