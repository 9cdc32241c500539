//! Commands that came by MQTT: carried out once, or refused with a reason (DESIGN 6).
//!
//! What was carried out is remembered for as long as it could be sent again and believed, so nobody can push it out of
//! that memory; who fills it is told to wait instead.

use vitalsd_core::monitor::input;
use vitalsd_core::time::Span;

use super::stations::Stations;
use crate::mqtt::Incoming;
use crate::wire::audit::Audited;
use crate::wire::command::{Command, Outcome, Refusal, Reply};
use crate::wire::{Action, BootId, Id};

/// A command is honoured this long after the heartbeat that its sender has seen.
const VALID_FOR: Span = Span::secs(30);
/// So many commands of one station may be valid at a time: eight a second, more than persons give.
const AT_ONCE: usize = 256;
/// The longest key, in bytes.
const LONGEST_KEY: usize = 64;
/// So much is said of a command that cannot be read, in characters.
const LONGEST_QUOTE: usize = 300;

/// What decides whether a command is honoured.
#[derive(Debug)]
pub struct Requests {
    boot_id: BootId,
    stations: Stations,
    answered: Vec<Answered>,
}

/// What makes a command the same as another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    bed: Id,
    /// `None`: unsigned.
    station: Option<Id>,
    key: String,
}

#[derive(Debug)]
struct Answered {
    name: Name,
    /// The last uptime of the box at which it would be believed.
    valid_until: Span,
    outcome: Outcome,
}

/// A command that may be carried out.
#[derive(Debug)]
pub struct Accepted {
    /// The command, as the bed takes it.
    pub command: input::Command,
    /// The command for the audit log, as it is answered.
    asked: Asked,
    valid_until: Span,
}

/// A command that is not to be carried out.
#[derive(Debug)]
pub struct TurnedDown {
    /// The answer.
    pub reply: Reply,
    /// What the audit log says of it; `None`: it was answered before.
    pub audited: Option<Box<Audited>>,
}

/// Who asked what.
#[derive(Clone, Debug)]
struct Asked {
    name: Name,
    actor: Id,
    action: Action,
}

impl Accepted {
    /// Its idempotency key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.asked.name.key
    }

    /// What the audit log says of it.
    #[must_use]
    pub fn audited(self, reply: Outcome) -> Audited {
        self.asked.audited(reply)
    }
}

impl TurnedDown {
    /// Why, without a word of what was sent; `None`: it was answered before.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self.audited.as_deref() {
            Some(
                Audited::Asked { reply: Outcome::Refused { reason, .. }, .. }
                | Audited::Unreadable { reply: Outcome::Refused { reason, .. }, .. },
            ) => Some(reason.as_str()),
            _ => None,
        }
    }

    /// It is no command. The answer quotes what was found, for whoever wrote it. What is kept does not: it could be a
    /// note that stands in the wrong place.
    fn unreadable(bed: Id, error: &serde_json::Error) -> Self {
        let refused = |reason| Reply::refused(None, Refusal::Unreadable, reason);
        let kept = format!("the command cannot be read at line {}, column {}", error.line(), error.column());
        let quoted: String = error.to_string().chars().take(LONGEST_QUOTE).collect();
        let audited = Some(Box::new(Audited::Unreadable { bed, reply: refused(kept).outcome }));
        Self { reply: refused(format!("the command cannot be read: {quoted}")), audited }
    }
}

impl Asked {
    fn audited(self, reply: Outcome) -> Audited {
        let Self { name: Name { bed, station, key }, actor, action } = self;
        Audited::Asked { bed, station, actor, key, asked: action.without_text(), reply }
    }
}

impl Requests {
    /// For this life of the box, and those who may command it.
    #[must_use]
    pub const fn new(boot_id: BootId, stations: Stations) -> Self {
        Self { boot_id, stations, answered: Vec::new() }
    }

    /// Takes what came for `bed`; `uptime` is that of the box now.
    ///
    /// # Errors
    /// The answer, where the command is not to be carried out: refused, or answered before.
    pub fn accept(&self, bed: Id, incoming: &Incoming, uptime: Span) -> Result<Accepted, TurnedDown> {
        let command = serde_json::from_slice(&incoming.payload);
        let Command { boot_id, uptime_ms, mut key, actor, action } =
            command.map_err(|error| TurnedDown::unreadable(bed, &error))?;
        let sound_key = (1..=LONGEST_KEY).contains(&key.len());
        if !sound_key {
            key = String::new();
        }
        let signer = self.stations.signer(incoming);
        let name = Name { bed, station: signer.unwrap_or_default(), key };
        let asked = Asked { name: name.clone(), actor, action: action.clone() };
        let turn_down = |refusal, reason: &str| {
            let reply = Reply::refused(sound_key.then(|| name.key.clone()), refusal, reason);
            let audited = Some(Box::new(asked.clone().audited(reply.outcome.clone())));
            TurnedDown { reply, audited }
        };
        if incoming.retained {
            let reason = "a retained command is never honoured: send it without the retain flag";
            return Err(turn_down(Refusal::Retained, reason));
        }
        signer.map_err(|why| turn_down(Refusal::NotAllowed, &why.to_string()))?;
        if !sound_key {
            let reason = format!("the key has 1 to {LONGEST_KEY} bytes: make up a new one for each command");
            return Err(turn_down(Refusal::Unreadable, &reason));
        }
        if boot_id != self.boot_id {
            let reason = format!("the box has started anew: it is {} now, look again", self.boot_id);
            return Err(turn_down(Refusal::OtherBoot, &reason));
        }
        let believed = || self.answered.iter().filter(|answered| answered.valid_until >= uptime);
        if let Some(Answered { outcome, .. }) = believed().find(|answered| answered.name == name) {
            let reply = Reply { key: Some(name.key.clone()), outcome: outcome.clone() };
            return Err(TurnedDown { reply, audited: None });
        }
        let seen = Span::millis(uptime_ms);
        if seen > uptime || uptime.minus(seen) > VALID_FOR {
            let reason = "the heartbeat that was seen is older than 30 s: look again";
            return Err(turn_down(Refusal::TooOld, reason));
        }
        if believed().filter(|answered| answered.name.station == name.station).count() >= AT_ONCE {
            let reason = format!("{AT_ONCE} commands from here within 30 s: wait, and look for who sends them");
            return Err(turn_down(Refusal::TooMany, &reason));
        }
        let action = action.to_core().map_err(|unsound| turn_down(Refusal::Unreadable, &unsound.to_string()))?;
        let command = input::Command { actor: actor.to_string(), action };
        Ok(Accepted { command, asked, valid_until: Span::millis(uptime_ms.saturating_add(VALID_FOR.as_millis())) })
    }

    /// Remembers an answer, for the same command sent again; forgets those that nobody would believe any more.
    pub fn answered(&mut self, accepted: &Accepted, outcome: Outcome, uptime: Span) {
        self.answered.retain(|answered| answered.valid_until >= uptime);
        let (name, valid_until) = (accepted.asked.name.clone(), accepted.valid_until);
        self.answered.push(Answered { name, valid_until, outcome });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::signature::{HMAC, Key, STATION};
    use serde_json::{Value, json};

    fn bed() -> Id {
        Id::new("bed-1").unwrap()
    }

    fn boot() -> BootId {
        BootId::new(42, 0x9f_3a1c)
    }

    fn requests() -> Requests {
        Requests::new(boot(), Stations::new([], "127.0.0.1"))
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
            user_properties: Vec::new(),
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
        let requests = requests();
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
        let requests = requests();
        let retained = Incoming { retained: true, ..command(|_| {}) };
        assert_eq!(refusal(&requests, &retained, 60), Some(Refusal::Retained));
    }

    /// Carries out what is accepted, and remembers that.
    fn carry_out(requests: &mut Requests, incoming: &Incoming, uptime: Span) {
        let accepted = requests.accept(bed(), incoming, uptime).unwrap();
        requests.answered(&accepted, Outcome::Done, uptime);
    }

    fn keyed(key: &str, uptime_ms: u64) -> Incoming {
        command(|c| (c["key"], c["uptime_ms"]) = (json!(key), json!(uptime_ms)))
    }

    #[test]
    fn a_command_that_is_sent_again_gets_the_same_answer_and_is_not_carried_out_twice() {
        let mut requests = requests();
        carry_out(&mut requests, &command(|_| {}), Span::secs(60));
        let again = requests.accept(bed(), &command(|_| {}), Span::secs(60)).unwrap_err();
        assert_eq!(again.reply, Reply { key: Some("k1".into()), outcome: Outcome::Done });
        assert_eq!((again.why(), &again.audited), (None, &None), "it stands there already");
        let other_bed = requests.accept(Id::new("bed-2").unwrap(), &command(|_| {}), Span::secs(60));
        assert!(other_bed.is_ok(), "keys are per bed");
    }

    #[test]
    fn no_flood_pushes_a_command_out_of_memory_while_it_would_be_believed() {
        let mut requests = requests();
        let first = command(|_| {});
        carry_out(&mut requests, &first, Span::secs(60));
        for n in 1..AT_ONCE {
            carry_out(&mut requests, &keyed(&format!("flood-{n}"), 61_000), Span::secs(61));
        }
        assert_eq!(refusal(&requests, &keyed("more", 61_000), 61), Some(Refusal::TooMany));
        // To its last moment it is known, and from then on it is too old.
        let again = requests.accept(bed(), &first, Span::secs(90)).unwrap_err();
        assert_eq!(again.reply.outcome, Outcome::Done);
        assert_eq!(refusal(&requests, &keyed("more", 90_000), 90), Some(Refusal::TooMany));
        carry_out(&mut requests, &keyed("more", 91_000), Span::secs(91));
        assert_eq!(refusal(&requests, &first, 91), Some(Refusal::TooOld));
        carry_out(&mut requests, &keyed("after", 92_000), Span::secs(92));
        assert_eq!(requests.answered.len(), 2, "what nobody would believe is forgotten");
    }

    #[test]
    fn a_station_that_floods_is_alone_in_waiting_and_keys_are_its_own() {
        let key = |digit: &str| digit.repeat(64).parse::<Key>().unwrap();
        let keys = [("desk", "1"), ("hall", "2")].map(|(id, digit)| (Id::new(id).unwrap(), key(digit)));
        let mut requests = Requests::new(boot(), Stations::new(keys, "10.0.0.5"));
        let signed = |mut incoming: Incoming, station: &str, digit: &str| {
            let signature = key(digit).sign(&incoming.topic, &incoming.payload);
            incoming.user_properties = vec![(STATION.into(), station.into()), (HMAC.into(), signature)];
            incoming
        };
        for n in 0..AT_ONCE {
            carry_out(&mut requests, &signed(keyed(&format!("k{n}"), 60_000), "desk", "1"), Span::secs(60));
        }
        let more = keyed("more", 60_000);
        assert_eq!(refusal(&requests, &signed(more.clone(), "desk", "1"), 60), Some(Refusal::TooMany));
        assert_eq!(refusal(&requests, &signed(more, "hall", "2"), 60), None);
        assert_eq!(refusal(&requests, &signed(keyed("k1", 60_000), "hall", "2"), 60), None, "not the desk's");
        assert_eq!(refusal(&requests, &command(|_| {}), 60), Some(Refusal::NotAllowed));
    }

    #[test]
    fn a_key_is_short_and_its_absence_is_told() {
        let requests = requests();
        for key in [String::new(), "k".repeat(LONGEST_KEY + 1)] {
            let turned_down = requests.accept(bed(), &keyed(&key, 60_000), Span::secs(60)).unwrap_err();
            assert!(turned_down.why().is_some_and(|why| why.contains("1 to 64 bytes")));
        }
        assert_eq!(refusal(&requests, &keyed(&"k".repeat(LONGEST_KEY), 60_000), 60), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_says_why() {
        let requests = requests();
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
        let requests = requests();
        let note =
            Incoming { retained: true, ..command(|c| (c["action"], c["text"]) = (json!("note"), json!("cried"))) };
        let turned_down = requests.accept(bed(), &note, Span::secs(60)).unwrap_err();
        let audited = serde_json::to_value(turned_down.audited).unwrap();
        assert_eq!((&audited["actor"], &audited["asked"]["action"]), (&json!("nurse-2"), &json!("note")));
        assert_eq!(audited["reply"]["refused"], "retained");
        assert!(!audited.to_string().contains("cried"), "{audited}");
        let nonsense = Incoming { payload: b"{}".into(), ..command(|_| {}) };
        let audited = requests.accept(bed(), &nonsense, Span::secs(60)).unwrap_err().audited;
        assert!(matches!(audited.as_deref(), Some(Audited::Unreadable { .. })), "{audited:?}");
        let astray = command(|c| c["action"] = json!("cried"));
        let turned_down = requests.accept(bed(), &astray, Span::secs(60)).unwrap_err();
        assert!(serde_json::to_string(&turned_down.reply).unwrap().contains("cried"), "whoever wrote it is told what");
        assert!(!serde_json::to_string(&turned_down.audited).unwrap().contains("cried"));
        assert!(turned_down.why().is_some_and(|why| why.contains("column")), "{turned_down:?}");
    }
}
