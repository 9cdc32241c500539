//! What was done, in a sentence.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use vitalsd_core::monitor::input::Checklist;
use vitalsd_core::monitor::observation::Observation;
use vitalsd_core::time::Span;

use super::screen::clock;
use super::vocabulary::{
    CLOSE_REASONS, GIVEN, LABELS, OBSERVATIONS, OFF_REASONS, RESPONSES, ROUTES, STANDBY_REASONS, said,
};
use crate::wire::action::{Action, Opening};
use crate::wire::{Session, WallTime};

/// What was done, in a sentence.
pub fn told(action: &Action, session: Option<&Session>, now: WallTime, zone: &TimeZone) -> String {
    let at = |ago_ms| clock(before(now, ago_ms), zone);
    match action {
        Action::Open(Opening { route, screened, escort, .. }) => {
            let mut words = format!("session open ({}), baseline until the dose is recorded", said(ROUTES, route));
            for (so, missing) in [(screened, "screening not signed"), (escort, "no escort named")] {
                if !so {
                    let _ = write!(words, "; {missing}");
                }
            }
            words
        }
        Action::Dose { .. } => dosed("dose recorded", session, zone),
        Action::DoseAgain { .. } => dosed("another dose recorded", session, zone),
        Action::UndoDose => "the dose is taken back: baseline again".into(),
        Action::NotYet => "not yet dosed; the bed will ask again".into(),
        Action::InfusionPause => "infusion paused".into(),
        Action::InfusionResume => "the infusion goes on".into(),
        Action::InfusionEnd { ago_ms } => format!("infusion ended at {}", at(*ago_ms)),
        Action::Prolong { by_ms } => format!("the window is longer by {}", Span::millis(*by_ms)),
        Action::Abort => "treatment broken off: the rules of the window hold for 60 min".into(),
        Action::Cancel => "session cancelled, no dose was given".into(),
        Action::Close { reason: None } => "session closed".into(),
        Action::Close { reason: Some(reason) } => format!("session closed: {}", said(CLOSE_REASONS, reason)),
        Action::Standby { reason } => {
            format!("standby ({}): say `back` when the patient is back", said(STANDBY_REASONS, reason))
        }
        Action::EndStandby => "the patient is back: watching again".into(),
        Action::Continue { dosed_ago_ms: None } => "the session goes on".into(),
        Action::Continue { dosed_ago_ms: Some(ago_ms) } => format!("the session goes on, dose at {}", at(*ago_ms)),
        Action::RetakeBaseline => "the baseline is measured anew".into(),
        Action::ConfirmSlowPulse => "this person's slow pulse is confirmed".into(),
        Action::Acknowledge(seen) => {
            format!("accepted: {}, {}; muted until it comes again or gets worse", seen.condition.title(), seen.priority)
        }
        Action::Withdraw(seen) => format!("acceptance taken back: {}; nobody has it now", seen.condition.title()),
        Action::Decline(seen) => format!("passed on: {}; every station is told", seen.condition.title()),
        Action::Seen { condition, .. } => format!("seen: {}", condition.title()),
        Action::PauseAudio => "sound paused; a new MEDIUM or HIGH ends the pause".into(),
        Action::ResumeAudio => "sound on".into(),
        Action::SwitchOff { condition, reason } => {
            format!("OFF until the session ends: {} ({})", condition.title(), said(OFF_REASONS, reason))
        }
        Action::SwitchOn { condition } => format!("on again: {}", condition.title()),
        Action::Observe(observation) => observed(*observation),
        Action::Note { .. } => "note written; its text stays on the box".into(),
        Action::Check { responds, breaths_per_min } => {
            let breaths = breaths_per_min.map_or_else(String::new, |breaths| format!(", {breaths} breaths a minute"));
            format!("check round recorded: {}{breaths}", said(RESPONSES, responds))
        }
        Action::Help => "HELP called".into(),
        Action::HelpOver => "help is over".into(),
        Action::Checklist(checklist) => signed(checklist),
        Action::Label { condition, episode, label } => {
            format!("{}, episode {episode}: it was {}", condition.title(), said(LABELS, label))
        }
        Action::Pressure { systolic_mmhg, diastolic_mmhg, ago_ms, .. } => {
            format!("BP {systolic_mmhg}/{diastolic_mmhg} mmHg recorded, measured at {}", at(*ago_ms))
        }
        Action::StartCuff => "the cuff has been started".into(),
        Action::StartStat => "the cuff measures again and again, for five minutes at the most".into(),
        Action::StopCuff => "the cuff has been told to stop".into(),
        Action::ProbeOnCuffArm => "the probe is on the cuff arm: SpO2 is missed while the cuff is inflated".into(),
    }
}

fn dosed(what: &str, session: Option<&Session>, zone: &TimeZone) -> String {
    let mut words = what.to_owned();
    let Some(session) = session else { return words };
    if let Some(at) = session.dosed_at {
        let _ = write!(words, " at {}", clock(at, zone));
    }
    let _ = write!(words, ", {}", session.phase);
    if let Some(until) = session.phase_until {
        let _ = write!(words, " until {}", clock(until, zone));
    }
    words
}

fn observed(observation: Observation) -> String {
    let mut words = match observation {
        Observation::Dissociation { score } => format!("dissociation {score} of 10"),
        Observation::Sedation { responds } => format!("sedation: {}", said(RESPONSES, &responds)),
        other => match said(OBSERVATIONS, &other) {
            "" => said(GIVEN, &other).to_owned(),
            words => words.to_owned(),
        },
    };
    words.insert_str(0, "recorded: ");
    if observation.offers_help() {
        words.push_str(". Do you need help? `vitalsd session help-call`");
    }
    words
}

fn signed(checklist: &Checklist) -> String {
    if checklist.is_complete() {
        return "checklist signed: all of it is so".into();
    }
    let answers = [
        checklist.alert,
        checklist.oriented,
        checklist.no_dissociation,
        checklist.walks_steadily,
        checklist.nausea_controlled,
        checklist.no_severe_pain,
        checklist.cannula_out,
        checklist.instructions,
        checklist.escort,
        checklist.no_driving,
    ];
    let so = answers.iter().filter(|answer| **answer).count();
    format!("checklist signed: {so} of {} are so", answers.len())
}

fn before(now: WallTime, ms: u64) -> WallTime {
    let ago = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    WallTime(now.0.checked_sub(ago).unwrap_or(Timestamp::MIN))
}
