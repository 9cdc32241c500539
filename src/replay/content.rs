//! What a recording holds.

use vitalsd_core::driver::Quantity;
use vitalsd_core::time::{Span, Time};

use crate::recording::Row;
use crate::simulator::script::Role;

/// A recording of pressures alone goes on for this long after its last: a monitor on a line is asked for
/// it every 5 s.
const AFTER_A_PRESSURE: Span = Span::secs(10);

/// Which columns of a recording have data, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) spo2: bool,
    pub(super) pulse: bool,
    pub(super) perfusion_index: bool,
    pub(super) pressure: bool,
    /// The lowest and the highest point of the waveform.
    pub(super) pleth: Option<(f32, f32)>,
    /// The typical step from one number of the oximeter to the next.
    pub(super) step: Span,
    /// The last row holds for a typical step, or [`AFTER_A_PRESSURE`].
    pub(super) end: Time,
}

impl Content {
    pub(super) fn of(rows: &[Row]) -> Self {
        let last = rows.last().map_or(Time::ZERO, |row| Time::from_millis(row.time_ms));
        let step = step(rows);
        let pleth = rows.iter().filter_map(|row| row.pleth).fold(None, |range, point| {
            let (low, high) = range.unwrap_or((point, point));
            Some((point.min(low), point.max(high)))
        });
        Self {
            spo2: rows.iter().any(|row| row.spo2_tenths.is_some()),
            pulse: rows.iter().any(|row| row.pulse_bpm.is_some()),
            perfusion_index: rows.iter().any(|row| row.perfusion_index_hundredths.is_some()),
            pressure: rows.iter().any(Row::has_pressure),
            pleth,
            step,
            end: last + if step == Span::ZERO { AFTER_A_PRESSURE } else { step },
        }
    }

    /// Whether there is anything for such a device to measure.
    pub(super) const fn has(&self, role: Role) -> bool {
        match role {
            Role::Oximeter => self.spo2 || self.pulse,
            Role::Cuff => self.pressure,
        }
    }

    /// What such a device is the source of.
    pub(super) fn quantities(&self, role: Role) -> Vec<Quantity> {
        let all = match role {
            Role::Oximeter => vec![(self.spo2, Quantity::Spo2), (self.pulse, Quantity::Pulse)],
            Role::Cuff => vec![(self.pressure, Quantity::BloodPressure)],
        };
        all.into_iter().filter(|(has, _)| *has).map(|(_, quantity)| quantity).collect()
    }
}

/// Tells in which rows the oximeter says something. A blank is the lack of a value only where one was due:
/// a waveform, or a cuff, has rows of its own in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    step: Span,
    said: Option<Time>,
}

impl Beat {
    pub(super) const fn of(content: &Content) -> Self {
        Self { step: content.step, said: None }
    }

    /// Whether it says something in this row, a number or that it has none.
    pub(super) fn falls_on(&mut self, row: &Row) -> bool {
        let at = Time::from_millis(row.time_ms);
        let falls = has_numbers(row) || self.said.is_none_or(|said| at.since(said) >= self.step);
        if falls {
            self.said = Some(at);
        }
        falls
    }
}

/// Whether there is a number of the oximeter in this row.
pub(super) const fn has_numbers(row: &Row) -> bool {
    row.spo2_tenths.is_some() || row.pulse_bpm.is_some()
}

/// The median step from one row with numbers of the oximeter to the next; zero if there are not two.
fn step(rows: &[Row]) -> Span {
    let times: Vec<_> = rows.iter().filter(|row| has_numbers(row)).map(|row| row.time_ms).collect();
    let mut steps: Vec<_> = times.iter().zip(times.iter().skip(1)).map(|(from, to)| to - from).collect();
    steps.sort_unstable();
    Span::millis(steps.get(steps.len() / 2).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oximeter_keeps_its_own_step_whatever_stands_between_its_numbers() {
        let row = |time_ms, spo2_tenths| Row { time_ms, spo2_tenths, pleth: Some(0.5), ..Row::default() };
        let spo2 = |time_ms| (time_ms % 1_000 == 0 && time_ms != 3_000).then_some(970);
        let rows: Vec<_> = (0..=70).map(|n| row(n * 100, spo2(n * 100))).collect();
        let content = Content::of(&rows);
        assert_eq!((content.step, content.end), (Span::secs(1), Time::from_millis(8_000)));
        let mut beat = Beat::of(&content);
        let said: Vec<_> = rows.iter().filter(|row| beat.falls_on(row)).map(|row| row.time_ms / 1_000).collect();
        assert_eq!(said, [0, 1, 2, 3, 4, 5, 6, 7], "and a blank where one was due");
    }
}
