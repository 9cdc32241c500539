//! The rows that look back: rows 23, 24, 29, 30 and 33. They see one value a second, whatever the device's rate.

use serde::{Deserialize, Serialize};

use crate::monitor::alarm::{Condition, Limit, Priority, Value};
use crate::monitor::announce::Cause;
use crate::monitor::baseline::Baseline;
use crate::monitor::bed::Bed;
use crate::monitor::burden::{self, Burden, BurdenTerms};
use crate::monitor::condition::{Change, Life, Side, Terms, Verdict};
use crate::monitor::desaturation::{DesaturationTerms, Desaturations, Step};
use crate::monitor::output::Phase;
use crate::monitor::preset::{ByPhase, TrendRow};
use crate::monitor::recent::{LowRunTerms, Recent};
use crate::monitor::trend::Slope;
use crate::time::{Span, Time};
use crate::vitals::{PulseRate, Spo2};

/// How often the rows that look back are fed.
const SECOND: Span = Span::secs(1);

/// What they remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trends {
    /// The next whole second; `None`: no session.
    next: Option<Time>,
    spo2: Slope,
    pulse: Slope,
    falling: Life,
    climbing: Life,
    burden: Burden,
    desaturations: Desaturations,
    /// The pulse that has fallen (row 33).
    fallen_from: Option<PulseRate>,
    pub(super) recent: Recent,
}

impl Trends {
    /// A session begins: what was before is of somebody else.
    pub fn open(&mut self, now: Time) {
        *self = Self { next: Some(second_after(now)), ..Self::default() };
    }

    /// The trends restart with the dose (R7).
    pub fn restart(&mut self) {
        self.spo2.restart();
        self.pulse.restart();
    }

    /// It goes on at `now`, after nobody has looked for a while.
    pub fn resume(&mut self, now: Time) {
        if self.next.is_some() {
            self.next = Some(second_after(now));
        }
    }

    /// Lets `span` pass.
    pub fn advance(&mut self, span: Span) {
        self.falling.advance(span);
        self.climbing.advance(span);
    }
}

impl Bed {
    /// The pulse as the oximeter counted it in the last half minute (row 28).
    pub(super) fn pulse_before_cuff(&self) -> Option<PulseRate> {
        self.state.trends.recent.pulse_before(self.state.now)
    }

    /// When a trend is to be looked at.
    pub(super) fn trends_deadline(&self) -> Option<Time> {
        let trends = &self.state.trends;
        let lives = [
            (&trends.falling, &self.preset.trends.spo2_falling),
            (&trends.climbing, &self.preset.trends.pulse_climbing),
        ];
        let due = lives.iter().filter_map(|(life, row)| life.deadline(&terms(row))).min();
        [trends.next, due.map(|wait| self.state.now + wait)].into_iter().flatten().min()
    }

    pub(super) fn settle_trends(&mut self) {
        let now = self.state.now;
        if self.state.session.phase() == Phase::NoSession {
            self.state.trends.next = None;
            return;
        }
        if let Some(second) = self.state.trends.next.filter(|next| *next <= now) {
            self.state.trends.next = Some(second + SECOND);
            self.second(second);
        }
        self.settle_slope(Condition::Spo2Falling);
        self.settle_slope(Condition::PulseClimbing);
    }

    /// One value a second: what was held until then.
    fn second(&mut self, at: Time) {
        let shadow = self.in_shadow();
        let oximeter = &self.state.oximeter;
        let spo2 = oximeter.spo2().held().good().filter(|_| !shadow && oximeter.spo2().raises_alarms());
        let pulse = oximeter.pulse().held().good().filter(|_| !shadow && oximeter.pulse().raises_alarms());
        let (burden_terms, session) = (self.burden_terms(), self.baseline().and_then(Baseline::spo2));
        let trends = &mut self.state.trends;
        trends.spo2.second(at, spo2.map(Spo2::as_tenths));
        trends.pulse.second(at, pulse.map(PulseRate::as_bpm));
        trends.burden.second(at, spo2, &burden_terms);
        trends.desaturations.second(at, spo2, session, &DesaturationTerms::KAT_DEFAULT_1);
        trends.recent.second(at, spo2, pulse, &LowRunTerms::KAT_DEFAULT_1);
        self.judge_slopes(spo2, pulse);
        self.judge_burden(&burden_terms);
        self.judge_desaturations();
        self.judge_pulse_fall(pulse);
    }

    /// Rows 23 and 24: the trend, and on which side of its limit the value is.
    fn judge_slopes(&mut self, spo2: Option<Spo2>, pulse: Option<PulseRate>) {
        let (rows, trends) = (&self.preset.trends, &mut self.state.trends);
        let falling = match (rows.spo2_falling.limit, trends.spo2.estimate(), spo2) {
            (Limit::Spo2Falling { per_min, at_most }, Some(slope), Some(value)) => {
                // The estimate is in hundredths of a tenth a minute.
                Verdict::Good(side(slope / 10 <= -i32::from(per_min) && value <= at_most))
            }
            (_, None, Some(_)) if trends.spo2.has_enough() => Verdict::Good(Side::Beyond),
            _ => Verdict::Blank,
        };
        let climbing = match (rows.pulse_climbing.limit, trends.pulse.estimate(), pulse) {
            (Limit::PulseClimbing { per_min, above }, Some(slope), Some(value)) => {
                Verdict::Good(side(slope >= i32::from(per_min) && value.as_bpm() > above))
            }
            (_, None, Some(_)) if trends.pulse.has_enough() => Verdict::Good(Side::Beyond),
            _ => Verdict::Blank,
        };
        trends.falling.judge(falling);
        trends.climbing.judge(climbing);
        let slopes = (trends.spo2.estimate(), trends.pulse.estimate());
        let values = [
            (Condition::Spo2Falling, slopes.0.zip(spo2).map(|(slope, value)| Value::Spo2Trend(value, slope / 10))),
            (Condition::PulseClimbing, slopes.1.zip(pulse).map(|(slope, value)| Value::PulseTrend(value, slope))),
        ];
        for (condition, value) in values {
            self.state.board.observe(condition, value, |_, _| false);
        }
    }

    fn settle_slope(&mut self, condition: Condition) {
        let (now, phase) = (self.state.now, self.state.session.phase());
        let row = if condition == Condition::Spo2Falling {
            self.preset.trends.spo2_falling
        } else {
            self.preset.trends.pulse_climbing
        };
        let priority = self.by_phase(&row.priority);
        let (spo2, pulse) = (self.state.oximeter.spo2().held().good(), self.state.oximeter.pulse().held().good());
        let trends = &mut self.state.trends;
        let (life, value) = if condition == Condition::Spo2Falling {
            let value = trends.spo2.estimate().zip(spo2);
            (&mut trends.falling, value.map(|(slope, value)| Value::Spo2Trend(value, slope / 10)))
        } else {
            let value = trends.pulse.estimate().zip(pulse);
            (&mut trends.climbing, value.map(|(slope, value)| Value::PulseTrend(value, slope)))
        };
        let Some(priority) = priority else {
            if !life.active() {
                life.reset();
            }
            return;
        };
        match life.settle(&terms(&row)) {
            Some(Change::Activated) => {
                let cause = Cause { value, limit: Some(row.limit), delay: row.delay, ..Cause::bare(priority, phase) };
                self.state.board.raise(condition, &cause, now);
            }
            Some(Change::Ended) => self.state.board.end(condition, now),
            None => {}
        }
    }

    /// Row 29.
    fn judge_burden(&mut self, terms: &BurdenTerms) {
        let priority = self.by_phase(&self.preset.trends.burden);
        let raised = self.state.trends.burden.raised();
        let points = self.state.trends.burden.sum();
        let value = raised.map(|cause| Value::Burden((cause == burden::Cause::Sum).then_some(points)));
        let limit = Spo2::tenths(terms.limit).map(|below| Limit::Burden { below, points: terms.setting });
        self.stand(Condition::Spo2Burden, priority.filter(|_| raised.is_some()), value, limit);
    }

    /// Row 29's figures for this person: with chronic hypercapnia below row 3's limit.
    fn burden_terms(&self) -> BurdenTerms {
        let rows = &self.preset.trends;
        let (limit, clear_at) = (rows.burden_below.as_tenths(), rows.burden_ends_at.as_tenths());
        let lower = if self.person().hypercapnia {
            limit.saturating_sub(self.preset.oximetry_terms.reduced_hypercapnia.as_tenths())
        } else {
            0
        };
        BurdenTerms {
            limit: limit.saturating_sub(lower),
            setting: rows.burden_points,
            clear_at: clear_at.saturating_sub(lower),
            clear: rows.burden_clear,
            ..BurdenTerms::KAT_DEFAULT_1
        }
    }

    /// Row 30.
    fn judge_desaturations(&mut self) {
        let terms = DesaturationTerms::KAT_DEFAULT_1;
        let step = self.state.trends.desaturations.step();
        let priority = self.by_phase(&self.preset.trends.desaturations);
        let (within, at_least) = match step {
            Some(Step::VeryFrequent) => (terms.very_frequent, Priority::Medium),
            _ => (terms.frequent, Priority::Low),
        };
        let priority = priority.filter(|_| step.is_some()).map(|priority| priority.max(at_least));
        let limit = Some(Limit::Desaturations { count: 3, within });
        self.stand(Condition::Desaturations, priority, Some(Value::Desaturations(3)), limit);
    }

    /// Row 33: row 3 is active and the pulse has fallen by more than a fifth in two minutes.
    fn judge_pulse_fall(&mut self, pulse: Option<PulseRate>) {
        let pct = self.preset.combined.pulse_fall_pct;
        let fallen = |from: PulseRate, to: PulseRate| {
            u32::from(to.as_bpm()) * 100 < u32::from(from.as_bpm()) * u32::from(100_u8.saturating_sub(pct))
        };
        let reduced = self.state.board.is_on(Condition::Spo2Reduced);
        let on = self.state.board.is_on(Condition::LowSpo2PulseFalling);
        let from = match (on, self.state.trends.fallen_from) {
            // It stands while its parts do; a pulse that is not counted does not end it.
            (true, Some(from)) => Some(from).filter(|from| pulse.is_none_or(|pulse| fallen(*from, pulse))),
            _ => self.state.trends.recent.pulse_fallen_from(pct),
        };
        let from = from.filter(|_| reduced);
        self.state.trends.fallen_from = from;
        let priority = self.by_phase(&self.preset.combined.pulse_falling).filter(|_| from.is_some());
        let spo2 = self.state.oximeter.spo2().held().value();
        let value = spo2.zip(pulse).map(|(spo2, pulse)| Value::Spo2AndPulse(spo2, pulse));
        self.stand(Condition::LowSpo2PulseFalling, priority, value, Some(Limit::PulseFall(pct.into())));
    }

    /// The priority now of a row that is judged in a session only.
    pub(super) fn by_phase(&self, priority: &ByPhase) -> Option<Priority> {
        let session = &self.state.session;
        if session.phase() == Phase::NoSession { None } else { priority.at_either(session.phase(), session.also()) }
    }

    /// Brings a condition to `priority`, or ends it.
    fn stand(&mut self, condition: Condition, priority: Option<Priority>, value: Option<Value>, limit: Option<Limit>) {
        let (now, phase) = (self.state.now, self.state.session.phase());
        let board = &mut self.state.board;
        match (priority, board.is_on(condition)) {
            (Some(priority), false) => {
                let cause = Cause { value, limit, ..Cause::bare(priority, phase) };
                board.raise(condition, &cause, now);
            }
            (Some(priority), true) => {
                // R5.5: no phase loosens what is in alarm.
                let present = board.base(condition).unwrap_or(priority);
                board.set_priority(condition, priority.max(present), phase);
                board.observe(condition, value, |_, _| false);
            }
            (None, true) => board.end(condition, now),
            (None, false) => {}
        }
    }
}

const fn second_after(now: Time) -> Time {
    let second = SECOND.as_millis();
    Time::from_millis((now.as_millis() / second).saturating_add(1).saturating_mul(second))
}

const fn side(violates: bool) -> Side {
    if violates { Side::Violation } else { Side::Beyond }
}

/// A trend ends as soon as it is no more.
const fn terms(row: &TrendRow) -> Terms {
    Terms { delay: row.delay, clear: Span::ZERO, starts_when_doubted: false, motion_doubles: true, latched: false }
}
