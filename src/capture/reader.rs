//! Reads a capture, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;
use vitalsd_core::time::Time;

use super::header::{Draft, Key};
use super::{Header, Line, MAGIC, VERSION, What};

/// Why a capture cannot be read, and where.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The file cannot be opened or read.
    #[error("{}: {source}. Give the path of a capture that this user may read", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: found {found}, expected {expected}. {remedy}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What is allowed.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
}

/// What is wrong with a line: what was found, what is allowed, what to do.
struct Wrong(String, String, &'static str);

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// The remedy for most of it.
const MEND: &str = "Mend the line, or take it out";

/// Reads a capture line by line. A last line that was cut off in its middle is left out.
#[derive(Debug)]
pub struct Reader<R> {
    file: PathBuf,
    input: R,
    header: Header,
    /// The present line, as it stands in the file.
    raw: Vec<u8>,
    number: usize,
    bytes: Vec<u8>,
    last: Time,
    ended: bool,
    cut_off: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a capture and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, or its header is not that of a capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|source| CaptureError::Io { file: path.into(), source })?;
        Self::new(path, BufReader::new(file))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the header from `input`; `name` stands in errors.
    ///
    /// # Errors
    /// The input cannot be read, or its header is not that of a capture.
    pub fn new(name: impl Into<PathBuf>, input: R) -> Result<Self, CaptureError> {
        let mut reader = Self {
            file: name.into(),
            input,
            header: Header::of(super::Provenance::Sheet),
            raw: Vec::new(),
            number: 0,
            bytes: Vec::new(),
            last: Time::ZERO,
            ended: false,
            cut_off: false,
        };
        reader.header = reader.read_header()?;
        Ok(reader)
    }

    /// What is known of the capture as a whole.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the last line was cut off and is left out.
    #[must_use]
    pub const fn cut_off(&self) -> bool {
        self.cut_off
    }

    /// The next line; `None`: there are no more.
    ///
    /// # Errors
    /// The input cannot be read, or the line is not that of a capture.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, CaptureError> {
        loop {
            if self.ended || !self.read_line()? {
                return Ok(None);
            }
            let whole = self.raw.last() == Some(&b'\n');
            let mut bytes = std::mem::take(&mut self.bytes);
            let text = self.text()?;
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let found = parse(text, self.last, &mut bytes);
            self.bytes = bytes;
            let (at, kind) = match found {
                Ok(found) => found,
                Err(_) if !whole => {
                    (self.ended, self.cut_off) = (true, true);
                    return Ok(None);
                }
                Err(wrong) => return Err(self.error(wrong)),
            };
            self.last = at;
            let what = match kind {
                Kind::Heard => What::Heard(&self.bytes),
                Kind::Sent => What::Sent(&self.bytes),
                Kind::Worded(what) => what,
            };
            self.ended = what == What::End;
            return Ok(Some(Line { at, what }));
        }
    }

    fn read_header(&mut self) -> Result<Header, CaptureError> {
        self.read_line()?;
        let first = self.text().unwrap_or_default().trim_start_matches(BYTE_ORDER_MARK).trim().to_owned();
        let version = first.strip_prefix(MAGIC.trim_end()).map(str::trim);
        if version != Some(VERSION) {
            let remedy = match version {
                Some(_) => "Read it with the vitalsd that wrote it, or a later one",
                None => "Give a capture: `vitalsd capture` makes them",
            };
            return Err(self.error(Wrong(shown(&first), format!("`{MAGIC}{VERSION}`"), remedy)));
        }
        let mut draft = Draft::new();
        while self.read_line()? {
            let line = self.text()?.trim().to_owned();
            if line.is_empty() {
                break;
            }
            if !line.starts_with('#') {
                take(&mut draft, &line).map_err(|wrong| self.error(wrong))?;
            }
        }
        let wrong = || Wrong("a header without `provenance`".into(), Key::Provenance.allowed(), "Add the line");
        draft.finish().ok_or_else(|| self.error(wrong()))
    }

    /// Reads the next line into `raw`; `false`: there is none.
    fn read_line(&mut self) -> Result<bool, CaptureError> {
        self.raw.clear();
        let read = self.input.read_until(b'\n', &mut self.raw);
        let read = read.map_err(|source| CaptureError::Io { file: self.file.clone(), source })?;
        self.number = self.number.saturating_add(1);
        Ok(read > 0)
    }

    fn text(&self) -> Result<&str, CaptureError> {
        str::from_utf8(&self.raw)
            .map_err(|_| self.error(Wrong("bytes that are no text".into(), "a line of text".into(), MEND)))
    }

    fn error(&self, Wrong(found, expected, remedy): Wrong) -> CaptureError {
        CaptureError::Line { file: self.file.clone(), line: self.number, found, expected, remedy: remedy.into() }
    }
}

/// What [`recognise`] gives back: the bytes it has looked at, and the rest behind them.
pub type Recognised<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Whether `input` begins as a capture of any version does; and all of it again, for whoever reads it.
///
/// # Errors
/// It cannot be read.
pub fn recognise<R: Read>(mut input: R) -> io::Result<(bool, Recognised<R>)> {
    let mut start = Vec::new();
    let longest = BYTE_ORDER_MARK.len().saturating_add(MAGIC.len());
    (&mut input).take(longest.try_into().unwrap_or(u64::MAX)).read_to_end(&mut start)?;
    let first = start.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(&start);
    Ok((first.starts_with(MAGIC.as_bytes()), io::Cursor::new(start).chain(input)))
}

/// Takes a line of the header.
fn take(draft: &mut Draft, line: &str) -> Result<(), Wrong> {
    let known = || format!("one of {}, with a colon, or a blank line before the first bytes", names());
    let (name, value) = line.split_once(':').ok_or_else(|| Wrong(shown(line), known(), MEND))?;
    let key = Key::ALL.into_iter().find(|key| key.name() == name.trim());
    let key = key.ok_or_else(|| Wrong(shown(line), known(), MEND))?;
    if draft.has(key) {
        return Err(Wrong(format!("a second `{}`", key.name()), "each line of the header once".into(), MEND));
    }
    let value = value.trim();
    draft.take(key, value).ok_or_else(|| Wrong(format!("{} as `{}`", shown(value), key.name()), key.allowed(), MEND))
}

fn names() -> String {
    Key::ALL.map(|key| format!("`{}`", key.name())).join(", ")
}

enum Kind {
    Heard,
    Sent,
    Worded(What<'static>),
}

/// `12.345 < 01 02 ff`: its time, and what it is; the bytes go into `bytes`.
fn parse(text: &str, last: Time, bytes: &mut Vec<u8>) -> Result<(Time, Kind), Wrong> {
    let mut fields = text.split_ascii_whitespace();
    let first = fields.next().unwrap_or_default();
    let form = || Wrong(shown(text), "seconds, then <, > or !, as in `12.345 < 01 02 ff`".into(), MEND);
    let at = time(first).ok_or_else(form)?;
    if at < last {
        let expected = "times that never fall".into();
        return Err(Wrong(format!("{}, a time before that of the line above", shown(first)), expected, MEND));
    }
    bytes.clear();
    let kind = match fields.next() {
        Some("<") => Kind::Heard,
        Some(">") => Kind::Sent,
        Some("!") => {
            let words: Vec<_> = fields.collect();
            let what = What::WORDED.into_iter().find(|what| what.words() == Some(words.join(" ").as_str()));
            let known = || What::WORDED.map(|what| what.words().unwrap_or_default()).join(", ");
            let what =
                what.ok_or_else(|| Wrong(shown(&words.join(" ")), format!("one of {} after !", known()), MEND))?;
            return Ok((at, Kind::Worded(what)));
        }
        _ => return Err(form()),
    };
    for field in fields {
        let byte = Some(field).filter(|field| field.len() == 2 && field.bytes().all(|c| c.is_ascii_hexdigit()));
        let byte = byte.and_then(|field| u8::from_str_radix(field, 16).ok());
        bytes.push(byte.ok_or_else(|| {
            Wrong(shown(field), "bytes of two hexadecimal digits, with spaces between them".into(), MEND)
        })?);
    }
    if bytes.is_empty() { Err(Wrong("no bytes".into(), "one at the least".into(), MEND)) } else { Ok((at, kind)) }
}

/// Seconds, with up to three decimals.
fn time(text: &str) -> Option<Time> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let ms: u64 = format!("{decimals:0<3}").parse().ok()?;
    Some(Time::from_millis(whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(ms)?))
}

/// Something from a file, for a message: short, and nothing that a terminal would obey.
fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    if start.len() < text.len() {
        start.push_str("...");
    }
    format!("`{start}`")
}
