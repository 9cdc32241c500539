//! Whether an open port tells anything: silence and unreadable data, judged by time alone.
//!
//! Pure: fed with bytes, good frames and the time.

use vitalsd_core::driver::{Kind, Protocol};
use vitalsd_core::monitor::input::{Link, LossReason};
use vitalsd_core::time::{Span, Time};

/// Unreadable data is judged after this long without a good frame ...
const STORM_AFTER: Span = Span::secs(5);
/// ... and this many bytes: more than two of the longest frames of any protocol.
const STORM_BYTES: usize = 200;

/// The health of one open port.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    kind: Kind,
    patience: Span,
    link: Link,
    last_byte: Time,
    last_good: Time,
    good_frames: u64,
    bytes_since_good: usize,
}

impl Health {
    /// Of a port on which `protocol` is to be spoken.
    #[must_use]
    pub fn new(protocol: &Protocol) -> Self {
        let cadence = protocol.cadence;
        let patience = match protocol.kind {
            Kind::Poll => cadence.scaled(3, 1).max(Span::secs(10)),
            Kind::Stream | Kind::Start | Kind::Push => cadence.scaled(5, 1).max(Span::secs(5)),
        };
        Self {
            kind: protocol.kind,
            patience,
            link: Link::Opened,
            last_byte: Time::ZERO,
            last_good: Time::ZERO,
            good_frames: 0,
            bytes_since_good: 0,
        }
    }

    /// Of a port to which nothing is sent: what only answers has nothing to say then, and its silence proves nothing.
    #[must_use]
    pub fn listening(protocol: &Protocol) -> Self {
        let health = Self::new(protocol);
        let kind = if health.kind == Kind::Poll { Kind::Push } else { health.kind };
        Self { kind, ..health }
    }

    /// Of a port on which it is not known yet what is spoken. Only what speaks by itself seldom may be silent.
    #[must_use]
    pub fn hunting(mut protocols: impl Iterator<Item = &'static Protocol>) -> Self {
        let kind = if protocols.all(|protocol| protocol.kind == Kind::Push) { Kind::Push } else { Kind::Stream };
        let (link, never) = (Link::Opened, Time::ZERO);
        let patience = Span::secs(10);
        Self { kind, patience, link, last_byte: never, last_good: never, good_frames: 0, bytes_since_good: 0 }
    }

    /// The same, from `now` on, of a port that was last told to be at `link`.
    #[must_use]
    pub const fn after(self, link: Link, now: Time) -> Self {
        Self { link, last_byte: now, last_good: now, ..self }
    }

    /// The port was opened, or opened again; `good_frames` is the driver's count so far.
    pub fn opened(&mut self, now: Time, good_frames: u64) {
        *self = Self {
            kind: self.kind,
            patience: self.patience,
            link: Link::Opened,
            last_byte: now,
            last_good: now,
            good_frames,
            bytes_since_good: 0,
        };
    }

    /// `bytes` were decoded, and the driver's count of good frames is now `good_frames`. Returns
    /// the new state of the link if that changed it.
    pub fn heard(&mut self, now: Time, bytes: usize, good_frames: u64) -> Option<Link> {
        if bytes > 0 {
            self.last_byte = now;
        }
        if good_frames > self.good_frames {
            self.good_frames = good_frames;
            self.last_good = now;
            self.bytes_since_good = 0;
            return self.change(Link::Up);
        }
        self.bytes_since_good = self.bytes_since_good.saturating_add(bytes);
        self.tick(now)
    }

    /// Time has passed. Returns the new state of the link if that changed it.
    pub fn tick(&mut self, now: Time) -> Option<Link> {
        let reason = self.verdict(now)?;
        self.change(Link::Lost(reason))
    }

    /// The state of the link as last returned.
    #[must_use]
    pub const fn link(&self) -> Link {
        self.link
    }

    fn verdict(&self, now: Time) -> Option<LossReason> {
        let since_good = now.since(self.last_good);
        let storm = since_good >= STORM_AFTER && self.bytes_since_good >= STORM_BYTES;
        // Too few bytes for a storm, yet they never make a frame: a line that only picks up noise.
        let noise = since_good >= self.patience.scaled(2, 1) && self.bytes_since_good > 0;
        match self.kind {
            // What arrives but does not answer the poll is no sign of life.
            Kind::Poll if storm => Some(LossReason::ChecksumStorm),
            Kind::Poll => (since_good >= self.patience).then_some(LossReason::Silent),
            // Such a device has nothing to say until it has a result: its silence proves nothing.
            Kind::Push => storm.then_some(LossReason::ChecksumStorm),
            Kind::Stream | Kind::Start if now.since(self.last_byte) >= self.patience => Some(LossReason::Silent),
            Kind::Stream | Kind::Start => (storm || noise).then_some(LossReason::ChecksumStorm),
        }
    }

    fn change(&mut self, link: Link) -> Option<Link> {
        (link != self.link).then(|| {
            self.link = link;
            link
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalsd_core::driver::{Certainty, Integrity, OwnAlarm};

    const SILENT: Option<Link> = Some(Link::Lost(LossReason::Silent));
    const STORM: Option<Link> = Some(Link::Lost(LossReason::ChecksumStorm));

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn health(kind: Kind, cadence: Span) -> Health {
        let protocol = Protocol {
            name: "test",
            devices: "none",
            lines: &[],
            kind,
            cadence,
            measures: &[],
            pleth: None,
            integrity: Integrity::Checksum,
            certainty: Certainty::Sources,
            own_alarm: OwnAlarm::Unknown,
            cuff: None,
            probe_request: None,
        };
        let mut health = Health::new(&protocol);
        health.opened(at(0), 0);
        health
    }

    #[test]
    fn the_first_good_frame_brings_the_link_up_once() {
        let mut health = health(Kind::Stream, Span::secs(1));
        assert_eq!(health.link(), Link::Opened);
        assert_eq!(health.heard(at(100), 3, 0), None);
        assert_eq!(health.heard(at(200), 3, 1), Some(Link::Up));
        assert_eq!(health.heard(at(300), 3, 2), None);
    }

    #[test]
    fn a_stream_is_silent_after_5_s_and_recovers_on_the_first_good_frame() {
        let mut health = health(Kind::Stream, Span::millis(13));
        health.heard(at(1_000), 5, 1);
        assert_eq!(health.tick(at(5_999)), None);
        assert_eq!(health.tick(at(6_000)), SILENT);
        assert_eq!(health.tick(at(7_000)), None, "told once");
        assert_eq!(health.heard(at(8_000), 2, 1), None, "bytes alone do not prove the device");
        assert_eq!(health.heard(at(8_010), 3, 2), Some(Link::Up));
    }

    #[test]
    fn a_slow_stream_is_given_five_of_its_cadences() {
        let mut health = health(Kind::Start, Span::secs(4));
        assert_eq!(health.tick(at(19_999)), None);
        assert_eq!(health.tick(at(20_000)), SILENT);
    }

    #[test]
    fn a_device_that_never_said_a_word_is_silent_too() {
        assert_eq!(health(Kind::Stream, Span::secs(1)).tick(at(5_000)), SILENT);
    }

    #[test]
    fn a_polled_device_is_silent_when_it_answers_no_poll_even_if_the_line_is_not() {
        let mut fast = health(Kind::Poll, Span::secs(2));
        for s in 1..10 {
            assert_eq!(fast.heard(at(s * 1_000), 1, 0), None);
        }
        assert_eq!(fast.heard(at(10_000), 1, 0), SILENT);
        let mut slow = health(Kind::Poll, Span::secs(5));
        assert_eq!(slow.tick(at(14_999)), None);
        assert_eq!(slow.tick(at(15_000)), SILENT);
    }

    #[test]
    fn a_device_that_speaks_only_when_it_has_a_result_is_never_silent() {
        assert_eq!(health(Kind::Push, Span::secs(1)).tick(at(3_600_000)), None);
    }

    #[test]
    fn what_only_answers_is_never_silent_to_one_who_does_not_ask() {
        let mut health = Health::listening(&vitalsd_core::driver::dinamap::PROTOCOL);
        health.opened(at(0), 0);
        assert_eq!(health.tick(at(3_600_000)), None);
        let mut stream = Health::listening(&vitalsd_core::driver::nonin::DF2);
        stream.opened(at(0), 0);
        assert_eq!(stream.tick(at(5_000)), SILENT);
    }

    #[test]
    fn a_hunt_that_finds_nothing_is_told_as_silence_or_as_unreadable_data() {
        let hunting = || Health::hunting(vitalsd_core::driver::PROTOCOLS.iter().copied());
        let mut silent = hunting();
        silent.opened(at(0), 0);
        assert_eq!((silent.tick(at(9_999)), silent.tick(at(10_000))), (None, SILENT));
        let mut noisy = hunting().after(Link::Lost(LossReason::Silent), at(20_000));
        assert_eq!(noisy.tick(at(60_000)), None, "told already");
        assert_eq!(noisy.heard(at(60_001), 300, 0), STORM);
    }

    #[test]
    fn bytes_without_a_good_frame_are_a_storm_after_5_s_and_200_bytes() {
        for kind in [Kind::Stream, Kind::Start, Kind::Poll, Kind::Push] {
            let mut health = health(kind, Span::secs(1));
            health.heard(at(0), 10, 1);
            for ms in (100..5_000).step_by(100) {
                assert_eq!(health.heard(at(ms), 5, 1), None, "{kind:?} at {ms} ms");
            }
            assert_eq!(health.heard(at(5_000), 5, 1), STORM, "{kind:?}");
            assert_eq!(health.heard(at(5_100), 5, 1), None, "told once");
            assert_eq!(health.heard(at(5_200), 5, 2), Some(Link::Up));
        }
    }

    #[test]
    fn a_burst_of_garbage_is_not_yet_a_storm() {
        let mut health = health(Kind::Push, Span::secs(1));
        assert_eq!(health.heard(at(4_999), 10_000, 0), None);
        let mut few = self::health(Kind::Push, Span::secs(1));
        assert_eq!(few.heard(at(60_000), 199, 0), None);
        assert_eq!(few.heard(at(60_001), 1, 0), STORM);
    }

    #[test]
    fn a_line_that_only_picks_up_noise_is_unreadable_in_the_end() {
        let mut health = health(Kind::Stream, Span::secs(1));
        for s in 1..10 {
            assert_eq!(health.heard(at(s * 1_000), 1, 0), None);
        }
        assert_eq!(health.heard(at(10_000), 1, 0), STORM);
    }

    #[test]
    fn a_storm_that_falls_silent_is_told_as_silence() {
        let mut health = health(Kind::Stream, Span::secs(1));
        assert_eq!(health.heard(at(5_000), 300, 0), STORM);
        assert_eq!(health.tick(at(10_000)), SILENT);
    }

    #[test]
    fn reopening_forgets_what_was_before() {
        let mut health = health(Kind::Stream, Span::secs(1));
        health.heard(at(4_900), 5_000, 7);
        assert_eq!(health.tick(at(9_900)), SILENT);
        health.opened(at(9_950), 7);
        assert_eq!(health.link(), Link::Opened);
        assert_eq!(health.tick(at(14_000)), None);
        assert_eq!(health.heard(at(14_000), 10, 7), None, "an old good frame is no new one");
        assert_eq!(health.heard(at(14_010), 10, 8), Some(Link::Up));
    }
}
