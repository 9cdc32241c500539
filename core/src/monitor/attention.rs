//! What persons do about alarms, and what happens if they do not (R4).
//!
//! An acceptance mutes one episode and runs out; what nobody takes calls ever louder: the sounder at the
//! bedside, all stations, a higher priority. The sound of a bed can be paused, a condition be switched off.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::monitor::alarm::{Ack, Activation, Alarm, Condition, Group, Presence, Priority};
use crate::monitor::announce::{Board, News, SOUNDS_AFTER_END, audible};
use crate::monitor::input::{CommandRefusal, Named, OffReason};
use crate::monitor::output::Phase;
use crate::monitor::preset::AttentionTerms;
use crate::time::Time;

/// The sound of a bed is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub since: Time,
    /// Until when.
    pub until: Time,
}

/// A condition is switched off until the session ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: OffReason,
    /// Since when.
    pub since: Time,
}

impl Board {
    /// Accepts one episode of an active alarm (R4.1), and with it the lower ones of its group, which stand
    /// in it as reasons (R3.1).
    ///
    /// # Errors
    /// If the alarm is not as the command names it, with what it is now; if somebody else has accepted it.
    pub fn acknowledge(&mut self, named: Named, ack: &Ack) -> Result<(), CommandRefusal> {
        let Named { condition, priority, .. } = named;
        let owner = self.named(named)?.ack.as_ref();
        if owner.is_some_and(|owner| owner.actor != ack.actor) {
            return Err(CommandRefusal::Taken);
        }
        for standing in &mut self.standings {
            let alarm = &mut standing.alarm;
            let lower = alarm.presence == Presence::On && (alarm.priority, alarm.condition) < (priority, condition);
            if lower && shares_acceptance(condition, alarm.condition) {
                alarm.ack = Some(ack.clone());
                standing.calling = None;
                standing.changed = true;
            }
        }
        self.accept(condition, ack);
        Ok(())
    }

    /// It is over by the word of a person, who need not see it again.
    pub(super) fn settle_for(&mut self, condition: Condition, ack: &Ack) {
        if let Some(standing) = self.standing_mut(condition) {
            standing.alarm.ack = Some(ack.clone());
        }
    }

    fn accept(&mut self, condition: Condition, ack: &Ack) {
        if let Some(standing) = self.standing_mut(condition) {
            standing.calling = None;
            standing.unproven = false;
        }
        self.change(condition, News::Acknowledged, |alarm| {
            alarm.ack = Some(ack.clone());
            alarm.escalated = None;
        });
    }

    /// Takes an acceptance back: it calls again, here first.
    ///
    /// # Errors
    /// If the alarm is not as the command names it, or nobody has accepted it.
    pub fn withdraw(&mut self, named: Named) -> Result<(), CommandRefusal> {
        let alarm = self.named(named)?;
        if alarm.ack.is_none() {
            return Err(CommandRefusal::NotAsked);
        }
        self.call_again(named.condition);
        Ok(())
    }

    /// *Can't go*: it is announced to all others at once, and nobody has it.
    ///
    /// # Errors
    /// If the alarm is not as the command names it.
    pub fn decline(&mut self, named: Named, now: Time) -> Result<(), CommandRefusal> {
        self.named(named)?;
        self.reannounce(named.condition, now);
        Ok(())
    }

    fn named(&self, named: Named) -> Result<&Alarm, CommandRefusal> {
        let Named { condition, episode, priority } = named;
        self.expect(condition, Presence::On, episode, Some(priority))?;
        self.get(condition).ok_or(CommandRefusal::NotAsked)
    }

    /// R4.2: a determination violates again, or is overdue: an accepted pressure is announced again.
    pub fn violates_again(&mut self, condition: Condition, now: Time) {
        let accepted = self.get(condition).is_some_and(|alarm| alarm.presence == Presence::On && alarm.ack.is_some());
        if accepted && condition.is_pressure() {
            self.reannounce(condition, now);
        }
    }

    /// R4.5: the first fresh value after a restart does not bear out what was accepted before it.
    pub fn prove(&mut self, condition: Condition, violates: bool, now: Time) {
        let Some(standing) = self.standing_mut(condition).filter(|standing| standing.unproven) else { return };
        standing.unproven = false;
        if !violates {
            self.reannounce(condition, now);
        }
    }

    /// It calls again, at all stations, and breaks a pause.
    pub(super) fn reannounce(&mut self, condition: Condition, now: Time) {
        let audible = self.get(condition).is_some_and(|alarm| alarm.priority > Priority::Low && alarm.announced);
        self.call_again(condition);
        if audible {
            self.news.push((condition, News::Reannounced));
            if let Some(standing) = self.standing_mut(condition) {
                standing.alarm.escalated = Some(now);
            }
        }
    }

    /// Nobody has it, nor what was accepted with it.
    fn call_again(&mut self, condition: Condition) {
        let accepted = self.get(condition).and_then(|alarm| alarm.ack.clone());
        for standing in self.standings.iter_mut().filter(|_| accepted.is_some()) {
            let alarm = &mut standing.alarm;
            if shares_acceptance(condition, alarm.condition) && alarm.ack == accepted {
                alarm.ack = None;
                standing.calling = None;
                standing.changed = true;
            }
        }
        if let Some(standing) = self.standing_mut(condition) {
            standing.alarm.ack = None;
            standing.calling = None;
            standing.unproven = false;
            standing.changed = true;
        }
    }

    fn escalate(&mut self, condition: Condition, now: Time) {
        self.change(condition, News::Escalated, |alarm| alarm.escalated = Some(now));
    }

    // The sound of the bed.

    /// Pauses the sound of the bed (R4.4).
    pub fn pause(&mut self, now: Time, terms: &AttentionTerms) {
        self.pause = Some(Pause { since: now, until: now + terms.pause });
        self.touch_sounding();
    }

    /// The sound of the bed is on again.
    ///
    /// # Errors
    /// If it is.
    pub fn resume_audio(&mut self) -> Result<(), CommandRefusal> {
        self.pause.take().ok_or(CommandRefusal::NotAsked)?;
        self.touch_sounding();
        Ok(())
    }

    /// Until when the sound of the bed is paused.
    #[must_use]
    pub fn paused_until(&self) -> Option<Time> {
        self.pause.map(|pause| pause.until)
    }

    /// Every present alarm is told anew: what is heard of it may have changed.
    fn touch_sounding(&mut self) {
        self.stirred = true;
        for standing in self.standings.iter_mut().filter(|standing| standing.alarm.presence != Presence::Off) {
            standing.changed = true;
        }
    }

    /// Ends the pause if its time is up, or if something new is announced that would be heard. Returns whether it did.
    pub(super) fn break_pause(&mut self, now: Time) -> bool {
        let Some(pause) = self.pause else { return false };
        let new = self.news.iter().any(|(condition, news)| {
            let heard = self.get(*condition).filter(|alarm| alarm.announced && audible(alarm, now));
            heard.is_some_and(|alarm| match news {
                News::Activated | News::Worsened | News::Reannounced => true,
                News::Announced => alarm.since >= pause.since,
                _ => false,
            })
        });
        let over = new || pause.until <= now;
        if over {
            self.pause = None;
            self.touch_sounding();
        }
        over
    }

    /// Switches a condition off until the session ends (R4.4).
    ///
    /// # Errors
    /// If this one is never switched off, or not in this phase.
    pub fn switch_off(&mut self, condition: Condition, off: Off, phase: Phase) -> Result<(), CommandRefusal> {
        if !may_be_off(condition, phase) {
            return Err(CommandRefusal::NeverOff);
        }
        self.reminded.get_or_insert(off.since);
        if let Some(standing) = self.standing_mut(condition) {
            standing.off = Some(off);
            standing.calling = None;
            standing.changed = true;
        }
        self.touch_sounding();
        Ok(())
    }

    /// Switches it on again.
    ///
    /// # Errors
    /// If it is.
    pub fn switch_on(&mut self, condition: Condition) -> Result<(), CommandRefusal> {
        let standing = self.standing_mut(condition).ok_or(CommandRefusal::NotAsked)?;
        standing.off.take().ok_or(CommandRefusal::NotAsked)?;
        standing.changed = true;
        self.touch_sounding();
        if self.switched_off().next().is_none() {
            self.reminded = None;
        }
        Ok(())
    }

    /// What is switched off.
    pub fn switched_off(&self) -> impl Iterator<Item = (Condition, &Off)> {
        self.standings.iter().filter_map(|standing| Some((standing.alarm.condition, standing.off.as_ref()?)))
    }

    /// What may not be off in this phase is on again.
    pub fn switch_on_for(&mut self, phase: Phase) {
        for condition in Condition::ALL.iter().filter(|condition| !may_be_off(**condition, phase)) {
            // An error says that it was on.
            let _ = self.switch_on(*condition);
        }
    }

    pub(super) fn activation(&self, condition: Condition) -> Activation {
        let off = self.standing(condition).is_some_and(|standing| standing.off.is_some());
        match (off, self.pause) {
            (true, _) => Activation::Off,
            (false, Some(_)) => Activation::Paused,
            (false, None) => Activation::On,
        }
    }

    pub(super) fn sounds(&self, condition: Condition, now: Time) -> bool {
        self.activation(condition) == Activation::On
            && self.get(condition).is_some_and(|alarm| alarm.announced && audible(alarm, now))
    }

    /// R4.4: how many are off, each time that is to be said.
    pub(super) fn remind(&mut self, now: Time, terms: &AttentionTerms) -> Option<u8> {
        self.reminded.filter(|at| *at + terms.reminder <= now)?;
        self.reminded = Some(now);
        u8::try_from(self.switched_off().count()).ok()
    }

    // What is due by the passing of time alone.

    /// Whether an accepted pressure waits for no reading: there is no cuff that could be overdue (R4.2).
    pub(super) fn count_pressures_by_time(&mut self, by_time: bool) {
        self.stirred |= self.pressures_by_time != by_time;
        self.pressures_by_time = by_time;
    }

    /// Does what is due; returns whether anything was.
    pub(super) fn attend(&mut self, now: Time, terms: &AttentionTerms) -> bool {
        let mut done = false;
        for condition in Condition::ALL {
            let Some(due) = self.due(*condition, terms).filter(|due| due.at <= now) else { continue };
            done = true;
            match due.what {
                What::Again => self.reannounce(*condition, now),
                What::Stations => self.escalate(*condition, now),
                What::Neglected => {
                    let phase = self.get(*condition).map_or(Phase::NoSession, |alarm| alarm.phase);
                    self.bring_to(*condition, Priority::High, phase);
                }
            }
        }
        done
    }

    /// The next thing that happens to a condition if nobody does anything.
    fn due(&self, condition: Condition, terms: &AttentionTerms) -> Option<Due> {
        let standing = self.standing(condition)?;
        let alarm = &standing.alarm;
        if alarm.presence != Presence::On || alarm.priority == Priority::Low || standing.off.is_some() {
            return None;
        }
        let high = alarm.priority == Priority::High;
        if let Some(ack) = &alarm.ack {
            let after = if high { terms.again_high } else { terms.again_medium };
            let by_time = !condition.is_pressure() || self.pressures_by_time;
            return by_time.then_some(Due { at: ack.at + after, what: What::Again });
        }
        let called = self.called_since(condition)?;
        let stations = alarm
            .escalated
            .is_none()
            .then(|| Due { at: called + if high { terms.all_high } else { terms.all_medium }, what: What::Stations });
        let neglected = (!high && may_be_neglected(condition))
            .then(|| Due { at: standing.calling.unwrap_or(called) + terms.neglected, what: What::Neglected });
        [stations, neglected].into_iter().flatten().min_by_key(|due| due.at)
    }

    /// Since when the group of an announced condition has called for somebody in this priority: a deeper
    /// fall does not start the count anew.
    fn called_since(&self, condition: Condition) -> Option<Time> {
        let alarm = self.get(condition).filter(|alarm| alarm.announced && alarm.ack.is_none())?;
        let same = |other: &Alarm| {
            other.condition == condition
                || (other.condition.group() == condition.group()
                    && condition.group() != Group::Alone
                    && other.priority == alarm.priority
                    && other.presence == Presence::On
                    && other.ack.is_none())
        };
        let group = self.standings.iter().filter(|standing| same(&standing.alarm) && standing.off.is_none());
        group.filter_map(|standing| standing.calling).min()
    }

    /// R4.3: whether the sounder at the bedside is to be heard.
    pub(super) fn calls_the_bedside(&self, condition: Condition, now: Time, terms: &AttentionTerms) -> bool {
        let high = self.get(condition).is_some_and(|alarm| alarm.priority == Priority::High);
        at_once_at_the_bedside(condition)
            || high && self.called_since(condition).is_some_and(|since| since + terms.bedside <= now)
    }

    /// When something happens by the passing of time alone.
    pub(super) fn next_change(&self, now: Time, terms: &AttentionTerms) -> Option<Time> {
        let mut next: Option<Time> = self.pause.map(|pause| pause.until);
        let mut at = |time: Option<Time>| next = next.into_iter().chain(time).min();
        at(self.reminded.map(|reminded| reminded + terms.reminder));
        for standing in self.standings.iter().filter(|standing| standing.alarm.presence != Presence::Off) {
            let alarm = &standing.alarm;
            at(alarm.ended.map(|ended| ended + SOUNDS_AFTER_END).filter(|_| audible(alarm, now)));
            at(self.due(alarm.condition, terms).map(|due| due.at));
            let waits = alarm.sounds && !alarm.bedside && alarm.priority == Priority::High;
            at(self.called_since(alarm.condition).filter(|_| waits).map(|since| since + terms.bedside));
        }
        next
    }

    // A restart.

    /// After a restart pause and off are gone (R4.5); returns how many there were. Acceptances stay until a
    /// fresh value speaks against them, or `forget` takes them back.
    pub fn restart(&mut self, forget: bool, now: Time) -> u8 {
        let lifted = self.switched_off().count() + usize::from(self.pause.is_some());
        self.pause = None;
        self.reminded = None;
        self.stirred = true;
        for standing in &mut self.standings {
            standing.off = None;
            if standing.alarm.presence != Presence::Off {
                standing.changed = true;
                standing.alarm.stale = true;
                standing.alarm.at = now;
            }
            if forget {
                standing.alarm.ack = None;
                standing.calling = None;
            }
            standing.unproven = standing.alarm.ack.is_some();
        }
        u8::try_from(lifted).unwrap_or(u8::MAX)
    }
}

/// R3.1: what is accepted with the head of a group. Several signs together are different dangers.
fn shares_acceptance(one: Condition, other: Condition) -> bool {
    one != other && one.group() == other.group() && !matches!(one.group(), Group::Alone | Group::Combined)
}

/// Something that happens if nobody does anything.
struct Due {
    at: Time,
    what: What,
}

enum What {
    Again,
    Stations,
    Neglected,
}

/// R4.4: whether a condition may be switched off in this phase.
#[must_use]
pub const fn may_be_off(condition: Condition, phase: Phase) -> bool {
    use Condition as C;
    match condition {
        C::Spo2Critical | C::Spo2VeryLow | C::Spo2Low | C::NoPulse | C::Help | C::Unresponsive => false,
        C::Spo2Unavailable | C::AllLost => !matches!(phase, Phase::Onset | Phase::Window),
        _ => true,
    }
}

/// R4.3: a MEDIUM that becomes HIGH if nobody takes it.
const fn may_be_neglected(condition: Condition) -> bool {
    use Condition as C;
    !condition.is_prompt()
        && !matches!(condition, C::PressureElevated | C::PressureHigh | C::PressureRise | C::MeanRise | C::ShockIndex)
}

/// R4.3, R10.1: conditions that the bedside hears at once.
const fn at_once_at_the_bedside(condition: Condition) -> bool {
    use Condition as C;
    matches!(condition, C::Spo2Critical | C::NoPulse | C::Help | C::BrokerLost | C::NoStation)
}
