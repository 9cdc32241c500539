//! The course of a simulated session: a dose, and what happens to the patient, the probe and the line.

mod file;

pub use file::ScriptError;

use vitalsd_core::time::{Span, Time};

use super::noise::{seconds, soft};
use super::patient::{Response, Rest};

/// A course. Times count from the start of the simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The patient at rest.
    pub rest: Rest,
    /// What the dose does.
    pub response: Response,
    /// When the dose is given; `None`: never.
    pub dose: Option<Time>,
    /// How long a determination of the blood pressure takes; `None`: 25 to 40 s.
    pub determination: Option<Span>,
    /// What happens, in any order.
    pub events: Vec<Event>,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// When it begins.
    pub start: Time,
    /// How long it lasts; what has a ramp recovers over the same ramp afterwards.
    pub length: Span,
    /// What it is.
    pub effect: Effect,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// The saturation falls.
    Desaturation {
        /// To this many percent, 50..=100.
        to_pct: f64,
        /// Over this time.
        ramp: Span,
    },
    /// The blood pressure rises (or falls).
    Pressure {
        /// To this systolic pressure in mmHg, 60..=260.
        systolic_mmhg: f64,
        /// And this diastolic pressure in mmHg, 30..=200.
        diastolic_mmhg: f64,
        /// Over this time.
        ramp: Span,
    },
    /// The pulse slows down or quickens.
    Pulse {
        /// To this many beats a minute, 25..=240.
        to_bpm: f64,
        /// Over this time.
        ramp: Span,
    },
    /// The finger grows cold.
    LowPerfusion {
        /// To this perfusion index in percent, 0.05..=20.
        to_pct: f64,
        /// Over this time.
        ramp: Span,
    },
    /// No pulse is to be found, with the sensor on.
    NoPulse,
    /// The hand moves: values jump, the device flags artefacts.
    Motion,
    /// The sensor is off the finger.
    SensorOff,
    /// The sensor comes off and on again.
    Flicker {
        /// How long it is on each time.
        on: Span,
        /// How long it is off each time.
        off: Span,
    },
    /// The cuff is on the arm of the probe: each inflation takes the pulse away from it.
    CuffOnProbeArm,
    /// Numbers and waveform of the oximeter stand still while the frames go on.
    Stuck,
    /// A device says nothing, and hears nothing.
    Silent(Role),
    /// The cable is out: the port hangs up, and comes back at the end.
    CablePulled(Role),
    /// Somebody presses the start button of the blood-pressure monitor (no length).
    BedsideReading,
    /// Determinations end with this status code of the monitor instead of a pressure.
    CuffFails {
        /// A DINAMAP status code: 3, 4, 6, 7, 8 or 9.
        status: u8,
    },
    /// A determination that is begun does not end.
    CuffHangs,
    /// A determination that is begun ends at once, with the reading before as if it were new.
    CuffRepeats,
    /// Somebody stops each determination by the monitor's own button, after ten seconds.
    CuffStopped,
}

impl Effect {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Desaturation { .. } => "desaturation",
            Self::Pressure { .. } => "pressure",
            Self::Pulse { .. } => "pulse",
            Self::LowPerfusion { .. } => "low perfusion",
            Self::NoPulse => "no pulse",
            Self::Motion => "motion",
            Self::SensorOff => "sensor off",
            Self::Flicker { .. } => "flicker",
            Self::CuffOnProbeArm => "cuff on the probe's arm",
            Self::Stuck => "stuck",
            Self::Silent(_) => "silent",
            Self::CablePulled(_) => "cable pulled",
            Self::BedsideReading => "bedside reading",
            Self::CuffFails { .. } => "cuff fails",
            Self::CuffHangs => "cuff hangs",
            Self::CuffRepeats => "cuff repeats",
            Self::CuffStopped => "cuff stopped",
        }
    }
}

/// Which of the bed's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The pulse oximeter.
    Oximeter,
    /// The blood-pressure monitor.
    Cuff,
}

impl Script {
    /// Somebody at rest, to whom nothing happens.
    #[must_use]
    pub fn quiet() -> Self {
        Self::default()
    }

    /// The dose is given at `time`.
    #[must_use]
    pub fn dosed(mut self, time: Time) -> Self {
        self.dose = Some(time);
        self
    }

    /// `effect` happens from `start` for `length`.
    #[must_use]
    pub fn with(mut self, effect: Effect, start: Time, length: Span) -> Self {
        self.events.push(Event { start, length, effect });
        self
    }

    /// What is going on at `time`, without what only recovers from it.
    pub(super) fn active(&self, time: Time) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.active(time))
    }

    /// Whether `effect` is going on at `time`.
    pub(super) fn is_active(&self, time: Time, effect: Effect) -> bool {
        self.active(time).any(|event| event.effect == effect)
    }
}

impl Event {
    /// Whether it is going on.
    pub(super) fn active(&self, time: Time) -> bool {
        time >= self.start && time < self.start + self.length
    }

    /// How far it has gone at `time`, 0..=1: up over the ramp, down again over the same ramp after its end.
    pub(super) fn depth(&self, ramp: Span, time: Time) -> f64 {
        let part = |span: Span| if ramp == Span::ZERO { 1.0 } else { seconds(span) / seconds(ramp) };
        let end = self.start + self.length;
        if time < self.start {
            0.0
        } else if time < end {
            soft(part(time.since(self.start)))
        } else {
            // It recovers from as far as it had come.
            soft(part(self.length)) * (1.0 - soft(part(time.since(end))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ramps_in_holds_and_ramps_out() {
        let at = |s: u64| Time::from_millis(s * 1_000);
        let ramp = Span::secs(30);
        let effect = Effect::Desaturation { to_pct: 82.0, ramp };
        let event = Event { start: at(100), length: Span::secs(90), effect };
        assert!(event.depth(ramp, at(99)) == 0.0 && event.depth(ramp, at(130)) == 1.0);
        assert!((event.depth(ramp, at(115)) - 0.5).abs() < 1e-9);
        assert!((event.depth(ramp, at(205)) - 0.5).abs() < 1e-9);
        assert!(event.depth(ramp, at(220)) == 0.0);
        assert!(event.active(at(100)) && event.active(at(189)) && !event.active(at(190)));
    }
}
