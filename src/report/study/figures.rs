//! The plots of a study.

use jiff::civil::Date;

use super::words;
use crate::interval::Interval;
use crate::report::plot::{
    self, BreakEvenLine, Effect, EpochCoins, Mark, Outcome, Plot, Row, RowPlot, Values, epochs, outcomes,
};
use crate::report::units::{format_coins, format_kwh, format_rough_money};
use crate::study::{CaseResult, Sensitivity, StretchResult, StudyResult};

/// What marks stand for.
const LEGEND: [(Mark, &str); 3] =
    [(Mark::Disc, "measured here"), (Mark::Diamond, "as makers and testers state"), (Mark::Ring, "typed in")];

/// More rows than a plot has room for.
const ROWS_MAX: usize = 24;

fn mark(case: &CaseResult) -> Mark {
    match case.machines.first().map(|class| class.kind.as_str()) {
        Some("engine") => Mark::Disc,
        Some("asic" | "gpu" | "cpu") => Mark::Diamond,
        _ => Mark::Ring,
    }
}

/// Returns one case for each fleet of a window under the terms of another: the one with its count, or the first.
fn fleets<'a>(study: &'a StudyResult, main: &'a CaseResult) -> Vec<&'a CaseResult> {
    let mut cases: Vec<&CaseResult> = Vec::new();
    for case in study.alike(main) {
        match cases.iter_mut().find(|known| known.fleet == case.fleet) {
            None => cases.push(case),
            Some(known) if case.count == main.count => *known = case,
            Some(_) => {}
        }
    }
    cases
}

/// Draws the coins of all fleets of a window.
pub(super) fn coins(study: &StudyResult, main: &CaseResult, index: usize) -> Option<Plot> {
    let symbol = study.symbol(main);
    let row = |case: &&CaseResult| {
        let range = case.intervals.coins;
        Row {
            label: study.machines_of(case),
            words: format!("{} {symbol}", format_coins(case.outcome.coins)),
            value: Interval { value: case.outcome.coins, low: range.low, high: range.high },
            mark: mark(case),
        }
    };
    rows(
        &format!("coins-{index}"),
        &format!("Coins, {}", study.windows[main.window].name),
        &format!("{symbol} over the window, logarithmic"),
        Values::Plain,
        fleets(study, main).iter().map(row).collect(),
    )
}

/// Draws the energy that a coin takes with each fleet of a window.
pub(super) fn energy(study: &StudyResult, main: &CaseResult, index: usize) -> Option<Plot> {
    let row = |case: &&CaseResult| {
        let value = StudyResult::energy_per_coin_kwh(case)?;
        Some(Row {
            label: study.machines_of(case),
            words: format_kwh(value.value, 4),
            value: value.scaled(1000.0),
            mark: mark(case),
        })
    };
    rows(
        &format!("energy-{index}"),
        &format!("Energy for one {}, {}", study.symbol(main), study.windows[main.window].name),
        "electricity for one coin, logarithmic",
        Values::Si("Wh"),
        fleets(study, main).iter().filter_map(row).collect(),
    )
}

fn rows(id: &str, title: &str, axis: &str, values: Values<'_>, mut rows: Vec<Row>) -> Option<Plot> {
    if !(2..=ROWS_MAX).contains(&rows.len()) {
        return None;
    }
    rows.sort_by(|a, b| b.value.value.total_cmp(&a.value.value));
    let legend: Vec<(Mark, &str)> =
        LEGEND.into_iter().filter(|(mark, _)| rows.iter().any(|row| row.mark == *mark)).collect();
    RowPlot { id, title, axis, values, legend: &legend }.draw(&rows)
}

/// Draws what a coin has to fetch to pay for its electricity, for the fleets of a window that differ most.
pub(super) fn break_even(study: &StudyResult, main: &CaseResult, index: usize) -> Option<Plot> {
    let line = |case: &CaseResult| {
        Some(BreakEvenLine {
            label: study.fleets[case.fleet].clone(),
            energy_per_coin_kwh: StudyResult::energy_per_coin_kwh(case)?,
        })
    };
    let mut lines: Vec<BreakEvenLine> = fleets(study, main).into_iter().filter_map(line).collect();
    lines.sort_by(|a, b| a.energy_per_coin_kwh.value.total_cmp(&b.energy_per_coin_kwh.value));
    // Those at both ends say most.
    while lines.len() > 6 {
        lines.remove(lines.len() / 2);
    }
    let plot = plot::BreakEven {
        id: &format!("break-even-{index}"),
        title: &format!(
            "What one {} has to fetch to pay for its electricity, {}",
            study.symbol(main),
            study.windows[main.window].name
        ),
        symbol: study.symbol(main),
        currency: &study.currency,
        price_kwh: main.price_kwh,
        coin_price: main.coin_price,
    };
    plot.draw(&lines)
}

/// Draws coins epoch by epoch.
pub(super) fn over_time(
    study: &StudyResult,
    main: &CaseResult,
    stretches: &[StretchResult],
    index: usize,
) -> Option<Plot> {
    let of = |stretch: &StretchResult| {
        let day: Date = stretch.from.get(..10)?.parse().ok()?;
        Some(EpochCoins { from: day, days: stretch.days, coins: Interval::exact(stretch.coins) })
    };
    let data: Vec<EpochCoins> = stretches.iter().filter_map(of).collect();
    let title =
        format!("Coins of {}, difficulty by difficulty, {}", study.machines_of(main), study.windows[main.window].name);
    epochs(&format!("epochs-{index}"), &title, study.symbol(main), &data)
}

/// Draws how much a result hangs on each input.
pub(super) fn sensitivity(study: &StudyResult, sensitivity: &Sensitivity, index: usize) -> Option<Plot> {
    let case = &study.cases[sensitivity.case];
    let (symbol, currency) = (study.symbol(case), study.currency.as_str());
    let effect = |effect: &crate::study::Effect| Effect {
        input: words::input_range(effect, currency, symbol),
        at_low: effect.at_low,
        at_high: effect.at_high,
    };
    let name = words::result_name(sensitivity.figure);
    let title = format!("What the {name} of {} hangs on, {}", study.machines_of(case), study.windows[case.window].name);
    let unit = match sensitivity.figure {
        crate::study::Figure::Profit => format!("profit, {currency}"),
        crate::study::Figure::CostPerCoin => format!("{currency} per {symbol}"),
        crate::study::Figure::Coins => symbol.to_owned(),
    };
    let effects: Vec<Effect> = sensitivity.effects.iter().map(effect).collect();
    plot::sensitivity(&format!("sensitivity-{index}"), &title, &unit, sensitivity.result, &effects)
}

/// Draws how the simulated profits of cases spread, or their coins where there is no profit.
pub(super) fn simulated(study: &StudyResult, main: &CaseResult, index: usize) -> Option<Plot> {
    let cases: Vec<&CaseResult> =
        if study.terms(main).count() > 1 { study.terms(main).collect() } else { fleets(study, main) };
    let is_profit =
        cases.iter().any(|case| case.simulated.as_ref().is_some_and(|simulated| simulated.profit.is_some()));
    let (currency, symbol) = (study.currency.as_str(), study.symbol(main));
    let has_terms = study.terms(main).count() > 1;
    let outcome = |case: &&CaseResult| {
        let simulated = case.simulated.as_ref()?;
        let spread = if is_profit { simulated.profit? } else { simulated.coins };
        let words = if is_profit {
            format_rough_money(spread.p50, currency)
        } else {
            format!("{} {symbol}", format_coins(spread.p50))
        };
        Some(Outcome {
            label: if has_terms { study.terms_of(case) } else { study.machines_of(case) },
            words,
            whiskers: (spread.p5, spread.p95),
            middle: (spread.p25, spread.p75),
            median: spread.p50,
        })
    };
    let rows: Vec<Outcome> = cases.iter().take(ROWS_MAX).filter_map(outcome).collect();
    let what = if is_profit { "profit" } else { "coins" };
    let of = if has_terms { format!(" of {}", study.machines_of(main)) } else { String::new() };
    let title = format!("Simulated {what}{of}, {}", study.windows[main.window].name);
    let unit = if is_profit { format!("profit, {currency}") } else { symbol.to_owned() };
    outcomes(&format!("simulated-{index}"), &title, &unit, &rows)
}
