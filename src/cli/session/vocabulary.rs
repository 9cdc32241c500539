//! The words of `vitalsd session`: as typed, as said, and what they mean.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use vitalsd_core::monitor::input::{CloseReason, Label, OffReason, Route, Side, StandbyReason};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};

/// A word to type, how it is said in a sentence, and what it means.
type Word<T> = (&'static str, &'static str, T);

/// How a dose is given.
pub const ROUTES: &[Word<Route>] = &[
    ("iv", "IV", Route::Iv),
    ("im", "IM", Route::Im),
    ("intranasal", "intranasal", Route::Intranasal),
    ("oral", "oral", Route::Oral),
];

/// Where something is on the patient.
pub const SIDES: &[Word<Side>] =
    &[("left", "left", Side::Left), ("right", "right", Side::Right), ("none", "none", Side::Neither)];

/// Why a session ends although items are not met.
pub const CLOSE_REASONS: &[Word<CloseReason>] = &[
    ("clinician-decision", "a clinician's decision", CloseReason::ClinicianDecision),
    ("transferred", "transferred", CloseReason::Transferred),
    ("left-against-advice", "left against advice", CloseReason::LeftAgainstAdvice),
    ("emergency", "an emergency", CloseReason::Emergency),
    ("test", "a test", CloseReason::Test),
];

/// Why the patient is disconnected for a while.
pub const STANDBY_REASONS: &[Word<StandbyReason>] = &[
    ("toilet", "toilet", StandbyReason::Toilet),
    ("moving", "moving", StandbyReason::Moving),
    ("dressing", "dressing", StandbyReason::Dressing),
];

/// Why a condition is switched off.
pub const OFF_REASONS: &[Word<OffReason>] = &[
    ("expected", "expected with this patient", OffReason::Expected),
    ("artefact", "artefact", OffReason::Artefact),
    ("equipment", "equipment out of order", OffReason::Equipment),
    ("clinician-decision", "a clinician's decision", OffReason::ClinicianDecision),
];

/// To what a person responds.
pub const RESPONSES: &[Word<Responsiveness>] = &[
    ("awake", "awake", Responsiveness::Awake),
    ("voice", "responds to voice", Responsiveness::Voice),
    ("touch", "responds only to touch", Responsiveness::Touch),
    ("unresponsive", "does not respond", Responsiveness::Unresponsive),
];

/// What an alarm was worth.
pub const LABELS: &[Word<Label>] = &[
    ("real", "real", Label::Real),
    ("probe", "the probe", Label::Probe),
    ("expected", "to be expected", Label::Expected),
    ("test", "a test", Label::Test),
];

/// What a person saw. Dissociation and sedation take their scale from an option of their own.
pub const OBSERVATIONS: &[Word<Observation>] = &[
    ("nausea", "nausea", Observation::Nausea),
    ("vomiting", "vomiting", Observation::Vomiting),
    ("dizziness", "dizziness", Observation::Dizziness),
    ("headache", "headache", Observation::Headache),
    ("confusion", "confusion", Observation::Confusion),
    ("drowsiness", "drowsiness", Observation::Drowsiness),
    ("anxiety", "anxiety", Observation::Anxiety),
    ("distress", "distress or agitation", Observation::Distress),
    ("hallucination", "hallucination", Observation::Hallucination),
    ("dissociation", "dissociation", Observation::Dissociation { score: 0 }),
    ("sedation", "sedation", Observation::Sedation { responds: Responsiveness::Awake }),
    ("chest-pain", "chest pain", Observation::ChestPain),
    ("severe-headache", "severe headache", Observation::SevereHeadache),
    ("breathless", "breathless", Observation::Breathless),
    ("noisy-breathing", "noisy breathing", Observation::NoisyBreathing),
    ("seizure", "seizure", Observation::Seizure),
];

/// What a person gave.
pub const GIVEN: &[Word<Observation>] = &[
    ("benzodiazepine", "benzodiazepine given", Observation::GaveBenzodiazepine),
    ("opioid", "opioid given", Observation::GaveOpioid),
    ("antihypertensive", "antihypertensive given", Observation::GaveAntihypertensive),
    ("antiemetic", "antiemetic given", Observation::GaveAntiemetic),
    ("oxygen", "oxygen started", Observation::GaveOxygen),
    ("oxygen-off", "oxygen stopped", Observation::StoppedOxygen),
    ("other", "something else given", Observation::GaveOther),
];

/// Takes one of `words`, as typed.
pub fn one_of<T: Copy + Send + Sync + 'static>(words: &'static [Word<T>]) -> impl TypedValueParser<Value = T> {
    let names = words.iter().map(|(name, ..)| *name);
    PossibleValuesParser::new(names).try_map(|typed| {
        let known = words.iter().find(|(name, ..)| *name == typed);
        known.map(|(.., meaning)| *meaning).ok_or_else(|| format!("{typed:?} is none of these words"))
    })
}

/// How `meaning` is said.
pub fn said<T: PartialEq>(words: &'static [Word<T>], meaning: &T) -> &'static str {
    words.iter().find(|(.., known)| known == meaning).map_or("", |(_, said, _)| said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    fn read<T: Copy + Send + Sync + 'static>(words: &'static [Word<T>], typed: &'static str) -> Option<T> {
        let command = Command::new("x").no_binary_name(true).arg(Arg::new("word").value_parser(one_of(words)));
        let mut matches = command.try_get_matches_from([typed]).ok()?;
        matches.remove_one("word")
    }

    #[test]
    fn every_word_is_read_as_what_it_means_and_said_in_a_sentence() {
        fn each<T: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static>(words: &'static [Word<T>]) {
            for (name, sentence, meaning) in words {
                assert_eq!(read(words, name), Some(*meaning));
                assert_eq!(said(words, meaning), *sentence);
            }
            assert_eq!(read(words, "nothing"), None);
        }
        each(ROUTES);
        each(SIDES);
        each(CLOSE_REASONS);
        each(STANDBY_REASONS);
        each(OFF_REASONS);
        each(RESPONSES);
        each(LABELS);
        each(OBSERVATIONS);
        each(GIVEN);
    }
}
