//! The soft-float against the processor.

use super::*;
use crate::randomx::blake2_generator::BlakeGenerator;

const MODES: [RoundingMode; 4] = [RoundingMode::Nearest, RoundingMode::Down, RoundingMode::Up, RoundingMode::Zero];

/// From upstream's src/tests/tests.cpp: operands and the results in all four modes.
#[test]
fn results_are_the_published_ones() {
    type Operation = fn(u64, u64, RoundingMode) -> u64;
    let published: [(Operation, u64, u64, [u64; 4]); 8] = [
        (
            add,
            0x3ffd_2c97_cc4e_f015,
            0x402a_26a8_6a60_c8fb,
            bits("fea6ea633bcc2d40 fda6ea633bcc2d40 fea6ea633bcc2d40 fda6ea633bcc2d40"),
        ),
        (
            add,
            0xc1ce_30b3_c422_3576,
            0x40b8_f684_057a_59e1,
            bits("b932e048a730cec1 b932e048a730cec1 b832e048a730cec1 b832e048a730cec1"),
        ),
        (
            mul,
            0x41db_c35c_ef24_8783,
            0x40eb_a861_aa31_c7c0,
            bits("2f1589cdecfed742 2e1589cdecfed742 2f1589cdecfed742 2e1589cdecfed742"),
        ),
        (
            mul,
            0x40fd_fdab_b617_3d07,
            0x41c4_5612_12ae_2d50,
            bits("69697aff350fd342 69697aff350fd342 6a697aff350fd342 69697aff350fd342"),
        ),
        (
            div,
            0x4193_7f76_fede_16ee,
            e_form(0x8b24_60d9, 0x3900_0000_001b_a31e),
            bits("32474a66635ba547 32474a66635ba547 33474a66635ba547 32474a66635ba547"),
        ),
        (
            div,
            0x411b_4142_96ce_93b6,
            e_form(0xd350_a1b6, 0x3a00_0000_0005_d11a),
            bits("e7b2696394844346 e6b2696394844346 e7b2696394844346 e6b2696394844346"),
        ),
        (
            |a, _, mode| sqrt(a, mode),
            0x41b6_b21c_11af_fea7,
            0,
            bits("8dbaa33f570ed340 8cbaa33f570ed340 8dbaa33f570ed340 8cbaa33f570ed340"),
        ),
        (
            |a, _, mode| sqrt(a, mode),
            0x4052_6a7e_778d_9824,
            0,
            bits("e81f300b612a2140 e81f300b612a2140 e91f300b612a2140 e81f300b612a2140"),
        ),
    ];
    for (operation, a, b, expected) in published {
        assert_eq!(MODES.map(|mode| operation(a, b, mode)), expected, "{a:016x} {b:016x}");
    }
}

/// Returns numbers from bytes as they lie in memory.
fn bits(hex: &str) -> [u64; 4] {
    let mut numbers = hex.split(' ').map(|hex| u64::from_str_radix(hex, 16).unwrap().swap_bytes());
    std::array::from_fn(|_| numbers.next().unwrap())
}

/// Returns the operand of a division that an integer from memory becomes.
fn e_form(integer: u32, mask: u64) -> u64 {
    from_i32(integer.cast_signed()) & 0x00ff_ffff_ffff_ffff | mask
}

#[test]
fn integers_are_converted_exactly() {
    let mut random = BlakeGenerator::new(b"integers");
    let edges = [0, 1, -1, 2, 3, i32::MAX, i32::MIN, i32::MIN + 1, 1 << 30];
    for integer in edges.into_iter().chain((0..10_000).map(|_| random.word().cast_signed() >> (random.byte() & 31))) {
        assert_eq!(from_i32(integer), f64::from(integer).to_bits(), "{integer}");
    }
}

/// Without other hardware at hand, x86 alone stands for IEEE 754 here.
#[cfg(target_arch = "x86_64")]
mod hardware {
    use core::arch::asm;

    use super::*;

    /// Defines an operation of the processor in a given rounding mode. Everything between the two changes of MXCSR is
    /// one block of assembly, so that the compiler's own floats never see the mode.
    macro_rules! define {
        ($name:ident, $instruction:literal) => {
            #[expect(unsafe_code, reason = "the rounding mode is reached by assembly only")]
            fn $name(a: u64, b: u64, mode: RoundingMode) -> u64 {
                let mut before = 0_u32;
                let during = 0x1f80_u32 | (mode as u32) << 13;
                let mut result = a;
                // SAFETY: reads and writes local variables and registers only, and leaves MXCSR as it was.
                unsafe {
                    asm!(
                        "stmxcsr [{before}]",
                        "ldmxcsr [{during}]",
                        "movq {x}, {a}",
                        "movq {y}, {b}",
                        concat!($instruction, " {x}, {y}"),
                        "movq {a}, {x}",
                        "ldmxcsr [{before}]",
                        before = in(reg) &raw mut before,
                        during = in(reg) &raw const during,
                        a = inout(reg) result,
                        b = in(reg) b,
                        x = out(xmm_reg) _,
                        y = out(xmm_reg) _,
                        options(nostack),
                    );
                }
                result
            }
        };
    }
    define!(addsd, "addsd");
    define!(subsd, "subsd");
    define!(mulsd, "mulsd");
    define!(divsd, "divsd");

    // The root is that of the second operand.
    define!(sqrtsd, "sqrtsd");

    fn check(a: u64, b: u64) {
        type Operation = fn(u64, u64, RoundingMode) -> u64;
        let operations: [(&str, Operation, Operation); 5] = [
            ("+", add, addsd),
            ("-", sub, subsd),
            ("*", mul, mulsd),
            ("/", div, divsd),
            ("root", |_, b, mode| sqrt(b, mode), sqrtsd),
        ];
        for (name, ours, theirs) in operations {
            for mode in MODES {
                let (ours, theirs) = (ours(a, b, mode), theirs(a, b, mode));
                assert_eq!(ours, theirs, "{a:016x} {name} {b:016x} {mode:?}: {ours:016x}, not {theirs:016x}");
            }
        }
    }

    fn word(random: &mut BlakeGenerator) -> u64 {
        u64::from(random.word()) << 32 | u64::from(random.word())
    }

    /// All pairs of numbers around every edge.
    #[test]
    fn hard_cases_agree_with_the_processor() {
        let magnitudes = [
            0, // zero
            1, // the smallest denormal number
            2,
            3,
            0x0008_0000_0000_0000,
            0x000f_ffff_ffff_ffff, // the largest denormal number
            0x0010_0000_0000_0000, // the smallest normal number
            0x0010_0000_0000_0001,
            0x001f_ffff_ffff_ffff,
            0x0020_0000_0000_0000,
            0x00f0_0000_0000_0000, // what FSCAL_R makes of zero
            0x1e5f_ffff_ffff_ffff,
            0x1ff0_0000_0000_0000,
            0x2000_0000_0000_0001,
            0x3c90_0000_0000_0000, // 2^-54: half of an ulp of one half
            0x3ca0_0000_0000_0000, // 2^-53: half of an ulp of one
            0x3ca0_0000_0000_0001,
            0x3cb0_0000_0000_0000,
            0x3fef_ffff_ffff_ffff, // just below one
            0x3ff0_0000_0000_0000,
            0x3ff0_0000_0000_0001,
            0x3ff0_0000_0000_0002,
            0x3ff7_ffff_ffff_ffff,
            0x3ff8_0000_0000_0000, // one and a half
            0x3ff8_0000_0000_0001,
            0x3fff_ffff_ffff_ffff,
            0x4000_0000_0000_0000, // two
            0x4008_0000_0000_0000, // three
            0x4022_0000_0000_0000, // nine
            0x4330_0000_0000_0000, // 2^52
            0x4330_0000_0000_0001,
            0x4340_0000_0000_0000, // 2^53
            0x4340_0000_0000_0001,
            0x5fe0_0000_0000_0000,
            0x7fdf_ffff_ffff_ffff,
            0x7fe0_0000_0000_0000,
            0x7fe0_0000_0000_0001,
            0x7fef_ffff_ffff_ffff, // the largest number
            0x7ff0_0000_0000_0000, // infinity
            0x7ff0_0000_0000_0001, // NaNs
            0x7ff8_0000_0000_0000,
            0x7ff8_0000_0000_1234,
        ];
        let signed = magnitudes.iter().flat_map(|&magnitude| [magnitude, magnitude | SIGN]);
        for a in signed.clone() {
            for b in signed.clone() {
                check(a, b);
            }
        }
    }

    /// Any bits, mostly far apart.
    #[test]
    fn random_bits_agree_with_the_processor() {
        let mut random = BlakeGenerator::new(b"any bits");
        for _ in 0..1_000_000 {
            check(word(&mut random), word(&mut random));
        }
    }

    /// Numbers that are near each other, or have few bits: many cancel exactly, lie half way, or are squares.
    #[test]
    fn random_hard_cases_agree_with_the_processor() {
        let mut random = BlakeGenerator::new(b"hard cases");
        for _ in 0..1_000_000 {
            let mut number = |exponents: u64| {
                let sign = u64::from(random.byte()) >> 7 << 63;
                let exponent = 0x3ff - exponents / 2 + u64::from(random.word()) % exponents;
                // All but a few bits at one end or the other are equal.
                let few = word(&mut random) >> (random.byte() % 64);
                let fraction = match random.byte() % 4 {
                    0 => few,
                    1 => !few,
                    2 => few.reverse_bits() >> 12,
                    _ => !few.reverse_bits() >> 12,
                } & FRACTION;
                sign | exponent << 52 | fraction
            };
            let (a, b) = (number(4), number(120));
            check(a, b);
            check(b, a);
            let near = a ^ u64::from(random.byte() & 3) ^ u64::from(random.byte()) << 63;
            check(a, near);
        }
    }

    /// The operands that RandomX has: products of E registers with A registers until they overflow, and quotients.
    #[test]
    fn overflow_agrees_with_the_processor() {
        let mut random = BlakeGenerator::new(b"overflow");
        for _ in 0..100_000 {
            let mut number = |exponent: u64| exponent << 52 | word(&mut random) & FRACTION;
            let (large, other, tiny) = (number(0x7e0), number(0x41e), number(0x01f));
            check(large, other);
            check(large, number(0x3d0));
            check(tiny, other);
            check(tiny, tiny | 0x3c00_0000_0000_0000);
            check(tiny, number(0x010));
        }
    }
}
