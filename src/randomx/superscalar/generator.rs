//! Generation of programs of SuperscalarHash: instructions are picked at random so that they keep the reference CPU
//! busy (specification, section 6.3).

use super::reference_cpu::{Composition, DecodeGroup, Schedule};
use super::{Operation, SuperscalarInstruction};
use crate::randomx::blake2_generator::BlakeGenerator;
use crate::randomx::configuration::SUPERSCALAR_LATENCY;

/// The largest number of instructions in a program.
const INSTRUCTIONS_MAX: usize = 3 * SUPERSCALAR_LATENCY + 2;
/// How many cycles an instruction may wait for its operands.
const LOOK_FORWARD_CYCLES: usize = 4;
/// How many instructions in a row may be thrown away because they found no operands.
const THROW_AWAY_MAX: usize = 256;
/// The register that can't be the destination of IADD_RS, because x86 can't encode it briefly.
const NEEDS_DISPLACEMENT: u8 = 5;
/// Stands for a constant where a group's parameter would be a register.
const CONSTANT: u32 = u32::MAX;

/// Generates a program.
pub(super) fn generate(random: &mut BlakeGenerator) -> Vec<SuperscalarInstruction> {
    let mut generator = Generator {
        random,
        schedule: Schedule::new(),
        registers: [RegisterState::default(); 8],
        program: Vec::with_capacity(INSTRUCTIONS_MAX),
        multiplications: 0,
        current: None,
        macro_op: 0,
        cycle: 0,
        done: 0,
        thrown_away: 0,
        saturated: false,
    };
    for decode_cycle in 0..SUPERSCALAR_LATENCY {
        if generator.is_finished() {
            break;
        }
        let group = generator.next_group(decode_cycle);
        generator.fill(group);
        generator.cycle += 1;
    }
    generator.program
}

/// What the generator knows of a register.
#[derive(Debug, Clone, Copy, Default)]
struct RegisterState {
    /// The cycle from which on its value is there.
    ready: usize,
    /// The group and parameter of the last operation on it.
    last: Option<(Operation, u32)>,
}

/// An instruction in the making.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    operation: Operation,
    modifier: u8,
    imm32: u32,
    /// Operations of one group would cancel or merge when they met on a register with equal parameters.
    group: Operation,
    /// The source register, a constant, or a random number for what never merges.
    parameter: u32,
    src: Option<u8>,
    dst: u8,
}

/// What came of a macro-op.
enum Outcome {
    Issued,
    /// It found no operands, and another instruction takes its slot.
    ThrownAway,
    /// The rest of the decode group stays empty.
    GroupAborted,
}

struct Generator<'a> {
    random: &'a mut BlakeGenerator,
    schedule: Schedule,
    registers: [RegisterState; 8],
    program: Vec<SuperscalarInstruction>,
    multiplications: usize,
    current: Option<Candidate>,
    /// Which macro-op of the current instruction is next.
    macro_op: usize,
    cycle: usize,
    /// When the last macro-op is done.
    done: usize,
    thrown_away: usize,
    saturated: bool,
}

impl Generator<'_> {
    fn is_finished(&self) -> bool {
        self.saturated || self.program.len() >= INSTRUCTIONS_MAX
    }

    /// Selects how the next 16 bytes are decoded (section 6.3.1).
    fn next_group(&mut self, decode_cycle: usize) -> DecodeGroup {
        let operation = self.current.map(|current| current.operation);
        if matches!(operation, Some(Operation::ImulhR | Operation::IsmulhR)) {
            return DecodeGroup::G3310;
        }
        if self.multiplications <= decode_cycle {
            return DecodeGroup::G4444;
        }
        if operation == Some(Operation::ImulRcp) {
            return if self.random.byte() & 1 == 1 { DecodeGroup::G484 } else { DecodeGroup::G493 };
        }
        [DecodeGroup::G484, DecodeGroup::G7333, DecodeGroup::G3733, DecodeGroup::G493]
            [usize::from(self.random.byte() & 3)]
    }

    /// Fills the slots of a decode group with macro-ops.
    fn fill(&mut self, group: DecodeGroup) {
        let slots = group.slots();
        let mut slot = 0;
        while slot < slots.len() {
            let composition = match self.current.map(|current| current.operation.composition()) {
                Some(composition) if self.macro_op < composition.macro_ops.len() => composition,
                _ => {
                    if self.is_finished() {
                        return;
                    }
                    let candidate = self.create(group, slots[slot], slot + 1 == slots.len());
                    self.current = Some(candidate);
                    self.macro_op = 0;
                    candidate.operation.composition()
                }
            };
            let top_cycle = self.cycle;
            match self.issue(composition) {
                Outcome::Issued => {
                    slot += 1;
                    self.cycle = top_cycle;
                }
                // The cycles that it waited in vain stay lost.
                Outcome::ThrownAway => {}
                Outcome::GroupAborted => return,
            }
        }
    }

    /// Selects an instruction whose first macro-op fits into a slot (section 6.3.2).
    fn create(&mut self, group: DecodeGroup, slot_bytes: u8, is_last: bool) -> Candidate {
        let choices: &[Operation] = match (slot_bytes, is_last) {
            (3, true) => &[Operation::IsubR, Operation::IxorR, Operation::ImulhR, Operation::IsmulhR],
            (3, false) => &[Operation::IsubR, Operation::IxorR],
            (4, false) if group == DecodeGroup::G4444 => &[Operation::ImulR],
            (4, _) => &[Operation::IrorC, Operation::IaddRs],
            (7, _) => &[Operation::IxorC7, Operation::IaddC7],
            (8, _) => &[Operation::IxorC8, Operation::IaddC8],
            (9, _) => &[Operation::IxorC9, Operation::IaddC9],
            _ => &[Operation::ImulRcp],
        };
        let operation = match choices {
            [only] => *only,
            _ => choices[usize::from(self.random.byte()) % choices.len()],
        };
        let mut candidate =
            Candidate { operation, modifier: 0, imm32: 0, group: operation, parameter: CONSTANT, src: None, dst: 0 };
        match operation {
            Operation::IsubR => candidate.group = Operation::IaddRs,
            Operation::IxorR | Operation::ImulR => {}
            Operation::IaddRs => candidate.modifier = self.random.byte(),
            Operation::IrorC => candidate.imm32 = self.constant_where(|generator| generator.byte() & 63, |n| n != 0),
            Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
                candidate.imm32 = self.random.word();
                candidate.group = Operation::IaddC7;
            }
            Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => {
                candidate.imm32 = self.random.word();
                candidate.group = Operation::IxorC7;
            }
            Operation::ImulhR | Operation::IsmulhR => candidate.parameter = self.random.word(),
            Operation::ImulRcp => {
                candidate.imm32 = self.constant_where(BlakeGenerator::word, |n| n != 0 && !n.is_power_of_two());
            }
        }
        candidate
    }

    /// Draws until a constant is allowed.
    fn constant_where<T: Into<u32>>(
        &mut self,
        draw: impl Fn(&mut BlakeGenerator) -> T,
        is_allowed: impl Fn(u32) -> bool,
    ) -> u32 {
        loop {
            let constant = draw(self.random).into();
            if is_allowed(constant) {
                return constant;
            }
        }
    }

    /// Schedules the next macro-op of the current instruction, with its operands where they are due (sections 6.3.3 and
    /// 6.3.4).
    fn issue(&mut self, composition: Composition) -> Outcome {
        let op = composition.macro_ops[self.macro_op];
        let Some(mut at) = self.schedule.find(op, self.cycle, self.done) else {
            self.saturated = true;
            return Outcome::GroupAborted;
        };
        if composition.src_at == Some(self.macro_op) && !self.wait_for(&mut at, Self::select_source) {
            return self.throw_away(composition);
        }
        if composition.dst_at == self.macro_op && !self.wait_for(&mut at, Self::select_destination) {
            return self.throw_away(composition);
        }
        self.thrown_away = 0;
        let Some(at) = self.schedule.take(op, at, at) else {
            self.saturated = true;
            return Outcome::GroupAborted;
        };
        self.done = at + op.latency;
        let current = self.current.expect("an instruction is in the making");
        if composition.result_at == self.macro_op {
            self.registers[usize::from(current.dst)] =
                RegisterState { ready: self.done, last: Some((current.group, current.parameter)) };
        }
        self.macro_op += 1;
        if at >= SUPERSCALAR_LATENCY {
            self.saturated = true;
        }
        if self.macro_op >= composition.macro_ops.len() {
            let src = current.src.unwrap_or(current.dst);
            self.program.push(SuperscalarInstruction::new(
                current.operation,
                current.dst,
                src,
                current.modifier,
                current.imm32,
            ));
            self.multiplications += usize::from(current.operation.multiplies());
        }
        Outcome::Issued
    }

    /// Lets cycles pass until `select` finds a register, and tells whether it did in time.
    fn wait_for(&mut self, at: &mut usize, select: impl Fn(&mut Self, usize) -> bool) -> bool {
        for _ in 0..LOOK_FORWARD_CYCLES {
            if select(self, *at) {
                return true;
            }
            *at += 1;
            self.cycle += 1;
        }
        false
    }

    fn throw_away(&mut self, composition: Composition) -> Outcome {
        if self.thrown_away < THROW_AWAY_MAX {
            self.thrown_away += 1;
            self.macro_op = composition.macro_ops.len();
            return Outcome::ThrownAway;
        }
        self.current = None;
        Outcome::GroupAborted
    }

    /// Selects the source among the registers that are ready.
    fn select_source(&mut self, cycle: usize) -> bool {
        let mut current = self.current.expect("an instruction is in the making");
        let ready: Vec<u8> = (0..8).filter(|&i| self.registers[usize::from(i)].ready <= cycle).collect();
        let is_shifted_add = current.operation == Operation::IaddRs;
        let src = if is_shifted_add && ready.len() == 2 && ready.contains(&NEEDS_DISPLACEMENT) {
            // It can't be the destination, so the other one has to be.
            Some(NEEDS_DISPLACEMENT)
        } else {
            self.pick(&ready)
        };
        let Some(src) = src else { return false };
        current.src = Some(src);
        if !matches!(current.operation, Operation::ImulhR | Operation::IsmulhR) {
            current.parameter = u32::from(src);
        }
        self.current = Some(current);
        true
    }

    /// Selects the destination among the registers that are ready, so that nothing cancels or degenerates.
    fn select_destination(&mut self, cycle: usize) -> bool {
        let current = self.current.expect("an instruction is in the making");
        let squares = matches!(current.operation, Operation::ImulhR | Operation::IsmulhR);
        let multiplies = current.group == Operation::ImulR;
        let may_chain = self.thrown_away > 0;
        let fits = |&i: &u8| {
            let register = self.registers[usize::from(i)];
            let was_multiplied = register.last.is_some_and(|(group, _)| group == Operation::ImulR);
            register.ready <= cycle
                && (squares || current.src != Some(i))
                && (may_chain || !multiplies || !was_multiplied)
                && register.last != Some((current.group, current.parameter))
                && (current.operation != Operation::IaddRs || i != NEEDS_DISPLACEMENT)
        };
        let fitting: Vec<u8> = (0..8).filter(fits).collect();
        let Some(dst) = self.pick(&fitting) else { return false };
        self.current = Some(Candidate { dst, ..current });
        true
    }

    /// Picks one of `registers`. A random number is spent only where there is a choice.
    fn pick(&mut self, registers: &[u8]) -> Option<u8> {
        match registers {
            [] | [_] => registers.first().copied(),
            _ => Some(registers[self.random.word() as usize % registers.len()]),
        }
    }
}
