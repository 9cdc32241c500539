//! `vitalsd demo`: the whole of it on one machine, with simulated patients.
//!
//! A broker, four simulated beds on pseudo-terminals and the daemon, each a process of its own, as they
//! would be in a clinic; this process is the nurse, who opens the sessions, listens, and prints.

mod children;
mod rooms;
mod wall;

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval, sleep, sleep_until};

use self::children::Children;
use self::wall::Wall;
use crate::mqtt::Broker;
use crate::mqtt::client::Client;

/// The site of the demonstration, as it stands in its topics.
const SITE: &str = "demo";
/// How long the parts may take to come up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the four beds are printed when nothing happens.
const PRINT: Duration = Duration::from_secs(10);

/// Show it at work: a broker, four simulated beds, the daemon; prints the beds and their alarms.
///
/// Room 1 heads for trouble within a minute. Nothing is left behind at Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: vitalsd demo --mqtt-port 11883
Beside it, in another terminal:
  mosquitto_sub -p 1883 -t 'vitals/v1/#' -v
  vitalsd session status --broker 127.0.0.1:1883 --site demo --bed room-1
  vitalsd latency --broker 127.0.0.1:1883 --site demo")]
pub struct Demo {
    /// The port of the broker on 127.0.0.1.
    #[arg(long, default_value_t = 1883)]
    mqtt_port: u16,
    /// Stop after this many seconds instead of at Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Demo {
    /// Runs until Ctrl-C, and cleans up after itself.
    ///
    /// # Errors
    /// A part does not come up; its last words are told.
    pub fn run(&self) -> anyhow::Result<()> {
        self.port_is_free()?;
        let directory = tempdir()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(self.play(directory.path()));
        println!("stopped; nothing is left running");
        result
    }

    fn port_is_free(&self) -> anyhow::Result<()> {
        let port = self.mqtt_port;
        let free = TcpListener::bind(("127.0.0.1", port)).map(drop);
        free.with_context(|| {
            format!("port {port} on 127.0.0.1 is held by another program, perhaps a Mosquitto: choose another with --mqtt-port")
        })
    }

    async fn play(&self, directory: &Path) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        println!("vitalsd demo: four simulated beds. Not for clinical use; no patient is connected.");
        let mut children = Children::new(directory)?;
        let end = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let result = tokio::select! {
            result = self.show(directory, &mut children) => result,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            () = async { match end { Some(end) => sleep_until(end).await, None => std::future::pending().await } } => Ok(()),
        };
        println!();
        children.end().await;
        result
    }

    /// Brings everything up, and prints what happens.
    async fn show(&self, directory: &Path, children: &mut Children) -> anyhow::Result<()> {
        let port = self.mqtt_port.to_string();
        children.start("broker", &["broker", "--port", &port])?;
        let config = rooms::write(directory, self.mqtt_port).context("cannot write the files of the demonstration")?;
        for room in rooms::ROOMS {
            children.start(room.bed, &rooms::simulate(directory, room))?;
        }
        children.start("daemon", &["run", "--config", &config])?;

        let filters = [
            format!("vitals/v1/{SITE}/bed/+/state"),
            format!("vitals/v1/{SITE}/bed/+/event"),
            // Who listens to the alarms is somebody who can be told.
            format!("vitals/v1/{SITE}/bed/+/alarm/+"),
            format!("vitals/v1/{SITE}/box/+/heartbeat"),
            rooms::REPLIES.to_owned(),
        ];
        let mut client = self.connect(children, filters.to_vec()).await?;
        println!("MQTT on 127.0.0.1:{port} (mosquitto_sub -p {port} -t 'vitals/v1/#' -v), configuration {config}\n");

        let mut wall = Wall::default();
        let mut print = interval(PRINT);
        loop {
            tokio::select! {
                incoming = client.next() => {
                    wall.take(&incoming?);
                    for request in wall.orders() {
                        client.publish(request).await?;
                    }
                }
                _ = print.tick() => wall.print(),
                ended = children.ended() => return Err(ended),
            }
        }
    }

    /// The broker takes a moment to listen.
    async fn connect(&self, children: &mut Children, filters: Vec<String>) -> anyhow::Result<Client> {
        let broker = Broker::plain("127.0.0.1", self.mqtt_port);
        let until = Instant::now() + PATIENCE;
        loop {
            match Client::connect(broker.clone(), filters.clone()).await {
                Ok(client) => return Ok(client),
                Err(error) if Instant::now() > until => bail!("the broker does not come up: {error}"),
                Err(_) => {
                    tokio::select! {
                        () = sleep(Duration::from_millis(50)) => {}
                        ended = children.ended() => return Err(ended),
                    }
                }
            }
        }
    }
}

/// A directory of this run, taken away at its end.
fn tempdir() -> anyhow::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("vitalsd-demo-").tempdir().context("cannot make a directory for the demonstration")
}
