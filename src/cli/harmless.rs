//! Text from outside, made harmless before a person reads it: it cannot begin a line of its own, move the cursor, change
//! colours, or turn the direction of reading.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One line: whatever would end it or steer a terminal is shown by its number instead.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

/// Several lines, which are our own: only what would steer a terminal is shown by its number.
#[must_use]
pub fn page(text: &str) -> Cow<'_, str> {
    escaped(text, |c| steers(c) && c != '\n' && c != '\t')
}

/// A payload of the contract, as somebody may have forged it, of which every text can be shown.
///
/// # Errors
/// It is no JSON, or of another kind.
pub fn read<T: DeserializeOwned>(payload: &[u8]) -> serde_json::Result<T> {
    let mut value = serde_json::from_slice(payload)?;
    disarm(&mut value);
    serde_json::from_value(value)
}

fn disarm(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(safe) = line(text) {
                *text = safe;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(disarm),
        Value::Object(fields) => fields.values_mut().for_each(disarm),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn escaped(text: &str, harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Control characters (C0, C1, DEL), the separators of lines and paragraphs, and the marks that turn the direction of
/// reading (Unicode 15, bidirectional controls).
const fn steers(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_stay_as_they_are() {
        for words in ["", "SpO2 86 %, below 88 % for 20 s", "Müde, 疲れた, \u{5d0}\u{5d1}, \u{1f634}", r"C:\n"] {
            assert!(matches!(line(words), Cow::Borrowed(same) if same == words), "{words}");
        }
    }

    #[test]
    fn what_steers_a_terminal_is_shown_by_its_number() {
        assert_eq!(line("a\x1b[2J\r\nb\u{9b}1m\u{2028}\u{202e}"), r"a\u{1b}[2J\r\nb\u{9b}1m\u{2028}\u{202e}");
        assert_eq!(page("a\n\tb\r\x07"), "a\n\tb\\r\\u{7}");
    }

    #[test]
    fn a_payload_is_read_without_what_would_steer() {
        let read: Value = read(br#"{"reason": "a\u001b[2J", "list": ["\n"], "n": 97.5, "deep": {"x": "ok"}}"#).unwrap();
        let expected =
            serde_json::json!({ "reason": r"a\u{1b}[2J", "list": [r"\n"], "n": 97.5, "deep": { "x": "ok" } });
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_can_steer(text in "\\PC*|.*|[\\x00-\\u{ff}\\u{2000}-\\u{2070}]*") {
            prop_assert!(!line(&text).contains(steers));
            prop_assert!(!page(&text).contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
