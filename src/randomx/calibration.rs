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
                let found = fastest(|candidate, hashes| time(version, items, threads, candidate, hashes))?;
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
/// How often those are tried again, with twice as many hashes, that take at most a fifth longer than the fastest. Then
/// the median counts. Without that, one of three choices on a busy host was another, with 12 % fewer hashes.
const FINAL_ROUNDS: usize = 5;

/// Returns the fastest candidate, by what `time` says of one and a number of hashes.
fn fastest<E>(mut time: impl FnMut(Interleaving, usize) -> Result<Duration, E>) -> Result<Interleaving, E> {
    let mut shortest = [Duration::MAX; Interleaving::CANDIDATES.len()];
    for _ in 0..ROUNDS {
        for (shortest, candidate) in shortest.iter_mut().zip(Interleaving::CANDIDATES) {
            *shortest = (*shortest).min(time(candidate, HASHES)?);
        }
    }
    let limit = shortest.iter().min().map_or(Duration::MAX, |shortest| shortest.mul_f64(1.2));
    let near = shortest.into_iter().zip(Interleaving::CANDIDATES).filter(|(shortest, _)| *shortest <= limit);
    let mut finalists: Vec<(Interleaving, Vec<Duration>)> = near.map(|(_, one)| (one, Vec::new())).collect();
    if finalists.len() > 1 {
        for _ in 0..FINAL_ROUNDS {
            for (candidate, times) in &mut finalists {
                times.push(time(*candidate, 2 * HASHES)?);
            }
        }
    }
    finalists.iter_mut().for_each(|(_, times)| times.sort_unstable());
    let median = |times: &[Duration]| times.get(times.len() / 2).copied();
    let best = finalists.iter().min_by_key(|(_, times)| median(times));
    Ok(best.map_or(Interleaving::NONE, |(candidate, _)| *candidate))
}

/// Returns how long all threads take for so many hashes each.
fn time(
    version: Version,
    items: &Items,
    threads: usize,
    interleaving: Interleaving,
    hashes: usize,
) -> Result<Duration, MachineError> {
    let machine = || Machine::with_interleaving(version, items.clone(), Execution::Compiled, interleaving);
    let machines = (0..threads).map(|_| machine()).collect::<Result<Vec<_>, _>>()?;
    let ready = Barrier::new(threads);
    let hash = |mut machine: Machine| {
        // The first hashes touch the memory.
        machine.hash_each((0..interleaving.hashes).map(usize::to_le_bytes), drop);
        ready.wait();
        let started = Instant::now();
        machine.hash_each((0..hashes).map(usize::to_le_bytes), drop);
        started.elapsed()
    };
    Ok(thread::scope(|scope| {
        let threads: Vec<_> = machines.into_iter().map(|machine| scope.spawn(|| hash(machine))).collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap_or(Duration::MAX));
        times.max().unwrap_or(Duration::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The fastest of candidates that take so many milliseconds for a hash, when every seventh time is disturbed.
    fn found(milliseconds: [u32; 6]) -> Interleaving {
        let mut calls = 0;
        let time = |candidate: Interleaving, hashes: usize| {
            calls += 1;
            let place = Interleaving::CANDIDATES.iter().position(|one| *one == candidate).unwrap();
            let disturbance = if calls % 7 == 0 { 3 } else { 1 };
            Ok::<_, Infallible>(Duration::from_millis(u64::from(milliseconds[place])) * hashes as u32 * disturbance)
        };
        fastest(time).unwrap()
    }

    #[test]
    fn the_fastest_is_found_among_disturbances() {
        for place in 0..6 {
            let mut milliseconds = [105; 6];
            milliseconds[place] = 100;
            assert_eq!(found(milliseconds), Interleaving::CANDIDATES[place]);
        }
        assert_eq!(found([100, 200, 200, 200, 200, 200]), Interleaving::NONE);
    }
}
