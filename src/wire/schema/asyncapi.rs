//! The AsyncAPI 3 document: channels, operations, messages and their schemas in one.

use serde_json::{Map, Value, json};
use vitalsd_core::monitor::output::Condition;

use super::channel::{self, Channel, PARAMETERS, Speaker};
use super::message::{self, Message};
use crate::wire::topic::Kind;

/// The version of the contract, which stands in every topic too. Within 1 keys, words and topics are only added.
const VERSION: &str = "1.0.0";
/// The channel of the replies: whoever asks chooses its topic.
const REPLIES: &str = "reply";
/// The version of the MQTT bindings of operations and messages.
const BINDING: &str = "0.2.0";

const ABOUT: &str = "\
vitalsd reads the pulse oximeter and the blood-pressure monitor at a bedside, decides alarms and publishes both. It is a \
second pair of eyes: the devices' own alarms stay on and primary.

What a reader must hold to:

* Ignore keys, words and topics that you do not know: within version 1 they are only added. A key with a default may be \
absent.
* A number has its unit in its name. What is missing is an absent key beside a typed reason: never null, never 0.
* QoS 1 may deliver twice: drop what has the same `(box, boot_id, stream, seq)`.
* `boot_id` is one life of a box. Nothing is counted across two: with a new one `seq` and `rev` begin again.
* A retained alarm whose `boot_id` is not that of the box's newest heartbeat is from before a restart: show it as \
unconfirmed, never as gone.
* A topic goes silent when a network fails: what was heard last is as old as its `at`. There is no contact with a \
box if no heartbeat has come for 5 s, or its status is `lost`.
* Sound follows the alarm slots. Events and what is `replayed` never sound.";

/// The document.
#[must_use]
pub fn document() -> Value {
    let channels = channel::all();
    let mut schemas = Map::new();
    let messages: Map<String, Value> =
        message::ALL.iter().map(|message| (message.name.to_owned(), of_message(message, &mut schemas))).collect();
    let mut told: Map<String, Value> =
        channels.iter().map(|channel| (channel.message.name.to_owned(), of_channel(channel))).collect();
    told.insert(REPLIES.to_owned(), replies());
    let operations: Map<String, Value> = channels.iter().map(of_operation).collect();
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:vitalsd:v1",
        "info": { "title": "vitalsd", "version": VERSION, "description": ABOUT },
        "defaultContentType": "application/json",
        "channels": told,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas, "parameters": parameters() },
    })
}

fn of_message(message: &Message, schemas: &mut Map<String, Value>) -> Value {
    let payload = message.schema().map(|schema| {
        let mut payload = schema.to_value();
        if let Some(payload) = payload.as_object_mut() {
            // Which dialect it is, the document says; what many messages share, stands once.
            payload.remove("$schema");
            if let Some(Value::Object(shared)) = payload.remove("$defs") {
                schemas.extend(shared.into_iter().map(|(name, schema)| (name, among_components(schema))));
            }
        }
        among_components(payload)
    });
    let asks = is_command(message);
    let topic = json!({ "type": "string", "description": "Where the reply is to go: a topic that nobody else uses." });
    let data = json!({ "type": "string", "description": "Any bytes. The reply has the same." });
    let mqtt = object([
        // UTF-8, which is asked of nobody else.
        ("payloadFormatIndicator", (!asks).then(|| 1.into())),
        ("contentType", (!asks).then(|| "application/json".into())),
        ("responseTopic", asks.then_some(topic)),
        ("correlationData", asks.then_some(data)),
        ("bindingVersion", Some(BINDING.into())),
    ]);
    let bindings = payload.is_some().then(|| json!({ "mqtt": mqtt }));
    object([
        ("name", Some(message.name.into())),
        ("title", Some(message.title.into())),
        ("summary", Some(message.about.into())),
        ("payload", payload),
        ("bindings", bindings),
    ])
}

fn is_command(message: &Message) -> bool {
    message.name == message::COMMAND.name
}

/// What is there of these.
fn object<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// The same schema with its references where the document has them.
fn among_components(schema: Value) -> Value {
    match schema {
        Value::Object(object) => {
            let told = |(key, value): (String, Value)| match value {
                Value::String(at) if key == "$ref" => (key, at.replace("#/$defs/", "#/components/schemas/").into()),
                value => (key, among_components(value)),
            };
            // A relative reference would otherwise be looked for below it.
            object.into_iter().filter(|(key, _)| key != "$id").map(told).collect()
        }
        Value::Array(items) => items.into_iter().map(among_components).collect(),
        other => other,
    }
}

fn of_channel(channel: &Channel) -> Value {
    let (kind, meaning) = channel::meaning(channel.terms.kind);
    let name = channel.message.name;
    let parameter = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/parameters/{name}") }));
    let mut description = meaning.to_owned();
    if name == message::ALARM.name {
        description += " An alarm that is over is first published with `presence` off and then as an empty retained message, \
                        so that nothing is left at the broker. That there is no alarm is to be believed of a box that is online \
                        and beats, and of no other.";
    }
    json!({
        "address": format!("vitals/v1/{{site}}/{}", channel.address),
        "title": channel.message.title,
        "summary": channel.message.about,
        "description": description,
        "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
        "parameters": std::iter::once("site").chain(channel.parameters()).map(parameter).collect::<Map<_, _>>(),
        "x-kind": kind,
    })
}

fn replies() -> Value {
    json!({
        "address": null,
        "title": message::REPLY.title,
        "summary": message::REPLY.about,
        "description": "The topic is the response topic of the command, which its sender has chosen and subscribed to.",
        "messages": { REPLIES: { "$ref": "#/components/messages/reply" } },
    })
}

/// From where vitalsd stands: it sends what a box says, and receives what it is told.
fn of_operation(channel: &Channel) -> (String, Value) {
    let name = channel.message.name;
    let (action, verb) = match channel.speaker {
        Speaker::Box => ("send", "tell"),
        Speaker::Station => ("receive", "hear"),
    };
    let mqtt = object([
        ("qos", Some(channel.terms.qos.into())),
        ("retain", Some((channel.terms.kind == Kind::Slot).into())),
        ("messageExpiryInterval", channel.terms.expiry_s.map(Value::from)),
        ("bindingVersion", Some(BINDING.into())),
    ]);
    let reply = json!({
        "address": {
            "location": "$message.header#/responseTopic",
            "description": "The response topic, a property of the MQTT 5 packet. Without one there is no reply."
        },
        "channel": { "$ref": format!("#/channels/{REPLIES}") },
        "messages": [{ "$ref": format!("#/channels/{REPLIES}/messages/{REPLIES}") }],
    });
    let operation = object([
        ("action", Some(action.into())),
        ("channel", Some(json!({ "$ref": format!("#/channels/{name}") }))),
        ("messages", Some(json!([{ "$ref": format!("#/channels/{name}/messages/{name}") }]))),
        ("bindings", Some(json!({ "mqtt": mqtt }))),
        ("reply", is_command(&channel.message).then_some(reply)),
    ]);
    (format!("{verb}-{name}"), operation)
}

fn parameters() -> Map<String, Value> {
    let ids = PARAMETERS.iter().map(|parameter| (parameter.name.to_owned(), json!({ "description": parameter.about })));
    let conditions: Vec<&str> = Condition::ALL.iter().map(|condition| condition.slug()).collect();
    let condition = json!({ "description": "The name of an alarm condition.", "enum": conditions });
    let site = json!({ "description": "The id of a clinic or a ward, the same on all its boxes." });
    ids.chain([("condition".to_owned(), condition), ("site".to_owned(), site)]).collect()
}
