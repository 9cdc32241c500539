//! One simulated bedside as its devices meet it: the patient seen through a probe, a cuff and two cables.
//!
//! Devices keep their own time; the course of the patient may run faster than that ([`Scene::at_speed`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vitalsd_core::driver::dinamap;
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, PerfusionIndex, PulseRate, Spo2};

use super::noise::{Noise, nearest, seconds, span};
use super::patient::{Patient, Truth};
use super::playback::Playback;
use super::script::{Effect, Role, Script};
use crate::recording::Row;

/// How the probe meets the finger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// On the finger, with a pulse.
    On,
    /// On the finger, pulse not found yet.
    Searching,
    /// On the finger, no pulse to be found.
    NoPulse,
    /// Off the finger.
    Off,
}

/// How strong the pulse is at the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perfusion {
    /// Enough to measure from.
    Good,
    /// Just enough.
    Marginal,
    /// Hardly any.
    Low,
}

/// What an oximeter makes of its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How the probe meets the finger; there are no numbers unless `On`.
    pub contact: Contact,
    /// Saturation.
    pub spo2: Option<Spo2>,
    /// Pulse rate.
    pub pulse: Option<PulseRate>,
    /// Perfusion index.
    pub perfusion_index: Option<PerfusionIndex>,
    /// How strong the pulse is.
    pub perfusion: Perfusion,
    /// The hand moves: do not trust this.
    pub artefact: bool,
}

impl Reading {
    /// The saturation as most devices tell it, in whole percent.
    #[must_use]
    pub fn spo2_pct(&self) -> Option<u16> {
        self.spo2.map(|spo2| (spo2.as_tenths() + 5) / 10)
    }
}

/// What becomes of a determination that would end now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It gives this pressure, and this pulse rate if it found one.
    Pressure(BloodPressure, Option<PulseRate>),
    /// It fails.
    Failed(CuffFailure),
    /// It does not end.
    Hangs,
    /// It gives what the one before gave.
    Repeats,
}

/// One simulated bedside.
#[derive(Debug)]
pub struct Scene {
    subject: Subject,
    script: Script,
    speed: f64,
    seed: u64,
    jerk: Noise,
    inflated: Inflation,
}

#[derive(Debug)]
enum Subject {
    Patient(Patient),
    Recording(Playback),
}

/// When the cuff was last inflated: the one thing that a device tells the others.
#[derive(Debug, Default)]
struct Inflation {
    from: AtomicU64,
    until: AtomicU64,
}

/// How long an oximeter looks for the pulse after the probe is back.
const SEARCH: Span = Span::secs(4);
/// How long it shows its last numbers after the pulse has gone under a cuff: its averaging time.
const HOLD: Span = Span::secs(4);
/// Numbers jump no faster under motion either: they are averages of about four beats.
const AVERAGED: Span = Span::secs(4);
/// How long blood takes to be back in the finger after the cuff has let go.
const REPERFUSION: Span = Span::secs(3);

impl Scene {
    /// A patient on a course.
    #[must_use]
    pub fn patient(script: Script, seed: u64) -> Self {
        Self::new(Subject::Patient(Patient::new(script.clone(), seed)), script, seed)
    }

    /// A recording that plays as a patient. Of the script only what happens to probe, cuff and cables counts.
    #[must_use]
    pub fn recording(rows: Vec<Row>, script: Script, seed: u64) -> Self {
        Self::new(Subject::Recording(Playback::new(rows)), script, seed)
    }

    fn new(subject: Subject, script: Script, seed: u64) -> Self {
        let jerk = Noise::new(seed, 5, AVERAGED);
        Self { subject, script, speed: 1.0, seed, jerk, inflated: Inflation::default() }
    }

    /// The course runs `speed` times as fast as the devices.
    #[must_use]
    pub fn at_speed(self, speed: f64) -> Self {
        Self { speed, ..self }
    }

    /// For devices to share.
    #[must_use]
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// Where in the course a device's time is.
    fn course(&self, time: Time) -> Time {
        Time::ZERO + span(seconds(time.since(Time::ZERO)) * self.speed)
    }

    /// When a moment of the course comes, in a device's time.
    fn device_time(&self, course: Time) -> Time {
        let time = Time::ZERO + span(seconds(course.since(Time::ZERO)) / self.speed);
        // Rounded to a millisecond too early, it would not have come yet.
        if self.course(time) < course { time + Span::millis(1) } else { time }
    }

    /// What is so in the patient at a device's `time`.
    #[must_use]
    pub fn truth(&self, time: Time) -> Truth {
        self.truth_in_course(self.course(time))
    }

    fn truth_in_course(&self, course: Time) -> Truth {
        match &self.subject {
            Subject::Patient(patient) => patient.truth(course),
            Subject::Recording(playback) => playback.truth(course),
        }
    }

    /// What an oximeter makes of its probe at `time`.
    #[must_use]
    pub fn reading(&self, time: Time) -> Reading {
        let course = self.course(time);
        let course = self.stuck_since(course).unwrap_or(course);
        let truth = self.truth_in_course(course);
        let contact = self.contact(time, course, &truth);
        let artefact = self.script.is_active(course, Effect::Motion);
        let on = contact == Contact::On;
        let (mut spo2, mut pulse) = (truth.spo2.filter(|_| on), truth.pulse.filter(|_| on));
        if artefact {
            let jerk = self.jerk.at(course);
            spo2 = spo2.and_then(|v| Spo2::tenths(nearest(f64::from(v.as_tenths()) - 40.0 - 40.0 * jerk)));
            pulse = pulse.and_then(|v| PulseRate::bpm(nearest(f64::from(v.as_bpm()) + 35.0 * jerk).max(25)));
        }
        let perfusion_index = truth.perfusion_index.filter(|_| on);
        let perfusion = match perfusion_index.map(PerfusionIndex::as_hundredths) {
            Some(0..30) => Perfusion::Low,
            Some(30..60) => Perfusion::Marginal,
            _ if self.occluded(time, course) => Perfusion::Low,
            _ => Perfusion::Good,
        };
        Reading { contact, spo2, pulse, perfusion_index, perfusion, artefact }
    }

    fn contact(&self, time: Time, course: Time, truth: &Truth) -> Contact {
        let blank = matches!(&self.subject, Subject::Recording(playback) if playback.off(course));
        if blank || self.off(course) {
            return Contact::Off;
        }
        if self.script.is_active(course, Effect::NoPulse) {
            return Contact::NoPulse;
        }
        let just_back = self.off(self.course(time - SEARCH));
        let squeezed = self.occluded(time, course) && self.occluded(time - HOLD, course);
        let unknown = truth.spo2.is_none() && truth.pulse.is_none();
        if just_back || squeezed || unknown { Contact::Searching } else { Contact::On }
    }

    fn off(&self, course: Time) -> bool {
        self.script.active(course).any(|event| match event.effect {
            Effect::SensorOff => true,
            Effect::Flicker { on, off } => {
                let period = (on.as_millis() + off.as_millis()).max(1);
                course.since(event.start).as_millis() % period >= on.as_millis()
            }
            _ => false,
        })
    }

    /// Whether the pulse at the probe is squeezed off by the cuff.
    fn occluded(&self, time: Time, course: Time) -> bool {
        let from = Time::from_millis(self.inflated.from.load(Ordering::Relaxed));
        let until = Time::from_millis(self.inflated.until.load(Ordering::Relaxed));
        time >= from
            && time < until + REPERFUSION
            && until > from
            && self.script.is_active(course, Effect::CuffOnProbeArm)
    }

    /// The waveform of a recording, 0..=1, if it has one at `time`.
    pub(super) fn recorded_pleth(&self, time: Time) -> Option<f64> {
        match &self.subject {
            Subject::Recording(playback) => playback.pleth(self.course(time)),
            Subject::Patient(_) => None,
        }
    }

    /// Whether a pulse reaches the probe at `time`.
    pub(super) fn pulsatile(&self, time: Time) -> bool {
        let course = self.course(time);
        !self.off(course) && !self.script.is_active(course, Effect::NoPulse) && !self.occluded(time, course)
    }

    /// Whether the oximeter stands still at `time`.
    pub(super) fn stuck(&self, time: Time) -> bool {
        self.stuck_since(self.course(time)).is_some()
    }

    fn stuck_since(&self, course: Time) -> Option<Time> {
        self.script.active(course).find(|event| event.effect == Effect::Stuck).map(|event| event.start)
    }

    /// Whether a device says and hears nothing at `time`.
    #[must_use]
    pub fn silent(&self, role: Role, time: Time) -> bool {
        self.script.is_active(self.course(time), Effect::Silent(role))
    }

    /// Whether a device's cable is out at `time`.
    #[must_use]
    pub fn pulled(&self, role: Role, time: Time) -> bool {
        self.script.is_active(self.course(time), Effect::CablePulled(role))
    }

    /// When a device's cable next comes out or goes back in after `time`, by the script.
    pub(super) fn next_cable_change(&self, role: Role, time: Time) -> Option<Time> {
        let pulled = self.script.events.iter().filter(|event| event.effect == Effect::CablePulled(role));
        let changes = pulled.flat_map(|event| [event.start, event.start + event.length]);
        changes.map(|course| self.device_time(course)).filter(|change| *change > time).min()
    }

    /// The cuff inflates from `from` until `until`.
    pub(super) fn inflate(&self, from: Time, until: Time) {
        self.inflated.from.store(from.as_millis(), Ordering::Relaxed);
        self.inflated.until.store(until.as_millis(), Ordering::Relaxed);
    }

    /// What becomes of a determination that would end at `time`.
    pub(super) fn determination(&self, time: Time) -> Outcome {
        let course = self.course(time);
        if self.script.is_active(course, Effect::CuffHangs) {
            return Outcome::Hangs;
        }
        if self.script.is_active(course, Effect::CuffRepeats) {
            return Outcome::Repeats;
        }
        if self.script.is_active(course, Effect::CuffStopped) {
            return Outcome::Failed(CuffFailure::Cancelled);
        }
        let status = self.script.active(course).find_map(|event| match event.effect {
            Effect::CuffFails { status } => Some(status),
            _ => None,
        });
        let truth = self.truth_in_course(course);
        match (status, truth.pressure) {
            (Some(status), _) => Outcome::Failed(dinamap::failure(status)),
            (None, Some(pressure)) => Outcome::Pressure(pressure, truth.pulse),
            (None, None) => Outcome::Failed(CuffFailure::Failed),
        }
    }

    /// How long the `nth` determination, begun now, takes: by the script, else 25 to 40 s, as adults take. One that
    /// does not measure has nothing to wait for, and one that somebody stops does not come so far.
    pub(super) fn determination_takes(&self, nth: u64, now: Time) -> Span {
        let course = self.course(now);
        if self.script.is_active(course, Effect::CuffRepeats) {
            return Span::secs(2);
        }
        if self.script.is_active(course, Effect::CuffStopped) {
            return Span::secs(10);
        }
        let usual = || Span::millis(fastrand::Rng::with_seed(self.seed.wrapping_add(nth)).u64(25_000..=40_000));
        self.script.determination.unwrap_or_else(usual)
    }

    /// When somebody presses the monitor's start button, or (in a recording) a determination ended, in order.
    pub(super) fn bedside_readings(&self) -> Vec<(Time, Bedside)> {
        let pressed = self.script.events.iter().filter(|event| event.effect == Effect::BedsideReading);
        let mut readings: Vec<_> = pressed.map(|event| (self.device_time(event.start), Bedside::Starts)).collect();
        if let Subject::Recording(playback) = &self.subject {
            readings.extend(playback.determinations().map(|time| (self.device_time(time), Bedside::Ends)));
        }
        readings.sort_by_key(|(time, _)| *time);
        readings
    }
}

/// What a bedside reading's time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bedside {
    /// The button is pressed then.
    Starts,
    /// The determination has ended then.
    Ends,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_probe_that_comes_off_has_no_numbers_and_searches_when_it_is_back() {
        let scene = Scene::patient(Script::quiet().with(Effect::SensorOff, at(60), Span::secs(20)), 1);
        let contact = |s| scene.reading(at(s)).contact;
        assert_eq!([contact(59), contact(60), contact(79)], [Contact::On, Contact::Off, Contact::Off]);
        assert_eq!([contact(80), contact(83), contact(84)], [Contact::Searching, Contact::Searching, Contact::On]);
        assert_eq!((scene.reading(at(70)).spo2, scene.reading(at(82)).pulse), (None, None));
        assert!(scene.truth(at(70)).spo2.is_some(), "the patient goes on without the probe");
    }

    #[test]
    fn a_flicker_is_on_and_off_by_its_periods() {
        let effect = Effect::Flicker { on: Span::secs(10), off: Span::secs(5) };
        let scene = Scene::patient(Script::quiet().with(effect, at(100), Span::secs(60)), 1);
        let off = |s| scene.reading(at(s)).contact == Contact::Off;
        assert_eq!([off(105), off(110), off(114), off(120), off(126)], [false, true, true, false, true]);
    }

    #[test]
    fn an_inflation_takes_the_pulse_only_from_a_probe_on_the_same_arm() {
        let same_arm = Script::quiet().with(Effect::CuffOnProbeArm, at(0), Span::secs(3_600));
        for (script, affected) in [(same_arm, true), (Script::quiet(), false)] {
            let scene = Scene::patient(script, 1);
            assert!(scene.pulsatile(at(20)), "no inflation yet");
            scene.inflate(at(100), at(130));
            assert_eq!(scene.pulsatile(at(102)), !affected);
            assert_eq!(scene.reading(at(102)).contact, Contact::On, "the numbers hold for a moment");
            assert_eq!(scene.reading(at(115)).contact == Contact::Searching, affected);
            assert_eq!(scene.reading(at(140)).contact, Contact::On);
        }
    }

    #[test]
    fn a_stuck_oximeter_repeats_itself_while_the_patient_goes_on() {
        let fall = Effect::Desaturation { to_pct: 80.0, ramp: Span::secs(20) };
        let script = Script::quiet().with(Effect::Stuck, at(60), Span::secs(120)).with(fall, at(70), Span::secs(60));
        let scene = Scene::patient(script, 1);
        assert_eq!(scene.reading(at(120)), scene.reading(at(60)));
        assert_eq!(scene.truth(at(120)).spo2, Spo2::percent(80));
    }

    #[test]
    fn motion_is_flagged_and_moves_the_numbers_about() {
        let scene = Scene::patient(Script::quiet().with(Effect::Motion, at(60), Span::secs(60)), 1);
        let pulses: Vec<_> = (60..120).filter_map(|s| scene.reading(at(s)).pulse).map(PulseRate::as_bpm).collect();
        assert!((60..120).all(|s| scene.reading(at(s)).artefact) && !scene.reading(at(59)).artefact);
        assert!(pulses.iter().max().unwrap() - pulses.iter().min().unwrap() > 30, "{pulses:?}");
    }

    #[test]
    fn a_course_may_run_faster_than_the_devices() {
        let script = Script::quiet().with(Effect::SensorOff, at(600), Span::secs(60));
        let scene = Scene::patient(script.clone(), 1).at_speed(10.0);
        assert_eq!(scene.reading(at(61)).contact, Contact::Off);
        assert_eq!(scene.truth(at(30)), Patient::new(script, 1).truth(at(300)));
    }

    #[test]
    fn a_cable_that_comes_out_in_the_course_is_out_at_the_time_that_is_told() {
        let script = Script::quiet().with(Effect::CablePulled(Role::Cuff), at(1), Span::secs(1));
        // At 3 times the speed that is after a third of a second, which is no whole millisecond.
        let scene = Scene::patient(script, 1).at_speed(3.0);
        let out = scene.next_cable_change(Role::Cuff, Time::ZERO).unwrap();
        assert!(out < Time::from_millis(335) && scene.pulled(Role::Cuff, out));
        let back = scene.next_cable_change(Role::Cuff, out).unwrap();
        assert!(back < Time::from_millis(668) && !scene.pulled(Role::Cuff, back));
        assert_eq!(scene.next_cable_change(Role::Cuff, back), None);
        assert_eq!(scene.next_cable_change(Role::Oximeter, Time::ZERO), None);
    }
}
