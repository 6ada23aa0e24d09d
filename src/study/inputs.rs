//! The figures that a study varies, and what they are where nobody says them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cost::DEFAULT_PRICE_KWH;
use crate::interval::Interval;

/// A figure that a study can vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The price of electricity per kWh.
    PriceKwh,
    /// The price of a coin.
    CoinPrice,
    /// What the site draws for each watt of the machines.
    Pue,
    /// What the pool keeps, a part.
    PoolFee,
    /// The part of the work that comes too late.
    Stale,
    /// Fees of transactions, as a part of the subsidy.
    Fees,
    /// The part of the time in which machines run.
    Uptime,
    /// The price of one machine.
    Capex,
    /// How many years a machine serves.
    LifeYears,
    /// The yearly discount rate.
    Discount,
    /// What the site costs over the window, however many machines it holds.
    FixedCost,
    /// How the difficulty grows past the data, as a fraction per epoch.
    Growth,
    /// The difficulty; in place of the history's, or as a factor of it where a sensitivity varies it.
    Difficulty,
    /// A factor of the rates.
    Rate,
    /// A factor of the powers.
    Power,
}

impl Input {
    /// Returns its key in a study file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PriceKwh => "price_kwh",
            Self::CoinPrice => "coin_price",
            Self::Pue => "pue",
            Self::PoolFee => "pool_fee",
            Self::Stale => "stale",
            Self::Fees => "fees",
            Self::Uptime => "uptime",
            Self::Capex => "capex",
            Self::LifeYears => "life_years",
            Self::Discount => "discount",
            Self::FixedCost => "fixed_cost",
            Self::Growth => "growth",
            Self::Difficulty => "difficulty",
            Self::Rate => "rate",
            Self::Power => "power",
        }
    }

    /// Returns what it is where nobody says it; none where there is no such figure.
    pub const fn default_value(self) -> Option<f64> {
        match self {
            Self::PriceKwh => Some(DEFAULT_PRICE_KWH),
            Self::Pue | Self::Uptime | Self::Rate | Self::Power => Some(1.0),
            Self::PoolFee | Self::Stale | Self::Fees | Self::Discount | Self::FixedCost => Some(0.0),
            Self::CoinPrice | Self::Capex | Self::LifeYears | Self::Growth | Self::Difficulty => None,
        }
    }
}

/// Figures as one table of a study file says them, each alone or as a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// What is said, by what it is.
    pub lists: BTreeMap<Input, Vec<Interval>>,
    /// Whether machines are switched off while their electricity costs more than it earns.
    pub switch_off: Option<bool>,
}

impl Inputs {
    /// Takes those that are said.
    pub fn new(lists: impl IntoIterator<Item = (Input, Option<Vec<Interval>>)>, switch_off: Option<bool>) -> Self {
        let said = lists.into_iter().filter_map(|(input, list)| Some((input, list?)));
        Self { lists: said.collect(), switch_off }
    }

    /// Returns these figures, and those of another table where these don't say any.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        let mut lists = below.lists.clone();
        lists.extend(self.lists.iter().map(|(input, list)| (*input, list.clone())));
        // A difficulty that is given leaves nothing to grow, and the other way around.
        for (one, other) in [(Input::Growth, Input::Difficulty), (Input::Difficulty, Input::Growth)] {
            if self.lists.contains_key(&one) && !self.lists.contains_key(&other) {
                lists.remove(&other);
            }
        }
        Self { lists, switch_off: self.switch_off.or(below.switch_off) }
    }

    /// Returns each combination of figures, in the order of the lists; the last list changes fastest.
    pub fn combinations(&self) -> Vec<Economics> {
        let mut all = vec![Economics {
            figures: BTreeMap::new(),
            switch_off: self.switch_off.unwrap_or(false),
            varied: Vec::new(),
        }];
        for (input, list) in &self.lists {
            all = all
                .iter()
                .flat_map(|economics| list.iter().map(|figure| economics.with(*input, *figure, list.len() > 1)))
                .collect();
        }
        all
    }
}

/// The figures of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Economics {
    figures: BTreeMap<Input, Interval>,
    /// Whether machines are switched off while their electricity costs more than it earns.
    pub switch_off: bool,
    /// Which of them differ from case to case, because they stand in a list.
    pub varied: Vec<Input>,
}

impl Economics {
    fn with(&self, input: Input, figure: Interval, is_varied: bool) -> Self {
        let mut new = self.clone();
        new.figures.insert(input, figure);
        new.varied.extend(is_varied.then_some(input));
        new
    }

    /// Returns the same figures, but for one.
    #[must_use]
    pub fn replaced(&self, input: Input, value: f64) -> Self {
        self.with(input, Interval::exact(value), false)
    }

    /// Returns a figure with its range, if it is said or has a default.
    pub fn get(&self, input: Input) -> Option<Interval> {
        self.figures.get(&input).copied().or_else(|| input.default_value().map(Interval::exact))
    }

    /// Returns the value of a figure that has a default.
    pub fn value(&self, input: Input) -> f64 {
        self.get(input).map_or(0.0, |figure| figure.value)
    }

    /// Returns all figures that somebody said.
    pub fn said(&self) -> impl Iterator<Item = (Input, Interval)> + '_ {
        self.figures.iter().map(|(input, figure)| (*input, *figure))
    }

    /// Tells whether somebody said it.
    pub fn is_said(&self, input: Input) -> bool {
        self.figures.contains_key(&input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(lists: &[(Input, &[f64])]) -> Inputs {
        let exact = |list: &[f64]| Some(list.iter().map(|value| Interval::exact(*value)).collect());
        Inputs::new(lists.iter().map(|(input, list)| (*input, exact(list))), None)
    }

    #[test]
    fn what_is_said_later_goes_first_and_lists_combine() {
        let top = inputs(&[(Input::PriceKwh, &[0.05]), (Input::CoinPrice, &[1.0, 2.0]), (Input::Growth, &[0.1])]);
        let scenario = Inputs {
            switch_off: Some(true),
            ..inputs(&[(Input::PriceKwh, &[0.03, 0.08]), (Input::Difficulty, &[5.0])])
        };
        let all = scenario.over(&top).combinations();
        let seen: Vec<(f64, f64)> =
            all.iter().map(|one| (one.value(Input::PriceKwh), one.value(Input::CoinPrice))).collect();
        assert_eq!(seen, [(0.03, 1.0), (0.03, 2.0), (0.08, 1.0), (0.08, 2.0)]);
        assert!(
            all.iter()
                .all(|one| one.switch_off && one.get(Input::Growth).is_none() && one.value(Input::Difficulty) == 5.0)
        );
        assert_eq!(all[0].varied, [Input::PriceKwh, Input::CoinPrice]);
    }

    #[test]
    fn what_nobody_says_is_the_default_or_absent() {
        let economics = &Inputs::default().combinations()[0];
        assert_eq!(
            (economics.value(Input::PriceKwh), economics.value(Input::Pue), economics.value(Input::Fees)),
            (0.05, 1.0, 0.0)
        );
        assert_eq!((economics.get(Input::CoinPrice), economics.get(Input::Capex)), (None, None));
        assert!(
            !economics.is_said(Input::PriceKwh) && economics.replaced(Input::PriceKwh, 0.1).is_said(Input::PriceKwh)
        );
    }
}
