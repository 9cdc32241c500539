//! From the core's milliseconds to the wall clock, for the payload only: no decision depends on it (R1.1).

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use vitalsd_core::time::Time;

/// A moment on the wall clock, UTC. In JSON: RFC 3339 with milliseconds, `2026-11-22T09:30:00.250Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub Timestamp);

impl WallTime {
    /// Now, as the box believes it to be.
    #[must_use]
    pub fn now() -> Self {
        Self(Timestamp::now())
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(Self)
            .map_err(|error| de::Error::custom(format_args!("expected RFC 3339, found {text:?}: {error}")))
    }
}

impl JsonSchema for WallTime {
    fn schema_name() -> Cow<'static, str> {
        "WallTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment, RFC 3339 in UTC with milliseconds, by the clock of the box.",
            "type": "string", "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"
        })
    }
}

/// What the wall clock showed at [`Time::ZERO`]. Replaced, not corrected, when the box's clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    zero: Timestamp,
}

impl Clock {
    /// A clock that showed `zero` at [`Time::ZERO`].
    #[must_use]
    pub const fn new(zero: Timestamp) -> Self {
        Self { zero }
    }

    /// A clock that shows `wall` at `time`.
    #[must_use]
    pub fn at_time(wall: WallTime, time: Time) -> Self {
        Self { zero: wall.0.checked_sub(since_zero(time)).unwrap_or(Timestamp::MIN) }
    }

    /// What it shows at `time`.
    #[must_use]
    pub fn at(&self, time: Time) -> WallTime {
        WallTime(self.zero.checked_add(since_zero(time)).unwrap_or(Timestamp::MAX))
    }
}

fn since_zero(time: Time) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_with_milliseconds() {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        assert_eq!(clock.at(Time::ZERO).to_string(), "2026-11-22T09:30:00.000Z");
        assert_eq!(clock.at(Time::from_millis(61_250)).to_string(), "2026-11-22T09:31:01.250Z");
        assert_eq!(Clock::at_time(clock.at(Time::from_millis(5)), Time::from_millis(5)), clock);
    }

    #[test]
    fn a_time_beyond_the_calendar_does_not_panic() {
        assert_eq!(Clock::new(Timestamp::MAX).at(Time::from_millis(u64::MAX)), WallTime(Timestamp::MAX));
        assert_eq!(Clock::at_time(WallTime(Timestamp::MIN), Time::from_millis(u64::MAX)).zero, Timestamp::MIN);
    }
}
