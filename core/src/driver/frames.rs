//! Frames that a check proves, in a stream of bytes that may start anywhere: tried for at every byte, and given up
//! one byte at a time, for a frame may begin within what looked like another.

use super::buffer::Buffer;
use super::{DecodeStats, Evidence, Reject};

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// A frame that passes its check, of so many bytes; `Err`: its content is not what the sheet knows.
    Frame {
        /// Its bytes.
        length: usize,
        /// What it carries.
        content: Result<T, Reject>,
    },
    /// It may become a frame.
    Partial,
    /// It is none, for that reason if it looked like one.
    Nothing(Option<Reject>),
}

/// Finds frames of up to `ROOM` bytes. Nothing is told before `LOCK` of them in a row; once locked, a bad frame costs
/// only itself.
#[derive(Clone, Debug, Default)]
pub struct Frames<const ROOM: usize, const LOCK: u32> {
    buffer: Buffer<ROOM>,
    in_a_row: u32,
    locked: bool,
    stats: DecodeStats,
}

impl<const ROOM: usize, const LOCK: u32> Frames<ROOM, LOCK> {
    /// The same for a port that was opened again: the counts go on, the proof begins anew.
    #[must_use]
    pub fn reopened(&self) -> Self {
        Self { stats: self.stats, ..Self::default() }
    }

    /// Takes a byte; tells the content of each frame that is whole now.
    pub fn push<T>(&mut self, byte: u8, find: impl Fn(&[u8]) -> Found<T>, mut tell: impl FnMut(T)) {
        self.buffer.push(byte);
        loop {
            match find(self.buffer.bytes()) {
                Found::Partial => return,
                Found::Nothing(reason) => self.slide(reason),
                Found::Frame { length, content } => {
                    self.buffer.consume(length);
                    match content {
                        Ok(content) => {
                            self.stats.good();
                            self.in_a_row = self.in_a_row.saturating_add(1);
                            self.locked |= self.in_a_row >= LOCK;
                            if self.locked {
                                tell(content);
                            }
                        }
                        // A frame all the same.
                        Err(reason) => self.stats.reject(reason),
                    }
                }
            }
        }
    }

    /// How sure it is that these are frames.
    #[must_use]
    pub const fn lock(&self) -> Evidence {
        Evidence { good_in_a_row: self.in_a_row, locked: self.locked }
    }

    /// How many there were of each kind.
    #[must_use]
    pub const fn stats(&self) -> &DecodeStats {
        &self.stats
    }

    fn slide(&mut self, reason: Option<Reject>) {
        if let Some(reason) = reason {
            self.stats.reject(reason);
        }
        self.stats.skip(1);
        self.in_a_row = 0;
        self.buffer.consume(1);
    }
}
