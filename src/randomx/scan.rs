//! How nonces are scanned, whoever hashes them: one thread's share of the work.

use std::time::Duration;

use super::commitment::commitment;
use crate::cpu::workers::Worker;
use crate::engine::{EngineError, EngineId, Hash, Hit, HitFilter, Span, SpanReport, hash_tail};

/// Hashes the inputs of a span one after the other.
pub(super) trait NonceHasher {
    /// Returns how many hashes are under way at a time. Spans of fewer take as long.
    fn hashes_at_once(&self) -> u64;

    /// Calls `take` with each nonce of the span and its hash, in order. `take` computes no floating point: whoever
    /// hashes may have altered the rounding mode.
    fn hash_nonces(&mut self, span: &Span, take: &mut dyn FnMut(u32, &Hash));
}

/// One thread's share.
pub(super) struct Scan<'a, H> {
    pub(super) id: &'a EngineId,
    /// The key that the engine was made for.
    pub(super) key: &'a [u8],
    pub(super) filter: HitFilter,
    /// Whether commitments count in the place of hashes.
    pub(super) commits: bool,
    pub(super) hasher: H,
}

impl<H: NonceHasher> Worker for Scan<'_, H> {
    /// Long enough for some hashes in fast mode, because the end of one and the beginning of the next overlap; short
    /// enough that what is under way at the edge of a sample doesn't blur it.
    fn span_target(&self) -> Duration {
        Duration::from_millis(12)
    }

    fn hashes_first(&self) -> u64 {
        self.hasher.hashes_at_once()
    }

    fn hashes_at_once(&self) -> u64 {
        self.hasher.hashes_at_once()
    }

    fn span(&mut self, span: Span) -> Result<SpanReport, EngineError> {
        let key = &span.job.key;
        if key != self.key {
            let reason = format!("its key is {}, the engine's {}", const_hex::encode(key), const_hex::encode(self.key));
            return Err(EngineError::Job { id: self.id.clone(), reason });
        }
        let (mut hits, mut xor_tail) = (Vec::new(), 0);
        let mut count = |nonce, hash: &Hash| {
            xor_tail ^= hash_tail(hash);
            if self.filter.admits(hash) {
                hits.push(Hit::of_nonce(nonce));
            }
        };
        if self.commits {
            let mut input = span.job.template.clone();
            self.hasher.hash_nonces(&span, &mut |nonce, hash| {
                span.job.write_nonce(&mut input, nonce);
                count(nonce, &commitment(&input, hash));
            });
        } else {
            self.hasher.hash_nonces(&span, &mut count);
        }
        Ok(SpanReport { span, hits, xor_tail: Some(xor_tail), device_time: None, finished: None })
    }
}
