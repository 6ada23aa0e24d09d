//! Our own engines of RandomX, through the library and through the program: published vectors, checksums that upstream
//! and the miner XMRig give, one dataset for all of them, commitments, and what goes wrong on the way.
//!
//! Constants that nobody published were computed with upstream's C++ (commit 9fbab82), which has both versions.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/randomx.rs"]
mod randomx;
#[path = "common/trials.rs"]
mod trials;

use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Running, available_engines, command, hashwatt, write_tree};
use hashwatt::engine::{Cancel, Engine, EngineError, HitFilter, Job, Pool, Preparation, Quiet, RangeWork, Span, Work};
use hashwatt::machine;
use hashwatt::registry::Registry;
use hashwatt::sysroot::Sysroot;
use randomx::{Tail, agrees, scan};
use serde_json::{Value, json};
use trials::trial;

/// What two caches, and a dataset with a cache take, and what is left for everybody else.
const LIGHT_BYTES: u64 = 600 << 20;
const FAST_BYTES: u64 = 3 << 30;
const ALGORITHMS: [&str; 2] = ["randomx-v1", "randomx-v2"];

fn main() -> ExitCode {
    let (light, fast) = (why_not(LIGHT_BYTES), why_not(FAST_BYTES));
    let (light, fast) = (light.as_deref(), fast.as_deref());
    let strace = why_not_watched();
    // One dataset that lies anywhere, and a copy for each node.
    let copies = why_not(3 * FAST_BYTES);
    let (strace, nodes) = (strace.as_deref().or(light), copies.as_deref().or(why_no_two_nodes()));
    let trials = vec![
        trial("light_mode_agrees_with_every_vector", light, light_mode_agrees_with_every_vector),
        trial("fast_modes_agree_and_share_one_dataset", fast, fast_modes_agree_and_share_one_dataset),
        trial("an_engine_refuses_a_job_of_another_key", light, an_engine_refuses_a_job_of_another_key),
        trial("spans_hold_whole_batches_of_hashes_in_flight", light, spans_hold_whole_batches),
        trial("empty_keys_and_inputs_are_hashed", light, empty_keys_and_inputs_are_hashed),
        trial("each_engine_gives_the_checksum_of_few_nonces", fast, each_engine_gives_the_checksum_of_few_nonces),
        trial("the_published_checksums_of_10000_nonces", fast, the_published_checksums_of_10000_nonces),
        trial("commitments_are_the_published_ones", light, commitments_are_the_published_ones),
        trial("hits_are_judged_by_their_commitments", light, hits_are_judged_by_their_commitments),
        trial("commitments_belong_to_randomx", None, commitments_belong_to_randomx),
        trial("a_dataset_under_construction_can_be_interrupted", fast, a_dataset_can_be_interrupted),
        trial("where_code_may_not_be_made_the_interpreter_runs", strace, the_interpreter_stands_in),
        trial("each_numa_node_has_a_dataset_of_its_own", nodes, each_node_has_a_dataset),
        trial("threads_are_as_many_as_the_caches_hold", light, threads_are_as_many_as_the_caches_hold),
    ];
    // One dataset at a time.
    trials::run(trials, true)
}

/// Tells why RandomX can't run here in so much memory, if it can't.
fn why_not(bytes: u64) -> Option<String> {
    let available = machine::available_memory_bytes(&Sysroot::default()).filter(|&available| available < bytes)?;
    Some(format!("needs {} MiB of memory, {} are available", bytes >> 20, available >> 20))
}

/// Tells why system calls can't be made to fail here, if they can't.
fn why_not_watched() -> Option<String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the compiler of programs runs under Linux on x86-64".to_owned());
    }
    let run = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stdin(Stdio::null()).output();
    let runs = run.is_ok_and(|output| output.status.success());
    (!runs).then(|| "strace isn't installed, or not allowed".to_owned())
}

/// Tells why two nodes can't be played, if they can't.
fn why_no_two_nodes() -> Option<&'static str> {
    let is_played = cfg!(target_os = "linux") && thread::available_parallelism().is_ok_and(|count| count.get() >= 2);
    (!is_played).then_some("takes two processors under Linux")
}

/// Returns key, input and hash of each vector of an algorithm.
fn vectors(algorithm: &str) -> Vec<[Vec<u8>; 3]> {
    let text = match algorithm {
        "randomx-v1" => include_str!("vectors/randomx_v1.json"),
        _ => include_str!("vectors/randomx_v2.json"),
    };
    let file: Value = serde_json::from_str(text).unwrap();
    let bytes = |vector: &Value, field: &str| const_hex::decode(vector[field].as_str().unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter();
    vectors.map(|vector| ["key", "input", "hash"].map(|field| bytes(vector, field))).collect()
}

/// Returns the available engines of our own of an algorithm in a mode.
fn engines(algorithm: &str, mode: &str) -> Vec<String> {
    let mut engines = available_engines();
    let is_one = |id: &String| {
        id.starts_with(&format!("{algorithm}/cpu/")) && id.ends_with(mode) && !id.contains("/cpu/reference")
    };
    engines.retain(is_one);
    assert!(engines.iter().any(|id| id.contains("interpreter")), "it runs everywhere: {engines:?}");
    engines
}

fn prepare(registry: &Registry, pool: &Pool, id: &str, key: &[u8]) -> Box<dyn Engine> {
    let preparation = Preparation { key, threads: 2, pool, progress: &Quiet, cancel: &Cancel::default() };
    registry.get(id).unwrap().prepare(&preparation).unwrap()
}

fn light_mode_agrees_with_every_vector() {
    let registry = Registry::find(&Sysroot::default());
    for (algorithm, count) in ALGORITHMS.into_iter().zip([8, 5]) {
        let vectors = vectors(algorithm);
        assert_eq!(vectors.len(), count);
        let mut keys: Vec<&Vec<u8>> = vectors.iter().map(|[key, ..]| key).collect();
        keys.dedup();
        for key in keys {
            let of_key: Vec<_> = vectors.iter().filter(|[other, ..]| other == key).cloned().collect();
            // Held while the others are made, so that they share its cache.
            let pool = Pool::default();
            let mut held = Vec::new();
            for id in engines(algorithm, "+light") {
                let mut engine = prepare(&registry, &pool, &id, key);
                agrees(engine.as_mut(), &of_key);
                held.push(engine);
            }
        }
    }
}

fn fast_modes_agree_and_share_one_dataset() {
    let registry = Registry::find(&Sysroot::default());
    let (pool, key) = (Pool::default(), b"test key 000");
    let mut held: Vec<Box<dyn Engine>> = Vec::new();
    for algorithm in ALGORITHMS {
        let of_key: Vec<_> = vectors(algorithm).into_iter().filter(|[other, ..]| other == key).collect();
        assert_eq!(of_key.len(), 3);
        for id in engines(algorithm, "+fast") {
            let mut engine = prepare(&registry, &pool, &id, key);
            agrees(engine.as_mut(), &of_key);
            if let Some(first) = held.first() {
                // To the nanosecond: it was built once.
                assert_eq!(engine.setup(), first.setup(), "{id}");
            }
            held.push(engine);
        }
    }
    assert!(held.len() >= 2);
}

/// Work that notes how much of it is asked for at a time.
struct Asked {
    work: RangeWork,
    hashes_max: Mutex<Vec<u64>>,
}

impl Work for Asked {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        self.hashes_max.lock().unwrap().push(hashes_max);
        self.work.next(hashes_max)
    }
}

/// A span of fewer hashes than are in flight leaves the rest of a batch empty, which takes as long.
fn spans_hold_whole_batches() {
    let registry = Registry::find(&Sysroot::default());
    for algorithm in ALGORITHMS {
        for id in engines(algorithm, "+light") {
            let mut engine = prepare(&registry, &Pool::default(), &id, b"test key 000");
            let in_flight: u64 = engine.settings()["hashes_in_flight"].parse().unwrap();
            let job = Job { key: b"test key 000".to_vec(), template: vec![0; 76], nonce_offset: 39, version_mask: 0 };
            let work = RangeWork::new(Arc::new(job), 0..6 * in_flight, Cancel::default());
            let work = Asked { work, hashes_max: Mutex::default() };
            engine.run(HitFilter::ALL, &work, &mut Tail::default()).unwrap();
            let asked = work.hashes_max.into_inner().unwrap();
            assert!(asked.len() > 2 && asked.iter().all(|hashes| hashes % in_flight == 0), "{id}: {asked:?}");
        }
    }
}

fn an_engine_refuses_a_job_of_another_key() {
    let registry = Registry::find(&Sysroot::default());
    for algorithm in ALGORITHMS {
        for id in engines(algorithm, "+light") {
            let mut engine = prepare(&registry, &Pool::default(), &id, b"test key 000");
            let job = Job { key: b"test key 001".to_vec(), template: vec![0; 76], nonce_offset: 39, version_mask: 0 };
            let result = scan(engine.as_mut(), job, 0..2);
            assert!(matches!(result, Err(EngineError::Job { .. })), "{id}: {result:?}");
        }
    }
}

fn hash(algorithm: &str, key: &str, input: &str, more: &[&str]) -> Value {
    hashwatt(&[&["hash", algorithm, "--key", key, "--input", input, "--json"], more].concat()).json()
}

fn empty_keys_and_inputs_are_hashed() {
    for (algorithm, key, input, expected) in [
        ("randomx-v1", "", "", EMPTY_V1),
        ("randomx-v1", "", "00", EMPTY_KEY_V1),
        ("randomx-v1", "00", "", EMPTY_INPUT_V1),
        ("randomx-v2", "", "", EMPTY_V2),
    ] {
        assert_eq!(hash(algorithm, key, input, &[])["hash"], expected, "{algorithm}, key {key:?}, input {input:?}");
    }
}

/// Scans the work of XMRig's benchmark: 112 zero bytes, with a key of 32 zero bytes.
fn scan_zeros(algorithm: &str, nonces: &str, more: &[&str]) -> Value {
    let (key, blob) = ("00".repeat(32), "00".repeat(112));
    let run = ["scan", algorithm, "--key", &key, "--blob", &blob, "--nonces", nonces, "--json"];
    hashwatt(&[&run[..], more].concat()).json()
}

fn each_engine_gives_the_checksum_of_few_nonces() {
    for (algorithm, plain, committed) in [("randomx-v1", SUM_V1, COMMITTED_V1), ("randomx-v2", SUM_V2, COMMITTED_V2)] {
        for id in ["+light", "+fast"].into_iter().flat_map(|mode| engines(algorithm, mode)) {
            let sum = |more: &[&str]| {
                let scanned = scan_zeros(algorithm, "0..24", &[&["--engine", &id], more].concat());
                assert_eq!((&scanned["engine"], &scanned["scanned"]), (&json!(id), &json!(24)));
                scanned["xor_tail"].as_str().unwrap().to_owned()
            };
            assert_eq!(sum(&[]), plain, "{id}");
            if id.ends_with("jit+light") || id.ends_with("interpreter+light") {
                assert_eq!(sum(&["--commitment", "--threads", "1"]), committed, "{id}");
            }
        }
    }
}

/// XMRig's benchmark of ten thousand hashes (`bench=10K`), of which version 2 sums up commitments. Nobody says which
/// mode: fast is done sooner.
fn the_published_checksums_of_10000_nonces() {
    for (algorithm, more, expected) in
        [("randomx-v1", &[][..], "4a597463865acf0e"), ("randomx-v2", &["--commitment"][..], "57d2051d099613a4")]
    {
        let scanned = scan_zeros(algorithm, "0..10000", more);
        assert_eq!((&scanned["scanned"], &scanned["xor_tail"]), (&json!(10_000), &json!(expected)), "{scanned}");
        assert!(scanned["engine"].as_str().unwrap().ends_with("+fast"), "{scanned}");
    }
}

/// From upstream's src/tests/tests.cpp.
fn commitments_are_the_published_ones() {
    let (key, input) = (const_hex::encode("test key 000"), const_hex::encode("This is a test"));
    for (algorithm, expected) in [
        ("randomx-v1", "d53ccf348b75291b7be76f0a7ac8208bbced734b912f6fca60539ab6f86be919"),
        ("randomx-v2", "133be717399046b03ae82ce8ddd9d1ee4d3ea7fca03a50dec09b6848cbb98e18"),
    ] {
        assert_eq!(hash(algorithm, &key, &input, &["--commitment"])["hash"], expected, "{algorithm}");
    }
}

fn hits_are_judged_by_their_commitments() {
    let light = ["--engine", "randomx-v1/cpu/interpreter+light"];
    let all = scan_zeros("randomx-v1", "0..12", &[&["--commitment", "--difficulty", "1"], &light[..]].concat());
    let all = all["hits"].as_array().unwrap();
    assert_eq!(all.len(), 12, "difficulty 1 is met by every one");
    let (key, blob) = ("00".repeat(32), "00".repeat(112));
    assert_eq!(all[0]["hash"], hash("randomx-v1", &key, &blob, &["--commitment"])["hash"], "nonce 0");
    let some = scan_zeros("randomx-v1", "0..12", &[&["--commitment", "--difficulty", "2"], &light[..]].concat());
    let meets = |hit: &&Value| const_hex::decode(hit["hash"].as_str().unwrap()).unwrap()[31] < 128;
    let expected: Vec<&Value> = all.iter().filter(meets).collect();
    assert!(!expected.is_empty() && expected.len() < 12, "{all:?}");
    assert_eq!(some["hits"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
}

fn commitments_belong_to_randomx() {
    let header = "00".repeat(80);
    for run in
        [&["scan", "sha256d", "--header", &header, "--nonces", "0..1"][..], &["hash", "sha256d", "--input", "00"]]
    {
        hashwatt(&[run, &["--commitment"]].concat()).is_refused(2, &["--commitment", "SHA-256d", "randomx-v2"]);
    }
}

#[cfg(unix)]
fn a_dataset_can_be_interrupted() {
    let (key, blob) = ("00".repeat(32), "00".repeat(112));
    let engine = "randomx-v1/cpu/interpreter+fast";
    let scan = ["scan", "randomx-v1", "--key", &key, "--blob", &blob, "--nonces", "0..9", "--engine", engine, "--json"];
    for phase in ["building the RandomX cache", "building the RandomX dataset"] {
        let mut running = Running::start(&mut command(&scan), Stdio::piped());
        running.wait_for(phase);
        running.signal(rustix::process::Signal::INT);
        let run = running.end();
        assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""), "{phase}: {run:?}");
        assert!(!run.stderr.contains("scanning"), "{phase}: {run:?}");
    }
}

#[cfg(not(unix))]
fn a_dataset_can_be_interrupted() {
    let _ = (Running::start, command, Stdio::piped);
}

/// Runs the program with every try to make memory for code refused, as hardened systems do.
fn without_code(arguments: &[&str]) -> Value {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=memfd_create", "-e"]);
    strace.args(["inject=memfd_create:error=EACCES", env!("CARGO_BIN_EXE_hashwatt")]).args(arguments);
    let output = strace.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn the_interpreter_stands_in() {
    let devices = without_code(&["devices", "--json"]);
    let compiled: Vec<&Value> = devices["engines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|engine| engine["id"].as_str().unwrap().contains("/cpu/jit+"))
        .collect();
    assert_eq!(compiled.len(), 4);
    for engine in compiled {
        assert_eq!(engine["available"], false, "{engine}");
        assert!(engine["reason"].as_str().unwrap().contains("Permission denied"), "{engine}");
        assert!(engine["hint"].as_str().unwrap().contains("interpreter"), "{engine}");
    }
    let [key, input, expected] = vectors("randomx-v2").remove(0).map(const_hex::encode);
    let hashed = without_code(&["hash", "randomx-v2", "--key", &key, "--input", &input, "--json"]);
    assert_eq!(hashed, json!({ "engine": "randomx-v2/cpu/interpreter+light", "hash": expected }));
}

/// Plays a machine on which each of the first two processors is a node of its own.
fn each_node_has_a_dataset() {
    let processors = hashwatt::cpu::affinity::allowed();
    let directory = tempfile::tempdir().unwrap();
    let lists = [0, 1].map(|index| processors[index].to_string());
    write_tree(
        directory.path(),
        &[("sys/devices/system/node/node0/cpulist", &lists[0]), ("sys/devices/system/node/node1/cpulist", &lists[1])],
    );
    let registry = Registry::find(&Sysroot::new(directory.path()).unwrap());
    let [id] = &engines("randomx-v1", "+fast")[..1] else { panic!("there is one") };
    let mut engine = prepare(&registry, &Pool::default(), id, &[0; 32]);
    let job = Job { key: vec![0; 32], template: vec![0; 112], nonce_offset: 39, version_mask: 0 };
    let sum = scan(engine.as_mut(), job, 0..24).unwrap();
    assert_eq!(format!("{sum:016x}"), SUM_V1);
    let names: Vec<String> = engine.memory().into_iter().map(|part| part.name).collect();
    assert_eq!(names, ["randomx dataset of NUMA node 0", "randomx dataset of NUMA node 1", "scratchpads"]);
}

fn threads_are_as_many_as_the_caches_hold() {
    let processors = hashwatt::cpu::affinity::allowed();
    let directory = tempfile::tempdir().unwrap();
    // All share 2 MiB: the scratchpad of one thread.
    let all = processors.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    for processor in &processors {
        let of = |file: &str| format!("sys/devices/system/cpu/cpu{processor}/cache/index3/{file}");
        let files = [(of("level"), "3"), (of("type"), "Unified"), (of("size"), "2048K"), (of("shared_cpu_list"), &all)];
        files.iter().for_each(|(path, text)| write_tree(directory.path(), &[(path.as_str(), *text)]));
    }
    let sysroot = directory.path().to_str().unwrap();
    let bench = ["bench", "randomx-v1/cpu/interpreter+light", "--time", "0.1", "--json", "--sysroot", sysroot];
    let of = |more: &[&str]| {
        let record = hashwatt(&[&bench[..], more].concat()).json();
        (record["benchmarks"][0]["threads"].clone(), record["benchmarks"][0]["threads_by"].clone())
    };
    let by = if processors.len() > 1 { "l3" } else { "processors" };
    assert_eq!(of(&[]), (json!(1), json!(by)));
    let count = processors.len().min(2);
    assert_eq!(of(&["--threads", &count.to_string()]), (json!(count), json!("given")));
}

/// The XOR of 24 nonces' hashes, and of their commitments.
const SUM_V1: &str = "411d7679738594fe";
const COMMITTED_V1: &str = "605a9c2aeecd80e2";
const SUM_V2: &str = "0280c6ab99d7f880";
const COMMITTED_V2: &str = "c8f1133a4ed650e2";

const EMPTY_V1: &str = "3123524bf9b08bb26a819572c58672f0196bf9aac2982aed0a39e6096f0b72a1";
const EMPTY_KEY_V1: &str = "252369624145d157a0b259e760a0765f8bf8abb6e14a146bf5433ae31fa7e210";
const EMPTY_INPUT_V1: &str = "4c5194349093c28649ae671c0da6720f0dc0e9a439bb76941b1bd523ed8b4fb9";
const EMPTY_V2: &str = "abf1dc7e2ef60f26bae504089397d5d6f54cbe3178a0ad5026f61ce1eba95eae";
