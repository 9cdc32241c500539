//! The processes of the demonstration: started, watched, ended in the reverse order.

use std::fs::{self, File};
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a process may take to end by itself.
const GOODBYE: Duration = Duration::from_secs(3);

/// The processes, in the order in which they were started.
pub struct Children {
    program: PathBuf,
    logs: PathBuf,
    running: Vec<(String, Child)>,
}

impl Children {
    /// None yet; what they say goes to files in `logs`.
    pub fn new(logs: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find the program that is running")?;
        Ok(Self { program, logs: logs.to_path_buf(), running: Vec::new() })
    }

    /// Starts this program once more, with other arguments.
    pub fn start(&mut self, name: &str, arguments: &[impl AsRef<std::ffi::OsStr>]) -> anyhow::Result<()> {
        let log = File::create(self.log(name)).with_context(|| format!("cannot keep the words of {name}"))?;
        let child = Command::new(&self.program)
            .args(arguments)
            .arg("--with-parent")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C is for this process; it ends the others in their order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        self.running.push((name.to_owned(), child));
        Ok(())
    }

    /// Waits until one of them ends by itself, and tells its last words.
    pub async fn ended(&mut self) -> anyhow::Error {
        let name = poll_fn(|cx| {
            for (name, child) in &mut self.running {
                let wait = pin!(child.wait());
                if wait.poll(cx).is_ready() {
                    return Poll::Ready(name.clone());
                }
            }
            Poll::Pending
        })
        .await;
        let said = fs::read_to_string(self.log(&name)).unwrap_or_default();
        let last: Vec<_> = said.lines().rev().take(5).collect();
        let last: String = last.into_iter().rev().map(|line| format!("\n  {line}")).collect();
        anyhow!("{name} has ended by itself. Its last words:{last}")
    }

    /// Ends them, the newest first, so that the daemon can say goodbye to the broker.
    pub async fn end(mut self) {
        while let Some((_, mut child)) = self.running.pop() {
            let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::TERM);
            }
            if timeout(GOODBYE, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}
