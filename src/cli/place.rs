//! Where the broker is: for the commands that speak to a box which is running.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::bail;
use clap::Args;
use vitalsd_core::driver::PROTOCOLS;

use crate::config::{self, Credentials, Station};
use crate::mqtt::Broker;
use crate::mqtt::tls::{Identity, TlsFiles};
use crate::wire::{Id, Root};

/// Where the packages put the daemon's configuration.
const INSTALLED: &str = "/etc/vitalsd/vitalsd.toml";
/// MQTT, and MQTT over TLS.
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// How to find the broker.
#[derive(Debug, Args)]
pub struct Where {
    /// The configuration of the bedside daemon, for its site and broker [default: /etc/vitalsd/vitalsd.toml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The broker, without a configuration.
    #[arg(long, global = true, value_name = "HOST:PORT")]
    broker: Option<Address>,
    /// The site, beside --broker.
    #[arg(long, global = true)]
    site: Option<Id>,
    #[command(flatten)]
    way: Way,
}

/// How to get into a broker that no configuration describes. Secrets are named by their files: a command line is
/// seen by everybody on the machine.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Beside --broker")]
struct Way {
    /// The CA of the broker, PEM: the way is encrypted.
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Our own certificate, PEM.
    #[arg(long, global = true, value_name = "FILE")]
    certificate_file: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The user [default: anonymous, or whom the certificate names].
    #[arg(long, global = true, value_name = "USER")]
    username: Option<String>,
    /// The password, in the first line of a file.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Let everyone on the network read and forge what is said.
    #[arg(long, global = true)]
    allow_plaintext: bool,
}

/// A broker, and our tree on it.
#[derive(Debug)]
pub struct Place {
    /// The broker.
    pub broker: Broker,
    /// The tree.
    pub root: Root,
    /// The box of the configuration.
    pub box_id: Option<Id>,
    /// The beds of the configuration.
    pub beds: Vec<Id>,
    /// Who may command them, as the configuration has it.
    pub stations: Vec<Station>,
}

impl Where {
    /// The place that is meant.
    ///
    /// # Errors
    /// The options do not belong together, or the configuration cannot be used.
    pub fn find(&self) -> anyhow::Result<Place> {
        match (&self.broker, self.site, &self.config) {
            (Some(_), _, Some(_)) => bail!("--config and --broker: give one of the two"),
            (Some(address), Some(site), None) => {
                let broker = self.way.to(address)?;
                Ok(Place { broker, root: Root::new(site), box_id: None, beds: Vec::new(), stations: Vec::new() })
            }
            (Some(_), None, None) => {
                bail!("--broker needs --site, the first part of every topic, such as --site clinic")
            }
            (None, Some(_), _) => bail!("--site belongs to --broker; a configuration names its own"),
            (None, None, _) if self.way.is_given() => {
                bail!("{} belong to --broker; a configuration has its own", Way::OPTIONS)
            }
            (None, None, Some(file)) => Place::configured(file),
            (None, None, None) if Path::new(INSTALLED).exists() => Place::configured(Path::new(INSTALLED)),
            (None, None, None) => bail!(
                "where is the broker? There is no {INSTALLED}: give --config FILE, or --broker HOST:PORT --site SITE"
            ),
        }
    }
}

impl Way {
    const OPTIONS: &str =
        "--ca-file, --certificate-file, --key-file, --username, --password-file and --allow-plaintext";

    const fn is_given(&self) -> bool {
        let Self { ca_file, certificate_file, key_file, username, password_file, allow_plaintext } = self;
        let files = ca_file.is_some() || certificate_file.is_some() || key_file.is_some() || password_file.is_some();
        files || username.is_some() || *allow_plaintext
    }

    /// The broker at `address`, as these options have it.
    fn to(&self, Address { host, port }: &Address) -> anyhow::Result<Broker> {
        let Self { ca_file, certificate_file, key_file, username, password_file, allow_plaintext } = self.clone();
        let identity = match (certificate_file, key_file) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            _ => bail!("--certificate-file and --key-file: give both, or neither"),
        };
        let proved = identity.is_some();
        let tls = match (ca_file, identity) {
            (Some(ca), identity) => Some(TlsFiles { ca, identity }),
            (None, Some(_)) => bail!("--certificate-file needs --ca-file, the CA of the broker"),
            (None, None) => None,
        };
        let credentials = match (username, password_file) {
            (Some(username), password_file) if proved || password_file.is_some() => {
                Some(Credentials { username, password_file })
            }
            (None, None) => None,
            _ => bail!("--username and --password-file: give both, or neither"),
        };
        let port = port.unwrap_or(if tls.is_some() { TLS_PORT } else { PORT });
        let broker = config::Broker { host: host.clone(), port, tls, credentials };
        if broker.is_exposed() && !allow_plaintext {
            bail!(
                "{host} is not this machine, and plain MQTT would show and let everyone on the network forge what is \
                 said: give --ca-file FILE, or accept the risk with --allow-plaintext"
            );
        }
        Ok(broker.open()?)
    }
}

impl Place {
    fn configured(file: &Path) -> anyhow::Result<Self> {
        let settings = config::load(file, PROTOCOLS)?.value;
        Ok(Self {
            broker: settings.broker.open()?,
            root: Root::new(Id::new(&settings.site)?),
            box_id: Some(Id::new(&settings.box_id)?),
            beds: settings.beds.iter().map(|bed| Id::new(&bed.id)).collect::<Result<_, _>>()?,
            stations: settings.stations,
        })
    }
}

/// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    /// `None`: the usual one.
    port: Option<u16>,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "expected HOST:PORT, such as 127.0.0.1:1883".to_owned();
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse).transpose().map_err(|_| wrong())?;
        if host.is_empty() || port == Some(0) { Err(wrong()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        let read = |text: &str| text.parse::<Address>().map(|Address { host, port }| (host, port)).ok();
        assert_eq!(read("127.0.0.1:18830"), Some(("127.0.0.1".into(), Some(18_830))));
        assert_eq!(read("broker"), Some(("broker".into(), None)));
        assert_eq!(read("[::1]:1884"), Some(("::1".into(), Some(1884))));
        for wrong in ["", ":1883", "broker:", "broker:0", "broker:x", "::1", "broker:70000"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
