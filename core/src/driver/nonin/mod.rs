//! Nonin serial formats: DF2, DF7, DF1, DF8 and the ASCII printout.
//!
//! Marks: `++` two or more independent sources agree, `+` one source, `!` sources disagree or a
//! capture contradicts the text, `~` inferred.
//!
//! # Devices
//!
//! | format | devices |
//! |---|---|
//! | DF2 | Xpod 3011, 3012, 3012LP (RS-232, TTL, USB) ++, iPod +, OEM III +, 9560 ++, 3150 + |
//! | DF7, DF8 | 9560 Onyx II ++, 3150 `WristOx2` +; OEM III (how it is selected was not found) + |
//! | DF1 | 3150 +, OEM III + |
//! | printout | 2500, 8500, 8600V, 9847, 7500, 7500FO, Avant 9600, 4000, 4100 ++; Respironics 920, 920M ++ |
//!
//! # Line
//!
//! 9600 8N1, no flow control ++. The printout comes as 8N2, or with a ninth bit that is always mark;
//! either is read as 8N1 ~. The Xpod 3012LP USB is a plain FTDI 0403:6001 +: told by content, never
//! by that id. Streams by itself: nothing is sent ++. The 9560 and the 3150 keep the format that was
//! last chosen, DF13 from the factory: a silent port may be one of those.
//!
//! # DF2 and DF7: 75 frames a second, 25 to a packet ++
//!
//! ```text
//! DF2   01       1dao srgy  pppppppp            vvvvvvvv  cccccccc
//! DF7            1dao srgy  pppppppp  pppppppp  vvvvvvvv  cccccccc
//!
//! d  SNSD: sensor disconnected or unusable; reserved on the 9560 !
//! a  ARTF: artefact on the present pulse
//! o  OOT: out of track, no run of good pulses
//! s  SNSA: sensor alarm, no finger
//! rg perfusion: 00 no pulse at this instant, 01 green, 11 yellow (marginal), 10 red (low);
//!    raised for 12 frames (160 ms) at each pulse
//! y  SYNC: set on frame 1 of the packet alone
//! p  plethysmogram, infrared: 8 bits in DF2, 16 bits big endian in DF7
//! v  one value of the packet, by frame number (below); bit 7 may be set (a captured 9560 does) !
//! c  sum of the bytes before it, modulo 256
//!
//! frame  1      2      3     4     5  6       7       8      9       10
//! value  HR hi  HR lo  SpO2  SREV  -  TMR hi  TMR lo  STAT2  SpO2-D  SpO2 fast
//! frame  11        12 13  14       15       16      17        18 19
//! value  SpO2 B-B  -  -   E-HR hi  E-HR lo  E-SpO2  E-SpO2-D  -  -
//! frame  20       21       22         23         24 25
//! value  HR-D hi  HR-D lo  E-HR-D hi  E-HR-D lo  -  -
//!
//! HR     (hi & 03) << 7 | (lo & 7F), 511 = none       average of 4 beats, E- of 8
//! SpO2   & 7F, percent, 127 = none, 101..126 invalid ~
//! -D     display: held for 10 s after the finger has gone, so never used here (R1.2)
//! SREV   firmware revision
//! TMR    thirds of a second, (hi & 7F) << 7 | (lo & 7F); 9560 and 3150, reserved on the Xpod
//! STAT2  bit 5 SPA, bit 0 battery low; 9560 and 3150, reserved on the Xpod
//! -      reserved, may hold anything
//! ```
//!
//! Integrity: the sum. Lock: DF2 slides until 01, bit 7 and the sum fit, on the first lock also SYNC;
//! after a failed check the packet is dropped and any good frame is a frame again, with SYNC a packet.
//! DF7 has no start byte, and an idle stream of `80 00 00 00 80` passes every sum when read at offset
//! 4; so 25 frames and the SYNC of the next must fit before anything is believed, and the first
//! failure ends it ~. HR, SpO2 and flags are read from whole packets alone.
//!
//! # DF1 and DF8: one frame a second
//!
//! ```text
//! DF1  1dolm ahh  0hhhhhhh  0sssssss            +
//! DF8  1dolm ahh  0hhhhhhh  0sssssss  00q0 f00b  ++
//!
//! d  SNSD   o  OOT   l  low perfusion   m  marginal perfusion   a  artefact, as above
//! h  HR, 9 bits, 511 = none; display value in DF8
//! s  SpO2, percent, 127 = none
//! q  SPA   f  SNSA   b  battery low
//! ```
//!
//! Integrity: none but bit 7. A frame ends where the next begins, so the two differ only in length.
//! After bytes that fit no frame, one frame of the right length must be seen to end before values are
//! believed again ~. An older Bluetooth module shows spot check and a critical battery in bits 2 and 1
//! of the last byte of DF8 +; both are reserved on the 9560, and ignored here.
//!
//! # Printout: one line a second, CR LF ++
//!
//! ```text
//! [hh:mm:ss ]SPO2=097 HR=072[ F][*][B]
//!
//! ---  no value   F  fast-responding   *  event marker   B  breath detected
//! ```
//!
//! A header with model, date and time at power-on. Integrity: the words. Widths are not stated in any
//! manual: a padded field is taken to be three wide ~.
//!
//! # Control replies
//!
//! `06`, `15` and `02 op len .. 03` may stand between frames (9560, 3150) ++. Known `op`: F2 clock
//! (len 6), F3 device type, F4 serial number; they are stepped over.
//!
//! # Unknown
//!
//! The ranges a device can send; how the revision in SREV is written; whether DF1, which has no SNSA,
//! raises SNSD when the finger has gone. Not decoded: DF13, the record of a spot check.
//!
//! # Recordings
//!
//! In `tests/recordings/`: `nonin-df1`, `nonin-df2` (captured), `nonin-df7`, `nonin-df8`, `nonin-printout`.

mod control;
mod df2;
mod df7;
mod flags;
mod packet;
mod printout;
mod short;
mod stream;
#[cfg(test)]
mod tests;

pub use df2::{DF2, Df2, df2_packet};
pub use df7::{DF7, Df7, df7_packet};
pub use flags::Flags;
pub use packet::Packet;
pub use printout::{PRINTOUT, Printout, printout_line};
pub use short::{DF1, DF8, Df1, Df8, df1_frame, df8_frame};
