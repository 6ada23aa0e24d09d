//! SHA-256d, Bitcoin's proof of work: SHA-256 of SHA-256 of an 80-byte header.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod cpu;
mod fold;
pub mod gpu;
mod header;
#[cfg(test)]
mod kernel_tests;
mod midstate;
pub mod scalar;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod vector;
pub mod wgsl;

pub use self::header::{BlockHeader, HeaderError};
pub use self::midstate::Midstate;

use crate::engine::{Job, Workload};

/// The name of the algorithm in engine ids.
pub const ALGORITHM: &str = "sha256d";

/// Returns the work of a benchmark: the header of Bitcoin's block 125552, its time counted up when the nonces run out.
#[must_use]
pub fn workload() -> Workload {
    Workload { job: BlockHeader::BLOCK_125552.job(), roll_offset: header::TIME_OFFSET, planted: Vec::new() }
}

/// The bits of a header's version that may be rolled (BIP 320).
pub const VERSION_MASK: u32 = 0x1fff_e000;

/// Returns the work of a benchmark of engines that roll versions: as [`workload`], with 65,536 versions.
#[must_use]
pub fn rolled_workload() -> Workload {
    let Workload { job, .. } = workload();
    Workload { job: Job { version_mask: VERSION_MASK, ..job }, ..workload() }
}

/// Tells why an engine can't work on `job`, if it can't: it has to be a header, without a key.
fn job_fault(job: &Job) -> Option<String> {
    if job.template.len() != header::HEADER_LEN || job.nonce_offset != header::NONCE_OFFSET {
        return Some(format!(
            "a Bitcoin header has 80 bytes with the nonce at 76, this job has {}",
            job.template.len()
        ));
    }
    (!job.key.is_empty()).then(|| "SHA-256d takes no key".to_owned())
}
