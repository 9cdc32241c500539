//! What has been said and not yet confirmed: the logs.
//!
//! Records with a rising id, taken in the order of their lane and then of their id, deleted when the broker has
//! confirmed them. They are in memory; a [`Keep`] has them beyond the end of this life, and the next one begins
//! with what this one had not settled.
//!
//! Bounds: telemetry is kept up to a size and an age, then the oldest is dropped and the hole is named as a
//! [`Gap`]. Events are never dropped: a bed says a few a minute, so memory is their bound.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::feeder::Lane;
use crate::wire::event::{Gap, GapReason};
use crate::wire::{BootId, Topic};

/// After so many refusals a reading is dropped, so that one poisoned message does not hold up the rest.
const REFUSALS: u8 = 3;

/// Records of this life have ids from here on: what the lives before left is older, whenever it is found.
const FIRST: u64 = 1 << 40;

/// Who has what was said beyond the end of this life.
pub trait Keep: fmt::Debug {
    /// It was said, in this life.
    fn said(&self, topic: Topic, seq: u64, payload: &Arc<[u8]>);
    /// The broker has it, or its loss was told. `boot`: the life that said it; `None`: this one.
    fn settled(&self, boot: Option<BootId>, topic: Topic, seq: u64);
}

/// How much telemetry may wait, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes.
    pub bytes: usize,
    /// Age.
    pub age: Duration,
}

/// The records that wait for their confirmation.
#[derive(Debug)]
pub struct Outbox {
    records: BTreeMap<Key, Record>,
    next_id: u64,
    next_old_id: u64,
    telemetry_bytes: usize,
    bounds: Bounds,
    gaps: Vec<Gap>,
    keep: Option<Box<dyn Keep>>,
}

/// Where a record stands: the graver lane first, then the older id.
pub type Key = (Lane, u64);

/// One message of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic, which also says how it is to be published.
    pub topic: Topic,
    /// The life of the box that said it; `None`: this one.
    pub boot: Option<BootId>,
    /// Its number in its stream and life.
    pub seq: u64,
    /// The JSON.
    pub payload: Arc<[u8]>,
    /// When it was said.
    pub queued: Instant,
    /// On its way, or held back: not to be taken now.
    busy: bool,
    refusals: u8,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(bounds: Bounds, keep: Option<Box<dyn Keep>>) -> Self {
        Self {
            records: BTreeMap::new(),
            next_id: FIRST,
            next_old_id: 1,
            telemetry_bytes: 0,
            bounds,
            gaps: Vec::new(),
            keep,
        }
    }

    /// Adds a record of this life. Older telemetry may be dropped for it.
    pub fn push(&mut self, lane: Lane, topic: Topic, seq: u64, payload: Vec<u8>, now: Instant) {
        let payload = payload.into();
        if let Some(keep) = &self.keep {
            keep.said(topic, seq, &payload);
        }
        let id = self.next_id;
        self.next_id += 1;
        let record = Record { topic, boot: None, seq, payload, queued: now, busy: false, refusals: 0 };
        self.add((lane, id), record, now);
    }

    /// Adds a record that a life before this one left. Called in the order in which they were said.
    pub fn restore(&mut self, boot: BootId, topic: Topic, seq: u64, payload: Arc<[u8]>, now: Instant) {
        let id = self.next_old_id;
        self.next_old_id += 1;
        let record = Record { topic, boot: Some(boot), seq, payload, queued: now, busy: false, refusals: 0 };
        self.add((Lane::of(&topic), id), record, now);
    }

    /// A record of a life before this one is not to be had any more.
    pub fn give_up(&mut self, boot: BootId, topic: Topic, seq: u64) {
        self.tell_gap(topic, Some(boot), seq, GapReason::Expired);
    }

    fn add(&mut self, key: Key, record: Record, now: Instant) {
        if key.0 == Lane::Telemetry {
            self.telemetry_bytes += size(&record.payload);
        }
        self.records.insert(key, record);
        while let Some((id, record)) = self.next(Lane::Telemetry, 0..u64::MAX) {
            let expired = now.saturating_duration_since(record.queued) > self.bounds.age;
            let reason = if expired { GapReason::Expired } else { GapReason::Overflow };
            if !expired && self.telemetry_bytes <= self.bounds.bytes {
                break;
            }
            self.drop((Lane::Telemetry, id), reason);
        }
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
        if let (Some(record), Some(keep)) = (self.remove(key), &self.keep) {
            keep.settled(record.boot, record.topic, record.seq);
        }
    }

    fn remove(&mut self, key: Key) -> Option<Record> {
        let record = self.records.remove(&key)?;
        if key.0 == Lane::Telemetry {
            self.telemetry_bytes -= size(&record.payload);
        }
        Some(record)
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

    /// The holes since it was last asked, which are about to be told: only then what is missing is settled.
    pub fn take_gaps(&mut self) -> Vec<Gap> {
        let gaps = std::mem::take(&mut self.gaps);
        if let Some(keep) = &self.keep {
            for gap in &gaps {
                (gap.from..=gap.to).for_each(|seq| keep.settled(gap.gap_boot_id, gap.gap_stream, seq));
            }
        }
        gaps
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
        if let Some(record) = self.remove(key) {
            self.tell_gap(record.topic, record.boot, record.seq, reason);
        }
    }

    fn tell_gap(&mut self, gap_stream: Topic, gap_boot_id: Option<BootId>, seq: u64, reason: GapReason) {
        let hole = (gap_stream, gap_boot_id, reason);
        let continued = |gap: &&mut Gap| (gap.gap_stream, gap.gap_boot_id, gap.reason) == hole && gap.to + 1 == seq;
        match self.gaps.iter_mut().find(continued) {
            Some(gap) => gap.to = seq,
            None => self.gaps.push(Gap { gap_stream, gap_boot_id, from: seq, to: seq, reason }),
        }
    }
}

/// What a record takes, roughly: its payload and what stands around it.
const fn size(payload: &[u8]) -> usize {
    payload.len() + size_of::<Key>() + size_of::<Record>()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::wire::{BedTopic, Id};

    const ALL: Range<u64> = 0..u64::MAX;

    fn topic(bed: &str, of: BedTopic) -> Topic {
        Topic::Bed(Id::new(bed).unwrap(), of)
    }

    fn outbox(limit_records: usize) -> Outbox {
        Outbox::new(Bounds { bytes: limit_records * size(b"{}"), age: Duration::from_secs(3_600) }, None)
    }

    fn filled(limit_records: usize, count: u64) -> Outbox {
        let mut outbox = outbox(limit_records);
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
        assert_eq!(
            outbox.take_gaps(),
            [Gap { gap_stream, gap_boot_id: None, from: 1, to: 6, reason: GapReason::Overflow }]
        );
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
        let mut outbox = outbox(0);
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
        let mut outbox = outbox(0);
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
        let (id, _) = outbox.next(Lane::Telemetry, ALL).unwrap();
        outbox.confirm((Lane::Telemetry, id));
        outbox.push(Lane::Telemetry, topic("room-1", BedTopic::Oximetry), 5, b"{}".into(), Instant::now());
        assert_eq!(outbox.take_gaps(), []);
    }

    #[test]
    fn telemetry_that_has_waited_for_too_long_makes_room() {
        let mut outbox = outbox(100);
        let start = Instant::now();
        let oximetry = topic("room-1", BedTopic::Oximetry);
        for (seq, minutes) in [(1, 0), (2, 30), (3, 61)] {
            outbox.push(Lane::Telemetry, oximetry, seq, b"{}".into(), start + Duration::from_secs(minutes * 60));
        }
        assert_eq!((outbox.len(), outbox.next(Lane::Telemetry, ALL).unwrap().1.seq), (2, 2));
        assert_eq!(outbox.take_gaps().first().map(|gap| (gap.to, gap.reason)), Some((1, GapReason::Expired)));
    }

    /// What a keeper was told.
    #[derive(Clone, Debug, Default)]
    struct Kept(Rc<RefCell<Vec<Settled>>>);

    type Settled = (Option<BootId>, u64);

    impl Keep for Kept {
        fn said(&self, _: Topic, _: u64, _: &Arc<[u8]>) {}

        fn settled(&self, boot: Option<BootId>, _: Topic, seq: u64) {
            self.0.borrow_mut().push((boot, seq));
        }
    }

    #[test]
    fn what_is_missing_is_settled_when_it_is_told_and_not_before() {
        let kept = Kept::default();
        let bounds = Bounds { bytes: size(b"{}"), age: Duration::from_secs(60) };
        let mut outbox = Outbox::new(bounds, Some(Box::new(kept.clone())));
        let (now, boot) = (Instant::now(), BootId::new(3, 1));
        let oximetry = topic("room-1", BedTopic::Oximetry);
        outbox.restore(boot, oximetry, 8, b"{}".as_slice().into(), now);
        outbox.push(Lane::Telemetry, oximetry, 1, b"{}".into(), now);
        let (id, _) = outbox.next(Lane::Telemetry, ALL).unwrap();
        outbox.confirm((Lane::Telemetry, id));
        assert_eq!(kept.0.take(), [(None, 1)], "the one of the old life was dropped, and that is not told yet");
        assert_eq!(outbox.take_gaps().first().map(|gap| (gap.gap_boot_id, gap.from)), Some((Some(boot), 8)));
        assert_eq!(kept.0.take(), [(Some(boot), 8)]);
    }

    #[test]
    fn what_a_life_before_left_stands_before_all_that_is_said_now_whenever_it_is_found() {
        let mut outbox = outbox(100);
        let (now, boot, event) = (Instant::now(), BootId::new(3, 1), topic("room-1", BedTopic::Event));
        outbox.push(Lane::Event, event, 1, b"{}".into(), now);
        let boundary = outbox.next_id();
        for seq in [7, 8] {
            outbox.restore(boot, event, seq, b"{}".as_slice().into(), now);
        }
        let mut order = Vec::new();
        while let Some((id, record)) = outbox.next(Lane::Event, 0..boundary) {
            order.push(record.seq);
            outbox.confirm((Lane::Event, id));
        }
        assert_eq!(order, [7, 8, 1]);
    }
}
