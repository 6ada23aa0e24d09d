//! BlakeGenerator, the random numbers that programs of SuperscalarHash are made of (specification, section 3.5).

use super::blake2b::hash512;
use super::configuration::KEY_BYTES_MAX;

/// A stream of random numbers, determined by its seed.
#[derive(Debug, Clone)]
pub(super) struct BlakeGenerator {
    state: [u8; 64],
    /// How much of the state was handed out already.
    used: usize,
}

impl BlakeGenerator {
    /// Starts from `seed`, of which the first 60 bytes count.
    pub(super) fn new(seed: &[u8]) -> Self {
        let mut state = [0; 64];
        let length = seed.len().min(KEY_BYTES_MAX);
        state[..length].copy_from_slice(&seed[..length]);
        // Nothing is left of the seed itself: the first number asked for hashes it.
        Self { state, used: 64 }
    }

    /// Returns the next byte.
    pub(super) fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// Returns the next four bytes as a little-endian number.
    pub(super) fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    /// Takes `N` bytes, from a new state where the present one hasn't as many left.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > self.state.len() {
            self.state = hash512(&self.state);
            self.used = 0;
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.state[self.used..self.used + N]);
        self.used += N;
        bytes
    }
}
