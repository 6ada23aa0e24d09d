//! Double precision arithmetic of IEEE 754 on the bits of the numbers, by integer arithmetic alone, in all four
//! rounding modes.
//!
//! RandomX changes the rounding mode, and Rust assumes that nobody does. So the interpreter uses no floats at all, and
//! has the same results on every platform. The results are those of the standard for all operands, denormal ones and
//! NaNs included, of which RandomX has none; a NaN is handed on as x86 processors do it.

/// How results are rounded, numbered as the register `fprc` has it (specification, table 4.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(super) enum RoundingMode {
    /// To the nearest, and half way to the even one.
    #[default]
    Nearest,
    /// Towards negative infinity.
    Down,
    /// Towards positive infinity.
    Up,
    /// Towards zero.
    Zero,
}

impl RoundingMode {
    /// Returns the mode that the two lowest bits of `fprc` mean.
    pub(super) fn from_fprc(fprc: u64) -> Self {
        match fprc & 3 {
            0 => Self::Nearest,
            1 => Self::Down,
            2 => Self::Up,
            _ => Self::Zero,
        }
    }
}

const SIGN: u64 = 1 << 63;
const INFINITY: u64 = 0x7ff << 52;
const FRACTION: u64 = (1 << 52) - 1;
const HIDDEN: u64 = 1 << 52;
const QUIET: u64 = 1 << 51;
/// What an invalid operation gives on x86.
const DEFAULT_NAN: u64 = SIGN | INFINITY | QUIET;
const BIAS: i32 = 1023;
/// The bits of a 64-bit significand that don't fit into the result.
const ROUNDED_BITS: u32 = 11;

/// Returns `a + b`.
#[inline]
pub(super) fn add(a: u64, b: u64, mode: RoundingMode) -> u64 {
    // The larger one first, so that the smaller one is shifted.
    let (large, small) = if a << 1 >= b << 1 { (a, b) } else { (b, a) };
    if !is_normal(large) || !is_normal(small) {
        return add_special(a, b, mode);
    }
    let exponent = exponent_field(large);
    let distance = (exponent - exponent_field(small)).cast_unsigned();
    // The leading bit is bit 62: one to spare above, ten below for what is shifted out.
    sum(large & SIGN, exponent, significand(large) << 10, small & SIGN, significand(small) << 10, distance, mode)
}

/// Adds significands whose leading bit is bit 62 at most. `exponent` is the field that belongs to bit 62, and
/// `distance` how far the smaller one is shifted.
#[inline]
fn sum(
    large_sign: u64,
    exponent: i32,
    large: u64,
    small_sign: u64,
    small: u64,
    distance: u32,
    mode: RoundingMode,
) -> u64 {
    let small = shift_right_sticky(small, distance);
    if large_sign == small_sign {
        return normalize_and_round(large_sign, exponent + 1, large + small, mode);
    }
    let difference = large - small;
    if difference == 0 {
        return if mode == RoundingMode::Down { SIGN } else { 0 };
    }
    normalize_and_round(large_sign, exponent + 1, difference, mode)
}

/// Returns `a - b`.
#[inline]
pub(super) fn sub(a: u64, b: u64, mode: RoundingMode) -> u64 {
    if is_nan(b) {
        // The sign of a NaN means nothing, and isn't changed.
        return nan(a, b);
    }
    add(a, b ^ SIGN, mode)
}

/// Returns `a * b`.
#[inline]
pub(super) fn mul(a: u64, b: u64, mode: RoundingMode) -> u64 {
    let sign = (a ^ b) & SIGN;
    if !is_normal(a) || !is_normal(b) {
        return mul_special(a, b, sign, mode);
    }
    product(sign, exponent_field(a) + exponent_field(b), significand(a), significand(b), mode)
}

/// Multiplies significands whose leading bit is bit 52, and adds up their exponent fields already.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "cut into halves")]
fn product(sign: u64, exponents: i32, a: u64, b: u64, mode: RoundingMode) -> u64 {
    // 53 bits times 53 bits are 105 or 106 bits: the leading one is bit 126 or 127.
    let product = (u128::from(a) * u128::from(b)) << 22;
    let sticky = u64::from(product as u64 != 0);
    normalize_and_round(sign, exponents - BIAS + 1, (product >> 64) as u64 | sticky, mode)
}

/// Returns `a / b`.
#[inline]
pub(super) fn div(a: u64, b: u64, mode: RoundingMode) -> u64 {
    let sign = (a ^ b) & SIGN;
    if !is_normal(a) || !is_normal(b) {
        return div_special(a, b, sign, mode);
    }
    quotient(sign, exponent_field(a) - exponent_field(b), significand(a), significand(b), mode)
}

/// Divides significands whose leading bit is bit 52, and subtracts their exponent fields already.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the quotient is smaller than 2^63")]
fn quotient(sign: u64, exponents: i32, a: u64, b: u64, mode: RoundingMode) -> u64 {
    let (a, b) = (u128::from(a) << 62, u128::from(b));
    let quotient = a / b;
    let sticky = u64::from(quotient * b != a);
    normalize_and_round(sign, exponents + BIAS + 1, quotient as u64 | sticky, mode)
}

/// Returns the square root of `a`.
#[inline]
pub(super) fn sqrt(a: u64, mode: RoundingMode) -> u64 {
    if !is_normal(a) || a & SIGN != 0 {
        return sqrt_special(a, mode);
    }
    root(exponent_field(a), significand(a), mode)
}

/// Takes the root of a significand whose leading bit is bit 52.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the root of 128 bits has 64")]
fn root(exponent: i32, significand: u64, mode: RoundingMode) -> u64 {
    // With an even exponent the root's exponent is half of it, and the radicand lies between 2^126 and 2^128: so the
    // leading bit of its root is bit 63.
    let exponent = exponent - BIAS;
    let radicand = u128::from(significand) << (74 + (exponent & 1));
    let root = radicand.isqrt();
    let sticky = u64::from(root * root != radicand);
    round(0, (exponent >> 1) + BIAS, root as u64 | sticky, mode)
}

/// Returns the number that a signed integer is. That is exact.
#[inline]
pub(super) fn from_i32(integer: i32) -> u64 {
    if integer == 0 {
        return 0;
    }
    let magnitude = u64::from(integer.unsigned_abs());
    let leading = magnitude.ilog2();
    let sign = if integer < 0 { SIGN } else { 0 };
    sign | u64::from(leading + BIAS.cast_unsigned()) << 52 | (magnitude << (52 - leading)) & FRACTION
}

/// Neither zero nor denormal nor infinite nor NaN.
#[inline]
fn is_normal(a: u64) -> bool {
    exponent_field(a).cast_unsigned().wrapping_sub(1) < 0x7fe
}

#[inline]
fn is_nan(a: u64) -> bool {
    a << 1 > INFINITY << 1
}

#[inline]
fn is_infinite(a: u64) -> bool {
    a << 1 == INFINITY << 1
}

#[inline]
fn is_zero(a: u64) -> bool {
    a << 1 == 0
}

/// Returns the exponent as it stands in the bits.
#[inline]
fn exponent_field(a: u64) -> i32 {
    (a >> 52 & 0x7ff) as i32
}

/// Returns the significand of a normal number.
#[inline]
fn significand(a: u64) -> u64 {
    a & FRACTION | HIDDEN
}

/// Returns the exponent field and significand that a number has, or would have if fields could be negative.
fn unpack(a: u64) -> (i32, u64) {
    if is_normal(a) {
        return (exponent_field(a), significand(a));
    }
    let fraction = a & FRACTION;
    let shift = fraction.leading_zeros() - 11;
    (1 - shift.cast_signed(), fraction << shift)
}

/// Shifts to the right, and keeps in the lowest bit whether anything but zeros was shifted out.
#[inline]
fn shift_right_sticky(x: u64, by: u32) -> u64 {
    let by = by.min(63);
    x >> by | u64::from(x & ((1 << by) - 1) != 0)
}

/// Rounds a significand after moving its leading bit to bit 63. `exponent` is the field that belongs to bit 63.
#[inline]
fn normalize_and_round(sign: u64, exponent: i32, significand: u64, mode: RoundingMode) -> u64 {
    let shift = significand.leading_zeros();
    round(sign, exponent - shift.cast_signed(), significand << shift, mode)
}

/// Rounds a significand whose leading bit is bit 63.
#[inline]
fn round(sign: u64, exponent: i32, significand: u64, mode: RoundingMode) -> u64 {
    if (exponent - 1).cast_unsigned() >= 0x7fe {
        return round_out_of_range(sign, exponent, significand, mode);
    }
    // The hidden bit counts the exponent up by one, and a carry out of the fraction by another.
    let bits = (u64::from((exponent - 1).cast_unsigned()) << 52) + rounded(sign, significand, mode);
    if bits >= INFINITY {
        return overflow(sign, mode);
    }
    sign | bits
}

/// Returns the upper 53 bits of a significand, rounded with regard to the others.
#[inline]
fn rounded(sign: u64, significand: u64, mode: RoundingMode) -> u64 {
    const REST: u64 = (1 << ROUNDED_BITS) - 1;
    const HALF: u64 = 1 << (ROUNDED_BITS - 1);
    let kept = significand >> ROUNDED_BITS;
    let rest = significand & REST;
    let added = match mode {
        RoundingMode::Nearest => HALF - 1 + (kept & 1),
        RoundingMode::Down => REST * (sign >> 63),
        RoundingMode::Up => REST * (1 - (sign >> 63)),
        RoundingMode::Zero => 0,
    };
    kept + ((rest + added) >> ROUNDED_BITS)
}

/// Rounds what is too large or too small for a normal number.
#[cold]
fn round_out_of_range(sign: u64, exponent: i32, significand: u64, mode: RoundingMode) -> u64 {
    if exponent > 0 {
        return overflow(sign, mode);
    }
    // Denormal numbers have the exponent of field 1, and no hidden bit. Rounding up to the smallest normal one works
    // out.
    sign | rounded(sign, shift_right_sticky(significand, (1 - exponent).cast_unsigned()), mode)
}

#[cold]
fn overflow(sign: u64, mode: RoundingMode) -> u64 {
    let away_from_zero = match mode {
        RoundingMode::Nearest => true,
        RoundingMode::Down => sign != 0,
        RoundingMode::Up => sign == 0,
        RoundingMode::Zero => false,
    };
    sign | if away_from_zero { INFINITY } else { INFINITY - 1 }
}

/// Returns the NaN that an operation on `a` and `b` gives of which at least one is a NaN.
#[cold]
fn nan(a: u64, b: u64) -> u64 {
    QUIET | if is_nan(a) { a } else { b }
}

#[cold]
fn add_special(a: u64, b: u64, mode: RoundingMode) -> u64 {
    if is_nan(a) || is_nan(b) {
        return nan(a, b);
    }
    match (is_infinite(a), is_infinite(b)) {
        (true, true) if a != b => return DEFAULT_NAN,
        (true, _) => return a,
        (_, true) => return b,
        _ => {}
    }
    match (is_zero(a), is_zero(b)) {
        (true, true) if a == b => return a,
        (true, true) => return if mode == RoundingMode::Down { SIGN } else { 0 },
        (true, false) => return b,
        (false, true) => return a,
        _ => {}
    }
    // At least one is denormal: those have the exponent of field 1, and no hidden bit.
    let (large, small) = if a << 1 >= b << 1 { (a, b) } else { (b, a) };
    let parts = |x: u64| if is_normal(x) { (exponent_field(x), significand(x)) } else { (1, x & FRACTION) };
    let ((exponent, large_significand), (small_exponent, small_significand)) = (parts(large), parts(small));
    let distance = (exponent - small_exponent).cast_unsigned();
    sum(large & SIGN, exponent, large_significand << 10, small & SIGN, small_significand << 10, distance, mode)
}

#[cold]
fn mul_special(a: u64, b: u64, sign: u64, mode: RoundingMode) -> u64 {
    if is_nan(a) || is_nan(b) {
        return nan(a, b);
    }
    match (is_infinite(a) || is_infinite(b), is_zero(a) || is_zero(b)) {
        (true, true) => DEFAULT_NAN,
        (true, false) => sign | INFINITY,
        (false, true) => sign,
        (false, false) => {
            let ((a_exponent, a), (b_exponent, b)) = (unpack(a), unpack(b));
            product(sign, a_exponent + b_exponent, a, b, mode)
        }
    }
}

#[cold]
fn div_special(a: u64, b: u64, sign: u64, mode: RoundingMode) -> u64 {
    if is_nan(a) || is_nan(b) {
        return nan(a, b);
    }
    match (is_infinite(a), is_infinite(b), is_zero(a), is_zero(b)) {
        (true, true, ..) | (.., true, true) => DEFAULT_NAN,
        (true, ..) | (.., true) => sign | INFINITY,
        (_, true, ..) | (_, _, true, _) => sign,
        _ => {
            let ((a_exponent, a), (b_exponent, b)) = (unpack(a), unpack(b));
            quotient(sign, a_exponent - b_exponent, a, b, mode)
        }
    }
}

#[cold]
fn sqrt_special(a: u64, mode: RoundingMode) -> u64 {
    if is_nan(a) {
        return nan(a, a);
    }
    if is_zero(a) || a == INFINITY {
        return a;
    }
    if a & SIGN != 0 {
        return DEFAULT_NAN;
    }
    let (exponent, significand) = unpack(a);
    root(exponent, significand, mode)
}

#[cfg(test)]
#[path = "softfloat_tests.rs"]
mod tests;
