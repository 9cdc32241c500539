//! A course as a file: a small TOML, checked so that every mistake is named with its line and a remedy.

use std::fs;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;
use vitalsd_core::time::{Span, Time};

use super::{Effect, Event, Role, Script};
use crate::simulator::noise::span;
use crate::simulator::patient::{Response, Rest};

/// Why a course cannot be played.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("{}: {source}. Give the path of a course (TOML) that this user may read", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Something in it is not as it should be.
    #[error("{}:{line}: {found}. {remedy}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What to do about it.
        remedy: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    dose_at_s: Option<Number>,
    determination_s: Option<Number>,
    #[serde(default)]
    rest: RawRest,
    #[serde(default)]
    response: RawResponse,
    #[serde(default)]
    event: Vec<Spanned<RawEvent>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRest {
    spo2_pct: Option<Number>,
    pulse_bpm: Option<Number>,
    perfusion_index_pct: Option<Number>,
    systolic_mmhg: Option<Number>,
    diastolic_mmhg: Option<Number>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResponse {
    spo2_pct: Option<Number>,
    pulse_bpm: Option<Number>,
    systolic_mmhg: Option<Number>,
    diastolic_mmhg: Option<Number>,
    peak_min: Option<Number>,
}

/// The fields of all kinds together; which of them a kind takes is checked in [`Checker::effect`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    kind: Spanned<Kind>,
    at_s: Number,
    for_s: Option<Number>,
    ramp_s: Option<Number>,
    to_pct: Option<Number>,
    to_bpm: Option<Number>,
    to_mmhg: Option<Spanned<[f64; 2]>>,
    on_s: Option<Number>,
    off_s: Option<Number>,
    status: Option<Number>,
    device: Option<Spanned<Device>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Desaturation,
    Hypertension,
    Hypotension,
    Bradycardia,
    Tachycardia,
    LowPerfusion,
    NoPulse,
    Motion,
    SensorOff,
    Flicker,
    CuffOnProbeArm,
    Stuck,
    Silent,
    CablePulled,
    BedsideReading,
    CuffFails,
    CuffHangs,
    CuffRepeats,
    CuffStopped,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Device {
    Oximeter,
    Cuff,
}

type Number = Spanned<f64>;

/// Longest time in a course: a day, in seconds.
const DAY_S: f64 = 86_400.0;

impl Script {
    /// Reads a course from a file.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is not as it should be.
    pub fn read(file: &Path) -> Result<Self, ScriptError> {
        let text = fs::read_to_string(file).map_err(|source| ScriptError::Io { file: file.into(), source })?;
        Self::parse(file, &text)
    }

    /// Reads a course from `text`; `file` stands in errors.
    ///
    /// # Errors
    /// Something in it is not as it should be.
    pub fn parse(file: impl Into<PathBuf>, text: &str) -> Result<Self, ScriptError> {
        let check = Checker { file: file.into(), text };
        let raw: RawScript = toml::from_str(text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            check.error(&at, error.message().into(), "Correct it; `vitalsd simulate --help` has an example".into())
        })?;
        check.script(&raw)
    }
}

struct Checker<'a> {
    file: PathBuf,
    text: &'a str,
}

impl Checker<'_> {
    fn error(&self, at: &Range<usize>, found: String, remedy: String) -> ScriptError {
        let line = 1 + self.text.bytes().take(at.start).filter(|byte| *byte == b'\n').count();
        ScriptError::Content { file: self.file.clone(), line, found, remedy }
    }

    fn number(&self, name: &str, value: &Number, range: RangeInclusive<f64>) -> Result<f64, ScriptError> {
        let found = *value.get_ref();
        if range.contains(&found) {
            return Ok(found);
        }
        let remedy = format!("Give {} to {}", range.start(), range.end());
        Err(self.error(&value.span(), format!("`{name}` is {found}"), remedy))
    }

    fn number_or(
        &self,
        name: &str,
        value: Option<&Number>,
        range: RangeInclusive<f64>,
        default: f64,
    ) -> Result<f64, ScriptError> {
        value.map_or(Ok(default), |value| self.number(name, value, range))
    }

    fn script(&self, raw: &RawScript) -> Result<Script, ScriptError> {
        let determination =
            raw.determination_s.as_ref().map(|takes| self.number("determination_s", takes, 1.0..=170.0)).transpose()?;
        let dose = raw.dose_at_s.as_ref().map(|dose| self.number("dose_at_s", dose, 0.0..=DAY_S)).transpose()?;
        Ok(Script {
            rest: self.rest(&raw.rest)?,
            response: self.response(&raw.response)?,
            dose: dose.map(|dose| Time::ZERO + span(dose)),
            determination: determination.map(span),
            events: raw.event.iter().map(|event| self.event(event)).collect::<Result<_, _>>()?,
        })
    }

    fn rest(&self, raw: &RawRest) -> Result<Rest, ScriptError> {
        let usual = Rest::default();
        let rest = Rest {
            spo2_pct: self.number_or("spo2_pct", raw.spo2_pct.as_ref(), 80.0..=100.0, usual.spo2_pct)?,
            pulse_bpm: self.number_or("pulse_bpm", raw.pulse_bpm.as_ref(), 35.0..=150.0, usual.pulse_bpm)?,
            perfusion_index_pct: self.number_or(
                "perfusion_index_pct",
                raw.perfusion_index_pct.as_ref(),
                0.1..=18.0,
                usual.perfusion_index_pct,
            )?,
            systolic_mmhg: self.number_or(
                "systolic_mmhg",
                raw.systolic_mmhg.as_ref(),
                80.0..=200.0,
                usual.systolic_mmhg,
            )?,
            diastolic_mmhg: self.number_or(
                "diastolic_mmhg",
                raw.diastolic_mmhg.as_ref(),
                40.0..=120.0,
                usual.diastolic_mmhg,
            )?,
        };
        if rest.systolic_mmhg < rest.diastolic_mmhg + 15.0 {
            let at = raw.diastolic_mmhg.as_ref().or(raw.systolic_mmhg.as_ref()).map(Spanned::span).unwrap_or_default();
            let found = format!("at rest {}/{} mmHg", rest.systolic_mmhg, rest.diastolic_mmhg);
            return Err(self.error(&at, found, "Give a systolic pressure at least 15 above the diastolic".into()));
        }
        Ok(rest)
    }

    fn response(&self, raw: &RawResponse) -> Result<Response, ScriptError> {
        let usual = Response::default();
        Ok(Response {
            spo2_pct: self.number_or("spo2_pct", raw.spo2_pct.as_ref(), 0.0..=20.0, usual.spo2_pct)?,
            pulse_bpm: self.number_or("pulse_bpm", raw.pulse_bpm.as_ref(), -30.0..=60.0, usual.pulse_bpm)?,
            systolic_mmhg: self.number_or(
                "systolic_mmhg",
                raw.systolic_mmhg.as_ref(),
                -40.0..=80.0,
                usual.systolic_mmhg,
            )?,
            diastolic_mmhg: self.number_or(
                "diastolic_mmhg",
                raw.diastolic_mmhg.as_ref(),
                -30.0..=60.0,
                usual.diastolic_mmhg,
            )?,
            peak: match &raw.peak_min {
                Some(peak) => span(self.number("peak_min", peak, 1.0..=120.0)? * 60.0),
                None => usual.peak,
            },
        })
    }

    fn event(&self, raw: &Spanned<RawEvent>) -> Result<Event, ScriptError> {
        let event = raw.get_ref();
        let start = Time::ZERO + span(self.number("at_s", &event.at_s, 0.0..=DAY_S)?);
        let effect = self.effect(event)?;
        let length = match (&event.for_s, effect) {
            (None, Effect::BedsideReading) => Span::ZERO,
            (Some(length), _) => span(self.number("for_s", length, 0.0..=DAY_S)?),
            (None, _) => return Err(self.missing(event, "for_s", "how long it lasts in seconds")),
        };
        Ok(Event { start, length, effect })
    }

    fn missing(&self, event: &RawEvent, field: &str, meaning: &str) -> ScriptError {
        self.error(&event.kind.span(), format!("this event has no `{field}`"), format!("Add `{field}`: {meaning}"))
    }

    fn needed(
        &self,
        event: &RawEvent,
        (name, meaning): (&str, &str),
        value: Option<&Number>,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ScriptError> {
        self.number(name, value.ok_or_else(|| self.missing(event, name, meaning))?, range)
    }

    fn effect(&self, event: &RawEvent) -> Result<Effect, ScriptError> {
        let kind = *event.kind.get_ref();
        self.refuse_idle_fields(event, kind)?;
        let ramp = match &event.ramp_s {
            Some(ramp) => span(self.number("ramp_s", ramp, 0.0..=3_600.0)?),
            None => Span::secs(20),
        };
        let role = match event.device.as_ref().map(Spanned::get_ref) {
            Some(Device::Cuff) => Role::Cuff,
            Some(Device::Oximeter) | None => Role::Oximeter,
        };
        let pct = ("to_pct", "what it falls to in percent");
        let bpm = ("to_bpm", "the pulse rate it comes to");
        Ok(match kind {
            Kind::Desaturation => {
                Effect::Desaturation { to_pct: self.needed(event, pct, event.to_pct.as_ref(), 50.0..=100.0)?, ramp }
            }
            Kind::LowPerfusion => {
                Effect::LowPerfusion { to_pct: self.needed(event, pct, event.to_pct.as_ref(), 0.05..=20.0)?, ramp }
            }
            Kind::Bradycardia => {
                Effect::Pulse { to_bpm: self.needed(event, bpm, event.to_bpm.as_ref(), 25.0..=100.0)?, ramp }
            }
            Kind::Tachycardia => {
                Effect::Pulse { to_bpm: self.needed(event, bpm, event.to_bpm.as_ref(), 60.0..=240.0)?, ramp }
            }
            Kind::Hypertension | Kind::Hypotension => self.pressure(event, ramp)?,
            Kind::Flicker => {
                let on = ("on_s", "how long the sensor is on each time");
                let off = ("off_s", "how long it is off each time");
                Effect::Flicker {
                    on: span(self.needed(event, on, event.on_s.as_ref(), 0.1..=3_600.0)?),
                    off: span(self.needed(event, off, event.off_s.as_ref(), 0.1..=3_600.0)?),
                }
            }
            Kind::CuffFails => Effect::CuffFails { status: self.status(event)? },
            Kind::NoPulse => Effect::NoPulse,
            Kind::Motion => Effect::Motion,
            Kind::SensorOff => Effect::SensorOff,
            Kind::CuffOnProbeArm => Effect::CuffOnProbeArm,
            Kind::Stuck => Effect::Stuck,
            Kind::Silent => Effect::Silent(role),
            Kind::CablePulled => Effect::CablePulled(role),
            Kind::BedsideReading => Effect::BedsideReading,
            Kind::CuffHangs => Effect::CuffHangs,
            Kind::CuffRepeats => Effect::CuffRepeats,
            Kind::CuffStopped => Effect::CuffStopped,
        })
    }

    fn pressure(&self, event: &RawEvent, ramp: Span) -> Result<Effect, ScriptError> {
        let meaning = "[systolic, diastolic] in mmHg";
        let to = event.to_mmhg.as_ref().ok_or_else(|| self.missing(event, "to_mmhg", meaning))?;
        let [systolic_mmhg, diastolic_mmhg] = *to.get_ref();
        let sound = (60.0..=260.0).contains(&systolic_mmhg)
            && (30.0..=200.0).contains(&diastolic_mmhg)
            && diastolic_mmhg + 15.0 <= systolic_mmhg;
        if sound {
            Ok(Effect::Pressure { systolic_mmhg, diastolic_mmhg, ramp })
        } else {
            let found = format!("`to_mmhg` is [{systolic_mmhg}, {diastolic_mmhg}]");
            let remedy = "Give [60 to 260, 30 to 200], the first at least 15 above the second";
            Err(self.error(&to.span(), found, remedy.into()))
        }
    }

    /// The codes of a failed determination (DINAMAP sheet, NA layout).
    fn status(&self, event: &RawEvent) -> Result<u8, ScriptError> {
        let Some(status) = &event.status else { return Ok(3) };
        let known = [3u8, 4, 6, 7, 8, 9];
        known.into_iter().find(|code| f64::from(*code) == *status.get_ref()).ok_or_else(|| {
            let found = format!("`status` is {}", status.get_ref());
            self.error(&status.span(), found, "Give 3, 4, 6, 7, 8 or 9: the codes of a failed determination".into())
        })
    }

    /// A field that its kind does not read would be a wish that is silently not granted.
    fn refuse_idle_fields(&self, event: &RawEvent, kind: Kind) -> Result<(), ScriptError> {
        use Kind::{
            BedsideReading, Bradycardia, CablePulled, CuffFails, Desaturation, Flicker, Hypertension, Hypotension,
            LowPerfusion, Silent, Tachycardia,
        };
        type Field<'a> = (&'a str, Option<Range<usize>>, &'a [Kind]);
        let at = |number: &Option<Number>| number.as_ref().map(Spanned::span);
        let pressure = &[Hypertension, Hypotension];
        let ramped = &[Desaturation, LowPerfusion, Bradycardia, Tachycardia, Hypertension, Hypotension];
        let fields: [Field<'_>; 8] = [
            ("ramp_s", at(&event.ramp_s), ramped),
            ("to_pct", at(&event.to_pct), &[Desaturation, LowPerfusion]),
            ("to_bpm", at(&event.to_bpm), &[Bradycardia, Tachycardia]),
            ("to_mmhg", event.to_mmhg.as_ref().map(Spanned::span), pressure),
            ("on_s", at(&event.on_s), &[Flicker]),
            ("off_s", at(&event.off_s), &[Flicker]),
            ("status", at(&event.status), &[CuffFails]),
            ("device", event.device.as_ref().map(Spanned::span), &[Silent, CablePulled]),
        ];
        if let (Some(length), BedsideReading) = (&event.for_s, kind) {
            let found = "a `bedside-reading` has a `for_s`".into();
            return Err(self.error(&length.span(), found, "Take it out: the monitor decides how long it takes".into()));
        }
        for (name, at, kinds) in fields {
            if let (Some(at), false) = (at, kinds.contains(&kind)) {
                let found = format!("`{name}` means nothing to this kind of event");
                return Err(self.error(&at, found, "Take it out, or change `kind`".into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        Script::parse("course.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_course_is_read_as_it_is_written() {
        let text = r#"
            dose_at_s = 600
            [rest]
            pulse_bpm = 58
            [[event]]
            kind = "desaturation"
            at_s = 900
            for_s = 60.5
            to_pct = 82
            ramp_s = 30
            [[event]]
            kind = "hypertension"
            at_s = 1000
            for_s = 600
            to_mmhg = [185, 112]
            [[event]]
            kind = "silent"
            at_s = 2000
            for_s = 60
            device = "cuff"
            [[event]]
            kind = "bedside-reading"
            at_s = 30
        "#;
        let script = Script::parse("course.toml", text).unwrap();
        let at = |s: u64| Time::from_millis(s * 1_000);
        let rest = Rest { pulse_bpm: 58.0, ..Rest::default() };
        let expected = Script { rest, ..Script::quiet() }
            .dosed(at(600))
            .with(Effect::Desaturation { to_pct: 82.0, ramp: Span::secs(30) }, at(900), Span::millis(60_500))
            .with(
                Effect::Pressure { systolic_mmhg: 185.0, diastolic_mmhg: 112.0, ramp: Span::secs(20) },
                at(1_000),
                Span::secs(600),
            )
            .with(Effect::Silent(Role::Cuff), at(2_000), Span::secs(60))
            .with(Effect::BedsideReading, at(30), Span::ZERO);
        assert_eq!(script, expected);
        assert_eq!(Script::parse("empty.toml", "").unwrap(), Script::quiet());
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_a_remedy() {
        let event = |body: &str| says(&format!("[[event]]\n{body}"));
        assert_eq!(
            event("kind = 'desaturation'\nat_s = 1\nfor_s = 60\nto_pct = 20"),
            "course.toml:5: `to_pct` is 20. Give 50 to 100"
        );
        assert_eq!(
            event("kind = 'desaturation'\nat_s = 1\nfor_s = 60"),
            "course.toml:2: this event has no `to_pct`. Add `to_pct`: what it falls to in percent"
        );
        assert_eq!(
            event("kind = 'motion'\nat_s = 1"),
            "course.toml:2: this event has no `for_s`. Add `for_s`: how long it lasts in seconds"
        );
        assert_eq!(
            event("kind = 'motion'\nat_s = 1\nfor_s = 9\nto_bpm = 40"),
            "course.toml:5: `to_bpm` means nothing to this kind of event. Take it out, or change `kind`"
        );
        assert_eq!(
            event("kind = 'hypertension'\nat_s = 1\nfor_s = 9\nto_mmhg = [110, 120]"),
            "course.toml:5: `to_mmhg` is [110, 120]. Give [60 to 260, 30 to 200], the first at least 15 above the second"
        );
        assert_eq!(
            event("kind = 'cuff-fails'\nat_s = 1\nfor_s = 9\nstatus = 1"),
            "course.toml:5: `status` is 1. Give 3, 4, 6, 7, 8 or 9: the codes of a failed determination"
        );
        assert!(event("kind = 'desaturatoin'\nat_s = 1").starts_with("course.toml:2: unknown variant `desaturatoin`"));
        assert!(event("kind = 'motion'\nat = 1").starts_with("course.toml:3: unknown field `at`"));
        assert!(event("kind = 'motion'").starts_with("course.toml:1: missing field `at_s`"));
        assert!(says("dose_at_s = 600\ndoes = 3").starts_with("course.toml:2: unknown field `does`"));
        assert!(says("dose_at_s = ").starts_with("course.toml:1: "));
        assert_eq!(
            says("[rest]\nsystolic_mmhg = 90\ndiastolic_mmhg = 85"),
            "course.toml:3: at rest 90/85 mmHg. Give a systolic pressure at least 15 above the diastolic"
        );
    }
}
