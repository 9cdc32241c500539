//! R1: what was held of SpO2 and pulse at every instant, how good it was, and which ways were lost.

use vitalsd_core::monitor::input::Link;
use vitalsd_core::vitals::{Absent, Doubt, Measured, PulseRate, Spo2};

use super::facts::{Fact, What};
use super::timeline::{Instant, Timeline};

/// R1.2: values are stale after this, or after 2.5 x the cadence; milliseconds.
const STALE_AFTER: u64 = 3_000;
/// R1.4: a fall by more than this within a second is not blood; tenths of a percent.
const FALL: u16 = 40;

/// What was held at every instant.
#[derive(Clone, Debug)]
pub struct Held {
    pub spo2: Timeline<Measured<Spo2>>,
    pub pulse: Timeline<Measured<PulseRate>>,
}

/// What the numbers of an oximeter with that cadence were at every instant, every doubt included.
pub fn held(facts: &[Fact], cadence: u64) -> Held {
    let stale_after = STALE_AFTER.max(cadence * 5 / 2);
    let lost = ways(facts, |what| if let What::Oximeter(way) = what { Some(*way) } else { None });
    let plain = hold(facts, &lost, stale_after, spo2_of);
    let spo2 = hold(facts, &lost, stale_after, |fact| {
        let spo2 = spo2_of(fact);
        let fall = falls(&plain, spo2, fact.ms);
        if fall { spo2.doubted(Doubt::ImplausibleFall) } else { spo2 }
    });
    let pulse = hold(facts, &lost, stale_after, |fact| match fact.what {
        What::Numbers { pulse, .. } => pulse,
        _ => Measured::Absent(Absent::NotMeasured),
    });
    Held { spo2, pulse }
}

fn spo2_of(fact: &Fact) -> Measured<Spo2> {
    match fact.what {
        What::Numbers { spo2, .. } => spo2,
        _ => Measured::Absent(Absent::NotMeasured),
    }
}

/// R1.4: whether `spo2` is more than 4 % below what was held one second before.
fn falls(plain: &Timeline<Measured<Spo2>>, spo2: Measured<Spo2>, ms: u64) -> bool {
    let Some(second_ago) = ms.checked_sub(1_000).map(Instant::said) else { return false };
    match (plain.at(second_ago).value(), spo2.value()) {
        (Some(before), Some(value)) => before.as_tenths() > value.as_tenths() + FALL,
        _ => false,
    }
}

/// R1.3: what a sample said holds until the next one, until it is stale, or until its way is lost.
fn hold<T: Copy + PartialEq>(
    facts: &[Fact],
    lost: &Timeline<Option<Link>>,
    stale_after: u64,
    said: impl Fn(&Fact) -> Measured<T>,
) -> Timeline<Measured<T>> {
    let samples = facts.iter().filter(|fact| matches!(fact.what, What::Numbers { .. }));
    let losses = lost.stretches().filter_map(|way| match way.value {
        Some(Link::Lost(_)) => Some((way.from, Measured::Absent(Absent::LinkLost), None)),
        _ => None,
    });
    let values = samples.map(|fact| (Instant::said(fact.ms), said(fact), Some(fact.ms + stale_after)));
    let mut news: Vec<_> = values.chain(losses).collect();
    news.sort_by_key(|(at, ..)| *at);
    let next = news.iter().skip(1).map(|(at, ..)| *at).chain([Instant::NEVER]);
    let mut held = Timeline::always(Measured::Absent(Absent::NeverReceived));
    for ((at, value, stale), next) in news.iter().zip(next) {
        held.set(*at, *value);
        if let Some(stale) = stale.map(Instant::due).filter(|stale| *stale < next) {
            held.set(stale, Measured::Absent(Absent::Stale));
        }
    }
    held
}

/// The way to a device at every instant. What is told twice in a row is told once.
pub fn ways(facts: &[Fact], of: impl Fn(&What) -> Option<Link>) -> Timeline<Option<Link>> {
    let mut ways = Timeline::always(None);
    for fact in facts {
        if let Some(way) = of(&fact.what) {
            ways.set(Instant::said(fact.ms), Some(way));
        }
    }
    ways
}

/// R3.3: whether every device was lost. An open port is not a device: only what speaks ends a loss.
pub fn all_lost(facts: &[Fact]) -> Timeline<bool> {
    let lost = |of: &dyn Fn(&What) -> Option<Link>| {
        let mut lost = Timeline::always(false);
        for fact in facts {
            match of(&fact.what) {
                Some(Link::Lost(_)) => lost.set(Instant::said(fact.ms), true),
                Some(Link::Up) => lost.set(Instant::said(fact.ms), false),
                Some(Link::Opened) | None => {}
            }
        }
        lost
    };
    let oximeter = lost(&|what| if let What::Oximeter(way) = what { Some(*way) } else { None });
    let cuff = lost(&|what| if let What::Cuff(way) = what { Some(*way) } else { None });
    oximeter.with(&cuff).map(|(oximeter, cuff)| *oximeter && *cuff)
}
