//! What outlives this run: what is said goes into the journal, and what the life before left comes out of it.

use std::sync::Arc;

use tracing::{error, info, warn};
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::Device;
use vitalsd_core::monitor::output::Output;
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};

use crate::journal::{self, Key, Past, Pen, Said};
use crate::mqtt::Keep;
use crate::wire::{BootId, Topic, WallTime};

/// After so many crashes in a row, the last of them within a minute, the box starts as if new: what it remembers may
/// be what makes it fall.
const CRASHES: u32 = 3;

/// Keeps what the publisher says.
#[derive(Debug)]
pub struct Keeper {
    /// What to write with.
    pub pen: Pen,
    /// This life.
    pub boot: BootId,
}

impl Keep for Keeper {
    fn said(&self, topic: Topic, seq: u64, payload: &Arc<[u8]>) {
        let key = Key { boot: self.boot, topic, seq };
        self.pen.say(Said { key, at: WallTime::now(), payload: Arc::clone(payload) });
    }

    fn settled(&self, boot: Option<BootId>, topic: Topic, seq: u64) {
        self.pen.settle(Key { boot: boot.unwrap_or(self.boot), topic, seq });
    }
}

/// The clock of the box as it starts.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The core's time of a box that remembers nothing.
    pub fresh: Time,
    /// The wall clock.
    pub wall: WallTime,
    /// Whether it is to be trusted.
    pub trusted: bool,
}

impl Start {
    /// For how long nobody watched a bed; `None`: the clock does not tell (R5.8).
    fn outage(&self, kept: &journal::Bed) -> Option<Span> {
        let behind = self.wall < kept.at;
        if !self.trusted || !kept.clock_trusted || behind {
            return None;
        }
        let ms = self.wall.0.as_millisecond().saturating_sub(kept.at.0.as_millisecond());
        u64::try_from(ms).ok().map(Span::millis)
    }
}

/// The bed that goes on from what the journal has of it, or a new one. What it says at once is in `said`.
pub fn begin(
    kept: Option<journal::Bed>,
    preset: &Preset,
    devices: Vec<Device>,
    start: Start,
    said: &mut Vec<Output>,
) -> Bed {
    let Some(kept) = kept else { return Bed::new(preset.clone(), devices, start.fresh) };
    let outage = start.outage(&kept);
    Bed::restart(kept.snapshot, preset.clone(), devices, outage, &mut |output| said.push(output))
}

/// Writes into the log what the journal told, and takes the beds out of it that are not to go on.
pub fn look_back(past: &mut Past) {
    if let Some(trouble) = &past.trouble {
        error!("the journal cannot be opened, nothing is kept: {trouble}. Monitoring goes on without it");
    }
    for aside in &past.set_aside {
        error!(
            "the journal could not be used: {}. It is now {}, and a new one was begun",
            aside.reason,
            aside.file.display()
        );
    }
    for bed in &past.unreadable {
        warn!(%bed, "another version of vitalsd has kept this bed: its session cannot go on");
    }
    if past.crashes >= CRASHES {
        error!(
            crashes = past.crashes,
            "the box has crashed again and again: it starts as if new, without its sessions"
        );
        past.beds.clear();
    }
    if let Some(before) = &past.before {
        info!(before = %before.boot, beds = past.beds.len(), unsent = past.unsent.len(), "what the life before left");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Id;

    fn kept(at: &str, clock_trusted: bool) -> journal::Bed {
        let bed = Bed::new(Preset::kat_default_1(), Vec::new(), Time::from_millis(5_000));
        journal::Bed { id: Id::new("room-1").unwrap(), at: wall(at), clock_trusted, snapshot: bed.snapshot().clone() }
    }

    fn wall(at: &str) -> WallTime {
        WallTime(format!("2026-11-22T{at}Z").parse().unwrap())
    }

    fn start(at: &str, trusted: bool) -> Start {
        Start { fresh: Time::ZERO, wall: wall(at), trusted }
    }

    #[test]
    fn r5_8_how_long_nobody_watched_is_known_only_by_a_clock_that_was_and_is_trusted() {
        let outage = |then, now, at| start(at, now).outage(&kept("09:00:00", then));
        assert_eq!(outage(true, true, "09:03:20.500"), Some(Span::millis(200_500)));
        assert_eq!(outage(false, true, "09:03:20"), None);
        assert_eq!(outage(true, false, "09:03:20"), None);
        assert_eq!(outage(true, true, "08:59:59"), None, "the clock is behind the journal");
    }

    #[test]
    fn the_time_of_a_bed_goes_on_by_the_outage() {
        let mut said = Vec::new();
        let preset = Preset::kat_default_1();
        let bed = begin(Some(kept("09:00:00", true)), &preset, Vec::new(), start("09:00:02", true), &mut said);
        assert_eq!(bed.now(), Time::from_millis(7_000));
        assert!(said.contains(&Output::Session));
    }

    #[test]
    fn after_three_crashes_in_a_row_nothing_is_resumed() {
        let past = |crashes| {
            let mut past = Past { beds: vec![kept("09:00:00", true)], crashes, ..Past::default() };
            look_back(&mut past);
            past.beds.len()
        };
        assert_eq!((past(2), past(3)), (1, 0));
    }
}
