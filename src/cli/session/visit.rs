//! A visit to a bed over the broker: what the bed says of itself, and a command with its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::signing::Signer;
use crate::cli::harmless;
use crate::cli::place::Place;
use crate::mqtt::client::{Client, Request};
use crate::mqtt::{Incoming, Login};
use crate::wire::command::Action;
use crate::wire::host::BoxState;
use crate::wire::{
    BedTopic, BoxTopic, Command, Envelope, Heartbeat, Id, Reply, Root, Session, Slot, State, Status, Topic, WallTime,
};

/// Where answers are expected: below it, each user has a place that no other user may listen at.
const REPLIES: &str = "vitals-reply";
/// A box is heard every second.
const HEARD: Duration = Duration::from_secs(3);
/// How long an answer may take. After this the broker forgets the command too: what nobody waits for
/// any more is not to be carried out.
const ANSWER: Duration = Duration::from_secs(5);
const ANSWER_S: u32 = 5;
/// How long a slot may come after the answer to the command that changed it.
const SETTLE: Duration = Duration::from_secs(1);

/// What a bed and its box have said last, all of it in the same life of the box.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Look {
    /// The bed.
    pub state: Envelope<Slot<State>>,
    /// Its session; absent: not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Envelope<Slot<Session>>>,
    /// The box.
    pub heartbeat: Envelope<Heartbeat>,
}

impl Look {
    /// Now, on the clock of the box.
    pub fn now(&self) -> WallTime {
        self.heartbeat.at.max(self.state.at)
    }
}

/// A connection to a bed.
pub struct Visit {
    client: Client,
    broker: String,
    root: Root,
    bed: Id,
    answers: String,
    boxes: BTreeMap<Id, Envelope<Status>>,
    hearts: BTreeMap<Id, Envelope<Heartbeat>>,
    state: Option<Envelope<Slot<State>>>,
    session: Option<Envelope<Slot<Session>>>,
    reply: Option<(Option<Vec<u8>>, Vec<u8>)>,
}

impl Visit {
    /// Connects, and waits until the bed and its box have been heard.
    pub async fn to(bed: Id, place: Place) -> anyhow::Result<(Self, Look)> {
        let Place { broker, root, .. } = place;
        let user = broker.login.as_ref().map_or("anyone", Login::user);
        let answers = format!("{REPLIES}/{user}/{:016x}", fastrand::u64(..));
        let of_bed = |topic| root.topic(&Topic::Bed(bed, topic));
        let filters = vec![
            of_bed(BedTopic::State),
            of_bed(BedTopic::Session),
            format!("{root}/box/+/status"),
            format!("{root}/box/+/heartbeat"),
            answers.clone(),
        ];
        let mut visit = Self {
            broker: broker.to_string(),
            client: Client::connect(broker, filters).await?,
            root,
            bed,
            answers,
            boxes: BTreeMap::new(),
            hearts: BTreeMap::new(),
            state: None,
            session: None,
            reply: None,
        };
        match visit.listen_until(HEARD, Self::look).await? {
            Some(look) => Ok((visit, look)),
            None => bail!(visit.why_nothing()),
        }
    }

    /// What is known now; `None`: not all of it, or not of the same life of the box.
    pub fn look(&self) -> Option<Look> {
        let state = self.state.clone()?;
        let heartbeat = self.hearts.get(&state.r#box)?.clone();
        let life = |boot_id| boot_id == heartbeat.boot_id;
        let session = self.session.clone().filter(|session| session.r#box == state.r#box && life(session.boot_id));
        life(state.boot_id).then_some(Look { state, session, heartbeat })
    }

    /// Asks the bed, signed if somebody signs, and waits for the answer.
    pub async fn ask(
        &mut self,
        look: &Look,
        actor: Id,
        action: Action,
        signer: Option<&Signer>,
    ) -> anyhow::Result<Reply> {
        let key = format!("{:032x}", fastrand::u128(..));
        let heartbeat = &look.heartbeat;
        let command = Command {
            boot_id: heartbeat.boot_id,
            uptime_ms: heartbeat.message.uptime_ms,
            key: key.clone(),
            actor,
            action,
        };
        let topic = self.root.topic(&Topic::Bed(self.bed, BedTopic::Command));
        let payload = serde_json::to_vec(&command)?;
        let request = Request {
            user_properties: signer.map(|signer| signer.sign(&topic, &payload)).unwrap_or_default(),
            topic,
            payload,
            response_topic: Some(self.answers.clone()),
            correlation_data: Some(key.clone().into_bytes()),
            expiry_s: Some(ANSWER_S),
        };
        self.client.publish(request).await?;
        let ours = |visit: &Self| {
            let (correlation, payload) = visit.reply.as_ref()?;
            (correlation.as_deref() == Some(key.as_bytes())).then(|| payload.clone())
        };
        let Some(payload) = self.listen_until(ANSWER, ours).await? else {
            bail!(
                "{} has not answered within 5 s, and whether the command was carried out is not known: \
                 look at `vitalsd session status`, then try again",
                heartbeat.r#box
            );
        };
        harmless::read(&payload).with_context(|| {
            format!("the answer of {} cannot be read: is its vitalsd of another version?", heartbeat.r#box)
        })
    }

    /// The session once `wanted` holds; `None`: that takes too long.
    pub async fn session_when(&mut self, wanted: impl Fn(&Session) -> bool) -> anyhow::Result<Option<Session>> {
        let known = |visit: &Self| visit.look()?.session.map(|session| session.message.now);
        self.listen_until(SETTLE, |visit| known(visit).filter(&wanted)).await
    }

    /// Says goodbye.
    pub async fn end(self) {
        self.client.close().await;
    }

    async fn listen_until<T>(
        &mut self,
        patience: Duration,
        found: impl Fn(&Self) -> Option<T>,
    ) -> anyhow::Result<Option<T>> {
        let listen = async {
            loop {
                if let Some(found) = found(self) {
                    return anyhow::Ok(found);
                }
                let incoming = self.client.next().await?;
                self.take(incoming);
            }
        };
        timeout(patience, listen).await.ok().transpose()
    }

    fn take(&mut self, incoming: Incoming) {
        let Incoming { topic, payload, correlation_data, .. } = incoming;
        if topic == self.answers {
            self.reply = Some((correlation_data, payload));
            return;
        }
        match self.root.parse(&topic) {
            Some(Topic::Box(id, BoxTopic::Status)) => self.boxes.extend(read(&payload).map(|status| (id, status))),
            Some(Topic::Box(id, BoxTopic::Heartbeat)) => self.hearts.extend(read(&payload).map(|heart| (id, heart))),
            Some(Topic::Bed(_, BedTopic::State)) => self.state = read(&payload),
            Some(Topic::Bed(_, BedTopic::Session)) => self.session = read(&payload),
            _ => {}
        }
    }

    /// What was found instead of the bed, and what to do about it.
    fn why_nothing(&self) -> String {
        let Self { bed, broker, root, .. } = self;
        let of = |status: &Status| status.beds.iter().map(Id::as_str).collect::<Vec<_>>().join(", ");
        let watching = self.boxes.iter().find(|(_, status)| status.message.beds.contains(bed));
        match watching {
            Some((id, status)) if status.message.state == BoxState::Stopped => {
                format!("{id}, the box of {bed}, was stopped: start it with `systemctl start vitalsd` on the box")
            }
            Some((id, status)) if status.message.state == BoxState::Lost => format!(
                "the broker has lost {id}, the box of {bed}, and nobody watches the bed from here: \
                 go there, and look whether the box runs and its network is connected"
            ),
            Some((id, _)) if !self.hearts.contains_key(id) => format!(
                "{id}, the box of {bed}, has not been heard for {} s: look whether it runs and its network is connected",
                HEARD.as_secs()
            ),
            Some((id, _)) => {
                format!("{id} is there, but has said nothing about {bed}: is its vitalsd of another version?")
            }
            None if self.boxes.is_empty() && self.hearts.is_empty() => format!(
                "no box is to be found at site {} on the broker {broker}: does `vitalsd run` run, \
                 and are broker and site those of its configuration?",
                root.site()
            ),
            None => {
                let known = self.boxes.iter().map(|(id, status)| format!("{id} has {}", of(&status.message)));
                format!("no box at site {} has a bed {bed}: {}", root.site(), known.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// A payload of the contract; `None`: empty, or not of this version.
fn read<T: DeserializeOwned>(payload: &[u8]) -> Option<Envelope<T>> {
    harmless::read(payload).ok()
}
