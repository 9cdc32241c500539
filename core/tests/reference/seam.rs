//! The only file of the reference that speaks with the engine: it plays steps into a bed, and reads its story.

use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{Action, BoxFault, Command, DeviceIndex, Input, Link, Route};
use vitalsd_core::monitor::output::{Condition, EventKind, Output, Presence};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Measured, PulseRate, Spo2};

use super::facts::{Did, Fact, Line, What};
use super::models;

const OXIMETER: DeviceIndex = DeviceIndex(0);
const CUFF: DeviceIndex = DeviceIndex(1);

/// One thing that happens in a stay.
#[derive(Clone, Debug)]
pub enum Step {
    Oximetry(Measured<Spo2>, Measured<PulseRate>),
    /// A determination that was measured that many seconds ago.
    Cuff(Result<BloodPressure, CuffFailure>, u64),
    ByHand(BloodPressure, Span),
    Inflating,
    Link(bool, Link),
    Broker(bool),
    Open(Route, Option<Span>, bool),
    Dose(Span),
    Close,
    /// One of what is active now.
    Acknowledge(usize),
    /// One of what is latched now.
    Seen(usize),
    Nothing,
}

/// The millisecond, whether the condition is announced, and whether it is to be heard.
type State = (u64, bool, bool);

/// A bed that is told steps, the facts of them, and what the bed said.
pub struct Stay {
    cadence: Span,
    bed: Bed,
    now: Time,
    pub facts: Vec<Fact>,
    told: Vec<(Time, Told)>,
    out: Vec<Output>,
}

/// What the bed was told.
#[derive(Clone, Debug)]
enum Told {
    Input(Input),
    Action(Action),
}

impl Stay {
    pub fn new(cadence: Span) -> Self {
        let device =
            |cadence, primary, pleth_full_scale| Device { cadence, primary, starts_cuff: false, pleth_full_scale };
        let oximeter = device(cadence, vec![Quantity::Spo2, Quantity::Pulse], Some(127));
        let cuff = device(Span::secs(5), vec![Quantity::BloodPressure], None);
        let bed = Bed::new(Preset::kat_default_1(), vec![oximeter, cuff], Time::ZERO);
        Self { cadence, bed, now: Time::ZERO, facts: Vec::new(), told: Vec::new(), out: Vec::new() }
    }

    /// The same stay, but the box also looks at these milliseconds. It should change nothing.
    pub fn looked_at(&self, looks: impl Iterator<Item = u64>) -> Self {
        let looks = looks.map(|ms| (Time::from_millis(ms), Told::Input(Input::Tick)));
        let mut told: Vec<_> = looks.chain(self.told.iter().cloned()).collect();
        told.sort_by_key(|(at, _)| *at);
        let mut stay = Self::new(self.cadence);
        for (at, told) in told.into_iter().filter(|(at, _)| *at <= self.now) {
            stay.now = at;
            match told {
                Told::Input(input) => stay.tell(&input),
                Told::Action(action) => stay.act(action),
            }
        }
        stay
    }

    pub fn now(&self) -> u64 {
        self.now.as_millis()
    }

    /// Plays a step `pause` milliseconds after the one before.
    pub fn play(&mut self, pause: u64, step: &Step) {
        self.now = self.now + Span::millis(pause);
        let now = self.now;
        let sample = |device, sample| Input::Sample { device, sample };
        match step {
            Step::Oximetry(spo2, pulse) => {
                let perfusion_index = Measured::Absent(Absent::NotMeasured);
                let oximetry = Oximetry { at: now, spo2: *spo2, pulse: *pulse, perfusion_index };
                self.note(What::Numbers { spo2: *spo2, pulse: *pulse });
                self.tell(&sample(OXIMETER, Sample::Oximetry(oximetry)));
            }
            Step::Cuff(pressure, ago) => {
                let pulse = Measured::Absent(Absent::NotMeasured);
                let measured_at = now - Span::secs(*ago);
                let origin = CuffOrigin::Bedside;
                let result = CuffResult { at: now, measured_at, origin, pressure: *pressure, pulse };
                if let Ok(pressure) = *pressure {
                    self.note(What::Pressure { pressure, measured: measured_at.as_millis() });
                }
                self.tell(&sample(CUFF, Sample::CuffResult(result)));
            }
            Step::ByHand(pressure, ago) => {
                self.note(What::PressureByHand { pressure: *pressure, ago: ago.as_millis() });
                self.act(Action::Pressure { pressure: *pressure, ago: *ago });
            }
            Step::Inflating => self.tell(&sample(CUFF, Sample::CuffState { at: now, state: CuffState::Inflating })),
            Step::Link(oximeter, link) => {
                self.note(if *oximeter { What::Oximeter(*link) } else { What::Cuff(*link) });
                self.tell(&Input::Link { device: if *oximeter { OXIMETER } else { CUFF }, link: *link });
            }
            Step::Broker(lost) => self.tell(&Input::Fault { fault: BoxFault::Broker, present: *lost }),
            Step::Open(route, infusion, over_65) => {
                let what = What::Open { route: *route, infusion: infusion.map(Span::as_millis) };
                self.note(what);
                self.act(Action::Open { route: *route, infusion: *infusion, over_65: *over_65 });
            }
            Step::Dose(ago) => {
                self.note(What::Dose { ago: ago.as_millis() });
                self.act(Action::Dose { ago: *ago });
            }
            Step::Close => {
                self.note(What::Close);
                self.act(Action::Close);
            }
            Step::Acknowledge(which) => {
                if let Some((condition, episode, priority)) = self.pick(*which, Presence::On) {
                    self.note(What::Accept { condition, episode, priority });
                    self.act(Action::Acknowledge { condition, episode, priority });
                }
            }
            Step::Seen(which) => {
                if let Some((condition, episode, _)) = self.pick(*which, Presence::Latched) {
                    self.note(What::Seen { condition, episode });
                    self.act(Action::Seen { condition, episode });
                }
            }
            Step::Nothing => self.tell(&Input::Tick),
        }
    }

    /// A person acts on what is so now.
    fn pick(
        &mut self,
        which: usize,
        presence: Presence,
    ) -> Option<(Condition, u32, vitalsd_core::monitor::output::Priority)> {
        self.tell(&Input::Tick);
        let alarms: Vec<_> = self.bed.alarms().filter(|alarm| alarm.presence == presence).collect();
        let alarm = alarms.get(which % alarms.len().max(1))?;
        models(alarm.condition).then_some((alarm.condition, alarm.episode, alarm.priority))
    }

    fn note(&mut self, what: What) {
        self.facts.push(Fact { ms: self.now.as_millis(), what });
    }

    fn tell(&mut self, input: &Input) {
        let Self { bed, now, told, out, .. } = self;
        told.push((*now, Told::Input(*input)));
        bed.input(input, *now, &mut |output| out.push(output));
    }

    fn act(&mut self, action: Action) {
        let Self { bed, now, told, out, .. } = self;
        told.push((*now, Told::Action(action.clone())));
        let command = Command { actor: "nurse-1".into(), action };
        // What is refused does not happen: the reference decides that by itself.
        let _ = bed.command(&command, *now, &mut |output| out.push(output));
    }

    /// The engine's story, of what the reference knows.
    pub fn story(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        // Told and heard, by condition, with the millisecond: of one millisecond the last counts.
        let mut states: Vec<(Condition, Vec<State>)> = Vec::new();
        for output in &self.out {
            match output {
                Output::Event(event) => {
                    let (alarm, did) = match &event.kind {
                        EventKind::Raised(alarm) | EventKind::Noted(alarm) => (alarm, Did::Begin(alarm.priority)),
                        EventKind::Escalated(alarm) => (alarm, Did::Worsen(alarm.priority)),
                        EventKind::Eased(alarm) => (alarm, Did::Ease(alarm.priority)),
                        EventKind::Acknowledged(alarm) => (alarm, Did::Accepted),
                        EventKind::Latched(alarm) => (alarm, Did::Latch),
                        EventKind::Cleared(alarm) => (alarm, Did::Clear),
                        _ => continue,
                    };
                    if models(alarm.condition) {
                        lines.push(Line { ms: event.at.as_millis(), condition: alarm.condition, did });
                    }
                }
                Output::Alarm(alarm) if models(alarm.condition) => {
                    let told = alarm.announced && alarm.presence == Presence::On;
                    let state = (alarm.at.as_millis(), told, alarm.sounds);
                    match states.iter_mut().find(|(condition, _)| *condition == alarm.condition) {
                        Some((_, states)) => {
                            states.retain(|(ms, ..)| *ms != state.0);
                            states.push(state);
                        }
                        None => states.push((alarm.condition, vec![state])),
                    }
                }
                _ => {}
            }
        }
        for (condition, states) in states {
            let (mut told, mut heard) = (false, false);
            for (ms, told_now, heard_now) in states {
                if told_now != told {
                    lines.push(Line { ms, condition, did: Did::Told(told_now) });
                }
                if heard_now != heard {
                    lines.push(Line { ms, condition, did: Did::Heard(heard_now) });
                }
                (told, heard) = (told_now, heard_now);
            }
        }
        lines.sort_unstable();
        lines
    }
}
