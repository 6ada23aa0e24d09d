//! Which meters are opened for which devices, and why a device has none.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use super::battery::{self, Battery};
use super::command::{self, CommandMeter};
use super::csv::{self, CsvMeter};
use super::declared::{self, Declared};
use super::hwmon::{self, Hwmon};
use super::nvml::{self, Library, NvmlMeter};
use super::rapl::Rapl;
use super::{GpuAddress, Meter, MeterDescription, MeterSpec, MeterStatus, declare, unavailable_for};
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// The meters of one run, at most one for each device.
pub struct Meters {
    /// The open meters, in the order of their devices.
    pub meters: Vec<Box<dyn Meter>>,
    /// Why the processors or a graphics card have no meter, in the order of the devices; those that have one aren't
    /// here.
    pub unavailable: Vec<(Device, Unavailable)>,
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptions: Vec<&MeterDescription> = self.meters.iter().map(|meter| meter.description()).collect();
        f.debug_struct("Meters").field("meters", &descriptions).field("unavailable", &self.unavailable).finish()
    }
}

/// Meters that can't be opened as they were asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The meters asked for exclude each other: a mistake in the command line.
    #[error("meters {first} and {second} can't be used together: {reason}")]
    Conflict {
        /// One of them, as it prints.
        first: String,
        /// The other.
        second: String,
        /// Why they exclude each other.
        reason: String,
    },
    /// A meter that was asked for by name can't be read here.
    #[error("meter {meter} is not available: {reason} ({hint})")]
    Unavailable {
        /// The meter, as it prints.
        meter: String,
        /// Why it can't be read.
        reason: String,
        /// What the user can do.
        hint: String,
    },
}

/// Tells for every known kind of meter whether it works here, for the processors and for `gpus`.
///
/// Commands and logs are listed and not tried: what they would be, only the user knows.
#[must_use]
pub fn probe(sysroot: &Sysroot, gpus: &[GpuAddress]) -> Vec<MeterStatus> {
    Opener::new(sysroot, gpus).probe()
}

/// Opens the meters asked for; none at all means `auto`.
///
/// A spec that names a device comes first, then `nvml` and `hwmon` take the cards among `gpus` that they can read, in
/// the order given, and `auto` opens what can be read for each device that is left: RAPL, or else a battery that
/// discharges, for the processors; NVML, or else hwmon, for each card. Where that is nothing, the devices go without a
/// meter, and the reason is kept. An adapter in software has no meter of its own: its joules are the processors'.
///
/// # Errors
///
/// Two specs exclude each other, or a meter asked for by name can't be read.
pub fn open(specs: &[MeterSpec], sysroot: &Sysroot, gpus: &[GpuAddress]) -> Result<Meters, OpenError> {
    Opener::new(sysroot, gpus).open(specs)
}

/// What can't be loaded, and what mends it.
type NoLibrary = (String, &'static str);

/// What meters are opened with.
struct Opener<'a> {
    sysroot: &'a Sysroot,
    /// The graphics cards, without adapters in software.
    cards: Vec<&'a GpuAddress>,
    /// NVML, once it was looked for.
    nvml: OnceCell<Result<Box<dyn Library>, NoLibrary>>,
}

/// What has been opened until now.
#[derive(Default)]
struct Opened {
    meters: BTreeMap<Device, Box<dyn Meter>>,
    reasons: BTreeMap<Device, Unavailable>,
}

impl<'a> Opener<'a> {
    fn new(sysroot: &'a Sysroot, gpus: &'a [GpuAddress]) -> Self {
        Self { sysroot, cards: gpus.iter().filter(|gpu| !gpu.is_software).collect(), nvml: OnceCell::new() }
    }

    fn open(&self, specs: &[MeterSpec]) -> Result<Meters, OpenError> {
        check_conflicts(specs)?;
        let specs = if specs.is_empty() { &[MeterSpec::Auto] } else { specs };
        let mut opened = Opened::default();
        for spec in specs.iter().filter(|spec| spec.device().is_some()) {
            self.open_named(spec, &mut opened).map_err(|unavailable| not_available(spec, unavailable))?;
        }
        for spec in specs {
            match spec {
                MeterSpec::Nvml => self.open_cards(spec, &mut opened, |card| self.open_nvml(card))?,
                MeterSpec::Hwmon => self.open_cards(spec, &mut opened, |card| self.open_hwmon(card))?,
                _ => {}
            }
        }
        if specs.contains(&MeterSpec::Auto) {
            self.open_rest(&mut opened);
        }
        let is_off = specs.contains(&MeterSpec::None);
        let devices = std::iter::once(Device::Cpu).chain(self.cards.iter().map(|card| card.device));
        let without: BTreeMap<Device, Unavailable> = devices
            .filter(|device| !opened.meters.contains_key(device))
            .map(|device| (device, opened.reasons.remove(&device).unwrap_or_else(|| not_asked_for(device, is_off))))
            .collect();
        Ok(Meters { meters: opened.meters.into_values().collect(), unavailable: without.into_iter().collect() })
    }

    /// Opens a meter that names its device.
    fn open_named(&self, spec: &MeterSpec, opened: &mut Opened) -> Result<(), Unavailable> {
        let name = spec.to_string();
        let (device, meter): (Device, Box<dyn Meter>) = match spec {
            MeterSpec::Auto | MeterSpec::None | MeterSpec::Nvml | MeterSpec::Hwmon => return Ok(()),
            MeterSpec::Rapl => (Device::Cpu, Box::new(Rapl::open(self.sysroot)?)),
            MeterSpec::Battery => (Device::Cpu, Box::new(Battery::open(self.sysroot)?)),
            &MeterSpec::Watts { watts, relative_uncertainty, device } => {
                (device, Box::new(Declared::new(name, device, watts, relative_uncertainty)))
            }
            MeterSpec::Cmd { command, device } => (*device, Box::new(CommandMeter::open(name, command, *device)?)),
            MeterSpec::Csv { path, device } => (*device, Box::new(CsvMeter::open(name, path, *device)?)),
        };
        opened.meters.insert(device, meter);
        Ok(())
    }

    /// Opens one kind of meter for every card that has none yet; at least one of them must be readable.
    fn open_cards(
        &self,
        spec: &MeterSpec,
        opened: &mut Opened,
        open: impl Fn(&GpuAddress) -> Result<Box<dyn Meter>, Unavailable>,
    ) -> Result<(), OpenError> {
        let mut first = None;
        let mut is_any = false;
        for card in &self.cards {
            if opened.meters.contains_key(&card.device) {
                continue;
            }
            match open(card) {
                Ok(meter) => {
                    opened.meters.insert(card.device, meter);
                    is_any = true;
                }
                Err(unavailable) => {
                    first.get_or_insert_with(|| unavailable.clone());
                    opened.reasons.entry(card.device).or_insert(unavailable);
                }
            }
        }
        if is_any {
            return Ok(());
        }
        let none_left = || {
            let reason =
                if self.cards.is_empty() { "there is no graphics card" } else { "every card has another meter" };
            Unavailable { reason: reason.to_owned(), hint: format!("leave --meter {spec} out") }
        };
        Err(not_available(spec, first.unwrap_or_else(none_left)))
    }

    /// Opens whatever can be read for the devices that have no meter yet.
    fn open_rest(&self, opened: &mut Opened) {
        for device in std::iter::once(Device::Cpu).chain(self.cards.iter().map(|card| card.device)) {
            if opened.meters.contains_key(&device) {
                continue;
            }
            let card = self.cards.iter().find(|card| card.device == device);
            match card.map_or_else(|| self.open_cpu(), |card| self.open_card(card)) {
                Ok(meter) => drop(opened.meters.insert(device, meter)),
                Err(unavailable) => drop(opened.reasons.insert(device, unavailable)),
            }
        }
    }

    fn open_cpu(&self) -> Result<Box<dyn Meter>, Unavailable> {
        let no_rapl = match Rapl::open(self.sysroot) {
            Ok(meter) => return Ok(Box::new(meter)),
            Err(no_rapl) => no_rapl,
        };
        if !battery::exists(self.sysroot) {
            return Err(no_rapl);
        }
        match Battery::open(self.sysroot) {
            Ok(meter) => Ok(Box::new(meter)),
            Err(no_battery) => {
                Err(Unavailable { reason: format!("{}; {}", no_rapl.reason, no_battery.reason), ..no_rapl })
            }
        }
    }

    fn open_card(&self, card: &GpuAddress) -> Result<Box<dyn Meter>, Unavailable> {
        card.address()?;
        self.open_nvml(card).or_else(|no_nvml| {
            self.open_hwmon(card).map_err(|no_hwmon| {
                // Whichever knows more than to declare the power.
                let hint = if no_hwmon.hint == declare(card.device) { no_nvml.hint } else { no_hwmon.hint };
                Unavailable { reason: format!("{}; {}", no_nvml.reason, no_hwmon.reason), hint }
            })
        })
    }

    fn open_nvml(&self, card: &GpuAddress) -> Result<Box<dyn Meter>, Unavailable> {
        Ok(Box::new(NvmlMeter::open(self.nvml_library(card.device)?, card)?))
    }

    fn open_hwmon(&self, card: &GpuAddress) -> Result<Box<dyn Meter>, Unavailable> {
        Ok(Box::new(Hwmon::open(self.sysroot, card)?))
    }

    /// Returns NVML, which is loaded on first use.
    fn nvml_library(&self, device: Device) -> Result<&dyn Library, Unavailable> {
        match self.nvml.get_or_init(|| nvml::load(self.sysroot)) {
            Ok(library) => Ok(library.as_ref()),
            Err((reason, mend)) => Err(unavailable_for(device, reason, mend)),
        }
    }

    fn probe(&self) -> Vec<MeterStatus> {
        let rapl = Rapl::open(self.sysroot).map(|meter| meter.description().covers.clone());
        let battery = battery::check(self.sysroot).map(|()| battery::COVERS.to_owned());
        let nvml =
            self.probe_cards(|card| Ok(nvml::covers(nvml::find(self.nvml_library(card.device)?, card)?.as_ref())));
        let hwmon = self.probe_cards(|card| Ok(hwmon::find(self.sysroot, card)?.covers));
        vec![
            status("rapl", rapl, "processor packages, and dram domains where there are any"),
            status("nvml", nvml, "graphics cards by NVIDIA"),
            status("hwmon", hwmon, "graphics cards by AMD and Intel"),
            status("battery", battery, battery::COVERS),
            offered("watts:W", declared::COVERS, declare(Device::Cpu)),
            offered("cmd:COMMAND", command::COVERS, "--meter cmd:plug-power@cpu".to_owned()),
            offered("csv:FILE", csv::COVERS, "--meter csv:plug.csv@cpu".to_owned()),
        ]
    }

    /// Says what a kind of meter covers of the cards that it can read; where that is none, why not.
    fn probe_cards(&self, covers: impl Fn(&GpuAddress) -> Result<String, Unavailable>) -> Result<String, Unavailable> {
        let mut readable = Vec::new();
        let mut first = None;
        for card in &self.cards {
            match covers(card) {
                Ok(covers) => readable.push(format!("{}: {covers}", card.device)),
                Err(unavailable) => drop(first.get_or_insert(unavailable)),
            }
        }
        if readable.is_empty() {
            let none = || Unavailable { reason: "there is no graphics card".to_owned(), hint: String::new() };
            return Err(first.unwrap_or_else(none));
        }
        Ok(readable.join("; "))
    }
}

/// Tells what came of looking for a kind of meter.
fn status(name: &str, covers: Result<String, Unavailable>, would_cover: &str) -> MeterStatus {
    let name = name.to_owned();
    match covers {
        Ok(covers) => MeterStatus { name, available: true, covers, reason: None, hint: None },
        Err(Unavailable { reason, hint }) => MeterStatus {
            name,
            available: false,
            covers: would_cover.to_owned(),
            reason: Some(reason),
            hint: Some(hint).filter(|hint| !hint.is_empty()),
        },
    }
}

/// Lists a kind of meter that works wherever the user has what it needs.
fn offered(name: &str, covers: &str, hint: String) -> MeterStatus {
    MeterStatus { name: name.to_owned(), available: true, covers: covers.to_owned(), reason: None, hint: Some(hint) }
}

fn not_available(spec: &MeterSpec, Unavailable { reason, hint }: Unavailable) -> OpenError {
    OpenError::Unavailable { meter: spec.to_string(), reason, hint }
}

/// Tells why a device has no meter that nobody looked for.
fn not_asked_for(device: Device, is_off: bool) -> Unavailable {
    if is_off {
        return unavailable_for(device, "--meter none switched the meters off", "leave --meter none out");
    }
    let what = if device == Device::Cpu { "the processors".to_owned() } else { device.to_string() };
    unavailable_for(device, format!("no meter was asked for that reads {what}"), "add --meter auto")
}

/// Rejects `none` beside anything, one kind twice, and two meters that are named for one device.
fn check_conflicts(specs: &[MeterSpec]) -> Result<(), OpenError> {
    for (index, second) in specs.iter().enumerate() {
        for first in &specs[..index] {
            let reason = match (first, second) {
                (MeterSpec::None, _) | (_, MeterSpec::None) => "none excludes every other meter".to_owned(),
                (MeterSpec::Auto, MeterSpec::Auto)
                | (MeterSpec::Nvml, MeterSpec::Nvml)
                | (MeterSpec::Hwmon, MeterSpec::Hwmon) => format!("{first} is given twice"),
                _ => match (first.device(), second.device()) {
                    (Some(one), Some(other)) if one == other => format!("a device has one meter, and both read {one}"),
                    _ => continue,
                },
            };
            return Err(OpenError::Conflict { first: first.to_string(), second: second.to_string(), reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn empty() -> (TempDir, Sysroot) {
        let dir = TempDir::new().unwrap();
        let sysroot = Sysroot::new(dir.path()).unwrap();
        (dir, sysroot)
    }

    #[cfg(unix)]
    fn with_rapl() -> (TempDir, Sysroot) {
        use std::fs;

        let (dir, sysroot) = empty();
        let domain = dir.path().join("sys/class/powercap/intel-rapl:0");
        fs::create_dir_all(&domain).unwrap();
        for (file, content) in
            [("name", "package-0\n"), ("energy_uj", "5\n"), ("max_energy_range_uj", "262143328850\n")]
        {
            fs::write(domain.join(file), content).unwrap();
        }
        (dir, sysroot)
    }

    fn specs(texts: &[&str]) -> Vec<MeterSpec> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[cfg(unix)]
    fn add_hwmon(dir: &TempDir, number: u32, address: &str) {
        let chip = dir.path().join(format!("sys/class/hwmon/hwmon{number}"));
        std::fs::create_dir_all(&chip).unwrap();
        std::os::unix::fs::symlink(format!("../../../{address}"), chip.join("device")).unwrap();
        std::fs::write(chip.join("name"), "amdgpu").unwrap();
        std::fs::write(chip.join("power1_average"), "50000000").unwrap();
    }

    #[cfg(unix)]
    fn gpu(index: u32, address: &str) -> GpuAddress {
        GpuAddress { device: Device::Gpu(index), pci_bus_id: Some(address.to_owned()), is_software: false }
    }

    fn cpu_unavailable(meters: &Meters) -> Option<Unavailable> {
        let of_cpu = meters.unavailable.iter().find(|(device, _)| *device == Device::Cpu);
        of_cpu.map(|(_, unavailable)| unavailable.clone())
    }

    fn names(meters: &Meters) -> Vec<&str> {
        meters.meters.iter().map(|meter| meter.description().name.as_str()).collect()
    }

    #[test]
    fn meters_that_exclude_each_other_are_rejected() {
        let (_dir, sysroot) = empty();
        for (texts, first, second, reason) in [
            (&["none", "auto"][..], "none", "auto", "none excludes"),
            (&["watts:5@gpu0", "none"], "watts:5W@gpu0", "none", "none excludes"),
            (&["none", "none"], "none", "none", "none excludes"),
            (&["auto", "auto"], "auto", "auto", "auto is given twice"),
            (&["nvml", "nvml"], "nvml", "nvml", "nvml is given twice"),
            (&["hwmon", "nvml", "hwmon"], "hwmon", "hwmon", "hwmon is given twice"),
            (&["battery", "rapl"], "battery", "rapl", "both read cpu"),
            (&["cmd:true", "csv:x@cpu"], "cmd:true@cpu", "csv:x@cpu", "both read cpu"),
            (&["rapl", "rapl"], "rapl", "rapl", "both read cpu"),
            (&["rapl", "watts:65W"], "rapl", "watts:65W@cpu", "both read cpu"),
            (&["watts:65W", "auto", "watts:70W"], "watts:65W@cpu", "watts:70W@cpu", "both read cpu"),
            (&["watts:65W@gpu3", "watts:65W@gpu3"], "watts:65W@gpu3", "watts:65W@gpu3", "both read gpu3"),
        ] {
            let error = open(&specs(texts), &sysroot, &[]).unwrap_err();
            assert!(
                matches!(&error, OpenError::Conflict { first: f, second: s, reason: r }
                    if f == first && s == second && r.contains(reason)),
                "{texts:?}: {error}"
            );
        }
    }

    #[test]
    fn auto_without_a_counter_opens_nothing_and_says_why() {
        let (_dir, sysroot) = empty();
        for texts in [&[][..], &["auto"]] {
            let meters = open(&specs(texts), &sysroot, &[]).unwrap();
            assert!(meters.meters.is_empty());
            let Unavailable { reason, hint } = cpu_unavailable(&meters).unwrap();
            assert!(reason.contains("no RAPL counters"), "{reason}");
            assert!(hint.ends_with("declare the power: --meter watts:65W@cpu"), "{hint}");
        }
    }

    #[test]
    fn rapl_by_name_without_a_counter_is_an_error() {
        let (_dir, sysroot) = empty();
        let error = open(&specs(&["rapl"]), &sysroot, &[]).unwrap_err();
        assert!(matches!(&error, OpenError::Unavailable { meter, .. } if meter == "rapl"), "{error}");
        assert!(error.to_string().contains("/sys/class/powercap has no intel-rapl domain"), "{error}");
    }

    #[test]
    fn none_and_meters_of_other_devices_leave_the_processors_without_one() {
        let (_dir, sysroot) = empty();
        let meters = open(&specs(&["none"]), &sysroot, &[]).unwrap();
        assert!(meters.meters.is_empty());
        assert!(cpu_unavailable(&meters).unwrap().reason.contains("--meter none"));

        let meters = open(&specs(&["watts:300W@gpu0"]), &sysroot, &[]).unwrap();
        assert_eq!(names(&meters), ["watts:300W@gpu0"]);
        assert!(cpu_unavailable(&meters).unwrap().reason.contains("no meter was asked for"));
    }

    #[cfg(unix)]
    #[test]
    fn auto_fills_only_the_devices_that_no_other_meter_names() {
        let (_dir, sysroot) = with_rapl();
        for (texts, expected) in [
            (&[][..], &["rapl"][..]),
            (&["auto"], &["rapl"]),
            (&["rapl@cpu"], &["rapl"]),
            (&["auto", "rapl"], &["rapl"]),
            (&["auto", "watts:1.3kW@gpu0"], &["rapl", "watts:1300W@gpu0"]),
            (&["watts:65W+-5%", "auto"], &["watts:65W±5%@cpu"]),
            (
                &["watts:65W", "watts:66W@gpu0", "watts:67W@gpu1"],
                &["watts:65W@cpu", "watts:66W@gpu0", "watts:67W@gpu1"],
            ),
        ] {
            let meters = open(&specs(texts), &sysroot, &[]).unwrap();
            assert_eq!(names(&meters), expected, "{texts:?}");
            assert_eq!(cpu_unavailable(&meters), None, "{texts:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn probing_lists_every_kind_of_meter() {
        let (dir, sysroot) = with_rapl();
        add_hwmon(&dir, 0, "0000:0a:00.0");
        let found = probe(&sysroot, &[gpu(0, "0000:03:00.0"), gpu(1, "0000:0a:00.0")]);
        let names: Vec<&str> = found.iter().map(|meter| meter.name.as_str()).collect();
        assert_eq!(names, ["rapl", "nvml", "hwmon", "battery", "watts:W", "cmd:COMMAND", "csv:FILE"]);
        let available: Vec<bool> = found.iter().map(|meter| meter.available).collect();
        assert_eq!(available, [true, false, true, false, true, true, true]);
        assert!(found.iter().all(|meter| meter.available == meter.reason.is_none()));
        assert_eq!(found[0].covers, "1 package");
        assert_eq!(found[2].covers, "gpu1: the card, as the driver amdgpu tells its power");

        let (_dir, sysroot) = empty();
        let software = GpuAddress { is_software: true, ..gpu(0, "0000:03:00.0") };
        let found = probe(&sysroot, &[software]);
        assert!(!found[0].available && found[0].reason.is_some() && found[0].hint.is_some());
        assert_eq!(found[1].reason.as_deref(), Some("there is no graphics card"));
        let json = serde_json::to_value(&found[0]).unwrap();
        let mut keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["available", "covers", "hint", "name", "reason"]);
    }

    #[cfg(unix)]
    #[test]
    fn each_card_gets_its_own_meter_or_its_own_reason() {
        let (dir, sysroot) = with_rapl();
        add_hwmon(&dir, 0, "0000:0a:00.0");
        let software = GpuAddress { is_software: true, ..gpu(2, "0000:0b:00.0") };
        let gpus = [gpu(0, "0000:03:00.0"), gpu(1, "0000:0a:00.0"), software];
        for (texts, expected, without) in [
            (&[][..], &["rapl", "hwmon@gpu1"][..], &[Device::Gpu(0)][..]),
            (&["hwmon"], &["hwmon@gpu1"], &[Device::Cpu, Device::Gpu(0)]),
            (&["auto", "watts:9@gpu1", "watts:8@gpu0"], &["rapl", "watts:8W@gpu0", "watts:9W@gpu1"], &[]),
            (&["hwmon", "watts:9@gpu0"], &["watts:9W@gpu0", "hwmon@gpu1"], &[Device::Cpu]),
            (&["auto", "hwmon"], &["rapl", "hwmon@gpu1"], &[Device::Gpu(0)]),
            (&["none"], &[], &[Device::Cpu, Device::Gpu(0), Device::Gpu(1)]),
        ] {
            let meters = open(&specs(texts), &sysroot, &gpus).unwrap();
            assert_eq!(names(&meters), expected, "{texts:?}");
            let devices: Vec<Device> = meters.unavailable.iter().map(|(device, _)| *device).collect();
            assert_eq!(devices, without, "{texts:?}");
        }
        let meters = open(&[], &sysroot, &gpus).unwrap();
        let Unavailable { reason, hint } = &meters.unavailable[0].1;
        assert!(reason.contains("NVML") && reason.contains("no sensor of the card at 0000:03:00.0"), "{reason}");
        assert!(hint.ends_with("declare the power: --meter watts:300W@gpu0"), "{hint}");
        for (texts, gpus, expected) in [
            (&["hwmon"][..], &gpus[..1], "no sensor of the card at 0000:03:00.0"),
            (&["nvml"], &gpus[..1], "NVML reads this machine"),
            (&["nvml"], &gpus[2..], "there is no graphics card"),
            (&["hwmon", "watts:9@gpu0"], &gpus[..1], "every card has another meter"),
        ] {
            let error = open(&specs(texts), &sysroot, gpus).unwrap_err();
            assert!(matches!(&error, OpenError::Unavailable { reason, .. } if reason.contains(expected)), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nvml_goes_before_hwmon_and_each_takes_the_cards_that_it_knows() {
        use super::super::nvml::tests::FakeLibrary;

        let (dir, sysroot) = with_rapl();
        add_hwmon(&dir, 0, "0000:0a:00.0");
        add_hwmon(&dir, 1, "0000:3b:00.0");
        let gpus = [gpu(0, "0000:0a:00.0"), gpu(1, "0000:3b:00.0")];
        for (texts, expected) in [
            (&[][..], &["rapl", "hwmon@gpu0", "nvml@gpu1"][..]),
            (&["nvml"], &["nvml@gpu1"]),
            (&["nvml", "hwmon"], &["hwmon@gpu0", "nvml@gpu1"]),
            (&["hwmon", "auto"], &["rapl", "hwmon@gpu0", "hwmon@gpu1"]),
            (&["nvml", "auto", "watts:9@gpu0"], &["rapl", "watts:9W@gpu0", "nvml@gpu1"]),
        ] {
            let opener = Opener::new(&sysroot, &gpus);
            assert!(opener.nvml.set(Ok(Box::new(FakeLibrary::new(Ok(5), Ok(70_000))))).is_ok());
            assert_eq!(names(&opener.open(&specs(texts)).unwrap()), expected, "{texts:?}");
            let nvml = opener.probe().remove(1);
            assert_eq!(nvml.covers, "gpu1: the whole card H200, its memory too, by NVML's energy counter");
        }
    }

    #[test]
    fn a_battery_that_discharges_stands_in_for_rapl() {
        let (dir, sysroot) = empty();
        let battery = dir.path().join("sys/class/power_supply/BAT0");
        std::fs::create_dir_all(&battery).unwrap();
        for (file, content) in [("type", "Battery"), ("status", "Discharging"), ("power_now", "9000000")] {
            std::fs::write(battery.join(file), content).unwrap();
        }
        for texts in [&["auto"], &["battery"]] {
            let meters = open(&specs(texts), &sysroot, &[]).unwrap();
            assert_eq!(names(&meters), ["battery"]);
            assert!(meters.unavailable.is_empty());
        }
        std::fs::write(battery.join("status"), "Charging").unwrap();
        let reason = cpu_unavailable(&open(&[], &sysroot, &[]).unwrap()).unwrap().reason;
        assert!(reason.contains("no RAPL counters") && reason.contains("only while it discharges"), "{reason}");
        let error = open(&specs(&["battery"]), &sysroot, &[]).unwrap_err();
        assert!(error.to_string().contains("unplug the charger"), "{error}");
    }

    #[test]
    fn a_command_or_a_log_that_does_not_work_is_an_error_before_the_run() {
        let (_dir, sysroot) = empty();
        for (text, expected) in [
            ("cmd:echo 65@gpu0", "has no unit"),
            ("csv:/nowhere/plug.csv", "can't read it"),
            ("cmd:exit 1", "fails with"),
        ] {
            let error = open(&specs(&[text]), &sysroot, &[]).unwrap_err();
            assert!(matches!(&error, OpenError::Unavailable { reason, .. } if reason.contains(expected)), "{error}");
        }
        let meters = open(&specs(&["cmd:echo 65 W"]), &sysroot, &[]).unwrap();
        assert_eq!((names(&meters), meters.unavailable.len()), (vec!["cmd:echo 65 W@cpu"], 0));
    }
}
