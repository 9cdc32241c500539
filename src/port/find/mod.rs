//! What speaks on a port: told by what it says, never by what USB calls its adapter.
//!
//! * [`line`]: which line settings to try, and who may speak there.
//! * [`panel`]: the drivers of one line setting, fed with the same bytes, and their verdict.
//! * [`hunt`]: a device whose protocol or line settings are not known, until they are. Pure.
//! * [`probe`]: a port that is listened to once, for `vitalsd ports --probe`.

pub mod hunt;
pub mod line;
pub mod panel;
pub mod probe;
