//! The figures of a study in words.

use crate::interval::Interval;
use crate::report::units::{
    between, format_coins, format_coins_fully, format_count, format_kwh, format_money, format_percent,
    format_rough_money, format_si, group_thousands,
};
use crate::study::{CaseResult, Effect, Figure, Input, StudyResult};

/// Words a part of something as a percentage with as many digits as it has.
pub(super) fn percent(part: f64) -> String {
    format!("{} %", (part * 1e4).round() / 1e2)
}

/// Words a probability: to a percent, and with a power of ten where it is tiny.
pub(super) fn chance(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        _ if part <= 0.0 => "0 %".to_owned(),
        _ if part >= 1.0 => "100 %".to_owned(),
        _ if percent < 0.0095 => format!("{percent:.1e} %"),
        _ if percent > 99.0 && percent < 99.95 => format!("{percent:.1} %"),
        _ if percent >= 99.95 => "more than 99.9 %".to_owned(),
        _ => format!("{} %", format_percent(percent)),
    }
}

/// Words the value of an input with its unit.
pub(super) fn value(input: Input, value: f64, currency: &str, symbol: &str) -> String {
    match input {
        Input::PriceKwh => format!("{value} {currency} per kWh"),
        Input::CoinPrice => format!("{} {currency} per {symbol}", plain(value)),
        Input::Capex => format!("{} {currency} a machine", plain(value)),
        Input::FixedCost => format!("{} {currency} for the site", plain(value)),
        Input::LifeYears => format!("a life of {value} years"),
        Input::Pue => format!("PUE {value}"),
        Input::Growth => format!("growth of {} an epoch", percent(value)),
        Input::Difficulty => format!("difficulty {}", group_thousands(&format!("{value:.0}"))),
        Input::PoolFee => format!("pool fee {}", percent(value)),
        Input::Stale => format!("stale work {}", percent(value)),
        Input::Fees => format!("fees of {} of the subsidy", percent(value)),
        Input::Discount => format!("discount {} a year", percent(value)),
        Input::Uptime => format!("running {} of the time", percent(value)),
        Input::Rate | Input::Power => format!("{} × {value}", input.key()),
    }
}

/// Words a price with thousands separators and no more digits than it has.
fn plain(value: f64) -> String {
    // Cents have two digits.
    if value >= 1.0 && value.fract() != 0.0 {
        return group_thousands(&format!("{value:.2}"));
    }
    group_thousands(&format!("{}", (value * 1e6).round() / 1e6))
}

/// Words an input with its range, for a row of a sensitivity.
pub(super) fn input_range(effect: &Effect, currency: &str, symbol: &str) -> String {
    let (input, Interval { low, high, .. }) = (effect.input, effect.range);
    let plain_ends = format!("{} to {}", plain(low), plain(high));
    let parts = format!("{} to {}", percent(low), percent(high));
    let factors = format!("{} to {} of what it is", percent(low), percent(high));
    match input {
        Input::PriceKwh => format!("electricity, {low} to {high} {currency}/kWh"),
        Input::CoinPrice => format!("price of a coin, {plain_ends} {currency}/{symbol}"),
        Input::Capex if effect.is_factor => format!("price of machines, {factors}"),
        Input::Capex => format!("price of a machine, {plain_ends} {currency}"),
        Input::FixedCost => format!("cost of the site, {plain_ends} {currency}"),
        Input::LifeYears => format!("life of a machine, {low} to {high} years"),
        Input::Pue => format!("PUE, {low} to {high}"),
        Input::Growth => format!("growth of the difficulty, {parts} an epoch"),
        Input::Difficulty => format!("difficulty, {factors}"),
        Input::PoolFee => format!("pool fee, {parts}"),
        Input::Stale => format!("stale work, {parts}"),
        Input::Fees => format!("fees, {parts} of the subsidy"),
        Input::Discount => format!("discount, {parts} a year"),
        Input::Uptime => format!("running time, {parts}"),
        Input::Rate => format!("hash rate, {factors}"),
        Input::Power => format!("power, {factors}"),
    }
}

/// Words the result of a sensitivity.
pub(super) fn result(figure: Figure, value: f64, currency: &str, symbol: &str) -> String {
    match figure {
        Figure::Profit => format_rough_money(value, currency),
        Figure::CostPerCoin => format!("{} per {symbol}", format_rough_money(value, currency)),
        Figure::Coins => format!("{} {symbol}", format_coins(value)),
    }
}

/// Names the result of a sensitivity.
pub(super) fn result_name(figure: Figure) -> &'static str {
    match figure {
        Figure::Profit => "profit",
        Figure::CostPerCoin => "cost per coin",
        Figure::Coins => "coins",
    }
}

impl StudyResult {
    /// Returns what a coin of a case's window is called, such as `BTC`.
    pub(super) fn symbol(&self, case: &CaseResult) -> &'static str {
        self.windows[case.window].coin.symbol()
    }

    /// Returns in words by which figures a case differs from others of its fleet: its scenario, and what stands in
    /// lists.
    pub(super) fn terms_of(&self, case: &CaseResult) -> String {
        let scenario = case.scenario.map(|scenario| self.scenarios[scenario].clone());
        let varied =
            case.varied.iter().map(|(input, figure)| value(*input, *figure, &self.currency, self.symbol(case)));
        let words: Vec<String> = scenario.into_iter().chain(varied).collect();
        if words.is_empty() { "as assumed".to_owned() } else { words.join(", ") }
    }

    /// Returns the cases of a window that have the same terms as another one, in order.
    pub(super) fn alike<'a>(&'a self, main: &'a CaseResult) -> impl Iterator<Item = &'a CaseResult> + 'a {
        self.cases.iter().filter(move |case| {
            case.window == main.window && case.scenario == main.scenario && case.varied == main.varied
        })
    }

    /// Returns the cases of a window that have the same machines as another one, under all terms.
    pub(super) fn terms<'a>(&'a self, main: &'a CaseResult) -> impl Iterator<Item = &'a CaseResult> + 'a {
        self.cases
            .iter()
            .filter(move |case| case.window == main.window && case.fleet == main.fleet && case.count == main.count)
    }
}

/// Words coins with their symbol, and their interval where they have one.
pub(super) fn coins(case: &CaseResult, symbol: &str) -> String {
    let (best, range) = (case.outcome.coins, case.intervals.coins);
    let (low, high) = (format_coins(range.low), format_coins(range.high));
    let interval = if low == high { String::new() } else { format!(" ({})", between(&low, &high)) };
    format!("{} {symbol}{interval}", format_coins_fully(best))
}

/// Words an energy; a reason where there is none.
pub(super) fn energy(kwh: Option<f64>) -> String {
    kwh.map_or_else(|| "absent: no power".to_owned(), |kwh| format_kwh(kwh, 4))
}

/// Words an amount of money; nothing where there is none.
pub(super) fn money(amount: Option<f64>, currency: &str) -> String {
    amount.map_or_else(String::new, |amount| format_money(amount, currency))
}

/// Words how many times something is as much as another: to two digits.
pub(super) fn times(ratio: f64) -> String {
    let rounded: f64 = format!("{ratio:.1e}").parse().unwrap_or(ratio);
    if rounded < 1e7 { group_thousands(&format!("{rounded}")) } else { format!("{rounded:.1e}") }
}

/// Words a number of paths.
pub(super) fn count(count: u32) -> String {
    format_count(count)
}

/// Words a rate.
pub(super) fn rate(rate_hps: f64) -> String {
    format_si(rate_hps, "H/s", 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_never_rounded_to_certainty() {
        let words: Vec<String> =
            [0.0, 9e-7, 0.0048, 0.021, 0.733, 0.995, 0.999_99, 1.0].iter().map(|part| chance(*part)).collect();
        assert_eq!(words, ["0 %", "9.0e-5 %", "0.5 %", "2.1 %", "73 %", "99.5 %", "more than 99.9 %", "100 %"]);
    }

    #[test]
    fn prices_keep_the_digits_that_they_have() {
        assert_eq!(value(Input::CoinPrice, 3840.1, "USD", "BTC"), "3,840.10 USD per BTC");
        assert_eq!(value(Input::Growth, 0.019_999_999, "USD", "BTC"), "growth of 2 % an epoch");
    }
}
