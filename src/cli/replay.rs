//! `vitalsd replay`: a recording or a capture through the same drivers and the same bed, in simulated time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use vitalsd_core::monitor::input::{DeviceIndex, Route};
use vitalsd_core::monitor::output::Event;
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};

mod page;

use super::{broken_pipe_is_no_error, decode};
use crate::capture;
use crate::config::{self, Checked};
use crate::recording::{Reader, RecordingError};
use crate::replay::{self, Terms, captured, trial};
use crate::simulator::device::Model;
use crate::simulator::labelled::Set;
use crate::simulator::script::Role;
use crate::wire::{self, Clock, Id, Timed};

/// Play a recording (CSV) or a capture through the drivers and the alarm rules: one JSON event a line.
///
/// The session opens at the start. The columns of a recording that have data are the devices of the bed; a
/// blank is the lack of a value. A capture (`vitalsd capture`) is one device. The wall-clock times in the events count from 1970-01-01T00:00:00Z, so that
/// two runs are the same byte for byte.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd replay night.csv
  vitalsd replay night.csv --driver nonin-df2 --route im --dose-at 300 --speed 10
  vitalsd replay night.csv --summary
  vitalsd replay night.capture
  vitalsd replay --synthetic artefacts --seeds 20 --summary

A recording is a CSV with this header; a blank is the lack of a value, and columns without data may stay blank:
  time_s,spo2_pct,pulse_bpm,perfusion_index_pct,pleth,nibp_sys_mmhg,nibp_dia_mmhg,nibp_map_mmhg
  0,97,72,,,,,
  1,97,72,,,128,82,99")]
pub struct Replay {
    /// The recording, or a capture: it is known by its first line.
    #[arg(value_name = "FILE", required_unless_present = "synthetic")]
    file: Option<PathBuf>,
    /// Instead of a recording, simulated sessions of which the truth is known: quiet, artefacts, events,
    /// events-in-artefacts or session.
    #[arg(long, value_name = "SET", requires = "summary", conflicts_with_all = ["file", "driver", "route", "dose_at", "cadence", "speed"])]
    synthetic: Option<Set>,
    /// How many of them.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "synthetic", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Send its values over a simulated line of this device and read them back by the driver; repeat it
    /// for oximeter and blood-pressure monitor. Of a capture: the driver that reads it, instead of the one it names.
    #[arg(long, value_name = "NAME")]
    driver: Vec<Model>,
    /// The alarm limits [default: kat-default-1, as compiled in, without its check rounds: nobody walks them].
    #[arg(long, value_name = "FILE")]
    preset: Option<PathBuf>,
    /// How the dose is given: iv, im, intranasal or oral.
    #[arg(long, default_value = "iv", value_parser = route)]
    route: Route,
    /// When the dose is given; after the end of the recording: not at all.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    dose_at: Span,
    /// The pause between two values of the oximeter [default: the typical step of the recording].
    #[arg(long, value_name = "SECONDS", value_parser = cadence)]
    cadence: Option<Span>,
    /// `max`, or this many times as fast as it was.
    #[arg(long, value_name = "N", default_value = "max", value_parser = speed)]
    speed: Speed,
    /// What it came to instead of the events, beside plain rules without any delay.
    #[arg(long)]
    summary: bool,
    /// The summary as one JSON object, for programs.
    #[arg(long, requires = "summary")]
    json: bool,
}

/// How fast a replay goes.
#[derive(Clone, Copy, Debug)]
enum Speed {
    Max,
    Times(f64),
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let preset = self.preset()?;
        let written = match (&self.file, self.synthetic) {
            (Some(file), _) => self.file(file, preset)?,
            (None, Some(set)) => {
                let trial = trial::run(set, self.seeds, &preset)?;
                self.say(&trial, || page::trial(&trial))?
            }
            (None, None) => Ok(()),
        };
        written.or_else(broken_pipe_is_no_error)
    }

    fn file(&self, file: &Path, preset: Preset) -> anyhow::Result<io::Result<()>> {
        let terms = Terms {
            preset,
            route: self.route,
            dose_at: Time::ZERO + self.dose_at,
            cadence: self.cadence,
            drivers: self.driver.clone(),
        };
        let unreadable = |source| Error::msg(RecordingError::Io { file: file.into(), source });
        let (is_capture, input) = File::open(file).and_then(capture::recognise).map_err(unreadable)?;
        let input = BufReader::new(input);
        if is_capture { self.capture(file, input, &terms) } else { self.recording(file, input, terms) }
    }

    fn recording(&self, file: &Path, input: impl BufRead, terms: Terms) -> anyhow::Result<io::Result<()>> {
        // These errors name their cause themselves: as a chain it would stand there twice.
        let rows = Reader::new(file, input).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(Error::msg)?;
        let named = || file.display().to_string();
        let replay = replay::Replay::new(rows, terms).with_context(named)?;
        let story = replay.play().with_context(named)?;
        if self.summary {
            let summary = replay.summary(&story);
            self.say(&summary, || page::summary(&summary))
        } else {
            Ok(tell(&lines(&story.events, |device| replay.role(device))?, self.speed))
        }
    }

    fn capture(&self, file: &Path, input: impl BufRead, terms: &Terms) -> anyhow::Result<io::Result<()>> {
        if self.summary {
            bail!("{}: a summary needs the values of a recording. Leave out --summary", file.display());
        }
        let reader = capture::Reader::new(file, input).map_err(Error::msg)?;
        let protocol = match self.driver.as_slice() {
            [] => decode::driver_of(reader.header()).with_context(|| file.display().to_string())?,
            [model] => model.protocol(),
            _ => bail!("{}: a capture is one device. Give one --driver at the most", file.display()),
        };
        let events = captured::events(reader, protocol, terms).map_err(Error::msg)?;
        Ok(tell(&lines(&events, |_| Some(captured::role(protocol)))?, self.speed))
    }

    /// For programs or for people.
    fn say(&self, object: &impl Serialize, page: impl Fn() -> String) -> anyhow::Result<io::Result<()>> {
        let text = if self.json { serde_json::to_string(object)? + "\n" } else { page() };
        Ok(io::stdout().lock().write_all(text.as_bytes()))
    }

    fn preset(&self) -> anyhow::Result<Preset> {
        let Some(path) = &self.preset else { return Ok(replay::preset()) };
        let Checked { value, warnings } = config::load_preset(path).map_err(|problems| anyhow!("{problems}"))?;
        if !warnings.0.is_empty() {
            eprintln!("{warnings}\n");
        }
        Ok(value)
    }
}

/// Each event as a line of JSON, with its time.
fn lines(events: &[Event], role: impl Fn(DeviceIndex) -> Option<Role>) -> anyhow::Result<Vec<(Time, String)>> {
    let clock = Clock::new(Timestamp::UNIX_EPOCH);
    let (oximeter, cuff) = (Id::new("oximeter")?, Id::new("cuff")?);
    let name = |device| match role(device) {
        Some(Role::Cuff) => cuff,
        _ => oximeter,
    };
    let line = |event: &Event| Ok((event.at, Timed::new(event.at, wire::Event::new(event, clock, name)).to_line()?));
    events.iter().map(line).collect()
}

fn tell(lines: &[(Time, String)], speed: Speed) -> io::Result<()> {
    let start = Instant::now();
    let mut out = io::stdout().lock();
    for (at, line) in lines {
        if let Speed::Times(speed) = speed {
            let due = start + Duration::from_millis(at.as_millis()).div_f64(speed);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn route(text: &str) -> Result<Route, String> {
    match text {
        "iv" => Ok(Route::Iv),
        "im" => Ok(Route::Im),
        "intranasal" => Ok(Route::Intranasal),
        "oral" => Ok(Route::Oral),
        _ => Err("give iv, im, intranasal or oral".into()),
    }
}

fn seconds(text: &str) -> Result<Span, String> {
    span(text, 0.0..=1e6)
}

fn cadence(text: &str) -> Result<Span, String> {
    span(text, 0.001..=3_600.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and not negative")]
fn span(text: &str, allowed: RangeInclusive<f64>) -> Result<Span, String> {
    match text.parse::<f64>() {
        Ok(seconds) if allowed.contains(&seconds) => Ok(Span::millis((seconds * 1_000.0).round() as u64)),
        _ => Err(format!("give seconds, {} to {}", allowed.start(), allowed.end())),
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(speed) if (0.01..=1e6).contains(&speed) => Ok(Speed::Times(speed)),
        _ => Err("give `max`, or a number 0.01 to 1000000".into()),
    }
}
