//! What all nonces of one header have in common, and the interface of the kernels that use it.

use super::scalar;
use crate::engine::{Hash, Hit, HitFilter, Job};

/// The hash value after the first 64 bytes of a header, and the sixteen bytes that are left, nonce included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Midstate {
    /// The hash value after the first block.
    pub state: [u32; 8],
    /// The words of the second block before the nonce: the end of the Merkle root, the time, the bits.
    pub tail: [u32; 3],
}

impl Midstate {
    /// Computes the midstate of a header with the job's first version, which is the only one without a mask.
    ///
    /// # Panics
    ///
    /// The job is no header of 80 bytes; engines check that before.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        Self::of_version(job, 0)
    }

    /// Computes the midstate of a header with version number `index` of the job's.
    ///
    /// # Panics
    ///
    /// As [`Midstate::of`].
    #[must_use]
    pub fn of_version(job: &Job, index: u32) -> Self {
        let header = job.input(Hit { version: index, nonce: 0 });
        let words: [u32; 3] = std::array::from_fn(|index| {
            let at = 64 + 4 * index;
            u32::from_be_bytes([0, 1, 2, 3].map(|byte| header[at + byte]))
        });
        Self { state: scalar::compress(&scalar::H0, &scalar::block_words(&header[..64])), tail: words }
    }

    /// Returns the header's second block, padded: 80 bytes are 640 bits.
    #[must_use]
    pub fn block(&self, nonce: u32) -> [u32; 16] {
        let [w0, w1, w2] = self.tail;
        [w0, w1, w2, nonce.swap_bytes(), 0x8000_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 640]
    }

    /// Returns the only block of the second hash: the first hash, padded; 32 bytes are 256 bits.
    #[must_use]
    pub fn second_block(first: &[u32; 8]) -> [u32; 16] {
        let [h0, h1, h2, h3, h4, h5, h6, h7] = *first;
        [h0, h1, h2, h3, h4, h5, h6, h7, 0x8000_0000, 0, 0, 0, 0, 0, 0, 256]
    }
}

/// A hit of a scan with version rolling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RolledHit {
    /// Which of the states it belongs to.
    pub(super) state: u32,
    /// The nonce.
    pub(super) nonce: u32,
}

/// What to scan with version rolling.
pub(super) struct Scan<'a> {
    /// The midstates of headers that differ only in their version; at least one.
    pub(super) states: &'a [[u32; 8]],
    /// The words of their second block before the nonce.
    pub(super) tail: [u32; 3],
    /// The first nonce.
    pub(super) first_nonce: u32,
    /// How many nonces; the range lies inside 0..2^32.
    pub(super) count: u64,
    /// Which hashes are hits.
    pub(super) filter: HitFilter,
}

/// One way to scan nonces on a processor.
pub(super) trait Kernel: Send + Sync {
    /// Scans `count` nonces from `first_nonce` and appends those that the filter admits to `hits`.
    ///
    /// The range lies inside 0..2^32.
    fn scan(&self, midstate: &Midstate, first_nonce: u32, count: u64, filter: HitFilter, hits: &mut Vec<u32>);

    /// Scans the nonces for each of the states, and appends what the filter admits to `hits`, in any order.
    fn scan_rolled(&self, scan: &Scan<'_>, hits: &mut Vec<RolledHit>);

    /// Hashes one message of any length.
    fn sha256d(&self, message: &[u8]) -> Hash;
}
