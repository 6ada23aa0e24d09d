//! A wrong hash is never a slow number: whatever an engine gets wrong ends the run with exit code 10 and a dump.
//!
//! The cargo feature `fault-injection` makes an engine compute something wrong on purpose.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{HEADER_125552, NONCE_125552, Run, available_engines, hashwatt, hashwatt_with, names_in};

const SCALAR: &str = "sha256d/cpu/scalar";
const LIGHT: &str = "randomx-v1/cpu/interpreter+light";

/// More hashes than all tests of SHA-256d before the clock starts (84,000 where versions are rolled), and fewer than the
/// calibration takes.
const ONLY_TIMED: &str = "90000";

/// Runs the program with a fault of a kind in an engine, after so many right hashes.
fn with_fault(kind: &str, engine: &str, after: &str, arguments: &[&str]) -> Run {
    let fault = format!("{kind}@{engine}");
    hashwatt_with(arguments, &[("HASHWATT_FAULT", &fault), ("HASHWATT_FAULT_AFTER", after)])
}

/// Asserts exit code 10 and a dump with which the fault can be looked into.
#[track_caller]
fn is_caught(run: &Run, engine: &str, check: &str) {
    let words = [engine, "computed a wrong hash", check, "input ", "expected ", "computed ", "according to "];
    run.is_refused(10, &words);
}

/// Asserts that one of the checks of timed work noticed it: which one is left to chance, because where the planted
/// solutions lie is.
#[track_caller]
fn is_caught_in_timed_work(run: &Run, engine: &str) {
    let checks = ["number of hits", "a planted solution", "hits of one span"];
    let check = checks.into_iter().find(|check| run.stderr.contains(check)).unwrap_or("of the timed work");
    is_caught(run, engine, check);
}

fn bench(kind: &str, engine: &str) -> Run {
    with_fault(kind, engine, ONLY_TIMED, &["bench", engine, "--time", "0.3", "--json"])
}

#[test]
fn a_wrong_known_answer_ends_the_self_test() {
    let sha256d = available_engines().into_iter().filter(|id| id.starts_with("sha256d/"));
    for engine in sha256d {
        for kind in ["hit", "lost"] {
            let run = with_fault(kind, &engine, "0", &["selftest", "sha256d/*", "--json"]);
            is_caught(&run, &engine, "known answer: block 0");
        }
    }
    is_caught(&with_fault("hash", SCALAR, "0", &["selftest", SCALAR]), SCALAR, "known answer: block 0");
}

#[test]
fn a_wrong_randomx_hash_ends_the_self_test() {
    let run = with_fault("hash", LIGHT, "0", &["selftest", LIGHT, "--json"]);
    is_caught(&run, LIGHT, "known answer: reads the last item of the dataset");
}

#[test]
fn a_fault_in_one_engine_ends_the_whole_job_before_anything_is_measured() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("record.json");
    let run = with_fault("hit", SCALAR, "0", &["--json", "--out", out.to_str().unwrap()]);
    is_caught(&run, SCALAR, "known answer");
    assert!(!run.stderr.contains("measuring"), "{run:?}");
    assert_eq!(names_in(directory.path()), [""; 0]);
}

#[test]
fn one_flipped_bit_in_a_hit_of_timed_work_is_caught_on_every_engine() {
    for engine in available_engines().iter().filter(|id| id.starts_with("sha256d/")) {
        is_caught_in_timed_work(&bench("hit", engine), engine);
    }
}

/// The last hit of each span is lost. On a fast graphics card that is one hit in a hundred, among more nonces than can be
/// hashed again, and chance loses more; so only the processors' engines promise to notice it.
#[test]
fn lost_hits_of_timed_work_are_caught_on_every_cpu_engine() {
    for engine in available_engines().iter().filter(|id| id.starts_with("sha256d/cpu/")) {
        is_caught_in_timed_work(&bench("lost", engine), engine);
    }
}

#[test]
fn nothing_is_written_where_a_hash_was_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    fs::write(&path, "before").unwrap();
    let out = path.to_str().unwrap();
    let run = with_fault("hit", SCALAR, ONLY_TIMED, &["bench", SCALAR, "--time", "0.3", "--out", out]);
    is_caught_in_timed_work(&run, SCALAR);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(names_in(directory.path()), ["record.json"]);
}

#[test]
fn a_scan_with_a_faulty_engine_gives_no_answer() {
    let nonces = format!("{}..{}", NONCE_125552, NONCE_125552 + 1);
    let scan = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", &nonces, "--engine", SCALAR, "--json"];
    is_caught(&with_fault("hit", SCALAR, "0", &scan), SCALAR, "known answer");
    let run = with_fault("hit", SCALAR, ONLY_TIMED, &scan_many());
    // With the flipped bit a nonce at a span's end lies outside it, which is noticed first.
    let is_outside = run.stderr.contains("hits of one span");
    is_caught(&run, SCALAR, if is_outside { "hits of one span" } else { "a hit of the timed work" });
}

/// A scan that goes on beyond the hashes that are right.
fn scan_many() -> Vec<&'static str> {
    let target = "000fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    let scan = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..200000", "--target", target];
    [&scan[..], &["--engine", SCALAR, "--json"]].concat()
}

#[test]
fn a_device_that_is_lost_in_mid_run_is_told_and_the_others_go_on() {
    let run = with_fault("device-lost", SCALAR, "0", &["bench", "sha256d/cpu/*", "--time", "5", "--json"]);
    assert_eq!(run.code, Some(11), "{run:?}");
    assert!(run.stderr.contains("error") && run.stderr.contains("the device was lost"), "{run:?}");
    assert!(run.stderr.contains(SCALAR), "{run:?}");
    let record = run.document();
    let failed: Vec<_> =
        record["warnings"].as_array().unwrap().iter().filter(|warning| warning["code"] == "engine-failed").collect();
    assert!(failed[0]["text"].as_str().unwrap().contains(SCALAR), "{failed:?}");
    let others = available_engines().into_iter().filter(|id| id.starts_with("sha256d/cpu/") && id != SCALAR);
    for other in others {
        assert!(record["benchmarks"].as_array().unwrap().iter().any(|benchmark| benchmark["id"] == other.as_str()));
    }
    let scan =
        with_fault("device-lost", SCALAR, "0", &["scan", "sha256d", "--header", HEADER_125552, "--engine", SCALAR]);
    scan.is_refused(11, &[SCALAR, "the device was lost"]);
}

#[test]
fn without_a_fault_the_same_commands_succeed() {
    assert_eq!(hashwatt(&["bench", SCALAR, "--time", "0.3", "--json"]).code, Some(0));
    assert_eq!(hashwatt(&scan_many()).code, Some(0));
    // A fault of another engine is nobody's business here.
    assert_eq!(with_fault("hit", "sha256d/cpu/other", "0", &scan_many()).code, Some(0));
}

#[test]
fn a_single_wrong_hash_is_not_printed() {
    let run = with_fault("hash", SCALAR, "0", &["hash", "sha256d", "--input", "00", "--engine", SCALAR, "--json"]);
    is_caught(&run, SCALAR, "known answer");
}

#[test]
fn hits_that_a_scan_loses_after_the_self_test_are_noticed() {
    is_caught(&with_fault("lost", SCALAR, ONLY_TIMED, &scan_many()), SCALAR, "a span of the timed work");
}

#[test]
fn a_wrong_checksum_of_a_randomx_scan_is_noticed() {
    let (key, blob) = ("00".repeat(32), "00".repeat(112));
    let scan = ["scan", "randomx-v1", "--key", &key, "--blob", &blob, "--nonces", "0..7", "--engine", LIGHT];
    // The self-test takes three hashes.
    is_caught(&with_fault("checksum", LIGHT, "3", &scan), LIGHT, "a span of the timed work");
}
