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
type MaybeKernel = Result<Arc<dyn Kernel>, Unavailable>;

/// Lists every kernel that this program has for processors, by name.
fn kernels() -> Vec<(&'static str, MaybeKernel)> {
    vec![("scalar", Ok(Arc::new(Scalar))), ("sha-ni", sha_ni())]
}

#[cfg(target_arch = "x86_64")]
fn sha_ni() -> MaybeKernel {
    match super::sha_ni::ShaNi::new() {
        Some(kernel) => Ok(Arc::new(kernel)),
        None => Err(Unavailable {
            reason: "this processor has no SHA extensions (sha_ni)".to_owned(),
            hint: "AMD Zen, Intel Goldmont, Ice Lake and later have them; a virtual machine may hide them".to_owned(),
        }),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn sha_ni() -> MaybeKernel {
    Err(Unavailable { reason: "the SHA extensions of x86 exist on x86-64 only".to_owned(), hint: String::new() })
}

/// Returns the engines of this module by id, with what it takes to make each: every kernel plain, then every kernel with
/// version rolling.
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
        self.kernel.scan_rolled(&states, *tail, first_nonce(span), count, self.filter, &mut hits);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::NONCE_END;
    use crate::sha256d::{BlockHeader, scalar};

    /// Drives one kernel against the oracle: every hit of every range, found exactly once and in order.
    fn agrees_with_the_oracle(name: &str, kernel: &dyn Kernel) {
        let job = BlockHeader::BLOCK_125552.job();
        let midstate = Midstate::of(&job);
        let solved = u64::from(BlockHeader::BLOCK_125552.nonce);
        // Zero, the wrap, odd lengths, one and none, and the real solution as first, last and lone nonce.
        let ranges = [
            0..1,
            0..2,
            0..257,
            5..5,
            0xffff..0x1_0003,
            NONCE_END - 5..NONCE_END,
            solved..solved + 1,
            solved - 7..solved + 1,
            solved..solved + 8,
        ];
        for (range, zero_bits) in ranges.iter().flat_map(|range| [0, 1, 5, 32].map(|bits| (range.clone(), bits))) {
            let filter = HitFilter::with_zero_bits(zero_bits);
            let expected: Vec<u32> = range
                .clone()
                .map(|nonce| u32::try_from(nonce).unwrap())
                .filter(|&nonce| filter.admits(&scalar::sha256d(&job.input(Hit::of_nonce(nonce)))))
                .collect();
            let mut hits = Vec::new();
            let first = u32::try_from(range.start).unwrap();
            kernel.scan(&midstate, first, range.end - range.start, filter, &mut hits);
            assert_eq!(hits, expected, "{name}, nonces {range:?}, {zero_bits} zero bits");
        }
        let message: Vec<u8> = (0..150_u8).map(|index| index.wrapping_mul(151)).collect();
        for length in 0..=message.len() {
            assert_eq!(
                kernel.sha256d(&message[..length]),
                scalar::sha256d(&message[..length]),
                "{name}, length {length}"
            );
        }
    }

    #[test]
    fn every_kernel_that_runs_here_agrees_with_the_oracle() {
        let mut names = Vec::new();
        for (name, kernel) in kernels() {
            if let Ok(kernel) = kernel {
                agrees_with_the_oracle(name, kernel.as_ref());
                names.push(name);
            }
        }
        assert!(names.contains(&"scalar"));
        // Which kernels ran is asserted on the machine that CI names; here it is at least seen.
        #[cfg(target_arch = "x86_64")]
        assert_eq!(names.contains(&"sha-ni"), is_x86_feature_detected!("sha"));
    }
}
