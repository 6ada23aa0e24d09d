//! What `cost` and `network` take.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use crate::coin::Coin;
use crate::coin::history::{Growth, parse_day};
use crate::interval::Interval;
use crate::study::cost::DEFAULT_PRICE_KWH;
use crate::study::values::{interval, part, positive, price, pue, share};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt cost record.json --engine randomx-v1/cpu/jit+fast
  hashwatt cost --machine 'Antminer S9' --from 2017-05-17 --to 2017-07-06 --coin-price 2466
  hashwatt cost --coin btc --hashrate 13.5T --power 1323W±7% --height 465696
  hashwatt cost --machine S21 --count 10 --from 2026-07-01 --to 2027-06-30 --growth 2%/epoch --epochs checkpoints.json
  bitcoin-cli getblockchaininfo | hashwatt cost --machine S21 --network-json - --coin-price 60000

Coins are those that reach the owner: with --fees on top, less --pool-fee and --stale. Energy is that of the site, with
--pue. What the inputs don't determine is absent, with the reason.")]
pub(super) struct CostArguments {
    /// A record, for the rate and the energy
    #[arg(value_name = "RECORD", conflicts_with_all = ["hashrate", "machine"])]
    pub(super) record: Option<PathBuf>,
    /// Which engine of the record; of a sweep ID@THREADS
    #[arg(long, value_name = "ID", requires = "record")]
    pub(super) engine: Option<String>,
    /// A machine of the built-in catalogue, such as 'Antminer S9': case, signs and makers don't count
    #[arg(long, value_name = "NAME", conflicts_with = "hashrate")]
    pub(super) machine: Option<String>,
    /// A rate in hashes per second, such as 13.5T or 13.5T±2%
    #[arg(
        long,
        value_name = "RATE",
        required_unless_present_any = ["record", "machine"],
        value_parser = |text: &str| interval(text, "H/s"),
    )]
    pub(super) hashrate: Option<Interval>,
    /// The power that one machine draws, such as 1323W or 1323W±7%
    #[arg(long, value_name = "POWER", value_parser = |text: &str| interval(text, "W"))]
    pub(super) power: Option<Interval>,
    /// How many such machines
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) count: u32,
    /// The coin: btc or xmr [default: the one that the record's or the machine's algorithm mines]
    #[arg(long)]
    pub(super) coin: Option<Coin>,
    /// What the rate is a rate of: sha256d, randomx-v1 or cryptonight [default: the coin's algorithm at that date]
    #[arg(long, value_name = "NAME")]
    pub(super) algorithm: Option<String>,
    #[command(flatten)]
    pub(super) network: NetworkChoice,
    /// The price of electricity per kWh
    #[arg(long, value_name = "PRICE", default_value_t = DEFAULT_PRICE_KWH, value_parser = price)]
    pub(super) price_kwh: f64,
    /// The currency of the prices
    #[arg(long, value_name = "NAME", default_value = "USD")]
    pub(super) currency: String,
    /// The price of one coin
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub(super) coin_price: Option<f64>,
    /// What the site draws for each watt of the machines: cooling, losses
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = pue)]
    pub(super) pue: f64,
    /// What the pool keeps, such as 2% or 0.02
    #[arg(long, value_name = "PART", default_value = "0", value_parser = part)]
    pub(super) pool_fee: f64,
    /// The part of the work that comes too late to be paid, such as 1%
    #[arg(long, value_name = "PART", default_value = "0", value_parser = part)]
    pub(super) stale: f64,
    /// The fees of transactions on top of the subsidy, as a part of it, such as 5%
    #[arg(long, value_name = "PART", default_value = "0", value_parser = share)]
    pub(super) fees: f64,
    /// From how many coins on the pool pays out
    #[arg(long, value_name = "COINS", value_parser = positive)]
    pub(super) payout_threshold: Option<f64>,
    /// The price of one machine, spread over its life
    #[arg(long, value_name = "PRICE", value_parser = price, requires = "life_years")]
    pub(super) capex: Option<f64>,
    /// How many years a machine serves
    #[arg(long, value_name = "YEARS", value_parser = positive, requires = "capex")]
    pub(super) life_years: Option<f64>,
    /// The yearly rate at which the price of a machine is discounted, such as 8%
    #[arg(long, value_name = "PART", default_value = "0", value_parser = part, requires = "capex")]
    pub(super) discount: f64,
}

/// Which figures of the network count: those of a window, a height, a difficulty, or a node.
#[derive(Debug, Args)]
pub(super) struct NetworkChoice {
    /// The first day of a window (UTC), such as 2017-05-17
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires = "to")]
    pub(super) from: Option<Date>,
    /// The last day of the window, which is part of it
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires = "from")]
    pub(super) to: Option<Date>,
    /// The block whose difficulty and subsidy count; with --difficulty its subsidy only
    #[arg(long, value_name = "H", conflicts_with = "network_json")]
    pub(super) height: Option<u64>,
    /// The network's difficulty [default: a dated one that is built in]
    #[arg(long, value_name = "D", conflicts_with = "network_json")]
    pub(super) difficulty: Option<String>,
    /// The network's figures as a node prints them: getblockchaininfo or getmininginfo of bitcoin-cli, get_info of
    /// monerod; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) network_json: Option<PathBuf>,
    /// More of Bitcoin's history: a table with the columns height, bits and start_utc, or Electrum's checkpoints.json
    #[arg(long, value_name = "FILE")]
    pub(super) epochs: Option<PathBuf>,
    /// How the difficulty grows past the data, such as 3%/epoch (of 2016 blocks), 5%/month or 40%/year
    #[arg(
        long,
        value_name = "GROWTH",
        requires = "from",
        conflicts_with_all = ["difficulty", "network_json"],
        allow_hyphen_values = true,
    )]
    pub(super) growth: Option<Growth>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("when").required(true).args(["date", "height"])))]
#[command(after_help = "\
Examples:
  hashwatt network btc --date 2017-05-17
  hashwatt network btc --height 840000
  hashwatt network xmr --date 2018-02-01")]
pub(super) struct NetworkArguments {
    /// The coin: btc or xmr
    pub(super) coin: Coin,
    /// The day (UTC) at whose end the figures hold
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub(super) date: Option<Date>,
    /// The block whose figures they are
    #[arg(long, value_name = "H")]
    pub(super) height: Option<u64>,
    /// More of Bitcoin's history: a table with the columns height, bits and start_utc, or Electrum's checkpoints.json
    #[arg(long, value_name = "FILE")]
    pub(super) epochs: Option<PathBuf>,
}
