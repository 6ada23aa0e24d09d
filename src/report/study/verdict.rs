//! What a study says, in sentences that can be quoted.

use super::words::{self, chance, input_range};
use crate::report::units::{format_coins, format_kwh, format_money, format_rough_money};
use crate::study::{CaseResult, Input, Sensitivity, StudyResult};

/// From this on one machine is said to bring so many times as much as another.
const FAR_APART: f64 = 5.0;

/// The verdict on one window: a sentence to begin with, and what would change it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The main result.
    pub main: String,
    /// What else is to be said, a sentence each.
    pub more: Vec<String>,
}

/// Says what a study comes to, for each window that has a case.
#[must_use]
pub fn verdicts(study: &StudyResult) -> Vec<Verdict> {
    study.mains.iter().map(|place| verdict(study, *place)).collect()
}

fn verdict(study: &StudyResult, place: usize) -> Verdict {
    let case = &study.cases[place];
    let speaker = Speaker { study, case, symbol: study.symbol(case), currency: &study.currency };
    let more = [
        speaker.money(),
        speaker.count(),
        speaker.prices(),
        speaker.what_would_change(),
        speaker.payback(),
        speaker.classes(),
        speaker.alone(),
        speaker.simulated(),
        study.sensitivities.iter().find(|one| one.case == place).and_then(|one| speaker.hangs_on(one)),
    ];
    Verdict { main: speaker.main(), more: more.into_iter().flatten().collect() }
}

struct Speaker<'a> {
    study: &'a StudyResult,
    case: &'a CaseResult,
    symbol: &'static str,
    currency: &'a str,
}

impl Speaker<'_> {
    fn window(&self) -> String {
        let window = &self.study.windows[self.case.window];
        let days = format!("from {} to {}", window.from, window.to);
        let is_named = window.name != format!("{} to {}", window.from, window.to);
        if is_named { format!("{} ({days})", window.name) } else { days }
    }

    fn is_one(&self) -> bool {
        self.case.machines.iter().map(|class| class.count).sum::<u32>() == 1
    }

    fn machines(&self) -> String {
        let name = self.study.machines_of(self.case);
        if self.is_one() { format!("one {name}") } else { name }
    }

    fn rough(&self, amount: f64) -> String {
        format_rough_money(amount, self.currency)
    }

    /// Says coins, energy and whether it pays.
    fn main(&self) -> String {
        let outcome = &self.case.outcome;
        let could = if self.case.is_assumed { "can expect" } else { "could expect" };
        let coins = words::coins(self.case, self.symbol);
        let energy =
            outcome.energy_kwh.map_or_else(String::new, |kwh| format!(" for {} of electricity", format_kwh(kwh, 4)));
        let head = format!("{}: {} {could} {coins}{energy}", capital(&self.window()), self.machines());
        let would = if self.case.is_assumed { "it would pay" } else { "it would have paid" };
        let not = would.replace("would", "would not");
        let price = self.case.coin_price.unwrap_or_default();
        let at = format!("at {}", words::value(Input::CoinPrice, price, self.currency, self.symbol));
        match outcome.profit {
            Some(profit) if profit > 0.0 => format!("{head}; {at} {would}, by {}.", self.rough(profit)),
            Some(profit) => format!("{head}; {at} {not}, with a loss of {}.", self.rough(-profit)),
            None => format!("{head}."),
        }
    }

    /// Says what the profit is made of.
    fn money(&self) -> Option<String> {
        let outcome = &self.case.outcome;
        let electricity = outcome.electricity_cost?;
        let price = format!("{} {} per kWh", self.case.price_kwh, self.currency);
        let mut parts = vec![format!("electricity costs {} at {price}", self.rough(electricity))];
        if let Some(capital) = outcome.capital_cost.filter(|capital| *capital > 0.0) {
            let spread = self.case.inputs.iter().any(|(input, _)| *input == Input::LifeYears);
            let how = if spread { "the window's part of the price of the machines is" } else { "the machines cost" };
            parts.push(format!("{how} {}", self.rough(capital)));
        }
        if let Some((_, site)) =
            self.case.inputs.iter().find(|(input, range)| *input == Input::FixedCost && range.value > 0.0)
        {
            parts.push(format!("the site costs {}", self.rough(site.value)));
        }
        if let (Some(revenue), Some(price)) = (outcome.revenue, self.case.coin_price) {
            let each = words::value(Input::CoinPrice, price, self.currency, self.symbol);
            parts.insert(0, format!("the coins sell for {} at {each}", self.rough(revenue)));
        }
        let per_coin = outcome.cost_per_coin.map(|cost| format!(": {} for one {}", self.rough(cost), self.symbol));
        Some(format!("{}{}.", capital(&parts.join(", ")), per_coin.unwrap_or_default()))
    }

    /// Says what other counts of the same fleet come to.
    fn count(&self) -> Option<String> {
        let of_fleet: Vec<&CaseResult> =
            self.study.alike(self.case).filter(|case| case.fleet == self.case.fleet).collect();
        let (first, last) = (of_fleet.first()?, of_fleet.last()?);
        if first.count == last.count {
            return None;
        }
        let coins = |case: &CaseResult| format_coins(case.outcome.coins);
        let money = match (first.outcome.profit, last.outcome.profit) {
            (Some(low), Some(high)) => format!(", with a profit from {} to {}", self.rough(low), self.rough(high)),
            _ => String::new(),
        };
        let (name, symbol) = (&self.study.fleets[self.case.fleet], self.symbol);
        Some(format!(
            "{} to {} × {name}: {} to {} {symbol}{money}.",
            first.count,
            last.count,
            coins(first),
            coins(last)
        ))
    }

    /// Says how the profit runs over all terms.
    fn prices(&self) -> Option<String> {
        let mut profits: Vec<(f64, String)> = self
            .study
            .terms(self.case)
            .filter_map(|case| Some((case.outcome.profit?, self.study.terms_of(case))))
            .collect();
        if profits.len() < 2 {
            return None;
        }
        profits.sort_by(|a, b| a.0.total_cmp(&b.0));
        let paying = profits.iter().filter(|(profit, _)| *profit > 0.0).count();
        let count = match paying {
            0 => "it pays under none of them".to_owned(),
            all if all == profits.len() => "it pays under all of them".to_owned(),
            some => format!("it pays under {some} of {}", profits.len()),
        };
        let ((low, low_terms), (high, high_terms)) = (&profits[0], &profits[profits.len() - 1]);
        Some(format!(
            "Over the {} sets of terms that are looked at, the profit runs from {} ({low_terms}) to {} ({high_terms}); \
             {count}.",
            profits.len(),
            self.rough(*low),
            self.rough(*high)
        ))
    }

    /// Says at which prices the verdict turns.
    fn what_would_change(&self) -> Option<String> {
        let even = &self.case.break_even;
        let profit = self.case.outcome.profit;
        let per_kwh = even.price_kwh.map(|price| format!("{} per kWh", format_money(price, self.currency)));
        let per_coin = even.coin_price.map(|price| format!("{} per {}", self.rough(price), self.symbol));
        let whole = "all of it charged to this window";
        let a_machine = even.capex.map(|price| self.rough(price));
        let is_paying = profit.is_some_and(|profit| profit > 0.0);
        let mut parts = Vec::new();
        match (is_paying, profit) {
            (_, None) => parts.extend(per_coin.map(|price| format!("costs are met from {price} on"))),
            (true, _) => {
                parts.extend(per_kwh.map(|price| format!("electricity above {price}")));
                parts.extend(per_coin.map(|price| format!("a coin below {price}")));
                parts.extend(a_machine.map(|price| format!("a machine that costs more than {price}, {whole}")));
            }
            (false, _) => {
                parts.extend(per_kwh.map(|price| format!("electricity below {price}")));
                parts.extend(per_coin.map(|price| format!("a coin above {price}")));
                let has_price = self.case.outcome.capital_cost.is_some();
                let a_machine = a_machine.filter(|_| has_price);
                parts.extend(a_machine.map(|price| format!("a machine for less than {price}, {whole}")));
                let machines = even.machines.map(|machines| format!("{machines:.0} machines or more"));
                parts.extend(machines);
                if even.price_kwh.is_none() {
                    parts.push("no price of electricity, not even none,".to_owned());
                }
            }
        }
        if parts.is_empty() {
            return None;
        }
        Some(match (is_paying, profit) {
            (_, None) => format!("{}.", capital(&parts.join("; "))),
            (true, _) => format!("What would turn that into a loss, one thing at a time: {}.", parts.join("; ")),
            (false, _) => {
                let none = "no price of electricity, not even none,";
                let has_none = parts.iter().any(|part| part == none);
                parts.retain(|part| part != none);
                let free = if has_none { " Free electricity would not be enough." } else { "" };
                format!("What would make it pay, one thing at a time: {}.{free}", parts.join("; "))
            }
        })
    }

    /// Says whether machines earn back their price.
    fn payback(&self) -> Option<String> {
        self.case.outcome.capital_cost?;
        let days = self.study.windows[self.case.window].days;
        Some(match self.case.outcome.payback_days {
            Some(payback) => {
                format!("The machines have earned back their whole price after {payback:.0} of {days:.0} days.")
            }
            None => format!("Within these {days:.0} days the machines don't earn back their whole price."),
        })
    }

    /// Says how far apart classes of machines are.
    fn classes(&self) -> Option<String> {
        let per_machine = |case: &CaseResult| {
            let machines: u32 = case.machines.iter().map(|class| class.count).sum();
            case.outcome.coins / f64::from(machines)
        };
        let singles: Vec<&CaseResult> = self.study.alike(self.case).filter(|case| case.machines.len() == 1).collect();
        let best = singles.iter().max_by(|a, b| per_machine(a).total_cmp(&per_machine(b)))?;
        let worst = singles.iter().min_by(|a, b| per_machine(a).total_cmp(&per_machine(b)))?;
        let ratio = per_machine(best) / per_machine(worst);
        if !ratio.is_finite() {
            return None;
        }
        let name = |case: &CaseResult| self.study.fleets[case.fleet].clone();
        (ratio > FAR_APART).then(|| {
            format!(
                "The class of machine decides more than their count: one {} brings {} times as much as one {} ({} {}).",
                name(best),
                words::times(ratio),
                name(worst),
                format_coins(per_machine(worst)),
                self.symbol
            )
        })
    }

    /// Says what mining alone would be like.
    fn alone(&self) -> Option<String> {
        let solo = &self.case.solo;
        (solo.expected_blocks < 10.0).then(|| {
            format!(
                "Alone, without a pool, {} would find any block at all with a chance of {}.",
                self.machines(),
                chance(solo.p_any)
            )
        })
    }

    fn simulated(&self) -> Option<String> {
        let simulated = self.case.simulated.as_ref()?;
        let paths = words::count(simulated.paths);
        let chances = self.study.terms(self.case).filter_map(|case| case.simulated.as_ref()?.p_profit);
        let chances: Vec<f64> = chances.collect();
        let (low, high) = (chances.iter().copied().fold(1.0, f64::min), chances.iter().copied().fold(0.0, f64::max));
        let (low, high) = (chance(low), chance(high));
        let is_one = chances.len() < 2 || low == high;
        let over_all = if is_one { String::new() } else { format!(" ({low} to {high} over all sets of terms)") };
        Some(match (&simulated.profit, simulated.p_profit) {
            (Some(profit), Some(part)) => format!(
                "On {} of {paths} simulated paths it pays{over_all}; the median is {}, and nine in ten lie between {} \
                 and {}.",
                chance(part),
                self.rough(profit.p50),
                self.rough(profit.p5),
                self.rough(profit.p95)
            ),
            _ => format!(
                "On {paths} simulated paths the median is {} {}, and nine in ten lie between {} and {}.",
                format_coins(simulated.coins.p50),
                self.symbol,
                format_coins(simulated.coins.p5),
                format_coins(simulated.coins.p95)
            ),
        })
    }

    /// Says what the result hangs on most.
    fn hangs_on(&self, sensitivity: &Sensitivity) -> Option<String> {
        let most = sensitivity.effects.first()?;
        let words = input_range(most, self.currency, self.symbol);
        let result = |value| words::result(sensitivity.figure, value, self.currency, self.symbol);
        Some(format!(
            "The {} hangs most on the {words}: it goes from {} to {}.",
            words::result_name(sensitivity.figure),
            result(most.at_low),
            result(most.at_high)
        ))
    }
}

/// Returns a text with a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}
