//! One SQLite file: opened, brought up to date, and set aside if it is damaged.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long a write waits for another program that reads or copies the file.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file that could not be used as it was: it has another name now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// What it is called now.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: Unusable,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is no database, or one that contradicts itself.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// A later vitalsd has written it.
    #[error("a later vitalsd has written it: its version is {found}, this one knows {known}")]
    Newer {
        /// Its version.
        found: usize,
        /// The newest that this program knows.
        known: usize,
    },
}

/// Why a file cannot be opened, set aside or not.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite cannot.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file system cannot.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens `file`, making it if it is not there, and brings it to the newest of `migrations`. A file that cannot be
/// used is set aside, and a new one stands in its place.
///
/// # Errors
/// The disk or the directory does not let us.
pub fn open(file: &Path, migrations: &[&str]) -> Result<(Connection, Option<SetAside>), OpenError> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    match try_open(file, migrations)? {
        Ok(connection) => Ok((connection, None)),
        Err(reason) => {
            let aside = set_aside(file)?;
            let connection = try_open(file, migrations)?.map_err(|again| io::Error::other(again.to_string()))?;
            Ok((connection, Some(SetAside { file: aside, reason })))
        }
    }
}

fn try_open(file: &Path, migrations: &[&str]) -> Result<Result<Connection, Unusable>, OpenError> {
    // What it holds are vital signs: readable for the daemon's user alone. SQLite gives its other files the same mode.
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    let opened = prepare(file, migrations);
    match opened {
        Ok(found) => Ok(found),
        Err(error) => match damage(&error) {
            Some(reason) => Ok(Err(reason)),
            None => Err(error.into()),
        },
    }
}

fn prepare(file: &Path, migrations: &[&str]) -> rusqlite::Result<Result<Connection, Unusable>> {
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL may lose the last commits when the power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Err(Unusable::Damaged(verdict)));
    }
    let found: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = migrations.get(found..) else {
        return Ok(Err(Unusable::Newer { found, known: migrations.len() }));
    };
    for (version, migration) in (found + 1..).zip(missing) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(Ok(connection))
}

/// What an error says about the file itself.
fn damage(error: &rusqlite::Error) -> Option<Unusable> {
    let damaged = matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt));
    damaged.then(|| Unusable::Damaged(error.to_string()))
}

/// Gives a file, and what SQLite keeps beside it, another name.
fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let beside = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let free = |n: &u32| !beside(&format!(".damaged-{stamp}-{n}")).exists();
    let n = (1..).find(free).unwrap_or_default();
    let aside = format!(".damaged-{stamp}-{n}");
    for part in ["", "-wal", "-shm"] {
        match fs::rename(beside(part), beside(&format!("{aside}{part}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(beside(&aside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const FIRST: &[&str] = &["CREATE TABLE thing (name TEXT)"];
    const SECOND: &[&str] = &["CREATE TABLE thing (name TEXT)", "ALTER TABLE thing ADD size INTEGER DEFAULT 7"];

    #[test]
    fn what_is_there_stays_when_the_file_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/a.db");
        let (connection, aside) = open(&file, FIRST).unwrap();
        connection.execute("INSERT INTO thing VALUES ('cup')", []).unwrap();
        drop(connection);
        let (connection, aside_again) = open(&file, SECOND).unwrap();
        let found: (String, i64) =
            connection.query_row("SELECT name, size FROM thing", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!((found, aside, aside_again), (("cup".into(), 7), None, None));
    }

    #[test]
    fn nobody_else_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        let (connection, _) = open(&file, FIRST).unwrap();
        connection.execute("INSERT INTO thing VALUES ('cup')", []).unwrap();
        for part in ["a.db", "a.db-wal"] {
            assert_eq!(fs::metadata(dir.path().join(part)).unwrap().permissions().mode() & 0o077, 0, "{part}");
        }
    }

    #[test]
    fn a_damaged_file_is_kept_under_another_name_and_a_new_one_stands_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        fs::write(&file, "this is no database, but somebody may still want it".repeat(100)).unwrap();
        let (connection, aside) = open(&file, FIRST).unwrap();
        let aside = aside.unwrap();
        assert!(matches!(aside.reason, Unusable::Damaged(_)), "{aside:?}");
        assert!(fs::read_to_string(&aside.file).unwrap().starts_with("this is no database"));
        connection.execute("INSERT INTO thing VALUES ('cup')", []).unwrap();
    }

    #[test]
    fn a_page_in_the_middle_that_is_overwritten_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        let (connection, _) = open(&file, FIRST).unwrap();
        for n in 0..2_000 {
            connection.execute("INSERT INTO thing VALUES (?1)", [format!("cup number {n}")]).unwrap();
        }
        drop(connection);
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 8192 * 4096;
        bytes[middle..middle + 4096].fill(0x5a);
        fs::write(&file, bytes).unwrap();
        assert!(open(&file, FIRST).unwrap().1.is_some());
    }

    #[test]
    fn a_file_of_a_later_version_is_set_aside_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        drop(open(&file, SECOND).unwrap());
        let (_, aside) = open(&file, FIRST).unwrap();
        let aside = aside.unwrap();
        assert_eq!(aside.reason, Unusable::Newer { found: 2, known: 1 });
        assert_eq!(open(&aside.file, SECOND).unwrap().1, None);
    }

    #[test]
    fn two_files_that_are_set_aside_in_the_same_second_are_both_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        let aside = |text: &str| {
            fs::write(&file, text.repeat(200)).unwrap();
            open(&file, FIRST).unwrap().1.unwrap().file
        };
        let (one, other) = (aside("one, no database. "), aside("other, no database. "));
        assert!(fs::read_to_string(one).unwrap().starts_with("one"));
        assert!(fs::read_to_string(other).unwrap().starts_with("other"));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error_and_nothing_is_set_aside() {
        assert!(matches!(open(Path::new("/proc/no-such/a.db"), FIRST), Err(OpenError::Io(_))));
    }
}
