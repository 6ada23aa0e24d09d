//! The battery of a laptop while it discharges: the power of the whole machine.
//!
//! Below `sys/class/power_supply` each battery is a directory with `status` and, by its firmware, `power_now` in µW, or
//! `current_now` in µA and `voltage_now` in µV, or only what is left in it: `energy_now` in µWh, or `charge_now` in
//! µAh. The firmware renews them every 1 to 30 s, so that figures need minutes. Of several batteries often one
//! discharges and the other waits; the powers of those that discharge are added.

use std::time::Duration;

use super::integrate::Reading;
use super::sampler::{Sampled, Source};
use super::{Meter, MeterDescription, MeterError, Provenance, read_number, unavailable};
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// Where the batteries are, below the root.
const POWER_SUPPLY: &str = "sys/class/power_supply";

/// How often the batteries are read: oftener than they change, so that a charger that was plugged in is noticed.
const PERIOD: Duration = Duration::from_secs(1);

/// What the batteries' joules include.
pub(super) const COVERS: &str =
    "the whole machine as its battery feeds it: processors, memory, graphics, screen, disks and fans";

/// The joules of a microwatt-hour.
const J_PER_UWH: f64 = 3.6e-3;

/// The batteries of the machine together.
pub(super) struct Battery {
    description: MeterDescription,
    sampled: Sampled<Cells>,
}

/// The batteries, and what has been seen of them.
#[derive(Debug)]
pub(super) struct Cells {
    sysroot: Sysroot,
    cells: Vec<Cell>,
    /// The joules that have left those that don't tell their power.
    drained_j: f64,
    /// Why they can't be a meter any more: once a charger has fed the machine, its joules are lost.
    spoilt: Option<(String, String)>,
}

/// One battery.
#[derive(Debug)]
struct Cell {
    /// The directory below the root.
    directory: String,
    way: Way,
}

/// What a battery tells.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Power,
    CurrentAndVoltage,
    /// What is left, in µWh, at its lowest until now.
    Energy(f64),
    /// What is left, in µAh, at its lowest until now.
    Charge(f64),
}

impl Way {
    fn is_power(self) -> bool {
        matches!(self, Self::Power | Self::CurrentAndVoltage)
    }
}

impl Battery {
    /// Opens every battery, and starts at 0 J.
    ///
    /// # Errors
    ///
    /// There is none, or none discharges, or it doesn't tell its power.
    pub(super) fn open(sysroot: &Sysroot) -> Result<Self, Unavailable> {
        let sampled = Sampled::start(Cells::find(sysroot)?, PERIOD).map_err(|error| cannot(&error))?;
        let description = MeterDescription {
            name: "battery".to_owned(),
            device: Device::Cpu,
            provenance: Provenance::Measured,
            covers: COVERS.to_owned(),
            leaves_out: "the loss of the charger that had filled the battery".to_owned(),
            relative_uncertainty: None,
            quantum_s: 30.0,
        };
        Ok(Self { description, sampled })
    }
}

impl Meter for Battery {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    fn read_j(&mut self, _now: Duration) -> Result<f64, MeterError> {
        self.sampled.read_j()
    }

    fn note(&self) -> Option<String> {
        self.sampled.note()
    }
}

/// Tells whether there is any battery that feeds the machine.
pub(super) fn exists(sysroot: &Sysroot) -> bool {
    !directories(sysroot).is_empty()
}

/// Tells whether the batteries can be read as a meter now.
///
/// # Errors
///
/// As for [`Battery::open`].
pub(super) fn check(sysroot: &Sysroot) -> Result<(), Unavailable> {
    Cells::find(sysroot)?.read().map(drop).map_err(|error| cannot(&error))
}

/// Lists the batteries of the machine, and not those of a mouse or a headset.
fn directories(sysroot: &Sysroot) -> Vec<String> {
    let is_battery = |directory: &String| {
        let read = |file: &str| sysroot.read(format!("{directory}/{file}"));
        read("type").is_ok_and(|kind| kind == "Battery") && read("scope").map_or(true, |scope| scope != "Device")
    };
    let all = sysroot.list(POWER_SUPPLY).into_iter().map(|name| format!("{POWER_SUPPLY}/{name}"));
    all.filter(is_battery).collect()
}

fn cannot(error: &MeterError) -> Unavailable {
    let mend = match error {
        MeterError::Content { content, .. } if content != "Discharging" => "unplug the charger",
        _ => "",
    };
    unavailable(error.to_string(), mend)
}

impl Cells {
    fn find(sysroot: &Sysroot) -> Result<Self, Unavailable> {
        let directories = directories(sysroot);
        if directories.is_empty() {
            return Err(unavailable("the machine has no battery (/sys/class/power_supply)", ""));
        }
        let mut cells = Vec::new();
        for directory in directories {
            let Some(way) = way(sysroot, &directory) else {
                let reason = format!("the battery /{directory} tells neither its power nor what is left in it");
                return Err(unavailable(reason, ""));
            };
            cells.push(Cell { directory, way });
        }
        // A sum of a power and a counter would need both at the same moment.
        if cells.iter().any(|cell| cell.way.is_power() != cells[0].way.is_power()) {
            return Err(unavailable("one battery tells its power and another only what is left in it", ""));
        }
        Ok(Self { sysroot: sysroot.clone(), cells, drained_j: 0.0, spoilt: None })
    }

    /// Checks that the machine runs on its batteries alone, and returns which of them discharge.
    fn discharging(&mut self) -> Result<Vec<usize>, MeterError> {
        let mut discharging = Vec::new();
        let mut waiting = None;
        for (index, cell) in self.cells.iter().enumerate() {
            let file = format!("{}/status", cell.directory);
            let path = self.sysroot.path(&file);
            let status = self.sysroot.read(&file).map_err(|source| MeterError::Read { path, source })?;
            match status.as_str() {
                "Discharging" => discharging.push(index),
                "Charging" => self.spoilt = Some((file, status)),
                _ => waiting = Some((file, status)),
            }
        }
        if discharging.is_empty() && self.spoilt.is_none() {
            self.spoilt = waiting;
        }
        match &self.spoilt {
            None => Ok(discharging),
            Some((file, status)) => Err(MeterError::Content {
                path: self.sysroot.path(file),
                content: status.clone(),
                reason: "a battery is a meter only while it discharges".to_owned(),
            }),
        }
    }
}

impl Source for Cells {
    fn read(&mut self) -> Result<Reading, MeterError> {
        let discharging = self.discharging()?;
        let mut watts = 0.0;
        for index in discharging {
            let Cell { directory, way } = &mut self.cells[index];
            let number = |name: &str, unit: &str| -> Result<f64, MeterError> {
                let number: i64 = read_number(&self.sysroot, &format!("{directory}/{name}"), unit)?;
                #[expect(clippy::cast_precision_loss, reason = "no battery needs 53 bits")]
                // Some drivers count what leaves a battery as negative.
                Ok(number.unsigned_abs() as f64)
            };
            let volts = || Ok::<_, MeterError>(number("voltage_now", "microvolts")? / 1e6);
            match way {
                Way::Power => watts += number("power_now", "microwatts")? / 1e6,
                Way::CurrentAndVoltage => watts += number("current_now", "microamperes")? / 1e6 * volts()?,
                Way::Energy(lowest) => {
                    let left = number("energy_now", "microwatt-hours")?;
                    self.drained_j += (*lowest - left).max(0.0) * J_PER_UWH;
                    *lowest = lowest.min(left);
                }
                Way::Charge(lowest) => {
                    let left = number("charge_now", "microampere-hours")?;
                    self.drained_j += (*lowest - left).max(0.0) * J_PER_UWH * volts()?;
                    *lowest = lowest.min(left);
                }
            }
        }
        let reading = if self.cells.iter().all(|cell| cell.way.is_power()) {
            Reading::Watts(watts)
        } else {
            Reading::Joules(self.drained_j)
        };
        reading.check().map_err(|reason| MeterError::Failed { what: "the battery".to_owned(), reason })
    }
}

/// Finds what a battery tells, the most direct first.
fn way(sysroot: &Sysroot, directory: &str) -> Option<Way> {
    let number = |name: &str| -> Option<f64> { sysroot.read(format!("{directory}/{name}")).ok()?.parse().ok() };
    if number("power_now").is_some() {
        return Some(Way::Power);
    }
    if let Some(left) = number("energy_now").filter(|_| number("current_now").is_none()) {
        return Some(Way::Energy(left));
    }
    number("voltage_now")?;
    match (number("current_now"), number("charge_now")) {
        (Some(_), _) => Some(Way::CurrentAndVoltage),
        (None, Some(left)) => Some(Way::Charge(left)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::super::sampler::Tracked;
    use super::*;

    /// A fake tree of power supplies.
    struct Tree(TempDir);

    impl Tree {
        fn new(supplies: &[(&str, &[(&str, &str)])]) -> Self {
            let tree = Self(TempDir::new().unwrap());
            for (name, files) in supplies {
                for (file, content) in *files {
                    tree.set(name, file, content);
                }
            }
            tree
        }

        fn set(&self, name: &str, file: &str, content: &str) {
            let directory = self.0.path().join(POWER_SUPPLY).join(name);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(file), format!("{content}\n")).unwrap();
        }

        fn sysroot(&self) -> Sysroot {
            Sysroot::new(self.0.path()).unwrap()
        }

        fn tracked(&self) -> Tracked<Cells> {
            Tracked::new(Cells::find(&self.sysroot()).unwrap()).unwrap()
        }

        fn reason(&self) -> (String, String) {
            let Unavailable { reason, hint } = Battery::open(&self.sysroot()).err().unwrap();
            assert_eq!(check(&self.sysroot()).unwrap_err().reason, reason);
            (reason, hint)
        }
    }

    const DISCHARGING: (&str, &str) = ("status", "Discharging");
    const BATTERY: (&str, &str) = ("type", "Battery");

    #[test]
    fn power_or_current_times_voltage_is_integrated() {
        let power = Tree::new(&[
            ("AC", &[("type", "Mains"), ("online", "0")]),
            ("BAT0", &[BATTERY, DISCHARGING, ("power_now", "12000000"), ("energy_now", "40000000")]),
            ("hidpp_battery_0", &[BATTERY, DISCHARGING, ("scope", "Device"), ("power_now", "1")]),
        ]);
        let mut tracked = power.tracked();
        power.set("BAT0", "power_now", "20000000");
        assert_eq!(tracked.sample_j(|| 10.0).unwrap(), 160.0);
        let current = Tree::new(&[(
            "BAT1",
            &[BATTERY, DISCHARGING, ("current_now", "-2000000"), ("voltage_now", "11500000"), ("charge_now", "5")],
        )]);
        assert_eq!(current.tracked().sample_j(|| 2.0).unwrap(), 46.0);

        let meter = Battery::open(&power.sysroot()).ok().unwrap();
        let description = meter.description();
        assert_eq!((description.device, description.quantum_s), (Device::Cpu, 30.0));
        assert!(description.covers.starts_with("the whole machine"));
    }

    #[test]
    fn where_there_is_no_power_what_is_left_tells() {
        let energy = Tree::new(&[("BAT0", &[BATTERY, DISCHARGING, ("energy_now", "40000000")])]);
        let mut tracked = energy.tracked();
        // 10 mWh are 36 J. A battery that seems to gain a little has not been charged, and goes on at its last pace.
        for (left, at_s, joules) in [("39990000", 1.0, 36.0), ("39995000", 1.5, 54.0), ("39980000", 2.0, 72.0)] {
            energy.set("BAT0", "energy_now", left);
            assert!((tracked.sample_j(|| at_s).unwrap() - joules).abs() < 1e-9, "{joules} J");
        }
        let charge =
            Tree::new(&[("BAT0", &[BATTERY, DISCHARGING, ("charge_now", "4000000"), ("voltage_now", "10000000")])]);
        let mut tracked = charge.tracked();
        charge.set("BAT0", "charge_now", "3999000");
        // 1 mAh at 10 V.
        assert!((tracked.sample_j(|| 1.0).unwrap() - 36.0).abs() < 1e-9);
    }

    #[test]
    fn one_of_two_batteries_may_wait_for_the_other() {
        let tree = Tree::new(&[
            ("BAT0", &[BATTERY, DISCHARGING, ("power_now", "10000000")]),
            ("BAT1", &[BATTERY, ("status", "Not charging"), ("power_now", "0")]),
        ]);
        let mut tracked = tree.tracked();
        assert_eq!(tracked.sample_j(|| 1.0).unwrap(), 10.0);
        tree.set("BAT0", "status", "Not charging");
        tree.set("BAT1", "status", "Discharging");
        tree.set("BAT1", "power_now", "10000000");
        assert_eq!(tracked.sample_j(|| 2.0).unwrap(), 20.0);
        tree.set("BAT0", "status", "Charging");
        assert!(tracked.sample_j(|| 3.0).is_err());
    }

    #[test]
    fn a_charger_that_is_plugged_in_ends_the_meter_for_good() {
        for status in ["Charging", "Full", "Not charging", "Unknown"] {
            let tree = Tree::new(&[("BAT0", &[BATTERY, DISCHARGING, ("power_now", "10000000")])]);
            let mut tracked = tree.tracked();
            tree.set("BAT0", "status", status);
            let error = tracked.sample_j(|| 1.0).unwrap_err().to_string();
            assert!(error.contains(&format!("{status:?}: a battery is a meter only while it discharges")), "{error}");
            // What the charger gave in between is lost.
            tree.set("BAT0", "status", "Discharging");
            assert!(tracked.sample_j(|| 2.0).is_err());
        }
    }

    #[test]
    fn without_a_battery_that_discharges_there_is_a_reason() {
        let (reason, _) = Tree::new(&[("AC", &[("type", "Mains")])]).reason();
        assert_eq!(reason, "the machine has no battery (/sys/class/power_supply)");
        for status in ["Charging", "Full", "Not charging"] {
            let tree = Tree::new(&[("BAT0", &[BATTERY, ("status", status), ("power_now", "10000000")])]);
            let (reason, hint) = tree.reason();
            assert!(reason.contains(status), "{reason}");
            assert_eq!(hint, "unplug the charger; or declare the power: --meter watts:65W@cpu");
            assert!(exists(&tree.sysroot()));
        }
        let (reason, _) = Tree::new(&[("BAT0", &[BATTERY, DISCHARGING])]).reason();
        assert!(reason.contains("tells neither its power"), "{reason}");
        let (reason, _) = Tree::new(&[("BAT0", &[BATTERY, DISCHARGING, ("power_now", "0")])]).reason();
        assert!(reason.contains("0 W: a device that is on"), "{reason}");
        let mixed = Tree::new(&[
            ("BAT0", &[BATTERY, DISCHARGING, ("power_now", "10000000")]),
            ("BAT1", &[BATTERY, DISCHARGING, ("energy_now", "1")]),
        ]);
        assert!(mixed.reason().0.contains("only what is left"));
    }
}
