//! Work without end for a benchmark, and solutions hidden in it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::job::Position;
use super::{Hit, Job, NONCE_END, Span, VERSIONS_PER_SPAN};
use crate::random::SplitMix64;

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
    /// Jobs of which a solution is known: each has its turn now and then, so that an engine which finds nothing is
    /// noticed in its timed work. May be empty.
    pub planted: Vec<Planted>,
}

/// A job of which a solution is known.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The job. Its spans are known by it.
    pub job: Arc<Job>,
    /// The solution: every filter admits its hash.
    pub hit: Hit,
}

impl Planted {
    /// Tells whether a span is of this job.
    #[must_use]
    pub fn is_in(&self, span: &Span) -> bool {
        Arc::ptr_eq(&self.job, &span.job)
    }

    /// Returns a span of at most `hashes_max` hashes with the solution anywhere in it.
    fn span(&self, hashes_max: u64, random: &mut SplitMix64) -> Span {
        let first = u64::from(self.hit.version) / VERSIONS_PER_SPAN * VERSIONS_PER_SPAN;
        let versions = first..(first + VERSIONS_PER_SPAN).min(self.job.versions());
        let count = (hashes_max / (versions.end - versions.start)).clamp(1, NONCE_END);
        let solution = u64::from(self.hit.nonce);
        let start = solution.saturating_sub(random.bits() % count);
        Span { job: Arc::clone(&self.job), versions, nonces: start..(start + count).min(NONCE_END) }
    }
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
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The number of the job.
    index: u32,
    /// How far it is handed out.
    position: Position,
    random: SplitMix64,
    /// How many spans there are before the next that is planted.
    until_planted: u64,
}

/// One span in so many is planted, on average.
const PLANTED_IN: u64 = 16;

impl WorkloadCursor {
    /// Starts at the first nonce of the first job. Where spans are planted, and which, is left to chance.
    #[must_use]
    pub fn new(workload: Workload) -> Self {
        let position = Position::start(Arc::new(workload.job(0)), 0..NONCE_END);
        // The standard library takes these keys from the system's source of random numbers.
        let mut random = SplitMix64::new(RandomState::new().build_hasher().finish());
        let until_planted = random.bits() % PLANTED_IN;
        Self { workload, state: Mutex::new(State { index: 0, position, random, until_planted }) }
    }

    /// Returns the jobs of which a solution is known.
    #[must_use]
    pub fn planted(&self) -> &[Planted] {
        &self.workload.planted
    }

    /// Takes the next span of at most `hashes_max` hashes, or of one nonce with its versions.
    pub fn take(&self, hashes_max: u64) -> Span {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { index, position, random, until_planted } = &mut *guard;
        let planted = &self.workload.planted;
        if !planted.is_empty() {
            if *until_planted == 0 {
                *until_planted = 1 + random.bits() % (2 * PLANTED_IN);
                #[expect(clippy::cast_possible_truncation, reason = "there are few")]
                let chosen = (random.bits() % planted.len() as u64) as usize;
                return planted[chosen].span(hashes_max, random);
            }
            *until_planted -= 1;
        }
        loop {
            if let Some(span) = position.take(hashes_max) {
                return span;
            }
            *index = index.wrapping_add(1);
            *position = Position::start(Arc::new(self.workload.job(*index)), 0..NONCE_END);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job { key: Vec::new(), template: vec![0; 80], nonce_offset: 76, version_mask: 0 }
    }

    fn workload(job: Job) -> Workload {
        Workload { job, roll_offset: 68, planted: Vec::new() }
    }

    #[test]
    fn a_workload_rolls_to_a_new_job_when_the_nonces_are_used_up() {
        let cursor = WorkloadCursor::new(workload(job()));
        assert_eq!(cursor.take(u64::MAX).nonces, 0..NONCE_END);
        let second = cursor.take(7);
        assert_eq!(second.nonces, 0..7);
        assert_eq!(second.job.template[68..72], [1, 0, 0, 0]);
    }

    #[test]
    fn a_workload_rolls_versions_before_it_rolls_jobs() {
        let job = Job { version_mask: 0x7e000, ..job() };
        let cursor = WorkloadCursor::new(workload(job));
        let taken: Vec<Span> = (0..3).map(|_| cursor.take(u64::MAX)).collect();
        assert_eq!(taken.iter().map(|span| span.versions.clone()).collect::<Vec<_>>(), [0..32, 32..64, 0..32]);
        assert!(taken.iter().all(|span| span.nonces == (0..NONCE_END)));
        assert_eq!((taken[1].job.template[68], taken[2].job.template[68]), (0, 1));
    }

    #[test]
    fn solutions_are_planted_at_random_places_and_nothing_else_changes() {
        let plain = Planted { job: Arc::new(job()), hit: Hit::of_nonce(70_000) };
        let rolled = Arc::new(Job { version_mask: 0x1fff_e000, ..job() });
        let rolled = Planted { job: rolled, hit: Hit { version: 0xfffe, nonce: u32::MAX } };
        let cursor = WorkloadCursor::new(Workload { planted: vec![plain.clone(), rolled.clone()], ..workload(job()) });
        let (planted, others): (Vec<Span>, Vec<Span>) = (0..4000)
            .map(|_| cursor.take(6400))
            .partition(|span| cursor.planted().iter().any(|planted| planted.is_in(span)));
        assert!((150..400).contains(&planted.len()), "{} of 4000", planted.len());
        for one in [&plain, &rolled] {
            let spans: Vec<&Span> = planted.iter().filter(|span| one.is_in(span)).collect();
            assert!(spans.len() > 20);
            assert!(spans.iter().all(|span| span.contains(one.hit) && span.hashes() <= 6400));
            let starts: std::collections::BTreeSet<u64> = spans.iter().map(|span| span.nonces.start).collect();
            assert!(starts.len() > 5, "{starts:?}");
        }
        assert!(planted.iter().filter(|span| rolled.is_in(span)).all(|span| span.versions == (65504..65536)));
        // The work itself goes on without a gap.
        let mut next = 0;
        for span in others {
            assert_eq!(span.nonces, next..next + 6400);
            next += 6400;
        }
    }
}
