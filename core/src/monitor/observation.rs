//! What a person sees and gives, in codes (R5.10, R5.12): no text leaves the box.

use serde::{Deserialize, Serialize};

/// Something a person saw, or gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Observation {
    /// Nausea.
    Nausea,
    /// Vomiting.
    Vomiting,
    /// Dizziness.
    Dizziness,
    /// Headache.
    Headache,
    /// Confusion.
    Confusion,
    /// Drowsiness.
    Drowsiness,
    /// Anxiety.
    Anxiety,
    /// Distress or agitation.
    Distress,
    /// Hallucination.
    Hallucination,
    /// Dissociation.
    Dissociation {
        /// 0 to 10.
        score: u8,
    },
    /// Sedation: how the person responds.
    Sedation {
        /// To what.
        responds: Responsiveness,
    },
    /// Chest pain. This one and the next four offer HELP.
    ChestPain,
    /// Severe headache.
    SevereHeadache,
    /// Breathless.
    Breathless,
    /// Noisy breathing.
    NoisyBreathing,
    /// Seizure.
    Seizure,
    /// A benzodiazepine was given.
    GaveBenzodiazepine,
    /// An opioid was given.
    GaveOpioid,
    /// An antihypertensive was given.
    GaveAntihypertensive,
    /// An antiemetic was given.
    GaveAntiemetic,
    /// Oxygen was started.
    GaveOxygen,
    /// Oxygen was stopped.
    StoppedOxygen,
    /// Something else was given.
    GaveOther,
}

/// The highest score of dissociation.
pub const DISSOCIATION_AT_MOST: u8 = 10;

/// To what a person responds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Responsiveness {
    /// Awake.
    Awake,
    /// To voice.
    Voice,
    /// To touch.
    Touch,
    /// To nothing.
    Unresponsive,
}

impl Observation {
    /// Whether HELP is to be offered with it.
    #[must_use]
    pub const fn offers_help(self) -> bool {
        matches!(self, Self::ChestPain | Self::SevereHeadache | Self::Breathless | Self::NoisyBreathing | Self::Seizure)
    }

    /// Whether it is within its scale.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        match self {
            Self::Dissociation { score } => score <= DISSOCIATION_AT_MOST,
            _ => true,
        }
    }
}
