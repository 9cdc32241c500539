//! `vitalsd capture`: what goes over a serial line, byte for byte, with its times.

use std::fs::OpenOptions;
use std::future::pending;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{self, Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep_until;
use vitalsd_core::driver::{AnyDriver, Driver, LineSettings, Protocol};
use vitalsd_core::time::{Span, Time};

use super::{broken_pipe_is_no_error, drivers};
use crate::capture::{Header, Provenance, What, Writer};
use crate::port::line;
use crate::port::name::DeviceRoot;
use crate::port::watch::{Port, PortEvent};

/// Write down what a device sends, byte for byte with its times, for `vitalsd decode` and `vitalsd replay`.
///
/// Listens only: nothing is written to the port unless --start is given. The file holds a person's vital signs, and
/// whatever else the device says, such as its serial number or the id of the patient that was typed in (Omron HBP):
/// look at it before you give it away. It is made readable for its owner alone. It ends with Ctrl-C, or after --for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd capture /dev/serial/by-id/usb-FTDI-if00-port0 night.capture --driver nonin-df2
  vitalsd capture /dev/ttyUSB0 unknown.capture --line \"19200 8O1\" --for 60
  vitalsd capture /dev/ttyUSB0 - --driver contec-v7 --start | vitalsd decode -")]
pub struct Capture {
    /// The port; `vitalsd ports` lists them.
    #[arg(value_name = "PORT")]
    port: PathBuf,
    /// The file to make, which must not be there yet; `-` is standard output.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The driver of the device: for the line settings, and to count good frames.
    #[arg(long, value_name = "NAME", value_parser = drivers::named, required_unless_present = "line")]
    driver: Option<&'static Protocol>,
    /// The line settings, as `9600 8N1` [default: the first ones of the driver].
    #[arg(long, value_name = "SETTINGS", value_parser = settings)]
    line: Option<LineSettings>,
    /// Stop after this many seconds instead of at Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Send the device what its driver asks for: the start command, keep-alives, polls. It never starts a cuff.
    #[arg(long, requires = "driver")]
    start: bool,
}

fn settings(text: &str) -> Result<LineSettings, String> {
    line::parse(text).ok_or_else(|| format!("give {}", line::ALLOWED))
}

/// How often the progress is shown.
const SHOW: Duration = Duration::from_secs(1);

impl Capture {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let line = self.line.or_else(|| self.driver?.lines.first().copied());
        let line = line.with_context(|| format!("the driver has no line settings. Give {}", line::ALLOWED))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(self.capture(line));
        // A port that is still being opened must not hold the end up.
        runtime.shutdown_background();
        result
    }

    async fn capture(&self, line: LineSettings) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut port = Port::new(DeviceRoot::default(), path::absolute(&self.port)?, line);
        match port.next().await {
            PortEvent::Opened { .. } => {}
            PortEvent::Lost { text, .. } => return Err(Error::msg(text)),
            PortEvent::Bytes { .. } => bail!("bytes of a port that is not open"),
        }
        let mut tape = self.tape(line)?;
        tape.opened(Instant::now());
        let end = self.seconds.map(|seconds| tokio::time::Instant::from(tape.start + Duration::from_secs(seconds)));
        loop {
            let wanted = tape.wanted();
            tokio::select! {
                biased;
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                () = async { match end { Some(end) => sleep_until(end).await, None => pending().await } } => break,
                event = port.next() => match event {
                    PortEvent::Bytes { bytes, at } => tape.heard(bytes, at),
                    PortEvent::Opened { .. } => tape.opened(Instant::now()),
                    PortEvent::Lost { text, .. } => tape.lost(&text),
                },
                () = sleep_until(wanted.into()) => {}
            }
            tape.ask(&mut port);
            tape.show(Instant::now());
            if tape.result.is_err() {
                break;
            }
        }
        tape.end(&self.file)
    }

    /// Makes the file.
    fn tape(&self, line: LineSettings) -> anyhow::Result<Tape> {
        let out: Box<dyn Write> = match self.file.as_os_str().to_str() {
            Some("-") => Box::new(io::stdout()),
            _ => {
                let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file);
                Box::new(made.map_err(|error| not_made(&self.file, &error))?)
            }
        };
        let (port, provenance) = about(&self.port);
        let header = Header {
            driver: self.driver.map(|protocol| protocol.name.to_owned()),
            line: Some(line),
            started_at: Timestamp::from_millisecond(Timestamp::now().as_millisecond()).ok(),
            port: Some(port),
            listened_only: !self.start,
            ..Header::of(provenance)
        };
        let start = Instant::now();
        Ok(Tape {
            writer: Writer::new(BufWriter::new(out), &header)?,
            start,
            driver: self.driver.and_then(|protocol| AnyDriver::new(protocol.name)),
            asks: self.start,
            poll: None,
            bytes: 0,
            terminal: io::stderr().is_terminal(),
            shown: start,
            result: Ok(()),
        })
    }
}

/// A capture while it is made.
struct Tape {
    writer: Writer<BufWriter<Box<dyn Write>>>,
    start: Instant,
    driver: Option<AnyDriver>,
    /// Whether the driver is asked what to send.
    asks: bool,
    /// When it wants to be asked again.
    poll: Option<Time>,
    bytes: u64,
    /// Somebody looks at the progress.
    terminal: bool,
    shown: Instant,
    /// Whether everything could be written so far.
    result: io::Result<()>,
}

impl Tape {
    fn heard(&mut self, bytes: &[u8], at: Instant) {
        let now = self.time(at);
        self.write(now, What::Heard(bytes));
        self.bytes = self.bytes.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
        if let Some(driver) = &mut self.driver {
            driver.decode(bytes, now, &mut |_| {});
        }
    }

    fn opened(&mut self, at: Instant) {
        let now = self.time(at);
        self.write(now, What::Opened);
        if let Some(driver) = &mut self.driver {
            driver.opened(now);
            self.poll = self.asks.then_some(now);
        }
    }

    fn lost(&mut self, text: &str) {
        let now = self.time(Instant::now());
        self.write(now, What::Lost);
        self.poll = None;
        self.clear();
        eprintln!("{text}");
    }

    /// Sends what the driver wants to send, if it is asked at all.
    fn ask(&mut self, port: &mut Port) {
        let now = self.time(Instant::now());
        let Some(driver) = self.driver.as_mut().filter(|_| self.asks && self.poll.is_some()) else { return };
        let poll = driver.poll(now, &mut |_| {});
        // One that wants nothing is asked again after the next bytes.
        self.poll = Some(poll.next.unwrap_or(now + Span::mins(1)));
        if let Some(send) = poll.send {
            match port.write(&send) {
                Ok(()) => self.write(now, What::Sent(&send)),
                Err(error) => {
                    self.clear();
                    eprintln!("{error}");
                }
            }
        }
    }

    /// When to turn at the latest.
    fn wanted(&self) -> Instant {
        let poll = self.poll.map(|poll| self.start + Duration::from_millis(poll.since(Time::ZERO).as_millis()));
        let show = Instant::now() + SHOW;
        poll.map_or(show, |poll| poll.min(show))
    }

    fn write(&mut self, at: Time, what: What<'_>) {
        if self.result.is_ok() {
            // Who reads it live wants the line now, and who is killed has it on disk.
            self.result = self.writer.write(at, what).and_then(|()| self.writer.flush());
        }
    }

    fn show(&mut self, now: Instant) {
        if self.terminal && now.duration_since(self.shown) >= SHOW {
            self.shown = now;
            eprint!("\r\x1b[K{}", self.progress(now));
        }
    }

    /// Takes the progress away, for a line that stays.
    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn progress(&self, now: Instant) -> String {
        let seconds = now.duration_since(self.start).as_secs();
        let frames = self.driver.as_ref().map_or_else(String::new, |driver| {
            format!(", {} good frames, {} rejected", driver.stats().good_frames, driver.stats().rejects())
        });
        format!("{seconds} s: {} bytes{frames}", self.bytes)
    }

    fn end(mut self, file: &Path) -> anyhow::Result<()> {
        let now = Instant::now();
        self.write(self.time(now), What::End);
        self.clear();
        eprintln!("{}", self.progress(now));
        if self.bytes == 0 {
            let start = if self.asks { "" } else { ", and does it wait to be asked (--driver NAME --start)" };
            eprintln!("nothing came: is the device switched on and set to send, are the line settings right{start}?");
        }
        match self.result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => broken_pipe_is_no_error(error),
            Err(error) => Err(anyhow!("{}: {error}. Is the disk full? What was written is kept", file.display())),
        }
    }

    fn time(&self, at: Instant) -> Time {
        Time::from_millis(u64::try_from(at.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX))
    }
}

fn not_made(file: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::AlreadyExists => "Give another name: what is there is not written over",
        io::ErrorKind::NotFound => "Make its directory first",
        _ => "Give a file in a directory that this user may write to",
    };
    anyhow!("{}: {error}. {remedy}", file.display())
}

/// The port for people, without its serial number, and what stands behind it.
fn about(port: &Path) -> (String, Provenance) {
    let target = port.canonicalize().unwrap_or_else(|_| port.to_owned());
    if target.starts_with("/dev/pts") {
        return ("pseudo-terminal".into(), Provenance::Simulated);
    }
    let usb = DeviceRoot::default().plugged_in().into_iter().find(|found| found.target == target).and_then(|it| it.usb);
    (usb.map_or_else(|| "serial port".into(), |usb| usb.to_string()), Provenance::Device)
}
