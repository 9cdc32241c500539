//! The settings of the bedside daemon: `vitalsd.toml`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Spanned;
use vitalsd_core::driver::Protocol;
use vitalsd_core::monitor::preset::Preset;

use super::bed::{self, Bed};
use super::broker::{self, Broker};
use super::flight::FlightRecorder;
use super::problem::Problems;
use super::station::{self, Station};
use super::table::{self, Table};
use super::{Checked, Retention, flight, journal, preset};

/// What the bedside daemon needs to know, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The clinic, an opaque id.
    pub site: String,
    /// This box.
    pub box_id: String,
    /// Where the boot counter and, later, the journal live.
    pub state_dir: PathBuf,
    /// Whether a nurses' station is to be present (R10.1); `false` where integrators alone listen.
    pub expect_station: bool,
    /// Whether to ask the system for real-time scheduling and locked memory.
    pub real_time: bool,
    /// The alarm limits.
    pub preset: Preset,
    /// The file they came from.
    pub preset_file: PathBuf,
    /// Where to publish.
    pub broker: Broker,
    /// Who may command, by signature; empty: whoever may publish to a broker on this box.
    pub stations: Vec<Station>,
    /// The flight recorder; `None`: off.
    pub flight_recorder: Option<FlightRecorder>,
    /// How much of the journal is kept.
    pub journal: Retention,
    /// The beds of this box, at least one.
    pub beds: Vec<Bed>,
}

/// Loads the settings at `path`, for a daemon that speaks the `known` protocols.
///
/// # Errors
/// Everything that is wrong with the file and with the preset it names.
pub fn load(path: &Path, known: &[&'static Protocol]) -> Result<Checked<Settings>, Problems> {
    table::read(path, |file| read(file, known))
}

fn read(file: &Table<'_>, known: &[&'static Protocol]) -> Option<Settings> {
    let site = file.require("site", id(file, "site"), "\"clinic\"");
    let box_id = file.require("box", id(file, "box"), "\"box-03\"");
    let state_dir = file.text("state_dir").map(|dir| PathBuf::from(dir.get_ref()));
    let state_dir = state_dir.unwrap_or_else(|| default_state_dir(env::var_os("STATE_DIRECTORY")));
    let expect_station = file.flag("expect_station").unwrap_or(true);
    let real_time = file.flag("real_time").unwrap_or(false);
    let preset_path = file.require("preset", file.text("preset"), "\"presets/kat-default-1.toml\"");
    let preset = preset_path.and_then(|named| load_preset(file, &named));
    // A broken section is reported and drops the settings as a whole; only an absent one has a default.
    let broker = file.section("broker", broker::read).unwrap_or_else(Broker::on_this_box);
    let stations = station::read_all(file);
    station::warn_if_nobody_may_command(file, &stations, &broker);
    let flight_recorder = file.section("flight_recorder", |table| flight::read(table, &state_dir));
    let journal = file.section("journal", journal::read).unwrap_or_default();
    let beds = bed::read_all(file, known);
    let (preset, preset_file) = preset?;
    Some(Settings {
        site: site?,
        box_id: box_id?,
        state_dir,
        expect_station,
        real_time,
        preset,
        preset_file,
        broker,
        stations,
        flight_recorder,
        journal,
        beds,
    })
}

/// What systemd has made for the service, or where it would have.
fn default_state_dir(state_directory: Option<OsString>) -> PathBuf {
    state_directory.map_or_else(|| PathBuf::from("/var/lib/vitalsd"), PathBuf::from)
}

fn load_preset(file: &Table<'_>, named: &Spanned<&str>) -> Option<(Preset, PathBuf)> {
    let path = file.beside(named.get_ref());
    if !path.is_file() {
        let found = format!("there is no preset at {}", path.display());
        file.error(&named.span(), &found, "a preset file, relative to this file", "correct the path");
        return None;
    }
    match preset::load(&path) {
        Ok(Checked { value, warnings }) => {
            file.adopt(warnings);
            Some((value, path))
        }
        Err(problems) => {
            file.adopt(problems);
            None
        }
    }
}

/// Names of the drug. A topic is seen by everyone who sees the broker, and would disclose the
/// treatment (security-privacy 3).
const DRUGS: [&str; 4] = ["ketamin", "ketalar", "spravato", "ketanest"];

/// An id as it may stand in a topic (DESIGN 6).
pub(super) fn id(table: &Table<'_>, key: &'static str) -> Option<String> {
    let text = table.text(key)?;
    let id = *text.get_ref();
    let sound = (1..=32).contains(&id.len()) && id.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !sound {
        let found = format!("`{key}` is {id:?}");
        let remedy = "choose an id of these characters; it is seen by everyone who sees the broker, so no name";
        table.error(&text.span(), &found, "1 to 32 of the characters a-z, 0-9 and -", remedy);
        return None;
    }
    if DRUGS.iter().any(|drug| id.contains(drug)) {
        let found = format!("`{key}` names the treatment: {id:?}");
        let allowed = "an id that tells nothing about a patient or a treatment";
        table.error(&text.span(), &found, allowed, "choose another; topics are seen by everyone who sees the broker");
        return None;
    }
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_lives_where_systemd_says() {
        assert_eq!(default_state_dir(Some("/run/x".into())), Path::new("/run/x"));
        assert_eq!(default_state_dir(None), Path::new("/var/lib/vitalsd"));
    }
}
