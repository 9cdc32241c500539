//! The six items, judged one by one.

use super::{Facts, Infusion, Item, Missing, Readiness, ReadinessTerms};
use crate::time::Time;
use crate::vitals::{BloodPressure, Pressure, PulseRate};

/// A determination with its time.
type Reading = (Time, BloodPressure);

/// Judges the facts.
#[must_use]
pub fn judge(facts: &Facts<'_>, terms: &ReadinessTerms) -> Readiness {
    let item = |missing: Option<Missing>| missing.map_or(Item::Met, Item::Missing);
    let items = [
        item(time(facts, terms)),
        item(pressure(facts, terms)),
        item(trend(facts, terms)),
        item(spo2(facts, terms)),
        item(pulse(facts, terms)),
        item(alarms(facts, terms)),
    ];
    let vitals_ready = items.iter().all(|item| *item == Item::Met);
    Readiness { items, vitals_ready, met_at: vitals_ready.then_some(facts.now) }
}

/// Item 1.
fn time(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    let Some(dose) = facts.dose else { return Some(Missing::Dose) };
    let too_soon = |until: Time| facts.now < until;
    let after_dose = dose + terms.after_dose;
    if facts.infusion == Infusion::Running {
        return Some(Missing::InfusionRunning);
    }
    if too_soon(after_dose) {
        return Some(Missing::AfterDose { until: after_dose });
    }
    if let Infusion::Ended(ended) = facts.infusion
        && too_soon(ended + terms.after_infusion)
    {
        return Some(Missing::AfterInfusion { until: ended + terms.after_infusion });
    }
    let after_medicine = facts.medicine.map(|given| given + terms.after_medicine);
    after_medicine.filter(|until| too_soon(*until)).map(|until| Missing::AfterMedicine { until })
}

/// Item 2: the newest determination, another long enough before it, and all between.
fn pressure(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    let (newest, others) = match last_two(facts, terms) {
        Ok(judged) => judged,
        Err(missing) => return Some(missing),
    };
    let (measured_at, _) = newest;
    if facts.now.since(measured_at) > terms.newest_within {
        return Some(Missing::PressureOld { measured_at });
    }
    // The newest first: what it misses is what a nurse can measure again.
    [newest].iter().chain(others.iter().rev()).find_map(|reading| outside(*reading, facts, terms))
}

/// Item 3.
fn trend(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    let (newest, older) = match last_two(facts, terms) {
        Ok((newest, [older, ..])) => (newest, *older),
        Ok((newest, [])) => (newest, newest),
        Err(missing) => return Some(missing),
    };
    let systolic = |(at, bp): (Time, BloodPressure)| bp.systolic().map(Pressure::as_mmhg).ok_or(at);
    match (systolic(older), systolic(newest)) {
        (Err(measured_at), _) | (_, Err(measured_at)) => Some(Missing::PressureMeanOnly { measured_at }),
        (Ok(from), Ok(to)) => {
            (to > from.saturating_add(terms.rise_at_most)).then_some(Missing::PressureRising { from, to })
        }
    }
}

/// The newest determination, and the others that are judged with it, oldest first: the first of them is the
/// last one that is long enough before it.
fn last_two<'a>(facts: &Facts<'a>, terms: &ReadinessTerms) -> Result<(Reading, &'a [Reading]), Missing> {
    let (newest, others) = facts.pressures.split_last().ok_or(Missing::Pressure)?;
    let long_enough = |other: &Reading| newest.0.since(other.0) >= terms.apart;
    let older = others.iter().rposition(long_enough).and_then(|at| others.get(at..));
    let oldest = others.first().unwrap_or(newest);
    older.map(|others| (*newest, others)).ok_or(Missing::SecondPressure { from: oldest.0 + terms.apart })
}

/// Whether a determination misses its limits.
fn outside((measured_at, pressure): Reading, facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    let (Some(systolic), Some(diastolic)) = (pressure.systolic(), pressure.diastolic()) else {
        return Some(Missing::PressureMeanOnly { measured_at });
    };
    // Whole mmHg: the highest that is within the share of the baseline is the share rounded down.
    let highest = |at_most: u16, below: u16, baseline: Option<Pressure>| {
        let of_baseline = baseline.map_or(0, |b| u32::from(b.as_mmhg()) * u32::from(terms.of_baseline_pct) / 100);
        at_most.max(u16::try_from(of_baseline).unwrap_or(u16::MAX)).min(below.saturating_sub(1))
    };
    let baseline = facts.baseline_pressure;
    let systolic_at_most =
        highest(terms.systolic_at_most, terms.systolic_below, baseline.and_then(BloodPressure::systolic));
    let diastolic_at_most =
        highest(terms.diastolic_at_most, terms.diastolic_below, baseline.and_then(BloodPressure::diastolic));
    let passes = (terms.systolic_at_least..=systolic_at_most).contains(&systolic.as_mmhg())
        && diastolic.as_mmhg() <= diastolic_at_most
        && pressure.mean().as_mmhg() >= terms.mean_at_least;
    (!passes).then_some(Missing::PressureOutside { measured_at, pressure, systolic_at_most, diastolic_at_most })
}

/// Item 4.
fn spo2(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    if facts.oxygen {
        return Some(Missing::Oxygen);
    }
    let good_pct = facts.good_pct;
    let Some(median) = facts.spo2_median.filter(|_| good_pct >= terms.good_at_least_pct) else {
        return Some(Missing::Spo2Thin { good_pct });
    };
    let of_baseline = facts.baseline_spo2.map(|b| b.as_tenths().saturating_sub(terms.spo2_below_baseline));
    let at_least = of_baseline.unwrap_or(u16::MAX).min(terms.spo2_at_least).max(terms.spo2_never_below);
    if median.as_tenths() < at_least {
        return Some(Missing::Spo2Low { median, at_least });
    }
    let recent = facts.low_run.filter(|at| facts.now.since(*at) < terms.low_run_within);
    recent.map(|at| Missing::Spo2LowRun { at })
}

/// Item 5.
fn pulse(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    let Some(median) = facts.pulse_median else { return Some(Missing::Pulse) };
    let rate = median.as_bpm();
    let usual = (terms.pulse_at_least..=terms.pulse_at_most).contains(&rate);
    let own = facts.baseline_pulse.map(PulseRate::as_bpm).is_some_and(|baseline| {
        u32::from(rate.abs_diff(baseline)) * 100 <= u32::from(baseline) * u32::from(terms.pulse_within_pct)
    });
    (!usual && !own).then_some(Missing::PulseOutside { median })
}

/// Item 6.
fn alarms(facts: &Facts<'_>, terms: &ReadinessTerms) -> Option<Missing> {
    if facts.alarm {
        return Some(Missing::Alarm);
    }
    if facts.unseen {
        return Some(Missing::Unseen);
    }
    let recent = facts.last_high.filter(|at| facts.now.since(*at) < terms.high_within);
    recent.map(|at| Missing::High { at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use crate::vitals::Spo2;
    use std::vec;
    use std::vec::Vec;

    const TERMS: ReadinessTerms = ReadinessTerms::KAT_DEFAULT_1;
    /// The dose, in minutes of the clock of these tests; all other times are minutes after it.
    const DOSE: u64 = 200;

    fn min(after_dose: u64) -> Time {
        Time::ZERO + Span::mins(DOSE + after_dose)
    }

    fn bp(systolic: u16, diastolic: u16) -> BloodPressure {
        BloodPressure::full(systolic, diastolic, None).unwrap()
    }

    fn readings<const N: usize>(readings: [(u64, u16, u16); N]) -> Vec<Reading> {
        readings.into_iter().map(|(at, systolic, diastolic)| (min(at), bp(systolic, diastolic))).collect()
    }

    /// Example 1, in which all is well, at 125 min; its determinations are given apart.
    fn well(pressures: &[Reading]) -> Facts<'_> {
        Facts {
            now: min(125),
            dose: Some(min(0)),
            pressures,
            baseline_pressure: Some(bp(126, 78)),
            baseline_spo2: Spo2::percent(97),
            baseline_pulse: PulseRate::bpm(72),
            spo2_median: Spo2::percent(97),
            pulse_median: PulseRate::bpm(78),
            good_pct: 100,
            ..Facts::default()
        }
    }

    fn example_1() -> Vec<Reading> {
        readings([(112, 138, 84), (124, 132, 82)])
    }

    /// The numbers of the items that are not met.
    fn failing(readiness: &Readiness) -> Vec<usize> {
        (1..).zip(readiness.items).filter(|(_, item)| *item != Item::Met).map(|(number, _)| number).collect()
    }

    /// What is missing to item `number`, all others being met.
    fn missing(number: usize, facts: &Facts<'_>) -> Option<Missing> {
        let readiness = judge(facts, &TERMS);
        match readiness.items[number - 1] {
            Item::Met => {
                assert_eq!(failing(&readiness), []);
                None
            }
            Item::Missing(missing) => {
                assert_eq!(failing(&readiness), [number], "{readiness:?}");
                Some(missing)
            }
        }
    }

    #[test]
    fn r9_example_1_meets_all_items() {
        let pressures = example_1();
        let readiness = judge(&well(&pressures), &TERMS);
        assert_eq!(readiness, Readiness { items: [Item::Met; 6], vitals_ready: true, met_at: Some(min(125)) });
        assert_eq!(readiness.met(), 6);
    }

    #[test]
    fn r9_example_2_fails_on_the_pressure_only_and_not_on_its_trend() {
        let pressures = readings([(110, 148, 88), (122, 151, 90)]);
        let readiness = judge(&well(&pressures), &TERMS);
        assert_eq!(failing(&readiness), [2]);
        assert_eq!((readiness.vitals_ready, readiness.met_at, readiness.met()), (false, None, 5));
        let reason = Missing::PressureOutside {
            measured_at: min(122),
            pressure: bp(151, 90),
            systolic_at_most: 140,
            diastolic_at_most: 90,
        };
        assert_eq!(readiness.items[1], Item::Missing(reason));
    }

    #[test]
    fn r9_example_3_a_known_hypertensive_passes_at_156_over_96_without_an_alarm_that_counts() {
        let pressures = readings([(112, 156, 96), (124, 156, 96)]);
        let facts = Facts { baseline_pressure: Some(bp(148, 92)), ..well(&pressures) };
        assert_eq!(failing(&judge(&facts, &TERMS)), []);
        // 160 and 100 are too high for anyone, however high the baseline is.
        for (systolic, diastolic) in [(160, 90), (150, 100)] {
            let pressures = readings([(112, 150, 90), (124, systolic, diastolic)]);
            let baseline_pressure = Some(bp(170, 98));
            assert_eq!(failing(&judge(&Facts { baseline_pressure, ..well(&pressures) }, &TERMS)), [2]);
        }
        let pressures = readings([(112, 159, 99), (124, 159, 99)]);
        let facts = Facts { baseline_pressure: Some(bp(170, 98)), ..well(&pressures) };
        assert_eq!(failing(&judge(&facts, &TERMS)), []);
    }

    #[test]
    fn r9_item_1_is_two_hours_after_the_dose() {
        let pressures = readings([(105, 130, 80), (119, 130, 80)]);
        let at = |now| Facts { now, ..well(&pressures) };
        let until = min(120);
        assert_eq!(missing(1, &at(min(120) - Span::millis(1))), Some(Missing::AfterDose { until }));
        assert_eq!(missing(1, &at(min(120))), None);
        assert_eq!(missing(1, &Facts { dose: None, ..at(min(120)) }), Some(Missing::Dose));
    }

    #[test]
    fn r9_item_1_is_also_an_hour_after_the_infusion() {
        let pressures = example_1();
        let with = |infusion| missing(1, &Facts { infusion, ..well(&pressures) });
        assert_eq!(with(Infusion::Running), Some(Missing::InfusionRunning));
        assert_eq!(with(Infusion::Ended(min(66))), Some(Missing::AfterInfusion { until: min(126) }));
        assert_eq!(with(Infusion::Ended(min(65))), None);
    }

    #[test]
    fn r9_item_1_is_also_an_hour_after_a_sedative_or_an_antihypertensive() {
        let pressures = example_1();
        let with = |given| missing(1, &Facts { medicine: Some(given), ..well(&pressures) });
        assert_eq!(with(min(66)), Some(Missing::AfterMedicine { until: min(126) }));
        assert_eq!(with(min(65)), None);
    }

    #[test]
    fn r9_item_2_the_newest_pressure_is_at_most_15_min_old() {
        let pressures = readings([(95, 130, 80), (110, 130, 80)]);
        let at = |now| missing(2, &Facts { now, ..well(&pressures) });
        assert_eq!(at(min(125)), None);
        assert_eq!(at(min(125) + Span::millis(1)), Some(Missing::PressureOld { measured_at: min(110) }));
    }

    #[test]
    fn r9_item_2_another_is_at_least_10_min_before_it() {
        let of = |pressures: &[Reading]| {
            let readiness = judge(&well(pressures), &TERMS);
            (failing(&readiness), readiness.items[1])
        };
        let from = min(125);
        let second = Item::Missing(Missing::SecondPressure { from });
        assert_eq!(of(&readings([(115, 130, 80), (124, 130, 80)])), (vec![2, 3], second));
        assert_eq!(of(&readings([(115, 130, 80)])), (vec![2, 3], second));
        assert_eq!(of(&[]), (vec![2, 3], Item::Missing(Missing::Pressure)));
        assert_eq!(of(&readings([(114, 130, 80), (124, 130, 80)])), (vec![], Item::Met));
    }

    #[test]
    fn r9_item_2_all_between_pass_too_and_none_before_has_a_say() {
        let between = readings([(112, 130, 80), (118, 141, 80), (124, 130, 80)]);
        let outside = |measured_at, systolic| Missing::PressureOutside {
            measured_at,
            pressure: bp(systolic, 80),
            systolic_at_most: 140,
            diastolic_at_most: 90,
        };
        assert_eq!(missing(2, &well(&between)), Some(outside(min(118), 141)));
        let first = readings([(112, 141, 80), (118, 130, 80), (124, 130, 80)]);
        assert_eq!(missing(2, &well(&first)), Some(outside(min(112), 141)));
        let before = readings([(100, 180, 80), (112, 130, 80), (124, 130, 80)]);
        assert_eq!(missing(2, &well(&before)), None);
    }

    #[test]
    fn r9_item_2_the_limits_of_a_pressure() {
        let passes = |baseline, systolic, diastolic| {
            let pressures = readings([(112, systolic, diastolic), (124, systolic, diastolic)]);
            missing(2, &Facts { baseline_pressure: baseline, ..well(&pressures) }).is_none()
        };
        let usual = Some(bp(126, 78));
        assert!(passes(usual, 140, 90) && !passes(usual, 141, 90) && !passes(usual, 140, 91));
        assert!(passes(usual, 90, 60) && !passes(usual, 89, 60));
        // 90/52: mean 64.7, which is 65; 90/51: 64.
        assert!(passes(usual, 90, 52) && !passes(usual, 90, 51));
        // No baseline: 140/90.
        assert!(passes(None, 140, 90) && !passes(None, 141, 90) && !passes(None, 140, 91));
        // 1.10 x 130 = 143, 1.10 x 86 = 94.6.
        let high = Some(bp(130, 86));
        assert!(passes(high, 143, 94) && !passes(high, 144, 94) && !passes(high, 143, 95));
    }

    #[test]
    fn r9_item_2_a_mean_alone_cannot_pass() {
        let mut pressures = example_1();
        pressures[1].1 = BloodPressure::mean_only(93).unwrap();
        let readiness = judge(&well(&pressures), &TERMS);
        let mean_only = Item::Missing(Missing::PressureMeanOnly { measured_at: min(124) });
        assert_eq!((readiness.items[1], readiness.items[2]), (mean_only, mean_only));
    }

    #[test]
    fn r9_item_3_the_newer_pressure_is_at_most_10_above_the_older() {
        let rise = |to| missing(3, &well(&readings([(112, 120, 80), (118, 115, 80), (124, to, 80)])));
        assert_eq!(rise(130), None);
        assert_eq!(rise(131), Some(Missing::PressureRising { from: 120, to: 131 }));
        assert_eq!(rise(100), None);
    }

    #[test]
    fn r9_item_4_the_median_is_at_least_94_or_two_below_the_baseline_and_never_below_90() {
        let pressures = example_1();
        let lowest = |baseline: Option<u16>| {
            let baseline_spo2 = baseline.and_then(Spo2::percent);
            let of = |tenths| Facts { spo2_median: Spo2::tenths(tenths), baseline_spo2, ..well(&pressures) };
            (800..=1_000).find(|tenths| missing(4, &of(*tenths)).is_none())
        };
        assert_eq!(lowest(Some(97)), Some(940));
        assert_eq!(lowest(None), Some(940));
        assert_eq!(lowest(Some(95)), Some(930));
        assert_eq!(lowest(Some(92)), Some(900));
        assert_eq!(lowest(Some(90)), Some(900));
        let low = Facts { spo2_median: Spo2::percent(93), ..well(&pressures) };
        let median = Spo2::percent(93).unwrap();
        assert_eq!(missing(4, &low), Some(Missing::Spo2Low { median, at_least: 940 }));
    }

    #[test]
    fn r9_item_4_is_breathed_without_oxygen_with_good_data_and_without_a_low_run() {
        let pressures = example_1();
        let well = well(&pressures);
        assert_eq!(missing(4, &Facts { oxygen: true, ..well }), Some(Missing::Oxygen));
        assert_eq!(missing(4, &Facts { good_pct: 79, ..well }), Some(Missing::Spo2Thin { good_pct: 79 }));
        assert_eq!(missing(4, &Facts { good_pct: 80, ..well }), None);
        assert_eq!(missing(4, &Facts { spo2_median: None, ..well }), Some(Missing::Spo2Thin { good_pct: 100 }));
        let run = |at| missing(4, &Facts { low_run: Some(at), ..well });
        assert_eq!(run(min(110)), None);
        assert_eq!(run(min(111)), Some(Missing::Spo2LowRun { at: min(111) }));
    }

    #[test]
    fn r9_item_5_the_pulse_is_50_to_100_or_near_the_baseline() {
        let pressures = example_1();
        let passes = |baseline: u16, median: u16| {
            let (baseline_pulse, pulse_median) = (PulseRate::bpm(baseline), PulseRate::bpm(median));
            missing(5, &Facts { baseline_pulse, pulse_median, ..well(&pressures) }).is_none()
        };
        assert!(passes(72, 50) && passes(72, 100) && !passes(72, 49) && !passes(72, 101));
        // A fifth of 90 is 18, of 55 it is 11.
        assert!(passes(90, 108) && !passes(90, 109));
        assert!(passes(55, 44) && !passes(55, 43));
        // Example 1 with none.
        assert_eq!(missing(5, &Facts { pulse_median: None, ..well(&pressures) }), Some(Missing::Pulse));
        let median = PulseRate::bpm(101).unwrap();
        let none = Facts { baseline_pulse: None, pulse_median: Some(median), ..well(&pressures) };
        assert_eq!(missing(5, &none), Some(Missing::PulseOutside { median }));
    }

    #[test]
    fn r9_item_6_no_alarm_is_active_unseen_or_a_high_of_the_last_half_hour() {
        let pressures = example_1();
        let well = well(&pressures);
        assert_eq!(missing(6, &Facts { alarm: true, ..well }), Some(Missing::Alarm));
        assert_eq!(missing(6, &Facts { unseen: true, ..well }), Some(Missing::Unseen));
        let high = |at| missing(6, &Facts { last_high: Some(at), ..well });
        assert_eq!(high(min(95)), None);
        assert_eq!(high(min(96)), Some(Missing::High { at: min(96) }));
    }

    #[test]
    fn r9_met_at_lapses_after_15_min() {
        let pressures = example_1();
        let readiness = judge(&well(&pressures), &TERMS);
        assert!(readiness.holds(&TERMS, min(140) - Span::millis(1)));
        assert!(!readiness.holds(&TERMS, min(140)));
        let not = judge(&Facts { oxygen: true, ..well(&pressures) }, &TERMS);
        assert!(!not.holds(&TERMS, min(125)));
    }

    #[test]
    fn r9_nothing_known_meets_only_what_needs_no_data() {
        assert_eq!(failing(&judge(&Facts::default(), &TERMS)), [1, 2, 3, 4, 5]);
    }
}
