//! By which station a command is signed.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::cli::place::Place;
use crate::config;
use crate::wire::Id;
use crate::wire::signature::{HMAC, Key, STATION};

/// Who signs.
#[derive(Clone, Debug, Args)]
pub struct Signing {
    /// The station that signs [default: the only one of the configuration].
    #[arg(long, global = true, value_name = "ID")]
    station: Option<Id>,
    /// Its key, hexadecimal, in the first line of a file [default: as the configuration names it].
    #[arg(long, global = true, value_name = "FILE")]
    station_key: Option<PathBuf>,
}

/// A station and its key.
#[derive(Debug)]
pub struct Signer {
    station: Id,
    key: Key,
}

impl Signing {
    /// The station that signs; `None`: nobody does, because none is known here.
    ///
    /// # Errors
    /// The options do not belong together, or the key cannot be read.
    pub fn find(&self, place: &Place) -> anyhow::Result<Option<Signer>> {
        let known = || place.stations.iter().map(|station| station.id.as_str()).collect::<Vec<_>>().join(", ");
        let configured = match (self.station, &self.station_key, place.stations.as_slice()) {
            (Some(station), Some(file), _) => {
                let key = config::read_key(file);
                let key = key.with_context(|| format!("the station key {} is of no use", file.display()))?;
                return Ok(Some(Signer { station, key }));
            }
            (None, Some(_), _) => bail!("--station-key needs --station, the id that the box knows it by"),
            (Some(station), None, stations) => {
                let Some(found) = stations.iter().find(|known| known.id == station.as_str()) else {
                    bail!("no key of {station} is known here: give --station-key FILE");
                };
                found
            }
            (None, None, []) => return Ok(None),
            (None, None, [only]) => only,
            (None, None, _) => bail!("which station signs? Give --station with one of {}", known()),
        };
        Ok(Some(Signer { station: Id::new(&configured.id)?, key: configured.open()? }))
    }
}

impl Signer {
    /// The user properties of `payload` on `topic`.
    pub fn sign(&self, topic: &str, payload: &[u8]) -> Vec<(String, String)> {
        vec![(STATION.to_owned(), self.station.to_string()), (HMAC.to_owned(), self.key.sign(topic, payload))]
    }
}
