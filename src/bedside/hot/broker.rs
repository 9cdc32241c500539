//! What comes from the broker, and what the way to it means for the beds.

use std::task::{Context, Poll};
use std::time::Instant;

use tracing::{error, info, warn};
use vitalsd_core::monitor::input::{BoxFault, Input};
use vitalsd_core::time::Time;

use super::Hot;
use crate::bedside::requests::TurnedDown;
use crate::bedside::stages::Stage;
use crate::mqtt::{Incoming, Lane, MqttEvent, Publisher};
use crate::wire::command::Reply;
use crate::wire::{BedTopic, BoxTopic, Envelope, Id, Status, Topic};

impl Hot {
    /// Runs the connection.
    pub fn poll_link(&mut self, cx: &mut Context<'_>) -> Poll<MqttEvent> {
        self.publisher.as_mut().map_or(Poll::Pending, |publisher| publisher.poll(cx))
    }

    /// Something happened to the connection.
    pub fn link_event(&mut self, event: MqttEvent) {
        match event {
            MqttEvent::Connected => {
                info!("connected to the broker");
                self.nobody_told = false;
                self.company.begin();
            }
            MqttEvent::Lost { reason } => {
                warn!(%reason, "no broker; monitoring goes on, alarms wait for it and are tried again");
                self.broker(true);
            }
            MqttEvent::Confirmed { lane, heard, waited, elapsed, .. } => {
                // A broker that lets us in and confirms nothing is no broker.
                self.broker(false);
                self.look_at_history();
                if lane == Lane::Alarm {
                    if heard && self.company.alarm(true) {
                        // Somebody has subscribed. A station that is expected says so by itself.
                        self.fault(BoxFault::Station, self.company.nobody_looks());
                    }
                    self.stages.record(Stage::Send, waited);
                    self.stages.record(Stage::Confirm, elapsed.saturating_sub(waited));
                }
            }
            MqttEvent::Refused { topic, reason } => {
                let alarm = matches!(topic, Some(Topic::Bed(_, BedTopic::Alarm(_))));
                let topic = topic.map_or_else(|| "a reply".to_owned(), |topic| topic.to_string());
                error!(%topic, %reason, "the broker refused a message; check its access rules");
                if alarm {
                    self.broker(true);
                }
            }
            MqttEvent::NobodyListening { topic } => {
                if self.company.alarm(false) {
                    self.fault(BoxFault::Station, true);
                }
                if !std::mem::replace(&mut self.nobody_told, true) {
                    warn!(%topic, "the broker has an alarm, and nobody subscribes to it; start a station or subscribe to it");
                }
            }
            MqttEvent::NotSubscribed { filter } => {
                error!(%filter, "the broker does not let the box hear commands; check its access rules");
            }
            MqttEvent::Incoming(incoming) => self.incoming(&incoming),
        }
        self.hurry();
    }

    /// The publisher, to say goodbye with.
    pub const fn take_publisher(&mut self) -> Option<Publisher> {
        self.publisher.take()
    }

    fn broker(&mut self, lost: bool) {
        if std::mem::replace(&mut self.broker_lost, lost) == lost {
            return;
        }
        self.fault(BoxFault::Broker, lost);
        // Without a broker nobody could be heard: the bed counts from the moment there is one.
        self.fault(BoxFault::Station, !lost && self.company.nobody_looks());
    }

    /// Tells every bed.
    pub(super) fn fault(&mut self, fault: BoxFault, present: bool) {
        let now = self.now();
        for bed in 0..self.rooms.len() {
            self.decide(bed, Input::Fault { fault, present }, now);
        }
    }

    /// A station has been heard. From its newest word on the bed counts the time without one.
    fn station(&mut self, id: Id) {
        if self.company.station(id, Instant::now()) {
            self.fault(BoxFault::Station, false);
            self.fault(BoxFault::Station, self.company.nobody_looks());
        }
    }

    /// Whether another box claims one of the beds (R10.4).
    pub(super) fn look_for_claims(&mut self, at: Instant, now: Time) {
        for bed in 0..self.rooms.len() {
            let Some(room) = self.rooms.get_mut(bed) else { continue };
            let claimant = self.company.claimant(room.id, at);
            if std::mem::replace(&mut room.claimant, claimant) == claimant {
                continue;
            }
            match claimant {
                Some(other) => error!(
                    bed = %room.id, %other,
                    "another box claims this bed: take it out of the configuration of one of the two"
                ),
                None => info!(bed = %room.id, "no other box claims this bed any more"),
            }
            self.decide(bed, Input::Fault { fault: BoxFault::BedClaimed, present: claimant.is_some() }, now);
        }
    }

    fn incoming(&mut self, incoming: &Incoming) {
        match self.root.parse(&incoming.topic) {
            Some(Topic::Bed(id, BedTopic::Command)) => self.command(id, incoming),
            // Empty: the broker forgets it, as it was told to.
            Some(Topic::Bed(id, BedTopic::Alarm(condition))) if incoming.retained && !incoming.payload.is_empty() => {
                self.retained_alarm(id, condition, &incoming.payload);
            }
            // What is kept from before is no presence.
            Some(Topic::StationPresence(id)) if !incoming.retained => self.station(id),
            Some(Topic::Box(id, BoxTopic::Heartbeat)) if !incoming.retained => self.company.beat(id, Instant::now()),
            Some(Topic::Box(id, BoxTopic::Status)) => {
                if let Ok(status) = serde_json::from_slice::<Envelope<Status>>(&incoming.payload) {
                    self.company.status(id, &status.message);
                }
            }
            _ => {}
        }
    }

    fn command(&mut self, id: Id, incoming: &Incoming) {
        let Some(bed) = self.rooms.iter().position(|room| room.id == id) else { return };
        let now = self.now();
        let uptime = self.uptime(now);
        match self.requests.accept(id, incoming, uptime) {
            Err(turned_down) => {
                if let Some(reason) = turned_down.why() {
                    warn!(bed = %id, reason, "a command was refused");
                }
                let TurnedDown { reply, audited } = turned_down;
                audited.into_iter().for_each(|audited| self.audit(*audited));
                self.reply(incoming, &reply);
            }
            Ok(accepted) => {
                let Some(room) = self.rooms.get_mut(bed) else { return };
                let said = &mut self.said;
                let what = accepted.command.action.name();
                let done = room.bed.command(&accepted.command, now, &mut |output| said.push(output));
                self.say(bed, now);
                let reply = Reply::from_core(accepted.key().to_owned(), done);
                info!(bed = %id, command = what, outcome = ?reply.outcome, "a person asked");
                self.requests.answered(&accepted, reply.outcome.clone(), uptime);
                self.audit(accepted.audited(reply.outcome.clone()));
                self.reply_when_written(incoming, reply);
            }
        }
    }

    /// Answers a request, if it asked for an answer.
    pub(super) fn reply(&mut self, incoming: &Incoming, reply: &Reply) {
        let Some(publisher) = self.publisher.as_mut().filter(|_| incoming.response_topic.is_some()) else { return };
        if let Err(error) = publisher.reply(incoming, reply) {
            warn!(topic = %incoming.topic, %error, "a command was not answered");
        }
    }
}
