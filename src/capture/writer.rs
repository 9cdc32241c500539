//! Writes a capture, line by line.

use std::io::{self, Write};

use vitalsd_core::time::Time;

use super::{Header, MAGIC, VERSION, What};

/// Writes a capture line by line to what it is given; it holds nothing back but what that does.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Times never fall, whatever a caller's clocks do.
    last: Time,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        writeln!(out, "{MAGIC}{VERSION}")?;
        for (key, value) in header.lines() {
            writeln!(out, "{}: {value}", key.name())?;
        }
        writeln!(out)?;
        Ok(Self { out, last: Time::ZERO })
    }

    /// Writes what was at that time, counted from the start of the capture. No bytes are no line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, at: Time, what: What<'_>) -> io::Result<()> {
        if matches!(what, What::Heard([]) | What::Sent([])) {
            return Ok(());
        }
        self.last = self.last.max(at);
        let ms = self.last.as_millis();
        write!(self.out, "{}.{:03} ", ms / 1_000, ms % 1_000)?;
        match what {
            What::Heard(bytes) => bytes_behind(&mut self.out, '<', bytes)?,
            What::Sent(bytes) => bytes_behind(&mut self.out, '>', bytes)?,
            _ => write!(self.out, "! {}", what.words().unwrap_or_default())?,
        }
        writeln!(self.out)
    }

    /// Hands on what is still held back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What it writes to.
    #[must_use]
    pub const fn get_ref(&self) -> &W {
        &self.out
    }

    /// What it wrote to.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.out
    }
}

fn bytes_behind(out: &mut impl Write, mark: char, bytes: &[u8]) -> io::Result<()> {
    write!(out, "{mark}")?;
    bytes.iter().try_for_each(|byte| write!(out, " {byte:02x}"))
}
