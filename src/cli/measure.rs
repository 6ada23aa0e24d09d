//! What `bench` and the bare program share: meters, session and record.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::args::MeasureArguments;
use super::exit::{Failure, INTERRUPTED};
use super::plan::Planned;
use super::surroundings;
use super::workshop::Workshop;
use crate::bench::{Meterings, Plan, Session, Supplier, estimate, groups, thread_counts};
use crate::clock::Clock;
use crate::device::Device;
use crate::energy::{self, MeterDescription, Meters, Provenance};
use crate::engine::{Candidate, EngineError, EngineId, Resource};
use crate::machine::{self, Machine};
use crate::randomx;
use crate::record::{Calibrated, FORMAT, FORMAT_VERSION, OutFile, PlanRecord, Record, Tool, Warning};
use crate::registry::Registry;
use crate::sysroot::Sysroot;

/// Everything that was checked and opened before the work starts.
pub(super) struct Measurement {
    pub(super) workshop: Workshop,
    sysroot: Sysroot,
    /// The numbers of threads to measure with; empty for no sweep.
    sweep: Vec<usize>,
    meters: Meters,
    meters_opened: Duration,
    out: Option<(PathBuf, OutFile)>,
    started: jiff::Timestamp,
}

impl Measurement {
    /// Checks the arguments and opens what they name. Nothing has been computed yet when this fails. `sweep` has the
    /// numbers of threads to measure with, if there are several.
    pub(super) fn open(arguments: &MeasureArguments, sweep: Vec<usize>, is_quiet: bool) -> Result<Self, Failure> {
        let sysroot = arguments.sysroot.as_ref().map_or_else(|| Ok(Sysroot::default()), Sysroot::new)?;
        let workshop = {
            let threads = arguments.threads.or(sweep.last().copied());
            Workshop::open_with(&sysroot, threads, is_quiet, &arguments.gpu.settings())?
        };
        let meters_opened = workshop.clock.now();
        let meters = energy::open(&arguments.meter, &sysroot, &workshop.registry.gpu_addresses())?;
        let out = match &arguments.out {
            Some(path) => Some((path.clone(), OutFile::create(path)?)),
            None => None,
        };
        for meter in &meters.meters {
            check_device(meter.description(), &workshop.registry)?;
        }
        Ok(Self { workshop, sysroot, sweep, meters, meters_opened, out, started: jiff::Timestamp::now() })
    }

    /// Says what [`Measurement::run`] would do.
    pub(super) fn planned(&self, wanted: &[&str], plan: &Plan, preset: Option<&str>) -> Planned {
        let Workshop { registry, threads, .. } = &self.workshop;
        let (candidates, missing) = self.candidates(wanted);
        let resources = |candidate: &Candidate| registry.resources(candidate);
        let groups = groups(&candidates, resources, randomx::usable_memory_bytes(&self.sysroot));
        let meters: Vec<&MeterDescription> = self.meters.meters.iter().map(|meter| meter.description()).collect();
        let meters_idle = meters.iter().any(|meter| meter.provenance != Provenance::Declared);
        let held: Vec<Resource> = candidates.iter().flat_map(|candidate| resources(candidate)).collect();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        // As the record names them.
        let names = |candidate: &Candidate| -> Vec<String> {
            let id = &candidate.id;
            let of_sweep = |counts: &[usize]| counts.iter().map(|threads| format!("{id}@{threads}")).collect();
            thread_counts(candidate, &self.sweep).map_or_else(|| vec![id.to_string()], of_sweep)
        };
        let entries = candidates.iter().map(|candidate| names(candidate).len()).sum();
        let estimate = estimate(plan, count(entries), count(groups.len()), &held, meters_idle);
        let turns_of = |group: &Vec<EngineId>| {
            let members: Vec<String> =
                group.iter().filter_map(|id| registry.get(id.as_str())).flat_map(names).collect();
            plan.schedule(members.len()).into_iter().map(|index| members[index].clone()).collect::<Vec<_>>()
        };
        Planned {
            plan: plan_record(plan, preset, meters_idle),
            threads: *threads,
            sweep_threads: self.sweep.clone(),
            meters: meters.iter().map(|meter| meter.name.clone()).collect(),
            turns: groups.iter().map(turns_of).collect(),
            groups,
            unavailable: missing.iter().map(|candidate| candidate.id.clone()).collect(),
            duration_s: (&estimate).into(),
        }
    }

    /// Returns the candidates with these ids: those that can run here, and those that can't.
    fn candidates(&self, wanted: &[&str]) -> (Vec<&Candidate>, Vec<&Candidate>) {
        let known = wanted.iter().filter_map(|id| self.workshop.registry.get(id));
        known.partition(|candidate| candidate.availability.is_ok())
    }

    /// Measures the engines with the ids `wanted` and makes the record, which names those that can't run here.
    pub(super) fn run(
        &mut self,
        wanted: &[&str],
        plan: Plan,
        preset: Option<&str>,
        calibrations: Vec<Calibrated>,
    ) -> Result<(Record, Vec<EngineError>), Failure> {
        let meters = std::mem::take(&mut self.meters.meters);
        let sensors: Vec<MeterDescription> = meters.iter().map(|meter| meter.description().clone()).collect();
        let mut meterings = Meterings::new(meters, self.meters_opened);
        let workshop = &self.workshop;
        let (candidates, missing) = self.candidates(wanted);
        let machine = workshop.registry.machine();
        let meters_idle = meterings.any_measures();
        let load = || machine::load(&self.sysroot);
        let session = Session {
            supplier: &workshop.registry,
            clock: &workshop.clock,
            plan,
            observer: &workshop.terminal,
            cancel: &workshop.cancel,
            load: &load,
            pool: &workshop.pool,
            threads: workshop.threads,
            sweep: &self.sweep,
            available_bytes: randomx::usable_memory_bytes(&self.sysroot),
            unavailable: &self.meters.unavailable,
        };
        let outcome = session.run(&candidates, &mut meterings);
        workshop.terminal.clear();
        let outcome = outcome?;
        let mut warnings = self.standing_warnings(&machine, &candidates);
        for candidate in missing {
            if let Some(unavailable) = candidate.unavailable() {
                let text = format!("{} is left out: {}", candidate.id, unavailable.reason);
                warnings.push(Warning::new("engine-unavailable", text, unavailable.hint.clone()));
            }
        }
        for meter in meterings.meters() {
            if let Some(note) = meter.note() {
                let text = format!("the meter {}: {note}", meter.description().name);
                warnings.push(Warning::new("meter-note", text, ""));
            }
        }
        for sensor in &sensors {
            if let Some(fault) = meterings.fault(&sensor.name) {
                let text = format!("the meter {} failed: {fault}", sensor.name);
                warnings.push(Warning::new("meter-failed", text, "its joules are left out; measure again"));
            }
        }
        warnings.extend(surroundings::ordinary_pages(&machine, &outcome.benchmarks));
        warnings.extend(surroundings::moved(&outcome.load_change));
        warnings.extend(surroundings::unknown_load(&outcome.benchmarks, &outcome.load_change));
        warnings.extend(surroundings::drifted(&outcome.benchmarks));
        warnings.extend(surroundings::disturbed_idle(&outcome.idle));
        warnings.extend(outcome.warnings);
        let record = Record {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            started_utc: self.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            machine,
            sensors,
            plan: Some(plan_record(&plan, preset, meters_idle)),
            groups: outcome.groups,
            idle: outcome.idle,
            setups: outcome.setups,
            calibrations,
            benchmarks: outcome.benchmarks,
            warnings,
            load_change: outcome.load_change,
            interrupted: outcome.interrupted,
        };
        Ok((record, outcome.faults))
    }

    /// Says what is so from the start.
    fn standing_warnings(&self, machine: &Machine, candidates: &[&Candidate]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let is_used = |device: Device| candidates.iter().any(|candidate| candidate.device == device);
        for (device, unavailable) in self.meters.unavailable.iter().filter(|(device, _)| is_used(*device)) {
            let text = format!("no joules for {device}: {}", unavailable.reason);
            warnings.push(Warning::new("energy-unavailable", text, unavailable.hint.clone()));
        }
        warnings.extend(surroundings::standing(machine));
        warnings.extend(surroundings::small_pages(machine, candidates));
        for gpu in machine.gpus.iter().filter(|gpu| gpu.software) {
            if candidates.iter().any(|candidate| candidate.id.device() == gpu.id) {
                let text = format!("{} is a driver in software: its work is done by the processors", gpu.id);
                warnings.push(Warning::new("software-adapter", text, ""));
            }
        }
        if !Tool::this().optimized {
            let text = "this program was built without optimisation: the rates say nothing about the machine";
            warnings.push(Warning::new("debug-build", text, "cargo run --release"));
        }
        warnings
    }

    /// Writes the record where `--out` says.
    pub(super) fn write(&mut self, record: &Record) -> Result<Option<PathBuf>, Failure> {
        let Some((path, out)) = self.out.take() else { return Ok(None) };
        let text = serde_json::to_string_pretty(record).map_err(std::io::Error::from)?;
        out.write(&format!("{text}\n"))?;
        Ok(Some(path))
    }
}

/// Writes a plan down.
pub(super) fn plan_record(plan: &Plan, preset: Option<&str>, meters_idle: bool) -> PlanRecord {
    PlanRecord {
        preset: preset.map(ToOwned::to_owned),
        measured_s: (plan.turn() * plan.rounds).as_secs_f64(),
        rounds: plan.rounds,
        samples_per_turn: plan.samples_per_turn,
        sample_s: plan.sample.as_secs_f64(),
        order: plan.order,
        seed: plan.seed,
        idle_s: if meters_idle { plan.idle.as_secs_f64() } else { 0.0 },
    }
}

/// Refuses a meter of a device that this machine doesn't have: its joules would belong to nobody.
fn check_device(meter: &MeterDescription, registry: &Registry) -> Result<(), Failure> {
    let is_known = meter.device == Device::Cpu
        || registry
            .candidates()
            .iter()
            .any(|candidate| candidate.device == meter.device && candidate.availability.is_ok());
    if is_known {
        return Ok(());
    }
    let message = format!("the meter {} belongs to {}, which this machine doesn't have", meter.name, meter.device);
    Err(Failure::new(
        super::exit::METER,
        message,
        "hashwatt devices lists the graphics adapters; a software adapter draws its power from the cpu",
    ))
}

/// Passes on what went wrong where that is all there is to say: then nothing is printed.
pub(super) fn worth_printing(record: &Record, faults: Vec<EngineError>) -> Result<Vec<EngineError>, Failure> {
    match faults.first() {
        Some(fault) if record.benchmarks.is_empty() => Err(fault.clone().into()),
        _ => Ok(faults),
    }
}

/// Returns the exit code of a measurement whose result has been printed.
pub(super) fn exit_code(record: &Record, faults: Vec<EngineError>) -> Result<ExitCode, Failure> {
    if record.interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    // What the other engines gave has been printed; the code says that one of them fell out.
    match faults.into_iter().next() {
        Some(fault) => Err(fault.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}
