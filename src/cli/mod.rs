//! The command line: one file per subcommand, each with its arguments and its `run`.

mod check;
mod decode;
mod drivers;
mod ports;
mod replay;
mod simulate;

use std::io;

use clap::{Parser, Subcommand};

/// Reads bedside vital-signs devices, decides alarms that know the phase of a session, and publishes
/// both over MQTT. A secondary notification system: the bedside devices' own alarms stay on and primary.
#[derive(Debug, Parser)]
#[command(name = "vitalsd", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    // One line a subcommand.
    Check(check::Check),
    Decode(decode::Decode),
    Drivers(drivers::Drivers),
    Ports(ports::Ports),
    Replay(replay::Replay),
    Simulate(simulate::Simulate),
}

impl Cli {
    /// Runs the subcommand to its end.
    ///
    /// # Errors
    /// What could not be done, with what to do about it.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Check(check) => check.run(),
            Command::Decode(decode) => decode.run(),
            Command::Drivers(drivers) => drivers.run(),
            Command::Ports(ports) => ports.run(),
            Command::Replay(replay) => replay.run(),
            Command::Simulate(simulate) => simulate.run(),
        }
    }
}

/// Whoever reads our output may stop when it has read enough.
fn broken_pipe_is_no_error(error: io::Error) -> anyhow::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) }
}
