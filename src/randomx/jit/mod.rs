//! Programs compiled to machine code of x86-64, which is some twenty times as fast as interpreting them.

mod assembler;
mod code_memory;
mod item_compiler;
mod lanes_compiler;
mod operand;
mod program_compiler;
mod vector_assembler;

use std::mem::offset_of;

pub(super) use item_compiler::ItemCode;
pub(super) use lanes_compiler::LanesCode;

use self::code_memory::CodeMemory;
use self::program_compiler::Shape;
use super::aes::Aes;
use super::configuration::{PROGRAM_ITERATIONS, Version};
use super::dataset::Items;
use super::instruction::Instruction;
use super::interpreter::RegisterFile;
use super::memory::Line;
use super::program::{Configuration, E_KEPT, FloatPair, ProgramBuffer, SCALE_MASK};
use super::softfloat::RoundingMode;

/// Why programs can't be compiled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("programs can't be compiled here: {0}")]
pub struct JitUnavailable(pub(super) String);

/// The bytes of code that no program exceeds: 384 instructions of at most 32 bytes, and the loop around them.
const CODE_BYTES: usize = 16 << 10;

/// What generated code is given, and what it leaves behind.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Frame {
    registers: RegisterFile,
    e_masks: FloatPair,
    e_kept: FloatPair,
    scale_mask: FloatPair,
    /// MXCSR when the program starts, and then when it has ended.
    mxcsr: u32,
    _padding: u32,
    mx: u32,
    ma: u32,
}

/// Where the parts of a frame lie.
mod frame {
    use super::{Frame, RegisterFile, offset_of};

    pub(super) const R: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, r);
    pub(super) const F: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, f);
    pub(super) const E: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, e);
    pub(super) const A: usize = offset_of!(Frame, registers) + offset_of!(RegisterFile, a);
    pub(super) const E_MASKS: usize = offset_of!(Frame, e_masks);
    pub(super) const E_KEPT: usize = offset_of!(Frame, e_kept);
    pub(super) const SCALE_MASK: usize = offset_of!(Frame, scale_mask);
    pub(super) const MXCSR: usize = offset_of!(Frame, mxcsr);
    pub(super) const MX_MA: usize = offset_of!(Frame, mx);
}

/// MXCSR without its rounding mode: all exceptions masked, denormal numbers read and written as zeros. There are none,
/// but this is what other implementations set.
const MXCSR: u32 = 0x9fc0;
/// Where MXCSR has the rounding mode, which is numbered as `fprc` is.
const MXCSR_MODE_SHIFT: u32 = 13;

/// Generated code: the frame, the scratchpad, the first item (fast mode) or the first line of the cache (light mode),
/// and the code that computes items (light mode).
type Entry = unsafe extern "sysv64" fn(*mut Frame, *mut Line, *const Line, *const u8);

/// Compiles and executes programs.
#[derive(Debug)]
pub(super) struct Jit {
    version: Version,
    code: CodeMemory,
    frame: Box<Frame>,
}

/// Tells whether programs can be compiled here.
pub(super) fn check(version: Version) -> Result<(), JitUnavailable> {
    check_aes(version)?;
    CodeMemory::new(CODE_BYTES).map(drop)
}

fn check_aes(version: Version) -> Result<(), JitUnavailable> {
    if version == Version::V2 && !Aes::detect().is_hardware() {
        return Err(JitUnavailable("version 2 needs a processor with AES instructions".to_owned()));
    }
    Ok(())
}

impl Jit {
    /// Makes room for the code of one program at a time, and sees that items of light mode can be computed.
    pub(super) fn new(version: Version, items: &Items) -> Result<Self, JitUnavailable> {
        if let Items::Computed(cache) = items {
            cache.item_code()?;
        }
        check_aes(version)?;
        let frame = Frame {
            registers: RegisterFile::default(),
            e_masks: [0; 2],
            e_kept: [E_KEPT; 2],
            scale_mask: [SCALE_MASK; 2],
            mxcsr: 0,
            _padding: 0,
            mx: 0,
            ma: 0,
        };
        Ok(Self { version, code: CodeMemory::new(CODE_BYTES)?, frame: Box::new(frame) })
    }

    /// Executes a program as [`Interpreter::execute`](super::interpreter::Interpreter::execute) does, and returns the
    /// registers.
    pub(super) fn execute(
        &mut self,
        buffer: &ProgramBuffer,
        items: &Items,
        scratchpad: &mut [Line],
        mode: &mut RoundingMode,
    ) -> RegisterFile {
        // Instructions are translated as they are decoded: storing them in between would take as long again.
        let instructions = buffer.instructions(self.version);
        self.execute_decoded(&buffer.configuration(), instructions, PROGRAM_ITERATIONS, items, scratchpad, mode)
    }

    /// Executes `instructions` as often as `iterations` says.
    #[inline(always)]
    fn execute_decoded(
        &mut self,
        configuration: &Configuration,
        instructions: impl Iterator<Item = Instruction>,
        iterations: u32,
        items: &Items,
        scratchpad: &mut [Line],
        mode: &mut RoundingMode,
    ) -> RegisterFile {
        let (memory, item_code) = match items {
            Items::Stored(dataset) => (&raw const dataset.items()[configuration.dataset_offset as usize], None),
            Items::Computed(cache) => {
                (cache.lines().as_ptr(), Some(cache.item_code().expect("was compiled when this machine was made")))
            }
        };
        let shape = Shape { version: self.version, is_light: item_code.is_some(), iterations };
        program_compiler::compile(self.code.bytes_mut(), shape, configuration, instructions);
        let frame = &mut *self.frame;
        frame.registers.a = configuration.a;
        frame.e_masks = configuration.e_masks;
        frame.mxcsr = MXCSR | (*mode as u32) << MXCSR_MODE_SHIFT;
        (frame.mx, frame.ma) = (configuration.mx, configuration.ma);
        let item_code = item_code.map_or(std::ptr::null(), ItemCode::routine);
        assert_eq!(scratchpad.len(), super::configuration::SCRATCHPAD_BYTES / size_of::<Line>());
        #[expect(unsafe_code, reason = "calls generated code")]
        // SAFETY: the code was just compiled, and follows the calling convention. It reaches the frame, the scratchpad
        // by masked addresses, and the dataset from an offset on that leaves the rest at least as long as the mask
        // allows, or the cache through the routine that was compiled for it. All live until it returns.
        unsafe {
            let entry: Entry = std::mem::transmute(self.code.entry());
            entry(frame, scratchpad.as_mut_ptr(), memory, item_code);
        }
        *mode = RoundingMode::from_fprc(u64::from(frame.mxcsr >> MXCSR_MODE_SHIFT));
        frame.registers
    }
}

#[cfg(test)]
#[path = "jit_tests.rs"]
mod tests;
