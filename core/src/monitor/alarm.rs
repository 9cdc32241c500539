//! An alarm condition: which ones there are, and how one stands (R3, R4, R7).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::monitor::input::LossReason;
use crate::monitor::observation::Responsiveness;
use crate::monitor::output::Phase;
use crate::sample::CuffFailure;
use crate::time::{Span, Time};
use crate::vitals::{Absent, BloodPressure, PulseRate, Spo2};

/// How grave an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Visual only.
    Low,
    /// Prompt response needed.
    Medium,
    /// Immediate response needed.
    High,
}

/// Whether an alarm condition is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    On,
    /// It was there, and has not been seen.
    Latched,
    /// It is not there.
    Off,
}

/// Patient or equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// From a vital sign, or from a person about one.
    Physiological,
    /// From the equipment, or a question to a person.
    Technical,
}

/// Whether a condition is listened to (IEEE 11073 SDC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// It is.
    On,
    /// The sound of the bed is paused (R4.4).
    Paused,
    /// It is switched off until the session ends (R4.4).
    Off,
}

/// Within a group only the highest active condition is announced (R3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Saturation.
    Spo2,
    /// Pulse rate, high. R3.1 has one group for the pulse; but an accepted fast pulse must not mute a slow one.
    PulseHigh,
    /// Pulse rate, low, and no pulse.
    PulseLow,
    /// Blood pressure, high.
    PressureHigh,
    /// Blood pressure, low.
    PressureLow,
    /// Several vital signs together.
    Combined,
    /// A technical condition, a call or a question is a group of its own.
    Alone,
}

/// Lists the conditions: variant, row of R7 (or rule), name in topics, group, kind, what it says.
/// Within a group a later line is graver.
macro_rules! conditions {
    ($($variant:ident, $row:literal, $slug:literal, $group:ident, $kind:ident, $title:literal;)+) => {
        /// An alarm condition. Its name in topics and files is [`Condition::slug`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Condition {
            $(
                #[doc = concat!("Row or rule ", $row, ": ", $title, ".")]
                #[serde(rename = $slug)]
                $variant
            ),+
        }

        impl Condition {
            /// Every condition, within a group from the least grave to the gravest.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its row in R7, or the rule that it stands in.
            #[must_use]
            pub const fn row(self) -> &'static str {
                match self { $(Self::$variant => $row),+ }
            }

            /// Its name in topics and files, `[a-z0-9-]{1,32}`.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            /// The group it is announced in (R3.1).
            #[must_use]
            pub const fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),+ }
            }

            /// Patient or equipment.
            #[must_use]
            pub const fn kind(self) -> AlarmKind {
                match self { $(Self::$variant => AlarmKind::$kind),+ }
            }

            /// What it is called on a screen.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

conditions! {
    Spo2Falling, "23", "spo2-falling", Spo2, Physiological, "SpO2 falling";
    Spo2BelowBaseline, "5", "spo2-below-baseline", Spo2, Physiological, "SpO2 below baseline";
    Spo2Drift, "4", "spo2-drift", Spo2, Physiological, "SpO2 drifting down";
    Desaturations, "30", "desaturations", Spo2, Physiological, "repeated desaturations";
    Spo2Burden, "29", "spo2-burden", Spo2, Physiological, "SpO2 low for long or often";
    Spo2Reduced, "3", "spo2-reduced", Spo2, Physiological, "SpO2 reduced";
    Spo2Low, "2", "spo2-low", Spo2, Physiological, "SpO2 low";
    Spo2VeryLow, "1b", "spo2-very-low", Spo2, Physiological, "SpO2 very low";
    Spo2Critical, "1a", "spo2-critical", Spo2, Physiological, "SpO2 critical";
    PulseClimbing, "24", "pulse-climbing", PulseHigh, Physiological, "pulse climbing";
    PulseRaised, "9", "pulse-raised", PulseHigh, Physiological, "pulse raised";
    PulseHighSustained, "8", "pulse-high-sustained", PulseHigh, Physiological, "pulse high for long";
    PulseHigh, "7", "pulse-high", PulseHigh, Physiological, "pulse high";
    PulseVeryHigh, "6", "pulse-very-high", PulseHigh, Physiological, "pulse very high";
    PulseLow, "10", "pulse-low", PulseLow, Physiological, "pulse low";
    PulseVeryLow, "11", "pulse-very-low", PulseLow, Physiological, "pulse very low";
    NoPulse, "25", "no-pulse", PulseLow, Physiological, "no pulse found with the sensor on: check the patient";
    PressureElevated, "12", "bp-elevated", PressureHigh, Physiological, "BP elevated: review before dose";
    PressureClimbing, "31", "bp-climbing", PressureHigh, Physiological, "BP climbing";
    MeanRise, "18", "map-rise", PressureHigh, Physiological, "mean BP far above baseline";
    PressureRise, "17", "bp-rise", PressureHigh, Physiological, "BP far above baseline";
    PressureHigh, "13", "bp-high", PressureHigh, Physiological, "BP high";
    PressureSevere, "14", "bp-severe", PressureHigh, Physiological, "BP severe, one reading";
    PressureSevereConfirmed, "15", "bp-severe-confirmed", PressureHigh, Physiological, "BP severe, confirmed";
    PressureExtreme, "16", "bp-extreme", PressureHigh, Physiological, "BP extreme";
    ShockIndex, "22", "shock-index", PressureLow, Physiological, "pulse above systolic BP";
    MeanLow, "20", "map-low", PressureLow, Physiological, "mean BP low";
    SystolicLow, "19", "sbp-low", PressureLow, Physiological, "systolic BP low";
    PressureVeryLow, "21", "bp-very-low", PressureLow, Physiological, "BP very low";
    LowSpo2FastPulse, "34", "low-spo2-fast-pulse", Combined, Physiological, "SpO2 low and pulse fast";
    HighPressureSlowPulse, "35", "high-bp-slow-pulse", Combined, Physiological, "BP severe and pulse slow";
    LowSpo2PulseFalling, "33", "low-spo2-pulse-falling", Combined, Physiological, "SpO2 reduced and pulse falling";
    Unresponsive, "R5.12", "unresponsive", Alone, Physiological, "not responding or hardly breathing";
    Help, "R5.11", "help", Alone, Physiological, "HELP called";
    Spo2Unavailable, "26", "spo2-unavailable", Alone, Technical, "no SpO2 or no pulse rate";
    SourceStuck, "R1.7", "source-stuck", Alone, Technical, "oximeter stands still";
    PressureOverdue, "27", "bp-overdue", Alone, Technical, "BP overdue";
    CuffLost, "R3.3", "cuff-lost", Alone, Technical, "BP monitor not connected";
    CuffFailed, "R8.2", "cuff-failed", Alone, Technical, "cuff failed twice: measure by hand";
    AllLost, "R3.3", "all-lost", Alone, Technical, "all devices lost";
    RatesDisagree, "28", "rates-disagree", Alone, Technical, "pulse of oximeter and cuff disagree: check sensor and patient";
    MonitorAlarmOff, "R10.5", "monitor-alarm-off", Alone, Technical, "the monitor's own alarm is off";
    BrokerLost, "R10.1", "broker-lost", Alone, Technical, "no broker: nobody else can be told";
    NoStation, "R10.1", "no-station", Alone, Technical, "no station present: nobody is looking";
    BedClaimedTwice, "R10.4", "bed-claimed-twice", Alone, Technical, "two boxes claim this bed";
    DiskFault, "R10", "disk-fault", Alone, Technical, "nothing is recorded: disk full or failing";
    DoseTimeUncertain, "R5.8", "dose-time-uncertain", Alone, Technical, "time since dose uncertain";
    CheckOverdue, "R5.12", "check-overdue", Alone, Technical, "check round overdue";
    NoSession, "R5.1", "no-session", Alone, Technical, "patient in this room, no session";
    DoseForgotten, "R5.4", "dose-forgotten", Alone, Technical, "dose given? say when, or not yet";
    InfusionEnded, "R5.3", "infusion-ended", Alone, Technical, "infusion ended? say when";
    StandbyOver, "R5.6", "standby-over", Alone, Technical, "standby is over: is the patient back?";
    SamePatient, "R5.6", "same-patient", Alone, Technical, "values are back after a long time: same patient?";
    AnotherDevice, "R1.6", "another-device", Alone, Technical, "another device than before: is it this patient's?";
    CloseSession, "R5.7", "close-session", Alone, Technical, "no values for long: close the session?";
    SessionInterrupted, "R5.8", "session-interrupted", Alone, Technical, "session interrupted: continue or close?";
    ProbeOnCuffArm, "R6.4", "probe-on-cuff-arm", Alone, Technical, "probe on the cuff arm?";
    Restarted, "R4.5", "restarted", Alone, Technical, "box restarted: paused and switched-off alarms are on again";
}

impl Condition {
    /// The condition of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|condition| condition.slug() == slug)
    }

    /// Whether it is a question to a person, or tells a person something to do: it does not grow graver by
    /// being left alone (R4.3).
    #[must_use]
    pub const fn is_prompt(self) -> bool {
        matches!(
            self,
            Self::NoSession
                | Self::CheckOverdue
                | Self::DoseForgotten
                | Self::InfusionEnded
                | Self::StandbyOver
                | Self::SamePatient
                | Self::AnotherDevice
                | Self::CloseSession
                | Self::SessionInterrupted
                | Self::DoseTimeUncertain
                | Self::ProbeOnCuffArm
                | Self::Restarted
        )
    }

    /// Whether it is judged on readings of the blood pressure (R4.2).
    #[must_use]
    pub const fn is_pressure(self) -> bool {
        matches!(self.group(), Group::PressureHigh | Group::PressureLow) || matches!(self, Self::HighPressureSlowPulse)
    }
}

/// An alarm condition as it stands: what the retained slot says. Sound follows this, never the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Which.
    pub condition: Condition,
    /// How grave, in the present phase.
    pub priority: Priority,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether it is listened to.
    pub activation: Activation,
    /// Counts up each time it becomes active.
    pub episode: u32,
    /// Whether it is announced; `false`: it stands under a higher one of its group (R3.1).
    pub announced: bool,
    /// Whether it is to be heard now: announced, MEDIUM or HIGH, not acknowledged, not paused, present (or a
    /// HIGH that latched less than 30 s ago).
    pub sounds: bool,
    /// Whether the sounder at the bedside is to be heard as well (R4.3).
    pub bedside: bool,
    /// Since when every station is told, because nobody took it, or whoever took it passed it on (R4.3).
    pub escalated: Option<Time>,
    /// Who accepted this episode.
    pub ack: Option<Ack>,
    /// When it became active: the violation plus the delay by design.
    pub since: Time,
    /// When it ended, if it has.
    pub ended: Option<Time>,
    /// The value that keeps it up, or the newest one of its quantity.
    pub value: Option<Value>,
    /// The worst value of this episode.
    pub worst: Option<Value>,
    /// The limit that it is judged by.
    pub limit: Option<Limit>,
    /// What the limit was made from, if that was the patient's own value before the dose.
    pub baseline: Option<Value>,
    /// How much of the time before `since` was delay by design.
    pub delay: Span,
    /// There is no fresh value: what is shown is the last one.
    pub stale: bool,
    /// The phase at the last change.
    pub phase: Phase,
    /// When this state was taken.
    pub at: Time,
}

/// An acceptance of one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// A person or a station, an opaque id.
    pub actor: String,
    /// When.
    pub at: Time,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Saturation.
    Spo2(Spo2),
    /// Pulse rate.
    Pulse(PulseRate),
    /// Blood pressure.
    Pressure(BloodPressure),
    /// A severe pressure that was not measured again in time (row 15).
    NotRemeasured(BloodPressure),
    /// Saturation, and its trend in hundredths of a percent a minute.
    Spo2Trend(Spo2, i32),
    /// Pulse rate, and its trend in hundredths of a beat a minute, a minute.
    PulseTrend(PulseRate, i32),
    /// Blood pressure, and the trend of the systolic in hundredths of mmHg a minute.
    PressureTrend(BloodPressure, i32),
    /// Points below the limit times seconds (row 29); `None`: three violations in a minute raised it.
    Burden(Option<u32>),
    /// So many desaturations (row 30).
    Desaturations(u8),
    /// Pulse rate / systolic pressure in hundredths.
    ShockIndex(u16),
    /// The pulse as the oximeter and as the cuff counted it.
    Rates(PulseRate, PulseRate),
    /// Saturation and pulse.
    Spo2AndPulse(Spo2, PulseRate),
    /// Pressure and pulse.
    PressureAndPulse(BloodPressure, PulseRate),
    /// How the person responded to the check round.
    Responsiveness(Responsiveness),
    /// Breaths a minute, counted at the check round.
    Breaths(u8),
    /// No value, for this reason.
    Absent(Absent),
    /// Overdue since then.
    Since(Time),
    /// A device is lost for this reason.
    Lost(LossReason),
    /// The cuff gave no pressure, for this reason.
    CuffFailure(CuffFailure),
}

/// The limit of a condition, as printed in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `< value`.
    Spo2Below(Spo2),
    /// `<= value`.
    Spo2AtMost(Spo2),
    /// `> value`, bpm.
    PulseAbove(u16),
    /// `< value`, bpm.
    PulseBelow(u16),
    /// `<= value`, bpm.
    PulseAtMost(u16),
    /// The device finds no pulse with the sensor on.
    NoPulse,
    /// Systolic `> value` or diastolic `> value`, mmHg.
    PressureAbove {
        /// Systolic.
        systolic: u16,
        /// Diastolic.
        diastolic: u16,
    },
    /// Systolic `>= value` or diastolic `>= value`, mmHg.
    PressureAtLeast {
        /// Systolic.
        systolic: u16,
        /// Diastolic.
        diastolic: u16,
    },
    /// Systolic or diastolic `>= baseline + value`, mmHg (row 17). In force it is [`Self::PressureAtLeast`].
    PressureRise {
        /// Systolic.
        systolic: u16,
        /// Diastolic.
        diastolic: u16,
    },
    /// Mean `>= baseline x value / 100` (row 18). In force it is [`Self::MeanAtLeast`].
    MeanRise(u16),
    /// Mean `>= value`, tenths of mmHg.
    MeanAtLeast(u16),
    /// Systolic `< value` or mean `< value`, mmHg, whichever of the two is set.
    PressureBelow {
        /// Systolic.
        systolic: Option<u16>,
        /// Mean.
        mean: Option<u16>,
    },
    /// The saturation falls at least as fast, and is at or below a limit (row 23).
    Spo2Falling {
        /// Hundredths of a percent a minute, downwards.
        per_min: u16,
        /// The limit.
        at_most: Spo2,
    },
    /// The pulse climbs at least as fast, and is above a limit (row 24).
    PulseClimbing {
        /// Hundredths of a beat a minute, a minute.
        per_min: u16,
        /// The limit, bpm.
        above: u16,
    },
    /// The systolic pressure climbs at least as fast, and is at or above a limit (row 31).
    PressureClimbing {
        /// Hundredths of mmHg a minute.
        per_min: u16,
        /// The limit, mmHg.
        systolic: u16,
    },
    /// Points below a limit times seconds (row 29).
    Burden {
        /// What is below this counts.
        below: Spo2,
        /// So many of them.
        points: u32,
    },
    /// So many desaturations within a time (row 30).
    Desaturations {
        /// How many.
        count: u8,
        /// Within which time.
        within: Span,
    },
    /// Pulse / systolic pressure `>= value`, hundredths (row 22).
    ShockIndexAtLeast(u16),
    /// Row 3 is active and the pulse has fallen by more than this, percent, in two minutes (row 33).
    PulseFall(u16),
    /// Saturation at or below, and pulse at or above (row 34).
    Spo2AndPulse {
        /// Saturation.
        at_most: Spo2,
        /// Pulse, bpm.
        at_least: u16,
    },
    /// Systolic pressure at or above, and pulse at or below (row 35).
    PressureAndPulse {
        /// Systolic, mmHg.
        systolic: u16,
        /// Pulse, bpm.
        at_most: u16,
    },
    /// Breaths a minute `< value` (R5.12).
    BreathsBelow(u8),
}

impl Alarm {
    /// Patient or equipment.
    #[must_use]
    pub const fn kind(&self) -> AlarmKind {
        self.condition.kind()
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_found_by_the_name_in_its_topic_and_no_other_name_is_one() {
        for condition in Condition::ALL {
            assert_eq!(Condition::from_slug(condition.slug()), Some(*condition));
        }
        assert_eq!(Condition::from_slug("spo2-CRITICAL"), None);
        assert_eq!(Condition::from_slug(""), None);
    }
}
