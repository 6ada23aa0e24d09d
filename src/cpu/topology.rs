//! How processors share caches and memory, and which of them hash when each thread needs a part of a cache.

use std::collections::BTreeMap;

use crate::sysroot::Sysroot;

const CPUS: &str = "sys/devices/system/cpu";
const NODES: &str = "sys/devices/system/node";

/// One processor, as far as the system tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Processor {
    number: usize,
    node: usize,
    /// Which processors share its core, as a list.
    core: Option<String>,
    l2: Option<Cache>,
    l3: Option<Cache>,
}

/// A cache that several processors may share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cache {
    /// Which processors share it, as a list: it identifies the cache.
    users: String,
    bytes: u64,
}

/// How the processors that this process may use share caches and memory.
#[derive(Debug, Clone)]
pub struct Topology(Vec<Processor>);

/// How much of each cache a thread should have for itself, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct CacheNeed {
    /// Of the second level.
    pub l2_bytes: u64,
    /// Of the third level.
    pub l3_bytes: u64,
}

/// What limits a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// There is one for each processor.
    Processors,
    /// More would not have their part of the second-level cache.
    L2,
    /// More would not have their part of the third-level cache.
    L3,
}

/// Which processors hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// All processors, those first on which threads should run first.
    pub processors: Vec<usize>,
    /// How many threads suit the caches.
    pub threads: usize,
    /// What limits that number.
    pub limit: Limit,
}

impl Topology {
    /// Describes the processors `allowed`, by what lies below `sysroot`.
    #[must_use]
    pub fn read(sysroot: &Sysroot, allowed: &[usize]) -> Self {
        let nodes = nodes(sysroot);
        let node_of = |number| nodes.iter().find(|(_, processors)| processors.contains(&number)).map(|(node, _)| *node);
        let processor = |&number: &usize| {
            let read = |file: &str| sysroot.read(format!("{CPUS}/cpu{number}/{file}")).ok();
            let core = read("topology/core_cpus_list").or_else(|| read("topology/thread_siblings_list"));
            let (l2, l3) = (cache(sysroot, number, "2"), cache(sysroot, number, "3"));
            Processor { number, node: node_of(number).unwrap_or(0), core, l2, l3 }
        };
        Self(allowed.iter().map(processor).collect())
    }

    /// Returns the processors of each NUMA node that has any of them.
    #[must_use]
    pub fn nodes(&self) -> Vec<Vec<usize>> {
        let mut nodes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for processor in &self.0 {
            nodes.entry(processor.node).or_default().push(processor.number);
        }
        nodes.into_values().collect()
    }

    /// Finds how many threads have enough of the caches, at least one for each third-level cache, and where they run:
    /// on cores of their own before they share one, and spread over the third-level caches.
    #[must_use]
    pub fn place(&self, need: CacheNeed) -> Placement {
        // A third-level cache may serve several nodes; where none is known, a node stands for one.
        let mut groups: BTreeMap<(Option<&Cache>, usize), Vec<&Processor>> = BTreeMap::new();
        for processor in &self.0 {
            let node = if processor.l3.is_some() { 0 } else { processor.node };
            groups.entry((processor.l3.as_ref(), node)).or_default().push(processor);
        }
        let (mut threads, mut limit, mut ranked) = (0, Limit::Processors, Vec::new());
        for ((l3, _), members) in groups {
            let (suited, its_limit) = suited(l3, &members, need);
            threads += suited;
            limit = limit.max(its_limit);
            ranked.extend(rank(&members).into_iter().map(|(rank, number)| (rank >= suited, rank, number)));
        }
        ranked.sort_unstable();
        Placement { processors: ranked.into_iter().map(|(.., number)| number).collect(), threads, limit }
    }
}

/// Returns how many threads suit processors that share a third-level cache, and what limits them.
fn suited(l3: Option<&Cache>, members: &[&Processor], need: CacheNeed) -> (usize, Limit) {
    let parts = |bytes: u64, each: u64| usize::try_from(bytes / each.max(1)).unwrap_or(usize::MAX);
    let l2s: Option<BTreeMap<&str, u64>> =
        members.iter().map(|member| member.l2.as_ref().map(|l2| (l2.users.as_str(), l2.bytes))).collect();
    let by_l2 = l2s.map_or(usize::MAX, |l2s| l2s.values().map(|&bytes| parts(bytes, need.l2_bytes)).sum());
    let by_l3 = l3.map_or(usize::MAX, |l3| parts(l3.bytes, need.l3_bytes));
    let limits = [(members.len(), Limit::Processors), (by_l2, Limit::L2), (by_l3, Limit::L3)];
    let (threads, limit) = limits.into_iter().min().unwrap_or((1, Limit::Processors));
    (threads.max(1), limit)
}

/// Numbers processors so that the first of each core come before the second of any.
fn rank(members: &[&Processor]) -> Vec<(usize, usize)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<(usize, usize)> = members
        .iter()
        .map(|member| {
            let before = member.core.as_deref().map_or(0, |core| {
                let count = seen.entry(core).or_default();
                *count += 1;
                *count - 1
            });
            (before, member.number)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, number)| number).enumerate().collect()
}

/// Reads the cache of a level that holds data, of one processor.
fn cache(sysroot: &Sysroot, number: usize, level: &str) -> Option<Cache> {
    let directory = format!("{CPUS}/cpu{number}/cache");
    let indices = sysroot.list(&directory).into_iter().filter(|name| name.starts_with("index"));
    indices.into_iter().find_map(|index| {
        let read = |file: &str| sysroot.read(format!("{directory}/{index}/{file}")).ok();
        let is_it = read("level").as_deref() == Some(level) && read("type").as_deref() != Some("Instruction");
        let kib: u64 = read("size").filter(|_| is_it)?.strip_suffix('K')?.parse().ok()?;
        Some(Cache { users: read("shared_cpu_list")?, bytes: kib.checked_mul(1024)? })
    })
}

/// Returns the NUMA nodes with their processors.
fn nodes(sysroot: &Sysroot) -> Vec<(usize, Vec<usize>)> {
    let node = |name: String| {
        let number = name.strip_prefix("node")?.parse().ok()?;
        Some((number, listed(&sysroot.read(format!("{NODES}/{name}/cpulist")).ok()?)))
    };
    sysroot.list(NODES).into_iter().filter_map(node).collect()
}

/// Returns the numbers of a list such as `0-3,8`; what is no list is empty.
fn listed(list: &str) -> Vec<usize> {
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        // No system has more processors; a wrong figure must not fill the memory.
        (last < 1 << 16).then_some(first..=last)
    };
    list.split(',').filter_map(part).flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NEED: CacheNeed = CacheNeed { l2_bytes: 256 << 10, l3_bytes: 2 << 20 };

    /// Writes what Linux would of `count` processors, of which `per_core`, `per_l3` and `per_node` share each, and
    /// reads it.
    fn topology(count: usize, per_core: usize, l2: &str, per_l3: usize, l3: &str, per_node: usize) -> Topology {
        let directory = tempfile::tempdir().unwrap();
        let list = |number: usize, per: usize| format!("{}-{}\n", number / per * per, number / per * per + per - 1);
        let write = |path: String, text: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for number in 0..count {
            write(format!("{CPUS}/cpu{number}/topology/core_cpus_list"), &list(number, per_core));
            for (index, level, kind, size, per) in [
                (0, "1", "Data", "48K", per_core),
                (1, "2", "Instruction", "64K", per_core),
                (2, "2", "Unified", l2, per_core),
                (3, "3", "Unified", l3, per_l3),
            ] {
                let of = |file: &str| format!("{CPUS}/cpu{number}/cache/index{index}/{file}");
                write(of("level"), level);
                write(of("type"), kind);
                write(of("size"), size);
                write(of("shared_cpu_list"), &list(number, per));
            }
            write(format!("{NODES}/node{}/cpulist", number / per_node), &list(number, per_node));
        }
        let allowed: Vec<usize> = (0..count).collect();
        Topology::read(&Sysroot::new(directory.path()).unwrap(), &allowed)
    }

    #[test]
    fn large_caches_leave_one_thread_for_each_processor() {
        let placement = topology(2, 1, "2048K", 2, "491520K", 2).place(NEED);
        assert_eq!(placement, Placement { processors: vec![0, 1], threads: 2, limit: Limit::Processors });
    }

    #[test]
    fn a_small_third_level_cache_limits_threads_to_cores_of_their_own() {
        // A desktop: 4 cores, 8 processors, 8 MiB.
        let placement = topology(8, 2, "256K", 8, "8192K", 8).place(NEED);
        assert_eq!((placement.threads, &placement.processors[..4]), (4, &[0, 2, 4, 6][..]));
        // Both caches have room for four; either is a true answer, and the first in order is given.
        assert_eq!(placement.limit, Limit::L2);
        let placement = topology(8, 2, "512K", 8, "6144K", 8).place(NEED);
        assert_eq!((placement.threads, placement.limit), (3, Limit::L3));
        assert_eq!(placement.processors[..3], [0, 2, 4]);
        assert_eq!(placement.processors.len(), 8, "--threads may ask for more");
    }

    #[test]
    fn a_small_second_level_cache_limits_threads() {
        let placement = topology(8, 2, "256K", 8, "65536K", 8).place(NEED);
        assert_eq!((placement.threads, placement.limit), (4, Limit::L2));
    }

    #[test]
    fn threads_spread_over_caches_and_nodes_and_no_cache_goes_without() {
        // Two nodes of two chiplets, 4 processors each, with 4 MiB a chiplet.
        let chiplets = topology(16, 2, "1024K", 4, "4096K", 8);
        assert_eq!(chiplets.nodes(), [(0..8).collect::<Vec<_>>(), (8..16).collect()]);
        let placement = chiplets.place(NEED);
        assert_eq!((placement.threads, placement.limit), (8, Limit::L3));
        assert_eq!(placement.processors[..8], [0, 4, 8, 12, 2, 6, 10, 14]);
        // Two nodes that share a cache share its room.
        let shared = topology(4, 1, "1024K", 4, "4096K", 2);
        assert_eq!((shared.nodes().len(), shared.place(NEED).threads), (2, 2));
        let tiny = topology(4, 1, "256K", 2, "512K", 4).place(NEED);
        assert_eq!((tiny.threads, &tiny.processors[..2]), (2, &[0, 2][..]));
    }

    #[test]
    fn what_the_system_does_not_tell_limits_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let topology = Topology::read(&Sysroot::new(directory.path()).unwrap(), &[0, 1, 5]);
        assert_eq!(topology.nodes(), [vec![0, 1, 5]]);
        let placement = topology.place(NEED);
        assert_eq!(placement, Placement { processors: vec![0, 1, 5], threads: 3, limit: Limit::Processors });
    }

    #[test]
    fn lists_are_read_as_linux_writes_them() {
        assert_eq!(listed("0-2,8"), [0, 1, 2, 8]);
        assert_eq!(listed(""), [0_usize; 0]);
        assert_eq!(listed("0-99999999999,3"), [3]);
    }
}
