//! The packet of 25 frames, shared by DF2 and DF7: the status byte and the slot table.

use super::flags::{Flags, hr, hr_bytes, spo2_byte};
use crate::sample::Oximetry;
use crate::time::Time;

/// Frames to a packet.
pub(super) const FRAMES: usize = 25;

/// A frame of either format, its checks passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// STATUS.
    pub status: Status,
    /// The point of the plethysmogram.
    pub pleth: u16,
    /// The value of the slot that belongs to the frame's number.
    pub slot: u8,
}

/// STATUS: byte 1 of DF2, byte 0 of DF7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    const ALWAYS: u8 = 0x80;
    const SNSD: u8 = 0x40;
    const ARTF: u8 = 0x20;
    const OOT: u8 = 0x10;
    const SNSA: u8 = 0x08;
    const RED: u8 = 0x04;
    const PERFUSION: u8 = 0x06;
    const SYNC: u8 = 0x01;

    /// Bit 7 is always 1.
    pub const fn is_valid(self) -> bool {
        self.0 & Self::ALWAYS != 0
    }

    /// Whether this is frame 1.
    pub const fn sync(self) -> bool {
        self.0 & Self::SYNC != 0
    }

    const fn flags(self) -> Flags {
        Flags {
            sensor_fault: self.0 & Self::SNSD != 0,
            sensor_off: self.0 & Self::SNSA != 0,
            out_of_track: self.0 & Self::OOT != 0,
            artefact: self.0 & Self::ARTF != 0,
            low_perfusion: self.0 & Self::PERFUSION == Self::RED,
            battery_low: false,
        }
    }
}

/// The part of a packet that has arrived.
#[derive(Debug, Default)]
pub struct Partial {
    arrived: usize,
    slots: [u8; FRAMES],
    flags: Flags,
}

/// How a frame goes with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the one that is due, or the first of a packet after a whole one.
    InTurn,
    /// No packet has begun, nor does it begin one.
    BetweenPackets,
    /// SYNC too early, or missing where it is due: frames were lost.
    OutOfTurn,
}

impl Partial {
    /// Whether the packet has begun.
    pub const fn has_begun(&self) -> bool {
        self.arrived > 0
    }

    /// How a frame with that status goes with those before it.
    pub const fn place(&self, status: Status) -> Place {
        match (self.arrived, status.sync()) {
            (0, false) => Place::BetweenPackets,
            (0 | FRAMES, true) => Place::InTurn,
            (FRAMES, false) | (_, true) => Place::OutOfTurn,
            (_, false) => Place::InTurn,
        }
    }

    /// Takes the next frame, or the first of a new packet. The packet, if it is now whole.
    pub fn push(&mut self, frame: Frame) -> Option<Whole> {
        if frame.status.sync() {
            *self = Self::default();
        }
        *self.slots.get_mut(self.arrived)? = frame.slot;
        self.arrived = self.arrived.saturating_add(1);
        self.flags = self.flags.or(frame.status.flags());
        (self.arrived == FRAMES).then(|| Whole::read(&self.slots, self.flags))
    }
}

/// What is used of a whole packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    hr: u16,
    spo2: u8,
    /// SREV.
    pub firmware: u8,
    /// Those of any of its frames.
    pub flags: Flags,
}

impl Whole {
    const BATTERY_LOW: u8 = 0x01;

    fn read(slots: &[u8; FRAMES], flags: Flags) -> Self {
        // Averages of 4 beats: the display slots hold a value for 10 s after the finger has gone (R1.2).
        let [hr_msb, hr_lsb, spo2, srev, _, _tmr_msb, _tmr_lsb, stat2, ..] = *slots;
        // Reserved on the Xpod, which cannot be told apart and has no battery: there at worst a false notice.
        let battery_low = stat2 & Self::BATTERY_LOW != 0;
        Self { hr: hr(hr_msb, hr_lsb), spo2: spo2 & 0x7F, firmware: srev, flags: Flags { battery_low, ..flags } }
    }

    /// Its values.
    pub fn oximetry(&self, at: Time) -> Oximetry {
        self.flags.oximetry(self.hr, self.spo2, at)
    }
}

/// What a simulated device has to say in one packet (1/3 s of DF2 or DF7) or one short frame (1 s of
/// DF1, DF8 or the printout).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Saturation in percent; 126 is the highest that the wire can carry.
    pub spo2: Option<u16>,
    /// Pulse rate in beats a minute; 510 is the highest that the wire can carry.
    pub pulse: Option<u16>,
    /// The plethysmogram: 0..=255 in DF2, which cuts what is above, the whole range in DF7.
    pub pleth: [u16; FRAMES],
    /// What is said about the signal and the battery.
    pub flags: Flags,
    /// Firmware revision.
    pub firmware: u8,
}

impl Packet {
    /// The frames of the packet, in order.
    pub(super) fn frames(&self) -> impl Iterator<Item = Frame> {
        let slots = self.slots();
        (1..).zip(self.pleth).zip(slots).map(|((number, pleth), slot)| Frame {
            status: self.status(number),
            pleth,
            slot,
        })
    }

    fn slots(&self) -> [u8; FRAMES] {
        let [hi, lo] = hr_bytes(self.pulse);
        let s = spo2_byte(self.spo2);
        let stat2 = if self.flags.battery_low { Whole::BATTERY_LOW } else { 0 };
        // Frame 1 to 25 as in the sheet. A simulated patient has the same value in every average.
        [hi, lo, s, self.firmware, 0, 0, 0, stat2, s, s, s, 0, 0, hi, lo, s, s, 0, 0, hi, lo, hi, lo, 0, 0]
    }

    /// The status of the frame of that number, from 1.
    fn status(&self, number: usize) -> Status {
        /// How long the colour of the perfusion is shown at each pulse: 160 ms.
        const PULSE_FRAMES: usize = 12;
        let Flags { sensor_fault, sensor_off, out_of_track, artefact, low_perfusion, battery_low: _ } = self.flags;
        let bits = [
            (true, Status::ALWAYS),
            (sensor_fault, Status::SNSD),
            (artefact, Status::ARTF),
            // Without a finger a device is out of track as well (captured: `01 98`).
            (out_of_track || sensor_off, Status::OOT),
            (sensor_off, Status::SNSA),
            (low_perfusion && number <= PULSE_FRAMES, Status::RED),
            (number == 1, Status::SYNC),
        ];
        Status(bits.iter().fold(0, |status, (set, bit)| if *set { status | bit } else { status }))
    }
}
