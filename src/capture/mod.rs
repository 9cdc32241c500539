//! Raw captures: what went over a serial line, byte for byte, with its times.
//!
//! Text, so that a person can read, compare and search it:
//!
//! ```text
//! vitalsd capture 1
//! driver: nonin-df2
//! line: 9600 8N1
//! started-at: 2026-11-25T09:30:00Z
//! provenance: captured from a device
//! port: FTDI FT232R USB UART (0403:6001)
//!
//! 0.000 ! opened
//! 0.013 < 01 81 43 00 c5
//! 5.000 > 7d 81 af 80 80 80 80 80 80      # what stands behind a # is a remark
//! 60.000 ! end
//! ```
//!
//! * The first line names the format and its version.
//! * The header ends at the first blank line. `provenance` alone must be there.
//! * Then one line a read or write: seconds since the start, `<` from the device or `>` to it, the bytes.
//!   `!` marks what else a driver was told: `opened`, `lost`, `start-cuff`, `stop-cuff`; and the `end`, so
//!   that silence has a length.
//! * Times never fall. Lines that begin with `#` are remarks, in the header too.
//!
//! Here and nowhere else:
//!
//! * [`header`]: what is known of a capture as a whole.
//! * [`writer`], [`reader`]: the lines, one at a time; neither holds more than one.
//! * [`playback`]: a capture through its driver, as if the line were there.
//! * [`proof`]: the recordings that prove the drivers.

pub mod header;
pub mod playback;
pub mod proof;
pub mod reader;
pub mod writer;

pub use header::{Header, Provenance};
pub use playback::{Playback, Told};
pub use reader::{CaptureError, Reader, recognise};
pub use writer::Writer;

use vitalsd_core::driver::Request;
use vitalsd_core::time::Time;

/// What every capture begins with, before its version.
pub const MAGIC: &str = "vitalsd capture ";
/// The version that is written, and read.
const VERSION: &str = "1";

/// One line of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Since the start of the capture.
    pub at: Time,
    /// What was then.
    pub what: What<'a>,
}

/// What happened on a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// One read returned these bytes of the device.
    Heard(&'a [u8]),
    /// These bytes were written to the device.
    Sent(&'a [u8]),
    /// The port was opened, or opened again.
    Opened,
    /// The port was lost.
    Lost,
    /// Somebody asked this of the driver.
    Asked(Request),
    /// The capture ends here.
    End,
}

impl What<'_> {
    /// The words behind `!`; `None`: it is bytes.
    const fn words(&self) -> Option<&'static str> {
        match self {
            Self::Heard(_) | Self::Sent(_) => None,
            Self::Opened => Some("opened"),
            Self::Lost => Some("lost"),
            Self::Asked(Request::StartCuff) => Some("start-cuff"),
            Self::Asked(Request::StopCuff) => Some("stop-cuff"),
            Self::End => Some("end"),
        }
    }

    /// Everything that has words.
    const WORDED: [What<'static>; 5] =
        [What::Opened, What::Lost, What::Asked(Request::StartCuff), What::Asked(Request::StopCuff), What::End];
}

#[cfg(test)]
mod tests;
