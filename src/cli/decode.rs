//! `vitalsd decode`: raw bytes to samples.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use vitalsd_core::driver::{AnyDriver, DecodeStats, Driver, LineSettings, PROTOCOLS, Parity, Protocol, Reject};
use vitalsd_core::time::{Span, Time};

use super::broken_pipe_is_no_error;
use crate::wire::{Sample, Timed};

/// How long the line is silent after the last byte.
const SILENCE: Span = Span::secs(1);

/// Decode raw bytes of a device: one JSON sample a line, then on standard error what was rejected.
///
/// Bytes from a file have no times of their own: each counts as sent when it would have come over a
/// line that is never idle.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd decode --driver nonin-df2 capture.bin
  vitalsd decode --driver contec-old - < capture.bin")]
pub struct Decode {
    /// The driver, as `vitalsd drivers` lists them.
    #[arg(long, value_name = "NAME", value_parser = protocol)]
    driver: &'static Protocol,
    /// The bytes; `-` is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
}

impl Decode {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let named =
            || format!("{}: cannot be read. Give a file of raw bytes that this user may read", self.file.display());
        let mut input: Box<dyn Read> = match self.file.as_os_str().to_str() {
            Some("-") => Box::new(io::stdin().lock()),
            _ => Box::new(File::open(&self.file).with_context(named)?),
        };
        let mut driver = AnyDriver::new(self.driver.name).context("the driver is not built in")?;
        let line = self.driver.lines.first().copied().unwrap_or(LineSettings::n1(9_600));
        let mut out = io::stdout().lock();
        driver.opened(Time::ZERO);
        let (mut buffer, mut count) = ([0; 4_096], 0_u64);
        loop {
            let read = input.read(&mut buffer).with_context(named)?;
            if read == 0 {
                break;
            }
            let mut told = Told::default();
            for byte in buffer.iter().take(read) {
                count += 1;
                driver.decode(&[*byte], arrival(line, count), &mut |sample| told.take(&sample));
            }
            if let Err(error) = out.write_all(&told.lines()?).and_then(|()| out.flush()) {
                return broken_pipe_is_no_error(error);
            }
        }
        // What only silence ends has ended now.
        let mut told = Told::default();
        driver.poll(arrival(line, count) + SILENCE, &mut |sample| told.take(&sample));
        if let Err(error) = out.write_all(&told.lines()?).and_then(|()| out.flush()) {
            return broken_pipe_is_no_error(error);
        }
        eprintln!("{}", in_words(driver.stats(), count));
        if driver.stats().good_frames == 0 {
            bail!("none of these bytes is of {}: another driver, or text instead of raw bytes?", self.driver.name);
        }
        Ok(())
    }
}

/// Samples as lines.
#[derive(Default)]
struct Told {
    lines: Vec<u8>,
    failed: Option<serde_json::Error>,
}

impl Told {
    fn take(&mut self, sample: &vitalsd_core::sample::Sample) {
        match Timed::new(sample.at(), Sample::from(sample)).to_line() {
            Ok(line) => self.lines.extend(line.bytes().chain(*b"\n")),
            Err(error) => self.failed = Some(error),
        }
    }

    fn lines(self) -> Result<Vec<u8>, serde_json::Error> {
        self.failed.map_or(Ok(self.lines), Err)
    }
}

fn protocol(name: &str) -> Result<&'static Protocol, String> {
    let known = || PROTOCOLS.iter().map(|protocol| protocol.name).collect::<Vec<_>>().join(", ");
    let found = PROTOCOLS.iter().copied().find(|protocol| protocol.name == name);
    found.ok_or_else(|| format!("no such driver `{name}`; give one of {}", known()))
}

/// When the `nth` byte has arrived on a line that is never idle.
fn arrival(line: LineSettings, nth: u64) -> Time {
    // A start bit and eight data bits.
    let bits = 9 + u64::from(line.parity != Parity::None) + u64::from(line.stop_bits);
    Time::from_millis(nth.saturating_mul(bits).saturating_mul(1_000) / u64::from(line.baud.max(1)))
}

fn in_words(stats: &DecodeStats, bytes: u64) -> String {
    let reasons = Reject::ALL.into_iter().filter(|reason| stats.rejected(*reason) > 0);
    let reasons: Vec<_> = reasons.map(|reason| format!("{} {}", stats.rejected(reason), name(reason))).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let DecodeStats { good_frames, bytes_skipped, .. } = stats;
    format!(
        "{bytes} bytes: {good_frames} good frames, {} rejected{reasons}, {bytes_skipped} bytes skipped",
        stats.rejects()
    )
}

const fn name(reason: Reject) -> &'static str {
    match reason {
        Reject::Checksum => "for their checksum",
        Reject::Framing => "for their framing",
        Reject::Length => "for their length",
        Reject::Sequence => "out of sequence",
        Reject::UnknownType => "of unknown type",
        Reject::Content => "for their content",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_arrives_when_its_last_bit_does() {
        assert_eq!(arrival(LineSettings::n1(9_600), 960), Time::from_millis(1_000));
        assert_eq!(arrival(LineSettings::o1(19_200), 1_920), Time::from_millis(1_100));
    }

    #[test]
    fn the_statistics_name_only_the_reasons_that_there_were() {
        let mut stats = DecodeStats { good_frames: 7, ..DecodeStats::default() };
        assert_eq!(in_words(&stats, 35), "35 bytes: 7 good frames, 0 rejected, 0 bytes skipped");
        stats.reject(Reject::Checksum);
        stats.reject(Reject::Length);
        stats.skip(9);
        assert_eq!(
            in_words(&stats, 50),
            "50 bytes: 7 good frames, 2 rejected (1 for their checksum, 1 for their length), 9 bytes skipped"
        );
    }
}
