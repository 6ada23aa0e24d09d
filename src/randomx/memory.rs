//! Memory in lines of 64 bytes: cache, dataset and scratchpads.
//!
//! All of RandomX's memory is read and written in aligned words of 64 bits, so lines hold words and not bytes. Their
//! order of bytes matters only where AES meets them.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::configuration::LINE_BYTES;
use crate::pages::MemoryPart;

/// 64 bytes: an item of the dataset, or what is read from cache or scratchpad at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub struct Line(pub [u64; 8]);

/// The system has no memory of this size for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system doesn't give {bytes} bytes of memory: {reason}")]
pub struct OutOfMemory {
    /// What was asked for.
    pub bytes: usize,
    /// What the system said.
    pub reason: String,
}

/// Lines that start as zeros. The one place that knows where large memory comes from.
pub(super) struct Lines(Mapping);

impl Lines {
    /// Allocates `length` lines of zeros.
    pub(super) fn zeroed(length: usize) -> Result<Self, OutOfMemory> {
        Mapping::zeroed(length)
            .map(Self)
            .map_err(|reason| OutOfMemory { bytes: length.saturating_mul(LINE_BYTES), reason })
    }

    /// Names what these lines are, with the pages that they lie on now: those that weren't touched yet lie on none.
    pub(super) fn part(&self, name: &str) -> MemoryPart {
        let PageUse { reserved_1gib, reserved_2mib, transparent } = self.0.pages();
        MemoryPart {
            name: name.to_owned(),
            bytes: size_of_val(&**self) as u64,
            reserved_1gib_bytes: reserved_1gib as u64,
            reserved_2mib_bytes: reserved_2mib as u64,
            transparent_bytes: transparent.map(|bytes| bytes as u64),
        }
    }
}

/// How many bytes lie on which pages.
struct PageUse {
    reserved_1gib: usize,
    reserved_2mib: usize,
    transparent: Option<usize>,
}

impl PageUse {
    const NONE: Self = Self { reserved_1gib: 0, reserved_2mib: 0, transparent: None };
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        self.0.lines()
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [Line] {
        self.0.lines_mut()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lines").field("length", &self.len()).finish()
    }
}

/// Says that `line` will be read soon.
#[inline(always)]
pub(super) fn prefetch(line: &Line) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "the intrinsic takes any pointer")]
        // SAFETY: a hint about a line that is borrowed.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(line.0.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

#[cfg(unix)]
use mapped::Mapping;
#[cfg(not(unix))]
use owned::Mapping;

/// Memory from the kernel: zeroed when it is first touched, and aligned to pages.
#[cfg(unix)]
#[expect(unsafe_code, reason = "mapping memory has no safe interface")]
mod mapped {
    use std::ffi::c_void;
    use std::ptr::{self, NonNull};
    use std::slice;

    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

    use super::{Line, PageUse};

    pub(super) struct Mapping {
        first: NonNull<Line>,
        length: usize,
        /// What was mapped: more than the lines, so that they can begin at a huge page.
        whole: (*mut c_void, usize),
        /// The length of reserved huge pages that it lies on; 0 where the kernel decides.
        reserved_page_bytes: usize,
    }

    /// The length of huge pages of x86 in bytes.
    const PAGE_2MIB: usize = 2 << 20;
    /// The length of the largest pages of x86 in bytes.
    #[cfg(target_os = "linux")]
    const PAGE_1GIB: usize = 1 << 30;

    // SAFETY: the mapping belongs to this value alone, and is reached by its methods only, which borrow it as usual.
    unsafe impl Send for Mapping {}
    // SAFETY: as above.
    unsafe impl Sync for Mapping {}

    impl Mapping {
        /// Maps reserved huge pages where there are enough of them, the largest first, and else ordinary memory, for
        /// which the kernel is asked to take huge pages.
        pub(super) fn zeroed(length: usize) -> Result<Self, String> {
            let bytes = length.checked_mul(size_of::<Line>()).filter(|&bytes| bytes > 0).ok_or("no such size")?;
            #[cfg(target_os = "linux")]
            for page in [PAGE_1GIB, PAGE_2MIB] {
                if let Some(mapping) = Self::on_reserved_pages(length, bytes, page) {
                    return Ok(mapping);
                }
            }
            Self::on_ordinary_pages(length, bytes)
        }

        /// Maps huge pages that were reserved beforehand, if there are enough free ones.
        #[cfg(target_os = "linux")]
        fn on_reserved_pages(length: usize, bytes: usize, page: usize) -> Option<Self> {
            let whole_bytes = bytes.checked_next_multiple_of(page).filter(|_| bytes >= page)?;
            // The kernel checks limits of cgroups only when pages are touched, and then ends the process.
            if crate::machine::huge_pages_left_bytes(page as u64).is_some_and(|left| left < whole_bytes as u64) {
                return None;
            }
            let size = if page == PAGE_1GIB { MapFlags::HUGE_1GB } else { MapFlags::HUGE_2MB };
            let flags = MapFlags::PRIVATE | MapFlags::HUGETLB | size;
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a fresh mapping wherever the kernel likes, to which nothing else refers. It sets the pages aside
            // now, or fails.
            let whole = unsafe { mmap_anonymous(ptr::null_mut(), whole_bytes, protection, flags) }.ok()?;
            let first = NonNull::new(whole.cast())?;
            Some(Self { first, length, whole: (whole, whole_bytes), reserved_page_bytes: page })
        }

        fn on_ordinary_pages(length: usize, bytes: usize) -> Result<Self, String> {
            // Pages that are never touched cost nothing.
            let spare = if bytes >= PAGE_2MIB { PAGE_2MIB } else { 0 };
            let whole_bytes = bytes.checked_add(spare).ok_or("no such size")?;
            // SAFETY: a fresh mapping wherever the kernel likes, to which nothing else refers.
            let mapping = unsafe {
                mmap_anonymous(ptr::null_mut(), whole_bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
            };
            let whole = mapping.map_err(|error| error.to_string())?;
            let address = if spare > 0 { whole.map_addr(|address| address.next_multiple_of(spare)) } else { whole };
            #[cfg(target_os = "linux")]
            {
                use rustix::mm::{Advice, madvise};
                // Random reads of 2 GiB miss the TLB nearly always on pages of 4 KiB. A kernel without huge pages
                // refuses, which costs speed only.
                // SAFETY: advice about the mapping that was just made; it changes no contents.
                let _ = unsafe { madvise(address, bytes, Advice::LinuxHugepage) };
            }
            let first = NonNull::new(address.cast()).ok_or("the kernel mapped nothing")?;
            Ok(Self { first, length, whole: (whole, whole_bytes), reserved_page_bytes: 0 })
        }

        pub(super) fn pages(&self) -> PageUse {
            let bytes = self.length * size_of::<Line>();
            let start = self.first.as_ptr().addr();
            match self.reserved_page_bytes {
                0 => PageUse {
                    transparent: crate::cpu::memory::transparent_bytes(start..start + bytes),
                    ..PageUse::NONE
                },
                PAGE_2MIB => PageUse { reserved_2mib: bytes, ..PageUse::NONE },
                _ => PageUse { reserved_1gib: bytes, ..PageUse::NONE },
            }
        }

        pub(super) fn lines(&self) -> &[Line] {
            // SAFETY: the mapping holds `length` lines, page-aligned and zeroed, any bits are a Line, and it lives as
            // long as `self`.
            unsafe { slice::from_raw_parts(self.first.as_ptr(), self.length) }
        }

        pub(super) fn lines_mut(&mut self) -> &mut [Line] {
            // SAFETY: as in `lines`, and `self` is borrowed exclusively.
            unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.length) }
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: the mapping was made in `zeroed`, and nothing refers to it any more.
            let _ = unsafe { munmap(self.whole.0, self.whole.1) };
        }
    }
}

/// Memory from the allocator.
#[cfg(not(unix))]
mod owned {
    use super::{Line, PageUse};

    pub(super) struct Mapping(Vec<Line>);

    impl Mapping {
        pub(super) fn zeroed(length: usize) -> Result<Self, String> {
            let mut lines = Vec::new();
            lines.try_reserve_exact(length).map_err(|error| error.to_string())?;
            lines.resize(length, Line::default());
            Ok(Self(lines))
        }

        pub(super) fn pages(&self) -> PageUse {
            PageUse::NONE
        }

        pub(super) fn lines(&self) -> &[Line] {
            &self.0
        }

        pub(super) fn lines_mut(&mut self) -> &mut [Line] {
            &mut self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_zero_and_keep_what_is_written() {
        let mut lines = Lines::zeroed(1000).unwrap();
        assert!(lines.iter().all(|line| *line == Line::default()));
        lines[999] = Line([7; 8]);
        assert_eq!(lines[999].0[7], 7);
        assert_eq!(lines.len(), 1000);
        assert_eq!(lines.as_ptr() as usize % LINE_BYTES, 0);
    }

    /// Which pages there are is the machine's business; that the parts don't exceed the whole is ours.
    #[test]
    fn a_part_says_how_long_it_is_and_lies_on_no_more_than_that() {
        let mut lines = Lines::zeroed((4 << 20) / LINE_BYTES).unwrap();
        lines.fill(Line([1; 8]));
        let part = lines.part("test");
        assert_eq!((part.name.as_str(), part.bytes), ("test", 4 << 20));
        let reserved = part.reserved_1gib_bytes + part.reserved_2mib_bytes;
        assert!(reserved == 0 || reserved == part.bytes, "{part:?}");
        assert!(part.transparent_bytes.is_none_or(|bytes| bytes <= part.bytes), "{part:?}");
        #[cfg(target_os = "linux")]
        assert!(part.huge_fraction().is_some(), "{part:?}");
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(Lines::zeroed(usize::MAX / 64).is_err());
        assert!(Lines::zeroed(usize::MAX).is_err());
    }
}
