//! Proves that each row of R7 does what is printed in it: at its exact limit, after its delay, until its hysteresis;
//! that its alarm names the value, the limit, the delay and the baseline; and that it keeps the worst of an episode.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use support::{CUFF, OXIMETER, Room, bpm, devices, percent};
use vitalsd_core::monitor::input::{Action, BoxFault, Input, Link, LossReason, Opening, Route};
use vitalsd_core::monitor::output::{Condition as C, Limit, Output, Presence, Priority, Value};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Measured, PulseRate, Spo2};

use Priority::{High, Low, Medium};

fn spo2(percent: u16) -> Spo2 {
    Spo2::percent(percent).expect("in range")
}

fn rate(bpm: u16) -> PulseRate {
    PulseRate::bpm(bpm).expect("in range")
}

fn bp(systolic: u16, diastolic: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, None).expect("in order")
}

/// A bed with a cuff, before its dose. Its readings give a baseline of 120/80, its first five minutes one of `spo2`
/// and 72 bpm.
fn before_dose(spo2: u16) -> Room {
    let mut room = Room::with(devices(Span::secs(1), true));
    room.link(OXIMETER, Link::Up);
    room.link(CUFF, Link::Up);
    room.open(Route::Iv);
    for _ in 0..3 {
        room.pressure(120, 80);
        (0..120).for_each(|_| room.spo2(spo2));
    }
    room
}

fn dosed(spo2: u16) -> Room {
    let mut room = before_dose(spo2);
    room.dose(Span::ZERO);
    room.spo2(spo2);
    room.out.clear();
    room
}

/// A row of the oximeter as R7 prints it.
struct Row {
    condition: C,
    priority: Priority,
    limit: Limit,
    /// The last value that violates it, and the next, which does not.
    violates: u16,
    spares: u16,
    /// The last value within its hysteresis, and the next, which ends it.
    holds: u16,
    ends: u16,
    /// d and clr, seconds.
    delay: u64,
    clears: u64,
}

impl Row {
    #[rustfmt::skip]
    const fn new(
        condition: C, priority: Priority, limit: Limit, values: [u16; 4], delay: u64, clears: u64,
    ) -> Self {
        let [violates, spares, holds, ends] = values;
        Self { condition, priority, limit, violates, spares, holds, ends, delay, clears }
    }

    fn second(&self, room: &mut Room, value: u16) {
        if self.is_of_the_pulse() { room.pulse(value) } else { room.spo2(value) }
    }

    fn is_of_the_pulse(&self) -> bool {
        matches!(self.limit, Limit::PulseAbove(_) | Limit::PulseBelow(_) | Limit::PulseAtMost(_))
    }

    fn value(&self, value: u16) -> Value {
        if self.is_of_the_pulse() { Value::Pulse(rate(value)) } else { Value::Spo2(spo2(value)) }
    }
}

/// With a baseline of 96 % and 72 bpm.
fn rows() -> [Row; 12] {
    use Limit::{PulseAbove, PulseAtMost, PulseBelow, Spo2AtMost, Spo2Below};
    [
        Row::new(C::Spo2Critical, High, Spo2Below(spo2(80)), [79, 80, 82, 83], 2, 15),
        Row::new(C::Spo2VeryLow, High, Spo2Below(spo2(85)), [84, 85, 87, 88], 5, 15),
        Row::new(C::Spo2Low, High, Spo2Below(spo2(88)), [87, 88, 89, 90], 10, 15),
        Row::new(C::Spo2Reduced, Medium, Spo2AtMost(spo2(91)), [91, 92, 92, 93], 15, 15),
        Row::new(C::Spo2Drift, Low, Spo2AtMost(spo2(93)), [93, 94, 94, 95], 60, 30),
        Row::new(C::Spo2BelowBaseline, Low, Spo2AtMost(spo2(92)), [92, 93, 92, 93], 60, 30),
        Row::new(C::PulseVeryHigh, High, PulseAbove(150), [151, 150, 146, 145], 10, 15),
        Row::new(C::PulseHigh, Medium, PulseAbove(130), [131, 130, 126, 125], 15, 15),
        Row::new(C::PulseHighSustained, Medium, PulseAbove(120), [121, 120, 116, 115], 300, 30),
        Row::new(C::PulseRaised, Low, PulseAbove(110), [111, 110, 106, 105], 60, 30),
        Row::new(C::PulseLow, Medium, PulseBelow(50), [49, 50, 52, 53], 15, 15),
        Row::new(C::PulseVeryLow, High, PulseAtMost(40), [40, 41, 43, 44], 10, 15),
    ]
}

#[test]
fn r7_rows_1a_to_11_each_begins_at_its_printed_limit_after_its_delay_and_ends_beyond_its_hysteresis() {
    for row in rows() {
        let (condition, mut room) = (row.condition, dosed(96));
        for _ in 0..row.delay + row.clears {
            row.second(&mut room, row.spares);
        }
        assert_eq!(room.alarm(condition).presence, Presence::Off, "{condition} at {}", row.spares);
        let start = room.sec();
        for _ in 0..=row.delay {
            row.second(&mut room, row.violates);
        }
        let alarm = room.alarm(condition).clone();
        assert_eq!((alarm.presence, alarm.priority), (Presence::On, row.priority), "{condition} at {}", row.violates);
        assert_eq!(alarm.since.as_millis(), (start + row.delay) * 1_000, "{condition} is late or early");
        for _ in 0..row.clears + 2 {
            row.second(&mut room, row.holds);
        }
        assert!(room.is_on(condition), "{condition} at {}", row.holds);
        let beyond = room.sec();
        for _ in 0..=row.clears {
            row.second(&mut room, row.ends);
        }
        let ended = room.alarm(condition).ended.map(Time::as_millis);
        assert_eq!(ended, Some((beyond + row.clears) * 1_000), "{condition} at {}", row.ends);
    }
}

#[test]
fn r3_4_an_alarm_of_the_oximeter_names_its_value_its_limit_its_delay_and_its_baseline() {
    for row in rows() {
        let mut room = dosed(96);
        for _ in 0..=row.delay {
            row.second(&mut room, row.violates);
        }
        let alarm = room.alarm(row.condition).clone();
        let value = Some(row.value(row.violates));
        assert_eq!((alarm.value, alarm.worst, alarm.limit), (value, value, Some(row.limit)), "{}", row.condition);
        assert_eq!(alarm.delay, Span::secs(row.delay), "{}", row.condition);
        let baseline = match row.condition {
            C::Spo2BelowBaseline => Some(Value::Spo2(spo2(96))),
            C::PulseLow => Some(Value::Pulse(rate(72))),
            _ => None,
        };
        assert_eq!(alarm.baseline, baseline, "{}", row.condition);
    }
}

#[test]
fn rows_25_and_34_name_what_they_are_about() {
    let mut room = dosed(97);
    for _ in 0..=10 {
        room.second(percent(97), Measured::Absent(Absent::NoPulse));
    }
    let alarm = room.alarm(C::NoPulse).clone();
    assert_eq!((alarm.value, alarm.limit), (Some(Value::Absent(Absent::NoPulse)), Some(Limit::NoPulse)));
    assert_eq!(alarm.delay, Span::secs(10));

    let combined = |saturation, pulse| {
        let mut room = dosed(97);
        for _ in 0..=10 {
            room.second(percent(saturation), bpm(pulse));
        }
        room.alarm(C::LowSpo2FastPulse).clone()
    };
    assert_eq!(combined(92, 130).presence, Presence::Off);
    assert_eq!(combined(91, 129).presence, Presence::Off);
    let alarm = combined(91, 130);
    assert_eq!((alarm.presence, alarm.priority, alarm.delay), (Presence::On, High, Span::secs(10)));
    assert_eq!(alarm.value, Some(Value::Spo2AndPulse(spo2(91), rate(130))));
    assert_eq!(alarm.limit, Some(Limit::Spo2AndPulse { at_most: spo2(91), at_least: 130 }));
}

/// A row of the blood pressure as R7 prints it.
struct PressureRow {
    condition: C,
    priority: Priority,
    limit: Limit,
    baseline: Option<Value>,
    /// Each of these violates it, and none of those.
    violate: [(u16, u16); 2],
    spare: [(u16, u16); 2],
    /// Within its hysteresis, and beyond it.
    holds: (u16, u16),
    ends: (u16, u16),
    /// It takes so many readings to end it.
    readings: usize,
}

/// With a baseline of 120/80, mean 93.3.
fn pressure_rows() -> [PressureRow; 8] {
    let at_least = |systolic, diastolic| Limit::PressureAtLeast { systolic, diastolic };
    let below = |systolic, mean| Limit::PressureBelow { systolic, mean };
    let row = |condition, priority, limit, violate, spare, [holds, ends]: [(u16, u16); 2]| PressureRow {
        condition,
        priority,
        limit,
        baseline: None,
        violate,
        spare,
        holds,
        ends,
        readings: 1,
    };
    let baseline = Some(Value::Pressure(bp(120, 80)));
    [
        row(C::PressureHigh, Low, at_least(160, 100), [(160, 80), (130, 100)], [(159, 99); 2], [(156, 95), (155, 95)]),
        row(
            C::PressureSevere,
            Medium,
            at_least(180, 110),
            [(180, 90), (150, 110)],
            [(179, 109); 2],
            [(175, 106), (175, 105)],
        ),
        PressureRow {
            readings: 2,
            ..row(
                C::PressureExtreme,
                High,
                at_least(200, 120),
                [(200, 90), (150, 120)],
                [(199, 119); 2],
                [(196, 115), (195, 115)],
            )
        },
        PressureRow {
            baseline,
            ..row(
                C::PressureRise,
                Low,
                at_least(160, 105),
                [(160, 80), (150, 105)],
                [(159, 104); 2],
                [(156, 100), (155, 100)],
            )
        },
        // 1.30 x 93.3 is 121.3; 160/102 has 121.3, 159/102 has 121.0; 152/102 has 118.7, 151/102 has 118.3.
        PressureRow {
            baseline,
            ..row(
                C::MeanRise,
                Low,
                Limit::MeanAtLeast(1_213),
                [(160, 102); 2],
                [(159, 102); 2],
                [(152, 102), (151, 102)],
            )
        },
        row(C::SystolicLow, Medium, below(Some(90), None), [(89, 70); 2], [(90, 70); 2], [(94, 70), (95, 70)]),
        // 95/49 has 64.3, 95/50 has 65; 95/53 has 67, 96/54 has 68.
        row(C::MeanLow, Medium, below(None, Some(65)), [(95, 49); 2], [(95, 50); 2], [(95, 53), (96, 54)]),
        // 85/39 has 54.3, 85/40 has 55.
        row(
            C::PressureVeryLow,
            High,
            below(Some(70), Some(55)),
            [(69, 50), (85, 39)],
            [(80, 50), (90, 45)],
            [(84, 60), (85, 60)],
        ),
    ]
}

#[test]
fn r7_rows_13_to_21_each_begins_at_its_printed_limit_and_ends_beyond_its_hysteresis() {
    for row in pressure_rows() {
        let condition = row.condition;
        for (systolic, diastolic) in row.spare {
            let mut room = dosed(97);
            room.pressure(systolic, diastolic);
            assert!(!room.is_on(condition), "{condition} at {systolic}/{diastolic}");
        }
        for (systolic, diastolic) in row.violate {
            let mut room = dosed(97);
            room.pressure(systolic, diastolic);
            assert!(room.is_on(condition), "{condition} at {systolic}/{diastolic}");
            assert_eq!(room.alarm(condition).priority, row.priority, "{condition} at {systolic}/{diastolic}");
            for (systolic, diastolic) in [row.holds, row.holds] {
                room.steady(61);
                room.pressure(systolic, diastolic);
                assert!(room.is_on(condition), "{condition} at {systolic}/{diastolic}");
            }
            for reading in 1..=row.readings {
                room.steady(61);
                room.pressure(row.ends.0, row.ends.1);
                assert_eq!(room.is_on(condition), reading < row.readings, "{condition} at {:?}", row.ends);
            }
        }
    }
}

#[test]
fn r3_4_an_alarm_of_the_pressure_names_its_value_its_limit_and_its_baseline() {
    for row in pressure_rows() {
        let mut room = dosed(97);
        let (systolic, diastolic) = row.violate[0];
        room.pressure(systolic, diastolic);
        let alarm = room.alarm(row.condition).clone();
        let value = Some(Value::Pressure(bp(systolic, diastolic)));
        assert_eq!((alarm.value, alarm.worst, alarm.limit), (value, value, Some(row.limit)), "{}", row.condition);
        assert_eq!((alarm.baseline, alarm.delay), (row.baseline, Span::ZERO), "{}", row.condition);
    }
}

#[test]
fn row_12_begins_above_140_or_90_and_above_150_for_a_person_over_65() {
    let elevated = |over_65, systolic, diastolic| {
        let mut room = Room::with(devices(Span::secs(1), true));
        room.command(Action::Open(Opening { over_65, ..Opening::by(Route::Iv) })).expect("opens");
        room.pressure(120, 80);
        room.steady(120);
        room.pressure(systolic, diastolic);
        let alarm = room.alarm(C::PressureElevated);
        (alarm.presence == Presence::On).then_some(alarm.limit)
    };
    let limit = |systolic| Some(Some(Limit::PressureAbove { systolic, diastolic: 90 }));
    for (over_65, systolic) in [(false, 140), (true, 150)] {
        assert_eq!(elevated(over_65, systolic, 90), None, "{systolic}/90");
        assert_eq!(elevated(over_65, systolic + 1, 80), limit(systolic), "{}/80", systolic + 1);
        assert_eq!(elevated(over_65, 130, 91), limit(systolic), "130/91");
    }
}

#[test]
fn rows_13_and_19_before_the_dose_have_limits_of_their_own() {
    let raised = |condition, systolic, diastolic| {
        let mut room = Room::with(devices(Span::secs(1), true));
        room.open(Route::Iv);
        room.pressure(120, 80);
        room.steady(120);
        room.pressure(systolic, diastolic);
        room.is_on(condition).then(|| room.alarm(condition).priority)
    };
    assert_eq!(raised(C::PressureHigh, 159, 99), None);
    assert_eq!(raised(C::PressureHigh, 160, 80), Some(Medium));
    assert_eq!(raised(C::PressureHigh, 140, 100), Some(Medium));
    assert_eq!(raised(C::SystolicLow, 100, 70), None);
    assert_eq!(raised(C::SystolicLow, 99, 70), Some(Medium));
}

#[test]
fn row_21_below_80_or_60_is_medium_and_the_second_in_a_row_is_high() {
    let after = |readings: &[(u16, u16)]| {
        let mut room = dosed(97);
        for (systolic, diastolic) in readings {
            room.pressure(*systolic, *diastolic);
            room.steady(60);
        }
        room.is_on(C::PressureVeryLow).then(|| room.alarm(C::PressureVeryLow).priority)
    };
    // 90/44 has 59.3, 90/45 has 60.
    assert_eq!([after(&[(80, 60)]), after(&[(90, 45)])], [None, None]);
    assert_eq!([after(&[(79, 60)]), after(&[(90, 44)])], [Some(Medium), Some(Medium)]);
    assert_eq!(after(&[(79, 60), (79, 60)]), Some(High));
    assert_eq!(after(&[(79, 60), (82, 60)]), Some(Medium), "a second that violates nothing");
}

#[test]
fn rows_22_31_and_35_begin_at_their_exact_limits() {
    // Row 22: pulse / SBP >= 1.0.
    for (pulse, on) in [(99, false), (100, true)] {
        let mut room = dosed(97);
        for _ in 0..2 {
            (0..60).for_each(|_| room.pulse(pulse));
            room.pressure(100, 70);
        }
        assert_eq!(room.is_on(C::ShockIndex), on, "{pulse} / 100");
    }
    // Row 31: SBP >= 150, and 3 mmHg a minute.
    for (readings, on) in [([119, 134, 149], false), ([120, 135, 150], true), ([122, 136, 151], false)] {
        let mut room = dosed(97);
        for systolic in readings {
            room.steady(300);
            room.pressure(systolic, 80);
        }
        assert_eq!(room.is_on(C::PressureClimbing), on, "{readings:?}");
    }
    // Row 35: SBP >= 180 and pulse <= 50.
    for (systolic, pulse, on) in [(180, 50, true), (179, 50, false), (180, 51, false)] {
        let mut room = dosed(97);
        (0..5).for_each(|_| room.pulse(pulse));
        room.pressure(systolic, 80);
        assert_eq!(room.is_on(C::HighPressureSlowPulse), on, "{systolic}, {pulse} bpm");
        if on {
            let alarm = room.alarm(C::HighPressureSlowPulse);
            assert_eq!(alarm.value, Some(Value::PressureAndPulse(bp(180, 80), rate(50))));
            assert_eq!(alarm.limit, Some(Limit::PressureAndPulse { systolic: 180, at_most: 50 }));
            assert_eq!(alarm.priority, High);
        }
    }
}

#[test]
fn row_31_neither_of_the_two_gaps_is_longer_than_two_and_a_half_intervals() {
    for gaps in [[25 * 60 + 1, 300], [300, 25 * 60 + 1]] {
        let mut room = Room::with(devices(Span::secs(1), true));
        room.link(OXIMETER, Link::Up);
        room.open(Route::Im);
        room.dose(Span::ZERO);
        room.steady(360);
        for (systolic, gap) in [90, 170, 250].into_iter().zip([gaps[0], gaps[1], 0]) {
            room.pressure(systolic, 80);
            room.steady(gap);
        }
        assert!(!room.is_on(C::PressureClimbing), "{gaps:?} s");
    }
}

/// The worst of an episode through these values, each for five seconds.
fn worst_of_spo2_and_pulse(condition: C, values: &[(u16, u16)]) -> Option<Value> {
    let mut room = dosed(97);
    let (saturation, pulse) = values[0];
    while !room.is_on(condition) {
        room.second(percent(saturation), bpm(pulse));
    }
    for (saturation, pulse) in values {
        (0..5).for_each(|_| room.second(percent(*saturation), bpm(*pulse)));
    }
    assert!(room.is_on(condition));
    room.alarm(condition).worst
}

#[test]
fn r2_the_worst_of_an_episode_of_the_oximeter_is_the_one_furthest_beyond_the_limit() {
    let saturation = |percent| Some(Value::Spo2(spo2(percent)));
    let pulse = |bpm| Some(Value::Pulse(rate(bpm)));
    let both = |percent, bpm| Some(Value::Spo2AndPulse(spo2(percent), rate(bpm)));
    let worst = worst_of_spo2_and_pulse;
    assert_eq!(worst(C::Spo2Low, &[(86, 72), (85, 72), (87, 72)]), saturation(85), "< L");
    assert_eq!(worst(C::Spo2Reduced, &[(91, 72), (89, 72), (90, 72)]), saturation(89), "<= L");
    assert_eq!(worst(C::PulseHigh, &[(97, 134), (97, 139), (97, 132)]), pulse(139), "> L");
    assert_eq!(worst(C::PulseLow, &[(97, 48), (97, 45), (97, 47)]), pulse(45), "< L");
    assert_eq!(worst(C::PulseVeryLow, &[(97, 39), (97, 36), (97, 38)]), pulse(36), "<= L");
    let of_both = worst(C::LowSpo2FastPulse, &[(90, 134), (89, 131), (90, 140)]);
    assert_eq!(of_both, both(89, 131), "the lowest saturation, and the pulse beside it");
}

/// The worst of an episode through these readings, five minutes apart, with this pulse.
fn worst_of_pressures(condition: C, pulse: u16, readings: &[(u16, u16)]) -> Option<Value> {
    let mut room = dosed(97);
    for (systolic, diastolic) in readings {
        (0..300).for_each(|_| room.pulse(pulse));
        room.pressure(*systolic, *diastolic);
    }
    assert!(room.is_on(condition));
    room.alarm(condition).worst
}

#[test]
fn r2_the_worst_of_an_episode_of_the_pressure_is_the_one_furthest_beyond_the_limit() {
    let pressure = |systolic, diastolic| Some(Value::Pressure(bp(systolic, diastolic)));
    let worst = |condition, readings: &[_]| worst_of_pressures(condition, 72, readings);
    assert_eq!(worst(C::PressureHigh, &[(162, 90), (171, 92), (165, 95)]), pressure(171, 92));
    assert_eq!(worst(C::PressureSevereConfirmed, &[(184, 90), (188, 92), (192, 94), (186, 99)]), pressure(192, 94));
    assert_eq!(worst(C::SystolicLow, &[(88, 60), (84, 62), (86, 58)]), pressure(84, 62));
    assert_eq!(worst(C::PressureVeryLow, &[(69, 50), (64, 52), (68, 48)]), pressure(64, 52));
    // Where the mean is judged it is the mean: 122.7, 126, 123.3; 63.3, 62, 62.7.
    assert_eq!(worst(C::MeanRise, &[(160, 104), (158, 110), (162, 104)]), pressure(158, 110));
    assert_eq!(worst(C::MeanLow, &[(94, 48), (98, 44), (96, 46)]), pressure(98, 44));
    // Row 22: 100 / 95, 100 / 91, 100 / 93. The first alone raises nothing.
    let index = worst_of_pressures(C::ShockIndex, 100, &[(95, 70), (95, 70), (91, 70), (93, 70)]);
    assert_eq!(index, Some(Value::ShockIndex(109)));
    // Row 31: the slope counts: 3.0, 3.6, 3.0 mmHg a minute.
    let climbing = worst(C::PressureClimbing, &[(120, 80), (135, 80), (150, 80), (171, 82), (180, 84)]);
    assert_eq!(climbing, Some(Value::PressureTrend(bp(171, 82), 360)));
}

#[test]
fn r2_the_worst_of_row_35_is_the_slowest_pulse() {
    let mut room = dosed(97);
    (0..5).for_each(|_| room.pulse(48));
    room.pressure(184, 80);
    for pulse in [48, 45, 47] {
        (0..5).for_each(|_| room.pulse(pulse));
    }
    let worst = room.alarm(C::HighPressureSlowPulse).worst;
    assert_eq!(worst, Some(Value::PressureAndPulse(bp(184, 80), rate(45))));
}

#[test]
fn row_35_ends_fifteen_seconds_after_its_pulse_is_three_above_50_to_the_millisecond() {
    let mut room = dosed(97);
    (0..5).for_each(|_| room.pulse(50));
    room.pressure(184, 80);
    for _ in 0..20 {
        room.pulse(52);
    }
    assert!(room.is_on(C::HighPressureSlowPulse), "52 is within the hysteresis");
    room.pass(Span::millis(137)); // at no whole second
    let quick = room.now;
    room.pulse(53);
    room.pass(Span::millis(300)); // the values come at other moments from now on
    (0..20).for_each(|_| room.pulse(54));
    assert_eq!(room.alarm(C::HighPressureSlowPulse).ended, Some(quick + Span::secs(15)));
}

#[test]
fn r2_the_worst_of_row_15_that_was_not_measured_again_is_the_highest_there_was() {
    let mut room = dosed(97);
    room.pressure(184, 90);
    room.steady(301);
    assert_eq!(room.alarm(C::PressureSevereConfirmed).worst, Some(Value::NotRemeasured(bp(184, 90))));
    for (systolic, worst) in [(190, 190), (186, 190)] {
        room.pressure(systolic, 90);
        assert_eq!(room.alarm(C::PressureSevereConfirmed).worst, Some(Value::Pressure(bp(worst, 90))));
        room.steady(60);
    }
}

#[test]
fn what_stays_as_it_is_is_told_once() {
    // The state of an alarm is a retained message: it is not sent again for every sample of a steady value.
    for (condition, saturation, pulse) in [
        (C::Spo2Low, 87, 72),
        (C::Spo2Reduced, 91, 72),
        (C::PulseHigh, 97, 135),
        (C::PulseLow, 97, 48),
        (C::LowSpo2FastPulse, 91, 134),
    ] {
        let mut room = dosed(97);
        while !room.is_on(condition) {
            room.second(percent(saturation), bpm(pulse));
        }
        room.acknowledge(condition).expect("accepted");
        room.out.clear();
        (0..20).for_each(|_| room.second(percent(saturation), bpm(pulse)));
        let told = room.out.iter().filter(|output| !matches!(output, Output::Oximetry(_))).collect::<Vec<_>>();
        assert!(told.iter().all(|output| !matches!(output, Output::Alarm(alarm) if alarm.condition == condition)));
        assert!(!told.iter().any(|output| matches!(output, Output::Session)), "nor is the session");
    }
    let mut room = dosed(97);
    (0..5).for_each(|_| room.pulse(48));
    room.pressure(184, 90);
    (0..5).for_each(|_| room.pulse(48));
    room.out.clear();
    (0..10).for_each(|_| room.pulse(48));
    let row_35 =
        |output: &Output| matches!(output, Output::Alarm(alarm) if alarm.condition == C::HighPressureSlowPulse);
    assert!(room.alarm(C::HighPressureSlowPulse).episode == 1 && !room.out.iter().any(row_35), "nor row 35");
    for (systolic, diastolic) in [(164, 90), (86, 70)] {
        let mut room = dosed(97);
        room.pressure(systolic, diastolic);
        room.steady(60);
        room.out.clear();
        room.pressure(systolic, diastolic);
        assert!(!room.out.iter().any(|output| matches!(output, Output::Alarm(_))), "nor the same reading");
    }
}

#[test]
fn r3_4_an_alarm_of_a_trend_names_its_limit_and_its_delay() {
    // Row 23: two percent a minute.
    let mut room = dosed(97);
    let mut second = 0;
    while !room.is_on(C::Spo2Falling) {
        room.spo2(100 - second / 20);
        second += 1;
    }
    let alarm = room.alarm(C::Spo2Falling).clone();
    assert_eq!(
        (alarm.limit, alarm.delay),
        (Some(Limit::Spo2Falling { per_min: 100, at_most: spo2(95) }), Span::secs(20))
    );
    assert!(matches!(alarm.value, Some(Value::Spo2Trend(_, -330..=-270))), "{:?}", alarm.value);

    // Row 24: twelve beats a minute, a minute.
    let mut room = dosed(97);
    let mut second = 0;
    while !room.is_on(C::PulseClimbing) {
        room.pulse(72 + second / 5);
        second += 1;
    }
    let alarm = room.alarm(C::PulseClimbing).clone();
    assert_eq!((alarm.limit, alarm.delay), (Some(Limit::PulseClimbing { per_min: 1_000, above: 100 }), Span::secs(30)));
    assert!(matches!(alarm.value, Some(Value::PulseTrend(_, 1_150..=1_250))), "{:?}", alarm.value);
}

#[test]
fn r3_4_an_alarm_of_the_equipment_names_its_delay_and_why() {
    let mut room = dosed(97);
    room.link(OXIMETER, Link::Lost(LossReason::Unplugged));
    room.pass(Span::secs(11));
    room.tick();
    let alarm = room.alarm(C::Spo2Unavailable).clone();
    assert_eq!((alarm.value, alarm.delay), (Some(Value::Absent(Absent::LinkLost)), Span::secs(10)));
    let mut room = dosed(97);
    room.link(CUFF, Link::Lost(LossReason::Silent));
    room.input(Input::Fault { fault: BoxFault::Broker, present: true });
    room.steady(11);
    let alarm = room.alarm(C::CuffLost).clone();
    assert_eq!((alarm.value, alarm.delay), (Some(Value::Lost(LossReason::Silent)), Span::secs(10)));
    assert_eq!(room.alarm(C::BrokerLost).delay, Span::secs(10));
}

#[test]
fn rows_29_and_30_name_what_raised_them() {
    // Row 29: five points below 90 each second make 50 in ten.
    let mut room = dosed(97);
    for value in [94, 91, 88] {
        room.spo2(value);
    }
    while !room.is_on(C::Spo2Burden) {
        room.spo2(85);
    }
    let alarm = room.alarm(C::Spo2Burden).clone();
    assert_eq!(alarm.limit, Some(Limit::Burden { below: spo2(90), points: 50 }));
    assert!(matches!(alarm.value, Some(Value::Burden(Some(50..)))), "{:?}", alarm.value);
    assert_eq!(alarm.priority, Medium);

    // Its safety net: three violations of three seconds in a minute have no such sum.
    let mut room = dosed(93);
    for _ in 0..3 {
        for value in [92, 89, 89, 89, 89, 92, 93, 93, 93, 93] {
            room.spo2(value);
        }
    }
    let alarm = room.alarm(C::Spo2Burden).clone();
    assert_eq!((alarm.presence, alarm.value), (Presence::On, Some(Value::Burden(None))));

    // Row 30.
    for (pause, within, priority) in [(280, 15, Low), (60, 5, Medium)] {
        let mut room = dosed(97);
        room.steady(180);
        for _ in 0..3 {
            for value in [95, 93, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 93, 95] {
                room.spo2(value);
            }
            room.steady(pause);
        }
        let alarm = room.alarm(C::Desaturations).clone();
        assert_eq!((alarm.presence, alarm.priority), (Presence::On, priority));
        assert_eq!(alarm.limit, Some(Limit::Desaturations { count: 3, within: Span::mins(within) }));
        assert_eq!(alarm.value, Some(Value::Desaturations(3)));
    }
}

#[test]
fn row_33_a_fall_of_exactly_a_fifth_is_none() {
    for (to, on) in [(72, false), (71, true)] {
        let mut room = dosed(97);
        (0..120).for_each(|_| room.second(percent(90), bpm(90)));
        (0..21).for_each(|_| room.second(percent(90), bpm(to)));
        assert_eq!(room.is_on(C::LowSpo2PulseFalling), on, "from 90 to {to}");
        if on {
            assert_eq!(room.alarm(C::LowSpo2PulseFalling).limit, Some(Limit::PulseFall(20)));
            assert_eq!(room.alarm(C::LowSpo2PulseFalling).value, Some(Value::Spo2AndPulse(spo2(90), rate(71))));
            (0..2).for_each(|_| room.second(percent(90), bpm(72)));
            assert!(!room.is_on(C::LowSpo2PulseFalling), "72 is not less than four fifths of 90");
        }
    }
}

#[test]
fn rows_23_and_24_need_both_the_trend_and_the_level() {
    let raised = |condition, seconds: u16, value: &dyn Fn(u16) -> (u16, u16)| {
        let mut room = dosed(97);
        for second in 0..seconds {
            let (saturation, pulse) = value(second);
            room.second(percent(saturation), bpm(pulse));
        }
        room.alarm(condition).episode > 0
    };
    assert!(!raised(C::Spo2Falling, 300, &|_| (95, 72)), "low, and steady");
    assert!(!raised(C::Spo2Falling, 200, &|t| (100 - t.min(160) / 40, 72)), "falling, and not yet at 95");
    assert!(raised(C::Spo2Falling, 300, &|t| (100 - t / 20, 72)));
    assert!(!raised(C::PulseClimbing, 300, &|_| (97, 108)), "fast, and steady");
    assert!(!raised(C::PulseClimbing, 240, &|t| (97, 50 + t / 5)), "climbing, and not yet above 100");
    assert!(raised(C::PulseClimbing, 300, &|t| (97, 72 + t / 5)));
}

#[test]
fn r2_4_rows_23_and_24_are_not_ended_by_data_that_were_missing() {
    for condition in [C::Spo2Falling, C::PulseClimbing] {
        let mut room = dosed(97);
        let mut t = 0;
        while !room.is_on(condition) {
            room.second(percent(100 - t / 20), bpm(72 + t / 5));
            t += 1;
        }
        let (saturation, pulse) = (100 - t / 20, 72 + t / 5);
        // After more than a minute without data the trend begins anew (R7): until there is one, it stands.
        room.absent(Absent::Searching, 65);
        (0..60).for_each(|_| room.second(percent(saturation), bpm(pulse)));
        assert!(room.is_on(condition), "{condition}: a minute is no trend");
        (0..120).for_each(|_| room.second(percent(saturation), bpm(pulse)));
        assert!(!room.is_on(condition), "{condition}: three minutes of steady values are");
    }
}
