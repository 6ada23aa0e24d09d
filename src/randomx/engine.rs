//! This program's own engines: version 1 and 2, compiled or interpreted, in fast and in light mode.
//!
//! Cache and dataset are the same for both versions and all ways of execution, so all of these engines share them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::calibration::Interleaving;
use super::footprint::{NEED, Room, memory_fault, scratchpads_resource};
use super::scan::{NonceHasher, Scan};
use super::shared::{Builder, Built, CACHE, DATASET, Datasets, cache_resource, dataset_resource, without_memory};
use super::{
    ALGORITHM_V1, ALGORITHM_V2, Cache, Execution, Items, JitUnavailable, Machine, MachineError, Version, commitment,
    jit,
};
use crate::cpu::topology::Topology;
use crate::cpu::{affinity, workers};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hash, Hit, HitFilter, MakeEngine, Preparation, Resource, SetupPart, Sink,
    Span, Work,
};
use crate::pages::MemoryPart;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

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

    /// Names what is held on `threads` threads, the cache first.
    fn resources(self, nodes: usize, threads: usize) -> Vec<Resource> {
        let mut resources = vec![cache_resource()];
        resources.extend(self.is_fast.then(|| dataset_resource(nodes)));
        resources.push(self.scratchpads(threads));
        resources
    }

    /// Names the scratchpads, as many as there can be on `threads` threads.
    fn scratchpads(self, threads: usize) -> Resource {
        scratchpads_resource(threads, Interleaving::hashes_max(self.execution, self.is_fast))
    }

    /// Tells why this engine can't run here, if it can't. A dataset for each node is welcome, and one has to suffice.
    fn fault(self, room: &Room, threads: usize) -> Option<Unavailable> {
        if self.execution == Execution::Compiled
            && let Err(fault) = jit::check(self.version)
        {
            return Some(without_jit(&fault));
        }
        memory_fault(&self.resources(1, threads), room)
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
    let room = Room::now(sysroot);
    let topology = Arc::new(Topology::read(sysroot, &affinity::allowed()));
    // As many threads as there are where nobody says otherwise; an engine that is made looks again.
    let (nodes, threads) = (topology.nodes().len(), topology.place(NEED).threads);
    let executions = [Execution::Compiled, Execution::Interpreted];
    let kinds =
        executions.into_iter().flat_map(|execution| [true, false].map(|is_fast| Kind { version, execution, is_fast }));
    kinds
        .map(|kind| {
            let topology = Arc::clone(&topology);
            let make: Box<MakeEngine> =
                Box::new(move |preparation| Ok(Box::new(Own::make(kind, preparation, &topology)?)));
            let available = Available { resources: kind.resources(nodes, threads), make };
            (kind.id(), kind.fault(&room, threads).map_or(Ok(available), Err))
        })
        .collect()
}

fn without_jit(fault: &JitUnavailable) -> Unavailable {
    let hint = "the engines named interpreter run anywhere; where a hardened system forbids code that was just \
                written, allow it for this program (SELinux: execmem)";
    Unavailable { reason: fault.to_string(), hint: hint.to_owned() }
}

/// Where the items of the dataset come from.
enum Source {
    /// Light mode: each is computed when it is read.
    Cache(Arc<Built<Cache>>),
    /// Fast mode: all lie in memory, near each processor.
    Datasets(Arc<Built<Datasets>>),
}

impl Source {
    /// Returns the items for a thread on a processor.
    fn items(&self, processor: Option<usize>) -> Items {
        match self {
            Self::Cache(cache) => Items::Computed(Arc::clone(&cache.value)),
            Self::Datasets(datasets) => Items::Stored(Arc::clone(datasets.value.near(processor))),
        }
    }

    fn memory(&self) -> Vec<MemoryPart> {
        match self {
            Self::Cache(cache) => vec![cache.value.memory(CACHE)],
            Self::Datasets(datasets) if datasets.value.all().len() == 1 => {
                datasets.value.all().map(|dataset| dataset.memory(DATASET)).collect()
            }
            Self::Datasets(datasets) => {
                let name = |number| format!("{DATASET} of NUMA node {number}");
                (0..).zip(datasets.value.all()).map(|(number, dataset)| dataset.memory(&name(number))).collect()
            }
        }
    }
}

/// The engine, of any kind.
struct Own {
    id: EngineId,
    kind: Kind,
    key: Vec<u8>,
    threads: usize,
    /// Where threads run, the first on the first.
    processors: Vec<usize>,
    source: Source,
    interleaving: Interleaving,
    commits: bool,
    /// For single hashes.
    machine: Machine,
    parts: Vec<SetupPart>,
    /// Those of the last run, added up.
    scratchpads: Mutex<Option<MemoryPart>>,
    cache: Arc<Built<Cache>>,
}

impl Own {
    fn make(kind: Kind, preparation: &Preparation<'_>, topology: &Topology) -> Result<Self, EngineError> {
        let builder = Builder { id: kind.id(), preparation, topology };
        let cache = builder.cache()?;
        let mut parts = vec![cache.part(CACHE)];
        let source = if kind.is_fast {
            let datasets = builder.datasets(&cache.value)?;
            parts.push(datasets.part(DATASET));
            Source::Datasets(datasets)
        } else {
            Source::Cache(Arc::clone(&cache))
        };
        let threads = preparation.threads;
        let items = source.items(None);
        builder.check_memory(kind.scratchpads(threads))?;
        let interleaving = Interleaving::calibrate(kind.version, &items, kind.execution, threads);
        let interleaving = interleaving.map_err(|fault| kind.without_machine(fault))?;
        Ok(Self {
            id: kind.id(),
            machine: machine_of(kind, &items, Interleaving::NONE)?,
            interleaving,
            kind,
            key: preparation.key.to_vec(),
            threads,
            processors: topology.place(NEED).processors,
            source,
            commits: false,
            parts,
            scratchpads: Mutex::new(None),
            cache,
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

    fn settings(&self) -> BTreeMap<String, String> {
        let Interleaving { hashes, fetched_together } = self.interleaving;
        let numbers = [("hashes_in_flight", hashes), ("fetched_together", fetched_together)];
        let mut settings: BTreeMap<_, _> =
            numbers.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
        // The interpreter in light mode computes one item at a time, by other means.
        if self.kind.is_fast || self.kind.execution == Execution::Compiled {
            let code = self.cache.value.kernel_name();
            settings.extend(code.map(|code| ("items_code".to_owned(), code.to_owned())));
        }
        settings
    }

    fn memory(&self) -> Vec<MemoryPart> {
        let mut memory = self.source.memory();
        memory.extend(self.scratchpads.lock().unwrap_or_else(PoisonError::into_inner).clone());
        memory
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let (id, key, scratchpads) = (&self.id, &self.key, &self.scratchpads);
        *scratchpads.lock().unwrap_or_else(PoisonError::into_inner) = None;
        workers::run_on(id, &self.processors, self.threads, work, sink, |number| {
            let processor = self.processors.get(number % self.processors.len().max(1)).copied();
            let machine = machine_of(self.kind, &self.source.items(processor), self.interleaving)?;
            Ok(Scan { id, key, filter, commits: self.commits, hasher: Counted { machine, scratchpads } })
        })
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        let hash = self.machine.hash(input);
        Ok(if self.commits { commitment(input, &hash) } else { hash })
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        self.commits = true;
        Ok(())
    }
}

/// A machine that adds its scratchpad to those of the run when its thread ends.
struct Counted<'a> {
    machine: Machine,
    scratchpads: &'a Mutex<Option<MemoryPart>>,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let own = self.machine.memory("scratchpads");
        match &mut *self.scratchpads.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(sum) => sum.add(&own),
            none => *none = Some(own),
        }
    }
}

impl NonceHasher for Counted<'_> {
    fn hashes_at_once(&self) -> u64 {
        self.machine.hashes_at_once()
    }

    fn hash_nonces(&mut self, span: &Span, take: &mut dyn FnMut(u32, &Hash)) {
        self.machine.hash_nonces(span, take);
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
