//! Before everything else on the box, and with its memory kept: what the hot thread asks of the system.
//!
//! It asks for `SCHED_FIFO` for itself alone: threads and processes that it starts are ordinary ones (the kernel's
//! `SCHED_RESET_ON_FORK`), and so the journal never stands before the broker. A hot thread that spins cannot lock the box up:
//! the kernel leaves a twentieth of each core to ordinary threads (`sched_rt_runtime_us`, or the fair server that took its
//! place), and systemd's watchdog ends it. `RLIMIT_RTTIME` would do so sooner, but would also end a box that is merely
//! catching up.
//!
//! Memory that was touched once stays (`mlockall`, on fault: untouched stacks cost nothing).

use std::io;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities};

/// The lowest but nine: above what is ordinary, far below the kernel's own threads for interrupts, which have 50.
const PRIORITY: i32 = 10;

/// What the system did not grant. Each says how to have it granted.
#[derive(Debug, thiserror::Error)]
pub enum NotGranted {
    /// The thread is an ordinary one.
    #[error(
        "real-time scheduling ({0}): alarms may wait while every core is busy; the service needs LimitRTPRIO={PRIORITY} and \
         RestrictRealtime=no"
    )]
    Scheduling(io::Error),
    /// Memory may be taken away.
    #[error("locked memory ({0}): alarms may wait while memory is short; the service needs LimitMEMLOCK=infinity")]
    Memory(io::Error),
}

/// Asks for both, for the calling thread; what was not granted.
#[must_use]
pub fn ask() -> Vec<NotGranted> {
    let scheduling = first_in_line().map_err(NotGranted::Scheduling);
    let memory = keep_memory().map_err(NotGranted::Memory);
    [scheduling, memory].into_iter().filter_map(Result::err).collect()
}

fn first_in_line() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: 0 is the calling thread, and the parameters live until the call returns.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Only where no limit stands: else the first allocation beyond it would fail, and the box with it.
fn keep_memory() -> io::Result<()> {
    let unlimited = Rlimit { current: None, maximum: None };
    let is_exempt = || capabilities(None).is_ok_and(|ours| ours.effective.contains(CapabilitySet::IPC_LOCK));
    if getrlimit(Resource::Memlock).current.is_some() && !is_exempt() {
        setrlimit(Resource::Memlock, unlimited)?;
    }
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?)
}
