//! Simulated sessions of which is known what happened to the patient, and what only to the probe: to judge
//! alarms by the truth.
//!
//! Synthetic. How often a hand moves or a probe slips was not measured anywhere: the artefacts come far more
//! often than in a quiet clinic, to have enough of them; only [`Set::Session`] means to be like a day.

use std::fmt;
use std::str::FromStr;

use vitalsd_core::time::{Span, Time};

use super::noise::span;
use super::patient::{Response, Rest};
use super::script::{Effect, Event, Script};

/// How long a session lasts.
const LENGTH: Span = Span::mins(180);
/// When the dose is given: after three baseline readings.
const DOSE: Span = Span::mins(15);
/// How long the infusion of an ordinary session runs.
const INFUSION: Span = Span::mins(40);
/// Nothing begins in the last minutes, so that everything is over at the end.
const LAST: Span = Span::mins(172);

/// What kind of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Set {
    /// A dose, its usual effect, and nothing else.
    Quiet,
    /// Nothing happens to the patient, and much to probe and cuff; values touch limits and do not stay.
    Artefacts,
    /// Much happens to the patient, and nothing to probe and cuff.
    Events,
    /// Much happens to the patient, and to probe and cuff, also at the same time.
    EventsInArtefacts,
    /// A session as it may be on an ordinary day.
    Session,
}

impl Set {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Quiet, Self::Artefacts, Self::Events, Self::EventsInArtefacts, Self::Session];

    const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Artefacts => "artefacts",
            Self::Events => "events",
            Self::EventsInArtefacts => "events-in-artefacts",
            Self::Session => "session",
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Set {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let set = Self::ALL.into_iter().find(|set| set.name() == name);
        set.ok_or_else(|| format!("no such set `{name}`; give one of {}", known()))
    }
}

/// One session, and the truth about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Its number: the same set and seed give the same session.
    pub seed: u64,
    /// How long it lasts.
    pub length: Span,
    /// What happens, to the patient as to the probe.
    pub script: Script,
    /// What happens to the patient and is worth an alarm.
    pub events: Vec<Event>,
    /// What happens to probe and cuff, and what of the patient is not worth an alarm.
    pub artefacts: Vec<Event>,
    /// The patient is disconnected on purpose, on standby (R5.6).
    pub away: Option<Event>,
    /// How long the infusion is planned to run; it does.
    pub infusion: Option<Span>,
}

impl Labelled {
    /// A session of `set`.
    #[must_use]
    pub fn new(set: Set, seed: u64) -> Self {
        let mut draw = Draw::new(set, seed);
        let mut script = Script::quiet().dosed(Time::ZERO + DOSE);
        (script.rest, script.response) = draw.patient(set);
        let (events, artefacts) = (Vec::new(), Vec::new());
        let mut session = Self { seed, length: LENGTH, script, events, artefacts, away: None, infusion: None };
        match set {
            Set::Quiet => {}
            Set::Artefacts => {
                session.artefacts = draw.artefacts();
                session.artefacts.extend(draw.cuff_on_the_probe_arm(0.5));
            }
            Set::Events => session.events = draw.events(),
            Set::EventsInArtefacts => {
                session.events = draw.events();
                session.artefacts = draw.artefacts_about(&session.events);
                session.artefacts.extend(draw.cuff_on_the_probe_arm(0.5));
            }
            Set::Session => {
                session.artefacts = draw.a_day();
                session.artefacts.extend(draw.cuff_on_the_probe_arm(1.0 / 3.0));
                session.away = Some(draw.toilet());
                session.infusion = Some(INFUSION);
            }
        }
        session.script.events = [&session.events, &session.artefacts].into_iter().flatten().copied().collect();
        session.script.events.extend(session.away);
        session
    }

    /// What of it is going on at `time`, or has just ended: what lasts all day explains only what nothing shorter
    /// does, and what happens to the patient only what nothing else does.
    pub(crate) fn during(&self, time: Time) -> Option<(&'static str, &Event)> {
        /// To search for the pulse, and to be believed again.
        const JUST: Span = Span::secs(15);
        let about = |event: &&Event| time >= event.start && time < event.start + event.length + JUST;
        if let Some(away) = self.away.as_ref().filter(about) {
            return Some(("away from the bed", away));
        }
        let to_the_probe = self.artefacts.iter().filter(about).min_by_key(|event| event.length);
        let event = to_the_probe.or_else(|| self.events.iter().filter(about).min_by_key(|event| event.length))?;
        Some((event.effect.name(), event))
    }
}

/// Draws what happens from a seed.
struct Draw(fastrand::Rng);

impl Draw {
    fn new(set: Set, seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed.wrapping_mul(16).wrapping_add(set as u64)))
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.f64()
    }

    fn seconds(&mut self, from: f64, to: f64) -> Span {
        span(self.between(from, to))
    }

    fn chance(&mut self, of: f64) -> bool {
        self.0.f64() < of
    }

    /// Somebody whose pressure, even at the peak, stays below every limit but in an ordinary session, which has
    /// the published spread: +16.0 (SD 11.2) / +11.0 (SD 8.5) mmHg in 2342 infusions.
    fn patient(&mut self, set: Set) -> (Rest, Response) {
        let rest = Rest {
            spo2_pct: self.between(96.5, 98.5),
            pulse_bpm: self.between(60.0, 84.0),
            perfusion_index_pct: self.between(1.2, 4.0),
            systolic_mmhg: self.between(108.0, 128.0),
            diastolic_mmhg: self.between(64.0, 78.0),
        };
        // The sum of three draws is near enough to a bell; SD 1.
        let spread: f64 = (0..3).map(|_| self.between(-1.0, 1.0)).sum();
        let usual = self.between(-1.0, 0.4);
        let rise = if set == Set::Session { spread } else { usual };
        let response = Response {
            systolic_mmhg: (16.0 + 11.2 * rise).max(0.0),
            diastolic_mmhg: (11.0 + 8.5 * rise).max(0.0),
            pulse_bpm: self.between(0.0, 10.0),
            spo2_pct: self.between(0.3, 1.2),
            peak: self.seconds(1_500.0, 2_400.0),
        };
        (rest, response)
    }

    fn event(&mut self, effect: Effect, start: Time, from_s: f64, to_s: f64) -> Event {
        Event { start, length: self.seconds(from_s, to_s), effect }
    }

    /// Artefacts with pauses of one to five minutes; limits are touched, and left before any delay has passed.
    fn artefacts(&mut self) -> Vec<Event> {
        let mut artefacts = Vec::new();
        let mut at = Time::ZERO + Span::mins(2);
        while at < Time::ZERO + LAST {
            let artefact = match self.0.u8(0..20) {
                0..4 => self.touch_of_a_limit(at),
                _ => self.artefact(at),
            };
            at = at + artefact.length + self.seconds(60.0, 300.0);
            artefacts.push(artefact);
        }
        artefacts
    }

    /// Something that happens to the probe and passes by itself.
    fn artefact(&mut self, at: Time) -> Event {
        match self.0.u8(0..16) {
            0..8 => self.motion(at, 45.0),
            8..12 => self.event(Effect::SensorOff, at, 3.0, 15.0),
            12..14 => {
                let effect = Effect::Flicker { on: self.seconds(4.0, 9.0), off: self.seconds(1.0, 4.0) };
                self.event(effect, at, 15.0, 40.0)
            }
            _ => {
                let effect = Effect::LowPerfusion { to_pct: self.between(0.15, 0.25), ramp: Span::secs(10) };
                self.event(effect, at, 20.0, 90.0)
            }
        }
    }

    /// Mostly short, now and then long: half of them are over within a third of the longest.
    fn motion(&mut self, at: Time, longest_s: f64) -> Event {
        let share = self.0.f64();
        Event { start: at, length: span(4.0 + (longest_s - 4.0) * share * share), effect: Effect::Motion }
    }

    /// A value that goes over a limit for a few seconds: a breath held, a start.
    fn touch_of_a_limit(&mut self, at: Time) -> Event {
        let ramp = Span::secs(4);
        let effect = match self.0.u8(0..6) {
            0..4 => Effect::Desaturation { to_pct: self.between(88.6, 89.4), ramp },
            4 => Effect::Pulse { to_bpm: self.between(122.0, 128.0), ramp },
            _ => Effect::Pulse { to_bpm: self.between(46.0, 48.0), ramp },
        };
        self.event(effect, at, 5.0, 7.0)
    }

    fn cuff_on_the_probe_arm(&mut self, chance: f64) -> Option<Event> {
        let all_day = Event { start: Time::ZERO, length: LENGTH, effect: Effect::CuffOnProbeArm };
        self.chance(chance).then_some(all_day)
    }

    /// One of each kind of event, in any order, and beside them a pressure that is high and one that is low.
    fn events(&mut self) -> Vec<Event> {
        let mut kinds: Vec<usize> = (0..KINDS).collect();
        self.0.shuffle(&mut kinds);
        let slot = (LAST.as_millis() - DOSE.as_millis()) / KINDS as u64;
        let mut events = Vec::new();
        for (place, kind) in (0..).zip(kinds) {
            let start = Time::ZERO + DOSE + Span::millis(slot * place) + self.seconds(60.0, 300.0);
            events.push(self.happening(kind, start));
        }
        for (start, systolic_mmhg, diastolic_mmhg) in [
            (40, self.between(184.0, 196.0), self.between(100.0, 108.0)),
            (115, self.between(76.0, 86.0), self.between(42.0, 50.0)),
        ] {
            let effect = Effect::Pressure { systolic_mmhg, diastolic_mmhg, ramp: Span::mins(2) };
            let start = Time::ZERO + Span::mins(start);
            // At the cuff's interval of 10 and 15 min each is measured at least twice.
            events.push(self.event(effect, start, 1_980.0, 2_200.0));
        }
        events
    }

    fn happening(&mut self, kind: usize, start: Time) -> Event {
        let desaturation = |draw: &mut Self, to: (f64, f64), ramp: (f64, f64), lasts: (f64, f64)| {
            let ramp = draw.seconds(ramp.0, ramp.1);
            let to_pct = draw.between(to.0, to.1);
            let hold = draw.seconds(lasts.0, lasts.1);
            Event { start, length: ramp + hold, effect: Effect::Desaturation { to_pct, ramp } }
        };
        let pulse = |draw: &mut Self, from: f64, to: f64| {
            let effect = Effect::Pulse { to_bpm: draw.between(from, to), ramp: draw.seconds(8.0, 20.0) };
            draw.event(effect, start, 45.0, 100.0)
        };
        match kind {
            0 => desaturation(self, (89.6, 90.6), (20.0, 40.0), (40.0, 90.0)),
            1 => desaturation(self, (85.6, 86.8), (15.0, 40.0), (25.0, 60.0)),
            2 => desaturation(self, (80.8, 83.6), (20.0, 45.0), (20.0, 60.0)),
            3 => desaturation(self, (70.0, 78.4), (25.0, 60.0), (15.0, 60.0)),
            4 => pulse(self, 42.0, 47.5),
            5 => pulse(self, 30.0, 38.5),
            6 => pulse(self, 134.0, 147.0),
            7 => pulse(self, 154.0, 180.0),
            _ => self.event(Effect::NoPulse, start, 18.0, 45.0),
        }
    }

    /// Artefacts that do not touch the patient, at any time, and more of them while something happens.
    fn artefacts_about(&mut self, events: &[Event]) -> Vec<Event> {
        let mut artefacts = Vec::new();
        let mut at = Time::ZERO + Span::mins(2);
        while at < Time::ZERO + LAST {
            let artefact = self.artefact(at);
            at = at + artefact.length + self.seconds(60.0, 300.0);
            artefacts.push(artefact);
        }
        for event in events.iter().filter(|event| event.length < Span::mins(5)) {
            if self.chance(0.6) {
                let at = event.start + self.seconds(0.0, 40.0);
                let motion = self.motion(at, 30.0);
                artefacts.push(motion);
            }
            if self.chance(0.3) {
                let at = event.start + self.seconds(0.0, 40.0);
                let slip = self.event(Effect::SensorOff, at, 3.0, 8.0);
                artefacts.push(slip);
            }
        }
        artefacts
    }

    /// What may happen to the probe on an ordinary day: a few restless moments, a slip or two, a cold hand.
    fn a_day(&mut self) -> Vec<Event> {
        let mut artefacts = Vec::new();
        for _ in 0..self.0.u8(4..=8) {
            let at = Time::ZERO + self.seconds(120.0, 100.0 * 60.0);
            let motion = self.motion(at, 30.0);
            artefacts.push(motion);
        }
        let mut some = |draw: &mut Self, count: u64, effect: Effect, from_s: f64, to_s: f64| {
            for _ in 0..count {
                let at = Time::ZERO + draw.seconds(120.0, 100.0 * 60.0);
                artefacts.push(draw.event(effect, at, from_s, to_s));
            }
        };
        let count = self.0.u64(1..=2);
        some(self, count, Effect::SensorOff, 3.0, 9.0);
        let cold = Effect::LowPerfusion { to_pct: 0.22, ramp: Span::secs(20) };
        let count = u64::from(self.chance(0.3));
        some(self, count, cold, 30.0, 60.0);
        // A little sedation shows, and is left alone.
        let drowsy = Effect::Desaturation { to_pct: self.between(93.8, 94.6), ramp: Span::secs(40) };
        let count = u64::from(self.chance(0.4));
        some(self, count, drowsy, 60.0, 150.0);
        artefacts
    }

    /// In recovery, with the probe left in the room.
    fn toilet(&mut self) -> Event {
        let at = Time::ZERO + self.seconds(105.0 * 60.0, 145.0 * 60.0);
        self.event(Effect::SensorOff, at, 4.0 * 60.0, 8.0 * 60.0)
    }
}

/// Kinds of event that fill a slot each.
const KINDS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_set_and_seed_give_the_same_session_and_others_another() {
        for set in Set::ALL {
            assert_eq!(Labelled::new(set, 3), Labelled::new(set, 3));
            assert_ne!(Labelled::new(set, 3), Labelled::new(set, 4), "{set}");
            assert_eq!(set.to_string().parse(), Ok(set));
        }
    }

    #[test]
    fn a_set_holds_what_it_is_called() {
        for seed in 0..20 {
            let counts = |set| {
                let session = Labelled::new(set, seed);
                (session.events.len(), session.artefacts.len())
            };
            assert_eq!(counts(Set::Quiet), (0, 0));
            assert_eq!(counts(Set::Events), (KINDS + 2, 0));
            assert!(counts(Set::Artefacts).0 == 0 && counts(Set::Artefacts).1 > 30);
            assert!(counts(Set::EventsInArtefacts).0 == KINDS + 2 && counts(Set::EventsInArtefacts).1 > 30);
            assert!(counts(Set::Session).0 == 0 && counts(Set::Session).1 < 15);
        }
    }

    #[test]
    fn what_happens_to_the_patient_is_over_before_the_next_begins() {
        for seed in 0..50 {
            let mut short: Vec<_> = Labelled::new(Set::Events, seed).events;
            short.retain(|event| event.length < Span::mins(5));
            short.sort_by_key(|event| event.start);
            for pair in short.windows(2) {
                assert!(pair[0].start + pair[0].length + Span::mins(2) < pair[1].start, "seed {seed}: {pair:?}");
            }
        }
    }
}
