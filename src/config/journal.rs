//! The journal: `[journal]`, how much of it is kept.

use super::table::Table;

/// How much of the journal is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Story and notes, days; the audit log is kept for ever.
    pub days: u16,
    /// Readings, hours.
    pub history_hours: u16,
    /// All readings, bytes.
    pub history_bytes: u64,
    /// Readings that the broker has not confirmed are given up after so many hours.
    pub unsent_hours: u16,
    /// Readings that wait for the broker, bytes.
    pub unsent_bytes: usize,
}

impl Default for Retention {
    /// A quarter of a year of the story, a day of readings. 16 MB are about an hour of readings of four beds.
    fn default() -> Self {
        Self { days: 90, history_hours: 24, history_bytes: 1_000_000_000, unsent_hours: 24, unsent_bytes: 16_000_000 }
    }
}

/// Reads the section.
pub(super) fn read(table: &Table<'_>) -> Option<Retention> {
    let default = Retention::default();
    Some(Retention {
        days: table.whole("days", 1..=3_650, " days").unwrap_or(default.days),
        history_hours: table.whole("history_hours", 1..=8_760, " hours").unwrap_or(default.history_hours),
        history_bytes: table
            .whole("history_megabytes", 10..=60_000, " MB")
            .map_or(default.history_bytes, |megabytes| u64::from(megabytes) * 1_000_000),
        unsent_hours: table.whole("unsent_hours", 1..=720, " hours").unwrap_or(default.unsent_hours),
        unsent_bytes: table
            .whole("unsent_megabytes", 1..=1_000, " MB")
            .map_or(default.unsent_bytes, |megabytes| usize::from(megabytes) * 1_000_000),
    })
}
