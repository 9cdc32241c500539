//! Line settings as people write them: `9600 8N1`.

use vitalsd_core::driver::{LineSettings, Parity};

/// What [`parse`] takes, for people.
pub const ALLOWED: &str =
    "line settings as `9600 8N1`: 50 to 4000000 baud, 8 data bits, parity N, E or O, 1 or 2 stop bits";

/// `9600 8N1`, as [`LineSettings`] shows itself; `None`: it is something else.
#[must_use]
pub fn parse(text: &str) -> Option<LineSettings> {
    let (baud, form) = text.trim().split_once(' ')?;
    let baud = baud.parse().ok().filter(|baud| (50..=4_000_000).contains(baud))?;
    let (parity, stop_bits) = match form.trim().as_bytes() {
        [b'8', parity, stop_bits @ (b'1' | b'2')] => (parity.to_ascii_uppercase(), stop_bits - b'0'),
        _ => return None,
    };
    let parity = match parity {
        b'N' => Parity::None,
        b'E' => Parity::Even,
        b'O' => Parity::Odd,
        _ => return None,
    };
    Some(LineSettings { baud, parity, stop_bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_shown() {
        let even = LineSettings { baud: 38_400, parity: Parity::Even, stop_bits: 2 };
        for line in [LineSettings::n1(9_600), LineSettings::o1(19_200), even] {
            assert_eq!(parse(&line.to_string()), Some(line));
        }
        for wrong in ["", "9600", "9600 7N1", "9600 8X1", "9600 8N3", "9600 8N12", "0 8N1", "-1 8N1", "fast 8N1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
