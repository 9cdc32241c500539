//! A bed, the driver and a monitor that misbehaves, over fed time: what is told of it and when, and that the cuff is
//! started again all the same (R8.2, row 27). Every monitor that can be started is put through it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Role, Script};
use vitalsd_core::driver::{AnyDriver, Driver, Kind, Quantity, Request};
use vitalsd_core::monitor::input::{Action, Command, DeviceIndex, Input, Link, Opening, Route};
use vitalsd_core::monitor::output::{Condition, Event, EventKind, Output, Presence, Priority, Value};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{self, Bed};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, Measured};

const CUFF: DeviceIndex = DeviceIndex(0);

/// Every monitor that measures when it is told to.
fn monitors() -> impl Iterator<Item = Model> {
    Model::ALL.iter().copied().filter(|model| model.protocol().cuff.is_some_and(|cuff| cuff.starts))
}

fn at(minutes: u64) -> Time {
    Time::ZERO + Span::mins(minutes)
}

fn refused(now: Time) -> CuffResult {
    CuffResult {
        at: now,
        measured_at: now,
        origin: CuffOrigin::Schedule,
        pressure: Err(CuffFailure::Failed),
        pulse: Measured::Absent(Absent::NotMeasured),
    }
}

/// A monitor, its driver and a bed that has nothing else.
struct Bench {
    model: Model,
    device: Device,
    driver: AnyDriver,
    bed: Bed,
    now: Time,
    poll: Time,
    /// When the bed asked for a determination.
    starts: Vec<Time>,
    /// What was raised, and when.
    raised: Vec<(Time, Condition, Priority)>,
    /// Pressures that were taken as new.
    pressures: usize,
}

impl Bench {
    /// A session that is dosed a minute after it was opened, and a script of what the monitor does.
    fn with(model: Model, effect: Effect, start: Time, length: Span) -> Self {
        let scene = Scene::patient(Script::quiet().with(effect, start, length), 42).shared();
        let mut driver = AnyDriver::new(model.name()).expect("it has a driver");
        driver.opened(Time::ZERO);
        let cuff = monitor::Device::of(driver.protocol(), &[Quantity::BloodPressure]);
        let mut bench = Self {
            model,
            device: Device::new(model, &scene),
            driver,
            bed: Bed::new(Preset::kat_default_1(), vec![cuff], Time::ZERO),
            now: Time::ZERO,
            poll: Time::ZERO,
            starts: Vec::new(),
            raised: Vec::new(),
            pressures: 0,
        };
        bench.tell(&Input::Link { device: CUFF, link: Link::Up });
        bench.run(Time::ZERO + Span::secs(10));
        bench.ask(Action::Open(Opening::by(Route::Im)));
        bench.run(at(1));
        bench.ask(Action::Dose { ago: Span::ZERO });
        bench
    }

    fn ask(&mut self, action: Action) {
        let mut out = Vec::new();
        let command = Command { actor: "nurse-1".into(), action };
        self.bed.command(&command, self.now, &mut |output| out.push(output)).expect("carried out");
        self.carry_out(out);
    }

    fn tell(&mut self, input: &Input) {
        let mut out = Vec::new();
        self.bed.input(input, self.now, &mut |output| out.push(output));
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Request { request, .. } => {
                    if request == Request::StartCuff {
                        self.starts.push(self.now);
                    }
                    // As the daemon does: a start that the driver refuses is a failure.
                    if self.driver.request(request, self.now).is_err() && request == Request::StartCuff {
                        self.tell(&Input::Sample { device: CUFF, sample: Sample::CuffResult(refused(self.now)) });
                    }
                    self.poll = self.now;
                }
                Output::Pressure(determination) => self.pressures += usize::from(determination.pressure.is_ok()),
                Output::Event(Event { at, kind: EventKind::Raised(alarm) }) => {
                    self.raised.push((at, alarm.condition, alarm.priority));
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, until: Time) {
        while self.now < until {
            let due = [self.device.due(), self.bed.deadline(), Some(self.poll)].into_iter().flatten().min();
            self.now = due.map_or(until, |due| due.max(self.now).min(until));
            let (mut said, mut samples) = (Vec::new(), Vec::new());
            self.device.advance(self.now, &mut said);
            let hear = |driver: &mut AnyDriver, said: &mut Vec<u8>, samples: &mut Vec<Sample>| {
                driver.decode(said, self.now, &mut |sample| samples.push(sample));
                said.clear();
            };
            hear(&mut self.driver, &mut said, &mut samples);
            let mut poll = self.driver.poll(self.now, &mut |sample| samples.push(sample));
            while let Some(send) = poll.send {
                self.device.receive(&send, self.now, &mut said);
                hear(&mut self.driver, &mut said, &mut samples);
                poll = self.driver.poll(self.now, &mut |sample| samples.push(sample));
            }
            self.poll = poll.next.unwrap_or(self.now + Span::secs(1)).max(self.now + Span::millis(1));
            for sample in samples {
                self.tell(&Input::Sample { device: CUFF, sample });
            }
            self.tell(&Input::Tick);
        }
    }

    /// When a condition was first raised, and how gravely.
    fn first(&self, condition: Condition) -> Option<(Time, Priority)> {
        self.raised.iter().find(|(_, c, _)| *c == condition).map(|(at, _, priority)| (*at, *priority))
    }

    /// The second failure in a row is told; it ends with the first reading after the fault is over at `end`, and the
    /// schedule has never stopped.
    fn proves(&mut self, within: Span, why: CuffFailure, end: Time) {
        let model = self.model;
        let first = self.starts.iter().copied().find(|start| *start >= at(5)).expect("started in the fault");
        let (told, priority) = self.first(Condition::CuffFailed).expect("told");
        assert_eq!(priority, Priority::Medium, "{model}");
        assert!(told.since(first) <= within && told > first, "{model}: {first:?} {told:?}");
        assert_eq!(self.bed.alarm(Condition::CuffFailed).unwrap().value, Some(Value::CuffFailure(why)), "{model}");
        self.goes_on(end);
    }

    /// The schedule has never stopped; after `end` it measures again, and nothing of the fault is left.
    fn goes_on(&mut self, end: Time) {
        let model = self.model;
        let longest = self.starts.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap();
        assert!(longest <= Span::mins(15), "{model}: {:?}", self.starts);
        let before = self.pressures;
        self.run(end + Span::mins(16));
        assert!(self.pressures > before, "{model} measures again");
        for condition in [Condition::CuffFailed, Condition::PressureOverdue] {
            let presence = self.bed.alarm(condition).map(|alarm| alarm.presence);
            assert_ne!(presence, Some(Presence::On), "{model}: {condition}");
        }
    }
}

/// The fault lasts from minute 5 to minute 45.
fn faulty(model: Model, effect: Effect) -> Bench {
    let mut bench = Bench::with(model, effect, at(5), Span::mins(40));
    bench.run(at(44));
    bench
}

#[test]
fn a_cuff_without_a_fault_is_measured_with_on_schedule_and_nothing_is_told() {
    for model in monitors() {
        // A fault that takes no time is none.
        let mut bench = Bench::with(model, Effect::CuffHangs, at(5), Span::ZERO);
        bench.run(at(46));
        for condition in [Condition::CuffFailed, Condition::PressureOverdue] {
            assert_eq!(bench.first(condition), None, "{model}");
        }
        assert_eq!(bench.pressures, bench.starts.len(), "{model}: each gave one");
        bench.goes_on(at(46));
    }
}

#[test]
fn a_cuff_that_leaks_is_retried_after_a_minute_and_told_with_the_second_failure() {
    for model in monitors() {
        let mut bench = faulty(model, Effect::CuffFails { status: 4 });
        // Twice 40 s and the minute between.
        bench.proves(Span::secs(150), CuffFailure::PumpTimeout, at(45));
        assert!(bench.first(Condition::PressureOverdue).is_none(), "{model}: it stands under the failed cuff");
    }
}

#[test]
fn a_cuff_that_hangs_is_stopped_by_the_driver_and_told_with_the_second() {
    for model in monitors() {
        let mut bench = faulty(model, Effect::CuffHangs);
        // The guard of each driver is 180 s; it stops the cuff and says that nothing came.
        bench.proves(Span::secs(180 + 60 + 180 + 20), CuffFailure::NoAnswer, at(45));
    }
}

#[test]
fn a_cuff_that_does_not_answer_is_told_although_nobody_says_that_it_is_lost() {
    for model in monitors() {
        let mut bench = faulty(model, Effect::Silent(Role::Cuff));
        if model.protocol().kind == Kind::Push {
            // Nothing is asked of it: each start waits ten seconds for its acknowledgement.
            bench.proves(Span::secs(10 + 60 + 10), CuffFailure::NoAnswer, at(45));
        } else {
            // The driver refuses to start what has not answered it: at once, and again after a minute.
            bench.proves(Span::secs(60), CuffFailure::Failed, at(45));
        }
    }
}

/// How long a driver waits for a monitor that falls silent 5 s after a start, from the start on.
fn patience(model: Model) -> Span {
    match model {
        // Two questions of a second each, the first a second after the last answer.
        Model::Suntech => Span::secs(5 + 3),
        // Its lines of twice a second are missed.
        Model::NibpOem => Span::secs(5 + 8),
        // The guard: what is under way on the monitor goes on without us.
        _ => Span::secs(180),
    }
}

#[test]
fn a_cuff_that_falls_silent_while_it_measures_is_not_waited_for_longer_than_its_driver_waits() {
    for model in monitors() {
        let mut bench = Bench::with(model, Effect::Silent(Role::Cuff), at(5), Span::mins(40));
        bench.run(at(5) - Span::secs(5));
        bench.ask(Action::StartCuff);
        let started = bench.now;
        bench.run(at(44));
        // It is stopped in vain, three times and a second or two each; then a minute, and the second is refused.
        let (told, _) = bench.first(Condition::CuffFailed).expect("told");
        let soonest = patience(model) + Span::secs(59);
        assert!(told.since(started) >= soonest && told.since(started) <= soonest + Span::secs(11), "{model}: {told:?}");
    }
}

#[test]
fn a_cuff_that_gives_the_reading_before_as_a_new_one_has_failed() {
    for model in monitors() {
        let mut bench = Bench::with(model, Effect::CuffRepeats, at(5), Span::mins(40));
        bench.run(at(5));
        let (pressures, newest) = (bench.pressures, *bench.bed.newest_pressure().expect("measured"));
        bench.run(at(44));
        assert_eq!(bench.pressures, pressures, "{model}: none of them counts");
        assert_eq!(bench.bed.newest_pressure(), Some(&newest), "{model}: and the old one keeps its age");
        bench.proves(Span::secs(60 + 30), CuffFailure::Repeated, at(45));
    }
}

#[test]
fn a_cuff_that_somebody_stops_at_the_bedside_has_not_failed_and_is_not_started_again_at_once() {
    // The module of SunTech has no button of its own; what a TM-2655 says when it is stopped is not known.
    for model in monitors().filter(|model| !matches!(model, Model::Suntech | Model::AndTm2655)) {
        let mut bench = Bench::with(model, Effect::CuffStopped, at(5), Span::mins(20));
        bench.run(at(5));
        let (pressures, starts) = (bench.pressures, bench.starts.len());
        bench.run(at(24));
        assert_eq!(bench.pressures, pressures, "{model}");
        assert_eq!(bench.first(Condition::CuffFailed), None, "{model}");
        let stopped = &bench.starts[starts..];
        assert!(stopped.len() > 1 && stopped.windows(2).all(|pair| pair[1].since(pair[0]) >= Span::mins(4)), "{model}");
        bench.goes_on(at(25));
    }
}
