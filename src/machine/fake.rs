//! Whole machines as trees of files, and what the description makes of them.

use std::collections::BTreeMap;

use super::tests::tree;
use super::{Cache, CacheKind, LoadSnapshot, Machine, Power, describe, load};

const CPUS: &str = "sys/devices/system/cpu";

/// A machine's files.
#[derive(Default)]
struct Files(Vec<(String, String)>);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), format!("{text}\n"))).collect())
    }

    fn add(&mut self, path: String, text: impl ToString) {
        self.0.push((path, format!("{}\n", text.to_string())));
    }

    /// Gives a processor its caches, each with level, type, size (empty for none) and the list of its users.
    fn add_caches(&mut self, cpu: u32, caches: &[(u32, &str, &str, &str)]) {
        for (index, (level, kind, size, users)) in caches.iter().enumerate() {
            let directory = format!("{CPUS}/cpu{cpu}/cache/index{index}");
            self.add(format!("{directory}/level"), level);
            self.add(format!("{directory}/type"), kind);
            if !size.is_empty() {
                self.add(format!("{directory}/size"), size);
            }
            self.add(format!("{directory}/shared_cpu_list"), users);
        }
    }

    /// Gives a processor its place.
    fn add_topology(&mut self, cpu: u32, threads: &str, socket: i32) {
        self.add(format!("{CPUS}/cpu{cpu}/topology/core_cpus_list"), threads);
        self.add(format!("{CPUS}/cpu{cpu}/topology/physical_package_id"), socket);
    }

    /// Gives a processor its cpufreq files: driver, governor, lowest, highest and present clock in kHz.
    fn add_cpufreq(&mut self, cpu: u32, driver: &str, governor: &str, khz: [u32; 3]) {
        let directory = format!("{CPUS}/cpu{cpu}/cpufreq");
        self.add(format!("{directory}/scaling_driver"), driver);
        self.add(format!("{directory}/scaling_governor"), governor);
        for (file, khz) in ["cpuinfo_min_freq", "cpuinfo_max_freq", "scaling_cur_freq"].into_iter().zip(khz) {
            self.add(format!("{directory}/{file}"), khz);
        }
    }

    fn read(&self) -> (Machine, LoadSnapshot) {
        let files: Vec<(&str, &str)> = self.0.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let (_dir, sysroot) = tree(&files);
        let (machine, load) = (describe(&sysroot), load(&sysroot));
        let json = serde_json::to_string(&machine).unwrap();
        assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
        (machine, load)
    }
}

/// The blocks of `proc/cpuinfo` of `count` processors, each with a number and the same lines.
fn cpuinfo(count: u32, lines: &str) -> String {
    (0..count).map(|number| format!("processor\t: {number}\n{lines}\n\n")).collect()
}

fn cache(level: u32, kind: CacheKind, kib: u64, shared_by: u32, count: u32) -> Cache {
    Cache { level, kind, size_bytes: Some(kib * 1024), shared_by: Some(shared_by), count: Some(count) }
}

#[test]
fn a_virtual_epyc_tells_caches_and_mitigations_but_no_clocks() {
    let mut files = Files::new(&[
        ("proc/meminfo", "MemTotal: 8131072 kB\nMemAvailable: 7000000 kB"),
        ("proc/stat", "cpu  174123 258968 30740 535666 2431 0 270 380 0 0"),
        ("proc/loadavg", "0.92 1.29 1.23 2/94 13757"),
        ("sys/devices/system/cpu/smt/active", "0"),
        ("sys/devices/system/node/node0/cpulist", "0-1"),
        ("sys/devices/system/node/has_cpu", "0"),
        ("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected"),
        ("sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow", "Vulnerable: Safe RET, no microcode"),
        ("sys/devices/system/cpu/vulnerabilities/spectre_v1", ""),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0"),
    ]);
    files.add(
        "proc/cpuinfo".to_owned(),
        cpuinfo(
            2,
            "vendor_id : AuthenticAMD\nmodel name : AMD EPYC\nmicrocode : 0x1000065\nflags : fpu hypervisor sha_ni",
        ),
    );
    for cpu in 0..2 {
        let own = cpu.to_string();
        files.add_topology(cpu, &own, 0);
        files.add_caches(
            cpu,
            &[
                (1, "Data", "48K", &own),
                (1, "Instruction", "32K", &own),
                (2, "Unified", "1024K", &own),
                (3, "Unified", "32768K", "0-1"),
            ],
        );
    }
    let (Machine { cpu, memory, mitigations, power, virtualization, .. }, load) = files.read();
    assert_eq!(cpu.microcode.as_deref(), Some("0x1000065"));
    let caches = [
        cache(1, CacheKind::Data, 48, 1, 2),
        cache(1, CacheKind::Instruction, 32, 1, 2),
        cache(2, CacheKind::Unified, 1024, 1, 2),
        cache(3, CacheKind::Unified, 32768, 2, 1),
    ];
    assert_eq!(cpu.caches, caches);
    assert_eq!((cpu.physical_count, cpu.smt, cpu.numa_nodes), (Some(2), Some(false), Some(1)));
    assert_eq!((cpu.governor, cpu.scaling_driver, cpu.boost), (None, None, None));
    assert_eq!((cpu.min_mhz, cpu.max_mhz), (None, None));
    assert_eq!((memory.huge_pages_1gib_total, memory.huge_pages_2mib_total), (Some(0), None));
    let expected = [("meltdown", "Not affected"), ("spec_rstack_overflow", "Vulnerable: Safe RET, no microcode")];
    assert_eq!(mitigations, BTreeMap::from(expected.map(|(name, text)| (name.to_owned(), text.to_owned()))));
    assert_eq!(power, Power::default());
    assert_eq!(virtualization.hypervisor, Some(true));
    assert_eq!((load.steal_s, load.load_average_1min), (Some(3.8), Some(0.92)));
    assert_eq!((load.clock_mhz, load.temperature_c, load.throttle_events), (None, None, None));
}

/// Two large cores with two threads each, then a cluster of four small ones.
#[test]
fn a_hybrid_laptop_tells_its_clusters_its_battery_and_its_heat() {
    let mut files = Files::new(&[
        ("sys/devices/system/cpu/smt/active", "1"),
        ("sys/devices/system/cpu/intel_pstate/no_turbo", "1"),
        ("sys/firmware/acpi/platform_profile", "low-power"),
        ("sys/class/power_supply/AC/type", "Mains"),
        ("sys/class/power_supply/AC/online", "0"),
        ("sys/class/power_supply/BAT0/type", "Battery"),
        ("sys/class/power_supply/BAT0/status", "Discharging"),
        ("sys/class/power_supply/BAT0/serial_number", "1234"),
        ("sys/class/power_supply/hidpp_battery_0/type", "Battery"),
        ("sys/class/power_supply/hidpp_battery_0/scope", "Device"),
        ("sys/class/power_supply/hidpp_battery_0/status", "Full"),
        ("sys/class/thermal/thermal_zone0/type", "acpitz"),
        ("sys/class/thermal/thermal_zone0/temp", "27800"),
        ("sys/class/thermal/thermal_zone3/type", "x86_pkg_temp"),
        ("sys/class/thermal/thermal_zone3/temp", "91000"),
        ("sys/class/hwmon/hwmon5/name", "coretemp"),
        ("sys/class/hwmon/hwmon5/temp1_input", "92000"),
    ]);
    files.add("proc/cpuinfo".to_owned(), cpuinfo(8, "vendor_id : GenuineIntel\nmicrocode : 0x436\nflags : fpu avx2"));
    for cpu in 0..8 {
        let own = cpu.to_string();
        let (threads, cluster, l1d, l1i, l2) = match cpu {
            0 | 1 => ("0-1", "0-1", "48K", "32K", "1280K"),
            2 | 3 => ("2-3", "2-3", "48K", "32K", "1280K"),
            _ => (own.as_str(), "4-7", "32K", "64K", "2048K"),
        };
        files.add_topology(cpu, threads, 0);
        files.add_caches(
            cpu,
            &[
                (1, "Data", l1d, threads),
                (1, "Instruction", l1i, threads),
                (2, "Unified", l2, cluster),
                (3, "Unified", "12288K", "0-7"),
            ],
        );
        let khz = if cpu < 4 { [400_000, 4_400_000, 2_000_000] } else { [400_000, 3_300_000, 1_000_000] };
        files.add_cpufreq(cpu, "intel_pstate", "powersave", khz);
        files.add(format!("{CPUS}/cpu{cpu}/cpufreq/energy_performance_preference"), "balance_power");
        files.add(format!("{CPUS}/cpu{cpu}/thermal_throttle/core_throttle_count"), u32::from(cpu == 2));
        files.add(format!("{CPUS}/cpu{cpu}/thermal_throttle/package_throttle_count"), 2);
    }
    let (Machine { cpu, power, virtualization, .. }, load) = files.read();
    let caches = [
        cache(1, CacheKind::Data, 32, 1, 4),
        cache(1, CacheKind::Data, 48, 2, 2),
        cache(1, CacheKind::Instruction, 32, 2, 2),
        cache(1, CacheKind::Instruction, 64, 1, 4),
        cache(2, CacheKind::Unified, 1280, 2, 2),
        cache(2, CacheKind::Unified, 2048, 4, 1),
        cache(3, CacheKind::Unified, 12288, 8, 1),
    ];
    assert_eq!(cpu.caches, caches);
    assert_eq!((cpu.logical_count, cpu.physical_count, cpu.smt), (Some(8), Some(6), Some(true)));
    assert_eq!((cpu.governor.as_deref(), cpu.scaling_driver.as_deref()), (Some("powersave"), Some("intel_pstate")));
    assert_eq!((cpu.energy_preference.as_deref(), cpu.boost), (Some("balance_power"), Some(false)));
    assert_eq!((cpu.min_mhz, cpu.max_mhz), (Some(400.0), Some(4400.0)));
    assert_eq!(power, Power { on_battery: Some(true), profile: Some("low-power".to_owned()) });
    assert_eq!(virtualization.hypervisor, Some(false));
    assert_eq!((load.clock_mhz, load.temperature_c, load.throttle_events), (Some(1500.0), Some(92.0), Some(17)));
}

/// Two sockets of two core complexes of two cores with two threads: 0 to 7 are first threads, 8 to 15 second ones.
#[test]
fn a_server_tells_its_nodes_and_its_complexes() {
    let mut files = Files::new(&[
        ("sys/devices/system/cpu/smt/active", "1"),
        ("sys/devices/system/cpu/cpufreq/boost", "1"),
        // No processor.
        ("sys/devices/system/cpu/cpuidle/current_driver", "acpi_idle"),
        ("sys/devices/system/node/node0/cpulist", "0-3,8-11"),
        ("sys/devices/system/node/node1/cpulist", "4-7,12-15"),
        ("sys/devices/system/node/online", "0-1"),
        ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2336"),
        ("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "1168"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "6"),
        ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "3"),
        ("sys/class/hwmon/hwmon0/name", "k10temp"),
        ("sys/class/hwmon/hwmon0/temp1_input", "48250"),
        ("sys/class/hwmon/hwmon1/name", "k10temp"),
        ("sys/class/hwmon/hwmon1/temp1_input", "55375"),
    ]);
    let lines = "vendor_id : AuthenticAMD\nmodel name : AMD EPYC 7F32\nflags : fpu sha_ni";
    let microcode = |number| if number < 8 { "0x830107a" } else { "0x830107b" };
    let blocks = (0..16).map(|number| format!("processor : {number}\nmicrocode : {}\n{lines}\n\n", microcode(number)));
    files.add("proc/cpuinfo".to_owned(), blocks.collect::<String>());
    for cpu in 0..16 {
        let first = cpu % 8;
        let threads = format!("{first},{}", first + 8);
        let ccx = first / 2 * 2;
        let complex = format!("{ccx}-{},{}-{}", ccx + 1, ccx + 8, ccx + 9);
        files.add_topology(cpu, &threads, if first < 4 { 0 } else { 1 });
        files.add_caches(
            cpu,
            &[
                (1, "Data", "32K", &threads),
                (1, "Instruction", "32K", &threads),
                (2, "Unified", "512K", &threads),
                (3, "Unified", "16384K", &complex),
            ],
        );
        let governor = if cpu == 15 { "schedutil" } else { "performance" };
        files.add_cpufreq(cpu, "acpi-cpufreq", governor, [2_500_000, 3_700_000, 3_894_000]);
    }
    let (Machine { cpu, memory, power, .. }, load) = files.read();
    let caches = [
        cache(1, CacheKind::Data, 32, 2, 8),
        cache(1, CacheKind::Instruction, 32, 2, 8),
        cache(2, CacheKind::Unified, 512, 2, 8),
        cache(3, CacheKind::Unified, 16384, 4, 4),
    ];
    assert_eq!(cpu.caches, caches);
    assert_eq!((cpu.logical_count, cpu.physical_count, cpu.sockets), (Some(16), Some(8), Some(2)));
    assert_eq!((cpu.numa_nodes, cpu.boost), (Some(2), Some(true)));
    assert_eq!((cpu.governor.as_deref(), cpu.microcode.as_deref()), (Some("mixed"), Some("mixed")));
    assert_eq!((cpu.min_mhz, cpu.max_mhz), (Some(2500.0), Some(3700.0)));
    assert_eq!((memory.huge_pages_2mib_total, memory.huge_pages_2mib_free), (Some(2336), Some(1168)));
    assert_eq!((memory.huge_pages_1gib_total, memory.huge_pages_1gib_free), (Some(6), Some(3)));
    assert_eq!(power.on_battery, None);
    assert_eq!((load.clock_mhz, load.temperature_c, load.throttle_events), (Some(3894.0), Some(55.375), None));
}

#[test]
fn an_arm_board_tells_what_its_device_tree_knows() {
    let mut files = Files::new(&[
        ("sys/devices/system/cpu/vulnerabilities/spec_store_bypass", "Vulnerable"),
        ("sys/class/thermal/thermal_zone0/type", "cpu-thermal"),
        ("sys/class/thermal/thermal_zone0/temp", "48686"),
        ("sys/class/hwmon/hwmon0/name", "cpu_thermal"),
        ("sys/class/hwmon/hwmon0/temp1_input", "48686"),
        ("sys/class/hwmon/hwmon1/name", "rpi_volt"),
        // A processor that is switched off keeps its directory, and nothing of what is read here.
        ("sys/devices/system/cpu/cpu4/online", "0"),
    ]);
    let lines = "Features : fp asimd crc32\nCPU implementer : 0x41\nCPU part : 0xd08\nCPU revision : 3";
    files.add("proc/cpuinfo".to_owned(), format!("{}Serial : 100000001234abcd", cpuinfo(4, lines)));
    for cpu in 0..4 {
        let own = cpu.to_string();
        files.add_topology(cpu, &own, 0);
        // The sizes of the second level aren't in the device tree.
        files.add_caches(cpu, &[(1, "Data", "32K", &own), (1, "Instruction", "48K", &own), (2, "Unified", "", "0-3")]);
        files.add_cpufreq(cpu, "cpufreq-dt", "schedutil", [600_000, 1_500_000, 600_000]);
    }
    let (Machine { cpu, memory, mitigations, power, .. }, load) = files.read();
    let unsized_cache = Cache { size_bytes: None, ..cache(2, CacheKind::Unified, 0, 4, 1) };
    let caches = [cache(1, CacheKind::Data, 32, 1, 4), cache(1, CacheKind::Instruction, 48, 1, 4), unsized_cache];
    assert_eq!(cpu.caches, caches);
    assert_eq!((cpu.vendor.as_deref(), cpu.microcode, cpu.numa_nodes), (Some("Arm"), None, None));
    assert_eq!((cpu.governor.as_deref(), cpu.scaling_driver.as_deref()), (Some("schedutil"), Some("cpufreq-dt")));
    assert_eq!((cpu.boost, cpu.max_mhz), (None, Some(1500.0)));
    assert_eq!((memory.huge_pages_1gib_total, memory.page_size_bytes), (None, None));
    assert_eq!(mitigations.len(), 1);
    assert_eq!(power, Power::default());
    assert_eq!((load.clock_mhz, load.temperature_c, load.throttle_events), (Some(600.0), Some(48.686), None));
}
