//! SunTech Medical OEM blood-pressure modules, Advantage family.
//!
//! ```text
//! Devices    Advantage and Advantage A+ modules ("LX", "SB") inside monitors and carts, wired straight
//!            to this box. Not claimed: Tango, CT40, Vet
//! Line       9600 8N1, no flow control, RS-232 or TTL by the carrier board
//! Speaks     when asked, one request at a time; the end of a determination by itself
//! Integrity  one checksum byte: the sum of a packet is 0 mod 256
//!
//! Request    3A cmd [data] ck            no length
//! Reply      3E len data ck              len of the whole packet. It does not say what it answers: that
//!                                        is known from its length and from the request that is out
//!
//! 3A 20 A6         start, adult          answer: O
//! 3A 79 01 00 4C   abort                 answer: A, then K
//! 3A 79 05 00 48   cuff pressure         answer: 3E 05 lo hi ck, mmHg; FFFF not available
//! 3A 79 03 00 4A   last result           answer: 3E 18 ..., 24 bytes:
//!                    2-3 systolic  4-5 diastolic  6 beats  7 status?  8-15 test codes?  16 pulse
//!                    17 spare  18-19 mean  20 error, 0 none  21-22 spare        mmHg and bpm, low byte first
//! 3A 79 02 40 0B   version strings       answer: 3E 43 ..., 67 bytes
//! 3E 04 L ck       O received, K executed or complete, A aborted, B busy, E error, N undefined,
//!                  D not recognised, S sleep, T timeout
//! Errors           01 no pulse  02 motion  03 out of range  04, 58 took too long  55 blocked  56 stopped
//!                  57 leak  59 overpressure  5A 5B 61 63 fault of the module; 85 to 99: the same codes
//!                  written as decimal digits
//!
//! Certain    framing, checksum, start, cuff pressure, result: two sources agree byte for byte
//! One source abort, versions, error codes, letters but K, the waits below
//! Inferred   a result of two or three zeros is none; a cuff pressure above 400 mmHg is none
//! Unknown    how long a determination takes (guard 180 s); byte 7 and the test codes; when E, N, D, S
//!            or T come: in answer to a start or an abort they are a no, else as if nothing had come
//! Not sent   neonatal and paediatric start, initial pressure, reset, pneumatics, calibration, sleep,
//!            venous stasis, self test, return code
//! Recording  tests/recordings/: suntech (none of it captured)
//! ```
//!
//! A result has no age, and a module gives the last one as often as it is asked. So it is asked for only after the K
//! that ends a determination of ours, a result that comes at any other time is not looked at, and a pressure counts
//! only if the cuff was seen, since the start, as tight as the mean that it states: no cuff can have found a pressure
//! that it never had. A person cannot start an OEM module, so none is looked for that we did not start. Who only
//! listens hears no result.
//!
//! Before a start the cuff must be below 15 mmHg and the last determination 5 s past (one source's safe waits; between
//! two of the schedule the bed waits 30 s). A start waits for that, 30 s at most.
//!
//! The probe asks for the version strings. They are read by the same command as cuff pressure and result, which two
//! sources use; their answer has 67 bytes that fit together. Of `3A 00 C6`, the "hello" of one source, it is not known
//! what it does, and a K proves little.

pub mod packet;
#[cfg(test)]
mod tests;

use packet::{Determination, Found, HostRequest, Letter, Packets, Reply};

use super::{
    Certainty, CuffTerms, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol,
    Quantity, Refusal, Reject, Request,
};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, IdentityPart, Notice, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "suntech",
    devices: "SunTech Advantage and Advantage A+ OEM modules",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Poll,
    cadence: IDLE_POLL,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Checksum,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::None,
    cuff: Some(CuffTerms { starts: true, rest: Span::secs(30) }),
    probe_request: Some(HostRequest::Versions.packet()),
};

/// Between two questions while nothing is under way: a sign of life.
const IDLE_POLL: Span = Span::secs(5);
/// Between two questions while something is.
const BUSY_POLL: Span = Span::secs(1);
/// Between any two requests, at least.
const SPACING: Span = Span::millis(100);
/// A reply that has not come by then will not come. Two in a row are the 2 s after which the source gives up.
const REPLY: Span = Span::secs(1);
/// Unanswered in a row, they end what is under way.
const UNHEARD: u8 = 2;
/// Unanswered in a row, they make a module "not ready".
const SILENT: u8 = 3;
/// A start is not repeated: it may have been taken. Its answer is waited for that much longer.
const START_REPLY: Span = Span::secs(2);
/// A busy module is asked to start again after this.
const BUSY_AGAIN: Span = Span::secs(1);
/// Below this the cuff is deflated, mmHg.
const DEFLATED: u16 = 15;
/// How long the cuff rests after a determination, whoever asks.
const REST: Span = Span::secs(5);
/// A start that cannot be sent by then is not sent.
const WAIT: Span = Span::secs(30);
/// A cuff that is deflated for so many answers in a row measures nothing: it did not start, or its K was lost.
const SLACK: u8 = 10;
/// A determination that has not ended by then is aborted.
const GUARD: Span = Span::secs(180);
/// How often an unanswered abort is sent, and an unanswered question for the result.
const TRIES: u8 = 3;

/// How far a determination has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked of us; the start is still to be sent, not before this.
    Wanted(Time),
    /// The start was sent at this time.
    Sent(Time),
    /// The module took it.
    Measuring,
    /// K came at this time; the result may still be asked for so often.
    Ended { at: Time, tries: u8 },
}

/// A determination under way: always one of ours.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// When it was asked for, then when the module took it.
    since: Time,
    stage: Stage,
    /// The highest pressure seen in the cuff, mmHg.
    peak: u16,
    /// So many answers in a row found the cuff deflated.
    slack: u8,
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Suntech {
    packets: Packets,
    /// The port has been opened.
    open: bool,
    /// The request that is out, and when its reply is too late.
    outstanding: Option<(HostRequest, Time)>,
    /// When the last request was sent.
    sent: Option<Time>,
    /// When the cuff pressure was last asked for; `None`: not since the port was opened.
    asked: Option<Time>,
    /// The cuff pressure has been told since the port was opened.
    answered: bool,
    /// Questions for it unanswered in a row.
    missed: u8,
    /// In the cuff, mmHg, as last told.
    cuff: Option<u16>,
    run: Option<Run>,
    /// When the last determination ended.
    ended: Option<Time>,
    /// How often the abort may still be sent.
    aborts: u8,
    /// The state last told.
    shown: Option<CuffState>,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Suntech {
    fn reply(&mut self, reply: Reply, now: Time, out: &mut impl FnMut(Sample)) {
        match reply {
            Reply::Acknowledge(letter) => self.letter(letter, now, out),
            Reply::CuffPressure(mmhg) => self.pressure(mmhg, now, out),
            Reply::Result(result) if self.settled(HostRequest::Result) => self.result(&result, now, out),
            Reply::Versions(text) => out(Sample::Identity { at: now, part: IdentityPart::Firmware, text }),
            Reply::Result(_) | Reply::ReturnCode(_) => {}
        }
        self.show(now, out);
    }

    /// The request is no longer outstanding. Whether it was.
    fn settled(&mut self, request: HostRequest) -> bool {
        let was = self.outstanding.is_some_and(|(outstanding, _)| outstanding == request);
        if was {
            self.outstanding = None;
        }
        was
    }

    /// A letter answers what is outstanding; K and A also come by themselves.
    fn letter(&mut self, letter: Letter, now: Time, out: &mut impl FnMut(Sample)) {
        match (self.outstanding.map(|(request, _)| request), letter) {
            // K does not end what has hardly begun: of two that follow each other, the second does.
            (Some(HostRequest::Start), Letter::Received | Letter::Executed) => {
                self.outstanding = None;
                self.run = self.run.map(|run| Run { since: now, stage: Stage::Measuring, ..run });
            }
            (Some(HostRequest::Start), Letter::Busy) => {
                self.outstanding = None;
                self.advance(Stage::Wanted(now + BUSY_AGAIN));
            }
            (Some(HostRequest::Start), _) => {
                self.outstanding = None;
                out(Sample::Notice { at: now, notice: Notice::Refused });
                self.end(CuffFailure::Failed, now, out);
            }
            (Some(HostRequest::Abort), Letter::Aborted | Letter::Executed) => {
                (self.outstanding, self.aborts, self.ended) = (None, 0, Some(now));
                self.end(CuffFailure::Cancelled, now, out);
            }
            // Sent again when the answer to this one is overdue.
            (Some(HostRequest::Abort), Letter::Busy | Letter::Received) => {}
            (Some(HostRequest::Abort), _) => {
                (self.outstanding, self.aborts) = (None, 0);
                out(Sample::Notice { at: now, notice: Notice::Refused });
            }
            (_, Letter::Executed) if self.measures() => self.advance(Stage::Ended { at: now, tries: TRIES }),
            (_, Letter::Aborted) if self.measures() => self.end(CuffFailure::Cancelled, now, out),
            _ => {}
        }
    }

    fn advance(&mut self, stage: Stage) {
        if let Some(run) = &mut self.run {
            run.stage = stage;
        }
    }

    const fn measures(&self) -> bool {
        matches!(self.run, Some(Run { stage: Stage::Measuring, .. }))
    }

    fn deflated(&self) -> bool {
        self.cuff.is_some_and(|mmhg| mmhg < DEFLATED)
    }

    fn pressure(&mut self, mmhg: Option<u16>, now: Time, out: &mut impl FnMut(Sample)) {
        self.settled(HostRequest::CuffPressure);
        (self.answered, self.missed) = (true, 0);
        let Some(mmhg) = mmhg else { return };
        self.cuff = Some(mmhg);
        let Some(run) = self.run.filter(|_| self.measures()) else { return };
        out(Sample::CuffPressure { at: now, mmhg });
        let slack = if mmhg < DEFLATED { run.slack.saturating_add(1) } else { 0 };
        self.run = Some(Run { slack, peak: run.peak.max(mmhg), ..run });
        if slack >= SLACK {
            self.give_up(CuffFailure::NoAnswer, now, out);
        }
    }

    /// What the module says of the determination that has ended.
    fn result(&mut self, result: &Determination, now: Time, out: &mut impl FnMut(Sample)) {
        let Some(Run { stage: Stage::Ended { at, .. }, peak, .. }) = self.run else { return };
        let pressure = match result.pressure() {
            Ok(pressure) if peak < pressure.mean().as_mmhg() => Err(CuffFailure::Repeated),
            told => told,
        };
        let pulse = if pressure.is_ok() { result.pulse() } else { Measured::Absent(Absent::NotMeasured) };
        (self.run, self.ended) = (None, Some(now));
        out(Sample::CuffResult(CuffResult { at: now, measured_at: at, origin: CuffOrigin::Schedule, pressure, pulse }));
    }

    /// The determination under way, if one is, has ended without a pressure.
    fn end(&mut self, failure: CuffFailure, now: Time, out: &mut impl FnMut(Sample)) {
        if self.run.take().is_some() {
            self.ended = Some(now);
            out(Sample::CuffResult(CuffResult {
                at: now,
                measured_at: now,
                origin: CuffOrigin::Schedule,
                pressure: Err(failure),
                pulse: Measured::Absent(Absent::NotMeasured),
            }));
        }
    }

    /// As [`Self::end`], of one that the module may still be about.
    fn give_up(&mut self, failure: CuffFailure, now: Time, out: &mut impl FnMut(Sample)) {
        if !matches!(self.run, None | Some(Run { stage: Stage::Wanted(_), .. })) {
            self.aborts = TRIES;
        }
        self.end(failure, now, out);
    }

    /// Tells the state of the cuff if it has changed.
    fn show(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        let state = if self.measures() { CuffState::Inflating } else { CuffState::Idle };
        if self.answered && self.shown != Some(state) {
            self.shown = Some(state);
            out(Sample::CuffState { at: now, state });
        }
    }

    /// When what is under way must have come further.
    fn guard(&self) -> Option<Time> {
        let run = self.run?;
        match run.stage {
            Stage::Wanted(_) => Some(run.since + WAIT),
            Stage::Sent(at) => Some(at + START_REPLY),
            Stage::Measuring => Some(run.since + GUARD),
            Stage::Ended { .. } => None,
        }
    }

    /// What can be made now of the bytes that have come.
    fn understand(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        while let Some(found) = self.packets.find() {
            match found {
                Found::Skipped(reason) => self.rejected(reason),
                Found::Reply(reply) => {
                    self.stats.good();
                    self.in_a_row = self.in_a_row.saturating_add(1);
                    self.reply(reply, now, out);
                }
            }
        }
    }

    /// What ends by the passing of time alone.
    fn expire(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        // What has begun when a reply is overdue was noise, and the reply may stand in it.
        while self.outstanding.is_some_and(|(_, until)| now >= until) && self.packets.give_up() {
            self.rejected(Some(Reject::Length));
            self.understand(now, out);
        }
        if let Some((request, until)) = self.outstanding
            && now >= until
        {
            self.outstanding = None;
            match request {
                HostRequest::CuffPressure => {
                    self.missed = self.missed.saturating_add(1);
                    self.answered &= self.missed < SILENT;
                    if self.missed >= UNHEARD {
                        self.give_up(CuffFailure::NoAnswer, now, out);
                    }
                }
                HostRequest::Abort if self.aborts == 0 => self.end(CuffFailure::NoAnswer, now, out),
                _ => {}
            }
        }
        match self.run {
            Some(Run { stage: Stage::Wanted(_), .. }) if self.aborts > 0 => self.end(CuffFailure::Cancelled, now, out),
            Some(Run { stage: Stage::Ended { tries: 0, .. }, .. }) if self.outstanding.is_none() => {
                self.end(CuffFailure::NoAnswer, now, out);
            }
            Some(run) if self.guard().is_some_and(|guard| now >= guard) => {
                let why = match run.stage {
                    // It was busy all the time, or the cuff holds its air and nobody should pump more into it.
                    Stage::Wanted(_) if self.deflated() => CuffFailure::Failed,
                    Stage::Wanted(_) => CuffFailure::Blocked,
                    _ => CuffFailure::NoAnswer,
                };
                self.give_up(why, now, out);
            }
            _ => {}
        }
    }

    /// What to ask next, and when: what stops a cuff goes first.
    fn next(&self) -> (HostRequest, Time) {
        let spaced = self.sent.map_or(Time::ZERO, |sent| sent + SPACING);
        let pause = if self.run.is_some() { BUSY_POLL } else { IDLE_POLL };
        let pressure = (HostRequest::CuffPressure, self.asked.map_or(spaced, |asked| spaced.max(asked + pause)));
        match self.run {
            _ if self.aborts > 0 => (HostRequest::Abort, spaced),
            Some(Run { stage: Stage::Ended { .. }, .. }) => (HostRequest::Result, spaced),
            Some(Run { stage: Stage::Wanted(at), .. }) if self.deflated() => {
                let rested = self.ended.map_or(Time::ZERO, |ended| ended + REST);
                let start = (HostRequest::Start, spaced.max(at).max(rested));
                if start.1 <= pressure.1 { start } else { pressure }
            }
            _ => pressure,
        }
    }

    /// The request is on its way.
    fn sends(&mut self, request: HostRequest, now: Time) {
        let patience = if request == HostRequest::Start { START_REPLY } else { REPLY };
        (self.outstanding, self.sent) = (Some((request, now + patience)), Some(now));
        match (request, &mut self.run) {
            (HostRequest::Abort, _) => self.aborts = self.aborts.saturating_sub(1),
            (HostRequest::CuffPressure, _) => self.asked = Some(now),
            (HostRequest::Start, Some(run)) => run.stage = Stage::Sent(now),
            (HostRequest::Result, Some(Run { stage: Stage::Ended { tries, .. }, .. })) => {
                *tries = tries.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn rejected(&mut self, reason: Option<Reject>) {
        if let Some(reason) = reason {
            self.stats.reject(reason);
        }
        self.stats.skip(1);
        self.in_a_row = 0;
    }
}

impl Driver for Suntech {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What is under way on the module goes on without us.
    fn opened(&mut self, _: Time) {
        let Self { run, ended, aborts, stats, .. } = *self;
        *self = Self { run, ended, aborts, stats, open: true, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.packets.push(*byte);
            self.understand(now, out);
        }
    }

    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
        if !self.open {
            return Poll::default();
        }
        self.expire(now, out);
        self.show(now, out);
        let (request, at) = self.next();
        let send = (self.outstanding.is_none() && now >= at).then_some(request);
        if let Some(request) = send {
            self.sends(request, now);
        }
        let asked = self.outstanding.map_or_else(|| self.next().1, |(_, until)| until);
        Poll { send: send.map(HostRequest::outgoing), next: [Some(asked), self.guard()].into_iter().flatten().min() }
    }

    fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::NotReady);
        }
        let stopping = self.aborts > 0 || self.outstanding.is_some_and(|(request, _)| request == HostRequest::Abort);
        match request {
            Request::StopCuff => self.aborts = TRIES,
            Request::StartCuff if !self.answered => return Err(Refusal::NotReady),
            Request::StartCuff if self.run.is_some() || stopping => return Err(Refusal::Busy),
            Request::StartCuff => self.run = Some(Run { since: now, stage: Stage::Wanted(now), peak: 0, slack: 0 }),
        }
        Ok(())
    }

    /// One packet whose length and checksum fit says enough: all others are skipped, and a pressure is told only of a
    /// determination that began, and was followed, as a module does it.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
