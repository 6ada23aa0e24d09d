//! What a fleet comes to over a window, stretch by stretch: coins, energy, money, and the prices at which it breaks
//! even.

use serde::Serialize;

use super::cost::{Capital, Range};
use super::epochs::Epochs;
use super::fleet::{Draw, Fleet};
use super::inputs::{Economics, Input};
use crate::coin::history::SECONDS_PER_DAY;

const JOULES_PER_KWH: f64 = 3_600_000.0;

/// Above any price for which a break-even point is looked for, and below any but zero.
const PRICE_ENDS: (f64, f64) = (1e-12, 1e15);

/// All that determines an outcome, but for the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Rate and power of all machines.
    pub draw: Draw,
    /// How many machines there are.
    pub machines: f64,
    /// The price of electricity per kWh.
    pub price_kwh: f64,
    /// The price of a coin, where it is known.
    pub coin_price: Option<f64>,
    /// What the site draws for each watt of the machines, times the part of the time in which they run.
    pub site_factor: f64,
    /// The part of the time in which machines run.
    pub uptime: f64,
    /// The part of a block's subsidy that reaches the owner.
    pub paid_share: f64,
    /// The part of the work that comes too late.
    pub stale: f64,
    /// By how much the difficulty is higher than the network's figures say.
    pub difficulty_factor: f64,
    /// What all machines cost, where it is known.
    pub purchase: Option<f64>,
    /// The part of that which counts for the window: all of it, or what their life leaves of it.
    pub capital: f64,
    /// What the site costs, however many machines it holds.
    pub fixed_cost: f64,
    /// Whether machines are switched off while their electricity costs more than it earns.
    pub switch_off: bool,
}

impl Terms {
    /// Puts a fleet and the figures of a case together, over so many days.
    pub fn new(fleet: &Fleet, draw: Draw, economics: &Economics, days: f64) -> Self {
        let value = |input| economics.value(input);
        let said = |input| economics.get(input).map(|figure| figure.value);
        let purchase = fleet.purchase(said(Input::Capex));
        let capital = match (purchase, said(Input::LifeYears)) {
            (Some(price), Some(life_years)) => {
                Capital { price, life_years, discount: value(Input::Discount) }.per_day() * days
            }
            (Some(price), None) => price,
            (None, _) => 0.0,
        };
        let (rate, power) = (value(Input::Rate), value(Input::Power));
        Self {
            draw: Draw { rate_hps: draw.rate_hps * rate, power_w: draw.power_w.map(|watts| watts * power) },
            machines: fleet.machines(),
            price_kwh: value(Input::PriceKwh),
            coin_price: said(Input::CoinPrice),
            site_factor: value(Input::Pue) * value(Input::Uptime),
            uptime: value(Input::Uptime),
            paid_share: (1.0 + value(Input::Fees)) * (1.0 - value(Input::PoolFee)) * (1.0 - value(Input::Stale)),
            stale: value(Input::Stale),
            difficulty_factor: 1.0,
            purchase,
            capital,
            fixed_cost: value(Input::FixedCost),
            switch_off: economics.switch_off,
        }
    }

    /// Returns the coins that reach the owner in each stretch, while machines run.
    pub(super) fn coins<'a>(&'a self, epochs: &'a Epochs) -> impl Iterator<Item = f64> + 'a {
        let factor = self.draw.rate_hps * self.uptime * self.paid_share / self.difficulty_factor;
        epochs.coins_per_hps.iter().map(move |coins| coins * factor)
    }

    /// Returns the energy in kWh of each stretch, while machines run. Absent without a power.
    pub(super) fn energy_kwh(&self, epochs: &Epochs) -> Option<Vec<f64>> {
        let kw = self.draw.power_w? * self.site_factor / JOULES_PER_KWH;
        Some(epochs.seconds.iter().map(|seconds| seconds * kw).collect())
    }

    /// Returns what coins sell for, less the electricity for them.
    fn margin(&self, coins: f64, kwh: Option<f64>) -> Option<f64> {
        self.coin_price.zip(kwh).map(|(price, kwh)| price * coins - self.price_kwh * kwh)
    }

    /// Tells whether machines run while they would bring these coins for this energy.
    fn runs(&self, coins: f64, kwh: Option<f64>) -> bool {
        !(self.switch_off && self.margin(coins, kwh).is_some_and(|margin| margin < 0.0))
    }

    /// Returns the coins of each stretch, none where machines are switched off.
    pub(super) fn coins_earned(&self, epochs: &Epochs) -> Vec<f64> {
        let energy = self.energy_kwh(epochs);
        let kwh = |index: usize| energy.as_ref().map(|energy| energy[index]);
        let earned = |(index, coins): (usize, f64)| if self.runs(coins, kwh(index)) { coins } else { 0.0 };
        self.coins(epochs).enumerate().map(earned).collect()
    }

    /// Computes the outcome.
    pub fn outcome(&self, epochs: &Epochs) -> Outcome {
        let energy = self.energy_kwh(epochs);
        let mut sums = Outcome::default();
        let (mut earned, mut passed_s, mut running_s) = (0.0, 0.0, 0.0);
        let whole_s: f64 = epochs.seconds.iter().sum();
        let to_return = self.purchase.map(|purchase| purchase + self.fixed_cost);
        for (index, coins) in self.coins(epochs).enumerate() {
            let kwh = energy.as_ref().map(|energy| energy[index]);
            let seconds = epochs.seconds[index];
            let margin = self.margin(coins, kwh);
            if self.runs(coins, kwh) {
                sums.coins += coins;
                sums.expected_blocks +=
                    epochs.blocks_per_hps[index] * self.draw.rate_hps * self.uptime * (1.0 - self.stale)
                        / self.difficulty_factor;
                sums.energy_kwh = Some(sums.energy_kwh.unwrap_or(0.0) + kwh.unwrap_or(0.0));
                running_s += seconds;
                if let (Some(margin), Some(goal)) = (margin, to_return) {
                    if sums.payback_days.is_none() && margin > 0.0 && earned + margin >= goal {
                        sums.payback_days = Some((passed_s + seconds * (goal - earned) / margin) / SECONDS_PER_DAY);
                    }
                    earned += margin;
                }
            }
            passed_s += seconds;
        }
        sums.running = if whole_s > 0.0 { running_s / whole_s } else { 0.0 };
        if energy.is_none() {
            sums.energy_kwh = None;
        } else {
            sums.energy_kwh = Some(sums.energy_kwh.unwrap_or(0.0));
        }
        self.money(sums)
    }

    /// Adds the figures of money to those of coins and energy.
    fn money(&self, sums: Outcome) -> Outcome {
        let electricity = sums.energy_kwh.map(|kwh| kwh * self.price_kwh);
        let beside = self.capital + self.fixed_cost;
        let cost = electricity.map(|electricity| electricity + beside);
        let revenue = self.coin_price.map(|price| price * sums.coins);
        let per_coin = |amount: Option<f64>| amount.map(|amount| amount / sums.coins).filter(|each| each.is_finite());
        Outcome {
            electricity_cost: electricity,
            capital_cost: self.purchase.map(|_| self.capital),
            cost,
            revenue,
            profit: revenue.zip(cost).map(|(revenue, cost)| revenue - cost),
            energy_per_coin_kwh: per_coin(sums.energy_kwh),
            cost_per_coin: per_coin(cost),
            ..sums
        }
    }

    fn profit(&self, epochs: &Epochs) -> Option<f64> {
        self.outcome(epochs).profit
    }

    /// Finds the prices and sizes at which the profit is zero, one at a time.
    pub fn break_even(&self, epochs: &Epochs) -> BreakEven {
        let outcome = self.outcome(epochs);
        let beside = self.capital + self.fixed_cost;
        let none_below_zero = |value: &f64| *value >= 0.0 && value.is_finite();
        let (revenue, kwh) = (outcome.revenue, outcome.energy_kwh);
        let price_kwh = if self.switch_off {
            self.root(epochs, |terms, price| terms.price_kwh = price)
        } else {
            revenue.zip(kwh).map(|(revenue, kwh)| (revenue - beside) / kwh).filter(none_below_zero)
        };
        let coin_price = if self.switch_off {
            outcome.cost.and_then(|_| self.root(epochs, |terms, price| terms.coin_price = Some(price)))
        } else {
            outcome.cost.map(|cost| cost / outcome.coins).filter(none_below_zero)
        };
        let capex = revenue
            .zip(outcome.electricity_cost)
            .filter(|_| self.machines > 0.0)
            .map(|(revenue, electricity)| (revenue - electricity - self.fixed_cost) / self.machines)
            .filter(none_below_zero);
        // Each machine brings the same, and the site has to be paid once.
        let each = revenue.zip(outcome.cost).map(|(revenue, cost)| (revenue - cost + self.fixed_cost) / self.machines);
        let machines =
            each.filter(|each| *each > 0.0 && self.fixed_cost > 0.0).map(|each| (self.fixed_cost / each).ceil());
        let energy_j_per_hash = price_kwh
            .filter(|_| self.price_kwh > 0.0)
            .zip(self.draw.power_w)
            .map(|(price, watts)| watts / self.draw.rate_hps * price / self.price_kwh);
        BreakEven {
            price_kwh,
            coin_price,
            capex,
            machines,
            energy_j_per_hash: energy_j_per_hash.filter(|_| !self.switch_off),
        }
    }

    /// Finds the price at which the profit changes its sign, by halving the range of its logarithm.
    fn root(&self, epochs: &Epochs, set: impl Fn(&mut Self, f64)) -> Option<f64> {
        let profit = |price: f64| {
            let mut terms = self.clone();
            set(&mut terms, price);
            terms.profit(epochs)
        };
        let (mut low, mut high) = PRICE_ENDS;
        let is_low_positive = profit(low)? > 0.0;
        if is_low_positive == (profit(high)? > 0.0) {
            return None;
        }
        // Each step halves the logarithm's range: after 80 of them a float has no digits left to tell apart.
        for _ in 0..80 {
            let middle = (low * high).sqrt();
            if (profit(middle)? > 0.0) == is_low_positive { low = middle } else { high = middle }
        }
        Some((low * high).sqrt())
    }
}

/// What comes out. A figure that the inputs don't determine is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Expected coins that reach the owner.
    pub coins: f64,
    /// Blocks that the machines can expect to find, whoever is paid for them.
    pub expected_blocks: f64,
    /// The part of the window in which machines run.
    pub running: f64,
    /// Energy of the site, in kWh.
    pub energy_kwh: Option<f64>,
    /// Cost of the electricity.
    pub electricity_cost: Option<f64>,
    /// What counts of the price of the machines.
    pub capital_cost: Option<f64>,
    /// All costs.
    pub cost: Option<f64>,
    /// What the coins sell for.
    pub revenue: Option<f64>,
    /// Revenue less cost.
    pub profit: Option<f64>,
    /// Energy per coin, in kWh.
    pub energy_per_coin_kwh: Option<f64>,
    /// Cost per coin.
    pub cost_per_coin: Option<f64>,
    /// Days until the machines have earned back their price and that of the site; absent where they don't within the
    /// window.
    pub payback_days: Option<f64>,
}

/// Where the profit is zero, each with all other figures as they are. Absent where there is no such point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct BreakEven {
    /// The price of a kWh.
    pub price_kwh: Option<f64>,
    /// The price of a coin.
    pub coin_price: Option<f64>,
    /// The most that one machine may cost, all of it charged to the window.
    pub capex: Option<f64>,
    /// From how many machines on the fixed cost is paid for.
    pub machines: Option<f64>,
    /// The most joules for a hash.
    pub energy_j_per_hash: Option<f64>,
}

/// Intervals of figures: their least and greatest values at the corners of the intervals of rate and draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Intervals {
    /// Of the coins.
    pub coins: Range,
    /// Of the energy.
    pub energy_kwh: Option<Range>,
    /// Of the energy per coin.
    pub energy_per_coin_kwh: Option<Range>,
    /// Of the cost per coin.
    pub cost_per_coin: Option<Range>,
    /// Of the profit.
    pub profit: Option<Range>,
}

impl Intervals {
    /// Takes them from the outcomes at all corners.
    pub fn of(corners: &[Outcome]) -> Self {
        let of = |figure: fn(&Outcome) -> Option<f64>| {
            let values: Option<Vec<f64>> = corners.iter().map(figure).collect();
            values.map(|values| {
                let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
                Range {
                    low: values.iter().copied().fold(low, f64::min),
                    high: values.iter().copied().fold(high, f64::max),
                }
            })
        };
        Self {
            coins: of(|outcome| Some(outcome.coins)).unwrap_or(Range { low: 0.0, high: 0.0 }),
            energy_kwh: of(|outcome| outcome.energy_kwh),
            energy_per_coin_kwh: of(|outcome| outcome.energy_per_coin_kwh),
            cost_per_coin: of(|outcome| outcome.cost_per_coin),
            profit: of(|outcome| outcome.profit),
        }
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
