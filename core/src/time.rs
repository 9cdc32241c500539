//! Time as the core knows it: milliseconds since an arbitrary start, monotonic, serialisable (R1.1).
//!
//! The shell maps its monotonic clock onto [`Time`]; replay counts from the start of a recording.
//! No decision depends on the wall clock.

use core::fmt;
use core::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since an arbitrary start that is the same for one run of the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

impl Time {
    /// The start of the count.
    pub const ZERO: Self = Self(0);

    /// `ms` milliseconds after the start of the count.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the start of the count.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is not in the past.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `ms` milliseconds.
    #[must_use]
    pub const fn millis(ms: u64) -> Self {
        Self(ms)
    }

    /// `s` seconds.
    #[must_use]
    pub const fn secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000))
    }

    /// `min` minutes.
    #[must_use]
    pub const fn mins(min: u64) -> Self {
        Self(min.saturating_mul(60_000))
    }

    /// The length in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The whole seconds in it.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// What is left of it after `other` has passed; zero at the least.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `numerator / denominator` of it, rounded down; a denominator of 0 counts as 1.
    #[must_use]
    pub const fn scaled(self, numerator: u64, denominator: u64) -> Self {
        let denominator = if denominator == 0 { 1 } else { denominator };
        Self(self.0.saturating_mul(numerator) / denominator)
    }
}

impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    /// As a person would say it: `45 s`, `3 min`, `3 min 20 s`, `1 h 5 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.as_secs();
        match (s / 3_600, s / 60 % 60, s % 60) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, min, 0) => write!(f, "{min} min"),
            (0, min, s) => write!(f, "{min} min {s} s"),
            (h, 0, _) => write!(f, "{h} h"),
            (h, min, _) => write!(f, "{h} h {min} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_span_reads_as_a_person_would_say_it() {
        assert_eq!(Span::millis(999).to_string(), "0 s");
        assert_eq!(Span::secs(45).to_string(), "45 s");
        assert_eq!(Span::secs(180).to_string(), "3 min");
        assert_eq!(Span::secs(200).to_string(), "3 min 20 s");
        assert_eq!(Span::mins(65).to_string(), "1 h 5 min");
        assert_eq!(Span::mins(120).to_string(), "2 h");
    }

    #[test]
    fn time_never_runs_below_its_start_or_over_its_end() {
        assert_eq!(Time::from_millis(5).since(Time::from_millis(9)), Span::ZERO);
        assert_eq!(Time::from_millis(5) - Span::secs(1), Time::ZERO);
        let last = Time::from_millis(u64::MAX);
        assert_eq!(last + Span::secs(1), last);
    }
}
