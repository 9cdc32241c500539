//! An infusion: planned, paused, resumed, ended (R5.3).

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// An infusion that began with the dose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Infusion {
    start: Time,
    planned: Span,
    /// How long it stood still, in sum.
    stood: Span,
    paused: Option<Time>,
    ended: Option<Time>,
}

impl Infusion {
    /// One that begins at `start` and is planned to run for `planned`.
    #[must_use]
    pub const fn new(start: Time, planned: Span) -> Self {
        Self { start, planned, stood: Span::ZERO, paused: None, ended: None }
    }

    /// When it ended; `None`: it has not, as far as anybody has said.
    #[must_use]
    pub const fn ended(&self) -> Option<Time> {
        self.ended
    }

    /// Since when it is paused.
    #[must_use]
    pub const fn paused(&self) -> Option<Time> {
        if self.ended.is_none() { self.paused } else { None }
    }

    /// When it should end: later by as long as it stood still. `None`: it has ended, or is paused.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        let runs = self.ended.is_none() && self.paused.is_none();
        runs.then(|| self.start + self.planned + self.stood)
    }

    /// It stands still from `now` on; `false`: it did already, or has ended.
    pub fn pause(&mut self, now: Time) -> bool {
        let runs = self.ended.is_none() && self.paused.is_none();
        if runs {
            self.paused = Some(now);
        }
        runs
    }

    /// It goes on from `now`; `false`: it was not paused.
    pub fn resume(&mut self, now: Time) -> bool {
        match self.paused.filter(|_| self.ended.is_none()) {
            Some(since) => {
                self.stood = self.stood + now.since(since);
                self.paused = None;
                true
            }
            None => false,
        }
    }

    /// It ended at `at`, not before it began; `false`: it had already.
    pub fn end(&mut self, at: Time) -> bool {
        let runs = self.ended.is_none();
        if runs {
            self.ended = Some(at.max(self.start));
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(min: u64) -> Time {
        Time::ZERO + Span::mins(min)
    }

    #[test]
    fn r5_3_a_pause_moves_the_planned_end() {
        let mut infusion = Infusion::new(at(10), Span::mins(40));
        assert_eq!(infusion.due(), Some(at(50)));
        assert!(infusion.pause(at(20)) && !infusion.pause(at(21)));
        assert_eq!((infusion.due(), infusion.paused()), (None, Some(at(20))));
        assert!(infusion.resume(at(25)) && !infusion.resume(at(26)));
        assert_eq!(infusion.due(), Some(at(55)));
        assert!(infusion.end(at(54)) && !infusion.end(at(55)));
        assert_eq!((infusion.due(), infusion.ended()), (None, Some(at(54))));
        assert!(!infusion.pause(at(56)));
    }

    #[test]
    fn an_infusion_that_is_ended_while_paused_has_ended() {
        let mut infusion = Infusion::new(at(0), Span::mins(40));
        infusion.pause(at(20));
        assert!(infusion.end(at(22)));
        assert_eq!((infusion.paused(), infusion.ended()), (None, Some(at(22))));
        assert!(!infusion.resume(at(23)));
    }
}
