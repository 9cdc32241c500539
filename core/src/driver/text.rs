//! Lines of text in a stream of bytes, the numbers in them, and what they prove.

use alloc::format;
use alloc::string::String;

use super::buffer::Buffer;
use super::{DecodeStats, Evidence, Reject};
use crate::time::Time;

/// Finds lines that end with CR, LF or both. Empty ones are not told: devices send them between lines.
#[derive(Clone, Debug, Default)]
pub struct Lines<const N: usize> {
    line: Buffer<N>,
    /// Bytes of the present line that found no room.
    overlong: usize,
    /// The line was told; the next byte begins another.
    ended: bool,
}

/// A line that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    bytes: &'a [u8],
    /// How many bytes it had, the end of the line not counted.
    pub len: usize,
}

impl<'a> Line<'a> {
    /// Its text, if it is one: printable ASCII, no longer than a line of the protocol can be.
    ///
    /// # Errors
    /// `Length` or `Framing`.
    pub fn text(&self) -> Result<&'a [u8], Reject> {
        if self.len > self.bytes.len() {
            Err(Reject::Length)
        } else if self.bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            Ok(self.bytes)
        } else {
            Err(Reject::Framing)
        }
    }
}

impl<const N: usize> Lines<N> {
    /// Takes a byte; returns the line that it ends.
    pub fn push(&mut self, byte: u8) -> Option<Line<'_>> {
        if core::mem::take(&mut self.ended) {
            self.clear();
        }
        match byte {
            b'\r' | b'\n' if self.is_empty() => None,
            b'\r' | b'\n' => {
                self.ended = true;
                let bytes = self.line.bytes();
                Some(Line { bytes, len: bytes.len().saturating_add(self.overlong) })
            }
            _ if self.line.is_full() => {
                self.overlong = self.overlong.saturating_add(1);
                None
            }
            _ => {
                self.line.push(byte);
                None
            }
        }
    }

    /// Whether no line has begun.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ended || self.line.bytes().is_empty()
    }

    /// How many bytes the line has that has begun.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.ended { 0 } else { self.line.bytes().len().saturating_add(self.overlong) }
    }

    /// Forgets the line that has begun.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// What has become of the lines so far. One line that passes every check proves a protocol of text:
/// nothing else has its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    good_in_a_row: u32,
    stats: DecodeStats,
}

impl Tally {
    /// The same for a port that was opened again: the counts go on, the proof begins anew.
    #[must_use]
    pub fn reopened(self) -> Self {
        Self { good_in_a_row: 0, ..self }
    }

    /// Counts a line of `len` bytes as what was `read` in it: values, text that is no concern of ours
    /// (`None`), or nothing that can be. Returns the values.
    pub fn count<T>(&mut self, len: usize, read: Result<Option<T>, Reject>) -> Option<T> {
        match read {
            Ok(Some(_)) => {
                self.stats.good();
                self.good_in_a_row = self.good_in_a_row.saturating_add(1);
            }
            Ok(None) => self.stats.skip(len),
            Err(reason) => {
                self.stats.reject(reason);
                self.stats.skip(len);
                self.good_in_a_row = 0;
            }
        }
        read.ok().flatten()
    }

    /// What they prove.
    #[must_use]
    pub const fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.good_in_a_row, locked: self.good_in_a_row > 0 }
    }

    /// How many there were of each kind.
    #[must_use]
    pub const fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}

/// What stands before and after the first `word`.
#[must_use]
pub fn split_at_word<'a>(text: &'a [u8], word: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = text.split_at_checked(text.windows(word.len()).position(|window| window == word)?)?;
    Some((before, rest.strip_prefix(word)?))
}

/// The decimal number that `text` is, and nothing else; one of more than five digits is none.
#[must_use]
pub fn decimal(text: &[u8]) -> Option<u16> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u16, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte & 0x0F))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The hexadecimal number that `text` is, and nothing else, of 32 bits at the most.
#[must_use]
pub fn hexadecimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |number, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    })
}

/// Whether `text` has that form: `0` stands for any digit, `A` for any letter, all else for itself.
#[must_use]
pub fn has_form(text: &[u8], form: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_alphabetic(),
        _ => byte == form,
    };
    text.len() == form.len() && text.iter().zip(form).all(fits)
}

/// What a clock shows that stood at midnight at time 0: `hh:mm:ss`.
#[must_use]
pub fn clock(at: Time) -> String {
    let seconds = at.as_millis() / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Result<Vec<u8>, Reject>> {
        let mut lines = Lines::<8>::default();
        bytes.iter().filter_map(|byte| lines.push(*byte).map(|line| line.text().map(<[u8]>::to_vec))).collect()
    }

    #[test]
    fn a_line_ends_with_cr_or_lf_or_both_and_an_empty_one_is_none() {
        let expected: Vec<_> = [b"ab", b"cd", b"ef"].iter().map(|line| Ok(line.to_vec())).collect();
        assert_eq!(lines(b"ab\r\n\r\ncd\nef\rgh"), expected);
    }

    #[test]
    fn what_is_too_long_or_no_text_is_rejected_and_the_next_line_is_whole() {
        assert_eq!(
            lines(b"123456789\r\n\xff\r\n12345678\n"),
            [Err(Reject::Length), Err(Reject::Framing), Ok(b"12345678".to_vec())]
        );
    }

    #[test]
    fn a_line_that_has_begun_is_as_long_as_what_came_of_it_and_one_that_has_ended_is_not_there() {
        let mut lines = Lines::<4>::default();
        let lengths: Vec<_> = b"ab12345\rc"
            .iter()
            .map(|byte| {
                lines.push(*byte);
                lines.len()
            })
            .collect();
        assert_eq!(lengths, [1, 2, 3, 4, 5, 6, 7, 0, 1]);
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(decimal(b"097"), Some(97));
        assert_eq!(decimal(b"65535"), Some(65_535));
        for none in [&b""[..], b"65536", b"-1", b"9 ", b"1e3"] {
            assert_eq!(decimal(none), None, "{none:?}");
        }
        assert_eq!(hexadecimal(b"0000C00"), Some(0xC00));
        assert_eq!(hexadecimal(b"FFFFFFFF"), Some(u32::MAX));
        for none in [&b""[..], b"100000000", b"0x1", b"--"] {
            assert_eq!(hexadecimal(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_form_is_met_byte_for_byte() {
        assert!(has_form(b"22-Feb-16 09:05", b"00-AAA-00 00:00"));
        for other in
            [&b"2-Feb-16 09:05"[..], b"22-Feb-16 09:05 ", b"22-F3b-16 09:05", b"22/Feb/16 09:05", b"22-Feb-16 0x:05"]
        {
            assert!(!has_form(other, b"00-AAA-00 00:00"), "{other:?}");
        }
    }

    #[test]
    fn a_clock_goes_round_once_a_day() {
        assert_eq!(clock(Time::from_millis(((14 * 60 + 30) * 60 + 5) * 1_000 + 999)), "14:30:05");
        assert_eq!(clock(Time::from_millis(25 * 3_600 * 1_000)), "01:00:00");
    }

    #[test]
    fn one_good_line_proves_the_protocol_until_one_is_rejected() {
        let mut tally = Tally::default();
        assert_eq!(tally.count(10, Ok(Some('v'))), Some('v'));
        assert_eq!(tally.count::<char>(20, Ok(None)), None);
        assert_eq!(tally.lock(), Evidence { good_in_a_row: 1, locked: true });
        assert_eq!(tally.count::<char>(30, Err(Reject::Content)), None);
        assert_eq!(tally.lock(), Evidence { good_in_a_row: 0, locked: false });
        let DecodeStats { good_frames, content, bytes_skipped, .. } = *tally.stats();
        assert_eq!((good_frames, content, bytes_skipped), (1, 1, 50));
    }
}
