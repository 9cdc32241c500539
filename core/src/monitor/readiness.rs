//! The measured items before a person leaves (R9; ketamine-monitoring 7).
//!
//! Six items, each met or with what is missing. They never say "discharge": a clinician decides, and
//! signs the human checklist beside them. A function of plain facts: it remembers nothing.

mod judge;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};
use crate::vitals::{BloodPressure, PulseRate, Spo2};

pub use judge::judge;

/// The figures of R9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessTerms {
    /// Item 1: this long after the dose ...
    pub after_dose: Span,
    /// ... after the end of an infusion ...
    pub after_infusion: Span,
    /// ... and after any sedative or antihypertensive.
    pub after_medicine: Span,
    /// Item 2: the newest determination is at most this old ...
    pub newest_within: Span,
    /// ... and another was at least this long before it.
    pub apart: Span,
    /// Systolic at least this, mmHg ...
    pub systolic_at_least: u16,
    /// ... at most this, or that share of the baseline if it is more ...
    pub systolic_at_most: u16,
    /// ... and below this in any case.
    pub systolic_below: u16,
    /// Diastolic at most this, mmHg, or that share of the baseline if it is more ...
    pub diastolic_at_most: u16,
    /// ... and below this in any case.
    pub diastolic_below: u16,
    /// The share of the baseline, percent.
    pub of_baseline_pct: u16,
    /// Mean at least this, mmHg.
    pub mean_at_least: u16,
    /// Item 3: the newer systolic pressure is at most this much above the older, mmHg.
    pub rise_at_most: u16,
    /// Item 4: the median SpO2 is at least this, tenths of a percent ...
    pub spo2_at_least: u16,
    /// ... or this much below the baseline if that is less ...
    pub spo2_below_baseline: u16,
    /// ... but never below this. A clinician's override is another figure here.
    pub spo2_never_below: u16,
    /// At least so much of the time was good, percent.
    pub good_at_least_pct: u8,
    /// No low run within this.
    pub low_run_within: Span,
    /// Item 5: the median pulse is at least this, beats a minute ...
    pub pulse_at_least: u16,
    /// ... and at most this ...
    pub pulse_at_most: u16,
    /// ... or within this share of the baseline, percent.
    pub pulse_within_pct: u16,
    /// Item 6: no HIGH within this.
    pub high_within: Span,
    /// "Met at hh:mm" lapses after this.
    pub lapses_after: Span,
}

impl ReadinessTerms {
    /// R9 of kat-default-1.
    pub const KAT_DEFAULT_1: Self = Self {
        after_dose: Span::mins(120),
        after_infusion: Span::mins(60),
        after_medicine: Span::mins(60),
        newest_within: Span::mins(15),
        apart: Span::mins(10),
        systolic_at_least: 90,
        systolic_at_most: 140,
        systolic_below: 160,
        diastolic_at_most: 90,
        diastolic_below: 100,
        of_baseline_pct: 110,
        mean_at_least: 65,
        rise_at_most: 10,
        spo2_at_least: 940,
        spo2_below_baseline: 20,
        spo2_never_below: 900,
        good_at_least_pct: 80,
        low_run_within: Span::mins(15),
        pulse_at_least: 50,
        pulse_at_most: 100,
        pulse_within_pct: 20,
        high_within: Span::mins(30),
        lapses_after: Span::mins(15),
    };
}

/// An infusion, if there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Infusion {
    /// The dose was not infused.
    #[default]
    None,
    /// It has not ended.
    Running,
    /// It ended then.
    Ended(Time),
}

/// What the items are judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// When they are judged.
    pub now: Time,
    /// When the last dose took effect.
    pub dose: Option<Time>,
    /// Its infusion.
    pub infusion: Infusion,
    /// When a sedative or an antihypertensive was last given.
    pub medicine: Option<Time>,
    /// The determinations of the last hour, oldest first, each with its time.
    pub pressures: &'a [(Time, BloodPressure)],
    /// The baseline pressure; without one, 140/90 is the limit (R5.9).
    pub baseline_pressure: Option<BloodPressure>,
    /// The baseline SpO2.
    pub baseline_spo2: Option<Spo2>,
    /// The baseline pulse.
    pub baseline_pulse: Option<PulseRate>,
    /// The median SpO2 of the last 15 min.
    pub spo2_median: Option<Spo2>,
    /// The median pulse of the last 15 min.
    pub pulse_median: Option<PulseRate>,
    /// How much of the last 15 min was good SpO2 data, percent.
    pub good_pct: u8,
    /// The last moment at which a run of low SpO2 had lasted.
    pub low_run: Option<Time>,
    /// Whether oxygen is given that is not the person's own at home.
    pub oxygen: bool,
    /// Whether a latched alarm was not seen yet.
    pub unseen: bool,
    /// Whether a MEDIUM or HIGH is active that counts: rows 12, 13, 17, 18 do not, nor do technical
    /// conditions other than SpO2 and the cuff.
    pub alarm: bool,
    /// When a HIGH was last active.
    pub last_high: Option<Time>,
}

/// What is missing to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Item 1: no dose was recorded.
    Dose,
    /// Item 1: the infusion has not ended.
    InfusionRunning,
    /// Item 1: too soon after the dose.
    AfterDose {
        /// The first moment that is late enough.
        until: Time,
    },
    /// Item 1: too soon after the end of the infusion.
    AfterInfusion {
        /// The first moment that is late enough.
        until: Time,
    },
    /// Item 1: too soon after a sedative or an antihypertensive.
    AfterMedicine {
        /// The first moment that is late enough.
        until: Time,
    },
    /// Items 2, 3: no determination in the last hour.
    Pressure,
    /// Item 2: the newest determination is too old.
    PressureOld {
        /// When it was.
        measured_at: Time,
    },
    /// Items 2, 3: no other determination long enough before the newest.
    SecondPressure {
        /// The first moment at which another is late enough after the oldest there is.
        from: Time,
    },
    /// Item 2: a determination is outside its limits.
    PressureOutside {
        /// When it was.
        measured_at: Time,
        /// What it was.
        pressure: BloodPressure,
        /// The highest systolic pressure that passes, mmHg.
        systolic_at_most: u16,
        /// The highest diastolic pressure that passes, mmHg.
        diastolic_at_most: u16,
    },
    /// Items 2, 3: a determination of the mean alone, which cannot pass.
    PressureMeanOnly {
        /// When it was.
        measured_at: Time,
    },
    /// Item 3: the systolic pressure rises.
    PressureRising {
        /// The older, mmHg.
        from: u16,
        /// The newer, mmHg.
        to: u16,
    },
    /// Item 4: oxygen is given.
    Oxygen,
    /// Item 4: too little good data.
    Spo2Thin {
        /// The share there is, percent.
        good_pct: u8,
    },
    /// Item 4: the median is too low.
    Spo2Low {
        /// The median.
        median: Spo2,
        /// The lowest that passes, tenths of a percent.
        at_least: u16,
    },
    /// Item 4: a low run was too short a while ago.
    Spo2LowRun {
        /// Its last moment.
        at: Time,
    },
    /// Item 5: no pulse to judge by.
    Pulse,
    /// Item 5: the median is outside.
    PulseOutside {
        /// The median.
        median: PulseRate,
    },
    /// Item 6: a MEDIUM or HIGH is active.
    Alarm,
    /// Item 6: a latched alarm was not seen.
    Unseen,
    /// Item 6: a HIGH was active too short a while ago.
    High {
        /// When it was last active.
        at: Time,
    },
}

/// One item: met, or what is missing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Met.
    Met,
    /// Not met, for this reason before any other.
    Missing(Missing),
}

/// The six items, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Time, pressure, its trend, SpO2, pulse, alarms.
    pub items: [Item; 6],
    /// All of them are met.
    pub vitals_ready: bool,
    /// When they were, if they are.
    pub met_at: Option<Time>,
}

impl Readiness {
    /// How many of the six are met.
    #[must_use]
    pub fn met(&self) -> usize {
        self.items.iter().filter(|item| **item == Item::Met).count()
    }

    /// Whether "met at hh:mm" may still be shown.
    #[must_use]
    pub fn holds(&self, terms: &ReadinessTerms, now: Time) -> bool {
        self.met_at.is_some_and(|met| now.since(met) < terms.lapses_after)
    }
}
