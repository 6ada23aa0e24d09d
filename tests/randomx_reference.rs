//! RandomX by the reference: published vectors in both modes, our own engines beside it, a dataset that is whole to its
//! last item, and a floating-point environment that comes back.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/randomx.rs"]
mod randomx;
#[path = "common/trials.rs"]
mod trials;

use std::hint::black_box;
use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use common::{Running, command, hashwatt_with};
use hashwatt::engine::{Cancel, Engine, EngineError, Job, Pool, Preparation, Quiet};
use hashwatt::machine;
use hashwatt::registry::Registry;
use hashwatt::sysroot::Sysroot;
use randomx::{agrees, scan};
use serde_json::Value;
use trials::trial;

const FAST: &str = "randomx-v1/cpu/reference+fast";
/// What checks the reference.
const OWN_LIGHT: &str = "randomx-v1/cpu/jit+light";
const INTERPRETER: &str = "randomx-v1/cpu/interpreter+light";
const LIGHT: &str = "randomx-v1/cpu/reference+light";

/// What a dataset, two caches and the scratchpads take, and what is left for everybody else.
const DATASET_BYTES: u64 = 3 << 30;
const CACHE_BYTES: u64 = 512 << 20;

fn main() -> ExitCode {
    let light = why_not(CACHE_BYTES);
    let fast = why_not(DATASET_BYTES);
    let (light, fast) = (light.as_deref(), fast.as_deref());
    let faults = (!cfg!(feature = "fault-injection")).then_some("needs the cargo feature fault-injection");
    let trials = vec![
        trial("light_mode_agrees_with_every_vector", light, light_mode_agrees_with_every_vector),
        trial("rounding_is_as_before_after_a_run", light, rounding_is_as_before_after_a_run),
        trial("an_engine_refuses_a_job_of_another_key", light, an_engine_refuses_a_job_of_another_key),
        trial("a_dataset_under_construction_can_be_interrupted", fast, a_dataset_can_be_interrupted),
        trial("our_engines_hash_as_the_reference_does", light, our_engines_hash_as_the_reference_does),
        trial("fast_mode_agrees_with_upstreams_vectors", fast, || fast_mode_agrees("test key 000", 3)),
        trial("fast_mode_reads_the_datasets_last_item", fast, || fast_mode_agrees("test key 028", 1)),
        trial("a_wrong_checksum_of_timed_work_is_caught", fast.or(faults), a_wrong_checksum_is_caught),
    ];
    // One dataset at a time.
    trials::run(trials, true)
}

/// Tells why RandomX can't run here in so much memory, if it can't.
fn why_not(bytes: u64) -> Option<String> {
    if !cfg!(feature = "reference") {
        return Some("needs the cargo feature reference".to_owned());
    }
    let available = machine::available_memory_bytes(&Sysroot::default()).filter(|&available| available < bytes)?;
    Some(format!("needs {} MiB of memory, {} are available", bytes >> 20, available >> 20))
}

/// Returns key, input and hash of each vector.
fn vectors() -> Vec<[Vec<u8>; 3]> {
    let file: Value = serde_json::from_str(include_str!("vectors/randomx_v1.json")).unwrap();
    let bytes = |vector: &Value, field: &str| const_hex::decode(vector[field].as_str().unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter();
    vectors.map(|vector| ["key", "input", "hash"].map(|field| bytes(vector, field))).collect()
}

fn prepare(id: &str, key: &[u8]) -> Box<dyn Engine> {
    let registry = Registry::find(&Sysroot::default());
    let (pool, cancel) = (Pool::default(), Cancel::default());
    let preparation = Preparation { key, threads: 2, pool: &pool, progress: &Quiet, cancel: &cancel };
    registry.get(id).unwrap().prepare(&preparation).unwrap()
}

fn light_mode_agrees_with_every_vector() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 8);
    let mut keys: Vec<&Vec<u8>> = vectors.iter().map(|[key, ..]| key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 5);
    for key in keys {
        let of_key: Vec<_> = vectors.iter().filter(|[other, ..]| other == key).cloned().collect();
        agrees(prepare(LIGHT, key).as_mut(), &of_key);
    }
}

fn fast_mode_agrees(key: &str, count: usize) {
    let of_key: Vec<_> = vectors().into_iter().filter(|[other, ..]| other == key.as_bytes()).collect();
    assert_eq!(of_key.len(), count);
    agrees(prepare(FAST, key.as_bytes()).as_mut(), &of_key);
}

/// Divisions whose results depend on the rounding mode: the literals are rounded to nearest by the compiler.
fn rounds_to_nearest() {
    let (tenth, third, two_thirds) = (0.1_f64, 0.333_333_333_333_333_3, 0.666_666_666_666_666_6);
    assert_eq!(black_box(1.0_f64) / black_box(10.0), tenth);
    assert_eq!(black_box(1.0_f64) / black_box(3.0), third);
    assert_eq!(black_box(2.0_f64) / black_box(3.0), two_thirds);
    assert_eq!(black_box(-1.0_f64) / black_box(10.0), -tenth);
    assert_eq!(black_box(1.0_f32) / black_box(10.0), 0.1);
    // Denormal numbers are neither flushed to zero nor taken for it.
    assert!(black_box(f64::MIN_POSITIVE) / black_box(2.0) > 0.0);
    assert!(black_box(5e-324_f64) * black_box(2.0) > 0.0);
}

fn rounding_is_as_before_after_a_run() {
    rounds_to_nearest();
    let mut engine = prepare(LIGHT, b"test key 000");
    // Each program of a hash ends in another rounding mode: after some inputs all four have been left behind.
    for nonce in 0..8_u8 {
        let before = engine.hash(&[nonce]).unwrap();
        rounds_to_nearest();
        assert_eq!(engine.hash(&[nonce]).unwrap(), before);
        let job = Job { key: b"test key 000".to_vec(), template: vec![nonce; 76], nonce_offset: 39, version_mask: 0 };
        scan(engine.as_mut(), job, 0..5).unwrap();
        rounds_to_nearest();
        thread::spawn(rounds_to_nearest).join().unwrap();
    }
    drop(engine);
    rounds_to_nearest();
}

fn an_engine_refuses_a_job_of_another_key() {
    let mut engine = prepare(LIGHT, b"test key 000");
    let job = Job { key: b"test key 001".to_vec(), template: vec![0; 76], nonce_offset: 39, version_mask: 0 };
    let result = scan(engine.as_mut(), job, 0..2);
    assert!(matches!(result, Err(EngineError::Job { .. })), "{result:?}");
}

#[cfg(unix)]
fn a_dataset_can_be_interrupted() {
    let (key, blob) = ("00".repeat(32), "00".repeat(112));
    let scan = ["scan", "randomx-v1", "--key", &key, "--blob", &blob, "--nonces", "0..100", "--engine", FAST, "--json"];
    let mut running = Running::start(&mut command(&scan), Stdio::piped());
    running.wait_for("building the RandomX dataset");
    thread::sleep(Duration::from_millis(500));
    running.signal(rustix::process::Signal::INT);
    let run = running.end();
    assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""), "{run:?}");
}

#[cfg(not(unix))]
fn a_dataset_can_be_interrupted() {
    let _ = (Running::start, command, Stdio::piped, Duration::from_millis);
}

/// Keys and inputs of any length, the empty ones among them. Many more were compared once: docs/METHODOLOGY.md.
fn our_engines_hash_as_the_reference_does() {
    let mut state = 7_u64;
    let mut bytes = |most: usize| {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_le_bytes()[7]
        };
        let length = usize::from(next()) % (most + 1);
        (0..length).map(|_| next()).collect::<Vec<u8>>()
    };
    for number in 0..3 {
        let key = if number == 0 { Vec::new() } else { bytes(60) };
        let mut reference = prepare(LIGHT, &key);
        let mut own: Vec<Box<dyn Engine>> = Vec::new();
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            own.push(prepare(OWN_LIGHT, &key));
        }
        own.push(prepare(INTERPRETER, &key));
        for input in (0..16).map(|number| if number == 0 { Vec::new() } else { bytes(200) }) {
            let expected = reference.hash(&input).unwrap();
            // The last, the interpreter, takes its time.
            let engines = if input.len() % 4 == 0 { own.len() } else { 1 };
            for engine in &mut own[..engines] {
                let (key, input_hex) = (const_hex::encode(&key), const_hex::encode(&input));
                assert_eq!(engine.hash(&input).unwrap(), expected, "{}: key {key}, input {input_hex}", engine.id());
            }
        }
    }
}

/// The reference's timed work is hashed again by our own light mode.
fn a_wrong_checksum_is_caught() {
    // Three hashes are compared before the clock starts.
    let fault = format!("checksum@{LIGHT}");
    let environment = [("HASHWATT_FAULT", fault.as_str()), ("HASHWATT_FAULT_AFTER", "3")];
    let run = hashwatt_with(&["bench", LIGHT, "--time", "0.3", "--json"], &environment);
    run.is_refused(10, &[LIGHT, "a span of the timed work", "checksum", OWN_LIGHT]);
}
