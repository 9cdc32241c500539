//! The figures that a clinician signs: limits, delays, priorities by phase, intervals (R7, R5.3, R6, R8.1).
//!
//! Every figure is an engineering default. The shell reads a preset from a file and hashes it; what is
//! compiled in here is the same preset, for tests and for a box whose file is missing.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::input::Route;
use crate::monitor::output::{Condition, Limit, Phase, Priority};
use crate::time::Span;
use crate::vitals::Spo2;

/// A named, versioned set of limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of the file it came from, hexadecimal; empty for the one compiled in.
    pub hash: String,
    /// The clinician who signed it; `None`: unsigned, and shown as such everywhere.
    pub signed_by: Option<String>,
    /// Rows judged on every sample of the oximeter.
    pub oximetry: Vec<OximetryRow>,
    /// Rows judged on every determination of the blood pressure.
    pub pressure: Vec<PressureRow>,
    /// What the pressure rows need beside their limits.
    pub pressure_terms: PressureTerms,
    /// R6.
    pub unavailable: UnavailableTerms,
    /// R5.3, by route.
    pub routes: Routes,
    /// R8.1.
    pub cuff: CuffTerms,
}

/// A priority in each phase; `None`: off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByPhase {
    /// P0.
    pub baseline: Option<Priority>,
    /// P1.
    pub onset: Option<Priority>,
    /// P2.
    pub window: Option<Priority>,
    /// P3.
    pub recovery: Option<Priority>,
}

/// A row judged on every sample of the oximeter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OximetryRow {
    /// Which condition it raises.
    pub condition: Condition,
    /// Its comparator and limit.
    pub limit: Limit,
    /// Its priority in each phase.
    pub priority: ByPhase,
    /// How long the violation must have lasted.
    pub delay: Span,
    /// How far beyond the limit a value must come back: tenths of a percent, or bpm.
    pub hysteresis: u16,
    /// For how long it must stay there.
    pub clear: Span,
}

/// A row judged on every determination of the blood pressure (delay 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressureRow {
    /// Which condition it raises.
    pub condition: Condition,
    /// Its comparator and limits.
    pub limit: Limit,
    /// Its priority in each phase.
    pub priority: ByPhase,
    /// How far beyond the systolic or diastolic limit a value must come back, mmHg.
    pub hysteresis: u16,
    /// The same for the mean pressure, mmHg.
    pub mean_hysteresis: u16,
    /// How many determinations in a row must be there.
    pub clear_readings: u8,
}

/// What single pressure rows need beside their limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressureTerms {
    /// Row 12: the systolic limit for a person older than 65, mmHg.
    pub elevated_systolic_over_65: u16,
    /// Row 13: MEDIUM in recovery from this long after the dose ...
    pub high_late_after: Span,
    /// ... on two readings at least this far apart.
    pub high_late_apart: Span,
    /// Row 15: two readings at least this far apart ...
    pub confirm_apart: Span,
    /// ... within this, or 1.5 x the interval if that is longer.
    pub confirm_within: Span,
    /// Row 19: the systolic limit before the dose, mmHg.
    pub low_systolic_baseline: u16,
    /// Row 21: MEDIUM below these on one reading, HIGH on the second in a row.
    pub very_low_repeated: Limit,
}

/// R6.2, R6.3: when the absence of good SpO2 data becomes an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnavailableTerms {
    /// P0: LOW.
    pub baseline_low: Span,
    /// P0 once a third baseline reading exists: MEDIUM.
    pub baseline_medium: Span,
    /// P1, P2: MEDIUM.
    pub dosed_medium: Span,
    /// P1, P2: HIGH.
    pub dosed_high: Span,
    /// P1, P2, if the reason is an inadequate signal: MEDIUM.
    pub dosed_inadequate_medium: Span,
    /// P1, P2, if the reason is an inadequate signal: HIGH.
    pub dosed_inadequate_high: Span,
    /// P3: MEDIUM.
    pub recovery_medium: Span,
    /// P3: HIGH.
    pub recovery_high: Span,
    /// Continuous good data that ends it.
    pub reset: Span,
    /// R6.3: MEDIUM below this share of good data, percent, in the last 60 s.
    pub thin_medium_pct: u16,
    /// R6.3: HIGH below this share of good data, percent, in the last 180 s.
    pub thin_high_pct: u16,
}

/// R5.3: when the phases begin, from the effective dose time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// Intravenous.
    pub iv: Phases,
    /// Intramuscular.
    pub im: Phases,
    /// Intranasal.
    pub intranasal: Phases,
    /// Oral and sublingual.
    pub oral: Phases,
    /// IV: the window ends this long after the end of the infusion at the earliest.
    pub after_infusion: Span,
}

/// The phases after a dose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// The window begins this long after the dose.
    pub window: Span,
    /// Recovery begins this long after the dose.
    pub recovery: Span,
}

/// R8.1, R8.2, R8.4: the schedule of the cuff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CuffTerms {
    /// P0: between the three baseline readings.
    pub baseline: Span,
    /// P0: after them.
    pub baseline_after: Span,
    /// P1 and P2.
    pub dosed: Span,
    /// P3.
    pub recovery: Span,
    /// After a failure, once.
    pub retry: Span,
    /// A determination holds the overdue alarm back for this long at most.
    pub inflating_at_most: Span,
}

impl ByPhase {
    /// The same in all phases.
    #[must_use]
    pub const fn all(priority: Priority) -> Self {
        Self::of(Some(priority), Some(priority), Some(priority), Some(priority))
    }

    /// One for each of P0 to P3.
    #[must_use]
    pub const fn of(
        baseline: Option<Priority>,
        onset: Option<Priority>,
        window: Option<Priority>,
        recovery: Option<Priority>,
    ) -> Self {
        Self { baseline, onset, window, recovery }
    }

    /// The priority in `phase`; a room without a session has that of P0.
    #[must_use]
    pub const fn at(&self, phase: Phase) -> Option<Priority> {
        match phase {
            Phase::NoSession | Phase::Baseline => self.baseline,
            Phase::Onset => self.onset,
            Phase::Window => self.window,
            Phase::Recovery => self.recovery,
        }
    }
}

impl Routes {
    /// The phases of `route`.
    #[must_use]
    pub const fn of(&self, route: Route) -> Phases {
        match route {
            Route::Iv => self.iv,
            Route::Im => self.im,
            Route::Intranasal => self.intranasal,
            Route::Oral => self.oral,
        }
    }
}

impl Preset {
    /// `kat-default-1`, as far as its rows exist (R7).
    #[must_use]
    pub fn kat_default_1() -> Self {
        use Condition as C;
        use Priority::{High, Low, Medium};
        let all = ByPhase::all;
        let spo2 = |percent: u16| Spo2::percent(percent).unwrap_or(LOWEST_SPO2);
        let row = |condition, limit, priority, delay, hysteresis, clear| OximetryRow {
            condition,
            limit,
            priority,
            delay: Span::secs(delay),
            hysteresis,
            clear: Span::secs(clear),
        };
        let bp = |condition, limit, priority, clear_readings| PressureRow {
            condition,
            limit,
            priority,
            hysteresis: 5,
            mean_hysteresis: 3,
            clear_readings,
        };
        let minutes = |window, recovery| Phases { window: Span::mins(window), recovery: Span::mins(recovery) };
        Self {
            name: "kat-default-1".into(),
            version: 1,
            hash: String::new(),
            signed_by: None,
            oximetry: [
                row(C::Spo2Critical, Limit::Spo2Below(spo2(80)), all(High), 2, 30, 15),
                row(C::Spo2VeryLow, Limit::Spo2Below(spo2(85)), all(High), 5, 30, 15),
                row(C::Spo2Low, Limit::Spo2Below(spo2(88)), all(High), 10, 20, 15),
                row(C::Spo2Reduced, Limit::Spo2AtMost(spo2(91)), all(Medium), 15, 20, 15),
                row(C::Spo2Drift, Limit::Spo2AtMost(spo2(93)), all(Low), 60, 20, 30),
                row(C::PulseVeryHigh, Limit::PulseAbove(150), all(High), 10, 5, 15),
                row(C::PulseHigh, Limit::PulseAbove(130), all(Medium), 15, 5, 15),
                row(
                    C::PulseHighSustained,
                    Limit::PulseAbove(120),
                    ByPhase::of(None, Some(Medium), Some(Medium), Some(Medium)),
                    300,
                    5,
                    30,
                ),
                row(C::PulseRaised, Limit::PulseAbove(110), all(Low), 60, 5, 30),
                row(C::PulseLow, Limit::PulseBelow(50), all(Medium), 15, 3, 15),
                row(C::PulseVeryLow, Limit::PulseAtMost(40), all(High), 10, 4, 15),
                row(C::NoPulse, Limit::NoPulse, all(High), 10, 0, 10),
            ]
            .into(),
            pressure: [
                bp(
                    C::PressureElevated,
                    Limit::PressureAbove { systolic: 140, diastolic: 90 },
                    ByPhase::of(Some(Low), None, None, None),
                    1,
                ),
                bp(
                    C::PressureHigh,
                    Limit::PressureAtLeast { systolic: 160, diastolic: 100 },
                    ByPhase::of(Some(Medium), Some(Low), Some(Low), Some(Low)),
                    1,
                ),
                bp(C::PressureSevere, Limit::PressureAtLeast { systolic: 180, diastolic: 110 }, all(Medium), 1),
                bp(C::PressureSevereConfirmed, Limit::PressureAtLeast { systolic: 180, diastolic: 110 }, all(High), 2),
                bp(C::PressureExtreme, Limit::PressureAtLeast { systolic: 200, diastolic: 120 }, all(High), 2),
                bp(C::SystolicLow, Limit::PressureBelow { systolic: Some(90), mean: None }, all(Medium), 1),
                bp(C::MeanLow, Limit::PressureBelow { systolic: None, mean: Some(65) }, all(Medium), 1),
                bp(C::PressureVeryLow, Limit::PressureBelow { systolic: Some(70), mean: Some(55) }, all(High), 1),
            ]
            .into(),
            pressure_terms: PressureTerms {
                elevated_systolic_over_65: 150,
                high_late_after: Span::mins(90),
                high_late_apart: Span::mins(10),
                confirm_apart: Span::mins(1),
                confirm_within: Span::mins(10),
                low_systolic_baseline: 100,
                very_low_repeated: Limit::PressureBelow { systolic: Some(80), mean: Some(60) },
            },
            unavailable: UnavailableTerms {
                baseline_low: Span::secs(20),
                baseline_medium: Span::secs(60),
                dosed_medium: Span::secs(10),
                dosed_high: Span::secs(60),
                dosed_inadequate_medium: Span::secs(20),
                dosed_inadequate_high: Span::secs(90),
                recovery_medium: Span::secs(30),
                recovery_high: Span::secs(120),
                reset: Span::secs(10),
                thin_medium_pct: 70,
                thin_high_pct: 50,
            },
            routes: Routes {
                iv: minutes(15, 60),
                im: minutes(5, 65),
                intranasal: minutes(15, 75),
                oral: minutes(30, 120),
                after_infusion: Span::mins(20),
            },
            cuff: CuffTerms {
                baseline: Span::mins(2),
                baseline_after: Span::mins(10),
                dosed: Span::mins(10),
                recovery: Span::mins(15),
                retry: Span::secs(60),
                inflating_at_most: Span::secs(180),
            },
        }
    }
}

/// 1 %: what a mistyped constant would become, and alarm on nothing.
const LOWEST_SPO2: Spo2 = match Spo2::percent(1) {
    Some(spo2) => spo2,
    None => panic!("1 % is in range"),
};
