//! Who else is there: stations that look at the beds, and boxes that claim one of them (R10.1, R10.4).
//!
//! It knows what was heard and when, and nothing of how; the times after which a bed alarms are the core's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::wire::Id;
use crate::wire::host::{BoxState, Status};

/// A station says every 2 s that it looks. One that has said nothing for this long has left, and is new when it
/// comes back.
const STATION_LEFT: Duration = Duration::from_secs(10);
/// A box beats every second. One that has not for this long claims nothing: its last word may be from before a
/// broker forgot it.
const BOX_GONE: Duration = Duration::from_secs(5);

/// Everybody but this box.
#[derive(Debug)]
pub struct Company {
    /// This box.
    own: Id,
    /// Whether a station is to be present at all.
    expected: bool,
    stations: BTreeMap<Id, Instant>,
    /// The broker had an alarm that nobody subscribed to.
    unheard: bool,
    boxes: BTreeMap<Id, Other>,
}

/// Another box.
#[derive(Debug, Default)]
struct Other {
    /// The beds it claims, while it is online.
    beds: Vec<Id>,
    beat: Option<Instant>,
}

impl Company {
    /// Nobody yet.
    #[must_use]
    pub const fn new(own: Id, expected: bool) -> Self {
        Self { own, expected, stations: BTreeMap::new(), unheard: false, boxes: BTreeMap::new() }
    }

    /// Whether there is reason to believe that nobody looks, until somebody is heard.
    #[must_use]
    pub const fn nobody_looks(&self) -> bool {
        self.expected || self.unheard
    }

    /// A station said that it looks. Whether that is company: not if alarms go past it.
    pub fn station(&mut self, id: Id, at: Instant) -> bool {
        self.stations.retain(|_, heard| at.saturating_duration_since(*heard) < STATION_LEFT);
        if self.stations.insert(id, at).is_none() {
            // It has just come: the alarms that nobody heard were before its time.
            self.unheard = false;
        }
        !self.unheard
    }

    /// The broker has an alarm. Whether what is known of the listeners has changed with it.
    pub const fn alarm(&mut self, heard: bool) -> bool {
        let changed = self.unheard == heard;
        self.unheard = !heard;
        changed
    }

    /// There is a new connection to the broker: what was known of it counts no more.
    pub fn begin(&mut self) {
        self.stations.clear();
        self.boxes.clear();
        self.unheard = false;
    }

    /// A box said how it is.
    pub fn status(&mut self, id: Id, status: &Status) {
        if id != self.own {
            let online = status.state == BoxState::Online;
            self.boxes.entry(id).or_default().beds = if online { status.beds.clone() } else { Vec::new() };
        }
    }

    /// A box beat.
    pub fn beat(&mut self, id: Id, at: Instant) {
        if id != self.own {
            self.boxes.entry(id).or_default().beat = Some(at);
        }
    }

    /// The box that claims `bed` as well, if there is one.
    #[must_use]
    pub fn claimant(&self, bed: Id, now: Instant) -> Option<Id> {
        let alive = |other: &Other| other.beat.is_some_and(|beat| now.saturating_duration_since(beat) < BOX_GONE);
        self.boxes.iter().find(|(_, other)| alive(other) && other.beds.contains(&bed)).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn status(state: BoxState) -> Status {
        Status { state, version: "0.1.0".into(), beds: vec![id("room-1")] }
    }

    #[test]
    fn r10_1_a_station_is_company_unless_alarms_go_past_it() {
        let start = Instant::now();
        let mut company = Company::new(id("box-3"), true);
        assert!(company.nobody_looks());
        assert!(company.station(id("desk"), start));
        assert!(company.alarm(false), "an alarm that nobody subscribed to is news");
        assert!(!company.alarm(false), "once");
        assert!(!company.station(id("desk"), start + s(2)), "it says that it looks, and alarms go past it");
        assert!(company.alarm(true) && company.station(id("desk"), start + s(4)));
        company.alarm(false);
        assert!(company.station(id("ward"), start + s(6)), "another one has come");
        company.alarm(false);
        assert!(company.station(id("desk"), start + s(20)), "it had left, and is back");
    }

    #[test]
    fn r10_1_where_no_station_is_expected_an_alarm_that_nobody_hears_still_counts() {
        let mut company = Company::new(id("box-3"), false);
        assert!(!company.nobody_looks());
        company.alarm(false);
        assert!(company.nobody_looks());
        company.begin();
        assert!(!company.nobody_looks());
    }

    #[test]
    fn r10_4_a_bed_is_claimed_by_a_box_that_is_online_and_beats() {
        let start = Instant::now();
        let mut company = Company::new(id("box-3"), true);
        company.status(id("box-3"), &status(BoxState::Online));
        company.beat(id("box-3"), start);
        assert_eq!(company.claimant(id("room-1"), start), None, "that is this box");
        company.status(id("box-9"), &status(BoxState::Online));
        assert_eq!(company.claimant(id("room-1"), start), None, "an old word of a box that is no more");
        company.beat(id("box-9"), start);
        assert_eq!(company.claimant(id("room-1"), start), Some(id("box-9")));
        assert_eq!(company.claimant(id("room-2"), start), None);
        assert_eq!(company.claimant(id("room-1"), start + s(5)), None, "it beats no more");
        company.beat(id("box-9"), start + s(6));
        company.status(id("box-9"), &status(BoxState::Stopped));
        assert_eq!(company.claimant(id("room-1"), start + s(6)), None);
    }
}
