//! The limits of rows, and where their alarms end, as in a table.

use vitalsd_core::monitor::output::{Condition, Limit};
use vitalsd_core::monitor::preset::{OximetryRow, OximetryTerms, PressureRow};
use vitalsd_core::vitals::Spo2;

use crate::wire::number::Decimal;

/// A limit; `terms` give what row 5 has below the baseline.
pub(super) fn in_words(limit: &Limit, terms: &OximetryTerms, condition: Condition) -> String {
    match limit {
        Limit::Spo2AtMost(spo2) if condition == Condition::Spo2BelowBaseline => {
            format!("baseline - {} % or less, {spo2} % at the highest", tenths(terms.below_baseline))
        }
        Limit::Spo2Below(spo2) => format!("below {spo2} %"),
        Limit::Spo2AtMost(spo2) => format!("{spo2} % or less"),
        Limit::PulseAbove(bpm) => format!("above {bpm} bpm"),
        Limit::PulseBelow(bpm) => format!("below {bpm} bpm"),
        Limit::PulseAtMost(bpm) => format!("{bpm} bpm or less"),
        Limit::NoPulse => "sensor on, no pulse".to_owned(),
        Limit::PressureAbove { systolic, diastolic } => {
            format!("systolic above {systolic} or diastolic above {diastolic}")
        }
        Limit::PressureAtLeast { systolic, diastolic } => {
            format!("systolic {systolic} or diastolic {diastolic}, or more")
        }
        Limit::PressureRise { systolic, diastolic } => {
            format!("baseline + {systolic} systolic or + {diastolic} diastolic, or more")
        }
        Limit::MeanRise(pct) => format!("mean {} x baseline or more", Decimal::hundredths(*pct)),
        Limit::ShockIndexAtLeast(index) => format!("pulse {} x systolic or more", Decimal::hundredths(*index)),
        Limit::Spo2Falling { per_min, at_most } => {
            format!("falls {} % a minute or more, {at_most} % or less", Decimal::hundredths(*per_min))
        }
        Limit::PulseClimbing { per_min, above } => {
            format!("climbs {} bpm a minute or more, above {above} bpm", Decimal::hundredths(*per_min))
        }
        Limit::PressureClimbing { per_min, systolic } => {
            format!("climbs {} a minute or more, systolic {systolic} or more", Decimal::hundredths(*per_min))
        }
        Limit::Spo2AndPulse { at_most, at_least } => format!("SpO2 {at_most} % or less and pulse {at_least} or more"),
        Limit::PressureAndPulse { systolic, at_most } => {
            format!("systolic {systolic} or more and pulse {at_most} or less")
        }
        // The others are made while a session runs, or stand in a line of their own.
        _ => below(limit),
    }
}

/// A low limit of the pressure.
pub(super) fn below(limit: &Limit) -> String {
    let Limit::PressureBelow { systolic, mean } = limit else { return String::new() };
    let systolic = systolic.map(|systolic| format!("systolic below {systolic}"));
    let mean = mean.map(|mean| format!("mean below {mean}"));
    [systolic, mean].into_iter().flatten().collect::<Vec<_>>().join(" or ")
}

/// R2.1: beyond hysteresis, for the clearing time.
pub(super) fn end_of_oximetry(row: &OximetryRow) -> String {
    let h = row.hysteresis;
    let spo2 = |limit: Spo2| tenths(limit.as_tenths().saturating_add(h));
    let value = match row.limit {
        Limit::Spo2Below(limit) | Limit::Spo2AtMost(limit) => format!("{} % or more", spo2(limit)),
        Limit::PulseBelow(limit) | Limit::PulseAtMost(limit) => format!("{} bpm or more", limit.saturating_add(h)),
        Limit::PulseAbove(limit) => format!("{} bpm or less", limit.saturating_sub(h)),
        Limit::Spo2AndPulse { .. } => return "one of the two is over".to_owned(),
        _ => "a pulse found".to_owned(),
    };
    format!("{value} for {}", row.clear)
}

pub(super) fn end_of_pressure(row: &PressureRow) -> String {
    let h = row.hysteresis;
    let value = match row.limit {
        Limit::PressureAbove { systolic, diastolic } | Limit::PressureAtLeast { systolic, diastolic } => {
            format!("{}/{} or less", systolic.saturating_sub(h), diastolic.saturating_sub(h))
        }
        Limit::PressureBelow { systolic, mean } => {
            let systolic = systolic.map(|limit| format!("systolic {}", limit.saturating_add(h)));
            let mean = mean.map(|limit| format!("mean {}", limit.saturating_add(row.mean_hysteresis)));
            [systolic, mean].into_iter().flatten().collect::<Vec<_>>().join(", ") + " or more"
        }
        Limit::PressureRise { systolic, diastolic } => {
            format!("baseline + {} / + {} or less", systolic.saturating_sub(h), diastolic.saturating_sub(h))
        }
        Limit::MeanRise(_) => format!("mean {} below its limit", row.mean_hysteresis),
        Limit::ShockIndexAtLeast(index) => format!("{} x or less", Decimal::hundredths(index.saturating_sub(h))),
        Limit::PressureAndPulse { .. } => return "one of the two is over".to_owned(),
        _ => "it no longer does".to_owned(),
    };
    match row.clear_readings {
        1 => format!("{value}, 1 reading"),
        n => format!("{value}, {n} readings"),
    }
}

fn tenths(tenths: u16) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}
