//! Reads a TOML file table by table and goes on after a mistake, so that one look shows them all.
//!
//! A key that nobody asked for is a mistake too: [`read`], [`Table::section`] and
//! [`Table::sections`] report it when the reader of that table is done.

use std::cell::RefCell;
use std::fs;
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Checked;
use super::problem::{Place, Problem, Problems, Severity};

/// More mistakes of syntax than these are one mistake: this is another kind of file.
const MISTAKES: usize = 5;

/// A file under check, and what was wrong with it so far.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

/// A table of a file. What is asked for and not usable is reported, and `None`.
pub(super) struct Table<'a> {
    file: &'a File<'a>,
    /// How a message calls it: `[broker]`, or the file.
    name: String,
    span: Range<usize>,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

/// Reads the file at `path` by `reader`, which may report more than the table does by itself.
pub(super) fn read<T>(path: &Path, reader: impl FnOnce(&Table<'_>) -> Option<T>) -> Result<Checked<T>, Problems> {
    let text = fs::read_to_string(path).map_err(|error| {
        let found = format!("the file cannot be read: {error}");
        Problems(vec![Problem::whole(
            Severity::Error,
            path,
            &found,
            "a readable text file in UTF-8",
            "correct the path, or the owner and mode of the file",
        )])
    })?;
    let file = File { path, text: &text, problems: RefCell::default() };
    file.warn_if_anyone_may_write();
    let (root, mistakes) = DeTable::parse_recoverable(&text);
    let mut last = 0;
    for mistake in mistakes.iter().take(MISTAKES) {
        let span = mistake.span().unwrap_or_default();
        let line = Place::of(&span, &text).line;
        // The rest of a line is not to be trusted once its first mistake is made.
        if line != last {
            let found = format!("this is not TOML: {}", mistake.message());
            file.report(Severity::Error, &span, &found, "key = value, [table] and # comment", "correct the line");
        }
        last = line;
    }
    // What follows from a line that could not be read would only distract from it.
    let value = if mistakes.is_empty() {
        // Something missing from the whole file is reported at its start.
        let table = Table::new(&file, "the file".to_owned(), 0..0, root.get_ref());
        let value = reader(&table);
        table.report_unknown();
        value
    } else {
        None
    };
    let mut problems = file.problems.into_inner();
    problems.sort_by_key(|problem| (problem.file != path, problem.place.as_ref().map(|at| (at.line, at.column))));
    let problems = Problems(problems);
    match value {
        Some(value) if !problems.stop() => Ok(Checked { value, warnings: problems }),
        _ => Err(problems),
    }
}

/// Whether anybody at all may write to `path`.
fn anyone_may_write(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0)
}

impl File<'_> {
    fn report(&self, severity: Severity, span: &Range<usize>, found: &str, allowed: &str, remedy: &str) {
        let problem = Problem::whole(severity, self.path, found, allowed, remedy);
        let place = Some(Place::of(span, self.text));
        self.problems.borrow_mut().push(Problem { place, ..problem });
    }

    fn warn_if_anyone_may_write(&self) {
        if anyone_may_write(self.path) {
            self.problems.borrow_mut().push(Problem::whole(
                Severity::Warning,
                self.path,
                "everybody on this machine may change this file, and with it the alarms",
                "a file that only its owner and group may write",
                &format!("chmod o-w {}", self.path.display()),
            ));
        }
    }
}

impl<'a> Table<'a> {
    fn new(file: &'a File<'a>, name: String, span: Range<usize>, entries: &'a DeTable<'a>) -> Self {
        Self { file, name, span, entries, asked: RefCell::default() }
    }

    /// The file it stands in.
    pub(super) fn path(&self) -> &Path {
        self.file.path
    }

    /// `name` as seen from this file.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.path().parent().unwrap_or(Path::new("")).join(name)
    }

    /// The whole file as it was read.
    pub(super) fn source(&self) -> &str {
        self.file.text
    }

    /// Where it begins.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Reports what stops the daemon.
    pub(super) fn error(&self, span: &Range<usize>, found: &str, allowed: &str, remedy: &str) {
        self.file.report(Severity::Error, span, found, allowed, remedy);
    }

    /// Reports what does not.
    pub(super) fn warn(&self, span: &Range<usize>, found: &str, allowed: &str, remedy: &str) {
        self.file.report(Severity::Warning, span, found, allowed, remedy);
    }

    /// Adds what another file had to say.
    pub(super) fn adopt(&self, problems: Problems) {
        self.file.problems.borrow_mut().extend(problems.0);
    }

    /// On which line `span` begins.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        Place::of(span, self.file.text).line
    }

    /// The value of `key`, if it is there.
    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key)
    }

    /// `value` as it was read from `key`; reports `key` if it is not there at all.
    pub(super) fn require<T>(&self, key: &'static str, value: Option<T>, example: &str) -> Option<T> {
        if !self.entries.contains_key(key) {
            let found = format!("`{key}` is missing from {}", self.name);
            self.error(&self.span, &found, &format!("{key} = {example}"), &format!("add `{key}`"));
        }
        value
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        let found = format!("`{key}` is {}", described(value.get_ref()));
        self.error(&value.span(), &found, allowed, &format!("write `{key} = ...` as {allowed}"));
    }

    /// Whether `key` is there, whatever it is.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether `key` is a text, where it may also be something else.
    pub(super) fn is_text(&self, key: &'static str) -> bool {
        self.entries.get(key).is_some_and(|value| value.get_ref().is_str())
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a text in quotes");
        }
        Some(Spanned::new(value.span(), text?))
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<Spanned<&'a str>>> {
        let value = self.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts: [\"...\", \"...\"]");
            return None;
        };
        let text = |item: &'a Spanned<DeValue<'a>>| {
            let text = item.get_ref().as_str();
            if text.is_none() {
                self.wrong_type(key, item, "a list of texts: [\"...\", \"...\"]");
            }
            Some(Spanned::new(item.span(), text?))
        };
        Some(array.iter().filter_map(text).collect())
    }

    /// Whether a list stands there.
    pub(super) fn is_list(&self, key: &'static str) -> bool {
        self.get(key).is_some_and(|value| value.get_ref().is_array())
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    /// A whole number within `range`.
    pub(super) fn whole(&self, key: &'static str, range: RangeInclusive<u16>, unit: &str) -> Option<u16> {
        let allowed = format!("a whole number from {} to {}{unit}", range.start(), range.end());
        let value = self.get(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX);
        let number = u16::try_from(number).ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong_type(key, value, &allowed);
        }
        number
    }

    /// A number with at most one decimal within `range` (both in tenths), as tenths.
    pub(super) fn tenths(&self, key: &'static str, range: RangeInclusive<u16>, unit: &str) -> Option<u16> {
        let (from, to) = (f32::from(*range.start()) / 10.0, f32::from(*range.end()) / 10.0);
        let allowed = format!("a number from {from} to {to}{unit}, with one decimal at most");
        let value = self.get(key)?;
        let tenths = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => parse_tenths(number.as_str()),
            DeValue::Float(number) => parse_tenths(number.as_str()),
            _ => None,
        };
        let tenths = tenths.filter(|tenths| range.contains(tenths));
        if tenths.is_none() {
            self.wrong_type(key, value, &allowed);
        }
        tenths
    }

    /// The table at `key`, read by `reader`.
    pub(super) fn section<T>(&self, key: &'static str, reader: impl FnOnce(&Table<'a>) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, value, &format!("a table: [{key}] or {key} = {{ ... }}"));
            return None;
        };
        let table = Table::new(self.file, format!("`{key}`"), value.span(), entries);
        let read = reader(&table);
        table.report_unknown();
        read
    }

    /// The tables of the list at `key`, each read by `reader`; only those that are sound.
    pub(super) fn sections<T>(&self, key: &'static str, mut reader: impl FnMut(&Table<'a>) -> Option<T>) -> Vec<T> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables, each begun by its name in [[ ]]");
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in array.iter() {
            let Some(entries) = item.get_ref().as_table() else {
                self.wrong_type(key, item, "a list of tables, each begun by its name in [[ ]]");
                continue;
            };
            let table = Table::new(self.file, format!("this `{key}`"), item.span(), entries);
            all.extend(reader(&table));
            table.report_unknown();
        }
        all
    }

    fn report_unknown(&self) {
        let asked = self.asked.borrow();
        for key in self.entries.keys().filter(|key| !asked.contains(&key.get_ref().as_ref())) {
            let found = format!("`{}` is unknown in {}", key.get_ref(), self.name);
            self.error(&key.span(), &found, &asked.join(", "), "correct its spelling, or remove it");
        }
    }
}

/// What a value is, for a person.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// `91` as 910, `91.5` as 915; nothing finer, nothing negative.
fn parse_tenths(number: &str) -> Option<u16> {
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    if tenth.len() != 1 {
        return None;
    }
    whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)
}
