//! `hashwatt cost`: what a rate and a power come to.

use std::path::Path;
use std::process::ExitCode;

use super::coin_args::{CostArguments, NetworkChoice};
use super::cost_text::print;
use super::exit::{Failure, RECORD};
use super::network;
use super::output::Output;
use crate::coin::hardware::{Catalogue, Machine};
use crate::coin::history::{Basis, Window};
use crate::coin::{Coin, NetworkPoint, proofs};
use crate::interval::Interval;
use crate::record::{self, Benchmark};
use crate::study::cost::{Capital, DEFAULT_WINDOW_DAYS};
use crate::study::{CostInputs, EnergyRate, Network, cost};

pub(super) fn run(arguments: &CostArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let inputs = inputs(arguments)?;
    let mut result = cost(&inputs)?;
    result.notes.extend(notes(arguments, &inputs));
    if output.json {
        output.json(&result)?;
    } else {
        print(&result, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What computes: its name, its rate, its draw, and what the rate is a rate of.
struct Machinery {
    name: Option<String>,
    rate_hps: Interval,
    energy: Option<EnergyRate>,
    algorithm: String,
}

fn inputs(arguments: &CostArguments) -> Result<CostInputs, Failure> {
    let benchmark = match &arguments.record {
        Some(path) => Some(benchmark(path, arguments.engine.as_deref(), arguments.coin)?),
        None => None,
    };
    if let (Some(given), Some(benchmark)) = (&arguments.algorithm, &benchmark)
        && *given != benchmark.algorithm
    {
        return Err(Failure::usage(
            format!("--algorithm {given}: the rate of {} is one of {}", benchmark.id, benchmark.algorithm),
            "leave --algorithm out, or give --hashrate in place of the record",
        ));
    }
    let network = network(arguments, benchmark.as_ref())?;
    let machinery = machinery(arguments, benchmark, &network)?;
    let capital = arguments.capex.zip(arguments.life_years);
    Ok(CostInputs {
        machine: machinery.name,
        energy: machinery.energy,
        count: arguments.count,
        price_kwh: arguments.price_kwh,
        currency: arguments.currency.clone(),
        coin_price: arguments.coin_price,
        pue: arguments.pue,
        pool_fee: arguments.pool_fee,
        stale: arguments.stale,
        fees: arguments.fees,
        payout_threshold: arguments.payout_threshold,
        capital: capital.map(|(price, life_years)| Capital { price, life_years, discount: arguments.discount }),
        ..CostInputs::new(machinery.algorithm, machinery.rate_hps, network)
    })
}

/// Finds the rate and the draw: typed in, from the catalogue, or from a record. A power that is given goes first.
fn machinery(arguments: &CostArguments, benchmark: Option<Benchmark>, network: &Network) -> Result<Machinery, Failure> {
    let power = arguments.power.map(EnergyRate::PowerW);
    if let Some(benchmark) = benchmark {
        return Ok(Machinery {
            name: Some(benchmark.id.to_string()),
            rate_hps: benchmark.rate_hps.interval(),
            energy: power.or(benchmark.energy_j_per_hash.gross.map(EnergyRate::JoulesPerHash)),
            algorithm: benchmark.algorithm,
        });
    }
    let algorithm = arguments.algorithm.clone().or_else(|| network.proofs().first().map(|p| p.algorithm.to_owned()));
    let algorithm = algorithm.unwrap_or_else(|| network.coin().algorithm().to_owned());
    if let Some(name) = &arguments.machine {
        let catalogue = Catalogue::built_in();
        let machine = catalogue.find(name, Some(&algorithm))?;
        let rated = machine.power_w.map(|watts| EnergyRate::PowerW(Interval::exact(watts)));
        return Ok(Machinery {
            name: Some(machine.name.clone()),
            rate_hps: Interval::exact(machine.rate_hps),
            energy: power.or(rated),
            algorithm,
        });
    }
    match arguments.hashrate {
        Some(rate_hps) => Ok(Machinery { name: None, rate_hps, energy: power, algorithm }),
        None => Err(Failure::usage("there is no rate", "give a RECORD, --machine NAME, or --hashrate and --coin")),
    }
}

/// Finds the coin: the one that is said, or the only one that what is known of the rate can earn.
fn coin(arguments: &CostArguments, benchmark: Option<&Benchmark>) -> Result<Coin, Failure> {
    if let Some(coin) = arguments.coin {
        return Ok(coin);
    }
    let algorithm = benchmark.map(|benchmark| &benchmark.algorithm).or(arguments.algorithm.as_ref());
    if let Some(algorithm) = algorithm {
        return Coin::of_algorithm(algorithm).ok_or_else(|| {
            let known = "known: sha256d (btc), randomx-v1 and cryptonight (xmr)";
            Failure::usage(format!("no coin is mined with {algorithm:?}"), known)
        });
    }
    if let Some(name) = &arguments.machine {
        let catalogue = Catalogue::built_in();
        let earns = |coin: &Coin| proofs(*coin).iter().any(|proof| catalogue.find(name, Some(proof.algorithm)).is_ok());
        let coins: Vec<Coin> = [Coin::Btc, Coin::Xmr].into_iter().filter(earns).collect();
        if let [coin] = coins[..] {
            return Ok(coin);
        }
        catalogue.find(name, None)?;
    }
    Err(Failure::usage("it isn't said which coin", "give --coin btc or --coin xmr"))
}

fn network(arguments: &CostArguments, benchmark: Option<&Benchmark>) -> Result<Network, Failure> {
    let choice = &arguments.network;
    let known = arguments.coin.is_some() || benchmark.is_some() || arguments.machine.is_some();
    let node = match &choice.network_json {
        // Where nothing else says which coin, the node does.
        Some(path) if !known && arguments.algorithm.is_none() => Some(network::node(path, None)?),
        Some(path) => Some(network::node(path, Some(coin(arguments, benchmark)?))?),
        None => None,
    };
    let coin = match &node {
        Some(node) => node.coin,
        None => coin(arguments, benchmark)?,
    };
    let given = match (node, &choice.difficulty) {
        (Some(node), _) => Some(node),
        (None, Some(difficulty)) => Some(NetworkPoint::with_difficulty(coin, difficulty, choice.height)?),
        (None, None) => None,
    };
    if given.is_some() && choice.epochs.is_some() && choice.from.is_none() {
        let message = "--epochs and a difficulty ask for different things";
        return Err(Failure::usage(message, "leave one of them out, or give a window"));
    }
    if let (Some(from), Some(to)) = (choice.from, choice.to) {
        return over_window(choice, coin, Window::new(from, to)?, given.as_ref());
    }
    let point = match (given, choice.height, &choice.epochs) {
        (Some(given), ..) => given,
        (None, Some(height), epochs) => network::history(coin, epochs.as_deref())?.point(height)?,
        (None, None, Some(path)) => {
            let history = network::history(coin, Some(path))?;
            history.point(history.height_on(history.last_day())?)?
        }
        (None, None, None) => NetworkPoint::snapshot(coin),
    };
    Ok(Network::Point { point, days: DEFAULT_WINDOW_DAYS })
}

fn over_window(
    choice: &NetworkChoice,
    coin: Coin,
    window: Window,
    given: Option<&NetworkPoint>,
) -> Result<Network, Failure> {
    let history = network::history(coin, choice.epochs.as_deref())?;
    if let Some(point) = given {
        // A node's height is that of now; the window's days have their own.
        let height = point.height.filter(|_| choice.height.is_some());
        return Ok(Network::held(&history, window, &NetworkPoint { height, ..point.clone() })?);
    }
    if choice.height.is_some() {
        let message = "--height and a window ask for different things";
        return Err(Failure::usage(message, "leave one of them out, or give --difficulty for the whole window"));
    }
    let network = Network::over(&history, window, choice.growth)?;
    Ok(match (network, &choice.epochs) {
        (Network::Window { coin, window, stretches, source }, Some(path)) => {
            Network::Window { coin, window, stretches, source: format!("{source}; extended by {path:?}") }
        }
        (network, _) => network,
    })
}

/// Says what the library can't know: which assumptions weren't needed, and what a machine's power rests on.
fn notes(arguments: &CostArguments, inputs: &CostInputs) -> Vec<String> {
    let mut notes = Vec::new();
    let is_assumed = match &inputs.network {
        Network::Window { stretches, .. } => stretches.iter().any(|stretch| stretch.basis == Basis::Assumed),
        Network::Point { .. } => false,
    };
    if arguments.network.growth.is_some() && !is_assumed {
        notes.push("--growth isn't used: the window lies within the data".to_owned());
    }
    if let Some(name) = &arguments.machine
        && let Ok(machine) = Catalogue::built_in().find(name, Some(&inputs.algorithm))
    {
        notes.push(provenance(machine, arguments.power.is_some()));
    }
    notes
}

/// Says where a machine's figures come from.
fn provenance(machine: &Machine, own_power: bool) -> String {
    let power = machine.provenance(own_power);
    let note = if machine.note.is_empty() { String::new() } else { format!(" ({})", machine.note) };
    format!("{}{note}: {power}; source: {}", machine.name, machine.source)
}

/// Reads the benchmark that is meant: the one named, or the only one of the coin's algorithm.
fn benchmark(path: &Path, engine: Option<&str>, coin: Option<Coin>) -> Result<Benchmark, Failure> {
    let record = record::read(path)?;
    let all: Vec<String> = record.benchmarks.iter().map(Benchmark::name).collect();
    let is_meant = |benchmark: &Benchmark| match engine {
        Some(name) => benchmark.name() == name,
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
