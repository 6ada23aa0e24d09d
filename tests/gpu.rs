//! Every graphics adapter against another implementation, nonce by nonce, and what happens when one goes away.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/trials.rs"]
mod trials;

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::{HEADER_125552, NONCE_125552, assert_close, hashwatt, hashwatt_with, number};
use hashwatt::device::Device;
use hashwatt::engine::{
    Cancel, Engine, EngineError, EngineId, Hit, HitFilter, Job, NONCE_END, Pool, Preparation, Quiet, RangeWork, Sink,
    Span, SpanReport, Together, VERSIONS_PER_SPAN, Work, WorkloadCursor,
};
use hashwatt::gpu::{GpuError, SharedDevice};
use hashwatt::registry::Registry;
use hashwatt::sha256d::gpu;
use hashwatt::sha256d::wgsl::{Form, Variant};
use hashwatt::sysroot::Sysroot;
use sha2::{Digest, Sha256};
use trials::trial;

/// As in the shaders; a test holds all three against each other.
const WORKGROUP_SIZE: u64 = 64;
const HITS_MAX: u64 = 4095;
/// As many nonces stand in one row of workgroups.
const ROW: u64 = (1 << 15) * WORKGROUP_SIZE;

/// A device that is lost has to be noticed in this time: longer than the program's own patience of a minute.
const PATIENCE: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    let registry = Registry::find(&Sysroot::default());
    let is_gpu = |id: &str| id.split('/').nth(1).is_some_and(|device| device.starts_with("gpu"));
    let mut trials = vec![trial("shader_and_host_agree_on_their_constants", None, constants_agree)];
    let candidates = registry.candidates().iter().filter(|candidate| is_gpu(candidate.id.as_str()));
    for candidate in candidates {
        let reason = candidate.unavailable().map(|unavailable| unavailable.reason.clone());
        let is_software = candidate.device == Device::Cpu;
        trials.extend(of_engine(candidate.id.as_str(), reason.as_deref(), is_software));
    }
    // Adapters in software compute on the processors, and so do the oracles: more at a time gains nothing.
    trials::run(trials, true)
}

/// The tests of one engine.
fn of_engine(id: &str, reason: Option<&str>, is_software: bool) -> Vec<libtest_mimic::Trial> {
    let with = |name: &str, reason: Option<&str>, test: fn(&str)| {
        let id = id.to_owned();
        trial(&format!("{id}: {name}"), reason, move || test(&id))
    };
    let needs_software = reason.or((!is_software).then_some("needs an adapter in software"));
    let needs_card = reason.or(is_software.then_some("needs a real graphics card"));
    let mut trials = vec![
        with("agrees with the oracle at every edge", reason, agrees_at_every_edge),
        with("finds a nonce in the second row of workgroups", reason, finds_a_nonce_in_the_second_row),
        with("gives every hit once where all are hits", reason, gives_every_hit_where_all_are),
        with("gives every hit once where they overflow the buffer", reason, gives_every_hit_where_they_overflow),
        with("takes another job from span to span", reason, takes_another_job_from_span_to_span),
        with("refuses a job of another shape", reason, refuses_a_job_of_another_shape),
        with("goes on with a new device when one is lost", reason, goes_on_after_one_loss),
        with("ends with an error when that is lost, too", reason, ends_when_the_device_is_lost_again),
        with("works together with another", reason, works_together_with_another),
        with("tells its limits", reason, tells_its_limits),
        with("can't hash single inputs and says who can", reason, refuses_to_hash),
        with("is missing without its driver, and the loader is still seen", reason, is_missing_without_its_driver),
        with("in software is charged to the cpu", needs_software, software_is_charged_to_the_cpu),
        with("on a card is charged to its own device", needs_card, a_card_is_charged_to_itself),
        with("agrees with the oracle in every variant", reason, agrees_in_every_variant),
        with("keeps the variant that it found", reason, keeps_the_variant_that_it_found),
        with("runs the variant and the batch that are asked for", reason, runs_what_is_asked_for),
        with("has its hits counted and its planted blocks found", reason, has_its_hits_counted),
    ];
    if id.ends_with("+rolled") {
        trials.push(with("rolls versions", reason, rolls_versions));
        let overflow = gives_every_rolled_hit_where_they_overflow;
        trials.push(with("gives every hit of several versions once where they overflow the buffer", reason, overflow));
    }
    trials
}

/// WebGPU's own defaults are the least that any adapter has, and the shader has to fit.
fn tells_its_limits(id: &str) {
    let device = id.split('/').nth(1).unwrap();
    let devices = hashwatt(&["devices", "--json"]).json();
    let gpu = devices["gpus"].as_array().unwrap().iter().find(|gpu| gpu["id"] == device).unwrap();
    let limit = |name: &str| number(&gpu["limits"][name]);
    let sizes: Vec<f64> = gpu["limits"]["workgroup_size"].as_array().unwrap().iter().map(number).collect();
    assert!(sizes.len() == 3 && sizes[0] >= 256.0 && sizes[0] >= WORKGROUP_SIZE as f64, "{gpu}");
    assert!(limit("workgroup_invocations") >= 256.0 && limit("workgroup_storage_bytes") >= 16384.0, "{gpu}");
    assert!(limit("workgroups_per_dimension") >= 65535.0, "{gpu}");
    assert!(limit("buffer_bytes") >= f64::from(1 << 28), "{gpu}");
    assert!(limit("storage_binding_bytes") >= f64::from(1 << 27), "{gpu}");
    assert!(gpu["limits"]["has_timestamps"].is_boolean(), "{gpu}");
    let (least, most) = (&gpu["limits"]["subgroup_size_min"], &gpu["limits"]["subgroup_size_max"]);
    assert_eq!(least.is_null(), most.is_null(), "{gpu}");
    if let (Some(least), Some(most)) = (least.as_u64(), most.as_u64()) {
        assert!(least.is_power_of_two() && most.is_power_of_two() && least <= most && most <= 128, "{gpu}");
    }
}

fn constants_agree() {
    let read = |path: &str| fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let host = read("src/sha256d/gpu/engine.rs");
    let in_host = host.lines().find_map(|line| line.strip_prefix("const HITS_MAX: "));
    assert!(in_host.is_some_and(|line| line.ends_with(&format!(" = {HITS_MAX};"))), "{in_host:?}");
    for name in ["plain", "rolled"] {
        let shader = read(&format!("shaders/expanded/sha256d_{name}.wgsl"));
        let constant = |name: &str| shader.lines().find_map(|line| line.strip_prefix(&format!("const {name} = ")));
        assert_eq!(constant("HITS_MAX"), Some(format!("{HITS_MAX}u;").as_str()));
        assert_eq!(constant("WORKGROUP_SIZE"), Some(format!("{WORKGROUP_SIZE}u;").as_str()));
        let states_max = (name == "rolled").then(|| format!("{VERSIONS_PER_SPAN}u;"));
        assert_eq!(constant("STATES_MAX"), states_max.as_deref());
        assert!(shader.contains("@workgroup_size(WORKGROUP_SIZE)"), "the constant is the one that counts");
    }
}

/// Makes the engine, and the pool that holds its device.
fn prepare(id: &str) -> (Box<dyn Engine>, Pool) {
    let registry = Registry::find(&Sysroot::default());
    let pool = Pool::default();
    let cancel = Cancel::default();
    let preparation = Preparation { key: &[], threads: 1, pool: &pool, progress: &Quiet, cancel: &cancel };
    let engine = registry.get(id).unwrap().prepare(&preparation).unwrap();
    (engine, pool)
}

fn job() -> Job {
    Job { key: Vec::new(), template: const_hex::decode(HEADER_125552).unwrap(), nonce_offset: 76, version_mask: 0 }
}

/// Hashes by the `sha2` crate, and tells which inputs have so many leading zero bits, in order.
fn expected_of(span: &Span, zero_bits: u32) -> Vec<Hit> {
    let is_hit = |&input: &Hit| {
        let hash = Sha256::digest(Sha256::digest(span.job.input(input)));
        let leading = hash.iter().rev().map(|byte| byte.leading_zeros()).scan(true, |goes_on, zeros| {
            let counts = *goes_on;
            *goes_on = zeros == 8;
            counts.then_some(zeros)
        });
        leading.sum::<u32>() >= zero_bits
    };
    span.inputs().filter(is_hit).collect()
}

/// As [`expected_of`], for the nonces of one version.
fn expected(job: &Job, nonces: Range<u64>, zero_bits: u32) -> Vec<u32> {
    let span = Span::of_nonces(Arc::new(job.clone()), nonces);
    expected_of(&span, zero_bits).into_iter().map(|hit| hit.nonce).collect()
}

/// Hands out the spans of a list as they are, however long the engine would like them.
struct Listed(Mutex<VecDeque<Span>>);

impl Listed {
    fn new(spans: impl IntoIterator<Item = (Arc<Job>, Range<u64>)>) -> Self {
        Self(Mutex::new(spans.into_iter().map(|(job, nonces)| Span::of_nonces(job, nonces)).collect()))
    }
}

impl Work for Listed {
    fn next(&self, _hashes_max: u64) -> Option<Span> {
        self.0.lock().unwrap().pop_front()
    }
}

#[derive(Default)]
struct Collect(Vec<SpanReport>);

impl Sink for Collect {
    fn report(&mut self, report: SpanReport) {
        self.0.push(report);
    }
}

/// Runs the engine over spans of one version and compares the hits of each with the oracle's.
fn compare(engine: &mut dyn Engine, spans: &[(Arc<Job>, Range<u64>)], zero_bits: u32) {
    let of_nonces = |(job, nonces): &(Arc<Job>, Range<u64>)| Span::of_nonces(Arc::clone(job), nonces.clone());
    compare_spans(engine, &spans.iter().map(of_nonces).collect::<Vec<_>>(), zero_bits);
}

/// Runs the engine over spans and compares the hits of each with the oracle's.
fn compare_spans(engine: &mut dyn Engine, spans: &[Span], zero_bits: u32) {
    let mut reports = Collect::default();
    let work = Listed(Mutex::new(spans.iter().cloned().collect()));
    engine.run(HitFilter::with_zero_bits(zero_bits), &work, &mut reports).unwrap();
    assert_eq!(reports.0.len(), spans.len(), "each span is reported once");
    for span in spans {
        let report = reports.0.iter().find(|report| report.span == *span);
        let mut hits = report.unwrap_or_else(|| panic!("{span:?} was never reported")).hits.clone();
        hits.sort_unstable();
        assert_eq!(hits, expected_of(span, zero_bits), "{span:?}, {zero_bits} zero bits");
    }
}

/// A job of 64 versions.
fn rolled_job() -> Arc<Job> {
    Arc::new(Job { version_mask: 0x0400_e0a0, ..job() })
}

/// Spans with every number of versions, at every edge of nonces.
fn rolls_versions(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let job = rolled_job();
    let span = |versions: Range<u64>, nonces: Range<u64>| Span { job: Arc::clone(&job), versions, nonces };
    let counts = (1..=VERSIONS_PER_SPAN).map(|count| span(64 - count..64, 100 * count..100 * count + 67));
    compare_spans(engine.as_mut(), &counts.collect::<Vec<_>>(), 0);
    compare_spans(engine.as_mut(), &[span(0..VERSIONS_PER_SPAN, NONCE_END - 1001..NONCE_END)], 3);
    compare_spans(engine.as_mut(), &[span(0..1, 0..1), span(63..64, NONCE_END - 1..NONCE_END)], 0);
    compare_spans(engine.as_mut(), &[span(5..37, 7..20_000), span(32..64, 7..100)], 8);
    // The version of the header itself, with its solution.
    let nonces = NONCE_125552 - 100..NONCE_125552 + 1;
    let index = u64::from(job.template_version_index());
    for versions in [index..index + 1, index..index + VERSIONS_PER_SPAN] {
        let found = span(versions, nonces.clone());
        assert!(!expected_of(&found, 32).is_empty(), "the oracle knows the solution");
        compare_spans(engine.as_mut(), &[found], 32);
    }
}

/// Hits of several versions that overflow the buffer together, though those of none would.
fn gives_every_rolled_hit_where_they_overflow(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let job = rolled_job();
    let span = |versions: Range<u64>, nonces: Range<u64>| Span { job: Arc::clone(&job), versions, nonces };
    let exact = span(0..15, 9..9 + HITS_MAX / 15);
    assert_eq!(exact.hashes(), HITS_MAX);
    let spans = [span(0..32, 0..500), exact, span(1..17, 0..256), span(32..64, NONCE_END - 200..NONCE_END)];
    compare_spans(engine.as_mut(), &spans, 0);
    compare_spans(engine.as_mut(), &spans, 1);
}

/// Each variant of the kernels, on the same device.
fn agrees_in_every_variant(id: &str) {
    let (_engine, pool) = prepare(id);
    let (form, job) =
        if id.ends_with("+rolled") { (Form::Rolled, rolled_job()) } else { (Form::Plain, Arc::new(job())) };
    let versions = 0..VERSIONS_PER_SPAN.min(job.versions());
    let span = |nonces: Range<u64>| Span { job: Arc::clone(&job), versions: versions.clone(), nonces };
    let some = [span(0..1), span(NONCE_END - 1001..NONCE_END)];
    for variant in Variant::neighbours(form) {
        let name = EngineId::new("sha256d", "variant", &format!("{variant:?}"));
        let mut engine = gpu::engine(name, shared(id, &pool), form, variant).unwrap();
        compare_spans(engine.as_mut(), &some, 3);
        compare_spans(engine.as_mut(), &[span(77..5000)], 0);
    }
}

fn agrees_at_every_edge(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let job = Arc::new(job());
    let solved = NONCE_125552;
    let ranges = [
        0..1,
        0..WORKGROUP_SIZE,
        0..WORKGROUP_SIZE - 1,
        0..WORKGROUP_SIZE + 1,
        5..1000,
        0xffff..0x1_0003,
        0x7fff_fff0..0x8000_0011,
        NONCE_END - 1..NONCE_END,
        NONCE_END - WORKGROUP_SIZE..NONCE_END,
        NONCE_END - 1001..NONCE_END,
        // The solution alone, as first and last lane of a workgroup, and as the last of all nonces asked for.
        solved..solved + 1,
        solved..solved + WORKGROUP_SIZE,
        solved + 1 - WORKGROUP_SIZE..solved + 1,
        solved - WORKGROUP_SIZE..solved + 1,
        solved - 100..solved,
        solved + 1..solved + 100,
    ];
    // With 1 bit half of each workgroup are hits, with 32 the solution alone.
    for zero_bits in [0, 1, 3, 8, 31, 32] {
        let spans: Vec<_> = ranges.iter().map(|range| (Arc::clone(&job), range.clone())).collect();
        compare(engine.as_mut(), &spans, zero_bits);
    }
    assert_eq!(expected(&job, solved - 100..solved + 100, 32).len(), 1, "the oracle knows the solution");
}

fn finds_a_nonce_in_the_second_row(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let job = Arc::new(job());
    let start = NONCE_125552 - ROW;
    for end in [NONCE_125552 + 1, NONCE_125552 + 70] {
        let mut reports = Collect::default();
        let work = Listed::new([(Arc::clone(&job), start..end)]);
        engine.run(HitFilter::with_zero_bits(32), &work, &mut reports).unwrap();
        let hits: Vec<u64> = reports.0[0].hits.iter().map(|hit| u64::from(hit.nonce)).collect();
        assert_eq!(hits, [NONCE_125552]);
    }
    // And every hit of both rows, once.
    compare(engine.as_mut(), &[(job, start..NONCE_125552 + 3)], 12);
}

fn gives_every_hit_where_all_are(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let mut reports = Collect::default();
    let nonces = NONCE_END - 20_000..NONCE_END;
    let work = RangeWork::new(Arc::new(job()), nonces.clone(), Cancel::default());
    engine.run(HitFilter::ALL, &work, &mut reports).unwrap();
    let mut hits: Vec<u64> = reports.0.iter().flat_map(|report| &report.hits).map(|hit| u64::from(hit.nonce)).collect();
    hits.sort_unstable();
    assert_eq!(hits, nonces.collect::<Vec<_>>());
}

fn gives_every_hit_where_they_overflow(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let job = Arc::new(job());
    // Longer than an engine would ask for, among others that aren't; and exactly at the buffer's end.
    let ranges = [0..20_000, 20_000..20_007, 20_007..20_007 + HITS_MAX, 30_000..30_001 + HITS_MAX, 50_000..70_000];
    let spans: Vec<_> = ranges.iter().map(|range| (Arc::clone(&job), range.clone())).collect();
    compare(engine.as_mut(), &spans, 0);
    compare(engine.as_mut(), &spans, 1);
}

fn takes_another_job_from_span_to_span(id: &str) {
    let (mut engine, _pool) = prepare(id);
    let spans: Vec<_> = (0..40_u64)
        .map(|number| {
            let mut job = job();
            // Version, previous hash, Merkle root and time: each part of the header in turn.
            job.template[usize::try_from(number * 19 % 76).unwrap()] ^= 0xa5;
            (Arc::new(job), number * 1000..number * 1000 + 300 + number)
        })
        .collect();
    compare(engine.as_mut(), &spans, 4);
    compare(engine.as_mut(), &spans[3..], 6);
}

fn refuses_a_job_of_another_shape(id: &str) {
    let (mut engine, _pool) = prepare(id);
    for template in [Vec::new(), vec![0; 79], vec![0; 81]] {
        let job = Job { key: Vec::new(), template, nonce_offset: 76, version_mask: 0 };
        let error = engine.run(HitFilter::ALL, &Listed::new([(Arc::new(job), 0..1)]), &mut Collect::default());
        assert!(matches!(error, Err(EngineError::Job { .. } | EngineError::Failed { .. })), "{error:?}");
    }
}

/// Takes the device away after some spans, so many times.
struct TakeAway {
    shared: Arc<SharedDevice>,
    every: u32,
    reports: u32,
    times_left: u32,
    spans: Vec<Span>,
}

impl TakeAway {
    fn new(shared: Arc<SharedDevice>, times: u32) -> Self {
        Self { shared, every: 5, reports: 0, times_left: times, spans: Vec::new() }
    }
}

impl Sink for TakeAway {
    fn report(&mut self, report: SpanReport) {
        let expected = expected_of(&report.span, 8);
        let mut hits = report.hits.clone();
        hits.sort_unstable();
        assert_eq!(hits, expected);
        self.spans.push(report.span);
        self.reports += 1;
        if self.reports.is_multiple_of(self.every) && self.times_left > 0 {
            self.times_left -= 1;
            self.shared.current().destroy();
        }
    }
}

/// Work in spans short enough for the oracle.
struct Short(RangeWork);

impl Work for Short {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        self.0.next(hashes_max.min(4096))
    }
}

/// Work without end, in spans short enough for the oracle.
struct Endless(WorkloadCursor);

impl Work for Endless {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        Some(self.0.take(hashes_max.min(4096)))
    }
}

/// Returns the device that an engine has put into the pool.
fn shared(id: &str, pool: &Pool) -> Arc<SharedDevice> {
    let device = id.split('/').nth(1).unwrap();
    let missing = || Err(GpuError::Lost("the engine holds no device".to_owned()));
    pool.get_or_build(&format!("{device} device"), missing).unwrap()
}

/// Runs what could hang on a thread of its own, so that a hang is a failure.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(work());
    });
    receiver.recv_timeout(PATIENCE).expect("a lost device is noticed")
}

/// One loss is mended: the run goes on with a new device, and no span is lost or done twice.
fn goes_on_after_one_loss(id: &str) {
    let (mut engine, pool) = prepare(id);
    let shared = shared(id, &pool);
    let before = shared.current();
    let (result, mut spans, mishap) = in_time(move || {
        let work = RangeWork::new(Arc::new(job()), 0..100_000, Cancel::default());
        let mut sink = TakeAway::new(shared, 1);
        let result = engine.run(HitFilter::with_zero_bits(8), &Short(work), &mut sink);
        (result, sink.spans, engine.mishap())
    });
    result.unwrap();
    spans.sort_by_key(|span| span.nonces.start);
    let mut next = 0;
    for span in spans {
        assert_eq!(span.nonces.start, next, "every nonce once");
        next = span.nonces.end;
    }
    assert_eq!(next, 100_000);
    assert!(mishap.is_some_and(|mishap| mishap.contains("new device")));
    // Whoever comes next gets the new device.
    let (mut other, pool) = prepare(id);
    assert!(!Arc::ptr_eq(&before, &self::shared(id, &pool).current()));
    compare(other.as_mut(), &[(Arc::new(job()), 0..1000)], 3);
}

fn ends_when_the_device_is_lost_again(id: &str) {
    let (mut engine, pool) = prepare(id);
    let shared = shared(id, &pool);
    let (first, again) = in_time(move || {
        let work = Endless(WorkloadCursor::new(hashwatt::sha256d::workload()));
        let filter = HitFilter::with_zero_bits(8);
        let mut sink = TakeAway::new(shared, 2);
        let first = engine.run(filter, &work, &mut sink);
        (first, engine.run(filter, &work, &mut sink))
    });
    let Err(EngineError::DeviceLost { reason, .. }) = &first else { panic!("{first:?}") };
    assert!(reason.contains("and with a new device and batches of a quarter"), "{reason}");
    assert!(matches!(again, Err(EngineError::DeviceLost { .. } | EngineError::Failed { .. })), "{again:?}");
    // The device is gone, not the adapter: an engine that is made anew works.
    drop(pool);
    let (mut engine, _pool) = prepare(id);
    compare(engine.as_mut(), &[(Arc::new(job()), 0..1000)], 3);
}

/// Two devices of one adapter stand for two cards.
fn works_together_with_another(id: &str) {
    let registry = Registry::find(&Sysroot::default());
    let (one, other) = (Pool::default(), Pool::default());
    let cancel = Cancel::default();
    let preparation = |pool| Preparation { key: &[], threads: 1, pool, progress: &Quiet, cancel: &cancel };
    let candidate = registry.get(id).unwrap();
    let engines =
        vec![candidate.prepare(&preparation(&one)).unwrap(), candidate.prepare(&preparation(&other)).unwrap()];
    assert!(!Arc::ptr_eq(&shared(id, &one), &shared(id, &other)));
    let mut together = Together::new(EngineId::new("sha256d", "gpus", "wgsl"), engines);
    let mut reports = Collect::default();
    let work = RangeWork::new(Arc::new(job()), 0..3_000_000, Cancel::default());
    together.run(HitFilter::with_zero_bits(12), &work, &mut reports).unwrap();
    let mut hits: Vec<u32> = reports.0.iter().flat_map(|report| &report.hits).map(|hit| hit.nonce).collect();
    hits.sort_unstable();
    assert_eq!(hits, expected(&job(), 0..3_000_000, 12));
    assert!(reports.0.iter().all(|report| report.finished.is_some()));
}

fn refuses_to_hash(id: &str) {
    hashwatt(&["hash", "sha256d", "--input", "00", "--engine", id, "--json"])
        .is_refused(2, &[id, "only scan", "sha256d/cpu/scalar"]);
    let (mut engine, _pool) = prepare(id);
    assert!(matches!(engine.hash(&[0; 80]), Err(EngineError::ScanOnly(_))));
}

/// An adapter was found without that environment, so the loader is there, and only the driver can be missing.
fn is_missing_without_its_driver(id: &str) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let no_driver = [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];
    let run = hashwatt_with(&["bench", id, "--json"], &no_driver);
    run.is_refused(11, &["gpu", "help"]);
    if id == "sha256d/gpu0/wgsl" {
        run.is_refused(11, &["the Vulkan loader found no driver"]);
    }
}

fn bench(id: &str, meter: &str) -> common::Run {
    hashwatt(&["bench", id, "--time", "0.2", "--json", "--meter", meter])
}

fn software_is_charged_to_the_cpu(id: &str) {
    let record = bench(id, "watts:65W").json();
    let benchmark = &record["benchmarks"][0];
    assert_eq!((&benchmark["id"], &benchmark["device"]), (&id.into(), &"cpu".into()));
    assert!(benchmark["device_name"].as_str().unwrap().contains("[software]"), "{benchmark}");
    let power = number(&benchmark["energy_j_per_hash"]["gross"]["value"]) * number(&benchmark["rate_hps"]["mean"]);
    assert_close(power, 65.0, "the processors' declared power");
    let codes: Vec<&str> =
        record["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"software-adapter"), "{codes:?}");
    let device = id.split('/').nth(1).unwrap();
    bench(id, &format!("watts:100W@{device}")).is_refused(12, &[device, "watts:100W"]);
}

fn a_card_is_charged_to_itself(id: &str) {
    let device = id.split('/').nth(1).unwrap();
    let record = bench(id, &format!("watts:300W@{device}")).json();
    let benchmark = &record["benchmarks"][0];
    assert_eq!(benchmark["device"], device);
    let power = number(&benchmark["energy_j_per_hash"]["gross"]["value"]) * number(&benchmark["rate_hps"]["mean"]);
    assert_close(power, 300.0, "the card's declared power");
    // What the processors draw is not the card's.
    let other = bench(id, "watts:65W@cpu").json();
    assert_eq!(other["benchmarks"][0]["energy_j_per_hash"]["gross"], serde_json::Value::Null);
    assert!(other["benchmarks"][0]["energy_j_per_hash"]["reason"].as_str().unwrap().contains(device));
}

/// Runs a short benchmark with a cache directory of its own, and returns the record's benchmark.
fn bench_in(cache: &Path, id: &str, options: &[&str]) -> serde_json::Value {
    let arguments = [&["bench", id, "--json", "--meter", "none"], options].concat();
    let record = hashwatt_with(&arguments, &[("XDG_CACHE_HOME", cache.to_str().unwrap())]).json();
    record["benchmarks"][0].clone()
}

fn keeps_the_variant_that_it_found(id: &str) {
    let cache = tempfile::tempdir().unwrap();
    let file = cache.path().join("hashwatt/gpu-variants.json");
    let first = bench_in(cache.path(), id, &["--time", "0.3"]);
    assert_eq!(first["settings"]["variant_from"], "tuned");
    assert!(number(&first["setup_s"]["tuning"]) > 0.0, "{first}");
    let variant: Variant = first["settings"]["variant"].as_str().unwrap().parse().unwrap();
    let kept: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let choice = &kept["choices"][0];
    assert_eq!(choice["variant"], variant.to_string());
    assert!(number(&choice["rate_hps"]) > 1e5 && number(&choice["tried"]) >= 1.0, "{choice}");
    // Another than the usual one, so that it is seen where it comes from.
    let other = Variant { workgroup_size: 128, ..Variant::default() }.to_string();
    fs::write(&file, fs::read_to_string(&file).unwrap().replace(&variant.to_string(), &other)).unwrap();
    let second = bench_in(cache.path(), id, &["--time", "0.3"]);
    assert_eq!((&second["settings"]["variant_from"], &second["settings"]["variant"]), (&"kept".into(), &other.into()));
    assert!(second["setup_s"].get("tuning").is_none(), "{second}");
    // Another driver's choice is none of this one's, and a broken file is as good as none.
    let of_another = fs::read_to_string(&file).unwrap().replace("\"driver\": \"", "\"driver\": \"not ");
    for text in [of_another.as_str(), "{"] {
        fs::write(&file, text).unwrap();
        assert_eq!(bench_in(cache.path(), id, &["--time", "0.3"])["settings"]["variant_from"], "tuned");
    }
}

fn runs_what_is_asked_for(id: &str) {
    let cache = tempfile::tempdir().unwrap();
    let given = "rotation=sum,workgroup=32";
    let benchmark = bench_in(cache.path(), id, &["--time", "0.3", "--gpu-variant", given, "--gpu-batch", "5ms"]);
    let expected: Variant = given.parse().unwrap();
    assert_eq!(benchmark["settings"]["variant"], expected.to_string());
    assert_eq!(benchmark["settings"]["variant_from"], "given");
    assert_eq!(benchmark["settings"]["batch_ms"], "5");
    let usual = bench_in(cache.path(), id, &["--time", "0.3", "--no-autotune"]);
    assert_eq!(usual["settings"]["variant"], Variant::default().to_string());
    assert_eq!(usual["settings"]["variant_from"], "default");
    assert!(!cache.path().join("hashwatt").exists(), "nothing was tried, so nothing is kept");
    let bench = |options: &[&str]| hashwatt(&[&["bench", id, "--json"], options].concat());
    bench(&["--gpu-variant", "rotation=left"]).is_refused(2, &["rotation=left", "rotation=or|sum|given"]);
    bench(&["--gpu-variant", given, "--no-autotune"]).is_refused(2, &["--no-autotune"]);
    bench(&["--gpu-batch", "300ms"]).is_refused(2, &["300ms", "0.1ms to 200ms"]);
}

/// A second of work is some ten thousand hits, and a span in sixteen holds a block of the chain.
fn has_its_hits_counted(id: &str) {
    let cache = tempfile::tempdir().unwrap();
    let benchmark = bench_in(cache.path(), id, &["--no-autotune", "--time", "2"]);
    let check = |name: &str| number(&benchmark["hit_check"][name]);
    assert!(check("z_score").abs() <= 4.0 && check("planted") >= 1.0, "{}", benchmark["hit_check"]);
    assert!(check("expected") > 5000.0, "{}", benchmark["hit_check"]);
    let deviation = (check("hits") - check("expected")) / check("z_score");
    assert!((deviation / check("expected").sqrt() - 1.0).abs() < 0.01, "{}", benchmark["hit_check"]);
    if let Some(rate) = benchmark["device_rate"].as_object() {
        let seconds: f64 =
            benchmark["samples"].as_array().unwrap().iter().map(|sample| number(&sample["duration_s"])).sum();
        let busy: f64 = benchmark["samples"].as_array().unwrap().iter().map(|sample| number(&sample["device_s"])).sum();
        assert_close(number(&rate["busy_fraction"]), busy / seconds, "the device's own clock");
    }
}
