//! R2.7: the rows of the blood pressure, each judged anew on the whole list of determinations.

use vitalsd_core::monitor::output::{Limit, Phase, Priority};
use vitalsd_core::monitor::preset::{Preset, PressureRow};
use vitalsd_core::vitals::{BloodPressure, Pressure};

use super::facts::{Fact, What};
use super::phases::Session;
use super::rows::{Side, high, low};
use super::timeline::{Instant, Timeline};

/// R8.3: a pressure may be typed in this late, milliseconds.
const BY_HAND_AT_MOST: u64 = 15 * 60_000;

/// A valid determination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Determination {
    /// When it was known.
    pub at: Instant,
    /// When it was measured, milliseconds.
    pub measured: u64,
    pub pressure: BloodPressure,
}

/// The rows that this file judges.
pub const ROWS: [&str; 6] = ["14", "15", "16", "19", "20", "21"];

/// Every valid determination. What the monitor measured before a session was opened is of somebody else; a
/// pressure by hand needs a session, and is not older than 15 min.
pub fn determinations(facts: &[Fact], sessions: &[Session]) -> Vec<Determination> {
    let valid = |fact: &Fact| {
        let at = Instant::said(fact.ms);
        let session = sessions.iter().find(|session| session.opened < at && at < session.closed);
        match fact.what {
            What::Pressure { pressure, measured } => {
                let own = session.is_none_or(|session| measured >= session.opened.ms);
                own.then_some(Determination { at, measured, pressure })
            }
            What::PressureByHand { pressure, ago } => {
                let taken = session.is_some() && ago <= BY_HAND_AT_MOST;
                taken.then_some(Determination { at, measured: fact.ms.saturating_sub(ago), pressure })
            }
            _ => None,
        }
    };
    facts.iter().filter_map(valid).collect()
}

/// R6.2, R5.9: whether a third reading of the baseline exists. Only readings from before the dose count.
pub fn third_baseline(determinations: &[Determination], sessions: &[Session]) -> Timeline<bool> {
    let mut third = Timeline::always(false);
    for session in sessions {
        let dosed = session.dose.map_or(Instant::NEVER, |(at, _)| at);
        let ends = dosed.min(session.closed);
        let readings: Vec<_> = determinations.iter().filter(|d| d.at > session.opened && d.at < ends).collect();
        if let Some(reading) = readings.get(2) {
            third.set(reading.at, true);
        }
        if let Some((at, dose)) = session.dose {
            third.set(at, readings.iter().filter(|d| d.measured <= dose).count() >= 3);
        }
        if session.closed != Instant::NEVER {
            third.set(session.closed, false);
        }
    }
    third
}

/// What a row lives in.
pub struct Circumstances<'a> {
    pub preset: &'a Preset,
    pub phases: &'a Timeline<Phase>,
    /// The priority of the row, `None` while it is off.
    pub priority: &'a Timeline<Option<Priority>>,
    /// When everything about the patient is dropped.
    pub drops: &'a [Instant],
    /// When the determinations so far are forgotten: with the patient, or when a session begins in a room
    /// without a pressure alarm.
    pub forgets: &'a [Instant],
}

/// How a row judges a determination.
#[derive(Clone, Copy, Debug)]
struct Judged {
    side: Side,
    priority: Priority,
}

/// The priority of the row while it is active, and when a determination violated it again.
pub fn activity(
    row: &PressureRow,
    determinations: &[Determination],
    circumstances: &Circumstances<'_>,
) -> (Timeline<Option<Priority>>, Vec<Instant>) {
    let mut activity = Timeline::always(None);
    let mut again = Vec::new();
    let mut judged: Vec<Judged> = Vec::new();
    let mut drops = circumstances.drops.iter().copied().peekable();
    let mut forgotten = Instant::START;
    for (index, determination) in determinations.iter().enumerate() {
        let at = determination.at;
        while let Some(drop) = drops.next_if(|drop| *drop <= at) {
            activity.set(drop, None);
        }
        let forgets = circumstances.forgets.iter().copied().filter(|forget| *forget <= at).max();
        if let Some(forget) = forgets.filter(|forget| *forget > forgotten) {
            judged.clear();
            forgotten = forget;
        }
        let known: Vec<_> = determinations[..=index].iter().filter(|d| d.at > forgotten).copied().collect();
        let active: Option<Priority> = *activity.at(at);
        let newest = known.iter().all(|d| d.measured <= determination.measured);
        // A reading that was typed in late does not speak for now; but row 15 looks back.
        if !newest && (row.condition.row() != "15" || active.is_some()) {
            continue;
        }
        let Some(priority) = *circumstances.priority.at(at) else {
            activity.set(at, None);
            judged.clear();
            continue;
        };
        let Some(verdict) = judge(row, priority, determination, &known, circumstances) else { continue };
        judged.push(verdict);
        let last: Vec<_> = judged.iter().rev().take(row.clear_readings.into()).collect();
        let clear = last.len() == usize::from(row.clear_readings) && last.iter().all(|j| j.side == Side::Beyond);
        let now = match (active, verdict.side) {
            (None, Side::Violation) => Some(verdict.priority),
            (None, _) => None,
            (Some(_), _) if clear => None,
            // Row 21 is not eased while it lasts.
            (Some(before), side) if row.condition.row() == "21" => {
                Some(if side == Side::Violation { before.max(verdict.priority) } else { before })
            }
            (Some(_), _) => Some(verdict.priority),
        };
        if active.is_some() && now.is_some() && verdict.side == Side::Violation {
            again.push(at);
        }
        activity.set(at, now);
    }
    for drop in drops {
        activity.set(drop, None);
    }
    (activity, again)
}

fn judge(
    row: &PressureRow,
    priority: Priority,
    determination: &Determination,
    known: &[Determination],
    circumstances: &Circumstances<'_>,
) -> Option<Judged> {
    let terms = &circumstances.preset.pressure_terms;
    let phase = *circumstances.phases.at(determination.at);
    let mut last_three = known.to_vec();
    last_three.sort_by_key(|d| (d.measured, d.at));
    last_three.drain(..last_three.len().saturating_sub(3));
    let judged = |side| Some(Judged { side, priority });
    match row.condition.row() {
        "15" => {
            let severe = |d: &Determination| side(row, row.limit, d.pressure) == Some(Side::Violation);
            let interval = match phase {
                Phase::Recovery => circumstances.preset.cuff.recovery,
                _ => circumstances.preset.cuff.dosed,
            };
            let within = terms.confirm_within.as_millis().max(interval.as_millis() * 3 / 2);
            let newest = last_three.last()?;
            let confirmed = severe(newest)
                && last_three.iter().filter(|d| severe(d)).any(|d| {
                    let apart = newest.measured - d.measured;
                    apart >= terms.confirm_apart.as_millis() && apart <= within
                });
            match side(row, row.limit, determination.pressure)? {
                Side::Violation if confirmed => judged(Side::Violation),
                Side::Violation => judged(Side::Band),
                other => judged(other),
            }
        }
        "19" if phase == Phase::Baseline => {
            let limit = Limit::PressureBelow { systolic: Some(terms.low_systolic_baseline), mean: None };
            judged(side(row, limit, determination.pressure)?)
        }
        "21" => {
            let at_once = side(row, row.limit, determination.pressure)? == Side::Violation;
            let repeated = |d: &Determination| side(row, terms.very_low_repeated, d.pressure);
            let in_a_row = last_three.iter().rev().take_while(|d| repeated(d) == Some(Side::Violation)).count();
            match (at_once, in_a_row) {
                (true, _) | (false, 2..) => judged(Side::Violation),
                (false, 1) => Some(Judged { side: Side::Violation, priority: Priority::Medium }),
                (false, _) => judged(repeated(determination)?),
            }
        }
        _ => judged(side(row, row.limit, determination.pressure)?),
    }
}

/// R2.1: the side of a pressure. One part in violation is a violation; all that were measured must be beyond.
fn side(row: &PressureRow, limit: Limit, pressure: BloodPressure) -> Option<Side> {
    let systolic = pressure.systolic().map(Pressure::as_mmhg);
    let diastolic = pressure.diastolic().map(Pressure::as_mmhg);
    let parts: Vec<Side> = match limit {
        Limit::PressureAtLeast { systolic: s, diastolic: d } => [(systolic, s), (diastolic, d)]
            .into_iter()
            .filter_map(|(value, limit)| value.map(|v| high(v >= limit, v, limit - row.hysteresis)))
            .collect(),
        Limit::PressureBelow { systolic: s, mean } => {
            let systolic = systolic.zip(s).map(|(v, limit)| low(v < limit, v, limit + row.hysteresis));
            let value = pressure.mean().as_mmhg();
            let mean = mean.map(|limit| low(value < limit, value, limit + row.mean_hysteresis));
            systolic.into_iter().chain(mean).collect()
        }
        _ => panic!("{limit:?} is no limit of rows 14 to 21"),
    };
    let worst = [Side::Violation, Side::Band, Side::Beyond];
    worst.into_iter().find(|side| parts.contains(side))
}
