//! What is true of every schema: nothing is null, a number is within the range of its quantity, and a description
//! reads as one paragraph.

use schemars::Schema;
use schemars::transform::transform_subschemas;
use serde_json::{Map, Value};

/// The quantities that are told in many places under one name, and their ranges: what is outside is absent.
const RANGES: [(&str, f64, f64); 11] = [
    ("spo2_pct", 1.0, 100.0),
    ("pulse_bpm", 20.0, 300.0),
    ("cuff_pulse_bpm", 20.0, 300.0),
    ("perfusion_index_pct", 0.01, 20.0),
    ("systolic_mmhg", 20.0, 280.0),
    ("diastolic_mmhg", 20.0, 280.0),
    ("mean_mmhg", 20.0, 280.0),
    ("median_pct", 1.0, 100.0),
    ("median_bpm", 20.0, 300.0),
    ("good_pct", 0.0, 100.0),
    ("met_count", 0.0, 6.0),
];

/// Makes a schema and all that it holds so.
pub fn plain(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        never_null(object);
        without_storage(object);
        one_paragraph(object);
        within_range(object);
    }
    transform_subschemas(&mut plain, schema);
    on_its_own(schema);
}

/// What is missing is an absent key: an `Option` never becomes null.
fn never_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
        any.retain(|schema| schema.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// In how many bits a number is kept is nobody else's business.
fn without_storage(schema: &mut Map<String, Value>) {
    let largest = [u64::from(u8::MAX), u64::from(u16::MAX), u64::from(u32::MAX)];
    if schema.get("maximum").and_then(Value::as_u64).is_some_and(|maximum| largest.contains(&maximum)) {
        schema.remove("maximum");
    }
    let storage = |format: &str| ["int", "uint", "float", "double"].iter().any(|kind| format.starts_with(kind));
    if schema.get("format").and_then(Value::as_str).is_some_and(storage) {
        schema.remove("format");
    }
}

/// Line ends of the source are none of the text.
fn one_paragraph(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

fn within_range(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, lowest, highest) in RANGES {
        if let Some(Value::Object(quantity)) = properties.get_mut(name) {
            quantity.insert("minimum".into(), number(lowest));
            quantity.insert("maximum".into(), number(highest));
        }
    }
}

/// A whole number without a fraction.
fn number(value: f64) -> Value {
    serde_json::to_value(crate::wire::number::Decimal(value)).unwrap_or_default()
}

/// Before the draft of 2019 a `$ref` hid what stood beside it, and tools still read it so: it stands alone.
fn on_its_own(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.len() > 1
        && let Some(reference) = object.remove("$ref")
    {
        let reference = Value::Object(Map::from_iter([("$ref".to_owned(), reference)]));
        match object.entry("allOf").or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(all) => all.push(reference),
            other => *other = Value::Array(vec![reference]),
        }
    }
}

#[cfg(test)]
mod tests {
    use vitalsd_core::vitals::{PerfusionIndex, Pressure, PulseRate, Spo2};

    use super::*;

    /// The core takes what is in the range of that name, and nothing beyond it; `unit` parts make one.
    fn is_the_range_of(name: &str, unit: f64, takes: impl Fn(u16) -> bool) {
        let (_, lowest, highest) = RANGES.into_iter().find(|(of, ..)| *of == name).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let [lowest, highest] = [lowest, highest].map(|edge| (edge * unit).round() as u16);
        assert!(takes(lowest) && takes(highest) && !takes(lowest - 1) && !takes(highest + 1), "{name}");
    }

    #[test]
    fn the_ranges_are_those_of_the_core() {
        for spo2 in ["spo2_pct", "median_pct"] {
            is_the_range_of(spo2, 10.0, |tenths| Spo2::tenths(tenths).is_some());
        }
        for pulse in ["pulse_bpm", "cuff_pulse_bpm", "median_bpm"] {
            is_the_range_of(pulse, 1.0, |bpm| PulseRate::bpm(bpm).is_some());
        }
        for pressure in ["systolic_mmhg", "diastolic_mmhg", "mean_mmhg"] {
            is_the_range_of(pressure, 1.0, |mmhg| Pressure::mmhg(mmhg).is_some());
        }
        is_the_range_of("perfusion_index_pct", 100.0, |hundredths| PerfusionIndex::hundredths(hundredths).is_some());
    }
}
