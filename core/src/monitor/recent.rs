//! What the last minutes were: for the baseline (R5.9), the measured items (R9) and rows 28 and 33.
//!
//! Fed once a second. Exact seconds are kept for three minutes, ten-second bins for fifteen, and what a
//! baseline would have been once a minute for two hours, because a dose may be back-dated by as much
//! (R5.3). What is made from bins lags by up to 10 s.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::monitor::bins::{Bins, median_of};
use crate::time::{Span, Time};
use crate::vitals::{PulseRate, Spo2};

/// What a second counts for.
const SECOND: Span = Span::secs(1);
/// R9: the median and the share of good data look back over 15 min, in bins.
const BINS: u16 = 90;
/// The same, for counting.
const BINS_COUNT: usize = 90;
/// The seconds in those.
const BINS_SECONDS: u32 = 900;
/// Row 33: a fall of the pulse looks back over 120 s, in bins.
const FALL_BINS: usize = 12;
/// R5.9: a baseline looks back over this ...
const EXACT: Span = Span::secs(180);
/// ... which has so many seconds ...
const EXACT_SECONDS: usize = 180;
/// ... of which so many must be good.
const BASELINE_AT_LEAST: usize = 120;
/// Between two candidates for the baseline.
const MINUTE: Span = Span::mins(1);
/// A dose may be back-dated by 120 min (R5.3): so many candidates are kept.
const CANDIDATES: usize = 121;
/// Row 28: the pulse before a cuff looks back over this ...
const BEFORE_CUFF: Span = Span::secs(30);
/// ... of which so many seconds must be good.
const BEFORE_CUFF_AT_LEAST: usize = 15;

/// What a low run is (R9, item 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowRunTerms {
    /// Good values of at most this, tenths of a percent ...
    pub at_most: u16,
    /// ... for this long.
    pub lasts: Span,
}

impl LowRunTerms {
    /// Item 4 of kat-default-1.
    pub const KAT_DEFAULT_1: Self = Self { at_most: 910, lasts: Span::secs(15) };
}

/// The memory of the last minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    spo2: Bins,
    pulse: Bins,
    /// The last three minutes, oldest first.
    exact: VecDeque<Second>,
    /// What the baseline would have been, once a minute, oldest first.
    candidates: VecDeque<Candidate>,
    /// Seconds of the present run of low values.
    low: Span,
    last_low_run: Option<Time>,
}

/// The good values held at one second: tenths of a percent, beats a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Second {
    at: Time,
    spo2: Option<u16>,
    pulse: Option<u16>,
}

/// The medians of the three minutes up to `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    at: Time,
    spo2: Option<Spo2>,
    pulse: Option<PulseRate>,
}

impl Default for Recent {
    /// Nothing seen yet.
    fn default() -> Self {
        Self {
            spo2: Bins::new(BINS),
            pulse: Bins::new(BINS),
            exact: VecDeque::with_capacity(EXACT_SECONDS + 1),
            candidates: VecDeque::with_capacity(CANDIDATES + 1),
            low: Span::ZERO,
            last_low_run: None,
        }
    }
}

impl Recent {
    /// Takes the good values of the second `at`, `None` without one.
    pub fn second(&mut self, at: Time, spo2: Option<Spo2>, pulse: Option<PulseRate>, terms: &LowRunTerms) {
        let spo2 = spo2.map(Spo2::as_tenths);
        let pulse = pulse.map(PulseRate::as_bpm);
        self.spo2.second(at, spo2);
        self.pulse.second(at, pulse);
        while self.exact.front().is_some_and(|first| at.since(first.at) >= EXACT) {
            self.exact.pop_front();
        }
        self.exact.push_back(Second { at, spo2, pulse });
        // Without good data a run neither goes on nor ends.
        match spo2 {
            Some(value) if value <= terms.at_most => self.low = self.low + SECOND,
            Some(_) => self.low = Span::ZERO,
            None => {}
        }
        if spo2.is_some() && self.low >= terms.lasts {
            self.last_low_run = Some(at);
        }
        if self.candidates.back().is_none_or(|last| at.since(last.at) >= MINUTE) {
            if self.candidates.len() >= CANDIDATES {
                self.candidates.pop_front();
            }
            self.candidates.push_back(self.candidate(at));
        }
    }

    /// The median SpO2 of the last 15 min: of the medians of its bins.
    #[must_use]
    pub fn spo2_median(&self) -> Option<Spo2> {
        of_bins(&self.spo2).and_then(Spo2::tenths)
    }

    /// The median pulse of the last 15 min: of the medians of its bins.
    #[must_use]
    pub fn pulse_median(&self) -> Option<PulseRate> {
        of_bins(&self.pulse).and_then(PulseRate::bpm)
    }

    /// How much of the last 15 min was good SpO2 data, percent, rounded down. Time before the first second
    /// was not.
    #[must_use]
    pub fn good_pct(&self) -> u8 {
        let good: u32 = self.spo2.newest_first().map(|bin| u32::from(bin.good)).sum();
        u8::try_from(good * 100 / BINS_SECONDS).unwrap_or(100)
    }

    /// The last moment at which a run of low SpO2 had lasted (R9, item 4).
    #[must_use]
    pub const fn last_low_run(&self) -> Option<Time> {
        self.last_low_run
    }

    /// The baseline for a dose at that moment (R5.9): the medians of the good values of three minutes, each
    /// only if 120 s of them were good. Of a dose that is back-dated, of the last whole minute before it:
    /// nothing after the dose has a say.
    #[must_use]
    pub fn baseline_at(&self, dose: Time) -> (Option<Spo2>, Option<PulseRate>) {
        let candidate = if self.exact.back().is_some_and(|last| last.at <= dose) {
            Some(self.candidate(dose))
        } else {
            self.candidates.iter().rev().find(|candidate| candidate.at <= dose).copied()
        };
        candidate
            .filter(|candidate| dose.since(candidate.at) <= MINUTE)
            .map_or((None, None), |candidate| (candidate.spo2, candidate.pulse))
    }

    /// The median good pulse of the 30 s up to that moment, if at least 15 of them were good (row 28). It
    /// can be asked about the last two and a half minutes.
    #[must_use]
    pub fn pulse_before(&self, moment: Time) -> Option<PulseRate> {
        self.exact_median(moment, BEFORE_CUFF, BEFORE_CUFF_AT_LEAST, |second| second.pulse).and_then(PulseRate::bpm)
    }

    /// Whether the pulse has fallen by more than `percent` in the last 120 s (row 33): if so, the rate it has
    /// fallen from. That is the highest of the ten-second medians, compared with the newest there is.
    #[must_use]
    pub fn pulse_fallen_from(&self, percent: u8) -> Option<PulseRate> {
        let medians = || self.pulse.newest_first().take(FALL_BINS).filter_map(|bin| bin.median);
        let newest = medians().next()?;
        let highest = medians().max()?;
        let left = u32::from(100_u8.saturating_sub(percent));
        let fallen = u32::from(newest) * 100 < u32::from(highest) * left;
        if fallen { PulseRate::bpm(highest) } else { None }
    }

    /// Forgets everything, for a new session.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn candidate(&self, at: Time) -> Candidate {
        let spo2 = self.exact_median(at, EXACT, BASELINE_AT_LEAST, |second| second.spo2);
        let pulse = self.exact_median(at, EXACT, BASELINE_AT_LEAST, |second| second.pulse);
        Candidate { at, spo2: spo2.and_then(Spo2::tenths), pulse: pulse.and_then(PulseRate::bpm) }
    }

    /// The median of what `value` finds in the `span` up to `moment`, if it finds it at least so often.
    fn exact_median(
        &self,
        moment: Time,
        span: Span,
        at_least: usize,
        value: impl Fn(&Second) -> Option<u16>,
    ) -> Option<u16> {
        let within = |second: &&Second| second.at <= moment && moment.since(second.at) < span;
        median_of::<EXACT_SECONDS>(self.exact.iter().filter(within).filter_map(value), at_least)
    }
}

/// The median of the medians of all bins.
fn of_bins(bins: &Bins) -> Option<u16> {
    median_of::<BINS_COUNT>(bins.newest_first().filter_map(|bin| bin.median), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1_000)
    }

    /// Plays `seconds` of the values that these give: whole percent, beats a minute.
    fn play(seconds: u64, spo2: impl Fn(u64) -> Option<u16>, pulse: impl Fn(u64) -> Option<u16>) -> Recent {
        let mut recent = Recent::default();
        for t in 0..seconds {
            let (spo2, pulse) = (spo2(t).and_then(Spo2::percent), pulse(t).and_then(PulseRate::bpm));
            recent.second(at(t), spo2, pulse, &LowRunTerms::KAT_DEFAULT_1);
        }
        recent
    }

    fn saturation(seconds: u64, value: impl Fn(u64) -> Option<u16>) -> Recent {
        play(seconds, value, |_| None)
    }

    fn rate(seconds: u64, value: impl Fn(u64) -> Option<u16>) -> Recent {
        play(seconds, |_| None, value)
    }

    #[test]
    fn r9_the_medians_are_those_of_the_last_15_min() {
        // 900 s are over with the second after them: 46 of 90 bins are low, 45, 46 high.
        let of = |high: u64| {
            let recent = play(
                1_001,
                move |t| Some(if (100..100 + high).contains(&t) { 98 } else { 96 }),
                move |t| Some(if (100..100 + high).contains(&t) { 80 } else { 60 }),
            );
            (recent.spo2_median(), recent.pulse_median())
        };
        assert_eq!(of(440), (Spo2::percent(96), PulseRate::bpm(60)));
        assert_eq!(of(450), (Spo2::percent(97), PulseRate::bpm(70)));
        assert_eq!(of(460), (Spo2::percent(98), PulseRate::bpm(80)));
        // What is older than 15 min has no say.
        let old = saturation(1_001, |t| Some(if t < 550 { 98 } else { 96 }));
        assert_eq!(old.spo2_median(), Spo2::percent(97));
        assert_eq!(saturation(9, |_| Some(97)).spo2_median(), None);
    }

    #[test]
    fn r9_the_share_of_good_data_is_that_of_the_whole_15_min() {
        let of = |seconds, good: u64| saturation(seconds, move |t| (t % 10 < good).then_some(97)).good_pct();
        assert_eq!(of(901, 10), 100);
        assert_eq!(of(901, 8), 80);
        assert_eq!(of(3_601, 3), 30, "too few for a median, but good all the same");
        assert_eq!(of(301, 10), 33, "a young session");
        // One second short of 80 % is not 80 %.
        assert_eq!(saturation(901, |t| (t < 719).then_some(97)).good_pct(), 79);
    }

    #[test]
    fn r9_an_outage_of_the_box_is_time_without_data() {
        let mut recent = saturation(901, |_| Some(97));
        recent.second(at(1_350), Spo2::percent(97), None, &LowRunTerms::KAT_DEFAULT_1);
        assert_eq!(recent.good_pct(), 50);
        assert_eq!(recent.baseline_at(at(1_350)), (None, None));
    }

    #[test]
    fn r9_a_low_run_is_15_s_of_91_or_less() {
        let run = |low: u16, seconds: u64| {
            saturation(300, move |t| Some(if (100..100 + seconds).contains(&t) { low } else { 96 })).last_low_run()
        };
        assert_eq!(run(91, 14), None);
        assert_eq!(run(91, 15), Some(at(114)));
        assert_eq!(run(92, 100), None);
        assert_eq!(run(85, 60), Some(at(159)), "the last moment of a longer one");
    }

    #[test]
    fn r9_a_low_run_neither_goes_on_nor_ends_without_good_data() {
        let hole =
            |t: u64| if (110..130).contains(&t) { None } else { Some(if (100..135).contains(&t) { 90 } else { 96 }) };
        assert_eq!(saturation(300, hole).last_low_run(), Some(at(134)));
        let over = |t: u64| if t < 120 { Some(90) } else { None };
        assert_eq!(saturation(300, over).last_low_run(), Some(at(119)));
        // A single 92 ends it.
        assert_eq!(saturation(128, |t| Some(if t % 15 == 14 { 92 } else { 90 })).last_low_run(), None);
    }

    #[test]
    fn r5_9_a_baseline_is_the_median_of_three_minutes_with_120_good_seconds() {
        let of = |good: u64| play(180, move |t| (t < good).then_some(97), |t| Some(if t < 91 { 72 } else { 80 }));
        assert_eq!(of(120).baseline_at(at(179)), (Spo2::percent(97), PulseRate::bpm(72)));
        assert_eq!(of(119).baseline_at(at(179)), (None, PulseRate::bpm(72)));
        // The first of them leaves the window.
        assert_eq!(of(120).baseline_at(at(180)).0, None);
        let fewer = rate(180, |t| Some(if t < 89 { 72 } else { 80 }));
        assert_eq!(fewer.baseline_at(at(179)), (None, PulseRate::bpm(80)));
    }

    #[test]
    fn r5_9_a_back_dated_dose_uses_data_before_it_only() {
        // Two futures, the same until 700 s: no dose before that can tell them apart.
        let future = |low: u16| play(1_500, move |t| Some(if t < 700 { 97 } else { low }), move |_| Some(70));
        let (one, other) = (future(96), future(80));
        for dose in 0..700 {
            assert_eq!(one.baseline_at(at(dose)), other.baseline_at(at(dose)), "dose at {dose} s");
        }
        assert_eq!(one.baseline_at(at(650)), (Spo2::percent(97), PulseRate::bpm(70)));
        assert_eq!(one.baseline_at(at(1_499)).0, Spo2::percent(96));
    }

    #[test]
    fn r5_9_the_baseline_of_a_back_dated_dose_is_that_of_its_own_time() {
        // The median of three minutes up to a whole minute, which is at most a minute before the dose.
        let recent = rate(7_800, |t| u16::try_from(50 + t / 60).ok());
        for minute in [10, 60, 100, 125] {
            for second in [0, 1, 59] {
                let dose = at(minute * 60 + second);
                // The three minutes up to it held 50 + minute - 3 (59 s) to 50 + minute (1 s).
                let expected = u16::try_from(50 + minute - 2).ok().and_then(PulseRate::bpm);
                assert_eq!(recent.baseline_at(dose).1, expected, "{minute} min {second} s");
            }
        }
    }

    #[test]
    fn r5_9_a_dose_may_be_back_dated_by_two_hours() {
        for now in 10_000..10_060 {
            let recent = rate(now + 1, |_| Some(70));
            assert_eq!(recent.baseline_at(at(now - 7_200)).1, PulseRate::bpm(70), "at {now} s");
        }
        let recent = rate(10_000, |_| Some(70));
        assert_eq!(recent.baseline_at(at(1_000)), (None, None), "not remembered any more");
    }

    #[test]
    fn row_28_the_pulse_before_a_cuff_is_the_median_of_30_s() {
        // 60 until 100 s, 84 from then on, for 30 s, then lost under the cuff.
        let recent = rate(200, |t| if t < 100 { Some(60) } else { (t < 130).then_some(84) });
        assert_eq!(recent.pulse_before(at(129)), PulseRate::bpm(84));
        assert_eq!(recent.pulse_before(at(115)), PulseRate::bpm(84), "sixteen of thirty");
        assert_eq!(recent.pulse_before(at(113)), PulseRate::bpm(60));
        assert_eq!(recent.pulse_before(at(144)), PulseRate::bpm(84), "fifteen good seconds");
        assert_eq!(recent.pulse_before(at(145)), None);
    }

    #[test]
    fn row_33_a_pulse_that_falls_by_more_than_20_percent_in_two_minutes_is_told_with_the_rate_before() {
        let to = |low: u16| rate(211, move |t| Some(if t < 200 { 100 } else { low })).pulse_fallen_from(20);
        assert_eq!(to(80), None, "20 % is not more than 20 %");
        assert_eq!(to(79), PulseRate::bpm(100));
        assert_eq!(to(130), None);
        let after =
            |seconds: u64| rate(200 + seconds, move |t| Some(if t < 200 { 100 } else { 60 })).pulse_fallen_from(20);
        assert_eq!(after(10), None, "the bin is not over");
        assert_eq!(after(11), PulseRate::bpm(100));
        assert_eq!(after(120), PulseRate::bpm(100));
        assert_eq!(after(121), None, "longer ago than two minutes");
    }

    #[test]
    fn row_33_a_single_outlier_is_no_fall_and_a_lost_pulse_is_not_a_slow_one() {
        let outlier = rate(211, |t| Some(if t == 205 { 40 } else { 100 }));
        assert_eq!(outlier.pulse_fallen_from(20), None);
        let lost = rate(230, |t| (t < 200).then_some(100));
        assert_eq!(lost.pulse_fallen_from(20), None);
        // What was known before the loss stays known.
        let then_lost = rate(240, |t| if t < 200 { Some(100) } else { (t < 210).then_some(70) });
        assert_eq!(then_lost.pulse_fallen_from(20), PulseRate::bpm(100));
        assert_eq!(Recent::default().pulse_fallen_from(20), None);
    }

    #[test]
    fn a_new_session_remembers_nothing() {
        let mut recent = play(1_000, |_| Some(90), |_| Some(70));
        recent.clear();
        assert_eq!(recent, Recent::default());
    }
}
