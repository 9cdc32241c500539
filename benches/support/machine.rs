//! The machine that is measured on: how busy it is, and keeping it so.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// How many processes want to run, over 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Keeps every core busy until it is dropped.
pub enum Busy {
    /// By `stress-ng --cpu 0`, where it is installed.
    Stress(Child),
    /// By threads that do nothing, as fast as they can.
    Threads(Arc<AtomicBool>, Vec<JoinHandle<()>>),
}

impl Busy {
    /// From now on.
    pub fn start() -> Self {
        let stress = Command::new("stress-ng").args(["--cpu", "0", "--quiet"]).stdout(Stdio::null()).spawn();
        if let Ok(child) = stress {
            println!("every core is kept busy by stress-ng --cpu 0");
            return Self::Stress(child);
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        println!("every core is kept busy by a thread that spins, {cores} of them (stress-ng is not installed)");
        let on = Arc::new(AtomicBool::new(true));
        let spin = |on: Arc<AtomicBool>| move || while on.load(Ordering::Relaxed) {};
        let threads = (0..cores).map(|_| thread::spawn(spin(Arc::clone(&on)))).collect();
        Self::Threads(on, threads)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        match self {
            Self::Stress(child) => {
                // By SIGTERM it ends its workers as well.
                let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
                let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
                let _ = child.wait();
            }
            Self::Threads(on, threads) => {
                on.store(false, Ordering::Relaxed);
                threads.drain(..).for_each(|thread| drop(thread.join()));
            }
        }
    }
}
