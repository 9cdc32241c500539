//! `vitalsd schema`: the contract, for an integrator and the tools of one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use super::broken_pipe_is_no_error;
use crate::wire::schema;

/// Print the contract of every message on MQTT, as an AsyncAPI 3 document.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vitalsd schema > asyncapi.json
  vitalsd schema | jq -r '.channels[].address'
  vitalsd schema --output contract        # contract/asyncapi.json, contract/schemas/oximetry.json, ...")]
pub struct Schema {
    /// Write it into this directory instead, and beside it a JSON Schema (2020-12) for every message.
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.output {
            Some(directory) => schema::documents().iter().try_for_each(|(path, document)| {
                let path = directory.join(path);
                write(&path, document).with_context(|| format!("cannot write {}", path.display()))
            }),
            None => {
                let text = text(&schema::asyncapi::document())?;
                io::stdout().lock().write_all(text.as_bytes()).or_else(broken_pipe_is_no_error)
            }
        }
    }
}

fn write(path: &Path, document: &Value) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    Ok(fs::write(path, text(document)?)?)
}

fn text(document: &Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
