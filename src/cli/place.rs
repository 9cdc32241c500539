//! Where the broker is: for the commands that speak to a box which is running.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use clap::Args;
use vitalsd_core::driver::PROTOCOLS;

use crate::config;
use crate::mqtt::client::Broker;
use crate::wire::{Id, Root};

/// Where the packages put the daemon's configuration.
const INSTALLED: &str = "/etc/vitalsd/vitalsd.toml";
/// MQTT without TLS.
const PORT: u16 = 1883;

/// How to find the broker.
#[derive(Debug, Args)]
pub struct Where {
    /// The configuration of the bedside daemon, for its site and broker [default: /etc/vitalsd/vitalsd.toml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The broker, without a configuration; the login is anonymous.
    #[arg(long, global = true, value_name = "HOST:PORT")]
    broker: Option<Address>,
    /// The site, beside --broker.
    #[arg(long, global = true)]
    site: Option<Id>,
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
}

impl Where {
    /// The place that is meant.
    ///
    /// # Errors
    /// The options do not belong together, or the configuration cannot be used.
    pub fn find(&self) -> anyhow::Result<Place> {
        match (&self.broker, self.site, &self.config) {
            (Some(_), _, Some(_)) => bail!("--config and --broker: give one of the two"),
            (Some(Address { host, port }), Some(site), None) => Ok(Place {
                broker: Broker { host: host.clone(), port: *port, credentials: None },
                root: Root::new(site),
                box_id: None,
                beds: Vec::new(),
            }),
            (Some(_), None, None) => {
                bail!("--broker needs --site, the first part of every topic, such as --site clinic")
            }
            (None, Some(_), _) => bail!("--site belongs to --broker; a configuration names its own"),
            (None, None, Some(file)) => Place::configured(file),
            (None, None, None) if Path::new(INSTALLED).exists() => Place::configured(Path::new(INSTALLED)),
            (None, None, None) => bail!(
                "where is the broker? There is no {INSTALLED}: give --config FILE, or --broker HOST:PORT --site SITE"
            ),
        }
    }
}

impl Place {
    fn configured(file: &Path) -> anyhow::Result<Self> {
        let settings = config::load(file, PROTOCOLS)?.value;
        let config::Broker { host, port, credentials } = settings.broker;
        let credentials = credentials
            .map(|login| {
                let password = login.password().with_context(|| {
                    format!("the broker's password cannot be read from {}", login.password_file.display())
                })?;
                anyhow::Ok((login.username, password))
            })
            .transpose()?;
        Ok(Self {
            broker: Broker { host, port, credentials },
            root: Root::new(Id::new(&settings.site)?),
            box_id: Some(Id::new(&settings.box_id)?),
            beds: settings.beds.iter().map(|bed| Id::new(&bed.id)).collect::<Result<_, _>>()?,
        })
    }
}

/// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "expected HOST:PORT, such as 127.0.0.1:1883".to_owned();
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(PORT), str::parse).map_err(|_| wrong())?;
        if host.is_empty() || port == 0 { Err(wrong()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        let read = |text: &str| text.parse::<Address>().map(|Address { host, port }| (host, port)).ok();
        assert_eq!(read("127.0.0.1:18830"), Some(("127.0.0.1".into(), 18_830)));
        assert_eq!(read("broker"), Some(("broker".into(), 1883)));
        assert_eq!(read("[::1]:1884"), Some(("::1".into(), 1884)));
        for wrong in ["", ":1883", "broker:", "broker:0", "broker:x", "::1", "broker:70000"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
