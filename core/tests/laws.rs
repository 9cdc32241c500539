//! Proves laws of the bed over random stays: a snapshot anywhere changes nothing, looking more often
//! changes nothing, the rate of the oximeter changes nothing, total loss is never silent.

mod support;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::{CUFF, OXIMETER, bpm, devices, percent};
use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{
    Action, BoxFault, CloseReason, Command, Input, Link, LossReason, Named, OffReason, Opening, Route, Side,
    StandbyReason,
};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::{Condition, EventKind, Group, Output, Phase, Presence, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device, Snapshot};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Notice, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured, PulseRate, Spo2};

/// One thing that happens in a stay, and how long after the one before.
#[derive(Clone, Debug)]
enum Step {
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
enum About {
    Acknowledge,
    Withdraw,
    Decline,
    Seen,
    SwitchOff,
    SwitchOn,
}

fn room() -> Vec<Device> {
    let starts = |device: Device| Device { starts_cuff: device.primary.contains(&Quantity::BloodPressure), ..device };
    devices(Span::secs(1), true).into_iter().map(starts).collect()
}

fn bed() -> Bed {
    Bed::new(Preset::kat_default_1(), room(), Time::ZERO)
}

fn apply(bed: &mut Bed, step: &Step, now: Time, out: &mut Vec<Output>) {
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

fn spo2() -> impl Strategy<Value = Measured<Spo2>> {
    let value = prop_oneof![4 => 95_u16..=99, 3 => 84_u16..=94, 1 => 60_u16..=83].prop_map(percent);
    let doubt = prop_oneof![Just(Doubt::Motion), Just(Doubt::LowPerfusion)];
    prop_oneof![
        8 => value.clone(),
        1 => (value, doubt).prop_map(|(value, doubt)| value.doubted(doubt)),
        2 => absent().prop_map(Measured::Absent),
    ]
}

fn pulse() -> impl Strategy<Value = Measured<PulseRate>> {
    prop_oneof![8 => (35_u16..160).prop_map(bpm), 2 => absent().prop_map(Measured::Absent)]
}

fn absent() -> impl Strategy<Value = Absent> {
    prop_oneof![
        Just(Absent::SensorOff),
        Just(Absent::Searching),
        Just(Absent::NoPulse),
        Just(Absent::InadequateSignal),
        Just(Absent::OutOfRange)
    ]
}

fn pressure() -> impl Strategy<Value = Result<BloodPressure, CuffFailure>> {
    prop_oneof![
        6 => (60_u16..210, 10_u16..60).prop_filter_map("in order", |(systolic, less)| {
            BloodPressure::full(systolic, systolic.checked_sub(less)?, None).map(Ok)
        }),
        1 => Just(Err(CuffFailure::PumpTimeout)),
    ]
}

fn opening() -> impl Strategy<Value = Opening> {
    let route = prop_oneof![Just(Route::Iv), Just(Route::Im), Just(Route::Intranasal), Just(Route::Oral)];
    let infusion = proptest::option::of((20_u64..60).prop_map(Span::mins));
    (route, infusion, any::<[bool; 5]>()).prop_map(
        |(route, infusion, [over_65, oxygen, sedative, hypercapnia, same])| {
            let probe_hand = if same { Side::Left } else { Side::Right };
            Opening { infusion, over_65, oxygen, sedative, hypercapnia, probe_hand, ..Opening::by(route) }
        },
    )
}

fn observation() -> impl Strategy<Value = Observation> {
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

fn action() -> impl Strategy<Value = Action> {
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

fn about() -> impl Strategy<Value = About> {
    prop_oneof![
        4 => Just(About::Acknowledge),
        1 => Just(About::Withdraw),
        1 => Just(About::Decline),
        4 => Just(About::Seen),
        1 => Just(About::SwitchOff),
        1 => Just(About::SwitchOn),
    ]
}

fn fault() -> impl Strategy<Value = BoxFault> {
    proptest::sample::select(BoxFault::ALL.as_slice())
}

fn link() -> impl Strategy<Value = Link> {
    let lost = prop_oneof![Just(LossReason::Unplugged), Just(LossReason::Silent), Just(LossReason::Busy)];
    prop_oneof![2 => Just(Link::Up), 1 => Just(Link::Opened), 1 => lost.prop_map(Link::Lost)]
}

/// Up to 300 steps with pauses from a millisecond to minutes, most of them about a second.
fn stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
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
fn steady_stay() -> impl Strategy<Value = Vec<(u64, Step)>> {
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

fn played(bed: &mut Bed, from: Time, steps: &[(u64, Step)]) -> (Vec<Output>, Time) {
    let (mut out, mut now) = (Vec::new(), from);
    for (pause, step) in steps {
        now = now + Span::millis(*pause);
        apply(bed, step, now, &mut out);
    }
    (out, now)
}

/// A failure belongs to the change that made it; `PROPTEST_RNG_SEED` gives other stays.
fn the_same_stays_each_time() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = if default.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { default.rng_seed };
    ProptestConfig { cases: 300, rng_seed, failure_persistence: None, max_global_rejects: 10_000, ..default }
}

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
    #![proptest_config(the_same_stays_each_time())]

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
