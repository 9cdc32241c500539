//! The verbs of `vitalsd session`, named as a nurse would type them.

use std::str::FromStr;

use clap::{Args, Subcommand};
use vitalsd_core::monitor::input::{CloseReason, Label, OffReason, Route, Side, StandbyReason};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::Condition;
use vitalsd_core::vitals::BloodPressure;

use super::vocabulary::{
    CLOSE_REASONS, GIVEN, LABELS, OBSERVATIONS, OFF_REASONS, RESPONSES, ROUTES, SIDES, STANDBY_REASONS, one_of,
};
use crate::wire::Id;

/// What is asked.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Opens a session: baseline until the dose is recorded.
    #[command(after_help = "\
Example:
  vitalsd session open --route iv --infusion 40 --cuff-arm left --probe-hand right --iv-arm right --screened --escort")]
    Open(Open),
    /// Records that the dose was given.
    #[command(after_help = "Example:\n  vitalsd session dose --ago 2")]
    Dose(Ago),
    /// Records another dose: onset and window begin again, the baseline stays.
    #[command(after_help = "Example:\n  vitalsd session dose-again")]
    DoseAgain(Ago),
    /// Takes the dose back, within 60 s of recording it.
    #[command(after_help = "Example:\n  vitalsd session undo-dose")]
    UndoDose,
    /// Answers "dose given?": not yet, ask again in 10 min.
    #[command(after_help = "Example:\n  vitalsd session not-yet")]
    NotYet,
    /// Pauses, resumes or ends the infusion.
    #[command(subcommand, after_help = "Example:\n  vitalsd session infusion end --ago 3")]
    Infusion(Infusion),
    /// Makes the window longer.
    #[command(after_help = "Example:\n  vitalsd session prolong 20")]
    Prolong {
        /// By how much, minutes.
        #[arg(value_name = "MIN")]
        by: u16,
    },
    /// Breaks the treatment off: the rules of the window hold for 60 min.
    #[command(after_help = "Example:\n  vitalsd session abort")]
    Abort,
    /// Ends a session in which no dose was given.
    #[command(after_help = "Example:\n  vitalsd session cancel")]
    Cancel,
    /// Closes the session. If measured items are not met, say why.
    #[command(after_help = "Example:\n  vitalsd session close --reason clinician-decision")]
    Close {
        /// Why it ends although measured items are not met.
        #[arg(long, value_parser = one_of(CLOSE_REASONS))]
        reason: Option<CloseReason>,
    },
    /// The patient is disconnected for a while, 10 min at the most.
    #[command(after_help = "Example:\n  vitalsd session standby toilet")]
    Standby {
        /// Why.
        #[arg(value_parser = one_of(STANDBY_REASONS))]
        reason: StandbyReason,
    },
    /// The patient is back.
    #[command(after_help = "Example:\n  vitalsd session back")]
    Back,
    /// Goes on with the session that a restart of the box interrupted.
    #[command(after_help = "Example:\n  vitalsd session continue --dosed 25")]
    Continue {
        /// How long ago the dose was, minutes, if you know it better than the box.
        #[arg(long, value_name = "MIN")]
        dosed: Option<u16>,
    },
    /// Measures the baseline anew, before the dose.
    #[command(after_help = "Example:\n  vitalsd session retake-baseline")]
    RetakeBaseline,
    /// This person's pulse is normally below 50.
    #[command(after_help = "Example:\n  vitalsd session confirm-slow-pulse")]
    ConfirmSlowPulse,
    /// I'm going: accepts an alarm and mutes this episode of it; without a name, the one that is announced.
    #[command(after_help = "Example:\n  vitalsd session ack spo2-low")]
    Ack(Named),
    /// Takes an acceptance back; without a name, of the only alarm that is accepted.
    #[command(after_help = "Example:\n  vitalsd session withdraw spo2-low")]
    Withdraw(Named),
    /// Can't go: tells the others at once; without a name, of the alarm that is announced.
    #[command(after_help = "Example:\n  vitalsd session cant-go spo2-low")]
    CantGo(Named),
    /// Puts away an alarm that has ended and was kept to be seen; without a name, the only one.
    #[command(after_help = "Example:\n  vitalsd session seen spo2-low")]
    Seen(Named),
    /// Pauses the sound of this bed for a while; a new MEDIUM or HIGH ends the pause.
    #[command(after_help = "Example:\n  vitalsd session pause")]
    Pause,
    /// Ends the pause.
    #[command(after_help = "Example:\n  vitalsd session resume-sound")]
    ResumeSound,
    /// Switches one alarm off until the session ends. The gravest cannot be.
    #[command(after_help = "Example:\n  vitalsd session off pulse-raised --reason expected")]
    Off {
        /// Its name, as `status` or `vitalsd check` shows it: pulse-raised.
        #[arg(value_parser = condition)]
        condition: Condition,
        /// Why.
        #[arg(long, value_parser = one_of(OFF_REASONS))]
        reason: OffReason,
    },
    /// Switches an alarm on again.
    #[command(after_help = "Example:\n  vitalsd session on pulse-raised")]
    On {
        /// Its name, as `status` shows it: pulse-raised.
        #[arg(value_parser = condition)]
        condition: Condition,
    },
    /// Records what was seen, as a code.
    #[command(after_help = "\
Examples:
  vitalsd session observe nausea
  vitalsd session observe dissociation --score 7
  vitalsd session observe sedation --responds voice")]
    Observe {
        /// What.
        #[arg(value_name = "CODE", value_parser = one_of(OBSERVATIONS))]
        what: Observation,
        /// Dissociation, 0 to 10.
        #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
        score: Option<u8>,
        /// Sedation: to what the person responds.
        #[arg(long, value_parser = one_of(RESPONSES))]
        responds: Option<Responsiveness>,
    },
    /// Records what was given, as a code.
    #[command(after_help = "Example:\n  vitalsd session gave benzodiazepine")]
    Gave {
        /// What.
        #[arg(value_name = "CODE", value_parser = one_of(GIVEN))]
        what: Observation,
    },
    /// Writes a note of up to 80 characters. The text stays in the journal of the box.
    #[command(after_help = "Example:\n  vitalsd session note \"asked for water\"")]
    Note {
        /// The text.
        #[arg(value_parser = note)]
        text: String,
    },
    /// Records a check round: how the person responds and, if they were counted, the breaths a minute.
    #[command(after_help = "Example:\n  vitalsd session check voice --breaths 14")]
    Check {
        /// To what the person responds.
        #[arg(value_parser = one_of(RESPONSES))]
        responds: Responsiveness,
        /// Breaths a minute.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=80))]
        breaths: Option<u8>,
    },
    /// HELP: an alarm at every station and at the bedside, at once.
    #[command(after_help = "Example:\n  vitalsd session help-call")]
    HelpCall,
    /// Help is here, or was not needed.
    #[command(after_help = "Example:\n  vitalsd session help-over")]
    HelpOver,
    /// Signs what only a person can see before the patient leaves. What is not named is not so.
    #[command(after_help = "\
Examples:
  vitalsd session checklist --all
  vitalsd session checklist --alert --oriented --no-dissociation")]
    Checklist(Checked),
    /// Says what an alarm was worth, once it is over.
    #[command(after_help = "Example:\n  vitalsd session label spo2-low probe")]
    Label {
        /// Its name: spo2-low.
        #[arg(value_parser = condition)]
        condition: Condition,
        /// What it was.
        #[arg(value_parser = one_of(LABELS))]
        label: Label,
        /// Which of its episodes, if `status` does not show it any more.
        #[arg(long, value_name = "N")]
        episode: Option<u32>,
    },
    /// Records a blood pressure measured by hand.
    #[command(after_help = "Example:\n  vitalsd session bp 124/80 --ago 5")]
    Bp {
        /// Systolic, diastolic and perhaps mean, mmHg: 124/80 or 124/80/95.
        #[arg(value_name = "SYS/DIA[/MEAN]")]
        pressure: Pressure,
        #[command(flatten)]
        ago: Ago,
    },
    /// Measures the blood pressure now.
    #[command(after_help = "Example:\n  vitalsd session start-cuff")]
    StartCuff,
    /// Measures the blood pressure again and again, for five minutes at the most.
    #[command(after_help = "Example:\n  vitalsd session stat")]
    Stat,
    /// Stops the measurement under way.
    #[command(after_help = "Example:\n  vitalsd session stop-cuff")]
    StopCuff,
    /// Says that the probe is on the arm of the cuff.
    #[command(after_help = "Example:\n  vitalsd session probe-on-cuff-arm")]
    ProbeOnCuffArm,
    /// Shows the bed as it is now.
    #[command(after_help = "Example:\n  vitalsd session status --bed bed-2")]
    Status,
}

/// What is said of a session when it is opened. The limbs are asked: there is no default.
#[derive(Clone, Copy, Debug, Args)]
pub struct Open {
    /// How the dose will be given.
    #[arg(long, value_parser = one_of(ROUTES))]
    pub route: Route,
    /// On which arm the cuff is; never that of the cannula.
    #[arg(long, value_parser = one_of(SIDES))]
    pub cuff_arm: Side,
    /// On which hand the probe is; none: elsewhere.
    #[arg(long, value_parser = one_of(SIDES))]
    pub probe_hand: Side,
    /// In which arm the cannula is.
    #[arg(long, value_parser = one_of(SIDES))]
    pub iv_arm: Side,
    /// How long the infusion is planned to run, minutes; IV only.
    #[arg(long, value_name = "MIN")]
    pub infusion: Option<u16>,
    /// The clinic's own opaque alias for the patient, never a name.
    #[arg(long, value_name = "ALIAS")]
    pub patient: Option<Id>,
    /// The person is older than 65.
    #[arg(long)]
    pub over_65: bool,
    /// The person is on supplemental oxygen.
    #[arg(long)]
    pub oxygen: bool,
    /// A sedative is on board.
    #[arg(long)]
    pub sedative: bool,
    /// Known sleep apnoea.
    #[arg(long)]
    pub apnoea: bool,
    /// Chronic hypercapnia (COPD): a clinician wants the lower limits of SpO2.
    #[arg(long)]
    pub hypercapnia: bool,
    /// The screening checklist is done, and you sign it.
    #[arg(long)]
    pub screened: bool,
    /// Somebody is named who takes the patient home.
    #[arg(long)]
    pub escort: bool,
}

/// How long ago it was.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ago {
    /// How long ago, minutes.
    #[arg(long, value_name = "MIN", default_value_t = 0)]
    pub ago: u16,
}

/// What happens to the infusion.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Infusion {
    /// It is paused.
    Pause,
    /// It goes on.
    Resume,
    /// It has ended.
    End(Ago),
}

/// An alarm that may be named.
#[derive(Clone, Copy, Debug, Args)]
pub struct Named {
    /// Its name, as `status` shows it: spo2-low.
    #[arg(value_parser = condition)]
    pub condition: Option<Condition>,
}

/// What only a person can see.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Checked {
    /// All of it is so.
    #[arg(long, exclusive = false)]
    pub all: bool,
    /// Alert.
    #[arg(long)]
    pub alert: bool,
    /// Oriented.
    #[arg(long)]
    pub oriented: bool,
    /// No dissociation.
    #[arg(long)]
    pub no_dissociation: bool,
    /// Walks steadily.
    #[arg(long)]
    pub walks_steadily: bool,
    /// Nausea controlled.
    #[arg(long)]
    pub nausea_controlled: bool,
    /// No severe headache or chest pain.
    #[arg(long)]
    pub no_severe_pain: bool,
    /// Cannula out.
    #[arg(long)]
    pub cannula_out: bool,
    /// Written instructions given.
    #[arg(long)]
    pub instructions: bool,
    /// Escort present.
    #[arg(long)]
    pub escort: bool,
    /// Told not to drive until the next day.
    #[arg(long)]
    pub no_driving: bool,
}

fn condition(name: &str) -> Result<Condition, String> {
    Condition::from_slug(name).ok_or_else(|| "no alarm has that name: `vitalsd session status` shows them".into())
}

fn note(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=80 => Ok(text.to_owned()),
        count => Err(format!("a note has 1 to 80 characters, and this one has {count}")),
    }
}

/// `SYS/DIA[/MEAN]`, mmHg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// Systolic.
    pub systolic_mmhg: u16,
    /// Diastolic.
    pub diastolic_mmhg: u16,
    /// Mean, if known.
    pub mean_mmhg: Option<u16>,
}

impl FromStr for Pressure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u16>> = text.split('/').map(|part| part.trim().parse().ok()).collect();
        let pressure = match numbers.as_deref() {
            Some(&[systolic_mmhg, diastolic_mmhg]) => Self { systolic_mmhg, diastolic_mmhg, mean_mmhg: None },
            Some(&[systolic_mmhg, diastolic_mmhg, mean]) => {
                Self { systolic_mmhg, diastolic_mmhg, mean_mmhg: Some(mean) }
            }
            _ => return Err("expected systolic/diastolic or systolic/diastolic/mean, such as 124/80".into()),
        };
        let Self { systolic_mmhg, diastolic_mmhg, mean_mmhg } = pressure;
        BloodPressure::full(systolic_mmhg, diastolic_mmhg, mean_mmhg)
            .map(|_| pressure)
            .ok_or_else(|| "these numbers cannot be a blood pressure: expected systolic/diastolic, mmHg".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pressure_is_two_numbers_or_three_in_their_order() {
        let read = |text: &str| text.parse::<Pressure>().ok();
        let (systolic_mmhg, diastolic_mmhg) = (124, 80);
        assert_eq!(read("124/80"), Some(Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg: None }));
        assert_eq!(read("124/80/95"), Some(Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg: Some(95) }));
        for wrong in ["", "124", "80/124", "124/80/130", "124/80/95/1", "124-80", "0/0", "-124/80"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_note_has_one_to_eighty_characters() {
        assert!(note("asked for water").is_ok());
        assert!(note(&"ä".repeat(80)).is_ok());
        assert!(note("").is_err() && note(&"a".repeat(81)).is_err());
    }
}
