//! Last-value slots: what the broker is to retain, one payload a topic, the newest wins.
//!
//! Never replayed: after every connect all of them are published again as they are now, because a
//! broker that was killed has lost what it retained. A slot ends with a last word (an alarm's `off`)
//! and, once that is confirmed, with the empty message that makes the broker forget the topic.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::wire::{BedTopic, BoxTopic, Topic};

/// In which order slots are published after a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The box is there.
    Status,
    /// Alarms.
    Alarm,
    /// State, session, devices.
    Other,
}

impl Rank {
    /// The rank of that topic.
    #[must_use]
    pub const fn of(topic: &Topic) -> Self {
        match topic {
            Topic::Box(_, BoxTopic::Status) => Self::Status,
            Topic::Bed(_, BedTopic::Alarm(_)) => Self::Alarm,
            _ => Self::Other,
        }
    }
}

/// All slots of a box.
#[derive(Debug, Default)]
pub struct Slots {
    slots: BTreeMap<Topic, Slot>,
    /// What is to be published, for each rank in the order in which it changed.
    due: [VecDeque<Topic>; 3],
    version: u64,
}

#[derive(Debug)]
struct Slot {
    payload: Vec<u8>,
    version: u64,
    stage: Stage,
    changed: Instant,
    due: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Holds,
    /// The payload is its last word.
    Ends,
    /// The last word is confirmed: the empty message is next.
    Empties,
}

/// A slot to be published now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Where.
    pub topic: Topic,
    /// Which of its versions, for [`Slots::confirm`].
    pub version: u64,
    /// Empty: the broker is to forget it.
    pub payload: Vec<u8>,
    /// When it changed.
    pub changed: Instant,
    /// It holds, and does not end.
    pub holds: bool,
}

impl Slots {
    /// It holds this from now on.
    pub fn set(&mut self, topic: Topic, payload: Vec<u8>, now: Instant) {
        self.put(topic, payload, Stage::Holds, now);
    }

    /// It ends, with this as its last word. Also for a topic that only the broker still holds.
    pub fn end(&mut self, topic: Topic, last: Vec<u8>, now: Instant) {
        self.put(topic, last, Stage::Ends, now);
    }

    /// Takes the next one of that rank that is to be published.
    pub fn next(&mut self, rank: Rank) -> Option<Due> {
        let queue = self.due.get_mut(rank as usize)?;
        let topic = queue.pop_front()?;
        let slot = self.slots.get_mut(&topic)?;
        slot.due = false;
        Some(Due {
            topic,
            version: slot.version,
            payload: if slot.stage == Stage::Empties { Vec::new() } else { slot.payload.clone() },
            changed: slot.changed,
            holds: slot.stage == Stage::Holds,
        })
    }

    /// The broker has that version.
    pub fn confirm(&mut self, topic: Topic, version: u64) {
        let Some(slot) = self.slots.get_mut(&topic) else { return };
        if slot.version != version {
            return;
        }
        match slot.stage {
            Stage::Holds => {}
            Stage::Ends => {
                let changed = slot.changed;
                self.put(topic, Vec::new(), Stage::Empties, changed);
            }
            Stage::Empties => {
                self.slots.remove(&topic);
                if let Some(queue) = self.due.get_mut(Rank::of(&topic) as usize) {
                    queue.retain(|due| *due != topic);
                }
            }
        }
    }

    /// That version is to be published once more, unless a newer one is due anyway.
    pub fn again(&mut self, topic: Topic, version: u64) {
        if self.slots.get(&topic).is_some_and(|slot| slot.version == version) {
            self.mark(topic);
        }
    }

    /// A new connection: all are to be published, as they are now.
    pub fn all_again(&mut self) {
        let topics: Vec<_> = self.slots.keys().copied().collect();
        topics.into_iter().for_each(|topic| self.mark(topic));
    }

    /// How many are to be published.
    #[must_use]
    pub fn due(&self) -> usize {
        self.due.iter().map(VecDeque::len).sum()
    }

    fn put(&mut self, topic: Topic, payload: Vec<u8>, stage: Stage, changed: Instant) {
        self.version += 1;
        let due = self.slots.get(&topic).is_some_and(|slot| slot.due);
        self.slots.insert(topic, Slot { payload, version: self.version, stage, changed, due });
        self.mark(topic);
    }

    fn mark(&mut self, topic: Topic) {
        if let Some(slot) = self.slots.get_mut(&topic)
            && !slot.due
            && let Some(queue) = self.due.get_mut(Rank::of(&topic) as usize)
        {
            slot.due = true;
            queue.push_back(topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Id;
    use vitalsd_core::monitor::output::Condition;

    fn alarm() -> Topic {
        Topic::Bed(Id::new("room-1").unwrap(), BedTopic::Alarm(Condition::Spo2Low))
    }

    fn take(slots: &mut Slots) -> Option<(Vec<u8>, u64)> {
        slots.next(Rank::Alarm).map(|due| (due.payload, due.version))
    }

    #[test]
    fn only_the_newest_value_is_published() {
        let mut slots = Slots::default();
        slots.set(alarm(), b"1".into(), Instant::now());
        slots.set(alarm(), b"2".into(), Instant::now());
        assert_eq!(take(&mut slots).unwrap().0, b"2");
        assert_eq!(take(&mut slots), None);
    }

    #[test]
    fn a_slot_ends_with_its_last_word_and_then_with_the_empty_message() {
        let mut slots = Slots::default();
        slots.end(alarm(), b"off".into(), Instant::now());
        let (off, version) = take(&mut slots).unwrap();
        assert_eq!((off, take(&mut slots)), (b"off".into(), None), "the empty message waits for the confirmation");
        slots.confirm(alarm(), version);
        let (empty, version) = take(&mut slots).unwrap();
        assert_eq!(empty, b"");
        slots.confirm(alarm(), version);
        slots.all_again();
        assert_eq!((take(&mut slots), slots.due()), (None, 0), "it is forgotten");
    }

    #[test]
    fn an_alarm_that_returns_while_it_ends_is_not_forgotten() {
        let mut slots = Slots::default();
        slots.end(alarm(), b"off".into(), Instant::now());
        let (_, off) = take(&mut slots).unwrap();
        slots.set(alarm(), b"on".into(), Instant::now());
        slots.confirm(alarm(), off);
        let (on, version) = take(&mut slots).unwrap();
        assert_eq!(on, b"on");
        slots.confirm(alarm(), version);
        slots.all_again();
        assert_eq!(take(&mut slots).unwrap().0, b"on");
    }

    #[test]
    fn the_confirmation_of_an_older_end_does_not_stand_for_the_newer_one() {
        let mut slots = Slots::default();
        slots.end(alarm(), b"off 1".into(), Instant::now());
        let (_, first) = take(&mut slots).unwrap();
        slots.set(alarm(), b"on".into(), Instant::now());
        slots.end(alarm(), b"off 2".into(), Instant::now());
        slots.confirm(alarm(), first);
        assert_eq!(take(&mut slots).unwrap().0, b"off 2");
    }

    #[test]
    fn after_a_connect_every_slot_is_published_once() {
        let mut slots = Slots::default();
        slots.set(alarm(), b"on".into(), Instant::now());
        slots.all_again();
        slots.all_again();
        assert!(take(&mut slots).is_some());
        assert_eq!(take(&mut slots), None);
        slots.all_again();
        assert!(take(&mut slots).is_some());
    }
}
