//! The tables of a report that no other command prints.

use super::reference::ReferenceMachine;
use super::summary::{duration, labelled};
use super::table::{Column, Table};
use super::units::{between, format_coins, format_interval, format_kwh, format_percent, format_rough_money, format_si};
use crate::coin::history::SECONDS_PER_YEAR;
use crate::interval::Interval;
use crate::machine::{Cache, CacheKind, Gpu, Machine};
use crate::record::{Benchmark, MeterDescription, Record};
use crate::study::{Cost, Difference};

/// What stands where nothing is known.
const UNKNOWN: &str = "–";

/// Makes a table of what is known of the machine, the program and the run of each record, a column for each.
#[must_use]
pub fn machines(names: &[String], records: &[&Record]) -> Table {
    let columns = names.iter().map(|name| if names.len() == 1 { Column::left("value") } else { Column::left(name) });
    let mut table = Table::new([Column::left("what")].into_iter().chain(columns));
    let facts: Vec<Vec<(&str, Option<String>)>> = records.iter().map(|record| facts(record)).collect();
    let Some(first) = facts.first() else { return table };
    for (index, (name, _)) in first.iter().enumerate() {
        let values: Vec<Option<String>> = facts.iter().map(|facts| facts[index].1.clone()).collect();
        // What no record knows isn't worth a row.
        if values.iter().any(Option::is_some) {
            let cells = values.into_iter().map(|value| value.unwrap_or_else(|| UNKNOWN.to_owned()));
            table.push_row([(*name).to_owned()].into_iter().chain(cells));
        }
    }
    table
}

/// Lists what is worth telling of a record's machine, program and run; the same names in the same order for each.
fn facts(record: &Record) -> Vec<(&'static str, Option<String>)> {
    let Machine { cpu, memory, os, virtualization, gpus, mitigations, power } = &record.machine;
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let mhz = |mhz: Option<f64>| mhz.map(|mhz| format!("{mhz:.0} MHz"));
    let yes = |is: Option<bool>| is.map(|is| if is { "yes" } else { "no" }.to_owned());
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join("; "));
    let virtual_machine = virtualization.hypervisor.map(|is| match (is, &virtualization.name) {
        (true, Some(name)) => format!("yes ({name})"),
        (true, None) => "yes".to_owned(),
        (false, _) => "no".to_owned(),
    });
    let vulnerable: Vec<String> =
        mitigations.iter().filter(|(_, says)| says.starts_with("Vulnerable")).map(|(name, _)| name.clone()).collect();
    let tool = &record.tool;
    let build = if tool.optimized { "" } else { ", built without optimisation" };
    let plan = record.plan.as_ref().map(|plan| {
        let turns = format!("{} turns of {} samples of {:.3} s", plan.rounds, plan.samples_per_turn, plan.sample_s);
        format!("{} s for each engine: {turns}, {:?}, seed {}", plan.measured_s, plan.order, plan.seed)
    });
    vec![
        ("begun (UTC)", Some(record.started_utc.clone())),
        ("plan", plan),
        ("program", Some(format!("{} {} for {}{build}", tool.name, tool.version, tool.target))),
        ("record format", Some(record.format_version.to_string())),
        ("processor", cpu.brand.clone().or_else(|| cpu.vendor.clone())),
        ("sockets", number(cpu.sockets)),
        ("physical cores", number(cpu.physical_count)),
        ("logical processors", number(cpu.logical_count)),
        ("of these allowed", number(cpu.allowed_count)),
        ("extensions", list(vec![cpu.features.join(", ")]).filter(|text| !text.is_empty())),
        ("caches", list(cpu.caches.iter().map(cache).collect())),
        ("NUMA nodes", number(cpu.numa_nodes)),
        ("microcode", cpu.microcode.clone()),
        ("governor", cpu.governor.clone()),
        ("clock driver", cpu.scaling_driver.clone()),
        ("energy preference", cpu.energy_preference.clone()),
        ("clocks above nominal", yes(cpu.boost)),
        ("highest clock", mhz(cpu.max_mhz)),
        ("memory", memory.total_bytes.map(bytes)),
        ("small page", memory.page_size_bytes.map(bytes)),
        ("transparent huge pages", memory.transparent_huge_pages.clone()),
        ("huge pages of 2 MiB", memory.huge_pages_2mib_total.map(|count| count.to_string())),
        ("huge pages of 1 GiB", memory.huge_pages_1gib_total.map(|count| count.to_string())),
        ("graphics adapters", list(gpus.iter().map(gpu).collect())),
        (
            "system",
            Some(format!(
                "{}{} {}",
                os.kind,
                os.kernel.iter().map(|kernel| format!(" {kernel}")).collect::<String>(),
                os.arch
            )),
        ),
        ("virtual machine", virtual_machine),
        ("mitigations", (!mitigations.is_empty()).then(|| format!("of {} vulnerabilities", mitigations.len()))),
        ("left vulnerable to", list(vulnerable)),
        ("on battery", yes(power.on_battery)),
        ("power profile", power.profile.clone()),
    ]
}

fn cache(cache: &Cache) -> String {
    let kind = match cache.kind {
        CacheKind::Data => " data",
        CacheKind::Instruction => " instructions",
        CacheKind::Unified => "",
    };
    let count = cache.count.map_or_else(String::new, |count| format!("{count} × "));
    let size = cache.size_bytes.map_or_else(|| "of unknown size".to_owned(), bytes);
    format!("L{}{kind}: {count}{size}", cache.level)
}

fn gpu(gpu: &Gpu) -> String {
    let mut text = format!("{}: {}, {} {}, {}", gpu.id, gpu.name, gpu.driver, gpu.driver_info, gpu.backend);
    if gpu.software {
        text.push_str(", in software");
    }
    if let Some(watts) = gpu.power_limit_w {
        text.push_str(&format!(", limited to {watts:.0} W"));
    }
    text
}

/// A number of bytes with a binary prefix.
fn bytes(bytes: u64) -> String {
    const PREFIXES: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    let mut size = bytes as f64;
    let mut prefix = 0;
    while size >= 1024.0 && prefix + 1 < PREFIXES.len() {
        size /= 1024.0;
        prefix += 1;
    }
    if size.fract() == 0.0 { format!("{size} {}", PREFIXES[prefix]) } else { format!("{size:.1} {}", PREFIXES[prefix]) }
}

/// Makes the table of joules per hash with where they come from.
#[must_use]
pub fn energies(record: &Record) -> Table {
    let mut table = Table::new([
        Column::left("engine"),
        Column::right("gross").unit("per hash"),
        Column::right("low"),
        Column::right("high"),
        Column::right("net of idle").unit("per hash"),
        Column::right("processors' share").unit("per hash"),
        Column::left("source"),
        Column::left("meters"),
        Column::left("what is missing"),
    ]);
    for benchmark in &record.benchmarks {
        let energy = &benchmark.energy_j_per_hash;
        let joules = |value: f64| format_si(value, "J", 3);
        let end =
            |end: fn(&Interval) -> f64| energy.gross.as_ref().map_or_else(String::new, |gross| joules(end(gross)));
        let no = |what: &str, reason: &Option<String>| reason.as_ref().map(|reason| format!("no {what}: {reason}"));
        let reasons = [no("gross", &energy.reason), no("net", &energy.net_reason).filter(|_| energy.gross.is_some())];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        table.push_row([
            labelled(benchmark),
            energy.gross.map_or_else(|| "unavailable".to_owned(), |gross| joules(gross.value)),
            end(|gross| gross.low),
            end(|gross| gross.high),
            energy.net.map_or_else(String::new, |net| format_interval(&net, "J")),
            energy.host.map_or_else(String::new, |host| format_interval(&host, "J")),
            energy.provenance.to_string(),
            energy.meters.join(", "),
            reasons.join("; "),
        ]);
    }
    table.without_empty_columns()
}

/// Makes the table of the meters that were open.
#[must_use]
pub fn meters(record: &Record) -> Table {
    let columns = ["meter", "device", "kind", "covers", "leaves out", "uncertainty", "resolves"].map(Column::left);
    let mut table = Table::new(columns);
    for meter in &record.sensors {
        let MeterDescription { name, device, provenance, covers, leaves_out, relative_uncertainty, quantum_s } = meter;
        let uncertainty = match relative_uncertainty {
            Some(part) if *part > 0.0 => format!("±{} %", format_percent(part * 100.0)),
            Some(_) => "none stated".to_owned(),
            None => "unknown".to_owned(),
        };
        let quantum = if *quantum_s > 0.0 { format_si(*quantum_s, "s", 2) } else { "any time".to_owned() };
        table.push_row([
            name.clone(),
            device.to_string(),
            provenance.to_string(),
            covers.clone(),
            leaves_out.clone(),
            uncertainty,
            quantum,
        ]);
    }
    table
}

/// Makes the table of what coins come to.
#[must_use]
pub fn costs(record: &Record, costs: &[Option<Cost>]) -> Table {
    let mut table = Table::new([
        Column::left("engine"),
        Column::right("coins").unit("per day"),
        Column::right("time").unit("per coin"),
        Column::right("energy").unit("per coin"),
        Column::right("its interval").unit("95 %"),
        Column::right("electricity").unit("per coin"),
    ]);
    for (benchmark, cost) in record.benchmarks.iter().zip(costs) {
        let Some(cost) = cost else { continue };
        table.push_row(cost_row(benchmark, cost));
    }
    table.without_empty_columns()
}

fn cost_row(benchmark: &Benchmark, cost: &Cost) -> Vec<String> {
    let (symbol, currency) = (cost.inputs.coin.symbol(), &cost.inputs.currency);
    let years = cost.hashes_expected_per_coin / benchmark.rate_hps.median / SECONDS_PER_YEAR;
    let mut row = vec![labelled(benchmark), format!("{} {symbol}", format_coins(cost.coins_per_day)), duration(years)];
    match (cost.energy_per_coin_kwh, cost.energy_per_coin_kwh_interval, cost.cost_per_coin) {
        (Some(energy), Some(range), Some(money)) => row.extend([
            format_kwh(energy, 3),
            between(&format_kwh(range.low, 3), &format_kwh(range.high, 3)),
            format_rough_money(money, currency),
        ]),
        _ => row.extend([
            format!("{} per W drawn", format_kwh(cost.energy_per_coin_kwh_per_w, 3)),
            String::new(),
            format!("{} per W drawn", format_rough_money(cost.cost_per_coin_per_w, currency)),
        ]),
    }
    row
}

/// Makes the table of what differs between the first record's machine and program and those of others.
#[must_use]
pub fn differences(differences: &[Difference]) -> Table {
    let mut table = Table::new(["what", "base", "new", "record"].map(Column::left));
    for one in differences {
        table.push_row([one.what.clone(), one.base.clone(), one.new_value.clone(), one.new.display().to_string()]);
    }
    table
}

/// Makes the table of published machines with their sources.
#[must_use]
pub fn published(machines: &[&ReferenceMachine]) -> Table {
    let mut table = Table::new([
        Column::left("machine"),
        Column::left("algorithm"),
        Column::right("rate"),
        Column::right("power"),
        Column::right("energy").unit("per hash"),
        Column::left("source"),
    ]);
    for machine in machines {
        table.push_row([
            machine.label.clone(),
            machine.algorithm.clone(),
            format_si(machine.rate_hps, "H/s", 3),
            format_si(machine.power_w, "W", 4),
            format_si(machine.energy_j_per_hash().value, "J", 3),
            machine.source.clone(),
        ]);
    }
    table
}
