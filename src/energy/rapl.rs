//! RAPL, the processors' own energy counters, read through Linux's powercap files.
//!
//! Below `sys/class/powercap` each domain is a directory: `intel-rapl:0` is a package, `intel-rapl:0:1` a part of it.
//! The name is Intel's on AMD's processors too. Summed are the `package-*` domains and the `dram` domains below them: a
//! package already contains its `core` and `uncore`, and `psys` contains the packages. `intel-rapl-mmio:*` shows the
//! same counters by another way.
//!
//! A counter wraps past its `max_energy_range_uj`. With the usual 262,143,328,850 µJ that takes 22 minutes at 200 W, so
//! the meter has to be read at least once a minute. It steps about once a millisecond.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{CHIP_CLASS, Meter, MeterDescription, MeterError, Provenance, read_number, unavailable};
use crate::device::Device;
use crate::sysroot::Sysroot;
use crate::unavailable::Unavailable;

/// Where powercap's domains are, below the root.
const POWERCAP: &str = "sys/class/powercap";

/// The drivers that offer RAPL domains; a domain of a later one counts only if no earlier one has it.
const CONTROLLERS: [&str; 2] = ["intel-rapl", "intel-rapl-mmio"];

/// How long a package's counter may stand still. It steps every millisecond, and no package runs on nothing.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// The sum of all packages and their dram domains.
pub(super) struct Rapl {
    description: MeterDescription,
    domains: Vec<Domain>,
    /// Everything used since opening, in microjoules.
    total_uj: u128,
}

/// One counter that is being summed.
#[derive(Debug)]
struct Domain {
    counter: Counter,
    is_package: bool,
    /// The last value, in microjoules.
    last_uj: u64,
    /// When the value last changed, since opening.
    moved_at: Duration,
}

/// A counter's file, as far as a reading needs it.
#[derive(Debug)]
struct Counter {
    sysroot: Sysroot,
    /// The path of `energy_uj` below the root.
    file: String,
    /// The highest value before the counter starts again from 0, in microjoules.
    max_uj: u64,
}

/// A domain as powercap lists it, before any counter is read.
#[derive(Debug, Clone)]
struct Listed {
    controller: &'static str,
    /// The directory below [`POWERCAP`], such as `intel-rapl:0:1`.
    id: String,
    /// What the domain calls itself, such as `dram`.
    name: String,
    /// The name of the domain that contains it, such as `package-0`; none at the top.
    parent: Option<String>,
}

impl Listed {
    fn is_package(&self) -> bool {
        self.parent.is_none() && self.name.starts_with("package-")
    }

    fn is_dram(&self) -> bool {
        self.name == "dram"
    }

    fn is_same_counter(&self, other: &Self) -> bool {
        self.controller != other.controller && self.name == other.name && self.parent == other.parent
    }
}

impl Rapl {
    /// Opens every package and dram counter, and starts at 0 J.
    ///
    /// # Errors
    ///
    /// There is no package, or one of them can't be read: a sum without it would be too small.
    pub(super) fn open(sysroot: &Sysroot) -> Result<Self, Unavailable> {
        let listed = list(sysroot)?;
        let packages: Vec<&Listed> = listed.iter().filter(|domain| domain.is_package()).collect();
        if packages.is_empty() {
            return Err(no_package(&listed));
        }
        let mut domains = Vec::new();
        for package in &packages {
            domains.push(Domain::open(sysroot, package).map_err(|error| unreadable(package.controller, &error))?);
        }
        let mut missing = Vec::new();
        let drams: Vec<&Listed> = listed.iter().filter(|domain| domain.is_dram()).collect();
        for dram in &drams {
            match Domain::open(sysroot, dram) {
                Ok(domain) => domains.push(domain),
                Err(error) => missing.push(format!("the dram domain {} ({error})", dram.id)),
            }
        }
        let dram_count = domains.len() - packages.len();
        if drams.is_empty() {
            missing.push("memory".to_owned());
        } else {
            let bare =
                packages.iter().filter(|package| drams.iter().all(|dram| dram.parent.as_ref() != Some(&package.name)));
            missing.extend(bare.map(|package| format!("memory of {}", package.name)));
        }
        missing.push("power supply loss, fans, disks, graphics cards".to_owned());
        let description = MeterDescription {
            name: "rapl".to_owned(),
            device: Device::Cpu,
            provenance: Provenance::Measured,
            covers: covers(packages.len(), dram_count),
            leaves_out: missing.join(", "),
            relative_uncertainty: Some(CHIP_CLASS),
            quantum_s: 0.001,
        };
        Ok(Self { description, domains, total_uj: 0 })
    }
}

impl Meter for Rapl {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    /// Adds what each counter moved since it was last read.
    ///
    /// A counter that is reset in between, as by a suspend to RAM, can't be told from one that wrapped.
    fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
        for domain in &mut self.domains {
            self.total_uj += u128::from(domain.advance(now)?);
        }
        Ok(self.total_uj as f64 / 1e6)
    }
}

impl Domain {
    fn open(sysroot: &Sysroot, listed: &Listed) -> Result<Self, MeterError> {
        let file = |name: &str| format!("{POWERCAP}/{}/{name}", listed.id);
        let max_uj = read_uj(sysroot, &file("max_energy_range_uj"))?;
        let counter = Counter { sysroot: sysroot.clone(), file: file("energy_uj"), max_uj };
        let last_uj = counter.read()?;
        Ok(Self { counter, is_package: listed.is_package(), last_uj, moved_at: Duration::ZERO })
    }

    /// Reads the counter and returns how far it moved, in microjoules.
    fn advance(&mut self, now: Duration) -> Result<u64, MeterError> {
        let uj = self.counter.read()?;
        let moved = moved_uj(self.last_uj, uj, self.counter.max_uj);
        self.last_uj = uj;
        let still = now.saturating_sub(self.moved_at);
        if moved > 0 {
            self.moved_at = now;
        } else if self.is_package && still >= STUCK_AFTER {
            return Err(MeterError::Stuck { path: self.counter.path(), seconds: still.as_secs_f64() });
        }
        Ok(moved)
    }
}

impl Counter {
    fn path(&self) -> PathBuf {
        self.sysroot.path(&self.file)
    }

    fn read(&self) -> Result<u64, MeterError> {
        let uj = read_uj(&self.sysroot, &self.file)?;
        if uj <= self.max_uj {
            return Ok(uj);
        }
        let reason = format!("above the counter's end, {} µJ", self.max_uj);
        Err(MeterError::Content { path: self.path(), content: uj.to_string(), reason })
    }
}

/// Tells how far a counter moved from `from` to `to`, both at most `max`, if it wrapped at most once: the difference
/// modulo `max` + 1.
fn moved_uj(from: u64, to: u64, max: u64) -> u64 {
    if to >= from { to - from } else { (max - from) + to + 1 }
}

/// Reads microjoules from a file with one whole number.
fn read_uj(sysroot: &Sysroot, file: &str) -> Result<u64, MeterError> {
    read_number(sysroot, file, "microjoules")
}

/// Reads a file below the root.
fn read(sysroot: &Sysroot, file: &str) -> Result<String, MeterError> {
    sysroot.read(file).map_err(|source| MeterError::Read { path: sysroot.path(file), source })
}

/// Lists the domains of all controllers, each counter once.
fn list(sysroot: &Sysroot) -> Result<Vec<Listed>, Unavailable> {
    let ids = sysroot.list(POWERCAP);
    let mut domains: Vec<Listed> = Vec::new();
    for controller in CONTROLLERS {
        for id in &ids {
            let Some(numbers) = id.strip_prefix(controller).and_then(|rest| rest.strip_prefix(':')) else { continue };
            let name_of = |id: &str| {
                read(sysroot, &format!("{POWERCAP}/{id}/name")).map_err(|error| unreadable(controller, &error))
            };
            let parent = match numbers.rsplit_once(':') {
                Some((parent, _)) => Some(name_of(&format!("{controller}:{parent}"))?),
                None => None,
            };
            let domain = Listed { controller, id: id.clone(), name: name_of(id)?, parent };
            if !domains.iter().any(|known| known.is_same_counter(&domain)) {
                domains.push(domain);
            }
        }
    }
    Ok(domains)
}

/// Tells why `domains`, none of which is a package, can't be summed.
fn no_package(domains: &[Listed]) -> Unavailable {
    if domains.is_empty() {
        return unavailable(
            "this kernel or virtual machine offers no RAPL counters (/sys/class/powercap has no intel-rapl domain)",
            "on a real machine under Linux `sudo modprobe intel_rapl_msr` may bring them",
        );
    }
    let mut names: Vec<&str> = domains.iter().map(|domain| domain.name.as_str()).collect();
    names.dedup();
    if names == ["psys"] {
        let reason =
            "RAPL offers only psys, the whole platform, and no package: psys can't be charged to the processors";
        return unavailable(reason, "");
    }
    unavailable(format!("RAPL offers no package domain, only {}", names.join(", ")), "")
}

/// Tells why a package can't be read, and what mends it.
fn unreadable(controller: &str, error: &MeterError) -> Unavailable {
    match error {
        MeterError::Read { path, source } if source.kind() == io::ErrorKind::PermissionDenied => unavailable(
            format!("{} is readable by root only (since Linux 5.10)", path.display()),
            &format!("until the next reboot: sudo chmod a+r /sys/class/powercap/{controller}:*/energy_uj"),
        ),
        error => unavailable(error.to_string(), ""),
    }
}

/// Says what is summed.
fn covers(packages: usize, drams: usize) -> String {
    let count = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match drams {
        0 => count(packages, "package"),
        _ => format!("{} and {}", count(packages, "package"), count(drams, "dram domain")),
    }
}

// Windows has no colons in file names.
#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const RANGE: u64 = 262_143_328_850;

    /// A fake powercap tree.
    struct Tree(TempDir);

    impl Tree {
        fn new(domains: &[(&str, &str, u64)]) -> Self {
            let tree = Self(TempDir::new().unwrap());
            for &(id, name, energy_uj) in domains {
                fs::create_dir_all(tree.file(id, "")).unwrap();
                fs::write(tree.file(id, "name"), format!("{name}\n")).unwrap();
                fs::write(tree.file(id, "max_energy_range_uj"), format!("{RANGE}\n")).unwrap();
                tree.set(id, energy_uj);
            }
            tree
        }

        fn file(&self, id: &str, file: &str) -> PathBuf {
            self.0.path().join(POWERCAP).join(id).join(file)
        }

        fn set(&self, id: &str, energy_uj: u64) {
            fs::write(self.file(id, "energy_uj"), format!("{energy_uj}\n")).unwrap();
        }

        /// Makes a counter unreadable for root too.
        fn block(&self, id: &str) {
            fs::remove_file(self.file(id, "energy_uj")).unwrap();
            fs::create_dir(self.file(id, "energy_uj")).unwrap();
        }

        fn open(&self) -> Result<Rapl, Unavailable> {
            Rapl::open(&Sysroot::new(self.0.path()).unwrap())
        }

        fn reason(&self) -> String {
            let Unavailable { reason, hint } = self.open().err().unwrap();
            assert!(hint.ends_with("declare the power: --meter watts:65W@cpu"), "{hint}");
            reason
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn packages_and_drams_add_up_and_nothing_counts_twice() {
        let ids = [
            ("intel-rapl:0", "package-0", 1_000),
            ("intel-rapl:0:0", "core", 1_000),
            ("intel-rapl:0:1", "dram", 1_000),
            ("intel-rapl:1", "package-1", 1_000),
            ("intel-rapl:1:0", "uncore", 1_000),
            ("intel-rapl:1:1", "dram", 1_000),
            ("intel-rapl:2", "psys", 1_000),
            ("intel-rapl-mmio:0", "package-0", 1_000),
            ("intel-rapl-mmio:0:0", "dram", 1_000),
        ];
        let tree = Tree::new(&ids);
        fs::create_dir_all(tree.file("intel-rapl", "")).unwrap();
        let mut meter = tree.open().unwrap();
        assert_eq!(meter.description().covers, "2 packages and 2 dram domains");
        assert_eq!(meter.description().leaves_out, "power supply loss, fans, disks, graphics cards");
        assert_eq!(meter.description().quantum_s, 0.001);
        assert_eq!(meter.read_j(secs(0)).unwrap(), 0.0);
        // Each domain moves by another power of two, so that the sum tells which ones were added: 1 + 4 + 8 + 32 J.
        for (power, (id, _, start)) in ids.iter().enumerate() {
            tree.set(id, start + (1_000_000 << power));
        }
        assert_eq!(meter.read_j(secs(1)).unwrap(), 45.0);
        tree.set("intel-rapl:1", 8_500_000 + 1_000);
        assert!(matches!(meter.read_j(secs(5)), Err(MeterError::Stuck { seconds: 4.0, .. })));
        tree.set("intel-rapl:0", 1_250_000 + 1_000);
        // The error lost nothing: 0.5 J before it and 0.25 J after it.
        tree.set("intel-rapl:1", 8_500_001 + 1_000);
        assert_eq!(meter.read_j(secs(5)).unwrap(), 45.750_001);
    }

    #[test]
    fn two_packages_without_dram_leave_the_memory_out() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 10), ("intel-rapl:1", "package-1", 20)]);
        let mut meter = tree.open().unwrap();
        assert_eq!(meter.description().covers, "2 packages");
        assert_eq!(meter.description().leaves_out, "memory, power supply loss, fans, disks, graphics cards");
        tree.set("intel-rapl:0", 2_000_010);
        tree.set("intel-rapl:1", 500_020);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 2.5);
    }

    #[test]
    fn amd_has_packages_with_cores_under_intels_name() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 0), ("intel-rapl:0:0", "core", 0)]);
        let mut meter = tree.open().unwrap();
        assert_eq!(meter.description().covers, "1 package");
        tree.set("intel-rapl:0", 65_000_000);
        tree.set("intel-rapl:0:0", 40_000_000);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 65.0);
    }

    #[test]
    fn packages_of_several_dies_all_count_and_mmio_alone_will_do() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0-die-0", 0), ("intel-rapl:1", "package-0-die-1", 0)]);
        assert_eq!(tree.open().unwrap().description().covers, "2 packages");
        let tree = Tree::new(&[("intel-rapl-mmio:0", "package-0", 0), ("intel-rapl-mmio:0:0", "dram", 0)]);
        assert_eq!(tree.open().unwrap().description().covers, "1 package and 1 dram domain");
    }

    #[test]
    fn a_counter_wraps_past_its_highest_value() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 262_143_328_000)]);
        let mut meter = tree.open().unwrap();
        tree.set("intel-rapl:0", 150);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 0.001_001);
        for (from, to, moved) in [
            (0, 0, 0),
            (0, RANGE, RANGE),
            (RANGE, RANGE, 0),
            (RANGE, 0, 1),
            (RANGE, RANGE - 1, RANGE),
            (1, 0, RANGE),
            (262_143_328_000, 150, 1_001),
        ] {
            assert_eq!(moved_uj(from, to, RANGE), moved, "{from} to {to}");
        }
        assert_eq!(moved_uj(u64::MAX, 0, u64::MAX), 1);
        assert_eq!(moved_uj(1, 0, u64::MAX), u64::MAX);
    }

    #[test]
    fn an_hour_of_wrapping_counters_adds_up() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 0)]);
        let mut meter = tree.open().unwrap();
        // 400 W for 60 minutes, read every minute, is 1.44 MJ, or five and a half turns.
        for minute in 1..=60 {
            tree.set("intel-rapl:0", (24_000_000_000 * minute) % 262_143_328_851);
            assert_eq!(meter.read_j(secs(60 * minute)).unwrap(), 24_000.0 * minute as f64);
        }
    }

    #[test]
    fn without_any_domain_the_reason_is_the_machine() {
        let reason = Tree::new(&[]).reason();
        assert_eq!(
            reason,
            "this kernel or virtual machine offers no RAPL counters (/sys/class/powercap has no intel-rapl domain)"
        );
    }

    #[test]
    fn psys_and_parts_alone_are_not_enough() {
        assert!(Tree::new(&[("intel-rapl:0", "psys", 0)]).reason().contains("only psys"));
        let reason = Tree::new(&[("intel-rapl:0", "psys", 0), ("intel-rapl:1", "core", 0)]).reason();
        assert_eq!(reason, "RAPL offers no package domain, only psys, core");
    }

    #[test]
    fn one_package_that_cannot_be_read_makes_the_meter_unavailable() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 0), ("intel-rapl:1", "package-1", 0)]);
        tree.block("intel-rapl:1");
        assert!(tree.reason().contains("intel-rapl:1/energy_uj"));
    }

    #[test]
    fn a_dram_domain_that_cannot_be_read_is_left_out_and_named() {
        let tree = Tree::new(&[
            ("intel-rapl:0", "package-0", 0),
            ("intel-rapl:0:0", "dram", 0),
            ("intel-rapl:1", "package-1", 0),
            ("intel-rapl:1:0", "dram", 0),
            ("intel-rapl:2", "package-2", 0),
        ]);
        tree.block("intel-rapl:1:0");
        let meter = tree.open().unwrap();
        assert_eq!(meter.description().covers, "3 packages and 1 dram domain");
        let leaves_out = &meter.description().leaves_out;
        assert!(leaves_out.starts_with("the dram domain intel-rapl:1:0 (can't read"), "{leaves_out}");
        assert!(leaves_out.contains("), memory of package-2, power supply loss"), "{leaves_out}");
    }

    #[test]
    fn permission_denied_is_mended_by_a_command() {
        let error = MeterError::Read {
            path: PathBuf::from("/sys/class/powercap/intel-rapl:0/energy_uj"),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        let Unavailable { reason, hint } = unreadable("intel-rapl", &error);
        assert_eq!(reason, "/sys/class/powercap/intel-rapl:0/energy_uj is readable by root only (since Linux 5.10)");
        assert_eq!(
            hint,
            "until the next reboot: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj; \
             or declare the power: --meter watts:65W@cpu"
        );
    }

    #[test]
    fn a_counter_that_vanishes_or_holds_no_energy_is_an_error_with_its_path() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 7)]);
        let mut meter = tree.open().unwrap();
        let path = tree.file("intel-rapl:0", "energy_uj");
        for content in ["", "garbage", "-5", "1.5", "0x10", "99999999999999999999999"] {
            fs::write(&path, content).unwrap();
            let error = meter.read_j(secs(1)).unwrap_err();
            assert!(
                matches!(&error, MeterError::Content { path: p, content: c, .. } if *p == path && c == content),
                "{error}"
            );
        }
        tree.set("intel-rapl:0", RANGE + 1);
        let error = meter.read_j(secs(1)).unwrap_err();
        assert!(error.to_string().contains("262143328851") && error.to_string().contains("above"), "{error}");
        fs::remove_file(&path).unwrap();
        let error = meter.read_j(secs(1)).unwrap_err();
        assert!(matches!(&error, MeterError::Read { path: p, .. } if *p == path), "{error}");
        // The meter goes on once the counter is back.
        tree.set("intel-rapl:0", 1_000_007);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 1.0);
    }

    #[test]
    fn garbage_at_opening_is_unavailable_rather_than_zero() {
        for file in ["energy_uj", "max_energy_range_uj"] {
            let tree = Tree::new(&[("intel-rapl:0", "package-0", 0)]);
            fs::write(tree.file("intel-rapl:0", file), "none").unwrap();
            assert!(tree.reason().contains("not a whole number of microjoules"));
        }
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 0)]);
        fs::remove_file(tree.file("intel-rapl:0", "name")).unwrap();
        assert!(tree.reason().contains("intel-rapl:0/name"));
    }

    #[test]
    fn a_relative_root_works_as_an_absolute_one() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 0)]);
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        let root = up.join(tree.0.path().strip_prefix("/").unwrap());
        let mut meter = Rapl::open(&Sysroot::new(&root).unwrap()).ok().unwrap();
        tree.set("intel-rapl:0", 3_000_000);
        assert_eq!(meter.read_j(secs(1)).unwrap(), 3.0);
        fs::remove_file(tree.file("intel-rapl:0", "energy_uj")).unwrap();
        let error = meter.read_j(secs(2)).unwrap_err();
        let expected = root.join("sys/class/powercap/intel-rapl:0/energy_uj");
        assert!(matches!(&error, MeterError::Read { path, .. } if *path == expected), "{error}");
    }

    #[test]
    fn a_package_that_stands_still_is_an_error_and_not_zero_watts() {
        let tree = Tree::new(&[("intel-rapl:0", "package-0", 9), ("intel-rapl:0:0", "dram", 9)]);
        let mut meter = tree.open().unwrap();
        assert_eq!(meter.read_j(Duration::from_millis(999)).unwrap(), 0.0);
        assert!(matches!(meter.read_j(secs(1)), Err(MeterError::Stuck { .. })));
        tree.set("intel-rapl:0", 1_000_009);
        assert_eq!(meter.read_j(secs(2)).unwrap(), 1.0);
    }
}
