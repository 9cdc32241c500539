//! What the figures must be to each other: a graver row never begins before a milder one.

use vitalsd_core::monitor::output::{Condition, Limit};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::vitals::Spo2;

use super::Places;
use crate::config::table::Table;

/// Rows whose limits must not fall from one to the next.
const RISING: [&[Condition]; 7] = [
    &[
        Condition::Spo2Critical,
        Condition::Spo2VeryLow,
        Condition::Spo2Low,
        Condition::Spo2Reduced,
        Condition::Spo2Drift,
    ],
    &[Condition::Spo2Reduced, Condition::Spo2BelowBaseline],
    &[Condition::PulseRaised, Condition::PulseHighSustained, Condition::PulseHigh, Condition::PulseVeryHigh],
    &[Condition::PulseVeryLow, Condition::PulseLow],
    &[Condition::PressureElevated, Condition::PressureHigh, Condition::PressureSevere, Condition::PressureExtreme],
    &[Condition::PressureVeryLow, Condition::SystolicLow],
    &[Condition::PressureVeryLow, Condition::MeanLow],
];

/// The figures of a limit: the systolic or the only one, and the diastolic or mean one.
type Figures = (Option<u16>, Option<u16>);

fn figures(limit: &Limit) -> Figures {
    match *limit {
        Limit::Spo2Below(spo2) | Limit::Spo2AtMost(spo2) => (Some(spo2.as_tenths()), None),
        Limit::PulseAbove(bpm) | Limit::PulseBelow(bpm) | Limit::PulseAtMost(bpm) => (Some(bpm), None),
        Limit::PressureAbove { systolic, diastolic } | Limit::PressureAtLeast { systolic, diastolic } => {
            (Some(systolic), Some(diastolic))
        }
        Limit::PressureBelow { systolic, mean } => (systolic, mean),
        // The others are of one row alone.
        _ => (None, None),
    }
}

/// The figures of a row.
fn figures_of(preset: &Preset, condition: Condition) -> Figures {
    let oximetry = preset.oximetry.iter().map(|row| (row.condition, row.limit));
    let pressure = preset.pressure.iter().map(|row| (row.condition, row.limit));
    let mut rows = oximetry.chain(pressure);
    rows.find(|(row, _)| *row == condition).map(|(_, limit)| figures(&limit)).unwrap_or_default()
}

/// A graver row must not begin before a milder one, and row 15 confirms row 14.
pub(super) fn check_rows(file: &Table<'_>, preset: &Preset, places: &Places) {
    for rising in RISING {
        for (lower, higher) in rising.iter().zip(rising.iter().skip(1)) {
            if falls(figures_of(preset, *lower), figures_of(preset, *higher)) {
                let (lower, higher_row) = (lower.row(), higher.row());
                let found = format!("the limit of row {higher_row} lies below that of row {lower}");
                let allowed = format!("a limit not below that of row {lower}: a graver row must not begin first");
                file.error(&places.of(*higher), &found, &allowed, "correct one of the two");
            }
        }
    }
    let trends = &preset.trends;
    if trends.burden_ends_at < trends.burden_below {
        let found = format!("row 29 ends at {} %, where it still counts", trends.burden_ends_at);
        let allowed = format!("an end at or above {} %, below which it counts", trends.burden_below);
        file.error(&places.of(Condition::Spo2Burden), &found, &allowed, "correct one of the two");
    }
    let (severe, confirmed) = (Condition::PressureSevere, Condition::PressureSevereConfirmed);
    if figures_of(preset, severe) != figures_of(preset, confirmed) {
        let found = "rows 14 and 15 have different limits";
        let allowed = "the same limits: row 15 is row 14, confirmed";
        file.error(&places.of(confirmed), found, allowed, "give both the same limits");
    }
}

/// What a row needs beside its limit must fit its limit.
pub(super) fn check_terms(file: &Table<'_>, preset: &Preset, places: &Places) {
    use Condition as C;
    let (oximetry, pressure) = (&preset.oximetry_terms, &preset.pressure_terms);
    let spo2 = |spo2: Spo2| (Some(spo2.as_tenths()), None);
    let bpm = |bpm| (Some(bpm), None);
    let row = |condition| figures_of(preset, condition);
    let (oxygen, hypercapnia) = (oximetry.reduced_on_oxygen, oximetry.reduced_hypercapnia);
    // Each: the row it stands in, the figures that must not be the higher ones, the others, and what those are.
    let checks = [
        (
            C::PressureElevated,
            row(C::PressureElevated),
            bpm(pressure.elevated_systolic_over_65),
            "row 12 for younger people",
        ),
        (C::SystolicLow, row(C::SystolicLow), bpm(pressure.low_systolic_baseline), "row 19 after the dose"),
        (C::PressureVeryLow, row(C::PressureVeryLow), figures(&pressure.very_low_repeated), "row 21 on one reading"),
        (C::Spo2Reduced, row(C::Spo2Reduced), spo2(oxygen), "row 3 without oxygen"),
        (C::Spo2Drift, row(C::Spo2Drift), spo2(oximetry.drift_on_oxygen), "row 4 without oxygen"),
        (C::Spo2Drift, spo2(oxygen), spo2(oximetry.drift_on_oxygen), "row 3 on oxygen"),
        (C::Spo2Low, row(C::Spo2VeryLow), spo2(oximetry.low_hypercapnia), "row 1b"),
        (C::Spo2Reduced, spo2(oximetry.low_hypercapnia), spo2(hypercapnia), "row 2 in hypercapnia"),
        (C::PulseLow, row(C::PulseVeryLow), bpm(oximetry.slow_at_least_confirmed), "row 11"),
        (C::PulseLow, bpm(oximetry.slow_at_least_confirmed), bpm(oximetry.slow_at_least), "a confirmed slow pulse"),
    ];
    for (condition, low, high, what) in checks {
        if falls(low, high) {
            let found = format!("this limit lies below that of {what}");
            let allowed = format!("a limit not below that of {what}");
            file.error(&places.of(condition), &found, &allowed, "correct one of the two");
        }
    }
    let checks = [
        (C::Spo2Low, spo2(oximetry.low_hypercapnia), row(C::Spo2Low), "row 2 for other people"),
        (C::Spo2Reduced, spo2(hypercapnia), row(C::Spo2Reduced), "row 3 for other people"),
        (C::PulseLow, bpm(oximetry.slow_at_least), row(C::PulseLow), "row 10 without a baseline"),
    ];
    for (condition, low, high, what) in checks {
        if falls(low, high) {
            let found = format!("this limit lies above that of {what}");
            let allowed = format!("a limit not above that of {what}");
            file.error(&places.of(condition), &found, &allowed, "correct one of the two");
        }
    }
}

fn falls(low: Figures, high: Figures) -> bool {
    let falls = |low: Option<u16>, high: Option<u16>| low.zip(high).is_some_and(|(low, high)| high < low);
    falls(low.0, high.0) || falls(low.1, high.1)
}
