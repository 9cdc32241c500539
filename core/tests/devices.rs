//! Proves: a device of which the protocol is not known yet is missed as if it were not there, its terms hold from
//! the moment at which it is known, and another device than before is told and not attributed in silence.

mod support;

use support::{CUFF, Did, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::driver::{PROTOCOLS, Protocol, Quantity, Request, contec, dinamap, nonin};
use vitalsd_core::monitor::Device;
use vitalsd_core::monitor::input::{Input, Link, LossReason, Route};
use vitalsd_core::monitor::output::{Condition as C, Output, Priority};
use vitalsd_core::sample::{CuffOrigin, CuffResult, CuffState, IdentityPart, Notice, Sample, Text};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, BloodPressure, Measured};

const SOURCE: [Quantity; 2] = [Quantity::Spo2, Quantity::Pulse];

fn oximeters() -> Vec<&'static Protocol> {
    PROTOCOLS.iter().copied().filter(|protocol| protocol.measures(Quantity::Spo2)).collect()
}

fn equip(room: &mut Room, device: vitalsd_core::monitor::input::DeviceIndex, terms: &Device) {
    let now = room.now;
    room.bed.equip(device, terms, now, &mut |output| room.out.push(output));
}

/// What a bed says of missing SpO2 in the two minutes after the dose, with its device at `link`.
fn unavailable(device: Device, links: &[(u64, Link)]) -> Vec<(u64, Did)> {
    let mut room = Room::with(vec![device]);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.out.clear();
    for second in 0..130 {
        for (_, link) in links.iter().filter(|(at, _)| *at == second) {
            room.link(OXIMETER, *link);
        }
        room.tick();
        room.pass(Span::secs(1));
    }
    room.story()
        .into_iter()
        .filter(|(_, condition, _)| *condition == C::Spo2Unavailable)
        .map(|(s, _, did)| (s, did))
        .collect()
}

#[test]
fn r6_while_a_device_is_hunted_for_its_absence_is_the_alarm_of_a_device_that_is_not_there() {
    let absent = unavailable(Device::of(&contec::V7_PROTOCOL, &SOURCE), &[(0, Link::Lost(LossReason::NotFound))]);
    assert_eq!(absent[..2], [(10, Did::Raised(Priority::Medium)), (60, Did::Worsened(Priority::High))]);
    let hunted = Device::one_of(&oximeters(), &SOURCE);
    for links in [
        // The port is open, and nothing is understood.
        vec![(0, Link::Opened)],
        vec![(0, Link::Opened), (10, Link::Lost(LossReason::Silent)), (40, Link::Lost(LossReason::ChecksumStorm))],
        vec![],
    ] {
        assert_eq!(unavailable(hunted.clone(), &links), absent, "{links:?}");
    }
}

#[test]
fn r3_3_a_cuff_that_is_hunted_for_is_told_as_not_connected() {
    let mut cuff = devices(Span::secs(1), true);
    cuff[1] = Device::one_of(&[&dinamap::PROTOCOL], &[Quantity::BloodPressure]);
    let mut room = Room::with(cuff);
    room.open(Route::Iv);
    room.link(CUFF, Link::Opened);
    room.steady(10);
    room.link(CUFF, Link::Lost(LossReason::Silent));
    room.steady(11);
    assert!(room.is_on(C::CuffLost));
}

#[test]
fn r1_2_a_value_is_stale_by_the_cadence_of_the_device_that_was_found() {
    // Max(3 s, 2.5 x cadence): 10 s before it is known, 3 s after.
    let slow = Device { cadence: Span::secs(4), ..Device::one_of(&oximeters(), &SOURCE) };
    for (known, fresh_s) in [(false, 9), (true, 2)] {
        let mut room = Room::with(vec![slow.clone()]);
        if known {
            equip(&mut room, OXIMETER, &Device::of(&nonin::DF1, &SOURCE));
        }
        room.spo2(97);
        room.pass(Span::secs(fresh_s - 1));
        room.tick();
        assert_eq!(room.bed.oximeter().spo2().held(), percent(97));
        room.pass(Span::secs(1));
        room.tick();
        assert_eq!(room.bed.oximeter().spo2().held(), Measured::Absent(Absent::Stale));
    }
}

#[test]
fn r8_a_cuff_is_started_from_the_moment_at_which_it_is_known_to_start() {
    let mut cuff = devices(Span::secs(1), true);
    cuff[1] = Device::one_of(&[&dinamap::PROTOCOL], &[Quantity::BloodPressure]);
    let mut room = Room::with(cuff);
    let starts = |room: &Room| {
        room.out.iter().filter(|output| matches!(output, Output::Request { request: Request::StartCuff, .. })).count()
    };
    room.open(Route::Iv);
    room.steady(30);
    assert_eq!(starts(&room), 0, "nobody knows what to ask");
    equip(&mut room, CUFF, &Device::of(&dinamap::PROTOCOL, &[Quantity::BloodPressure]));
    room.link(CUFF, Link::Up);
    room.steady(2);
    assert_eq!(starts(&room), 1);
}

#[test]
fn r1_6_what_a_device_is_the_source_of_is_not_changed_by_what_it_turns_out_to_be() {
    let mut room = Room::with(devices(Span::secs(1), true));
    equip(&mut room, CUFF, &Device::of(&contec::V7_PROTOCOL, &SOURCE));
    room.spo2(97);
    let sample = Sample::Oximetry(vitalsd_core::sample::Oximetry {
        at: room.now,
        spo2: percent(80),
        pulse: bpm(40),
        perfusion_index: Measured::Absent(Absent::NotMeasured),
    });
    room.input(Input::Sample { device: CUFF, sample });
    assert_eq!(room.bed.oximeter().spo2().held(), percent(97));
}

fn says(room: &mut Room, part: IdentityPart, text: &str) {
    let sample = Sample::Identity { at: room.now, part, text: Text::from_device(text.as_bytes()) };
    room.input(Input::Sample { device: OXIMETER, sample });
}

#[test]
fn r1_6_another_device_is_a_question_that_a_person_or_the_old_device_answers() {
    for part in [IdentityPart::Serial, IdentityPart::Model, IdentityPart::Adapter, IdentityPart::Protocol] {
        let mut room = Room::dosed(Route::Iv);
        says(&mut room, part, "A1");
        room.steady(2);
        assert!(!room.is_on(C::AnotherDevice), "{part:?}: the first is no other");
        says(&mut room, part, "B2");
        assert_eq!(room.alarm(C::AnotherDevice).priority, Priority::Medium);
        assert!(room.sounding().contains(&C::AnotherDevice));
        says(&mut room, part, "A1");
        assert!(!room.is_on(C::AnotherDevice), "{part:?}: the old one is back");
        says(&mut room, part, "B2");
        room.acknowledge(C::AnotherDevice).expect("it is this patient's");
        room.tick();
        assert!(!room.is_on(C::AnotherDevice));
        says(&mut room, part, "A1");
        assert!(room.is_on(C::AnotherDevice), "{part:?}: now that is another");
    }
}

#[test]
fn r1_5_the_values_of_another_device_are_judged_as_before() {
    let mut room = Room::dosed(Route::Iv);
    says(&mut room, IdentityPart::Serial, "A1");
    says(&mut room, IdentityPart::Serial, "B2");
    room.steady(15);
    assert!(room.is_on(C::AnotherDevice) && !room.is_on(C::Spo2Unavailable));
    // Row 3 would be blind to a value that is in doubt.
    for _ in 0..40 {
        room.spo2(89);
    }
    assert!(room.is_on(C::Spo2Reduced), "{:?}", room.present());
}

#[test]
fn r4_3_an_unanswered_question_after_another_device_does_not_grow_graver() {
    let mut room = Room::dosed(Route::Iv);
    says(&mut room, IdentityPart::Serial, "A1");
    says(&mut room, IdentityPart::Serial, "B2");
    room.steady(600);
    assert_eq!(room.alarm(C::AnotherDevice).priority, Priority::Medium);
}

#[test]
fn r1_6_without_a_session_a_device_may_be_exchanged_and_the_opening_takes_it_as_it_is() {
    let mut room = Room::empty();
    says(&mut room, IdentityPart::Serial, "A1");
    says(&mut room, IdentityPart::Serial, "B2");
    assert!(!room.is_on(C::AnotherDevice));
    room.open(Route::Iv);
    assert!(!room.is_on(C::AnotherDevice));
    says(&mut room, IdentityPart::Serial, "A1");
    assert!(room.is_on(C::AnotherDevice));
}

#[test]
fn r10_5_one_monitor_whose_alarm_is_on_says_nothing_of_the_other_whose_alarm_is_off() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.open(Route::Iv);
    let says = |room: &mut Room, device, notice| {
        let sample = Sample::Notice { at: room.now, notice };
        room.input(Input::Sample { device, sample });
        room.is_on(C::MonitorAlarmOff)
    };
    assert!(says(&mut room, OXIMETER, Notice::OwnAlarmOff), "muted");
    assert!(says(&mut room, CUFF, Notice::OwnAlarmOn), "the other one's alarm is on");
    assert!(says(&mut room, CUFF, Notice::OwnAlarmOff), "both are off");
    assert!(says(&mut room, OXIMETER, Notice::OwnAlarmOn), "one still is");
    assert!(!says(&mut room, CUFF, Notice::OwnAlarmOn), "none is");
}

#[test]
fn r10_5_what_speaks_another_protocol_is_not_the_monitor_whose_alarm_was_off() {
    let mut room = Room::dosed(Route::Iv);
    says(&mut room, IdentityPart::Protocol, "masimo-ascii1");
    room.input(Input::Sample {
        device: OXIMETER,
        sample: Sample::Notice { at: room.now, notice: Notice::OwnAlarmOff },
    });
    room.tick();
    says(&mut room, IdentityPart::Protocol, "masimo-ascii1");
    assert!(room.is_on(C::MonitorAlarmOff), "found again, and still off");
    says(&mut room, IdentityPart::Protocol, "nonin-df2");
    assert!(!room.is_on(C::MonitorAlarmOff), "a Nonin never says that it is on");
}

#[test]
fn r1_2_a_source_slower_than_four_seconds_is_no_alarm_source_for_spo2_or_pulse() {
    let raised = |cadence: u64| {
        let mut room = Room::with(devices(Span::secs(cadence), false));
        room.link(OXIMETER, Link::Up);
        room.open(Route::Iv);
        room.dose(Span::ZERO);
        let mut raised = Vec::new();
        for (spo2, pulse) in [(percent(70), bpm(160)), (percent(70), bpm(30)), (percent(97), NO_PULSE)] {
            for _ in 0..90 / cadence {
                room.second(spo2, pulse);
                room.pass(Span::secs(cadence - 1));
            }
            raised.extend(room.story().into_iter().map(|(_, condition, _)| condition));
        }
        raised
    };
    let about_the_patient = |conditions: &[C]| {
        [C::Spo2Critical, C::PulseVeryHigh, C::LowSpo2FastPulse, C::PulseVeryLow, C::NoPulse]
            .map(|condition| conditions.contains(&condition))
    };
    assert_eq!(about_the_patient(&raised(3)), [true; 5]);
    assert_eq!(about_the_patient(&raised(5)), [false; 5]);
}

const NO_PULSE: Measured<vitalsd_core::vitals::PulseRate> = Measured::Absent(Absent::NoPulse);

#[test]
fn r1_6_only_the_primary_source_of_the_pressure_measures_loses_or_inflates_it() {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    room.dose(Span::ZERO);
    room.steady(5);
    let pressure = Ok(BloodPressure::full(186, 100, None).expect("in order"));
    let (at, pulse) = (room.now, Measured::Absent(Absent::NotMeasured));
    let result = CuffResult { at, measured_at: at, origin: CuffOrigin::Bedside, pressure, pulse };
    let inflating = Sample::CuffState { at, state: CuffState::Inflating };
    room.input(Input::Sample { device: OXIMETER, sample: Sample::CuffResult(result) });
    assert_eq!((room.bed.newest_pressure(), room.is_on(C::PressureSevere)), (None, false));
    room.input(Input::Sample { device: OXIMETER, sample: inflating });
    assert!(!room.bed.cuff().under_way());
    room.input(Input::Sample { device: CUFF, sample: inflating });
    room.link(OXIMETER, Link::Lost(LossReason::Unplugged));
    assert!(room.bed.cuff().under_way(), "the loss of the oximeter is no loss of the cuff");
    room.input(Input::Sample { device: CUFF, sample: Sample::CuffResult(result) });
    assert!(room.is_on(C::PressureSevere));
}
