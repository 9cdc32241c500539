//! Replies to commands, which a 9560 or a 3150 may put between two frames.

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;

/// The longest payload: F4 carries one byte and nine characters of a serial number.
const LONGEST: u8 = 10;

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A whole reply of that many bytes.
    Whole(usize),
    /// What may become one.
    Partial,
    /// None.
    None,
}

/// The reply at the start of `bytes`. All known opcodes are of the form `Fx`; to demand that keeps a
/// stray 02 before a frame from looking like one.
pub fn reply(bytes: &[u8]) -> Reply {
    match *bytes {
        [ACK | NAK, ..] => Reply::Whole(1),
        [STX] | [STX, 0xF0..=0xFF] => Reply::Partial,
        [STX, 0xF0..=0xFF, len @ ..=LONGEST, ref rest @ ..] => match rest.get(usize::from(len)) {
            Some(&ETX) => Reply::Whole(usize::from(len).saturating_add(4)),
            Some(_) => Reply::None,
            None => Reply::Partial,
        },
        _ => Reply::None,
    }
}
