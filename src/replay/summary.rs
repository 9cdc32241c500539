//! What a replay came to, beside what the plain rule would have done.

use vitalsd_core::monitor::output::{Condition, Event, EventKind, Group, Priority};
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
    let audible = episodes.iter().map(|episode| episode.audible).sum();
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
    /// It has been announced; when it stands alone again later, that is no news.
    announced: bool,
    /// How often it was announced with sound: once, and again when it rose.
    audible: u32,
    start: Time,
    end: Time,
    /// When it was first HIGH.
    high: Option<Time>,
}

fn episodes(events: &[Event], end: Time) -> Vec<Episode> {
    let mut over: Vec<Episode> = Vec::new();
    let mut active: Vec<Episode> = Vec::new();
    for Event { at, kind } in events {
        let (EventKind::Raised(alarm)
        | EventKind::Noted(alarm)
        | EventKind::Announced(alarm)
        | EventKind::Worsened(alarm)
        | EventKind::Latched(alarm)
        | EventKind::Cleared(alarm)) = kind
        else {
            continue;
        };
        let known = active.iter().position(|episode| episode.condition == alarm.condition);
        match (kind, known) {
            (EventKind::Raised(_) | EventKind::Noted(_), _) => active.push(Episode {
                condition: alarm.condition,
                priority: alarm.priority,
                announced: alarm.announced,
                audible: u32::from(alarm.sounds),
                start: *at,
                end,
                high: (alarm.priority == Priority::High).then_some(*at),
            }),
            (EventKind::Latched(_) | EventKind::Cleared(_), Some(known)) => {
                over.push(Episode { end: *at, ..active.remove(known) });
            }
            (EventKind::Announced(_) | EventKind::Worsened(_), Some(known)) => {
                let Some(episode) = active.get_mut(known) else { continue };
                let news = !episode.announced || matches!(kind, EventKind::Worsened(_));
                episode.audible += u32::from(news && alarm.sounds);
                episode.announced |= alarm.announced;
                episode.priority = episode.priority.max(alarm.priority);
                if alarm.priority == Priority::High {
                    episode.high.get_or_insert(*at);
                }
            }
            _ => {}
        }
    }
    over.append(&mut active);
    over.sort_by_key(|episode| episode.start);
    over
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
            audible: of().map(|episode| episode.audible).sum(),
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
    let after = |at: Time| {
        let before = Decimal::seconds(excursion.start.since(at));
        if at < excursion.start { Decimal(-before.0) } else { Decimal::seconds(at.since(excursion.start)) }
    };
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
