//! `vitalsd drivers`: what it speaks.

use vitalsd_core::driver::{PROTOCOLS, Protocol, Quantity};

/// List the device protocols that vitalsd speaks.
///
/// Example: vitalsd drivers --json
#[derive(Debug, clap::Args)]
pub struct Drivers {
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

impl Drivers {
    pub(super) fn run(self) -> anyhow::Result<()> {
        for protocol in PROTOCOLS {
            if self.json {
                println!("{}", as_json(protocol));
            } else {
                println!("{:<16} {:<28} {}", protocol.name, lines(protocol).join(", "), protocol.devices);
            }
        }
        Ok(())
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

fn lines(protocol: &Protocol) -> Vec<String> {
    protocol.lines.iter().map(ToString::to_string).collect()
}

fn as_json(protocol: &Protocol) -> serde_json::Value {
    let measures: Vec<Quantity> = protocol.measures.to_vec();
    serde_json::json!({
        "name": protocol.name,
        "devices": protocol.devices,
        "lines": lines(protocol),
        "kind": protocol.kind,
        "cadence_ms": protocol.cadence.as_millis(),
        "measures": measures,
        "pleth_hz": protocol.pleth.map(|pleth| pleth.hz),
    })
}
