//! Whether every loop still turns: systemd is told so only then.
//!
//! A loop turns at least once a second whatever its peer does, so a dead cable, broker or disk never
//! starves the watchdog; a loop that hangs does, and systemd starts the daemon anew.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::sleep;
use tracing::error;

/// How often the loops are looked at: three times as long as the slowest may take for a turn.
const LOOK: Duration = Duration::from_secs(3);

/// The watch over the loops of the daemon.
#[derive(Debug, Default)]
pub struct Watchdog {
    beats: std::cell::RefCell<Vec<Rc<Cell<bool>>>>,
}

/// The sign of life of one loop.
#[derive(Debug)]
pub struct Beat(Rc<Cell<bool>>);

impl Beat {
    /// The loop has turned.
    pub fn turned(&self) {
        self.0.set(true);
    }
}

impl Watchdog {
    /// A watch over nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The beat of one more loop.
    #[must_use]
    pub fn beat(&self) -> Beat {
        let beat = Rc::new(Cell::new(false));
        self.beats.borrow_mut().push(Rc::clone(&beat));
        Beat(beat)
    }

    /// Whether every loop has turned since the last look.
    fn look(&self) -> bool {
        let beats = self.beats.borrow();
        let all = beats.iter().all(|beat| beat.get());
        beats.iter().for_each(|beat| beat.set(false));
        all
    }

    /// Tells systemd, if it started us, that we are ready, and then that we live.
    pub async fn run(self) {
        notify(&[NotifyState::Ready, NotifyState::Status("watching")]);
        loop {
            sleep(LOOK).await;
            if self.look() {
                notify(&[NotifyState::Watchdog]);
            } else {
                error!("a loop of the daemon has not turned for {} s", LOOK.as_secs());
            }
        }
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        error!(%error, "systemd cannot be told that the daemon lives");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loop_that_hangs_is_enough_to_be_silent() {
        let watchdog = Watchdog::new();
        let (first, second) = (watchdog.beat(), watchdog.beat());
        first.turned();
        assert!(!watchdog.look());
        first.turned();
        second.turned();
        assert!(watchdog.look());
        assert!(!watchdog.look(), "and each look asks anew");
    }
}
