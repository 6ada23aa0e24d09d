//! Whole hashes: the algorithm of the specification's chapter 2.

use super::aes::{self, Aes};
use super::blake2b::hash512;
use super::calibration::Interleaving;
use super::configuration::{PROGRAM_COUNT, Version};
use super::dataset::Items;
use super::flight::Flight;
use super::interpreter::Interpreter;
use super::jit::{Jit, JitUnavailable};
use super::memory::OutOfMemory;
use super::program::Program;
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

/// A virtual machine that hashes, a few inputs at a time.
#[derive(Debug)]
pub struct Machine {
    version: Version,
    items: Items,
    aes: Aes,
    interleaving: Interleaving,
    flights: Vec<Flight>,
    /// Nothing where programs are interpreted.
    jit: Option<Jit>,
}

impl Machine {
    /// Makes a machine of `version` that reads `items`, and has one hash in flight.
    ///
    /// # Errors
    ///
    /// There is no memory for its scratchpad, or programs can't be compiled here.
    pub fn new(version: Version, items: Items, execution: Execution) -> Result<Self, MachineError> {
        Self::with_interleaving(version, items, execution, Interleaving::NONE)
    }

    /// Makes a machine of `version` that reads `items`, with several hashes in flight, each with its scratchpad.
    ///
    /// # Errors
    ///
    /// There is no memory for its scratchpads, or programs can't be compiled here.
    pub fn with_interleaving(
        version: Version,
        items: Items,
        execution: Execution,
        interleaving: Interleaving,
    ) -> Result<Self, MachineError> {
        let flights = (0..interleaving.hashes).map(|_| Flight::new()).collect::<Result<Vec<_>, _>>()?;
        let jit = match execution {
            Execution::Interpreted => None,
            Execution::Compiled => Some(Jit::new(version, &items, interleaving)?),
        };
        Ok(Self { version, items, aes: Aes::detect(), interleaving, flights, jit })
    }

    /// Returns how the hashes are interleaved.
    #[must_use]
    pub fn interleaving(&self) -> Interleaving {
        self.interleaving
    }

    /// Names the scratchpads, with the pages that they lie on.
    pub(super) fn memory(&self, name: &str) -> MemoryPart {
        let mut parts = self.flights.iter().map(|flight| flight.scratchpad.part(name));
        let mut sum = parts.next().expect("a machine has a hash in flight at least");
        parts.for_each(|part| sum.add(&part));
        sum
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
        let mut seeds = inputs.into_iter().map(|input| aes::state(&hash512(input.as_ref()))).fuse();
        let mut started = 0;
        for (flight, seed) in self.flights.iter_mut().zip(&mut seeds) {
            flight.start(self.aes, self.version, seed);
            started += 1;
        }
        while started > 0 {
            self.execute_all(started);
            let mut started_again = 0;
            for flight in &mut self.flights[..started] {
                let next = seeds.next();
                started_again += usize::from(next.is_some());
                each(flight.finish(self.aes, self.version, next));
            }
            started = started_again;
        }
    }

    /// Executes the programs of the first hashes, of which each has its first one.
    fn execute_all(&mut self, hashes: usize) {
        let flights = &mut self.flights[..hashes];
        for round in 0..PROGRAM_COUNT {
            if round > 0 {
                flights.iter_mut().for_each(|flight| flight.make_next_program(self.aes, self.version));
            }
            match &mut self.jit {
                Some(jit) => jit.execute(&self.items, flights),
                None => flights.iter_mut().for_each(|flight| interpret(self.version, self.aes, &self.items, flight)),
            }
        }
    }
}

/// Executes the program of `flight` instruction by instruction.
fn interpret(version: Version, aes: Aes, items: &Items, flight: &mut Flight) {
    let program = Program::decode(&flight.buffer, version);
    let mut interpreter = Interpreter { version, aes, items, scratchpad: &mut flight.scratchpad, mode: flight.mode };
    flight.registers = interpreter.execute(&program);
    flight.mode = interpreter.mode;
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
