//! The measured items before the patient leaves, from what the bed knows (R9).

use crate::monitor::alarm::{Presence, Priority};
use crate::monitor::announce::counts_for_items;
use crate::monitor::baseline::Baseline;
use crate::monitor::bed::{Bed, PRESSURES_KEPT};
use crate::monitor::readiness::{Facts, Infusion, Readiness, ReadinessTerms, judge};
use crate::time::{Span, Time};
use crate::vitals::BloodPressure;

/// Readings are remembered for this long.
const PRESSURES_FOR: Span = Span::mins(60);

impl Bed {
    /// The measured items as they stand; `None`: no dose was given. A clinician decides.
    #[must_use]
    pub fn readiness(&self) -> Option<Readiness> {
        let open = self.state.session.opened()?;
        let dose = open.dose?;
        let infusion = match open.infusion.map(|infusion| infusion.ended()) {
            None => Infusion::None,
            Some(None) => Infusion::Running,
            Some(Some(ended)) => Infusion::Ended(ended),
        };
        let board = &self.state.board;
        let recent = &self.state.trends.recent;
        let baseline = self.baseline();
        let facts = Facts {
            now: self.state.now,
            dose: Some(dose),
            infusion,
            medicine: open.sedated.max(open.treated),
            pressures: &self.state.pressures,
            baseline_pressure: baseline.and_then(Baseline::pressure),
            baseline_spo2: baseline.and_then(Baseline::spo2),
            baseline_pulse: baseline.and_then(Baseline::pulse),
            spo2_median: recent.spo2_median(),
            pulse_median: recent.pulse_median(),
            good_pct: recent.good_pct(),
            low_run: recent.last_low_run(),
            oxygen: open.oxygen.is_some(),
            unseen: board.latched() > 0,
            alarm: board.present().any(|alarm| {
                alarm.presence == Presence::On && alarm.priority > Priority::Low && counts_for_items(alarm.condition)
            }),
            last_high: board.last_high(),
        };
        Some(judge(&facts, &ReadinessTerms::KAT_DEFAULT_1))
    }

    /// Remembers a valid reading of this patient.
    pub(super) fn remember_pressure(&mut self, pressure: BloodPressure, measured_at: Time) {
        let now = self.state.now;
        let pressures = &mut self.state.pressures;
        pressures.retain(|(at, _)| now.since(*at) <= PRESSURES_FOR);
        if pressures.len() >= PRESSURES_KEPT {
            pressures.remove(0);
        }
        let at = pressures.partition_point(|(at, _)| *at <= measured_at);
        pressures.insert(at, (measured_at, pressure));
    }
}
