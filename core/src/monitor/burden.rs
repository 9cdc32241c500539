//! The burden of desaturation: how deep times how long (row 29; trend-algorithms 3).
//!
//! Each second below the limit adds the points that are missing to it, each second at or above it takes
//! one away. The limit itself is no violation (the form of the Nellcor N-395 and N-600x). Dips too short
//! to fill the sum are caught by a safety net that counts them.
//!
//! It lags by its nature: 2 points below the limit take 25 s to fill a setting of 50. Rows 1 and 2 stand
//! outside it.

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};
use crate::vitals::Spo2;

/// What a second counts for.
const SECOND: Span = Span::secs(1);
/// A point in tenths of a percent: the sum is kept in those.
const POINT: u32 = 10;
/// The safety net: so many violations ...
const VIOLATIONS: usize = 3;

/// The figures of row 29.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurdenTerms {
    /// Below it a second adds to the sum, tenths of a percent.
    pub limit: u16,
    /// The sum that raises it, in points (percent) times seconds.
    pub setting: u32,
    /// The safety net: three violations of at least this length each ...
    pub violation: Span,
    /// ... that began within this.
    pub within: Span,
    /// Once raised it ends at good values of at least this, tenths of a percent ...
    pub clear_at: u16,
    /// ... without a break for this long.
    pub clear: Span,
}

impl BurdenTerms {
    /// Row 29 of kat-default-1.
    pub const KAT_DEFAULT_1: Self = Self {
        limit: 900,
        setting: 50,
        violation: Span::secs(3),
        within: Span::secs(60),
        clear_at: 920,
        clear: Span::secs(30),
    };
}

/// Which of the two raised it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The sum reached its setting.
    Sum,
    /// Three violations within a minute.
    Repeated,
}

/// The running sum and the safety net.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burden {
    /// Tenths of a percent times seconds.
    sum: u32,
    /// When the present violation began, and how many seconds of it were seen.
    violation: Option<(Time, Span)>,
    /// When the last violations that lasted began, oldest first.
    lasted: [Option<Time>; VIOLATIONS],
    raised: Option<Cause>,
    /// Continuous good seconds that are high enough to end it.
    recovered: Span,
}

impl Burden {
    /// Whether it is raised, and by what.
    #[must_use]
    pub const fn raised(&self) -> Option<Cause> {
        self.raised
    }

    /// Whether it is raised.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.raised.is_some()
    }

    /// The sum in whole points (percent) times seconds.
    #[must_use]
    pub const fn sum(&self) -> u32 {
        self.sum / POINT
    }

    /// Takes the good value of the second `at`. Without one, the sum and a running violation hold, and
    /// only what would end it begins anew.
    pub fn second(&mut self, at: Time, spo2: Option<Spo2>, terms: &BurdenTerms) {
        let value = spo2.map(Spo2::as_tenths);
        match value {
            None => {}
            Some(value) if value < terms.limit => {
                self.sum = self.sum.saturating_add(u32::from(terms.limit - value));
                if self.sum >= terms.setting.saturating_mul(POINT) {
                    self.raised = self.raised.or(Some(Cause::Sum));
                }
                self.violated(at, terms);
            }
            Some(_) => {
                self.sum = self.sum.saturating_sub(POINT);
                self.violation = None;
            }
        }
        let high_enough = value.is_some_and(|value| value >= terms.clear_at);
        self.recovered = if high_enough { self.recovered + SECOND } else { Span::ZERO };
        if self.active() && self.recovered >= terms.clear {
            // What it was raised for has been told: what is left of the sum raises nothing again.
            *self = Self::default();
        }
    }

    /// One more second of a violation. It counts for the safety net once it has lasted.
    fn violated(&mut self, at: Time, terms: &BurdenTerms) {
        let (begun, seen) = self.violation.unwrap_or((at, Span::ZERO));
        let now_seen = seen + SECOND;
        self.violation = Some((begun, now_seen));
        if seen < terms.violation && now_seen >= terms.violation {
            self.lasted.rotate_left(1);
            let [first, .., last] = &mut self.lasted;
            *last = Some(begun);
            if first.is_some_and(|first| begun.since(first) <= terms.within) {
                self.raised = self.raised.or(Some(Cause::Repeated));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const TERMS: BurdenTerms = BurdenTerms::KAT_DEFAULT_1;

    /// Plays `value(second)`, whole percent, and returns the sum and what it is raised by after each.
    fn play(seconds: u64, value: impl Fn(u64) -> Option<u16>) -> Vec<(u32, Option<Cause>)> {
        let mut burden = Burden::default();
        (0..seconds)
            .map(|t| {
                burden.second(Time::from_millis(t * 1_000), value(t).and_then(Spo2::percent), &TERMS);
                (burden.sum(), burden.raised())
            })
            .collect()
    }

    /// The seconds in which what it is raised by changes.
    fn changes(seconds: u64, value: impl Fn(u64) -> Option<u16>) -> Vec<(usize, Option<Cause>)> {
        let mut last = None;
        let mut changes = Vec::new();
        for (t, (_, raised)) in play(seconds, value).into_iter().enumerate() {
            if raised != last {
                last = raised;
                changes.push((t, raised));
            }
        }
        changes
    }

    #[test]
    fn row_29_worked_a_the_sum_reaches_50_at_the_eleventh_second() {
        let values = [88, 88, 86, 86, 86, 84, 84, 84, 84, 84, 84];
        let played = play(11, |t| Some(values[usize::try_from(t).unwrap()]));
        let sums: Vec<_> = played.iter().map(|(sum, _)| *sum).collect();
        assert_eq!(sums, [2, 4, 8, 12, 16, 22, 28, 34, 40, 46, 52]);
        assert_eq!((played[9].1, played[10].1), (None, Some(Cause::Sum)));
    }

    #[test]
    fn row_29_worked_c_the_third_dip_raises_it_once_it_has_lasted_3_s() {
        // Three dips to 89, 3 s each, at 0, 20 and 45 s.
        let dips = |t: u64| Some(if [0, 20, 45].iter().any(|dip| (*dip..dip + 3).contains(&t)) { 89 } else { 95 });
        let played = play(49, dips);
        assert_eq!((played[2].0, played[5].0, played[22].0, played[25].0), (3, 0, 3, 0));
        assert_eq!((played[46].1, played[47].1), (None, Some(Cause::Repeated)));
    }

    #[test]
    fn row_29_dips_of_2_s_never_count_for_the_safety_net() {
        assert_eq!(changes(600, |t| Some(if t % 10 < 2 { 89 } else { 95 })), []);
    }

    #[test]
    fn row_29_three_dips_in_more_than_a_minute_raise_nothing() {
        let every = |period: u64| changes(300, move |t| Some(if t % period < 3 { 89 } else { 91 }));
        assert_eq!(every(30), [(62, Some(Cause::Repeated))]);
        assert_eq!(every(31), []);
        let starts = [0, 30, 61];
        let third_at_61 = |t: u64| Some(if starts.iter().any(|dip| (*dip..dip + 3).contains(&t)) { 89 } else { 91 });
        assert_eq!(changes(300, third_at_61), []);
    }

    #[test]
    fn row_29_one_long_violation_is_one_violation() {
        assert_eq!(changes(40, |_| Some(89)), []);
        let two_long = |t: u64| Some(if t % 25 < 10 { 89 } else { 91 });
        assert_eq!(changes(50, two_long), []);
    }

    #[test]
    fn row_29_the_limit_itself_is_no_violation_and_takes_a_point_away() {
        let played = play(7, |t| Some(if t < 2 { 88 } else { 90 }));
        assert_eq!(played.iter().map(|(sum, _)| *sum).collect::<Vec<_>>(), [2, 4, 3, 2, 1, 0, 0]);
    }

    #[test]
    fn row_29_tenths_of_a_percent_count_as_such() {
        let mut burden = Burden::default();
        for t in 0..99 {
            burden.second(Time::from_millis(t * 1_000), Spo2::tenths(895), &TERMS);
        }
        assert_eq!((burden.sum(), burden.active()), (49, false));
        burden.second(Time::from_millis(99_000), Spo2::tenths(895), &TERMS);
        assert_eq!((burden.sum(), burden.active()), (50, true));
    }

    #[test]
    fn row_29_a_second_without_good_data_holds_the_sum_and_the_violation() {
        let played = play(40, |t| {
            if t < 2 {
                Some(88)
            } else if t < 30 {
                None
            } else {
                Some(88)
            }
        });
        assert_eq!((played[1].0, played[29].0, played[30].0), (4, 4, 6));
        // Two seconds, a hole, one second: a violation of three.
        let holes = |t: u64| match t % 20 {
            0 | 1 | 4 => Some(89),
            2 | 3 => None,
            _ => Some(95),
        };
        assert_eq!(changes(60, holes), [(44, Some(Cause::Repeated))]);
    }

    #[test]
    fn row_29_it_ends_after_30_s_without_a_break_at_92() {
        let low_until_20 =
            |then: fn(u64) -> Option<u16>| changes(200, move |t| if t < 20 { Some(80) } else { then(t) });
        assert_eq!(low_until_20(|_| Some(92)), [(4, Some(Cause::Sum)), (49, None)]);
        assert_eq!(low_until_20(|_| Some(91)), [(4, Some(Cause::Sum))]);
        assert_eq!(low_until_20(|t| Some(if t == 40 { 91 } else { 92 })), [(4, Some(Cause::Sum)), (70, None)]);
        assert_eq!(low_until_20(|t| (t != 40).then_some(92)), [(4, Some(Cause::Sum)), (70, None)]);
    }

    #[test]
    fn row_29_what_was_told_is_not_told_again() {
        // 200 points are left of the sum when it ends at 49 s; a second of 89 does not raise it again.
        let again = changes(200, |t| {
            Some(if t < 20 {
                80
            } else if t == 60 {
                89
            } else {
                95
            })
        });
        assert_eq!(again, [(4, Some(Cause::Sum)), (49, None)]);
    }

    #[test]
    fn row_29_r12_the_ramp_raises_it_at_279_s() {
        // 97 - floor(t / 30): 89 from 240 s gives 30 points until 269, 88 from 270 two a second.
        let ramp = |t: u64| u16::try_from(97 - t / 30).ok();
        assert_eq!(changes(311, ramp), [(279, Some(Cause::Sum))]);
    }
}
