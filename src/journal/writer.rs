//! The thread that writes: the story, beds and audit log at once, readings once a second.

use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use rusqlite::ErrorCode;
use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

use super::entry::{Before, Job, Key, Said};
use super::history::{self, Found, History};
use super::state::{self, Batch, State};
use super::store::{OpenError, SetAside};
use super::{history_file, state_file};
use crate::config::Retention;
use crate::wire::{BootId, WallTime};

/// How often readings are written, and what need not be on the disk at once.
const EVERY: Duration = Duration::from_secs(1);
/// After a write that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// After a file that could not be opened.
const REOPEN: Duration = Duration::from_secs(10);
/// How often the disk is looked at, and old readings are forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(10);
/// How often what is old of the story is forgotten: all of it is looked through.
const FORGETTING: Duration = Duration::from_secs(3_600);
/// With less room than this on the disk somebody must make some, bytes.
const ROOM: u64 = 64 << 20;
/// A turn takes so many jobs at the most before it writes.
const JOBS: usize = 10_000;

/// What the journal tells the box.
#[derive(Debug)]
pub enum News {
    /// The history is open.
    History {
        /// What the lives before left there.
        found: Found,
        /// The life before this one, with all its logs.
        before: Option<Before>,
    },
    /// The state file could be opened after all; the story that the broker lacks.
    Story(Vec<Said>),
    /// What was handed over before that ticket is on the disk.
    Written(u64),
    /// A file was damaged, or of a later version.
    SetAside(SetAside),
    /// Something is wrong, or wrong in another way than before.
    Trouble(Trouble),
    /// Everything is written again.
    Well,
}

/// Why nothing can be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no room, or hardly any.
    #[error("the disk is full, or nearly: make room where the state directory is; {0}")]
    Full(String),
    /// It cannot be opened.
    #[error("the journal cannot be opened: the state directory must be there and writable for the daemon's user; {0}")]
    Closed(String),
    /// The disk does not take what is written.
    #[error("the journal cannot be written: look at the disk; {0}")]
    Failing(String),
}

/// Whose trouble it is: each file has its own, for the other one goes on.
#[derive(Clone, Copy, Debug)]
enum Of {
    State,
    History,
}

/// What both ends see.
#[derive(Debug)]
pub struct Shared {
    /// Readings that were handed over and are not yet written.
    pub readings: AtomicUsize,
    /// Readings that found no room.
    pub overflow: AtomicU64,
    start: Instant,
    /// Milliseconds from `start` to the begin of the write under way, and one more; 0: none is.
    busy: AtomicU64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            readings: AtomicUsize::new(0),
            overflow: AtomicU64::new(0),
            start: Instant::now(),
            busy: AtomicU64::new(0),
        }
    }
}

impl Shared {
    /// How long the write under way has taken so far.
    #[must_use]
    pub fn busy_for(&self) -> Duration {
        match self.busy.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self.start.elapsed().saturating_sub(Duration::from_millis(since - 1)),
        }
    }

    fn while_busy<T>(&self, work: impl FnOnce() -> T) -> T {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.busy.store(now.saturating_add(1), Ordering::Relaxed);
        let done = work();
        self.busy.store(0, Ordering::Relaxed);
        done
    }
}

/// The history file.
#[derive(Debug)]
enum Readings {
    /// Not to be looked at yet.
    Waiting,
    /// Looked at, on another thread: that of a day takes a second.
    Opening(Receiver<Result<(History, Found), OpenError>>),
    Open(History),
    /// Cannot be opened; tried again then.
    Closed(Instant),
}

/// The writing end.
#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    retention: Retention,
    boot: BootId,
    before: Option<Before>,
    state: Option<State>,
    history: Readings,
    batch: Batch,
    /// The batch is to be written at once.
    urgent: bool,
    /// Tickets to be given back with it.
    promises: Vec<u64>,
    readings: Vec<Said>,
    settled: Vec<Key>,
    /// By [`Of`].
    trouble: [Option<Trouble>; 2],
    /// There is hardly any room left on the disk.
    cramped: bool,
    shared: Arc<Shared>,
    news: UnboundedSender<News>,
    second: Instant,
    again: Instant,
    housekeeping: Instant,
    forgetting: Instant,
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        retention: Retention,
        boot: BootId,
        opened: (Option<State>, Option<Before>),
        shared: Arc<Shared>,
        news: UnboundedSender<News>,
    ) -> Self {
        let (state, before) = opened;
        let now = Instant::now();
        Self {
            dir: dir.to_owned(),
            retention,
            boot,
            before,
            again: if state.is_some() { now } else { now + REOPEN },
            state,
            history: Readings::Waiting,
            batch: Batch::default(),
            urgent: false,
            promises: Vec::new(),
            readings: Vec::new(),
            settled: Vec::new(),
            trouble: [None, None],
            cramped: false,
            shared,
            news,
            second: now + EVERY,
            housekeeping: now + HOUSEKEEPING,
            forgetting: now + HOUSEKEEPING,
        }
    }

    /// Writes until it is told to finish, or nobody is left to tell it anything.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        if let Some((number, seal)) = self.state.as_ref().map(State::last_audit) {
            info!(number, %seal, "the newest entry of the audit log; noted elsewhere, it shows that none was changed");
        }
        loop {
            let wake = if self.urgent { self.again.min(self.second) } else { self.second };
            let first = jobs.recv_timeout(wake.saturating_duration_since(Instant::now()));
            let mut going_on = !matches!(first, Err(RecvTimeoutError::Disconnected));
            if let Ok(job) = first {
                going_on &= self.take(job);
                for _ in 0..JOBS {
                    match jobs.try_recv() {
                        Ok(job) => going_on &= self.take(job),
                        Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                    }
                }
            }
            self.turn(Instant::now(), going_on);
            if !going_on {
                return;
            }
        }
    }

    /// Whether to go on.
    fn take(&mut self, job: Job) -> bool {
        match job {
            Job::Say(said) if said.is_reading() => self.readings.push(said),
            Job::Say(said) => {
                self.batch.said.push(said);
                self.urgent = true;
            }
            Job::Settle(key) if key.is_reading() => self.settled.push(key),
            // Lost with the power it costs a message said twice, which whoever hears it can tell.
            Job::Settle(key) => self.batch.settled.push(key),
            Job::Keep(bed) => {
                self.batch.beds.insert(bed.id, *bed);
                self.urgent = true;
            }
            Job::Note(note) => {
                self.batch.notes.push(note);
                self.urgent = true;
            }
            Job::Audit(audit) => {
                self.batch.audit.push(audit);
                self.urgent = true;
            }
            Job::Promise(ticket) => self.promises.push(ticket),
            Job::OpenHistory => {
                if matches!(self.history, Readings::Waiting) {
                    self.open_history();
                }
            }
            Job::Finish => {
                self.batch.ended = Some(WallTime::now());
                return false;
            }
        }
        true
    }

    fn turn(&mut self, now: Instant, going_on: bool) {
        let second = now >= self.second || !going_on;
        if second {
            self.second = now + EVERY;
        }
        if (self.urgent || second) && (now >= self.again || !going_on) {
            self.write_state(now);
        }
        if !self.urgent {
            std::mem::take(&mut self.promises).into_iter().for_each(|ticket| self.send(News::Written(ticket)));
        }
        self.adopt_history();
        if second && (now >= self.again || !going_on) {
            self.write_history(now);
        }
        if now >= self.housekeeping {
            self.housekeeping = now + HOUSEKEEPING;
            self.keep_house(now);
        }
    }

    // The state.

    fn write_state(&mut self, now: Instant) {
        if self.state.is_none() && !self.reopen_state(now) {
            return;
        }
        let Some(state) = self.state.as_mut().filter(|_| !self.batch.is_empty()) else { return };
        match self.shared.while_busy(|| state.commit(&self.batch)) {
            Ok(()) => {
                self.batch = Batch::default();
                self.urgent = false;
                self.well(Of::State);
            }
            Err(error) => {
                self.again = now + AGAIN;
                self.failed(Of::State, &error);
            }
        }
    }

    fn reopen_state(&mut self, now: Instant) -> bool {
        let opened = self.shared.while_busy(|| state::open(&state_file(&self.dir), self.boot));
        self.state = opened.state;
        if let Some(trouble) = opened.past.trouble {
            self.again = now + REOPEN;
            self.tell(Of::State, Trouble::Closed(trouble));
            return false;
        }
        for aside in opened.past.set_aside {
            self.send(News::SetAside(aside));
        }
        self.send(News::Story(opened.past.unsent));
        true
    }

    // The history.

    /// A thread of its own looks at it: the story must not wait for that.
    fn open_history(&mut self) {
        let (done, opening) = sync_channel(1);
        let (file, retention) = (history_file(&self.dir), self.retention);
        let before = self.before.as_ref().map(|before| before.boot);
        let looks = thread::Builder::new().name("history".into()).spawn(move || {
            let _ = done.send(history::open(&file, &retention, before, WallTime::now()));
        });
        self.history =
            if looks.is_ok() { Readings::Opening(opening) } else { Readings::Closed(Instant::now() + REOPEN) };
    }

    fn adopt_history(&mut self) {
        let Readings::Opening(opening) = &self.history else { return };
        let opened = match opening.try_recv() {
            Err(TryRecvError::Empty) => return,
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(TryRecvError::Disconnected) => Err("the thread that opens it ended".to_owned()),
        };
        match opened {
            Ok((history, mut found)) => {
                self.history = Readings::Open(history);
                if let Some(aside) = found.set_aside.take() {
                    self.send(News::SetAside(aside));
                }
                let mut before = self.before.take();
                if let Some(before) = &mut before {
                    before.last_seq.append(&mut found.last_seq);
                }
                self.send(News::History { found, before });
            }
            Err(error) => {
                self.history = Readings::Closed(Instant::now() + REOPEN);
                self.tell(Of::History, Trouble::Closed(error));
            }
        }
    }

    fn write_history(&mut self, now: Instant) {
        match &mut self.history {
            Readings::Closed(until) if *until <= now => self.open_history(),
            Readings::Open(history) if !self.readings.is_empty() || !self.settled.is_empty() => {
                match self.shared.while_busy(|| history.commit(&self.readings, &self.settled)) {
                    Ok(()) => {
                        self.shared.readings.fetch_sub(self.readings.len(), Ordering::Relaxed);
                        self.readings.clear();
                        self.settled.clear();
                        self.well(Of::History);
                    }
                    Err(error) => {
                        self.again = now + AGAIN;
                        self.failed(Of::History, &error);
                    }
                }
            }
            Readings::Waiting | Readings::Opening(_) | Readings::Open(_) | Readings::Closed(_) => {}
        }
    }

    // The house.

    fn keep_house(&mut self, now: Instant) {
        let before = |hours: i64| WallTime(WallTime::now().0.checked_sub(hours.hours()).unwrap_or_default());
        let retention = self.retention;
        if now >= self.forgetting
            && let Some(state) = &mut self.state
            && let Err(error) = self.shared.while_busy(|| state.forget(before(i64::from(retention.days) * 24)))
        {
            self.failed(Of::State, &error);
        }
        if now >= self.forgetting {
            self.forgetting = now + FORGETTING;
        }
        if let Readings::Open(history) = &mut self.history {
            let before = before(retention.history_hours.into());
            match self.shared.while_busy(|| history.forget(before, retention.history_bytes)) {
                // There is more: one turn later.
                Ok(true) => self.housekeeping = now + EVERY,
                Ok(false) => {}
                Err(error) => self.failed(Of::History, &error),
            }
        }
        if let Ok(disk) = rustix::fs::statvfs(&self.dir) {
            let room = disk.f_bavail.saturating_mul(disk.f_frsize);
            self.cramped = room < ROOM;
            if self.cramped {
                self.tell(Of::State, Trouble::Full(format!("{} MB are left", room >> 20)));
            }
        }
    }

    // What is told.

    fn failed(&mut self, of: Of, error: &rusqlite::Error) {
        let text = error.to_string();
        self.tell(
            of,
            match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Trouble::Full(text),
                _ => Trouble::Failing(text),
            },
        );
    }

    fn tell(&mut self, of: Of, trouble: Trouble) {
        let Some(known) = self.trouble.get_mut(of as usize) else { return };
        let before = known.replace(trouble.clone());
        if before.as_ref().map(discriminant) != Some(discriminant(&trouble)) {
            self.send(News::Trouble(trouble));
        }
    }

    /// Something was written into that file. All is well when that is so of both.
    fn well(&mut self, of: Of) {
        if self.cramped {
            return;
        }
        let mended = self.trouble.get_mut(of as usize).and_then(Option::take).is_some();
        if mended && self.trouble.iter().all(Option::is_none) {
            self.send(News::Well);
        }
    }

    fn send(&self, news: News) {
        // Whoever does not listen any more is about to end.
        let _ = self.news.send(news);
    }
}
