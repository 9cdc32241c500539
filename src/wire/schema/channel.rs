//! The topics as channels: an address with parameters in place of ids, and what is said there.

use vitalsd_core::monitor::output::Condition;

use super::message::{self, Message};
use crate::wire::topic::{BedTopic, BoxTopic, Id, Kind, Terms, Topic};

/// A topic of the contract, for every site, box, bed, device and station.
#[derive(Debug)]
pub struct Channel {
    /// Below the site, as `bed/{bed}/alarm/{condition}`.
    pub address: String,
    /// What is said there.
    pub message: Message,
    /// Who says it.
    pub speaker: Speaker,
    /// How it is published.
    pub terms: Terms,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A box.
    Box,
    /// Whoever asks something of a box, or lets it know of itself.
    Station,
}

/// A parameter of an address.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// An id that nobody uses, to find its place in a topic.
    mark: &'static str,
}

/// What stands for an id in an address.
pub const PARAMETERS: [Parameter; 4] = [
    Parameter { name: "box", about: "The id of a box, of the letters a-z, digits and hyphens.", mark: "mark-of-box" },
    Parameter { name: "bed", about: "The id of a bed, an alias that the clinic chose.", mark: "mark-of-bed" },
    Parameter { name: "device", about: "The id of a device of the bed.", mark: "mark-of-device" },
    Parameter { name: "station", about: "The id of a nurses' station.", mark: "mark-of-station" },
];

/// Every channel.
#[must_use]
pub fn all() -> Vec<Channel> {
    examples().iter().map(Channel::of).collect()
}

/// One topic of each kind. What is missing here, `tests/contract.rs` finds.
fn examples() -> Vec<Topic> {
    let [host, bed, device, station] = PARAMETERS.map(|parameter| Id::new(parameter.mark).ok());
    let (Some(host), Some(bed), Some(device), Some(station)) = (host, bed, device, station) else { return Vec::new() };
    let boxes = [BoxTopic::Status, BoxTopic::Heartbeat, BoxTopic::Latency].map(|topic| Topic::Box(host, topic));
    let beds = [
        BedTopic::Alarm(Condition::Help),
        BedTopic::State,
        BedTopic::Session,
        BedTopic::Device(device),
        BedTopic::Oximetry,
        BedTopic::Pressure,
        BedTopic::Event,
        BedTopic::Pleth,
        BedTopic::Command,
        BedTopic::Receipt,
    ];
    boxes.into_iter().chain(beds.map(|topic| Topic::Bed(bed, topic))).chain([Topic::StationPresence(station)]).collect()
}

impl Channel {
    /// The channel of a topic of which the ids are marks.
    fn of(topic: &Topic) -> Self {
        let (speaker, message) = match topic {
            Topic::Box(_, BoxTopic::Status) => (Speaker::Box, message::STATUS),
            Topic::Box(_, BoxTopic::Heartbeat) => (Speaker::Box, message::HEARTBEAT),
            Topic::Box(_, BoxTopic::Latency) => (Speaker::Box, message::LATENCY),
            Topic::Bed(_, BedTopic::Oximetry) => (Speaker::Box, message::OXIMETRY),
            Topic::Bed(_, BedTopic::Pressure) => (Speaker::Box, message::PRESSURE),
            Topic::Bed(_, BedTopic::Event) => (Speaker::Box, message::EVENT),
            Topic::Bed(_, BedTopic::Pleth) => (Speaker::Box, message::PLETH),
            Topic::Bed(_, BedTopic::State) => (Speaker::Box, message::STATE),
            Topic::Bed(_, BedTopic::Session) => (Speaker::Box, message::SESSION),
            Topic::Bed(_, BedTopic::Alarm(_)) => (Speaker::Box, message::ALARM),
            Topic::Bed(_, BedTopic::Device(_)) => (Speaker::Box, message::DEVICE),
            Topic::Bed(_, BedTopic::Command) => (Speaker::Station, message::COMMAND),
            Topic::Bed(_, BedTopic::Receipt) => (Speaker::Station, message::RECEIPT),
            Topic::StationPresence(_) => (Speaker::Station, message::PRESENCE),
        };
        Self { address: address(topic), message, speaker, terms: topic.terms() }
    }

    /// The names of the parameters in its address.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        let names = PARAMETERS.iter().map(|parameter| parameter.name).chain(["condition"]);
        names.filter(|name| self.address.contains(&format!("{{{name}}}")))
    }
}

fn address(topic: &Topic) -> String {
    let marked = PARAMETERS.iter().fold(topic.to_string(), |address, parameter| {
        address.replace(parameter.mark, &format!("{{{}}}", parameter.name))
    });
    match topic {
        Topic::Bed(_, BedTopic::Alarm(condition)) => marked.replace(condition.slug(), "{condition}"),
        _ => marked,
    }
}

/// What a kind of topic means for whoever reads it.
#[must_use]
pub const fn meaning(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Slot => (
            "slot",
            "A slot: retained, only the newest holds. Within one `boot_id` the highest `rev` is the newest. It is published \
             again after every reconnection of the box, and never replayed.",
        ),
        Kind::Log => (
            "log",
            "A log: never retained, and `seq` has no hole within one `boot_id`. What had to wait for the broker comes later, \
             in order, with `replayed`: true. A message that will never come is told by the event `gap`.",
        ),
        Kind::Ephemeral => ("ephemeral", "For now only: neither retained nor replayed, and what is lost is lost."),
    }
}
