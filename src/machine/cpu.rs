//! The processors, from `proc/cpuinfo` and `sys/devices/system/cpu`.

use std::collections::BTreeSet;
use std::thread;

use super::frequency::Frequency;
use super::{Cpu, cache, frequency};
use crate::sysroot::Sysroot;

/// Where the processors' directories are, below the root.
pub(super) const CPUS: &str = "sys/devices/system/cpu";

/// Where the NUMA nodes' directories are, below the root.
const NODES: &str = "sys/devices/system/node";

/// The extensions that hashing can make use of: Linux's names on x86 and Arm, and the name here.
const FEATURES: [(&str, &str); 13] = [
    ("sha_ni", "sha_ni"),
    ("avx2", "avx2"),
    ("avx512f", "avx512f"),
    ("avx512bw", "avx512bw"),
    ("avx512vl", "avx512vl"),
    ("vaes", "vaes"),
    ("aes", "aes"),
    ("bmi2", "bmi2"),
    ("ssse3", "ssse3"),
    ("sse4_1", "sse4_1"),
    ("sha2", "sha2"),
    ("neon", "neon"),
    ("asimd", "neon"),
];

/// Arm's numbers of the firms that design processors.
const IMPLEMENTERS: [(u32, &str); 8] = [
    (0x41, "Arm"),
    (0x46, "Fujitsu"),
    (0x48, "HiSilicon"),
    (0x4e, "NVIDIA"),
    (0x51, "Qualcomm"),
    (0x61, "Apple"),
    (0x6d, "Microsoft"),
    (0xc0, "Ampere"),
];

/// The lines of `proc/cpuinfo`; none where there is no such file.
pub(super) struct CpuInfo {
    lines: Vec<(String, String)>,
}

impl CpuInfo {
    /// Reads the file below `sysroot`.
    pub(super) fn read(sysroot: &Sysroot) -> Self {
        let text = sysroot.read("proc/cpuinfo").unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Self { lines: lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect() }
    }

    /// Returns the values of a key, one for each processor that has it.
    fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns the first processor's value of a key, unless it is empty.
    fn first(&self, key: &str) -> Option<&str> {
        self.all(key).next().filter(|value| !value.is_empty())
    }

    /// Returns the first processor's number under a key, decimal or hexadecimal.
    fn number(&self, key: &str) -> Option<u32> {
        let value = self.first(key)?;
        match value.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        }
    }

    /// Returns the flags that every processor has; none where there are no flags at all.
    pub(super) fn flags(&self) -> Option<BTreeSet<&str>> {
        self.all("flags")
            .chain(self.all("Features"))
            .map(|flags| flags.split_whitespace().collect::<BTreeSet<_>>())
            .reduce(|common, flags| &common & &flags)
    }

    /// Tells whether the lines are an x86 processor's, whose flags tell a hypervisor.
    pub(super) fn is_x86(&self) -> bool {
        self.first("flags").is_some() && self.first("vendor_id").is_some()
    }

    fn vendor(&self) -> Option<String> {
        if let Some(vendor) = self.first("vendor_id") {
            return Some(vendor.to_owned());
        }
        let number = self.number("CPU implementer")?;
        let name = IMPLEMENTERS.iter().find(|(known, _)| *known == number).map(|(_, name)| (*name).to_owned());
        Some(name.unwrap_or_else(|| format!("{number:#04x}")))
    }
}

/// How the logical processors share cores and sockets.
struct Topology {
    physical_count: Option<u32>,
    sockets: Option<u32>,
}

/// Describes the processors.
pub(super) fn describe(sysroot: &Sysroot, cpuinfo: &CpuInfo) -> Cpu {
    let logical_count = count(cpuinfo.all("processor").count());
    let cpus = directories(sysroot);
    let Topology { physical_count, sockets } = topology(sysroot, cpuinfo, &cpus);
    let smt = match sysroot.read(format!("{CPUS}/smt/active")).as_deref() {
        Ok("1") => Some(true),
        Ok("0") => Some(false),
        _ => logical_count.zip(physical_count).map(|(logical, physical)| logical > physical),
    };
    let flags = cpuinfo.flags().unwrap_or_default();
    let features = FEATURES.iter().filter(|(flag, _)| flags.contains(flag)).map(|(_, name)| (*name).to_owned());
    let Frequency { governor, scaling_driver, energy_preference, boost, min_mhz, max_mhz } =
        frequency::describe(sysroot, &cpus);
    // The affinity is that of this process, which doesn't run on the machine that another root stands for.
    let allowed = if sysroot.is_host() { thread::available_parallelism().ok() } else { None };
    Cpu {
        brand: cpuinfo.first("model name").map(str::to_owned),
        vendor: cpuinfo.vendor(),
        family: cpuinfo.number("cpu family"),
        model: cpuinfo.number("model").or_else(|| cpuinfo.number("CPU part")),
        stepping: cpuinfo.number("stepping").or_else(|| cpuinfo.number("CPU revision")),
        logical_count,
        physical_count,
        sockets,
        smt,
        features: features.collect(),
        governor,
        allowed_count: allowed.and_then(|allowed| count(allowed.get())),
        microcode: frequency::common(cpuinfo.all("microcode").map(str::to_owned)),
        caches: cache::describe(sysroot, &cpus),
        numa_nodes: count(numbered(sysroot, NODES, "node").count()),
        boost,
        scaling_driver,
        energy_preference,
        min_mhz,
        max_mhz,
    }
}

/// Lists the processors' directories, such as `cpu0`; those that are offline have one too.
pub(super) fn directories(sysroot: &Sysroot) -> Vec<String> {
    numbered(sysroot, CPUS, "cpu").collect()
}

/// Lists the names in a directory that are `prefix` and a number.
fn numbered(sysroot: &Sysroot, directory: &str, prefix: &'static str) -> impl Iterator<Item = String> + use<> {
    let is_numbered =
        move |name: &String| name.strip_prefix(prefix).is_some_and(|number| number.parse::<u32>().is_ok());
    sysroot.list(directory).into_iter().filter(is_numbered)
}

/// Counts cores and sockets by the processors' directories, or where these are silent by `proc/cpuinfo`.
fn topology(sysroot: &Sysroot, cpuinfo: &CpuInfo, cpus: &[String]) -> Topology {
    let mut cores = BTreeSet::new();
    let mut sockets = BTreeSet::new();
    for name in cpus {
        let read = |file: &str| sysroot.read(format!("{CPUS}/{name}/topology/{file}")).ok();
        // The older name of the same list.
        cores.extend(read("core_cpus_list").or_else(|| read("thread_siblings_list")));
        // -1 stands for unknown.
        sockets.extend(read("physical_package_id").and_then(|id| id.parse::<u32>().ok()));
    }
    let listed_sockets: BTreeSet<&str> = cpuinfo.all("physical id").collect();
    let logical = cpuinfo.all("processor").count();
    // A core's number is unique in its socket only, and pairs are right only if each processor has both.
    let paired = [cpuinfo.all("physical id").count(), cpuinfo.all("core id").count()] == [logical; 2];
    let pairs = if paired { cpuinfo.all("physical id").zip(cpuinfo.all("core id")).collect() } else { BTreeSet::new() };
    Topology {
        physical_count: count(cores.len()).or_else(|| count(pairs.len())),
        sockets: count(sockets.len()).or_else(|| count(listed_sockets.len())),
    }
}

/// Takes 0 of something that every machine has for unknown.
pub(super) fn count(number: usize) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn describe_tree(files: &[(&str, &str)]) -> Cpu {
        let (_dir, sysroot) = tree(files);
        describe(&sysroot, &CpuInfo::read(&sysroot))
    }

    #[test]
    fn an_arm_processor_has_numbers_for_names() {
        let one = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd aes pmull sha1 sha2 crc32\n\
            CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n";
        let cpu = describe_tree(&[
            ("proc/cpuinfo", &format!("{one}{}", one.replace("processor\t: 0", "processor\t: 1"))),
            ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n"),
            ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "-1\n"),
            ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1\n"),
            ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "-1\n"),
        ]);
        assert_eq!(cpu.brand, None);
        assert_eq!(cpu.vendor.as_deref(), Some("Arm"));
        assert_eq!((cpu.family, cpu.model, cpu.stepping), (None, Some(0xd0c), Some(1)));
        assert_eq!((cpu.logical_count, cpu.physical_count, cpu.sockets), (Some(2), Some(2), None));
        assert_eq!(cpu.smt, Some(false));
        assert_eq!(cpu.features, ["aes", "sha2", "neon"]);
    }

    #[test]
    fn a_virtual_amd_processor_is_described_as_far_as_it_tells() {
        let text = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\n\
            model name\t: AMD EPYC\nstepping\t: 1\nphysical id\t: 0\ncore id\t\t: 0\n\
            flags\t\t: fpu sse2 ssse3 hypervisor bmi2 sha_ni vaes\n\n\
            processor\t: 1\nvendor_id\t: AuthenticAMD\nphysical id\t: 0\ncore id\t\t: 1\n\
            flags\t\t: fpu sse2 ssse3 hypervisor bmi2 sha_ni vaes\n";
        let cpu = describe_tree(&[("proc/cpuinfo", text), ("sys/devices/system/cpu/smt/active", "0\n")]);
        assert_eq!(cpu.brand.as_deref(), Some("AMD EPYC"));
        assert_eq!(cpu.vendor.as_deref(), Some("AuthenticAMD"));
        assert_eq!((cpu.family, cpu.model, cpu.stepping), (Some(26), Some(2), Some(1)));
        assert_eq!((cpu.logical_count, cpu.physical_count, cpu.sockets), (Some(2), Some(2), Some(1)));
        assert_eq!(cpu.smt, Some(false));
        assert_eq!(cpu.features, ["sha_ni", "vaes", "bmi2", "ssse3"]);
        assert_eq!(cpu.governor, None);
    }

    #[test]
    fn an_unknown_implementer_keeps_its_number() {
        let cpu = describe_tree(&[("proc/cpuinfo", "processor : 0\nCPU implementer : 0x70\n")]);
        assert_eq!(cpu.vendor.as_deref(), Some("0x70"));
    }

    #[test]
    fn without_directories_cores_are_counted_in_cpuinfo() {
        let cpu = |number, socket, core| {
            format!("processor : {number}\nphysical id : {socket}\ncore id : {core}\nflags : sse2\n\n")
        };
        // Two sockets with two cores each, whose numbers repeat, and two threads on the first core.
        let text = [cpu(0, 0, 0), cpu(1, 0, 1), cpu(2, 1, 0), cpu(3, 1, 1), cpu(4, 0, 0)].concat();
        let described = describe_tree(&[("proc/cpuinfo", &text)]);
        assert_eq!((described.logical_count, described.physical_count), (Some(5), Some(4)));
        assert_eq!((described.sockets, described.smt), (Some(2), Some(true)));

        let partial = format!("{text}processor : 5\nphysical id : 1\n");
        let described = describe_tree(&[("proc/cpuinfo", &partial)]);
        assert_eq!((described.physical_count, described.smt), (None, None));
    }

    #[test]
    fn only_features_that_all_processors_have_count() {
        let text = "processor : 0\nflags : aes avx2 sha_ni\n\nprocessor : 1\nflags : aes avx2\n";
        assert_eq!(describe_tree(&[("proc/cpuinfo", text)]).features, ["avx2", "aes"]);
    }
}
