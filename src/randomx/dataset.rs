//! The dataset: 34,078,719 items that are computed from the cache once, where there are 2.1 GB of memory for them
//! (specification, section 7).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{ops, thread};

use super::cache::Cache;
use super::configuration::DATASET_ITEMS;
use super::lanes::{Kernel, LANES};
use super::memory::{Line, Lines, OutOfMemory, prefetch};
use crate::pages::MemoryPart;

/// How many items a thread takes at a time: about 10 ms of work.
const RANGE_ITEMS: usize = 256 * LANES;

/// How many items are copied at a time.
const COPIED_ITEMS: usize = 1 << 18;

/// All items of the dataset.
#[derive(Debug)]
pub struct Dataset {
    items: Lines,
}

/// Why there is no dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// There is no memory for it.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The observer asked for an early end.
    #[error("the dataset was given up before it was complete")]
    Cancelled,
}

impl Dataset {
    /// Computes all items on `threads` threads. `observe` is told the number of items done, from time to time and from
    /// any of the threads, and can break off.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or `observe` broke off.
    pub fn new(
        cache: &Cache,
        threads: usize,
        observe: &(dyn Fn(usize) -> ops::ControlFlow<()> + Sync),
    ) -> Result<Self, Interrupted> {
        let mut items = Lines::zeroed(DATASET_ITEMS)?;
        fill(cache, cache.kernel(threads), 0, &mut items, threads, observe)?;
        Ok(Self { items })
    }

    /// Copies all items to memory that the calling thread touches first, which puts it on that thread's NUMA node.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or `observe`, which is told the number of items done, broke off.
    pub fn copy(&self, observe: &dyn Fn(usize) -> ops::ControlFlow<()>) -> Result<Self, Interrupted> {
        let mut items = Lines::zeroed(DATASET_ITEMS)?;
        let ranges = items.chunks_mut(COPIED_ITEMS).zip(self.items.chunks(COPIED_ITEMS));
        for (number, (to, from)) in ranges.enumerate() {
            to.copy_from_slice(from);
            if observe(number * COPIED_ITEMS + to.len()).is_break() {
                return Err(Interrupted::Cancelled);
            }
        }
        Ok(Self { items })
    }

    /// Names this memory, with the pages that it lies on.
    pub(super) fn memory(&self, name: &str) -> MemoryPart {
        self.items.part(name)
    }

    /// Returns a dataset of zeros, which takes no memory until it is written.
    #[cfg(test)]
    pub(super) fn zeroed() -> Result<Self, OutOfMemory> {
        Ok(Self { items: Lines::zeroed(DATASET_ITEMS)? })
    }

    /// Returns an item.
    pub(super) fn item(&self, index: u32) -> &Line {
        &self.items()[index as usize]
    }

    /// Returns all items.
    pub(super) fn items(&self) -> &[Line] {
        &self.items
    }
}

/// Computes as many items as `items` holds, the first of which is number `first`.
fn fill(
    cache: &Cache,
    kernel: &Kernel,
    first: usize,
    items: &mut [Line],
    threads: usize,
    observe: &(dyn Fn(usize) -> ops::ControlFlow<()> + Sync),
) -> Result<(), Interrupted> {
    let ranges = Mutex::new((0, items.chunks_mut(RANGE_ITEMS)));
    let cancelled = AtomicBool::new(false);
    let work = || {
        while !cancelled.load(Ordering::Relaxed) {
            let (start, range) = {
                let mut ranges = ranges.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(range) = ranges.1.next() else { return };
                let start = ranges.0;
                ranges.0 += range.len();
                (start, range)
            };
            fill_range(cache, kernel, first + start, range);
            if observe(start + range.len()).is_break() {
                cancelled.store(true, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    if cancelled.into_inner() { Err(Interrupted::Cancelled) } else { Ok(()) }
}

/// Computes the items of `range`, the first of which is number `first`.
#[expect(clippy::cast_possible_truncation, reason = "items are numbered in 32 bits")]
fn fill_range(cache: &Cache, kernel: &Kernel, first: usize, range: &mut [Line]) {
    let indices = |start: usize| -> [u32; LANES] { std::array::from_fn(|lane| (first + start + lane) as u32) };
    let (groups, rest) = range.as_chunks_mut::<LANES>();
    for (group, items) in groups.iter_mut().enumerate() {
        kernel.compute(cache, indices(LANES * group), items);
    }
    if !rest.is_empty() {
        // The last few are computed along with some that lie beyond the end.
        let mut items = [Line::default(); LANES];
        kernel.compute(cache, indices(LANES * groups.len()), &mut items);
        rest.copy_from_slice(&items[..rest.len()]);
    }
}

/// Where a machine gets the items of the dataset from.
#[derive(Debug, Clone)]
pub enum Items {
    /// Light mode: each is computed when it is read.
    Computed(Arc<Cache>),
    /// Fast mode: all lie in memory.
    Stored(Arc<Dataset>),
}

impl Items {
    /// Returns an item.
    pub(super) fn item(&self, index: u32) -> Line {
        match self {
            Self::Computed(cache) => cache.item(index),
            Self::Stored(dataset) => *dataset.item(index),
        }
    }

    /// Says that an item will be read soon.
    pub(super) fn prefetch(&self, index: u32) {
        match self {
            Self::Computed(_) => {}
            Self::Stored(dataset) => prefetch(dataset.item(index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::randomx::cache::tests::test_key_000;

    /// All ways to compute items fill ranges of any length with what the portable way computes, from the first item to
    /// the last.
    #[test]
    fn ranges_are_filled_to_their_very_end_by_all_kernels() {
        let cache = test_key_000();
        for kernel in Kernel::all(&cache) {
            for (first, length, threads) in [
                (0, LANES + 1, 1),
                (0, 1, 1),
                (10_000_000 - 3, 2 * LANES - 1, 2),
                (DATASET_ITEMS - 1, 1, 1),
                (DATASET_ITEMS - LANES, LANES, 1),
                (DATASET_ITEMS - RANGE_ITEMS - 5, RANGE_ITEMS + 5, 1),
                (DATASET_ITEMS - RANGE_ITEMS - 5, RANGE_ITEMS + 5, 3),
            ] {
                let mut items = vec![Line::default(); length];
                let done = AtomicUsize::new(0);
                let observe = |items| {
                    done.fetch_max(items, Ordering::Relaxed);
                    ControlFlow::Continue(())
                };
                fill(&cache, &kernel, first, &mut items, threads, &observe).unwrap();
                assert_eq!(done.into_inner(), length);
                let ends = (0..length.min(2 * LANES)).chain(length.saturating_sub(2 * LANES)..length);
                let inner = [RANGE_ITEMS / 2 + 7, RANGE_ITEMS - 1, RANGE_ITEMS, RANGE_ITEMS + 1];
                for offset in ends.chain(inner.into_iter().filter(|&offset| offset < length)) {
                    let index = u32::try_from(first + offset).unwrap();
                    let name = kernel.name;
                    assert_eq!(items[offset], cache.item(index), "{name}: item {index} of {length} from {first}");
                }
            }
        }
    }

    #[test]
    fn an_observer_can_break_off() {
        let cache = test_key_000();
        let mut items = vec![Line::default(); 4 * RANGE_ITEMS];
        let stopped = fill(&cache, cache.kernel(1), 0, &mut items, 1, &|_| ControlFlow::Break(()));
        assert_eq!(stopped, Err(Interrupted::Cancelled));
        assert_eq!(items[RANGE_ITEMS], Line::default());
    }
}
