//! Memory in lines of 64 bytes: cache, dataset and scratchpads.
//!
//! All of RandomX's memory is read and written in aligned words of 64 bits, so lines hold words and not bytes. Their
//! order of bytes matters only where AES meets them.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::configuration::LINE_BYTES;

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

    use super::Line;

    pub(super) struct Mapping {
        first: NonNull<Line>,
        length: usize,
        /// What was mapped: more than the lines, so that they can begin at a huge page.
        whole: (*mut c_void, usize),
    }

    /// The length of huge pages of x86 in bytes.
    const HUGE_PAGE_BYTES: usize = 2 << 20;

    // SAFETY: the mapping belongs to this value alone, and is reached by its methods only, which borrow it as usual.
    unsafe impl Send for Mapping {}
    // SAFETY: as above.
    unsafe impl Sync for Mapping {}

    impl Mapping {
        pub(super) fn zeroed(length: usize) -> Result<Self, String> {
            let bytes = length.checked_mul(size_of::<Line>()).filter(|&bytes| bytes > 0).ok_or("no such size")?;
            // Pages that are never touched cost nothing.
            let spare = if bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { 0 };
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
            Ok(Self { first, length, whole: (whole, whole_bytes) })
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
    use super::Line;

    pub(super) struct Mapping(Vec<Line>);

    impl Mapping {
        pub(super) fn zeroed(length: usize) -> Result<Self, String> {
            let mut lines = Vec::new();
            lines.try_reserve_exact(length).map_err(|error| error.to_string())?;
            lines.resize(length, Line::default());
            Ok(Self(lines))
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

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(Lines::zeroed(usize::MAX / 64).is_err());
        assert!(Lines::zeroed(usize::MAX).is_err());
    }
}
