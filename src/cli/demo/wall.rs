//! The wall of the demonstration, as lines: four beds, their alarms; and the nurse who opens the sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, stdout};

use serde::de::DeserializeOwned;
use vitalsd_core::monitor::input::{Opening, Route};
use vitalsd_core::monitor::output::{Phase, Presence, Priority};

use super::SITE;
use super::rooms::{REPLIES, ROOMS};
use crate::cli::harmless;
use crate::mqtt::Incoming;
use crate::mqtt::client::Request;
use crate::wire::bed::{Connection, State};
use crate::wire::command::{Action, Command};
use crate::wire::{Alarm, BedTopic, BoxTopic, Envelope, Event, Heartbeat, Id, Root, Slot, Topic, WallTime};

/// What is known of the beds.
#[derive(Default)]
pub struct Wall {
    states: BTreeMap<Id, State>,
    heartbeat: Option<Envelope<Heartbeat>>,
    /// How many commands have been sent to each bed.
    ordered: BTreeMap<Id, usize>,
    /// The devices that were lost since: only their return is news.
    lost: BTreeSet<(Id, Id)>,
}

impl Wall {
    /// Takes a message; an alarm that is told is printed at once.
    pub fn take(&mut self, incoming: &Incoming) {
        let Some(topic) = site().and_then(|root| root.parse(&incoming.topic)) else { return };
        match topic {
            Topic::Bed(bed, BedTopic::State) => {
                if let Some(state) = read::<Envelope<Slot<State>>>(incoming) {
                    self.states.insert(bed, state.message.now);
                }
            }
            Topic::Bed(bed, BedTopic::Event) => {
                if let Some(event) = read::<Envelope<Event>>(incoming) {
                    self.tell(bed, &event);
                }
            }
            Topic::Box(_, BoxTopic::Heartbeat) => self.heartbeat = read(incoming).or(self.heartbeat.take()),
            _ => {}
        }
    }

    /// The commands of the nurse: in each room a session, and the dose where it was given.
    pub fn orders(&mut self) -> Vec<Request> {
        let (Some(heartbeat), Ok(actor)) = (&self.heartbeat, Id::new("demo-nurse")) else { return Vec::new() };
        let mut requests = Vec::new();
        for room in ROOMS {
            let Some((bed, state)) = self.states.iter().find(|(bed, _)| bed.as_str() == room.bed) else { continue };
            let sent = self.ordered.entry(*bed).or_default();
            let action = match (state.phase, room.dosed, *sent) {
                (Phase::NoSession, _, 0) => Action::Open((&Opening::by(Route::Iv)).into()),
                (Phase::Baseline, Some(minutes), 1) => Action::Dose { ago_ms: minutes * 60_000 },
                _ => continue,
            };
            *sent += 1;
            let command = Command {
                boot_id: heartbeat.boot_id,
                uptime_ms: heartbeat.message.uptime_ms,
                key: format!("{}-{sent}", room.bed),
                actor,
                action,
            };
            let topic = format!("vitals/v1/{SITE}/{}", Topic::Bed(*bed, BedTopic::Command));
            if let Ok(payload) = serde_json::to_vec(&command) {
                requests.push(Request {
                    topic,
                    payload,
                    response_topic: Some(REPLIES.to_owned()),
                    correlation_data: None,
                    user_properties: Vec::new(),
                    expiry_s: Some(30),
                });
            }
        }
        requests
    }

    /// Prints what happened, in a line.
    fn tell(&mut self, bed: Id, event: &Envelope<Event>) {
        let what = match &event.message {
            Event::Raised(alarm)
            | Event::Announced(alarm)
            | Event::Worsened(alarm)
            | Event::Reannounced(alarm)
            | Event::Latched(alarm) => band(alarm),
            Event::Escalated(alarm) => format!("{}, nobody has it", band(alarm)),
            Event::Cleared(alarm) => format!("    over: {}", alarm.reason),
            Event::Phase { to, .. } => format!("    phase: {to}"),
            Event::Device { device, connection: Connection::Lost { reason } } => {
                self.lost.insert((bed, *device));
                format!("    {device}: {reason}")
            }
            Event::Device { device, connection: Connection::Up } if self.lost.remove(&(bed, *device)) => {
                format!("    {device}: back")
            }
            _ => return,
        };
        println!("{}  {bed}  {what}", event.at.0.strftime("%H:%M:%S UTC"));
    }

    /// Prints the four beds.
    pub fn print(&self) {
        if self.states.is_empty() {
            return;
        }
        println!("{}", WallTime::now().0.strftime("%H:%M:%S UTC"));
        for (bed, state) in &self.states {
            println!("  {}", line(*bed, state));
        }
    }
}

/// One bed in a line: `room-1  window    SpO2  97 %  pulse  72  BP 128/82 (2 min ago)  next cuff in 8 min`.
fn line(bed: Id, state: &State) -> String {
    let mut line = format!("{bed}  {:<11}", state.phase.to_string());
    if let Some(oximetry) = &state.oximetry {
        let spo2 = oximetry.value.spo2_pct.map_or("--".to_owned(), |spo2| spo2.0.to_string());
        let pulse = oximetry.value.pulse_bpm.map_or("--".to_owned(), |pulse| pulse.to_string());
        line += &format!("SpO2 {spo2:>4} %  pulse {pulse:>3}");
    }
    if let Some(pressure) = &state.pressure {
        let (systolic, diastolic) = (pressure.value.systolic_mmhg, pressure.value.diastolic_mmhg);
        if let Some((systolic, diastolic)) = systolic.zip(diastolic) {
            line += &format!("  BP {systolic}/{diastolic} ({} min ago)", pressure.age_ms / 60_000);
        }
    }
    if let Some(next) = state.next_cuff_at {
        let seconds = next.0.duration_since(WallTime::now().0).as_secs().max(0);
        line += &format!("  next cuff in {} min", (seconds + 59) / 60);
    }
    if let Some(alarm) = state.alarms.iter().filter(|alarm| alarm.announced).max_by_key(|alarm| alarm.priority) {
        line += &format!("  {}", band(alarm));
    }
    line
}

/// An alarm as a nurse reads it: symbol and word before the colour, then the reason.
fn band(alarm: &Alarm) -> String {
    let (symbol, colour) = match alarm.priority {
        Priority::High => ("!!!", "41;97"),
        Priority::Medium => ("!! ", "43;30"),
        Priority::Low => ("!  ", "36"),
    };
    let seen = if alarm.presence == Presence::Latched { " (over, not yet seen)" } else { "" };
    let text = format!("{symbol} {} {}{seen}", alarm.priority, alarm.reason);
    if stdout().is_terminal() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text }
}

fn site() -> Option<Root> {
    Id::new(SITE).ok().map(Root::new)
}

fn read<T: DeserializeOwned>(incoming: &Incoming) -> Option<T> {
    harmless::read(&incoming.payload).ok()
}
