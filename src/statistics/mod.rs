//! What samples say: the median with its interval, the ratio of two of them, and what stands out.
//!
//! Samples come in turns: those of one turn follow each other without a gap, and between two turns other engines ran.
//! Nothing here is random, so a record gives the same figures whenever it is read. `calibration` holds each choice to
//! what it shall reach.

#[cfg(test)]
mod calibration;
#[cfg(test)]
mod noise;

use serde::{Deserialize, Serialize};

use crate::interval::Interval;

/// The confidence that intervals are made for.
pub const CONFIDENCE: f64 = 0.95;

/// The quantile of the normal distribution that leaves 2.5 % above it.
const NORMAL: f64 = 1.959_964;

/// The quantiles of Student's distribution that leave 2.5 % above them, by degrees of freedom.
const STUDENT: [(f64, f64); 14] = [
    (1.0, 12.706_205),
    (2.0, 4.302_653),
    (3.0, 3.182_446),
    (4.0, 2.776_445),
    (5.0, 2.570_582),
    (6.0, 2.446_912),
    (8.0, 2.306_004),
    (10.0, 2.228_139),
    (12.0, 2.178_813),
    (15.0, 2.131_450),
    (20.0, 2.085_963),
    (30.0, 2.042_272),
    (60.0, 2.000_298),
    (f64::INFINITY, NORMAL),
];

/// The most that neighbouring samples are taken to be correlated. Above, a run has so few independent samples that the
/// interval is the whole range in any case.
const CORRELATION_MAX: f64 = 0.9;

/// With fewer samples than these a record is not compared: not even their whole range reaches [`CONFIDENCE`].
const SAMPLES_MIN: usize = 6;

/// Above this modified z-score a sample is an outlier (Iglewicz and Hoaglin, 1993).
const OUTLIER: f64 = 3.5;

/// The median of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianEstimate {
    /// The median with its interval, in the unit of the samples.
    pub interval: Interval,
    /// The confidence that the interval is made for: [`CONFIDENCE`], less with fewer than six samples, because then not
    /// even their whole range reaches it.
    pub confidence: f64,
    /// How much neighbouring samples are taken to be correlated: 0 to 0.9.
    pub correlation: f64,
    /// How many independent samples would say as much about the median as these do.
    pub effective_samples: f64,
}

/// Returns the median of all samples of `turns` with its interval at [`CONFIDENCE`]. None without samples.
///
/// With n independent samples the number below the true median is binomial with p = 1/2, so the interval reaches
/// 1.96 √n / 2 ranks to either side of the middle; between two ranks it is interpolated. Correlated samples widen it by
/// the root of the [`design_effect`]. Only ranks count: an outlier moves an end by one rank, however far out it lies.
///
/// Lost against this, by the coverage of 20,000 runs of 48 samples, without correlation and at φ = 0.5 (wanted: 93 to
/// 97 %): the ranks of the binomial table alone, 96.9 and 84.5 %; φ taken to be 0.5 always, 99.8 and 95.1 %; φ within
/// turns around the mean of each turn, 97.5 and 97.2 %, and half as wide again; Student's interval of the medians of 8
/// turns of 5, 94.8 and 91.4 %.
#[must_use]
pub fn median_interval<T: AsRef<[f64]>>(turns: &[T]) -> Option<MedianEstimate> {
    let mut sorted: Vec<f64> = turns.iter().flat_map(AsRef::as_ref).copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = float(sorted.len());
    let value = median_of_sorted(&sorted)?;
    let correlation = correlation(turns, &sorted);
    let design_effect = design_effect(correlation, sorted.len());
    let reach = NORMAL * (count * design_effect).sqrt() / 2.0;
    let middle = (count + 1.0) / 2.0;
    let interval = Interval { value, low: at_rank(&sorted, middle - reach), high: at_rank(&sorted, middle + reach) };
    // The whole range misses the median when all samples lie on one side of it.
    let confidence = (1.0 - 2.0 * 0.5_f64.powf(count)).min(CONFIDENCE);
    Some(MedianEstimate { interval, confidence, correlation, effective_samples: count / design_effect })
}

/// Returns the indices of outliers, counted through all turns: samples whose modified z-score 0.6745 |x - median| / MAD
/// is above 3.5, where MAD is the median of the distances from the median.
///
/// Where more than half of the samples are alike, MAD is 0 and 1.2533 times the mean distance stands for MAD / 0.6745.
/// They are marked only: medians bear them, and the mean has to show them.
#[must_use]
pub fn outliers<T: AsRef<[f64]>>(turns: &[T]) -> Vec<usize> {
    let samples: Vec<f64> = turns.iter().flat_map(AsRef::as_ref).copied().collect();
    let Some(middle) = median(&samples) else { return Vec::new() };
    let distances: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
    let mad = median(&distances).unwrap_or(0.0);
    let deviation =
        if mad > 0.0 { mad / 0.6745 } else { 1.253_314 * distances.iter().sum::<f64>() / float(distances.len()) };
    (0..samples.len()).filter(|&index| distances[index] > OUTLIER * deviation).collect()
}

/// The ratio of two rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioEstimate {
    /// The candidate's median over the baseline's, with its interval at [`CONFIDENCE`]: the widest of the three below.
    pub interval: Interval,
    /// Half the width of the interval from the samples, of the logarithm: 0.01 stands for 1 %.
    pub from_samples: f64,
    /// The same from what turns differ by.
    pub from_turns: f64,
    /// The same from what the records of one side differ by; 0 where neither side has several.
    pub from_records: f64,
}

/// Returns the ratio of the rates of `candidate` to `baseline`, with its interval. Each side is one or more records,
/// and each record the turns of one engine. With several records the side's rate is the geometric mean of their
/// medians.
///
/// The interval is symmetric for the logarithm, and the widest of three. From samples: the records' intervals of the
/// median, turned back into standard errors and added in squares, times 1.96. From turns: the same from how the medians
/// of a record's turns vary, times Student's quantile at the degrees of freedom of Welch and Satterthwaite. From
/// records: from how the medians of the records of a side vary, times Student's quantile; a side with one record is
/// taken to vary as the other does.
///
/// None where a record has fewer than two turns or six samples, and where a rate is not positive.
///
/// Lost against this, for 48 samples in 8 turns (coverage without correlation, at φ = 0.5, and with turns that differ
/// by 2 %; a 5 % slowdown called slower; this: 96.7, 96.0, 95.3 and 96.1 %): from samples alone, 96.1, 95.7, 93.1 and
/// 96.1 %; from turns alone, 93.4, 91.5, 94.2 and 97.7 %; the variances added, with Student's quantile for what turns
/// add, 96.4, 95.7, 94.1 and 96.4 %, but 91.9 % for the third with 6 turns. Other layouts find the slowdown less often:
/// 6 turns of 8 in 95.4 %, 4 of 12 in 91.1 %, 8 of 5 in 91.3 %, and 4 of 10 in 85.5 %.
#[must_use]
pub fn ratio_interval(baseline: &[&[Vec<f64>]], candidate: &[&[Vec<f64>]]) -> Option<RatioEstimate> {
    let sides = [Side::new(baseline)?, Side::new(candidate)?];
    let sum = |part: fn(&Side) -> f64| sides.iter().map(part).sum::<f64>();
    let from_samples = NORMAL * sum(|side| side.of_samples).sqrt();
    let from_turns = student_half_width(sum(|side| side.of_turns), sum(|side| side.uncertainty_of_turns));
    let degrees = sum(|side| side.records - 1.0);
    let from_records = if degrees > 0.0 {
        let of_record = sum(|side| side.squares_of_records) / degrees;
        student(degrees) * (of_record * sum(|side| side.records.recip())).sqrt()
    } else {
        0.0
    };
    let half_width = from_samples.max(from_turns).max(from_records);
    let value = sides[1].log_rate - sides[0].log_rate;
    let interval = Interval { value: value.exp(), low: (value - half_width).exp(), high: (value + half_width).exp() };
    Some(RatioEstimate { interval, from_samples, from_turns, from_records })
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The ratio lies within the threshold of 1.
    Same,
    /// The candidate is faster by more than the threshold.
    Faster,
    /// The candidate is slower by more than the threshold.
    Slower,
    /// The interval of the ratio crosses an edge.
    Inconclusive,
}

/// Judges the interval of a ratio against a threshold: 0.03 stands for 3 %.
#[must_use]
pub fn verdict(ratio: &Interval, threshold: f64) -> Verdict {
    let (least, most) = (1.0 - threshold, 1.0 + threshold);
    if ratio.low > most {
        Verdict::Faster
    } else if ratio.high < least {
        Verdict::Slower
    } else if ratio.low >= least && ratio.high <= most {
        Verdict::Same
    } else {
        Verdict::Inconclusive
    }
}

/// One side of a comparison; all variances are of logarithms.
struct Side {
    log_rate: f64,
    records: f64,
    /// The variance of the rate, from the samples.
    of_samples: f64,
    /// The same from the medians of turns, which hold the samples' part, too.
    of_turns: f64,
    /// How uncertain that is: squared parts over their degrees of freedom, added up, as Satterthwaite does.
    uncertainty_of_turns: f64,
    /// The squared distances of the records' rates from their mean, added up.
    squares_of_records: f64,
}

impl Side {
    fn new(records: &[&[Vec<f64>]]) -> Option<Self> {
        let count = float(records.len());
        let mut log_rates = Vec::with_capacity(records.len());
        let (mut of_samples, mut of_turns, mut uncertainty_of_turns) = (0.0, 0.0, 0.0);
        for record in records {
            let Interval { value, low, high } = median_interval(record)?.interval;
            let medians: Vec<f64> = record.iter().filter_map(|turn| median(turn)).collect();
            let samples = record.iter().map(Vec::len).sum::<usize>();
            if samples < SAMPLES_MIN || medians.len() < 2 || low <= 0.0 || medians.iter().any(|&rate| rate <= 0.0) {
                return None;
            }
            log_rates.push(value.ln());
            of_samples += ((high / low).ln() / (2.0 * NORMAL) / count).powi(2);
            let logs: Vec<f64> = medians.into_iter().map(f64::ln).collect();
            let degrees = float(logs.len()) - 1.0;
            let of_turn = squares(&logs) / degrees / float(logs.len()) / (count * count);
            of_turns += of_turn;
            uncertainty_of_turns += of_turn * of_turn / degrees;
        }
        let log_rate = mean(&log_rates)?;
        let squares_of_records = squares(&log_rates);
        Some(Self { log_rate, records: count, of_samples, of_turns, uncertainty_of_turns, squares_of_records })
    }
}

/// Returns half the width of Student's interval from a variance and how uncertain it is.
fn student_half_width(variance: f64, uncertainty: f64) -> f64 {
    // Equal turns leave no variance, and no degrees to divide by.
    if uncertainty > 0.0 { student(variance * variance / uncertainty) * variance.sqrt() } else { 0.0 }
}

/// Returns Student's quantile for at least one degree of freedom, interpolated over their reciprocals. The curve is
/// convex there, so what is interpolated is too large rather than too small: by 0.4 % at most from three degrees on.
fn student(degrees: f64) -> f64 {
    let upper = STUDENT.partition_point(|&(listed, _)| listed < degrees).max(1);
    let ((few, at_few), (many, at_many)) = (STUDENT[upper - 1], STUDENT[upper.min(STUDENT.len() - 1)]);
    let part = (few.recip() - degrees.max(1.0).recip()) / (few.recip() - many.recip());
    part.mul_add(at_many - at_few, at_few)
}

/// Returns the correlation of neighbouring samples, φ, from 0 to 0.9: that of their ranks, so that outliers count no
/// more than others. Neighbours are of one turn; ranks are those among all samples, so that turns which differ show,
/// too.
///
/// In n samples the correlation comes out too small by (1 + 3 φ) / n (Kendall; Marriott and Pope, 1954). Solved for φ
/// that is (n r + 1) / (n - 3). Taken is (n r + 2) / (n - 3), a margin for how uncertain φ itself is: with the 1 the
/// interval of 12 samples covered 90.9 % instead of 92.5 % at φ = 0.5. Signs of the distance from the median instead of
/// ranks gave the same coverage with intervals wider by a tenth.
fn correlation<T: AsRef<[f64]>>(turns: &[T], sorted: &[f64]) -> f64 {
    let count = float(sorted.len());
    let middle = (count - 1.0) / 2.0;
    let (mut square, mut product, mut pairs) = (0.0, 0.0, 0.0);
    for turn in turns {
        let mut before = None;
        for &sample in turn.as_ref() {
            let rank = rank(sorted, sample) - middle;
            square += rank * rank;
            if let Some(before) = before.replace(rank) {
                product += before * rank;
                pairs += 1.0;
            }
        }
    }
    // Turns of one sample have no neighbours, and equal samples no order.
    if pairs == 0.0 || square == 0.0 || count <= 3.0 {
        return 0.0;
    }
    let ratio = (product / pairs) / (square / count);
    (count.mul_add(ratio, 2.0) / (count - 3.0)).clamp(0.0, CORRELATION_MAX)
}

/// Returns by how much the variance of the median of `count` samples grows when samples k apart are correlated by φ^k.
///
/// The median counts who is above it. Two normal values correlated by ρ are on the same side of it more often than not
/// by 2 asin(ρ) / π (Sheppard), so this is 1 + 2 Σ (1 - k / n) (2 / π) asin(φ^k): 2.2 at φ = 0.5 and 40 samples, where
/// the variance of the mean grows by 2.9.
fn design_effect(correlation: f64, count: usize) -> f64 {
    let mut sum = 0.0;
    let mut power = 1.0;
    for lag in 1..count {
        power *= correlation;
        if power < 1e-4 {
            break;
        }
        sum += (1.0 - float(lag) / float(count)) * power.asin();
    }
    4.0_f64.mul_add(sum / std::f64::consts::PI, 1.0)
}

/// Returns the rank of a sample from 0 on; equal samples share the middle of their ranks.
fn rank(sorted: &[f64], sample: f64) -> f64 {
    let below = sorted.partition_point(|other| other.total_cmp(&sample).is_lt());
    let equal = sorted[below..].iter().take_while(|other| other.total_cmp(&sample).is_eq()).count();
    float(below) + (float(equal) - 1.0) / 2.0
}

/// Returns the value at a rank from 1 on, interpolated between neighbours; beyond the ends, the end. `sorted` isn't
/// empty.
fn at_rank(sorted: &[f64], rank: f64) -> f64 {
    let place = (rank - 1.0).clamp(0.0, float(sorted.len() - 1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    // In this form equal neighbours give exactly their value.
    place.fract().mul_add(sorted[above] - sorted[below], sorted[below])
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    median_of_sorted(&sorted)
}

fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(f64::midpoint(sorted[last / 2], sorted[sorted.len() / 2]))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / float(values.len()))
}

/// Returns the squared distances from the mean, added up.
fn squares(values: &[f64]) -> f64 {
    mean(values).map_or(0.0, |mean| values.iter().map(|value| (value - mean).powi(2)).sum())
}

#[expect(clippy::cast_precision_loss, reason = "a plan has few samples")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of one sample, which have no neighbours, and so no correlation; the value is the rank.
    fn apart(count: u32) -> Vec<[f64; 1]> {
        (1..=count).rev().map(|rank| [f64::from(rank)]).collect()
    }

    fn of(count: u32) -> MedianEstimate {
        median_interval(&apart(count)).unwrap()
    }

    /// The greatest rank k for which the interval from the k-th lowest to the k-th highest has at least 95 %: those of
    /// any table of the sign test, such as Conover's table A3.
    fn table_rank(count: u32) -> f64 {
        let mut term = 0.5_f64.powi(i32::try_from(count).unwrap());
        let (mut tail, mut rank) = (0.0, 0);
        while 2.0 * (tail + term) <= 0.05 {
            tail += term;
            term *= f64::from(count - rank) / f64::from(rank + 1);
            rank += 1;
        }
        f64::from(rank)
    }

    #[test]
    fn the_ends_lie_between_the_rank_of_the_tables_and_the_next() {
        for (count, rank) in [(6, 1.0), (10, 2.0), (12, 3.0), (20, 6.0), (40, 14.0), (48, 17.0)] {
            assert_eq!(table_rank(count), rank, "{count} samples");
        }
        // The normal distribution is narrower than the binomial by 0.04 ranks at most, with 17 samples.
        for count in 6..=500 {
            let (rank, interval) = (table_rank(count), of(count).interval);
            assert!(
                (rank - 0.05..rank + 1.0).contains(&interval.low),
                "{count} samples: {} is not {rank}",
                interval.low
            );
            assert!((interval.low + interval.high - f64::from(count + 1)).abs() < 1e-9);
        }
        assert!((of(6).interval.low - (3.5 - NORMAL * 6.0_f64.sqrt() / 2.0)).abs() < 1e-12);
        assert_eq!((of(6).confidence, of(6).correlation, of(6).effective_samples), (CONFIDENCE, 0.0, 6.0));
    }

    #[test]
    fn the_median_lies_between_two_values_where_their_number_is_even() {
        assert_eq!(of(7).interval.value, 4.0);
        assert_eq!(of(8).interval.value, 4.5);
    }

    #[test]
    fn few_samples_say_how_little_they_know() {
        assert_eq!(median_interval::<Vec<f64>>(&[]), None);
        assert_eq!(median_interval(&[Vec::new(), Vec::new()]), None);
        assert_eq!((of(1).interval, of(1).confidence), (Interval::exact(1.0), 0.0));
        assert_eq!(
            (of(5).interval, of(5).confidence),
            (Interval { value: 3.0, low: 1.0, high: 5.0 }, 1.0 - 2.0 / 32.0)
        );
    }

    #[test]
    fn an_outlier_moves_an_end_by_no_more_than_its_rank() {
        let mut far = apart(40);
        far[0] = [1e9];
        assert_eq!(median_interval(&far), Some(of(40)));
    }

    #[test]
    fn equal_samples_leave_no_width() {
        let estimate = median_interval(&[[0.1; 6], [0.1; 6]]).unwrap();
        assert_eq!((estimate.interval, estimate.correlation), (Interval::exact(0.1), 0.0));
    }

    #[test]
    fn neighbours_of_one_turn_tell_the_correlation() {
        let correlation_of = |turns: &[Vec<f64>]| median_interval(turns).unwrap().correlation;
        // Ranks from the middle in halves: -5 -1 1 5 | -3 3, products 5 - 1 + 5 - 9 = 0 over 4 pairs: r = 0, φ = 2/3.
        assert!((correlation_of(&[vec![1.0, 3.0, 4.0, 6.0], vec![2.0, 5.0]]) - 2.0 / 3.0).abs() < 1e-12);
        // Steps up and down are no correlation that widens, and a ramp is the most.
        assert_eq!(correlation_of(&[vec![1.0, 5.0, 2.0, 6.0], vec![3.0, 7.0, 4.0, 8.0]]), 0.0);
        assert_eq!(correlation_of(&[(0..20).map(f64::from).collect()]), CORRELATION_MAX);
        // Pairs share ranks: 1.5 of 1 and 2 at either end, so the order within a pair doesn't matter.
        assert_eq!(rank(&[1.0, 1.0, 2.0], 1.0), 0.5);
        assert_eq!(rank(&[1.0, 1.0, 2.0], 2.0), 2.0);
    }

    #[test]
    fn the_design_effect_is_that_of_signs() {
        assert_eq!(design_effect(0.0, 40), 1.0);
        // Two samples at φ = 1/2: 1 + 2 (1/2) (2/π) (π/6).
        assert!((design_effect(0.5, 2) - 4.0 / 3.0).abs() < 1e-12);
        assert!((design_effect(0.5, 40) - 2.24).abs() < 0.01);
        assert!((design_effect(0.5, 100_000) - 2.307).abs() < 0.001);
    }

    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        assert_eq!((student(1.0), student(0.5), student(10.0)), (12.706_205, 12.706_205, 2.228_139));
        assert_eq!(student(f64::INFINITY), NORMAL);
        // Not listed: t = 2.3646 at 7, 2.0452 at 29 and 1.9840 at 100 degrees of freedom.
        for (degrees, table) in [(7.0, 2.3646), (29.0, 2.0452), (100.0, 1.9840)] {
            assert!((0.0..2e-3).contains(&(student(degrees) - table)), "{degrees}: {}", student(degrees));
        }
    }

    /// The example of Iglewicz and Hoaglin, How to detect and handle outliers (1993): of these ten, two.
    #[test]
    fn outliers_are_marked_and_counted_through_the_turns() {
        let turns = [vec![2.1, 2.6, 2.4, 2.5, 2.3], vec![2.1, 2.3, 2.6, 8.2, 8.3]];
        assert_eq!(outliers(&turns), [8, 9]);
        assert_eq!(outliers(&[[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.0]]), [6]);
        assert!(outliers(&[[5.0; 4]]).is_empty());
        assert!(outliers::<Vec<f64>>(&[]).is_empty());
    }

    /// A record whose turns have three equal samples each.
    fn record(rates: &[f64]) -> Vec<Vec<f64>> {
        rates.iter().map(|&rate| vec![rate; 3]).collect()
    }

    #[test]
    fn rates_without_noise_have_an_exact_ratio() {
        let ratio = ratio_interval(&[&record(&[200.0, 200.0])], &[&record(&[100.0, 100.0])]).unwrap();
        assert!((ratio.interval.value - 0.5).abs() < 1e-15);
        assert_eq!((ratio.interval.low, ratio.interval.high), (ratio.interval.value, ratio.interval.value));
    }

    #[test]
    fn turns_that_differ_widen_the_ratio() {
        // Two turns that differ by e^0.02: their mean varies by 0.01^2, with one degree of freedom; the other side
        // doesn't.
        let ratio = ratio_interval(&[&record(&[1.0, 0.02_f64.exp()])], &[&record(&[1.0, 1.0])]).unwrap();
        assert!((ratio.from_turns - 12.706_205 * 0.01).abs() < 1e-9, "{ratio:?}");
        assert!((ratio.interval.high.ln() - ratio.interval.value.ln() - ratio.from_turns).abs() < 1e-12);
        assert_eq!(ratio.from_records, 0.0);
    }

    #[test]
    fn records_that_differ_widen_the_ratio_and_the_other_side_is_taken_to_vary_alike() {
        // Two records that differ by e^0.02: a record varies by 0.0002 with one degree of freedom; half of that for the
        // side of two, all of it for the side of one.
        let first = record(&[1.0, 1.0]);
        let second = record(&[0.02_f64.exp(), 0.02_f64.exp()]);
        let ratio = ratio_interval(&[&first, &second], &[&first]).unwrap();
        assert!((ratio.interval.value.ln() + 0.01).abs() < 1e-12);
        assert!((ratio.from_records - 12.706_205 * (0.0002_f64 * 1.5).sqrt()).abs() < 1e-9, "{ratio:?}");
        assert_eq!((ratio.from_samples, ratio.from_turns), (0.0, 0.0));
    }

    #[test]
    fn too_little_to_judge_by_has_no_ratio() {
        let good = record(&[1.0, 1.0]);
        let cases = [record(&[1.0]), vec![vec![1.0; 2]; 2], vec![vec![1.0; 9]], record(&[0.0, 1.0]), Vec::new()];
        for case in &cases {
            assert_eq!(ratio_interval(&[&good], &[case]), None, "{case:?}");
        }
        assert_eq!(ratio_interval(&[&good], &[]), None);
    }

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        let of = |low, high| verdict(&Interval { value: f64::midpoint(low, high), low, high }, 0.03);
        assert_eq!(of(0.971, 1.029), Verdict::Same);
        assert_eq!(of(1.031, 1.2), Verdict::Faster);
        assert_eq!(of(0.5, 0.969), Verdict::Slower);
        assert_eq!(of(0.96, 0.98), Verdict::Inconclusive);
        assert_eq!(of(0.99, 1.04), Verdict::Inconclusive);
        assert_eq!(of(0.9, 1.1), Verdict::Inconclusive);
    }
}
