//! The figures that a clinician signs: limits, delays, priorities by phase, intervals (R7, R4, R5.3, R5.12, R6, R8.1).
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
    /// What the oximetry rows need beside their limits.
    pub oximetry_terms: OximetryTerms,
    /// Rows judged on every determination of the blood pressure.
    pub pressure: Vec<PressureRow>,
    /// What the pressure rows need beside their limits.
    pub pressure_terms: PressureTerms,
    /// Rows 23, 24, 29 and 30.
    pub trends: TrendTerms,
    /// Rows 33 and 34.
    pub combined: CombinedTerms,
    /// R6.
    pub unavailable: UnavailableTerms,
    /// R5.3, by route.
    pub routes: Routes,
    /// R8.1.
    pub cuff: CuffTerms,
    /// R4.2 to R4.4.
    pub attention: AttentionTerms,
    /// R5.12; `None`: the clinic has switched the check round off.
    pub check_round: Option<CheckTerms>,
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

/// What single oximetry rows need beside their limit. Saturations in tenths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OximetryTerms {
    /// Row 5: so far below the baseline; its own limit is the highest it can be.
    pub below_baseline: u16,
    /// Row 3 on supplemental oxygen.
    pub reduced_on_oxygen: Spo2,
    /// Row 4 on supplemental oxygen.
    pub drift_on_oxygen: Spo2,
    /// Row 3 for a person with chronic hypercapnia, whatever the oxygen.
    pub reduced_hypercapnia: Spo2,
    /// Row 2 for a person with chronic hypercapnia.
    pub low_hypercapnia: Spo2,
    /// R5.10: oxygen that was just started has the limits of none for this long.
    pub oxygen_grace: Span,
    /// Row 10: so far below the baseline, bpm; its own limit is the highest it can be ...
    pub slow_below_baseline: u16,
    /// ... and this the lowest.
    pub slow_at_least: u16,
    /// Row 10 for a baseline that is confirmed to be slow: so far below it ...
    pub slow_below_confirmed: u16,
    /// ... and this the lowest.
    pub slow_at_least_confirmed: u16,
}

/// A row judged on a trend over three minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendRow {
    /// Its slope and limit.
    pub limit: Limit,
    /// Its priority in each phase.
    pub priority: ByPhase,
    /// How long it must have held.
    pub delay: Span,
}

/// Rows 23, 24, 29 and 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendTerms {
    /// Row 23.
    pub spo2_falling: TrendRow,
    /// Row 24.
    pub pulse_climbing: TrendRow,
    /// Row 29: its priority in each phase.
    pub burden: ByPhase,
    /// Row 29: what is below this counts.
    pub burden_below: Spo2,
    /// Row 29: points times seconds.
    pub burden_points: u32,
    /// Row 29: it ends at or above this ...
    pub burden_ends_at: Spo2,
    /// ... for this long.
    pub burden_clear: Span,
    /// Row 30: its priority for three in 15 min; for three in 5 min it is MEDIUM at least.
    pub desaturations: ByPhase,
}

/// Rows 33 and 34; row 35 stands with the pressures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedTerms {
    /// Row 33: its priority in each phase.
    pub pulse_falling: ByPhase,
    /// Row 33: the pulse falls by more than this within two minutes, percent.
    pub pulse_fall_pct: u8,
    /// Row 34.
    pub fast_pulse: OximetryRow,
}

/// R4.2 to R4.4: how long a person may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionTerms {
    /// An accepted HIGH that is still there is announced again.
    pub again_high: Span,
    /// An accepted MEDIUM that is still there is announced again.
    pub again_medium: Span,
    /// A HIGH that nobody took: the bedside sounder.
    pub bedside: Span,
    /// A HIGH that nobody took: all stations.
    pub all_high: Span,
    /// A MEDIUM that nobody took: all stations.
    pub all_medium: Span,
    /// A MEDIUM that nobody took becomes HIGH.
    pub neglected: Span,
    /// How long the sound is paused.
    pub pause: Span,
    /// How often it is said that something is off.
    pub reminder: Span,
}

/// R5.12: the check round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckTerms {
    /// P1 and P2.
    pub dosed: Span,
    /// P3.
    pub recovery: Span,
    /// Fewer breaths a minute are HIGH.
    pub breaths_below: u8,
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
    /// Row 15: without a valid reading for this long after row 14 it is severe, not re-measured.
    pub not_remeasured: Span,
    /// Rows 22 and 35: a pressure this old counts no more beside a pulse.
    pub fresh: Span,
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
    /// After rows 14 to 16 and 19 to 21, a sedative or an antihypertensive.
    pub close: Span,
    /// After rows 14 to 16, from the end of the last, once an episode.
    pub repeat_severe: Span,
    /// After row 21, from the end of the last, once an episode.
    pub repeat_very_low: Span,
    /// Intranasal: one this long after the dose.
    pub intranasal_extra: Span,
    /// R8.4: measuring again and again ends after this.
    pub stat_at_most: Span,
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

    /// The graver of the two phases: rules that are added never loosen any.
    #[must_use]
    pub fn at_either(&self, one: Phase, other: Phase) -> Option<Priority> {
        self.at(one).max(self.at(other))
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
    /// `kat-default-1` (R7).
    #[must_use]
    pub fn kat_default_1() -> Self {
        use Condition as C;
        use Priority::{High, Low, Medium};
        let all = ByPhase::all;
        let dosed = |priority| ByPhase::of(None, Some(priority), Some(priority), Some(priority));
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
                row(C::Spo2BelowBaseline, Limit::Spo2AtMost(spo2(93)), dosed(Low), 60, 10, 30),
                row(C::PulseVeryHigh, Limit::PulseAbove(150), all(High), 10, 5, 15),
                row(C::PulseHigh, Limit::PulseAbove(130), all(Medium), 15, 5, 15),
                row(C::PulseHighSustained, Limit::PulseAbove(120), dosed(Medium), 300, 5, 30),
                row(C::PulseRaised, Limit::PulseAbove(110), all(Low), 60, 5, 30),
                row(C::PulseLow, Limit::PulseBelow(50), all(Medium), 15, 3, 15),
                row(C::PulseVeryLow, Limit::PulseAtMost(40), all(High), 10, 4, 15),
                row(C::NoPulse, Limit::NoPulse, all(High), 10, 0, 10),
            ]
            .into(),
            oximetry_terms: OximetryTerms {
                below_baseline: 40,
                reduced_on_oxygen: spo2(93),
                drift_on_oxygen: spo2(94),
                reduced_hypercapnia: spo2(87),
                low_hypercapnia: spo2(85),
                oxygen_grace: Span::mins(3),
                slow_below_baseline: 10,
                slow_at_least: 45,
                slow_below_confirmed: 8,
                slow_at_least_confirmed: 41,
            },
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
                bp(C::PressureRise, Limit::PressureRise { systolic: 40, diastolic: 25 }, dosed(Low), 1),
                bp(C::MeanRise, Limit::MeanRise(130), dosed(Low), 1),
                PressureRow { hysteresis: 10, ..bp(C::ShockIndex, Limit::ShockIndexAtLeast(100), dosed(Low), 1) },
                bp(C::PressureClimbing, Limit::PressureClimbing { per_min: 300, systolic: 150 }, dosed(Low), 1),
                bp(C::HighPressureSlowPulse, Limit::PressureAndPulse { systolic: 180, at_most: 50 }, all(High), 1),
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
                not_remeasured: Span::mins(5),
                fresh: Span::mins(10),
            },
            trends: TrendTerms {
                spo2_falling: TrendRow {
                    limit: Limit::Spo2Falling { per_min: 100, at_most: spo2(95) },
                    priority: dosed(Low),
                    delay: Span::secs(20),
                },
                pulse_climbing: TrendRow {
                    limit: Limit::PulseClimbing { per_min: 1_000, above: 100 },
                    priority: dosed(Low),
                    delay: Span::secs(30),
                },
                burden: dosed(Medium),
                burden_below: spo2(90),
                burden_points: 50,
                burden_ends_at: spo2(92),
                burden_clear: Span::secs(30),
                desaturations: dosed(Low),
            },
            combined: CombinedTerms {
                pulse_falling: dosed(High),
                pulse_fall_pct: 20,
                fast_pulse: row(
                    C::LowSpo2FastPulse,
                    Limit::Spo2AndPulse { at_most: spo2(91), at_least: 130 },
                    all(High),
                    10,
                    20,
                    15,
                ),
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
                close: Span::mins(5),
                repeat_severe: Span::mins(2),
                repeat_very_low: Span::mins(1),
                intranasal_extra: Span::mins(40),
                stat_at_most: Span::mins(5),
            },
            attention: AttentionTerms {
                again_high: Span::secs(180),
                again_medium: Span::secs(300),
                bedside: Span::secs(30),
                all_high: Span::secs(60),
                all_medium: Span::secs(120),
                neglected: Span::secs(300),
                pause: Span::secs(120),
                reminder: Span::secs(120),
            },
            check_round: Some(CheckTerms { dosed: Span::mins(15), recovery: Span::mins(30), breaths_below: 8 }),
        }
    }
}

/// 1 %: what a mistyped constant would become, and alarm on nothing.
const LOWEST_SPO2: Spo2 = match Spo2::percent(1) {
    Some(spo2) => spo2,
    None => panic!("1 % is in range"),
};
