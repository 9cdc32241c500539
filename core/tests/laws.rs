//! Proves laws of the bed over random stays: a snapshot anywhere changes nothing, looking more often
//! changes nothing, the rate of the oximeter changes nothing, total loss is never silent.

mod stays;
mod support;

use proptest::prelude::*;
use stays::{About, Step, apply, bed, played, room, stay, steady_stay, the_same_stays_each_time};
use support::{bpm, devices, percent};
use vitalsd_core::monitor::input::{Action, Opening, Route};
use vitalsd_core::monitor::output::{Condition, EventKind, Group, Output, Phase, Presence, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Snapshot};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, Measured, PulseRate, Spo2};

/// A row whose limit no baseline, oxygen or person changes, as R7 prints it.
struct Row {
    condition: Condition,
    /// Violates the limit.
    violates: fn(u16) -> bool,
    /// Is beyond the hysteresis (R2.1).
    beyond: fn(u16) -> bool,
    /// d and clr, milliseconds.
    delay: u64,
    clears_after: u64,
}

const fn row(condition: Condition, violates: fn(u16) -> bool, beyond: fn(u16) -> bool, delay: u64) -> Row {
    Row { condition, violates, beyond, delay: delay * 1_000, clears_after: 15_000 }
}

/// Percent and beats a minute.
const ROWS: [Row; 5] = [
    row(Condition::Spo2Critical, |v| v < 80, |v| v >= 83, 2),
    row(Condition::Spo2VeryLow, |v| v < 85, |v| v >= 88, 5),
    row(Condition::PulseVeryHigh, |v| v > 150, |v| v <= 145, 10),
    row(Condition::PulseHigh, |v| v > 130, |v| v <= 125, 15),
    row(Condition::PulseVeryLow, |v| v <= 40, |v| v >= 44, 10),
];

/// What a device said in time, of the quantity of a row: whole percent or beats, `None` if there was no value;
/// and whether it was good.
fn said(steps: &[(u64, Step)], condition: Condition) -> Vec<(u64, Option<u16>, bool)> {
    let mut now = 0;
    let mut said = Vec::new();
    for (pause, step) in steps {
        now += pause;
        let Step::Oximetry(spo2, pulse) = step else { continue };
        said.push(if condition.group() == Group::Spo2 {
            (now, spo2.value().map(|spo2| Spo2::as_tenths(spo2) / 10), spo2.good().is_some())
        } else {
            (now, pulse.value().map(PulseRate::as_bpm), pulse.good().is_some())
        });
    }
    said
}

proptest! {
    #![proptest_config(the_same_stays_each_time(300))]

    #[test]
    fn r2_2_no_row_is_announced_without_a_violation_as_long_as_its_delay(steps in steady_stay()) {
        let (out, _) = played(&mut bed(), Time::ZERO, &steps);
        for Row { condition, violates, delay, .. } in &ROWS {
            let said = said(&steps, *condition);
            // A sample holds for three seconds (R1.2); a latched row comes back after five (R2.6).
            let violated = |from: u64, to: u64| -> u64 {
                let ends = said.iter().skip(1).map(|(at, ..)| *at).chain([u64::MAX]);
                let held = said.iter().zip(ends).filter(|((_, value, _), _)| value.is_some_and(violates));
                held.map(|((at, ..), end)| end.min(at + 3_000).min(to).saturating_sub((*at).max(from))).sum()
            };
            let mut before = 0;
            for output in &out {
                let Output::Event(event) = output else { continue };
                let (EventKind::Raised(alarm) | EventKind::Noted(alarm)) = &event.kind else { continue };
                if alarm.condition == *condition {
                    let at = event.at.as_millis();
                    let least = if alarm.episode == 1 { *delay } else { (*delay).min(5_000) };
                    prop_assert!(violated(before, at) >= least, "{condition} at {at} ms, since {before} ms");
                    before = at;
                }
            }
        }
    }

    #[test]
    fn r2_4_no_row_ends_by_itself_before_good_values_beyond_its_hysteresis_for_as_long_as_it_says(steps in steady_stay()) {
        // What a person does may end everything: left to the tests of that.
        let steps: Vec<_> = steps
            .into_iter()
            .map(|(pause, step)| match step {
                Step::Act(Action::Open(_) | Action::Dose { .. } | Action::Observe(_)) => (pause, step),
                Step::Act(_) => (pause, Step::Nothing),
                step => (pause, step),
            })
            .collect();
        let (out, _) = played(&mut bed(), Time::ZERO, &steps);
        let mut watched = false;
        for output in &out {
            let Output::Event(event) = output else { continue };
            watched |= matches!(event.kind, EventKind::Phase { .. });
            // An empty room lets go of what it held.
            let (EventKind::Latched(alarm) | EventKind::Cleared(alarm)) = &event.kind else { continue };
            let Some(row) = ROWS.iter().find(|row| row.condition == alarm.condition) else { continue };
            if !watched || matches!(event.kind, EventKind::Cleared(_)) && alarm.ended.is_some_and(|at| at < event.at) {
                continue;
            }
            let (to, said) = (event.at.as_millis(), said(&steps, row.condition));
            let from = to - row.clears_after;
            // What was held at its beginning, and everything said since.
            let first = said.iter().rposition(|(at, ..)| *at <= from).expect("something was held");
            let held: Vec<_> = said[first..].iter().take_while(|(at, ..)| *at < to).collect();
            let fresh = held.iter().zip(held.iter().skip(1)).all(|((at, ..), (next, ..))| next - at <= 3_000);
            let beyond = held.iter().all(|(_, value, good)| *good && value.is_some_and(row.beyond));
            prop_assert!(fresh && beyond, "{} ended at {} ms after {:?}", row.condition, to, held);
        }
    }

    #[test]
    fn r2_3_a_violation_in_an_open_session_is_raised_within_its_delay_and_one_sample_whatever_came_before(
        steps in stay(),
        which in 0..ROWS.len(),
    ) {
        // Under the cuff a row may wait (R6.4), and so it may on a stuck source (R1.7); what is off stays off (R4.4).
        let steps: Vec<_> = steps
            .into_iter()
            .filter(|(_, step)| !matches!(step, Step::Pleth(_) | Step::About(About::SwitchOff, _)))
            .filter_map(|(pause, step)| match step {
                Step::Act(Action::ProbeOnCuffArm) => None,
                Step::Act(Action::Open(opening)) => {
                    let opening = Opening { probe_hand: Opening::by(Route::Iv).probe_hand, ..opening };
                    Some((pause, Step::Act(Action::Open(opening))))
                }
                step => Some((pause, step)),
            })
            .collect();
        let mut bed = bed();
        let (mut out, mut now) = played(&mut bed, Time::ZERO, &steps);
        prop_assume!(bed.session().phase() != Phase::NoSession && bed.standby_until().is_none());
        let row = &ROWS[which];
        let violating = |step: u64| match row.condition {
            Condition::Spo2Critical => (79, 72),
            Condition::Spo2VeryLow => (84, 72),
            Condition::PulseVeryHigh => (97, 151 + u16::try_from(step % 9).expect("small")),
            Condition::PulseHigh => (97, 131 + u16::try_from(step % 9).expect("small")),
            _ => (97, 40),
        };
        let mut raised = false;
        // R1.5: motion in a violation doubles the delay of rows 3 and up, by 15 s at the most; there was some before.
        let moved = if row.delay > 5_000 { 15_000 } else { 0 };
        for step in 0..=(row.delay + moved) / 1_000 + 1 {
            now = now + Span::secs(1);
            let (spo2, pulse) = violating(step);
            apply(&mut bed, &Step::Oximetry(percent(spo2), bpm(pulse)), now, &mut out);
            raised |= bed.alarm(row.condition).is_some_and(|alarm| alarm.presence == Presence::On);
        }
        prop_assert!(raised, "{} after {} s", row.condition, row.delay / 1_000);
    }

    #[test]
    fn a_snapshot_taken_anywhere_and_restored_changes_nothing(steps in stay(), cut in 0_usize..300) {
        let cut = cut.min(steps.len());
        let (before, after) = steps.split_at(cut);
        let mut whole = bed();
        let (_, now) = played(&mut whole, Time::ZERO, before);
        let saved = serde_json::to_string(whole.snapshot()).expect("a snapshot is plain data");
        let snapshot: Snapshot = serde_json::from_str(&saved).expect("and reads back");
        let mut restored = Bed::restore(snapshot, Preset::kat_default_1(), room());
        prop_assert_eq!(played(&mut whole, now, after).0, played(&mut restored, now, after).0);
        prop_assert_eq!(whole.snapshot(), restored.snapshot());
    }

    #[test]
    fn looking_more_often_changes_nothing(steps in stay(), looks in proptest::collection::vec(1_u64..5_000, 1..300)) {
        let mut seldom = bed();
        let (expected, _) = played(&mut seldom, Time::ZERO, &steps);
        let mut often = bed();
        let (mut out, mut now) = (Vec::new(), Time::ZERO);
        for ((pause, step), look) in steps.iter().zip(looks.iter().cycle()) {
            let next = now + Span::millis(*pause);
            while now + Span::millis(*look) < next {
                now = now + Span::millis(*look);
                apply(&mut often, &Step::Nothing, now, &mut out);
            }
            now = next;
            apply(&mut often, step, now, &mut out);
        }
        let differs = out.iter().zip(&expected).position(|(often, seldom)| often != seldom);
        if let Some(at) = differs {
            prop_assert_eq!(&out[at], &expected[at], "output {}", at);
        }
        prop_assert_eq!(out.len(), expected.len());
    }

    #[test]
    fn every_deadline_lies_in_the_future(steps in stay()) {
        let mut bed = bed();
        let (mut out, mut now) = (Vec::new(), Time::ZERO);
        for (pause, step) in &steps {
            now = now + Span::millis(*pause);
            apply(&mut bed, step, now, &mut out);
            prop_assert!(bed.deadline().is_none_or(|at| at > now), "{:?} at {:?}", bed.deadline(), now);
        }
    }

    #[test]
    fn every_alarm_state_is_told_before_its_event_and_ends_with_off(steps in stay()) {
        let mut bed = bed();
        let (out, _) = played(&mut bed, Time::ZERO, &steps);
        let mut told: Vec<(Condition, Presence, u32)> = Vec::new();
        for output in &out {
            match output {
                Output::Alarm(alarm) => {
                    told.retain(|(condition, ..)| *condition != alarm.condition);
                    told.push((alarm.condition, alarm.presence, alarm.episode));
                }
                Output::Event(event) => {
                    if let EventKind::Raised(alarm) | EventKind::Noted(alarm) | EventKind::Cleared(alarm) = &event.kind {
                        prop_assert!(told.contains(&(alarm.condition, alarm.presence, alarm.episode)));
                    }
                }
                _ => {}
            }
        }
        let mut present: Vec<_> = bed.alarms().map(|a| (a.condition, a.presence, a.episode)).collect();
        told.retain(|(_, presence, _)| *presence != Presence::Off);
        told.sort_unstable_by_key(|(condition, ..)| *condition);
        present.sort_unstable_by_key(|(condition, ..)| *condition);
        prop_assert_eq!(told, present, "who saw every slot knows the board");
    }

    #[test]
    fn r6_total_loss_in_onset_or_window_is_heard_as_high_whatever_came_before(steps in stay()) {
        let mut bed = bed();
        let (mut out, mut now) = played(&mut bed, Time::ZERO, &steps);
        prop_assume!(matches!(bed.session().phase(), Phase::Onset | Phase::Window) && bed.standby_until().is_none());
        // Stale after 3 s and HIGH 60 s later; who had accepted it may take the three minutes of R4.2, after a
        // pause of two.
        let mut heard = false;
        for _ in 0..330 {
            now = now + Span::secs(1);
            apply(&mut bed, &Step::Nothing, now, &mut out);
            heard |= bed.alarms().any(|alarm| {
                let of_the_signal = [Condition::Spo2Unavailable, Condition::AllLost, Condition::NoPulse];
                alarm.sounds && alarm.priority == Priority::High && of_the_signal.contains(&alarm.condition)
            });
        }
        prop_assert!(heard, "{:?}", bed.alarms().collect::<Vec<_>>());
    }

    #[test]
    fn a_saturation_of_79_in_an_open_session_is_heard_whatever_came_before(steps in stay()) {
        let mut bed = bed();
        let (mut out, mut now) = played(&mut bed, Time::ZERO, &steps);
        prop_assume!(bed.session().phase() != Phase::NoSession);
        let mut heard = false;
        for _ in 0..330 {
            now = now + Span::secs(1);
            apply(&mut bed, &Step::Oximetry(percent(79), bpm(72)), now, &mut out);
            heard |= bed.alarms().any(|alarm| alarm.sounds && alarm.condition.group() == Group::Spo2);
        }
        prop_assert!(heard, "{:?}", bed.alarms().collect::<Vec<_>>());
    }

    #[test]
    fn r1_3_the_rate_of_the_oximeter_changes_nothing(values in proptest::collection::vec(proptest::option::weighted(0.9, 78_u16..99), 10..200)) {
        let story = |hz: u64| {
            let mut bed = Bed::new(Preset::kat_default_1(), devices(Span::millis(1_000 / hz), false), Time::ZERO);
            let mut out = Vec::new();
            let open = Action::Open(Opening::by(Route::Iv));
            for action in [open, Action::Dose { ago: Span::ZERO }] {
                apply(&mut bed, &Step::Act(action), Time::ZERO, &mut out);
            }
            for n in 0..values.len() as u64 * hz {
                let value = values[usize::try_from(n / hz).expect("small")];
                let spo2 = value.map_or(Measured::Absent(Absent::Searching), percent);
                let pulse = value.map_or(Measured::Absent(Absent::Searching), |_| bpm(72));
                apply(&mut bed, &Step::Oximetry(spo2, pulse), Time::from_millis(n * 1_000 / hz), &mut out);
            }
            apply(&mut bed, &Step::Nothing, Time::from_millis(values.len() as u64 * 1_000), &mut out);
            out.iter().filter_map(|output| match output {
                Output::Event(event) => support::did(event).map(|(condition, did)| (condition, did, event.at)),
                _ => None,
            }).collect::<Vec<_>>()
        };
        let slow = story(1);
        for hz in [3, 60] {
            let fast = story(hz);
            let what = |story: &[(Condition, support::Did, Time)]| {
                let mut what: Vec<_> = story.iter().map(|(c, d, _)| format!("{c} {d:?}")).collect();
                what.sort();
                what
            };
            prop_assert_eq!(what(&slow), what(&fast), "{} Hz", hz);
            // And each within one sample of the slower.
            let when = |story: &[(Condition, support::Did, Time)]| {
                let mut when: Vec<_> = story.iter().map(|(c, d, at)| (format!("{c} {d:?}"), at.as_millis())).collect();
                when.sort();
                when
            };
            for ((what, slow), (_, fast)) in when(&slow).into_iter().zip(when(&fast)) {
                prop_assert!(slow.abs_diff(fast) <= 1_000, "{} at {} and {} ms", what, slow, fast);
            }
        }
    }
}
