//! Computing many dataset items side by side: by code that is compiled for the cache, or by loops over instructions,
//! which are [`Cache::compute`] each time; the compiler makes vectors of their lanes.
//!
//! Which is the fastest depends on the processor: AVX2 multiplies only halves of words. Nanoseconds an item on a Xeon
//! with AVX-512 FP16: compiled to AVX-512 268, to AVX2 462, to scalar code 431; loops in AVX-512 648, in AVX2 1249,
//! portable 2286. So it is measured.

use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{hint, thread};

use super::cache::Cache;
use super::configuration::DATASET_ITEMS;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::jit::{Lanes, LanesCode};
use super::memory::Line;

/// How many items are computed at once. With 32, the dispatch of instructions takes half of the time; with 128, the
/// registers no longer fit well into the first cache (1.0, 0.54 and 0.69 us an item with AVX-512 on Zen 5).
pub(super) const LANES: usize = 64;

/// Computes [`LANES`] items.
type Compute = fn(&Cache, [u32; LANES], &mut [Line; LANES]);

/// A way to compute items, for processors that have what it takes.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) name: &'static str,
    code: Code,
}

#[derive(Debug)]
enum Code {
    /// Loops over instructions, compiled with this program.
    Loops(Compute),
    /// The programs of one cache, compiled for it.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Compiled(LanesCode),
}

impl Kernel {
    /// Returns all the ways that this processor can go for `cache`.
    pub(super) fn all(cache: &Cache) -> Vec<Self> {
        let mut kernels = vec![Self { name: "portable", code: Code::Loops(portable) }];
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        for lanes in Lanes::ALL {
            let code = LanesCode::new(cache.programs(), lanes);
            kernels.extend(code.ok().map(|code| Self { name: lanes.name(), code: Code::Compiled(code) }));
        }
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        let _ = cache;
        #[cfg(target_arch = "x86_64")]
        {
            let mut with_loops = |name, compute| kernels.push(Self { name, code: Code::Loops(compute) });
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                with_loops("avx512", x86::avx512);
            }
            if is_x86_feature_detected!("avx2") {
                with_loops("avx2", x86::avx2);
            }
        }
        kernels
    }

    /// Returns the way that is the fastest here, when `threads` threads go it at the same time. It takes some
    /// milliseconds to find.
    pub(super) fn pick(cache: &Cache, threads: usize) -> Self {
        let mut kernels = Self::all(cache);
        let ready = Barrier::new(threads);
        let measure = || -> Vec<Duration> {
            let mut times = vec![Duration::MAX; kernels.len()];
            for _ in 0..ROUNDS {
                for (best, kernel) in times.iter_mut().zip(&kernels) {
                    ready.wait();
                    *best = (*best).min(kernel.time(cache));
                }
            }
            times
        };
        let times = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(measure)).collect();
            let mut sums = measure();
            for times in others.into_iter().filter_map(|thread| thread.join().ok()) {
                sums.iter_mut().zip(times).for_each(|(sum, time)| *sum = sum.saturating_add(time));
            }
            sums
        });
        let fastest = (0..kernels.len()).min_by_key(|&number| times[number]).expect("one runs anywhere");
        kernels.swap_remove(fastest)
    }

    /// Measures how long some items take, spread over the dataset.
    #[expect(clippy::cast_possible_truncation, reason = "items are numbered in 32 bits")]
    fn time(&self, cache: &Cache) -> Duration {
        let started = Instant::now();
        for batch in 0..BATCHES {
            let first = (DATASET_ITEMS / BATCHES * batch) as u32;
            let mut items = [Line::default(); LANES];
            self.compute(cache, std::array::from_fn(|lane| first + lane as u32), &mut items);
            hint::black_box(&items);
        }
        started.elapsed()
    }

    /// Returns the compiled programs, where this way is to execute them.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn compiled(&self) -> Option<&LanesCode> {
        match &self.code {
            Code::Loops(_) => None,
            Code::Compiled(code) => Some(code),
        }
    }

    /// Computes the items `indices`. `cache` is the one that the kernel was made for.
    pub(super) fn compute(&self, cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
        match &self.code {
            Code::Loops(compute) => compute(cache, indices, items),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Code::Compiled(code) => code.compute(cache, indices, items),
        }
    }
}

/// How often each way is tried. The shortest time counts: a disturbance only makes one longer.
const ROUNDS: usize = 3;
/// How many times [`LANES`] items a try takes: about half a millisecond.
const BATCHES: usize = 10;

/// Computes items on any processor.
pub(super) fn portable<const LANES: usize>(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
    cache.compute(indices, items);
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for processors with certain features")]
mod x86 {
    use super::{Cache, LANES, Line};

    /// Is made known by [`super::Kernel::all`] only, and only on processors with the features.
    pub(super) fn avx512(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,bmi2")]
        fn inner(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
            cache.compute(indices, items);
        }
        // SAFETY: `all` has detected the features.
        unsafe { inner(cache, indices, items) }
    }

    /// Is made known by [`super::Kernel::all`] only, and only on processors with the features.
    pub(super) fn avx2(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
        #[target_feature(enable = "avx2")]
        fn inner(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
            cache.compute(indices, items);
        }
        // SAFETY: `all` has detected the features.
        unsafe { inner(cache, indices, items) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomx::cache::tests::test_key_000;

    /// What each computes is held against the portable way where ranges of the dataset are filled.
    #[test]
    fn one_of_the_kernels_is_picked() {
        let cache = test_key_000();
        let picked = Kernel::pick(&cache, 2);
        assert!(Kernel::all(&cache).iter().any(|kernel| kernel.name == picked.name));
        assert!(Kernel::all(&cache).iter().any(|kernel| kernel.name == "portable"));
    }
}
