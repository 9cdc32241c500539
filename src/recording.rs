//! Recordings of vital signs: one CSV, one row a moment, a blank where there was no value.
//!
//! `time_s,spo2_pct,pulse_bpm,perfusion_index_pct,pleth,nibp_sys_mmhg,nibp_dia_mmhg,nibp_map_mmhg`.
//! A row says what was recorded, plausible or not: what to think of it is for the core to decide.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};

use thiserror::Error;
use vitalsd_core::vitals::BloodPressure;

/// One moment of a recording. `None`: blank, there was no value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// Since the start of the recording, to the nearest millisecond.
    pub time_ms: u64,
    /// Saturation in tenths of a percent.
    pub spo2_tenths: Option<u16>,
    /// Pulse rate, to the nearest whole beat a minute.
    pub pulse_bpm: Option<u16>,
    /// Perfusion index in hundredths of a percent.
    pub perfusion_index_hundredths: Option<u16>,
    /// Plethysmogram, arbitrary units.
    pub pleth: Option<f32>,
    /// Systolic pressure in mmHg, in the row of the moment at which it was stored.
    pub systolic_mmhg: Option<u16>,
    /// Diastolic pressure in mmHg.
    pub diastolic_mmhg: Option<u16>,
    /// Mean pressure in mmHg.
    pub mean_mmhg: Option<u16>,
}

impl Row {
    /// Whether a blood pressure, or a part of one, stands in this row.
    #[must_use]
    pub const fn has_pressure(&self) -> bool {
        self.systolic_mmhg.is_some() || self.diastolic_mmhg.is_some() || self.mean_mmhg.is_some()
    }

    /// The determination in this row, if there is one and it is in range and in order.
    #[must_use]
    pub fn pressure(&self) -> Option<BloodPressure> {
        match (self.systolic_mmhg, self.diastolic_mmhg, self.mean_mmhg) {
            (Some(systolic), Some(diastolic), mean) => BloodPressure::full(systolic, diastolic, mean),
            (_, _, Some(mean)) => BloodPressure::mean_only(mean),
            _ => None,
        }
    }
}

/// The columns of a recording; the order in a file is that of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Spo2,
    Pulse,
    PerfusionIndex,
    Pleth,
    Systolic,
    Diastolic,
    Mean,
}

impl Column {
    const ALL: [Self; 8] = [
        Self::Time,
        Self::Spo2,
        Self::Pulse,
        Self::PerfusionIndex,
        Self::Pleth,
        Self::Systolic,
        Self::Diastolic,
        Self::Mean,
    ];

    /// Its name in the header, and the range in which a value can have been recorded at all.
    const fn meaning(self) -> (&'static str, f64, f64) {
        match self {
            Self::Time => ("time_s", 0.0, 1e9),
            Self::Spo2 => ("spo2_pct", 0.0, 100.0),
            Self::Pulse => ("pulse_bpm", 0.0, 500.0),
            Self::PerfusionIndex => ("perfusion_index_pct", 0.0, 100.0),
            Self::Pleth => ("pleth", -1e6, 1e6),
            Self::Systolic => ("nibp_sys_mmhg", 0.0, 400.0),
            Self::Diastolic => ("nibp_dia_mmhg", 0.0, 400.0),
            Self::Mean => ("nibp_map_mmhg", 0.0, 400.0),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning().0)
    }
}

/// Why a recording cannot be read, and where.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("{}: {source}. Give the path of a recording (CSV) that this user may read", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: found {found}, expected {expected}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What is allowed.
        expected: String,
    },
}

/// Reads a recording row by row; stops after the first error.
#[derive(Debug)]
pub struct Reader<R> {
    file: PathBuf,
    lines: Lines<R>,
    line: usize,
    columns: Vec<Column>,
    last_ms: u64,
    broken: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, or its header is not that of a recording.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(|source| RecordingError::Io { file: path.into(), source })?;
        Self::new(path, BufReader::new(file))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the header from `input`; `name` stands in errors.
    ///
    /// # Errors
    /// The input cannot be read, or its header is not that of a recording.
    pub fn new(name: impl Into<PathBuf>, input: R) -> Result<Self, RecordingError> {
        let mut reader =
            Self { file: name.into(), lines: input.lines(), line: 0, columns: Vec::new(), last_ms: 0, broken: false };
        let header = reader.next_line().transpose()?.unwrap_or_default();
        let known = || Column::ALL.map(|column| column.meaning().0).join(",");
        for name in header.trim_start_matches('\u{feff}').split(',').map(str::trim) {
            match Column::ALL.into_iter().find(|column| column.meaning().0 == name) {
                Some(column) if !reader.columns.contains(&column) => reader.columns.push(column),
                Some(column) => {
                    return Err(reader.error(format!("a second column `{column}`"), "each column once".into()));
                }
                None => {
                    return Err(reader.error(format!("a column `{name}`"), format!("a header of these: {}", known())));
                }
            }
        }
        if reader.columns.contains(&Column::Time) {
            Ok(reader)
        } else {
            Err(reader.error(format!("a header `{header}`"), "a column `time_s` in it".into()))
        }
    }

    fn next_line(&mut self) -> Option<Result<String, RecordingError>> {
        self.line += 1;
        let line = self.lines.next()?;
        Some(line.map_err(|source| RecordingError::Io { file: self.file.clone(), source }))
    }

    fn error(&self, found: String, expected: String) -> RecordingError {
        RecordingError::Line { file: self.file.clone(), line: self.line, found, expected }
    }

    fn row(&mut self, line: &str) -> Result<Row, RecordingError> {
        let fields = line.split(',').count();
        if fields != self.columns.len() {
            let expected = format!("{}, as in the header", self.columns.len());
            return Err(self.error(format!("{fields} fields"), expected));
        }
        let mut row = Row::default();
        let mut time = None;
        for (column, field) in self.columns.iter().zip(line.split(',').map(str::trim)) {
            let Some(value) = self.value(*column, field)? else { continue };
            match column {
                Column::Time => time = Some(nearest(value * 1_000.0)),
                Column::Spo2 => row.spo2_tenths = Some(nearest_u16(value * 10.0)),
                Column::Pulse => row.pulse_bpm = Some(nearest_u16(value)),
                Column::PerfusionIndex => row.perfusion_index_hundredths = Some(nearest_u16(value * 100.0)),
                Column::Pleth => row.pleth = Some(single(value)),
                Column::Systolic => row.systolic_mmhg = Some(nearest_u16(value)),
                Column::Diastolic => row.diastolic_mmhg = Some(nearest_u16(value)),
                Column::Mean => row.mean_mmhg = Some(nearest_u16(value)),
            }
        }
        match time {
            Some(time_ms) if time_ms >= self.last_ms => {
                self.last_ms = time_ms;
                Ok(Row { time_ms, ..row })
            }
            Some(_) => Err(self.error("a time before that of the row above".into(), "times that never fall".into())),
            None => Err(self.error("a blank `time_s`".into(), "a time in every row".into())),
        }
    }

    fn value(&self, column: Column, field: &str) -> Result<Option<f64>, RecordingError> {
        if field.is_empty() {
            return Ok(None);
        }
        let (name, low, high) = column.meaning();
        match field.parse::<f64>() {
            Ok(value) if (low..=high).contains(&value) => Ok(Some(value)),
            _ => Err(self.error(format!("`{field}` as `{name}`"), format!("a number {low} to {high}, or a blank"))),
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Row, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.broken {
            let row = match self.next_line()? {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => self.row(&line),
                Err(error) => Err(error),
            };
            self.broken = row.is_err();
            return Some(row);
        }
        None
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, held by Column::meaning")]
fn nearest(value: f64) -> u64 {
    value.round() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, held by Column::meaning")]
fn nearest_u16(value: f64) -> u16 {
    value.round() as u16
}

#[expect(clippy::cast_possible_truncation, reason = "a waveform in arbitrary units needs no more digits")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "time_s,spo2_pct,pulse_bpm,perfusion_index_pct,pleth,nibp_sys_mmhg,nibp_dia_mmhg,nibp_map_mmhg\n";

    fn read(body: &str) -> Result<Vec<Row>, RecordingError> {
        Reader::new("bed.csv", format!("{HEADER}{body}").as_bytes())?.collect()
    }

    #[test]
    fn a_row_has_the_values_that_were_recorded_and_a_blank_is_no_value() {
        let rows = read("0,98,57,2.1,,,,\n1.5,97.4,56.6,,0.25,,,\n\n600,,,,,195,136,151\n660,,,,,,,136\n").unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[0].spo2_tenths, rows[0].pulse_bpm), (Some(980), Some(57)));
        assert_eq!((rows[0].perfusion_index_hundredths, rows[0].pleth), (Some(210), None));
        assert_eq!((rows[1].time_ms, rows[1].spo2_tenths, rows[1].pulse_bpm), (1_500, Some(974), Some(57)));
        assert_eq!((rows[1].pleth, rows[1].has_pressure()), (Some(0.25), false));
        assert_eq!(rows[2].pressure(), BloodPressure::full(195, 136, Some(151)));
        assert_eq!(rows[3].pressure(), BloodPressure::mean_only(136));
    }

    #[test]
    fn a_pressure_that_cannot_be_stays_in_the_row_and_is_no_determination() {
        let rows = read("0,,,,,65,16,29\n").unwrap();
        assert_eq!((rows[0].diastolic_mmhg, rows[0].pressure()), (Some(16), None));
        assert!(rows[0].has_pressure());
    }

    #[test]
    fn a_line_that_is_wrong_is_named_with_what_is_allowed() {
        let says = |body: &str| read(body).unwrap_err().to_string();
        assert_eq!(
            says("0,98,57,,,,,\n1,9x,57,,,,,\n"),
            "bed.csv:3: found `9x` as `spo2_pct`, expected a number 0 to 100, or a blank"
        );
        assert_eq!(
            says("0,101,57,,,,,\n"),
            "bed.csv:2: found `101` as `spo2_pct`, expected a number 0 to 100, or a blank"
        );
        assert_eq!(
            says("0,NaN,57,,,,,\n"),
            "bed.csv:2: found `NaN` as `spo2_pct`, expected a number 0 to 100, or a blank"
        );
        assert_eq!(says("0,98\n"), "bed.csv:2: found 2 fields, expected 8, as in the header");
        assert_eq!(says(",98,57,,,,,\n"), "bed.csv:2: found a blank `time_s`, expected a time in every row");
        assert_eq!(
            says("5,98,57,,,,,\n4,98,57,,,,,\n"),
            "bed.csv:3: found a time before that of the row above, expected times that never fall"
        );
    }

    #[test]
    fn a_file_with_another_header_is_not_a_recording() {
        let error = Reader::new("x.csv", "time_s,hr\n0,60\n".as_bytes()).unwrap_err().to_string();
        assert!(
            error.starts_with("x.csv:1: found a column `hr`, expected a header of these: time_s,spo2_pct,"),
            "{error}"
        );
        let error = Reader::new("x.csv", "spo2_pct\n98\n".as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "x.csv:1: found a header `spo2_pct`, expected a column `time_s` in it");
        assert!(Reader::new("x.csv", "".as_bytes()).is_err());
    }

    #[test]
    fn reading_ends_at_the_first_error() {
        let text = format!("{HEADER}0,x,,,,,,\n1,98,,,,,,\n");
        let mut reader = Reader::new("bed.csv", text.as_bytes()).unwrap();
        assert!(reader.next().is_some_and(|row| row.is_err()));
        assert!(reader.next().is_none());
    }
}
