//! What a coin costs, against figures worked out by hand in exact rational arithmetic.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{assert_close, hashwatt, number};
use serde_json::{Value, json};

/// An Antminer S9 (13.5 TH/s, 1323 W) at block 465,696 of May 2017.
const S9: [&str; 10] =
    ["cost", "--coin", "btc", "--hashrate", "13.5T", "--difficulty", "559970892890.84", "--height", "465696", "--json"];

fn s9(more: &[&str]) -> Value {
    hashwatt(&[&S9[..], more].concat()).json()
}

fn assert_figures(cost: &Value, expected: &[(&str, f64)]) {
    for &(pointer, figure) in expected {
        assert_close(number(cost.pointer(pointer).unwrap()), figure, pointer);
    }
}

/// Hashes per block are 2405093370490484606849 by the block's own bits (1801f6a7), and the two decimals of its
/// difficulty give that to 1e-14. A coin is 2/25 of a block. 1323 W for a day are 31.752 kWh.
#[test]
fn the_s9_of_may_2017_costs_what_the_paper_calculation_says() {
    let cost = s9(&["--power", "1323W", "--coin-price", "2500"]);
    let per_coin = 2_405_093_370_490_484_606_849.0 / 12.5;
    let coins_per_day = 13.5e12 * 86_400.0 / per_coin;
    let expected = [
        ("/hashes_expected_per_coin", 1.924_074_696_392_394e20),
        ("/coins_per_day", 0.006_062_134_709_151_257),
        ("/coins_per_day", coins_per_day),
        ("/coins/mean", coins_per_day),
        ("/coins/low", coins_per_day),
        ("/coins/high", coins_per_day),
        ("/energy_kwh", 31.752),
        ("/energy_per_coin_kwh", 5_237.758_895_734_851),
        ("/energy_per_coin_j", 18_855_932_024.645_462),
        ("/cost", 1.5876),
        ("/cost_per_coin", 261.887_944_786_742_54),
        ("/energy_per_coin_kwh_per_w", 5_237.758_895_734_851 / 1323.0),
        ("/revenue", 15.155_336_772_878_144),
        ("/profit", 13.567_736_772_878_144),
        ("/break_even_price_kwh", 0.477_303_375_311_103_06),
        ("/break_even_coin_price", 261.887_944_786_742_54),
        ("/solo/expected_blocks", 0.000_484_970_776_732_100_6),
        ("/solo/p_any", 0.000_484_853_197_413_237_87),
        ("/solo/median_days", 1_429.255_563_047_754_5),
        ("/inputs/subsidy", 12.5),
        ("/inputs/price_kwh", 0.05),
        ("/inputs/pue", 1.0),
    ];
    assert_figures(&cost, &expected);
}

#[test]
fn a_fleet_finds_more_and_draws_more_at_the_same_cost_per_coin() {
    let one = s9(&["--power", "1.323kW", "--price-kwh", "0.12", "--currency", "EUR"]);
    let many = s9(&["--power", "1.323kW", "--price-kwh", "0.12", "--currency", "EUR", "--count", "250"]);
    for pointer in ["/coins_per_day", "/energy_kwh", "/cost", "/solo/expected_blocks"] {
        let of = |cost: &Value| number(cost.pointer(pointer).unwrap());
        assert_close(of(&many), 250.0 * of(&one), pointer);
    }
    assert_figures(&many, &[("/cost_per_coin", 5_237.758_895_734_851 * 0.12), ("/inputs/count", 250.0)]);
    assert_eq!(many["inputs"]["currency"], "EUR");
}

/// At difficulty 1 a block takes 4,295,032,833 hashes (2^256 over the target of the genesis block plus one).
#[test]
fn difficulty_one_is_the_genesis_block() {
    let run = ["cost", "--coin", "btc", "--hashrate", "1k", "--difficulty", "1", "--height", "0", "--json"];
    let cost = hashwatt(&run).json();
    assert_figures(&cost, &[("/hashes_expected_per_coin", 4_295_032_833.0 / 50.0), ("/inputs/subsidy", 50.0)]);
}

/// Monero's difficulty is the number of hashes per block, and each block of the tail emission pays 0.6 XMR.
#[test]
fn a_monero_takes_its_difficulty_over_six_tenths() {
    let run =
        ["cost", "--coin", "xmr", "--hashrate", "1kH/s", "--power", "65W", "--difficulty", "684042855887", "--json"];
    let expected = [
        ("/hashes_expected_per_coin", 1_140_071_426_478.333_3),
        ("/coins_per_day", 7.578_472_540_697_607e-5),
        ("/energy_per_coin_kwh", 20_584.622_978_081_017),
        ("/cost_per_coin", 1_029.231_148_904_051),
    ];
    assert_figures(&hashwatt(&run).json(), &expected);
}

#[test]
fn without_a_difficulty_the_built_in_one_is_dated_and_named() {
    let inputs = &hashwatt(&["cost", "--coin", "btc", "--hashrate", "200T", "--json"]).json()["inputs"];
    assert!(inputs["network_source"].as_str().unwrap().contains("built in"), "{inputs}");
    assert_eq!(inputs["network_as_of"].as_str().unwrap().len(), "2026-06-14".len(), "{inputs}");
}

#[test]
fn figures_that_the_inputs_do_not_determine_are_null_and_the_others_are_not() {
    let cost = s9(&[]);
    for field in ["energy_kwh", "energy_per_coin_kwh", "energy_per_coin_j", "cost", "cost_per_coin"] {
        assert_eq!(cost.get(field), Some(&Value::Null), "{field} without a power");
    }
    for field in ["revenue", "profit", "break_even_price_kwh", "break_even_coin_price"] {
        assert_eq!(cost.get(field), Some(&Value::Null), "{field} without a power or a price");
    }
    assert_figures(&cost, &[("/coins_per_day", 0.006_062_134_709_151_257)]);
    let priced = s9(&["--coin-price", "2500"]);
    assert_figures(&priced, &[("/revenue", 15.155_336_772_878_144)]);
    assert_eq!((&priced["profit"], &priced["break_even_price_kwh"]), (&Value::Null, &Value::Null));
}

#[test]
fn power_that_costs_nothing_costs_zero_and_not_null() {
    let cost = s9(&["--power", "1323W", "--price-kwh", "0"]);
    assert_eq!((&cost["cost"], &cost["cost_per_coin"]), (&json!(0.0), &json!(0.0)));
}

#[test]
fn without_a_coin_nothing_is_guessed() {
    hashwatt(&["cost", "--hashrate", "13.5T"]).is_refused(2, &["--coin btc", "--coin xmr"]);
    hashwatt(&["cost", "--coin", "doge", "--hashrate", "1T"]).is_refused(2, &["doge", "btc or xmr"]);
    hashwatt(&["cost", "--coin", "btc"]).is_refused(2, &["--hashrate"]);
}

#[test]
fn a_rate_of_one_algorithm_earns_no_coin_of_another() {
    let of = |coin, algorithm| hashwatt(&["cost", "--coin", coin, "--hashrate", "1k", "--algorithm", algorithm]);
    of("btc", "randomx-v1").is_refused(2, &["randomx-v1", "BTC", "sha256d"]);
    of("xmr", "sha256d").is_refused(2, &["sha256d", "XMR", "randomx-v1"]);
    of("xmr", "md5").is_refused(2, &["md5"]);
    assert_eq!(of("btc", "sha256d").code, Some(0));
}

#[test]
fn quantities_that_make_no_sense_are_refused_by_name() {
    let cases: [(&[&str], &str); 10] = [
        (&["--hashrate", "0"], "above zero"),
        (&["--hashrate=-5T"], "-5T"),
        (&["--hashrate", "13.5X"], "13.5X"),
        (&["--hashrate", "inf"], "inf"),
        (&["--hashrate", "1T", "--power", "5H/s"], "5H/s"),
        (&["--hashrate", "1T", "--power", "0W"], "0"),
        (&["--hashrate", "1T", "--count", "0"], "--count"),
        (&["--hashrate", "1T", "--price-kwh=-1"], "-1"),
        (&["--hashrate", "1T", "--difficulty", "0"], "difficulty"),
        (&["--hashrate", "1T", "--difficulty", "1", "--height", "6930000"], "6930000"),
    ];
    for (arguments, word) in cases {
        hashwatt(&[&["cost", "--coin", "btc", "--json"], arguments].concat()).is_refused(2, &[word]);
    }
}

#[test]
fn what_is_no_record_is_refused_with_its_own_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let path = path.to_str().unwrap();
    let cost = || hashwatt(&["cost", path, "--json"]);
    cost().is_refused(15, &[path, "No such file"]);
    for garbage in ["", "garbage", "[]", "{}", "{\"format\":\"hashwatt-record\"}", "\u{0}\u{1}"] {
        fs::write(path, garbage).unwrap();
        cost().is_refused(15, &[path]);
    }
    fs::write(path, [0xff, 0xfe, 0x00]).unwrap();
    cost().is_refused(15, &[path]);
    fs::write(path, r#"{"format":"other","format_version":{"major":1,"minor":0}}"#).unwrap();
    cost().is_refused(15, &["other"]);
    fs::write(path, r#"{"format":"hashwatt-record","format_version":{"major":2,"minor":0}}"#).unwrap();
    cost().is_refused(15, &["version 2", "later"]);
    hashwatt(&["cost", directory.path().to_str().unwrap()]).is_refused(15, &["directory"]);
}
