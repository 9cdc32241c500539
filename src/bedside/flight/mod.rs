//! The flight recorder: the last minutes of every serial line in memory, saved as a capture when an alarm begins.
//!
//! Off unless the configuration says otherwise: what it saves is a person's vital signs. What it does on the hot
//! thread is to copy bytes into memory that is already there; another thread writes the files.
//!
//! * [`ring`]: the last minutes of one line.
//! * [`directory`]: the files, few and small enough.

pub mod directory;
pub mod ring;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::{error, info, warn};
use vitalsd_core::driver::{LineSettings, Quantity};
use vitalsd_core::monitor::input::DeviceIndex;
use vitalsd_core::monitor::output::{Alarm, Condition, Event, EventKind, Group, Output, Priority};
use vitalsd_core::time::{Span, Time};

use self::directory::{Directory, Flight};
use self::ring::Ring;
use super::room::DeviceKey;
use crate::capture::What;
use crate::config;
use crate::wire::Clock;

/// What comes in this long after an alarm has begun is saved with it: a device speaks every second, and the value
/// after the one that alarmed tells much.
const AFTER: Span = Span::secs(2);
/// How many copies may wait for the disk ...
const WAITING: usize = 4;
/// ... and how long the next one waits to be made while they do.
const AGAIN: Span = Span::secs(1);
/// How long the end of the daemon waits for the disk.
const LAST: Duration = Duration::from_secs(1);

/// The flight recorder of a box.
#[derive(Debug)]
pub struct FlightRecorder {
    /// One for each bed, with its devices.
    beds: Vec<Vec<Line>>,
    /// What is to be saved, and when: one for a line at the most.
    wanted: Vec<Wanted>,
    /// The last episode of each condition that has been saved.
    saved: Vec<(usize, Condition, u32)>,
    jobs: SyncSender<Flight>,
    thread: JoinHandle<()>,
}

/// A protocol, and the line settings at which it is spoken.
type Spoken = (&'static str, LineSettings);

/// The line of one device.
#[derive(Debug)]
struct Line {
    bed: String,
    device: config::Device,
    /// What is spoken there, as far as it is known.
    spoken: Option<Spoken>,
    ring: Ring,
}

/// A capture that is to be saved.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    key: DeviceKey,
    condition: Condition,
    priority: Priority,
    began: Time,
    due: Time,
}

impl FlightRecorder {
    /// The recorder that `settings` ask for, for these beds; its thread is running.
    #[must_use]
    pub fn start(settings: &config::FlightRecorder, beds: &[config::Bed]) -> Self {
        let line = |bed: &config::Bed, device: &config::Device| Line {
            bed: bed.id.clone(),
            device: device.clone(),
            spoken: only(device),
            ring: Ring::new(Span::mins(settings.minutes.into()), settings.bytes_per_port),
        };
        let lines = |bed: &config::Bed| bed.devices.iter().map(|device| line(bed, device)).collect();
        let (jobs, flights) = sync_channel::<Flight>(WAITING);
        let directory = Directory::of(settings);
        let thread = thread::spawn(move || {
            for flight in flights {
                keep(&directory, &flight);
            }
        });
        Self { beds: beds.iter().map(lines).collect(), wanted: Vec::new(), saved: Vec::new(), jobs, thread }
    }

    /// Something happened on the line of a device.
    pub fn take(&mut self, key: DeviceKey, at: Time, what: What<'_>) {
        if let Some(line) = self.line(key) {
            line.ring.take(at, what);
        }
    }

    /// What a device speaks has been found out.
    pub fn found(&mut self, key: DeviceKey, protocol: &'static str, line: LineSettings) {
        if let Some(its) = self.line(key) {
            its.spoken = Some((protocol, line));
        }
    }

    /// A bed said something: if an alarm of MEDIUM or HIGH has begun, its bytes are to be saved, once.
    pub fn hear(&mut self, bed: usize, output: &Output) {
        let Output::Event(Event { kind: EventKind::Raised(alarm) | EventKind::Worsened(alarm), .. }) = output else {
            return;
        };
        if alarm.priority < Priority::Medium || !self.is_new(bed, alarm) {
            return;
        }
        let Some(device) = self.device_of(bed, alarm.condition) else { return };
        let key = DeviceKey { bed, device };
        // One that begins while another waits for its file stands in that file too.
        if !self.wanted.iter().any(|wanted| wanted.key == key) {
            let Alarm { condition, priority, at, .. } = *alarm;
            self.wanted.push(Wanted { key, condition, priority, began: at, due: at + AFTER });
        }
    }

    /// When something is to be saved next.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.wanted.iter().map(|wanted| wanted.due).min()
    }

    /// Hands to the other thread what is to be saved by now, one line at a time: a copy costs a fraction of a
    /// millisecond, and an alarm may be waiting. With a disk that is slow or gone it is tried again.
    pub fn save(&mut self, now: Time, clock: Clock) {
        let Some(index) = self.wanted.iter().position(|wanted| wanted.due <= now) else { return };
        let wanted = self.wanted.swap_remove(index);
        let flight = self.flight(wanted, now, clock);
        if flight.is_some_and(|flight| self.jobs.try_send(flight).is_err()) {
            self.wanted.push(Wanted { due: now + AGAIN, ..wanted });
        }
    }

    /// Saves what is still to be saved, and waits for the disk, but not for long.
    pub async fn finish(mut self, now: Time, clock: Clock) {
        let wanted = std::mem::take(&mut self.wanted);
        let flights: Vec<_> = wanted.into_iter().filter_map(|wanted| self.flight(wanted, now, clock)).collect();
        let Self { jobs, thread, .. } = self;
        let written = tokio::task::spawn_blocking(move || {
            flights.into_iter().for_each(|flight| drop(jobs.send(flight)));
            drop(jobs);
            thread.join()
        });
        if tokio::time::timeout(LAST, written).await.is_err() {
            warn!("the flight recorder's disk is slow: the last alarm may not be saved");
        }
    }

    /// What is to be saved, copied.
    fn flight(&mut self, wanted: Wanted, now: Time, clock: Clock) -> Option<Flight> {
        let line = self.line(wanted.key)?;
        Some(Flight {
            bed: line.bed.clone(),
            device: line.device.clone(),
            spoken: line.spoken,
            condition: wanted.condition,
            priority: wanted.priority,
            began: wanted.began,
            until: now,
            clock,
            bytes: line.ring.copy(now),
        })
    }

    fn line(&mut self, DeviceKey { bed, device }: DeviceKey) -> Option<&mut Line> {
        self.beds.get_mut(bed)?.get_mut(usize::from(device.0))
    }

    /// Whether this alarm has not been saved yet; from now on it counts as saved.
    fn is_new(&mut self, bed: usize, alarm: &Alarm) -> bool {
        let known = self.saved.iter_mut().find(|(its, condition, _)| (*its, *condition) == (bed, alarm.condition));
        match known {
            Some((_, _, episode)) => std::mem::replace(episode, alarm.episode) != alarm.episode,
            None => {
                self.saved.push((bed, alarm.condition, alarm.episode));
                true
            }
        }
    }

    /// The device whose bytes tell of such an alarm: the bed's source of what it is about.
    fn device_of(&self, bed: usize, condition: Condition) -> Option<DeviceIndex> {
        let quantity = quantity(condition)?;
        let lines = self.beds.get(bed)?;
        let source = lines.iter().position(|line| line.device.is_primary(quantity));
        u8::try_from(source?).ok().map(DeviceIndex)
    }
}

/// What a device speaks for which one protocol is named.
fn only(device: &config::Device) -> Option<Spoken> {
    match device.protocols.as_slice() {
        [protocol] => Some((protocol.name, protocol.lines.first().copied()?)),
        _ => None,
    }
}

/// What an alarm is about; `None`: bytes of a device tell nothing of it.
fn quantity(condition: Condition) -> Option<Quantity> {
    use Condition as C;
    match (condition.group(), condition) {
        _ if condition.is_pressure() => Some(Quantity::BloodPressure),
        (Group::Spo2 | Group::Combined, _) => Some(Quantity::Spo2),
        (Group::PulseHigh | Group::PulseLow, _) => Some(Quantity::Pulse),
        (_, C::PressureOverdue | C::CuffLost | C::CuffFailed) => Some(Quantity::BloodPressure),
        // A person in need: how was the saturation?
        (_, C::Help | C::Unresponsive) => Some(Quantity::Spo2),
        (_, C::Spo2Unavailable | C::SourceStuck | C::AllLost | C::RatesDisagree | C::MonitorAlarmOff) => {
            Some(Quantity::Spo2)
        }
        _ => None,
    }
}

fn keep(directory: &Directory, flight: &Flight) {
    match directory.keep(flight) {
        Ok(file) => info!(file = %file.display(), "the flight recorder saved an alarm"),
        Err(error) => error!(
            directory = %directory.path().display(), %error,
            "the flight recorder cannot save; free the disk, and let the daemon's user write to the directory"
        ),
    }
}

#[cfg(test)]
mod tests;
