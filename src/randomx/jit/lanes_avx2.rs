//! Instructions of SuperscalarHash in AVX2, four items to a vector.
//!
//! AVX2 multiplies no words of 64 bits: products are put together from those of halves. Nor does it rotate.

use core::arch::x86_64::{__m256i, _mm256_permute2x128_si256, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64};

use super::assembler::{Assembler, Label};
use super::vector_assembler::Shift;
use super::vex_assembler::{Fourfold, Ymm};
use crate::randomx::superscalar::{Operation, SuperscalarInstruction};

/// The items in a vector.
pub(super) const GROUP: usize = 4;
/// The vectors of a register that a turn works on.
pub(super) const GROUPS: usize = 1;
/// What instructions are computed in.
const TEMPORARY: [Ymm; 7] = [Ymm(8), Ymm(9), Ymm(10), Ymm(11), Ymm(12), Ymm(13), Ymm(14)];
/// The mask that keeps the lower halves of words.
const LOW: Ymm = Ymm(15);

/// Writes what comes before the loop. `low_words` is the mask, as data.
pub(super) fn begin(asm: &mut Assembler<'_>, low_words: Label) {
    asm.broadcast_ymm(LOW, low_words);
}

/// Loads the registers.
pub(super) fn load(asm: &mut Assembler<'_>) {
    (0..8).for_each(|register| asm.load_ymm(Ymm(register), register));
}

/// Stores the registers.
pub(super) fn store(asm: &mut Assembler<'_>) {
    (0..8).for_each(|register| asm.store_ymm(register, Ymm(register)));
}

/// Writes an instruction, with its constant in the code.
pub(super) fn instruction(asm: &mut Assembler<'_>, instruction: SuperscalarInstruction, constant: Label) {
    let (dst, src) = (Ymm(instruction.dst), Ymm(instruction.src));
    let [first, second, ..] = TEMPORARY;
    match instruction.operation {
        Operation::IsubR => asm.fourfold(Fourfold::Sub, dst, dst, src),
        Operation::IxorR => asm.fourfold(Fourfold::Xor, dst, dst, src),
        Operation::IaddRs => match instruction.shift() {
            0 => asm.fourfold(Fourfold::Add, dst, dst, src),
            shift => {
                asm.fourfold_shift(Shift::Left, first, src, shift);
                asm.fourfold(Fourfold::Add, dst, dst, first);
            }
        },
        Operation::ImulR => low_product(asm, dst, src),
        Operation::IrorC => {
            // The generator makes no rotation by 0.
            let count = (instruction.imm32 & 63) as u8;
            asm.fourfold_shift(Shift::Right, first, dst, count);
            asm.fourfold_shift(Shift::Left, dst, dst, 64 - count);
            asm.fourfold(Fourfold::Or, dst, dst, first);
        }
        Operation::IaddC7 | Operation::IaddC8 | Operation::IaddC9 => {
            asm.broadcast_ymm(first, constant);
            asm.fourfold(Fourfold::Add, dst, dst, first);
        }
        Operation::IxorC7 | Operation::IxorC8 | Operation::IxorC9 => {
            asm.broadcast_ymm(first, constant);
            asm.fourfold(Fourfold::Xor, dst, dst, first);
        }
        Operation::ImulhR => high_product(asm, dst, src, false),
        Operation::IsmulhR => high_product(asm, dst, src, true),
        Operation::ImulRcp => {
            asm.broadcast_ymm(second, constant);
            low_product(asm, dst, second);
        }
    }
}

/// Writes `dst =` the lower half of `dst * src`. `src` may be the second temporary register.
fn low_product(asm: &mut Assembler<'_>, dst: Ymm, src: Ymm) {
    let [dst_high, _, src_high, ..] = TEMPORARY;
    asm.fourfold_shift(Shift::Right, dst_high, dst, 32);
    asm.fourfold_shift(Shift::Right, src_high, src, 32);
    asm.fourfold(Fourfold::Mul32, dst_high, dst_high, src);
    asm.fourfold(Fourfold::Mul32, src_high, src_high, dst);
    asm.fourfold(Fourfold::Mul32, dst, dst, src);
    asm.fourfold(Fourfold::Add, dst_high, dst_high, src_high);
    asm.fourfold_shift(Shift::Left, dst_high, dst_high, 32);
    asm.fourfold(Fourfold::Add, dst, dst, dst_high);
}

/// Writes `dst =` the upper half of `dst * src`.
fn high_product(asm: &mut Assembler<'_>, dst: Ymm, src: Ymm, is_signed: bool) {
    let [dst_high, src_high, low, middle, carried, high, excess] = TEMPORARY;
    asm.fourfold_shift(Shift::Right, dst_high, dst, 32);
    asm.fourfold_shift(Shift::Right, src_high, src, 32);
    asm.fourfold(Fourfold::Mul32, low, dst, src);
    asm.fourfold(Fourfold::Mul32, middle, dst_high, src);
    asm.fourfold(Fourfold::Mul32, carried, dst, src_high);
    asm.fourfold(Fourfold::Mul32, high, dst_high, src_high);
    asm.fourfold_shift(Shift::Right, low, low, 32);
    asm.fourfold(Fourfold::Add, middle, middle, low);
    asm.fourfold(Fourfold::And, low, middle, LOW);
    asm.fourfold(Fourfold::Add, carried, carried, low);
    asm.fourfold_shift(Shift::Right, middle, middle, 32);
    asm.fourfold_shift(Shift::Right, carried, carried, 32);
    asm.fourfold(Fourfold::Add, high, high, middle);
    if is_signed {
        // Read as unsigned, a negative number is 2^64 too large.
        asm.fourfold(Fourfold::Xor, excess, excess, excess);
        asm.fourfold(Fourfold::Greater, low, excess, dst);
        asm.fourfold(Fourfold::Greater, excess, excess, src);
        asm.fourfold(Fourfold::And, low, low, src);
        asm.fourfold(Fourfold::And, excess, excess, dst);
        asm.fourfold(Fourfold::Sub, high, high, low);
        asm.fourfold(Fourfold::Sub, high, high, excess);
    }
    asm.fourfold(Fourfold::Add, dst, high, carried);
}

/// Makes rows of registers from rows of items.
#[target_feature(enable = "avx2")]
pub(super) fn by_register(items: [[u64; 8]; GROUP]) -> [[u64; GROUP]; 8] {
    let [first, second]: [[[u64; 4]; 4]; 2] =
        [0, 4].map(|start| items.map(|item| std::array::from_fn(|word| item[start + word])));
    let [[r0, r1, r2, r3], [r4, r5, r6, r7]] = [transpose(first), transpose(second)];
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Makes rows of items from rows of registers.
#[target_feature(enable = "avx2")]
pub(super) fn by_item([r0, r1, r2, r3, r4, r5, r6, r7]: [[u64; GROUP]; 8]) -> [[u64; 8]; GROUP] {
    let (first, second) = (transpose([r0, r1, r2, r3]), transpose([r4, r5, r6, r7]));
    std::array::from_fn(|item| bytemuck::must_cast([first[item], second[item]]))
}

/// Exchanges rows and columns.
#[target_feature(enable = "avx2")]
fn transpose(rows: [[u64; 4]; 4]) -> [[u64; 4]; 4] {
    let [a, b, c, d]: [__m256i; 4] = bytemuck::must_cast(rows);
    let (ab_even, ab_odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd_even, cd_odd) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    bytemuck::must_cast([
        _mm256_permute2x128_si256::<0x20>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x20>(ab_odd, cd_odd),
        _mm256_permute2x128_si256::<0x31>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x31>(ab_odd, cd_odd),
    ])
}
