//! Paths of difficulty, price and luck, and what they come to together.
//!
//! Each path has its own numbers, found by counting, so that the same seed gives the same figures on any machine and on
//! any number of threads.

mod paths;
mod tables;

use std::num::NonZero;
use std::thread;

use serde::Serialize;

use self::paths::{Course, Drawn, PathResult, Step};
use self::tables::{factors, normal, spread};
use super::epochs::Epochs;
use super::inputs::{Economics, Input};
use super::outcome::Terms;
use super::plan::{Difficulty, Luck, Model};
use crate::coin::history::SECONDS_PER_YEAR;
use crate::interval::Interval;

pub use self::tables::normal_quantile;

/// More blocks than this are not counted one by one: their number varies by less than one in a thousand.
const BLOCKS_MAX: f64 = 1e6;

/// Half the width of an interval of 95 %, in standard deviations.
const DEVIATIONS_95: f64 = 1.959_963_984_540_054;

/// How results of paths spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// The mean.
    pub mean: f64,
    /// One path in twenty lies below.
    pub p5: f64,
    /// One in four.
    pub p25: f64,
    /// Half of them.
    pub p50: f64,
    /// Three in four.
    pub p75: f64,
    /// Nineteen in twenty.
    pub p95: f64,
}

/// What the paths of a case came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulated {
    /// How many paths.
    pub paths: u32,
    /// What they were drawn by.
    pub seed: u64,
    /// Coins that reached the owner.
    pub coins: Percentiles,
    /// The part of the paths on which any coin did.
    pub p_any_coin: f64,
    /// Revenue less all costs, where they are known.
    pub profit: Option<Percentiles>,
    /// The part of the paths on which the profit was above zero.
    pub p_profit: Option<f64>,
    /// The price of a coin at the end, where it walked or was drawn.
    pub end_price: Option<Percentiles>,
    /// The difficulty at the end as a factor of the assumed one, where it walked or its growth was drawn.
    pub end_difficulty: Option<Percentiles>,
}

/// The intervals of a fleet's rate and power, as parts of their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Half the width of the rate's interval.
    pub rate: f64,
    /// Half the width of the power's.
    pub power: f64,
}

/// Simulates the paths of one case, on as many threads as there are processors, or on so many as are said.
pub fn simulate(
    model: &Model,
    epochs: &Epochs,
    terms: &Terms,
    economics: &Economics,
    measured: Measured,
    threads: Option<usize>,
) -> Simulated {
    let course = course(model, epochs, terms, economics, measured);
    let results = follow(&course, model.paths, threads);
    let of = |figure: fn(&PathResult) -> f64| percentiles(results.iter().map(figure).collect());
    let beside = terms.capital + terms.fixed_cost;
    let is_determined = terms.coin_price.is_some() && terms.draw.power_w.is_some();
    let part = |is: &dyn Fn(&PathResult) -> bool| {
        results.iter().filter(|result| is(result)).count() as f64 / f64::from(model.paths)
    };
    let has_prices =
        course.price.is_some() && (!course.prices.is_empty() || matches!(course.price, Some(Drawn::From(_))));
    let walks = course.difficulties.is_some() || course.together.is_some() || course.growth.is_some();
    let changes: u32 = course.steps.iter().map(|step| step.changes).sum();
    Simulated {
        paths: model.paths,
        seed: model.seed,
        coins: of(|result| result.coins),
        p_any_coin: part(&|result| result.coins > 0.0),
        profit: is_determined.then(|| {
            let Percentiles { mean, p5, p25, p50, p75, p95 } = of(|result| result.margin);
            let less = |value: f64| value - beside;
            Percentiles {
                mean: less(mean),
                p5: less(p5),
                p25: less(p25),
                p50: less(p50),
                p75: less(p75),
                p95: less(p95),
            }
        }),
        p_profit: is_determined.then(|| part(&|result| result.margin > beside)),
        end_price: has_prices.then(|| of(|result| result.price)),
        end_difficulty: (walks && changes > 0).then(|| of(|result| result.difficulty)),
    }
}

fn course(model: &Model, epochs: &Epochs, terms: &Terms, economics: &Economics, measured: Measured) -> Course {
    let normal = normal();
    let (price_tables, price_of) = price_steps(model, epochs, terms, &normal);
    let (difficulties, together) = match &model.difficulty {
        Difficulty::AsAssumed => (None, None),
        Difficulty::Walk(deviation) => {
            let alone = deviation * (1.0 - model.correlation * model.correlation).sqrt();
            let shared = deviation * model.correlation;
            (Some(factors(&normal, -alone, 0.0)), (shared != 0.0).then(|| factors(&normal, -shared, 0.0)))
        }
        Difficulty::Resampled { deviations, .. } => (Some(factors(&spread(deviations), -1.0, 0.0)), None),
    };
    let around = |half: f64| (model.measurement && half > 0.0).then(|| factors_around(&normal, half));
    let whose = match model.luck {
        Luck::None => None,
        Luck::Solo => Some(terms.draw.rate_hps * terms.uptime),
        Luck::Pool(rate_hps) => Some(rate_hps.max(terms.draw.rate_hps * terms.uptime)),
    };
    let blocks_per_hps: f64 = epochs.blocks_per_hps.iter().sum();
    let whose = whose.filter(|rate| rate * blocks_per_hps < BLOCKS_MAX);
    Course {
        seed: model.seed,
        steps: steps(epochs, terms, whose, &price_of),
        prices: price_tables,
        difficulties,
        together,
        price: economics.get(Input::CoinPrice).map(|price| drawn(price, true)),
        growth: economics.get(Input::Growth).and_then(growth),
        rate: around(measured.rate),
        power: around(measured.power),
        has_luck: whose.is_some(),
        switch_off: terms.switch_off && terms.draw.power_w.is_some() && terms.coin_price.is_some(),
    }
}

fn steps(epochs: &Epochs, terms: &Terms, finder_hps: Option<f64>, price_of: &[Option<usize>]) -> Vec<Step> {
    let energy = terms.energy_kwh(epochs);
    let of = |(index, coins): (usize, f64)| {
        // What comes too late finds no block that counts, whoever finds it.
        let finder = finder_hps.unwrap_or(0.0) * (1.0 - terms.stale) / terms.difficulty_factor;
        let blocks = epochs.blocks_per_hps[index] * finder;
        Step {
            coins,
            electricity: energy.as_ref().map_or(0.0, |energy| energy[index] * terms.price_kwh),
            blocks,
            coins_per_block: if blocks > 0.0 { coins / blocks } else { 0.0 },
            price: price_of[index],
            changes: epochs.steps[index],
        }
    };
    terms.coins(epochs).enumerate().map(of).collect()
}

/// Returns tables of the price's factors, and for each stretch which of them brings its price: from the middle of one
/// stretch to that of the next.
fn price_steps(model: &Model, epochs: &Epochs, terms: &Terms, normal: &[f64]) -> (Vec<Vec<f64>>, Vec<Option<usize>>) {
    let walk = model.price;
    let stays = walk.volatility == 0.0 && walk.drift == 0.0;
    if stays || terms.coin_price.is_none() {
        return (Vec::new(), vec![None; epochs.len()]);
    }
    let drift = libm::log1p(walk.drift);
    let (mut lengths, mut tables, mut places): (Vec<f64>, Vec<Vec<f64>>, Vec<_>) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = 0.0;
    for seconds in &epochs.seconds {
        let length = f64::midpoint(before, *seconds);
        before = *seconds;
        let place = lengths.iter().position(|known| *known == length).unwrap_or_else(|| {
            let years = length / SECONDS_PER_YEAR;
            lengths.push(length);
            tables.push(factors(normal, walk.volatility * years.sqrt(), drift * years));
            tables.len() - 1
        });
        places.push(Some(place));
    }
    (tables, places)
}

/// Returns equally probable factors around 1, normal and never below a hundredth.
fn factors_around(normal: &[f64], half_width: f64) -> Vec<f64> {
    normal.iter().map(|value| (1.0 + half_width / DEVIATIONS_95 * value).max(0.01)).collect()
}

/// Draws a figure from its range: evenly, or evenly in its logarithm where both ends are above zero and that is asked.
fn drawn(range: Interval, by_logarithm: bool) -> Drawn {
    if range.low == range.high {
        return Drawn::Certain(range.value);
    }
    let part = |index: usize| (index as f64 + 0.5) / tables::ENTRIES as f64;
    let value = |index: usize| {
        if by_logarithm && range.low > 0.0 {
            let (low, high) = (libm::log(range.low), libm::log(range.high));
            libm::exp(low + (high - low) * part(index))
        } else {
            range.low + (range.high - range.low) * part(index)
        }
    };
    Drawn::From((0..tables::ENTRIES).map(value).collect())
}

/// Returns the inverse of each growth of a range, beside the one that is assumed.
fn growth(range: Interval) -> Option<Vec<f64>> {
    match drawn(range, false) {
        Drawn::Certain(_) => None,
        Drawn::From(growths) => Some(growths.iter().map(|growth| (1.0 + range.value) / (1.0 + growth)).collect()),
    }
}

fn follow(course: &Course, paths: u32, threads: Option<usize>) -> Vec<PathResult> {
    let mut results = vec![PathResult::default(); paths as usize];
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get)).max(1);
    let share = results.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        for (index, part) in results.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (path, result) in part.iter_mut().enumerate() {
                    *result = course.follow((index * share + path) as u64);
                }
            });
        }
    });
    results
}

/// Returns how values spread. The mean is that of a sum in the order of the paths.
fn percentiles(mut values: Vec<f64>) -> Percentiles {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let mut rank_from = 0;
    let mut at = |part: f64| {
        let rank = ((values.len() - 1) as f64 * part).round() as usize;
        // What lies before the last rank is in its place already.
        let (_, value, _) = values[rank_from..].select_nth_unstable_by(rank - rank_from, f64::total_cmp);
        rank_from = rank;
        *value
    };
    let (p5, p25, p50, p75, p95) = (at(0.05), at(0.25), at(0.5), at(0.75), at(0.95));
    Percentiles { mean, p5, p25, p50, p75, p95 }
}

#[cfg(test)]
mod simulation_tests;
