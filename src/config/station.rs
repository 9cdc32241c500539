//! The sections `[[station]]`: who may command the beds of this box, by the key that signs for them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::broker::Broker;
use super::secret::{self, Secret, SecretsError};
use super::settings::id;
use super::table::Table;
use crate::wire::signature::{Key, NotAKey};

/// A station that may command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its id, as commands name it.
    pub id: String,
    /// The file with its key.
    pub key_file: PathBuf,
}

/// Why a file gives no key.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKey {
    /// It is not there, or not for us.
    #[error("cannot be read ({0}): check the path, and that this user may read it")]
    Unreadable(#[from] io::Error),
    /// It holds something else.
    #[error("{0}: make one by `openssl rand -hex 32`")]
    NotAKey(#[from] NotAKey),
}

impl Station {
    /// Reads the key, which blocks.
    ///
    /// # Errors
    /// The file gives none.
    pub fn open(&self) -> Result<Key, SecretsError> {
        let error = |why| SecretsError::Key { station: self.id.clone(), file: self.key_file.clone(), why };
        read_key(&self.key_file).map_err(error)
    }
}

const KEY: Secret = Secret {
    what: "station key",
    file: "key_file",
    credential: "key_credential",
    content: "a file with 64 or more hexadecimal digits in its first line, as `openssl rand -hex 32` writes them",
};

/// Reads the sections.
pub(super) fn read_all(file: &Table<'_>) -> Vec<Station> {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut fingerprints: HashMap<String, usize> = HashMap::new();
    file.sections("station", |table| {
        let id = table.require("id", id(table, "id"), "\"station-desk\"");
        let key = secret::path(table, KEY);
        if !table.has("key_file") && !table.has("key_credential") {
            table.require("key_file", None::<()>, "\"station-desk.key\"");
        }
        let (id, (span, key_file)) = (id?, key?);
        let line = table.line(table.span());
        if let Some(first) = ids.insert(id.clone(), line) {
            let found = format!("the station {id:?} is there twice, first on line {first}");
            table.error(table.span(), &found, "each station once", "remove one of the two");
        }
        match read_key(&key_file) {
            Ok(key) => {
                if let Some(first) = fingerprints.insert(key.fingerprint(), line) {
                    let found =
                        format!("{id} has the same key as the station on line {first}: each could pass for the other");
                    table.error(
                        &span,
                        &found,
                        "a key of its own for each station",
                        "make another by `openssl rand -hex 32`",
                    );
                }
            }
            // It has been reported with its mode.
            Err(UnusableKey::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {}
            // Who only looks at a bed needs no key.
            Err(UnusableKey::Unreadable(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                let found =
                    format!("the station key {} was not checked: this user may not read it", key_file.display());
                table.warn(&span, &found, KEY.content, "nothing, if the daemon's user may");
            }
            Err(why) => {
                let found = format!("the station key {} {why}", key_file.display());
                table.error(&span, &found, KEY.content, "correct the file; the station needs the same one");
            }
        }
        Some(Station { id, key_file })
    })
}

/// Warns where nobody could give a command.
pub(super) fn warn_if_nobody_may_command(file: &Table<'_>, stations: &[Station], broker: &Broker) {
    if stations.is_empty() && !super::is_loopback(&broker.host) {
        file.warn(
            file.span(),
            "NOBODY can command these beds: no session can be opened and no alarm accepted, because the broker is \
             elsewhere and no station has a key",
            "a [[station]] with `id` and `key_file` for each station that may",
            "make a key by `openssl rand -hex 32`, and see docs/commands.md",
        );
    }
}

/// The key in the first line of a file.
pub fn read_key(file: &Path) -> Result<Key, UnusableKey> {
    let text = fs::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().trim().parse()?)
}
