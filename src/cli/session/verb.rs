//! The verbs of `vitalsd session`: from arguments to a command, and from its success to a sentence.

use std::fmt::Write as _;
use std::str::FromStr;

use anyhow::bail;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use vitalsd_core::monitor::input::Route;
use vitalsd_core::monitor::output::{Condition, Presence};
use vitalsd_core::vitals::BloodPressure;

use super::screen::{clock, symbol};
use crate::wire::command::Action;
use crate::wire::{Alarm, Id, Session, State, WallTime};

const MINUTE_MS: u64 = 60_000;

/// What is asked.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Opens a session: baseline until the dose is recorded.
    Open {
        /// How the dose will be given.
        #[arg(long, value_parser = PossibleValuesParser::new(ROUTES.map(|(name, ..)| name)).try_map(route))]
        route: Route,
        /// How long the infusion is planned to run, minutes; IV only.
        #[arg(long, value_name = "MIN")]
        infusion: Option<u16>,
        /// The person is older than 65.
        #[arg(long)]
        over_65: bool,
    },
    /// Records that the dose was given.
    Dose {
        /// How long ago, minutes.
        #[arg(long, value_name = "MIN", default_value_t = 0)]
        ago: u16,
    },
    /// Closes the session.
    Close,
    /// Accepts an alarm and mutes this episode of it; without a name, the one that is announced.
    Ack {
        /// Its name, as `status` shows it: spo2-low.
        #[arg(value_parser = condition)]
        condition: Option<Condition>,
    },
    /// Puts away an alarm that has ended and was kept to be seen; without a name, the only one.
    Seen {
        /// Its name, as `status` shows it: spo2-low.
        #[arg(value_parser = condition)]
        condition: Option<Condition>,
    },
    /// Records a blood pressure measured by hand.
    Bp {
        /// Systolic, diastolic and perhaps mean, mmHg: 124/80 or 124/80/95.
        #[arg(value_name = "SYS/DIA[/MEAN]")]
        pressure: Pressure,
        /// How long ago it was measured, minutes.
        #[arg(long, value_name = "MIN", default_value_t = 0)]
        ago: u16,
    },
    /// Measures the blood pressure now.
    StartCuff,
    /// Stops the measurement under way.
    StopCuff,
    /// Shows the bed as it is now.
    Status,
}

/// The routes: their name as an argument, and in a sentence.
const ROUTES: [(&str, &str, Route); 4] = [
    ("iv", "IV", Route::Iv),
    ("im", "IM", Route::Im),
    ("intranasal", "intranasal", Route::Intranasal),
    ("oral", "oral", Route::Oral),
];

fn route(name: String) -> Result<Route, String> {
    ROUTES.iter().find(|(known, ..)| *known == name).map(|(.., route)| *route).ok_or(name)
}

/// The route as in a sentence.
pub fn route_name(route: Route) -> &'static str {
    ROUTES.iter().find(|(.., known)| *known == route).map_or("", |(_, name, _)| name)
}

fn condition(name: &str) -> Result<Condition, String> {
    Condition::from_slug(name).ok_or_else(|| "no alarm has that name: `vitalsd session status` shows them".into())
}

impl Verb {
    /// What the arguments cannot say by themselves.
    pub fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Open { route, infusion: Some(_), .. } if *route != Route::Iv => {
                bail!("--infusion belongs to --route iv: the other routes have no infusion")
            }
            _ => Ok(()),
        }
    }

    /// The action; `None`: nothing is asked of the bed.
    pub fn action(&self, bed: Id, state: &State) -> anyhow::Result<Option<Action>> {
        let ms = |minutes: u16| u64::from(minutes) * MINUTE_MS;
        Ok(Some(match *self {
            Self::Open { route, infusion, over_65 } => Action::Open { route, infusion_ms: infusion.map(ms), over_65 },
            Self::Dose { ago } => Action::Dose { ago_ms: ms(ago) },
            Self::Close => Action::Close,
            Self::Ack { condition } => {
                let waits = |alarm: &Alarm| alarm.announced && alarm.presence == Presence::On && alarm.ack.is_none();
                let alarm = the_one(bed, state, condition, waits, "announced and not accepted", "ack")?;
                Action::Acknowledge { condition: alarm.condition, episode: alarm.episode, priority: alarm.priority }
            }
            Self::Seen { condition } => {
                let latched = |alarm: &Alarm| alarm.presence == Presence::Latched;
                let alarm = the_one(bed, state, condition, latched, "kept to be seen", "seen")?;
                Action::Seen { condition: alarm.condition, episode: alarm.episode }
            }
            Self::Bp { pressure: Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg }, ago } => {
                Action::Pressure { systolic_mmhg, diastolic_mmhg, mean_mmhg, ago_ms: ms(ago) }
            }
            Self::StartCuff => Action::StartCuff,
            Self::StopCuff => Action::StopCuff,
            Self::Status => return Ok(None),
        }))
    }
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
        [] => bail!("{bed} has no alarm that is {how}"),
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

/// What was done, in a sentence.
pub fn told(action: Action, session: Option<&Session>, now: WallTime, zone: &TimeZone) -> String {
    match action {
        Action::Open { route, .. } => {
            format!("session open ({}), baseline until the dose is recorded", route_name(route))
        }
        Action::Dose { .. } => session.map_or_else(|| "dose recorded".to_owned(), |session| dosed(session, zone)),
        Action::Close => "session closed".into(),
        Action::Acknowledge { condition, episode, priority } => {
            format!("accepted: {}, {priority}; episode {episode} of it is muted", condition.title())
        }
        Action::Seen { condition, .. } => format!("seen: {}", condition.title()),
        Action::Pressure { systolic_mmhg, diastolic_mmhg, ago_ms, .. } => {
            format!(
                "BP {systolic_mmhg}/{diastolic_mmhg} mmHg recorded, measured at {}",
                clock(before(now, ago_ms), zone)
            )
        }
        Action::StartCuff => "the cuff has been started".into(),
        Action::StopCuff => "the cuff has been told to stop".into(),
    }
}

fn dosed(session: &Session, zone: &TimeZone) -> String {
    let mut words = "dose recorded".to_owned();
    if let Some(at) = session.dosed_at {
        let _ = write!(words, " at {}", clock(at, zone));
    }
    let _ = write!(words, ", {}", session.phase);
    if let Some(until) = session.phase_until {
        let _ = write!(words, " until {}", clock(until, zone));
    }
    words
}

fn before(now: WallTime, ms: u64) -> WallTime {
    let ago = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    WallTime(now.0.checked_sub(ago).unwrap_or(Timestamp::MIN))
}

/// `SYS/DIA[/MEAN]`, mmHg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    systolic_mmhg: u16,
    diastolic_mmhg: u16,
    mean_mmhg: Option<u16>,
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
    fn every_route_has_a_name_to_type_and_a_name_to_read() {
        for (name, words, known) in ROUTES {
            assert_eq!(route(name.into()), Ok(known));
            assert_eq!(route_name(known), words);
        }
    }
}
