//! What `cost` and `network` take.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use crate::coin::Coin;
use crate::coin::history::{Growth, parse_day};
use crate::interval::Interval;
use crate::report::units::parse_quantity;
use crate::study::cost::DEFAULT_PRICE_KWH;

/// Above any price of a coin, a machine or a kWh, in any currency.
const PRICE_MAX: f64 = 1e15;

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

/// Reads a quantity with or without its uncertainty: `13.5T`, `1323W±7%`, `65W+-5%`.
fn interval(text: &str, unit: &'static str) -> Result<Interval, String> {
    let (quantity, percent) = match text.split_once('±').or_else(|| text.split_once("+-")) {
        Some((quantity, percent)) => (quantity, Some(percent)),
        None => (text, None),
    };
    let value = parse_quantity(quantity, unit).map_err(|error| error.to_string())?;
    let Some(percent) = percent else { return Ok(Interval::exact(value)) };
    let fraction = percent
        .trim()
        .strip_suffix('%')
        .and_then(decimal_percent)
        .filter(|fraction| (0.0..1.0).contains(fraction))
        .ok_or_else(|| format!("the uncertainty {percent:?} is no percentage from 0% to below 100%"))?;
    Ok(Interval { value, low: value * (1.0 - fraction), high: value * (1.0 + fraction) })
}

/// Reads a plain decimal number of percent as a fraction.
fn decimal_percent(number: &str) -> Option<f64> {
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // The exponent is part of the number, so that 5 % is the double nearest to 0.05.
    if is_plain { format!("{number}e-2").parse().ok() } else { None }
}

/// Reads a part of something, such as 2% or 0.02: from 0 to below 1.
fn part(text: &str) -> Result<f64, String> {
    match share(text)? {
        part if part < 1.0 => Ok(part),
        _ if text.contains('%') => Err("expected less than 100%".to_owned()),
        _ => Err(format!("expected a part below 1, or a percentage such as {}%", text.trim())),
    }
}

/// Reads a part that may be more than all: from 0 to a hundredfold.
fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let fraction = match text.strip_suffix('%') {
        Some(number) => decimal_percent(number.trim()),
        None => text.parse().ok(),
    };
    match fraction {
        Some(fraction) if (0.0..=100.0).contains(&fraction) => Ok(fraction),
        Some(_) => Err("expected a part from 0 on, and no more than a hundredfold".to_owned()),
        None => Err("expected a part such as 2% or 0.02".to_owned()),
    }
}

/// Reads a price: any number from 0 on that a market could have.
pub(super) fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if (0.0..=PRICE_MAX).contains(&price) => Ok(price),
        Ok(price) if price > PRICE_MAX => Err(format!("no market has a price above {PRICE_MAX:e}")),
        Ok(_) => Err("a price is a number from 0 on".to_owned()),
        Err(_) => Err("expected a number, such as 0.05".to_owned()),
    }
}

fn pue(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pue) if (1.0..=10.0).contains(&pue) => Ok(pue),
        Ok(_) => Err("a site draws what its machines draw, and more: expected 1 to 10".to_owned()),
        Err(_) => Err("expected a number, such as 1.1".to_owned()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        Ok(_) => Err("expected a number above zero".to_owned()),
        Err(_) => Err("expected a number, such as 3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_may_tell_their_uncertainty() {
        assert_eq!(interval("13.5T", "H/s"), Ok(Interval::exact(13.5e12)));
        for text in ["1000W±7%", "1kW±7%", "1000W+-7%", "1000 W ± 7%"] {
            let power = interval(text, "W").unwrap();
            for (computed, exact) in [(power.value, 1000.0), (power.low, 930.0), (power.high, 1070.0)] {
                assert!((computed / exact - 1.0_f64).abs() < 1e-12, "{text}: {computed}");
            }
        }
        for text in ["1000W±7", "1000W±-7%", "1000W±100%", "1000W±x%", "1000W±%", "W±7%", "±7%"] {
            assert!(interval(text, "W").is_err(), "{text}");
        }
    }

    #[test]
    fn parts_are_percentages_or_fractions() {
        assert_eq!((part("2%"), part("0.02"), part("0"), part(" 8 % ")), (Ok(0.02), Ok(0.02), Ok(0.0), Ok(0.08)));
        assert_eq!(share("150%"), Ok(1.5));
        assert_eq!(part("8"), Err("expected a part below 1, or a percentage such as 8%".to_owned()));
        for text in ["-1%", "-0.1", "100%", "nan", "inf", "x", "", "1e400"] {
            assert!(part(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prices_that_no_market_has_are_refused() {
        assert_eq!((price("0.05"), price("0")), (Ok(0.05), Ok(0.0)));
        for text in ["-1", "nan", "inf", "1e300", "1e16", "five"] {
            assert!(price(text).is_err(), "{text}");
        }
        assert!(pue("0.9").is_err() && pue("1.1").is_ok() && pue("11").is_err());
        assert!(positive("0").is_err() && positive("3").is_ok());
    }
}
