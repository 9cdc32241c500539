//! What was said held against what was heard: a receiver's proof of loss, or of its absence.
//!
//! Every message of a log has a number in its stream and life of the box. What a receiver lacks between the first
//! and the last number that it can know of is missing, unless the box has told it as a gap. It knows of a number when
//! it has heard it, or a later one, or when the box named it: in a heartbeat, or in the `boot` event of the next life.
//! A message twice is no fault (QoS 1), nor is a reading of the backlog after a fresh one; events keep their order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::wire::account::{Account, Span};
use crate::wire::topic::Kind;
use crate::wire::{BedTopic, BootId, BoxTopic, Envelope, Event, Heartbeat, Id, Topic, WallTime};

/// Everything said and heard.
#[derive(Debug, Default)]
pub struct Ledger {
    streams: BTreeMap<(Id, BootId, Topic), Stream>,
    /// What was said outside of the time in which something was heard counts as well.
    all_time: bool,
    /// The times of the first and the last message that was heard live.
    heard: Option<(WallTime, WallTime)>,
    /// Lines that are no message of the contract.
    unreadable: u64,
}

#[derive(Debug, Default)]
struct Stream {
    /// What the source has.
    said: BTreeSet<u64>,
    /// What was heard, once.
    heard: BTreeSet<u64>,
    doubled: u64,
    replayed: u64,
    /// Heard for the first time after a later one, although the log keeps its order.
    out_of_order: u64,
    last: u64,
    /// What the box told as a gap.
    told: BTreeSet<u64>,
    /// Numbers up to this one are known to have been said.
    known: u64,
}

/// What stands around every message.
#[derive(Debug, Deserialize)]
struct Head {
    r#box: Id,
    boot_id: BootId,
    stream: Topic,
    seq: u64,
    at: WallTime,
    #[serde(default)]
    replayed: bool,
}

impl Ledger {
    /// One that counts everything that was said, heard before or after it or not.
    #[must_use]
    pub fn of_all_time() -> Self {
        Self { all_time: true, ..Self::default() }
    }

    /// Takes a line that a receiver has written down: the JSON, and whatever stands before it (a topic).
    pub fn hear(&mut self, line: &[u8]) {
        let Some((head, payload)) = message(line) else {
            // The empty message that ends a slot is one too; a line without braces says nothing.
            self.unreadable += u64::from(line.contains(&b'{'));
            return;
        };
        self.note_what_it_names(&head, payload);
        if !head.replayed {
            let (first, last) = self.heard.unwrap_or((head.at, head.at));
            self.heard = Some((first.min(head.at), last.max(head.at)));
        }
        if head.stream.terms().kind != Kind::Log {
            return;
        }
        let ordered = !matches!(head.stream, Topic::Bed(_, BedTopic::Oximetry));
        let stream = self.stream(head.r#box, head.boot_id, head.stream);
        stream.replayed += u64::from(head.replayed);
        stream.known = stream.known.max(head.seq);
        if !stream.heard.insert(head.seq) {
            stream.doubled += 1;
        } else if ordered && head.seq < stream.last {
            stream.out_of_order += 1;
        }
        stream.last = stream.last.max(head.seq);
    }

    /// Takes a message of the source: the journal, or what another receiver has written down. After all that was heard:
    /// what was said before the receiver listened, or when it had stopped, it does not lack.
    pub fn say(&mut self, line: &[u8]) {
        let in_time = |at| self.all_time || self.heard.is_some_and(|(first, last)| (first..=last).contains(&at));
        let counts = |head: &Head| head.stream.terms().kind == Kind::Log && in_time(head.at);
        if let Some((head, _)) = message(line).filter(|(head, _)| counts(head)) {
            let stream = self.stream(head.r#box, head.boot_id, head.stream);
            stream.said.insert(head.seq);
        }
    }

    /// Takes a message as heard that nobody need have heard: the journal has it, and the broker had taken it.
    pub fn prove(&mut self, line: &[u8]) {
        if let Some((head, payload)) = message(line) {
            self.note_what_it_names(&head, payload);
            self.stream(head.r#box, head.boot_id, head.stream).heard.insert(head.seq);
        }
    }

    /// Lines with braces that are no message of the contract.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How every stream came out, in the order of boxes, lives and topics.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let account = |((r#box, boot_id, stream), found): (&(Id, BootId, Topic), &Stream)| {
            let Stream { said, heard, doubled, replayed, out_of_order, told, known, .. } = found;
            let last = said.last().copied().unwrap_or_default().max(*known);
            // A receiver that came late does not lack what was before its time.
            let first = said.first().into_iter().chain(heard.first()).min().copied().unwrap_or(last + 1);
            let lacks = |seq: &u64| !heard.contains(seq);
            Account {
                r#box: *r#box,
                boot_id: *boot_id,
                stream: *stream,
                first,
                last,
                heard: heard.len().try_into().unwrap_or(u64::MAX),
                missing: spans((first..=last).filter(lacks).filter(|seq| !told.contains(seq))),
                told: spans((first..=last).filter(lacks).filter(|seq| told.contains(seq))),
                doubled: *doubled,
                out_of_order: *out_of_order,
                replayed: *replayed,
            }
        };
        self.streams.iter().map(account).collect()
    }

    /// What a message says of others: gaps, and how far a log has come.
    fn note_what_it_names(&mut self, head: &Head, payload: &[u8]) {
        match head.stream {
            Topic::Bed(_, BedTopic::Event) => {
                let Ok(event) = serde_json::from_slice::<Envelope<Event>>(payload) else { return };
                match event.message {
                    Event::Gap(gap) => {
                        let boot = gap.gap_boot_id.unwrap_or(head.boot_id);
                        self.stream(head.r#box, boot, gap.gap_stream).told.extend(gap.from..=gap.to);
                    }
                    Event::Boot { before: Some(before), last_seq } => self.know(head.r#box, before, last_seq),
                    _ => {}
                }
            }
            Topic::Box(_, BoxTopic::Heartbeat) => {
                if let Ok(beat) = serde_json::from_slice::<Envelope<Heartbeat>>(payload) {
                    self.know(head.r#box, head.boot_id, beat.message.last_seq);
                }
            }
            _ => {}
        }
    }

    fn know(&mut self, r#box: Id, boot: BootId, last_seq: BTreeMap<Topic, u64>) {
        for (topic, seq) in last_seq {
            let stream = self.stream(r#box, boot, topic);
            stream.known = stream.known.max(seq);
        }
    }

    fn stream(&mut self, r#box: Id, boot: BootId, topic: Topic) -> &mut Stream {
        self.streams.entry((r#box, boot, topic)).or_default()
    }
}

fn message(line: &[u8]) -> Option<(Head, &[u8])> {
    let payload = line.get(line.iter().position(|byte| *byte == b'{')?..)?;
    Some((serde_json::from_slice(payload).ok()?, payload))
}

/// Rising numbers as spans.
fn spans(numbers: impl Iterator<Item = u64>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some(span) if span.to + 1 == number => span.to = number,
            _ => spans.push(Span { from: number, to: number }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(stream: &str, seq: u64, rest: &str) -> Vec<u8> {
        format!(
            "vitals/v1/north/{stream} {{\"box\":\"box-3\",\"boot_id\":\"000002-9f3a1c\",\"stream\":\"{stream}\",\
             \"seq\":{seq},\"at\":\"2026-11-22T09:30:00Z\"{rest}}}"
        )
        .into_bytes()
    }

    fn event(seq: u64) -> Vec<u8> {
        line("bed/room-1/event", seq, ",\"event\":\"audio_resumed\"")
    }

    fn heard(lines: &[Vec<u8>]) -> Ledger {
        let mut ledger = Ledger::default();
        lines.iter().for_each(|line| ledger.hear(line));
        ledger
    }

    fn only(ledger: &Ledger) -> Account {
        let accounts = ledger.accounts();
        assert_eq!(accounts.len(), 1, "{accounts:?}");
        accounts[0].clone()
    }

    fn span(from: u64, to: u64) -> Span {
        Span { from, to }
    }

    #[test]
    fn a_receiver_alone_knows_what_it_lacks_between_what_it_has() {
        let account = only(&heard(&[event(3), event(4), event(7), event(9)]));
        assert_eq!((account.first, account.last, account.heard), (3, 9, 4));
        assert_eq!(account.missing, [span(5, 6), span(8, 8)]);
    }

    #[test]
    fn what_comes_twice_or_late_is_counted_and_not_missing() {
        let account = only(&heard(&[event(1), event(3), event(3), event(2)]));
        assert_eq!((account.missing.len(), account.doubled, account.out_of_order), (0, 1, 1));
    }

    #[test]
    fn fresh_readings_may_overtake_those_of_the_backlog() {
        let reading = |seq, rest| line("bed/room-1/oximetry", seq, rest);
        let account = only(&heard(&[reading(1, ""), reading(3, ""), reading(2, ",\"replayed\":true")]));
        assert_eq!((account.out_of_order, account.replayed), (0, 1));
    }

    #[test]
    fn a_gap_that_was_told_is_no_loss() {
        let gap = r#","event":"gap","gap_stream":"bed/room-1/oximetry","from":2,"to":4,"reason":"overflow""#;
        let reading = |seq| line("bed/room-1/oximetry", seq, "");
        let ledger = heard(&[reading(1), reading(6), line("bed/room-1/event", 1, gap)]);
        let account = ledger.accounts().into_iter().find(|a| a.stream.to_string().ends_with("oximetry")).unwrap();
        assert_eq!((account.told, account.missing), (vec![span(2, 4)], vec![span(5, 5)]));
    }

    #[test]
    fn the_end_of_a_log_is_known_from_the_heartbeat_and_from_the_next_life() {
        let beat = r#","counter":1,"uptime_ms":1,"clock_trusted":true,"queued":0,"last_seq":{"bed/room-1/event":5}"#;
        let ledger = heard(&[event(3), line("box/box-3/heartbeat", 1, beat)]);
        assert_eq!(only(&ledger).missing, [span(4, 5)]);
        let boot = r#","event":"boot","before":"000001-aaaaaa","last_seq":{"bed/room-1/pressure":2}"#;
        let ledger = heard(&[line("bed/room-1/event", 1, boot)]);
        let dead = ledger.accounts().into_iter().find(|a| a.boot_id == BootId::new(1, 0xaa_aaaa)).unwrap();
        assert_eq!((dead.heard, dead.last), (0, 2));
        assert!(dead.missing.is_empty(), "it may have been before the receiver's time: only the journal can tell");
    }

    #[test]
    fn the_source_tells_what_was_never_heard_at_all() {
        let mut ledger = heard(&[event(2)]);
        (1..=4).for_each(|seq| ledger.say(&event(seq)));
        assert_eq!(only(&ledger).missing, [span(1, 1), span(3, 4)]);
    }

    #[test]
    fn what_is_no_message_is_counted_and_an_empty_one_is_not() {
        let ledger = heard(&[b"vitals/v1/north/bed/room-1/alarm/help ".into(), b"{\"box\":1}".into()]);
        assert_eq!((ledger.unreadable(), ledger.accounts()), (1, vec![]));
    }
}
