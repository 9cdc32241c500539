//! What a replay came to, beside what the plain rules would have done.

use vitalsd_core::monitor::output::{Condition, Group, Priority};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::Spo2;

use super::plain::{self, Onset, Rule};
use super::story::{Announcement, Episode, Story};
use super::track::Stretch;
use super::verdict::{self, Verdict};
use crate::wire::number::Decimal;
use crate::wire::summary::{Count, Excursion, Plain, Summary};

/// `track`: what the oximeter of the recording showed; without it if it may raise no alarm (R1.2).
pub(super) fn of(preset: &Preset, track: &[Stretch], may_alarm: bool, story: &Story) -> Summary {
    let length = story.end().since(Time::ZERO);
    let (episodes, announcements) = (story.episodes(), story.announcements());
    let judged = if may_alarm { track } else { &[] };
    let rows = verdict::of(preset, judged, story.pressures(), story, &episodes);
    let onsets = |rule| plain::onsets(rule, track, story.pressures(), story.end());
    let audible = count(announcements.iter());
    let plain = Rule::ALL.map(|rule| plain_row(rule, &onsets(rule), length));
    let excursions = plain::excursions(&onsets(Rule::Spo2));
    Summary {
        length_s: Decimal::seconds(length),
        alarms: counts(&episodes, &announcements),
        audible,
        audible_per_hour: per_hour(audible, length),
        rows: rows.into_iter().map(Verdict::row).collect(),
        plain: plain.into_iter().filter(|plain| plain.onsets > 0).collect(),
        excursions: excursions.iter().map(|excursion| answered(excursion, &episodes)).collect(),
    }
}

/// A plain rule in figures.
pub(super) fn plain_row(rule: Rule, onsets: &[Onset], length: Span) -> Plain {
    Plain {
        rule: rule.limit().into(),
        onsets: count(onsets.iter()),
        onsets_per_hour: per_hour(count(onsets.iter()), length),
        violation_s: Decimal::seconds(onsets.iter().fold(Span::ZERO, |sum, onset| sum + onset.length())),
        lasting: count(onsets.iter().filter(|onset| onset.lasts())),
    }
}

fn counts(episodes: &[Episode], announcements: &[Announcement]) -> Vec<Count> {
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
            audible: count(announcements.iter().filter(|it| of().any(|episode| it.is_of(episode)))),
            first_s: seconds(of().map(|episode| episode.start).min().unwrap_or_default()),
            active_s: Decimal::seconds(of().fold(Span::ZERO, |sum, e| sum + e.end.since(e.start))),
        }
    };
    kinds.into_iter().map(count_of).collect()
}

/// When the alarms about the saturation came that were active at any time of the excursion.
fn answered(excursion: &Onset, episodes: &[Episode]) -> Excursion {
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
        lowest_spo2_pct: Decimal::tenths(excursion.lowest.map_or(0, Spo2::as_tenths)),
        to_alarm_s: about().map(|episode| episode.start).min().map(after),
        to_audible_s: about().filter(|e| e.priority > Priority::Low).map(|e| e.start).min().map(after),
        to_high_s: about().filter_map(|episode| episode.high).min().map(after),
    }
}

pub(super) fn seconds(at: Time) -> Decimal {
    Decimal::seconds(at.since(Time::ZERO))
}

pub(super) fn per_hour(count: u32, length: Span) -> Decimal {
    per(count, Decimal::seconds(length).0 / 3_600.0)
}

/// To a tenth.
pub(super) fn per(count: u32, of: f64) -> Decimal {
    if of > 0.0 { Decimal((f64::from(count) / of * 10.0).round() / 10.0) } else { Decimal(0.0) }
}

pub(super) fn count<T>(of: impl Iterator<Item = T>) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}
