//! How long a byte takes at each stage, in histograms (DESIGN 5).

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::wire::Latency;
use crate::wire::host::Percentiles;

/// A minute in nanoseconds: what takes longer is counted as that.
const LONGEST_NS: u64 = 60_000_000_000;

/// The stages of the way of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the return of a read to the samples.
    Decode,
    /// From the samples to what the bed says.
    Decide,
    /// From there to the bytes handed to the socket.
    Send,
    /// From there to the broker's confirmation.
    Confirm,
}

/// One histogram a stage, since the start.
#[derive(Debug)]
pub struct Stages {
    decode: Histogram<u64>,
    decide: Histogram<u64>,
    send: Histogram<u64>,
    confirm: Histogram<u64>,
}

impl Default for Stages {
    /// Empty, and large enough never to grow.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants, and a test makes one")]
        let histogram = || Histogram::new_with_max(LONGEST_NS, 3).expect("bounds that hdrhistogram accepts");
        Self { decode: histogram(), decide: histogram(), send: histogram(), confirm: histogram() }
    }
}

impl Stages {
    /// Takes one measurement.
    pub fn record(&mut self, stage: Stage, took: Duration) {
        let histogram = match stage {
            Stage::Decode => &mut self.decode,
            Stage::Decide => &mut self.decide,
            Stage::Send => &mut self.send,
            Stage::Confirm => &mut self.confirm,
        };
        histogram.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).clamp(1, LONGEST_NS));
    }

    /// The percentiles so far.
    #[must_use]
    pub fn latency(&self) -> Latency {
        Latency {
            decode: percentiles(&self.decode),
            decide: percentiles(&self.decide),
            send: percentiles(&self.send),
            confirm: percentiles(&self.confirm),
        }
    }
}

fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    let us = |ns: u64| ns.div_ceil(1_000);
    Percentiles {
        count: histogram.len(),
        p50_us: us(histogram.value_at_quantile(0.5)),
        p99_us: us(histogram.value_at_quantile(0.99)),
        p999_us: us(histogram.value_at_quantile(0.999)),
        max_us: us(histogram.max()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_counted_by_itself_and_nothing_is_too_long_to_count() {
        let mut stages = Stages::default();
        for us in 1..=100 {
            stages.record(Stage::Decode, Duration::from_micros(us));
        }
        stages.record(Stage::Confirm, Duration::from_secs(3_600));
        stages.record(Stage::Confirm, Duration::ZERO);
        let latency = stages.latency();
        // Three significant figures, rounded up to whole microseconds.
        assert_eq!(latency.decode.count, 100);
        assert!((50..=51).contains(&latency.decode.p50_us) && (100..=101).contains(&latency.decode.max_us));
        assert_eq!(latency.confirm.count, 2);
        assert!(latency.confirm.max_us >= 60_000_000);
        assert_eq!(latency.decide, Percentiles::default());
    }
}
