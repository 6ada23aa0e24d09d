//! This program's own engines: version 1 and 2, compiled or interpreted, in fast and in light mode.
//!
//! Cache and dataset are the same for both versions and all ways of execution, so all of these engines share them.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calibration::Interleaving;
use super::footprint::{CACHE_BYTES, DATASET_BYTES, MACHINE_BYTES, memory_fault};
use super::scan::{NonceHasher, Scan};
use super::{
    ALGORITHM_V1, ALGORITHM_V2, Cache, Dataset, Execution, Interrupted, Items, JitUnavailable, Machine, MachineError,
    OutOfMemory, Version, jit,
};
use crate::cpu::workers;
use crate::cpu::{affinity, memory};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hash, Hit, HitFilter, MakeEngine, Preparation, Resource, SetupPart, Sink,
    Span, Work,
};
use crate::machine;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

const CACHE: &str = "randomx cache";
const DATASET: &str = "randomx dataset";
/// How long a cache takes on an AMD Zen 4; it can't be built on more than one thread.
const CACHE_BUILD: Duration = Duration::from_millis(500);
/// How long one thread of an AMD Zen 4 takes to build a dataset.
const DATASET_BUILD: Duration = Duration::from_secs(8);

/// Which of the engines.
#[derive(Debug, Clone, Copy)]
struct Kind {
    version: Version,
    execution: Execution,
    /// Fast mode reads items from the dataset; light mode computes each when it is needed.
    is_fast: bool,
}

impl Kind {
    fn id(self) -> EngineId {
        let algorithm = match self.version {
            Version::V1 => ALGORITHM_V1,
            Version::V2 => ALGORITHM_V2,
        };
        let engine = match (self.execution, self.is_fast) {
            (Execution::Compiled, true) => "jit+fast",
            (Execution::Compiled, false) => "jit+light",
            (Execution::Interpreted, true) => "interpreter+fast",
            (Execution::Interpreted, false) => "interpreter+light",
        };
        EngineId::new(algorithm, "cpu", engine)
    }

    /// Names what is shared, the cache first.
    fn resources(self) -> Vec<Resource> {
        let cache = Resource { key: CACHE.to_owned(), bytes: CACHE_BYTES, build: CACHE_BUILD };
        let threads = u32::try_from(affinity::parallelism()).unwrap_or(1);
        let dataset = Resource { key: DATASET.to_owned(), bytes: DATASET_BYTES, build: DATASET_BUILD / threads.max(1) };
        if self.is_fast { vec![cache, dataset] } else { vec![cache] }
    }

    /// Tells why this engine can't run here, if it can't.
    fn fault(self, available_bytes: Option<u64>) -> Option<Unavailable> {
        if self.execution == Execution::Compiled
            && let Err(fault) = jit::check(self.version)
        {
            return Some(without_jit(&fault));
        }
        memory_fault(&self.resources(), available_bytes)
    }

    fn failed(self, reason: String) -> EngineError {
        EngineError::Failed { id: self.id(), reason }
    }

    fn without_machine(self, fault: MachineError) -> EngineError {
        match fault {
            MachineError::OutOfMemory(fault) => self.unavailable(without_memory(&fault)),
            MachineError::JitUnavailable(fault) => self.unavailable(without_jit(&fault)),
        }
    }

    fn unavailable(self, unavailable: Unavailable) -> EngineError {
        EngineError::Unavailable { id: self.id(), unavailable }
    }
}

/// Returns the engines of a version by id, with what it takes to make each.
pub(super) fn engines(version: Version, sysroot: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
    let available_bytes = machine::available_memory_bytes(sysroot);
    let executions = [Execution::Compiled, Execution::Interpreted];
    let kinds =
        executions.into_iter().flat_map(|execution| [true, false].map(|is_fast| Kind { version, execution, is_fast }));
    kinds
        .map(|kind| {
            let make: Box<MakeEngine> = Box::new(move |preparation| Ok(Box::new(Own::make(kind, preparation)?)));
            let available = Available { resources: kind.resources(), make };
            (kind.id(), kind.fault(available_bytes).map_or(Ok(available), Err))
        })
        .collect()
}

fn without_jit(fault: &JitUnavailable) -> Unavailable {
    let hint = "the engines named interpreter run anywhere; where a hardened system forbids code that was just \
                written, allow it for this program (SELinux: execmem)";
    Unavailable { reason: fault.to_string(), hint: hint.to_owned() }
}

fn without_memory(fault: &OutOfMemory) -> Unavailable {
    let hint = "end other programs, or raise the memory limit of this one";
    Unavailable { reason: fault.to_string(), hint: hint.to_owned() }
}

/// Something that was built, with the time that it took.
struct Built<T> {
    value: Arc<T>,
    took: Duration,
}

impl<T> Built<T> {
    fn part(&self, name: &str, phase: &str) -> SetupPart {
        SetupPart { name: name.to_owned(), phases: vec![(phase.to_owned(), self.took)] }
    }
}

/// Looks at the memory again, now that it counts: other engines may have taken some since the list was made.
fn check_memory(kind: Kind, name: &str) -> Result<(), EngineError> {
    let built_now: Vec<Resource> = kind.resources().into_iter().filter(|resource| resource.key == name).collect();
    let fault = memory_fault(&built_now, machine::available_memory_bytes(&Sysroot::default()));
    fault.map_or(Ok(()), |fault| Err(kind.unavailable(fault)))
}

fn key_text(name: &str, key: &[u8]) -> String {
    format!("{name} for key {}", const_hex::encode(key))
}

fn cache(kind: Kind, preparation: &Preparation<'_>) -> Result<Arc<Built<Cache>>, EngineError> {
    preparation.pool.get_or_build(&key_text(CACHE, preparation.key), || {
        check_memory(kind, CACHE)?;
        preparation.progress.begin("RandomX cache", None);
        let started = Instant::now();
        let cache = Cache::new(preparation.key);
        preparation.progress.end();
        let value = Arc::new(cache.map_err(|fault| kind.unavailable(without_memory(&fault)))?);
        if preparation.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        Ok(Built { value, took: started.elapsed() })
    })
}

fn dataset(kind: Kind, preparation: &Preparation<'_>, cache: &Cache) -> Result<Arc<Built<Dataset>>, EngineError> {
    preparation.pool.get_or_build(&key_text(DATASET, preparation.key), || {
        check_memory(kind, DATASET)?;
        preparation.progress.begin("RandomX dataset", Some(DATASET_BYTES));
        let started = Instant::now();
        // Threads finish out of order, and progress is told by one at a time.
        let done = Mutex::new(0);
        let observe = |items: usize| {
            if preparation.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            if items > *done {
                *done = items;
                preparation.progress.set(DATASET_BYTES.min(64 * items as u64));
            }
            ControlFlow::Continue(())
        };
        let dataset = Dataset::new(cache, affinity::parallelism(), &observe);
        preparation.progress.end();
        match dataset {
            Ok(dataset) => Ok(Built { value: Arc::new(dataset), took: started.elapsed() }),
            Err(Interrupted::Cancelled) => Err(EngineError::Cancelled),
            Err(Interrupted::OutOfMemory(fault)) => Err(kind.unavailable(without_memory(&fault))),
        }
    })
}

/// The engine, of any kind.
struct Own {
    id: EngineId,
    kind: Kind,
    key: Vec<u8>,
    threads: usize,
    items: Items,
    interleaving: Interleaving,
    /// For single hashes.
    machine: Machine,
    parts: Vec<SetupPart>,
    /// Held so that the pool keeps them.
    _cache: Arc<Built<Cache>>,
    _dataset: Option<Arc<Built<Dataset>>>,
}

impl Own {
    fn make(kind: Kind, preparation: &Preparation<'_>) -> Result<Self, EngineError> {
        let cache = cache(kind, preparation)?;
        let mut parts = vec![cache.part(CACHE, "cache")];
        let dataset = if kind.is_fast { Some(dataset(kind, preparation, &cache.value)?) } else { None };
        let items = match &dataset {
            Some(dataset) => {
                parts.push(dataset.part(DATASET, "dataset"));
                Items::Stored(Arc::clone(&dataset.value))
            }
            None => Items::Computed(Arc::clone(&cache.value)),
        };
        let threads = preparation.threads;
        let interleaving = Interleaving::calibrate(kind.version, &items, kind.execution, threads);
        let interleaving = interleaving.map_err(|fault| kind.without_machine(fault))?;
        if !memory::can_reserve((threads * interleaving.hashes + 1) as u64 * MACHINE_BYTES) {
            return Err(kind.failed(format!("no memory for the scratchpads of {threads} threads")));
        }
        Ok(Self {
            id: kind.id(),
            machine: machine_of(kind, &items, Interleaving::NONE)?,
            interleaving,
            kind,
            key: preparation.key.to_vec(),
            threads,
            items,
            parts,
            _cache: cache,
            _dataset: dataset,
        })
    }
}

fn machine_of(kind: Kind, items: &Items, interleaving: Interleaving) -> Result<Machine, EngineError> {
    Machine::with_interleaving(kind.version, items.clone(), kind.execution, interleaving)
        .map_err(|fault| kind.without_machine(fault))
}

impl Engine for Own {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn setup(&self) -> Vec<SetupPart> {
        self.parts.clone()
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let (id, key) = (&self.id, &self.key);
        workers::run(id, self.threads, work, sink, |_| {
            Ok(Scan { id, key, filter, hasher: machine_of(self.kind, &self.items, self.interleaving)? })
        })
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        Ok(self.machine.hash(input))
    }
}

impl NonceHasher for Machine {
    fn hashes_at_once(&self) -> u64 {
        self.interleaving().hashes as u64
    }

    fn hash_nonces(&mut self, span: &Span, take: &mut dyn FnMut(u32, &Hash)) {
        let inputs = span.nonces_u32().map(|nonce| span.job.input(Hit::of_nonce(nonce)));
        let mut nonces = span.nonces_u32();
        self.hash_each(inputs, |hash| take(nonces.next().expect("there are as many hashes as nonces"), &hash));
    }
}
