//! The messages of the contract, each with its schema.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::plain::plain;
use crate::wire::{
    Alarm, Command, Device, Envelope, Event, Heartbeat, Latency, Oximetry, Pleth, Pressure, Reply, Session, Slot,
    State, Status,
};

/// A message of the contract.
#[derive(Debug)]
pub struct Message {
    /// Its name: that of its schema, and the last word of its `$id`.
    pub name: &'static str,
    /// The same for a person.
    pub title: &'static str,
    /// What it says.
    pub about: &'static str,
    make: Option<fn() -> Schema>,
}

impl Message {
    /// Its JSON Schema (2020-12; it holds for tools of draft 7 too); `None`: nobody reads the payload.
    #[must_use]
    pub fn schema(&self) -> Option<Schema> {
        let mut schema = self.make.map(|make| make())?;
        schema.insert("$id".into(), format!("urn:vitalsd:v1:{}", self.name).into());
        schema.insert("title".into(), self.title.into());
        schema.insert("description".into(), self.about.into());
        Some(schema)
    }
}

/// As it is read: what has a default may be absent, whoever wrote it.
fn read<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(plain);
    settings.into_generator().into_root_schema_for::<T>()
}

/// A message of a box in its envelope.
const fn told<T: JsonSchema>(name: &'static str, title: &'static str, about: &'static str) -> Message {
    bare::<Envelope<T>>(name, title, about)
}

/// A message without an envelope.
const fn bare<T: JsonSchema>(name: &'static str, title: &'static str, about: &'static str) -> Message {
    Message { name, title, about, make: Some(read::<T>) }
}

/// A message of which nobody reads the payload.
const fn unread(name: &'static str, title: &'static str, about: &'static str) -> Message {
    Message { name, title, about, make: None }
}

/// How a box is.
pub const STATUS: Message = told::<Status>(
    "status",
    "Status of a box",
    "How a box is. It is its will too: `lost` is spoken by the broker in the box's name and is to be believed whatever \
     its `seq`; its `at` is when the connection was made that was lost.",
);
/// That a box lives.
pub const HEARTBEAT: Message = told::<Heartbeat>(
    "heartbeat",
    "Heartbeat",
    "The box lives: every second. Whoever has heard none for 5 s shows that there is no contact, and no value of the box as new. \
     A command repeats `uptime_ms` and `boot_id` of the newest. `last_seq` tells what a receiver lacks of each log.",
);
/// How fast a box is.
pub const LATENCY: Message = told::<Latency>(
    "latency",
    "Latency of a box",
    "How long each stage takes from a byte of a device to the broker's confirmation, every 10 s, since the daemon \
     started.",
);
/// Saturation and pulse.
pub const OXIMETRY: Message = told::<Oximetry>(
    "oximetry",
    "Oximetry",
    "Saturation, pulse rate and perfusion index, on every change and at least once a second. Of each, either the value \
     with its quality is there, or the reason why it is absent.",
);
/// Blood pressure.
pub const PRESSURE: Message = told::<Pressure>(
    "pressure",
    "Blood pressure",
    "One determination of the blood pressure: the pressures that were measured, or `failure`.",
);
/// The story of a bed.
pub const EVENT: Message = told::<Event>(
    "event",
    "Event",
    "Something that happened at a bed; `event` says what. It is the story to be kept; sound follows the alarm slots and \
     never an event.",
);
/// The waveform.
pub const PLETH: Message = told::<Pleth>(
    "pleth",
    "Waveform",
    "A piece of the plethysmogram, about 200 ms long, in the device's own units. Reserved: no version publishes it yet.",
);
/// The whole bed.
pub const STATE: Message = told::<Slot<State>>(
    "state",
    "State of a bed",
    "Everything about a bed for whoever joins now: on every change, and every 5 s.",
);
/// The session.
pub const SESSION: Message = told::<Slot<Session>>(
    "session",
    "Session of a bed",
    "The phase and its times, what is known of the patient without saying who it is, and the alarm preset.",
);
/// An alarm.
pub const ALARM: Message = told::<Slot<Alarm>>(
    "alarm",
    "Alarm",
    "One alarm condition as it stands. It sounds at the stations while `sounds` is true, and at the bedside too while \
     `bedside` is.",
);
/// A device.
pub const DEVICE: Message = told::<Slot<Device>>(
    "device",
    "Device",
    "One device of a bed: whether it speaks, and how well it is understood. Never its port or its serial number.",
);
/// What is asked of a bed.
pub const COMMAND: Message = bare::<Command>(
    "command",
    "Command",
    "What a person asks of a bed; `action` says what. Without an envelope. It carries the `boot_id` and `uptime_ms` of the \
     newest heartbeat that its sender has heard, at most 30 s ago, and is never honoured when retained.",
);
/// What became of it.
pub const REPLY: Message = bare::<Reply>(
    "reply",
    "Reply to a command",
    "What became of a command, at its MQTT 5 response topic with its correlation data. Without an envelope.",
);
/// A station looks.
pub const PRESENCE: Message = unread(
    "presence",
    "Presence of a station",
    "A nurses' station looks at the beds: every 2 s. That it comes is what it says; a box reads no payload. Retained \
     ones count for nothing.",
);
/// A station has shown an alarm.
pub const RECEIPT: Message = unread(
    "receipt",
    "Receipt of a station",
    "A station has painted an announcement. Reserved: no version reads or says it yet.",
);

/// Every message.
pub const ALL: [Message; 15] = [
    STATUS, HEARTBEAT, LATENCY, OXIMETRY, PRESSURE, EVENT, PLETH, STATE, SESSION, ALARM, DEVICE, COMMAND, REPLY,
    PRESENCE, RECEIPT,
];
