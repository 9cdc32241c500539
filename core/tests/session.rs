//! Proves that a session goes as R5 says, and that what persons say of it changes the rules as it says.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::baseline::Baseline;
use vitalsd_core::monitor::input::{
    Action, BoxFault, CloseReason, CommandRefusal, Input, Link, Opening, Route, Side, StandbyReason,
};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::{Condition as C, EventKind, Limit, Output, Phase, Presence, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::readiness::{Item, Missing};
use vitalsd_core::sample::{CuffState, Sample};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, Measured, Spo2};

use Priority::{High, Low, Medium};

/// An oximeter and a cuff, both connected, nobody in the room.
fn cuffed() -> Room {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room
}

/// A session before its dose, with three readings of 126/78 and good values, five minutes old.
fn before_dose(opening: Opening) -> Room {
    let mut room = cuffed();
    room.command(Action::Open(opening)).expect("opens");
    for _ in 0..3 {
        room.pressure(126, 78);
        room.steady(100);
    }
    room
}

fn iv() -> Opening {
    Opening::by(Route::Iv)
}

fn infused() -> Opening {
    Opening { infusion: Some(Span::mins(40)), ..iv() }
}

fn observe(room: &mut Room, observation: Observation) {
    room.command(Action::Observe(observation)).expect("observed");
}

#[test]
fn r5_4_a_forgotten_dose_press_is_asked_about_a_quarter_of_an_hour_after_the_third_reading() {
    let mut room = before_dose(iv());
    room.out.clear();
    // The third reading was at 200 s.
    room.minutes(20);
    assert_eq!(room.story_of(C::DoseForgotten).first(), Some(&(200 + 900, Did::Raised(Medium))));
}

#[test]
fn r5_4_without_three_readings_it_is_asked_after_twenty_minutes_and_only_of_somebody_with_a_pulse() {
    let mut room = Room::empty();
    room.open(Route::Iv);
    room.minutes(21);
    assert_eq!(room.story_of(C::DoseForgotten).first(), Some(&(1_200, Did::Raised(Medium))));
    let mut room = Room::empty();
    room.open(Route::Iv);
    room.absent(Absent::SensorOff, 25 * 60);
    assert_eq!(room.story_of(C::DoseForgotten), []);
    room.steady(1);
    room.tick();
    assert_eq!(room.story_of(C::DoseForgotten), [(1_500, Did::Raised(Medium))]);
}

#[test]
fn r5_4_not_yet_asks_again_in_ten_minutes_and_a_dose_answers() {
    let mut room = Room::empty();
    room.open(Route::Iv);
    assert_eq!(room.command(Action::NotYet), Err(CommandRefusal::NotAsked));
    room.minutes(21);
    room.command(Action::NotYet).expect("asked");
    let snoozed = room.sec();
    assert!(!room.is_on(C::DoseForgotten));
    room.out.clear();
    room.minutes(11);
    assert_eq!(room.story_of(C::DoseForgotten), [(snoozed + 600, Did::Raised(Medium))]);
    room.dose(Span::mins(12));
    assert!(!room.is_on(C::DoseForgotten));
}

#[test]
fn r5_4_unanswered_for_five_minutes_the_window_is_assumed_for_the_signal_and_the_cuff() {
    let mut room = before_dose(iv());
    while !room.is_on(C::DoseForgotten) {
        room.steady(1);
    }
    room.steady(299);
    assert_eq!(room.bed.session().watched_as(), Phase::Baseline);
    room.steady(2);
    assert_eq!((room.bed.session().phase(), room.bed.session().watched_as()), (Phase::Baseline, Phase::Window));
    room.out.clear();
    let off = room.sec();
    room.absent(Absent::SensorOff, 65);
    let story = room.story_of(C::Spo2Unavailable);
    assert_eq!(story[..2], [(off + 10, Did::Raised(Medium)), (off + 60, Did::Worsened(High))]);
    room.command(Action::NotYet).expect("answered");
    assert_eq!(room.bed.session().watched_as(), Phase::Baseline);
}

#[test]
fn r5_3_a_dose_that_is_taken_back_within_a_minute_leaves_the_baseline_as_it_was() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    assert_eq!(room.bed.session().phase(), Phase::Onset);
    room.steady(30);
    room.command(Action::UndoDose).expect("taken back");
    assert_eq!(room.bed.session().phase(), Phase::Baseline);
    room.dose(Span::ZERO);
    assert_eq!(room.bed.baseline().and_then(Baseline::spo2), Spo2::percent(97));
    room.steady(61);
    assert!(matches!(room.command(Action::UndoDose), Err(CommandRefusal::TooLongAgo { .. })));
}

#[test]
fn r5_9_the_baseline_of_a_back_dated_dose_knows_nothing_of_what_came_after_it() {
    let mut room = before_dose(iv());
    // Given at 300 s; from then on the saturation is lower.
    for _ in 0..600 {
        room.spo2(93);
    }
    room.dose(Span::mins(10));
    assert_eq!(room.bed.baseline().and_then(Baseline::spo2), Spo2::percent(97));
}

#[test]
fn r5_9_with_too_few_good_values_the_relative_rows_are_off_and_shown_as_off() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.steady(100);
    room.dose(Span::ZERO);
    room.tick();
    assert_eq!(room.bed.rows_off(), [C::Spo2BelowBaseline, C::PressureRise, C::MeanRise]);
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.tick();
    assert_eq!(room.bed.rows_off(), []);
}

#[test]
fn r5_3_the_end_of_an_infusion_is_asked_for_when_it_is_planned_and_pauses_move_it() {
    let mut room = before_dose(infused());
    room.dose(Span::ZERO);
    let dose = room.sec();
    room.minutes(10);
    room.command(Action::InfusionPause).expect("paused");
    assert_eq!(room.command(Action::InfusionPause), Err(CommandRefusal::NoInfusion));
    room.minutes(5);
    room.command(Action::InfusionResume).expect("resumed");
    room.out.clear();
    room.minutes(40);
    assert_eq!(room.story_of(C::InfusionEnded), [(dose + 45 * 60, Did::Raised(Low))]);
    assert_eq!(room.bed.session().phase(), Phase::Window);
    room.minutes(60);
    assert_eq!(room.bed.session().phase(), Phase::Window, "nobody has said that it ended");
    room.command(Action::InfusionEnd { ago: Span::mins(30) }).expect("ended");
    room.tick();
    assert!(!room.is_on(C::InfusionEnded));
    assert_eq!(room.bed.session().phase(), Phase::Recovery, "20 min after its end");
}

#[test]
fn r5_5_no_change_of_phase_by_the_clock_loosens_what_is_in_alarm() {
    let mut preset = Preset::kat_default_1();
    for row in preset.oximetry.iter_mut().filter(|row| row.condition == C::Spo2Reduced) {
        row.priority.recovery = Some(Low);
    }
    let mut room = Room::empty();
    room.pass(Span::mins(60));
    room.bed = Bed::new(preset, devices(Span::secs(1), false), room.now);
    room.link(OXIMETER, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::mins(59));
    for _ in 0..90 {
        room.spo2(90);
    }
    assert_eq!(room.bed.session().phase(), Phase::Recovery);
    assert_eq!(room.alarm(C::Spo2Reduced).priority, Medium);
}

#[test]
fn r5_6_toilet_in_recovery_is_no_alarm() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.minutes_with_rounds(70);
    room.pressure(126, 78);
    room.command(Action::Standby { reason: StandbyReason::Toilet }).expect("stands by");
    let until = room.now + Span::mins(10);
    assert_eq!(room.bed.standby_until(), Some(until));
    room.out.clear();
    room.absent(Absent::SensorOff, 8 * 60);
    room.steady(60);
    assert_eq!(room.story(), []);
    assert_eq!(room.bed.standby_until(), None, "the values are back, and so is the patient");
    let off = room.sec();
    room.absent(Absent::SensorOff, 40);
    assert_eq!(room.story_of(C::Spo2Unavailable), [(off + 30, Did::Raised(Medium))], "watched as before");
}

#[test]
fn r5_6_a_standby_that_runs_out_is_told_and_the_watch_goes_on() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.minutes_with_rounds(70);
    room.pressure(126, 78);
    room.command(Action::Standby { reason: StandbyReason::Moving }).expect("stands by");
    let over = room.sec() + 600;
    room.out.clear();
    room.absent(Absent::SensorOff, 640);
    let story = room.story();
    assert_eq!(story[0], (over, C::StandbyOver, Did::Raised(Medium)));
    assert_eq!(story[1], (over + 30, C::Spo2Unavailable, Did::Raised(Medium)));
    room.command(Action::EndStandby).expect("back");
    assert!(!room.is_on(C::StandbyOver));
    assert_eq!(room.command(Action::EndStandby), Err(CommandRefusal::Standby));
}

#[test]
fn r5_6_values_that_are_back_after_more_than_ten_minutes_may_be_of_somebody_else() {
    for (minutes, asked) in [(9, false), (11, true)] {
        let mut room = before_dose(iv());
        room.dose(Span::ZERO);
        room.minutes_with_rounds(70);
        room.absent(Absent::SensorOff, minutes * 60);
        room.steady(12);
        assert_eq!(room.is_on(C::SamePatient), asked, "{minutes} min");
        if asked {
            room.acknowledge(C::SamePatient).expect("it is");
            room.tick();
            assert!(!room.is_on(C::SamePatient));
        }
    }
}

#[test]
fn r5_7_a_session_without_values_in_recovery_asks_to_be_closed() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.minutes_with_rounds(70);
    room.pressure(126, 78);
    let lost = room.sec();
    room.out.clear();
    room.absent(Absent::SensorOff, 16 * 60);
    assert_eq!(room.story_of(C::CloseSession), [(lost + 900, Did::Raised(Low))]);
}

#[test]
fn r5_7_to_close_with_failing_items_needs_a_reason_and_every_latch_seen() {
    let mut room = before_dose(iv());
    assert_eq!(room.command(Action::Close { reason: None }), Err(CommandRefusal::NotDosed));
    room.dose(Span::ZERO);
    for _ in 0..20 {
        room.spo2(86);
    }
    room.minutes_with_rounds(80);
    let closed = |room: &mut Room, reason| room.command(Action::Close { reason });
    assert_eq!(closed(&mut room, Some(CloseReason::Transferred)), Err(CommandRefusal::NotSeen { latched: 1 }));
    room.command(Action::Seen { condition: C::Spo2Low, episode: 1 }).expect("seen");
    assert!(matches!(closed(&mut room, None), Err(CommandRefusal::ReasonNeeded { .. })));
    assert_eq!(closed(&mut room, Some(CloseReason::Transferred)), Ok(()));
    assert_eq!(room.bed.session().phase(), Phase::NoSession);
}

#[test]
fn r9_with_all_items_met_no_reason_is_needed_and_a_clinician_decides() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    for _ in 0..7 {
        room.minutes_with_rounds(15);
        room.pressure(132, 82);
    }
    room.minutes_with_rounds(14);
    assert!(!room.bed.readiness().expect("dosed").vitals_ready, "119 min");
    room.pressure(130, 80);
    room.minutes_with_rounds(2);
    let readiness = room.bed.readiness().expect("dosed");
    assert!(readiness.vitals_ready, "{readiness:?}");
    assert_eq!(room.command(Action::Close { reason: None }), Ok(()));
}

#[test]
fn r5_3_cancel_exists_only_before_the_dose() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    assert_eq!(room.command(Action::Cancel), Err(CommandRefusal::WrongPhase { phase: Phase::Onset }));
    let mut room = before_dose(iv());
    assert_eq!(room.command(Action::Cancel), Ok(()));
    assert_eq!(room.bed.session().phase(), Phase::NoSession);
}

#[test]
fn r5_10_after_a_sedative_recovery_is_watched_as_the_window_for_an_hour() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.minutes_with_rounds(70);
    assert_eq!(room.bed.session().phase(), Phase::Recovery);
    observe(&mut room, Observation::GaveBenzodiazepine);
    room.tick();
    assert_eq!(room.bed.session().also(), Phase::Window);
    let off = room.sec();
    room.out.clear();
    room.absent(Absent::SensorOff, 61);
    let story = room.story_of(C::Spo2Unavailable);
    assert_eq!(story, [(off + 10, Did::Raised(Medium)), (off + 60, Did::Worsened(High))]);
    room.minutes(60);
    assert_eq!(room.bed.session().also(), Phase::Recovery);
}

#[test]
fn r5_10_oxygen_changes_the_limits_after_three_minutes_and_its_end_at_once() {
    let mut room = Room::dosed(Route::Iv);
    observe(&mut room, Observation::GaveOxygen);
    let given = room.sec();
    room.out.clear();
    for _ in 0..200 {
        room.spo2(93);
    }
    let story = room.story_of(C::Spo2Reduced);
    assert_eq!(story, [(given + 180 + 15, Did::Raised(Medium))], "<= 93 on oxygen, after the grace");
    assert_eq!(room.alarm(C::Spo2Reduced).limit, Spo2::percent(93).map(Limit::Spo2AtMost));
    observe(&mut room, Observation::StoppedOxygen);
    for _ in 0..16 {
        room.spo2(93);
    }
    assert_ne!(room.alarm(C::Spo2Reduced).presence, Presence::On, "93 is beyond 91 + 2");
}

#[test]
fn r5_2_a_person_on_oxygen_from_the_beginning_has_those_limits_at_once() {
    let mut room = Room::empty();
    room.link(OXIMETER, Link::Up);
    room.command(Action::Open(Opening { oxygen: true, ..iv() })).expect("opens");
    for _ in 0..17 {
        room.spo2(93);
    }
    assert!(room.is_on(C::Spo2Reduced));
}

#[test]
fn r5_10_a_note_is_told_by_its_number_and_has_eighty_characters_at_most() {
    let mut room = Room::dosed(Route::Iv);
    let note = |room: &mut Room, text: String| room.command(Action::Note { text });
    assert_eq!(note(&mut room, "x".repeat(81)), Err(CommandRefusal::OutOfRange));
    assert_eq!(note(&mut room, " \n".into()), Err(CommandRefusal::OutOfRange));
    assert_eq!(note(&mut room, "a\u{1b}[2J".into()), Err(CommandRefusal::OutOfRange));
    assert_eq!(note(&mut room, "é".repeat(80)), Ok(()));
    let told = room.out.iter().any(
        |output| matches!(output, Output::Event(event) if matches!(&event.kind, EventKind::Note { number: 1, .. })),
    );
    assert!(told);
}

#[test]
fn r5_10_a_score_is_within_its_scale() {
    let mut room = Room::dosed(Route::Iv);
    let score = |score| Action::Observe(Observation::Dissociation { score });
    assert_eq!(room.command(score(10)), Ok(()));
    assert_eq!(room.command(score(11)), Err(CommandRefusal::OutOfRange));
}

#[test]
fn r5_12_a_check_round_is_due_every_quarter_of_an_hour_and_in_recovery_every_half() {
    let mut room = Room::empty();
    room.link(OXIMETER, Link::Up);
    room.open(Route::Iv);
    room.minutes(10);
    assert_eq!(room.story_of(C::CheckOverdue), [], "not before the dose");
    room.dose(Span::ZERO);
    room.minutes(16);
    assert_eq!(room.story_of(C::CheckOverdue), [((10 + 15) * 60, Did::Raised(Low))]);
    room.command(Action::Check { responds: Responsiveness::Voice, breaths: Some(12) }).expect("checked");
    assert!(!room.is_on(C::CheckOverdue));
    room.minutes(50);
    room.command(Action::Check { responds: Responsiveness::Awake, breaths: None }).expect("checked");
    let checked = room.sec();
    assert_eq!(room.bed.session().phase(), Phase::Recovery);
    room.out.clear();
    room.minutes(31);
    assert_eq!(room.story_of(C::CheckOverdue), [(checked + 30 * 60, Did::Raised(Low))]);
}

#[test]
fn r5_12_unresponsive_or_fewer_than_eight_breaths_is_high_until_a_better_check() {
    let mut room = Room::dosed(Route::Iv);
    let check = |responds, breaths| Action::Check { responds, breaths };
    room.command(check(Responsiveness::Touch, Some(8))).expect("checked");
    assert!(!room.is_on(C::Unresponsive));
    room.command(check(Responsiveness::Touch, Some(7))).expect("checked");
    assert_eq!((room.alarm(C::Unresponsive).priority, room.sounding()), (High, vec![C::Unresponsive]));
    room.command(check(Responsiveness::Voice, Some(12))).expect("checked");
    assert!(!room.is_on(C::Unresponsive));
    observe(&mut room, Observation::Sedation { responds: Responsiveness::Unresponsive });
    assert!(room.is_on(C::Unresponsive));
}

/// One second with a perfusion index, in hundredths of a percent.
fn second(room: &mut Room, spo2: u16, perfusion: Option<u16>) {
    use vitalsd_core::sample::Oximetry;
    use vitalsd_core::vitals::PerfusionIndex;
    let perfusion_index = perfusion
        .map_or(Measured::Absent(Absent::NotMeasured), |pi| Measured::in_range(PerfusionIndex::hundredths(pi)));
    let oximetry = Oximetry { at: room.now, spo2: percent(spo2), pulse: bpm(72), perfusion_index };
    room.input(Input::Sample { device: OXIMETER, sample: Sample::Oximetry(oximetry) });
    room.pass(Span::secs(1));
}

fn inflate(room: &mut Room) {
    let state = Sample::CuffState { at: room.now, state: CuffState::Inflating };
    room.input(Input::Sample { device: CUFF, sample: state });
}

#[test]
fn r6_4_a_cuff_on_the_limb_of_the_probe_raises_nothing_although_the_pulse_is_lost() {
    let mut room = before_dose(Opening { probe_hand: Side::Left, iv_arm: Side::Right, ..iv() });
    room.dose(Span::ZERO);
    for _ in 0..6 {
        room.steady(260);
        room.out.clear();
        inflate(&mut room);
        room.steady(5);
        room.absent(Absent::Searching, 30);
        room.pressure(126, 78);
        room.steady(20);
        assert_eq!(room.story_of(C::Spo2Unavailable), []);
    }
}

#[test]
fn r6_4_a_signal_that_is_not_back_a_minute_after_the_start_is_told_at_once() {
    let mut room = before_dose(Opening { probe_hand: Side::Left, iv_arm: Side::Right, ..iv() });
    room.dose(Span::ZERO);
    room.steady(200);
    room.out.clear();
    inflate(&mut room);
    let start = room.sec();
    room.steady(5);
    room.absent(Absent::Searching, 90);
    let told: Vec<_> = room.story_of(C::Spo2Unavailable);
    assert_eq!(told.first(), Some(&(start + 60, Did::Raised(Medium))), "{told:?}");
}

#[test]
fn r6_4_under_the_cuff_a_strong_signal_still_raises_the_gravest_rows_and_a_weak_one_none() {
    for (perfusion, raised) in [(150, true), (40, false)] {
        let mut room = before_dose(Opening { probe_hand: Side::Left, iv_arm: Side::Right, ..iv() });
        room.dose(Span::ZERO);
        for _ in 0..200 {
            second(&mut room, 97, Some(200));
        }
        inflate(&mut room);
        for _ in 0..30 {
            second(&mut room, 84, Some(perfusion));
        }
        assert_eq!(room.is_on(C::Spo2VeryLow), raised, "PI {perfusion}");
        assert!(!room.is_on(C::Spo2Reduced), "row 3 waits");
    }
}

#[test]
fn r6_4_a_pulse_that_is_lost_to_the_cuff_twice_asks_where_the_probe_is() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    for expected in [false, true] {
        room.steady(300);
        inflate(&mut room);
        room.steady(5);
        room.absent(Absent::Searching, 8);
        room.pressure(126, 78);
        room.steady(20);
        assert_eq!(room.is_on(C::ProbeOnCuffArm), expected);
    }
    room.command(Action::ProbeOnCuffArm).expect("one press declares it");
    assert!(!room.is_on(C::ProbeOnCuffArm));
    room.steady(300);
    room.out.clear();
    inflate(&mut room);
    room.absent(Absent::Searching, 30);
    room.pressure(126, 78);
    room.steady(20);
    assert_eq!(room.story_of(C::Spo2Unavailable), []);
}

#[test]
fn row_10_a_confirmed_slow_pulse_lowers_the_limit() {
    let mut room = cuffed();
    room.open(Route::Iv);
    for _ in 0..200 {
        room.pulse(48);
    }
    assert!(room.is_on(C::PulseLow), "before the dose there is no baseline");
    room.dose(Span::ZERO);
    room.pulse(48);
    assert_eq!(room.alarm(C::PulseLow).limit, Some(Limit::PulseBelow(50)), "it was raised by this one");
    for _ in 0..16 {
        room.pulse(48);
    }
    assert_ne!(room.alarm(C::PulseLow).presence, Presence::On, "48 is beyond 45 + 3");
    room.command(Action::ConfirmSlowPulse).expect("below 50");
    for _ in 0..30 {
        room.pulse(42);
    }
    assert!(!room.is_on(C::PulseLow));
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    assert_eq!(room.command(Action::ConfirmSlowPulse), Err(CommandRefusal::NoSlowPulse));
}

#[test]
fn r5_10_the_limits_of_oxygen_hold_from_the_moment_at_which_the_grace_is_over() {
    let mut room = Room::dosed(Route::Iv);
    (0..5).for_each(|_| room.spo2(93));
    room.pass(Span::millis(500)); // between two values
    observe(&mut room, Observation::GaveOxygen);
    let given = room.now;
    room.pass(Span::millis(500));
    (0..200).for_each(|_| room.spo2(93));
    assert_eq!(room.alarm(C::Spo2Reduced).since, given + Span::secs(180 + 15));
}

#[test]
fn r5_6_the_first_values_of_a_session_are_of_its_patient_however_late_they_come() {
    let mut room = cuffed();
    room.command(Action::Open(iv())).expect("opens");
    room.pass(Span::mins(11));
    room.steady(30);
    assert!(!room.is_on(C::SamePatient));
    room.absent(Absent::SensorOff, 600);
    room.steady(30);
    assert!(!room.is_on(C::SamePatient), "ten minutes are not more than ten minutes");
    room.absent(Absent::SensorOff, 601);
    room.steady(30);
    assert!(room.is_on(C::SamePatient));
}

#[test]
fn r6_4_the_question_where_the_probe_is_can_be_accepted_as_a_no() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    let lost_to_the_cuff = |room: &mut Room| {
        room.steady(300);
        inflate(room);
        room.steady(5);
        room.absent(Absent::Searching, 8);
        room.pressure(126, 78);
        room.steady(20);
    };
    (0..2).for_each(|_| lost_to_the_cuff(&mut room));
    room.acknowledge(C::ProbeOnCuffArm).expect("accepted");
    room.tick();
    assert!(!room.is_on(C::ProbeOnCuffArm), "it is answered");
    lost_to_the_cuff(&mut room);
    assert!(!room.is_on(C::ProbeOnCuffArm), "and asked again after two more");
    lost_to_the_cuff(&mut room);
    assert!(room.is_on(C::ProbeOnCuffArm));
}

/// Recovery after two hours, everything in order.
fn ready() -> Room {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    for _ in 0..8 {
        room.minutes_with_rounds(15);
        room.pressure(130, 80);
    }
    room.minutes_with_rounds(1);
    room
}

#[test]
fn r9_item_6_counts_what_is_latched_and_what_is_medium_of_the_patient_of_the_signal_or_of_the_cuff() {
    let item_6 = |room: &Room| room.bed.readiness().expect("dosed").items[5];
    let mut room = ready();
    assert_eq!(item_6(&room), Item::Met);
    // LOW does not count.
    (0..65).for_each(|_| room.spo2(93));
    assert!(room.is_on(C::Spo2Drift));
    assert_eq!(item_6(&room), Item::Met);
    // MEDIUM does, and so does its latch until it is seen.
    (0..16).for_each(|_| room.spo2(91));
    assert_eq!(item_6(&room), Item::Missing(Missing::Alarm));
    room.steady(40);
    assert_eq!(room.alarm(C::Spo2Reduced).presence, Presence::Latched);
    assert_eq!(item_6(&room), Item::Missing(Missing::Unseen));
    let episode = room.alarm(C::Spo2Reduced).episode;
    room.command(Action::Seen { condition: C::Spo2Reduced, episode }).expect("seen");
    assert_eq!(item_6(&room), Item::Met);
    // Of the equipment only what measures counts.
    room.input(Input::Fault { fault: BoxFault::Broker, present: true });
    room.steady(11);
    assert_eq!((room.is_on(C::BrokerLost), room.alarm(C::BrokerLost).priority), (true, Medium));
    assert_eq!(item_6(&room), Item::Met);
    room.absent(Absent::SensorOff, 31);
    assert_eq!(room.alarm(C::Spo2Unavailable).priority, Medium);
    assert_eq!(item_6(&room), Item::Missing(Missing::Alarm));
}

#[test]
fn what_is_said_about_an_alarm_or_a_reading_is_not_news_of_the_session() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    (0..15).for_each(|_| room.spo2(86));
    let named = room.named(C::Spo2Low);
    let pressure = vitalsd_core::vitals::BloodPressure::full(126, 78, None).expect("in order");
    for (action, tells) in [
        (Action::Acknowledge(named), false),
        (Action::Withdraw(named), false),
        (Action::Decline(named), false),
        (Action::Pressure { pressure, ago: Span::ZERO }, false),
        (Action::Note { text: "asked for water".into() }, false),
        (Action::Check { responds: Responsiveness::Awake, breaths: None }, true),
        (Action::PauseAudio, true),
        (Action::Observe(Observation::GaveBenzodiazepine), true),
    ] {
        room.out.clear();
        room.command(action.clone()).expect("done");
        assert_eq!(room.out.iter().any(|output| matches!(output, Output::Session)), tells, "{action:?}");
    }
}

#[test]
fn a_phase_has_the_name_that_the_sheet_gives_it() {
    let names = [Phase::NoSession, Phase::Baseline, Phase::Onset, Phase::Window, Phase::Recovery];
    assert_eq!(names.map(|phase| phase.to_string()), ["no session", "baseline", "onset", "window", "recovery"]);
}
