//! How the processors' clocks are set, from cpufreq's files.

use std::collections::BTreeSet;

use super::cpu::CPUS;
use crate::sysroot::Sysroot;

/// What cpufreq tells of all processors together.
pub(super) struct Frequency {
    pub(super) governor: Option<String>,
    pub(super) scaling_driver: Option<String>,
    pub(super) energy_preference: Option<String>,
    pub(super) boost: Option<bool>,
    pub(super) min_mhz: Option<f64>,
    pub(super) max_mhz: Option<f64>,
}

/// Describes how the clocks of the processors whose directories are `cpus` are set.
pub(super) fn describe(sysroot: &Sysroot, cpus: &[String]) -> Frequency {
    let all = |file: &'static str| {
        cpus.iter().filter_map(move |cpu| sysroot.read(format!("{CPUS}/{cpu}/cpufreq/{file}")).ok())
    };
    Frequency {
        governor: common(all("scaling_governor")),
        scaling_driver: common(all("scaling_driver")),
        energy_preference: common(all("energy_performance_preference")),
        boost: boost(sysroot),
        min_mhz: megahertz(sysroot, cpus, "cpuinfo_min_freq").reduce(f64::min),
        max_mhz: megahertz(sysroot, cpus, "cpuinfo_max_freq").reduce(f64::max),
    }
}

/// Returns the frequency in MHz that each processor has in a file of kilohertz; 0 and words are left out.
pub(super) fn megahertz<'a>(sysroot: &Sysroot, cpus: &'a [String], file: &str) -> impl Iterator<Item = f64> + use<'a> {
    let khz = |cpu: &String| sysroot.read(format!("{CPUS}/{cpu}/cpufreq/{file}")).ok()?.parse::<u32>().ok();
    let khz: Vec<u32> = cpus.iter().filter_map(khz).filter(|khz| *khz > 0).collect();
    khz.into_iter().map(|khz| f64::from(khz) / 1000.0)
}

/// Returns what all values are, or `mixed` where they differ; none where all are empty.
pub(super) fn common(values: impl Iterator<Item = String>) -> Option<String> {
    let distinct: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
    if distinct.len() > 1 { Some("mixed".to_owned()) } else { distinct.into_iter().next() }
}

/// Tells whether clocks may rise past the nominal one.
fn boost(sysroot: &Sysroot) -> Option<bool> {
    let flag = |path: &str| match sysroot.read(format!("{CPUS}/{path}")).as_deref() {
        Ok("0") => Some(false),
        Ok("1") => Some(true),
        _ => None,
    };
    // Intel's driver has a switch of its own, the other way round.
    flag("intel_pstate/no_turbo").map(|disabled| !disabled).or_else(|| flag("cpufreq/boost"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    #[test]
    fn a_boost_is_read_from_the_driver_that_there_is() {
        let boost_of = |files: &[(&str, &str)]| {
            let (_dir, sysroot) = tree(files);
            boost(&sysroot)
        };
        let no_turbo = "sys/devices/system/cpu/intel_pstate/no_turbo";
        let boost = "sys/devices/system/cpu/cpufreq/boost";
        assert_eq!(boost_of(&[]), None);
        assert_eq!(boost_of(&[(boost, "0\n")]), Some(false));
        assert_eq!(boost_of(&[(boost, "1\n")]), Some(true));
        assert_eq!(boost_of(&[(boost, "\n")]), None);
        assert_eq!(boost_of(&[(no_turbo, "0\n")]), Some(true));
        assert_eq!(boost_of(&[(no_turbo, "1\n"), (boost, "1\n")]), Some(false));
    }

    #[test]
    fn values_that_differ_are_mixed_and_empty_ones_do_not_count() {
        let common = |values: &[&str]| common(values.iter().map(|value| (*value).to_owned()));
        assert_eq!(common(&[]), None);
        assert_eq!(common(&["", ""]), None);
        assert_eq!(common(&["performance", "", "performance"]).as_deref(), Some("performance"));
        assert_eq!(common(&["performance", "powersave"]).as_deref(), Some("mixed"));
    }

    #[test]
    fn a_frequency_of_zero_or_unknown_is_none() {
        let (_dir, sysroot) = tree(&[
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "0\n"),
            ("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "<unknown>\n"),
            ("sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq", "4900390\n"),
        ]);
        let cpus = ["cpu0", "cpu1", "cpu2", "cpu3"].map(str::to_owned);
        assert_eq!(megahertz(&sysroot, &cpus, "scaling_cur_freq").collect::<Vec<_>>(), [4900.39]);
    }
}
