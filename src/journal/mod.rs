//! The journal: what the box must not forget, in SQLite.
//!
//! Two files. `state.db` is small and looked at before the box starts: the beds as they were last, the story of
//! each bed, what was asked of it and by whom. `history.db` holds the readings; it may be large and is looked at
//! when the box already speaks. What is damaged is set aside under another name and told, never deleted.
//!
//! The logs of the contract are kept as they are said, and marked when the broker has confirmed them: what is not
//! marked is the outbox of the next life.
//!
//! * [`entry`]: what is written, and what was found.
//! * [`store`]: one file: opened, brought up to date, set aside.
//! * [`state`], [`history`]: what stands in the two files.
//! * [`chain`]: the audit log, each entry sealed by the one before.
//! * [`ledger`]: what was said, held against what a receiver has heard.
//! * [`writer`]: the thread that writes.
//!
//! Nothing here waits on the hot thread: a [`Journal`] hands over and goes on. Two lanes: the story, the beds and
//! the audit log are never dropped and are committed at once; of readings 4,096 may wait, they are committed once a
//! second, and what finds no room is counted.

pub mod chain;
pub mod entry;
pub mod history;
pub mod ledger;
pub mod state;
pub mod store;
pub mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

pub use self::entry::{Bed, Key, Note, Past, Said};
use self::entry::{Job, Opened};
pub use self::writer::{News, Trouble};
use self::writer::{Shared, Writer};
use crate::config::Retention;
use crate::wire::{Audit, BootId};

/// So many readings may wait to be written.
const READINGS: usize = 4_096;
/// How long a clean end waits for the disk.
const LAST: Duration = Duration::from_secs(1);
/// How long one write may take before the disk counts as too slow.
const SLOW: Duration = Duration::from_secs(2);

/// What the hot thread writes with.
#[derive(Clone, Debug)]
pub struct Pen {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

/// The journal of this life of the box.
#[derive(Debug)]
pub struct Journal {
    pen: Pen,
    news: Option<UnboundedReceiver<News>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal in `dir` for the life `boot` of the box, and tells what the lives before left. A journal
    /// that cannot be opened keeps nothing and tells its trouble; it is tried again and again.
    #[must_use]
    pub fn open(dir: &Path, retention: Retention, boot: BootId) -> (Self, Past) {
        let shared = Arc::new(Shared::default());
        let (jobs, received) = channel();
        let (told, news) = tokio::sync::mpsc::unbounded_channel();
        let (end, ended) = channel();
        let Opened { state, past } = state::open(&state_file(dir), boot);
        let opened = (state, past.before.clone());
        let writer = Writer::new(dir, retention, boot, opened, Arc::clone(&shared), told);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            writer.run(&received);
            drop(end);
        });
        (Self { pen: Pen { jobs, shared }, news: Some(news), ended, thread: thread.ok() }, past)
    }

    /// What to write with.
    #[must_use]
    pub fn pen(&self) -> Pen {
        self.pen.clone()
    }

    /// What the writer has to tell; to be taken once.
    pub const fn take_news(&mut self) -> Option<UnboundedReceiver<News>> {
        self.news.take()
    }

    /// Writes what waits, notes that the box ended of its own will, and closes; a second at the most.
    pub fn finish(mut self) {
        self.pen.hand_over(Job::Finish);
        if let (Err(RecvTimeoutError::Disconnected), Some(thread)) = (self.ended.recv_timeout(LAST), self.thread.take())
        {
            // It has ended, so this does not wait.
            let _ = thread.join();
        }
    }
}

impl Pen {
    /// A message of a log has been said. An alarm's event is on the disk within the next commit; a reading within
    /// a second.
    pub fn say(&self, said: Said) {
        if said.is_reading() && self.shared.readings.fetch_add(1, Ordering::Relaxed) >= READINGS {
            self.shared.readings.fetch_sub(1, Ordering::Relaxed);
            self.shared.overflow.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.hand_over(Job::Say(said));
    }

    /// The broker has it, or it was given up: it is no longer part of the outbox.
    pub fn settle(&self, key: Key) {
        self.hand_over(Job::Settle(key));
    }

    /// A bed as it is now.
    pub fn keep(&self, bed: Bed) {
        self.hand_over(Job::Keep(Box::new(bed)));
    }

    /// The text of a note, which stays here.
    pub fn note(&self, note: Note) {
        self.hand_over(Job::Note(note));
    }

    /// Somebody asked for something, or something happened to the box itself.
    pub fn audit(&self, audit: Audit) {
        self.hand_over(Job::Audit(audit));
    }

    /// Asks for [`News::Written`] with that ticket once everything handed over so far is on the disk.
    pub fn promise(&self, ticket: u64) {
        self.hand_over(Job::Promise(ticket));
    }

    /// The box speaks: now is the time to look at the history.
    pub fn open_history(&self) {
        self.hand_over(Job::OpenHistory);
    }

    /// Whether one write has been under way for too long.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.shared.busy_for() >= SLOW
    }

    /// How many readings found no room since the box started.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.overflow.load(Ordering::Relaxed)
    }

    fn hand_over(&self, job: Job) {
        // A writer that is gone has told why; the box watches on.
        let _ = self.jobs.send(job);
    }
}

/// Where the beds, the story and the audit log stand.
#[must_use]
pub fn state_file(dir: &Path) -> PathBuf {
    dir.join("state.db")
}

/// Where the readings stand.
#[must_use]
pub fn history_file(dir: &Path) -> PathBuf {
    dir.join("history.db")
}
