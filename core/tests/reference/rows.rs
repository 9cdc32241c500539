//! R2.1 to R2.6 for a row of the oximeter: when it was active, found by adding up how long its verdicts held.

use vitalsd_core::monitor::output::{Condition, Limit, Priority};
use vitalsd_core::monitor::preset::OximetryRow;
use vitalsd_core::vitals::{Absent, Doubt, Measured};

use super::segments::Held;
use super::timeline::{Instant, Stretch, Timeline};

/// R1.5: questionable values start rows 1a and 1b after this, milliseconds.
const DOUBTED: u64 = 20_000;
/// R1.5: motion doubles a delay, but adds no more than this.
const MOTION_AT_MOST: u64 = 15_000;
/// R2.2: good values beyond the hysteresis for this long make a pending row forget ...
const FORGET_BEYOND: u64 = 3_000;
/// ... and so does this long without a value.
const FORGET_ABSENT: u64 = 30_000;
/// R2.6: latched, it comes back after this at the latest.
const LATCHED: u64 = 5_000;

/// R2.1: on which side of a limit a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Violation,
    Band,
    Beyond,
}

/// What is held, as one row sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    None,
    Good(Side),
    /// A fall that no good value has confirmed yet (R1.4).
    Sudden(Side),
    Doubted(Side, Motion),
}

type Motion = bool;

/// What a row lives in.
pub struct Circumstances<'a> {
    pub held: &'a Held,
    /// The priority of the row, `None` while it is off.
    pub priority: &'a Timeline<Option<Priority>>,
    /// Whether it is latched.
    pub latched: &'a Timeline<bool>,
    /// When everything about the patient is dropped.
    pub drops: &'a [Instant],
    /// The end of the history.
    pub end: Instant,
}

/// The priority of the row while it is active.
pub fn activity(row: &OximetryRow, circumstances: &Circumstances<'_>) -> Timeline<Option<Priority>> {
    let verdicts = verdicts(row, circumstances.held);
    let forgets = forgets(&verdicts, circumstances);
    let mut activity = Timeline::always(None);
    let mut normal_since = Instant::START;
    while let Some(begin) = begins(row, &verdicts, &forgets, circumstances, normal_since) {
        activity.set(begin, *circumstances.priority.at(begin));
        let Some(end) = ends(row, &verdicts, circumstances, begin) else { break };
        activity.set(end, None);
        normal_since = end;
    }
    activity
}

/// R2.3: the first instant after `since` at which the violations add up to the delay.
fn begins(
    row: &OximetryRow,
    verdicts: &Timeline<Verdict>,
    forgets: &[Instant],
    circumstances: &Circumstances<'_>,
    since: Instant,
) -> Option<Instant> {
    let priority = circumstances.priority;
    let together = verdicts.with(&priority.with(circumstances.latched));
    together.from(since).find_map(|stretch| {
        let (verdict, (priority, latched)) = *stretch.value;
        priority?;
        let from = stretch.from.max(since);
        let forgotten = forgets[..forgets.partition_point(|at| *at <= from)].last();
        let pending = pending(verdicts, forgotten.map_or(since, |at| (*at).max(since)), from);
        let delay = delay(row, latched, pending.motion);
        let mut due = Vec::new();
        if pending.good > 0 || verdict == Verdict::Good(Side::Violation) {
            let holds = verdict == Verdict::Good(Side::Violation);
            due.extend(reached(from, stretch.to, pending.good, delay, holds));
        }
        if matches!(row.condition, Condition::Spo2Critical | Condition::Spo2VeryLow) {
            let doubted = matches!(verdict, Verdict::Doubted(Side::Violation, _));
            let holds = doubted || verdict == Verdict::Good(Side::Violation);
            if pending.doubted > 0 || doubted {
                due.extend(reached(from, stretch.to, pending.good + pending.doubted, DOUBTED, holds));
            }
        }
        due.into_iter().filter(|at| *at <= circumstances.end).min()
    })
}

/// When a sum that stands at `sum` reaches `wanted`: at once, or while it grows.
fn reached(from: Instant, to: Instant, sum: u64, wanted: u64, grows: bool) -> Option<Instant> {
    if sum >= wanted {
        return Some(from);
    }
    let at = Instant::due(from.ms + (wanted - sum));
    (grows && at < to).then_some(at)
}

/// R1.5, R2.6: how long a violation must last.
fn delay(row: &OximetryRow, latched: bool, motion: Motion) -> u64 {
    let exempt = [Condition::Spo2Critical, Condition::Spo2VeryLow, Condition::Spo2Low, Condition::NoPulse]
        .contains(&row.condition);
    let delay = row.delay.as_millis();
    let delay = if motion && !exempt { delay + delay.min(MOTION_AT_MOST) } else { delay };
    if latched { delay.min(LATCHED) } else { delay }
}

/// What has added up.
struct Pending {
    /// Good values in violation, and falls that were confirmed.
    good: u64,
    /// Questionable values in violation.
    doubted: u64,
    /// Motion came while something was pending.
    motion: Motion,
}

/// R2.2: what adds up between `since` and `until`.
fn pending(verdicts: &Timeline<Verdict>, since: Instant, until: Instant) -> Pending {
    let mut pending = Pending { good: 0, doubted: 0, motion: false };
    // What falls have added up that no good value has confirmed yet.
    let mut sudden = 0;
    for stretch in verdicts.from(since).take_while(|stretch| stretch.from <= until) {
        let ms = stretch.to.ms.min(until.ms) - stretch.from.ms.max(since.ms).min(until.ms);
        match *stretch.value {
            Verdict::Good(side) => {
                if side != Side::Beyond {
                    pending.good += sudden;
                }
                sudden = 0;
                // What was no fall, was not pending either.
                pending.motion &= pending.good > 0;
                if side == Side::Violation {
                    pending.good += ms;
                }
            }
            Verdict::Sudden(Side::Violation) => sudden += ms,
            Verdict::Doubted(side, motion) => {
                pending.motion |= motion && pending.good + sudden > 0;
                if side == Side::Violation {
                    pending.doubted += ms;
                }
            }
            Verdict::Sudden(_) | Verdict::None => {}
        }
    }
    pending
}

/// R2.4: when what began at `begin` ends: after good values beyond the hysteresis, or with the patient.
fn ends(
    row: &OximetryRow,
    verdicts: &Timeline<Verdict>,
    circumstances: &Circumstances<'_>,
    begin: Instant,
) -> Option<Instant> {
    let cleared = verdicts.from(begin).find_map(|stretch| {
        let beyond = *stretch.value == Verdict::Good(Side::Beyond);
        let at = Instant::due(stretch.from.ms + row.clear.as_millis());
        (beyond && at < stretch.to).then_some(at.max(begin))
    });
    let dropped = circumstances.drops.iter().copied().find(|drop| *drop > begin);
    cleared.into_iter().chain(dropped).min().filter(|at| *at <= circumstances.end)
}

/// R2.2: the instants at which a pending row forgets. Time in which it is off is no time in violation.
fn forgets(verdicts: &Timeline<Verdict>, circumstances: &Circumstances<'_>) -> Vec<Instant> {
    let lasting = |stretch: Stretch<&Verdict>| {
        let after = match stretch.value {
            Verdict::Good(Side::Beyond) => FORGET_BEYOND,
            Verdict::None => FORGET_ABSENT,
            _ => return None,
        };
        Some(Instant::due(stretch.from.ms + after)).filter(|at| *at < stretch.to)
    };
    let off = circumstances.priority.stretches().filter(|stretch| stretch.value.is_none());
    let off = off.flat_map(|stretch| [stretch.from, stretch.to]);
    let mut forgets: Vec<_> =
        verdicts.stretches().filter_map(lasting).chain(off).chain(circumstances.drops.iter().copied()).collect();
    forgets.sort_unstable();
    forgets
}

fn verdicts(row: &OximetryRow, held: &Held) -> Timeline<Verdict> {
    let h = row.hysteresis;
    match row.limit {
        Limit::Spo2Below(limit) => {
            let limit = limit.as_tenths();
            held.spo2.map(|held| verdict(*held, |v| low(v.as_tenths() < limit, v.as_tenths(), limit + h)))
        }
        Limit::Spo2AtMost(limit) => {
            let limit = limit.as_tenths();
            held.spo2.map(|held| verdict(*held, |v| low(v.as_tenths() <= limit, v.as_tenths(), limit + h)))
        }
        Limit::PulseBelow(limit) => {
            held.pulse.map(|held| verdict(*held, |v| low(v.as_bpm() < limit, v.as_bpm(), limit + h)))
        }
        Limit::PulseAtMost(limit) => {
            held.pulse.map(|held| verdict(*held, |v| low(v.as_bpm() <= limit, v.as_bpm(), limit + h)))
        }
        Limit::PulseAbove(limit) => {
            held.pulse.map(|held| verdict(*held, |v| high(v.as_bpm() > limit, v.as_bpm(), limit - h)))
        }
        Limit::NoPulse => held.pulse.map(|held| match held {
            Measured::Absent(Absent::NoPulse) => Verdict::Good(Side::Violation),
            _ => verdict(*held, |_| Side::Beyond),
        }),
        _ => panic!("{:?} is no limit of an oximeter", row.limit),
    }
}

fn verdict<T: Copy>(held: Measured<T>, side: impl Fn(T) -> Side) -> Verdict {
    match held {
        Measured::Good(value) => Verdict::Good(side(value)),
        Measured::Questionable(value, Doubt::ImplausibleFall) => Verdict::Sudden(side(value)),
        Measured::Questionable(value, doubt) => Verdict::Doubted(side(value), doubt == Doubt::Motion),
        Measured::Absent(_) => Verdict::None,
    }
}

/// R2.1: the side of a lower limit, left at `back`.
pub fn low(violates: bool, value: u16, back: u16) -> Side {
    if violates {
        Side::Violation
    } else if value >= back {
        Side::Beyond
    } else {
        Side::Band
    }
}

/// R2.1: the side of an upper limit, left at `back`.
pub fn high(violates: bool, value: u16, back: u16) -> Side {
    if violates {
        Side::Violation
    } else if value <= back {
        Side::Beyond
    } else {
        Side::Band
    }
}
