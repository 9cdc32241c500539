//! A room without a session (R5.1): somebody with a pulse is watched for the gravest, and asked about.

use serde::{Deserialize, Serialize};

use crate::monitor::output::Condition;
use crate::time::{Span, Time};

/// A valid pulse for this long arms the watch.
const ARM_AFTER: Span = Span::secs(60);
/// And for this long asks for a session.
const ASK_AFTER: Span = Span::secs(120);
/// A room without a pulse for this long is empty again ...
const DISARM_AFTER: Span = Span::secs(120);
/// ... and whoever has an alarm that somebody accepted has left it after this.
const LEFT_AFTER: Span = Span::mins(5);

/// A room without a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pulse_since: Option<Time>,
    pulse_lost: Option<Time>,
    armed: bool,
}

impl Room {
    /// Whether the room is watched.
    #[must_use]
    pub const fn armed(&self) -> bool {
        self.armed
    }

    /// Whether the patient has left, as far as a missing pulse can tell.
    #[must_use]
    pub fn has_left(&self, now: Time) -> bool {
        self.pulse_lost.is_some_and(|lost| now.since(lost) >= LEFT_AFTER)
    }

    /// Whether to ask for a session.
    #[must_use]
    pub fn asks(&self, now: Time) -> bool {
        self.armed && self.pulse_lost.is_none() && self.pulse_since.is_some_and(|since| now.since(since) >= ASK_AFTER)
    }

    /// Takes whether there is a valid pulse, and whether an alarm holds the watch up.
    pub fn refresh(&mut self, pulse: bool, alarmed: bool, now: Time) {
        if pulse {
            self.pulse_since.get_or_insert(now);
            self.pulse_lost = None;
        } else {
            let lost = *self.pulse_lost.get_or_insert(now);
            if !self.armed {
                self.pulse_since = None;
            } else if now.since(lost) >= DISARM_AFTER && !alarmed {
                *self = Self::default();
            }
        }
        self.armed |= self.pulse_since.is_some_and(|since| now.since(since) >= ARM_AFTER);
    }

    /// When something will change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self, now: Time) -> Option<Time> {
        let since = self.pulse_since?;
        let lost = |after| self.pulse_lost.map(|lost| lost + after);
        let marks = [Some(since + ARM_AFTER), Some(since + ASK_AFTER), lost(DISARM_AFTER), lost(LEFT_AFTER)];
        marks.into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// R5.1: the rows that watch a room without a session.
#[must_use]
pub const fn watches_empty_room(condition: Condition) -> bool {
    use Condition as C;
    matches!(
        condition,
        C::Spo2Critical
            | C::Spo2VeryLow
            | C::Spo2Low
            | C::Spo2Reduced
            | C::PulseVeryHigh
            | C::PulseVeryLow
            | C::PressureSevere
            | C::PressureSevereConfirmed
            | C::PressureExtreme
            | C::PressureVeryLow
            | C::NoPulse
            | C::Spo2Unavailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_1_a_pulse_for_a_minute_arms_the_room_and_for_two_asks_for_a_session() {
        let mut room = Room::default();
        let s = |s| Time::ZERO + Span::secs(s);
        room.refresh(true, false, s(5));
        room.refresh(true, false, s(64));
        assert!(!room.armed());
        assert_eq!(room.deadline(s(64)), Some(s(65)));
        room.refresh(true, false, s(65));
        assert!(room.armed() && !room.asks(s(65)));
        assert!(room.asks(s(125)));
        room.refresh(false, false, s(130));
        assert_eq!([room.deadline(s(130)), room.deadline(s(250))], [Some(s(250)), Some(s(430))]);
        room.refresh(false, true, s(250));
        assert!(room.armed(), "an alarm holds the watch up");
        room.refresh(false, false, s(251));
        assert!(!room.armed());
    }

    #[test]
    fn r5_1_a_pulse_that_comes_and_goes_does_not_arm_an_empty_room() {
        let mut room = Room::default();
        for t in 0..600 {
            room.refresh(t % 50 < 45, false, Time::ZERO + Span::secs(t));
            assert!(!room.armed());
        }
    }
}
