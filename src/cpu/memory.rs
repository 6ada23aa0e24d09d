//! Whether memory can be had, asked before a library that doesn't check takes it; and what is known of memory in use.

use std::ops::Range;

/// Tells whether `bytes` of address space can be reserved now. Limits of the process (`ulimit -v`) and a kernel that
/// doesn't overcommit say no here; memory that is merely in use doesn't show.
#[must_use]
pub fn can_reserve(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok())
}

/// Returns the memory of this process that is resident now, in bytes, where the system tells.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

/// Returns how many bytes of these addresses lie on transparent huge pages now, where the system tells.
#[must_use]
pub fn transparent_bytes(addresses: Range<usize>) -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/smaps").ok()?;
    Some(transparent_bytes_in(&text, addresses))
}

/// Reads what [`transparent_bytes`] tells from `smaps`, which has some lines for each stretch of addresses. Of one that
/// reaches further it isn't known which part lies on huge pages: as much as fits counts.
fn transparent_bytes_in(smaps: &str, addresses: Range<usize>) -> usize {
    let (mut inside, mut bytes) = (0, 0);
    for line in smaps.lines() {
        let word = line.split_ascii_whitespace().next().unwrap_or_default();
        if let Some((start, end)) = word.split_once('-')
            && let (Ok(start), Ok(end)) = (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16))
        {
            inside = end.min(addresses.end).saturating_sub(start.max(addresses.start));
        } else if let Some(kib) = line.strip_prefix("AnonHugePages:").and_then(|rest| rest.trim().strip_suffix("kB")) {
            bytes += kib.trim().parse().map_or(0, |kib: usize| kib.saturating_mul(1024)).min(inside);
        }
    }
    bytes
}

#[cfg(unix)]
fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(not(unix))]
fn page_bytes() -> u64 {
    4096
}

/// Tells whether this process may run code that it has just written. Hardened kernels forbid it.
#[cfg(target_os = "linux")]
#[must_use]
#[expect(unsafe_code, reason = "mapping memory has no safe interface")]
pub fn can_execute_written() -> bool {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
    let length = rustix::param::page_size();
    let protection = ProtFlags::READ | ProtFlags::WRITE | ProtFlags::EXEC;
    // SAFETY: a fresh mapping wherever the kernel likes, given back at once, to which nothing else refers.
    unsafe {
        match mmap_anonymous(std::ptr::null_mut(), length, protection, MapFlags::PRIVATE) {
            Ok(mapping) => munmap(mapping, length).is_ok(),
            Err(_) => false,
        }
    }
}

/// Tells whether this process may run code that it has just written; taken for granted where it can't be asked.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn can_execute_written() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_can_be_reserved_and_the_whole_address_space_can_not() {
        assert!(can_reserve(1 << 20));
        assert!(!can_reserve(u64::MAX / 2));
    }

    #[test]
    fn transparent_huge_pages_are_counted_inside_the_addresses_only() {
        let smaps = "1000-3000 rw-p 00000000 00:00 0 \nSize: 8 kB\nAnonHugePages:         4 kB\n\
                     3000-9000 rw-p 00000000 00:00 0  [heap]\nAnonHugePages:        24 kB\nVmFlags: rd wr\n";
        assert_eq!(transparent_bytes_in(smaps, 0x1000..0x3000), 4096);
        assert_eq!(transparent_bytes_in(smaps, 0x1000..0x9000), 4096 + 0x6000);
        assert_eq!(transparent_bytes_in(smaps, 0x8000..0xa000), 4096);
        assert_eq!(transparent_bytes_in(smaps, 0xa000..0xb000), 0);
        assert_eq!(transparent_bytes_in("", 0..usize::MAX), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn resident_memory_grows_with_what_is_touched() {
        let before = resident_bytes().unwrap();
        let touched = vec![1_u8; 64 << 20];
        assert!(resident_bytes().unwrap() >= before + (60 << 20));
        drop(touched);
    }
}
