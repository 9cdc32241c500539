//! Whether good values come from the patient, since when, and how long they had been away (R5.6, R5.7).

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// Values are back once good ones have come for this long without a break (as R6.1).
const BACK_AFTER: Span = Span::secs(10);

/// The contact with the patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    good: bool,
    /// When the present run of good values began.
    since: Time,
    /// When the values went away; `None`: they are there.
    lost: Option<Time>,
}

/// The values are back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// Since when they had been away.
    pub lost: Time,
    /// Since when they are back.
    pub since: Time,
    /// How long.
    pub away: Span,
}

impl Contact {
    /// Begins at `now` with no values yet.
    #[must_use]
    pub const fn begin(now: Time) -> Self {
        Self { good: false, since: now, lost: Some(now) }
    }

    /// Takes whether the values are good from now on.
    pub fn judge(&mut self, good: bool, now: Time) {
        match (self.good, good) {
            (true, false) => {
                self.lost.get_or_insert(now);
            }
            (false, true) => self.since = now,
            _ => {}
        }
        self.good = good;
    }

    /// Since when the values have been away.
    #[must_use]
    pub const fn lost_since(&self) -> Option<Time> {
        self.lost
    }

    /// Tells once that they are back.
    pub fn settle(&mut self, now: Time) -> Option<Back> {
        let back = self.good && now.since(self.since) >= BACK_AFTER;
        let lost = if back { self.lost.take() } else { None };
        lost.map(|lost| Back { lost, since: self.since, away: self.since.since(lost) })
    }

    /// When they are back if they go on.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        (self.good && self.lost.is_some()).then(|| self.since + BACK_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    #[test]
    fn values_are_back_after_ten_seconds_without_a_break_and_that_is_told_once() {
        let mut contact = Contact::begin(s(0));
        contact.judge(true, s(5));
        assert_eq!((contact.settle(s(14)), contact.deadline()), (None, Some(s(15))));
        assert_eq!(contact.settle(s(15)), Some(Back { lost: s(0), since: s(5), away: Span::secs(5) }));
        assert_eq!((contact.settle(s(16)), contact.lost_since(), contact.deadline()), (None, None, None));
    }

    #[test]
    fn a_flicker_of_values_does_not_end_an_absence() {
        let mut contact = Contact::begin(s(0));
        contact.judge(true, s(0));
        contact.settle(s(10));
        contact.judge(false, s(100));
        contact.judge(true, s(300));
        contact.judge(false, s(309));
        contact.judge(true, s(800));
        assert_eq!(contact.lost_since(), Some(s(100)));
        assert_eq!(contact.settle(s(810)), Some(Back { lost: s(100), since: s(800), away: Span::secs(700) }));
    }
}
