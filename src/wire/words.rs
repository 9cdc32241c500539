//! An alarm in words (R3.4): what, value, limit, for how long, in which phase.
//!
//! Pure functions over the core's [`Alarm`]; the payload, the command line and the replay say the same.

use vitalsd_core::monitor::condition::Side;
use vitalsd_core::monitor::limits;
use vitalsd_core::monitor::output::{Alarm, Condition, Limit, Phase, Value};
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, BloodPressure};

/// The whole sentence: `SpO2 86 %, below 88 % for 12 s, in the window`.
#[must_use]
pub fn reason(alarm: &Alarm) -> String {
    let mut words = subject(alarm);
    let back = alarm.value.zip(alarm.limit).is_some_and(|(value, limit)| !violates(value, limit));
    // "No pulse" is the limit and the subject in one.
    if let Some(limit) = alarm.limit.filter(|limit| *limit != Limit::NoPulse) {
        words.push_str(if back { " now, was " } else { ", " });
        words.push_str(&self::limit(limit));
    }
    if let Some(worst) = alarm.worst.filter(|_| back) {
        words.push_str(&format!(" (worst {})", worst_of(worst)));
    }
    // How long is not said of what is over: the time it took to trust that would count as well.
    let lasted = lasted(alarm);
    if lasted.as_secs() > 0 && !back && !matches!(alarm.value, Some(Value::Since(_))) {
        words.push_str(&format!(" for {lasted}"));
    }
    words.push_str(", ");
    words.push_str(phase(alarm.phase));
    if alarm.ended.is_some() {
        words.push_str("; ended");
    } else if alarm.stale {
        words.push_str("; last value stale");
    }
    words
}

/// Whether a value is on the wrong side of a limit; what cannot be judged by it counts as that.
fn violates(value: Value, limit: Limit) -> bool {
    let side = match value {
        Value::Spo2(spo2) => limits::spo2(limit, 0, spo2),
        Value::Pulse(pulse) => limits::pulse(limit, 0, pulse),
        Value::Pressure(bp) => limits::pressure(limit, 0, 0, bp),
        _ => None,
    };
    side.is_none_or(|side| side == Side::Violation)
}

fn worst_of(value: Value) -> String {
    match value {
        Value::Spo2(spo2) => format!("{spo2} %"),
        Value::Pulse(pulse) => format!("{pulse} bpm"),
        Value::Pressure(bp) => bp.to_string(),
        _ => "unknown".to_owned(),
    }
}

/// How long the violation has lasted, the delay by design included.
#[must_use]
pub fn lasted(alarm: &Alarm) -> Span {
    alarm.ended.unwrap_or(alarm.at).since(alarm.since - alarm.delay)
}

/// What it is about, with its value.
fn subject(alarm: &Alarm) -> String {
    let title = alarm.condition.title();
    match alarm.value {
        Some(Value::Spo2(spo2)) => format!("SpO2 {spo2} %"),
        Some(Value::Pulse(pulse)) => format!("pulse {pulse} bpm"),
        Some(Value::Pressure(bp)) => pressure(bp, alarm.limit),
        Some(Value::Absent(why)) if alarm.condition == Condition::Spo2Unavailable => {
            format!("{title}: {}", absent(why))
        }
        Some(Value::Since(due)) => format!("{title} for {}", alarm.ended.unwrap_or(alarm.at).since(due)),
        Some(Value::Lost(why)) => format!("{title}: {why}"),
        Some(Value::CuffFailure(why)) => format!("{title} ({})", cuff_failure(why)),
        Some(Value::Absent(_)) | None => title.to_owned(),
    }
}

/// The pressure, and the mean beside it where the mean is what is judged.
fn pressure(bp: BloodPressure, limit: Option<Limit>) -> String {
    match (bp, limit) {
        (BloodPressure::Full { .. }, Some(Limit::PressureBelow { mean: Some(_), .. })) => {
            format!("BP {bp} mmHg, mean {}", bp.mean())
        }
        _ => format!("BP {bp} mmHg"),
    }
}

/// The limit as printed in its row.
#[must_use]
pub fn limit(limit: Limit) -> String {
    match limit {
        Limit::Spo2Below(spo2) => format!("below {spo2} %"),
        Limit::Spo2AtMost(spo2) => format!("at or below {spo2} %"),
        Limit::PulseAbove(bpm) => format!("above {bpm} bpm"),
        Limit::PulseBelow(bpm) => format!("below {bpm} bpm"),
        Limit::PulseAtMost(bpm) => format!("at or below {bpm} bpm"),
        Limit::NoPulse => "no pulse found".to_owned(),
        Limit::PressureAbove { systolic, diastolic } => format!("above {systolic}/{diastolic} mmHg"),
        Limit::PressureAtLeast { systolic, diastolic } => format!("at or above {systolic}/{diastolic} mmHg"),
        Limit::PressureBelow { systolic, mean } => below(systolic, mean),
    }
}

fn below(systolic: Option<u16>, mean: Option<u16>) -> String {
    match (systolic, mean) {
        (Some(systolic), Some(mean)) => format!("below systolic {systolic} or mean {mean} mmHg"),
        (Some(systolic), None) => format!("below systolic {systolic} mmHg"),
        (None, Some(mean)) => format!("below mean {mean} mmHg"),
        (None, None) => "below its limit".to_owned(),
    }
}

/// Where in the session.
#[must_use]
pub const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::NoSession => "no session open",
        Phase::Baseline => "at baseline",
        Phase::Onset => "in the onset",
        Phase::Window => "in the window",
        Phase::Recovery => "in recovery",
    }
}

/// Why there is no value.
#[must_use]
pub const fn absent(reason: Absent) -> &'static str {
    match reason {
        Absent::NotMeasured => "not measured by this device",
        Absent::NeverReceived => "nothing received yet",
        Absent::SensorOff => "sensor off",
        Absent::SensorFault => "sensor unplugged or defective",
        Absent::Searching => "looking for a pulse",
        Absent::NoPulse => "no pulse found",
        Absent::InadequateSignal => "inadequate signal",
        Absent::OutOfRange => "value out of range",
        Absent::Stale => "nothing new",
        Absent::LinkLost => "port or cable lost",
        Absent::DeviceLost => "device does not answer",
    }
}

/// Why the cuff gave no pressure.
#[must_use]
pub const fn cuff_failure(failure: CuffFailure) -> &'static str {
    match failure {
        CuffFailure::Failed => "no reason given",
        CuffFailure::PumpTimeout => "leak or loose cuff",
        CuffFailure::TotalTimeout => "took too long",
        CuffFailure::PressureTimeout => "motion or irregular pulse",
        CuffFailure::Overpressure => "overpressure",
        CuffFailure::Cancelled => "cancelled",
        CuffFailure::NoAnswer => "no answer",
        CuffFailure::OutOfRange => "values out of range",
        CuffFailure::Repeated => "the reading before came again",
        CuffFailure::Unknown(_) => "unknown reason",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use vitalsd_core::monitor::input::LossReason;
    use vitalsd_core::monitor::output::{Presence, Priority};
    use vitalsd_core::time::Time;
    use vitalsd_core::vitals::{PulseRate, Spo2};

    /// Row 2 in the window: 86 % since second 100, active at 110, seen at 112.
    pub fn spo2_low() -> Alarm {
        Alarm {
            condition: Condition::Spo2Low,
            priority: Priority::High,
            presence: Presence::On,
            episode: 1,
            announced: true,
            sounds: true,
            ack: None,
            since: Time::from_millis(110_000),
            ended: None,
            value: Spo2::percent(86).map(Value::Spo2),
            worst: Spo2::percent(85).map(Value::Spo2),
            limit: Spo2::percent(88).map(Limit::Spo2Below),
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
}
