//! R2.5, R3.1, R3.2, R4.1: which condition heads its group, what is accepted, what is latched until it is seen.

use vitalsd_core::monitor::output::{AlarmKind, Condition, Group, Priority};

use super::disputed::Disputed;
use super::facts::{Did, Fact, Line, What};
use super::timeline::{Instant, Timeline};

/// R2.5: a HIGH that nobody accepted is heard for this long after its end, milliseconds.
const HEARD_AFTER_END: u64 = 30_000;

/// The rows in the order of the preset.
const PRESET: [&str; 20] =
    ["1a", "1b", "2", "3", "4", "6", "7", "8", "9", "10", "11", "25", "12", "13", "14", "15", "16", "19", "20", "21"];

/// A condition and its priority while it is active.
pub type Activity = (Condition, Timeline<Option<Priority>>);

/// One time that a condition was active, and what people did about it.
#[derive(Clone, Debug)]
struct Episode {
    condition: Condition,
    number: u32,
    begin: Instant,
    end: Instant,
    /// Each priority that it had.
    priorities: Vec<(Instant, Priority)>,
    /// From when to when somebody's acceptance held.
    accepted: Vec<(Instant, Instant)>,
    /// From when to when it was latched.
    latched: Option<(Instant, Instant)>,
    /// The graver one that it ended under, whose latch stands for its own.
    under: Option<Condition>,
    /// It ended with everything about its patient.
    dropped: bool,
}

impl Episode {
    fn on(&self, at: Instant) -> bool {
        self.begin <= at && at < self.end
    }

    fn latched(&self, at: Instant) -> bool {
        self.latched.is_some_and(|(from, to)| from <= at && at < to)
    }

    /// The priority at that instant, or the last one before it.
    fn priority(&self, at: Instant) -> Priority {
        let until = self.priorities.partition_point(|(from, _)| *from <= at);
        self.priorities[until.saturating_sub(1)].1
    }

    fn accepted(&self, at: Instant) -> bool {
        self.accepted.iter().any(|(from, to)| *from <= at && at < *to)
    }

    /// Whether it is heard if it is announced.
    fn audible(&self, at: Instant) -> bool {
        let grave = self.priority(at) > Priority::Low && !self.accepted(at);
        let after_end =
            self.latched(at) && self.priority(at) == Priority::High && at < Instant::due(self.end.ms + HEARD_AFTER_END);
        grave && (self.on(at) || after_end)
    }

    fn rank(&self, at: Instant) -> (Priority, Condition) {
        (self.priority(at), self.condition)
    }
}

/// Whether the device says that it finds no pulse.
#[derive(Clone, Debug)]
pub struct NoPulse {
    pub says: Timeline<bool>,
    /// When that was looked at anew, if it counts only then.
    pub looks: Option<Vec<Instant>>,
}

impl NoPulse {
    /// Whether row 25, active since `begin`, says more than "no SpO2".
    fn explains(&self, begin: Instant, at: Instant) -> bool {
        let looked = |looks: &Vec<Instant>| looks.iter().any(|look| *look > begin && *look <= at);
        *self.says.at(at) || !self.looks.as_ref().is_none_or(looked)
    }
}

/// The board of a whole stay.
#[derive(Clone, Debug)]
pub struct Board {
    episodes: Vec<Episode>,
    disputed: Disputed,
    /// When everything about a patient was dropped.
    drops: Vec<Instant>,
    lines: Vec<Line>,
}

/// What happens to the board at an instant. Of what happens at the same one, the graver is settled first.
#[derive(Clone, Copy, Debug)]
enum Turn<'a> {
    Episode(usize),
    Command(&'a What),
    Drop,
}

impl Board {
    /// From the activity of every condition, what people did, and when everything was dropped.
    pub fn of(activities: &[Activity], facts: &[Fact], drops: &[Instant], disputed: Disputed) -> Self {
        let episodes = activities.iter().flat_map(episodes).collect();
        let mut board = Self { episodes, disputed, drops: drops.to_vec(), lines: Vec::new() };
        for (at, turn) in board.turns(facts, drops) {
            match turn {
                Turn::Episode(index) => board.turn(index, at, drops),
                Turn::Command(What::Accept { condition, episode, priority }) => {
                    board.accept(*condition, *episode, *priority, at);
                }
                Turn::Command(What::Seen { condition, episode }) => board.see(*condition, *episode, at),
                Turn::Command(_) => {}
                Turn::Drop => board.drop_latches(at),
            }
        }
        board
    }

    fn turns<'a>(&self, facts: &'a [Fact], drops: &[Instant]) -> Vec<(Instant, Turn<'a>)> {
        let mut turns: Vec<(Instant, Turn<'a>)> = Vec::new();
        for (index, episode) in self.episodes.iter().enumerate() {
            let instants = episode.priorities.iter().map(|(at, _)| *at).chain([episode.end]);
            turns.extend(instants.filter(|at| *at != Instant::NEVER).map(|at| (at, Turn::Episode(index))));
        }
        let commands = facts.iter().filter(|fact| matches!(fact.what, What::Accept { .. } | What::Seen { .. }));
        turns.extend(commands.map(|fact| (Instant::said(fact.ms), Turn::Command(&fact.what))));
        turns.extend(drops.iter().map(|at| (*at, Turn::Drop)));
        turns.sort_by_key(|(at, turn)| {
            let order = if let Turn::Episode(index) = turn { self.order(self.episodes[*index].condition) } else { 0 };
            (*at, order)
        });
        turns
    }

    /// Where a condition stands among those that something happens to at one instant.
    fn order(&self, condition: Condition) -> usize {
        if self.disputed.order_of_the_preset {
            PRESET.iter().position(|row| *row == condition.row()).unwrap_or(PRESET.len())
        } else {
            Condition::ALL.iter().rev().position(|other| *other == condition).unwrap_or_default()
        }
    }

    fn say(&mut self, at: Instant, condition: Condition, did: Did) {
        self.lines.push(Line { ms: at.ms, condition, did });
    }

    /// The graver ones of the group of an episode, whatever became of them.
    fn graver(&self, index: usize, at: Instant) -> impl Iterator<Item = &Episode> {
        let own = &self.episodes[index];
        let rank = own.rank(at);
        self.episodes.iter().filter(move |other| {
            own.condition.group() != Group::Alone
                && other.condition.group() == own.condition.group()
                && other.begin <= at
                && other.rank(at) > rank
        })
    }

    /// The graver ones that stand above an episode while its turn of that instant is settled: what is settled
    /// later still is as it was.
    fn above(&self, index: usize, at: Instant) -> impl Iterator<Item = &Episode> {
        let order = self.order(self.episodes[index].condition);
        self.graver(index, at).filter(move |other| {
            let later = self.order(other.condition) > order;
            if later { other.begin < at && at <= other.end } else { other.on(at) }
        })
    }

    fn turn(&mut self, index: usize, at: Instant, drops: &[Instant]) {
        let episode = &self.episodes[index];
        let condition = episode.condition;
        if at == episode.begin {
            let accepted = self.above(index, at).any(|above| above.accepted(at));
            let priority = episode.priority(at);
            self.unlatch(condition, at);
            if accepted {
                self.episodes[index].accepted.push((at, Instant::NEVER));
            }
            self.say(at, condition, Did::Begin(priority));
        } else if at == episode.end {
            self.end(index, at, drops);
        } else {
            let before = self.priority_before(index, at);
            let priority = episode.priority(at);
            if priority > before {
                // What was accepted was less grave.
                self.end_acceptance(index, at);
            }
            self.say(at, condition, if priority > before { Did::Worsen(priority) } else { Did::Ease(priority) });
        }
    }

    fn priority_before(&self, index: usize, at: Instant) -> Priority {
        let episode = &self.episodes[index];
        episode.priorities.iter().rev().find(|(from, _)| *from < at).map_or(Priority::Low, |(_, priority)| *priority)
    }

    fn end_acceptance(&mut self, index: usize, at: Instant) {
        for (_, to) in &mut self.episodes[index].accepted {
            *to = (*to).min(at);
        }
    }

    /// R2.5. One dip is one thing to look at: what ends under a graver one leaves the latch to that.
    fn end(&mut self, index: usize, at: Instant, drops: &[Instant]) {
        let episode = &self.episodes[index];
        let condition = episode.condition;
        let dropped = drops.contains(&at);
        // The nearest one above it. An older latch is of another fall.
        let on = self.above(index, at).map(|above| above.condition).min();
        let of_this_fall = self.graver(index, at).filter(|above| above.latched(at) && above.end >= episode.begin);
        let under = on.or(of_this_fall.map(|above| above.condition).min());
        let latches = condition.kind() == AlarmKind::Physiological
            && episode.priority(at) > Priority::Low
            && !episode.accepted(at)
            && under.is_none()
            && !dropped;
        self.episodes[index].under = under.filter(|_| !dropped);
        self.episodes[index].dropped = dropped;
        if latches {
            self.episodes[index].latched = Some((at, Instant::NEVER));
        }
        self.say(at, condition, if latches { Did::Latch } else { Did::Clear });
    }

    fn unlatch(&mut self, condition: Condition, at: Instant) {
        for episode in self.episodes.iter_mut().filter(|e| e.condition == condition && e.latched(at)) {
            episode.latched = episode.latched.map(|(from, _)| (from, at));
        }
    }

    fn drop_latches(&mut self, at: Instant) {
        let latched: Vec<_> = self.episodes.iter().filter(|e| e.latched(at)).map(|e| e.condition).collect();
        for condition in latched {
            self.unlatch(condition, at);
            self.say(at, condition, Did::Clear);
        }
    }

    /// R4.1: accepts an episode as it was seen, and the lower ones that stand in it as reasons.
    fn accept(&mut self, condition: Condition, number: u32, priority: Priority, at: Instant) {
        let named = |e: &Episode| e.condition == condition && e.on(at) && e.number == number;
        if !self.episodes.iter().any(|e| named(e) && e.priority(at) == priority) {
            return;
        }
        for episode in self.episodes.iter_mut().filter(|episode| episode.on(at)) {
            let reason = condition.group() != Group::Alone
                && episode.condition.group() == condition.group()
                && episode.rank(at) < (priority, condition);
            if reason || episode.condition == condition {
                episode.accepted.push((at, Instant::NEVER));
            }
        }
        self.say(at, condition, Did::Accepted);
    }

    fn see(&mut self, condition: Condition, number: u32, at: Instant) {
        if self.episodes.iter().any(|e| e.condition == condition && e.number == number && e.latched(at)) {
            self.unlatch(condition, at);
            self.say(at, condition, Did::Clear);
        }
    }

    /// R2.6: when a condition is latched, by itself or by the latch of the graver one that it ended under. What
    /// becomes active was latched until then, and at that instant it still counts.
    pub fn latched(&self, condition: Condition) -> Timeline<bool> {
        let latch = |e: &Episode| {
            let settled_later = self.order(e.condition) >= self.order(condition);
            let again = |to| settled_later && self.episodes.iter().any(|other| other.begin == to);
            e.latched.map(|(from, to)| (from, if again(to) { to.next() } else { to }))
        };
        let mut instants = self.instants();
        instants.extend(self.episodes.iter().filter_map(latch).map(|(_, to)| to).filter(|at| *at != Instant::NEVER));
        instants.sort_unstable();
        let mut timeline = Timeline::always(false);
        for at in instants {
            let ended = self.episodes.iter().filter(|e| e.condition == condition && e.end <= at);
            let patient_since = self.drops.iter().copied().filter(|drop| *drop <= at).max();
            let ended = ended.filter(|e| {
                if self.disputed.cover_outlives_patient { !e.dropped } else { Some(e.end) > patient_since }
            });
            let under = ended.max_by_key(|e| e.end).and_then(|last| last.under);
            let counts = |e: &&Episode| e.condition == condition || under == Some(e.condition);
            let latched = |e: &Episode| latch(e).is_some_and(|(from, to)| from <= at && at < to);
            timeline.set(at, self.episodes.iter().filter(counts).any(latched));
        }
        timeline
    }

    /// When any condition that `of` names is active or latched. What ended at one of `not_at` counts for ever.
    pub fn present(&self, of: impl Fn(Condition) -> bool, not_at: &[Instant]) -> Timeline<bool> {
        let until = |end: Instant| if not_at.contains(&end) { Instant::NEVER } else { end };
        self.whenever(|at| {
            self.episodes.iter().filter(|e| of(e.condition)).any(|e| {
                let on = e.begin <= at && at < until(e.end);
                on || e.latched.is_some_and(|(from, to)| from <= at && at < until(to))
            })
        })
    }

    /// What is so at every instant at which the board changes.
    fn whenever(&self, so: impl Fn(Instant) -> bool) -> Timeline<bool> {
        let mut timeline = Timeline::always(false);
        for at in self.instants() {
            timeline.set(at, so(at));
        }
        timeline
    }

    fn instants(&self) -> Vec<Instant> {
        let of = |episode: &Episode| {
            let latched = episode.latched.iter().flat_map(|(from, to)| [*from, *to]);
            let priorities = episode.priorities.iter().map(|(at, _)| *at);
            let accepted = episode.accepted.iter().flat_map(|(from, to)| [*from, *to]);
            priorities.chain([episode.end]).chain(accepted).chain(latched).collect::<Vec<_>>()
        };
        let mut instants: Vec<_> = self.episodes.iter().flat_map(of).filter(|at| *at != Instant::NEVER).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The story: what happened, and what was announced and heard at the end of every millisecond until `end`.
    /// `no_pulse` tells whether the device says that it finds none.
    pub fn story(&self, no_pulse: &NoPulse, end: Instant) -> Vec<Line> {
        let mut lines = self.lines.clone();
        let quiet = self.episodes.iter().map(|episode| episode.end.ms.saturating_add(HEARD_AFTER_END));
        let mut moments: Vec<u64> = self.instants().iter().map(|at| at.ms).chain(quiet).collect();
        if self.episodes.iter().any(|episode| episode.condition == Condition::NoPulse) {
            moments.extend(no_pulse.says.changes().chain(no_pulse.looks.iter().flatten().copied()).map(|at| at.ms));
        }
        moments.sort_unstable();
        moments.dedup();
        moments.retain(|ms| *ms <= end.ms);
        let mut conditions: Vec<_> = self.episodes.iter().map(|episode| episode.condition).collect();
        conditions.sort_unstable();
        conditions.dedup();
        for condition in conditions {
            let (mut told, mut heard) = (false, false);
            for ms in &moments {
                let at = Instant::last(*ms);
                let now = (self.told(condition, at, no_pulse), self.heard(condition, at, no_pulse));
                if now.0 != told {
                    lines.push(Line { ms: *ms, condition, did: Did::Told(now.0) });
                }
                if now.1 != heard {
                    lines.push(Line { ms: *ms, condition, did: Did::Heard(now.1) });
                }
                (told, heard) = now;
            }
        }
        lines.sort_unstable();
        lines
    }

    /// R3.1: whether a condition is active and heads its group. The sound of a graver one that has ended stands
    /// above it too: the way back from a deep fall is not a row of new alarms.
    fn told(&self, condition: Condition, at: Instant, no_pulse: &NoPulse) -> bool {
        let Some(index) = self.episodes.iter().position(|e| e.condition == condition && e.on(at)) else { return false };
        let on = |condition| self.episodes.iter().any(|e| e.condition == condition && e.on(at));
        match condition {
            // R3.3: one loss is one alarm. Row 25 says more than "no SpO2" while the device finds no pulse.
            Condition::Spo2Unavailable => {
                let row_25 = self.episodes.iter().find(|e| e.condition == Condition::NoPulse && e.on(at));
                !on(Condition::AllLost) && !row_25.is_some_and(|row_25| no_pulse.explains(row_25.begin, at))
            }
            _ => !self.graver(index, at).any(|above| above.on(at) || above.latched(at) && above.audible(at)),
        }
    }

    fn heard(&self, condition: Condition, at: Instant, no_pulse: &NoPulse) -> bool {
        let audible = self.episodes.iter().any(|e| e.condition == condition && e.audible(at));
        let on = self.episodes.iter().any(|e| e.condition == condition && e.on(at));
        audible && (!on || self.told(condition, at, no_pulse))
    }
}

/// The episodes of a condition, counted from 1.
fn episodes((condition, activity): &Activity) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    for stretch in activity.stretches() {
        let Some(priority) = *stretch.value else { continue };
        match episodes.last_mut() {
            Some(last) if last.end == stretch.from => {
                last.end = stretch.to;
                last.priorities.push((stretch.from, priority));
            }
            _ => episodes.push(Episode {
                condition: *condition,
                number: u32::try_from(episodes.len()).expect("few") + 1,
                begin: stretch.from,
                end: stretch.to,
                priorities: vec![(stretch.from, priority)],
                accepted: Vec::new(),
                latched: None,
                under: None,
                dropped: false,
            }),
        }
    }
    episodes
}
