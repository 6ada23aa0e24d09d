//! Encoding of the x86-64 instructions that are generated.

use super::encoding::Opcode;
use super::operand::{Gpr, Memory, RAX, Rm, Xmm};

/// Operations of two general registers, or of one and memory or a constant.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Arithmetic {
    Add = 0,
    And = 4,
    Sub = 5,
    Xor = 6,
    /// Sets the flags only.
    Compare = 7,
}

/// Operations of two vector registers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Packed {
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    And,
    Or,
    Xor,
    AesEncrypt,
    AesDecrypt,
}

/// Writes instructions one after the other.
#[derive(Debug)]
pub(super) struct Assembler<'a> {
    pub(super) code: &'a mut [u8],
    pub(super) position: usize,
}

/// A place in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(pub(super) usize);

impl<'a> Assembler<'a> {
    /// Starts at the beginning of `code`.
    pub(super) fn new(code: &'a mut [u8]) -> Self {
        Self { code, position: 0 }
    }

    /// Returns the place of the next instruction.
    #[inline(always)]
    pub(super) fn label(&self) -> Label {
        Label(self.position)
    }

    #[inline(always)]
    pub(super) fn bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        self.code[self.position..self.position + N].copy_from_slice(&bytes);
        self.position += N;
    }

    #[inline(always)]
    pub(super) fn displacement(&mut self, displacement: i32) {
        self.bytes(displacement.to_le_bytes());
    }

    /// `dst = src`.
    #[inline(always)]
    pub(super) fn mov(&mut self, dst: Gpr, src: impl Into<Rm>) {
        self.encode(Opcode::wide(&[0x8b]), dst.0, src.into());
    }

    /// `dst = src`, the lower 32 bits, and zeros above.
    #[inline(always)]
    pub(super) fn mov32(&mut self, dst: Gpr, src: impl Into<Rm>) {
        self.encode(Opcode::narrow(&[0x8b]), dst.0, src.into());
    }

    /// `dst = src`.
    #[inline(always)]
    pub(super) fn store(&mut self, dst: Memory, src: Gpr) {
        self.encode(Opcode::wide(&[0x89]), src.0, dst.into());
    }

    /// `dst = src`, the lower 32 bits.
    #[inline(always)]
    pub(super) fn store32(&mut self, dst: Memory, src: Gpr) {
        self.encode(Opcode::narrow(&[0x89]), src.0, dst.into());
    }

    /// `dst = constant`.
    #[inline(always)]
    pub(super) fn mov_constant(&mut self, dst: Gpr, constant: u64) {
        self.bytes([0x48 | dst.0 >> 3, 0xb8 | dst.0 & 7]);
        self.bytes(constant.to_le_bytes());
    }

    /// `dst = constant`, and zeros above.
    #[inline(always)]
    pub(super) fn mov32_constant(&mut self, dst: Gpr, constant: u32) {
        self.short(0xb8, dst);
        self.bytes(constant.to_le_bytes());
    }

    /// `dst = address of memory`.
    #[inline(always)]
    pub(super) fn lea(&mut self, dst: Gpr, memory: Memory) {
        self.encode(Opcode::wide(&[0x8d]), dst.0, memory.into());
    }

    /// `dst = address of memory`, the lower 32 bits, and zeros above.
    #[inline(always)]
    pub(super) fn lea32(&mut self, dst: Gpr, memory: Memory) {
        self.encode(Opcode::narrow(&[0x8d]), dst.0, memory.into());
    }

    /// `dst = dst op src`.
    #[inline(always)]
    pub(super) fn arithmetic(&mut self, operation: Arithmetic, dst: Gpr, src: impl Into<Rm>) {
        let opcode = match operation {
            Arithmetic::Add => Opcode::wide(&[0x03]),
            Arithmetic::And => Opcode::wide(&[0x23]),
            Arithmetic::Sub => Opcode::wide(&[0x2b]),
            Arithmetic::Xor => Opcode::wide(&[0x33]),
            Arithmetic::Compare => Opcode::wide(&[0x3b]),
        };
        self.encode(opcode, dst.0, src.into());
    }

    /// `dst = dst op constant`, which is extended with its sign.
    #[inline(always)]
    pub(super) fn arithmetic_constant(&mut self, operation: Arithmetic, dst: Gpr, constant: i32) {
        self.encode(Opcode::wide(&[0x81]), operation as u8, dst.into());
        self.displacement(constant);
    }

    /// `dst = dst op constant`, the lower 32 bits, and zeros above.
    #[inline(always)]
    pub(super) fn arithmetic32_constant(&mut self, operation: Arithmetic, dst: Gpr, constant: u32) {
        if dst == RAX {
            self.bytes([(operation as u8) << 3 | 5]);
        } else {
            self.encode(Opcode::narrow(&[0x81]), operation as u8, dst.into());
        }
        self.bytes(constant.to_le_bytes());
    }

    /// `dst = dst op constant` in memory of 32 bits.
    pub(super) fn arithmetic32_memory_constant(&mut self, operation: Arithmetic, dst: Memory, constant: i8) {
        self.encode(Opcode::narrow(&[0x83]), operation as u8, dst.into());
        self.bytes([constant.cast_unsigned()]);
    }

    /// `dst = dst ^ src`, the lower 32 bits, and zeros above.
    #[inline(always)]
    pub(super) fn xor32(&mut self, dst: Gpr, src: Gpr) {
        self.encode(Opcode::narrow(&[0x33]), dst.0, src.into());
    }

    /// `dst = dst * src`.
    #[inline(always)]
    pub(super) fn imul(&mut self, dst: Gpr, src: impl Into<Rm>) {
        self.encode(Opcode::wide(&[0x0f, 0xaf]), dst.0, src.into());
    }

    /// `dst = src * constant`, which is extended with its sign.
    #[inline(always)]
    pub(super) fn imul_constant(&mut self, dst: Gpr, src: Gpr, constant: i32) {
        self.encode(Opcode::wide(&[0x69]), dst.0, src.into());
        self.displacement(constant);
    }

    /// `RDX:RAX = RAX * src`.
    #[inline(always)]
    pub(super) fn mul_wide(&mut self, src: impl Into<Rm>) {
        self.encode(Opcode::wide(&[0xf7]), 4, src.into());
    }

    /// `RDX:RAX = RAX * src`, signed.
    #[inline(always)]
    pub(super) fn imul_wide(&mut self, src: impl Into<Rm>) {
        self.encode(Opcode::wide(&[0xf7]), 5, src.into());
    }

    /// `dst = -dst`.
    #[inline(always)]
    pub(super) fn neg(&mut self, dst: Gpr) {
        self.encode(Opcode::wide(&[0xf7]), 3, dst.into());
    }

    /// Rotates `dst` to the right by a constant.
    #[inline(always)]
    pub(super) fn ror_constant(&mut self, dst: Gpr, count: u8) {
        self.encode(Opcode::wide(&[0xc1]), 1, dst.into());
        self.bytes([count]);
    }

    /// Rotates `dst` to the left by a constant.
    #[inline(always)]
    pub(super) fn rol_constant(&mut self, dst: Gpr, count: u8) {
        self.encode(Opcode::wide(&[0xc1]), 0, dst.into());
        self.bytes([count]);
    }

    /// Shifts `dst` to the right by a constant.
    #[inline(always)]
    pub(super) fn shr_constant(&mut self, dst: Gpr, count: u8) {
        self.encode(Opcode::wide(&[0xc1]), 5, dst.into());
        self.bytes([count]);
    }

    /// Shifts `dst` to the left by a constant.
    #[inline(always)]
    pub(super) fn shl_constant(&mut self, dst: Gpr, count: u8) {
        self.encode(Opcode::wide(&[0xc1]), 4, dst.into());
        self.bytes([count]);
    }

    /// Rotates `dst` to the right by RCX.
    #[inline(always)]
    pub(super) fn ror_rcx(&mut self, dst: Gpr) {
        self.encode(Opcode::wide(&[0xd3]), 1, dst.into());
    }

    /// Rotates `dst` to the left by RCX.
    #[inline(always)]
    pub(super) fn rol_rcx(&mut self, dst: Gpr) {
        self.encode(Opcode::wide(&[0xd3]), 0, dst.into());
    }

    /// Swaps two registers.
    #[inline(always)]
    pub(super) fn xchg(&mut self, a: Gpr, b: Gpr) {
        self.encode(Opcode::wide(&[0x87]), a.0, b.into());
    }

    /// Sets the flags by `register & mask`, the lower 32 bits.
    #[inline(always)]
    pub(super) fn test32_constant(&mut self, register: Gpr, mask: u32) {
        self.encode(Opcode::narrow(&[0xf7]), 0, register.into());
        self.bytes(mask.to_le_bytes());
    }

    /// Jumps back to `target` when the result was zero.
    #[inline(always)]
    pub(super) fn jz_back(&mut self, target: Label) {
        self.jump_back(0x74, target);
    }

    /// Jumps back to `target` when the result was not zero.
    #[inline(always)]
    pub(super) fn jnz_back(&mut self, target: Label) {
        self.jump_back(0x75, target);
    }

    #[inline(always)]
    fn jump_back(&mut self, short_opcode: u8, target: Label) {
        let distance = |length: usize| -i64::try_from(self.position + length - target.0).expect("code is short");
        if let Ok(short) = i8::try_from(distance(2)) {
            self.bytes([short_opcode, short.cast_unsigned()]);
        } else {
            let near = i32::try_from(distance(6)).expect("code is short");
            self.bytes([0x0f, short_opcode + 0x10]);
            self.displacement(near);
        }
    }

    /// Begins code of at most 127 bytes that is skipped when the result was not zero.
    #[inline(always)]
    pub(super) fn skip_when_not_zero(&mut self) -> Label {
        self.bytes([0x75, 0]);
        self.label()
    }

    /// Ends the code that `skip_when_not_zero` began.
    #[inline(always)]
    pub(super) fn end_skip(&mut self, start: Label) {
        self.code[start.0 - 1] = i8::try_from(self.position - start.0).expect("a short jump").cast_unsigned();
    }

    /// Calls the code at the address in memory.
    pub(super) fn call(&mut self, memory: Memory) {
        self.encode(Opcode::narrow(&[0xff]), 2, memory.into());
    }

    /// Returns.
    pub(super) fn ret(&mut self) {
        self.bytes([0xc3]);
    }

    /// Pushes a register.
    pub(super) fn push(&mut self, register: Gpr) {
        self.short(0x50, register);
    }

    /// Pops a register.
    pub(super) fn pop(&mut self, register: Gpr) {
        self.short(0x58, register);
    }

    /// Writes an instruction whose opcode has the register in it.
    #[inline(always)]
    fn short(&mut self, opcode: u8, register: Gpr) {
        if register.0 >= 8 {
            self.bytes([0x41]);
        }
        self.bytes([opcode | register.0 & 7]);
    }

    /// Fetches a line into all caches.
    #[inline(always)]
    pub(super) fn prefetch_t0(&mut self, memory: Memory) {
        self.encode(Opcode::narrow(&[0x0f, 0x18]), 1, memory.into());
    }

    /// Fetches a line that is used only once.
    #[inline(always)]
    pub(super) fn prefetch_nta(&mut self, memory: Memory) {
        self.encode(Opcode::narrow(&[0x0f, 0x18]), 0, memory.into());
    }

    /// Loads MXCSR.
    #[inline(always)]
    pub(super) fn ldmxcsr(&mut self, memory: Memory) {
        self.encode(Opcode::narrow(&[0x0f, 0xae]), 2, memory.into());
    }

    /// Stores MXCSR.
    #[inline(always)]
    pub(super) fn stmxcsr(&mut self, memory: Memory) {
        self.encode(Opcode::narrow(&[0x0f, 0xae]), 3, memory.into());
    }

    /// `dst = src`, aligned to 16 bytes.
    #[inline(always)]
    pub(super) fn movaps(&mut self, dst: Xmm, src: impl Into<Rm>) {
        self.encode(Opcode::narrow(&[0x0f, 0x28]), dst.0, src.into());
    }

    /// `dst = src`, aligned to 16 bytes.
    #[inline(always)]
    pub(super) fn store_xmm(&mut self, dst: Memory, src: Xmm) {
        self.encode(Opcode::narrow(&[0x0f, 0x29]), src.0, dst.into());
    }

    /// Converts two integers to doubles.
    #[inline(always)]
    pub(super) fn cvtdq2pd(&mut self, dst: Xmm, src: Memory) {
        self.encode(Opcode::packed(0xf3, &[0x0f, 0xe6]), dst.0, src.into());
    }

    /// Swaps the halves of a register.
    #[inline(always)]
    pub(super) fn swap_halves(&mut self, register: Xmm) {
        self.encode(Opcode::packed(0x66, &[0x0f, 0xc6]), register.0, register.into());
        self.bytes([1]);
    }

    /// `dst = dst op src`; for the square root, `dst = sqrt(src)`.
    #[inline(always)]
    pub(super) fn packed(&mut self, operation: Packed, dst: Xmm, src: Xmm) {
        let opcode = match operation {
            Packed::Add => Opcode::packed(0x66, &[0x0f, 0x58]),
            Packed::Sub => Opcode::packed(0x66, &[0x0f, 0x5c]),
            Packed::Mul => Opcode::packed(0x66, &[0x0f, 0x59]),
            Packed::Div => Opcode::packed(0x66, &[0x0f, 0x5e]),
            Packed::Sqrt => Opcode::packed(0x66, &[0x0f, 0x51]),
            Packed::And => Opcode::narrow(&[0x0f, 0x54]),
            Packed::Or => Opcode::narrow(&[0x0f, 0x56]),
            Packed::Xor => Opcode::narrow(&[0x0f, 0x57]),
            Packed::AesEncrypt => Opcode::packed(0x66, &[0x0f, 0x38, 0xdc]),
            Packed::AesDecrypt => Opcode::packed(0x66, &[0x0f, 0x38, 0xde]),
        };
        self.encode(opcode, dst.0, src.into());
    }
}
