//! What stands in the columns of `vitalsd drivers`, and in which words.

use vitalsd_core::driver::{Certainty, Integrity, Kind, OwnAlarm};
use vitalsd_core::time::Span;

use crate::cli::check::named;
use crate::wire::Driver;
use crate::wire::driver::Provenance;

/// Devices that stand in a table of their own.
pub(super) struct Group {
    pub title: &'static str,
    /// Whether they have a cuff.
    cuff: bool,
    /// For a glance at a terminal: columns, and how many of its 100 characters each may take.
    pub brief: [(Column, usize); 5],
    /// For a page.
    pub all: &'static [Column],
}

impl Group {
    pub(super) fn holds(&self, driver: &Driver) -> bool {
        driver.cuff_starts.is_some() == self.cuff
    }
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub heading: &'static str,
    pub cell: fn(&Driver) -> String,
}

pub(super) const GROUPS: [Group; 2] = [
    Group {
        title: "Pulse oximeters",
        cuff: false,
        brief: [(NAME, 14), (DEVICES, 38), (LINE, 11), (MEASURES, 16), (KNOWN_FROM, 13)],
        all: &[NAME, DEVICES, LINE, SPEAKS, CADENCE, MEASURES, INTEGRITY, KNOWN_FROM, OWN_ALARM, RECORDING],
    },
    Group {
        title: "Blood-pressure monitors",
        cuff: true,
        brief: [(NAME, 14), (DEVICES, 38), (LINE, 11), (STARTED_BY, 16), (KNOWN_FROM, 13)],
        all: &[
            NAME, DEVICES, LINE, SPEAKS, CADENCE, MEASURES, STARTED_BY, REST, INTEGRITY, KNOWN_FROM, OWN_ALARM,
            RECORDING,
        ],
    },
];

const NAME: Column = Column { heading: "name", cell: |driver| driver.name.clone() };
const DEVICES: Column = Column { heading: "devices", cell: |driver| driver.devices.clone() };
const LINE: Column = Column { heading: "line", cell: |driver| driver.lines.join(", ") };
const SPEAKS: Column = Column { heading: "speaks", cell: speaks };
const CADENCE: Column = Column { heading: "heard every", cell: cadence };
const MEASURES: Column = Column { heading: "measures", cell: measures };
const STARTED_BY: Column = Column { heading: "cuff started by", cell: started_by };
const REST: Column = Column { heading: "rests", cell: rest };
const INTEGRITY: Column = Column { heading: "integrity", cell: integrity };
const KNOWN_FROM: Column = Column { heading: "known from", cell: known_from };
const OWN_ALARM: Column = Column { heading: "its own alarm", cell: own_alarm };
const RECORDING: Column = Column { heading: "recording", cell: recording };

fn speaks(driver: &Driver) -> String {
    let words = match driver.kind {
        Kind::Stream => "streams",
        Kind::Start => "streams, needs a start",
        Kind::Poll => "is polled",
        Kind::Push => "speaks when it has a result",
    };
    words.to_owned()
}

/// How often something is heard of a device in order.
fn cadence(driver: &Driver) -> String {
    match driver.kind {
        Kind::Push => "-".to_owned(),
        Kind::Stream | Kind::Start | Kind::Poll => time(driver.cadence_ms),
    }
}

fn measures(driver: &Driver) -> String {
    driver.measures.iter().copied().map(named).collect::<Vec<_>>().join(", ")
}

fn started_by(driver: &Driver) -> String {
    if driver.cuff_starts == Some(true) { "vitalsd" } else { "a person" }.to_owned()
}

/// Before it may be started again.
fn rest(driver: &Driver) -> String {
    match driver.cuff_rest_ms {
        None | Some(0) => "-".to_owned(),
        Some(ms) => time(ms),
    }
}

fn integrity(driver: &Driver) -> String {
    let words = match driver.integrity {
        Integrity::Checksum => "checksum",
        Integrity::Framing => "fixed bits only",
        Integrity::Text => "words only",
    };
    words.to_owned()
}

fn known_from(driver: &Driver) -> String {
    let words = match driver.certainty {
        Certainty::Captured => "captures",
        Certainty::Sources => "sources agree",
        Certainty::OneSource => "one source",
    };
    words.to_owned()
}

fn own_alarm(driver: &Driver) -> String {
    let words = match driver.own_alarm {
        OwnAlarm::Reported => "has one, says when it is off",
        OwnAlarm::Unreported => "has one, never says when it is off",
        OwnAlarm::None => "none: vitalsd is the only alarm",
        OwnAlarm::Unknown => "depends on the model, or not known",
    };
    words.to_owned()
}

fn recording(driver: &Driver) -> String {
    let recordings = driver.recordings.iter().map(|recording| {
        let from = match recording.provenance {
            Provenance::Device => "captured",
            Provenance::Simulated => "simulated",
            Provenance::Sheet => "synthetic",
        };
        format!("{} ({from})", recording.name)
    });
    match recordings.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none yet".to_owned(),
        some => some,
    }
}

/// `15 min`, `1 s`, `334 ms`.
fn time(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { Span::millis(ms).to_string() } else { format!("{ms} ms") }
}
