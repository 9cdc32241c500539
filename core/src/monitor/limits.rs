//! On which side of a limit a value is (R2.1).
//!
//! `< L` and `<= L` are left at `v >= L + h`; `> L` and `>= L` at `v <= L - h`.

use crate::monitor::condition::Side;
use crate::monitor::output::Limit;
use crate::vitals::{BloodPressure, Pressure, PulseRate, Spo2};

/// Judges a saturation; `None`: the limit is not one of saturation.
#[must_use]
pub fn spo2(limit: Limit, hysteresis: u16, value: Spo2) -> Option<Side> {
    let v = value.as_tenths();
    match limit {
        Limit::Spo2Below(l) => Some(low(v < l.as_tenths(), v, l.as_tenths(), hysteresis)),
        Limit::Spo2AtMost(l) | Limit::Spo2AndPulse { at_most: l, .. } => {
            Some(low(v <= l.as_tenths(), v, l.as_tenths(), hysteresis))
        }
        _ => None,
    }
}

/// Judges a pulse rate; `None`: the limit is not one of pulse rate.
#[must_use]
pub fn pulse(limit: Limit, hysteresis: u16, value: PulseRate) -> Option<Side> {
    let v = value.as_bpm();
    match limit {
        Limit::PulseAbove(l) => Some(high(v > l, v, l, hysteresis)),
        Limit::PulseBelow(l) => Some(low(v < l, v, l, hysteresis)),
        Limit::PulseAtMost(l) => Some(low(v <= l, v, l, hysteresis)),
        Limit::Spo2AndPulse { at_least: l, .. } => Some(high(v >= l, v, l, hysteresis)),
        _ => None,
    }
}

/// Judges a blood pressure by those of its parts that were measured and have a limit: one of them in
/// violation is a violation, and all of them must be beyond. `None`: nothing to judge by.
#[must_use]
pub fn pressure(limit: Limit, hysteresis: u16, mean_hysteresis: u16, value: BloodPressure) -> Option<Side> {
    let systolic = value.systolic().map(Pressure::as_mmhg);
    let diastolic = value.diastolic().map(Pressure::as_mmhg);
    let part = |value: Option<u16>, side: &dyn Fn(u16) -> Side| value.map(side);
    let (one, other) = match limit {
        Limit::PressureAbove { systolic: s, diastolic: d } => {
            (part(systolic, &|v| high(v > s, v, s, hysteresis)), part(diastolic, &|v| high(v > d, v, d, hysteresis)))
        }
        Limit::PressureAtLeast { systolic: s, diastolic: d } => {
            (part(systolic, &|v| high(v >= s, v, s, hysteresis)), part(diastolic, &|v| high(v >= d, v, d, hysteresis)))
        }
        Limit::PressureBelow { systolic: s, mean: m } => (
            s.zip(systolic).map(|(l, v)| low(v < l, v, l, hysteresis)),
            m.map(|l| (l, value.mean().as_mmhg())).map(|(l, v)| low(v < l, v, l, mean_hysteresis)),
        ),
        Limit::MeanAtLeast(l) => {
            let v = value.mean_tenths();
            (Some(high(v >= l, v, l, mean_hysteresis.saturating_mul(10))), None)
        }
        _ => (None, None),
    };
    match (one, other) {
        (Some(Side::Violation), _) | (_, Some(Side::Violation)) => Some(Side::Violation),
        (Some(Side::Band), _) | (_, Some(Side::Band)) => Some(Side::Band),
        (Some(Side::Beyond), _) | (_, Some(Side::Beyond)) => Some(Side::Beyond),
        (None, None) => None,
    }
}

const fn low(violates: bool, value: u16, limit: u16, hysteresis: u16) -> Side {
    match (violates, value >= limit.saturating_add(hysteresis)) {
        (true, _) => Side::Violation,
        (false, true) => Side::Beyond,
        (false, false) => Side::Band,
    }
}

const fn high(violates: bool, value: u16, limit: u16, hysteresis: u16) -> Side {
    match (violates, value <= limit.saturating_sub(hysteresis)) {
        (true, _) => Side::Violation,
        (false, true) => Side::Beyond,
        (false, false) => Side::Band,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(value: u16) -> Spo2 {
        Spo2::percent(value).expect("in range")
    }

    #[test]
    fn r2_1_at_most_91_with_hysteresis_2_clears_at_93() {
        let side = |v| spo2(Limit::Spo2AtMost(percent(91)), 20, percent(v));
        assert_eq!(side(91), Some(Side::Violation));
        assert_eq!(side(92), Some(Side::Band));
        assert_eq!(side(93), Some(Side::Beyond));
    }

    #[test]
    fn r2_1_below_88_with_hysteresis_2_clears_at_90() {
        let limit = Limit::Spo2Below(percent(88));
        let side = |tenths| spo2(limit, 20, Spo2::tenths(tenths).expect("in range"));
        assert_eq!(side(879), Some(Side::Violation));
        assert_eq!(side(880), Some(Side::Band));
        assert_eq!(side(899), Some(Side::Band));
        assert_eq!(side(900), Some(Side::Beyond));
    }

    #[test]
    fn r2_1_pulse_limits_clear_on_their_own_side() {
        let side = |limit, h, v| pulse(limit, h, PulseRate::bpm(v).expect("in range"));
        assert_eq!(side(Limit::PulseAbove(150), 5, 151), Some(Side::Violation));
        assert_eq!(side(Limit::PulseAbove(150), 5, 150), Some(Side::Band));
        assert_eq!(side(Limit::PulseAbove(150), 5, 145), Some(Side::Beyond));
        assert_eq!(side(Limit::PulseAtMost(40), 4, 40), Some(Side::Violation));
        assert_eq!(side(Limit::PulseAtMost(40), 4, 43), Some(Side::Band));
        assert_eq!(side(Limit::PulseAtMost(40), 4, 44), Some(Side::Beyond));
        assert_eq!(side(Limit::Spo2Below(percent(88)), 2, 40), None);
    }

    #[test]
    fn r2_1_at_least_160_with_hysteresis_5_clears_at_155_with_both_parts() {
        let limit = Limit::PressureAtLeast { systolic: 160, diastolic: 100 };
        let side = |s, d| pressure(limit, 5, 3, BloodPressure::full(s, d, None).expect("in order"));
        assert_eq!(side(160, 80), Some(Side::Violation));
        assert_eq!(side(120, 100), Some(Side::Violation));
        assert_eq!(side(156, 80), Some(Side::Band));
        assert_eq!(side(155, 96), Some(Side::Band));
        assert_eq!(side(155, 95), Some(Side::Beyond));
    }

    #[test]
    fn r2_1_row_18_worked_is_judged_in_tenths_and_clears_three_below() {
        // trend-algorithms 7: 165/100 -> 121.7; 30 % above 94.0 are 122.2.
        let side = |s, d| pressure(Limit::MeanAtLeast(1_222), 5, 3, BloodPressure::full(s, d, None).expect("in order"));
        assert_eq!(side(165, 100), Some(Side::Band)); // 121.7
        assert_eq!(side(167, 100), Some(Side::Violation)); // 122.3
        assert_eq!(side(158, 100), Some(Side::Band)); // 119.3
        assert_eq!(side(157, 100), Some(Side::Beyond)); // 119.0
    }

    #[test]
    fn a_mean_alone_is_judged_by_the_rows_of_the_mean_only() {
        let bp = BloodPressure::mean_only(52).expect("in range");
        let severe = Limit::PressureAtLeast { systolic: 180, diastolic: 110 };
        assert_eq!(pressure(severe, 5, 3, bp), None);
        assert_eq!(pressure(Limit::PressureBelow { systolic: Some(90), mean: None }, 5, 3, bp), None);
        assert_eq!(
            pressure(Limit::PressureBelow { systolic: Some(70), mean: Some(55) }, 5, 3, bp),
            Some(Side::Violation)
        );
    }
}
