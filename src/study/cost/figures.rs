//! The arithmetic: from a rate, a draw and a network to coins, energy and money.

use serde::Serialize;

use super::inputs::{CostInputs, EnergyRate, Network};
use crate::coin::history::Stretch;
use crate::interval::Interval;

pub(super) const SECONDS_PER_DAY: f64 = 86_400.0;
pub(super) const JOULES_PER_KWH: f64 = 3_600_000.0;

/// The two ends of a figure's interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What one hash per second comes to over the window, on any machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct PerHash {
    pub(super) seconds: f64,
    /// Blocks that one hash per second finds.
    pub(super) blocks: f64,
    /// Coins that reach the owner, of one hash per second.
    pub(super) coins: f64,
    /// The same without fees, pool and stale shares.
    pub(super) subsidy_coins: f64,
    /// Seconds over difficulty, of which a mean difficulty can be had.
    pub(super) seconds_by_difficulty: f64,
}

impl PerHash {
    /// Sums the whole window up.
    pub(super) fn of(inputs: &CostInputs) -> Self {
        match &inputs.network {
            Network::Point { point, days } => {
                let seconds = days * SECONDS_PER_DAY;
                let subsidy_coins = seconds / point.hashes_expected_per_coin();
                Self {
                    seconds,
                    blocks: seconds / point.hashes_expected_per_block(),
                    coins: subsidy_coins * inputs.paid_share(),
                    subsidy_coins,
                    seconds_by_difficulty: seconds / point.difficulty,
                }
            }
            Network::Window { stretches, .. } => {
                let parts = stretches.iter().map(|stretch| Self::of_stretch(inputs, stretch));
                parts.reduce(Self::plus).unwrap_or(Self {
                    seconds: 0.0,
                    blocks: 0.0,
                    coins: 0.0,
                    subsidy_coins: 0.0,
                    seconds_by_difficulty: 0.0,
                })
            }
        }
    }

    /// The part of one stretch.
    pub(super) fn of_stretch(inputs: &CostInputs, stretch: &Stretch) -> Self {
        let seconds = stretch.seconds();
        let blocks = seconds / stretch.hashes_expected_per_block();
        let subsidy_coins = blocks * stretch.subsidy_coins(inputs.network.coin());
        Self {
            seconds,
            blocks,
            coins: subsidy_coins * inputs.paid_share(),
            subsidy_coins,
            seconds_by_difficulty: seconds / stretch.difficulty,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            blocks: self.blocks + other.blocks,
            coins: self.coins + other.coins,
            subsidy_coins: self.subsidy_coins + other.subsidy_coins,
            seconds_by_difficulty: self.seconds_by_difficulty + other.seconds_by_difficulty,
        }
    }
}

/// All figures at one rate and one draw. A figure that the inputs don't determine is `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) coins: f64,
    pub(super) energy_kwh: Option<f64>,
    pub(super) energy_per_coin_kwh: Option<f64>,
    pub(super) electricity_cost: Option<f64>,
    pub(super) cost: Option<f64>,
    pub(super) cost_per_coin: Option<f64>,
    pub(super) revenue: Option<f64>,
    pub(super) profit: Option<f64>,
    pub(super) break_even_price_kwh: Option<f64>,
    pub(super) break_even_coin_price: Option<f64>,
}

impl Figures {
    /// Computes them for `rate_hps` of one machine and its draw: watts, or joules per hash.
    fn at(inputs: &CostInputs, per_hash: &PerHash, rate_hps: f64, draw: Option<f64>) -> Self {
        let count = f64::from(inputs.count);
        let power_w = draw.map(|draw| match inputs.energy {
            Some(EnergyRate::JoulesPerHash(_)) => draw * rate_hps,
            _ => draw,
        });
        let coins = per_hash.coins * rate_hps * count;
        let energy_kwh = power_w.map(|watts| watts * count * inputs.pue * per_hash.seconds / JOULES_PER_KWH);
        let electricity_cost = energy_kwh.map(|kwh| kwh * inputs.price_kwh);
        let capital_cost = inputs.capital_cost().unwrap_or(0.0);
        let cost = electricity_cost.map(|electricity| electricity + capital_cost);
        let cost_per_coin = cost.map(|cost| cost / coins);
        let revenue = inputs.coin_price.map(|price| price * coins);
        Self {
            coins,
            energy_kwh,
            energy_per_coin_kwh: energy_kwh.map(|kwh| kwh / coins),
            electricity_cost,
            cost,
            cost_per_coin,
            revenue,
            profit: revenue.zip(cost).map(|(revenue, cost)| revenue - cost),
            break_even_price_kwh: revenue.zip(energy_kwh).map(|(revenue, kwh)| (revenue - capital_cost) / kwh),
            break_even_coin_price: cost_per_coin,
        }
    }

    /// The figures at the best values, and at all four corners of the intervals of rate and draw. Each figure moves in
    /// one direction with either, so its worst and best values lie at corners.
    pub(super) fn all(inputs: &CostInputs, per_hash: &PerHash) -> (Self, [Self; 4]) {
        let rate = inputs.rate_hps;
        let draw = inputs.energy.map(|energy| match energy {
            EnergyRate::PowerW(interval) | EnergyRate::JoulesPerHash(interval) => interval,
        });
        let at = |rate_hps, end: fn(Interval) -> f64| Self::at(inputs, per_hash, rate_hps, draw.map(end));
        let corners = [
            at(rate.low, |draw| draw.low),
            at(rate.low, |draw| draw.high),
            at(rate.high, |draw| draw.low),
            at(rate.high, |draw| draw.high),
        ];
        (at(rate.value, |draw| draw.value), corners)
    }
}

/// The interval of a figure from its values at the corners. `None` where the figure isn't determined.
pub(super) fn range(corners: &[Figures; 4], figure: impl Fn(&Figures) -> Option<f64>) -> Option<Range> {
    let values: Option<Vec<f64>> = corners.iter().map(figure).collect();
    let values = values?;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Range { low, high })
}

/// The smallest number of blocks that is reached or undercut with probability `p`, where `expected` come on average.
pub(super) fn poisson_quantile(expected: f64, p: f64, normal_deviate: f64) -> f64 {
    // From here on the normal approximation with its first correction is off by less than one block.
    if expected > 500.0 {
        let approximate = expected + normal_deviate * expected.sqrt() + (normal_deviate * normal_deviate - 1.0) / 6.0;
        return approximate.floor().max(0.0);
    }
    let (mut blocks, mut chance) = (0.0, (-expected).exp());
    let mut sum = chance;
    while sum < p {
        blocks += 1.0;
        chance *= expected / blocks;
        sum += chance;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_poisson_are_those_of_tables() {
        for (expected, low, high) in [(0.01, 0.0, 0.0), (1.0, 0.0, 3.0), (3.0, 1.0, 6.0), (10.0, 5.0, 15.0)] {
            assert_eq!(poisson_quantile(expected, 0.05, -1.645), low, "{expected}");
            assert_eq!(poisson_quantile(expected, 0.95, 1.645), high, "{expected}");
        }
        // Both ways agree where one takes over from the other.
        for (p, deviate) in [(0.05, -1.645), (0.95, 1.645)] {
            let (below, above) = (poisson_quantile(500.0, p, deviate), poisson_quantile(500.001, p, deviate));
            assert!((below - above).abs() <= 1.0, "{below}, {above}");
        }
    }
}
