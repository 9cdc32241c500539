//! Simulated sessions of which the truth is known, through the same drivers and the same bed; and what its
//! alarms are worth.

use std::cmp::Reverse;

use vitalsd_core::driver::{Quantity, Request};
use vitalsd_core::monitor::input::{Action, DeviceIndex, Input, Link, Opening, Route, Side, StandbyReason};
use vitalsd_core::monitor::output::{AlarmKind, Condition, Group, Output};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{PulseRate, Spo2};

use super::ReplayError;
use super::plain::{self, Onset, Rule};
use super::play::command;
use super::source::Line;
use super::story::{Announcement, Story};
use super::summary::{count, per, per_hour, plain_row, seconds};
use super::track::{Numbers, Sight, Stretch};
use super::verdict::{self, Verdict};
use crate::simulator::device::Model;
use crate::simulator::labelled::{Labelled, Set};
use crate::simulator::scene::{Contact, Perfusion, Reading, Scene};
use crate::simulator::script::{Effect, Event, Role};
use crate::wire::number::Decimal;
use crate::wire::summary::{Cause, Sound, Trial};

/// One value a second, with every flag; and a monitor that can be told to measure.
const DEVICES: [Model; 2] = [Model::NoninDf8, Model::Dinamap];
/// How often that oximeter looks.
const STEP: Span = Span::secs(1);
/// What is announced this long after something has ended may still be about it: rows end after 15 s at the
/// earliest, and a HIGH that has ended sounds for 30 s (R2.5).
const STILL_ABOUT: Span = Span::secs(45);

/// Plays `sessions` of a set, with the seeds from 1 on. Nobody accepts an alarm.
///
/// # Errors
/// The bed refuses a session; it has no reason to.
pub fn run(set: Set, sessions: u32, preset: &Preset) -> Result<Trial, ReplayError> {
    let mut tally = Tally::default();
    for seed in 1..=u64::from(sessions) {
        let session = Labelled::new(set, seed);
        let (story, track) = play(&session, preset)?;
        tally.take(&session, &story, &track, preset);
    }
    Ok(tally.trial(set))
}

/// Plays one session: what the bed said, and what was so.
fn play(session: &Labelled, preset: &Preset) -> Result<(Story, Vec<Stretch>), ReplayError> {
    let scene = Scene::patient(session.script.clone(), session.seed).shared();
    let mut lines = DEVICES.map(|model| Line::new(model, &scene));
    let mut bed = Bed::new(preset.clone(), DEVICES.map(device).into(), Time::ZERO);
    let (mut story, mut track, mut wanted) = (Story::default(), Vec::new(), Vec::new());
    let mut out = |output, wanted: &mut Vec<_>| match output {
        Output::Request { device, request } => wanted.push((device, request)),
        output => story.take(output),
    };
    for (device, _) in indexed(&mut lines) {
        bed.input(&Input::Link { device, link: Link::Opened }, Time::ZERO, &mut |output| out(output, &mut wanted));
    }
    let end = Time::ZERO + session.length;
    let mut starts = Vec::new();
    let mut actions = actions(session);
    loop {
        let action = actions.last().map(|(at, _)| *at);
        let due = lines.iter().filter_map(Line::due).chain(bed.deadline()).chain(action).min();
        let Some(now) = due.filter(|due| *due < end) else { break };
        let looks = Time::ZERO + Span::millis(STEP.as_millis() * track.len() as u64);
        if looks <= now {
            track.push(stretch(&scene, looks));
        }
        bed.input(&Input::Tick, now, &mut |output| out(output, &mut wanted));
        if let Some((_, action)) = actions.pop_if(|(at, _)| *at <= now) {
            command(&mut bed, action, now, &mut |output| out(output, &mut wanted))?;
        }
        for (device, line) in indexed(&mut lines) {
            if line.due().is_some_and(|due| due <= now) {
                line.advance(device, now, &mut |input| bed.input(&input, now, &mut |output| out(output, &mut wanted)));
            }
        }
        for (device, request) in wanted.drain(..) {
            if request == Request::StartCuff {
                starts.push(now);
            }
            if let Some(line) = lines.get_mut(usize::from(device.0)) {
                line.request(request, now);
            }
        }
    }
    bed.input(&Input::Tick, end, &mut |output| out(output, &mut wanted));
    story.ends(end);
    if on_the_probe_arm(session) {
        cast(&mut track, &starts, story.determined());
    }
    Ok((story, track))
}

fn indexed(lines: &mut [Line]) -> impl Iterator<Item = (DeviceIndex, &mut Line)> {
    (0..).map(DeviceIndex).zip(lines)
}

fn device(model: Model) -> Device {
    let primary: &[_] = match model.role() {
        Role::Oximeter => &[Quantity::Spo2, Quantity::Pulse],
        Role::Cuff => &[Quantity::BloodPressure],
    };
    Device::of(model.protocol(), primary)
}

/// What is done at the bed, the last first: what everybody does who does as asked.
fn actions(session: &Labelled) -> Vec<(Time, Action)> {
    let mut actions = vec![(Time::ZERO, Action::Open(opening(session)))];
    if let Some(dose) = session.script.dose {
        actions.push((dose, Action::Dose { ago: Span::ZERO }));
        actions.extend(session.infusion.map(|infusion| (dose + infusion, Action::InfusionEnd { ago: Span::ZERO })));
    }
    if let Some(away) = &session.away {
        actions.push((away.start, Action::Standby { reason: StandbyReason::Toilet }));
        actions.push((away.start + away.length, Action::EndStandby));
    }
    actions.sort_by_key(|(at, _)| Reverse(*at));
    actions
}

/// A cuff on the arm of the probe is said to be there (R6.4).
fn opening(session: &Labelled) -> Opening {
    let opening = Opening { infusion: session.infusion, ..Opening::by(Route::Iv) };
    if on_the_probe_arm(session) {
        Opening { cuff_arm: Side::Left, probe_hand: Side::Left, iv_arm: Side::Right, ..opening }
    } else {
        opening
    }
}

fn on_the_probe_arm(session: &Labelled) -> bool {
    session.artefacts.iter().any(|artefact| artefact.effect == Effect::CuffOnProbeArm)
}

/// What is so from `from` to the next look, and what the oximeter makes of it.
fn stretch(scene: &Scene, from: Time) -> Stretch {
    let truth = scene.truth(from);
    let reading = scene.reading(from);
    Stretch {
        from,
        until: from + STEP,
        truth: numbers(truth.spo2, truth.pulse),
        shown: numbers(reading.spo2, reading.pulse),
        sight: sight(&reading),
        pulseless: reading.contact == Contact::NoPulse,
        shadow: false,
    }
}

/// Marks what the cuff casts its shadow on: from its start to 10 s after its end, for 60 s at the most, and no two
/// that begin within 150 s (R6.4).
fn cast(track: &mut [Stretch], starts: &[Time], ends: &[Time]) {
    let mut last: Option<Time> = None;
    for start in starts {
        if last.is_some_and(|last| start.since(last) < Span::secs(150)) {
            continue;
        }
        last = Some(*start);
        let longest = *start + Span::secs(60);
        let until = ends.iter().find(|end| *end >= start).map_or(longest, |end| longest.min(*end + Span::secs(10)));
        for stretch in track.iter_mut().filter(|stretch| stretch.from < until && stretch.until > *start) {
            stretch.shadow = true;
        }
    }
}

/// In whole percents, as a device sends them.
fn numbers(spo2: Option<Spo2>, pulse: Option<PulseRate>) -> Numbers {
    Numbers { spo2: spo2.and_then(|spo2| Spo2::percent((spo2.as_tenths() + 5) / 10)), pulse }
}

fn sight(reading: &Reading) -> Sight {
    if reading.contact != Contact::On {
        Sight::Blind
    } else if reading.artefact || reading.perfusion == Perfusion::Low {
        Sight::Doubted
    } else {
        Sight::Clear
    }
}

/// What some sessions have come to so far.
#[derive(Debug, Default)]
struct Tally {
    sessions: u32,
    length: Span,
    events: usize,
    artefacts: usize,
    sounds: Vec<Sound>,
    rows: Vec<Verdict>,
    onsets: Vec<(Rule, Onset)>,
    plain_needless: u32,
}

impl Tally {
    fn take(&mut self, session: &Labelled, story: &Story, track: &[Stretch], preset: &Preset) {
        self.sessions += 1;
        self.length = self.length + session.length;
        self.events += session.events.len();
        self.artefacts += session.artefacts.len();
        for announcement in story.announcements() {
            self.hear(session, &announcement);
        }
        for verdict in verdict::of(preset, track, story.pressures(), story, &story.episodes()) {
            match self.rows.iter_mut().find(|row| row.condition() == verdict.condition()) {
                Some(row) => row.add(verdict),
                None => self.rows.push(verdict),
            }
        }
        for rule in Rule::ALL {
            for onset in plain::onsets(rule, track, story.pressures(), story.end()) {
                let about = |effect: &Effect| rule_is_about(rule, effect);
                self.plain_needless += u32::from(!is_for(session, onset.start, about));
                self.onsets.push((rule, onset));
            }
        }
    }

    fn hear(&mut self, session: &Labelled, announcement: &Announcement) {
        let Announcement { at, condition, priority, .. } = *announcement;
        let known = self.sounds.iter().position(|it| (it.condition, it.priority) == (condition, priority));
        let place = known.unwrap_or(self.sounds.len());
        if known.is_none() {
            let row = condition.row().into();
            self.sounds.push(Sound { condition, row, priority, audible: 0, needless: 0, causes: Vec::new() });
        }
        let Some(sound) = self.sounds.get_mut(place) else { return };
        sound.audible += 1;
        if !is_for(session, at, |effect| is_about(condition, effect)) {
            sound.needless += 1;
            let going_on = session.during(at);
            let during = going_on.map_or("nothing", |(name, _)| name);
            let after = going_on.map_or(Span::ZERO, |(_, event)| at.since(event.start));
            let lasted = going_on.map_or(Span::ZERO, |(_, event)| event.length);
            match sound.causes.iter_mut().find(|cause| cause.during == during) {
                Some(cause) => cause.needless += 1,
                None => sound.causes.push(Cause {
                    during: during.into(),
                    needless: 1,
                    seed: session.seed,
                    at_s: seconds(at),
                    after_s: Decimal::seconds(after),
                    lasted_s: Decimal::seconds(lasted),
                }),
            }
        }
    }

    fn trial(mut self, set: Set) -> Trial {
        self.sounds.sort_by_key(|sound| (sound.priority, sound.condition));
        for sound in &mut self.sounds {
            sound.causes.sort_by_key(|cause| Reverse(cause.needless));
        }
        self.rows.sort_by_key(Verdict::condition);
        let sum = |of: fn(&Sound) -> u32| self.sounds.iter().map(of).sum::<u32>();
        let (audible, needless) = (sum(|sound| sound.audible), sum(|sound| sound.needless));
        let about_patient = |sound: &&Sound| sound.condition.kind() == AlarmKind::Physiological;
        let needless_physiological = self.sounds.iter().filter(about_patient).map(|sound| sound.needless).sum();
        let plain_audible = count(self.onsets.iter());
        let of_rule = |rule| {
            let onsets: Vec<_> = self.onsets.iter().filter(|(other, _)| *other == rule).map(|(_, it)| *it).collect();
            plain_row(rule, &onsets, self.length)
        };
        Trial {
            set: set.to_string(),
            sessions: self.sessions,
            hours: Decimal(Decimal::seconds(self.length).0 / 3_600.0),
            events: u32::try_from(self.events).unwrap_or(u32::MAX),
            artefacts: u32::try_from(self.artefacts).unwrap_or(u32::MAX),
            audible,
            audible_per_hour: per_hour(audible, self.length),
            needless,
            needless_physiological,
            needless_per_session: Decimal(per(needless * 10, f64::from(self.sessions)).0 / 10.0),
            plain_audible,
            plain_per_hour: per_hour(plain_audible, self.length),
            plain_needless: self.plain_needless,
            fewer_pct: (plain_audible > 0)
                .then(|| Decimal((1_000.0 - 1_000.0 * f64::from(audible) / f64::from(plain_audible)).round() / 10.0)),
            plain: Rule::ALL.map(of_rule).into_iter().filter(|plain| plain.onsets > 0).collect(),
            sounds: self.sounds,
            rows: self.rows.into_iter().map(Verdict::row).collect(),
        }
    }
}

/// Whether something that happens to the patient at `at`, or has just ended, is what an alarm was for.
fn is_for(session: &Labelled, at: Time, about: impl Fn(&Effect) -> bool) -> bool {
    let going_on = |event: &&Event| at >= event.start && at < event.start + event.length + STILL_ABOUT;
    session.events.iter().filter(going_on).any(|event| about(&event.effect))
}

fn is_about(condition: Condition, effect: &Effect) -> bool {
    match condition.group() {
        Group::Spo2 => matches!(effect, Effect::Desaturation { .. }),
        Group::PulseHigh | Group::PulseLow => matches!(effect, Effect::Pulse { .. } | Effect::NoPulse),
        Group::PressureHigh | Group::PressureLow => matches!(effect, Effect::Pressure { .. }),
        Group::Combined => {
            matches!(
                effect,
                Effect::Desaturation { .. } | Effect::Pulse { .. } | Effect::NoPulse | Effect::Pressure { .. }
            )
        }
        // What cannot be measured without a pulse.
        Group::Alone => matches!(effect, Effect::NoPulse),
    }
}

fn rule_is_about(rule: Rule, effect: &Effect) -> bool {
    match rule {
        Rule::Spo2 => matches!(effect, Effect::Desaturation { .. }),
        Rule::PulseHigh | Rule::PulseLow => matches!(effect, Effect::Pulse { .. } | Effect::NoPulse),
        Rule::PressureHigh | Rule::PressureLow => matches!(effect, Effect::Pressure { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    /// The seconds that are in shadow, of these determinations.
    fn shadow(starts: &[u64], ends: &[u64]) -> Vec<u64> {
        let stretch = |t| Stretch {
            from: s(t),
            until: s(t + 1),
            truth: Numbers::default(),
            shown: Numbers::default(),
            sight: Sight::Clear,
            pulseless: false,
            shadow: false,
        };
        let mut track: Vec<_> = (0..400).map(stretch).collect();
        let times = |seconds: &[u64]| seconds.iter().map(|second| s(*second)).collect::<Vec<_>>();
        cast(&mut track, &times(starts), &times(ends));
        (0..400).zip(track).filter(|(_, stretch)| stretch.shadow).map(|(t, _)| t).collect()
    }

    #[test]
    fn r6_4_the_shadow_ends_10_s_after_the_cuff_and_60_s_after_its_start_and_begins_once_in_150_s() {
        assert_eq!(shadow(&[100], &[138]), (100..148).collect::<Vec<_>>());
        assert_eq!(shadow(&[100], &[]), (100..160).collect::<Vec<_>>());
        assert_eq!(shadow(&[100, 220], &[120, 240]), (100..130).collect::<Vec<_>>());
        assert_eq!(shadow(&[100, 250], &[120, 270]), (100..130).chain(250..280).collect::<Vec<_>>());
    }
}
