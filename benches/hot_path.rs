//! What one frame costs, from its bytes to what the bed makes of it.
//!
//! Before anything is measured, 100,000 frames of each oximeter must pass without a single allocation;
//! the run fails if they do not. `docs/performance.md` holds the figures.
#![allow(clippy::expect_used, reason = "a bench fails as a test does")]

#[path = "../tests/steady/mod.rs"]
mod steady;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use hdrhistogram::Histogram;
use steady::{Frame, START, Tape, is_oximetry};
use vitalsd::recording::Row;
use vitalsd::replay::{Replay, Terms};
use vitalsd::simulator::device::Model;
use vitalsd::simulator::labelled::{Labelled, Set};
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::Script;
use vitalsd_core::driver::Driver;
use vitalsd_core::monitor::input::Input;
use vitalsd_core::monitor::output::Output;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate, Spo2};

/// After that the first of everything has been seen: the lock, a determination, a reading told.
const WARM_UP: Span = Span::secs(60);
/// 100,000 frames at 60 Hz, and the warm-up.
const LENGTH: Span = Span::mins(29);

fn main() {
    let beds: [&[Model]; 3] =
        [&[Model::NoninDf2, Model::Dinamap], &[Model::ContecV7, Model::Dinamap], &[Model::Dinamap]];
    let tapes = beds.map(|devices| Tape::of(devices, Script::quiet().dosed(Time::ZERO), LENGTH));
    tapes.iter().for_each(nothing_is_allocated);
    let [nonin, ..] = &tapes;
    let mut criterion = Criterion::default().configure_from_args();
    decode(&mut criterion, &tapes);
    decide(&mut criterion, nonin);
    whole_way(&mut criterion, &tapes);
    criterion.final_summary();
    // Otherwise it is only tried out.
    if std::env::args().any(|argument| argument == "--bench") {
        one_by_one(nonin);
        a_session();
    }
}

fn nothing_is_allocated(tape: &Tape) {
    let (tally, _) = tape.tally(WARM_UP);
    println!("{}: {} allocations in {} frames", tape.name(), tally.allocated, tally.frames);
    assert!(tally.frames > 0 && tally.allocated == 0, "{}: {tally:?}", tape.name());
}

/// Bytes to samples, one frame at a time.
fn decode(criterion: &mut Criterion, tapes: &[Tape]) {
    let mut group = criterion.benchmark_group("decode");
    for tape in tapes {
        group.bench_function(tape.name(), |bencher| {
            bencher.iter_custom(|frames| {
                timed(frames, || {
                    let mut driver = tape.driver(0);
                    let frames = tape.frames().iter().filter(|frame| frame.device == 0);
                    (frames, move |frame: &Frame| {
                        driver.decode(black_box(tape.bytes(frame)), frame.at, &mut |sample| {
                            black_box(sample);
                        });
                    })
                })
            });
        });
    }
}

/// Samples to outputs, with a session in its window and every row live.
fn decide(criterion: &mut Criterion, tape: &Tape) {
    let mut group = criterion.benchmark_group("decide");
    let samples = tape.samples(0);
    let oximetry: Vec<_> = samples.iter().copied().filter(|(_, input)| is_oximetry(input)).collect();
    // The rest starts from a bed that has seen a waveform, and ends before its values are stale.
    let (seen, next) = samples.split_at(samples.partition_point(|(at, _)| *at < START + WARM_UP));
    let mut warm = tape.bedside().bed().clone();
    seen.iter().for_each(|(at, input)| warm.input(input, *at, &mut |_| {}));
    let soon: Vec<_> = next.iter().copied().take_while(|(at, _)| *at < START + WARM_UP + Span::secs(2)).collect();
    let pleth: Vec<_> = soon.iter().copied().filter(|(_, input)| !is_oximetry(input)).collect();
    let ticks: Vec<_> = (0..2_000).map(|ms| (START + WARM_UP + Span::millis(ms), Input::Tick)).collect();
    let cold = tape.bedside().bed().clone();
    for (name, bed, inputs) in [("oximetry", &cold, &oximetry), ("pleth", &warm, &pleth), ("tick", &warm, &ticks)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|frames| {
                timed(frames, || {
                    let mut bed = bed.clone();
                    (inputs.iter(), move |(at, input): &(Time, Input)| bed.input(black_box(input), *at, &mut swallow))
                })
            });
        });
    }
}

/// Bytes to outputs, as the daemon does it: the other device is polled, and asked for the blood
/// pressure, in between.
fn whole_way(criterion: &mut Criterion, tapes: &[Tape]) {
    let mut group = criterion.benchmark_group("whole-way");
    for tape in tapes {
        group.bench_function(tape.name(), |bencher| {
            bencher.iter_custom(|frames| {
                timed(frames, || {
                    let (mut bedside, frames) = tape.warm(WARM_UP);
                    (frames.iter(), move |frame: &Frame| tape.step(&mut bedside, frame, &mut swallow))
                })
            });
        });
    }
}

/// The distribution of what criterion gives the mean of. The clock takes part in each figure, so its
/// own cost stands beside them.
fn one_by_one(tape: &Tape) {
    let samples = tape.samples(0);
    let mut bed = tape.bedside().bed().clone();
    let mut nothing = histogram();
    let mut decide = histogram();
    for (at, input) in &samples {
        record(&mut nothing, || {});
        if is_oximetry(input) {
            record(&mut decide, || bed.input(black_box(input), *at, &mut swallow));
        } else {
            bed.input(input, *at, &mut swallow);
        }
    }
    let (mut bedside, frames) = tape.warm(WARM_UP);
    let mut whole = histogram();
    for frame in frames {
        record(&mut whole, || tape.step(&mut bedside, frame, &mut swallow));
    }
    println!("one by one, ns            p50     p99   p99.9     max");
    for (name, spent) in
        [("the clock itself", nothing), ("decide one oximetry", decide), ("one nonin-df2 frame", whole)]
    {
        let at = |quantile| spent.value_at_quantile(quantile);
        println!("{name:<20} {:>8} {:>7} {:>7} {:>7}", at(0.5), at(0.99), at(0.999), spent.max());
    }
}

/// What it takes to replay a session of three hours: one row a second, and a pressure every ten minutes.
fn a_session() {
    let session = Labelled::new(Set::Session, 1);
    let scene = Scene::patient(session.script, session.seed);
    let rows: Vec<_> = (0..session.length.as_millis() / 1_000)
        .map(|second| {
            let at = Time::from_millis(second * 1_000);
            let (truth, reading) = (scene.truth(at), scene.reading(at));
            let pressure = truth.pressure.filter(|_| second % 600 == 0);
            let mmhg = |part: Option<Pressure>| part.map(Pressure::as_mmhg);
            Row {
                time_ms: at.as_millis(),
                spo2_tenths: reading.spo2.map(Spo2::as_tenths),
                pulse_bpm: reading.pulse.map(PulseRate::as_bpm),
                systolic_mmhg: mmhg(pressure.and_then(BloodPressure::systolic)),
                diastolic_mmhg: mmhg(pressure.and_then(BloodPressure::diastolic)),
                ..Row::default()
            }
        })
        .collect();
    let count = rows.len();
    let replay = Replay::new(rows, Terms::default()).expect("a recording");
    let mut spent = histogram();
    for _ in 0..20 {
        record(&mut spent, || {
            let story = replay.play().expect("plays");
            black_box(replay.summary(&story));
        });
    }
    let ms = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_secs_f64() * 1_000.0;
    println!(
        "a session of three hours, {count} rows, with its summary: median {:.1} ms, longest {:.1} ms",
        ms(spent.value_at_quantile(0.5)),
        ms(spent.max())
    );
}

/// Times `count` steps, from a fresh start each time the course is over. The start is not timed.
fn timed<I: Iterator, S: FnMut(I::Item)>(count: u64, fresh: impl Fn() -> (I, S)) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = usize::try_from(count).expect("counted in memory");
    while left > 0 {
        let (steps, mut step) = fresh();
        let mut done = 0;
        let start = Instant::now();
        for item in steps.take(left) {
            step(item);
            done += 1;
        }
        spent += start.elapsed();
        assert!(done > 0, "a course without steps");
        left -= done;
    }
    spent
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("sound bounds")
}

fn record(histogram: &mut Histogram<u64>, step: impl FnOnce()) {
    let start = Instant::now();
    step();
    histogram.saturating_record(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
}

fn swallow(output: Output) {
    black_box(&output);
}
