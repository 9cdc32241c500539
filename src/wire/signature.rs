//! How a station signs a command: HMAC-SHA256 under the station's key, over the topic, a newline and the payload, each
//! byte for byte as it is published. Signature and name of the station travel beside the payload, as user properties of
//! MQTT 5.
//!
//! Beside and not inside, because then no two programs have to write the same JSON in the same way: what is signed is
//! what is sent, and a command has one shape, signed or not. The topic makes it a command for that bed of that site in
//! that version; boot id, uptime and key inside the payload make it one for now, and for once.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The user property that names the station.
pub const STATION: &str = "station";
/// The user property with the signature, in hexadecimal digits.
pub const HMAC: &str = "hmac";
/// As long as the hash: a shorter key would be the easier thing to guess.
const KEY_BYTES: usize = 32;

/// The key of a station. Nothing shows it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// Something else than digits.
    #[error("holds something else than the hexadecimal digits 0-9 and a-f, two for each byte")]
    NotHex,
    /// Too few of them.
    #[error("has {found} bytes; a key has {KEY_BYTES} at least")]
    Short {
        /// How many bytes there are.
        found: usize,
    },
}

impl Key {
    /// The signature of `payload` published on `topic`.
    #[must_use]
    pub fn sign(&self, topic: &str, payload: &[u8]) -> String {
        hex(&self.over(topic, payload).finalize().into_bytes())
    }

    /// Whether `signature` is ours; how long the answer takes tells nothing about how nearly it was.
    #[must_use]
    pub fn verify(&self, topic: &str, payload: &[u8], signature: &str) -> bool {
        bytes(signature).is_some_and(|signature| self.over(topic, payload).verify_slice(&signature).is_ok())
    }

    /// What tells two keys apart, and may be shown: nothing leads from it to the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.sign("fingerprint", b"").chars().take(8).collect()
    }

    fn over(&self, topic: &str, payload: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(topic).chain_update("\n").chain_update(payload)
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let key = bytes(text).ok_or(NotAKey::NotHex)?;
        let short = NotAKey::Short { found: key.len() };
        if key.len() < KEY_BYTES { Err(short) } else { Hmac::new_from_slice(&key).map(Self).map_err(|_| short) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> Key {
        digit.repeat(64).parse().unwrap()
    }

    /// `printf 'a/b\nhello' | openssl dgst -sha256 -mac hmac -macopt hexkey:$(printf '1%.0s' $(seq 64))`
    #[test]
    fn a_signature_is_what_openssl_says() {
        let expected = "df85e21c2f18de786fe43bb20ee388a436c83cf27ad2e04fa419d024e6219c39";
        assert_eq!(key("1").sign("a/b", b"hello"), expected);
        assert!(key("1").verify("a/b", b"hello", expected));
        assert!(key("1").verify("a/b", b"hello", &expected.to_uppercase()));
    }

    #[test]
    fn it_is_of_one_key_one_topic_and_one_payload() {
        let signature = key("1").sign("a/b", b"hello");
        assert!(!key("2").verify("a/b", b"hello", &signature));
        assert!(!key("1").verify("a/c", b"hello", &signature));
        assert!(!key("1").verify("a/b", b"hello.", &signature));
        for other in ["", "0", "zz", &signature[..62], &format!("{signature}00"), &format!("+{}", &signature[1..])] {
            assert!(!key("1").verify("a/b", b"hello", other), "{other}");
        }
    }

    #[test]
    fn a_key_has_32_bytes_at_least_and_nothing_shows_it() {
        let read = |text: &str| text.parse::<Key>().map(drop);
        assert_eq!(read(&"ab".repeat(32)), Ok(()));
        assert_eq!(read(&"AB".repeat(40)), Ok(()));
        assert_eq!(read(&"ab".repeat(31)), Err(NotAKey::Short { found: 31 }));
        assert_eq!(read(""), Err(NotAKey::Short { found: 0 }));
        for wrong in ["a".repeat(65), "xy".repeat(32), format!("{}\u{e9}", "a".repeat(63)), "+1".repeat(32)] {
            assert_eq!(read(&wrong), Err(NotAKey::NotHex), "{wrong}");
        }
        assert_eq!(format!("{:?}", key("1")), "Key(..)");
        assert_ne!(key("1").fingerprint(), key("2").fingerprint());
    }
}
