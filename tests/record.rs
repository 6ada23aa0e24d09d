//! The record: every field that scripts read, samples that add up, nothing that names the owner, and figures that can
//! be made again from the file.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use common::{assert_close, hashwatt, names_in, number};
use hashwatt::machine::LoadChange;
use hashwatt::record::{self, FORMAT_VERSION, FormatVersion, Record};
use serde_json::{Value, json};

/// Measures both the scalar engine and whatever else the processors have, shortly, and reads the record.
fn measure(out: &Path) -> Value {
    let run = ["bench", "sha256d/cpu/*", "--time", "0.2", "--meter", "watts:50W±10%", "--json", "--out"];
    let printed = hashwatt(&[&run[..], &[out.to_str().unwrap()]].concat()).json();
    let written: Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(printed, written, "the file and standard output hold one and the same record");
    written
}

fn benchmarks(record: &Value) -> &Vec<Value> {
    record["benchmarks"].as_array().unwrap()
}

#[track_caller]
fn has_fields(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "{field} is missing in {value}");
    }
}

#[test]
fn a_record_has_every_field_that_scripts_read_and_its_samples_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let record = measure(&path);
    assert_eq!(names_in(directory.path()), ["record.json"], "nothing is left beside it");
    every_field_is_there(&record);
    for benchmark in benchmarks(&record) {
        samples_add_up(benchmark);
        energy_adds_up(benchmark);
        cost_reads_it_back(&path, benchmark);
    }
    nothing_names_the_owner(&fs::read_to_string(&path).unwrap());
    several_engines_need_a_choice(&path, &record);
}

fn every_field_is_there(record: &Value) {
    let fields = [
        "format",
        "format_version",
        "tool",
        "started_utc",
        "machine",
        "sensors",
        "groups",
        "setups",
        "benchmarks",
        "warnings",
        "interrupted",
    ];
    has_fields(record, &fields);
    assert_eq!((&record["format"], &record["interrupted"]), (&"hashwatt-record".into(), &false.into()));
    assert_eq!(record["format_version"]["major"], 1);
    has_fields(&record["format_version"], &["minor"]);
    has_fields(&record["tool"], &["name", "version", "target", "features", "optimized"]);
    has_fields(&record["machine"], &["cpu", "memory", "os", "gpus", "virtualization"]);
    let sensor = ["name", "device", "provenance", "covers", "leaves_out", "relative_uncertainty"];
    has_fields(&record["sensors"][0], &sensor);
    assert!(record["groups"][0][0].is_string() && record["setups"].is_array());
    for warning in record["warnings"].as_array().unwrap() {
        has_fields(warning, &["code", "text", "hint"]);
    }
    for benchmark in benchmarks(record) {
        let fields = [
            "id",
            "algorithm",
            "device",
            "device_name",
            "engine",
            "mode",
            "threads",
            "verified_by",
            "setup_s",
            "meters",
        ];
        has_fields(benchmark, &fields);
        assert_eq!(benchmark["verified"], true);
        assert_ne!(benchmark["verified_by"], benchmark["id"], "nobody vouches for himself");
        assert_eq!((&benchmark["device"], &benchmark["algorithm"]), (&"cpu".into(), &"sha256d".into()));
        has_fields(&benchmark["samples"][0], &["turn", "start_s", "duration_s", "hashes", "energy_j"]);
        has_fields(&benchmark["rate_hps"], &["median", "low", "high", "confidence"]);
        let energy = ["gross", "net", "provenance", "meters", "coverage", "reason"];
        has_fields(&benchmark["energy_j_per_hash"], &energy);
        has_fields(&benchmark["energy_j_per_hash"]["gross"], &["value", "low", "high"]);
    }
}

fn samples_add_up(benchmark: &Value) {
    let samples = benchmark["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 12, "the quick plan has three turns of four samples");
    let mut rates: Vec<f64> =
        samples.iter().map(|sample| number(&sample["hashes"]) / number(&sample["duration_s"])).collect();
    rates.sort_by(f64::total_cmp);
    let rate = &benchmark["rate_hps"];
    assert_close(number(&rate["median"]), f64::midpoint(rates[5], rates[6]), "the median of twelve samples");
    // Of independent values the interval reaches 1.96 * sqrt(12) / 2 = 3.395 ranks to either side of 6.5: to 3.105 and
    // 9.895. Correlated ones make it wider, up to the whole range.
    let (low, high) = (number(&rate["low"]), number(&rate["high"]));
    let between = |rank: usize, part: f64| rates[rank - 1] + part * (rates[rank] - rates[rank - 1]);
    assert!(rates[0] <= low && low <= between(3, 0.1053), "low: {low} of {rates:?}");
    assert!(rates[11] >= high && high >= between(9, 0.8947), "high: {high} of {rates:?}");
    assert_close(number(&rate["confidence"]), 0.95, "confidence");
    let turns: Vec<f64> = samples.iter().map(|sample| number(&sample["turn"])).collect();
    assert_eq!(turns, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
    let sum = |field: &str| samples.iter().map(|sample| number(&sample[field])).sum::<f64>();
    assert_close(number(&rate["mean"]), sum("hashes") / sum("duration_s"), "all hashes over all time");
    for pair in samples.windows(2) {
        let end = number(&pair[0]["start_s"]) + number(&pair[0]["duration_s"]);
        assert!(number(&pair[1]["start_s"]) >= end - 1e-9, "samples don't overlap: {pair:?}");
    }
    assert!(benchmark["verified_hashes"].as_u64().unwrap() > 0, "something was hashed again");
}

fn energy_adds_up(benchmark: &Value) {
    let samples = benchmark["samples"].as_array().unwrap();
    let energy_j: f64 = samples.iter().map(|sample| number(&sample["energy_j"]["watts:50W±10%@cpu"])).sum();
    let hashes: f64 = samples.iter().map(|sample| number(&sample["hashes"])).sum();
    let energy = &benchmark["energy_j_per_hash"];
    assert_close(number(&energy["gross"]["value"]), energy_j / hashes, "all joules over all hashes");
    assert_eq!(energy["provenance"], "declared");
}

fn cost_reads_it_back(path: &Path, benchmark: &Value) {
    let id = benchmark["id"].as_str().unwrap();
    let cost = hashwatt(&["cost", path.to_str().unwrap(), "--engine", id, "--json"]).json();
    let per_coin = number(&cost["hashes_expected_per_coin"]);
    let rate = &benchmark["rate_hps"];
    assert_close(number(&cost["coins_per_day"]), number(&rate["median"]) * 86_400.0 / per_coin, "coins per day");
    assert_close(number(&cost["coins"]["low"]), number(&rate["low"]) * 86_400.0 / per_coin, "coins, low");
    assert_close(number(&cost["coins"]["high"]), number(&rate["high"]) * 86_400.0 / per_coin, "coins, high");
    let energy = number(&benchmark["energy_j_per_hash"]["gross"]["value"]);
    assert_close(number(&cost["energy_per_coin_j"]), energy * per_coin, "joules per coin");
    assert_close(number(&cost["cost_per_coin"]), energy * per_coin / 3.6e6 * 0.05, "cost per coin");
}

fn nothing_names_the_owner(text: &str) {
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let variables = ["USER", "LOGNAME", "HOME", "HOSTNAME"].map(|name| env::var(name).unwrap_or_default());
    for name in variables.iter().map(String::as_str).chain([hostname.trim()]) {
        // A shorter name, or one that is a word of the record's own, would be found in any record.
        if name.len() > 3 && !["none", "root", "hash", "/root"].contains(&name) {
            assert!(!text.contains(name), "the record holds {name:?}");
        }
    }
}

fn several_engines_need_a_choice(path: &Path, record: &Value) {
    let path = path.to_str().unwrap();
    let ids: Vec<&str> = benchmarks(record).iter().map(|benchmark| benchmark["id"].as_str().unwrap()).collect();
    if ids.len() > 1 {
        hashwatt(&["cost", path, "--json"]).is_refused(2, &[path, ids[0], ids[1], "--engine"]);
    }
    hashwatt(&["cost", path, "--engine", "sha256d/cpu/absent"]).is_refused(15, &["sha256d/cpu/absent", ids[0]]);
    hashwatt(&["cost", path, "--engine", ids[0], "--coin", "xmr"]).is_refused(2, &["sha256d", "XMR"]);
}

#[test]
fn fields_of_a_newer_minor_version_are_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let out = path.to_str().unwrap();
    let run = ["bench", "sha256d/cpu/scalar", "--time", "0.1", "--out", out, "--json"];
    let mut record = hashwatt(&run).json();
    let before = hashwatt(&["cost", out, "--json"]).json();
    record["format_version"]["minor"] = 99.into();
    record["something new"] = 1.into();
    record["benchmarks"][0]["something new"] = "x".into();
    fs::write(&path, record.to_string()).unwrap();
    assert_eq!(hashwatt(&["cost", out, "--json"]).json(), before);
}

#[test]
fn a_newer_major_version_is_refused_with_both_versions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&fixtures()[0]).unwrap()).unwrap();
    let FormatVersion { major, minor } = FORMAT_VERSION;
    record["format_version"] = json!({ "major": major + 1, "minor": 3 });
    // What a newer major version changes can't be read at all.
    record["benchmarks"] = "changed".into();
    fs::write(&path, record.to_string()).unwrap();
    let (path, old) = (path.to_str().unwrap(), fixtures()[0].to_str().unwrap().to_owned());
    let words = [path, &format!("version {}.3", major + 1), &format!("up to {major}.{minor}"), "a later one"];
    hashwatt(&["cost", path]).is_refused(15, &words);
    hashwatt(&["compare", &old, path]).is_refused(15, &words);
}

/// Returns the records of `tests/records`, in the order of their names, which begin with their format version.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "{paths:?}");
    paths
}

#[test]
fn old_records_stay_readable() {
    for path in fixtures() {
        let record = record::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let FormatVersion { major, minor } = record.format_version;
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{major}.{minor}-")), "{name}");
        // Written again, it says the same.
        let again = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&again).unwrap(), record);

        let path = path.to_str().unwrap();
        for benchmark in &record.benchmarks {
            let cost = hashwatt(&["cost", path, "--engine", benchmark.id.as_str(), "--json"]).json();
            assert_close(number(&cost["inputs"]["rate_hps"]["value"]), benchmark.rate_hps.median, name);
        }
        let pairs = hashwatt(&["compare", path, path, "--json"]).json()["pairs"].clone();
        assert_eq!(pairs.as_array().unwrap().len(), record.benchmarks.len(), "{name}");
        for pair in pairs.as_array().unwrap() {
            assert!(["same", "inconclusive"].contains(&pair["verdict"].as_str().unwrap()), "{name}: {pair}");
        }
    }
}

#[test]
fn what_the_first_records_lacked_is_absent_and_no_guess() {
    let first = fixtures().into_iter().find(|path| path.ends_with("1.0-first-fields.json")).unwrap();
    let text = fs::read_to_string(&first).unwrap();
    for name in ["turn", "outliers", "load_change", "calibrations", "microcode", "mitigations"] {
        assert!(!text.contains(&format!("\"{name}\"")), "{name} shall be missing");
    }
    let record = record::read(&first).unwrap();
    assert!(record.benchmarks.iter().all(|benchmark| benchmark.outliers.is_empty()));
    assert!(record.benchmarks.iter().flat_map(|benchmark| &benchmark.samples).all(|sample| sample.turn == 0));
    assert_eq!(record.load_change, LoadChange::default());
    assert!(record.calibrations.is_empty() && record.machine.mitigations.is_empty());
    assert_eq!((record.machine.cpu.microcode, record.machine.memory.page_size_bytes), (None, None));
}

#[test]
fn an_existing_record_is_replaced_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    let run = hashwatt(&["bench", "sha256d/cpu/scalar", "--time", "0.1", "--out", path.to_str().unwrap()]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(benchmarks(&record).len(), 1);
    assert_eq!(names_in(directory.path()), ["record.json"]);
}
