//! NVIDIA's cards, read through NVML, the library that comes with their driver.
//!
//! Cards since Volta count their energy in mJ, in steps of about 100 ms. Every card tells its power in mW, on most an
//! average over the last second. Both are read: the counter is what counts, and the power, integrated at 10 Hz, checks
//! it, because on some cards they differ by much. A card without the counter is read by its power alone. Both are those
//! of the whole board, of which an instance of a divided card (MIG) is a part.

use std::sync::Arc;
use std::time::Duration;

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;

use super::card::CardSettings;
use super::hwmon::LEAVES_OUT;
use super::integrate::Reading;
use super::sampler::{Sampled, Source};
use super::{CHIP_CLASS, DeviceState, GpuAddress, Meter, MeterDescription, MeterError, Provenance, unavailable_for};
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// How often the power is read.
const PERIOD: Duration = Duration::from_millis(100);

/// How long the counter may stand still: a card that NVML can ask is awake.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How far counter and integrated power may lie apart without a word, as a fraction of the counter.
const TOLERANCE: f64 = 0.05;

/// How long both have to run until they are compared: the power lags a second behind.
const COMPARED_AFTER: Duration = Duration::from_secs(10);

/// NVML, as far as it is needed, so that tests can do without a card.
pub(super) trait Library {
    /// Finds the card at a place on the PCI bus; the error is the reason.
    fn card(&self, pci_bus_id: &str) -> Result<Arc<dyn Card>, String>;
}

/// One card; the errors are reasons.
pub(super) trait Card: Send + Sync {
    /// Reads the name of the card.
    fn name(&self) -> Result<String, String>;

    /// Reads the counter of energy, in millijoules since the driver was loaded.
    fn energy_mj(&self) -> Result<u64, String>;

    /// Reads the power, in milliwatts.
    fn power_mw(&self) -> Result<u32, String>;

    /// Reads how the card is set.
    fn settings(&self) -> CardSettings;

    /// Reads how the card is now.
    fn state(&self) -> DeviceState;
}

/// The reasons for a low clock that nobody sets: heat, and a power supply that can't give what is asked. Cards work at
/// their power limit by design, so that one is no such reason.
const SLOWDOWNS: ThrottleReasons = ThrottleReasons::HW_SLOWDOWN
    .union(ThrottleReasons::SW_THERMAL_SLOWDOWN)
    .union(ThrottleReasons::HW_THERMAL_SLOWDOWN)
    .union(ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN);

/// The library that is installed.
struct Installed(Arc<Nvml>);

/// A card that the library knows.
struct InstalledCard {
    nvml: Arc<Nvml>,
    pci_bus_id: String,
}

impl InstalledCard {
    fn ask<T>(&self, question: impl FnOnce(nvml_wrapper::Device<'_>) -> Result<T, NvmlError>) -> Result<T, String> {
        // The library keeps its own handles; looking one up again is cheap and borrows nothing.
        let device = self.nvml.device_by_pci_bus_id(self.pci_bus_id.as_str());
        device.and_then(question).map_err(|error| error.to_string())
    }
}

impl Card for InstalledCard {
    fn name(&self) -> Result<String, String> {
        self.ask(|device| device.name())
    }

    fn energy_mj(&self) -> Result<u64, String> {
        self.ask(|device| device.total_energy_consumption())
    }

    fn power_mw(&self) -> Result<u32, String> {
        self.ask(|device| device.power_usage())
    }

    fn settings(&self) -> CardSettings {
        let clock = |clock| self.ask(|device| device.max_clock_info(clock)).ok().map(f64::from);
        CardSettings {
            // The least of all limits that are in force: the user's, the board's and the system's.
            power_limit_w: self.ask(|device| device.enforced_power_limit()).ok().map(|mw| f64::from(mw) / 1e3),
            clock_mhz: clock(Clock::SM),
            memory_clock_mhz: clock(Clock::Memory),
        }
    }

    fn state(&self) -> DeviceState {
        let reasons = self.ask(|device| device.current_throttle_reasons());
        DeviceState {
            clock_mhz: self.ask(|device| device.clock_info(Clock::SM)).ok().map(f64::from),
            temperature_c: self.ask(|device| device.temperature(TemperatureSensor::Gpu)).ok().map(f64::from),
            is_slowed_down: reasons.ok().map(|reasons| reasons.intersects(SLOWDOWNS)),
        }
    }
}

impl Library for Installed {
    fn card(&self, pci_bus_id: &str) -> Result<Arc<dyn Card>, String> {
        let card = InstalledCard { nvml: Arc::clone(&self.0), pci_bus_id: pci_bus_id.to_owned() };
        card.ask(|_| Ok(()))?;
        Ok(Arc::new(card))
    }
}

/// Loads the library; the error tells why there is none, and what mends it.
///
/// # Errors
///
/// It isn't installed, doesn't fit the driver, or `sysroot` stands for another machine.
pub(super) fn load(sysroot: &Sysroot) -> Result<Box<dyn Library>, (String, &'static str)> {
    if !sysroot.is_host() {
        return Err(("NVML reads this machine, and --sysroot stands for another".to_owned(), ""));
    }
    match Nvml::init() {
        Ok(nvml) => Ok(Box::new(Installed(Arc::new(nvml)))),
        Err(error) => Err(no_library(&error)),
    }
}

/// Tells why the library can't be used, and what mends it.
fn no_library(error: &NvmlError) -> (String, &'static str) {
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
            ("NVIDIA's library NVML is not installed".to_owned(), "for a card by NVIDIA install its driver")
        }
        NvmlError::DriverNotLoaded => ("NVIDIA's driver is not loaded".to_owned(), "load it: sudo modprobe nvidia"),
        NvmlError::LibRmVersionMismatch => {
            ("NVIDIA's driver was updated and the old one still runs".to_owned(), "restart the machine")
        }
        error => (format!("NVIDIA's library NVML can't be used: {error}"), ""),
    }
}

/// One of NVIDIA's cards.
pub(super) struct NvmlMeter {
    description: MeterDescription,
    card: Arc<dyn Card>,
    counter: Option<Counter>,
    power: Option<Sampled<Power>>,
    /// The joules by counter and by power when both were last read, and how long both had run.
    compared: Option<(f64, f64, Duration)>,
}

/// The counter of energy.
#[derive(Debug, Clone, Copy)]
struct Counter {
    first_mj: u64,
    last_mj: u64,
    /// When the value last changed, since opening.
    moved_at: Duration,
}

/// The power of a card.
pub(super) struct Power {
    card: Arc<dyn Card>,
}

impl Source for Power {
    fn read(&mut self) -> Result<Reading, MeterError> {
        let watts = self.card.power_mw().map(|mw| Reading::Watts(f64::from(mw) / 1e3));
        watts.and_then(Reading::check).map_err(|reason| failed("the power that NVML tells", reason))
    }
}

fn failed(what: &str, reason: String) -> MeterError {
    MeterError::Failed { what: what.to_owned(), reason }
}

/// Finds the card of `gpu`.
///
/// # Errors
///
/// The library knows no such card, or it tells neither energy nor power.
pub(super) fn find(library: &dyn Library, gpu: &GpuAddress) -> Result<Arc<dyn Card>, Unavailable> {
    let address = gpu.address()?;
    let cannot = |reason: String| unavailable_for(gpu.device, reason, "");
    let card = library
        .card(&address.to_string())
        .map_err(|reason| cannot(format!("NVML knows no card at {address}: {reason}")))?;
    if let (Err(energy), Err(power)) = (card.energy_mj(), card.power_mw()) {
        let reason = format!("NVML tells neither energy ({energy}) nor power ({power}) of the card at {address}");
        return Err(cannot(reason));
    }
    Ok(card)
}

/// Says what the joules of a card include.
pub(super) fn covers(card: &dyn Card) -> String {
    let name = card.name().unwrap_or_else(|_| "NVIDIA".to_owned());
    let source = if card.energy_mj().is_ok() { "energy counter" } else { "power readings" };
    format!("the whole card {name}, its memory too, by NVML's {source}")
}

impl NvmlMeter {
    /// Opens the card of `gpu`, and starts at 0 J.
    ///
    /// # Errors
    ///
    /// As for [`find`].
    pub(super) fn open(library: &dyn Library, gpu: &GpuAddress) -> Result<Self, Unavailable> {
        let card = find(library, gpu)?;
        let first = card.energy_mj().ok();
        let counter = first.map(|mj| Counter { first_mj: mj, last_mj: mj, moved_at: Duration::ZERO });
        let power = match Sampled::start(Power { card: Arc::clone(&card) }, PERIOD) {
            Ok(power) => Some(power),
            // The counter alone will do.
            Err(_) if counter.is_some() => None,
            Err(error) => return Err(unavailable_for(gpu.device, error.to_string(), "")),
        };
        let description = description(gpu.device, covers(card.as_ref()));
        Ok(Self { description, card, counter, power, compared: None })
    }
}

fn description(device: Device, covers: String) -> MeterDescription {
    MeterDescription {
        name: format!("nvml@{device}"),
        device,
        provenance: Provenance::Measured,
        covers,
        leaves_out: LEAVES_OUT.to_owned(),
        relative_uncertainty: Some(CHIP_CLASS),
        quantum_s: 0.1,
    }
}

impl Meter for NvmlMeter {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
        let power_j = self.power.as_ref().map(Sampled::read_j);
        let (Some(counter), card) = (&mut self.counter, &self.card) else {
            return power_j.unwrap_or_else(|| Err(failed("NVML", "the card tells nothing".to_owned())));
        };
        let mj = card.energy_mj().map_err(|reason| failed("the energy that NVML counts", reason))?;
        let counter_j = counter.advance(mj, now)?;
        if let Some(Ok(power_j)) = power_j {
            self.compared = Some((counter_j, power_j, now));
        }
        Ok(counter_j)
    }

    fn state(&self) -> Option<DeviceState> {
        Some(self.card.state())
    }

    fn note(&self) -> Option<String> {
        match self.compared {
            Some((counter_j, power_j, time)) => disagreement(counter_j, power_j, time),
            None => self.power.as_ref().filter(|_| self.counter.is_none())?.note(),
        }
    }
}

impl Counter {
    /// Takes a value of the counter and returns the joules since opening.
    fn advance(&mut self, mj: u64, now: Duration) -> Result<f64, MeterError> {
        let what = "the energy that NVML counts";
        if mj < self.last_mj {
            let reason = format!("it went down from {} mJ to {mj} mJ, so the driver was restarted", self.last_mj);
            return Err(failed(what, reason));
        }
        let still = now.saturating_sub(self.moved_at);
        if mj > self.last_mj {
            (self.last_mj, self.moved_at) = (mj, now);
        } else if still >= STUCK_AFTER {
            return Err(failed(what, format!("it has not moved for {} s", still.as_secs_f64())));
        }
        #[expect(clippy::cast_precision_loss, reason = "exact up to 9 TJ")]
        Ok((mj - self.first_mj) as f64 / 1e3)
    }
}

/// Tells by how much the two ways to measure differ, where that is too much.
fn disagreement(counter_j: f64, power_j: f64, time: Duration) -> Option<String> {
    let apart = (power_j / counter_j - 1.0).abs();
    (counter_j > 0.0 && time >= COMPARED_AFTER && apart > TOLERANCE).then(|| {
        format!(
            "NVML's energy counter says {counter_j:.1} J and its power readings say {power_j:.1} J, {:.1} % apart: the \
             counter is what counts here, and a meter at the wall would tell which is right",
            apart * 100.0
        )
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A card that yields what it was told.
    #[derive(Debug)]
    pub(in crate::energy) struct FakeCard {
        energy_mj: Mutex<Result<u64, String>>,
        power_mw: Mutex<Result<u32, String>>,
    }

    impl Card for FakeCard {
        fn name(&self) -> Result<String, String> {
            Ok("H200".to_owned())
        }

        fn energy_mj(&self) -> Result<u64, String> {
            self.energy_mj.lock().unwrap().clone()
        }

        fn power_mw(&self) -> Result<u32, String> {
            self.power_mw.lock().unwrap().clone()
        }

        fn settings(&self) -> CardSettings {
            CardSettings { power_limit_w: Some(700.0), clock_mhz: Some(1980.0), memory_clock_mhz: Some(3201.0) }
        }

        fn state(&self) -> DeviceState {
            DeviceState { clock_mhz: Some(1755.0), temperature_c: Some(61.0), is_slowed_down: Some(false) }
        }
    }

    /// Knows one card at 0000:3b:00.0.
    pub(in crate::energy) struct FakeLibrary(Arc<FakeCard>);

    impl FakeLibrary {
        pub(in crate::energy) fn new(energy_mj: Result<u64, &str>, power_mw: Result<u32, &str>) -> Self {
            Self(Arc::new(FakeCard {
                energy_mj: Mutex::new(energy_mj.map_err(ToOwned::to_owned)),
                power_mw: Mutex::new(power_mw.map_err(ToOwned::to_owned)),
            }))
        }

        fn open(&self) -> Result<NvmlMeter, Unavailable> {
            NvmlMeter::open(self, &gpu(Some("0000:3B:00.0")))
        }
    }

    impl Library for FakeLibrary {
        fn card(&self, pci_bus_id: &str) -> Result<Arc<dyn Card>, String> {
            if pci_bus_id == "0000:3b:00.0" { Ok(Arc::clone(&self.0) as _) } else { Err("not found".to_owned()) }
        }
    }

    fn gpu(id: Option<&str>) -> GpuAddress {
        GpuAddress { device: Device::Gpu(1), pci_bus_id: id.map(ToOwned::to_owned), is_software: false }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const UNSUPPORTED: &str = "the requested operation is not available on the target device";

    #[test]
    fn the_counter_counts_and_the_power_checks_it() {
        let library = FakeLibrary::new(Ok(5_000), Ok(700_000));
        let mut meter = library.open().unwrap();
        let description = meter.description();
        assert_eq!((description.name.as_str(), description.device), ("nvml@gpu1", Device::Gpu(1)));
        assert_eq!(description.covers, "the whole card H200, its memory too, by NVML's energy counter");
        assert_eq!((description.provenance, description.quantum_s), (Provenance::Measured, 0.1));
        assert_eq!(meter.read_j(secs(1)).unwrap(), 0.0);
        *library.0.energy_mj.lock().unwrap() = Ok(705_500);
        assert_eq!(meter.read_j(secs(2)).unwrap(), 700.5);
        // The time that the test takes is less than 10 s, and so is what the integrated power holds.
        *library.0.energy_mj.lock().unwrap() = Ok(9_005_000);
        assert_eq!(meter.read_j(secs(12)).unwrap(), 9000.0);
        let (counter_j, _, time) = meter.compared.unwrap();
        assert_eq!((counter_j, time), (9000.0, secs(12)));
        assert!(meter.note().unwrap().contains("energy counter says 9000.0 J"));
    }

    #[test]
    fn five_percent_apart_is_worth_a_note_once_both_have_run() {
        for (counter_j, power_j, seconds, expected) in [
            (1000.0, 1000.0, 60, None),
            (1000.0, 1049.0, 60, None),
            (1000.0, 951.0, 60, None),
            (1000.0, 1060.0, 60, Some("6.0 % apart")),
            (187.0, 327.0, 60, Some("74.9 % apart")),
            (327.0, 187.0, 9, None),
            (0.0, 100.0, 60, None),
        ] {
            let note = disagreement(counter_j, power_j, secs(seconds));
            assert_eq!(note.is_some(), expected.is_some(), "{note:?}");
            assert!(note.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }

    #[test]
    fn a_card_without_a_counter_is_read_by_its_power_and_one_without_power_by_its_counter() {
        let library = FakeLibrary::new(Err(UNSUPPORTED), Ok(250_000));
        let mut meter = library.open().unwrap();
        assert!(meter.description().covers.ends_with("by NVML's power readings"));
        let before = meter.read_j(secs(1)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert!(meter.read_j(secs(2)).unwrap() - before >= 4.9);
        *library.0.power_mw.lock().unwrap() = Err("device fell off the bus".to_owned());
        assert!(meter.read_j(secs(3)).unwrap_err().to_string().contains("fell off the bus"));

        let library = FakeLibrary::new(Ok(1_000), Err(UNSUPPORTED));
        let mut meter = library.open().unwrap();
        *library.0.energy_mj.lock().unwrap() = Ok(3_000);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 2.0);
        assert_eq!(meter.note(), None);
    }

    #[test]
    fn a_counter_that_stands_still_goes_back_or_is_lost_is_an_error() {
        let library = FakeLibrary::new(Ok(1_000), Ok(250_000));
        let mut meter = library.open().unwrap();
        assert_eq!(meter.read_j(secs(9)).unwrap(), 0.0);
        assert!(meter.read_j(secs(10)).unwrap_err().to_string().contains("has not moved for 10 s"));
        *library.0.energy_mj.lock().unwrap() = Ok(999);
        assert!(meter.read_j(secs(11)).unwrap_err().to_string().contains("went down from 1000 mJ to 999 mJ"));
        *library.0.energy_mj.lock().unwrap() = Err("device fell off the bus".to_owned());
        assert!(meter.read_j(secs(12)).unwrap_err().to_string().contains("fell off the bus"));
    }

    #[test]
    fn a_card_that_nvml_does_not_know_is_unavailable() {
        let library = FakeLibrary::new(Err(UNSUPPORTED), Err(UNSUPPORTED));
        assert!(library.open().err().unwrap().reason.contains("tells neither energy"));
        let reason = |id| NvmlMeter::open(&library, &gpu(id)).err().unwrap().reason;
        assert_eq!(reason(Some("0000:04:00.0")), "NVML knows no card at 0000:04:00.0: not found");
        assert!(reason(None).contains("doesn't tell where gpu1 sits"));
        assert!(reason(Some("nowhere")).contains("\"nowhere\", which is no place on the PCI bus"));
        assert!(FakeLibrary::new(Ok(1), Err("x")).open().is_ok());
    }

    #[test]
    fn a_library_that_is_missing_or_of_another_machine_is_told_with_what_mends_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let (reason, _) = load(&Sysroot::new(dir.path()).unwrap()).err().unwrap();
        assert!(reason.contains("--sysroot stands for another"), "{reason}");
        for (error, reason, hint) in [
            (NvmlError::LibraryNotFound, "not installed", "install its driver"),
            (NvmlError::DriverNotLoaded, "not loaded", "modprobe"),
            (NvmlError::LibRmVersionMismatch, "updated", "restart"),
            (NvmlError::Unknown, "can't be used: an internal driver error", ""),
        ] {
            let (found, mend) = no_library(&error);
            assert!(found.contains(reason) && mend.contains(hint), "{found} ({mend})");
        }
    }
}
