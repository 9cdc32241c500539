//! The session of a bed: `bed/{bed}/session`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::Bed;
use vitalsd_core::monitor::baseline;
use vitalsd_core::monitor::infusion;
use vitalsd_core::monitor::input::{Route, Side};
use vitalsd_core::monitor::output::{Condition, Phase};
use vitalsd_core::monitor::session::Open;
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use super::clock::{Clock, WallTime};
use super::number::Decimal;
use super::schema::Word;

/// `bed/{bed}/session`, published with its `rev` as `Slot<Session>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The phase of the session.
    #[schemars(with = "Word<Phase>")]
    pub phase: Phase,
    /// When it was opened; absent: no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<WallTime>,
    /// The effective time of the dose; absent: not given yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosed_at: Option<WallTime>,
    /// When the present phase began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<WallTime>,
    /// When it ends by itself; absent: when a person ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_until: Option<WallTime>,
    /// What is known of the open session; absent: none is open.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opened>,
    /// What this patient's values were before the dose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The rows that are off because something is not known of this patient.
    #[serde(default)]
    #[schemars(with = "Vec<Word<Condition>>")]
    pub rows_off: Vec<Condition>,
    /// The name of the alarm preset.
    pub preset: String,
    /// The hash of the alarm preset.
    pub preset_hash: String,
    /// Whether a clinician has signed it; who, stays on the box.
    #[serde(default)]
    pub preset_signed: bool,
}

/// What is known of an open session, and what has changed its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// How the dose is given.
    #[schemars(with = "Word<Route>")]
    pub route: Route,
    /// Where the cuff is.
    #[schemars(with = "Word<Side>")]
    pub cuff_arm: Side,
    /// Where the probe is.
    #[schemars(with = "Word<Side>")]
    pub probe_hand: Side,
    /// Where the cannula is.
    #[schemars(with = "Word<Side>")]
    pub iv_arm: Side,
    /// Whether the screening checklist was signed.
    pub screened: bool,
    /// Whether somebody is named who takes the patient home.
    pub escort: bool,
    /// Whether the person is on supplemental oxygen: SpO2 does not show breathing then.
    pub oxygen: bool,
    /// Whether the probe is on the arm of the cuff.
    pub probe_on_cuff_arm: bool,
    /// Whether the rules of the window hold beside those of the phase.
    pub window_rules: bool,
    /// Whether the window is assumed, because nobody has said if the dose was given.
    pub window_assumed: bool,
    /// Whether a restart interrupted it and nobody has said that it goes on.
    pub interrupted: bool,
    /// Whether the time since the dose is uncertain.
    pub dose_time_uncertain: bool,
    /// The infusion; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infusion: Option<Infusion>,
    /// The checklist before the patient leaves; absent: not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checklist: Option<Checklist>,
}

/// An infusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Infusion {
    /// It runs.
    Running {
        /// When it should end.
        due: WallTime,
    },
    /// It is paused.
    Paused {
        /// Since when.
        since: WallTime,
    },
    /// It has ended.
    Ended {
        /// When.
        ended: WallTime,
    },
}

/// The checklist before the patient leaves, as signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SignedChecklist")]
pub struct Checklist {
    /// Whether all of it is so.
    pub complete: bool,
    /// Who signed it, an opaque id.
    pub actor: String,
    /// When.
    pub signed_at: WallTime,
}

/// The values before the dose (R5.9); one that is not known is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Session {
    /// The session of `bed`.
    #[must_use]
    pub fn new(bed: &Bed, clock: Clock) -> Self {
        let (session, preset) = (bed.session(), bed.preset());
        let open = session.opened();
        let at = |time| clock.at(time);
        Self {
            phase: session.phase(),
            opened_at: open.map(|open| at(open.at)),
            dosed_at: session.dose().map(at),
            phase_since: open.and(session.since()).map(at),
            phase_until: session.until(&preset.routes).map(at),
            open: open.map(|open| Opened::new(bed, open, clock)),
            baseline: bed.baseline().and_then(Baseline::new),
            rows_off: bed.rows_off(),
            preset: preset.name.clone(),
            preset_hash: preset.hash.clone(),
            preset_signed: preset.signed_by.is_some(),
        }
    }
}

impl Opened {
    fn new(bed: &Bed, open: &Open, clock: Clock) -> Self {
        let (session, opening) = (bed.session(), &open.opening);
        Self {
            route: opening.route,
            cuff_arm: opening.cuff_arm,
            probe_hand: opening.probe_hand,
            iv_arm: opening.iv_arm,
            screened: opening.screened,
            escort: opening.escort,
            oxygen: open.oxygen.is_some(),
            probe_on_cuff_arm: open.probe_on_cuff_arm,
            window_rules: session.also() != session.phase(),
            window_assumed: open.forgotten.assumed,
            interrupted: open.interrupted,
            dose_time_uncertain: open.uncertain,
            infusion: open.infusion.and_then(|infusion| Infusion::new(&infusion, clock)),
            checklist: open.checklist.as_ref().map(|signed| Checklist {
                complete: signed.checklist.is_complete(),
                actor: signed.actor.clone(),
                signed_at: clock.at(signed.at),
            }),
        }
    }
}

impl Infusion {
    fn new(infusion: &infusion::Infusion, clock: Clock) -> Option<Self> {
        let ended = infusion.ended().map(|at| Self::Ended { ended: clock.at(at) });
        let paused = infusion.paused().map(|at| Self::Paused { since: clock.at(at) });
        ended.or(paused).or_else(|| infusion.due().map(|at| Self::Running { due: clock.at(at) }))
    }
}

impl Baseline {
    /// `None`: nothing of it is known.
    fn new(baseline: &baseline::Baseline) -> Option<Self> {
        let told = Self {
            provisional: baseline.provisional(),
            spo2_pct: baseline.spo2().map(|spo2| Decimal::tenths(spo2.as_tenths())),
            pulse_bpm: baseline.pulse().map(PulseRate::as_bpm),
            systolic_mmhg: baseline.pressure().and_then(BloodPressure::systolic).map(Pressure::as_mmhg),
            diastolic_mmhg: baseline.pressure().and_then(BloodPressure::diastolic).map(Pressure::as_mmhg),
            mean_mmhg: baseline.mean().map(Decimal::tenths),
        };
        (told != Self { provisional: told.provisional, ..Self::default() }).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};
    use vitalsd_core::monitor::input::{self, Action, Command, Opening};
    use vitalsd_core::monitor::observation::Observation;
    use vitalsd_core::monitor::preset::Preset;
    use vitalsd_core::time::{Span, Time};

    /// A day, so that what was before the start has a time as well.
    const START: Time = Time::from_millis(86_400_000);

    fn clock() -> Clock {
        Clock::at_time(WallTime("2026-11-22T09:30:00Z".parse().unwrap()), START)
    }

    fn bed() -> Bed {
        Bed::new(Preset::kat_default_1(), vec![], START)
    }

    fn ask(bed: &mut Bed, action: Action, min: u64) {
        let command = Command { actor: "nurse-2".into(), action };
        bed.command(&command, START + Span::mins(min), &mut |_| {}).unwrap();
    }

    fn told(bed: &Bed) -> serde_json::Value {
        let session = Session::new(bed, clock());
        let json = to_value(&session).unwrap();
        assert_eq!(from_value::<Session>(json.clone()).unwrap(), session);
        json
    }

    #[test]
    fn a_bed_without_a_session_tells_its_preset_and_that_nobody_signed_it() {
        assert_eq!(
            told(&bed()),
            json!({
                "phase": "no_session", "rows_off": [], "preset": "kat-default-1", "preset_hash": "",
                "preset_signed": false
            })
        );
    }

    #[test]
    fn an_open_session_tells_its_clocks_its_limbs_and_its_baseline() {
        let mut bed = bed();
        let opening = Opening { infusion: Some(Span::mins(40)), escort: false, ..Opening::by(Route::Iv) };
        ask(&mut bed, Action::Open(opening), 0);
        for (min, systolic) in [(0, 138), (2, 128), (4, 124)] {
            let pressure = BloodPressure::full(systolic, 80, None).unwrap();
            ask(&mut bed, Action::Pressure { pressure, ago: Span::ZERO }, min);
        }
        ask(&mut bed, Action::Dose { ago: Span::ZERO }, 10);
        let json = told(&bed);
        // The infusion of 40 min ends at 10:20; who ends it says so, and the window waits for that.
        let expected = json!({
            "phase": "onset", "opened_at": "2026-11-22T09:30:00.000Z", "dosed_at": "2026-11-22T09:40:00.000Z",
            "phase_since": "2026-11-22T09:40:00.000Z", "phase_until": "2026-11-22T09:55:00.000Z", "route": "iv",
            "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right", "screened": true, "escort": false,
            "oxygen": false, "probe_on_cuff_arm": false, "window_rules": false, "window_assumed": false,
            "interrupted": false, "dose_time_uncertain": false,
            "infusion": { "state": "running", "due": "2026-11-22T10:20:00.000Z" },
            // The first of three is discarded; the mean of 126/80 is 95.3.
            "baseline": { "provisional": false, "systolic_mmhg": 126, "diastolic_mmhg": 80, "mean_mmhg": 95.3 },
            "rows_off": ["spo2-below-baseline"]
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&json[key], value, "{key} of {json}");
        }
    }

    #[test]
    fn what_changes_the_rules_of_a_session_is_told() {
        let mut bed = bed();
        ask(&mut bed, Action::Open(Opening::by(Route::Im)), 0);
        ask(&mut bed, Action::Dose { ago: Span::ZERO }, 1);
        ask(&mut bed, Action::Observe(Observation::GaveBenzodiazepine), 2);
        ask(&mut bed, Action::Observe(Observation::GaveOxygen), 3);
        ask(&mut bed, Action::ProbeOnCuffArm, 4);
        ask(&mut bed, Action::Checklist(input::Checklist { alert: true, ..input::Checklist::default() }), 5);
        let json = told(&bed);
        for flag in ["window_rules", "oxygen", "probe_on_cuff_arm"] {
            assert_eq!(json[flag], true, "{flag}");
        }
        assert_eq!(
            json["checklist"],
            json!({ "complete": false, "actor": "nurse-2", "signed_at": "2026-11-22T09:35:00.000Z" })
        );
        assert_eq!(json["rows_off"], json!(["spo2-below-baseline", "bp-rise", "map-rise"]));
    }
}
