//! Somebody at the encrypted listener with a client of their own: says what no vitalsd would say, and sees how the
//! broker answers.

use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, PubAckReason,
    PublishOptions, PublishProperties, QoS, TlsConfiguration, Transport,
};
use tokio::time::timeout;
use vitalsd::mqtt::tls::Identity;

use super::PATIENCE;
use super::clinic::Clinic;

/// What a guest hears: topic, payload, and where an answer is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub topic: String,
    pub payload: String,
    pub response_topic: Option<String>,
}

/// A connection.
pub struct Guest {
    client: AsyncClient,
    events: EventLoop,
    heard: VecDeque<Said>,
}

impl Guest {
    /// Comes in as `user` with the password.
    pub async fn named(clinic: &Clinic, user: &str) -> Self {
        let mut options = options(clinic, None);
        options.set_credentials(user, Clinic::password(user));
        Self::enter(options).await.unwrap_or_else(|why| panic!("{user} is not let in: {why:?}\n{}", clinic.log()))
    }

    /// The same, with a last will.
    pub async fn with_will(clinic: &Clinic, user: &str, topic: &str, payload: &str) -> Result<Self, ConnectionError> {
        let mut options = options(clinic, None);
        options.set_credentials(user, Clinic::password(user));
        options.set_last_will(LastWill::new(topic, payload.to_owned(), QoS::AtLeastOnce, true, None));
        Self::enter(options).await
    }

    /// Comes in by a certificate.
    pub async fn proved(clinic: &Clinic, identity: &Identity) -> Self {
        Self::enter(options(clinic, Some(identity))).await.expect("let in")
    }

    /// How the broker refuses somebody with these credentials.
    pub async fn refused(clinic: &Clinic, login: Option<(&str, &str)>) -> ConnectReturnCode {
        let mut options = options(clinic, None);
        if let Some((user, password)) = login {
            options.set_credentials(user, password.to_owned());
        }
        match Self::enter(options).await {
            Err(ConnectionError::ConnectionRefused(code)) => code,
            Err(other) => panic!("not refused, but {other}"),
            Ok(_) => panic!("let in"),
        }
    }

    async fn enter(options: MqttOptions) -> Result<Self, ConnectionError> {
        let (client, events) = AsyncClient::builder(options).capacity(16).build();
        let mut guest = Self { client, events, heard: VecDeque::new() };
        while !matches!(guest.turn().await?, Packet::ConnAck(_)) {}
        Ok(guest)
    }

    /// Listens to `filter` from now on.
    pub async fn listen(&mut self, filter: &str) {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).expect("a place in the queue");
        while !matches!(self.turn().await.expect("a connection"), Packet::SubAck(_)) {}
    }

    /// Says something: how the broker takes it.
    pub async fn say(&mut self, topic: &str, payload: &str, retain: bool) -> PubAckReason {
        self.publish(topic, payload, PublishOptions::new(QoS::AtLeastOnce).retain(retain)).await
    }

    /// Asks something.
    pub async fn ask(&mut self, topic: &str, payload: &str, answer: &str) -> PubAckReason {
        let properties = PublishProperties { response_topic: Some(answer.to_owned()), ..PublishProperties::default() };
        self.publish(topic, payload, PublishOptions::new(QoS::AtLeastOnce).properties(properties)).await
    }

    async fn publish(&mut self, topic: &str, payload: &str, options: PublishOptions) -> PubAckReason {
        self.client.try_publish(topic, payload.to_owned(), options).expect("a place in the queue");
        loop {
            if let Packet::PubAck(ack) = self.turn().await.expect("a connection") {
                return ack.reason;
            }
        }
    }

    /// Everything heard up to a message on `last`, without that.
    pub async fn hears_until(&mut self, last: &str) -> Vec<Said> {
        let mut all = Vec::new();
        loop {
            while let Some(said) = self.heard.pop_front() {
                if said.topic == last {
                    return all;
                }
                all.push(said);
            }
            self.turn().await.expect("a connection");
        }
    }

    /// The next `count` messages.
    pub async fn hears(&mut self, count: usize) -> Vec<Said> {
        while self.heard.len() < count {
            self.turn().await.expect("a connection");
        }
        self.heard.drain(..count).collect()
    }

    /// The next incoming packet; messages are kept.
    async fn turn(&mut self) -> Result<Packet, ConnectionError> {
        loop {
            let event = timeout(PATIENCE, self.events.poll()).await.expect("the broker says nothing")?;
            let Event::Incoming(packet) = event else { continue };
            if let Packet::Publish(publish) = &packet {
                self.heard.push_back(Said {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: String::from_utf8_lossy(&publish.payload).into_owned(),
                    response_topic: publish.properties.as_ref().and_then(|all| all.response_topic.clone()),
                });
            }
            return Ok(packet);
        }
    }
}

fn options(clinic: &Clinic, identity: Option<&Identity>) -> MqttOptions {
    let mut options = MqttOptions::new(format!("guest-{:08x}", fastrand::u32(..)), ("127.0.0.1", clinic.tls));
    let read = |file| fs::read(file).expect("a file");
    options.set_connect_timeout(Duration::from_secs(10)).set_transport(Transport::tls_with_config(
        TlsConfiguration::Simple {
            ca: read(&clinic.authority.ca()),
            alpn: None,
            client_auth: identity.map(|Identity { certificate, key }| (read(certificate), read(key))),
        },
    ));
    options
}
