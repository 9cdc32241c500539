//! What a bed says, on its topics: outputs of the core become messages of the contract.

use tracing::{error, info};
use vitalsd_core::driver::Driver;
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::output::{EventKind, Output, Presence};
use vitalsd_core::time::Time;

use super::room::Room;
use crate::mqtt::{EncodeError, Publisher};
use crate::wire::bed::{Baseline, DeviceState, State};
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
    let slot = Slot { rev: room.next_rev(), now: session(&room.bed, clock) };
    log(publisher.publish(Topic::Bed(room.id, BedTopic::Session), clock.at(now), &slot));
}

/// Says one device of a bed.
pub fn say_device(room: &mut Room, device: usize, now: Time, clock: Clock, publisher: &mut Publisher) {
    room.changed = true;
    let rev = room.next_rev();
    let Some(device) = room.devices.get(device) else { return };
    let driver = &device.driver;
    let told = Device::new(device.id, driver.protocol().name, &device.link_now(), driver.stats());
    let topic = Topic::Bed(room.id, BedTopic::Device(device.id));
    log(publisher.publish(topic, clock.at(now), &Slot { rev, now: told }));
}

/// Says the whole bed, for whoever comes late.
pub fn say_state(room: &mut Room, now: Time, clock: Clock, publisher: &mut Publisher) {
    let bed = &room.bed;
    let oximeter = bed.oximeter();
    let expected = oximeter.spo2().expected() || oximeter.pulse().expected();
    let reading = expected.then(|| {
        let newest = oximeter.spo2().at().max(oximeter.pulse().at());
        vitalsd_core::sample::Oximetry { at: newest.unwrap_or(now), ..oximeter.reading(now) }
    });
    let devices =
        room.devices.iter().map(|device| DeviceState { device: device.id, connection: (&device.link_now()).into() });
    let state = State::new(
        now,
        clock,
        bed.session().phase(),
        reading.as_ref(),
        bed.newest_pressure(),
        bed.alarms().map(|alarm| Alarm::new(alarm, clock)).collect(),
        devices.collect(),
        bed.cuff().next(),
    );
    let slot = Slot { rev: room.next_rev(), now: state };
    log(publisher.publish(Topic::Bed(room.id, BedTopic::State), clock.at(now), &slot));
}

fn session(bed: &Bed, clock: Clock) -> Session {
    let session = bed.session();
    let opened = session.opened();
    let count = session.baseline().count();
    let baseline = session.baseline().pressure().map(|bp| Baseline {
        provisional: count < 3,
        systolic_mmhg: bp.systolic().map(vitalsd_core::vitals::Pressure::as_mmhg),
        diastolic_mmhg: bp.diastolic().map(vitalsd_core::vitals::Pressure::as_mmhg),
        ..Baseline::default()
    });
    Session {
        phase: session.phase(),
        opened_at: opened.map(|opened| clock.at(opened.at)),
        route: opened.map(|opened| opened.route),
        dosed_at: session.dose().map(|dose| clock.at(dose)),
        phase_since: session.since().map(|since| clock.at(since)),
        phase_until: session.deadline(&bed.preset().routes).map(|until| clock.at(until)),
        baseline,
        preset: bed.preset().name.clone(),
        preset_hash: bed.preset().hash.clone(),
        preset_signed: bed.preset().signed_by.is_some(),
    }
}

fn log(said: Result<u64, EncodeError>) {
    if let Err(error) = said {
        error!(%error, "a message could not be written");
    }
}
