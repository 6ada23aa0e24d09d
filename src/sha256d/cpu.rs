//! SHA-256d on the processors: one kernel per instruction set, driven by the same threads.

use std::sync::Arc;

use super::midstate::{Kernel, Midstate};
use super::scalar::Scalar;
use super::{ALGORITHM, job_fault};
use crate::cpu::workers::{self, Worker};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hash, HitFilter, MakeEngine, SetupPart, Sink, Span, SpanReport, Work,
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

/// Returns the engines of this module by id, with what it takes to make each.
#[must_use]
pub fn engines() -> Vec<(EngineId, Result<Available, Unavailable>)> {
    let engine = |(name, kernel): (&str, MaybeKernel)| {
        let id = EngineId::new(ALGORITHM, "cpu", name);
        (id.clone(), kernel.map(|kernel| available(id, kernel)))
    };
    kernels().into_iter().map(engine).collect()
}

fn available(id: EngineId, kernel: Arc<dyn Kernel>) -> Available {
    let make: Box<MakeEngine> = Box::new(move |preparation| {
        Ok(Box::new(CpuEngine { id: id.clone(), threads: preparation.threads, kernel: Arc::clone(&kernel) }))
    });
    Available { resources: Vec::new(), make }
}

struct CpuEngine {
    id: EngineId,
    threads: usize,
    kernel: Arc<dyn Kernel>,
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
        let (id, kernel) = (&self.id, self.kernel.as_ref());
        workers::run(id, self.threads, work, sink, |_| Ok(Scan { id, kernel, filter }))
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        Ok(self.kernel.sha256d(input))
    }
}

/// One thread's share: scans whole spans, so the midstate (one compression) is computed for each.
struct Scan<'a> {
    id: &'a EngineId,
    kernel: &'a dyn Kernel,
    filter: HitFilter,
}

impl Worker for Scan<'_> {
    fn hashes_first(&self) -> u64 {
        1 << 12
    }

    #[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
    fn span(&mut self, span: Span) -> Result<SpanReport, EngineError> {
        if let Some(reason) = job_fault(&span.job) {
            return Err(EngineError::Job { id: self.id.clone(), reason });
        }
        let mut hits = Vec::new();
        let midstate = Midstate::of(&span.job);
        self.kernel.scan(&midstate, span.nonces.start as u32, span.hashes(), self.filter, &mut hits);
        Ok(SpanReport { span, hits, xor_tail: None, device_time: None, finished: None })
    }
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
                .filter(|&nonce| filter.admits(&scalar::sha256d(&job.input(nonce))))
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
