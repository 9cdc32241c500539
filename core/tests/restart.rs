//! Proves what goes on after a restart of the box, and what waits for a person (R4.5, R5.8).

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use support::{Did, OXIMETER, Room, devices};
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::baseline::Baseline;
use vitalsd_core::monitor::input::{Action, CloseReason, CommandRefusal, Link, OffReason, Route};
use vitalsd_core::monitor::output::{Condition as C, EventKind, Output, Phase, Presence, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Spo2;

use Priority::{High, Low, Medium};

/// The box starts anew after `outage` (`None`: nobody knows how long).
fn restarted(mut room: Room, outage: Option<Span>) -> Room {
    room.tick();
    let snapshot = room.bed.snapshot().clone();
    assert!(snapshot.is_current());
    let mut out = Vec::new();
    let devices = devices(Span::secs(1), false);
    let bed = Bed::restart(snapshot, Preset::kat_default_1(), devices, outage, &mut |output| out.push(output));
    let now = bed.now();
    let mut room = Room { bed, now, out };
    room.link(OXIMETER, Link::Up);
    room
}

/// 20 min into the window.
fn in_the_window() -> Room {
    let mut room = Room::empty();
    room.link(OXIMETER, Link::Up);
    room.open(Route::Iv);
    room.minutes(4);
    room.dose(Span::ZERO);
    room.minutes_with_rounds(35);
    room.out.clear();
    room
}

#[test]
fn r5_8_after_a_short_outage_the_session_goes_on_with_its_baseline() {
    let mut room = restarted(in_the_window(), Some(Span::mins(3)));
    assert_eq!(room.bed.session().phase(), Phase::Window);
    assert_eq!(room.bed.baseline().and_then(Baseline::spo2), Spo2::percent(97));
    room.steady(30);
    assert!(!room.is_on(C::SessionInterrupted));
    assert!(room.out.iter().any(|output| matches!(
        output,
        Output::Event(event) if event.kind == EventKind::Resumed { lifted: 0, certain: true }
    )));
}

#[test]
fn r5_8_a_window_that_would_have_ended_in_the_outage_lasts_as_much_longer() {
    let mut room = in_the_window();
    room.minutes_with_rounds(23); // 58 min after the dose
    let mut room = restarted(room, Some(Span::mins(10)));
    assert_eq!(room.bed.session().phase(), Phase::Window, "never looser than before");
    room.minutes_with_rounds(3);
    assert_eq!(room.bed.session().phase(), Phase::Recovery, "60 + 10 min after the dose");
}

#[test]
fn r5_8_after_a_long_outage_a_person_must_say_whether_it_goes_on() {
    let mut room = restarted(in_the_window(), Some(Span::mins(16)));
    assert_eq!(room.alarm(C::SessionInterrupted).priority, Medium);
    assert!(room.alarm(C::SessionInterrupted).sounds);
    assert!(room.bed.baseline().is_none(), "no baseline");
    room.minutes(40);
    assert_eq!((room.bed.session().phase(), room.bed.session().also()), (Phase::Recovery, Phase::Window));
    room.command(Action::Continue { dosed: None }).expect("it goes on");
    room.tick();
    assert!(!room.is_on(C::SessionInterrupted));
    assert_eq!(room.bed.session().also(), Phase::Recovery);
    assert!(room.bed.baseline().is_some());
    assert_eq!(room.command(Action::Continue { dosed: None }), Err(CommandRefusal::NotAsked));
}

#[test]
fn r5_8_an_interrupted_session_can_be_closed() {
    let mut room = restarted(in_the_window(), Some(Span::mins(60)));
    room.steady(1);
    assert!(matches!(room.command(Action::Close { reason: None }), Err(CommandRefusal::ReasonNeeded { .. })));
    room.command(Action::Close { reason: Some(CloseReason::Transferred) }).expect("closed");
}

#[test]
fn r5_8_without_a_certain_clock_the_phase_stays_and_says_so_until_a_person_knows_the_dose() {
    let mut room = restarted(in_the_window(), None);
    assert_eq!(room.alarm(C::DoseTimeUncertain).priority, Low);
    assert!(room.is_on(C::SessionInterrupted));
    room.command(Action::Continue { dosed: None }).expect("it goes on");
    room.minutes_with_rounds(120);
    assert_eq!(room.bed.session().phase(), Phase::Window);
    assert!(room.is_on(C::DoseTimeUncertain));
    room.command(Action::Continue { dosed: Some(Span::mins(100)) }).expect("now it is known");
    room.tick();
    assert!(!room.is_on(C::DoseTimeUncertain));
    assert_eq!(room.bed.session().phase(), Phase::Recovery);
}

fn low(room: &mut Room, seconds: u64) {
    for _ in 0..seconds {
        room.spo2(86);
    }
}

#[test]
fn r5_8_an_active_alarm_is_still_there_after_a_restart() {
    let mut room = in_the_window();
    low(&mut room, 15);
    let mut room = restarted(room, Some(Span::secs(5)));
    let alarm = room.alarm(C::Spo2Low);
    assert_eq!((alarm.presence, alarm.sounds, alarm.stale, alarm.episode), (Presence::On, true, true, 1));
    low(&mut room, 5);
    assert!(!room.alarm(C::Spo2Low).stale);
    room.steady(16);
    assert_eq!(room.alarm(C::Spo2Low).presence, Presence::Latched);
}

#[test]
fn r4_5_an_acceptance_holds_if_the_first_fresh_value_still_violates() {
    let mut room = in_the_window();
    low(&mut room, 15);
    room.acknowledge(C::Spo2Low).expect("accepted");
    let mut room = restarted(room, Some(Span::secs(20)));
    assert!(room.alarm(C::Spo2Low).ack.is_some());
    low(&mut room, 3);
    assert!(room.alarm(C::Spo2Low).ack.is_some() && !room.alarm(C::Spo2Low).sounds);
}

#[test]
fn r4_5_an_acceptance_falls_if_the_first_fresh_value_does_not_violate() {
    let mut room = in_the_window();
    low(&mut room, 15);
    room.acknowledge(C::Spo2Low).expect("accepted");
    let mut room = restarted(room, Some(Span::secs(20)));
    room.spo2(89);
    assert_eq!(room.alarm(C::Spo2Low).presence, Presence::On, "in the band it goes on");
    assert!(room.alarm(C::Spo2Low).ack.is_none() && room.alarm(C::Spo2Low).sounds);
}

#[test]
fn r4_5_the_time_of_an_acceptance_is_counted_through_the_outage() {
    let mut room = in_the_window();
    low(&mut room, 15);
    room.acknowledge(C::Spo2Low).expect("accepted");
    let accepted = room.sec();
    let mut room = restarted(room, Some(Span::secs(179)));
    assert!(room.alarm(C::Spo2Low).ack.is_some());
    low(&mut room, 3);
    assert_eq!(
        room.story_of(C::Spo2Low).first(),
        Some(&(accepted + 180, Did::Reannounced(High))),
        "the outage was 179 s"
    );
}

#[test]
fn r4_5_after_a_long_outage_nothing_is_accepted() {
    let mut room = in_the_window();
    low(&mut room, 15);
    room.acknowledge(C::Spo2Low).expect("accepted");
    let room = restarted(room, Some(Span::mins(16)));
    assert!(room.alarm(C::Spo2Low).ack.is_none() && room.alarm(C::Spo2Low).sounds);
}

#[test]
fn r4_5_pause_and_off_are_gone_and_that_is_announced_until_somebody_has_seen_it() {
    let mut room = in_the_window();
    room.command(Action::SwitchOff { condition: C::PulseHigh, reason: OffReason::Expected }).expect("off");
    room.command(Action::PauseAudio).expect("paused");
    let mut room = restarted(room, Some(Span::secs(5)));
    assert_eq!(room.bed.audio_paused_until(), None);
    assert_eq!(room.bed.switched_off().count(), 0);
    assert_eq!((room.alarm(C::Restarted).presence, room.alarm(C::Restarted).priority), (Presence::On, Low));
    room.acknowledge(C::Restarted).expect("seen");
    assert!(!room.is_on(C::Restarted));
}

#[test]
fn a_continuing_violation_is_raised_within_its_delay_after_the_restart() {
    let mut room = in_the_window();
    low(&mut room, 5);
    let mut room = restarted(room, Some(Span::mins(2)));
    let start = room.sec();
    low(&mut room, 15);
    let raised = room.story_of(C::Spo2Low);
    assert_eq!(raised.first(), Some(&(start + 10, Did::Raised(High))));
}

#[test]
fn silence_after_a_restart_is_told_as_any_other() {
    let mut room = restarted(in_the_window(), Some(Span::mins(1)));
    let start = room.sec();
    room.out.clear();
    room.pass(Span::secs(70));
    room.tick();
    assert_eq!(
        room.story_of(C::Spo2Unavailable),
        [(start + 10, Did::Raised(Medium)), (start + 60, Did::Worsened(High))]
    );
}

#[test]
fn an_empty_room_stays_grey_after_a_restart() {
    let mut room = Room::empty();
    room.link(OXIMETER, Link::Up);
    room.steady(50);
    let mut room = restarted(room, Some(Span::mins(1)));
    room.pass(Span::mins(60));
    room.tick();
    assert_eq!(room.story(), []);
}

// R10.4: alarms of an earlier life that only the broker still holds.

/// A bed of which the journal knows nothing adopts what the broker holds.
fn adopted(room: &mut Room, condition: C, episode: u32, priority: Priority) -> bool {
    let now = room.now;
    room.bed.adopt(condition, episode, priority, now, &mut |output| room.out.push(output))
}

#[test]
fn r10_4_a_grave_alarm_that_the_bed_does_not_know_is_latched_until_it_is_seen() {
    let mut room = Room::empty();
    assert!(adopted(&mut room, C::Spo2VeryLow, 3, High));
    let alarm = room.alarm(C::Spo2VeryLow).clone();
    assert_eq!((alarm.presence, alarm.priority, alarm.episode, alarm.stale), (Presence::Latched, High, 3, true));
    assert!(room.out.iter().any(|output| matches!(
        output,
        Output::Event(event) if matches!(&event.kind, EventKind::Latched(told) if told.condition == C::Spo2VeryLow)
    )));
    room.command(Action::Seen { condition: C::Spo2VeryLow, episode: 3 }).expect("it is latched");
    assert!(!adopted(&mut room, C::Spo2VeryLow, 3, High), "the broker still held what has been seen");
}

#[test]
fn r10_4_what_a_row_decides_anew_is_not_adopted() {
    let mut room = Room::empty();
    assert!(!adopted(&mut room, C::Spo2Unavailable, 2, High), "technical: it returns by itself");
    assert!(!adopted(&mut room, C::Spo2Drift, 2, Low), "LOW ones do not latch");
    assert!(room.out.iter().all(|output| !matches!(output, Output::Alarm(_))));
}

#[test]
fn r10_4_an_episode_that_the_bed_knows_is_not_believed_again() {
    let mut room = in_the_window();
    (0..15).for_each(|_| room.spo2(86));
    let episode = room.alarm(C::Spo2Low).episode;
    room.steady(40);
    room.command(Action::Seen { condition: C::Spo2Low, episode }).expect("it is latched");
    assert!(!adopted(&mut room, C::Spo2Low, episode, High));
    (0..15).for_each(|_| room.spo2(86));
    assert_eq!(room.alarm(C::Spo2Low).episode, episode + 1);
    assert!(adopted(&mut room, C::Spo2Low, episode, High), "it is there, as the bed says and not as the broker does");
    assert_eq!(room.alarm(C::Spo2Low).presence, Presence::On);
}

#[test]
fn r10_4_the_next_episode_counts_on_from_the_adopted_one() {
    let mut room = in_the_window();
    adopted(&mut room, C::Spo2Low, 7, High);
    (0..15).for_each(|_| room.spo2(86));
    assert_eq!(room.alarm(C::Spo2Low).episode, 8);
    assert_eq!(room.alarm(C::Spo2Low).presence, Presence::On);
}

#[test]
fn r5_8_a_bed_that_has_lost_its_cuff_waits_for_none_after_the_restart() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    assert!(room.bed.cuff().source().is_some());
    let snapshot = room.bed.snapshot().clone();
    let oximeter = devices(Span::secs(1), false);
    let bed = Bed::restart(snapshot, Preset::kat_default_1(), oximeter, Some(Span::mins(1)), &mut |_| {});
    assert_eq!(bed.cuff().source(), None);
}

#[test]
fn r4_5_how_many_pauses_and_switched_off_conditions_are_lifted_is_said() {
    let lifted = |off: &[C], paused: bool| {
        let mut room = in_the_window();
        for condition in off {
            room.command(Action::SwitchOff { condition: *condition, reason: OffReason::Expected }).expect("off");
        }
        if paused {
            room.command(Action::PauseAudio).expect("paused");
        }
        let room = restarted(room, Some(Span::secs(5)));
        let resumed = |output: &Output| match output {
            Output::Event(event) => match event.kind {
                EventKind::Resumed { lifted, .. } => Some(lifted),
                _ => None,
            },
            _ => None,
        };
        (room.out.iter().find_map(resumed), room.is_on(C::Restarted))
    };
    assert_eq!(lifted(&[], false), (Some(0), false));
    assert_eq!(lifted(&[], true), (Some(1), true));
    assert_eq!(lifted(&[C::PulseHigh], false), (Some(1), true));
    assert_eq!(lifted(&[C::PulseHigh], true), (Some(2), true));
    assert_eq!(lifted(&[C::PulseHigh, C::PulseRaised], true), (Some(3), true));
}
