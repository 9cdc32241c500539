//! The monitor once more, slowly: a stay is judged as a whole, from its complete history.
//!
//! The engine steps from deadline to deadline and remembers sums. Here nothing is remembered: [`segments`] turns
//! the history into stretches in which the same was held, [`rows`] and [`unavailable`] add up lengths of
//! stretches, [`determinations`] goes through the list of pressures, [`announced`] asks what stood beside what.
//! What one of them needs of another's result (a latched row comes back sooner, R2.6) is taken from the story
//! told so far, and the story is told again until it does not change any more.
//!
//! It shares nothing with the engine but the data types and the figures of the preset.
pub mod announced;
pub mod determinations;
pub mod disputed;
pub mod facts;
pub mod phases;
pub mod room;
pub mod rows;
pub mod seam;
pub mod segments;
pub mod timeline;
pub mod unavailable;

use vitalsd_core::monitor::output::{AlarmKind, Condition, Group, Phase, Priority};
use vitalsd_core::monitor::preset::{ByPhase, Preset};
use vitalsd_core::vitals::{Absent, Measured};

use announced::{Activity, Board};
use disputed::Disputed;
use facts::{Fact, Line};
use timeline::{Instant, Timeline};

/// Whether the reference knows about a condition.
pub fn models(condition: Condition) -> bool {
    let rows = ["1a", "1b", "2", "3", "4", "6", "7", "8", "9", "10", "11", "25", "26"];
    rows.contains(&condition.row())
        || determinations::ROWS.contains(&condition.row())
        || condition == Condition::AllLost
}

/// What of the story the next telling of it starts from.
#[derive(PartialEq)]
struct Known {
    latched: Vec<Timeline<bool>>,
    /// An alarm about a patient is there.
    alarmed: Timeline<bool>,
    /// An alarm about a pressure is there.
    pressure_alarmed: Timeline<bool>,
}

/// The story of a stay: what every condition that the reference knows did until `end`, in order.
pub fn story(facts: &[Fact], cadence: u64, preset: &Preset, end: u64, disputed: Disputed) -> Vec<Line> {
    let end = Instant::last(end);
    let stay = Stay::of(facts, cadence, preset, end, disputed);
    let mut known = stay.known(&Board::of(&[], facts, &[], disputed), &[]);
    // Each telling is right for longer than the one before, by one event at the least.
    for _ in 0..10 + facts.len() * 10 {
        let (board, disarmed) = stay.board(&known);
        let now = stay.known(&board, &disarmed);
        if now == known {
            let says = stay.held.pulse.map(|pulse| match pulse {
                Measured::Absent(reason) => *reason == Absent::NoPulse,
                _ => disputed.row_25_hides_with_a_pulse,
            });
            let looks = disputed.row_25_hides_with_a_pulse.then(|| stay.looks.clone());
            return board.story(&announced::NoPulse { says, looks }, end);
        }
        known = now;
    }
    panic!("the story has no end");
}

/// What does not depend on the story.
struct Stay<'a> {
    facts: &'a [Fact],
    preset: &'a Preset,
    disputed: Disputed,
    end: Instant,
    looks: Vec<Instant>,
    held: segments::Held,
    pulse: Timeline<bool>,
    wants: Timeline<Option<Absent>>,
    all_lost: Timeline<bool>,
    sessions: Vec<phases::Session>,
    phases: Timeline<Phase>,
    determinations: Vec<determinations::Determination>,
    third_baseline: Timeline<bool>,
}

impl<'a> Stay<'a> {
    fn of(facts: &'a [Fact], cadence: u64, preset: &'a Preset, end: Instant, disputed: Disputed) -> Self {
        let held = segments::held(facts, cadence, disputed);
        let sessions = phases::sessions(facts);
        let determinations = determinations::determinations(facts, &sessions);
        Self {
            facts,
            preset,
            disputed,
            end,
            looks: segments::looks(facts, &held, sessions.iter().map(|session| session.opened)),
            pulse: held.pulse.map(|pulse| pulse.value().is_some()),
            wants: unavailable::wants(&held),
            all_lost: segments::all_lost(facts),
            phases: phases::phases(&sessions, preset),
            third_baseline: determinations::third_baseline(&determinations, &sessions),
            determinations,
            held,
            sessions,
        }
    }

    /// What a board says, if the watch over a room ended at `disarmed`. An alarm that is still there holds the watch
    /// up; so what such an end dropped was there.
    fn known(&self, board: &Board, disarmed: &[Instant]) -> Known {
        let pressure = |condition: Condition| matches!(condition.group(), Group::PressureHigh | Group::PressureLow);
        Known {
            latched: self.preset.oximetry.iter().map(|row| board.latched(row.condition)).collect(),
            alarmed: board.present(|condition| condition.kind() == AlarmKind::Physiological, disarmed),
            pressure_alarmed: board.present(pressure, &[]),
        }
    }

    /// The board, if what is known of the story is right, and when the watch over a room ended.
    fn board(&self, known: &Known) -> (Board, Vec<Instant>) {
        let armed = room::armed(&self.phases, &self.pulse, &known.alarmed);
        let state = self.phases.with(&armed);
        let closings = self.sessions.iter().map(|session| session.closed).filter(|at| *at != Instant::NEVER);
        let disarmed: Vec<_> = state
            .stretches()
            .zip(state.stretches().skip(1))
            .filter_map(|(before, after)| {
                let ended = *before.value == (Phase::NoSession, true) && *after.value == (Phase::NoSession, false);
                ended.then_some(after.from)
            })
            .collect();
        let mut drops: Vec<_> = closings.chain(disarmed.iter().copied()).filter(|at| *at <= self.end).collect();
        drops.sort_unstable();
        // A session that begins in a room without a pressure alarm begins without pressures.
        let fresh = self.sessions.iter().map(|session| session.opened).filter(|at| !known.pressure_alarmed.at(*at));
        let mut forgets: Vec<_> = drops.iter().copied().chain(fresh).collect();
        forgets.sort_unstable();

        let priority = |condition, by_phase: ByPhase| {
            state.map(|(phase, armed)| match phase {
                Phase::NoSession if !armed || !room::watches(condition) => None,
                phase => by_phase.at(*phase),
            })
        };
        let mut activities: Vec<Activity> = Vec::new();
        for (row, latched) in self.preset.oximetry.iter().zip(&known.latched) {
            let priority = priority(row.condition, row.priority);
            let circumstances = rows::Circumstances {
                held: &self.held,
                priority: &priority,
                latched,
                drops: &drops,
                disputed: self.disputed,
                looks: &self.looks,
                end: self.end,
            };
            activities.push((row.condition, rows::activity(row, &circumstances)));
        }
        for row in self.preset.pressure.iter().filter(|row| determinations::ROWS.contains(&row.condition.row())) {
            let priority = priority(row.condition, row.priority);
            let circumstances = determinations::Circumstances {
                preset: self.preset,
                disputed: self.disputed,
                phases: &self.phases,
                priority: &priority,
                drops: &drops,
                forgets: &forgets,
            };
            activities.push((row.condition, determinations::activity(row, &self.determinations, &circumstances)));
        }
        let unavailable = self.unavailable(&state, &drops);
        let all_lost = unavailable.with(&self.all_lost).map(|(priority, lost)| priority.filter(|_| *lost));
        activities.push((Condition::Spo2Unavailable, unavailable));
        activities.push((Condition::AllLost, all_lost));
        (Board::of(&activities, self.facts, &drops, self.disputed), disarmed)
    }

    fn unavailable(&self, state: &Timeline<(Phase, bool)>, drops: &[Instant]) -> Timeline<Option<Priority>> {
        let circumstances = unavailable::Circumstances {
            phases: &self.phases,
            third_baseline: &self.third_baseline,
            watched: &state.map(|(phase, armed)| *phase != Phase::NoSession || *armed),
            drops,
            end: self.end,
        };
        unavailable::activity(&self.wants, &self.preset.unavailable, &circumstances)
    }
}
