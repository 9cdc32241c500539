//! `vitalsd session`: what a person asks of a bed, and the bed on a page.

mod ask;
mod screen;
mod signing;
mod told;
mod verb;
mod visit;
mod vocabulary;

use std::env;
use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use clap::Args;
use jiff::tz::TimeZone;

use self::screen::Screen;
use self::signing::Signing;
use self::told::told;
use self::verb::Verb;
use self::visit::Visit;
use super::place::Where;
use crate::config::is_loopback;
use crate::wire::Id;
use crate::wire::command::{Action, Outcome};

/// Leads the session of a bed: open, dose, close; accepts alarms; shows the bed.
///
/// Everything that a person can say to a bed has a verb here. What is not possible now, the bed refuses with a reason.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd session open --route iv --infusion 40 --cuff-arm left --probe-hand right --iv-arm right
  vitalsd session dose --ago 2
  vitalsd session bp 124/80
  vitalsd session status --bed bed-2 --broker 127.0.0.1:1883 --site clinic

Exit code 0: done. 1: refused, no answer, or no way to the bed; the reason stands on standard error.")]
pub struct Session {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    signing: Signing,
    /// The bed; not needed where the configuration has only one.
    #[arg(long, global = true)]
    bed: Option<Id>,
    /// Who asks: an opaque id, seen by everyone who sees the broker [default: from $USER].
    #[arg(long, global = true, value_name = "NAME")]
    actor: Option<Id>,
    /// The answer as JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

impl Session {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.visit())
    }

    async fn visit(&self) -> anyhow::Result<()> {
        self.verb.check()?;
        let place = self.place.find()?;
        let bed = match (self.bed.as_ref(), place.beds.as_slice()) {
            (Some(bed), _) | (None, [bed]) => *bed,
            (None, []) => bail!("which bed? Give --bed BED"),
            (None, beds) => {
                let known: Vec<_> = beds.iter().map(Id::as_str).collect();
                bail!("which bed? Give --bed with one of {}", known.join(", "))
            }
        };
        let signer = self.signing.find(&place);
        let exposed = place.broker.tls.is_none() && !is_loopback(&place.broker.host);
        if exposed && matches!(self.verb, Verb::Note { .. }) {
            bail!("the text of a note does not cross the network in plain text: use an encrypted way to the broker");
        }
        let (mut visit, look) = Visit::to(bed, place).await?;
        let zone = TimeZone::system();
        let Some(action) = self.verb.action(bed, &look.state.message.now)? else {
            if self.json {
                println!("{}", serde_json::to_string(&look)?);
            } else {
                let coloured = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
                print!("{}", Screen { bed, look: &look, zone: &zone, coloured });
            }
            visit.end().await;
            return Ok(());
        };
        // Whoever only looks needs no key.
        let reply = visit.ask(&look, self.actor()?, action.clone(), signer?.as_ref()).await?;
        if self.json {
            println!("{}", serde_json::to_string(&reply)?);
        } else if reply.outcome == Outcome::Done {
            // The dose starts clocks, and the bed tells which.
            let session = match action {
                Action::Dose { .. } | Action::DoseAgain { .. } => {
                    visit.session_when(|session| session.dosed_at.is_some()).await?
                }
                _ => None,
            };
            println!("{bed}: {}", told(&action, session.as_ref(), look.now(), &zone));
        }
        visit.end().await;
        match reply.outcome {
            Outcome::Done => Ok(()),
            Outcome::Refused { reason, .. } => bail!("{bed}: refused: {reason}"),
        }
    }

    /// Who asks, as given, or as logged in here.
    fn actor(&self) -> anyhow::Result<Id> {
        let user = || env::var("USER").ok().and_then(|user| opaque(&user));
        self.actor.or_else(user).context("who asks? Give --actor NAME; $USER says nothing")
    }
}

/// The user as an id: in lower case, everything else a hyphen; `None`: nothing is left of it.
fn opaque(user: &str) -> Option<Id> {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let id: String = user.chars().map(plain).take(32).collect();
    Id::new(id.trim_matches('-')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_becomes_an_id() {
        let id = |user: &str| opaque(user).map(|id| id.to_string());
        assert_eq!(id("Nurse_2").as_deref(), Some("nurse-2"));
        assert_eq!(id("a@clinic.example").as_deref(), Some("a-clinic-example"));
        assert_eq!(id(&"x".repeat(40)).map(|id| id.len()), Some(32));
        assert_eq!((id(""), id("---")), (None, None));
    }
}
