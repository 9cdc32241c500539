//! Secrets, which stay in their files: where one is named, and whether others may read it. What cannot be read.

use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use toml::Spanned;

use super::station::UnusableKey;
use super::table::Table;
use crate::mqtt::tls::Unusable;

/// Where systemd puts the credentials of our unit; the unit itself is told by `$CREDENTIALS_DIRECTORY`.
const CREDENTIALS: &str = "/run/credentials/vitalsd.service";

/// A secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The password.
    #[error(
        "the password of the broker cannot be read from {file}: {source}. Check the path and that the daemon's user may read it"
    )]
    Password {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The key of a station.
    #[error("the key of the station {station} cannot be used: {file} {why}")]
    Key {
        /// Which station.
        station: String,
        /// The file.
        file: PathBuf,
        /// Why not.
        why: UnusableKey,
    },
    /// A file of TLS.
    #[error(transparent)]
    Tls(#[from] Unusable),
}

/// A secret, and the keys that may name it.
#[derive(Clone, Copy)]
pub(super) struct Secret {
    /// What it is.
    pub what: &'static str,
    /// The key that names its file.
    pub file: &'static str,
    /// The key that names a credential of systemd instead.
    pub credential: &'static str,
    /// What the file is to hold.
    pub content: &'static str,
}

/// The path of a secret and where it is named; reports what is wrong with it.
pub(super) fn path(table: &Table<'_>, secret: Secret) -> Option<(Range<usize>, PathBuf)> {
    let Secret { file, credential, .. } = secret;
    match (table.text(file), table.text(credential)) {
        (Some(_), Some(named)) => {
            let found = format!("`{file}` and `{credential}` are two places for one secret");
            table.error(&named.span(), &found, "one of them", "remove the other one");
            None
        }
        (Some(named), None) => {
            let path = table.beside(named.get_ref());
            check_file(table, &named.span(), &path, secret);
            Some((named.span(), path))
        }
        (None, Some(named)) => Some((named.span(), credential_path(table, &named, secret)?)),
        (None, None) => None,
    }
}

fn check_file(table: &Table<'_>, span: &Range<usize>, path: &Path, secret: Secret) {
    let Secret { what, content, .. } = secret;
    match fs::metadata(path) {
        Err(error) => {
            let found = format!("the {what} file {} cannot be found: {error}", path.display());
            let remedy = format!("correct the path, or write the {what} into that file");
            table.error(span, &found, content, &remedy);
        }
        Ok(metadata) if metadata.permissions().mode() & 0o004 != 0 => {
            let found = format!("everybody on this machine may read the {what} in {}", path.display());
            let remedy = format!("chmod 640 {}", path.display());
            table.warn(span, &found, "a file that only its owner and group may read", &remedy);
        }
        Ok(_) => {}
    }
}

/// Where systemd keeps a credential. Only the unit it is loaded for can see it: elsewhere its absence says little.
fn credential_path(table: &Table<'_>, named: &Spanned<&str>, secret: Secret) -> Option<PathBuf> {
    let Secret { what, credential, .. } = secret;
    let name = *named.get_ref();
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        let found = format!("`{credential}` is {name:?}");
        let remedy = "write the name as in LoadCredential= of the unit; a path belongs to the key with _file";
        table.error(&named.span(), &found, "the name of a systemd credential, without a path", remedy);
        return None;
    }
    let given = env::var_os("CREDENTIALS_DIRECTORY");
    let path = given.as_ref().map_or_else(|| PathBuf::from(CREDENTIALS), PathBuf::from).join(name);
    if let Err(error) = fs::metadata(&path) {
        let allowed = format!("LoadCredential={name}:/path/of/the/{}", what.replace(' ', "-"));
        if given.is_some() {
            let found = format!("systemd has given us no credential {name:?}: {error}");
            table.error(&named.span(), &found, &allowed, "load it in the unit, `systemctl edit vitalsd`");
        } else {
            let found = format!("the credential {name:?} is not to be seen here, so the {what} was not checked");
            table.warn(&named.span(), &found, &allowed, "nothing, if the unit vitalsd.service loads it");
        }
    }
    Some(path)
}
