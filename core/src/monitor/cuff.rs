//! The cuff: when to measure, when a reading is overdue, when it failed (R8.1, R8.2, R8.4, row 27).

use serde::{Deserialize, Serialize};

use crate::monitor::input::DeviceIndex;
use crate::monitor::output::{Phase, Priority};
use crate::monitor::preset::CuffTerms;
use crate::sample::{CuffOrigin, CuffResult, CuffState};
use crate::time::{Span, Time};

/// R8.1: as many readings make the baseline.
const BASELINE_READINGS: u8 = 3;
/// A determination that was asked for and of which nothing was heard. Longer than the driver's own
/// guard, which also stops the cuff: this one only keeps the schedule alive.
const UNHEARD: Span = Span::secs(240);
/// Trend-algorithms 11: overdue is LOW after this, or 0.2 x the interval if that is longer.
const OVERDUE_LOW_AT_LEAST: Span = Span::secs(60);

/// The schedule of one bed's cuff during a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuff {
    source: Option<DeviceIndex>,
    starts: bool,
    plan: Option<Plan>,
}

/// What is planned while a session is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    /// When the session was opened.
    opened: Time,
    /// From when overdue counts: the newest valid reading, or the opening of the session.
    since: Time,
    /// When to start the next one; `None` while one is under way.
    next: Option<Time>,
    /// Since when one is under way.
    under_way: Option<Time>,
    /// Valid readings before the dose.
    baseline: u8,
    /// Failures in a row.
    failures: u8,
    /// How grave the lack of a reading has become; only a reading ends it, and no phase eases it (R5.5).
    overdue: Option<Priority>,
}

impl Cuff {
    /// The cuff of `source`; `starts`: it can be told to measure.
    #[must_use]
    pub const fn new(source: Option<DeviceIndex>, starts: bool) -> Self {
        Self { source, starts, plan: None }
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
        self.plan.as_ref().filter(|_| self.starts).and_then(|plan| plan.next)
    }

    /// Whether a determination is under way.
    #[must_use]
    pub fn under_way(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.under_way.is_some())
    }

    /// Whether the last two determinations failed (R8.2).
    #[must_use]
    pub fn failed_twice(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.failures >= 2)
    }

    /// The session opens: the first reading is due now.
    pub fn open(&mut self, now: Time) {
        self.plan = self.source.map(|_| Plan {
            opened: now,
            since: now,
            next: Some(now),
            under_way: None,
            baseline: 0,
            failures: 0,
            overdue: None,
        });
    }

    /// The session closes.
    pub fn close(&mut self) {
        self.plan = None;
    }

    /// The phase changed: the next reading follows the new interval, and a retry stays.
    pub fn change_phase(&mut self, phase: Phase, terms: &CuffTerms) {
        let Some(plan) = &mut self.plan else { return };
        if plan.failures == 0 && plan.next.is_some() {
            plan.next = Some(plan.since + plan.interval(phase, terms));
        }
    }

    /// The time has come to start one, if the device is there.
    #[must_use]
    pub fn due(&self, now: Time) -> bool {
        self.next().is_some_and(|next| next <= now) && !self.under_way()
    }

    /// One was started.
    pub fn started(&mut self, now: Time) {
        if let Some(plan) = &mut self.plan {
            plan.next = None;
            plan.under_way = Some(now);
        }
    }

    /// What the device says it is doing.
    pub fn take_state(&mut self, state: CuffState, now: Time) {
        if let Some(plan) = &mut self.plan {
            match state {
                CuffState::Inflating => {
                    plan.under_way.get_or_insert(now);
                }
                // The result follows, or followed; without one the guard above takes over.
                CuffState::Idle => {}
            }
        }
    }

    /// A determination ended, with or without a pressure.
    pub fn take_result(&mut self, result: &CuffResult, phase: Phase, now: Time, terms: &CuffTerms) {
        let Some(plan) = &mut self.plan else { return };
        if result.origin != CuffOrigin::Manual {
            plan.under_way = None;
        }
        let of_this_session = result.origin == CuffOrigin::Manual || result.measured_at >= plan.opened;
        if result.pressure.is_ok() && of_this_session {
            plan.failures = 0;
            plan.overdue = None;
            plan.since = plan.since.max(result.measured_at);
            if phase == Phase::Baseline {
                plan.baseline = plan.baseline.saturating_add(1);
            }
            let next = plan.since + plan.interval(phase, terms);
            plan.next = plan.under_way.is_none().then_some(next);
        } else if result.pressure.is_err() {
            plan.failures = plan.failures.saturating_add(1);
            let wait = if plan.failures == 1 { terms.retry } else { plan.interval(phase, terms) };
            plan.next = Some(now + wait);
        }
    }

    /// The way to the device is lost: what was under way will not be heard of.
    pub fn lost(&mut self, now: Time) {
        if let Some(plan) = &mut self.plan
            && plan.under_way.take().is_some()
        {
            plan.next = Some(now);
        }
    }

    /// Whether a determination that was asked for has gone unheard for too long.
    #[must_use]
    pub fn unheard(&self, now: Time) -> bool {
        self.unheard_at().is_some_and(|at| at <= now)
    }

    /// Lets the lack of a reading become graver (row 27, trend-algorithms 11); held while one is under way, for
    /// three minutes at most (R8.4).
    pub fn settle(&mut self, phase: Phase, now: Time, terms: &CuffTerms) {
        let Some(plan) = &mut self.plan else { return };
        if plan.under_way.is_some_and(|since| now.since(since) < terms.inflating_at_most) {
            return;
        }
        let [low, medium] = plan.overdue_at(phase, terms);
        let by_time = if medium <= now { Some(Priority::Medium) } else { (low <= now).then_some(Priority::Low) };
        plan.overdue = plan.overdue.max(by_time);
    }

    /// How grave it is that there is no reading, and since when one has been due.
    #[must_use]
    pub fn overdue(&self, phase: Phase, terms: &CuffTerms) -> Option<(Priority, Time)> {
        let plan = self.plan.as_ref()?;
        plan.overdue.map(|priority| (priority, plan.since + plan.interval(phase, terms)))
    }

    /// When something will change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self, phase: Phase, now: Time, terms: &CuffTerms) -> Option<Time> {
        let plan = self.plan.as_ref()?;
        let [low, medium] = plan.overdue_at(phase, terms);
        let held = plan.under_way.map(|since| since + terms.inflating_at_most);
        [self.next(), self.unheard_at(), Some(low), Some(medium), held]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    fn unheard_at(&self) -> Option<Time> {
        self.plan.as_ref()?.under_way.filter(|_| self.starts).map(|since| since + UNHEARD)
    }
}

impl Plan {
    const fn interval(&self, phase: Phase, terms: &CuffTerms) -> Span {
        match phase {
            Phase::NoSession | Phase::Baseline if self.baseline < BASELINE_READINGS => terms.baseline,
            Phase::NoSession | Phase::Baseline => terms.baseline_after,
            Phase::Onset | Phase::Window => terms.dosed,
            Phase::Recovery => terms.recovery,
        }
    }

    /// When the lack of a reading is LOW and when MEDIUM: after the second reading missed, in the window
    /// after one and a half.
    fn overdue_at(&self, phase: Phase, terms: &CuffTerms) -> [Time; 2] {
        let interval = self.interval(phase, terms);
        let due = self.since + interval;
        let late = if phase == Phase::Window { interval.scaled(1, 2) } else { interval };
        [due + OVERDUE_LOW_AT_LEAST.max(interval.scaled(1, 5)), due + late]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::preset::Preset;
    use crate::sample::CuffFailure;
    use crate::vitals::{Absent, BloodPressure, Measured};

    const CUFF: DeviceIndex = DeviceIndex(1);

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    fn result(at: Time, pressure: Result<BloodPressure, CuffFailure>) -> CuffResult {
        let pulse = Measured::Absent(Absent::NotMeasured);
        CuffResult { at, measured_at: at, origin: CuffOrigin::Schedule, pressure, pulse }
    }

    fn good(at: Time) -> CuffResult {
        result(at, Ok(BloodPressure::full(126, 78, None).unwrap()))
    }

    fn terms() -> CuffTerms {
        Preset::kat_default_1().cuff
    }

    fn overdue(cuff: &mut Cuff, phase: Phase, now: Time, terms: &CuffTerms) -> Option<Priority> {
        cuff.settle(phase, now, terms);
        cuff.overdue(phase, terms).map(|(priority, _)| priority)
    }

    fn open() -> Cuff {
        let mut cuff = Cuff::new(Some(CUFF), true);
        cuff.open(s(0));
        cuff
    }

    #[test]
    fn r8_1_three_readings_two_minutes_apart_before_the_dose_and_every_ten_minutes_after() {
        let mut cuff = open();
        assert!(cuff.due(s(0)));
        for at in [30, 150, 270] {
            cuff.started(s(at));
            assert_eq!(cuff.next(), None);
            cuff.take_result(&good(s(at)), Phase::Baseline, s(at), &terms());
        }
        assert_eq!(cuff.next(), Some(s(270 + 600)));
        cuff.change_phase(Phase::Onset, &terms());
        assert_eq!(cuff.next(), Some(s(270 + 600)));
        cuff.change_phase(Phase::Recovery, &terms());
        assert_eq!(cuff.next(), Some(s(270 + 900)));
    }

    #[test]
    fn row_27_worked_in_the_window_low_after_a_minute_and_medium_after_half_an_interval() {
        // trend-algorithms 11: interval 300 s, last at 0 -> due 300, LOW 360, MEDIUM 450.
        let terms = CuffTerms { dosed: Span::secs(300), ..terms() };
        let mut cuff = open();
        cuff.take_result(&good(s(0)), Phase::Window, s(0), &terms);
        let mut overdue = |at| overdue(&mut cuff, Phase::Window, s(at), &terms);
        assert_eq!(overdue(359), None);
        assert_eq!(overdue(360), Some(Priority::Low));
        assert_eq!(overdue(449), Some(Priority::Low));
        assert_eq!(overdue(450), Some(Priority::Medium));
    }

    #[test]
    fn row_27_worked_in_recovery_low_after_a_fifth_and_medium_after_a_whole_interval() {
        // trend-algorithms 11: interval 900 s -> due 900, LOW 1080, MEDIUM 1800.
        let mut cuff = open();
        cuff.take_result(&good(s(0)), Phase::Recovery, s(0), &terms());
        let mut overdue = |at| overdue(&mut cuff, Phase::Recovery, s(at), &terms());
        assert_eq!([overdue(1_079), overdue(1_080)], [None, Some(Priority::Low)]);
        assert_eq!([overdue(1_799), overdue(1_800)], [Some(Priority::Low), Some(Priority::Medium)]);
    }

    #[test]
    fn r8_4_a_cuff_that_is_inflating_holds_the_alarm_for_three_minutes_at_most() {
        let mut cuff = open();
        cuff.take_result(&good(s(0)), Phase::Window, s(0), &terms());
        cuff.take_state(CuffState::Inflating, s(700));
        assert_eq!(overdue(&mut cuff, Phase::Window, s(879), &terms()), None);
        assert!(overdue(&mut cuff, Phase::Window, s(880), &terms()).is_some());
    }

    #[test]
    fn r8_2_a_failure_is_retried_once_after_a_minute_and_the_second_is_told() {
        let mut cuff = open();
        cuff.take_result(&result(s(40), Err(CuffFailure::PumpTimeout)), Phase::Window, s(40), &terms());
        assert_eq!((cuff.next(), cuff.failed_twice()), (Some(s(100)), false));
        cuff.take_result(&result(s(140), Err(CuffFailure::NoAnswer)), Phase::Window, s(140), &terms());
        assert_eq!((cuff.next(), cuff.failed_twice()), (Some(s(740)), true));
        cuff.take_result(&good(s(760)), Phase::Window, s(760), &terms());
        assert!(!cuff.failed_twice());
    }

    #[test]
    fn a_scheduled_start_waits_for_a_reading_that_is_under_way_at_the_bedside() {
        let mut cuff = open();
        cuff.take_result(&good(s(0)), Phase::Window, s(0), &terms());
        cuff.take_state(CuffState::Inflating, s(590));
        assert!(!cuff.due(s(600)));
        cuff.take_result(&good(s(620)), Phase::Window, s(620), &terms());
        assert!(!cuff.due(s(1_219)) && cuff.due(s(1_220)), "ten minutes after that reading");
    }

    #[test]
    fn a_determination_that_is_never_heard_of_does_not_stop_the_schedule() {
        let mut cuff = open();
        cuff.started(s(0));
        assert!(!cuff.unheard(s(239)));
        assert_eq!(cuff.deadline(Phase::Window, s(200), &terms()), Some(s(240)));
        assert!(cuff.unheard(s(240)));
    }

    #[test]
    fn a_cuff_that_cannot_be_started_is_never_asked_but_is_missed() {
        let mut cuff = Cuff::new(Some(CUFF), false);
        cuff.open(s(0));
        assert!(!cuff.due(s(10_000)));
        assert!(overdue(&mut cuff, Phase::Window, s(10_000), &terms()).is_some());
    }

    #[test]
    fn a_bed_without_a_cuff_misses_nothing() {
        let mut cuff = Cuff::new(None, false);
        cuff.open(s(0));
        assert_eq!(overdue(&mut cuff, Phase::Window, s(10_000), &terms()), None);
    }
}
