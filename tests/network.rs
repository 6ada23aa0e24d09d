//! What networks asked for a block and paid for it, by day and by height.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{assert_close, hashwatt, number};
use serde_json::{Value, json};

fn network(arguments: &[&str]) -> Value {
    hashwatt(&[&["network"], arguments, &["--json"]].concat()).json()
}

/// Block 465,696 of May 2017, whose bits every block explorer shows.
#[test]
fn a_height_of_bitcoin_has_exact_figures() {
    let run = hashwatt(&["network", "btc", "--height", "465696", "--json"]);
    let figures = run.json();
    assert_eq!(figures["bits"], "1801f6a7");
    assert_eq!((&figures["height"], &figures["height_is"]), (&json!(465_696), &json!("given")));
    assert_eq!(figures["epoch_start"], "2017-05-10T03:40:48Z");
    assert_eq!(figures["epoch_start_height"], 465_696);
    assert_eq!((&figures["subsidy"], &figures["subsidy_sat"]), (&json!(12.5), &json!(1_250_000_000)));
    assert_eq!(figures["date"], "2017-05-10");
    assert_eq!(figures["data_until"], "2026-06-26");
    assert_eq!(figures["algorithm"], "sha256d");
    assert_close(number(&figures["difficulty"]), 559_970_892_890.84, "difficulty");
    // All digits stand in the document, though a float has fewer.
    assert!(run.stdout.contains("\"expected_hashes\": 2405093370490484606849,"), "{}", run.stdout);
    let ratio = number(&figures["expected_hashes"]) / number(&figures["difficulty"]);
    assert!((ratio / 4_295_032_833.000_015 - 1.0).abs() < 4e-16, "{ratio}");
}

#[test]
fn a_day_of_bitcoin_has_its_epoch() {
    let figures = network(&["btc", "--date", "2017-05-17"]);
    assert_eq!((&figures["bits"], &figures["date"]), (&json!("1801f6a7"), &json!("2017-05-17")));
    assert_eq!(figures["height_is"], "estimated");
    let height = figures["height"].as_u64().unwrap();
    assert!((465_696..467_712).contains(&height), "{height}");
    // The day of a retarget ends in the new epoch.
    assert_eq!(network(&["btc", "--date", "2017-05-23"])["epoch_start_height"], 467_712);
    // Halvings: 210,000 on 28 November 2012, 840,000 on 20 April 2024 (in the first minutes).
    assert_eq!(network(&["btc", "--date", "2012-11-27"])["subsidy"], 50.0);
    assert_eq!(network(&["btc", "--date", "2012-11-29"])["subsidy"], 25.0);
    assert_eq!(network(&["btc", "--date", "2024-04-18"])["subsidy"], 6.25);
    assert_eq!(network(&["btc", "--date", "2024-04-21"])["subsidy"], 3.125);
    assert_eq!(network(&["btc", "--height", "839999"])["subsidy_sat"], 625_000_000);
    assert_eq!(network(&["btc", "--height", "840000"])["subsidy_sat"], 312_500_000);
    assert_eq!(network(&["btc", "--date", "2009-01-03"])["bits"], "1d00ffff");
}

#[test]
fn a_height_of_monero_has_the_mean_of_its_interval() {
    let figures = network(&["xmr", "--height", "3700000"]);
    assert_eq!(figures["difficulty"], 684_042_855_887_u64);
    assert_eq!((&figures["reward"], &figures["reward_piconero"]), (&json!(0.6), &json!(600_000_000_000_u64)));
    assert_eq!((&figures["algorithm"], &figures["proof_of_work"]), (&json!("randomx-v1"), &json!("RandomX")));
    assert_eq!((&figures["interval_from"], &figures["interval_to"]), (&json!(3_661_901), &json!(3_707_000)));
    assert_eq!(
        (&figures["difficulty_from"], &figures["checkpoint_mean"]),
        (&json!("checkpoints"), &figures["difficulty"])
    );
    assert_eq!(figures["data_until"], "2026-06-28");
    let old = network(&["xmr", "--date", "2017-05-17"]);
    assert_eq!((&old["algorithm"], &old["proof_of_work"]), (&json!("cryptonight"), &json!("CryptoNight")));
    assert_eq!((&old["difficulty_from"], &old["checkpoint_mean"]), (&json!("block times"), &json!(12_995_892_889_u64)));
    assert!((number(&old["reward"]) / 7.55 - 1.0).abs() < 0.005, "{old}");
    assert_eq!(network(&["xmr", "--date", "2019-11-29"])["algorithm"], "cryptonight");
    assert_eq!(network(&["xmr", "--date", "2019-11-30"])["algorithm"], "randomx-v1");
}

#[test]
fn the_text_says_the_same_with_units() {
    let text = hashwatt(&["network", "btc", "--height", "465696"]).stdout;
    for words in ["block 465,696 (2017-05-10)", "559,970,892,890.84", "1801f6a7", "12.5 BTC", "until 2026-06-26"] {
        assert!(text.contains(words), "{words:?}: {text}");
    }
    let text = hashwatt(&["network", "xmr", "--date", "2018-02-01"]).stdout;
    for words in ["Monero, about block 1,500,", "by block times", "XMR", "CryptoNight"] {
        assert!(text.contains(words), "{words:?}: {text}");
    }
}

#[test]
fn days_and_heights_that_no_data_covers_are_refused_with_what_to_do() {
    let refused = |arguments: &[&str], words: &[&str]| {
        hashwatt(&[&["network"], arguments, &["--json"]].concat()).is_refused(2, words);
    };
    refused(&["btc", "--date", "2009-01-02"], &["2009-01-02", "2009-01-03", "later day"]);
    refused(&["xmr", "--date", "2014-04-17"], &["2014-04-17", "2014-04-18"]);
    refused(&["btc", "--date", "2026-06-27"], &["2026-06-27", "2026-06-26", "--epochs"]);
    refused(&["xmr", "--date", "2026-11-21"], &["2026-06-28", "--network-json"]);
    refused(&["btc", "--height", "955584"], &["955584", "955583", "--epochs"]);
    refused(&["xmr", "--height", "3707001"], &["3707001", "3707000"]);
    refused(&["btc", "--height", "18446744073709551615"], &["past the data"]);
    refused(&["btc"], &["--date", "--height"]);
    refused(&["btc", "--date", "2017-05-17", "--height", "5"], &["--date", "--height"]);
    refused(&["btc", "--date", "2017-02-29"], &["2017-02-29", "no calendar"]);
    refused(&["btc", "--date", "17.5.2017"], &["17.5.2017", "2017-05-17"]);
    refused(&["btc", "--height=-1"], &["-1"]);
    refused(&["doge", "--height", "1"], &["doge", "btc or xmr"]);
}

#[test]
fn a_file_extends_the_data() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("epochs.csv");
    let path = path.to_str().unwrap();
    fs::write(path, "height,bits,start_utc\n955584,17023541,\n").unwrap();
    let figures = network(&["btc", "--height", "955584", "--epochs", path]);
    assert_eq!((&figures["bits"], &figures["data_until"]), (&json!("17023541"), &json!("2026-07-10")));
    let refused = |text: &str, words: &[&str]| {
        fs::write(path, text).unwrap();
        hashwatt(&["network", "btc", "--height", "1", "--epochs", path, "--json"]).is_refused(2, words);
    };
    refused("height,bits\n0,1e0ffff0\n", &[path, "line 2", "another network", "checkpoints.json"]);
    refused("height,bits\n957600,17023541\n", &["line 2", "epochs are missing"]);
    refused("[[\"00\", 1]]", &["entry 1", "another network"]);
    refused("[", &["checkpoints.json"]);
    refused("", &["neither"]);
    let absent = directory.path().join("absent.csv");
    let absent = absent.to_str().unwrap();
    hashwatt(&["network", "btc", "--height", "1", "--epochs", absent]).is_refused(2, &[absent, "No such file"]);
    hashwatt(&["network", "xmr", "--height", "1", "--epochs", path]).is_refused(2, &["Monero", "--difficulty"]);
}
