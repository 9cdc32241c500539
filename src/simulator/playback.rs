//! A recording that plays as a patient: what stands in its rows, nothing between them invented.

use vitalsd_core::time::Time;
use vitalsd_core::vitals::{BloodPressure, PerfusionIndex, PulseRate, Spo2};

use super::patient::Truth;
use crate::recording::Row;

/// A recording in memory.
#[derive(Debug)]
pub(super) struct Playback {
    rows: Vec<Row>,
    pressures: Vec<(Time, Option<BloodPressure>)>,
    /// The lowest and the highest point of the waveform.
    pleth: Option<(f32, f32)>,
    end: Time,
}

impl Playback {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let time = |row: &Row| Time::from_millis(row.time_ms);
        let pressures = rows.iter().filter(|row| row.has_pressure()).map(|row| (time(row), row.pressure())).collect();
        let pleth = rows.iter().filter_map(|row| row.pleth).fold(None, |range, point| {
            let (low, high) = range.unwrap_or((point, point));
            Some((point.min(low), point.max(high)))
        });
        // The last row holds as long as the one before it did.
        let end = match rows.as_slice() {
            [.., before, last] => time(last) + time(last).since(time(before)),
            _ => Time::from_millis(u64::MAX),
        };
        Self { rows, pressures, pleth, end }
    }

    fn row(&self, time: Time) -> Option<&Row> {
        if time >= self.end {
            return None;
        }
        let after = self.rows.partition_point(|row| row.time_ms <= time.as_millis());
        self.rows.get(after.checked_sub(1)?)
    }

    /// What stands in the row of `time`; the pressure is the newest one up to then.
    pub(super) fn truth(&self, time: Time) -> Truth {
        let row = self.row(time);
        let after = self.pressures.partition_point(|(measured, _)| *measured <= time);
        let pressure = after.checked_sub(1).and_then(|newest| self.pressures.get(newest));
        Truth {
            spo2: row.and_then(|row| row.spo2_tenths).and_then(Spo2::tenths),
            pulse: row.and_then(|row| row.pulse_bpm).and_then(PulseRate::bpm),
            perfusion_index: row.and_then(|row| row.perfusion_index_hundredths).and_then(PerfusionIndex::hundredths),
            pressure: pressure.and_then(|(_, pressure)| *pressure),
        }
    }

    /// Whether the oximeter had nothing to show: the recordings do not say why.
    pub(super) fn off(&self, time: Time) -> bool {
        self.row(time).is_none_or(|row| row.spo2_tenths.is_none() && row.pulse_bpm.is_none() && row.pleth.is_none())
    }

    /// The waveform at `time`, from 0 at its lowest point to 1 at its highest.
    pub(super) fn pleth(&self, time: Time) -> Option<f64> {
        let (low, high) = self.pleth?;
        let point = self.row(time)?.pleth?;
        Some(f64::from((point - low) / (high - low).max(f32::MIN_POSITIVE)))
    }

    /// When determinations of the blood pressure were stored.
    pub(super) fn determinations(&self) -> impl Iterator<Item = Time> {
        self.pressures.iter().map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_plays_row_by_row_and_ends() {
        let row = |time_ms, spo2_tenths, systolic_mmhg| Row {
            time_ms,
            spo2_tenths,
            systolic_mmhg,
            diastolic_mmhg: systolic_mmhg.map(|v: u16| v - 40),
            ..Row::default()
        };
        let playback = Playback::new(vec![
            row(0, Some(980), None),
            row(1_000, Some(974), Some(120)),
            row(2_000, None, None),
            row(3_000, Some(960), None),
        ]);
        let truth = |ms| playback.truth(Time::from_millis(ms));
        assert_eq!((truth(999).spo2, truth(999).pressure), (Spo2::tenths(980), None));
        assert_eq!((truth(1_999).spo2, truth(1_999).pressure), (Spo2::tenths(974), BloodPressure::full(120, 80, None)));
        assert_eq!((truth(2_000).spo2, truth(2_000).pressure), (None, BloodPressure::full(120, 80, None)));
        assert!(playback.off(Time::from_millis(2_500)) && !playback.off(Time::from_millis(3_999)));
        assert_eq!(truth(4_000).spo2, None, "after its end there is nothing");
        assert_eq!(playback.determinations().collect::<Vec<_>>(), [Time::from_millis(1_000)]);
    }
}
