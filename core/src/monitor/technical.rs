//! Technical conditions: what is wrong with the equipment, not with the patient.

use crate::monitor::announce::Cause;
use crate::monitor::bed::Bed;
use crate::monitor::input::{BoxFault, Link};
use crate::monitor::output::{Condition, Phase, Priority, Value};
use crate::monitor::rows::absence;
use crate::time::{Span, Time};

/// R10.1: without a broker, or without a station, for this long, somebody at the box must know.
const UNHEARD_AFTER: Span = Span::secs(10);
/// A blood-pressure monitor that is not connected is told after this.
const CUFF_LOST_AFTER: Span = Span::secs(10);

impl Bed {
    /// Whether the absence of data is looked at now: not in an empty room, nor while the patient is away (R5.6).
    pub(super) fn watches_signal(&self) -> bool {
        let open = self.state.session.phase() != Phase::NoSession;
        (open || self.state.room.armed()) && !self.on_standby()
    }

    /// R5.6: the patient is disconnected for a while.
    pub(super) fn on_standby(&self) -> bool {
        self.standby_until().is_some_and(|until| self.state.now < until)
    }

    /// When the priority of missing data changes (R6).
    pub(super) fn unavailable_deadline(&self) -> Option<Span> {
        let state = &self.state;
        let phase = state.session.watched_as();
        let terms = &self.preset.unavailable;
        state.unavailable.deadline(phase, self.third_baseline(), terms, state.now)
    }

    pub(super) fn third_baseline(&self) -> bool {
        self.state.session.baseline().count() >= 3
    }

    /// When a technical condition is due.
    pub(super) fn technical_deadline(&self) -> Option<Time> {
        let faults = self.state.faults.iter().flatten().map(|since| *since + UNHEARD_AFTER);
        let cuff_lost = self.cuff_way().and_then(|way| way.lost_since).map(|since| since + CUFF_LOST_AFTER);
        faults.chain(cuff_lost).chain(self.limits_deadline()).filter(|at| *at > self.state.now).min()
    }

    /// The conditions of the equipment (R1.7, R3.3, R6, R10).
    pub(super) fn settle_technical(&mut self) {
        let phase = self.state.session.watched_as();
        let now = self.state.now;
        let open = self.state.session.phase() != Phase::NoSession;
        let connected = open && !self.on_standby();
        let absence = absence(&self.state.oximeter);
        let third_baseline = self.third_baseline();
        self.state.unavailable.settle(phase, third_baseline, &self.preset.unavailable, now);
        let watched = self.watches_signal() && self.state.oximeter.spo2().expected();
        let unavailable = self.state.unavailable.priority().filter(|_| watched);
        let oximeter = &self.state.oximeter;
        let lost = oximeter.spo2().held().good().is_none() || oximeter.pulse().held().value().is_none();
        let why = lost.then_some(Value::Absent(absence));
        self.hold(Condition::Spo2Unavailable, unavailable, why, self.state.unavailable.missing());

        let all_lost = self.devices.len() > 1 && self.state.links.iter().all(|way| way.lost_since.is_some());
        let why = self.state.links.iter().find_map(|way| match way.link {
            Some(Link::Lost(reason)) => Some(Value::Lost(reason)),
            _ => None,
        });
        self.hold(Condition::AllLost, unavailable.filter(|_| all_lost), why, self.state.unavailable.missing());

        let stuck = connected && self.state.oximeter.stuck();
        self.hold(Condition::SourceStuck, stuck.then_some(Priority::Medium), None, Span::secs(10));

        let gone = |since: Option<Time>, after| since.is_some_and(|since| now.since(since) >= after);
        let cuff_way = self.cuff_way().copied();
        let cuff_lost = connected && gone(cuff_way.and_then(|way| way.lost_since), CUFF_LOST_AFTER);
        let why = match cuff_way.and_then(|way| way.link) {
            Some(Link::Lost(reason)) => Some(Value::Lost(reason)),
            _ => None,
        };
        self.hold(Condition::CuffLost, cuff_lost.then_some(Priority::Low), why, CUFF_LOST_AFTER);

        let own_alarm_off = open && self.state.links.iter().any(|way| way.own_alarm_off);
        self.hold(Condition::MonitorAlarmOff, own_alarm_off.then_some(Priority::Low), None, Span::ZERO);
        self.settle_faults(open);
    }

    /// R10.1, R10.4: what is wrong with the box, or with what it depends on. Without a session nobody is told.
    fn settle_faults(&mut self, open: bool) {
        for fault in BoxFault::ALL {
            let (condition, after) = match fault {
                BoxFault::Broker => (Condition::BrokerLost, UNHEARD_AFTER),
                BoxFault::Station => (Condition::NoStation, UNHEARD_AFTER),
                BoxFault::BedClaimed => (Condition::BedClaimedTwice, Span::ZERO),
                BoxFault::Disk => (Condition::DiskFault, Span::ZERO),
            };
            let since = self.state.faults.get(fault as usize).copied().flatten();
            let present = open && since.is_some_and(|since| self.state.now.since(since) >= after);
            self.hold(condition, present.then_some(Priority::Medium), None, after);
        }
    }

    /// Brings a technical condition to `priority`, or ends it.
    pub(super) fn hold(&mut self, condition: Condition, priority: Option<Priority>, value: Option<Value>, delay: Span) {
        let (now, phase) = (self.state.now, self.state.session.phase());
        let board = &mut self.state.board;
        match (priority, board.is_on(condition)) {
            (Some(priority), false) => {
                board.raise(condition, &Cause { value, delay, ..Cause::bare(priority, phase) }, now);
            }
            (Some(priority), true) => {
                board.set_priority(condition, priority, phase);
                if value.is_some() {
                    board.observe(condition, value, |_, _| false);
                }
            }
            (None, true) => board.end(condition, now),
            (None, false) => {}
        }
    }
}
