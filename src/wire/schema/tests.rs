//! Proves that schema and type are the same thing: whatever a schema describes, every word and every key of it, the type
//! reads and writes back unchanged.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::message::{self, Message};
use crate::wire::{
    Alarm, Command, Device, Envelope, Event, Heartbeat, Latency, Oximetry, Pleth, Pressure, Reply, Session, Slot,
    State, Status,
};

/// Samples of what a schema describes: all keys are there, and each alternative is in at least one of them.
fn samples(schema: &Value, root: &Value) -> Vec<Value> {
    if let Some(at) = schema["$ref"].as_str() {
        return samples(root.pointer(at.strip_prefix('#').unwrap()).unwrap(), root);
    }
    if let Some(constant) = schema.get("const") {
        return vec![constant.clone()];
    }
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for property in schema["properties"].as_object().into_iter().flatten() {
        parts.push(samples(property.1, root).into_iter().map(|value| json!({ property.0: value })).collect());
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        parts.push(samples(all, root));
    }
    for one in [&schema["oneOf"], &schema["anyOf"]] {
        parts.extend(one.as_array().map(|one| one.iter().flat_map(|one| samples(one, root)).collect()));
    }
    if parts.is_empty() { vec![plain_sample(schema, root)] } else { together(&parts) }
}

/// One whole of each part, of which one part varies at a time.
fn together(parts: &[Vec<Value>]) -> Vec<Value> {
    let varied = parts.iter().enumerate().flat_map(|(varies, part)| part.iter().map(move |value| (varies, value)));
    let mut all: Vec<Value> = varied
        .map(|(varies, value)| {
            let chosen = parts.iter().enumerate().map(|(index, part)| if index == varies { value } else { &part[0] });
            chosen.fold(json!({}), merge)
        })
        .collect();
    all.dedup();
    all
}

fn merge(whole: Value, part: &Value) -> Value {
    match (whole, part) {
        (Value::Object(mut whole), Value::Object(part)) => {
            whole.extend(part.clone());
            Value::Object(whole)
        }
        (_, part) => part.clone(),
    }
}

fn plain_sample(schema: &Value, root: &Value) -> Value {
    let text = |pattern: &str| match pattern {
        "^[a-z0-9-]{1,32}$" => "room-1",
        pattern if pattern.starts_with("^(box|bed|station)/") => "bed/room-1/alarm/spo2-low",
        pattern if pattern.starts_with("^[0-9]{6,10}-") => "000042-9f3a1c",
        pattern if pattern.ends_with("Z$") => "2026-11-22T09:30:00.250Z",
        other => panic!("no sample of {other}"),
    };
    match schema["type"].as_str() {
        Some("string") => schema["pattern"].as_str().map_or("words", text).into(),
        Some("boolean") => json!(true),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("array") => Value::Array(samples(&schema["items"], root)),
        Some("object") => {
            let entry = |(pattern, value): (&String, &Value)| (text(pattern).to_owned(), plain_sample(value, root));
            Value::Object(
                schema["patternProperties"].as_object().into_iter().flatten().map(entry).collect::<Map<_, _>>(),
            )
        }
        None if schema == &json!({}) => json!({}),
        other => panic!("no sample of {other:?} in {schema}"),
    }
}

fn is_the_same_as<T: Serialize + DeserializeOwned>(message: &Message) -> &'static str {
    let schema = message.schema().unwrap().to_value();
    let samples = samples(&schema, &schema);
    for sample in &samples {
        let read: T = serde_json::from_value(sample.clone())
            .unwrap_or_else(|error| panic!("{}: {error}: {sample}", message.name));
        assert_eq!(&serde_json::to_value(&read).unwrap(), sample, "{}", message.name);
    }
    message.name
}

#[test]
fn what_a_schema_describes_the_type_reads_and_writes_back_unchanged() {
    let held = [
        is_the_same_as::<Envelope<Status>>(&message::STATUS),
        is_the_same_as::<Envelope<Heartbeat>>(&message::HEARTBEAT),
        is_the_same_as::<Envelope<Latency>>(&message::LATENCY),
        is_the_same_as::<Envelope<Oximetry>>(&message::OXIMETRY),
        is_the_same_as::<Envelope<Pressure>>(&message::PRESSURE),
        is_the_same_as::<Envelope<Event>>(&message::EVENT),
        is_the_same_as::<Envelope<Pleth>>(&message::PLETH),
        is_the_same_as::<Envelope<Slot<State>>>(&message::STATE),
        is_the_same_as::<Envelope<Slot<Session>>>(&message::SESSION),
        is_the_same_as::<Envelope<Slot<Alarm>>>(&message::ALARM),
        is_the_same_as::<Envelope<Slot<Device>>>(&message::DEVICE),
        is_the_same_as::<Command>(&message::COMMAND),
        is_the_same_as::<Reply>(&message::REPLY),
    ];
    let with_schema = message::ALL.iter().filter(|message| message.schema().is_some()).map(|message| message.name);
    assert_eq!(with_schema.collect::<BTreeSet<_>>(), BTreeSet::from(held));
}

#[test]
fn no_description_speaks_of_our_source() {
    for (path, document) in super::documents() {
        let text = document.to_string();
        for ours in ["[`", "Slot<", "::{", "crate", "null\"", "uint"] {
            assert!(!text.contains(ours), "{path} has {ours:?}");
        }
    }
}
