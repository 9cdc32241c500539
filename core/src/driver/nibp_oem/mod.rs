//! The ASCII protocol of many OEM blood-pressure boards ("01;;D7").
//!
//! ```text
//! Devices    Medlab NIBP2010 and NIBP2020UP, UN300C, Sinnor N6, NIBScan, Abaton and relatives: boards
//!            inside low-cost monitors, wired straight to this box
//! Line       4800 8N1, no flow control, RS-232 or TTL
//! Speaks     status when asked, and once after power-up; cuff pressure and the end of a determination
//!            by itself while it measures
//! Integrity  framing, exact lengths and separators. The check digits of what a board sends are NOT
//!            checked, nor counted: both published lines contradict the only rule that is known (that
//!            of the requests), so what does not fit proves nothing
//!
//! Host       STX text ETX                STX 02, ETX 03; the last two characters are the sum of the others, hex
//!   01;;D7     start one determination   (no answer: cuff pressures follow)
//!   18;;DF     status and last result
//!   X          one byte, unframed: abort (no answer known)
//! Board      STX text ETX CR
//!   pppCxSy    7 characters, while measuring: mmHg in the cuff; x 0, or the cuff is not for this
//!              patient mode; y 3 measuring, 4 manometer, 5 watchdog test, 7 pneumatic test
//!   999        the determination has ended
//!   Ss;Aa;Ccc;Mmm;Psssdddmmm;Rrrr;Ttttt;;hh    39 characters: state, patient (0 adult, 1 neonate),
//!              cycle mode, message, systolic diastolic mean, pulse, a time?, check digits; dashes: none
//! Messages   00 none; with dashes: interrupted by a user. 02 self-test failed  05 interrupted  06 cuff
//!            too loose  07 leak  08 pressure loss  09 no pulse  10 out of range  11 motion
//!            12 overpressure  13 motion or signal  15 system error
//!
//! Certain    framing, start, status and its columns: six programs agree
//! One source message codes, patient and cuff digits
//! Inferred   status S3 is "measuring", as in cuff lines?; 8 s without a cuff line, and nothing measures?
//! Unknown    the check digits of a reply; the time counter; what answers X; how long a determination
//!            takes (guard 180 s, then X); safe waits (the bed waits 30 s between two); the numbers of
//!            the cycle commands (the bed keeps the time)
//! Not sent   manual mode, manometer, pneumatic test, start pressures, adult and neonate mode
//! Recording  tests/recordings/: nibp-oem (none of it captured)
//! ```
//!
//! A status has no age: the same last result comes after each power-up and as often as it is asked for. So it counts
//! only as the answer to our question after the 999 of a determination whose cuff pressures we heard, and a pressure
//! only if the cuff was, in them, as tight as the mean that it states. One that we did not start (a cycle of the board, a
//! button of what it sits in) shows by its cuff lines, and is told as of the bedside. Who only listens takes the answer to
//! somebody else's question; where nobody asks, that determination has no answer when the next one begins. A start that
//! cannot be sent within 5 s is never sent.
//!
//! A pressure measured in neonate mode, or with a cuff that the board finds not to fit its mode, is refused and told as
//! a fault of the device: nobody here is a neonate, and a person has to set it right. A pulse below 20 is none.

pub mod line;
#[cfg(test)]
mod tests;

use line::{Heard, HostRequest, Line, Lines, MEASURING, Status};

use super::{
    Certainty, CuffTerms, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol,
    Quantity, Refusal, Request,
};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured};

/// The protocol, for the registry. It is polled: a board that has nothing to measure says nothing by itself.
pub static PROTOCOL: Protocol = Protocol {
    name: "nibp-oem",
    devices: "OEM boards: Medlab NIBP2010 and NIBP2020UP, UN300C, Sinnor N6, NIBScan, Abaton",
    lines: &[LineSettings::n1(4_800)],
    kind: Kind::Poll,
    cadence: IDLE_POLL,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::None,
    cuff: Some(CuffTerms { starts: true, rest: Span::secs(30) }),
    probe_request: Some(HostRequest::Status.bytes()),
};

/// Between two questions while nothing is under way: a sign of life.
const IDLE_POLL: Span = Span::secs(5);
/// A reply that has not come by then will not come.
const REPLY: Span = Span::secs(1);
/// A board is left in peace for so long after 999, as one of the sources does.
const SETTLE: Span = Span::secs(1);
/// A board that measures is never silent for longer, nor does one that has measured keep its result to itself.
const QUIET: Span = Span::secs(8);
/// A start that cannot be sent by then is not sent.
const WAIT: Span = Span::secs(5);
/// A determination that we started and that has not ended by then is aborted.
const GUARD: Span = Span::secs(180);
/// How often an X of which nothing comes is sent, and an unanswered question for the result.
const TRIES: u8 = 3;
/// Unanswered questions in a row that make a board "not ready".
const SILENT: u8 = 3;

/// How far a determination has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked of us; the start is still to be sent.
    Wanted,
    /// The start was sent at this time.
    Sent(Time),
    /// The board tells the pressure in the cuff, last at this time.
    Measuring(Time),
    /// 999 came at this time; the result may still be asked for so often.
    Ended { at: Time, tries: u8 },
}

/// A determination under way.
#[derive(Clone, Copy, Debug)]
struct Run {
    origin: CuffOrigin,
    /// When it was asked for, then when the board was first heard to measure.
    since: Time,
    stage: Stage,
    /// The highest pressure heard of in the cuff, mmHg.
    peak: u16,
    /// The board said that the cuff does not fit.
    misfit: bool,
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct NibpOem {
    lines: Lines,
    /// The port has been opened.
    open: bool,
    /// The request that is out, and when its reply is too late.
    outstanding: Option<(HostRequest, Time)>,
    /// When the status was last asked for; `None`: not since the port was opened.
    asked: Option<Time>,
    /// It has been answered since the port was opened.
    answered: bool,
    /// Questions for it unanswered in a row.
    missed: u8,
    run: Option<Run>,
    /// How often X may still be sent.
    aborts: u8,
    /// X was sent and no 999 came: the status will tell.
    doubt: bool,
    /// The state last told.
    shown: Option<CuffState>,
    in_a_row: u32,
    stats: DecodeStats,
}

impl NibpOem {
    fn line(&mut self, line: Line, now: Time, out: &mut impl FnMut(Sample)) {
        match line {
            Line::Cuff { mmhg, misfit, state: MEASURING } => self.cuff(mmhg, misfit != 0, now, out),
            // A service mode, that nobody asked for.
            Line::Cuff { .. } => {}
            Line::Finished => self.finished(now, out),
            Line::Status(status) => {
                // Who only listens hears the answers to somebody else's questions.
                if self.settled(HostRequest::Status) || self.asked.is_none() {
                    (self.answered, self.missed) = (true, 0);
                    self.status(&status, now, out);
                }
            }
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

    /// Whether X has been sent, or is to be, and nothing has come of it yet.
    fn stopping(&self) -> bool {
        let sent = self.outstanding.is_some_and(|(request, _)| request == HostRequest::Abort);
        self.aborts > 0 || self.doubt || sent
    }

    /// The board measures.
    fn cuff(&mut self, mmhg: u16, misfit: bool, now: Time, out: &mut impl FnMut(Sample)) {
        // The last of what has been told already: air that leaves.
        if self.run.is_none() && self.stopping() {
            return;
        }
        let begins = |origin| Run { origin, since: now, stage: Stage::Measuring(now), peak: 0, misfit: false };
        let run = match self.run {
            None => begins(CuffOrigin::Bedside),
            // Who only listens hears of the one before when somebody asks, and here nobody did.
            Some(Run { stage: Stage::Ended { at, .. }, .. }) if now >= at + QUIET => {
                self.end(CuffFailure::NoAnswer, now, out);
                begins(CuffOrigin::Bedside)
            }
            Some(Run { stage: Stage::Sent(_), .. }) => begins(CuffOrigin::Schedule),
            Some(run @ Run { stage: Stage::Measuring(_), .. }) => run,
            Some(Run { stage: Stage::Wanted | Stage::Ended { .. }, .. }) => return,
        };
        let (peak, misfit) = (run.peak.max(mmhg), run.misfit | misfit);
        self.run = Some(Run { stage: Stage::Measuring(now), peak, misfit, ..run });
        out(Sample::CuffPressure { at: now, mmhg });
    }

    fn finished(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if self.stopping() {
            self.stopped(CuffFailure::Cancelled, now, out);
        } else if let Some(run @ Run { stage: Stage::Measuring(_), .. }) = &mut self.run {
            run.stage = Stage::Ended { at: now, tries: TRIES };
        }
    }

    /// X has done what it should, or has been given up.
    fn stopped(&mut self, why: CuffFailure, now: Time, out: &mut impl FnMut(Sample)) {
        (self.aborts, self.doubt) = (0, false);
        self.settled(HostRequest::Abort);
        self.end(why, now, out);
    }

    fn status(&mut self, status: &Status, now: Time, out: &mut impl FnMut(Sample)) {
        if self.doubt {
            match (status.state, self.aborts) {
                (MEASURING, 0) => self.stopped(CuffFailure::NoAnswer, now, out),
                (MEASURING, _) => self.doubt = false,
                _ => self.stopped(CuffFailure::Cancelled, now, out),
            }
            return;
        }
        let Some(Run { origin, stage: Stage::Ended { at, .. }, peak, misfit, .. }) = self.run else { return };
        let pressure = match status.pressure() {
            Ok(_) if misfit => Err(CuffFailure::DeviceFault),
            Ok(pressure) if peak < pressure.mean().as_mmhg() => Err(CuffFailure::Repeated),
            told => told,
        };
        let pulse = if pressure.is_ok() { status.pulse() } else { Measured::Absent(Absent::NotMeasured) };
        self.run = None;
        out(Sample::CuffResult(CuffResult { at: now, measured_at: at, origin, pressure, pulse }));
    }

    /// The determination under way, if one is, has ended without a pressure.
    fn end(&mut self, failure: CuffFailure, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some(Run { origin, .. }) = self.run.take() {
            out(Sample::CuffResult(CuffResult {
                at: now,
                measured_at: now,
                origin,
                pressure: Err(failure),
                pulse: Measured::Absent(Absent::NotMeasured),
            }));
        }
    }

    /// Tells the state of the cuff if it has changed.
    fn show(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        let measures = matches!(self.run, Some(Run { stage: Stage::Measuring(_), .. }));
        let state = if measures { CuffState::Inflating } else { CuffState::Idle };
        if self.shown != Some(state) {
            self.shown = Some(state);
            out(Sample::CuffState { at: now, state });
        }
    }

    /// When what is under way must have come further. While it is being stopped, that decides.
    fn guard(&self) -> Option<Time> {
        let run = self.run.filter(|_| !self.stopping())?;
        Some(match (run.stage, run.origin) {
            (Stage::Wanted, _) => run.since + WAIT,
            (Stage::Sent(at) | Stage::Ended { at, .. }, _) => at + QUIET,
            (Stage::Measuring(heard), CuffOrigin::Schedule) => (heard + QUIET).min(run.since + GUARD),
            (Stage::Measuring(heard), _) => heard + QUIET,
        })
    }

    /// What ends by the passing of time alone.
    fn expire(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some((request, until)) = self.outstanding
            && now >= until
        {
            self.outstanding = None;
            match request {
                HostRequest::Abort => self.doubt = true,
                HostRequest::Status => {
                    self.missed = self.missed.saturating_add(1);
                    self.answered &= self.missed < SILENT;
                    if core::mem::take(&mut self.doubt) && self.aborts == 0 {
                        self.stopped(CuffFailure::NoAnswer, now, out);
                    }
                }
                HostRequest::Start => {}
            }
        }
        match self.run {
            Some(Run { stage: Stage::Wanted, .. }) if self.aborts > 0 => self.end(CuffFailure::Cancelled, now, out),
            Some(Run { stage: Stage::Ended { tries: 0, .. }, .. }) if self.outstanding.is_none() => {
                self.end(CuffFailure::NoAnswer, now, out);
            }
            Some(run) if self.guard().is_some_and(|guard| now >= guard) => {
                // What somebody else started is not ours to stop, and what has not begun or has ended needs no stop.
                let ours = run.origin == CuffOrigin::Schedule;
                let runs = matches!(run.stage, Stage::Sent(_) | Stage::Measuring(_));
                self.aborts = if ours && runs { TRIES } else { 0 };
                self.end(CuffFailure::NoAnswer, now, out);
            }
            _ => {}
        }
    }

    /// What to send next, and when: what stops a cuff goes first. While the board measures nothing is asked.
    fn next(&self) -> Option<(HostRequest, Time)> {
        let idle = self.asked.map_or(Time::ZERO, |asked| asked + IDLE_POLL);
        match self.run.map(|run| run.stage) {
            _ if self.doubt => Some((HostRequest::Status, Time::ZERO)),
            _ if self.aborts > 0 => Some((HostRequest::Abort, Time::ZERO)),
            Some(Stage::Wanted) => Some((HostRequest::Start, Time::ZERO)),
            Some(Stage::Sent(_) | Stage::Measuring(_)) => None,
            Some(Stage::Ended { at, .. }) => Some((HostRequest::Status, at + SETTLE)),
            None => Some((HostRequest::Status, idle)),
        }
    }

    /// The request is on its way. Nothing answers a start.
    fn sends(&mut self, request: HostRequest, now: Time) {
        self.outstanding = (request != HostRequest::Start).then_some((request, now + REPLY));
        match (request, &mut self.run) {
            (HostRequest::Start, Some(run)) => run.stage = Stage::Sent(now),
            (HostRequest::Start, None) => {}
            (HostRequest::Abort, _) => self.aborts = self.aborts.saturating_sub(1),
            (HostRequest::Status, run) => {
                self.asked = Some(now);
                if let Some(Run { stage: Stage::Ended { tries, .. }, .. }) = run {
                    *tries = tries.saturating_sub(1);
                }
            }
        }
    }
}

impl Driver for NibpOem {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What is under way on the board goes on without us.
    fn opened(&mut self, now: Time) {
        let Self { mut run, aborts, stats, .. } = *self;
        if let Some(Run { stage: Stage::Measuring(heard), .. }) = &mut run {
            *heard = now;
        }
        *self = Self { run, aborts, stats, open: true, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            match self.lines.push(*byte) {
                Heard::Nothing => {}
                Heard::Line(line) => {
                    self.stats.good();
                    self.in_a_row = self.in_a_row.saturating_add(1);
                    self.line(line, now, out);
                }
                Heard::Skipped(bytes, reason) => {
                    if let Some(reason) = reason {
                        self.stats.reject(reason);
                    }
                    self.stats.skip(bytes);
                    self.in_a_row = 0;
                }
            }
        }
    }

    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
        if !self.open {
            return Poll::default();
        }
        self.expire(now, out);
        if self.shown.is_some() {
            self.show(now, out);
        }
        let due = self.next().filter(|(_, at)| self.outstanding.is_none() && now >= *at);
        let send = due.map(|(request, _)| request);
        if let Some(request) = send {
            self.sends(request, now);
        }
        let asked = self.outstanding.map(|(_, until)| until).or_else(|| self.next().map(|(_, at)| at));
        Poll { send: send.map(HostRequest::outgoing), next: [asked, self.guard()].into_iter().flatten().min() }
    }

    fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::NotReady);
        }
        match request {
            Request::StopCuff => (self.aborts, self.doubt) = (TRIES, false),
            Request::StartCuff if !self.answered => return Err(Refusal::NotReady),
            Request::StartCuff if self.run.is_some() || self.stopping() => return Err(Refusal::Busy),
            Request::StartCuff => {
                let (origin, stage) = (CuffOrigin::Schedule, Stage::Wanted);
                self.run = Some(Run { origin, since: now, stage, peak: 0, misfit: false });
            }
        }
        Ok(())
    }

    /// One line says enough: each has a fixed length, fixed characters and digits.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
