//! A capture through its driver, as if the line were there.

use std::io::BufRead;

use vitalsd_core::driver::{AnyDriver, DecodeStats, Driver, Poll, Request};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};

use super::{CaptureError, Reader, What};

/// A capture on its way through a driver.
///
/// The driver lives through what it lived through at the line: it is told when the port was opened and when
/// bytes came, asked what to send when something was sent, and whenever it wants to be. What it wants to send
/// is not sent: what the device answered stands in the capture.
#[derive(Debug)]
pub struct Playback<R> {
    reader: Reader<R>,
    driver: AnyDriver,
    /// What the driver's clock shows at the start of the capture.
    zero: Time,
    /// The port is open.
    open: bool,
    /// The driver is asked what to send: not where nobody asked the device, unless it never sends.
    asked: bool,
    /// When the driver wants to be asked again.
    poll: Option<Time>,
    /// The line that is read and not yet due.
    next: Option<Pending>,
    bytes: Vec<u8>,
    heard: u64,
}

/// A line that is not yet due; its bytes stand in the playback.
#[derive(Clone, Copy, Debug)]
struct Pending {
    at: Time,
    what: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Heard,
    Sent,
    Opened,
    Lost,
    Asked(Request),
    End,
}

/// What happened at one moment of a playback, beside the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The port was opened.
    Opened,
    /// So many bytes came.
    Heard(usize),
    /// The port was lost.
    Lost,
    /// Nothing but time has passed.
    Nothing,
}

impl<R: BufRead> Playback<R> {
    /// A capture for `driver`, whose clock shows `zero` at the start of it. A device states ages as well: a
    /// `zero` of some hours lets them lie before the start.
    ///
    /// # Errors
    /// The first line cannot be read.
    pub fn new(reader: Reader<R>, driver: AnyDriver, zero: Time) -> Result<Self, CaptureError> {
        let asked = !reader.header().listened_only || driver.protocol().only_pushes();
        let mut playback =
            Self { reader, driver, zero, open: false, asked, poll: None, next: None, bytes: Vec::new(), heard: 0 };
        // A capture begins with an open port, whether or not it says so.
        playback.open_port(zero);
        playback.read()?;
        Ok(playback)
    }

    /// When something happens next; `None`: the capture has ended.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        let line = self.next?.at;
        Some(self.poll.map_or(line, |poll| poll.min(line)))
    }

    /// Lets happen what happens next, one thing; what the driver says goes to `out`. `None`: the capture has
    /// ended.
    ///
    /// # Errors
    /// The line after it cannot be read.
    pub fn step(&mut self, out: &mut impl FnMut(Sample)) -> Result<Option<(Time, Told)>, CaptureError> {
        let Some(pending) = self.next else { return Ok(None) };
        if let Some(poll) = self.poll.filter(|poll| *poll < pending.at) {
            self.ask(poll, out);
            return Ok(Some((poll, Told::Nothing)));
        }
        let told = self.happen(pending, out);
        self.read()?;
        Ok(Some((pending.at, told)))
    }

    /// What the driver has decoded and rejected.
    #[must_use]
    pub fn stats(&self) -> &DecodeStats {
        self.driver.stats()
    }

    /// How many bytes have come from the device.
    #[must_use]
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// Whether the last line was cut off and is left out.
    #[must_use]
    pub const fn cut_off(&self) -> bool {
        self.reader.cut_off()
    }

    fn read(&mut self) -> Result<(), CaptureError> {
        self.next = None;
        let Some(line) = self.reader.next_line()? else { return Ok(()) };
        let what = match line.what {
            What::Heard(bytes) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(bytes);
                Kind::Heard
            }
            What::Sent(_) => Kind::Sent,
            What::Opened => Kind::Opened,
            What::Lost => Kind::Lost,
            What::Asked(request) => Kind::Asked(request),
            What::End => Kind::End,
        };
        self.next = Some(Pending { at: self.zero + line.at.since(Time::ZERO), what });
        Ok(())
    }

    fn happen(&mut self, Pending { at, what }: Pending, out: &mut impl FnMut(Sample)) -> Told {
        let told = match what {
            Kind::Heard => {
                self.driver.decode(&self.bytes, at, out);
                self.heard = self.heard.saturating_add(self.bytes.len().try_into().unwrap_or(u64::MAX));
                Told::Heard(self.bytes.len())
            }
            Kind::Opened => {
                self.open_port(at);
                Told::Opened
            }
            Kind::Lost => {
                (self.open, self.poll) = (false, None);
                Told::Lost
            }
            Kind::Asked(request) => {
                // Refused now as it was then.
                let _ = self.driver.request(request, at);
                Told::Nothing
            }
            Kind::Sent | Kind::End => Told::Nothing,
        };
        self.ask(at, out);
        told
    }

    fn open_port(&mut self, at: Time) {
        self.open = true;
        self.driver.opened(at);
        self.poll = self.asked.then_some(at);
    }

    fn ask(&mut self, at: Time, out: &mut impl FnMut(Sample)) {
        if !self.open || !self.asked {
            return;
        }
        let Poll { next, .. } = self.driver.poll(at, out);
        self.poll = next.map(|next| next.max(at + Span::millis(1)));
    }
}
