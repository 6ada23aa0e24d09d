//! Encoding of the AVX2 instructions that are generated: operations on four words of 64 bits.

use super::assembler::{Assembler, Label};
use super::operand::RDI;
use super::vector_assembler::{Map, Prefix, Shift};

/// A vector register of 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ymm(pub(super) u8);

/// Operations of two vectors.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fourfold {
    Add,
    Sub,
    And,
    Or,
    Xor,
    /// Products of the lower 32 bits.
    Mul32,
    /// All bits where the first number is greater than the second, both signed, and none where it isn't.
    Greater,
}

impl Assembler<'_> {
    /// Writes the VEX prefix and an opcode, for vectors of 256 bits, in the shorter form where that can say it. `rm` is
    /// the number of a register, or that of a memory operand's base.
    fn vex(&mut self, (map, opcode): (Map, u8), reg: u8, vvvv: u8, rm: u8) {
        const LONG: u8 = 4;
        // Register numbers are inverted.
        let last = (!vvvv & 15) << 3 | LONG | Prefix::P66 as u8;
        if matches!(map, Map::M0f) && rm < 8 {
            self.bytes([0xc5, (!reg >> 3 & 1) << 7 | last, opcode]);
        } else {
            self.bytes([0xc4, (!reg >> 3 & 1) << 7 | 0x40 | (!rm >> 3 & 1) << 5 | map as u8, last, opcode]);
        }
    }

    /// `dst = a op b`.
    pub(super) fn fourfold(&mut self, operation: Fourfold, dst: Ymm, a: Ymm, b: Ymm) {
        let opcode = match operation {
            Fourfold::Add => (Map::M0f, 0xd4),
            Fourfold::Sub => (Map::M0f, 0xfb),
            Fourfold::And => (Map::M0f, 0xdb),
            Fourfold::Or => (Map::M0f, 0xeb),
            Fourfold::Xor => (Map::M0f, 0xef),
            Fourfold::Mul32 => (Map::M0f, 0xf4),
            Fourfold::Greater => (Map::M0f38, 0x37),
        };
        self.vex(opcode, dst.0, a.0, b.0);
        self.bytes([0xc0 | (dst.0 & 7) << 3 | b.0 & 7]);
    }

    /// `dst = src` shifted by a constant. There is no rotation.
    pub(super) fn fourfold_shift(&mut self, operation: Shift, dst: Ymm, src: Ymm, count: u8) {
        let extension = match operation {
            Shift::Right => 2,
            Shift::Left => 6,
            Shift::RotateRight => unreachable!("AVX2 rotates nothing"),
        };
        self.vex((Map::M0f, 0x73), extension, dst.0, src.0);
        self.bytes([0xc0 | extension << 3 | src.0 & 7, count]);
    }

    /// `dst =` the word of data at `constant`, in all lanes.
    pub(super) fn broadcast_ymm(&mut self, dst: Ymm, constant: Label) {
        self.vex((Map::M0f38, 0x59), dst.0, 0, 0);
        self.bytes([(dst.0 & 7) << 3 | 5]);
        self.relative(constant);
    }

    /// `dst =` the vector number `index` at RDI, which is aligned.
    pub(super) fn load_ymm(&mut self, dst: Ymm, index: u8) {
        self.vex((Map::M0f, 0x6f), dst.0, 0, RDI.0);
        self.ymm_at_rdi(dst, index);
    }

    /// The vector number `index` at RDI, which is aligned, `= src`.
    pub(super) fn store_ymm(&mut self, index: u8, src: Ymm) {
        self.vex((Map::M0f, 0x7f), src.0, 0, RDI.0);
        self.ymm_at_rdi(src, index);
    }

    fn ymm_at_rdi(&mut self, register: Ymm, index: u8) {
        self.bytes([0x80 | (register.0 & 7) << 3 | RDI.0]);
        self.bytes((32 * u32::from(index)).to_le_bytes());
    }
}
