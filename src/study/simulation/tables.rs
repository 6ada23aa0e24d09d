//! Steps of random walks, as tables of equally probable factors: a step is one look-up, and no platform's functions
//! change a digit.

/// The entries of a table. With 4096 a single step reaches 3.7 standard deviations, and the sum of several has the
/// quantiles of a normal distribution to less than a path in a thousand.
pub(super) const ENTRIES: usize = 4096;

/// How many bits choose one of them.
pub(super) const ENTRY_BITS: u32 = ENTRIES.ilog2();

/// Equally probable values.
pub(super) type Table = [f64];

/// Returns the value that a standard normal variable stays below with a probability from 1e-20 to less than 1.
///
/// Newton's method on the distribution function: it is convex below its middle, so from there each step falls short of
/// the root and none leaves the way.
pub fn normal_quantile(probability: f64) -> f64 {
    if probability > 0.5 {
        return -normal_quantile(1.0 - probability);
    }
    let root_of_two = std::f64::consts::SQRT_2;
    let mut value = 0.0;
    for _ in 0..200 {
        let excess = 0.5 * libm::erfc(-value / root_of_two) - probability;
        let density = libm::exp(-0.5 * value * value) / (2.0 * std::f64::consts::PI).sqrt();
        let next = value - excess / density;
        if !next.is_finite() || (next - value).abs() <= 1e-14 * (1.0 + value.abs()) {
            break;
        }
        value = next;
    }
    value
}

/// Returns equally probable values of a standard normal variable, with a mean of 0 and a variance of exactly 1.
pub(super) fn normal() -> Vec<f64> {
    let half = ENTRIES / 2;
    let below: Vec<f64> = (0..half).map(|index| normal_quantile((index as f64 + 0.5) / ENTRIES as f64)).collect();
    let variance = below.iter().map(|value| value * value).sum::<f64>() / half as f64;
    // The middle of each part has a little less variance than the part.
    let scale = variance.sqrt().recip();
    let above = below.iter().rev().map(|value| -value);
    below.iter().copied().chain(above).map(|value| value * scale).collect()
}

/// Returns equally probable factors whose logarithms are `deviation` times the values of a table, and `drift` above.
pub(super) fn factors(values: &Table, deviation: f64, drift: f64) -> Vec<f64> {
    values.iter().map(|value| libm::exp(deviation * value + drift)).collect()
}

/// Spreads any number of equally probable values over a table, as evenly as goes: the last ones may come a little less
/// often, by less than one in [`ENTRIES`].
pub(super) fn spread(values: &[f64]) -> Vec<f64> {
    (0..ENTRIES).map(|index| values[index * values.len() / ENTRIES]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        // Abramowitz and Stegun, table 26.5, and R's qnorm.
        for (probability, value) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.95, 1.644_853_626_951_472_2),
            (0.84, 0.994_457_883_209_753_2),
            (0.001, -3.090_232_306_167_813),
            (1e-9, -5.997_807_015_007_686),
            (1e-20, -9.262_340_089_798_408),
        ] {
            let computed = normal_quantile(probability);
            assert!((computed - value).abs() < 1e-9 * (1.0 + value.abs()), "{probability}: {computed}");
        }
    }

    #[test]
    fn a_table_has_the_moments_of_the_normal_distribution() {
        let table = normal();
        let moment = |power: i32| table.iter().map(|value| value.powi(power)).sum::<f64>() / ENTRIES as f64;
        assert_eq!(table.len(), ENTRIES);
        assert!(moment(1).abs() < 1e-12 && (moment(2) - 1.0).abs() < 1e-12);
        assert!(moment(3).abs() < 1e-10 && (moment(4) - 3.0).abs() < 0.02, "{}", moment(4));
        assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn few_values_fill_a_table_evenly() {
        let table = spread(&[1.0, 2.0, 3.0]);
        for value in [1.0, 2.0, 3.0] {
            let count = table.iter().filter(|entry| **entry == value).count();
            assert!(count.abs_diff(ENTRIES / 3) <= 1, "{value}: {count}");
        }
    }
}
