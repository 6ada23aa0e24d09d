//! What a cost says, as JSON has it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::Range;
use crate::coin::Coin;
use crate::interval::Interval;

/// The inputs as they stand in the result, so that it can be read alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputFigures {
    /// The coin.
    pub coin: Coin,
    /// What the rate is a rate of.
    pub algorithm: String,
    /// The machine, where it has a name.
    pub machine: Option<String>,
    /// Hashes per second of one machine.
    pub rate_hps: Interval,
    /// Watts of one machine, if that is how its draw was given.
    pub power_w: Option<Interval>,
    /// Joules for each hash, if that is how its draw was given.
    pub energy_j_per_hash: Option<Interval>,
    /// How many such machines compute.
    pub count: u32,
    /// Difficulty in the coin's own unit; over a window the constant one that would give as many blocks.
    pub difficulty: f64,
    /// Block height, where one is known; over a window that of its start.
    pub height: Option<u64>,
    /// What a block pays without fees, in coins; over a window on average.
    pub subsidy: f64,
    /// The day of the network's figures (UTC, `YYYY-MM-DD`), where one is known.
    pub network_as_of: Option<String>,
    /// Where the network's figures come from.
    pub network_source: String,
    /// The window's first day (UTC), where there is a window.
    pub from: Option<String>,
    /// The window's last day (UTC), where there is a window.
    pub to: Option<String>,
    /// Price of electricity per kWh, in `currency`.
    pub price_kwh: f64,
    /// The currency of all prices.
    pub currency: String,
    /// Price of one coin, in `currency`.
    pub coin_price: Option<f64>,
    /// Length of the window in days.
    pub window_days: f64,
    /// Power usage effectiveness: what the site draws for each watt of the machines.
    pub pue: f64,
    /// What the pool keeps, as a fraction.
    pub pool_fee: f64,
    /// The part of the work that comes too late, as a fraction.
    pub stale: f64,
    /// The fees of a block as a fraction of its subsidy.
    pub fees: f64,
    /// From how many coins on the pool pays out.
    pub payout_threshold: Option<f64>,
    /// The price of one machine.
    pub capex: Option<f64>,
    /// How many years it serves.
    pub life_years: Option<f64>,
    /// The yearly discount rate, as a fraction.
    pub discount: Option<f64>,
}

/// Coins that the fleet can expect over the window. `low` and `high` are the measurement's interval, not luck.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coins {
    /// At the best value of the rate.
    pub mean: f64,
    /// At the rate's lower end.
    pub low: f64,
    /// At the rate's upper end.
    pub high: f64,
}

/// The luck of a fleet that mines alone: blocks come as a Poisson process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Solo {
    /// Expected blocks over the window.
    pub expected_blocks: f64,
    /// Probability of at least one block over the window, 0 to 1.
    pub p_any: f64,
    /// Days until the first block is as likely found as not, at the window's mean pace.
    pub median_days: f64,
    /// So many blocks or fewer come with a chance of 5 %.
    pub blocks_p5: f64,
    /// So many blocks or fewer come with a chance of 95 %.
    pub blocks_p95: f64,
}

/// When a pool pays out. Coins below the threshold are delayed, not lost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Payout {
    /// From how many coins on it pays.
    pub threshold: f64,
    /// Days until then, at the window's mean pace.
    pub days: f64,
    /// Payouts that can be expected over the window.
    pub count: f64,
}

/// The intervals of figures, from those of rate and energy at their worst together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Intervals {
    /// Of the energy over the window.
    pub energy_kwh: Option<Range>,
    /// Of the energy per coin, in kWh.
    pub energy_per_coin_kwh: Option<Range>,
    /// Of the cost over the window.
    pub cost: Option<Range>,
    /// Of the cost per coin.
    pub cost_per_coin: Option<Range>,
    /// Of the revenue.
    pub revenue: Option<Range>,
    /// Of the profit.
    pub profit: Option<Range>,
    /// Of the price of a kWh at which the profit is zero.
    pub break_even_price_kwh: Option<Range>,
    /// Of the price of a coin at which the profit is zero.
    pub break_even_coin_price: Option<Range>,
}

/// The part of a window over which difficulty and subsidy stay the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochCost {
    /// Its first block; estimated where the window begins within an epoch.
    pub height: u64,
    /// When it starts (UTC).
    pub from: String,
    /// When it ends (UTC).
    pub to: String,
    /// How long it is.
    pub days: f64,
    /// Difficulty in the coin's own unit.
    pub difficulty: f64,
    /// Expected hashes for a block.
    pub expected_hashes: f64,
    /// What a block pays without fees, in coins.
    pub subsidy: f64,
    /// Expected coins.
    pub coins: f64,
    /// Energy in kWh.
    pub energy_kwh: Option<f64>,
    /// Cost of the electricity.
    pub electricity_cost: Option<f64>,
    /// Cost of the electricity per coin.
    pub electricity_per_coin: Option<f64>,
    /// `known`, `assumed` (growth past the data) or `given` (by the user).
    pub basis: &'static str,
}

/// Coins, energy and money of the whole fleet over the window. A figure that the inputs don't determine is `None`.
///
/// Coins are those that reach the owner: with fees on top, less what the pool keeps and what comes too late. Energy is
/// that of the site, with its power usage effectiveness. Cost is that of electricity, and of the machines where their
/// price is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// What went in.
    pub inputs: InputFigures,
    /// Expected coins over the window.
    pub coins: Coins,
    /// Expected coins per day.
    pub coins_per_day: f64,
    /// Expected hashes for one coin, on any machine.
    pub hashes_expected_per_coin: f64,
    /// Energy over the window, in kWh.
    pub energy_kwh: Option<f64>,
    /// Energy per coin, in kWh.
    pub energy_per_coin_kwh: Option<f64>,
    /// The interval of the energy per coin, in kWh, from those of rate and energy.
    pub energy_per_coin_kwh_interval: Option<Range>,
    /// Energy per coin for each watt that the whole fleet draws, in kWh: known even where the power isn't.
    pub energy_per_coin_kwh_per_w: f64,
    /// Energy per coin, in joules.
    pub energy_per_coin_j: Option<f64>,
    /// Cost of the electricity over the window.
    pub electricity_cost: Option<f64>,
    /// Cost of the machines over the window, by the capital recovery factor.
    pub capital_cost: Option<f64>,
    /// Cost over the window.
    pub cost: Option<f64>,
    /// Cost per coin.
    pub cost_per_coin: Option<f64>,
    /// Cost of the electricity per coin for each watt that the whole fleet draws: known even where the power isn't.
    pub cost_per_coin_per_w: f64,
    /// What the window's coins sell for.
    pub revenue: Option<f64>,
    /// Revenue less cost.
    pub profit: Option<f64>,
    /// The price of a kWh at which the profit is zero.
    pub break_even_price_kwh: Option<f64>,
    /// The price of a coin at which the profit is zero.
    pub break_even_coin_price: Option<f64>,
    /// The luck of mining alone.
    pub solo: Solo,
    /// When the pool pays out.
    pub payout: Option<Payout>,
    /// What the uncertainty of rate and energy leaves open.
    pub intervals: Intervals,
    /// Why a figure is absent, by its name.
    pub absent: BTreeMap<&'static str, String>,
    /// What a reader has to know of these figures.
    pub notes: Vec<String>,
    /// The parts of a window: none while there is one difficulty without dates.
    pub epochs: Vec<EpochCost>,
}
