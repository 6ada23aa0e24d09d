//! What a set of samples says.

use crate::interval::Interval;

/// Returns the median of `values` with an interval that holds the true median with at least the given confidence, and
/// the confidence that it really has.
///
/// The ends are order statistics, so nothing is assumed about how the values are distributed, only that they are
/// independent: the number of values below the true median is binomial with p = 1/2. Below six values not even the
/// whole range reaches 95 %, and the confidence returned says so. None without values. At most 1,000 values: with more,
/// the probabilities leave the range of floats.
#[must_use]
pub fn median_interval(values: &[f64], confidence: f64) -> Option<(Interval, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    debug_assert!(count <= 1000, "a plan has at most 1,000 samples");
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let median = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
    // P(X <= k) for X ~ Binomial(count, 1/2), summed up while both tails together stay below what may be outside.
    let mut term = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let mut tail = 0.0;
    let mut rank = 0;
    while rank < count / 2 && 2.0 * (tail + term) <= 1.0 - confidence {
        tail += term;
        #[expect(clippy::cast_precision_loss, reason = "a plan has few samples")]
        let ratio = (count - rank) as f64 / (rank + 1) as f64;
        term *= ratio;
        rank += 1;
    }
    if rank == 0 {
        let outside = 2.0 * 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
        return Some((Interval { value: median, low: first, high: last }, (1.0 - outside).max(0.0)));
    }
    // With `rank` values cut off at either end, the interval misses when at most rank - 1 values lie on one side.
    Some((Interval { value: median, low: sorted[rank - 1], high: sorted[count - rank] }, 2.0_f64.mul_add(-tail, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: u32) -> (Interval, f64) {
        // In falling order, so that sorting matters; the value is the rank.
        let values: Vec<f64> = (1..=count).rev().map(f64::from).collect();
        median_interval(&values, 0.95).unwrap()
    }

    /// The ranks and exact confidences of any table of the sign test, such as Conover's table A3:
    /// n = 6: (1, 6), 1 - 2/64; n = 10: (2, 9), 1 - 2 * 11/1024; n = 12: (3, 10), 1 - 2 * 79/4096;
    /// n = 20: (6, 15), 1 - 2 * 21700/2^20; n = 40: (14, 27).
    #[test]
    fn the_ranks_are_those_of_the_tables() {
        let cases = [
            (6, 1.0, 6.0, 1.0 - 2.0 / 64.0),
            (10, 2.0, 9.0, 1.0 - 2.0 * 11.0 / 1024.0),
            (12, 3.0, 10.0, 1.0 - 2.0 * 79.0 / 4096.0),
            (20, 6.0, 15.0, 1.0 - 2.0 * 21_700.0 / 1_048_576.0),
        ];
        for (count, low, high, confidence) in cases {
            let (interval, reached) = of(count);
            assert_eq!((interval.low, interval.high), (low, high), "{count} values");
            assert!((reached - confidence).abs() < 1e-12, "{count} values: {reached} is not {confidence}");
        }
        let (interval, reached) = of(40);
        assert_eq!((interval.low, interval.high), (14.0, 27.0));
        assert!((0.95..0.97).contains(&reached));
        // For many values the ranks are those of the normal distribution: n/2 -+ 1.96 sqrt(n)/2.
        let (interval, reached) = of(1000);
        assert_eq!((interval.low, interval.high), (469.0, 532.0));
        assert!((0.95..0.96).contains(&reached), "{reached}");
    }

    #[test]
    fn the_median_lies_between_two_values_where_their_number_is_even() {
        assert_eq!(of(7).0.value, 4.0);
        assert_eq!(of(8).0.value, 4.5);
    }

    #[test]
    fn few_values_say_how_little_they_know() {
        assert_eq!(median_interval(&[], 0.95), None);
        assert_eq!(of(1), (Interval { value: 1.0, low: 1.0, high: 1.0 }, 0.0));
        assert_eq!(of(5).1, 1.0 - 2.0 / 32.0);
        assert_eq!((of(5).0.low, of(5).0.high), (1.0, 5.0));
    }
}
