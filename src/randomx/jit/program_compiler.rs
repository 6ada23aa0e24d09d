//! Translation of a program, with the loop around it, to machine code (specification, section 4.6.2).
//!
//! | register | holds |
//! |---|---|
//! | r8 to r15 | r0 to r7 |
//! | xmm0 to 3, 4 to 7, 8 to 11 | f, e, a |
//! | xmm12 | an operand from memory |
//! | xmm13, 14, 15 | what makes a number of group E (two masks), what FSCAL_R turns around |
//! | rsi, rdi | the scratchpad, and the dataset or the cache |
//! | rbx | the iterations that are left |
//! | rbp | mx in the lower half, ma in the upper one |
//! | rax, rcx, rdx | addresses and products |

use super::assembler::{Arithmetic, Assembler, Label, Packed};
use super::operand::{Gpr, Memory, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Xmm};
use super::{MXCSR, MXCSR_MODE_SHIFT, frame};
use crate::randomx::configuration::{DATASET_ADDRESS_MASK, PROGRAM_SIZE_MAX, SCRATCHPAD_LINE_MASK, Version};
use crate::randomx::instruction::{Address, FloatRegister, Instruction, Operand, Register, condition_mask};
use crate::randomx::program::Configuration;

const OPERAND: Xmm = Xmm(12);
const E_KEPT: Xmm = Xmm(13);
const E_MASKS: Xmm = Xmm(14);
const SCALE_MASK: Xmm = Xmm(15);
/// The registers that the caller wants back.
const SAVED: [Gpr; 6] = [RBX, RBP, Gpr(12), Gpr(13), Gpr(14), Gpr(15)];

/// What lies on the stack: where the lines of this iteration are in the scratchpad, MXCSR for each rounding mode and as
/// the caller had it, the frame, the code that computes items, and in light mode the integer registers meanwhile.
mod stack {
    pub(super) const LINE_0: i32 = 0;
    pub(super) const LINE_1: i32 = 8;
    pub(super) const MXCSR_TABLE: i32 = 16;
    pub(super) const CALLER_MXCSR: i32 = 32;
    pub(super) const FRAME: i32 = 40;
    pub(super) const ITEM_CODE: i32 = 48;
    pub(super) const INTEGERS: i32 = 56;
    pub(super) const BYTES: i32 = 120;
}

/// What kind of code is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) version: Version,
    /// Whether items have to be computed.
    pub(super) is_light: bool,
    /// How often the instructions are executed.
    pub(super) iterations: u32,
}

/// Translates a program into `code`.
#[inline(always)]
pub(super) fn compile(
    code: &mut [u8],
    shape: Shape,
    configuration: &Configuration,
    instructions: impl Iterator<Item = Instruction>,
) {
    let mut compiler = Compiler { assembler: Assembler::new(code), shape };
    compiler.prologue();
    let top = compiler.assembler.label();
    compiler.load_lines();
    compiler.body(instructions);
    compiler.read_dataset(configuration);
    compiler.store_lines(configuration, top);
    compiler.epilogue();
}

fn r(register: Register) -> Gpr {
    Gpr(8 + register.index() as u8)
}

fn f(register: FloatRegister) -> Xmm {
    Xmm(register.index() as u8)
}

fn e(register: FloatRegister) -> Xmm {
    Xmm(4 + register.index() as u8)
}

fn a(register: FloatRegister) -> Xmm {
    Xmm(8 + register.index() as u8)
}

/// The place in a frame, of the `index`th of equal things of `bytes` bytes.
fn in_frame(base: Gpr, offset: usize, index: u8, bytes: u8) -> Memory {
    Memory::at(base, i32::try_from(offset).expect("frames are short") + i32::from(index) * i32::from(bytes))
}

struct Compiler<'a> {
    assembler: Assembler<'a>,
    shape: Shape,
}

impl Compiler<'_> {
    /// Takes the arguments in RDI, RSI, RDX and RCX, and prepares the first iteration.
    fn prologue(&mut self) {
        let asm = &mut self.assembler;
        SAVED.into_iter().for_each(|register| asm.push(register));
        asm.arithmetic_constant(Arithmetic::Sub, RSP, stack::BYTES);
        asm.store(Memory::at(RSP, stack::FRAME), RDI);
        asm.store(Memory::at(RSP, stack::ITEM_CODE), RCX);
        asm.stmxcsr(Memory::at(RSP, stack::CALLER_MXCSR));
        for mode in 0..4_u8 {
            asm.mov32_constant(RAX, MXCSR | u32::from(mode) << MXCSR_MODE_SHIFT);
            asm.store32(Memory::at(RSP, stack::MXCSR_TABLE + 4 * i32::from(mode)), RAX);
        }
        for i in 0..4 {
            asm.movaps(Xmm(8 + i), in_frame(RDI, frame::A, i, 16));
        }
        asm.movaps(E_KEPT, in_frame(RDI, frame::E_KEPT, 0, 0));
        asm.movaps(E_MASKS, in_frame(RDI, frame::E_MASKS, 0, 0));
        asm.movaps(SCALE_MASK, in_frame(RDI, frame::SCALE_MASK, 0, 0));
        asm.ldmxcsr(in_frame(RDI, frame::MXCSR, 0, 0));
        asm.mov(RBP, in_frame(RDI, frame::MX_MA, 0, 0));
        asm.mov(RDI, RDX);
        asm.mov32_constant(RBX, self.shape.iterations);
        for i in 8..16 {
            asm.xor32(Gpr(i), Gpr(i));
        }
        asm.mov(RAX, RBP);
        self.split_addresses();
    }

    /// Splits RAX into the addresses of the two lines of an iteration, in RAX and RDX.
    fn split_addresses(&mut self) {
        let asm = &mut self.assembler;
        asm.mov(RDX, RAX);
        asm.arithmetic32_constant(Arithmetic::And, RAX, SCRATCHPAD_LINE_MASK);
        asm.shr_constant(RDX, 32);
        asm.arithmetic32_constant(Arithmetic::And, RDX, SCRATCHPAD_LINE_MASK);
    }

    /// Steps 2 and 3 of the loop.
    fn load_lines(&mut self) {
        let asm = &mut self.assembler;
        asm.lea(RCX, Memory::indexed(RSI, RAX));
        asm.arithmetic(Arithmetic::Add, RDX, RSI);
        asm.store(Memory::at(RSP, stack::LINE_0), RCX);
        asm.store(Memory::at(RSP, stack::LINE_1), RDX);
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), Memory::at(RCX, 8 * i32::from(i)));
        }
        for i in 0..8 {
            asm.cvtdq2pd(Xmm(i), Memory::at(RDX, 8 * i32::from(i)));
        }
        for i in 4..8 {
            self.make_e(Xmm(i));
        }
    }

    /// Makes a number of group E of one of group F.
    fn make_e(&mut self, register: Xmm) {
        self.assembler.packed(Packed::And, register, E_KEPT);
        self.assembler.packed(Packed::Or, register, E_MASKS);
    }

    /// Step 4: the instructions.
    #[inline(always)]
    fn body(&mut self, instructions: impl Iterator<Item = Instruction>) {
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

    fn set_rounding_mode(&mut self, src: Register, rotation: u8) {
        let load = |asm: &mut Assembler<'_>| {
            asm.arithmetic32_constant(Arithmetic::And, RAX, 3);
            asm.ldmxcsr(Memory { base: RSP, index: Some((RAX, 2)), displacement: stack::MXCSR_TABLE });
        };
        let asm = &mut self.assembler;
        asm.mov(RAX, r(src));
        asm.ror_constant(RAX, rotation);
        match self.shape.version {
            Version::V1 => load(asm),
            Version::V2 => {
                asm.test32_constant(RAX, 60);
                asm.unless_not_zero(load);
            }
        }
    }

    /// Steps 5 to 8: reads one line of the dataset, and fetches another.
    fn read_dataset(&mut self, configuration: &Configuration) {
        let [_, _, read2, read3] = configuration.address_registers.map(r);
        let asm = &mut self.assembler;
        asm.mov32(RAX, read2);
        asm.xor32(RAX, read3);
        // Swapping mx and ma is a rotation of both.
        match self.shape.version {
            Version::V1 => {
                asm.arithmetic(Arithmetic::Xor, RBP, RAX);
                asm.mov32(RDX, RBP);
                asm.ror_constant(RBP, 32);
                asm.mov32(RCX, RBP);
            }
            Version::V2 => {
                asm.ror_constant(RBP, 32);
                asm.mov32(RCX, RBP);
                asm.arithmetic(Arithmetic::Xor, RBP, RAX);
                asm.mov32(RDX, RBP);
            }
        }
        asm.arithmetic32_constant(Arithmetic::And, RCX, DATASET_ADDRESS_MASK);
        if self.shape.is_light {
            return self.compute_item(configuration.dataset_offset);
        }
        let asm = &mut self.assembler;
        asm.arithmetic32_constant(Arithmetic::And, RDX, DATASET_ADDRESS_MASK);
        asm.prefetch_nta(Memory::indexed(RDI, RDX));
        asm.arithmetic(Arithmetic::Add, RCX, RDI);
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), Memory::at(RCX, 8 * i32::from(i)));
        }
    }

    /// Computes the item whose address is in RCX. The code that does it wants its number in RAX and the cache in RDI,
    /// leaves the item in R8 to R15, and keeps RBX, RBP, RSI and RDI.
    fn compute_item(&mut self, dataset_offset: u32) {
        let asm = &mut self.assembler;
        let kept = |i: u8| Memory::at(RSP, stack::INTEGERS + 8 * i32::from(i));
        for i in 0..8 {
            asm.store(kept(i), Gpr(8 + i));
        }
        asm.shr_constant(RCX, 6);
        asm.lea(RAX, Memory::at(RCX, dataset_offset.cast_signed()));
        asm.call(Memory::at(RSP, stack::ITEM_CODE));
        for i in 0..8 {
            asm.arithmetic(Arithmetic::Xor, Gpr(8 + i), kept(i));
        }
    }

    /// Steps 9 to 13, and step 1 of the next iteration, whose lines are fetched already.
    fn store_lines(&mut self, configuration: &Configuration, top: Label) {
        let [read0, read1, ..] = configuration.address_registers.map(r);
        self.assembler.mov(RAX, read0);
        self.assembler.arithmetic(Arithmetic::Xor, RAX, read1);
        self.split_addresses();
        let asm = &mut self.assembler;
        asm.prefetch_t0(Memory::indexed(RSI, RAX));
        asm.prefetch_t0(Memory::indexed(RSI, RDX));
        asm.mov(RCX, Memory::at(RSP, stack::LINE_1));
        for i in 0..8 {
            asm.store(Memory::at(RCX, 8 * i32::from(i)), Gpr(8 + i));
        }
        asm.mov(RCX, Memory::at(RSP, stack::LINE_0));
        match self.shape.version {
            Version::V1 => (0..4).for_each(|i| asm.packed(Packed::Xor, Xmm(i), Xmm(4 + i))),
            Version::V2 => {
                for key in 4..8 {
                    for i in 0..4 {
                        let operation = if i % 2 == 0 { Packed::AesEncrypt } else { Packed::AesDecrypt };
                        asm.packed(operation, Xmm(i), Xmm(key));
                    }
                }
            }
        }
        for i in 0..4 {
            asm.store_xmm(Memory::at(RCX, 16 * i32::from(i)), Xmm(i));
        }
        asm.arithmetic32_constant(Arithmetic::Sub, RBX, 1);
        asm.jnz_back(top);
    }

    /// Leaves the registers in the frame, and returns.
    fn epilogue(&mut self) {
        let asm = &mut self.assembler;
        asm.mov(RCX, Memory::at(RSP, stack::FRAME));
        for i in 0..8 {
            asm.store(in_frame(RCX, frame::R, i, 8), Gpr(8 + i));
        }
        for i in 0..4 {
            asm.store_xmm(in_frame(RCX, frame::F, i, 16), Xmm(i));
            asm.store_xmm(in_frame(RCX, frame::E, i, 16), Xmm(4 + i));
        }
        asm.stmxcsr(in_frame(RCX, frame::MXCSR, 0, 0));
        asm.ldmxcsr(Memory::at(RSP, stack::CALLER_MXCSR));
        asm.arithmetic_constant(Arithmetic::Add, RSP, stack::BYTES);
        SAVED.into_iter().rev().for_each(|register| asm.pop(register));
        asm.ret();
    }
}
