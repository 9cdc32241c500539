//! What is said on standard output with the time at which it was so: one JSON object a line.

use serde::{Deserialize, Serialize};
use vitalsd_core::time::Time;

use super::number::Decimal;

/// Something with the seconds since the start of a recording, or of a stream of bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed<T> {
    /// Seconds since the start.
    pub time_s: Decimal,
    /// What.
    #[serde(flatten)]
    pub what: T,
}

impl<T: Serialize> Timed<T> {
    /// `what` was so at `time`.
    #[must_use]
    pub fn new(time: Time, what: T) -> Self {
        Self { time_s: Decimal::seconds(time.since(Time::ZERO)), what }
    }

    /// As JSON, without a line end.
    ///
    /// # Errors
    /// Something that is not a JSON object; none of [`crate::wire`] is.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Event;
    use vitalsd_core::monitor::output::Phase;

    #[test]
    fn the_time_stands_first_in_seconds() {
        let phase = Event::Phase { from: Phase::Onset, to: Phase::Window };
        let line = |ms| Timed::new(Time::from_millis(ms), phase.clone()).to_line().unwrap();
        assert_eq!(line(15_000), r#"{"time_s":15,"event":"phase","from":"onset","to":"window"}"#);
        assert_eq!(line(15_320), r#"{"time_s":15.32,"event":"phase","from":"onset","to":"window"}"#);
    }
}
