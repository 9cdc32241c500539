//! What a bed says, on its topics: outputs of the core become messages of the contract.

use tracing::{error, info};
use vitalsd_core::monitor::output::{EventKind, Output, Presence};
use vitalsd_core::time::Time;

use super::room::Room;
use crate::mqtt::{EncodeError, Publisher};
use crate::wire::bed::{DeviceState, State};
use crate::wire::{Alarm, BedTopic, Clock, Device, Event, Oximetry, Pressure, Session, Slot, Topic};

/// Says one output. Requests to devices are not for the wire.
pub fn say(room: &mut Room, output: &Output, clock: Clock, publisher: &mut Publisher) {
    let topic = |what| Topic::Bed(room.id, what);
    let said = match output {
        Output::Oximetry(oximetry) => {
            return log(publisher.publish(topic(BedTopic::Oximetry), clock.at(oximetry.at), &Oximetry::from(oximetry)));
        }
        Output::Pressure(determination) => {
            let at = clock.at(determination.at);
            publisher.publish(topic(BedTopic::Pressure), at, &Pressure::new(determination, clock))
        }
        Output::Alarm(alarm) => {
            let topic = topic(BedTopic::Alarm(alarm.condition));
            let slot = Slot { rev: room.next_rev(), now: Alarm::new(alarm, clock) };
            match alarm.presence {
                Presence::Off => publisher.end(topic, clock.at(alarm.at), &slot),
                Presence::On | Presence::Latched => publisher.publish(topic, clock.at(alarm.at), &slot),
            }
        }
        Output::Event(event) => {
            note(room, &event.kind);
            let told = Event::new(event, clock, |device| room.name(device));
            publisher.publish(topic(BedTopic::Event), clock.at(event.at), &told)
        }
        Output::Session => return,
        Output::Request { .. } => return,
    };
    room.changed = true;
    log(said);
}

/// Writes an alarm into the log, without its value: the log is not for vital signs.
fn note(room: &Room, event: &EventKind) {
    let (alarm, what) = match event {
        EventKind::Raised(alarm) => (alarm, "alarm raised"),
        EventKind::Worsened(alarm) => (alarm, "alarm graver"),
        EventKind::Escalated(alarm) => (alarm, "alarm that nobody took: every station is told"),
        EventKind::Reannounced(alarm) => (alarm, "alarm accepted and still there"),
        EventKind::Latched(alarm) => (alarm, "alarm over, not yet seen"),
        EventKind::Cleared(alarm) => (alarm, "alarm over"),
        _ => return,
    };
    info!(bed = %room.id, condition = %alarm.condition, priority = %alarm.priority, "{what}");
}

/// Says the session of a bed.
pub fn say_session(room: &mut Room, now: Time, clock: Clock, publisher: &mut Publisher) {
    room.changed = true;
    let slot = Slot { rev: room.next_rev(), now: Session::new(&room.bed, clock) };
    log(publisher.publish(Topic::Bed(room.id, BedTopic::Session), clock.at(now), &slot));
}

/// Says one device of a bed.
pub fn say_device(room: &mut Room, device: usize, now: Time, clock: Clock, publisher: &mut Publisher) {
    room.changed = true;
    let rev = room.next_rev();
    let Some(device) = room.devices.get(device) else { return };
    let hunt = &device.hunt;
    let line = hunt.is_over().then(|| hunt.line());
    let driver = hunt.protocol().map(|protocol| protocol.name);
    let told = Device::new(device.id, driver, line, &device.link_now(), &hunt.stats());
    let topic = Topic::Bed(room.id, BedTopic::Device(device.id));
    log(publisher.publish(topic, clock.at(now), &Slot { rev, now: told }));
}

/// Says the whole bed, for whoever comes late.
pub fn say_state(room: &mut Room, now: Time, clock: Clock, publisher: &mut Publisher) {
    let devices =
        room.devices.iter().map(|device| DeviceState { device: device.id, connection: (&device.link_now()).into() });
    let state = State::new(&room.bed, devices.collect(), now, clock);
    let slot = Slot { rev: room.next_rev(), now: state };
    log(publisher.publish(Topic::Bed(room.id, BedTopic::State), clock.at(now), &slot));
}

fn log(said: Result<u64, EncodeError>) {
    if let Err(error) = said {
        error!(%error, "a message could not be written");
    }
}
