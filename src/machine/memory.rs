//! The main memory, and how much of it this process may still use.

use std::path::{Component, Path};

use super::Memory;
use crate::sysroot::Sysroot;

/// Where the pools of huge pages are, below the root.
const HUGE_PAGES: &str = "sys/kernel/mm/hugepages";

/// The pool of pages of 2 MiB.
const PAGES_2MIB: &str = "hugepages-2048kB";

/// The pool of pages of 1 GiB.
const PAGES_1GIB: &str = "hugepages-1048576kB";

/// Describes the main memory.
pub(super) fn describe(sysroot: &Sysroot) -> Memory {
    let huge_pages = |directory: &str, file: &str| number(sysroot, format!("{HUGE_PAGES}/{directory}/{file}"));
    Memory {
        total_bytes: meminfo_bytes(sysroot, "MemTotal"),
        available_bytes: available_memory_bytes(sysroot),
        huge_pages_2mib_total: huge_pages(PAGES_2MIB, "nr_hugepages"),
        huge_pages_2mib_free: huge_pages(PAGES_2MIB, "free_hugepages"),
        transparent_huge_pages: transparent_huge_pages(sysroot),
        huge_pages_1gib_total: huge_pages(PAGES_1GIB, "nr_hugepages"),
        huge_pages_1gib_free: huge_pages(PAGES_1GIB, "free_hugepages"),
        // No file tells it of another machine.
        page_size_bytes: if sysroot.is_host() { page_size_bytes() } else { None },
    }
}

/// Asks the running system for the size of a page, in bytes.
#[cfg(unix)]
fn page_size_bytes() -> Option<u64> {
    u64::try_from(rustix::param::page_size()).ok()
}

/// Nothing tells it here.
#[cfg(not(unix))]
fn page_size_bytes() -> Option<u64> {
    None
}

/// Returns how much memory this process could still use, in bytes.
///
/// That is the smallest of what the machine has available and what the limit of each cgroup around the process leaves,
/// both counting file caches that the kernel would drop as free. None where nothing tells, as on other systems than
/// Linux. Memory that huge pages are reserved for isn't part of it.
#[must_use]
pub fn available_memory_bytes(sysroot: &Sysroot) -> Option<u64> {
    [meminfo_bytes(sysroot, "MemAvailable"), left_in_cgroups(sysroot)].into_iter().flatten().min()
}

/// Returns how many reserved huge pages of this size are free.
#[must_use]
pub fn free_huge_pages(sysroot: &Sysroot, page_bytes: u64) -> u64 {
    let directory = if page_bytes >= 1 << 30 { PAGES_1GIB } else { PAGES_2MIB };
    number(sysroot, format!("{HUGE_PAGES}/{directory}/free_hugepages")).unwrap_or(0)
}

/// Returns how much of its huge pages of this size this process may still use by the limits of its cgroups, in bytes;
/// none where nothing limits it.
#[must_use]
pub fn huge_pages_left_bytes(page_bytes: u64) -> Option<u64> {
    huge_pages_left_below(&Sysroot::default(), page_bytes)
}

fn huge_pages_left_below(sysroot: &Sysroot, page_bytes: u64) -> Option<u64> {
    let size = if page_bytes >= 1 << 30 { "1GB" } else { "2MB" };
    let text = sysroot.read("proc/self/cgroup").ok()?;
    let groups = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        match controllers {
            "" => Some(("sys/fs/cgroup", format!("hugetlb.{size}.max"), format!("hugetlb.{size}.current"), path)),
            _ if controllers.split(',').any(|name| name == "hugetlb") => Some((
                "sys/fs/cgroup/hugetlb",
                format!("hugetlb.{size}.limit_in_bytes"),
                format!("hugetlb.{size}.usage_in_bytes"),
                path,
            )),
            _ => None,
        }
    });
    let left = groups.flat_map(|(mount, limit, usage, path)| {
        let left = |group: &Path| {
            let group = Path::new(mount).join(group);
            let limit = number(sysroot, group.join(&limit))?;
            Some(limit.saturating_sub(number(sysroot, group.join(&usage)).unwrap_or(0)))
        };
        visible(path).ancestors().filter_map(left).collect::<Vec<_>>()
    });
    left.min()
}

/// Returns an entry of `proc/meminfo` in bytes.
fn meminfo_bytes(sysroot: &Sysroot, key: &str) -> Option<u64> {
    let text = sysroot.read("proc/meminfo").ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Returns the bracketed word of `always [madvise] never`.
fn transparent_huge_pages(sysroot: &Sysroot) -> Option<String> {
    let text = sysroot.read("sys/kernel/mm/transparent_hugepage/enabled").ok()?;
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word.to_owned())
}

/// Reads a file with one whole number; a word such as `max` is none.
fn number(sysroot: &Sysroot, path: impl AsRef<Path>) -> Option<u64> {
    sysroot.read(path).ok()?.parse().ok()
}

/// Where one version of cgroups keeps limits on memory.
struct Hierarchy {
    mount: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// The entry of `memory.stat` that counts caches nobody uses, including those of the groups below.
    cache: &'static str,
}

const V2: Hierarchy =
    Hierarchy { mount: "sys/fs/cgroup", limit: "memory.max", usage: "memory.current", cache: "inactive_file" };
const V1: Hierarchy = Hierarchy {
    mount: "sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    cache: "total_inactive_file",
};

/// Returns what the tightest cgroup around this process leaves, in bytes; none where no cgroup has a limit.
fn left_in_cgroups(sysroot: &Sysroot) -> Option<u64> {
    let text = sysroot.read("proc/self/cgroup").ok()?;
    let groups = text.lines().filter_map(|line| {
        // hierarchy:controllers:path, and the path may hold colons itself.
        let mut fields = line.splitn(3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        match (id, controllers) {
            ("0", "") => Some((&V2, path)),
            (_, controllers) if controllers.split(',').any(|name| name == "memory") => Some((&V1, path)),
            _ => None,
        }
    });
    groups.filter_map(|(hierarchy, path)| left_in_group_and_parents(sysroot, hierarchy, path)).min()
}

/// Returns what is left in the tightest of a cgroup and its parents, up to the mount.
///
/// The mount itself counts too: inside a container it often is the container's own group, while the path is the host's.
fn left_in_group_and_parents(sysroot: &Sysroot, hierarchy: &Hierarchy, path: &str) -> Option<u64> {
    visible(path)
        .ancestors()
        .filter_map(|group| left_in_group(sysroot, hierarchy, &Path::new(hierarchy.mount).join(group)))
        .min()
}

/// Returns the path of a cgroup below its mount. A group outside of the process's namespace is shown as `/../...`, and
/// no file of it can be seen: then it is the mount itself.
fn visible(path: &str) -> &Path {
    let path = Path::new(path.trim_start_matches('/'));
    let is_visible = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_visible { path } else { Path::new("") }
}

/// Returns what one cgroup's own limit leaves.
fn left_in_group(sysroot: &Sysroot, hierarchy: &Hierarchy, group: &Path) -> Option<u64> {
    let limit = number(sysroot, group.join(hierarchy.limit))?;
    let usage = number(sysroot, group.join(hierarchy.usage)).unwrap_or(0);
    let stat = sysroot.read(group.join("memory.stat")).unwrap_or_default();
    let cache = stat.lines().find_map(|line| line.strip_prefix(hierarchy.cache)?.trim().parse().ok());
    Some(limit.saturating_sub(usage.saturating_sub(cache.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:    8000 kB\nMemFree:     1000 kB\nMemAvailable:    4000 kB\n");

    fn available(files: &[(&str, &str)]) -> Option<u64> {
        let (_dir, sysroot) = tree(files);
        available_memory_bytes(&sysroot)
    }

    #[test]
    fn without_a_limit_the_machine_decides() {
        assert_eq!(available(&[]), None);
        assert_eq!(available(&[MEMINFO]), Some(4_096_000));
        assert_eq!(available(&[MEMINFO, ("proc/self/cgroup", "0::/\n")]), Some(4_096_000));
        let unlimited = [
            MEMINFO,
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/a/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.current", "900\n"),
        ];
        assert_eq!(available(&unlimited), Some(4_096_000));
        assert_eq!(available(&[("proc/meminfo", "MemAvailable: many kB\n")]), None);
        assert_eq!(available(&[("proc/meminfo", "MemTotal: 7 kB\n")]), None);
    }

    // Windows has no colons in file names.
    #[cfg(unix)]
    #[test]
    fn the_tightest_group_of_version_2_decides() {
        let group = ("proc/self/cgroup", "0::/slice/a:b\n");
        let own = [
            ("sys/fs/cgroup/slice/a:b/memory.max", "3000000\n"),
            ("sys/fs/cgroup/slice/a:b/memory.current", "1000000\n"),
        ];
        let parent =
            [("sys/fs/cgroup/slice/memory.max", "2500000\n"), ("sys/fs/cgroup/slice/memory.current", "1200000\n")];
        let root = [("sys/fs/cgroup/memory.max", "1000001\n"), ("sys/fs/cgroup/memory.current", "1\n")];
        assert_eq!(available(&[&[MEMINFO, group], &own[..]].concat()), Some(2_000_000));
        assert_eq!(available(&[&[MEMINFO, group], &own[..], &parent].concat()), Some(1_300_000));
        assert_eq!(available(&[&[MEMINFO, group], &own[..], &parent, &root].concat()), Some(1_000_000));
        // Without proc/meminfo the limit is all that is known.
        assert_eq!(available(&[&[group], &own[..]].concat()), Some(2_000_000));
    }

    #[test]
    fn caches_that_the_kernel_would_drop_are_free_and_overdrawn_groups_have_nothing_left() {
        let group = ("proc/self/cgroup", "0::/\n");
        let limit = ("sys/fs/cgroup/memory.max", "1000\n");
        let usage = ("sys/fs/cgroup/memory.current", "900\n");
        let stat = ("sys/fs/cgroup/memory.stat", "anon 100\ninactive_file_x 5\ninactive_file 700\n");
        assert_eq!(available(&[group, limit, usage]), Some(100));
        assert_eq!(available(&[group, limit, usage, stat]), Some(800));
        assert_eq!(available(&[group, limit, ("sys/fs/cgroup/memory.current", "1200\n")]), Some(0));
    }

    #[test]
    fn version_1_counts_too() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1500\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 300\n"),
        ];
        assert_eq!(available(&files), Some(800));
        let unlimited = [
            MEMINFO,
            ("proc/self/cgroup", "4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(available(&unlimited), Some(4_096_000));
    }

    #[test]
    fn limits_on_huge_pages_are_read_of_both_versions_and_by_size() {
        let left = |files: &[(&str, &str)], page_bytes| {
            let (_dir, sysroot) = tree(files);
            huge_pages_left_below(&sysroot, page_bytes)
        };
        let v2 = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/hugetlb.2MB.max", "max\n"),
            ("sys/fs/cgroup/a/hugetlb.2MB.max", "8388608\n"),
            ("sys/fs/cgroup/a/hugetlb.2MB.current", "2097152\n"),
        ];
        assert_eq!(left(&v2, 2 << 20), Some(6_291_456));
        assert_eq!(left(&v2, 1 << 30), None);
        let v1 =
            [("proc/self/cgroup", "7:hugetlb:/x\n"), ("sys/fs/cgroup/hugetlb/x/hugetlb.1GB.limit_in_bytes", "0\n")];
        assert_eq!(left(&v1, 1 << 30), Some(0));
        assert_eq!(left(&[], 2 << 20), None);
    }

    #[test]
    fn a_group_outside_the_namespace_leads_nowhere_else() {
        let files = [
            ("proc/self/cgroup", "0::/../../etc\n"),
            ("sys/etc/memory.max", "5\n"),
            ("sys/fs/cgroup/memory.max", "70\n"),
        ];
        assert_eq!(available(&files), Some(70));
    }

    #[test]
    fn huge_page_files_are_read_by_their_own_names() {
        let (_dir, sysroot) = tree(&[
            ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n"),
            ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "3\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"),
        ]);
        let memory = describe(&sysroot);
        assert_eq!((memory.huge_pages_2mib_total, memory.huge_pages_2mib_free), (Some(0), None));
        assert_eq!((memory.huge_pages_1gib_total, memory.huge_pages_1gib_free), (None, Some(3)));
        assert_eq!(memory.transparent_huge_pages.as_deref(), Some("never"));
    }
}
