//! Criterion's view of the engines: an independent check of the program's own harness.
//!
//! `cargo bench` runs every engine that is here and needs no dataset, on one thread, over short ranges of nonces.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hashwatt::bench::Supplier;
use hashwatt::engine::{Cancel, HitFilter, Pool, Preparation, Quiet, RangeWork, Sink, SpanReport, VERSIONS_PER_SPAN};
use hashwatt::registry::Registry;
use hashwatt::sysroot::Sysroot;

/// Engines that hold more than this are left out: a dataset takes longer to build than the benchmark.
const HEAVY_BYTES: u64 = 1 << 30;

struct Count(u64);

impl Sink for Count {
    fn report(&mut self, report: SpanReport) {
        self.0 += report.span.hashes();
    }
}

/// How many hashes one measurement takes, long beside the start of a run.
fn hashes(algorithm: &str, device: &str) -> u64 {
    match (algorithm, device) {
        ("sha256d", "cpu") => 1 << 17,
        ("sha256d", _) => 1 << 19,
        _ => 4,
    }
}

fn engines(criterion: &mut Criterion) {
    let registry = Registry::find(&Sysroot::default());
    let (pool, cancel) = (Pool::default(), Cancel::default());
    let here = |candidate: &&hashwatt::engine::Candidate| candidate.availability.is_ok();
    for candidate in registry.candidates().iter().filter(here) {
        if candidate.memory_bytes() > HEAVY_BYTES {
            continue;
        }
        let mut job = registry.workload(&candidate.id).job;
        // One block of versions, where the engine rolls them.
        while job.versions() > VERSIONS_PER_SPAN {
            job.version_mask &= job.version_mask - 1;
        }
        let job = Arc::new(job);
        let preparation = Preparation { key: &job.key, threads: 1, pool: &pool, progress: &Quiet, cancel: &cancel };
        let Ok(mut engine) = registry.prepare(candidate, &preparation) else { continue };
        let count = hashes(candidate.id.algorithm(), candidate.id.device());
        let mut group = criterion.benchmark_group(candidate.id.algorithm());
        group.throughput(Throughput::Elements(count)).sample_size(10);
        group.bench_function(candidate.id.to_string(), |bencher| {
            bencher.iter(|| {
                let mut sink = Count(0);
                let work = RangeWork::new(Arc::clone(&job), 0..count / job.versions(), cancel.clone());
                let result = engine.run(HitFilter::with_zero_bits(16), &work, &mut sink);
                assert!(result.is_ok() && sink.0 == count, "{result:?}, {} hashes", sink.0);
                black_box(sink.0)
            });
        });
        group.finish();
    }
}

criterion_group!(benches, engines);
criterion_main!(benches);
