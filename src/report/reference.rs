//! Machines whose figures others published: points to compare with, never measured by this program.

use crate::interval::Interval;

/// A machine as others describe it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceMachine {
    /// What its rate is a rate of.
    pub algorithm: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The year in which it came out.
    pub year: u16,
    /// Its rate, in hashes per second.
    pub rate_hps: f64,
    /// What it draws, in watts, as rated or reported; rarely measured at the wall.
    pub power_w: f64,
    /// Who says so.
    pub source: &'static str,
}

impl ReferenceMachine {
    /// Returns its energy per hash, in joules.
    #[must_use]
    pub fn energy_j_per_hash(&self) -> Interval {
        Interval::exact(self.power_w / self.rate_hps)
    }

    /// Returns its name with its year.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.year)
    }
}

/// Returns the published machines of an algorithm.
pub fn machines(algorithm: &str) -> impl Iterator<Item = &'static ReferenceMachine> {
    MACHINES.iter().filter(move |machine| machine.algorithm == algorithm)
}

const fn machine(
    algorithm: &'static str,
    name: &'static str,
    year: u16,
    rate_hps: f64,
    power_w: f64,
    source: &'static str,
) -> ReferenceMachine {
    ReferenceMachine { algorithm, name, year, rate_hps, power_w, source }
}

const RANDOMX_DESIGN: &str = "tevador/RandomX, doc/design_v2.md";
const GLASSNODE: &str = "Glassnode Studio, efficiency of Bitcoin ASICs";

const MACHINES: [ReferenceMachine; 9] = [
    machine("sha256d", "Antminer S21", 2023, 200e12, 3500.0, "devutl.com, table of miners"),
    machine("sha256d", "Antminer S19 Pro", 2020, 110e12, 3250.0, GLASSNODE),
    machine("sha256d", "Antminer S9", 2016, 13.5e12, 1323.0, GLASSNODE),
    machine("sha256d", "Radeon HD 7970", 2012, 550e6, 250.0, "ExtremeTech (rate); the card's rated power"),
    machine("randomx-v1", "Ryzen 9 7945HX at 62 W", 2023, 16_126.0, 62.0, RANDOMX_DESIGN),
    machine("randomx-v1", "Ryzen 9 9950X at 100 W", 2024, 19_912.2, 100.0, RANDOMX_DESIGN),
    machine("randomx-v1", "Ryzen 7 1700X", 2017, 4_832.73, 95.0, RANDOMX_DESIGN),
    machine("randomx-v1", "GeForce GTX 1080 Ti", 2017, 1136.0, 190.0, "SChernykh/RandomX_CUDA, README"),
    machine("randomx-v2", "Ryzen 9 7945HX at 62 W", 2023, 15_308.0, 62.0, RANDOMX_DESIGN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_efficiencies_come_out_as_published() {
        // In joules per terahash, and in hashes per joule.
        let of = |name: &str| MACHINES.iter().find(|machine| machine.name == name).unwrap();
        for (name, joules_per_terahash) in [("Antminer S9", 98.0), ("Antminer S19 Pro", 29.5), ("Antminer S21", 17.5)] {
            let joules = of(name).energy_j_per_hash().value * 1e12;
            assert!((joules / joules_per_terahash - 1.0).abs() < 0.005, "{name}: {joules}");
        }
        for (name, hashes_per_joule) in [("Ryzen 9 9950X at 100 W", 199.0), ("Ryzen 7 1700X", 50.9)] {
            let hashes = of(name).energy_j_per_hash().value.recip();
            assert!((hashes / hashes_per_joule - 1.0).abs() < 0.005, "{name}: {hashes}");
        }
        assert_eq!(machines("md5").count(), 0);
        assert!(MACHINES.iter().all(|machine| !machine.source.is_empty() && machine.energy_j_per_hash().is_ordered()));
    }
}
