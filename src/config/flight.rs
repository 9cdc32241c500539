//! The flight recorder: `[flight_recorder]`, off where it is not there.

use std::path::{Path, PathBuf};

use super::table::Table;

/// What the flight recorder keeps in memory, and on disk once an alarm begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlightRecorder {
    /// How far back it goes.
    pub minutes: u16,
    /// Where it saves.
    pub directory: PathBuf,
    /// The most that it keeps in memory for a port.
    pub bytes_per_port: usize,
    /// The most files it keeps.
    pub files: usize,
    /// The most bytes all of them have.
    pub bytes: u64,
}

/// The default place, below the state directory.
const DIRECTORY: &str = "flight-recorder";
/// A capture is text: at the most four times as large as the bytes in memory.
const TEXT: u16 = 4;

/// Reads the section. Its directory is seen from the file, and by default stands in `state_dir`.
pub(super) fn read(table: &Table<'_>, state_dir: &Path) -> Option<FlightRecorder> {
    let minutes = table.whole("minutes", 1..=60, " minutes").unwrap_or(5);
    let kilobytes = table.whole("kilobytes_per_port", 64..=8_192, " kB").unwrap_or(1_024);
    let files = table.whole("files", 1..=1_000, "").unwrap_or(50);
    let megabytes = table.whole("megabytes", 1..=10_000, " MB").unwrap_or(200);
    let directory =
        table.text("directory").map(|named| table.path().parent().unwrap_or(Path::new("")).join(named.get_ref()));
    if u32::from(megabytes) * 1_000 < u32::from(kilobytes) * u32::from(TEXT) {
        let found = format!("{megabytes} MB of files have no room for one capture of {kilobytes} kB in memory");
        let allowed = format!("`megabytes` for at least {TEXT} times `kilobytes_per_port`");
        table.error(table.span(), &found, &allowed, "raise `megabytes`, or lower `kilobytes_per_port`");
        return None;
    }
    Some(FlightRecorder {
        minutes,
        directory: directory.unwrap_or_else(|| state_dir.join(DIRECTORY)),
        bytes_per_port: usize::from(kilobytes) * 1_000,
        files: files.into(),
        bytes: u64::from(megabytes) * 1_000_000,
    })
}
