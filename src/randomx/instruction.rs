//! Instructions of the virtual machine in the form that everything that executes them shares (specification, chapter
//! 5).
//!
//! Decoding settles what an instruction word leaves open: which registers and which level of the scratchpad it means,
//! what happens when source and destination are the same, and where a branch goes.

use super::configuration::{JUMP_BITS, SCRATCHPAD_BYTES, SCRATCHPAD_L1_BYTES, SCRATCHPAD_L2_BYTES};

/// An integer register, r0 to r7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Register(u8);

impl Register {
    /// Returns the register that the lowest three bits of `field` mean.
    #[inline]
    pub(super) const fn new(field: u8) -> Self {
        Self(field & 7)
    }

    /// Returns the number of the register, 0 to 7.
    #[inline]
    pub(super) fn index(self) -> usize {
        // The mask is nothing new, and shows the compiler that the number is inside any register file.
        usize::from(self.0 & 7)
    }
}

/// A floating point register of a group that the instruction implies, 0 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FloatRegister(u8);

impl FloatRegister {
    /// Returns the register that the lowest two bits of `field` mean.
    #[inline]
    pub(super) const fn new(field: u8) -> Self {
        Self(field & 3)
    }

    /// Returns the number of the register, 0 to 3.
    #[inline]
    pub(super) fn index(self) -> usize {
        usize::from(self.0 & 3)
    }
}

/// The part of the scratchpad that an instruction reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Level {
    /// 16 KiB.
    L1,
    /// 256 KiB.
    L2,
    /// All 2 MiB.
    L3,
}

impl Level {
    /// Returns what is kept of an address: whole words inside this level.
    #[inline]
    pub(super) const fn mask(self) -> u32 {
        let bytes = match self {
            Self::L1 => SCRATCHPAD_L1_BYTES,
            Self::L2 => SCRATCHPAD_L2_BYTES,
            Self::L3 => SCRATCHPAD_BYTES,
        };
        (bytes - 8) as u32
    }
}

/// An address in the scratchpad, as far as it is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    /// What is added to `offset`. Nothing, where an instruction reads with equal source and destination.
    pub(super) base: Option<Register>,
    pub(super) level: Level,
    pub(super) offset: i32,
}

/// The source of an integer instruction that needn't be memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Register(Register),
    /// Extended with its sign where it is used.
    Immediate(i32),
}

/// Where a branch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target(
    /// The number of an instruction.
    pub(super) u16,
);

/// An instruction, by its name in the specification. Nothing else needs to be known to execute it, but for the masks of
/// group E, which are those of the program, and the version, which CFROUND depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instruction {
    /// `dst += (src << shift) + offset`. The offset is zero unless `dst` is r5.
    IaddRs {
        dst: Register,
        src: Register,
        shift: u8,
        offset: i32,
    },
    IaddM {
        dst: Register,
        address: Address,
    },
    IsubR {
        dst: Register,
        src: Operand,
    },
    IsubM {
        dst: Register,
        address: Address,
    },
    ImulR {
        dst: Register,
        src: Operand,
    },
    ImulM {
        dst: Register,
        address: Address,
    },
    /// The upper half of the unsigned product.
    ImulhR {
        dst: Register,
        src: Register,
    },
    ImulhM {
        dst: Register,
        address: Address,
    },
    /// The upper half of the signed product.
    IsmulhR {
        dst: Register,
        src: Register,
    },
    IsmulhM {
        dst: Register,
        address: Address,
    },
    /// `dst *= reciprocal`.
    ImulRcp {
        dst: Register,
        reciprocal: u64,
    },
    InegR {
        dst: Register,
    },
    IxorR {
        dst: Register,
        src: Operand,
    },
    IxorM {
        dst: Register,
        address: Address,
    },
    IrorR {
        dst: Register,
        src: Operand,
    },
    IrolR {
        dst: Register,
        src: Operand,
    },
    IswapR {
        dst: Register,
        src: Register,
    },
    /// Swaps the halves of a register of group F.
    FswapF {
        dst: FloatRegister,
    },
    /// Swaps the halves of a register of group E.
    FswapE {
        dst: FloatRegister,
    },
    /// Adds a register of group A to one of group F.
    FaddR {
        dst: FloatRegister,
        src: FloatRegister,
    },
    FaddM {
        dst: FloatRegister,
        address: Address,
    },
    FsubR {
        dst: FloatRegister,
        src: FloatRegister,
    },
    FsubM {
        dst: FloatRegister,
        address: Address,
    },
    /// Turns the sign and some bits of the exponent around.
    FscalR {
        dst: FloatRegister,
    },
    /// Multiplies a register of group E with one of group A.
    FmulR {
        dst: FloatRegister,
        src: FloatRegister,
    },
    FdivM {
        dst: FloatRegister,
        address: Address,
    },
    FsqrtR {
        dst: FloatRegister,
    },
    /// Adds `addend` to `dst`, and goes to `target` when the bits of [`condition_mask`] are zero then. `shift` is the
    /// lowest of them.
    Cbranch {
        dst: Register,
        shift: u8,
        target: Target,
        addend: i32,
    },
    /// Sets the rounding mode from `src`, rotated to the right.
    Cfround {
        src: Register,
        rotation: u8,
    },
    /// Writes `src` to memory. The address depends on the destination register.
    Istore {
        src: Register,
        address: Address,
    },
    /// What has no effect: IMUL_RCP without a reciprocal, ISWAP_R of a register with itself.
    Nop,
}

/// Returns the bits that a CBRANCH tests, of which `shift` is the lowest.
#[inline]
pub(super) const fn condition_mask(shift: u8) -> u64 {
    ((1 << JUMP_BITS) - 1) << shift
}

impl Instruction {
    /// Returns the integer registers that the instruction changes. A branch, which counts as a change of all, is not
    /// asked.
    #[inline]
    pub(super) fn changes(self) -> (Option<Register>, Option<Register>) {
        match self {
            Self::IaddRs { dst, .. }
            | Self::IaddM { dst, .. }
            | Self::IsubR { dst, .. }
            | Self::IsubM { dst, .. }
            | Self::ImulR { dst, .. }
            | Self::ImulM { dst, .. }
            | Self::ImulhR { dst, .. }
            | Self::ImulhM { dst, .. }
            | Self::IsmulhR { dst, .. }
            | Self::IsmulhM { dst, .. }
            | Self::ImulRcp { dst, .. }
            | Self::InegR { dst }
            | Self::IxorR { dst, .. }
            | Self::IxorM { dst, .. }
            | Self::IrorR { dst, .. }
            | Self::IrolR { dst, .. } => (Some(dst), None),
            Self::IswapR { dst, src } => (Some(dst), Some(src)),
            _ => (None, None),
        }
    }
}
