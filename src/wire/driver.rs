//! What vitalsd speaks, as `vitalsd drivers --json` prints it: one protocol a line.

use serde::{Deserialize, Serialize};
use vitalsd_core::driver::{Certainty, Integrity, Kind, OwnAlarm, Protocol, Quantity};

/// A protocol, and what proves its driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The name used in the configuration.
    pub name: String,
    /// The devices that speak it, for people.
    pub devices: String,
    /// Line settings in the order in which they are tried, as `9600 8N1`.
    pub lines: Vec<String>,
    /// Who speaks first.
    pub kind: Kind,
    /// The longest regular pause between two values; for a cuff monitor, between two answers.
    pub cadence_ms: u64,
    /// What it can measure.
    pub measures: Vec<Quantity>,
    /// The highest value of the waveform, arbitrary units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pleth_full_scale: Option<u16>,
    /// Points of the waveform a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pleth_hz: Option<u16>,
    /// What proves that a frame arrived as it was sent.
    pub integrity: Integrity,
    /// How its bytes are known.
    pub certainty: Certainty,
    /// Whether the device alarms by itself, and says when it does not.
    pub own_alarm: OwnAlarm,
    /// Whether its cuff measures when it is told to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuff_starts: Option<bool>,
    /// How long the cuff rests before it may be started again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuff_rest_ms: Option<u64>,
    /// A harmless request that it answers, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_request_hex: Option<String>,
    /// What proves the driver.
    pub recordings: Vec<Recording>,
}

/// A capture in `tests/recordings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The name of its file, without the ending.
    pub name: String,
    /// Where its bytes come from.
    pub provenance: Provenance,
}

/// Where the bytes of a recording come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A device sent them.
    Device,
    /// A simulated device sent them.
    Simulated,
    /// A person put them together from the sheet of the protocol.
    Sheet,
}

impl Driver {
    /// The driver of `protocol`, proved by `recordings`.
    #[must_use]
    pub fn new(protocol: &Protocol, recordings: Vec<Recording>) -> Self {
        let Protocol { name, devices, lines, kind, cadence, measures, pleth, .. } = *protocol;
        let Protocol { integrity, certainty, own_alarm, cuff, probe_request, .. } = *protocol;
        Self {
            name: name.to_owned(),
            devices: devices.to_owned(),
            lines: lines.iter().map(ToString::to_string).collect(),
            kind,
            cadence_ms: cadence.as_millis(),
            measures: measures.to_vec(),
            pleth_full_scale: pleth.map(|pleth| pleth.full_scale),
            pleth_hz: pleth.map(|pleth| pleth.hz),
            integrity,
            certainty,
            own_alarm,
            cuff_starts: cuff.map(|cuff| cuff.starts),
            cuff_rest_ms: cuff.map(|cuff| cuff.rest.as_millis()),
            probe_request_hex: probe_request.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            recordings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};
    use vitalsd_core::driver::{CuffTerms, LineSettings, Pleth};
    use vitalsd_core::time::Span;

    static CUFF: Protocol = Protocol {
        name: "cuff",
        devices: "a cuff",
        lines: &[LineSettings::n1(9_600), LineSettings::o1(4_800)],
        kind: Kind::Poll,
        cadence: Span::secs(5),
        measures: &[Quantity::BloodPressure, Quantity::Pulse],
        pleth: None,
        integrity: Integrity::Checksum,
        certainty: Certainty::OneSource,
        own_alarm: OwnAlarm::None,
        cuff: Some(CuffTerms { starts: true, rest: Span::secs(30) }),
        probe_request: Some(&[0x0d, 0x4e]),
    };

    fn told(driver: &Driver) -> serde_json::Value {
        let json = to_value(driver).unwrap();
        assert_eq!(serde_json::from_value::<Driver>(json.clone()).unwrap(), *driver);
        json
    }

    #[test]
    fn everything_fixed_about_a_cuff_is_told_and_a_waveform_that_it_has_not_is_an_absent_key() {
        let recording = Recording { name: "cuff-fails".to_owned(), provenance: Provenance::Device };
        assert_eq!(
            told(&Driver::new(&CUFF, vec![recording])),
            json!({
                "name": "cuff", "devices": "a cuff", "lines": ["9600 8N1", "4800 8O1"], "kind": "poll",
                "cadence_ms": 5_000, "measures": ["blood_pressure", "pulse"], "integrity": "checksum",
                "certainty": "one_source", "own_alarm": "none", "cuff_starts": true, "cuff_rest_ms": 30_000,
                "probe_request_hex": "0d4e", "recordings": [{ "name": "cuff-fails", "provenance": "device" }]
            })
        );
    }

    #[test]
    fn an_oximeter_tells_its_waveform_and_a_cuff_that_it_has_not_is_an_absent_key() {
        let pleth = Some(Pleth { full_scale: 127, hz: 60 });
        let json = told(&Driver::new(&Protocol { pleth, cuff: None, probe_request: None, ..CUFF }, Vec::new()));
        assert_eq!(
            (&json["pleth_full_scale"], &json["pleth_hz"], &json["recordings"]),
            (&127.into(), &60.into(), &json!([]))
        );
        assert!(
            ["cuff_starts", "cuff_rest_ms", "probe_request_hex"].iter().all(|key| json.get(key).is_none()),
            "{json}"
        );
    }
}
