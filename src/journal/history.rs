//! `history.db`: the readings. Large, and looked at when the box already speaks.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::entry::{Key, Said};
use super::state::{keep_said, last_seq, ms, said, settle};
use super::store::{self, OpenError, SetAside};
use crate::config::Retention;
use crate::wire::{BootId, Topic, WallTime};

/// The shape of the file, version by version: a migration is never changed once it has been shipped.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE reading (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, topic TEXT NOT NULL, seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL, payload BLOB NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
        -- In this order, because the numbers of all beds rise together: with the topic first, every commit would write a
        -- page of this index for each bed, four times as much.
        UNIQUE (boot, seq, topic)) STRICT;
    CREATE INDEX unsent ON reading (id) WHERE settled = 0;
"];

/// So many rows are forgotten in one transaction: a handful of milliseconds.
const FORGOTTEN_AT_ONCE: u32 = 2_000;

/// The open file.
#[derive(Debug)]
pub struct History {
    connection: Connection,
}

/// What the lives before left in it.
#[derive(Debug, Default)]
pub struct Found {
    /// Readings that the broker has not confirmed and that may still be sent, oldest first.
    pub unsent: Vec<Said>,
    /// Readings that are given up: too old, or too many.
    pub given_up: Vec<Key>,
    /// The newest number of each of the logs of the life before this one.
    pub last_seq: BTreeMap<Topic, u64>,
    /// The file was damaged; where it is now.
    pub set_aside: Option<SetAside>,
}

/// Opens the file and tells what it holds; `before` is the life before this one.
///
/// # Errors
/// The disk or the directory does not let us.
pub fn open(
    file: &Path,
    retention: &Retention,
    before: Option<BootId>,
    now: WallTime,
) -> Result<(History, Found), OpenError> {
    let (connection, set_aside) = store::open(file, MIGRATIONS)?;
    let history = History { connection };
    let (unsent, given_up) = history.unsent(retention, now)?;
    let last_seq = before.map(|before| last_seq(&history.connection, "reading", before)).transpose()?;
    Ok((history, Found { unsent, given_up, last_seq: last_seq.unwrap_or_default(), set_aside }))
}

impl History {
    /// Writes readings and confirmations, all of them or none.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn commit(&mut self, readings: &[Said], settled: &[Key]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        keep_said(&transaction, "reading", readings)?;
        settle(&transaction, "reading", settled)?;
        transaction.commit()
    }

    /// Forgets readings that are older than `before`, and the oldest while there are more than `bytes` of them.
    /// Whether there may be more to forget.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn forget(&mut self, before: WallTime, bytes: u64) -> rusqlite::Result<bool> {
        let too_large = self.bytes()? > bytes;
        // The oldest have the lowest ids: to look at a handful of rows is enough, of a day there are millions.
        let sql = format!(
            "DELETE FROM reading WHERE id IN (
                SELECT id FROM (SELECT id, settled, at_ms FROM reading ORDER BY id LIMIT {FORGOTTEN_AT_ONCE})
                WHERE settled = 1 AND (?1 OR at_ms < ?2))"
        );
        let forgotten = self.connection.execute(&sql, params![too_large, ms(before)])?;
        Ok(u32::try_from(forgotten).is_ok_and(|forgotten| forgotten >= FORGOTTEN_AT_ONCE))
    }

    /// What the readings take, in whole pages.
    fn bytes(&self) -> rusqlite::Result<u64> {
        let number =
            |pragma: &str| self.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, u64>(0));
        Ok(number("page_count")?.saturating_sub(number("freelist_count")?).saturating_mul(number("page_size")?))
    }

    /// The newest first until there are too many or they are too old; given back oldest first.
    fn unsent(&self, retention: &Retention, now: WallTime) -> rusqlite::Result<(Vec<Said>, Vec<Key>)> {
        let oldest = ms(now).saturating_sub(i64::from(retention.unsent_hours) * 3_600_000);
        let mut query = self
            .connection
            .prepare("SELECT boot, topic, seq, at_ms, payload FROM reading WHERE settled = 0 ORDER BY id DESC")?;
        let (mut unsent, mut given_up, mut bytes) = (VecDeque::new(), Vec::new(), 0);
        for row in query.query_map([], said)? {
            let Some(said) = row? else { continue };
            bytes += said.payload.len();
            if ms(said.at) < oldest || bytes > retention.unsent_bytes {
                given_up.push(said.key);
            } else {
                unsent.push_front(said);
            }
        }
        given_up.reverse();
        Ok((unsent.into(), given_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{BedTopic, Id};
    use jiff::ToSpan;

    fn boot() -> BootId {
        BootId::new(1, 1)
    }

    fn reading(seq: u64, at: &str) -> Said {
        let topic = Topic::Bed(Id::new("room-1").unwrap(), BedTopic::Oximetry);
        Said { key: Key { boot: boot(), topic, seq }, at: time(at), payload: b"{}".as_slice().into() }
    }

    fn time(at: &str) -> WallTime {
        WallTime(format!("2026-11-22T{at}:00Z").parse().unwrap())
    }

    fn seqs(said: &[Said]) -> Vec<u64> {
        said.iter().map(|said| said.key.seq).collect()
    }

    fn opened(dir: &Path, retention: &Retention, now: &str) -> (History, Found) {
        open(&super::super::history_file(dir), retention, Some(boot()), time(now)).unwrap()
    }

    #[test]
    fn what_was_not_settled_is_found_again_in_its_order() {
        let dir = tempfile::tempdir().unwrap();
        let retention = Retention::default();
        let (mut history, _) = opened(dir.path(), &retention, "09:00");
        let readings: Vec<_> = (1..=4).map(|seq| reading(seq, "09:00")).collect();
        history.commit(&readings, &[]).unwrap();
        history.commit(&[], &[readings[1].key]).unwrap();
        // The same once more is the same.
        history.commit(&readings, &[]).unwrap();
        drop(history);
        let (_, found) = opened(dir.path(), &retention, "09:01");
        assert_eq!(seqs(&found.unsent), [1, 3, 4]);
        assert_eq!(found.unsent.first(), Some(&reading(1, "09:00")));
        assert_eq!(found.last_seq.values().collect::<Vec<_>>(), [&4]);
        assert_eq!((found.given_up, found.set_aside), (vec![], None));
    }

    #[test]
    fn readings_that_are_too_old_or_too_many_are_given_up_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let retention = Retention { unsent_hours: 1, unsent_bytes: 4, ..Retention::default() };
        let (mut history, _) = opened(dir.path(), &retention, "09:00");
        let readings = [reading(1, "06:00"), reading(2, "08:10"), reading(3, "08:20"), reading(4, "08:30")];
        history.commit(&readings, &[]).unwrap();
        drop(history);
        let (_, found) = opened(dir.path(), &retention, "09:00");
        assert_eq!(seqs(&found.unsent), [3, 4], "two of them have the room");
        assert_eq!(found.given_up, [readings[0].key, readings[1].key]);
    }

    #[test]
    fn old_readings_are_forgotten_but_not_what_the_broker_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let (mut history, _) = opened(dir.path(), &Retention::default(), "09:00");
        let readings = [reading(1, "06:00"), reading(2, "06:00"), reading(3, "08:59")];
        history.commit(&readings, &[readings[0].key, readings[2].key]).unwrap();
        assert!(!history.forget(time("08:00"), u64::MAX).unwrap());
        let left: Vec<u64> = {
            let mut query = history.connection.prepare("SELECT seq FROM reading ORDER BY id").unwrap();
            query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(left, [2, 3]);
    }

    #[test]
    fn the_size_is_bounded_and_the_oldest_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let (mut history, _) = opened(dir.path(), &Retention::default(), "09:00");
        let start = time("09:00");
        let said: Vec<_> = (1..=20_000)
            .map(|seq| {
                let at = WallTime(start.0.checked_add(i64::try_from(seq).unwrap().seconds()).unwrap());
                Said { at, payload: vec![b' '; 300].into(), ..reading(seq, "09:00") }
            })
            .collect();
        let settled: Vec<_> = said.iter().map(|said| said.key).collect();
        history.commit(&said, &settled).unwrap();
        let limit = history.bytes().unwrap() / 2;
        let mut rounds = 0;
        while history.forget(WallTime(jiff::Timestamp::MIN), limit).unwrap() {
            rounds += 1;
            assert!(rounds < 100);
        }
        assert!(history.bytes().unwrap() <= limit);
        let (first, last): (u64, u64) = history
            .connection
            .query_row("SELECT min(seq), max(seq) FROM reading", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert!(first > 1 && last == 20_000, "{first} to {last}");
    }
}
