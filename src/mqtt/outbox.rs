//! What has been said and not yet confirmed: the logs.
//!
//! In memory, with the interface that a durable one has too: records with a rising id, taken in the
//! order of their lane and then of their id, deleted when the broker has confirmed them.
//!
//! Bounds: telemetry is kept up to a size, then the oldest is dropped and the hole is named as a
//! [`Gap`]. Events are never dropped: a bed says a few a minute, so memory is their bound.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use super::feeder::Lane;
use crate::wire::Topic;
use crate::wire::event::{Gap, GapReason};

/// After so many refusals a reading is dropped, so that one poisoned message does not hold up the rest.
const REFUSALS: u8 = 3;

/// The records that wait for their confirmation.
#[derive(Debug)]
pub struct Outbox {
    records: BTreeMap<Key, Record>,
    next_id: u64,
    telemetry_bytes: usize,
    telemetry_limit: usize,
    gaps: Vec<Gap>,
}

/// Where a record stands: the graver lane first, then the older id.
pub type Key = (Lane, u64);

/// One message of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic, which also says how it is to be published.
    pub topic: Topic,
    /// Its number in its stream.
    pub seq: u64,
    /// The JSON.
    pub payload: Vec<u8>,
    /// When it was said.
    pub queued: Instant,
    /// On its way, or held back: not to be taken now.
    busy: bool,
    refusals: u8,
}

impl Outbox {
    /// An empty one, for `telemetry_limit` bytes of readings.
    #[must_use]
    pub const fn new(telemetry_limit: usize) -> Self {
        Self { records: BTreeMap::new(), next_id: 1, telemetry_bytes: 0, telemetry_limit, gaps: Vec::new() }
    }

    /// Adds a record. Older telemetry may be dropped for it.
    pub fn push(&mut self, lane: Lane, topic: Topic, seq: u64, payload: Vec<u8>, now: Instant) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if lane == Lane::Telemetry {
            self.telemetry_bytes += size(&payload);
        }
        self.records.insert((lane, id), Record { topic, seq, payload, queued: now, busy: false, refusals: 0 });
        while self.telemetry_bytes > self.telemetry_limit {
            let Some((id, _)) = self.next(Lane::Telemetry, 0..u64::MAX) else { break };
            self.drop((Lane::Telemetry, id), GapReason::Overflow);
        }
        id
    }

    /// The id that the next record will have: what is below it was said before now.
    #[must_use]
    pub const fn next_id(&self) -> u64 {
        self.next_id
    }

    /// The oldest record of `lane` within `ids` that is neither on its way nor held back.
    #[must_use]
    pub fn next(&self, lane: Lane, ids: Range<u64>) -> Option<(u64, &Record)> {
        let found = self.records.range((lane, ids.start)..(lane, ids.end)).find(|(_, record)| !record.busy);
        found.map(|((_, id), record)| (*id, record))
    }

    /// It is on its way, or held back.
    pub fn set_busy(&mut self, key: Key, busy: bool) {
        if let Some(record) = self.records.get_mut(&key) {
            record.busy = busy;
        }
    }

    /// The connection is gone: nothing is on its way.
    pub fn forget_flights(&mut self) {
        self.records.values_mut().for_each(|record| record.busy = false);
    }

    /// The broker has it: it is deleted.
    pub fn confirm(&mut self, key: Key) {
        if let Some(record) = self.records.remove(&key)
            && key.0 == Lane::Telemetry
        {
            self.telemetry_bytes -= size(&record.payload);
        }
    }

    /// The broker does not want it. A reading is dropped after the third time; an event never.
    /// Returns how often it was refused while it is kept.
    pub fn refuse(&mut self, key: Key) -> Option<u8> {
        let record = self.records.get_mut(&key)?;
        record.refusals = record.refusals.saturating_add(1);
        if key.0 == Lane::Telemetry && record.refusals >= REFUSALS {
            self.drop(key, GapReason::Refused);
            return None;
        }
        Some(record.refusals)
    }

    /// The holes since it was last asked.
    pub fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    /// How many records wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether everything is confirmed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn drop(&mut self, key: Key, reason: GapReason) {
        let Some(record) = self.records.get(&key) else { return };
        let (topic, seq) = (record.topic, record.seq);
        self.confirm(key);
        let continued = |gap: &&mut Gap| gap.gap_stream == topic && gap.reason == reason && gap.to + 1 == seq;
        match self.gaps.iter_mut().find(continued) {
            Some(gap) => gap.to = seq,
            None => self.gaps.push(Gap { gap_stream: topic, from: seq, to: seq, reason }),
        }
    }
}

/// What a record takes, roughly: its payload and what stands around it.
const fn size(payload: &[u8]) -> usize {
    payload.len() + size_of::<Key>() + size_of::<Record>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{BedTopic, Id};

    const ALL: Range<u64> = 0..u64::MAX;

    fn topic(bed: &str, of: BedTopic) -> Topic {
        Topic::Bed(Id::new(bed).unwrap(), of)
    }

    fn filled(limit_records: usize, count: u64) -> Outbox {
        let mut outbox = Outbox::new(limit_records * size(b"{}"));
        for seq in 1..=count {
            outbox.push(Lane::Telemetry, topic("room-1", BedTopic::Oximetry), seq, b"{}".into(), Instant::now());
        }
        outbox
    }

    #[test]
    fn telemetry_over_its_size_is_dropped_oldest_first_and_the_hole_is_named() {
        let mut outbox = filled(4, 10);
        assert_eq!(outbox.len(), 4);
        assert_eq!(outbox.next(Lane::Telemetry, ALL).unwrap().1.seq, 7);
        let gap_stream = topic("room-1", BedTopic::Oximetry);
        assert_eq!(outbox.take_gaps(), [Gap { gap_stream, from: 1, to: 6, reason: GapReason::Overflow }]);
        assert_eq!(outbox.take_gaps(), []);
    }

    #[test]
    fn what_is_on_its_way_is_not_dropped() {
        let mut outbox = filled(4, 4);
        let (id, _) = outbox.next(Lane::Telemetry, ALL).unwrap();
        outbox.set_busy((Lane::Telemetry, id), true);
        outbox.push(Lane::Telemetry, topic("room-1", BedTopic::Oximetry), 5, b"{}".into(), Instant::now());
        assert_eq!(outbox.take_gaps().first().map(|gap| (gap.from, gap.to)), Some((2, 2)));
    }

    #[test]
    fn events_are_never_dropped() {
        let mut outbox = Outbox::new(0);
        for seq in 1..=10_000 {
            outbox.push(Lane::Event, topic("room-1", BedTopic::Event), seq, b"{}".into(), Instant::now());
        }
        let (id, _) = outbox.next(Lane::Event, ALL).unwrap();
        for _ in 0..10 {
            assert!(outbox.refuse((Lane::Event, id)).is_some());
        }
        assert_eq!((outbox.len(), outbox.take_gaps()), (10_000, vec![]));
    }

    #[test]
    fn the_gaps_of_two_streams_are_kept_apart() {
        let mut outbox = Outbox::new(0);
        for seq in 1..=3 {
            for bed in ["room-1", "room-2"] {
                outbox.push(Lane::Telemetry, topic(bed, BedTopic::Oximetry), seq, b"{}".into(), Instant::now());
            }
        }
        let gaps: Vec<_> = outbox.take_gaps().iter().map(|gap| (gap.gap_stream, gap.from, gap.to)).collect();
        assert_eq!(gaps, [(topic("room-1", BedTopic::Oximetry), 1, 3), (topic("room-2", BedTopic::Oximetry), 1, 3)]);
    }

    #[test]
    fn a_reading_that_is_refused_three_times_makes_room() {
        let mut outbox = filled(4, 1);
        let (id, _) = outbox.next(Lane::Telemetry, ALL).unwrap();
        let key = (Lane::Telemetry, id);
        assert_eq!([outbox.refuse(key), outbox.refuse(key), outbox.refuse(key)], [Some(1), Some(2), None]);
        assert!(outbox.is_empty());
        assert_eq!(outbox.take_gaps().first().map(|gap| gap.reason), Some(GapReason::Refused));
    }

    #[test]
    fn a_confirmed_record_gives_its_room_back() {
        let mut outbox = filled(4, 4);
        outbox.confirm((Lane::Telemetry, 1));
        outbox.push(Lane::Telemetry, topic("room-1", BedTopic::Oximetry), 5, b"{}".into(), Instant::now());
        assert_eq!(outbox.take_gaps(), []);
    }
}
