//! RandomX, Monero's proof of work, versions 1 and 2, as its specification has it: one file per concept.
//!
//! A key is expanded into a [`Cache`], and that, where there is memory for it, into a [`Dataset`]. A [`Machine`] hashes
//! with either of them.

mod aes;
mod argon2d;
mod blake2_generator;
mod blake2b;
mod cache;
mod calibration;
mod commitment;
mod configuration;
mod dataset;
mod decoder;
mod engine;
mod flight;
mod footprint;
mod hash;
mod instruction;
mod interpreter;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod jit;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[path = "jit/absent.rs"]
mod jit;
mod lanes;
mod memory;
mod program;
mod reciprocal;
#[cfg(feature = "reference")]
mod reference;
mod scan;
mod shared;
mod softfloat;
mod superscalar;

pub use self::cache::Cache;
pub use self::calibration::Interleaving;
pub use self::commitment::commitment;
pub use self::configuration::{DATASET_ITEMS, Version};
pub use self::dataset::{Dataset, Interrupted, Items};
use self::footprint::{NEED, Room};
pub use self::hash::{Execution, Hash, Machine, MachineError};
pub use self::jit::JitUnavailable;
pub use self::memory::{Line, OutOfMemory};
use crate::cpu::affinity;
use crate::cpu::topology::{Limit, Topology};
use crate::engine::{Available, EngineId, Job, Workload};
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// The name of version 1 in engine ids.
pub const ALGORITHM_V1: &str = "randomx-v1";
/// The name of version 2 in engine ids.
pub const ALGORITHM_V2: &str = "randomx-v2";

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
    Workload { job, roll_offset: NONCE_OFFSET + 4, planted: Vec::new() }
}

/// Tells whether `hashes` are done sooner when a dataset is built for them first.
///
/// A rule of thumb for compiled and interpreted programs alike: a dataset takes one thread about 8 s, and a hash in
/// light mode about 23 ms longer than one in fast mode (both measured on an AMD Zen 4). All threads do both, so their
/// number makes no difference.
#[must_use]
pub fn is_fast_mode_sooner(hashes: u64) -> bool {
    hashes > 350
}

/// Tells the same of the reference, which takes its time for a dataset.
///
/// From the two things that hardly differ between processors: a dataset takes as long as about 1,560 hashes in light
/// mode on one thread, and fast mode is then about 8.5 times as fast (both measured on an AMD Zen 5).
#[must_use]
pub fn is_fast_mode_of_reference_sooner(hashes: u64, threads: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (hashes, threads, builders) = (hashes as f64, threads as f64, dataset_threads(threads) as f64);
    1560.0 / builders + hashes / 8.5 / threads < hashes / threads
}

/// Returns how many of `processors` the reference can build a dataset on without leaving items out: the largest number
/// that divides [`DATASET_ITEMS`], whose factors are 3, 97 and 117,109.
#[must_use]
pub fn dataset_threads(processors: usize) -> usize {
    (1..=processors).rev().find(|&threads| DATASET_ITEMS.is_multiple_of(threads)).unwrap_or(1)
}

/// Returns how much memory there is for engines of this module, in bytes, where the system tells: reserved huge pages
/// count where they suffice for fast mode.
#[must_use]
pub fn usable_memory_bytes(sysroot: &Sysroot) -> Option<u64> {
    Room::now(sysroot).usable_bytes()
}

/// Tells whether an engine of this module asks for huge pages; the reference can't.
#[must_use]
pub fn takes_huge_pages(id: &EngineId) -> bool {
    let is_one = [ALGORITHM_V1, ALGORITHM_V2].contains(&id.algorithm());
    is_one && id.device() == "cpu" && id.engine() != "reference"
}

/// Returns how many threads suit the caches of the processors that this process may use, and what limits them: each
/// thread should have 2 MiB of a third-level cache for its scratchpad, and 256 KiB of a second-level cache for the part
/// of it that is used most.
#[must_use]
pub fn suited_threads(sysroot: &Sysroot) -> (usize, Limit) {
    let placement = Topology::read(sysroot, &affinity::allowed()).place(NEED);
    (placement.threads, placement.limit)
}

/// Returns the engines of this module by id, with what it takes to make each.
#[must_use]
pub fn engines(sysroot: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
    let mut engines = engine::engines(Version::V1, sysroot);
    engines.extend(reference_engines(sysroot));
    engines.extend(engine::engines(Version::V2, sysroot));
    engines
}

#[cfg(feature = "reference")]
fn reference_engines(sysroot: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
    reference::engines(sysroot)
}

#[cfg(not(feature = "reference"))]
fn reference_engines(_: &Sysroot) -> Vec<(EngineId, Result<Available, Unavailable>)> {
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
            assert!(!is_fast_mode_of_reference_sooner(100, threads), "{threads} threads");
        }
        assert!(is_fast_mode_of_reference_sooner(10_000, 2));
        assert!(is_fast_mode_of_reference_sooner(100_000, 64));
        assert!(!is_fast_mode_sooner(100) && is_fast_mode_sooner(10_000));
    }
}
