//! The section `[broker]`: where it is, how safe the way to it is, who we are there.
//!
//! Secrets stay in their files, named by a path or by a systemd credential: nothing that holds the settings can show
//! them. [`Broker::open`] reads them, once, at the start.

use std::fs;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;

use super::secret::{self, Secret, SecretsError};
use super::table::Table;
use crate::mqtt;
use crate::mqtt::tls::{Identity, Part, Tls, TlsFiles, Unusable, Why};

/// MQTT, and MQTT over TLS.
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// The MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The encrypted way; `None`: plain MQTT.
    pub tls: Option<TlsFiles>,
    /// How the box logs in; `None`: by its certificate, else anonymously.
    pub credentials: Option<Credentials>,
}

/// How the box logs in to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The file that holds the password in its first line; `None`: our certificate proves who we are.
    pub password_file: Option<PathBuf>,
}

impl Broker {
    /// Mosquitto on the box itself.
    pub(super) fn on_this_box() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: PORT, tls: None, credentials: None }
    }

    /// Whether everybody on the network can read what is said.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.tls.is_none() && !is_loopback(&self.host)
    }

    /// Reads password, certificates and key, which blocks.
    ///
    /// # Errors
    /// One of the files cannot be used.
    pub fn open(&self) -> Result<mqtt::Broker, SecretsError> {
        let tls = self.tls.as_ref().map(Tls::read).transpose()?;
        let login = self.credentials.as_ref().map(Credentials::open).transpose()?;
        Ok(mqtt::Broker { host: self.host.clone(), port: self.port, tls, login })
    }
}

impl Credentials {
    fn open(&self) -> Result<mqtt::Login, SecretsError> {
        let read = |file: &PathBuf| {
            let text = fs::read_to_string(file);
            let text = text.map_err(|source| SecretsError::Password { file: file.clone(), source })?;
            Ok::<_, SecretsError>(text.lines().next().unwrap_or_default().to_owned())
        };
        Ok(mqtt::Login::new(&self.username, self.password_file.as_ref().map(read).transpose()?))
    }
}

/// Whether nobody but this box can listen in. A name other than `localhost` is never taken for it:
/// what it stands for is decided elsewhere.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

const PASSWORD: Secret = Secret {
    what: "password",
    file: "password_file",
    credential: "password_credential",
    content: "a file with the password in its first line",
};

const KEY: Secret = Secret {
    what: "private key",
    file: "key_file",
    credential: "key_credential",
    content: "a file with the private key in PEM",
};

/// Reads the section.
pub(super) fn read(table: &Table<'_>) -> Option<Broker> {
    let host = table.text("host");
    let port = table.whole("port", 1..=u16::MAX, "");
    let plaintext = table.flag("allow_plaintext").unwrap_or(false);
    let has_tls = table.has("tls");
    let tls = table.section("tls", read_tls);
    if let Some(host) = &host {
        if has_tls {
            check_name(table, host);
        } else if !is_loopback(host.get_ref()) {
            check_plaintext(table, host, plaintext);
        }
    }
    let credentials = read_credentials(table, tls.as_ref().is_some_and(|tls| tls.identity.is_some()));
    if has_tls && tls.is_none() {
        // It is reported. A broker without its TLS must not be taken for one that wants none.
        return None;
    }
    let host = host.map_or_else(|| Broker::on_this_box().host, |host| host.into_inner().to_owned());
    let port = port.unwrap_or(if has_tls { TLS_PORT } else { PORT });
    Some(Broker { host, port, tls, credentials })
}

fn read_credentials(table: &Table<'_>, proved: bool) -> Option<Credentials> {
    let username = table.text("username");
    let password = secret::path(table, PASSWORD);
    let alone = |span: &Range<usize>, found: &str| {
        table.error(span, found, "both, or neither", "add the other one, or remove this one");
        None
    };
    match (username, password) {
        (Some(username), None) if !proved => alone(
            &username.span(),
            "`username` and `password_file` (or `password_credential`) belong together, and one of them is missing",
        ),
        (None, Some((span, _))) => {
            alone(&span, "`username` and the password belong together, and `username` is missing")
        }
        (Some(username), password) => Some(Credentials {
            username: (*username.get_ref()).to_owned(),
            password_file: password.map(|(_, path)| path),
        }),
        (None, None) => None,
    }
}

fn check_name(table: &Table<'_>, host: &Spanned<&str>) {
    if !Tls::can_name(host.get_ref()) {
        let found = format!("no certificate can name the host {:?}", host.get_ref());
        table.error(
            &host.span(),
            &found,
            "a host name or an IP address",
            "write it as the broker's certificate has it",
        );
    }
}

fn check_plaintext(table: &Table<'_>, host: &Spanned<&str>, allowed: bool) {
    let (span, name): (Range<usize>, _) = (host.span(), host.get_ref());
    let encrypt = "encrypt the way: [broker.tls] with ca_file";
    if allowed {
        let found = format!("NOT ENCRYPTED: readings and alarms cross the network to {name} in plain text");
        table.warn(&span, &found, "TLS, or plain MQTT to 127.0.0.1, ::1 or localhost", encrypt);
    } else {
        let found =
            format!("the broker {name:?} is not on this box, and plain MQTT would show everything to the network");
        let remedy = format!("{encrypt}; or accept the risk: allow_plaintext = true");
        table.error(&span, &found, "TLS, or plain MQTT to 127.0.0.1, ::1 or localhost", &remedy);
    }
}

fn read_tls(table: &Table<'_>) -> Option<TlsFiles> {
    let ca = table.require("ca_file", table.text("ca_file"), "\"clinic-ca.pem\"");
    let certificate = table.text("certificate_file");
    let key = secret::path(table, KEY);
    let together = |span: &Range<usize>, missing: &str| {
        let found = format!("`certificate_file` and its key belong together, and {missing} is missing");
        table.error(span, &found, "both, or neither", "add the other one, or remove this one");
    };
    let identity = match (&certificate, &key) {
        (Some(certificate), Some((_, key))) => {
            Some(Identity { certificate: table.beside(certificate.get_ref()), key: key.clone() })
        }
        (Some(certificate), None) => {
            together(&certificate.span(), "`key_file` (or `key_credential`)");
            None
        }
        (None, Some((span, _))) => {
            together(span, "`certificate_file`");
            None
        }
        (None, None) => None,
    };
    let ca = ca?;
    let files = TlsFiles { ca: table.beside(ca.get_ref()), identity };
    if let Err(Unusable { part, file, why }) = Tls::read(&files) {
        let span = match part {
            Part::Ca => ca.span(),
            Part::Certificate => certificate.map_or(ca.span(), |named| named.span()),
            Part::Key => key.map_or(ca.span(), |(span, _)| span),
        };
        // A key that is not there has been reported with its mode.
        if part != Part::Key || !matches!(why, Why::Unreadable(_)) {
            let found = format!("{part} {} {why}", file.display());
            table.error(&span, &found, allowed(part), why.remedy(part));
        }
    }
    Some(files)
}

const fn allowed(part: Part) -> &'static str {
    match part {
        Part::Ca => "the certificate of the CA that signed the broker's, in PEM",
        Part::Certificate => "the certificate of this box, in PEM",
        Part::Key => "the private key of that certificate, in PEM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_box_itself_is_loopback() {
        for host in ["127.0.0.1", "127.8.0.1", "::1", "localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["10.0.0.5", "::", "0.0.0.0", "localhost.clinic.example", "broker"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
