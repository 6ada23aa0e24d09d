//! `compare` says faster, slower, same or inconclusive, by the bound of the interval; and refuses what isn't comparable.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use common::hashwatt;
use serde_json::{Value, json};

const SCALAR: &str = "sha256d/cpu/scalar";

/// A real record, measured once for all tests here.
fn measured() -> &'static Value {
    static RECORD: OnceLock<Value> = OnceLock::new();
    RECORD.get_or_init(|| hashwatt(&["bench", SCALAR, "--time", "0.2", "--meter", "watts:50W", "--json"]).json())
}

/// The record with samples of half a second in 8 turns of 6, at `rate_hps` with a regular ripple of ±1 %.
fn record_at(rate_hps: f64) -> Value {
    let mut record = measured().clone();
    let sample = |index: u32| {
        let ripple = 1.0 + 0.01 * (f64::from(index * 7 % 13) - 6.0) / 6.0;
        let duration_s = 0.5 / ripple;
        json!({
            "turn": index / 6, "start_s": f64::from(index), "duration_s": duration_s,
            "hashes": (rate_hps * 0.5) as u64, "energy_j": {"watts:50W@cpu": 50.0 * duration_s},
        })
    };
    let benchmark = &mut record["benchmarks"][0];
    benchmark["samples"] = (0..48).map(sample).collect();
    benchmark["rate_hps"] = json!({"median": rate_hps, "low": rate_hps * 0.99, "high": rate_hps * 1.01, "confidence": 0.95, "mean": rate_hps});
    record
}

fn write(directory: &Path, name: &str, record: &Value) -> String {
    let path = directory.join(name);
    fs::write(&path, record.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Compares a record at 1 MH/s with one at `rate_hps`; returns exit code and document.
fn compare(rate_hps: f64, options: &[&str]) -> (i32, Value) {
    let directory = tempfile::tempdir().unwrap();
    let base = write(directory.path(), "base.json", &record_at(1e6));
    let new = write(directory.path(), "new.json", &record_at(rate_hps));
    let run = hashwatt(&[&["compare", &base, &new, "--json"], options].concat());
    (run.code.unwrap(), run.document())
}

#[test]
fn verdicts_follow_the_interval_and_the_threshold() {
    let cases = [
        (1.0, "3%", "same"),
        (1.1, "3%", "faster"),
        (0.9, "3%", "slower"),
        (0.97, "3%", "inconclusive"),
        (0.9, "20%", "same"),
    ];
    for (factor, threshold, verdict) in cases {
        let (code, document) = compare(1e6 * factor, &["--threshold", threshold]);
        let pair = &document["pairs"][0];
        assert_eq!((code, pair["verdict"].as_str()), (0, Some(verdict)), "{factor} at {threshold}: {pair}");
        assert_eq!(pair["id"], SCALAR);
        let bound = |name: &str| pair["ratio"][name].as_f64().unwrap();
        assert!((bound("value") / factor - 1.0).abs() < 1e-6, "{pair}");
        assert!(bound("low") <= bound("value") && bound("value") <= bound("high"));
    }
}

#[test]
fn energy_is_compared_the_other_way_round() {
    // The same watts at nine tenths of the rate: a ninth more joules for each hash.
    let (_, document) = compare(0.9e6, &[]);
    let energy = &document["pairs"][0]["energy"];
    assert!((energy["ratio"]["value"].as_f64().unwrap() * 0.9 - 1.0).abs() < 1e-6, "{energy}");
    assert_eq!(energy["verdict"], "slower");
}

#[test]
fn a_regression_is_an_error_only_where_asked_for_and_only_by_the_bound() {
    assert_eq!(compare(0.9e6, &[]).0, 0);
    assert_eq!(compare(0.9e6, &["--fail-on-regression"]).0, 14);
    assert_eq!(compare(1.1e6, &["--fail-on-regression"]).0, 0);
    assert_eq!(compare(0.97e6, &["--fail-on-regression"]).0, 0, "inconclusive is no regression");
}

#[test]
fn what_differs_is_named_and_what_is_not_comparable_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let base = write(directory.path(), "base.json", &record_at(1e6));
    let mut other = record_at(1e6);
    other["machine"]["cpu"]["governor"] = json!("a governor");
    let new = write(directory.path(), "new.json", &other);
    let document = hashwatt(&["compare", &base, &new, "--json"]).json();
    let differences: Vec<&str> =
        document["differences"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(differences, ["machine.cpu.governor"]);

    other["benchmarks"][0]["device_name"] = json!("another processor");
    let foreign = write(directory.path(), "foreign.json", &other);
    hashwatt(&["compare", &base, &foreign]).is_refused(15, &["no engine is in both", "another processor"]);
    hashwatt(&["compare", &base, "/nonexistent"]).is_refused(15, &["/nonexistent"]);
    hashwatt(&["compare", &base, &new, "--threshold", "3"]).is_refused(2, &["3%"]);
}

#[test]
fn too_few_samples_are_inconclusive_and_not_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut short = record_at(1e6);
    short["benchmarks"][0]["samples"].as_array_mut().unwrap().truncate(5);
    let base = write(directory.path(), "base.json", &record_at(1e6));
    let new = write(directory.path(), "new.json", &short);
    let pair = hashwatt(&["compare", &base, &new, "--json"]).json()["pairs"][0].clone();
    assert_eq!((pair["verdict"].as_str(), &pair["ratio"]), (Some("inconclusive"), &Value::Null));
}
