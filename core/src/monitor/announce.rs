//! The board of a bed: every alarm condition as it stands, and what of it is announced (R2.5, R3, R4.1).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::input::CommandRefusal;
use crate::monitor::output::{
    Ack, Activation, Alarm, AlarmKind, Condition, Event, EventKind, Group, Limit, Output, Phase, Presence, Priority,
    Value,
};
use crate::time::{Span, Time};

/// R2.5: an unacknowledged HIGH sounds for this long after it has ended.
const SOUNDS_AFTER_END: Span = Span::secs(30);

/// Every alarm condition of a bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// One for each condition, in the order of [`Condition::ALL`].
    standings: Vec<Standing>,
    /// What has happened and has not been told.
    news: Vec<(Condition, News)>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Standing {
    alarm: Alarm,
    /// It differs from what was last told.
    changed: bool,
    /// It ended under this graver one, whose latch stands for its own (R2.6).
    covered: Option<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum News {
    Activated,
    Announced,
    Escalated,
    Eased,
    Acknowledged,
    Latched,
    Cleared,
}

/// What is known of a condition at the moment it becomes active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// How grave.
    pub priority: Priority,
    /// The value that raised it.
    pub value: Option<Value>,
    /// The limit it broke.
    pub limit: Option<Limit>,
    /// What the limit was made from, if that was the patient's own value before the dose.
    pub baseline: Option<Value>,
    /// How much of the time was delay by design.
    pub delay: Span,
    /// The phase it happened in.
    pub phase: Phase,
}

impl Default for Board {
    /// Nothing present.
    fn default() -> Self {
        let off = |condition: &Condition| Standing {
            alarm: Alarm {
                condition: *condition,
                priority: Priority::Low,
                presence: Presence::Off,
                episode: 0,
                activation: Activation::On,
                announced: false,
                sounds: false,
                bedside: false,
                escalated: None,
                ack: None,
                since: Time::ZERO,
                ended: None,
                value: None,
                worst: None,
                limit: None,
                baseline: None,
                delay: Span::ZERO,
                stale: false,
                phase: Phase::NoSession,
                at: Time::ZERO,
            },
            changed: false,
            covered: None,
        };
        Self { standings: Condition::ALL.iter().map(off).collect(), news: Vec::with_capacity(16) }
    }
}

impl Board {
    /// A condition as it stands.
    #[must_use]
    pub fn get(&self, condition: Condition) -> Option<&Alarm> {
        self.standing(condition).map(|standing| &standing.alarm)
    }

    /// Whether it is active.
    #[must_use]
    pub fn is_on(&self, condition: Condition) -> bool {
        self.get(condition).is_some_and(|alarm| alarm.presence == Presence::On)
    }

    /// Whether it is latched, by itself or by the latch of the graver one that it ended under.
    #[must_use]
    pub fn is_latched(&self, condition: Condition) -> bool {
        let latched = |condition| self.get(condition).is_some_and(|alarm| alarm.presence == Presence::Latched);
        latched(condition) || self.standing(condition).and_then(|standing| standing.covered).is_some_and(latched)
    }

    /// Everything that is active or latched, in the order of [`Condition::ALL`].
    pub fn present(&self) -> impl Iterator<Item = &Alarm> {
        self.standings.iter().map(|standing| &standing.alarm).filter(|alarm| alarm.presence != Presence::Off)
    }

    /// It became active: a new episode. Under an accepted higher one of its group it is accepted with it.
    pub fn raise(&mut self, condition: Condition, cause: &Cause, now: Time) {
        let accepted = self.graver(condition, cause.priority, Presence::On).find_map(|above| above.ack.clone());
        self.change(condition, News::Activated, |alarm| {
            alarm.presence = Presence::On;
            alarm.episode = alarm.episode.saturating_add(1);
            alarm.priority = cause.priority;
            alarm.ack = accepted;
            alarm.since = now;
            alarm.ended = None;
            alarm.value = cause.value;
            alarm.worst = cause.value;
            alarm.limit = cause.limit;
            alarm.baseline = cause.baseline;
            alarm.delay = cause.delay;
            alarm.stale = false;
            alarm.phase = cause.phase;
        });
    }

    /// Its priority changed. A rise takes an acceptance back: what was accepted was less grave.
    pub fn set_priority(&mut self, condition: Condition, priority: Priority, phase: Phase) {
        let Some(before) = self.get(condition).map(|alarm| alarm.priority).filter(|before| *before != priority) else {
            return;
        };
        let news = if priority > before { News::Escalated } else { News::Eased };
        self.change(condition, news, |alarm| {
            alarm.priority = priority;
            alarm.phase = phase;
            if news == News::Escalated {
                alarm.ack = None;
            }
        });
    }

    /// It ended. HIGH and MEDIUM physiological ones latch unless they were accepted while active (R2.5).
    /// One that stood under a graver one which is still there leaves the latch to that: one dip of the
    /// saturation is one thing to look at, not five.
    pub fn end(&mut self, condition: Condition, now: Time) {
        let Some(alarm) = self.get(condition).filter(|alarm| alarm.presence == Presence::On) else { return };
        let on = self.graver(condition, alarm.priority, Presence::On).next();
        // An older latch is of another fall.
        let of_this_fall = |above: &&Alarm| above.ended.is_some_and(|ended| ended >= alarm.since);
        let latched = self.graver(condition, alarm.priority, Presence::Latched).find(of_this_fall);
        let under = on.or(latched).map(|above| above.condition);
        let latches = alarm.kind() == AlarmKind::Physiological
            && alarm.priority > Priority::Low
            && alarm.ack.is_none()
            && under.is_none();
        let (news, presence) =
            if latches { (News::Latched, Presence::Latched) } else { (News::Cleared, Presence::Off) };
        self.change(condition, news, |alarm| {
            alarm.presence = presence;
            alarm.ended = Some(now);
        });
        if let Some(standing) = self.standing_mut(condition) {
            standing.covered = under;
        }
    }

    /// It is over, seen or not: the session was closed.
    pub fn drop_all(&mut self, now: Time) {
        for condition in Condition::ALL {
            if self.get(*condition).is_some_and(|alarm| alarm.presence != Presence::Off) {
                self.change(*condition, News::Cleared, |alarm| {
                    alarm.presence = Presence::Off;
                    alarm.ended.get_or_insert(now);
                });
            }
        }
    }

    /// The newest value of its quantity while it is active; `worse` tells whether it is the worst yet.
    pub fn observe(&mut self, condition: Condition, value: Option<Value>, worse: impl FnOnce(Value, Value) -> bool) {
        let Some(standing) = self.standing_mut(condition).filter(|standing| standing.alarm.presence == Presence::On)
        else {
            return;
        };
        let alarm = &mut standing.alarm;
        if alarm.stale != value.is_none() {
            alarm.stale = value.is_none();
            standing.changed = true;
        }
        let Some(value) = value else { return };
        alarm.value = Some(value);
        if alarm.worst.is_none_or(|worst| worse(value, worst)) {
            alarm.worst = Some(value);
            standing.changed = true;
        }
    }

    /// Accepts one episode of an active alarm (R4.1), and with it the lower ones of its group, which stand
    /// in it as reasons (R3.1).
    ///
    /// # Errors
    /// If the alarm is not as the command names it, with what it is now.
    pub fn acknowledge(
        &mut self,
        condition: Condition,
        episode: u32,
        priority: Priority,
        ack: Ack,
    ) -> Result<(), CommandRefusal> {
        self.expect(condition, Presence::On, episode, Some(priority))?;
        for standing in &mut self.standings {
            let alarm = &mut standing.alarm;
            let lower = alarm.presence == Presence::On && (alarm.priority, alarm.condition) < (priority, condition);
            if lower && alarm.condition.group() == condition.group() && condition.group() != Group::Alone {
                alarm.ack.get_or_insert_with(|| ack.clone());
                standing.changed = true;
            }
        }
        self.change(condition, News::Acknowledged, |alarm| alarm.ack = Some(ack));
        Ok(())
    }

    /// A latched alarm has been seen (R2.6).
    ///
    /// # Errors
    /// If it is not latched, or not in that episode.
    pub fn seen(&mut self, condition: Condition, episode: u32) -> Result<(), CommandRefusal> {
        self.expect(condition, Presence::Latched, episode, None)?;
        self.change(condition, News::Cleared, |alarm| alarm.presence = Presence::Off);
        Ok(())
    }

    /// Tells what has changed: first the alarms as they stand, then what happened to them. Within a
    /// group only the highest active one is announced; a higher one is announced anew, a lower one
    /// under it is noted (R3.1, R3.2).
    pub fn tell(&mut self, now: Time, out: &mut impl FnMut(Output)) {
        self.silence_ended(now);
        if self.news.is_empty() && !self.standings.iter().any(|standing| standing.changed) {
            return;
        }
        for index in 0..self.standings.len() {
            let Some(alarm) = self.standings.get(index).map(|standing| &standing.alarm) else { continue };
            let announced = alarm.presence == Presence::Latched || self.heads_its_group(alarm, now);
            let sounds = announced && audible(alarm, now);
            let Some(standing) = self.standings.get_mut(index) else { continue };
            let alarm = &mut standing.alarm;
            if announced && !alarm.announced && alarm.presence == Presence::On {
                let condition = alarm.condition;
                if !self.news.iter().any(|(c, news)| *c == condition && *news == News::Activated) {
                    self.news.push((condition, News::Announced));
                }
            }
            standing.changed |= (alarm.announced, alarm.sounds) != (announced, sounds);
            (alarm.announced, alarm.sounds) = (announced, sounds);
        }
        for standing in self.standings.iter_mut().filter(|standing| standing.changed) {
            standing.changed = false;
            standing.alarm.at = now;
            out(Output::Alarm(standing.alarm.clone()));
        }
        for (condition, news) in self.news.drain(..) {
            let Some(Standing { alarm, .. }) = self.standings.get(condition as usize) else { continue };
            let alarm = alarm.clone();
            let kind = match news {
                News::Activated if alarm.announced => EventKind::Raised(alarm),
                News::Activated => EventKind::Noted(alarm),
                News::Announced => EventKind::Announced(alarm),
                News::Escalated => EventKind::Worsened(alarm),
                News::Eased => EventKind::Eased(alarm),
                News::Acknowledged => EventKind::Acknowledged(alarm),
                News::Latched => EventKind::Latched(alarm),
                News::Cleared => EventKind::Cleared(alarm),
            };
            out(Output::Event(Event { at: now, kind }));
        }
    }

    /// When a sound ends by the passing of time alone.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let sounding = self.standings.iter().map(|standing| &standing.alarm).filter(|alarm| alarm.sounds);
        sounding.filter_map(|alarm| alarm.ended).map(|ended| ended + SOUNDS_AFTER_END).min()
    }

    fn silence_ended(&mut self, now: Time) {
        for standing in &mut self.standings {
            standing.changed |= standing.alarm.sounds && !audible(&standing.alarm, now);
        }
    }

    /// Whether no other active condition stands above it, nor one that has ended and still sounds: the way
    /// back from a deep fall is not a row of new alarms.
    fn heads_its_group(&self, alarm: &Alarm, now: Time) -> bool {
        let condition = alarm.condition;
        if alarm.presence != Presence::On {
            return false;
        }
        match condition.group() {
            Group::Alone => !hidden_by(condition).iter().any(|above| self.hides(*above)),
            _ => {
                let mut latched = self.graver(condition, alarm.priority, Presence::Latched);
                self.graver(condition, alarm.priority, Presence::On).next().is_none()
                    && !latched.any(|above| audible(above, now))
            }
        }
    }

    /// Whether a technical condition explains another one now. Row 25 does while the device finds no pulse; a
    /// failed cuff until somebody has accepted to measure by hand.
    fn hides(&self, condition: Condition) -> bool {
        self.get(condition).filter(|alarm| alarm.presence == Presence::On).is_some_and(|alarm| match condition {
            Condition::NoPulse => !alarm.stale,
            Condition::CuffFailed => alarm.ack.is_none(),
            _ => true,
        })
    }

    /// The graver conditions of its group that have that presence.
    fn graver(&self, condition: Condition, priority: Priority, presence: Presence) -> impl Iterator<Item = &Alarm> {
        self.present().filter(move |other| {
            other.presence == presence
                && condition.group() != Group::Alone
                && other.condition.group() == condition.group()
                && (other.priority, other.condition) > (priority, condition)
        })
    }

    fn expect(
        &self,
        condition: Condition,
        presence: Presence,
        episode: u32,
        priority: Option<Priority>,
    ) -> Result<(), CommandRefusal> {
        let Some(alarm) = self.get(condition) else {
            return Err(CommandRefusal::AlarmChanged { episode: 0, priority: None });
        };
        let same = alarm.presence == presence
            && alarm.episode == episode
            && priority.is_none_or(|priority| priority == alarm.priority);
        if same {
            return Ok(());
        }
        let priority = (alarm.presence == Presence::On).then_some(alarm.priority);
        Err(CommandRefusal::AlarmChanged { episode: alarm.episode, priority })
    }

    fn change(&mut self, condition: Condition, news: News, change: impl FnOnce(&mut Alarm)) {
        if let Some(standing) = self.standing_mut(condition) {
            change(&mut standing.alarm);
            standing.changed = true;
            self.news.push((condition, news));
        }
    }

    fn standing(&self, condition: Condition) -> Option<&Standing> {
        self.standings.get(condition as usize)
    }

    fn standing_mut(&mut self, condition: Condition) -> Option<&mut Standing> {
        self.standings.get_mut(condition as usize)
    }
}

/// Technical conditions that another one explains (R3.3; row 25 says more than "no SpO2").
const fn hidden_by(condition: Condition) -> &'static [Condition] {
    match condition {
        Condition::Spo2Unavailable => &[Condition::AllLost, Condition::NoPulse],
        Condition::PressureOverdue => &[Condition::AllLost, Condition::CuffFailed],
        Condition::CuffLost | Condition::CuffFailed => &[Condition::AllLost],
        _ => &[],
    }
}

fn audible(alarm: &Alarm, now: Time) -> bool {
    let present = match (alarm.presence, alarm.ended) {
        (Presence::On, _) => true,
        (Presence::Latched, Some(ended)) => alarm.priority == Priority::High && now.since(ended) < SOUNDS_AFTER_END,
        _ => false,
    };
    present && alarm.priority > Priority::Low && alarm.ack.is_none()
}
