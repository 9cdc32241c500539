//! A determination of the blood pressure, from its start to what it raises (R2.7, R8, rows 12 to 22, 27, 28, 31, 35).

use crate::driver::Request;
use crate::monitor::announce::{Board, Cause};
use crate::monitor::baseline::Baseline;
use crate::monitor::bed::{Bed, Way};
use crate::monitor::condition::Change;
use crate::monitor::input::{CommandRefusal, DeviceIndex, Link};
use crate::monitor::output::{Condition, Determination, Output, Phase, Priority, Value};
use crate::monitor::preset::CuffTerms;
use crate::monitor::pressure::{Circumstances, Judgement, Reading, worse};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// R8.3: a pressure measured by hand may be typed in this late.
const MANUAL_AT_MOST: Span = Span::mins(15);

/// How long a determination usually takes.
const USUALLY_MEASURES_FOR: Span = Span::secs(40);

impl Bed {
    // What a person asks.

    /// Measures now.
    pub(super) fn ask_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        self.may_ask_cuff()?;
        let (cuff, now) = (&self.state.cuff, self.state.now);
        if cuff.under_way() {
            return Err(CommandRefusal::CuffBusy);
        }
        if let Some(rested) = cuff.rested_at().filter(|rested| *rested > now) {
            return Err(CommandRefusal::CuffRests { wait: rested.since(now) });
        }
        self.start_cuff(out);
        Ok(())
    }

    /// Measures again and again, the first as soon as the cuff is free and rested (R8.4).
    pub(super) fn ask_stat(&mut self) -> Result<(), CommandRefusal> {
        self.may_ask_cuff()?;
        self.state.cuff.start_stat(self.state.now);
        Ok(())
    }

    /// Stops what is under way; the schedule goes on.
    pub(super) fn stop_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let device = self.may_ask_cuff()?;
        self.state.cuff.stop();
        out(Output::Request { device, request: Request::StopCuff });
        Ok(())
    }

    /// A pressure that was measured by hand (R8.3).
    pub(super) fn take_manual(
        &mut self,
        pressure: BloodPressure,
        ago: Span,
        out: &mut impl FnMut(Output),
    ) -> Result<(), CommandRefusal> {
        let now = self.state.now;
        if self.state.session.phase() == Phase::NoSession {
            return Err(CommandRefusal::NoSession);
        }
        if ago > MANUAL_AT_MOST {
            return Err(CommandRefusal::TooLongAgo { limit: MANUAL_AT_MOST });
        }
        let pulse: Measured<PulseRate> = Measured::Absent(Absent::NotMeasured);
        let result =
            CuffResult { at: now, measured_at: now - ago, origin: CuffOrigin::Manual, pressure: Ok(pressure), pulse };
        self.take_determination(&result, out);
        Ok(())
    }

    fn may_ask_cuff(&self) -> Result<DeviceIndex, CommandRefusal> {
        let device = self.state.cuff.source().filter(|_| self.state.cuff.starts()).ok_or(CommandRefusal::NoCuff)?;
        match self.cuff_way().and_then(|way| way.link) {
            Some(Link::Up) => Ok(device),
            _ => Err(CommandRefusal::CuffLost),
        }
    }

    // The device.

    pub(super) fn is_cuff(&self, device: DeviceIndex) -> bool {
        self.state.cuff.source() == Some(device)
    }

    pub(super) fn cuff_way(&self) -> Option<&Way> {
        self.state.cuff.source().and_then(|device| self.state.links.get(usize::from(device.0)))
    }

    fn start_cuff(&mut self, out: &mut impl FnMut(Output)) {
        if let Ok(device) = self.may_ask_cuff() {
            self.begin_determination();
            out(Output::Request { device, request: Request::StartCuff });
        }
    }

    /// What the device says it is doing: somebody may have started it at the bedside.
    pub(super) fn take_cuff_state(&mut self, state: CuffState) {
        if self.state.cuff.begins(state) {
            self.begin_determination();
        }
    }

    fn begin_determination(&mut self) {
        let (now, pulse) = (self.state.now, self.pulse_before_cuff());
        self.state.cuff.started(pulse, now);
    }

    /// A determination has ended.
    pub(super) fn take_determination(&mut self, result: &CuffResult, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        if !self.state.cuff.under_way() && result.origin != CuffOrigin::Manual {
            // It was not seen to begin: a monitor that only tells its results.
            let before = self.state.trends.recent.pulse_before(result.measured_at - USUALLY_MEASURES_FOR);
            self.state.cuff.begin_rates(before);
        }
        let Some(result) = self.state.cuff.take_result(result, now, &self.preset.cuff) else { return };
        let CuffResult { measured_at, origin, pressure, pulse, .. } = result;
        let determination = Determination { at: now, measured_at, origin, pressure, pulse };
        out(Output::Pressure(determination));
        // What the monitor measured before the session was opened is about somebody else.
        let opened = self.state.session.opened().map(|open| open.at);
        let of_another = origin != CuffOrigin::Manual && opened.is_some_and(|at| measured_at < at);
        let (Ok(pressure), false) = (pressure, of_another) else { return };
        if self.state.newest_pressure.is_none_or(|newest| newest.measured_at <= measured_at) {
            self.state.newest_pressure = Some(determination);
        }
        if self.state.session.phase() == Phase::Baseline {
            self.state.session.baseline_mut().take(pressure, measured_at);
        }
        if opened.is_some() {
            self.remember_pressure(pressure, measured_at);
        }
        let pulse = self.good_pulse().or(pulse.good());
        self.judge_pressure(Reading { measured_at, pressure, pulse });
    }

    // The rows.

    fn judge_pressure(&mut self, reading: Reading) {
        let circumstances = self.circumstances();
        let (rows, board) = (&mut self.state.pressure, &mut self.state.board);
        let mut repeat = None;
        rows.judge(reading, &circumstances, &self.preset, |judgement| {
            repeat = repeat.into_iter().chain(repeat_after(&judgement, &self.preset.cuff)).min();
            carry_out(board, &judgement, &circumstances);
            // Who has accepted it hears of it again (R4.2), and after a restart whether it is still so (R4.5).
            let Judgement { condition, violates, .. } = judgement;
            if judgement.change.is_none() {
                board.prove(condition, violates, circumstances.now);
                if violates {
                    board.violates_again(condition, circumstances.now);
                }
            }
        });
        let in_range = !rows.any(&self.preset, calls_for_more);
        self.state.cuff.judged(in_range, repeat, circumstances.now);
    }

    /// What comes between two determinations: row 15 by time, row 35 by the pulse.
    fn settle_pressure(&mut self) {
        let (circumstances, pulse) = (self.circumstances(), self.good_pulse());
        let standby = self.state.cuff.suspended();
        let (rows, board, cuff) = (&mut self.state.pressure, &mut self.state.board, &mut self.state.cuff);
        rows.settle(pulse, standby, &circumstances, &self.preset, |judgement| {
            // A severe pressure that was not measured again is measured at once, if it can be.
            if matches!(judgement.value, Value::NotRemeasured(_)) {
                cuff.wish(circumstances.now);
            }
            carry_out(board, &judgement, &circumstances);
        });
    }

    fn circumstances(&self) -> Circumstances {
        let state = &self.state;
        let session = &state.session;
        let baseline = self.baseline().filter(|_| session.dose().is_some());
        Circumstances {
            now: state.now,
            phase: session.phase(),
            also: session.also(),
            armed: state.room.armed(),
            dose: session.dose(),
            interval: self.preset.cuff.regular(session.watched_as()),
            over_65: session.opened().is_some_and(|open| open.opening.over_65),
            review: session.baseline().to_review(),
            baseline: baseline.and_then(Baseline::pressure),
            baseline_mean: baseline.and_then(Baseline::mean),
        }
    }

    /// The pulse of the oximeter, if it is good and the cuff is not on its limb (R6.4).
    fn good_pulse(&self) -> Option<PulseRate> {
        let pulse = self.state.oximeter.pulse();
        pulse.held().good().filter(|_| pulse.raises_alarms() && !self.in_shadow())
    }

    // Time.

    /// Starts the cuff when it is due, and tells when it failed, when a reading is missed, and when its pulse is not
    /// that of the oximeter (R8, rows 27 and 28).
    pub(super) fn settle_cuff(&mut self, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        if self.state.cuff.unheard(now) {
            let failed = CuffResult {
                at: now,
                measured_at: now,
                origin: CuffOrigin::Schedule,
                pressure: Err(CuffFailure::NoAnswer),
                pulse: Measured::Absent(Absent::NotMeasured),
            };
            self.take_determination(&failed, out);
        }
        self.settle_pressure();
        let session = &self.state.session;
        let wants_baseline = session.phase() == Phase::Baseline && session.baseline().wants_another();
        let (phase, terms) = (session.watched_as(), self.preset.cuff);
        self.state.cuff.follow(phase, wants_baseline, now, &terms);
        self.state.cuff.settle(now, &terms);
        if self.state.cuff.due(now) {
            self.start_cuff(out);
        }
        let failure = self.state.cuff.failed_twice();
        let why = failure.map(Value::CuffFailure);
        self.hold(Condition::CuffFailed, failure.map(|_| Priority::Medium), why, Span::ZERO);
        let overdue = self.state.cuff.overdue();
        if overdue.is_some() && !self.state.board.is_on(Condition::PressureOverdue) {
            // R4.2: the reading that was to show whether an accepted pressure is still so does not come.
            for condition in Condition::ALL.iter().filter(|condition| condition.is_pressure()) {
                self.state.board.violates_again(*condition, now);
            }
        }
        let value = overdue.map(|(_, since)| Value::Since(since));
        self.hold(Condition::PressureOverdue, overdue.map(|(priority, _)| priority), value, Span::ZERO);
        let rates = self.state.cuff.rates_disagree();
        let value = rates.map(|(oximeter, cuff)| Value::Rates(oximeter, cuff));
        self.hold(Condition::RatesDisagree, rates.map(|_| Priority::Low), value, Span::ZERO);
    }

    /// When something about the cuff or its readings is due.
    pub(super) fn determination_deadline(&self) -> Option<Time> {
        let (cuff, now) = (&self.state.cuff, self.state.now);
        let rows = self.state.pressure.deadline(cuff.suspended(), &self.preset).filter(|at| *at > now);
        cuff.deadline(now, &self.preset.cuff).into_iter().chain(rows).min()
    }
}

/// Brings a row on the board to where it was judged to be.
fn carry_out(board: &mut Board, judgement: &Judgement, circumstances: &Circumstances) {
    let Judgement { condition, change, priority, limit, baseline, value, .. } = *judgement;
    let Circumstances { now, phase, .. } = *circumstances;
    match change {
        Some(Change::Activated) => {
            let cause = Cause { value: Some(value), limit: Some(limit), baseline, ..Cause::bare(priority, phase) };
            board.raise(condition, &cause, now);
        }
        Some(Change::Ended) => board.end(condition, now),
        None if board.is_on(condition) => {
            board.observe(condition, Some(value), |new, worst| worse(limit, new, worst));
            board.set_priority(condition, priority, phase);
        }
        None => {}
    }
}

/// R8.1: what is measured closer after.
const fn calls_for_more(condition: Condition) -> bool {
    use Condition as C;
    matches!(
        condition,
        C::PressureSevere
            | C::PressureSevereConfirmed
            | C::PressureExtreme
            | C::SystolicLow
            | C::MeanLow
            | C::PressureVeryLow
    )
}

/// R8.2: how soon a reading is repeated, once an episode.
fn repeat_after(judgement: &Judgement, terms: &CuffTerms) -> Option<Span> {
    use Condition as C;
    let wait = match judgement.condition {
        C::PressureSevere | C::PressureSevereConfirmed | C::PressureExtreme => terms.repeat_severe,
        C::PressureVeryLow => terms.repeat_very_low,
        _ => return None,
    };
    (judgement.change == Some(Change::Activated)).then_some(wait)
}
