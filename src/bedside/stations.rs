//! Who may command: stations, by their signature; where none is configured, whoever may publish to a broker on this box.

use std::collections::BTreeMap;

use crate::config::is_loopback;
use crate::mqtt::Incoming;
use crate::wire::Id;
use crate::wire::signature::{HMAC, Key, STATION};

/// The stations that may command this box.
#[derive(Clone, Debug, Default)]
pub struct Stations {
    keys: BTreeMap<Id, Key>,
    /// The broker is on this box.
    on_this_box: bool,
}

/// Why somebody may not command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// There are stations, and it is not signed.
    #[error("this box takes signed commands only: sign it with the key of a station of its configuration")]
    Unsigned,
    /// There are none, and it comes from elsewhere.
    #[error(
        "no station may command this box, and unsigned commands are taken only by a broker on the box itself: \
         add a [[station]] to its configuration, and sign"
    )]
    NoStation,
    /// One of the two user properties is missing.
    #[error("a signed command has two user properties, `{STATION}` and `{HMAC}`: one of them is missing")]
    Half,
    /// Not one of ours.
    #[error(
        "the user property `{STATION}` names no station of this box: correct it, or add a [[station]] to the configuration"
    )]
    Unknown,
    /// Not made by that key over these bytes.
    #[error(
        "the signature is not that of {station} over this topic and payload: is the key the same at both ends, and was \
         nothing changed after signing?"
    )]
    Wrong {
        /// Who is said to have signed.
        station: Id,
    },
}

impl Stations {
    /// Those with `keys`, for a box that talks to this broker.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = (Id, Key)>, broker: &str) -> Self {
        Self { keys: keys.into_iter().collect(), on_this_box: is_loopback(broker) }
    }

    /// The station that has signed it; `None`: nobody has, and nobody needs to.
    ///
    /// # Errors
    /// Whoever sent it may not command.
    pub fn signer(&self, incoming: &Incoming) -> Result<Option<Id>, NotAllowed> {
        let property = |wanted: &str| {
            let found = incoming.user_properties.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let (station, signature) = match (property(STATION), property(HMAC)) {
            (Some(station), Some(signature)) => (station, signature),
            (None, None) if !self.keys.is_empty() => return Err(NotAllowed::Unsigned),
            (None, None) if !self.on_this_box => return Err(NotAllowed::NoStation),
            (None, None) => return Ok(None),
            _ => return Err(NotAllowed::Half),
        };
        let station = Id::new(station).map_err(|_| NotAllowed::Unknown)?;
        let key = self.keys.get(&station).ok_or(NotAllowed::Unknown)?;
        if key.verify(&incoming.topic, &incoming.payload, signature) {
            Ok(Some(station))
        } else {
            Err(NotAllowed::Wrong { station })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "vitals/v1/clinic/bed/bed-1/command";

    fn key(digit: &str) -> Key {
        digit.repeat(64).parse().unwrap()
    }

    fn stations(broker: &str) -> Stations {
        Stations::new([(Id::new("desk").unwrap(), key("1")), (Id::new("hall").unwrap(), key("2"))], broker)
    }

    fn command(properties: &[(&str, &str)]) -> Incoming {
        Incoming {
            topic: TOPIC.into(),
            payload: b"{}".into(),
            response_topic: None,
            correlation_data: None,
            user_properties: properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            retained: false,
        }
    }

    #[test]
    fn an_unsigned_command_is_taken_only_from_a_broker_on_this_box_that_knows_no_station() {
        for (broker, alone) in [
            ("127.0.0.1", Ok(None)),
            ("::1", Ok(None)),
            ("localhost", Ok(None)),
            ("10.0.0.5", Err(NotAllowed::NoStation)),
        ] {
            assert_eq!(Stations::new([], broker).signer(&command(&[])), alone, "{broker}");
            assert_eq!(stations(broker).signer(&command(&[])), Err(NotAllowed::Unsigned), "{broker}");
        }
    }

    #[test]
    fn a_station_is_who_has_its_key() {
        let stations = stations("10.0.0.5");
        let signed = |station: &str, by: &str| {
            stations.signer(&command(&[(STATION, station), (HMAC, &key(by).sign(TOPIC, b"{}"))]))
        };
        let [desk, hall] = ["desk", "hall"].map(|id| Id::new(id).unwrap());
        assert_eq!((signed("desk", "1"), signed("hall", "2")), (Ok(Some(desk)), Ok(Some(hall))));
        assert_eq!(signed("hall", "1"), Err(NotAllowed::Wrong { station: hall }));
        assert_eq!(signed("attic", "1"), Err(NotAllowed::Unknown));
        assert_eq!(signed("no id\n", "1"), Err(NotAllowed::Unknown));
        assert_eq!(stations.signer(&command(&[(STATION, "desk")])), Err(NotAllowed::Half));
        assert_eq!(stations.signer(&command(&[(HMAC, "00")])), Err(NotAllowed::Half));
    }

    #[test]
    fn a_signature_that_cannot_be_checked_is_worth_nothing() {
        let signed = command(&[(STATION, "desk"), (HMAC, &key("1").sign(TOPIC, b"{}"))]);
        assert_eq!(Stations::new([], "127.0.0.1").signer(&signed), Err(NotAllowed::Unknown));
    }
}
