//! A preset file: the figures that a clinician signs (R7, R4, R5.3, R5.12, R6, R8.1).
//!
//! The rows, and the comparator of each, are those of the core; the file gives every figure. The
//! ranges are wide enough for a clinic's own judgement and narrow enough for a slip of the finger.
//!
//! * [`rows`]: one alarm a row.
//! * [`terms`]: what rows need beside their limit, phases, cuff, attention, check round.
//! * [`order`]: what the figures must be to each other.

mod order;
mod rows;
mod terms;

use std::fmt::Write as _;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use sha2::{Digest, Sha256};
use vitalsd_core::monitor::output::Condition;
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Spo2;

use super::Checked;
use super::problem::Problems;
use super::table::{self, Table};

/// Loads the preset at `path`; its `hash` is the SHA-256 of the file.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn load(path: &Path) -> Result<Checked<Preset>, Problems> {
    table::read(path, read)
}

fn read(file: &Table<'_>) -> Option<Preset> {
    let model = Preset::kat_default_1();
    let name = file.require("name", super::settings::id(file, "name"), "\"kat-default-1\"");
    let version = file.require("version", file.whole("version", 1..=u16::MAX, ""), "1");
    let signed_by = file.require("signed_by", file.text("signed_by"), "\"\"");
    let check_round = terms::check_round(file);
    let (mut places, mut terms) = (Places::default(), Places::default());

    let spo2 = section(file, "spo2", |table| rows::oximetry(table, &model, rows::is_spo2, &mut places));
    let pulse =
        section(file, "pulse", |table| rows::oximetry(table, &model, |limit| !rows::is_spo2(limit), &mut places));
    let pressure = section(file, "pressure", |table| rows::pressure(table, &model, &mut places));
    let trends = section(file, "trends", |table| rows::trends(table, &mut places));
    let combined = section(file, "combined", |table| rows::combined(table, &model, &mut places));
    let spo2_terms = section(file, "spo2_terms", |table| terms::spo2(table, &mut terms));
    let pulse_terms = section(file, "pulse_terms", |table| terms::pulse(table, &mut terms));
    let pressure_terms =
        section(file, "pressure_terms", |table| terms::pressure(table, &model.pressure_terms, &mut terms));
    let unavailable = section(file, "spo2_unavailable", terms::unavailable);
    let routes = section(file, "phases", terms::routes);
    let cuff = section(file, "cuff", terms::cuff);
    let attention = section(file, "attention", terms::attention);

    let (combined, high_pressure_slow_pulse) = combined?;
    let preset = Preset {
        name: name?,
        version: version?.into(),
        hash: sha256(file.source()),
        signed_by: signed_by.map(|who| who.into_inner().trim().to_owned()).filter(|who| !who.is_empty()),
        oximetry: [spo2?, pulse?].concat(),
        oximetry_terms: spo2_terms?.with_pulse(pulse_terms?),
        pressure: [pressure?, vec![high_pressure_slow_pulse]].concat(),
        pressure_terms: pressure_terms?,
        trends: trends?,
        combined,
        unavailable: unavailable?,
        routes: routes?,
        cuff: cuff?,
        attention: attention?,
        check_round: check_round?,
    };
    order::check_rows(file, &preset, &places);
    order::check_terms(file, &preset, &terms);
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

/// A saturation that must be there; `range` in tenths of a percent.
fn spo2(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>) -> Option<Spo2> {
    table.require(key, table.tenths(key, range, " %"), "90").and_then(Spo2::tenths)
}

fn bpm(table: &Table<'_>, key: &'static str, range: RangeInclusive<u16>) -> Option<u16> {
    whole(table, key, range, " bpm")
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
