//! R4.2, R4.3: what time does to an alarm that is still there. An acceptance runs out; what nobody takes becomes HIGH.

use vitalsd_core::monitor::output::{Condition, Group, Priority};

use super::announced::{Board, is_pressure};
use super::facts::Did;
use super::timeline::Instant;

impl Board<'_> {
    /// Does what is due at `at`, once everything else of that instant is settled, and tells when something will be.
    pub(super) fn attend(&mut self, at: Instant) -> Option<Instant> {
        let on: Vec<_> = (0..self.episodes.len()).filter(|index| self.episodes[*index].on(at)).collect();
        on.into_iter().filter_map(|index| self.attend_to(index, at)).min()
    }

    fn attend_to(&mut self, index: usize, at: Instant) -> Option<Instant> {
        let condition = self.episodes[index].condition;
        let priority = self.episodes[index].priority(at);
        let terms = self.circumstances.terms;
        if let Some(accepted) = self.episodes[index].acceptance(at) {
            self.episodes[index].calling = None;
            let after = match priority {
                Priority::Low => return None,
                Priority::Medium => terms.again_medium,
                Priority::High => terms.again_high,
            };
            let runs_out = accepted.given + after.as_millis();
            if is_pressure(condition) || runs_out > at.ms {
                return Some(Instant::due(runs_out)).filter(|_| !is_pressure(condition));
            }
            self.fall(index, at);
        }
        if priority != Priority::Medium || !self.told(index, at) {
            return None;
        }
        let calling = *self.episodes[index].calling.get_or_insert(at.ms);
        let neglected = calling + terms.neglected.as_millis();
        if neglected > at.ms {
            return Some(Instant::due(neglected));
        }
        self.episodes[index].neglected = Some(at);
        self.say(at, condition, Did::Worsen(Priority::High));
        None
    }

    /// R4.2: what is accepted of these is announced again.
    pub(super) fn call_again(&mut self, of: impl Fn(Condition) -> bool, at: Instant) {
        for index in 0..self.episodes.len() {
            let episode = &self.episodes[index];
            if of(episode.condition) && episode.accepted(at) {
                self.fall(index, at);
            }
        }
    }

    /// An acceptance falls, and with it what was accepted by the same word.
    fn fall(&mut self, index: usize, at: Instant) {
        let Some(fallen) = self.episodes[index].acceptance(at) else { return };
        let condition = self.episodes[index].condition;
        for other in 0..self.episodes.len() {
            let episode = &self.episodes[other];
            let together = condition.group() != Group::Alone && episode.condition.group() == condition.group();
            let same = episode.acceptance(at).is_some_and(|accepted| accepted.given == fallen.given);
            if episode.on(at) && same && (other == index || together) {
                self.end_acceptance(other, at);
                self.episodes[other].calling = None;
            }
        }
    }
}
