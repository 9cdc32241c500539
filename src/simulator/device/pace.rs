//! A beat that does not drift: the n-th tick comes when it is due, however late the one before was.

use vitalsd_core::time::Time;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Ticks ...
    ticks: u64,
    /// ... in so many seconds.
    seconds: u64,
    count: u64,
}

impl Pace {
    /// `hz` ticks a second, from time 0 on.
    pub(super) const fn new(hz: u64) -> Self {
        Self { ticks: hz, seconds: 1, count: 0 }
    }

    /// One tick in `seconds`, from time 0 on.
    pub(super) const fn every(seconds: u64) -> Self {
        Self { ticks: 1, seconds, count: 0 }
    }

    /// When the next tick is due.
    pub(super) const fn next(&self) -> Time {
        Time::from_millis(self.count * self.seconds * 1_000 / self.ticks)
    }

    /// The next tick has been done.
    pub(super) const fn done(&mut self) {
        self.count += 1;
    }

    /// Leaves out the ticks before `now`.
    pub(super) const fn skip_to(&mut self, now: Time) {
        let due = (now.as_millis() * self.ticks).div_ceil(self.seconds * 1_000);
        if due > self.count {
            self.count = due;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ticks_at_its_rate_for_hours_and_can_skip() {
        let mut pace = Pace::new(75);
        for _ in 0..75 * 3_600 {
            pace.done();
        }
        assert_eq!(pace.next(), Time::from_millis(3_600_000));
        pace.skip_to(Time::from_millis(3_700_001));
        assert_eq!(pace.next(), Time::from_millis(3_700_013));
        pace.skip_to(Time::ZERO);
        assert_eq!(pace.next(), Time::from_millis(3_700_013), "never back");
    }

    #[test]
    fn it_may_be_slower_than_a_second() {
        let mut pace = Pace::every(2);
        pace.done();
        assert_eq!(pace.next(), Time::from_millis(2_000));
        pace.skip_to(Time::from_millis(4_001));
        assert_eq!(pace.next(), Time::from_millis(6_000));
    }
}
