//! Holds the statistics to what they shall reach, over 10,000 seeded runs each. Figures: `cargo test calibration --
//! --nocapture`; they stand in docs/METHODOLOGY.md.

use super::noise::{Machine, Noise, Random};
use super::{MedianEstimate, Verdict, median_interval, outliers, ratio_interval, verdict};
use crate::interval::Interval;

const RUNS: u64 = 10_000;
const THRESHOLD: f64 = 0.03;

/// How a run is laid out, as the plan has it.
#[derive(Debug, Clone, Copy)]
struct Layout {
    turns: usize,
    samples: usize,
    /// How long other engines run between two turns, in samples.
    pause: usize,
}

/// A run of 30 s alone, and with two other engines between the turns.
const STANDARD: Layout = Layout { turns: 8, samples: 6, pause: 0 };
const STANDARD_SHARED: Layout = Layout { pause: 12, ..STANDARD };
/// The default run of 3 s, alone and with two others.
const QUICK: Layout = Layout { turns: 3, samples: 4, pause: 0 };
const QUICK_SHARED: Layout = Layout { pause: 8, ..QUICK };

impl Layout {
    /// Runs one engine.
    fn run(self, noise: Noise, seed: u64) -> Vec<Vec<f64>> {
        let length = self.turns * (self.samples + self.pause) - self.pause;
        let mut machine = Machine::new(noise, Random::new(seed), length);
        let turn = |index: usize| {
            if index > 0 {
                machine.pause(self.pause);
            }
            (0..self.samples).map(|_| machine.sample()).collect()
        };
        (0..self.turns).map(turn).collect()
    }

    /// Runs two engines that take turns, each round beginning with the other, on a machine that treats both alike.
    fn run_pair(self, noise: Noise, seed: u64) -> [Vec<Vec<f64>>; 2] {
        let mut machine = Machine::new(noise, Random::new(seed), 2 * self.turns * self.samples);
        let mut pair = [Vec::new(), Vec::new()];
        for place in 0..2 * self.turns {
            let engine = (place / 2 + place) % 2;
            pair[engine].push((0..self.samples).map(|_| machine.sample()).collect());
        }
        pair
    }
}

/// The part of the runs that is so, in percent.
#[expect(clippy::cast_precision_loss, reason = "a count of runs")]
fn percent(is_so: impl Fn(u64) -> bool) -> f64 {
    (0..RUNS).filter(|&seed| is_so(seed)).count() as f64 * 100.0 / RUNS as f64
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
fn report(what: &str, figure: f64) {
    println!("{what:<64} {figure:6.2}");
}

fn coverage(layout: Layout, noise: Noise, truth: f64) -> f64 {
    let covers = |seed| {
        let MedianEstimate { interval, .. } = median_interval(&layout.run(noise, seed)).unwrap();
        interval.low <= truth && truth <= interval.high
    };
    let covered = percent(covers);
    report(&format!("coverage %, {} x {}, pause {}, {noise:?}", layout.turns, layout.samples, layout.pause), covered);
    covered
}

/// The median of a machine's rates over a long time.
fn long_median(noise: Noise) -> f64 {
    let mut machine = Machine::new(noise, Random::new(77), 200_000);
    let mut rates: Vec<f64> = (0..200_000).map(|_| machine.sample()).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates[100_000]
}

#[test]
fn the_interval_of_a_standard_run_covers_the_median_in_93_to_97_percent() {
    for layout in [STANDARD, STANDARD_SHARED] {
        for noise in [Noise::Independent, Noise::CORRELATED] {
            let covered = coverage(layout, noise, 1.0);
            assert!((93.0..=97.0).contains(&covered), "{layout:?} {noise:?}: {covered} %");
        }
    }
}

#[test]
fn the_interval_of_a_quick_run_covers_the_median_in_more_than_90_percent() {
    for layout in [QUICK, QUICK_SHARED] {
        for noise in [Noise::Independent, Noise::CORRELATED] {
            let covered = coverage(layout, noise, 1.0);
            assert!(covered >= 90.0, "{layout:?} {noise:?}: {covered} %");
        }
    }
}

#[test]
fn under_drift_and_steal_the_interval_covers_what_the_documentation_says() {
    // The drift's median is the rate halfway.
    let stolen = long_median(Noise::STOLEN);
    for layout in [STANDARD, STANDARD_SHARED] {
        for (noise, truth) in [(Noise::DRIFTING, 1.0), (Noise::STOLEN, stolen)] {
            let covered = coverage(layout, noise, truth);
            assert!(covered >= 93.0, "{layout:?} {noise:?}: {covered} %");
        }
    }
    let stolen = long_median(Noise::STOLEN_QUICK);
    for (noise, truth) in [(Noise::DRIFTING, 1.0), (Noise::STOLEN_QUICK, stolen)] {
        let covered = coverage(QUICK, noise, truth);
        assert!(covered >= 85.0, "{noise:?}: {covered} %");
    }
}

/// Judges a record against a baseline.
fn judge(baseline: &[Vec<f64>], candidate: &[Vec<f64>]) -> (Verdict, Interval) {
    let ratio = ratio_interval(&[baseline], &[candidate]).unwrap().interval;
    (verdict(&ratio, THRESHOLD), ratio)
}

/// How often two runs of the same engine are told apart, called the same, and covered by the interval, in percent.
fn apart(layout: Layout, noise: Noise) -> (f64, f64, f64) {
    let judged: Vec<(Verdict, Interval)> =
        (0..RUNS).map(|seed| judge(&layout.run(noise, seed), &layout.run(noise, seed + RUNS))).collect();
    #[expect(clippy::cast_possible_truncation, reason = "below 10,000")]
    let of = |is_so: &dyn Fn(&(Verdict, Interval)) -> bool| percent(|seed| is_so(&judged[seed as usize]));
    let told = of(&|(verdict, _)| matches!(verdict, Verdict::Faster | Verdict::Slower));
    let same = of(&|(verdict, _)| *verdict == Verdict::Same);
    let covered = of(&|(_, ratio)| ratio.low <= 1.0 && 1.0 <= ratio.high);
    report(&format!("A/A told apart %, {} x {}, {noise:?}", layout.turns, layout.samples), told);
    report("    the same %", same);
    report("    the interval covers 1 %", covered);
    (told, same, covered)
}

#[test]
fn the_same_engine_in_two_runs_is_seldom_told_apart() {
    for noise in [Noise::Independent, Noise::CORRELATED, Noise::DRIFTING, Noise::STOLEN] {
        let (told, ..) = apart(STANDARD, noise);
        assert!(told <= 2.0, "{noise:?}: {told} %");
    }
    for noise in [Noise::Independent, Noise::CORRELATED] {
        let (told, _, covered) = apart(STANDARD_SHARED, noise);
        assert!(told <= 2.0 && (93.0..=98.0).contains(&covered), "{noise:?}: {told} %, {covered} %");
    }
}

#[test]
fn the_same_engine_twice_in_one_run_is_seldom_told_apart() {
    for noise in [Noise::Independent, Noise::CORRELATED, Noise::DRIFTING, Noise::STOLEN] {
        let told = percent(|seed| {
            let [baseline, candidate] = STANDARD.run_pair(noise, seed);
            matches!(judge(&baseline, &candidate).0, Verdict::Faster | Verdict::Slower)
        });
        report(&format!("A/A in one run told apart %, {noise:?}"), told);
        assert!(told <= 2.0, "{noise:?}: {told} %");
    }
}

/// How often an engine whose rate is 5 % lower is called slower, in percent.
fn slowdown(layout: Layout, noise: Noise) -> f64 {
    let found = percent(|seed| {
        let slowed: Vec<Vec<f64>> =
            layout.run(noise, seed + RUNS).iter().map(|turn| turn.iter().map(|rate| rate * 0.95).collect()).collect();
        judge(&layout.run(noise, seed), &slowed).0 == Verdict::Slower
    });
    report(&format!("5 % slowdown called slower %, {} x {}, {noise:?}", layout.turns, layout.samples), found);
    found
}

/// The quick run is shorter than the steal lasts, so that one run of two may lie within it: see the figure.
#[test]
fn the_same_engine_in_two_quick_runs_is_seldom_told_apart_but_under_steal() {
    for noise in [Noise::Independent, Noise::CORRELATED, Noise::DRIFTING, Noise::STOLEN_QUICK] {
        let (told, ..) = apart(QUICK, noise);
        assert!(told <= if noise == Noise::STOLEN_QUICK { 15.0 } else { 2.0 }, "{noise:?}: {told} %");
    }
}

#[test]
fn a_slowdown_of_5_percent_is_called_slower() {
    let found = slowdown(STANDARD, Noise::Independent);
    assert!(found >= 95.0, "{found} %");
}

/// Normal samples further out than 3.5 deviations are rare, and few samples know their deviation badly.
#[test]
fn few_independent_samples_are_marked_as_outliers() {
    let marked = percent(|seed| !outliers(&STANDARD.run(Noise::Independent, seed)).is_empty());
    report("standard runs with a marked outlier %, Independent", marked);
    assert!(marked < 10.0, "{marked} %");
}

/// Records of one engine, each with an offset of its own, and each turn with another; both are standard deviations.
fn side(records: u64, of_records: f64, of_turns: f64, seed: u64) -> Vec<Vec<Vec<f64>>> {
    let mut random = Random::new(!seed);
    let record = |index: u64| {
        let of_record = of_records * random.normal();
        let mut turns = STANDARD.run(Noise::Independent, 8 * seed + index);
        for turn in &mut turns {
            let offset = (of_record + of_turns * random.normal()).exp();
            turn.iter_mut().for_each(|rate| *rate *= offset);
        }
        turns
    };
    (0..records).map(record).collect()
}

/// How often the interval of the ratio of two equal sides covers 1, in percent.
fn sides(records: [u64; 2], of_records: f64, of_turns: f64) -> f64 {
    let covered = percent(|seed| {
        let sides = [0, 1].map(|side_of| side(records[side_of], of_records, of_turns, 2 * seed + side_of as u64));
        let [baseline, candidate] = sides.each_ref().map(|side| side.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let ratio = ratio_interval(&baseline, &candidate).unwrap().interval;
        ratio.low <= 1.0 && 1.0 <= ratio.high
    });
    report(&format!("ratio covers 1 %, {records:?} records differ by {of_records}, turns by {of_turns}"), covered);
    covered
}

#[test]
fn the_ratio_covers_what_turns_differ_by() {
    for of_turns in [0.01, 0.02] {
        let covered = sides([1, 1], 0.0, of_turns);
        assert!((93.0..=97.0).contains(&covered), "{of_turns}: {covered} %");
    }
}

#[test]
fn the_ratio_covers_what_several_records_differ_by() {
    for records in [[2, 2], [3, 1]] {
        let covered = sides(records, 0.01, 0.0);
        assert!((93.0..=97.0).contains(&covered), "{records:?}: {covered} %");
    }
}
