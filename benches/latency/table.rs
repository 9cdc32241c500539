//! Figures, and how they are shown.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The latencies of one side in one run.
pub struct Side(Histogram<u64>);

impl Side {
    pub fn new() -> Self {
        Self(Histogram::new_with_max(60_000_000_000, 3).expect("bounds that hdrhistogram accepts"))
    }

    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Takes in what another has measured.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the same bounds");
    }

    /// The quantile `q` in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a minute fit")]
    pub fn us(&self, q: f64) -> f64 {
        self.0.value_at_quantile(q) as f64 / 1_000.0
    }

    pub fn row(&self, name: &str) -> String {
        let quantiles = [0.5, 0.9, 0.99, 0.999, 1.0].map(|q| format!("{:7.0}", self.us(q)));
        format!("| {name:<22} | {:5} | {} |", self.0.len(), quantiles.join(" | "))
    }
}

/// Above rows of [`Side::row`].
pub const HEAD: &str = "| microseconds           | count |     p50 |     p90 |     p99 |   p99.9 |     max |\n\
                        |------------------------|------:|--------:|--------:|--------:|--------:|--------:|";

/// The median of an odd number of figures, the upper one of an even number.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
