//! Graphics cards' own sensors, read through Linux's hwmon files.
//!
//! Below `sys/class/hwmon` each sensor chip is a directory, and its `device` is a link to the card on the PCI bus,
//! which is how a chip is matched to an adapter. Intel's drivers (i915, xe) count energy, `energyN_input` in µJ. AMD's
//! (amdgpu) tells power, `power1_average` or on newer kernels `power1_input` in µW, which is integrated here.
//!
//! A chip can have several channels that contain each other (the card and its package, a slow and a fast average of the
//! same power), so that one is read and none are added.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::integrate::Reading;
use super::pci::PciAddress;
use super::sampler::{Sampled, Source};
use super::{DeviceState, GpuAddress, Meter, MeterDescription, MeterError, Provenance, read_number, unavailable_for};
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// Where the chips are, below the root.
const HWMON: &str = "sys/class/hwmon";

/// How often a power is read. The drivers' own averages change about this often.
const PERIOD: Duration = Duration::from_millis(100);

/// How long a counter of energy may stand still. A card that is awake uses watts, and these counters step many times a
/// second; reading one wakes a card that sleeps.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// What a card's own sensors leave out.
pub(super) const LEAVES_OUT: &str = "power supply loss, processors, fans and disks of the machine";

/// The sensor of one card.
pub(super) struct Hwmon {
    description: MeterDescription,
    input: Input,
    sysroot: Sysroot,
    /// The directory of the card's chip, below the root.
    chip: String,
}

/// What is read.
enum Input {
    Energy(Energy),
    Power(Sampled<Power>),
}

/// A counter of energy.
#[derive(Debug)]
struct Energy {
    sysroot: Sysroot,
    file: String,
    /// Everything used since opening, and the counter's last value, in microjoules.
    total_uj: u128,
    last_uj: u64,
    /// When the value last changed, since opening.
    moved_at: Duration,
}

/// A gauge of power.
#[derive(Debug)]
struct Power {
    sysroot: Sysroot,
    file: String,
}

/// A channel of a card's chip that can be read, before it is opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Channel {
    /// The path of the file below the root.
    file: String,
    is_counter: bool,
    /// What its joules include.
    pub(super) covers: String,
}

impl Hwmon {
    /// Opens the sensor of `gpu`, and starts at 0 J.
    ///
    /// # Errors
    ///
    /// The card has no sensor of energy or power, or it can't be read.
    pub(super) fn open(sysroot: &Sysroot, gpu: &GpuAddress) -> Result<Self, Unavailable> {
        let channel = find(sysroot, gpu)?;
        let unreadable = |error: MeterError| unreadable(gpu, &error);
        let chip = channel.file.rsplit_once('/').map_or("", |(chip, _)| chip).to_owned();
        let source = (sysroot.clone(), channel.file.clone());
        let input = if channel.is_counter {
            Input::Energy(Energy::open(source).map_err(unreadable)?)
        } else {
            Input::Power(Sampled::start(Power { sysroot: source.0, file: source.1 }, PERIOD).map_err(unreadable)?)
        };
        let description = MeterDescription {
            name: format!("hwmon@{}", gpu.device),
            device: gpu.device,
            provenance: Provenance::Measured,
            covers: channel.covers,
            leaves_out: LEAVES_OUT.to_owned(),
            relative_uncertainty: None,
            quantum_s: PERIOD.as_secs_f64(),
        };
        Ok(Self { description, input, sysroot: sysroot.clone(), chip })
    }
}

impl Meter for Hwmon {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
        match &mut self.input {
            Input::Energy(energy) => energy.read_j(now),
            // The integral runs on its own clock, which its thread shares.
            Input::Power(power) => power.read_j(),
        }
    }

    /// Of amdgpu, which tells clock (in Hz) and temperature beside its power.
    fn state(&self) -> Option<DeviceState> {
        let read = |file: &str| read_number::<f64>(&self.sysroot, &format!("{}/{file}", self.chip), "units").ok();
        Some(DeviceState {
            clock_mhz: read("freq1_input").map(|hertz| hertz / 1e6),
            temperature_c: read("temp1_input").map(|millidegrees| millidegrees / 1e3),
            is_slowed_down: None,
        })
    }

    fn note(&self) -> Option<String> {
        match &self.input {
            Input::Energy(_) => None,
            Input::Power(power) => power.note(),
        }
    }
}

impl Energy {
    fn open((sysroot, file): (Sysroot, String)) -> Result<Self, MeterError> {
        let last_uj = read_number(&sysroot, &file, "microjoules")?;
        Ok(Self { sysroot, file, total_uj: 0, last_uj, moved_at: Duration::ZERO })
    }

    /// Adds what the counter moved. The driver extends it to 64 bits, so that it never wraps.
    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
        let uj: u64 = read_number(&self.sysroot, &self.file, "microjoules")?;
        let path = || self.sysroot.path(&self.file);
        let last_uj = std::mem::replace(&mut self.last_uj, uj);
        let Some(moved) = uj.checked_sub(last_uj) else {
            let reason = format!("it went down from {last_uj}, so the driver was restarted");
            return Err(MeterError::Content { path: path(), content: uj.to_string(), reason });
        };
        let still = now.saturating_sub(self.moved_at);
        if moved > 0 {
            self.moved_at = now;
        } else if still >= STUCK_AFTER {
            return Err(MeterError::Stuck { path: path(), seconds: still.as_secs_f64() });
        }
        self.total_uj += u128::from(moved);
        #[expect(clippy::cast_precision_loss, reason = "exact up to 9 GJ")]
        Ok(self.total_uj as f64 / 1e6)
    }
}

impl Source for Power {
    fn read(&mut self) -> Result<Reading, MeterError> {
        let uw: u64 = read_number(&self.sysroot, &self.file, "microwatts")?;
        #[expect(clippy::cast_precision_loss, reason = "no power needs 53 bits")]
        let reading = Reading::Watts(uw as f64 / 1e6);
        let path = self.sysroot.path(&self.file);
        reading.check().map_err(|reason| MeterError::Content { path, content: uw.to_string(), reason })
    }
}

/// Finds the channel of `gpu` that is read: energy before power, the whole card before a part of it.
///
/// # Errors
///
/// There is none, or it can't be read now.
pub(super) fn find(sysroot: &Sysroot, gpu: &GpuAddress) -> Result<Channel, Unavailable> {
    let address = gpu.address()?;
    let chips = chips(sysroot, address);
    if chips.is_empty() {
        let reason = format!("/sys/class/hwmon has no sensor of the card at {address}");
        return Err(unavailable_for(gpu.device, reason, ""));
    }
    let channel = chips.iter().find_map(|chip| channel(sysroot, chip)).ok_or_else(|| {
        let reason = format!("the sensors of the card at {address} tell neither energy nor power");
        unavailable_for(gpu.device, reason, "")
    })?;
    // A first reading, so that what is offered can be read.
    let source = (sysroot.clone(), channel.file.clone());
    let reading = if channel.is_counter {
        Energy::open(source).map(drop)
    } else {
        Power { sysroot: source.0, file: source.1 }.read().map(drop)
    };
    reading.map_err(|error| unreadable(gpu, &error))?;
    Ok(channel)
}

/// Lists the sensor chips of the card at a place on the PCI bus, by their paths below the root.
pub(super) fn chips(sysroot: &Sysroot, address: PciAddress) -> Vec<String> {
    let paths = sysroot.list(HWMON).into_iter().map(|chip| format!("{HWMON}/{chip}"));
    paths.filter(|chip| linked_address(&sysroot.path(format!("{chip}/device"))) == Some(address)).collect()
}

/// Returns the PCI address that a chip's `device` links to.
fn linked_address(link: &Path) -> Option<PciAddress> {
    // The name of the target is enough: a fake tree needs no such directory.
    let target: PathBuf = fs::read_link(link).ok()?;
    target.file_name()?.to_str()?.parse().ok()
}

/// Chooses the channel of a chip.
fn channel(sysroot: &Sysroot, chip: &str) -> Option<Channel> {
    let driver = sysroot.read(format!("{chip}/name")).unwrap_or_default();
    if driver.contains("_gt") {
        // i915 shows each tile of a card once more, as i915_gt0.
        return None;
    }
    let files = sysroot.list(chip);
    let label = |file: &str| {
        let (stem, _) = file.rsplit_once('_')?;
        sysroot.read(format!("{chip}/{stem}_label")).ok()
    };
    let counters: Vec<&String> =
        files.iter().filter(|file| file.starts_with("energy") && file.ends_with("_input")).collect();
    let card = counters.iter().find(|file| label(file).as_deref() == Some("card"));
    if let Some(file) = card.or(counters.first()) {
        let part = match label(file) {
            Some(label) if label != "card" => format!("the part {label:?} of the card"),
            _ => "the whole card".to_owned(),
        };
        let covers = format!("{part}, as the driver {driver} counts it");
        return Some(Channel { file: format!("{chip}/{file}"), is_counter: true, covers });
    }
    let file = ["power1_average", "power1_input"].into_iter().find(|name| files.iter().any(|file| file == name))?;
    // Only where graphics and processors share a chip does amdgpu show the voltage of their north bridge.
    let is_shared = (0..4).any(|n| sysroot.read(format!("{chip}/in{n}_label")).is_ok_and(|label| label == "vddnb"));
    let part = if is_shared { "the whole chip, its processors too" } else { "the card" };
    let covers = format!("{part}, as the driver {driver} tells its power");
    Some(Channel { file: format!("{chip}/{file}"), is_counter: false, covers })
}

/// Tells why a sensor can't be read, and what mends it.
fn unreadable(gpu: &GpuAddress, error: &MeterError) -> Unavailable {
    // EPERM is the driver's own refusal; EACCES is a mode of the file that forbids it.
    const EPERM: i32 = 1;
    match error {
        MeterError::Read { path, source } if source.raw_os_error() == Some(EPERM) => unavailable_for(
            gpu.device,
            format!("the driver refuses to read {}: the card sleeps, or was switched off", path.display()),
            "wake it with any work on it and try again",
        ),
        MeterError::Read { path, source } if source.kind() == io::ErrorKind::PermissionDenied => unavailable_for(
            gpu.device,
            format!("{} is not readable by this user", path.display()),
            &format!("until the next reboot: sudo chmod a+r {}", path.display()),
        ),
        error => unavailable_for(gpu.device, error.to_string(), ""),
    }
}

// Links, and colons in their targets, are another matter on Windows.
#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;
    use crate::device::Device;

    /// A fake hwmon tree.
    struct Tree(TempDir);

    impl Tree {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        /// Adds a chip at a PCI address with files.
        fn chip(self, number: u32, address: &str, files: &[(&str, &str)]) -> Self {
            let chip = self.0.path().join(HWMON).join(format!("hwmon{number}"));
            fs::create_dir_all(&chip).unwrap();
            symlink(format!("../../../{address}"), chip.join("device")).unwrap();
            for (file, content) in files {
                fs::write(chip.join(file), format!("{content}\n")).unwrap();
            }
            self
        }

        fn file(&self, number: u32, file: &str) -> PathBuf {
            self.0.path().join(HWMON).join(format!("hwmon{number}")).join(file)
        }

        fn set(&self, number: u32, file: &str, content: &str) {
            fs::write(self.file(number, file), format!("{content}\n")).unwrap();
        }

        fn sysroot(&self) -> Sysroot {
            Sysroot::new(self.0.path()).unwrap()
        }

        fn open(&self, gpu: u32, address: &str) -> Result<Hwmon, Unavailable> {
            Hwmon::open(&self.sysroot(), &gpu_at(gpu, address))
        }
    }

    fn gpu_at(index: u32, address: &str) -> GpuAddress {
        GpuAddress { device: Device::Gpu(index), pci_bus_id: Some(address.to_owned()), is_software: false }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const AMDGPU: &[(&str, &str)] =
        &[("name", "amdgpu"), ("power1_average", "35000000"), ("power1_cap", "300000000"), ("power1_label", "PPT")];

    #[test]
    fn intel_counts_the_energy_of_the_card() {
        let tree = Tree::new().chip(
            4,
            "0000:03:00.0",
            &[
                ("name", "xe"),
                ("energy1_input", "7000000"),
                ("energy1_label", "pkg"),
                ("energy2_input", "5000000"),
                ("energy2_label", "card"),
                ("power1_cap", "190000000"),
            ],
        );
        let mut meter = tree.open(0, "0000:03:00.0").unwrap();
        let description = meter.description();
        assert_eq!((description.name.as_str(), description.device), ("hwmon@gpu0", Device::Gpu(0)));
        assert_eq!(description.covers, "the whole card, as the driver xe counts it");
        assert_eq!(description.provenance, Provenance::Measured);
        assert_eq!((description.relative_uncertainty, description.quantum_s), (None, 0.1));
        assert_eq!(meter.read_j(secs(1)).unwrap(), 0.0);
        tree.set(4, "energy1_input", "900000000");
        tree.set(4, "energy2_input", "155500000");
        assert_eq!(meter.read_j(secs(2)).unwrap(), 150.5);
        assert_eq!(meter.note(), None);
    }

    #[test]
    fn tiles_are_left_out_and_a_part_is_called_one() {
        let tree = Tree::new().chip(1, "0000:03:00.0", &[("name", "i915_gt0"), ("energy1_input", "1")]).chip(
            2,
            "0000:03:00.0",
            &[("name", "i915"), ("energy1_input", "2"), ("energy1_label", "pkg")],
        );
        let channel = find(&tree.sysroot(), &gpu_at(0, "0000:03:00.0")).unwrap();
        assert_eq!(channel.file, "sys/class/hwmon/hwmon2/energy1_input");
        assert_eq!(channel.covers, "the part \"pkg\" of the card, as the driver i915 counts it");
    }

    #[test]
    fn a_counter_that_stands_still_or_goes_back_is_an_error_and_not_zero_watts() {
        let tree = Tree::new().chip(0, "0000:03:00.0", &[("name", "i915"), ("energy1_input", "1000000")]);
        let mut meter = tree.open(0, "0000:03:00.0").unwrap();
        assert_eq!(meter.read_j(Duration::from_millis(9_999)).unwrap(), 0.0);
        assert!(matches!(meter.read_j(secs(10)), Err(MeterError::Stuck { seconds: 10.0, .. })));
        tree.set(0, "energy1_input", "10");
        assert!(meter.read_j(secs(11)).unwrap_err().to_string().contains("went down from 1000000"));
        tree.set(0, "energy1_input", "2000010");
        assert_eq!(meter.read_j(secs(12)).unwrap(), 2.0);
    }

    #[test]
    fn two_cards_are_told_apart_by_their_place_on_the_bus() {
        let tree = Tree::new()
            .chip(0, "nvme0", &[("name", "nvme"), ("power1_input", "1000000")])
            .chip(1, "0000:0a:00.0", AMDGPU)
            .chip(2, "0000:03:00.0", &[("name", "amdgpu"), ("power1_input", "70000000")]);
        // On newer kernels the file is called power1_input.
        for (index, address, file) in [
            (0, "0000:03:00.0", "sys/class/hwmon/hwmon2/power1_input"),
            (1, "00000000:0A:00.0", "sys/class/hwmon/hwmon1/power1_average"),
        ] {
            let channel = find(&tree.sysroot(), &gpu_at(index, address)).unwrap();
            assert_eq!((channel.file.as_str(), channel.is_counter), (file, false));
            assert_eq!(channel.covers, "the card, as the driver amdgpu tells its power");
            let meter = tree.open(index, address).unwrap();
            assert_eq!(meter.description().device, Device::Gpu(index));
        }
        let Unavailable { reason, hint } = tree.open(2, "0000:04:00.0").err().unwrap();
        assert_eq!(reason, "/sys/class/hwmon has no sensor of the card at 0000:04:00.0");
        assert_eq!(hint, "declare the power: --meter watts:300W@gpu2");
        let nowhere = GpuAddress { device: Device::Gpu(3), pci_bus_id: None, is_software: false };
        assert!(find(&tree.sysroot(), &nowhere).unwrap_err().reason.contains("doesn't tell where gpu3 sits"));
    }

    #[test]
    fn a_chip_that_graphics_and_processors_share_is_called_one() {
        let files = [AMDGPU, &[("in0_label", "vddgfx"), ("in1_label", "vddnb")]].concat();
        let tree = Tree::new().chip(0, "0000:03:00.0", &files);
        let channel = find(&tree.sysroot(), &gpu_at(0, "0000:03:00.0")).unwrap();
        assert!(channel.covers.starts_with("the whole chip, its processors too"), "{}", channel.covers);
    }

    #[test]
    fn a_gauge_is_integrated() {
        use super::super::sampler::Tracked;

        let tree = Tree::new().chip(0, "0000:03:00.0", AMDGPU);
        let file = find(&tree.sysroot(), &gpu_at(0, "0000:03:00.0")).unwrap().file;
        let mut integral = Tracked::new(Power { sysroot: tree.sysroot(), file }).unwrap();
        // By hand: 35 W to 135 W in 0.1 s are 8.5 J; 135 W for 0.1 s are 13.5 J; 135 W to 15 W in 0.2 s are 15 J.
        for (watts, at_s, joules) in [(135, 0.1, 8.5), (135, 0.2, 22.0), (15, 0.4, 37.0)] {
            tree.set(0, "power1_average", &format!("{watts}000000"));
            let got = integral.sample_j(|| at_s).unwrap();
            assert!((got - joules).abs() < 1e-9, "{got} J at {at_s} s");
        }
        for (content, reason) in [("0", "a device that is on"), ("n/a", "not a whole number of microwatts")] {
            tree.set(0, "power1_average", content);
            let error = integral.sample_j(|| 0.5).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn clock_and_temperature_are_read_beside_the_power() {
        let tree = Tree::new().chip(0, "0000:03:00.0", AMDGPU);
        let meter = tree.open(0, "0000:03:00.0").unwrap();
        assert_eq!(meter.state(), Some(DeviceState::default()));
        tree.set(0, "freq1_input", "2575000000");
        tree.set(0, "temp1_input", "61500");
        let expected = DeviceState { clock_mhz: Some(2575.0), temperature_c: Some(61.5), is_slowed_down: None };
        assert_eq!(meter.state(), Some(expected));
    }

    #[test]
    fn a_sensor_that_vanishes_in_mid_run_is_an_error_with_its_path() {
        for (files, file) in [(AMDGPU, "power1_average"), (&[("name", "xe"), ("energy1_input", "5")], "energy1_input")]
        {
            let tree = Tree::new().chip(0, "0000:03:00.0", files);
            let mut meter = tree.open(0, "0000:03:00.0").unwrap();
            meter.read_j(secs(1)).unwrap();
            fs::remove_dir_all(tree.file(0, "")).unwrap();
            let error = meter.read_j(secs(2)).unwrap_err();
            assert!(matches!(&error, MeterError::Read { path, .. } if *path == tree.file(0, file)), "{error}");
        }
    }

    #[test]
    fn a_sensor_without_energy_or_power_or_with_garbage_is_unavailable() {
        for (files, expected) in [
            (&[("name", "amdgpu"), ("temp1_input", "40000")][..], "tell neither energy nor power"),
            (&[("name", "amdgpu"), ("power1_average", "x")], "not a whole number"),
            (&[("name", "amdgpu"), ("power1_average", "0")], "0 W: a device that is on"),
        ] {
            let tree = Tree::new().chip(0, "0000:03:00.0", files);
            let Unavailable { reason, .. } = tree.open(0, "0000:03:00.0").err().unwrap();
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn permission_denied_is_mended_by_a_command_and_a_card_that_sleeps_by_work() {
        let error = |code| MeterError::Read {
            path: PathBuf::from("/sys/class/hwmon/hwmon4/power1_average"),
            source: io::Error::from_raw_os_error(code),
        };
        let Unavailable { reason, hint } = unreadable(&gpu_at(1, "0000:03:00.0"), &error(13));
        assert_eq!(reason, "/sys/class/hwmon/hwmon4/power1_average is not readable by this user");
        assert_eq!(
            hint,
            "until the next reboot: sudo chmod a+r /sys/class/hwmon/hwmon4/power1_average; \
             or declare the power: --meter watts:300W@gpu1"
        );
        let Unavailable { reason, hint } = unreadable(&gpu_at(1, "0000:03:00.0"), &error(1));
        assert!(reason.contains("the card sleeps") && hint.starts_with("wake it"), "{reason} ({hint})");
    }
}
