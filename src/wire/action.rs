//! What a person can ask of a bed, as flat JSON: the word `action` says what, a time has its unit in its name.
//!
//! The same shape tells in `bed/{bed}/event` what a person did, with one exception: the text of a note never
//! leaves the box.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vitalsd_core::monitor::input::{self, Checklist, CloseReason, Label, Named, OffReason, Route, Side, StandbyReason};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::Condition;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{BloodPressure, Pressure};

use super::schema::{Word, mirror};
use super::topic::Id;

/// A note is at most this many characters long (R5.10).
const NOTE_AT_MOST: usize = 80;

/// The actions of a command, and of the event that it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Open a session.
    Open(Opening),
    /// The dose was given.
    Dose {
        /// How long ago it was so; absent: now.
        #[serde(default)]
        ago_ms: u64,
    },
    /// Another dose was given: onset and window begin again, the baseline stays.
    DoseAgain {
        /// How long ago it was so; absent: now.
        #[serde(default)]
        ago_ms: u64,
    },
    /// The dose was not given after all: within 60 s of saying so.
    UndoDose,
    /// The dose has not been given yet: ask again in 10 min.
    NotYet,
    /// The infusion is paused.
    InfusionPause,
    /// The infusion goes on.
    InfusionResume,
    /// The infusion has ended.
    InfusionEnd {
        /// How long ago it was so; absent: now.
        #[serde(default)]
        ago_ms: u64,
    },
    /// The window lasts longer.
    Prolong {
        /// By how much longer.
        by_ms: u64,
    },
    /// The treatment is broken off: window rules for 60 min.
    Abort,
    /// The session ends before the dose.
    Cancel,
    /// The session ends.
    Close {
        /// Why it ends although measured items are not met.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<Word<CloseReason>>")]
        reason: Option<CloseReason>,
    },
    /// The patient is disconnected for a while.
    Standby {
        /// Why.
        #[schemars(with = "Word<StandbyReason>")]
        reason: StandbyReason,
    },
    /// The patient is back.
    EndStandby,
    /// The session that a restart interrupted goes on.
    Continue {
        /// How long ago the dose was, if a person knows it better than the box.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dosed_ago_ms: Option<u64>,
    },
    /// The baseline is measured anew.
    RetakeBaseline,
    /// This person's pulse is normally below 50.
    ConfirmSlowPulse,
    /// Accept an alarm and mute this episode of it: *I'm going*.
    Acknowledge(#[schemars(with = "mirror::Named")] Named),
    /// Take the acceptance back.
    Withdraw(#[schemars(with = "mirror::Named")] Named),
    /// *Can't go*: tell the others at once.
    Decline(#[schemars(with = "mirror::Named")] Named),
    /// A latched alarm has been seen.
    Seen {
        /// Which condition.
        #[schemars(with = "Word<Condition>")]
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
    },
    /// Pause the sound of this bed for a while.
    PauseAudio,
    /// The sound is on again.
    ResumeAudio,
    /// Switch one condition off until the session ends.
    SwitchOff {
        /// Which condition.
        #[schemars(with = "Word<Condition>")]
        condition: Condition,
        /// Why.
        #[schemars(with = "Word<OffReason>")]
        reason: OffReason,
    },
    /// Switch it on again.
    SwitchOn {
        /// Which condition.
        #[schemars(with = "Word<Condition>")]
        condition: Condition,
    },
    /// Something was seen or given: its `code`, and `score` or `responds` where the code has one.
    Observe(#[schemars(with = "mirror::Observation")] Observation),
    /// A note of 1 to 80 characters. The text stays in the journal of the box; no event carries it.
    Note {
        /// The text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// A check round was made.
    Check {
        /// To what the person responds.
        #[schemars(with = "Word<Responsiveness>")]
        responds: Responsiveness,
        /// Breaths a minute, if they were counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breaths_per_min: Option<u8>,
    },
    /// HELP: every station is called.
    Help,
    /// Help is here, or was not needed.
    HelpOver,
    /// What only a person can see before the patient leaves, signed by the actor: all ten answers.
    Checklist(#[schemars(with = "mirror::Checklist")] Checklist),
    /// What an alarm was worth, once it is over.
    Label {
        /// Which condition.
        #[schemars(with = "Word<Condition>")]
        condition: Condition,
        /// Its `episode`, as the alarm says it.
        episode: u32,
        /// What it was.
        #[schemars(with = "Word<Label>")]
        label: Label,
    },
    /// A pressure measured by hand.
    Pressure {
        /// Systolic, mmHg.
        systolic_mmhg: u16,
        /// Diastolic, mmHg.
        diastolic_mmhg: u16,
        /// Mean, mmHg, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean_mmhg: Option<u16>,
        /// How long ago it was measured; absent: now.
        #[serde(default)]
        ago_ms: u64,
    },
    /// Measure the blood pressure now.
    StartCuff,
    /// Measure it again and again, for five minutes at the most.
    StartStat,
    /// Stop the determination under way.
    StopCuff,
    /// The probe is on the cuff arm.
    ProbeOnCuffArm,
}

/// What is said of a session when it is opened. Route and limbs are asked and have no default; what else is not
/// said, is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    /// How the dose will be given.
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
    /// How long the infusion is planned to run, IV only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infusion_ms: Option<u64>,
    /// The clinic's own opaque alias for the patient, never a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<Id>,
    /// Whether the person is older than 65.
    #[serde(default)]
    pub over_65: bool,
    /// Whether the person is on supplemental oxygen.
    #[serde(default)]
    pub oxygen: bool,
    /// A sedative is on board.
    #[serde(default)]
    pub sedative: bool,
    /// Known sleep apnoea.
    #[serde(default)]
    pub apnoea: bool,
    /// Chronic hypercapnia: a clinician wants the lower limits of SpO2.
    #[serde(default)]
    pub hypercapnia: bool,
    /// The screening checklist is done, signed by the actor.
    #[serde(default)]
    pub screened: bool,
    /// Somebody is named who takes the patient home.
    #[serde(default)]
    pub escort: bool,
}

/// Why an action cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// The numbers are no blood pressure.
    #[error("these numbers are no blood pressure: expected systolic above diastolic, mmHg")]
    Pressure,
    /// The note is empty or too long.
    #[error("a note has 1 to {NOTE_AT_MOST} characters")]
    Note,
}

impl Action {
    /// The action without the text of a note, which is for the journal's notes alone (R5.10).
    #[must_use]
    pub fn without_text(self) -> Self {
        match self {
            Self::Note { .. } => Self::Note { text: String::new() },
            action => action,
        }
    }

    /// As the core takes it.
    ///
    /// # Errors
    /// It cannot be meant.
    pub fn to_core(self) -> Result<input::Action, Unsound> {
        use input::Action as Core;
        let ms = Span::millis;
        Ok(match self {
            Self::Open(opening) => Core::Open(opening.to_core()),
            Self::Dose { ago_ms } => Core::Dose { ago: ms(ago_ms) },
            Self::DoseAgain { ago_ms } => Core::DoseAgain { ago: ms(ago_ms) },
            Self::UndoDose => Core::UndoDose,
            Self::NotYet => Core::NotYet,
            Self::InfusionPause => Core::InfusionPause,
            Self::InfusionResume => Core::InfusionResume,
            Self::InfusionEnd { ago_ms } => Core::InfusionEnd { ago: ms(ago_ms) },
            Self::Prolong { by_ms } => Core::Prolong { by: ms(by_ms) },
            Self::Abort => Core::Abort,
            Self::Cancel => Core::Cancel,
            Self::Close { reason } => Core::Close { reason },
            Self::Standby { reason } => Core::Standby { reason },
            Self::EndStandby => Core::EndStandby,
            Self::Continue { dosed_ago_ms } => Core::Continue { dosed: dosed_ago_ms.map(ms) },
            Self::RetakeBaseline => Core::RetakeBaseline,
            Self::ConfirmSlowPulse => Core::ConfirmSlowPulse,
            Self::Acknowledge(named) => Core::Acknowledge(named),
            Self::Withdraw(named) => Core::Withdraw(named),
            Self::Decline(named) => Core::Decline(named),
            Self::Seen { condition, episode } => Core::Seen { condition, episode },
            Self::PauseAudio => Core::PauseAudio,
            Self::ResumeAudio => Core::ResumeAudio,
            Self::SwitchOff { condition, reason } => Core::SwitchOff { condition, reason },
            Self::SwitchOn { condition } => Core::SwitchOn { condition },
            Self::Observe(observation) => Core::Observe(observation),
            Self::Note { text } if (1..=NOTE_AT_MOST).contains(&text.chars().count()) => Core::Note { text },
            Self::Note { .. } => return Err(Unsound::Note),
            Self::Check { responds, breaths_per_min } => Core::Check { responds, breaths: breaths_per_min },
            Self::Help => Core::Help,
            Self::HelpOver => Core::HelpOver,
            Self::Checklist(checklist) => Core::Checklist(checklist),
            Self::Label { condition, episode, label } => Core::Label { condition, episode, label },
            Self::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg, ago_ms } => Core::Pressure {
                pressure: BloodPressure::full(systolic_mmhg, diastolic_mmhg, mean_mmhg).ok_or(Unsound::Pressure)?,
                ago: ms(ago_ms),
            },
            Self::StartCuff => Core::StartCuff,
            Self::StartStat => Core::StartStat,
            Self::StopCuff => Core::StopCuff,
            Self::ProbeOnCuffArm => Core::ProbeOnCuffArm,
        })
    }
}

impl From<&input::Action> for Action {
    /// As it is told. A note is told without its text.
    fn from(action: &input::Action) -> Self {
        use input::Action as Core;
        match *action {
            Core::Open(ref opening) => Self::Open(opening.into()),
            Core::Dose { ago } => Self::Dose { ago_ms: ago.as_millis() },
            Core::DoseAgain { ago } => Self::DoseAgain { ago_ms: ago.as_millis() },
            Core::UndoDose => Self::UndoDose,
            Core::NotYet => Self::NotYet,
            Core::InfusionPause => Self::InfusionPause,
            Core::InfusionResume => Self::InfusionResume,
            Core::InfusionEnd { ago } => Self::InfusionEnd { ago_ms: ago.as_millis() },
            Core::Prolong { by } => Self::Prolong { by_ms: by.as_millis() },
            Core::Abort => Self::Abort,
            Core::Cancel => Self::Cancel,
            Core::Close { reason } => Self::Close { reason },
            Core::Standby { reason } => Self::Standby { reason },
            Core::EndStandby => Self::EndStandby,
            Core::Continue { dosed } => Self::Continue { dosed_ago_ms: dosed.map(Span::as_millis) },
            Core::RetakeBaseline => Self::RetakeBaseline,
            Core::ConfirmSlowPulse => Self::ConfirmSlowPulse,
            Core::Acknowledge(named) => Self::Acknowledge(named),
            Core::Withdraw(named) => Self::Withdraw(named),
            Core::Decline(named) => Self::Decline(named),
            Core::Seen { condition, episode } => Self::Seen { condition, episode },
            Core::PauseAudio => Self::PauseAudio,
            Core::ResumeAudio => Self::ResumeAudio,
            Core::SwitchOff { condition, reason } => Self::SwitchOff { condition, reason },
            Core::SwitchOn { condition } => Self::SwitchOn { condition },
            Core::Observe(observation) => Self::Observe(observation),
            Core::Note { .. } => Self::Note { text: String::new() },
            Core::Check { responds, breaths } => Self::Check { responds, breaths_per_min: breaths },
            Core::Help => Self::Help,
            Core::HelpOver => Self::HelpOver,
            Core::Checklist(checklist) => Self::Checklist(checklist),
            Core::Label { condition, episode, label } => Self::Label { condition, episode, label },
            Core::Pressure { pressure, ago } => Self::Pressure {
                systolic_mmhg: pressure.systolic().map_or(0, Pressure::as_mmhg),
                diastolic_mmhg: pressure.diastolic().map_or(0, Pressure::as_mmhg),
                mean_mmhg: pressure.measured_mean().map(Pressure::as_mmhg),
                ago_ms: ago.as_millis(),
            },
            Core::StartCuff => Self::StartCuff,
            Core::StartStat => Self::StartStat,
            Core::StopCuff => Self::StopCuff,
            Core::ProbeOnCuffArm => Self::ProbeOnCuffArm,
        }
    }
}

impl Opening {
    fn to_core(self) -> input::Opening {
        input::Opening {
            route: self.route,
            infusion: self.infusion_ms.map(Span::millis),
            patient: self.patient.map(|alias| alias.to_string()),
            over_65: self.over_65,
            oxygen: self.oxygen,
            cuff_arm: self.cuff_arm,
            probe_hand: self.probe_hand,
            iv_arm: self.iv_arm,
            sedative: self.sedative,
            apnoea: self.apnoea,
            hypercapnia: self.hypercapnia,
            screened: self.screened,
            escort: self.escort,
        }
    }
}

impl From<&input::Opening> for Opening {
    fn from(opening: &input::Opening) -> Self {
        Self {
            route: opening.route,
            cuff_arm: opening.cuff_arm,
            probe_hand: opening.probe_hand,
            iv_arm: opening.iv_arm,
            infusion_ms: opening.infusion.map(Span::as_millis),
            patient: opening.patient.as_deref().and_then(|alias| Id::new(alias).ok()),
            over_65: opening.over_65,
            oxygen: opening.oxygen,
            sedative: opening.sedative,
            apnoea: opening.apnoea,
            hypercapnia: opening.hypercapnia,
            screened: opening.screened,
            escort: opening.escort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json, to_value};

    fn action(json: &Value) -> Action {
        from_value(json.clone()).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    /// Each action with every field it has, as an integrator would write it.
    fn one_of_each() -> Vec<Value> {
        let named =
            |action: &str| json!({ "action": action, "condition": "spo2-low", "episode": 2, "priority": "high" });
        vec![
            json!({
                "action": "open", "route": "iv", "cuff_arm": "left", "probe_hand": "right", "iv_arm": "neither",
                "infusion_ms": 2_400_000, "patient": "p-17", "over_65": true, "oxygen": true, "sedative": true,
                "apnoea": true, "hypercapnia": true, "screened": true, "escort": true
            }),
            json!({ "action": "dose", "ago_ms": 60_000 }),
            json!({ "action": "dose_again", "ago_ms": 60_000 }),
            json!({ "action": "undo_dose" }),
            json!({ "action": "not_yet" }),
            json!({ "action": "infusion_pause" }),
            json!({ "action": "infusion_resume" }),
            json!({ "action": "infusion_end", "ago_ms": 60_000 }),
            json!({ "action": "prolong", "by_ms": 600_000 }),
            json!({ "action": "abort" }),
            json!({ "action": "cancel" }),
            json!({ "action": "close", "reason": "clinician_decision" }),
            json!({ "action": "standby", "reason": "toilet" }),
            json!({ "action": "end_standby" }),
            json!({ "action": "continue", "dosed_ago_ms": 1_500_000 }),
            json!({ "action": "retake_baseline" }),
            json!({ "action": "confirm_slow_pulse" }),
            named("acknowledge"),
            named("withdraw"),
            named("decline"),
            json!({ "action": "seen", "condition": "spo2-low", "episode": 2 }),
            json!({ "action": "pause_audio" }),
            json!({ "action": "resume_audio" }),
            json!({ "action": "switch_off", "condition": "pulse-raised", "reason": "expected" }),
            json!({ "action": "switch_on", "condition": "pulse-raised" }),
            json!({ "action": "observe", "code": "dissociation", "score": 7 }),
            json!({ "action": "note", "text": "asked for water" }),
            json!({ "action": "check", "responds": "voice", "breaths_per_min": 14 }),
            json!({ "action": "help" }),
            json!({ "action": "help_over" }),
            json!({
                "action": "checklist", "alert": true, "oriented": true, "no_dissociation": true,
                "walks_steadily": true, "nausea_controlled": true, "no_severe_pain": true, "cannula_out": true,
                "instructions": true, "escort": true, "no_driving": false
            }),
            json!({ "action": "label", "condition": "spo2-low", "episode": 2, "label": "probe" }),
            json!({
                "action": "pressure", "systolic_mmhg": 124, "diastolic_mmhg": 80, "mean_mmhg": 95, "ago_ms": 60_000
            }),
            json!({ "action": "start_cuff" }),
            json!({ "action": "start_stat" }),
            json!({ "action": "stop_cuff" }),
            json!({ "action": "probe_on_cuff_arm" }),
        ]
    }

    #[test]
    fn every_action_has_the_name_of_the_core_and_is_told_as_it_was_asked() {
        for json in one_of_each() {
            let core = action(&json).to_core().unwrap();
            assert_eq!(json["action"], core.name());
            let told = to_value(Action::from(&core)).unwrap();
            if core.name() == "note" {
                assert_eq!(told, json!({ "action": "note" }), "the text of a note stays on the box");
            } else {
                assert_eq!(told, json);
            }
        }
    }

    #[test]
    fn r5_2_a_session_is_not_opened_without_route_and_limbs() {
        let open = json!({
            "action": "open", "route": "im", "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right"
        });
        let Action::Open(opening) = action(&open) else { panic!("opens") };
        assert!(!opening.over_65 && !opening.oxygen && !opening.hypercapnia && !opening.screened && !opening.escort);
        for asked in ["route", "cuff_arm", "probe_hand", "iv_arm"] {
            let mut without = open.clone();
            without.as_object_mut().unwrap().remove(asked);
            assert!(from_value::<Action>(without).is_err(), "{asked} is asked");
        }
        let mut named = open;
        named["patient"] = json!("Mary Example");
        assert!(from_value::<Action>(named).is_err(), "an alias is no name");
    }

    #[test]
    fn r5_10_a_note_has_one_to_eighty_characters() {
        let note = |text: &str| Action::Note { text: text.into() }.to_core().map(|_| ());
        assert_eq!(note(&"ä".repeat(80)), Ok(()));
        assert_eq!(note(&"a".repeat(81)), Err(Unsound::Note));
        assert_eq!(note(""), Err(Unsound::Note));
    }

    #[test]
    fn r9_a_checklist_without_an_answer_is_none() {
        assert!(from_value::<Action>(json!({ "action": "checklist", "alert": true })).is_err());
    }

    #[test]
    fn numbers_that_are_no_blood_pressure_do_not_reach_the_bed() {
        let pressure = |systolic_mmhg, diastolic_mmhg| {
            Action::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg: None, ago_ms: 0 }.to_core().map(|_| ())
        };
        assert_eq!(pressure(128, 82), Ok(()));
        assert_eq!(pressure(82, 128), Err(Unsound::Pressure));
    }
}
