//! `vitalsd ports`: what is plugged in, by the name to configure it by, and what speaks there.

mod probe;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::harmless;
use crate::port::name::{DeviceRoot, PluggedIn};
use crate::wire::port as wire;

/// Lists the serial ports that are plugged in, by the names that stay with them, and finds out what speaks there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd ports --json | jq -r '.[].port'
  vitalsd ports --probe                         # listens only, half a minute
  vitalsd ports --probe --write /dev/ttyUSB0    # and asks on that port: it must be a device's own, not a printer's")]
pub struct Ports {
    /// Listen on these ports, or on all: which protocol is spoken there? Nothing is written.
    #[arg(long, value_name = "PORT", num_args = 0..)]
    probe: Option<Vec<PathBuf>>,
    /// Also ask on this port, by each protocol's harmless request; repeat it for several.
    #[arg(long, value_name = "PORT")]
    write: Vec<PathBuf>,
    /// One JSON array for programs.
    #[arg(long)]
    json: bool,
    /// Look for /dev under this directory.
    #[arg(long, default_value = "/", hide = true)]
    root: PathBuf,
}

impl Ports {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let root = DeviceRoot::at(self.root);
        let mut out = io::stdout().lock();
        if self.probe.is_some() || !self.write.is_empty() {
            let named = self.probe.unwrap_or_default();
            return probe::run(&mut out, &root, &named, &self.write, self.json);
        }
        let found = root.plugged_in();
        if self.json {
            let ports: Vec<_> = found.iter().map(wire::Port::from).collect();
            serde_json::to_writer_pretty(&mut out, &ports)?;
            writeln!(out)?;
        } else if found.is_empty() {
            out.write_all(NOTHING.as_bytes())?;
        } else {
            table(&mut out, &found)?;
        }
        Ok(())
    }
}

const NOTHING: &str = "\
No serial port is plugged in.
  Is the adapter plugged in? `dmesg` tells the last thing that was, or why it did not work.
  In a container or a virtual machine the port must be passed through to it.
  Without udev there are no stable names; a port can then be configured as /dev/ttyUSB0, with a warning.
";

fn table(out: &mut impl Write, found: &[PluggedIn]) -> io::Result<()> {
    let names: Vec<String> = found.iter().map(|port| port.port.display().to_string()).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (name, port) in names.iter().zip(found) {
        let what = port.usb.as_ref().map_or_else(String::new, ToString::to_string);
        let now = if port.stable { port.target.display().to_string() } else { "has no stable name".into() };
        // Whoever plugs in an adapter chooses what it says of itself.
        writeln!(out, "{}", harmless::line(format!("{name:width$}  {now:18}  {what}").trim_end()))?;
    }
    writeln!(
        out,
        "\nPut the first column into the configuration as the `port` of the device: \
         that name stays with it,\nthe second may change. `vitalsd ports --probe` finds out what speaks there."
    )
}
