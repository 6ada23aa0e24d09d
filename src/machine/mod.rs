//! The description of the system under test: what a measurement can't be understood without.
//!
//! What isn't known is absent, never 0. Host names, user names and serial numbers are never read.

mod cache;
mod cpu;
mod display;
#[cfg(test)]
mod fake;
mod frequency;
mod linux;
mod load;
mod memory;
mod power;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::display::has_display;
pub use self::load::{LoadChange, LoadSnapshot, load, load_change};
pub use self::memory::{available_memory_bytes, free_huge_pages, huge_pages_left_bytes};

use crate::sysroot::Sysroot;

/// The machine that a measurement ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The processors.
    pub cpu: Cpu,
    /// The main memory.
    pub memory: Memory,
    /// The operating system.
    pub os: Os,
    /// Whether the machine is a virtual one.
    pub virtualization: Virtualization,
    /// The graphics adapters, in the order of their ids.
    // Filled by whoever knows them: `describe` leaves it empty.
    pub gpus: Vec<Gpu>,
    /// What the kernel says of each vulnerability of the processors, such as `Mitigation: Retpolines` of `spectre_v2`,
    /// by its name for it. Empty where it says nothing.
    #[serde(default)]
    pub mitigations: BTreeMap<String, String>,
    /// Where the power comes from.
    #[serde(default)]
    pub power: Power,
}

/// The processors of a machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// The name that the processor gives itself, such as `AMD Ryzen 9 9950X 16-Core Processor`.
    pub brand: Option<String>,
    /// Who made it: `GenuineIntel`, `AuthenticAMD`, or on Arm the implementer's name, or its number where unknown.
    pub vendor: Option<String>,
    /// The family, on x86.
    pub family: Option<u32>,
    /// The model; on Arm the part number.
    pub model: Option<u32>,
    /// The stepping; on Arm the revision.
    pub stepping: Option<u32>,
    /// How many logical processors are online.
    pub logical_count: Option<u32>,
    /// How many physical cores are online.
    pub physical_count: Option<u32>,
    /// How many sockets have a processor.
    pub sockets: Option<u32>,
    /// Whether cores run several threads at once.
    pub smt: Option<bool>,
    /// The instruction set extensions that matter for hashing and that every processor has, by Linux's names, but
    /// `neon` for Arm's `asimd`. Empty where they aren't known too.
    pub features: Vec<String>,
    /// The frequency governor, such as `performance`; `mixed` where processors have different ones.
    pub governor: Option<String>,
    /// How many logical processors this process may use, by its affinity and its cgroup's quota.
    pub allowed_count: Option<u32>,
    /// The version of the microcode as the kernel writes it, such as `0xa201030`; `mixed` where processors have
    /// different ones. A hypervisor may make it up.
    #[serde(default)]
    pub microcode: Option<String>,
    /// The caches, one entry for all that are alike, by level and by what they hold. Empty where they aren't known. A
    /// hypervisor may make them up.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// How many NUMA nodes there are, those without processors included.
    #[serde(default)]
    pub numa_nodes: Option<u32>,
    /// Whether clocks may rise past the nominal one.
    #[serde(default)]
    pub boost: Option<bool>,
    /// What sets the clocks, such as `intel_pstate` or `acpi-cpufreq`; `mixed` where processors have different ones.
    #[serde(default)]
    pub scaling_driver: Option<String>,
    /// What the processors were told to favour when they set their clocks themselves, such as `balance_performance`;
    /// `mixed` where they were told different things.
    #[serde(default)]
    pub energy_preference: Option<String>,
    /// The lowest clock that any processor can be set to, in MHz.
    #[serde(default)]
    pub min_mhz: Option<f64>,
    /// The highest clock that any processor can be set to, in MHz.
    #[serde(default)]
    pub max_mhz: Option<f64>,
}

/// Caches of a machine's processors that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cache {
    /// The level, from 1 for the closest to the core.
    pub level: u32,
    /// What it holds.
    pub kind: CacheKind,
    /// The size of one of them, in bytes.
    pub size_bytes: Option<u64>,
    /// How many logical processors share one of them.
    pub shared_by: Option<u32>,
    /// How many of them there are.
    pub count: Option<u32>,
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// Data alone.
    Data,
    /// Instructions alone.
    Instruction,
    /// Both.
    Unified,
}

/// The main memory of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// All of it, in bytes.
    pub total_bytes: Option<u64>,
    /// What this process could still use, limits of its cgroup included, in bytes.
    pub available_bytes: Option<u64>,
    /// How many huge pages of 2 MiB are reserved.
    pub huge_pages_2mib_total: Option<u64>,
    /// How many of them are free.
    pub huge_pages_2mib_free: Option<u64>,
    /// When the kernel uses huge pages unasked: `always`, `madvise` or `never`.
    pub transparent_huge_pages: Option<String>,
    /// How many huge pages of 1 GiB are reserved.
    #[serde(default)]
    pub huge_pages_1gib_total: Option<u64>,
    /// How many of them are free.
    #[serde(default)]
    pub huge_pages_1gib_free: Option<u64>,
    /// The size of an ordinary page, in bytes.
    #[serde(default)]
    pub page_size_bytes: Option<u64>,
}

/// The operating system of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Os {
    /// Its kind, such as `linux`.
    pub kind: String,
    /// The release of its kernel, such as `6.12.48`.
    pub kernel: Option<String>,
    /// The architecture that hashwatt was built for, such as `x86_64`.
    pub arch: String,
}

/// Whether a machine is a virtual one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Virtualization {
    /// Whether it runs on a hypervisor; none where nothing tells.
    pub hypervisor: Option<bool>,
    /// What the hypervisor calls itself or its machine, such as `xen` or `QEMU Standard PC (Q35 + ICH9, 2009)`.
    pub name: Option<String>,
}

/// Where a machine's power comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// Whether it runs on a battery; none where no supply tells, as in most machines without one.
    pub on_battery: Option<bool>,
    /// The firmware's profile, such as `balanced` or `low-power`.
    pub profile: Option<String>,
}

/// A graphics adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// The device's id, such as `gpu0`.
    pub id: String,
    /// The name that the driver gives it.
    pub name: String,
    /// The PCI id of its vendor, 0 where the driver tells none.
    pub vendor_id: u32,
    /// The vendor's id of the device, 0 where the driver tells none.
    pub device_id: u32,
    /// The interface that it is driven by, such as `vulkan`.
    pub backend: String,
    /// The driver's name.
    pub driver: String,
    /// The driver's version, as it tells it.
    pub driver_info: String,
    /// Where it sits on the PCI bus, such as `0000:01:00.0`.
    pub pci_bus_id: Option<String>,
    /// Whether it is no card but a driver that computes on the processors.
    pub software: bool,
    /// The power that it may draw at most, as it is set, in watts.
    #[serde(default)]
    pub power_limit_w: Option<f64>,
    /// The highest clock that its cores may run at, as its driver tells it, in MHz.
    #[serde(default)]
    pub clock_mhz: Option<f64>,
    /// The highest clock that its memory may run at, as its driver tells it, in MHz.
    #[serde(default)]
    pub memory_clock_mhz: Option<f64>,
    /// What it can do at most. Absent in older records.
    #[serde(default)]
    pub limits: Option<GpuLimits>,
    /// Whether it draws a desktop, where the system tells.
    #[serde(default)]
    pub has_display: Option<bool>,
}

/// What a graphics adapter can do at most, as far as its driver and the interface let it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GpuLimits {
    /// Invocations of a workgroup in each of the three dimensions.
    pub workgroup_size: [u32; 3],
    /// Invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Workgroups of a dispatch in each dimension.
    pub workgroups_per_dimension: u32,
    /// Memory that the invocations of a workgroup share, in bytes.
    pub workgroup_storage_bytes: u32,
    /// The size of a buffer, in bytes.
    pub buffer_bytes: u64,
    /// As much of a buffer as a shader can see at once, in bytes.
    pub storage_binding_bytes: u64,
    /// The least number of invocations that run in lockstep; none where the driver doesn't tell.
    pub subgroup_size_min: Option<u32>,
    /// The greatest number of invocations that run in lockstep; none where the driver doesn't tell.
    pub subgroup_size_max: Option<u32>,
    /// Whether it can tell when it began and ended a piece of work.
    pub has_timestamps: bool,
}

/// Describes the machine from what lies below `sysroot`, without its graphics adapters.
///
/// What the running process alone knows, such as its affinity, is part of it only for the real root.
#[must_use]
pub fn describe(sysroot: &Sysroot) -> Machine {
    let cpuinfo = cpu::CpuInfo::read(sysroot);
    Machine {
        cpu: cpu::describe(sysroot, &cpuinfo),
        memory: memory::describe(sysroot),
        os: linux::os(sysroot),
        virtualization: linux::virtualization(sysroot, &cpuinfo),
        gpus: Vec::new(),
        mitigations: linux::mitigations(sysroot),
        power: power::describe(sysroot),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// Builds a tree of files.
    pub(super) fn tree(files: &[(&str, &str)]) -> (TempDir, Sysroot) {
        let dir = TempDir::new().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let sysroot = Sysroot::new(dir.path()).unwrap();
        (dir, sysroot)
    }

    const INTEL: &str = "\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 167
model name\t: 11th Gen Intel(R) Core(TM) i7-11700K @ 3.60GHz
stepping\t: 1
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu sse2 ssse3 sse4_1 aes avx2 bmi2 avx512f avx512bw sha_ni avx512vl vaes

processor\t: 1
vendor_id\t: GenuineIntel
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu sse2 ssse3 sse4_1 aes avx2 bmi2 avx512f avx512bw sha_ni avx512vl vaes
";

    #[test]
    fn an_intel_desktop_is_described_whole() {
        let (_dir, sysroot) = tree(&[
            ("proc/cpuinfo", INTEL),
            ("proc/meminfo", "MemTotal:       32768 kB\nMemFree:  1 kB\nMemAvailable:   16384 kB\n"),
            ("proc/sys/kernel/osrelease", "6.12.48-amd64\n"),
            ("sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0-1\n"),
            ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpu1/topology/core_cpus_list", "0-1\n"),
            ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpufreq/boost", "1\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/smt/active", "1\n"),
            ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "1280\n"),
            ("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "1270\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("sys/class/dmi/id/sys_vendor", "ASUS\n"),
            ("sys/class/dmi/id/product_name", "System Product Name\n"),
        ]);
        let features = ["sha_ni", "avx2", "avx512f", "avx512bw", "avx512vl", "vaes", "aes", "bmi2", "ssse3", "sse4_1"];
        let expected = Machine {
            cpu: Cpu {
                brand: Some("11th Gen Intel(R) Core(TM) i7-11700K @ 3.60GHz".to_owned()),
                vendor: Some("GenuineIntel".to_owned()),
                family: Some(6),
                model: Some(167),
                stepping: Some(1),
                logical_count: Some(2),
                physical_count: Some(1),
                sockets: Some(1),
                smt: Some(true),
                features: features.map(str::to_owned).to_vec(),
                governor: Some("powersave".to_owned()),
                boost: Some(true),
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: Some(33_554_432),
                available_bytes: Some(16_777_216),
                huge_pages_2mib_total: Some(1280),
                huge_pages_2mib_free: Some(1270),
                transparent_huge_pages: Some("madvise".to_owned()),
                ..Memory::default()
            },
            os: Os {
                kind: std::env::consts::OS.to_owned(),
                kernel: Some("6.12.48-amd64".to_owned()),
                arch: std::env::consts::ARCH.to_owned(),
            },
            virtualization: Virtualization { hypervisor: Some(false), name: None },
            gpus: Vec::new(),
            mitigations: BTreeMap::new(),
            power: Power::default(),
        };
        let machine = describe(&sysroot);
        assert_eq!(machine, expected);
        let json = serde_json::to_string(&machine).unwrap();
        assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
    }

    #[test]
    fn an_empty_tree_leaves_everything_unknown_and_falls_back_to_nothing() {
        let (_dir, sysroot) = tree(&[]);
        let machine = describe(&sysroot);
        assert_eq!(machine.cpu, Cpu::default());
        assert_eq!(machine.cpu.caches, []);
        assert_eq!(machine.memory, Memory::default());
        assert_eq!(machine.power, Power { on_battery: None, profile: None });
        assert_eq!(machine.mitigations, BTreeMap::new());
        assert_eq!(machine.os.kernel, None);
        assert_eq!(machine.virtualization, Virtualization { hypervisor: None, name: None });
    }

    #[test]
    fn a_record_from_before_the_later_fields_still_reads() {
        let old = r#"{
            "cpu": {
                "brand": "AMD EPYC", "vendor": "AuthenticAMD", "family": 26, "model": 2, "stepping": 1,
                "logical_count": 2, "physical_count": 2, "sockets": 1, "smt": false, "features": ["sha_ni"],
                "governor": null, "allowed_count": 2
            },
            "memory": {
                "total_bytes": 8, "available_bytes": 4, "huge_pages_2mib_total": 0, "huge_pages_2mib_free": 0,
                "transparent_huge_pages": "madvise"
            },
            "os": { "kind": "linux", "kernel": "6.18.44", "arch": "x86_64" },
            "virtualization": { "hypervisor": true, "name": null },
            "gpus": [{
                "id": "gpu0", "name": "llvmpipe", "vendor_id": 65541, "device_id": 0, "backend": "vulkan",
                "driver": "llvmpipe", "driver_info": "Mesa", "pci_bus_id": null, "software": true
            }]
        }"#;
        let machine: Machine = serde_json::from_str(old).unwrap();
        assert_eq!((machine.cpu.caches, machine.cpu.microcode, machine.cpu.boost), (Vec::new(), None, None));
        assert_eq!((machine.memory.huge_pages_1gib_total, machine.memory.page_size_bytes), (None, None));
        assert_eq!((machine.mitigations, machine.power), (BTreeMap::new(), Power::default()));
        assert_eq!((machine.gpus[0].power_limit_w, machine.gpus[0].clock_mhz), (None, None));
        assert_eq!(machine.gpus[0].limits, None);
    }

    #[test]
    fn nothing_that_names_the_owner_gets_into_the_description() {
        let cpuinfo = format!("{INTEL}\nSerial\t\t: SECRET-cpu\nModel\t\t: Board of SECRET-owner\n");
        let (_dir, sysroot) = tree(&[
            ("proc/cpuinfo", &cpuinfo),
            ("proc/sys/kernel/hostname", "SECRET-host\n"),
            ("proc/sys/kernel/domainname", "SECRET-domain\n"),
            ("etc/hostname", "SECRET-host\n"),
            ("proc/self/environ", "USER=SECRET-user\0"),
            ("proc/self/cgroup", "0::/user.slice/SECRET-user\n"),
            ("sys/fs/cgroup/user.slice/SECRET-user/memory.max", "max\n"),
            ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
            ("sys/class/dmi/id/product_name", "Standard PC\n"),
            ("sys/class/dmi/id/product_serial", "SECRET-serial\n"),
            ("sys/class/dmi/id/product_uuid", "SECRET-uuid\n"),
            ("sys/class/dmi/id/board_serial", "SECRET-board\n"),
            ("sys/class/dmi/id/chassis_asset_tag", "SECRET-tag\n"),
            ("sys/hypervisor/uuid", "SECRET-uuid\n"),
            ("sys/class/power_supply/BAT0/type", "Battery\n"),
            ("sys/class/power_supply/BAT0/status", "Full\n"),
            ("sys/class/power_supply/BAT0/serial_number", "SECRET-battery\n"),
            ("proc/cmdline", "root=UUID=SECRET-disk\n"),
        ]);
        let machine = describe(&sysroot);
        assert_eq!(machine.virtualization.name.as_deref(), Some("QEMU Standard PC"));
        let json = serde_json::to_string(&machine).unwrap();
        assert!(!json.contains("SECRET"), "{json}");
    }

    #[test]
    fn the_real_machine_can_be_described() {
        let machine = describe(&Sysroot::default());
        assert!(machine.cpu.allowed_count.is_some_and(|count| count > 0));
        if cfg!(target_os = "linux") {
            assert!(machine.cpu.logical_count.is_some_and(|count| count > 0));
            assert!(machine.memory.total_bytes > machine.memory.available_bytes);
            assert!(machine.os.kernel.is_some());
            assert!(machine.memory.page_size_bytes.is_some_and(|bytes| bytes >= 4096 && bytes.is_power_of_two()));
        }
    }
}
