//! Meters: where joules come from, what each of them covers, and why one is missing.
//!
//! A meter belongs to one device, and what it reads is never charged to another. Where nothing can be read there is no
//! figure but a reason: never 0 W, and never a guess from a data sheet.

mod declared;
mod rapl;
mod spec;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::spec::{MeterSpec, ParseMeterError};

use self::declared::Declared;
use self::rapl::Rapl;
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// The end of every hint: the way to joules that works on every machine.
const DECLARE: &str = "declare the power: --meter watts:65W@cpu";

/// Where a figure of joules comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// What a meter is, as the record keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The uncertainty of a reading as a fraction of it (±5 % is 0.05); none where it isn't known.
    pub relative_uncertainty: Option<f64>,
    /// The shortest time that a reading resolves, in seconds; 0 where any time is resolved.
    pub quantum_s: f64,
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
    ///
    /// # Errors
    ///
    /// The source went away or yields something that is no energy. What was used until the next good reading is not
    /// lost: that reading includes it.
    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError>;
}

/// A meter that was open and can't be read any more.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// The operating system refused to read it.
    #[error("can't read the energy counter {path:?}: {source}")]
    Read {
        /// The file that was read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It holds something that is no energy.
    #[error("the energy counter {path:?} holds {content:?}: {reason}")]
    Content {
        /// The file that was read.
        path: PathBuf,
        /// What it holds, cut after 40 characters.
        content: String,
        /// Why that is no energy.
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

/// Tells why there is no meter, and puts the way to declare the power behind `mend`, which may be empty.
fn unavailable(reason: impl Into<String>, mend: &str) -> Unavailable {
    let hint = if mend.is_empty() { DECLARE.to_owned() } else { format!("{mend}; or {DECLARE}") };
    Unavailable { reason: reason.into(), hint }
}

/// The meters of one run, at most one for each device.
pub struct Meters {
    /// The open meters, in the order in which they were asked for.
    pub meters: Vec<Box<dyn Meter>>,
    /// Why the processors have no meter; none where they have one.
    pub cpu_unavailable: Option<Unavailable>,
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptions: Vec<&MeterDescription> = self.meters.iter().map(|meter| meter.description()).collect();
        f.debug_struct("Meters").field("meters", &descriptions).field("cpu_unavailable", &self.cpu_unavailable).finish()
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

/// Tells for every known kind of meter whether it works here.
#[must_use]
pub fn probe(sysroot: &Sysroot) -> Vec<MeterStatus> {
    let rapl = match Rapl::open(sysroot) {
        Ok(meter) => MeterStatus {
            name: "rapl".to_owned(),
            available: true,
            covers: meter.description().covers.clone(),
            reason: None,
            hint: None,
        },
        Err(Unavailable { reason, hint }) => MeterStatus {
            name: "rapl".to_owned(),
            available: false,
            covers: "processor packages, and dram domains where there are any".to_owned(),
            reason: Some(reason),
            hint: Some(hint),
        },
    };
    let watts = MeterStatus {
        name: "watts:W".to_owned(),
        available: true,
        covers: declared::COVERS.to_owned(),
        reason: None,
        hint: Some(DECLARE.to_owned()),
    };
    vec![rapl, watts]
}

/// Opens the meters asked for; none at all means `auto`.
///
/// `auto` opens what can be read for each device that no other spec names. Where that is nothing, the devices go
/// without a meter, and the reason is kept.
///
/// # Errors
///
/// Two specs exclude each other, or a meter asked for by name can't be read.
pub fn open(specs: &[MeterSpec], sysroot: &Sysroot) -> Result<Meters, OpenError> {
    check_conflicts(specs)?;
    let specs = if specs.is_empty() { &[MeterSpec::Auto] } else { specs };
    let cpu_is_named = specs.iter().any(|spec| spec.device() == Some(Device::Cpu));
    let mut meters: Vec<Box<dyn Meter>> = Vec::new();
    let mut cpu_unavailable =
        (!cpu_is_named).then(|| unavailable("no meter was asked for that reads the processors", "add --meter auto"));
    for spec in specs {
        match spec {
            MeterSpec::None => {
                cpu_unavailable = Some(unavailable("--meter none switched the meters off", "leave --meter none out"));
            }
            MeterSpec::Auto if cpu_is_named => {}
            MeterSpec::Auto => match Rapl::open(sysroot) {
                Ok(meter) => {
                    meters.push(Box::new(meter));
                    cpu_unavailable = None;
                }
                Err(unavailable) => cpu_unavailable = Some(unavailable),
            },
            MeterSpec::Rapl => meters.push(Box::new(Rapl::open(sysroot).map_err(|Unavailable { reason, hint }| {
                OpenError::Unavailable { meter: spec.to_string(), reason, hint }
            })?)),
            &MeterSpec::Watts { watts, relative_uncertainty, device } => {
                meters.push(Box::new(Declared::new(spec.to_string(), device, watts, relative_uncertainty)));
            }
        }
    }
    Ok(Meters { meters, cpu_unavailable })
}

/// Rejects `none` beside anything, `auto` twice, and two meters that are named for one device.
fn check_conflicts(specs: &[MeterSpec]) -> Result<(), OpenError> {
    for (index, second) in specs.iter().enumerate() {
        for first in &specs[..index] {
            let reason = match (first, second) {
                (MeterSpec::None, _) | (_, MeterSpec::None) => "none excludes every other meter".to_owned(),
                (MeterSpec::Auto, MeterSpec::Auto) => "auto is given twice".to_owned(),
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
            (&["rapl", "rapl"], "rapl", "rapl", "both read cpu"),
            (&["rapl", "watts:65W"], "rapl", "watts:65W@cpu", "both read cpu"),
            (&["watts:65W", "auto", "watts:70W"], "watts:65W@cpu", "watts:70W@cpu", "both read cpu"),
            (&["watts:65W@gpu3", "watts:65W@gpu3"], "watts:65W@gpu3", "watts:65W@gpu3", "both read gpu3"),
        ] {
            let error = open(&specs(texts), &sysroot).unwrap_err();
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
            let meters = open(&specs(texts), &sysroot).unwrap();
            assert!(meters.meters.is_empty());
            let Unavailable { reason, hint } = meters.cpu_unavailable.unwrap();
            assert!(reason.contains("no RAPL counters"), "{reason}");
            assert!(hint.ends_with("declare the power: --meter watts:65W@cpu"), "{hint}");
        }
    }

    #[test]
    fn rapl_by_name_without_a_counter_is_an_error() {
        let (_dir, sysroot) = empty();
        let error = open(&specs(&["rapl"]), &sysroot).unwrap_err();
        assert!(matches!(&error, OpenError::Unavailable { meter, .. } if meter == "rapl"), "{error}");
        assert!(error.to_string().contains("/sys/class/powercap has no intel-rapl domain"), "{error}");
    }

    #[test]
    fn none_and_meters_of_other_devices_leave_the_processors_without_one() {
        let (_dir, sysroot) = empty();
        let meters = open(&specs(&["none"]), &sysroot).unwrap();
        assert!(meters.meters.is_empty());
        assert!(meters.cpu_unavailable.unwrap().reason.contains("--meter none"));

        let meters = open(&specs(&["watts:300W@gpu0"]), &sysroot).unwrap();
        assert_eq!(names(&meters), ["watts:300W@gpu0"]);
        assert!(meters.cpu_unavailable.unwrap().reason.contains("no meter was asked for"));
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
            let meters = open(&specs(texts), &sysroot).unwrap();
            assert_eq!(names(&meters), expected, "{texts:?}");
            assert_eq!(meters.cpu_unavailable, None, "{texts:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn probing_lists_every_kind_of_meter() {
        let (_dir, sysroot) = with_rapl();
        let found = probe(&sysroot);
        assert_eq!(found.iter().map(|meter| meter.name.as_str()).collect::<Vec<_>>(), ["rapl", "watts:W"]);
        assert!(found.iter().all(|meter| meter.available && meter.reason.is_none()));
        assert_eq!(found[0].covers, "1 package");

        let (_dir, sysroot) = empty();
        let found = probe(&sysroot);
        assert!(!found[0].available && found[1].available);
        assert!(found[0].reason.is_some() && found[0].hint.is_some());
        let json = serde_json::to_value(&found[0]).unwrap();
        let mut keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["available", "covers", "hint", "name", "reason"]);
    }

    #[test]
    fn a_description_survives_json_and_provenance_is_lower_case() {
        let (_dir, sysroot) = empty();
        let meters = open(&specs(&["watts:65W±7%@gpu2"]), &sysroot).unwrap();
        let description = meters.meters[0].description();
        let json = serde_json::to_string(description).unwrap();
        assert!(json.contains(r#""provenance":"declared""#) && json.contains(r#""device":"gpu2""#), "{json}");
        assert_eq!(&serde_json::from_str::<MeterDescription>(&json).unwrap(), description);
        for provenance in [Provenance::Measured, Provenance::Estimated, Provenance::Declared, Provenance::Unavailable] {
            assert_eq!(serde_json::to_value(provenance).unwrap(), provenance.to_string());
        }
    }
}
