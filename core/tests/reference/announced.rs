//! R2.5, R3.1, R3.2, R4.1: which condition heads its group, what is accepted, what is latched until it is seen.

use vitalsd_core::monitor::output::{AlarmKind, Condition, Group, Priority};

use vitalsd_core::monitor::preset::AttentionTerms;

use super::facts::{Did, Fact, Line, What};
use super::timeline::{Instant, Timeline};

/// R2.5: a HIGH that nobody accepted is heard for this long after its end, milliseconds.
const HEARD_AFTER_END: u64 = 30_000;

/// A condition and its priority while it is active.
pub type Activity = (Condition, Timeline<Option<Priority>>);

/// One time that a condition was active, and what people did about it.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub(super) condition: Condition,
    number: u32,
    begin: Instant,
    end: Instant,
    /// Each priority that it had by its row.
    priorities: Vec<(Instant, Priority)>,
    /// Since when it was HIGH because nobody took it (R4.3).
    pub(super) neglected: Option<Instant>,
    /// Since when, in milliseconds, it has called as a MEDIUM (R4.3).
    pub(super) calling: Option<u64>,
    pub(super) accepted: Vec<Acceptance>,
    /// From when to when it was latched.
    latched: Option<(Instant, Instant)>,
    /// The graver one that it ended under, whose latch stands for its own.
    under: Option<Condition>,
}

/// From when to when somebody's acceptance held, and when it was given: one that stands in an accepted one has
/// the acceptance of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acceptance {
    from: Instant,
    to: Instant,
    pub(super) given: u64,
}

impl Episode {
    pub(super) fn on(&self, at: Instant) -> bool {
        self.begin <= at && at < self.end
    }

    fn latched(&self, at: Instant) -> bool {
        self.latched.is_some_and(|(from, to)| from <= at && at < to)
    }

    /// The priority at that instant, or the last one before it.
    pub(super) fn priority(&self, at: Instant) -> Priority {
        if self.neglected.is_some_and(|since| since <= at) {
            return Priority::High;
        }
        let until = self.priorities.partition_point(|(from, _)| *from <= at);
        self.priorities[until.saturating_sub(1)].1
    }

    /// The acceptance that holds at that instant.
    pub(super) fn acceptance(&self, at: Instant) -> Option<Acceptance> {
        self.accepted.iter().rev().find(|accepted| accepted.from <= at && at < accepted.to).copied()
    }

    pub(super) fn accepted(&self, at: Instant) -> bool {
        self.acceptance(at).is_some()
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

/// What a board lives in.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    pub facts: &'a [Fact],
    /// When everything about a patient was dropped.
    pub drops: &'a [Instant],
    /// When a determination violated what was active already (R4.2).
    pub again: &'a [(Instant, Condition)],
    /// Whether the device says that it finds no pulse.
    pub no_pulse: &'a Timeline<bool>,
    pub terms: &'a AttentionTerms,
    pub end: Instant,
}

/// The board of a whole stay.
#[derive(Clone)]
pub struct Board<'a> {
    pub(super) episodes: Vec<Episode>,
    pub(super) circumstances: Circumstances<'a>,
    lines: Vec<Line>,
}

/// What happens to the board at an instant. Of what happens at the same one, the graver is settled first.
#[derive(Clone, Copy, Debug)]
enum Turn<'a> {
    Episode(usize),
    Command(&'a What),
    /// R4.2: an accepted pressure is announced again.
    Again(Condition),
    /// R4.2: every accepted pressure is.
    Overdue,
    Drop,
    /// What is announced may change.
    Nothing,
}

impl<'a> Board<'a> {
    /// From the activity of every condition, and the circumstances.
    pub fn of(activities: &[Activity], circumstances: Circumstances<'a>) -> Self {
        let episodes = activities.iter().flat_map(episodes).collect();
        let mut board = Self { episodes, circumstances, lines: Vec::new() };
        let turns = board.turns();
        let mut turns = turns.into_iter().peekable();
        let mut due = None;
        while let Some(at) = turns.peek().map(|(at, _)| *at).into_iter().chain(due).min() {
            while let Some((_, turn)) = turns.next_if(|(turn, _)| *turn == at) {
                match turn {
                    Turn::Episode(index) => board.turn(index, at),
                    Turn::Command(What::Accept { condition, episode, priority }) => {
                        board.accept(*condition, *episode, *priority, at);
                    }
                    Turn::Command(What::Seen { condition, episode }) => board.see(*condition, *episode, at),
                    Turn::Command(_) | Turn::Nothing => {}
                    Turn::Again(condition) => board.call_again(|other| other == condition, at),
                    Turn::Overdue => board.call_again(is_pressure, at),
                    Turn::Drop => board.drop_latches(at),
                }
            }
            due = board.attend(at).filter(|due| *due <= circumstances.end);
        }
        board
    }

    fn turns(&self) -> Vec<(Instant, Turn<'a>)> {
        let Circumstances { facts, drops, again, no_pulse, end, .. } = self.circumstances;
        let mut turns: Vec<(Instant, Turn<'a>)> = Vec::new();
        for (index, episode) in self.episodes.iter().enumerate() {
            let instants = episode.priorities.iter().map(|(at, _)| *at).chain([episode.end]);
            turns.extend(instants.filter(|at| *at != Instant::NEVER).map(|at| (at, Turn::Episode(index))));
            turns.push((Instant::due(episode.end.ms.saturating_add(HEARD_AFTER_END)), Turn::Nothing));
        }
        for fact in facts {
            match fact.what {
                What::Accept { .. } | What::Seen { .. } => {
                    turns.push((Instant::said(fact.ms), Turn::Command(&fact.what)));
                }
                What::Overdue { by_time } => {
                    let at = if by_time { Instant::due(fact.ms) } else { Instant::said(fact.ms) };
                    turns.push((at, Turn::Overdue));
                }
                _ => {}
            }
        }
        turns.extend(drops.iter().map(|at| (*at, Turn::Drop)));
        turns.extend(again.iter().map(|(at, condition)| (*at, Turn::Again(*condition))));
        turns.extend(no_pulse.changes().map(|at| (at, Turn::Nothing)));
        turns.retain(|(at, _)| *at <= end);
        turns.sort_by_key(|(at, turn)| {
            let order = match turn {
                Turn::Episode(index) => order(self.episodes[*index].condition),
                Turn::Again(condition) => order(*condition),
                Turn::Command(_) | Turn::Drop => 0,
                Turn::Overdue | Turn::Nothing => usize::MAX,
            };
            (*at, order)
        });
        turns
    }

    pub(super) fn say(&mut self, at: Instant, condition: Condition, did: Did) {
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
        let own = order(self.episodes[index].condition);
        self.graver(index, at).filter(move |other| {
            let later = order(other.condition) > own;
            if later { other.begin < at && at <= other.end } else { other.on(at) }
        })
    }

    fn turn(&mut self, index: usize, at: Instant) {
        let episode = &self.episodes[index];
        let condition = episode.condition;
        if at == episode.begin {
            let nearest = self.above(index, at).filter(|above| above.accepted(at)).min_by_key(|above| above.condition);
            let accepted = nearest.and_then(|above| above.acceptance(at));
            let priority = episode.priority(at);
            self.unlatch(condition, at);
            let accepted = accepted.map(|accepted| Acceptance { from: at, to: Instant::NEVER, ..accepted });
            self.episodes[index].accepted.extend(accepted);
            self.say(at, condition, Did::Begin(priority));
        } else if at == episode.end {
            self.end(index, at);
        } else {
            let before = self.priority_before(index, at);
            let priority = episode.priority(at);
            if priority == before {
                return;
            }
            self.episodes[index].calling = None;
            if priority > before {
                // What was accepted was less grave.
                self.end_acceptance(index, at);
            }
            self.say(at, condition, if priority > before { Did::Worsen(priority) } else { Did::Ease(priority) });
        }
    }

    fn priority_before(&self, index: usize, at: Instant) -> Priority {
        let episode = &self.episodes[index];
        if episode.neglected.is_some_and(|since| since < at) {
            return Priority::High;
        }
        episode.priorities.iter().rev().find(|(from, _)| *from < at).map_or(Priority::Low, |(_, priority)| *priority)
    }

    pub(super) fn end_acceptance(&mut self, index: usize, at: Instant) {
        for accepted in &mut self.episodes[index].accepted {
            accepted.to = accepted.to.min(at);
        }
    }

    /// R2.5. One dip is one thing to look at: what ends under a graver one leaves the latch to that.
    fn end(&mut self, index: usize, at: Instant) {
        let episode = &self.episodes[index];
        let condition = episode.condition;
        let dropped = self.circumstances.drops.contains(&at);
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
        for index in 0..self.episodes.len() {
            let episode = &self.episodes[index];
            let reason = condition.group() != Group::Alone
                && episode.condition.group() == condition.group()
                && episode.rank(at) < (priority, condition);
            if episode.on(at) && (reason || episode.condition == condition) {
                self.end_acceptance(index, at);
                let accepted = Acceptance { from: at, to: Instant::NEVER, given: at.ms };
                self.episodes[index].accepted.push(accepted);
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
            let settled_later = order(e.condition) >= order(condition);
            let again = |to| settled_later && self.episodes.iter().any(|other| other.begin == to);
            e.latched.map(|(from, to)| (from, if again(to) { to.next() } else { to }))
        };
        let mut instants = self.instants();
        instants.extend(self.episodes.iter().filter_map(latch).map(|(_, to)| to).filter(|at| *at != Instant::NEVER));
        instants.sort_unstable();
        let mut timeline = Timeline::always(false);
        for at in instants {
            let ended = self.episodes.iter().filter(|e| e.condition == condition && e.end <= at);
            let patient_since = self.circumstances.drops.iter().copied().filter(|drop| *drop <= at).max();
            let ended = ended.filter(|e| Some(e.end) > patient_since);
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
            let accepted = episode.accepted.iter().flat_map(|accepted| [accepted.from, accepted.to]);
            let neglected = episode.neglected;
            priorities.chain([episode.end]).chain(accepted).chain(latched).chain(neglected).collect::<Vec<_>>()
        };
        let mut instants: Vec<_> = self.episodes.iter().flat_map(of).filter(|at| *at != Instant::NEVER).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The story: what happened, and what was announced and heard at the end of every millisecond until `end`.
    pub fn story(&self) -> Vec<Line> {
        let Circumstances { no_pulse, end, .. } = self.circumstances;
        let mut lines = self.lines.clone();
        let quiet = self.episodes.iter().map(|episode| episode.end.ms.saturating_add(HEARD_AFTER_END));
        let mut moments: Vec<u64> = self.instants().iter().map(|at| at.ms).chain(quiet).collect();
        if self.episodes.iter().any(|episode| episode.condition == Condition::NoPulse) {
            moments.extend(no_pulse.changes().map(|at| at.ms));
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
                let on = self.episodes.iter().position(|e| e.condition == condition && e.on(at));
                let now = on.is_some_and(|index| self.told(index, at));
                let now = (now, self.heard(condition, at) && (on.is_none() || now));
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
    pub(super) fn told(&self, index: usize, at: Instant) -> bool {
        let on = |condition| self.episodes.iter().any(|e| e.condition == condition && e.on(at));
        match self.episodes[index].condition {
            // R3.3: one loss is one alarm. Row 25 says more than "no SpO2" while the device finds no pulse.
            Condition::Spo2Unavailable => {
                let no_pulse = on(Condition::NoPulse) && *self.circumstances.no_pulse.at(at);
                !(on(Condition::AllLost) || no_pulse)
            }
            _ => !self.graver(index, at).any(|above| above.on(at) || above.latched(at) && above.audible(at)),
        }
    }

    fn heard(&self, condition: Condition, at: Instant) -> bool {
        self.episodes.iter().any(|e| e.condition == condition && e.audible(at))
    }
}

/// Where a condition stands among those that something happens to at one instant.
fn order(condition: Condition) -> usize {
    Condition::ALL.iter().rev().position(|other| *other == condition).unwrap_or_default()
}

/// R4.2: an acceptance of these does not run out by time.
pub(super) fn is_pressure(condition: Condition) -> bool {
    matches!(condition.group(), Group::PressureHigh | Group::PressureLow)
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
                neglected: None,
                calling: None,
                accepted: Vec::new(),
                latched: None,
                under: None,
            }),
        }
    }
    episodes
}
