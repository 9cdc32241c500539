//! To be gone: what the cuff's own branch brings.
use crate::monitor::bed::Bed;
use crate::monitor::cuff::Cuff;
use crate::monitor::input::*;
use crate::monitor::output::*;
use crate::time::*;
#[allow(missing_docs)]
impl Cuff {
    pub fn suspend(&mut self, _: Time) {}
    pub fn resume(&mut self, _: Time) {}
    pub fn extra_at(&mut self, _: Time) {}
    pub fn retake_baseline(&mut self, _: Time) {}
    pub fn sedated(&mut self, _: Time) {}
    pub fn treated(&mut self, _: Time) {}
}
#[allow(missing_docs)]
impl crate::monitor::pressure::Rows {
    pub fn restart_trend(&mut self) {}
}
impl Bed {
    pub(super) fn ask_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        self.may_ask_cuff()?;
        if self.state.cuff.under_way() {
            return Err(CommandRefusal::CuffBusy);
        }
        self.start_cuff(out);
        Ok(())
    }
    pub(super) fn ask_stat(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        self.ask_cuff(out)
    }
    pub(super) fn stop_cuff(&mut self, out: &mut impl FnMut(Output)) -> Result<(), CommandRefusal> {
        let device = self.may_ask_cuff()?;
        out(Output::Request { device, request: crate::driver::Request::StopCuff });
        Ok(())
    }
    pub(super) fn take_manual(
        &mut self,
        pressure: crate::vitals::BloodPressure,
        ago: Span,
        out: &mut impl FnMut(Output),
    ) -> Result<(), CommandRefusal> {
        use crate::sample::{CuffOrigin, CuffResult};
        let now = self.state.now;
        if self.state.session.phase() == Phase::NoSession {
            return Err(CommandRefusal::NoSession);
        }
        if ago > Span::mins(15) {
            return Err(CommandRefusal::TooLongAgo { limit: Span::mins(15) });
        }
        let pulse = crate::vitals::Measured::Absent(crate::vitals::Absent::NotMeasured);
        let result =
            CuffResult { at: now, measured_at: now - ago, origin: CuffOrigin::Manual, pressure: Ok(pressure), pulse };
        self.take_determination(&result, out);
        Ok(())
    }
    pub(super) fn may_ask_cuff(&self) -> Result<DeviceIndex, CommandRefusal> {
        let device = self.state.cuff.source().filter(|_| self.state.cuff.starts()).ok_or(CommandRefusal::NoCuff)?;
        match self.cuff_way().and_then(|way| way.link) {
            Some(Link::Up) => Ok(device),
            _ => Err(CommandRefusal::CuffLost),
        }
    }
}
