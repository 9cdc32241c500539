//! A port that is listened to once, for a bounded time at each line setting. Nothing is written unless a
//! person has named the port to be asked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use vitalsd_core::driver::{LineSettings, Protocol};
use vitalsd_core::time::{Span, Time};

use super::line::{Line, lines};
use super::panel::{Claim, Panel, Verdict};
use crate::port::serial::{self, OpenError, SerialPort};
use crate::wire::port as wire;

/// A device that was asked has answered by then, or will not.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// So often one is asked: two answers prove it, and one may be lost.
const ASKED: usize = 4;

/// What was found out about a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A driver understands what is said, or several do: then the most credible first.
    Understood {
        /// At these line settings.
        line: LineSettings,
        /// Only after it had been asked.
        asked: bool,
        /// Which protocols.
        claims: Vec<Claim>,
        /// The first may be believed; otherwise a person has to say which.
        clear: bool,
    },
    /// Something is said that no driver understands, at any line setting.
    Unreadable {
        /// So many bytes at the most, at one line setting.
        bytes: usize,
    },
    /// Nothing is said.
    Silence,
    /// Another program has the port; it was left alone.
    InUse {
        /// What is known of it.
        why: String,
    },
    /// The port cannot be listened to.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

/// Finds out which of `protocols` is spoken on the port at `path`. `ask`: a person allows that it is written to.
pub async fn probe(path: &Path, protocols: &[&'static Protocol], ask: bool) -> Answer {
    match Listening::open(path, protocols).await {
        Ok(mut listening) => listening.round(ask).await.unwrap_or_else(|error| failed(&error)),
        Err(error) => failed(&error),
    }
}

impl From<&Answer> for wire::Answer {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Understood { line, asked, claims, clear } => {
                let claim = |Claim { protocol, good_frames, rejected, .. }: &Claim| wire::Claim {
                    protocol: (*protocol).to_owned(),
                    good_frames: *good_frames,
                    rejected: *rejected,
                };
                let claims = claims.iter().map(claim).collect();
                Self::Understood { line: line.to_string(), asked: *asked, claims, clear: *clear }
            }
            Answer::Unreadable { bytes } => Self::Unreadable { bytes: *bytes },
            Answer::Silence => Self::Silence,
            Answer::InUse { why } => Self::InUse { why: why.clone() },
            Answer::Failed { why } => Self::Failed { why: why.clone() },
        }
    }
}

fn failed(error: &OpenError) -> Answer {
    let why = error.to_string();
    if matches!(error, OpenError::Busy { .. }) { Answer::InUse { why } } else { Answer::Failed { why } }
}

struct Listening {
    path: PathBuf,
    lines: Vec<Line>,
    /// `None` only while it is handed to another thread.
    port: Option<SerialPort>,
    start: Instant,
}

impl Listening {
    async fn open(path: &Path, protocols: &[&'static Protocol]) -> Result<Self, OpenError> {
        let (path, lines) = (path.to_owned(), lines(protocols));
        let first = lines.first().map_or(LineSettings::n1(9_600), |line| line.settings);
        let port = blocking(&path, move |path| match serial::in_use(path) {
            Some(busy) => Err(busy),
            None => serial::open(path, first),
        })
        .await?;
        Ok(Self { path, lines, port: Some(port), start: Instant::now() })
    }

    /// Each line setting in turn, until one is understood.
    async fn round(&mut self, ask: bool) -> Result<Answer, OpenError> {
        let mut most = 0;
        for line in self.lines.clone() {
            let mut panel = self.tune(&line).await?;
            self.listen(&mut panel, std_duration(line.dwell(false))).await?;
            let mut asked = false;
            if ask && panel.verdict() == Verdict::Silence {
                asked = true;
                panel = self.ask(&line).await?;
            }
            match panel.verdict() {
                Verdict::Silence => {}
                Verdict::Unreadable { bytes } => most = most.max(bytes),
                verdict @ Verdict::Understood { .. } => {
                    let clear = verdict.clear().is_some();
                    let Verdict::Understood { claims } = verdict else { continue };
                    return Ok(Answer::Understood { line: line.settings, asked, claims, clear });
                }
            }
        }
        Ok(if most > 0 { Answer::Unreadable { bytes: most } } else { Answer::Silence })
    }

    /// Asks for each protocol of `line` that has a harmless request, until one is answered.
    async fn ask(&mut self, line: &Line) -> Result<Panel, OpenError> {
        let mut panel = Panel::of(&line.protocols, self.now());
        for request in line.protocols.iter().filter_map(|protocol| protocol.probe_request) {
            panel.opened(self.now());
            for _ in 0..ASKED {
                if let Some(port) = &mut self.port {
                    // A line that takes nothing answers nothing.
                    let _ = port.try_write(request);
                }
                self.listen(&mut panel, ANSWERS_WITHIN).await?;
                if panel.verdict() == Verdict::Silence {
                    break;
                }
                if matches!(panel.verdict(), Verdict::Understood { .. }) {
                    return Ok(panel);
                }
            }
            if panel.heard() > 0 {
                // It answers somebody else's question, or noise is on the line: nobody else asks.
                break;
            }
        }
        Ok(panel)
    }

    async fn tune(&mut self, line: &Line) -> Result<Panel, OpenError> {
        if let Some(port) = self.port.take() {
            let settings = line.settings;
            self.port = Some(blocking(&self.path, move |path| port.retune(path, settings)).await?);
        }
        Ok(Panel::of(&line.protocols, self.now()))
    }

    async fn listen(&mut self, panel: &mut Panel, length: Duration) -> Result<(), OpenError> {
        let until = Instant::now() + length;
        let mut buffer = [0; 1024];
        let Some(port) = &mut self.port else { return Ok(()) };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match timeout(left, port.read(&mut buffer)).await {
                Err(_) => {
                    panel.fall_silent(Time::from_millis(millis(self.start.elapsed())));
                    return Ok(());
                }
                Ok(Ok(count @ 1..)) => {
                    let now = Time::from_millis(millis(self.start.elapsed()));
                    panel.hear(buffer.get(..count).unwrap_or_default(), now);
                }
                Ok(read) => {
                    let source = read.err().unwrap_or_else(|| std::io::Error::other("the port has hung up"));
                    return Err(OpenError::Io { path: self.path.clone(), source });
                }
            }
        }
    }

    fn now(&self) -> Time {
        Time::from_millis(millis(self.start.elapsed()))
    }
}

/// Opening a port and changing its settings can block.
async fn blocking(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<SerialPort, OpenError> + Send + 'static,
) -> Result<SerialPort, OpenError> {
    let owned = path.to_owned();
    match spawn_blocking(move || work(&owned)).await {
        Ok(done) => done,
        Err(error) => Err(OpenError::Io { path: path.to_owned(), source: std::io::Error::other(error) }),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const fn std_duration(span: Span) -> Duration {
    Duration::from_millis(span.as_millis())
}
