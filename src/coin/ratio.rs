//! The quotient of two large integers as a float, rounded once.

use ruint::aliases::U512;

/// `numerator / denominator`, rounded to the nearest `f64` (ties to even). A zero denominator gives infinity.
///
/// The denominator must be below 2^448, so that the quotient's 64 leading bits can be had without overflow; the
/// callers' are below 2^256.
pub(super) fn ratio_f64(numerator: U512, denominator: U512) -> f64 {
    if denominator.is_zero() {
        return f64::INFINITY;
    }
    if numerator.is_zero() {
        return 0.0;
    }
    // Either side is shifted left, never right, so that no bit is lost and the quotient has 64 or 65 bits.
    let shift = 64 + denominator.bit_len() as i64 - numerator.bit_len() as i64;
    let (numerator, denominator) = if shift >= 0 {
        (numerator << shift as usize, denominator)
    } else {
        (numerator, denominator << -shift as usize)
    };
    let (quotient, remainder) = numerator.div_rem(denominator);
    let limbs = quotient.as_limbs();
    let quotient = u128::from(limbs[0]) | u128::from(limbs[1]) << 64;
    // What is left over can only decide a tie, and the last of 64 bits is far enough below the last one kept.
    let sticky = u128::from(!remainder.is_zero());
    (quotient | sticky) as f64 * power_of_two(-shift)
}

/// 2^exponent exactly, for exponents of normal numbers (-1022 to 1023).
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: u128, denominator: u128) -> f64 {
        ratio_f64(U512::from(numerator), U512::from(denominator))
    }

    #[test]
    fn small_quotients_equal_those_of_floats() {
        // Both sides are exact as f64, and IEEE division rounds once too.
        for (numerator, denominator) in [(1, 3), (2, 3), (10, 1), (1, 10), (22, 7), (9_007_199_254_740_991, 3)] {
            assert_eq!(ratio(numerator, denominator), numerator as f64 / denominator as f64);
        }
        assert_eq!(ratio(0, 7), 0.0);
        assert_eq!(ratio(7, 0), f64::INFINITY);
    }

    #[test]
    fn ties_go_to_even_unless_something_is_left_over() {
        // 2^53 + 1 lies half-way between 2^53 and 2^53 + 2.
        let tie = (1_u128 << 53) + 1;
        assert_eq!(ratio(tie, 1), 9_007_199_254_740_992.0);
        assert_eq!(ratio(tie * 1_000_000_007 + 1, 1_000_000_007), 9_007_199_254_740_994.0);
        assert_eq!(ratio(tie * 1_000_000_007 - 1, 1_000_000_007), 9_007_199_254_740_992.0);
    }

    #[test]
    fn large_and_tiny_quotients_keep_their_scale() {
        let big = U512::from(3) << 400;
        assert_eq!(ratio_f64(big, U512::from(1) << 390), 3072.0);
        assert_eq!(ratio_f64(U512::from(3), U512::from(1) << 300), 3.0 * 2f64.powi(-300));
        assert_eq!(ratio_f64(U512::MAX, U512::from(1)), 2f64.powi(512));
    }
}
