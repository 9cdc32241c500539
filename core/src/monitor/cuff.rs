//! The cuff: when to measure, what counts as an answer, when a reading is overdue, when it failed (R8, row 27).
//!
//! A determination is wanted for many reasons: the interval of the phase, a closer one after a grave reading or a
//! drug, a retry, a repeat, STAT. They come down to one moment, [`Cuff::next`], which is never before the cuff has
//! rested. A cuff that cannot be started is not asked then, but its reading is missed all the same.

mod plan;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::monitor::input::DeviceIndex;
use crate::monitor::output::{Phase, Priority};
use crate::monitor::preset::CuffTerms;
use crate::monitor::rates::Rates;
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState};
use crate::time::{Span, Time};
use crate::vitals::{BloodPressure, Measured, PulseRate};

use plan::Plan;

/// R8.4: between two determinations, where the sheet of the device gives no figure of its own.
pub const RESTS: Span = Span::secs(30);
/// A determination that was asked for and of which nothing was heard. Longer than the driver's own
/// guard, which also stops the cuff: this one only keeps the schedule alive.
const UNHEARD: Span = Span::secs(240);
/// No cuff measures in less: a reading that comes sooner with the numbers of the one before is that one.
const MEASURES_FOR: Span = Span::secs(10);
/// A monitor counts the age of a reading in whole seconds: it may seem to be older by as much than it is.
const GRAIN: Span = Span::secs(2);
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

impl Cuff {
    /// The cuff of `source`; `starts`: it can be told to measure; `rests`: its safe wait.
    #[must_use]
    pub fn new(source: Option<DeviceIndex>, starts: bool, rests: Span) -> Self {
        Self { source, starts, rests, ..Self::default() }
    }

    /// What can be asked of it is known now, or has changed.
    pub const fn equip(&mut self, starts: bool, rests: Span) {
        (self.starts, self.rests) = (starts, rests);
    }

    /// The bed may have another cuff than before the restart, or none: that of `fresh`.
    pub const fn refit(&mut self, fresh: &Self) {
        (self.source, self.starts, self.rests) = (fresh.source, fresh.starts, fresh.rests);
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
