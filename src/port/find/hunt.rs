//! A device of which it is not known what it speaks, or at which line settings, until it is. Pure: bytes and time
//! in; the line settings to open, what to send and samples out.
//!
//! It goes from step to step: at each line setting it listens first, then each driver that has to speak does so
//! alone, unless the line was not silent. What is enough to be believed stays, until the device falls silent or is
//! no longer understood; then what was believed last is tried first. With one protocol at one line setting there is
//! nothing to hunt for.

use vitalsd_core::driver::{AnyDriver, DecodeStats, Driver, Kind, LineSettings, Poll, Protocol, Refusal, Request};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::{Span, Time};

use super::line::{dwell, lines};
use super::panel::{Seat, Verdict, strength, verdict};

/// A line is not silent if it has more to say than this: a byte or two come up when an adapter is switched on. The
/// slowest stream says three in a second.
const NOISE: usize = 2;

/// The hunt for one device.
#[derive(Debug)]
pub struct Hunt {
    seats: Vec<Seat>,
    steps: Vec<Step>,
    /// The present one.
    at: usize,
    /// Which seat is believed.
    found: Option<usize>,
    /// Nothing is ever sent.
    listen_only: bool,
    /// When the present step ends; `None`: the port is not open at its line settings.
    until: Option<Time>,
    /// Bytes heard at the present line setting, since it was last listened to.
    bytes: usize,
    /// Two drivers that both understand it were told of already.
    doubted: bool,
}

/// A line setting, and who may speak there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    line: LineSettings,
    speaker: Option<usize>,
    dwell: Span,
}

/// What has come of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// This is spoken, at these line settings.
    Found(&'static str, LineSettings),
    /// These all understand it, with the same proof: a person has to say which.
    Doubtful(Vec<&'static str>),
}

impl Hunt {
    /// A hunt over `protocols`, in their order.
    #[must_use]
    pub fn over(protocols: &[&'static Protocol], listen_only: bool) -> Self {
        let drivers = protocols.iter().filter_map(|protocol| AnyDriver::new(protocol.name));
        let seats: Vec<_> = drivers.map(Seat::of).collect();
        let steps = steps(&seats, protocols, listen_only);
        // One protocol at one line setting is known without a hunt.
        let only = protocols.len() == 1 && protocols.iter().all(|protocol| protocol.lines.len() <= 1);
        let found = (only && !seats.is_empty()).then_some(0);
        Self { seats, steps, at: 0, found, listen_only, until: None, bytes: 0, doubted: false }
    }

    /// The line settings at which the port is to be open.
    #[must_use]
    pub fn line(&self) -> LineSettings {
        self.steps.get(self.at).map_or(LineSettings::n1(9_600), |step| step.line)
    }

    /// The protocol, once it is known.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static Protocol> {
        self.known().map(|seat| seat.driver.protocol())
    }

    /// Whether the line settings are known as well.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.found.is_some()
    }

    /// The protocols that may be found.
    pub fn protocols(&self) -> impl Iterator<Item = &'static Protocol> {
        self.seats.iter().map(|seat| seat.driver.protocol())
    }

    /// What the driver that is believed has decoded and rejected.
    #[must_use]
    pub fn stats(&self) -> DecodeStats {
        self.known().map_or_else(DecodeStats::default, |seat| *seat.driver.stats())
    }

    /// The port was opened, or has new line settings: half a frame from before is worth nothing.
    pub fn opened(&mut self, now: Time) {
        self.bytes = 0;
        match self.found.and_then(|index| self.seats.get_mut(index)) {
            Some(seat) => seat.opened(now),
            None => self.begin(now),
        }
    }

    /// The port is gone.
    pub const fn closed(&mut self) {
        self.until = None;
    }

    /// What one read returned. Samples are told only of a driver that is believed; what it had said before that
    /// and will not say again comes with the news.
    pub fn heard(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) -> Option<News> {
        if let Some(seat) = self.found.and_then(|index| self.seats.get_mut(index)) {
            seat.driver.decode(bytes, now, out);
            return None;
        }
        self.until?;
        self.bytes = self.bytes.saturating_add(bytes.len());
        let line = self.line();
        for seat in self.seats.iter_mut().filter(|seat| speaks_at(seat, line)) {
            seat.hear(bytes, now);
        }
        self.judge(out)
    }

    /// What to send now; moves on when the time of a step is over.
    pub fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> (Poll, Option<News>) {
        if let Some(seat) = self.found.and_then(|index| self.seats.get_mut(index)) {
            // One that never sends may end a message by the time that passes.
            let poll = if self.listen_only && !seat.driver.protocol().only_pushes() {
                Poll::default()
            } else {
                seat.driver.poll(now, out)
            };
            return (poll, None);
        }
        let Some(until) = self.until else { return (Poll::default(), None) };
        let silence = self.fall_silent(now);
        let mut news = self.judge(out);
        if self.found.is_none() && now >= until {
            news = news.or_else(|| self.decide(out));
            if self.found.is_none() {
                self.next(now);
            }
        }
        let Some(until) = self.until else { return (Poll::default(), news) };
        let mut poll = self.speak(now);
        poll.next = [poll.next, silence, Some(until)].into_iter().flatten().min();
        (poll, news)
    }

    /// Asks the device for something.
    ///
    /// # Errors
    /// It is not known yet, cannot do it, or not now; or nothing may be sent to it.
    pub fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        match self.found.and_then(|index| self.seats.get_mut(index)) {
            _ if self.listen_only => Err(Refusal::NotSupported),
            Some(seat) => seat.driver.request(request, now),
            None => Err(Refusal::NotReady),
        }
    }

    /// The device has fallen silent, or is no longer understood: the hunt begins again, with what was found last.
    /// Returns whether there is anything to hunt for.
    pub fn lost(&mut self, now: Time) -> bool {
        if self.steps.len() <= 1 && self.seats.len() <= 1 {
            return false;
        }
        let Some(found) = self.found.take() else { return true };
        let line = self.line();
        // First as it was, then the others in their order.
        let spoke = |step: &Step| step.line == line && (step.speaker == Some(found));
        let listened = |step: &Step| step.line == line && step.speaker.is_none();
        let place = self.steps.iter().position(spoke).or_else(|| self.steps.iter().position(listened));
        if let Some(place) = place {
            let step = self.steps.remove(place);
            self.steps.insert(0, step);
        }
        self.at = 0;
        self.bytes = 0;
        self.begin(now);
        true
    }

    /// The seat that is believed, or the only one.
    fn known(&self) -> Option<&Seat> {
        match (self.found, self.seats.as_slice()) {
            (Some(index), seats) => seats.get(index),
            (None, [only]) => Some(only),
            _ => None,
        }
    }

    /// Those who understand the present line setting.
    fn listening(&self) -> impl Iterator<Item = &Seat> {
        let line = self.line();
        self.seats.iter().filter(move |seat| speaks_at(seat, line))
    }

    /// Lets silence end what it ends; when it may next.
    fn fall_silent(&mut self, now: Time) -> Option<Time> {
        let line = self.line();
        let seats = self.seats.iter_mut().filter(|seat| speaks_at(seat, line));
        seats.filter_map(|seat| seat.fall_silent(now)).min()
    }

    /// Decides as soon as nobody else may yet prove as much: who is in step is heard out.
    fn judge(&mut self, out: &mut impl FnMut(Sample)) -> Option<News> {
        let rivals = self.listening().filter(|seat| seat.claim().is_none() && seat.in_step());
        let strongest = self.listening().filter(|seat| seat.claim().is_some()).map(of).max()?;
        if rivals.map(of).any(|strength| strength >= strongest) {
            return None;
        }
        self.decide(out)
    }

    /// Believes the one that may be believed.
    fn decide(&mut self, out: &mut impl FnMut(Sample)) -> Option<News> {
        let line = self.line();
        let verdict = verdict(self.listening(), self.bytes);
        if let Some(claim) = verdict.clear() {
            let index = self.seats.iter().position(|seat| seat.driver.protocol().name == claim.protocol)?;
            self.seats.get_mut(index)?.said(out);
            self.found = Some(index);
            self.until = None;
            self.doubted = false;
            return Some(News::Found(claim.protocol, line));
        }
        match verdict {
            Verdict::Understood { claims } if !self.doubted => {
                self.doubted = true;
                Some(News::Doubtful(claims.iter().map(|claim| claim.protocol).collect()))
            }
            _ => None,
        }
    }

    /// The present step begins.
    fn begin(&mut self, now: Time) {
        let Some(step) = self.steps.get(self.at).copied() else { return };
        self.until = Some(now + step.dwell);
        if step.speaker.is_none() {
            // What was noise once is none for ever.
            self.bytes = 0;
        }
        for seat in self.seats.iter_mut().filter(|seat| speaks_at(seat, step.line)) {
            seat.opened(now);
        }
    }

    /// Goes on to the next step: at once at the same line settings, else when the port has the new ones.
    fn next(&mut self, now: Time) {
        let before = self.line();
        let seldom = self.protocols().all(|protocol| protocol.kind == Kind::Push);
        if seldom && self.bytes <= NOISE {
            // Its silence proves nothing: only what cannot be read says that the line settings are wrong.
            self.until = self.steps.get(self.at).map(|step| now + step.dwell);
            return;
        }
        let count = self.steps.len();
        for _ in 0..count {
            self.at = self.at.saturating_add(1).checked_rem(count).unwrap_or_default();
            let Some(step) = self.steps.get(self.at) else { return };
            // Nobody speaks to a device that already answers another, or that this line is not made for.
            if step.line != before || step.speaker.is_none() || self.bytes <= NOISE {
                break;
            }
        }
        if self.line() == before {
            self.begin(now);
        } else {
            self.until = None;
        }
    }

    /// What the speaker of the present step wants to send, while no other is answered.
    fn speak(&mut self, now: Time) -> Poll {
        let Some(speaker) = self.steps.get(self.at).and_then(|step| step.speaker) else { return Poll::default() };
        let line = self.line();
        let others = self.seats.iter().enumerate().filter(|(index, seat)| *index != speaker && speaks_at(seat, line));
        if self.listen_only || others.into_iter().any(|(_, seat)| seat.in_step()) {
            return Poll::default();
        }
        self.seats.get_mut(speaker).map_or_else(Poll::default, |seat| seat.poll(now))
    }
}

/// Every line setting: first listening, then each driver that has to speak.
fn steps(seats: &[Seat], protocols: &[&'static Protocol], listen_only: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in lines(protocols) {
        steps.push(Step { line: line.settings, speaker: None, dwell: line.dwell(listen_only) });
        for protocol in line.protocols.iter().filter(|protocol| matches!(protocol.kind, Kind::Start | Kind::Poll)) {
            let speaker = seats.iter().position(|seat| seat.driver.protocol().name == protocol.name);
            if !listen_only && speaker.is_some() {
                steps.push(Step { line: line.settings, speaker, dwell: dwell(protocol) });
            }
        }
    }
    steps
}

fn speaks_at(seat: &Seat, line: LineSettings) -> bool {
    seat.driver.protocol().lines.contains(&line)
}

fn of(seat: &Seat) -> u8 {
    strength(seat.driver.protocol())
}

#[cfg(test)]
mod tests;
