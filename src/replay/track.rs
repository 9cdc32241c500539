//! What was so from moment to moment, and how well an oximeter saw it.

use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{PulseRate, Spo2};

use super::content::{Beat, Content};
use crate::recording::Row;

/// R1.2: a value is stale after this, or after 2.5 steps if that is longer.
const STALE_AT_LEAST: Span = Span::secs(3);

/// The numbers of an oximeter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) spo2: Option<Spo2>,
    pub(super) pulse: Option<PulseRate>,
}

/// How well an oximeter sees what is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// As it is.
    Clear,
    /// It says itself that its numbers are not to be trusted.
    Doubted,
    /// Not at all.
    Blind,
}

/// From one moment to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: Time,
    pub(super) until: Time,
    /// What is so, as finely as a device resolves it.
    pub(super) truth: Numbers,
    /// What a device shows.
    pub(super) shown: Numbers,
    pub(super) sight: Sight,
    /// The sensor is on, and there is no pulse to be found.
    pub(super) pulseless: bool,
    /// The cuff is inflated on the arm of the probe, as was said at the opening: but for the gravest rows of the
    /// saturation the oximeter is disregarded (R6.4).
    pub(super) shadow: bool,
}

impl Stretch {
    pub(super) const fn length(&self) -> Span {
        self.until.since(self.from)
    }
}

/// A recording, of which nothing but its values is known. A value holds until the next one, or the lack of
/// one, is due, and never longer than until it is stale.
pub(super) fn of_rows(rows: &[Row], content: &Content) -> Vec<Stretch> {
    let time = |row: &Row| Time::from_millis(row.time_ms);
    let stale_after = STALE_AT_LEAST.max(content.step.scaled(5, 2));
    let mut beat = Beat::of(content);
    let rows: Vec<_> = rows.iter().filter(|row| beat.falls_on(row)).collect();
    let nexts = rows.iter().skip(1).map(|row| time(row)).chain([content.end]);
    let stretch = |(row, next): (&&Row, Time)| {
        let shown =
            Numbers { spo2: row.spo2_tenths.and_then(Spo2::tenths), pulse: row.pulse_bpm.and_then(PulseRate::bpm) };
        let sight = if shown == Numbers::default() { Sight::Blind } else { Sight::Clear };
        let from = time(row);
        let until = next.min(from + stale_after);
        Stretch { from, until, truth: shown, shown, sight, pulseless: false, shadow: false }
    };
    rows.iter().zip(nexts).map(stretch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_no_longer_than_until_it_is_stale() {
        let row = |time_ms, spo2_tenths| Row { time_ms, spo2_tenths, ..Row::default() };
        let rows = [row(0, Some(890)), row(1_000, Some(890)), row(2_000, Some(890)), row(10_000, Some(880))];
        let held: Vec<_> = of_rows(&rows, &Content::of(&rows))
            .iter()
            .map(|stretch| (stretch.from.as_millis(), stretch.until.as_millis()))
            .collect();
        assert_eq!(held, [(0, 1_000), (1_000, 2_000), (2_000, 5_000), (10_000, 11_000)]);
    }
}
