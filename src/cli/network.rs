//! `hashwatt network`: what a coin's network asked for a block and paid for it; and where such figures are read.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::coin_args::NetworkArguments;
use super::exit::Failure;
use super::output::Output;
use crate::coin::history::{CheckpointTable, EpochTable, History, HistoryError, format_day, format_moment};
use crate::coin::{Coin, NetworkPoint, proof_at, read_node};
use crate::report::units::{format_count, group_thousands};

/// The figures of a Bitcoin block.
#[derive(Debug, Serialize)]
struct BitcoinFigures {
    coin: Coin,
    height: u64,
    /// Whether the height was asked for, or is the one at the end of a day, estimated.
    height_is: &'static str,
    bits: String,
    target: String,
    difficulty: f64,
    /// Exact: more digits than a float has.
    expected_hashes: u128,
    subsidy: f64,
    subsidy_sat: u64,
    algorithm: &'static str,
    epoch_start: String,
    epoch_start_height: u64,
    date: String,
    data_until: String,
}

/// The figures of a Monero block.
#[derive(Debug, Serialize)]
struct MoneroFigures {
    coin: Coin,
    height: u64,
    height_is: &'static str,
    /// The mean of the blocks from `interval_from` to `interval_to`.
    difficulty: u128,
    /// `checkpoints`, which is exact, or `block times` between them.
    difficulty_from: &'static str,
    /// The exact mean between the two checkpoints around the block.
    checkpoint_mean: u128,
    expected_hashes: u128,
    interval_from: u64,
    interval_to: u64,
    reward: f64,
    reward_piconero: u64,
    algorithm: &'static str,
    proof_of_work: &'static str,
    date: String,
    data_until: String,
}

pub(super) fn run(arguments: &NetworkArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let history = history(arguments.coin, arguments.epochs.as_deref())?;
    let (height, height_is) = match (arguments.date, arguments.height) {
        (Some(day), _) => (history.height_on(day)?, "estimated"),
        (None, Some(height)) => (height, "given"),
        (None, None) => return Err(Failure::usage("it isn't said when", "give --date DATE or --height H")),
    };
    let point = history.point(height)?;
    // On its day a height that was estimated from a day has that very day.
    let date = arguments.date.map_or_else(|| format_day(history.time_of(height)), |day| day.to_string());
    match &history {
        History::Bitcoin(table) => {
            let figures = bitcoin(table, &history, &point, height, height_is, date)?;
            if output.json { output.json(&figures)? } else { print_bitcoin(&figures, output)? }
        }
        History::Monero(table) => {
            let figures = monero(table, &history, &point, height, height_is, date)?;
            if output.json { output.json(&figures)? } else { print_monero(&figures, output)? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn bitcoin(
    table: &EpochTable,
    history: &History,
    point: &NetworkPoint,
    height: u64,
    height_is: &'static str,
    date: String,
) -> Result<BitcoinFigures, HistoryError> {
    let epoch = table.epoch_of(height)?;
    Ok(BitcoinFigures {
        coin: Coin::Btc,
        height,
        height_is,
        bits: epoch.bits.to_string(),
        target: epoch.target.to_string(),
        difficulty: point.difficulty,
        expected_hashes: point.hashes_per_block.saturating_to(),
        subsidy: point.subsidy_coins(),
        subsidy_sat: point.subsidy_units,
        algorithm: proof_at(Coin::Btc, height).algorithm,
        epoch_start: format_moment(epoch.start_s),
        epoch_start_height: epoch.height,
        date,
        data_until: history.last_day().to_string(),
    })
}

fn monero(
    table: &CheckpointTable,
    history: &History,
    point: &NetworkPoint,
    height: u64,
    height_is: &'static str,
    date: String,
) -> Result<MoneroFigures, HistoryError> {
    let mean = table.mean_at(height)?;
    let proof = proof_at(Coin::Xmr, height);
    Ok(MoneroFigures {
        coin: Coin::Xmr,
        height,
        height_is,
        difficulty: mean.difficulty,
        difficulty_from: if mean.is_derived { "block times" } else { "checkpoints" },
        checkpoint_mean: table.exact_mean_at(height)?.difficulty,
        expected_hashes: mean.difficulty,
        interval_from: mean.after + 1,
        interval_to: mean.to,
        reward: point.subsidy_coins(),
        reward_piconero: point.subsidy_units,
        algorithm: proof.algorithm,
        proof_of_work: proof.name,
        date,
        data_until: history.last_day().to_string(),
    })
}

fn print_bitcoin(figures: &BitcoinFigures, output: &mut Output) -> Result<(), Failure> {
    let about = if figures.height_is == "estimated" { "about " } else { "" };
    output.heading(&format!("Bitcoin, {about}block {} ({})", format_count(figures.height), figures.date))?;
    let rows = [
        ("difficulty", group_thousands(&format!("{:.2}", figures.difficulty))),
        ("bits", figures.bits.clone()),
        ("target", figures.target.clone()),
        ("hashes per block", group_thousands(&figures.expected_hashes.to_string())),
        ("subsidy", format!("{} BTC", figures.subsidy)),
        ("proof of work", "SHA-256d".to_owned()),
        ("epoch began", format!("{}, block {}", figures.epoch_start, format_count(figures.epoch_start_height))),
    ];
    print_rows(&rows, output)?;
    output.remark(&format!("Bitcoin's epochs are known until {}", figures.data_until))?;
    Ok(())
}

fn print_monero(figures: &MoneroFigures, output: &mut Output) -> Result<(), Failure> {
    let about = if figures.height_is == "estimated" { "about " } else { "" };
    output.heading(&format!("Monero, {about}block {} ({})", format_count(figures.height), figures.date))?;
    let (from, to) = (format_count(figures.interval_from), format_count(figures.interval_to));
    let difficulty = format_count(figures.difficulty);
    let rows = [
        ("difficulty", format!("{difficulty}, the mean of blocks {from} to {to}, by {}", figures.difficulty_from)),
        ("hashes per block", difficulty.clone()),
        ("reward", format!("{:.6} XMR", figures.reward)),
        ("proof of work", figures.proof_of_work.to_owned()),
    ];
    print_rows(&rows, output)?;
    output.remark(&format!("Monero's checkpoints are known until {}", figures.data_until))?;
    Ok(())
}

fn print_rows(rows: &[(&str, String)], output: &mut Output) -> Result<(), Failure> {
    for (name, value) in rows {
        output.line(&format!("  {name:<21} {value}"))?;
    }
    Ok(())
}

/// Makes a coin's history, extended by a file where one is given.
pub(super) fn history(coin: Coin, epochs: Option<&Path>) -> Result<History, Failure> {
    let mut history = History::built_in(coin);
    if let Some(path) = epochs {
        let History::Bitcoin(table) = &mut history else {
            return Err(Failure::usage(
                "--epochs extends Bitcoin's history, but the coin is Monero, which has no epochs",
                "give --difficulty D or --network-json FILE",
            ));
        };
        let text = read(path)?;
        table.extend(&text).map_err(|error| {
            Failure::usage(
                format!("{path:?}: {error}"),
                "data/bitcoin_epochs.csv shows the form; Electrum's checkpoints.json of the main network will do",
            )
        })?;
    }
    Ok(history)
}

/// Reads the figures that a node printed: from a file, or from standard input for `-`.
pub(super) fn node(path: &Path, coin: Option<Coin>) -> Result<NetworkPoint, Failure> {
    let text = read(path)?;
    let point = read_node(&text, coin).map_err(|error| {
        let help =
            "bitcoin-cli getblockchaininfo or getmininginfo prints it for Bitcoin, monerod's get_info for Monero";
        Failure::usage(format!("{path:?}: {error}"), help)
    })?;
    let source = format!("{} from {path:?}", point.source);
    Ok(NetworkPoint { source, ..point })
}

fn read(path: &Path) -> Result<String, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| Failure::usage(format!("can't read {path:?}: {error}"), ""))
}
