//! The processors' caches, from `sys/devices/system/cpu/cpu*/cache`.

use std::collections::{BTreeMap, BTreeSet};

use super::cpu::{CPUS, count};
use super::{Cache, CacheKind};
use crate::sysroot::Sysroot;

/// A kind of cache: its level, what it holds, its size in bytes and how many logical processors share one.
type Kind = (u32, CacheKind, Option<u64>, Option<u32>);

/// Describes the caches of the processors whose directories are `cpus`.
///
/// Each processor lists those that it uses, so that a shared one is found as often as it has users. Which of them are
/// the same tells the list of users alone.
pub(super) fn describe(sysroot: &Sysroot, cpus: &[String]) -> Vec<Cache> {
    let mut users: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for cpu in cpus {
        let directory = format!("{CPUS}/{cpu}/cache");
        for index in sysroot.list(&directory).iter().filter(|name| name.starts_with("index")) {
            let read = |file: &str| sysroot.read(format!("{directory}/{index}/{file}")).ok();
            let level = read("level").and_then(|level| level.parse().ok());
            let Some((level, kind)) = level.zip(read("type").as_deref().and_then(kind)) else { continue };
            let list = read("shared_cpu_list");
            let shared_by = list.as_deref().and_then(listed);
            let lists = users.entry((level, kind, read("size").as_deref().and_then(bytes), shared_by)).or_default();
            lists.extend(list.filter(|_| shared_by.is_some()));
        }
    }
    let cache = |((level, kind, size_bytes, shared_by), lists): (Kind, BTreeSet<String>)| Cache {
        level,
        kind,
        size_bytes,
        shared_by,
        count: count(lists.len()),
    };
    users.into_iter().map(cache).collect()
}

/// Takes Linux's word for what a cache holds.
fn kind(name: &str) -> Option<CacheKind> {
    match name {
        "Data" => Some(CacheKind::Data),
        "Instruction" => Some(CacheKind::Instruction),
        "Unified" => Some(CacheKind::Unified),
        _ => None,
    }
}

/// Returns the bytes of a size such as `32K`; a size of 0 is none.
fn bytes(size: &str) -> Option<u64> {
    let (digits, unit) = match (size.strip_suffix('K'), size.strip_suffix('M')) {
        (Some(digits), _) => (digits, 1 << 10),
        (_, Some(digits)) => (digits, 1 << 20),
        _ => (size, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// Counts the processors of a list such as `0-3,8`; none where it is no list.
fn listed(list: &str) -> Option<u32> {
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        last.parse::<u32>().ok()?.checked_sub(first.parse().ok()?)?.checked_add(1)
    };
    list.split(',').try_fold(0_u32, |sum, text| sum.checked_add(part(text)?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    #[test]
    fn lists_and_sizes_are_read_as_linux_writes_them() {
        let lists = [("0", 1), ("0-3", 4), ("0-3,8", 5), ("2,4-5,64-127", 67)];
        for (list, number) in lists {
            assert_eq!(listed(list), Some(number), "{list}");
        }
        for list in ["", "x", "3-1", "1-", "0,", "0-4294967295"] {
            assert_eq!(listed(list), None, "{list}");
        }
        let sizes = [("48K", 49_152), ("32M", 33_554_432), ("512", 512)];
        for (size, number) in sizes {
            assert_eq!(bytes(size), Some(number), "{size}");
        }
        for size in ["", "K", "0K", "-1K", "1.5M", "18446744073709551615K"] {
            assert_eq!(bytes(size), None, "{size}");
        }
    }

    #[test]
    fn what_a_cache_does_not_tell_stays_unknown() {
        let (_dir, sysroot) = tree(&[
            ("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n"),
            ("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n"),
            // No type, no level, an unknown type: what they are can't be said.
            ("sys/devices/system/cpu/cpu0/cache/index1/level", "2\n"),
            ("sys/devices/system/cpu/cpu0/cache/index2/type", "Unified\n"),
            ("sys/devices/system/cpu/cpu0/cache/index3/level", "3\n"),
            ("sys/devices/system/cpu/cpu0/cache/index3/type", "Victim\n"),
            ("sys/devices/system/cpu/cpu1/cache/index0/level", "1\n"),
            ("sys/devices/system/cpu/cpu1/cache/index0/type", "Data\n"),
        ]);
        let unknown = Cache { level: 1, kind: CacheKind::Data, size_bytes: None, shared_by: None, count: None };
        assert_eq!(describe(&sysroot, &["cpu0".to_owned(), "cpu1".to_owned()]), [unknown]);
        assert_eq!(describe(&sysroot, &["cpu2".to_owned()]), []);
    }
}
