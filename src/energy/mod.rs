//! Meters: where joules come from, what each of them covers, and why one is missing.
//!
//! A meter belongs to one device, and what it reads is never charged to another. Where nothing can be read there is no
//! figure but a reason: never 0 W, and never a guess from a data sheet.

mod battery;
mod card;
mod command;
mod csv;
mod declared;
mod hwmon;
mod integrate;
mod nvml;
mod open;
mod pci;
mod quantity;
mod rapl;
mod sampler;
mod spec;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::card::{CardSettings, card_settings};
pub use self::open::{Meters, OpenError, open, probe};
pub use self::spec::{MeterSpec, ParseMeterError};

use self::pci::PciAddress;
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// A graphics adapter, as far as finding its meter needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuAddress {
    /// The adapter, in the order of `hashwatt devices`.
    pub device: Device,
    /// Where it sits on the PCI bus, such as `0000:01:00.0`; none where its driver doesn't tell.
    pub pci_bus_id: Option<String>,
    /// Whether it is no card but a driver that computes on the processors: then its joules are theirs.
    pub is_software: bool,
}

impl GpuAddress {
    /// Returns the place on the PCI bus, by which every meter finds its card.
    fn address(&self) -> Result<PciAddress, Unavailable> {
        let known = self.pci_bus_id.as_deref().and_then(|id| id.parse().ok());
        known.ok_or_else(|| {
            let device = self.device;
            let reason = match &self.pci_bus_id {
                Some(id) => format!("the driver says that {device} sits at {id:?}, which is no place on the PCI bus"),
                None => format!("the driver doesn't tell where {device} sits on the PCI bus"),
            };
            unavailable_for(device, reason, "")
        })
    }
}

/// Where a figure of joules comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Read from a meter.
    Measured,
    /// Derived from something that was read, by a model.
    Estimated,
    /// The user's own figure.
    Declared,
    /// There is no figure.
    Unavailable,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Measured => "measured",
            Self::Estimated => "estimated",
            Self::Declared => "declared",
            Self::Unavailable => "unavailable",
        })
    }
}

/// The class of energy meters in chips, as a fraction of what they read. NVIDIA states ±5 % for power readings of its
/// cards of the generations Fermi and Kepler (NVML's manual), and nothing for later ones. Intel and AMD state nothing
/// for RAPL: that it is as good is assumed.
const CHIP_CLASS: f64 = 0.05;

/// What a meter is, as the record keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeterDescription {
    /// The name, unique among the meters that are open together, such as `rapl` or `watts:65W@cpu`.
    pub name: String,
    /// The device whose energy it reads.
    pub device: Device,
    /// Whether its figures are measured or declared.
    pub provenance: Provenance,
    /// What its joules include, such as `2 packages and 2 dram domains`.
    pub covers: String,
    /// What they leave out, such as `power supply loss, fans, disks, graphics cards`.
    pub leaves_out: String,
    /// The uncertainty of a reading as a fraction of it (±5 % is 0.05), at 95 %: the meter's class, or what the user
    /// stated; none where it isn't known.
    pub relative_uncertainty: Option<f64>,
    /// The shortest time that a reading resolves, in seconds; 0 where any time is resolved.
    pub quantum_s: f64,
}

/// How a device is at one moment. What isn't known is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DeviceState {
    /// The clock of its cores, in MHz.
    pub clock_mhz: Option<f64>,
    /// The temperature of its chip, in °C.
    pub temperature_c: Option<f64>,
    /// Whether it is slowed down because it is too hot, or because its power supply is too weak.
    pub is_slowed_down: Option<bool>,
}

/// A source of joules for one device.
pub trait Meter: Send {
    /// Tells what the meter is and what it covers.
    fn description(&self) -> &MeterDescription;

    /// Reads the joules used since the meter was opened. They never decrease.
    ///
    /// `now` is the time since that same moment on the caller's own clock, so that declared watts and fake clocks are
    /// exact. A meter behind counters that wrap has to be read at least once a minute: a counter of 262,143,328,850 µJ
    /// comes round after 22 minutes at 200 W, and after 4 minutes at 1 kW, and one whole turn can't be seen afterwards.
    /// A meter that is read in the background goes by its own clock, which no caller can move.
    ///
    /// # Errors
    ///
    /// The source went away or yields something that is no energy. What was used until the next good reading is not
    /// lost: that reading includes it.
    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError>;

    /// Reads how its device is at this moment. None where it is the processors, of which the system tells, and where
    /// nothing tells of the device.
    fn state(&self) -> Option<DeviceState> {
        None
    }

    /// Tells what a reader of the figures should know, at the end of a run: that two ways to measure differ, or that
    /// readings are missing.
    fn note(&self) -> Option<String> {
        None
    }
}

/// A meter that was open and can't be read any more.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// The operating system refused to read it.
    #[error("can't read the meter {path:?}: {source}")]
    Read {
        /// The file that was read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It holds something that is no energy and no power.
    #[error("the meter {path:?} holds {content:?}: {reason}")]
    Content {
        /// The file that was read.
        path: PathBuf,
        /// What it holds, cut after 40 characters.
        content: String,
        /// Why that is neither.
        reason: String,
    },
    /// It stands still, which would pass for 0 W.
    #[error("the energy counter {path:?} has not moved for {seconds} s, though the device can't have used nothing")]
    Stuck {
        /// The file that was read.
        path: PathBuf,
        /// How long it has stood still, in seconds.
        seconds: f64,
    },
    /// It is no file, and can't be read any more.
    #[error("{what}: {reason}")]
    Failed {
        /// What was read, such as `the command "plug-power"`.
        what: String,
        /// Why it yields nothing more.
        reason: String,
    },
}

/// A kind of meter and whether it works here, for `hashwatt devices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeterStatus {
    /// What `--meter` calls it.
    pub name: String,
    /// Whether it can be opened now.
    pub available: bool,
    /// What its joules include, or would include.
    pub covers: String,
    /// Why it can't be opened.
    pub reason: Option<String>,
    /// What the user can do.
    pub hint: Option<String>,
}

/// Tells why the processors have no meter, and puts the way to declare the power behind `mend`, which may be empty.
fn unavailable(reason: impl Into<String>, mend: &str) -> Unavailable {
    unavailable_for(Device::Cpu, reason, mend)
}

/// Tells why `device` has no meter, and puts the way to declare its power behind `mend`, which may be empty.
fn unavailable_for(device: Device, reason: impl Into<String>, mend: &str) -> Unavailable {
    let declare = declare(device);
    let hint = if mend.is_empty() { declare } else { format!("{mend}; or {declare}") };
    Unavailable { reason: reason.into(), hint }
}

/// Returns the end of every hint: the way to joules that works on every machine.
fn declare(device: Device) -> String {
    let watts = if device == Device::Cpu { 65 } else { 300 };
    format!("declare the power: --meter watts:{watts}W@{device}")
}

/// Reads a file below the root that holds one whole number of `unit`.
fn read_number<T: FromStr>(sysroot: &Sysroot, file: &str, unit: &str) -> Result<T, MeterError> {
    let content = sysroot.read(file).map_err(|source| MeterError::Read { path: sysroot.path(file), source })?;
    content.parse().map_err(|_| MeterError::Content {
        path: sysroot.path(file),
        content: cut(&content),
        reason: format!("not a whole number of {unit}"),
    })
}

/// Cuts a text that is quoted in an error after 40 characters.
fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_survives_json_and_provenance_is_lower_case() {
        let description = MeterDescription {
            name: "watts:65W±7%@gpu2".to_owned(),
            device: Device::Gpu(2),
            provenance: Provenance::Declared,
            covers: "all".to_owned(),
            leaves_out: "nothing".to_owned(),
            relative_uncertainty: Some(0.07),
            quantum_s: 0.0,
        };
        let json = serde_json::to_string(&description).unwrap();
        assert!(json.contains(r#""provenance":"declared""#) && json.contains(r#""device":"gpu2""#), "{json}");
        assert_eq!(serde_json::from_str::<MeterDescription>(&json).unwrap(), description);
        for provenance in [Provenance::Measured, Provenance::Estimated, Provenance::Declared, Provenance::Unavailable] {
            assert_eq!(serde_json::to_value(provenance).unwrap(), provenance.to_string());
        }
    }
}
