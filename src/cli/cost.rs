//! `hashwatt cost`: what a rate and a power come to.

use std::path::Path;
use std::process::ExitCode;

use super::args::CostArguments;
use super::exit::{Failure, RECORD};
use super::output::Output;
use super::summary::coin_of;
use crate::coin::{Coin, NetworkPoint};
use crate::interval::Interval;
use crate::record::{self, Benchmark};
use crate::report::units::{format_coins, format_interval, format_kwh, format_money, group_thousands};
use crate::study::{Cost, CostInputs, DEFAULT_WINDOW_DAYS, EnergyRate, cost};

pub(super) fn run(arguments: &CostArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let inputs = inputs(arguments)?;
    let result = cost(&inputs)?;
    if output.json {
        output.json(&result)?;
    } else {
        print(&result, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn inputs(arguments: &CostArguments) -> Result<CostInputs, Failure> {
    let given_power = arguments.power.map(|power_w| EnergyRate::PowerW(Interval::exact(power_w)));
    let (rate_hps, energy, measured_algorithm) = match (&arguments.record, arguments.hashrate) {
        (Some(path), _) => {
            let benchmark = benchmark(path, arguments.engine.as_deref(), arguments.coin)?;
            let measured = benchmark.energy_j_per_hash.gross.map(EnergyRate::JoulesPerHash);
            (benchmark.rate_hps.interval(), given_power.or(measured), Some(benchmark.algorithm))
        }
        (None, Some(hashrate)) => (Interval::exact(hashrate), given_power, None),
        (None, None) => return Err(Failure::usage("there is no rate", "give a RECORD, or --hashrate and --coin")),
    };
    let algorithm = arguments.algorithm.clone().or(measured_algorithm);
    let coin = match (arguments.coin, &algorithm) {
        (Some(coin), _) => coin,
        (None, Some(algorithm)) => coin_of(algorithm).ok_or_else(|| {
            Failure::usage(format!("no coin is mined with {algorithm:?}"), "known: sha256d (btc), randomx-v1 (xmr)")
        })?,
        (None, None) => return Err(Failure::usage("it isn't said which coin", "give --coin btc or --coin xmr")),
    };
    let network = match &arguments.difficulty {
        Some(difficulty) => NetworkPoint::with_difficulty(coin, difficulty, arguments.height)?,
        None => NetworkPoint::snapshot(coin),
    };
    Ok(CostInputs {
        algorithm: algorithm.unwrap_or_else(|| coin.algorithm().to_owned()),
        rate_hps,
        energy,
        count: arguments.count,
        network,
        price_kwh: arguments.price_kwh,
        currency: arguments.currency.clone(),
        coin_price: arguments.coin_price,
        days: DEFAULT_WINDOW_DAYS,
    })
}

/// Reads the benchmark that is meant: the one named, or the only one of the coin's algorithm.
fn benchmark(path: &Path, engine: Option<&str>, coin: Option<Coin>) -> Result<Benchmark, Failure> {
    let record = record::read(path)?;
    let all: Vec<String> = record.benchmarks.iter().map(|benchmark| benchmark.id.to_string()).collect();
    let is_meant = |benchmark: &Benchmark| match engine {
        Some(id) => benchmark.id.as_str() == id,
        None => coin.is_none_or(|coin| coin.algorithm() == benchmark.algorithm),
    };
    let mut meant: Vec<Benchmark> = record.benchmarks.into_iter().filter(is_meant).collect();
    match (meant.pop(), meant.is_empty()) {
        (Some(benchmark), true) if benchmark.rate_hps.interval().is_ordered() && benchmark.rate_hps.low > 0.0 => {
            Ok(benchmark)
        }
        (Some(benchmark), true) => {
            let message = format!("{path:?}: the rate of {} is no rate: {:?}", benchmark.id, benchmark.rate_hps);
            Err(Failure::new(RECORD, message, "hashwatt bench --out FILE writes a new one"))
        }
        (Some(_), false) => {
            let message = format!("{path:?} holds several engines that could be meant");
            Err(Failure::usage(message, format!("choose one with --engine: {}", all.join(", "))))
        }
        (None, _) => {
            let wanted = engine.map_or_else(|| "of that coin's algorithm".to_owned(), |id| format!("{id:?}"));
            let held = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            Err(Failure::new(RECORD, format!("{path:?} holds no engine {wanted}"), format!("it holds: {held}")))
        }
    }
}

fn print(cost: &Cost, output: &mut Output) -> Result<(), Failure> {
    let inputs = &cost.inputs;
    let (symbol, currency) = (inputs.coin.symbol(), &inputs.currency);
    let count = if inputs.count == 1 { String::new() } else { format!("{} x ", inputs.count) };
    output.heading(&format!("{count}{} of {}", format_interval(&inputs.rate_hps, "H/s"), inputs.algorithm))?;
    let mut rows = vec![("coins per day", format!("{} {symbol}", format_coins(cost.coins_per_day)))];
    match (cost.energy_per_coin_kwh, cost.cost_per_coin) {
        (Some(energy), Some(money)) => {
            let interval = cost.energy_per_coin_kwh_interval.filter(|range| range.low < range.high);
            let range = interval.map_or_else(String::new, |range| {
                format!(" ({} to {})", format_kwh(range.low, 3), format_kwh(range.high, 3))
            });
            rows.push(("energy per coin", format!("{}{range}", format_kwh(energy, 3))));
            rows.push(("electricity per coin", format_money(money, currency)));
        }
        _ => {
            let energy = format_kwh(cost.energy_per_coin_kwh_per_w, 3);
            rows.push(("energy per coin", format!("{energy} for each watt drawn (the power isn't known: --power)")));
            let money = format_money(cost.cost_per_coin_per_w, currency);
            rows.push(("electricity per coin", format!("{money} for each watt drawn")));
        }
    }
    if let Some(energy) = cost.energy_kwh {
        rows.push(("energy per day", format_kwh(energy, 3)));
    }
    if let (Some(revenue), Some(profit)) = (cost.revenue, cost.profit) {
        rows.push(("revenue per day", format_money(revenue, currency)));
        rows.push(("profit per day", format_money(profit, currency)));
    }
    if let Some(price) = cost.break_even_price_kwh {
        rows.push(("breaks even at", format!("{} a kWh", format_money(price, currency))));
    }
    if let Some(price) = cost.break_even_coin_price {
        rows.push(("breaks even at", format!("{} a coin", format_money(price, currency))));
    }
    let alone =
        format!("{:.3e} blocks a day expected, a chance of {:.3e} for any", cost.solo.expected_blocks, cost.solo.p_any);
    rows.push(("alone", alone));
    for (name, value) in rows {
        output.line(&format!("  {name:<21} {value}"))?;
    }
    let day = inputs.network_as_of.as_ref().map_or_else(String::new, |day| format!(" on {day}"));
    output.remark(&format!(
        "assumed: electricity at {} {currency}/kWh; {} difficulty {}{day}, {} {symbol} a block, no fees ({})",
        inputs.price_kwh,
        inputs.coin.name(),
        group_thousands(&inputs.difficulty.to_string()),
        inputs.subsidy,
        inputs.network_source,
    ))?;
    Ok(())
}
