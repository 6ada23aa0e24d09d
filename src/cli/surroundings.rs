//! Warnings about what was around a measurement: the hypervisor's neighbours, other programs, heat, the battery.

use crate::machine::{LoadChange, Machine};
use crate::record::Warning;

/// Codes of warnings after which a measurement doesn't count as stable.
const UNSTABLE: [&str; 4] = ["unsteady", "steal", "load", "throttled"];
/// Above this part of the time at work, what the hypervisor gives to others is worth a warning.
const STEAL: f64 = 0.02;
/// Above this part of the machine, other programs are worth a warning.
const OTHERS: f64 = 0.05;

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
    if machine.cpu.governor.as_deref() == Some("powersave") && !is_own_driver {
        let text = "the frequency governor is powersave: the processors run at their lowest clock";
        let hint = "sudo cpupower frequency-set -g performance";
        warnings.push(Warning::new("governor", text, hint));
    }
    warnings
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
    }
}
