//! How the hashes of one thread are interleaved: a short measurement, because the best depends on the machine.

use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::configuration::Version;
use super::dataset::Items;
use super::hash::{Execution, Machine, MachineError};
use super::jit;

/// How many hashes a thread has in flight, and how it fetches dataset items for them.
///
/// More hashes give each prefetch more time and the processor more to do at once, and take 2 MiB each from caches that
/// may be too small for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interleaving {
    /// How many hashes are under way at a time.
    pub hashes: usize,
    /// For how many of them items are prefetched together. One by one, each prefetch has the most time. But an Intel
    /// processor waits for the translation of a prefetched address, and together they are translated at the same time:
    /// in a virtual machine on pages of 4 KiB, where that takes some 300 ns, four hashes took 5.8 ms each one by one,
    /// 4.3 ms in pairs and 4.2 ms all together, and a single one 6.8 ms (a Xeon with AVX-512 FP16 on a busy host).
    pub fetched_together: usize,
}

impl Interleaving {
    /// One hash after the other.
    pub const NONE: Self = Self { hashes: 1, fetched_together: 1 };

    /// What is tried in fast mode.
    const CANDIDATES: [Self; 6] = [
        Self::NONE,
        Self { hashes: 2, fetched_together: 1 },
        Self { hashes: 2, fetched_together: 2 },
        Self { hashes: 3, fetched_together: 3 },
        Self { hashes: 4, fetched_together: 2 },
        Self { hashes: 4, fetched_together: 4 },
    ];

    /// Returns how many hashes a thread has in flight at most, whatever is found.
    #[must_use]
    pub fn hashes_max(execution: Execution, is_fast: bool) -> usize {
        match execution {
            Execution::Interpreted => Self::NONE.hashes,
            Execution::Compiled if is_fast => Self::CANDIDATES.into_iter().map(|one| one.hashes).fold(1, usize::max),
            Execution::Compiled => jit::BATCH,
        }
    }

    /// Returns what suits `threads` threads of this machine best.
    ///
    /// # Errors
    ///
    /// There is no memory for a scratchpad, or programs can't be compiled here.
    pub fn calibrate(
        version: Version,
        items: &Items,
        execution: Execution,
        threads: usize,
    ) -> Result<Self, MachineError> {
        match (execution, items) {
            (Execution::Interpreted, _) => Ok(Self::NONE),
            (Execution::Compiled, Items::Computed(cache)) => {
                Ok(Self { hashes: jit::batch(cache, threads), ..Self::NONE })
            }
            (Execution::Compiled, Items::Stored(_)) => {
                let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(&(.., found)) = known.iter().find(|(of, by, _)| (*of, *by) == (version, threads)) {
                    return Ok(found);
                }
                let mut times = [Duration::MAX; Self::CANDIDATES.len()];
                for _ in 0..ROUNDS {
                    for (best, candidate) in times.iter_mut().zip(Self::CANDIDATES) {
                        *best = (*best).min(time(version, items, threads, candidate)?);
                    }
                }
                let best = times.into_iter().zip(Self::CANDIDATES).min_by_key(|&(time, _)| time);
                let found = best.map_or(Self::NONE, |(_, candidate)| candidate);
                known.push((version, threads, found));
                Ok(found)
            }
        }
    }
}

/// What was found before, by version and number of threads: the machine is the same for the whole run.
static KNOWN: Mutex<Vec<(Version, usize, Interleaving)>> = Mutex::new(Vec::new());

/// How many hashes a thread computes for each candidate and each time: a multiple of what all have in flight.
const HASHES: usize = 12;
/// How often each is tried. The shortest time counts: a disturbance only makes one longer.
const ROUNDS: usize = 3;

/// Returns how long all threads take for their hashes.
fn time(version: Version, items: &Items, threads: usize, interleaving: Interleaving) -> Result<Duration, MachineError> {
    let machine = || Machine::with_interleaving(version, items.clone(), Execution::Compiled, interleaving);
    let machines = (0..threads).map(|_| machine()).collect::<Result<Vec<_>, _>>()?;
    let ready = Barrier::new(threads);
    let hash = |mut machine: Machine| {
        // The first hashes touch the memory.
        machine.hash_each((0..interleaving.hashes).map(usize::to_le_bytes), drop);
        ready.wait();
        let started = Instant::now();
        machine.hash_each((0..HASHES).map(usize::to_le_bytes), drop);
        started.elapsed()
    };
    Ok(thread::scope(|scope| {
        let threads: Vec<_> = machines.into_iter().map(|machine| scope.spawn(|| hash(machine))).collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap_or(Duration::MAX));
        times.max().unwrap_or(Duration::MAX)
    }))
}
