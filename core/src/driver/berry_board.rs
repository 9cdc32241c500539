//! The `55 AA` frames of BerryMed's parameter boards and of some of its USB probes: the SpO2 part of them.
//!
//! ```text
//! Devices    PM6750 monitor board; USB oximeter probes that do not send the five bytes of `bci`. The maker's
//!            own program can be switched between the two, so a probe may speak either
//! Line       115200 8N1 (RS-232, virtual COM port)
//! Speaks     by itself (?); nothing is sent
//! Rate       not stated; numbers taken to come once a second (?)
//! Integrity  one checksum byte: not (N + type + data), modulo 256. Locked after 2 good frames
//!
//! Frame      55 AA N type data.. sum    N counts itself, type, data and sum
//!
//! Type data
//! 04   status, SpO2 %, pulse bpm          the numbers
//! FE   1 byte                             a point of the SpO2 waveform, if it is switched on
//!
//! Status     0                            measuring (?)
//!            any other                    no value, "inadequate signal" (?), whatever the numbers are
//!
//! Certain    line, frame, sum, the types: two sources (the maker's web program and the sheet of the board)
//! One source the order of the three bytes of type 04; nothing was captured
//! Disputed   nothing
//! Inferred   status 0 (?). If it is not, no value is ever shown, and that is heard: row 26.
//!            "None" (?): SpO2 0 and above 100 (127 expected), pulse 0 and 255.
//!            The once a second (?): if it is slower than every 3 s, every value is stale before the next, and
//!            that is heard as well.
//!            That no frame is longer than 18 bytes (?): the longest known has 10
//! Unknown    the bits of the status: why there is no value, whether the finger is in, motion, low perfusion;
//!            what stands in the frames of a probe that is off (above all: whether the status says so, or the
//!            last numbers are sent on with a status of 0, which nothing here would show unless FE comes);
//!            full scale and rate of the waveform, so that its points are told but belong to no scale: they
//!            show a hung board (R1.7) and are drawn nowhere; whether the board has an alarm; whether it sends
//!            type 04 without being told to (03 xx switches SpO2 on or off)
//! Not used   well-formed frames that tell nothing here: 01 ECG wave, 02 ECG numbers, 03 NIBP, 05 temperature,
//!            30 ECG peak, 31 SpO2 peak, FC firmware, FD hardware, FF respiration wave
//! ```
