//! Frames of five bytes that only bit 7 holds together: Contec's old protocol and the BCI family.
//!
//! What they have in common stands here: the layout, finding the frames, and what the flags say about the
//! numbers. Three flags differ by vendor and cannot be told apart on the wire; each stands under what its
//! readings have in common.

use super::none;
use super::{DecodeStats, Reject};
use crate::sample::Oximetry;
use crate::time::Time;
use crate::vitals::{Absent, Measured};

/// A frame as it stands on the wire: numbers raw, nothing judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Signal strength, 0..=8; 15 has been seen. Not a perfusion index.
    pub strength: u8,
    /// Bit 4 of the first byte: no signal (Berry), searching too long or finger out (Contec).
    pub no_signal: bool,
    /// Bit 5 of the first byte: probe unplugged (Berry), saturation falling or low (Contec).
    pub unplugged_or_low: bool,
    /// The beep of a beat.
    pub beat: bool,
    /// The waveform, 0..=127; Berry ends at 100 and has 0 for "none".
    pub pleth: u8,
    /// Bar graph, 0..=15.
    pub bar: u8,
    /// Bit 4 of the third byte: no finger (Berry), probe error (Contec).
    pub no_finger: bool,
    /// Searching for a pulse.
    pub searching: bool,
    /// Pulse rate, bpm; 0 and 255: none.
    pub pulse: u8,
    /// Saturation, %, seven bits; 0 and above 100: none.
    pub spo2: u8,
}

impl Frame {
    const fn decode(wire: [u8; 5]) -> Self {
        let [flags, wave, bar, pulse, spo2] = wire;
        Self {
            strength: flags & 0x0f,
            no_signal: flags & 0x10 != 0,
            unplugged_or_low: flags & 0x20 != 0,
            beat: flags & 0x40 != 0,
            pleth: wave & 0x7f,
            bar: bar & 0x0f,
            no_finger: bar & 0x10 != 0,
            searching: bar & 0x20 != 0,
            pulse: (bar & 0x40) << 1 | pulse & 0x7f,
            spo2: spo2 & 0x7f,
        }
    }

    /// The frame, as a device sends it.
    #[must_use]
    pub const fn encode(&self) -> [u8; 5] {
        const fn flag(set: bool, bit: u8) -> u8 {
            if set { bit } else { 0 }
        }
        [
            0x80 | self.strength & 0x0f
                | flag(self.no_signal, 0x10)
                | flag(self.unplugged_or_low, 0x20)
                | flag(self.beat, 0x40),
            self.pleth & 0x7f,
            self.bar & 0x0f | flag(self.no_finger, 0x10) | flag(self.searching, 0x20) | (self.pulse & 0x80) >> 1,
            self.pulse & 0x7f,
            self.spo2 & 0x7f,
        ]
    }

    /// Why there are no numbers, if a flag says so that every vendor means that way.
    ///
    /// "No signal" alone counts as "sensor off". Read as "no pulse with the sensor on" it would cry HIGH
    /// (row 25) on every device that means "finger out" by it, each time a probe slips. Read as "sensor
    /// off" it is never silent: no SpO2 is an alarm after 10 s, HIGH after 60 s (R6.2), and either way
    /// somebody looks at the finger.
    pub(super) const fn unmeasured(&self) -> Option<Absent> {
        match self {
            Self { no_finger: true, .. } => Some(Absent::SensorOff),
            Self { searching: true, .. } => Some(Absent::Searching),
            Self { no_signal: true, .. } => Some(Absent::SensorOff),
            _ => None,
        }
    }

    /// The numbers, unless there are none because of `unmeasured`.
    pub(super) fn oximetry(&self, unmeasured: Option<Absent>, at: Time) -> Oximetry {
        let (spo2, pulse) = match unmeasured {
            None => (none::spo2(self.spo2), none::pulse(self.pulse)),
            Some(why) => (Measured::Absent(why), Measured::Absent(why)),
        };
        Oximetry { at, spo2, pulse, perfusion_index: Measured::Absent(Absent::NotMeasured) }
    }
}

/// Finds the frames in a stream: a byte with bit 7 set begins one, four with it clear follow.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    frame: [u8; 5],
    have: usize,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Frames {
    /// The port was opened: what came before proves nothing.
    pub const fn forget(&mut self) {
        (self.have, self.in_a_row) = (0, 0);
    }

    /// Takes a byte; returns the frame that it completes.
    pub fn push(&mut self, byte: u8) -> Option<Frame> {
        if byte & 0x80 != 0 {
            self.abandon();
        } else if self.have == 0 {
            self.stats.skip(1);
            self.in_a_row = 0;
            return None;
        }
        if let Some(to) = self.frame.get_mut(self.have) {
            *to = byte;
            self.have = self.have.saturating_add(1);
        }
        (self.have == self.frame.len()).then(|| {
            self.have = 0;
            self.stats.good();
            self.in_a_row = self.in_a_row.saturating_add(1);
            Frame::decode(self.frame)
        })
    }

    /// Another frame begins before this one is whole.
    fn abandon(&mut self) {
        if self.have > 0 {
            self.stats.reject(Reject::Framing);
            self.stats.skip(self.have);
            (self.have, self.in_a_row) = (0, 0);
        }
    }

    /// The frame just told does not go with those before it: it is the first in a row.
    pub const fn count_anew(&mut self) {
        self.in_a_row = 1;
    }

    /// Frames in a row, with nothing between them.
    pub const fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// What was found and rejected.
    pub const fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_begins_at_each_byte_with_bit_7_and_is_whole_after_four_without() {
        // The sheet's vector: two bytes too many, a frame, one cut short, a frame.
        let stream = [
            0x61, 0x48, //
            0x85, 0x33, 0x06, 0x48, 0x61, //
            0x85, 0x34, //
            0x86, 0x35, 0x06, 0x49, 0x62,
        ];
        let mut frames = Frames::default();
        let found: Vec<_> = stream.iter().filter_map(|byte| frames.push(*byte)).collect();
        let numbers: Vec<_> = found.iter().map(|frame| (frame.pulse, frame.spo2)).collect();
        assert_eq!(numbers, [(72, 97), (73, 98)]);
        let DecodeStats { good_frames, framing, bytes_skipped, .. } = *frames.stats();
        assert_eq!((good_frames, framing, bytes_skipped, frames.in_a_row()), (2, 1, 4, 1));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(
            strength in 0..=15_u8, flags in any::<[bool; 5]>(), pleth in 0..=127_u8, bar in 0..=15_u8,
            pulse: u8, spo2 in 0..=127_u8,
        ) {
            let [no_signal, unplugged_or_low, beat, no_finger, searching] = flags;
            let frame = Frame {
                strength, no_signal, unplugged_or_low, beat, pleth, bar, no_finger, searching, pulse, spo2,
            };
            let wire = frame.encode();
            prop_assert!(wire[0] & 0x80 != 0 && wire[1..].iter().all(|byte| byte & 0x80 == 0));
            let mut frames = Frames::default();
            let found: Vec<_> = wire.iter().filter_map(|byte| frames.push(*byte)).collect();
            prop_assert_eq!(found, [frame]);
        }
    }
}
