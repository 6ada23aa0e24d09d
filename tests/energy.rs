//! Energy: what is measured and what is declared are told apart, and what isn't known is absent with a reason.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::{assert_close, hashwatt, number, write_tree};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The highest value of many processors' counters, in microjoules.
const RANGE_UJ: u64 = 262_143_328_850;

/// A tree with one package whose counter a thread moves forward, as a processor of constant power would.
struct FakeRapl {
    directory: TempDir,
    stop: Arc<AtomicBool>,
    mover: Option<JoinHandle<()>>,
}

impl FakeRapl {
    /// The counter begins at `start_uj`; with 0 W it stands still.
    fn start(start_uj: u64, power_w: f64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let domain = "sys/class/powercap/intel-rapl:0";
        let files = [
            (format!("{domain}/name"), "package-0\n".to_owned()),
            (format!("{domain}/max_energy_range_uj"), format!("{RANGE_UJ}\n")),
            (format!("{domain}/energy_uj"), format!("{start_uj}\n")),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        write_tree(directory.path(), &files);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, folder) = (Arc::clone(&stop), directory.path().join(domain));
        let mover = (power_w > 0.0).then(|| thread::spawn(move || move_counter(&folder, start_uj, power_w, &stopped)));
        Self { directory, stop, mover }
    }

    fn path(&self) -> &str {
        self.directory.path().to_str().unwrap()
    }
}

impl Drop for FakeRapl {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mover) = self.mover.take() {
            let _ = mover.join();
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some joules in microjoules")]
fn move_counter(folder: &Path, start_uj: u64, power_w: f64, stop: &AtomicBool) {
    let (beside, counter): (PathBuf, PathBuf) = (folder.join("next"), folder.join("energy_uj"));
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let used_uj = (started.elapsed().as_secs_f64() * power_w * 1e6) as u64;
        // Renamed, because a reader must never see half a number.
        fs::write(&beside, format!("{}\n", (start_uj + used_uj) % (RANGE_UJ + 1))).unwrap();
        fs::rename(&beside, &counter).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
}

/// Measures the scalar engine on one thread, so that the counter's own thread has a processor, and gives its record.
fn bench(more: &[&str]) -> Value {
    let run = ["bench", "sha256d/cpu/scalar", "--threads", "1", "--json"];
    hashwatt(&[&run, more].concat()).json()
}

fn energy(record: &Value) -> &Value {
    &record["benchmarks"][0]["energy_j_per_hash"]
}

/// Asserts that a record's joules per hash are those of a power. The counter moves in steps, so they aren't exact.
fn has_power(record: &Value, power_w: f64) {
    let energy = energy(record);
    assert_eq!((&energy["provenance"], &energy["meters"]), (&json!("measured"), &json!(["rapl"])), "{energy}");
    assert!(energy["reason"].is_null(), "{energy}");
    // The counter goes on alike when nothing hashes: that is the idle power, and little or nothing is left of it.
    let idle = record["idle"].as_array().unwrap();
    assert_eq!((&idle[0]["when"], &idle[1]["when"], idle.len()), (&json!("before"), &json!("after"), 2));
    for idle in idle {
        let idle_w = number(&idle["energy_j"]["rapl"]) / number(&idle["duration_s"]);
        assert!((idle_w / power_w - 1.0).abs() < 0.2, "{idle_w} W idle");
    }
    if energy["net"].is_null() {
        assert!(energy["net_reason"].as_str().unwrap().contains("idle"), "{energy}");
    } else {
        assert!(number(&energy["net"]["value"]) < 0.2 * number(&energy["gross"]["value"]), "{energy}");
    }
    assert!(energy["coverage"].as_str().unwrap().contains("1 package"), "{energy}");
    let power = number(&energy["gross"]["value"]) * number(&record["benchmarks"][0]["rate_hps"]["mean"]);
    assert!((power / power_w - 1.0).abs() < 0.2, "{power} W were measured where {power_w} W were used");
    assert!(number(&energy["gross"]["low"]) <= number(&energy["gross"]["value"]), "{energy}");
    assert!(number(&energy["gross"]["high"]) >= number(&energy["gross"]["value"]), "{energy}");
}

#[test]
fn rapl_gives_measured_joules_of_the_right_size() {
    let rapl = FakeRapl::start(5_000_000, 40.0);
    for meter in ["rapl", "auto"] {
        let record = bench(&["--time", "2", "--meter", meter, "--sysroot", rapl.path()]);
        has_power(&record, 40.0);
        assert_eq!(record["sensors"][0]["provenance"], "measured");
        assert_eq!(record["benchmarks"][0]["meters"], json!(["rapl"]));
    }
}

#[test]
fn a_counter_that_wraps_in_the_middle_changes_nothing() {
    // 40 W reach the end after a second and a half: inside the measured time, or in the lead-in before it.
    let rapl = FakeRapl::start(RANGE_UJ - 60_000_000, 40.0);
    has_power(&bench(&["--time", "3", "--meter", "rapl", "--sysroot", rapl.path()]), 40.0);
}

#[test]
fn a_counter_that_stands_still_gives_no_figure_and_never_zero() {
    let rapl = FakeRapl::start(5_000_000, 0.0);
    let record = bench(&["--time", "3", "--meter", "rapl", "--sysroot", rapl.path()]);
    is_absent(&record, "has not moved");
    assert!(number(&record["benchmarks"][0]["rate_hps"]["median"]) > 0.0, "the rate is known all the same");
}

/// Asserts that there is no figure of joules, but a reason.
fn is_absent(record: &Value, reason: &str) {
    let energy = energy(record);
    assert_eq!((&energy["gross"], &energy["net"]), (&Value::Null, &Value::Null));
    assert_eq!((&energy["provenance"], &energy["meters"]), (&json!("unavailable"), &json!([])));
    assert!(energy["reason"].as_str().unwrap().contains(reason), "{energy}");
}

#[test]
fn declared_watts_are_exact_and_declared() {
    let record = bench(&["--time", "0.2", "--meter", "watts:65W±5%"]);
    let name = "watts:65W±5%@cpu";
    let samples = record["benchmarks"][0]["samples"].as_array().unwrap();
    for sample in samples {
        assert_close(number(&sample["energy_j"][name]), 65.0 * number(&sample["duration_s"]), "joules of a sample");
    }
    let energy = energy(&record);
    assert_eq!((&energy["provenance"], &energy["meters"]), (&json!("declared"), &json!([name])));
    let value = number(&energy["gross"]["value"]);
    assert_close(value * number(&record["benchmarks"][0]["rate_hps"]["mean"]), 65.0, "the power");
    let (low, high) = (number(&energy["gross"]["low"]), number(&energy["gross"]["high"]));
    assert!(low <= value * 0.95 * (1.0 + 1e-9) && high >= value * 1.05 * (1.0 - 1e-9), "{energy}");
    assert_eq!(record["sensors"][0]["relative_uncertainty"], 0.05);
}

#[test]
fn without_a_meter_the_figure_is_null_with_the_reason() {
    let empty = tempfile::tempdir().unwrap();
    is_absent(&bench(&["--time", "0.1", "--sysroot", empty.path().to_str().unwrap()]), "no RAPL counters");
    is_absent(&bench(&["--time", "0.1", "--meter", "none"]), "--meter none");
    let run = hashwatt(&["bench", "sha256d/cpu/scalar", "--time", "0.1", "--meter", "none"]);
    assert!(run.stdout.contains("unavailable"), "{run:?}");
}

#[test]
fn rapl_that_is_asked_for_and_is_not_there_has_a_code_of_its_own() {
    let empty = tempfile::tempdir().unwrap();
    let sysroot = empty.path().to_str().unwrap();
    for command in [&["bench", "sha256d/cpu/scalar"][..], &[]] {
        hashwatt(&[command, &["--meter", "rapl", "--sysroot", sysroot, "--json"]].concat())
            .is_refused(12, &["rapl", "no RAPL counters", "watts:65W"]);
    }
    // A counter that holds no number counts as none: a sum without it would be too small.
    let garbage = FakeRapl::start(1, 0.0);
    fs::write(garbage.directory.path().join("sys/class/powercap/intel-rapl:0/energy_uj"), "many\n").unwrap();
    hashwatt(&["bench", "sha256d/cpu/scalar", "--meter", "rapl", "--sysroot", garbage.path()])
        .is_refused(12, &["energy_uj", "many"]);
}

#[test]
fn a_meter_of_a_device_that_is_not_here_is_refused() {
    hashwatt(&["bench", "sha256d/cpu/scalar", "--meter", "watts:300W@gpu77", "--json"])
        .is_refused(12, &["watts:300W@gpu77", "gpu77"]);
}
