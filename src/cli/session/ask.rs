//! From a verb to an action of the contract; an alarm is asked for as it is seen on the bed.

use std::fmt::Write as _;

use anyhow::bail;
use vitalsd_core::monitor::input::{self, Checklist, Route};
use vitalsd_core::monitor::observation::Observation;
use vitalsd_core::monitor::output::{Condition, Presence};

use super::screen::symbol;
use super::verb::{Ago, Checked, Infusion, Named, Open, Pressure, Verb};
use crate::wire::action::{Action, Opening};
use crate::wire::{Alarm, Id, State};

const MINUTE_MS: u64 = 60_000;

impl Verb {
    /// What the arguments cannot say by themselves.
    pub fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Open(Open { route, infusion: Some(_), .. }) if *route != Route::Iv => {
                bail!("--infusion belongs to --route iv: the other routes have no infusion")
            }
            Self::Observe { what, score, responds } => match (what, score, responds) {
                (Observation::Dissociation { .. }, None, _) => bail!("dissociation has a score: --score 0 to 10"),
                (Observation::Sedation { .. }, _, None) => {
                    bail!("sedation has a scale: --responds awake, to voice ...")
                }
                (Observation::Dissociation { .. }, Some(_), None) | (Observation::Sedation { .. }, None, Some(_)) => {
                    Ok(())
                }
                (_, None, None) => Ok(()),
                _ => bail!("--score belongs to dissociation, and --responds to sedation"),
            },
            _ => Ok(()),
        }
    }

    /// The action; `None`: nothing is asked of the bed.
    pub fn action(&self, bed: Id, state: &State) -> anyhow::Result<Option<Action>> {
        Ok(Some(match *self {
            Self::Open(open) => Action::Open(opening(open)),
            Self::Dose(ago) => Action::Dose { ago_ms: ms(ago) },
            Self::DoseAgain(ago) => Action::DoseAgain { ago_ms: ms(ago) },
            Self::UndoDose => Action::UndoDose,
            Self::NotYet => Action::NotYet,
            Self::Infusion(Infusion::Pause) => Action::InfusionPause,
            Self::Infusion(Infusion::Resume) => Action::InfusionResume,
            Self::Infusion(Infusion::End(ago)) => Action::InfusionEnd { ago_ms: ms(ago) },
            Self::Prolong { by } => Action::Prolong { by_ms: minutes(by) },
            Self::Abort => Action::Abort,
            Self::Cancel => Action::Cancel,
            Self::Close { reason } => Action::Close { reason },
            Self::Standby { reason } => Action::Standby { reason },
            Self::Back => Action::EndStandby,
            Self::Continue { dosed } => Action::Continue { dosed_ago_ms: dosed.map(minutes) },
            Self::RetakeBaseline => Action::RetakeBaseline,
            Self::ConfirmSlowPulse => Action::ConfirmSlowPulse,
            Self::Ack(Named { condition }) => {
                let waits = |alarm: &Alarm| alarm.announced && alarm.presence == Presence::On && alarm.ack.is_none();
                Action::Acknowledge(named(the_one(bed, state, condition, waits, "announced and not accepted", "ack")?))
            }
            Self::Withdraw(Named { condition }) => {
                let accepted = |alarm: &Alarm| alarm.presence == Presence::On && alarm.ack.is_some();
                Action::Withdraw(named(the_one(bed, state, condition, accepted, "accepted", "withdraw")?))
            }
            Self::CantGo(Named { condition }) => {
                let told = |alarm: &Alarm| alarm.announced && alarm.presence == Presence::On;
                Action::Decline(named(the_one(bed, state, condition, told, "announced", "cant-go")?))
            }
            Self::Seen(Named { condition }) => {
                let latched = |alarm: &Alarm| alarm.presence == Presence::Latched;
                let alarm = the_one(bed, state, condition, latched, "kept to be seen", "seen")?;
                Action::Seen { condition: alarm.condition, episode: alarm.episode }
            }
            Self::Pause => Action::PauseAudio,
            Self::ResumeSound => Action::ResumeAudio,
            Self::Off { condition, reason } => Action::SwitchOff { condition, reason },
            Self::On { condition } => Action::SwitchOn { condition },
            Self::Observe { what, score, responds } => Action::Observe(match (what, score, responds) {
                (Observation::Dissociation { .. }, Some(score), _) => Observation::Dissociation { score },
                (Observation::Sedation { .. }, _, Some(responds)) => Observation::Sedation { responds },
                _ => what,
            }),
            Self::Gave { what } => Action::Observe(what),
            Self::Note { ref text } => Action::Note { text: text.clone() },
            Self::Check { responds, breaths } => Action::Check { responds, breaths_per_min: breaths },
            Self::HelpCall => Action::Help,
            Self::HelpOver => Action::HelpOver,
            Self::Checklist(checked) => Action::Checklist(checklist(checked)),
            Self::Label { condition, label, episode } => {
                let shown = || state.alarms.iter().find(|alarm| alarm.condition == condition);
                let Some(episode) = episode.or_else(|| shown().map(|alarm| alarm.episode)) else {
                    bail!("{bed} does not show the alarm {condition} any more: say which episode it was, --episode N")
                };
                Action::Label { condition, episode, label }
            }
            Self::Bp { pressure: Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg }, ago } => {
                Action::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg, ago_ms: ms(ago) }
            }
            Self::StartCuff => Action::StartCuff,
            Self::Stat => Action::StartStat,
            Self::StopCuff => Action::StopCuff,
            Self::ProbeOnCuffArm => Action::ProbeOnCuffArm,
            Self::Status => return Ok(None),
        }))
    }
}

fn minutes(minutes: u16) -> u64 {
    u64::from(minutes) * MINUTE_MS
}

fn ms(Ago { ago }: Ago) -> u64 {
    minutes(ago)
}

fn opening(open: Open) -> Opening {
    let Open { route, cuff_arm, probe_hand, iv_arm, infusion, patient, over_65, .. } = open;
    let Open { oxygen, sedative, apnoea, hypercapnia, screened, escort, .. } = open;
    let infusion_ms = infusion.map(minutes);
    Opening {
        route,
        cuff_arm,
        probe_hand,
        iv_arm,
        infusion_ms,
        patient,
        over_65,
        oxygen,
        sedative,
        apnoea,
        hypercapnia,
        screened,
        escort,
    }
}

const fn checklist(checked: Checked) -> Checklist {
    let all = checked.all;
    Checklist {
        alert: all || checked.alert,
        oriented: all || checked.oriented,
        no_dissociation: all || checked.no_dissociation,
        walks_steadily: all || checked.walks_steadily,
        nausea_controlled: all || checked.nausea_controlled,
        no_severe_pain: all || checked.no_severe_pain,
        cannula_out: all || checked.cannula_out,
        instructions: all || checked.instructions,
        escort: all || checked.escort,
        no_driving: all || checked.no_driving,
    }
}

/// The alarm as it is seen.
const fn named(alarm: &Alarm) -> input::Named {
    input::Named { condition: alarm.condition, episode: alarm.episode, priority: alarm.priority }
}

/// The alarm of that name, or the only one for which `wanted` holds. Of several none is chosen: who
/// accepts an alarm has seen it.
fn the_one<'a>(
    bed: Id,
    state: &'a State,
    named: Option<Condition>,
    wanted: impl Fn(&Alarm) -> bool,
    how: &str,
    verb: &str,
) -> anyhow::Result<&'a Alarm> {
    if let Some(condition) = named {
        return match state.alarms.iter().find(|alarm| alarm.condition == condition) {
            Some(alarm) => Ok(alarm),
            None => bail!("{bed} has no alarm {condition} now: `vitalsd session status` shows what it has"),
        };
    }
    let alarms: Vec<_> = state.alarms.iter().filter(|alarm| wanted(alarm)).collect();
    match alarms.as_slice() {
        [] => match state.alarms.iter().find(|alarm| alarm.presence == Presence::Latched && verb == "ack") {
            Some(over) => bail!(
                "{bed} has no alarm that is {how}. {} is over and waits to be seen: `vitalsd session seen`",
                over.condition
            ),
            None => bail!("{bed} has no alarm that is {how}"),
        },
        [alarm] => Ok(alarm),
        several => {
            let mut list = String::new();
            for Alarm { priority, condition, reason, .. } in several {
                let _ = write!(list, "\n  {:3} {condition}: {reason}", symbol(*priority));
            }
            bail!(
                "{bed} has several alarms that are {how}: name the one that you mean, `vitalsd session {verb} NAME`{list}"
            )
        }
    }
}
