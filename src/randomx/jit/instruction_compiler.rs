//! Translation of a program's instructions to machine code (specification, chapter 5).

use super::assembler::{Arithmetic, Assembler, Label, Packed};
use super::frame;
use super::operand::{Gpr, Memory, RAX, RCX, RDX, RSI, RSP, Xmm};
use super::program_compiler::{Compiler, E_KEPT, E_MASKS, SCALE_MASK, r, stack};
use crate::randomx::configuration::{PROGRAM_SIZE_MAX, Version};
use crate::randomx::instruction::{Address, FloatRegister, Instruction, Operand, Register, condition_mask};

/// An operand from memory.
const OPERAND: Xmm = Xmm(12);

fn f(register: FloatRegister) -> Xmm {
    Xmm(register.index() as u8)
}

fn e(register: FloatRegister) -> Xmm {
    Xmm(4 + register.index() as u8)
}

fn a(register: FloatRegister) -> Xmm {
    Xmm(8 + register.index() as u8)
}

impl Compiler<'_> {
    /// Step 4: the instructions.
    #[inline(always)]
    pub(super) fn body(&mut self, instructions: impl Iterator<Item = Instruction>) {
        let mut starts = [Label(0); PROGRAM_SIZE_MAX];
        for (index, instruction) in instructions.enumerate() {
            starts[index] = self.assembler.label();
            if let Instruction::Cbranch { dst, shift, target, addend } = instruction {
                let asm = &mut self.assembler;
                asm.arithmetic_constant(Arithmetic::Add, r(dst), addend);
                #[expect(clippy::cast_possible_truncation, reason = "the tested bits are below bit 31")]
                asm.test32_constant(r(dst), condition_mask(shift) as u32);
                // Branches only go back, at most to themselves.
                asm.jz_back(starts[usize::from(target.0)]);
            } else {
                self.instruction(instruction);
            }
        }
    }

    /// Translates an instruction that doesn't branch.
    #[inline(always)]
    fn instruction(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::IaddRs { dst, src, shift, offset } => {
                let sum = Memory { base: r(dst), index: Some((r(src), shift)), displacement: offset };
                self.assembler.lea(r(dst), sum);
            }
            Instruction::IaddM { dst, address } => self.arithmetic_memory(Arithmetic::Add, dst, address),
            Instruction::IsubR { dst, src } => self.arithmetic(Arithmetic::Sub, dst, src),
            Instruction::IsubM { dst, address } => self.arithmetic_memory(Arithmetic::Sub, dst, address),
            Instruction::ImulR { dst, src } => match src {
                Operand::Register(src) => self.assembler.imul(r(dst), r(src)),
                Operand::Immediate(constant) => self.assembler.imul_constant(r(dst), r(dst), constant),
            },
            Instruction::ImulM { dst, address } => {
                let memory = self.address(RAX, address);
                self.assembler.imul(r(dst), memory);
            }
            Instruction::ImulhR { dst, src } => self.high_product(dst, |asm| asm.mul_wide(r(src))),
            Instruction::ImulhM { dst, address } => {
                let memory = self.address(RCX, address);
                self.high_product(dst, |asm| asm.mul_wide(memory));
            }
            Instruction::IsmulhR { dst, src } => self.high_product(dst, |asm| asm.imul_wide(r(src))),
            Instruction::IsmulhM { dst, address } => {
                let memory = self.address(RCX, address);
                self.high_product(dst, |asm| asm.imul_wide(memory));
            }
            Instruction::ImulRcp { dst, reciprocal } => {
                self.assembler.mov_constant(RAX, reciprocal);
                self.assembler.imul(r(dst), RAX);
            }
            Instruction::InegR { dst } => self.assembler.neg(r(dst)),
            Instruction::IxorR { dst, src } => self.arithmetic(Arithmetic::Xor, dst, src),
            Instruction::IxorM { dst, address } => self.arithmetic_memory(Arithmetic::Xor, dst, address),
            Instruction::IrorR { dst, src } => match src {
                Operand::Register(src) => {
                    self.assembler.mov32(RCX, r(src));
                    self.assembler.ror_rcx(r(dst));
                }
                Operand::Immediate(constant) => self.assembler.ror_constant(r(dst), (constant & 63) as u8),
            },
            Instruction::IrolR { dst, src } => match src {
                Operand::Register(src) => {
                    self.assembler.mov32(RCX, r(src));
                    self.assembler.rol_rcx(r(dst));
                }
                Operand::Immediate(constant) => self.assembler.rol_constant(r(dst), (constant & 63) as u8),
            },
            Instruction::IswapR { dst, src } => self.assembler.xchg(r(dst), r(src)),
            Instruction::FswapF { dst } => self.assembler.swap_halves(f(dst)),
            Instruction::FswapE { dst } => self.assembler.swap_halves(e(dst)),
            Instruction::FaddR { dst, src } => self.assembler.packed(Packed::Add, f(dst), a(src)),
            Instruction::FaddM { dst, address } => self.float_memory(Packed::Add, f(dst), address),
            Instruction::FsubR { dst, src } => self.assembler.packed(Packed::Sub, f(dst), a(src)),
            Instruction::FsubM { dst, address } => self.float_memory(Packed::Sub, f(dst), address),
            Instruction::FscalR { dst } => self.assembler.packed(Packed::Xor, f(dst), SCALE_MASK),
            Instruction::FmulR { dst, src } => self.assembler.packed(Packed::Mul, e(dst), a(src)),
            Instruction::FdivM { dst, address } => self.float_memory(Packed::Div, e(dst), address),
            Instruction::FsqrtR { dst } => self.assembler.packed(Packed::Sqrt, e(dst), e(dst)),
            Instruction::Cfround { src, rotation } => self.set_rounding_mode(src, rotation),
            Instruction::Istore { src, address } => {
                let memory = self.address(RAX, address);
                self.assembler.store(memory, r(src));
            }
            Instruction::Cbranch { .. } | Instruction::Nop => {}
        }
    }

    fn arithmetic(&mut self, operation: Arithmetic, dst: Register, src: Operand) {
        match src {
            Operand::Register(src) => self.assembler.arithmetic(operation, r(dst), r(src)),
            Operand::Immediate(constant) => self.assembler.arithmetic_constant(operation, r(dst), constant),
        }
    }

    fn arithmetic_memory(&mut self, operation: Arithmetic, dst: Register, address: Address) {
        let memory = self.address(RAX, address);
        self.assembler.arithmetic(operation, r(dst), memory);
    }

    fn high_product(&mut self, dst: Register, multiply: impl FnOnce(&mut Assembler<'_>)) {
        self.assembler.mov(RAX, r(dst));
        multiply(&mut self.assembler);
        self.assembler.mov(r(dst), RDX);
    }

    fn float_memory(&mut self, operation: Packed, dst: Xmm, address: Address) {
        let memory = self.address(RAX, address);
        self.assembler.cvtdq2pd(OPERAND, memory);
        if matches!(operation, Packed::Div) {
            self.make_e(OPERAND);
        }
        self.assembler.packed(operation, dst, OPERAND);
    }

    /// Computes an address in the scratchpad, in `temporary` where it isn't known yet.
    fn address(&mut self, temporary: Gpr, address: Address) -> Memory {
        let mask = address.level.mask();
        let Some(base) = address.base else {
            return Memory::at(RSI, address.offset & mask.cast_signed());
        };
        self.assembler.lea32(temporary, Memory::at(r(base), address.offset));
        self.assembler.arithmetic32_constant(Arithmetic::And, temporary, mask);
        Memory::indexed(RSI, temporary)
    }

    /// Loads MXCSR each time: an Intel processor (a Xeon with AVX-512 FP16) takes 9 cycles for that whether the mode
    /// changes or not. An AMD Zen 4 takes none for the mode that it has, and 48 for another.
    ///
    /// Not built, because of what its jump was measured to take on both: a copy of the program for each mode, with the
    /// mode in the instructions, and an indirect jump here. Mispredicted three times of four, the jump alone takes 18
    /// cycles on average on Zen 4 and 21 on the Xeon; and instructions have the mode only for single numbers and for
    /// vectors of eight, whose divisions and roots take several times as long.
    fn set_rounding_mode(&mut self, src: Register, rotation: u8) {
        let asm = &mut self.assembler;
        asm.mov(RAX, r(src));
        asm.ror_constant(RAX, rotation);
        let skipped = match self.shape.version {
            Version::V1 => None,
            Version::V2 => {
                asm.test32_constant(RAX, 60);
                Some(asm.skip_when_not_zero())
            }
        };
        let mxcsr = Memory { base: RSP, index: Some((RAX, 2)), displacement: stack::MXCSR_TABLE };
        asm.arithmetic32_constant(Arithmetic::And, RAX, 3);
        asm.ldmxcsr(mxcsr);
        if self.is_shared() {
            let kept = self.in_frame(frame::MXCSR, 0, 0);
            self.assembler.mov32(RAX, mxcsr);
            self.assembler.store32(kept, RAX);
        }
        if let Some(skipped) = skipped {
            self.assembler.end_skip(skipped);
        }
    }

    /// Makes a number of group E of one of group F.
    pub(super) fn make_e(&mut self, register: Xmm) {
        self.assembler.packed(Packed::And, register, E_KEPT);
        self.assembler.packed(Packed::Or, register, E_MASKS);
    }
}
