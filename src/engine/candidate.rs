//! Engines that could exist here, and what it takes to make one.

use std::fmt;
use std::time::Duration;

use super::{Cancel, Engine, EngineError, EngineId, Pool};
use crate::device::Device;
use crate::unavailable::Unavailable;

/// An engine that this program knows: what it would need, or why it can't run here.
pub struct Candidate {
    /// The id.
    pub id: EngineId,
    /// The device that does the work and draws the power: the processors for a software adapter.
    pub device: Device,
    /// The device's own name, such as the brand of the processor; software adapters are labelled so.
    pub device_name: String,
    /// Tells whether [`Engine::hash`] works, so that nothing has to be built to find out.
    pub can_hash: bool,
    /// What it takes to make the engine, or why that can't be.
    pub availability: Result<Available, Unavailable>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("id", &self.id)
            .field("unavailable", &self.unavailable())
            .finish_non_exhaustive()
    }
}

impl Candidate {
    /// Returns why the engine can't run here, if it can't.
    #[must_use]
    pub fn unavailable(&self) -> Option<&Unavailable> {
        self.availability.as_ref().err()
    }

    /// Returns what the engine holds; nothing where it can't run.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        self.availability.as_ref().map_or(&[], |available| &available.resources)
    }

    /// Returns the memory that the engine holds, shared resources included, in bytes; 0 where it can't run.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.resources().iter().map(|resource| resource.bytes).sum()
    }

    /// Makes the engine.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unavailable`] where it can't run; [`EngineError::Cancelled`]; what went wrong in making it.
    pub fn prepare(&self, preparation: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> {
        match &self.availability {
            Ok(available) => (available.make)(preparation),
            Err(unavailable) => Err(EngineError::Unavailable { id: self.id.clone(), unavailable: unavailable.clone() }),
        }
    }
}

/// How to make an engine, and what it holds.
pub struct Available {
    /// The memory that matters, shared resources by key, so that a plan can tell which engines fit together.
    pub resources: Vec<Resource>,
    /// Makes the engine.
    pub make: Box<MakeEngine>,
}

/// Makes an engine for one key and number of threads.
pub type MakeEngine = dyn Fn(&Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> + Send + Sync;

/// Memory that an engine holds; engines that give the same key share it, or have it one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is, such as `randomx-v1 dataset`.
    pub key: String,
    /// How large it is.
    pub bytes: u64,
    /// About how long it takes to build, from what was seen on one processor; 0 where that is not worth telling.
    pub build: Duration,
}

/// What an engine is made for.
pub struct Preparation<'a> {
    /// The key of the jobs to come: RandomX's K; empty for SHA-256d.
    pub key: &'a [u8],
    /// Threads of CPU engines, at least one.
    pub threads: usize,
    /// Holds what engines share.
    pub pool: &'a Pool,
    /// Is told of long waits.
    pub progress: &'a dyn Progress,
    /// Ends a long wait early.
    pub cancel: &'a Cancel,
}

/// Is told how a long wait goes on. Calls come from one thread at a time.
pub trait Progress: Sync {
    /// A phase begins. `total` is in the phase's own unit, where it is known.
    fn begin(&self, phase: &str, total: Option<u64>);
    /// This much of the phase is done.
    fn set(&self, done: u64);
    /// The phase is over.
    fn end(&self);
}

/// Progress that nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _phase: &str, _total: Option<u64>) {}
    fn set(&self, _done: u64) {}
    fn end(&self) {}
}
