//! A preset as a page of text: the whole effective table of alarms.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::path::Path;

use vitalsd_core::monitor::output::{Condition, Group, Priority};
use vitalsd_core::monitor::preset::{ByPhase, Phases, Preset, TrendRow};
use vitalsd_core::time::Span;

use super::{Grid, limits};

pub(super) fn page(preset: &Preset, path: &Path) -> String {
    let signature = match &preset.signed_by {
        Some(who) => format!("signed by {who}"),
        None => "UNSIGNED: no clinician has signed these figures".to_owned(),
    };
    let mut page = format!("preset {}, version {}, {signature}\n", preset.name, preset.version);
    let _ = writeln!(page, "{}\nSHA-256 {}\n", path.display(), preset.hash);
    page += &alarm_table(preset);
    page += "\n";
    page += &terms(preset);
    page += "\n";
    page += &unavailable_table(preset);
    page += "\n";
    page += &schedule_table(preset);
    page += "\n";
    page += &attention_table(preset);
    page
}

/// A line of the table of alarms.
struct Line {
    condition: Condition,
    limit: String,
    priority: ByPhase,
    lasts: String,
    ends: String,
}

/// Every row of the preset, in the order of the groups that are announced together.
fn lines(preset: &Preset) -> Vec<Line> {
    let (trends, combined) = (&preset.trends, &preset.combined);
    let oximetry = preset.oximetry.iter().chain([&combined.fast_pulse]).map(|row| Line {
        condition: row.condition,
        limit: limits::in_words(&row.limit, &preset.oximetry_terms, row.condition),
        priority: row.priority,
        lasts: row.delay.to_string(),
        ends: limits::end_of_oximetry(row),
    });
    let trend = |condition, row: &TrendRow| Line {
        condition,
        limit: limits::in_words(&row.limit, &preset.oximetry_terms, condition),
        priority: row.priority,
        lasts: row.delay.to_string(),
        ends: "it no longer does".to_owned(),
    };
    let others = [
        trend(Condition::Spo2Falling, &trends.spo2_falling),
        trend(Condition::PulseClimbing, &trends.pulse_climbing),
        Line {
            condition: Condition::Spo2Burden,
            limit: format!(
                "{} percent-seconds below {} %, or three falls within 60 s",
                trends.burden_points, trends.burden_below
            ),
            priority: trends.burden,
            lasts: "counted".to_owned(),
            ends: format!("{} % or more for {}", trends.burden_ends_at, trends.burden_clear),
        },
        Line {
            condition: Condition::Desaturations,
            limit: "three falls by 4 % within 15 min; within 5 min: medium at least".to_owned(),
            priority: trends.desaturations,
            lasts: "counted".to_owned(),
            ends: "15 min without a third".to_owned(),
        },
        Line {
            condition: Condition::LowSpo2PulseFalling,
            limit: format!("row 3 active and pulse down by more than {} % within 2 min", combined.pulse_fall_pct),
            priority: combined.pulse_falling,
            lasts: Span::ZERO.to_string(),
            ends: "one of the two is over".to_owned(),
        },
    ];
    let pressure = preset.pressure.iter().map(|row| Line {
        condition: row.condition,
        limit: limits::in_words(&row.limit, &preset.oximetry_terms, row.condition),
        priority: row.priority,
        lasts: match row.condition {
            Condition::PressureSevereConfirmed | Condition::ShockIndex => "2 readings".to_owned(),
            Condition::PressureClimbing => "3 readings".to_owned(),
            _ => "1 reading".to_owned(),
        },
        ends: limits::end_of_pressure(row),
    });
    let mut lines: Vec<_> = oximetry.chain(others).chain(pressure).collect();
    let place = |condition: Condition| match condition.group() {
        Group::Spo2 => 0,
        Group::PulseHigh => 1,
        Group::PulseLow => 2,
        Group::PressureHigh => 3,
        Group::PressureLow => 4,
        Group::Combined => 5,
        Group::Alone => 6,
    };
    // Within a group the gravest comes first, as in the rule book.
    lines.sort_by_key(|line| (place(line.condition), Reverse(line.condition)));
    lines
}

fn alarm_table(preset: &Preset) -> String {
    let mut grid = Grid::default();
    grid.row(["", "", "", "P0", "P1", "P2", "P3", "", ""]);
    grid.row([
        "row",
        "condition",
        "limit (pressures in mmHg)",
        "before",
        "onset",
        "window",
        "recovery",
        "must last",
        "ends after",
    ]);
    let mut group = None;
    for Line { condition, limit, priority, lasts, ends } in lines(preset) {
        if group.replace(condition.group()) != Some(condition.group()) {
            grid.row([""; 9]);
        }
        let [p0, p1, p2, p3] = letters(&priority);
        grid.row([condition.row(), title(condition.title()), &limit, p0, p1, p2, p3, &lasts, &ends]);
    }
    grid.text()
}

/// What comes before a colon or a comma: the rest is advice for a screen.
fn title(title: &str) -> &str {
    title.split(':').next().unwrap_or(title)
}

fn letters(priority: &ByPhase) -> [&'static str; 4] {
    let word = |priority| match priority {
        Some(Priority::High) => "HIGH",
        Some(Priority::Medium) => "medium",
        Some(Priority::Low) => "low",
        None => "-",
    };
    [word(priority.baseline), word(priority.onset), word(priority.window), word(priority.recovery)]
}

/// What single rows need beside their limit.
fn terms(preset: &Preset) -> String {
    let (oximetry, terms) = (&preset.oximetry_terms, &preset.pressure_terms);
    let mut grid = Grid::default();
    grid.row([
        "on oxygen",
        &format!(
            "row 3: {} % or less, row 4: {} % or less, from {} after it was started",
            oximetry.reduced_on_oxygen, oximetry.drift_on_oxygen, oximetry.oxygen_grace
        ),
    ]);
    grid.row([
        "hypercapnia",
        &format!(
            "row 2: below {} %, row 3: {} % or less, row 4 off; only if a clinician says so",
            oximetry.low_hypercapnia, oximetry.reduced_hypercapnia
        ),
    ]);
    let slow = format!(
        "below the baseline by {} bpm, but {} at least; slow pulse confirmed: by {} bpm, but {} at least",
        oximetry.slow_below_baseline,
        oximetry.slow_at_least,
        oximetry.slow_below_confirmed,
        oximetry.slow_at_least_confirmed
    );
    grid.row(["row 10", &slow]);
    grid.row(["row 12", &format!("systolic above {} for a person older than 65", terms.elevated_systolic_over_65)]);
    let late = format!(
        "medium in P3 from {} after the dose, on two readings at least {} apart; so do rows 17 and 18",
        terms.high_late_after, terms.high_late_apart
    );
    grid.row(["row 13", &late]);
    let confirm = format!(
        "two of the last three readings, at least {} apart, within {} or 1.5 x the cuff interval; \
         or no valid reading within {} after row 14",
        terms.confirm_apart, terms.confirm_within, terms.not_remeasured
    );
    grid.row(["row 15", &confirm]);
    grid.row(["row 19", &format!("systolic below {} before the dose", terms.low_systolic_baseline)]);
    let repeated = format!("{}: medium, HIGH on the second reading", limits::below(&terms.very_low_repeated));
    grid.row(["row 21", &repeated]);
    grid.row(["rows 22, 35", &format!("only with a pressure not older than {}", terms.fresh)]);
    grid.text()
}

fn unavailable_table(preset: &Preset) -> String {
    let terms = &preset.unavailable;
    let mut grid = Grid::default();
    grid.row(["no SpO2 (row 26)", "low", "medium", "HIGH"]);
    let mut row = |name, low: Option<Span>, medium: Span, high: Option<Span>| {
        let or_none = |span: Option<Span>| span.map_or("-".to_owned(), |span| span.to_string());
        grid.row([name, &or_none(low), &medium.to_string(), &or_none(high)]);
    };
    row("P0, medium only after three readings", Some(terms.baseline_low), terms.baseline_medium, None);
    row("P1, P2", None, terms.dosed_medium, Some(terms.dosed_high));
    row("P1, P2, signal inadequate", None, terms.dosed_inadequate_medium, Some(terms.dosed_inadequate_high));
    row("P3", None, terms.recovery_medium, Some(terms.recovery_high));
    let thin = |pct: u16, span: &str| format!("< {pct} % of {span}");
    grid.row([
        "P1-P3, good data only in",
        "-",
        &thin(terms.thin_medium_pct, "60 s"),
        &thin(terms.thin_high_pct, "180 s"),
    ]);
    grid.text() + &format!("ends after {} of good data\n", terms.reset)
}

fn schedule_table(preset: &Preset) -> String {
    let Preset { routes, cuff, .. } = preset;
    let mut grid = Grid::default();
    grid.row(["route", "P1 onset", "P2 window from", "P3 recovery from"]);
    let mut row = |name, phases: Phases| {
        grid.row([name, "the dose", &phases.window.to_string(), &phases.recovery.to_string()]);
    };
    row("IV", routes.iv);
    row("IM", routes.im);
    row("intranasal", routes.intranasal);
    row("oral, sublingual", routes.oral);
    let mut page = grid.text();
    let _ =
        writeln!(page, "IV: the window lasts until {} after the end of the infusion at least\n", routes.after_infusion);
    let _ = writeln!(
        page,
        "cuff: P0 three readings {} apart, then every {}; P1, P2 every {}; P3 every {}; after a failure once more after {}",
        cuff.baseline, cuff.baseline_after, cuff.dosed, cuff.recovery, cuff.retry
    );
    let _ = writeln!(
        page,
        "      every {} after rows 14 to 16, 19 to 21, a sedative or an antihypertensive; intranasal: one {} after the dose",
        cuff.close, cuff.intranasal_extra
    );
    let _ = writeln!(
        page,
        "      once more {} after rows 14 to 16 and {} after row 21; a reading holds \"BP overdue\" back for {} at most;\n      \
         again and again: {} at most",
        cuff.repeat_severe, cuff.repeat_very_low, cuff.inflating_at_most, cuff.stat_at_most
    );
    page
}

/// R4.2 to R4.4, R5.12.
fn attention_table(preset: &Preset) -> String {
    let terms = &preset.attention;
    let mut grid = Grid::default();
    grid.row(["nobody takes it", "bedside sounder", "all stations", "becomes HIGH", "taken, still there: again"]);
    let (bedside, all_high, again) =
        (terms.bedside.to_string(), terms.all_high.to_string(), terms.again_high.to_string());
    grid.row(["HIGH", &bedside, &all_high, "-", &again]);
    let (all, neglected) = (terms.all_medium.to_string(), terms.neglected.to_string());
    grid.row(["medium", "-", &all, &neglected, &terms.again_medium.to_string()]);
    let mut page = grid.text();
    let _ = writeln!(
        page,
        "bedside sounder at once: rows 1a, 25 and HELP; not to HIGH: rows 12, 13, 17, 18, 22 and questions\n\
         sound paused for {}; while anything is switched off, said every {}\n",
        terms.pause, terms.reminder
    );
    match &preset.check_round {
        Some(round) => {
            let _ = writeln!(
                page,
                "check round: P1, P2 every {}; P3 every {}; overdue: low; no response or fewer than {} breaths a minute: HIGH",
                round.dosed, round.recovery, round.breaths_below
            );
        }
        None => page += "check round: OFF\n",
    }
    page
}
