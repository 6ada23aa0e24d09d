//! `hashwatt devices`: what is here, what is missing, why, and what mends it.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::exit::Failure;
use super::output::{HEADING, Output};
use super::surroundings::reserve_command;
use crate::energy::{self, MeterStatus};
use crate::engine::{Candidate, EngineId};
use crate::machine::{Cpu, Gpu, Machine, Memory};
use crate::pages::HUGE_2MIB_BYTES;
use crate::randomx;
use crate::registry::Registry;
use crate::report::table::{Column, Table};
use crate::sysroot::Sysroot;

#[derive(Serialize)]
struct Devices {
    cpus: Vec<Cpu>,
    gpus: Vec<Gpu>,
    memory: Memory,
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
    /// The pages that an engine would lie on which asks for huge ones; none for others.
    pages: Option<&'static str>,
}

impl EngineStatus {
    fn of(candidate: &Candidate, machine: &Machine) -> Self {
        let unavailable = candidate.unavailable();
        Self {
            id: candidate.id.clone(),
            available: unavailable.is_none(),
            device_name: candidate.device_name.clone(),
            reason: unavailable.map(|unavailable| unavailable.reason.clone()),
            hint: unavailable.map(|unavailable| unavailable.hint.clone()).filter(|hint| !hint.is_empty()),
            pages: expected_pages(candidate, &machine.memory),
        }
    }
}

/// Tells on which pages an engine that asks for huge ones would lie now, as far as the system tells.
fn expected_pages(candidate: &Candidate, memory: &Memory) -> Option<&'static str> {
    let resources = candidate.resources();
    if resources.is_empty() || !randomx::takes_huge_pages(&candidate.id) {
        return None;
    }
    let largest = resources.iter().map(|resource| resource.bytes).max().unwrap_or(0);
    let needed: u64 = resources.iter().map(|resource| resource.bytes.div_ceil(HUGE_2MIB_BYTES)).sum();
    if largest >= 1 << 30 && memory.huge_pages_1gib_free.is_some_and(|free| free >= largest.div_ceil(1 << 30)) {
        return Some("reserved pages of 1 GiB");
    }
    if memory.huge_pages_2mib_free.is_some_and(|free| free >= needed) {
        return Some("reserved pages of 2 MiB");
    }
    match memory.transparent_huge_pages.as_deref()? {
        "never" => Some("ordinary pages"),
        _ => Some("transparent huge pages"),
    }
}

pub(super) fn run(sysroot: Option<&Path>, output: &mut Output) -> Result<ExitCode, Failure> {
    let sysroot = sysroot.map_or_else(|| Ok(Sysroot::default()), Sysroot::new)?;
    let registry = Registry::find(&sysroot);
    let machine = registry.machine();
    let engines = registry.candidates().iter().map(|candidate| EngineStatus::of(candidate, &machine)).collect();
    let devices = Devices {
        cpus: vec![machine.cpu.clone()],
        gpus: machine.gpus.clone(),
        memory: machine.memory.clone(),
        engines,
        meters: energy::probe(&sysroot, &registry.gpu_addresses()),
    };
    if output.json {
        output.json(&devices)?;
    } else {
        print_machine(&machine, output)?;
        print_pages(&registry, &machine, output)?;
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

/// Says which huge pages there are, and where some would make RandomX faster, what reserves enough of them.
fn print_pages(registry: &Registry, machine: &Machine, output: &mut Output) -> Result<(), Failure> {
    let memory = &machine.memory;
    let known = |count: Option<u64>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    if memory.huge_pages_2mib_total.is_none() && memory.transparent_huge_pages.is_none() {
        return Ok(());
    }
    output.line(&format!(
        "{HEADING}pages{HEADING:#}  huge ones of 2 MiB: {} free of {} reserved; of 1 GiB: {} of {}; transparent: {}",
        known(memory.huge_pages_2mib_free),
        known(memory.huge_pages_2mib_total),
        known(memory.huge_pages_1gib_free),
        known(memory.huge_pages_1gib_total),
        memory.transparent_huge_pages.as_deref().unwrap_or("unknown"),
    ))?;
    let is_small = |candidate: &&Candidate| expected_pages(candidate, memory) == Some("ordinary pages");
    let small = registry.candidates().iter().filter(is_small);
    let Some(largest) = small.max_by_key(|candidate| candidate.memory_bytes()) else { return Ok(()) };
    // A scratchpad for single hashes of each engine of this kind, and for whoever checks them.
    let needed = largest.memory_bytes().div_ceil(HUGE_2MIB_BYTES) + 16;
    output.remark(&format!("to give {} huge pages: {}", largest.id, reserve_command(machine, needed)))?;
    Ok(())
}

fn print_engines(engines: &[EngineStatus], output: &mut Output) -> Result<(), Failure> {
    let columns = [Column::left("engine"), Column::left("available"), Column::left("device, or why not")];
    let mut table = Table::new(columns).header_style(HEADING);
    for engine in engines {
        let available = if engine.available { "yes" } else { "no" };
        let why = engine.reason.as_ref().unwrap_or(&engine.device_name);
        let pages = engine.pages.map_or_else(String::new, |pages| format!(", {pages}"));
        table.push_row([engine.id.to_string(), available.to_owned(), format!("{why}{pages}")]);
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
