//! The way to the broker: what is said is queued, sent in the order of its gravity, and kept until
//! the broker has confirmed it.
//!
//! A [`Publisher`] belongs to the hot thread and shares nothing. An alarm is handed to the socket
//! before [`Publisher::publish`] returns; everything else at the next turn of the loop.

pub mod backoff;
pub mod broker;
pub mod client;
pub mod feeder;
pub mod link;
pub mod outbox;
pub mod slots;
pub mod tls;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::{Sleep, sleep_until, timeout};

use self::backoff::Backoff;
pub use self::broker::{Broker, Login};
use self::feeder::{Ack, Address, Feeder, Settled};
pub use self::feeder::{Lane, Refusal};
use self::link::{Connect, Link, Notice};
pub use self::link::{Incoming, Loss};
use self::outbox::Outbox;
pub use self::outbox::{Bounds, Keep};
pub use self::tls::{Tls, TlsLoss};
use crate::wire::host::BoxState;
use crate::wire::topic::Kind;
use crate::wire::{BedTopic, BootId, BoxTopic, Envelope, Event, Id, Reply, Root, Status, Topic, WallTime};

/// How long a clean stop may wait for the broker.
const STOP: Duration = Duration::from_secs(1);
/// Holes in the logs are told at most this often.
const GAPS: Duration = Duration::from_secs(1);
/// The same while there is no broker: they grow and grow.
const GAPS_ALONE: Duration = Duration::from_secs(60);

/// Who we are and where the broker is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The broker.
    pub broker: Broker,
    /// The site's tree.
    pub root: Root,
    /// This box.
    pub box_id: Id,
    /// This life of it.
    pub boot_id: BootId,
    /// The version of vitalsd.
    pub version: String,
    /// The beds of this box; their commands are subscribed to.
    pub beds: Vec<Id>,
    /// What else to subscribe to, below the site: `station/+/presence`.
    pub listen: Vec<String>,
    /// What the broker holds of which is to be read at each connect, before anything is said: `bed/room-1/alarm/+`.
    pub read: Vec<String>,
    /// How much telemetry may wait for the broker, and for how long.
    pub bounds: Bounds,
}

/// What the broker did, or the link to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttEvent {
    /// The connection stands; slots and backlog are on their way.
    Connected,
    /// There is no connection; the next attempt is planned.
    Lost {
        /// Why.
        reason: Loss,
    },
    /// The broker has it.
    Confirmed {
        /// What; `None`: a reply.
        topic: Option<Topic>,
        /// How grave it was.
        lane: Lane,
        /// Whether somebody has subscribed to it, as far as the broker tells.
        heard: bool,
        /// From [`Publisher::publish`] to being handed to the socket.
        waited: Duration,
        /// From [`Publisher::publish`] to the confirmation.
        elapsed: Duration,
    },
    /// The broker does not want it. It is kept and tried again; a reading not more than twice.
    Refused {
        /// What; `None`: a reply.
        topic: Option<Topic>,
        /// Why.
        reason: Refusal,
    },
    /// The broker has this alarm, and nobody has subscribed to it (R10.1).
    NobodyListening {
        /// Which.
        topic: Topic,
    },
    /// The broker does not let us subscribe to that.
    NotSubscribed {
        /// The filter.
        filter: String,
    },
    /// A request, or whatever else was subscribed to.
    Incoming(Incoming),
}

/// A message that cannot be written as a JSON object; none of [`crate::wire`] is of that kind.
#[derive(Debug, thiserror::Error)]
#[error("a message on {topic} cannot be written as JSON: {source}")]
pub struct EncodeError {
    topic: Topic,
    source: serde_json::Error,
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The request has no response topic.
    #[error("the request names no response topic")]
    NoResponseTopic,
    /// The response topic is one on which this box speaks with its own voice.
    #[error("the response topic {0:?} is a topic of the contract: choose one outside it")]
    Contract(String),
    /// The reply cannot be written as JSON.
    #[error("the reply cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

/// The box's voice. Publishes through one connection at a time, and never gives up.
pub struct Publisher {
    config: Config,
    feeder: Feeder,
    link: Option<Link>,
    /// Since when the connection stands.
    up: Option<Instant>,
    connect_at: Instant,
    backoff: Backoff,
    /// The newest `seq` of each stream.
    streams: HashMap<Topic, u64>,
    /// The `seq` that the birth of the next connection has; its will has the one after it.
    birth_seq: u64,
    gaps_at: Instant,
    events: VecDeque<MqttEvent>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The task that runs the loop, for what is written outside of it.
    waker: Waker,
}

impl Publisher {
    /// A publisher that will connect as soon as it is run.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::keeping(config, None)
    }

    /// One of which `keep` has what it says beyond its end.
    #[must_use]
    pub fn keeping(config: Config, keep: Option<Box<dyn Keep>>) -> Self {
        let now = Instant::now();
        Self {
            feeder: Feeder::new(Outbox::new(config.bounds, keep), now),
            config,
            link: None,
            up: None,
            connect_at: now,
            backoff: Backoff::default(),
            streams: HashMap::new(),
            birth_seq: 0,
            gaps_at: now,
            events: VecDeque::new(),
            timer: None,
            waker: Waker::noop().clone(),
        }
    }

    /// Says `message` on `topic`, as the topic's terms have it, true at `at`. An alarm is handed to
    /// the socket before this returns. Gives its `seq`.
    ///
    /// # Errors
    /// The message is no JSON object.
    pub fn publish(&mut self, topic: Topic, at: WallTime, message: &impl Serialize) -> Result<u64, EncodeError> {
        let said = Instant::now();
        let (seq, payload) = self.encode(topic, at, message)?;
        self.feeder.put(topic, seq, payload, said);
        self.flush_alarm(topic);
        Ok(seq)
    }

    /// Ends a slot with `last` as its last word, after which the broker forgets the topic.
    ///
    /// # Errors
    /// The message is no JSON object.
    pub fn end(&mut self, topic: Topic, at: WallTime, last: &impl Serialize) -> Result<u64, EncodeError> {
        let said = Instant::now();
        let (seq, payload) = self.encode(topic, at, last)?;
        self.feeder.end(topic, payload, said);
        self.flush_alarm(topic);
        Ok(seq)
    }

    /// Says what a life of the box before this one has said and the broker has not confirmed, oldest first.
    pub fn restore(&mut self, boot: BootId, topic: Topic, seq: u64, payload: Arc<[u8]>) {
        self.feeder.outbox().restore(boot, topic, seq, payload, Instant::now());
    }

    /// What a life of the box before this one has said will not come any more; it is told as a gap.
    pub fn give_up(&mut self, boot: BootId, topic: Topic, seq: u64) {
        self.feeder.outbox().give_up(boot, topic, seq);
    }

    /// Answers a request.
    ///
    /// # Errors
    /// The request wants no answer, or wants it where it must not be.
    pub fn reply(&mut self, request: &Incoming, reply: &Reply) -> Result<(), ReplyError> {
        let topic = request.response_topic.clone().ok_or(ReplyError::NoResponseTopic)?;
        if self.config.root.parse(&topic).is_some() {
            return Err(ReplyError::Contract(topic));
        }
        let payload = serde_json::to_vec(reply)?;
        self.feeder.reply(topic, request.correlation_data.clone(), payload, Instant::now());
        Ok(())
    }

    /// Whether the connection stands.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.up.is_some()
    }

    /// How many messages wait for the broker.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.feeder.waiting()
    }

    /// The newest `seq` of every log, for the heartbeat.
    #[must_use]
    pub fn last_seqs(&self) -> BTreeMap<Topic, u64> {
        let logs = self.streams.iter().filter(|(topic, _)| topic.terms().kind == Kind::Log);
        logs.map(|(topic, seq)| (*topic, *seq)).collect()
    }

    /// Hands to the socket all that may go now, without waiting for anything.
    pub fn flush(&mut self) {
        if self.up.is_some() {
            let waker = self.waker.clone();
            self.turn(&mut Context::from_waker(&waker));
            if !self.events.is_empty() {
                waker.wake();
            }
        }
    }

    /// Runs the connection until something happens. May be dropped and called again at any time:
    /// everything under way is kept in the publisher.
    pub async fn run_once(&mut self) -> MqttEvent {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// [`Publisher::run_once`] for a loop that polls by hand.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<MqttEvent> {
        self.waker.clone_from(cx.waker());
        loop {
            self.turn(cx);
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            let now = Instant::now();
            if self.feeder.is_dead(now) {
                self.lost(Loss::Silent, now);
            } else if self.link.is_none() && now >= self.connect_at {
                self.connect(now);
            } else if self.wait(now, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Says goodbye: everything that waits, then `stopped`, then DISCONNECT; a second at the most.
    /// Whether the broker has confirmed `stopped`.
    pub async fn stop(mut self) -> bool {
        let _ = timeout(STOP / 2, self.run_while(|publisher, _| !publisher.feeder.is_idle())).await;
        let status = self.status_topic();
        self.say_status(BoxState::Stopped);
        let unconfirmed =
            |event: &MqttEvent| !matches!(event, MqttEvent::Confirmed { topic: Some(topic), .. } if *topic == status);
        let goodbye = self.run_while(|_, event| event.is_none_or(unconfirmed));
        let confirmed = timeout(STOP / 2, goodbye).await.is_ok() && self.up.is_some();
        if let Some(mut link) = self.link.take() {
            link.disconnect();
            let closed = async { while !matches!(poll_fn(|cx| link.poll(cx)).await, Notice::Down(_)) {} };
            let _ = timeout(STOP, closed).await;
        }
        confirmed
    }

    /// Runs while `go_on` holds and the connection stands.
    async fn run_while(&mut self, go_on: impl Fn(&Self, Option<&MqttEvent>) -> bool) {
        let mut event = None;
        self.flush();
        while self.up.is_some() && go_on(self, event.as_ref()) {
            event = Some(self.run_once().await);
        }
    }

    /// Sends what may go, reads what has come, until there is nothing of either.
    fn turn(&mut self, cx: &mut Context<'_>) {
        loop {
            let now = Instant::now();
            self.tell_gaps(now);
            let Some(link) = &mut self.link else { return };
            while self.up.is_some()
                && let Some(outgoing) = self.feeder.next(now)
            {
                let topic = match &outgoing.address {
                    Address::Topic(topic) => self.config.root.topic(topic),
                    Address::Reply(topic, _) => topic.clone(),
                };
                let token = outgoing.token;
                if let Err(refusal) = link.send(topic, outgoing)
                    && let Some(settled) = self.feeder.acked(token, Ack::Refused(refusal), now)
                {
                    self.events.extend(event(settled));
                }
            }
            while let Some(settled) = self.feeder.take_too_large() {
                self.events.extend(event(settled));
            }
            match link.poll(cx) {
                Poll::Ready(notice) => self.handle(notice),
                Poll::Pending => return,
            }
        }
    }

    fn handle(&mut self, notice: Notice) {
        let now = Instant::now();
        match notice {
            Notice::Up { receive_maximum, packet } => {
                self.up = Some(now);
                let seq = self.birth_seq;
                self.set_status(seq, BoxState::Online);
                self.feeder.connected(receive_maximum, packet, now);
                self.events.push_back(MqttEvent::Connected);
            }
            Notice::Written(token) => self.feeder.written(token, now),
            Notice::Acked(token, ack) => {
                let settled = self.feeder.acked(token, ack, now);
                self.events.extend(settled.into_iter().flat_map(event));
            }
            Notice::Incoming(incoming) => self.incoming(incoming),
            Notice::NotSubscribed(filter) => self.events.push_back(MqttEvent::NotSubscribed { filter }),
            Notice::Down(loss) => self.lost(loss, now),
        }
    }

    /// The box's own status is watched: whoever made it `lost`, we are here.
    fn incoming(&mut self, incoming: Incoming) {
        if self.config.root.parse(&incoming.topic) != Some(self.status_topic()) {
            self.events.push_back(MqttEvent::Incoming(incoming));
            return;
        }
        let found = serde_json::from_slice::<Envelope<Status>>(&incoming.payload);
        if found.is_ok_and(|found| found.message.state == BoxState::Lost) {
            self.say_status(BoxState::Online);
        }
    }

    fn connect(&mut self, now: Instant) {
        let status = self.status_topic();
        self.birth_seq = self.next_seq(status);
        let will_seq = self.next_seq(status);
        let commands = self.config.beds.iter().map(|bed| Topic::Bed(*bed, BedTopic::Command)).chain([status]);
        let mut subscribe: Vec<_> = commands.map(|topic| self.config.root.topic(&topic)).collect();
        let read = self.config.read.iter().map(|filter| format!("{}/{filter}", self.config.root)).collect();
        subscribe.extend(self.config.listen.iter().map(|filter| format!("{}/{filter}", self.config.root)));
        let connect = Connect {
            broker: self.config.broker.clone(),
            client_id: format!("vitalsd-{}-{}", self.config.root.site(), self.config.box_id),
            will_topic: self.config.root.topic(&status),
            will: self.status(will_seq, BoxState::Lost),
            subscribe,
            read,
        };
        match Link::open(connect) {
            Ok(link) => self.link = Some(link),
            Err(loss) => self.lost(loss, now),
        }
    }

    fn lost(&mut self, reason: Loss, now: Instant) {
        let stood = self.up.take().map_or(Duration::ZERO, |since| now.duration_since(since));
        self.link = None;
        self.feeder.disconnected();
        self.connect_at = now + self.backoff.pause(stood, fastrand::f64());
        self.events.push_back(MqttEvent::Lost { reason });
    }

    /// Waits until there is something to look at without being woken.
    fn wait(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let connect = self.link.is_none().then_some(self.connect_at);
        let Some(deadline) = [self.feeder.deadline(now), connect].into_iter().flatten().min() else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        if timer.deadline() != deadline.into() {
            timer.as_mut().reset(deadline.into());
        }
        timer.as_mut().poll(cx)
    }

    /// Holes in the logs are part of the story of their bed.
    fn tell_gaps(&mut self, now: Instant) {
        if now < self.gaps_at {
            return;
        }
        let pause = if self.up.is_some() { GAPS } else { GAPS_ALONE };
        for gap in self.feeder.outbox().take_gaps() {
            self.gaps_at = now + pause;
            let Some(bed) = gap.gap_stream.bed() else { continue };
            let topic = Topic::Bed(bed, BedTopic::Event);
            if let Ok((seq, payload)) = self.encode(topic, WallTime::now(), &Event::Gap(gap)) {
                self.feeder.put(topic, seq, payload, now);
            }
        }
    }

    const fn status_topic(&self) -> Topic {
        Topic::Box(self.config.box_id, BoxTopic::Status)
    }

    fn say_status(&mut self, state: BoxState) {
        let seq = self.next_seq(self.status_topic());
        self.set_status(seq, state);
    }

    fn set_status(&mut self, seq: u64, state: BoxState) {
        let payload = self.status(seq, state);
        self.feeder.put(self.status_topic(), seq, payload, Instant::now());
    }

    fn status(&self, seq: u64, state: BoxState) -> Vec<u8> {
        let message = Status { state, version: self.config.version.clone(), beds: self.config.beds.clone() };
        self.envelope(self.status_topic(), seq, WallTime::now(), &message).encode().unwrap_or_default()
    }

    fn flush_alarm(&mut self, topic: Topic) {
        if Lane::of(&topic) == Lane::Alarm {
            self.flush();
        }
    }

    fn next_seq(&mut self, topic: Topic) -> u64 {
        let seq = self.streams.entry(topic).or_default();
        *seq += 1;
        *seq
    }

    fn encode(&mut self, topic: Topic, at: WallTime, message: &impl Serialize) -> Result<(u64, Vec<u8>), EncodeError> {
        let seq = self.next_seq(topic);
        let payload = self.envelope(topic, seq, at, message).encode();
        payload.map(|payload| (seq, payload)).map_err(|source| EncodeError { topic, source })
    }

    const fn envelope<'m, M>(&self, stream: Topic, seq: u64, at: WallTime, message: &'m M) -> Envelope<&'m M> {
        let (r#box, boot_id) = (self.config.box_id, self.config.boot_id);
        Envelope { r#box, boot_id, stream, seq, at, replayed: false, message }
    }
}

fn event(settled: Settled) -> impl Iterator<Item = MqttEvent> {
    let Settled { topic, lane, ack, present_alarm, waited, elapsed } = settled;
    let heard = ack != Ack::NobodyListening;
    let unheard = (!heard && present_alarm).then_some(()).and(topic);
    let first = match ack {
        Ack::Taken | Ack::NobodyListening => MqttEvent::Confirmed { topic, lane, heard, waited, elapsed },
        Ack::Refused(reason) => MqttEvent::Refused { topic, reason },
    };
    [Some(first), unheard.map(|topic| MqttEvent::NobodyListening { topic })].into_iter().flatten()
}
