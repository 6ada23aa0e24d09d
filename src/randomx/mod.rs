//! RandomX, Monero's proof of work.

use crate::engine::{Available, EngineId, Job, Workload};
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

#[cfg(feature = "reference")]
mod reference;

/// The name of version 1 in engine ids.
pub const ALGORITHM_V1: &str = "randomx-v1";

/// Where the nonce lies in a Monero hashing blob.
pub const NONCE_OFFSET: usize = 39;

/// The key of benchmarks. It has a known answer that reads the very last item of the dataset, which only one hash in a
/// thousand million does: so each benchmark proves that the dataset it runs on goes to its very end.
pub const BENCHMARK_KEY: &[u8] = b"test key 028";

/// Returns the work of a benchmark: a blob as long as Monero's, with bytes after the nonce counted up when the nonces
/// run out.
#[must_use]
pub fn workload() -> Workload {
    let job = Job { key: BENCHMARK_KEY.to_vec(), template: vec![0; 76], nonce_offset: NONCE_OFFSET, version_mask: 0 };
    Workload { job, roll_offset: NONCE_OFFSET + 4 }
}

/// The number of items of a dataset: (2^31 + 33,554,368) / 64 (specification, sections 4.2 and 7). Its factors are 3,
/// 97 and 117,109.
pub const DATASET_ITEMS: usize = 34_078_719;

/// Tells whether `hashes` are done sooner when a dataset is built for them first.
///
/// A rule of thumb, from the two things that hardly differ between processors: a dataset takes as long as about 1,560
/// hashes in light mode on one thread, and fast mode is then about 8.5 times as fast (both measured on an AMD Zen 5).
#[must_use]
pub fn is_fast_mode_sooner(hashes: u64, threads: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (hashes, threads, builders) = (hashes as f64, threads as f64, dataset_threads(threads) as f64);
    1560.0 / builders + hashes / 8.5 / threads < hashes / threads
}

/// Returns how many of `processors` the reference can build a dataset on without leaving items out: the largest number
/// that divides [`DATASET_ITEMS`].
#[must_use]
pub fn dataset_threads(processors: usize) -> usize {
    (1..=processors).rev().find(|&threads| DATASET_ITEMS.is_multiple_of(threads)).unwrap_or(1)
}

/// Returns the engines of this module by id, with what it takes to make each.
#[must_use]
pub fn engines(sysroot: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
    #[cfg(feature = "reference")]
    {
        reference::engines(sysroot)
    }
    #[cfg(not(feature = "reference"))]
    {
        let _ = sysroot;
        ["reference+fast", "reference+light"]
            .map(|engine| {
                let unavailable = Unavailable {
                    reason: "this program was built without the cargo feature `reference`".to_owned(),
                    hint: "install cmake and a C++ compiler, then build with --features reference".to_owned(),
                };
                (EngineId::new(ALGORITHM_V1, "cpu", engine), Err(unavailable))
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_are_built_on_divisors_of_their_length() {
        let cases = [(1, 1), (2, 1), (3, 3), (4, 3), (16, 3), (96, 3), (97, 97), (128, 97), (291, 291), (512, 291)];
        for (processors, threads) in cases {
            assert_eq!(dataset_threads(processors), threads, "{processors} processors");
        }
    }

    #[test]
    fn ten_thousand_hashes_are_worth_a_dataset_and_a_hundred_are_not() {
        for threads in [1, 2, 8] {
            assert!(!is_fast_mode_sooner(100, threads), "{threads} threads");
        }
        assert!(is_fast_mode_sooner(10_000, 2));
        assert!(is_fast_mode_sooner(100_000, 64));
    }
}
