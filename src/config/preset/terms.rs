//! What rows need beside their limit, and everything that is no row: phases, cuff, attention, check round.

use vitalsd_core::monitor::output::{Condition, Limit};
use vitalsd_core::monitor::preset::{
    AttentionTerms, CheckTerms, CuffTerms, OximetryTerms, Phases, PressureTerms, Routes, UnavailableTerms,
};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Spo2;

use super::rows::{PULSE_LOW, SPO2, SYSTOLIC_HIGH, SYSTOLIC_LOW, pressure_below};
use super::{Places, bpm, minutes, mmhg, row, seconds, section, spo2 as percent, whole};
use crate::config::table::Table;

/// What the rows of the saturation need beside their limit.
pub(super) struct Spo2Terms {
    below_baseline: u16,
    reduced_on_oxygen: Spo2,
    drift_on_oxygen: Spo2,
    reduced_hypercapnia: Spo2,
    low_hypercapnia: Spo2,
    oxygen_grace: Span,
}

/// What row 10 needs beside its limit.
pub(super) struct PulseTerms {
    slow_below_baseline: u16,
    slow_at_least: u16,
    slow_below_confirmed: u16,
    slow_at_least_confirmed: u16,
}

impl Spo2Terms {
    /// Both, as the core takes them.
    pub(super) const fn with_pulse(self, pulse: PulseTerms) -> OximetryTerms {
        OximetryTerms {
            below_baseline: self.below_baseline,
            reduced_on_oxygen: self.reduced_on_oxygen,
            drift_on_oxygen: self.drift_on_oxygen,
            reduced_hypercapnia: self.reduced_hypercapnia,
            low_hypercapnia: self.low_hypercapnia,
            oxygen_grace: self.oxygen_grace,
            slow_below_baseline: pulse.slow_below_baseline,
            slow_at_least: pulse.slow_at_least,
            slow_below_confirmed: pulse.slow_below_confirmed,
            slow_at_least_confirmed: pulse.slow_at_least_confirmed,
        }
    }
}

pub(super) fn spo2(table: &Table<'_>, places: &mut Places) -> Option<Spo2Terms> {
    let low_hypercapnia = row(table, Condition::Spo2Low, places, |row| percent(row, "below_hypercapnia", SPO2));
    let reduced = row(table, Condition::Spo2Reduced, places, |row| {
        let on_oxygen = percent(row, "at_most_on_oxygen", SPO2);
        on_oxygen.zip(percent(row, "at_most_hypercapnia", SPO2))
    });
    let drift_on_oxygen = row(table, Condition::Spo2Drift, places, |row| percent(row, "at_most_on_oxygen", SPO2));
    let below_baseline = row(table, Condition::Spo2BelowBaseline, places, |row| {
        row.require("below_baseline", row.tenths("below_baseline", 20..=100, " %"), "4")
    });
    let oxygen_grace = minutes(table, "oxygen_grace_min", 0..=10);
    let (reduced_on_oxygen, reduced_hypercapnia) = reduced?;
    Some(Spo2Terms {
        below_baseline: below_baseline?,
        reduced_on_oxygen,
        drift_on_oxygen: drift_on_oxygen?,
        reduced_hypercapnia,
        low_hypercapnia: low_hypercapnia?,
        oxygen_grace: oxygen_grace?,
    })
}

pub(super) fn pulse(table: &Table<'_>, places: &mut Places) -> Option<PulseTerms> {
    row(table, Condition::PulseLow, places, |row| {
        let slow_below_baseline = bpm(row, "below_baseline", 5..=20);
        let slow_at_least = bpm(row, "at_least", PULSE_LOW);
        let slow_below_confirmed = bpm(row, "confirmed_below_baseline", 5..=20);
        let slow_at_least_confirmed = bpm(row, "confirmed_at_least", PULSE_LOW);
        Some(PulseTerms {
            slow_below_baseline: slow_below_baseline?,
            slow_at_least: slow_at_least?,
            slow_below_confirmed: slow_below_confirmed?,
            slow_at_least_confirmed: slow_at_least_confirmed?,
        })
    })
}

pub(super) fn pressure(table: &Table<'_>, model: &PressureTerms, places: &mut Places) -> Option<PressureTerms> {
    let elevated =
        row(table, Condition::PressureElevated, places, |row| mmhg(row, "systolic_above_over_65", SYSTOLIC_HIGH));
    let late = row(table, Condition::PressureHigh, places, |row| {
        let after = minutes(row, "medium_after_min", 60..=240);
        after.zip(minutes(row, "readings_apart_min", 1..=30))
    });
    let confirm = row(table, Condition::PressureSevereConfirmed, places, |row| {
        let (apart, within) = (minutes(row, "readings_apart_min", 1..=5), minutes(row, "within_min", 5..=30));
        let not_remeasured = minutes(row, "not_remeasured_min", 3..=10);
        Some((apart?, within?, not_remeasured?))
    });
    let baseline =
        row(table, Condition::SystolicLow, places, |row| mmhg(row, "systolic_below_before_dose", SYSTOLIC_LOW));
    let repeated = row(table, Condition::PressureVeryLow, places, |row| match model.very_low_repeated {
        Limit::PressureBelow { systolic, mean } => pressure_below(row, systolic.is_some(), mean.is_some()),
        other => Some(other),
    });
    let fresh = minutes(table, "beside_pulse_at_most_min", 5..=15);
    let ((high_late_after, high_late_apart), (confirm_apart, confirm_within, not_remeasured)) = late.zip(confirm)?;
    Some(PressureTerms {
        elevated_systolic_over_65: elevated?,
        high_late_after,
        high_late_apart,
        confirm_apart,
        confirm_within,
        low_systolic_baseline: baseline?,
        very_low_repeated: repeated?,
        not_remeasured,
        fresh: fresh?,
    })
}

pub(super) fn unavailable(table: &Table<'_>) -> Option<UnavailableTerms> {
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

pub(super) fn routes(table: &Table<'_>) -> Option<Routes> {
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

pub(super) fn cuff(table: &Table<'_>) -> Option<CuffTerms> {
    let baseline = minutes(table, "P0_min", 1..=10);
    let baseline_after = minutes(table, "P0_after_baseline_min", 5..=30);
    let dosed = minutes(table, "P1_P2_min", 3..=15);
    let recovery = minutes(table, "P3_min", 5..=30);
    let close = minutes(table, "close_min", 2..=10);
    let intranasal_extra = minutes(table, "intranasal_extra_min", 20..=60);
    let retry = seconds(table, "retry_s", 30..=300);
    let repeat_severe = seconds(table, "repeat_severe_s", 60..=300);
    let repeat_very_low = seconds(table, "repeat_very_low_s", 60..=180);
    let inflating_at_most = seconds(table, "inflating_at_most_s", 60..=300);
    let stat_at_most = minutes(table, "stat_at_most_min", 1..=5);
    Some(CuffTerms {
        baseline: baseline?,
        baseline_after: baseline_after?,
        dosed: dosed?,
        recovery: recovery?,
        retry: retry?,
        inflating_at_most: inflating_at_most?,
        close: close?,
        repeat_severe: repeat_severe?,
        repeat_very_low: repeat_very_low?,
        intranasal_extra: intranasal_extra?,
        stat_at_most: stat_at_most?,
    })
}

pub(super) fn attention(table: &Table<'_>) -> Option<AttentionTerms> {
    let bedside = seconds(table, "high_bedside_s", 0..=60);
    let all_high = seconds(table, "high_all_stations_s", 30..=120);
    let all_medium = seconds(table, "medium_all_stations_s", 60..=300);
    let neglected = seconds(table, "medium_becomes_high_s", 120..=600);
    let again_high = seconds(table, "high_again_s", 60..=300);
    let again_medium = seconds(table, "medium_again_s", 120..=600);
    let pause = seconds(table, "pause_s", 30..=120);
    let reminder = seconds(table, "reminder_s", 60..=300);
    let terms = AttentionTerms {
        again_high: again_high?,
        again_medium: again_medium?,
        bedside: bedside?,
        all_high: all_high?,
        all_medium: all_medium?,
        neglected: neglected?,
        pause: pause?,
        reminder: reminder?,
    };
    for (first, second, earlier, later) in [
        (terms.bedside, terms.all_high, "high_bedside_s", "high_all_stations_s"),
        (terms.all_high, terms.all_medium, "high_all_stations_s", "medium_all_stations_s"),
        (terms.all_medium, terms.neglected, "medium_all_stations_s", "medium_becomes_high_s"),
        (terms.again_high, terms.again_medium, "high_again_s", "medium_again_s"),
    ] {
        if second < first {
            let found = format!("`{later}` is {second}, and `{earlier}` is {first}");
            let allowed = format!("`{later}` not shorter than `{earlier}`: what is graver comes first");
            table.error(table.span(), &found, &allowed, "correct one of the two");
        }
    }
    Some(terms)
}

/// R5.12: a table, or the word that switches it off.
#[expect(clippy::option_option, reason = "the outer one: it could not be read; the inner one: it is off")]
pub(super) fn check_round(file: &Table<'_>) -> Option<Option<CheckTerms>> {
    const KEY: &str = "check_round";
    const EXAMPLE: &str = "{ P1_P2_min = 15, P3_min = 30, breaths_below = 8 }, or \"off\"";
    if file.is_text(KEY) {
        let word = file.text(KEY)?;
        if *word.get_ref() == "off" {
            return Some(None);
        }
        let found = format!("`{KEY}` is {:?}", word.get_ref());
        file.error(&word.span(), &found, EXAMPLE, "give the figures, or switch it off");
        return None;
    }
    let read = |table: &Table<'_>| {
        let (dosed, recovery) = (minutes(table, "P1_P2_min", 5..=30), minutes(table, "P3_min", 10..=60));
        let breaths_below = whole(table, "breaths_below", 6..=12, "");
        let (dosed, recovery) = (dosed?, recovery?);
        if recovery < dosed {
            let found = format!("the check round comes every {recovery} in recovery, and every {dosed} before it");
            table.error(table.span(), &found, "a `P3_min` not shorter than `P1_P2_min`", "correct one of the two");
        }
        Some(CheckTerms { dosed, recovery, breaths_below: u8::try_from(breaths_below?).ok()? })
    };
    file.require(KEY, file.section(KEY, read), EXAMPLE).map(Some)
}
