//! The only file of the reference that speaks with the engine: it plays steps into a bed, and reads its story.

use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{
    Action, BoxFault, CloseReason, Command, CommandRefusal, DeviceIndex, Input, Link, Named, Opening, Route,
};
use vitalsd_core::monitor::output::{Condition, EventKind, Output, Presence, Priority};
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Measured, PulseRate, Spo2};

use super::facts::{Did, Fact, Line, What};
use super::{models, preset};

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
    bed: Bed,
    now: Time,
    pub facts: Vec<Fact>,
    out: Vec<Output>,
}

impl Stay {
    pub fn new(cadence: Span) -> Self {
        let device = |cadence, primary, pleth_full_scale| Device {
            cadence,
            primary,
            starts_cuff: false,
            cuff_rest: Span::secs(30),
            pleth_full_scale,
        };
        let oximeter = device(cadence, vec![Quantity::Spo2, Quantity::Pulse], Some(127));
        let cuff = device(Span::secs(5), vec![Quantity::BloodPressure], None);
        let bed = Bed::new(preset(), vec![oximeter, cuff], Time::ZERO);
        Self { bed, now: Time::ZERO, facts: Vec::new(), out: Vec::new() }
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
                // What is overdue by then is, before the reading comes.
                self.tell(&Input::Tick);
                if let Ok(pressure) = *pressure {
                    self.note(What::Pressure { pressure, measured: measured_at.as_millis() });
                }
                self.tell(&sample(CUFF, Sample::CuffResult(result)));
            }
            Step::ByHand(pressure, ago) => {
                self.note(What::PressureByHand { pressure: *pressure, ago: ago.as_millis() });
                let _ = self.act(Action::Pressure { pressure: *pressure, ago: *ago });
            }
            Step::Inflating => self.tell(&sample(CUFF, Sample::CuffState { at: now, state: CuffState::Inflating })),
            Step::Link(oximeter, link) => {
                self.note(if *oximeter { What::Oximeter(*link) } else { What::Cuff(*link) });
                self.tell(&Input::Link { device: if *oximeter { OXIMETER } else { CUFF }, link: *link });
            }
            Step::Broker(lost) => self.tell(&Input::Fault { fault: BoxFault::Broker, present: *lost }),
            Step::Open(route, infusion, over_65) => {
                self.note(What::Open { route: *route, infused: infusion.is_some() });
                let opening = Opening { infusion: *infusion, over_65: *over_65, ..Opening::by(*route) };
                let _ = self.act(Action::Open(opening));
            }
            Step::Dose(ago) => {
                self.note(What::Dose { ago: ago.as_millis() });
                let _ = self.act(Action::Dose { ago: *ago });
            }
            Step::Close => {
                self.close();
            }
            // An acceptance in a room without a session is not the reference's to judge: such a room is let go of.
            Step::Acknowledge(_) if self.bed.session().opened().is_none() => self.tell(&Input::Tick),
            Step::Acknowledge(which) => {
                if let Some((condition, episode, priority)) = self.pick(*which, Presence::On) {
                    self.note(What::Accept { condition, episode, priority });
                    let _ = self.act(Action::Acknowledge(Named { condition, episode, priority }));
                }
            }
            Step::Seen(which) => {
                if let Some((condition, episode, _)) = self.pick(*which, Presence::Latched) {
                    self.note(What::Seen { condition, episode });
                    let _ = self.act(Action::Seen { condition, episode });
                }
            }
            Step::Nothing => self.tell(&Input::Tick),
        }
        // An assumed window (R5.4) is not the reference's to judge: somebody answers in time.
        if self.bed.alarm(Condition::DoseForgotten).is_some_and(|alarm| alarm.presence == Presence::On) {
            let _ = self.act(Action::NotYet);
        }
    }

    /// Sees what is latched (R5.7), and ends the session: before the dose it is cancelled.
    fn close(&mut self) {
        self.tell(&Input::Tick);
        if self.bed.session().opened().is_none() {
            return;
        }
        let latched = self.bed.alarms().filter(|alarm| alarm.presence == Presence::Latched);
        for (condition, episode) in latched.map(|alarm| (alarm.condition, alarm.episode)).collect::<Vec<_>>() {
            self.note(What::Seen { condition, episode });
            let _ = self.act(Action::Seen { condition, episode });
        }
        // Not in the same millisecond: to see the one changes what is announced.
        self.now = self.now + Span::millis(1);
        let closed = match self.act(Action::Close { reason: Some(CloseReason::Test) }) {
            Err(CommandRefusal::NotDosed) => self.act(Action::Cancel),
            closed => closed,
        };
        if closed.is_ok() {
            self.note(What::Close);
        }
    }

    /// A person acts on what is so now.
    fn pick(&mut self, which: usize, presence: Presence) -> Option<(Condition, u32, Priority)> {
        self.tell(&Input::Tick);
        let alarms = self.bed.alarms().filter(|alarm| alarm.presence == presence && models(alarm.condition));
        let alarms: Vec<_> = alarms.collect();
        let alarm = alarms.get(which % alarms.len().max(1))?;
        Some((alarm.condition, alarm.episode, alarm.priority))
    }

    fn note(&mut self, what: What) {
        self.facts.push(Fact { ms: self.now.as_millis(), what });
    }

    fn tell(&mut self, input: &Input) {
        let Self { bed, now, out, .. } = self;
        let first = out.len();
        bed.input(input, *now, &mut |output| out.push(output));
        self.note_overdue(first, *input == Input::Tick);
    }

    /// What is refused does not happen: the reference decides that by itself.
    fn act(&mut self, action: Action) -> Result<(), CommandRefusal> {
        let Self { bed, now, out, .. } = self;
        let first = out.len();
        let command = Command { actor: "nurse-1".into(), action };
        let done = bed.command(&command, *now, &mut |output| out.push(output));
        self.note_overdue(first, false);
        done
    }

    /// When a reading is overdue (row 27) is taken from the engine: the reference knows no schedule.
    fn note_overdue(&mut self, first: usize, by_time: bool) {
        for output in &self.out[first..] {
            let Output::Event(event) = output else { continue };
            if let EventKind::Raised(alarm) | EventKind::Noted(alarm) = &event.kind
                && alarm.condition == Condition::PressureOverdue
            {
                let by_time = by_time || event.at < self.now;
                self.facts.push(Fact { ms: event.at.as_millis(), what: What::Overdue { by_time } });
            }
        }
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
                        EventKind::Worsened(alarm) => (alarm, Did::Worsen(alarm.priority)),
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
