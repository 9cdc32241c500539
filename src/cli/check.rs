//! `vitalsd check`: what is wrong with a file, else what it means at the bedside.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use vitalsd_core::driver::{PROTOCOLS, Protocol, Quantity};
use vitalsd_core::monitor::output::{Condition, Limit, Priority};
use vitalsd_core::monitor::preset::{ByPhase, OximetryRow, Phases, Preset, PressureRow};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Spo2;

use crate::config::{self, Bed, Checked, Problems, Settings};

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
        Ok(Checked { value: preset_page(&value, path), warnings })
    } else {
        let Checked { value, warnings } = config::load(path, known)?;
        Ok(Checked {
            value: settings_page(&value, path) + "\n" + &preset_page(&value.preset, &value.preset_file),
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
    let Settings { site, box_id, state_dir, broker, beds, .. } = settings;
    let mut page = format!("{}: sound\n\n", path.display());
    let user = broker.credentials.as_ref().map_or(String::new(), |login| format!(" as {}", login.username));
    let mut about = Grid::default();
    about.row(["site", site]);
    about.row(["box", box_id]);
    about.row(["broker", &format!("{}:{}{user}", broker.host, broker.port)]);
    about.row(["state", &state_dir.display().to_string()]);
    page += &about.text();
    page += "\n";
    let mut devices = Grid::default();
    devices.row(["bed", "device", "protocol", "line", "source of", "value every", "stale after", "port"]);
    for bed in beds {
        for device in &bed.devices {
            let protocol = device.protocol;
            let oximeter = protocol.measures(Quantity::Spo2);
            let or_none = |text: String| if oximeter { text } else { "each reading".to_owned() };
            devices.row([
                &bed.id,
                &device.id,
                protocol.name,
                &protocol.lines.first().map(ToString::to_string).unwrap_or_default(),
                &listed(device.primary.iter().map(|quantity| named(*quantity))),
                &or_none(seconds(protocol.cadence)),
                &if oximeter { seconds(stale_after(protocol.cadence)) } else { "-".to_owned() },
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

fn named(quantity: Quantity) -> &'static str {
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

fn preset_page(preset: &Preset, path: &Path) -> String {
    let signature = match &preset.signed_by {
        Some(who) => format!("signed by {who}"),
        None => "UNSIGNED: no clinician has signed these figures".to_owned(),
    };
    let mut page = format!("preset {}, version {}, {signature}\n", preset.name, preset.version);
    let _ = writeln!(page, "{}\nSHA-256 {}\n", path.display(), preset.hash);
    page += &alarm_table(preset);
    page += "\n";
    page += &terms(preset);
    page += "\n";
    page += &unavailable_table(preset);
    page += "\n";
    page += &schedule_table(preset);
    page
}

fn alarm_table(preset: &Preset) -> String {
    let mut grid = Grid::default();
    grid.row(["", "", "", "P0", "P1", "P2", "P3", "", ""]);
    grid.row([
        "row",
        "condition",
        "limit (pressures in mmHg)",
        "before",
        "onset",
        "window",
        "recovery",
        "must last",
        "ends after",
    ]);
    let mut group = None;
    for row in &preset.oximetry {
        if group.replace(row.condition.group()) != Some(row.condition.group()) {
            grid.row([""; 9]);
        }
        let [p0, p1, p2, p3] = letters(&row.priority);
        let (limit, delay, end) = (limit_in_words(&row.limit), row.delay.to_string(), end_of_oximetry(row));
        grid.row([row.condition.row(), title(row.condition.title()), &limit, p0, p1, p2, p3, &delay, &end]);
    }
    for row in &preset.pressure {
        if group.replace(row.condition.group()) != Some(row.condition.group()) {
            grid.row([""; 9]);
        }
        let [p0, p1, p2, p3] = letters(&row.priority);
        let (limit, end) = (limit_in_words(&row.limit), end_of_pressure(row));
        let readings = if row.condition == Condition::PressureSevereConfirmed { "2 readings" } else { "1 reading" };
        grid.row([row.condition.row(), title(row.condition.title()), &limit, p0, p1, p2, p3, readings, &end]);
    }
    grid.text()
}

/// What comes before a colon or a comma: the rest is advice for a screen.
fn title(title: &str) -> &str {
    title.split(':').next().unwrap_or(title)
}

fn letters(priority: &ByPhase) -> [&'static str; 4] {
    let word = |priority| match priority {
        Some(Priority::High) => "HIGH",
        Some(Priority::Medium) => "medium",
        Some(Priority::Low) => "low",
        None => "-",
    };
    [word(priority.baseline), word(priority.onset), word(priority.window), word(priority.recovery)]
}

fn limit_in_words(limit: &Limit) -> String {
    match limit {
        Limit::Spo2Below(spo2) => format!("below {spo2} %"),
        Limit::Spo2AtMost(spo2) => format!("{spo2} % or less"),
        Limit::PulseAbove(bpm) => format!("above {bpm} bpm"),
        Limit::PulseBelow(bpm) => format!("below {bpm} bpm"),
        Limit::PulseAtMost(bpm) => format!("{bpm} bpm or less"),
        Limit::NoPulse => "sensor on, no pulse".to_owned(),
        Limit::PressureAbove { systolic, diastolic } => {
            format!("systolic above {systolic} or diastolic above {diastolic}")
        }
        Limit::PressureAtLeast { systolic, diastolic } => {
            format!("systolic {systolic} or diastolic {diastolic}, or more")
        }
        Limit::PressureBelow { systolic, mean } => {
            let systolic = systolic.map(|systolic| format!("systolic below {systolic}"));
            let mean = mean.map(|mean| format!("mean below {mean}"));
            [systolic, mean].into_iter().flatten().collect::<Vec<_>>().join(" or ")
        }
    }
}

/// R2.1: beyond hysteresis, for the clearing time.
fn end_of_oximetry(row: &OximetryRow) -> String {
    let h = row.hysteresis;
    let spo2 = |limit: Spo2| tenths(limit.as_tenths().saturating_add(h));
    let value = match row.limit {
        Limit::Spo2Below(limit) | Limit::Spo2AtMost(limit) => format!("{} % or more", spo2(limit)),
        Limit::PulseBelow(limit) | Limit::PulseAtMost(limit) => format!("{} bpm or more", limit.saturating_add(h)),
        Limit::PulseAbove(limit) => format!("{} bpm or less", limit.saturating_sub(h)),
        _ => "a pulse found".to_owned(),
    };
    format!("{value} for {}", row.clear)
}

fn end_of_pressure(row: &PressureRow) -> String {
    let h = row.hysteresis;
    let value = match row.limit {
        Limit::PressureAbove { systolic, diastolic } | Limit::PressureAtLeast { systolic, diastolic } => {
            format!("{}/{} or less", systolic.saturating_sub(h), diastolic.saturating_sub(h))
        }
        Limit::PressureBelow { systolic, mean } => {
            let systolic = systolic.map(|limit| format!("systolic {}", limit.saturating_add(h)));
            let mean = mean.map(|limit| format!("mean {}", limit.saturating_add(row.mean_hysteresis)));
            [systolic, mean].into_iter().flatten().collect::<Vec<_>>().join(", ") + " or more"
        }
        _ => String::new(),
    };
    match row.clear_readings {
        1 => format!("{value}, 1 reading"),
        n => format!("{value}, {n} readings"),
    }
}

fn tenths(tenths: u16) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// What single pressure rows need beside their limit.
fn terms(preset: &Preset) -> String {
    let terms = &preset.pressure_terms;
    let mut grid = Grid::default();
    grid.row(["row 12", &format!("systolic above {} for a person older than 65", terms.elevated_systolic_over_65)]);
    let late = format!(
        "medium in P3 from {} after the dose, on two readings at least {} apart",
        terms.high_late_after, terms.high_late_apart
    );
    grid.row(["row 13", &late]);
    let confirm = format!(
        "two of the last three readings, at least {} apart, within {} or 1.5 x the cuff interval",
        terms.confirm_apart, terms.confirm_within
    );
    grid.row(["row 15", &confirm]);
    grid.row(["row 19", &format!("systolic below {} before the dose", terms.low_systolic_baseline)]);
    let repeated = format!("{}: medium, HIGH on the second reading", limit_in_words(&terms.very_low_repeated));
    grid.row(["row 21", &repeated]);
    grid.text()
}

fn unavailable_table(preset: &Preset) -> String {
    let terms = &preset.unavailable;
    let mut grid = Grid::default();
    grid.row(["no SpO2 (row 26)", "low", "medium", "HIGH"]);
    let mut row = |name, low: Option<Span>, medium: Span, high: Option<Span>| {
        let or_none = |span: Option<Span>| span.map_or("-".to_owned(), |span| span.to_string());
        grid.row([name, &or_none(low), &medium.to_string(), &or_none(high)]);
    };
    row("P0, medium only after three readings", Some(terms.baseline_low), terms.baseline_medium, None);
    row("P1, P2", None, terms.dosed_medium, Some(terms.dosed_high));
    row("P1, P2, signal inadequate", None, terms.dosed_inadequate_medium, Some(terms.dosed_inadequate_high));
    row("P3", None, terms.recovery_medium, Some(terms.recovery_high));
    let thin = |pct: u16, span: &str| format!("< {pct} % of {span}");
    grid.row([
        "P1-P3, good data only in",
        "-",
        &thin(terms.thin_medium_pct, "60 s"),
        &thin(terms.thin_high_pct, "180 s"),
    ]);
    grid.text() + &format!("ends after {} of good data\n", terms.reset)
}

fn schedule_table(preset: &Preset) -> String {
    let Preset { routes, cuff, .. } = preset;
    let mut grid = Grid::default();
    grid.row(["route", "P1 onset", "P2 window from", "P3 recovery from"]);
    let mut row = |name, phases: Phases| {
        grid.row([name, "the dose", &phases.window.to_string(), &phases.recovery.to_string()]);
    };
    row("IV", routes.iv);
    row("IM", routes.im);
    row("intranasal", routes.intranasal);
    row("oral, sublingual", routes.oral);
    let mut page = grid.text();
    let _ =
        writeln!(page, "IV: the window lasts until {} after the end of the infusion at least\n", routes.after_infusion);
    let _ = writeln!(
        page,
        "cuff: P0 three readings {} apart, then every {}; P1, P2 every {}; P3 every {}; after a failure once more after {}",
        cuff.baseline, cuff.baseline_after, cuff.dosed, cuff.recovery, cuff.retry
    );
    page
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
