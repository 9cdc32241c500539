//! A bed whose blood-pressure monitor speaks only when it has a result: the schedule is a prompt to a person, a
//! result that comes by itself is a result, and hours of silence are no lost monitor (R8.3). Over fed time.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use vitalsd::port::health::Health;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd_core::driver::{AnyDriver, Driver, Quantity, Request};
use vitalsd_core::monitor::input::{Action, Command, CommandRefusal, DeviceIndex, Input, Link, Opening, Route};
use vitalsd_core::monitor::output::{Condition, Determination, Output, Presence, Priority, Value};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{self, Bed};
use vitalsd_core::sample::{CuffFailure, CuffOrigin};
use vitalsd_core::time::{Span, Time};

const CUFF: DeviceIndex = DeviceIndex(0);
/// Monitors that nobody but a person can start.
const PUSH_ONLY: [Model; 3] = [Model::AndUa767, Model::OmronHbp9030, Model::OmronHbp9020];
/// Between two readings after the dose (R8.1).
const INTERVAL: Span = Span::mins(10);

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::secs(seconds)
}

/// Somebody presses the button of the monitor at these seconds.
fn pressed(seconds: &[u64]) -> Script {
    seconds.iter().fold(Script::quiet(), |script, second| script.with(Effect::BedsideReading, at(*second), Span::ZERO))
}

/// A monitor, its driver, the health of its port and a bed that has nothing else.
struct Bench {
    scene: Arc<Scene>,
    device: Device,
    driver: AnyDriver,
    health: Health,
    bed: Bed,
    now: Time,
    poll: Time,
    links: Vec<Link>,
    requests: Vec<(Time, Request)>,
    /// What was told as measured.
    told: Vec<Determination>,
}

impl Bench {
    /// A session that is opened after ten seconds and dosed after two minutes.
    fn dosed(model: Model, script: Script) -> Self {
        let scene = Scene::patient(script, 42).shared();
        let mut driver = AnyDriver::new(model.name()).expect("it has a driver");
        driver.opened(Time::ZERO);
        let mut health = Health::new(driver.protocol());
        health.opened(Time::ZERO, 0);
        let cuff = monitor::Device::of(driver.protocol(), &[Quantity::BloodPressure]);
        let mut bench = Self {
            device: Device::new(model, &scene),
            scene,
            driver,
            health,
            bed: Bed::new(Preset::kat_default_1(), vec![cuff], Time::ZERO),
            now: Time::ZERO,
            poll: Time::ZERO,
            links: Vec::new(),
            requests: Vec::new(),
            told: Vec::new(),
        };
        bench.tell(&Input::Link { device: CUFF, link: Link::Opened });
        bench.run(at(10));
        bench.ask(Action::Open(Opening::by(Route::Iv))).expect("opened");
        bench.run(at(120));
        bench.ask(Action::Dose { ago: Span::ZERO }).expect("dosed");
        bench
    }

    fn ask(&mut self, action: Action) -> Result<(), CommandRefusal> {
        let mut out = Vec::new();
        let command = Command { actor: "nurse-1".into(), action };
        let answer = self.bed.command(&command, self.now, &mut |output| out.push(output));
        self.carry_out(out);
        answer
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
                    self.requests.push((self.now, request));
                    self.driver.request(request, self.now).expect("it can be asked");
                    self.poll = self.now;
                }
                Output::Pressure(determination) => self.told.push(determination),
                _ => {}
            }
        }
    }

    fn run(&mut self, until: Time) {
        while self.now < until {
            let due = [self.device.due(), self.bed.deadline(), Some(self.poll)].into_iter().flatten().min();
            self.now = due.map_or(until, |due| due.max(self.now).min(until));
            let (mut said, mut samples, mut heard) = (Vec::new(), Vec::new(), 0);
            self.device.advance(self.now, &mut said);
            loop {
                heard += said.len();
                self.driver.decode(&said, self.now, &mut |sample| samples.push(sample));
                said.clear();
                let poll = self.driver.poll(self.now, &mut |sample| samples.push(sample));
                self.poll = poll.next.unwrap_or(self.now + Span::secs(1)).max(self.now + Span::millis(1));
                let Some(send) = poll.send else { break };
                self.device.receive(&send, self.now, &mut said);
            }
            if let Some(link) = self.health.heard(self.now, heard, self.driver.stats().good_frames) {
                self.links.push(link);
                self.tell(&Input::Link { device: CUFF, link });
            }
            for sample in samples {
                self.tell(&Input::Sample { device: CUFF, sample });
            }
            self.tell(&Input::Tick);
        }
    }

    fn is_on(&self, condition: Condition) -> bool {
        self.bed.alarm(condition).expect("it stands on the board").presence == Presence::On
    }
}

#[test]
fn the_schedule_prompts_and_a_result_that_comes_by_itself_answers_it() {
    for model in PUSH_ONLY {
        let mut bench = Bench::dosed(model, pressed(&[60, 900]));
        bench.run(at(130));
        let first = *bench.bed.newest_pressure().expect("measured before the dose");
        assert_eq!((bench.told.len(), first.origin), (1, CuffOrigin::Bedside), "{model}");
        let due = first.measured_at + INTERVAL;
        assert_eq!(bench.bed.cuff().next(), Some(due), "{model}: that is when somebody is to press the button");

        bench.run(due + Span::secs(119));
        assert!(!bench.is_on(Condition::PressureOverdue), "{model}");
        bench.run(due + Span::secs(121));
        assert!(bench.is_on(Condition::PressureOverdue), "{model}: nobody has");
        assert_eq!(bench.bed.newest_pressure(), Some(&first), "the old reading keeps its age");

        bench.run(at(950));
        let second = *bench.bed.newest_pressure().expect("measured");
        let truth = bench.scene.truth(second.measured_at).pressure.unwrap();
        assert_eq!(second.pressure.unwrap().systolic(), truth.systolic(), "{model}");
        assert!(second.measured_at > at(924) && bench.told.len() == 2, "{model}: {second:?}");
        assert!(!bench.is_on(Condition::PressureOverdue), "{model}: a result is a result");
        assert_eq!(bench.bed.cuff().next(), Some(second.measured_at + INTERVAL), "{model}");
        assert_eq!(bench.requests, [], "{model}");
    }
}

#[test]
fn readings_before_the_dose_make_the_baseline() {
    for model in PUSH_ONLY {
        let bench = Bench::dosed(model, pressed(&[0, 40, 80]));
        assert_eq!(bench.bed.session().baseline().count(), 3, "{model}");
    }
}

#[test]
fn a_monitor_that_cannot_be_started_is_never_asked_to() {
    for model in PUSH_ONLY {
        let mut bench = Bench::dosed(model, pressed(&[60]));
        for action in [Action::StartCuff, Action::StartStat, Action::StopCuff] {
            assert_eq!(bench.ask(action), Err(CommandRefusal::NoCuff), "{model}");
        }
        bench.run(at(3_600));
        assert_eq!(bench.requests, [], "{model}");
    }
}

#[test]
fn hours_of_silence_are_no_lost_monitor() {
    for model in PUSH_ONLY {
        let mut bench = Bench::dosed(model, pressed(&[60, 4 * 3_600]));
        bench.run(at(4 * 3_600 + 60));
        assert_eq!(bench.links, [Link::Up], "{model}");
        assert!(!bench.is_on(Condition::CuffLost), "{model}");
        assert_eq!(bench.told.len(), 2, "{model}");
    }
}

#[test]
fn two_failures_that_come_by_themselves_are_a_cuff_that_failed() {
    for (model, code) in [(Model::AndUa767, 0x81), (Model::OmronHbp9030, 1)] {
        let fails = Effect::CuffFails { status: 3 };
        let script = pressed(&[60, 300, 400, 600]).with(fails, at(250), Span::secs(250));
        let mut bench = Bench::dosed(model, script);
        bench.run(at(399));
        assert!(!bench.is_on(Condition::CuffFailed), "{model}: once");
        bench.run(at(450));
        let alarm = bench.bed.alarm(Condition::CuffFailed).unwrap();
        assert_eq!((alarm.presence, alarm.priority), (Presence::On, Priority::Medium), "{model}");
        assert_eq!(alarm.value, Some(Value::CuffFailure(CuffFailure::Unknown(code))), "{model}");
        bench.run(at(650));
        assert!(!bench.is_on(Condition::CuffFailed), "{model}: it measures again");
    }
}

#[test]
fn a_monitor_that_can_be_started_is_prompted_for_until_its_first_word_and_then_started() {
    // Nothing is sent to a TM-2655 to find out whether it is there: an old result could come as a new one.
    let mut bench = Bench::dosed(Model::AndTm2655, pressed(&[900]));
    bench.run(at(899));
    assert_eq!((bench.requests.len(), bench.told.len()), (0, 0));
    assert!(bench.is_on(Condition::PressureOverdue), "it does not go unheard");
    bench.run(at(950));
    assert!(!bench.is_on(Condition::PressureOverdue));
    assert_eq!((bench.told[0].origin, bench.links.as_slice()), (CuffOrigin::Bedside, &[Link::Up][..]));
    bench.run(at(3_000));
    let ours = &bench.told[1..];
    assert!(ours.len() >= 3 && ours.len() == bench.requests.len(), "{:?}", bench.requests);
    assert!(ours.iter().all(|told| told.origin == CuffOrigin::Schedule && told.pressure.is_ok()), "{ours:?}");
    let last_two = &ours[ours.len() - 2..];
    let start = bench.requests[bench.requests.len() - 1];
    assert_eq!(start, (last_two[0].measured_at + INTERVAL, Request::StartCuff));
}
