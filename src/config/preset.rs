//! A preset file: the figures that a clinician signs (R7, R6, R5.3, R8.1).
//!
//! The rows, and the comparator of each, are those of the core; the file gives every figure. The
//! ranges are wide enough for a clinic's own judgement and narrow enough for a slip of the finger.

use std::fmt::Write as _;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use sha2::{Digest, Sha256};
use vitalsd_core::monitor::output::{Condition, Limit, Priority};
use vitalsd_core::monitor::preset::{
    ByPhase, CuffTerms, OximetryRow, Phases, Preset, PressureRow, PressureTerms, Routes, UnavailableTerms,
};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Spo2;

use super::Checked;
use super::problem::Problems;
use super::table::{self, Table};

/// Tenths of a percent. An alarm of low saturation must not begin below 85 % (security-privacy 7.8) ...
const SPO2: RangeInclusive<u16> = 850..=970;
/// ... but for row 1a, which only comes faster than the rows above it.
const SPO2_CRITICAL: RangeInclusive<u16> = 800..=970;
/// bpm: above what a resting adult may have, below what is an emergency in anybody.
const PULSE_HIGH: RangeInclusive<u16> = 90..=200;
/// bpm.
const PULSE_LOW: RangeInclusive<u16> = 30..=60;
/// mmHg.
const SYSTOLIC_HIGH: RangeInclusive<u16> = 120..=240;
/// mmHg.
const DIASTOLIC_HIGH: RangeInclusive<u16> = 70..=140;
/// mmHg.
const SYSTOLIC_LOW: RangeInclusive<u16> = 60..=120;
/// mmHg.
const MEAN_LOW: RangeInclusive<u16> = 40..=90;
/// Seconds, for a row that is HIGH in any phase.
const DELAY_HIGH: RangeInclusive<u16> = 0..=30;
/// Seconds.
const DELAY: RangeInclusive<u16> = 0..=600;
/// Seconds. Shorter, and an alarm flickers; longer, and it stands for nothing.
const CLEAR: RangeInclusive<u16> = 5..=120;

/// R4.4: rows that nobody may switch off.
const ALWAYS_ON: [Condition; 4] =
    [Condition::Spo2Critical, Condition::Spo2VeryLow, Condition::Spo2Low, Condition::NoPulse];

/// Rows whose limits must not fall from one to the next.
const RISING: [&[Condition]; 6] = [
    &[
        Condition::Spo2Critical,
        Condition::Spo2VeryLow,
        Condition::Spo2Low,
        Condition::Spo2Reduced,
        Condition::Spo2Drift,
    ],
    &[Condition::PulseRaised, Condition::PulseHighSustained, Condition::PulseHigh, Condition::PulseVeryHigh],
    &[Condition::PulseVeryLow, Condition::PulseLow],
    &[Condition::PressureElevated, Condition::PressureHigh, Condition::PressureSevere, Condition::PressureExtreme],
    &[Condition::PressureVeryLow, Condition::SystolicLow],
    &[Condition::PressureVeryLow, Condition::MeanLow],
];

/// Loads the preset at `path`; its `hash` is the SHA-256 of the file.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn load(path: &Path) -> Result<Checked<Preset>, Problems> {
    table::read(path, read)
}

fn read(file: &Table<'_>) -> Option<Preset> {
    let rows = Preset::kat_default_1();
    let name = file.require("name", super::settings::id(file, "name"), "\"kat-default-1\"");
    let version = file.require("version", file.whole("version", 1..=u16::MAX, ""), "1");
    let signed_by = file.require("signed_by", file.text("signed_by"), "\"\"");
    let mut places = Places::default();

    let oximetry = |table: &Table<'_>, section: fn(&Limit) -> bool, places: &mut Places| {
        let rows = rows.oximetry.iter().filter(|row| section(&row.limit));
        all(rows.map(|model| row(table, model.condition, places, |table| oximetry_row(table, model))))
    };
    let spo2 = section(file, "spo2", |table| oximetry(table, is_spo2, &mut places));
    let pulse = section(file, "pulse", |table| oximetry(table, |limit| !is_spo2(limit), &mut places));
    let pressure = section(file, "pressure", |table| {
        let rows = rows.pressure.iter();
        all(rows.map(|model| row(table, model.condition, &mut places, |table| pressure_row(table, model))))
    });
    let mut terms = Places::default();
    let pressure_terms =
        section(file, "pressure_terms", |table| pressure_terms(table, &rows.pressure_terms, &mut terms));
    let unavailable = section(file, "spo2_unavailable", unavailable);
    let routes = section(file, "phases", routes);
    let cuff = section(file, "cuff", cuff);

    let preset = Preset {
        name: name?,
        version: version?.into(),
        hash: sha256(file.source()),
        signed_by: signed_by.map(|who| who.into_inner().trim().to_owned()).filter(|who| !who.is_empty()),
        oximetry: [spo2?, pulse?].concat(),
        pressure: pressure?,
        pressure_terms: pressure_terms?,
        unavailable: unavailable?,
        routes: routes?,
        cuff: cuff?,
    };
    check_order(file, &preset, &places);
    check_terms(file, &preset, &terms);
    Some(preset)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// A section that must be there.
fn section<T>(table: &Table<'_>, key: &'static str, read: impl FnOnce(&Table<'_>) -> Option<T>) -> Option<T> {
    table.require(key, table.section(key, read), "a table, as in kat-default-1")
}

/// All of them, if all could be read; every one is looked at, so that each reports its own mistakes.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    items.collect::<Vec<_>>().into_iter().collect()
}

/// A whole number that must be there.
fn whole(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>, unit: &str) -> Option<u16> {
    let example = format!("a whole number from {} to {}{unit}", range.start(), range.end());
    table.require(key, table.whole(key, range, unit), &example)
}

fn seconds(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>) -> Option<Span> {
    whole(table, key, range, " s").map(|s| Span::secs(s.into()))
}

fn minutes(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>) -> Option<Span> {
    whole(table, key, range, " min").map(|min| Span::mins(min.into()))
}

fn mmhg(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>) -> Option<u16> {
    whole(table, key, range, " mmHg")
}

/// Where each row stands in the file.
#[derive(Default)]
struct Places(Vec<(Condition, Range<usize>)>);

impl Places {
    fn of(&self, condition: Condition) -> Range<usize> {
        self.0.iter().find(|(row, _)| *row == condition).map_or(0..0, |(_, span)| span.clone())
    }
}

fn row<T>(
    table: &Table<'_>,
    condition: Condition,
    places: &mut Places,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Option<T> {
    let example = "{ ... }, as in kat-default-1";
    let read = |row: &Table<'_>| {
        places.0.push((condition, row.span().clone()));
        read(row)
    };
    table.require(condition.row(), table.section(condition.row(), read), example)
}

fn is_spo2(limit: &Limit) -> bool {
    matches!(limit, Limit::Spo2Below(_) | Limit::Spo2AtMost(_))
}

fn oximetry_row(table: &Table<'_>, model: &OximetryRow) -> Option<OximetryRow> {
    let condition = model.condition;
    let spo2 = |key| {
        let range = if condition == Condition::Spo2Critical { SPO2_CRITICAL } else { SPO2 };
        let tenths = table.require(key, table.tenths(key, range, " %"), "90");
        tenths.and_then(Spo2::tenths)
    };
    let pulse = |key, range| whole(table, key, range, " bpm");
    let limit = match model.limit {
        Limit::Spo2Below(_) => spo2("below").map(Limit::Spo2Below),
        Limit::Spo2AtMost(_) => spo2("at_most").map(Limit::Spo2AtMost),
        Limit::PulseAbove(_) => pulse("above", PULSE_HIGH).map(Limit::PulseAbove),
        Limit::PulseBelow(_) => pulse("below", PULSE_LOW).map(Limit::PulseBelow),
        Limit::PulseAtMost(_) => pulse("at_most", PULSE_LOW).map(Limit::PulseAtMost),
        other => Some(other),
    };
    let hysteresis = match model.limit {
        Limit::NoPulse => Some(model.hysteresis),
        _ if is_spo2(&model.limit) => table.require("hysteresis", table.tenths("hysteresis", 10..=50, " %"), "2"),
        _ => pulse("hysteresis", 1..=20),
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
        other => Some(other),
    };
    // A row without a limit of the mean pressure has no use for its hysteresis, nor the other way round.
    let (arterial, mean) = match model.limit {
        Limit::PressureBelow { systolic, mean } => (systolic.is_some(), mean.is_some()),
        _ => (true, false),
    };
    let hysteresis = if arterial { mmhg(table, "hysteresis", 1..=20) } else { Some(model.hysteresis) };
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

fn pressure_below(table: &Table<'_>, systolic: bool, mean: bool) -> Option<Limit> {
    let systolic = systolic.then(|| mmhg(table, "systolic_below", SYSTOLIC_LOW));
    let mean = mean.then(|| mmhg(table, "mean_below", MEAN_LOW));
    if systolic == Some(None) || mean == Some(None) {
        return None;
    }
    Some(Limit::PressureBelow { systolic: systolic.flatten(), mean: mean.flatten() })
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

fn pressure_terms(table: &Table<'_>, model: &PressureTerms, places: &mut Places) -> Option<PressureTerms> {
    let elevated =
        row(table, Condition::PressureElevated, places, |row| mmhg(row, "systolic_above_over_65", SYSTOLIC_HIGH));
    let late = row(table, Condition::PressureHigh, places, |row| {
        let after = minutes(row, "medium_after_min", 60..=240);
        after.zip(minutes(row, "readings_apart_min", 1..=30))
    });
    let confirm = row(table, Condition::PressureSevereConfirmed, places, |row| {
        let apart = minutes(row, "readings_apart_min", 1..=5);
        apart.zip(minutes(row, "within_min", 5..=30))
    });
    let baseline =
        row(table, Condition::SystolicLow, places, |row| mmhg(row, "systolic_below_before_dose", SYSTOLIC_LOW));
    let repeated = row(table, Condition::PressureVeryLow, places, |row| match model.very_low_repeated {
        Limit::PressureBelow { systolic, mean } => pressure_below(row, systolic.is_some(), mean.is_some()),
        other => Some(other),
    });
    let ((high_late_after, high_late_apart), (confirm_apart, confirm_within)) = late.zip(confirm)?;
    Some(PressureTerms {
        elevated_systolic_over_65: elevated?,
        high_late_after,
        high_late_apart,
        confirm_apart,
        confirm_within,
        low_systolic_baseline: baseline?,
        very_low_repeated: repeated?,
    })
}

fn unavailable(table: &Table<'_>) -> Option<UnavailableTerms> {
    /// Two steps, the graver one later.
    fn steps(table: &Table<'_>, key: &'static str, first: &'static str, second: &'static str) -> Option<(Span, Span)> {
        section(table, key, |steps| {
            let (first, second) = seconds(steps, first, 5..=120).zip(seconds(steps, second, 10..=300))?;
            if second <= first {
                let found = format!("`{key}` rises in priority after {second}, but begins only after {first}");
                steps.error(steps.span(), &found, "the second figure longer than the first", "correct one of the two");
            }
            Some((first, second))
        })
    }
    let baseline = steps(table, "P0", "low_s", "medium_s");
    let dosed = steps(table, "P1_P2", "medium_s", "high_s");
    let inadequate = steps(table, "P1_P2_inadequate_signal", "medium_s", "high_s");
    let recovery = steps(table, "P3", "medium_s", "high_s");
    let reset = seconds(table, "ends_after_good_s", 3..=60);
    let thin_medium_pct = whole(table, "thin_medium_below_pct", 10..=95, " %");
    let thin_high_pct = whole(table, "thin_high_below_pct", 10..=95, " %");
    let (baseline_low, baseline_medium) = baseline?;
    let (dosed_medium, dosed_high) = dosed?;
    let (dosed_inadequate_medium, dosed_inadequate_high) = inadequate?;
    let (recovery_medium, recovery_high) = recovery?;
    Some(UnavailableTerms {
        baseline_low,
        baseline_medium,
        dosed_medium,
        dosed_high,
        dosed_inadequate_medium,
        dosed_inadequate_high,
        recovery_medium,
        recovery_high,
        reset: reset?,
        thin_medium_pct: thin_medium_pct?,
        thin_high_pct: thin_high_pct?,
    })
}

fn routes(table: &Table<'_>) -> Option<Routes> {
    let route = |key| {
        section(table, key, |route| {
            let window = minutes(route, "window_from_min", 0..=60);
            let (window, recovery) = window.zip(minutes(route, "recovery_from_min", 40..=240))?;
            if recovery <= window {
                let found = format!("recovery begins after {recovery}, but the window only after {window}");
                route.error(route.span(), &found, "recovery later than the window", "correct one of the two");
            }
            Some(Phases { window, recovery })
        })
    };
    let (iv, im, intranasal, oral) = (route("iv"), route("im"), route("intranasal"), route("oral"));
    let after_infusion = minutes(table, "window_after_infusion_min", 0..=60);
    Some(Routes { iv: iv?, im: im?, intranasal: intranasal?, oral: oral?, after_infusion: after_infusion? })
}

fn cuff(table: &Table<'_>) -> Option<CuffTerms> {
    let baseline = minutes(table, "P0_min", 1..=10);
    let baseline_after = minutes(table, "P0_after_baseline_min", 5..=30);
    let dosed = minutes(table, "P1_P2_min", 3..=15);
    let recovery = minutes(table, "P3_min", 5..=30);
    let retry = seconds(table, "retry_s", 30..=300);
    let inflating_at_most = seconds(table, "inflating_at_most_s", 60..=300);
    Some(CuffTerms {
        baseline: baseline?,
        baseline_after: baseline_after?,
        dosed: dosed?,
        recovery: recovery?,
        retry: retry?,
        inflating_at_most: inflating_at_most?,
    })
}

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
        Limit::NoPulse => (None, None),
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
fn check_order(file: &Table<'_>, preset: &Preset, places: &Places) {
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
    let (severe, confirmed) = (Condition::PressureSevere, Condition::PressureSevereConfirmed);
    if figures_of(preset, severe) != figures_of(preset, confirmed) {
        let found = "rows 14 and 15 have different limits";
        let allowed = "the same limits: row 15 is row 14, confirmed";
        file.error(&places.of(confirmed), found, allowed, "give both the same limits");
    }
}

/// What a row needs beside its limit must fit its limit.
fn check_terms(file: &Table<'_>, preset: &Preset, places: &Places) {
    let terms = &preset.pressure_terms;
    let checks = [
        (Condition::PressureElevated, (Some(terms.elevated_systolic_over_65), None), "row 12 for younger people"),
        (Condition::SystolicLow, (Some(terms.low_systolic_baseline), None), "row 19 after the dose"),
        (Condition::PressureVeryLow, figures(&terms.very_low_repeated), "row 21 on one reading"),
    ];
    for (condition, beside, what) in checks {
        if falls(figures_of(preset, condition), beside) {
            let found = format!("this limit lies below that of {what}");
            let allowed = format!("a limit not below that of {what}");
            file.error(&places.of(condition), &found, &allowed, "correct one of the two");
        }
    }
}

fn falls(low: Figures, high: Figures) -> bool {
    let falls = |low: Option<u16>, high: Option<u16>| low.zip(high).is_some_and(|(low, high)| high < low);
    falls(low.0, high.0) || falls(low.1, high.1)
}
