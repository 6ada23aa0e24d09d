//! Computing many dataset items side by side, in the widest vectors that a processor has.
//!
//! The code is [`Cache::compute`] each time; the compiler makes vectors of its lanes.

use super::cache::Cache;
use super::memory::Line;

/// How many items are computed at once. With 32, the dispatch of instructions takes half of the time; with 128, the
/// registers no longer fit well into the first cache (1.0, 0.54 and 0.69 us an item with AVX-512 on Zen 5).
pub(super) const LANES: usize = 64;

/// Computes [`LANES`] items.
type Compute = fn(&Cache, [u32; LANES], &mut [Line; LANES]);

/// A way to compute items, for processors that have what it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    #[cfg_attr(not(test), expect(dead_code, reason = "tests say which kernel failed"))]
    pub(super) name: &'static str,
    compute: Compute,
}

impl Kernel {
    /// Returns the ways that this processor can go for `cache`, the fastest first.
    pub(super) fn all(cache: &Cache) -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if cache.lanes_code().is_ok() {
            kernels.push(Self { name: "compiled to AVX-512", compute: compiled });
        }
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        let _ = cache;
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                kernels.push(Self { name: "AVX-512", compute: x86::avx512 });
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(Self { name: "AVX2", compute: x86::avx2 });
            }
        }
        kernels.push(Self { name: "portable", compute: portable });
        kernels
    }

    /// Computes the items `indices`.
    pub(super) fn compute(self, cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
        (self.compute)(cache, indices, items);
    }
}

/// Computes items by compiled programs. Is made known by [`Kernel::all`] only, and only for caches that have them.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn compiled(cache: &Cache, indices: [u32; LANES], items: &mut [Line; LANES]) {
    cache.lanes_code().expect("was compiled before this kernel was offered").compute(cache, indices, items);
}

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

    #[test]
    fn all_kernels_compute_what_one_lane_does() {
        let cache = test_key_000();
        let kernels = Kernel::all(&cache);
        for start in [0, 10_000_000, 34_078_719 - 64] {
            let indices: [u32; LANES] = std::array::from_fn(|lane| start + u32::try_from(lane).unwrap());
            let expected = indices.map(|index| cache.item(index));
            for kernel in &kernels {
                let mut items = [Line::default(); LANES];
                kernel.compute(&cache, indices, &mut items);
                assert_eq!(items, expected, "{} from item {start}", kernel.name);
            }
        }
    }
}
