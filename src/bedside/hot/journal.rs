//! What the journal is given, and what it tells.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tracing::{error, info, warn};
use vitalsd_core::monitor::input::BoxFault;
use vitalsd_core::monitor::output::Phase;
use vitalsd_core::time::Time;

use super::{Hot, log};
use crate::journal::entry::Before;
use crate::journal::{Bed, Journal, News, Note, Said};
use crate::wire::audit::Audited;
use crate::wire::{Alarm, Audit, BedTopic, Envelope, Event, Id, Slot, Topic, WallTime};
use vitalsd_core::monitor::output::{Condition, Presence};

/// A bed with a session is kept at least this often: what its trends remember is not older after a crash.
const KEEP: Duration = Duration::from_secs(10);
/// A disk that was slow counts as well again after this time without trouble.
const CALM: Duration = Duration::from_secs(10);
/// The history is looked at when the box has spoken, or after this if nobody hears it.
const HISTORY: Duration = Duration::from_secs(5);

/// How the journal is, as the hot thread knows it.
#[derive(Debug)]
pub(super) struct Disk {
    /// The writer is in trouble.
    trouble: bool,
    /// It was last seen to be too slow, or to drop readings.
    slow: Option<Instant>,
    /// Readings that found no room, as last told.
    dropped: u64,
    /// The history may be looked at.
    history: bool,
    /// As the beds were told.
    fault: bool,
}

impl Disk {
    pub(super) const fn new(trouble: bool) -> Self {
        Self { trouble, slow: None, dropped: 0, history: false, fault: false }
    }

    /// Whether nothing is known to reach it.
    pub(super) const fn is_in_trouble(&self) -> bool {
        self.trouble || self.slow.is_some()
    }
}

impl Hot {
    /// Something for the audit log.
    pub(super) fn audit(&self, what: Audited) {
        self.pen.audit(Audit { at: WallTime::now(), boot_id: self.boot_id, what });
    }

    /// The text of a note.
    pub(super) fn keep_note(&self, bed: Id, actor: String, number: u32, text: String) {
        self.pen.note(Note { bed, at: WallTime::now(), actor, number, text });
    }

    /// Gives the journal the beds that have changed, and those of a session that it has not had for a while. After
    /// everything that is said: it is on its way by now.
    pub(super) fn keep_beds(&mut self, at: Instant) {
        // A disk that hangs gets them when it goes on: until then they would only pile up.
        if self.pen.is_stuck() {
            return;
        }
        for room in &mut self.rooms {
            let old = at.saturating_duration_since(room.kept) >= KEEP;
            if room.unkept || old && room.bed.session().phase() != Phase::NoSession {
                (room.unkept, room.kept) = (false, at);
                let snapshot = room.bed.snapshot().clone();
                let clock_trusted = self.clock_trusted;
                self.pen.keep(Bed { id: room.id, at: WallTime::now(), clock_trusted, snapshot });
            }
        }
    }

    /// The box has been heard: now is the time for what takes long.
    pub(super) fn look_at_history(&mut self) {
        if !std::mem::replace(&mut self.disk.history, true) {
            self.pen.open_history();
        }
    }

    /// Looks at the disk: a write that does not end is seen from outside alone.
    pub(super) fn watch_disk(&mut self, at: Instant) {
        if at.saturating_duration_since(self.start) >= HISTORY {
            self.look_at_history();
        }
        let dropped = self.pen.dropped();
        if self.pen.is_stuck() || dropped > self.disk.dropped {
            if self.disk.slow.is_none() {
                error!("the disk is too slow for the journal; monitoring goes on without it. Look at the disk");
            }
            self.disk.slow = Some(at);
        } else if self.disk.slow.is_some_and(|slow| at.saturating_duration_since(slow) >= CALM) {
            self.disk.slow = None;
            self.audit(Audited::Unwritten { readings: dropped });
            info!(lost = dropped, "the disk is fast enough again");
        }
        self.disk.dropped = dropped;
        self.judge_disk();
    }

    fn judge_disk(&mut self) {
        let fault = self.disk.is_in_trouble();
        if std::mem::replace(&mut self.disk.fault, fault) != fault {
            self.fault(BoxFault::Disk, fault);
        }
    }

    /// The journal tells something.
    pub fn journal_news(&mut self, news: News) {
        match news {
            News::History { found, before } => {
                self.restore(found.unsent);
                for key in found.given_up {
                    if let Some(publisher) = self.publisher.as_mut() {
                        publisher.give_up(key.boot, key.topic, key.seq);
                    }
                }
                self.say_boot(before);
            }
            News::Written(ticket) => self.written(ticket),
            News::Story(unsent) => self.restore(unsent),
            News::SetAside(aside) => {
                let file = aside.file.display();
                error!(
                    "a file of the journal could not be used: {}. It is now {file}, and a new one was begun",
                    aside.reason
                );
                self.set_aside(&aside);
            }
            News::Trouble(trouble) => {
                error!("{trouble}. Monitoring and alarms go on without it");
                self.disk.trouble = true;
            }
            News::Well => {
                info!("the journal is written again");
                self.disk.trouble = false;
            }
        }
        self.judge_disk();
        self.hurry();
    }

    pub(super) fn set_aside(&self, aside: &crate::journal::store::SetAside) {
        let file = aside.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.audit(Audited::SetAside { file, reason: aside.reason.to_string() });
    }

    /// The story that the broker lacks of the lives before.
    pub(super) fn restore(&mut self, unsent: Vec<Said>) {
        let Some(publisher) = self.publisher.as_mut() else { return };
        for Said { key, payload, .. } in unsent {
            publisher.restore(key.boot, key.topic, key.seq, payload);
        }
    }

    /// Tells what was said last before this life, so that whoever listens knows what they lack.
    fn say_boot(&mut self, before: Option<Before>) {
        let Some(publisher) = self.publisher.as_mut() else { return };
        for room in &self.rooms {
            let of_bed = |topic: &Topic| topic.bed() == Some(room.id);
            let last_seq = before.iter().flat_map(|before| &before.last_seq).filter(|(topic, _)| of_bed(topic));
            let boot = Event::Boot {
                before: before.as_ref().map(|before| before.boot),
                last_seq: last_seq.map(|(topic, seq)| (*topic, *seq)).collect(),
            };
            log(publisher.publish(Topic::Bed(room.id, BedTopic::Event), WallTime::now(), &boot));
        }
    }

    /// The broker holds an alarm of one of our beds. One of an earlier life is adopted or ended, never believed and
    /// never just dropped (R10.4).
    pub(super) fn retained_alarm(&mut self, id: Id, condition: Condition, payload: &[u8]) {
        let Some(bed) = self.rooms.iter().position(|room| room.id == id) else { return };
        let Ok(found) = serde_json::from_slice::<Envelope<Slot<Alarm>>>(payload) else {
            warn!(bed = %id, %condition, "the broker holds an alarm that cannot be read; it is left there");
            return;
        };
        // Another box that claims the bed speaks for itself (R10.4).
        if found.boot_id == self.boot_id || found.r#box != self.box_id {
            return;
        }
        let alarm = found.message.now;
        let now = self.now();
        if alarm.presence == Presence::Off {
            // It had been ended, and the topic was not emptied any more.
            return self.end_alarm(bed, alarm, now);
        }
        let Some(room) = self.rooms.get_mut(bed) else { return };
        let said = &mut self.said;
        let present = room.bed.adopt(condition, alarm.episode, alarm.priority, now, &mut |output| said.push(output));
        info!(bed = %id, %condition, of = %found.boot_id, present, "the broker held an alarm of an earlier life");
        self.say(bed, now);
        if !present {
            self.end_alarm(bed, alarm, now);
        }
    }

    fn end_alarm(&mut self, bed: usize, alarm: Alarm, now: Time) {
        let clock = self.clock(now);
        let (Some(room), Some(publisher)) = (self.rooms.get_mut(bed), self.publisher.as_mut()) else { return };
        let topic = Topic::Bed(room.id, BedTopic::Alarm(alarm.condition));
        let last = Alarm { presence: Presence::Off, sounds: false, bedside: false, announced: false, ..alarm };
        let last = Alarm { ended: last.ended.or(Some(clock.at(now))), ..last };
        log(publisher.end(topic, clock.at(now), &Slot { rev: room.next_rev(), now: last }));
    }

    /// What the journal has to tell, as it comes; to be taken once.
    pub fn journal_news_to_come(&mut self) -> UnboundedReceiver<News> {
        let news = self.journal.as_mut().and_then(Journal::take_news);
        news.unwrap_or_else(|| unbounded_channel().1)
    }

    /// The journal, to end with.
    pub fn take_journal(&mut self) -> Option<Journal> {
        self.audit(Audited::Stopped);
        for room in &mut self.rooms {
            room.unkept = true;
        }
        self.keep_beds(Instant::now());
        self.journal.take()
    }
}
