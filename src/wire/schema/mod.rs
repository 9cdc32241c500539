//! The contract as documents, made from the types themselves: a JSON Schema for every message, and the AsyncAPI
//! document that says which message goes where and on which terms.
//!
//! * [`message`]: the messages, and the schema of each.
//! * [`channel`]: the topics, and what is said on them.
//! * [`asyncapi`]: both as one document.
//! * [`word`], [`mirror`]: the types of the core that stand in payloads.
//! * [`plain`](mod@plain): what is true of every schema.

pub mod asyncapi;
pub mod channel;
pub mod message;
pub mod mirror;
pub mod plain;
#[cfg(test)]
mod tests;
pub mod word;

use serde_json::Value;

pub use word::Word;

/// The documents with the paths that they have below `docs/contract/`.
#[must_use]
pub fn documents() -> Vec<(String, Value)> {
    let schemas = message::ALL.iter().filter_map(|message| {
        let schema = message.schema()?;
        Some((format!("schemas/{}.json", message.name), schema.to_value()))
    });
    std::iter::once(("asyncapi.json".to_owned(), asyncapi::document())).chain(schemas).collect()
}
