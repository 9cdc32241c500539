//! The rows of R7 as they stand in a file: one alarm a row.

use std::ops::RangeInclusive;

use vitalsd_core::monitor::output::{Condition, Limit, Priority};
use vitalsd_core::monitor::preset::{ByPhase, CombinedTerms, OximetryRow, Preset, PressureRow, TrendRow, TrendTerms};

use super::{Places, all, bpm, mmhg, row, seconds, spo2, whole};
use crate::config::table::Table;

/// Tenths of a percent. An alarm of low saturation must not begin below 85 % (security-privacy 7.8) ...
pub(super) const SPO2: RangeInclusive<u16> = 850..=970;
/// ... but for row 1a, which only comes faster than the rows above it.
const SPO2_CRITICAL: RangeInclusive<u16> = 800..=970;
/// bpm: above what a resting adult may have, below what is an emergency in anybody.
const PULSE_HIGH: RangeInclusive<u16> = 90..=200;
/// bpm.
pub(super) const PULSE_LOW: RangeInclusive<u16> = 30..=60;
/// mmHg.
pub(super) const SYSTOLIC_HIGH: RangeInclusive<u16> = 120..=240;
/// mmHg.
const DIASTOLIC_HIGH: RangeInclusive<u16> = 70..=140;
/// mmHg.
pub(super) const SYSTOLIC_LOW: RangeInclusive<u16> = 60..=120;
/// mmHg.
const MEAN_LOW: RangeInclusive<u16> = 40..=90;
/// Seconds, for a row that is HIGH in any phase.
const DELAY_HIGH: RangeInclusive<u16> = 0..=30;
/// Seconds.
const DELAY: RangeInclusive<u16> = 0..=600;
/// Seconds. Shorter, and an alarm flickers; longer, and it stands for nothing.
const CLEAR: RangeInclusive<u16> = 5..=120;
/// Tenths of a percent a minute.
const SPO2_FALLS: RangeInclusive<u16> = 5..=50;
/// bpm a minute.
const PULSE_CLIMBS: RangeInclusive<u16> = 5..=40;
/// mmHg a minute.
const PRESSURE_CLIMBS: RangeInclusive<u16> = 1..=20;
/// Percent of the mean before the dose.
const MEAN_RISE: RangeInclusive<u16> = 115..=160;
/// Tenths.
const SHOCK_INDEX: RangeInclusive<u16> = 7..=15;

/// R4.4: rows that nobody may switch off.
const ALWAYS_ON: [Condition; 4] =
    [Condition::Spo2Critical, Condition::Spo2VeryLow, Condition::Spo2Low, Condition::NoPulse];

/// The rows of the oximeter whose limit is of the wanted kind.
pub(super) fn oximetry(
    table: &Table<'_>,
    model: &Preset,
    wanted: fn(&Limit) -> bool,
    places: &mut Places,
) -> Option<Vec<OximetryRow>> {
    let rows = model.oximetry.iter().filter(|row| wanted(&row.limit));
    all(rows.map(|model| row(table, model.condition, places, |table| oximetry_row(table, model))))
}

/// The rows of the blood pressure, but for row 35, which stands with those that judge two quantities.
pub(super) fn pressure(table: &Table<'_>, model: &Preset, places: &mut Places) -> Option<Vec<PressureRow>> {
    let rows = model.pressure.iter().filter(|row| row.condition != Condition::HighPressureSlowPulse);
    all(rows.map(|model| row(table, model.condition, places, |table| pressure_row(table, model))))
}

pub(super) fn is_spo2(limit: &Limit) -> bool {
    matches!(limit, Limit::Spo2Below(_) | Limit::Spo2AtMost(_))
}

fn oximetry_row(table: &Table<'_>, model: &OximetryRow) -> Option<OximetryRow> {
    let condition = model.condition;
    let range = if condition == Condition::Spo2Critical { SPO2_CRITICAL } else { SPO2 };
    let limit = match model.limit {
        Limit::Spo2Below(_) => spo2(table, "below", range).map(Limit::Spo2Below),
        Limit::Spo2AtMost(_) => spo2(table, "at_most", range).map(Limit::Spo2AtMost),
        Limit::PulseAbove(_) => bpm(table, "above", PULSE_HIGH).map(Limit::PulseAbove),
        Limit::PulseBelow(_) => bpm(table, "below", PULSE_LOW).map(Limit::PulseBelow),
        Limit::PulseAtMost(_) => bpm(table, "at_most", PULSE_LOW).map(Limit::PulseAtMost),
        other => Some(other),
    };
    let hysteresis = match model.limit {
        Limit::NoPulse => Some(model.hysteresis),
        _ if is_spo2(&model.limit) => table.require("hysteresis", table.tenths("hysteresis", 10..=50, " %"), "2"),
        _ => bpm(table, "hysteresis", 1..=20),
    };
    let priority = priority(table, condition);
    let is_high = priority.is_some_and(|by| phases(&by).contains(&Some(Priority::High)));
    let delay = seconds(table, "delay_s", if is_high { DELAY_HIGH } else { DELAY });
    let clear = seconds(table, "clear_s", CLEAR);
    Some(OximetryRow {
        condition,
        limit: limit?,
        priority: priority?,
        delay: delay?,
        hysteresis: hysteresis?,
        clear: clear?,
    })
}

fn pressure_row(table: &Table<'_>, model: &PressureRow) -> Option<PressureRow> {
    let limit = match model.limit {
        Limit::PressureAbove { .. } => {
            let systolic = mmhg(table, "systolic_above", SYSTOLIC_HIGH);
            let diastolic = mmhg(table, "diastolic_above", DIASTOLIC_HIGH);
            systolic.zip(diastolic).map(|(systolic, diastolic)| Limit::PressureAbove { systolic, diastolic })
        }
        Limit::PressureAtLeast { .. } => {
            let systolic = mmhg(table, "systolic_at_least", SYSTOLIC_HIGH);
            let diastolic = mmhg(table, "diastolic_at_least", DIASTOLIC_HIGH);
            systolic.zip(diastolic).map(|(systolic, diastolic)| Limit::PressureAtLeast { systolic, diastolic })
        }
        Limit::PressureBelow { systolic, mean } => pressure_below(table, systolic.is_some(), mean.is_some()),
        Limit::PressureRise { .. } => {
            let (systolic, diastolic) = (mmhg(table, "systolic_rise", 20..=80), mmhg(table, "diastolic_rise", 10..=50));
            systolic.zip(diastolic).map(|(systolic, diastolic)| Limit::PressureRise { systolic, diastolic })
        }
        Limit::MeanRise(_) => whole(table, "mean_of_baseline_pct", MEAN_RISE, " %").map(Limit::MeanRise),
        Limit::ShockIndexAtLeast(_) => {
            ratio(table, "pulse_per_systolic_at_least", SHOCK_INDEX).map(Limit::ShockIndexAtLeast)
        }
        Limit::PressureClimbing { .. } => {
            let per_min = whole(table, "systolic_climbs_per_min", PRESSURE_CLIMBS, " mmHg").map(hundredths);
            let systolic = mmhg(table, "systolic_at_least", SYSTOLIC_HIGH);
            per_min.zip(systolic).map(|(per_min, systolic)| Limit::PressureClimbing { per_min, systolic })
        }
        Limit::PressureAndPulse { .. } => {
            let systolic = mmhg(table, "systolic_at_least", SYSTOLIC_HIGH);
            let at_most = bpm(table, "pulse_at_most", PULSE_LOW);
            systolic.zip(at_most).map(|(systolic, at_most)| Limit::PressureAndPulse { systolic, at_most })
        }
        other => Some(other),
    };
    // What a row does not judge has no use for a hysteresis: rows 31 and 35 end with their parts.
    let (arterial, mean) = match model.limit {
        Limit::PressureBelow { systolic, mean } => (systolic.is_some(), mean.is_some()),
        Limit::MeanRise(_) => (false, true),
        Limit::ShockIndexAtLeast(_) | Limit::PressureClimbing { .. } | Limit::PressureAndPulse { .. } => (false, false),
        _ => (true, false),
    };
    let hysteresis = match model.limit {
        Limit::ShockIndexAtLeast(_) => ratio(table, "hysteresis", 1..=5),
        _ if arterial => mmhg(table, "hysteresis", 1..=20),
        _ => Some(model.hysteresis),
    };
    let mean_hysteresis = if mean { mmhg(table, "mean_hysteresis", 1..=20) } else { Some(model.mean_hysteresis) };
    let priority = priority(table, model.condition);
    let clear_readings = whole(table, "clear_readings", 1..=3, "");
    Some(PressureRow {
        condition: model.condition,
        limit: limit?,
        priority: priority?,
        hysteresis: hysteresis?,
        mean_hysteresis: mean_hysteresis?,
        clear_readings: u8::try_from(clear_readings?).ok()?,
    })
}

/// A number with one decimal, in hundredths.
fn ratio(table: &Table<'_>, key: &'static str, tenths: RangeInclusive<u16>) -> Option<u16> {
    table.require(key, table.tenths(key, tenths, ""), "1.0").map(|tenths| tenths.saturating_mul(10))
}

const fn hundredths(whole: u16) -> u16 {
    whole.saturating_mul(100)
}

pub(super) fn pressure_below(table: &Table<'_>, systolic: bool, mean: bool) -> Option<Limit> {
    let systolic = systolic.then(|| mmhg(table, "systolic_below", SYSTOLIC_LOW));
    let mean = mean.then(|| mmhg(table, "mean_below", MEAN_LOW));
    if systolic == Some(None) || mean == Some(None) {
        return None;
    }
    Some(Limit::PressureBelow { systolic: systolic.flatten(), mean: mean.flatten() })
}

/// Rows 23, 24, 29 and 30.
pub(super) fn trends(table: &Table<'_>, places: &mut Places) -> Option<TrendTerms> {
    let spo2_falling = row(table, Condition::Spo2Falling, places, |row| {
        let per_min = ratio(row, "falls_per_min", SPO2_FALLS);
        let at_most = spo2(row, "at_most", SPO2);
        let limit = per_min.zip(at_most).map(|(per_min, at_most)| Limit::Spo2Falling { per_min, at_most });
        trend(row, Condition::Spo2Falling, limit)
    });
    let pulse_climbing = row(table, Condition::PulseClimbing, places, |row| {
        let per_min = bpm(row, "climbs_per_min", PULSE_CLIMBS).map(hundredths);
        let above = bpm(row, "above", PULSE_HIGH);
        let limit = per_min.zip(above).map(|(per_min, above)| Limit::PulseClimbing { per_min, above });
        trend(row, Condition::PulseClimbing, limit)
    });
    let burden = row(table, Condition::Spo2Burden, places, |row| {
        let (below, ends_at) = (spo2(row, "below", SPO2), spo2(row, "ends_at_least", SPO2));
        let points = whole(row, "percent_seconds", 10..=1_000, " % x s");
        let (clear, priority) = (seconds(row, "clear_s", CLEAR), priority(row, Condition::Spo2Burden));
        Some((below?, points?, ends_at?, clear?, priority?))
    });
    let desaturations = row(table, Condition::Desaturations, places, |row| priority(row, Condition::Desaturations));
    let (burden_below, burden_points, burden_ends_at, burden_clear, burden) = burden?;
    Some(TrendTerms {
        spo2_falling: spo2_falling?,
        pulse_climbing: pulse_climbing?,
        burden,
        burden_below,
        burden_points: burden_points.into(),
        burden_ends_at,
        burden_clear,
        desaturations: desaturations?,
    })
}

fn trend(row: &Table<'_>, condition: Condition, limit: Option<Limit>) -> Option<TrendRow> {
    let (priority, delay) = (priority(row, condition), seconds(row, "delay_s", DELAY));
    Some(TrendRow { limit: limit?, priority: priority?, delay: delay? })
}

/// Rows 33 and 34, and row 35, which the core keeps with the pressures.
pub(super) fn combined(table: &Table<'_>, model: &Preset, places: &mut Places) -> Option<(CombinedTerms, PressureRow)> {
    let falling = row(table, Condition::LowSpo2PulseFalling, places, |row| {
        let (pct, priority) =
            (whole(row, "pulse_falls_pct", 10..=50, " %"), priority(row, Condition::LowSpo2PulseFalling));
        pct.zip(priority)
    });
    let condition = Condition::LowSpo2FastPulse;
    let fast_pulse = row(table, condition, places, |row| {
        let (at_most, at_least) = (spo2(row, "spo2_at_most", SPO2), bpm(row, "pulse_at_least", PULSE_HIGH));
        let (priority, delay) = (priority(row, condition), seconds(row, "delay_s", DELAY_HIGH));
        // It ends with its parts: each comes back by its own row.
        let OximetryRow { hysteresis, clear, .. } = model.combined.fast_pulse;
        let limit = Limit::Spo2AndPulse { at_most: at_most?, at_least: at_least? };
        Some(OximetryRow { condition, limit, priority: priority?, delay: delay?, hysteresis, clear })
    });
    let slow = model.pressure.iter().find(|row| row.condition == Condition::HighPressureSlowPulse);
    let slow_pulse = slow.and_then(|model| row(table, model.condition, places, |table| pressure_row(table, model)));
    let (pulse_fall_pct, pulse_falling) = falling?;
    let pulse_fall_pct = u8::try_from(pulse_fall_pct).ok()?;
    Some((CombinedTerms { pulse_falling, pulse_fall_pct, fast_pulse: fast_pulse? }, slow_pulse?))
}

fn phases(priority: &ByPhase) -> [Option<Priority>; 4] {
    [priority.baseline, priority.onset, priority.window, priority.recovery]
}

/// Four letters, one for each of P0 to P3; blanks between them are for the eye.
fn priority(table: &Table<'_>, condition: Condition) -> Option<ByPhase> {
    const ALLOWED: &str = "four of H, M, L or - (off): one for each of P0, P1, P2, P3";
    let text = table.require("priority", table.text("priority"), "\"H H H H\"")?;
    let letters: Option<Vec<_>> = text
        .get_ref()
        .chars()
        .filter(|letter| *letter != ' ')
        .map(|letter| match letter {
            'H' => Some(Some(Priority::High)),
            'M' => Some(Some(Priority::Medium)),
            'L' => Some(Some(Priority::Low)),
            '-' => Some(None),
            _ => None,
        })
        .collect();
    let Some([baseline, onset, window, recovery]) = letters.as_deref() else {
        let found = format!("`priority` is {:?}", text.get_ref());
        table.error(&text.span(), &found, ALLOWED, "give one letter for each phase");
        return None;
    };
    let priority = ByPhase::of(*baseline, *onset, *window, *recovery);
    if ALWAYS_ON.contains(&condition) && phases(&priority).contains(&None) {
        let found = format!("row {} ({}) is switched off in a phase", condition.row(), condition.title());
        table.error(&text.span(), &found, "H, M or L in every phase of this row", "give it a priority in every phase");
        return None;
    }
    Some(priority)
}
