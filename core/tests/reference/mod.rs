//! The monitor once more, slowly: a stay is judged as a whole, from its complete history.
//!
//! The engine steps from deadline to deadline and remembers sums. Here nothing is remembered: [`segments`] turns
//! the history into stretches in which the same was held, [`rows`] and [`unavailable`] add up lengths of
//! stretches, [`determinations`] goes through the list of pressures, [`announced`] asks what stood beside what, and
//! [`attention`] how long.
//! What one of them needs of another's result (a latched row comes back sooner, R2.6) is taken from the story
//! told so far, and the story is told again until it does not change any more.
//!
//! It shares nothing with the engine but the data types and the figures of the preset.
//!
//! What is compared, to the millisecond: when a condition became active and with which priority, rose, was eased,
//! was accepted, latched, ended; when it was announced and to be heard. Acceptances that run out and MEDIUM ones that
//! nobody takes are among it (R4.2, R4.3), with the sounder at the bedside and the call to all stations left out.
//!
//! What is not: rows 5, 12, 13, 17, 18, 22 to 24, 28 to 31 and 33 to 35, which are off in these stays; row 15 by time;
//! limits made from a baseline; oxygen and sedatives; the shadow of the cuff; standby, pauses and switches; the end of
//! an infusion; an assumed window; acceptances in a room without a session. When a reading is overdue (row 27) the
//! engine tells the reference, and whether a session may be closed.
pub mod announced;
pub mod attention;
pub mod determinations;
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
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, Measured};

use announced::{Activity, Board};
use facts::{Fact, Line};
use timeline::{Instant, Timeline};

/// Whether the reference knows about a condition.
pub fn models(condition: Condition) -> bool {
    let rows = ["1a", "1b", "2", "3", "4", "6", "7", "8", "9", "10", "11", "25", "26"];
    rows.contains(&condition.row())
        || determinations::ROWS.contains(&condition.row())
        || condition == Condition::AllLost
}

/// `kat-default-1`, with every row off that the reference does not know, and without what time or the baseline
/// change about the others: row 10 has its limit without a baseline, row 15 waits for a second reading.
pub fn preset() -> Preset {
    let mut preset = Preset::kat_default_1();
    let off = ByPhase::of(None, None, None, None);
    for row in preset.oximetry.iter_mut().filter(|row| !models(row.condition)) {
        row.priority = off;
    }
    for row in preset.pressure.iter_mut().filter(|row| !models(row.condition)) {
        row.priority = off;
    }
    preset.trends.spo2_falling.priority = off;
    preset.trends.pulse_climbing.priority = off;
    preset.trends.burden = off;
    preset.trends.desaturations = off;
    preset.combined.pulse_falling = off;
    preset.combined.fast_pulse.priority = off;
    preset.oximetry_terms.slow_at_least = 50;
    preset.pressure_terms.not_remeasured = Span::mins(60 * 24 * 365);
    preset
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
pub fn story(facts: &[Fact], cadence: u64, preset: &Preset, end: u64) -> Vec<Line> {
    let end = Instant::last(end);
    let stay = Stay::of(facts, cadence, preset, end);
    let mut known = stay.known(&stay.empty(), &[]);
    // Each telling is right for longer than the one before, by one event at the least.
    for _ in 0..10 + facts.len() * 10 {
        let told = stay.activities(&known);
        let board = stay.board(&told);
        let now = stay.known(&board, &told.disarmed);
        if now == known {
            return board.story();
        }
        known = now;
    }
    panic!("the story has no end");
}

/// One telling of the story.
struct Told {
    activities: Vec<Activity>,
    /// When a determination violated again what was active (R4.2).
    again: Vec<(Instant, Condition)>,
    /// When everything about a patient was dropped.
    drops: Vec<Instant>,
    /// When the watch over a room ended.
    disarmed: Vec<Instant>,
}

/// What does not depend on the story.
struct Stay<'a> {
    facts: &'a [Fact],
    preset: &'a Preset,
    end: Instant,
    held: segments::Held,
    pulse: Timeline<bool>,
    /// Whether the device says that it finds none.
    no_pulse: Timeline<bool>,
    wants: Timeline<Option<Absent>>,
    all_lost: Timeline<bool>,
    sessions: Vec<phases::Session>,
    phases: Timeline<Phase>,
    determinations: Vec<determinations::Determination>,
    third_baseline: Timeline<bool>,
}

impl<'a> Stay<'a> {
    fn of(facts: &'a [Fact], cadence: u64, preset: &'a Preset, end: Instant) -> Self {
        let held = segments::held(facts, cadence);
        let sessions = phases::sessions(facts);
        let determinations = determinations::determinations(facts, &sessions);
        Self {
            facts,
            preset,
            end,
            pulse: held.pulse.map(|pulse| pulse.value().is_some()),
            no_pulse: held.pulse.map(|pulse| *pulse == Measured::Absent(Absent::NoPulse)),
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
    fn known(&self, board: &Board<'_>, disarmed: &[Instant]) -> Known {
        let pressure = |condition: Condition| matches!(condition.group(), Group::PressureHigh | Group::PressureLow);
        Known {
            latched: self.preset.oximetry.iter().map(|row| board.latched(row.condition)).collect(),
            alarmed: board.present(|condition| condition.kind() == AlarmKind::Physiological, disarmed),
            pressure_alarmed: board.present(pressure, &[]),
        }
    }

    /// A board that nothing stands on.
    fn empty(&self) -> Board<'_> {
        let Self { facts, no_pulse, end, preset, .. } = self;
        let (drops, again, terms) = (&[], &[], &preset.attention);
        Board::of(&[], announced::Circumstances { facts, drops, again, no_pulse, terms, end: *end })
    }

    fn board<'b>(&'b self, told: &'b Told) -> Board<'b> {
        let Self { facts, no_pulse, end, preset, .. } = self;
        let (drops, again, terms) = (&told.drops, &told.again, &preset.attention);
        Board::of(&told.activities, announced::Circumstances { facts, drops, again, no_pulse, terms, end: *end })
    }

    /// What was active when, if what is known of the story is right.
    fn activities(&self, known: &Known) -> Told {
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
        let mut again = Vec::new();
        for (row, latched) in self.preset.oximetry.iter().zip(&known.latched) {
            let priority = priority(row.condition, row.priority);
            let circumstances =
                rows::Circumstances { held: &self.held, priority: &priority, latched, drops: &drops, end: self.end };
            activities.push((row.condition, rows::activity(row, &circumstances)));
        }
        for row in self.preset.pressure.iter().filter(|row| determinations::ROWS.contains(&row.condition.row())) {
            let priority = priority(row.condition, row.priority);
            let circumstances = determinations::Circumstances {
                preset: self.preset,
                phases: &self.phases,
                priority: &priority,
                drops: &drops,
                forgets: &forgets,
            };
            let (activity, violated) = determinations::activity(row, &self.determinations, &circumstances);
            activities.push((row.condition, activity));
            again.extend(violated.into_iter().map(|at| (at, row.condition)));
        }
        let unavailable = self.unavailable(&state, &drops);
        let all_lost = unavailable.with(&self.all_lost).map(|(priority, lost)| priority.filter(|_| *lost));
        activities.push((Condition::Spo2Unavailable, unavailable));
        activities.push((Condition::AllLost, all_lost));
        Told { activities, again, drops, disarmed }
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
