//! Ctrl-C in the middle of a run: exit code 130, and a record of what was measured until then.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![cfg(unix)]

mod common;

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::{HEADER_125552, Running, command, hashwatt, names_in};
use rustix::process::Signal;
use serde_json::Value;

/// A benchmark that would take minutes, in samples of half a second.
const LONG: [&str; 4] = ["bench", "sha256d/cpu/scalar", "--time", "20"];

/// Longer than a lead-in and one sample together.
const SOME_SAMPLES: Duration = Duration::from_secs(4);

#[test]
fn an_interrupted_benchmark_prints_and_writes_what_it_measured() {
    for signal in [Signal::INT, Signal::TERM] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        let out = path.to_str().unwrap();
        let arguments = [&LONG[..], &["--json", "--out", out]].concat();
        let mut running = Running::start(&mut command(&arguments), Stdio::piped());
        running.wait_for("measuring sha256d/cpu/scalar");
        thread::sleep(SOME_SAMPLES);
        running.signal(signal);
        let run = running.end();
        assert_eq!(run.code, Some(130), "{run:?}");
        let printed = run.document();
        let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(printed, written);
        assert_eq!(written["interrupted"], true);
        let samples = written["benchmarks"][0]["samples"].as_array().unwrap();
        assert!((1..40).contains(&samples.len()), "{} samples", samples.len());
        assert_eq!(written["benchmarks"][0]["verified"], true, "what was measured was checked all the same");
        assert_eq!(names_in(directory.path()), ["record.json"]);
        let cost = hashwatt(&["cost", out, "--engine", "sha256d/cpu/scalar", "--json"]).json();
        assert!(cost["coins_per_day"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn an_interrupt_before_anything_is_measured_leaves_a_record_that_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let mut running = Running::start(&mut command(&["--json", "--out", path.to_str().unwrap()]), Stdio::piped());
    running.wait_for("testing");
    running.signal(Signal::INT);
    let run = running.end();
    assert_eq!(run.code, Some(130), "{run:?}");
    let record = run.document();
    assert_eq!((&record["interrupted"], &record["cost"]), (&true.into(), &Value::Array(Vec::new())));
    let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(written["interrupted"], true);
}

#[test]
fn an_interrupted_scan_says_how_far_it_came() {
    let scan = ["scan", "sha256d", "--header", HEADER_125552, "--engine", "sha256d/cpu/scalar", "--threads", "1"];
    let mut running = Running::start(&mut command(&[&scan[..], &["--json"]].concat()), Stdio::piped());
    running.wait_for("scanning");
    thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    let run = running.end();
    assert_eq!(run.code, Some(130), "{run:?}");
    let scanned = run.document();
    assert_eq!(scanned["interrupted"], true);
    assert!(scanned["scanned"].as_u64().unwrap() < 1 << 32, "{scanned}");
}

/// A pipe that is full, because nobody reads it and a thread writes whatever fits: who writes to it waits.
fn full_pipe() -> (std::io::PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    thread::spawn(move || while filler.write_all(&[b'x'; 4096]).is_ok() {});
    thread::sleep(Duration::from_millis(200));
    (reader, Stdio::from(writer))
}

#[test]
fn a_second_interrupt_ends_at_once() {
    // The first interrupt leads to a record that can't be printed: without a second one the program would wait for
    // ever.
    let (reader, stdout) = full_pipe();
    let mut running = Running::start(&mut command(&[&LONG[..], &["--json"]].concat()), stdout);
    running.wait_for("measuring sha256d/cpu/scalar");
    running.signal(Signal::INT);
    running.wait_for("once more ends at once");
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
    drop(reader);
}
