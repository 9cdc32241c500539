//! Answers that wait for the disk: what was answered with *done* outlives the box, from that moment on.

use std::time::{Duration, Instant};

use super::Hot;
use crate::mqtt::Incoming;
use crate::wire::command::{Outcome, Reply};

/// A disk that is slower than this is waited for no longer: that it is slow is told by its own alarm.
const PATIENCE: Duration = Duration::from_millis(500);

/// The answers that wait.
#[derive(Debug, Default)]
pub(super) struct Answers {
    next: u64,
    waiting: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    ticket: u64,
    until: Instant,
    request: Incoming,
    reply: Reply,
}

impl Answers {
    /// When the first of them is given without the disk.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|answer| answer.until).min()
    }

    fn add(&mut self, request: Incoming, reply: Reply, until: Instant) -> u64 {
        self.next += 1;
        self.waiting.push(Answer { ticket: self.next, until, request, reply });
        self.next
    }

    fn take(&mut self, ready: impl Fn(&Answer) -> bool) -> Vec<Answer> {
        self.waiting.extract_if(.., |answer| ready(answer)).collect()
    }
}

impl Hot {
    /// Answers at once what changed nothing, and the rest when it is on the disk.
    pub(super) fn reply_when_written(&mut self, incoming: &Incoming, reply: Reply) {
        if reply.outcome != Outcome::Done || self.disk.is_in_trouble() {
            return self.reply(incoming, &reply);
        }
        // The bed as it is now goes first.
        let at = Instant::now();
        self.keep_beds(at);
        let ticket = self.answers.add(incoming.clone(), reply, at + PATIENCE);
        self.pen.promise(ticket);
        self.hurry();
    }

    /// Everything up to that ticket is on the disk.
    pub(super) fn written(&mut self, ticket: u64) {
        let ready = self.answers.take(|answer| answer.ticket <= ticket);
        self.answer(ready);
    }

    /// Gives the answers that have waited for long enough.
    pub(super) fn answer_overdue(&mut self, at: Instant) {
        let ready = self.answers.take(|answer| answer.until <= at);
        self.answer(ready);
    }

    fn answer(&mut self, ready: Vec<Answer>) {
        for Answer { request, reply, .. } in ready {
            self.reply(&request, &reply);
        }
    }
}
