//! Programs of the virtual machine (specification, sections 4.4 and 4.5).

use super::configuration::{
    DATASET_ADDRESS_MASK, DATASET_EXTRA_ITEMS, LINE_BYTES, PROGRAM_ITERATIONS, PROGRAM_SIZE_MAX, Version,
};
use super::decoder::{Decoder, Word};
use super::instruction::{Instruction, Register};
use super::memory::Line;

/// The lines of configuration that stand before the instructions.
const CONFIGURATION_LINES: usize = 2;
/// The instruction words in a line.
const LINE_WORDS: usize = 8;

/// A floating point register: the bits of two numbers, the lower half first.
pub(super) type FloatPair = [u64; 2];

/// The random bytes that a program is made of.
#[derive(Debug, Clone)]
pub(super) struct ProgramBuffer([Line; CONFIGURATION_LINES + PROGRAM_SIZE_MAX / LINE_WORDS]);

impl ProgramBuffer {
    /// Makes a buffer for programs of any version.
    pub(super) fn new() -> Self {
        Self([Line::default(); _])
    }

    /// Returns the lines to be filled for a program of `version`.
    pub(super) fn lines_mut(&mut self, version: Version) -> &mut [Line] {
        &mut self.0[..CONFIGURATION_LINES + version.program_size() / LINE_WORDS]
    }

    /// Decodes the instructions of a program of `version`, one at a time.
    #[inline(always)]
    pub(super) fn instructions(&self, version: Version) -> impl Iterator<Item = Instruction> {
        let lines = &self.0[CONFIGURATION_LINES..CONFIGURATION_LINES + version.program_size() / LINE_WORDS];
        let words: &[u64] = bytemuck::must_cast_slice(lines);
        let mut decoder = Decoder::new();
        words.iter().map(
            #[inline(always)]
            move |&word| decoder.decode(Word(word)),
        )
    }

    /// Returns what the first two lines say.
    pub(super) fn configuration(&self) -> Configuration {
        Configuration::new([self.0[0].0, self.0[1].0])
    }
}

/// What a program sets beside its instructions (specification, table 4.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The registers of group A, which never change.
    pub(super) a: [FloatPair; 4],
    /// The address in the dataset that is read first.
    pub(super) ma: u32,
    /// The address that is read second.
    pub(super) mx: u32,
    /// `readReg0` to `readReg3`.
    pub(super) address_registers: [Register; 4],
    /// The item that address 0 means.
    pub(super) dataset_offset: u32,
    /// What is set in both halves when an integer becomes a number of group E.
    pub(super) e_masks: FloatPair,
}

impl Configuration {
    /// The number of the item that an address in the dataset means.
    pub(super) fn item(&self, address: u32) -> u32 {
        self.dataset_offset + (address & DATASET_ADDRESS_MASK) / LINE_BYTES as u32
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower halves are meant")]
    fn new([floats, others]: [[u64; 8]; 2]) -> Self {
        let [ma, _, mx, _, selection, offset, low_mask, high_mask] = others;
        let select = |pair: u8| Register::new(2 * pair + (selection >> pair & 1) as u8);
        Self {
            a: std::array::from_fn(|register| [a_value(floats[2 * register]), a_value(floats[2 * register + 1])]),
            ma: ma as u32,
            mx: mx as u32,
            address_registers: [select(0), select(1), select(2), select(3)],
            dataset_offset: (offset % (DATASET_EXTRA_ITEMS as u64 + 1)) as u32,
            e_masks: [e_mask(low_mask), e_mask(high_mask)],
        }
    }
}

/// Returns a number of group A: a random fraction, and an exponent from 0 to 31 (specification, section 4.5.2).
fn a_value(random: u64) -> u64 {
    ((random >> 59) + 1023) << 52 | random & ((1 << 52) - 1)
}

/// Returns the bits that numbers of group E have set (specification, sections 4.3.2 and 4.5.6).
fn e_mask(random: u64) -> u64 {
    (0x300 | random >> 60 << 4) << 52 | random & ((1 << 22) - 1)
}

/// What is kept of a converted integer in group E: all but the sign and the upper bits of the exponent.
pub(super) const E_KEPT: u64 = (1 << 56) - 1;

/// What FSCAL_R turns around.
pub(super) const SCALE_MASK: u64 = 0x80f0 << 48;

/// A decoded program.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) configuration: Configuration,
    pub(super) instructions: Vec<Instruction>,
    /// How often the instructions are executed. Only tests change it.
    pub(super) iterations: u32,
}

impl Program {
    /// Decodes a program of `version`.
    pub(super) fn decode(buffer: &ProgramBuffer, version: Version) -> Self {
        Self {
            configuration: buffer.configuration(),
            instructions: buffer.instructions(version).collect(),
            iterations: PROGRAM_ITERATIONS,
        }
    }
}
