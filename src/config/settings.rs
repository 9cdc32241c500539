//! The settings of the bedside daemon: `vitalsd.toml`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use toml::Spanned;
use vitalsd_core::driver::Protocol;
use vitalsd_core::monitor::preset::Preset;

use super::bed::{self, Bed};
use super::flight::FlightRecorder;
use super::problem::Problems;
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
    /// The alarm limits.
    pub preset: Preset,
    /// The file they came from.
    pub preset_file: PathBuf,
    /// Where to publish.
    pub broker: Broker,
    /// The flight recorder; `None`: off.
    pub flight_recorder: Option<FlightRecorder>,
    /// How much of the journal is kept.
    pub journal: Retention,
    /// The beds of this box, at least one.
    pub beds: Vec<Bed>,
}

/// The MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the box logs in; `None`: anonymously.
    pub credentials: Option<Credentials>,
}

/// How the box logs in to the broker. The password stays in its file, so that no log can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The file that holds the password in its first line.
    pub password_file: PathBuf,
}

impl Credentials {
    /// Reads the password.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn password(&self) -> io::Result<String> {
        let text = fs::read_to_string(&self.password_file)?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }
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
    let preset_path = file.require("preset", file.text("preset"), "\"presets/kat-default-1.toml\"");
    let preset = preset_path.and_then(|named| load_preset(file, &named));
    // A broken section is reported and drops the settings as a whole; only an absent one has a default.
    let broker = file.section("broker", read_broker).unwrap_or_else(Broker::on_this_box);
    let flight_recorder = file.section("flight_recorder", |table| flight::read(table, &state_dir));
    let journal = file.section("journal", journal::read).unwrap_or_default();
    let beds = bed::read_all(file, known);
    let (preset, preset_file) = preset?;
    Some(Settings {
        site: site?,
        box_id: box_id?,
        state_dir,
        expect_station,
        preset,
        preset_file,
        broker,
        flight_recorder,
        journal,
        beds,
    })
}

/// What systemd has made for the service, or where it would have.
fn default_state_dir(state_directory: Option<OsString>) -> PathBuf {
    state_directory.map_or_else(|| PathBuf::from("/var/lib/vitalsd"), PathBuf::from)
}

/// `name` as seen from the file that mentions it.
fn beside(file: &Table<'_>, name: &str) -> PathBuf {
    file.path().parent().unwrap_or(Path::new("")).join(name)
}

fn load_preset(file: &Table<'_>, named: &Spanned<&str>) -> Option<(Preset, PathBuf)> {
    let path = beside(file, named.get_ref());
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

impl Broker {
    /// Mosquitto on the box itself.
    fn on_this_box() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: 1883, credentials: None }
    }
}

fn read_broker(table: &Table<'_>) -> Option<Broker> {
    let default = Broker::on_this_box();
    let host = table.text("host");
    let port = table.whole("port", 1..=u16::MAX, "").unwrap_or(default.port);
    let username = table.text("username");
    let password_file = table.text("password_file");
    let plaintext = table.flag("allow_plaintext").unwrap_or(false);
    if let Some(host) = host.as_ref().filter(|host| !is_loopback(host.get_ref())) {
        check_plaintext(table, host, plaintext);
    }
    let credentials = match (username, password_file) {
        (Some(username), Some(file)) => Some(Credentials {
            username: (*username.get_ref()).to_owned(),
            password_file: check_password_file(table, &file),
        }),
        (Some(alone), None) | (None, Some(alone)) => {
            let found = "`username` and `password_file` belong together, and one of them is missing";
            table.error(&alone.span(), found, "both, or neither", "add the other one, or remove this one");
            None
        }
        (None, None) => None,
    };
    let host = host.map_or(default.host, |host| host.into_inner().to_owned());
    Some(Broker { host, port, credentials })
}

/// Whether nobody but this box can listen in. A name other than `localhost` is never taken for it:
/// what it stands for is decided elsewhere.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check_plaintext(table: &Table<'_>, host: &Spanned<&str>, allowed: bool) {
    let (span, name): (Range<usize>, _) = (host.span(), host.get_ref());
    if allowed {
        let found = format!("readings and alarms cross the network to {name} in plain text");
        let remedy = "let Mosquitto on the box pass them on over TLS";
        table.warn(&span, &found, "plain MQTT to 127.0.0.1, ::1 or localhost", remedy);
    } else {
        let found =
            format!("the broker {name:?} is not on this box, and plain MQTT would show everything to the network");
        let remedy = "let Mosquitto on the box pass them on over TLS; or accept the risk: allow_plaintext = true";
        table.error(&span, &found, "127.0.0.1, ::1 or localhost", remedy);
    }
}

fn check_password_file(table: &Table<'_>, named: &Spanned<&str>) -> PathBuf {
    let path = beside(table, named.get_ref());
    match fs::metadata(&path) {
        Err(error) => {
            let found = format!("the password file {} cannot be found: {error}", path.display());
            let remedy = "correct the path, or write the password into that file";
            table.error(&named.span(), &found, "a file with the password in its first line", remedy);
        }
        Ok(metadata) if metadata.permissions().mode() & 0o004 != 0 => {
            let found = format!("everybody on this machine may read the password in {}", path.display());
            let remedy = format!("chmod 640 {}", path.display());
            table.warn(&named.span(), &found, "a file that only its owner and group may read", &remedy);
        }
        Ok(_) => {}
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_box_itself_is_loopback() {
        for host in ["127.0.0.1", "127.8.0.1", "::1", "localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["10.0.0.5", "::", "0.0.0.0", "localhost.clinic.example", "broker"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_state_lives_where_systemd_says() {
        assert_eq!(default_state_dir(Some("/run/x".into())), Path::new("/run/x"));
        assert_eq!(default_state_dir(None), Path::new("/var/lib/vitalsd"));
    }
}
