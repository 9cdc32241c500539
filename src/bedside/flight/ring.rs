//! The last minutes of one serial line, in memory that never grows.

use std::collections::VecDeque;

use vitalsd_core::driver::Request;
use vitalsd_core::time::{Span, Time};

use crate::capture::What;

/// What stands before the bytes of a line: when (8), what (1), how many (2).
const HEAD: usize = 11;
/// More than one read returns; a longer one is more than one line.
const LONGEST: usize = u16::MAX as usize;

/// The last minutes of one serial line: the oldest lines make room for the newest.
///
/// It allocates once, when it is made.
#[derive(Debug)]
pub struct Ring {
    bytes: VecDeque<u8>,
    limit: usize,
    span: Span,
}

impl Ring {
    /// Room for lines of `span` and of `limit` bytes, whichever is less.
    #[must_use]
    pub fn new(span: Span, limit: usize) -> Self {
        Self { bytes: VecDeque::with_capacity(limit), limit, span }
    }

    /// Takes what has just happened.
    pub fn take(&mut self, at: Time, what: What<'_>) {
        let (kind, bytes) = match what {
            What::Heard(bytes) => (Kind::Heard, bytes),
            What::Sent(bytes) => (Kind::Sent, bytes),
            What::Opened => (Kind::Opened, [].as_slice()),
            What::Lost => (Kind::Lost, [].as_slice()),
            What::Asked(Request::StartCuff) => (Kind::StartCuff, [].as_slice()),
            What::Asked(Request::StopCuff) => (Kind::StopCuff, [].as_slice()),
            What::End => return,
        };
        self.forget(at);
        if bytes.is_empty() {
            self.line(at, kind, bytes);
        }
        for part in bytes.chunks(LONGEST.min(self.limit.saturating_sub(HEAD)).max(1)) {
            self.line(at, kind, part);
        }
    }

    /// A copy of what there is at `now`, for [`lines`].
    #[must_use]
    pub fn copy(&mut self, now: Time) -> Vec<u8> {
        self.forget(now);
        let (first, second) = self.bytes.as_slices();
        [first, second].concat()
    }

    fn line(&mut self, at: Time, kind: Kind, bytes: &[u8]) {
        let need = HEAD.saturating_add(bytes.len());
        if need > self.limit {
            return;
        }
        while self.bytes.len().saturating_add(need) > self.limit {
            self.drop_oldest();
        }
        self.bytes.extend(&at.as_millis().to_le_bytes());
        self.bytes.extend(&[kind as u8]);
        self.bytes.extend(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.bytes.extend(bytes);
    }

    /// Drops what is older than it is to be.
    fn forget(&mut self, now: Time) {
        while self.head().is_some_and(|head| now.since(head.at) > self.span) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let length = self.head().map_or(self.bytes.len(), |head| HEAD.saturating_add(head.len));
        self.bytes.drain(..length.min(self.bytes.len()));
    }

    /// The head of the oldest line.
    fn head(&self) -> Option<Head> {
        let mut head = [0; HEAD];
        let mut bytes = self.bytes.iter();
        for to in &mut head {
            *to = *bytes.next()?;
        }
        Head::read(head)
    }
}

/// The lines of a copy of a ring, oldest first.
pub fn lines(mut bytes: &[u8]) -> impl Iterator<Item = (Time, What<'_>)> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let Head { at, kind, len } = Head::read(*head)?;
        let (line, rest) = rest.split_at_checked(len)?;
        bytes = rest;
        let what = match kind {
            Kind::Heard => What::Heard(line),
            Kind::Sent => What::Sent(line),
            Kind::Opened => What::Opened,
            Kind::Lost => What::Lost,
            Kind::StartCuff => What::Asked(Request::StartCuff),
            Kind::StopCuff => What::Asked(Request::StopCuff),
        };
        Some((at, what))
    })
}

struct Head {
    at: Time,
    kind: Kind,
    len: usize,
}

impl Head {
    fn read([a, b, c, d, e, f, g, h, kind, low, high]: [u8; HEAD]) -> Option<Self> {
        let at = Time::from_millis(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        let kind = Kind::ALL.into_iter().find(|one| *one as u8 == kind)?;
        Some(Self { at, kind, len: u16::from_le_bytes([low, high]).into() })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Heard,
    Sent,
    Opened,
    Lost,
    StartCuff,
    StopCuff,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Heard, Self::Sent, Self::Opened, Self::Lost, Self::StartCuff, Self::StopCuff];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::secs(s)
    }

    fn all(bytes: &[u8]) -> Vec<(Time, What<'_>)> {
        lines(bytes).collect()
    }

    #[test]
    fn what_happened_is_there_again_in_its_order() {
        let mut ring = Ring::new(Span::mins(1), 1_000);
        let happened = [
            (s(1), What::Opened),
            (s(1), What::Sent(&[0x7d, 0x81])),
            (s(2), What::Heard(&[1, 2, 3])),
            (s(3), What::Asked(Request::StartCuff)),
            (s(4), What::Asked(Request::StopCuff)),
            (s(5), What::Lost),
        ];
        happened.iter().for_each(|(at, what)| ring.take(*at, *what));
        assert_eq!(all(&ring.copy(s(5))), happened);
        assert_eq!(all(&ring.copy(s(5))), happened, "a copy takes nothing away");
    }

    #[test]
    fn what_is_older_than_the_span_is_forgotten_even_if_nothing_comes() {
        let mut ring = Ring::new(Span::secs(10), 1_000);
        (0..20).for_each(|n| ring.take(s(n), What::Heard(&[u8::try_from(n).unwrap()])));
        let kept: Vec<_> = all(&ring.copy(s(19))).iter().map(|(at, _)| *at).collect();
        assert_eq!(kept, (9..20).map(s).collect::<Vec<_>>());
        assert_eq!(all(&ring.copy(s(100))), []);
    }

    #[test]
    fn it_never_grows_and_keeps_the_newest_lines_whole() {
        let limit = 300;
        let mut ring = Ring::new(Span::mins(60), limit);
        let capacity = ring.bytes.capacity();
        for n in 0..2_000_usize {
            let bytes = vec![u8::try_from(n % 256).unwrap(); n % 40 + 1];
            ring.take(Time::from_millis(n.try_into().unwrap()), What::Heard(&bytes));
            assert!(ring.bytes.len() <= limit && ring.bytes.capacity() == capacity);
        }
        let copy = ring.copy(s(2));
        let kept = all(&copy);
        let first = 2_000 - kept.len();
        for (n, (at, what)) in (first..).zip(&kept) {
            let bytes = vec![u8::try_from(n % 256).unwrap(); n % 40 + 1];
            assert_eq!((*at, *what), (Time::from_millis(n.try_into().unwrap()), What::Heard(&bytes)));
        }
        assert!(kept.len() >= limit / (HEAD + 40), "{}", kept.len());
    }

    #[test]
    fn a_read_longer_than_everything_is_more_than_one_line_and_the_last_of_it_is_kept() {
        let mut ring = Ring::new(Span::mins(1), 100);
        let read: Vec<u8> = (0..=255).collect();
        ring.take(s(1), What::Heard(&read));
        let copy = ring.copy(s(1));
        let [(_, What::Heard(kept))] = all(&copy)[..] else { panic!("one line") };
        assert!(read.ends_with(kept) && !kept.is_empty());
    }
}
