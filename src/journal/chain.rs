//! The audit log as a chain: each entry is sealed together with the seal of the one before, so that one that was
//! changed, taken out or put in breaks every seal after it.
//!
//! It shows tampering to whoever has noted a seal elsewhere; the newest is in the log of the box at each start.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 over the seal before and the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seal(pub [u8; 32]);

impl Seal {
    /// The seal of `entry` after this one. The length stands first, so that no two histories give the same bytes.
    #[must_use]
    pub fn next(&self, number: u64, entry: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(number.to_be_bytes());
        hash.update(u64::try_from(entry.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(entry);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An entry as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counts up from 1.
    pub number: u64,
    /// The JSON.
    pub entry: Vec<u8>,
    /// Its seal.
    pub seal: Seal,
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Entries are missing.
    #[error("after entry {after} comes entry {found}: what stood between was taken out")]
    Missing {
        /// The last good one.
        after: u64,
        /// The next one there is.
        found: u64,
    },
    /// It was changed, or one before it was.
    #[error("entry {number} does not fit its seal: it, or the one before it, was changed")]
    Changed {
        /// Which.
        number: u64,
    },
}

/// Follows the chain from its beginning. Gives the number of the last entry and its seal.
///
/// # Errors
/// The first place where it is broken.
pub fn verify(links: impl IntoIterator<Item = Link>) -> Result<(u64, Seal), Broken> {
    let mut last = (0, Seal::default());
    for Link { number, entry, seal } in links {
        if number != last.0 + 1 {
            return Err(Broken::Missing { after: last.0, found: number });
        }
        if last.1.next(number, &entry) != seal {
            return Err(Broken::Changed { number });
        }
        last = (number, seal);
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(entries: &[Vec<u8>]) -> Vec<Link> {
        let mut seal = Seal::default();
        let link = |(number, entry): (u64, &Vec<u8>)| {
            seal = seal.next(number, entry);
            Link { number, entry: entry.clone(), seal }
        };
        (1..).zip(entries).map(link).collect()
    }

    fn entries() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 2..12)
    }

    proptest! {
        #[test]
        fn what_was_written_is_verified(entries in entries()) {
            let links = chain(&entries);
            let end = links.last().map(|link| (link.number, link.seal)).unwrap();
            prop_assert_eq!(verify(links), Ok(end));
        }

        #[test]
        fn a_changed_byte_is_found(entries in entries(), at in 0_usize..12, byte in 0_usize..12) {
            let mut links = chain(&entries);
            let at = at % links.len();
            links[at].entry.push(0);
            let place = byte % links[at].entry.len();
            links[at].entry[place] ^= 1;
            let number = links[at].number;
            prop_assert_eq!(verify(links), Err(Broken::Changed { number }));
        }

        #[test]
        fn an_entry_that_was_taken_out_is_found(entries in entries(), at in 0_usize..11) {
            let mut links = chain(&entries);
            let at = at % (links.len() - 1);
            let gone = links.remove(at);
            let broken = Broken::Missing { after: gone.number - 1, found: gone.number + 1 };
            prop_assert_eq!(verify(links), Err(broken));
        }

        #[test]
        fn one_that_was_resealed_breaks_the_next(entries in entries(), at in 0_usize..11) {
            let mut links = chain(&entries);
            let at = at % (links.len() - 1);
            let before = if at == 0 { Seal::default() } else { links[at - 1].seal };
            links[at].entry.push(1);
            links[at].seal = before.next(links[at].number, &links[at].entry);
            let number = links[at].number + 1;
            prop_assert_eq!(verify(links), Err(Broken::Changed { number }));
        }
    }
}
