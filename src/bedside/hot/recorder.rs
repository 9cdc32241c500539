//! What the flight recorder is told, and when it saves.

use vitalsd_core::time::Time;

use super::Hot;
use crate::bedside::flight::FlightRecorder;
use crate::bedside::room::DeviceKey;
use crate::capture::What;
use crate::wire::Clock;

impl Hot {
    /// The flight recorder, to end with; and the time.
    pub fn take_flight(&mut self) -> Option<(FlightRecorder, Time, Clock)> {
        let now = self.now();
        self.flight.take().map(|flight| (flight, now, self.clock(now)))
    }

    /// Something happened on the line of a device.
    pub(super) fn record(&mut self, key: DeviceKey, at: Time, what: What<'_>) {
        if let Some(flight) = &mut self.flight {
            flight.take(key, at, what);
        }
    }

    /// Hands over what is to be saved by now.
    pub(super) fn save_flight(&mut self, now: Time) {
        let clock = self.clock(now);
        if let Some(flight) = &mut self.flight {
            flight.save(now, clock);
        }
    }
}
