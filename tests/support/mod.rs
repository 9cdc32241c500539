//! What several tests need: a broker of their own, and an ear on it.
#![allow(dead_code, reason = "each test uses its part of it")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

pub mod authority;
pub mod bedside;
pub mod chaos;
pub mod clinic;
pub mod contract;
pub mod fake_box;
pub mod guest;
pub mod mosquitto;
pub mod proxy;

pub use mosquitto::Broker;

use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, PublishProperties, QoS};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Longer than anything here takes, shorter than a patience.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The same for what is awaited among other messages, delays of alarms included.
const LONG: Duration = Duration::from_secs(60);

/// A message as a subscriber sees it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
    pub response_topic: Option<String>,
    pub correlation: Option<Vec<u8>>,
    pub at: Instant,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }

    /// Whether it is on the topic of that name.
    pub fn on(&self, topic: &str) -> bool {
        self.topic.ends_with(topic)
    }

    /// Whether a field of it says so.
    pub fn says(&self, field: &str, value: impl Into<Value>) -> bool {
        self.json()[field] == value.into()
    }
}

/// What was heard last, for whoever must find out why something was not.
fn tail(all: &[Heard]) -> String {
    let told = all.iter().rev().filter(|heard| !heard.on("/oximetry") && !heard.on("/state")).take(12);
    told.map(|heard| format!("\n{} {}", heard.topic, String::from_utf8_lossy(&heard.payload))).collect()
}

/// A subscriber on a thread of its own, so that the thread under test cannot hold it up.
pub struct Ear {
    heard: mpsc::UnboundedReceiver<Heard>,
    client: AsyncClient,
}

impl Ear {
    /// Listens to `filter`, from the moment that this returns.
    pub fn on(port: u16, filter: &str) -> Self {
        let (tx, heard) = mpsc::unbounded_channel();
        let (ready, listening) = oneshot::channel();
        let mut options = MqttOptions::new(format!("ear-{:08x}", fastrand::u32(..)), ("127.0.0.1", port));
        options.set_keep_alive(30).set_max_packet_size(Some(1 << 20));
        let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
        client.try_subscribe(filter, QoS::AtLeastOnce).expect("a place in the queue");
        thread::spawn(move || {
            let mut ready = Some(ready);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                while let Ok(event) = events.poll().await {
                    match event {
                        Event::Incoming(Packet::SubAck(_)) => drop(ready.take().map(|ready| ready.send(()))),
                        Event::Incoming(Packet::Publish(publish)) => {
                            let properties = publish.properties.unwrap_or_default();
                            let heard = Heard {
                                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                                payload: publish.payload.to_vec(),
                                retained: publish.retain,
                                response_topic: properties.response_topic,
                                correlation: properties.correlation_data.map(|c| c.to_vec()),
                                at: Instant::now(),
                            };
                            if tx.send(heard).is_err() {
                                break;
                            }
                        }
                        _ => {}
                    }
                }
            });
        });
        thread::spawn(move || listening.blocking_recv()).join().expect("a thread").expect("a SUBACK");
        Self { heard, client }
    }

    /// The next message.
    pub async fn next(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("nothing was heard").expect("the ear fell off")
    }

    /// The next message for which `wanted` holds; the others are dropped.
    pub async fn next_where(&mut self, wanted: impl Fn(&Heard) -> bool) -> Heard {
        loop {
            let heard = self.next().await;
            if wanted(&heard) {
                return heard;
            }
        }
    }

    /// Everything up to the first message for which `wanted` holds, that one last.
    pub async fn all_until(&mut self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let until = Instant::now() + LONG;
        let mut all: Vec<Heard> = Vec::new();
        while !all.last().is_some_and(&wanted) {
            let heard = tokio::time::timeout_at(until.into(), self.heard.recv()).await;
            all.push(heard.unwrap_or_else(|_| panic!("{what}: not heard, but {}", tail(&all))).expect("a living ear"));
        }
        all
    }

    /// The first message for which `wanted` holds; the others are dropped.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Heard {
        self.all_until(what, wanted).await.pop().expect("the last one")
    }

    /// What has been heard so far and not been looked at.
    pub fn rest(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    /// Drops what has been heard so far.
    pub fn forget(&mut self) {
        while self.heard.try_recv().is_ok() {}
    }

    /// Whether nothing more has been heard so far.
    pub fn is_silent(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }

    /// Says something itself.
    pub fn say(&self, topic: &str, payload: &[u8], retain: bool, answer: Option<(&str, &[u8])>) {
        let properties = PublishProperties {
            response_topic: answer.map(|(topic, _)| topic.to_owned()),
            correlation_data: answer.map(|(_, data)| data.to_vec().into()),
            ..PublishProperties::default()
        };
        self.say_with(topic, payload, retain, properties);
    }

    /// The same with properties of the caller's choice.
    pub fn say_with(&self, topic: &str, payload: &[u8], retain: bool, properties: PublishProperties) {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain).properties(properties);
        self.client.try_publish(topic, payload, options).expect("a place in the queue");
    }
}
