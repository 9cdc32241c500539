//! Random stays: what can happen to a bed, in what order whatever, and how it is played to one.
#![allow(dead_code, reason = "each test file plays its own stays")]

use crate::support::{CUFF, OXIMETER, bpm, devices, percent};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{
    Action, BoxFault, CloseReason, Command, Input, Link, LossReason, Named, OffReason, Opening, Route, Side,
    StandbyReason,
};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::{Output, Presence};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Notice, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured, PulseRate, Spo2};

/// One thing that happens in a stay, and how long after the one before.
#[derive(Clone, Debug)]
pub enum Step {
    Oximetry(Measured<Spo2>, Measured<PulseRate>),
    Pleth(u16),
    Cuff(Result<BloodPressure, CuffFailure>),
    Inflating,
    Link(bool, Link),
    OwnAlarm(bool),
    Fault(BoxFault, bool),
    Act(Action),
    /// Something about one of the alarms that are there.
    About(About, usize),
    Nothing,
}

/// What a person says about an alarm.
#[derive(Clone, Copy, Debug)]
pub enum About {
    Acknowledge,
    Withdraw,
    Decline,
    Seen,
    SwitchOff,
    SwitchOn,
}

pub fn room() -> Vec<Device> {
    let starts = |device: Device| Device { starts_cuff: device.primary.contains(&Quantity::BloodPressure), ..device };
    devices(Span::secs(1), true).into_iter().map(starts).collect()
}

pub fn bed() -> Bed {
    Bed::new(Preset::kat_default_1(), room(), Time::ZERO)
}

pub fn apply(bed: &mut Bed, step: &Step, now: Time, out: &mut Vec<Output>) {
    let mut say = |output| out.push(output);
    let input = match step {
        Step::Oximetry(spo2, pulse) => {
            let perfusion_index = Measured::Absent(Absent::NotMeasured);
            let oximetry = Oximetry { at: now, spo2: *spo2, pulse: *pulse, perfusion_index };
            Input::Sample { device: OXIMETER, sample: Sample::Oximetry(oximetry) }
        }
        Step::Pleth(value) => Input::Sample { device: OXIMETER, sample: Sample::Pleth { at: now, value: *value } },
        Step::Cuff(pressure) => {
            let pulse = Measured::Absent(Absent::NotMeasured);
            let origin = CuffOrigin::Bedside;
            let result = CuffResult { at: now, measured_at: now, origin, pressure: *pressure, pulse };
            Input::Sample { device: CUFF, sample: Sample::CuffResult(result) }
        }
        Step::Inflating => {
            Input::Sample { device: CUFF, sample: Sample::CuffState { at: now, state: CuffState::Inflating } }
        }
        Step::Link(oximeter, link) => Input::Link { device: if *oximeter { OXIMETER } else { CUFF }, link: *link },
        Step::OwnAlarm(on) => {
            let notice = if *on { Notice::OwnAlarmOn } else { Notice::OwnAlarmOff };
            Input::Sample { device: OXIMETER, sample: Sample::Notice { at: now, notice } }
        }
        Step::Fault(fault, present) => Input::Fault { fault: *fault, present: *present },
        Step::Nothing => Input::Tick,
        Step::Act(action) => {
            let _ = bed.command(&Command { actor: "nurse-1".into(), action: action.clone() }, now, &mut say);
            return;
        }
        Step::About(about, which) => {
            bed.input(&Input::Tick, now, &mut say); // a person acts on what is so now
            let wanted = if matches!(about, About::Seen) { Presence::Latched } else { Presence::On };
            let alarms: Vec<_> = bed.alarms().filter(|alarm| alarm.presence == wanted).cloned().collect();
            let Some(alarm) = alarms.get(which % alarms.len().max(1)) else { return };
            let (condition, episode, priority) = (alarm.condition, alarm.episode, alarm.priority);
            let named = Named { condition, episode, priority };
            let action = match about {
                About::Acknowledge => Action::Acknowledge(named),
                About::Withdraw => Action::Withdraw(named),
                About::Decline => Action::Decline(named),
                About::Seen => Action::Seen { condition, episode },
                About::SwitchOff => Action::SwitchOff { condition, reason: OffReason::Expected },
                About::SwitchOn => Action::SwitchOn { condition },
            };
            let _ = bed.command(&Command { actor: "nurse-1".into(), action }, now, &mut say);
            return;
        }
    };
    bed.input(&input, now, &mut say);
}

pub fn spo2() -> impl Strategy<Value = Measured<Spo2>> {
    let value = prop_oneof![4 => 95_u16..=99, 3 => 84_u16..=94, 1 => 60_u16..=83].prop_map(percent);
    let doubt = prop_oneof![Just(Doubt::Motion), Just(Doubt::LowPerfusion)];
    prop_oneof![
        8 => value.clone(),
        1 => (value, doubt).prop_map(|(value, doubt)| value.doubted(doubt)),
        2 => absent().prop_map(Measured::Absent),
    ]
}

pub fn pulse() -> impl Strategy<Value = Measured<PulseRate>> {
    prop_oneof![8 => (35_u16..160).prop_map(bpm), 2 => absent().prop_map(Measured::Absent)]
}

pub fn absent() -> impl Strategy<Value = Absent> {
    prop_oneof![
        Just(Absent::SensorOff),
        Just(Absent::Searching),
        Just(Absent::NoPulse),
        Just(Absent::InadequateSignal),
        Just(Absent::OutOfRange)
    ]
}

pub fn pressure() -> impl Strategy<Value = Result<BloodPressure, CuffFailure>> {
    prop_oneof![
        6 => (60_u16..210, 10_u16..60).prop_filter_map("in order", |(systolic, less)| {
            BloodPressure::full(systolic, systolic.checked_sub(less)?, None).map(Ok)
        }),
        1 => Just(Err(CuffFailure::PumpTimeout)),
    ]
}

pub fn opening() -> impl Strategy<Value = Opening> {
    let route = prop_oneof![Just(Route::Iv), Just(Route::Im), Just(Route::Intranasal), Just(Route::Oral)];
    let infusion = proptest::option::of((20_u64..60).prop_map(Span::mins));
    (route, infusion, any::<[bool; 5]>()).prop_map(
        |(route, infusion, [over_65, oxygen, sedative, hypercapnia, same])| {
            let probe_hand = if same { Side::Left } else { Side::Right };
            Opening { infusion, over_65, oxygen, sedative, hypercapnia, probe_hand, ..Opening::by(route) }
        },
    )
}

pub fn observation() -> impl Strategy<Value = Observation> {
    prop_oneof![
        Just(Observation::GaveBenzodiazepine),
        Just(Observation::GaveAntihypertensive),
        Just(Observation::GaveOxygen),
        Just(Observation::StoppedOxygen),
        Just(Observation::Nausea),
        Just(Observation::Sedation { responds: Responsiveness::Unresponsive }),
        Just(Observation::Sedation { responds: Responsiveness::Voice }),
    ]
}

pub fn action() -> impl Strategy<Value = Action> {
    let minutes = || (0_u64..100).prop_map(Span::mins);
    let breaths = proptest::option::of(4_u8..20);
    let of_the_dose = prop_oneof![
        6 => minutes().prop_map(|ago| Action::Dose { ago }),
        1 => minutes().prop_map(|ago| Action::DoseAgain { ago }),
        1 => Just(Action::UndoDose),
        1 => Just(Action::NotYet),
        1 => Just(Action::InfusionPause),
        1 => Just(Action::InfusionResume),
        2 => minutes().prop_map(|ago| Action::InfusionEnd { ago }),
        1 => minutes().prop_map(|by| Action::Prolong { by }),
        1 => Just(Action::Abort),
    ];
    let of_the_session = prop_oneof![
        1 => Just(Action::Cancel),
        2 => Just(Action::Close { reason: Some(CloseReason::Test) }),
        2 => Just(Action::Standby { reason: StandbyReason::Toilet }),
        1 => Just(Action::EndStandby),
        1 => Just(Action::RetakeBaseline),
        1 => Just(Action::ConfirmSlowPulse),
        3 => observation().prop_map(Action::Observe),
        2 => breaths.prop_map(|breaths| Action::Check { responds: Responsiveness::Awake, breaths }),
        1 => Just(Action::ProbeOnCuffArm),
    ];
    let of_the_sound = prop_oneof![
        2 => Just(Action::PauseAudio),
        1 => Just(Action::ResumeAudio),
        1 => Just(Action::Help),
        1 => Just(Action::HelpOver),
    ];
    let of_the_cuff = prop_oneof![
        1 => Just(Action::StartCuff),
        1 => Just(Action::StartStat),
        1 => Just(Action::StopCuff),
        2 => pressure().prop_filter_map("a pressure", |p| {
            p.ok().map(|pressure| Action::Pressure { pressure, ago: Span::secs(60) })
        }),
    ];
    prop_oneof![
        4 => opening().prop_map(Action::Open),
        6 => of_the_dose,
        4 => of_the_session,
        2 => of_the_sound,
        2 => of_the_cuff,
    ]
}

pub fn about() -> impl Strategy<Value = About> {
    prop_oneof![
        4 => Just(About::Acknowledge),
        1 => Just(About::Withdraw),
        1 => Just(About::Decline),
        4 => Just(About::Seen),
        1 => Just(About::SwitchOff),
        1 => Just(About::SwitchOn),
    ]
}

pub fn fault() -> impl Strategy<Value = BoxFault> {
    proptest::sample::select(BoxFault::ALL.as_slice())
}

pub fn link() -> impl Strategy<Value = Link> {
    let lost = prop_oneof![Just(LossReason::Unplugged), Just(LossReason::Silent), Just(LossReason::Busy)];
    prop_oneof![2 => Just(Link::Up), 1 => Just(Link::Opened), 1 => lost.prop_map(Link::Lost)]
}

/// Up to 300 steps with pauses from a millisecond to minutes, most of them about a second.
pub fn stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let step = prop_oneof![
        30 => (spo2(), pulse()).prop_map(|(s, p)| Step::Oximetry(s, p)),
        4 => (0_u16..128).prop_map(Step::Pleth),
        3 => pressure().prop_map(Step::Cuff),
        1 => Just(Step::Inflating),
        3 => (any::<bool>(), link()).prop_map(|(oximeter, link)| Step::Link(oximeter, link)),
        1 => any::<bool>().prop_map(Step::OwnAlarm),
        1 => (fault(), any::<bool>()).prop_map(|(fault, present)| Step::Fault(fault, present)),
        6 => action().prop_map(Step::Act),
        5 => (about(), any::<usize>()).prop_map(|(about, which)| Step::About(about, which)),
        3 => Just(Step::Nothing),
    ];
    let pause = prop_oneof![12 => 900_u64..1_100, 4 => 1_u64..400, 2 => 1_000_u64..30_000, 1 => 30_000_u64..900_000];
    proptest::collection::vec((pause, step), 1..300)
}

/// A session from its first second on, with values about the limits that stay for a while as a patient's do, and
/// whatever else happens in a stay between them.
pub fn steady_stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let spo2 = prop_oneof![2 => (77_u16..92).prop_map(percent), 1 => Just(percent(97)), 1 => spo2()];
    let pulse = prop_oneof![2 => (36_u16..48).prop_map(bpm), 2 => (118_u16..156).prop_map(bpm), 1 => pulse()];
    let run = (spo2, pulse, proptest::collection::vec(900_u64..1_100, 1..25))
        .prop_map(|(s, p, pauses)| pauses.into_iter().map(|pause| (pause, Step::Oximetry(s, p))).collect::<Vec<_>>());
    let other = stay().prop_map(|steps| steps.into_iter().take(2).collect::<Vec<_>>());
    let pieces = proptest::collection::vec(prop_oneof![5 => run, 1 => other], 1..20);
    pieces.prop_map(|pieces| {
        let (open, dose) = (Action::Open(Opening::by(Route::Iv)), Action::Dose { ago: Span::ZERO });
        let begun = [(10, Step::Act(open)), (10, Step::Act(dose))];
        begun.into_iter().chain(pieces.into_iter().flatten()).collect()
    })
}

/// A stay that lasts, so that what comes by the passing of time alone comes: a patient before the dose or after it or
/// nobody yet, and then one thing after another, each for a while and at no moment that has to do with the one before.
pub fn eventful_stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
    (beginning(), proptest::collection::vec((1_u64..1_000, chapter()), 1..10)).prop_map(|(mut steps, chapters)| {
        for (wait, chapter) in chapters {
            steps.push((wait, Step::Nothing));
            steps.extend(chapter);
        }
        steps
    })
}

fn beginning() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let nobody = (60_u64..140).prop_map(|seconds| held(percent(97), bpm(72), seconds, 1_003));
    let readings = proptest::collection::vec((110_000_u64..130_000, reading()), 0..4);
    let dose = proptest::option::of((0_u64..90).prop_map(|ago| Action::Dose { ago: Span::mins(ago) }));
    let session = (opening(), readings, dose).prop_map(|(opening, readings, dose)| {
        let mut steps = vec![(10, Step::Act(Action::Open(opening)))];
        for (pause, reading) in readings {
            steps.push((pause, Step::Cuff(Ok(reading))));
            steps.extend(held(percent(97), bpm(72), 20, 1_003));
        }
        steps.extend(dose.map(|dose| (370, Step::Act(dose))));
        steps
    });
    prop_oneof![1 => nobody, 5 => session]
}

fn chapter() -> BoxedStrategy<Vec<(u64, Step)>> {
    let values = || (prop_oneof![Just(percent(97)), spo2()], prop_oneof![Just(bpm(72)), pulse()]);
    let hold = (values(), 1_u64..90, 900_u64..1_100).prop_map(|((spo2, pulse), n, pause)| held(spo2, pulse, n, pause));
    // Before it is stale, and no sooner: a long time in few steps.
    let long = (50_u64..450, 2_600_u64..2_950).prop_map(|(n, pause)| held(percent(97), bpm(72), n, pause));
    let ramp = (130_u16..300, 900_u64..1_100).prop_map(|(n, pause)| {
        (0..n).map(|t| (pause, Step::Oximetry(percent(100 - t / 20), bpm(60 + t / 5)))).collect()
    });
    let dips = (1_usize..8, 80_u16..90, 3_usize..20).prop_map(|(times, low, n)| {
        let dip = || [94, 91].into_iter().chain(std::iter::repeat_n(low, n)).chain([91, 94, 97, 97, 97]);
        (0..times).flat_map(|_| dip()).map(|spo2| (1_003, Step::Oximetry(percent(spo2), bpm(72)))).collect()
    });
    let silence = (3_000_u64..400_000).prop_map(|pause| vec![(pause, Step::Nothing)]);
    let lost = proptest::collection::vec((100_u64..2_000, absent()), 1..60).prop_map(|run| {
        let none = |(pause, why)| (pause, Step::Oximetry(Measured::Absent(why), Measured::Absent(why)));
        run.into_iter().map(none).collect()
    });
    let measured =
        (10_000_u64..80_000, reading(), values(), 1_u64..60).prop_map(|(takes, reading, (spo2, pulse), n)| {
            let mut steps = vec![(10, Step::Inflating), (takes, Step::Cuff(Ok(reading)))];
            steps.extend(held(spo2, pulse, n, 1_003));
            steps
        });
    let oxygen = (92_u16..95, 60_u64..90).prop_map(|(spo2, n)| {
        let mut steps = vec![(10, Step::Act(Action::Observe(Observation::GaveOxygen)))];
        steps.extend(held(percent(spo2), bpm(72), n, 2_900));
        steps
    });
    let way = (any::<bool>(), 3_000_u64..200_000).prop_map(|(oximeter, pause)| {
        let lost = Step::Link(oximeter, Link::Lost(LossReason::Unplugged));
        vec![(10, lost), (pause, Step::Link(oximeter, Link::Up))]
    });
    let wrong = (fault(), 3_000_u64..30_000)
        .prop_map(|(fault, pause)| vec![(10, Step::Fault(fault, true)), (pause, Step::Fault(fault, false))]);
    let done = (action(), 1_000_u64..700_000)
        .prop_map(|(action, pause)| vec![(10, Step::Act(action)), (pause, Step::Nothing)]);
    let said = (about(), any::<usize>(), 1_000_u64..400_000)
        .prop_map(|(about, which, pause)| vec![(10, Step::About(about, which)), (pause, Step::Nothing)]);
    let away = (any::<bool>(), 60_000_u64..900_000, 1_u64..30).prop_map(|(told, pause, n)| {
        let gone = if told { Step::Act(Action::Standby { reason: StandbyReason::Toilet }) } else { Step::Nothing };
        let mut steps = vec![(10, gone), (pause, Step::Nothing)];
        steps.extend(held(percent(97), bpm(72), n, 1_003));
        steps
    });
    let other = stay().prop_map(|steps| steps.into_iter().take(4).collect::<Vec<_>>());
    prop_oneof![
        4 => hold,
        1 => long,
        1 => ramp,
        1 => dips,
        2 => silence,
        2 => lost,
        3 => measured,
        1 => oxygen,
        2 => way,
        1 => away,
        1 => wrong,
        2 => done,
        2 => said,
        1 => other,
    ]
    .boxed()
}

/// The same numbers again and again.
fn held(spo2: Measured<Spo2>, pulse: Measured<PulseRate>, times: u64, pause: u64) -> Vec<(u64, Step)> {
    (0..times).map(|_| (pause, Step::Oximetry(spo2, pulse))).collect()
}

/// A pressure of those that matter, so that the same comes again.
fn reading() -> impl Strategy<Value = BloodPressure> {
    let pressures = [(126, 78), (126, 78), (164, 96), (184, 104), (204, 110), (86, 60), (76, 50)];
    proptest::sample::select(pressures.as_slice().to_vec())
        .prop_filter_map("in order", |(systolic, diastolic)| BloodPressure::full(systolic, diastolic, None))
}

pub fn played(bed: &mut Bed, from: Time, steps: &[(u64, Step)]) -> (Vec<Output>, Time) {
    let (mut out, mut now) = (Vec::new(), from);
    for (pause, step) in steps {
        now = now + Span::millis(*pause);
        apply(bed, step, now, &mut out);
    }
    (out, now)
}

/// A failure belongs to the change that made it; `PROPTEST_RNG_SEED` gives other stays.
pub fn the_same_stays_each_time(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = if default.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { default.rng_seed };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_global_rejects: 10_000, ..default }
}
