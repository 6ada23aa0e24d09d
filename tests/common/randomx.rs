//! What tests of RandomX engines share: vectors against single hashes and scans.

use std::sync::Arc;

use hashwatt::engine::{Cancel, Engine, EngineError, HitFilter, Job, RangeWork, Sink, SpanReport};

/// Adds up the checksums of spans.
#[derive(Default)]
pub(crate) struct Tail(u64);

impl Sink for Tail {
    fn report(&mut self, report: SpanReport) {
        self.0 ^= report.xor_tail.expect("RandomX sees whole hashes");
    }
}

/// Scans nonces and returns the checksum of their hashes.
pub(crate) fn scan(engine: &mut dyn Engine, job: Job, nonces: std::ops::Range<u64>) -> Result<u64, EngineError> {
    let mut tail = Tail::default();
    engine.run(HitFilter::ALL, &RangeWork::new(Arc::new(job), nonces, Cancel::default()), &mut tail)?;
    Ok(tail.0)
}

/// Hashes vectors, each as a single input, and those that can hold a nonce in a scan too.
pub(crate) fn agrees(engine: &mut dyn Engine, vectors: &[[Vec<u8>; 3]]) {
    for [key, input, hash] in vectors {
        assert_eq!(engine.hash(input).unwrap()[..], hash[..], "{}, {}", engine.id(), const_hex::encode(input));
        if input.len() < 43 {
            continue;
        }
        let nonce = u32::from_le_bytes(input[39..43].try_into().unwrap());
        let job = Job { key: key.clone(), template: input.clone(), nonce_offset: 39, version_mask: 0 };
        let alone = scan(engine, job, u64::from(nonce)..u64::from(nonce) + 1).unwrap();
        assert_eq!(alone, u64::from_le_bytes(hash[24..].try_into().unwrap()), "scan of {}", const_hex::encode(input));
    }
}
