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
    /// When each determination ended, with a pressure or without.
    determined: Vec<Time>,
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

#[cfg(test)]
impl Episode {
    pub(super) const fn for_test(condition: Condition, start: Time, end: Time) -> Self {
        Self { condition, number: 1, priority: Priority::High, start, end, high: Some(start) }
    }
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
                self.determined.push(determination.at);
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

    pub(super) fn determined(&self) -> &[Time] {
        &self.determined
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

#[cfg(test)]
mod tests {
    use vitalsd_core::driver::Quantity;
    use vitalsd_core::monitor::input::{Action, Command, DeviceIndex, Input, Opening, Route};
    use vitalsd_core::monitor::preset::Preset;
    use vitalsd_core::monitor::{Bed, Device};
    use vitalsd_core::sample::{Oximetry, Sample};
    use vitalsd_core::time::Span;
    use vitalsd_core::vitals::{Absent, Measured, PulseRate, Spo2};

    use super::*;

    /// These values of SpO2 for so many seconds each, 0 is none; with a dose at the start.
    fn sounds(values: &[(u16, u64)]) -> Vec<(u64, Condition, Priority)> {
        let device = Device {
            cadence: Span::secs(1),
            primary: vec![Quantity::Spo2, Quantity::Pulse],
            starts_cuff: false,
            cuff_rest: Span::ZERO,
            pleth_full_scale: None,
        };
        let mut bed = Bed::new(Preset::kat_default_1(), vec![device], Time::ZERO);
        let mut story = Story::default();
        for action in [Action::Open(Opening::by(Route::Iv)), Action::Dose { ago: Span::ZERO }] {
            let command = Command { actor: "nurse-1".into(), action };
            bed.command(&command, Time::ZERO, &mut |output| story.take(output)).unwrap();
        }
        let seconds = values.iter().flat_map(|(spo2, n)| (0..*n).map(move |_| *spo2));
        for (t, spo2) in (0..).zip(seconds) {
            let at = Time::from_millis(t * 1_000);
            let absent = spo2 == 0;
            let sample = Sample::Oximetry(Oximetry {
                at,
                spo2: if absent {
                    Measured::Absent(Absent::SensorOff)
                } else {
                    Measured::in_range(Spo2::percent(spo2))
                },
                pulse: if absent {
                    Measured::Absent(Absent::SensorOff)
                } else {
                    Measured::in_range(PulseRate::bpm(72))
                },
                perfusion_index: Measured::Absent(Absent::NotMeasured),
            });
            bed.input(&Input::Sample { device: DeviceIndex(0), sample }, at, &mut |output| story.take(output));
        }
        let announcements = story.announcements();
        announcements.iter().map(|it| (it.at.as_millis() / 1_000, it.condition, it.priority)).collect()
    }

    use Condition as C;
    use Priority::{High, Medium};

    #[test]
    fn a_graver_row_under_a_sound_as_grave_is_one_sound_that_goes_on() {
        // 90: row 3 MEDIUM at 15 s. 87: row 2 HIGH 10 s later. 84 and 78: rows 1b and 1a, HIGH as well.
        let fall = [(90, 20), (87, 20), (84, 20), (78, 20)];
        assert_eq!(sounds(&fall), [(15, C::Spo2Reduced, Medium), (30, C::Spo2Low, High)]);
    }

    #[test]
    fn a_sound_that_ended_begins_anew_and_two_groups_are_two_sounds() {
        // The HIGH latches at 45 s and sounds until 75 s; latched, row 2 comes back after 5 s (R2.6). Probe off
        // from 130 s on is MEDIUM at 140 s, HIGH at 190 s (R6.2), while the latched one is silent.
        let values = [(87, 30), (97, 70), (87, 10), (97, 20), (0, 70)];
        let low = |at| (at, C::Spo2Low, High);
        let off = |at, priority| (at, C::Spo2Unavailable, priority);
        assert_eq!(sounds(&values), [low(10), low(105), off(140, Medium), off(190, High)]);
    }
}
