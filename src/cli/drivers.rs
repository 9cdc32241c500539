//! `vitalsd drivers`: what it speaks, for a person, a program, or `docs/devices.md`.
//!
//! * `columns`: what stands in the columns, for a person, and in which words.

mod columns;

use std::io::{self, Write};

use vitalsd_core::driver::{PROTOCOLS, Protocol};

use self::columns::GROUPS;
use super::broken_pipe_is_no_error;
use super::check::Grid;
use crate::capture::{Provenance, proof};
use crate::wire::Driver;
use crate::wire::driver;

/// List the device protocols that vitalsd speaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vitalsd drivers
  vitalsd drivers --json | jq -r 'select(.own_alarm == \"none\").name'")]
pub struct Drivers {
    /// One JSON object a line, for programs: everything that is fixed about a protocol.
    #[arg(long)]
    json: bool,
    /// The table of `docs/devices.md`.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

impl Drivers {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let drivers = PROTOCOLS.iter().copied().map(driver_of).collect::<anyhow::Result<Vec<_>>>()?;
        let text = match self {
            Self { json: true, .. } => lines(&drivers)?,
            Self { markdown: true, .. } => markdown(&drivers),
            _ => page(&drivers),
        };
        io::stdout().lock().write_all(text.as_bytes()).or_else(broken_pipe_is_no_error)
    }
}

/// The protocol of that name, for an option.
///
/// # Errors
/// There is none; those that there are.
pub(super) fn named(name: &str) -> Result<&'static Protocol, String> {
    let known = || PROTOCOLS.iter().map(|protocol| protocol.name).collect::<Vec<_>>().join(", ");
    let found = PROTOCOLS.iter().copied().find(|protocol| protocol.name == name);
    found.ok_or_else(|| format!("no such driver `{name}`; give one of {}", known()))
}

fn driver_of(protocol: &Protocol) -> anyhow::Result<Driver> {
    let recordings = proof::of(protocol.name)?.into_iter().map(|(name, header)| driver::Recording {
        name: name.to_owned(),
        provenance: match header.provenance {
            Provenance::Device => driver::Provenance::Device,
            Provenance::Simulated => driver::Provenance::Simulated,
            Provenance::Sheet => driver::Provenance::Sheet,
        },
    });
    Ok(Driver::new(protocol, recordings.collect()))
}

fn lines(drivers: &[Driver]) -> serde_json::Result<String> {
    drivers.iter().map(|driver| Ok(serde_json::to_string(driver)? + "\n")).collect()
}

/// For a terminal of 100 characters.
fn page(drivers: &[Driver]) -> String {
    let mut page = String::new();
    for group in &GROUPS {
        let mut grid = Grid::default();
        grid.row(group.brief.map(|(column, _)| column.heading));
        for driver in drivers.iter().filter(|driver| group.holds(driver)) {
            let cells = group.brief.map(|(column, width)| wrapped(&(column.cell)(driver), width));
            for row in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                grid.row(cells.each_ref().map(|cell| cell.get(row).map_or("", String::as_str)));
            }
        }
        page += &format!("{}\n\n{}\n", group.title, grid.text());
    }
    page + "More of each: docs/devices.md, or --json\n\
        What vitalsd does not speak to, and why: docs/devices-not-supported.md\n"
}

/// What stands between the marks in `docs/devices.md`.
fn markdown(drivers: &[Driver]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let table = GROUPS.iter().map(|group| {
        let heading = row(group.all.iter().map(|column| column.heading.to_owned()).collect());
        let rule = format!("|{}\n", "---|".repeat(group.all.len()));
        let drivers = drivers.iter().filter(|driver| group.holds(driver));
        let rows = drivers.map(|driver| row(group.all.iter().map(|column| (column.cell)(driver)).collect()));
        format!("## {}\n\n{heading}{rule}{}", group.title, rows.collect::<String>())
    });
    table.collect::<Vec<_>>().join("\n")
}

/// Lines of at most `width` characters, cut between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
