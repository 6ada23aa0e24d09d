//! Warnings about what was around a measurement: the hypervisor's neighbours, other programs, heat, the battery.

use std::collections::BTreeMap;

use crate::engine::Candidate;
use crate::machine::{LoadChange, Machine};
use crate::pages::{self, MemoryPart};
use crate::record::{Benchmark, Idle, Turn, Warning, When};

/// Codes of warnings after which a measurement doesn't count as stable.
const UNSTABLE: [&str; 5] = ["unsteady", "steal", "load", "throttled", "clock-drift"];
/// Above this part of the time at work, what the hypervisor gives to others is worth a warning.
const STEAL: f64 = 0.02;
/// Above this part of the machine, other programs are worth a warning.
const OTHERS: f64 = 0.05;
/// When the clocks of an engine's turns lie further apart than this part of the lowest, that is worth a warning.
const CLOCK: f64 = 0.05;
/// The same of temperatures, in °C. Less is the ordinary way of a cold machine.
const TEMPERATURE_C: f64 = 10.0;
/// The same of involuntary context switches, per second and thread: at a hundred, with a scheduler that gives some
/// milliseconds to each, others have taken a good part of the processor.
const SWITCHES_PER_S: f64 = 100.0;

/// Tells whether a warning says that a measurement wasn't stable.
pub(super) fn is_unstable(warning: &Warning) -> bool {
    UNSTABLE.contains(&warning.code.as_str())
}

/// Says what is so for the whole run.
pub(super) fn standing(machine: &Machine) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if machine.virtualization.hypervisor == Some(true) {
        let text = "this is a virtual machine: its processors may be shared, and rates may vary with its neighbours";
        warnings.push(Warning::new("virtual-machine", text, "compare medians of several runs"));
    }
    if machine.power.on_battery == Some(true) {
        let text = "the machine runs on its battery, and may hold its clocks down";
        warnings.push(Warning::new("battery", text, "plug it in"));
    }
    // Under the drivers that set clocks themselves, powersave is the usual name of full speed.
    let driver = machine.cpu.scaling_driver.as_deref().unwrap_or("");
    let is_own_driver = driver.contains("pstate");
    let told = match machine.cpu.governor.as_deref() {
        Some("powersave") if !is_own_driver => {
            Some("the frequency governor is powersave: the processors run at their lowest clock")
        }
        Some("mixed") => Some("the processors have different frequency governors, and may run at different clocks"),
        _ => None,
    };
    if let Some(text) = told {
        warnings.push(Warning::new("governor", text, "sudo cpupower frequency-set -g performance"));
    }
    warnings
}

/// Says where the reference of RandomX, which can't ask for huge pages, isn't given any.
pub(super) fn small_pages(machine: &Machine, candidates: &[&Candidate]) -> Option<Warning> {
    let setting = machine.memory.transparent_huge_pages.as_deref().filter(|setting| *setting != "always")?;
    let candidate = candidates.iter().find(|candidate| candidate.id.engine() == "reference")?;
    let text = format!(
        "{} runs on small pages: it asks for no huge ones, and the kernel's setting is {setting}",
        candidate.id
    );
    let hint = "echo always | sudo tee /sys/kernel/mm/transparent_hugepage/enabled";
    Some(Warning::new("huge-pages", text, hint))
}

/// Says which engines asked for huge pages and lay on others, and what would give them some.
pub(super) fn ordinary_pages(machine: &Machine, benchmarks: &[Benchmark]) -> Option<Warning> {
    let is_small = |part: &&MemoryPart| part.huge_fraction().is_some_and(|fraction| fraction < pages::MOSTLY);
    let told = |benchmark: &Benchmark| {
        let parts: Vec<String> =
            benchmark.memory.iter().filter(is_small).map(|part| format!("its {} on {part}", part.name)).collect();
        (!parts.is_empty()).then(|| format!("{} had {}", benchmark.name(), parts.join(", ")))
    };
    let told: Vec<String> = benchmarks.iter().filter_map(told).collect();
    if told.is_empty() {
        return None;
    }
    let needed = huge_pages_2mib(benchmarks);
    Some(Warning::new("huge-pages", told.join("; "), reserve_command(machine, needed)))
}

/// Returns how many huge pages of 2 MiB engines need that ran together: what they share counts once, and each has a
/// scratchpad for single hashes besides those of its threads, and so has whoever checks it.
fn huge_pages_2mib(benchmarks: &[Benchmark]) -> u64 {
    let pages = |part: &MemoryPart| part.bytes.div_ceil(pages::HUGE_2MIB_BYTES);
    let of_randomx = benchmarks.iter().filter(|benchmark| !benchmark.memory.is_empty());
    let (mut shared, mut scratchpads, mut engines) = (BTreeMap::new(), 0, 0);
    for benchmark in of_randomx {
        for part in &benchmark.memory {
            if part.name == "scratchpads" {
                scratchpads = scratchpads.max(pages(part));
            } else {
                shared.insert(part.name.as_str(), pages(part));
            }
        }
        engines += 1;
    }
    // Fast mode holds a cache, too, which makes no difference to its speed and so is none of its parts.
    shared.insert("randomx cache", (256 << 20) / pages::HUGE_2MIB_BYTES);
    shared.values().sum::<u64>() + scratchpads + 2 * engines
}

/// Returns the command that reserves so many huge pages besides those that are in use.
pub(super) fn reserve_command(machine: &Machine, needed: u64) -> String {
    let memory = &machine.memory;
    let in_use = memory.huge_pages_2mib_total.unwrap_or(0).saturating_sub(memory.huge_pages_2mib_free.unwrap_or(0));
    format!("sudo sysctl -w vm.nr_hugepages={}", in_use + needed)
}

/// Says which engines met a different machine from turn to turn.
pub(super) fn drifted(benchmarks: &[Benchmark]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for benchmark in benchmarks {
        let ends = |figure: fn(&Turn) -> Option<f64>| {
            let figures = || benchmark.turns.iter().filter_map(figure);
            figures().reduce(f64::min).zip(figures().reduce(f64::max))
        };
        let id = benchmark.name();
        if let Some((low, high)) = ends(|turn| turn.clock_mhz).filter(|(low, high)| high / low - 1.0 > CLOCK) {
            let text = format!("the clock was between {low:.0} and {high:.0} MHz at the end of turns of {id}");
            let hint = "fix the clock (governor, boost, power limit), or take the rate as that of a mean clock";
            warnings.push(Warning::new("clock-drift", text, hint));
        }
        if let Some((low, high)) = ends(|turn| turn.temperature_c).filter(|(low, high)| high - low > TEMPERATURE_C) {
            let text = format!("it was between {low:.0} and {high:.0} °C hot at the end of turns of {id}");
            let hint = "measure again while the machine is warm, or longer: a hot chip draws more power";
            warnings.push(Warning::new("temperature-drift", text, hint));
        }
        if benchmark.turns.iter().any(|turn| turn.device_slowed_down == Some(true)) {
            let text = format!("the card of {id} was slowed down for its heat or its power supply");
            let hint = "mend the cooling or the supply, or take the rate as that of a hot machine";
            warnings.push(Warning::new("throttled", text, hint));
        }
        let switches = |turn: &Turn| turn.involuntary_switches_per_s;
        let most = benchmark.turns.iter().filter_map(switches).reduce(f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a number of threads")]
        let bound = SWITCHES_PER_S * benchmark.threads.max(1) as f64;
        if let Some(most) = most.filter(|&most| most > bound) {
            let text = format!("threads of {id} had to make way for others {most:.0} times a second in one turn");
            warnings.push(Warning::new("switches", text, "end other programs, or leave one processor free: --threads"));
        }
    }
    warnings
}

/// Says which idle baselines weren't idle.
pub(super) fn disturbed_idle(idle: &[Idle]) -> Vec<Warning> {
    let told = |one: &Idle| {
        let others = one.others_fraction.filter(|&others| others > OTHERS)?;
        let when = if one.when == When::Before { "before" } else { "after" };
        let text = format!(
            "other programs used {:.0} % of the processors in the idle baseline {when} the turns: net joules are too \
             low",
            others * 100.0
        );
        Some(Warning::new("idle-disturbed", text, "end them, and measure again"))
    };
    idle.iter().filter_map(told).collect()
}

/// Says where nothing tells whether the machine was quiet.
pub(super) fn unknown_load(benchmarks: &[Benchmark], change: &LoadChange) -> Option<Warning> {
    let text = "nothing here tells whether other programs used the processors, or a hypervisor gave them away";
    let is_unknown = change.others_fraction.is_none() && change.steal_fraction.is_none();
    let were_turns = benchmarks.iter().any(|benchmark| !benchmark.turns.is_empty());
    (is_unknown && were_turns).then(|| Warning::new("load-unknown", text, "Linux tells it in /proc/stat"))
}

/// Says what moved while engines were measured.
pub(super) fn moved(change: &LoadChange) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let percent = |fraction: f64| format!("{:.0} %", fraction * 100.0);
    if let Some(steal) = change.steal_fraction.filter(|&steal| steal > STEAL) {
        let text = format!("the hypervisor gave {} of the time at work to others", percent(steal));
        warnings.push(Warning::new("steal", text, "measure when the host is quieter, and compare several runs"));
    }
    if let Some(others) = change.others_fraction.filter(|&others| others > OTHERS) {
        let text = format!("other programs used {} of the processors", percent(others));
        warnings.push(Warning::new("load", text, "end them, and measure again"));
    }
    if let Some(events) = change.throttle_events.filter(|&events| events > 0) {
        let text = format!("the processors were slowed down for heat {events} times");
        warnings.push(Warning::new("throttled", text, "mend the cooling, or take the rate as that of a hot machine"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    fn codes(warnings: &[Warning]) -> Vec<&str> {
        warnings.iter().map(|warning| warning.code.as_str()).collect()
    }

    #[test]
    fn what_moved_is_told_above_its_bound_only() {
        let quiet = LoadChange {
            steal_fraction: Some(0.01),
            others_fraction: Some(0.04),
            throttle_events: Some(0),
            ..LoadChange::default()
        };
        assert!(moved(&quiet).is_empty() && moved(&LoadChange::default()).is_empty());
        let noisy = LoadChange {
            steal_fraction: Some(0.25),
            others_fraction: Some(0.5),
            throttle_events: Some(3),
            ..LoadChange::default()
        };
        let warnings = moved(&noisy);
        assert_eq!(codes(&warnings), ["steal", "load", "throttled"]);
        assert!(warnings.iter().all(is_unstable));
        assert!(warnings[0].text.contains("25 %"), "{}", warnings[0].text);
    }

    fn benchmark(turns: Vec<Turn>) -> Benchmark {
        let interval = serde_json::json!({
            "id": "fake/cpu/x", "algorithm": "fake", "device": "cpu", "device_name": "", "engine": "x", "mode": null,
            "threads": 2, "verified": true, "verified_by": "", "verified_hashes": 0, "setup_s": {}, "meters": [],
            "samples": [], "outliers": [],
            "rate_hps": { "median": 1.0, "low": 1.0, "high": 1.0, "confidence": 0.95, "mean": 1.0 },
            "energy_j_per_hash": {
                "gross": null, "net": null, "provenance": "unavailable", "meters": [], "coverage": "", "reason": "none"
            },
        });
        Benchmark { turns, ..serde_json::from_value(interval).unwrap() }
    }

    #[test]
    fn clocks_temperatures_and_switches_are_told_where_turns_differ() {
        let turn = |clock: f64, celsius: f64, switches: f64| Turn {
            clock_mhz: Some(clock),
            temperature_c: Some(celsius),
            involuntary_switches_per_s: Some(switches),
            ..Turn::default()
        };
        let steady = benchmark(vec![turn(4000.0, 60.0, 150.0), turn(3900.0, 69.0, 10.0), Turn::default()]);
        assert!(drifted(&[steady]).is_empty());
        let moved = benchmark(vec![turn(4000.0, 60.0, 10.0), turn(3700.0, 75.0, 201.0)]);
        let warnings = drifted(std::slice::from_ref(&moved));
        assert_eq!(codes(&warnings), ["clock-drift", "temperature-drift", "switches"]);
        assert_eq!(warnings.iter().filter(|warning| is_unstable(warning)).count(), 1);
        assert!(warnings[0].text.contains("between 3700 and 4000 MHz"), "{}", warnings[0].text);
        let hot = benchmark(vec![Turn { device_slowed_down: Some(true), ..Turn::default() }]);
        assert_eq!(codes(&drifted(&[Benchmark { device: Device::Gpu(0), ..hot }])), ["throttled"]);
        assert!(drifted(&[benchmark(Vec::new())]).is_empty());
    }

    #[test]
    fn a_machine_that_tells_nothing_is_told_of_where_something_was_measured() {
        let measured = [benchmark(vec![Turn::default()])];
        assert_eq!(unknown_load(&measured, &LoadChange::default()).unwrap().code, "load-unknown");
        assert_eq!(unknown_load(&[], &LoadChange::default()), None);
        let known = LoadChange { others_fraction: Some(0.0), ..LoadChange::default() };
        assert_eq!(unknown_load(&measured, &known), None);
    }

    #[test]
    fn small_pages_are_told_with_the_command_that_reserves_enough() {
        let part = |name: &str, mib: u64, transparent: Option<u64>| MemoryPart {
            name: name.to_owned(),
            bytes: mib << 20,
            reserved_1gib_bytes: 0,
            reserved_2mib_bytes: 0,
            transparent_bytes: transparent,
        };
        let with = |memory| Benchmark { memory, ..benchmark(Vec::new()) };
        let dataset = |transparent| part("randomx dataset", 2080, transparent);
        let fast = with(vec![dataset(Some(0)), part("scratchpads", 4, Some(4 << 20))]);
        let light = with(vec![part("randomx cache", 256, Some(256 << 20)), part("scratchpads", 4, Some(0))]);
        let nothing = tempfile::tempdir().unwrap();
        let mut machine = crate::machine::describe(&crate::sysroot::Sysroot::new(nothing.path()).unwrap());
        let warning = ordinary_pages(&machine, std::slice::from_ref(&fast)).unwrap();
        assert_eq!(warning.text, "fake/cpu/x had its randomx dataset on ordinary pages");
        // 1040 for the dataset, 128 for the cache, 2 for threads, 2 for single hashes.
        assert_eq!(warning.hint, "sudo sysctl -w vm.nr_hugepages=1172");
        // Two engines share dataset and cache; 7 pages are somebody else's.
        machine.memory.huge_pages_2mib_total = Some(10);
        machine.memory.huge_pages_2mib_free = Some(3);
        let warning = ordinary_pages(&machine, &[fast, light]).unwrap();
        assert_eq!(warning.hint, "sudo sysctl -w vm.nr_hugepages=1181");
        // Huge enough, or not known: nothing to tell.
        let mostly = with(vec![dataset(Some(2079 << 20)), part("scratchpads", 4, None)]);
        assert_eq!(ordinary_pages(&machine, &[mostly, benchmark(Vec::new())]), None);
    }

    #[test]
    fn an_idle_baseline_that_was_not_idle_is_told() {
        let idle = |others: Option<f64>| Idle {
            group: 0,
            when: When::After,
            start_s: 0.0,
            duration_s: 1.0,
            energy_j: BTreeMap::new(),
            others_fraction: others,
        };
        let warnings = disturbed_idle(&[idle(None), idle(Some(0.04)), idle(Some(0.5))]);
        assert_eq!(codes(&warnings), ["idle-disturbed"]);
        assert!(warnings[0].text.contains("50 %") && warnings[0].text.contains("after"), "{}", warnings[0].text);
    }

    #[test]
    fn a_battery_and_a_governor_that_saves_power_are_told() {
        let nothing = tempfile::tempdir().unwrap();
        let mut machine = crate::machine::describe(&crate::sysroot::Sysroot::new(nothing.path()).unwrap());
        machine.virtualization.hypervisor = Some(false);
        machine.power.on_battery = Some(true);
        machine.cpu.governor = Some("powersave".to_owned());
        machine.cpu.scaling_driver = Some("acpi-cpufreq".to_owned());
        assert_eq!(codes(&standing(&machine)), ["battery", "governor"]);
        machine.cpu.scaling_driver = Some("intel_pstate".to_owned());
        assert_eq!(codes(&standing(&machine)), ["battery"]);
        assert!(!standing(&machine).iter().any(is_unstable));
        machine.cpu.governor = Some("mixed".to_owned());
        assert_eq!(codes(&standing(&machine)), ["battery", "governor"]);
    }
}
