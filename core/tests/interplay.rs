//! Proves that what a second hostile reading of the monitor found stays mended: no acceptance, pause, standby, or switch
//! keeps a person in danger silent, and an empty room is quiet.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::monitor::input::{Action, Input, Link, OffReason, Opening, Route, StandbyReason};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::{Condition as C, Output, Phase, Priority};
use vitalsd_core::sample::{CuffOrigin, CuffResult, Sample};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, BloodPressure};

use Priority::{High, Medium};

fn iv() -> Opening {
    Opening::by(Route::Iv)
}

fn infused() -> Opening {
    Opening { infusion: Some(Span::mins(40)), ..iv() }
}

/// A session before its dose, with three readings of 126/78 and good values, five minutes old.
fn before_dose(opening: Opening) -> Room {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.command(Action::Open(opening)).expect("opens");
    for _ in 0..3 {
        room.pressure(126, 78);
        room.steady(100);
    }
    room
}

/// In recovery, 70 min after the dose.
fn recovery() -> Room {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    for _ in 0..7 {
        room.pressure(126, 78);
        room.minutes_with_rounds(10);
    }
    assert_eq!(room.bed.session().phase(), Phase::Recovery);
    room.pressure(126, 78);
    room.out.clear();
    room
}

fn manual(room: &mut Room, systolic: u16, diastolic: u16) {
    let pressure = BloodPressure::full(systolic, diastolic, None).expect("in order");
    room.command(Action::Pressure { pressure, ago: Span::ZERO }).expect("taken");
}

fn standby(room: &mut Room) {
    room.command(Action::Standby { reason: StandbyReason::Toilet }).expect("stands by");
}

#[test]
fn r5_11_help_that_is_called_again_is_heard_although_the_first_call_was_accepted() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::Help).expect("called");
    room.acknowledge(C::Help).expect("I'm going");
    room.steady(60);
    room.command(Action::Help).expect("called again: nobody came");
    assert_eq!(room.sounding(), [C::Help]);
}

#[test]
fn r5_11_help_that_is_called_again_breaks_a_pause() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::Help).expect("called");
    room.steady(1);
    room.command(Action::PauseAudio).expect("paused");
    room.steady(1);
    room.command(Action::Help).expect("called again");
    assert_eq!(room.sounding(), [C::Help]);
}

#[test]
fn r5_12_a_worse_check_is_heard_although_the_one_before_was_accepted() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::Check { responds: Responsiveness::Touch, breaths: Some(7) }).expect("checked");
    room.acknowledge(C::Unresponsive).expect("I'm going");
    room.steady(60);
    room.command(Action::Check { responds: Responsiveness::Unresponsive, breaths: Some(4) }).expect("checked");
    assert_eq!(room.sounding(), [C::Unresponsive]);
}

#[test]
fn r5_12_only_counted_breaths_end_what_counted_breaths_raised() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::Check { responds: Responsiveness::Touch, breaths: Some(6) }).expect("checked");
    room.acknowledge(C::Unresponsive).expect("I'm going");
    room.command(Action::Observe(Observation::Sedation { responds: Responsiveness::Touch })).expect("seen");
    assert!(room.is_on(C::Unresponsive), "nobody has counted more breaths");
}

#[test]
fn r5_6_no_standby_outlives_the_dose_the_signal_is_watched() {
    let mut room = before_dose(infused());
    standby(&mut room);
    room.absent(Absent::SensorOff, 60);
    room.dose(Span::ZERO);
    room.out.clear();
    room.absent(Absent::SensorOff, 90);
    assert!(room.is_on(C::Spo2Unavailable), "P1, an infusion runs: MEDIUM at 10 s, HIGH at 60 s");
    assert_eq!(room.alarm(C::Spo2Unavailable).priority, High);
}

#[test]
fn r4_4_in_an_assumed_window_the_loss_of_the_signal_is_never_off() {
    let mut room = before_dose(iv());
    let off = Action::SwitchOff { condition: C::Spo2Unavailable, reason: OffReason::Artefact };
    room.command(off.clone()).expect("P0: may be off");
    room.minutes(26);
    assert!(room.bed.session().opened().expect("open").forgotten.assumed);
    room.absent(Absent::SensorOff, 600);
    assert!(room.sounding().contains(&C::Spo2Unavailable), "the probe is off for ten minutes: {:?}", room.sounding());
    assert!(room.command(off).is_err(), "R4.4: never in a window");
}

#[test]
fn r4_4_in_recovery_with_a_sedative_the_loss_of_the_signal_is_never_off() {
    let mut room = before_dose(Opening { sedative: true, ..iv() });
    room.dose(Span::ZERO);
    room.minutes_with_rounds(70);
    assert_eq!(room.bed.session().watched_as(), Phase::Window);
    let off = Action::SwitchOff { condition: C::Spo2Unavailable, reason: OffReason::Artefact };
    assert!(room.command(off).is_err(), "R6.2: as in P2");
}

#[test]
fn r4_2_an_accepted_pressure_is_announced_again_on_a_bed_without_a_cuff() {
    let mut room = Room::dosed(Route::Iv);
    manual(&mut room, 66, 40);
    assert_eq!((room.alarm(C::PressureVeryLow).priority, room.sounding()), (High, vec![C::PressureVeryLow]));
    room.acknowledge(C::PressureVeryLow).expect("I'm going");
    room.out.clear();
    room.minutes_with_rounds(60);
    let story = room.story();
    let again =
        |(_, condition, did): &(u64, C, Did)| *condition == C::PressureVeryLow && *did == Did::Reannounced(High);
    assert!(story.iter().any(again), "66/40 an hour ago, and nobody has measured again: {story:?}");
}

#[test]
fn r4_2_an_accepted_pressure_is_announced_again_in_a_watched_room() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.steady(70);
    room.pressure(66, 40);
    room.acknowledge(C::PressureVeryLow).expect("I'm going");
    room.out.clear();
    room.minutes(60);
    assert!(room.story_of(C::PressureVeryLow).iter().any(|(_, did)| *did == Did::Reannounced(High)));
}

#[test]
fn r5_6_a_standby_that_was_said_after_the_probe_came_off_ends_with_the_values_too() {
    let mut room = recovery();
    room.absent(Absent::SensorOff, 5);
    standby(&mut room);
    room.absent(Absent::SensorOff, 120);
    room.minutes_with_rounds(10);
    assert_eq!(room.bed.standby_until(), None, "the values have been back for ten minutes");
    assert!(!room.is_on(C::StandbyOver), "the patient is back: nothing to ask");
}

#[test]
fn r5_6_the_signal_is_watched_after_a_standby_that_was_said_late() {
    let mut room = recovery();
    room.absent(Absent::SensorOff, 5);
    standby(&mut room);
    room.absent(Absent::SensorOff, 60);
    // Back for a while, and then the way is lost: the patient is not on standby.
    room.steady(60);
    room.absent(Absent::SensorOff, 200);
    assert!(room.is_on(C::Spo2Unavailable), "MEDIUM at 30 s, HIGH at 120 s");
}

#[test]
fn r5_6_when_a_standby_runs_out_the_cuff_goes_on() {
    let mut room = recovery();
    standby(&mut room);
    // The patient never left the probe.
    room.minutes_with_rounds(60);
    assert!(room.is_on(C::StandbyOver));
    assert!(room.is_on(C::PressureOverdue), "no reading for an hour, 15 min asked for");
}

#[test]
fn row_15_a_severe_pressure_that_nobody_measures_again_is_high_after_a_standby_ran_out() {
    let mut room = recovery();
    room.pressure(184, 104);
    standby(&mut room);
    room.minutes_with_rounds(30);
    assert!(room.is_on(C::PressureSevereConfirmed), "R7 row 15: no valid repeat within 5 min");
}

#[test]
fn r4_1_who_cannot_go_passes_on_what_stands_under_it_too() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..20 {
        room.spo2(86);
    }
    room.acknowledge(C::Spo2Low).expect("I'm going");
    room.command(Action::Decline(room.named(C::Spo2Low))).expect("can't go");
    for _ in 0..60 {
        room.spo2(91);
    }
    // Row 2 has ended and its sound too; row 3 goes on, and nobody has it.
    assert!(room.is_on(C::Spo2Reduced));
    assert_eq!(room.sounding(), [C::Spo2Reduced]);
}

#[test]
fn r4_2_what_stands_under_a_high_that_is_announced_again_is_not_accepted_any_more() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..20 {
        room.spo2(86);
    }
    room.acknowledge(C::Spo2Low).expect("I'm going");
    for _ in 0..181 {
        room.spo2(86);
    }
    assert_eq!(room.sounding(), [C::Spo2Low], "announced again");
    for _ in 0..60 {
        room.spo2(91);
    }
    assert_eq!(room.sounding(), [C::Spo2Reduced]);
}

#[test]
fn r5_11_help_that_is_over_sounds_no_more() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::Help).expect("called");
    room.steady(5);
    room.command(Action::HelpOver).expect("not needed");
    assert_eq!(room.sounding(), [], "a person has said that it is over");
}

#[test]
fn r12_an_accepted_alarm_of_a_watched_room_can_be_ended_when_the_patient_has_left() {
    let mut room = Room::empty();
    room.steady(70);
    for _ in 0..15 {
        room.spo2(86);
    }
    room.acknowledge(C::Spo2Low).expect("I'm going");
    let mut called = 0;
    for _ in 0..3_600 {
        room.absent(Absent::SensorOff, 1);
        if room.sounding() == [C::Spo2Low] {
            called += 1;
            room.acknowledge(C::Spo2Low).expect("nobody is there any more");
        }
    }
    assert!(called <= 1, "an empty room called {called} times in an hour");
}

#[test]
fn r6_2_before_the_dose_a_sedative_on_board_does_not_make_an_unattached_probe_high() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.command(Action::Open(Opening { sedative: true, ..iv() })).expect("opens");
    room.absent(Absent::SensorOff, 65);
    assert_eq!(room.sounding(), [], "P0: LOW at 20 s");
}

#[test]
fn r4_3_what_is_switched_on_again_has_not_called_while_it_was_off() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..16 {
        room.spo2(90);
    }
    let off = Action::SwitchOff { condition: C::Spo2Reduced, reason: OffReason::Artefact };
    room.command(off).expect("off");
    for _ in 0..600 {
        room.spo2(90);
    }
    room.command(Action::SwitchOn { condition: C::Spo2Reduced }).expect("on");
    assert_eq!(room.alarm(C::Spo2Reduced).priority, Medium, "nobody could have taken it");
}

#[test]
fn r2_7_the_same_determination_told_twice_is_one() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.minutes(10);
    room.pressure(78, 50);
    // The way was lost and is back: the monitor tells its last determination once more.
    let told = room.out.iter().rev().find_map(|output| match output {
        Output::Pressure(determination) => Some(*determination),
        _ => None,
    });
    let told = told.expect("told");
    room.steady(30);
    let result = CuffResult {
        at: room.now,
        measured_at: told.measured_at,
        origin: told.origin,
        pressure: told.pressure,
        pulse: told.pulse,
    };
    let sample = Sample::CuffResult(result);
    room.input(Input::Sample { device: CUFF, sample });
    assert_eq!(room.alarm(C::PressureVeryLow).priority, Medium, "row 21: HIGH is for a second reading");
}

#[test]
fn r4_1_can_t_go_is_told_to_the_others_at_once_although_the_bed_is_paused() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..20 {
        room.spo2(86);
    }
    room.command(Action::PauseAudio).expect("paused");
    room.acknowledge(C::Spo2Low).expect("I'm going");
    room.command(Action::Decline(room.named(C::Spo2Low))).expect("can't go");
    assert_eq!(room.sounding(), [C::Spo2Low], "R4.1: re-announces at once to the others");
}

#[test]
fn row_35_and_34_an_accepted_high_pressure_does_not_mute_a_low_saturation() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    room.steady(60);
    room.pressure(190, 100);
    for _ in 0..20 {
        room.pulse(48);
    }
    room.acknowledge(C::HighPressureSlowPulse).expect("I'm going");
    for _ in 0..60 {
        room.second(percent(90), bpm(140));
    }
    assert!(!room.is_on(C::HighPressureSlowPulse) && room.is_on(C::LowSpo2FastPulse));
    assert!(room.sounding().contains(&C::LowSpo2FastPulse), "HIGH, and nobody has accepted this one");
}

#[test]
fn row_28_a_monitor_that_only_pushes_is_compared_too() {
    let mut room = before_dose(iv());
    room.dose(Span::ZERO);
    for _ in 0..3 {
        room.steady(300);
        let result = CuffResult {
            at: room.now,
            measured_at: room.now,
            origin: CuffOrigin::Bedside,
            pressure: Ok(BloodPressure::full(126, 78, None).expect("in order")),
            pulse: bpm(148),
        };
        room.input(Input::Sample { device: CUFF, sample: Sample::CuffResult(result) });
    }
    assert!(room.is_on(C::RatesDisagree), "72 and 148, three times in a row");
}
