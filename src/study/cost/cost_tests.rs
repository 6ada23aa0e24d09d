//! Costs of one moment's network, against figures that were worked out elsewhere.

use super::*;
use crate::coin::NetworkPoint;

use crate::interval::Interval;

/// An Antminer S9 at the difficulty of block 465,696 (10 May 2017).
pub(super) fn s9() -> CostInputs {
    s9_for(1.0)
}

fn s9_for(days: f64) -> CostInputs {
    let point = NetworkPoint::with_difficulty(Coin::Btc, "559970892890.84", Some(465_696)).unwrap();
    CostInputs {
        energy: Some(EnergyRate::PowerW(Interval::exact(1323.0))),
        coin_price: Some(2466.0),
        ..CostInputs::new("sha256d", Interval::exact(13.5e12), Network::Point { point, days })
    }
}

/// A desktop processor of 19.9 kH/s at 100 W, such as a Ryzen 9 9950X, on the built-in Monero network.
pub(super) fn ryzen() -> CostInputs {
    let network = Network::Point { point: NetworkPoint::snapshot(Coin::Xmr), days: 1.0 };
    CostInputs {
        energy: Some(EnergyRate::PowerW(Interval::exact(100.0))),
        ..CostInputs::new("randomx-v1", Interval::exact(19_900.0), network)
    }
}

#[track_caller]
pub(super) fn assert_near(actual: f64, expected: f64) {
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
    let fleet = cost(&CostInputs { count: 1000, ..s9_for(51.0) }).unwrap();
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
        (s9_for(0.0), "window in days 0: must be above zero"),
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
    for field in ["coins_per_day", "hashes_expected_per_coin", "energy_per_coin_kwh_per_w", "cost_per_coin_per_w"] {
        assert!(json[field].is_f64(), "{field}");
    }
    for field in [
        "energy_kwh",
        "energy_per_coin_kwh",
        "energy_per_coin_kwh_interval",
        "energy_per_coin_j",
        "electricity_cost",
        "capital_cost",
        "cost",
        "cost_per_coin",
        "revenue",
        "profit",
        "break_even_price_kwh",
        "break_even_coin_price",
        "payout",
    ] {
        assert_eq!(json.get(field), Some(&serde_json::Value::Null), "{field}");
        let is_interval = field.ends_with("_interval");
        assert!(is_interval || json["absent"][field].is_string(), "{field} is absent for no reason");
    }
    assert_eq!(json["epochs"], serde_json::json!([]));
    let expected = serde_json::json!({
        "coin": "xmr",
        "algorithm": "randomx-v1",
        "machine": null,
        "rate_hps": {"value": 19900.0, "low": 19900.0, "high": 19900.0},
        "power_w": null,
        "energy_j_per_hash": null,
        "count": 1,
        "difficulty": 684_042_855_887.0,
        "height": 3_707_000,
        "subsidy": 0.6,
        "network_as_of": "2026-06-29",
        "network_source": "built in: mean of blocks 3661900 to 3707000, from Monero's checkpoints",
        "from": null,
        "to": null,
        "price_kwh": 0.05,
        "currency": "USD",
        "coin_price": null,
        "window_days": 1.0,
        "pue": 1.0,
        "pool_fee": 0.0,
        "stale": 0.0,
        "fees": 0.0,
        "payout_threshold": null,
        "capex": null,
        "life_years": null,
        "discount": null,
    });
    assert_eq!(json["inputs"], expected);
    let nothing_is_absent = CostInputs {
        capital: Some(Capital { price: 500.0, life_years: 3.0, discount: 0.0 }),
        payout_threshold: Some(0.1),
        coin_price: Some(1e9),
        ..ryzen()
    };
    assert!(cost(&nothing_is_absent).unwrap().absent.is_empty());
}
