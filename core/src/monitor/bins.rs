//! Ten-second bins: what a quantity was, without its outliers (trend-algorithms 6).
//!
//! Fed once a second, so the rate of the device does not matter (R1.3). A bin says something when it is
//! over: a value in it is 0 to 10 s old by then. That is the lag of everything made from bins.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// How long a bin is.
pub const BIN: Span = Span::secs(10);
/// The seconds in it.
const SECONDS: usize = 10;
/// A bin has a median with at least this many good seconds in it: of fewer, one outlier is the median.
const ENOUGH: u8 = 5;

/// A bin that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// The median of its good seconds, if at least five of the ten were good.
    pub median: Option<u16>,
    /// How many of its seconds were good.
    pub good: u8,
}

/// The last bins of one quantity, without a hole between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bins {
    /// How many are kept.
    keep: u16,
    /// Those that are over, oldest first.
    over: VecDeque<Bin>,
    /// When the running one ends; `None`: none has begun.
    ends: Option<Time>,
    /// The good values of the running one.
    running: [u16; SECONDS],
    good: u8,
}

impl Bins {
    /// Keeps the last `keep` bins.
    #[must_use]
    pub fn new(keep: u16) -> Self {
        let over = VecDeque::with_capacity(usize::from(keep));
        Self { keep, over, ends: None, running: [0; SECONDS], good: 0 }
    }

    /// Takes the good value of the second `at`, `None` without one; whether a bin has ended.
    pub fn second(&mut self, at: Time, value: Option<u16>) -> bool {
        let ends = *self.ends.get_or_insert(at + BIN);
        let ended = at >= ends;
        if ended {
            self.close();
            // Seconds that nobody told of are bins without data; more of them than are kept say nothing new.
            let skipped = at.since(ends).as_millis() / BIN.as_millis();
            for _ in 0..skipped.min(u64::from(self.keep)) {
                self.close();
            }
            self.ends = Some(ends + BIN + BIN.scaled(skipped, 1));
        }
        if let (Some(value), Some(slot)) = (value, self.running.get_mut(usize::from(self.good))) {
            *slot = value;
            self.good += 1;
        }
        ended
    }

    /// The bins that are over, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = Bin> + '_ {
        self.over.iter().rev().copied()
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        *self = Self::new(self.keep);
    }

    fn close(&mut self) {
        let good = self.running.get_mut(..usize::from(self.good)).filter(|good| good.len() >= usize::from(ENOUGH));
        let bin = Bin { median: good.and_then(median), good: self.good };
        if self.over.len() >= usize::from(self.keep) {
            self.over.pop_front();
        }
        self.over.push_back(bin);
        self.good = 0;
    }
}

/// The median, which puts the values in order; of an even number the mean of the middle two, rounded down.
#[must_use]
pub fn median(values: &mut [u16]) -> Option<u16> {
    middle(values).map(|(low, high)| low.midpoint(high))
}

/// The median of the first `N` of these values, if there are at least `at_least` of them.
#[must_use]
pub fn median_of<const N: usize>(values: impl Iterator<Item = u16>, at_least: usize) -> Option<u16> {
    let mut held = [0; N];
    let mut count = 0;
    for (slot, value) in held.iter_mut().zip(values) {
        *slot = value;
        count += 1;
    }
    held.get_mut(..count).filter(|held| held.len() >= at_least).and_then(median)
}

/// The middle two of the values, which it puts in order; of an odd number the middle one twice.
#[must_use]
pub fn middle<T: Copy + Ord>(values: &mut [T]) -> Option<(T, T)> {
    values.sort_unstable();
    let high = values.get(values.len() / 2)?;
    let low = values.get(values.len().saturating_sub(1) / 2)?;
    Some((*low, *high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1_000)
    }

    /// The bins after each of `seconds`, oldest first.
    fn play(keep: u16, seconds: impl Iterator<Item = (u64, Option<u16>)>) -> Vec<Bin> {
        let mut bins = Bins::new(keep);
        for (second, value) in seconds {
            bins.second(at(second), value);
        }
        let mut over: Vec<_> = bins.newest_first().collect();
        over.reverse();
        over
    }

    #[test]
    fn worked_a_median_of_five_removes_a_spike_and_lets_a_dip_pass() {
        assert_eq!(median(&mut [97, 97, 62, 97, 98]), Some(97));
        assert_eq!(median(&mut [97, 62, 61, 60, 97]), Some(62));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert_eq!(median(&mut [4, 1, 3, 2]), Some(2));
        assert_eq!(median(&mut [10, 20]), Some(15));
        assert_eq!(median(&mut [7]), Some(7));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn a_median_may_ask_for_a_number_of_values() {
        let of = |count, at_least| median_of::<3>([97, 62, 96, 40].into_iter().take(count), at_least);
        assert_eq!((of(2, 3), of(3, 3)), (None, Some(96)));
        assert_eq!(of(4, 3), Some(96), "the fourth has no room");
    }

    #[test]
    fn a_bin_is_over_when_ten_seconds_have_passed() {
        let ramp = |seconds: u64| play(18, (5..5 + seconds).map(|t| (t, Some(u16::try_from(t).unwrap()))));
        assert_eq!(ramp(10), []);
        // 5..=14, their middle is 9.5.
        assert_eq!(ramp(11), [Bin { median: Some(9), good: 10 }]);
        assert_eq!(ramp(21).last(), Some(&Bin { median: Some(19), good: 10 }));
    }

    #[test]
    fn a_bin_has_a_median_with_five_good_seconds_at_least() {
        let with = |good| play(18, (0..=10).map(|t| (t, (t < good).then_some(97))));
        assert_eq!(with(5), [Bin { median: Some(97), good: 5 }]);
        assert_eq!(with(4), [Bin { median: None, good: 4 }]);
    }

    #[test]
    fn only_the_last_bins_are_kept() {
        let over = play(3, (0..=50).map(|t| (t, Some(u16::try_from(t / 10).unwrap()))));
        assert_eq!(over.iter().map(|bin| bin.median).collect::<Vec<_>>(), [Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn seconds_that_nobody_told_of_are_bins_without_data() {
        let told = (0..10).chain(40..=50).map(|t| (t, Some(90)));
        let over = play(18, told);
        assert_eq!(over.iter().map(|bin| bin.good).collect::<Vec<_>>(), [10, 0, 0, 0, 10]);
        let far = [(0, Some(90)), (u64::MAX / 1_000, Some(91))];
        assert_eq!(play(18, far.into_iter()), [Bin::default(); 18]);
    }
}
