//! The cuff: when to measure, what counts as an answer, when a reading is overdue, when it failed (R8, row 27).
//!
//! A determination is wanted for many reasons: the interval of the phase, a closer one after a grave reading or a
//! drug, a retry, a repeat, STAT. They come down to one moment, [`Cuff::next`], which is never before the cuff has
//! rested. A cuff that cannot be started is not asked then, but its reading is missed all the same.

use serde::{Deserialize, Serialize};

use crate::monitor::input::DeviceIndex;
use crate::monitor::output::{Phase, Priority};
use crate::monitor::preset::CuffTerms;
use crate::monitor::rates::Rates;
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState};
use crate::time::{Span, Time};
use crate::vitals::{BloodPressure, Measured, PulseRate};

/// R8.4: between two determinations, where the sheet of the device gives no figure of its own.
pub const RESTS: Span = Span::secs(30);
/// A determination that was asked for and of which nothing was heard. Longer than the driver's own
/// guard, which also stops the cuff: this one only keeps the schedule alive.
const UNHEARD: Span = Span::secs(240);
/// No cuff measures in less: a reading that comes sooner with the numbers of the one before is that one.
const MEASURES_FOR: Span = Span::secs(10);
/// A monitor counts the age of a reading in whole seconds: it may seem to be older by as much than it is.
const GRAIN: Span = Span::secs(2);
/// Trend-algorithms 11: overdue is LOW after this, or 0.2 x the interval if that is longer.
const OVERDUE_LOW_AT_LEAST: Span = Span::secs(60);
/// R8.1: it is measured more often until so many readings in a row are in range.
const IN_RANGE: u8 = 2;
/// R5.10: so many readings after an antihypertensive.
const AFTER_TREATMENT: u8 = 3;

/// The cuff of one bed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuff {
    source: Option<DeviceIndex>,
    starts: bool,
    rests: Span,
    inflation: Option<Inflation>,
    /// The newest numbers of the device.
    last: Option<Numbers>,
    /// Since when it measures again and again.
    stat: Option<Time>,
    /// Its pulse beside that of the oximeter.
    rates: Rates,
    plan: Option<Plan>,
}

/// The determination under way, or the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inflation {
    /// When it was started, or first seen.
    pub since: Time,
    /// When it ended, with a pressure or without.
    pub ended: Option<Time>,
    /// One of many in a row (STAT).
    pub stat: bool,
}

/// What a device said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    measured_at: Time,
    pressure: BloodPressure,
    pulse: Measured<PulseRate>,
}

/// What is planned while a session is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    /// When the session was opened.
    opened: Time,
    /// The phase whose cadence holds.
    phase: Phase,
    /// The present interval.
    interval: Span,
    /// When it last became shorter: nothing was due before.
    tightened: Time,
    /// From when the interval counts: the newest valid reading, or an attempt that failed after it.
    from: Time,
    /// From when overdue counts: the newest valid reading, the opening of the session, the end of a standby.
    since: Time,
    /// One that is wanted beside the interval: the first, a retry, a repeat.
    wish: Option<Time>,
    /// R8.1: one that is wanted at a fixed time after the dose.
    extra: Option<Time>,
    /// Measured more often: so many readings in a row have been in range.
    close: Option<u8>,
    /// Measured more often for so many readings.
    treated: u8,
    /// Failures in a row, and why the last one failed.
    failures: u8,
    failure: Option<CuffFailure>,
    /// How grave the lack of a reading has become; only a reading ends it, and no phase eases it (R5.5).
    overdue: Option<Priority>,
    /// The patient is disconnected for a while.
    suspended: bool,
}

impl Cuff {
    /// The cuff of `source`; `starts`: it can be told to measure; `rests`: its safe wait.
    #[must_use]
    pub fn new(source: Option<DeviceIndex>, starts: bool, rests: Span) -> Self {
        Self { source, starts, rests, ..Self::default() }
    }

    /// The device, if the bed has one.
    #[must_use]
    pub const fn source(&self) -> Option<DeviceIndex> {
        self.source
    }

    /// Whether it can be told to measure.
    #[must_use]
    pub const fn starts(&self) -> bool {
        self.starts
    }

    /// When the next reading is due; `None`: one is under way, or nothing is planned.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        if self.under_way() {
            return None;
        }
        let planned = self.plan.as_ref().and_then(Plan::next);
        let next = self.stat.map_or(planned, |since| Some(planned.map_or(since, |at| at.min(since))))?;
        Some(self.rested_at().map_or(next, |rested| next.max(rested)))
    }

    /// When it may be started again (R8.4).
    #[must_use]
    pub fn rested_at(&self) -> Option<Time> {
        self.inflation.and_then(|inflation| inflation.ended).map(|ended| ended + self.rests)
    }

    /// Whether a determination is under way.
    #[must_use]
    pub fn under_way(&self) -> bool {
        self.inflation.is_some_and(|inflation| inflation.ended.is_none())
    }

    /// The determination under way, or the last one (R6.4).
    #[must_use]
    pub const fn inflation(&self) -> Option<Inflation> {
        self.inflation
    }

    /// Whether it measures again and again.
    #[must_use]
    pub const fn stat(&self) -> bool {
        self.stat.is_some()
    }

    /// Whether the patient is disconnected for a while.
    #[must_use]
    pub fn suspended(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.suspended)
    }

    /// The pulse of the oximeter before a determination that was not seen to begin (row 28).
    pub const fn begin_rates(&mut self, before: Option<PulseRate>) {
        self.rates.begin(before);
    }

    /// Whether readings are waited for.
    #[must_use]
    pub const fn planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Why the last two determinations failed (R8.2): the reason of the second.
    #[must_use]
    pub fn failed_twice(&self) -> Option<CuffFailure> {
        self.plan.as_ref().filter(|plan| plan.failures >= 2).and_then(|plan| plan.failure)
    }

    /// The pulse of the oximeter and of the cuff, if they disagree (row 28).
    #[must_use]
    pub fn rates_disagree(&self) -> Option<(PulseRate, PulseRate)> {
        self.rates.disagree()
    }

    // The session.

    /// The session opens: the first reading is due now.
    pub fn open(&mut self, now: Time) {
        self.rates = Rates::default();
        self.plan = self.source.map(|_| Plan::from(now));
    }

    /// The session closes.
    pub fn close(&mut self) {
        self.plan = None;
        self.stat = None;
        self.rates = Rates::default();
    }

    /// The cadence follows the phase, and until there is a baseline that (R8.1).
    pub fn follow(&mut self, phase: Phase, wants_baseline: bool, now: Time, terms: &CuffTerms) {
        let Some(plan) = &mut self.plan else { return };
        plan.phase = phase;
        let regular = terms.regular(phase);
        let baseline = if wants_baseline { terms.baseline } else { regular };
        let close = if plan.close.is_some() || plan.treated > 0 { terms.close } else { regular };
        let interval = regular.min(baseline).min(close);
        if interval < plan.interval {
            plan.tightened = now;
        }
        plan.interval = interval;
    }

    /// The baseline is measured anew: from now on.
    pub fn retake_baseline(&mut self, now: Time) {
        self.wish(now);
    }

    /// One is wanted at `at`, whatever the interval says: 40 min after an intranasal dose (R8.1).
    pub fn extra_at(&mut self, at: Time) {
        if let Some(plan) = &mut self.plan {
            plan.extra = Some(at);
        }
    }

    /// A sedative was given: closer, until two readings are in range (R8.1).
    pub fn sedated(&mut self, _now: Time) {
        if let Some(plan) = &mut self.plan {
            plan.close = Some(0);
        }
    }

    /// An antihypertensive was given: closer, for three readings (R5.10).
    pub fn treated(&mut self, _now: Time) {
        if let Some(plan) = &mut self.plan {
            plan.treated = AFTER_TREATMENT;
        }
    }

    /// The patient is disconnected for a while: nothing is due and nothing overdue (R5.6).
    pub fn suspend(&mut self, _now: Time) {
        self.stat = None;
        if let Some(plan) = &mut self.plan {
            plan.suspended = true;
            plan.overdue = None;
        }
    }

    /// The patient is back. What was missed is measured now, and is not late yet.
    pub fn resume(&mut self, now: Time) {
        if let Some(plan) = self.plan.as_mut().filter(|plan| plan.suspended) {
            plan.suspended = false;
            plan.since = plan.since.max(now);
        }
    }

    // A determination.

    /// The time has come to start one, if the device is there.
    #[must_use]
    pub fn due(&self, now: Time) -> bool {
        self.starts && self.next().is_some_and(|next| next <= now)
    }

    /// From now on again and again, for a while (R8.4).
    pub const fn start_stat(&mut self, now: Time) {
        self.stat = Some(now);
    }

    /// Somebody stops it: what is under way ends with a result that says so.
    pub const fn stop(&mut self) {
        self.stat = None;
    }

    /// One begins. `pulse`: as the oximeter counted it before.
    pub fn started(&mut self, pulse: Option<PulseRate>, now: Time) {
        self.inflation = Some(Inflation { since: now, ended: None, stat: self.stat.is_some() });
        self.rates.begin(pulse);
        if let Some(plan) = &mut self.plan {
            plan.wish = None;
            plan.extra = plan.extra.filter(|at| *at > now);
        }
    }

    /// Whether what the device says it is doing is news: it inflates, and we did not know.
    #[must_use]
    pub fn begins(&self, state: CuffState) -> bool {
        // Idle says nothing: the result follows, or followed; without one the guard above takes over.
        state == CuffState::Inflating && !self.under_way()
    }

    /// A determination ended, with or without a pressure. What it comes to: a monitor that gives the reading before
    /// as a new one has failed; `None`: this does not answer what was asked, and that is still under way.
    pub fn take_result(&mut self, result: &CuffResult, now: Time, terms: &CuffTerms) -> Option<CuffResult> {
        let result = self.checked(result, now)?;
        if result.origin != CuffOrigin::Manual {
            self.end(&result, now);
        }
        let Some(plan) = &mut self.plan else { return Some(result) };
        match result.pressure {
            Ok(_) if result.origin == CuffOrigin::Manual || result.measured_at >= plan.opened => plan.measured(&result),
            Ok(_) => {}
            // Somebody wanted it to stop: it does not start again in a minute.
            Err(CuffFailure::Cancelled) => (plan.from, plan.wish) = (now, None),
            Err(failure) => {
                plan.failures = plan.failures.saturating_add(1);
                plan.failure = Some(failure);
                plan.from = now;
                plan.wish = (plan.failures == 1).then_some(now + terms.retry);
            }
        }
        Some(result)
    }

    /// What a valid reading means for the next: whether it left everything in range (R8.1), and whether it is to
    /// be repeated, and how soon (R8.2).
    pub fn judged(&mut self, in_range: bool, repeat: Option<Span>, now: Time) {
        if let Some(plan) = &mut self.plan {
            plan.close = match plan.close {
                _ if !in_range => Some(0),
                Some(before) => Some(before.saturating_add(1)).filter(|so_many| *so_many < IN_RANGE),
                None => None,
            };
        }
        if let Some(wait) = repeat {
            self.wish(now + wait);
        }
    }

    /// One is wanted at `at`, if none is sooner.
    pub fn wish(&mut self, at: Time) {
        if let Some(plan) = &mut self.plan {
            plan.wish = Some(plan.wish.map_or(at, |wish| wish.min(at)));
        }
    }

    /// The way to the device is lost: what was under way will not be heard of.
    pub fn lost(&mut self, now: Time) {
        if let Some(inflation) = self.inflation.as_mut().filter(|inflation| inflation.ended.is_none()) {
            inflation.ended = Some(now);
            self.wish(now);
        }
    }

    // Time.

    /// Whether a determination that was asked for has gone unheard for too long.
    #[must_use]
    pub fn unheard(&self, now: Time) -> bool {
        self.unheard_at().is_some_and(|at| at <= now)
    }

    /// Ends STAT, and lets the lack of a reading become graver (row 27, trend-algorithms 11); held while one is
    /// under way, for three minutes at most (R8.4).
    pub fn settle(&mut self, now: Time, terms: &CuffTerms) {
        self.stat = self.stat.filter(|since| now.since(*since) < terms.stat_at_most);
        let inflating = self.inflation.filter(|inflation| inflation.ended.is_none()).map(|inflation| inflation.since);
        let Some(plan) = self.plan.as_mut().filter(|plan| !plan.suspended) else { return };
        if inflating.is_some_and(|since| now.since(since) < terms.inflating_at_most) {
            return;
        }
        let [low, medium] = plan.overdue_at();
        let by_time = if medium <= now { Some(Priority::Medium) } else { (low <= now).then_some(Priority::Low) };
        plan.overdue = plan.overdue.max(by_time);
    }

    /// How grave it is that there is no reading, and since when one has been due.
    #[must_use]
    pub fn overdue(&self) -> Option<(Priority, Time)> {
        let plan = self.plan.as_ref()?;
        plan.overdue.map(|priority| (priority, plan.due()))
    }

    /// When something will change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self, now: Time, terms: &CuffTerms) -> Option<Time> {
        let [low, medium] = match self.plan.as_ref().filter(|plan| !plan.suspended) {
            Some(plan) => plan.overdue_at().map(Some),
            None => [None, None],
        };
        let inflating = self.inflation.filter(|inflation| inflation.ended.is_none());
        let held = inflating.map(|inflation| inflation.since + terms.inflating_at_most);
        let stat = self.stat.map(|since| since + terms.stat_at_most);
        [self.next().filter(|_| self.starts), self.unheard_at(), low, medium, held, stat]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    fn unheard_at(&self) -> Option<Time> {
        self.inflation.filter(|inflation| inflation.ended.is_none()).map(|inflation| inflation.since + UNHEARD)
    }

    /// The result as it is to be taken.
    fn checked(&self, result: &CuffResult, now: Time) -> Option<CuffResult> {
        let CuffResult { measured_at, pulse, .. } = *result;
        let told =
            |last: &Numbers| (last.measured_at, Ok(last.pressure), last.pulse) == (measured_at, result.pressure, pulse);
        if result.origin == CuffOrigin::Bedside && self.last.as_ref().is_some_and(told) {
            return None; // told twice, it is still one determination
        }
        let (CuffOrigin::Schedule, Ok(pressure)) = (result.origin, result.pressure) else { return Some(*result) };
        let since = self.inflation.filter(|inflation| inflation.ended.is_none()).map(|inflation| inflation.since);
        let old = self.last.is_some_and(|last| last.measured_at == measured_at);
        if old || since.is_some_and(|since| measured_at + GRAIN < since) {
            return None;
        }
        let sooner = since.is_some_and(|since| now.since(since) < MEASURES_FOR);
        let same = self.last.is_some_and(|last| (last.pressure, last.pulse) == (pressure, pulse));
        let pressure = if sooner && same { Err(CuffFailure::Repeated) } else { Ok(pressure) };
        Some(CuffResult { pressure, ..*result })
    }

    /// The determination that this belongs to is over.
    fn end(&mut self, result: &CuffResult, now: Time) {
        match &mut self.inflation {
            // A reading of the bedside from before ours was started does not end ours.
            Some(Inflation { since, ended: None, .. })
                if result.origin == CuffOrigin::Bedside && result.measured_at + GRAIN < *since => {}
            Some(inflation @ Inflation { ended: None, .. }) => inflation.ended = Some(now),
            // It was not seen to begin.
            inflation => *inflation = Some(Inflation { since: result.measured_at, ended: Some(now), stat: false }),
        }
        self.rates.end(result.pulse.good());
        if let Ok(pressure) = result.pressure {
            self.last = Some(Numbers { measured_at: result.measured_at, pressure, pulse: result.pulse });
        }
    }
}

impl CuffTerms {
    /// The interval of a phase.
    pub(super) const fn regular(&self, phase: Phase) -> Span {
        match phase {
            Phase::NoSession | Phase::Baseline => self.baseline_after,
            Phase::Onset | Phase::Window => self.dosed,
            Phase::Recovery => self.recovery,
        }
    }
}

impl Plan {
    /// A session that opens at `now`.
    const fn from(now: Time) -> Self {
        Self {
            opened: now,
            phase: Phase::Baseline,
            interval: Span::ZERO,
            tightened: now,
            from: now,
            since: now,
            wish: Some(now),
            extra: None,
            close: None,
            treated: 0,
            failures: 0,
            failure: None,
            overdue: None,
            suspended: false,
        }
    }

    fn next(&self) -> Option<Time> {
        let regular = self.from + self.interval;
        let sooner = [self.wish, self.extra.filter(|at| *at > self.from)];
        (!self.suspended).then(|| sooner.into_iter().flatten().fold(regular, Time::min))
    }

    /// A valid reading of this session. One that was typed in late answers nothing that came after it.
    fn measured(&mut self, result: &CuffResult) {
        (self.failures, self.failure, self.overdue) = (0, None, None);
        if result.measured_at >= self.from {
            self.wish = None;
        }
        self.from = self.from.max(result.measured_at);
        self.since = self.since.max(result.measured_at);
        self.extra = self.extra.filter(|at| *at > self.from);
        self.treated = self.treated.saturating_sub(1);
    }

    /// When a reading has been due.
    fn due(&self) -> Time {
        (self.since + self.interval).max(self.tightened)
    }

    /// When the lack of a reading is LOW and when MEDIUM: after the second reading missed, in the window
    /// after one and a half.
    fn overdue_at(&self) -> [Time; 2] {
        let late = if self.phase == Phase::Window { self.interval.scaled(1, 2) } else { self.interval };
        [self.due() + OVERDUE_LOW_AT_LEAST.max(self.interval.scaled(1, 5)), self.due() + late]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::preset::Preset;
    use crate::vitals::Absent;
    use std::vec::Vec;

    const CUFF: DeviceIndex = DeviceIndex(1);
    /// The pulse of most readings.
    const NOT_COUNTED: Measured<PulseRate> = Measured::Absent(Absent::NotMeasured);

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    fn terms() -> CuffTerms {
        Preset::kat_default_1().cuff
    }

    /// A cuff whose session was opened at 0, with its first reading behind it.
    struct Bench {
        cuff: Cuff,
        phase: Phase,
        terms: CuffTerms,
    }

    impl Bench {
        fn in_phase(phase: Phase) -> Self {
            let mut cuff = Cuff::new(Some(CUFF), true, RESTS);
            cuff.open(s(0));
            let mut bench = Self { cuff, phase, terms: terms() };
            bench.follow(0);
            bench
        }

        fn follow(&mut self, at: u64) {
            self.cuff.follow(self.phase, false, s(at), &self.terms);
            self.cuff.settle(s(at), &self.terms);
        }

        fn takes(&mut self, at: u64, measured_at: u64, pressure: Result<u16, CuffFailure>) -> Option<CuffResult> {
            let pressure = pressure.map(|systolic| BloodPressure::full(systolic, 78, None).unwrap());
            let result = CuffResult {
                at: s(at),
                measured_at: s(measured_at),
                origin: CuffOrigin::Schedule,
                pressure,
                pulse: NOT_COUNTED,
            };
            let taken = self.cuff.take_result(&result, s(at), &self.terms);
            if taken.is_some_and(|taken| taken.pressure.is_ok()) {
                self.cuff.judged(true, None, s(at));
            }
            self.follow(at);
            taken
        }

        /// One that is started and ends half a minute later.
        fn measures(&mut self, at: u64) {
            self.cuff.started(None, s(at));
            self.takes(at + 30, at + 30, Ok(126));
        }

        fn fails(&mut self, at: u64, failure: CuffFailure) {
            self.takes(at, at, Err(failure));
        }

        fn overdue(&mut self, at: u64) -> Option<Priority> {
            self.follow(at);
            self.cuff.overdue().map(|(priority, _)| priority)
        }
    }

    #[test]
    fn r8_1_the_interval_follows_the_phase_and_before_the_dose_the_baseline() {
        let mut bench = Bench::in_phase(Phase::Baseline);
        assert!(bench.cuff.due(s(0)), "the first is due when the session opens");
        bench.cuff.follow(Phase::Baseline, true, s(0), &terms());
        bench.cuff.started(None, s(0));
        assert_eq!(bench.cuff.next(), None, "while one is under way");
        bench.takes(30, 30, Ok(126));
        bench.cuff.follow(Phase::Baseline, true, s(30), &terms());
        assert_eq!(bench.cuff.next(), Some(s(30 + 120)));
        for (phase, interval) in
            [(Phase::Baseline, 600), (Phase::Onset, 600), (Phase::Window, 600), (Phase::Recovery, 900)]
        {
            bench.phase = phase;
            bench.follow(40);
            assert_eq!(bench.cuff.next(), Some(s(30 + interval)), "{phase}");
        }
    }

    #[test]
    fn r8_1_closer_after_a_grave_reading_until_two_in_a_row_are_in_range() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        bench.cuff.judged(false, None, s(30));
        bench.follow(30);
        assert_eq!(bench.cuff.next(), Some(s(330)));
        bench.measures(330);
        assert_eq!(bench.cuff.next(), Some(s(360 + 300)), "one is not enough");
        bench.cuff.judged(false, None, s(360));
        bench.measures(660);
        assert_eq!(bench.cuff.next(), Some(s(690 + 300)), "it starts again");
        bench.measures(990);
        assert_eq!(bench.cuff.next(), Some(s(1_020 + 600)));
    }

    #[test]
    fn r8_1_closer_after_a_sedative_and_what_was_not_due_before_is_not_overdue() {
        let mut bench = Bench::in_phase(Phase::Recovery);
        bench.measures(0);
        bench.cuff.sedated(s(800));
        assert_eq!(bench.overdue(800), None);
        assert!(bench.cuff.due(s(800)), "five minutes have passed");
        assert_eq!(bench.overdue(859), None);
        assert_eq!(bench.overdue(860), Some(Priority::Low));
    }

    #[test]
    fn r5_10_three_readings_five_minutes_apart_after_an_antihypertensive() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        bench.cuff.treated(s(60));
        bench.follow(60);
        for start in [330, 660, 990] {
            assert_eq!(bench.cuff.next(), Some(s(start)));
            bench.measures(start);
        }
        assert_eq!(bench.cuff.next(), Some(s(1_020 + 600)));
    }

    #[test]
    fn r8_1_one_at_forty_minutes_and_only_one() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.extra_at(s(2_400));
        bench.measures(2_000);
        assert_eq!(bench.cuff.next(), Some(s(2_400)));
        bench.measures(2_400);
        assert_eq!(bench.cuff.next(), Some(s(2_430 + 600)));
    }

    #[test]
    fn r8_2_a_repeat_is_counted_from_the_end_of_the_last() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.started(None, s(0));
        bench.takes(45, 40, Ok(184));
        bench.cuff.judged(false, Some(Span::mins(2)), s(45));
        bench.follow(45);
        assert_eq!(bench.cuff.next(), Some(s(45 + 120)));
        bench.measures(165);
        assert_eq!(bench.cuff.next(), Some(s(195 + 300)), "and once");
    }

    #[test]
    fn r8_2_a_failure_is_retried_once_after_a_minute_and_the_second_is_told() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.fails(40, CuffFailure::PumpTimeout);
        assert_eq!((bench.cuff.next(), bench.cuff.failed_twice()), (Some(s(100)), None));
        bench.fails(140, CuffFailure::NoAnswer);
        assert_eq!((bench.cuff.next(), bench.cuff.failed_twice()), (Some(s(740)), Some(CuffFailure::NoAnswer)));
        bench.fails(780, CuffFailure::Failed);
        assert_eq!(bench.cuff.next(), Some(s(1_380)), "no further retry, and the schedule goes on");
        bench.takes(1_400, 1_400, Ok(126));
        assert_eq!(bench.cuff.failed_twice(), None);
        bench.fails(2_000, CuffFailure::Failed);
        assert_eq!(bench.cuff.next(), Some(s(2_060)), "a new failure is retried again");
    }

    #[test]
    fn a_determination_that_somebody_stops_is_no_failure_and_does_not_start_again_at_once() {
        let mut bench = Bench::in_phase(Phase::Window);
        for at in [40, 700] {
            bench.cuff.started(None, s(at));
            bench.fails(at + 10, CuffFailure::Cancelled);
            assert_eq!(bench.cuff.next(), Some(s(at + 10 + 600)));
        }
        assert_eq!(bench.cuff.failed_twice(), None);
        assert!(bench.overdue(900).is_some(), "and no reading either");
    }

    #[test]
    fn r8_4_the_cuff_rests_before_it_is_started_again() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.started(None, s(0));
        bench.takes(40, 40, Ok(126));
        bench.cuff.retake_baseline(s(45));
        assert!(!bench.cuff.due(s(69)));
        assert_eq!(bench.cuff.next(), Some(s(70)));
        assert!(bench.cuff.due(s(70)));
    }

    #[test]
    fn r8_4_stat_measures_again_and_again_and_ends_after_five_minutes() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        bench.cuff.start_stat(s(60));
        let mut starts = Vec::new();
        let mut at = 60;
        while at < 700 {
            bench.follow(at);
            if bench.cuff.due(s(at)) {
                starts.push(at);
                bench.measures(at);
                assert_eq!(bench.cuff.inflation().map(|last| last.stat), Some(at < 700));
            }
            at += 1;
        }
        assert_eq!(starts, [60, 120, 180, 240, 300], "none at 360 or later");
        assert_eq!(bench.cuff.next(), Some(s(330 + 600)));
    }

    #[test]
    fn r8_4_a_stop_ends_stat() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.start_stat(s(0));
        bench.measures(0);
        assert_eq!(bench.cuff.next(), Some(s(60)));
        bench.cuff.stop();
        assert_eq!(bench.cuff.next(), Some(s(630)));
    }

    #[test]
    fn row_27_worked_in_the_window_low_after_a_minute_and_medium_after_half_an_interval() {
        // trend-algorithms 11: interval 300 s, last at 0 -> due 300, LOW 360, MEDIUM 450.
        let mut bench = Bench::in_phase(Phase::Window);
        bench.terms.dosed = Span::secs(300);
        bench.cuff.open(s(0));
        bench.takes(0, 0, Ok(126));
        assert_eq!([bench.overdue(359), bench.overdue(360)], [None, Some(Priority::Low)]);
        assert_eq!([bench.overdue(449), bench.overdue(450)], [Some(Priority::Low), Some(Priority::Medium)]);
    }

    #[test]
    fn row_27_worked_in_recovery_low_after_a_fifth_and_medium_after_a_whole_interval() {
        // trend-algorithms 11: interval 900 s -> due 900, LOW 1080, MEDIUM 1800.
        let mut bench = Bench::in_phase(Phase::Recovery);
        bench.takes(0, 0, Ok(126));
        assert_eq!([bench.overdue(1_079), bench.overdue(1_080)], [None, Some(Priority::Low)]);
        assert_eq!([bench.overdue(1_799), bench.overdue(1_800)], [Some(Priority::Low), Some(Priority::Medium)]);
        assert_eq!(bench.cuff.overdue().map(|(_, due)| due), Some(s(900)));
    }

    #[test]
    fn r8_4_a_cuff_that_is_inflating_holds_the_alarm_for_three_minutes_at_most() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.takes(0, 0, Ok(126));
        bench.cuff.started(None, s(650));
        assert_eq!(bench.overdue(829), None);
        assert!(bench.overdue(830).is_some());
    }

    #[test]
    fn r5_6_on_standby_nothing_is_due_or_overdue_and_the_clock_starts_again() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        assert!(bench.overdue(1_000).is_some());
        bench.cuff.suspend(s(1_000));
        assert_eq!((bench.overdue(3_000), bench.cuff.next()), (None, None));
        assert_eq!(bench.cuff.deadline(s(3_000), &terms()), None);
        bench.cuff.resume(s(3_000));
        assert!(bench.cuff.due(s(3_000)), "what was missed is measured now");
        assert_eq!([bench.overdue(3_719), bench.overdue(3_720)], [None, Some(Priority::Low)]);
    }

    #[test]
    fn a_scheduled_start_waits_for_a_reading_that_is_under_way_at_the_bedside() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.takes(0, 0, Ok(126));
        assert!(bench.cuff.begins(CuffState::Inflating));
        bench.cuff.started(None, s(590));
        assert!(!bench.cuff.begins(CuffState::Inflating), "that is known");
        assert!(!bench.cuff.due(s(600)));
        bench.takes(620, 620, Ok(126));
        assert!(!bench.cuff.due(s(1_219)) && bench.cuff.due(s(1_220)), "ten minutes after that reading");
    }

    #[test]
    fn a_determination_that_is_never_heard_of_does_not_stop_the_schedule() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.started(None, s(0));
        assert!(!bench.cuff.unheard(s(239)));
        assert_eq!(bench.cuff.deadline(s(200), &terms()), Some(s(240)));
        assert!(bench.cuff.unheard(s(240)));
    }

    #[test]
    fn a_result_from_before_the_start_does_not_answer_it() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        bench.cuff.started(None, s(630));
        assert_eq!(bench.takes(640, 30, Ok(126)), None, "the one before");
        assert_eq!(bench.takes(640, 627, Ok(130)), None, "older than a whole second can make it");
        assert!(bench.cuff.under_way());
        assert!(bench.takes(660, 629, Ok(126)).is_some_and(|taken| taken.pressure.is_ok()));
        assert!(!bench.cuff.under_way());
    }

    #[test]
    fn the_same_numbers_sooner_than_a_cuff_can_measure_are_a_failure() {
        let taken = |after: u64, systolic| {
            let mut bench = Bench::in_phase(Phase::Window);
            bench.measures(0);
            bench.cuff.started(None, s(630));
            bench.takes(630 + after, 630 + after, Ok(systolic)).map(|taken| taken.pressure.err())
        };
        assert_eq!(taken(9, 126), Some(Some(CuffFailure::Repeated)));
        assert_eq!(taken(10, 126), Some(None), "a cuff may have measured it");
        assert_eq!(taken(9, 127), Some(None), "other numbers");
    }

    #[test]
    fn r8_3_a_cuff_that_cannot_be_started_is_never_asked_but_is_due_and_missed() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff = Cuff::new(Some(CUFF), false, RESTS);
        bench.cuff.open(s(0));
        bench.takes(0, 0, Ok(126));
        assert_eq!(bench.cuff.next(), Some(s(600)));
        assert!(!bench.cuff.due(s(10_000)));
        assert!(bench.overdue(10_000).is_some());
    }

    #[test]
    fn a_bed_without_a_cuff_misses_nothing() {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff = Cuff::default();
        bench.cuff.open(s(0));
        assert_eq!(bench.overdue(10_000), None);
    }
}
