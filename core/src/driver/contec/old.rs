//! Contec's old protocol of five bytes, live mode.
//!
//! ```text
//! Devices    CMS50D, CMS50D+ up to firmware 4.5, early CMS50E and CMS50F, many rebadged ones
//! Line       19200 8O1 mostly; one source says 19200 8N1; one unit is documented at 4800 8N1.
//!            No flow control: XON/XOFF would swallow data
//! Speaks     by itself, once the device's "USB" menu item is on; nothing is sent
//! Rate       60 frames a second
//! Integrity  framing only: the first byte of a frame has bit 7 set, the other four have it clear;
//!            therefore locked only after 20 clean frames in a row, a third of a second
//!
//! Frame      1bdt ssss   t searching too long OR finger out (sources differ), d SpO2 falling or low,
//!                        b beat, ssss signal strength 0..8 (15 seen)
//!            0www wwww   w waveform 0..127
//!            0pfe gggg   p bit 7 of the pulse rate, f searching for a pulse, e probe error, g bar graph 0..15
//!            0ppp pppp   pulse rate, bits 0..6, bpm
//!            0sss ssss   SpO2, %
//!
//! Certain    layout, rate, 19200 baud: two sources and more
//! Disputed   parity; bit t; the meaning of the flags with other vendors of the same frame (BCI, Berry)
//! Inferred   "none": pulse 0 or 255, SpO2 0 or above 100; any of t, f, e: not measuring
//! Unknown    what "none" looks like on a device; PI is not sent
//! Not used   recorded data (F5 F5 asks for them, F6 F6 F6 ends that): their frames do not pass here
//! ```

use super::{CADENCE, LineSettings, PLETH, Quantity, Time, pulse, spo2};
use crate::driver::{Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, OwnAlarm, Poll, Protocol, Reject};
use crate::sample::{Oximetry, Sample};
use crate::vitals::{Absent, Measured};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "contec-old",
    devices: "Contec CMS50D, CMS50D+ (firmware 4.5 and older), early CMS50E and CMS50F",
    lines: &[LineSettings::o1(19_200), LineSettings::n1(19_200), LineSettings::n1(4_800)],
    kind: Kind::Stream,
    cadence: CADENCE,
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(PLETH),
    integrity: Integrity::Framing,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unreported,
    cuff: None,
    probe_request: None,
};

/// Clean frames in a row before anything is told.
const LOCK: u32 = 20;

/// A frame as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Signal strength, 0..=8; 15 has been seen.
    pub strength: u8,
    /// Bit 4 of the first byte: searching too long, or finger out.
    pub too_long_or_finger_out: bool,
    /// The device's own mark of a falling or low saturation.
    pub dropping: bool,
    /// The beep of a beat.
    pub beat: bool,
    /// The waveform, 0..=127.
    pub pleth: u8,
    /// Bar graph, 0..=15.
    pub bar: u8,
    /// Probe error.
    pub probe_error: bool,
    /// Searching for a pulse.
    pub searching: bool,
    /// Pulse rate, bpm; 0 and 255: none.
    pub pulse: u8,
    /// Saturation, %, seven bits; 0 and above 100: none.
    pub spo2: u8,
}

impl Frame {
    pub(super) const fn unpack(wire: [u8; 5]) -> Self {
        let [flags, wave, bar, pulse, spo2] = wire;
        Self {
            strength: flags & 0x0f,
            too_long_or_finger_out: flags & 0x10 != 0,
            dropping: flags & 0x20 != 0,
            beat: flags & 0x40 != 0,
            pleth: wave & 0x7f,
            bar: bar & 0x0f,
            probe_error: bar & 0x10 != 0,
            searching: bar & 0x20 != 0,
            pulse: (bar & 0x40) << 1 | pulse & 0x7f,
            spo2: spo2 & 0x7f,
        }
    }

    /// Why there are no numbers, if the flags say so.
    ///
    /// The disputed bit alone counts as "sensor off". Read as "no pulse with the sensor on" it would
    /// cry HIGH (row 25) on every device that means "finger out" by it, each time a probe slips.
    /// Read as "sensor off" it is never silent: no SpO2 is an alarm after 10 s, HIGH after 60 s
    /// (R6.2), and either way somebody looks at the finger.
    const fn unmeasured(&self) -> Option<Absent> {
        match self {
            Self { probe_error: true, .. } => Some(Absent::SensorOff),
            Self { searching: true, .. } => Some(Absent::Searching),
            Self { too_long_or_finger_out: true, .. } => Some(Absent::SensorOff),
            _ => None,
        }
    }

    fn oximetry(&self, at: Time) -> Oximetry {
        let (spo2, pulse) = match self.unmeasured() {
            None => (spo2(self.spo2), pulse(self.pulse)),
            Some(why) => (Measured::Absent(why), Measured::Absent(why)),
        };
        Oximetry { at, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) }
    }
}

/// A frame, as a device sends it.
#[must_use]
pub const fn frame(frame: &Frame) -> [u8; 5] {
    const fn flag(set: bool, bit: u8) -> u8 {
        if set { bit } else { 0 }
    }
    [
        0x80 | frame.strength & 0x0f
            | flag(frame.too_long_or_finger_out, 0x10)
            | flag(frame.dropping, 0x20)
            | flag(frame.beat, 0x40),
        frame.pleth & 0x7f,
        frame.bar & 0x0f | flag(frame.probe_error, 0x10) | flag(frame.searching, 0x20) | (frame.pulse & 0x80) >> 1,
        frame.pulse & 0x7f,
        frame.spo2 & 0x7f,
    ]
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Old {
    frame: [u8; 5],
    have: usize,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Old {
    fn take(&mut self, byte: u8, now: Time, out: &mut impl FnMut(Sample)) {
        if byte & 0x80 != 0 {
            self.abandon();
        } else if self.have == 0 {
            self.stats.skip(1);
            self.in_a_row = 0;
            return;
        }
        if let Some(to) = self.frame.get_mut(self.have) {
            *to = byte;
            self.have = self.have.saturating_add(1);
        }
        if self.have == self.frame.len() {
            self.have = 0;
            self.stats.good();
            self.in_a_row = self.in_a_row.saturating_add(1);
            if self.lock().locked {
                let frame = Frame::unpack(self.frame);
                out(Sample::Oximetry(frame.oximetry(now)));
                out(Sample::Pleth { at: now, value: frame.pleth.into() });
            }
        }
    }

    /// Another frame begins before this one is whole.
    fn abandon(&mut self) {
        if self.have > 0 {
            self.stats.reject(Reject::Framing);
            self.stats.skip(self.have);
            (self.have, self.in_a_row) = (0, 0);
        }
    }
}

impl Driver for Old {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        (self.have, self.in_a_row) = (0, 0);
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.take(*byte, now, out);
        }
    }

    fn poll(&mut self, _: Time, _: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row >= LOCK }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
