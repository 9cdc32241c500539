//! The words of the core in payloads, each with what it means: the core itself knows nothing of schemas.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json, to_value};
use vitalsd_core::monitor::input::{CloseReason, Label, LossReason, OffReason, Route, Side, StandbyReason};
use vitalsd_core::monitor::observation::Responsiveness;
use vitalsd_core::monitor::output::{Activation, AlarmKind, Condition, Phase, Presence, Priority};
use vitalsd_core::sample::CuffOrigin;
use vitalsd_core::vitals::{Absent, Doubt};

/// Stands in a schema for an enum of the core that is one word in a payload.
pub struct Word<T>(PhantomData<T>);

/// An enum of which each value is one word.
pub trait Worded: Serialize + Sized {
    /// Its name in the schemas.
    const NAME: &'static str;
    /// What it says.
    const ABOUT: &'static str;

    /// Every value with its meaning.
    fn all() -> Vec<(Self, Cow<'static, str>)>;
}

impl<T: Worded> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let told = |(word, meaning): &(T, Cow<'static, str>)| json!({ "const": to_value(word).unwrap_or_default(), "description": meaning });
        let words: Vec<Value> = T::all().iter().map(told).collect();
        json_schema!({ "description": T::ABOUT, "type": "string", "oneOf": words })
    }
}

impl Worded for Condition {
    const NAME: &'static str = "Condition";
    const ABOUT: &'static str = "An alarm condition, with its row or rule in the rule book.";

    fn all() -> Vec<(Self, Cow<'static, str>)> {
        let told = |condition: &Self| (*condition, format!("{} ({}).", condition.title(), condition.row()).into());
        Self::ALL.iter().map(told).collect()
    }
}

/// An enum with the meaning of each value. One that is forgotten does not compile.
macro_rules! words {
    ($($type:ident: $about:literal { $($variant:ident: $meaning:literal,)+ })+) => {$(
        impl Worded for $type {
            const NAME: &'static str = stringify!($type);
            const ABOUT: &'static str = $about;

            fn all() -> Vec<(Self, Cow<'static, str>)> {
                let meaning = |word: &Self| match word { $(Self::$variant => $meaning),+ };
                [$(Self::$variant),+].into_iter().map(|word| { let told = meaning(&word); (word, told.into()) }).collect()
            }
        }
    )+};
}

words! {
    Phase: "Where a session is." {
        NoSession: "No session is open.",
        Baseline: "A session is open, no dose was given yet.",
        Onset: "The dose was given, its effect begins.",
        Window: "The dissociative window: the effect is strongest.",
        Recovery: "After the window, until a person closes the session.",
    }
    Priority: "How grave an alarm is." {
        Low: "To be seen, not heard.",
        Medium: "Prompt response needed.",
        High: "Immediate response needed.",
    }
    Presence: "Whether what the alarm is about is there." {
        On: "It is there.",
        Latched: "It was there and is not now, and nobody has seen it: it is to be shown.",
        Off: "It is over. An empty retained message follows and takes the alarm from the broker.",
    }
    AlarmKind: "Patient or equipment." {
        Physiological: "From a vital sign, or from a person about one.",
        Technical: "From the equipment, or a question to a person.",
    }
    Activation: "Whether anybody is meant to hear the alarm (as in IEEE 11073 SDC)." {
        On: "It may sound.",
        Paused: "The sound of the whole bed is paused.",
        Off: "A person has switched this condition off until the session ends.",
    }
    Absent: "Why a value is not there." {
        NotMeasured: "The device does not measure this quantity.",
        NeverReceived: "Nothing has been received since the daemon started.",
        SensorOff: "The sensor is off the patient.",
        SensorFault: "The sensor is unplugged from the device, or defective.",
        Searching: "The device is looking for a pulse.",
        NoPulse: "The sensor is on, and the device has found no pulse.",
        InadequateSignal: "A signal too weak or too disturbed to measure from.",
        OutOfRange: "A value outside the range of the quantity: neither clamped nor shown.",
        Stale: "Nothing new for longer than the device's cadence allows.",
        LinkLost: "The port or the cable is gone.",
        DeviceLost: "The device does not answer.",
    }
    Doubt: "Why a value is not to be trusted." {
        Motion: "The device reports motion.",
        Artefact: "The device flags an artefact on the present pulse.",
        LowPerfusion: "The device reports low perfusion.",
        ImplausibleFall: "A fall of more than 4 % in one second, which blood does not do.",
        StuckSource: "The waveform stands still while the numbers go on.",
    }
    CuffOrigin: "Who started a determination of the blood pressure." {
        Schedule: "vitalsd.",
        Bedside: "A person, by the monitor's own button.",
        Manual: "A person measured by hand and typed it in.",
    }
    LossReason: "Why the way to a device is lost." {
        NotFound: "There is no such port.",
        Unplugged: "The port was there and is gone.",
        Busy: "Another program holds the port.",
        PermissionDenied: "The port may not be opened by the user of the daemon.",
        NotASerialPort: "What is at that path is not a serial port.",
        Silent: "The port is open and nothing comes.",
        ChecksumStorm: "Bytes come, but nothing passes its checks.",
        Io: "The operating system reports an error of another kind.",
    }
    Responsiveness: "To what a person responds." {
        Awake: "Awake.",
        Voice: "To voice.",
        Touch: "To touch.",
        Unresponsive: "To nothing.",
    }
    Route: "How a dose is given." {
        Iv: "Intravenous.",
        Im: "Intramuscular.",
        Intranasal: "Intranasal.",
        Oral: "Oral or sublingual.",
    }
    Side: "A side of the body." {
        Left: "The left arm.",
        Right: "The right arm.",
        Neither: "Neither: there is none, or it is elsewhere.",
    }
    CloseReason: "Why a session ends although measured items are not met." {
        ClinicianDecision: "A clinician has decided so.",
        Transferred: "The patient goes on being watched elsewhere.",
        LeftAgainstAdvice: "The patient has left against advice.",
        Emergency: "An emergency.",
        Test: "The session was opened by mistake, or for a test.",
    }
    StandbyReason: "Why a patient is disconnected for a while." {
        Toilet: "Toilet.",
        Moving: "Moving to another place.",
        Dressing: "Dressing.",
    }
    OffReason: "Why a condition is switched off." {
        Expected: "It is so with this patient.",
        Artefact: "The sensor cannot measure it well here.",
        Equipment: "The equipment is out of order.",
        ClinicianDecision: "A clinician has decided so.",
    }
    Label: "What an alarm was worth." {
        Real: "It was real.",
        Probe: "It was the probe.",
        Expected: "It was to be expected.",
        Test: "It was a test.",
    }
}
