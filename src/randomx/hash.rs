//! Whole hashes: the algorithm of the specification's chapter 2.

use super::aes::{self, Aes};
use super::blake2b::{hash256, hash512};
use super::configuration::{LINE_BYTES, PROGRAM_COUNT, SCRATCHPAD_BYTES, Version};
use super::dataset::Items;
use super::interpreter::{Interpreter, RegisterFile};
use super::jit::{Jit, JitUnavailable};
use super::memory::{Lines, OutOfMemory};
use super::program::{Program, ProgramBuffer};
use super::softfloat::RoundingMode;
use crate::pages::MemoryPart;

/// A hash, the least significant byte first.
pub type Hash = [u8; 32];

/// How a machine executes programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// Instruction by instruction, on any processor.
    Interpreted,
    /// Compiled to machine code first.
    Compiled,
}

/// Why there is no machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// There is no memory for its scratchpad.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// Programs can't be compiled here.
    #[error(transparent)]
    JitUnavailable(#[from] JitUnavailable),
}

/// A virtual machine that hashes, one input at a time.
#[derive(Debug)]
pub struct Machine {
    version: Version,
    items: Items,
    aes: Aes,
    scratchpad: Lines,
    buffer: Box<ProgramBuffer>,
    /// Nothing where programs are interpreted.
    jit: Option<Jit>,
}

impl Machine {
    /// Makes a machine of `version` that reads `items`.
    ///
    /// # Errors
    ///
    /// There is no memory for its scratchpad, or programs can't be compiled here.
    pub fn new(version: Version, items: Items, execution: Execution) -> Result<Self, MachineError> {
        let scratchpad = Lines::zeroed(SCRATCHPAD_BYTES / LINE_BYTES)?;
        let jit = match execution {
            Execution::Interpreted => None,
            Execution::Compiled => Some(Jit::new(version, &items)?),
        };
        let buffer = Box::new(ProgramBuffer::new());
        Ok(Self { version, items, aes: Aes::detect(), scratchpad, buffer, jit })
    }

    /// Names the scratchpad, with the pages that it lies on.
    pub(super) fn memory(&self, name: &str) -> MemoryPart {
        self.scratchpad.part(name)
    }

    /// Returns the RandomX hash of `input`, which may have any length.
    pub fn hash(&mut self, input: &[u8]) -> Hash {
        let mut hash = [0; 32];
        self.hash_each([input], |computed| hash = computed);
        hash
    }

    /// Hands the hashes of `inputs` to `each`, in their order. The scratchpad is filled for the next input while it is
    /// hashed for the last one, which saves a pass over it.
    pub fn hash_each<I: AsRef<[u8]>>(&mut self, inputs: impl IntoIterator<Item = I>, mut each: impl FnMut(Hash)) {
        let mut seeds = inputs.into_iter().map(|input| aes::state(&hash512(input.as_ref())));
        let Some(mut seed) = seeds.next() else { return };
        self.aes.generate_1r(&mut seed, &mut self.scratchpad);
        loop {
            let registers = self.execute_all(seed);
            let next = seeds.next();
            let fingerprint = match next {
                Some(next) => {
                    seed = next;
                    self.aes.hash_and_generate_1r(&mut seed, &mut self.scratchpad)
                }
                None => self.aes.hash_1r(&self.scratchpad),
            };
            each(hash256(&[&bytes(&RegisterFile { a: bytemuck::cast(aes::line(fingerprint)), ..registers })]));
            if next.is_none() {
                return;
            }
        }
    }

    /// Executes the programs of one hash, the first of which comes from `seed`, and returns the registers.
    fn execute_all(&mut self, mut seed: aes::State) -> RegisterFile {
        let mut mode = RoundingMode::Nearest;
        let mut registers = RegisterFile::default();
        for round in 0..PROGRAM_COUNT {
            if round > 0 {
                seed = aes::state(&hash512(&bytes(&registers)));
            }
            self.aes.generate_4r(&mut seed, self.buffer.lines_mut(self.version));
            registers = self.execute(&mut mode);
        }
        registers
    }

    /// Executes the program, which starts with the rounding mode `mode` and leaves another one there.
    fn execute(&mut self, mode: &mut RoundingMode) -> RegisterFile {
        if let Some(jit) = &mut self.jit {
            return jit.execute(&self.buffer, &self.items, &mut self.scratchpad, mode);
        }
        let mut interpreter = Interpreter {
            version: self.version,
            aes: self.aes,
            items: &self.items,
            scratchpad: &mut self.scratchpad,
            mode: *mode,
        };
        let registers = interpreter.execute(&Program::decode(&self.buffer, self.version));
        *mode = interpreter.mode;
        registers
    }
}

/// Returns the registers as they are hashed.
fn bytes(registers: &RegisterFile) -> [u8; 256] {
    let words: [u64; 32] = bytemuck::cast(*registers);
    bytemuck::cast(words.map(u64::to_le_bytes))
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
