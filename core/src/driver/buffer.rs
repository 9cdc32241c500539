//! Bytes that are not yet a whole frame.

/// Up to `N` bytes, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Buffer<N> {
    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Whether it holds all it can.
    pub const fn is_full(&self) -> bool {
        self.len >= N
    }

    /// Adds a byte at the end; a full buffer stays as it is.
    pub fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Takes `count` bytes away at the front.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.len);
        self.bytes.copy_within(count..self.len, 0);
        self.len = self.len.saturating_sub(count);
    }

    /// Takes a byte of a stream; which of `words` it completes, if one. What begins none of them is given up.
    pub fn complete(&mut self, byte: u8, words: &[&[u8]]) -> Option<usize> {
        self.push(byte);
        while !words.iter().any(|word| word.starts_with(self.bytes())) {
            self.consume(1);
        }
        let found = words.iter().position(|word| *word == self.bytes());
        if found.is_some() {
            self.clear();
        }
        found
    }

    /// Forgets everything.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}
