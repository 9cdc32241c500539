//! What a simulated device says, the real driver understands as what is so in the patient; and what the
//! real driver asks, the simulated device answers. Over fed time: no clock, no port.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

use std::sync::Arc;

use vitalsd::recording::Row;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::patient::Truth;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Role, Script};
use vitalsd_core::driver::{AnyDriver, Driver, Quantity, Refusal, Request};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured, PerfusionIndex, PulseRate, Spo2};

fn oximeters() -> impl Iterator<Item = Model> {
    Model::ALL.iter().copied().filter(|model| model.role() == Role::Oximeter)
}

/// Every blood-pressure monitor that measures when it is told to.
fn cuffs() -> impl Iterator<Item = Model> {
    Model::ALL.iter().copied().filter(|model| model.protocol().cuff.is_some_and(|cuff| cuff.starts))
}

/// Those that a person at the bedside can start as well.
const WITH_BUTTON: [Model; 2] = [Model::Dinamap, Model::NibpOem];

/// Oximeters whose flags nobody knows: they say that there is no value, and never why.
const WITHOUT_REASON: [Model; 1] = [Model::BerryBoard];

/// Monitors that tell a result by themselves.
const PUSHING: [Model; 4] = [Model::AndTm2655, Model::AndUa767, Model::OmronHbp9030, Model::OmronHbp9020];

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// A device and its driver at the two ends of a perfect line.
struct Bench {
    device: Device,
    driver: AnyDriver,
    now: Time,
    poll: Time,
    samples: Vec<Sample>,
}

impl Bench {
    fn new(model: Model, scene: &Arc<Scene>) -> Self {
        let mut driver = AnyDriver::new(model.name()).expect("each model has a driver");
        driver.opened(Time::ZERO);
        Self { device: Device::new(model, scene), driver, now: Time::ZERO, poll: Time::ZERO, samples: Vec::new() }
    }

    fn patient(model: Model, script: Script) -> Self {
        Self::new(model, &Scene::patient(script, 42).shared())
    }

    /// Lets both live until `until`.
    fn run(&mut self, until: Time) -> &mut Self {
        let mut said = Vec::new();
        while self.now < until {
            let due = self.device.due().unwrap_or(until);
            self.now = due.min(self.poll).max(self.now).min(until);
            self.device.advance(self.now, &mut said);
            self.hear(&mut said);
            // Asked again after each answer, as a port does.
            let mut poll = self.driver.poll(self.now, &mut |sample| self.samples.push(sample));
            while let Some(send) = poll.send {
                self.device.receive(&send, self.now, &mut said);
                self.hear(&mut said);
                poll = self.driver.poll(self.now, &mut |sample| self.samples.push(sample));
            }
            let soonest = Time::from_millis(self.now.as_millis() + 1);
            self.poll = poll.next.unwrap_or(self.now + Span::secs(1)).max(soonest);
        }
        self
    }

    fn hear(&mut self, said: &mut Vec<u8>) {
        self.driver.decode(said, self.now, &mut |sample| self.samples.push(sample));
        said.clear();
    }

    fn ask(&mut self, request: Request) -> Result<(), Refusal> {
        self.poll = self.now;
        self.driver.request(request, self.now)
    }

    fn oximetry(&self) -> impl Iterator<Item = &Oximetry> {
        self.samples.iter().filter_map(|sample| match sample {
            Sample::Oximetry(oximetry) => Some(oximetry),
            _ => None,
        })
    }

    fn newest(&self) -> &Oximetry {
        self.oximetry().last().expect("an oximeter has said something")
    }

    fn pleth(&self, from: Time, to: Time) -> Vec<u16> {
        let point = |sample: &Sample| match sample {
            Sample::Pleth { at, value } if (from..to).contains(at) => Some(*value),
            _ => None,
        };
        self.samples.iter().filter_map(point).collect()
    }

    fn determinations(&self) -> Vec<CuffResult> {
        let result = |sample: &Sample| match sample {
            Sample::CuffResult(result) => Some(*result),
            _ => None,
        };
        self.samples.iter().filter_map(result).collect()
    }
}

#[test]
fn every_oximeter_says_what_is_so_in_the_patient() {
    let fall = Effect::Desaturation { to_pct: 83.0, ramp: Span::secs(20) };
    let race = Effect::Pulse { to_bpm: 150.0, ramp: Span::secs(20) };
    let script = Script::quiet().with(fall, at(20), Span::secs(40)).with(race, at(90), Span::secs(30));
    for model in oximeters() {
        let scene = Scene::patient(script.clone(), 42).shared();
        let mut bench = Bench::new(model, &scene);
        bench.run(at(150));
        assert_eq!(bench.driver.stats().rejects(), 0, "{model}: {:?}", bench.driver.stats());
        assert!(bench.driver.lock().locked, "{model}");
        // A packet of Nonin's takes a third of a second to say; of ChipOx's saturation and pulse, the one is told anew
        // with the other of 2 s ago.
        let lags_ms: &[u64] = if model == Model::Chipox { &[0, 2_000] } else { &[150] };
        for oximetry in bench.oximetry() {
            let true_of = |told: u16, within: u16, of: fn(Truth) -> u16| {
                lags_ms.iter().any(|ms| told.abs_diff(of(scene.truth(oximetry.at - Span::millis(*ms)))) <= within)
            };
            let spo2 = oximetry.spo2.good().unwrap_or_else(|| panic!("{model}: {oximetry:?}"));
            let pulse = oximetry.pulse.good().unwrap_or_else(|| panic!("{model}: {oximetry:?}"));
            assert!(true_of(spo2.as_tenths(), 10, |truth| truth.spo2.unwrap().as_tenths()), "{model}: {oximetry:?}");
            assert!(true_of(pulse.as_bpm(), 3, |truth| truth.pulse.unwrap().as_bpm()), "{model}: {oximetry:?}");
            if model.protocol().measures(Quantity::PerfusionIndex) {
                let hundredths = |pi: Option<PerfusionIndex>| PerfusionIndex::as_hundredths(pi.unwrap());
                let truth = hundredths(scene.truth(oximetry.at).perfusion_index);
                // Creative sends tenths of a percent.
                let rounding = if model == Model::Creative { 5 } else { 0 };
                assert!(
                    hundredths(oximetry.perfusion_index.good()).abs_diff(truth) <= rounding,
                    "{model}: {oximetry:?}"
                );
            }
        }
        let lowest = bench.oximetry().filter_map(|o| o.spo2.good()).min();
        assert_eq!(lowest, Spo2::percent(83), "{model} shows the whole fall");
    }
}

#[test]
fn every_oximeter_keeps_the_rate_of_its_sheet() {
    let rates = [
        (Model::NoninDf1, 60, 0),
        (Model::NoninDf2, 180, 4_500),
        (Model::NoninDf7, 180, 4_500),
        (Model::NoninDf8, 60, 0),
        (Model::NoninPrintout, 60, 0),
        (Model::ContecV7, 3_600, 3_600),
        (Model::ContecOld, 3_600, 3_600),
        (Model::Masimo, 60, 0),
        (Model::Nellcor, 30, 0),
        (Model::Bci, 6_000, 6_000),
        // Status, saturation and pulse each tell one.
        (Model::Chipox, 90, 6_000),
        (Model::Creative, 60, 3_000),
        // What its simulator sends: the sheet has no rate.
        (Model::BerryBoard, 60, 6_000),
    ];
    for model in oximeters() {
        let told = rates.iter().find(|(told, ..)| *told == model);
        let (_, numbers, points) = *told.unwrap_or_else(|| panic!("{model}: how many values and points a minute?"));
        let mut bench = Bench::patient(model, Script::quiet());
        bench.run(at(10)).samples.clear();
        bench.run(at(70));
        let pleth = bench.pleth(at(10), at(70) + Span::millis(1));
        assert!(bench.oximetry().count().abs_diff(numbers) <= 1, "{model}: {}", bench.oximetry().count());
        assert!(pleth.len().abs_diff(points) <= 25, "{model}: {} points", pleth.len());
        if let Some(scale) = model.protocol().pleth {
            let (low, high) = (pleth.iter().min().unwrap(), pleth.iter().max().unwrap());
            assert!(*high <= scale.full_scale && *high > scale.full_scale / 10 * 7 && *low < scale.full_scale / 5);
        }
    }
}

#[test]
fn what_happens_to_the_probe_is_told_with_its_reason() {
    let absent = |effect, model: Model| {
        let mut bench = Bench::patient(model, Script::quiet().with(effect, at(20), Span::secs(30)));
        bench.run(at(40));
        let Oximetry { spo2, pulse, .. } = *bench.newest();
        assert_eq!((spo2.value(), pulse.value()), (None, None), "{model} in {effect:?}");
        bench.run(at(60));
        assert!(bench.newest().spo2.good().is_some(), "{model} after {effect:?}");
        match pulse {
            Measured::Absent(why) => why,
            _ => unreachable!("checked above"),
        }
    };
    for model in oximeters() {
        let off = absent(Effect::SensorOff, model);
        if WITHOUT_REASON.contains(&model) {
            assert_eq!((off, absent(Effect::NoPulse, model)), (Absent::InadequateSignal, Absent::InadequateSignal));
        } else if !matches!(model, Model::NoninDf1 | Model::NoninPrintout) {
            assert_eq!(off, Absent::SensorOff, "{model}");
        }
    }
    let marked = [Model::NoninDf2, Model::NoninDf7, Model::NoninDf8, Model::ContecV7, Model::Nellcor, Model::Chipox];
    for model in marked {
        assert_eq!(absent(Effect::NoPulse, model), Absent::NoPulse, "{model}");
    }
    // These have no flag that every vendor means that way, so a pulse that is not found stays a search.
    for model in [Model::ContecOld, Model::Bci, Model::Creative, Model::Masimo] {
        assert_eq!(absent(Effect::NoPulse, model), Absent::Searching, "{model}");
    }
}

#[test]
fn a_probe_that_is_back_on_the_finger_looks_for_the_pulse() {
    for model in oximeters() {
        let off = Effect::SensorOff;
        let mut bench = Bench::patient(model, Script::quiet().with(off, at(20), Span::secs(30)));
        bench.run(at(53));
        let Oximetry { spo2, pulse, .. } = *bench.newest();
        let why = if WITHOUT_REASON.contains(&model) { Absent::InadequateSignal } else { Absent::Searching };
        assert_eq!((spo2, pulse), (Measured::Absent(why), Measured::Absent(why)), "{model}");
    }
}

#[test]
fn motion_and_a_cold_finger_make_the_numbers_doubtful() {
    let cold = Effect::LowPerfusion { to_pct: 0.1, ramp: Span::secs(5) };
    for (model, effect, doubt) in [
        (Model::NoninDf2, Effect::Motion, Doubt::Artefact),
        (Model::NoninDf2, cold, Doubt::LowPerfusion),
        (Model::Masimo, Effect::Motion, Doubt::Artefact),
        (Model::Masimo, cold, Doubt::LowPerfusion),
        (Model::Nellcor, Effect::Motion, Doubt::Motion),
        (Model::Chipox, Effect::Motion, Doubt::Motion),
        (Model::Chipox, cold, Doubt::LowPerfusion),
    ] {
        let mut bench = Bench::patient(model, Script::quiet().with(effect, at(20), Span::secs(60)));
        bench.run(at(40));
        let newest = bench.newest();
        assert!(matches!(newest.spo2, Measured::Questionable(_, why) if why == doubt), "{model}: {newest:?}");
    }
}

#[test]
fn a_stuck_oximeter_goes_on_sending_the_same() {
    let mut bench = Bench::patient(Model::NoninDf2, Script::quiet().with(Effect::Stuck, at(20), Span::secs(30)));
    bench.run(at(50));
    let still = bench.pleth(at(21), at(49));
    assert!(still.len() > 2_000 && still.iter().all(|point| *point == still[0]));
    let numbers: Vec<_> = bench.oximetry().filter(|o| o.at > at(21)).map(|o| (o.spo2, o.pulse)).collect();
    assert!(numbers.len() > 80 && numbers.iter().all(|pair| *pair == numbers[0]));
}

#[test]
fn a_silent_device_neither_says_nor_hears_anything() {
    for model in oximeters() {
        let silent = Effect::Silent(Role::Oximeter);
        let mut bench = Bench::patient(model, Script::quiet().with(silent, at(20), Span::secs(10)));
        bench.run(at(40));
        let during = bench.oximetry().filter(|o| o.at > at(21) && o.at < at(30)).count();
        let after = bench.oximetry().filter(|o| o.at > at(33)).count();
        assert!(during == 0 && after > 0, "{model}: {during} during, {after} after");
    }
}

#[test]
fn contec_v7_says_nothing_before_it_is_told_to_start_and_stops_30_s_after_the_last_word() {
    let mut device = Device::new(Model::ContecV7, &Scene::patient(Script::quiet(), 1).shared());
    let mut said = Vec::new();
    device.advance(at(60), &mut said);
    assert!(said.is_empty(), "silent until A1");
    // The start command of the sheet, in two pieces.
    device.receive(&[0x7d, 0x81, 0xa1, 0x80], at(60), &mut said);
    assert_eq!(device.due(), None);
    device.receive(&[0x80; 5], at(60), &mut said);
    device.advance(at(89), &mut said);
    assert!(said.len().abs_diff(29 * 60 * 9) <= 2 * 9, "{} bytes", said.len());
    // Kept alive once, it goes on for 30 s from then.
    device.receive(&[0x7d, 0x81, 0xaf, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], at(89), &mut said);
    device.advance(at(118), &mut said);
    said.clear();
    device.advance(at(300), &mut said);
    assert!(said.len().abs_diff(60 * 9) <= 2 * 9, "{} bytes", said.len());
    assert_eq!(device.due(), None, "silent again");
    said.clear();
    device.receive(&[0x7d, 0x81, 0xaf, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], at(301), &mut said);
    device.advance(at(302), &mut said);
    assert!(said.is_empty(), "a keep-alive starts nothing");
}

#[test]
fn contec_v7_stops_when_it_is_told_to() {
    let mut device = Device::new(Model::ContecV7, &Scene::patient(Script::quiet(), 1).shared());
    let mut said = Vec::new();
    device.receive(&[0x7d, 0x81, 0xa1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], at(1), &mut said);
    device.advance(at(2), &mut said);
    assert!(said.len() > 50 * 9);
    said.clear();
    device.receive(&[0x7d, 0x81, 0xa2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], at(2), &mut said);
    device.advance(at(10), &mut said);
    // The captured answer of the sheet.
    assert_eq!(said, [0x0c, 0x80]);
}

#[test]
fn dinamap_answers_busy_with_the_old_pressures_and_their_growing_age() {
    let script = Script { determination: Some(Span::secs(30)), ..Script::quiet() };
    let mut device = Device::new(Model::Dinamap, &Scene::patient(script, 1).shared());
    let mut ask = |request: &[u8], second| {
        let mut said = Vec::new();
        device.advance(at(second), &mut said);
        device.receive(request, at(second), &mut said);
        String::from_utf8(said).unwrap()
    };
    // Requests and layout of the sheet: status, patient, type, seconds since, systolic, diastolic, mean.
    assert_eq!(ask(b"\r NA!2\r", 10), " NA3109999000000000&*\r", "the sheet's vector: no recent result");
    assert!(ask(b" NC0!E\r\n", 20).starts_with(" NC"));
    assert!(ask(b" NA!2\r", 30).starts_with(" NA0109999000000000"), "busy, nothing older");
    let first = ask(b" NA!2\r", 53);
    assert!(first.starts_with(" NA1100003"), "done at 50 s: {first:?}");
    assert!(ask(b" NC0!E\r", 1_000).starts_with(" NC"));
    let busy = ask(b" NA!2\r", 1_010);
    assert!(busy.starts_with(" NA0100960") && busy[10..19] == first[10..19], "{busy:?} after {first:?}");
    assert!(ask(b" NA!2\r", 1_030).starts_with(" NA1100000"));
    assert!(ask(b" RC!8\r", 1_031).starts_with(" RC3"));
    assert!(ask(b" OA!3\r", 1_032).starts_with(" OA3"));
    assert_eq!(ask(b" NA!3\r", 1_033), "", "a wrong checksum has no answer");
    assert!(ask(b" NA!2\r", 7_000).starts_with(" NA1109999"), "the count ends at 5400 s");
}

#[test]
fn suntech_takes_a_start_once_tells_its_cuff_and_says_k_at_the_end() {
    let script = Script { determination: Some(Span::secs(30)), ..Script::quiet() };
    let mut device = Device::new(Model::Suntech, &Scene::patient(script, 1).shared());
    let mut ask = |request: &[u8], second| {
        let mut said = Vec::new();
        device.advance(at(second), &mut said);
        device.receive(request, at(second), &mut said);
        said
    };
    // Requests and replies of the sheet.
    let (start, abort) = ([0x3a, 0x20, 0xa6], [0x3a, 0x79, 0x01, 0x00, 0x4c]);
    let (cuff, result) = ([0x3a, 0x79, 0x05, 0x00, 0x48], [0x3a, 0x79, 0x03, 0x00, 0x4a]);
    assert_eq!(ask(&cuff, 10), [0x3e, 0x05, 0, 0, 0xbd], "an empty cuff");
    assert_eq!(ask(&start, 20), [0x3e, 0x04, 0x4f, 0x6f]);
    assert_eq!(ask(&start, 21), [0x3e, 0x04, 0x42, 0x7c], "busy");
    let mmhg = |said: &[u8]| u16::from_le_bytes([said[2], said[3]]);
    let falling = [22, 30, 40, 49].map(|second| mmhg(&ask(&cuff, second)));
    assert!(falling[0] > 160 && falling.is_sorted_by(|a, b| a > b) && falling[3] >= 40, "{falling:?}");
    let said = ask(&[], 51);
    assert_eq!(said, [0x3e, 0x04, 0x4b, 0x73], "K by itself");
    let said = ask(&result, 52);
    assert!(said.len() == 0x18 && (100..140).contains(&said[2]) && said[20] == 0, "{said:?}");
    assert_eq!(ask(&start, 60), [0x3e, 0x04, 0x4f, 0x6f]);
    assert_eq!(ask(&abort, 70), [0x3e, 0x04, 0x41, 0x7d, 0x3e, 0x04, 0x4b, 0x73]);
    assert_eq!(ask(&result, 71)[20], 0x56, "stopped by its user");
    assert_eq!(ask(&[0x3a, 0x79, 0x02, 0x40, 0x0b], 72).len(), 0x43);
    assert_eq!(ask(&[0x3a, 0x20, 0xa7], 73), b"", "a wrong checksum has no answer");
}

#[test]
fn nibp_oem_tells_its_status_after_power_up_and_its_cuff_while_it_measures() {
    let script = Script { determination: Some(Span::secs(30)), ..Script::quiet() };
    let mut device = Device::new(Model::NibpOem, &Scene::patient(script, 1).shared());
    let mut ask = |request: &[u8], second| {
        let mut said = Vec::new();
        device.advance(at(second), &mut said);
        device.receive(request, at(second), &mut said);
        String::from_utf8(said).unwrap()
    };
    // Requests and layout of the sheet.
    let empty = "\x02S1;A0;C00;M00;P---------;R---;T----;;E3\x03\r";
    assert_eq!(ask(b"", 1), empty, "by itself, after power-up");
    assert_eq!(ask(b"\x0218;;DF\x03", 10), empty);
    assert_eq!(ask(b"\x0201;;D7\x03", 20), "", "nothing answers a start");
    let lines = ask(b"", 49);
    let mmhg: Vec<u16> = lines.split_terminator('\r').map(|line| line[1..4].parse().unwrap()).collect();
    assert!(lines.starts_with("\x02178C0S3\x03\r"), "{lines:?}");
    assert!(mmhg.len() == 58 && mmhg.is_sorted_by(|a, b| a > b), "{mmhg:?}");
    assert!(ask(b"", 51).ends_with("\x02999\x03\r"));
    let status = ask(b"\x0218;;DF\x03", 52);
    assert!(status.starts_with("\x02S1;A0;C00;M00;P1") && status.len() == 42, "{status:?}");
    ask(b"\x0201;;D7\x03", 60);
    assert!(ask(b"X", 70).ends_with("\x02999\x03\r"));
    assert_eq!(ask(b"\x0218;;DF\x03", 71), empty, "interrupted by its user");
    assert_eq!(ask(b"\x0201;;D8\x03X", 72), "", "what nobody knows has no answer, and there is nothing to stop");
}

#[test]
fn a_determination_that_the_driver_starts_gives_the_pressure_of_the_patient() {
    for model in cuffs() {
        let scene = Scene::patient(Script::quiet().dosed(at(60)), 42).shared();
        let mut bench = Bench::new(model, &scene);
        bench.run(at(10));
        for start in [10, 1_000, 2_200] {
            bench.run(at(start)).samples.clear();
            bench.ask(Request::StartCuff).unwrap();
            bench.run(at(start + 24));
            assert_eq!(bench.determinations(), [], "{model}: it takes longer than that, and what it holds is old");
            bench.run(at(start + 60));
            let results = bench.determinations();
            assert_eq!(results.len(), 1, "{model}: {results:?}");
            let CuffResult { measured_at, origin, pressure, pulse, .. } = results[0];
            assert_eq!(origin, CuffOrigin::Schedule);
            // A device that tells an age tells it in whole seconds.
            let near = |ms: u64| scene.truth(measured_at - Span::millis(ms)).pressure;
            assert!((0..=1_100).step_by(10).any(|ms| near(ms) == pressure.ok()), "{model}: {results:?} at {start}");
            assert!(pulse.good().is_some_and(|pulse| (60..=80).contains(&PulseRate::as_bpm(pulse))));
            assert_eq!(bench.driver.stats().rejects(), 0, "{model}: {:?}", bench.driver.stats());
        }
    }
}

#[test]
fn a_pressure_higher_than_any_cuff_is_filled_at_first_is_measured_all_the_same() {
    let high = Effect::Pressure { systolic_mmhg: 255.0, diastolic_mmhg: 190.0, ramp: Span::ZERO };
    for model in cuffs() {
        let mut bench = Bench::patient(model, Script::quiet().with(high, at(0), Span::secs(300)));
        bench.run(at(10));
        bench.ask(Request::StartCuff).unwrap();
        bench.run(at(80));
        let results = bench.determinations();
        assert!(results.len() == 1 && results[0].pressure.is_ok(), "{model}: {results:?}");
    }
}

#[test]
fn a_cuff_that_can_be_followed_is_seen_to_fill_and_to_empty() {
    for model in [Model::Suntech, Model::NibpOem] {
        let mut bench = Bench::patient(model, Script::quiet());
        bench.run(at(10));
        bench.ask(Request::StartCuff).unwrap();
        bench.run(at(80));
        let pressure = |sample: &Sample| match sample {
            Sample::CuffPressure { mmhg, .. } => Some(*mmhg),
            _ => None,
        };
        let cuff: Vec<_> = bench.samples.iter().filter_map(pressure).collect();
        assert!(cuff.len() >= 24 && cuff[0] > 170 && cuff.is_sorted_by(|a, b| a > b), "{model}: {cuff:?}");
        let state = |sample: &Sample| match sample {
            Sample::CuffState { state, .. } => Some(*state),
            _ => None,
        };
        let states: Vec<_> = bench.samples.iter().filter_map(state).collect();
        assert_eq!(states, [CuffState::Idle, CuffState::Inflating, CuffState::Idle], "{model}");
    }
}

#[test]
fn a_reading_started_at_the_bedside_is_seen_as_one() {
    for model in WITH_BUTTON {
        let mut bench = Bench::patient(model, Script::quiet().with(Effect::BedsideReading, at(30), Span::ZERO));
        bench.run(at(120));
        let results = bench.determinations();
        assert_eq!(results.len(), 1, "{model}: {results:?}");
        assert_eq!(results[0].origin, CuffOrigin::Bedside);
        assert!(results[0].pressure.is_ok() && results[0].measured_at > at(54) && results[0].measured_at < at(72));
    }
}

#[test]
fn a_determination_can_fail_hang_or_be_cancelled_and_a_monitor_can_be_mute() {
    let long = Span::secs(390);
    for model in cuffs() {
        let outcome = |script: Script, cancel: Option<u64>| {
            let mut bench = Bench::patient(model, script);
            bench.run(at(10));
            bench.ask(Request::StartCuff).unwrap();
            if let Some(cancel) = cancel {
                bench.run(at(cancel));
                bench.ask(Request::StopCuff).unwrap();
            }
            bench.run(at(400));
            let results = bench.determinations();
            assert_eq!(results.len(), 1, "{model}: {results:?}");
            (results[0].pressure.unwrap_err(), results[0].at)
        };
        let fails = Script::quiet().with(Effect::CuffFails { status: 4 }, at(0), long);
        assert_eq!(outcome(fails, None).0, CuffFailure::PumpTimeout, "{model}");
        assert_eq!(outcome(Script::quiet(), Some(20)).0, CuffFailure::Cancelled, "{model}");
        // Without a pulse there is nothing to measure; some have a word for it.
        let (failure, _) = outcome(Script::quiet().with(Effect::NoPulse, at(0), long), None);
        assert!(matches!(failure, CuffFailure::Failed | CuffFailure::NoPulse), "{model}: {failure:?}");
        let (failure, hung) = outcome(Script::quiet().with(Effect::CuffHangs, at(0), long), None);
        assert_eq!(failure, CuffFailure::NoAnswer, "{model}");
        assert!(hung >= at(180), "{model}: the driver gives up after its guard time, not before: {hung:?}");
        let (failure, _) = outcome(Script::quiet().with(Effect::Silent(Role::Cuff), at(11), long), None);
        assert_eq!(failure, CuffFailure::NoAnswer, "{model}");
    }
}

#[test]
fn a_monitor_that_pushes_tells_what_somebody_measures_at_the_bedside_as_it_is_in_the_patient() {
    let pressed = |script: Script, second| script.with(Effect::BedsideReading, at(second), Span::ZERO);
    let script = [30, 1_000, 2_200].into_iter().fold(Script::quiet().dosed(at(60)), pressed);
    for model in PUSHING {
        let scene = Scene::patient(script.clone(), 42).shared();
        let mut bench = Bench::new(model, &scene);
        bench.run(at(54));
        assert_eq!(bench.samples, [], "{model} has nothing to say before its cuff is done");
        bench.run(at(2_300));
        let results = bench.determinations();
        assert_eq!(results.len(), 3, "{model}: {results:?}");
        for result in results {
            let CuffResult { measured_at, origin, pressure, pulse, .. } = result;
            let (truth, pressure) = (scene.truth(measured_at), pressure.unwrap());
            let expected = truth.pressure.unwrap();
            assert_eq!((origin, pulse.good()), (CuffOrigin::Bedside, truth.pulse), "{model}");
            assert_eq!(
                (pressure.systolic(), pressure.diastolic()),
                (expected.systolic(), expected.diastolic()),
                "{model} at {measured_at:?}"
            );
            let mean = (model != Model::OmronHbp9030).then(|| expected.mean());
            assert_eq!(pressure.measured_mean(), mean, "{model}");
        }
        assert_eq!(bench.driver.stats().rejects(), 0, "{model}: {:?}", bench.driver.stats());
        assert!(bench.driver.lock().locked, "{model}");
    }
}

#[test]
fn a_monitor_that_pushes_tells_a_failure_as_one() {
    let long = Span::secs(300);
    let failed = |model| {
        let fails = Script::quiet().with(Effect::CuffFails { status: 4 }, at(0), long);
        let mut bench = Bench::patient(model, fails.with(Effect::BedsideReading, at(30), Span::ZERO));
        bench.run(at(300));
        bench.determinations().iter().map(|result| (result.origin, result.pressure.unwrap_err())).collect::<Vec<_>>()
    };
    assert_eq!(failed(Model::AndTm2655), [(CuffOrigin::Bedside, CuffFailure::PumpTimeout)]);
    // These have a number for it that nobody explains.
    assert_eq!(failed(Model::AndUa767), [(CuffOrigin::Bedside, CuffFailure::Unknown(0x81))]);
    assert_eq!(failed(Model::OmronHbp9030), [(CuffOrigin::Bedside, CuffFailure::Unknown(1))]);
    // How this one tells a failure is not known.
    assert_eq!(failed(Model::OmronHbp9020), []);
}

#[test]
fn a_tm_2655_measures_when_it_is_asked_to() {
    let scene = Scene::patient(Script::quiet().dosed(at(60)), 42).shared();
    let mut bench = Bench::new(Model::AndTm2655, &scene);
    for start in [10, 1_000] {
        bench.run(at(start)).samples.clear();
        bench.ask(Request::StartCuff).unwrap();
        bench.run(at(start + 24));
        let inflating = Sample::CuffState { at: at(start), state: CuffState::Inflating };
        assert_eq!(bench.samples, [inflating], "it takes longer than that");
        bench.run(at(start + 60));
        let results = bench.determinations();
        assert_eq!(results.len(), 1, "{results:?}");
        assert_eq!(results[0].origin, CuffOrigin::Schedule);
        assert_eq!(results[0].pressure.ok(), scene.truth(results[0].measured_at).pressure);
    }
}

#[test]
fn a_determination_of_a_tm_2655_can_be_refused_fail_hang_or_be_stopped_and_it_can_be_mute() {
    let outcomes = |script: Script, stop: Option<u64>| {
        let mut bench = Bench::patient(Model::AndTm2655, script);
        bench.run(at(10));
        bench.ask(Request::StartCuff).unwrap();
        if let Some(stop) = stop {
            bench.run(at(stop));
            bench.ask(Request::StopCuff).unwrap();
        }
        bench.run(at(400));
        let told = |result: &CuffResult| (result.origin, result.pressure.err(), result.at);
        bench.determinations().iter().map(told).collect::<Vec<_>>()
    };
    let (ours, long) = (CuffOrigin::Schedule, Span::secs(390));
    let fails = outcomes(Script::quiet().with(Effect::CuffFails { status: 8 }, at(0), long), None);
    assert_eq!(fails[0].1, Some(CuffFailure::Overpressure));
    assert_eq!(outcomes(Script::quiet(), Some(20)), [(ours, Some(CuffFailure::Cancelled), at(20))]);
    let hangs = outcomes(Script::quiet().with(Effect::CuffHangs, at(0), long), None);
    assert_eq!(hangs, [(ours, Some(CuffFailure::NoAnswer), at(190))]);
    let mute = outcomes(Script::quiet().with(Effect::Silent(Role::Cuff), at(0), long), None);
    assert_eq!(mute, [(ours, Some(CuffFailure::NoAnswer), at(20))]);
    // Somebody was quicker: ours is refused, and theirs is told.
    let pressed = outcomes(Script::quiet().with(Effect::BedsideReading, at(5), Span::ZERO), None);
    assert_eq!(pressed[0], (ours, Some(CuffFailure::Failed), at(10)));
    assert_eq!((pressed[1].0, pressed[1].1, pressed.len()), (CuffOrigin::Bedside, None, 2));
}

#[test]
fn a_cuff_on_the_arm_of_the_probe_takes_the_pulse_away_while_it_is_inflated() {
    let script = Script::quiet().with(Effect::CuffOnProbeArm, at(0), Span::secs(600)).with(
        Effect::BedsideReading,
        at(30),
        Span::ZERO,
    );
    let scene = Scene::patient(Script { determination: Some(Span::secs(30)), ..script }, 42).shared();
    let (mut probe, mut cuff) = (Bench::new(Model::NoninDf2, &scene), Bench::new(Model::Dinamap, &scene));
    for second in 1..=90 {
        cuff.run(at(second));
        probe.run(at(second));
    }
    let swing = |from, to| {
        let points = probe.pleth(at(from), at(to));
        points.iter().max().unwrap() - points.iter().min().unwrap()
    };
    assert!(swing(20, 30) > 150 && swing(35, 60) == 0 && swing(70, 80) > 150);
    let missing = probe.oximetry().filter(|o| o.spo2 == Measured::Absent(Absent::Searching)).count();
    assert!((20 * 3..=35 * 3).contains(&missing), "{missing} packets without numbers");
}

#[test]
fn a_recording_plays_on_the_wire_as_a_patient() {
    let row = |time_ms, spo2_tenths, pulse_bpm| Row { time_ms, spo2_tenths, pulse_bpm, ..Row::default() };
    let mut rows: Vec<_> = (0..60).map(|s| row(s * 1_000, Some(980 - 2 * s as u16), Some(61))).collect();
    rows.extend((60..90).map(|s| row(s * 1_000, None, None)));
    rows[50] = Row { systolic_mmhg: Some(152), diastolic_mmhg: Some(88), mean_mmhg: Some(109), ..rows[50] };
    let scene = Scene::recording(rows, Script::quiet(), 1).shared();
    let (mut probe, mut cuff) = (Bench::new(Model::NoninDf2, &scene), Bench::new(Model::Dinamap, &scene));
    probe.run(at(58));
    cuff.run(at(80));
    for oximetry in probe.oximetry() {
        let second = (oximetry.at.as_millis() / 1_000) as u16;
        let spo2 = oximetry.spo2.good().unwrap().as_tenths();
        assert!(spo2.abs_diff(980 - 2 * second) <= 7, "whole percents of {second} s: {spo2}");
        assert_eq!(oximetry.pulse.good(), PulseRate::bpm(61));
    }
    probe.run(at(80));
    assert_eq!(probe.newest().spo2, Measured::Absent(Absent::SensorOff), "a blank is no value");
    let results = cuff.determinations();
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!(results[0].pressure.ok(), BloodPressure::full(152, 88, Some(109)));
    assert!(results[0].measured_at > at(48) && results[0].measured_at < at(52), "{results:?}");
}
