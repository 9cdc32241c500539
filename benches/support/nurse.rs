//! Who opens the sessions.

use serde_json::{Value, json};

use crate::wire::{Connection, publish};

/// The topic of the site.
pub const SITE: &str = "vitals/v1/bench";

pub fn bed_id(bed: usize) -> String {
    format!("bed-{bed:02}")
}

/// Opens a session at each of so many beds and records its dose, by way of the broker on `port`.
pub fn dose(port: u16, beds: usize) {
    let mut nurse = Connection::open(port, "bench-nurse").expect("the broker");
    nurse.subscribe(&["vitals/v1/bench/box/+/heartbeat"]).expect("a subscription");
    let beat: Value = serde_json::from_slice(&nurse.next().expect("a heartbeat").payload).expect("JSON");
    nurse.subscribe(&["vitals/v1/bench/bed/+/session"]).expect("a subscription");
    for bed in 0..beds {
        for action in ["open", "dose"] {
            let command = json!({
                "boot_id": beat["boot_id"], "uptime_ms": beat["uptime_ms"], "key": format!("{bed}-{action}"),
                "actor": "bench", "action": action, "ago_ms": 0, "route": "iv",
                "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right"
            });
            let topic = format!("{SITE}/bed/{}/command", bed_id(bed));
            nurse.write(&publish(&topic, command.to_string().as_bytes(), false)).expect("the broker");
            wait(&mut nurse, bed, if action == "open" { "baseline" } else { "onset" });
        }
    }
}

fn wait(nurse: &mut Connection, bed: usize, phase: &str) {
    let topic = format!("{SITE}/bed/{}/session", bed_id(bed));
    loop {
        let heard = nurse.next().expect("the broker");
        let session: Value = serde_json::from_slice(&heard.payload).unwrap_or_default();
        if heard.topic == topic && session["phase"] == phase {
            return;
        }
    }
}
