//! Joules per hash, from the samples and the meter of the device that hashed.

use super::idle;
use super::turn::{Meterings, Sample};
use crate::device::Device;
use crate::energy::{MeterDescription, Provenance};
use crate::interval::Interval;
use crate::record::{Energy, Idle};
use crate::statistics::median_interval;
use crate::unavailable::Unavailable;

/// The quantile of the normal distribution with 2.5 % above it: every interval here is one of 95 %.
const NORMAL: f64 = 1.96;

/// What the energy of one engine is computed from.
pub(super) struct Metered<'a> {
    pub(super) turns: &'a [Vec<Sample>],
    pub(super) device: Device,
    pub(super) meterings: &'a Meterings,
    /// Why devices without a meter have none.
    pub(super) unavailable: &'a [(Device, Unavailable)],
    /// The idle baselines of the engine's group.
    pub(super) idle: &'a [&'a Idle],
}

/// Computes the energy per hash of a device.
///
/// Gross is all joules over all hashes; net is gross less the idle power times the time. Both intervals are of 95 %,
/// and add in squares what doesn't depend on each other: the spread of the samples (the interval of their median), the
/// meter's quantum of time at the edges of turns, its class, and for net the doubt about the idle power. A class is the
/// error of a scale, so it counts on what is left when idle is taken off.
pub(super) fn energy_per_hash(metered: &Metered<'_>) -> Energy {
    let Metered { device, meterings, unavailable, .. } = *metered;
    let Some(meter) = meter_of(meterings, device) else { return absent(no_meter(device, unavailable)) };
    if let Some(fault) = meterings.fault(&meter.name) {
        return absent(fault.to_owned());
    }
    let Some(sums) = Sums::of(metered.turns, meter) else {
        return absent(format!("{} was not read in every sample", meter.name));
    };
    let class = meter.relative_uncertainty.unwrap_or(0.0);
    let gross = sums.gross_without_class();
    let (net, net_reason) = match sums.net(&gross, meter, metered.idle) {
        Ok(net) if with_class(net, class).low <= 0.0 => {
            (None, Some(format!("{} can't tell the joules of the work from those of the idle device", meter.name)))
        }
        Ok(net) => (Some(with_class(net, class)), None),
        Err(reason) => (None, Some(reason)),
    };
    Energy {
        gross: Some(with_class(gross, class)),
        net,
        net_reason,
        host: (device != Device::Cpu).then(|| host(metered.turns, meterings)).flatten(),
        provenance: meter.provenance,
        meters: vec![meter.name.clone()],
        coverage: format!("covers {}; leaves out {}", meter.covers, meter.leaves_out),
        reason: None,
    }
}

/// Returns what a meter's quantum of time leaves open, as a fraction of the joules of `duration_s` seconds in
/// `stretches` stretches without a gap: each of their two ends may be off by half a quantum, evenly.
pub(super) fn quantum_fraction(quantum_s: f64, stretches: f64, duration_s: f64) -> f64 {
    NORMAL * quantum_s * (2.0 * stretches / 12.0).sqrt() / duration_s
}

/// What one meter read in all samples of an engine.
struct Sums<'a> {
    turns: &'a [Vec<Sample>],
    meter: &'a MeterDescription,
    energy_j: f64,
    hashes: f64,
    duration_s: f64,
}

impl<'a> Sums<'a> {
    /// Adds up. None where the meter missed a sample, or nothing was hashed.
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    fn of(turns: &'a [Vec<Sample>], meter: &'a MeterDescription) -> Option<Self> {
        let samples = || turns.iter().flatten();
        let energy_j: Option<f64> = samples().map(|sample| sample.energy_j.get(&meter.name).copied()).sum();
        let hashes: u64 = samples().map(|sample| sample.hashes).sum();
        let duration_s = samples().map(|sample| sample.duration.as_secs_f64()).sum();
        energy_j.filter(|_| hashes > 0).map(|energy_j| Self {
            turns,
            meter,
            energy_j,
            hashes: hashes as f64,
            duration_s,
        })
    }

    /// Returns joules per hash with spread and quantum.
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    fn gross_without_class(&self) -> Interval {
        let value = self.energy_j / self.hashes;
        let joules = |sample: &Sample| Some(sample.energy_j.get(&self.meter.name)? / sample.hashes as f64);
        let each: Vec<Vec<f64>> = self.turns.iter().map(|turn| turn.iter().filter_map(joules).collect()).collect();
        let spread = median_interval(&each).map_or(Interval::exact(value), |estimate| estimate.interval);
        let quantum = value * quantum_fraction(self.meter.quantum_s, self.turns.len() as f64, self.duration_s);
        Interval {
            value,
            low: value - (value - spread.low.min(value)).hypot(quantum),
            high: value + (spread.high.max(value) - value).hypot(quantum),
        }
    }

    /// Takes the idle power off.
    fn net(&self, gross: &Interval, meter: &MeterDescription, idle: &[&Idle]) -> Result<Interval, String> {
        if meter.provenance == Provenance::Declared {
            return Err("a declared power has no idle part that could be measured".to_owned());
        }
        let Some(idle_w) = idle::power_w(idle, &meter.name, meter.quantum_s) else {
            return Err(format!(
                "{} was not read while the device was idle, or not for longer than the {} s that it resolves",
                meter.name, meter.quantum_s,
            ));
        };
        let s_per_hash = self.duration_s / self.hashes;
        let value = gross.value - idle_w.value * s_per_hash;
        if value <= 0.0 {
            return Err(format!("{} read no more joules than of the idle device", meter.name));
        }
        let idle_half_width = (idle_w.high - idle_w.value) * s_per_hash;
        Ok(Interval {
            value,
            low: value - (gross.value - gross.low).hypot(idle_half_width),
            high: value + (gross.high - gross.value).hypot(idle_half_width),
        })
    }
}

/// Adds a meter's class in squares, as a fraction of the value.
fn with_class(interval: Interval, class: f64) -> Interval {
    let Interval { value, low, high } = interval;
    Interval {
        value,
        low: value - (value - low).hypot(value * class),
        high: value + (high - value).hypot(value * class),
    }
}

fn meter_of(meterings: &Meterings, device: Device) -> Option<&MeterDescription> {
    meterings.meters().iter().map(|meter| meter.description()).find(|description| description.device == device)
}

/// Returns the joules of the processors per hash that another device computed.
fn host(turns: &[Vec<Sample>], meterings: &Meterings) -> Option<Interval> {
    let meter = meter_of(meterings, Device::Cpu).filter(|meter| meterings.fault(&meter.name).is_none())?;
    let gross = Sums::of(turns, meter)?.gross_without_class();
    Some(with_class(gross, meter.relative_uncertainty.unwrap_or(0.0)))
}

fn absent(reason: String) -> Energy {
    Energy {
        gross: None,
        net: None,
        net_reason: None,
        host: None,
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
    use crate::energy::{Meter, MeterError, MeterSpec, open};
    use crate::record::When;
    use crate::sysroot::Sysroot;

    fn declared(spec: &str) -> Meterings {
        let specs = [spec.parse::<MeterSpec>().unwrap()];
        Meterings::new(open(&specs, &Sysroot::default(), &[]).unwrap().meters, Duration::ZERO)
    }

    /// A meter that is only described.
    struct Described(MeterDescription);

    impl Meter for Described {
        fn description(&self) -> &MeterDescription {
            &self.0
        }

        fn read_j(&mut self, _: Duration) -> Result<f64, MeterError> {
            Ok(0.0)
        }
    }

    fn measured(meters: &[(&str, Device, f64, f64)]) -> Meterings {
        let meter = |&(name, device, class, quantum_s): &(&str, Device, f64, f64)| -> Box<dyn Meter> {
            Box::new(Described(MeterDescription {
                name: name.to_owned(),
                device,
                provenance: Provenance::Measured,
                covers: String::new(),
                leaves_out: String::new(),
                relative_uncertainty: Some(class),
                quantum_s,
            }))
        };
        Meterings::new(meters.iter().map(meter).collect(), Duration::ZERO)
    }

    fn sample(energies_j: &[(&str, f64)], hashes: u64) -> Sample {
        let energy_j = energies_j.iter().map(|&(name, energy_j)| (name.to_owned(), energy_j)).collect();
        Sample { start: Duration::ZERO, duration: Duration::from_secs(1), hashes, device_time: None, energy_j }
    }

    fn energy(turns: &[Vec<Sample>], device: Device, meterings: &Meterings, idle: &[&Idle]) -> Energy {
        energy_per_hash(&Metered { turns, device, meterings, unavailable: &[], idle })
    }

    fn baseline(when: When, energies_j: &[(&str, f64)]) -> Idle {
        let energy_j = energies_j.iter().map(|&(name, energy_j)| (name.to_owned(), energy_j)).collect();
        Idle { group: 0, when, start_s: 0.0, duration_s: 2.0, energy_j, others_fraction: None }
    }

    fn assert_close(figure: f64, expected: f64) {
        assert!((figure / expected - 1.0).abs() < 1e-9, "{figure} is not {expected}");
    }

    #[test]
    fn joules_over_hashes_with_the_declared_uncertainty_in_squares() {
        let meterings = declared("watts:100W±10%@cpu");
        let name = meterings.meters()[0].description().name.clone();
        // 300 J over 600 hashes are 0.5 J each; of three samples the interval is the whole range, 0.4 to 0.625, and
        // 10 % are 0.05.
        let samples: Vec<Sample> = [250, 190, 160].map(|hashes| sample(&[(&name, 100.0)], hashes)).into();
        let energy = energy(&[samples], Device::Cpu, &meterings, &[]);
        let gross = energy.gross.unwrap();
        assert_close(gross.value, 0.5);
        assert_close(gross.low, 0.5 - 0.1_f64.hypot(0.05));
        assert_close(gross.high, 0.5 + 0.125_f64.hypot(0.05));
        assert_eq!((energy.provenance, energy.meters), (Provenance::Declared, vec![name]));
        assert!(energy.net.is_none() && energy.net_reason.unwrap().contains("declared"));
    }

    #[test]
    fn net_is_gross_less_idle_and_its_doubts_add_in_squares() {
        let meterings = measured(&[("m", Device::Cpu, 0.05, 0.0)]);
        // 100 W and 50 hashes a second: 2 J gross. 20 W before and 24 W after: 22 W, and 2 W of doubt.
        let turns = [vec![sample(&[("m", 100.0)], 50); 4], vec![sample(&[("m", 100.0)], 50); 4]];
        let (before, after) = (baseline(When::Before, &[("m", 40.0)]), baseline(When::After, &[("m", 48.0)]));
        let energy = energy(&turns, Device::Cpu, &meterings, &[&before, &after]);
        let (gross, net) = (energy.gross.unwrap(), energy.net.unwrap());
        assert_close(gross.value, 2.0);
        assert_close(gross.high, 2.1);
        assert_close(net.value, 1.56);
        assert_close(net.high - net.value, 0.04_f64.hypot(0.05 * 1.56));
        assert_eq!((energy.net_reason, energy.host), (None, None));
    }

    #[test]
    fn a_quantum_widens_by_the_edges_of_turns() {
        let meterings = measured(&[("m", Device::Cpu, 0.0, 0.1)]);
        let turns = vec![vec![sample(&[("m", 100.0)], 100); 4]; 3];
        let gross = energy(&turns, Device::Cpu, &meterings, &[]).gross.unwrap();
        // Three turns have six edges, each even over 0.1 s, in 12 s: 1.96 * 0.1 * sqrt(6 / 12) / 12.
        assert_close(gross.high - 1.0, 1.96 * 0.1 * 0.5_f64.sqrt() / 12.0);
    }

    #[test]
    fn no_more_than_idle_leaves_no_net_figure() {
        let meterings = measured(&[("m", Device::Cpu, 0.0, 0.0)]);
        let turns = [vec![sample(&[("m", 10.0)], 100); 4]];
        let idle = baseline(When::Before, &[("m", 20.0)]);
        let energy_of = |idle: &[&Idle]| energy(&turns, Device::Cpu, &meterings, idle);
        assert!(energy_of(&[&idle]).net_reason.unwrap().contains("no more joules than of the idle device"));
        // 0.1 J and more of doubt for each hash: 10 W less 9 W, and 2 W of difference.
        let (before, after) = (baseline(When::Before, &[("m", 14.0)]), baseline(When::After, &[("m", 22.0)]));
        assert!(energy_of(&[&before, &after]).net_reason.unwrap().contains("can't tell"));
        assert!(energy_of(&[]).net_reason.unwrap().contains("was not read while the device was idle"));
    }

    #[test]
    fn the_processors_share_stands_beside_a_cards_joules() {
        let meterings = measured(&[("rapl", Device::Cpu, 0.0, 0.0), ("nvml", Device::Gpu(0), 0.0, 0.0)]);
        let turns = [vec![sample(&[("rapl", 30.0), ("nvml", 300.0)], 600); 6]];
        let energy = energy(&turns, Device::Gpu(0), &meterings, &[]);
        assert_close(energy.gross.unwrap().value, 0.5);
        assert_close(energy.host.unwrap().value, 0.05);
        assert_eq!(energy.meters, ["nvml"]);
    }

    #[test]
    fn a_meter_is_never_charged_to_another_device() {
        let meterings = declared("watts:100W@gpu0");
        let name = meterings.meters()[0].description().name.clone();
        let turns = [vec![sample(&[(&name, 100.0)], 250)]];
        let reason = Unavailable { reason: "no counter".to_owned(), hint: String::new() };
        let unavailable = [(Device::Cpu, reason)];
        let metered =
            Metered { turns: &turns, device: Device::Cpu, meterings: &meterings, unavailable: &unavailable, idle: &[] };
        let cpu = energy_per_hash(&metered);
        assert_eq!((cpu.gross, cpu.reason.as_deref()), (None, Some("no counter")));
        let other = energy(&turns, Device::Gpu(1), &meterings, &[]);
        assert_eq!((other.gross, other.provenance), (None, Provenance::Unavailable));
        assert_eq!(other.reason.as_deref(), Some("no meter reads gpu1"));
        assert!(energy(&turns, Device::Gpu(0), &meterings, &[]).gross.is_some());
    }

    #[test]
    fn a_meter_that_missed_a_sample_gives_no_figure() {
        let meterings = declared("watts:100W@cpu");
        let name = meterings.meters()[0].description().name.clone();
        let samples = vec![sample(&[(&name, 100.0)], 250), sample(&[("another", 100.0)], 250)];
        let energy = energy(&[samples], Device::Cpu, &meterings, &[]);
        assert!(energy.gross.is_none() && energy.reason.is_some());
    }
}
