//! A beat that does not drift: the n-th tick is at n / hz seconds, however late the one before was.

use vitalsd_core::time::Time;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    hz: u64,
    count: u64,
}

impl Pace {
    /// Ticks from time 0 on.
    pub(super) const fn new(hz: u64) -> Self {
        Self { hz, count: 0 }
    }

    /// When the next tick is due.
    pub(super) const fn next(&self) -> Time {
        Time::from_millis(self.count * 1_000 / self.hz)
    }

    /// The next tick has been done.
    pub(super) const fn done(&mut self) {
        self.count += 1;
    }

    /// Leaves out the ticks before `now`.
    pub(super) const fn skip_to(&mut self, now: Time) {
        let due = (now.as_millis() * self.hz).div_ceil(1_000);
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
}
