//! What the harness costs: the same work, driven raw and through a whole session, in processor time per hash.
//!
//! `cargo bench --bench harness` prints two figures. Processor time of the whole process over that of the same number of
//! hashes in one loop, the median of interleaved pairs: it moves by some percent with whatever else the machine does.
//! And, without that noise, the part of a session's processor time that was not spent on hashing. The session's
//! self-test, calibration, lead-ins, reports, meter readings and checks all count against it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that can't go on has failed; its figures are printed"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hashwatt::bench::{Meterings, Observer, Plan, Session, Supplier};
use hashwatt::clock::MonotonicClock;
use hashwatt::cpu::workers::{self, Worker};
use hashwatt::device::Device;
use hashwatt::energy::{MeterSpec, open};
use hashwatt::engine::fake::FakeEngine;
use hashwatt::engine::{
    Available, Cancel, Candidate, Engine, EngineError, EngineId, Hash, Hit, HitFilter, Job, Pool, Preparation,
    Progress, Resource, SetupPart, Sink, Span, SpanReport, Work, Workload,
};
use hashwatt::machine;
use hashwatt::sysroot::Sysroot;
use hashwatt::verify::Oracle;
#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

const PAIRS: usize = 9;
/// How many hashes a turn's check may compute again. With the 131,072 of SHA-256d it would be 1.0 % of the whole: about
/// 7 ms a turn, all of it after the turn, when no clock runs.
const ORACLE_BUDGET: u64 = 1 << 12;

fn workload() -> Workload {
    Workload {
        job: Job { key: Vec::new(), template: vec![0; 8], nonce_offset: 0, version_mask: 0 },
        roll_offset: 4,
        planted: Vec::new(),
    }
}

/// The work of one span: a cheap hash of each nonce.
#[inline(never)]
fn hits_of(span: &Span, filter: HitFilter) -> Vec<Hit> {
    let mut input = span.job.template.clone();
    let is_hit = |nonce: &u32| {
        span.job.write_nonce(&mut input, *nonce);
        filter.admits(&FakeEngine::fake_hash(&input))
    };
    span.nonces_u32().filter(is_hit).map(Hit::of_nonce).collect()
}

/// What was hashed, and the processor time that it took.
#[derive(Default)]
struct Tally {
    hashes: AtomicU64,
    hashing_ns: AtomicU64,
}

/// Hashes on one thread, and counts.
struct Counted {
    id: EngineId,
    tally: Arc<Tally>,
}

struct Hashing<'a>(&'a Tally, HitFilter);

impl Worker for Hashing<'_> {
    fn hashes_first(&self) -> u64 {
        1 << 12
    }

    fn span(&mut self, span: Span) -> Result<SpanReport, EngineError> {
        let before_s = processor_s(Of::Thread);
        let hits = hits_of(&span, self.1);
        let took_s = processor_s(Of::Thread) - before_s;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some milliseconds")]
        self.0.hashing_ns.fetch_add((took_s * 1e9) as u64, Ordering::Relaxed);
        self.0.hashes.fetch_add(span.hashes(), Ordering::Relaxed);
        Ok(SpanReport { span, hits, xor_tail: None, device_time: None, finished: None })
    }
}

impl Engine for Counted {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        1
    }

    fn setup(&self) -> Vec<SetupPart> {
        Vec::new()
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        workers::run(&self.id, 1, work, sink, |_| Ok(Hashing(&self.tally, filter)))
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        Ok(FakeEngine::fake_hash(input))
    }
}

struct Fakes(Arc<Tally>);

impl Supplier for Fakes {
    fn prepare(&self, candidate: &Candidate, _: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(Counted { id: candidate.id.clone(), tally: Arc::clone(&self.0) }))
    }

    fn workload(&self, _: &EngineId) -> Workload {
        workload()
    }

    fn oracle(&self, _: &EngineId, _: &Preparation<'_>) -> Result<Oracle, EngineError> {
        Ok(Oracle::new("fake", ORACLE_BUDGET, |input| Ok(FakeEngine::fake_hash(input))))
    }

    fn resources(&self, _: &Candidate) -> Vec<Resource> {
        Vec::new()
    }
}

struct Nobody;

impl Progress for Nobody {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn set(&self, _: u64) {}
    fn end(&self) {}
}

impl Observer for Nobody {
    fn turn(&self, _: &EngineId, _: usize, _: usize) {}
    fn idle(&self, _: Duration) {}
}

/// Whose processor time is asked for.
enum Of {
    Process,
    Thread,
}

/// The processor time of this process or thread, user and system, in seconds.
#[cfg(unix)]
#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn processor_s(of: Of) -> f64 {
    let time = clock_gettime(match of {
        Of::Process => ClockId::ProcessCPUTime,
        Of::Thread => ClockId::ThreadCPUTime,
    });
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Elsewhere the time that passed stands for it.
#[cfg(not(unix))]
fn processor_s(_: Of) -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

/// Measures for three seconds by a session; gives hashes, processor seconds, and those of them spent on hashing.
#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn through_session() -> (u64, f64, f64) {
    let tally = Arc::new(Tally::default());
    let (supplier, clock, sysroot) = (Fakes(Arc::clone(&tally)), MonotonicClock::default(), Sysroot::default());
    let load = || machine::load(&sysroot);
    let session = Session {
        supplier: &supplier,
        clock: &clock,
        plan: Plan::default(),
        observer: &Nobody,
        cancel: &Cancel::default(),
        load: &load,
        pool: &Pool::default(),
        threads: 1,
        sweep: &[],
        available_bytes: None,
        unavailable: &[],
    };
    let candidate = Candidate {
        id: EngineId::new("fake", "cpu", "counted"),
        device: Device::Cpu,
        device_name: String::new(),
        can_hash: true,
        availability: Ok(Available { resources: Vec::new(), make: Box::new(|_| Err(EngineError::Cancelled)) }),
    };
    let meters = open(&["watts:10W".parse::<MeterSpec>().unwrap()], &sysroot, &[]).unwrap().meters;
    let before_s = processor_s(Of::Process);
    let outcome = session.run(&[&candidate], &mut Meterings::new(meters, Duration::ZERO)).unwrap();
    let took_s = processor_s(Of::Process) - before_s;
    assert_eq!(outcome.benchmarks.len(), 1);
    (tally.hashes.load(Ordering::Relaxed), took_s, tally.hashing_ns.load(Ordering::Relaxed) as f64 * 1e-9)
}

/// Hashes as many in one loop, with the filter that a session would choose; gives processor seconds.
fn raw(hashes: u64) -> f64 {
    let job = Arc::new(workload().job);
    let before_s = processor_s(Of::Process);
    let mut left = hashes;
    while left > 0 {
        let nonces = 0..left.min(1 << 32);
        left -= nonces.end;
        black_box(hits_of(&Span::of_nonces(Arc::clone(&job), nonces), HitFilter::with_zero_bits(12)));
    }
    processor_s(Of::Process) - before_s
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let (mut ratios, mut overheads) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let (hashes, session_s, hashing_s) = through_session();
        let raw_s = raw(hashes);
        ratios.push(session_s / raw_s);
        overheads.push(1.0 - hashing_s / session_s);
        println!(
            "pair {}: {hashes} hashes, {session_s:.3} s through a session ({hashing_s:.3} s hashing), {raw_s:.3} s raw",
            pair + 1
        );
    }
    println!("processor time, session over raw: median {:.4} of {PAIRS} pairs", median(ratios));
    println!("processor time of a session that was not hashing: median {:.3} %", 100.0 * median(overheads));
}
