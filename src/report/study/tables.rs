//! The tables of a study.

use super::words::{self, chance, energy, money, percent, rate};
use crate::report::table::{Column, Table};
use crate::report::units::{format_coins_fully, format_interval, format_rough_money, format_si, group_thousands};
use crate::study::{CaseResult, ClassResult, Percentiles, Sensitivity, StretchResult, StudyResult};

/// More terms than columns that a page has room for.
const TERMS_MAX: usize = 6;

/// Makes the table of all machines of a window under the same terms as one of its cases.
#[must_use]
pub fn machines(study: &StudyResult, main: &CaseResult) -> Table {
    let (symbol, currency) = (study.symbol(main), study.currency.as_str());
    let mut table = Table::new([
        Column::left("machines"),
        Column::right("rate"),
        Column::right("coins").unit(symbol),
        Column::right("energy"),
        Column::right("energy").unit("per coin"),
        Column::right("cost"),
        Column::right("sold for"),
        Column::right("profit"),
        Column::right("breaks even at").unit("per kWh"),
    ]);
    for case in study.alike(main) {
        let outcome = &case.outcome;
        table.push_row([
            study.machines_of(case),
            rate(case.rate_hps),
            format_coins_fully(outcome.coins),
            energy(outcome.energy_kwh),
            outcome.energy_per_coin_kwh.map_or_else(String::new, |kwh| energy(Some(kwh))),
            money(outcome.cost, currency),
            money(outcome.revenue, currency),
            money(outcome.profit, currency),
            money(case.break_even.price_kwh, currency),
        ]);
    }
    table.without_empty_columns()
}

/// Makes the table of the profit of each fleet under all terms of a window, a column for each. None where there is only
/// one set of terms, more than a page has room for, or no profit.
#[must_use]
pub fn profits(study: &StudyResult, main: &CaseResult) -> Option<Table> {
    let terms: Vec<&CaseResult> = study.terms(main).collect();
    let is_known = study.cases.iter().any(|case| case.window == main.window && case.outcome.profit.is_some());
    if !(2..=TERMS_MAX).contains(&terms.len()) || !is_known {
        return None;
    }
    let columns = terms.iter().map(|case| Column::right(study.terms_of(case)));
    let mut table = Table::new([Column::left("machines")].into_iter().chain(columns));
    for row in study.alike(main).filter(|case| case.count == main.count) {
        let cells = study.terms(row).map(|case| {
            case.outcome
                .profit
                .map_or_else(|| "absent".to_owned(), |profit| format_rough_money(profit, &study.currency))
        });
        table.push_row([study.machines_of(row)].into_iter().chain(cells));
    }
    Some(table)
}

/// Makes the table of one fleet under all terms of a window. None where there is only one set of terms.
#[must_use]
pub fn terms(study: &StudyResult, main: &CaseResult) -> Option<Table> {
    let (symbol, currency) = (study.symbol(main), study.currency.as_str());
    let cases: Vec<&CaseResult> = study.terms(main).collect();
    if cases.len() < 2 {
        return None;
    }
    let mut table = Table::new([
        Column::left("terms"),
        Column::right("coins").unit(symbol),
        Column::right("cost"),
        Column::right("cost").unit("per coin"),
        Column::right("sold for"),
        Column::right("profit"),
        Column::right("earned back after"),
        Column::right("breaks even at").unit("per kWh"),
        Column::right("breaks even at").unit("per coin"),
        Column::right("a machine may cost"),
    ]);
    for case in cases {
        let (outcome, even) = (&case.outcome, &case.break_even);
        table.push_row([
            study.terms_of(case),
            format_coins_fully(outcome.coins),
            money(outcome.cost, currency),
            money(outcome.cost_per_coin, currency),
            money(outcome.revenue, currency),
            money(outcome.profit, currency),
            outcome.payback_days.map_or_else(String::new, |days| format!("{days:.0} days")),
            money(even.price_kwh, currency),
            money(even.coin_price, currency),
            money(even.capex, currency),
        ]);
    }
    Some(table.without_empty_columns())
}

/// Makes the table of all machines with where their figures come from, each once.
#[must_use]
pub fn sources(study: &StudyResult) -> Table {
    let mut table = Table::new([
        Column::left("machine"),
        Column::left("class"),
        Column::left("rate of"),
        Column::right("rate"),
        Column::right("power"),
        Column::right("energy").unit("per hash"),
        Column::left("source"),
    ]);
    let mut seen: Vec<(&str, &ClassResult)> = Vec::new();
    for case in &study.cases {
        for class in &case.machines {
            let is_seen = |(algorithm, known): &(&str, &ClassResult)| {
                *algorithm == case.algorithm && known.name == class.name && known.rate_hps == class.rate_hps
            };
            if !seen.iter().any(is_seen) {
                seen.push((case.algorithm, class));
            }
        }
    }
    for (algorithm, class) in seen {
        table.push_row([
            class.name.clone(),
            class.kind.clone(),
            algorithm.to_owned(),
            format_interval(&class.rate_hps, "H/s"),
            class.power_w.map_or_else(|| "not known".to_owned(), |watts| format_interval(&watts, "W")),
            class.power_w.map_or_else(String::new, |watts| format_si(watts.value / class.rate_hps.value, "J", 3)),
            class.source.clone(),
        ]);
    }
    table.without_empty_columns()
}

/// Makes the table of the parts of a window.
#[must_use]
pub fn stretches(symbol: &str, stretches: &[StretchResult]) -> Table {
    let mut table = Table::new([
        Column::left("from").unit("UTC"),
        Column::right("about block"),
        Column::right("days"),
        Column::right("difficulty"),
        Column::right("coins").unit(symbol),
        Column::left("basis"),
    ]);
    for stretch in stretches {
        table.push_row([
            stretch.from.trim_end_matches('Z').replace('T', " "),
            group_thousands(&stretch.height.to_string()),
            format!("{:.2}", stretch.days),
            group_thousands(&format!("{:.0}", stretch.difficulty)),
            format_coins_fully(stretch.coins),
            stretch.basis.to_owned(),
        ]);
    }
    table
}

/// Makes the table of what simulated paths came to, a row for each case of a window. None where nothing was simulated.
#[must_use]
pub fn simulated<'a>(study: &StudyResult, cases: impl Iterator<Item = &'a CaseResult>) -> Option<Table> {
    let mut table = Table::new([
        Column::left("case"),
        Column::left("figure"),
        Column::right("5 %"),
        Column::right("25 %"),
        Column::right("median"),
        Column::right("75 %"),
        Column::right("95 %"),
        Column::right("mean"),
        Column::right("above zero").unit("of paths"),
    ]);
    for case in cases {
        let Some(simulated) = &case.simulated else { continue };
        let (symbol, currency) = (study.symbol(case), study.currency.as_str());
        let name = format!("{}, {}", study.machines_of(case), study.terms_of(case));
        let mut push = |figure: &str, spread: &Percentiles, words: &dyn Fn(f64) -> String, part: Option<f64>| {
            let Percentiles { mean, p5, p25, p50, p75, p95 } = *spread;
            let cells = [p5, p25, p50, p75, p95, mean].map(words);
            let part = part.map_or_else(String::new, chance);
            table.push_row([name.clone(), figure.to_owned()].into_iter().chain(cells).chain([part]));
        };
        let coins = |value: f64| format!("{} {symbol}", crate::report::units::format_coins(value));
        let money = |value: f64| format_rough_money(value, currency);
        push("coins", &simulated.coins, &coins, Some(simulated.p_any_coin));
        if let Some(profit) = &simulated.profit {
            push("profit", profit, &money, simulated.p_profit);
        }
        if let Some(price) = &simulated.end_price {
            push("price of a coin at the end", price, &money, None);
        }
        if let Some(difficulty) = &simulated.end_difficulty {
            push("difficulty at the end, of the assumed", difficulty, &|value| format!("{value:.2} ×"), None);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Makes the table of a sensitivity.
#[must_use]
pub fn sensitivity(study: &StudyResult, sensitivity: &Sensitivity) -> Table {
    let case = &study.cases[sensitivity.case];
    let (symbol, currency) = (study.symbol(case), study.currency.as_str());
    let name = words::result_name(sensitivity.figure);
    let mut table = Table::new([
        Column::left("input and its range"),
        Column::right(format!("{name}, lower end")),
        Column::right(format!("{name}, upper end")),
        Column::right("change"),
        Column::left("range is"),
    ]);
    for effect in &sensitivity.effects {
        let result = |value: f64| words::result(sensitivity.figure, value, currency, symbol);
        table.push_row([
            words::input_range(effect, currency, symbol),
            result(effect.at_low),
            result(effect.at_high),
            result((effect.at_high - effect.at_low).abs()),
            effect.range_is.to_owned(),
        ]);
    }
    table
}

/// Says what a case assumes, in words.
#[must_use]
pub fn assumptions(study: &StudyResult, case: &CaseResult) -> Vec<String> {
    let window = &study.windows[case.window];
    let symbol = window.coin.symbol();
    let mut items = vec![format!("{}, {} to {}: {}", window.coin.name(), window.from, window.to, case.network_source)];
    let said: Vec<String> = case
        .inputs
        .iter()
        .map(|(input, range)| {
            let best = words::value(*input, range.value, &study.currency, symbol);
            if range.low < range.high {
                let end = |value| words::value(*input, value, &study.currency, symbol);
                format!("{best} (from {} to {})", end(range.low), end(range.high))
            } else {
                best
            }
        })
        .collect();
    if !said.is_empty() {
        items.push(format!("said for {}, {}: {}", window.name, study.terms_of(case), said.join("; ")));
    }
    let is_said = |name: crate::study::Input| case.inputs.iter().any(|(input, _)| *input == name);
    if !is_said(crate::study::Input::PriceKwh) {
        items.push(format!(
            "electricity at {} {} per kWh, because nothing else is said",
            case.price_kwh, study.currency
        ));
    }
    if case.switch_off {
        items.push(format!(
            "machines are switched off while their electricity costs more than it earns: they run {} of the time",
            percent(case.outcome.running)
        ));
    }
    items
}
