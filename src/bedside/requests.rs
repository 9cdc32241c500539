//! Commands that came by MQTT: carried out once, or refused with a reason (DESIGN 6).

use std::collections::VecDeque;
use std::net::IpAddr;

use vitalsd_core::monitor::input;
use vitalsd_core::time::Span;

use crate::mqtt::Incoming;
use crate::wire::audit::Audited;
use crate::wire::command::{Command, Outcome, Refusal, Reply};
use crate::wire::{Action, BootId, Id};

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
    /// The command for the audit log, as it is answered.
    asked: Asked,
}

/// A command that is not to be carried out.
#[derive(Debug)]
pub struct TurnedDown {
    /// The answer.
    pub reply: Reply,
    /// What the audit log says of it; `None`: it was answered before.
    pub audited: Option<Audited>,
}

/// Who asked what.
#[derive(Clone, Debug)]
struct Asked {
    bed: Id,
    actor: Id,
    key: String,
    action: Action,
}

impl Accepted {
    /// What the audit log says of it.
    #[must_use]
    pub fn audited(self, reply: Outcome) -> Audited {
        self.asked.audited(reply)
    }
}

impl Asked {
    fn audited(self, reply: Outcome) -> Audited {
        let Self { bed, actor, key, action } = self;
        Audited::Asked { bed, actor, key, asked: action.without_text(), reply }
    }
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
    pub fn accept(&self, bed: Id, incoming: &Incoming, uptime: Span) -> Result<Accepted, TurnedDown> {
        let command: Command = serde_json::from_slice(&incoming.payload).map_err(|error| {
            let reply = Reply::refused(None, Refusal::Unreadable, format!("the command cannot be read: {error}"));
            let audited = Some(Audited::Unreadable { bed, reply: reply.outcome.clone() });
            TurnedDown { reply, audited }
        })?;
        let Command { boot_id, uptime_ms, key, actor, action } = command;
        if let Some((.., outcome)) = self.answered.iter().find(|(b, k, _)| (*b, k) == (bed, &key)) {
            return Err(TurnedDown { reply: Reply { key: Some(key), outcome: outcome.clone() }, audited: None });
        }
        let asked = Asked { bed, actor, key: key.clone(), action: action.clone() };
        let turn_down = |(refusal, reason): (Refusal, String)| {
            let reply = Reply::refused(Some(key.clone()), refusal, reason);
            let audited = Some(asked.clone().audited(reply.outcome.clone()));
            TurnedDown { reply, audited }
        };
        self.check(incoming, boot_id, uptime_ms, uptime).map_err(turn_down)?;
        let action = action.to_core().map_err(|unsound| turn_down((Refusal::Unreadable, unsound.to_string())))?;
        Ok(Accepted { command: input::Command { actor: actor.to_string(), action }, key, asked })
    }

    /// Whether a command that can be read is for us, and for now.
    fn check(
        &self,
        incoming: &Incoming,
        boot_id: BootId,
        uptime_ms: u64,
        uptime: Span,
    ) -> Result<(), (Refusal, String)> {
        let refuse = |refusal, reason: &str| Err((refusal, reason.to_owned()));
        if incoming.retained {
            return refuse(Refusal::Retained, "a retained command is never honoured: send it without the retain flag");
        }
        if !self.on_this_box {
            return refuse(Refusal::NotAllowed, "unsigned commands are taken only by a broker on this box");
        }
        if boot_id != self.boot_id {
            let now = self.boot_id;
            return refuse(Refusal::OtherBoot, &format!("the box has started anew: it is {now} now, look again"));
        }
        let seen = Span::millis(uptime_ms);
        if seen > uptime || uptime.minus(seen) > VALID_FOR {
            return refuse(Refusal::TooOld, "the heartbeat that was seen is older than 30 s: look again");
        }
        Ok(())
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
            Err(TurnedDown { reply: Reply { outcome: Outcome::Refused { refusal, .. }, .. }, .. }) => Some(refusal),
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
        let again = again.unwrap_err();
        assert_eq!(again.reply, Reply { key: Some("k1".into()), outcome: Outcome::Done });
        assert_eq!(again.audited, None, "it stands there already");
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

    #[test]
    fn what_is_audited_says_who_asked_what_and_why_not_but_no_text_of_a_note() {
        let requests = Requests::new(boot(), "127.0.0.1");
        let note =
            Incoming { retained: true, ..command(|c| (c["action"], c["text"]) = (json!("note"), json!("cried"))) };
        let turned_down = requests.accept(bed(), &note, Span::secs(60)).unwrap_err();
        let audited = serde_json::to_value(turned_down.audited).unwrap();
        assert_eq!((&audited["actor"], &audited["asked"]["action"]), (&json!("nurse-2"), &json!("note")));
        assert_eq!(audited["reply"]["refused"], "retained");
        assert!(!audited.to_string().contains("cried"), "{audited}");
        let nonsense = Incoming { payload: b"{}".into(), ..command(|_| {}) };
        let audited = requests.accept(bed(), &nonsense, Span::secs(60)).unwrap_err().audited;
        assert!(matches!(audited, Some(Audited::Unreadable { .. })), "{audited:?}");
    }
}
