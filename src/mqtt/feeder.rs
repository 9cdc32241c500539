//! What goes to the broker next. Pure: the time is a parameter, nothing here touches a socket.
//!
//! In this order: the box's own status, alarms, the other slots, what is for now only (heartbeat,
//! replies), events, readings. Sixteen at a time wait for their confirmation, four of these places
//! are for alarms alone, so an alarm never stands behind a backlog.
//!
//! What was said before the present connection is *backlog*: flagged as replayed, at most 200 a
//! second. Events keep their order throughout; fresh readings overtake the readings of the backlog,
//! or a dashboard would show the past for as long as the backlog takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::outbox::{Key, Outbox};
use super::slots::{Due, Rank, Slots};
use crate::wire::topic::Kind;
use crate::wire::{BedTopic, Topic, envelope};

/// How many may wait for their confirmation.
const WINDOW: usize = 16;
/// How many of these places are for alarms alone.
const FOR_ALARMS: usize = 4;
/// The pause between two messages of the backlog: 200 a second.
const REPLAY_PAUSE: Duration = Duration::from_millis(5);
/// A link on which something waits and nothing at all is confirmed for so long is dead.
const NO_CONFIRMATION: Duration = Duration::from_secs(2);
/// One message that is passed over for so long, while others are confirmed, is lost.
const PASSED_OVER: Duration = Duration::from_secs(10);
/// What is for now only is not handed to a link that has been silent for so long.
const SILENT: Duration = Duration::from_millis(500);
/// How many messages that are for now only may wait for their place.
const PASSING: usize = 64;
/// The first pause before a refused message is tried again; it doubles up to a minute.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);
/// What a PUBLISH packet holds besides topic and payload, properties included, at the most.
const PACKET_OVERHEAD: usize = 128;

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// An alarm's slot.
    Alarm,
    /// Another slot, or what is for now only.
    Slot,
    /// The story, and determinations of the blood pressure: few, each of them precious.
    Event,
    /// Readings.
    Telemetry,
}

impl Lane {
    /// The lane of that topic.
    #[must_use]
    pub const fn of(topic: &Topic) -> Self {
        match topic {
            Topic::Bed(_, BedTopic::Alarm(_)) => Self::Alarm,
            Topic::Bed(_, BedTopic::Event | BedTopic::Pressure) => Self::Event,
            Topic::Bed(_, BedTopic::Oximetry) => Self::Telemetry,
            _ => Self::Slot,
        }
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A topic of the contract.
    Topic(Topic),
    /// The response topic of a request, with its correlation data.
    Reply(String, Option<Vec<u8>>),
}

/// A message to be handed to the link now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To be given back with its confirmation.
    pub token: u64,
    /// Where to.
    pub address: Address,
    /// The JSON; empty: the broker is to forget the topic.
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// After how many seconds the broker forgets it.
    pub expiry_s: Option<u32>,
}

/// What the broker said to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It has it.
    Taken,
    /// It has it, and nobody has subscribed to it.
    NobodyListening,
    /// It does not want it.
    Refused(Refusal),
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The broker's access list does not let this box publish there.
    #[error("not authorised: allow this box to write its own subtree in the broker's access list")]
    NotAuthorised,
    /// The broker has a quota.
    #[error("the broker's quota is exceeded")]
    QuotaExceeded,
    /// The broker does not accept the topic.
    #[error("the broker does not accept the topic name")]
    TopicInvalid,
    /// The broker does not accept the payload.
    #[error("the broker does not accept the payload format")]
    PayloadInvalid,
    /// The broker gives no closer reason.
    #[error("the broker refused it with reason 0x{0:02x}")]
    Other(u8),
    /// The link takes nothing more at present.
    #[error("the link takes nothing more at present")]
    LinkBusy,
    /// Larger than the broker takes.
    #[error("{size} bytes, and the broker takes {limit}: raise its max_packet_size")]
    TooLarge {
        /// The size of the packet.
        size: usize,
        /// What the broker takes.
        limit: usize,
    },
}

/// A message that the broker has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Where it went; `None`: a reply.
    pub topic: Option<Topic>,
    /// How grave it was.
    pub lane: Lane,
    /// What the broker said.
    pub ack: Ack,
    /// An alarm that is present, as opposed to one that ends.
    pub present_alarm: bool,
    /// From being said to being handed to the socket.
    pub waited: Duration,
    /// From being said to being confirmed.
    pub elapsed: Duration,
}

/// Slots, logs and passing messages, and what of them is on its way.
#[derive(Debug)]
pub struct Feeder {
    slots: Slots,
    outbox: Outbox,
    passing: VecDeque<Passing>,
    link: Option<Limits>,
    flights: Vec<Flight>,
    held: Vec<Held>,
    too_large: VecDeque<Settled>,
    /// Records with a lower id are backlog.
    boundary: u64,
    replay_at: Instant,
    /// The last confirmation, or when something began to wait for one.
    progress: Instant,
    next_token: u64,
}

/// What the present connection allows.
#[derive(Clone, Copy, Debug)]
struct Limits {
    window: usize,
    packet: usize,
}

#[derive(Debug)]
struct Passing {
    address: Address,
    payload: Vec<u8>,
    qos: u8,
    expiry_s: Option<u32>,
    queued: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Slot { topic: Topic, version: u64, holds: bool },
    Record(Key),
    Passing,
}

#[derive(Debug)]
struct Flight {
    token: u64,
    item: Item,
    topic: Option<Topic>,
    lane: Lane,
    queued: Instant,
    sent: Instant,
}

#[derive(Debug)]
struct Held {
    item: Item,
    until: Instant,
}

impl Feeder {
    /// Nothing said yet but what waits in `outbox`, no connection.
    #[must_use]
    pub fn new(outbox: Outbox, now: Instant) -> Self {
        Self {
            slots: Slots::default(),
            outbox,
            passing: VecDeque::new(),
            link: None,
            flights: Vec::with_capacity(WINDOW),
            held: Vec::new(),
            too_large: VecDeque::new(),
            boundary: 0,
            replay_at: now,
            progress: now,
            next_token: 1,
        }
    }

    /// Takes a message of the contract, as the terms of its topic say.
    pub fn put(&mut self, topic: Topic, seq: u64, payload: Vec<u8>, now: Instant) {
        let terms = topic.terms();
        match terms.kind {
            Kind::Slot => self.slots.set(topic, payload, now),
            Kind::Log => self.outbox.push(Lane::of(&topic), topic, seq, payload, now),
            Kind::Ephemeral => {
                let address = Address::Topic(topic);
                self.pass(Passing { address, payload, qos: terms.qos, expiry_s: terms.expiry_s, queued: now });
            }
        }
    }

    /// Takes the last word of a slot.
    pub fn end(&mut self, topic: Topic, last: Vec<u8>, now: Instant) {
        self.slots.end(topic, last, now);
    }

    /// Takes the answer to a request. Without a connection there is nobody to answer.
    pub fn reply(&mut self, topic: String, correlation: Option<Vec<u8>>, payload: Vec<u8>, now: Instant) {
        let address = Address::Reply(topic, correlation);
        self.pass(Passing { address, payload, qos: 1, expiry_s: Some(30), queued: now });
    }

    fn pass(&mut self, passing: Passing) {
        if self.link.is_none() {
            return;
        }
        if self.passing.len() >= PASSING {
            self.passing.pop_front();
        }
        self.passing.push_back(passing);
    }

    /// The logs.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// How many messages wait for the broker.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.slots.due() + self.outbox.len() + self.passing.len()
    }

    /// Whether the broker has confirmed everything.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.waiting() == 0
    }

    /// A connection stands. `receive_maximum` is how many the broker lets wait, `packet` how large
    /// it takes them.
    pub fn connected(&mut self, receive_maximum: usize, packet: usize, now: Instant) {
        self.link = Some(Limits { window: WINDOW.min(receive_maximum).max(1), packet });
        self.boundary = self.outbox.next_id();
        self.replay_at = now;
        self.slots.all_again();
    }

    /// The connection is gone, and with it all that was on its way.
    pub fn disconnected(&mut self) {
        self.link = None;
        self.flights.clear();
        self.held.clear();
        self.passing.clear();
        self.outbox.forget_flights();
    }

    /// The next message to be handed to the link, if one may be.
    pub fn next(&mut self, now: Instant) -> Option<Outgoing> {
        self.release(now);
        let Limits { window, packet } = self.link?;
        let reserve = if window > 2 * FOR_ALARMS { FOR_ALARMS } else { window / 4 };
        loop {
            let free = window.saturating_sub(self.flights.len());
            let (flight, outgoing) = self.pick(free > 0, free > reserve, now)?;
            let size = outgoing.payload.len() + address_len(&outgoing.address) + PACKET_OVERHEAD;
            if size > packet {
                self.put_aside(flight, Refusal::TooLarge { size, limit: packet }, now);
                continue;
            }
            if outgoing.qos > 0 {
                if self.flights.is_empty() {
                    self.progress = now;
                }
                self.flights.push(flight);
            }
            return Some(outgoing);
        }
    }

    fn pick(&mut self, alarms: bool, others: bool, now: Instant) -> Option<(Flight, Outgoing)> {
        if alarms && let Some(due) = self.slots.next(Rank::Status).or_else(|| self.slots.next(Rank::Alarm)) {
            return Some(self.send_slot(due, now));
        }
        if others && let Some(due) = self.slots.next(Rank::Other) {
            return Some(self.send_slot(due, now));
        }
        if let Some(passing) = self.next_passing(others, now) {
            return Some(self.send_passing(passing, now));
        }
        if !others {
            return None;
        }
        let replay = now >= self.replay_at;
        self.send_record(Lane::Event, 0, self.boundary, replay, now)
            .or_else(|| {
                let backlog = self.outbox.next(Lane::Event, 0..self.boundary).is_some();
                if backlog { None } else { self.send_record(Lane::Event, self.boundary, u64::MAX, true, now) }
            })
            .or_else(|| self.send_record(Lane::Telemetry, self.boundary, u64::MAX, true, now))
            .or_else(|| self.send_record(Lane::Telemetry, 0, self.boundary, replay, now))
    }

    fn send_slot(&mut self, due: Due, now: Instant) -> (Flight, Outgoing) {
        let Due { topic, version, payload, changed, holds } = due;
        let flight = self.flight(Item::Slot { topic, version, holds }, Some(topic), Lane::of(&topic), changed, now);
        let expiry_s = topic.terms().expiry_s;
        let token = flight.token;
        (flight, Outgoing { token, address: Address::Topic(topic), payload, qos: 1, retain: true, expiry_s })
    }

    fn send_record(
        &mut self,
        lane: Lane,
        from: u64,
        to: u64,
        allowed: bool,
        now: Instant,
    ) -> Option<(Flight, Outgoing)> {
        if !allowed {
            return None;
        }
        let (id, record) = self.outbox.next(lane, from..to)?;
        let (topic, queued) = (record.topic, record.queued);
        let payload = if id < self.boundary {
            self.replay_at = now + REPLAY_PAUSE;
            envelope::replayed(&record.payload)
        } else {
            record.payload.to_vec()
        };
        self.outbox.set_busy((lane, id), true);
        let flight = self.flight(Item::Record((lane, id)), Some(topic), lane, queued, now);
        let token = flight.token;
        Some((
            flight,
            Outgoing { token, address: Address::Topic(topic), payload, qos: 1, retain: false, expiry_s: None },
        ))
    }

    fn send_passing(&mut self, passing: Passing, now: Instant) -> (Flight, Outgoing) {
        let Passing { address, payload, qos, expiry_s, queued } = passing;
        let topic = match &address {
            Address::Topic(topic) => Some(*topic),
            Address::Reply(..) => None,
        };
        let flight = self.flight(Item::Passing, topic, Lane::Slot, queued, now);
        let token = flight.token;
        (flight, Outgoing { token, address, payload, qos, retain: false, expiry_s })
    }

    /// The oldest passing message that may go now; those that have expired are forgotten.
    fn next_passing(&mut self, others: bool, now: Instant) -> Option<Passing> {
        let expired = |passing: &Passing| {
            passing.expiry_s.is_some_and(|s| now.duration_since(passing.queued) >= Duration::from_secs(s.into()))
        };
        self.passing.retain(|passing| !expired(passing));
        let speaks = self.flights.is_empty() || now.duration_since(self.progress) < SILENT;
        let may = |passing: &Passing| if passing.qos == 0 { speaks } else { others };
        let at = self.passing.iter().position(may)?;
        self.passing.remove(at)
    }

    fn flight(&mut self, item: Item, topic: Option<Topic>, lane: Lane, queued: Instant, now: Instant) -> Flight {
        let token = self.next_token;
        self.next_token += 1;
        Flight { token, item, topic, lane, queued, sent: now }
    }

    /// It has been handed to the socket.
    pub fn written(&mut self, token: u64, now: Instant) {
        if let Some(flight) = self.flights.iter_mut().rfind(|flight| flight.token == token) {
            flight.sent = now;
        }
    }

    /// The broker has answered.
    pub fn acked(&mut self, token: u64, ack: Ack, now: Instant) -> Option<Settled> {
        let at = self.flights.iter().position(|flight| flight.token == token)?;
        let flight = self.flights.remove(at);
        self.progress = now;
        if let Ack::Refused(_) = ack {
            self.hold(flight.item, now);
        } else {
            match flight.item {
                Item::Slot { topic, version, .. } => self.slots.confirm(topic, version),
                Item::Record(key) => self.outbox.confirm(key),
                Item::Passing => {}
            }
        }
        Some(settled(&flight, ack, now))
    }

    /// What was too large for the broker and has not been sent.
    pub fn take_too_large(&mut self) -> Option<Settled> {
        self.too_large.pop_front()
    }

    fn put_aside(&mut self, flight: Flight, refusal: Refusal, now: Instant) {
        self.hold(flight.item, now);
        self.too_large.push_back(settled(&flight, Ack::Refused(refusal), now));
    }

    /// Keeps a refused message back for a while. A slot waits the longest: it is the same each time.
    fn hold(&mut self, item: Item, now: Instant) {
        let pause = match item {
            Item::Passing => return,
            Item::Slot { .. } => REFUSED_PAUSE * 10,
            Item::Record(key) => match self.outbox.refuse(key) {
                Some(times) => REFUSED_PAUSE * 2_u32.pow(u32::from(times.min(6))),
                None => return,
            },
        };
        self.held.push(Held { item, until: now + pause });
    }

    fn release(&mut self, now: Instant) {
        let (slots, outbox) = (&mut self.slots, &mut self.outbox);
        self.held.retain(|held| {
            if held.until > now {
                return true;
            }
            match held.item {
                Item::Slot { topic, version, .. } => slots.again(topic, version),
                Item::Record(key) => outbox.set_busy(key, false),
                Item::Passing => {}
            }
            false
        });
    }

    /// Whether the link is to be given up: something waits, and nothing is confirmed.
    #[must_use]
    pub fn is_dead(&self, now: Instant) -> bool {
        self.dead_at().is_some_and(|at| now >= at)
    }

    fn dead_at(&self) -> Option<Instant> {
        let oldest = self.flights.iter().map(|flight| flight.sent).min()?;
        Some((self.progress + NO_CONFIRMATION).min(oldest + PASSED_OVER))
    }

    /// When to look again at the latest.
    #[must_use]
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let replay = (self.replay_at > now && self.has_backlog()).then_some(self.replay_at);
        let held = self.held.iter().map(|held| held.until).min();
        [self.dead_at(), replay, held].into_iter().flatten().min()
    }

    fn has_backlog(&self) -> bool {
        self.link.is_some()
            && [Lane::Event, Lane::Telemetry].iter().any(|lane| self.outbox.next(*lane, 0..self.boundary).is_some())
    }
}

fn settled(flight: &Flight, ack: Ack, now: Instant) -> Settled {
    Settled {
        topic: flight.topic,
        lane: flight.lane,
        ack,
        present_alarm: flight.lane == Lane::Alarm && matches!(flight.item, Item::Slot { holds: true, .. }),
        waited: flight.sent.duration_since(flight.queued),
        elapsed: now.duration_since(flight.queued),
    }
}

fn address_len(address: &Address) -> usize {
    match address {
        // `vitals/v1/{site}/bed/{bed}/device/{device}`: three ids of 32 at the most.
        Address::Topic(_) => 128,
        Address::Reply(topic, correlation) => topic.len() + correlation.as_ref().map_or(0, Vec::len),
    }
}

#[cfg(test)]
#[path = "feeder_tests.rs"]
mod tests;
