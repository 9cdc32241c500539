//! The limit of an alarm in words, and whether its value is still beyond it.

use vitalsd_core::monitor::condition::Side;
use vitalsd_core::monitor::limits;
use vitalsd_core::monitor::output::{Alarm, Limit, Value};

use crate::wire::number::Decimal;

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
        Limit::PressureRise { systolic, diastolic } => {
            format!("systolic {systolic} or diastolic {diastolic} mmHg above the baseline")
        }
        Limit::MeanRise(pct) => format!("mean at or above {} x the baseline", Decimal::hundredths(pct)),
        Limit::MeanAtLeast(tenths) => format!("at or above mean {} mmHg", Decimal::tenths(tenths)),
        Limit::PressureBelow { systolic, mean } => below(systolic, mean),
        Limit::Spo2Falling { per_min, at_most } => {
            format!("falling {} % a minute or more, at or below {at_most} %", Decimal::hundredths(per_min))
        }
        Limit::PulseClimbing { per_min, above } => {
            format!("climbing {} bpm a minute or more, above {above} bpm", Decimal::hundredths(per_min))
        }
        Limit::PressureClimbing { per_min, systolic } => {
            let per_min = Decimal::hundredths(per_min);
            format!("climbing {per_min} mmHg a minute or more, systolic at or above {systolic} mmHg")
        }
        Limit::Burden { below, points } => format!("{points} percent-seconds below {below} %"),
        Limit::Desaturations { count, within } => format!("{count} within {within}"),
        Limit::ShockIndexAtLeast(index) => {
            format!("pulse at or above {} x systolic BP", Decimal::hundredths(index))
        }
        Limit::PulseFall(pct) => format!("pulse down by more than {pct} % within 2 min"),
        Limit::Spo2AndPulse { at_most, at_least } => {
            format!("at or below {at_most} % and at or above {at_least} bpm")
        }
        Limit::PressureAndPulse { systolic, at_most } => {
            format!("systolic at or above {systolic} mmHg and pulse at or below {at_most} bpm")
        }
        Limit::BreathsBelow(breaths) => format!("below {breaths}"),
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

/// Whether the value of an alarm is no longer beyond its limit. What cannot be judged by it counts as beyond.
pub(super) fn is_back(alarm: &Alarm) -> bool {
    alarm.value.zip(alarm.limit).is_some_and(|(value, limit)| !violates(value, limit))
}

fn violates(value: Value, limit: Limit) -> bool {
    let side = match (value, limit) {
        (Value::Spo2(spo2), _) => limits::spo2(limit, 0, spo2),
        (Value::Pulse(pulse), _) => limits::pulse(limit, 0, pulse),
        // The mean that is shown is rounded; the one that was judged need not have been.
        (Value::Pressure(bp), Limit::MeanAtLeast(tenths)) => {
            return bp.mean().as_mmhg().saturating_add(1).saturating_mul(10) > tenths;
        }
        (Value::Pressure(bp), _) => limits::pressure(limit, 0, 0, bp),
        (Value::Spo2AndPulse(spo2, pulse), Limit::Spo2AndPulse { at_most, at_least }) => {
            return spo2 <= at_most && pulse.as_bpm() >= at_least;
        }
        (Value::PressureAndPulse(bp, pulse), Limit::PressureAndPulse { systolic, at_most }) => {
            return bp.systolic().is_none_or(|found| found.as_mmhg() >= systolic) && pulse.as_bpm() <= at_most;
        }
        _ => None,
    };
    side.is_none_or(|side| side == Side::Violation)
}
