//! Standard output: one JSON document where that is asked for, colours where they are wanted, and known hashes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use common::{HASH_125552, HEADER_125552, NONCE_125552, Run, available_engines, hashwatt, hashwatt_with};
use serde_json::json;

/// What begins every escape code.
const ESCAPE: char = '\u{1b}';

/// Variables with their values.
type Environment<'a> = &'a [(&'a str, &'a str)];

#[test]
fn every_command_prints_exactly_one_json_document() {
    let nonces = format!("{}..{}", NONCE_125552, NONCE_125552 + 1);
    let runs: [&[&str]; 6] = [
        &["devices"],
        &["selftest", "sha256d/cpu/*"],
        &["bench", "sha256d/cpu/scalar", "--time", "0.1"],
        &["scan", "sha256d", "--header", HEADER_125552, "--nonces", &nonces],
        &["hash", "sha256d", "--input", "00"],
        &["cost", "--coin", "xmr", "--hashrate", "1k"],
    ];
    for arguments in runs {
        for run in [
            hashwatt(&[arguments, &["--json"]].concat()),
            // Where colours are forced a document still has none.
            hashwatt_with(&[&["--json", "--color", "always"], arguments].concat(), &[("CLICOLOR_FORCE", "1")]),
        ] {
            assert!(run.json().is_object(), "{arguments:?}");
            assert!(!run.stdout.contains(ESCAPE), "{arguments:?}");
        }
    }
}

#[test]
fn quiet_says_nothing_on_standard_error() {
    for arguments in
        [&["selftest", "sha256d/cpu/scalar", "-q"][..], &["bench", "sha256d/cpu/scalar", "--time", "0.1", "-q"]]
    {
        let run = hashwatt(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn escape_codes_appear_where_they_are_asked_for_and_nowhere_else() {
    let devices = |arguments: &[&str], environment: Environment<'_>| {
        let run = hashwatt_with(&[&["devices"], arguments].concat(), environment);
        assert_eq!(run.code, Some(0));
        run.stdout.contains(ESCAPE)
    };
    let cases: [(&[&str], Environment<'_>, bool); 9] = [
        (&[], &[], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&[], &[("TERM", "dumb")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&["--color", "always"], &[("TERM", "dumb")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "auto"], &[], false),
    ];
    for (arguments, environment, expected) in cases {
        assert_eq!(devices(arguments, environment), expected, "{arguments:?} {environment:?}");
    }
}

#[test]
fn errors_follow_the_same_wish_for_colours() {
    let error = |arguments: &[&str]| hashwatt(&[&["bench", "sha256d/cpu/sclar"], arguments].concat()).stderr;
    assert!(error(&["--color", "always"]).contains(ESCAPE));
    assert!(!error(&["--color", "never"]).contains(ESCAPE));
    assert!(!error(&[]).contains(ESCAPE));
}

#[test]
fn the_colours_change_nothing_but_escape_codes() {
    let plain = hashwatt(&["cost", "--coin", "btc", "--hashrate", "1T"]).stdout;
    let colored = hashwatt(&["cost", "--coin", "btc", "--hashrate", "1T", "--color", "always"]).stdout;
    let mut stripped = String::new();
    for (index, part) in colored.split(ESCAPE).enumerate() {
        // A code ends with its first letter.
        let text = if index == 0 { part } else { part.split_once('m').unwrap().1 };
        stripped.push_str(text);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn help_and_version_go_to_standard_output() {
    let version = hashwatt(&["--version"]);
    assert_eq!((version.code, version.stderr.as_str()), (Some(0), ""));
    assert_eq!(version.stdout.trim(), concat!("hashwatt ", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["help"], &["bench", "--help"], &["scan", "sha256d", "--help"]] {
        let help = hashwatt(arguments);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(help.stdout.contains("Usage: hashwatt"), "{arguments:?}");
    }
}

#[test]
fn devices_says_why_something_is_missing_and_what_mends_it() {
    let directory = tempfile::tempdir().unwrap();
    let devices = hashwatt(&["devices", "--sysroot", directory.path().to_str().unwrap(), "--json"]).json();
    for list in ["cpus", "gpus", "engines", "meters"] {
        assert!(devices[list].is_array(), "{list}");
    }
    for engine in devices["engines"].as_array().unwrap() {
        let is_available = engine["available"].as_bool().unwrap();
        assert_eq!(engine["reason"].is_null(), is_available, "{engine}");
    }
    let rapl = devices["meters"].as_array().unwrap().iter().find(|meter| meter["name"] == "rapl").unwrap();
    assert_eq!(rapl["available"], false, "an empty tree holds no counter, and nothing falls back to the real one");
    assert!(rapl["reason"].is_string() && rapl["hint"].is_string() && rapl["covers"].is_string(), "{rapl}");
}

fn hash(arguments: &[&str]) -> Run {
    hashwatt(&[&["hash"], arguments].concat())
}

/// The hash of nothing and of `hello` by `sha256sum | xxd -r -p | sha256sum`, turned around; and a block's own.
#[test]
fn every_cpu_engine_hashes_known_inputs_as_bitcoin_displays_them() {
    let known = [
        ("", "56944c5d3f98413ef45cf54545538103cc9f298e0575820ad3591376e2e0f65d"),
        ("68656c6c6f", "503d8319a48348cdc610a582f7bf754b5833df65038606eb48510790dfc99595"),
        (HEADER_125552, HASH_125552),
    ];
    for (input, expected) in known {
        assert_eq!(hash(&["sha256d", "--input", input]).stdout, format!("{expected}\n"));
        for engine in available_engines().iter().filter(|id| id.starts_with("sha256d/cpu/")) {
            let hashed = hash(&["sha256d", "--input", input, "--engine", engine, "--json"]).json();
            assert_eq!(hashed, json!({ "engine": engine, "hash": expected }));
        }
    }
}

/// The first vector of upstream's own tests.
#[test]
#[cfg_attr(not(feature = "reference"), ignore = "needs the cargo feature reference")]
fn light_mode_hashes_upstreams_first_vector_in_byte_order() {
    let input = const_hex::encode("This is a test");
    let key = const_hex::encode("test key 000");
    let expected = "639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f";
    let hashed = hash(&["randomx-v1", "--input", &input, "--key", &key, "--json"]).json();
    assert_eq!(hashed, json!({ "engine": "randomx-v1/cpu/reference+light", "hash": expected }));
    assert_eq!(hash(&["randomx-v1", "--input", &input, "--key", &key, "-q"]).stdout, format!("{expected}\n"));
}

#[test]
fn selftest_tests_every_engine_that_runs_here_and_names_the_others() {
    let tested = hashwatt(&["selftest", "sha256d/*", "--json"]).json();
    let available = available_engines();
    for engine in tested["engines"].as_array().unwrap() {
        let id = engine["id"].as_str().unwrap();
        let is_here = available.iter().any(|other| other == id);
        assert_eq!(engine["passed"].as_bool(), Some(is_here), "{engine}");
        assert_eq!(engine["checks"].as_u64().unwrap() > 0, is_here, "{engine}");
        assert_eq!(engine["verified_by"].is_string(), is_here, "{engine}");
        assert_eq!(engine["skipped"].is_null(), is_here, "{engine}");
    }
}

#[test]
fn a_dry_run_says_what_the_run_then_does() {
    let arguments = ["bench", "sha256d/cpu/*", "--time", "0.3", "--seed", "5", "--json"];
    let planned = hashwatt(&[&arguments[..], &["--dry-run"]].concat()).json();
    let record = hashwatt(&arguments).json();
    assert_eq!(planned["plan"], record["plan"]);
    assert_eq!(planned["groups"], record["groups"]);
    let mut turns: Vec<(f64, String)> = Vec::new();
    for benchmark in record["benchmarks"].as_array().unwrap() {
        let mut last = None;
        for sample in benchmark["samples"].as_array().unwrap() {
            if last.replace(sample["turn"].clone()) != Some(sample["turn"].clone()) {
                turns.push((sample["start_s"].as_f64().unwrap(), benchmark["id"].as_str().unwrap().to_owned()));
            }
        }
    }
    turns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ran: Vec<&str> = turns.iter().map(|(_, id)| id.as_str()).collect();
    let meant: Vec<&str> = planned["turns"][0].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ran, meant);
    let duration = &planned["duration_s"];
    assert!(duration["low"].as_f64() <= duration["expected"].as_f64(), "{duration}");
    assert!(duration["expected"].as_f64() <= duration["high"].as_f64(), "{duration}");
}
