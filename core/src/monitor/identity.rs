//! Who a device is, and whether it is another than at first (R1.6).
//!
//! A monitor that is carried to the next bed with its cable in it, or an adapter in another socket, shows the
//! values of somebody else under this patient's name. What tells is a serial number, a model, the adapter's serial
//! number behind the name of a socket, or another protocol on the same line. Two devices of one make without any
//! of these cannot be told apart.

use serde::{Deserialize, Serialize};

use crate::monitor::alarm::Priority;
use crate::monitor::bed::Bed;
use crate::monitor::input::DeviceIndex;
use crate::sample::{IdentityPart, Text};

/// The parts that do not change while a device stays the same one. An id can be set by a user; the form of a
/// firmware revision is not known of every device.
const PARTS: [IdentityPart; 4] =
    [IdentityPart::Serial, IdentityPart::Model, IdentityPart::Adapter, IdentityPart::Protocol];

/// Who one device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// As a person has accepted it, or as it was first told, in the order of [`PARTS`].
    known: [Option<Text>; PARTS.len()],
    /// As it was last told.
    now: [Option<Text>; PARTS.len()],
}

impl Identity {
    /// Takes what was told of it.
    pub(super) fn take(&mut self, part: IdentityPart, text: Text) {
        let Some(place) = PARTS.iter().position(|known| *known == part) else { return };
        if let (Some(known), Some(now), false) =
            (self.known.get_mut(place), self.now.get_mut(place), text.as_str().is_empty())
        {
            // A longer name tells more than its beginning did.
            if known.is_none_or(|known| part == IdentityPart::Model && begins(known, text)) {
                *known = Some(text);
            }
            *now = Some(text);
        }
    }

    /// The one that is there now is the right one.
    pub(super) const fn accept(&mut self) {
        self.known = self.now;
    }

    /// Whether it is another one than was known.
    pub(super) fn is_another(&self) -> bool {
        PARTS.iter().zip(self.known.iter().zip(&self.now)).any(|(part, texts)| match texts {
            // A long name comes in parts: its beginning is no other name. A number is whole.
            (Some(known), Some(now)) => known != now && (*part != IdentityPart::Model || !begins(*now, *known)),
            _ => false,
        })
    }
}

fn begins(beginning: Text, name: Text) -> bool {
    name.as_str().starts_with(beginning.as_str())
}

impl Bed {
    /// A part of the identity of a device. What speaks another protocol has not said that its own alarm is off, and
    /// may never say that it is on (R10.5).
    pub(super) fn take_identity(&mut self, device: DeviceIndex, part: IdentityPart, text: Text) {
        let index = usize::from(device.0);
        let (Some(identity), Some(way)) = (self.state.identities.get_mut(index), self.state.links.get_mut(index))
        else {
            return;
        };
        let before = *identity;
        identity.take(part, text);
        if part == IdentityPart::Protocol && *identity != before {
            way.own_alarm_off = false;
        }
    }

    /// A person says that the devices that are there now are this patient's.
    pub(super) fn accept_devices(&mut self) {
        self.state.identities.iter_mut().for_each(Identity::accept);
    }

    /// How grave it is that a device is another one than before.
    pub(super) fn another_device(&self) -> Option<Priority> {
        self.state.identities.iter().any(Identity::is_another).then_some(Priority::Medium)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::from_device(text.as_bytes())
    }

    #[test]
    fn a_part_that_changes_is_another_device_until_it_is_the_old_one_or_accepted() {
        let mut identity = Identity::default();
        identity.take(IdentityPart::Serial, text("A1"));
        identity.take(IdentityPart::Model, text("X"));
        assert!(!identity.is_another());
        identity.take(IdentityPart::Serial, text("B2"));
        assert!(identity.is_another());
        identity.take(IdentityPart::Serial, text("A1"));
        assert!(!identity.is_another(), "the old one is back");
        identity.take(IdentityPart::Serial, text("B2"));
        identity.accept();
        assert!(!identity.is_another());
        identity.take(IdentityPart::Serial, text("A1"));
        assert!(identity.is_another(), "now the first one is another");
    }

    #[test]
    fn a_longer_name_tells_more_than_its_beginning_and_a_number_is_whole() {
        let mut identity = Identity::default();
        for name in ["CMS50D", "CMS50D+ 4.6", "CMS50D"] {
            identity.take(IdentityPart::Model, text(name));
            assert!(!identity.is_another(), "{name}");
        }
        identity.take(IdentityPart::Model, text("CMS50D-BT"));
        assert!(identity.is_another());
        for part in [IdentityPart::Serial, IdentityPart::Adapter, IdentityPart::Protocol] {
            let mut identity = Identity::default();
            identity.take(part, text("A1"));
            identity.take(part, text("A10"));
            assert!(identity.is_another(), "{part:?}");
        }
    }

    #[test]
    fn a_name_that_comes_in_parts_an_empty_one_and_what_a_user_can_set_are_no_other_device() {
        let mut identity = Identity::default();
        for (part, name) in [
            (IdentityPart::Model, "CMS50D"),
            (IdentityPart::Model, "CMS50D+ 4.6"),
            (IdentityPart::Model, "CMS50D"),
            (IdentityPart::Model, " "),
            (IdentityPart::DeviceId, "ward 1"),
            (IdentityPart::DeviceId, "ward 2"),
            (IdentityPart::Firmware, "0x29"),
            (IdentityPart::Firmware, "0x30"),
        ] {
            identity.take(part, text(name));
            assert!(!identity.is_another(), "{part:?} {name}");
        }
    }
}
