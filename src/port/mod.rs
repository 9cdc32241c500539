//! Serial ports: opened by a stable name, watched, reopened.
//!
//! * [`name`]: which name stays with a device; what is plugged in.
//! * [`serial`]: one open port, and why one cannot be opened.
//! * [`line`]: line settings as people write them.
//! * [`watch`]: the life of a port: opened, read, lost, opened again.
//! * [`health`]: whether what it says is of any use.
//! * [`find`]: which protocol is spoken on it.
//! * [`pty`]: a pseudo-terminal that stands in for a port.

pub mod find;
pub mod health;
mod hint;
#[expect(unsafe_code, reason = "no crate offers TIOCSSERIAL")]
mod ioctl;
pub mod line;
pub mod name;
pub mod pty;
pub mod serial;
pub mod watch;
