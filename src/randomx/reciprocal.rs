//! The reciprocals that IMUL_RCP multiplies with (specification, section 5.2.6).

/// Returns 2^x / `divisor` for the largest x that keeps it below 2^64, or nothing where IMUL_RCP does nothing: for zero
/// and powers of two.
pub(super) fn reciprocal(divisor: u32) -> Option<u64> {
    if divisor == 0 || divisor.is_power_of_two() {
        return None;
    }
    // 2^(63 + bits) / divisor lies between 2^63 and 2^64. Split, so that 64 bits suffice.
    let bits = divisor.ilog2() + 1;
    let divisor = u64::from(divisor);
    let (quotient, remainder) = ((1 << 63) / divisor, (1 << 63) % divisor);
    Some((quotient << bits) + (remainder << bits) / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From upstream's src/tests/tests.cpp.
    #[test]
    fn reciprocals_are_the_published_ones() {
        let published = [
            (3, 12_297_829_382_473_034_410),
            (13, 11_351_842_506_898_185_609),
            (33, 17_887_751_829_051_686_415),
            (65_537, 18_446_462_603_027_742_720),
            (15_000_001, 10_316_166_306_300_415_204),
            (3_845_182_035, 10_302_264_209_224_146_340),
            (0xffff_ffff, 9_223_372_039_002_259_456),
        ];
        for (divisor, expected) in published {
            assert_eq!(reciprocal(divisor), Some(expected), "{divisor}");
        }
    }

    #[test]
    fn reciprocals_are_quotients_of_the_largest_fitting_power() {
        for divisor in (3..u32::MAX).step_by(65_521).filter(|divisor| !divisor.is_power_of_two()) {
            let power = (0..128).rev().find(|&x| (1_u128 << x) / u128::from(divisor) < 1 << 64).unwrap();
            assert_eq!(reciprocal(divisor).map(u128::from), Some((1 << power) / u128::from(divisor)), "{divisor}");
        }
    }

    #[test]
    fn zero_and_powers_of_two_have_none() {
        assert_eq!(reciprocal(0), None);
        assert!((0..32).all(|bit| reciprocal(1 << bit).is_none()));
    }
}
