//! Proves that what a hostile reading of the monitor found stays mended: no change of phase, late reading, old latch,
//! acceptance or other patient keeps a violating patient silent.

#![allow(clippy::cast_precision_loss, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::Device;
use vitalsd_core::monitor::input::{Action, DeviceIndex, Input, Link, LossReason, Route};
use vitalsd_core::monitor::output::{Condition as C, Output, Presence, Priority};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, Oximetry, Sample};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured};

fn cuffed() -> Room {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room
}
fn sec(room: &Room) -> u64 {
    room.now.as_millis() / 1000
}
fn manual(room: &mut Room, s: u16, d: u16, ago: Span) {
    room.command(Action::Pressure { pressure: BloodPressure::full(s, d, None).unwrap(), ago }).unwrap();
}

#[test]
fn r5_5_a_change_of_phase_does_not_end_an_overdue_reading() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.steady(44 * 60);
    room.pressure(128, 80);
    room.out.clear();
    room.steady(40 * 60);
    let story: Vec<_> = room.story_of(C::PressureOverdue).into_iter().map(|(s, d)| (s as f64 / 60.0, d)).collect();
    assert!(!story.iter().any(|(_, d)| *d == Did::Cleared), "{story:?}");
}

#[test]
fn row_27_the_dose_does_not_end_an_overdue_reading() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.steady(5 * 60);
    room.dose(Span::ZERO);
    room.steady(30 * 60);
    let story: Vec<_> = room.story_of(C::PressureOverdue).into_iter().map(|(s, d)| (s as f64 / 60.0, d)).collect();
    assert!(!story.iter().any(|(_, d)| *d == Did::Cleared), "{story:?}");
}

#[test]
fn r3_1_an_accepted_loss_of_the_pulse_does_not_hide_a_later_loss_of_everything() {
    let mut room = Room::dosed(Route::Iv);
    room.absent(Absent::NoPulse, 15);
    room.acknowledge(C::NoPulse).unwrap();
    room.steady(5); // found again for 5 s, then the probe comes off
    room.out.clear();
    room.absent(Absent::SensorOff, 45 * 60);
    let any = room.bed.alarms().any(|a| a.sounds);
    assert!(any, "nothing sounds after 45 min without any data in the window");
}

#[test]
fn r8_3_a_pressure_typed_in_late_does_not_end_what_a_newer_one_raised() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.steady(20 * 60);
    room.pressure(66, 40);
    assert_eq!(room.alarm(C::PressureVeryLow).presence, Presence::On);
    room.steady(30);
    manual(&mut room, 118, 70, Span::mins(8));
    let a = room.alarm(C::PressureVeryLow).clone();
    assert_eq!(a.presence, Presence::On, "ended by a reading that is older than the one that raised it");
}

#[test]
fn row_15_a_pressure_typed_in_late_confirms() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.steady(20 * 60);
    room.pressure(184, 112);
    room.steady(60);
    manual(&mut room, 186, 114, Span::mins(4));
    assert_eq!(room.alarm(C::PressureSevereConfirmed).presence, Presence::On);
}

#[test]
fn r5_1_a_watched_room_keeps_an_alarm_that_nobody_has_accepted() {
    let mut room = cuffed();
    room.steady(90);
    assert!(room.bed.armed());
    room.pressure(66, 40);
    room.steady(5);
    assert!(room.alarm(C::PressureVeryLow).sounds);
    room.absent(Absent::SensorOff, 180);
    let a = room.alarm(C::PressureVeryLow).clone();
    assert_ne!(a.presence, Presence::Off);
}

#[test]
fn r2_4_a_watched_room_keeps_an_accepted_alarm_while_data_are_missing() {
    let mut room = Room::empty();
    room.link(OXIMETER, Link::Up);
    room.steady(90);
    for _ in 0..12 {
        room.spo2(78);
    }
    room.acknowledge(C::Spo2Critical).unwrap();
    room.absent(Absent::Searching, 180);
    assert_eq!(room.alarm(C::Spo2Critical).presence, Presence::On, "R2.4: absent data never end it");
}

#[test]
fn r4_1_an_accepted_fast_pulse_does_not_mute_a_slow_one() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..20 {
        room.pulse(160);
    }
    room.acknowledge(C::PulseVeryHigh).unwrap();
    for t in 0..60 {
        // one flagged beat every 12 s
        let p = if t % 12 == 5 { bpm(44).doubted(Doubt::Artefact) } else { bpm(44) };
        room.second(percent(97), p);
    }
    let a = room.alarm(C::PulseLow).clone();
    assert!(a.sounds);
}

#[test]
fn row_10_a_slow_pulse_is_raised_at_once_after_a_fast_one() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..20 {
        room.pulse(160);
    }
    room.out.clear();
    let t0 = sec(&room);
    for _ in 0..60 {
        room.pulse(44);
    }
    let s: Vec<_> = room.story_of(C::PulseLow).into_iter().map(|(t, d)| (t - t0, d)).collect();
    assert_eq!(s.first(), Some(&(15, Did::Raised(Priority::Medium))));
}

#[test]
fn r2_5_an_old_latch_does_not_swallow_a_new_one() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..12 {
        room.spo2(83);
    }
    room.steady(20 * 60);
    assert_eq!(room.alarm(C::Spo2VeryLow).presence, Presence::Latched);
    for _ in 0..40 {
        room.spo2(86);
    }
    assert!(room.alarm(C::Spo2Low).sounds);
    room.steady(17);
    let a = room.alarm(C::Spo2Low).clone();
    assert_eq!(a.presence, Presence::Latched);
}

#[test]
fn r2_6_what_ended_under_a_latch_comes_back_within_five_seconds() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..30 {
        room.spo2(83);
    }
    room.steady(60);
    room.out.clear();
    let t0 = sec(&room);
    for _ in 0..30 {
        room.spo2(87);
    }
    let s: Vec<_> = room.story_of(C::Spo2Low).into_iter().map(|(t, d)| (t - t0, d)).collect();
    assert_eq!(s.first().map(|x| x.0), Some(5));
}

#[test]
fn r5_9_a_reading_from_before_the_session_is_no_baseline() {
    let mut room = cuffed();
    room.pass(Span::mins(60));
    room.open(Route::Iv);
    room.steady(30);
    // cable comes back: the monitor still holds what was measured 20 min ago on somebody else
    let result = CuffResult {
        at: room.now,
        measured_at: room.now - Span::mins(20),
        origin: CuffOrigin::Bedside,
        pressure: Ok(BloodPressure::full(188, 114, None).unwrap()),
        pulse: Measured::Absent(Absent::NotMeasured),
    };
    room.input(Input::Sample { device: CUFF, sample: Sample::CuffResult(result) });
    assert_eq!(room.bed.session().baseline().count(), 0);
}

#[test]
fn row_15_a_reading_from_before_the_session_confirms_nothing() {
    let mut room = cuffed();
    room.pass(Span::mins(60));
    room.pressure(184, 112); // no session, nobody watched
    room.pass(Span::mins(3));
    room.open(Route::Iv);
    room.tick();
    room.steady(60);
    room.pressure(182, 111);
    assert_eq!(room.alarm(C::PressureSevereConfirmed).presence, Presence::Off);
}

#[test]
fn row_21_a_pressure_that_falls_again_does_not_ease_it() {
    let mut room = cuffed();
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.steady(10 * 60);
    for (s, d) in [(66, 40), (82, 55), (78, 50)] {
        room.pressure(s, d);
        room.steady(60);
    }
    assert_eq!(room.alarm(C::PressureVeryLow).priority, Priority::High);
}

#[test]
fn r6_a_lost_source_of_the_pulse_is_told() {
    let dev = |q: Vec<Quantity>| Device {
        cadence: Span::secs(1),
        primary: q,
        starts_cuff: false,
        cuff_rest: Span::secs(30),
        pleth_full_scale: None,
    };
    let mut room = Room::with(vec![dev(vec![Quantity::Spo2]), dev(vec![Quantity::Pulse])]);
    let both = |room: &mut Room, p: bool| {
        let na = Measured::Absent(Absent::NotMeasured);
        let o = Oximetry { at: room.now, spo2: percent(97), pulse: na, perfusion_index: na_pi() };
        room.input(Input::Sample { device: DeviceIndex(0), sample: Sample::Oximetry(o) });
        if p {
            let o = Oximetry {
                at: room.now,
                spo2: Measured::Absent(Absent::NotMeasured),
                pulse: bpm(72),
                perfusion_index: na_pi(),
            };
            room.input(Input::Sample { device: DeviceIndex(1), sample: Sample::Oximetry(o) });
        }
        room.pass(Span::secs(1));
    };
    room.link(DeviceIndex(0), Link::Up);
    room.link(DeviceIndex(1), Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    for _ in 0..30 {
        both(&mut room, true);
    }
    room.link(DeviceIndex(1), Link::Lost(LossReason::Unplugged));
    for _ in 0..1800 {
        both(&mut room, false);
    }
    assert!(room.bed.alarms().next().is_some(), "pulse lost for 30 min in the window and nothing says so");
}
fn na_pi() -> Measured<vitalsd_core::vitals::PerfusionIndex> {
    Measured::Absent(Absent::NotMeasured)
}

#[test]
fn r1_4_a_pulse_out_of_range_is_not_silent() {
    let mut room = Room::dosed(Route::Iv);
    for _ in 0..600 {
        room.second(percent(95), bpm(18));
    }
    assert!(room.bed.alarms().next().is_some(), "device counts 18 bpm for 10 min: silent");
}

#[test]
fn r8_4_an_overdue_reading_is_held_while_the_cuff_tries() {
    let mut d = devices(Span::secs(1), true);
    d[1].starts_cuff = true;
    let mut room = Room::with(d);
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    // every determination fails after 40 s
    let mut ends = None;
    for _ in 0..(60 * 60) {
        let started = room.out.iter().any(|o| matches!(o, Output::Request { .. }));
        if started {
            ends = Some(room.now + Span::secs(40));
            room.out.retain(|o| !matches!(o, Output::Request { .. }));
        }
        if ends.is_some_and(|e| e <= room.now) {
            ends = None;
            let r = CuffResult {
                at: room.now,
                measured_at: room.now,
                origin: CuffOrigin::Schedule,
                pressure: Err(CuffFailure::PressureTimeout),
                pulse: Measured::Absent(Absent::NotMeasured),
            };
            room.input(Input::Sample { device: CUFF, sample: Sample::CuffResult(r) });
        }
        room.spo2(97);
    }
    let s: Vec<_> = room.story_of(C::PressureOverdue).into_iter().map(|(t, d)| (t as f64 / 60.0, d)).collect();
    assert!(s.iter().filter(|(_, d)| *d == Did::Cleared).count() == 0);
}
