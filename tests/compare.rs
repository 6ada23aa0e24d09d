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
    let mut other = record_at(1e6);
    other["machine"]["cpu"]["governor"] = json!("a governor");
    let gpu = |id: &str, backend: &str, limits: &Value| {
        json!({
            "id": id, "name": "a card", "vendor_id": 1, "device_id": 2, "backend": backend, "driver": "d",
            "driver_info": "1", "pci_bus_id": null, "software": false, "limits": limits,
        })
    };
    let limits = |bytes: u64| {
        json!({
            "workgroup_size": [256, 256, 64], "workgroup_invocations": 256, "workgroups_per_dimension": 65535,
            "workgroup_storage_bytes": bytes, "buffer_bytes": 1, "storage_binding_bytes": 1,
            "subgroup_size_min": null, "subgroup_size_max": null, "has_timestamps": true,
        })
    };
    let with_gpus = |mut record: Value, bytes: u64| {
        record["machine"]["gpus"] = json!([gpu("gpu0", "vulkan", &Value::Null), gpu("gpu1", "vulkan", &limits(bytes))]);
        record
    };
    let base = write(directory.path(), "base.json", &with_gpus(record_at(1e6), 16384));
    let mut other = with_gpus(other, 32768);
    let new = write(directory.path(), "new.json", &other);
    let document = hashwatt(&["compare", &base, &new, "--json"]).json();
    let differences: Vec<&str> =
        document["differences"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(differences, ["machine.cpu.governor", "machine.gpus.1.limits.workgroup_storage_bytes"]);

    // Engines that were set otherwise; one that only one of the records knows the settings of says nothing.
    let mut set = other.clone();
    set["benchmarks"][0]["settings"] = json!({ "variant": "rotation=or" });
    let before = write(directory.path(), "before.json", &set);
    set["benchmarks"][0]["settings"]["variant"] = json!("rotation=sum");
    let after = write(directory.path(), "after.json", &set);
    let differing = |base: &str, new: &str| {
        let document = hashwatt(&["compare", base, new, "--json"]).json();
        let whats = document["differences"].as_array().unwrap().iter();
        whats.map(|one| one["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let id = set["benchmarks"][0]["id"].as_str().unwrap();
    assert_eq!(differing(&before, &after), [format!("settings.{id}.variant")]);
    assert!(differing(&new, &after).is_empty());

    other["benchmarks"][0]["device_name"] = json!("another processor");
    let foreign = write(directory.path(), "foreign.json", &other);
    hashwatt(&["compare", &base, &foreign]).is_refused(15, &["no engine is comparable", "another processor"]);
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

/// The record with samples that are all alike: only what runs differ by is left.
fn steady_at(rate_hps: f64) -> Value {
    let mut record = record_at(rate_hps);
    for sample in record["benchmarks"][0]["samples"].as_array_mut().unwrap() {
        let duration_s = 1e6 / rate_hps;
        sample["hashes"] = json!(1_000_000);
        sample["duration_s"] = json!(duration_s);
        sample["energy_j"] = json!({"watts:50W@cpu": 50.0 * duration_s});
    }
    record
}

/// Four runs: two of the base, e^0.01 apart around 1 MH/s, and two of the new side, as far apart around `factor` MH/s.
fn four_runs(directory: &Path, factor: f64) -> [String; 4] {
    [("b1", 1.0, 0.005), ("b2", 1.0, -0.005), ("n1", factor, 0.005), ("n2", factor, -0.005)]
        .map(|(name, rate, apart): (_, f64, f64)| write(directory, name, &steady_at(1e6 * rate * apart.exp())))
}

#[track_caller]
fn assert_interval(interval: &Value, value: f64, half_width: f64) {
    let ends = [("value", value), ("low", value * (-half_width).exp()), ("high", value * half_width.exp())];
    for (name, expected) in ends {
        let actual = interval[name].as_f64().unwrap();
        assert!((actual / expected - 1.0).abs() < 1e-6, "{name}: {actual} is not {expected}");
    }
}

#[test]
fn pooled_runs_are_judged_by_what_they_differ_among_themselves() {
    // Of each side the logarithms lie 0.005 from their mean: squares of 4 x 0.005^2 over two degrees of freedom, and
    // half of that variance for each mean of two. Student's quantile at two degrees is 4.302653.
    let half_width = 4.302_653 * (4.0 * 0.005_f64.powi(2) / 2.0 * (0.5 + 0.5)).sqrt();
    for (factor, verdict, energy_verdict) in
        [(1.1, "faster", "faster"), (1.05, "inconclusive", "inconclusive"), (0.9, "slower", "slower")]
    {
        let directory = tempfile::tempdir().unwrap();
        let [b1, b2, n1, n2] = four_runs(directory.path(), factor);
        let document = hashwatt(&["compare", &b1, "--base", &b2, "--pool", &n1, &n2, "--json"]).json();
        assert_eq!(document["pairs"].as_array().unwrap().len(), 1, "{document}");
        assert_eq!(document["unpaired"], json!([]));
        let pair = &document["pairs"][0];
        assert_eq!((&pair["base"], &pair["new"]), (&json!([b1, b2]), &json!([n1, n2])));
        assert_eq!(
            (pair["verdict"].as_str(), pair["energy"]["verdict"].as_str()),
            (Some(verdict), Some(energy_verdict))
        );
        assert_interval(&pair["ratio"], factor, half_width);
        assert_interval(&pair["energy"]["ratio"], 1.0 / factor, half_width);
        // The geometric mean of the medians, between the outermost bounds of the records.
        let rate = |name: &str| pair["base_rate_hps"][name].as_f64().unwrap();
        let (low, high) = (1e6 * (-0.005_f64).exp(), 1e6 * 0.005_f64.exp());
        assert!((rate("low") / (low * 0.99) - 1.0).abs() < 1e-9 && (rate("high") / (high * 1.01) - 1.0).abs() < 1e-9);
        assert!((rate("value") / 1e6 - 1.0).abs() < 1e-9);
    }
}

#[test]
fn without_pooling_each_new_record_stands_alone() {
    let directory = tempfile::tempdir().unwrap();
    let [b1, _, n1, n2] = four_runs(directory.path(), 1.05);
    let document = hashwatt(&["compare", &b1, &n1, &n2, "--json"]).json();
    let new: Vec<&Value> = document["pairs"].as_array().unwrap().iter().map(|pair| &pair["new"]).collect();
    assert_eq!(new, [&json!([n1]), &json!([n2])]);
    // Nothing is known of what runs differ by, and nothing else differs here: 5 % and 4 % are both more than 3 %.
    assert_interval(&document["pairs"][0]["ratio"], 1.05, 0.0);
    assert_interval(&document["pairs"][1]["ratio"], 1.05 * (-0.01_f64).exp(), 0.0);
    assert_eq!(document["pairs"][0]["verdict"], "faster");
}

#[test]
fn the_table_says_from_how_many_records_runs_are_known_to_differ() {
    let directory = tempfile::tempdir().unwrap();
    let [b1, b2, n1, n2] = four_runs(directory.path(), 1.05);
    let single = hashwatt(&["compare", &b1, &n1]).stdout;
    assert!(single.contains("one record a side can't show by how much runs differ"), "{single}");
    let pooled = hashwatt(&["compare", &b1, &n1, &n2, "--pool"]).stdout;
    assert!(pooled.contains("by how much runs differ was estimated from 1 base and 2 new records"), "{pooled}");
    let both = hashwatt(&["compare", &b1, "--base", &b2, &n1]).stdout;
    assert!(both.contains("estimated from 2 base and 1 new records"), "{both}");
}

#[test]
fn a_regression_of_a_pool_is_one_by_its_own_interval() {
    let directory = tempfile::tempdir().unwrap();
    let [b1, b2, n1, n2] = four_runs(directory.path(), 0.96);
    // One run of either side says 4 % slower; what runs differ by leaves it open.
    let alone = hashwatt(&["compare", &b1, &n1, "--fail-on-regression"]);
    assert_eq!(alone.code, Some(14), "{alone:?}");
    let pooled = hashwatt(&["compare", &b1, "--base", &b2, "--pool", &n1, &n2, "--fail-on-regression"]);
    assert_eq!(pooled.code, Some(0), "{pooled:?}");
}

#[test]
fn only_runs_of_the_same_thing_are_pooled_and_none_twice() {
    let directory = tempfile::tempdir().unwrap();
    let [b1, _, n1, n2] = four_runs(directory.path(), 1.1);
    let mut other = steady_at(2e6);
    other["benchmarks"][0]["threads"] = json!(99);
    let other = write(directory.path(), "other.json", &other);
    let mut renamed = steady_at(3e6);
    renamed["benchmarks"][0]["id"] = json!("sha256d/cpu/another");
    let renamed = write(directory.path(), "renamed.json", &renamed);
    let document = hashwatt(&["compare", &b1, "--pool", &n1, &n2, &other, &n1, &renamed, "--json"]).json();
    assert_eq!(document["pairs"][0]["new"], json!([n1, n2]));
    let unpaired = document["unpaired"].as_array().unwrap();
    let expected = [
        (SCALAR, &other, "can't be pooled"),
        (SCALAR, &n1, "the same run"),
        ("sha256d/cpu/another", &renamed, "it isn't in"),
    ];
    assert_eq!(unpaired.len(), expected.len(), "{unpaired:?}");
    for (one, (id, file, reason)) in unpaired.iter().zip(expected) {
        assert_eq!((one["id"].as_str(), one["file"].as_str()), (Some(id), Some(file.as_str())));
        assert!(one["reason"].as_str().unwrap().contains(reason), "{one}");
    }
}

#[test]
fn energy_is_judged_only_where_all_runs_read_the_same_meter() {
    let directory = tempfile::tempdir().unwrap();
    let [b1, b2, n1, n2] = four_runs(directory.path(), 1.1);
    let mut without = steady_at(1.2e6);
    without["benchmarks"][0]["energy_j_per_hash"]["meters"] = json!([]);
    let without = write(directory.path(), "without.json", &without);
    let energy = |options: &[&str]| {
        let arguments = [&["compare", &b1, "--base", &b2, "--json", "--pool"], options].concat();
        hashwatt(&arguments).json()["pairs"][0]["energy"].clone()
    };
    assert!(energy(&[&n1, &n2]).is_object());
    assert!(energy(&[&n1, &n2, &without]).is_null());
}

#[test]
fn a_build_without_optimisation_is_not_compared_with_one_that_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let build = |name: &str, optimized: bool, rate_hps: f64| {
        let mut record = steady_at(rate_hps);
        record["tool"]["optimized"] = json!(optimized);
        write(directory.path(), name, &record)
    };
    let (slow, fast, fast_again) = (build("a", false, 1e6), build("b", true, 1e6), build("c", true, 1.1e6));
    let words = ["no engine is comparable", "without", "optimisation"];
    hashwatt(&["compare", &slow, &fast]).is_refused(15, &words);
    hashwatt(&["compare", &fast, &slow]).is_refused(15, &words);
    let document = hashwatt(&["compare", &fast, &slow, &fast_again, "--json"]).json();
    assert_eq!(document["pairs"].as_array().unwrap().len(), 1);
    assert_eq!((&document["pairs"][0]["new"], &document["unpaired"][0]["file"]), (&json!([fast_again]), &json!(fast)));
}

#[test]
fn each_number_of_threads_of_a_sweep_is_compared_with_itself() {
    let directory = tempfile::tempdir().unwrap();
    let sweep = |rates_hps: [f64; 2]| {
        let mut record = record_at(1.0);
        let rows = rates_hps.into_iter().zip([1, 2]).map(|(rate_hps, threads)| {
            let mut row = record_at(rate_hps)["benchmarks"][0].clone();
            row["threads"] = json!(threads);
            row["threads_by"] = json!("sweep");
            row
        });
        record["benchmarks"] = rows.collect();
        record
    };
    let base = write(directory.path(), "base.json", &sweep([1e6, 2e6]));
    let new = write(directory.path(), "new.json", &sweep([1e6, 3e6]));
    let document = hashwatt(&["compare", &base, &new, "--json"]).json();
    let said: Vec<_> =
        document["pairs"].as_array().unwrap().iter().map(|pair| (&pair["id"], &pair["verdict"])).collect();
    assert_eq!(
        said,
        [(&json!("sha256d/cpu/scalar@1"), &json!("same")), (&json!("sha256d/cpu/scalar@2"), &json!("faster")),]
    );
    // A run that was no sweep says nothing about its rows.
    let plain = write(directory.path(), "plain.json", &record_at(1e6));
    hashwatt(&["compare", &base, &plain]).is_refused(15, &["sha256d/cpu/scalar@2", "isn't in"]);
}
