//! What was so over time: a value, and the instants at which it changed.

/// A moment, and whether it comes before or after what arrives in that millisecond: what was due is
/// decided first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    pub ms: u64,
    pub turn: Turn,
}

/// The turns of a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// By the passing of time.
    Due,
    /// By what a device or a person says.
    Said,
    /// As a consequence of that.
    Then,
}

impl Instant {
    pub const START: Self = Self::due(0);
    pub const NEVER: Self = Self::last(u64::MAX);

    pub const fn due(ms: u64) -> Self {
        Self { ms, turn: Turn::Due }
    }

    pub const fn said(ms: u64) -> Self {
        Self { ms, turn: Turn::Said }
    }

    /// The end of a millisecond.
    pub const fn last(ms: u64) -> Self {
        Self { ms, turn: Turn::Then }
    }

    /// The next one.
    pub const fn next(self) -> Self {
        match self.turn {
            Turn::Due => Self::said(self.ms),
            Turn::Said => Self::last(self.ms),
            Turn::Then => Self::due(self.ms.saturating_add(1)),
        }
    }
}

/// A value that is constant between the instants of change. Two neighbours differ; one may last no time
/// at all, if it became due in the very millisecond in which the next one was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline<T> {
    changes: Vec<(Instant, T)>,
}

/// A stretch in which the value was the same.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<T> {
    pub from: Instant,
    /// The first instant that no longer belongs to it.
    pub to: Instant,
    pub value: T,
}

impl<T> Stretch<T> {
    pub const fn ms(&self) -> u64 {
        self.to.ms - self.from.ms
    }
}

impl<T: Clone + PartialEq> Timeline<T> {
    pub fn always(value: T) -> Self {
        Self { changes: vec![(Instant::START, value)] }
    }

    /// From `at` on it is `value`. Changes are told in their order.
    pub fn set(&mut self, at: Instant, value: T) {
        let last = self.changes.last().expect("a timeline has a first value");
        assert!(at >= last.0, "changes come in order");
        if at == last.0 {
            self.changes.pop();
        }
        if self.changes.last().is_none_or(|(_, before)| *before != value) {
            self.changes.push((at, value));
        }
    }

    pub fn at(&self, instant: Instant) -> &T {
        let after = self.changes.partition_point(|(at, _)| *at <= instant);
        &self.changes[after - 1].1
    }

    /// Every stretch, the last one without end.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch<&T>> {
        self.from(Instant::START)
    }

    /// The stretches that have not ended at `start`.
    pub fn from(&self, start: Instant) -> impl Iterator<Item = Stretch<&T>> {
        let first = self.changes.partition_point(|(at, _)| *at <= start).saturating_sub(1);
        let ends = self.changes.iter().skip(first + 1).map(|(at, _)| *at).chain([Instant::NEVER]);
        let begun = self.changes.iter().skip(first);
        begun.zip(ends).map(|((from, value), to)| Stretch { from: *from, to, value })
    }

    pub fn changes(&self) -> impl Iterator<Item = Instant> {
        self.changes.iter().map(|(at, _)| *at)
    }

    pub fn map<U: Clone + PartialEq>(&self, f: impl Fn(&T) -> U) -> Timeline<U> {
        let mut mapped = Timeline::always(f(&self.changes[0].1));
        for (at, value) in &self.changes {
            mapped.set(*at, f(value));
        }
        mapped
    }

    /// Both at once.
    pub fn with<U: Clone + PartialEq>(&self, other: &Timeline<U>) -> Timeline<(T, U)> {
        let mut instants: Vec<_> = self.changes().chain(other.changes()).collect();
        instants.sort_unstable();
        let both = |at| (self.at(at).clone(), other.at(at).clone());
        let mut joined = Timeline::always(both(Instant::START));
        for at in instants {
            joined.set(at, both(at));
        }
        joined
    }
}
