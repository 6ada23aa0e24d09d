//! Machines whose figures others published: points to compare with, never measured by this program.

use crate::coin::hardware::{Catalogue, Machine};
use crate::interval::Interval;

/// A machine as others describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceMachine {
    /// What its rate is a rate of.
    pub algorithm: String,
    /// Its name, with the year in which it came out.
    pub label: String,
    /// Its rate, in hashes per second.
    pub rate_hps: f64,
    /// What it draws, in watts, as rated or reported; rarely measured at the wall.
    pub power_w: f64,
    /// Who says so.
    pub source: String,
}

impl ReferenceMachine {
    /// Returns its energy per hash, in joules.
    #[must_use]
    pub fn energy_j_per_hash(&self) -> Interval {
        Interval::exact(self.power_w / self.rate_hps)
    }
}

/// Returns machines of the catalogue to compare an algorithm with: of each class the one that takes the least energy
/// for a hash, the one that takes the most, and the one nearest to the middle between them. All of them would fill a
/// plot.
#[must_use]
pub fn machines(algorithm: &str) -> Vec<ReferenceMachine> {
    let catalogue = Catalogue::built_in();
    let mut chosen: Vec<ReferenceMachine> = Vec::new();
    for class in ["asic", "gpu", "cpu"] {
        let is_meant = |machine: &&Machine| machine.algorithm == algorithm && machine.class == class;
        let known = catalogue.machines().iter().filter(is_meant).filter_map(reference);
        let mut known: Vec<ReferenceMachine> = known.collect();
        known.sort_by(|a, b| joules(a).total_cmp(&joules(b)));
        let (Some(least), Some(most)) = (known.first(), known.last()) else { continue };
        let middle = (joules(least) * joules(most)).sqrt();
        let off = |machine: &ReferenceMachine| (joules(machine) / middle).ln().abs();
        let between = known.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        for machine in [Some(least), between, Some(most)].into_iter().flatten() {
            if !chosen.contains(machine) {
                chosen.push(machine.clone());
            }
        }
    }
    chosen
}

fn joules(machine: &ReferenceMachine) -> f64 {
    machine.energy_j_per_hash().value
}

/// Takes a machine of the catalogue whose power somebody states.
fn reference(machine: &Machine) -> Option<ReferenceMachine> {
    let year = machine.released.split('-').next().unwrap_or_default();
    Some(ReferenceMachine {
        algorithm: machine.algorithm.clone(),
        label: format!("{} ({year})", machine.name),
        rate_hps: machine.rate_hps,
        power_w: machine.power_w?,
        source: machine.source.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(algorithm: &str) -> Vec<String> {
        machines(algorithm).into_iter().map(|machine| machine.label).collect()
    }

    #[test]
    fn the_ends_and_the_middle_of_each_class_stand_for_it() {
        let expected = [
            "Antminer S21 Pro (2024)",
            "Antminer S9 (2016)",
            "Antminer S3 (2014)",
            "GeForce GTX 1060 6GB (2016)",
            "Radeon HD 7970 (2012)",
            "Radeon HD 5850 (2009)",
        ];
        assert_eq!(labels("sha256d"), expected);
        let randomx = labels("randomx-v1");
        assert!(randomx.contains(&"Ryzen 9 7945HX at 62 W (2023)".to_owned()) && randomx.len() == 7, "{randomx:?}");
        assert_eq!(labels("md5"), [""; 0]);
    }

    #[test]
    fn published_efficiencies_come_out_as_published() {
        // In joules per terahash, and in hashes per joule.
        let of = |algorithm: &str, label: &str| {
            let machine = machines(algorithm).into_iter().find(|machine| machine.label.starts_with(label)).unwrap();
            machine.energy_j_per_hash().value
        };
        assert!((of("sha256d", "Antminer S9") * 1e12 / 98.0 - 1.0).abs() < 0.005);
        assert!((of("randomx-v1", "Ryzen 9 7945HX").recip() / 260.0 - 1.0).abs() < 0.005);
    }
}
