//! What a bed said in a replay: its events, its alarms as they stood, and what of them was to be heard.

use std::collections::BTreeMap;

use vitalsd_core::monitor::output::{Alarm, Condition, Event, EventKind, Group, Output, Phase, Presence, Priority};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::BloodPressure;

/// Everything a bed said that is needed to judge it.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Its events, in order.
    pub events: Vec<Event>,
    /// Every state of every alarm, in order.
    alarms: Vec<Alarm>,
    /// Every determination that gave a pressure, with its time of measurement.
    pressures: Vec<(Time, BloodPressure)>,
    end: Time,
}

/// One time that a condition was active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) condition: Condition,
    number: u32,
    /// The highest it reached.
    pub(super) priority: Priority,
    pub(super) start: Time,
    pub(super) end: Time,
    /// When it was first HIGH.
    pub(super) high: Option<Time>,
}

/// A moment at which a sound began or became graver in a group: one sound that goes on while another
/// condition as grave joins it is no news to anybody's ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) at: Time,
    /// The gravest that sounds in the group from then on.
    pub(super) condition: Condition,
    pub(super) priority: Priority,
    episode: u32,
}

impl Announcement {
    /// Whether it is of that time that the condition was active.
    pub(super) fn is_of(&self, episode: &Episode) -> bool {
        (self.condition, self.episode) == (episode.condition, episode.number)
    }
}

impl Story {
    /// Takes what the bed says next.
    pub(super) fn take(&mut self, output: Output) {
        match output {
            Output::Event(event) => self.events.push(event),
            Output::Alarm(alarm) => self.alarms.push(alarm),
            Output::Pressure(determination) => {
                self.pressures.extend(determination.pressure.ok().map(|bp| (determination.measured_at, bp)));
            }
            Output::Oximetry(_) | Output::Session | Output::Request { .. } => {}
        }
    }

    /// It ends here.
    pub(super) fn ends(&mut self, end: Time) {
        self.end = end;
    }

    pub(super) const fn end(&self) -> Time {
        self.end
    }

    pub(super) fn pressures(&self) -> &[(Time, BloodPressure)] {
        &self.pressures
    }

    /// The phases of the session, each with its beginning.
    pub(super) fn phases(&self) -> Vec<(Time, Phase)> {
        let change = |event: &Event| match event.kind {
            EventKind::Phase { to, .. } => Some((event.at, to)),
            _ => None,
        };
        self.events.iter().filter_map(change).collect()
    }

    /// Every time that a condition was active, in order.
    pub(super) fn episodes(&self) -> Vec<Episode> {
        let mut episodes: Vec<Episode> = Vec::new();
        for alarm in &self.alarms {
            let on = alarm.presence == Presence::On;
            let high = (on && alarm.priority == Priority::High).then_some(alarm.at);
            let known = episodes.iter_mut().rfind(|e| (e.condition, e.number) == (alarm.condition, alarm.episode));
            match known {
                Some(episode) => {
                    episode.end = alarm.ended.unwrap_or(self.end);
                    episode.high = episode.high.or(high);
                    if on {
                        episode.priority = episode.priority.max(alarm.priority);
                    }
                }
                None if on => episodes.push(Episode {
                    condition: alarm.condition,
                    number: alarm.episode,
                    priority: alarm.priority,
                    start: alarm.since,
                    end: self.end,
                    high,
                }),
                None => {}
            }
        }
        episodes.sort_by_key(|episode| episode.start);
        episodes
    }

    /// Every moment at which a sound began or became graver.
    pub(super) fn announcements(&self) -> Vec<Announcement> {
        let mut sounding: BTreeMap<Condition, &Alarm> = BTreeMap::new();
        let mut announcements = Vec::new();
        for moment in self.alarms.chunk_by(|one, other| one.at == other.at) {
            let before = sounding.clone();
            for alarm in moment {
                if alarm.sounds {
                    sounding.insert(alarm.condition, alarm);
                } else {
                    sounding.remove(&alarm.condition);
                }
            }
            for (condition, alarm) in &sounding {
                let gravest = gravest(*condition, &sounding) == Some((alarm.priority, *condition));
                let was = gravest_priority(*condition, &before);
                if gravest && was.is_none_or(|was| was < alarm.priority) {
                    announcements.push(Announcement {
                        at: alarm.at,
                        condition: *condition,
                        priority: alarm.priority,
                        episode: alarm.episode,
                    });
                }
            }
        }
        announcements
    }
}

/// What is gravest of all that sounds in the group of `condition`.
fn gravest(condition: Condition, sounding: &BTreeMap<Condition, &Alarm>) -> Option<(Priority, Condition)> {
    let group = |other: Condition| match condition.group() {
        Group::Alone => other == condition,
        group => other.group() == group,
    };
    sounding.values().filter(|alarm| group(alarm.condition)).map(|alarm| (alarm.priority, alarm.condition)).max()
}

fn gravest_priority(condition: Condition, sounding: &BTreeMap<Condition, &Alarm>) -> Option<Priority> {
    gravest(condition, sounding).map(|(priority, _)| priority)
}
