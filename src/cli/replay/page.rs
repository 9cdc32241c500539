//! What a replay came to, for people.

use crate::cli::check::Grid;
use crate::wire::number::Decimal;
use crate::wire::summary::{Cause, Count, Excursion, Plain, Row, Sound, Summary, Trial};

/// The summary of a recording.
pub(super) fn summary(summary: &Summary) -> String {
    let Summary { length_s, alarms, audible, audible_per_hour, rows: judged, plain: rules, excursions } = summary;
    let mut table = Grid::default();
    table.row(["alarm", "priority", "episodes", "with sound", "first at s", "active s"]);
    for Count { condition, priority, episodes, audible, first_s, active_s } in alarms {
        let [episodes, audible] = [episodes, audible].map(ToString::to_string);
        let [first, active] = [*first_s, *active_s].map(number);
        table.row([condition.slug(), &priority.to_string(), &episodes, &audible, &first, &active]);
    }
    let [length, hourly] = [*length_s, *audible_per_hour].map(number);
    let alarms = table.text();
    let mut page = format!("{length} s\n\n{alarms}\nannounced with sound: {audible}, {hourly} an hour\n");
    page += &rows(judged);
    page += &plain(rules);
    if !excursions.is_empty() {
        let mut table = Grid::default();
        table.row(["excursion at s", "for s", "lowest %", "s to alarm", "s to MEDIUM or HIGH", "s to HIGH"]);
        for Excursion { start_s, lasted_s, lowest_spo2_pct, to_alarm_s, to_audible_s, to_high_s } in excursions {
            let [start, lasted, lowest] = [*start_s, *lasted_s, *lowest_spo2_pct].map(number);
            let [alarm, audible, high] =
                [to_alarm_s, to_audible_s, to_high_s].map(|after| after.map_or("never".to_owned(), number));
            table.row([&start, &lasted, &lowest, &alarm, &audible, &high]);
        }
        page = page + "\n" + &table.text();
    }
    page
}

/// What a set of simulated sessions came to.
pub(super) fn trial(trial: &Trial) -> String {
    let Trial { set, sessions, events, artefacts, audible, needless, plain_audible, plain_needless, .. } = trial;
    let [hours, hourly, each, plain_hourly] =
        [trial.hours, trial.audible_per_hour, trial.needless_per_session, trial.plain_per_hour].map(number);
    let physiological = trial.needless_physiological;
    let fewer = trial.fewer_pct.map_or(String::new(), |pct| format!(": {} % fewer", number(pct)));
    let mut page = format!(
        "{set}: {sessions} sessions, {hours} h; {events} events, {artefacts} artefacts\n\n\
         announced with sound: {audible}, {hourly} an hour; needless {needless}, {each} a session, {physiological} of them about a vital sign\n\
         by the plain rules: {plain_audible}, {plain_hourly} an hour; needless {plain_needless}{fewer}\n"
    );
    if !trial.sounds.is_empty() {
        let mut table = Grid::default();
        table.row(["sound", "row", "priority", "began", "needless"]);
        for Sound { condition, row, priority, audible, needless, .. } in &trial.sounds {
            let [audible, needless] = [audible, needless].map(ToString::to_string);
            table.row([condition.slug(), row, &priority.to_string(), &audible, &needless]);
        }
        page = page + "\n" + &table.text();
    }
    if trial.needless > 0 {
        let mut table = Grid::default();
        table.row(["needless", "priority", "times", "during", "for example", "at s", "after s", "of s"]);
        for Sound { condition, priority, causes, .. } in &trial.sounds {
            for Cause { during, needless, seed, at_s, after_s, lasted_s } in causes {
                let [at, after, lasted] = [*at_s, *after_s, *lasted_s].map(number);
                let (times, seed) = (needless.to_string(), format!("seed {seed}"));
                table.row([condition.slug(), &priority.to_string(), &times, during, &seed, &at, &after, &lasted]);
            }
        }
        page = page + "\n" + &table.text();
    }
    page + &rows(&trial.rows) + &plain(&trial.plain)
}

fn rows(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Grid::default();
    table.row([
        "limit broken",
        "row",
        "delay s",
        "broken s",
        "sustained",
        "found",
        "late",
        "median s",
        "worst s",
        "hidden",
    ]);
    for Row { condition, row, delay_s, violation_s, sustained, found, late, median_s, worst_s, hidden } in rows {
        let [delay, violation] = [*delay_s, *violation_s].map(number);
        let [sustained, found, late, hidden] = [sustained, found, late, hidden].map(ToString::to_string);
        let [median, worst] = [median_s, worst_s].map(|after| after.map_or(String::new(), number));
        let condition = condition.slug();
        table.row([condition, row, &delay, &violation, &sustained, &found, &late, &median, &worst, &hidden]);
    }
    format!("\n{}", table.text())
}

fn plain(rules: &[Plain]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let mut table = Grid::default();
    table.row(["plain rule, no delay", "onsets", "an hour", "broken s", "lasting 10 s"]);
    for Plain { rule, onsets, onsets_per_hour, violation_s, lasting } in rules {
        let [hourly, violation] = [*onsets_per_hour, *violation_s].map(number);
        let [onsets, lasting] = [onsets, lasting].map(ToString::to_string);
        table.row([rule.as_str(), &onsets, &hourly, &violation, &lasting]);
    }
    format!("\n{}", table.text())
}

fn number(value: Decimal) -> String {
    value.0.to_string()
}
