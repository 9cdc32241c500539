//! The limits of the oximetry rows that are in force for one person (rows 2 to 5 and 10, R5.9, R5.10).

use crate::monitor::alarm::{Condition, Limit, Value};
use crate::monitor::preset::{OximetryRow, OximetryTerms};
use crate::vitals::{PulseRate, Spo2};

/// What of a person changes limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// On supplemental oxygen, for longer than the grace.
    pub oxygen: bool,
    /// Chronic hypercapnia, by a clinician's word.
    pub hypercapnia: bool,
    /// A pulse below 50 is normal, by a person's word.
    pub slow_pulse: bool,
    /// The saturation before the dose.
    pub spo2: Option<Spo2>,
    /// The pulse before the dose.
    pub pulse: Option<PulseRate>,
}

/// The limit of `row` for `person`, and the baseline that it was made from. `None`: the row is off for them.
#[must_use]
pub fn limit(row: &OximetryRow, person: &Person, terms: &OximetryTerms) -> Option<(Limit, Option<Value>)> {
    let limit = match (row.condition, row.limit) {
        (Condition::Spo2Low, _) if person.hypercapnia => Limit::Spo2Below(terms.low_hypercapnia),
        (Condition::Spo2Reduced, _) if person.hypercapnia => Limit::Spo2AtMost(terms.reduced_hypercapnia),
        (Condition::Spo2Reduced, _) if person.oxygen => Limit::Spo2AtMost(terms.reduced_on_oxygen),
        // The target of these people is 88 to 92 %.
        (Condition::Spo2Drift, _) if person.hypercapnia => return None,
        (Condition::Spo2Drift, _) if person.oxygen => Limit::Spo2AtMost(terms.drift_on_oxygen),
        (Condition::LowSpo2FastPulse, Limit::Spo2AndPulse { at_least, .. }) if person.hypercapnia => {
            Limit::Spo2AndPulse { at_most: terms.reduced_hypercapnia, at_least }
        }
        (Condition::Spo2BelowBaseline, Limit::Spo2AtMost(highest)) => {
            let baseline = person.spo2?;
            let below = Spo2::tenths(baseline.as_tenths().saturating_sub(terms.below_baseline))?;
            return Some((Limit::Spo2AtMost(below.min(highest)), Some(Value::Spo2(baseline))));
        }
        (Condition::PulseLow, Limit::PulseBelow(highest)) => {
            let Some(baseline) = person.pulse else { return Some((row.limit, None)) };
            let below = |by: u16| baseline.as_bpm().saturating_sub(by);
            let limit = if person.slow_pulse && baseline.as_bpm() < highest {
                below(terms.slow_below_confirmed).max(terms.slow_at_least_confirmed)
            } else {
                below(terms.slow_below_baseline).min(highest).max(terms.slow_at_least)
            };
            return Some((Limit::PulseBelow(limit), Some(Value::Pulse(baseline))));
        }
        (_, limit) => limit,
    };
    Some((limit, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::preset::Preset;

    fn limit_of(condition: Condition, person: Person) -> Option<Limit> {
        let preset = Preset::kat_default_1();
        let row = preset.oximetry.iter().find(|row| row.condition == condition).unwrap();
        limit(row, &person, &preset.oximetry_terms).map(|(limit, _)| limit)
    }

    fn at_most(percent: u16) -> Option<Limit> {
        Spo2::percent(percent).map(Limit::Spo2AtMost)
    }

    #[test]
    fn row_5_lies_four_below_the_baseline_and_is_off_without_one() {
        let with = |spo2| limit_of(Condition::Spo2BelowBaseline, Person { spo2, ..Person::default() });
        assert_eq!(with(None), None);
        assert_eq!(with(Spo2::percent(97)), at_most(93));
        assert_eq!(with(Spo2::percent(99)), at_most(93), "never above 93");
        assert_eq!(with(Spo2::percent(95)), at_most(91));
    }

    #[test]
    fn row_10_follows_the_baseline_between_45_and_50_and_a_confirmed_slow_pulse_to_41() {
        let with = |bpm: Option<u16>, slow_pulse| {
            let pulse = bpm.and_then(PulseRate::bpm);
            limit_of(Condition::PulseLow, Person { pulse, slow_pulse, ..Person::default() })
        };
        let below = |bpm| Some(Limit::PulseBelow(bpm));
        assert_eq!(with(None, false), below(50));
        assert_eq!(with(Some(72), false), below(50));
        assert_eq!(with(Some(57), false), below(47));
        assert_eq!(with(Some(48), false), below(45), "not confirmed");
        assert_eq!(with(Some(52), true), below(45), "it is not below 50: nothing to confirm");
        assert_eq!(with(Some(49), true), below(41));
        assert_eq!(with(Some(46), true), below(41));
    }

    #[test]
    fn rows_3_and_4_are_tighter_on_oxygen() {
        let oxygen = Person { oxygen: true, ..Person::default() };
        assert_eq!(limit_of(Condition::Spo2Reduced, oxygen), at_most(93));
        assert_eq!(limit_of(Condition::Spo2Drift, oxygen), at_most(94));
        assert_eq!(limit_of(Condition::Spo2Reduced, Person::default()), at_most(91));
    }

    #[test]
    fn the_override_for_hypercapnia_wins_over_oxygen() {
        let person = Person { oxygen: true, hypercapnia: true, ..Person::default() };
        assert_eq!(limit_of(Condition::Spo2Reduced, person), at_most(87));
        assert_eq!(limit_of(Condition::Spo2Low, person), Spo2::percent(85).map(Limit::Spo2Below));
        assert_eq!(limit_of(Condition::Spo2Drift, person), None);
        assert_eq!(limit_of(Condition::Spo2VeryLow, person), Spo2::percent(85).map(Limit::Spo2Below));
    }
}
