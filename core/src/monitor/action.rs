//! What a person asks of a bed, and why it may be refused (R4.1, R4.4, R5, R8.3, R11).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::monitor::alarm::{Condition, Priority};
use crate::monitor::observation::{Observation, Responsiveness};
use crate::monitor::output::Phase;
use crate::time::Span;
use crate::vitals::BloodPressure;

/// What a person asks of a bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who: a person or a station, an opaque id.
    pub actor: String,
    /// What.
    pub action: Action,
}

/// The actions of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Open a session (R5.2). A new one never joins an open one.
    Open(Opening),
    /// The dose was given (R5.3), this long ago; 120 min at the most.
    Dose {
        /// How long ago.
        ago: Span,
    },
    /// Another dose was given: onset and window begin again, the baseline stays.
    DoseAgain {
        /// How long ago.
        ago: Span,
    },
    /// The dose was not given after all: within 60 s of saying so.
    UndoDose,
    /// The dose has not been given yet: ask again in 10 min (R5.4).
    NotYet,
    /// The infusion is paused.
    InfusionPause,
    /// The infusion goes on.
    InfusionResume,
    /// The infusion has ended, this long ago.
    InfusionEnd {
        /// How long ago.
        ago: Span,
    },
    /// The window lasts longer.
    Prolong {
        /// By how much.
        by: Span,
    },
    /// The treatment is broken off: window rules for 60 min.
    Abort,
    /// The session ends before the dose (P0 only).
    Cancel,
    /// The session ends. With failing items a reason is needed (R5.7).
    Close {
        /// Why it ends although items are not met.
        reason: Option<CloseReason>,
    },
    /// The patient is disconnected for a while (R5.6).
    Standby {
        /// Why.
        reason: StandbyReason,
    },
    /// The patient is back.
    EndStandby,
    /// The session that a restart interrupted goes on (R5.8).
    Continue {
        /// How long ago the dose was, if a person knows it better than the box.
        dosed: Option<Span>,
    },
    /// The baseline is measured anew (P0 only).
    RetakeBaseline,
    /// This person's pulse is normally below 50 (row 10).
    ConfirmSlowPulse,
    /// Accept an alarm and mute this episode of it: *I'm going* (R4.1).
    Acknowledge(Named),
    /// Take the acceptance back.
    Withdraw(Named),
    /// *Can't go*: tell the others at once.
    Decline(Named),
    /// A latched alarm has been seen (R2.6).
    Seen {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes was seen.
        episode: u32,
    },
    /// Pause the sound of this bed for 120 s (R4.4).
    PauseAudio,
    /// The sound is on again.
    ResumeAudio,
    /// Switch one condition off until the session ends (R4.4).
    SwitchOff {
        /// Which condition.
        condition: Condition,
        /// Why.
        reason: OffReason,
    },
    /// Switch it on again.
    SwitchOn {
        /// Which condition.
        condition: Condition,
    },
    /// Something was seen or given (R5.10).
    Observe(Observation),
    /// A note of at most 80 characters. The text stays in the journal of the box.
    Note {
        /// The text.
        text: String,
    },
    /// A check round was made (R5.12).
    Check {
        /// To what the person responds.
        responds: Responsiveness,
        /// Breaths a minute, if they were counted.
        breaths: Option<u8>,
    },
    /// HELP (R5.11).
    Help,
    /// Help is here, or was not needed.
    HelpOver,
    /// What only a person can see before the patient leaves, signed by whoever sends it (R9).
    Checklist(Checklist),
    /// What an alarm was worth, once it is over (R11).
    Label {
        /// Which condition.
        condition: Condition,
        /// Which of its episodes.
        episode: u32,
        /// What it was.
        label: Label,
    },
    /// A pressure measured by hand (R8.3).
    Pressure {
        /// The pressure.
        pressure: BloodPressure,
        /// How long ago it was measured.
        ago: Span,
    },
    /// Measure the blood pressure now.
    StartCuff,
    /// Measure again and again, for five minutes at the most (R8.4).
    StartStat,
    /// Stop the determination under way.
    StopCuff,
    /// The probe is on the cuff arm (R6.4).
    ProbeOnCuffArm,
}

/// What is said of a session when it is opened (R5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// How the dose will be given.
    pub route: Route,
    /// How long the infusion is planned to run, IV only.
    pub infusion: Option<Span>,
    /// The clinic's own opaque name for the patient.
    pub patient: Option<String>,
    /// Whether the person is older than 65 (row 12).
    pub over_65: bool,
    /// Whether the person is on supplemental oxygen.
    pub oxygen: bool,
    /// Where the cuff is. Asked: there is no default.
    pub cuff_arm: Side,
    /// Where the probe is.
    pub probe_hand: Side,
    /// Where the cannula is.
    pub iv_arm: Side,
    /// A sedative is on board.
    pub sedative: bool,
    /// Known sleep apnoea.
    pub apnoea: bool,
    /// Chronic hypercapnia (COPD): a clinician wants the limits of NEWS2's scale 2. Never automatic.
    pub hypercapnia: bool,
    /// The screening checklist is done and signed by whoever opens; no answers are stored.
    pub screened: bool,
    /// Somebody is named who takes the patient home.
    pub escort: bool,
}

impl Opening {
    /// A session by `route`, with everything else as it is with most people. For tests and replays: a
    /// person is asked.
    #[must_use]
    pub const fn by(route: Route) -> Self {
        Self {
            route,
            infusion: None,
            patient: None,
            over_65: false,
            oxygen: false,
            cuff_arm: Side::Left,
            probe_hand: Side::Right,
            iv_arm: Side::Right,
            sedative: false,
            apnoea: false,
            hypercapnia: false,
            screened: true,
            escort: true,
        }
    }
}

/// How a dose is given (R5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Intravenous.
    Iv,
    /// Intramuscular.
    Im,
    /// Intranasal.
    Intranasal,
    /// Oral or sublingual.
    Oral,
}

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The left arm.
    Left,
    /// The right arm.
    Right,
    /// Neither: none is there, or it is elsewhere.
    Neither,
}

impl Side {
    /// Whether both are the same arm.
    #[must_use]
    pub fn is_same_arm(self, other: Self) -> bool {
        self == other && self != Self::Neither
    }
}

/// An alarm as a person has seen it (R4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Named {
    /// Which condition.
    pub condition: Condition,
    /// Which of its episodes was seen.
    pub episode: u32,
    /// The priority that was seen.
    pub priority: Priority,
}

/// Why a session ends although items are not met (R5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// A clinician has decided so.
    ClinicianDecision,
    /// The patient goes on being watched elsewhere.
    Transferred,
    /// The patient has left against advice.
    LeftAgainstAdvice,
    /// An emergency.
    Emergency,
    /// The session was opened by mistake, or for a test.
    Test,
}

/// Why a patient is disconnected for a while (R5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandbyReason {
    /// Toilet.
    Toilet,
    /// Moving to another place.
    Moving,
    /// Dressing.
    Dressing,
}

/// Why a condition is switched off (R4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffReason {
    /// It is so with this patient.
    Expected,
    /// The sensor cannot measure it well here.
    Artefact,
    /// The equipment is out of order.
    Equipment,
    /// A clinician has decided so.
    ClinicianDecision,
}

/// What an alarm was worth (R11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// It was real.
    Real,
    /// It was the probe.
    Probe,
    /// It was to be expected.
    Expected,
    /// It was a test.
    Test,
}

/// What only a person can see before the patient leaves (R9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checklist {
    /// Alert.
    pub alert: bool,
    /// Oriented.
    pub oriented: bool,
    /// No dissociation.
    pub no_dissociation: bool,
    /// Walks steadily.
    pub walks_steadily: bool,
    /// Nausea controlled.
    pub nausea_controlled: bool,
    /// No severe headache or chest pain.
    pub no_severe_pain: bool,
    /// Cannula out.
    pub cannula_out: bool,
    /// Written instructions given.
    pub instructions: bool,
    /// Escort present.
    pub escort: bool,
    /// Told not to drive until the next day.
    pub no_driving: bool,
}

impl Checklist {
    /// Whether all of it is so.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.alert
            && self.oriented
            && self.no_dissociation
            && self.walks_steadily
            && self.nausea_controlled
            && self.no_severe_pain
            && self.cannula_out
            && self.instructions
            && self.escort
            && self.no_driving
    }
}

impl Action {
    /// Its name in the contract and in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Dose { .. } => "dose",
            Self::DoseAgain { .. } => "dose_again",
            Self::UndoDose => "undo_dose",
            Self::NotYet => "not_yet",
            Self::InfusionPause => "infusion_pause",
            Self::InfusionResume => "infusion_resume",
            Self::InfusionEnd { .. } => "infusion_end",
            Self::Prolong { .. } => "prolong",
            Self::Abort => "abort",
            Self::Cancel => "cancel",
            Self::Close { .. } => "close",
            Self::Standby { .. } => "standby",
            Self::EndStandby => "end_standby",
            Self::Continue { .. } => "continue",
            Self::RetakeBaseline => "retake_baseline",
            Self::ConfirmSlowPulse => "confirm_slow_pulse",
            Self::Acknowledge(_) => "acknowledge",
            Self::Withdraw(_) => "withdraw",
            Self::Decline(_) => "decline",
            Self::Seen { .. } => "seen",
            Self::PauseAudio => "pause_audio",
            Self::ResumeAudio => "resume_audio",
            Self::SwitchOff { .. } => "switch_off",
            Self::SwitchOn { .. } => "switch_on",
            Self::Observe(_) => "observe",
            Self::Note { .. } => "note",
            Self::Check { .. } => "check",
            Self::Help => "help",
            Self::HelpOver => "help_over",
            Self::Checklist(_) => "checklist",
            Self::Label { .. } => "label",
            Self::Pressure { .. } => "pressure",
            Self::StartCuff => "start_cuff",
            Self::StartStat => "start_stat",
            Self::StopCuff => "stop_cuff",
            Self::ProbeOnCuffArm => "probe_on_cuff_arm",
        }
    }
}

/// Why a command was not carried out, with what is so now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum CommandRefusal {
    /// A session is open already.
    SessionOpen,
    /// There is no open session.
    NoSession,
    /// The dose was already recorded.
    AlreadyDosed,
    /// The dose was not recorded yet.
    NotDosed,
    /// Not in this phase of the session.
    WrongPhase {
        /// The phase now.
        phase: Phase,
    },
    /// Back-dated further than allowed, or to before the session.
    TooLongAgo {
        /// The furthest that is allowed.
        limit: Span,
    },
    /// Longer than allowed.
    TooLong {
        /// The most that is allowed.
        limit: Span,
    },
    /// The cuff may not be on the arm of the cannula (R5.2).
    CuffOnIvArm,
    /// No infusion runs, or it is not in the state that this needs.
    NoInfusion,
    /// The infusion must have ended first (R5.6).
    InfusionRunning,
    /// The patient is on standby already, or not on standby.
    Standby,
    /// What this answers was not asked.
    NotAsked,
    /// Alarms are latched that nobody has seen (R5.7).
    NotSeen {
        /// How many.
        latched: u8,
    },
    /// Items are not met: a reason is needed (R5.7).
    ReasonNeeded {
        /// How many of the six are met.
        met: u8,
    },
    /// The alarm is not in the state that the command names.
    AlarmChanged {
        /// Its episode now.
        episode: u32,
        /// Its priority now; `None`: not present.
        priority: Option<Priority>,
    },
    /// Somebody else has accepted it.
    Taken,
    /// This condition is never switched off, or not in this phase (R4.4).
    NeverOff,
    /// The pulse before the dose was not below 50, or there is none.
    NoSlowPulse,
    /// A note is 1 to 80 characters long, a score 0 to 10.
    OutOfRange,
    /// The bed has no cuff that can be started.
    NoCuff,
    /// The cuff is measuring already.
    CuffBusy,
    /// The cuff must rest first (R8.4).
    CuffRests {
        /// For how long.
        wait: Span,
    },
    /// The cuff is not connected.
    CuffLost,
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionOpen => f.write_str("a session is open already: close it first"),
            Self::NoSession => f.write_str("no session is open: open one first"),
            Self::AlreadyDosed => f.write_str("the dose is recorded already; another one is `dose-again`"),
            Self::NotDosed => f.write_str("the dose is not recorded yet: a session without one is cancelled"),
            Self::WrongPhase { phase } => write!(f, "not in this phase of the session: it is {phase}"),
            Self::TooLongAgo { limit } => write!(f, "too long ago: {limit} at the most"),
            Self::TooLong { limit } => write!(f, "too long: {limit} at the most"),
            Self::CuffOnIvArm => f.write_str("the cuff may not be on the arm of the cannula: move one of them"),
            Self::NoInfusion => f.write_str("there is no infusion that this could be done to"),
            Self::InfusionRunning => f.write_str("the infusion has not ended: say so first"),
            Self::Standby => f.write_str("the standby is not as this needs it: look at the bed again"),
            Self::NotAsked => f.write_str("the bed has not asked for that"),
            Self::NotSeen { latched } => write!(f, "{latched} alarms are over and not seen: see them first"),
            Self::ReasonNeeded { met } => {
                write!(f, "only {met} of 6 measured items are met: say why it is closed all the same")
            }
            Self::AlarmChanged { episode, priority: Some(priority) } => {
                write!(f, "the alarm has changed: it is now episode {episode}, {priority}")
            }
            Self::AlarmChanged { episode, priority: None } => {
                write!(f, "the alarm has ended: its last episode was {episode}")
            }
            Self::Taken => f.write_str("somebody else has it already"),
            Self::NeverOff => f.write_str("this alarm is never switched off, or not in this phase"),
            Self::NoSlowPulse => f.write_str("the pulse before the dose was not below 50, or is not known"),
            Self::OutOfRange => f.write_str("out of range: a note has 1 to 80 characters, a score is 0 to 10"),
            Self::NoCuff => f.write_str("this bed has no cuff that can be started"),
            Self::CuffBusy => f.write_str("the cuff is measuring already"),
            Self::CuffRests { wait } => write!(f, "the cuff must rest for another {wait}"),
            Self::CuffLost => f.write_str("the cuff monitor is not connected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_a_checklist_is_complete_with_all_ten_items_and_with_none_of_them_missing() {
        let items: [fn(&mut Checklist, bool); 10] = [
            |list, is| list.alert = is,
            |list, is| list.oriented = is,
            |list, is| list.no_dissociation = is,
            |list, is| list.walks_steadily = is,
            |list, is| list.nausea_controlled = is,
            |list, is| list.no_severe_pain = is,
            |list, is| list.cannula_out = is,
            |list, is| list.instructions = is,
            |list, is| list.escort = is,
            |list, is| list.no_driving = is,
        ];
        let mut all = Checklist::default();
        items.iter().for_each(|item| item(&mut all, true));
        assert!(all.is_complete());
        for (index, item) in items.iter().enumerate() {
            let (mut without, mut alone) = (all, Checklist::default());
            item(&mut without, false);
            item(&mut alone, true);
            assert!(!without.is_complete() && !alone.is_complete(), "item {index}");
        }
    }
}
