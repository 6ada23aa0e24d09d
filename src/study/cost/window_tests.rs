//! Costs over windows of history, and with all that stands between a hash and a profit.

use jiff::civil::{Date, date};

use super::tests::{assert_near, ryzen, s9};
use super::*;
use crate::coin::NetworkPoint;
use crate::coin::history::{Growth, History, Window};
use crate::interval::Interval;

fn over(coin: Coin, from: Date, to: Date, growth: Option<Growth>) -> Network {
    Network::over(&History::built_in(coin), Window::new(from, to).unwrap(), growth).unwrap()
}

fn first_window(coin: Coin) -> Network {
    over(coin, date(2017, 5, 17), date(2017, 7, 6), None)
}

fn second_window(coin: Coin) -> Network {
    over(coin, date(2018, 1, 24), date(2018, 3, 15), None)
}

/// The figures of the articles' two windows of 51 days, by exact rational arithmetic elsewhere.
#[test]
fn an_s9_over_the_two_windows() {
    for (network, coins, kwh_per_coin, p_any) in [
        (first_window(Coin::Btc), 0.266_00, 6_088.0, 0.021_056),
        (second_window(Coin::Btc), 0.059_94, 27_015.0, 0.004_784),
    ] {
        let result = cost(&CostInputs { network, ..s9() }).unwrap();
        assert!((result.coins.mean / coins - 1.0).abs() < 1e-3, "{}", result.coins.mean);
        assert!((result.energy_per_coin_kwh.unwrap() / kwh_per_coin - 1.0).abs() < 1e-3);
        assert_near(result.energy_kwh.unwrap(), 1.323 * 24.0 * 51.0);
        assert!((result.solo.p_any / p_any - 1.0).abs() < 1e-3, "{}", result.solo.p_any);
        // 1 - exp(-coins / 12.5), as each block pays 12.5.
        assert_near(result.solo.expected_blocks, result.coins.mean / 12.5);
        assert_near(result.inputs.subsidy, 12.5);
        assert_eq!(result.inputs.window_days, 51.0);
        let sum = |of: fn(&EpochCost) -> f64| result.epochs.iter().map(of).sum::<f64>();
        assert_near(sum(|epoch| epoch.coins), result.coins.mean);
        assert_near(sum(|epoch| epoch.energy_kwh.unwrap()), result.energy_kwh.unwrap());
        assert_near(sum(|epoch| epoch.days), 51.0);
        assert!(result.epochs.iter().all(|epoch| epoch.basis == "known"));
    }
}

#[test]
fn a_constant_difficulty_of_the_mean_gives_as_many_blocks() {
    let result = cost(&CostInputs { network: first_window(Coin::Btc), ..s9() }).unwrap();
    let point = NetworkPoint::with_difficulty(Coin::Btc, &format!("{:.2}", result.inputs.difficulty), Some(470_000));
    let constant = cost(&CostInputs { network: Network::Point { point: point.unwrap(), days: 51.0 }, ..s9() }).unwrap();
    assert!((constant.coins.mean / result.coins.mean - 1.0).abs() < 1e-9);
}

#[test]
fn fees_pools_and_stale_shares_change_what_reaches_the_owner() {
    let plain = cost(&s9()).unwrap();
    let inputs = CostInputs { fees: 0.215, pool_fee: 0.02, stale: 0.01, pue: 1.1, ..s9() };
    let result = cost(&inputs).unwrap();
    let share = 1.215 * 0.98 * 0.99;
    assert_near(result.coins.mean, plain.coins.mean * share);
    assert_near(result.revenue.unwrap(), plain.revenue.unwrap() * share);
    assert_near(result.energy_kwh.unwrap(), plain.energy_kwh.unwrap() * 1.1);
    assert_near(result.cost.unwrap(), plain.cost.unwrap() * 1.1);
    assert_near(result.cost_per_coin.unwrap(), plain.cost_per_coin.unwrap() * 1.1 / share);
    assert_near(result.break_even_price_kwh.unwrap(), plain.break_even_price_kwh.unwrap() * share / 1.1);
    // A pool has no part in the luck of one who mines alone.
    assert_near(result.solo.expected_blocks, plain.solo.expected_blocks * 0.99);
}

#[test]
fn machines_are_paid_off_over_their_life() {
    let capital = Some(Capital { price: 1500.0, life_years: 3.0, discount: 0.08 });
    let inputs = CostInputs { capital, count: 10, ..s9() };
    let (with, without) = (cost(&inputs).unwrap(), cost(&CostInputs { capital: None, ..inputs }).unwrap());
    let a_day = 10.0 * 1500.0 * 0.388_033_514_046_328 / 365.25;
    assert_near(with.capital_cost.unwrap(), a_day);
    assert_near(with.cost.unwrap(), without.cost.unwrap() + a_day);
    assert_near(with.profit.unwrap(), without.profit.unwrap() - a_day);
    assert_near(with.break_even_coin_price.unwrap(), with.cost.unwrap() / with.coins.mean);
    assert_near(with.break_even_price_kwh.unwrap(), (with.revenue.unwrap() - a_day) / with.energy_kwh.unwrap());
    // A coin that doesn't pay for the machines leaves no price of electricity at which they pay.
    let poor = cost(&CostInputs { capital, coin_price: Some(1.0), ..s9() }).unwrap();
    assert_eq!(poor.break_even_price_kwh, None);
    assert!(poor.absent["break_even_price_kwh"].contains("even where electricity is free"));
}

#[test]
fn a_threshold_delays_the_first_payout() {
    let inputs = CostInputs { payout_threshold: Some(0.05), network: first_window(Coin::Btc), ..s9() };
    let payout = cost(&inputs).unwrap().payout.unwrap();
    assert_near(payout.days, 51.0 * 0.05 / cost(&inputs).unwrap().coins.mean);
    assert_eq!(payout.count, 5.0);
}

#[test]
fn intervals_are_those_of_the_worst_and_the_best_corner() {
    let rate_hps = Interval { value: 10e12, low: 8e12, high: 12.5e12 };
    let power_w = Interval { value: 1000.0, low: 900.0, high: 1200.0 };
    let inputs = CostInputs { rate_hps, energy: Some(EnergyRate::PowerW(power_w)), ..s9() };
    let result = cost(&inputs).unwrap();
    let at = |rate: f64, watts: f64| {
        let energy = Some(EnergyRate::PowerW(Interval::exact(watts)));
        cost(&CostInputs { rate_hps: Interval::exact(rate), energy, ..inputs.clone() }).unwrap()
    };
    let (worst, best) = (at(8e12, 1200.0), at(12.5e12, 900.0));
    let profit = result.intervals.profit.unwrap();
    assert_near(profit.low, worst.profit.unwrap());
    assert_near(profit.high, best.profit.unwrap());
    let per_coin = result.intervals.cost_per_coin.unwrap();
    assert_near(per_coin.low, best.cost_per_coin.unwrap());
    assert_near(per_coin.high, worst.cost_per_coin.unwrap());
    // Joules per hash times an uncertain rate: more hashes take more energy.
    let joules = Interval { value: 1e-10, low: 0.9e-10, high: 1.2e-10 };
    let result = cost(&CostInputs { energy: Some(EnergyRate::JoulesPerHash(joules)), ..inputs }).unwrap();
    let kwh = result.intervals.energy_kwh.unwrap();
    assert_near(kwh.low, 8e12 * 0.9e-10 * 0.024);
    assert_near(kwh.high, 12.5e12 * 1.2e-10 * 0.024);
}

#[test]
fn rates_of_randomx_earn_nothing_before_randomx() {
    let inputs = CostInputs { network: first_window(Coin::Xmr), ..ryzen() };
    assert_eq!(
        cost(&inputs).unwrap_err().to_string(),
        "algorithm randomx-v1: a rate of randomx-v1 earns no XMR, because Monero blocks from 2017-05-17 to 2017-07-06 \
         were proven with cryptonight"
    );
    let old = CostInputs { algorithm: "cryptonight".to_owned(), ..inputs };
    let result = cost(&old).unwrap();
    assert!(result.notes.iter().any(|note| note.contains("CryptoNight")), "{:?}", result.notes);
    // 7.6 XMR a block at the time, before the tail emission.
    assert!((result.inputs.subsidy / 7.5 - 1.0).abs() < 0.03, "{}", result.inputs.subsidy);
    let across = over(Coin::Xmr, date(2019, 11, 1), date(2019, 12, 31), None);
    let error = cost(&CostInputs { network: across, ..ryzen() }).unwrap_err().to_string();
    assert!(error.contains("from cryptonight to randomx-v1 at block 1978433"), "{error}");
    let variants = over(Coin::Xmr, date(2018, 3, 1), date(2018, 4, 30), None);
    let result = cost(&CostInputs { network: variants, ..old }).unwrap();
    assert!(result.notes.iter().any(|note| note.contains("CryptoNight, CryptoNight variant 1")), "{:?}", result.notes);
    let point = NetworkPoint::with_difficulty(Coin::Xmr, "12995892889", Some(1_312_000)).unwrap();
    let error = cost(&CostInputs { network: Network::Point { point, days: 1.0 }, ..ryzen() }).unwrap_err().to_string();
    assert!(error.ends_with("because Monero blocks at height 1312000 were proven with cryptonight"), "{error}");
}

#[test]
fn what_is_assumed_is_marked() {
    let network = over(Coin::Btc, date(2026, 6, 1), date(2026, 8, 31), Growth::per_epoch(0.02));
    let result = cost(&CostInputs { network, ..s9() }).unwrap();
    assert_eq!(result.epochs[0].basis, "known");
    assert_eq!(result.epochs.last().unwrap().basis, "assumed");
    assert!(result.inputs.network_source.ends_with("2%/epoch assumed after 2026-06-26"));
    assert!(result.notes.iter().any(|note| note.contains("assumed")));
    let history = History::built_in(Coin::Btc);
    let window = Window::new(date(2027, 1, 1), date(2027, 12, 31)).unwrap();
    let point = NetworkPoint::with_difficulty(Coin::Btc, "150000000000000", None).unwrap();
    let held = cost(&CostInputs { network: Network::held(&history, window, &point).unwrap(), ..s9() }).unwrap();
    assert_eq!((held.epochs.len(), held.epochs[0].basis), (1, "given"));
    let a_day = cost(&CostInputs { network: Network::Point { point, days: 365.0 }, ..s9() }).unwrap();
    assert_near(held.coins.mean, a_day.coins.mean);
}

#[test]
fn a_network_that_pays_nothing_is_refused() {
    let history = History::built_in(Coin::Btc);
    let window = Window::new(date(2150, 1, 1), date(2150, 12, 31)).unwrap();
    let network = Network::over(&history, window, Some(Growth::NONE)).unwrap();
    let error = cost(&CostInputs { network, ..s9() }).unwrap_err();
    assert_eq!(error.to_string(), "Bitcoin pays no subsidy then, so no coin is ever made");
}

#[test]
fn fractions_that_leave_nothing_or_more_than_all_are_refused() {
    for (inputs, text) in [
        (CostInputs { pool_fee: 1.0, ..s9() }, "pool fee 1: must be a fraction from 0 to below 1"),
        (CostInputs { stale: -0.1, ..s9() }, "stale part -0.1: must be a fraction from 0 to below 1"),
        (CostInputs { fees: -0.1, ..s9() }, "fees as a fraction of the subsidy -0.1: must be zero or above"),
        (CostInputs { pue: 0.9, ..s9() }, "PUE 0.9: must be 1 or above: a site draws what its machines draw, and more"),
        (CostInputs { payout_threshold: Some(0.0), ..s9() }, "payout threshold 0: must be above zero"),
        (
            CostInputs { capital: Some(Capital { price: 1.0, life_years: 0.0, discount: 0.1 }), ..s9() },
            "life in years 0: must be above zero",
        ),
        (
            CostInputs { capital: Some(Capital { price: -1.0, life_years: 1.0, discount: 0.1 }), ..s9() },
            "price of a machine -1: must be zero or above",
        ),
    ] {
        assert_eq!(cost(&inputs).unwrap_err().to_string(), text);
    }
}
