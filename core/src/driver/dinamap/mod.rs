//! GE / Critikon DINAMAP host communications, ASCII mode.
//!
//! ```text
//! Devices    CARESCAPE V100, DINAMAP ProCare, DINAMAP PRO 100-400, DINAMAP Compact (7200), Dash 2500.
//!            Not the PRO 1000 in its binary mode, not Dash 2000 to 5000 on Unity.
//! Line       9600 8N1, no flow control. Dash 2500: "ASCII cmd" on Serial 2; its DB-15 carries +12 V
//! Speaks     when asked: one line for each request; one request at a time, a reply within 1 s
//! Integrity  two checksum characters
//!
//! Request    u cc [data] kk CR       u unit, a space both ways; cc command; kk checksum
//! Reply      u cc data kk CR         some send LF too; a CR before a request flushes the monitor
//! Checksum   sum of (c - 20h + 1) from u to the last data character, less FFFh whenever above FFFh;
//!            characters 20h + sum / 64, 20h + sum mod 64
//!
//! " NC0!E"   start one determination         answer: a line " NC..."
//! " ND!5"    cancel it                       answer: a line " ND..."
//! " NA!2"    cuff, 21 characters:   NA a b c dddd eee fff ggg
//!              a    0 busy, 1 done, 3 failed, 4 pump-up timeout, 6 total timeout, 7 timeout at one
//!                   pressure, 8 overpressure or excess air, 9 unknown
//!              b c  patient (0 unknown, 1 adult, 2 neonate), 0 normal / 1 stat: not used
//!              d    seconds since the determination, 0..5400; 9999 no recent one
//!              e f g  systolic, diastolic, mean, mmHg. WHILE BUSY THESE ARE THE OLD ONES
//! " RC!8"    pulse, 9 characters:   RC a bbb      a 2 oximeter, 3 cuff; bbb bpm, 000 or -99 none
//! " OA!3"    saturation: not used here
//!
//! Certain    framing, request checksum, layouts, start and cancel: five sources
//! One source status codes above 2 by name, source digit of RC
//! Doubtful   reply checksum: one of three captured replies fits, the others look edited by hand.
//!            It is checked; what does not fit is counted and asked for again
//! Unknown    the content of NC and ND replies (not looked at); how a monitor says no (any other
//!            printable line counts as no); whether dddd counts from the beginning or the end of a
//!            determination, and what it is after a failure; how long a determination may take
//!            (guard 180 s); commands for the monitor's own interval (the bed keeps the time)
//! Recording  tests/recordings/: dinamap (none of it captured)
//! ```
//!
//! A reading is new when its moment, receive time less dddd, lies after that of the newest one known.
//! A monitor counts whole seconds, so two sights of one reading may differ by a second and the way
//! of the line: less than 2 s apart is the same reading. Older than the first opening of the port is
//! never new: somebody else's patient, perhaps.

pub mod line;
#[cfg(test)]
mod tests;

use line::{HostRequest, Lines, NibpReply, Reply, Status, parse_reply};

use super::{
    Certainty, CuffTerms, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol,
    Quantity, Refusal, Reject, Request,
};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Notice, Sample};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "dinamap",
    devices: "GE CARESCAPE V100, DINAMAP ProCare, PRO 100-400 and Compact, Dash 2500",
    lines: &[LineSettings::n1(9_600)],
    kind: Kind::Poll,
    cadence: IDLE_POLL,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Checksum,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::Unreported,
    cuff: Some(CuffTerms { starts: true, rest: Span::secs(30) }),
    probe_request: Some(b"\r NA!2\r"),
};

/// Between two questions while nothing is under way: finds what is started at the bedside.
const IDLE_POLL: Span = Span::secs(5);
/// Between two questions while a determination is under way.
const BUSY_POLL: Span = Span::secs(1);
/// A reply that has not come by then will not come.
const REPLY: Span = Span::secs(1);
/// Two sights of one reading are less than this apart.
const SAME: Span = Span::secs(2);
/// A start of which nothing has been seen by then did not happen.
const SETTLE: Span = Span::secs(10);
/// A determination that we started and that has not ended by then is cancelled.
const GUARD: Span = Span::secs(180);
/// How often an unanswered cancel is sent.
const CANCELS: u8 = 3;
/// Unanswered questions in a row that make a monitor "not ready".
const SILENT: u8 = 3;

/// How far a determination has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked of us; NC0 is still to be sent.
    Wanted,
    /// NC0 is sent.
    Sent,
    /// The monitor took it.
    Taken,
    /// The monitor has been seen busy with it.
    Seen,
    /// The monitor has been seen idle again, once, without a new reading.
    Ebbing,
    /// Its end has been told already; what is left of it on the monitor means nothing.
    Told,
}

/// A determination under way.
#[derive(Clone, Copy, Debug)]
struct Run {
    origin: CuffOrigin,
    /// When it was asked for, then when NC0 was sent, or when the monitor was first seen busy.
    since: Time,
    stage: Stage,
}

/// A good reading that waits for its pulse.
#[derive(Clone, Copy, Debug)]
struct Held {
    result: CuffResult,
    until: Time,
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Dinamap {
    lines: Lines,
    /// The request that is out, and when its reply is too late.
    outstanding: Option<(HostRequest, Time)>,
    /// When NA was last asked; `None`: not since the port was opened.
    asked: Option<Time>,
    /// The port has been opened.
    open: bool,
    /// NA has been answered since the port was opened.
    answered: bool,
    /// NA unanswered in a row.
    missed: u8,
    /// The last status, since the port was opened.
    status: Option<Status>,
    /// When the newest reading known was measured; at first, when the port was first opened.
    newest: Option<Time>,
    run: Option<Run>,
    /// How often ND may still be sent.
    cancels: u8,
    held: Option<Held>,
    /// The state last told.
    shown: Option<CuffState>,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Dinamap {
    fn line(&mut self, line: line::Line, now: Time, out: &mut impl FnMut(Sample)) {
        let Some(bytes) = line.bytes() else {
            self.rejected(Reject::Length, line.len);
            return;
        };
        let reply = match parse_reply(bytes) {
            Ok(reply) => reply,
            Err(reason) => {
                self.rejected(reason, line.len);
                self.refused(bytes, now, out);
                return;
            }
        };
        self.stats.good();
        match reply {
            Reply::Started => {
                self.settled(HostRequest::Start);
                if let Some(run @ Run { stage: Stage::Sent, .. }) = &mut self.run {
                    run.stage = Stage::Taken;
                }
            }
            Reply::Cancelled => {
                if self.settled(HostRequest::Cancel) {
                    self.cancels = 0;
                    self.tell(CuffFailure::Cancelled, now, now, out);
                }
            }
            Reply::Pressure(reply) => {
                self.settled(HostRequest::ReadPressure);
                self.in_a_row = self.in_a_row.saturating_add(1);
                (self.answered, self.missed) = (true, 0);
                self.pressure(&reply, now, out);
                self.status = Some(reply.status);
            }
            Reply::Pulse(bpm) => {
                self.settled(HostRequest::ReadPulse);
                self.in_a_row = self.in_a_row.saturating_add(1);
                let pulse =
                    bpm.map_or(Measured::Absent(Absent::NotMeasured), |bpm| Measured::in_range(PulseRate::bpm(bpm)));
                self.publish(pulse, now, out);
            }
        }
        self.show(now, out);
    }

    fn rejected(&mut self, reason: Reject, bytes: usize) {
        self.stats.reject(reason);
        self.stats.skip(bytes);
        self.in_a_row = 0;
    }

    /// The request is no longer outstanding. Whether it was.
    fn settled(&mut self, request: HostRequest) -> bool {
        let was = self.outstanding.is_some_and(|(outstanding, _)| outstanding == request);
        if was {
            self.outstanding = None;
        }
        was
    }

    /// A line that is no reply. Nothing says how a monitor refuses, so a printable line that comes in
    /// answer to NC0 or ND and is neither is taken for a no. The start then ends as `Failed`: the
    /// monitor did answer, and gave no reason that we can read; the schedule tries again (R8.2).
    /// A garbled NA is asked for again; a garbled pulse is not waited for longer than a lost one.
    fn refused(&mut self, line: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        let printable = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
        match self.outstanding {
            Some((HostRequest::Start, _)) if printable => {
                self.outstanding = None;
                out(Sample::Notice { at: now, notice: Notice::Refused });
                self.tell(CuffFailure::Failed, now, now, out);
                self.run = None;
            }
            Some((HostRequest::Cancel, _)) if printable => {
                self.outstanding = None;
                self.cancels = 0;
                out(Sample::Notice { at: now, notice: Notice::Refused });
            }
            Some((HostRequest::ReadPressure, _)) => {
                self.outstanding = None;
                // As if it had been asked long ago: again in a second, whatever the cuff does.
                self.asked = self.asked.map(|asked| asked - (self.pause().minus(BUSY_POLL)));
            }
            _ => {}
        }
    }

    /// The cuff as the monitor sees it.
    fn pressure(&mut self, reply: &NibpReply, now: Time, out: &mut impl FnMut(Sample)) {
        let measured_at = reply.age.map(|age| now - age);
        let new = measured_at.filter(|at| self.newest.is_none_or(|newest| *at > newest + SAME));
        match reply.status {
            Status::Busy => {
                let run = self.run.get_or_insert(Run { origin: CuffOrigin::Bedside, since: now, stage: Stage::Seen });
                if run.stage != Stage::Told {
                    run.stage = Stage::Seen;
                }
                return;
            }
            Status::Done if let Some(measured_at) = new => self.done(reply, measured_at, now, out),
            Status::Failed(code) if new.is_some() || self.failed_anew(reply.status, now) => {
                self.tell(failure(code), new.unwrap_or(now), now, out);
                self.run = None;
            }
            _ => self.nothing_new(now, out),
        }
        self.seen(measured_at);
    }

    /// Follows the newest reading: nearer sights of it correct a drift between the two clocks.
    fn seen(&mut self, measured_at: Option<Time>) {
        if let Some(at) = measured_at
            && self.newest.is_none_or(|newest| at + SAME >= newest)
        {
            self.newest = Some(at);
        }
    }

    /// A new reading. It ends the determination that was seen to run; one that was not seen yet, only
    /// if it was measured after that was asked for.
    fn done(&mut self, reply: &NibpReply, measured_at: Time, now: Time, out: &mut impl FnMut(Sample)) {
        let ended = self.run.filter(|run| match run.stage {
            Stage::Wanted => false,
            Stage::Seen | Stage::Ebbing => true,
            Stage::Sent | Stage::Taken | Stage::Told => measured_at + SAME >= run.since,
        });
        if ended.is_some() {
            self.run = None;
        }
        // One that still waits for its pulse waits no longer.
        self.publish(Measured::Absent(Absent::NotMeasured), now, out);
        let result = CuffResult {
            at: now,
            measured_at,
            origin: ended.map_or(CuffOrigin::Bedside, |run| run.origin),
            pressure: reply.pressure().ok_or(CuffFailure::OutOfRange),
            pulse: Measured::Absent(Absent::NotMeasured),
        };
        self.held = Some(Held { result, until: now + REPLY });
        if self.asked.is_none() {
            // Listening only: nobody will ask for the pulse.
            self.publish(Measured::Absent(Absent::NotMeasured), now, out);
        }
    }

    /// Whether a failure is the end of a determination that has not been told: one that was seen, or
    /// one too short to be seen, which then shows by another status than before. A status that does
    /// not change after our start is that of the one before, until it has had time to change.
    fn failed_anew(&self, status: Status, now: Time) -> bool {
        match self.run {
            Some(Run { stage: Stage::Seen | Stage::Ebbing, .. }) => true,
            Some(Run { stage: Stage::Taken, since, .. }) if now >= since + SETTLE => true,
            _ => self.status.is_some_and(|before| before != status),
        }
    }

    /// Idle, and no reading but those we know. A determination that was seen has then ended without
    /// one: stopped at the monitor. Two such replies are waited for, lest the status runs ahead.
    fn nothing_new(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        match &mut self.run {
            Some(Run { stage: Stage::Told, .. }) => self.run = None,
            Some(run @ Run { stage: Stage::Seen, .. }) => run.stage = Stage::Ebbing,
            Some(Run { stage: Stage::Ebbing, .. }) => {
                self.tell(CuffFailure::Cancelled, now, now, out);
                self.run = None;
            }
            _ => {}
        }
    }

    /// The determination under way has ended without a pressure.
    fn tell(&mut self, failure: CuffFailure, measured_at: Time, now: Time, out: &mut impl FnMut(Sample)) {
        let origin = match &mut self.run {
            Some(Run { stage: Stage::Told, .. }) => return,
            Some(run) => {
                run.stage = Stage::Told;
                run.origin
            }
            None if failure == CuffFailure::Cancelled => return,
            None => CuffOrigin::Bedside,
        };
        out(Sample::CuffResult(CuffResult {
            at: now,
            measured_at,
            origin,
            pressure: Err(failure),
            pulse: Measured::Absent(Absent::NotMeasured),
        }));
    }

    /// Publishes the reading that waited for its pulse, if one does.
    fn publish(&mut self, pulse: Measured<PulseRate>, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some(Held { result, .. }) = self.held.take() {
            out(Sample::CuffResult(CuffResult { at: now, pulse, ..result }));
        }
    }

    /// Tells the state of the cuff if it has changed. It inflates from the moment at which it took our
    /// start, not from the next reply: the cuff gate counts from there (R6.4).
    fn show(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        let taken = self.run.is_some_and(|run| run.stage == Stage::Taken);
        let state = match self.status {
            Some(Status::Busy) => CuffState::Inflating,
            Some(_) if taken => CuffState::Inflating,
            Some(_) => CuffState::Idle,
            None => return,
        };
        if self.shown != Some(state) {
            self.shown = Some(state);
            out(Sample::CuffState { at: now, state });
        }
    }

    /// Between two questions for the cuff.
    fn pause(&self) -> Span {
        let busy = self.run.is_some() || self.status == Some(Status::Busy);
        if busy { BUSY_POLL } else { IDLE_POLL }
    }

    /// When the cuff is to be asked about next.
    fn due(&self) -> Time {
        self.asked.map_or(Time::ZERO, |asked| asked + self.pause())
    }

    /// When a determination of ours must have gone on or ended.
    fn guard(&self) -> Option<Time> {
        match self.run {
            Some(Run { stage: Stage::Wanted | Stage::Sent, since, .. }) => Some(since + SETTLE),
            Some(Run { origin: CuffOrigin::Schedule, stage, since }) if stage != Stage::Told => Some(since + GUARD),
            _ => None,
        }
    }

    /// What ends by the passing of time alone.
    fn expire(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some((request, until)) = self.outstanding
            && now >= until
        {
            self.outstanding = None;
            match request {
                HostRequest::ReadPressure => {
                    self.missed = self.missed.saturating_add(1);
                    self.answered &= self.missed < SILENT;
                }
                HostRequest::Cancel if self.cancels == 0 && self.run.is_some() => {
                    self.tell(CuffFailure::NoAnswer, now, now, out);
                }
                _ => {}
            }
        }
        if self.held.is_some_and(|held| now >= held.until) {
            self.publish(Measured::Absent(Absent::NotMeasured), now, out);
        }
        let wanted = self.run.is_some_and(|run| run.stage == Stage::Wanted);
        if wanted && self.cancels > 0 {
            self.tell(CuffFailure::Cancelled, now, now, out);
        } else if self.guard().is_some_and(|guard| now >= guard) {
            self.tell(CuffFailure::NoAnswer, now, now, out);
            self.cancels = if wanted { 0 } else { CANCELS };
        }
    }

    /// What to send, if anything: what stops a cuff goes first.
    fn choose(&mut self, now: Time) -> Option<HostRequest> {
        if self.cancels > 0 {
            self.cancels = self.cancels.saturating_sub(1);
            return Some(HostRequest::Cancel);
        }
        if self.held.is_some() {
            return Some(HostRequest::ReadPulse);
        }
        if let Some(run @ Run { stage: Stage::Wanted, .. }) = &mut self.run {
            (run.stage, run.since) = (Stage::Sent, now);
            self.asked = Some(now);
            return Some(HostRequest::Start);
        }
        (now >= self.due()).then(|| {
            self.asked = Some(now);
            HostRequest::ReadPressure
        })
    }
}

/// What the status codes above 2 stand for.
#[must_use]
pub const fn failure(code: u8) -> CuffFailure {
    match code {
        3 => CuffFailure::Failed,
        4 => CuffFailure::PumpTimeout,
        6 => CuffFailure::TotalTimeout,
        7 => CuffFailure::PressureTimeout,
        8 => CuffFailure::Overpressure,
        code => CuffFailure::Unknown(code),
    }
}

/// The status code of a failure: what a monitor has no code for, it gives no reason for (3).
#[must_use]
pub const fn status_of(failure: CuffFailure) -> u8 {
    match failure {
        CuffFailure::PumpTimeout => 4,
        CuffFailure::TotalTimeout => 6,
        CuffFailure::PressureTimeout => 7,
        CuffFailure::Overpressure => 8,
        CuffFailure::Unknown(code) => code,
        _ => 3,
    }
}

impl Driver for Dinamap {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What is under way on the monitor goes on without us, and is looked for again.
    fn opened(&mut self, now: Time) {
        let Self { newest, run, cancels, held, stats, .. } = *self;
        *self = Self { newest: newest.or(Some(now)), run, cancels, held, stats, open: true, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            if let Some(line) = self.lines.push(*byte) {
                self.line(line, now, out);
            }
        }
    }

    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
        if !self.open {
            return Poll::default();
        }
        self.expire(now, out);
        self.show(now, out);
        let request = if self.outstanding.is_none() { self.choose(now) } else { None };
        if let Some(request) = request {
            self.outstanding = Some((request, now + REPLY));
        }
        let asked = self.outstanding.map_or_else(|| self.due(), |(_, until)| until);
        let held = self.held.map(|held| held.until);
        Poll {
            send: request.map(HostRequest::line),
            next: [Some(asked), held, self.guard()].into_iter().flatten().min(),
        }
    }

    fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::NotReady);
        }
        match request {
            Request::StopCuff => self.cancels = CANCELS,
            Request::StartCuff if !self.answered => return Err(Refusal::NotReady),
            Request::StartCuff => {
                let under_way = self.run.is_some_and(|run| run.stage != Stage::Told);
                if under_way || self.status == Some(Status::Busy) || self.cancels > 0 {
                    return Err(Refusal::Busy);
                }
                self.run = Some(Run { origin: CuffOrigin::Schedule, since: now, stage: Stage::Wanted });
            }
        }
        Ok(())
    }

    /// One reply whose checksum fits says enough: NA and RC have 12 bits of it, and fixed lengths.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
