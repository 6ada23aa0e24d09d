//! The reference CPU that programs of SuperscalarHash are made to keep busy (specification, section 6.2): its
//! macro-ops, its three ports, and how it decodes.

use super::Operation;
use crate::randomx::configuration::SUPERSCALAR_LATENCY;

/// A set of execution ports, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports(u8);

impl Ports {
    const P0: Self = Self(1);
    const P1: Self = Self(2);
    const P5: Self = Self(4);
    const P01: Self = Self(1 | 2);
    const P05: Self = Self(1 | 4);
    const P015: Self = Self(1 | 2 | 4);

    fn holds(self, port: Self) -> bool {
        self.0 & port.0 != 0
    }
}

/// A part of an instruction that the decoder hands on: usually one x86 instruction.
#[derive(Debug, Clone, Copy)]
pub(super) struct MacroOp {
    /// The cycles until the result is there.
    pub(super) latency: usize,
    /// The ports of each micro-op. None where the move is eliminated.
    micro_ops: &'static [Ports],
    /// Starts only when the macro-op before it is done.
    depends: bool,
}

const fn macro_op(latency: usize, micro_ops: &'static [Ports]) -> MacroOp {
    MacroOp { latency, micro_ops, depends: false }
}

const SUB_RR: MacroOp = macro_op(1, &[Ports::P015]);
const XOR_RR: MacroOp = macro_op(1, &[Ports::P015]);
const LEA_SIB: MacroOp = macro_op(1, &[Ports::P01]);
const IMUL_RR: MacroOp = macro_op(3, &[Ports::P1]);
const ROR_RI: MacroOp = macro_op(1, &[Ports::P05]);
const ADD_RI: MacroOp = macro_op(1, &[Ports::P015]);
const XOR_RI: MacroOp = macro_op(1, &[Ports::P015]);
const MOV_RR: MacroOp = macro_op(0, &[]);
const MUL_R: MacroOp = macro_op(4, &[Ports::P1, Ports::P5]);
const MOV_RI: MacroOp = macro_op(1, &[Ports::P015]);
const IMUL_RR_AFTER: MacroOp = MacroOp { depends: true, ..IMUL_RR };

/// How an instruction is made of macro-ops, and at which of them its operands are chosen and its result is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Composition {
    pub(super) macro_ops: &'static [MacroOp],
    pub(super) result_at: usize,
    pub(super) dst_at: usize,
    pub(super) src_at: Option<usize>,
}

impl Operation {
    /// Returns the macro-ops of this operation.
    pub(super) fn composition(self) -> Composition {
        let simple = |macro_ops, src_at| Composition { macro_ops, result_at: 0, dst_at: 0, src_at };
        match self {
            Self::IsubR => simple(&[SUB_RR], Some(0)),
            Self::IxorR => simple(&[XOR_RR], Some(0)),
            Self::IaddRs => simple(&[LEA_SIB], Some(0)),
            Self::ImulR => simple(&[IMUL_RR], Some(0)),
            Self::IrorC => simple(&[ROR_RI], None),
            Self::IaddC7 | Self::IaddC8 | Self::IaddC9 => simple(&[ADD_RI], None),
            Self::IxorC7 | Self::IxorC8 | Self::IxorC9 => simple(&[XOR_RI], None),
            Self::ImulhR | Self::IsmulhR => {
                Composition { macro_ops: &[MOV_RR, MUL_R, MOV_RR], result_at: 1, dst_at: 0, src_at: Some(1) }
            }
            Self::ImulRcp => Composition { macro_ops: &[MOV_RI, IMUL_RR_AFTER], result_at: 1, dst_at: 1, src_at: None },
        }
    }

    /// Tells whether this operation multiplies.
    pub(super) fn multiplies(self) -> bool {
        matches!(self, Self::ImulR | Self::ImulhR | Self::IsmulhR | Self::ImulRcp)
    }
}

/// How many cycles the simulation can schedule into.
const CYCLES: usize = SUPERSCALAR_LATENCY + 4;

/// Which ports are taken in which cycle.
#[derive(Debug)]
pub(super) struct Schedule([[bool; 3]; CYCLES]);

impl Schedule {
    /// Starts with all ports free.
    pub(super) fn new() -> Self {
        Self([[false; 3]; CYCLES])
    }

    /// Returns the first cycle from `cycle` on in which `op` can execute. `done` is when the macro-op before it is.
    pub(super) fn find(&self, op: MacroOp, cycle: usize, done: usize) -> Option<usize> {
        let cycle = if op.depends { cycle.max(done) } else { cycle };
        match *op.micro_ops {
            [] => Some(cycle),
            [one] => self.free_port(one, cycle).map(|(cycle, _)| cycle),
            // Two micro-ops must execute in the same cycle.
            [first, second, ..] => (cycle..CYCLES).find_map(|cycle| {
                let first_at = self.free_port(first, cycle)?.0;
                (self.free_port(second, cycle)?.0 == first_at).then_some(first_at)
            }),
        }
    }

    /// Takes the ports of `op` in the cycle that [`find`](Self::find) gives, and returns it.
    pub(super) fn take(&mut self, op: MacroOp, cycle: usize, done: usize) -> Option<usize> {
        let cycle = self.find(op, cycle, done)?;
        for &ports in op.micro_ops {
            let (cycle, port) = self.free_port(ports, cycle)?;
            self.0[cycle][port] = true;
        }
        Some(cycle)
    }

    /// Returns the first cycle from `cycle` on in which one of `ports` is free, and which. Port 1 is asked last, so
    /// that what can go elsewhere leaves it to multiplications.
    fn free_port(&self, ports: Ports, cycle: usize) -> Option<(usize, usize)> {
        const ORDER: [(Ports, usize); 3] = [(Ports::P5, 2), (Ports::P0, 0), (Ports::P1, 1)];
        (cycle..CYCLES).find_map(|cycle| {
            let free = |&&(port, index): &&(Ports, usize)| ports.holds(port) && !self.0[cycle][index];
            ORDER.iter().find(free).map(|&(_, index)| (cycle, index))
        })
    }
}

/// A way to split the 16 bytes that are decoded in a cycle, by the lengths of the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecodeGroup {
    G484,
    G7333,
    G3733,
    G493,
    G4444,
    G3310,
}

impl DecodeGroup {
    /// Returns the lengths in bytes.
    pub(super) fn slots(self) -> &'static [u8] {
        match self {
            Self::G484 => &[4, 8, 4],
            Self::G7333 => &[7, 3, 3, 3],
            Self::G3733 => &[3, 7, 3, 3],
            Self::G493 => &[4, 9, 3],
            Self::G4444 => &[4, 4, 4, 4],
            Self::G3310 => &[3, 3, 10],
        }
    }
}
