//! A cost in words and tables.

use super::exit::Failure;
use super::output::{HEADING, Output};
use crate::report::table::{Column, Table};
use crate::report::units::{
    format_coins, format_coins_fully, format_interval, format_kwh, format_money, format_si, group_thousands,
};
use crate::study::Cost;
use crate::study::cost::{Payout, Range};

/// More digits than measurements have, so that a sum over a window can be checked against its parts.
const KWH_DIGITS: usize = 4;

pub(super) fn print(cost: &Cost, output: &mut Output) -> Result<(), Failure> {
    let inputs = &cost.inputs;
    let count = if inputs.count == 1 { String::new() } else { format!("{} x ", inputs.count) };
    let name = inputs.machine.as_ref().map_or_else(String::new, |name| format!("{name}: "));
    output.heading(&format!("{count}{name}{} of {}", format_interval(&inputs.rate_hps, "H/s"), inputs.algorithm))?;
    for (name, value) in rows(cost) {
        output.line(&format!("  {name:<21} {value}"))?;
    }
    if cost.epochs.len() > 1 {
        output.line("")?;
        output.table(&epochs(cost))?;
        output.line("")?;
    }
    print_absent(cost, output)?;
    for note in &cost.notes {
        output.remark(&format!("note: {note}"))?;
    }
    output.remark(&assumed(cost))?;
    Ok(())
}

fn rows(cost: &Cost) -> Vec<(&'static str, String)> {
    let (symbol, currency) = (cost.inputs.coin.symbol(), cost.inputs.currency.as_str());
    let money = |amount: f64| format_money(amount, currency);
    let kwh = |energy: f64| format_kwh(energy, KWH_DIGITS);
    let intervals = &cost.intervals;
    let mut rows = Vec::new();
    let mut push = |name: &'static str, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    let coins = Range { low: cost.coins.low, high: cost.coins.high };
    if is_window(cost) {
        let window =
            format!("{} to {}", cost.inputs.from.as_deref().unwrap_or(""), cost.inputs.to.as_deref().unwrap_or(""));
        push("window", Some(format!("{window}, {} days", round(cost.inputs.window_days))));
        push(
            "coins",
            Some(with_range(format_coins_fully(cost.coins.mean), Some(coins), format_coins_fully) + " " + symbol),
        );
    }
    push("coins per day", Some(format!("{} {symbol}", format_coins(cost.coins_per_day))));
    match cost.energy_per_coin_kwh {
        Some(energy) => {
            push("energy per coin", Some(with_range(kwh(energy), intervals.energy_per_coin_kwh, kwh)));
        }
        None => {
            let energy = kwh(cost.energy_per_coin_kwh_per_w);
            push("energy per coin", Some(format!("{energy} for each watt drawn (the power isn't known: --power)")));
            let per_watt = money(cost.cost_per_coin_per_w);
            push("electricity per coin", Some(format!("{per_watt} for each watt drawn")));
        }
    }
    let has_capital = cost.capital_cost.is_some();
    let name = if has_capital { "cost per coin" } else { "electricity per coin" };
    push(name, cost.cost_per_coin.map(|amount| with_range(money(amount), intervals.cost_per_coin, money)));
    push(
        over(cost, "energy", "energy per day"),
        cost.energy_kwh.map(|energy| with_range(kwh(energy), intervals.energy_kwh, kwh)),
    );
    push(over(cost, "electricity", "electricity per day"), cost.electricity_cost.map(money));
    push(over(cost, "machines", "machines per day"), cost.capital_cost.map(money));
    push(
        over(cost, "revenue", "revenue per day"),
        cost.revenue.map(|amount| with_range(money(amount), intervals.revenue, money)),
    );
    push(
        over(cost, "profit", "profit per day"),
        cost.profit.map(|amount| with_range(money(amount), intervals.profit, money)),
    );
    push("breaks even at", cost.break_even_price_kwh.map(|price| format!("{} a kWh", money(price))));
    push("breaks even at", cost.break_even_coin_price.map(|price| format!("{} a coin", money(price))));
    push("paid out", cost.payout.map(|payout| payout_text(&payout, symbol)));
    push("alone", Some(solo(cost)));
    rows
}

fn payout_text(payout: &Payout, symbol: &str) -> String {
    let days = round(payout.days);
    format!("from {} {symbol} on: the first time after {days} days", payout.threshold)
}

fn is_window(cost: &Cost) -> bool {
    cost.inputs.from.is_some()
}

/// Names a sum over the window, or over the day that stands for none.
fn over(cost: &Cost, window: &'static str, day: &'static str) -> &'static str {
    if is_window(cost) { window } else { day }
}

fn with_range(text: String, range: Option<Range>, words: impl Fn(f64) -> String) -> String {
    match range {
        Some(range) if range.low < range.high => format!("{text} ({} to {})", words(range.low), words(range.high)),
        _ => text,
    }
}

fn round(days: f64) -> String {
    if days >= 99.95 { group_thousands(&format!("{days:.0}")) } else { format!("{}", (days * 100.0).round() / 100.0) }
}

fn solo(cost: &Cost) -> String {
    let solo = &cost.solo;
    let per = if is_window(cost) { "expected" } else { "a day expected" };
    let days = if solo.median_days < 1e6 { round(solo.median_days) } else { format!("{:.2e}", solo.median_days) };
    format!(
        "{:.3e} blocks {per}, a chance of {:.3e} for any; even odds for one take {days} days",
        solo.expected_blocks, solo.p_any
    )
}

fn epochs(cost: &Cost) -> Table {
    let (symbol, currency) = (cost.inputs.coin.symbol(), cost.inputs.currency.as_str());
    let columns = [
        Column::right("from block"),
        Column::left("from").unit("UTC"),
        Column::right("days"),
        Column::right("difficulty"),
        Column::right("a block pays").unit(symbol),
        Column::right("coins").unit(symbol),
        Column::right("energy"),
        Column::right("electricity").unit("per coin"),
        Column::left("basis"),
    ];
    let mut table = Table::new(columns).header_style(HEADING);
    for epoch in &cost.epochs {
        table.push_row([
            group_thousands(&epoch.height.to_string()),
            epoch.from.trim_end_matches('Z').replace('T', " "),
            format!("{:.2}", epoch.days),
            group_thousands(&format!("{:.0}", epoch.difficulty)),
            format!("{}", (epoch.subsidy * 1e4).round() / 1e4),
            format_coins_fully(epoch.coins),
            epoch.energy_kwh.map_or_else(|| "absent".to_owned(), |energy| format_kwh(energy, KWH_DIGITS)),
            epoch.electricity_per_coin.map_or_else(|| "absent".to_owned(), |amount| format_money(amount, currency)),
            epoch.basis.to_owned(),
        ]);
    }
    table
}

/// Says of the figures that many look for why they aren't there; each reason once.
fn print_absent(cost: &Cost, output: &mut Output) -> Result<(), Failure> {
    let names = [
        ("energy_kwh", "energy"),
        ("cost", "cost"),
        ("revenue", "revenue"),
        ("profit", "profit"),
        ("break_even_price_kwh", "break-even price of a kWh"),
        ("break_even_coin_price", "break-even price of a coin"),
    ];
    let mut reasons: Vec<(&String, Vec<&str>)> = Vec::new();
    for (figure, name) in names {
        let Some(reason) = cost.absent.get(figure) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, figures)) => figures.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    for (reason, figures) in reasons {
        output.line(&format!("  {} absent: {reason}", figures.join(", ")))?;
    }
    Ok(())
}

fn assumed(cost: &Cost) -> String {
    let inputs = &cost.inputs;
    let symbol = inputs.coin.symbol();
    let day = inputs.network_as_of.as_ref().map_or_else(String::new, |day| format!(" on {day}"));
    let mut parts = vec![
        format!("electricity at {} {}/kWh", inputs.price_kwh, inputs.currency),
        format!(
            "{} difficulty {}{day}, {} {symbol} a block ({})",
            inputs.coin.name(),
            group_thousands(&format!("{:.2}", inputs.difficulty)),
            (inputs.subsidy * 1e8).round() / 1e8,
            inputs.network_source,
        ),
    ];
    let percent = |part: f64| format!("{} %", (part * 1e4).round() / 100.0);
    if inputs.pue > 1.0 {
        parts.push(format!("PUE {}", inputs.pue));
    }
    for (name, value) in [("pool fee", inputs.pool_fee), ("stale work", inputs.stale)] {
        if value > 0.0 {
            parts.push(format!("{name} {}", percent(value)));
        }
    }
    parts.push(match inputs.fees {
        0.0 => "no fees".to_owned(),
        fees => format!("fees of {} of the subsidy", percent(fees)),
    });
    if let (Some(capex), Some(life), Some(discount)) = (inputs.capex, inputs.life_years, inputs.discount) {
        let price = format_money(capex, &inputs.currency);
        parts.push(format!("{price} a machine over {life} years at {}", percent(discount)));
    }
    if let Some(power_w) = &inputs.power_w {
        let range = Range { low: power_w.low, high: power_w.high };
        let watts = |watts: f64| format_si(watts, "W", KWH_DIGITS);
        parts.push(format!("{} a machine", with_range(watts(power_w.value), Some(range), watts)));
    }
    if let Some(joules) = &inputs.energy_j_per_hash {
        parts.push(format!("{} a hash", format_si(joules.value, "J", 3)));
    }
    format!("assumed: {}", parts.join("; "))
}
