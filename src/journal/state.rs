//! `state.db`: the beds as they were last, the story, the notes, the audit log, and the lives of the box.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use vitalsd_core::monitor::Snapshot;

use super::chain::{Link, Seal};
use super::entry::{Bed, Before, Key, Note, Opened, Past, Said};
use super::store;
use crate::wire::{Audit, BootId, Id, Topic, WallTime};

/// The shape of the file, version by version: a migration is never changed once it has been shipped.
const MIGRATIONS: &[&str] = &["
    -- The lives of the box. One without an end was not told to stop.
    CREATE TABLE boot (id TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, ended_ms INTEGER) STRICT;
    -- Each bed as it was last.
    CREATE TABLE bed (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, clock_trusted INTEGER NOT NULL,
        snapshot BLOB NOT NULL) STRICT;
    -- Events and determinations as they were said; not settled: the broker has not confirmed them.
    CREATE TABLE story (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, topic TEXT NOT NULL, seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL, payload BLOB NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
        UNIQUE (boot, topic, seq)) STRICT;
    CREATE INDEX unsent ON story (id) WHERE settled = 0;
    -- The texts of notes, which leave the box in a report alone.
    CREATE TABLE note (id INTEGER PRIMARY KEY, bed TEXT NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
        number INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
    -- What was asked of the box, and what became of it: each entry sealed with the one before.
    CREATE TABLE audit (number INTEGER PRIMARY KEY, entry BLOB NOT NULL, seal BLOB NOT NULL) STRICT;
"];

/// Lives that crash one after the other within this time.
const CRASHES_WITHIN: Duration = Duration::from_secs(60);

/// What goes into the file in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// Messages.
    pub said: Vec<Said>,
    /// Messages that the broker has, or never will.
    pub settled: Vec<Key>,
    /// Beds as they are now.
    pub beds: BTreeMap<Id, Bed>,
    /// Notes.
    pub notes: Vec<Note>,
    /// What happened.
    pub audit: Vec<Audit>,
    /// The box ends of its own will.
    pub ended: Option<WallTime>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
            && self.settled.is_empty()
            && self.beds.is_empty()
            && self.notes.is_empty()
            && self.audit.is_empty()
            && self.ended.is_none()
    }
}

/// The open file.
#[derive(Debug)]
pub struct State {
    connection: Connection,
    boot: BootId,
    /// The newest entry of the audit log.
    last: (u64, Seal),
}

/// Opens the file for the life `boot`, and tells what it holds.
#[must_use]
pub(super) fn open(file: &Path, boot: BootId) -> Opened {
    let mut past = Past::default();
    let opened = store::open(file, MIGRATIONS).and_then(|(connection, aside)| {
        past.set_aside.extend(aside);
        Ok(State::begin(connection, boot, &mut past)?)
    });
    let state = opened.map_err(|error| past.trouble = Some(error.to_string())).ok();
    Opened { state, past }
}

impl State {
    fn begin(connection: Connection, boot: BootId, past: &mut Past) -> rusqlite::Result<Self> {
        past.beds = beds(&connection, &mut past.unreadable)?;
        past.unsent = unsent(&connection)?;
        past.before = before(&connection)?;
        past.crashes = crashes(&connection, Timestamp::now())?;
        let last = connection.query_row("SELECT number, seal FROM audit ORDER BY number DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, Seal(row.get(1)?)))
        });
        let last = last.optional()?.unwrap_or_default();
        let started = Timestamp::now().as_millisecond();
        connection.execute("INSERT OR REPLACE INTO boot VALUES (?1, ?2, NULL)", params![boot.to_string(), started])?;
        Ok(Self { connection, boot, last })
    }

    /// Writes a batch, all of it or nothing, and has it on the disk before it returns.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn commit(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        keep_said(&transaction, "story", &batch.said)?;
        settle(&transaction, "story", &batch.settled)?;
        for bed in batch.beds.values() {
            let snapshot = serde_json::to_vec(&bed.snapshot).map_err(not_json)?;
            transaction.prepare_cached("INSERT OR REPLACE INTO bed VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                bed.id.as_str(),
                ms(bed.at),
                bed.clock_trusted,
                snapshot
            ])?;
        }
        for note in &batch.notes {
            transaction.execute(
                "INSERT INTO note (bed, at_ms, actor, number, text) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![note.bed.as_str(), ms(note.at), note.actor, note.number, note.text],
            )?;
        }
        let mut last = self.last;
        for audit in &batch.audit {
            let entry = serde_json::to_vec(audit).map_err(not_json)?;
            let number = last.0 + 1;
            last = (number, last.1.next(number, &entry));
            transaction
                .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3)")?
                .execute(params![number, entry, last.1.0])?;
        }
        if let Some(ended) = batch.ended {
            let boot = self.boot.to_string();
            transaction.execute("UPDATE boot SET ended_ms = ?2 WHERE id = ?1", params![boot, ms(ended)])?;
        }
        transaction.commit()?;
        self.last = last;
        Ok(())
    }

    /// The newest entry of the audit log.
    #[must_use]
    pub const fn last_audit(&self) -> (u64, Seal) {
        self.last
    }

    /// Forgets what is older than `before`. What the broker has not confirmed stays, and so does the audit log, which
    /// would be broken without its beginning.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn forget(&mut self, before: WallTime) -> rusqlite::Result<()> {
        let before = ms(before);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM story WHERE settled = 1 AND at_ms < ?1", [before])?;
        transaction.execute("DELETE FROM note WHERE at_ms < ?1", [before])?;
        transaction
            .execute("DELETE FROM boot WHERE started_ms < ?1 AND id != ?2", params![before, self.boot.to_string()])?;
        transaction.commit()
    }
}

/// Writes messages into a table of messages. The same message twice is one.
pub(super) fn keep_said(transaction: &Transaction<'_>, table: &str, said: &[Said]) -> rusqlite::Result<()> {
    let sql = format!("INSERT OR IGNORE INTO {table} (boot, topic, seq, at_ms, payload) VALUES (?1, ?2, ?3, ?4, ?5)");
    let mut insert = transaction.prepare_cached(&sql)?;
    for Said { key, at, payload } in said {
        let (boot, topic) = (key.boot.to_string(), key.topic.to_string());
        insert.execute(params![boot, topic, key.seq, ms(*at), payload.as_ref()])?;
    }
    Ok(())
}

/// Marks messages of a table as settled.
pub(super) fn settle(transaction: &Transaction<'_>, table: &str, settled: &[Key]) -> rusqlite::Result<()> {
    let sql = format!("UPDATE {table} SET settled = 1 WHERE boot = ?1 AND topic = ?2 AND seq = ?3");
    let mut update = transaction.prepare_cached(&sql)?;
    for key in settled {
        update.execute(params![key.boot.to_string(), key.topic.to_string(), key.seq])?;
    }
    Ok(())
}

/// A message as it stands in a table: `boot, topic, seq, at_ms, payload`. `None`: of a topic that is no more.
pub(super) fn said(row: &Row<'_>) -> rusqlite::Result<Option<Said>> {
    let (boot, topic): (String, String) = (row.get(0)?, row.get(1)?);
    let (Ok(boot), Ok(topic)) = (boot.parse(), topic.parse::<Topic>()) else { return Ok(None) };
    let payload: Vec<u8> = row.get(4)?;
    Ok(Some(Said { key: Key { boot, topic, seq: row.get(2)? }, at: wall(row.get(3)?), payload: payload.into() }))
}

/// The newest number of each log of `boot` in a table.
pub(super) fn last_seq(connection: &Connection, table: &str, boot: BootId) -> rusqlite::Result<BTreeMap<Topic, u64>> {
    let mut query =
        connection.prepare(&format!("SELECT topic, max(seq) FROM {table} WHERE boot = ?1 GROUP BY topic"))?;
    let rows = query.query_map([boot.to_string()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?)))?;
    let mut last = BTreeMap::new();
    for row in rows {
        let (topic, seq) = row?;
        last.extend(topic.parse::<Topic>().ok().map(|topic| (topic, seq)));
    }
    Ok(last)
}

/// Every entry of the audit log, oldest first.
///
/// # Errors
/// The file cannot be read.
pub fn audit(connection: &Connection) -> rusqlite::Result<Vec<Link>> {
    let mut query = connection.prepare("SELECT number, entry, seal FROM audit ORDER BY number")?;
    let rows =
        query.query_map([], |row| Ok(Link { number: row.get(0)?, entry: row.get(1)?, seal: Seal(row.get(2)?) }))?;
    rows.collect()
}

fn beds(connection: &Connection, unreadable: &mut Vec<Id>) -> rusqlite::Result<Vec<Bed>> {
    let mut query = connection.prepare("SELECT id, at_ms, clock_trusted, snapshot FROM bed ORDER BY id")?;
    let rows = query.query_map([], |row| {
        let (id, snapshot): (String, Vec<u8>) = (row.get(0)?, row.get(3)?);
        Ok((id, wall(row.get(1)?), row.get(2)?, snapshot))
    })?;
    let mut beds = Vec::new();
    for row in rows {
        let (id, at, clock_trusted, snapshot) = row?;
        let Ok(id) = Id::new(&id) else { continue };
        let snapshot = serde_json::from_slice::<Snapshot>(&snapshot).ok().filter(Snapshot::is_current);
        match snapshot {
            Some(snapshot) => beds.push(Bed { id, at, clock_trusted, snapshot }),
            None => unreadable.push(id),
        }
    }
    Ok(beds)
}

fn unsent(connection: &Connection) -> rusqlite::Result<Vec<Said>> {
    let mut query =
        connection.prepare("SELECT boot, topic, seq, at_ms, payload FROM story WHERE settled = 0 ORDER BY id")?;
    query.query_map([], said)?.filter_map(Result::transpose).collect()
}

fn before(connection: &Connection) -> rusqlite::Result<Option<Before>> {
    let boot =
        connection.query_row("SELECT id FROM boot ORDER BY rowid DESC LIMIT 1", [], |row| row.get::<_, String>(0));
    let Some(boot) = boot.optional()?.and_then(|boot| boot.parse().ok()) else { return Ok(None) };
    Ok(Some(Before { boot, last_seq: last_seq(connection, "story", boot)? }))
}

fn crashes(connection: &Connection, now: Timestamp) -> rusqlite::Result<u32> {
    let mut query = connection.prepare("SELECT started_ms, ended_ms IS NULL FROM boot ORDER BY rowid DESC")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))?;
    let window = i64::try_from(CRASHES_WITHIN.as_millis()).unwrap_or(i64::MAX);
    let mut crashes = 0;
    for row in rows {
        let (started, crashed) = row?;
        if !crashed || now.as_millisecond().saturating_sub(started) > window {
            break;
        }
        crashes += 1;
    }
    Ok(crashes)
}

/// Milliseconds since 1970, as a moment stands in the files.
pub(super) fn ms(at: WallTime) -> i64 {
    at.0.as_millisecond()
}

fn wall(ms: i64) -> WallTime {
    WallTime(Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn not_json(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}
