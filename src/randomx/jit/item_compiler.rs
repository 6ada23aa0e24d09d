//! Translation of a cache's programs of SuperscalarHash to machine code that computes single items, for light mode.

use super::JitUnavailable;
use super::assembler::{Arithmetic, Assembler};
use super::code_memory::CodeMemory;
use super::operand::{Gpr, Memory, RAX, RCX, RDI, RDX};
use crate::randomx::cache::{INITIAL_MULTIPLIER, INITIAL_XORED};
use crate::randomx::configuration::{CACHE_ACCESSES, CACHE_LINES};
use crate::randomx::superscalar::{Operation, SuperscalarInstruction, SuperscalarProgram};

/// Eight programs of at most 512 instructions, of at most 14 bytes.
const CODE_BYTES: usize = 64 << 10;

/// The code that computes items from one cache.
///
/// It is called from generated code only, in its own way: the item's number is in RAX and the cache in RDI, the item
/// comes back in R8 to R15, and RAX, RCX and RDX are lost.
#[derive(Debug)]
pub(in crate::randomx) struct ItemCode(CodeMemory);

impl ItemCode {
    /// Compiles `programs`.
    pub(in crate::randomx) fn new(programs: &[SuperscalarProgram; CACHE_ACCESSES]) -> Result<Self, JitUnavailable> {
        let mut code = CodeMemory::new(CODE_BYTES)?;
        compile(&mut Assembler::new(code.bytes_mut()), programs);
        code.synchronize();
        Ok(Self(code))
    }

    /// Returns where the code begins.
    pub(super) fn routine(&self) -> *const u8 {
        self.0.entry().cast()
    }
}

/// The registers that an item is computed in and that callers want back.
pub(super) const RESTORED: [Gpr; 4] = [Gpr(12), Gpr(13), Gpr(14), Gpr(15)];

/// Writes the code.
fn compile(asm: &mut Assembler<'_>, programs: &[SuperscalarProgram; CACHE_ACCESSES]) {
    let registers = || (8..16).map(Gpr);
    // The number of the item says which line of the cache comes first. RCX stays with the line.
    asm.mov(RCX, RAX);
    asm.lea(Gpr(8), Memory::at(RAX, 1));
    asm.mov_constant(RAX, INITIAL_MULTIPLIER);
    asm.imul(Gpr(8), RAX);
    for (register, xored) in registers().zip(INITIAL_XORED).skip(1) {
        asm.mov_constant(register, xored);
        asm.arithmetic(Arithmetic::Xor, register, Gpr(8));
    }
    for program in programs {
        asm.arithmetic32_constant(Arithmetic::And, RCX, (CACHE_LINES - 1) as u32);
        asm.shl_constant(RCX, 6);
        asm.arithmetic(Arithmetic::Add, RCX, RDI);
        asm.prefetch_nta(Memory::at(RCX, 0));
        for instruction in program.instructions() {
            self::instruction(asm, *instruction);
        }
        for (register, offset) in registers().zip((0..).step_by(8)) {
            asm.arithmetic(Arithmetic::Xor, register, Memory::at(RCX, offset));
        }
        asm.mov(RCX, Gpr(8 + program.address_register() as u8));
    }
    asm.ret();
}

/// Writes an instruction on R8 to R15. RAX and RDX are lost.
pub(super) fn instruction(asm: &mut Assembler<'_>, instruction: SuperscalarInstruction) {
    let (dst, src) = (Gpr(8 + instruction.dst), Gpr(8 + instruction.src));
    let constant = instruction.imm32.cast_signed();
    match instruction.operation {
        Operation::IsubR => asm.arithmetic(Arithmetic::Sub, dst, src),
        Operation::IxorR => asm.arithmetic(Arithmetic::Xor, dst, src),
        Operation::IaddRs => {
            asm.lea(dst, Memory { base: dst, index: Some((src, instruction.shift())), displacement: 0 });
        }
        Operation::ImulR => asm.imul(dst, src),
        Operation::IrorC => asm.ror_constant(dst, (instruction.imm32 & 63) as u8),
        Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
            asm.arithmetic_constant(Arithmetic::Add, dst, constant);
        }
        Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => {
            asm.arithmetic_constant(Arithmetic::Xor, dst, constant);
        }
        Operation::ImulhR | Operation::IsmulhR => {
            asm.mov(RAX, dst);
            match instruction.operation {
                Operation::ImulhR => asm.mul_wide(src),
                _ => asm.imul_wide(src),
            }
            asm.mov(dst, RDX);
        }
        Operation::ImulRcp => {
            asm.mov_constant(RAX, instruction.constant);
            asm.imul(dst, RAX);
        }
    }
}
