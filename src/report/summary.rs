//! What a record says, for people.

use std::collections::BTreeSet;

use super::table::{Column, Table};
use super::units::{format_coins, format_interval, format_kwh, format_money, format_si, group_thousands};
use crate::coin::history::SECONDS_PER_YEAR;
use crate::coin::{Coin, NetworkPoint};
use crate::record::{Benchmark, Record, ThreadsBy};
use crate::study::cost::DEFAULT_WINDOW_DAYS;
use crate::study::{Cost, CostInputs, EnergyRate, Network, cost};

/// What a cell says where there is no figure; a line below the table says why.
const ABSENT: &str = "unavailable";
/// What is said of a run that was ended early.
pub const INTERRUPTED: &str = "interrupted: the figures are of what was measured until then";
/// The algorithm that no coin is mined with yet.
const COMING: &str = "randomx-v2";

/// Returns the coin that an algorithm mines today.
pub fn coin_of(algorithm: &str) -> Option<Coin> {
    [Coin::Btc, Coin::Xmr].into_iter().find(|coin| coin.algorithm() == algorithm)
}

/// Returns the cost of a coin for each benchmark of a record, at the network's built-in difficulty.
pub fn costs(record: &Record, price_kwh: f64) -> Vec<Option<Cost>> {
    let of = |benchmark: &Benchmark| {
        let point = NetworkPoint::snapshot(coin_of(&benchmark.algorithm)?);
        let network = Network::Point { point, days: DEFAULT_WINDOW_DAYS };
        let inputs = CostInputs {
            energy: benchmark.energy_j_per_hash.gross.map(EnergyRate::JoulesPerHash),
            price_kwh,
            ..CostInputs::new(benchmark.algorithm.clone(), benchmark.rate_hps.interval(), network)
        };
        // A measured rate is positive and ordered, so this can only fail where the figures leave the range of floats.
        cost(&inputs).ok()
    };
    record.benchmarks.iter().map(of).collect()
}

/// Makes the table of rates.
pub fn rates(record: &Record) -> Table {
    let columns = [
        Column::left("engine"),
        Column::right("rate").unit("median, 95 %"),
        Column::right("mean"),
        Column::right("power"),
        Column::right("energy").unit("per hash"),
        Column::right("net of idle").unit("per hash"),
        Column::right("threads"),
        Column::left("verified by"),
        Column::left("device"),
    ];
    let mut table = Table::new(columns);
    for benchmark in &record.benchmarks {
        table.push_row([
            benchmark.name(),
            format_interval(&benchmark.rate_hps.interval(), "H/s"),
            format_si(benchmark.rate_hps.mean, "H/s", 3),
            power(benchmark),
            energy(benchmark),
            net(benchmark),
            benchmark.threads.to_string(),
            benchmark.verified_by.clone(),
            benchmark.device_name.clone(),
        ]);
    }
    table
}

pub(super) fn power(benchmark: &Benchmark) -> String {
    let energy = &benchmark.energy_j_per_hash;
    match energy.gross {
        // Joules per hash times hashes per second, both over the whole measured time.
        Some(gross) => format!("{} {}", format_si(gross.value * benchmark.rate_hps.mean, "W", 3), energy.provenance),
        None => ABSENT.to_owned(),
    }
}

/// Words the device's own joules; what the processors took while a card hashed stands beside them.
fn energy(benchmark: &Benchmark) -> String {
    let energy = &benchmark.energy_j_per_hash;
    let Some(gross) = energy.gross else { return ABSENT.to_owned() };
    let own = format_interval(&gross, "J");
    energy.host.map_or(own.clone(), |host| format!("{own}, cpu {}", format_si(host.value, "J", 3)))
}

/// Words the joules without what the device draws when idle. Where there is gross but no net, the record says why.
fn net(benchmark: &Benchmark) -> String {
    benchmark.energy_j_per_hash.net.map_or_else(|| "–".to_owned(), |net| format_interval(&net, "J"))
}

/// Makes the table of the bare program.
pub fn main_job(record: &Record, costs: &[Option<Cost>]) -> Table {
    let columns = [
        Column::left("engine"),
        Column::right("rate").unit("median, 95 %"),
        Column::right("power"),
        Column::right("energy").unit("per hash"),
        Column::right("coins").unit("per day"),
        Column::right("energy").unit("per coin"),
        Column::right("electricity").unit("per coin"),
        Column::left("verified"),
    ];
    let mut table = Table::new(columns);
    for (benchmark, cost) in record.benchmarks.iter().zip(costs) {
        let mut cells = vec![
            labelled(benchmark),
            format_interval(&benchmark.rate_hps.interval(), "H/s"),
            power(benchmark),
            energy(benchmark),
        ];
        cells.extend(cost.as_ref().map_or([const { String::new() }; 3], coin_cells));
        cells.push(format!("yes, by {}", short_oracle(benchmark)));
        table.push_row(cells);
    }
    table
}

/// Returns what stands below a table, but for the warnings; without costs there is less to say.
pub fn notes(record: &Record, costs: &[Option<Cost>]) -> Vec<String> {
    let mut notes = sentences(record, costs);
    notes.extend(best_of_sweeps(record));
    notes.extend(assumptions(costs));
    notes.extend(setups(record));
    notes.extend(record.interrupted.then(|| INTERRUPTED.to_owned()));
    notes
}

/// Says for each engine of a sweep which number of threads gave the most hashes in a second, and which the most with a
/// joule.
pub fn best_of_sweeps(record: &Record) -> Vec<String> {
    let of_sweep = |benchmark: &&Benchmark| benchmark.threads_by == Some(ThreadsBy::Sweep);
    let rows = || record.benchmarks.iter().filter(of_sweep);
    let swept: BTreeSet<&str> = rows().map(|benchmark| benchmark.id.as_str()).collect();
    let sentence = |id: &str| {
        let rows = || rows().filter(|benchmark| benchmark.id.as_str() == id);
        let threads = |benchmark: &Benchmark| match benchmark.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        let joules = |benchmark: &Benchmark| Some(benchmark.energy_j_per_hash.gross?.value);
        let fastest = rows().max_by(|a, b| a.rate_hps.median.total_cmp(&b.rate_hps.median))?;
        let metered = rows().filter_map(|benchmark| Some((benchmark, joules(benchmark)?)));
        let thriftiest = metered.min_by(|a, b| a.1.total_cmp(&b.1)).map_or_else(String::new, |(benchmark, joules)| {
            format!(", and most with a joule on {} ({})", threads(benchmark), format_si(1.0 / joules, "H/J", 3))
        });
        let rate = format_si(fastest.rate_hps.median, "H/s", 3);
        Some(format!("{id} hashed most in a second on {} ({rate}){thriftiest}.", threads(fastest)))
    };
    swept.into_iter().filter_map(sentence).collect()
}

/// Marks an engine on a software adapter: its id alone reads like a card's.
pub(super) fn labelled(benchmark: &Benchmark) -> String {
    if benchmark.is_on_software_adapter() { format!("{} [software]", benchmark.id) } else { benchmark.name() }
}

/// Shortens the oracle's id to what distinguishes it.
fn short_oracle(benchmark: &Benchmark) -> &str {
    let prefix = format!("{}/", benchmark.algorithm);
    let by = benchmark.verified_by.as_str();
    by.strip_prefix(&prefix).unwrap_or(by)
}

fn coin_cells(cost: &Cost) -> [String; 3] {
    let symbol = cost.inputs.coin.symbol();
    let currency = &cost.inputs.currency;
    let coins = format!("{} {symbol}", format_coins(cost.coins_per_day));
    // Without the power, each watt drawn costs so much: the reader multiplies.
    let energy = match cost.energy_per_coin_kwh {
        Some(kwh) => format_kwh(kwh, 3),
        None => format!("{} per W", format_kwh(cost.energy_per_coin_kwh_per_w, 3)),
    };
    let money = match cost.cost_per_coin {
        Some(money) => format_money(money, currency),
        None => format!("{} per W", format_money(cost.cost_per_coin_per_w, currency)),
    };
    [coins, energy, money]
}

/// Says what was built before the clock started.
pub fn setups(record: &Record) -> Option<String> {
    let phases = record.setups.iter().flat_map(|setup| setup.phases_s.iter().map(move |phase| (&setup.name, phase)));
    // What takes no time worth telling stays in the record.
    let told: Vec<String> = phases
        .filter(|(_, (_, seconds))| **seconds >= 1.0)
        .map(|(name, (_, seconds))| format!("{name} {seconds:.1} s"))
        .collect();
    (!told.is_empty()).then(|| format!("set-up, not in the rates: {}", told.join(", ")))
}

/// Says what costs were computed from.
pub fn assumptions(costs: &[Option<Cost>]) -> Option<String> {
    let mut networks: Vec<String> = Vec::new();
    let mut price = None;
    for inputs in costs.iter().flatten().map(|cost| &cost.inputs) {
        let network = format!(
            "{} difficulty {} on {}, {} {} a block",
            inputs.coin.name(),
            group_thousands(&format!("{:.0}", inputs.difficulty)),
            inputs.network_as_of.as_deref().unwrap_or("an unknown day"),
            inputs.subsidy,
            inputs.coin.symbol(),
        );
        if !networks.contains(&network) {
            networks.push(network);
        }
        price = Some(format!("electricity at {} {}/kWh", inputs.price_kwh, inputs.currency));
    }
    price.map(|price| format!("assumed: {price}; {} (built in; hashwatt cost takes others)", networks.join("; ")))
}

/// Says in at most four plain sentences what the table means.
pub fn sentences(record: &Record, costs: &[Option<Cost>]) -> Vec<String> {
    let mut sentences = Vec::new();
    for coin in [Coin::Btc, Coin::Xmr] {
        let of_coin = record.benchmarks.iter().zip(costs).filter_map(|(benchmark, cost)| {
            cost.as_ref().filter(|cost| cost.inputs.coin == coin).map(|cost| (benchmark, cost))
        });
        let Some((benchmark, cost)) = of_coin.max_by(|a, b| a.1.coins_per_day.total_cmp(&b.1.coins_per_day)) else {
            continue;
        };
        let years = cost.hashes_expected_per_coin / benchmark.rate_hps.median / SECONDS_PER_YEAR;
        sentences.push(format!(
            "{}: at {} this machine would need {} for one coin, with {}.",
            coin.name(),
            format_si(benchmark.rate_hps.median, "H/s", 3),
            duration(years),
            benchmark.name(),
        ));
    }
    if record.benchmarks.iter().any(|benchmark| benchmark.algorithm == COMING) {
        sentences
            .push("RandomX version 2 mines no coin yet: it is meant for Monero's next network upgrade.".to_owned());
    }
    if costs.iter().flatten().any(|cost| cost.cost_per_coin.is_none()) {
        sentences.push(
            "Without a meter the cost of a coin is known for each watt only: multiply by the watts that the \
             device draws."
                .to_owned(),
        );
    }
    sentences
}

/// Words a time in years.
pub(super) fn duration(years: f64) -> String {
    match years {
        years if years >= 1e9 => format!("{:.1} thousand million years", years / 1e9),
        years if years >= 1e6 => format!("{:.1} million years", years / 1e6),
        years if years >= 1000.0 => format!("{:.1} thousand years", years / 1000.0),
        years if years >= 2.0 => format!("{years:.1} years"),
        years => format!("{:.1} days", years * 365.25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_worded_for_people() {
        let cases =
            [(3.2e9, "3.2 thousand million years"), (2.5e6, "2.5 million years"), (4100.0, "4.1 thousand years")];
        for (years, words) in cases {
            assert_eq!(duration(years), words);
        }
        assert_eq!((duration(12.34).as_str(), duration(0.5).as_str()), ("12.3 years", "182.6 days"));
    }

    #[test]
    fn each_algorithm_has_its_coin() {
        assert_eq!(
            (coin_of("sha256d"), coin_of("randomx-v1"), coin_of("md5")),
            (Some(Coin::Btc), Some(Coin::Xmr), None)
        );
    }
}
