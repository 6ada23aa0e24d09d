//! Operands of x86-64 instructions.

/// A general register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gpr(pub(super) u8);

/// Named as in the processor's manuals.
pub(super) const RAX: Gpr = Gpr(0);
pub(super) const RCX: Gpr = Gpr(1);
pub(super) const RDX: Gpr = Gpr(2);
pub(super) const RBX: Gpr = Gpr(3);
pub(super) const RSP: Gpr = Gpr(4);
pub(super) const RBP: Gpr = Gpr(5);
pub(super) const RSI: Gpr = Gpr(6);
pub(super) const RDI: Gpr = Gpr(7);

/// A vector register of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Xmm(pub(super) u8);

/// A memory operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) base: Gpr,
    /// A register, and by how many bits it is shifted to the left. Never RSP.
    pub(super) index: Option<(Gpr, u8)>,
    pub(super) displacement: i32,
}

impl Memory {
    /// The memory at `base + displacement`.
    pub(super) const fn at(base: Gpr, displacement: i32) -> Self {
        Self { base, index: None, displacement }
    }

    /// The memory at `base + index`.
    pub(super) const fn indexed(base: Gpr, index: Gpr) -> Self {
        Self { base, index: Some((index, 0)), displacement: 0 }
    }
}

/// An operand that can be a register or memory.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rm {
    Register(u8),
    Memory(Memory),
}

impl From<Gpr> for Rm {
    #[inline(always)]
    fn from(register: Gpr) -> Self {
        Self::Register(register.0)
    }
}

impl From<Xmm> for Rm {
    #[inline(always)]
    fn from(register: Xmm) -> Self {
        Self::Register(register.0)
    }
}

impl From<Memory> for Rm {
    #[inline(always)]
    fn from(memory: Memory) -> Self {
        Self::Memory(memory)
    }
}
