//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// A connection that has stood so long counts as stable.
const STABLE: Duration = Duration::from_secs(60);

/// Doubles from 0.2 s to 10 s; starts again after a connection that stood for a minute.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The pause after a connection that stood for `stood` (zero: it never did). `jitter` within
    /// 0.0..1.0 spreads it over its upper half, so that many boxes do not return at once.
    pub fn pause(&mut self, stood: Duration, jitter: f64) -> Duration {
        if stood >= STABLE {
            self.next = FIRST;
        }
        let pause = self.next.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        self.next = (self.next * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_ten_seconds_and_returns_after_a_stable_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..8).map(|_| backoff.pause(Duration::ZERO, 1.0).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(backoff.pause(Duration::from_secs(59), 1.0).as_millis(), 10_000);
        assert_eq!(backoff.pause(Duration::from_secs(60), 1.0).as_millis(), 200);
    }

    #[test]
    fn jitter_spreads_the_pause_over_its_upper_half() {
        let pause = |jitter| Backoff::default().pause(Duration::ZERO, jitter).as_millis();
        assert_eq!((pause(0.0), pause(0.5), pause(1.0)), (100, 150, 200));
    }
}
