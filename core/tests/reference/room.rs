//! R5.1: when a room without a session is watched.

use vitalsd_core::monitor::output::{Condition, Phase};

use super::timeline::{Instant, Timeline};

/// R5.1: a valid pulse for this long arms a room, milliseconds.
const ARM: u64 = 60_000;
/// Without a pulse for this long it is empty again, unless an alarm about a patient is there.
const DISARM: u64 = 120_000;

/// Whether the room is watched without a session. What ends a watch, other than a session, drops everything.
pub fn armed(phases: &Timeline<Phase>, pulse: &Timeline<bool>, alarmed: &Timeline<bool>) -> Timeline<bool> {
    let mut armed = Timeline::always(false);
    let state = pulse.with(alarmed);
    for empty in phases.stretches().filter(|stretch| *stretch.value == Phase::NoSession) {
        let mut from = empty.from;
        while let Some(arm) = pulse.from(from).find_map(|pulse| {
            let at = Instant::due(pulse.from.max(from).ms + ARM);
            (*pulse.value && at < pulse.to).then_some(at)
        }) {
            if arm >= empty.to {
                break;
            }
            armed.set(arm, true);
            let disarm = state.from(arm).find_map(|stretch| {
                let (pulse_now, alarmed_now) = *stretch.value;
                let lost = pulse.from(stretch.from).next()?.from;
                // What ends an alarm is over before the watch ends for that.
                let free = alarmed.from(stretch.from).next()?.from.next();
                let at = Instant::due(lost.ms + DISARM).max(free);
                (!pulse_now && !alarmed_now && at < stretch.to).then_some(at)
            });
            let Some(disarm) = disarm.filter(|at| *at < empty.to) else { break };
            armed.set(disarm, false);
            from = disarm;
        }
        if empty.to != Instant::NEVER && *armed.at(empty.to) {
            armed.set(empty.to, false);
        }
    }
    armed
}

/// R5.1: the conditions that watch a room without a session.
pub fn watches(condition: Condition) -> bool {
    ["1a", "1b", "2", "3", "6", "11", "14", "15", "16", "21", "25", "26"].contains(&condition.row())
}
