//! Encoding of the AVX-512 instructions that are generated: operations on eight words of 64 bits.

use super::assembler::{Assembler, Label};
use super::operand::{Gpr, Memory};

/// A vector register of 512 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zmm(pub(super) u8);

/// A mask register. The first one stands for no mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(pub(super) u8);

/// Operations of two vectors.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lanewise {
    Add,
    Sub,
    And,
    Xor,
    /// The lower halves of products.
    Mul,
    /// Products of the lower 32 bits.
    Mul32,
}

/// Operations of a vector and a constant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shift {
    Right,
    Left,
    RotateRight,
}

/// The second source of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Register(Zmm),
    /// The word there in all lanes. It lies in the same code.
    Broadcast(Label),
}

/// The table of opcodes that an instruction is in.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Map {
    M0f = 1,
    M0f38 = 2,
}

/// The prefix that an instruction would have without EVEX or VEX.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Prefix {
    P66 = 1,
    Pf3 = 2,
}

impl Assembler<'_> {
    /// Writes the EVEX prefix and an opcode, for vectors of 512 bits in words of 64. `rm` is the number of a register,
    /// or that of a memory operand's base.
    fn evex(&mut self, (map, prefix, opcode): (Map, Prefix, u8), reg: u8, vvvv: u8, rm: u8, third: u8) {
        // All but the mask, the vector length and the broadcast is inverted.
        let extensions = (reg >> 3 & 1) << 7 | (rm >> 4 & 1) << 6 | (rm >> 3 & 1) << 5 | (reg >> 4 & 1) << 4;
        self.bytes([
            0x62,
            (extensions ^ 0xf0) | map as u8,
            0x84 | (!vvvv & 15) << 3 | prefix as u8,
            0x40 | (!(vvvv >> 4) & 1) << 3 | third,
            opcode,
        ]);
    }

    /// `dst = a op b`, in the lanes of `mask`.
    pub(super) fn lanewise(&mut self, operation: Lanewise, dst: Zmm, a: Zmm, b: Source, mask: Mask) {
        let opcode = match operation {
            Lanewise::Add => (Map::M0f, Prefix::P66, 0xd4),
            Lanewise::Sub => (Map::M0f, Prefix::P66, 0xfb),
            Lanewise::And => (Map::M0f, Prefix::P66, 0xdb),
            Lanewise::Xor => (Map::M0f, Prefix::P66, 0xef),
            Lanewise::Mul => (Map::M0f38, Prefix::P66, 0x40),
            Lanewise::Mul32 => (Map::M0f, Prefix::P66, 0xf4),
        };
        match b {
            Source::Register(b) => {
                self.evex(opcode, dst.0, a.0, b.0, mask.0);
                self.bytes([0xc0 | (dst.0 & 7) << 3 | b.0 & 7]);
            }
            Source::Broadcast(constant) => {
                const BROADCAST: u8 = 0x10;
                self.evex(opcode, dst.0, a.0, 0, BROADCAST | mask.0);
                self.bytes([(dst.0 & 7) << 3 | 5]);
                self.relative(constant);
            }
        }
    }

    /// Writes the distance to `target` of an instruction that ends with it.
    pub(super) fn relative(&mut self, target: Label) {
        let end = self.label().0 + 4;
        let distance = i64::try_from(target.0).and_then(|target| i64::try_from(end).map(|end| target - end));
        let distance = distance.ok().and_then(|distance| i32::try_from(distance).ok()).expect("code is short");
        self.bytes(distance.to_le_bytes());
    }

    /// `dst = src` shifted by a constant.
    pub(super) fn shift(&mut self, operation: Shift, dst: Zmm, src: Zmm, count: u8) {
        let (opcode, extension) = match operation {
            Shift::Right => (0x73, 2),
            Shift::Left => (0x73, 6),
            Shift::RotateRight => (0x72, 0),
        };
        self.evex((Map::M0f, Prefix::P66, opcode), extension, dst.0, src.0, 0);
        self.bytes([0xc0 | extension << 3 | src.0 & 7, count]);
    }

    /// Makes a mask of the signs of `src`.
    pub(super) fn signs(&mut self, dst: Mask, src: Zmm) {
        self.evex((Map::M0f38, Prefix::Pf3, 0x39), dst.0, 0, src.0, 0);
        self.bytes([0xc0 | dst.0 << 3 | src.0 & 7]);
    }

    /// `dst = src`.
    pub(super) fn move_zmm(&mut self, dst: Zmm, src: Zmm) {
        self.evex((Map::M0f, Prefix::P66, 0x6f), dst.0, 0, src.0, 0);
        self.bytes([0xc0 | (dst.0 & 7) << 3 | src.0 & 7]);
    }

    /// `dst =` the vector number `index` at RDI, which is aligned.
    pub(super) fn load_zmm(&mut self, dst: Zmm, index: u8) {
        self.evex((Map::M0f, Prefix::P66, 0x6f), dst.0, 0, super::operand::RDI.0, 0);
        self.at_rdi(dst, index);
    }

    /// The vector number `index` at RDI, which is aligned, `= src`.
    pub(super) fn store_zmm(&mut self, index: u8, src: Zmm) {
        self.evex((Map::M0f, Prefix::P66, 0x7f), src.0, 0, super::operand::RDI.0, 0);
        self.at_rdi(src, index);
    }

    /// Writes ModRM with a displacement, which EVEX counts in vectors.
    fn at_rdi(&mut self, register: Zmm, index: u8) {
        self.bytes([0x40 | (register.0 & 7) << 3 | super::operand::RDI.0, index]);
    }

    /// `dst = src` in all lanes.
    pub(super) fn broadcast(&mut self, dst: Zmm, src: Gpr) {
        self.evex((Map::M0f38, Prefix::P66, 0x7c), dst.0, 0, src.0, 0);
        self.bytes([0xc0 | (dst.0 & 7) << 3 | src.0 & 7]);
    }

    /// Says that no more wide vectors are used.
    pub(super) fn vzeroupper(&mut self) {
        self.bytes([0xc5, 0xf8, 0x77]);
    }

    /// Writes a word of data.
    pub(super) fn data(&mut self, word: u64) -> Label {
        let label = self.label();
        self.bytes(word.to_le_bytes());
        label
    }

    /// Loads an address from memory, and fetches the line there.
    pub(super) fn prefetch_through(&mut self, temporary: Gpr, pointer: Memory) {
        self.mov(temporary, pointer);
        self.prefetch_t0(Memory::at(temporary, 0));
    }
}
