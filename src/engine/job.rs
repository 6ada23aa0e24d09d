//! What an engine works on: jobs, spans of nonces, the filter that makes a hash a hit, and where spans come from.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One past the largest nonce: nonces are 32 bits wide.
pub const NONCE_END: u64 = 1 << 32;

/// The most versions that one span holds: enough that the message schedule which they share costs each of them little.
pub const VERSIONS_PER_SPAN: u64 = 32;

/// A template whose inputs differ in a 32-bit little-endian nonce, and perhaps in bits of a version.
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
    /// The bits of the version, the template's first four bytes in little-endian order, that differ from input to input
    /// (BIP 320); 0 where only the nonce does.
    pub version_mask: u32,
}

impl Job {
    /// Returns how many versions there are: 1 without a mask.
    #[must_use]
    pub fn versions(&self) -> u64 {
        1 << self.version_mask.count_ones()
    }

    /// Returns version number `index`: the template's, with the bits of `index` at the places of the mask's bits, from
    /// the lowest to the highest.
    #[must_use]
    pub fn version(&self, index: u32) -> u32 {
        let mut version = self.template_version() & !self.version_mask;
        for (number, place) in places(self.version_mask).enumerate() {
            version |= (index >> number & 1) << place;
        }
        version
    }

    /// Returns the index of the template's own version.
    #[must_use]
    pub fn template_version_index(&self) -> u32 {
        let version = self.template_version();
        places(self.version_mask).enumerate().fold(0, |index, (number, place)| index | (version >> place & 1) << number)
    }

    fn template_version(&self) -> u32 {
        self.template.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Returns the input of a version and a nonce.
    ///
    /// # Panics
    ///
    /// The nonce lies outside the template; whoever makes a job from input checks that first.
    #[must_use]
    pub fn input(&self, hit: Hit) -> Vec<u8> {
        let mut input = self.template.clone();
        self.write(&mut input, hit);
        input
    }

    /// Writes a version and a nonce into a copy of the template, in place.
    ///
    /// # Panics
    ///
    /// As [`Job::input`].
    pub fn write(&self, input: &mut [u8], hit: Hit) {
        if self.version_mask != 0 {
            input[..4].copy_from_slice(&self.version(hit.version).to_le_bytes());
        }
        self.write_nonce(input, hit.nonce);
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

/// Returns the places of the bits of a mask, the lowest first.
fn places(mask: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |place| mask >> place & 1 == 1)
}

/// One input of a job, such as one whose hash is a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Which of the job's versions, counted from 0; 0 where there is only one.
    pub version: u32,
    /// The nonce.
    pub nonce: u32,
}

impl Hit {
    /// Returns the input with this nonce and the first version.
    #[must_use]
    pub fn of_nonce(nonce: u32) -> Self {
        Self { version: 0, nonce }
    }
}

/// Inputs of one job, for an engine to work through: each of the versions with each of the nonces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The job; spans of one job share it.
    pub job: Arc<Job>,
    /// Indices of versions, half open; 0..1 where the job has only one.
    pub versions: Range<u64>,
    /// Half open, inside 0..2^32.
    pub nonces: Range<u64>,
}

impl Span {
    /// Makes a span of one version, the first.
    #[must_use]
    pub fn of_nonces(job: Arc<Job>, nonces: Range<u64>) -> Self {
        Self { job, versions: 0..1, nonces }
    }

    /// Returns how many hashes the span takes.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        (self.versions.end - self.versions.start) * (self.nonces.end - self.nonces.start)
    }

    /// Returns the nonces as 32-bit numbers.
    #[expect(clippy::cast_possible_truncation, reason = "nonces end at 2^32")]
    pub fn nonces_u32(&self) -> impl Iterator<Item = u32> + use<> {
        self.nonces.clone().map(|nonce| nonce as u32)
    }

    /// Returns every input, by version and then by nonce.
    #[expect(clippy::cast_possible_truncation, reason = "versions and nonces end at 2^32")]
    pub fn inputs(&self) -> impl Iterator<Item = Hit> + use<> {
        let nonces = self.nonces.clone();
        self.versions.clone().flat_map(move |version| {
            nonces.clone().map(move |nonce| Hit { version: version as u32, nonce: nonce as u32 })
        })
    }

    /// Tells whether the span holds this input.
    #[must_use]
    pub fn contains(&self, hit: Hit) -> bool {
        self.versions.contains(&u64::from(hit.version)) && self.nonces.contains(&u64::from(hit.nonce))
    }
}

/// How far a job is handed out: versions by the block, and each block with all nonces before the next.
#[derive(Debug)]
pub(super) struct Position {
    job: Arc<Job>,
    versions: Range<u64>,
    nonces: Range<u64>,
    next_nonce: u64,
}

impl Position {
    pub(super) fn start(job: Arc<Job>, nonces: Range<u64>) -> Self {
        let versions = 0..VERSIONS_PER_SPAN.min(job.versions());
        Self { job, versions, next_nonce: nonces.start, nonces }
    }

    /// Takes the next span; none when the job is used up.
    pub(super) fn take(&mut self, hashes_max: u64) -> Option<Span> {
        if self.next_nonce >= self.nonces.end {
            let start = self.versions.end;
            self.versions = start..(start + VERSIONS_PER_SPAN).min(self.job.versions());
            self.next_nonce = self.nonces.start;
        }
        if self.versions.is_empty() || self.nonces.is_empty() {
            return None;
        }
        let count = (hashes_max / (self.versions.end - self.versions.start)).max(1);
        let nonces = self.next_nonce..self.nonces.end.min(self.next_nonce.saturating_add(count));
        self.next_nonce = nonces.end;
        Some(Span { job: Arc::clone(&self.job), versions: self.versions.clone(), nonces })
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
    /// Returns the next span of at most `hashes_max` hashes, but of one nonce with its versions at least; or nothing
    /// when the engine shall end.
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

/// Work that ends: one range of nonces of one job, with all its versions.
#[derive(Debug)]
pub struct RangeWork {
    position: Mutex<Position>,
    cancel: Cancel,
}

impl RangeWork {
    /// Makes work of `nonces`, which lie inside 0..2^32.
    #[must_use]
    pub fn new(job: Arc<Job>, nonces: Range<u64>, cancel: Cancel) -> Self {
        debug_assert!(nonces.end <= NONCE_END, "nonces are 32 bits wide");
        Self { position: Mutex::new(Position::start(job, nonces)), cancel }
    }
}

impl Work for RangeWork {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        if self.cancel.is_cancelled() {
            return None;
        }
        self.position.lock().unwrap_or_else(PoisonError::into_inner).take(hashes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job { key: Vec::new(), template: vec![0; 80], nonce_offset: 76, version_mask: 0 }
    }

    #[test]
    fn a_nonce_is_written_little_endian_at_its_offset() {
        let input = job().input(Hit::of_nonce(0x0102_0304));
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
    fn the_bits_of_an_index_go_to_the_places_of_the_mask() {
        let mut job = Job { version_mask: 0x1fff_e000, ..job() };
        job.template[..4].copy_from_slice(&0x2fff_0004_u32.to_le_bytes());
        assert_eq!(job.versions(), 1 << 16);
        assert_eq!((job.version(0), job.version(1), job.version(0xffff)), (0x2000_0004, 0x2000_2004, 0x3fff_e004));
        assert_eq!(job.version(job.template_version_index()), 0x2fff_0004);
        let input = job.input(Hit { version: 0x8000, nonce: 7 });
        assert_eq!((&input[..4], &input[76..]), (&[4, 0, 0, 0x30][..], &[7, 0, 0, 0][..]));
        // Places may lie apart.
        job.version_mask = 0x8000_0101;
        assert_eq!(job.versions(), 8);
        assert_eq!((job.version(5), job.version(2)), (0xafff_0005, 0x2fff_0104));
    }

    #[test]
    fn every_version_meets_every_nonce_exactly_once() {
        // 64 versions are two blocks.
        for (mask, hashes_max) in [(0, 7), (0x2000, 1), (0x7e000, 100), (0x7e000, u64::MAX), (0xfe000, 16)] {
            let job = Arc::new(Job { version_mask: mask, ..job() });
            let work = RangeWork::new(Arc::clone(&job), 5..28, Cancel::default());
            let spans: Vec<Span> = std::iter::from_fn(|| work.next(hashes_max)).collect();
            let least = VERSIONS_PER_SPAN.min(job.versions());
            assert!(spans.iter().all(|span| span.hashes() <= hashes_max.max(least)), "{mask:x}, {hashes_max}");
            let mut inputs: Vec<Hit> = spans.iter().flat_map(Span::inputs).collect();
            inputs.sort_unstable();
            let all = Span { versions: 0..job.versions(), ..Span::of_nonces(job, 5..28) };
            assert!(inputs.iter().all(|&input| all.contains(input)));
            assert_eq!(inputs, all.inputs().collect::<Vec<_>>(), "{mask:x}, {hashes_max}");
        }
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
