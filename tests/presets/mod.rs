//! The preset file: what is refused, and where.

use vitalsd::config::{Checked, Problems, Severity};
use vitalsd_core::monitor::preset::Preset;

use super::{Clinic, PRESET, but, only};

/// The shipped preset with `old` made `new` is refused for exactly one reason; `at` is the text of the line it must name.
#[track_caller]
fn preset_refused(old: &str, new: &str, at: &str, found: &str) {
    let text = but(PRESET, old, new);
    let problems = Clinic::new().load_preset(&text).unwrap_err();
    let at = text.lines().position(|line| line.contains(at)).unwrap() + 1;
    only(&problems, Severity::Error, at, found);
}

#[test]
fn the_shipped_preset_is_the_one_compiled_in() {
    let Checked { value, warnings } = Clinic::new().load_preset(PRESET).unwrap();
    assert_eq!(warnings, Problems::default());
    assert_eq!(Preset { hash: String::new(), ..value }, Preset::kat_default_1());
}

#[test]
fn the_hash_is_that_of_the_file() {
    let clinic = Clinic::new();
    let plain = clinic.load_preset(PRESET).unwrap().value.hash;
    let sha256sum = std::process::Command::new("sha256sum").arg(clinic.path("preset.toml")).output().unwrap();
    assert!(String::from_utf8(sha256sum.stdout).unwrap().starts_with(&format!("{plain}  ")), "{plain}");
    assert_ne!(plain, clinic.load_preset(&format!("{PRESET}#")).unwrap().value.hash);
}

#[test]
fn a_signature_is_a_name_and_not_a_blank() {
    let signed_by = |who: &str| {
        let text = but(PRESET, "signed_by = \"\"", &format!("signed_by = {who:?}"));
        Clinic::new().load_preset(&text).unwrap().value.signed_by
    };
    assert_eq!(signed_by("  "), None);
    assert_eq!(signed_by("Dr. A. Example"), Some("Dr. A. Example".to_owned()));
}

#[test]
fn an_unknown_and_a_missing_row_are_refused() {
    let row_7 = PRESET.lines().find(|line| line.starts_with("7 ")).unwrap();
    preset_refused(row_7, "", "[pulse]", "`7` is missing from `pulse`");
    preset_refused(row_7, &format!("{row_7}\n{}", row_7.replace("7  =", "77 =")), "77 =", "`77` is unknown in `pulse`");
}

#[test]
fn a_high_alarm_of_low_saturation_never_begins_below_85() {
    preset_refused("1b = { below   = 85", "1b = { below   = 84", "1b = {", "`below` is the number 84");
    preset_refused("2  = { below   = 88", "2  = { below   = 79.9", "2  = { below", "`below` is the number 79.9");
    preset_refused("1a = { below   = 80", "1a = { below   = 79", "1a = {", "`below` is the number 79");
}

#[test]
fn limits_that_cannot_be_meant_are_refused() {
    preset_refused("above   = 150", "above   = 1500", "6  = {", "`above` is the number 1500");
    preset_refused("at_most =  40", "at_most =  -40", "11 = {", "`at_most` is the number -40");
    preset_refused("mean_below     =  65", "mean_below     =  30", "20 = {", "`mean_below` is the number 30");
    preset_refused("3  = { at_most = 91", "3  = { at_most = 91.25", "3  = {", "`at_most` is the number 91.25");
}

#[test]
fn times_and_hystereses_out_of_range_are_refused() {
    preset_refused("delay_s =  5", "delay_s =  50", "1b = {", "`delay_s` is the number 50");
    preset_refused("delay_s = 300", "delay_s = 3000", "8  = {", "`delay_s` is the number 3000");
    preset_refused("hysteresis = 4", "hysteresis = 0", "11 = {", "`hysteresis` is the number 0");
    preset_refused("clear_s = 10", "clear_s = 1", "25 = {", "`clear_s` is the number 1");
    preset_refused(
        "P1_P2_min             = 10",
        "P1_P2_min             = 1",
        "P1_P2_min             ",
        "`P1_P2_min` is the number 1",
    );
}

#[test]
fn a_priority_is_four_letters() {
    for wrong in ["- M M", "- M M M M", "- M M X", "- m m m"] {
        let row_8 = "120, priority = \"- M M M\"";
        preset_refused(row_8, &row_8.replace("- M M M", wrong), "8  = {", "`priority` is");
    }
}

#[test]
fn the_gravest_rows_cannot_be_switched_off() {
    let row = "1a = { below   = 80, priority = \"H H H H\"";
    preset_refused(row, &row.replace("H H H H", "- H H H"), "1a = {", "row 1a (SpO2 critical) is switched off");
}

#[test]
fn a_graver_row_never_begins_before_a_milder_one() {
    preset_refused("below   = 88", "below   = 92", "3  = {", "the limit of row 3 lies below that of row 2");
    preset_refused("above   = 130", "above   = 160", "6  = {", "the limit of row 6 lies below that of row 7");
    preset_refused(
        "5  = { at_most = 93",
        "5  = { at_most = 90",
        "5  = {",
        "the limit of row 5 lies below that of row 3",
    );
    preset_refused(
        "systolic_at_least = 200",
        "systolic_at_least = 170",
        "16 = {",
        "the limit of row 16 lies below that of row 14",
    );
}

#[test]
fn row_15_confirms_row_14() {
    let old = "15 = { systolic_at_least = 180";
    preset_refused(old, "15 = { systolic_at_least = 190", "15 = { sys", "rows 14 and 15 have different limits");
}

#[test]
fn a_second_limit_of_a_row_fits_its_first() {
    preset_refused("over_65 = 150", "over_65 = 130", "over_65", "lies below that of row 12");
    preset_refused("before_dose = 100", "before_dose = 80", "before_dose", "lies below that of row 19");
    preset_refused("mean_below = 60", "mean_below = 50", "mean_below = 50", "lies below that of row 21");
}

#[test]
fn steps_and_phases_go_forward() {
    preset_refused("high_s   =  90", "high_s   =  15", "P1_P2_inadequate", "rises in priority after 15 s");
    let oral = but(PRESET, "window_from_min = 30", "window_from_min = 60");
    let text = but(&oral, "recovery_from_min = 120", "recovery_from_min = 45");
    let at = text.lines().position(|line| line.starts_with("oral")).unwrap() + 1;
    only(&Clinic::new().load_preset(&text).unwrap_err(), Severity::Error, at, "recovery begins after 45 min");
}

#[test]
fn row_10_lies_between_row_11_and_its_own_terms() {
    let text = but(PRESET, "at_most =  40", "at_most =  55");
    let problems = Clinic::new().load_preset(&text).unwrap_err();
    let found: Vec<_> = problems.0.iter().map(|problem| problem.found.as_str()).collect();
    assert_eq!(found, ["the limit of row 10 lies below that of row 11", "this limit lies below that of row 11"]);
    preset_refused("at_least = 45", "at_least = 55", "confirmed_at_least", "lies above that of row 10");
    preset_refused(
        "confirmed_at_least = 41",
        "confirmed_at_least = 47",
        "confirmed_at_least",
        "a confirmed slow pulse",
    );
}

#[test]
fn the_limits_on_oxygen_and_in_hypercapnia_fit_those_of_other_people() {
    let (oxygen, at) = ("3 = { at_most_on_oxygen = 93", "at_most_hypercapnia");
    preset_refused(oxygen, &oxygen.replace("93", "90"), at, "lies below that of row 3 without oxygen");
    preset_refused(oxygen, &oxygen.replace("93", "95"), "4 = { at", "lies below that of row 3 on oxygen");
    let low = "below_hypercapnia = 85";
    preset_refused(low, &low.replace("85", "84"), "below_hypercapnia", "`below_hypercapnia` is the number 84");
    preset_refused(low, &low.replace("85", "87.5"), at, "lies below that of row 2 in hypercapnia");
    preset_refused("at_most_hypercapnia = 87", "at_most_hypercapnia = 92", at, "lies above that of row 3");
}

#[test]
fn the_figures_of_relative_rows_and_trends_have_their_ranges() {
    preset_refused("below_baseline = 4 ", "below_baseline = 40 ", "5 = { below", "`below_baseline` is the number 40");
    preset_refused("systolic_rise = 40", "systolic_rise = 4", "17 = {", "`systolic_rise` is the number 4");
    preset_refused("pct = 130", "pct = 13", "18 = {", "`mean_of_baseline_pct` is the number 13");
    preset_refused("at_least = 1.0", "at_least = 10", "22 = {", "`pulse_per_systolic_at_least` is the number 10");
    preset_refused("climbs_per_min = 3", "climbs_per_min = 0", "31 = {", "`systolic_climbs_per_min` is the number 0");
    preset_refused("falls_per_min = 1", "falls_per_min = 0.1", "23 = {", "`falls_per_min` is the number 0.1");
    preset_refused("climbs_per_min = 10", "climbs_per_min = 1", "24 = {", "`climbs_per_min` is the number 1");
    preset_refused("percent_seconds = 50", "percent_seconds = 5", "29 = {", "`percent_seconds` is the number 5");
    preset_refused("ends_at_least = 92", "ends_at_least = 89", "29 = {", "row 29 ends at 89 %, where it still counts");
    preset_refused("pulse_falls_pct = 20", "pulse_falls_pct = 2", "33 = {", "`pulse_falls_pct` is the number 2");
    preset_refused("pulse_at_least = 130", "pulse_at_least = 30", "34 = {", "`pulse_at_least` is the number 30");
    preset_refused("pulse_at_most = 50", "pulse_at_most = 150", "35 = {", "`pulse_at_most` is the number 150");
    preset_refused("not_remeasured_min = 5", "not_remeasured_min = 50", "15 = { read", "`not_remeasured_min` is");
}

#[test]
fn what_is_graver_comes_to_more_people_sooner() {
    let refused = |text: &str, found: &str| {
        let at = text.lines().position(|line| line == "[attention]").unwrap() + 1;
        only(&Clinic::new().load_preset(text).unwrap_err(), Severity::Error, at, found);
    };
    let all = but(PRESET, "medium_all_stations_s = 120", "medium_all_stations_s = 300");
    let neglected = but(&all, "medium_becomes_high_s = 300", "medium_becomes_high_s = 200");
    refused(&neglected, "`medium_becomes_high_s` is 3 min 20 s, and `medium_all_stations_s` is 5 min");
    let again = but(PRESET, "medium_again_s        = 300", "medium_again_s        = 150");
    refused(&again, "`medium_again_s` is 2 min 30 s, and `high_again_s` is 3 min");
    preset_refused("pause_s               = 120", "pause_s               = 600", "pause_s ", "is the number 600");
}

#[test]
fn a_check_round_has_figures_or_is_off() {
    let on = "check_round = { P1_P2_min = 15, P3_min = 30, breaths_below = 8 }";
    let off = but(PRESET, on, "check_round = \"off\"");
    let Checked { value, .. } = Clinic::new().load_preset(&off).unwrap();
    assert_eq!(value.check_round, None);
    preset_refused(on, "check_round = \"never\"", "\"never\"", "`check_round` is \"never\"");
    preset_refused(on, "check_round = 15", "check_round = 15", "`check_round` is the number 15");
    preset_refused(
        on,
        &on.replace("30", "10"),
        "P3_min = 10",
        "comes every 10 min in recovery, and every 15 min before",
    );
    preset_refused(on, "", "# kat-default-1", "`check_round` is missing from the file");
}
