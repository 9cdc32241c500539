//! The frames of the TM-2655: framing, commands, what a result says; and beside it the other direction,
//! commands as a monitor understands them and frames as it sends them.

use alloc::format;
use alloc::vec::Vec;

use crate::driver::buffer::Buffer;
use crate::driver::text::decimal;
use crate::driver::{Outgoing, Reject};
use crate::sample::CuffFailure;
use crate::vitals::BloodPressure;

const SYN: u8 = 0x16;
const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// Between two fields of a text.
const RS: u8 = 0x1e;
/// The address of the host and of the monitor, both ways.
const ADDRESS: [u8; 2] = *b"00";
/// The longest text that is kept; a result has about 60 characters.
const LONGEST: usize = 96;
/// The bytes of a frame before its address.
const START: usize = 3;

/// What a host asks of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `ST`: start one determination.
    Start,
    /// `SP`: stop the one that is under way.
    Stop,
    /// `RB`: the last result once more. vitalsd does not ask for it.
    ReadResult,
    /// `RP`: the pulses of the last determination. vitalsd does not ask for it.
    ReadPulses,
}

impl Command {
    /// Every command.
    pub const ALL: [Self; 4] = [Self::Start, Self::Stop, Self::ReadResult, Self::ReadPulses];

    const fn letters(self) -> [u8; 2] {
        match self {
            Self::Start => *b"ST",
            Self::Stop => *b"SP",
            Self::ReadResult => *b"RB",
            Self::ReadPulses => *b"RP",
        }
    }

    /// The command as it is sent.
    #[must_use]
    pub fn frame(self) -> Outgoing {
        let ([a0, a1], [c0, c1]) = (ADDRESS, self.letters());
        let check = bcc(&[SOH, a0, a1, STX, c0, c1, ETX]);
        Outgoing::new(&[SYN, SYN, SOH, a0, a1, STX, c0, c1, ETX, check])
    }
}

/// The check byte of the bytes from SOH to ETX.
#[must_use]
pub fn bcc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |check, byte| check ^ byte)
}

/// The command that `heard` ends with; `None`: none of these, or its check byte does not fit.
#[must_use]
pub fn parse_command(heard: &[u8]) -> Option<Command> {
    Command::ALL.into_iter().find(|command| heard.ends_with(&command.frame()))
}

/// A frame of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// It takes the command.
    Ack,
    /// It does not.
    Nak,
    /// What stands between STX and ETX.
    Text(&'a [u8]),
}

/// What a byte has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A frame that goes on, or its check byte.
    Nothing,
    /// So many bytes that belong to no frame.
    Skipped(usize),
    /// A frame of so many bytes that is none.
    Broken(Reject, usize),
    /// A whole frame.
    Frame(Frame<'a>),
}

/// Finds frames in a stream: whatever SYN SYN SOH begins, wherever that stands.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    place: Place,
    text: Buffer<LONGEST>,
    /// Characters of the text that found no room.
    overlong: usize,
}

/// Where in the stream the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between frames, after so many SYN, two at the most.
    Outside(usize),
    /// After SOH and so many characters of the address.
    Address(usize),
    /// After STX.
    Text,
    /// After ETX: a check byte of any value may follow, or none.
    Check,
}

impl Default for Place {
    fn default() -> Self {
        Self::Outside(0)
    }
}

impl Frames {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Found<'_> {
        match (self.place, byte) {
            (Place::Outside(2), SOH) => self.move_to(Place::Address(0)),
            (Place::Outside(2), SYN) => Found::Skipped(1),
            (Place::Check, SYN) => self.move_to(Place::Outside(1)),
            (Place::Outside(syns), SYN) => self.move_to(Place::Outside(syns.saturating_add(1))),
            (Place::Outside(syns), _) => {
                self.place = Place::Outside(0);
                Found::Skipped(syns.saturating_add(1))
            }
            (Place::Check, _) => self.move_to(Place::Outside(0)),
            (Place::Address(have), _) if ADDRESS.get(have) == Some(&byte) => {
                self.move_to(Place::Address(have.saturating_add(1)))
            }
            (Place::Address(2), ACK) => {
                self.place = Place::Outside(0);
                Found::Frame(Frame::Ack)
            }
            (Place::Address(2), NAK) => {
                self.place = Place::Outside(0);
                Found::Frame(Frame::Nak)
            }
            (Place::Address(2), STX) => {
                self.text.clear();
                self.overlong = 0;
                self.move_to(Place::Text)
            }
            (Place::Text, ETX) => self.ended(),
            (Place::Text, RS | b' '..=b'~') if self.text.is_full() => {
                self.overlong = self.overlong.saturating_add(1);
                Found::Nothing
            }
            (Place::Text, RS | b' '..=b'~') => {
                self.text.push(byte);
                Found::Nothing
            }
            (Place::Address(_) | Place::Text, _) => self.broken(byte),
        }
    }

    fn move_to(&mut self, place: Place) -> Found<'_> {
        self.place = place;
        Found::Nothing
    }

    fn ended(&mut self) -> Found<'_> {
        let bytes = self.taken().saturating_add(1);
        self.place = Place::Check;
        if self.overlong > 0 {
            Found::Broken(Reject::Length, bytes)
        } else {
            Found::Frame(Frame::Text(self.text.bytes()))
        }
    }

    /// A byte that no frame has there. A SYN is where the next one begins.
    fn broken(&mut self, byte: u8) -> Found<'_> {
        let taken = self.taken();
        if byte == SYN {
            self.place = Place::Outside(1);
            Found::Broken(Reject::Framing, taken)
        } else {
            self.place = Place::Outside(0);
            Found::Broken(Reject::Framing, taken.saturating_add(1))
        }
    }

    /// How many bytes the frame has so far.
    fn taken(&self) -> usize {
        let after_start = match self.place {
            Place::Address(have) => have,
            Place::Text => self.text.bytes().len().saturating_add(self.overlong).saturating_add(START),
            Place::Outside(_) | Place::Check => 0,
        };
        after_start.saturating_add(START)
    }
}

/// What the text of an RB frame says of a determination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// 0: it ended well.
    pub error: u8,
    /// mmHg; `None`: blank or 0.
    pub systolic: Option<u16>,
    /// mmHg; `None`: blank or 0.
    pub mean: Option<u16>,
    /// mmHg; `None`: blank or 0.
    pub diastolic: Option<u16>,
    /// Beats a minute; `None`: blank or 0.
    pub pulse: Option<u16>,
}

impl Report {
    /// The pressure, if the determination ended well and its numbers are in range and in order.
    ///
    /// # Errors
    /// Why there is none.
    pub fn pressure(&self) -> Result<BloodPressure, CuffFailure> {
        match (self.error, self.systolic, self.diastolic) {
            (0, Some(systolic), Some(diastolic)) => {
                BloodPressure::full(systolic, diastolic, self.mean).ok_or(CuffFailure::OutOfRange)
            }
            (0, ..) => Err(CuffFailure::OutOfRange),
            (error, ..) => Err(failure(error)),
        }
    }
}

/// Understands the text of a frame: the model, and what it says of a determination.
///
/// # Errors
/// `UnknownType` for a text that is no result, else what is wrong with it.
pub fn parse(text: &[u8]) -> Result<(&[u8], Report), Reject> {
    let mut fields = text.split(|byte| *byte == RS);
    let mut next = || fields.next().ok_or(Reject::Length);
    let (model, clock) = (next()?, next()?);
    if next()? != b"RB" {
        return Err(Reject::UnknownType);
    }
    if clock.len() != 10 || !clock.iter().all(u8::is_ascii_digit) {
        return Err(Reject::Content);
    }
    let _mark = next()?;
    let [e1, e0] = *of(next()?, b'E')?;
    let error = decimal(&[e1, e0]).and_then(|code| u8::try_from(code).ok()).ok_or(Reject::Content)?;
    let report = Report {
        error,
        systolic: number(next()?, b'S')?,
        mean: number(next()?, b'M')?,
        diastolic: number(next()?, b'D')?,
        pulse: number(next()?, b'P')?,
    };
    let (_inflation, _amplitude) = (next()?, next()?);
    // The captured line has a separator before ETX, which leaves an empty field.
    match (fields.next(), fields.next()) {
        (None | Some([]), None) => Ok((model, report)),
        _ => Err(Reject::Length),
    }
}

/// What stands after the letter of a field, if it is as wide as it must be.
fn of<const WIDTH: usize>(field: &[u8], letter: u8) -> Result<&[u8; WIDTH], Reject> {
    match field.split_first() {
        Some((first, rest)) if *first == letter => rest.try_into().map_err(|_| Reject::Length),
        _ => Err(Reject::Content),
    }
}

/// A number of three characters, right-aligned.
fn number(field: &[u8], letter: u8) -> Result<Option<u16>, Reject> {
    let text: &[u8; 3] = of(field, letter)?;
    match text.trim_ascii_start() {
        [] => Ok(None),
        digits => decimal(digits).map(|number| Some(number).filter(|number| *number != 0)).ok_or(Reject::Content),
    }
}

/// What the error codes stand for. Those of which no reason says the same keep their number, for who has
/// the manual: 11 and 15 (pressure at the start), 22 (deflates too fast), 42 (pressure insufficient).
#[must_use]
pub const fn failure(error: u8) -> CuffFailure {
    match error {
        12 => CuffFailure::PumpTimeout,
        13 | 21 => CuffFailure::Blocked,
        23 => CuffFailure::Overpressure,
        24 => CuffFailure::TotalTimeout,
        43 => CuffFailure::NoPulse,
        44 => CuffFailure::Motion,
        45 | 46 | 48 | 61 => CuffFailure::Failed,
        63 => CuffFailure::OutOfRange,
        code => CuffFailure::Unknown(code),
    }
}

/// The error code of a failure: what a monitor has no code for is a pressure that it did not find (48).
#[must_use]
pub const fn error_of(failure: CuffFailure) -> u8 {
    match failure {
        CuffFailure::PumpTimeout => 12,
        CuffFailure::Blocked => 13,
        CuffFailure::Overpressure => 23,
        CuffFailure::TotalTimeout => 24,
        CuffFailure::NoPulse => 43,
        CuffFailure::Motion => 44,
        CuffFailure::OutOfRange => 63,
        CuffFailure::Unknown(code @ 1..=99) => code,
        _ => 48,
    }
}

/// An ACK or NAK as a monitor sends it.
#[must_use]
pub const fn answer(takes: bool) -> [u8; 6] {
    let [a0, a1] = ADDRESS;
    [SYN, SYN, SOH, a0, a1, if takes { ACK } else { NAK }]
}

/// The RB frame of a TM-2655 whose clock stands at `clock`, `yymmddHHMM`.
#[must_use]
pub fn rb_frame(clock: &str, report: &Report) -> Vec<u8> {
    let three = |number: Option<u16>| number.map_or_else(|| "   ".into(), |number| format!("{number:>3}"));
    let Report { error, systolic, mean, diastolic, pulse } = *report;
    let [s, m, d, p] = [systolic, mean, diastolic, pulse].map(three);
    text_frame(&format!(
        "TM2655\x1e{clock}\x1eRB\x1eM\x1eE{error:02}\x1eS{s}\x1eM{m}\x1eD{d}\x1eP{p}\x1eI17\x1eL139\x1e"
    ))
}

/// A frame of `text`, with its check byte.
#[must_use]
pub fn text_frame(text: &str) -> Vec<u8> {
    let ([a0, a1], mut frame) = (ADDRESS, Vec::from([SYN, SYN]));
    frame.extend([SOH, a0, a1, STX]);
    frame.extend(text.bytes());
    frame.push(ETX);
    frame.push(bcc(frame.get(2..).unwrap_or_default()));
    frame
}
