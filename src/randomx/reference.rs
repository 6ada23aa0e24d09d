//! The C++ reference implementation, through the `rust-randomx` binding (which holds upstream's version 1.2.1).
//!
//! The binding has defects, and this file is where they are fenced off:
//!
//! - It splits the dataset's items evenly over `available_parallelism()` threads and drops the remainder: with two
//!   threads the last item is never written. So the dataset is built from a thread that may run on just so many
//!   processors that their number divides the number of items ([`limit_threads`]).
//! - It doesn't check allocations. So memory is looked at first ([`memory_fault`]), for reserving as well.
//! - `hash_first`, `hash_next` and `hash_last` leave the rounding mode altered. So they run on threads of their own,
//!   inside [`floating_point::preserving`].
//! - A `Hasher` says that threads may share it, which they must not. Each belongs to one engine or worker here.
//! - `Hasher::update` keeps a dangling pointer across modes. It isn't used.
//!
//! It also can't use huge pages, which costs a third of the speed.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rust_randomx::{Context, Hasher};

use super::footprint::{self, CACHE_BYTES, DATASET_BYTES, NEED, Room, scratchpads_resource};
use super::scan::{NonceHasher, Scan};
use super::{ALGORITHM_V1, DATASET_ITEMS, commitment, dataset_threads};
use crate::cpu::topology::{Placement, Topology};
use crate::cpu::{affinity, floating_point, memory, workers};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hash, HitFilter, MakeEngine, Preparation, Resource, SetupPart, Sink,
    Span, Work,
};
use crate::machine;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// How long one thread of an AMD Zen 5 takes to build a dataset: 45 to 54 s were seen.
const DATASET_BUILD: Duration = Duration::from_secs(50);

/// Fast mode reads items from the dataset; light mode computes each when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fast,
    Light,
}

impl Mode {
    fn id(self) -> EngineId {
        let engine = match self {
            Self::Fast => "reference+fast",
            Self::Light => "reference+light",
        };
        EngineId::new(ALGORITHM_V1, "cpu", engine)
    }

    /// Names what engines of this mode share, the cache first.
    fn resources(self) -> Vec<Resource> {
        let key = format!("{ALGORITHM_V1} cache (reference)");
        let cache = Resource { key, bytes: CACHE_BYTES, build: Duration::from_millis(500) };
        // The binding builds a second cache beside the first while it initialises the dataset.
        let dataset = Resource {
            key: format!("{ALGORITHM_V1} dataset (reference)"),
            bytes: DATASET_BYTES + CACHE_BYTES,
            build: DATASET_BUILD / u32::try_from(dataset_threads(affinity::parallelism())).unwrap_or(1),
        };
        match self {
            Self::Fast => vec![cache, dataset],
            Self::Light => vec![cache],
        }
    }
}

/// Returns both engines by id, with what it takes to make each.
pub(super) fn engines(sysroot: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
    let available_bytes = machine::available_memory_bytes(sysroot);
    let Placement { processors, threads, .. } = Topology::read(sysroot, &affinity::allowed()).place(NEED);
    [Mode::Fast, Mode::Light]
        .map(|mode| {
            let processors = processors.clone();
            let make: Box<MakeEngine> =
                Box::new(move |preparation| Ok(Box::new(Reference::make(mode, preparation, processors.clone())?)));
            let mut resources = mode.resources();
            resources.push(scratchpads_resource(threads, 1));
            let fault = memory_fault(&resources, available_bytes);
            (mode.id(), fault.map_or(Ok(Available { resources, make }), Err))
        })
        .into()
}

/// Tells why the reference can't run in the memory that there is, if it can't.
fn memory_fault(resources: &[Resource], available_bytes: Option<u64>) -> Option<Unavailable> {
    let fault = footprint::memory_fault(resources, &Room::on_ordinary_pages(available_bytes));
    if fault.is_some() {
        return fault;
    }
    (!memory::can_execute_written()).then(|| Unavailable {
        reason: "this system forbids running code that was just written, and the reference needs that".to_owned(),
        hint: "allow it for this program (SELinux: execmem)".to_owned(),
    })
}

/// A cache or a dataset of the binding, with the time that it took.
struct Built {
    context: Arc<Context>,
    took: Duration,
}

fn key_text(kind: &str, key: &[u8]) -> String {
    format!("{ALGORITHM_V1} {kind} (reference) for key {}", const_hex::encode(key))
}

fn cache(preparation: &Preparation<'_>) -> Result<Arc<Built>, EngineError> {
    let key = preparation.key;
    preparation.pool.get_or_build(&key_text("cache", key), || build(Mode::Light, "RandomX cache", preparation))
}

fn dataset(preparation: &Preparation<'_>) -> Result<Arc<Built>, EngineError> {
    let key = preparation.key;
    preparation.pool.get_or_build(&key_text("dataset", key), || build(Mode::Fast, "RandomX dataset", preparation))
}

/// Builds on a thread of its own, because of its affinity, and so that an interrupt needn't wait for it.
fn build(mode: Mode, phase: &str, preparation: &Preparation<'_>) -> Result<Built, EngineError> {
    let failed = |reason: String| EngineError::Failed { id: mode.id(), reason };
    // Again, now that it counts: other engines may have taken memory since the list was made. Of what the mode needs
    // the last is built now.
    let built_now = &mode.resources()[mode.resources().len() - 1..];
    if let Some(unavailable) = memory_fault(built_now, machine::available_memory_bytes(&Sysroot::default())) {
        return Err(EngineError::Unavailable { id: mode.id(), unavailable });
    }
    let started = Instant::now();
    let key = preparation.key.to_vec();
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let context = match mode {
            Mode::Light => Ok(Context::new(&key, false)),
            Mode::Fast => limit_threads().map(|_| Context::new(&key, true)),
        };
        // Nobody listens any more only after an interrupt.
        let _ = sender.send(context);
    };
    thread::Builder::new().name(phase.to_owned()).spawn(work).map_err(|error| failed(error.to_string()))?;
    // The binding doesn't tell how far it is, but the memory that it has written does.
    let resident_before = memory::resident_bytes();
    let total = if mode == Mode::Fast { DATASET_BYTES + CACHE_BYTES } else { CACHE_BYTES };
    preparation.progress.begin(phase, resident_before.map(|_| total));
    let context = loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(context) => break context.map_err(failed),
            Err(RecvTimeoutError::Timeout) if preparation.cancel.is_cancelled() => break Err(EngineError::Cancelled),
            Err(RecvTimeoutError::Timeout) => {
                if let (Some(before), Some(now)) = (resident_before, memory::resident_bytes()) {
                    preparation.progress.set(now.saturating_sub(before).min(total));
                }
            }
            Err(RecvTimeoutError::Disconnected) => break Err(failed("the thread that builds it panicked".to_owned())),
        }
    };
    preparation.progress.end();
    Ok(Built { context: Arc::new(context?), took: started.elapsed() })
}

/// Limits the calling thread to so many processors that their number divides [`DATASET_ITEMS`], as many as there are,
/// and returns that number.
fn limit_threads() -> Result<usize, String> {
    let divides = |threads: usize| DATASET_ITEMS.is_multiple_of(threads);
    if divides(affinity::parallelism()) {
        return Ok(affinity::parallelism());
    }
    let allowed = affinity::allowed();
    for threads in (1..=allowed.len()).rev().filter(|&threads| divides(threads)) {
        // A quota of processor time can make the parallelism smaller still than the affinity.
        if affinity::pin(&allowed[..threads]) && divides(affinity::parallelism()) {
            return Ok(affinity::parallelism());
        }
    }
    Err(format!(
        "the binding would leave the last items of the dataset uninitialised on {} processors, and this system doesn't \
         let a thread be limited to fewer",
        affinity::parallelism()
    ))
}

/// The engine, in either mode.
struct Reference {
    id: EngineId,
    key: Vec<u8>,
    threads: usize,
    /// Where threads run, the first on the first.
    processors: Vec<usize>,
    commits: bool,
    context: Arc<Context>,
    /// For single hashes.
    hasher: Hasher,
    parts: Vec<SetupPart>,
    /// Held so that the pool keeps them.
    _built: Vec<Arc<Built>>,
}

impl Reference {
    fn make(mode: Mode, preparation: &Preparation<'_>, processors: Vec<usize>) -> Result<Self, EngineError> {
        let cache = cache(preparation)?;
        let part = |resource: &Resource, phase: &str, built: &Built| SetupPart {
            name: resource.key.clone(),
            phases: vec![(phase.to_owned(), built.took)],
        };
        let resources = mode.resources();
        let mut parts = vec![part(&resources[0], "cache", &cache)];
        let mut built = vec![cache];
        if mode == Mode::Fast {
            let dataset = dataset(preparation)?;
            parts.push(part(&resources[1], "dataset", &dataset));
            built.push(dataset);
        }
        let context = Arc::clone(&built[built.len() - 1].context);
        let threads = preparation.threads;
        let available_bytes = machine::available_memory_bytes(&Sysroot::default());
        if let Some(unavailable) = memory_fault(&[scratchpads_resource(threads, 1)], available_bytes) {
            return Err(EngineError::Unavailable { id: mode.id(), unavailable });
        }
        let hasher = Hasher::new(Arc::clone(&context));
        let key = preparation.key.to_vec();
        Ok(Self { id: mode.id(), key, threads, processors, commits: false, context, hasher, parts, _built: built })
    }
}

/// Hashes one input, with the floating-point environment restored.
fn calculate(hasher: &mut Hasher, input: &[u8]) -> Hash {
    let mut hash = [0; 32];
    floating_point::preserving(|| hash.copy_from_slice(hasher.hash(input).as_ref()));
    hash
}

impl Engine for Reference {
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
        let (id, key, context) = (&self.id, &self.key, &self.context);
        workers::run_on(id, &self.processors, self.threads, work, sink, |_| {
            Ok(Scan { id, key, filter, commits: self.commits, hasher: Hasher::new(Arc::clone(context)) })
        })
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        let hash = calculate(&mut self.hasher, input);
        Ok(if self.commits { commitment(input, &hash) } else { hash })
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        self.commits = true;
        Ok(())
    }
}

impl NonceHasher for Hasher {
    fn hashes_at_once(&self) -> u64 {
        1
    }

    fn hash_nonces(&mut self, span: &Span, take: &mut dyn FnMut(u32, &Hash)) {
        let mut take = |nonce: u32, output: &[u8]| {
            let mut hash = [0; 32];
            hash.copy_from_slice(output);
            take(nonce, &hash);
        };
        let mut input = span.job.template.clone();
        // No floating point in here: the rounding mode is altered between the calls.
        floating_point::preserving(|| {
            let mut previous = None;
            for nonce in span.nonces_u32() {
                span.job.write_nonce(&mut input, nonce);
                match previous.replace(nonce) {
                    None => self.hash_first(&input),
                    Some(previous) => take(previous, self.hash_next(&input).as_ref()),
                }
            }
            if let Some(previous) = previous {
                take(previous, self.hash_last().as_ref());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_dataset_is_built_on_a_number_of_threads_that_leaves_no_item_out() {
        assert_eq!(DATASET_ITEMS, 3 * 97 * 117_109);
        assert_eq!(DATASET_BYTES, (1 << 31) + 33_554_368);
        let (threads, parallelism) =
            thread::spawn(|| (limit_threads().unwrap(), affinity::parallelism())).join().unwrap();
        assert_eq!(threads, parallelism, "the binding will ask the same question");
        assert!(DATASET_ITEMS.is_multiple_of(threads));
    }

    #[test]
    fn too_little_memory_is_refused_with_both_figures() {
        let fault = memory_fault(&Mode::Fast.resources(), Some(2 << 30)).unwrap();
        assert_eq!(fault.reason, "it needs 2608 MiB of memory, and 2048 MiB are available");
        assert!(memory_fault(&Mode::Light.resources(), Some(2 << 30)).is_none());
        assert!(memory_fault(&Mode::Light.resources(), Some(0)).is_some());
    }
}
