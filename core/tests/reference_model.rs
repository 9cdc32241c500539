//! Proves that the engine tells the same story as a slow reference that was written apart from it.

mod reference;

use std::time::Instant as Clock;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use reference::disputed::Disputed;
use reference::facts::{Fact, Line};
use reference::seam::{Stay, Step};
use vitalsd_core::monitor::input::{Link, LossReason, Route};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured, PulseRate, Spo2};

/// How many stays are compared, unless `VITALSD_MODEL_CASES` says otherwise.
const CASES: u32 = 10_000;

fn spo2() -> impl Strategy<Value = Measured<Spo2>> {
    let value = prop_oneof![4 => 95_u16..=99, 3 => 84_u16..=94, 1 => 60_u16..=83];
    doubtful(value.prop_map(|value| Measured::in_range(Spo2::percent(value))))
}

fn pulse() -> impl Strategy<Value = Measured<PulseRate>> {
    doubtful((35_u16..160).prop_map(|value| Measured::in_range(PulseRate::bpm(value))))
}

fn doubtful<T: Copy + std::fmt::Debug>(
    value: impl Strategy<Value = Measured<T>> + Clone,
) -> impl Strategy<Value = Measured<T>> {
    let doubt = prop_oneof![Just(Doubt::Motion), Just(Doubt::LowPerfusion)];
    let absent = prop_oneof![
        Just(Absent::SensorOff),
        Just(Absent::Searching),
        Just(Absent::NoPulse),
        Just(Absent::InadequateSignal),
        Just(Absent::OutOfRange)
    ];
    prop_oneof![
        8 => value.clone(),
        1 => (value, doubt).prop_map(|(value, doubt)| value.doubted(doubt)),
        1 => absent.prop_map(Measured::Absent),
    ]
}

fn pressure() -> impl Strategy<Value = BloodPressure> {
    prop_oneof![
        8 => (60_u16..210, 10_u16..60).prop_filter_map("in order", |(systolic, less)| {
            BloodPressure::full(systolic, systolic.checked_sub(less)?, None)
        }),
        1 => (40_u16..150).prop_filter_map("in range", BloodPressure::mean_only),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let route = prop_oneof![Just(Route::Iv), Just(Route::Im), Just(Route::Intranasal), Just(Route::Oral)];
    let infusion = proptest::option::of((1_u64..90).prop_map(Span::mins));
    let lost = prop_oneof![Just(LossReason::Unplugged), Just(LossReason::Silent), Just(LossReason::Busy)];
    let link = prop_oneof![2 => Just(Link::Up), 1 => Just(Link::Opened), 1 => lost.prop_map(Link::Lost)];
    let failed = Just(Err(CuffFailure::PumpTimeout));
    prop_oneof![
        4 => (pressure(), prop_oneof![4 => Just(0_u64), 1 => 1_u64..600]).prop_map(|(p, ago)| Step::Cuff(Ok(p), ago)),
        1 => failed.prop_map(|failed| Step::Cuff(failed, 0)),
        1 => (pressure(), 0_u64..20).prop_map(|(pressure, ago)| Step::ByHand(pressure, Span::mins(ago))),
        1 => Just(Step::Inflating),
        3 => (any::<bool>(), link).prop_map(|(oximeter, link)| Step::Link(oximeter, link)),
        1 => any::<bool>().prop_map(Step::Broker),
        2 => (route, infusion, any::<bool>()).prop_map(|(route, infusion, old)| Step::Open(route, infusion, old)),
        2 => (0_u64..100).prop_map(|ago| Step::Dose(Span::mins(ago))),
        1 => Just(Step::Close),
        3 => any::<usize>().prop_map(Step::Acknowledge),
        2 => any::<usize>().prop_map(Step::Seen),
        2 => Just(Step::Nothing),
    ]
}

/// Milliseconds, from a few to minutes, most of them about a second.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 900_u64..1_100, 4 => 1_u64..400, 2 => 1_000_u64..30_000, 1 => 30_000_u64..300_000]
}

/// Up to 300 steps: values that wander freely, and values that stay for a while as a patient's do.
fn stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
    // The engine looks for sudden falls in steps of 70 ms; the reference looks exactly (R1.4).
    let wander =
        (pause(), spo2(), pulse()).prop_map(|(pause, s, p)| vec![(pause.max(70), Step::Oximetry(s, p))]);
    let stay = (spo2(), pulse(), proptest::collection::vec(70_u64..1_500, 1..40))
        .prop_map(|(s, p, pauses)| pauses.into_iter().map(|pause| (pause, Step::Oximetry(s, p))).collect::<Vec<_>>());
    let other = (pause(), step()).prop_map(|step| vec![step]);
    let pieces = prop_oneof![4 => wander, 1 => stay, 4 => other];
    proptest::collection::vec(pieces, 1..100).prop_map(|pieces| pieces.into_iter().flatten().take(300).collect())
}

/// The stories of engine and reference.
fn stories(cadence: Span, steps: &[(u64, Step)], disputed: Disputed) -> (Vec<Line>, Vec<Line>) {
    let mut stay = Stay::new(cadence);
    for (pause, step) in steps {
        stay.play(*pause, step);
    }
    stay.play(200_000, &Step::Nothing);
    let preset = Preset::kat_default_1();
    let reference = reference::story(&stay.facts, cadence.as_millis(), &preset, stay.now(), disputed);
    let engine = stay.story();
    if engine != reference && disputed.late_looks {
        let stale = 3_000.max(cadence.as_millis() * 5 / 2);
        let forgets = |fact: &Fact| [3_000, 30_000, stale + 30_000].map(|after| fact.ms + after);
        let looks = reference.iter().map(|line| line.ms).chain(stay.facts.iter().flat_map(forgets));
        return (stay.looked_at(looks).story(), reference);
    }
    (engine, reference)
}

/// The first line that one of the two has and the other has not, and what came before it.
fn difference(engine: &[Line], reference: &[Line]) -> Option<String> {
    if engine == reference {
        return None;
    }
    let same = engine.iter().zip(reference).take_while(|(a, b)| a == b).count();
    let lines = |lines: &[Line]| lines.iter().map(|line| format!("\n  {line:?}")).collect::<String>();
    let next = |lines: &'_ [Line]| lines.get(same..lines.len().min(same + 3)).map(<[Line]>::to_vec).unwrap_or_default();
    Some(format!(
        "after {}\nthe engine says {}\nthe reference {}",
        lines(&engine[same.saturating_sub(6)..same]),
        lines(&next(engine)),
        lines(&next(reference)),
    ))
}

/// Steps with what is repeated told once, and how often.
fn brief(steps: &[(u64, Step)]) -> String {
    let mut now = 0;
    let mut lines: Vec<(u64, String, u32)> = Vec::new();
    for (pause, step) in steps {
        now += pause;
        let step = format!("{step:?}");
        match lines.last_mut() {
            Some((_, last, count)) if *last == step => *count += 1,
            _ => lines.push((now, step, 1)),
        }
    }
    lines.push((now, "end".into(), 1));
    lines.iter().map(|(at, step, count)| format!("\n  {at} {step} x {count}")).collect()
}

#[test]
fn the_engine_tells_the_same_story_as_the_reference() {
    let cases = std::env::var("VITALSD_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let cadence = prop_oneof![Just(17_u64), Just(333), Just(1_000), Just(2_000)].prop_map(Span::millis);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let begun = Clock::now();
    let mut runner = TestRunner::new(config);
    let result = runner.run(&(cadence, stay()), |(cadence, steps)| {
        let (engine, reference) = stories(cadence, &steps, Disputed::AS_THE_ENGINE);
        match difference(&engine, &reference) {
            None => Ok(()),
            Some(difference) => Err(TestCaseError::fail(difference)),
        }
    });
    println!("{cases} stays in {:.1} s", begun.elapsed().as_secs_f64());
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, (cadence, steps))) => {
            panic!("{why}\nat a cadence of {} ms:{}", cadence.as_millis(), brief(&steps));
        }
        Err(error) => panic!("{error}"),
    }
}
