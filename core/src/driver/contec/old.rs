//! Contec's old protocol of five bytes, live mode.
//!
//! ```text
//! Devices    CMS50D, CMS50D+ up to firmware 4.5, early CMS50E and CMS50F, many rebadged ones
//! Line       19200 8O1 mostly; one source says 19200 8N1; one unit is documented at 4800 8N1.
//!            No flow control: XON/XOFF would swallow data
//! Speaks     by itself, once the device's "USB" menu item is on; nothing is sent
//! Rate       60 frames a second
//! Integrity  framing only: the first byte of a frame has bit 7 set, the other four have it clear;
//!            therefore locked only after 20 clean frames in a row, a third of a second
//!
//! Frame      1bdt ssss   t searching too long OR finger out (sources differ), d SpO2 falling or low,
//!                        b beat, ssss signal strength 0..8 (15 seen)
//!            0www wwww   w waveform 0..127
//!            0pfe gggg   p bit 7 of the pulse rate, f searching for a pulse, e probe error, g bar graph 0..15
//!            0ppp pppp   pulse rate, bits 0..6, bpm
//!            0sss ssss   SpO2, %
//!
//! Certain    layout, rate, 19200 baud: two sources and more
//! Disputed   parity; bit t; the meaning of the flags with other vendors of the same frame (BCI, Berry)
//! Inferred   "none": pulse 0 or 255, SpO2 0 or above 100; any of t, f, e: not measuring
//! Unknown    what "none" looks like on a device; PI is not sent
//! Not used   recorded data (F5 F5 asks for them, F6 F6 F6 ends that): their frames do not pass here
//! Recording  tests/recordings/: contec-old (none of it captured)
//! ```

use super::{CADENCE, LineSettings, PLETH, Quantity, Time};
use crate::driver::five_bytes::Frames;
use crate::driver::{Certainty, DecodeStats, Driver, Evidence, Integrity, Kind, OwnAlarm, Poll, Protocol};
use crate::sample::Sample;

/// The protocol, for the registry.
pub static PROTOCOL: Protocol = Protocol {
    name: "contec-old",
    devices: "Contec CMS50D, CMS50D+ (firmware 4.5 and older), early CMS50E and CMS50F",
    lines: &[LineSettings::o1(19_200), LineSettings::n1(19_200), LineSettings::n1(4_800)],
    kind: Kind::Stream,
    cadence: CADENCE,
    measures: &[Quantity::Spo2, Quantity::Pulse, Quantity::Pleth],
    pleth: Some(PLETH),
    integrity: Integrity::Framing,
    certainty: Certainty::Sources,
    own_alarm: OwnAlarm::Unreported,
    cuff: None,
    probe_request: None,
};

/// Clean frames in a row before anything is told.
const LOCK: u32 = 20;

/// The driver.
#[derive(Clone, Debug, Default)]
pub struct Old {
    frames: Frames,
}

impl Driver for Old {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn opened(&mut self, _: Time) {
        self.frames.forget();
    }

    fn decode(&mut self, bytes: &[u8], now: Time, out: &mut impl FnMut(Sample)) {
        for byte in bytes {
            if let Some(frame) = self.frames.push(*byte)
                && self.lock().locked
            {
                out(Sample::Oximetry(frame.oximetry(frame.unmeasured(), now)));
                out(Sample::Pleth { at: now, value: frame.pleth.into() });
            }
        }
    }

    fn poll(&mut self, _: Time, _: &mut impl FnMut(Sample)) -> Poll {
        Poll::default()
    }

    fn lock(&self) -> Evidence {
        let good_in_a_row = self.frames.in_a_row();
        Evidence { good_in_a_row, locked: good_in_a_row >= LOCK }
    }

    fn stats(&self) -> &DecodeStats {
        self.frames.stats()
    }
}
