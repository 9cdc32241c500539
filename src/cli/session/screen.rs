//! The bed as a small monitor, in text.

mod standing;

use std::cmp::Reverse;
use std::fmt;

use clap::builder::styling::{AnsiColor, Style};
use jiff::tz::TimeZone;
use vitalsd_core::monitor::input::LossReason;
use vitalsd_core::monitor::output::{Activation, Phase, Presence, Priority};
use vitalsd_core::sample::{CuffFailure, CuffOrigin};
use vitalsd_core::time::Span;
use vitalsd_core::vitals::{Absent, Doubt};

use super::visit::Look;
use super::vocabulary::{ROUTES, said};
use crate::wire::bed::{Aged, Connection};
use crate::wire::number::Decimal;
use crate::wire::vitals::Failure;
use crate::wire::{Alarm, Id, Oximetry, Pressure, Session, WallTime, words};

/// The slowest source that alarms are raised from sends every 4 s, and is stale after 2.5 x that (R1.2).
const STALE_AT_LAST: Span = Span::secs(10);

/// A bed, to be shown.
pub struct Screen<'a> {
    /// Which.
    pub bed: Id,
    /// What it has said.
    pub look: &'a Look,
    /// Where its clock hangs.
    pub zone: &'a TimeZone,
    /// Whether a priority may have its colour.
    pub coloured: bool,
}

/// The priority at a glance.
pub const fn symbol(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "!!!",
        Priority::Medium => "!!",
        Priority::Low => "!",
    }
}

/// Hour and minute, as the clock on the wall shows it.
pub fn clock(at: WallTime, zone: &TimeZone) -> impl fmt::Display {
    at.0.to_zoned(zone.clone()).strftime("%H:%M")
}

fn clock_s(at: WallTime, zone: &TimeZone) -> impl fmt::Display {
    at.0.to_zoned(zone.clone()).strftime("%H:%M:%S")
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        let state = &self.look.state.message.now;
        self.oximetry(f, state.oximetry.as_ref())?;
        self.pressure(f, state.pressure.as_ref())?;
        self.baseline(f)?;
        if let Some(at) = state.next_cuff_at {
            let due = self.now_to(at).map_or_else(|| "now".to_owned(), |left| format!("in {}", minutes(left)));
            writeln!(f, "{:24}next cuff {due} ({})", "", self.clock(at))?;
        }
        self.standing_orders(f, state)?;
        self.readiness(f, state)?;
        writeln!(f)?;
        self.alarms(f, &state.alarms)?;
        writeln!(f)?;
        let width = state.devices.iter().map(|device| device.device.as_str().len()).max().unwrap_or(0);
        for device in &state.devices {
            writeln!(f, "  {:width$}  {}", device.device.as_str(), connection(device.connection))?;
        }
        Ok(())
    }
}

impl Screen<'_> {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Look { state, session, heartbeat } = self.look;
        let phase = state.message.now.phase;
        let session = session.as_ref().map(|session| &session.message.now).filter(|session| session.phase == phase);
        writeln!(f, "{}: {}", self.bed, session.map_or_else(|| phase.to_string(), |session| self.session(session)))?;
        let clock = if heartbeat.message.clock_trusted { "" } else { ", clock not synchronised" };
        // No session slot: then nothing is known of the preset, which is worse.
        let unsigned =
            if session.is_some_and(|session| session.preset_signed) { "" } else { ", alarm limits UNSIGNED" };
        writeln!(f, "{} at {}{clock}{unsigned}\n", heartbeat.r#box, clock_s(self.look.now(), self.zone))
    }

    fn session(&self, session: &Session) -> String {
        let mut words = session.phase.to_string();
        if let Some(until) = session.phase_until {
            words.push_str(&format!(" until {}", self.clock(until)));
        }
        let route = session.open.as_ref().map(|open| format!(", {}", said(ROUTES, &open.route))).unwrap_or_default();
        let (what, at) = match (session.dosed_at, session.opened_at) {
            (Some(at), _) => ("dose", at),
            (None, Some(at)) if session.phase != Phase::NoSession => ("opened", at),
            _ => return words,
        };
        words + &format!("; {what} {} ({}{route})", ago(minutes(self.since(at))), self.clock(at))
    }

    fn oximetry(&self, f: &mut fmt::Formatter<'_>, oximetry: Option<&Aged<Oximetry>>) -> fmt::Result {
        let Some(Aged { age_ms, value }) = oximetry else {
            writeln!(f, "  {:8}{:14}{}", "SpO2", "--", words::absent(Absent::NeverReceived))?;
            return writeln!(f, "  {:8}{:14}{}", "pulse", "--", words::absent(Absent::NeverReceived));
        };
        let age = self.age(*age_ms);
        let spo2 = value.spo2_pct.map(|Decimal(pct)| format!("{pct} %"));
        reading(f, "SpO2", spo2, value.spo2_doubt, value.spo2_absent, age)?;
        let pulse = value.pulse_bpm.map(|bpm| format!("{bpm} bpm"));
        reading(f, "pulse", pulse, value.pulse_doubt, value.pulse_absent, age)?;
        match value.perfusion_index_pct.map(|Decimal(pct)| format!("{pct} %")) {
            Some(pi) => reading(f, "PI", Some(pi), value.perfusion_index_doubt, None, age),
            None => Ok(()),
        }
    }

    fn pressure(&self, f: &mut fmt::Formatter<'_>, pressure: Option<&Aged<Pressure>>) -> fmt::Result {
        let Some(Aged { age_ms, value }) = pressure else {
            return writeln!(f, "  {:8}{:14}not measured yet", "BP", "--");
        };
        let age = self.age(*age_ms);
        let by = match value.origin {
            CuffOrigin::Schedule => "measured by the cuff",
            CuffOrigin::Bedside => "measured at the monitor's button",
            CuffOrigin::Manual => "measured by hand",
        };
        let number = |mmhg: Option<u16>| mmhg.map_or_else(|| "--".to_owned(), |mmhg| mmhg.to_string());
        let shown = match (value.failure, value.systolic_mmhg, value.diastolic_mmhg) {
            (Some(_), ..) | (None, None, None) => "--".to_owned(),
            (None, systolic, diastolic) => {
                let mean = value.mean_mmhg.map_or_else(String::new, |mean| format!(" ({mean})"));
                format!("{}/{}{mean}", number(systolic), number(diastolic))
            }
        };
        let told = value.failure.map_or_else(
            || format!("mmHg, {by} {}", ago(age)),
            |why| format!("the cuff failed {}: {}", ago(age), words::cuff_failure(core_failure(why))),
        );
        writeln!(f, "  {:8}{shown:14}{told}", "BP")
    }

    fn alarms(&self, f: &mut fmt::Formatter<'_>, alarms: &[Alarm]) -> fmt::Result {
        if alarms.is_empty() {
            return writeln!(f, "  no alarm");
        }
        let mut alarms: Vec<_> = alarms.iter().collect();
        alarms.sort_by_key(|alarm| Reverse((alarm.presence == Presence::On, alarm.announced, alarm.priority)));
        for alarm in alarms {
            let style = if self.coloured { colour(alarm.priority) } else { Style::new() };
            writeln!(f, "  {style}{:3}{style:#} {}", symbol(alarm.priority), alarm.reason)?;
            writeln!(f, "      {}, {}", alarm.condition, self.standing(alarm))?;
        }
        Ok(())
    }

    /// Since when it stands, and who cares for it.
    fn standing(&self, alarm: &Alarm) -> String {
        let since = format!("{} since {}", alarm.priority, self.clock(alarm.since));
        if let (Presence::Latched, Some(ended)) = (alarm.presence, alarm.ended) {
            return format!("{since}, ended {}, not seen yet", self.clock(ended));
        }
        let who = match &alarm.ack {
            Some(ack) => format!("{} has it since {}", ack.actor, self.clock(ack.at)),
            None if !alarm.announced => "under a graver one".into(),
            None => "nobody has it".into(),
        };
        let all = alarm.escalated_at.map(|at| format!(", every station told at {}", self.clock(at)));
        let silent = match alarm.activation {
            Activation::On => "",
            Activation::Paused => ", sound paused",
            Activation::Off => ", OFF",
        };
        format!("{since}, {who}{}{silent}", all.unwrap_or_default())
    }

    fn clock(&self, at: WallTime) -> impl fmt::Display {
        clock(at, self.zone)
    }

    /// How long ago that was.
    fn since(&self, at: WallTime) -> Span {
        self.look.now().0.duration_since(at.0).as_millis().try_into().map_or(Span::ZERO, Span::millis)
    }

    /// How long it is to that; `None`: it has come.
    fn now_to(&self, at: WallTime) -> Option<Span> {
        let left = at.0.duration_since(self.look.now().0).as_millis();
        u64::try_from(left).ok().filter(|left| *left > 0).map(Span::millis)
    }

    /// The age now of what was `age_ms` old when the state was told.
    fn age(&self, age_ms: u64) -> Span {
        Span::millis(age_ms.saturating_add(self.since(self.look.state.at).as_millis()))
    }
}

/// One line: the value with what is to be known of it, or why there is none.
fn reading(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: Option<String>,
    doubt: Option<Doubt>,
    absent: Option<Absent>,
    age: Span,
) -> fmt::Result {
    match value.filter(|_| age <= STALE_AT_LAST) {
        Some(value) => {
            let quality = doubt.map_or_else(|| "good".to_owned(), |why| format!("questionable: {}", doubted(why)));
            writeln!(f, "  {name:8}{value:14}{quality}, {}", ago(age))
        }
        None => {
            let why = words::absent(absent.unwrap_or(Absent::Stale));
            writeln!(f, "  {name:8}{:14}{why}, last heard {}", "--", ago(age))
        }
    }
}

fn ago(age: Span) -> String {
    if age < Span::secs(1) { "just now".into() } else { format!("{age} ago") }
}

/// Above a minute, seconds are of no use.
fn minutes(span: Span) -> Span {
    if span < Span::mins(1) { span } else { Span::mins(span.as_secs() / 60) }
}

const fn doubted(why: Doubt) -> &'static str {
    match why {
        Doubt::Motion => "motion",
        Doubt::Artefact => "artefact",
        Doubt::LowPerfusion => "low perfusion",
        Doubt::ImplausibleFall => "fell faster than blood does",
        Doubt::StuckSource => "the oximeter stands still",
    }
}

const fn core_failure(failure: Failure) -> CuffFailure {
    match failure {
        Failure::Failed => CuffFailure::Failed,
        Failure::PumpTimeout => CuffFailure::PumpTimeout,
        Failure::TotalTimeout => CuffFailure::TotalTimeout,
        Failure::PressureTimeout => CuffFailure::PressureTimeout,
        Failure::Overpressure => CuffFailure::Overpressure,
        Failure::Cancelled => CuffFailure::Cancelled,
        Failure::NoAnswer => CuffFailure::NoAnswer,
        Failure::OutOfRange => CuffFailure::OutOfRange,
        Failure::NoPulse => CuffFailure::NoPulse,
        Failure::Motion => CuffFailure::Motion,
        Failure::Blocked => CuffFailure::Blocked,
        Failure::DeviceFault => CuffFailure::DeviceFault,
        Failure::Repeated => CuffFailure::Repeated,
        Failure::Unknown => CuffFailure::Unknown(0),
    }
}

fn connection(connection: Connection) -> String {
    match connection {
        Connection::Up => "up".into(),
        Connection::Opened => "port open, nothing understood yet".into(),
        Connection::Lost { reason: LossReason::NotFound } => "not plugged in".into(),
        Connection::Lost { reason } => format!("lost: {reason}"),
    }
}

/// The colours of IEC 60601-1-8: red, yellow, cyan.
const fn colour(priority: Priority) -> Style {
    match priority {
        Priority::High => AnsiColor::Red.on_default().bold(),
        Priority::Medium => AnsiColor::Yellow.on_default(),
        Priority::Low => AnsiColor::Cyan.on_default(),
    }
}
