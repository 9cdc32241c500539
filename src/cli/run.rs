//! `vitalsd run`: the bedside daemon.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;
use vitalsd_core::driver::PROTOCOLS;

use super::logging;
use crate::port::name::DeviceRoot;
use crate::{bedside, config};

/// Run the bedside daemon: read the devices, decide alarms, publish.
///
/// A missing port or broker is told and waited for, never a reason to end.
/// Example: vitalsd run --config /etc/vitalsd/vitalsd.toml
#[derive(Debug, Args)]
pub struct Run {
    /// The configuration; `vitalsd check FILE` says what is wrong with one.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Look for /dev and /sys under this directory.
    #[arg(long, default_value = "/", hide = true)]
    root: PathBuf,
    #[command(flatten)]
    parent: super::parent::Parent,
}

impl Run {
    /// Runs until it is told to stop (SIGTERM, SIGINT).
    ///
    /// # Errors
    /// The configuration cannot be used as it is.
    pub fn run(&self) -> anyhow::Result<()> {
        self.parent.follow();
        let checked = config::load(&self.config, PROTOCOLS)?;
        let _log = logging::start();
        for problem in &checked.warnings.0 {
            let line = problem.place.as_ref().map(|place| place.line);
            warn!(file = %problem.file.display(), line, remedy = problem.remedy, "{}", problem.found);
        }
        // One thread is the hot path (DESIGN 5); what blocks goes to the blocking pool.
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
            let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            };
            bedside::run(checked.value, &DeviceRoot::at(&self.root), stop).await?;
            anyhow::Ok(())
        })?;
        // A port that is still being opened must not hold the end up.
        runtime.shutdown_background();
        Ok(())
    }
}
