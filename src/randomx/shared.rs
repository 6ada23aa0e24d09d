//! What this program's own engines share: a cache and, in fast mode, a dataset for each NUMA node. Both are the same
//! for all versions and ways of execution.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::footprint::{CACHE_BYTES, DATASET_BYTES, Room, memory_fault};
use super::{Cache, Dataset, Interrupted, OutOfMemory};
use crate::cpu::affinity;
use crate::cpu::topology::Topology;
use crate::engine::{EngineError, EngineId, Preparation, Resource, SetupPart};
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

pub(super) const CACHE: &str = "randomx cache";
pub(super) const DATASET: &str = "randomx dataset";
/// How long a cache takes on an AMD Zen 4; it can't be built on more than one thread.
const CACHE_BUILD: Duration = Duration::from_millis(500);
/// How long one thread of an AMD Zen 4 takes to build a dataset.
const DATASET_BUILD: Duration = Duration::from_secs(8);

/// Returns what a cache holds and takes.
pub(super) fn cache_resource() -> Resource {
    Resource { key: CACHE.to_owned(), bytes: CACHE_BYTES, build: CACHE_BUILD }
}

/// Returns what the datasets of so many NUMA nodes hold and take.
pub(super) fn dataset_resource(nodes: usize) -> Resource {
    let threads = u32::try_from(affinity::parallelism()).unwrap_or(1);
    let bytes = DATASET_BYTES * nodes.max(1) as u64;
    Resource { key: DATASET.to_owned(), bytes, build: DATASET_BUILD / threads.max(1) }
}

/// Something that was built, with the time that its phases took.
#[derive(Debug)]
pub(super) struct Built<T> {
    pub(super) value: Arc<T>,
    phases: Vec<(&'static str, Duration)>,
}

impl<T> Built<T> {
    pub(super) fn part(&self, name: &str) -> SetupPart {
        let phases = self.phases.iter().map(|&(phase, took)| (phase.to_owned(), took)).collect();
        SetupPart { name: name.to_owned(), phases }
    }
}

/// The datasets: one, or a copy for each NUMA node, with the node's processors.
#[derive(Debug)]
pub(super) struct Datasets(Vec<(Vec<usize>, Arc<Dataset>)>);

impl Datasets {
    /// Returns the dataset that is nearest to a processor.
    pub(super) fn near(&self, processor: Option<usize>) -> &Arc<Dataset> {
        let is_near = |(processors, _): &&(Vec<usize>, _)| processor.is_some_and(|one| processors.contains(&one));
        let (_, dataset) = self.0.iter().find(is_near).unwrap_or(&self.0[0]);
        dataset
    }

    /// Returns all of them.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &Arc<Dataset>> {
        self.0.iter().map(|(_, dataset)| dataset)
    }
}

/// Who builds, and for whom.
pub(super) struct Builder<'a> {
    pub(super) id: EngineId,
    pub(super) preparation: &'a Preparation<'a>,
    pub(super) topology: &'a Topology,
}

impl Builder<'_> {
    /// Returns the cache, which is built where nobody holds it.
    pub(super) fn cache(&self) -> Result<Arc<Built<Cache>>, EngineError> {
        self.preparation.pool.get_or_build(&self.key(CACHE), || {
            self.check_memory(cache_resource())?;
            self.preparation.progress.begin("RandomX cache", None);
            let started = Instant::now();
            let cache = Cache::build(self.preparation.key, &|| self.proceed());
            self.preparation.progress.end();
            let value = Arc::new(cache.map_err(|fault| self.interrupted(fault))?);
            Ok(Built { value, phases: vec![("cache", started.elapsed())] })
        })
    }

    /// Returns the datasets, which are built where nobody holds them.
    pub(super) fn datasets(&self, cache: &Cache) -> Result<Arc<Built<Datasets>>, EngineError> {
        self.preparation.pool.get_or_build(&self.key(DATASET), || {
            self.check_memory(dataset_resource(1))?;
            let started = Instant::now();
            let dataset = Arc::new(self.dataset(cache)?);
            let mut phases = vec![("dataset", started.elapsed())];
            let nodes = self.topology.nodes();
            // One more than there are nodes, because the first lies anywhere.
            let copies = if nodes.len() > 1 { dataset_resource(nodes.len()) } else { dataset_resource(0) };
            if nodes.len() < 2 || self.check_memory(copies).is_err() {
                let everywhere = nodes.into_iter().flatten().collect();
                return Ok(Built { value: Arc::new(Datasets(vec![(everywhere, dataset)])), phases });
            }
            let started = Instant::now();
            let copies: Result<Vec<_>, _> = nodes.into_iter().map(|node| self.copy(&dataset, node)).collect();
            phases.push(("copies", started.elapsed()));
            Ok(Built { value: Arc::new(Datasets(copies?)), phases })
        })
    }

    fn dataset(&self, cache: &Cache) -> Result<Dataset, EngineError> {
        self.preparation.progress.begin("RandomX dataset", Some(DATASET_BYTES));
        // Threads finish out of order, and progress is told by one at a time.
        let done = Mutex::new(0);
        let observe = |items: usize| {
            self.proceed()?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            if items > *done {
                *done = items;
                self.preparation.progress.set(DATASET_BYTES.min(64 * items as u64));
            }
            ControlFlow::Continue(())
        };
        let dataset = Dataset::new(cache, affinity::parallelism(), &observe);
        self.preparation.progress.end();
        dataset.map_err(|fault| self.interrupted(fault))
    }

    /// Copies a dataset into the memory of a node, from a thread that runs there.
    fn copy(&self, dataset: &Dataset, node: Vec<usize>) -> Result<(Vec<usize>, Arc<Dataset>), EngineError> {
        let copied = thread::scope(|scope| {
            let work = || {
                affinity::pin(&node);
                dataset.copy(&|_| self.proceed())
            };
            scope.spawn(work).join()
        });
        let reason = "the thread that copies the dataset panicked".to_owned();
        let copied = copied.map_err(|_| EngineError::Failed { id: self.id.clone(), reason })?;
        Ok((node, Arc::new(copied.map_err(|fault| self.interrupted(fault))?)))
    }

    fn key(&self, name: &str) -> String {
        format!("{name} for key {}", const_hex::encode(self.preparation.key))
    }

    /// Breaks off when an early end was asked for.
    fn proceed(&self) -> ControlFlow<()> {
        if self.preparation.cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Looks at the memory again, now that it counts: other engines may have taken some since the list was made.
    pub(super) fn check_memory(&self, resource: Resource) -> Result<(), EngineError> {
        let fault = memory_fault(&[resource], &Room::now(&Sysroot::default()));
        fault.map_or(Ok(()), |unavailable| Err(EngineError::Unavailable { id: self.id.clone(), unavailable }))
    }

    fn interrupted(&self, fault: Interrupted) -> EngineError {
        match fault {
            Interrupted::Cancelled => EngineError::Cancelled,
            Interrupted::OutOfMemory(fault) => {
                EngineError::Unavailable { id: self.id.clone(), unavailable: without_memory(&fault) }
            }
        }
    }
}

/// Says what to do where the system gives no memory.
pub(super) fn without_memory(fault: &OutOfMemory) -> Unavailable {
    let hint = "end other programs, or raise the memory limit of this one";
    Unavailable { reason: fault.to_string(), hint: hint.to_owned() }
}
