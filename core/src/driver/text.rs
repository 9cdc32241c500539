//! Lines of text in a stream of bytes, and the numbers in them.

use super::Reject;
use super::buffer::Buffer;

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
}
