//! Numbers that move as a body moves: deterministic, smooth, the same for the same seed and time.

use vitalsd_core::time::{Span, Time};

/// Smooth noise in -1..=1: a random point every `period`, a soft curve between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    seed: u64,
    period: Span,
}

impl Noise {
    /// `channel` keeps the noises of one seed apart.
    pub(super) fn new(seed: u64, channel: u64, period: Span) -> Self {
        Self { seed: fastrand::Rng::with_seed(seed ^ channel.rotate_left(32)).u64(..), period }
    }

    pub(super) fn at(&self, time: Time) -> f64 {
        let (index, rest) = (time.as_millis() / self.period.as_millis(), time.as_millis() % self.period.as_millis());
        let part = soft(seconds(Span::millis(rest)) / seconds(self.period));
        mix(self.point(index), self.point(index + 1), part)
    }

    fn point(&self, index: u64) -> f64 {
        fastrand::Rng::with_seed(self.seed.wrapping_add(index)).f64() * 2.0 - 1.0
    }
}

/// From 0 to 1 without a corner at either end.
pub(super) fn soft(part: f64) -> f64 {
    let x = part.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// `part` of the way from `from` to `to`.
pub(super) fn mix(from: f64, to: f64, part: f64) -> f64 {
    from + (to - from) * part
}

/// Seconds to calculate with.
#[expect(clippy::cast_precision_loss, reason = "exact for the next 285,000 years")]
pub(super) fn seconds(span: Span) -> f64 {
    span.as_millis() as f64 / 1_000.0
}

/// The nearest whole number that fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
pub(super) fn nearest(value: f64) -> u16 {
    value.round().clamp(0.0, f64::from(u16::MAX)) as u16
}

/// A span of that many seconds, to the nearest millisecond.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(super) fn span(seconds: f64) -> Span {
    Span::millis((seconds * 1_000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_smooth_bounded_and_the_same_for_the_same_seed() {
        let (noise, again) = (Noise::new(7, 1, Span::secs(10)), Noise::new(7, 1, Span::secs(10)));
        let other = Noise::new(7, 2, Span::secs(10));
        let at = |noise: &Noise, ms| noise.at(Time::from_millis(ms));
        let mut differs = false;
        for ms in (0..600_000).step_by(100) {
            assert!(at(&noise, ms).abs() <= 1.0);
            assert!((at(&noise, ms + 100) - at(&noise, ms)).abs() < 0.04, "a jump at {ms} ms");
            assert_eq!(at(&noise, ms).to_bits(), at(&again, ms).to_bits());
            differs |= (at(&noise, ms) - at(&other, ms)).abs() > 0.5;
        }
        assert!(differs, "channels are independent");
    }
}
