//! What the alarms are worth, by the truth of simulated sessions: everything that happens to the patient is
//! found in time, and what happens only to the probe is no alarm about the patient.
//!
//! A few seeds of each set; `scripts/alarm-quality` plays more, and the recordings.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use vitalsd::replay::{self, trial};
use vitalsd::simulator::labelled::Set;
use vitalsd::wire::summary::{Row, Trial};

fn played(set: Set, sessions: u32) -> Trial {
    trial::run(set, sessions, &replay::preset()).unwrap()
}

/// Everything sustained was found, and nothing later than a second after it was due.
fn all_found_in_time(trial: &Trial, at_least: u32) {
    let sustained: u32 = trial.rows.iter().map(|row| row.sustained).sum();
    assert!(sustained >= at_least, "{sustained} sustained excursions are too few to tell");
    let failed: Vec<_> = trial.rows.iter().filter(|row| row.found < row.sustained || row.late > 0).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn nothing_is_announced_while_nothing_happens() {
    let quiet = played(Set::Quiet, 6);
    assert_eq!((quiet.audible, quiet.plain_audible), (0, 0), "{quiet:#?}");
}

#[test]
fn every_sustained_excursion_is_found_within_a_second_of_its_effective_delay() {
    let events = played(Set::Events, 6);
    all_found_in_time(&events, 6 * 15);
    assert_eq!(events.needless, 0, "{:#?}", events.sounds);
    // Each kind of event reaches its row: falls to 90, 86, 82 and below 79, four pulses, no pulse, two pressures.
    let sustained = |row: &str| {
        let found: Vec<&Row> = events.rows.iter().filter(|it| it.row == row).collect();
        found.first().map_or(0, |row| row.sustained)
    };
    for row in ["1a", "1b", "2", "3", "6", "7", "10", "11", "25", "14", "15", "19"] {
        assert!(sustained(row) >= 6, "row {row}: {}", sustained(row));
    }
}

#[test]
fn artefacts_about_an_excursion_hide_none_that_a_sensor_saw_for_long_enough() {
    all_found_in_time(&played(Set::EventsInArtefacts, 6), 6 * 12);
}

#[test]
fn what_happens_only_to_the_probe_is_no_alarm_about_the_patient() {
    let artefacts = played(Set::Artefacts, 6);
    let sustained: u32 = artefacts.rows.iter().map(|row| row.sustained).sum();
    assert_eq!(sustained, 0, "the set holds nothing that a row waits for: {:#?}", artefacts.rows);
    assert!(artefacts.plain_audible > 6 * 10, "the plain rules are tried hard: {}", artefacts.plain_audible);
    assert_eq!(artefacts.needless_physiological, 0, "{:#?}", artefacts.sounds);
}

/// The goal is 70 %: what is missing to it is R6.2 with the figures of the preset (docs/alarm-quality.md).
#[test]
fn artefacts_make_at_least_half_fewer_sounds_than_by_the_plain_rules() {
    let artefacts = played(Set::Artefacts, 20);
    assert!(artefacts.fewer_pct.unwrap().0 >= 50.0, "{:#?}", artefacts.sounds);
}

/// The goal is less than one: R6.2 announces restlessness after 20 s, and a signal that is lost after 10 s.
#[test]
fn an_ordinary_session_has_less_than_two_sounds_with_nothing_to_do_about_them() {
    let day = played(Set::Session, 20);
    assert!(day.needless_per_session.0 < 1.6, "{:#?}", day.sounds);
}
