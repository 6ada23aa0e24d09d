//! The machines of a study: typed in, from the catalogue, or engines of a record.

use globset::Glob;
use toml::Spanned;

use super::super::cost::{EnergyRate, Network};
use super::super::file::{FileError, FleetEntry, MachineEntry};
use super::super::fleet::{Class, Fleet};
use super::{Materials, Reader, algorithm_of};
use crate::coin::hardware::{Catalogue, Machine, MachineError};
use crate::interval::Interval;
use crate::record::{Benchmark, Record};

/// Where machines are looked up.
pub(super) struct Machines<'a> {
    reader: &'a Reader<'a>,
    catalogue: Catalogue,
    record: Option<&'a (String, Record)>,
}

/// Names a fleet by its machines.
pub(super) fn name_of(fleet: &Fleet) -> String {
    let word = |class: &Class| match class.count {
        1 => class.name.clone(),
        count => format!("{count} × {}", class.name),
    };
    fleet.classes.iter().map(word).collect::<Vec<_>>().join(" + ")
}

/// Names a fleet by what was asked for, where it isn't there.
pub(super) fn name_asked(entry: &FleetEntry) -> String {
    let class = entry.own_class().or_else(|| entry.machines.first().map(|machine| machine.as_ref().clone()));
    let named = class.and_then(|class| class.engine.or(class.machine)).map(Spanned::into_inner);
    named.unwrap_or_else(|| "fleet".to_owned())
}

impl<'a> Machines<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, materials: &'a Materials) -> Self {
        Self { reader, catalogue: Catalogue::built_in(), record: materials.record.as_ref() }
    }

    /// Finds all machines of a fleet. None where an engine isn't there that needn't be.
    pub(super) fn fleet(&self, entry: &Spanned<FleetEntry>, network: &Network) -> Result<Option<Fleet>, FileError> {
        let (span, entry) = (entry.span(), entry.as_ref());
        let own = entry.own_class();
        if own.is_some() != entry.machines.is_empty() {
            let help = "write machine, engine or hashrate in it, or machines = [{ machine = \"...\", count = 2 }, ...]";
            return Err(self.reader.error(&span, "a fleet has one kind of machine, or a list of machines", help));
        }
        let listed = entry.machines.iter().map(|machine| (machine.span(), machine.as_ref().clone()));
        let mut classes = Vec::new();
        for (span, machine) in own.map(|own| (span, own)).into_iter().chain(listed) {
            match self.class(&span, &machine, network, entry.optional)? {
                Some(class) => classes.push(class),
                None => return Ok(None),
            }
        }
        Ok(Some(Fleet { classes }))
    }

    /// Says that a fleet was left out.
    pub(super) fn left_out(&self, entry: &Spanned<FleetEntry>, network: &Network) -> String {
        let record = self.record.map_or("no record", |(name, _)| name.as_str());
        let (name, algorithm) = (name_asked(entry.as_ref()), algorithm_of(network));
        format!(
            "left out: {name}, because {record} holds no such engine of {algorithm}; graphics drivers in software \
             don't count"
        )
    }

    fn class(
        &self,
        span: &std::ops::Range<usize>,
        entry: &MachineEntry,
        network: &Network,
        is_optional: bool,
    ) -> Result<Option<Class>, FileError> {
        let count = match entry.count.as_ref().map(|count| (count.span(), count.as_ref().0.as_slice())) {
            None => 1,
            Some((_, [one])) => *one,
            Some((span, _)) => {
                let help = "give each a fleet of its own, or move the counts to the fleet";
                return Err(self.reader.error(&span, "a machine in a list of machines has one count", help));
            }
        };
        let power = entry.power.map(|power| EnergyRate::PowerW(power.0));
        let class = match (&entry.machine, &entry.engine, entry.hashrate) {
            (Some(name), None, None) => {
                let machine = self.known(name, network)?;
                let rated = machine.power_w.map(|watts| EnergyRate::PowerW(Interval::exact(watts)));
                Class {
                    name: machine.name.clone(),
                    kind: machine.class.clone(),
                    rate_hps: Interval::exact(machine.rate_hps),
                    energy: power.or(rated),
                    source: provenance(machine, power.is_some()),
                    count,
                    capex: entry.capex(),
                }
            }
            (None, Some(glob), None) => {
                let Some(benchmark) = self.engine(glob, network, is_optional)? else { return Ok(None) };
                Class {
                    name: entry.name.clone().unwrap_or_else(|| benchmark.id.to_string()),
                    kind: "engine".to_owned(),
                    rate_hps: benchmark.rate_hps.interval(),
                    energy: power.or(benchmark.energy_j_per_hash.gross.map(EnergyRate::JoulesPerHash)),
                    source: measured(benchmark, self.record.map_or("", |(name, _)| name.as_str()), power.is_some()),
                    count,
                    capex: entry.capex(),
                }
            }
            (None, None, Some(rate)) => Class {
                name: entry.name.clone().unwrap_or_else(|| "machine".to_owned()),
                kind: String::new(),
                rate_hps: rate.0,
                energy: power,
                source: "as the study file says".to_owned(),
                count,
                capex: entry.capex(),
            },
            _ => {
                let help = "write machine = \"Antminer S9\", or engine = \"sha256d/cpu/*\", or hashrate = \"13.5T\" \
                            with power";
                return Err(self.reader.error(span, "a machine is named in one of three ways", help));
            }
        };
        Ok(Some(class))
    }

    fn known(&self, name: &Spanned<String>, network: &Network) -> Result<&Machine, FileError> {
        let algorithm = algorithm_of(network);
        self.catalogue.find(name.as_ref(), Some(algorithm)).map_err(|error| {
            let help = match &error {
                MachineError::Unknown { .. } => "give one of them, or hashrate and power".to_owned(),
                MachineError::Several { .. } => "give more of the name".to_owned(),
                MachineError::OtherAlgorithm { .. } => {
                    let when = when(network);
                    format!(
                        "{} blocks are proven with {algorithm}{when}; windows = [\"...\"] limits a fleet to those \
                             windows that it is for",
                        network.coin().name()
                    )
                }
            };
            self.reader.error(&name.span(), error.to_string(), help)
        })
    }

    /// Finds the fastest engine of the record that a pattern means and whose rate earns the coin.
    fn engine(
        &self,
        glob: &Spanned<String>,
        network: &Network,
        is_optional: bool,
    ) -> Result<Option<&Benchmark>, FileError> {
        let Some((name, record)) = self.record else {
            let help = "write record = \"FILE\" at the top, or give --record FILE";
            return Err(self.reader.error(&glob.span(), "an engine is one of a record, and none is named", help));
        };
        let matcher =
            Glob::new(glob.as_ref()).map_err(|error| self.reader.error(&glob.span(), error.to_string(), ""))?;
        let matcher = matcher.compile_matcher();
        let algorithm = algorithm_of(network);
        let is_sound =
            |benchmark: &&Benchmark| benchmark.rate_hps.interval().is_ordered() && benchmark.rate_hps.low > 0.0;
        let fits = |benchmark: &&Benchmark| benchmark.algorithm == algorithm && matcher.is_match(benchmark.id.as_str());
        let is_hardware = |benchmark: &&Benchmark| !benchmark.is_on_software_adapter();
        let meant = record.benchmarks.iter().filter(fits).filter(is_sound).filter(is_hardware);
        match meant.max_by(|a, b| a.rate_hps.median.total_cmp(&b.rate_hps.median)) {
            Some(benchmark) => Ok(Some(benchmark)),
            None if is_optional => Ok(None),
            None => {
                let held: Vec<&str> = record.benchmarks.iter().map(|benchmark| benchmark.id.as_str()).collect();
                let held = if held.is_empty() { "no engine".to_owned() } else { held.join(", ") };
                let reason = format!("{name} holds no engine {:?} of {algorithm}{}", glob.as_ref(), when(network));
                let help = format!("it holds {held}; optional = true leaves a fleet out that isn't there");
                Err(self.reader.error(&glob.span(), reason, help))
            }
        }
    }
}

/// Says when a coin had another proof of work, in words.
fn when(network: &Network) -> String {
    match network {
        Network::Window { window, .. } if algorithm_of(network) != network.coin().algorithm() => {
            format!(" from {} to {}", window.from(), window.to())
        }
        _ => String::new(),
    }
}

/// Says where a machine's figures come from.
fn provenance(machine: &Machine, is_power_given: bool) -> String {
    let power = machine.provenance(is_power_given);
    let note = if machine.note.is_empty() { String::new() } else { format!(" ({})", machine.note) };
    format!("{power}{note}; {}", machine.source)
}

fn measured(benchmark: &Benchmark, record: &str, is_power_given: bool) -> String {
    let energy = match (is_power_given, benchmark.energy_j_per_hash.gross) {
        (true, _) => "its power is given".to_owned(),
        (false, Some(_)) => format!("joules per hash are {}", benchmark.energy_j_per_hash.provenance),
        (false, None) => {
            let reason = benchmark.energy_j_per_hash.reason.clone().unwrap_or_default();
            format!("joules per hash are absent: {reason}")
        }
    };
    format!("measured on {}; {energy}; {record}", benchmark.device_name)
}
