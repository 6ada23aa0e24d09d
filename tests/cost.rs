//! What a coin costs, against figures worked out by hand in exact rational arithmetic.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

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
        ("/electricity_cost", 1.5876),
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
    let cases: [(&[&str], &str); 24] = [
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
        (&["--hashrate", "1T±200%"], "200%"),
        (&["--hashrate", "1T", "--power", "5W±x%"], "x%"),
        (&["--hashrate", "1T", "--coin-price=-5"], "from 0 on"),
        (&["--hashrate", "1T", "--coin-price", "1e300"], "no market"),
        (&["--hashrate", "1T", "--coin-price", "nan"], "from 0 on"),
        (&["--hashrate", "1T", "--pue", "0.5"], "0.5"),
        (&["--hashrate", "1T", "--pool-fee", "100%"], "100%"),
        (&["--hashrate", "1T", "--pool-fee", "2"], "2%"),
        (&["--hashrate", "1T", "--stale=-1%"], "-1%"),
        (&["--hashrate", "1T", "--fees", "much"], "much"),
        (&["--hashrate", "1T", "--payout-threshold", "0"], "above zero"),
        (&["--hashrate", "1T", "--capex", "1500"], "--life-years"),
        (&["--hashrate", "1T", "--capex=-1", "--life-years", "3"], "-1"),
        (&["--hashrate", "1T", "--life-years", "3"], "--capex"),
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

/// One Antminer S9 in the two windows that the articles on North Korea's mining name.
#[test]
fn an_s9_in_the_two_windows_of_the_articles() {
    let windows =
        [("2017-05-17", "2017-07-06", 0.266_00, 6_088.0, 5), ("2018-01-24", "2018-03-15", 0.059_94, 27_015.0, 5)];
    for (from, to, coins, kwh, epochs) in windows {
        let cost = hashwatt(&["cost", "--machine", "Antminer S9", "--from", from, "--to", to, "--json"]).json();
        let of = |pointer: &str| number(cost.pointer(pointer).unwrap());
        assert!((of("/coins/mean") / coins - 1.0).abs() < 1e-3, "{cost}");
        assert!((of("/energy_per_coin_kwh") / kwh - 1.0).abs() < 1e-3, "{cost}");
        assert_eq!(of("/inputs/window_days"), 51.0);
        assert_eq!((&cost["inputs"]["from"], &cost["inputs"]["to"]), (&json!(from), &json!(to)));
        assert_eq!(cost["inputs"]["machine"], "Antminer S9");
        let parts = cost["epochs"].as_array().unwrap();
        assert_eq!(parts.len(), epochs, "{cost}");
        let sum = |field: &str| parts.iter().map(|part| number(&part[field])).sum::<f64>();
        assert_close(sum("coins"), of("/coins/mean"), "coins");
        assert_close(sum("days"), 51.0, "days");
        assert_close(sum("energy_kwh"), of("/energy_kwh"), "energy");
        assert_eq!(parts[0]["from"], format!("{from}T00:00:00Z"));
    }
}

#[test]
fn a_machine_by_name_is_the_machine_by_its_figures() {
    let window = ["--from", "2018-01-24", "--to", "2018-03-15", "--json"];
    let named = hashwatt(&[&["cost", "--machine", "s9"], &window[..]].concat()).json();
    let figures = ["cost", "--coin", "btc", "--hashrate", "13.5T", "--power", "1323W"];
    let typed = hashwatt(&[&figures[..], &window].concat()).json();
    for field in ["coins", "energy_kwh", "cost", "solo", "epochs"] {
        assert_eq!(named[field], typed[field], "{field}");
    }
    let own = hashwatt(&["cost", "--machine", "s9", "--power", "1400W±5%", "--json"]).json();
    assert_eq!(own["inputs"]["power_w"], json!({"value": 1400.0, "low": 1330.0, "high": 1470.0}));
    assert!(own["notes"].to_string().contains("its power is given"), "{own}");
    let tdp = hashwatt(&["cost", "--machine", "HD 7970", "--json"]).json();
    assert!(tdp["notes"].to_string().contains("no measurement"), "{tdp}");
}

#[test]
fn names_that_mean_no_machine_or_several_are_refused_with_names() {
    let cost = |name: &str| hashwatt(&["cost", "--machine", name, "--json"]);
    cost("Antminer S8").is_refused(2, &["Antminer S8", "nearest", "Antminer S9", "--hashrate"]);
    cost("S19").is_refused(2, &["S19", "Antminer S19 Pro", "Antminer S19 XP"]);
    cost("").is_refused(2, &["no machine"]);
    let as_monero = hashwatt(&["cost", "--machine", "S9", "--coin", "xmr"]);
    as_monero.is_refused(2, &["Antminer S9", "sha256d", "randomx-v1"]);
    hashwatt(&["cost", "--machine", "S9", "--hashrate", "1T"]).is_refused(2, &["--hashrate", "--machine"]);
}

#[test]
fn windows_that_no_data_covers_are_refused_with_what_to_do() {
    let cost = |more: &[&str]| hashwatt(&[&["cost", "--machine", "S9", "--json"], more].concat());
    cost(&["--from", "2017-07-06", "--to", "2017-05-17"])
        .is_refused(2, &["2017-05-17", "before it begins", "exchange"]);
    cost(&["--from", "2008-12-31", "--to", "2017-05-17"]).is_refused(2, &["2008-12-31", "2009-01-03"]);
    let past = ["--from", "2026-06-01", "--to", "2026-11-21"];
    cost(&past).is_refused(2, &["2026-11-21", "2026-06-26", "--epochs", "--growth", "--difficulty", "--network-json"]);
    cost(&["--from", "2017-05-17"]).is_refused(2, &["--to"]);
    cost(&["--from", "2017-05-17", "--to", "soon"]).is_refused(2, &["soon"]);
    cost(&["--height", "955584"]).is_refused(2, &["955584", "--difficulty"]);
    cost(&["--height", "5", "--from", "2017-05-17", "--to", "2017-05-18"]).is_refused(2, &["--height", "window"]);
    cost(&["--growth", "3%/epoch"]).is_refused(2, &["--from"]);
    cost(&[&past[..], &["--growth", "3%"]].concat()).is_refused(2, &["3%", "per what", "3%/epoch"]);
    cost(&[&past[..], &["--growth", "3%/epoch", "--difficulty", "5"]].concat()).is_refused(2, &["--growth"]);
    // Said how it goes on, it goes on.
    let grown = cost(&[&past[..], &["--growth", "3%/epoch"]].concat()).json();
    assert_eq!(grown["epochs"][0]["basis"], "known");
    assert_eq!(grown["epochs"].as_array().unwrap().last().unwrap()["basis"], "assumed");
    let shrunk = cost(&[&past[..], &["--growth", "-3%/epoch"]].concat()).json();
    assert!(number(&shrunk["coins"]["mean"]) > number(&grown["coins"]["mean"]));
    let held = cost(&[&past[..], &["--difficulty", "150000000000000"]].concat()).json();
    assert_eq!(held["epochs"][0]["basis"], "given");
    assert_close(number(&held["inputs"]["difficulty"]), 150e12, "difficulty");
}

#[test]
fn a_height_takes_its_difficulty_and_its_subsidy() {
    let cost = hashwatt(&["cost", "--machine", "S9", "--height", "465700", "--json"]).json();
    let expected = [
        ("/hashes_expected_per_coin", 2_405_093_370_490_484_606_849.0 / 12.5),
        ("/energy_per_coin_kwh", 5_237.758_895_734_851),
        ("/inputs/height", 465_700.0),
    ];
    assert_figures(&cost, &expected);
}

#[test]
fn monero_before_randomx_takes_rates_of_cryptonight() {
    let window = ["--from", "2017-05-17", "--to", "2017-07-06", "--json"];
    let cost = |more: &[&str]| hashwatt(&[&["cost"], more, &window[..]].concat());
    let old = cost(&["--machine", "Ryzen 7 1700", "--coin", "xmr"]).json();
    assert_eq!(
        (&old["inputs"]["algorithm"], &old["inputs"]["rate_hps"]["value"]),
        (&json!("cryptonight"), &json!(536.0))
    );
    assert!(old["notes"].to_string().contains("CryptoNight"), "{old}");
    let typed = cost(&["--coin", "xmr", "--hashrate", "536", "--power", "65W"]).json();
    assert_eq!(typed["coins"], old["coins"]);
    let refused = cost(&["--coin", "xmr", "--hashrate", "4100", "--algorithm", "randomx-v1"]);
    refused.is_refused(2, &["randomx-v1", "2017-05-17", "cryptonight", "--algorithm cryptonight"]);
    cost(&["--machine", "9950X at 100 W", "--coin", "xmr"]).is_refused(2, &["9950X", "randomx-v1", "cryptonight"]);
    let across = ["cost", "--coin", "xmr", "--hashrate", "1k", "--from", "2019-11-01", "--to", "2019-12-31"];
    hashwatt(&across).is_refused(2, &["1978433", "cryptonight", "randomx-v1", "two windows"]);
}

#[test]
fn nodes_tell_the_difficulty_of_now() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("node.json");
    let path = path.to_str().unwrap();
    let bitcoin =
        r#"{"chain":"main","blocks":512064,"headers":512064,"difficulty":3290605988755.001,"time":1520223678}"#;
    fs::write(path, bitcoin).unwrap();
    let cost = hashwatt(&["cost", "--machine", "S9", "--network-json", path, "--json"]).json();
    assert_figures(&cost, &[("/inputs/difficulty", 3_290_605_988_755.001), ("/inputs/subsidy", 12.5)]);
    assert_eq!(cost["inputs"]["network_as_of"], "2018-03-05");
    assert!(cost["inputs"]["network_source"].as_str().unwrap().contains("getblockchaininfo"));
    // The node says which coin, where nothing else does.
    let cost = hashwatt(&["cost", "--hashrate", "1T", "--network-json", path, "--json"]).json();
    assert_eq!(cost["inputs"]["coin"], "btc");
    let refused = |text: &str, words: &[&str]| {
        fs::write(path, text).unwrap();
        hashwatt(&["cost", "--machine", "S9", "--network-json", path, "--json"]).is_refused(2, words);
    };
    refused(&bitcoin.replace("main", "test"), &[path, "\"test\"", "main network"]);
    refused(r#"{"result":{"nettype":"mainnet","height":1,"difficulty":5}}"#, &["Monero", "Bitcoin"]);
    refused("{}", &["getblockchaininfo"]);
    refused("", &["no JSON"]);
    let both = ["cost", "--machine", "S9", "--network-json", path, "--difficulty", "5"];
    hashwatt(&both).is_refused(2, &["--network-json", "--difficulty"]);
    let unused = ["cost", "--machine", "S9", "--difficulty", "5", "--epochs", path];
    hashwatt(&unused).is_refused(2, &["--epochs", "window"]);
}

#[test]
fn a_node_may_be_read_from_standard_input() {
    let monerod =
        r#"{"id":"0","jsonrpc":"2.0","result":{"difficulty":700000000000,"height":3900000,"nettype":"mainnet"}}"#;
    let mut child = common::command(&["cost", "--coin", "xmr", "--hashrate", "1k", "--network-json", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(monerod.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let cost: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_figures(&cost, &[("/inputs/difficulty", 7e11), ("/inputs/subsidy", 0.6), ("/inputs/height", 3_900_000.0)]);
}

#[test]
fn everything_between_a_hash_and_a_profit_counts() {
    let plain = s9(&["--power", "1323W", "--coin-price", "2500"]);
    let more = s9(&[
        "--power",
        "1323W",
        "--coin-price",
        "2500",
        "--pue",
        "1.1",
        "--pool-fee",
        "2%",
        "--stale",
        "0.01",
        "--fees",
        "21.5%",
        "--capex",
        "1500",
        "--life-years",
        "3",
        "--discount",
        "8%",
        "--payout-threshold",
        "0.01",
    ]);
    let of = |cost: &Value, pointer: &str| number(cost.pointer(pointer).unwrap());
    let share = 0.98 * 0.99 * 1.215;
    let a_day = 1500.0 * 0.388_033_514_046_328 / 365.25;
    let expected = [
        ("/coins/mean", of(&plain, "/coins/mean") * share),
        ("/revenue", of(&plain, "/revenue") * share),
        ("/energy_kwh", 31.752 * 1.1),
        ("/electricity_cost", 1.5876 * 1.1),
        ("/capital_cost", a_day),
        ("/cost", 1.5876 * 1.1 + a_day),
        ("/profit", of(&plain, "/revenue") * share - 1.5876 * 1.1 - a_day),
        ("/break_even_price_kwh", (of(&plain, "/revenue") * share - a_day) / (31.752 * 1.1)),
        ("/break_even_coin_price", (1.5876 * 1.1 + a_day) / (of(&plain, "/coins/mean") * share)),
        ("/payout/days", 0.01 / (of(&plain, "/coins_per_day") * share)),
        ("/solo/expected_blocks", of(&plain, "/solo/expected_blocks") * 0.99),
    ];
    assert_figures(&more, &expected);
}

#[test]
fn the_uncertainty_of_rate_and_power_goes_through_to_the_profit() {
    let run = ["cost", "--coin", "btc", "--hashrate", "28T±2%", "--power", "1596W±7%", "--height", "554400"];
    let cost = hashwatt(&[&run[..], &["--coin-price", "3700", "--json"]].concat()).json();
    let of = |pointer: &str| number(cost.pointer(pointer).unwrap());
    assert_close(of("/coins/low"), of("/coins/mean") * 0.98, "coins");
    assert_close(of("/intervals/cost/high"), of("/cost") * 1.07, "cost");
    assert_close(of("/intervals/energy_per_coin_kwh/low"), of("/energy_per_coin_kwh") * 0.93 / 1.02, "energy per coin");
    assert_close(of("/intervals/profit/low"), of("/revenue") * 0.98 - of("/cost") * 1.07, "profit");
    assert_close(of("/intervals/break_even_coin_price/high"), of("/cost_per_coin") * 1.07 / 0.98, "break-even");
}

#[test]
fn the_text_says_what_is_absent_and_why() {
    let window = ["--from", "2017-05-17", "--to", "2017-07-06"];
    let text = hashwatt(&[&["cost", "--machine", "S9"], &window[..]].concat()).stdout;
    for words in ["0.26600 BTC", "6,088 kWh", "2017-05-17 to 2017-07-06, 51 days", "absent", "--coin-price", "467,712"]
    {
        assert!(text.contains(words), "{words:?}: {text}");
    }
    let text = hashwatt(&["cost", "--coin", "btc", "--hashrate", "1T"]).stdout;
    assert!(text.contains("absent: the power isn't known"), "{text}");
}

#[test]
fn the_rate_of_a_record_is_a_rate_of_what_it_measured() {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/1.0-declared-watts.json");
    let cost = ["cost", record.to_str().unwrap(), "--engine", "sha256d/cpu/scalar"];
    let other = hashwatt(&[&cost[..], &["--coin", "xmr", "--algorithm", "cryptonight"]].concat());
    other.is_refused(2, &["cryptonight", "sha256d/cpu/scalar", "sha256d"]);
    let window = ["--from", "2017-05-17", "--to", "2017-07-06", "--json"];
    let past = hashwatt(&[&cost[..], &window].concat()).json();
    assert_eq!(past["inputs"]["machine"], "sha256d/cpu/scalar");
    assert!(past["intervals"]["energy_per_coin_kwh"]["high"].is_f64(), "{past}");
    // What RandomX does now says nothing of 2017.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("randomx.json");
    let text = fs::read_to_string(&record).unwrap().replace("sha256d", "randomx-v1");
    fs::write(&path, text).unwrap();
    let cost = ["cost", path.to_str().unwrap(), "--engine", "randomx-v1/cpu/scalar"];
    hashwatt(&[&cost[..], &window].concat()).is_refused(2, &["randomx-v1", "cryptonight", "2017-05-17", "2019-12-01"]);
    assert_eq!(hashwatt(&[&cost[..], &["--json"]].concat()).json()["inputs"]["coin"], "xmr");
}
