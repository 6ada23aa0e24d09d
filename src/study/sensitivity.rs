//! How much a result hangs on each input, one at a time.

use serde::Serialize;

use super::cost::Network;
use super::epochs::Epochs;
use super::inputs::{Economics, Input};
use super::outcome::Terms;
use super::plan::{Case, Plan};
use crate::interval::Interval;

/// Which figure is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The profit over the window.
    Profit,
    /// The cost of one coin.
    CostPerCoin,
    /// The coins.
    Coins,
}

/// What becomes of the result when one input moves from one end of its range to the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// The input.
    pub input: Input,
    /// Its value where it doesn't move, and the ends of its range; of rates, powers and the difficulty of a history as
    /// factors.
    pub range: Interval,
    /// Where the range comes from: `stated` or `assumed`.
    pub range_is: &'static str,
    /// The result at the lower end.
    pub at_low: f64,
    /// The result at the upper end.
    pub at_high: f64,
}

/// The effects of all inputs on one case, the greatest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The place of the case.
    pub case: usize,
    /// Which figure.
    pub figure: Figure,
    /// Its value where no input moves.
    pub result: f64,
    /// The effects.
    pub effects: Vec<Effect>,
}

/// All inputs that can be moved, in the order in which they are tried.
const INPUTS: [Input; 15] = [
    Input::CoinPrice,
    Input::PriceKwh,
    Input::Difficulty,
    Input::Growth,
    Input::Rate,
    Input::Power,
    Input::Capex,
    Input::LifeYears,
    Input::Discount,
    Input::Pue,
    Input::Uptime,
    Input::PoolFee,
    Input::Stale,
    Input::Fees,
    Input::FixedCost,
];

/// Computes the sensitivity of a case. None where its result isn't determined at all.
pub(super) fn sensitivity(plan: &Plan, place: usize) -> Option<Sensitivity> {
    let case = &plan.cases[place];
    let base = terms_of(case, &case.economics, &case.epochs, 1.0).outcome(&case.epochs);
    let (figure, result) = match (base.profit, base.cost_per_coin) {
        (Some(profit), _) => (Figure::Profit, profit),
        (None, Some(cost)) => (Figure::CostPerCoin, cost),
        (None, None) => (Figure::Coins, base.coins),
    };
    let effect = |input: Input| {
        let (range, range_is) = range_of(plan, case, input)?;
        let at = |value: f64| result_at(plan, case, input, value, figure);
        let (at_low, at_high) = (at(range.low)?, at(range.high)?);
        // An input that nobody states and that moves nothing isn't worth a row.
        (range_is == "stated" || at_low != at_high).then_some(Effect { input, range, range_is, at_low, at_high })
    };
    let mut effects: Vec<Effect> = INPUTS.into_iter().filter_map(effect).collect();
    effects.sort_by(|a, b| (b.at_high - b.at_low).abs().total_cmp(&(a.at_high - a.at_low).abs()));
    Some(Sensitivity { case: place, figure, result, effects }).filter(|found| found.result.is_finite())
}

fn terms_of(case: &Case, economics: &Economics, epochs: &Epochs, difficulty_factor: f64) -> Terms {
    let days = epochs.seconds.iter().sum::<f64>() / 86_400.0;
    Terms { difficulty_factor, ..Terms::new(&case.machines, case.machines.best(), economics, days) }
}

fn result_at(plan: &Plan, case: &Case, input: Input, value: f64, figure: Figure) -> Option<f64> {
    let of = |economics: &Economics, epochs: &Epochs, factor: f64| {
        let outcome = terms_of(case, economics, epochs, factor).outcome(epochs);
        match figure {
            Figure::Profit => outcome.profit,
            Figure::CostPerCoin => outcome.cost_per_coin,
            Figure::Coins => Some(outcome.coins),
        }
    };
    match input {
        // By a factor, so that a history keeps its course.
        Input::Difficulty => of(&case.economics, &case.epochs, value),
        Input::Growth => {
            let window = &plan.windows[case.window];
            let Ok(Network::Window { stretches, .. }) = window.network(Some(value), None) else { return None };
            of(&case.economics, &Epochs::new(window.coin, &stretches), 1.0)
        }
        // Classes may have prices of their own: all of them move by the same factor.
        Input::Capex => {
            let base = case.economics.get(Input::Capex);
            let factor = base.map_or(value, |base| value / base.value);
            let mut terms = terms_of(case, &case.economics, &case.epochs, 1.0);
            terms.purchase = terms.purchase.map(|price| price * factor);
            terms.capital *= factor;
            let outcome = terms.outcome(&case.epochs);
            if figure == Figure::Profit { outcome.profit } else { outcome.cost_per_coin }
        }
        _ => of(&case.economics.replaced(input, value), &case.epochs, 1.0),
    }
}

/// Returns the range of an input: the one that is stated, or one that is usual. None where it plays no part.
fn range_of(plan: &Plan, case: &Case, input: Input) -> Option<(Interval, &'static str)> {
    let own = match input {
        Input::Rate => Some(relative(case.machines.best().rate_hps, case, |draw| Some(draw.rate_hps))),
        Input::Power => case.machines.best().power_w.map(|watts| relative(watts, case, |draw| draw.power_w)),
        Input::Difficulty => case.economics.get(input).map(|range| range.scaled(range.value.recip())),
        // Prices of classes move together, as a factor, where there is none for all.
        Input::Capex if case.economics.get(input).is_none() => {
            case.machines.purchase(None).map(|_| Interval::exact(1.0))
        }
        _ => case.economics.get(input),
    };
    let is_factor = matches!(input, Input::Difficulty | Input::Rate | Input::Power);
    let own = match own {
        Some(own) => own,
        None if is_factor => Interval::exact(1.0),
        None => return None,
    };
    if own.low < own.high {
        return Some((own, "stated"));
    }
    if let Some(stated) = plan.ranges.lists.get(&input).and_then(|list| list.first()) {
        return Some((Interval { value: own.value, ..*stated }, "stated"));
    }
    usual(input, own.value).map(|(low, high)| (Interval { value: own.value, low, high }, "assumed"))
}

fn relative(best: f64, case: &Case, figure: fn(&super::fleet::Draw) -> Option<f64>) -> Interval {
    let ends: Vec<f64> = case.machines.corners().iter().filter_map(figure).map(|end| end / best).collect();
    let end = |pick: fn(f64, f64) -> f64| ends.iter().copied().fold(1.0, pick);
    Interval { value: 1.0, low: end(f64::min), high: end(f64::max) }
}

/// The range of an input for which none is stated. `docs/METHODOLOGY.md` says why.
fn usual(input: Input, value: f64) -> Option<(f64, f64)> {
    let by = |part: f64| Some((value * (1.0 - part), value * (1.0 + part)));
    match input {
        Input::CoinPrice => Some((value / 2.0, value * 2.0)),
        Input::PriceKwh => by(0.5),
        Input::Difficulty => Some((0.8, 1.2)),
        Input::Growth => Some(((value - 0.01).max(-0.7), value + 0.01)),
        Input::Rate => Some((0.95, 1.05)),
        Input::Power => Some((0.9, 1.1)),
        Input::Capex => by(0.25),
        Input::LifeYears => Some(((value - 1.0).max(value / 2.0), value + 1.0)),
        Input::Discount => Some((0.0, value.max(0.05) * 2.0)),
        Input::Pue => Some((1.0, value.max(1.2))),
        Input::Uptime => Some((value * 0.9, value)),
        Input::PoolFee => Some((0.0, value.max(0.02) * 1.5)),
        Input::Stale => Some((0.0, value.max(0.01) * 2.0)),
        Input::Fees => Some((0.0, value.max(0.05) * 2.0)),
        Input::FixedCost => (value > 0.0).then_some((value * 0.5, value * 1.5)),
    }
}
