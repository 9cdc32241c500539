//! A driver between a device that says anything and a host that asks anything at any time.
//!
//! An input is a list of records, each begun by a byte:
//!
//! ```text
//! 00 hh ll   time passes, hhll milliseconds; the driver is polled
//! 01         a determination is asked for
//! 02         it is to be stopped
//! 03         the port is opened again
//! nn ..      nn - 3 bytes arrive in one read
//! ```

use vitalsd_core::driver::{AnyDriver, Driver, Request};
use vitalsd_core::sample::{CuffResult, Sample};
use vitalsd_core::time::{Span, Time};

use super::bytes::Bytes;

/// Bytes that a record adds to what arrives.
const SAID: u8 = 3;

/// Runs `input` through the driver `name`, twice: in the reads of the input, and byte by byte.
///
/// # Panics
/// If a promise of drivers is broken.
pub fn run(name: &str, input: &[u8]) {
    let new = || AnyDriver::new(name).unwrap_or_else(|| panic!("no driver `{name}`"));
    let (mut driver, mut split) = (new(), new());
    let mut now = Time::from_millis(1_000_000);
    driver.opened(now);
    split.opened(now);
    let (mut samples, mut apart) = (Vec::new(), Vec::new());
    let mut fed = 0_u64;
    let mut bytes = Bytes::new(input);
    while !bytes.is_empty() {
        samples.clear();
        apart.clear();
        match bytes.byte() {
            0 => {
                now = now + Span::millis(u64::from(bytes.word()));
                // A port polls again as long as there is something to send; a driver has at last nothing more.
                for turn in 0.. {
                    let poll = driver.poll(now, &mut |sample| samples.push(sample));
                    let same = split.poll(now, &mut |sample| apart.push(sample));
                    assert_eq!(poll, same, "the same driver, another wish");
                    assert!(turn < 16, "it never stops sending");
                    if poll.send.is_none() {
                        assert!(poll.next.is_none_or(|next| next > now), "asked again at once: {poll:?} at {now:?}");
                        break;
                    }
                }
            }
            1 => assert_eq!(driver.request(Request::StartCuff, now), split.request(Request::StartCuff, now)),
            2 => assert_eq!(driver.request(Request::StopCuff, now), split.request(Request::StopCuff, now)),
            3 => {
                driver.opened(now);
                split.opened(now);
                assert!(!driver.lock().locked, "a port just opened has proved nothing");
            }
            count => {
                let read = bytes.take(usize::from(count - SAID));
                fed += read.len() as u64;
                driver.decode(read, now, &mut |sample| samples.push(sample));
                for byte in read {
                    split.decode(&[*byte], now, &mut |sample| apart.push(sample));
                }
            }
        }
        assert_eq!(samples, apart, "how reads split the stream made a difference");
        samples.iter().for_each(|sample| sound(sample, now));
    }
    assert_eq!(driver.stats(), split.stats());
    assert_eq!(driver.lock(), split.lock());
    assert!(driver.stats().bytes_skipped <= fed, "skipped {} of {fed} bytes", driver.stats().bytes_skipped);
}

fn sound(sample: &Sample, now: Time) {
    // A message that only silence ends is told later than it was heard.
    assert!(sample.at() <= now, "from the future: {sample:?} at {now:?}");
    if let Sample::CuffResult(CuffResult { at, measured_at, .. }) = sample {
        assert!(measured_at <= at, "measured in the future: {sample:?}");
    }
}

/// What an input is made of.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// Milliseconds pass, and the driver is polled.
    Passes(u16),
    /// A determination is asked for.
    Start,
    /// It is to be stopped.
    Stop,
    /// The port is opened again.
    Opened,
    /// Bytes arrive in one read.
    Heard(&'a [u8]),
}

impl Record<'_> {
    /// Appends it to an input.
    pub fn encode(self, input: &mut Vec<u8>) {
        match self {
            Self::Passes(ms) => {
                input.push(0);
                input.extend(ms.to_be_bytes());
            }
            Self::Start => input.push(1),
            Self::Stop => input.push(2),
            Self::Opened => input.push(3),
            Self::Heard(bytes) => {
                for read in bytes.chunks(usize::from(u8::MAX - SAID)) {
                    input.push(u8::try_from(read.len()).unwrap_or(0) + SAID);
                    input.extend(read);
                }
            }
        }
    }
}
