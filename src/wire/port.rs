//! What is plugged in, and what speaks there, as `vitalsd ports --json` prints it. Stays on the machine: it may name
//! the adapter.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A port that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The name to configure it by.
    pub port: PathBuf,
    /// Whether that name stays when the device is replugged or the box restarted.
    pub stable: bool,
    /// Its other stable names.
    pub also: Vec<PathBuf>,
    /// The device node that it is for now.
    pub target: PathBuf,
    /// What USB says of the adapter. It says nothing of the device behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usb: Option<Usb>,
}

/// What USB says of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usb {
    /// Vendor id.
    pub vendor_id: u16,
    /// Product id.
    pub product_id: u16,
    /// Manufacturer, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Product, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Serial number; cheap adapters have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
}

/// A port that was listened to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// Which.
    #[serde(flatten)]
    pub port: Port,
    /// Its socket, which tells two devices of one make apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// What was found out.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What was found out about a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "heard", rename_all = "snake_case")]
pub enum Answer {
    /// A driver understands what is said, or several do: then the most credible first.
    Understood {
        /// At these line settings, as `9600 8N1`.
        line: String,
        /// Only after it had been asked.
        asked: bool,
        /// Which protocols.
        claims: Vec<Claim>,
        /// The first may be believed; otherwise a person has to say which.
        clear: bool,
    },
    /// Something is said that no driver understands, at any line setting.
    Unreadable {
        /// So many bytes at the most, at one line setting.
        bytes: usize,
    },
    /// Nothing is said.
    Silence,
    /// Another program has the port; it was left alone.
    InUse {
        /// What is known of it.
        why: String,
    },
    /// The port cannot be listened to.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

/// A driver that understands what is heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The name of its protocol.
    pub protocol: String,
    /// Frames that passed every check.
    pub good_frames: u64,
    /// Frames that did not.
    pub rejected: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn what_is_not_known_is_an_absent_key_and_what_was_heard_stands_beside_the_port() {
        let usb = Usb {
            vendor_id: 0x10c4,
            product_id: 0xea60,
            manufacturer: None,
            product: Some("CP2102".into()),
            serial_number: None,
        };
        let port = Port {
            port: "/dev/serial/by-id/a".into(),
            stable: true,
            also: Vec::new(),
            target: "/dev/ttyUSB0".into(),
            usb: Some(usb),
        };
        let claim = Claim { protocol: "nonin-df2".into(), good_frames: 15, rejected: 0 };
        let answer = Answer::Understood { line: "9600 8N1".into(), asked: false, claims: vec![claim], clear: true };
        let probed = Probed { port, socket: None, answer };
        let json = to_value(&probed).unwrap();
        assert_eq!(
            json,
            json!({
                "port": "/dev/serial/by-id/a", "stable": true, "also": [], "target": "/dev/ttyUSB0",
                "usb": { "vendor_id": 4292, "product_id": 60000, "product": "CP2102" },
                "heard": "understood", "line": "9600 8N1", "asked": false, "clear": true,
                "claims": [{ "protocol": "nonin-df2", "good_frames": 15, "rejected": 0 }],
            })
        );
        assert_eq!(serde_json::from_value::<Probed>(json).unwrap(), probed);
    }
}
