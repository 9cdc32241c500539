//! What an alarm says, word by word.

use super::*;
use vitalsd_core::monitor::input::LossReason;
use vitalsd_core::monitor::observation::Responsiveness;
use vitalsd_core::monitor::output::{Activation, Limit, Presence, Priority};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{BloodPressure, PulseRate, Spo2};

/// Row 2 in the window: 86 % since second 100, active at 110, seen at 112.
pub fn spo2_low() -> Alarm {
    Alarm {
        condition: Condition::Spo2Low,
        priority: Priority::High,
        presence: Presence::On,
        activation: Activation::On,
        episode: 1,
        announced: true,
        sounds: true,
        bedside: false,
        escalated: None,
        ack: None,
        since: Time::from_millis(110_000),
        ended: None,
        value: Spo2::percent(86).map(Value::Spo2),
        worst: Spo2::percent(85).map(Value::Spo2),
        limit: Spo2::percent(88).map(Limit::Spo2Below),
        baseline: None,
        delay: Span::secs(10),
        stale: false,
        phase: Phase::Window,
        at: Time::from_millis(112_000),
    }
}

fn pressure_alarm(condition: Condition, bp: (u16, u16), limit: Limit) -> Alarm {
    Alarm {
        condition,
        value: BloodPressure::full(bp.0, bp.1, None).map(Value::Pressure),
        limit: Some(limit),
        delay: Span::ZERO,
        at: Time::from_millis(110_000),
        ..spo2_low()
    }
}

#[test]
fn r3_4_an_alarm_says_what_value_limit_how_long_and_in_which_phase() {
    assert_eq!(reason(&spo2_low()), "SpO2 86 %, below 88 % for 12 s, in the window");
    let pulse = Alarm {
        condition: Condition::PulseHigh,
        value: PulseRate::bpm(141).map(Value::Pulse),
        limit: Some(Limit::PulseAbove(130)),
        delay: Span::secs(15),
        phase: Phase::Onset,
        at: Time::from_millis(295_000),
        ..spo2_low()
    };
    assert_eq!(reason(&pulse), "pulse 141 bpm, above 130 bpm for 3 min 20 s, in the onset");
}

#[test]
fn a_pressure_is_said_with_the_limits_of_its_row() {
    let high = Limit::PressureAtLeast { systolic: 180, diastolic: 110 };
    assert_eq!(
        reason(&pressure_alarm(Condition::PressureSevere, (184, 104), high)),
        "BP 184/104 mmHg, at or above 180/110 mmHg, in the window"
    );
    let low = Limit::PressureBelow { systolic: None, mean: Some(65) };
    assert_eq!(
        reason(&pressure_alarm(Condition::MeanLow, (84, 50), low)),
        "BP 84/50 mmHg, mean 61, below mean 65 mmHg, in the window"
    );
}

#[test]
fn a_technical_alarm_says_why_there_is_nothing() {
    let technical = |condition, value| Alarm {
        condition,
        value: Some(value),
        limit: None,
        since: Time::from_millis(110_000),
        at: Time::from_millis(115_000),
        ..spo2_low()
    };
    assert_eq!(
        reason(&technical(Condition::Spo2Unavailable, Value::Absent(Absent::SensorOff))),
        "no SpO2 or no pulse rate: sensor off for 15 s, in the window"
    );
    assert_eq!(
        reason(&technical(Condition::PressureOverdue, Value::Since(Time::from_millis(115_000) - Span::secs(100)))),
        "BP overdue for 1 min 40 s, in the window"
    );
    assert_eq!(
        reason(&technical(Condition::AllLost, Value::Lost(LossReason::Unplugged))),
        "all devices lost: unplugged for 15 s, in the window"
    );
    assert_eq!(
        reason(&technical(Condition::CuffFailed, Value::CuffFailure(CuffFailure::PumpTimeout))),
        "cuff failed twice: measure by hand (leak or loose cuff) for 15 s, in the window"
    );
}

#[test]
fn an_alarm_that_ended_or_went_stale_says_so() {
    let ended = Alarm { ended: Some(Time::from_millis(125_000)), presence: Presence::Latched, ..spo2_low() };
    assert_eq!(reason(&ended), "SpO2 86 %, below 88 % for 25 s, in the window; ended");
    let back = Alarm { value: Spo2::percent(97).map(Value::Spo2), ..ended };
    assert_eq!(reason(&back), "SpO2 97 % now, was below 88 % (worst 85 %), in the window; ended");
    let stale = Alarm { stale: true, ..spo2_low() };
    assert_eq!(reason(&stale), "SpO2 86 %, below 88 % for 12 s, in the window; last value stale");
}

#[test]
fn every_condition_has_words_even_without_a_value() {
    for condition in Condition::ALL {
        let bare = Alarm { condition: *condition, value: None, limit: None, ..spo2_low() };
        assert!(reason(&bare).starts_with(condition.title()), "{condition}");
    }
}

fn spo2(pct: u16) -> Spo2 {
    Spo2::percent(pct).unwrap()
}

fn pulse(bpm: u16) -> PulseRate {
    PulseRate::bpm(bpm).unwrap()
}

fn bp(systolic: u16, diastolic: u16) -> BloodPressure {
    BloodPressure::full(systolic, diastolic, None).unwrap()
}

/// An alarm in the window that has lasted `s` seconds, its delay included.
fn lasting(s: u64, condition: Condition, value: Value, limit: Option<Limit>) -> Alarm {
    Alarm {
        condition,
        value: Some(value),
        worst: Some(value),
        limit,
        delay: Span::ZERO,
        at: Time::from_millis(110_000) + Span::secs(s),
        ..spo2_low()
    }
}

#[test]
fn row_5_is_said_against_the_baseline() {
    let limit = Some(Limit::Spo2AtMost(spo2(93)));
    let alarm = lasting(62, Condition::Spo2BelowBaseline, Value::Spo2(spo2(92)), limit);
    let alarm = Alarm { baseline: Some(Value::Spo2(spo2(97))), ..alarm };
    assert_eq!(reason(&alarm), "SpO2 92 %, 5 below the baseline of 97 %, for 1 min 2 s, in the window");
    let half = Alarm { value: Spo2::tenths(925).map(Value::Spo2), ..alarm.clone() };
    assert_eq!(reason(&half), "SpO2 92.5 %, 4.5 below the baseline of 97 %, for 1 min 2 s, in the window");
    let back = Alarm { value: Some(Value::Spo2(spo2(95))), ended: Some(alarm.at), ..alarm };
    assert_eq!(reason(&back), "SpO2 95 % now, was at or below 93 % (worst 92 %, baseline 97 %), in the window; ended");
}

#[test]
fn row_10_says_the_limit_and_what_it_was_made_from() {
    let alarm = lasting(16, Condition::PulseLow, Value::Pulse(pulse(44)), Some(Limit::PulseBelow(45)));
    let alarm = Alarm { baseline: Some(Value::Pulse(pulse(54))), ..alarm };
    assert_eq!(reason(&alarm), "pulse 44 bpm, below 45 bpm (baseline 54 bpm), for 16 s, in the window");
}

#[test]
fn rows_17_and_18_say_how_far_above_the_baseline_it_is() {
    let against = |condition, now, limit| Alarm {
        baseline: Some(Value::Pressure(bp(128, 80))),
        ..lasting(0, condition, Value::Pressure(now), Some(limit))
    };
    let rise = Limit::PressureAtLeast { systolic: 168, diastolic: 105 };
    assert_eq!(
        reason(&against(Condition::PressureRise, bp(172, 96), rise)),
        "BP 172/96 mmHg, systolic 44 above the baseline of 128/80 mmHg, in the window"
    );
    assert_eq!(
        reason(&against(Condition::PressureRise, bp(172, 106), rise)),
        "BP 172/106 mmHg, systolic 44 and diastolic 26 above the baseline of 128/80 mmHg, in the window"
    );
    // 128/80 has a mean of 96, 172/104 one of 127 (127 + 96 / 3).
    assert_eq!(
        reason(&against(Condition::MeanRise, bp(172, 104), Limit::MeanAtLeast(1_248))),
        "BP 172/104 mmHg, mean 127, 31 above the baseline of 96 mmHg, in the window"
    );
}

#[test]
fn row_15_says_that_a_severe_pressure_was_not_measured_again() {
    let limit = Limit::PressureAtLeast { systolic: 180, diastolic: 110 };
    let alarm = lasting(0, Condition::PressureSevereConfirmed, Value::NotRemeasured(bp(184, 104)), Some(limit));
    assert_eq!(
        reason(&Alarm { delay: Span::secs(90), ..alarm }),
        "BP 184/104 mmHg, at or above 180/110 mmHg and not measured again, for 1 min 30 s, in the window"
    );
}

#[test]
fn row_22_says_how_much_faster_the_pulse_is() {
    let limit = Some(Limit::ShockIndexAtLeast(100));
    assert_eq!(
        reason(&lasting(0, Condition::ShockIndex, Value::ShockIndex(112), limit)),
        "pulse above systolic BP: 1.12 times as high (limit 1), in the window"
    );
}

#[test]
fn rows_23_24_and_31_say_how_fast_and_where_it_is_now() {
    let falling = Limit::Spo2Falling { per_min: 100, at_most: spo2(95) };
    assert_eq!(
        reason(&lasting(22, Condition::Spo2Falling, Value::Spo2Trend(spo2(94), -140), Some(falling))),
        "SpO2 falling 1.4 % a minute (limit 1), now 94 % (limit 95), for 22 s, in the window"
    );
    let climbing = Limit::PulseClimbing { per_min: 1_000, above: 100 };
    assert_eq!(
        reason(&lasting(31, Condition::PulseClimbing, Value::PulseTrend(pulse(112), 1_250), Some(climbing))),
        "pulse climbing 12.5 bpm a minute (limit 10), now 112 bpm (limit 100), for 31 s, in the window"
    );
    let climbing = Limit::PressureClimbing { per_min: 300, systolic: 150 };
    assert_eq!(
        reason(&lasting(0, Condition::PressureClimbing, Value::PressureTrend(bp(172, 96), 440), Some(climbing))),
        "BP climbing 4.4 mmHg a minute (limit 3), now 172/96 mmHg (limit 150 systolic), in the window"
    );
    // A trend that has turned is not said to go on.
    assert_eq!(
        reason(&lasting(0, Condition::Spo2Falling, Value::Spo2Trend(spo2(94), 30), None)),
        "SpO2 rising 0.3 % a minute, now 94 %, in the window"
    );
}

#[test]
fn rows_29_and_30_say_what_was_counted() {
    let burden = Some(Limit::Burden { below: spo2(90), points: 50 });
    assert_eq!(
        reason(&lasting(0, Condition::Spo2Burden, Value::Burden(Some(62)), burden)),
        "SpO2 low for long or often: 62 percent-seconds below 90 % (limit 50), in the window"
    );
    assert_eq!(
        reason(&lasting(40, Condition::Spo2Burden, Value::Burden(None), burden)),
        "SpO2 low for long or often: three falls below 90 % within a minute, for 40 s, in the window"
    );
    let limit = Some(Limit::Desaturations { count: 3, within: Span::mins(15) });
    assert_eq!(
        reason(&lasting(40, Condition::Desaturations, Value::Desaturations(4), limit)),
        "repeated desaturations: 4 within 15 min (limit 3), in the window"
    );
}

#[test]
fn rows_28_and_33_to_35_name_both_quantities() {
    assert_eq!(
        reason(&lasting(40, Condition::RatesDisagree, Value::Rates(pulse(72), pulse(96)), None)),
        "pulse 72 bpm by the oximeter, 96 bpm by the cuff: check sensor and patient, for 40 s, in the window"
    );
    assert_eq!(
        reason(&lasting(
            0,
            Condition::LowSpo2PulseFalling,
            Value::Spo2AndPulse(spo2(90), pulse(58)),
            Some(Limit::PulseFall(20))
        )),
        "SpO2 90 % and pulse 58 bpm, the pulse down by more than 20 % within 2 min, in the window"
    );
    let limit = Limit::Spo2AndPulse { at_most: spo2(91), at_least: 130 };
    let both = lasting(12, Condition::LowSpo2FastPulse, Value::Spo2AndPulse(spo2(90), pulse(134)), Some(limit));
    assert_eq!(
        reason(&both),
        "SpO2 90 % and pulse 134 bpm, at or below 91 % and at or above 130 bpm for 12 s, in the window"
    );
    let back = Alarm { value: Some(Value::Spo2AndPulse(spo2(96), pulse(120))), ended: Some(both.at), ..both };
    assert_eq!(
        reason(&back),
        "SpO2 96 % and pulse 120 bpm now, was at or below 91 % and at or above 130 bpm (worst 90 % and 134 bpm), \
         in the window; ended"
    );
    let limit = Limit::PressureAndPulse { systolic: 180, at_most: 50 };
    let value = Value::PressureAndPulse(bp(184, 104), pulse(48));
    assert_eq!(
        reason(&lasting(0, Condition::HighPressureSlowPulse, value, Some(limit))),
        "BP 184/104 mmHg and pulse 48 bpm, systolic at or above 180 mmHg and pulse at or below 50 bpm, in the window"
    );
}

#[test]
fn r5_12_a_check_round_says_what_was_seen_and_when() {
    let unresponsive = Value::Responsiveness(Responsiveness::Unresponsive);
    assert_eq!(
        reason(&lasting(30, Condition::Unresponsive, unresponsive, None)),
        "the patient does not respond, seen 30 s ago, in the window"
    );
    assert_eq!(
        reason(&lasting(0, Condition::Unresponsive, Value::Breaths(6), Some(Limit::BreathsBelow(8)))),
        "6 breaths a minute, below 8, in the window"
    );
    let due = Time::from_millis(110_000) - Span::secs(90);
    assert_eq!(
        reason(&lasting(0, Condition::CheckOverdue, Value::Since(due), None)),
        "check round overdue for 1 min 30 s, in the window"
    );
}

#[test]
fn a_question_says_when_it_was_asked_and_not_how_long_it_is_due() {
    let asked = |s| Value::Since(Time::from_millis(110_000) - Span::secs(s));
    assert_eq!(
        reason(&lasting(30, Condition::DoseForgotten, asked(0), None)),
        "dose given? say when, or not yet (asked 30 s ago), in the window"
    );
    assert_eq!(
        reason(&lasting(0, Condition::StandbyOver, asked(60), None)),
        "standby is over: is the patient back? (asked 1 min ago), in the window"
    );
}

#[test]
fn what_has_no_value_says_how_long_it_has_stood_or_when_it_was_asked() {
    let told = |condition| {
        let at = Time::from_millis(122_000);
        reason(&Alarm { condition, value: None, worst: None, limit: None, delay: Span::ZERO, at, ..spo2_low() })
    };
    for (condition, words) in [
        (Condition::Help, "HELP called 12 s ago, in the window"),
        (Condition::MonitorAlarmOff, "the monitor's own alarm is off, for 12 s, in the window"),
        (Condition::BrokerLost, "no broker: nobody else can be told, for 12 s, in the window"),
        (Condition::NoStation, "no station present: nobody is looking, for 12 s, in the window"),
        (Condition::BedClaimedTwice, "two boxes claim this bed, for 12 s, in the window"),
        (Condition::DiskFault, "nothing is recorded: disk full or failing, for 12 s, in the window"),
        (Condition::DoseTimeUncertain, "time since dose uncertain, for 12 s, in the window"),
        (Condition::NoSession, "patient in this room, no session (asked 12 s ago)"),
        (Condition::DoseForgotten, "dose given? say when, or not yet (asked 12 s ago), in the window"),
        (Condition::InfusionEnded, "infusion ended? say when (asked 12 s ago), in the window"),
        (Condition::StandbyOver, "standby is over: is the patient back? (asked 12 s ago), in the window"),
        (Condition::SamePatient, "values are back after a long time: same patient? (asked 12 s ago), in the window"),
        (Condition::AnotherDevice, "another device than before: is it this patient's? (asked 12 s ago), in the window"),
        (Condition::CloseSession, "no values for long: close the session? (asked 12 s ago), in the window"),
        (Condition::SessionInterrupted, "session interrupted: continue or close? (asked 12 s ago), in the window"),
        (Condition::ProbeOnCuffArm, "probe on the cuff arm? (asked 12 s ago), in the window"),
        (Condition::Restarted, "box restarted: paused and switched-off alarms are on again, 12 s ago, in the window"),
    ] {
        assert_eq!(told(condition), words);
    }
}
