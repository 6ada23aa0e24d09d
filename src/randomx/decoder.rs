//! Decoding of instruction words (specification, sections 5.1 to 5.5).

use super::configuration::{JUMP_OFFSET, STORE_L3_CONDITION};
use super::instruction::{Address, FloatRegister, Instruction, Level, Operand, Register, Target};
use super::reciprocal::reciprocal;

/// An instruction word as it lies in the program buffer (specification, figure 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

#[expect(clippy::cast_possible_truncation, reason = "takes fields out of a word")]
impl Word {
    const fn opcode(self) -> u8 {
        self.0 as u8
    }

    const fn dst(self) -> u8 {
        (self.0 >> 8) as u8
    }

    const fn src(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// Whether a memory operand is in L1 and not in L2.
    const fn is_l1(self) -> bool {
        self.0 >> 24 & 3 != 0
    }

    /// `mod.shift`.
    const fn shift(self) -> u8 {
        (self.0 >> 26) as u8 & 3
    }

    /// `mod.cond`.
    const fn condition(self) -> u8 {
        (self.0 >> 28) as u8 & 15
    }

    const fn imm32(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Decodes the words of a program in their order, and keeps track of where branches go.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    /// The number of the next instruction.
    next: u16,
    /// For each register the instruction after the one that changed it last.
    unchanged_since: [Target; 8],
}

impl Decoder {
    /// Starts a program, when no register has been changed.
    pub(super) fn new() -> Self {
        Self { next: 0, unchanged_since: [Target(0); 8] }
    }

    /// Decodes the next instruction.
    #[inline(always)]
    pub(super) fn decode(&mut self, word: Word) -> Instruction {
        self.next += 1;
        let instruction = match KINDS[usize::from(word.opcode())].decode(word) {
            Instruction::Cbranch { dst, shift, addend, .. } => {
                let target = self.unchanged_since[dst.index()];
                self.unchanged_since = [Target(self.next); 8];
                return Instruction::Cbranch { dst, shift, target, addend };
            }
            instruction => instruction,
        };
        let (first, second) = instruction.changes();
        for register in [first, second].into_iter().flatten() {
            self.unchanged_since[register.index()] = Target(self.next);
        }
        instruction
    }
}

/// The instructions as opcodes distinguish them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    IaddRs,
    IaddM,
    IsubR,
    IsubM,
    ImulR,
    ImulM,
    ImulhR,
    ImulhM,
    IsmulhR,
    IsmulhM,
    ImulRcp,
    InegR,
    IxorR,
    IxorM,
    IrorR,
    IrolR,
    IswapR,
    FswapR,
    FaddR,
    FaddM,
    FsubR,
    FsubM,
    FscalR,
    FmulR,
    FdivM,
    FsqrtR,
    Cbranch,
    Cfround,
    Istore,
}

/// How many opcodes each instruction has, in their order (specification, tables 5.2.1 to 5.5.1).
const FREQUENCIES: [(Kind, usize); 29] = [
    (Kind::IaddRs, 16),
    (Kind::IaddM, 7),
    (Kind::IsubR, 16),
    (Kind::IsubM, 7),
    (Kind::ImulR, 16),
    (Kind::ImulM, 4),
    (Kind::ImulhR, 4),
    (Kind::ImulhM, 1),
    (Kind::IsmulhR, 4),
    (Kind::IsmulhM, 1),
    (Kind::ImulRcp, 8),
    (Kind::InegR, 2),
    (Kind::IxorR, 15),
    (Kind::IxorM, 5),
    (Kind::IrorR, 8),
    (Kind::IrolR, 2),
    (Kind::IswapR, 4),
    (Kind::FswapR, 4),
    (Kind::FaddR, 16),
    (Kind::FaddM, 5),
    (Kind::FsubR, 16),
    (Kind::FsubM, 5),
    (Kind::FscalR, 6),
    (Kind::FmulR, 32),
    (Kind::FdivM, 4),
    (Kind::FsqrtR, 6),
    (Kind::Cbranch, 25),
    (Kind::Cfround, 1),
    (Kind::Istore, 16),
];

/// The instruction of each opcode.
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Istore; 256];
    let (mut entry, mut opcode) = (0, 0);
    while entry < FREQUENCIES.len() {
        let (kind, frequency) = FREQUENCIES[entry];
        let end = opcode + frequency;
        while opcode < end {
            kinds[opcode] = kind;
            opcode += 1;
        }
        entry += 1;
    }
    assert!(opcode == kinds.len(), "every opcode has an instruction");
    kinds
};

impl Kind {
    /// Decodes a word, all but the target of a branch.
    #[inline(always)]
    fn decode(self, word: Word) -> Instruction {
        let (dst, src) = (Register::new(word.dst()), Register::new(word.src()));
        let (float_dst, float_src) = (FloatRegister::new(word.dst()), FloatRegister::new(word.src()));
        let immediate = word.imm32().cast_signed();
        let operand = if src == dst { Operand::Immediate(immediate) } else { Operand::Register(src) };
        let level = if word.is_l1() { Level::L1 } else { Level::L2 };
        // Floating point instructions have no register in common with the address.
        let float_address = Address { base: Some(src), level, offset: immediate };
        let address =
            if src == dst { Address { base: None, level: Level::L3, offset: immediate } } else { float_address };
        match self {
            Self::IaddRs => {
                // x86's LEA needs an offset with this register, so all machines have one.
                let offset = if dst == Register::new(5) { immediate } else { 0 };
                Instruction::IaddRs { dst, src, shift: word.shift(), offset }
            }
            Self::IaddM => Instruction::IaddM { dst, address },
            Self::IsubR => Instruction::IsubR { dst, src: operand },
            Self::IsubM => Instruction::IsubM { dst, address },
            Self::ImulR => Instruction::ImulR { dst, src: operand },
            Self::ImulM => Instruction::ImulM { dst, address },
            Self::ImulhR => Instruction::ImulhR { dst, src },
            Self::ImulhM => Instruction::ImulhM { dst, address },
            Self::IsmulhR => Instruction::IsmulhR { dst, src },
            Self::IsmulhM => Instruction::IsmulhM { dst, address },
            Self::ImulRcp => match reciprocal(word.imm32()) {
                Some(reciprocal) => Instruction::ImulRcp { dst, reciprocal },
                None => Instruction::Nop,
            },
            Self::InegR => Instruction::InegR { dst },
            Self::IxorR => Instruction::IxorR { dst, src: operand },
            Self::IxorM => Instruction::IxorM { dst, address },
            Self::IrorR => Instruction::IrorR { dst, src: operand },
            Self::IrolR => Instruction::IrolR { dst, src: operand },
            Self::IswapR if src == dst => Instruction::Nop,
            Self::IswapR => Instruction::IswapR { dst, src },
            Self::FswapR if dst.index() < 4 => Instruction::FswapF { dst: float_dst },
            Self::FswapR => Instruction::FswapE { dst: float_dst },
            Self::FaddR => Instruction::FaddR { dst: float_dst, src: float_src },
            Self::FaddM => Instruction::FaddM { dst: float_dst, address: float_address },
            Self::FsubR => Instruction::FsubR { dst: float_dst, src: float_src },
            Self::FsubM => Instruction::FsubM { dst: float_dst, address: float_address },
            Self::FscalR => Instruction::FscalR { dst: float_dst },
            Self::FmulR => Instruction::FmulR { dst: float_dst, src: float_src },
            Self::FdivM => Instruction::FdivM { dst: float_dst, address: float_address },
            Self::FsqrtR => Instruction::FsqrtR { dst: float_dst },
            Self::Cbranch => {
                let shift = word.condition() + JUMP_OFFSET;
                // The bit below the tested ones is cleared, so that at most two jumps follow each other.
                let addend = (immediate | 1 << shift) & !(1 << (shift - 1));
                Instruction::Cbranch { dst, shift, target: Target(0), addend }
            }
            Self::Cfround => Instruction::Cfround { src, rotation: (word.imm32() & 63) as u8 },
            Self::Istore => {
                let level = if word.condition() < STORE_L3_CONDITION { level } else { Level::L3 };
                Instruction::Istore { src, address: Address { base: Some(dst), level, offset: immediate } }
            }
        }
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
