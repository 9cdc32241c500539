//! The slots of a bed: its whole state for a late joiner, its session, its devices.

use serde::{Deserialize, Serialize};
use vitalsd_core::driver::DecodeStats;
use vitalsd_core::monitor::input::{Link, LossReason, Route};
use vitalsd_core::monitor::output::{Determination, Phase};
use vitalsd_core::sample;
use vitalsd_core::time::Time;

use super::alarm::Alarm;
use super::clock::{Clock, WallTime};
use super::number::Decimal;
use super::topic::Id;
use super::vitals::{Oximetry, Pressure};

/// `bed/{bed}/state`: everything that a station needs that joins now. Published with its `rev` as
/// `Slot<State>`, on every change and every 5 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The phase of the session.
    pub phase: Phase,
    /// The newest oximetry; absent: none since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oximetry: Option<Aged<Oximetry>>,
    /// The newest determination of the blood pressure; absent: none since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Aged<Pressure>>,
    /// The alarms that are present or latched, the gravest first.
    pub alarms: Vec<Alarm>,
    /// The devices of the bed.
    pub devices: Vec<DeviceState>,
    /// When the cuff is due to start; absent: not planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cuff_at: Option<WallTime>,
}

/// A value with its age at the envelope's `at`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aged<T> {
    /// How old it is, ms.
    pub age_ms: u64,
    /// The value.
    #[serde(flatten)]
    pub value: T,
}

/// One device in the state of a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Its alias.
    pub device: Id,
    /// The state of the way to it.
    #[serde(flatten)]
    pub connection: Connection,
}

impl State {
    /// The state at `now`, from its parts. A pressure is as old as its measurement, not as its arrival.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "the plain parts of a bed, each named at its place of use")]
    pub fn new(
        now: Time,
        clock: Clock,
        phase: Phase,
        oximetry: Option<&sample::Oximetry>,
        pressure: Option<&Determination>,
        alarms: Vec<Alarm>,
        devices: Vec<DeviceState>,
        next_cuff: Option<Time>,
    ) -> Self {
        let age_ms = |at: Time| now.since(at).as_millis();
        Self {
            phase,
            oximetry: oximetry.map(|o| Aged { age_ms: age_ms(o.at), value: o.into() }),
            pressure: pressure.map(|p| Aged { age_ms: age_ms(p.measured_at), value: Pressure::new(p, clock) }),
            alarms,
            devices,
            next_cuff_at: next_cuff.map(|at| clock.at(at)),
        }
    }
}

/// `bed/{bed}/session`, published with its `rev` as `Slot<Session>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The phase.
    pub phase: Phase,
    /// When it was opened; absent: no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<WallTime>,
    /// How the dose is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The effective time of the dose; absent: not given yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosed_at: Option<WallTime>,
    /// When the present phase began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<WallTime>,
    /// When it ends by itself; absent: when a person ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_until: Option<WallTime>,
    /// What this patient's values were before the dose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The name of the alarm preset.
    pub preset: String,
    /// The hash of the alarm preset.
    pub preset_hash: String,
    /// Whether a clinician has signed it; who, stays on the box.
    #[serde(default)]
    pub preset_signed: bool,
}

/// The values before the dose (R5.9); one that is not known is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// It rests on a single reading.
    pub provisional: bool,
    /// Oxygen saturation, %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_pct: Option<Decimal>,
    /// Pulse rate, beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_bpm: Option<u16>,
    /// Systolic pressure, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systolic_mmhg: Option<u16>,
    /// Diastolic pressure, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diastolic_mmhg: Option<u16>,
    /// Mean pressure, measured or estimated, mmHg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_mmhg: Option<Decimal>,
}

/// The state of the way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "connection", rename_all = "snake_case")]
pub enum Connection {
    /// The port is open; nothing understood yet.
    Opened,
    /// The device speaks its protocol.
    Up,
    /// It is gone.
    Lost {
        /// Why.
        reason: LossReason,
    },
}

/// `bed/{bed}/device/{device}`. Never its port, its serial number, or what it says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its alias.
    pub device: Id,
    /// The name of the driver.
    pub driver: String,
    /// The state of the way to it.
    #[serde(flatten)]
    pub connection: Connection,
    /// What the driver has decoded and rejected.
    pub decoded: Decoded,
}

/// What a driver has decoded and rejected since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoded {
    /// Frames that passed every check.
    pub good_frames: u64,
    /// Rejected: the checksum does not fit.
    pub bad_checksum: u64,
    /// Rejected: fixed bits are not as they must be.
    pub bad_framing: u64,
    /// Rejected: too short or too long.
    pub bad_length: u64,
    /// Rejected: in the wrong order, or one is missing.
    pub bad_sequence: u64,
    /// Rejected: a type that is not known.
    pub unknown_type: u64,
    /// Rejected: well-formed, but it cannot be.
    pub bad_content: u64,
    /// Bytes that belonged to no frame.
    pub bytes_skipped: u64,
}

impl From<&DecodeStats> for Decoded {
    fn from(stats: &DecodeStats) -> Self {
        Self {
            good_frames: stats.good_frames,
            bad_checksum: stats.checksum,
            bad_framing: stats.framing,
            bad_length: stats.length,
            bad_sequence: stats.sequence,
            unknown_type: stats.unknown_type,
            bad_content: stats.content,
            bytes_skipped: stats.bytes_skipped,
        }
    }
}

impl Device {
    /// The slot of the device with that alias.
    #[must_use]
    pub fn new(device: Id, driver: &str, link: &Link, stats: &DecodeStats) -> Self {
        Self { device, driver: driver.to_owned(), connection: link.into(), decoded: stats.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::Slot;
    use serde_json::{json, to_value};
    use vitalsd_core::sample::CuffOrigin;
    use vitalsd_core::vitals::{Absent, BloodPressure, Measured, Spo2};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    #[test]
    fn the_state_of_a_bed_gives_each_value_with_its_age() {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let oximetry = sample::Oximetry {
            at: Time::from_millis(599_600),
            spo2: Measured::in_range(Spo2::percent(97)),
            pulse: Measured::Absent(Absent::Searching),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        };
        let pressure = Determination {
            at: Time::from_millis(310_000),
            measured_at: Time::from_millis(300_000),
            origin: CuffOrigin::Manual,
            pressure: Ok(BloodPressure::full(128, 82, Some(99)).unwrap()),
            pulse: Measured::Absent(Absent::NotMeasured),
        };
        let devices = vec![DeviceState { device: id("oximeter"), connection: Connection::Up }];
        let next_cuff = Some(Time::from_millis(900_000));
        let state = State::new(
            Time::from_millis(600_000),
            clock,
            Phase::Window,
            Some(&oximetry),
            Some(&pressure),
            vec![],
            devices,
            next_cuff,
        );
        let slot = Slot { rev: 4, now: state };
        let json = to_value(&slot).unwrap();
        assert_eq!(
            json,
            json!({
                "rev": 4, "phase": "window",
                "oximetry": {
                    "age_ms": 400, "spo2_pct": 97, "spo2_quality": "good", "pulse_absent": "searching",
                    "perfusion_index_absent": "not_measured"
                },
                "pressure": {
                    "age_ms": 300_000, "origin": "manual", "measured_at": "2026-11-22T09:35:00.000Z",
                    "systolic_mmhg": 128, "diastolic_mmhg": 82, "mean_mmhg": 99, "pulse_absent": "not_measured"
                },
                "alarms": [], "devices": [{ "device": "oximeter", "connection": "up" }],
                "next_cuff_at": "2026-11-22T09:45:00.000Z"
            })
        );
        assert_eq!(serde_json::from_value::<Slot<State>>(json).unwrap(), slot);
    }

    #[test]
    fn a_bed_that_has_heard_nothing_has_no_values() {
        let clock = Clock::new("2026-11-22T09:30:00Z".parse().unwrap());
        let state = State::new(Time::ZERO, clock, Phase::NoSession, None, None, vec![], vec![], None);
        assert_eq!(to_value(state).unwrap(), json!({ "phase": "no_session", "alarms": [], "devices": [] }));
    }

    #[test]
    fn a_device_slot_tells_its_driver_and_its_state_and_not_its_port() {
        let stats = DecodeStats { good_frames: 9, checksum: 1, ..DecodeStats::default() };
        let device = Device::new(id("oximeter"), "nonin-df2", &Link::Lost(LossReason::Silent), &stats);
        assert_eq!(
            to_value(device).unwrap(),
            json!({
                "device": "oximeter", "driver": "nonin-df2", "connection": "lost", "reason": "silent",
                "decoded": {
                    "good_frames": 9, "bad_checksum": 1, "bad_framing": 0, "bad_length": 0, "bad_sequence": 0,
                    "unknown_type": 0, "bad_content": 0, "bytes_skipped": 0
                }
            })
        );
    }
}
