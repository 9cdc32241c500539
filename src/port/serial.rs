//! One open serial port: raw, exclusive, never blocking.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::isatty;
use tokio::io::AsyncReadExt;
use tokio_serial::{ClearBuffer, DataBits, FlowControl, SerialPort as _, SerialStream, StopBits};
use vitalsd_core::driver::{LineSettings, Parity};
use vitalsd_core::monitor::input::LossReason;

use super::ioctl;

/// An open port. Opening and dropping it can block: both belong off the hot thread.
#[derive(Debug)]
pub struct SerialPort(SerialStream);

/// Opens the port at `path`: 8 data bits, no flow control, raw, for this process alone. What came
/// in before is discarded: it is of unknown age.
///
/// Blocks; inside a tokio runtime.
///
/// # Errors
/// Why it cannot be opened, with what to do about it.
pub fn open(path: &Path, line: LineSettings) -> Result<SerialPort, OpenError> {
    let mut stream = SerialStream::open(&builder(path, line)).map_err(|error| explain(path, &error.into()))?;
    stream.clear(ClearBuffer::All).map_err(|error| explain(path, &error.into()))?;
    if fs::canonicalize(path).is_ok_and(|device| device.starts_with("/dev/pts")) {
        // A UART forgets TIOCEXCL when its last holder is gone, a pty not before its device is:
        // after a kill -9 nobody could open it again. There flock alone keeps others out.
        let _ = stream.set_exclusive(false);
    }
    if let Err(error) = ioctl::low_latency(&stream) {
        tracing::debug!(port = %path.display(), %error, "low latency is not available");
    }
    Ok(SerialPort(stream))
}

fn builder(path: &Path, line: LineSettings) -> tokio_serial::SerialPortBuilder {
    tokio_serial::new(path.to_string_lossy(), line.baud)
        .data_bits(DataBits::Eight)
        .flow_control(FlowControl::None)
        .parity(parity(line))
        .stop_bits(stop_bits(line))
}

const fn parity(line: LineSettings) -> tokio_serial::Parity {
    match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

const fn stop_bits(line: LineSettings) -> StopBits {
    if line.stop_bits == 2 { StopBits::Two } else { StopBits::One }
}

/// Whether another program has the port at `path`. Its settings are not touched, unlike by [`open`].
#[must_use]
pub fn in_use(path: &Path) -> Option<OpenError> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let held = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(device) => flock(&device, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK),
        Err(error) => error == Errno::BUSY,
    };
    held.then(|| OpenError::Busy { path: path.to_owned(), holder: holder(path) })
}

impl SerialPort {
    /// The same port with other line settings: the lines that an adapter pulls up when it is opened stay as they
    /// are, so a device that they feed is not switched off. What came in before is discarded. Blocks.
    ///
    /// # Errors
    /// The port at `path` does not take them.
    pub fn retune(mut self, path: &Path, line: LineSettings) -> Result<Self, OpenError> {
        let settings = |port: &mut SerialStream| {
            port.set_baud_rate(line.baud)?;
            port.set_parity(parity(line))?;
            port.set_stop_bits(stop_bits(line))?;
            port.clear(ClearBuffer::Input)
        };
        match settings(&mut self.0) {
            Ok(()) => Ok(self),
            Err(error) => Err(OpenError::Io { path: path.to_owned(), source: error.into() }),
        }
    }

    /// Waits for bytes and puts them into `buffer`: how many. 0: the port has hung up. Cancel-safe.
    ///
    /// # Errors
    /// EIO and its like: the port has hung up.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    /// Writes without waiting: how many bytes were taken.
    ///
    /// # Errors
    /// `WouldBlock`: the port's buffer is full.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        // A close waits for what is still to be sent, up to 30 s on a UART: let it be forgotten.
        let _ = self.0.clear(ClearBuffer::Output);
    }
}

/// Why a port cannot be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such port.
    #[error("{}: no such port. Plug the device in; `vitalsd ports` lists what is there", path.display())]
    NotFound {
        /// The path that was tried.
        path: PathBuf,
    },
    /// Another program holds it.
    #[error(
        "{}: held by {}. Stop that program, or give the device another port",
        path.display(), holder.as_ref().map_or_else(|| "another program".into(), ToString::to_string)
    )]
    Busy {
        /// The path that was tried.
        path: PathBuf,
        /// Who holds it, as far as this user may know.
        holder: Option<Holder>,
    },
    /// This user may not open it.
    #[error(
        "{}: this user may not open the port. Add the user to the group that owns it (dialout, or vitalsd with \
         vitalsd's udev rule) and log in again", path.display()
    )]
    PermissionDenied {
        /// The path that was tried.
        path: PathBuf,
    },
    /// What is there is not a serial port.
    #[error("{}: not a serial port. `vitalsd ports` lists those that are", path.display())]
    NotASerialPort {
        /// The path that was tried.
        path: PathBuf,
    },
    /// The operating system reports an error of another kind.
    #[error("{}: {source}. Unplug the adapter and plug it in again; `dmesg` says more", path.display())]
    Io {
        /// The path that was tried.
        path: PathBuf,
        /// What it reports.
        source: io::Error,
    },
}

impl OpenError {
    /// The reason as a bed is told it.
    #[must_use]
    pub const fn loss_reason(&self) -> LossReason {
        match self {
            Self::NotFound { .. } => LossReason::NotFound,
            Self::Busy { .. } => LossReason::Busy,
            Self::PermissionDenied { .. } => LossReason::PermissionDenied,
            Self::NotASerialPort { .. } => LossReason::NotASerialPort,
            Self::Io { .. } => LossReason::Io,
        }
    }
}

/// A process that has a port open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Finds out why `path` did not open. The serial crate folds most errors into one, so this looks
/// for itself.
fn explain(path: &Path, error: &io::Error) -> OpenError {
    let path = path.to_path_buf();
    if fs::metadata(&path).is_ok_and(|found| !found.file_type().is_char_device()) {
        return OpenError::NotASerialPort { path };
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(&path, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NXIO | Errno::NODEV) => OpenError::NotFound { path },
        Err(Errno::ACCESS | Errno::PERM) => OpenError::PermissionDenied { path },
        Err(Errno::BUSY) => OpenError::Busy { holder: holder(&path), path },
        Err(error) => OpenError::Io { path, source: error.into() },
        Ok(device) if !isatty(&device) => OpenError::NotASerialPort { path },
        Ok(device) if flock(&device, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) => {
            OpenError::Busy { holder: holder(&path), path }
        }
        Ok(_) => OpenError::Io { path, source: io::Error::new(error.kind(), error.to_string()) },
    }
}

/// The first process that has `path` open, of those whose descriptors this user may read.
fn holder(path: &Path) -> Option<Holder> {
    let device = fs::canonicalize(path).ok()?;
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let holds = |fd: fs::DirEntry| fs::read_link(fd.path()).is_ok_and(|target| target == device);
        if !fs::read_dir(process.path().join("fd")).ok()?.flatten().any(holds) {
            return None;
        }
        let name = fs::read_to_string(process.path().join("comm")).ok()?.trim_end().to_owned();
        Some(Holder { pid, name })
    })
}
