//! What moves while a measurement runs: the load, the clocks, the heat, and what a hypervisor takes away.
//!
//! A [`LoadSnapshot`] is taken before and after, and [`load_change`] says what moved in between. Clock and temperature
//! are those of the moment, so that the snapshots belong inside of the work: an idle processor clocks down and cools.
//!
//! `proc/stat` and `proc/self/stat` count in units of 10 ms, so that fractions of stretches shorter than a second or so
//! are coarse. They tell of the whole machine, in containers too.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cpu, frequency};
use crate::sysroot::Sysroot;

/// How many units of `proc/stat` make a second: Linux's USER_HZ, which is 100 on every architecture that hashwatt can
/// be built for.
const USER_HZ: f64 = 100.0;

/// The drivers of the sensors in processors, whose first temperature is the package's.
const CPU_SENSORS: [&str; 4] = ["coretemp", "k10temp", "zenpower", "cpu_thermal"];

/// Temperatures in °C that a running processor can have. Sensors that are switched off read as 0 or -274.
const PLAUSIBLE_C: std::ops::RangeInclusive<f64> = 0.1..=150.0;

/// What moves during a measurement, at one moment. What isn't known is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadSnapshot {
    /// How many threads ran or wanted to run, on average over about the last minute, this process's included.
    pub load_average_1min: Option<f64>,
    /// The time since the start that processors were busy, the sum over all of them, in seconds.
    pub busy_s: Option<f64>,
    /// The time since the start that processors were idle, the sum over all of them, in seconds.
    pub idle_s: Option<f64>,
    /// The time since the start that processors had work, but the hypervisor let others run, the sum over all of them,
    /// in seconds. Always 0 on a real machine, and where the hypervisor doesn't tell.
    pub steal_s: Option<f64>,
    /// The time that this process and those that it started ran, the sum over all their threads, in seconds.
    pub own_s: Option<f64>,
    /// How often each thread of this process had to make way for another one, by the thread's id. A thread that ends
    /// takes its number with it. Empty where nothing tells, and never written: the ids mean nothing later on.
    #[serde(skip)]
    pub involuntary_switches: BTreeMap<u32, u64>,
    /// The clock of the moment, the mean over all processors, in MHz.
    pub clock_mhz: Option<f64>,
    /// The temperature of the hottest processor, in °C. It may contain a constant offset (AMD's Tctl).
    pub temperature_c: Option<f64>,
    /// How often processors were slowed down for their heat, the sum over all of them: what slows a whole package
    /// counts once for each of its logical processors. Only Intel's count.
    pub throttle_events: Option<u64>,
}

/// What moved between two snapshots. What isn't known is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoadChange {
    /// The part of the time in which processors had work that the hypervisor let others run, from 0 to 1.
    pub steal_fraction: Option<f64>,
    /// The part of all processors' time that others than this process and those that it started used, the kernel
    /// included, from 0 to 1.
    pub others_fraction: Option<f64>,
    /// How much faster the clock was afterwards, in percent of the one before; negative where it was slower.
    pub clock_change_percent: Option<f64>,
    /// How much hotter the hottest processor was afterwards, in °C.
    pub temperature_change_c: Option<f64>,
    /// How often processors were slowed down for their heat, counted as [`LoadSnapshot::throttle_events`].
    pub throttle_events: Option<u64>,
    /// How often per second threads of this process had to make way for others. Threads that had ended by the second
    /// snapshot are left out.
    pub involuntary_switches_per_s: Option<f64>,
}

/// Reads what moves, below `sysroot`.
///
/// Takes some microseconds for each processor and each thread, but older kernels may sleep for 10 ms at each processor
/// whose clock they are asked for.
#[must_use]
pub fn load(sysroot: &Sysroot) -> LoadSnapshot {
    let cpus = cpu::directories(sysroot);
    let times = Times::read(sysroot);
    let average = sysroot.read("proc/loadavg").ok();
    LoadSnapshot {
        load_average_1min: average.and_then(|text| text.split_whitespace().next()?.parse().ok()),
        busy_s: times.as_ref().map(|times| times.busy_s),
        idle_s: times.as_ref().map(|times| times.idle_s),
        steal_s: times.and_then(|times| times.steal_s),
        own_s: own_s(sysroot),
        involuntary_switches: involuntary_switches(sysroot),
        clock_mhz: mean(frequency::megahertz(sysroot, &cpus, "scaling_cur_freq")),
        temperature_c: temperature_c(sysroot),
        throttle_events: throttle_events(sysroot, &cpus),
    }
}

/// Tells what moved between two snapshots that are `over` apart.
///
/// A counter that went back, as after a processor was taken offline, makes what it counts unknown.
#[must_use]
pub fn load_change(before: &LoadSnapshot, after: &LoadSnapshot, over: Duration) -> LoadChange {
    let grown = |field: fn(&LoadSnapshot) -> Option<f64>| {
        let (before, after) = field(before).zip(field(after))?;
        Some(after - before).filter(|grown| *grown >= 0.0)
    };
    let (busy, idle) = (grown(|load| load.busy_s), grown(|load| load.idle_s));
    let (steal, own) = (grown(|load| load.steal_s), grown(|load| load.own_s));
    // The kernel may book a thread's time a little earlier than its processor's.
    let others = busy.zip(own).map(|(busy, own)| (busy - own).max(0.0));
    let all = busy.zip(idle).map(|(busy, idle)| busy + idle + steal.unwrap_or(0.0));
    let moved = |field: fn(&LoadSnapshot) -> Option<f64>| field(before).zip(field(after));
    LoadChange {
        steal_fraction: steal.zip(busy).and_then(|(steal, busy)| ratio(steal, busy + steal)),
        others_fraction: others.zip(all).and_then(|(others, all)| ratio(others, all)),
        clock_change_percent: moved(|load| load.clock_mhz)
            .and_then(|(before, after)| ratio(after - before, before))
            .map(|change| 100.0 * change),
        temperature_change_c: moved(|load| load.temperature_c).map(|(before, after)| after - before),
        throttle_events: before
            .throttle_events
            .zip(after.throttle_events)
            .and_then(|(before, after)| after.checked_sub(before)),
        involuntary_switches_per_s: switches(before, after)
            .and_then(|switches| ratio(switches as f64, over.as_secs_f64())),
    }
}

/// Divides, unless that makes no sense.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Counts the switches between two snapshots in the threads that live at the second; those new there began at 0.
fn switches(before: &LoadSnapshot, after: &LoadSnapshot) -> Option<u64> {
    if before.involuntary_switches.is_empty() || after.involuntary_switches.is_empty() {
        return None;
    }
    let of_thread = |(thread, now): (&u32, &u64)| {
        // A smaller number is that of a new thread with the id of an old one.
        now.checked_sub(before.involuntary_switches.get(thread).copied().unwrap_or(0)).unwrap_or(*now)
    };
    Some(after.involuntary_switches.iter().map(of_thread).fold(0, u64::saturating_add))
}

/// What processors did since the start, the sum over all of them, in seconds.
struct Times {
    busy_s: f64,
    idle_s: f64,
    steal_s: Option<f64>,
}

impl Times {
    /// Reads the line of `proc/stat` that is the sum over all processors.
    fn read(sysroot: &Sysroot) -> Option<Self> {
        let text = sysroot.read("proc/stat").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let fields: Option<Vec<f64>> = line.split_whitespace().map(seconds).collect();
        // The times of guests follow, which are part of user and nice.
        let (first, rest) = fields.as_ref()?.split_first_chunk::<7>()?;
        let [user, nice, system, idle, iowait, irq, softirq] = first;
        let (busy_s, idle_s) = (user + nice + system + irq + softirq, idle + iowait);
        // Some sandboxes write nothing but zeros.
        (busy_s + idle_s > 0.0).then(|| Self { busy_s, idle_s, steal_s: rest.first().copied() })
    }
}

/// Returns the seconds of a number of units of `proc/stat`.
fn seconds(units: &str) -> Option<f64> {
    units.parse::<u64>().ok().map(|units| units as f64 / USER_HZ)
}

/// How many generations of processes are looked at: a meter's command is a shell with what it runs.
const GENERATIONS: u32 = 4;

/// Returns the time that this process ran, in seconds, threads that have ended included; and that of the processes that
/// it started, whether they have ended or not: a meter's command is no other program.
fn own_s(sysroot: &Sysroot) -> Option<f64> {
    process_s(sysroot, "self", GENERATIONS)
}

fn process_s(sysroot: &Sysroot, process: &str, generations: u32) -> Option<f64> {
    let text = sysroot.read(format!("proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    // User and system time of the process, then those of its children that have ended.
    let mut times = rest.split_whitespace().skip(11).map(seconds);
    let mut sum = times.next()?? + times.next()??;
    sum += times.take(2).flatten().sum::<f64>();
    if generations > 0 {
        let threads = sysroot.list(format!("proc/{process}/task"));
        let children = threads.iter().filter_map(|thread| {
            // Only where the kernel was built with it.
            sysroot.read(format!("proc/{process}/task/{thread}/children")).ok()
        });
        let children: Vec<String> =
            children.flat_map(|text| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>()).collect();
        // One that has just ended is in its parent's sum by now, or will be.
        sum += children.iter().filter_map(|child| process_s(sysroot, child, generations - 1)).sum::<f64>();
    }
    Some(sum)
}

/// Returns the involuntary context switches of each thread of this process.
fn involuntary_switches(sysroot: &Sysroot) -> BTreeMap<u32, u64> {
    let of_thread = |name: String| {
        let text = sysroot.read(format!("proc/self/task/{name}/status")).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
        Some((name.parse().ok()?, value.trim().parse().ok()?))
    };
    sysroot.list("proc/self/task").into_iter().filter_map(of_thread).collect()
}

/// Returns the mean; none of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    ratio(sum, count)
}

/// Returns the highest temperature that a sensor in or at a processor reads, in °C.
fn temperature_c(sysroot: &Sysroot) -> Option<f64> {
    let read = |path: String| sysroot.read(path).ok();
    let celsius = |path: String| {
        let millidegrees: f64 = read(path)?.parse::<i32>().ok()?.into();
        Some(millidegrees / 1000.0).filter(|celsius| PLAUSIBLE_C.contains(celsius))
    };
    let zones = sysroot.list("sys/class/thermal").into_iter().filter_map(|zone| {
        let directory = format!("sys/class/thermal/{zone}");
        let is_cpu = is_cpu_zone(&read(format!("{directory}/type"))?);
        is_cpu.then(|| celsius(format!("{directory}/temp")))?
    });
    let sensors = sysroot.list("sys/class/hwmon").into_iter().filter_map(|sensor| {
        let directory = format!("sys/class/hwmon/{sensor}");
        let is_cpu = CPU_SENSORS.contains(&read(format!("{directory}/name"))?.as_str());
        is_cpu.then(|| celsius(format!("{directory}/temp1_input")))?
    });
    zones.chain(sensors).reduce(f64::max)
}

/// Tells by its type whether a thermal zone is a processor's: `x86_pkg_temp`, `cpu-thermal`, `soc_thermal` and the
/// like.
///
/// `acpitz` is not: it may be anywhere on the board, and on many boards it is a constant.
fn is_cpu_zone(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    kind == "x86_pkg_temp" || kind.contains("cpu") || kind.starts_with("soc")
}

/// Returns how often processors were slowed down for their heat.
fn throttle_events(sysroot: &Sysroot, cpus: &[String]) -> Option<u64> {
    let count = |cpu: &String, part: &str| {
        let path = format!("{}/{cpu}/thermal_throttle/{part}_throttle_count", cpu::CPUS);
        sysroot.read(path).ok()?.parse::<u64>().ok()
    };
    let counts = cpus.iter().flat_map(|cpu| [count(cpu, "core"), count(cpu, "package")]);
    counts.flatten().reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn load_of(files: &[(&str, &str)]) -> LoadSnapshot {
        let (_dir, sysroot) = tree(files);
        load(&sysroot)
    }

    const STAT: &str = "cpu  1000 200 300 4000 50 6 7 80 900 90\ncpu0 1000 200 300 4000 50 6 7 80 900 90\nintr 5\n";

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(load_of(&[]), LoadSnapshot::default());
        let empty = [("proc/stat", "\n"), ("proc/loadavg", "\n"), ("proc/self/stat", "\n")];
        assert_eq!(load_of(&empty), LoadSnapshot::default());
        let change = load_change(&load_of(&[]), &load_of(&[]), Duration::from_secs(1));
        assert_eq!(change, LoadChange::default());
    }

    #[test]
    fn times_are_seconds_and_guests_do_not_count_twice() {
        let load = load_of(&[("proc/stat", STAT), ("proc/loadavg", "0.92 1.29 1.23 2/94 13757\n")]);
        assert_eq!((load.busy_s, load.idle_s, load.steal_s), (Some(15.13), Some(40.5), Some(0.8)));
        assert_eq!(load.load_average_1min, Some(0.92));
        // Kernels before 2.6.11 have no steal.
        let load = load_of(&[("proc/stat", "cpu  100 200 300 400 500 600 700\n")]);
        assert_eq!((load.busy_s, load.idle_s, load.steal_s), (Some(19.0), Some(9.0), None));
        for useless in ["cpu  1 2 3\n", "cpu  1 2 3 4 5 6 x 8\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  0 0 0 0 0 0 0 0\n"] {
            assert_eq!(load_of(&[("proc/stat", useless)]), LoadSnapshot::default(), "{useless}");
        }
    }

    #[test]
    fn own_time_is_found_behind_any_name() {
        let stat = "42 (a) 9 (b c)) R 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 3 0 12345 1000000 100\n";
        assert_eq!(load_of(&[("proc/self/stat", stat)]).own_s, Some(2.0));
        assert_eq!(load_of(&[("proc/self/stat", "42 (short) R 1 42 42 0 -1 4194304 100 0 0 0 150\n")]).own_s, None);
    }

    #[test]
    fn what_this_process_started_is_its_own() {
        let stat =
            |own: u32, ended: u32| format!("1 (x) R 1 1 1 0 -1 4194304 100 0 0 0 {own} 0 {ended} 0 20 0 3 0 12345\n");
        let load = load_of(&[
            ("proc/self/stat", &stat(100, 50)),
            ("proc/self/task/7/children", "\n"),
            ("proc/self/task/8/children", "20 21 \n"),
            ("proc/20/stat", &stat(200, 0)),
            ("proc/20/task/20/children", "22\n"),
            ("proc/22/stat", &stat(400, 0)),
        ]);
        assert_eq!(load.own_s, Some(7.5));
    }

    #[test]
    fn each_thread_has_its_switches() {
        let load = load_of(&[
            (
                "proc/self/task/100/status",
                "Name:\thashwatt\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t3\n",
            ),
            ("proc/self/task/101/status", "Name:\tx\nnonvoluntary_ctxt_switches:\t40\n"),
            ("proc/self/task/102/status", "Name:\tended\n"),
        ]);
        assert_eq!(load.involuntary_switches, BTreeMap::from([(100, 3), (101, 40)]));
    }

    #[test]
    fn the_hottest_processor_counts_and_nothing_else_that_is_hot() {
        let load = load_of(&[
            ("sys/class/thermal/thermal_zone0/type", "acpitz\n"),
            ("sys/class/thermal/thermal_zone0/temp", "99000\n"),
            ("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n"),
            ("sys/class/thermal/thermal_zone1/temp", "61000\n"),
            ("sys/class/thermal/thermal_zone2/type", "iwlwifi_1\n"),
            ("sys/class/thermal/thermal_zone2/temp", "98000\n"),
            ("sys/class/thermal/cooling_device0/type", "Processor\n"),
            ("sys/class/hwmon/hwmon0/name", "nvme\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "97000\n"),
            ("sys/class/hwmon/hwmon1/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "62500\n"),
            ("sys/class/hwmon/hwmon2/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon2/temp1_input", "58000\n"),
        ]);
        assert_eq!(load.temperature_c, Some(62.5));
    }

    #[test]
    fn zones_of_processors_have_many_names() {
        for kind in ["x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc_thermal", "TCPU", "cpuss0-thermal"] {
            assert!(is_cpu_zone(kind), "{kind}");
        }
        for kind in ["", "acpitz", "gpu-thermal", "pch_cannonlake", "INT3400 Thermal", "iwlwifi_1"] {
            assert!(!is_cpu_zone(kind), "{kind}");
        }
    }

    #[test]
    fn sensors_that_are_off_read_nothing() {
        for text in ["0\n", "-274000\n", "200000\n", "N/A\n", "\n"] {
            let zone = [
                ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
                ("sys/class/thermal/thermal_zone0/temp", text),
            ];
            assert_eq!(load_of(&zone).temperature_c, None, "{text}");
        }
    }

    #[test]
    fn clocks_are_averaged_and_throttling_is_summed() {
        let load = load_of(&[
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3000000\n"),
            ("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "4000000\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "2\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "5\n"),
            ("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "0\n"),
        ]);
        assert_eq!((load.clock_mhz, load.throttle_events), (Some(3500.0), Some(7)));
    }

    fn snapshot() -> LoadSnapshot {
        LoadSnapshot {
            load_average_1min: Some(1.0),
            busy_s: Some(100.0),
            idle_s: Some(300.0),
            steal_s: Some(10.0),
            own_s: Some(50.0),
            involuntary_switches: BTreeMap::from([(7, 100), (8, 20), (9, 5)]),
            clock_mhz: Some(4000.0),
            temperature_c: Some(50.0),
            throttle_events: Some(3),
        }
    }

    #[test]
    fn changes_are_fractions_rates_and_differences() {
        let after = LoadSnapshot {
            busy_s: Some(106.0),
            idle_s: Some(302.0),
            steal_s: Some(12.0),
            own_s: Some(55.0),
            // 8 ended, 9 is a new thread with an old id, 10 is new.
            involuntary_switches: BTreeMap::from([(7, 130), (9, 2), (10, 8)]),
            clock_mhz: Some(3500.0),
            temperature_c: Some(81.5),
            throttle_events: Some(4),
            ..snapshot()
        };
        let expected = LoadChange {
            steal_fraction: Some(0.25),
            others_fraction: Some(0.1),
            clock_change_percent: Some(-12.5),
            temperature_change_c: Some(31.5),
            throttle_events: Some(1),
            involuntary_switches_per_s: Some(4.0),
        };
        assert_eq!(load_change(&snapshot(), &after, Duration::from_secs(10)), expected);
        let json = serde_json::to_string(&(&after, &expected)).unwrap();
        let written = LoadSnapshot { involuntary_switches: BTreeMap::new(), ..after };
        assert_eq!(serde_json::from_str::<(LoadSnapshot, LoadChange)>(&json).unwrap(), (written, expected));
    }

    #[test]
    fn an_undisturbed_run_has_known_zeros() {
        let after = LoadSnapshot { busy_s: Some(104.0), own_s: Some(54.5), ..snapshot() };
        let expected = LoadChange {
            steal_fraction: Some(0.0),
            others_fraction: Some(0.0),
            clock_change_percent: Some(0.0),
            temperature_change_c: Some(0.0),
            throttle_events: Some(0),
            involuntary_switches_per_s: Some(0.0),
        };
        assert_eq!(load_change(&snapshot(), &after, Duration::from_secs(4)), expected);
    }

    #[test]
    fn without_time_in_between_there_are_no_fractions() {
        let change = load_change(&snapshot(), &snapshot(), Duration::ZERO);
        assert_eq!((change.steal_fraction, change.others_fraction), (None, None));
        assert_eq!((change.involuntary_switches_per_s, change.clock_change_percent), (None, Some(0.0)));
    }

    #[test]
    fn counters_that_went_back_or_away_are_unknown() {
        let after = LoadSnapshot {
            busy_s: Some(105.0),
            steal_s: Some(9.0),
            own_s: None,
            involuntary_switches: BTreeMap::new(),
            throttle_events: Some(2),
            clock_mhz: None,
            temperature_c: None,
            ..snapshot()
        };
        assert_eq!(load_change(&snapshot(), &after, Duration::from_secs(1)), LoadChange::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_real_machine_moves() {
        let sysroot = Sysroot::default();
        let before = load(&sysroot);
        assert!(before.load_average_1min.is_some() && before.own_s.is_some());
        assert!(before.busy_s.is_some_and(|busy| busy > 0.0));
        assert!(!before.involuntary_switches.is_empty());
        let change = load_change(&before, &load(&sysroot), Duration::from_millis(1));
        assert!(change.involuntary_switches_per_s.is_some());
        for fraction in [change.steal_fraction, change.others_fraction].into_iter().flatten() {
            assert!((0.0..=1.0).contains(&fraction));
        }
    }
}
