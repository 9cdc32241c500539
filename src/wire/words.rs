//! An alarm in words (R3.4): what, value, limit, for how long, in which phase.
//!
//! Pure functions over the core's [`Alarm`]; the payload, the command line and the replay say the same. They are
//! read by a nurse at three in the morning: short words, no abbreviation that is not on a monitor's front.
//!
//! * [`finding`]: what, value, limit and baseline.
//! * [`limit`](mod@limit): the limit as printed in its row, and whether a value is still beyond it.

pub mod finding;
pub mod limit;
#[cfg(test)]
pub(super) mod tests;

use vitalsd_core::monitor::output::{Alarm, Condition, Phase, Value};
use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::Span;
use vitalsd_core::vitals::Absent;

/// The whole sentence: `SpO2 86 %, below 88 % for 12 s, in the window`.
#[must_use]
pub fn reason(alarm: &Alarm) -> String {
    let back = limit::is_back(alarm);
    let mut words = if back { finding::over(alarm) } else { finding::present(alarm) };
    // How long is not said of what is over: the time it took to trust that would count as well.
    if !back && let Some(time) = time(alarm) {
        words.push_str(&time);
    }
    // "patient in this room, no session" has said it.
    if alarm.condition != Condition::NoSession {
        words.push_str(", ");
        words.push_str(phase(alarm.phase));
    }
    if alarm.ended.is_some() {
        words.push_str("; ended");
    } else if alarm.stale {
        words.push_str("; last value stale");
    }
    words
}

/// For how long, as it reads best after what was found; `None`: too short, or said already.
fn time(alarm: &Alarm) -> Option<String> {
    let lasted = match alarm.value {
        // A question stands since it was due.
        Some(Value::Since(due)) if asks(alarm.condition) => alarm.ended.unwrap_or(alarm.at).since(due),
        _ => lasted(alarm),
    };
    if lasted.as_secs() == 0 {
        return None;
    }
    let condition = alarm.condition;
    Some(match alarm.value {
        _ if asks(condition) => format!(" (asked {lasted} ago)"),
        // Both name a time themselves.
        Some(Value::Since(_) | Value::Desaturations(_)) => return None,
        Some(Value::Responsiveness(_) | Value::Breaths(_)) => format!(", seen {lasted} ago"),
        _ if condition == Condition::Help => format!(" {lasted} ago"),
        _ if condition == Condition::Restarted => format!(", {lasted} ago"),
        // After a baseline, a trend or an advice the time needs a pause before it.
        None
        | Some(
            Value::Spo2Trend(..)
            | Value::PulseTrend(..)
            | Value::PressureTrend(..)
            | Value::Burden(_)
            | Value::ShockIndex(_)
            | Value::Rates(..)
            | Value::NotRemeasured(_),
        ) => format!(", for {lasted}"),
        _ if alarm.baseline.is_some() => format!(", for {lasted}"),
        _ => format!(" for {lasted}"),
    })
}

/// Whether it is a question to a person; the other prompts tell something.
const fn asks(condition: Condition) -> bool {
    use Condition::{CheckOverdue, DoseTimeUncertain, Restarted};
    condition.is_prompt() && !matches!(condition, CheckOverdue | DoseTimeUncertain | Restarted)
}

/// How long the violation has lasted, the delay by design included.
#[must_use]
pub fn lasted(alarm: &Alarm) -> Span {
    alarm.ended.unwrap_or(alarm.at).since(alarm.since - alarm.delay)
}

/// Where in the session.
#[must_use]
pub const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::NoSession => "no session open",
        Phase::Baseline => "at baseline",
        Phase::Onset => "in the onset",
        Phase::Window => "in the window",
        Phase::Recovery => "in recovery",
    }
}

/// Why there is no value.
#[must_use]
pub const fn absent(reason: Absent) -> &'static str {
    match reason {
        Absent::NotMeasured => "not measured by this device",
        Absent::NeverReceived => "nothing received yet",
        Absent::SensorOff => "sensor off",
        Absent::SensorFault => "sensor unplugged or defective",
        Absent::Searching => "looking for a pulse",
        Absent::NoPulse => "no pulse found",
        Absent::InadequateSignal => "inadequate signal",
        Absent::OutOfRange => "value out of range",
        Absent::Stale => "nothing new",
        Absent::LinkLost => "port or cable lost",
        Absent::DeviceLost => "device does not answer",
    }
}

/// Why the cuff gave no pressure.
#[must_use]
pub const fn cuff_failure(failure: CuffFailure) -> &'static str {
    match failure {
        CuffFailure::Failed => "no reason given",
        CuffFailure::PumpTimeout => "leak or loose cuff",
        CuffFailure::TotalTimeout => "took too long",
        CuffFailure::PressureTimeout => "motion or irregular pulse",
        CuffFailure::Overpressure => "overpressure",
        CuffFailure::Cancelled => "cancelled",
        CuffFailure::NoAnswer => "no answer",
        CuffFailure::OutOfRange => "values out of range",
        CuffFailure::NoPulse => "no pulse found, or too weak",
        CuffFailure::Motion => "motion",
        CuffFailure::Blocked => "hose kinked or blocked",
        CuffFailure::DeviceFault => "fault of the monitor",
        CuffFailure::Repeated => "the reading before came again",
        CuffFailure::Unknown(_) => "unknown reason",
    }
}
