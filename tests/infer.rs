//! What traffic says of hash rates, against figures worked out by hand.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::Path;

use common::{Run, assert_close, hashwatt, number};
use serde_json::Value;

/// The observation of the article of 2017.
const SUMMER: [&str; 11] =
    ["infer", "--count", "100..900", "--per", "day", "--unit", "unknown", "--from", "2017-05-17", "--to", "2017-07-06"];

fn infer(arguments: &[&str]) -> Run {
    hashwatt(&[&["infer"], arguments].concat())
}

fn inference(arguments: &[&str]) -> Value {
    infer(&[arguments, &["--json"]].concat()).json()
}

/// 300 of something in a day, without a window.
fn three_hundred(unit: &str, more: &[&str]) -> Value {
    inference(&[&["--count", "300", "--per", "day", "--unit", unit], more].concat())
}

#[track_caller]
fn hypothesis<'a>(inference: &'a Value, name: &str) -> &'a Value {
    let hypotheses = inference["hypotheses"].as_array().unwrap();
    let found = hypotheses.iter().find(|hypothesis| hypothesis["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is missing: {hypotheses:#?}"))
}

#[track_caller]
fn near(value: &Value, expected: f64, relative: f64) {
    let actual = number(value);
    assert!((actual / expected - 1.0).abs() <= relative, "{actual} is not {expected}");
}

/// `H = n * D * 2^32 / 86,400` for 300 shares a day, and 267.009 to 335.941 in place of 300 (R: qgamma).
#[test]
fn shares_of_a_known_difficulty_tell_the_hash_rate() {
    for (difficulty, rate) in
        [("1", 1.491_308e7), ("512", 7.635_497e9), ("4096", 6.108_398e10), ("100000", 1.491_308e12)]
    {
        let pool = format!("fixed={difficulty}");
        let inference = three_hundred("share", &["--pool", &pool]);
        let fixed = hypothesis(&inference, &format!("share/fixed/{difficulty}"));
        near(&fixed["hash_rate_hps"]["best"], rate, 1e-6);
        near(&fixed["hash_rate_hps"]["low"], rate * 267.009_275_233 / 300.0, 1e-6);
        near(&fixed["hash_rate_hps"]["high"], rate * 335.941_125_553 / 300.0, 1e-6);
        assert_eq!(fixed["unbounded_because"], Value::Null);
        let read = three_hundred("share", &["--share-difficulty", difficulty]);
        assert_eq!(hypothesis(&read, "share/fixed/any")["hash_rate_hps"], fixed["hash_rate_hps"]);
    }
    // At 100,000 that was a ninth of an S9.
    let window = ["--pool", "fixed=100000", "--from", "2017-06-01", "--to", "2017-06-01"];
    let inference = three_hundred("share", &window);
    let machines = &hypothesis(&inference, "share/fixed/100000")["machines"];
    assert_eq!(machines[0]["name"], "Antminer S9");
    near(&machines[0]["count"]["high"], 1.491_308 / 13.5 * 335.941 / 300.0, 1e-4);
}

/// Monero counts difficulty in hashes: the capture of 2017 scaled to a day, 5 shares of 10,000 in 57 s.
#[test]
fn a_share_of_monero_is_its_difficulty_in_hashes() {
    let arguments = ["--count", "7579", "--per", "day", "--unit", "share", "--coin", "xmr", "--pool", "fixed=10000"];
    let inference = inference(&arguments);
    near(&hypothesis(&inference, "share/fixed/10000")["hash_rate_hps"]["best"], 877.199, 1e-5);
}

#[test]
fn hundreds_a_day_fit_a_node_and_few_connections_and_no_vardiff_worker() {
    let inference = hashwatt(&[&SUMMER[..], &["--json"]].concat()).json();
    let is_consistent = |name: &str| hypothesis(&inference, name)["consistent"] == true;
    for pool in ["ckpool", "NOMP", "stratum-mining"] {
        assert!(!is_consistent(&format!("share/vardiff/{pool}")), "{pool}");
    }
    let node = hypothesis(&inference, "node");
    assert_eq!((&node["consistent"], &node["connections"]["low"]), (&true.into(), &1.into()));
    assert_eq!(node["hash_rate_hps"], serde_json::json!({ "low": 0.0, "best": 0.0, "high": 0.0 }));
    // Records of a connection: 48 a day at the longest time-out, so at most 900 / 48 connections and the noise.
    let flows = &hypothesis(&inference, "flow/stratum")["connections"];
    assert_eq!((&flows["low"], &flows["high"]), (&1.into(), &19.into()));
    // 3 W / 51 d.
    let solo = hypothesis(&inference, "solo");
    near(&solo["hash_rate_hps"]["high"], 1.90e15, 0.01);
    near(&solo["machines"][0]["count"]["high"], 141.0, 0.01);
    // Expected 3 blocks of 12.5 BTC.
    near(&solo["coins"]["high"], 2.995_732 * 12.5, 1e-6);
    let floor = hypothesis(&inference, "share/floor/ckpool");
    near(&floor["hash_rate_hps"]["low"], 4.971e6, 0.03);
    near(&floor["hash_rate_hps"]["high"], 44.74e6, 0.02);
    for name in ["proxy", "share/fixed/any", "connection/stratum", "flow/stratum"] {
        let hypothesis = hypothesis(&inference, name);
        assert_eq!(hypothesis["hash_rate_hps"]["high"], Value::Null, "{name}");
        assert!(hypothesis["unbounded_because"].as_str().unwrap().len() > 20, "{name}");
    }
    let summary = inference["summary"].as_str().unwrap();
    for words in ["100 to 900 a day", "51 days", "no mining at all", "too few for one worker", "Antminer S9", "--"] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
}

/// Every null says why, and nothing is a zero that stands for "not known".
#[test]
fn what_is_not_determined_is_null_with_a_reason() {
    for coin in ["btc", "xmr"] {
        for unit in ["share", "packet", "flow", "connection", "unknown"] {
            for count in ["0", "300", "100..900", "1000000"] {
                let inference =
                    inference(&["--count", count, "--per", "day", "--unit", unit, "--coin", coin, "--sampling", "10"]);
                let hypotheses = inference["hypotheses"].as_array().unwrap();
                assert!(hypotheses.iter().any(|hypothesis| hypothesis["name"] == "node"), "{coin} {unit} {count}");
                for hypothesis in hypotheses {
                    assert_reasons(hypothesis);
                }
                assert!(!inference["assumptions"].as_array().unwrap().is_empty());
                assert!(inference["summary"].as_str().unwrap().len() > 50);
            }
        }
    }
}

#[track_caller]
fn assert_reasons(hypothesis: &Value) {
    if hypothesis["consistent"] == false {
        assert!(hypothesis["inconsistent_because"].as_str().unwrap().len() > 10, "{hypothesis:#}");
        return;
    }
    for (figure, ends) in [
        ("connections", &["low", "high"][..]),
        ("hash_rate_hps", &["low", "best", "high"]),
        ("coins", &["low", "high"]),
    ] {
        for end in ends {
            let is_null = hypothesis[figure][end].is_null();
            let reason = hypothesis["absent"].get(format!("{figure}.{end}"));
            assert_eq!(is_null, reason.is_some(), "{figure}.{end}: {hypothesis:#}");
            assert!(reason.is_none_or(|reason| reason.as_str().unwrap().len() > 10), "{hypothesis:#}");
        }
    }
    assert_eq!(hypothesis["hash_rate_hps"]["high"].is_null(), hypothesis["unbounded_because"].is_string());
}

/// 300 sampled packets at 1:1,000 are 300,000; a connection has 13,000 to 25,000 each way.
#[test]
fn sampled_packets_are_some_connections() {
    let inference = three_hundred("packet", &["--sampling", "1000"]);
    let connections = &hypothesis(&inference, "packet/stratum")["connections"];
    let (low, high) = (number(&connections["low"]), number(&connections["high"]));
    assert!(low <= 6.0 && 23.0 <= high, "{connections}");
    let unsampled = three_hundred("packet", &[]);
    assert_eq!(hypothesis(&unsampled, "packet/stratum")["consistent"], false);
}

/// 5,760 shares a day come from one worker of NOMP, or from two of a program that asks for half as many.
#[test]
fn shares_of_a_pool_that_keeps_their_rate_are_workers() {
    let inference = inference(&["--count", "17280", "--per", "day", "--unit", "share", "--pool", "nomp"]);
    let nomp = hypothesis(&inference, "share/vardiff/NOMP");
    let connections = (number(&nomp["connections"]["low"]), number(&nomp["connections"]["high"]));
    assert_eq!(connections, (3.0, 3.0));
    assert_eq!(nomp["hash_rate_hps"]["high"], Value::Null);
    // One machine at each connection, whatever it is.
    assert_eq!(nomp["machines"][0]["count"]["low"], 3.0);
    let names: Vec<&str> =
        inference["hypotheses"].as_array().unwrap().iter().map(|h| h["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["share/vardiff/NOMP", "share/floor/NOMP", "share/fixed/any", "node", "solo", "proxy"]);
}

#[test]
fn what_would_narrow_the_hash_rate_is_computed() {
    let inference = hashwatt(&[&SUMMER[..], &["--json"]].concat()).json();
    let extras = inference["extra_observations"].as_array().unwrap();
    let factors: Vec<f64> = extras.iter().map(|extra| number(&extra["factor_left"])).collect();
    assert!(factors.len() >= 5 && factors.is_sorted(), "{factors:?}");
    let open = number(&inference["factor_open"]);
    assert!(factors[0] < open && factors.iter().all(|factor| *factor <= open * 1.000_001), "{open}: {factors:?}");
    let best = extras[0]["option"].as_str().unwrap();
    assert!(inference["summary"].as_str().unwrap().contains(best), "{best}");
    // Where the difficulty is known already, it isn't asked for.
    let known = three_hundred("share", &["--share-difficulty", "512"]);
    let options: Vec<&Value> = known["extra_observations"].as_array().unwrap().iter().map(|e| &e["option"]).collect();
    assert!(!options.contains(&&"--share-difficulty".into()), "{options:?}");
    assert!(number(&known["factor_open"]) < 1.3, "the interval of 300 is all that is open");
    // A rate below that of any machine is bounded all the same: 72 shares tell 56.3 to 90.7.
    let slow = ["--count", "72", "--per", "day", "--unit", "share", "--coin", "xmr", "--share-difficulty", "10000"];
    near(&infer(&[&slow[..], &["--json"]].concat()).json()["factor_open"], 90.7 / 56.3, 0.01);
}

#[test]
fn a_known_peer_rules_out_the_others() {
    let node = three_hundred("connection", &["--peer", "node"]);
    assert_eq!(hypothesis(&node, "node")["consistent"], true);
    assert_eq!(hypothesis(&node, "connection/stratum")["consistent"], false);
    assert_eq!(hypothesis(&node, "proxy")["consistent"], false);
    let pool = three_hundred("connection", &["--peer", "pool"]);
    let refused = hypothesis(&pool, "node");
    assert_eq!(
        (&refused["consistent"], &refused["inconsistent_because"]),
        (&false.into(), &"the other end is a pool".into())
    );
}

#[test]
fn a_total_is_a_count_a_day_times_the_days() {
    let shares = |count: &str, per: &str| {
        let window = ["--from", "2017-05-17", "--to", "2017-07-06"];
        inference(&[&["--count", count, "--per", per, "--unit", "share", "--pool", "fixed=1"], &window[..]].concat())
    };
    let (total, day) = (shares("15300", "total"), shares("300", "day"));
    assert_eq!(
        hypothesis(&total, "share/fixed/1")["hash_rate_hps"],
        hypothesis(&day, "share/fixed/1")["hash_rate_hps"]
    );
    let coins = &hypothesis(&total, "share/fixed/1")["coins"];
    // An S9 finds 0.26600 BTC in that window.
    let rate = number(&hypothesis(&total, "share/fixed/1")["hash_rate_hps"]["high"]);
    near(&coins["high"], 0.266_00 * rate / 13.5e12, 1e-4);
}

#[test]
fn a_file_of_observations_says_what_the_command_line_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/traffic/from-traffic-to-coins.toml");
    let file = file.to_str().unwrap();
    let document = hashwatt(&["infer", file, "--json"]).json();
    let observations = document["observations"].as_array().unwrap();
    assert_eq!(observations.len(), 4);
    let alone = hashwatt(&[&SUMMER[..], &["--json"]].concat()).json();
    for field in ["hypotheses", "summary", "assumptions", "extra_observations", "observation"] {
        assert_eq!(observations[0][field], alone[field], "{field}");
    }
    // The same rate earned less in the second window: 0.26600 and 0.05994 BTC with an S9.
    let coins = |index: usize| number(&observations[index]["network"]["coins_per_hps"]);
    assert_close((coins(0) * 13.5e12 * 1e5).round(), 26_600.0, "summer of 2017");
    assert_close((coins(1) * 13.5e12 * 1e5).round(), 5_994.0, "winter of 2018");
    let text = hashwatt(&["infer", file]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    let words = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.matches("What would narrow the hash rate most").count(), 4, "{words}");
}

#[test]
fn the_table_has_units_and_the_paragraph() {
    let run = hashwatt(&SUMMER);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for words in [
        "explanations that fit",
        "explanations that don't",
        "what else could be observed",
        "up to 1.90 PH/s",
        "Antminer S9",
        "BTC",
        "a full node that doesn't mine",
        "[1] no upper end: ",
        "Seen were 100 to 900 a day",
        "assumed: ",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let widest = run.stdout.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest < 200, "{widest} columns");
}

#[test]
fn bad_input_is_refused() {
    let good = ["--count", "300", "--per", "day", "--unit", "share"];
    let cases: [(&[&str], &[&str]); 24] = [
        (&[], &["--count", "FILE"]),
        (&["--count", "300"], &["--per"]),
        (&["--count", "300", "--per", "day"], &["--unit"]),
        (&["--count", "900..100", "--per", "day", "--unit", "share"], &["900..100", "ends before it begins"]),
        (&["--count", "-5", "--per", "day", "--unit", "share"], &["-5"]),
        (&["--count", "1.5", "--per", "day", "--unit", "share"], &["1.5", "whole number"]),
        (&["--count", "many", "--per", "day", "--unit", "share"], &["many", "whole number"]),
        (&["--count", "99999999999999999999", "--per", "day", "--unit", "share"], &["no line carries more"]),
        (&["--count", "300", "--per", "week", "--unit", "share"], &["week", "day or total"]),
        (&["--count", "300", "--per", "day", "--unit", "bytes"], &["bytes", "share, packet, flow, connection"]),
        (&["--count", "300", "--per", "total", "--unit", "share"], &["a total says nothing", "--from"]),
        (&[&good[..], &["--sampling", "0"]].concat(), &["0"]),
        (&[&good[..], &["--from", "2017-05-17"]].concat(), &["--to"]),
        (&[&good[..], &["--from", "2017-07-06", "--to", "2017-05-17"]].concat(), &["before it begins"]),
        (&[&good[..], &["--from", "2031-01-01", "--to", "2031-01-02"]].concat(), &["past the data"]),
        (&[&good[..], &["--from", "2008-01-01", "--to", "2008-01-02"]].concat(), &["before Bitcoin began"]),
        (&[&good[..], &["--from", "2017-02-30", "--to", "2017-03-01"]].concat(), &["no calendar has it"]),
        (&[&good[..], &["--pool", "slush"]].concat(), &["slush", "ckpool", "vardiff="]),
        (&[&good[..], &["--pool", "nodejs-pool"]].concat(), &["nodejs-pool", "Bitcoin"]),
        (&[&good[..], &["--pool", "fixed=0"]].concat(), &["above 0"]),
        (&[&good[..], &["--pool", "fixed=512", "--share-difficulty", "512"]].concat(), &["ask for different things"]),
        (&[&good[..], &["--share-difficulty", "nan"]].concat(), &["share difficulty"]),
        (&[&good[..], &["--peer", "node", "--pool", "ckpool"]].concat(), &["ask for different things"]),
        (
            &[&good[..], &["--coin", "xmr", "--from", "2019-11-01", "--to", "2019-12-31"]].concat(),
            &["changed its proof of work", "two windows"],
        ),
    ];
    for (arguments, words) in cases {
        infer(arguments).is_refused(2, words);
    }
    infer(&[&good[..], &["--growth", "3%/epoch"]].concat()).is_refused(2, &["--growth", "window"]);
    for more in [["--coin", "doge"], ["--flow-timeouts", "1800"], ["--peer", "tor"]] {
        infer(&[&good[..], &more].concat()).is_refused(2, &[more[1]]);
    }
}

#[test]
fn bad_files_are_refused_before_anything_is_printed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("infer");
    fs::create_dir_all(&folder).unwrap();
    let entry = "[[observation]]\nname = \"a\"\ncount = 1\nper = \"day\"\nunit = \"share\"\n";
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("empty.toml", Vec::new(), &["observation"]),
        ("binary.toml", vec![0xff, 0xfe, 0], &["UTF-8"]),
        ("long.toml", vec![b'#'; (1 << 20) + 1], &["bytes"]),
        ("field.toml", format!("{entry}colour = 1\n").into_bytes(), &["colour"]),
        ("second.toml", format!("{entry}{}", entry.replace("share", "byte")).into_bytes(), &["observation 2", "byte"]),
        (
            "later.toml",
            format!("{entry}\n{entry}from = \"2031-01-01\"\nto = \"2031-01-02\"\n").into_bytes(),
            &["past the data"],
        ),
    ];
    for (name, content, words) in cases {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        hashwatt(&["infer", path.to_str().unwrap()]).is_refused(2, words);
    }
    hashwatt(&["infer", "/nonexistent.toml"]).is_refused(2, &["/nonexistent.toml"]);
    let path = folder.join("later.toml");
    hashwatt(&["infer", path.to_str().unwrap(), "--count", "3"]).is_refused(2, &["cannot be used with"]);
}
