//! A determination of the blood pressure, from its start to what it raises (R2.7, R8, rows 12 to 22, 27, 31, 35).

use crate::driver::Request;
use crate::monitor::announce::Cause;
use crate::monitor::bed::{Bed, Way};
use crate::monitor::condition::Change;
use crate::monitor::input::{CommandRefusal, DeviceIndex, Link};
use crate::monitor::output::{Condition, Determination, Output, Phase, Priority, Value};
use crate::monitor::preset::PressureRow;
use crate::monitor::pressure::Circumstances;
use crate::monitor::rows::{applies, worse};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult};
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, Measured, PulseRate};

/// R8.3: a pressure measured by hand may be typed in this late.
const MANUAL_AT_MOST: Span = Span::mins(15);

impl Bed {
    pub(super) fn take_determination(&mut self, result: &CuffResult, out: &mut impl FnMut(Output)) {
        let now = self.state.now;
        let phase = self.state.session.phase();
        self.state.cuff.take_result(result, phase, now, &self.preset.cuff);
        let determination = Determination {
            at: now,
            measured_at: result.measured_at,
            origin: result.origin,
            pressure: result.pressure,
            pulse: result.pulse,
        };
        out(Output::Pressure(determination));
        // What the monitor measured before the session was opened is about somebody else.
        let opened = self.state.session.opened().map(|open| open.at);
        let of_another = result.origin != CuffOrigin::Manual && opened.is_some_and(|at| result.measured_at < at);
        if let Ok(pressure) = result.pressure
            && !of_another
        {
            if self.state.newest_pressure.is_none_or(|newest| newest.measured_at <= result.measured_at) {
                self.state.newest_pressure = Some(determination);
            }
            self.state.session.take_pressure(pressure, result.measured_at);
            self.judge_pressure(pressure, result.measured_at);
        }
    }

    fn judge_pressure(&mut self, pressure: BloodPressure, measured_at: Time) {
        let state = &mut self.state;
        let (now, phase) = (state.now, state.session.phase());
        let interval = match phase {
            Phase::Recovery => self.preset.cuff.recovery,
            _ => self.preset.cuff.dosed,
        };
        let circumstances = Circumstances {
            phase,
            since_dose: state.session.dose().map(|dose| measured_at.since(dose)),
            interval,
            over_65: state.session.opened().is_some_and(|open| open.over_65),
            baseline: state.session.baseline().pressure(),
        };
        let armed = state.room.armed();
        let applies =
            |row: &PressureRow| applies(row.condition, phase, armed).then(|| row.priority.at(phase)).flatten();
        let (rows, board) = (&mut state.pressure, &mut state.board);
        rows.judge(pressure, measured_at, &circumstances, &self.preset, applies, |judgement| {
            let value = Some(Value::Pressure(judgement.value));
            let condition = judgement.condition;
            match judgement.change {
                Some(Change::Activated) => {
                    let limit = Some(judgement.limit);
                    let cause =
                        Cause { priority: judgement.priority, value, limit, baseline: None, delay: Span::ZERO, phase };
                    board.raise(condition, &cause, now);
                }
                Some(Change::Ended) => board.end(condition, now),
                None if board.is_on(condition) => {
                    board.observe(condition, value, |new, worst| worse(judgement.limit, new, worst));
                    // Row 21 is HIGH until it ends: a pressure that falls again does not ease it.
                    let present = board.get(condition).map(|alarm| alarm.priority);
                    let stays = present.filter(|_| condition == Condition::PressureVeryLow);
                    let priority = stays.map_or(judgement.priority, |stays| stays.max(judgement.priority));
                    board.set_priority(condition, priority, phase);
                }
                None => {}
            }
        });
    }

    pub(super) fn is_cuff(&self, device: DeviceIndex) -> bool {
        self.state.cuff.source() == Some(device)
    }

    pub(super) fn cuff_way(&self) -> Option<&Way> {
        self.state.cuff.source().and_then(|device| self.state.links.get(usize::from(device.0)))
    }

    fn start_cuff(&mut self, out: &mut impl FnMut(Output)) {
        if let Ok(device) = self.may_ask_cuff() {
            self.state.cuff.started(self.state.now);
            out(Output::Request { device, request: Request::StartCuff });
        }
    }

    /// Starts the cuff when it is due, and tells when it failed or when a reading is missed (R8, row 27).
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
        if self.state.cuff.due(now) {
            self.start_cuff(out);
        }
        let phase = self.state.session.phase();
        let failed = self.state.cuff.failed_twice();
        self.hold(Condition::CuffFailed, failed.then_some(Priority::Medium), None, Span::ZERO);
        self.state.cuff.settle(phase, now, &self.preset.cuff);
        let overdue = self.state.cuff.overdue(phase, &self.preset.cuff);
        let value = overdue.map(|(_, since)| Value::Since(since));
        self.hold(Condition::PressureOverdue, overdue.map(|(priority, _)| priority), value, Span::ZERO);
    }

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

    /// Measures now, because somebody asks.
    pub(super) fn ask_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        self.may_ask_cuff()?;
        if self.state.cuff.under_way() {
            return Err(CommandRefusal::CuffBusy);
        }
        self.start_cuff(out);
        Ok(())
    }

    /// Stops what is under way; the schedule goes on.
    pub(super) fn stop_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let device = self.may_ask_cuff()?;
        out(Output::Request { device, request: Request::StopCuff });
        Ok(())
    }

    fn may_ask_cuff(&self) -> Result<DeviceIndex, CommandRefusal> {
        let device = self.state.cuff.source().filter(|_| self.state.cuff.starts()).ok_or(CommandRefusal::NoCuff)?;
        match self.cuff_way().and_then(|way| way.link) {
            Some(Link::Up) => Ok(device),
            _ => Err(CommandRefusal::CuffLost),
        }
    }
}
