//! `vitalsd broker`: the broker of the demonstration, in a process of its own. Not for a clinic: there it is
//! Mosquitto. Were it in the daemon, the daemon's death would take its own last will with it.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, MqttBroker};

use super::parent;

/// Runs the broker of the demonstration.
#[derive(Debug, Args)]
pub struct Broker {
    /// The port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    #[command(flatten)]
    parent: parent::Parent,
}

impl Broker {
    /// Runs until it is killed.
    ///
    /// # Errors
    /// The port cannot be had.
    pub fn run(&self) -> anyhow::Result<()> {
        self.parent.follow();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let address = SocketAddr::from(([127, 0, 0, 1], self.port));
            let storage = StorageConfig { backend: StorageBackend::Memory, ..StorageConfig::default() };
            let config = BrokerConfig::new().with_bind_address(address).with_storage(storage);
            let mut broker =
                MqttBroker::with_config(config).await.with_context(|| format!("cannot listen on {address}"))?;
            broker.run().await.context("the broker ended")
        })
    }
}
