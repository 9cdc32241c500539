//! A cuff on the limb of the probe: while it is inflated the finger says nothing (R6.4, trend-algorithms 9).

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};
use crate::vitals::PerfusionIndex;

/// From the start of the cuff the oximeter is disregarded for this long at the most ...
const AT_MOST: Span = Span::secs(60);
/// ... and until the blood is back this long after the cuff has let go.
const RECOVERY: Span = Span::secs(10);
/// It is disregarded for 60 s in any 150 s: no two begin closer than that.
const APART: Span = Span::secs(150);
/// A pulse that is lost this soon after the start of a cuff was lost to the cuff.
const LOST_WITHIN: Span = Span::secs(15);
/// So often, and the probe seems to be on the arm of the cuff.
const SUSPICIOUS: u8 = 2;

/// What the cuff does to the oximeter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// When the last determination began.
    began: Option<Time>,
    /// It goes on.
    under_way: bool,
    /// The oximeter is disregarded from there ...
    since: Option<Time>,
    /// ... to there.
    until: Option<Time>,
    /// The perfusion before.
    perfusion: Option<PerfusionIndex>,
    /// The pulse was there when the cuff began, and has not been lost to it.
    pulse: bool,
    /// How often a pulse was lost just after the start of a cuff.
    losses: u8,
}

impl Shadow {
    /// A determination begins; `same_limb`: on the arm of the probe, and not measuring again and again.
    pub fn begin(&mut self, same_limb: bool, perfusion: Option<PerfusionIndex>, pulse: bool, now: Time) {
        self.began = Some(now);
        self.under_way = true;
        self.pulse = pulse;
        let spent = self.since.is_some_and(|since| now.since(since) < APART);
        if same_limb && !spent {
            self.since = Some(now);
            self.until = Some(now + AT_MOST);
            self.perfusion = perfusion;
        }
    }

    /// The determination ended.
    pub fn end(&mut self, now: Time) {
        self.under_way = false;
        self.until = self.until.map(|until| until.min(now + RECOVERY));
    }

    /// Whether a determination is under way.
    #[must_use]
    pub const fn under_way(&self) -> bool {
        self.under_way
    }

    /// Whether the oximeter is disregarded.
    #[must_use]
    pub fn holds(&self, now: Time) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether the signal is as strong as before: then the gravest rows stay live.
    #[must_use]
    pub fn is_strong(&self, perfusion: Option<PerfusionIndex>) -> bool {
        match (self.perfusion, perfusion) {
            (Some(before), Some(now)) => now.as_hundredths() >= before.as_hundredths().div_ceil(2),
            // A device that tells no perfusion: its value has to do.
            _ => true,
        }
    }

    /// Takes whether there is a pulse.
    pub fn watch(&mut self, pulse: bool, now: Time) {
        let just_began = self.began.is_some_and(|began| now.since(began) <= LOST_WITHIN);
        if self.pulse && !pulse && just_began {
            self.losses = self.losses.saturating_add(1);
        }
        self.pulse &= pulse;
    }

    /// Whether the probe seems to be on the arm of the cuff, although nobody said so.
    #[must_use]
    pub const fn is_suspicious(&self) -> bool {
        self.losses >= SUSPICIOUS
    }

    /// Somebody has answered.
    pub fn answered(&mut self) {
        self.losses = 0;
    }

    /// When the oximeter counts again.
    #[must_use]
    pub fn deadline(&self, now: Time) -> Option<Time> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    fn pi(hundredths: u16) -> Option<PerfusionIndex> {
        PerfusionIndex::hundredths(hundredths)
    }

    #[test]
    fn r6_4_worked_it_ends_ten_seconds_after_the_result_and_after_a_minute_at_the_latest() {
        let mut shadow = Shadow::default();
        shadow.begin(true, None, true, s(0));
        shadow.end(s(38));
        assert!(shadow.holds(s(47)) && !shadow.holds(s(48)));
        assert_eq!([shadow.deadline(s(47)), shadow.deadline(s(48))], [Some(s(48)), None]);
        let mut shadow = Shadow::default();
        shadow.begin(true, None, true, s(0));
        assert!(shadow.holds(s(59)) && !shadow.holds(s(60)), "an error at 70 s comes too late");
        shadow.end(s(70));
        assert!(!shadow.holds(s(70)));
    }

    #[test]
    fn r6_4_no_more_than_a_minute_in_any_two_and_a_half() {
        let mut shadow = Shadow::default();
        shadow.begin(true, None, true, s(0));
        shadow.end(s(30));
        shadow.begin(true, None, true, s(100));
        assert!(!shadow.holds(s(101)));
        shadow.begin(true, None, true, s(150));
        assert!(shadow.holds(s(151)));
    }

    #[test]
    fn r6_4_another_arm_casts_no_shadow() {
        let mut shadow = Shadow::default();
        shadow.begin(false, None, true, s(0));
        assert!(!shadow.holds(s(1)));
    }

    #[test]
    fn r6_4_a_signal_half_as_strong_as_before_is_strong() {
        let mut shadow = Shadow::default();
        shadow.begin(true, pi(200), true, s(0));
        assert!(shadow.is_strong(pi(100)) && !shadow.is_strong(pi(99)));
        assert!(shadow.is_strong(None), "not told");
    }

    #[test]
    fn r6_4_a_pulse_lost_twice_just_after_a_cuff_began_is_suspicious() {
        let mut shadow = Shadow::default();
        for (start, lost) in [(0, 10), (300, 316), (600, 615)] {
            shadow.begin(false, None, true, s(start));
            shadow.watch(true, s(start + 5));
            assert!(!shadow.is_suspicious());
            shadow.watch(false, s(lost));
            shadow.watch(true, s(lost + 20));
            shadow.watch(false, s(lost + 21));
        }
        assert!(shadow.is_suspicious(), "at 10 s and at 15 s, not at 16 s");
        shadow.answered();
        assert!(!shadow.is_suspicious());
    }
}
