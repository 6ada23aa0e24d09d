//! SHA-256d on the processors: one kernel per instruction set, driven by the same threads.

use std::sync::Arc;

use super::midstate::{Kernel, Midstate, RolledHit};
use super::scalar::Scalar;
use super::{ALGORITHM, job_fault};
use crate::cpu::workers::{self, Worker};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hash, Hit, HitFilter, MakeEngine, SetupPart, Sink, Span, SpanReport, Work,
};
use crate::unavailable::Unavailable;

/// A kernel, or why it can't run on this processor.
pub(super) type MaybeKernel = Result<Arc<dyn Kernel>, Unavailable>;

/// Lists every kernel that this program has for processors, by name.
pub(super) fn kernels() -> Vec<(&'static str, MaybeKernel)> {
    vec![("scalar", Ok(Arc::new(Scalar))), ("sha-ni", sha_ni()), ("avx2", avx2()), ("avx512", avx512())]
}

#[cfg(target_arch = "x86_64")]
fn sha_ni() -> MaybeKernel {
    let hint = "AMD Zen, Intel Goldmont, Ice Lake and later have them; a virtual machine may hide them";
    kernel(super::sha_ni::ShaNi::new(), "SHA extensions (sha_ni)", hint)
}

#[cfg(target_arch = "x86_64")]
fn avx2() -> MaybeKernel {
    let hint = "AMD Zen, Intel Haswell and later have it; a virtual machine may hide it";
    kernel(super::avx2::Avx2::new(), "AVX2", hint)
}

#[cfg(target_arch = "x86_64")]
fn avx512() -> MaybeKernel {
    let hint = "AMD Zen 4 and later, and many Intel processors since Skylake-X have it; a virtual machine may hide it";
    kernel(super::avx512::Avx512::new(), "AVX-512 (avx512f and avx512bw)", hint)
}

/// Wraps a kernel whose type is the proof that it can run, or says what the processor lacks.
#[cfg(target_arch = "x86_64")]
fn kernel<K: Kernel + 'static>(proved: Option<K>, feature: &str, hint: &str) -> MaybeKernel {
    match proved {
        Some(kernel) => Ok(Arc::new(kernel)),
        None => Err(Unavailable { reason: format!("this processor has no {feature}"), hint: hint.to_owned() }),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn sha_ni() -> MaybeKernel {
    elsewhere("the SHA extensions of x86")
}

#[cfg(not(target_arch = "x86_64"))]
fn avx2() -> MaybeKernel {
    elsewhere("AVX2")
}

#[cfg(not(target_arch = "x86_64"))]
fn avx512() -> MaybeKernel {
    elsewhere("AVX-512")
}

#[cfg(not(target_arch = "x86_64"))]
fn elsewhere(feature: &str) -> MaybeKernel {
    Err(Unavailable { reason: format!("{feature}: there is no such thing but on x86-64"), hint: String::new() })
}

/// Returns the engines of this module by id, with what it takes to make each: every kernel plain, then every kernel
/// with version rolling.
#[must_use]
pub fn engines() -> Vec<(EngineId, Result<Available, Unavailable>)> {
    let engine = |(name, kernel): (&str, MaybeKernel), is_rolled: bool| {
        let name = if is_rolled { format!("{name}+rolled") } else { name.to_owned() };
        let id = EngineId::new(ALGORITHM, "cpu", &name);
        (id.clone(), kernel.map(|kernel| available(id, kernel, is_rolled)))
    };
    let plain = kernels().into_iter().map(|kernel| engine(kernel, false));
    plain.chain(kernels().into_iter().map(|kernel| engine(kernel, true))).collect()
}

fn available(id: EngineId, kernel: Arc<dyn Kernel>, is_rolled: bool) -> Available {
    let make: Box<MakeEngine> = Box::new(move |preparation| {
        let (id, kernel) = (id.clone(), Arc::clone(&kernel));
        Ok(Box::new(CpuEngine { id, threads: preparation.threads, kernel, is_rolled }))
    });
    Available { resources: Vec::new(), make }
}

struct CpuEngine {
    id: EngineId,
    threads: usize,
    kernel: Arc<dyn Kernel>,
    is_rolled: bool,
}

impl Engine for CpuEngine {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn setup(&self) -> Vec<SetupPart> {
        Vec::new()
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let (id, kernel, is_rolled) = (&self.id, self.kernel.as_ref(), self.is_rolled);
        workers::run(id, self.threads, work, sink, |_| Ok(Scan { id, kernel, is_rolled, filter }))
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        Ok(self.kernel.sha256d(input))
    }
}

/// One thread's share: scans whole spans, so the midstates (one compression for each version) are computed for each.
struct Scan<'a> {
    id: &'a EngineId,
    kernel: &'a dyn Kernel,
    is_rolled: bool,
    filter: HitFilter,
}

impl Worker for Scan<'_> {
    fn hashes_first(&self) -> u64 {
        1 << 12
    }

    fn span(&mut self, span: Span) -> Result<SpanReport, EngineError> {
        let fault = job_fault(&span.job).or_else(|| {
            let has_versions = span.job.version_mask != 0;
            (has_versions && !self.is_rolled).then(|| "it doesn't roll versions".to_owned())
        });
        if let Some(reason) = fault {
            return Err(EngineError::Job { id: self.id.clone(), reason });
        }
        let hits = if self.is_rolled { self.rolled(&span) } else { self.plain(&span) };
        Ok(SpanReport { span, hits, xor_tail: None, device_time: None, finished: None })
    }
}

impl Scan<'_> {
    fn plain(&self, span: &Span) -> Vec<Hit> {
        let mut nonces = Vec::new();
        let midstate = Midstate::of(&span.job);
        self.kernel.scan(&midstate, first_nonce(span), span.hashes(), self.filter, &mut nonces);
        nonces.into_iter().map(Hit::of_nonce).collect()
    }

    fn rolled(&self, span: &Span) -> Vec<Hit> {
        let midstates: Vec<Midstate> = versions_u32(span).map(|index| Midstate::of_version(&span.job, index)).collect();
        let Some(Midstate { tail, .. }) = midstates.first() else { return Vec::new() };
        let states: Vec<[u32; 8]> = midstates.iter().map(|midstate| midstate.state).collect();
        let mut hits = Vec::new();
        let count = span.nonces.end - span.nonces.start;
        let first_nonce = first_nonce(span);
        let scan = super::midstate::Scan { states: &states, tail: *tail, first_nonce, count, filter: self.filter };
        self.kernel.scan_rolled(&scan, &mut hits);
        let first = versions_u32(span).start;
        hits.into_iter().map(|RolledHit { state, nonce }| Hit { version: first + state, nonce }).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
fn first_nonce(span: &Span) -> u32 {
    span.nonces.start as u32
}

/// Returns the indices of a span's versions.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the mask of a header has 32 bits, and its last index is below 2^32"
)]
fn versions_u32(span: &Span) -> std::ops::Range<u32> {
    span.versions.start as u32..span.versions.end as u32
}
