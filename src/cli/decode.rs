//! `vitalsd decode`: bytes of a device to samples.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Error, anyhow, bail};
use clap::Args;
use vitalsd_core::driver::{AnyDriver, DecodeStats, Driver, LineSettings, Parity, Protocol, Reject};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};

use super::{broken_pipe_is_no_error, drivers};
use crate::capture::{self, Header, Playback};
use crate::wire::{self, Timed};

/// Decode bytes of a device: one JSON sample a line, then on standard error what was rejected.
///
/// A capture of `vitalsd capture` is known by its first line, and has its times and its driver in it. Raw bytes
/// have no times of their own: each counts as sent when it would have come over a line that is never idle.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd decode night.capture
  vitalsd decode --driver nonin-df2 raw.bin
  vitalsd decode --driver contec-old - < raw.bin")]
pub struct Decode {
    /// The driver, as `vitalsd drivers` lists them [default: the one that the capture names].
    #[arg(long, value_name = "NAME", value_parser = drivers::named)]
    driver: Option<&'static Protocol>,
    /// A capture, or raw bytes; `-` is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
}

/// The driver's time at the start of a capture: a device may state that something is hours old.
const START: Time = Time::from_millis(86_400_000);
/// How long the line is silent after the last of raw bytes.
const SILENCE: Span = Span::secs(1);

impl Decode {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let named = || {
            format!(
                "{}: cannot be read. Give a file, a capture or raw bytes, that this user may read",
                self.file.display()
            )
        };
        let input: Box<dyn Read> = match self.file.as_os_str().to_str() {
            Some("-") => Box::new(io::stdin().lock()),
            _ => Box::new(File::open(&self.file).with_context(named)?),
        };
        let (is_capture, input) = capture::recognise(input).with_context(named)?;
        if is_capture {
            return self.capture(BufReader::new(input));
        }
        let protocol = self.driver.ok_or_else(|| {
            anyhow!("{}: raw bytes do not name their driver. Give it: --driver NAME", self.file.display())
        })?;
        self.raw(protocol, input)
    }

    fn capture(&self, input: impl BufRead) -> anyhow::Result<()> {
        // These errors name their cause themselves: as a chain it would stand there twice.
        let reader = capture::Reader::new(&self.file, input).map_err(Error::msg)?;
        let protocol = self.driver.map_or_else(|| driver_of(reader.header()), Ok);
        let protocol = protocol.with_context(|| self.file.display().to_string())?;
        let driver = AnyDriver::new(protocol.name).context("the driver is not built in")?;
        let mut playback = Playback::new(reader, driver, START).map_err(Error::msg)?;
        let mut out = io::stdout().lock();
        loop {
            let mut lines = Lines::since(START);
            let step = playback.step(&mut |sample| lines.push(&sample)).map_err(Error::msg);
            if let Err(error) = lines.tell(&mut out)? {
                return broken_pipe_is_no_error(error);
            }
            if step?.is_none() {
                break;
            }
        }
        if playback.cut_off() {
            eprintln!("{}: the last line was cut off and is left out", self.file.display());
        }
        summarise(protocol, playback.stats(), playback.heard())
    }

    fn raw(&self, protocol: &Protocol, mut input: impl Read) -> anyhow::Result<()> {
        let mut driver = AnyDriver::new(protocol.name).context("the driver is not built in")?;
        let line = protocol.lines.first().copied().unwrap_or(LineSettings::n1(9_600));
        let mut out = io::stdout().lock();
        driver.opened(Time::ZERO);
        let (mut buffer, mut count) = ([0; 4_096], 0_u64);
        loop {
            let read = input.read(&mut buffer).with_context(|| format!("{}: cannot be read", self.file.display()))?;
            if read == 0 {
                break;
            }
            let mut lines = Lines::since(Time::ZERO);
            for byte in buffer.iter().take(read) {
                count += 1;
                driver.decode(&[*byte], arrival(line, count), &mut |sample| lines.push(&sample));
            }
            if let Err(error) = lines.tell(&mut out)? {
                return broken_pipe_is_no_error(error);
            }
        }
        // What only silence ends has ended now.
        let mut lines = Lines::since(Time::ZERO);
        driver.poll(arrival(line, count) + SILENCE, &mut |sample| lines.push(&sample));
        if let Err(error) = lines.tell(&mut out)? {
            return broken_pipe_is_no_error(error);
        }
        summarise(protocol, driver.stats(), count)
    }
}

/// The protocol that a capture names.
pub(super) fn driver_of(header: &Header) -> anyhow::Result<&'static Protocol> {
    let name = header.driver.as_deref().context("the capture names no driver. Give it: --driver NAME")?;
    drivers::named(name).map_err(|error| anyhow!("{error}, with --driver"))
}

/// Samples on their way to standard output.
struct Lines {
    zero: Time,
    text: Result<Vec<u8>, serde_json::Error>,
}

impl Lines {
    /// None yet; times count from `zero`.
    const fn since(zero: Time) -> Self {
        Self { zero, text: Ok(Vec::new()) }
    }

    fn push(&mut self, sample: &Sample) {
        let Ok(text) = &mut self.text else { return };
        let at = Time::ZERO + sample.at().since(self.zero);
        match Timed::new(at, wire::Sample::from(sample)).to_line() {
            Ok(line) => {
                text.extend_from_slice(line.as_bytes());
                text.push(b'\n');
            }
            Err(error) => self.text = Err(error),
        }
    }

    /// Writes them; whether that was possible stands in the inner result.
    fn tell(self, out: &mut impl Write) -> anyhow::Result<io::Result<()>> {
        let text = self.text?;
        Ok(if text.is_empty() { Ok(()) } else { out.write_all(&text).and_then(|()| out.flush()) })
    }
}

fn summarise(protocol: &Protocol, stats: &DecodeStats, bytes: u64) -> anyhow::Result<()> {
    eprintln!("{}", in_words(stats, bytes));
    if stats.good_frames == 0 {
        bail!("none of these bytes is of {}: another driver, or text instead of raw bytes?", protocol.name);
    }
    Ok(())
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
