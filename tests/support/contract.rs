//! The contract as an integrator has it, the documents below `docs/contract`, and the validators that others wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The committed documents.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/contract")
}

/// The committed AsyncAPI document.
pub fn asyncapi() -> Value {
    read(&docs().join("asyncapi.json"))
}

pub fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The channel of the document that a topic belongs to.
pub fn channel_of<'d>(document: &'d Value, topic: &str) -> Option<(&'d str, &'d Value)> {
    let parameters = &document["components"]["parameters"];
    let fits = |part: &str, found: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => parameters[name]["enum"].as_array().is_none_or(|words| words.contains(&json!(found))),
        None => part == found,
    };
    let channels = document["channels"].as_object().unwrap().iter();
    let mut found = channels.filter(|(_, channel)| {
        let Some(address) = channel["address"].as_str() else { return false };
        let (parts, found): (Vec<_>, Vec<_>) = (address.split('/').collect(), topic.split('/').collect());
        parts.len() == found.len() && parts.iter().zip(found).all(|(part, found)| fits(part, found))
    });
    let (name, channel) = found.next()?;
    assert!(found.next().is_none(), "{topic} belongs to two channels");
    Some((name, channel))
}

/// A message that was heard.
#[derive(Clone, Debug)]
pub struct Said {
    pub topic: String,
    /// The name of its schema.
    pub message: String,
    pub payload: Value,
}

/// jsonschema and ajv, with schemas that take no key which they do not know.
pub struct Validators {
    tools: PathBuf,
    dir: TempDir,
}

impl Validators {
    /// They must be there: what was not validated is not proved.
    pub fn new() -> Self {
        let tools = std::env::var_os("VITALSD_CONTRACT_TOOLS").map(PathBuf::from);
        let tools = tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/contract-tools"));
        let there = tools.join("versions").exists();
        assert!(there, "no validators in {}: run `scripts/contract-tools` first, once", tools.display());
        let dir = TempDir::new().expect("a directory");
        fs::create_dir(dir.path().join("schemas")).expect("a directory");
        for file in fs::read_dir(docs().join("schemas")).expect("schemas") {
            let file = file.expect("a file");
            let mut schema = read(&file.path());
            close(&mut schema, true);
            fs::write(dir.path().join("schemas").join(file.file_name()), schema.to_string()).expect("a file");
        }
        Self { tools, dir }
    }

    /// What each says of the messages: well, or what is wrong.
    pub fn validate(&self, said: &[Said]) -> BTreeMap<&'static str, Result<String, String>> {
        let (schemas, file) = (self.dir.path().join("schemas"), self.dir.path().join("messages.jsonl"));
        let line = |Said { topic, message, payload }: &Said| {
            json!({ "topic": topic, "message": message, "payload": payload }).to_string() + "\n"
        };
        fs::write(&file, said.iter().map(line).collect::<String>()).expect("a file");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let mut python = Command::new(self.tools.join("python/bin/python"));
        python.arg(scripts.join("contract-validate.py")).args([&schemas, &file]);
        let mut node = Command::new("node");
        node.env("NODE_PATH", self.tools.join("node/node_modules")).arg(scripts.join("contract-validate.cjs"));
        node.args([&schemas, &file, &docs().join("asyncapi.json")]);
        [("jsonschema", python), ("ajv", node)]
            .into_iter()
            .map(|(name, program)| (name, verdict(name, program)))
            .collect()
    }
}

fn verdict(name: &str, mut program: Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = program.output().unwrap_or_else(|error| panic!("{name}: {error}"));
    let (told, why) = (String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr));
    // Whoever does not come to its last line has validated nothing.
    assert!(told.trim_end().ends_with(" errors"), "{name} did not end its work:\n{told}{why}");
    if status.success() { Ok(told) } else { Err(told) }
}

/// A reader must take keys that it does not know; what we say ourselves has none. `whole`: the schema describes a value
/// and not a part of one, so that all keys are known to it.
fn close(schema: &mut Value, whole: bool) {
    let Some(object) = schema.as_object_mut() else { return };
    for (keyword, inner) in object.iter_mut() {
        match (keyword.as_str(), inner) {
            ("properties" | "patternProperties", Value::Object(inner)) => {
                inner.values_mut().for_each(|schema| close(schema, true));
            }
            ("items" | "additionalProperties", inner) => close(inner, true),
            ("$defs", Value::Object(inner)) => inner.values_mut().for_each(|schema| close(schema, false)),
            ("allOf" | "anyOf" | "oneOf", Value::Array(inner)) => {
                inner.iter_mut().for_each(|schema| close(schema, false));
            }
            _ => {}
        }
    }
    if whole {
        object.insert("unevaluatedProperties".into(), json!(false));
    }
}
