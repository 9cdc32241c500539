//! SpO2 unavailable: one condition for every way in which good data can be missing (R6).
//!
//! R6.2 sums the time without good data; only 10 s of continuous good data forgets it. R6.3 watches a
//! signal that keeps coming and going: the share of good time in the last one and three minutes.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::output::{Phase, Priority};
use crate::monitor::preset::UnavailableTerms;
use crate::time::{Span, Time};

/// R6.3: the longer of its two windows, in bins of one second.
const LONG: u16 = 180;
/// Those, and the one that is running.
const BINS: u16 = LONG + 1;
/// R6.3: the shorter of its two windows, in bins of one second.
const SHORT: u16 = 60;
/// A signal that came and went is trusted again once this much of the last minute was good, percent:
/// without it the alarm itself would come and go.
const TRUSTED_AGAIN_PCT: u16 = 90;
/// A bin of nothing but good data, in milliseconds.
const FULL: u16 = 1_000;

/// The watch over the presence of good SpO2 data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    good: bool,
    /// The cuff is on the limb of the probe and inflated (R6.4): what is lost to it is no thin signal.
    shadow: bool,
    /// There is a value, but none to trust, or a sensor that gets none from a signal that it has.
    inadequate: bool,
    /// Time without good data since it was last forgotten.
    missing: Span,
    /// As much of it as was for any other reason than an inadequate signal.
    without: Span,
    /// Continuous good time.
    restored: Span,
    /// Milliseconds of good data in each of the last 180 s, and `newest`, the second that is running.
    bins: Vec<u16>,
    newest: u16,
    into_bin: u16,
    /// The beginning of the last loss.
    lost: Time,
    /// The end of the last loss but one: R6.3 judges a signal that comes and goes, R6.2 a single loss.
    earlier_loss_ended: Option<Time>,
    loss_ended: Option<Time>,
    /// R6.3, once raised.
    thin: Option<Priority>,
    /// How grave it has become since good data were last missed. Neither another reason nor the return of
    /// data makes it less: only what ends it (R6.1).
    risen: Option<Priority>,
}

impl Default for Unavailable {
    /// Nothing missed yet.
    fn default() -> Self {
        Self {
            good: true,
            shadow: false,
            inadequate: false,
            missing: Span::ZERO,
            without: Span::ZERO,
            restored: Span::ZERO,
            bins: vec![FULL; usize::from(BINS)],
            newest: 0,
            into_bin: 0,
            lost: Time::ZERO,
            earlier_loss_ended: None,
            loss_ended: None,
            thin: None,
            risen: None,
        }
    }
}

impl Unavailable {
    /// How long good data have been missing, in sum.
    #[must_use]
    pub const fn missing(&self) -> Span {
        self.missing
    }

    /// Lets `span` pass.
    pub fn advance(&mut self, span: Span) {
        if self.good {
            self.restored = self.restored + span;
        } else {
            self.missing = self.missing + span;
            if !self.inadequate {
                self.without = self.without + span;
            }
        }
        let mut left = span.as_millis();
        if left > u64::from(BINS) * u64::from(FULL) * 2 {
            left = u64::from(BINS) * u64::from(FULL) * 2 + left % u64::from(FULL);
        }
        while left > 0 {
            let room = FULL - self.into_bin;
            let step = u16::try_from(left).unwrap_or(u16::MAX).min(room);
            if let (false, Some(bin)) = (self.good || self.shadow, self.bins.get_mut(usize::from(self.newest))) {
                *bin = bin.saturating_sub(step);
            }
            self.into_bin += step;
            left -= u64::from(step);
            if self.into_bin == FULL {
                self.into_bin = 0;
                self.newest = (self.newest + 1) % BINS;
                if let Some(bin) = self.bins.get_mut(usize::from(self.newest)) {
                    *bin = FULL;
                }
            }
        }
    }

    /// Whether the data are good from now on, or inadequate rather than missing, and whether the cuff casts its
    /// shadow on them.
    pub fn judge(&mut self, good: bool, inadequate: bool, shadow: bool, now: Time) {
        self.inadequate = inadequate;
        let was_good = self.good || self.shadow;
        self.shadow = shadow;
        match (was_good, good || shadow) {
            (true, false) => {
                self.lost = now;
            }
            (false, true) if now > self.lost => {
                self.earlier_loss_ended = self.loss_ended;
                self.loss_ended = Some(now);
            }
            _ => {}
        }
        if self.good != good {
            self.restored = Span::ZERO;
        }
        self.good = good;
    }

    /// Draws the consequence of the time that has passed: forgets what was missing once good data have come
    /// for long enough (R6.1), judges the sum (R6.2) and a signal that comes and goes (R6.3). While the cuff casts
    /// its shadow (R6.4) nothing is raised; what is missing by then is counted.
    pub fn settle(&mut self, phase: Phase, third_baseline: bool, terms: &UnavailableTerms, now: Time) {
        if self.good && self.restored >= terms.reset {
            self.missing = Span::ZERO;
            self.without = Span::ZERO;
        }
        // Judged on whole seconds, so that it does not matter how often the box looks.
        if self.into_bin == 0 {
            let untrusted = self.share_below(SHORT, TRUSTED_AGAIN_PCT);
            self.thin = if untrusted { self.thin.max(self.thin(phase, terms, now)) } else { None };
        }
        let by_time = if self.good || self.shadow {
            None
        } else {
            let steps = steps(phase, third_baseline, terms).into_iter().flatten();
            steps.filter(|step| self.wait(step) == Span::ZERO).map(|step| step.priority).max()
        };
        let over = self.missing == Span::ZERO && self.thin.is_none();
        let thin = self.thin.filter(|_| !self.shadow);
        self.risen = if over { None } else { self.risen.max(by_time).max(thin) };
    }

    /// How grave the absence is; `None`: there is none, or not yet.
    #[must_use]
    pub const fn priority(&self) -> Option<Priority> {
        self.risen
    }

    /// How long until the priority can change if the data stay as they are.
    #[must_use]
    pub fn deadline(&self, phase: Phase, third_baseline: bool, terms: &UnavailableTerms, now: Time) -> Option<Span> {
        let by_time = if self.good {
            (self.missing > Span::ZERO).then(|| terms.reset.minus(self.restored))
        } else {
            // What counts the other time stands still.
            let steps = steps(phase, third_baseline, terms).into_iter().flatten();
            let running = steps.filter(|step| step.of == Of::All || !self.inadequate);
            running.map(|step| self.wait(&step)).filter(|wait| *wait > Span::ZERO).min()
        };
        // A loss that begins now counts with the next bin.
        let lost = !(self.good || self.shadow) && within(LONG, self.loss_ended, now);
        let watched = self.thin.is_some() || lost || self.comes_and_goes(LONG, now);
        let next_bin = watched.then(|| Span::millis(u64::from(FULL - self.into_bin)));
        [by_time, next_bin].into_iter().flatten().min()
    }

    /// What is missing to a step.
    const fn wait(&self, step: &Step) -> Span {
        match step.of {
            Of::All => step.after.minus(self.missing),
            Of::Without => step.after.minus(self.without),
        }
    }

    /// R6.3, in P1 to P3.
    fn thin(&self, phase: Phase, terms: &UnavailableTerms, now: Time) -> Option<Priority> {
        if matches!(phase, Phase::NoSession | Phase::Baseline) {
            return None;
        }
        if self.comes_and_goes(LONG, now) && self.share_below(LONG, terms.thin_high_pct) {
            Some(Priority::High)
        } else if self.comes_and_goes(SHORT, now) && self.share_below(SHORT, terms.thin_medium_pct) {
            Some(Priority::Medium)
        } else {
            None
        }
    }

    /// Whether at least two losses touch the last `seconds`: an unbroken one is R6.2's to judge. One that begins
    /// at this moment may be over at it, too: it has lasted no time, and is none.
    fn comes_and_goes(&self, seconds: u16, now: Time) -> bool {
        let lost = !(self.good || self.shadow) && now > self.lost;
        within(seconds, if lost { self.loss_ended } else { self.earlier_loss_ended }, now)
    }

    /// Whether less than `pct` of the last whole `seconds` was good.
    fn share_below(&self, seconds: u16, pct: u16) -> bool {
        // The bins are a ring: what is not before the newest stands at the end.
        let wanted = usize::from(seconds);
        let (before, after) = self.bins.split_at_checked(usize::from(self.newest)).unwrap_or_default();
        let at_the_end = wanted.saturating_sub(before.len());
        let last = before.iter().rev().take(wanted).chain(after.iter().rev().take(at_the_end));
        let good: u64 = last.map(|bin| u64::from(*bin)).sum();
        good * 100 < u64::from(pct) * u64::from(seconds) * u64::from(FULL)
    }
}

/// Whether it ended in the last `seconds`.
fn within(seconds: u16, ended: Option<Time>, now: Time) -> bool {
    ended.is_some_and(|ended| now.since(ended) < Span::secs(u64::from(seconds)))
}

/// R6.2: so much time without good data has this priority.
#[derive(Clone, Copy, Debug)]
struct Step {
    after: Span,
    of: Of,
    priority: Priority,
}

/// Which time counts. An inadequate signal may take longer; but a change of reason restarts nothing (R6.1), nor does
/// it turn seconds of a doubted value into seconds without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// All time without good data.
    All,
    /// Only that which was not for an inadequate signal.
    Without,
}

fn steps(phase: Phase, third_baseline: bool, terms: &UnavailableTerms) -> [Option<Step>; 4] {
    use Priority::{High, Low, Medium};
    let step = |after, of, priority| Some(Step { after, of, priority });
    match phase {
        Phase::NoSession | Phase::Baseline => {
            let medium = step(terms.baseline_medium, Of::All, Medium).filter(|_| third_baseline);
            [step(terms.baseline_low, Of::All, Low), medium, None, None]
        }
        Phase::Onset | Phase::Window => [
            step(terms.dosed_medium, Of::Without, Medium),
            step(terms.dosed_high, Of::Without, High),
            step(terms.dosed_inadequate_medium, Of::All, Medium),
            step(terms.dosed_inadequate_high, Of::All, High),
        ],
        Phase::Recovery => {
            [step(terms.recovery_medium, Of::All, Medium), step(terms.recovery_high, Of::All, High), None, None]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::preset::Preset;
    use crate::vitals::Absent;
    use std::vec::Vec;

    /// Plays `good(second)` in `phase` and returns each change of priority with its second.
    fn play(phase: Phase, reason: Absent, seconds: u64, good: impl Fn(u64) -> bool) -> Vec<(u64, Option<Priority>)> {
        let terms = Preset::kat_default_1().unavailable;
        let mut watch = Unavailable::default();
        let mut changes: Vec<(u64, Option<Priority>)> = Vec::new();
        for second in 0..seconds {
            let now = Time::from_millis(second * 1_000);
            watch.judge(good(second), reason == Absent::InadequateSignal, false, now);
            watch.settle(phase, false, &terms, now);
            let priority = watch.priority();
            if changes.last().and_then(|(_, last)| *last) != priority {
                changes.push((second, priority));
            }
            watch.advance(Span::secs(1));
        }
        changes
    }

    use Priority::{High, Low, Medium};

    #[test]
    fn r6_2_a_total_loss_in_the_window_is_medium_at_10_s_and_high_at_60_s() {
        for phase in [Phase::Onset, Phase::Window] {
            let changes = play(phase, Absent::SensorOff, 400, |t| t < 100);
            assert_eq!(changes, [(110, Some(Medium)), (160, Some(High))], "{phase}");
        }
    }

    #[test]
    fn r6_2_an_inadequate_signal_is_medium_at_20_s_and_high_at_90_s() {
        let changes = play(Phase::Window, Absent::InadequateSignal, 400, |t| t < 100);
        assert_eq!(changes, [(120, Some(Medium)), (190, Some(High))]);
    }

    #[test]
    fn r6_2_before_the_dose_it_is_low_and_in_recovery_it_waits_longer() {
        assert_eq!(play(Phase::Baseline, Absent::SensorOff, 400, |t| t < 100), [(120, Some(Low))]);
        assert_eq!(
            play(Phase::Recovery, Absent::SensorOff, 400, |t| t < 100),
            [(130, Some(Medium)), (220, Some(High))]
        );
    }

    #[test]
    fn r6_1_only_ten_seconds_of_continuous_good_data_end_it() {
        // Off for 20 s, then on for 9 s and off for 1 s, again and again: never ends, and adds up.
        let changes = play(Phase::Window, Absent::SensorOff, 600, |t| t >= 20 && t % 10 != 0);
        assert_eq!(changes.first(), Some(&(10, Some(Medium))));
        assert!(changes.iter().all(|(_, priority)| priority.is_some()), "{changes:?}");
        // Off for 20 s, then on for good.
        assert_eq!(play(Phase::Window, Absent::SensorOff, 100, |t| t >= 20), [(10, Some(Medium)), (30, None)]);
    }

    #[test]
    fn r6_1_neither_another_reason_nor_a_few_seconds_of_data_make_it_less() {
        let terms = Preset::kat_default_1().unavailable;
        let mut watch = Unavailable::default();
        let second = |watch: &mut Unavailable, t: u64, reason: Option<Absent>| {
            let now = Time::from_millis(t * 1_000);
            watch.judge(reason.is_none(), reason == Some(Absent::InadequateSignal), false, now);
            watch.settle(Phase::Onset, false, &terms, now);
            watch.advance(Span::secs(1));
            watch.priority()
        };
        let off = Some(Absent::SensorOff);
        let told: Vec<_> = (0..12).map(|t| second(&mut watch, t, off)).collect();
        assert_eq!((told[9], told[10]), (None, Some(Medium)));
        assert!((12..17).all(|t| second(&mut watch, t, None) == Some(Medium)), "data are back for five seconds");
        assert!((17..20).all(|t| second(&mut watch, t, Some(Absent::InadequateSignal)) == Some(Medium)));
        assert!((20..30).all(|t| second(&mut watch, t, None) == Some(Medium)));
        assert_eq!(second(&mut watch, 30, None), None, "ten seconds of good data");
    }

    #[test]
    fn r6_2_seconds_of_an_inadequate_signal_are_not_counted_as_seconds_without_any_when_the_reason_changes() {
        let terms = Preset::kat_default_1().unavailable;
        let told = |inadequate: u64| {
            let mut watch = Unavailable::default();
            for t in 0..200 {
                let now = Time::from_millis(t * 1_000);
                watch.judge(false, t < inadequate, false, now);
                watch.settle(Phase::Window, false, &terms, now);
                if watch.priority().is_some() {
                    return t;
                }
                watch.advance(Span::secs(1));
            }
            panic!("never told");
        };
        assert_eq!(told(0), 10);
        assert_eq!(told(8), 18, "10 s without any");
        assert_eq!(told(15), 20, "20 s without a good one");
        assert_eq!(told(60), 20);
    }

    #[test]
    fn r6_1_a_short_dropout_raises_nothing() {
        assert_eq!(play(Phase::Window, Absent::Searching, 600, |t| t % 20 >= 5), []);
    }

    #[test]
    fn r6_3_a_thin_signal_is_medium_and_a_very_thin_one_high() {
        // 11 s good, 6 s bad: each loss is forgotten, but only 65 % of a minute is good.
        let changes = play(Phase::Window, Absent::Searching, 900, |t| t % 17 < 11);
        // 18 s are missing at 17*3 + 12 = 63 s; it is raised once, and stays.
        assert_eq!(changes, [(63, Some(Medium))]);
        // 11 s good, 13 s bad in recovery (30 s to MEDIUM by R6.2): 46 % of three minutes.
        let changes = play(Phase::Recovery, Absent::Searching, 900, |t| t % 24 < 11);
        assert_eq!(changes.last().map(|(_, priority)| *priority), Some(Some(High)), "{changes:?}");
        assert!(changes.iter().all(|(t, _)| *t <= 200), "raised once each, and stays: {changes:?}");
        // It ends once a minute has been good again.
        let changes = play(Phase::Window, Absent::Searching, 900, |t| t > 300 || t % 17 < 11);
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(matches!(changes[1], (340..=366, None)), "{changes:?}");
    }

    #[test]
    fn r6_3_a_long_time_in_one_step_is_the_same_as_in_many() {
        for (ms, into) in [(1_700_u64, 0), (100_000, 0), (361_999, 300), (362_001, 0), (400_250, 999), (7_200_000, 1)] {
            let begun = || {
                let mut watch = Unavailable::default();
                watch.advance(Span::millis(into));
                watch.judge(false, false, false, Time::from_millis(into));
                watch
            };
            let (mut one, mut many) = (begun(), begun());
            one.advance(Span::millis(ms));
            (0..ms / 50).for_each(|_| many.advance(Span::millis(50)));
            many.advance(Span::millis(ms % 50));
            let shares = |watch: &Unavailable| [SHORT, LONG].map(|window| watch.share_below(window, 1));
            assert_eq!((shares(&one), one.into_bin, one.missing), (shares(&many), many.into_bin, many.missing), "{ms}");
        }
    }

    #[test]
    fn r6_3_one_unbroken_loss_in_recovery_is_not_called_thin() {
        assert_eq!(play(Phase::Recovery, Absent::SensorOff, 300, |t| !(100..125).contains(&t)), []);
    }
}
