//! Instructions of SuperscalarHash in AVX-512, eight items to a vector.
//!
//! Two independent groups of eight are executed instruction by instruction, so that the one's latency is the other's
//! work.

use core::arch::x86_64::{__m512i, _mm512_shuffle_i64x2, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64};

use super::assembler::{Assembler, Label};
use super::operand::RAX;
use super::vector_assembler::{Lanewise, Mask, Shift, Source, Zmm};
use crate::randomx::superscalar::{Operation, SuperscalarInstruction};

/// The items in a vector.
pub(super) const GROUP: usize = 8;
/// The vectors of a register that a turn works on.
pub(super) const GROUPS: usize = 2;
/// The mask that keeps the lower halves of words.
const LOW: Zmm = Zmm(31);
/// Stands for all lanes.
const ALL: Mask = Mask(0);

/// Writes what comes before the loop.
pub(super) fn begin(asm: &mut Assembler<'_>) {
    asm.mov32_constant(RAX, u32::MAX);
    asm.broadcast(LOW, RAX);
}

/// Loads the registers of both groups.
pub(super) fn load(asm: &mut Assembler<'_>) {
    (0..16).for_each(|register| asm.load_zmm(Zmm(register), register));
}

/// Stores the registers of both groups.
pub(super) fn store(asm: &mut Assembler<'_>) {
    (0..16).for_each(|register| asm.store_zmm(register, Zmm(register)));
}

/// Writes an instruction for both groups, with its constant in the code.
pub(super) fn instruction(asm: &mut Assembler<'_>, instruction: SuperscalarInstruction, constant: Label) {
    (0..2).for_each(|half| half_of_turn(asm, instruction, constant, half));
}

/// Writes an instruction for one of the two groups.
fn half_of_turn(asm: &mut Assembler<'_>, instruction: SuperscalarInstruction, constant: Label, half: u8) {
    let register = |number: u8| Zmm(8 * half + number);
    let (dst, src) = (register(instruction.dst), register(instruction.src));
    let temporary = Zmm(16 + 6 * half);
    let from = Source::Register;
    let constant = Source::Broadcast(constant);
    match instruction.operation {
        Operation::IsubR => asm.lanewise(Lanewise::Sub, dst, dst, from(src), ALL),
        Operation::IxorR => asm.lanewise(Lanewise::Xor, dst, dst, from(src), ALL),
        Operation::IaddRs => match instruction.shift() {
            0 => asm.lanewise(Lanewise::Add, dst, dst, from(src), ALL),
            shift => {
                asm.shift(Shift::Left, temporary, src, shift);
                asm.lanewise(Lanewise::Add, dst, dst, from(temporary), ALL);
            }
        },
        Operation::ImulR => asm.lanewise(Lanewise::Mul, dst, dst, from(src), ALL),
        Operation::IrorC => asm.shift(Shift::RotateRight, dst, dst, (instruction.imm32 & 63) as u8),
        Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
            asm.lanewise(Lanewise::Add, dst, dst, constant, ALL);
        }
        Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => {
            asm.lanewise(Lanewise::Xor, dst, dst, constant, ALL);
        }
        Operation::ImulhR => high_product(asm, dst, src, temporary.0, false),
        Operation::IsmulhR => high_product(asm, dst, src, temporary.0, true),
        Operation::ImulRcp => asm.lanewise(Lanewise::Mul, dst, dst, constant, ALL),
    }
}

/// Writes `dst =` the upper half of `dst * src`, put together from products of halves in six temporary registers.
fn high_product(asm: &mut Assembler<'_>, dst: Zmm, src: Zmm, temporary: u8, is_signed: bool) {
    let [dst_high, src_high, low, middle, carried, high] = std::array::from_fn(|i| Zmm(temporary + i as u8));
    let from = Source::Register;
    let (negative_dst, negative_src) = (Mask(1), Mask(2));
    asm.shift(Shift::Right, dst_high, dst, 32);
    asm.shift(Shift::Right, src_high, src, 32);
    asm.lanewise(Lanewise::Mul32, low, dst, from(src), ALL);
    asm.lanewise(Lanewise::Mul32, middle, dst_high, from(src), ALL);
    asm.lanewise(Lanewise::Mul32, carried, dst, from(src_high), ALL);
    asm.lanewise(Lanewise::Mul32, high, dst_high, from(src_high), ALL);
    if is_signed {
        asm.signs(negative_dst, dst);
        asm.signs(negative_src, src);
    }
    asm.shift(Shift::Right, low, low, 32);
    asm.lanewise(Lanewise::Add, middle, middle, from(low), ALL);
    asm.lanewise(Lanewise::And, low, middle, from(LOW), ALL);
    asm.lanewise(Lanewise::Add, carried, carried, from(low), ALL);
    asm.shift(Shift::Right, middle, middle, 32);
    asm.shift(Shift::Right, carried, carried, 32);
    asm.lanewise(Lanewise::Add, high, high, from(middle), ALL);
    if is_signed {
        // Read as unsigned, a negative number is 2^64 too large.
        asm.lanewise(Lanewise::Add, high, high, from(carried), ALL);
        asm.lanewise(Lanewise::Sub, high, high, from(src), negative_dst);
        asm.lanewise(Lanewise::Sub, high, high, from(dst), negative_src);
        asm.move_zmm(dst, high);
    } else {
        asm.lanewise(Lanewise::Add, dst, high, from(carried), ALL);
    }
}

/// Exchanges rows and columns: items and registers.
#[target_feature(enable = "avx512f")]
pub(super) fn transpose(rows: [[u64; GROUP]; 8]) -> [[u64; GROUP]; 8] {
    let rows: [__m512i; 8] = bytemuck::must_cast(rows);
    // Pairs of words first, then blocks of two pairs.
    let even = |i: usize| _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
    let odd = |i: usize| _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    let blocks = |[a, b, c, d]: [__m512i; 4]| {
        let (ab_low, ab_high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let (cd_low, cd_high) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
        [
            _mm512_shuffle_i64x2::<0x88>(ab_low, cd_low),
            _mm512_shuffle_i64x2::<0xdd>(ab_low, cd_low),
            _mm512_shuffle_i64x2::<0x88>(ab_high, cd_high),
            _mm512_shuffle_i64x2::<0xdd>(ab_high, cd_high),
        ]
    };
    let [c0, c2, c4, c6] = blocks([even(0), even(2), even(4), even(6)]);
    let [c1, c3, c5, c7] = blocks([odd(0), odd(2), odd(4), odd(6)]);
    bytemuck::must_cast([c0, c1, c2, c3, c4, c5, c6, c7])
}
