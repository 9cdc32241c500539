//! A pseudo-terminal that stands in for a serial port: the simulator's devices and the tests use it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The device's end of a serial line. Dropping it unplugs the line.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    /// Held, never read: while nobody has the port open, what the device says is kept as a UART's
    /// buffer would keep it, and reading the master is quiet instead of an error.
    _slave: OwnedFd,
    path: PathBuf,
}

impl Pty {
    /// A new line, raw at both ends; reads and writes on the device's end never block.
    ///
    /// # Errors
    /// The system has no pseudo-terminal left, or no devpts.
    pub fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        let path = PathBuf::from(OsStr::from_bytes(ptsname(&master, Vec::new())?.as_bytes()));
        // A fresh terminal echoes what the device sends back to the device.
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master, _slave: slave, path })
    }

    /// The path that opens the other end.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the port appear at `link` in one step, as udev does, replacing what was there.
    ///
    /// # Errors
    /// The link cannot be made.
    pub fn plug_in_at(&self, link: &Path) -> io::Result<()> {
        if let Some(parent) = link.parent() {
            fs::create_dir_all(parent)?;
        }
        // devpts numbers are unique while the line lives, so two ports never share this name.
        let number = self.path.file_name().unwrap_or_default();
        let new = link.with_extension(OsStr::from_bytes(&[b"new-", number.as_bytes()].concat()));
        symlink(&self.path, &new)?;
        fs::rename(&new, link)
    }

    /// What the host has sent: the number of bytes put into `buffer`.
    ///
    /// # Errors
    /// `WouldBlock`: nothing has come.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.master, buffer)?)
    }

    /// Says `bytes` to the host: how many of them were taken.
    ///
    /// # Errors
    /// `WouldBlock`: nobody has read for long and the line is full (20 KiB).
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.master, bytes)?)
    }

    /// Pulls the plug: whoever has the port open sees it hang up.
    pub fn unplug(self) {
        drop(self);
    }
}

impl AsFd for Pty {
    /// The device's end, to wait on.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

impl AsRawFd for Pty {
    fn as_raw_fd(&self) -> RawFd {
        self.master.as_raw_fd()
    }
}
