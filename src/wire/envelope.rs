//! What stands around every message: who says it, in which life of the box, in which order, and when.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::clock::WallTime;
use super::topic::{Id, Topic};

/// A message with what every payload carries. `(box, boot_id, stream, seq)` is the key by which a
/// receiver drops duplicates, which QoS 1 allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<T> {
    /// Which box says it.
    pub r#box: Id,
    /// In which of its lives: nothing is counted across two of them.
    pub boot_id: BootId,
    /// The topic that it is published on, below the site.
    pub stream: Topic,
    /// Counts the messages of this stream in this life, from 1.
    pub seq: u64,
    /// When it was so, by the clock of the box; whether that is right, the heartbeat says.
    pub at: WallTime,
    /// It is late: it had to wait for the broker. Absent: it is not. Nothing replayed ever sounds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replayed: bool,
    /// What.
    #[serde(flatten)]
    pub message: T,
}

/// A message of which only the newest holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slot<T> {
    /// Counts what the bed has said in slots: within one life of the box the highest of a topic is the newest.
    pub rev: u64,
    /// What holds now.
    #[serde(flatten)]
    pub now: T,
}

impl<T: Serialize> Envelope<T> {
    /// As JSON.
    ///
    /// # Errors
    /// A message that is not a JSON object; none of [`crate::wire`] is.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut payload = Vec::with_capacity(512);
        serde_json::to_writer(&mut payload, self)?;
        Ok(payload)
    }
}

/// The payload of [`Envelope::encode`] with `"replayed": true`.
#[must_use]
pub fn replayed(payload: &[u8]) -> Vec<u8> {
    const FLAG: &[u8] = br#""replayed":true,"#;
    let Some((b'{', rest)) = payload.split_first() else { return payload.to_vec() };
    let mut flagged = Vec::with_capacity(payload.len() + FLAG.len());
    flagged.push(b'{');
    flagged.extend_from_slice(FLAG);
    flagged.extend_from_slice(rest);
    flagged
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One life of a box. Ordered by a counter that the box keeps on disk; the random part tells two
/// lives apart even if the disk was restored from a copy. As text `000042-9f3a1c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId {
    counter: u32,
    random: u32,
}

impl BootId {
    /// The life with that number; 24 bits of `random` are used.
    #[must_use]
    pub const fn new(counter: u32, random: u32) -> Self {
        Self { counter, random: random & 0x00ff_ffff }
    }

    /// The number to keep on disk.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.counter
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}-{:06x}", self.counter, self.random)
    }
}

/// A text that is not a boot id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no boot id: expected a counter and six hex digits, as in 000042-9f3a1c")]
pub struct NotABootId {
    found: String,
}

impl FromStr for BootId {
    type Err = NotABootId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (counter, random) = text.split_once('-')?;
            let plain = |part: &str, len: usize| part.len() >= len && part.bytes().all(|b| b.is_ascii_hexdigit());
            (plain(counter, 6) && plain(random, 6) && random.len() == 6).then_some(())?;
            Some(Self::new(counter.parse().ok()?, u32::from_str_radix(random, 16).ok()?))
        };
        parse().ok_or_else(|| NotABootId { found: text.chars().take(40).collect() })
    }
}

impl Serialize for BootId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BootId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for BootId {
    fn schema_name() -> Cow<'static, str> {
        "BootId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One life of a box, from one start of the daemon to the next. The decimal number before the \
                            hyphen counts the starts; the hex digits tell two lives apart if a disk was restored.",
            "type": "string", "pattern": "^[0-9]{6,10}-[0-9a-f]{6}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::host::{BoxState, Status};
    use crate::wire::topic::BoxTopic;
    use serde_json::json;

    fn envelope() -> Envelope<Status> {
        let host = Id::new("box-3").unwrap();
        Envelope {
            r#box: host,
            boot_id: BootId::new(42, 0x9f_3a1c),
            stream: Topic::Box(host, BoxTopic::Status),
            seq: 7,
            at: WallTime("2026-11-22T09:30:00.25Z".parse().unwrap()),
            replayed: false,
            message: Status {
                state: BoxState::Online,
                version: "0.1.0".into(),
                beds: vec![Id::new("room-1").unwrap()],
            },
        }
    }

    #[test]
    fn every_payload_says_who_when_and_in_which_order() {
        let payload: serde_json::Value = serde_json::from_slice(&envelope().encode().unwrap()).unwrap();
        assert_eq!(
            payload,
            json!({
                "box": "box-3", "boot_id": "000042-9f3a1c", "stream": "box/box-3/status", "seq": 7,
                "at": "2026-11-22T09:30:00.250Z", "state": "online", "version": "0.1.0", "beds": ["room-1"]
            })
        );
    }

    #[test]
    fn a_replayed_payload_differs_by_its_flag_alone() {
        let payload = envelope().encode().unwrap();
        let read: Envelope<Status> = serde_json::from_slice(&replayed(&payload)).unwrap();
        assert_eq!(read, Envelope { replayed: true, ..envelope() });
        assert_eq!(serde_json::from_slice::<Envelope<Status>>(&payload).unwrap(), envelope());
        assert_eq!(replayed(b""), b"");
    }

    #[test]
    fn boot_ids_are_ordered_by_their_counter() {
        let parse = |text: &str| text.parse::<BootId>();
        assert_eq!(parse("000042-9f3a1c"), Ok(BootId::new(42, 0x9f_3a1c)));
        assert!(parse("000042-ffffff").unwrap() < parse("000043-000000").unwrap());
        assert!(BootId::new(999_999, 0) < BootId::new(1_000_000, 0));
        assert_eq!(parse(&BootId::new(1_000_000, 1).to_string()), Ok(BootId::new(1_000_000, 1)));
        for wrong in ["", "42", "42-9f3a1c", "000042-9f3a1", "000042-9f3a1g", "000042-+f3a1c", "-00042-9f3a1c"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
