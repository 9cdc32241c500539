//! What an alarm has found, in words.

use vitalsd_core::monitor::observation::Responsiveness;
use vitalsd_core::monitor::output::{Alarm, Condition, Limit, Value};
use vitalsd_core::vitals::{BloodPressure, Pressure};

use super::limit::limit;
use super::{absent, asks, cuff_failure};
use crate::wire::number::Decimal;

/// What is so: `SpO2 86 %, below 88 %`.
#[must_use]
pub fn present(alarm: &Alarm) -> String {
    let told = against_baseline(alarm).or_else(|| moving(alarm)).or_else(|| counted(alarm));
    told.unwrap_or_else(|| match (alarm.value, alarm.limit) {
        // The row and its value say what was found; no limit is broken where there is no number.
        (_, None | Some(Limit::NoPulse)) => subject(alarm),
        (Some(Value::NotRemeasured(_)), Some(broken)) => {
            format!("{}, {} and not measured again", subject(alarm), limit(broken))
        }
        (_, Some(broken)) => format!("{}, {}", subject(alarm), limit(broken)),
    })
}

/// What was so, where the value is back: `SpO2 97 % now, was below 88 % (worst 85 %)`.
#[must_use]
pub fn over(alarm: &Alarm) -> String {
    let was = alarm.limit.map(|broken| format!(" now, was {}", limit(broken)));
    let worst = alarm.worst.map(|worst| format!("worst {}", bare(worst)));
    let baseline = alarm.baseline.map(|baseline| format!("baseline {}", bare(baseline)));
    let beside: Vec<_> = [worst, baseline].into_iter().flatten().collect();
    let beside = if beside.is_empty() { String::new() } else { format!(" ({})", beside.join(", ")) };
    subject(alarm) + &was.unwrap_or_default() + &beside
}

/// What it is about, with its value.
fn subject(alarm: &Alarm) -> String {
    let title = alarm.condition.title();
    match alarm.value {
        Some(Value::Spo2(spo2)) => format!("SpO2 {spo2} %"),
        Some(Value::Pulse(pulse)) => format!("pulse {pulse} bpm"),
        Some(Value::Pressure(bp) | Value::NotRemeasured(bp)) => pressure(bp, alarm.limit),
        Some(Value::Spo2AndPulse(spo2, pulse)) => format!("SpO2 {spo2} % and pulse {pulse} bpm"),
        Some(Value::PressureAndPulse(bp, pulse)) => format!("BP {bp} mmHg and pulse {pulse} bpm"),
        Some(Value::Rates(oximeter, cuff)) => {
            format!("pulse {oximeter} bpm by the oximeter, {cuff} bpm by the cuff: check sensor and patient")
        }
        Some(Value::Responsiveness(responds)) => response(responds).to_owned(),
        Some(Value::Breaths(breaths)) => format!("{breaths} breaths a minute"),
        Some(Value::Absent(why)) if alarm.condition == Condition::Spo2Unavailable => {
            format!("{title}: {}", absent(why))
        }
        Some(Value::Since(due)) if !asks(alarm.condition) => {
            format!("{title} for {}", alarm.ended.unwrap_or(alarm.at).since(due))
        }
        Some(Value::Lost(why)) => format!("{title}: {why}"),
        Some(Value::CuffFailure(why)) => format!("{title} ({})", cuff_failure(why)),
        _ => title.to_owned(),
    }
}

/// A value that is judged by what the patient had before the dose.
fn against_baseline(alarm: &Alarm) -> Option<String> {
    match (alarm.value?, alarm.baseline?, alarm.limit) {
        (Value::Spo2(now), Value::Spo2(before), _) if now < before => {
            let fall = Decimal::tenths(before.as_tenths().saturating_sub(now.as_tenths()));
            Some(format!("SpO2 {now} %, {fall} below the baseline of {before} %"))
        }
        (Value::Pulse(now), Value::Pulse(before), Some(broken)) => {
            Some(format!("pulse {now} bpm, {} (baseline {before} bpm)", limit(broken)))
        }
        (Value::Pressure(now), Value::Pressure(before), Some(Limit::MeanAtLeast(_))) => {
            let rise = now.mean().as_mmhg().saturating_sub(before.mean().as_mmhg());
            let (now_mean, before_mean) = (now.mean(), before.mean());
            Some(format!("BP {now} mmHg, mean {now_mean}, {rise} above the baseline of {before_mean} mmHg"))
        }
        (Value::Pressure(now), Value::Pressure(before), Some(Limit::PressureAtLeast { systolic, diastolic })) => {
            let part = |name, of: fn(BloodPressure) -> Option<Pressure>, limit| {
                let (now, before) = (of(now)?.as_mmhg(), of(before)?.as_mmhg());
                (now >= limit).then(|| format!("{name} {}", now.saturating_sub(before)))
            };
            let systolic = part("systolic", BloodPressure::systolic, systolic);
            let diastolic = part("diastolic", BloodPressure::diastolic, diastolic);
            let risen: Vec<_> = [systolic, diastolic].into_iter().flatten().collect();
            let told = || format!("BP {now} mmHg, {} above the baseline of {before} mmHg", risen.join(" and "));
            (!risen.is_empty()).then(told)
        }
        _ => None,
    }
}

/// A trend, with the value it has led to.
fn moving(alarm: &Alarm) -> Option<String> {
    let (slope_limit, value_limit) = match alarm.limit {
        Some(Limit::Spo2Falling { per_min, at_most }) => (limited(per_min), format!(" (limit {at_most})")),
        Some(Limit::PulseClimbing { per_min, above }) => (limited(per_min), format!(" (limit {above})")),
        Some(Limit::PressureClimbing { per_min, systolic }) => {
            (limited(per_min), format!(" (limit {systolic} systolic)"))
        }
        _ => (String::new(), String::new()),
    };
    let (what, slope, unit, now) = match alarm.value? {
        Value::Spo2Trend(spo2, slope) => ("SpO2", slope, "%", format!("{spo2} %")),
        Value::PulseTrend(pulse, slope) => ("pulse", slope, "bpm", format!("{pulse} bpm")),
        Value::PressureTrend(bp, slope) => ("BP", slope, "mmHg", format!("{bp} mmHg")),
        _ => return None,
    };
    let way = match (what, slope < 0) {
        (_, true) => "falling",
        ("SpO2", false) => "rising",
        (_, false) => "climbing",
    };
    let speed = Decimal(f64::from(slope.unsigned_abs()) / 100.0);
    Some(format!("{what} {way} {speed} {unit} a minute{slope_limit}, now {now}{value_limit}"))
}

fn limited(per_min: u16) -> String {
    format!(" (limit {})", Decimal::hundredths(per_min))
}

/// What was counted over a time, or is a relation of two values.
fn counted(alarm: &Alarm) -> Option<String> {
    let title = alarm.condition.title();
    Some(match (alarm.value?, alarm.limit) {
        (Value::Burden(Some(burden)), Some(Limit::Burden { below, points })) => {
            format!("{title}: {burden} percent-seconds below {below} % (limit {points})")
        }
        (Value::Burden(Some(burden)), _) => format!("{title}: {burden} percent-seconds"),
        (Value::Burden(None), Some(Limit::Burden { below, .. })) => {
            format!("{title}: three falls below {below} % within a minute")
        }
        (Value::Burden(None), _) => format!("{title}: three falls within a minute"),
        (Value::Desaturations(count), Some(Limit::Desaturations { count: limit, within })) => {
            format!("{title}: {count} within {within} (limit {limit})")
        }
        (Value::Desaturations(count), _) => format!("{title}: {count}"),
        (Value::ShockIndex(index), Some(Limit::ShockIndexAtLeast(limit))) => {
            let (index, limit) = (Decimal::hundredths(index), Decimal::hundredths(limit));
            format!("{title}: {index} times as high (limit {limit})")
        }
        (Value::ShockIndex(index), _) => format!("{title}: {} times as high", Decimal::hundredths(index)),
        (Value::Spo2AndPulse(..), Some(Limit::PulseFall(pct))) => {
            format!("{}, the pulse down by more than {pct} % within 2 min", subject(alarm))
        }
        _ => return None,
    })
}

/// The pressure, and the mean beside it where the mean is what is judged.
fn pressure(bp: BloodPressure, limit: Option<Limit>) -> String {
    match (bp, limit) {
        (BloodPressure::Full { .. }, Some(Limit::PressureBelow { mean: Some(_), .. } | Limit::MeanAtLeast(_))) => {
            format!("BP {bp} mmHg, mean {}", bp.mean())
        }
        _ => format!("BP {bp} mmHg"),
    }
}

const fn response(responds: Responsiveness) -> &'static str {
    match responds {
        Responsiveness::Awake => "the patient is awake",
        Responsiveness::Voice => "the patient responds to voice",
        Responsiveness::Touch => "the patient responds only to touch",
        Responsiveness::Unresponsive => "the patient does not respond",
    }
}

/// The value alone.
fn bare(value: Value) -> String {
    match value {
        Value::Spo2(spo2) => format!("{spo2} %"),
        Value::Pulse(pulse) => format!("{pulse} bpm"),
        Value::Pressure(bp) => bp.to_string(),
        Value::Spo2AndPulse(spo2, pulse) => format!("{spo2} % and {pulse} bpm"),
        Value::PressureAndPulse(bp, pulse) => format!("{bp} and {pulse} bpm"),
        _ => "unknown".to_owned(),
    }
}
