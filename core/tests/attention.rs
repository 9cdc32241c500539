//! Proves what persons can do about alarms, and what happens if they do not (R4).

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::monitor::input::{Action, BoxFault, CommandRefusal, Input, Link, OffReason, Route};
use vitalsd_core::monitor::output::{Activation, Condition as C, EventKind, Output, Presence, Priority};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Absent;

use Priority::{High, Low, Medium};

/// A session in the window with a saturation that is reduced: row 3, MEDIUM.
fn reduced() -> (Room, u64) {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..16 {
        room.spo2(90);
    }
    assert!(room.is_on(C::Spo2Reduced));
    let raised = room.sec() - 1;
    room.out.clear();
    (room, raised)
}

/// One that is low: row 2, HIGH.
fn low() -> (Room, u64) {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..11 {
        room.spo2(87);
    }
    assert!(room.is_on(C::Spo2Low));
    let raised = room.sec() - 1;
    room.out.clear();
    (room, raised)
}

fn hold(room: &mut Room, spo2: u16, seconds: u64) {
    for _ in 0..seconds {
        room.spo2(spo2);
    }
}

#[test]
fn r4_2_an_accepted_high_that_is_still_there_is_announced_again_after_three_minutes_at_all_stations() {
    let (mut room, _) = low();
    room.acknowledge(C::Spo2Low).expect("accepted");
    let accepted = room.sec();
    hold(&mut room, 87, 200);
    let story = room.story_of(C::Spo2Low);
    assert_eq!(story, [(accepted, Did::Acknowledged), (accepted + 180, Did::Reannounced(High))]);
    assert!(room.alarm(C::Spo2Low).sounds && room.alarm(C::Spo2Low).ack.is_none());
    assert!(room.alarm(C::Spo2Low).escalated.is_some(), "at all stations");
}

#[test]
fn r4_2_an_accepted_medium_that_is_still_there_is_announced_again_after_five_minutes() {
    let (mut room, _) = reduced();
    room.acknowledge(C::Spo2Reduced).expect("accepted");
    let accepted = room.sec();
    hold(&mut room, 90, 310);
    let again = room.story_of(C::Spo2Reduced).into_iter().find(|(_, did)| *did == Did::Reannounced(Medium));
    assert_eq!(again, Some((accepted + 300, Did::Reannounced(Medium))));
}

#[test]
fn r4_3_a_high_that_nobody_takes_calls_the_bedside_after_30_s_and_all_stations_after_60_s() {
    let (mut room, raised) = low();
    while room.sec() < raised + 30 {
        assert!(!room.alarm(C::Spo2Low).bedside);
        room.spo2(87);
    }
    room.spo2(87);
    assert!(room.alarm(C::Spo2Low).bedside);
    hold(&mut room, 87, 40);
    assert_eq!(room.story_of(C::Spo2Low), [(raised + 60, Did::Escalated(High))]);
}

#[test]
fn r4_3_the_gravest_call_the_bedside_at_once() {
    let mut room = Room::dosed(Route::Iv);
    hold(&mut room, 78, 4);
    assert!(room.alarm(C::Spo2Critical).bedside, "row 1a");
    let mut room = Room::dosed(Route::Iv);
    room.absent(Absent::NoPulse, 12);
    assert!(room.alarm(C::NoPulse).bedside, "row 25");
    let mut room = Room::empty();
    room.command(Action::Help).expect("anybody may call");
    assert!(room.alarm(C::Help).bedside && room.alarm(C::Help).priority == High, "HELP");
}

#[test]
fn r4_3_a_medium_that_nobody_takes_goes_to_all_stations_after_two_minutes_and_is_high_after_five() {
    let (mut room, raised) = reduced();
    hold(&mut room, 90, 400);
    let story = room.story_of(C::Spo2Reduced);
    assert_eq!(
        story,
        [
            (raised + 120, Did::Escalated(Medium)),
            (raised + 300, Did::Worsened(High)),
            (raised + 360, Did::Escalated(High)),
        ]
    );
    assert!(room.alarm(C::Spo2Reduced).bedside, "30 s after it became HIGH");
}

#[test]
fn r4_3_a_pressure_above_the_hold_limit_and_a_question_do_not_become_high() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    for _ in 0..3 {
        room.pressure(164, 96);
        room.minutes(2);
    }
    assert_eq!(room.alarm(C::PressureHigh).priority, Medium, "row 13 before the dose");
    room.minutes(8);
    assert_eq!(room.alarm(C::PressureHigh).priority, Medium);
    room.minutes(8);
    assert!(room.is_on(C::DoseForgotten));
    room.minutes(8);
    assert_eq!(room.alarm(C::DoseForgotten).priority, Medium);
}

#[test]
fn r4_3_a_deeper_fall_does_not_start_the_count_anew() {
    let (mut room, raised) = low();
    while room.sec() < raised + 50 {
        room.spo2(87);
    }
    hold(&mut room, 83, 20);
    let first = room.story().into_iter().find(|(_, _, did)| *did == Did::Escalated(High));
    assert_eq!(first, Some((raised + 60, C::Spo2VeryLow, Did::Escalated(High))));
}

#[test]
fn r4_1_who_cannot_go_passes_it_on_at_once_to_all_others() {
    let (mut room, _) = low();
    room.acknowledge(C::Spo2Low).expect("accepted");
    room.command(Action::Decline(room.named(C::Spo2Low))).expect("passed on");
    let alarm = room.alarm(C::Spo2Low);
    assert!(alarm.sounds && alarm.ack.is_none() && alarm.escalated == Some(room.now));
}

#[test]
fn r4_1_an_acceptance_can_be_taken_back() {
    let (mut room, _) = low();
    let named = room.named(C::Spo2Low);
    assert_eq!(room.command(Action::Withdraw(named)), Err(CommandRefusal::NotAsked));
    room.acknowledge(C::Spo2Low).expect("accepted");
    room.command(Action::Withdraw(named)).expect("taken back");
    assert!(room.alarm(C::Spo2Low).sounds);
    hold(&mut room, 87, 31);
    assert!(room.alarm(C::Spo2Low).bedside, "and it calls as if new");
}

#[test]
fn r4_4_a_pause_silences_the_bed_for_two_minutes() {
    let (mut room, _) = low();
    room.command(Action::PauseAudio).expect("paused");
    let paused = room.now;
    assert_eq!(room.bed.audio_paused_until(), Some(paused + Span::secs(120)));
    assert_eq!(room.sounding(), []);
    assert_eq!(room.alarm(C::Spo2Low).activation, Activation::Paused);
    hold(&mut room, 87, 119);
    assert_eq!(room.sounding(), []);
    hold(&mut room, 87, 2);
    assert_eq!(room.sounding(), [C::Spo2Low]);
    let resumed = room.out.iter().find_map(|output| match output {
        Output::Event(event) if event.kind == EventKind::AudioResumed => Some(event.at),
        _ => None,
    });
    assert_eq!(resumed, Some(paused + Span::secs(120)));
}

#[test]
fn r4_4_a_new_medium_or_high_breaks_a_pause_and_a_low_does_not() {
    let (mut room, _) = reduced();
    room.command(Action::PauseAudio).expect("paused");
    for _ in 0..62 {
        room.second(percent(90), bpm(112));
    }
    assert!(room.is_on(C::PulseRaised) && room.alarm(C::PulseRaised).priority == Low);
    assert_eq!(room.sounding(), []);
    for _ in 0..12 {
        room.second(percent(87), bpm(112));
    }
    assert_eq!(room.sounding(), [C::Spo2Low]);
    assert_eq!(room.bed.audio_paused_until(), None);
}

#[test]
fn r4_4_a_pause_of_a_silent_bed_ends_by_itself_too() {
    let mut room = Room::dosed(Route::Iv);
    room.command(Action::PauseAudio).expect("paused");
    room.steady(119);
    assert!(room.bed.audio_paused_until().is_some());
    room.steady(2);
    assert_eq!(room.bed.audio_paused_until(), None);
    assert_eq!(room.command(Action::ResumeAudio), Err(CommandRefusal::NotAsked));
}

fn switch_off(room: &mut Room, condition: C) -> Result<(), CommandRefusal> {
    room.command(Action::SwitchOff { condition, reason: OffReason::Expected })
}

#[test]
fn r4_4_a_condition_that_is_off_is_seen_and_not_heard_until_the_session_ends() {
    let mut room = Room::dosed(Route::Iv);
    switch_off(&mut room, C::PulseHigh).expect("off");
    for _ in 0..30 {
        room.pulse(135);
    }
    let alarm = room.alarm(C::PulseHigh);
    assert_eq!((alarm.presence, alarm.activation, alarm.sounds), (Presence::On, Activation::Off, false));
    for _ in 0..12 {
        room.pulse(155);
    }
    assert_eq!(room.sounding(), [C::PulseVeryHigh], "a graver one is heard");
    room.command(Action::SwitchOn { condition: C::PulseHigh }).expect("on again");
    assert_eq!(room.command(Action::SwitchOn { condition: C::PulseHigh }), Err(CommandRefusal::NotAsked));
}

#[test]
fn r4_4_what_is_off_does_not_mute_what_stands_under_it() {
    let mut room = Room::dosed(Route::Iv);
    switch_off(&mut room, C::PulseVeryHigh).expect("off");
    for _ in 0..30 {
        room.pulse(155);
    }
    assert_eq!(room.sounding(), [C::PulseHigh]);
}

#[test]
fn r4_4_the_gravest_are_never_off_nor_is_the_loss_of_the_signal_in_onset_and_window() {
    let mut room = Room::dosed(Route::Iv);
    for condition in [C::Spo2Critical, C::Spo2VeryLow, C::Spo2Low, C::NoPulse, C::Help, C::Spo2Unavailable] {
        assert_eq!(switch_off(&mut room, condition), Err(CommandRefusal::NeverOff), "{condition}");
    }
    let mut room = Room::empty();
    room.open(Route::Iv);
    room.steady(5);
    switch_off(&mut room, C::Spo2Unavailable).expect("before the dose it may");
    room.dose(Span::ZERO);
    room.absent(Absent::SensorOff, 12);
    assert_eq!(room.sounding(), [C::Spo2Unavailable], "and the dose switches it on again");
}

#[test]
fn r4_4_every_two_minutes_it_is_said_that_something_is_off() {
    let mut room = Room::dosed(Route::Iv);
    switch_off(&mut room, C::PulseHigh).expect("off");
    let off = room.sec();
    room.steady(250);
    let reminders = room.out.iter().filter_map(|output| match output {
        Output::Event(event) => match event.kind {
            EventKind::Reminder { off: count } => Some((event.at.as_millis() / 1_000, count)),
            _ => None,
        },
        _ => None,
    });
    let reminders: Vec<_> = reminders.collect();
    assert_eq!(reminders, [(off + 120, 1), (off + 240, 1)]);
    room.command(Action::SwitchOn { condition: C::PulseHigh }).expect("on");
    room.out.clear();
    room.steady(250);
    assert!(
        !room
            .out
            .iter()
            .any(|output| matches!(output, Output::Event(e) if matches!(e.kind, EventKind::Reminder { .. })))
    );
}

#[test]
fn r4_2_an_accepted_pressure_is_announced_again_by_the_next_reading_and_not_by_time() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.minutes(2);
    room.pressure(88, 62);
    room.acknowledge(C::SystolicLow).expect("accepted");
    room.out.clear();
    // The next reading is due after five minutes (R8.1), and not overdue for another one.
    room.minutes(5);
    assert_eq!(room.story_of(C::SystolicLow), [], "not by time alone");
    room.pressure(88, 62);
    assert_eq!(room.story_of(C::SystolicLow), [(room.sec(), Did::Reannounced(Medium))]);
    assert!(room.alarm(C::SystolicLow).sounds);
}

#[test]
fn r4_2_an_accepted_pressure_is_announced_again_when_the_next_reading_is_overdue() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.minutes(2);
    room.pressure(88, 62);
    room.acknowledge(C::SystolicLow).expect("accepted");
    room.out.clear();
    room.minutes(14);
    let overdue = room.alarm(C::PressureOverdue).since.as_millis() / 1_000;
    assert_eq!(room.story_of(C::SystolicLow).first(), Some(&(overdue, Did::Reannounced(Medium))));
}

#[test]
fn r5_11_help_is_high_at_once_for_anybody_until_it_is_over() {
    let mut room = Room::empty();
    assert_eq!(room.command(Action::HelpOver), Err(CommandRefusal::NotAsked));
    room.command(Action::Help).expect("called");
    assert_eq!(room.sounding(), [C::Help]);
    room.acknowledge(C::Help).expect("I'm going");
    assert_eq!(room.sounding(), []);
    room.command(Action::HelpOver).expect("over");
    assert_eq!(room.alarm(C::Help).presence, Presence::Off);
}

#[test]
fn r10_1_a_lost_broker_or_no_station_is_heard_at_the_bedside_at_once() {
    for (fault, condition) in [(BoxFault::Broker, C::BrokerLost), (BoxFault::Station, C::NoStation)] {
        let mut room = Room::dosed(Route::Iv);
        room.input(Input::Fault { fault, present: true });
        let lost = room.sec();
        room.steady(12);
        assert_eq!(room.story_of(condition), [(lost + 10, Did::Raised(Medium))]);
        assert!(room.alarm(condition).bedside, "{condition}");
        room.input(Input::Fault { fault, present: false });
        assert_eq!(room.alarm(condition).presence, Presence::Off);
    }
}

#[test]
fn r10_4_two_boxes_that_claim_one_bed_are_told() {
    let mut room = Room::dosed(Route::Iv);
    room.input(Input::Fault { fault: BoxFault::BedClaimed, present: true });
    assert_eq!((room.alarm(C::BedClaimedTwice).priority, room.sounding()), (Medium, vec![C::BedClaimedTwice]));
}

#[test]
fn r11_an_alarm_that_was_can_be_labelled_and_no_other() {
    use vitalsd_core::monitor::input::Label;
    let (mut room, _) = low();
    let label = |episode| Action::Label { condition: C::Spo2Low, episode, label: Label::Probe };
    assert!(room.command(label(1)).is_ok());
    assert_eq!(room.command(label(2)), Err(CommandRefusal::AlarmChanged { episode: 1, priority: None }));
    assert!(room.command(label(0)).is_err());
}
