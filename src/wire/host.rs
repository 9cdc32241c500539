//! What a box says about itself: status (its will), heartbeat, latency.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::topic::{Id, Topic};

/// `box/{box}/status`. `lost` is spoken by the broker in the box's name, so it is to be believed
/// whatever its `seq`; its `at` is when the connection was made that was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Whether it watches.
    pub state: BoxState,
    /// The version of vitalsd.
    pub version: String,
    /// The ids of its beds.
    pub beds: Vec<Id>,
}

/// How a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoxState {
    /// It watches.
    Online,
    /// It was stopped by a person.
    Stopped,
    /// The broker has lost it.
    Lost,
}

/// `box/{box}/heartbeat`: every second, never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// Counts up by one a second.
    pub counter: u64,
    /// Since the start of vitalsd, on its monotonic clock; a command repeats the newest it has seen.
    pub uptime_ms: u64,
    /// Whether the wall clock is set from a source to be trusted.
    pub clock_trusted: bool,
    /// Messages that wait for the broker.
    pub queued: u64,
    /// The newest `seq` of every log by its stream, so that a receiver knows what it lacks.
    pub last_seq: BTreeMap<Topic, u64>,
}

/// `box/{box}/latency`: how long each stage takes, since the start of vitalsd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// From the return of a read to samples.
    pub decode: Percentiles,
    /// From samples to events.
    pub decide: Percentiles,
    /// From events to bytes handed to the socket.
    pub send: Percentiles,
    /// From events to the broker's confirmation.
    pub confirm: Percentiles,
}

/// The percentiles of one stage, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Half took no longer.
    pub p50_us: u64,
    /// 99 % took no longer.
    pub p99_us: u64,
    /// 99.9 % took no longer.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::topic::BedTopic;
    use serde_json::{json, to_value};

    #[test]
    fn a_heartbeat_tells_what_a_receiver_must_have() {
        let stream = Topic::Bed(Id::new("room-1").unwrap(), BedTopic::Event);
        let beat = Heartbeat {
            counter: 12,
            uptime_ms: 12_003,
            clock_trusted: true,
            queued: 0,
            last_seq: BTreeMap::from([(stream, 41)]),
        };
        let json = to_value(&beat).unwrap();
        assert_eq!(
            json,
            json!({
                "counter": 12, "uptime_ms": 12_003, "clock_trusted": true, "queued": 0,
                "last_seq": { "bed/room-1/event": 41 }
            })
        );
        assert_eq!(serde_json::from_value::<Heartbeat>(json).unwrap(), beat);
    }
}
