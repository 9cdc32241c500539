//! Nonin: streams by itself, 75 frames a second in packets of 25, or one short frame or line a second.

use vitalsd_core::driver::nonin::{Flags, Packet, df1_frame, df2_packet, df7_packet, df8_frame, printout_line};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::PulseRate;

use super::Instrument;
use super::pace::Pace;
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};
use crate::simulator::waveform::Waveform;

/// Bytes to a frame of DF2 and DF7.
const FRAME: usize = 5;
/// As an Xpod sends it.
const FIRMWARE: u8 = 0x29;

/// What it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Df1,
    Df2,
    Df7,
    Df8,
    Printout,
}

#[derive(Debug)]
pub(super) struct Nonin {
    format: Format,
    pace: Pace,
    waveform: Waveform,
    /// What of the present packet is still to be sent: a line at 9600 baud is slower than a packet is made.
    packet: [u8; FRAME * 25],
    sent: usize,
}

impl Nonin {
    pub(super) fn new(format: Format) -> Self {
        let hz = if matches!(format, Format::Df2 | Format::Df7) { 75 } else { 1 };
        let packet = [0; FRAME * 25];
        Self { format, pace: Pace::new(hz), waveform: Waveform::default(), packet, sent: packet.len() }
    }

    /// The next frame; with the first of a packet the waveform of all of them is drawn.
    fn frame(&mut self, scene: &Scene, reading: &Reading, out: &mut Vec<u8>) {
        if self.sent >= self.packet.len() {
            let mut packet = packet(reading);
            let mut pace = self.pace;
            let full_scale = if self.format == Format::Df2 { 255 } else { u16::MAX };
            for pleth in &mut packet.pleth {
                *pleth = self.waveform.at(scene, reading, pace.next()).scaled(full_scale);
                pace.done();
            }
            self.packet = if self.format == Format::Df2 { df2_packet(&packet) } else { df7_packet(&packet) };
            self.sent = 0;
        }
        out.extend(self.packet.iter().skip(self.sent).take(FRAME));
        self.sent += FRAME;
    }
}

impl Instrument for Nonin {
    fn next(&self) -> Option<Time> {
        Some(self.pace.next())
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        let reading = scene.reading(now);
        match self.format {
            Format::Df1 => out.extend(df1_frame(&packet(&reading))),
            Format::Df8 => out.extend(df8_frame(&packet(&reading))),
            Format::Printout => out.extend(printout_line(&packet(&reading))),
            Format::Df2 | Format::Df7 => self.frame(scene, &reading, out),
        }
        self.pace.done();
    }
}

fn packet(reading: &Reading) -> Packet {
    Packet {
        spo2: reading.spo2_pct(),
        pulse: reading.pulse.map(PulseRate::as_bpm),
        pleth: [0; 25],
        flags: Flags {
            sensor_off: reading.contact == Contact::Off,
            out_of_track: matches!(reading.contact, Contact::Off | Contact::NoPulse),
            artefact: reading.artefact,
            low_perfusion: reading.contact == Contact::On && reading.perfusion == Perfusion::Low,
            ..Flags::default()
        },
        firmware: FIRMWARE,
    }
}
