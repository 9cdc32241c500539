//! A&D TM-2655P and TM-2657P: arm-in monitors that tell a result, and can be started and stopped.
//!
//! ```text
//! Devices    TM-2655, TM-2655P, TM-2657P with the serial option; function F25 = 1 selects this output
//! Line       8N1, no flow control. The baud rate is a menu item: 2400, said to be the default, or 9600
//! Speaks     when a determination has ended, whoever started it, and in answer to a command
//! Integrity  the shape of the text. The check byte of a frame is not looked at: no host ever checked one
//!
//! Frame      16 16 01 30 30 02 text 03 [BCC]      SYN SYN SOH "00" STX text ETX, perhaps a check byte
//! Answer     16 16 01 30 30 06 or 15              ACK or NAK to a command, nothing after it
//! BCC        XOR of the bytes from SOH to ETX; of a command always. It may have any value: what comes
//!            next is found by 16 16 01
//!
//! "ST" 07    start one determination
//! "SP" 03    stop the one that is under way
//! "RB" 10    the last result once more        never sent, so that an old result cannot come as a new one
//! "RP" 02    the pulses it was counted from   never sent
//!
//! Result     fields with 1E (RS) between them, numbers right-aligned in spaces; perhaps one more 1E
//!            0 model   1 yymmddHHMM   2 "RB"   3 "M"   4 E + 2 digits, 00 good   5 S + systolic
//!            6 M + mean   7 D + diastolic   8 P + pulse, 3 characters each   9 I + 2   10 L + 3
//! Errors     12 not up in time, 13 up too fast, 21 down too slowly, 23 overpressure, 24 too long in all,
//!            43 no pulse, 44 movement, 45 46 48 61 a value not found, 63 pressure out of range;
//!            kept as numbers: 11 15 pressure at the start, 22 down too fast, 42 pressure insufficient
//!
//! Certain    the fields of a result: five readers and two captured lines. Commands, ACK, NAK: two hosts
//! One source the error codes; F25; the 2400 baud default
//! Disputed   the address of ST and SP (one host has "0 " with the check byte of "00"); the check byte of
//!            RP (one host sends 10); whether 1E stands before ETX: both are taken
//! Inferred   that 13 and 21 are a blocked way of the air (?); that it has no alarm of its own: it is
//!            made for single readings (?)
//! Unknown    the check byte of replies; what field 3 means; whether it ends a stopped determination
//!            with a result; what it answers to ST while it measures; how long a determination may take
//!            (guard 180 s), and its rest before the next (30 s): own choice
//! Not used   its clock, which nobody keeps; fields 3, 9 (tens of mmHg of inflation?) and 10 (largest pulse)
//! Recording  tests/recordings/: and-tm2655 (two results of it captured)
//! ```
//!
//! A result has been measured when it comes. It is of our start if the monitor took that, of the bedside
//! otherwise: one that crosses our command on the line is of the bedside. A failure shortly after a stop
//! is the end of what was stopped, and nothing anybody has to hear.

use super::CADENCE;
use super::frame::{self, Command, Found, Frame, Frames};
use crate::driver::{
    Certainty, CuffTerms, DecodeStats, Driver, Evidence, Integrity, Kind, LineSettings, OwnAlarm, Poll, Protocol,
    Quantity, Refusal, Request,
};
use crate::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, IdentityPart, Notice, Sample, Text};
use crate::time::{Span, Time};
use crate::vitals::{Absent, Measured, PulseRate};

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "and-tm2655",
    devices: "A&D TM-2655, TM-2655P, TM-2657P",
    lines: &[LineSettings::n1(2_400), LineSettings::n1(9_600)],
    kind: Kind::Push,
    cadence: CADENCE,
    measures: &[Quantity::BloodPressure, Quantity::Pulse],
    pleth: None,
    integrity: Integrity::Text,
    certainty: Certainty::Captured,
    own_alarm: OwnAlarm::None,
    cuff: Some(CuffTerms { starts: true, rest: Span::secs(30) }),
    probe_request: None,
};

/// An answer that has not come by then leaves the line free for the next command. At 2400 baud a result,
/// which may be on the line before it, takes 0.3 s.
const REPLY: Span = Span::secs(1);
/// A start that the monitor has not taken by then did not happen.
const SETTLE: Span = Span::secs(10);
/// A determination that we started and that has not ended by then is stopped.
const GUARD: Span = Span::secs(180);
/// How often an unanswered stop is sent.
const STOPS: u8 = 3;
/// A failure that comes so soon after a stop is that of what was stopped.
const ECHO: Span = Span::secs(10);

/// How far a determination of ours has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked of us; ST is still to be sent.
    Wanted,
    /// ST is sent.
    Sent,
    /// The monitor took it.
    Taken,
}

/// A determination of ours.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// When it was asked for, then when ST was sent.
    since: Time,
    stage: Stage,
}

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Tm2655 {
    frames: Frames,
    /// The port has been opened.
    open: bool,
    /// The command that is out, and when its answer is too late. An answer does not say to which.
    outstanding: Option<(Command, Time)>,
    run: Option<Run>,
    /// How often SP may still be sent.
    stops: u8,
    /// When SP was last sent, if ST was not since.
    stopped: Option<Time>,
    /// The state last told.
    shown: Option<CuffState>,
    /// The model last told, since the port was opened.
    model: Option<Text>,
    in_a_row: u32,
    stats: DecodeStats,
}

impl Tm2655 {
    fn take(&mut self, byte: u8, now: Time, out: &mut impl FnMut(Sample)) {
        let event = match self.frames.push(byte) {
            Found::Nothing => return,
            Found::Skipped(bytes) => {
                self.stats.skip(bytes);
                return;
            }
            Found::Broken(reason, bytes) => Err((reason, bytes)),
            Found::Frame(Frame::Ack) => Ok(Event::Ack),
            Found::Frame(Frame::Nak) => Ok(Event::Nak),
            Found::Frame(Frame::Text(text)) => frame::parse(text)
                .map(|(model, report)| Event::Result(Text::from_device(model), report))
                .map_err(|reason| (reason, text.len())),
        };
        match event {
            Err((reason, bytes)) => {
                self.stats.reject(reason);
                self.stats.skip(bytes);
                self.in_a_row = 0;
                return;
            }
            Ok(Event::Ack) => self.ack(now, out),
            Ok(Event::Nak) => self.nak(now, out),
            Ok(Event::Result(model, report)) => {
                self.identify(model, now, out);
                self.result(&report, now, out);
            }
        }
        self.stats.good();
        self.in_a_row = self.in_a_row.saturating_add(1);
    }

    fn ack(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some((Command::Stop, _)) = self.outstanding.take() {
            self.stops = 0;
            self.show(CuffState::Idle, now, out);
            self.fail(CuffFailure::Cancelled, now, out);
        } else if let Some(run @ Run { stage: Stage::Sent, .. }) = &mut self.run {
            run.stage = Stage::Taken;
            self.show(CuffState::Inflating, now, out);
        }
    }

    /// A start that is refused has failed, for no reason that the monitor gives; a stop that is refused
    /// leaves things as they are.
    fn nak(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        let refused = Sample::Notice { at: now, notice: Notice::Refused };
        if let Some((Command::Stop, _)) = self.outstanding.take() {
            self.stops = 0;
            out(refused);
        } else if let Some(Run { stage: Stage::Sent, .. }) = self.run {
            out(refused);
            self.fail(CuffFailure::Failed, now, out);
        }
    }

    fn result(&mut self, report: &frame::Report, now: Time, out: &mut impl FnMut(Sample)) {
        self.show(CuffState::Idle, now, out);
        let pressure = report.pressure();
        if pressure.is_err() && self.stopped.is_some_and(|at| now < at + ECHO) {
            self.fail(CuffFailure::Cancelled, now, out);
            return;
        }
        let origin = match self.run {
            Some(Run { stage: Stage::Taken, .. }) => {
                self.run = None;
                CuffOrigin::Schedule
            }
            _ => CuffOrigin::Bedside,
        };
        let pulse = match report.pulse.filter(|_| pressure.is_ok()) {
            Some(bpm) => Measured::in_range(PulseRate::bpm(bpm)),
            None => Measured::Absent(Absent::NotMeasured),
        };
        out(Sample::CuffResult(CuffResult { at: now, measured_at: now, origin, pressure, pulse }));
    }

    /// Our determination, if there is one, has ended without a result.
    fn fail(&mut self, failure: CuffFailure, now: Time, out: &mut impl FnMut(Sample)) {
        if self.run.take().is_some() {
            out(Sample::CuffResult(CuffResult {
                at: now,
                measured_at: now,
                origin: CuffOrigin::Schedule,
                pressure: Err(failure),
                pulse: Measured::Absent(Absent::NotMeasured),
            }));
        }
    }

    fn identify(&mut self, model: Text, now: Time, out: &mut impl FnMut(Sample)) {
        if self.model != Some(model) {
            self.model = Some(model);
            out(Sample::Identity { at: now, part: IdentityPart::Model, text: model });
        }
    }

    /// Tells what the cuff does if that is news. It inflates from the moment at which the monitor took our
    /// start; one that somebody starts at the bedside is not seen before it ends.
    fn show(&mut self, state: CuffState, now: Time, out: &mut impl FnMut(Sample)) {
        if self.shown.unwrap_or(CuffState::Idle) != state {
            out(Sample::CuffState { at: now, state });
        }
        self.shown = Some(state);
    }

    /// When our determination must have gone on or ended.
    fn guard(&self) -> Option<Time> {
        self.run.map(|run| run.since + if run.stage == Stage::Taken { GUARD } else { SETTLE })
    }

    /// What ends by the passing of time alone.
    fn expire(&mut self, now: Time, out: &mut impl FnMut(Sample)) {
        if let Some((command, until)) = self.outstanding
            && now >= until
        {
            self.outstanding = None;
            if command == Command::Stop && self.stops == 0 {
                self.fail(CuffFailure::NoAnswer, now, out);
            }
        }
        let wanted = self.run.is_some_and(|run| run.stage == Stage::Wanted);
        if wanted && self.stops > 0 {
            self.fail(CuffFailure::Cancelled, now, out);
        } else if self.guard().is_some_and(|guard| now >= guard) {
            self.fail(CuffFailure::NoAnswer, now, out);
            self.stops = if wanted { 0 } else { STOPS };
        }
    }

    /// What to send, if anything: what stops a cuff goes first.
    fn choose(&mut self, now: Time) -> Option<Command> {
        if self.stops > 0 {
            self.stops = self.stops.saturating_sub(1);
            self.stopped = Some(now);
            return Some(Command::Stop);
        }
        let run = self.run.as_mut().filter(|run| run.stage == Stage::Wanted)?;
        *run = Run { since: now, stage: Stage::Sent };
        self.stopped = None;
        Some(Command::Start)
    }
}

/// A frame that passed its checks.
enum Event {
    Ack,
    Nak,
    Result(Text, frame::Report),
}

impl Driver for Tm2655 {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// What is under way on the monitor goes on without us.
    fn opened(&mut self, _now: Time) {
        let Self { run, stops, stopped, stats, .. } = *self;
        *self = Self { run, stops, stopped, stats, open: true, ..Self::default() };
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            self.take(*byte, now, out);
        }
    }

    fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> Poll {
        if !self.open {
            return Poll::default();
        }
        self.expire(now, out);
        let command = if self.outstanding.is_none() { self.choose(now) } else { None };
        if let Some(command) = command {
            self.outstanding = Some((command, now + REPLY));
        }
        let answer = self.outstanding.map(|(_, until)| until);
        Poll { send: command.map(Command::frame), next: [answer, self.guard()].into_iter().flatten().min() }
    }

    /// Whether a monitor is there shows when it takes a start, or does not: it is asked nothing before.
    fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::NotReady);
        }
        match request {
            Request::StopCuff => self.stops = STOPS,
            Request::StartCuff if self.run.is_some() || self.stops > 0 => return Err(Refusal::Busy),
            Request::StartCuff => self.run = Some(Run { since: now, stage: Stage::Wanted }),
        }
        Ok(())
    }

    /// One frame says enough: six bytes that never change, or the eleven fields of a result.
    fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.in_a_row > 0 }
    }

    fn stats(&self) -> &DecodeStats {
        &self.stats
    }
}
