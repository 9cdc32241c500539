//! The life of one port on the hot thread: opened, read, lost, opened again by its path.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant as Timer, sleep_until};
use vitalsd_core::driver::LineSettings;
use vitalsd_core::monitor::input::LossReason;

use super::hint::Hint;
use super::name::DeviceRoot;
use super::serial::{self, OpenError, SerialPort};

/// The pause after the first failure; each further one doubles it ...
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// ... up to this.
const RETRY_LAST: Duration = Duration::from_secs(5);
/// More than one read of a tty can return (4,095 bytes).
const BUFFER: usize = 4096;

/// What happened to a port.
#[derive(Debug, PartialEq, Eq)]
pub enum PortEvent<'a> {
    /// It is open, for the first time, again, or with other line settings: what follows has nothing to do with what
    /// was before.
    Opened {
        /// The serial number of its USB adapter, as [`DeviceRoot::adapter`] tells it; with other line settings it is
        /// no news.
        adapter: Option<String>,
    },
    /// Bytes came.
    Bytes {
        /// What one read returned.
        bytes: &'a [u8],
        /// When it returned: the last of the bytes came before that, by the time that the adapter
        /// and the scheduler took.
        at: Instant,
    },
    /// It is gone or cannot be opened. Told once for each reason; opening is tried for ever.
    Lost {
        /// The reason as a bed is told it.
        reason: LossReason,
        /// What was found and what to do, for people.
        text: String,
    },
}

/// A port, kept open for as long as it is there. Lives in a tokio runtime; everything that blocks
/// is done on another thread.
#[derive(Debug)]
pub struct Port {
    root: DeviceRoot,
    name: PathBuf,
    path: PathBuf,
    line: LineSettings,
    state: State,
    buffer: Box<[u8]>,
    retry: Duration,
    /// The reason last reported, until the port is open again.
    told: Option<LossReason>,
    hint: Option<Hint>,
    refused_writes: u64,
}

#[derive(Debug)]
enum State {
    Waiting {
        until: Timer,
    },
    Opening(LineSettings, JoinHandle<Result<Opened, OpenError>>),
    Open(SerialPort),
    /// Until the old descriptor is closed, a replugged adapter would get another number.
    Closing(JoinHandle<()>),
}

/// A port that was opened, and the serial number of its adapter.
type Opened = (SerialPort, Option<String>);

/// A [`PortEvent`] whose bytes are still in the buffer.
enum Step {
    Opened(Option<String>),
    Read(usize, Instant),
    Lost(LossReason, String),
}

impl Port {
    /// The port of that `name` below `root`, opened by the first [`Self::next`].
    #[must_use]
    pub fn new(root: DeviceRoot, name: PathBuf, line: LineSettings) -> Self {
        Self {
            path: root.resolve(&name),
            root,
            name,
            line,
            state: State::Waiting { until: Timer::now() },
            buffer: vec![0; BUFFER].into_boxed_slice(),
            retry: RETRY_FIRST,
            told: None,
            hint: None,
            refused_writes: 0,
        }
    }

    /// Waits for what happens next. Cancel-safe; allocates nothing for bytes.
    pub async fn next(&mut self) -> PortEvent<'_> {
        match self.step().await {
            Step::Opened(adapter) => PortEvent::Opened { adapter },
            Step::Read(n, at) => PortEvent::Bytes { bytes: self.buffer.get(..n).unwrap_or_default(), at },
            Step::Lost(reason, text) => PortEvent::Lost { reason, text },
        }
    }

    /// Sets other line settings; when they hold, [`PortEvent::Opened`] follows. The same ones change nothing.
    pub fn tune(&mut self, line: LineSettings) {
        if line != self.line {
            self.line = line;
            self.retune();
        }
    }

    /// Brings an open port to the present line settings, on another thread.
    fn retune(&mut self) {
        let (path, line) = (self.path.clone(), self.line);
        let waiting = State::Waiting { until: Timer::now() };
        self.state = match std::mem::replace(&mut self.state, waiting) {
            State::Open(port) => {
                State::Opening(line, spawn_blocking(move || port.retune(&path, line).map(|port| (port, None))))
            }
            state => state,
        };
    }

    /// Writes `bytes` without ever waiting.
    ///
    /// # Errors
    /// They were not all taken; counted in [`Self::refused_writes`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let result = match &mut self.state {
            State::Open(port) => match port.try_write(bytes) {
                Ok(taken) if taken == bytes.len() => Ok(()),
                Ok(taken) => Err(WriteError::Full { taken, of: bytes.len() }),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    Err(WriteError::Full { taken: 0, of: bytes.len() })
                }
                Err(error) => Err(WriteError::Io(error)),
            },
            _ => Err(WriteError::Closed),
        };
        if result.is_err() {
            self.refused_writes = self.refused_writes.saturating_add(1);
        }
        result
    }

    /// How many writes were not taken in full since the port was made.
    #[must_use]
    pub const fn refused_writes(&self) -> u64 {
        self.refused_writes
    }

    async fn step(&mut self) -> Step {
        loop {
            match &mut self.state {
                State::Waiting { until } => tokio::select! {
                    () = sleep_until(*until) => {
                        let (root, name, path, line) = (self.root.clone(), self.name.clone(), self.path.clone(), self.line);
                        let open = move || serial::open(&path, line).map(|port| (port, root.adapter(&name)));
                        self.state = State::Opening(line, spawn_blocking(open));
                    }
                    () = Hint::given(&mut self.hint) => {
                        *until = Timer::now();
                        self.retry = RETRY_FIRST;
                    }
                },
                State::Opening(line, task) => {
                    let line = *line;
                    let opened = match task.await {
                        Ok(opened) => opened,
                        Err(error) => Err(OpenError::Io { path: self.path.clone(), source: io::Error::other(error) }),
                    };
                    match opened {
                        Ok((port, adapter)) => {
                            self.state = State::Open(port);
                            if line != self.line {
                                self.retune();
                                continue;
                            }
                            self.told = None;
                            Hint::rest(&mut self.hint);
                            return Step::Opened(adapter);
                        }
                        Err(error) => {
                            self.wait();
                            if let Some(lost) = self.lost(error.loss_reason(), &error) {
                                return lost;
                            }
                        }
                    }
                }
                State::Open(port) => {
                    let (reason, text) = match port.read(&mut self.buffer).await {
                        Ok(n) if n > 0 => {
                            let at = Instant::now();
                            // Not at the opening: a port that hangs up at once would be opened without end.
                            self.retry = RETRY_FIRST;
                            return Step::Read(n, at);
                        }
                        // A tty that has hung up reads as empty for ever.
                        Ok(_) => (LossReason::Unplugged, String::from("the port has hung up")),
                        Err(error) => (read_loss(&error), error.to_string()),
                    };
                    self.close();
                    let text = format!("{}: {text}. Plug the device in again, or check its cable", self.path.display());
                    if let Some(lost) = self.lost(reason, &text) {
                        return lost;
                    }
                }
                State::Closing(task) => {
                    let _ = task.await;
                    self.wait();
                }
            }
        }
    }

    /// Waits out the pause, or for a hint that the path has come back.
    fn wait(&mut self) {
        Hint::watch(&mut self.hint, &self.path);
        self.state = State::Waiting { until: Timer::now() + self.retry };
        self.retry = (self.retry * 2).min(RETRY_LAST);
    }

    fn close(&mut self) {
        let closing = State::Waiting { until: Timer::now() };
        if let State::Open(port) = std::mem::replace(&mut self.state, closing) {
            self.state = State::Closing(spawn_blocking(move || drop(port)));
        }
    }

    /// The loss as a step, if it is news: an unplugged port that is no longer found is none.
    fn lost(&mut self, reason: LossReason, text: &impl ToString) -> Option<Step> {
        let known =
            self.told == Some(reason) || (self.told == Some(LossReason::Unplugged) && reason == LossReason::NotFound);
        if known {
            return None;
        }
        self.told = Some(reason);
        Some(Step::Lost(reason, text.to_string()))
    }
}

impl Drop for Port {
    /// Closing a tty or an inotify can block: not here.
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Waiting { until: Timer::now() });
        let hint = self.hint.take();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop((state, hint)));
        }
    }
}

fn read_loss(error: &io::Error) -> LossReason {
    use rustix::io::Errno;
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::IO | Errno::NXIO | Errno::NODEV) => LossReason::Unplugged,
        _ => LossReason::Io,
    }
}

/// Why bytes could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The port is not open.
    #[error("the port is not open: the device must be plugged in first")]
    Closed,
    /// The line took only some of them.
    #[error("the port took {taken} of {of} bytes: the device does not take what it is sent, check the cable")]
    Full {
        /// How many were taken.
        taken: usize,
        /// Of how many.
        of: usize,
    },
    /// The operating system reports an error.
    #[error("the port did not take the bytes: {0}. If it is gone, that is told next")]
    Io(#[source] io::Error),
}
