//! Joules per hash, from the samples and the meter of the device that hashed.

use super::turn::{Meterings, Sample};
use crate::device::Device;
use crate::energy::Provenance;
use crate::interval::Interval;
use crate::record::Energy;
use crate::statistics::median_interval;
use crate::unavailable::Unavailable;

/// Computes the energy per hash of a device that took the samples of `turns`.
///
/// The value is all joules over all hashes. Its interval is that of the samples' median at 95 %, widened by what the
/// meter's own uncertainty adds.
pub(super) fn energy_per_hash(
    turns: &[Vec<Sample>],
    device: Device,
    meterings: &Meterings,
    unavailable: &[(Device, Unavailable)],
) -> Energy {
    let belongs = |description: &&crate::energy::MeterDescription| description.device == device;
    let Some(meter) = meterings.meters().iter().map(|meter| meter.description()).find(belongs) else {
        return absent(no_meter(device, unavailable));
    };
    if let Some(fault) = meterings.fault(&meter.name) {
        return absent(fault.to_owned());
    }
    let joules = |sample: &Sample| sample.energy_j.get(&meter.name).copied();
    let energy_j: Option<f64> = turns.iter().flatten().map(joules).sum();
    let hashes: u64 = turns.iter().flatten().map(|sample| sample.hashes).sum();
    let Some(energy_j) = energy_j.filter(|_| hashes > 0) else {
        return absent(format!("{} was not read in every sample", meter.name));
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    let per_hash = |energy_j: f64, hashes: u64| energy_j / hashes as f64;
    let each: Vec<Vec<f64>> = turns
        .iter()
        .map(|turn| turn.iter().filter_map(|sample| Some(per_hash(joules(sample)?, sample.hashes))).collect())
        .collect();
    let value = per_hash(energy_j, hashes);
    let spread = median_interval(&each).map_or(Interval::exact(value), |estimate| estimate.interval);
    let uncertainty = meter.relative_uncertainty.unwrap_or(0.0);
    let gross = Interval {
        value,
        low: spread.low.min(value) * (1.0 - uncertainty),
        high: spread.high.max(value) * (1.0 + uncertainty),
    };
    Energy {
        gross: Some(gross),
        net: None,
        provenance: meter.provenance,
        meters: vec![meter.name.clone()],
        coverage: format!("covers {}; leaves out {}", meter.covers, meter.leaves_out),
        reason: None,
    }
}

fn absent(reason: String) -> Energy {
    Energy {
        gross: None,
        net: None,
        provenance: Provenance::Unavailable,
        meters: Vec::new(),
        coverage: String::new(),
        reason: Some(reason),
    }
}

fn no_meter(device: Device, unavailable: &[(Device, Unavailable)]) -> String {
    let known = unavailable.iter().find(|(other, _)| *other == device);
    known.map_or_else(|| format!("no meter reads {device}"), |(_, unavailable)| unavailable.reason.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::energy::{MeterSpec, open};
    use crate::sysroot::Sysroot;

    fn meterings(spec: &str) -> Meterings {
        let specs = [spec.parse::<MeterSpec>().unwrap()];
        Meterings::new(open(&specs, &Sysroot::default(), &[]).unwrap().meters, Duration::ZERO)
    }

    fn sample(name: &str, energy_j: f64, hashes: u64) -> Sample {
        let energy_j = [(name.to_owned(), energy_j)].into();
        Sample { start: Duration::ZERO, duration: Duration::from_secs(1), hashes, energy_j }
    }

    #[test]
    fn joules_over_hashes_with_the_declared_uncertainty() {
        let meterings = meterings("watts:100W±10%@cpu");
        let name = meterings.meters()[0].description().name.clone();
        // 300 J over 600 hashes are 0.5 J each; the samples lie at 0.4 to 0.625, and 10 % come on top. Of three samples
        // the interval is the whole range.
        let samples = [sample(&name, 100.0, 250), sample(&name, 100.0, 190), sample(&name, 100.0, 160)];
        let energy = energy_per_hash(&[samples.to_vec()], Device::Cpu, &meterings, &[]);
        let gross = energy.gross.unwrap();
        assert!((gross.value - 0.5).abs() < 1e-12);
        assert!((gross.low - 0.36).abs() < 1e-12 && (gross.high - 0.6875).abs() < 1e-12, "{gross:?}");
        assert_eq!((energy.provenance, energy.meters), (Provenance::Declared, vec![name]));
    }

    #[test]
    fn a_meter_is_never_charged_to_another_device() {
        let meterings = meterings("watts:100W@gpu0");
        let name = meterings.meters()[0].description().name.clone();
        let samples = [sample(&name, 100.0, 250)];
        let reason = Unavailable { reason: "no counter".to_owned(), hint: String::new() };
        let cpu = energy_per_hash(&[samples.to_vec()], Device::Cpu, &meterings, &[(Device::Cpu, reason)]);
        assert_eq!((cpu.gross, cpu.reason.as_deref()), (None, Some("no counter")));
        let other = energy_per_hash(&[samples.to_vec()], Device::Gpu(1), &meterings, &[]);
        assert_eq!((other.gross, other.provenance), (None, Provenance::Unavailable));
        assert_eq!(other.reason.as_deref(), Some("no meter reads gpu1"));
        assert!(energy_per_hash(&[samples.to_vec()], Device::Gpu(0), &meterings, &[]).gross.is_some());
    }

    #[test]
    fn a_meter_that_missed_a_sample_gives_no_figure() {
        let meterings = meterings("watts:100W@cpu");
        let name = meterings.meters()[0].description().name.clone();
        let samples = [sample(&name, 100.0, 250), sample("another", 100.0, 250)];
        let energy = energy_per_hash(&[samples.to_vec()], Device::Cpu, &meterings, &[]);
        assert!(energy.gross.is_none() && energy.reason.is_some());
    }
}
