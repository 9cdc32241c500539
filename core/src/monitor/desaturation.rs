//! Desaturation events: falls below a person's own running baseline (row 30; trend-algorithms 5).
//!
//! The running baseline is the 95th percentile of the last two minutes. It lags: after a lasting change of
//! level it follows a rise within 7 s and a fall after two minutes. An event is known 10 s after it began.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};
use crate::vitals::Spo2;

/// What a second counts for.
const SECOND: Span = Span::secs(1);
/// The running baseline looks back over this ...
const BASELINE_OVER: Span = Span::secs(120);
/// ... which has so many seconds ...
const BASELINE_SECONDS: usize = 120;
/// ... of which so many must be good.
const BASELINE_AT_LEAST: usize = 30;
/// Which value it is, in order, percent of them.
const PERCENTILE: usize = 95;
/// A fall outlives a time without good data that is not longer than this.
const MISSING_AT_MOST: Span = Span::secs(5);
/// So many events raise it.
const EVENTS: usize = 3;

/// The figures of row 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesaturationTerms {
    /// An event is a fall below the baseline by at least this, tenths of a percent ...
    pub fall: u16,
    /// ... to this at most, tenths of a percent ...
    pub floor: u16,
    /// ... for at least this long.
    pub lasts: Span,
    /// It is over when the value is back to within this of the baseline, tenths of a percent ...
    pub recovery: u16,
    /// ... or when this has passed since it began.
    pub at_most: Span,
    /// Three events within this are frequent.
    pub frequent: Span,
    /// Three events within this are very frequent.
    pub very_frequent: Span,
    /// It ends this long after the last event.
    pub clear: Span,
}

impl DesaturationTerms {
    /// Row 30 of kat-default-1.
    pub const KAT_DEFAULT_1: Self = Self {
        fall: 40,
        floor: 930,
        lasts: Span::secs(10),
        recovery: 10,
        at_most: Span::secs(120),
        frequent: Span::mins(15),
        very_frequent: Span::mins(5),
        clear: Span::mins(15),
    };
}

/// How often events came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Three in 15 min.
    Frequent,
    /// Three in 5 min.
    VeryFrequent,
}

/// Where a fall is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fall {
    /// There is none.
    #[default]
    None,
    /// Low, but not yet for long enough. The baseline is that of its beginning, tenths of a percent.
    Low { baseline: u16, begun: Time, low: Span, missing: Span },
    /// An event.
    Event { baseline: u16, begun: Time },
}

/// The watch over falls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desaturations {
    /// The good values of the previous 120 s, tenths of a percent, oldest first.
    past: VecDeque<(Time, u16)>,
    fall: Fall,
    /// When the last events were known, oldest first.
    events: [Option<Time>; EVENTS],
    step: Option<Step>,
}

impl Default for Desaturations {
    /// Nothing seen yet.
    fn default() -> Self {
        Self {
            past: VecDeque::with_capacity(BASELINE_SECONDS + 1),
            fall: Fall::None,
            events: [None; EVENTS],
            step: None,
        }
    }
}

impl Desaturations {
    /// How often events came, while it is raised. It gets no less before it ends.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        self.step
    }

    /// When the last event was known.
    #[must_use]
    pub const fn last_event(&self) -> Option<Time> {
        let [.., last] = self.events;
        last
    }

    /// Takes the good value of the second `at`, `None` without one. `session` is the baseline of the
    /// session, for the time in which the running one has too little to go by.
    pub fn second(&mut self, at: Time, spo2: Option<Spo2>, session: Option<Spo2>, terms: &DesaturationTerms) {
        while self.past.front().is_some_and(|(then, _)| at.since(*then) > BASELINE_OVER) {
            self.past.pop_front();
        }
        self.fall = self.next(at, spo2, session, terms);
        if let Some(value) = spo2 {
            self.past.push_back((at, value.as_tenths()));
        }
        if self.last_event().is_some_and(|last| at.since(last) >= terms.clear) {
            self.step = None;
        }
    }

    fn next(&mut self, at: Time, spo2: Option<Spo2>, session: Option<Spo2>, terms: &DesaturationTerms) -> Fall {
        let value = spo2.map(Spo2::as_tenths);
        let low = |value: u16, baseline: u16| value <= terms.floor && value.saturating_add(terms.fall) <= baseline;
        let fall = match (self.fall, value) {
            // The baseline is worked out for low values only: no other can begin a fall.
            (Fall::None, Some(value)) if value <= terms.floor => match self.baseline(session) {
                Some(baseline) => Fall::Low { baseline, begun: at, low: Span::ZERO, missing: Span::ZERO },
                None => Fall::None,
            },
            (fall, _) => fall,
        };
        match (fall, value) {
            (Fall::None, _) => Fall::None,
            (Fall::Low { baseline, begun, low, missing }, None) => {
                let missing = missing + SECOND;
                if missing > MISSING_AT_MOST { Fall::None } else { Fall::Low { baseline, begun, low, missing } }
            }
            (Fall::Low { baseline, begun, low: seen, .. }, Some(value)) if low(value, baseline) => {
                let seen = seen + SECOND;
                if seen < terms.lasts {
                    return Fall::Low { baseline, begun, low: seen, missing: Span::ZERO };
                }
                self.count(at, terms);
                Fall::Event { baseline, begun }
            }
            (Fall::Low { .. }, Some(_)) => Fall::None,
            (Fall::Event { baseline, begun }, value) => {
                let back = value.is_some_and(|value| value.saturating_add(terms.recovery) >= baseline);
                if back || at.since(begun) >= terms.at_most { Fall::None } else { fall }
            }
        }
    }

    /// One more event.
    fn count(&mut self, at: Time, terms: &DesaturationTerms) {
        self.events.rotate_left(1);
        let [first, .., last] = &mut self.events;
        *last = Some(at);
        let step = first.map(|first| at.since(first)).and_then(|within| {
            let frequent = (within <= terms.frequent).then_some(Step::Frequent);
            frequent.max((within <= terms.very_frequent).then_some(Step::VeryFrequent))
        });
        self.step = self.step.max(step);
    }

    /// The 95th percentile of the good values of the previous 120 s by the nearest rank, tenths of a
    /// percent; that of the session if fewer than 30 of them were good.
    fn baseline(&self, session: Option<Spo2>) -> Option<u16> {
        let mut values = [0; BASELINE_SECONDS];
        let mut count = 0;
        for (slot, (_, value)) in values.iter_mut().zip(self.past.iter().rev()) {
            *slot = *value;
            count += 1;
        }
        if count < BASELINE_AT_LEAST {
            return session.map(Spo2::as_tenths);
        }
        let values = values.get_mut(..count)?;
        values.sort_unstable();
        values.get((count * PERCENTILE).div_ceil(100).saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Plays `value(second)`, whole percent, with that baseline of the session, as [`play_tenths`] does.
    fn play(
        seconds: u64,
        session: Option<u16>,
        value: impl Fn(u64) -> Option<u16>,
    ) -> (Vec<u64>, Vec<(u64, Option<Step>)>) {
        play_tenths(seconds, session, |t| value(t).map(|percent| percent * 10))
    }

    /// Plays `value(second)`, and returns the seconds in which an event was known, and the changes of the step.
    fn play_tenths(
        seconds: u64,
        session: Option<u16>,
        value: impl Fn(u64) -> Option<u16>,
    ) -> (Vec<u64>, Vec<(u64, Option<Step>)>) {
        let terms = DesaturationTerms::KAT_DEFAULT_1;
        let mut watch = Desaturations::default();
        let (mut events, mut steps) = (Vec::new(), Vec::new());
        let mut last = None;
        for t in 0..seconds {
            let at = Time::from_millis(t * 1_000);
            watch.second(at, value(t).and_then(Spo2::tenths), session.and_then(Spo2::percent), &terms);
            if watch.last_event() == Some(at) {
                events.push(t);
            }
            if watch.step() != last {
                last = watch.step();
                steps.push((t, last));
            }
        }
        (events, steps)
    }

    /// 97, and from 200 s on `low` for so many seconds.
    fn dip(low: u16, seconds: u64) -> Vec<u64> {
        play(600, None, |t| Some(if (200..200 + seconds).contains(&t) { low } else { 97 })).0
    }

    /// 97 with a fall to 92 for 15 s at each of these seconds.
    fn falls(seconds: u64, at: &[u64]) -> Vec<(u64, Option<Step>)> {
        play(seconds, None, |t| Some(if at.iter().any(|fall| (*fall..fall + 15).contains(&t)) { 92 } else { 97 })).1
    }

    #[test]
    fn row_30_worked_97_to_93_for_12_s_is_an_event() {
        assert_eq!(dip(93, 12), [209]);
        assert_eq!(dip(93, 10), [209]);
    }

    #[test]
    fn row_30_worked_97_to_94_for_30_s_is_none() {
        assert_eq!(dip(94, 30), []);
    }

    #[test]
    fn row_30_worked_97_to_92_for_6_s_is_none() {
        assert_eq!(dip(92, 6), []);
        assert_eq!(dip(92, 9), []);
    }

    #[test]
    fn row_30_a_fall_of_4_that_stays_above_93_is_none() {
        assert_eq!(play(600, None, |t| Some(if t < 200 { 99 } else { 94 })).0, []);
        assert_eq!(play(600, None, |t| Some(if t < 200 { 99 } else { 93 })).0, [209]);
    }

    #[test]
    fn row_30_the_baseline_is_the_95th_percentile_of_two_minutes() {
        // Every second in the last two minutes before the fall at 200 s, `high` of them 97, the others 95.
        let with = |high: u64| {
            play(230, None, move |t| {
                Some(if t >= 200 {
                    93
                } else if (100..100 + high).contains(&t) {
                    97
                } else {
                    95
                })
            })
            .0
        };
        assert_eq!(with(6), [], "the 114th of 120 is 95");
        assert_eq!(with(7), [209], "it is 97");
        // What is older than 120 s has no say.
        assert_eq!(
            play(230, None, |t| Some(if t >= 200 {
                93
            } else if t < 80 {
                97
            } else {
                95
            }))
            .0,
            []
        );
        assert_eq!(
            play(230, None, |t| Some(if t >= 200 {
                93
            } else if t < 87 {
                97
            } else {
                95
            }))
            .0,
            [209]
        );
    }

    #[test]
    fn row_30_with_fewer_than_30_good_seconds_the_session_lends_its_baseline() {
        // 94, then ten seconds of 90.
        let after = |good: u64, session| play(good + 10, session, move |t| Some(if t < good { 94 } else { 90 })).0;
        assert_eq!(after(20, Some(97)), [29]);
        assert_eq!(after(20, Some(93)), []);
        assert_eq!(after(20, None), [], "no baseline, no event");
        assert_eq!(after(30, None), [39], "its own");
        assert_eq!(after(30, Some(93)), [39], "its own comes first");
        assert_eq!(after(29, None), [], "begun a second too early");
    }

    #[test]
    fn row_30_an_event_ends_near_the_baseline_of_its_beginning() {
        // Half-way up it goes on: one event. Back to 96 it is over, and the next fall is another.
        let saw = |top: u16| {
            play(300, None, move |t| {
                Some(if t < 200 {
                    97
                } else if t % 30 < 20 {
                    92
                } else {
                    top
                })
            })
            .0
        };
        assert_eq!(saw(95), [219]);
        assert_eq!(saw(96), [219, 249, 279]);
    }

    #[test]
    fn row_30_an_event_is_over_after_two_minutes() {
        // 92 from 200 s on, then 88. Until 320 s that is the same event; the fall after it begins with 321 s.
        let further = |at: u64| {
            let value = move |t| match t {
                0..200 => 97,
                t if t < at => 92,
                _ => 88,
            };
            play(at + 30, None, move |t| Some(value(t))).0
        };
        assert_eq!(further(500), [209, 509]);
        assert_eq!(further(330), [209, 339]);
        assert_eq!(further(320), [209, 330]);
    }

    #[test]
    fn row_30_tenths_of_a_percent_count_as_such() {
        let dip = |from: u16, to: u16, back: u16| {
            let value = move |t| match t {
                0..200 => from,
                200..215 | 230..245 => to,
                _ => back,
            };
            play_tenths(300, None, move |t| Some(value(t))).0
        };
        assert_eq!(dip(970, 931, 970), []);
        assert_eq!(dip(971, 931, 971), [], "above 93");
        assert_eq!(dip(969, 930, 969), [], "3.9 %");
        assert_eq!(dip(970, 930, 960), [209, 239]);
        assert_eq!(dip(970, 930, 959), [209], "not back within 1 %");
    }

    #[test]
    fn row_30_five_seconds_without_good_data_neither_count_nor_reset() {
        let hole = |from: u64, seconds: u64, to: u64| {
            let value = move |t| match t {
                t if (from..from + seconds).contains(&t) => None,
                t if (200..to).contains(&t) => Some(92),
                _ => Some(97),
            };
            play(300, None, value).0
        };
        assert_eq!(hole(205, 0, 219), [209]);
        assert_eq!(hole(205, 5, 219), [214]);
        assert_eq!(hole(205, 6, 219), []);
        assert_eq!(hole(220, 6, 260), [209], "nor do they end an event");
    }

    #[test]
    fn row_30_three_events_in_15_min_are_frequent_and_in_5_min_very_frequent() {
        // An event is known 9 s after the first low second.
        assert_eq!(falls(900, &[200, 500]), []);
        assert_eq!(falls(1_200, &[200, 600, 1_100]), [(1_109, Some(Step::Frequent))]);
        assert_eq!(falls(1_200, &[200, 600, 1_101]), []);
        assert_eq!(falls(1_200, &[200, 350, 500]), [(509, Some(Step::VeryFrequent))]);
        assert_eq!(falls(1_200, &[200, 350, 501]), [(510, Some(Step::Frequent))]);
        assert_eq!(
            falls(1_400, &[200, 600, 900, 1_000, 1_100]),
            [(909, Some(Step::Frequent)), (1_109, Some(Step::VeryFrequent))]
        );
    }

    #[test]
    fn row_30_it_ends_15_min_after_the_last_event_and_gets_no_less_before() {
        assert_eq!(falls(3_000, &[200, 300, 400]), [(409, Some(Step::VeryFrequent)), (1_309, None)]);
        assert_eq!(falls(3_000, &[200, 300, 400, 1_200]), [(409, Some(Step::VeryFrequent)), (2_109, None)]);
    }

    #[test]
    fn row_30_a_steady_hour_has_no_event() {
        assert_eq!(play(3_600, Some(97), |_| Some(97)), (Vec::new(), Vec::new()));
        assert_eq!(play(3_600, Some(97), |_| Some(90)).0, [9], "low from the first second: once");
    }
}
