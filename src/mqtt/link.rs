//! One connection to the broker, from CONNECT to its end. The only file that knows rumqttc.
//!
//! What rumqttc would do wrong for us, and what is done instead:
//! * Its queue is dropped on a reconnect without a session: one [`Link`] is one connection, everything
//!   unconfirmed stays with the feeder, and a new connection is a new client and event loop.
//! * Its event loop is a future that must not be dropped half-way (a connect would start again, a
//!   write would be cut): it lives in the link, runs for as long as the connection does, and leaves
//!   its events in an inbox. Polling the link after a send writes the bytes in the same turn; no task
//!   is woken in between.
//! * A frozen peer can make it wait for ever in a write: the feeder watches the confirmations and
//!   the owner drops the link.
//! * It reports a negative PUBACK only in its log: the reason is read here.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use rumqttc::{
    AsyncClient, ClientError, ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill,
    LastWillProperties, MqttOptions, NetworkOptions, Outgoing as Wrote, Packet, PubAckReason, PublishOptions,
    PublishProperties, QoS, StateError, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio::time::{Instant, timeout_at};

use super::broker::Broker;
use super::feeder::{Ack, Outgoing, Refusal};
use super::tls::TlsLoss;

/// Broker and station notice a dead box after one and a half of it.
const KEEP_ALIVE_S: u16 = 5;
/// From the first SYN to the CONNACK.
const CONNECT: Duration = Duration::from_secs(3);
/// From the CONNACK to the SUBACK.
const ANSWER: Duration = Duration::from_secs(2);
/// The largest packet taken from the broker, bytes.
const INCOMING: u32 = 256 * 1024;
/// The largest packet sent to a broker that names no limit, bytes.
const OUTGOING: usize = 256 * 1024;
/// Places in rumqttc's table; the feeder's window is smaller.
const IN_FLIGHT: u16 = 32;
/// Requests handed over and not yet written.
const QUEUE: usize = 64;

/// How to reach the broker, and what it is to say if it loses us.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Where it is, and who we are there.
    pub broker: Broker,
    /// The name of the connection; a second one with the same name ends the first.
    pub client_id: String,
    /// Topic of the will.
    pub will_topic: String,
    /// Payload of the will, retained.
    pub will: Vec<u8>,
    /// What to subscribe to.
    pub subscribe: Vec<String>,
    /// What the broker holds of it is read once, before the connection counts as standing. A lasting subscription to
    /// what we say ourselves would hide that nobody else listens.
    pub read: Vec<String>,
}

/// A message that may ask for an answer; not one of the box's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The full topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Where an answer is expected.
    pub response_topic: Option<String>,
    /// What the answer is to carry.
    pub correlation_data: Option<Vec<u8>>,
    /// What stands beside the payload, by name.
    pub user_properties: Vec<(String, String)>,
    /// After how many seconds the broker forgets it.
    pub expiry_s: Option<u32>,
}

/// A message from the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The full topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Where an answer is expected.
    pub response_topic: Option<String>,
    /// What the answer is to carry.
    pub correlation_data: Option<Vec<u8>>,
    /// What stands beside the payload, by name.
    pub user_properties: Vec<(String, String)>,
    /// It was kept by the broker and may be old: a command must be refused.
    pub retained: bool,
}

/// What happened on a link.
#[derive(Debug)]
pub enum Notice {
    /// The connection stands, and what the broker held of what was to be read is on its way.
    Up {
        /// How many unconfirmed messages the broker takes.
        receive_maximum: usize,
        /// The largest packet that it takes, bytes.
        packet: usize,
    },
    /// The message with that token has been handed to the socket.
    Written(u64),
    /// The broker has answered the message with that token.
    Acked(u64, Ack),
    /// The broker sent a message.
    Incoming(Incoming),
    /// The broker does not let us subscribe to that.
    NotSubscribed(String),
    /// The connection is over.
    Down(Loss),
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// Nothing answers there, or the way to it is cut.
    #[error("the broker cannot be reached ({0}): is it running, and is its address right?")]
    Unreachable(String),
    /// The encrypted way cannot be made.
    #[error(transparent)]
    Tls(#[from] TlsLoss),
    /// There was no CONNACK in time.
    #[error("the broker does not answer the connect within 3 s")]
    NoAnswer,
    /// The broker does not let us in.
    #[error("the broker refuses the connection ({0}): check user name, password and client id")]
    Refused(String),
    /// The broker cannot keep messages, without which there is no state for a late joiner.
    #[error("the broker keeps no retained messages: switch retain_available on")]
    NoRetain,
    /// Something waits, and nothing is confirmed.
    #[error("the broker confirms nothing any more")]
    Silent,
    /// The broker ended it.
    #[error("the broker closed the connection ({0})")]
    Closed(String),
    /// The broker did not keep to the protocol, or we did not.
    #[error("the MQTT protocol was broken: {0}")]
    Protocol(String),
    /// We ended it.
    #[error("stopped")]
    Stopped,
}

/// What the event loop leaves for its owner.
enum Happened {
    Connected(ConnAck),
    /// The next message in the order of sending has that packet id.
    Wrote(u16),
    Acked(u16, PubAckReason),
    Incoming(Incoming),
    Subscribed(Vec<SubscribeReasonCode>),
    Unsubscribed,
}

/// One connection, or the attempt at one.
pub struct Link {
    client: AsyncClient,
    driver: Pin<Box<dyn Future<Output = Loss>>>,
    inbox: Rc<RefCell<VecDeque<Happened>>>,
    subscribe: Vec<String>,
    read: Vec<String>,
    /// Of so many filters the reading is not over yet.
    reading: usize,
    /// What the broker allows, until it has answered what we subscribe to.
    welcome: Option<Notice>,
    /// Tokens of QoS 1 messages that have no packet id yet, in the order of sending.
    unnumbered: VecDeque<u64>,
    /// Packet ids on their way, and whose they are.
    numbered: Vec<(u16, u64)>,
}

impl Link {
    /// Starts to connect. Nothing happens until it is polled.
    ///
    /// # Errors
    /// The options contradict each other.
    pub fn open(connect: Connect) -> Result<Self, Loss> {
        let Connect { broker, client_id, will_topic, will, subscribe, read } = connect;
        let mut options = options(broker, client_id);
        options.set_last_will(last_will(will_topic, will));
        Self::start(options, subscribe, read)
    }

    /// The same without a will, for somebody whose going means nothing.
    ///
    /// # Errors
    /// The options contradict each other.
    pub fn visit(broker: Broker, client_id: String, subscribe: Vec<String>) -> Result<Self, Loss> {
        Self::start(options(broker, client_id), subscribe, Vec::new())
    }

    fn start(options: MqttOptions, subscribe: Vec<String>, read: Vec<String>) -> Result<Self, Loss> {
        let built = AsyncClient::builder(options).capacity(QUEUE).try_build();
        let (client, event_loop) = built.map_err(|error| Loss::Protocol(error.to_string()))?;
        let inbox = Rc::default();
        let subscribes = !subscribe.is_empty() || !read.is_empty();
        let driver = Box::pin(drive(event_loop, subscribes, Rc::clone(&inbox)));
        let (unnumbered, numbered) = (VecDeque::new(), Vec::new());
        Ok(Self { client, driver, inbox, subscribe, read, reading: 0, welcome: None, unnumbered, numbered })
    }

    /// Hands a message over; the next [`Link::poll`] writes it.
    ///
    /// # Errors
    /// The message as a refusal: its topic cannot be published to.
    pub fn send(&mut self, topic: String, outgoing: Outgoing) -> Result<(), Refusal> {
        let Outgoing { token, address, payload, qos, retain, expiry_s } = outgoing;
        let correlation_data = match address {
            super::feeder::Address::Reply(_, correlation) => correlation,
            super::feeder::Address::Topic(_) => None,
        };
        let properties = PublishProperties {
            payload_format_indicator: Some(1),
            content_type: Some("application/json".into()),
            message_expiry_interval: expiry_s,
            correlation_data: correlation_data.map(Into::into),
            ..PublishProperties::default()
        };
        let level = if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let options = PublishOptions::new(level).retain(retain).properties(properties);
        self.hand_over(topic, payload, options, (qos != 0).then_some(token))
    }

    /// Hands a request over; the broker's answer to it carries `token`.
    ///
    /// # Errors
    /// As for [`Link::send`].
    pub fn request(&mut self, request: Request, token: u64) -> Result<(), Refusal> {
        let properties = PublishProperties {
            payload_format_indicator: Some(1),
            content_type: Some("application/json".into()),
            message_expiry_interval: request.expiry_s,
            response_topic: request.response_topic,
            correlation_data: request.correlation_data.map(Into::into),
            user_properties: request.user_properties,
            ..PublishProperties::default()
        };
        let options = PublishOptions::new(QoS::AtLeastOnce).properties(properties);
        self.hand_over(request.topic, request.payload, options, Some(token))
    }

    fn hand_over(
        &mut self,
        topic: String,
        payload: Vec<u8>,
        options: PublishOptions,
        token: Option<u64>,
    ) -> Result<(), Refusal> {
        match self.client.try_publish(topic, payload, options) {
            Ok(()) => {
                self.unnumbered.extend(token);
                Ok(())
            }
            Err(ClientError::InvalidRequest(_)) => Err(Refusal::TopicInvalid),
            Err(_) => Err(Refusal::LinkBusy),
        }
    }

    /// Says goodbye: the broker discards the will and closes.
    pub fn disconnect(&mut self) {
        // A full queue means a dead link, which is dropped a moment later anyway.
        let _ = self.client.try_disconnect_now();
    }

    /// Writes what was handed over, reads what has come, and returns the next thing that happened.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Notice> {
        loop {
            while let Some(happened) = self.take() {
                if let Some(notice) = self.notice(happened) {
                    return Poll::Ready(notice);
                }
            }
            match self.driver.as_mut().poll(cx) {
                Poll::Ready(loss) => return Poll::Ready(Notice::Down(loss)),
                Poll::Pending if self.inbox.borrow().is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    fn take(&self) -> Option<Happened> {
        self.inbox.borrow_mut().pop_front()
    }

    fn notice(&mut self, happened: Happened) -> Option<Notice> {
        match happened {
            Happened::Connected(connack) => self.connected(&connack),
            Happened::Wrote(packet) => {
                // rumqttc numbers messages in the order in which they were handed over, and we are
                // the only ones who hand any over.
                let token = self.unnumbered.pop_front()?;
                self.numbered.push((packet, token));
                Some(Notice::Written(token))
            }
            Happened::Acked(packet, reason) => {
                let at = self.numbered.iter().position(|(id, _)| *id == packet)?;
                Some(Notice::Acked(self.numbered.swap_remove(at).1, ack(reason)))
            }
            Happened::Incoming(incoming) => Some(Notice::Incoming(incoming)),
            Happened::Subscribed(codes) => {
                let refused = codes.iter().position(|code| !matches!(code, SubscribeReasonCode::Success(_)));
                if let Some(filter) = refused.and_then(|at| self.filters().nth(at)) {
                    let told = Notice::NotSubscribed(filter.clone());
                    // The connection stands all the same; that is told next.
                    self.inbox.borrow_mut().push_front(Happened::Subscribed(Vec::new()));
                    return Some(told);
                }
                let read = std::mem::take(&mut self.read);
                if read.is_empty() {
                    return self.welcome.take();
                }
                for filter in read {
                    if let Err(error) = self.client.try_unsubscribe(filter) {
                        return Some(Notice::Down(Loss::Protocol(error.to_string())));
                    }
                    self.reading += 1;
                }
                None
            }
            // What was read is on its way, and we hear no more of it.
            Happened::Unsubscribed => {
                self.reading = self.reading.saturating_sub(1);
                if self.reading == 0 { self.welcome.take() } else { None }
            }
        }
    }

    /// Everything that is subscribed to, in its order.
    fn filters(&self) -> impl Iterator<Item = &String> {
        self.subscribe.iter().chain(&self.read)
    }

    fn connected(&mut self, connack: &ConnAck) -> Option<Notice> {
        let properties = connack.properties.as_ref();
        if properties.and_then(|p| p.retain_available) == Some(0) {
            return Some(Notice::Down(Loss::NoRetain));
        }
        let up = Notice::Up {
            receive_maximum: properties.and_then(|p| p.receive_max).map_or(usize::from(u16::MAX), usize::from),
            packet: properties
                .and_then(|p| p.max_packet_size)
                .and_then(|size| usize::try_from(size).ok())
                .map_or(OUTGOING, |size| size.min(OUTGOING)),
        };
        // The retain flag is wanted as it was published: a broker clears it for whoever listens already,
        // and a retained command would be carried out now and lie in wait for the next life.
        let filters: Vec<_> = self
            .filters()
            .map(|filter| {
                let mut filter = SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce);
                filter.preserve_retain = true;
                filter
            })
            .collect();
        if filters.is_empty() {
            return Some(up);
        }
        if let Err(error) = self.client.try_subscribe_many(filters) {
            return Some(Notice::Down(Loss::Protocol(error.to_string())));
        }
        self.welcome = Some(up);
        None
    }
}

fn options(broker: Broker, client_id: String) -> MqttOptions {
    let Broker { host, port, tls, login } = broker;
    let mut options = MqttOptions::new(client_id, (host, port));
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT.as_secs());
    options
        .set_keep_alive(KEEP_ALIVE_S)
        .set_clean_start(true)
        .set_connect_timeout(CONNECT)
        .set_network_options(network)
        .set_max_packet_size(Some(INCOMING))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_max_request_batch(usize::from(IN_FLIGHT));
    if let Some(tls) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.into())));
    }
    if let Some(login) = login {
        match login.password() {
            Some(password) => options.set_credentials(login.user(), password.to_owned()),
            None => options.set_username(login.user()),
        };
    }
    options
}

fn last_will(topic: String, payload: Vec<u8>) -> LastWill {
    let properties = LastWillProperties {
        // At once: what a station needs to know most must not wait. A short cut shows as lost, then online.
        delay_interval: Some(0),
        payload_format_indicator: Some(1),
        content_type: Some("application/json".into()),
        message_expiry_interval: None,
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    LastWill::new(topic, payload, QoS::AtLeastOnce, true, Some(properties))
}

/// Runs the event loop until the connection is over.
async fn drive(mut event_loop: EventLoop, subscribes: bool, inbox: Rc<RefCell<VecDeque<Happened>>>) -> Loss {
    let encrypted = matches!(event_loop.options.transport(), Transport::Tls(_));
    let mut closed = None;
    let mut welcome = false;
    // By when the broker has to have answered what we subscribe to: until then nothing of ours is on its way that
    // would show that it is dead.
    let mut answer: Option<Instant> = None;
    loop {
        let polled = match answer {
            None => event_loop.poll().await,
            Some(by) => match timeout_at(by, event_loop.poll()).await {
                Ok(polled) => polled,
                Err(_) => return Loss::Silent,
            },
        };
        let happened = match polled {
            Ok(Event::Incoming(Packet::ConnAck(connack))) => {
                welcome = true;
                answer = subscribes.then(|| Instant::now() + ANSWER);
                Happened::Connected(connack)
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => Happened::Acked(ack.pkid, ack.reason),
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                answer = None;
                Happened::Subscribed(ack.return_codes)
            }
            Ok(Event::Incoming(Packet::UnsubAck(_))) => Happened::Unsubscribed,
            Ok(Event::Incoming(Packet::Disconnect(disconnect))) => {
                closed = Some(format!("{:?}", disconnect.reason_code));
                continue;
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let Ok(topic) = String::from_utf8(publish.topic.to_vec()) else { continue };
                let properties = publish.properties.unwrap_or_default();
                Happened::Incoming(Incoming {
                    topic,
                    payload: publish.payload.to_vec(),
                    response_topic: properties.response_topic,
                    correlation_data: properties.correlation_data.map(|data| data.to_vec()),
                    user_properties: properties.user_properties,
                    retained: publish.retain,
                })
            }
            // Packet id 0: QoS 0, which is not confirmed.
            Ok(Event::Outgoing(Wrote::Publish(packet))) if packet != 0 => Happened::Wrote(packet),
            Ok(_) => continue,
            Err(error) => return closed.map_or_else(|| loss(error, encrypted && !welcome), Loss::Closed),
        };
        inbox.borrow_mut().push_back(happened);
    }
}

/// `handshake`: over TLS, and the broker has not said welcome yet.
fn loss(error: ConnectionError, handshake: bool) -> Loss {
    if let Some(loss) = tls_loss(&error, handshake) {
        return Loss::Tls(loss);
    }
    match error {
        ConnectionError::Timeout(_) => Loss::NoAnswer,
        ConnectionError::Io(error) => Loss::Unreachable(error.to_string()),
        ConnectionError::ConnectionRefused(code) => Loss::Refused(refused(code)),
        ConnectionError::RequestsDone | ConnectionError::DisconnectTimeout => Loss::Stopped,
        ConnectionError::MqttState(error) => Loss::Closed(error.to_string()),
        other => Loss::Protocol(other.to_string()),
    }
}

/// What is wrong with the encrypted way. A broker that refuses our certificate says so only after the handshake,
/// as an error of reading; and if it has closed before, there is nothing to read.
fn tls_loss(error: &ConnectionError, handshake: bool) -> Option<TlsLoss> {
    let mut cause: Option<&(dyn Error + 'static)> = match error {
        // It does not name its source.
        ConnectionError::MqttState(StateError::Deserialization(error)) => Some(error),
        error => Some(error),
    };
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // What an I/O error holds is not among its sources.
            return match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => Some(error.into()),
                None => (handshake && TlsLoss::is_closing(io.kind())).then_some(TlsLoss::Closed),
            };
        }
        cause = error.source();
    }
    match error {
        ConnectionError::Tls(other) => Some(TlsLoss::Other(other.to_string())),
        ConnectionError::MqttState(StateError::ConnectionAborted) if handshake => Some(TlsLoss::Closed),
        _ => None,
    }
}

fn refused(code: ConnectReturnCode) -> String {
    format!("{code:?}")
}

const fn ack(reason: PubAckReason) -> Ack {
    match reason {
        PubAckReason::Success => Ack::Taken,
        PubAckReason::NoMatchingSubscribers => Ack::NobodyListening,
        PubAckReason::NotAuthorized => Ack::Refused(Refusal::NotAuthorised),
        PubAckReason::QuotaExceeded => Ack::Refused(Refusal::QuotaExceeded),
        PubAckReason::TopicNameInvalid => Ack::Refused(Refusal::TopicInvalid),
        PubAckReason::PayloadFormatInvalid => Ack::Refused(Refusal::PayloadInvalid),
        PubAckReason::UnspecifiedError => Ack::Refused(Refusal::Other(0x80)),
        PubAckReason::ImplementationSpecificError => Ack::Refused(Refusal::Other(0x83)),
        PubAckReason::PacketIdentifierInUse => Ack::Refused(Refusal::Other(0x91)),
    }
}
