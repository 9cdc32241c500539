//! Commands that came by MQTT: carried out once, or refused with a reason (DESIGN 6).

use std::collections::VecDeque;
use std::net::IpAddr;

use vitalsd_core::monitor::input;
use vitalsd_core::time::Span;

use crate::mqtt::Incoming;
use crate::wire::command::{Command, Outcome, Refusal, Reply};
use crate::wire::{BootId, Id};

/// A command is honoured this long after the heartbeat that its sender has seen.
const VALID_FOR: Span = Span::secs(30);
/// So many answers are remembered for commands that are sent again.
const REMEMBERED: usize = 64;

/// What decides whether a command is honoured.
#[derive(Debug)]
pub struct Requests {
    boot_id: BootId,
    /// Unsigned commands are taken only from a broker on this box.
    on_this_box: bool,
    answered: VecDeque<(Id, String, Outcome)>,
}

/// A command that may be carried out.
#[derive(Debug)]
pub struct Accepted {
    /// Its idempotency key.
    pub key: String,
    /// The command, as the bed takes it.
    pub command: input::Command,
}

impl Requests {
    /// For this life of the box and this broker.
    #[must_use]
    pub fn new(boot_id: BootId, broker: &str) -> Self {
        let on_this_box = broker == "localhost" || broker.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        Self { boot_id, on_this_box, answered: VecDeque::with_capacity(REMEMBERED) }
    }

    /// Takes what came for `bed`; `uptime` is that of the box now.
    ///
    /// # Errors
    /// The answer, where the command is not to be carried out: refused, or answered before.
    pub fn accept(&self, bed: Id, incoming: &Incoming, uptime: Span) -> Result<Accepted, Reply> {
        let command: Command = serde_json::from_slice(&incoming.payload).map_err(|error| {
            Reply::refused(None, Refusal::Unreadable, format!("the command cannot be read: {error}"))
        })?;
        let key = command.key.clone();
        let refused = |refusal, reason: &str| Err(Reply::refused(Some(key.clone()), refusal, reason));
        if incoming.retained {
            return refused(Refusal::Retained, "a retained command is never honoured: send it without the retain flag");
        }
        if !self.on_this_box {
            return refused(Refusal::NotAllowed, "unsigned commands are taken only by a broker on this box");
        }
        if let Some((.., outcome)) = self.answered.iter().find(|(b, k, _)| (*b, k) == (bed, &key)) {
            return Err(Reply { key: Some(key), outcome: outcome.clone() });
        }
        if command.boot_id != self.boot_id {
            let now = self.boot_id;
            return refused(Refusal::OtherBoot, &format!("the box has started anew: it is {now} now, look again"));
        }
        let seen = Span::millis(command.uptime_ms);
        if seen > uptime || uptime.minus(seen) > VALID_FOR {
            return refused(Refusal::TooOld, "the heartbeat that was seen is older than 30 s: look again");
        }
        let action = match command.action.to_core() {
            Ok(action) => action,
            Err(unsound) => return refused(Refusal::Unreadable, &unsound.to_string()),
        };
        Ok(Accepted { key, command: input::Command { actor: command.actor.to_string(), action } })
    }

    /// Remembers an answer, for the same command sent again.
    pub fn answered(&mut self, bed: Id, key: String, outcome: Outcome) {
        if self.answered.len() >= REMEMBERED {
            self.answered.pop_front();
        }
        self.answered.push_back((bed, key, outcome));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn bed() -> Id {
        Id::new("bed-1").unwrap()
    }

    fn boot() -> BootId {
        BootId::new(42, 0x9f_3a1c)
    }

    fn command(change: impl FnOnce(&mut Value)) -> Incoming {
        let mut payload = json!({
            "boot_id": boot().to_string(), "uptime_ms": 60_000, "key": "k1", "actor": "nurse-2",
            "action": "open", "route": "iv", "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right"
        });
        change(&mut payload);
        Incoming {
            topic: "vitals/v1/clinic/bed/bed-1/command".into(),
            payload: serde_json::to_vec(&payload).unwrap(),
            response_topic: None,
            correlation_data: None,
            retained: false,
        }
    }

    fn refusal(requests: &Requests, incoming: &Incoming, uptime_s: u64) -> Option<Refusal> {
        match requests.accept(bed(), incoming, Span::secs(uptime_s)) {
            Err(Reply { outcome: Outcome::Refused { refusal, .. }, .. }) => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn a_fresh_command_of_this_life_is_honoured_for_thirty_seconds() {
        let requests = Requests::new(boot(), "127.0.0.1");
        let fresh = command(|_| {});
        assert_eq!(refusal(&requests, &fresh, 60), None);
        assert_eq!(refusal(&requests, &fresh, 90), None);
        assert_eq!(refusal(&requests, &fresh, 91), Some(Refusal::TooOld));
        assert_eq!(refusal(&requests, &fresh, 59), Some(Refusal::TooOld), "a heartbeat that has not been");
        let other = command(|c| c["boot_id"] = json!("000041-9f3a1c"));
        assert_eq!(refusal(&requests, &other, 60), Some(Refusal::OtherBoot));
    }

    #[test]
    fn a_retained_command_is_never_honoured() {
        let requests = Requests::new(boot(), "127.0.0.1");
        let retained = Incoming { retained: true, ..command(|_| {}) };
        assert_eq!(refusal(&requests, &retained, 60), Some(Refusal::Retained));
    }

    #[test]
    fn an_unsigned_command_is_taken_only_from_a_broker_on_this_box() {
        for (broker, allowed) in [("127.0.0.1", true), ("::1", true), ("localhost", true), ("10.0.0.5", false)] {
            let refusal = refusal(&Requests::new(boot(), broker), &command(|_| {}), 60);
            assert_eq!(refusal.is_none(), allowed, "{broker}");
        }
    }

    #[test]
    fn a_command_that_is_sent_again_gets_the_same_answer_and_is_not_carried_out_twice() {
        let mut requests = Requests::new(boot(), "127.0.0.1");
        requests.answered(bed(), "k1".into(), Outcome::Done);
        let again = requests.accept(bed(), &command(|_| {}), Span::secs(60));
        assert_eq!(again.map(|_| ()), Err(Reply { key: Some("k1".into()), outcome: Outcome::Done }));
        let other_bed = requests.accept(Id::new("bed-2").unwrap(), &command(|_| {}), Span::secs(60));
        assert!(other_bed.is_ok(), "keys are per bed");
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_says_why() {
        let requests = Requests::new(boot(), "127.0.0.1");
        let wrong = command(|c| c["route"] = json!("rectal"));
        assert_eq!(refusal(&requests, &wrong, 60), Some(Refusal::Unreadable));
        let no_pressure = command(|c| {
            c["action"] = json!("pressure");
            c["systolic_mmhg"] = json!(80);
            c["diastolic_mmhg"] = json!(120);
        });
        assert_eq!(refusal(&requests, &no_pressure, 60), Some(Refusal::Unreadable));
    }
}
