//! A hash under way: all that it has for itself. A machine can have several at a time.

use super::aes::{self, Aes};
use super::blake2b::{hash256, hash512};
use super::configuration::{LINE_BYTES, SCRATCHPAD_BYTES, Version};
use super::hash::Hash;
use super::interpreter::RegisterFile;
use super::memory::{Lines, OutOfMemory};
use super::program::ProgramBuffer;
use super::softfloat::RoundingMode;

/// A hash under way.
#[derive(Debug)]
pub(super) struct Flight {
    /// Where the next program comes from.
    seed: aes::State,
    pub(super) scratchpad: Lines,
    pub(super) buffer: Box<ProgramBuffer>,
    /// As the last program left it.
    pub(super) mode: RoundingMode,
    /// As the last program left them.
    pub(super) registers: RegisterFile,
}

impl Flight {
    /// Makes room for a hash.
    pub(super) fn new() -> Result<Self, OutOfMemory> {
        Ok(Self {
            seed: [0; 4],
            scratchpad: Lines::zeroed(SCRATCHPAD_BYTES / LINE_BYTES)?,
            buffer: Box::new(ProgramBuffer::new()),
            mode: RoundingMode::Nearest,
            registers: RegisterFile::default(),
        })
    }

    /// Starts with `seed`: fills the scratchpad and makes the first program.
    pub(super) fn start(&mut self, aes: Aes, version: Version, seed: aes::State) {
        self.seed = seed;
        aes.generate_1r(&mut self.seed, &mut self.scratchpad);
        self.make_first_program(aes, version);
    }

    fn make_first_program(&mut self, aes: Aes, version: Version) {
        self.mode = RoundingMode::Nearest;
        self.make_program(aes, version);
    }

    fn make_program(&mut self, aes: Aes, version: Version) {
        aes.generate_4r(&mut self.seed, self.buffer.lines_mut(version));
    }

    /// Makes the next program from what the last one left.
    pub(super) fn make_next_program(&mut self, aes: Aes, version: Version) {
        self.seed = aes::state(&hash512(&bytes(&self.registers)));
        self.make_program(aes, version);
    }

    /// Returns the hash, and starts the next one, if there is one, on the same pass over the scratchpad.
    pub(super) fn finish(&mut self, aes: Aes, version: Version, next: Option<aes::State>) -> Hash {
        let registers = self.registers;
        let fingerprint = match next {
            Some(next) => {
                self.seed = next;
                let fingerprint = aes.hash_and_generate_1r(&mut self.seed, &mut self.scratchpad);
                self.make_first_program(aes, version);
                fingerprint
            }
            None => aes.hash_1r(&self.scratchpad),
        };
        hash256(&[&bytes(&RegisterFile { a: bytemuck::cast(aes::line(fingerprint)), ..registers })])
    }
}

/// Returns the registers as they are hashed.
fn bytes(registers: &RegisterFile) -> [u8; 256] {
    let words: [u64; 32] = bytemuck::cast(*registers);
    bytemuck::cast(words.map(u64::to_le_bytes))
}
