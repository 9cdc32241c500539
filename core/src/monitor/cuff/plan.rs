//! What is planned of a cuff while a session is open: when the next reading is wanted, and when one is missed.

use serde::{Deserialize, Serialize};

use crate::monitor::output::{Phase, Priority};
use crate::monitor::preset::CuffTerms;
use crate::sample::{CuffFailure, CuffResult};
use crate::time::{Span, Time};

/// Trend-algorithms 11: overdue is LOW after this, or 0.2 x the interval if that is longer.
const OVERDUE_LOW_AT_LEAST: Span = Span::secs(60);

/// What is planned while a session is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// When the session was opened.
    pub(super) opened: Time,
    /// The phase whose cadence holds.
    pub(super) phase: Phase,
    /// The present interval.
    pub(super) interval: Span,
    /// When it last became shorter: nothing was due before.
    pub(super) tightened: Time,
    /// From when the interval counts: the newest valid reading, or an attempt that failed after it.
    pub(super) from: Time,
    /// From when overdue counts: the newest valid reading, the opening of the session, the end of a standby.
    pub(super) since: Time,
    /// One that is wanted beside the interval: the first, a retry, a repeat.
    pub(super) wish: Option<Time>,
    /// R8.1: one that is wanted at a fixed time after the dose.
    pub(super) extra: Option<Time>,
    /// Measured more often: so many readings in a row have been in range.
    pub(super) close: Option<u8>,
    /// Measured more often for so many readings.
    pub(super) treated: u8,
    /// Failures in a row, and why the last one failed.
    pub(super) failures: u8,
    pub(super) failure: Option<CuffFailure>,
    /// How grave the lack of a reading has become; only a reading ends it, and no phase eases it (R5.5).
    pub(super) overdue: Option<Priority>,
    /// The patient is disconnected for a while.
    pub(super) suspended: bool,
}

impl Plan {
    /// A session that opens at `now`.
    pub(super) const fn from(now: Time) -> Self {
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

    pub(super) fn next(&self) -> Option<Time> {
        let regular = self.from + self.interval;
        let sooner = [self.wish, self.extra.filter(|at| *at > self.from)];
        (!self.suspended).then(|| sooner.into_iter().flatten().fold(regular, Time::min))
    }

    /// A valid reading of this session. One that was typed in late answers nothing that came after it.
    pub(super) fn measured(&mut self, result: &CuffResult) {
        (self.failures, self.failure, self.overdue) = (0, None, None);
        if result.measured_at >= self.from {
            self.wish = None;
        }
        self.from = self.from.max(result.measured_at);
        self.since = self.since.max(result.measured_at);
        self.treated = self.treated.saturating_sub(1);
    }

    /// When a reading has been due.
    pub(super) fn due(&self) -> Time {
        (self.since + self.interval).max(self.tightened)
    }

    /// When the lack of a reading is LOW and when MEDIUM: after the second reading missed, in the window
    /// after one and a half.
    pub(super) fn overdue_at(&self) -> [Time; 2] {
        let late = if self.phase == Phase::Window { self.interval.scaled(1, 2) } else { self.interval };
        [self.due() + OVERDUE_LOW_AT_LEAST.max(self.interval.scaled(1, 5)), self.due() + late]
    }
}

impl CuffTerms {
    /// The interval of a phase.
    pub(in crate::monitor) const fn regular(&self, phase: Phase) -> Span {
        match phase {
            Phase::NoSession | Phase::Baseline => self.baseline_after,
            Phase::Onset | Phase::Window => self.dosed,
            Phase::Recovery => self.recovery,
        }
    }
}
