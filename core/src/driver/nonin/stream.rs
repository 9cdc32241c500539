//! The stream of 5-byte frames, shared by DF2 and DF7: finding the frames, keeping in step.

use core::fmt;
use core::marker::PhantomData;

use super::control::{self, Reply};
use super::packet::{FRAMES, Frame, Partial, Place, Whole};
use crate::driver::buffer::Buffer;
use crate::driver::{DecodeStats, Driver, Evidence, Poll, Protocol, Reject};
use crate::sample::{IdentityPart, Notice, Sample, Text};
use crate::time::Time;

/// Bytes to a frame.
pub(super) const FRAME: usize = 5;
/// A packet, the frame after it, and room for some control replies between them.
const ROOM: usize = FRAME * (FRAMES + 1) + 30;

/// What tells DF2 and DF7 apart.
pub trait Format: fmt::Debug + Default {
    /// What is fixed about it.
    const PROTOCOL: &'static Protocol;
    /// How many frames must be in step, the first of them with SYNC, before the stream is believed.
    const LOCK: usize;
    /// Whether it is still believed after a failed check, and goes on with the next good frame.
    const KEEPS_LOCK: bool;

    /// The frame, if fixed bits and checksum fit.
    ///
    /// # Errors
    /// Which of the two does not.
    fn frame(bytes: [u8; FRAME]) -> Result<Frame, Reject>;
}

/// The driver of either format.
#[derive(Debug, Default)]
pub struct Stream<F> {
    format: PhantomData<F>,
    buffer: Buffer<ROOM>,
    believed: bool,
    good_in_a_row: u32,
    packet: Partial,
    firmware: Option<u8>,
    battery_low: bool,
    stats: DecodeStats,
}

/// What stands at the start of some bytes.
enum Element {
    Frame(Frame),
    Control(usize),
    Bad(Reject),
    Partial,
}

/// Whether the bytes at hand satisfy the lock rule.
enum Survey {
    InStep,
    Undecided,
    OutOfStep,
}

impl<F: Format> Stream<F> {
    /// Makes of the buffered bytes what can be made of them now.
    fn turn(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        loop {
            if !self.believed {
                match Self::survey(self.buffer.bytes()) {
                    Survey::InStep => self.believed = true,
                    Survey::Undecided => return,
                    Survey::OutOfStep => {
                        self.slide();
                        continue;
                    }
                }
            }
            match Self::element(self.buffer.bytes(), self.good_in_a_row > 0) {
                Element::Partial => return,
                Element::Control(length) => self.buffer.consume(length),
                Element::Bad(_) => self.slide(),
                Element::Frame(frame) => self.frame(frame, now, out),
            }
        }
    }

    /// Goes one byte on, where no frame is. Out of step only a bad checksum counts as a frame that
    /// was rejected: anything else is not even the look of one.
    fn slide(&mut self) {
        if let Element::Bad(reason) = Self::element(self.buffer.bytes(), false)
            && (self.good_in_a_row > 0 || reason == Reject::Checksum)
        {
            self.stats.reject(reason);
        }
        self.fall_out();
        self.stats.skip(1);
        self.buffer.consume(1);
    }

    fn fall_out(&mut self) {
        self.believed &= F::KEEPS_LOCK;
        self.good_in_a_row = 0;
        self.packet = Partial::default();
    }

    fn frame(&mut self, frame: Frame, now: Time, out: &mut impl FnMut(Sample)) {
        let place = self.packet.place(frame.status);
        if place == Place::OutOfTurn {
            self.stats.reject(Reject::Sequence);
            self.fall_out();
            if !self.believed {
                return; // The frame stays in the buffer: the search begins with it.
            }
        }
        self.buffer.consume(FRAME);
        self.stats.good();
        self.good_in_a_row = self.good_in_a_row.saturating_add(1);
        out(Sample::Pleth { at: now, value: frame.pleth });
        if (self.packet.has_begun() || frame.status.sync())
            && let Some(whole) = self.packet.push(frame)
        {
            self.publish(whole, now, out);
        }
    }

    fn publish(&mut self, whole: Whole, at: Time, out: &mut impl FnMut(Sample)) {
        out(Sample::Oximetry(whole.oximetry(at)));
        if self.firmware.replace(whole.firmware) != Some(whole.firmware) {
            out(Sample::Identity { at, part: IdentityPart::Firmware, text: hex(whole.firmware) });
        }
        if whole.flags.battery_low && !self.battery_low {
            out(Sample::Notice { at, notice: Notice::BatteryLow });
        }
        self.battery_low = whole.flags.battery_low;
    }

    /// What stands at the start of `bytes`. A control reply is looked for only where a frame has just
    /// ended: out of step, waiting for its end would cost frames.
    fn element(bytes: &[u8], after_a_frame: bool) -> Element {
        match control::reply(bytes) {
            Reply::Whole(length) if after_a_frame => return Element::Control(length),
            Reply::Partial if after_a_frame => return Element::Partial,
            _ => {}
        }
        match bytes.first_chunk().map(|bytes| F::frame(*bytes)) {
            Some(Ok(frame)) => Element::Frame(frame),
            Some(Err(reason)) => Element::Bad(reason),
            None => Element::Partial,
        }
    }

    fn survey(mut bytes: &[u8]) -> Survey {
        let mut in_step = 0_usize;
        loop {
            let length = match Self::element(bytes, in_step > 0) {
                Element::Partial => return Survey::Undecided,
                Element::Control(length) => length,
                Element::Frame(frame) if frame.status.sync() == in_step.is_multiple_of(FRAMES) => {
                    in_step = in_step.saturating_add(1);
                    FRAME
                }
                Element::Frame(_) | Element::Bad(_) => return Survey::OutOfStep,
            };
            if in_step >= F::LOCK {
                return Survey::InStep;
            }
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }
}

impl<F: Format> Driver for Stream<F> {
    fn protocol(&self) -> &'static Protocol {
        F::PROTOCOL
    }

    fn opened(&mut self, _now: Time) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            if self.buffer.is_full() {
                self.slide();
            }
            self.buffer.push(*byte);
            self.turn(now, out);
        }
    }

    fn poll(&mut self, _now: Time, _out: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.good_in_a_row, locked: self.believed && self.packet.has_begun() }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

/// How a revision is written is not known, so the byte as it is: `0x94`.
fn hex(byte: u8) -> Text {
    let digit = |nibble: u8| if nibble < 10 { b'0'.saturating_add(nibble) } else { b'7'.saturating_add(nibble) };
    Text::from_device(&[b'0', b'x', digit(byte >> 4), digit(byte & 0x0F)])
}
