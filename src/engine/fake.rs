//! An engine that hashes nothing: for tests of whatever drives engines.

use std::time::Duration;

use super::{Engine, EngineError, EngineId, Hash, HitFilter, SetupPart, Sink, SpanReport, Work, hash_tail};
use crate::clock::FakeClock;

/// Takes its time from a [`FakeClock`]: each span moves the clock on by hashes over rate.
///
/// Its "hash" of an input is a cheap mixing function, [`FakeEngine::fake_hash`], so that hits and checksums can be
/// checked as those of a real engine are.
#[derive(Debug)]
pub struct FakeEngine {
    id: EngineId,
    clock: FakeClock,
    span_hashes: u64,
    /// The rate of each span in turn, in hashes per second; the last one stays.
    rates_hps: Vec<f64>,
    spans_run: usize,
    /// After this many spans the device is lost.
    pub spans_until_lost: Option<usize>,
}

impl FakeEngine {
    /// Makes an engine that works in spans of `span_hashes` at the rates of `rates_hps`, one after the other.
    ///
    /// # Panics
    ///
    /// There is no rate, or one isn't positive.
    #[must_use]
    pub fn new(id: EngineId, clock: FakeClock, span_hashes: u64, rates_hps: Vec<f64>) -> Self {
        assert!(!rates_hps.is_empty() && rates_hps.iter().all(|&rate| rate > 0.0), "rates must be positive");
        Self { id, clock, span_hashes, rates_hps, spans_run: 0, spans_until_lost: None }
    }

    /// Mixes the input into 32 bytes: FNV-1a with a final avalanche. No proof of work.
    #[must_use]
    pub fn fake_hash(input: &[u8]) -> Hash {
        let mut hash = [0; 32];
        for (lane, bytes) in hash.chunks_exact_mut(8).enumerate() {
            let seed = 0xcbf2_9ce4_8422_2325 ^ lane as u64;
            let mixed = input.iter().fold(seed, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            bytes.copy_from_slice(&(mixed ^ (mixed >> 33)).to_le_bytes());
        }
        hash
    }
}

impl Engine for FakeEngine {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        1
    }

    fn setup(&self) -> Vec<SetupPart> {
        Vec::new()
    }

    #[expect(clippy::cast_precision_loss, reason = "spans of a test are short")]
    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        while let Some(span) = work.next(self.span_hashes) {
            if self.spans_until_lost.is_some_and(|spans| self.spans_run >= spans) {
                return Err(EngineError::DeviceLost { id: self.id.clone(), reason: "as the test asked".to_owned() });
            }
            let rate_hps = self.rates_hps[self.spans_run.min(self.rates_hps.len() - 1)];
            self.spans_run += 1;
            let mut hits = Vec::new();
            let mut xor_tail = 0;
            for nonce in span.nonces_u32() {
                let hash = Self::fake_hash(&span.job.input(nonce));
                xor_tail ^= hash_tail(&hash);
                if filter.admits(&hash) {
                    hits.push(nonce);
                }
            }
            self.clock.advance(Duration::from_secs_f64(span.hashes() as f64 / rate_hps));
            sink.report(SpanReport { span, hits, xor_tail: Some(xor_tail), device_time: None, finished: None });
        }
        Ok(())
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        Ok(Self::fake_hash(input))
    }
}
