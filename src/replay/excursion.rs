//! Where the saturation went, by a plain limit and without any rule of the monitor.

use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::Spo2;

use super::content::{Beat, Content};
use crate::recording::Row;

/// The limit of the plain rule, tenths of a percent: below it is an alarm, at once.
pub(super) const LIMIT_TENTHS: u16 = 900;
/// R1.2: a value is stale after this, or after 2.5 steps if that is longer.
const STALE_AT_LEAST: Span = Span::secs(3);
/// An excursion begins with a value below the limit that stays there for this long ...
const LASTS: Span = Span::secs(10);
/// ... and ends once this much time has passed at or above it.
const OVER: Span = Span::secs(90);

/// One unbroken time below the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dip {
    pub(super) start: Time,
    /// The first moment that is no longer below.
    pub(super) end: Time,
    pub(super) lowest: Spo2,
}

impl Dip {
    pub(super) const fn length(&self) -> Span {
        self.end.since(self.start)
    }
}

/// Every dip below the limit. A value holds until the next one, or the lack of one, is due, and never
/// longer than until it is stale.
pub(super) fn dips(rows: &[Row], content: &Content) -> Vec<Dip> {
    let time = |row: &Row| Time::from_millis(row.time_ms);
    let stale_after = STALE_AT_LEAST.max(content.step.scaled(5, 2));
    let mut beat = Beat::of(content);
    let rows: Vec<_> = rows.iter().filter(|row| beat.falls_on(row)).collect();
    let mut dips: Vec<Dip> = Vec::new();
    let nexts = rows.iter().skip(1).map(|row| time(row)).chain([content.end]);
    for (row, next) in rows.iter().zip(nexts) {
        let Some(spo2) = row.spo2_tenths.filter(|tenths| *tenths < LIMIT_TENTHS).and_then(Spo2::tenths) else {
            continue;
        };
        let start = time(row);
        let end = next.min(start + stale_after);
        match dips.last_mut() {
            Some(dip) if dip.end == start => {
                dip.end = end;
                dip.lowest = dip.lowest.min(spo2);
            }
            _ => dips.push(Dip { start, end, lowest: spo2 }),
        }
    }
    dips
}

/// The excursions that the dips make up, each from its start to its last moment below the limit.
pub(super) fn excursions(dips: &[Dip]) -> Vec<Dip> {
    let mut excursions: Vec<Dip> = Vec::new();
    for dip in dips {
        match excursions.last_mut() {
            Some(excursion) if dip.start.since(excursion.end) < OVER => {
                excursion.end = dip.end;
                excursion.lowest = excursion.lowest.min(dip.lowest);
            }
            _ if dip.length() >= LASTS => excursions.push(*dip),
            _ => {}
        }
    }
    excursions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    /// One row a second with these values in percent; 0 is a blank.
    fn dips_of(percents: &[u16]) -> Vec<Dip> {
        let row = |(n, percent): (u64, &u16)| Row {
            time_ms: n * 1_000,
            spo2_tenths: Some(percent * 10).filter(|tenths| *tenths > 0),
            ..Row::default()
        };
        let rows: Vec<_> = (0..).zip(percents).map(row).collect();
        dips(&rows, &Content::of(&rows))
    }

    fn dip(start: u64, end: u64, lowest: u16) -> Dip {
        Dip { start: s(start), end: s(end), lowest: Spo2::percent(lowest).unwrap() }
    }

    #[test]
    fn a_dip_lasts_from_its_first_value_below_to_the_first_that_is_not() {
        assert_eq!(dips_of(&[95, 89, 88, 90, 89, 0, 87]), [dip(1, 3, 88), dip(4, 5, 89), dip(6, 7, 87)]);
        assert_eq!(dips_of(&[90, 90]), []);
    }

    #[test]
    fn a_value_holds_no_longer_than_until_it_is_stale() {
        let row = |time_ms, spo2_tenths| Row { time_ms, spo2_tenths, ..Row::default() };
        let rows = [row(0, Some(890)), row(1_000, Some(890)), row(2_000, Some(890)), row(10_000, Some(880))];
        assert_eq!(dips(&rows, &Content::of(&rows)), [dip(0, 5, 89), dip(10, 11, 88)]);
    }

    #[test]
    fn an_excursion_begins_with_a_dip_that_lasts_and_takes_in_those_that_follow_soon() {
        let dips = [dip(10, 19, 88), dip(30, 40, 89), dip(129, 130, 80), dip(220, 240, 85), dip(330, 331, 89)];
        assert_eq!(excursions(&dips), [dip(30, 130, 80), dip(220, 240, 85)]);
    }
}
