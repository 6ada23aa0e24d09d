//! What cache, dataset and virtual machines take, and whether the memory for them can be had.

use super::configuration::{DATASET_ITEMS, LINE_BYTES};
use crate::cpu::memory;
use crate::engine::Resource;
use crate::unavailable::Unavailable;

/// The length of a dataset in bytes.
pub(super) const DATASET_BYTES: u64 = (LINE_BYTES * DATASET_ITEMS) as u64;
/// The length of a cache in bytes (specification, section 7.1).
pub(super) const CACHE_BYTES: u64 = 256 << 20;
/// The length of a scratchpad in bytes, and a little more for the code of one virtual machine.
pub(super) const MACHINE_BYTES: u64 = 3 << 20;

/// Tells why the memory doesn't suffice, if it doesn't. What the system doesn't tell is taken to suffice.
pub(super) fn memory_fault(resources: &[Resource], available_bytes: Option<u64>) -> Option<Unavailable> {
    let needed = resources.iter().map(|resource| resource.bytes).sum::<u64>() + 16 * MACHINE_BYTES;
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    if let Some(available) = available_bytes.filter(|&available| available < needed) {
        return Some(Unavailable {
            reason: format!("it needs {} MiB of memory, and {} MiB are available", mib(needed), mib(available)),
            hint: "end other programs, or raise the memory limit of this one".to_owned(),
        });
    }
    (!memory::can_reserve(needed)).then(|| Unavailable {
        reason: format!("it needs {} MiB of memory, and the system doesn't let this process reserve them", mib(needed)),
        hint: "raise the limit: ulimit -v unlimited".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn too_little_memory_is_refused_with_both_figures() {
        let resource = |bytes| Resource { key: "cache".to_owned(), bytes, build: Duration::ZERO };
        let fault = memory_fault(&[resource(CACHE_BYTES), resource(DATASET_BYTES)], Some(2 << 30)).unwrap();
        assert_eq!(fault.reason, "it needs 2384 MiB of memory, and 2048 MiB are available");
        assert!(memory_fault(&[resource(CACHE_BYTES)], Some(2 << 30)).is_none());
        assert!(memory_fault(&[resource(CACHE_BYTES)], Some(0)).is_some());
        assert!(memory_fault(&[resource(u64::MAX / 4)], None).is_some());
    }
}
