//! Serial ports: opened by a stable name, watched, reopened.
//!
//! * [`pty`]: a pseudo-terminal that stands in for a port.

pub mod pty;
