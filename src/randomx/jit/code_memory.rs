//! Memory for generated code, which can be written and can be executed, but not at the same address.
//!
//! Two mappings of one file in memory: no system call is needed to switch between writing and executing, and no page is
//! ever writable and executable. Processors of the x86 family drop what they cached of the old code by its physical
//! address. But what they have already fetched to execute they check by the linear address, so that code written at
//! another one is safe to execute only after a serializing instruction (Intel's manual, volume 3B, section 22.29.1
//! "Self-Modifying Code"); a jump to it suffices only where the addresses are the same (volume 3A, section 8.1.3).

#![expect(unsafe_code, reason = "mapping memory has no safe interface")]

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::{fmt, hint};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::JitUnavailable;

/// Memory for generated code.
pub(super) struct CodeMemory {
    writable: Mapping,
    executable: Mapping,
    has_serialize: bool,
}

impl CodeMemory {
    /// Maps `length` bytes.
    pub(super) fn new(length: usize) -> Result<Self, JitUnavailable> {
        let unavailable = |error: rustix::io::Errno| JitUnavailable(format!("no memory for generated code: {error}"));
        let file = memfd_create("randomx-code", MemfdFlags::CLOEXEC).map_err(unavailable)?;
        ftruncate(&file, length as u64).map_err(unavailable)?;
        let map = |protection| {
            // SAFETY: a fresh mapping wherever the kernel likes, to which nothing else refers.
            let address = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, &file, 0) };
            let address = NonNull::new(address.map_err(unavailable)?);
            Ok(Mapping { address: address.ok_or_else(|| JitUnavailable("nothing was mapped".to_owned()))?, length })
        };
        let executable = map(ProtFlags::READ | ProtFlags::EXEC)?;
        // CPUID says what leaf 7 has where there is one.
        let has_serialize = __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx >> 14 & 1 == 1;
        Ok(Self { writable: map(ProtFlags::READ | ProtFlags::WRITE)?, executable, has_serialize })
    }

    /// Returns the bytes to write code into.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is that long and lives as long as `self`, which is borrowed exclusively. The bytes are
        // reached at the other address only to execute them, which takes a borrow of `self` as well.
        unsafe { slice::from_raw_parts_mut(self.writable.address.as_ptr().cast(), self.writable.length) }
    }

    /// Makes the processor fetch anew what was written. To be called before it is executed.
    ///
    /// SERIALIZE takes some 33 ns, which is nothing for code that then runs a millisecond. CPUID, the only other
    /// serializing instruction that every system allows, takes about as long, but in a virtual machine 8.5 µs (a Xeon
    /// under KVM), once for all hashes in flight.
    pub(super) fn synchronize(&mut self) {
        if self.has_serialize {
            // SAFETY: the processor has the instruction, which changes nothing.
            unsafe { asm!("serialize", options(nostack, preserves_flags)) };
        } else {
            hint::black_box(__cpuid(0));
        }
    }

    /// Returns where the code that was written first can be executed.
    pub(super) fn entry(&self) -> *const c_void {
        self.executable.address.as_ptr()
    }
}

impl fmt::Debug for CodeMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CodeMemory").field("length", &self.writable.length).finish()
    }
}

struct Mapping {
    address: NonNull<c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone.
unsafe impl Send for Mapping {}
// SAFETY: shared, it can only be executed.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that was made, and nothing refers to it any more.
        let _ = unsafe { munmap(self.address.as_ptr(), self.length) };
    }
}
