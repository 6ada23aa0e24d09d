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
/// thousand million does: so each benchmark proves that the dataset it runs on is whole.
pub const BENCHMARK_KEY: &[u8] = b"test key 028";

/// Returns the work of a benchmark: a blob as long as Monero's, with bytes after the nonce counted up when the nonces run
/// out.
#[must_use]
pub fn workload() -> Workload {
    let job = Job { key: BENCHMARK_KEY.to_vec(), template: vec![0; 76], nonce_offset: NONCE_OFFSET };
    Workload { job, roll_offset: NONCE_OFFSET + 4 }
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
