//! `vitalsd audit`: what was asked of a box, whether that record is whole, and whether a receiver has heard everything.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use rusqlite::{Connection, OpenFlags};
use vitalsd_core::driver::PROTOCOLS;

use crate::config;
use crate::journal::chain;
use crate::journal::ledger::Ledger;
use crate::journal::{history_file, state, state_file};
use crate::wire::account::{Account, Span};

/// Where the packages put the daemon's configuration.
const INSTALLED: &str = "/etc/vitalsd/vitalsd.toml";

/// Shows what was asked of a box and by whom, proves that the record is whole, and proves to a receiver what it lacks.
///
/// Without an option: the audit log, one JSON object a line. It fails if the log was changed, or something is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vitalsd audit --verify
  mosquitto_sub -v -t 'vitals/v1/clinic/#' > heard.txt     # at the receiver, for as long as it takes
  vitalsd audit --against heard.txt                        # on the box: everything that was said since, held against it
  vitalsd audit --against heard.txt --source other.txt     # anywhere: one receiver against another
  vitalsd audit --against heard.txt --source none          # by its own numbers alone")]
pub struct Audit {
    /// The configuration of the bedside daemon, for its state directory [default: /etc/vitalsd/vitalsd.toml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The state directory, without a configuration.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    state_dir: Option<PathBuf>,
    /// Prove that no entry of the audit log was changed, put in or taken out.
    #[arg(long, conflicts_with_all = ["against", "source"])]
    verify: bool,
    /// The seal that was noted elsewhere; the log must contain it.
    #[arg(long, value_name = "SEAL", requires = "verify")]
    seal: Option<String>,
    /// What a receiver has written down: a message a line, its topic before it or not; `-`: standard input.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// What was said: `journal`, `none`, or the file of another receiver.
    #[arg(long, value_name = "SOURCE", default_value = "journal", requires = "against")]
    source: PathBuf,
    /// Count what was said before the first line and after the last one, too.
    #[arg(long, requires = "against")]
    all: bool,
    /// One JSON object a log, for programs.
    #[arg(long, requires = "against")]
    json: bool,
}

impl Audit {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        match &self.against {
            Some(heard) => self.reconcile(heard),
            None if self.verify => self.prove(),
            None => self.print(),
        }
    }

    fn print(&self) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        for link in state::audit(&self.open(state_file)?)? {
            let written = out.write_all(&link.entry).and_then(|()| out.write_all(b"\n"));
            if let Err(error) = written {
                super::broken_pipe_is_no_error(error)?;
                break;
            }
        }
        Ok(())
    }

    fn prove(&self) -> anyhow::Result<()> {
        let links = state::audit(&self.open(state_file)?)?;
        let noted = self.seal.as_deref().map(|seal| links.iter().any(|link| link.seal.to_string() == seal));
        let (last, seal) = chain::verify(links).context("the audit log is BROKEN")?;
        if noted == Some(false) {
            bail!("the audit log is BROKEN: the seal that was noted is not in it, so what it sealed was replaced");
        }
        println!("{last} entries, unbroken. The newest seal, to be noted elsewhere: {seal}");
        Ok(())
    }

    fn reconcile(&self, heard: &Path) -> anyhow::Result<()> {
        let mut ledger = if self.all { Ledger::of_all_time() } else { Ledger::default() };
        lines(heard, |line| ledger.hear(line))?;
        match self.source.to_str() {
            Some("none") => {}
            Some("journal") => {
                said(&self.open(state_file)?, "story", &mut ledger)?;
                if let Ok(history) = self.open(history_file) {
                    said(&history, "reading", &mut ledger)?;
                }
            }
            _ => lines(&self.source, |line| ledger.say(line))?,
        }
        let accounts = ledger.accounts();
        if accounts.is_empty() {
            bail!(
                "{}: no message of a log in it: expected lines as `mosquitto_sub -v -t 'vitals/v1/SITE/#'` writes them",
                heard.display()
            );
        }
        self.tell(&accounts, ledger.unreadable())?;
        let count = |of: fn(&Account) -> u64| accounts.iter().map(of).sum::<u64>();
        let (missing, disordered) = (count(|account| length(&account.missing)), count(|account| account.out_of_order));
        if missing + disordered > 0 {
            bail!("NOT WHOLE: {missing} missing, {disordered} out of order");
        }
        Ok(())
    }

    fn tell(&self, accounts: &[Account], unreadable: u64) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let written = if self.json {
            accounts.iter().try_for_each(|account| {
                serde_json::to_writer(&mut out, account)?;
                writeln!(out)
            })
        } else {
            let written = accounts.iter().try_for_each(|account| writeln!(out, "{}", line(account)));
            written.and_then(|()| match unreadable {
                0 => Ok(()),
                _ => writeln!(out, "{unreadable} lines are no message of the contract"),
            })
        };
        written.or_else(super::broken_pipe_is_no_error)
    }

    /// Opens a file of the journal for reading, beside a daemon that writes it.
    fn open(&self, file: fn(&Path) -> PathBuf) -> anyhow::Result<Connection> {
        let file = file(&self.directory()?);
        // Without this SQLite would say no more than that it cannot.
        File::open(&file).with_context(|| {
            format!(
                "the journal {} cannot be read: run this on the box, as root or as the daemon's user",
                file.display()
            )
        })?;
        let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY));
        let connection = connection.with_context(|| format!("{} cannot be opened", file.display()))?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.state_dir {
            return Ok(dir.clone());
        }
        let file = self.config.as_deref().unwrap_or(Path::new(INSTALLED));
        if self.config.is_none() && !file.exists() {
            bail!("where is the journal? There is no {INSTALLED}: give --config FILE or --state-dir DIR");
        }
        Ok(config::load(file, PROTOCOLS)?.value.state_dir)
    }
}

/// One log as a line for people.
fn line(account: &Account) -> String {
    let Account { r#box, boot_id, stream, first, last, heard, missing, told, doubled, out_of_order, replayed } =
        account;
    let mut line = format!("{box} {boot_id} {stream}: {heard} heard of {first} to {last}");
    let mut note = |count: u64, what: &str| {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    };
    note(*replayed, "replayed");
    note(*doubled, "more than once");
    note(*out_of_order, "OUT OF ORDER");
    note(length(told), "told as gaps");
    note(length(missing), "MISSING");
    if !missing.is_empty() {
        let spans: Vec<_> = missing.iter().take(8).map(|span| format!("{} to {}", span.from, span.to)).collect();
        line.push_str(&format!(": {}{}", spans.join(", "), if missing.len() > 8 { " ..." } else { "" }));
    }
    line
}

fn length(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.len()).sum()
}

fn said(connection: &Connection, table: &str, ledger: &mut Ledger) -> anyhow::Result<()> {
    let mut query = connection.prepare(&format!("SELECT payload FROM {table} ORDER BY id"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        ledger.say(row.get_ref(0)?.as_blob()?);
    }
    Ok(())
}

fn lines(file: &Path, mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        Box::new(BufReader::new(opened))
    };
    for line in input.split(b'\n') {
        take(&line.with_context(|| format!("{} cannot be read to its end", file.display()))?);
    }
    Ok(())
}
