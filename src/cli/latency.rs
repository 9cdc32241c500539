//! `vitalsd latency`: how long the box takes, stage by stage.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use jiff::tz::TimeZone;
use tokio::time::timeout;

use super::harmless;
use super::place::{Place, Where};
use crate::mqtt::client::Client;
use crate::wire::host::Percentiles;
use crate::wire::{BoxTopic, Envelope, Id, Latency as Stages, Topic};

/// A box tells it every 10 s.
const TOLD: Duration = Duration::from_secs(12);

/// Shows how long a box takes from a byte to an alarm at the broker, stage by stage.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vitalsd latency --broker 127.0.0.1:1883 --site clinic --watch")]
pub struct Latency {
    #[command(flatten)]
    place: Where,
    /// The box [default: the box of the configuration, else the first that is heard].
    #[arg(long, value_name = "BOX")]
    r#box: Option<Id>,
    /// The message as it came, one a line, for programs.
    #[arg(long)]
    json: bool,
    /// Go on until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

impl Latency {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.listen())
    }

    async fn listen(&self) -> anyhow::Result<()> {
        let Place { broker, root, box_id, .. } = self.place.find()?;
        let at = broker.to_string();
        let mut which = self.r#box.or(box_id);
        let filter = match which {
            Some(id) => root.topic(&Topic::Box(id, BoxTopic::Latency)),
            None => format!("{root}/box/+/latency"),
        };
        let mut client = Client::connect(broker, vec![filter]).await?;
        if io::stderr().is_terminal() {
            eprintln!("a box tells it every 10 s ...");
        }
        let mut explained = false;
        loop {
            let Ok(incoming) = timeout(TOLD, client.next()).await else {
                let who = which.map_or_else(|| format!("no box of site {}", root.site()), |id| format!("{id}"));
                bail!(
                    "{who} has told nothing within {} s on the broker {at}: does `vitalsd run` run, \
                     and are broker, site and box those of its configuration?",
                    TOLD.as_secs()
                );
            };
            let incoming = incoming?;
            let Ok(told) = harmless::read::<Envelope<Stages>>(&incoming.payload) else { continue };
            if *which.get_or_insert(told.r#box) != told.r#box {
                continue;
            }
            if self.json {
                println!("{}", serde_json::to_string(&told)?);
            } else {
                print!("{}", Page(&told));
                if !std::mem::replace(&mut explained, true) {
                    print!("{DELAYS}");
                }
            }
            io::stdout().flush()?;
            if !self.watch {
                client.close().await;
                return Ok(());
            }
        }
    }
}

/// What a box has told, for people.
struct Page<'a>(&'a Envelope<Stages>);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Envelope { r#box, at, message: Stages { decode, decide, send, confirm }, .. } = self.0;
        writeln!(f, "{} at {}\n", r#box, at.0.to_zoned(TimeZone::system()).strftime("%H:%M:%S"))?;
        writeln!(f, "{:9}{:>10}{:>11}{:>11}{:>11}{:>11}", "", "count", "p50", "p99", "p99.9", "max")?;
        row(f, "decode", decode, "a read has returned -> samples")?;
        row(f, "decide", decide, "samples -> alarms and events")?;
        row(f, "send", send, "events -> bytes handed to the socket")?;
        row(f, "confirm", confirm, "events -> the broker has them")?;
        writeln!(f)
    }
}

const DELAYS: &str = "\
Three delays lie between a patient and a sound:
  condition delay          by design: how long a violation must last, row by row of the preset (`vitalsd check` shows it).
  signal generation delay  ours: decode, decide and confirm together; a station adds its own.
  fault detection delay    by design: how long silence of a device, a broker or a box lasts until it is an alarm itself.

";

fn row(f: &mut fmt::Formatter<'_>, stage: &str, took: &Percentiles, what: &str) -> fmt::Result {
    let Percentiles { count, p50_us, p99_us, p999_us, max_us } = *took;
    write!(f, "{stage:9}{count:>10}")?;
    for us in [p50_us, p99_us, p999_us, max_us] {
        // Without a measurement there is no time, not even 0.
        let cell = if count == 0 { "-".to_owned() } else { time(us) };
        write!(f, "{cell:>11}")?;
    }
    writeln!(f, "  {what}")
}

/// In the unit that a person would use.
fn time(us: u64) -> String {
    match us {
        0 => "< 1 us".into(),
        1..10_000 => format!("{us} us"),
        10_000..10_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_that_a_person_would_use() {
        assert_eq!([0, 1, 9_999, 10_000, 9_999_999].map(time), ["< 1 us", "1 us", "9999 us", "10 ms", "9999 ms"]);
        assert_eq!(time(60_000_000), "60 s");
    }
}
