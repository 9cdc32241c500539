//! What a replay came to, beside what the plain rule would have done.

use vitalsd_core::monitor::output::{Alarm, Condition, Event, EventKind, Group, Priority};
use vitalsd_core::time::{Span, Time};

use super::content::Content;
use super::excursion::{Dip, LIMIT_TENTHS, dips, excursions};
use crate::recording::Row;
use crate::wire::number::Decimal;
use crate::wire::summary::{Count, Excursion, Plain, Summary};

pub(super) fn of(rows: &[Row], content: &Content, events: &[Event]) -> Summary {
    let length = content.end.since(Time::ZERO);
    let dips = dips(rows, content);
    let episodes = episodes(events, content.end);
    let audible = count(events.iter().filter(|event| announces(&event.kind)));
    let onsets = count(dips.iter());
    let violation = dips.iter().fold(Span::ZERO, |sum, dip| sum + dip.length());
    Summary {
        length_s: Decimal::seconds(length),
        alarms: counts(&episodes),
        audible,
        audible_per_hour: per_hour(audible, length),
        plain: Plain {
            spo2_below_pct: Decimal::tenths(LIMIT_TENTHS),
            onsets,
            onsets_per_hour: per_hour(onsets, length),
            violation_s: Decimal::seconds(violation),
        },
        excursions: excursions(&dips).iter().map(|excursion| answered(excursion, &episodes)).collect(),
    }
}

/// One time that a condition was active.
#[derive(Clone, Copy, Debug)]
struct Episode {
    condition: Condition,
    /// The highest it reached.
    priority: Priority,
    raised: bool,
    start: Time,
    end: Time,
    /// When it was first HIGH.
    high: Option<Time>,
}

fn episodes(events: &[Event], end: Time) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    let mut active: Vec<(Condition, usize)> = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Raised(alarm) | EventKind::Noted(alarm) => {
                active.push((alarm.condition, episodes.len()));
                episodes.push(Episode {
                    condition: alarm.condition,
                    priority: alarm.priority,
                    raised: matches!(event.kind, EventKind::Raised(_)),
                    start: event.at,
                    end,
                    high: (alarm.priority == Priority::High).then_some(event.at),
                });
            }
            EventKind::Escalated(Alarm { condition, priority, .. }) => {
                let index = active.iter().find(|(active, _)| active == condition).map(|(_, index)| *index);
                if let Some(episode) = index.and_then(|index| episodes.get_mut(index)) {
                    episode.priority = episode.priority.max(*priority);
                    if *priority == Priority::High {
                        episode.high.get_or_insert(event.at);
                    }
                }
            }
            EventKind::Latched(alarm) | EventKind::Cleared(alarm) => {
                let index = active.iter().find(|(active, _)| *active == alarm.condition).map(|(_, index)| *index);
                if let Some(episode) = index.and_then(|index| episodes.get_mut(index)) {
                    episode.end = event.at;
                }
                active.retain(|(active, _)| *active != alarm.condition);
            }
            _ => {}
        }
    }
    episodes
}

/// Whether something is announced with it that is to be heard.
const fn announces(kind: &EventKind) -> bool {
    match kind {
        EventKind::Raised(alarm) | EventKind::Announced(alarm) | EventKind::Escalated(alarm) => alarm.sounds,
        _ => false,
    }
}

fn counts(episodes: &[Episode]) -> Vec<Count> {
    let mut kinds: Vec<(Condition, Priority)> = Vec::new();
    for Episode { condition, priority, .. } in episodes {
        if !kinds.contains(&(*condition, *priority)) {
            kinds.push((*condition, *priority));
        }
    }
    let count_of = |(condition, priority)| {
        let of = || episodes.iter().filter(move |e| (e.condition, e.priority) == (condition, priority));
        Count {
            condition,
            priority,
            episodes: count(of()),
            raised: count(of().filter(|episode| episode.raised)),
            first_s: seconds(of().map(|episode| episode.start).min().unwrap_or_default()),
            active_s: Decimal::seconds(of().fold(Span::ZERO, |sum, e| sum + e.end.since(e.start))),
        }
    };
    kinds.into_iter().map(count_of).collect()
}

/// When the alarms about the saturation came that were active at any time of the excursion.
fn answered(excursion: &Dip, episodes: &[Episode]) -> Excursion {
    let about = || {
        let touches = |e: &&Episode| e.start <= excursion.end && e.end >= excursion.start;
        episodes.iter().filter(|e| e.condition.group() == Group::Spo2).filter(touches)
    };
    let after = |at: Time| Decimal(seconds(at).0 - seconds(excursion.start).0);
    Excursion {
        start_s: seconds(excursion.start),
        lasted_s: Decimal::seconds(excursion.length()),
        lowest_spo2_pct: Decimal::tenths(excursion.lowest.as_tenths()),
        to_alarm_s: about().map(|episode| episode.start).min().map(after),
        to_audible_s: about().filter(|e| e.priority > Priority::Low).map(|e| e.start).min().map(after),
        to_high_s: about().filter_map(|episode| episode.high).min().map(after),
    }
}

fn seconds(at: Time) -> Decimal {
    Decimal::seconds(at.since(Time::ZERO))
}

fn per_hour(count: u32, length: Span) -> Decimal {
    let hours = Decimal::seconds(length).0 / 3_600.0;
    if hours > 0.0 { Decimal((f64::from(count) / hours * 10.0).round() / 10.0) } else { Decimal(0.0) }
}

fn count<T>(of: impl Iterator<Item = T>) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}
