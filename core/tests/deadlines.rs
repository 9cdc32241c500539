//! Proves that a bed names every moment at which something happens by the passing of time alone, and no others: the
//! box sleeps until then, so that what is not named is told late, and what is named in vain keeps it awake.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod stays;
mod support;

use proptest::prelude::*;
use stays::{Step, apply, bed, eventful_stay, played, room, the_same_stays_each_time};
use std::collections::BTreeSet;
use vitalsd_core::monitor::output::Output;
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::time::{Span, Time};

/// A bed that has only a cuff: no values of an oximeter wake it each second.
fn bed_with_a_cuff_only() -> Bed {
    let mut devices: Vec<Device> = room();
    devices[0].primary.clear();
    Bed::new(Preset::kat_default_1(), devices, Time::ZERO)
}

/// The moments at which something was decided.
fn decided(out: &[Output]) -> BTreeSet<u64> {
    out.iter()
        .filter_map(|output| match output {
            Output::Event(event) => Some(event.at.as_millis()),
            Output::Alarm(alarm) => Some(alarm.at.as_millis()),
            _ => None,
        })
        .collect()
}

/// Plays the stay to two beds, of which one is looked at a millisecond before each moment at which the other decided
/// something: had it been due by then, that one would decide it sooner.
fn is_never_late(bed: fn() -> Bed, steps: &[(u64, Step)]) -> Result<(), TestCaseError> {
    let (expected, _) = played(&mut bed(), Time::ZERO, steps);
    let looks: BTreeSet<u64> = decided(&expected).into_iter().filter_map(|at| at.checked_sub(1)).collect();
    let (mut bed, mut out, mut now) = (bed(), Vec::new(), 0);
    for (pause, step) in steps {
        for look in looks.range(now + 1..now + pause) {
            apply(&mut bed, &Step::Nothing, Time::from_millis(*look), &mut out);
        }
        now += pause;
        apply(&mut bed, step, Time::from_millis(now), &mut out);
    }
    let differs = out.iter().zip(&expected).position(|(looked, slept)| looked != slept);
    if let Some(at) = differs {
        prop_assert_eq!(&out[at], &expected[at], "output {}", at);
    }
    prop_assert_eq!(out.len(), expected.len());
    Ok(())
}

/// The most often that the bed asks to be woken within one second of the stay.
fn wakes_in_a_second(mut bed: Bed, steps: &[(u64, Step)]) -> u32 {
    let (mut out, mut now, mut most) = (Vec::new(), Time::ZERO, 0);
    let (mut second, mut wakes) = (0, 0);
    for (pause, step) in steps {
        now = now + Span::millis(*pause);
        while let Some(at) = bed.deadline().filter(|at| *at < now && most < 100) {
            apply(&mut bed, &Step::Nothing, at, &mut out);
            let this = at.as_millis() / 1_000;
            wakes = if this == second { wakes + 1 } else { 1 };
            (second, most) = (this, most.max(wakes));
        }
        if most >= 100 {
            break; // it would never end
        }
        apply(&mut bed, step, now, &mut out);
    }
    most
}

proptest! {
    #![proptest_config(the_same_stays_each_time(200))]

    #[test]
    fn r1_3_nothing_is_told_later_than_it_was_due(steps in eventful_stay()) {
        is_never_late(bed, &steps)?;
    }

    #[test]
    fn r1_3_nothing_is_told_later_than_it_was_due_on_a_bed_with_a_cuff_only(steps in eventful_stay()) {
        is_never_late(bed_with_a_cuff_only, &steps)?;
    }

    #[test]
    fn a_bed_asks_to_be_woken_a_few_times_a_second_at_the_most(steps in eventful_stay()) {
        // The values, the trends and the bins of the signal once each; and whatever is due in this second.
        let wakes = wakes_in_a_second(bed(), &steps);
        prop_assert!(wakes <= 12, "{} times in a second", wakes);
    }
}
