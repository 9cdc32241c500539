//! What holds at a bed beside its values and alarms: what is off, what is due, what is missing before leaving.

use std::fmt;

use vitalsd_core::time::Span;

use super::{Screen, clock, minutes};
use crate::cli::session::vocabulary::{OFF_REASONS, said};
use crate::wire::readiness::{Item, Missing, Name};
use crate::wire::session::{Infusion, Opened};
use crate::wire::{Session, State, WallTime};

impl Screen<'_> {
    /// The session slot, if it is of the same session as the state.
    fn now_session(&self) -> Option<&Session> {
        let phase = self.look.state.message.now.phase;
        self.look.session.as_ref().map(|session| &session.message.now).filter(|session| session.phase == phase)
    }

    /// What the patient had before the dose, and the rows that lack it.
    pub(super) fn baseline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(session) = self.now_session() else { return Ok(()) };
        if let Some(baseline) = &session.baseline {
            let spo2 = baseline.spo2_pct.map(|spo2| format!("SpO2 {spo2} %"));
            let pulse = baseline.pulse_bpm.map(|bpm| format!("pulse {bpm} bpm"));
            let pressure = baseline.systolic_mmhg.zip(baseline.diastolic_mmhg);
            let alone = if baseline.provisional { ", provisional" } else { "" };
            let pressure = pressure.map(|(systolic, diastolic)| format!("BP {systolic}/{diastolic}{alone}"));
            let known: Vec<_> = [spo2, pulse, pressure].into_iter().flatten().collect();
            writeln!(f, "{:24}baseline {}", "", known.join(", "))?;
        }
        if !session.rows_off.is_empty() {
            let off: Vec<_> = session.rows_off.iter().map(|condition| condition.title()).collect();
            writeln!(f, "{:24}off for this patient: {}", "", off.join(", "))?;
        }
        Ok(())
    }

    /// What a person has ordered, and what is due.
    pub(super) fn standing_orders(&self, f: &mut fmt::Formatter<'_>, state: &State) -> fmt::Result {
        let mut lines = Vec::new();
        if let Some(until) = state.audio_paused_until {
            lines.push(format!("sound PAUSED for another {}", self.left(until)));
        }
        for off in &state.switched_off {
            let (why, since) = (said(OFF_REASONS, &off.reason), self.clock(off.since));
            let what = off.condition.title();
            lines.push(format!("OFF: {what} ({}), {why}; {} since {since}", off.condition, off.actor));
        }
        if let Some(until) = state.standby_until {
            lines.push(match self.now_to(until) {
                Some(left) => format!("STANDBY for another {left}, until {}", self.clock(until)),
                None => format!("STANDBY is over since {}", self.clock(until)),
            });
        }
        if let Some(open) = self.now_session().and_then(|session| session.open.as_ref()) {
            self.rules(open, &mut lines);
        }
        if let Some(at) = state.next_check_at {
            lines.push(match self.now_to(at) {
                Some(left) => format!("next check round in {} ({})", minutes(left), self.clock(at)),
                None => format!("check round OVERDUE since {}", self.clock(at)),
            });
        }
        if !lines.is_empty() {
            writeln!(f)?;
        }
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }

    /// What has changed the rules of the session.
    fn rules(&self, open: &Opened, lines: &mut Vec<String>) {
        let mut when = |so, line: &str| {
            if so {
                lines.push(line.to_owned());
            }
        };
        when(open.interrupted, "session INTERRUPTED by a restart of the box: continue or close?");
        when(open.dose_time_uncertain, "time since dose uncertain");
        when(open.window_assumed, "dose given or not? The window is assumed until somebody says");
        when(open.window_rules, "rules of the window added");
        when(open.oxygen, "on oxygen: SpO2 does not show breathing");
        when(open.probe_on_cuff_arm, "probe on the cuff arm: no SpO2 while the cuff is inflated");
        when(!open.screened, "screening NOT SIGNED");
        match open.infusion {
            Some(Infusion::Running { due }) => lines.push(format!("infusion runs until {}", self.clock(due))),
            Some(Infusion::Paused { since }) => lines.push(format!("infusion paused since {}", self.clock(since))),
            Some(Infusion::Ended { ended }) => lines.push(format!("infusion ended at {}", self.clock(ended))),
            None => {}
        }
    }

    /// The measured items and the checklist.
    pub(super) fn readiness(&self, f: &mut fmt::Formatter<'_>, state: &State) -> fmt::Result {
        let Some(readiness) = &state.readiness else { return Ok(()) };
        writeln!(f, "\n  {}", readiness.words)?;
        for item in &readiness.items {
            if let Item { item, missing: Some(missing), .. } = item {
                writeln!(f, "    {:9} {}", name(*item), self.missing(missing))?;
            }
        }
        let signed = self.now_session().and_then(|session| session.open.as_ref()?.checklist.as_ref());
        match signed {
            Some(signed) => {
                let all = if signed.complete { "" } else { ", not all of it is so" };
                writeln!(f, "  checklist signed by {} at {}{all}", signed.actor, self.clock(signed.signed_at))
            }
            None => writeln!(f, "  checklist not signed"),
        }
    }

    fn missing(&self, missing: &Missing) -> String {
        let at = |at: WallTime| clock(at, self.zone);
        match missing {
            Missing::Dose => "no dose recorded".into(),
            Missing::InfusionRunning => "the infusion has not ended".into(),
            Missing::AfterDose { until } => format!("too soon after the dose: from {}", at(*until)),
            Missing::AfterInfusion { until } => format!("too soon after the infusion: from {}", at(*until)),
            Missing::AfterMedicine { until } => {
                format!("too soon after a sedative or antihypertensive: from {}", at(*until))
            }
            Missing::NoPressure => "no BP in the last hour".into(),
            Missing::PressureOld { measured_at } => format!("the newest BP is too old: {}", at(*measured_at)),
            Missing::SecondPressure { from } => format!("another BP is needed, at {} or later", at(*from)),
            Missing::PressureOutside {
                measured_at,
                systolic_mmhg,
                diastolic_mmhg,
                systolic_at_most_mmhg,
                diastolic_at_most_mmhg,
            } => {
                let number = |mmhg: &Option<u16>| mmhg.map_or_else(|| "--".to_owned(), |mmhg| mmhg.to_string());
                let (found, when) = ([number(systolic_mmhg), number(diastolic_mmhg)].join("/"), at(*measured_at));
                format!("{found} mmHg at {when}, passes up to {systolic_at_most_mmhg}/{diastolic_at_most_mmhg}")
            }
            Missing::PressureMeanOnly { measured_at } => format!("the BP of {} is a mean alone", at(*measured_at)),
            Missing::PressureRising { from_mmhg, to_mmhg } => {
                format!("systolic rises, from {from_mmhg} to {to_mmhg} mmHg")
            }
            Missing::Oxygen => "on oxygen".into(),
            Missing::Spo2Thin { good_pct } => format!("good data only {good_pct} % of the time"),
            Missing::Spo2Low { median_pct, at_least_pct } => format!("median {median_pct} %, needed {at_least_pct} %"),
            Missing::Spo2LowRun { ended } => format!("low until {}", at(*ended)),
            Missing::NoPulse => "no pulse to judge by".into(),
            Missing::PulseOutside { median_bpm } => format!("median {median_bpm} bpm"),
            Missing::Alarm => "an alarm is active".into(),
            Missing::Unseen => "an alarm is over and not seen".into(),
            Missing::High { ended } => format!("a HIGH until {}", at(*ended)),
        }
    }

    /// How long it is to that, to the second: it is watched as it runs down.
    fn left(&self, until: WallTime) -> Span {
        self.now_to(until).unwrap_or(Span::ZERO)
    }
}

const fn name(item: Name) -> &'static str {
    match item {
        Name::Time => "time",
        Name::Pressure => "BP",
        Name::PressureTrend => "BP trend",
        Name::Spo2 => "SpO2",
        Name::Pulse => "pulse",
        Name::Alarms => "alarms",
    }
}
