//! Topics: `vitals/v1/{site}/...`, built from validated ids only, and how each is published.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use vitalsd_core::monitor::output::Condition;

/// A name in topics and payloads: `[a-z0-9-]{1,32}`. An alias that the clinic chose, never a person's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    bytes: [u8; 32],
    len: u8,
}

/// A text that is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no id: expected 1 to 32 of the letters a-z, the digits and '-'")]
pub struct NotAnId {
    found: String,
}

impl Id {
    /// Checks `text`.
    ///
    /// # Errors
    /// Empty, longer than 32, or with another letter.
    pub fn new(text: &str) -> Result<Self, NotAnId> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let mut id = Self { bytes: [0; 32], len: 0 };
        match (id.bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(bytes), Ok(len)) if len > 0 && text.bytes().all(plain) => {
                bytes.copy_from_slice(text.as_bytes());
                id.len = len;
                Ok(id)
            }
            _ => Err(NotAnId { found: text.chars().take(40).collect() }),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// A topic below the site; as text `bed/room-1/alarm/spo2-low`. Also the name of a stream of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// `box/{box}/...`
    Box(Id, BoxTopic),
    /// `bed/{bed}/...`
    Bed(Id, BedTopic),
    /// `station/{id}/presence`
    StationPresence(Id),
}

/// What a box says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoxTopic {
    /// Online, stopped or lost: the will.
    Status,
    /// Every second.
    Heartbeat,
    /// The percentiles of its stages, every 10 s.
    Latency,
}

/// What is said about a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BedTopic {
    /// Saturation, pulse, perfusion.
    Oximetry,
    /// One determination of the blood pressure.
    Pressure,
    /// The story.
    Event,
    /// The waveform.
    Pleth,
    /// The whole bed, for a late joiner.
    State,
    /// The session.
    Session,
    /// One alarm condition, while present.
    Alarm(Condition),
    /// One device.
    Device(Id),
    /// A request to the bed.
    Command,
    /// A station has painted an announcement.
    Receipt,
}

/// How a topic is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long what is said on it holds.
    pub kind: Kind,
    /// 0 or 1.
    pub qos: u8,
    /// After how many seconds the broker forgets it.
    pub expiry_s: Option<u32>,
}

/// How long what is said on a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Retained, newest wins, never replayed.
    Slot,
    /// Never retained, gap-free, replayed after an outage.
    Log,
    /// For now only: neither kept nor replayed.
    Ephemeral,
}

impl Topic {
    /// How it is published.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        use BedTopic::{Alarm, Command, Device, Event, Oximetry, Pleth, Pressure, Receipt, Session, State};
        let (kind, qos, expiry_s) = match self {
            Self::Box(_, BoxTopic::Status) => (Kind::Slot, 1, None),
            Self::Box(_, BoxTopic::Heartbeat) => (Kind::Ephemeral, 1, Some(5)),
            Self::Box(_, BoxTopic::Latency) => (Kind::Ephemeral, 0, Some(10)),
            Self::Bed(_, Oximetry | Pressure | Event) => (Kind::Log, 1, None),
            Self::Bed(_, Pleth) => (Kind::Ephemeral, 0, Some(2)),
            Self::Bed(_, State) => (Kind::Slot, 1, Some(30)),
            Self::Bed(_, Session | Alarm(_) | Device(_)) => (Kind::Slot, 1, None),
            Self::Bed(_, Command) => (Kind::Ephemeral, 1, Some(30)),
            Self::Bed(_, Receipt) | Self::StationPresence(_) => (Kind::Ephemeral, 1, Some(5)),
        };
        Terms { kind, qos, expiry_s }
    }

    /// The bed that it is about, if any.
    #[must_use]
    pub const fn bed(&self) -> Option<Id> {
        match self {
            Self::Bed(bed, _) => Some(*bed),
            Self::Box(..) | Self::StationPresence(_) => None,
        }
    }
}

/// The root of one site's tree: `vitals/v1/{site}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Root {
    site: Id,
}

impl Root {
    /// The tree of that site.
    #[must_use]
    pub const fn new(site: Id) -> Self {
        Self { site }
    }

    /// The site.
    #[must_use]
    pub const fn site(&self) -> Id {
        self.site
    }

    /// The full topic.
    #[must_use]
    pub fn topic(&self, topic: &Topic) -> String {
        format!("{self}/{topic}")
    }

    /// What a full topic of this site means; `None`: not of this site, or not of this contract.
    #[must_use]
    pub fn parse(&self, full: &str) -> Option<Topic> {
        let rest = full.strip_prefix("vitals/v1/")?.strip_prefix(self.site.as_str())?;
        rest.strip_prefix('/')?.parse().ok()
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vitals/v1/{}", self.site)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Box(id, BoxTopic::Status) => write!(f, "box/{id}/status"),
            Self::Box(id, BoxTopic::Heartbeat) => write!(f, "box/{id}/heartbeat"),
            Self::Box(id, BoxTopic::Latency) => write!(f, "box/{id}/latency"),
            Self::Bed(id, BedTopic::Alarm(condition)) => write!(f, "bed/{id}/alarm/{condition}"),
            Self::Bed(id, BedTopic::Device(device)) => write!(f, "bed/{id}/device/{device}"),
            Self::Bed(id, BedTopic::Oximetry) => write!(f, "bed/{id}/oximetry"),
            Self::Bed(id, BedTopic::Pressure) => write!(f, "bed/{id}/pressure"),
            Self::Bed(id, BedTopic::Event) => write!(f, "bed/{id}/event"),
            Self::Bed(id, BedTopic::Pleth) => write!(f, "bed/{id}/pleth"),
            Self::Bed(id, BedTopic::State) => write!(f, "bed/{id}/state"),
            Self::Bed(id, BedTopic::Session) => write!(f, "bed/{id}/session"),
            Self::Bed(id, BedTopic::Command) => write!(f, "bed/{id}/command"),
            Self::Bed(id, BedTopic::Receipt) => write!(f, "bed/{id}/receipt"),
            Self::StationPresence(id) => write!(f, "station/{id}/presence"),
        }
    }
}

/// A text that is not a topic of this contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no topic of the contract: expected one such as bed/room-1/oximetry")]
pub struct NotATopic {
    found: String,
}

impl FromStr for Topic {
    type Err = NotATopic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.split('/');
            let (kind, id, what, which) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
            if parts.next().is_some() {
                return None;
            }
            let id = Id::new(id).ok()?;
            Some(match (kind, what, which) {
                ("box", "status", None) => Self::Box(id, BoxTopic::Status),
                ("box", "heartbeat", None) => Self::Box(id, BoxTopic::Heartbeat),
                ("box", "latency", None) => Self::Box(id, BoxTopic::Latency),
                ("bed", "oximetry", None) => Self::Bed(id, BedTopic::Oximetry),
                ("bed", "pressure", None) => Self::Bed(id, BedTopic::Pressure),
                ("bed", "event", None) => Self::Bed(id, BedTopic::Event),
                ("bed", "pleth", None) => Self::Bed(id, BedTopic::Pleth),
                ("bed", "state", None) => Self::Bed(id, BedTopic::State),
                ("bed", "session", None) => Self::Bed(id, BedTopic::Session),
                ("bed", "alarm", Some(slug)) => Self::Bed(id, BedTopic::Alarm(Condition::from_slug(slug)?)),
                ("bed", "device", Some(device)) => Self::Bed(id, BedTopic::Device(Id::new(device).ok()?)),
                ("bed", "command", None) => Self::Bed(id, BedTopic::Command),
                ("bed", "receipt", None) => Self::Bed(id, BedTopic::Receipt),
                ("station", "presence", None) => Self::StationPresence(id),
                _ => return None,
            })
        };
        parse().ok_or_else(|| NotATopic { found: text.chars().take(120).collect() })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// In JSON both are strings.
macro_rules! as_string {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

as_string!(Id, Topic);

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name that the clinic chose: no person's, and no drug's.",
            "type": "string", "pattern": "^[a-z0-9-]{1,32}$"
        })
    }
}

impl JsonSchema for Topic {
    fn schema_name() -> Cow<'static, str> {
        "Stream".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A topic below `vitals/v1/{site}/`, as in bed/room-1/alarm/spo2-low.",
            "type": "string", "pattern": "^(box|bed|station)/[a-z0-9-]{1,32}/[a-z]+(/[a-z0-9-]{1,32})?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    #[test]
    fn an_id_is_lower_case_letters_digits_and_hyphens_up_to_32() {
        assert_eq!(id("room-1").as_str(), "room-1");
        assert_eq!(id(&"a".repeat(32)).as_str().len(), 32);
        for wrong in ["", "Room", "a b", "a/b", "a+", "#", "zimmer-ä", "a_b", &"a".repeat(33)] {
            assert!(Id::new(wrong).is_err(), "{wrong}");
        }
    }

    fn one_of_each() -> Vec<Topic> {
        let bed = |topic| Topic::Bed(id("room-1"), topic);
        let mut topics: Vec<_> =
            [BoxTopic::Status, BoxTopic::Heartbeat, BoxTopic::Latency].map(|t| Topic::Box(id("box-3"), t)).into();
        topics.extend(
            [
                BedTopic::Oximetry,
                BedTopic::Pressure,
                BedTopic::Event,
                BedTopic::Pleth,
                BedTopic::State,
                BedTopic::Session,
                BedTopic::Device(id("oximeter")),
                BedTopic::Command,
                BedTopic::Receipt,
            ]
            .map(bed),
        );
        topics.extend(Condition::ALL.iter().map(|condition| bed(BedTopic::Alarm(*condition))));
        topics.push(Topic::StationPresence(id("desk")));
        topics
    }

    #[test]
    fn every_topic_is_read_back_as_it_was_built() {
        let root = Root::new(id("north"));
        for topic in one_of_each() {
            assert_eq!(root.parse(&root.topic(&topic)), Some(topic), "{topic}");
        }
        let alarm = Topic::Bed(id("room-1"), BedTopic::Alarm(Condition::Spo2Low));
        assert_eq!(root.topic(&alarm), "vitals/v1/north/bed/room-1/alarm/spo2-low");
    }

    #[test]
    fn what_is_not_in_the_contract_is_not_a_topic() {
        let root = Root::new(id("north"));
        for wrong in [
            "vitals/v1/south/bed/room-1/oximetry",
            "vitals/v1/northern/bed/room-1/oximetry",
            "vitals/v2/north/bed/room-1/oximetry",
            "vitals/v1/north/bed/room-1/alarm/spo2-imagined",
            "vitals/v1/north/bed/room-1/alarm",
            "vitals/v1/north/bed/room-1/oximetry/more",
            "vitals/v1/north/bed/+/command",
            "vitals/v1/north/bed/Room/oximetry",
            "",
        ] {
            assert_eq!(root.parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_slots_are_kept_by_the_broker_and_logs_never_expire() {
        for topic in one_of_each() {
            let Terms { kind, expiry_s, .. } = topic.terms();
            assert_eq!(expiry_s.is_none(), kind == Kind::Log || is_lasting(&topic), "{topic}");
        }
        fn is_lasting(topic: &Topic) -> bool {
            topic.terms().kind == Kind::Slot && !matches!(topic, Topic::Bed(_, BedTopic::State))
        }
        let state = Topic::Bed(id("room-1"), BedTopic::State).terms();
        assert_eq!(state, Terms { kind: Kind::Slot, qos: 1, expiry_s: Some(30) });
    }
}
