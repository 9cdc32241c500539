//! The board of a bed: every alarm condition as it stands, and what of it is announced (R2.5, R3).
//!
//! What persons do about it, and what happens if they do not, stands in `attention` (R4).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::alarm::{Activation, Alarm, AlarmKind, Condition, Group, Limit, Presence, Priority, Value};
use crate::monitor::attention::{Off, Pause};
use crate::monitor::input::CommandRefusal;
use crate::monitor::output::{Event, EventKind, Output, Phase};
use crate::monitor::preset::AttentionTerms;
use crate::time::{Span, Time};
use crate::vitals::Absent;

/// R2.5: an unacknowledged HIGH sounds for this long after it has ended.
pub(super) const SOUNDS_AFTER_END: Span = Span::secs(30);

/// Every alarm condition of a bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// One for each condition, in the order of [`Condition::ALL`].
    pub(super) standings: Vec<Standing>,
    /// What has happened and has not been told.
    pub(super) news: Vec<(Condition, News)>,
    /// The sound of the bed is paused (R4.4).
    pub(super) pause: Option<Pause>,
    /// When it was last said that something is off (R4.4).
    pub(super) reminded: Option<Time>,
    /// When a HIGH that counts for the measured items was last there (R9).
    pub(super) last_high: Option<Time>,
    /// No reading of a cuff is waited for (R4.2).
    pub(super) pressures_by_time: bool,
    /// Something changed that no standing tells of.
    pub(super) stirred: bool,
    /// When something happens by the passing of time alone: worked out when something has changed, for it is
    /// asked for at every sample.
    pub(super) next: Option<Time>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) alarm: Alarm,
    /// It differs from what was last told.
    pub(super) changed: bool,
    /// It ended under this graver one, whose latch stands for its own (R2.6).
    pub(super) covered: Option<Condition>,
    /// Its priority by its row; that of the alarm is higher if nobody took it for long (R4.3).
    pub(super) base: Priority,
    /// Since when it has called for somebody, in its present priority.
    pub(super) calling: Option<Time>,
    /// It is switched off (R4.4).
    pub(super) off: Option<Off>,
    /// Its acceptance is of before a restart, and no fresh value has borne it out yet (R4.5).
    pub(super) unproven: bool,
}

/// What happened to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum News {
    Activated,
    Announced,
    Worsened,
    Eased,
    Escalated,
    Reannounced,
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

impl Cause {
    /// A cause without numbers.
    #[must_use]
    pub const fn bare(priority: Priority, phase: Phase) -> Self {
        Self { priority, value: None, limit: None, baseline: None, delay: Span::ZERO, phase }
    }
}

impl Default for Board {
    /// Nothing present.
    fn default() -> Self {
        let off = |condition: &Condition| Standing {
            alarm: Alarm {
                condition: *condition,
                priority: Priority::Low,
                presence: Presence::Off,
                activation: Activation::On,
                episode: 0,
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
            base: Priority::Low,
            calling: None,
            off: None,
            unproven: false,
        };
        Self {
            standings: Condition::ALL.iter().map(off).collect(),
            news: Vec::with_capacity(16),
            pause: None,
            reminded: None,
            last_high: None,
            pressures_by_time: false,
            stirred: false,
            next: None,
        }
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
        // Several signs together are different dangers: one that is accepted says nothing of another.
        let with_it = condition.group() != Group::Combined;
        let graver = self.graver(condition, cause.priority, Presence::On).filter(|_| with_it);
        let accepted = graver.filter_map(|above| above.ack.clone()).next();
        if let Some(standing) = self.standing_mut(condition) {
            standing.base = cause.priority;
            standing.calling = None;
            standing.unproven = false;
        }
        self.change(condition, News::Activated, |alarm| {
            alarm.presence = Presence::On;
            alarm.episode = alarm.episode.saturating_add(1);
            alarm.priority = cause.priority;
            alarm.escalated = None;
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

    /// The priority by its row changed. A rise takes an acceptance back: what was accepted was less grave.
    pub fn set_priority(&mut self, condition: Condition, base: Priority, phase: Phase) {
        let Some(standing) = self.standing_mut(condition) else { return };
        // What nobody took for long stays HIGH.
        let neglected = standing.alarm.priority > standing.base;
        standing.base = base;
        let priority = if neglected { base.max(standing.alarm.priority) } else { base };
        self.bring_to(condition, priority, phase);
    }

    pub(super) fn bring_to(&mut self, condition: Condition, priority: Priority, phase: Phase) {
        let Some(standing) = self.standing_mut(condition).filter(|standing| standing.alarm.priority != priority) else {
            return;
        };
        let worse = priority > standing.alarm.priority;
        standing.calling = None;
        self.change(condition, if worse { News::Worsened } else { News::Eased }, |alarm| {
            alarm.priority = priority;
            alarm.phase = phase;
            if worse {
                alarm.ack = None;
                alarm.escalated = None;
            }
        });
    }

    /// Its priority by its row.
    #[must_use]
    pub fn base(&self, condition: Condition) -> Option<Priority> {
        self.standing(condition)
            .filter(|standing| standing.alarm.presence == Presence::On)
            .map(|standing| standing.base)
    }

    /// When a HIGH that counts for the measured items was last there (R9).
    #[must_use]
    pub const fn last_high(&self) -> Option<Time> {
        self.last_high
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
        if alarm.priority == Priority::High && counts_for_items(condition) {
            self.last_high = Some(now);
        }
        let (news, presence) =
            if latches { (News::Latched, Presence::Latched) } else { (News::Cleared, Presence::Off) };
        self.change(condition, news, |alarm| {
            alarm.presence = presence;
            alarm.ended = Some(now);
            alarm.escalated = None;
        });
        if let Some(standing) = self.standing_mut(condition) {
            standing.covered = under;
            standing.calling = None;
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
        for standing in &mut self.standings {
            standing.off = None;
            standing.calling = None;
            standing.covered = None;
        }
        self.pause = None;
        self.reminded = None;
        self.last_high = None;
        self.stirred = true;
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
        // Row 25 explains the want of SpO2 only while no pulse is found: what stood behind it is told at once.
        let no_pulse = |value| value == Some(Value::Absent(Absent::NoPulse));
        standing.changed |= no_pulse(alarm.value) != no_pulse(Some(value));
        alarm.value = Some(value);
        if alarm.worst.is_none_or(|worst| worse(value, worst)) {
            alarm.worst = Some(value);
            standing.changed = true;
        }
    }

    /// R10.4: an alarm of an earlier life of the box that only others still know of. A grave one of the patient is
    /// latched, for nobody can say that it was seen; whether it goes on, fresh values tell. Whether it is latched now.
    pub(super) fn adopt(&mut self, condition: Condition, episode: u32, priority: Priority, now: Time) -> bool {
        let Some(alarm) = self.standing_mut(condition).map(|standing| &mut standing.alarm) else { return false };
        // An episode that this board knows is over, or goes on as it says.
        if episode <= alarm.episode {
            return false;
        }
        if alarm.presence != Presence::Off {
            return false;
        }
        alarm.episode = episode;
        let grave = alarm.kind() == AlarmKind::Physiological && priority > Priority::Low;
        if grave {
            self.change(condition, News::Latched, |alarm| {
                alarm.presence = Presence::Latched;
                alarm.priority = priority;
                alarm.escalated = None;
                alarm.ack = None;
                (alarm.since, alarm.ended) = (now, Some(now));
                (alarm.value, alarm.worst, alarm.limit, alarm.baseline) = (None, None, None, None);
                alarm.stale = true;
            });
        }
        grave
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

    /// How many alarms are latched and not seen.
    #[must_use]
    pub fn latched(&self) -> usize {
        self.present().filter(|alarm| alarm.presence == Presence::Latched).count()
    }

    /// Tells what has changed: first the alarms as they stand, then what happened to them. Within a
    /// group only the highest active one is announced; a higher one is announced anew, a lower one
    /// under it is noted (R3.1, R3.2).
    pub fn tell(&mut self, now: Time, terms: &AttentionTerms, out: &mut impl FnMut(Output)) {
        let due = self.next.is_some_and(|at| at <= now);
        if !due && !self.stirred && self.news.is_empty() && !self.standings.iter().any(|standing| standing.changed) {
            return;
        }
        self.stirred = false;
        self.announce(now);
        // What is due by time may change who is announced.
        while self.attend(now, terms) {
            self.announce(now);
        }
        let resumed = self.break_pause(now);
        for index in 0..self.standings.len() {
            let Some(condition) = self.standings.get(index).map(|standing| standing.alarm.condition) else { continue };
            let (activation, sounds) = (self.activation(condition), self.sounds(condition, now));
            let bedside = sounds && self.calls_the_bedside(condition, now, terms);
            let Some(Standing { alarm, changed, .. }) = self.standings.get_mut(index) else { continue };
            *changed |= (alarm.activation, alarm.sounds, alarm.bedside) != (activation, sounds, bedside);
            (alarm.activation, alarm.sounds, alarm.bedside) = (activation, sounds, bedside);
        }
        for standing in self.standings.iter_mut().filter(|standing| standing.changed) {
            standing.changed = false;
            standing.alarm.at = now;
            out(Output::Alarm(standing.alarm.clone()));
        }
        for (condition, news) in self.news.drain(..) {
            let Some(Standing { alarm, .. }) = self.standings.get(condition as usize) else { continue };
            out(Output::Event(Event { at: now, kind: told(news, alarm.clone()) }));
        }
        if resumed {
            out(Output::Event(Event { at: now, kind: EventKind::AudioResumed }));
        }
        if let Some(off) = self.remind(now, terms) {
            out(Output::Event(Event { at: now, kind: EventKind::Reminder { off } }));
        }
        self.next = self.next_change(now, terms);
    }

    /// When something happens by the passing of time alone.
    #[must_use]
    pub const fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// Works out who heads each group.
    fn announce(&mut self, now: Time) {
        for index in 0..self.standings.len() {
            let Some(standing) = self.standings.get(index) else { continue };
            let alarm = &standing.alarm;
            let announced =
                standing.off.is_none() && (alarm.presence == Presence::Latched || self.heads_its_group(alarm, now));
            let Some(standing) = self.standings.get_mut(index) else { continue };
            let alarm = &mut standing.alarm;
            if announced && !alarm.announced && alarm.presence == Presence::On {
                let condition = alarm.condition;
                if !self.news.iter().any(|(c, news)| *c == condition && *news == News::Activated) {
                    self.news.push((condition, News::Announced));
                }
            }
            standing.changed |= alarm.announced != announced;
            alarm.announced = announced;
            let calls = alarm.presence == Presence::On && alarm.ack.is_none() && standing.off.is_none();
            match (calls, announced) {
                (true, true) => {
                    standing.calling.get_or_insert(now);
                }
                (true, false) => {}
                (false, _) => standing.calling = None,
            }
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
        let standing = self.standing(condition).filter(|standing| standing.off.is_none());
        let on = standing.map(|standing| &standing.alarm).filter(|alarm| alarm.presence == Presence::On);
        on.is_some_and(|alarm| match condition {
            Condition::NoPulse => !alarm.stale && alarm.value == Some(Value::Absent(Absent::NoPulse)),
            Condition::CuffFailed => alarm.ack.is_none(),
            _ => true,
        })
    }

    /// The graver conditions of its group that have that presence and are not switched off.
    pub(super) fn graver(
        &self,
        condition: Condition,
        priority: Priority,
        presence: Presence,
    ) -> impl Iterator<Item = &Alarm> {
        let listened_to = self.standings.iter().filter(|standing| standing.off.is_none());
        listened_to.map(|standing| &standing.alarm).filter(move |other| {
            other.presence == presence
                && condition.group() != Group::Alone
                && other.condition.group() == condition.group()
                && (other.priority, other.condition) > (priority, condition)
        })
    }

    pub(super) fn expect(
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

    pub(super) fn change(&mut self, condition: Condition, news: News, change: impl FnOnce(&mut Alarm)) {
        if let Some(standing) = self.standing_mut(condition) {
            change(&mut standing.alarm);
            standing.changed = true;
            self.news.push((condition, news));
        }
    }

    pub(super) fn standing(&self, condition: Condition) -> Option<&Standing> {
        self.standings.get(condition as usize)
    }

    pub(super) fn standing_mut(&mut self, condition: Condition) -> Option<&mut Standing> {
        self.standings.get_mut(condition as usize)
    }
}

/// R9, item 6: alarms that stand against "measured items met" while they are there.
pub(super) const fn counts_for_items(condition: Condition) -> bool {
    use Condition as C;
    match condition.kind() {
        AlarmKind::Physiological => {
            !matches!(condition, C::PressureElevated | C::PressureHigh | C::PressureRise | C::MeanRise)
        }
        AlarmKind::Technical => matches!(
            condition,
            C::Spo2Unavailable | C::AllLost | C::SourceStuck | C::PressureOverdue | C::CuffLost | C::CuffFailed
        ),
    }
}

/// Technical conditions that another one explains (R3.3; row 25 says more than "no SpO2").
const fn hidden_by(condition: Condition) -> &'static [Condition] {
    match condition {
        Condition::Spo2Unavailable => &[Condition::AllLost, Condition::NoPulse],
        Condition::PressureOverdue => &[Condition::AllLost, Condition::CuffFailed],
        Condition::CuffLost | Condition::CuffFailed => &[Condition::AllLost],
        Condition::NoStation => &[Condition::BrokerLost],
        _ => &[],
    }
}

/// Whether a condition would be heard if nothing silenced the bed.
pub(super) fn audible(alarm: &Alarm, now: Time) -> bool {
    let present = match (alarm.presence, alarm.ended) {
        (Presence::On, _) => true,
        (Presence::Latched, Some(ended)) => alarm.priority == Priority::High && now.since(ended) < SOUNDS_AFTER_END,
        _ => false,
    };
    present && alarm.priority > Priority::Low && alarm.ack.is_none()
}

fn told(news: News, alarm: Alarm) -> EventKind {
    match news {
        News::Activated if alarm.announced => EventKind::Raised(alarm),
        News::Activated => EventKind::Noted(alarm),
        News::Announced => EventKind::Announced(alarm),
        News::Worsened => EventKind::Worsened(alarm),
        News::Eased => EventKind::Eased(alarm),
        News::Escalated => EventKind::Escalated(alarm),
        News::Reannounced => EventKind::Reannounced(alarm),
        News::Acknowledged => EventKind::Acknowledged(alarm),
        News::Latched => EventKind::Latched(alarm),
        News::Cleared => EventKind::Cleared(alarm),
    }
}
