//! The laws that every driver keeps, as properties to be tested: each is called with a way to make
//! the driver and with a stream of good frames in its protocol.
//!
//! The inputs are *wild*: pieces of good stream, cut anywhere, between arbitrary bytes. Pure noise
//! would hardly ever come near a frame. A driver that speaks only when asked is made as it is after
//! it has asked.

use std::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{DecodeStats, Driver};
use crate::sample::Sample;
use crate::time::Time;

/// The moment at which everything is read: the laws are about bytes.
pub const NOW: Time = Time::from_millis(1_000);

/// What `driver` says to `bytes`, read in one go.
pub fn decoded(driver: &mut impl Driver, bytes: &[u8]) -> Vec<Sample> {
    let mut samples = Vec::new();
    driver.decode(bytes, NOW, &mut |sample| samples.push(sample));
    samples
}

/// How reads split the stream makes no difference to the samples, nor to the statistics.
pub fn splits_do_not_matter<D: Driver>(make: impl Fn() -> D, good: &[u8]) {
    check(&(wild(good), vec(1..40_usize, 1..40)), |(stream, lengths)| {
        let mut whole = make();
        let expected = decoded(&mut whole, &stream);

        let mut split = make();
        let (mut samples, mut rest) = (Vec::new(), stream.as_slice());
        for length in lengths.iter().cycle() {
            let (read, later) = rest.split_at((*length).min(rest.len()));
            samples.extend(decoded(&mut split, read));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(samples, expected);
        prop_assert_eq!(split.stats(), whole.stats());
        prop_assert_eq!(split.lock(), whole.lock());
        Ok(())
    });
}

/// No bytes make it panic, and it never claims to have skipped more than it was fed.
pub fn never_panics<D: Driver>(make: impl Fn() -> D, good: &[u8]) {
    check(&vec(wild(good), 1..4), |reads| {
        let mut driver = make();
        let mut fed = 0;
        for read in &reads {
            decoded(&mut driver, read);
            fed += read.len() as u64;
            let DecodeStats { bytes_skipped, .. } = *driver.stats();
            prop_assert!(bytes_skipped <= fed, "skipped {} of {} bytes", bytes_skipped, fed);
        }
        driver.opened(NOW);
        prop_assert!(!driver.lock().locked, "a port just opened has proved nothing");
        Ok(())
    });
}

/// How long a driver may take to recover, in bytes of good stream after the garbage (DESIGN 9).
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// Until its next good frame is counted.
    pub frame: usize,
    /// Until it goes on as if there had been no garbage.
    pub values: usize,
}

/// After `before`, garbage and the first bytes of `after` it has found a good frame again, and then
/// says of the rest of `after` what it would have said without the garbage.
pub fn recovers<D: Driver>(make: impl Fn() -> D, before: &[u8], after: &[u8], within: Within) {
    assert!(within.frame <= within.values && within.values < after.len(), "nothing would be left to compare");
    let (first, more) = after.split_at(within.frame);
    let (more, rest) = more.split_at(within.values - within.frame);

    let mut undisturbed = make();
    decoded(&mut undisturbed, before);
    decoded(&mut undisturbed, first);
    decoded(&mut undisturbed, more);
    let expected = decoded(&mut undisturbed, rest);
    assert!(!expected.is_empty(), "the rest of the good stream holds no sample to compare");

    check(&wild(before), |garbage| {
        let mut driver = make();
        decoded(&mut driver, before);
        decoded(&mut driver, &garbage);
        let found = driver.stats().good_frames;
        decoded(&mut driver, first);
        prop_assert!(driver.stats().good_frames > found, "no good frame within {} bytes", within.frame);
        decoded(&mut driver, more);
        prop_assert_eq!(decoded(&mut driver, rest), expected.clone());
        prop_assert!(driver.lock().locked);
        Ok(())
    });
}

/// Pieces of `good`, cut anywhere, between arbitrary bytes.
fn wild(good: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let good = good.to_vec();
    let piece = (0..=good.len(), 0..=good.len()).prop_map(move |(a, b)| good[a.min(b)..a.max(b)].to_vec());
    vec(prop_oneof![piece, vec(any::<u8>(), 0..40)], 0..5).prop_map(|pieces| pieces.concat())
}

/// Runs one property; a failure prints its shortest counterexample.
fn check<S: Strategy>(inputs: &S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(inputs, law) {
        panic!("{failure}");
    }
}
