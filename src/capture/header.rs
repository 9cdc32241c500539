//! What is known of a capture as a whole: the lines before its first blank one.

use std::fmt;

use jiff::Timestamp;
use vitalsd_core::driver::LineSettings;

use crate::port::line;

/// What is known of a capture as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The driver that understands it, by its name; `None`: nobody knew.
    pub driver: Option<String>,
    /// The settings of the line.
    pub line: Option<LineSettings>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// Where its bytes come from.
    pub provenance: Provenance,
    /// The port, for people: never with a serial number, which would name the device.
    pub port: Option<String>,
    /// Nobody asked the device for anything: its driver is not to be asked what to send, unless it never sends.
    pub listened_only: bool,
    /// What it is about, for people.
    pub note: Option<String>,
}

/// Where the bytes of a capture come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A device sent them.
    Device,
    /// A simulated device sent them.
    Simulated,
    /// A person put them together from the sheet of the protocol.
    Sheet,
}

impl Provenance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Device, Self::Simulated, Self::Sheet];

    const fn words(self) -> &'static str {
        match self {
            Self::Device => "captured from a device",
            Self::Simulated => "simulated",
            Self::Sheet => "synthetic from the sheet",
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Header {
    /// Of such bytes nothing else is known.
    #[must_use]
    pub const fn of(provenance: Provenance) -> Self {
        Self { driver: None, line: None, started_at: None, provenance, port: None, listened_only: false, note: None }
    }

    /// Its lines, without the first one of the file and the blank one behind it.
    pub(super) fn lines(&self) -> Vec<(Key, String)> {
        let told = |key, value: Option<String>| value.map(|value| (key, value));
        [
            told(Key::Driver, self.driver.clone()),
            told(Key::Line, self.line.map(|line| line.to_string())),
            told(Key::StartedAt, self.started_at.map(|at| at.to_string())),
            told(Key::Provenance, Some(self.provenance.to_string())),
            told(Key::Port, self.port.clone()),
            told(Key::Mode, self.listened_only.then(|| LISTEN.to_owned())),
            told(Key::Note, self.note.clone()),
        ]
        .into_iter()
        .flatten()
        // A line end in a value would be another line.
        .map(|(key, value)| (key, value.replace(char::is_control, " ").trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}

/// The value of `mode`: nothing was written to the device.
const LISTEN: &str = "listen";

/// What may stand before a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Driver,
    Line,
    StartedAt,
    Provenance,
    Port,
    Mode,
    Note,
}

impl Key {
    pub(super) const ALL: [Self; 7] =
        [Self::Driver, Self::Line, Self::StartedAt, Self::Provenance, Self::Port, Self::Mode, Self::Note];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Line => "line",
            Self::StartedAt => "started-at",
            Self::Provenance => "provenance",
            Self::Port => "port",
            Self::Mode => "mode",
            Self::Note => "note",
        }
    }

    /// What its value may be, for people.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Driver => "the name of a driver, as `vitalsd drivers` lists them".into(),
            Self::Line => line::ALLOWED.into(),
            Self::StartedAt => "a time as 2026-11-25T09:30:00Z".into(),
            Self::Provenance => Provenance::ALL.map(|one| format!("`{one}`")).join(", "),
            Self::Port | Self::Note => "words".into(),
            Self::Mode => format!("`{LISTEN}`"),
        }
    }
}

/// A header of which not every line has been read.
#[derive(Debug)]
pub(super) struct Draft {
    seen: Vec<Key>,
    /// Its provenance is nothing but a place until that has been seen.
    header: Header,
}

impl Draft {
    /// Nothing of it has been read.
    pub(super) const fn new() -> Self {
        Self { seen: Vec::new(), header: Header::of(Provenance::Sheet) }
    }

    /// Takes one line; `None`: the value is not what this key allows.
    pub(super) fn take(&mut self, key: Key, value: &str) -> Option<()> {
        let header = &mut self.header;
        match key {
            Key::Driver => header.driver = Some(value.to_owned()),
            Key::Line => header.line = Some(line::parse(value)?),
            Key::StartedAt => header.started_at = Some(value.parse().ok()?),
            Key::Provenance => header.provenance = Provenance::ALL.into_iter().find(|one| one.words() == value)?,
            Key::Port => header.port = Some(value.to_owned()),
            Key::Mode => header.listened_only = (value == LISTEN).then_some(true)?,
            Key::Note => header.note = Some(value.to_owned()),
        }
        self.seen.push(key);
        Some(())
    }

    /// Whether that key has been taken already.
    pub(super) fn has(&self, key: Key) -> bool {
        self.seen.contains(&key)
    }

    /// The whole; `None`: its provenance is missing.
    pub(super) fn finish(self) -> Option<Header> {
        self.has(Key::Provenance).then_some(self.header)
    }
}
