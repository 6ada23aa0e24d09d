//! SuperscalarHash: the function that turns the cache into dataset items (specification, chapter 6).
//!
//! A program is straight-line code on eight registers, made for the key. Executing it for one item at a time is mostly
//! dispatch, so [`SuperscalarProgram::execute`] does many items in lanes: each instruction is then a loop that the
//! compiler turns into vector code.

mod generator;
mod reference_cpu;

use super::blake2_generator::BlakeGenerator;
use super::reciprocal::reciprocal;

/// The instructions, by the kinds that the generator distinguishes. What ends in 7, 8 and 9 does the same thing and
/// differs in the length of its code on the reference CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Operation {
    IsubR,
    IxorR,
    IaddRs,
    ImulR,
    IrorC,
    IaddC7,
    IxorC7,
    IaddC8,
    IxorC8,
    IaddC9,
    IxorC9,
    ImulhR,
    IsmulhR,
    ImulRcp,
}

/// One instruction of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SuperscalarInstruction {
    pub(super) operation: Operation,
    /// The register that is changed.
    pub(super) dst: u8,
    /// The other register; equal to `dst` where the operation has none.
    pub(super) src: u8,
    /// The byte `mod` of an instruction word; bits 2 and 3 are the shift of IADD_RS.
    pub(super) modifier: u8,
    /// The constant as it stands in an instruction word.
    pub(super) imm32: u32,
    /// The constant as it is used: extended with its sign, or the reciprocal.
    pub(super) constant: u64,
}

impl SuperscalarInstruction {
    fn new(operation: Operation, dst: u8, src: u8, modifier: u8, imm32: u32) -> Self {
        let constant = match operation {
            Operation::ImulRcp => reciprocal(imm32).expect("the generator takes no divisor without a reciprocal"),
            _ => i64::from(imm32.cast_signed()).cast_unsigned(),
        };
        Self { operation, dst, src, modifier, imm32, constant }
    }

    /// Returns the shift of IADD_RS.
    pub(super) fn shift(self) -> u8 {
        self.modifier >> 2 & 3
    }
}

/// Eight registers, each in `LANES` lanes.
pub(super) type Registers<const LANES: usize> = [[u64; LANES]; 8];

/// A program of SuperscalarHash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SuperscalarProgram {
    instructions: Vec<SuperscalarInstruction>,
    address_register: u8,
}

impl SuperscalarProgram {
    /// Generates the next program from `random`.
    pub(super) fn generate(random: &mut BlakeGenerator) -> Self {
        let instructions = generator::generate(random);
        let address_register = address_register(&instructions);
        Self { instructions, address_register }
    }

    /// Returns the instructions in their order.
    pub(super) fn instructions(&self) -> &[SuperscalarInstruction] {
        &self.instructions
    }

    /// Returns the register that says which line of the cache is read next.
    pub(super) fn address_register(&self) -> usize {
        usize::from(self.address_register)
    }

    /// Executes the program in all lanes.
    ///
    /// Inlined, so that each caller gets it in the instruction set that the caller was compiled for.
    #[inline(always)]
    pub(super) fn execute<const LANES: usize>(&self, registers: &mut Registers<LANES>) {
        for instruction in self.instructions() {
            let dst = usize::from(instruction.dst & 7);
            let other = registers[usize::from(instruction.src & 7)];
            let constant = instruction.constant;
            let target = &mut registers[dst];
            match instruction.operation {
                Operation::IsubR => each(target, other, u64::wrapping_sub),
                Operation::IxorR => each(target, other, |a, b| a ^ b),
                Operation::IaddRs => {
                    let shift = instruction.shift();
                    each(target, other, |a, b| a.wrapping_add(b << shift));
                }
                Operation::ImulR => each(target, other, u64::wrapping_mul),
                Operation::IrorC => {
                    let count = instruction.imm32 & 63;
                    each(target, other, |a, _| a.rotate_right(count));
                }
                Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
                    each(target, other, |a, _| a.wrapping_add(constant));
                }
                Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => each(target, other, |a, _| a ^ constant),
                Operation::ImulhR => high_product(target, &other),
                Operation::IsmulhR => high_product_signed(target, &other),
                Operation::ImulRcp => each(target, other, |a, _| a.wrapping_mul(constant)),
            }
        }
    }
}

/// Applies `operation` in all lanes.
#[inline(always)]
fn each<const LANES: usize>(target: &mut [u64; LANES], other: [u64; LANES], operation: impl Fn(u64, u64) -> u64) {
    for lane in 0..LANES {
        target[lane] = operation(target[lane], other[lane]);
    }
}

/// Multiplies in all lanes and keeps the upper halves.
///
/// Processors have an instruction for it, but none that works in lanes: there it is put together from halves. Each step
/// is a loop of its own, because the compiler knows the formula: it would make it the one instruction again, and that
/// lane by lane.
#[inline(always)]
fn high_product<const LANES: usize>(a: &mut [u64; LANES], b: &[u64; LANES]) {
    const LOW: u64 = 0xffff_ffff;
    if LANES == 1 {
        a[0] = ((u128::from(a[0]) * u128::from(b[0])) >> 64) as u64;
        return;
    }
    let mut carry = [0; LANES];
    for lane in 0..LANES {
        carry[lane] = ((a[lane] & LOW) * (b[lane] & LOW)) >> 32;
    }
    let mut middle = [0; LANES];
    for lane in 0..LANES {
        middle[lane] = (a[lane] >> 32) * (b[lane] & LOW) + carry[lane];
    }
    for lane in 0..LANES {
        carry[lane] = ((a[lane] & LOW) * (b[lane] >> 32) + (middle[lane] & LOW)) >> 32;
    }
    for lane in 0..LANES {
        a[lane] = (a[lane] >> 32) * (b[lane] >> 32) + (middle[lane] >> 32) + carry[lane];
    }
}

/// Multiplies signed numbers in all lanes and keeps the upper halves.
#[inline(always)]
fn high_product_signed<const LANES: usize>(a: &mut [u64; LANES], b: &[u64; LANES]) {
    // Read as unsigned, a negative number is 2^64 too large.
    let sign = |x: u64| (x.cast_signed() >> 63).cast_unsigned();
    let mut excess = [0; LANES];
    for lane in 0..LANES {
        excess[lane] = (sign(a[lane]) & b[lane]).wrapping_add(sign(b[lane]) & a[lane]);
    }
    high_product(a, b);
    for lane in 0..LANES {
        a[lane] = a[lane].wrapping_sub(excess[lane]);
    }
}

/// Returns the register with the longest chain of dependent instructions, the first of them where several are equal.
fn address_register(instructions: &[SuperscalarInstruction]) -> u8 {
    let mut chains = [0_u32; 8];
    for instruction in instructions {
        let (dst, src) = (usize::from(instruction.dst), usize::from(instruction.src));
        chains[dst] = chains[dst].max(chains[src]) + 1;
    }
    let longest = chains.iter().max().copied().unwrap_or_default();
    (0..8_u8).find(|&register| chains[usize::from(register)] == longest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::blake2b::hash256;
    use super::*;

    /// From upstream's src/tests/tests.cpp: Hash256 of the words of the first ten programs for "test key 000".
    #[test]
    fn programs_are_the_published_ones() {
        let published = [
            "d3a4a6623738756f77e6104469102f082eff2a3e60be7ad696285ef7dfc72a61",
            "f5e7e0bbc7e93c609003d6359208688070afb4a77165a552ff7be63b38dfbc86",
            "85ed8b11734de5b3e9836641413a8f36e99e89694f419c8cd25c3f3f16c40c5a",
            "5dd956292cf5d5704ad99e362d70098b2777b2a1730520be52f772ca48cd3bc0",
            "6f14018ca7d519e9b48d91af094c0f2d7e12e93af0228782671a8640092af9e5",
            "134be097c92e2c45a92f23208cacd89e4ce51f1009a0b900dbe83b38de11d791",
            "268f9392c20c6e31371a5131f82bd7713d3910075f2f0468baafaa1abd2f3187",
            "c668a05fd909714ed4a91e8d96d67b17e44329e88bc71e0672b529a3fc16be47",
            "99739351315840963011e4c5d8e90ad0bfed3facdcb713fe8f7138fbf01c4c94",
            "14ab53d61880471f66e80183968d97effd5492b406876060e595fcf9682f9295",
        ];
        let mut random = BlakeGenerator::new(b"test key 000");
        for expected in published {
            let program = SuperscalarProgram::generate(&mut random);
            let words: Vec<u8> = program
                .instructions()
                .iter()
                .flat_map(|i| {
                    let [a, b, c, d] = i.imm32.to_le_bytes();
                    [i.operation as u8, i.dst, i.src, i.modifier, a, b, c, d]
                })
                .collect();
            assert_eq!(const_hex::encode(hash256(&[&words])), expected);
        }
    }

    #[test]
    fn high_products_are_those_of_wide_integers() {
        let edges = [0, 1, 2, 0xffff_ffff, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX, 0x1234_5678_9abc_def0];
        let mut random = BlakeGenerator::new(b"factors");
        let mut number = || u64::from(random.word()) << 32 | u64::from(random.word());
        let mut pairs: Vec<_> = edges.iter().flat_map(|&a| edges.map(|b| (a, b))).collect();
        pairs.extend((0..1000).map(|_| (number(), number())));
        for (a, b) in pairs {
            let unsigned = ((u128::from(a) * u128::from(b)) >> 64) as u64;
            let signed = ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64;
            let (mut one, mut eight) = ([a], [a; 8]);
            high_product(&mut one, &[b]);
            high_product(&mut eight, &[b; 8]);
            assert_eq!((one, eight), ([unsigned], [unsigned; 8]), "{a} {b}");
            let (mut one, mut eight) = ([a], [a; 8]);
            high_product_signed(&mut one, &[b]);
            high_product_signed(&mut eight, &[b; 8]);
            assert_eq!((one, eight), ([signed], [signed; 8]), "{a} {b}");
        }
    }

    #[test]
    fn lanes_do_not_touch_each_other() {
        let mut random = BlakeGenerator::new(b"lanes");
        let program = SuperscalarProgram::generate(&mut random);
        let start: Registers<16> = std::array::from_fn(|_| std::array::from_fn(|_| u64::from(random.word()) << 20));
        let mut together = start;
        program.execute(&mut together);
        for lane in 0..16 {
            let mut alone: Registers<1> = start.map(|register| [register[lane]]);
            program.execute(&mut alone);
            assert_eq!(alone, together.map(|register| [register[lane]]));
        }
    }
}
