//! The command line: one file per subcommand, each with its arguments and its `run`.

mod audit;
#[cfg(feature = "demo-broker")]
mod broker;
mod capture;
mod check;
mod decode;
#[cfg(feature = "demo-broker")]
mod demo;
mod drivers;
pub mod harmless;
mod latency;
mod logging;
mod parent;
mod place;
mod ports;
mod replay;
mod run;
mod schema;
mod session;
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
    Audit(audit::Audit),
    #[cfg(feature = "demo-broker")]
    #[command(hide = true)]
    Broker(broker::Broker),
    Capture(capture::Capture),
    Check(check::Check),
    #[cfg(feature = "demo-broker")]
    Demo(demo::Demo),
    Decode(decode::Decode),
    Drivers(drivers::Drivers),
    Latency(latency::Latency),
    Ports(ports::Ports),
    Run(run::Run),
    Replay(replay::Replay),
    Schema(schema::Schema),
    Session(session::Session),
    Simulate(simulate::Simulate),
}

impl Cli {
    /// Runs the subcommand to its end.
    ///
    /// # Errors
    /// What could not be done, with what to do about it.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Audit(audit) => audit.run(),
            #[cfg(feature = "demo-broker")]
            Command::Broker(broker) => broker.run(),
            Command::Capture(capture) => capture.run(),
            Command::Check(check) => check.run(),
            #[cfg(feature = "demo-broker")]
            Command::Demo(demo) => demo.run(),
            Command::Decode(decode) => decode.run(),
            Command::Drivers(drivers) => drivers.run(),
            Command::Latency(latency) => latency.run(),
            Command::Ports(ports) => ports.run(),
            Command::Run(run) => run.run(),
            Command::Replay(replay) => replay.run(),
            Command::Schema(schema) => schema.run(),
            Command::Session(session) => session.run(),
            Command::Simulate(simulate) => simulate.run(),
        }
    }
}

/// Whoever reads our output may stop when it has read enough.
fn broken_pipe_is_no_error(error: io::Error) -> anyhow::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) }
}
