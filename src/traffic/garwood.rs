//! The exact interval of a Poisson count.

use statrs::distribution::{Continuous, ContinuousCDF, Gamma, Normal};

/// From this shape on the quantile is expanded around the normal one: what is left out is below 1e-13 of it, and the
/// incomplete gamma function loses more than that to cancellation.
const SHAPE_LARGE: f64 = 1e4;

/// The central interval for the mean of a Poisson distribution of which `count` was seen (Garwood, 1936): it holds the
/// mean in at least `confidence` of all cases, whatever the mean is.
///
/// Its ends are the quantile `(1 - confidence) / 2` of the gamma distribution with the shape `count`, which is 0 for a
/// count of 0, and the quantile `(1 + confidence) / 2` of that with the shape `count + 1`.
///
/// `confidence` lies between 0 and 1; at 1 and above the interval is 0 to infinity, at 0 and below, or not a number, it
/// is that of 0.
pub fn garwood(count: u64, confidence: f64) -> (f64, f64) {
    if confidence >= 1.0 {
        return (0.0, f64::INFINITY);
    }
    let tail = (1.0 - confidence.max(0.0)) / 2.0;
    let count = count as f64;
    let low = if count == 0.0 { 0.0 } else { gamma_quantile(count, tail) };
    (low, gamma_quantile(count + 1.0, 1.0 - tail))
}

/// The mean that a count of zero leaves possible, at most, with this confidence: what a silence bounds. At 95 % that is
/// 3.0, the rule of three.
pub fn silence(confidence: f64) -> f64 {
    -(1.0 - confidence.clamp(0.0, 1.0)).ln()
}

/// The value that a gamma distribution of scale 1 stays below with the probability `p`.
fn gamma_quantile(shape: f64, p: f64) -> f64 {
    match Gamma::new(shape, 1.0) {
        Ok(gamma) if shape < SHAPE_LARGE => {
            let near = gamma.inverse_cdf(p);
            // The library stops at ten digits. One more step of Newton's doubles them.
            near - (gamma.cdf(near) - p) / gamma.pdf(near)
        }
        _ => expanded_quantile(shape, p),
    }
}

/// The same for a large shape, by the expansion of Cornish and Fisher (1960), whose terms for chi-squared these are.
fn expanded_quantile(shape: f64, p: f64) -> f64 {
    let z = Normal::standard().inverse_cdf(p);
    let z2 = z * z;
    let root = shape.sqrt();
    let terms = [
        root * z,
        (z2 - 1.0) / 3.0,
        z * (z2 - 7.0) / 36.0 / root,
        -((3.0 * z2 + 7.0) * z2 - 16.0) / 810.0 / shape,
        z * ((9.0 * z2 + 256.0) * z2 - 433.0) / 38_880.0 / (shape * root),
    ];
    shape + terms.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(actual: f64, expected: f64, relative: f64, what: &str) {
        assert!((actual - expected).abs() <= relative * expected.abs(), "{what}: {actual} is not {expected}");
    }

    /// Worked examples that others printed: 0 events (manual of the R package epitools, `pois.exact`), 10 events (to
    /// two decimals), and 14 events in 400 person-years (StatsDirect's manual).
    #[test]
    fn published_examples_are_met() {
        assert!((garwood(0, 0.95).1 - 3.689).abs() < 5e-4);
        let (low, high) = garwood(10, 0.95);
        assert!((low - 4.80).abs() < 5e-3 && (high - 18.39).abs() < 5e-3, "{low} to {high}");
        let (low, high) = garwood(14, 0.95);
        assert!((low / 400.0 - 0.019_135).abs() < 5e-7 && (high / 400.0 - 0.058_724).abs() < 5e-7, "{low} to {high}");
    }

    /// By mpmath 1.3 with 40 digits: roots of the regularized incomplete gamma function, as R's
    /// `qgamma((1 - c) / 2, k)` and `qgamma((1 + c) / 2, k + 1)` define them.
    #[test]
    fn quantiles_are_those_of_many_digits() {
        for (count, confidence, low, high) in [
            (0, 0.95, 0.0, 3.688_879_454_113_936_3),
            (0, 0.99, 0.0, 5.298_317_366_548_037),
            (1, 0.95, 0.025_317_807_984_289_875, 5.571_643_390_938_899),
            (5, 0.95, 1.623_486_390_118_420_5, 11.668_332_079_322_67),
            (5, 0.99, 1.077_928_240_652_319_5, 14.149_759_411_023_015),
            (30, 0.95, 20.240_874_021_420_915, 42.826_865_394_807_67),
            (300, 0.95, 267.009_275_232_966_3, 335.941_125_552_570_7),
            (1_000, 0.99, 920.424_046_163_359_1, 1_084.372_868_064_389_2),
            (9_999, 0.95, 9_803.962_267_410_415, 10_196.941_824_999_883),
            (10_000, 0.95, 9_804.952_467_260_183, 10_197.951_624_661_473),
            (15_300, 0.99, 14_983.266_008_128_192, 15_621.500_975_389_618),
            (100_000, 0.99, 99_187.329_633_164_84, 100_817.431_033_290_56),
        ] {
            let interval = garwood(count, confidence);
            assert_near(interval.0, low, 1e-12, &format!("low end of {count} at {confidence}"));
            assert_near(interval.1, high, 1e-12, &format!("high end of {count} at {confidence}"));
        }
    }

    #[test]
    fn both_ways_to_a_quantile_agree_where_they_meet() {
        for p in [0.005, 0.025, 0.5, 0.975, 0.995] {
            let exact = Gamma::new(9_999.0, 1.0).unwrap().inverse_cdf(p);
            assert_near(expanded_quantile(9_999.0, p), exact, 1e-12, &format!("quantile {p}"));
        }
    }

    #[test]
    fn the_largest_counts_have_intervals_of_their_root() {
        for count in [10_u64.pow(12), 10_u64.pow(18), u64::MAX] {
            let (low, high) = garwood(count, 0.95);
            let mean = count as f64;
            assert!(low <= mean && mean <= high && high.is_finite());
            let half = 1.959_963_985 * mean.sqrt();
            assert!(((high - low) / 2.0 / half - 1.0).abs() < 1e-3, "{count}: {low} to {high}");
        }
    }

    #[test]
    fn more_confidence_is_a_wider_interval_and_none_is_a_point() {
        let mut last = garwood(7, 0.0);
        assert!(last.0 <= 7.0 && 7.0 <= last.1 && last.1 - last.0 < 1.1, "{last:?}");
        for confidence in [0.5, 0.8, 0.95, 0.99, 0.9999] {
            let wider = garwood(7, confidence);
            assert!(wider.0 < last.0 && last.1 < wider.1, "{confidence}: {wider:?}");
            last = wider;
        }
        assert_eq!(garwood(7, 1.0), (0.0, f64::INFINITY));
        assert_eq!(garwood(7, -1.0), garwood(7, 0.0));
        assert_eq!(garwood(7, f64::NAN), garwood(7, 0.0));
    }

    #[test]
    fn a_silence_bounds_by_the_rule_of_three() {
        assert_near(silence(0.95), 2.995_732_273_553_991, 1e-12, "ln 20");
        assert_eq!(silence(0.0), 0.0);
        assert_eq!(silence(2.0), f64::INFINITY);
    }
}
