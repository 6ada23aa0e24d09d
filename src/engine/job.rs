//! What an engine works on: jobs, spans of nonces, the filter that makes a hash a hit, and where spans come from.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One past the largest nonce: nonces are 32 bits wide.
pub const NONCE_END: u64 = 1 << 32;

/// A template whose inputs differ only in a 32-bit little-endian nonce.
///
/// Bitcoin headers and Monero hashing blobs are both of this kind, so engines of every algorithm share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The key of the proof of work: RandomX's K; empty for SHA-256d.
    pub key: Vec<u8>,
    /// The input, with any nonce in it.
    pub template: Vec<u8>,
    /// Where the four bytes of the nonce lie in `template`.
    pub nonce_offset: usize,
}

impl Job {
    /// Returns the input for `nonce`.
    ///
    /// # Panics
    ///
    /// The nonce lies outside the template; whoever makes a job from input checks that first.
    #[must_use]
    pub fn input(&self, nonce: u32) -> Vec<u8> {
        let mut input = self.template.clone();
        self.write_nonce(&mut input, nonce);
        input
    }

    /// Writes `nonce` into a copy of the template, in place.
    ///
    /// # Panics
    ///
    /// As [`Job::input`].
    pub fn write_nonce(&self, input: &mut [u8], nonce: u32) {
        input[self.nonce_offset..self.nonce_offset + 4].copy_from_slice(&nonce.to_le_bytes());
    }
}

/// Nonces of one job, for an engine to work through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The job; spans of one job share it.
    pub job: Arc<Job>,
    /// Half open, inside 0..2^32.
    pub nonces: Range<u64>,
}

impl Span {
    /// Returns how many hashes the span takes.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.nonces.end - self.nonces.start
    }

    /// Returns the nonces as 32-bit numbers.
    #[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
    pub fn nonces_u32(&self) -> impl Iterator<Item = u32> + use<> {
        self.nonces.clone().map(|nonce| nonce as u32)
    }
}

/// Decides which hashes an engine reports.
///
/// The 32 bytes of a hash are a 256-bit little-endian integer, for Bitcoin and Monero alike; a hash is a hit when its
/// most significant `zero_bits` bits are zero. The filter is looser than any real target, and hits are compared with
/// the whole target on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HitFilter {
    zero_bits: u32,
}

impl HitFilter {
    /// Every hash is a hit.
    pub const ALL: Self = Self { zero_bits: 0 };

    /// Makes a filter of `zero_bits` leading zero bits, at most 32: no engine looks at more than one word.
    #[must_use]
    pub fn with_zero_bits(zero_bits: u32) -> Self {
        Self { zero_bits: zero_bits.min(32) }
    }

    /// Returns the number of leading bits that must be zero, 0 to 32.
    #[must_use]
    pub fn zero_bits(self) -> u32 {
        self.zero_bits
    }

    /// Returns the mask that the most significant 32 bits must not meet.
    #[must_use]
    pub fn mask(self) -> u32 {
        !u32::MAX.checked_shr(self.zero_bits).unwrap_or(0)
    }

    /// Tells whether `hash` is a hit.
    #[must_use]
    pub fn admits(self, hash: &[u8; 32]) -> bool {
        u32::from_le_bytes([hash[28], hash[29], hash[30], hash[31]]) & self.mask() == 0
    }

    /// Returns the share of all hashes that are hits.
    #[must_use]
    pub fn probability(self) -> f64 {
        0.5_f64.powf(f64::from(self.zero_bits))
    }
}

/// Hands out spans until there is no more work, or no more is wanted.
///
/// Engines ask from several threads, for spans as long as suits them, so nothing drains while there is work left.
pub trait Work: Sync {
    /// Returns the next span of at most `hashes_max` hashes (at least one), or nothing when the engine shall end.
    fn next(&self, hashes_max: u64) -> Option<Span>;
}

/// A flag that asks for an early end. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks for the end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Tells whether the end was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Work that ends: one range of nonces of one job.
#[derive(Debug)]
pub struct RangeWork {
    job: Arc<Job>,
    next: AtomicU64,
    end: u64,
    cancel: Cancel,
}

impl RangeWork {
    /// Makes work of `nonces`, which lie inside 0..2^32.
    #[must_use]
    pub fn new(job: Arc<Job>, nonces: Range<u64>, cancel: Cancel) -> Self {
        debug_assert!(nonces.end <= NONCE_END, "nonces are 32 bits wide");
        Self { job, next: AtomicU64::new(nonces.start), end: nonces.end, cancel }
    }
}

impl Work for RangeWork {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        if self.cancel.is_cancelled() {
            return None;
        }
        let take = |start: u64| (start < self.end).then(|| self.end.min(start.saturating_add(hashes_max.max(1))));
        let start = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(Span { job: Arc::clone(&self.job), nonces: start..take(start)? })
    }
}

/// Jobs without end for a benchmark: when the nonces of one are used up, the next differs in another 32-bit field.
///
/// That field is a header's time for Bitcoin (miners roll it in the same way), and bytes of the blob for RandomX; so no
/// input is hashed twice, as fast as the device may be.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The first job.
    pub job: Job,
    /// Where the field lies in the template that is counted up from job to job.
    pub roll_offset: usize,
}

impl Workload {
    /// Returns job number `index`.
    ///
    /// # Panics
    ///
    /// The field lies outside the template.
    #[must_use]
    pub fn job(&self, index: u32) -> Job {
        let mut job = self.job.clone();
        let field = &mut job.template[self.roll_offset..self.roll_offset + 4];
        let rolled = u32::from_le_bytes([field[0], field[1], field[2], field[3]]).wrapping_add(index);
        field.copy_from_slice(&rolled.to_le_bytes());
        job
    }
}

/// Where a [`Workload`] has got to. One is kept per engine, so that no turn repeats the work of an earlier one.
#[derive(Debug)]
pub struct WorkloadCursor {
    workload: Workload,
    position: Mutex<(u32, Arc<Job>, u64)>,
}

impl WorkloadCursor {
    /// Starts at the first nonce of the first job.
    #[must_use]
    pub fn new(workload: Workload) -> Self {
        let job = Arc::new(workload.job(0));
        Self { workload, position: Mutex::new((0, job, 0)) }
    }

    /// Takes the next span of at most `hashes_max` hashes.
    pub fn take(&self, hashes_max: u64) -> Span {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        if position.2 == NONCE_END {
            let index = position.0.wrapping_add(1);
            *position = (index, Arc::new(self.workload.job(index)), 0);
        }
        let start = position.2;
        position.2 = NONCE_END.min(start.saturating_add(hashes_max.max(1)));
        Span { job: Arc::clone(&position.1), nonces: start..position.2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job { key: Vec::new(), template: vec![0; 80], nonce_offset: 76 }
    }

    #[test]
    fn a_nonce_is_written_little_endian_at_its_offset() {
        let input = job().input(0x0102_0304);
        assert_eq!(&input[76..], [4, 3, 2, 1]);
        assert!(input[..76].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_range_is_handed_out_exactly_once_with_a_ragged_end() {
        let work = RangeWork::new(Arc::new(job()), NONCE_END - 10..NONCE_END, Cancel::default());
        let spans: Vec<_> = std::iter::from_fn(|| work.next(4)).map(|span| span.nonces).collect();
        assert_eq!(spans, [NONCE_END - 10..NONCE_END - 6, NONCE_END - 6..NONCE_END - 2, NONCE_END - 2..NONCE_END]);
        assert!(work.next(u64::MAX).is_none());
    }

    #[test]
    fn cancelled_work_ends() {
        let cancel = Cancel::default();
        let work = RangeWork::new(Arc::new(job()), 0..100, cancel.clone());
        assert!(work.next(1).is_some());
        cancel.cancel();
        assert!(work.next(1).is_none());
    }

    #[test]
    fn a_workload_rolls_to_a_new_job_when_the_nonces_are_used_up() {
        let cursor = WorkloadCursor::new(Workload { job: job(), roll_offset: 68 });
        assert_eq!(cursor.take(u64::MAX).nonces, 0..NONCE_END);
        let second = cursor.take(7);
        assert_eq!(second.nonces, 0..7);
        assert_eq!(second.job.template[68..72], [1, 0, 0, 0]);
    }

    #[test]
    fn a_filter_admits_by_the_most_significant_bits() {
        let mut hash = [0xff; 32];
        assert!(HitFilter::ALL.admits(&hash));
        assert!(!HitFilter::with_zero_bits(1).admits(&hash));
        hash[31] = 0x00;
        hash[30] = 0x7f;
        assert!(HitFilter::with_zero_bits(9).admits(&hash));
        assert!(!HitFilter::with_zero_bits(10).admits(&hash));
        assert_eq!(HitFilter::with_zero_bits(32).mask(), u32::MAX);
        assert_eq!(HitFilter::with_zero_bits(40), HitFilter::with_zero_bits(32));
        assert_eq!(HitFilter::with_zero_bits(3).probability(), 0.125);
    }
}
