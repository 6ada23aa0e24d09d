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
    /// Its value where it doesn't move, and the ends of its range.
    pub range: Interval,
    /// Whether these are factors of what it is: of rates, powers and the difficulty always, and of the prices of
    /// machines where classes have their own.
    pub is_factor: bool,
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
        let is_factor = is_factor(case, input);
        (range_is == "stated" || at_low != at_high).then_some(Effect {
            input,
            range,
            is_factor,
            range_is,
            at_low,
            at_high,
        })
    };
    let mut effects: Vec<Effect> = INPUTS.into_iter().filter_map(effect).collect();
    effects.sort_by(|a, b| (b.at_high - b.at_low).abs().total_cmp(&(a.at_high - a.at_low).abs()));
    Some(Sensitivity { case: place, figure, result, effects }).filter(|found| found.result.is_finite())
}

/// Tells whether an input is moved by a factor, so that a history keeps its course, and each class its share.
fn is_factor(case: &Case, input: Input) -> bool {
    match input {
        Input::Difficulty | Input::Rate | Input::Power => true,
        Input::Capex => !case.economics.is_said(input),
        _ => false,
    }
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
        Input::Difficulty => of(&case.economics, &case.epochs, value),
        Input::Growth => {
            let window = &plan.windows[case.window];
            let Ok(Network::Window { stretches, .. }) = window.network(Some(value), None) else { return None };
            of(&case.economics, &Epochs::new(window.coin, &stretches), 1.0)
        }
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
    // Nobody need guess what the chain holds.
    let is_on_record = input == Input::Difficulty && case.epochs.known == case.epochs.len();
    if is_on_record && !plan.ranges.lists.contains_key(&input) {
        return None;
    }
    let own = match input {
        Input::Rate => Some(relative(case.machines.best().rate_hps, case, |draw| Some(draw.rate_hps))),
        Input::Power => case.machines.best().power_w.map(|watts| relative(watts, case, |draw| draw.power_w)),
        Input::Difficulty => case.economics.get(input).map(|range| range.scaled(range.value.recip())),
        Input::Capex if is_factor(case, input) => {
            return case.machines.purchase(None).and(usual_of(plan, input, Interval::exact(1.0)));
        }
        _ => case.economics.get(input),
    };
    let own = match own {
        Some(own) => own,
        None if is_factor(case, input) && input != Input::Power => Interval::exact(1.0),
        None => return None,
    };
    usual_of(plan, input, own)
}

/// Returns the range of an input whose figure is known: its own, the one that the study states for the sensitivity, or
/// one that is usual.
fn usual_of(plan: &Plan, input: Input, own: Interval) -> Option<(Interval, &'static str)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::file::StudyFile;
    use crate::study::plan::Materials;

    fn found(text: &str) -> Sensitivity {
        let text = format!("name = \"t\"\ncoin = \"btc\"\n{text}\n[[fleet]]\nmachine = \"S9\"");
        let plan = Plan::new(&text, &StudyFile::parse(&text).unwrap(), &Materials::default()).unwrap();
        sensitivity(&plan, 0).unwrap()
    }

    const SUMMER: &str = "[[window]]\nfrom = 2017-05-17\nto = 2017-07-06";
    /// What an S9 brings in that window, and what it takes, worked out elsewhere.
    const COINS: f64 = 0.266_003_66;
    const KWH: f64 = 1.323 * 24.0 * 51.0;

    fn effect(sensitivity: &Sensitivity, input: Input) -> Effect {
        *sensitivity.effects.iter().find(|effect| effect.input == input).unwrap_or_else(|| panic!("{input:?}"))
    }

    #[test]
    fn each_input_moves_the_profit_as_arithmetic_says() {
        let text = format!(
            "coin_price = {{ low = 1727, value = 2466, high = 2953 }}\nprice_kwh = 0.05\ncapex = 200\n\
             [sensitivity]\nprice_kwh = {{ low = 0.02, high = 0.2 }}\n{SUMMER}"
        );
        let sensitivity = found(&text);
        assert_eq!(sensitivity.figure, Figure::Profit);
        let profit =
            |coins: f64, price: f64, kwh: f64, price_kwh: f64, capex: f64| coins * price - kwh * price_kwh - capex;
        let best = profit(COINS, 2466.0, KWH, 0.05, 200.0);
        let expected = [
            (
                Input::CoinPrice,
                "stated",
                profit(COINS, 1727.0, KWH, 0.05, 200.0),
                profit(COINS, 2953.0, KWH, 0.05, 200.0),
            ),
            (
                Input::PriceKwh,
                "stated",
                profit(COINS, 2466.0, KWH, 0.02, 200.0),
                profit(COINS, 2466.0, KWH, 0.2, 200.0),
            ),
            (
                Input::Power,
                "assumed",
                profit(COINS, 2466.0, KWH * 0.9, 0.05, 200.0),
                profit(COINS, 2466.0, KWH * 1.1, 0.05, 200.0),
            ),
            (Input::Capex, "assumed", best + 50.0, best - 50.0),
            (Input::Fees, "assumed", best, profit(COINS * 1.1, 2466.0, KWH, 0.05, 200.0)),
        ];
        for (input, range_is, at_low, at_high) in expected {
            let found = effect(&sensitivity, input);
            assert_eq!(found.range_is, range_is, "{input:?}");
            for (found, expected) in [(found.at_low, at_low), (found.at_high, at_high)] {
                assert!((found - expected).abs() < 1e-4, "{input:?}: {found} is not {expected}");
            }
        }
        let reach = |effect: &Effect| (effect.at_high - effect.at_low).abs();
        assert!(
            sensitivity.effects.windows(2).all(|pair| reach(&pair[0]) >= reach(&pair[1])),
            "the greatest stands first"
        );
        assert!(sensitivity.effects.iter().all(|effect| effect.input != Input::LifeYears), "nobody said any");
    }

    #[test]
    fn a_difficulty_moves_only_where_the_chain_does_not_hold_it() {
        let of = |sensitivity: &Sensitivity| {
            sensitivity.effects.iter().find(|effect| effect.input == Input::Difficulty).copied()
        };
        assert_eq!(of(&found(SUMMER)), None);
        let stated = of(&found(&format!("[sensitivity]\ndifficulty = {{ low = 0.5, high = 2 }}\n{SUMMER}")));
        assert_eq!(stated.map(|effect| effect.range_is), Some("stated"));
        let given = found(&format!("difficulty = 559970892890.84\n{SUMMER}"));
        let effect = of(&given).unwrap();
        assert_eq!(effect.range_is, "assumed");
        // The cost of a coin goes with the difficulty.
        assert!((effect.at_low / given.result - 0.8).abs() < 1e-9, "{effect:?}");
        assert!((effect.at_high / given.result - 1.2).abs() < 1e-9, "{effect:?}");
    }

    #[test]
    fn without_a_price_the_cost_of_a_coin_is_looked_at_and_growth_where_there_is_some() {
        let sensitivity = found(SUMMER);
        assert_eq!(sensitivity.figure, Figure::CostPerCoin);
        assert!((sensitivity.result / (KWH * 0.05 / COINS) - 1.0).abs() < 1e-6, "{}", sensitivity.result);
        assert!(sensitivity.effects.iter().all(|effect| effect.input != Input::Growth));
        let future = found("growth = \"1%/epoch\"\n[[window]]\nfrom = 2026-07-01\nto = 2027-06-30");
        let growth = effect(&future, Input::Growth);
        assert!(growth.at_low < future.result && future.result < growth.at_high, "{growth:?}");
    }
}
