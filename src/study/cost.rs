//! Coins, energy and money for one machine or a fleet, over one window at one difficulty.

use serde::Serialize;

use crate::coin::{Coin, NetworkPoint};
use crate::interval::Interval;

/// The price of electricity that is taken where none is given, per kWh: what studies of mining commonly assume (USD).
pub const DEFAULT_PRICE_KWH: f64 = 0.05;

/// The window that is taken where none is given, in days.
pub const DEFAULT_WINDOW_DAYS: f64 = 1.0;

const SECONDS_PER_DAY: f64 = 86_400.0;
const JOULES_PER_KWH: f64 = 3_600_000.0;

/// What one machine draws, in the form in which it is known. Gross: with all that the meter covers, idle power too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EnergyRate {
    /// Watts while it computes.
    PowerW(Interval),
    /// Joules for each hash.
    JoulesPerHash(Interval),
}

/// All that determines the cost of a coin.
#[derive(Debug, Clone, PartialEq)]
pub struct CostInputs {
    /// What the rate is a rate of, such as `sha256d`.
    pub algorithm: String,
    /// Hashes per second of one machine.
    pub rate_hps: Interval,
    /// What one machine draws, where it is known.
    pub energy: Option<EnergyRate>,
    /// How many such machines compute.
    pub count: u32,
    /// What the network asks for a block and pays for it.
    pub network: NetworkPoint,
    /// Price of electricity per kWh, in `currency`.
    pub price_kwh: f64,
    /// The currency of all prices, such as `USD`.
    pub currency: String,
    /// Price of one coin, in `currency`, where it is known.
    pub coin_price: Option<f64>,
    /// Length of the window in days.
    pub days: f64,
}

/// The inputs as they stand in the result, so that it can be read alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputFigures {
    /// The coin.
    pub coin: Coin,
    /// What the rate is a rate of.
    pub algorithm: String,
    /// Hashes per second of one machine.
    pub rate_hps: Interval,
    /// Watts of one machine, if that is how its draw was given.
    pub power_w: Option<Interval>,
    /// Joules for each hash, if that is how its draw was given.
    pub energy_j_per_hash: Option<Interval>,
    /// How many such machines compute.
    pub count: u32,
    /// Difficulty in the coin's own unit.
    pub difficulty: f64,
    /// Block height, where one is known.
    pub height: Option<u64>,
    /// What a block pays without fees, in coins.
    pub subsidy: f64,
    /// The day of the network's figures (UTC, `YYYY-MM-DD`), where one is known.
    pub network_as_of: Option<String>,
    /// Where the network's figures come from.
    pub network_source: String,
    /// Price of electricity per kWh, in `currency`.
    pub price_kwh: f64,
    /// The currency of all prices.
    pub currency: String,
    /// Price of one coin, in `currency`.
    pub coin_price: Option<f64>,
    /// Length of the window in days.
    pub window_days: f64,
    /// Power usage effectiveness: what the site draws for each watt of the machines. Always 1 for now.
    pub pue: f64,
}

/// Coins that the fleet can expect over the window. `low` and `high` are the measurement's interval, not luck.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coins {
    /// At the best value of the rate.
    pub mean: f64,
    /// At the rate's lower end.
    pub low: f64,
    /// At the rate's upper end.
    pub high: f64,
}

/// The two ends of a figure's interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The luck of a fleet that mines alone: blocks come as a Poisson process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Solo {
    /// Expected blocks over the window.
    pub expected_blocks: f64,
    /// Probability of at least one block over the window, 0 to 1.
    pub p_any: f64,
    /// Days until the first block is as likely found as not.
    pub median_days: f64,
}

/// Coins, energy and money of the whole fleet over the window. A figure that the inputs don't determine is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// What went in.
    pub inputs: InputFigures,
    /// Expected coins over the window, without fees.
    pub coins: Coins,
    /// Expected coins per day.
    pub coins_per_day: f64,
    /// Expected hashes for one coin of subsidy, on any machine.
    pub hashes_expected_per_coin: f64,
    /// Energy over the window, in kWh.
    pub energy_kwh: Option<f64>,
    /// Energy per coin, in kWh.
    pub energy_per_coin_kwh: Option<f64>,
    /// The interval of the energy per coin, in kWh, from those of rate and energy.
    pub energy_per_coin_kwh_interval: Option<Range>,
    /// Energy per coin for each watt that the whole fleet draws, in kWh: known even where the power isn't.
    pub energy_per_coin_kwh_per_w: f64,
    /// Energy per coin, in joules.
    pub energy_per_coin_j: Option<f64>,
    /// Cost of the electricity over the window.
    pub cost: Option<f64>,
    /// Cost of the electricity per coin.
    pub cost_per_coin: Option<f64>,
    /// Cost of the electricity per coin for each watt that the whole fleet draws: known even where the power isn't.
    pub cost_per_coin_per_w: f64,
    /// What the window's coins sell for.
    pub revenue: Option<f64>,
    /// Revenue less cost.
    pub profit: Option<f64>,
    /// The price of a kWh at which the profit is zero.
    pub break_even_price_kwh: Option<f64>,
    /// The price of a coin at which the profit is zero.
    pub break_even_coin_price: Option<f64>,
    /// The luck of mining alone.
    pub solo: Solo,
    /// The parts of a window that spans several difficulties: none while a window has one.
    pub epochs: [(); 0],
}

/// Why a cost can't be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A rate of one algorithm, asked for a coin of another.
    #[error(
        "algorithm {algorithm}: a rate of {algorithm} earns no {}, because {} blocks are proven with {}",
        .coin.symbol(), .coin.name(), .coin.algorithm()
    )]
    Algorithm {
        /// The algorithm of the rate.
        algorithm: String,
        /// The coin.
        coin: Coin,
    },
    /// An input that no machine or market can have.
    #[error("{name} {value}: {reason}")]
    Value {
        /// The input's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An interval whose ends don't enclose its value, or reach below zero.
    #[error("{name} {value} ({low} to {high}): {reason}")]
    Interval {
        /// The input's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Inputs that are valid one by one, but give a result that no float can hold.
    #[error("{name} {value}: the inputs are too large or too small together to give a finite result")]
    NotFinite {
        /// The result's name.
        name: &'static str,
        /// What came out.
        value: f64,
    },
}

/// Computes what coins cost on one machine or a fleet.
///
/// # Errors
///
/// [`CostError`] where the algorithm doesn't fit the coin, or an input is not finite or has the wrong sign.
pub fn cost(inputs: &CostInputs) -> Result<Cost, CostError> {
    check(inputs)?;
    let per_coin = inputs.network.hashes_expected_per_coin();
    let per_block = inputs.network.hashes_expected_per_block();
    let rate_hps = inputs.rate_hps.scaled(f64::from(inputs.count));
    let coins_per_day = rate_hps.scaled(SECONDS_PER_DAY / per_coin);
    let coins = coins_per_day.scaled(inputs.days);

    let energy_per_coin_kwh = energy_per_hash(inputs).map(|joules| joules.scaled(per_coin / JOULES_PER_KWH));
    let per_coin_kwh = energy_per_coin_kwh.map(|energy| energy.value);
    let energy_kwh = per_coin_kwh.map(|kwh| kwh * coins.value);
    let cost = energy_kwh.map(|kwh| kwh * inputs.price_kwh);
    let cost_per_coin = per_coin_kwh.map(|kwh| kwh * inputs.price_kwh);
    let kwh_per_w = per_coin / rate_hps.value / JOULES_PER_KWH;
    let revenue = inputs.coin_price.map(|price| price * coins.value);

    let blocks_per_day = rate_hps.value * SECONDS_PER_DAY / per_block;
    let expected_blocks = blocks_per_day * inputs.days;
    let result = Cost {
        inputs: shown(inputs),
        coins: Coins { mean: coins.value, low: coins.low, high: coins.high },
        coins_per_day: coins_per_day.value,
        hashes_expected_per_coin: per_coin,
        energy_kwh,
        energy_per_coin_kwh: per_coin_kwh,
        energy_per_coin_kwh_interval: energy_per_coin_kwh.map(|Interval { low, high, .. }| Range { low, high }),
        energy_per_coin_kwh_per_w: kwh_per_w,
        energy_per_coin_j: per_coin_kwh.map(|kwh| kwh * JOULES_PER_KWH),
        cost,
        cost_per_coin,
        cost_per_coin_per_w: kwh_per_w * inputs.price_kwh,
        revenue,
        profit: revenue.zip(cost).map(|(revenue, cost)| revenue - cost),
        break_even_price_kwh: inputs.coin_price.zip(per_coin_kwh).map(|(price, kwh)| price / kwh),
        // Electricity is the only cost so far, so a coin has to fetch just that.
        break_even_coin_price: cost_per_coin,
        solo: Solo {
            expected_blocks,
            // 1 - exp(-x) would lose every digit of a small machine's chance.
            p_any: -(-expected_blocks).exp_m1(),
            median_days: std::f64::consts::LN_2 / blocks_per_day,
        },
        epochs: [],
    };
    check_finite(&result)?;
    Ok(result)
}

/// Joules for each hash, with both intervals taken at their worst together. `None` where the draw is unknown.
fn energy_per_hash(inputs: &CostInputs) -> Option<Interval> {
    let rate_hps = inputs.rate_hps;
    inputs.energy.map(|energy| match energy {
        EnergyRate::JoulesPerHash(joules) => joules,
        EnergyRate::PowerW(power_w) => Interval {
            value: power_w.value / rate_hps.value,
            low: power_w.low / rate_hps.high,
            high: power_w.high / rate_hps.low,
        },
    })
}

fn shown(inputs: &CostInputs) -> InputFigures {
    let network = &inputs.network;
    let (power_w, energy_j_per_hash) = match inputs.energy {
        Some(EnergyRate::PowerW(power_w)) => (Some(power_w), None),
        Some(EnergyRate::JoulesPerHash(joules)) => (None, Some(joules)),
        None => (None, None),
    };
    InputFigures {
        coin: network.coin,
        algorithm: inputs.algorithm.clone(),
        rate_hps: inputs.rate_hps,
        power_w,
        energy_j_per_hash,
        count: inputs.count,
        difficulty: network.difficulty,
        height: network.height,
        subsidy: network.subsidy_coins(),
        network_as_of: network.as_of.clone(),
        network_source: network.source.clone(),
        price_kwh: inputs.price_kwh,
        currency: inputs.currency.clone(),
        coin_price: inputs.coin_price,
        window_days: inputs.days,
        pue: 1.0,
    }
}

fn check(inputs: &CostInputs) -> Result<(), CostError> {
    let coin = inputs.network.coin;
    if inputs.algorithm != coin.algorithm() {
        return Err(CostError::Algorithm { algorithm: inputs.algorithm.clone(), coin });
    }
    check_interval("hash rate in H/s", inputs.rate_hps)?;
    match inputs.energy {
        Some(EnergyRate::PowerW(power_w)) => check_interval("power in W", power_w)?,
        Some(EnergyRate::JoulesPerHash(joules)) => check_interval("energy in J per hash", joules)?,
        None => {}
    }
    if inputs.count == 0 {
        return Err(CostError::Value { name: "count", value: 0.0, reason: "must be at least 1" });
    }
    if !(inputs.days.is_finite() && inputs.days > 0.0) {
        return Err(CostError::Value { name: "window in days", value: inputs.days, reason: "must be above zero" });
    }
    // A price may be zero: power that costs nothing, a coin that nobody buys.
    for (name, price) in [("price per kWh", Some(inputs.price_kwh)), ("coin price", inputs.coin_price)] {
        match price {
            Some(value) if !(value.is_finite() && value >= 0.0) => {
                return Err(CostError::Value { name, value, reason: "must be zero or above" });
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_interval(name: &'static str, interval: Interval) -> Result<(), CostError> {
    let Interval { value, low, high } = interval;
    if !(value.is_finite() && value > 0.0) {
        return Err(CostError::Value { name, value, reason: "must be above zero" });
    }
    let refuse = |reason| Err(CostError::Interval { name, value, low, high, reason });
    if !interval.is_ordered() {
        return refuse("the ends must be finite and enclose the value");
    }
    if low <= 0.0 {
        return refuse("the lower end must be above zero");
    }
    Ok(())
}

/// JSON has no infinity: it would read as null, which means something else here.
fn check_finite(result: &Cost) -> Result<(), CostError> {
    let always = [
        ("coins", result.coins.high),
        ("coins per day", result.coins_per_day),
        ("hashes per coin", result.hashes_expected_per_coin),
        ("energy per coin and watt", result.energy_per_coin_kwh_per_w),
        ("cost per coin and watt", result.cost_per_coin_per_w),
        ("expected blocks", result.solo.expected_blocks),
        ("median days", result.solo.median_days),
    ];
    let sometimes = [
        ("energy in kWh", result.energy_kwh),
        ("energy per coin in J", result.energy_per_coin_j),
        ("energy per coin in kWh", result.energy_per_coin_kwh_interval.map(|range| range.high)),
        ("cost", result.cost),
        ("cost per coin", result.cost_per_coin),
        ("revenue", result.revenue),
        ("profit", result.profit),
        ("break-even price per kWh", result.break_even_price_kwh),
    ];
    let known = sometimes.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    match always.into_iter().chain(known).find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => Err(CostError::NotFinite { name, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Antminer S9 at the difficulty of block 465,696 (10 May 2017).
    fn s9() -> CostInputs {
        CostInputs {
            algorithm: "sha256d".to_owned(),
            rate_hps: Interval::exact(13.5e12),
            energy: Some(EnergyRate::PowerW(Interval::exact(1323.0))),
            count: 1,
            network: NetworkPoint::with_difficulty(Coin::Btc, "559970892890.84", Some(465_696)).unwrap(),
            price_kwh: 0.05,
            currency: "USD".to_owned(),
            coin_price: Some(2466.0),
            days: 1.0,
        }
    }

    /// A desktop processor of 19.9 kH/s at 100 W, such as a Ryzen 9 9950X, on the built-in Monero network.
    fn ryzen() -> CostInputs {
        CostInputs {
            algorithm: "randomx-v1".to_owned(),
            rate_hps: Interval::exact(19_900.0),
            energy: Some(EnergyRate::PowerW(Interval::exact(100.0))),
            network: NetworkPoint::snapshot(Coin::Xmr),
            coin_price: None,
            ..s9()
        }
    }

    #[track_caller]
    fn assert_near(actual: f64, expected: f64) {
        assert!((actual / expected - 1.0).abs() < 1e-12, "{actual} is not {expected}");
    }

    #[test]
    fn an_s9_in_may_2017() {
        // D = 559970892890.84 -> target floor(0xffff * 2^208 / D) -> W = 2405093370490492629557 hashes per block.
        // Hashes per coin: W / 12.5 = 192407469639239410364.56.
        let s9 = cost(&s9()).unwrap();
        assert_near(s9.hashes_expected_per_coin, 192_407_469_639_239_410_364.56);
        // Coins per day: 13.5e12 * 86400 / 192407469639239410364.56 = 0.006062134709151257.
        assert_near(s9.coins_per_day, 0.006_062_134_709_151_257);
        assert_eq!(s9.coins.mean, s9.coins_per_day);
        assert_eq!((s9.coins.low, s9.coins.high), (s9.coins.mean, s9.coins.mean));
        // 1.323 kW * 24 h = 31.752 kWh; / 0.006062134709151257 = 5237.758895734851 kWh per coin.
        assert_near(s9.energy_kwh.unwrap(), 31.752);
        assert_near(s9.energy_per_coin_kwh.unwrap(), 5_237.758_895_734_851);
        assert_near(s9.energy_per_coin_j.unwrap(), 18_855_932_024.645_462);
        // At 0.05: 1.5876 per day and 261.88794478674254 per coin.
        assert_near(s9.cost.unwrap(), 1.5876);
        assert_near(s9.cost_per_coin.unwrap(), 261.887_944_786_742_54);
        assert_eq!(s9.break_even_coin_price, s9.cost_per_coin);
        // At 2466 per coin: 2466 * 0.006062134709151257 = 14.949224192767002 per day.
        assert_near(s9.revenue.unwrap(), 14.949_224_192_767_002);
        assert_near(s9.profit.unwrap(), 13.361_624_192_767_001);
        assert_near(s9.break_even_price_kwh.unwrap(), 0.470_812_049_406_872_05);
        // Expected blocks: 0.006062134709151257 / 12.5; ln 2 / that = 1429 days.
        assert_near(s9.solo.expected_blocks, 0.000_484_970_776_732_100_6);
        assert_near(s9.solo.p_any, 0.000_484_853_197_413_237_87);
        assert_near(s9.solo.median_days, 1_429.255_563_047_754_5);
    }

    #[test]
    fn a_desktop_processor_on_the_built_in_network() {
        // 684042855887 / 0.6 = 1140071426478.33 hashes per coin; 19900 * 86400 / that = 0.001508116035598824 per day.
        let ryzen = cost(&ryzen()).unwrap();
        assert_near(ryzen.coins_per_day, 0.001_508_116_035_598_824);
        // 2.4 kWh per day / 0.001508116035598824 = 1591.3894841964452 kWh per coin; at 0.05, 79.56947420982226.
        assert_near(ryzen.energy_per_coin_kwh.unwrap(), 1_591.389_484_196_445_2);
        assert_near(ryzen.cost_per_coin.unwrap(), 79.569_474_209_822_26);
        assert_eq!((ryzen.revenue, ryzen.profit, ryzen.break_even_price_kwh), (None, None, None));
        assert_eq!(ryzen.break_even_coin_price, ryzen.cost_per_coin);
    }

    #[test]
    fn without_power_the_figures_per_watt_remain() {
        let unknown = cost(&CostInputs { energy: None, coin_price: Some(300.0), ..ryzen() }).unwrap();
        // 1591.3894841964452 kWh at 100 W.
        assert_near(unknown.energy_per_coin_kwh_per_w, 15.913_894_841_964_452);
        assert_near(unknown.cost_per_coin_per_w, 0.795_694_742_098_222_6);
        assert_eq!((unknown.energy_kwh, unknown.energy_per_coin_kwh, unknown.energy_per_coin_j), (None, None, None));
        assert_eq!((unknown.cost, unknown.cost_per_coin, unknown.profit), (None, None, None));
        assert_eq!((unknown.break_even_price_kwh, unknown.break_even_coin_price), (None, None));
        assert_eq!(unknown.energy_per_coin_kwh_interval, None);
        assert_near(unknown.revenue.unwrap(), 300.0 * 0.001_508_116_035_598_824);
        // The known power agrees with the figures per watt.
        let known = cost(&ryzen()).unwrap();
        assert_near(known.energy_per_coin_kwh.unwrap(), known.energy_per_coin_kwh_per_w * 100.0);
    }

    #[test]
    fn profit_is_zero_at_either_break_even_price() {
        let s9_cost = cost(&s9()).unwrap();
        let by_power = cost(&CostInputs { price_kwh: s9_cost.break_even_price_kwh.unwrap(), ..s9() }).unwrap();
        let by_coin = cost(&CostInputs { coin_price: s9_cost.break_even_coin_price, ..s9() }).unwrap();
        for at_break_even in [by_power, by_coin] {
            assert!(at_break_even.profit.unwrap().abs() < 1e-9 * at_break_even.revenue.unwrap());
        }
    }

    #[test]
    fn energy_per_hash_says_the_same_as_power() {
        // 1323 W / 13.5 TH/s = 98 J/TH exactly.
        let joules = EnergyRate::JoulesPerHash(Interval::exact(98e-12));
        let by_hash = cost(&CostInputs { energy: Some(joules), ..s9() }).unwrap();
        assert_near(by_hash.energy_per_coin_kwh.unwrap(), 5_237.758_895_734_851);
        assert_near(by_hash.energy_kwh.unwrap(), 31.752);
        assert_eq!(by_hash.inputs.power_w, None);
        assert_eq!(by_hash.inputs.energy_j_per_hash, Some(Interval::exact(98e-12)));
    }

    #[test]
    fn a_fleet_earns_and_draws_in_proportion() {
        let one = cost(&s9()).unwrap();
        let fleet = cost(&CostInputs { count: 1000, days: 51.0, ..s9() }).unwrap();
        assert_near(fleet.coins.mean, one.coins.mean * 51_000.0);
        assert_near(fleet.coins_per_day, one.coins_per_day * 1000.0);
        assert_near(fleet.energy_kwh.unwrap(), 31.752 * 51_000.0);
        assert_near(fleet.cost.unwrap(), 1.5876 * 51_000.0);
        assert_near(fleet.energy_per_coin_kwh.unwrap(), one.energy_per_coin_kwh.unwrap());
        assert_near(fleet.energy_per_coin_kwh_per_w * 1000.0, one.energy_per_coin_kwh_per_w);
        assert_near(fleet.solo.median_days * 1000.0, one.solo.median_days);
        // 24.7335096133 blocks are expected, so none comes with probability e^-24.7335096133 = 1.8129e-11.
        assert!((1.0 - fleet.solo.p_any - 1.8129e-11).abs() < 1e-15, "{}", fleet.solo.p_any);
    }

    #[test]
    fn both_intervals_reach_the_energy_per_coin() {
        let rate_hps = Interval { value: 10.0, low: 8.0, high: 12.5 };
        let power_w = Interval { value: 100.0, low: 90.0, high: 120.0 };
        let inputs = CostInputs { rate_hps, energy: Some(EnergyRate::PowerW(power_w)), ..ryzen() };
        let result = cost(&inputs).unwrap();
        assert_near(result.coins.low, result.coins.mean * 0.8);
        assert_near(result.coins.high, result.coins.mean * 1.25);
        let value = result.energy_per_coin_kwh.unwrap();
        let range = result.energy_per_coin_kwh_interval.unwrap();
        assert_near(range.low, value * 0.72); // 90/12.5 = 7.2 J per hash, against 10
        assert_near(range.high, value * 1.5); // 120/8 = 15
        // Joules per hash are already a quotient: their own interval is all there is.
        let joules = Interval { value: 10.0, low: 9.0, high: 12.0 };
        let range = cost(&CostInputs { energy: Some(EnergyRate::JoulesPerHash(joules)), ..inputs })
            .unwrap()
            .energy_per_coin_kwh_interval
            .unwrap();
        assert_near(range.low, value * 0.9);
        assert_near(range.high, value * 1.2);
    }

    #[test]
    fn tiny_chances_keep_their_digits() {
        let result = cost(&CostInputs { rate_hps: Interval::exact(1.0), ..s9() }).unwrap();
        assert_near(result.solo.p_any, result.solo.expected_blocks);
        assert!(result.solo.p_any > 0.0);
    }

    #[test]
    fn a_rate_earns_only_on_its_own_coin() {
        for (inputs, algorithm, text) in [
            (
                s9(),
                "randomx-v1",
                "algorithm randomx-v1: a rate of randomx-v1 earns no BTC, because Bitcoin blocks are proven \
                 with sha256d",
            ),
            (
                ryzen(),
                "randomx-v2",
                "algorithm randomx-v2: a rate of randomx-v2 earns no XMR, because Monero blocks are proven \
                 with randomx-v1",
            ),
        ] {
            let error = cost(&CostInputs { algorithm: algorithm.to_owned(), ..inputs }).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn impossible_inputs_are_refused_by_name() {
        let rate = |value| CostInputs { rate_hps: Interval::exact(value), ..s9() };
        let power = |interval| CostInputs { energy: Some(EnergyRate::PowerW(interval)), ..s9() };
        let joules = |value| CostInputs { energy: Some(EnergyRate::JoulesPerHash(Interval::exact(value))), ..s9() };
        for (inputs, text) in [
            (rate(0.0), "hash rate in H/s 0: must be above zero"),
            (rate(-1.0), "hash rate in H/s -1: must be above zero"),
            (rate(f64::NAN), "hash rate in H/s NaN: must be above zero"),
            (rate(f64::INFINITY), "hash rate in H/s inf: must be above zero"),
            (power(Interval::exact(0.0)), "power in W 0: must be above zero"),
            (
                power(Interval { value: 65.0, low: 70.0, high: 80.0 }),
                "power in W 65 (70 to 80): the ends must be finite and enclose the value",
            ),
            (
                power(Interval { value: 65.0, low: 0.0, high: 80.0 }),
                "power in W 65 (0 to 80): the lower end must be above zero",
            ),
            (joules(-1e-9), "energy in J per hash -0.000000001: must be above zero"),
            (CostInputs { count: 0, ..s9() }, "count 0: must be at least 1"),
            (CostInputs { days: 0.0, ..s9() }, "window in days 0: must be above zero"),
            (CostInputs { price_kwh: -0.05, ..s9() }, "price per kWh -0.05: must be zero or above"),
            (CostInputs { coin_price: Some(f64::NAN), ..s9() }, "coin price NaN: must be zero or above"),
        ] {
            assert_eq!(cost(&inputs).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn results_that_no_float_holds_are_errors_and_not_nulls() {
        let error = cost(&CostInputs { price_kwh: 1e308, ..s9() }).unwrap_err();
        assert!(matches!(error, CostError::NotFinite { .. }), "{error}");
        let free = cost(&CostInputs { price_kwh: 0.0, ..s9() }).unwrap();
        assert_eq!((free.cost, free.cost_per_coin), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn the_json_has_its_fields_and_unknown_ones_are_null() {
        let json = serde_json::to_value(cost(&CostInputs { energy: None, ..ryzen() }).unwrap()).unwrap();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "break_even_coin_price",
                "break_even_price_kwh",
                "coins",
                "coins_per_day",
                "cost",
                "cost_per_coin",
                "cost_per_coin_per_w",
                "energy_kwh",
                "energy_per_coin_j",
                "energy_per_coin_kwh",
                "energy_per_coin_kwh_interval",
                "energy_per_coin_kwh_per_w",
                "epochs",
                "hashes_expected_per_coin",
                "inputs",
                "profit",
                "revenue",
                "solo",
            ]
        );
        assert!(json["energy_per_coin_kwh"].is_null() && json["inputs"]["power_w"].is_null());
        assert_eq!(json["epochs"], serde_json::json!([]));
        assert_eq!(
            json["inputs"],
            serde_json::json!({
                "coin": "xmr",
                "algorithm": "randomx-v1",
                "rate_hps": {"value": 19900.0, "low": 19900.0, "high": 19900.0},
                "power_w": null,
                "energy_j_per_hash": null,
                "count": 1,
                "difficulty": 684_042_855_887.0,
                "height": 3_707_000,
                "subsidy": 0.6,
                "network_as_of": "2026-06-27",
                "network_source": "built in: mean of blocks 3661900 to 3707000, from Monero's checkpoints",
                "price_kwh": 0.05,
                "currency": "USD",
                "coin_price": null,
                "window_days": 1.0,
                "pue": 1.0,
            })
        );
    }
}
