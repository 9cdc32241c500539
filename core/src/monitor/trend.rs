//! Slopes: how fast a quantity rises or falls (rows 23, 24 and 31; trend-algorithms 6).
//!
//! The estimator is Theil-Sen's: the median of the slopes between all pairs of points. Up to about 29 %
//! of the points may be artefacts before it follows them. A slope is reported only if at least 80 % of
//! the pairs go its way: a single step is not a trend, and neither is noise.
//!
//! The lag of [`Slope`]: no estimate in the first 120 s. After a steady time a fall shows when ten of the
//! eighteen bins lie in it, 90 to 110 s after it began. Whole percents that fall more slowly than one in
//! 40 s are never reported: too many pairs of such a staircase are level. Rows 3 and 4 see to those.

use serde::{Deserialize, Serialize};

use crate::monitor::bins::{BIN, Bin, Bins, middle};
use crate::time::{Span, Time};

/// The window, in bins: 180 s.
const WINDOW: u16 = 18;
/// The most points that a slope is made from ...
const POINTS: usize = 18;
/// ... and the pairs of those.
const PAIRS: usize = POINTS * (POINTS - 1) / 2;
/// The bins of the window that must have a median.
const BINS_AT_LEAST: usize = 12;
/// The points a slope needs at all.
const POINTS_AT_LEAST: usize = 3;
/// So many of all pairs must go the way of the slope, percent.
const AGREEMENT_PCT: usize = 80;
/// The window begins anew after a time without good data that is longer than this.
const GAP: Span = Span::secs(60);

/// The slope of one quantity of the oximeter over the last 180 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slope {
    bins: Bins,
    last_good: Option<Time>,
    /// Worked out when a bin ends.
    estimate: Option<i32>,
    /// There is enough to go by.
    enough: bool,
}

impl Default for Slope {
    /// Nothing seen yet.
    fn default() -> Self {
        Self { bins: Bins::new(WINDOW), last_good: None, estimate: None, enough: false }
    }
}

impl Slope {
    /// Takes the good value of the second `at`, `None` without one.
    pub fn second(&mut self, at: Time, value: Option<u16>) {
        if self.last_good.is_some_and(|last| at.since(last) > GAP) {
            self.restart();
        }
        if value.is_some() {
            self.last_good = Some(at);
        }
        if self.bins.second(at, value) {
            self.enough = self.bins.newest_first().filter(|bin| bin.median.is_some()).count() >= BINS_AT_LEAST;
            self.estimate = estimate(&self.bins);
        }
    }

    /// In hundredths of the quantity's unit a minute, falling below zero; `None`: no slope to speak of.
    #[must_use]
    pub const fn estimate(&self) -> Option<i32> {
        self.estimate
    }

    /// Whether there is enough to go by: then no estimate means that there is no slope.
    #[must_use]
    pub const fn has_enough(&self) -> bool {
        self.enough
    }

    /// Begins the window anew (R7: at the dose, and at nothing else).
    pub fn restart(&mut self) {
        self.bins.clear();
        self.last_good = None;
        self.estimate = None;
        self.enough = false;
    }
}

fn estimate(bins: &Bins) -> Option<i32> {
    let mut points = [(Time::ZERO, 0); POINTS];
    let mut valid = 0;
    // Newest first: a bin is earlier than those before it.
    let newest = Time::ZERO + BIN.scaled(u64::from(WINDOW), 1);
    let ages = (0..).map(|age| BIN.scaled(age, 1));
    let medians = bins.newest_first().zip(ages).filter_map(|(Bin { median, .. }, age)| Some((newest - age, median?)));
    for (slot, point) in points.iter_mut().zip(medians) {
        *slot = point;
        valid += 1;
    }
    points.get(..valid).filter(|points| points.len() >= BINS_AT_LEAST).and_then(theil_sen)
}

/// The slope through the last 18 of the points, in hundredths of their unit a minute. `None`: fewer than
/// three points, or fewer than 80 % of the pairs go the way of the slope. Whoever asks looks after gaps.
#[must_use]
pub fn theil_sen(points: &[(Time, u16)]) -> Option<i32> {
    let points = points.get(points.len().saturating_sub(POINTS)..).filter(|points| points.len() >= POINTS_AT_LEAST)?;
    let rest = |i| points.iter().skip(i + 1);
    let pairs = points.iter().enumerate().flat_map(|(i, one)| rest(i).filter_map(|other| between(*one, *other)));
    let mut slopes = [0; PAIRS];
    let mut count = 0;
    for (slot, slope) in slopes.iter_mut().zip(pairs) {
        *slot = slope;
        count += 1;
    }
    let slopes = slopes.get_mut(..count)?;
    let (low, high) = middle(slopes)?;
    let slope = low.midpoint(high);
    let agreeing = slopes.iter().filter(|one| one.signum() == slope.signum()).count();
    // To the nearest hundredth.
    let hundredths = (slope + slope.signum() * 5_000) / 10_000;
    if agreeing * 100 >= count * AGREEMENT_PCT { i32::try_from(hundredths).ok() } else { None }
}

/// The slope between two points, in millionths of their unit a minute; `None`: they are simultaneous.
fn between(one: (Time, u16), other: (Time, u16)) -> Option<i64> {
    let (earlier, later) = if one.0 <= other.0 { (one, other) } else { (other, one) };
    let span = i64::try_from(later.0.since(earlier.0).as_millis()).ok().filter(|span| *span > 0)?;
    Some((i64::from(later.1) - i64::from(earlier.1)) * 60_000 * 1_000_000 / span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn minutes<const N: usize>(points: [(u64, u16); N]) -> Vec<(Time, u16)> {
        points.into_iter().map(|(min, y)| (Time::ZERO + Span::mins(min), y)).collect()
    }

    /// Plays `value(second)`, a second each, and returns the changes of the estimate.
    fn play(seconds: u64, value: impl Fn(u64) -> Option<u16>) -> Vec<(u64, Option<i32>)> {
        let mut slope = Slope::default();
        let mut changes = Vec::new();
        let mut last = None;
        for t in 0..seconds {
            slope.second(Time::from_millis(t * 1_000), value(t));
            if slope.estimate() != last {
                last = slope.estimate();
                changes.push((t, last));
            }
        }
        changes
    }

    fn tenths(value: u64) -> Option<u16> {
        u16::try_from(value).ok()
    }

    #[test]
    fn worked_spo2_falls_by_1_percent_a_minute() {
        assert_eq!(theil_sen(&minutes([(0, 98), (1, 97), (2, 97), (3, 95), (4, 94)])), Some(-100));
        assert_eq!(theil_sen(&minutes([(0, 980), (1, 970), (2, 970), (3, 950), (4, 940)])), Some(-1_000));
    }

    #[test]
    fn worked_the_artefact_in_the_middle_does_not_move_the_median_of_the_slopes() {
        // 98, 97, 70, 95, 94: by hand, the middle two slopes are -1.0 each, but only 8 of 10 go down.
        assert_eq!(theil_sen(&minutes([(0, 98), (1, 97), (2, 70), (3, 95), (4, 94)])), Some(-100));
    }

    #[test]
    fn row_31_worked_the_systolic_pressure_rises_by_2_18_a_minute() {
        assert_eq!(theil_sen(&minutes([(0, 128), (5, 141), (10, 149), (15, 162)])), Some(218));
    }

    #[test]
    fn row_31_three_readings_make_a_slope_and_two_do_not() {
        // R12: 128, 150, 172 every 5 min: 4.4 mmHg a minute.
        assert_eq!(theil_sen(&minutes([(0, 128), (5, 150), (10, 172)])), Some(440));
        assert_eq!(theil_sen(&minutes([(5, 150), (10, 172)])), None);
        assert_eq!(theil_sen(&[]), None);
        // Of three pairs all must rise.
        assert_eq!(theil_sen(&minutes([(0, 128), (5, 190), (10, 172)])), None);
    }

    #[test]
    fn simultaneous_points_make_no_slope_of_their_own() {
        assert_eq!(theil_sen(&minutes([(5, 100), (5, 200), (5, 300)])), None);
        assert_eq!(theil_sen(&minutes([(0, 100), (5, 110), (5, 110)])), Some(200));
    }

    #[test]
    fn fewer_than_80_percent_of_the_pairs_are_no_agreement() {
        // One of ten pairs rises, one is level: 80 %. The middle two are -2/3 and -1/2.
        assert_eq!(theil_sen(&minutes([(0, 97), (1, 98), (2, 96), (3, 95), (4, 95)])), Some(-58));
        // Two rise, one is level: 70 %.
        assert_eq!(theil_sen(&minutes([(0, 97), (1, 98), (2, 96), (3, 95), (4, 96)])), None);
    }

    #[test]
    fn row_23_an_estimate_needs_twelve_bins() {
        // 2 % a minute, in tenths: exact in each bin.
        let changes = play(300, |t| tenths(1_000 - t / 3));
        assert_eq!(changes.first().map(|(t, _)| *t), Some(120));
        assert!(changes.iter().all(|(_, slope)| slope.is_some_and(|s| (-2_050..=-1_950).contains(&s))), "{changes:?}");
    }

    #[test]
    fn row_23_the_ramp_of_the_sheet_is_told_from_120_s_on() {
        // 97 - floor(t / 30), -2 % a minute; with the delay of 20 s that is row 23 at 140 s.
        let changes = play(300, |t| tenths(970 - 10 * (t / 30)));
        assert_eq!(changes.first(), Some(&(120, Some(-2_000))));
        assert!(changes.iter().all(|(_, slope)| slope.is_some()), "{changes:?}");
    }

    #[test]
    fn row_23_a_fall_after_a_steady_time_shows_within_110_s() {
        for onset in 600..610 {
            let changes = play(900, |t| tenths(1_000 - t.saturating_sub(onset) / 3));
            let told = changes.iter().find(|(_, slope)| slope.is_some_and(|slope| slope <= -1_000));
            assert!(told.is_some_and(|(t, _)| (90..=110).contains(&(t - onset))), "{onset}: {changes:?}");
        }
    }

    #[test]
    fn row_23_a_single_step_is_not_a_slope() {
        let changes = play(900, |t| tenths(if t < 450 { 970 } else { 940 }));
        assert!(changes.iter().all(|(_, slope)| slope.is_none_or(|slope| slope == 0)), "{changes:?}");
    }

    #[test]
    fn row_23_what_is_older_than_180_s_has_no_say() {
        // Level from 600 s on. With 17 of 18 bins level, 136 of 153 pairs are; with 16, only 78 %.
        let changes = play(900, |t| tenths(1_000 - t.min(600) / 3));
        assert_eq!(changes.last(), Some(&(770, Some(0))));
    }

    #[test]
    fn of_many_points_the_last_18_are_taken() {
        // The last 17 are level: with one before them 136 of 153 pairs are, with two 79 % of 171.
        let points: Vec<_> = (0..30).map(|min| (min, u16::try_from(min.min(13)).unwrap())).collect();
        let points: Vec<_> = points.into_iter().map(|(min, y)| (Time::ZERO + Span::mins(min), y)).collect();
        assert_eq!(theil_sen(&points), Some(0));
    }

    #[test]
    fn row_23_a_steady_value_has_a_slope_of_none() {
        assert_eq!(play(900, |_| Some(970)), [(120, Some(0))]);
    }

    #[test]
    fn row_24_artefacts_in_a_quarter_of_the_bins_do_not_turn_a_rise() {
        // +12 bpm a minute; every fourth bin halves.
        let rise = |t: u64| 80 + t / 5;
        let changes = play(240, |t| tenths(if t / 10 % 4 == 3 { rise(t) / 2 } else { rise(t) }));
        assert!(changes.iter().flat_map(|(_, slope)| *slope).all(|slope| slope > 0), "{changes:?}");
    }

    #[test]
    fn r7_the_window_begins_anew_after_a_gap_of_more_than_60_s() {
        let fall = |t: u64| tenths(1_000 - t / 3);
        // Good again after 60 s: six bins are missing, twelve are there.
        let short = play(400, |t| if (180..239).contains(&t) { None } else { fall(t) });
        assert!(short.iter().all(|(_, slope)| slope.is_some()), "{short:?}");
        // Good again after 70 s: it is gone at the 61st second, and back after 120 s.
        let long = play(400, |t| if (180..249).contains(&t) { None } else { fall(t) });
        let none: Vec<_> = long.iter().skip_while(|(_, slope)| slope.is_some()).collect();
        assert_eq!(none.first(), Some(&&(240, None)));
        assert!(none.get(1).is_some_and(|(t, _)| *t >= 249 + 110), "{long:?}");
    }

    #[test]
    fn r7_a_dose_begins_the_window_anew() {
        let mut slope = Slope::default();
        (0..300).for_each(|t| slope.second(Time::from_millis(t * 1_000), tenths(1_000 - t / 3)));
        assert!(slope.estimate().is_some());
        slope.restart();
        assert_eq!(slope, Slope::default());
    }

    proptest! {
        #[test]
        fn the_order_of_the_points_does_not_matter(
            points in proptest::collection::vec((0_u64..600_000, 0_u16..1_000), 0..18),
            turn in 0_usize..18,
        ) {
            let points: Vec<_> = points.into_iter().map(|(ms, y)| (Time::from_millis(ms), y)).collect();
            let mut turned = points.clone();
            turned.rotate_left(turn.min(points.len()));
            prop_assert_eq!(theil_sen(&turned), theil_sen(&points));
        }

        #[test]
        fn the_same_points_later_and_higher_have_the_same_slope_and_mirrored_ones_its_opposite(
            points in proptest::collection::vec((0_u64..600_000, 0_u16..1_000), 0..18),
            later in 0_u64..1_000_000_000,
            higher in 0_u16..1_000,
        ) {
            let with = |y: &dyn Fn(u16) -> u16| -> Vec<_> {
                points.iter().map(|(ms, v)| (Time::from_millis(ms + later), y(*v))).collect()
            };
            let slope = theil_sen(&with(&|v| v));
            prop_assert_eq!(theil_sen(&with(&|v| v + higher)), slope);
            prop_assert_eq!(theil_sen(&with(&|v| 1_000 - v)), slope.map(|slope| -slope));
        }
    }
}
