//! `vitalsd check`: what is wrong with a file, else what it means at the bedside.

mod limits;
mod preset;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use vitalsd_core::driver::{PROTOCOLS, Protocol, Quantity};
use vitalsd_core::time::Span;

use crate::config::{self, Bed, Broker, Checked, FlightRecorder, Problems, Settings, Station};
use crate::mqtt::tls::TlsFiles;

/// Says what is wrong with a configuration or a preset, else shows the alarms that result.
///
/// Example: vitalsd check /etc/vitalsd/vitalsd.toml
#[derive(Debug, Args)]
pub struct Check {
    /// Configurations of the bedside daemon, or presets.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Check {
    /// Checks every file, and prints what it means.
    ///
    /// # Errors
    /// A file is wrong; everything that is wrong with it stands on standard error.
    pub fn run(&self) -> anyhow::Result<()> {
        let mut wrong = 0_usize;
        for (n, path) in self.files.iter().enumerate() {
            if n > 0 {
                println!();
            }
            match check(path, PROTOCOLS) {
                Ok(Checked { value, warnings }) => {
                    print!("{value}");
                    tell(&warnings);
                }
                Err(problems) => {
                    wrong += 1;
                    tell(&problems);
                }
            }
        }
        match wrong {
            0 => Ok(()),
            _ => bail!("{wrong} of {} files cannot be used as they are", self.files.len()),
        }
    }
}

fn tell(problems: &Problems) {
    if !problems.0.is_empty() {
        eprintln!("\n{problems}\n");
    }
}

/// What the file at `path` means, as a page of text.
fn check(path: &Path, known: &[&'static Protocol]) -> Result<Checked<String>, Problems> {
    if is_preset(path) {
        let Checked { value, warnings } = config::load_preset(path)?;
        Ok(Checked { value: preset::page(&value, path), warnings })
    } else {
        let Checked { value, warnings } = config::load(path, known)?;
        Ok(Checked {
            value: settings_page(&value, path) + "\n" + &preset::page(&value.preset, &value.preset_file),
            warnings,
        })
    }
}

/// Whether the file has one of the tables that only a preset has. What cannot be read at all is
/// left to the loader to say.
fn is_preset(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let (root, _) = toml::de::DeTable::parse_recoverable(&text);
    ["spo2", "pulse", "pressure", "signed_by"].iter().any(|key| root.get_ref().contains_key(*key))
}

fn settings_page(settings: &Settings, path: &Path) -> String {
    let Settings { site, box_id, state_dir, expect_station, broker, stations, flight_recorder, beds, .. } = settings;
    let mut page = format!("{}: sound\n\n", path.display());
    let user = broker.credentials.as_ref().map_or(String::new(), |login| format!(" as {}", login.username));
    let mut about = Grid::default();
    about.row(["site", site]);
    about.row(["box", box_id]);
    about.row(["broker", &format!("{}:{}{user}, {}", broker.host, broker.port, way(broker))]);
    about.row(["station", if *expect_station { "expected: its absence is an alarm" } else { "not expected" }]);
    about.row(["commands", &commands(stations, broker)]);
    about.row(["state", &state_dir.display().to_string()]);
    about.row(["recorder", &recorder(flight_recorder.as_ref(), beds)]);
    page += &about.text();
    page += "\n";
    let mut devices = Grid::default();
    devices.row(["bed", "device", "protocol", "line", "source of", "value every", "stale after", "port"]);
    for bed in beds {
        for device in &bed.devices {
            let slowest = device.protocols.iter().map(|protocol| protocol.cadence).max().unwrap_or(Span::ZERO);
            let oximeter = device.measures(Quantity::Spo2);
            let or_none = |text: String| if oximeter { text } else { "each reading".to_owned() };
            let lines = crate::port::find::line::lines(&device.protocols);
            let line = match lines.as_slice() {
                [only] => only.settings.to_string(),
                several => format!("found out, {} to try", several.len()),
            };
            let spoken: Vec<_> = device.protocols.iter().map(|protocol| protocol.name).collect();
            let spoken = if spoken.len() > 3 { format!("one of {}", spoken.len()) } else { spoken.join(" or ") };
            let listens = if device.listen_only { ", listen only" } else { "" };
            devices.row([
                &bed.id,
                &device.id,
                &(spoken + listens),
                &line,
                &listed(device.primary.iter().map(|quantity| named(*quantity))),
                &or_none(seconds(slowest)),
                &if oximeter { seconds(stale_after(slowest)) } else { "-".to_owned() },
                &device.port.display().to_string(),
            ]);
        }
    }
    page += &devices.text();
    for bed in beds {
        page += &unmeasured(bed);
    }
    page
}

/// How safe the way to the broker is.
fn way(broker: &Broker) -> String {
    match &broker.tls {
        Some(TlsFiles { identity: None, .. }) => "over TLS".to_owned(),
        Some(TlsFiles { identity: Some(own), .. }) => format!("over TLS with {}", own.certificate.display()),
        None if broker.is_exposed() => "NOT ENCRYPTED: everyone on the network can read and forge it".to_owned(),
        None => "plain, on this box".to_owned(),
    }
}

/// Who may command, with what tells their keys apart.
fn commands(stations: &[Station], broker: &Broker) -> String {
    if stations.is_empty() {
        return if config::is_loopback(&broker.host) {
            "unsigned: from whoever may publish to the broker on this box".to_owned()
        } else {
            "NOBODY may command these beds".to_owned()
        };
    }
    let named = |station: &Station| match station.open() {
        Ok(key) => format!("{} (key {})", station.id, key.fingerprint()),
        Err(_) => format!("{} (key not seen here)", station.id),
    };
    format!("signed by {}", stations.iter().map(named).collect::<Vec<_>>().join(", "))
}

/// Whether raw vital signs are kept, and where: somebody must know.
fn recorder(settings: Option<&FlightRecorder>, beds: &[Bed]) -> String {
    let Some(FlightRecorder { minutes, directory, bytes_per_port, files, bytes }) = settings else {
        return "off: no bytes of a device are kept".to_owned();
    };
    let ports = beds.iter().map(|bed| bed.devices.len()).sum::<usize>();
    format!(
        "ON: an alarm saves the last {minutes} min of its device, a person's raw vital signs, in {}, \
         at most {files} files and {} MB; {} kB of memory",
        directory.display(),
        bytes / 1_000_000,
        bytes_per_port.saturating_mul(ports) / 1_000,
    )
}

/// What a bed has no source of, one line each.
fn unmeasured(bed: &Bed) -> String {
    let has = |quantity| bed.devices.iter().any(|device| device.is_primary(quantity));
    let mut lines = String::new();
    for (quantity, _) in config::SOURCED {
        if !has(quantity) {
            let _ = writeln!(lines, "{}: nothing measures {}, its alarms will not come", bed.id, named(quantity));
        }
    }
    lines
}

pub(super) fn named(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Spo2 => "SpO2",
        Quantity::Pulse => "pulse",
        Quantity::PerfusionIndex => "perfusion index",
        Quantity::Pleth => "pleth",
        Quantity::BloodPressure => "blood pressure",
    }
}

fn listed<'a>(items: impl Iterator<Item = &'a str>) -> String {
    match items.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    }
}

/// R1.2.
fn stale_after(cadence: Span) -> Span {
    cadence.scaled(5, 2).max(Span::secs(3))
}

/// `1 s`, `0.33 s`.
fn seconds(span: Span) -> String {
    let ms = span.as_millis();
    match (ms / 1_000, ms % 1_000 / 10) {
        (s, 0) => format!("{s} s"),
        (s, hundredths) => format!("{s}.{hundredths:02} s"),
    }
}

/// Columns as wide as their widest cell; the first row is the heading.
#[derive(Default)]
pub(super) struct Grid(Vec<Vec<String>>);

impl Grid {
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.0.push(cells.map(str::to_owned).to_vec());
    }

    pub(super) fn text(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.0 {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        self.0.iter().fold(String::new(), |text, row| {
            let cells = row.iter().zip(&widths);
            let line = cells.fold(String::new(), |line, (cell, width)| line + &format!("{cell:<width$}  "));
            text + line.trim_end() + "\n"
        })
    }
}
