//! The virtual machine, executed instruction by instruction: the specification's chapters 4.6 and 5 in Rust.
//!
//! It is what all faster ways to execute programs are compared with. It uses no floating point arithmetic of the
//! machine that it runs on.

use super::aes::{self, Aes};
use super::configuration::{SCRATCHPAD_BYTES, SCRATCHPAD_LINE_MASK, Version};
use super::dataset::Items;
use super::instruction::{Address, FloatRegister, Instruction, Operand, Register, condition_mask};
use super::memory::Line;
use super::program::{Configuration, E_KEPT, FloatPair, Program, SCALE_MASK};
use super::softfloat::{self, RoundingMode};

/// The words of the scratchpad.
const SCRATCHPAD_WORDS: usize = SCRATCHPAD_BYTES / 8;

/// The registers that programs leave behind, in the order in which they are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct RegisterFile {
    pub(super) r: [u64; 8],
    pub(super) f: [FloatPair; 4],
    pub(super) e: [FloatPair; 4],
    pub(super) a: [FloatPair; 4],
}

/// What programs are executed with.
#[derive(Debug)]
pub(super) struct Interpreter<'a> {
    pub(super) version: Version,
    pub(super) aes: Aes,
    pub(super) items: &'a Items,
    pub(super) scratchpad: &'a mut [Line],
    /// The register `fprc`, which keeps its value from program to program.
    pub(super) mode: RoundingMode,
}

impl Interpreter<'_> {
    /// Executes a program and returns the registers.
    pub(super) fn execute(&mut self, program: &Program) -> RegisterFile {
        let configuration = &program.configuration;
        let [read0, read1, read2, read3] = configuration.address_registers.map(Register::index);
        let mut state = State {
            version: self.version,
            registers: RegisterFile { a: configuration.a, ..RegisterFile::default() },
            configuration,
            mode: self.mode,
            scratchpad: bytemuck::cast_slice_mut(self.scratchpad).try_into().expect("scratchpads have one size"),
        };
        let (mut ma, mut mx) = (configuration.ma, configuration.mx);
        let (mut scratchpad0, mut scratchpad1) = (mx, ma);

        for _ in 0..program.iterations {
            let [low, high] = halves(state.registers.r[read0] ^ state.registers.r[read1]);
            scratchpad0 = (scratchpad0 ^ low) & SCRATCHPAD_LINE_MASK;
            scratchpad1 = (scratchpad1 ^ high) & SCRATCHPAD_LINE_MASK;
            let integers = state.line(scratchpad0);
            xor(&mut state.registers.r, integers);
            let floats = state.line(scratchpad1).0;
            state.registers.f = std::array::from_fn(|i| to_f(floats[i]));
            state.registers.e = std::array::from_fn(|i| state.to_e(floats[4 + i]));

            state.execute_once(&program.instructions);

            let [changed, _] = halves(state.registers.r[read2] ^ state.registers.r[read3]);
            let read = ma;
            // Version 2 prefetches what is read in the iteration after the next one.
            match self.version {
                Version::V1 => mx ^= changed,
                Version::V2 => ma ^= changed,
            }
            self.items.prefetch(configuration.item(if self.version == Version::V1 { mx } else { ma }));
            xor(&mut state.registers.r, self.items.item(configuration.item(read)));
            (mx, ma) = (ma, mx);

            state.set_line(scratchpad1, Line(state.registers.r));
            state.registers.f = match self.version {
                Version::V1 => xor_floats(state.registers.f, state.registers.e),
                Version::V2 => {
                    bytemuck::cast(aes::line(self.aes.mix(columns(state.registers.f), columns(state.registers.e))))
                }
            };
            state.set_line(scratchpad0, Line(bytemuck::cast(state.registers.f)));
            (scratchpad0, scratchpad1) = (0, 0);
        }
        self.mode = state.mode;
        state.registers
    }
}

/// The machine while it executes a program.
struct State<'a> {
    version: Version,
    registers: RegisterFile,
    configuration: &'a Configuration,
    mode: RoundingMode,
    scratchpad: &'a mut [u64; SCRATCHPAD_WORDS],
}

impl State<'_> {
    /// Executes the instructions from the first to the last, once but for branches.
    fn execute_once(&mut self, instructions: &[Instruction]) {
        let mut next = 0;
        while let Some(&instruction) = instructions.get(next) {
            next += 1;
            if let Instruction::Cbranch { dst, shift, target, addend } = instruction {
                let register = &mut self.registers.r[dst.index()];
                *register = register.wrapping_add(extend(addend));
                if *register & condition_mask(shift) == 0 {
                    next = usize::from(target.0);
                }
            } else {
                self.execute_straight(instruction);
            }
        }
    }

    /// Executes an instruction that doesn't branch.
    #[inline(always)]
    fn execute_straight(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::IaddRs { dst, src, shift, offset } => {
                let added = (self.integer(src) << shift).wrapping_add(extend(offset));
                self.change(dst, |x| x.wrapping_add(added));
            }
            Instruction::IaddM { dst, address } => self.with_memory(dst, address, u64::wrapping_add),
            Instruction::IsubR { dst, src } => self.with_operand(dst, src, u64::wrapping_sub),
            Instruction::IsubM { dst, address } => self.with_memory(dst, address, u64::wrapping_sub),
            Instruction::ImulR { dst, src } => self.with_operand(dst, src, u64::wrapping_mul),
            Instruction::ImulM { dst, address } => self.with_memory(dst, address, u64::wrapping_mul),
            Instruction::ImulhR { dst, src } => self.with_operand(dst, Operand::Register(src), high_product),
            Instruction::ImulhM { dst, address } => self.with_memory(dst, address, high_product),
            Instruction::IsmulhR { dst, src } => self.with_operand(dst, Operand::Register(src), high_product_signed),
            Instruction::IsmulhM { dst, address } => self.with_memory(dst, address, high_product_signed),
            Instruction::ImulRcp { dst, reciprocal } => self.change(dst, |x| x.wrapping_mul(reciprocal)),
            Instruction::InegR { dst } => self.change(dst, u64::wrapping_neg),
            Instruction::IxorR { dst, src } => self.with_operand(dst, src, |x, y| x ^ y),
            Instruction::IxorM { dst, address } => self.with_memory(dst, address, |x, y| x ^ y),
            Instruction::IrorR { dst, src } => self.with_operand(dst, src, |x, y| x.rotate_right(count(y))),
            Instruction::IrolR { dst, src } => self.with_operand(dst, src, |x, y| x.rotate_left(count(y))),
            Instruction::IswapR { dst, src } => self.registers.r.swap(dst.index(), src.index()),
            Instruction::FswapF { dst } => self.registers.f[dst.index()].reverse(),
            Instruction::FswapE { dst } => self.registers.e[dst.index()].reverse(),
            Instruction::FaddR { dst, src } => self.change_f(dst, self.registers.a[src.index()], softfloat::add),
            Instruction::FaddM { dst, address } => self.change_f(dst, to_f(self.load(address)), softfloat::add),
            Instruction::FsubR { dst, src } => self.change_f(dst, self.registers.a[src.index()], softfloat::sub),
            Instruction::FsubM { dst, address } => self.change_f(dst, to_f(self.load(address)), softfloat::sub),
            Instruction::FscalR { dst } => self.change_f(dst, [SCALE_MASK; 2], |x, mask, _| x ^ mask),
            Instruction::FmulR { dst, src } => self.change_e(dst, self.registers.a[src.index()], softfloat::mul),
            Instruction::FdivM { dst, address } => self.change_e(dst, self.to_e(self.load(address)), softfloat::div),
            Instruction::FsqrtR { dst } => self.change_e(dst, [0; 2], |x, _, mode| softfloat::sqrt(x, mode)),
            Instruction::Cfround { src, rotation } => {
                let rotated = self.integer(src).rotate_right(u32::from(rotation));
                if self.version == Version::V1 || rotated & 60 == 0 {
                    self.mode = RoundingMode::from_fprc(rotated);
                }
            }
            Instruction::Istore { src, address } => {
                self.scratchpad[self.word_index(address)] = self.integer(src);
            }
            Instruction::Cbranch { .. } | Instruction::Nop => {}
        }
    }

    fn integer(&self, register: Register) -> u64 {
        self.registers.r[register.index()]
    }

    fn change(&mut self, dst: Register, operation: impl FnOnce(u64) -> u64) {
        let register = &mut self.registers.r[dst.index()];
        *register = operation(*register);
    }

    fn with_operand(&mut self, dst: Register, src: Operand, operation: impl FnOnce(u64, u64) -> u64) {
        let operand = match src {
            Operand::Register(register) => self.integer(register),
            Operand::Immediate(immediate) => extend(immediate),
        };
        self.change(dst, |x| operation(x, operand));
    }

    fn with_memory(&mut self, dst: Register, address: Address, operation: impl FnOnce(u64, u64) -> u64) {
        let operand = self.load(address);
        self.change(dst, |x| operation(x, operand));
    }

    fn change_f(&mut self, dst: FloatRegister, src: FloatPair, operation: impl Fn(u64, u64, RoundingMode) -> u64) {
        let register = &mut self.registers.f[dst.index()];
        *register = [operation(register[0], src[0], self.mode), operation(register[1], src[1], self.mode)];
    }

    fn change_e(&mut self, dst: FloatRegister, src: FloatPair, operation: impl Fn(u64, u64, RoundingMode) -> u64) {
        let register = &mut self.registers.e[dst.index()];
        *register = [operation(register[0], src[0], self.mode), operation(register[1], src[1], self.mode)];
    }

    /// Returns the number of the scratchpad's word that an address means.
    #[expect(clippy::cast_possible_truncation, reason = "the level's mask keeps less")]
    fn word_index(&self, address: Address) -> usize {
        let base = address.base.map_or(0, |register| self.integer(register));
        let address_bytes = base.wrapping_add(extend(address.offset)) as u32 & address.level.mask();
        address_bytes as usize / 8 % SCRATCHPAD_WORDS
    }

    fn load(&self, address: Address) -> u64 {
        self.scratchpad[self.word_index(address)]
    }

    /// Returns the whole line at an address.
    fn line(&self, address: u32) -> Line {
        let first = address as usize / 8;
        Line(std::array::from_fn(|word| self.scratchpad[first + word]))
    }

    fn set_line(&mut self, address: u32, line: Line) {
        let first = address as usize / 8;
        self.scratchpad[first..first + 8].copy_from_slice(&line.0);
    }

    /// Converts two integers to numbers of group E (specification, section 4.3.2).
    fn to_e(&self, memory: u64) -> FloatPair {
        let [low, high] = to_f(memory);
        let [low_mask, high_mask] = self.configuration.e_masks;
        [low & E_KEPT | low_mask, high & E_KEPT | high_mask]
    }
}

/// Converts two integers to numbers of group F (specification, section 4.3.1).
fn to_f(memory: u64) -> FloatPair {
    halves(memory).map(|integer| softfloat::from_i32(integer.cast_signed()))
}

/// Returns the lower and the upper half.
#[expect(clippy::cast_possible_truncation, reason = "cut into halves")]
fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

/// Extends a constant with its sign.
fn extend(immediate: i32) -> u64 {
    i64::from(immediate).cast_unsigned()
}

/// Returns by how much to rotate.
fn count(operand: u64) -> u32 {
    (operand & 63) as u32
}

fn high_product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

fn high_product_signed(a: u64, b: u64) -> u64 {
    ((i128::from(a.cast_signed()) * i128::from(b.cast_signed())) >> 64).cast_unsigned() as u64
}

fn xor(registers: &mut [u64; 8], line: Line) {
    registers.iter_mut().zip(line.0).for_each(|(register, word)| *register ^= word);
}

fn xor_floats(f: [FloatPair; 4], e: [FloatPair; 4]) -> [FloatPair; 4] {
    std::array::from_fn(|i| [f[i][0] ^ e[i][0], f[i][1] ^ e[i][1]])
}

/// Returns registers as blocks of AES.
fn columns(registers: [FloatPair; 4]) -> aes::State {
    registers.map(|[low, high]| u128::from(low) | u128::from(high) << 64)
}

#[cfg(test)]
#[path = "interpreter_tests.rs"]
mod tests;
