//! How graphics cards are set: power limits and clocks, which explain why one card is faster than its twin.

use super::hwmon;
use super::nvml::{self, Library};
use super::pci::PciAddress;
use super::{GpuAddress, read_number};
use crate::sysroot::Sysroot;

/// The number of NVIDIA among the vendors of PCI cards.
const NVIDIA: u32 = 0x10de;

/// How a card is set. What its driver doesn't tell is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CardSettings {
    /// The power that it may draw at most, in watts.
    pub power_limit_w: Option<f64>,
    /// The highest clock that its cores may run at, in MHz.
    pub clock_mhz: Option<f64>,
    /// The highest clock that its memory may run at, in MHz.
    pub memory_clock_mhz: Option<f64>,
}

/// Asks how cards are set: each an adapter with the PCI number of its vendor. Cards of AMD are looked up below
/// `sysroot`, those of NVIDIA through their driver's library, which is loaded only where there is such a card.
#[must_use]
pub fn card_settings(sysroot: &Sysroot, cards: &[(GpuAddress, u32)]) -> Vec<CardSettings> {
    let is_nvidia = |(gpu, vendor): &(GpuAddress, u32)| *vendor == NVIDIA && !gpu.is_software;
    let library = if cards.iter().any(is_nvidia) { nvml::load(sysroot).ok() } else { None };
    let settings = |card: &(GpuAddress, u32)| match card.0.address() {
        Ok(address) if is_nvidia(card) => library.as_deref().map(|library| of_nvidia(library, address)),
        Ok(address) if !card.0.is_software => of_amd(sysroot, address),
        _ => None,
    };
    cards.iter().map(|card| settings(card).unwrap_or_default()).collect()
}

fn of_nvidia(library: &dyn Library, address: PciAddress) -> CardSettings {
    library.card(&address.to_string()).map(|card| card.settings()).unwrap_or_default()
}

/// Reads what amdgpu tells: the limit of power in µW beside the sensors, and the steps of the clocks beside the card.
fn of_amd(sysroot: &Sysroot, address: PciAddress) -> Option<CardSettings> {
    let is_amd = |chip: &String| sysroot.read(format!("{chip}/name")).is_ok_and(|name| name == "amdgpu");
    let chip = hwmon::chips(sysroot, address).into_iter().find(is_amd)?;
    let limit_uw: Option<u64> = read_number(sysroot, &format!("{chip}/power1_cap"), "microwatts").ok();
    #[expect(clippy::cast_precision_loss, reason = "no power needs 53 bits")]
    let watts = |uw: u64| uw as f64 / 1e6;
    let clock = |file: &str| highest_mhz(&sysroot.read(format!("{chip}/device/{file}")).ok()?);
    Some(CardSettings {
        // Chips that have no limit of their own show 0.
        power_limit_w: limit_uw.filter(|&uw| uw > 0).map(watts),
        clock_mhz: clock("pp_dpm_sclk"),
        memory_clock_mhz: clock("pp_dpm_mclk"),
    })
}

/// Returns the highest of the steps of a clock, of which each has a line such as `1: 2575Mhz *`.
fn highest_mhz(steps: &str) -> Option<f64> {
    let step = |line: &str| {
        let (_, clock) = line.split_once(':')?;
        let digits = clock.trim().trim_end_matches('*').trim().to_ascii_lowercase();
        digits.strip_suffix("mhz")?.trim().parse::<u32>().ok()
    };
    steps.lines().filter_map(step).max().filter(|&mhz| mhz > 0).map(f64::from)
}

// Links are another matter on Windows.
#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::super::nvml::tests::FakeLibrary;
    use super::*;
    use crate::device::Device;

    const AMD: u32 = 0x1002;

    /// Makes a tree with a card and its chip of sensors.
    fn tree(name: &str, sensors: &[(&str, &str)], card: &[(&str, &str)]) -> (TempDir, Sysroot) {
        let directory = TempDir::new().unwrap();
        let device = directory.path().join("sys/devices/0000:03:00.0");
        let chip = directory.path().join("sys/class/hwmon/hwmon4");
        for folder in [&device, &chip] {
            fs::create_dir_all(folder).unwrap();
        }
        symlink("../../../devices/0000:03:00.0", chip.join("device")).unwrap();
        fs::write(chip.join("name"), format!("{name}\n")).unwrap();
        for (folder, files) in [(&chip, sensors), (&device, card)] {
            for (file, content) in files {
                fs::write(folder.join(file), content).unwrap();
            }
        }
        let sysroot = Sysroot::new(directory.path()).unwrap();
        (directory, sysroot)
    }

    fn gpu(address: Option<&str>, is_software: bool) -> GpuAddress {
        GpuAddress { device: Device::Gpu(0), pci_bus_id: address.map(ToOwned::to_owned), is_software }
    }

    fn of(sysroot: &Sysroot, gpu: GpuAddress, vendor: u32) -> CardSettings {
        let settings = card_settings(sysroot, &[(gpu, vendor)]);
        assert_eq!(settings.len(), 1);
        settings[0]
    }

    #[test]
    fn amdgpu_tells_its_limit_and_the_steps_of_its_clocks() {
        let steps = [
            ("pp_dpm_sclk", "0: 500Mhz *\n1: 2575Mhz \n2: 1200Mhz\n"),
            ("pp_dpm_mclk", "0: 96Mhz\n1: 456Mhz\n2: 1249Mhz *\n"),
        ];
        let (_directory, sysroot) = tree("amdgpu", &[("power1_cap", "303000000\n")], &steps);
        let expected =
            CardSettings { power_limit_w: Some(303.0), clock_mhz: Some(2575.0), memory_clock_mhz: Some(1249.0) };
        assert_eq!(of(&sysroot, gpu(Some("0000:03:00.0"), false), AMD), expected);
        // Another card, a driver in software at no place, and one whose place isn't told.
        for other in [gpu(Some("0000:04:00.0"), false), gpu(Some("0000:03:00.0"), true), gpu(None, false)] {
            assert_eq!(of(&sysroot, other, AMD), CardSettings::default());
        }
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_absent() {
        let (_directory, sysroot) =
            tree("amdgpu", &[("power1_cap", "0\n")], &[("pp_dpm_sclk", "S: \nno clock\n0: fast\n")]);
        assert_eq!(of(&sysroot, gpu(Some("0000:03:00.0"), false), AMD), CardSettings::default());
        let (_directory, sysroot) = tree("amdgpu", &[("power1_cap", "250000000")], &[]);
        let expected = CardSettings { power_limit_w: Some(250.0), ..CardSettings::default() };
        assert_eq!(of(&sysroot, gpu(Some("0000:03:00.0"), false), AMD), expected);
        let (_directory, sysroot) = tree("xe", &[("power1_cap", "250000000")], &[]);
        assert_eq!(of(&sysroot, gpu(Some("0000:03:00.0"), false), 0x8086), CardSettings::default());
    }

    #[test]
    fn nvml_is_asked_by_the_place_of_the_card_and_not_for_another_machine() {
        let library = FakeLibrary::new(Ok(1), Ok(1));
        let at = |address: &str| of_nvidia(&library, address.parse().ok().unwrap());
        let expected =
            CardSettings { power_limit_w: Some(700.0), clock_mhz: Some(1980.0), memory_clock_mhz: Some(3201.0) };
        assert_eq!(at("0000:3b:00.0"), expected);
        assert_eq!(at("0000:3c:00.0"), CardSettings::default());
        let (_directory, sysroot) = tree("nothing", &[], &[]);
        assert_eq!(of(&sysroot, gpu(Some("0000:3b:00.0"), false), NVIDIA), CardSettings::default());
    }
}
