//! What cache, dataset and virtual machines take, and whether the memory for them can be had.

use std::time::Duration;

use super::configuration::{DATASET_ITEMS, LINE_BYTES, SCRATCHPAD_BYTES};
use crate::cpu::memory;
use crate::cpu::topology::CacheNeed;
use crate::engine::Resource;
use crate::machine;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// The length of a huge page of x86 in bytes.
pub(super) const HUGE_PAGE_BYTES: u64 = 2 << 20;
const GIB: u64 = 1 << 30;
/// The length of a dataset in bytes.
pub(super) const DATASET_BYTES: u64 = (LINE_BYTES * DATASET_ITEMS) as u64;
/// The length of a cache in bytes (specification, section 7.1).
pub(super) const CACHE_BYTES: u64 = 256 << 20;
/// What all else takes, such as the code of programs, in bytes.
const REST_BYTES: u64 = 16 << 20;

const SCRATCHPADS: &str = "randomx scratchpads";

/// Returns what the scratchpads of so many threads take, each with so many hashes under way at most, and one for single
/// hashes. Engines that take turns have theirs one after the other.
pub(super) fn scratchpads_resource(threads: usize, hashes_in_flight: usize) -> Resource {
    let bytes =
        (threads.saturating_mul(hashes_in_flight) as u64).saturating_add(1).saturating_mul(SCRATCHPAD_BYTES as u64);
    Resource { key: SCRATCHPADS.to_owned(), bytes, build: Duration::ZERO }
}

/// What each thread should have of the caches: room for one scratchpad, and for its second level.
pub(super) const NEED: CacheNeed = CacheNeed { l2_bytes: 256 << 10, l3_bytes: 2 << 20 };

/// The memory that there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// What is available, where the system tells; reserved huge pages are no part of it.
    available_bytes: Option<u64>,
    /// Free reserved huge pages of 1 GiB and of 2 MiB.
    free_1gib: u64,
    free_2mib: u64,
}

impl Room {
    /// Looks at the memory.
    pub(super) fn now(sysroot: &Sysroot) -> Self {
        Self {
            available_bytes: machine::available_memory_bytes(sysroot),
            free_1gib: machine::free_huge_pages(sysroot, GIB),
            free_2mib: machine::free_huge_pages(sysroot, HUGE_PAGE_BYTES),
        }
    }

    /// Describes what there is for somebody who can't take reserved huge pages.
    #[cfg(any(test, feature = "reference"))]
    pub(super) fn on_ordinary_pages(available_bytes: Option<u64>) -> Self {
        Self { available_bytes, free_1gib: 0, free_2mib: 0 }
    }

    /// Returns how much there is in all for engines of this program's own, in bytes: reserved huge pages count where
    /// they suffice for fast mode.
    pub(super) fn usable_bytes(self) -> Option<u64> {
        let reserved = self.free_2mib * HUGE_PAGE_BYTES;
        let counts = if reserved >= DATASET_BYTES + CACHE_BYTES { reserved } else { 0 };
        self.available_bytes.map(|available| available + counts)
    }

    /// Takes reserved pages for something, where there are enough, as [`Lines`](super::memory::Lines) would. Returns
    /// how many bytes are left for ordinary ones.
    fn take(&mut self, resource: &Resource) -> u64 {
        let bytes = resource.bytes;
        if resource.key == SCRATCHPADS {
            // They come one by one, so that some of them can lie there.
            let pages = self.free_2mib.min(bytes / HUGE_PAGE_BYTES);
            self.free_2mib -= pages;
            return bytes - pages * HUGE_PAGE_BYTES;
        }
        for (page, free) in [(GIB, &mut self.free_1gib), (HUGE_PAGE_BYTES, &mut self.free_2mib)] {
            let pages = bytes.div_ceil(page);
            if bytes >= page && *free >= pages {
                *free -= pages;
                return 0;
            }
        }
        bytes
    }
}

/// Tells why the memory doesn't suffice, if it doesn't. What the system doesn't tell is taken to suffice.
pub(super) fn memory_fault(resources: &[Resource], room: &Room) -> Option<Unavailable> {
    let mut left = *room;
    let on_ordinary = resources.iter().map(|one| left.take(one)).fold(0, u64::saturating_add);
    let needed = on_ordinary.saturating_add(REST_BYTES);
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    if let Some(available) = room.available_bytes.filter(|&available| available < needed) {
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
    use std::slice;
    use std::time::Duration;

    use super::*;

    #[test]
    fn too_little_memory_is_refused_with_both_figures() {
        let resource = |bytes| Resource { key: "cache".to_owned(), bytes, build: Duration::ZERO };
        let room = |bytes| Room::on_ordinary_pages(bytes);
        let (cache, dataset) = (resource(CACHE_BYTES), resource(DATASET_BYTES));
        let fault = memory_fault(&[cache.clone(), dataset.clone()], &room(Some(2 << 30))).unwrap();
        assert_eq!(fault.reason, "it needs 2352 MiB of memory, and 2048 MiB are available");
        assert!(memory_fault(slice::from_ref(&cache), &room(Some(2 << 30))).is_none());
        assert!(memory_fault(slice::from_ref(&cache), &room(Some(0))).is_some());
        assert!(memory_fault(&[resource(u64::MAX / 4)], &room(None)).is_some());
        // What lies on reserved pages takes nothing of the rest.
        let reserved = Room { free_2mib: 1168, ..room(Some(64 << 20)) };
        assert!(memory_fault(&[cache.clone(), dataset.clone()], &reserved).is_none());
        assert_eq!(reserved.usable_bytes(), Some((64 << 20) + (1168 << 21)));
        let too_few = Room { free_2mib: 1167, ..reserved };
        let fault = memory_fault(&[cache.clone(), dataset.clone()], &too_few).unwrap();
        assert_eq!(fault.reason, "it needs 2096 MiB of memory, and 64 MiB are available");
        assert_eq!(too_few.usable_bytes(), Some(64 << 20));
        assert!(memory_fault(&[dataset], &Room { free_1gib: 3, ..too_few }).is_none());
        assert!(memory_fault(&[cache], &Room { free_1gib: 3, ..room(Some(64 << 20)) }).is_some());
    }

    #[test]
    fn each_hash_in_flight_takes_a_scratchpad() {
        let scratchpads = scratchpads_resource(64, 16);
        assert_eq!(scratchpads.bytes, (64 * 16 + 1) << 21);
        let needed = Some(scratchpads.bytes + REST_BYTES);
        let room = Room::on_ordinary_pages(needed);
        assert!(memory_fault(slice::from_ref(&scratchpads), &room).is_none());
        let less = Room { available_bytes: needed.map(|bytes| bytes - 1), ..room };
        assert!(memory_fault(slice::from_ref(&scratchpads), &less).is_some());
        // As many as fit lie on reserved pages, and none on those of 1 GiB.
        assert!(memory_fault(slice::from_ref(&scratchpads), &Room { free_2mib: 1, ..less }).is_none());
        assert!(memory_fault(slice::from_ref(&scratchpads), &Room { free_1gib: 9, ..less }).is_some());
        assert!(memory_fault(&[scratchpads_resource(usize::MAX, 16)], &room).is_some());
    }
}
