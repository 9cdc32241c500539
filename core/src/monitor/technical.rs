//! Technical conditions: what is wrong with the equipment, not with the patient.

use crate::monitor::announce::Cause;
use crate::monitor::bed::Bed;
use crate::monitor::input::Link;
use crate::monitor::output::{Condition, Phase, Priority, Value};
use crate::time::{Span, Time};

/// R10.1: without a broker for this long, somebody at the box must know.
pub(super) const BROKER_LOST_AFTER: Span = Span::secs(10);
/// A blood-pressure monitor that is not connected is told after this.
pub(super) const CUFF_LOST_AFTER: Span = Span::secs(10);

impl Bed {
    /// The conditions of the equipment (R1.7, R3.3, R6, R10.1).
    pub(super) fn settle_technical(&mut self) {
        let phase = self.state.session.phase();
        let now = self.state.now;
        let open = phase != Phase::NoSession;
        let absence = self.spo2_absence();
        let third_baseline = self.third_baseline();
        self.state.unavailable.settle(phase, absence, third_baseline, &self.preset.unavailable, now);
        let watched = (open || self.state.room.armed()) && self.state.oximeter.spo2().expected();
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

        let stuck = open && self.state.oximeter.stuck();
        self.hold(Condition::SourceStuck, stuck.then_some(Priority::Medium), None, Span::secs(10));

        let gone = |since: Option<Time>, after| since.is_some_and(|since| now.since(since) >= after);
        let cuff_way = self.cuff_way().copied();
        let cuff_lost = open && gone(cuff_way.and_then(|way| way.lost_since), CUFF_LOST_AFTER);
        let why = match cuff_way.and_then(|way| way.link) {
            Some(Link::Lost(reason)) => Some(Value::Lost(reason)),
            _ => None,
        };
        self.hold(Condition::CuffLost, cuff_lost.then_some(Priority::Low), why, CUFF_LOST_AFTER);

        let broker = open && gone(self.state.broker_lost, BROKER_LOST_AFTER);
        self.hold(Condition::BrokerLost, broker.then_some(Priority::Medium), None, BROKER_LOST_AFTER);
    }

    /// Brings a technical condition to `priority`, or ends it.
    pub(super) fn hold(&mut self, condition: Condition, priority: Option<Priority>, value: Option<Value>, delay: Span) {
        let (now, phase) = (self.state.now, self.state.session.phase());
        let board = &mut self.state.board;
        match (priority, board.is_on(condition)) {
            (Some(priority), false) => {
                board.raise(condition, &Cause { priority, value, limit: None, baseline: None, delay, phase }, now);
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
