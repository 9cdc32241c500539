//! Proves that the walks of R12 come out right: whole sessions, as a clinic would have them.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::monitor::input::{Action, CloseReason, Command, CommandRefusal, Link, Opening, Route, StandbyReason};
use vitalsd_core::monitor::observation::Observation;
use vitalsd_core::monitor::output::{Condition as C, Phase, Presence, Priority};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Absent;

use Priority::{High, Low, Medium};

type Story = Vec<(u64, C, Did)>;

/// A session before its dose: three readings, five minutes of good values.
fn opened(pressure: (u16, u16)) -> Room {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.command(Action::Open(Opening::by(Route::Iv))).expect("opens");
    for _ in 0..3 {
        room.pressure(pressure.0, pressure.1);
        room.minutes(2);
    }
    room
}

/// The same, dosed, with a clean slate.
fn dosed(pressure: (u16, u16)) -> Room {
    let mut room = opened(pressure);
    room.dose(Span::ZERO);
    room.out.clear();
    room
}

/// Readings with the pause between them in minutes, the nurse going the rounds.
fn course(room: &mut Room, minutes: u64, readings: &[(u16, u16)]) {
    for (systolic, diastolic) in readings {
        room.minutes_with_rounds(minutes);
        room.pressure(*systolic, *diastolic);
    }
}

fn announced(story: &Story) -> Story {
    let announced =
        |did: &Did| matches!(did, Did::Raised(_) | Did::Announced(_) | Did::Worsened(_) | Did::Reannounced(_));
    story.iter().filter(|(_, _, did)| announced(did)).copied().collect()
}

fn above_low(story: &Story) -> Story {
    let above = |did: &Did| match did {
        Did::Raised(p) | Did::Announced(p) | Did::Worsened(p) | Did::Reannounced(p) => *p > Low,
        _ => false,
    };
    announced(story).into_iter().filter(|(_, _, did)| above(did)).collect()
}

#[test]
fn r12_normal_no_announcement_above_low_and_no_sound() {
    let mut room = dosed((126, 78));
    course(&mut room, 10, &[(134, 82), (146, 88), (152, 94), (150, 92), (144, 88), (138, 84)]);
    course(&mut room, 15, &[(134, 82), (131, 80), (131, 80), (130, 79)]);
    assert_eq!(above_low(&room.story()), []);
}

#[test]
fn r12_hypertensive_low_only_and_ready_at_the_end() {
    let mut room = dosed((148, 92));
    course(&mut room, 10, &[(164, 98), (176, 104), (174, 102), (170, 100), (164, 98), (160, 96)]);
    course(&mut room, 15, &[(156, 96), (156, 94), (154, 94), (154, 93), (152, 92)]);
    let story = room.story();
    assert_eq!(above_low(&story), []);
    assert!(announced(&story).iter().any(|(_, condition, _)| *condition == C::PressureHigh), "{story:?}");
    let readiness = room.bed.readiness().expect("dosed");
    assert!(readiness.vitals_ready, "{readiness:?}");
}

#[test]
fn r12_after_midazolam_a_desaturation_is_high_at_ten_seconds_and_latches() {
    let mut room = dosed((126, 78));
    course(&mut room, 10, &[(130, 80), (132, 82)]);
    room.command(Action::Observe(Observation::GaveBenzodiazepine)).expect("given");
    room.minutes_with_rounds(3);
    room.out.clear();
    let fall = room.sec();
    for _ in 0..25 {
        room.spo2(86);
    }
    room.minutes(1);
    let low: Vec<_> = room.story_of(C::Spo2Low);
    assert_eq!(low, [(fall + 10, Did::Raised(High)), (fall + 25 + 15, Did::Latched)]);
    assert_eq!(room.alarm(C::Spo2Low).presence, Presence::Latched);
    assert_eq!(room.bed.session().also(), Phase::Window);
}

#[test]
fn r12_probe_off_and_the_nurse_away_medium_high_and_then_the_bedside() {
    let mut room = dosed((126, 78));
    course(&mut room, 10, &[(128, 80), (130, 80)]);
    room.out.clear();
    let off = room.sec();
    room.absent(Absent::SensorOff, 90);
    assert!(!room.alarm(C::Spo2Unavailable).bedside);
    room.absent(Absent::SensorOff, 1);
    assert!(room.alarm(C::Spo2Unavailable).bedside, "30 s after it became HIGH");
    assert_eq!(room.story_of(C::Spo2Unavailable), [(off + 10, Did::Raised(Medium)), (off + 60, Did::Worsened(High))]);
}

#[test]
fn r12_acknowledged_and_forgotten_is_announced_again() {
    let mut room = dosed((126, 78));
    for _ in 0..12 {
        room.spo2(87);
    }
    room.acknowledge(C::Spo2Low).expect("accepted");
    let accepted = room.sec();
    room.out.clear();
    for _ in 0..185 {
        room.spo2(87);
    }
    assert_eq!(room.story_of(C::Spo2Low).first(), Some(&(accepted + 180, Did::Reannounced(High))));
}

#[test]
fn r12_two_nurses_one_owner_and_both_see_it() {
    let mut room = dosed((126, 78));
    for _ in 0..12 {
        room.spo2(87);
    }
    let seen = room.named(C::Spo2Low);
    let mut ask = |actor: &str| {
        let command = Command { actor: actor.into(), action: Action::Acknowledge(seen) };
        room.bed.command(&command, room.now, &mut |output| room.out.push(output))
    };
    assert_eq!(ask("nurse-1"), Ok(()));
    assert_eq!(ask("nurse-2"), Err(CommandRefusal::Taken), "somebody has it");
    let owner = |room: &Room| room.alarm(C::Spo2Low).ack.as_ref().map(|ack| ack.actor.clone());
    assert_eq!(owner(&room).as_deref(), Some("nurse-1"));
}

#[test]
fn r12_end_of_the_day_a_probe_taken_off_in_an_empty_room_is_grey() {
    let mut room = dosed((126, 78));
    course(&mut room, 10, &[(128, 80), (130, 80)]);
    room.command(Action::Close { reason: Some(CloseReason::Transferred) }).expect("closed");
    room.out.clear();
    room.steady(30);
    room.absent(Absent::SensorOff, 3_600);
    assert_eq!(room.story(), []);
}

#[test]
fn r12_toilet_in_recovery_no_alarm() {
    let mut room = dosed((126, 78));
    course(&mut room, 10, &[(130, 80); 6]);
    course(&mut room, 15, &[(128, 80)]);
    room.out.clear();
    room.command(Action::Standby { reason: StandbyReason::Toilet }).expect("stands by");
    room.absent(Absent::SensorOff, 7 * 60);
    room.minutes_with_rounds(3);
    assert_eq!(room.story(), []);
}

#[test]
fn r12_an_hour_of_steady_values_says_nothing() {
    let mut room = opened((126, 78));
    room.out.clear();
    room.dose(Span::ZERO);
    room.pressure(126, 78);
    course(&mut room, 10, &[(126, 78); 6]);
    assert_eq!(room.story(), []);
}

#[test]
fn r12_a_ramp_with_a_baseline_goes_through_rows_4_and_5_3_29_and_2() {
    let mut room = dosed((126, 78));
    let start = room.sec();
    for t in 0..330 {
        room.spo2(97 - u16::try_from(t / 30).expect("small"));
    }
    let story: Story = room.story().into_iter().map(|(at, condition, did)| (at - start, condition, did)).collect();
    let at = |condition| story.iter().find(|(_, c, _)| *c == condition).map(|(at, _, did)| (*at, *did));
    let both = [at(C::Spo2Drift), at(C::Spo2BelowBaseline)];
    assert!(both.contains(&Some((180, Did::Raised(Low)))) && both.contains(&Some((180, Did::Noted(Low)))), "{both:?}");
    assert_eq!(at(C::Spo2Reduced), Some((195, Did::Raised(Medium))));
    // 30 s one below 90, then two below: 50 points after ten seconds more, under row 3.
    assert_eq!(at(C::Spo2Burden), Some((280, Did::Noted(Medium))));
    assert_eq!(at(C::Spo2Low), Some((310, Did::Raised(High))));
}

#[test]
fn sheet_13_a_faster_ramp_logs_the_lower_one_under_the_higher() {
    // trend-algorithms 13: -1 per 15 s, MEDIUM at 105 s before LOW at 120 s.
    let mut room = dosed((126, 78));
    let start = room.sec();
    for t in 0..130 {
        room.spo2(97 - u16::try_from(t / 15).expect("small"));
    }
    let story = room.story();
    let at = |condition| story.iter().find(|(_, c, _)| *c == condition).map(|(at, _, did)| (at - start, *did));
    assert_eq!(at(C::Spo2Reduced), Some((105, Did::Raised(Medium))));
    assert_eq!(at(C::Spo2Drift), Some((120, Did::Noted(Low))));
}

#[test]
fn rows_34_and_33_a_low_saturation_with_a_fast_or_falling_pulse_is_high() {
    let mut room = dosed((126, 78));
    room.minutes(2);
    room.out.clear();
    let start = room.sec();
    for _ in 0..12 {
        room.second(percent(91), bpm(134));
    }
    assert_eq!(room.story_of(C::LowSpo2FastPulse), [(start + 10, Did::Raised(High))]);
    for _ in 0..16 {
        room.second(percent(91), bpm(125));
    }
    assert_ne!(room.alarm(C::LowSpo2FastPulse).presence, Presence::On, "125 is five beyond 130: it ends with its part");

    let mut room = dosed((126, 78));
    for _ in 0..120 {
        room.second(percent(90), bpm(90));
    }
    assert!(room.is_on(C::Spo2Reduced) && !room.is_on(C::LowSpo2PulseFalling));
    for _ in 0..21 {
        room.second(percent(90), bpm(71)); // 72 is a fifth less than 90
    }
    assert_eq!(room.alarm(C::LowSpo2PulseFalling).priority, High);
    for _ in 0..2 {
        room.second(percent(90), bpm(73));
    }
    assert_ne!(room.alarm(C::LowSpo2PulseFalling).presence, Presence::On);
}

#[test]
fn row_30_three_desaturations_in_a_quarter_of_an_hour_are_low_and_in_five_minutes_medium() {
    for (pause, priority) in [(280, Low), (60, Medium)] {
        let mut room = dosed((126, 78));
        room.minutes(3);
        for _ in 0..3 {
            // Down by five within the limits of what blood does, for 14 s.
            for spo2 in [95, 93, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 93, 95] {
                room.spo2(spo2);
            }
            room.steady(pause);
        }
        assert_eq!((room.is_on(C::Desaturations), room.alarm(C::Desaturations).priority), (true, priority), "{pause}");
        assert!(!room.is_on(C::Spo2Reduced), "no single one is an alarm");
    }
}

#[test]
fn row_24_a_climbing_pulse_is_low_after_its_delay_and_ends_with_the_trend() {
    let mut room = dosed((126, 78));
    room.out.clear();
    for t in 0..240_u16 {
        room.pulse(72 + t / 5); // 12 a minute
    }
    let raised = room.story_of(C::PulseClimbing);
    assert_eq!(raised.first().map(|(_, did)| *did), Some(Did::Raised(Low)));
    assert!(room.is_on(C::PulseClimbing));
    for _ in 0..180 {
        room.pulse(119);
    }
    assert!(!room.is_on(C::PulseClimbing));
}
