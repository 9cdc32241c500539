//! Parses the arguments, starts a subcommand, maps errors to exit codes.
//!
//! 0: done. 1: it could not be done, and why stands on standard error. 2: the command line is wrong.
//! 78: the configuration is wrong, so that starting again cannot help.

use std::process::ExitCode;

use clap::Parser;
use vitalsd::cli::{Cli, harmless};
use vitalsd::config::Problems;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What a broker or a file has said may be part of it.
            eprintln!("vitalsd: {}", harmless::page(&format!("{error:#}")));
            if error.is::<Problems>() { ExitCode::from(78) } else { ExitCode::FAILURE }
        }
    }
}
