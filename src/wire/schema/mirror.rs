//! What the core's structs look like in a payload. They are for the schemas only; a test holds each against the
//! struct that it mirrors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json, to_value};
use vitalsd_core::monitor::observation::{self as core, DISSOCIATION_AT_MOST, Responsiveness};
use vitalsd_core::monitor::output::{Condition, Priority};

use super::Word;

/// An alarm as a person has seen it: refused if it has changed since.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Named {
    /// Which condition.
    #[schemars(with = "Word<Condition>")]
    condition: (),
    /// Its `episode` that was seen.
    episode: u32,
    /// The priority that was seen.
    #[schemars(with = "Word<Priority>")]
    priority: (),
}

/// What only a person can see before the patient leaves: all ten answers.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Checklist {
    /// Alert.
    alert: bool,
    /// Oriented.
    oriented: bool,
    /// No dissociation.
    no_dissociation: bool,
    /// Walks steadily.
    walks_steadily: bool,
    /// Nausea controlled.
    nausea_controlled: bool,
    /// No severe headache or chest pain.
    no_severe_pain: bool,
    /// Cannula out.
    cannula_out: bool,
    /// Written instructions given.
    instructions: bool,
    /// Escort present.
    escort: bool,
    /// Told not to drive until the next day.
    no_driving: bool,
}

/// Something that a person saw or gave.
pub struct Observation;

impl JsonSchema for Observation {
    fn schema_name() -> Cow<'static, str> {
        "Observation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let responds = generator.subschema_for::<Word<Responsiveness>>().to_value();
        let score = json!({ "type": "integer", "minimum": 0, "maximum": DISSOCIATION_AT_MOST });
        let code = |(observation, meaning): (core::Observation, &str)| {
            let Ok(Value::Object(fields)) = to_value(observation) else { return Value::Null };
            let required: Vec<String> = fields.keys().cloned().collect();
            let told = |(key, value): (String, Value)| {
                let schema = match key.as_str() {
                    "score" => score.clone(),
                    "responds" => responds.clone(),
                    _ => json!({ "const": value }),
                };
                (key, schema)
            };
            let properties: Map<String, Value> = fields.into_iter().map(told).collect();
            json!({ "description": meaning, "properties": properties, "required": required })
        };
        let codes: Vec<Value> = observations().into_iter().map(code).collect();
        json_schema!({ "description": "Something that a person saw or gave.", "type": "object", "oneOf": codes })
    }
}

/// Each code with its meaning. One that is forgotten does not compile.
macro_rules! codes {
    ($($variant:ident $({ $field:ident: $value:expr })?: $meaning:literal,)+) => {
        fn observations() -> Vec<(core::Observation, &'static str)> {
            let meaning = |observation: core::Observation| match observation {
                $(core::Observation::$variant $({ $field: _ })? => $meaning),+
            };
            let all = [$(core::Observation::$variant $({ $field: $value })?),+];
            all.into_iter().map(|observation| (observation, meaning(observation))).collect()
        }
    };
}

codes! {
    Nausea: "Nausea.",
    Vomiting: "Vomiting.",
    Dizziness: "Dizziness.",
    Headache: "Headache.",
    Confusion: "Confusion.",
    Drowsiness: "Drowsiness.",
    Anxiety: "Anxiety.",
    Distress: "Distress or agitation.",
    Hallucination: "Hallucination.",
    Dissociation { score: 0 }: "Dissociation, of 10.",
    Sedation { responds: Responsiveness::Awake }: "Sedation: to what the person responds.",
    ChestPain: "Chest pain: offer HELP.",
    SevereHeadache: "Severe headache: offer HELP.",
    Breathless: "Breathless: offer HELP.",
    NoisyBreathing: "Noisy breathing: offer HELP.",
    Seizure: "Seizure: offer HELP.",
    GaveBenzodiazepine: "A benzodiazepine was given.",
    GaveOpioid: "An opioid was given.",
    GaveAntihypertensive: "An antihypertensive was given.",
    GaveAntiemetic: "An antiemetic was given.",
    GaveOxygen: "Oxygen was started.",
    StoppedOxygen: "Oxygen was stopped.",
    GaveOther: "Something else was given.",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Serialize;
    use vitalsd_core::monitor::input;

    use super::*;

    fn keys(object: &Value) -> BTreeSet<&str> {
        object.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn mirrors<M: JsonSchema>(core: impl Serialize) {
        let schema = SchemaGenerator::default().into_root_schema_for::<M>().to_value();
        let core = to_value(core).unwrap();
        assert_eq!(keys(&schema["properties"]), keys(&core));
        let required = schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(keys(&core), required, "none may be left out");
    }

    #[test]
    fn each_mirror_has_the_keys_of_what_it_mirrors() {
        mirrors::<Checklist>(input::Checklist::default());
        mirrors::<Named>(input::Named { condition: Condition::Spo2Low, episode: 2, priority: Priority::High });
    }

    #[test]
    fn an_observation_that_offers_help_says_so() {
        for (observation, meaning) in observations() {
            assert_eq!(meaning.ends_with("offer HELP."), observation.offers_help(), "{observation:?}");
        }
    }
}
