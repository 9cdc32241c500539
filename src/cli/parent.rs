//! Following a parent: what the demonstration starts must not outlive it.

use clap::Args;
use rustix::process::{Signal, set_parent_process_death_signal};

/// Whether to end with the process that started this one.
#[derive(Clone, Copy, Debug, Args)]
pub struct Parent {
    /// End when the process that started this one ends.
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Parent {
    /// Asks the kernel for SIGTERM at the parent's end, if that was wanted.
    pub fn follow(self) {
        if self.with_parent {
            // Without it the demonstration still ends its children itself, unless it is killed.
            let _ = set_parent_process_death_signal(Some(Signal::TERM));
        }
    }
}
