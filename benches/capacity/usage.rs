//! What a process costs, as the system tells it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};

/// A process at one moment.
pub struct Usage {
    at: Instant,
    /// Processor time so far, in ticks of the system's clock: all of it, that of threads which have ended included.
    ticks: u64,
    /// That of each thread that lives, by its name.
    threads: Vec<(String, u64)>,
    /// Bytes that it has caused to be written to the disk.
    written: u64,
}

impl Usage {
    /// The process `pid` now.
    pub fn of(pid: u32) -> Self {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let threads = fs::read_dir(process.join("task")).expect("a process that runs");
        let threads = threads.flatten().filter_map(|thread| stat(&thread.path().join("stat"))).collect();
        let (_, ticks) = stat(&process.join("stat")).expect("a process that runs");
        Self { at: Instant::now(), ticks, threads, written: written(&process) }
    }

    /// What share of one core was used since `before`, in percent.
    pub fn percent(&self, before: &Self) -> f64 {
        self.share(before, self.ticks - before.ticks)
    }

    /// The same of the threads with that name.
    pub fn percent_of(&self, before: &Self, name: &str) -> f64 {
        let ticks =
            |usage: &Self| usage.threads.iter().filter(|(of, _)| of == name).map(|(_, ticks)| ticks).sum::<u64>();
        self.share(before, ticks(self) - ticks(before))
    }

    /// Bytes written to the disk since `before`, per hour at the same pace.
    pub fn written_an_hour(&self, before: &Self) -> f64 {
        an_hour(self.written - before.written, self.at.duration_since(before.at).as_secs_f64())
    }

    /// How many seconds have passed since `before`.
    pub fn since(&self, before: &Self) -> f64 {
        self.at.duration_since(before.at).as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "ticks of a minute are few")]
    fn share(&self, before: &Self, ticks: u64) -> f64 {
        let a_second = rustix::param::clock_ticks_per_second() as f64;
        100.0 * ticks as f64 / a_second / self.since(before)
    }
}

/// What has come in so many seconds, per hour at the same pace.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn an_hour(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / seconds * 3_600.0
}

/// A field of `/proc/PID/status` in MiB.
pub fn mebibytes(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u32>().ok());
    f64::from(kibibytes.expect("a field of every process")) / 1_024.0
}

/// The pages that a database of the journal has, in bytes: unlike the size of its files it does not jump with each
/// checkpoint.
pub fn database(file: &Path) -> u64 {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, u64>(0));
    number("page_count").expect("a number") * number("page_size").expect("a number")
}

/// Name and processor time of what stands in a `stat` of /proc; `None`: it has ended.
fn stat(file: &Path) -> Option<(String, u64)> {
    let text = fs::read_to_string(file).ok()?;
    // The name stands in brackets and may hold anything.
    let (head, fields) = text.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    // utime and stime are the fields 14 and 15; the first after the name is 3.
    let times = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Some((name.to_owned(), times.sum()))
}

fn written(process: &Path) -> u64 {
    let io = fs::read_to_string(process.join("io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or_default()
}
