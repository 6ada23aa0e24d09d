//! `hashwatt devices`: what is here, what is missing, why, and what mends it.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::exit::Failure;
use super::output::{HEADING, Output};
use crate::energy::{self, MeterStatus};
use crate::engine::{Candidate, EngineId};
use crate::machine::{Cpu, Gpu, Machine};
use crate::registry::Registry;
use crate::report::table::{Column, Table};
use crate::sysroot::Sysroot;

#[derive(Serialize)]
struct Devices {
    cpus: Vec<Cpu>,
    gpus: Vec<Gpu>,
    engines: Vec<EngineStatus>,
    meters: Vec<MeterStatus>,
}

#[derive(Serialize)]
struct EngineStatus {
    id: EngineId,
    available: bool,
    device_name: String,
    reason: Option<String>,
    hint: Option<String>,
}

impl EngineStatus {
    fn of(candidate: &Candidate) -> Self {
        let unavailable = candidate.unavailable();
        Self {
            id: candidate.id.clone(),
            available: unavailable.is_none(),
            device_name: candidate.device_name.clone(),
            reason: unavailable.map(|unavailable| unavailable.reason.clone()),
            hint: unavailable.map(|unavailable| unavailable.hint.clone()).filter(|hint| !hint.is_empty()),
        }
    }
}

pub(super) fn run(sysroot: Option<&Path>, output: &mut Output) -> Result<ExitCode, Failure> {
    let sysroot = sysroot.map_or_else(|| Ok(Sysroot::default()), Sysroot::new)?;
    let registry = Registry::find(&sysroot);
    let machine = registry.machine();
    let engines = registry.candidates().iter().map(EngineStatus::of).collect();
    let devices = Devices {
        cpus: vec![machine.cpu.clone()],
        gpus: machine.gpus.clone(),
        engines,
        meters: energy::probe(&sysroot, &registry.gpu_addresses()),
    };
    if output.json {
        output.json(&devices)?;
    } else {
        print_machine(&machine, output)?;
        print_engines(&devices.engines, output)?;
        print_meters(&devices.meters, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_machine(machine: &Machine, output: &mut Output) -> Result<(), Failure> {
    let cpu = &machine.cpu;
    let brand = cpu.brand.as_deref().unwrap_or("processor of unknown brand");
    let count = cpu.logical_count.map_or_else(String::new, |count| format!(", {count} logical processors"));
    let features = if cpu.features.is_empty() { String::new() } else { format!(" ({})", cpu.features.join(" ")) };
    output.line(&format!("{HEADING}cpu{HEADING:#}   {brand}{count}{features}"))?;
    for gpu in &machine.gpus {
        let id = &gpu.id;
        output.line(&format!(
            "{HEADING}{id}{HEADING:#}  {}, {}, {} {}",
            gpu.name, gpu.backend, gpu.driver, gpu.driver_info
        ))?;
    }
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64);
    if let (Some(total), Some(available)) = (machine.memory.total_bytes, machine.memory.available_bytes) {
        output.line(&format!("{HEADING}memory{HEADING:#}  {}, {} available", gib(total), gib(available)))?;
    }
    Ok(())
}

fn print_engines(engines: &[EngineStatus], output: &mut Output) -> Result<(), Failure> {
    let columns = [Column::left("engine"), Column::left("available"), Column::left("device, or why not")];
    let mut table = Table::new(columns).header_style(HEADING);
    for engine in engines {
        let available = if engine.available { "yes" } else { "no" };
        let why = engine.reason.as_ref().unwrap_or(&engine.device_name);
        table.push_row([engine.id.as_str(), available, why]);
    }
    output.line("")?;
    output.table(&table)?;
    print_hints(engines.iter().map(|engine| (engine.id.as_str(), engine.hint.as_deref())), output)
}

fn print_meters(meters: &[MeterStatus], output: &mut Output) -> Result<(), Failure> {
    let columns = [Column::left("meter"), Column::left("available"), Column::left("covers, or why not")];
    let mut table = Table::new(columns).header_style(HEADING);
    for meter in meters {
        let available = if meter.available { "yes" } else { "no" };
        table.push_row([meter.name.as_str(), available, meter.reason.as_ref().unwrap_or(&meter.covers)]);
    }
    output.line("")?;
    output.table(&table)?;
    print_hints(
        meters.iter().filter(|meter| !meter.available).map(|meter| (meter.name.as_str(), meter.hint.as_deref())),
        output,
    )
}

fn print_hints<'a>(
    hints: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    output: &mut Output,
) -> Result<(), Failure> {
    for (name, hint) in hints {
        if let Some(hint) = hint {
            output.remark(&format!("to mend {name}: {hint}"))?;
        }
    }
    Ok(())
}
