//! The contract between whatever computes hashes and whatever drives it.
//!
//! This module knows no algorithm. An [`Engine`] exists only where it can run; where it can't, a [`Candidate`] holds
//! the reason instead.

mod candidate;
pub mod fake;
#[cfg(feature = "fault-injection")]
pub mod fault;
mod id;
mod job;
mod pool;
mod together;
mod workload;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use self::candidate::{Available, Candidate, MakeEngine, Preparation, Progress, Quiet, Resource};
pub use self::id::EngineId;
pub use self::job::{Cancel, Hit, HitFilter, Job, NONCE_END, RangeWork, Span, VERSIONS_PER_SPAN, Work};
pub use self::pool::Pool;
pub use self::together::Together;
pub use self::workload::{Planted, Workload, WorkloadCursor};
use crate::pages::MemoryPart;
use crate::unavailable::Unavailable;

/// A hash in the order in which its algorithm puts it out.
pub type Hash = [u8; 32];

/// One proof of work, computed on one device in one way.
pub trait Engine: Send {
    /// Returns the id.
    fn id(&self) -> &EngineId;

    /// Returns how many threads of this machine hash at once; 0 where the work is done elsewhere.
    fn threads(&self) -> usize;

    /// Returns what had to be built before this engine could run, whoever built it, with the time of each part.
    fn setup(&self) -> Vec<SetupPart>;

    /// Returns how the engine is set, by name, for whoever reads its figures: what was chosen for this machine.
    fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Returns what went wrong with the device and was mended, if anything was.
    fn mishap(&self) -> Option<String> {
        None
    }

    /// Returns the memory that decides over the speed of this engine and was in use so far, with its pages; nothing
    /// where they make no difference.
    fn memory(&self) -> Vec<MemoryPart> {
        Vec::new()
    }

    /// Works through the spans that `work` hands out, and reports each to `sink` when it is finished.
    ///
    /// The pipeline stays full from the first span to the last: nothing drains at a report. Returns when `work` has no
    /// more spans and all those taken are reported; then no thread of the engine spins and no submission is in flight.
    /// The order of reports is not the order of spans.
    ///
    /// # Errors
    ///
    /// A job of a kind or key that this engine wasn't prepared for; a device that was lost; a worker that panicked.
    /// Spans reported before that are finished and right.
    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError>;

    /// Hashes one input of any length.
    ///
    /// # Errors
    ///
    /// [`EngineError::ScanOnly`] where the engine's candidate says that it can't hash; else as [`Engine::run`].
    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        let _ = input;
        Err(EngineError::ScanOnly(self.id().clone()))
    }

    /// Makes the commitment of each hash stand for it from now on: filters, checksums and [`Engine::hash`] look at
    /// that. RandomX has commitments: hashes of the input and its hash.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoCommitment`] where this engine knows none.
    fn commit(&mut self) -> Result<(), EngineError> {
        Err(EngineError::NoCommitment(self.id().clone()))
    }
}

/// Takes the reports of an engine, on the thread that called [`Engine::run`].
pub trait Sink {
    /// Takes one finished span.
    fn report(&mut self, report: SpanReport);

    /// Tells for how long no report need be taken: until then an engine may keep reports that say when they were
    /// finished. Each one that is taken at once wakes a thread, which takes the processor from one that hashes.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// A span that is finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanReport {
    /// What was worked through, all of it.
    pub span: Span,
    /// The inputs whose hashes the filter admits, in any order.
    pub hits: Vec<Hit>,
    /// XOR over all hashes of bytes 24 to 32 read as a little-endian integer, where the engine sees whole hashes.
    pub xor_tail: Option<u64>,
    /// How long the device was busy with this span, by its own clock, where it has one.
    pub device_time: Option<Duration>,
    /// When the span was finished, where it is not reported at once.
    pub finished: Option<Instant>,
}

/// Reads what [`SpanReport::xor_tail`] sums up of one hash.
#[must_use]
pub fn hash_tail(hash: &Hash) -> u64 {
    let mut tail = [0; 8];
    tail.copy_from_slice(&hash[24..]);
    u64::from_le_bytes(tail)
}

/// One thing that was built before an engine could run, such as a RandomX dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct SetupPart {
    /// The name; engines that share the thing give the same.
    pub name: String,
    /// Disjoint phases with their durations, in the order in which they ran.
    pub phases: Vec<(String, Duration)>,
}

/// Why an engine could not be made, or ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine can't run here.
    #[error("{id} can't run here: {}", unavailable.reason)]
    Unavailable {
        /// The engine.
        id: EngineId,
        /// The reason, and what would mend it.
        unavailable: Unavailable,
    },
    /// The engine finds nonces, but doesn't give single hashes.
    #[error("{0} can only scan ranges of nonces: it gives no single hashes")]
    ScanOnly(EngineId),
    /// Commitments were asked for, and this engine knows none.
    #[error("{0} knows no commitments: they belong to RandomX")]
    NoCommitment(EngineId),
    /// A job that this engine can't work on.
    #[error("{id} can't work on this job: {reason}")]
    Job {
        /// The engine.
        id: EngineId,
        /// What is wrong with the job.
        reason: String,
    },
    /// The device went away in the middle of the work.
    #[error("{id}: the device was lost: {reason}")]
    DeviceLost {
        /// The engine.
        id: EngineId,
        /// What the driver said.
        reason: String,
    },
    /// A fault inside the engine.
    #[error("{id} failed: {reason}")]
    Failed {
        /// The engine.
        id: EngineId,
        /// What happened.
        reason: String,
    },
    /// The end was asked for while the engine was being made.
    #[error("interrupted")]
    Cancelled,
}
