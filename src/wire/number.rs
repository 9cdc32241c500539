//! Numbers as a person would write them: `97`, and `97.4` where there are tenths.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use vitalsd_core::time::Span;

/// A decimal number; a whole one is written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(transparent)]
pub struct Decimal(pub f64);

impl Decimal {
    /// From tenths.
    #[must_use]
    pub fn tenths(value: u16) -> Self {
        Self(f64::from(value) / 10.0)
    }

    /// From hundredths.
    #[must_use]
    pub fn hundredths(value: u16) -> Self {
        Self(f64::from(value) / 100.0)
    }

    /// From hundredths, of either sign.
    #[must_use]
    pub fn signed_hundredths(value: i32) -> Self {
        Self(f64::from(value) / 100.0)
    }

    /// The seconds in `span`, with milliseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a span of 285,000 years is still exact")]
    pub fn seconds(span: Span) -> Self {
        Self(span.as_millis() as f64 / 1_000.0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and equality is checked after")]
        let whole = self.0 as i32;
        if f64::from(whole).to_bits() == self.0.to_bits() {
            serializer.serialize_i32(whole)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_has_no_fraction_and_a_tenth_has_one() {
        let json = |value: Decimal| serde_json::to_string(&value).unwrap();
        assert_eq!(json(Decimal::tenths(970)), "97");
        assert_eq!(json(Decimal::tenths(974)), "97.4");
        assert_eq!(json(Decimal::hundredths(205)), "2.05");
        assert_eq!(json(Decimal::signed_hundredths(-140)), "-1.4");
        assert_eq!(json(Decimal::seconds(Span::millis(15_320))), "15.32");
        assert_eq!(serde_json::from_str::<Decimal>("97").unwrap(), Decimal(97.0));
    }
}
