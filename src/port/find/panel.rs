//! Drivers that listen to the same bytes, and what they make of them. Pure.

use std::cmp::Reverse;

use vitalsd_core::driver::{AnyDriver, DecodeStats, Driver, Integrity, Poll, Protocol};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::Time;

use super::line::enough;

/// So much of what is told once is kept for the moment at which a driver is believed.
const KEPT: usize = 16;

/// Drivers at one line setting.
#[derive(Debug)]
pub struct Panel {
    seats: Vec<Seat>,
    /// Bytes that were heard since it began to listen.
    bytes: usize,
}

/// A driver that listens.
#[derive(Debug)]
pub struct Seat {
    /// The driver.
    pub driver: AnyDriver,
    /// What it has said that will not be said again: it counts once the driver is believed.
    kept: Vec<Sample>,
    /// Its counts when it began to listen.
    before: DecodeStats,
}

/// A driver that understands what is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name of its protocol.
    pub protocol: &'static str,
    /// Frames that passed every check.
    pub good_frames: u64,
    /// Frames that did not.
    pub rejected: u64,
    /// What proves a frame: more is stronger.
    strength: u8,
}

/// What the drivers of one line setting make of what they have heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was heard.
    Silence,
    /// Bytes that no driver understands.
    Unreadable {
        /// How many.
        bytes: usize,
    },
    /// Understood by these, the most credible first.
    Understood {
        /// Never empty.
        claims: Vec<Claim>,
    },
}

impl Verdict {
    /// The one that may be believed: the only one, or one with a stronger proof than all others. Between two
    /// with the same proof nobody guesses, for their flags may mean different things.
    #[must_use]
    pub fn clear(&self) -> Option<Claim> {
        let Self::Understood { claims } = self else { return None };
        match claims.as_slice() {
            [only] => Some(*only),
            [first, second, ..] if first.strength > second.strength => Some(*first),
            _ => None,
        }
    }
}

impl Panel {
    /// The drivers of `protocols`, each of which begins to listen at `now`.
    #[must_use]
    pub fn of(protocols: &[&'static Protocol], now: Time) -> Self {
        let seats = protocols.iter().filter_map(|protocol| AnyDriver::new(protocol.name)).map(Seat::of);
        let mut panel = Self { seats: seats.collect(), bytes: 0 };
        panel.opened(now);
        panel
    }

    /// Every one of them begins to listen at `now`.
    pub fn opened(&mut self, now: Time) {
        self.bytes = 0;
        for seat in &mut self.seats {
            seat.opened(now);
        }
    }

    /// All of them hear `bytes`.
    pub fn hear(&mut self, bytes: &[u8], now: Time) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        for seat in &mut self.seats {
            seat.hear(bytes, now);
        }
    }

    /// Nothing more has come by `now`.
    pub fn fall_silent(&mut self, now: Time) {
        for seat in &mut self.seats {
            seat.fall_silent(now);
        }
    }

    /// What they make of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict(self.seats.iter(), self.bytes)
    }

    /// Whether anything was heard.
    #[must_use]
    pub const fn heard(&self) -> usize {
        self.bytes
    }
}

impl Seat {
    /// A seat for `driver`.
    #[must_use]
    pub fn of(driver: AnyDriver) -> Self {
        Self { driver, kept: Vec::with_capacity(KEPT), before: DecodeStats::default() }
    }

    /// It begins to listen at `now`.
    pub fn opened(&mut self, now: Time) {
        self.driver.opened(now);
        self.kept.clear();
        self.before = *self.driver.stats();
    }

    /// It hears `bytes`.
    pub fn hear(&mut self, bytes: &[u8], now: Time) {
        let kept = &mut self.kept;
        self.driver.decode(bytes, now, &mut |sample| keep(kept, sample));
    }

    /// What it has said that will not be said again.
    pub fn said(&mut self, out: &mut impl FnMut(Sample)) {
        self.kept.drain(..).for_each(out);
    }

    /// What it wants to send now; what it says as time passes is kept.
    pub fn poll(&mut self, now: Time) -> Poll {
        let kept = &mut self.kept;
        self.driver.poll(now, &mut |sample| keep(kept, sample))
    }

    /// Lets silence end a message, where nothing else does; when it may do so next.
    pub fn fall_silent(&mut self, now: Time) -> Option<Time> {
        if self.driver.protocol().only_pushes() { self.poll(now).next } else { None }
    }

    /// Whether it has heard frames of its own, the last one good.
    #[must_use]
    pub fn in_step(&self) -> bool {
        self.driver.lock().good_in_a_row > 0 && self.driver.stats().good_frames > self.before.good_frames
    }

    /// Its claim, once it has heard enough.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        let (evidence, stats, protocol) = (self.driver.lock(), self.driver.stats(), self.driver.protocol());
        (evidence.locked && evidence.good_in_a_row >= enough(protocol)).then(|| Claim {
            protocol: protocol.name,
            good_frames: stats.good_frames.saturating_sub(self.before.good_frames),
            rejected: stats.rejects().saturating_sub(self.before.rejects()),
            strength: strength(protocol),
        })
    }
}

/// What those who listened to `bytes` bytes make of them.
#[must_use]
pub fn verdict<'a>(seats: impl Iterator<Item = &'a Seat>, bytes: usize) -> Verdict {
    let mut claims: Vec<Claim> = seats.filter_map(Seat::claim).collect();
    claims.sort_by_key(|claim| Reverse((claim.strength, claim.good_frames)));
    match (claims.is_empty(), bytes) {
        (false, _) => Verdict::Understood { claims },
        (true, 0) => Verdict::Silence,
        (true, bytes) => Verdict::Unreadable { bytes },
    }
}

/// How much a frame of `protocol` that fits proves.
pub(super) const fn strength(protocol: &Protocol) -> u8 {
    match protocol.integrity {
        Integrity::Checksum => 1,
        Integrity::Framing | Integrity::Text => 0,
    }
}

/// A stream comes again; a result, an identity or a notice does not.
fn keep(kept: &mut Vec<Sample>, sample: Sample) {
    let comes_again = matches!(sample, Sample::Oximetry(_) | Sample::Pleth { .. } | Sample::CuffPressure { .. });
    if !comes_again && kept.len() < KEPT {
        kept.push(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::device::{Device, Model};
    use crate::simulator::scene::Scene;
    use crate::simulator::script::{Effect, Script};
    use vitalsd_core::driver::{PROTOCOLS, contec, five_bytes, nonin};
    use vitalsd_core::time::Span;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    /// What every driver that there is at the line setting of `model` makes of a minute of it.
    fn judged(model: Model) -> Verdict {
        // Somebody presses the button of a monitor that has one.
        let script = Script::quiet().with(Effect::BedsideReading, at(1_000), Span::ZERO);
        let mut device = Device::new(model, &Scene::patient(script, 1).shared());
        let line = &model.protocol().lines[0];
        let there = |protocol: &&&'static Protocol| protocol.lines.contains(line);
        let mut panel = Panel::of(&PROTOCOLS.iter().filter(there).copied().collect::<Vec<_>>(), at(0));
        for ms in (0..60_000).step_by(10) {
            let mut said = Vec::new();
            device.advance(at(ms), &mut said);
            if let (0, Some(request)) = (ms % 1_000, model.protocol().probe_request) {
                device.receive(request, at(ms), &mut said);
            }
            panel.hear(&said, at(ms));
        }
        panel.fall_silent(at(60_000));
        panel.verdict()
    }

    #[test]
    fn every_simulated_device_is_known_by_what_it_says() {
        for model in Model::ALL {
            let verdict = judged(*model);
            assert_eq!(verdict.clear().map(|claim| claim.protocol), Some(model.name()), "{verdict:?}");
        }
    }

    #[test]
    fn silence_and_noise_are_two_things() {
        let mut panel = Panel::of(PROTOCOLS, at(0));
        assert_eq!(panel.verdict(), Verdict::Silence);
        panel.hear(&[0x55; 300], at(10));
        assert_eq!(panel.verdict(), Verdict::Unreadable { bytes: 300 });
    }

    #[test]
    fn one_good_frame_is_not_enough_to_be_believed() {
        let frame = contec::v7::realtime(&contec::v7::Frame { spo2: 97, pulse: 70, ..Default::default() });
        let mut panel = Panel::of(&[&contec::V7_PROTOCOL], at(0));
        for n in 0..29 {
            assert_eq!(panel.verdict().clear(), None, "after {n} frames");
            panel.hear(&frame, at(n * 17));
        }
        assert_eq!(panel.verdict().clear().map(|claim| claim.good_frames), Some(29));
        panel.hear(&[0xff], at(600));
        panel.hear(&frame, at(617));
        assert_eq!(panel.verdict().clear(), None, "a row that is broken begins anew");
    }

    fn claim(protocol: &'static Protocol, good_frames: u64) -> Claim {
        Claim { protocol: protocol.name, good_frames, rejected: 0, strength: strength(protocol) }
    }

    #[test]
    fn the_stronger_proof_is_believed_and_between_equal_ones_nobody_guesses() {
        let (framed, also_framed) = (claim(&contec::OLD_PROTOCOL, 90), claim(&contec::V7_PROTOCOL, 40));
        let summed = claim(&nonin::DF2, 3);
        let clear = |claims: &[Claim]| Verdict::Understood { claims: claims.to_vec() }.clear();
        assert_eq!(clear(&[framed]), Some(framed));
        assert_eq!(clear(&[framed, also_framed]), None);
        assert_eq!(clear(&[summed, framed]), Some(summed));
    }

    #[test]
    fn of_several_claims_the_stronger_comes_first_then_the_one_with_more_frames() {
        let frame = five_bytes::Frame { spo2: 97, pulse: 70, ..Default::default() }.encode();
        let packet = nonin::df2_packet(&nonin::Packet {
            spo2: Some(97),
            pulse: Some(70),
            pleth: [0; 25],
            flags: nonin::Flags::default(),
            firmware: 0x29,
        });
        // A line on which both are heard, one after the other: the seats are judged apart.
        let (mut old, mut df2) = (Panel::of(&[&contec::OLD_PROTOCOL], at(0)), Panel::of(&[&nonin::DF2], at(0)));
        for n in 0..100 {
            old.hear(&frame, at(n * 17));
            df2.hear(&packet, at(n * 334));
        }
        let Verdict::Understood { claims } = verdict(old.seats.iter().chain(&df2.seats), 1) else { unreachable!() };
        assert_eq!(claims.iter().map(|claim| claim.protocol).collect::<Vec<_>>(), ["nonin-df2", "contec-old"]);
    }

    #[test]
    fn what_is_said_once_is_kept_until_the_driver_is_believed() {
        let mut device = Device::new(Model::Dinamap, &Scene::patient(Script::quiet(), 1).shared());
        let mut seat = Seat::of(AnyDriver::new("dinamap").unwrap());
        seat.opened(at(0));
        let mut said = Vec::new();
        device.receive(b" NC0!E\r", at(0), &mut said);
        for s in 1..60 {
            device.advance(at(s * 1_000), &mut said);
            device.receive(b" NA!2\r", at(s * 1_000), &mut said);
            seat.hear(&said, at(s * 1_000));
            said.clear();
        }
        let mut results = 0;
        seat.said(&mut |sample| results += usize::from(matches!(sample, Sample::CuffResult(_))));
        assert_eq!(results, 1);
    }
}
