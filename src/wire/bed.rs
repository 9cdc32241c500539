//! The slots of a bed: its whole state for a late joiner, its session, its devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::driver::{DecodeStats, LineSettings};
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::input::{Link, LossReason, OffReason};
use vitalsd_core::monitor::output::{Condition, Phase};
use vitalsd_core::sample;
use vitalsd_core::time::Time;

use super::alarm::Alarm;
use super::clock::{Clock, WallTime};
use super::readiness::Readiness;
use super::schema::Word;
use super::topic::Id;
use super::vitals::{Oximetry, Pressure};

/// `bed/{bed}/state`: everything that a station needs that joins now. Published with its `rev` as
/// `Slot<State>`, on every change and every 5 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// The phase of the session.
    #[schemars(with = "Word<Phase>")]
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
    /// Until when the sound of the bed is paused; absent: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_paused_until: Option<WallTime>,
    /// What is switched off until the session ends.
    #[serde(default)]
    pub switched_off: Vec<SwitchedOff>,
    /// Until when the patient is disconnected for a while; absent: not on standby.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_until: Option<WallTime>,
    /// When the next check round is due; absent: none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_check_at: Option<WallTime>,
    /// The measured items before the patient leaves; absent: no dose was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
}

/// A condition that a person has switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SwitchedOff {
    /// Which.
    #[schemars(with = "Word<Condition>")]
    pub condition: Condition,
    /// Why.
    #[schemars(with = "Word<OffReason>")]
    pub reason: OffReason,
    /// Who did it, an opaque id.
    pub actor: String,
    /// Since when.
    pub since: WallTime,
}

/// A value with its age.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Aged{T}")]
pub struct Aged<T> {
    /// How long ago it was so, at the envelope's `at`.
    pub age_ms: u64,
    /// The value.
    #[serde(flatten)]
    pub value: T,
}

/// One device in the state of a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceState {
    /// Its alias.
    pub device: Id,
    /// The state of the way to it.
    #[serde(flatten)]
    pub connection: Connection,
}

impl State {
    /// The state of `bed` at `now`. A pressure is as old as its measurement, not as its arrival.
    #[must_use]
    pub fn new(bed: &Bed, devices: Vec<DeviceState>, now: Time, clock: Clock) -> Self {
        let age_ms = |at: Time| now.since(at).as_millis();
        let at = |at| clock.at(at);
        Self {
            phase: bed.session().phase(),
            oximetry: newest(bed, now).map(|o| Aged { age_ms: age_ms(o.at), value: (&o).into() }),
            pressure: bed
                .newest_pressure()
                .map(|p| Aged { age_ms: age_ms(p.measured_at), value: Pressure::new(p, clock) }),
            alarms: bed.alarms().map(|alarm| Alarm::new(alarm, clock)).collect(),
            devices,
            next_cuff_at: bed.cuff().next().map(at),
            audio_paused_until: bed.audio_paused_until().map(at),
            switched_off: bed
                .switched_off()
                .map(|(condition, off)| SwitchedOff {
                    condition,
                    reason: off.reason,
                    actor: off.actor.clone(),
                    since: at(off.since),
                })
                .collect(),
            standby_until: bed.standby_until().map(at),
            next_check_at: bed.next_check().map(at),
            readiness: bed.readiness().map(|readiness| Readiness::new(&readiness, clock)),
        }
    }
}

/// The newest oximetry; `None`: the bed has no oximeter.
fn newest(bed: &Bed, now: Time) -> Option<sample::Oximetry> {
    let oximeter = bed.oximeter();
    let expected = oximeter.spo2().expected() || oximeter.pulse().expected();
    expected.then(|| {
        let newest = oximeter.spo2().at().max(oximeter.pulse().at());
        sample::Oximetry { at: newest.unwrap_or(now), ..oximeter.reading(now) }
    })
}

/// The state of the way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "connection", rename_all = "snake_case")]
pub enum Connection {
    /// The port is open; nothing understood yet.
    Opened,
    /// The device speaks its protocol.
    Up,
    /// It is gone.
    Lost {
        /// Why.
        #[schemars(with = "Word<LossReason>")]
        reason: LossReason,
    },
}

/// `bed/{bed}/device/{device}`. Never its port, its serial number, or what it says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its alias.
    pub device: Id,
    /// The name of the driver; absent: not found out yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The line settings at which it is understood, `9600 8N1`; absent: not found out yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The state of the way to it.
    #[serde(flatten)]
    pub connection: Connection,
    /// What the driver has decoded and rejected.
    pub decoded: Decoded,
}

/// What a driver has decoded and rejected since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    pub fn new(device: Id, driver: Option<&str>, line: Option<LineSettings>, link: &Link, stats: &DecodeStats) -> Self {
        let (driver, line) = (driver.map(str::to_owned), line.map(|line| line.to_string()));
        Self { device, driver, line, connection: link.into(), decoded: stats.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::Slot;
    use jiff::Timestamp;
    use serde_json::{json, to_value};
    use vitalsd_core::driver::Quantity;
    use vitalsd_core::monitor;
    use vitalsd_core::monitor::input::{Action, Command, DeviceIndex, Input, Opening, Route, StandbyReason};
    use vitalsd_core::monitor::preset::Preset;
    use vitalsd_core::sample::Sample;
    use vitalsd_core::time::Span;
    use vitalsd_core::vitals::{Absent, BloodPressure, Measured, Spo2};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    const OXIMETER: DeviceIndex = DeviceIndex(0);
    /// A day, so that what was before the start has a time as well.
    const START: Time = Time::from_millis(86_400_000);

    fn clock() -> Clock {
        Clock::at_time("2026-11-22T09:30:00Z".parse::<Timestamp>().map(WallTime).unwrap(), START)
    }

    fn bed() -> Bed {
        let device = |primary: &[Quantity]| monitor::Device {
            cadence: Span::secs(1),
            primary: primary.into(),
            starts_cuff: primary == [Quantity::BloodPressure],
            cuff_rest: Span::secs(30),
            pleth_full_scale: None,
        };
        let devices = vec![device(&[Quantity::Spo2, Quantity::Pulse]), device(&[Quantity::BloodPressure])];
        Bed::new(Preset::kat_default_1(), devices, START)
    }

    fn ask(bed: &mut Bed, action: Action, now: Time) {
        let command = Command { actor: "nurse-2".into(), action };
        bed.command(&command, now, &mut |_| {}).unwrap();
    }

    #[test]
    fn the_state_of_a_bed_gives_each_value_with_its_age() {
        let mut bed = bed();
        ask(&mut bed, Action::Open(Opening::by(Route::Iv)), START);
        let pressure = BloodPressure::full(128, 82, Some(99)).unwrap();
        ask(&mut bed, Action::Pressure { pressure, ago: Span::mins(5) }, START + Span::mins(5));
        let now = START + Span::mins(6);
        let oximetry = sample::Oximetry {
            at: now,
            spo2: Measured::in_range(Spo2::percent(97)),
            pulse: Measured::Absent(Absent::Searching),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        };
        let sample = Sample::Oximetry(oximetry);
        bed.input(&Input::Sample { device: OXIMETER, sample }, now, &mut |_| {});
        let devices = vec![DeviceState { device: id("oximeter"), connection: Connection::Up }];
        let state = State::new(&bed, devices, now + Span::millis(400), clock());
        let slot = Slot { rev: 4, now: State { alarms: vec![], next_cuff_at: None, ..state } };
        let json = to_value(&slot).unwrap();
        assert_eq!(
            json,
            json!({
                "rev": 4, "phase": "baseline",
                "oximetry": {
                    "age_ms": 400, "spo2_pct": 97, "spo2_quality": "good", "pulse_absent": "searching",
                    "perfusion_index_absent": "not_measured"
                },
                "pressure": {
                    "age_ms": 360_400, "origin": "manual", "measured_at": "2026-11-22T09:30:00.000Z",
                    "systolic_mmhg": 128, "diastolic_mmhg": 82, "mean_mmhg": 99, "pulse_absent": "not_measured"
                },
                "alarms": [], "devices": [{ "device": "oximeter", "connection": "up" }], "switched_off": []
            })
        );
        assert_eq!(serde_json::from_value::<Slot<State>>(json).unwrap(), slot);
    }

    #[test]
    fn the_state_of_a_bed_tells_what_is_not_listened_to_and_what_is_due() {
        let mut bed = bed();
        ask(&mut bed, Action::Open(Opening::by(Route::Im)), START);
        ask(&mut bed, Action::Dose { ago: Span::ZERO }, START + Span::mins(1));
        let (condition, reason) = (Condition::PulseRaised, OffReason::Expected);
        ask(&mut bed, Action::SwitchOff { condition, reason }, START + Span::mins(2));
        ask(&mut bed, Action::Standby { reason: StandbyReason::Toilet }, START + Span::mins(3));
        let now = START + Span::mins(4);
        ask(&mut bed, Action::PauseAudio, now);
        let json = to_value(State::new(&bed, vec![], now, clock())).unwrap();
        assert_eq!(json["audio_paused_until"], "2026-11-22T09:36:00.000Z");
        assert_eq!(json["standby_until"], "2026-11-22T09:43:00.000Z");
        // The check round every 15 min from the dose.
        assert_eq!(json["next_check_at"], "2026-11-22T09:46:00.000Z");
        assert_eq!(
            json["switched_off"],
            json!([{
                "condition": "pulse-raised", "reason": "expected", "actor": "nurse-2",
                "since": "2026-11-22T09:32:00.000Z"
            }])
        );
        assert_eq!(json["readiness"]["vitals_ready"], false);
    }

    #[test]
    fn a_bed_that_measures_nothing_has_no_values() {
        let bed = Bed::new(Preset::kat_default_1(), vec![], START);
        let state = State::new(&bed, vec![], START, clock());
        let nothing = json!({ "phase": "no_session", "alarms": [], "devices": [], "switched_off": [] });
        assert_eq!(to_value(state).unwrap(), nothing);
    }

    #[test]
    fn a_device_that_is_not_found_out_yet_has_no_driver_and_no_line() {
        let device = to_value(Device::new(id("oximeter"), None, None, &Link::Opened, &DecodeStats::default())).unwrap();
        assert_eq!((device.get("driver"), device.get("line")), (None, None));
        assert_eq!(device["connection"], "opened");
    }

    #[test]
    fn a_device_slot_tells_its_driver_and_its_state_and_not_its_port() {
        let stats = DecodeStats { good_frames: 9, checksum: 1, ..DecodeStats::default() };
        let (link, line) = (Link::Lost(LossReason::Silent), Some(LineSettings::n1(9_600)));
        let device = Device::new(id("oximeter"), Some("nonin-df2"), line, &link, &stats);
        assert_eq!(
            to_value(device).unwrap(),
            json!({
                "device": "oximeter", "driver": "nonin-df2", "line": "9600 8N1", "connection": "lost", "reason": "silent",
                "decoded": {
                    "good_frames": 9, "bad_checksum": 1, "bad_framing": 0, "bad_length": 0, "bad_sequence": 0,
                    "unknown_type": 0, "bad_content": 0, "bytes_skipped": 0
                }
            })
        );
    }
}
